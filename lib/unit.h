/*
 * The unit set: all that oomph knows of its units, as one flat run of bytes, in the order of their names.
 *
 * oomph-load writes it into a memfd and seals it; PID 1 checks every bound once (unitset_check) and then maps it
 * read-only for as long as those units are in force. There are no pointers in it: a `struct span` is an offset from the
 * first byte of the set and a length. Texts carry a NUL behind their last byte (not counted), so that they can go to
 * execve(2) and open(2) as they stand. A `blob` is a span over NUL-terminated words ("a\0b\0", all counted): walk it with str_next().
 *
 * Everything that needs a heap, a passwd file or patience was settled by oomph-load: users are numbers, percentages are
 * bytes, PATH defaults and HOME are in the environment, dependencies are edges between indices.
 * Only what changes between two launches is left to the launch: $VAR expansion and EnvironmentFile= (see expand.h).
 */
#ifndef OOMPH_UNIT_H
#define OOMPH_UNIT_H

#include "limits.h"
#include "logline.h"
#include "str.h"

#define UNITSET_MAGIC 0x54494e55u       /* "UNIT" */
#define UNITSET_VERSION 1u

#define NO_UNIT UINT32_MAX
#define NO_ID UINT32_MAX                /* of a uid or gid: as PID 1 */

struct span {
	uint32_t at, n;                 /* n counts bytes of a text or blob, elements of any other list */
};

enum unit_type { TYPE_SIMPLE, TYPE_EXEC, TYPE_ONESHOT, TYPE_NOTIFY, TYPE_FORKING, TYPE_NOTIFY_RELOAD,
		 TYPE_IDLE, TYPE_DBUS, N_UNIT_TYPE };

/* RESTART_UNSET: nobody wrote Restart=. Like `no`, but an oom-kill is still answered by a respawn (DESIGN 6). */
enum restart_policy {
	RESTART_UNSET, RESTART_NO, RESTART_ON_SUCCESS, RESTART_ON_FAILURE, RESTART_ON_ABNORMAL, RESTART_ON_WATCHDOG,
	RESTART_ON_ABORT, RESTART_ALWAYS, N_RESTART_POLICY
};

enum kill_mode { KILL_CONTROL_GROUP, KILL_MIXED, KILL_PROCESS, KILL_NONE, N_KILL_MODE };
enum unit_action { ACTION_NONE, ACTION_REBOOT, ACTION_POWEROFF, ACTION_HALT, ACTION_EXIT, N_UNIT_ACTION };
enum exit_type { EXIT_MAIN, EXIT_CGROUP, N_EXIT_TYPE };
enum failure_mode { FAILURE_TERMINATE, FAILURE_ABORT, FAILURE_KILL, N_FAILURE_MODE };
enum oom_policy { OOM_CONTINUE, OOM_STOP, OOM_KILL, N_OOM_POLICY };
enum notify_access { NOTIFY_NONE, NOTIFY_MAIN, NOTIFY_EXEC, NOTIFY_ALL, N_NOTIFY_ACCESS };
enum stdio_kind {
	STDIO_NULL, STDIO_INHERIT, STDIO_TTY, STDIO_KMSG, STDIO_FILE, STDIO_APPEND, STDIO_TRUNCATE,
	STDIO_TTY_FORCE, STDIO_TTY_FAIL, STDIO_DATA,    /* of input alone */
	STDIO_LOG,              /* of output alone: a pipe to oomph-log */
	N_STDIO_KIND
};

/* The lists of commands of a unit, in the order in which a life runs through them. */
enum exec_list {
	EXEC_CHECK,             /* oomph-check, at most once: Condition...= and Assert...= */
	EXEC_CONDITION, EXEC_START_PRE, EXEC_START, EXEC_START_POST, EXEC_RELOAD, EXEC_STOP, EXEC_STOP_POST, N_EXEC_LIST,
	/*
	 * No list of the unit's: what is to be removed when all of a generation is gone. Done by a child, for a disk may hang.
	 * Command 0 is for a service that comes to rest, 1 for one that is started again.
	 */
	EXEC_CLEAN = N_EXEC_LIST
};

enum command_flags {
	COMMAND_MAY_FAIL = 1 << 0,      /* `-` */
	COMMAND_NO_EXPAND = 1 << 1,     /* `:` */
	COMMAND_PRIVILEGED = 1 << 2,    /* `+`: as PID 1 itself, none of User=, limits, capabilities; its environment is the unit's */
	COMMAND_KEEPS_USER = 1 << 3,    /* `!`: not as User= and Group=, all else as the unit says */
};

