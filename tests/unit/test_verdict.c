#include "lib/verdict.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct oom_kill record = { .seq = 9, .pid = 42, .tgid = 42 };

#define EXITED(n) .code = CLD_EXITED, .status = (n)
#define KILLED(n) .code = CLD_KILLED, .status = (n)
#define DUMPED(n) .code = CLD_DUMPED, .status = (n)
#define COUNT(n) .has_counter = true, .n_kills = (n)
#define LOG .has_kmsg = true
#define SHARED(word) .shared = SHARED_ ## word
#define TOLD .has_kmsg = true, .record = &record
#define WE_SENT(why, signal) .errand = (why), .sent_signal = (signal)
#define WE_KILLED(why) .errand = (why), .sent_signal = SIGKILL, .was_sigkilled = true

/* Numbers in the names: the cases of an out-of-memory kill that the log's and the counters' habits give rise to. */
static const struct {
	const char *name;
	struct death_facts facts;
	const char *verdict;
} rows[] = {
	/* By SIGKILL, not ours. */
	{ "count and record", { KILLED(SIGKILL), COUNT(1), TOLD }, "oom-kill kmsg memory.events" },
	{ "count, no record, log lost", { KILLED(SIGKILL), COUNT(1) }, "oom-kill memory.events" },
	{ "count, no record, log there", { KILLED(SIGKILL), COUNT(1), LOG }, "oom-kill memory.events" },
	{ "its first thread was killed, and the log names another", { KILLED(SIGKILL), COUNT(1), LOG, .is_first_killed = true },
	  "signal open" },
	{ "the same, with parts of the log lost", { KILLED(SIGKILL), COUNT(1), .is_first_killed = true }, "oom-kill memory.events" },
	{ "count explained by another victim's line", { KILLED(SIGKILL), COUNT(1), .n_explained = 1, LOG }, "signal" },
	{ "count beyond what the lines explain", { KILLED(SIGKILL), COUNT(2), .n_explained = 1, LOG }, "oom-kill memory.events" },
	{ "count 0, a record", { KILLED(SIGKILL), COUNT(0), TOLD }, "oom-kill kmsg" },
	{ "no count, a record", { KILLED(SIGKILL), TOLD }, "oom-kill kmsg" },
	{ "count 0, no record", { KILLED(SIGKILL), COUNT(0), LOG }, "signal" },
	{ "no witness at all", { KILLED(SIGKILL) }, "signal no-witness" },
	{ "no count, the log may still speak", { KILLED(SIGKILL), LOG }, "signal open" },
	{ "a stale count that was not readable now", { KILLED(SIGKILL), .n_kills = 1, LOG }, "signal open" },
	{ "record, and all of the count is others'", { KILLED(SIGKILL), COUNT(1), .n_explained = 1, TOLD }, "oom-kill kmsg memory.events" },

	/* A count that others share: only where there is neither log nor a count of its own. */
	{ "the shared count did not rise", { KILLED(SIGKILL), SHARED(NO_KILL) }, "signal" },
	{ "it rose", { KILLED(SIGKILL), SHARED(SOME_KILL) }, "signal held" },
	{ "it rose, for whomever", { KILLED(SIGKILL), SHARED(ANYBODYS_KILL) }, "signal anybodys" },
	{ "it rose, and its own did not", { KILLED(SIGKILL), COUNT(0), SHARED(SOME_KILL) }, "signal" },
	{ "it rose, and the log is there", { KILLED(SIGKILL), LOG, SHARED(SOME_KILL) }, "signal open" },
	{ "it rose, and the KILL was ours", { KILLED(SIGKILL), WE_KILLED(ERRAND_STOP), SHARED(SOME_KILL) }, "stop" },
	{ "it rose, and SIGTERM ended it", { KILLED(SIGTERM), SHARED(SOME_KILL) }, "signal" },

	/* By SIGKILL, and we had sent one. */
	{ "our KILL in a stop", { KILLED(SIGKILL), WE_KILLED(ERRAND_STOP), COUNT(0), LOG }, "stop" },
	{ "our KILL after a timeout", { KILLED(SIGKILL), WE_KILLED(ERRAND_TIMEOUT), COUNT(0), LOG }, "timeout" },
	{ "our KILL in a sweep", { KILLED(SIGKILL), WE_KILLED(ERRAND_SWEEP), COUNT(0), LOG }, "stop" },
	{ "our KILL, the count rose", { KILLED(SIGKILL), WE_KILLED(ERRAND_TIMEOUT), COUNT(1), LOG }, "timeout besides" },
	{ "our KILL, and a record", { KILLED(SIGKILL), WE_KILLED(ERRAND_STOP), COUNT(1), TOLD }, "stop besides" },
	{ "our KILL, and a record without a count", { KILLED(SIGKILL), WE_KILLED(ERRAND_STOP), TOLD }, "stop besides" },
	{ "swept up behind a group's kill, and named by it", { KILLED(SIGKILL), WE_KILLED(ERRAND_SWEEP), COUNT(2), .n_explained = 1, TOLD },
	  "oom-kill kmsg memory.events" },
	{ "swept up before the kernel was through with the group", { KILLED(SIGKILL), WE_KILLED(ERRAND_SWEEP), COUNT(2), .n_explained = 2,
	  LOG, .is_group_kill = true, .is_first_killed = true }, "oom-kill memory.events" },
	{ "the same, and neither count nor log are left to tell", { KILLED(SIGKILL), WE_KILLED(ERRAND_SWEEP), SHARED(SOME_KILL),
	  .is_group_kill = true }, "stop" },
	{ "swept with FinalKillSignal=SIGQUIT, the KILL was not ours", { KILLED(SIGKILL), WE_SENT(ERRAND_SWEEP, SIGQUIT), COUNT(0), LOG },
	  "signal" },
	{ "a group's kill that the count does not tell of", { KILLED(SIGKILL), WE_KILLED(ERRAND_SWEEP), COUNT(0), LOG,
	  .is_group_kill = true }, "stop" },
	{ "our KILL in a stop, behind a group's kill", { KILLED(SIGKILL), WE_KILLED(ERRAND_STOP), COUNT(1), LOG,
	  .is_group_kill = true }, "stop besides" },
	{ "TERM was ours, the KILL was not", { KILLED(SIGKILL), WE_SENT(ERRAND_STOP, SIGTERM), COUNT(0), LOG }, "signal" },
	{ "TERM was ours, the KILL was the kernel's", { KILLED(SIGKILL), WE_SENT(ERRAND_STOP, SIGTERM), COUNT(1), TOLD },
	  "oom-kill kmsg memory.events" },

	/* By anything else: what was seen besides explains nothing. */
	{ "exit 0", { EXITED(0), COUNT(0), LOG }, "exit" },
	{ "exit 137 proves nothing", { EXITED(137), COUNT(1), TOLD }, "exit" },
	{ "exit 9 is no SIGKILL", { EXITED(SIGKILL), COUNT(1), TOLD }, "exit" },
	{ "exit after a worker's OOM kill (3)", { EXITED(1), COUNT(1), .n_explained = 1, LOG }, "exit" },
	{ "SIGTERM with a record: the status stands (29)", { KILLED(SIGTERM), COUNT(1), TOLD }, "signal" },
	{ "a crash", { KILLED(SIGSEGV), COUNT(0), LOG }, "signal" },
	{ "a crash with a core", { DUMPED(SIGABRT), COUNT(0), LOG }, "core-dump" },
	{ "a crash with a core while an OOM kill was counted", { DUMPED(SIGSEGV), COUNT(1), LOG }, "core-dump" },
	{ "the exit we asked for", { EXITED(0), WE_SENT(ERRAND_STOP, SIGTERM) }, "stop" },
	{ "the TERM we sent", { KILLED(SIGTERM), WE_SENT(ERRAND_STOP, SIGTERM) }, "stop" },
	{ "the TERM after a timeout", { KILLED(SIGTERM), WE_SENT(ERRAND_TIMEOUT, SIGTERM) }, "timeout" },
	{ "a crash while stopping is a crash", { KILLED(SIGSEGV), WE_SENT(ERRAND_STOP, SIGTERM) }, "signal" },
	{ "a core while stopping is a core", { DUMPED(SIGSEGV), WE_SENT(ERRAND_STOP, SIGTERM) }, "core-dump" },
	{ "KillSignal=SIGQUIT dumps core in obedience", { DUMPED(SIGQUIT), WE_SENT(ERRAND_STOP, SIGQUIT) }, "stop" },
	{ "SIGQUIT from elsewhere", { DUMPED(SIGQUIT) }, "core-dump" },
	{ "SIGQUIT from elsewhere, as we sent one when it was told to reload", { DUMPED(SIGQUIT), .sent_signal = SIGQUIT }, "core-dump" },
	{ "an exit in a sweep is its own", { EXITED(1), WE_SENT(ERRAND_SWEEP, SIGKILL) }, "exit" },

	/* 1: chosen. 6: an operator, with an OOM elsewhere. 7: both at once, and there is a line. 14: ring overrun. */
	{ "case 1", { KILLED(SIGKILL), COUNT(1), TOLD }, "oom-kill kmsg memory.events" },
	{ "case 6", { KILLED(SIGKILL), COUNT(0), LOG }, "signal" },
	{ "case 7", { KILLED(SIGKILL), COUNT(1), TOLD }, "oom-kill kmsg memory.events" },
	{ "case 14", { KILLED(SIGKILL), COUNT(1) }, "oom-kill memory.events" },
	{ "case 14, no count", { KILLED(SIGKILL) }, "signal no-witness" },
	/* 11: the line names a thread, so there is no record of this pid; the count is one beyond the other lines. */
	{ "case 11", { KILLED(SIGKILL), COUNT(1), LOG }, "oom-kill memory.events" },
	/* 27: exiting already: no line, no count. 33: cgroup.kill: neither. */
	{ "case 27", { EXITED(3), COUNT(0), LOG }, "exit" },
	{ "case 33", { KILLED(SIGKILL), COUNT(0), LOG }, "signal" },
	/* 35: a container, the count alone. 36: no memory controller, the log alone. */
	{ "case 35", { KILLED(SIGKILL), COUNT(1) }, "oom-kill memory.events" },
	{ "case 35, an operator", { KILLED(SIGKILL), COUNT(0) }, "signal" },
	{ "case 36", { KILLED(SIGKILL), TOLD }, "oom-kill kmsg" },
};

