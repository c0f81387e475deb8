#include "lib/condition.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct condition condition_from(const char *line)
{
	struct condition c;
	if (!condition_parse(str_from(line), &c))
		fail_msg("no condition: %s", line);
	return c;
}

static void a_line_is_a_kind_signs_and_an_argument(void **state)
{
	(void)state;
	static const struct { const char *line; uint8_t kind; bool is_assert, is_trigger, is_negated; const char *argument; } rows[] = {
		{ "ConditionPathExists=/etc/x", CONDITION_PATH_EXISTS, false, false, false, "/etc/x" },
		{ "ConditionPathExists=|!/etc/x", CONDITION_PATH_EXISTS, false, true, true, "/etc/x" },
		{ "AssertFileNotEmpty=!/a=b", CONDITION_FILE_NOT_EMPTY, true, false, true, "/a=b" },
		{ "ConditionVirtualization=| ! vm", CONDITION_VIRTUALIZATION, false, true, true, "vm" },
		{ "ConditionKernelModuleLoaded=!|x", CONDITION_KERNEL_MODULE_LOADED, false, false, true, "|x" },
	};
	struct condition c;
	for (size_t i = 0; i < countof(rows); i++) {
		c = condition_from(rows[i].line);
		assert_int_equal(c.kind, rows[i].kind);
		assert_int_equal(c.is_assert, rows[i].is_assert);
		assert_int_equal(c.is_trigger, rows[i].is_trigger);
		assert_int_equal(c.is_negated, rows[i].is_negated);
		assert_true(str_eq(c.argument, str_from(rows[i].argument)));
	}
	assert_false(condition_parse(STR("ConditionNonsense=x"), &c));
	assert_false(condition_parse(STR("PathExists=/x"), &c));
	assert_false(condition_parse(STR(""), &c));
}

static void every_kind_has_a_name_that_is_read_back(void **state)
{
	(void)state;
	for (uint8_t kind = 0; kind < N_CONDITION_KIND; kind++) {
		char line[64];
		struct buf b = BUF(line);
		buf_lit(&b, "Condition");
		buf_str(&b, condition_info[kind].key);
		buf_lit(&b, "=1");
		assert_int_equal(condition_from(buf_cstr(&b)).kind, kind);
	}
}

/* Letters: plain conditions p, triggers t; capitals are met. What is told is the number of the first that is to blame. */
static void all_plain_ones_and_one_trigger_have_to_be_met(void **state)
{
	(void)state;
	static const struct { const char *list; uint32_t unmet; } rows[] = {
		{ "", 0 }, { "P", 0 }, { "p", 1 }, { "PPp", 3 }, { "pPp", 1 }, { "T", 0 }, { "t", 1 }, { "tT", 0 }, { "Tt", 0 },
		{ "tt", 1 }, { "Pt", 2 }, { "PtT", 0 }, { "pT", 1 }, { "Tp", 2 }, { "tp", 2 }, { "PttPT", 0 }, { "PttP", 2 },
	};
	for (size_t i = 0; i < countof(rows); i++) {
		struct condition_tally tally = { 0 };
		for (uint32_t n = 0; rows[i].list[n]; n++) {
			struct condition c = { .is_trigger = (rows[i].list[n] | 0x20) == 't' };
			condition_count(&tally, &c, n + 1, rows[i].list[n] < 'a');
		}
		if (condition_unmet(&tally) != rows[i].unmet)
			fail_msg("%s: %u instead of %u", rows[i].list, condition_unmet(&tally), rows[i].unmet);
	}
}

static void the_line_to_blame_is_found_again(void **state)
{
	(void)state;
	static const char words[] = "/lib/oomph-check\0ConditionPathExists=/a\0ConditionPathExists=/b\0AssertPathExists=/c";
	static const struct { uint32_t status; const char *line; } rows[] = {
		{ 1, "ConditionPathExists=/a" }, { 2, "ConditionPathExists=/b" }, { 3, "" }, { 0, "" }, { 100, "" },
		{ 101, "AssertPathExists=/c" }, { 102, "" }, { 255, "" },
	};
	for (size_t i = 0; i < countof(rows); i++) {
		struct str line = condition_line(str_of(words, sizeof words), rows[i].status);
		if (!str_eq(line, str_from(rows[i].line)))
			fail_msg("%u: %.*s", rows[i].status, (int)line.n, line.p);
	}
}

