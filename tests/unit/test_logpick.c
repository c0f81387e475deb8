#include "lib/logpick.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void a_priority_takes_what_is_more_urgent_and_a_range_what_is_between(void **state)
{
	(void)state;
	static const struct { const char *text; int from, to; } rows[] = {
		{ "err", 0, 3 }, { "3", 0, 3 }, { "debug", 0, 7 }, { "emerg", 0, 0 }, { "err..info", 3, 6 }, { "info..err", 3, 6 },
		{ "4..4", 4, 4 }, { "warning..6", 4, 6 }, { "loud", -1, 0 }, { "8", -1, 0 }, { "", -1, 0 }, { "err..", -1, 0 }, { "..err", -1, 0 },
		{ "err...info", -1, 0 }, { "err..info..debug", -1, 0 },
	};
	for (size_t i = 0; i < countof(rows); i++) {
		struct logpick p = LOGPICK_ALL;
		assert_int_equal(logpick_priorities(&p, str_from(rows[i].text)), rows[i].from >= 0);
		assert_int_equal(p.most_urgent, rows[i].from >= 0 ? rows[i].from : 0);
		assert_int_equal(p.least_urgent, rows[i].from >= 0 ? rows[i].to : 7);
	}
}

static bool takes(struct logpick p, uint64_t time_us, uint32_t generation, uint8_t priority)
{
	return logpick_takes(&p, &(struct logline){ .time_us = time_us, .generation = generation, .priority = priority });
}

static void all_conditions_have_to_hold(void **state)
{
	(void)state;
	struct logpick p = { .since_us = 10, .until_us = 20, .most_urgent = 3, .least_urgent = 4, .has_generation = true, .generation = 2 };
	assert_true(takes(p, 10, 2, 3) && takes(p, 20, 2, 4));
	assert_false(takes(p, 9, 2, 3));
	assert_false(takes(p, 21, 2, 3));
	assert_false(takes(p, 15, 3, 3));
	assert_false(takes(p, 15, 0, 3));
	assert_false(takes(p, 15, 2, 2));
	assert_false(takes(p, 15, 2, 5));
	p.is_without_notes = true;
	assert_false(logpick_takes(&p, &(struct logline){ .time_us = 15, .generation = 2, .priority = 3, .stream = LOG_NOTE }));
	p.takes_untold = true;
	assert_true(takes(p, 15, 0, 3) && takes(LOGPICK_ALL, 0, 0, 7) && takes(LOGPICK_ALL, UINT64_MAX, 5, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_priority_takes_what_is_more_urgent_and_a_range_what_is_between),
		cmocka_unit_test(all_conditions_have_to_hold),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
