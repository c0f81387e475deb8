#include "verdict.h"

#include <signal.h>

const char *const cause_name[N_CAUSE] = {
	[CAUSE_EXIT] = "exit", [CAUSE_SIGNAL] = "signal", [CAUSE_CORE_DUMP] = "core-dump", [CAUSE_OOM_KILL] = "oom-kill",
	[CAUSE_STOP] = "stop", [CAUSE_TIMEOUT] = "timeout", [CAUSE_WATCHDOG] = "watchdog", [CAUSE_START_FAILED] = "start-failed",
};

const char *const oom_doubt_name[N_DOUBT] = {
	[DOUBT_HELD] = "held", [DOUBT_NO_WITNESS] = "no-witness", [DOUBT_ANYBODYS] = "anybodys", [DOUBT_FEWER] = "fewer",
};

uint8_t shared_evidence(enum shared_source source)
{
	static const uint8_t bits[N_SHARED_SOURCE] = {
		[SHARED_MEMORY_EVENTS] = EVIDENCE_MEMORY_EVENTS, [SHARED_OOM_CONTROL] = EVIDENCE_OOM_CONTROL,
		[SHARED_VMSTAT] = EVIDENCE_VMSTAT,
	};
	return source < N_SHARED_SOURCE ? bits[source] : 0;
}

/* Without a count of its own and without the log. What others were killed beside it does not prove it, nor clear it. */
static enum oom_doubt doubt(enum shared_word word)
{
	static const uint8_t doubts[] = {
		[SHARED_NO_WORD] = DOUBT_NO_WITNESS, [SHARED_NO_KILL] = DOUBT_NONE, [SHARED_SOME_KILL] = DOUBT_HELD,
		[SHARED_ANYBODYS_KILL] = DOUBT_ANYBODYS,
	};
	return (enum oom_doubt)doubts[word];
}

/* A signal that a fault raises: no order of ours explains it, even while we are stopping the service. */
static bool is_crash(const struct death_facts *f)
{
	if (f->errand != ERRAND_NONE && f->status == f->sent_signal)
		return false;   /* KillSignal=SIGQUIT, say */
	return f->code == CLD_DUMPED || (f->code == CLD_KILLED && (f->status == SIGSEGV || f->status == SIGBUS ||
		f->status == SIGILL || f->status == SIGFPE || f->status == SIGABRT || f->status == SIGSYS));
}

static enum cause plain_cause(const struct death_facts *f)
{
	if (is_crash(f))
		return f->code == CLD_DUMPED ? CAUSE_CORE_DUMP : CAUSE_SIGNAL;
	if (f->errand == ERRAND_STOP)
		return CAUSE_STOP;
	if (f->errand == ERRAND_TIMEOUT)
		return CAUSE_TIMEOUT;
	if (f->errand == ERRAND_WATCHDOG)
		return CAUSE_WATCHDOG;
	return f->code == CLD_EXITED ? CAUSE_EXIT : CAUSE_SIGNAL;
}

/* SIGTERM may have been ours even when our last signal was another, and any signal may be KillSignal=: then nobody else is named. */
static bool is_foreign(const struct death_facts *f)
{
	return f->code == CLD_KILLED && (f->status == SIGKILL ? !f->was_sigkilled : f->errand == ERRAND_NONE);
}

struct verdict judge(const struct death_facts *f)
{
	struct verdict v = { .cause = (uint8_t)plain_cause(f), .is_foreign = is_foreign(f) };
	bool is_sigkill = f->code == CLD_KILLED && f->status == SIGKILL;
	bool has_risen = f->has_counter && f->n_kills > 0;

	if (!is_sigkill)
		return v;
	/*
	 * Our own SIGKILL: the kernel's killer passes over a process that is dying already (task_will_free_mem in
	 * mm/oom_kill.c), so even a record would only say that both were on their way. We ended it. Not so where we only swept
	 * up behind an OOM kill of the whole group (memory.oom.group): a record that names it is of the same blow, and where
	 * our sweep came before the kernel was through with the group, it finished what the kernel had begun.
	 */
	bool is_swept = f->was_sigkilled && f->errand == ERRAND_SWEEP;
	if (f->was_sigkilled && !(is_swept && (f->record || f->is_group_kill))) {
		v.cause = f->errand == ERRAND_TIMEOUT ? CAUSE_TIMEOUT : f->errand == ERRAND_WATCHDOG ? CAUSE_WATCHDOG : CAUSE_STOP;
		v.has_oom_besides = has_risen || f->record;
		return v;
	}
	if (f->record) {
		v.cause = CAUSE_OOM_KILL;
		v.evidence = EVIDENCE_KMSG | (has_risen ? EVIDENCE_MEMORY_EVENTS : 0);
		return v;
	}
	/* The count rises before the SIGKILL is sent (same file, __oom_kill_process), so what it says now is final. */
	bool has_killed = has_risen && (f->n_kills > f->n_explained || is_swept);
	/*
	 * Every victim has its line, under the number of its first thread with memory (find_lock_task_mm, same file). One whose
	 * first thread was there to be killed would have been named: the count speaks of another, too short-lived to be placed.
	 */
	bool is_passed_over = f->has_kmsg && f->is_first_killed && !is_swept;
	if (has_killed && !is_passed_over) {
		v.cause = CAUSE_OOM_KILL;
		v.evidence = EVIDENCE_MEMORY_EVENTS;
		return v;
	}
	v.cause = is_swept ? CAUSE_STOP : CAUSE_SIGNAL;
	/* Where only the log can tell, a record can hide for a moment behind one still being stored. */
	v.is_open = f->has_kmsg && (!f->has_counter || has_killed);
	if (v.cause == CAUSE_SIGNAL && !f->has_counter && !f->has_kmsg)
		v.doubt = (uint8_t)doubt((enum shared_word)f->shared);
	return v;
}