/* In the order of UAPI's version format: each is below the next. */
static void versions_have_an_order(void **state)
{
	(void)state;
	static const char *const order[] = {
		"~1", "", "ab", "abb", "abc", "0001~1", "001", "1-arch", "1.0~rc1", "1.0", "1.0-1", "1.0^patch", "1.0.1", "2", "5.15.0-9",
		"5.15.0-10", "6.1.0-18-amd64", "6.1.1", "6.10", "10",
	};
	static const char *const equal[][2] = { { "1", "01" }, { "1_", "1" }, { "123.a-1", "123.a-1" }, { "0", "00" }, { "", "" } };
	for (size_t a = 0; a < countof(order); a++)
		for (size_t b = 0; b < countof(order); b++) {
			int expected = (a > b) - (a < b), got = version_compare(str_from(order[a]), str_from(order[b]));
			if (got != expected)
				fail_msg("%s against %s: %d", order[a], order[b], got);
		}
	for (size_t i = 0; i < countof(equal); i++)
		assert_int_equal(version_compare(str_from(equal[i][0]), str_from(equal[i][1])), 0);
}

static void operators_compare(void **state)
{
	(void)state;
	/* What holds of an order of -1, 0, 1. */
	static const struct { const char *text; enum comparison how; const char *rest, *holds; } rows[] = {
		{ "< 4", COMPARE_LESS, "4", "y.." }, { "<=4", COMPARE_AT_MOST, "4", "yy." }, { "=4", COMPARE_EQUAL, "4", ".y." },
		{ "==4", COMPARE_EQUAL, "4", ".y." }, { "!=4", COMPARE_NOT, "4", "y.y" }, { "<>4", COMPARE_NOT, "4", "y.y" },
		{ ">=4", COMPARE_AT_LEAST, "4", ".yy" }, { ">  4", COMPARE_MORE, "4", "..y" }, { "4", COMPARE_NONE, "4", ".y." },
	};
	for (size_t i = 0; i < countof(rows); i++) {
		struct str text = str_from(rows[i].text);
		assert_int_equal(condition_operator(&text), rows[i].how);
		assert_true(str_eq(text, str_from(rows[i].rest)));
		for (int order = -1; order <= 1; order++)
			assert_int_equal(condition_holds(rows[i].how, order), rows[i].holds[order + 1] == 'y');
	}
}

static void a_word_of_the_command_line_is_itself_or_has_a_value(void **state)
{
	(void)state;
	static const char line[] = "BOOT_IMAGE=/vmlinuz quiet audit=off rd.modules=x\n";
	static const struct { const char *word; bool is_there; } rows[] = {
		{ "quiet", true }, { "audit", true }, { "audit=off", true }, { "audit=0", false }, { "qui", false }, { "aud", false },
		{ "quiet=", false }, { "rd.modules", true }, { "nocluster", false }, { "/vmlinuz", false },
	};
	for (size_t i = 0; i < countof(rows); i++)
		if (condition_is_in_command_line(str_from(line), str_from(rows[i].word)) != rows[i].is_there)
			fail_msg("%s", rows[i].word);
}

