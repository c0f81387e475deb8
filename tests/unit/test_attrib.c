#include "lib/attrib.h"

#include "tests/sim/units.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const char *const names[] = { "a.service", "a.service2.service", "b.service", "x,task=sshd,pid=1,uid=0.service" };
static struct unitset units;

static int given_units(void **state)
{
	(void)state;
	struct plan plans[countof(names)];
	for (size_t i = 0; i < countof(names); i++)
		plan_begin(&plans[i], str_from(names[i]));
	units = units_build(plans, countof(names));
	return 0;
}

static int forget_units(void **state)
{
	(void)state;
	free((void *)(uintptr_t)units.bytes);
	return 0;
}

static void a_path_belongs_by_whole_components(void **state)
{
	(void)state;
	static const struct { const char *root, *path; uint32_t expected; } rows[] = {
		{ "/system.slice", "/system.slice/a.service", 0 },
		{ "/system.slice", "/system.slice/a.service/", 0 },
		{ "/system.slice", "/system.slice/a.service/worker/deep", 0 },
		{ "/system.slice", "/system.slice/b.service", 2 },
		{ "/system.slice", "/system.slice/a.service2", NO_UNIT },
		{ "/system.slice", "/system.slice/a.service2.service", 1 },
		{ "/system.slice", "/system.slice/a.servic", NO_UNIT },
		/* unit names may be given short, cgroups never are */
		{ "/system.slice", "/system.slice/a", NO_UNIT },
		{ "/system.slice", "/system.slice/b/x", NO_UNIT },
		{ "/system.slice", "/system.slice/a.service2/b.service", NO_UNIT },
		{ "/system.slice", "/system.slice/b.service/a.service", 2 },
		{ "/system.slice", "/system.slice", NO_UNIT },
		{ "/system.slice", "/system.slice/", NO_UNIT },
		{ "/system.slice", "/system.slice//a.service", NO_UNIT },
		{ "/system.slice", "/system.slicea.service", NO_UNIT },
		{ "/system.slice", "/system.slice2/a.service", NO_UNIT },
		{ "/system.slice", "/other/system.slice/a.service", NO_UNIT },
		{ "/system.slice", "system.slice/a.service", NO_UNIT },
		{ "/system.slice", "", NO_UNIT },
		{ "/system.slice", "/", NO_UNIT },
		{ "/system.slice", "/system.slice/x,task=sshd,pid=1,uid=0.service", 3 },
		{ "/system.slice", "/system.slice/x,task=sshd", NO_UNIT },
		{ "/system.slice", "/system.slice/A.service", NO_UNIT },
		{ "", "/a.service", 0 },
		{ "/a.service", "/a.service/b.service", 2 },
		{ "/docker/abc", "/docker/abc/a.service/x", 0 },
	};
	for (size_t i = 0; i < countof(rows); i++) {
		uint32_t found = attrib_path(units, str_from(rows[i].root), str_from(rows[i].path));
		if (found != rows[i].expected)
			fail_msg("%s below %s: %d", rows[i].path, rows[i].root, (int)found);
	}
}

static void a_folder_is_the_one_right_below(void **state)
{
	(void)state;
	static const struct { const char *root, *path, *expected; } rows[] = {
		{ "/system.slice", "/system.slice/a.service/worker", "a.service" },
		{ "/system.slice", "/system.slice/unheard-of.service", "unheard-of.service" },
		{ "", "/a.service", "a.service" },
		{ "/system.slice", "/user.slice/a.service", "" },
		{ "/system.slice", "/system.slice", "" },
		{ "/system.slice", "/", "" },
		{ "/system.slice", "", "" },
	};
	for (size_t i = 0; i < countof(rows); i++)
		assert_true(str_eq(attrib_folder(str_from(rows[i].root), str_from(rows[i].path)), str_from(rows[i].expected)));
}

static void a_nul_in_a_path_is_no_end(void **state)
{
	(void)state;
	assert_int_equal(attrib_path(units, STR("/s"), STR("/s/a.service\0x")), NO_UNIT);
}

static void no_units_own_nothing(void **state)
{
	(void)state;
	assert_int_equal(attrib_path((struct unitset){ 0 }, STR("/s"), STR("/s/a.service")), NO_UNIT);
}

static void the_unified_line_is_found(void **state)
{
	(void)state;
	static const struct { const char *text, *expected; } rows[] = {
		{ "0::/system.slice/a.service\n", "/system.slice/a.service" },
		{ "0::/system.slice/a.service", "/system.slice/a.service" },
		{ "2:memory:/x\n1:name=systemd:/y\n0::/z\n", "/z" },
		{ "0::/a:b/c\n", "/a:b/c" },
		{ "2:memory:/x\n", "" },
		{ "10::/x\n", "" },
		{ "1:memory:/q0::/x\n", "" },
		{ "", "" },
		{ "\n\n0::/late\n", "/late" },
		{ "0::/first\n0::/second\n", "/first" },
		{ "0::/s/a.service (deleted)\n", "/s/a.service" },
		{ "0::/s/a (deleted)/b\n", "/s/a (deleted)/b" },
	};
	for (size_t i = 0; i < countof(rows); i++) {
		struct str found = attrib_unified(str_from(rows[i].text));
		if (!str_eq(found, str_from(rows[i].expected)))
			fail_msg("%s: %.*s", rows[i].text, (int)found.n, found.p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_path_belongs_by_whole_components),
		cmocka_unit_test(a_folder_is_the_one_right_below),
		cmocka_unit_test(a_nul_in_a_path_is_no_end),
		cmocka_unit_test(no_units_own_nothing),
		cmocka_unit_test(the_unified_line_is_found),
	};
	return cmocka_run_group_tests(tests, given_units, forget_units);
}
