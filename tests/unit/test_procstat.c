#include "lib/procstat.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* Fields 4 to 21, 23 to 51. */
#define LINE(flags) " 1 93 90 0 -1 " flags " 25 0 0 0 0 0 0 0 20 0 1 0 "
#define BEFORE LINE("4194560")
#define KILLED LINE("4228100")
#define BEHIND " 1052672 1 18446744073709551615 1 1 0 0 0 0 0 0 0 0 0 0 17 1 0 0 0 0 0 1 1 1 1 1 1 1"

static void a_line_is_read_whatever_the_name(void **state)
{
	(void)state;
	static const struct { const char *text; struct procstat is; } rows[] = {
		{ "93 (pause) S" BEFORE "512" BEHIND " 0\n", { "pause", 'S', 90, 512, false } },
		{ "93 (pause) Z" KILLED "512" BEHIND " 9\n", { "pause", 'Z', 90, 512, true } },
		{ "93 (pause) Z" BEFORE "512" BEHIND " 9\n", { "pause", 'Z', 90, 512, false } },     /* its first thread had left */
		{ "93 (a) S 1 (b) R" BEFORE "7" BEHIND " 0\n", { "a) S 1 (b", 'R', 90, 7, false } },
		{ "93 (\n) \n) S" BEFORE "7" BEHIND " 0\n", { "\n) \n", 'S', 90, 7, false } },
		{ "93 () S" BEFORE "7" BEHIND " 0\n", { "", 'S', 90, 7, false } },
		{ "93 (abcdefghijklmno) S" BEFORE "7" BEHIND " 0\n", { "abcdefghijklmno", 'S', 90, 7, false } },
		{ "93 (abcdefghijklmnopq) S" BEFORE "7" BEHIND " 0\n", { "abcdefghijklmno", 'S', 90, 7, false } },
		/* Reaped under our hands. */
		{ "93 (pause) X 0 -1 -1 0 -1 4194560 25 0 0 0 0 0 0 0 20 0 1 0 512 1", { "pause", 'X', 0, 512, false } },
		/* Before Linux 3.5. */
		{ "93 (pause) Z" BEFORE "512" BEHIND "\n", { "pause", 'Z', 90, 512, false } },
	};
	for (size_t i = 0; i < countof(rows); i++) {
		struct procstat s;
		const struct procstat *is = &rows[i].is;
		if (!procstat_read(str_from(rows[i].text), &s) || strcmp(s.comm, is->comm) || s.state != is->state ||
		    s.session != is->session || s.started_at != is->started_at || s.is_signalled != is->is_signalled)
			fail_msg("%s: %s %c %d %d %d", rows[i].text, s.comm, s.state, (int)s.session, (int)s.started_at, s.is_signalled);
	}
}

static void a_line_that_is_cut_short_is_not_believed(void **state)
{
	(void)state;
	static const char *const rows[] = {
		"", "\n", "93", "93 (pause", "93 (pause) ", "93 (pause) S 1 93", "93 (pause" BEFORE "512", "93 (pause) S" BEFORE,
		"93 (pause) S" BEFORE "-5 1", "93 (pause) S" BEFORE "x",
	};
	struct procstat s;
	for (size_t i = 0; i < countof(rows); i++)
		if (procstat_read(str_from(rows[i]), &s))
			fail_msg("believed: %s", rows[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_is_read_whatever_the_name),
		cmocka_unit_test(a_line_that_is_cut_short_is_not_believed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