struct command {
	struct span path;               /* absolute, or a bare name to be looked for in the default PATH at launch */
	struct span argv;               /* blob, argv[0] included, before expansion */
	uint32_t flags;                 /* enum command_flags */
};

/* The files of a service's cgroup that a unit can set, cgroups(7). The table of their names is in unit.c. */
enum cgroup_knob {
	KNOB_MEMORY_MIN, KNOB_MEMORY_LOW, KNOB_MEMORY_HIGH, KNOB_MEMORY_MAX, KNOB_MEMORY_SWAP_MAX, KNOB_PIDS_MAX,
	KNOB_CPU_WEIGHT, KNOB_CPU_MAX /* of cpu_period_us */, N_CGROUP_KNOB
};
extern const char *const cgroup_knob_file[N_CGROUP_KNOB];       /* "memory.min", ... */

/* Of CPUQuota=, in microseconds of processor time: what the kernel takes (kernel/sched/core.c), and systemd's own. */
#define CPU_PERIOD_LEAST_US 1000u       /* also of a quota */
#define CPU_PERIOD_MOST_US 1000000u
#define CPU_PERIOD_US 100000u

#define KNOB_UNSET UINT64_MAX           /* not written at all */
#define KNOB_INFINITY (UINT64_MAX - 1)  /* written as "max" */

enum limit_kind {
	LIMIT_NOFILE, LIMIT_NPROC, LIMIT_CORE, LIMIT_CPU, LIMIT_FSIZE, LIMIT_DATA, LIMIT_STACK, LIMIT_RSS, LIMIT_AS, LIMIT_MEMLOCK,
	LIMIT_LOCKS, LIMIT_SIGPENDING, LIMIT_MSGQUEUE, LIMIT_NICE, LIMIT_RTPRIO, LIMIT_RTTIME, N_LIMIT_KIND
};
#define LIMIT_INFINITY UINT64_MAX       /* RLIM_INFINITY */

struct limit {
	uint64_t soft, hard;
	uint32_t kind;                  /* enum limit_kind */
	uint32_t zero;
};

/*
 * What another unit is to this one. Each bit is one thing that the core does about it, not one directive: which directive
 * sets which bits, here and at the other end, tells link_effects (directives.h). Both ends know of an edge, so nobody has to search.
 */
enum edge_kind {
	EDGE_AFTER = 1 << 0,            /* the other one starts first, and stops last */
	EDGE_BEFORE = 1 << 1,
	EDGE_REQUIRES = 1 << 2,         /* is started with this one, which cannot start if that fails */
	EDGE_WANTS = 1 << 3,            /* is started with this one */
	EDGE_REQUISITE = 1 << 4,        /* has to be up already */
	EDGE_BINDS = 1 << 5,            /* has to be up: that it was, and is done, is not enough */
	EDGE_CONFLICTS = 1 << 6,        /* the start of either stops the other */
	EDGE_STOPS = 1 << 7,            /* is stopped when this one is told to stop */
	EDGE_RESTARTS = 1 << 8,         /* is restarted when this one is told to restart */
	EDGE_ENDS = 1 << 9,             /* is stopped when this one ends by itself */
	EDGE_RELOADS = 1 << 10,         /* is reloaded with this one */
	EDGE_ON_FAILURE = 1 << 11,      /* is started when this one has failed */
	EDGE_ON_SUCCESS = 1 << 12,      /* is started when this one is done */
	EDGE_UPHOLDS = 1 << 13,         /* is started again and again as long as this one is up */
	EDGE_UPHELD_BY = 1 << 14,
	EDGE_NEEDED_BY = 1 << 15,       /* was started with, or requires, this one: StopWhenUnneeded= */
};
#define EDGE_PULLS (EDGE_REQUIRES | EDGE_WANTS)

struct edge {
	uint32_t unit;                  /* index of the other one */
	uint32_t kinds;                 /* enum edge_kind */
};

/* SuccessExitStatus=: statuses 0-255 and signals 1-64 as bits. 0 and the clean signals are not in it, they always count. */
struct exit_set {
	uint64_t statuses[4];
	uint64_t signals;               /* bit N-1 for signal N */
};

/*
 * What only some units set of a process' surroundings, systemd.exec(5). It stands apart from struct unit, which every one of
 * a thousand plain services pays for: unitset_context() gives the defaults for a unit that sets nothing of it.
 */
