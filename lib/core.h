/*
 * The core decides: one event in, effects out.
 *
 * Everything oomph knows is in `struct core` (flat: indices, no pointers, one mapping) and in the unit set in force
 * (read-only). core_step() takes one event with its time, changes the core and appends effects; the shell (init/pid1, or
 * the simulator) carries them out, and what comes of them returns as events. The core never asks, never waits, and never
 * does anything by itself: even time passes only when an event says so.
 *
 * Order within a step: the event is applied, then the services whose neighbours or deadlines it touched settle, until
 * nothing moves. `effects` has room for what one event can cause at once; when it runs short, core_step says so
 * (is_unsettled), and the shell carries out what there is and steps again with EVENT_TICK.
 */
#ifndef OOMPH_CORE_H
#define OOMPH_CORE_H

/*
 * Versions of what outlives PID 1 (state.h). Fields are only ever appended, to struct service, to struct core before its services, and
 * to what init/pid1 has of its own, so that a newer one reads an older one's. The test of that builds an older one.
 */
#ifndef STATE_LAYOUT
#define STATE_LAYOUT 2
#endif

#include "notify.h"
#include "restart.h"
#include "service.h"
#include "system.h"
#include "unit.h"
#include "verdict.h"

/* ---- what happens ---- */

enum event_kind {
	EVENT_TICK,             /* nothing but time */
	EVENT_UNITS,            /* a unit set has come into force: core_adopt() was called with it */
	EVENT_RELOADED,         /* oomph-load has written a new set (is_ok), or could not; see core_may_adopt() */
	EVENT_REQUEST,          /* a client asks: client, verb, service, argument */
	EVENT_LAUNCHED,         /* a process was made: service, role, pid */
	EVENT_EXECED,           /* ... and its program runs: service, role. Told where it is waited for: Type=exec, main process */
	EVENT_LAUNCH_FAILED,    /* ... or will not: service, role, step, error. A pid known by then still dies as EVENT_DEATH */
	EVENT_MAIN,             /* CHORE_FIND_MAIN found the main process: service, pid */
	EVENT_READY,            /* the main process has written a line into the descriptor of X-NotifyFD=: service */
	EVENT_LAUNCH_WARNING,   /* a setting could not be applied, the launch goes on: service, step, error */
	EVENT_DEATH,            /* a child died and is not reaped yet: pid, code, status, comm; counter, is_empty of its service */
	EVENT_EMPTY,            /* no process is left in the service's cgroup (or session) */
	EVENT_COUNTER,          /* memory.events of a service changed: counter */
	EVENT_NOTIFY,           /* a datagram of sd_notify(3): service, pid of its sender, message */
	EVENT_SHARED_COUNT,     /* a count that services share was read: shared, is_ok (ours alone), counter; before each EVENT_DEATH by SIGKILL */
	EVENT_OOM_KILL,         /* the kernel log names a victim: kill; is_ok: it is known whose it was: service (NO_UNIT: of none), counter */
	EVENT_OOM_GROUP,        /* the victims from kill->seq on, below kill->task_memcg, were one memory.oom.group */
	EVENT_KMSG_LOST,        /* the log was overrun: records are missing */
	EVENT_SIGNAL,           /* PID 1 got a signal: argument */
	EVENT_FILES,            /* something changed in services.d; is_ok: nothing is being written, read it at once */
	EVENT_HALTED,           /* oomph-halt is through, or dead */
	EVENT_CRASHED,          /* PID 1 has come back from a fault: argument: its signal, status: the event in hand (N_EVENT_KIND: none), about
	                           service and pid; is_ok: that is dropped */
	EVENT_UPGRADED,         /* another binary is PID 1, argument: after so many ms; or not is_ok: it failed, and the one before is back */
	N_EVENT_KIND
};

enum role { ROLE_MAIN, ROLE_CONTROL, ROLE_OTHER };

