/*
 * The service machine: eight states, nine events, one table.
 *
 * What a service *is* (its state), what is *wanted* of it (up or down) and *why* its last generation ended (its last
 * death and result) are three things and never stand in for one another. `want` is data: WANT_UP and WANT_DOWN say that
 * it has just changed, so that a state that can act on it does.
 *
 *              WANT_UP                READY                 WANT_DOWN or ERR
 *      IDLE ------------> STARTING ------------> UP -----------------------------> STOPPING
 *       ^                   |  ^                  | EXIT                              | TIMER
 *       |              EXIT |  | TIMER            v                                   v
 *       |                   +--|-----------> SWEEPING  (SIGKILL to all that is left in the cgroup)
 *       |                      |                  | GONE (main reaped and cgroup empty)
 *       +-- want is down ------+--- BACKOFF <-----+-----> FAILED, DONE (nothing brings it back by itself)
 *
 * STARTING, UP and STOPPING run through steps (`enum step`): the plan of a unit is the list of its commands, and the
 * step and its number say where in the plan a generation stands. Steps are not states: no event means another thing
 * from one step to the next, only what comes after it does.
 *
 * IDLE     nothing runs, and nothing is wanted.
 * STARTING from the wish to the last ExecStartPost=: waiting for After=, conditions, pre commands, main process, readiness, post
 *          commands.
 * UP       ready. A oneshot with RemainAfterExit=yes is UP without a process.
 * STOPPING ExecStop=, then KillSignal=, each under TimeoutStopSec=. Leaves when nothing of the generation is left. It comes
 *          back for ExecStopPost=, from SWEEPING too.
 * SWEEPING main has died, or patience has: SIGKILL to whatever the generation left behind. Never waits on anybody's manners.
 * BACKOFF  will be started again at deadline_at.
 * FAILED   ended badly, and nothing says to start it again.
 * DONE     ended well, and nothing says to start it again.
 *
 * IDLE, FAILED, DONE and UP are at rest; every other state has a deadline, or waits for a service that is not at rest.
 */
#ifndef OOMPH_SERVICE_H
#define OOMPH_SERVICE_H

#include <stdbool.h>
#include <stdint.h>

enum state { IDLE, STARTING, UP, STOPPING, SWEEPING, BACKOFF, FAILED, DONE, N_STATE };

enum service_event {
	EV_WANT_UP,     /* want has become up */
	EV_WANT_DOWN,   /* want has become down */
	EV_READY,       /* the last step of starting is through */
	EV_EXIT,        /* the main process died, or a command did whose failure is the generation's */
	EV_GONE,        /* no process of the generation is left */
	EV_TIMER,       /* deadline_at has come */
	EV_ERR,         /* the generation cannot go on: a launch failed, or OOMPolicy=stop ends it */
	EV_HANG,        /* its watchdog has not heard of it for too long */
	EV_RESET,       /* the operator forgives the past: failures and the start limit count anew */
	N_SERVICE_EVENT
};

/* What to do on the way. core.c has one function for each. */
enum action {
	ACT_NONE,
	ACT_BEGIN,      /* a new generation: start limit, then the first step */
	ACT_UP,         /* it is ready */
	ACT_STOP,       /* first step of stopping in order */
	ACT_EXPIRE,     /* starting took too long: note it, KillSignal= now */
	ACT_END,        /* end this generation though it is wanted: as ACT_STOP, the wish stays */
	ACT_KILL,       /* SIGKILL to what is left */
	ACT_STOP_LATE,  /* stopping took too long: the next step of it, and at the end SWEEPING; the cell's state is overruled */
	ACT_LINGER,     /* main is gone while stopping: the rest has until the deadline, KillMode= permitting */
	ACT_UP_LATE,    /* ExecReload= took too long: kill that command, stay up; or RuntimeMaxSec= is over: end it */
	ACT_ABORT,      /* WatchdogSignal=, for a core dump of what hangs */
	ACT_CANCEL,     /* no start is pending any more */
	ACT_DECIDE,     /* the generation is over: what next? The cell's state is overruled by core's decision */
	ACT_FORGET,     /* failures and start limit count from nothing again */
	N_ACTION
};

struct cell {
	uint8_t state, action;
	bool is_ignored;        /* may happen, changes nothing */
	bool is_never;          /* a bug: counted, logged, and this service alone is parked in FAILED */
};

/* One row of the table: where event ev takes state s. */
struct cell service_cell(enum state s, enum service_event ev);

/* Where in its plan a generation stands. */
enum step {
	STEP_NONE,
	STEP_WAIT,      /* STARTING: for After= and Requires= */
	STEP_CHECK,     /* conditions and assertions */
	STEP_CONDITION, /* ExecCondition= */
	STEP_PRE,
	STEP_MAIN,      /* the main process is launched, or one of a oneshot's several */
	STEP_READY,     /* exec or notify: launched, not ready yet */
	STEP_BUS,       /* dbus: until its name has an owner */
	STEP_FIND,      /* forking: whom has it left behind? */
	STEP_POST,
	STEP_RUN,       /* UP */
	STEP_RELOAD,    /* UP, ExecReload= runs beside the main process */
	STEP_RELOADED,  /* UP, notify-reload: until it says that it has */
	STEP_HOLD,      /* STOPPING: for the services that are ordered after this one */
	STEP_STOP,      /* ExecStop= */
	STEP_TERM,      /* KillSignal= was sent */
	STEP_ABORT,     /* WatchdogSignal= was sent */
	STEP_STOP_POST, /* ExecStopPost=, when all else is gone */
	STEP_PID_FILE,  /* STOPPING: what the service should have removed itself */
	STEP_CLEAN,     /* STOPPING or SWEEPING: all are gone, and what they leave behind is being removed */
	N_STEP
};

bool state_is_resting(enum state s);            /* IDLE, FAILED, DONE: no process, no plan */
extern const char *const state_name[N_STATE];   /* as on the wire: "idle" ... */
extern const char *const step_name[N_STEP];     /* as in systemctl's SubState, for `status` */
extern const char *const service_event_name[N_SERVICE_EVENT];
extern const char *const action_name[N_ACTION];

#endif
