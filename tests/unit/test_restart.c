#include "lib/restart.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* systemd.service(5), "Exit causes and the effect of the Restart= settings", and our own last column: y or a dot per result. */
static const struct {
	enum restart_policy policy;
	const char *answers;
} policies[] = {
	/*                      success, exit-code, signal, core-dump, timeout, watchdog, protocol, oom-kill,
	 *                      resources, dependency, start-limit-hit, bad-setting, exec-condition, condition, assert */
	{ RESTART_UNSET,       ".......y" "y......" },
	{ RESTART_NO,          "........" "y......" },
	{ RESTART_ON_SUCCESS,  "y......." "y......" },
	{ RESTART_ON_FAILURE,  ".yyyyyyy" "y......" },
	{ RESTART_ON_ABNORMAL, "..yyyyyy" "y......" },
	{ RESTART_ON_WATCHDOG, ".....y.." "y......" },
	{ RESTART_ON_ABORT,    "..yy...y" "y......" },
	{ RESTART_ALWAYS,      "yyyyyyyy" "y......" },
};

static void restart_follows_its_table(void **state)
{
	(void)state;
	assert_int_equal(countof(policies), N_RESTART_POLICY);
	for (size_t p = 0; p < countof(policies); p++) {
		char answers[N_RESULT + 1] = "";
		for (int r = 0; r < N_RESULT; r++)
			answers[r] = restart_applies(policies[p].policy, (enum result)r) ? 'y' : '.';
		assert_string_equal(answers, policies[p].answers);
	}
}

static struct unit backing_off(uint32_t first_ms, uint32_t max_ms, uint32_t growth)
{
	struct unit u;
	unit_defaults(&u);
	u.restart_ms = first_ms;
	u.restart_max_ms = max_ms;
	u.restart_growth = growth;
	return u;
}

static void the_delay_climbs_geometrically_to_the_most(void **state)
{
	(void)state;
	struct unit u = backing_off(100, 1000, 2 * 65536);
	static const uint32_t delays[] = { 100, 200, 400, 800, 1000, 1000 };
	uint32_t delay = 0;
	for (size_t i = 0; i < countof(delays); i++) {
		delay = restart_delay(&u, i == 0, delay);
		assert_int_equal(delay, delays[i]);
	}
	assert_int_equal(restart_delay(&u, true, delay), 100);
}

static void the_defaults_go_from_a_tenth_of_a_second_to_half_a_minute(void **state)
{
	(void)state;
	struct unit u;
	unit_defaults(&u);
	uint32_t delay = restart_delay(&u, true, 0), n = 1;
	assert_int_equal(delay, 100);
	for (; delay < 30000; n++)
		delay = restart_delay(&u, false, delay);
	assert_int_equal(delay, 30000);
	assert_int_equal(n, 10);
}

static void without_steps_the_delay_stands_still(void **state)
{
	(void)state;
	struct unit u = backing_off(5000, 5000, 65536);
	assert_int_equal(restart_delay(&u, true, 0), 5000);
	assert_int_equal(restart_delay(&u, false, 5000), 5000);
}

static void the_longest_delays_do_not_overflow(void **state)
{
	(void)state;
	struct unit u = backing_off(1, UINT32_MAX, UINT32_MAX);
	assert_int_equal(restart_delay(&u, false, UINT32_MAX), UINT32_MAX);
}

static void jitter_stays_within_a_quarter_and_uses_it(void **state)
{
	(void)state;
	struct unit u = backing_off(1000, 1000, 65536);
	uint32_t least = UINT32_MAX, most = 0;
	for (uint32_t random = 0; random < 5000; random++) {
		uint32_t delay = restart_jitter(&u, 1000, random * 2654435761u);
		least = delay < least ? delay : least;
		most = delay > most ? delay : most;
	}
	assert_int_equal(least, 750);
	assert_int_equal(most, 1250);
	assert_in_range(restart_jitter(&u, UINT32_MAX, 1), UINT32_MAX / 4 * 3, UINT32_MAX);
	assert_int_equal(restart_jitter(&u, 0, 77), 0);
	assert_int_equal(restart_jitter(&u, 1, 77), 1);
	assert_int_equal(restart_jitter(&u, 2, 77), 3);
}

static void a_delay_that_the_unit_sets_is_kept_to_the_ms(void **state)
{
	(void)state;
	struct unit u = backing_off(1000, 1000, 65536);
	u.flags &= ~(uint32_t)UNIT_JITTER;
	for (uint32_t random = 0; random < 100; random++)
		assert_int_equal(restart_jitter(&u, 1000, random), 1000);
}

static void the_machines_trouble_passes_the_units_does_not(void **state)
{
	(void)state;
	static const int passing[] = { EAGAIN, ENOMEM, EMFILE, ENFILE, EINTR, EBUSY, ETXTBSY, ENOSPC, EIO };
	static const int final[] = { ENOENT, EACCES, EPERM, ENOEXEC, E2BIG, ENOTDIR, EINVAL, ELOOP, 0 };
	for (size_t i = 0; i < countof(passing); i++)
		assert_true(restart_is_passing(passing[i]));
	for (size_t i = 0; i < countof(final); i++)
		assert_false(restart_is_passing(final[i]));
}

static void results_are_called_as_systemd_does(void **state)
{
	(void)state;
	static const char *const names[] = {
		"success", "exit-code", "signal", "core-dump", "timeout", "watchdog", "protocol", "oom-kill", "resources",
		"dependency", "start-limit-hit", "bad-setting", "exec-condition", "condition", "assert",
	};
	assert_int_equal(N_RESULT, countof(names));
	for (size_t i = 0; i < countof(names); i++)
		assert_string_equal(result_name[i], names[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(restart_follows_its_table),
		cmocka_unit_test(the_delay_climbs_geometrically_to_the_most),
		cmocka_unit_test(the_defaults_go_from_a_tenth_of_a_second_to_half_a_minute),
		cmocka_unit_test(without_steps_the_delay_stands_still),
		cmocka_unit_test(the_longest_delays_do_not_overflow),
		cmocka_unit_test(jitter_stays_within_a_quarter_and_uses_it),
		cmocka_unit_test(a_delay_that_the_unit_sets_is_kept_to_the_ms),
		cmocka_unit_test(the_machines_trouble_passes_the_units_does_not),
		cmocka_unit_test(results_are_called_as_systemd_does),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