/* A launch's steps, in order, for messages and for the status its child exits with: systemd.exec(5), "Process Exit Codes". */
enum launch_step {
	LAUNCH_FORK, LAUNCH_CGROUP, LAUNCH_SESSION, LAUNCH_SCORE, LAUNCH_COREDUMP_FILTER,
	LAUNCH_NICE, LAUNCH_SCHEDULING, LAUNCH_AFFINITY, LAUNCH_NUMA, LAUNCH_IO, LAUNCH_TIMER_SLACK, LAUNCH_PERSONALITY,
	LAUNCH_RUNTIME_FOLDER, LAUNCH_STATE_FOLDER, LAUNCH_CACHE_FOLDER, LAUNCH_LOGS_FOLDER, LAUNCH_CONFIGURATION_FOLDER,
	LAUNCH_CREDENTIALS, LAUNCH_STDIN, LAUNCH_STDOUT, LAUNCH_STDERR, LAUNCH_FDS,
	LAUNCH_ENVIRONMENT, LAUNCH_LIMITS, LAUNCH_GROUP, LAUNCH_CAPABILITIES, LAUNCH_USER, LAUNCH_KEYRING,
	LAUNCH_CHDIR, LAUNCH_SECURE_BITS,
	LAUNCH_NO_NEW_PRIVILEGES, LAUNCH_EXEC,
	LAUNCH_PID_FILE, LAUNCH_BUS_NAME,       /* a chore's */
	N_LAUNCH_STEP
};
struct launch_step_info {
	const char *setting;            /* the directive it obeys, or what it does */
	uint8_t status;                 /* with which a child leaves that got no further */
};
extern const char *const event_kind_name[N_EVENT_KIND];        /* "death" ... as in JSON */
extern const struct launch_step_info launch_step_info[N_LAUNCH_STEP];

/* What a child says through the pipe that all of them report on. */
enum report_kind { REPORT_FAILED, REPORT_WARNING, REPORT_MAIN };
struct launch_report {
	uint32_t pid;                   /* of the child itself */
	uint32_t main_pid;              /* MAIN: the service's main process */
	uint8_t kind;                   /* enum report_kind */
	uint8_t step;                   /* enum launch_step */
	uint16_t error;                 /* errno */
};

/* What can be asked; the wire's numbers (proto.h). */
enum verb {
	VERB_LIST, VERB_STATUS, VERB_START, VERB_STOP, VERB_RESTART, VERB_RELOAD, VERB_KILL, VERB_DEATHS, VERB_EVENTS,
	VERB_POWER, VERB_VERSION, VERB_INCIDENTS, VERB_LOGS, VERB_UPGRADE, VERB_CRASHES, N_VERB
};

enum answer {
	ANSWER_OK, ANSWER_NO_SUCH_UNIT, ANSWER_NOT_PERMITTED, ANSWER_BROKEN_UNIT, ANSWER_NOT_RUNNING, ANSWER_NO_RELOAD,
	ANSWER_BUSY, ANSWER_STOPPING, ANSWER_BAD_REQUEST, ANSWER_LOAD_FAILED, ANSWER_NOT_BY_HAND,
	ANSWER_NOT_EXECUTABLE, ANSWER_OTHER_STATE, ANSWER_SELF_TEST, ANSWER_CAME_BACK /* of an upgrade: its program, and then the old one did */,
	ANSWER_AGAIN /* another binary is PID 1 now: ask that */, ANSWER_REAPS_ONLY /* PID 1 can do nothing else any more */, ANSWER_LATER /* the answer comes in a later FX_REPLY */, N_ANSWER
};

#define NO_CLIENT UINT32_MAX

struct event {
	uint8_t kind;                   /* enum event_kind */
	uint8_t role;                   /* enum role */
	uint8_t verb;                   /* enum verb */
	uint8_t code, status;           /* of waitid(2) */
	uint8_t step;                   /* enum launch_step */
	uint8_t shared;                 /* enum shared_source */
	bool has_counter;
	bool is_empty;
	bool is_ok;
	bool has_kmsg;
	bool is_first_killed;           /* DEATH: SIGKILL ended its first thread as well, which had not left before */
	int32_t error;                  /* errno */
	uint32_t service;               /* index, or NO_UNIT */
	uint32_t client;
	uint32_t pid;
	uint32_t counter;               /* oom_kill of memory.events */
	int32_t argument;
	uint64_t now_ms;                /* CLOCK_MONOTONIC */
	uint64_t wall_ms;               /* CLOCK_REALTIME */
	uint64_t told_at;               /* NOTIFY: when the sender said it, in the clock of now_ms; 0: it did not tell */
	uint64_t kmsg_seq;              /* LAUNCHED: the newest record read so far */
	char comm[16];
	struct sender sender;           /* DEATH: of the signal that ended it, where the kernel tells; pid 0 */
	const struct oom_kill *kill;    /* only during the step */
	const struct notify_message *message;
};