enum context_flags {
	CONTEXT_NO_NEW_PRIVILEGES = 1 << 0,
	CONTEXT_DEFAULT_SIGPIPE = 1 << 1,       /* IgnoreSIGPIPE=no */
	CONTEXT_GROUP_UNKNOWN = 1 << 2,         /* Group= or SupplementaryGroups= names nobody: 216/GROUP */
	CONTEXT_RESET_ON_FORK = 1 << 3,         /* CPUSchedulingResetOnFork= */
	CONTEXT_TTY_RESET = 1 << 4,
	CONTEXT_TTY_HANGUP = 1 << 5,
	CONTEXT_TTY_DISALLOCATE = 1 << 6,
	CONTEXT_HAS_IO = 1 << 7,                /* IOScheduling...= is set */
	CONTEXT_NO_LOG_PREFIX = 1 << 8,         /* SyslogLevelPrefix=no */
};

/* The first of each is that nobody wrote anything, and then nothing is done. */
enum scheduling { SCHEDULING_UNSET, SCHEDULING_OTHER, SCHEDULING_BATCH, SCHEDULING_IDLE, SCHEDULING_FIFO, SCHEDULING_RR, N_SCHEDULING };
enum numa_policy { NUMA_UNSET, NUMA_DEFAULT, NUMA_PREFERRED, NUMA_BIND, NUMA_INTERLEAVE, NUMA_LOCAL, N_NUMA_POLICY };
enum keyring_mode { KEYRING_UNSET, KEYRING_INHERIT, KEYRING_PRIVATE, KEYRING_SHARED, N_KEYRING_MODE };
enum io_class { IO_NONE, IO_REALTIME, IO_BEST_EFFORT, IO_IDLE, N_IO_CLASS };   /* ioprio_set(2)'s own numbers */

#define MASK_BITS 1024u                 /* of processors or memory nodes: what glibc's cpu_set_t has room for */
#define TIMER_SLACK_UNSET UINT64_MAX    /* which is also what `infinity` gives */
#define PERSONALITY_UNSET UINT32_MAX
#define COREDUMP_FILTER_UNSET UINT32_MAX

#define CAPABILITIES_ALL UINT64_MAX

/* journald.conf(5) RateLimitIntervalSec=. Its burst of 10000 is not ours: whoever floods his log has his own files pushed out, nobody else's. */
#define LOG_RATE_MS 30000u

enum folder_kind { FOLDER_RUNTIME, FOLDER_STATE, FOLDER_CACHE, FOLDER_LOGS, FOLDER_CONFIGURATION, N_FOLDER_KIND };
enum preserve { PRESERVE_NO, PRESERVE_YES, PRESERVE_RESTART, N_PRESERVE };

struct folder {
	struct span path;               /* absolute */
	struct span link;               /* another name for it; empty: none */
	uint16_t kind;                  /* enum folder_kind */
	uint16_t mode;
};

/* From a file, or with a value: the latter also stands in for a file that is not there. */
struct credential {
	struct span name;
	struct span path;               /* absolute, or to be looked for in the credential stores; empty: there is a value */
	struct span value;              /* text; may hold NULs */
};
#define CREDENTIALS_FOLDER "/run/credentials"

struct context {
	struct span pass_environment;   /* blob of names that PID 1's own environment may give, and Environment= does not */
	struct span unset_environment;  /* blob of NAME or NAME=VALUE */
	struct span search_path;        /* ExecSearchPath=, "a:b"; empty: the default */
	struct span folders;            /* of struct folder */
	struct span credentials;        /* of struct credential */
	struct span input;              /* text of StandardInputText= and -Data=; may hold NULs */
	struct span tty;                /* TTYPath= */
	struct span cpus, numa_nodes;   /* of uint64_t: masks as the kernel takes them */
	struct span log_identifier;     /* SyslogIdentifier=, not longer than a unit's name; empty: none */
	uint64_t bounding_set;          /* capabilities(7), bit N for number N */
	uint64_t ambient_set;
	uint64_t timer_slack_ns;        /* TIMER_SLACK_UNSET */
	uint32_t flags;                 /* enum context_flags */
	uint32_t personality;           /* of linux/personality.h; PERSONALITY_UNSET */
	uint32_t coredump_filter;       /* core(5); COREDUMP_FILTER_UNSET */
	uint32_t log_rate_ms, log_rate_burst;   /* 0: no limit */
	uint16_t tty_rows, tty_columns; /* 0: as they are */
	uint16_t secure_bits;           /* SECBIT_* of linux/securebits.h */
	uint8_t runtime_preserve;       /* enum preserve */
	uint8_t scheduling, priority;   /* enum scheduling; for the real-time ones 1 to 99 */
	uint8_t io_class, io_priority;
	uint8_t numa_policy, keyring_mode;
	uint8_t log_level, log_level_max;       /* enum log_priority */
	uint8_t log_copies[2];          /* enum log_copies, of what goes to LOG_OUT and LOG_ERR */
	uint8_t zero[3];
};

