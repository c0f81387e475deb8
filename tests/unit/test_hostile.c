/* Files made to cost much: each costs its own unit, and oomph-load a bounded time and memory, which the kernel watches here. */
#include "world.h"

#define MEBIBYTE (1u << 20)

static char *text;              /* what a file is to hold: UNIT_FILE_MAX bytes at most */

static int begin(void **state)
{
	int r = set_up(state);
	struct world *w = *state;
	w->most_memory = 256u << 20;
	w->most_seconds = 10;
	text = calloc(1, UNIT_FILE_MAX + 1);
	return r;
}

static int end(void **state)
{
	free(text);
	return tear_down(state);
}

/* `head`, then `piece` again and again (with a number in the place of a %u) until the file is as large as it may be. */
static void fill(const char *head, const char *piece)
{
	size_t n = strlen(strcpy(text, head));
	for (unsigned i = 0; n + strlen(piece) + 8 < UNIT_FILE_MAX; i++)
		n += (size_t)sprintf(text + n, piece, i);
}

static void then_the_others_live(struct world *w)
{
	given(w, "good.service", RUN);
	when_loaded(w);
	assert_false(unit_of(w, "good")->flags & UNIT_BROKEN);
	size_t n_lines = 0;
	for (const char *p = w->said; (p = strchr(p, '\n')); p++)
		n_lines++;
	assert_true(n_lines < 300);
}

static void a_megabyte_of_anything_costs_its_unit_only(void **state)
{
	struct world *w = *state;
	static const struct {
		const char *head, *piece, *said;        /* said: "" when the unit is good */
	} rows[] = {
		{ "[Service]\nExecStart=/bin/x", " a", "no program can have so many arguments" },
		{ "[Service]\nExecStart=/bin/x '", "a ", "a quote is never closed" },
		{ "[Service]\nType=oneshot\nExecStart=/x", " ; /x", "there are too many commands before this one" },
		{ "[Service]\nType=oneshot\n", "ExecStart=/x\n", "there are too many commands before this one" },
		{ "[Service]\nExecStart=/bin/x \\", "\n\\", "" },
		{ "[Service]\nExecStart=/bin/x ", "\\\\\\\\", "" },
		{ RUN "Environment=", "A%u=1 ", "Environment=: more than 2048 of them" },
		{ RUN "Environment=", "A=1 ", "" },
		{ RUN, "Environment=A%u=1\n", "Environment=: more than 2048 of them" },
		{ RUN "PassEnvironment=", "A%u ", "PassEnvironment=: more than 2048 of them" },
		{ RUN "SupplementaryGroups=", "g%u ", "SupplementaryGroups=: more than 2048 of them" },
		{ RUN "StateDirectory=", "a%u ", "StateDirectory=: more than 2048 of them" },
		{ RUN, "StateDirectory=a%u\n", "StateDirectory=: more than 2048 of them" },
		{ RUN, "SetCredential=a%u:1\n", "SetCredential=: more than 2048 of them" },
		{ RUN, "StandardInputText=a\n", "" },
		{ RUN "StandardInputData=", "AAAA", "" },
		{ RUN "ExecSearchPath=/a", ":/a", "" },
		{ RUN "CPUAffinity=", "0-1023,", "" },
		{ RUN, "EnvironmentFile=/x%u\n", "" },
		{ RUN, "EnvironmentFile=/*/*/*/*/*/*/*/*/*\n", "" },
		{ RUN, "A=\n", "there is more that is wrong: no more is told" },
		{ RUN, "Restrat%u=no\n", "there is more that is wrong: no more is told" },
		{ RUN, "Restart=maybe\n", "there is more that is wrong: no more is told" },
		{ RUN, "PrivateTmp=yes\n", "not enforced: " },
		{ RUN, "Slice=x.slice\n", "not yet, no effect: " },
		{ RUN, "a\n", "there is more that is wrong: no more is told" },
		{ RUN, "[X]\n", "there is more that is wrong: no more is told" },
		{ RUN "SuccessExitStatus=", "x ", "there is more that is wrong: no more is told" },
		{ RUN "[Unit]\nWants=", "w%u.service ", "" },
		{ RUN "[Unit]\nRequires=", "w@%u.service ", "there is more that is wrong: no more is told" },
		{ RUN "[Unit]\nAfter=", "good.service ", "" },
		{ RUN "[Unit]\nDescription=", "x", "" },
		{ RUN "User=", "x", "there is no such user" },
		{ RUN "WorkingDirectory=/", "x/", "" },
		{ RUN "TimeoutStopSec=", "1s ", "" },
		{ RUN "MemoryMax=", "1", "expected a size" },
		{ RUN, "LimitNOFILE=%u\n", "" },
		{ RUN "[Install]\nAlias=", "w%u.service ", "" },
		{ "\xff", "x", "this is not UTF-8 text" },
		{ "[", "x", "a [section] has to end" },
	};
	for (size_t i = 0; i < countof(rows); i++) {
		fill(rows[i].head, rows[i].piece);
		given(w, "bad.service", text);
		then_the_others_live(w);
		if (rows[i].said[0])
			then_said(w, rows[i].said);
	}
}

static void a_line_of_nothing_but_zeroes_is_no_text(void **state)
{
	struct world *w = *state;
	memset(text, 0, UNIT_FILE_MAX);
	given_bytes(w, "bad.service", str_of(text, UNIT_FILE_MAX));
	then_the_others_live(w);
	then_said(w, "this is not UTF-8 text");
}