/* ---- what to do about it ---- */

/*
 * What is no command of the unit's, but a step of its plan all the same, because it may take its time (init/chore). It runs as
 * a command does: launched, under a deadline, and with an exit status.
 */
enum chore { CHORE_FIND_MAIN = EXEC_CLEAN + 1, CHORE_REMOVE_PID_FILE, CHORE_AWAIT_BUS_NAME, N_LAUNCH_LIST };

enum effect_kind {
	FX_LAUNCH,              /* service, role, list (enum exec_list, or enum chore), index: make its cgroup if need be, clone, exec */
	FX_SIGNAL,              /* service, role or ROLE_OTHER for all in the cgroup: signal `number`, `argument`: enum also */
	FX_SWEPT,               /* service is over: its cgroup may go */
	FX_REPLY,               /* client, number: enum answer */
	FX_NOTE,                /* note: for the console and for clients of `events -f` */
	FX_QUIET,               /* nothing is starting: Type=idle may go on */
	FX_LOAD,                /* run oomph-load */
	FX_ADOPT,               /* the loaded set may come into force: core_adopt(), then EVENT_UNITS */
	FX_HALT,                /* run oomph-halt */
	FX_POWER,               /* number: enum power; exit status in `argument`. The end */
	N_EFFECT_KIND
};

/* What else goes to whoever gets a signal, behind it (systemd.kill(5)). */
enum also {
	ALSO_CONTINUE = 1 << 0, /* SIGCONT: one that is stopped cannot act on it */
	ALSO_HANG_UP = 1 << 1,  /* SendSIGHUP= */
};

enum note_kind {
	NOTE_STARTING, NOTE_UP, NOTE_DEATH, NOTE_BACKOFF, NOTE_STOPPING, NOTE_IDLE, NOTE_FAILED, NOTE_DONE, NOTE_RELOADING,
	NOTE_WARNING, NOTE_AMENDED, NOTE_KMSG_LOST, NOTE_UNITS, NOTE_LOAD_FAILED, NOTE_SYSTEM, NOTE_BUG, NOTE_CRASHED, NOTE_UPGRADED, N_NOTE_KIND
};

/* Something worth telling. Flat: goes to clients as it is; say.c puts it in words. */
struct note {
	uint64_t wall_ms;
	uint64_t death;                 /* NOTE_DEATH, NOTE_AMENDED: its id */
	uint32_t service;               /* NO_UNIT: of the whole */
	uint32_t generation;
	uint32_t pid;
	uint32_t value;                 /* BACKOFF: ms; UP: ms since the start; FAILED: enum result; WARNING: errno; UNITS: how many; SYSTEM: enum power; CRASHED: signal; UPGRADED: ms, FOREVER_MS: in vain */
	uint8_t kind;                   /* enum note_kind */
	uint8_t step;                   /* WARNING: enum launch_step */
	uint8_t state;                  /* BUG: state and event */
	uint8_t event;                  /* CRASHED: enum event_kind that was in hand, or N_EVENT_KIND */
	bool is_dropped;                /* CRASHED: it was given up, and its service put aside */
	char unit[64];
	char unmet[96];                 /* DONE, FAILED: the condition that was not met, cut; else empty */
};

struct effect {
	uint8_t kind;                   /* enum effect_kind */
	uint8_t role, list;
	uint32_t index;
	uint32_t service;
	uint32_t client;
	int32_t number;
	int32_t argument;
	struct note note;
};

#define EFFECTS_MAX 32          /* of one step; beyond, core_step is called again */
#define EFFECTS_RESERVE 8       /* the most that one service's one transition causes */

struct effects {
	struct effect list[EFFECTS_MAX];
	uint32_t n;
	bool is_unsettled;              /* carry these out, then step again */
};

/* ---- what is known ---- */

