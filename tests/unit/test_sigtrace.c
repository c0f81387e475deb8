#include "lib/sigtrace.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* ---- the tracepoint's format ---- */

#define COMMON "\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n" \
	"\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;\n" \
	"\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n"
#define SIG "\tfield:int sig;\toffset:8;\tsize:4;\tsigned:1;\n"
#define CODE "\tfield:int errno;\toffset:12;\tsize:4;\tsigned:1;\n\tfield:int code;\toffset:16;\tsize:4;\tsigned:1;\n"
#define PID "\tfield:char comm[16];\toffset:20;\tsize:16;\tsigned:1;\n\tfield:pid_t pid;\toffset:36;\tsize:4;\tsigned:1;\n"
#define RESULT "\tfield:int group;\toffset:40;\tsize:4;\tsigned:1;\n\tfield:int result;\toffset:44;\tsize:4;\tsigned:1;\n\n"
#define PRINT "print fmt: \"sig=%d errno=%d code=%d comm=%s pid=%d grp=%d res=%d\", REC->sig, REC->errno\n"

/* As Linux 5.10 to 7.2 write it. */
static void the_kernels_own_text_is_read(void **state)
{
	(void)state;
	struct sigtrace_format f;
	assert_true(sigtrace_format(STR("name: signal_generate\nID: 183\nformat:\n" COMMON SIG CODE PID RESULT PRINT), &f));
	assert_int_equal(f.id, 183);
	assert_int_equal(f.signal, 8);
	assert_int_equal(f.code, 16);
	assert_int_equal(f.pid, 36);
	assert_int_equal(f.result, 44);
}

static void a_format_that_is_not_understood_is_not_used(void **state)
{
	(void)state;
	static const char *const rows[] = {
		"", "\n", "ID: 183", "field:", "field:int sig", ";;;;",
		"format:\n" COMMON SIG CODE PID RESULT,
		"ID: 0\nformat:\n" COMMON SIG CODE PID RESULT,
		"ID: -1\nformat:\n" COMMON SIG CODE PID RESULT,
		"ID: 4294967296\nformat:\n" COMMON SIG CODE PID RESULT,
		"ID: 183\nformat:\n" COMMON CODE PID RESULT,
		"ID: 183\nformat:\n" COMMON SIG PID RESULT,
		"ID: 183\nformat:\n" COMMON SIG CODE RESULT,
		"ID: 183\nformat:\n" COMMON SIG CODE PID,
		"ID: 183\nformat:\n" COMMON "\tfield:long sig;\toffset:8;\tsize:8;\tsigned:1;\n" CODE PID RESULT,
		"ID: 183\nformat:\n" COMMON "\tfield:int sig;\toffset:-8;\tsize:4;\tsigned:1;\n" CODE PID RESULT,
		"ID: 183\nformat:\n" COMMON "\tfield:int sig;\toffset:65544;\tsize:4;\tsigned:1;\n" CODE PID RESULT,
		"ID: 183\nformat:\n" COMMON "\tfield:int sig;\tsize:4;\n" CODE PID RESULT,
		"ID: 183\nformat:\n" COMMON "\tfield:int signal;\toffset:8;\tsize:4;\tsigned:1;\n" CODE PID RESULT,
	};
	struct sigtrace_format f;
	for (size_t i = 0; i < countof(rows); i++)
		if (sigtrace_format(str_from(rows[i]), &f))
			fail_msg("taken: %s", rows[i]);
}

/* ---- whose signal it was ---- */

#define AT(ticks) ((ticks) * 10000000ull)

static void a_signal_is_laid_at_the_door_of_its_sender_alone(void **state)
{
	(void)state;
	static const struct { const char *name; struct sigtrace_sent sent; uint64_t started_at; uint32_t pid; } rows[] = {
		{ "kill(2)", { AT(900), 812, 0, SI_USER, "bash", 0, 0 }, 512, 812 },
		{ "a user's own", { AT(900), 812, 1000, SI_USER, "bash", 0, 0 }, 512, 812 },
		{ "sigqueue(3)", { AT(900), 812, 0, SI_QUEUE, "bash", 0, 0 }, 512, 812 },
		{ "tgkill(2)", { AT(900), 812, 0, SI_TKILL, "bash", 0, 0 }, 512, 812 },
		{ "in the tick of its start", { AT(512) + 9999999, 812, 0, SI_USER, "bash", 0, 0 }, 512, 812 },
		{ "older than the process", { AT(512) - 1, 812, 0, SI_USER, "bash", 0, 0 }, 512, 0 },
		{ "the kernel's, in the name of whoever ran", { AT(900), 812, 0, SI_KERNEL, "bash", 0, 0 }, 512, 0 },
		{ "oomph's", { AT(900), 1, 0, SI_USER, "oomph", 0, 0 }, 512, 0 },
		{ "no process at all", { AT(900), 0, 0, SI_USER, "swapper/0", 0, 0 }, 512, 0 },
	};
	for (size_t i = 0; i < countof(rows); i++) {
		struct sender s = { .pid = 99 };
		bool is_known = sigtrace_sender(&rows[i].sent, rows[i].started_at, 1, &s);
		if (is_known != (rows[i].pid != 0) || s.pid != rows[i].pid)
			fail_msg("%s: %d, %u", rows[i].name, is_known, s.pid);
		if (is_known && (s.uid != rows[i].sent.uid || strcmp(s.comm, rows[i].sent.comm)))
			fail_msg("%s: %s, uid %u", rows[i].name, s.comm, s.uid);
	}
}

/* The kernel ends a name with a NUL (TASK_COMM_LEN); should it not, we do. */
static void a_name_of_any_bytes_is_kept(void **state)
{
	(void)state;
	struct sigtrace_sent sent = { .at_ns = AT(2), .pid = 7, .code = SI_USER };
	struct sender s;
	memcpy(sent.comm, "a) pid=1\n\033[2J\xff x", sizeof sent.comm);
	assert_true(sigtrace_sender(&sent, 1, 1, &s));
	assert_memory_equal(s.comm, "a) pid=1\n\033[2J\xff ", sizeof s.comm);
}

static void only_the_first_end_of_a_number_is_the_signals(void **state)
{
	(void)state;
	struct sigtrace_sent sent = { .pid = 7, .code = SI_KERNEL };
	assert_false(sigtrace_has_ended(&sent));
	sent.process = 93;
	assert_true(sigtrace_has_ended(&sent));
	sent.process = SIGTRACE_REUSED;
	assert_false(sigtrace_has_ended(&sent));
}

static void an_events_number_is_read(void **state)
{
	(void)state;
	static const struct { const char *text; uint32_t id; } rows[] = {
		{ "311\n", 311 }, { "4294967295", UINT32_MAX }, { "4294967296", 0 }, { "", 0 }, { "-1\n", 0 }, { "0\n", 0 }, { "x", 0 },
	};
	for (size_t i = 0; i < countof(rows); i++)
		assert_int_equal(sigtrace_id(str_from(rows[i].text)), rows[i].id);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_kernels_own_text_is_read),
		cmocka_unit_test(a_format_that_is_not_understood_is_not_used),
		cmocka_unit_test(a_signal_is_laid_at_the_door_of_its_sender_alone),
		cmocka_unit_test(a_name_of_any_bytes_is_kept),
		cmocka_unit_test(only_the_first_end_of_a_number_is_the_signals),
		cmocka_unit_test(an_events_number_is_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
