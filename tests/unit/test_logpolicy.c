#include "lib/logpolicy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define MB (UINT64_C(1) << 20)

static void limits_go_together(void **state)
{
	(void)state;
	struct logpolicy_limits l = logpolicy_settle((struct logpolicy_limits){ .file_max = 16 * MB }, 1000 * MB);
	assert_true(l.all_max == 100 * MB && l.unit_max == 100 * MB && l.file_max == 16 * MB);
	l = logpolicy_settle((struct logpolicy_limits){ .file_max = 16 * MB }, UINT64_C(1000000) * MB);
	assert_true(l.all_max == 4096 * MB);
	l = logpolicy_settle((struct logpolicy_limits){ .all_max = 20 * MB, .unit_max = 40 * MB, .file_max = 16 * MB }, 0);
	assert_true(l.unit_max == 20 * MB && l.file_max == 5 * MB);
	l = logpolicy_settle((struct logpolicy_limits){ .all_max = 1, .unit_max = 1, .file_max = 1 }, 0);
	assert_true(l.all_max == MB && l.unit_max == 1 && l.file_max == 64 << 10);
}

static void a_file_is_full_by_size_or_age(void **state)
{
	(void)state;
	struct logpolicy_limits l = { .file_max = 1000, .file_us = 50 };
	assert_false(logpolicy_is_full(&l, 900, 100, 100, 149));
	assert_true(logpolicy_is_full(&l, 900, 100, 101, 149));
	assert_true(logpolicy_is_full(&l, 1, 100, 1, 150));
	assert_false(logpolicy_is_full(&l, 0, 100, 5000, 200));        /* nothing to rotate */
	assert_false(logpolicy_is_full(&l, 1, 100, 1, 10));            /* the clock was set back */
	l.file_us = 0;
	assert_false(logpolicy_is_full(&l, 1, 100, 1, UINT64_MAX));
}

/* Deletes until there is nothing to delete; the order, by the files' times. */
static void then_deleted(struct logpolicy_file *files, size_t n, uint64_t *units, uint64_t all, struct logpolicy_limits l, const uint64_t *expected)
{
	for (;; expected++) {
		size_t i = logpolicy_next(files, n, units, all, &l, 1000);
		if (*expected == 0)
			assert_int_equal(i, n);
		if (i == n) {
			assert_int_equal(*expected, 0);
			return;
		}
		assert_int_equal(files[i].time_us, *expected);
		units[files[i].unit] -= files[i].size;
		all -= files[i].size;
		files[i] = files[--n];
	}
}

static void the_oldest_goes_first(void **state)
{
	(void)state;
	struct logpolicy_file files[] = { { 30, 10, 0, 0, 0, { 0 } }, { 10, 10, 1, 0, 0, { 0 } }, { 20, 10, 0, 0, 0, { 0 } }, { 40, 10, 1, 0, 0, { 0 } } };
	uint64_t units[] = { 25, 25 };
	then_deleted(files, 4, units, 50, (struct logpolicy_limits){ .all_max = 30, .unit_max = 100 }, (const uint64_t[]){ 10, 20, 0 });
}

static void a_unit_over_its_limit_loses_its_own(void **state)
{
	(void)state;
	struct logpolicy_file files[] = { { 10, 10, 0, 0, 0, { 0 } }, { 20, 10, 1, 0, 0, { 0 } }, { 30, 10, 1, 0, 0, { 0 } }, { 40, 10, 1, 0, 0, { 0 } } };
	uint64_t units[] = { 10, 35 };
	then_deleted(files, 4, units, 45, (struct logpolicy_limits){ .all_max = 24, .unit_max = 30 }, (const uint64_t[]){ 20, 10, 30, 0 });
}

static void what_is_too_old_goes_before_all(void **state)
{
	(void)state;
	struct logpolicy_file files[] = { { 990, 10, 0, 0, 0, { 0 } }, { 899, 10, 1, 0, 0, { 0 } }, { 900, 10, 1, 0, 0, { 0 } }, { 2000, 1, 1, 0, 0, { 0 } } };
	uint64_t units[] = { 10, 20 };
	then_deleted(files, 4, units, 30, (struct logpolicy_limits){ .all_max = 100, .unit_max = 15, .retention_us = 100 }, (const uint64_t[]){ 899, 0 });
}

static void so_many_lines_pass_in_a_window(void **state)
{
	(void)state;
	struct lograte r = { 0 };
	uint32_t n;
	for (int i = 0; i < 3; i++)
		assert_true(lograte_pass(&r, 100, 3, 1000 + (uint64_t)i, &n));
	assert_false(lograte_pass(&r, 100, 3, 1003, &n));
	assert_false(lograte_pass(&r, 100, 3, 1099, &n));
	assert_int_equal(lograte_end(&r, 100, 1099), 0);
	assert_true(lograte_pass(&r, 100, 3, 1100, &n));
	assert_int_equal(n, 2);
	assert_true(lograte_pass(&r, 100, 3, 1101, &n));
	assert_int_equal(n, 0);
}

static void the_rest_is_told_when_the_window_is_over(void **state)
{
	(void)state;
	struct lograte r = { 0 };
	uint32_t n;
	assert_true(lograte_pass(&r, 100, 1, 1000, &n));
	assert_false(lograte_pass(&r, 100, 1, 1001, &n));
	assert_int_equal(lograte_end(&r, 100, 1100), 1);
	assert_int_equal(lograte_end(&r, 100, 1200), 0);
	assert_true(lograte_pass(&r, 100, 1, 1201, &n));
	assert_int_equal(n, 0);
}

static void without_a_limit_all_pass(void **state)
{
	(void)state;
	struct lograte r = { 0 };
	uint32_t n;
	for (int i = 0; i < 10; i++)
		assert_true(lograte_pass(&r, 0, 3, 1000, &n) && lograte_pass(&r, 100, 0, 1000, &n));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(limits_go_together),
		cmocka_unit_test(a_file_is_full_by_size_or_age),
		cmocka_unit_test(the_oldest_goes_first),
		cmocka_unit_test(a_unit_over_its_limit_loses_its_own),
		cmocka_unit_test(what_is_too_old_goes_before_all),
		cmocka_unit_test(so_many_lines_pass_in_a_window),
		cmocka_unit_test(the_rest_is_told_when_the_window_is_over),
		cmocka_unit_test(without_a_limit_all_pass),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