enum unit_flags {
	UNIT_WANTED = 1 << 0,           /* in services.d itself: started at boot */
	UNIT_BROKEN = 1 << 1,           /* cannot be started: `notes` say why; named so that `status` can tell */
	UNIT_REMAIN_AFTER_EXIT = 1 << 2,
	UNIT_NO_SIGKILL = 1 << 3,       /* SendSIGKILL=no */
	UNIT_HAS_START_LIMIT = 1 << 4,  /* the unit sets StartLimitIntervalSec= or -Burst= itself */
	UNIT_JITTER = 1 << 5,           /* RestartSec= unset: our own backoff, spread so that a burst does not come back as one */
	UNIT_USER_UNKNOWN = 1 << 6,     /* User= names nobody: the launch fails as systemd's does, 217/USER */
	UNIT_CHDIR_MAY_FAIL = 1 << 7,   /* WorkingDirectory=-/x */
	UNIT_DEPENDENCY_MISSING = 1 << 8, /* Requires= names a unit that is not there: every start fails with `dependency` */
	UNIT_HAS_SCORE = 1 << 9,        /* OOMScoreAdjust= is set; else 0 is written, never PID 1's own */
	UNIT_HAS_NICE = 1 << 10,
	UNIT_SEND_SIGHUP = 1 << 12,
	UNIT_NO_GUESS = 1 << 13,        /* GuessMainPID=no */
	UNIT_NON_BLOCKING = 1 << 14,    /* what it is passed is set to O_NONBLOCK */
	UNIT_CLEANS = 1 << 15,          /* EXEC_CLEAN has something to do after every generation */
	UNIT_CLEANS_AT_REST = 1 << 16,  /* ... after one that no other follows at once */
	UNIT_REFUSE_START = 1 << 17,    /* RefuseManualStart=: only other units may start it */
	UNIT_REFUSE_STOP = 1 << 18,
	UNIT_STOP_UNNEEDED = 1 << 19,   /* StopWhenUnneeded=: stopped when nothing that is up needs it */
	UNIT_HELPER = 1 << 11,          /* one of oomph's own (oomph-net, built-in targets): not counted in `list` tables as the user's */
};

struct unit {
	struct span name;               /* with its suffix: "db.service" */
	struct span aliases;            /* blob of its other names */
	struct span description;
	struct span file;               /* where it was read */
	struct span notes;              /* blob of lines "file:line: text" said while loading; `status` shows them */

	struct span exec[N_EXEC_LIST];  /* of struct command */
	struct span edges;              /* of struct edge: one for each neighbour, in the order of their indices */

	struct span environment;        /* blob of NAME=VALUE in final order: defaults, HOME USER LOGNAME SHELL, Environment= */
	struct span environment_files;  /* blob of absolute paths, `-` in front where it may be missing; they override `environment` */
	struct span working_directory;  /* empty: / */
	struct span groups;             /* of uint32_t: supplementary groups; empty, and no uid: PID 1's */
	struct span limits;             /* of struct limit */
	struct span stdio_path[3];      /* for tty, file, append, truncate */
	struct span context;            /* one struct context, or none */

	struct span pid_file;           /* absolute; empty: none */
	struct span bus_name;
	struct span restart_prevent;    /* of struct exit_set, one or none: RestartPreventExitStatus= */
	struct span restart_force;

	uint64_t knobs[N_CGROUP_KNOB];
	struct exit_set success;