static void every_row_of_the_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < countof(rows); i++) {
		struct verdict v = judge(&rows[i].facts);
		char text[64];
		snprintf(text, sizeof text, "%s%s%s%s%s%s%s", cause_name[v.cause], v.evidence & EVIDENCE_KMSG ? " kmsg" : "",
			 v.evidence & EVIDENCE_MEMORY_EVENTS ? " memory.events" : "", v.is_open ? " open" : "",
			 v.has_oom_besides ? " besides" : "", v.doubt ? " " : "", v.doubt ? oom_doubt_name[v.doubt] : "");
		if (strcmp(text, rows[i].verdict))
			fail_msg("%s: %s, not %s", rows[i].name, text, rows[i].verdict);
	}
}

static void whatever_a_fault_raises_is_a_crash_even_of_one_that_we_stop(void **state)
{
	(void)state;
	static const uint8_t faults[] = { SIGILL, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGSYS };
	for (int signal = 1; signal < NSIG; signal++) {
		struct death_facts f = { KILLED((uint8_t)signal), WE_SENT(ERRAND_STOP, SIGTERM) };
		bool is_fault = memchr(faults, signal, sizeof faults) != NULL;
		if (signal != SIGKILL)
			assert_int_equal(judge(&f).cause, is_fault ? CAUSE_SIGNAL : CAUSE_STOP);
	}
}

