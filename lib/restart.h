/*
 * After a generation has ended: does another one follow, and when?
 */
#ifndef OOMPH_RESTART_H
#define OOMPH_RESTART_H

#include "unit.h"

/* How a generation ended; systemd's Result=, up to RESULT_OOM_KILL in the order of restart.c's table. */
enum result {
	RESULT_SUCCESS, RESULT_EXIT_CODE, RESULT_SIGNAL, RESULT_CORE_DUMP, RESULT_TIMEOUT, RESULT_WATCHDOG,
	RESULT_PROTOCOL,        /* Type=notify: it left, cleanly, without ever having said READY=1 */
	RESULT_OOM_KILL,
	RESULT_RESOURCES,       /* no process could be made: fork, memory, descriptors. Never the service's fault, so always tried again */
	RESULT_DEPENDENCY,      /* a unit in Requires= is not to be had */
	RESULT_START_LIMIT,     /* StartLimitBurst= starts within StartLimitIntervalSec= */
	RESULT_BAD_SETTING,     /* the unit file cannot be used */
	RESULT_EXEC_CONDITION,  /* ExecCondition= said no: not started, and nothing is wrong */
	RESULT_CONDITION,       /* a condition (ConditionPathExists= and its like) was not met: passed over, and nothing is wrong */
	RESULT_ASSERT,          /* an assertion was not met */
	N_RESULT
};

extern const char *const result_name[N_RESULT];         /* as systemd prints them: "exit-code" ... */

bool result_is_good(enum result result);

/* Not where a condition or an assertion kept all of it from running: for OnSuccess= and FailureAction= nothing has ended. */
bool result_has_run(enum result result);

/* systemd.service(5), the table of Restart=, with oom-kill as a row of its own (DESIGN 6). */
bool restart_applies(enum restart_policy policy, enum result result);

/*
 * The delay before the next start, in ms, without jitter. `last_ms` is the delay before the generation that ended, 0 for
 * the first of a row. RestartSec=, RestartSteps=, RestartMaxDelaySec= as in systemd: a geometric climb from the first to
 * the last.
 */
uint32_t restart_delay(const struct unit *u, bool is_first, uint32_t last_ms);

/* A quarter up or down, where the unit left the delay to us; `random` is any 32 random bits. */
uint32_t restart_jitter(const struct unit *u, uint32_t delay_ms, uint32_t random);

/* errno of a failed launch that may pass by itself: the machine's trouble, not the unit's. */
bool restart_is_passing(int error);

#endif
