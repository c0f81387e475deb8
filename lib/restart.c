#include "restart.h"

#include <errno.h>

const char *const result_name[N_RESULT] = {
	[RESULT_SUCCESS] = "success", [RESULT_EXIT_CODE] = "exit-code", [RESULT_SIGNAL] = "signal",
	[RESULT_CORE_DUMP] = "core-dump", [RESULT_TIMEOUT] = "timeout", [RESULT_WATCHDOG] = "watchdog",
	[RESULT_PROTOCOL] = "protocol", [RESULT_OOM_KILL] = "oom-kill",
	[RESULT_RESOURCES] = "resources", [RESULT_DEPENDENCY] = "dependency",
	[RESULT_START_LIMIT] = "start-limit-hit", [RESULT_BAD_SETTING] = "bad-setting",
	[RESULT_EXEC_CONDITION] = "exec-condition", [RESULT_CONDITION] = "condition", [RESULT_ASSERT] = "assert",
};

#define YES true
#define NO false

/*
 * Rows: Restart=. Columns: how it ended. All but the last are systemd's to the letter (service_shall_restart in its
 * src/core/service.c). In the last, systemd says `no` for on-abort; an OOM kill is an unclean signal to anybody who reads
 * the manual, so it is `yes` here.
 */
static const bool table[N_RESTART_POLICY][RESULT_OOM_KILL + 1] = {
	/*                        success code signal core timeout watchdog protocol oom-kill */
	[RESTART_UNSET]       = { NO,     NO,  NO,    NO,  NO,     NO,      NO,      YES },
	[RESTART_NO]          = { NO,     NO,  NO,    NO,  NO,     NO,      NO,      NO  },
	[RESTART_ON_SUCCESS]  = { YES,    NO,  NO,    NO,  NO,     NO,      NO,      NO  },
	[RESTART_ON_FAILURE]  = { NO,     YES, YES,   YES, YES,    YES,     YES,     YES },
	[RESTART_ON_ABNORMAL] = { NO,     NO,  YES,   YES, YES,    YES,     YES,     YES },
	[RESTART_ON_WATCHDOG] = { NO,     NO,  NO,    NO,  NO,     YES,     NO,      NO  },
	[RESTART_ON_ABORT]    = { NO,     NO,  YES,   YES, NO,     NO,      NO,      YES },
	[RESTART_ALWAYS]      = { YES,    YES, YES,   YES, YES,    YES,     YES,     YES },
};

bool result_is_good(enum result result)
{
	return result == RESULT_SUCCESS || result == RESULT_EXEC_CONDITION || result == RESULT_CONDITION;
}

bool result_has_run(enum result result)
{
	return result != RESULT_CONDITION && result != RESULT_ASSERT;
}

bool restart_applies(enum restart_policy policy, enum result result)
{
	if (result == RESULT_RESOURCES)
		return true;
	return result <= RESULT_OOM_KILL && table[policy][result];
}

uint32_t restart_delay(const struct unit *u, bool is_first, uint32_t last_ms)
{
	if (is_first)
		return u->restart_ms;
	uint64_t next = ((uint64_t)last_ms * u->restart_growth) >> 16;
	if (next < u->restart_ms)
		return u->restart_ms;           /* a reload has raised RestartSec= */
	return next < u->restart_max_ms ? (uint32_t)next : u->restart_max_ms;
}

uint32_t restart_jitter(const struct unit *u, uint32_t delay_ms, uint32_t random)
{
	uint32_t half = delay_ms / 2;
	if (!(u->flags & UNIT_JITTER) || half == 0)
		return delay_ms;
	return delay_ms - half / 2 + random % (half + 1);
}

bool restart_is_passing(int error)
{
	switch (error) {
	case EAGAIN: case ENOMEM: case EMFILE: case ENFILE: case EINTR: case EBUSY: case ETXTBSY: case ENOSPC: case EIO:
		return true;
	default:
		return false;
	}
}