static void each_shared_count_is_an_evidence_of_its_own(void **state)
{
	(void)state;
	assert_int_equal(shared_evidence(SHARED_NONE), 0);
	assert_int_equal(shared_evidence(SHARED_MEMORY_EVENTS), EVIDENCE_MEMORY_EVENTS);
	assert_int_equal(shared_evidence(SHARED_OOM_CONTROL), EVIDENCE_OOM_CONTROL);
	assert_int_equal(shared_evidence(SHARED_VMSTAT), EVIDENCE_VMSTAT);
	assert_int_equal(shared_evidence(N_SHARED_SOURCE), 0);
}

/* Only then is its sender worth asking for. */
static void a_signal_is_foreign_unless_it_may_be_ours(void **state)
{
	(void)state;
	static const struct { const char *name; struct death_facts facts; bool is_foreign; } cases[] = {
		{ "KILL", { KILLED(SIGKILL), COUNT(0), LOG }, true },
		{ "KILL, nobody knows of OOM kills", { KILLED(SIGKILL) }, true },
		{ "KILL, while our TERM was on its way", { KILLED(SIGKILL), WE_SENT(ERRAND_STOP, SIGTERM), COUNT(0), LOG }, true },
		{ "KILL, and one of ours", { KILLED(SIGKILL), WE_KILLED(ERRAND_TIMEOUT), COUNT(0), LOG }, false },
		{ "TERM", { KILLED(SIGTERM), COUNT(0), LOG }, true },
		{ "TERM, and ours", { KILLED(SIGTERM), WE_SENT(ERRAND_STOP, SIGTERM) }, false },
		{ "TERM, and ours before the KILL that came too late", { KILLED(SIGTERM), WE_KILLED(ERRAND_STOP) }, false },
		{ "exit", { EXITED(143), COUNT(0), LOG }, false },
		{ "core", { DUMPED(SIGABRT), COUNT(0), LOG }, false },
	};
	for (size_t i = 0; i < countof(cases); i++)
		if (judge(&cases[i].facts).is_foreign != cases[i].is_foreign)
			fail_msg("%s: %d", cases[i].name, !cases[i].is_foreign);
}

