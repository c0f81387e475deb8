#include "lib/directives.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void every_row_is_one_directive(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_directives; i++) {
		const struct directive *row = &directives[i];
		assert_true(row->section < N_SECTION && row->reading < N_READING);
		assert_true(row->at & AT_CONTEXT ? (row->at & ~AT_CONTEXT) < sizeof(struct context) : row->at < sizeof(struct unit));
		assert_ptr_equal(directive_find(row->section, row->key), row);
		if (row->status == HONOURED)
			assert_int_not_equal(row->reading, READ_NOTHING);
		assert_non_null(directive_expects(row));
		assert_int_equal(row->status == NOT_ENFORCED, row->risk != NULL);
	}
}

/* The first slice of the design, name by name: none may slip back to "not yet". */
static void what_was_promised_is_honoured(void **state)
{
	(void)state;
	static const char unit[] = "Description After Before Requires Wants StartLimitIntervalSec StartLimitBurst";
	static const char service[] =
		"Type ExecStart ExecStartPre ExecStartPost ExecStop ExecReload Restart RestartSec RestartSteps "
		"RestartMaxDelaySec TimeoutStartSec TimeoutStopSec KillMode KillSignal SendSIGKILL SuccessExitStatus "
		"RemainAfterExit OOMScoreAdjust OOMPolicy MemoryMin MemoryLow MemoryHigh MemoryMax MemorySwapMax "
		"TasksMax CPUWeight CPUQuota CPUQuotaPeriodSec User Group UMask Nice WorkingDirectory Environment EnvironmentFile LimitNOFILE "
		"LimitNPROC LimitCORE StandardInput StandardOutput StandardError NotifyAccess StartLimitInterval "
		"StartLimitBurst TimeoutSec MemoryLimit";
	const struct str lists[] = { [SECTION_UNIT] = STR(unit), [SECTION_SERVICE] = STR(service) };

	for (size_t section = 0; section < countof(lists); section++)
		for (struct str rest = lists[section]; rest.n;) {
			const struct directive *row = directive_find((enum section)section, str_until(&rest, ' '));
			assert_non_null(row);
			assert_int_equal(row->status, HONOURED);
		}
}

static void names_are_looked_up_as_they_are_written(void **state)
{
	(void)state;
	assert_null(directive_find(SECTION_UNIT, STR("description")));
	assert_null(directive_find(SECTION_SERVICE, STR("Description")));
	assert_null(directive_find(SECTION_UNIT, STR("DescriptionX")));
	assert_null(directive_find(SECTION_UNIT, STR("")));
	assert_int_equal(directive_find(SECTION_SERVICE, STR("Slice"))->status, NOT_YET);
	assert_int_equal(directive_find(SECTION_INSTALL, STR("WantedBy"))->status, HARMLESS);
	assert_int_equal(section_find(STR("Service")), SECTION_SERVICE);
	assert_int_equal(section_find(STR("service")), -1);
	assert_int_equal(section_find(STR("")), -1);
}

static void a_slip_of_the_finger_is_forgiven(void **state)
{
	(void)state;
	static const struct {
		enum section section;
		const char *key, *meant;
	} rows[] = {
		{ SECTION_SERVICE, "RestartSecs", "RestartSec" }, { SECTION_SERVICE, "ExecStrat", "ExecStart" },
		{ SECTION_SERVICE, "execstart", "ExecStart" }, { SECTION_UNIT, "description", "Description" },
		{ SECTION_UNIT, "Require", "Requires" }, { SECTION_SERVICE, "MemMax", NULL },
		{ SECTION_SERVICE, "Usr", "User" }, { SECTION_SERVICE, "Uxyr", NULL }, { SECTION_SERVICE, "", NULL },
		{ SECTION_SERVICE, "Colour", NULL },
		/* Right, but elsewhere. */
		{ SECTION_UNIT, "Restart", "Restart" }, { SECTION_SERVICE, "After", "After" },
		{ SECTION_SERVICE, "WantedBy", "WantedBy" },
	};
	for (size_t i = 0; i < countof(rows); i++) {
		const struct directive *row = directive_nearest(rows[i].section, str_from(rows[i].key));
		assert_int_equal(row != NULL, rows[i].meant != NULL);
		if (row)
			assert_true(str_eq(row->key, str_from(rows[i].meant)));
	}
}

static void enumerations_know_their_words(void **state)
{
	(void)state;
	for (size_t e = 0; e < N_ENUMERATION; e++)
		for (size_t i = 0; i < enumerations[e].n; i++)
			assert_non_null(enumerations[e].names[i]);
	const struct directive *row = directive_find(SECTION_SERVICE, STR("OOMPolicy"));
	assert_string_equal(directive_expects(row), "continue, stop or kill");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_is_one_directive),
		cmocka_unit_test(what_was_promised_is_honoured),
		cmocka_unit_test(names_are_looked_up_as_they_are_written),
		cmocka_unit_test(a_slip_of_the_finger_is_forgiven),
		cmocka_unit_test(enumerations_know_their_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