static void os_release_is_compared_word_by_word(void **state)
{
	(void)state;
	static const char text[] = "PRETTY_NAME=\"Debian GNU/Linux 12\"\nID=debian\nVERSION_ID=\"12\"\nX=\n";
	static const struct { const char *argument; bool holds; } rows[] = {
		{ "ID=debian", true }, { "ID=ubuntu", false }, { "ID!=ubuntu", true }, { "VERSION_ID>=12", true },
		{ "VERSION_ID>12", false }, { "VERSION_ID>9", true }, { "VERSION_ID==12", true }, { "VERSION_ID<>12", false },
		{ "ID=debian VERSION_ID<13", true }, { "ID=debian VERSION_ID<12", false }, { "NOT_THERE=", true },
		{ "NOT_THERE=x", false }, { "ID", false }, { "=x", false },
	};
	for (size_t i = 0; i < countof(rows); i++)
		if (condition_is_os(str_from(text), str_from(rows[i].argument)) != rows[i].holds)
			fail_msg("%s", rows[i].argument);
}

static void braces_have_readings(void **state)
{
	(void)state;
	static const struct { const char *pattern, *readings; } rows[] = {
		{ "/etc/x", "/etc/x" },
		{ "/var/main.{c[vl]d,inc}", "/var/main.c[vl]d /var/main.inc" },
		{ "{a,b}-{1,2}", "a-1 b-1 a-2 b-2" },
		{ "{a,{b,c}}d", "ad bd cd" },
		{ "/x.{a}", "/x.{a}" }, { "/x{a,b", "/x{a,b" }, { "/x{,y}", "/x /xy" },
	};
	for (size_t i = 0; i < countof(rows); i++) {
		char all[256] = "", one[64];
		for (uint32_t n = 0; n < BRACE_READINGS; n++) {
			struct buf b = BUF(one);
			if (!condition_brace(str_from(rows[i].pattern), n, &b))
				continue;
			strcat(strcat(all, *all ? " " : ""), buf_cstr(&b));
		}
		assert_string_equal(all, rows[i].readings);
	}
}

static void a_container_hides_the_machine_it_is_on(void **state)
{
	(void)state;
	const struct virtualization none = { .vm = STR("") }, vm = { .vm = STR("kvm") },
		container = { .vm = STR("kvm"), .container = STR("docker"), .has_private_users = true };
	/* On iron, in a machine, in a container of that machine. */
	static const struct { const char *argument, *holds; } rows[] = {
		{ "yes", ".yy" }, { "no", "y.." }, { "vm", ".y." }, { "container", "..y" }, { "kvm", ".y." }, { "docker", "..y" },
		{ "lxc", "..." }, { "private-users", "..y" }, { "vmware", "..." }, { "1", ".yy" },
	};
	for (size_t i = 0; i < countof(rows); i++) {
		struct str argument = str_from(rows[i].argument);
		bool got[] = { condition_is_virtualization(&none, argument), condition_is_virtualization(&vm, argument),
			       condition_is_virtualization(&container, argument) };
		for (int n = 0; n < 3; n++)
			if (got[n] != (rows[i].holds[n] == 'y'))
				fail_msg("%s, place %d", rows[i].argument, n);
	}
}

static void capabilities_have_numbers(void **state)
{
	(void)state;
	assert_int_equal(condition_capability(STR("CAP_CHOWN")), 0);
	assert_int_equal(condition_capability(STR("CAP_SYS_ADMIN")), 21);
	assert_int_equal(condition_capability(STR("cap_sys_time")), 25);
	assert_int_equal(condition_capability(STR("CAP_CHECKPOINT_RESTORE")), 40);
	assert_int_equal(condition_capability(STR("SYS_ADMIN")), -1);
	assert_int_equal(condition_capability(STR("CAP_")), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_is_a_kind_signs_and_an_argument),
		cmocka_unit_test(every_kind_has_a_name_that_is_read_back),
		cmocka_unit_test(all_plain_ones_and_one_trigger_have_to_be_met),
		cmocka_unit_test(the_line_to_blame_is_found_again),
		cmocka_unit_test(versions_have_an_order),
		cmocka_unit_test(operators_compare),
		cmocka_unit_test(a_word_of_the_command_line_is_itself_or_has_a_value),
		cmocka_unit_test(os_release_is_compared_word_by_word),
		cmocka_unit_test(braces_have_readings),
		cmocka_unit_test(a_container_hides_the_machine_it_is_on),
		cmocka_unit_test(capabilities_have_numbers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