/* Over all combinations of facts: what must hold for any of them. */
static void no_combination_breaks_a_rule(void **state)
{
	(void)state;
	static const struct { uint8_t code, status; } ends[] = {
		{ CLD_EXITED, 0 }, { CLD_EXITED, 137 }, { CLD_KILLED, SIGKILL }, { CLD_KILLED, SIGTERM }, { CLD_DUMPED, SIGSEGV },
	};
	for (unsigned bits = 0; bits < countof(ends) * 1024; bits++) {
		unsigned b = bits;
		struct death_facts f = { .code = ends[b % countof(ends)].code, .status = ends[b % countof(ends)].status };
		b /= countof(ends);
		f.errand = b & 3;
		f.was_sigkilled = f.errand && (b & 4);
		f.sent_signal = !f.errand ? 0 : f.was_sigkilled ? SIGKILL : SIGTERM;
		f.has_counter = b & 8;
		f.n_kills = b & 16 ? 1 : 0;
		f.has_kmsg = b & 32;
		f.n_explained = b & 64 ? 1 : 0;
		f.record = b & 128 ? &record : NULL;
		f.shared = b >> 8 & 3;
		struct verdict v = judge(&f);
		bool is_sigkill = f.code == CLD_KILLED && f.status == SIGKILL;
		assert_int_equal(v.cause == CAUSE_OOM_KILL, v.evidence != 0);           /* never without, never for nothing */
		assert_true(v.cause != CAUSE_OOM_KILL || is_sigkill);
		assert_true(!(v.evidence & EVIDENCE_KMSG) || f.record);
		assert_true(!(v.evidence & EVIDENCE_MEMORY_EVENTS) || (f.has_counter && f.n_kills));
		assert_true(!v.is_open || (v.cause == CAUSE_SIGNAL && f.has_kmsg && !f.record));
		assert_true(!v.has_oom_besides || f.was_sigkilled);
		assert_true(!v.doubt || (v.cause == CAUSE_SIGNAL && is_sigkill && !f.has_kmsg && !f.has_counter));
		assert_true(v.doubt != DOUBT_HELD || f.shared == SHARED_SOME_KILL);
	}
}

static void causes_are_called_as_in_json(void **state)
{
	(void)state;
	static const char *const names[] = {
		"exit", "signal", "core-dump", "oom-kill", "stop", "timeout", "watchdog", "start-failed",
	};
	assert_int_equal(N_CAUSE, countof(names));
	for (size_t i = 0; i < countof(names); i++)
		assert_string_equal(cause_name[i], names[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_of_the_table),
		cmocka_unit_test(whatever_a_fault_raises_is_a_crash_even_of_one_that_we_stop),
		cmocka_unit_test(each_shared_count_is_an_evidence_of_its_own),
		cmocka_unit_test(a_signal_is_foreign_unless_it_may_be_ours),
		cmocka_unit_test(no_combination_breaks_a_rule),
		cmocka_unit_test(causes_are_called_as_in_json),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