	uint32_t flags;                 /* enum unit_flags */
	uint32_t uid, gid;              /* NO_ID: not changed */
	uint32_t start_ms, stop_ms;     /* TimeoutStartSec=, TimeoutStopSec=; FOREVER_MS */
	uint32_t abort_ms;              /* TimeoutAbortSec= */
	uint32_t runtime_ms;            /* RuntimeMaxSec=; FOREVER_MS */
	uint32_t watchdog_ms;           /* WatchdogSec=; 0: none */
	uint32_t restart_ms;            /* RestartSec= */
	uint32_t restart_max_ms;        /* RestartMaxDelaySec=, or restart_ms when there are no steps */
	uint32_t restart_growth;        /* factor from one delay to the next, times 65536 (65536: none); (max/first)^(1/steps) */
	uint32_t start_limit_ms, start_limit_burst;
	uint32_t cpu_period_us;         /* CPUQuotaPeriodSec= */
	uint16_t umask;
	int16_t oom_score_adj;
	int8_t nice;
	uint8_t type, restart, kill_mode, oom_policy, notify_access, kill_signal;
	uint8_t final_signal, watchdog_signal, reload_signal;
	uint8_t restart_signal;         /* RestartKillSignal=; 0: as kill_signal */
	uint8_t start_failure_mode, stop_failure_mode;
	uint8_t exit_type;
	uint8_t success_action, failure_action, start_limit_action;     /* enum unit_action */
	uint8_t notify_fd;              /* X-NotifyFD=: a line written there says that it is ready; 0: none */
	uint16_t fd_store_max;
	uint8_t stdio[3];               /* enum stdio_kind for 0, 1, 2 */
};

struct unitset_header {
	uint32_t magic, version;
	uint32_t size;                  /* of the whole set in bytes, this header included */
	uint32_t n_units;
	uint32_t unit_size;             /* sizeof(struct unit) of the writer: layouts of two builds never mix */
	uint32_t units_at;              /* offset of the array of struct unit */
	struct span notes;              /* blob of lines that belong to no unit */
	uint64_t checksum;              /* FNV-1a 64 of every byte behind this header */
};

/* A set in memory. Only unitset_check() makes a usable one of bytes from elsewhere. */
struct unitset {
	const unsigned char *bytes;
	uint32_t size;
};

/* Every span, enum and index within its bounds, every text closed by a NUL, every name behind the one before, the checksum right. NULL, or what is wrong. */
const char *unitset_check(const void *bytes, size_t size);
uint64_t unitset_sum(const void *bytes, size_t size);   /* the checksum of the bytes given */

uint32_t unitset_count(struct unitset set);
const struct unit *unitset_unit(struct unitset set, uint32_t index);
uint32_t unitset_find(struct unitset set, struct str name);     /* with or without ".service"; NO_UNIT */
uint32_t unitset_find_any(struct unitset set, struct str name); /* by its other names, too: for what people call it */

struct str unitset_text(struct unitset set, struct span span);
const struct command *unitset_commands(struct unitset set, const struct unit *u, enum exec_list list);
const struct edge *unitset_edges(struct unitset set, const struct unit *u);
const uint32_t *unitset_indices(struct unitset set, struct span span);
const struct limit *unitset_limits(struct unitset set, const struct unit *u);
const struct folder *unitset_folders(struct unitset set, const struct context *x);
const uint64_t *unitset_mask(struct unitset set, struct span span);
const struct credential *unitset_credentials(struct unitset set, const struct context *x);
const struct context *unitset_context(struct unitset set, const struct unit *u);        /* never NULL */

/* Type=notify and its kin: it is not up before it says so. */
bool unit_says_ready(const struct unit *u);

/* Whether a list of one exit_set, or none, has an exit status (or, with is_signal, a signal) in it. */
bool unitset_has_status(struct unitset set, struct span list, bool is_signal, int value);

/* An exit status (or, with is_signal, a signal) that counts as success, systemd.service(5) SuccessExitStatus=. */
bool unit_is_success(const struct unit *u, bool is_signal, int value);

/*
 * Writing a set, into memory of the caller's (oomph-load grows it; `oomph -- COMMAND` writes one small one).
 * The units' array comes first and is filled in place; spans are appended behind it. When the room ends, is_full stays
 * set, later writes do nothing, and `needed` tells how much would have been used so far (never above UNITSET_MAX: full
 * with needed <= size means that no set can hold this). The memory is aligned to 8 bytes.
 */
struct unitset_writer {
	unsigned char *bytes;
	size_t size, needed;
	bool is_full;
};

void unitset_begin(struct unitset_writer *w, void *bytes, size_t size, uint32_t n_units);
struct unit *unitset_slot(struct unitset_writer *w, uint32_t index);    /* preset with every default; NULL when full */
struct span unitset_put_text(struct unitset_writer *w, struct str text);
struct span unitset_put_blob(struct unitset_writer *w, const struct str *words, uint32_t n);
struct span unitset_put(struct unitset_writer *w, const void *elements, uint32_t n, size_t element_size);
bool unitset_end(struct unitset_writer *w, struct span notes);          /* header and checksum; false when it was full */

void unit_defaults(struct unit *u);
extern const struct context context_defaults;

#endif
