#include "lib/unitname.h"
#include "lib/limits.h"
#include "lib/names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void units_have_a_type_in_their_name(void **state)
{
	(void)state;
	static const char *const good[] = { "a.service", "a@b.service", "a.b.target", "dev-sda\\x2d1.device",
					      "A:_-.path" };
	static const char *const bad[] = {
		"a", ".service", "a.svc", "q1.service,q2.service", "\"q1.service\"", "a b.service", "a.",
		"", "@a.service",
		"a/b.service",
	};
	char name[UNIT_NAME_MAX + 2];
	for (size_t i = 0; i < countof(good); i++)
		assert_true(unitname_is_valid(str_from(good[i])));
	for (size_t i = 0; i < countof(bad); i++)
		assert_false(unitname_is_valid(str_from(bad[i])));
	memset(name, 'a', sizeof name);
	memcpy(name + UNIT_NAME_MAX - 8, ".service.service", 8);
	assert_true(unitname_is_valid(str_of(name, UNIT_NAME_MAX)));
	memcpy(name + UNIT_NAME_MAX - 7, ".service", 8);
	assert_false(unitname_is_valid(str_of(name, UNIT_NAME_MAX + 1)));
}

static void names_come_apart(void **state)
{
	(void)state;
	struct unitname n = unitname_parts(STR("foo@a-b\\x20c.service"));
	assert_true(str_eq(n.stem, STR("foo@a-b\\x20c")) && str_eq(n.prefix, STR("foo")));
	assert_true(str_eq(n.instance, STR("a-b\\x20c")) && str_eq(n.suffix, STR(".service")) && n.has_at);
	n = unitname_parts(STR("a.b.target"));
	assert_true(str_eq(n.prefix, STR("a.b")) && n.instance.n == 0 && !n.has_at);
	n = unitname_parts(STR("x@y@z.service"));
	assert_true(str_eq(n.prefix, STR("x")) && str_eq(n.instance, STR("y@z")));
	assert_true(unitname_is_template(STR("t@.service")) && !unitname_is_template(STR("t@1.service")));
	assert_true(unitname_is_instance(STR("t@1.service")) && !unitname_is_instance(STR("t@.service")));
	assert_true(!unitname_is_template(STR("t.service")) && !unitname_is_instance(STR("t.service")));
	assert_int_equal(unitname_type(STR("t@.socket")), UNIT_SOCKET);
	assert_int_equal(unitname_type(STR("README")), -1);
}

/* 202: of a table of what systemd-escape of systemd 252 was seen to do. */
static void a_name_tells_the_text_that_was_made_fit_for_it(void **state)
{
	(void)state;
	static const struct { const char *name, *text; } rows[] = {
		{ "foo\\x20bar", "foo bar" }, { "-a-b\\x2dc", "/a/b-c" }, { "\\x2ehid", ".hid" }, { "a\\x40b", "a@b" }, { "-", "/" },
		{ "-a-.b", "/a/.b" }, { "\\xc3\\xb6", "\xc3\xb6" },
	};
	for (size_t i = 0; i < countof(rows); i++) {
		char room[64];
		struct buf b = BUF(room);
		unitname_unescape(str_from(rows[i].name), &b);
		assert_string_equal(buf_cstr(&b), rows[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(units_have_a_type_in_their_name),
		cmocka_unit_test(names_come_apart),
		cmocka_unit_test(a_name_tells_the_text_that_was_made_fit_for_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