enum service_flags {
	SERVICE_RESTART_ASKED = 1 << 0, /* `restart`: start again once this generation is gone */
	SERVICE_WANT_CHANGED = 1 << 10, /* and nobody has told its state yet */
	SERVICE_WAS_SIGKILLED = 1 << 1, /* by us */
	SERVICE_HAS_COUNTER = 1 << 2,
	SERVICE_LAUNCHING = 1 << 3,     /* FX_LAUNCH is out, and neither LAUNCHED nor LAUNCH_FAILED has come of it yet */
	SERVICE_QUEUED = 1 << 4,        /* to settle */
	SERVICE_HAS_WISH = 1 << 24,     /* to be passed on */
	SERVICE_HAS_RESTART = 1 << 14,  /* ... and so is its restart */
	SERVICE_PUT_DOWN = 1 << 27,     /* not wanted, by another unit's wish */
	SERVICE_SUMMONED = 1 << 26,     /* by OnFailure=, OnSuccess= or Upholds= of another unit */
	SERVICE_RELOAD_ASKED = 1 << 25, /* by the reload of another unit (PropagatesReloadTo=) */
	SERVICE_WAS_UP = 1 << 5,        /* this generation got as far as UP */
	SERVICE_IS_EMPTY = 1 << 6,      /* nothing is left in its cgroup */
	SERVICE_HAS_KMSG = 1 << 7,      /* the log was readable at launch, and nothing was lost since */
	SERVICE_LEAVING = 1 << 9,       /* its unit is gone from the new set: stop it, then adopt */
	SERVICE_MAIN_TOLD = 1 << 12,    /* MAINPID= or PIDFile= named its main process, which may be another process's child, and not ours to reap */
	SERVICE_GROUP_KILLED = 1 << 13, /* the kernel said that it kills all of this generation's cgroup (memory.oom.group) */
	SERVICE_GROUP_DUE = 1 << 22,    /* OOMPolicy=kill: the kernel is at it, and at the end of the grace so are we */
	SERVICE_HAS_BEGUN = 1 << 18,    /* its plan: so there is something for ExecStopPost= to clean up behind */
	SERVICE_MAY_LEAVE = 1 << 23,    /* a command of its may have made what EXEC_CLEAN removes; kept until that is done */
	SERVICE_SAYS_STOPPING = 1 << 20, /* STOPPING=1: it leaves by itself */
	SERVICE_SAYS_RELOADING = 1 << 21, /* RELOADING=1 has come since reload_at */
	SERVICE_FINAL_SENT = 1 << 19,   /* FinalKillSignal= was sent */
	SERVICE_COMMAND_LATE = 1 << 11, /* we killed the ExecReload= that runs: it took too long */
};

/* Of services, linked by their indices. */
enum queue_name { QUEUE_WISHES, QUEUE_RESTARTS, QUEUE_SETTLE, N_QUEUE };
struct queue {
	uint32_t head, tail;            /* head NO_UNIT: empty */
};

struct service {
	uint8_t state, step, want;      /* enum state, enum step; want: true is up */
	uint8_t result;                 /* enum result of the last or current generation */
	uint8_t errand;                 /* enum errand of the signal sent last */
	uint8_t sent_signal;
	uint8_t warned_step;            /* the last setting that could not be applied, where any is in `warned` */
	uint8_t warned_error;
	uint8_t main_code, main_status; /* of waitid(2): how the last main process of this generation ended; 0: none has */
	uint8_t unmet;                  /* which condition was not met when it was last to start: the status of init/check; 0: none */
	uint32_t flags;
	uint32_t step_number;           /* command in its list */
	uint32_t main_pid, control_pid;
	uint32_t generation, n_restarts, n_oom_kills;
	uint32_t counter_base, counter; /* oom_kill at launch, and now */
	uint32_t n_explained;           /* how far other victims explain the rise of the count: by records, deaths, wounds */
	uint32_t control_base, control_explained;       /* the count, and n_explained, when the control process was launched */
	uint32_t counter_told;          /* the count up to which wounds are recorded or explained */
	uint64_t risen_seq;             /* the newest record when the count was first seen to tell of a kill that nothing explained */
	uint32_t n_failures;            /* in a row, without a healthy run between */
	uint32_t delay_ms;              /* of the last backoff, without jitter */
	uint32_t watchdog_ms;           /* WatchdogSec=, or what it said itself; 0: none */
	uint32_t n_starts;              /* within the start limit's window */
	uint32_t next[N_QUEUE];         /* in each queue */
	uint32_t wished_in;             /* the round of wishes in which `want` was last set */
	uint64_t limit_since_at;
	uint64_t since_at;              /* in this state */
	uint64_t began_at;              /* this generation */
	uint64_t launched_at;           /* its main process */
	uint64_t up_at;
	uint64_t deadline_at;           /* 0: none */
	uint64_t watchdog_at;           /* it has to be heard of until then; 0: nobody waits for it */
	uint64_t reload_at;             /* when it was told to reload, and has not said that it has yet; 0: nothing is open */
	uint64_t grace_at;              /* evidence may still come until then; 0: nothing is open */
	uint64_t kmsg_seq;              /* records up to here are older than the main process */
	uint64_t control_seq;           /* ... and than the control process */
	uint64_t last_death;            /* id */
	uint64_t warned;                /* launch steps that could not be had, as far as it has been told: a bit each */
	char status_text[STATUS_TEXT_MAX];
#if STATE_LAYOUT >= 2
	uint32_t n_crashes;             /* of PID 1, over events about it */
#endif
};

