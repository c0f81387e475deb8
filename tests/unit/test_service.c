#include "lib/service.h"

#include "lib/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char *const states[] = { "IDLE", "STARTING", "UP", "STOPPING", "SWEEPING", "BACKOFF", "FAILED", "DONE" };

/* The whole machine as it was last agreed upon. A change to the table is made here as well, on purpose. */
static const char golden[] =
	"IDLE WANT_UP -> STARTING begin\n"
	"IDLE WANT_DOWN ignored\n"
	"IDLE READY never\n"
	"IDLE EXIT never\n"
	"IDLE GONE ignored\n"
	"IDLE TIMER never\n"
	"IDLE ERR never\n"
	"IDLE HANG never\n"
	"IDLE RESET -> IDLE forget\n"
	"STARTING WANT_UP ignored\n"
	"STARTING WANT_DOWN -> STOPPING stop\n"
	"STARTING READY -> UP up\n"
	"STARTING EXIT -> SWEEPING kill\n"
	"STARTING GONE ignored\n"
	"STARTING TIMER -> STOPPING expire\n"
	"STARTING ERR -> SWEEPING kill\n"
	"STARTING HANG never\n"
	"STARTING RESET -> STARTING forget\n"
	"UP WANT_UP ignored\n"
	"UP WANT_DOWN -> STOPPING stop\n"
	"UP READY never\n"
	"UP EXIT -> SWEEPING kill\n"
	"UP GONE ignored\n"
	"UP TIMER -> UP up-late\n"
	"UP ERR -> STOPPING end\n"
	"UP HANG -> STOPPING abort\n"
	"UP RESET -> UP forget\n"
	"STOPPING WANT_UP ignored\n"
	"STOPPING WANT_DOWN ignored\n"
	"STOPPING READY never\n"
	"STOPPING EXIT -> STOPPING linger\n"
	"STOPPING GONE -> STOPPING decide\n"
	"STOPPING TIMER -> STOPPING stop-late\n"
	"STOPPING ERR ignored\n"
	"STOPPING HANG never\n"
	"STOPPING RESET -> STOPPING forget\n"
	"SWEEPING WANT_UP ignored\n"
	"SWEEPING WANT_DOWN ignored\n"
	"SWEEPING READY never\n"
	"SWEEPING EXIT ignored\n"
	"SWEEPING GONE -> SWEEPING decide\n"
	"SWEEPING TIMER -> SWEEPING kill\n"
	"SWEEPING ERR ignored\n"
	"SWEEPING HANG never\n"
	"SWEEPING RESET -> SWEEPING forget\n"
	"BACKOFF WANT_UP -> STARTING begin\n"
	"BACKOFF WANT_DOWN -> IDLE cancel\n"
	"BACKOFF READY never\n"
	"BACKOFF EXIT never\n"
	"BACKOFF GONE ignored\n"
	"BACKOFF TIMER -> STARTING begin\n"
	"BACKOFF ERR never\n"
	"BACKOFF HANG never\n"
	"BACKOFF RESET -> BACKOFF forget\n"
	"FAILED WANT_UP -> STARTING begin\n"
	"FAILED WANT_DOWN -> IDLE cancel\n"
	"FAILED READY never\n"
	"FAILED EXIT never\n"
	"FAILED GONE ignored\n"
	"FAILED TIMER never\n"
	"FAILED ERR never\n"
	"FAILED HANG never\n"
	"FAILED RESET -> FAILED forget\n"
	"DONE WANT_UP -> STARTING begin\n"
	"DONE WANT_DOWN -> IDLE cancel\n"
	"DONE READY never\n"
	"DONE EXIT never\n"
	"DONE GONE ignored\n"
	"DONE TIMER never\n"
	"DONE ERR never\n"
	"DONE HANG never\n"
	"DONE RESET -> DONE forget\n";

static void the_table_is_the_one_agreed_upon(void **state)
{
	(void)state;
	char dump[sizeof golden * 2] = "";
	for (int s = 0; s < N_STATE; s++)
		for (int ev = 0; ev < N_SERVICE_EVENT; ev++) {
			struct cell c = service_cell((enum state)s, (enum service_event)ev);
			char *end = dump + strlen(dump);
			size_t left = sizeof dump - strlen(dump);
			assert_false(c.is_ignored && c.is_never);
			if (c.is_ignored || c.is_never)
				snprintf(end, left, "%s %s %s\n", states[s], service_event_name[ev], c.is_never ? "never" : "ignored");
			else
				snprintf(end, left, "%s %s -> %s %s\n", states[s], service_event_name[ev], states[c.state],
					 action_name[c.action]);
		}
	assert_string_equal(dump, golden);
}

/* A cell left out would be all zeros: GO(IDLE, ACT_NONE), which no cell that was written is. */
static void every_cell_is_written(void **state)
{
	(void)state;
	for (int s = 0; s < N_STATE; s++)
		for (int ev = 0; ev < N_SERVICE_EVENT; ev++) {
			struct cell c = service_cell((enum state)s, (enum service_event)ev);
			assert_true(c.is_ignored || c.is_never || c.action != ACT_NONE);
		}
}

static void everything_has_a_name_of_its_own(void **state)
{
	(void)state;
	const struct { const char *const *names; size_t n; } tables[] = {
		{ state_name, N_STATE }, { service_event_name, N_SERVICE_EVENT }, { action_name, N_ACTION },
	};
	for (size_t t = 0; t < countof(tables); t++)
		for (size_t i = 0; i < tables[t].n; i++) {
			assert_non_null(tables[t].names[i]);
			for (size_t other = 0; other < i; other++)
				assert_string_not_equal(tables[t].names[i], tables[t].names[other]);
		}
	for (size_t i = 0; i < N_STEP; i++)
		assert_non_null(step_name[i]);
}

static void the_states_are_called_as_on_the_wire(void **state)
{
	(void)state;
	static const char *const wire[] = { "idle", "starting", "up", "stopping", "sweeping", "backoff", "failed", "done" };
	assert_int_equal(N_STATE, countof(wire));
	for (size_t i = 0; i < countof(wire); i++)
		assert_string_equal(state_name[i], wire[i]);
}

static void three_states_are_at_rest(void **state)
{
	(void)state;
	for (int s = 0; s < N_STATE; s++)
		assert_int_equal(state_is_resting((enum state)s), s == IDLE || s == FAILED || s == DONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_is_the_one_agreed_upon),
		cmocka_unit_test(every_cell_is_written),
		cmocka_unit_test(everything_has_a_name_of_its_own),
		cmocka_unit_test(the_states_are_called_as_on_the_wire),
		cmocka_unit_test(three_states_are_at_rest),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