static void specifiers_swell_only_so_far(void **state)
{
	struct world *w = *state;
	char name[UNIT_NAME_MAX + 1];
	memset(name, 'x', sizeof name);
	memcpy(name + UNIT_NAME_MAX - 8, ".service", 9);
	static const char *const pieces[] = { "%%n", "%%n\nDescription=", "%%n%%n%%n%%n%%n%%n%%n%%n\nDescription=" };
	for (size_t i = 0; i < countof(pieces); i++) {
		fill(RUN "[Unit]\nDescription=", pieces[i]);
		given(w, name, text);
		then_the_others_live(w);
		then_said(w, "its specifiers become more than 1048576 bytes: the unit is left out");
	}
	fill("[Service]\nExecStart=/x ", "%%n ");
	given(w, name, text);
	then_the_others_live(w);
}

static void a_template_that_wants_more_of_itself_ends(void **state)
{
	struct world *w = *state;
	given(w, "t@.service", "[Unit]\nWants=t@%i0.service t@%i1.service\n" RUN);
	given(w, "a.service", "[Unit]\nWants=t@.service\n" RUN);
	then_the_others_live(w);
	then_said(w, "t@.service: units pull in too many instances of it");
	assert_in_range(unitset_count(w->set), 1000, 1100);

	fill("[Unit]\nWants=t@%i0.service t@%i1.service\n" RUN "#", "x");
	given(w, "t@.service", text);
	then_the_others_live(w);
	assert_in_range(unitset_count(w->set), 5, 100);
}

static void drop_ins_are_bounded_in_number_and_size(void **state)
{
	struct world *w = *state;
	char name[64];
	given(w, "a.service", RUN);
	assert_int_equal(mkdir(path_of(w, "a.service.d"), 0755), 0);
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(name, sizeof name, "a.service.d/%04u.conf", i);
		given(w, name, "[Service]\nNice=1\n");
	}
	then_the_others_live(w);
	then_noted(w, "a", "has more than 256 drop-ins");
	assert_int_equal(unit_of(w, "a")->nice, 1);

	fill("[Service]\nNice=2\n#", "x");
	given(w, "a.service.d/0000.conf", text);
	given(w, "a.service.d/0001.conf", text);
	then_the_others_live(w);
	assert_int_equal(unit_of(w, "a")->nice, 1);
	then_said(w, "with it the unit has more than 1048576 bytes: the drop-in is ignored");
}

static void a_name_of_dashes_has_many_prefixes(void **state)
{
	struct world *w = *state;
	char name[UNIT_NAME_MAX + 1];
	for (size_t i = 0; i < 240; i++)
		name[i] = i == 220 ? '@' : i % 2 ? '-' : 'a';
	strcpy(name + 240, ".service");
	given(w, name, RUN);
	assert_int_equal(mkdir(path_of(w, "a-.service.d"), 0755), 0);
	assert_int_equal(mkdir(path_of(w, "a-@.service.d"), 0755), 0);
	given(w, "a-@.service.d/x.conf", "[Service]\nNice=3\n");
	given(w, "a-.service.d/y.conf", "[Service]\nNice=4\n");
	then_the_others_live(w);
	assert_int_equal(unit_of(w, name)->nice, 3);
}

static void links_that_loop_end(void **state)
{
	struct world *w = *state;
	char name[32], target[32];
	for (unsigned i = 0; i < 500; i++) {            /* one circle of them */
		snprintf(name, sizeof name, "l%u.service", i);
		snprintf(target, sizeof target, "l%u.service", (i + 1) % 500);
		assert_int_equal(symlink(target, path_of(w, name)), 0);
	}
	given(w, "a.service", "[Unit]\nWants=l1.service\n" RUN);
	assert_int_equal(symlink("a.service.d", path_of(w, "a.service.d")), 0);
	assert_int_equal(symlink(".", path_of(w, "a.service.wants")), 0);
	assert_int_equal(symlink(".", path_of(w, "service.d")), 0);
	given(w, "good.service", RUN);
	when_loaded(w);
	assert_false(unit_of(w, "good")->flags & UNIT_BROKEN);
	then_noted(w, "l7", "l7.service: cannot be read");
	assert_false(unit_of(w, "a")->flags & UNIT_BROKEN);
	assert_string_equal(names_of(w, unit_of(w, "a"), EDGE_WANTS), "good");
}

static void a_load_that_needs_too_much_memory_fails_alone(void **state)
{
	struct world *w = *state;
	char number[16];
	given(w, "a.service", RUN);
	w->most_memory = 3u << 20;
	int fd = memfd_create("units", MFD_ALLOW_SEALING);
	snprintf(number, sizeof number, "%d", fd);
	fill("[Unit]\nDescription=", "x");
	given(w, "a.service", text);
	assert_int_equal(run(w, (char *[]){ "oomph-load", "--fd", number, "--path", "", w->folder, NULL }), 1);
	then_said(w, "oomph-load: out of memory: the units stay as they were\n");
	close(fd);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(a_megabyte_of_anything_costs_its_unit_only),
		TEST(a_line_of_nothing_but_zeroes_is_no_text),
		TEST(specifiers_swell_only_so_far),
		TEST(a_template_that_wants_more_of_itself_ends),
		TEST(drop_ins_are_bounded_in_number_and_size),
		TEST(a_name_of_dashes_has_many_prefixes),
		TEST(links_that_loop_end),
		TEST(a_load_that_needs_too_much_memory_fails_alone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