#define CORE_MAGIC 0x45524f43u          /* "CORE" */
#define CORE_VERSION 1u

struct core {
	uint32_t magic, version, size;
	uint32_t n_services;
	struct system_state system;
	uint64_t random;
	uint64_t next_deadline_at;      /* no deadline of a service is earlier; 0: none at all */
	uint64_t next_death;            /* id */
	uint64_t n_kmsg_lost;           /* times the log was overrun */
	uint64_t kmsg_lost_told_at;
	uint64_t now_ms, wall_ms;       /* of the event in hand */
	uint32_t n_bugs;                /* NEVER cells hit */
	uint32_t next_kill;             /* in kills[], a ring */
	uint64_t newest_seq;            /* of the records of kills */
	uint64_t stray_at[KILLS_KEPT];  /* since when nobody could place the victim of these; 0: it is placed */
	bool is_disputed[KILLS_KEPT];   /* and more than one service may have it */
	struct queue queues[N_QUEUE];
	uint32_t round;                 /* of wishes: each lasts until they are passed on all the way */
	uint32_t reload_client;         /* who waits for the answer to `reload`; NO_CLIENT */
	bool is_loading, is_pending;    /* oomph-load runs; its set waits for leaving services */
	bool wants_load;                /* once more, when that is through */
	bool has_idle;                  /* somebody of Type=idle waits for FX_QUIET */
	bool is_deadline_stale;         /* next_deadline_at may be too early; harmless, but nobody should wake for it */
	uint64_t load_at;               /* run oomph-load then; 0: no plan to */
	int32_t load_error;             /* why it failed last; 0: it did not */
	char cgroup_root[KMSG_PATH_MAX];        /* of the services, as the kernel's log writes it: "/system.slice" */
	uint32_t cells[N_STATE][N_SERVICE_EVENT];       /* how often each was taken: the simulator's coverage */
	struct shared_count shared;     /* for services without a count of their own */
	struct oom_kill kills[KILLS_KEPT];
	struct death deaths[DEATHS_KEPT];
	struct service services[];
};

size_t core_size(uint32_t n_services);

/* A new core in `size` zeroed bytes, without services. `seed` is any random number. */
void core_init(struct core *c, enum system_mode mode, uint64_t seed);

/*
 * Another unit set comes into force: fills `to` (core_size(n) zeroed bytes) from `from`. Services are carried over by
 * name, new ones are IDLE. Call it with an `old` set of no units at boot. EVENT_UNITS must follow.
 */
void core_adopt(struct core *to, const struct core *from, struct unitset old, struct unitset new);

/* Marks the services of `old` that `new` has no unit for; they are stopped first (EVENT_RELOADED does), then FX_ADOPT comes. */
void core_mark_leaving(struct core *c, struct unitset old, struct unitset new);

void core_step(struct core *c, struct unitset units, const struct event *ev, struct effects *fx);

/* Of two times, of which 0 is none. */
static inline uint64_t earlier(uint64_t a, uint64_t b)
{
	return a == 0 ? b : b == 0 || a < b ? a : b;
}

/* When core_step wants an EVENT_TICK, in the clock of now_ms; 0: it does not. */
uint64_t core_deadline(struct core *c);

/* The service whose main or control process this is; NO_UNIT. */
uint32_t core_find_pid(const struct core *c, uint32_t pid, enum role *role);

/* NotifyAccess=: whether a service takes the word of this process. */
bool core_heeds(const struct core *c, struct unitset units, uint32_t service, uint32_t pid);

const struct death *core_death(const struct core *c, uint64_t id);      /* NULL when it is not kept any more */

#endif
