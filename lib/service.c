#include "service.h"

#define GO(to, what) { .state = (to), .action = (what) }
#define IGNORE { .is_ignored = true }
#define NEVER { .is_never = true }

/* Every cell is written. tests/unit/test_service.c holds a dump of it: a change here must be made there as well, on purpose. */
static const struct cell table[N_STATE][N_SERVICE_EVENT] = {
	[IDLE] = {
		[EV_WANT_UP]   = GO(STARTING, ACT_BEGIN),
		[EV_WANT_DOWN] = IGNORE,
		[EV_READY]     = NEVER,
		[EV_EXIT]      = NEVER,
		[EV_GONE]      = IGNORE,        /* the cgroup's last word may come late */
		[EV_TIMER]     = NEVER,
		[EV_ERR]       = NEVER,
		[EV_HANG]      = NEVER,
		[EV_RESET]     = GO(IDLE, ACT_FORGET),
	},
	[STARTING] = {
		[EV_WANT_UP]   = IGNORE,
		[EV_WANT_DOWN] = GO(STOPPING, ACT_STOP),
		[EV_READY]     = GO(UP, ACT_UP),
		[EV_EXIT]      = GO(SWEEPING, ACT_KILL),
		[EV_GONE]      = IGNORE,        /* between two commands nothing may be running */
		[EV_TIMER]     = GO(STOPPING, ACT_EXPIRE),
		[EV_ERR]       = GO(SWEEPING, ACT_KILL),
		[EV_HANG]      = NEVER,         /* it is watched only while it is UP */
		[EV_RESET]     = GO(STARTING, ACT_FORGET),
	},
	[UP] = {
		[EV_WANT_UP]   = IGNORE,
		[EV_WANT_DOWN] = GO(STOPPING, ACT_STOP),
		[EV_READY]     = NEVER,
		[EV_EXIT]      = GO(SWEEPING, ACT_KILL),
		[EV_GONE]      = IGNORE,        /* RemainAfterExit=: nothing runs, and it is up; else EXIT tells */
		[EV_TIMER]     = GO(UP, ACT_UP_LATE),
		[EV_ERR]       = GO(STOPPING, ACT_END),
		[EV_HANG]      = GO(STOPPING, ACT_ABORT),
		[EV_RESET]     = GO(UP, ACT_FORGET),
	},
	[STOPPING] = {
		[EV_WANT_UP]   = IGNORE,        /* starts anew once this generation is gone */
		[EV_WANT_DOWN] = IGNORE,
		[EV_READY]     = NEVER,
		[EV_EXIT]      = GO(STOPPING, ACT_LINGER),
		[EV_GONE]      = GO(STOPPING, ACT_DECIDE),
		[EV_TIMER]     = GO(STOPPING, ACT_STOP_LATE),
		[EV_ERR]       = IGNORE,        /* it is ending already */
		[EV_HANG]      = NEVER,
		[EV_RESET]     = GO(STOPPING, ACT_FORGET),
	},
	[SWEEPING] = {
		[EV_WANT_UP]   = IGNORE,
		[EV_WANT_DOWN] = IGNORE,
		[EV_READY]     = NEVER,
		[EV_EXIT]      = IGNORE,        /* that is what a sweep is for */
		[EV_GONE]      = GO(SWEEPING, ACT_DECIDE),
		[EV_TIMER]     = GO(SWEEPING, ACT_KILL),
		[EV_ERR]       = IGNORE,
		[EV_HANG]      = NEVER,
		[EV_RESET]     = GO(SWEEPING, ACT_FORGET),
	},
	[BACKOFF] = {
		[EV_WANT_UP]   = GO(STARTING, ACT_BEGIN),       /* an operator need not wait */
		[EV_WANT_DOWN] = GO(IDLE, ACT_CANCEL),
		[EV_READY]     = NEVER,
		[EV_EXIT]      = NEVER,
		[EV_GONE]      = IGNORE,
		[EV_TIMER]     = GO(STARTING, ACT_BEGIN),
		[EV_ERR]       = NEVER,
		[EV_HANG]      = NEVER,
		[EV_RESET]     = GO(BACKOFF, ACT_FORGET),
	},
	[FAILED] = {
		[EV_WANT_UP]   = GO(STARTING, ACT_BEGIN),
		[EV_WANT_DOWN] = GO(IDLE, ACT_CANCEL),
		[EV_READY]     = NEVER,
		[EV_EXIT]      = NEVER,
		[EV_GONE]      = IGNORE,
		[EV_TIMER]     = NEVER,
		[EV_ERR]       = NEVER,
		[EV_HANG]      = NEVER,
		[EV_RESET]     = GO(FAILED, ACT_FORGET),
	},
	[DONE] = {
		[EV_WANT_UP]   = GO(STARTING, ACT_BEGIN),
		[EV_WANT_DOWN] = GO(IDLE, ACT_CANCEL),
		[EV_READY]     = NEVER,
		[EV_EXIT]      = NEVER,
		[EV_GONE]      = IGNORE,
		[EV_TIMER]     = NEVER,
		[EV_ERR]       = NEVER,
		[EV_HANG]      = NEVER,
		[EV_RESET]     = GO(DONE, ACT_FORGET),
	},
};

struct cell service_cell(enum state s, enum service_event ev)
{
	return table[s][ev];
}

bool state_is_resting(enum state s)
{
	return s == IDLE || s == FAILED || s == DONE;
}

const char *const state_name[N_STATE] = {
	[IDLE] = "idle", [STARTING] = "starting", [UP] = "up", [STOPPING] = "stopping",
	[SWEEPING] = "sweeping", [BACKOFF] = "backoff", [FAILED] = "failed", [DONE] = "done",
};

const char *const step_name[N_STEP] = {
	[STEP_NONE] = "", [STEP_WAIT] = "waiting", [STEP_CHECK] = "condition", [STEP_CONDITION] = "exec-condition",
	[STEP_PRE] = "start-pre", [STEP_MAIN] = "start", [STEP_READY] = "not ready yet", [STEP_POST] = "start-post",
	[STEP_RUN] = "running", [STEP_RELOAD] = "reload", [STEP_RELOADED] = "reload-notify",
	[STEP_HOLD] = "waiting", [STEP_STOP] = "stop", [STEP_TERM] = "stop-signal",
	[STEP_ABORT] = "stop-watchdog", [STEP_STOP_POST] = "stop-post", [STEP_BUS] = "waiting for its bus name",
	[STEP_FIND] = "looking for its main process", [STEP_PID_FILE] = "cleaning up", [STEP_CLEAN] = "cleaning",
};

const char *const service_event_name[N_SERVICE_EVENT] = {
	[EV_WANT_UP] = "WANT_UP", [EV_WANT_DOWN] = "WANT_DOWN", [EV_READY] = "READY", [EV_EXIT] = "EXIT",
	[EV_GONE] = "GONE", [EV_TIMER] = "TIMER", [EV_ERR] = "ERR", [EV_HANG] = "HANG", [EV_RESET] = "RESET",
};

const char *const action_name[N_ACTION] = {
	[ACT_NONE] = "none", [ACT_BEGIN] = "begin", [ACT_UP] = "up", [ACT_STOP] = "stop", [ACT_EXPIRE] = "expire",
	[ACT_END] = "end", [ACT_KILL] = "kill", [ACT_STOP_LATE] = "stop-late", [ACT_LINGER] = "linger", [ACT_UP_LATE] = "up-late", [ACT_ABORT] = "abort",
	[ACT_CANCEL] = "cancel", [ACT_DECIDE] = "decide", [ACT_FORGET] = "forget",
};
