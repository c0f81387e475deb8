/*
 * The shell of PID 1: it touches the kernel and decides nothing. Kernel facts become events for core_step(), and its
 * effects become system calls; what goes wrong on the way becomes an event again.
 *
 * There is no heap and no stdio here, nothing blocks, and nothing exits before the core says FX_POWER. Functions return
 * 0 or a negative errno.
 */
#ifndef OOMPH_PID1_H
#define OOMPH_PID1_H

#include "lib/core.h"
#include "lib/proto.h"

#include <sys/types.h>

#define VERSION_TEXT "0.1"

/* What an epoll event is about; its number stands beside it (watch()). */
enum source {
	SOURCE_SIGNAL, SOURCE_KMSG, SOURCE_CONTROL, SOURCE_CLIENT, SOURCE_NOTIFY, SOURCE_FILES,
	SOURCE_CGROUP,          /* memory.events or cgroup.events of some service */
	SOURCE_LAUNCH,          /* the pipe of a launch: service N/2, main or control */
	N_SOURCE
};

/* What the kernel gave us for a service: nothing here is decided upon, all of it can be had again. */
struct slot {
	bool has_cgroup;
	bool has_knobs;         /* its limits are those of the set in force */
	bool was_killed;        /* cgroup.kill was, or may have been, written there, or it takes no process: see make_fresh() */
	/*
	 * inotify watches of memory.events and cgroup.events, -1: none. Not descriptors of their own: each would be copied, and
	 * closed again, by every launch of every service.
	 */
	int counter, populated;
	struct process {
		uint32_t pid;
		uint32_t session;       /* which it leads; kept when it is dead, for where there is no cgroup */
		int pipe;               /* until its program runs or its launch has failed */
	} process[2];           /* by enum role: ROLE_MAIN, ROLE_CONTROL */
};

/* oomph's own short-lived children. They are no services: nobody stops or lists them. */
struct helper {
	uint32_t pid;
	uint64_t deadline_at;   /* SIGKILL then; 0: none */
};

#define CLIENTS_MAX 32          /* at once; one more costs the one that has been silent longest its connection */

struct client {
	int fd;                 /* -1: free */
	uint32_t uid;
	uint32_t serial;        /* so that a late reply does not go to the next one on this place */
	bool is_following;      /* notes and deaths go to it as they come */
	bool wants_notes;       /* following EVENTS, not only DEATHS */
	bool is_waiting;        /* for an FX_REPLY */
	uint8_t verb;           /* of the answer that is being sent */
	bool is_sending;
	uint32_t service;       /* it is about; NO_UNIT: all */
	uint64_t cursor;        /* next service index or death id to send */
	uint64_t active_at;     /* last request */
	uint64_t blocked_at;    /* since when it has not taken what we have for it; 0: it reads */
};

/*
 * What comes of carrying effects out waits here until the list at hand is through. An effect gives two events at most,
 * and the step that takes one off adds no more than its service's next launch.
 */
#define EVENTS_QUEUED_MAX (2 * EFFECTS_MAX)

struct options {
	const char *services[8];        /* --services, in order of precedence */
	uint32_t n_services;
	const char *socket;             /* --socket */
	char *const *command;           /* behind --, or NULL */
	char *const *environment;
	enum system_mode mode;
};

/* The count of OOM kills for services that have none of their own: see lib/shared_count.h. */
struct shared {
	uint8_t source;                 /* enum shared_source */
	bool is_stale;                  /* somebody was launched since it was read */
	int watch;                      /* inotify; -1: nobody tells when it changes */
	char folder[512];               /* of our cgroup when we began; "" for vmstat */
};

struct pid1 {
	struct options options;
	struct core *core;
	struct unitset units, loaded;   /* in force; written by oomph-load and checked, but not in force yet */
	struct slot *slots;             /* core->n_services of them */
	uint32_t n_slots;
	struct shared shared;
	struct helper loader, halter;
	struct helper closer;           /* of descriptors that came to the notify socket; until it is through nothing is read there */
	int loading;                    /* memfd that the loader writes into */
	int epoll, signals, kmsg, control, notify, files, console, cgroup_events;
	int senders, sender_probe;      /* of signals: the map, and what fills it; -1: the kernel does not tell */
	int cgroups;                    /* folder of the services' cgroups, O_PATH; -1: there are none */
	bool is_first;                  /* really process 1, not a subreaper somewhere */
	bool console_blocks;            /* shared with others, so it could not be made non-blocking */
	bool has_lost_lines;            /* of the console: it did not take one */
	char scratch[KMSG_RECORD_MAX];  /* for one read at a time: nobody keeps anything in it across a feed() */
	uint64_t kmsg_seq;              /* newest record read */
	struct kmsg_reader *reader;
	struct client clients[CLIENTS_MAX];
	uint64_t boot_at;
	bool is_feeding, has_more_dead, wants_adopt;
	uint32_t n_queued, queue_head;
	struct event queue[EVENTS_QUEUED_MAX];
	char notify_path[108];
	char libdir[256];               /* where the helpers are */
};

/* ---- loop.c ---- */

uint64_t now_ms(void);          /* CLOCK_BOOTTIME: suspended time counts, and nobody can set it */
uint64_t wall_ms(void);         /* CLOCK_REALTIME */

/*
 * An event to the core, and its effects to the kernel, until nothing is left to do. The only caller of core_step().
 * Called while effects are being carried out, it queues: effects of one step never mix with those of another.
 */
void feed(struct pid1 *p, struct event *ev);

struct event event_of(enum event_kind kind, uint32_t service);
void loop_counter(struct pid1 *p, uint32_t service);    /* its memory.events may have changed */
void loop_populated(struct pid1 *p, uint32_t service);  /* its cgroup.events may have changed */
int watch(struct pid1 *p, int fd, uint32_t epoll_events, enum source source, uint32_t number);
void unwatch(struct pid1 *p, int *fd);                  /* and close it */
void loop(struct pid1 *p) __attribute__((noreturn));

/* ---- boot.c: what is there once, at the start ---- */

void boot_find_mode(struct pid1 *p, int forced);        /* forced: enum system_mode, or -1 */
void boot_find_helpers(struct pid1 *p);                 /* $OOMPH_LIBDIR, /usr/lib/oomph, beside the binary itself */
void boot_mounts(struct pid1 *p);
void boot_process(struct pid1 *p);                      /* signals, limits, score, memory lock */
void boot_hostname(struct pid1 *p);
void boot_lock_memory(void);                            /* so that PID 1 answers while the machine thrashes */

/* ---- effects.c ---- */

void carry_out(struct pid1 *p, const struct effect *e);

/* ---- spawn.c, child.c ---- */

/* What a child does between clone and exec. Everything it needs, so that services and helpers take the same way. */
struct launch {
	const struct unit *unit;        /* NULL: a helper */
	struct unitset units;
	const struct command *command;  /* of the unit */
	bool is_check;                  /* oomph-check, which is no command of the unit's: only its cgroup is */
	char *const *argv;              /* of a helper: argv[0] is its path */
	int pass_fd;                    /* stays open in a helper; -1 */
	int cgroup;                     /* folder to enter; -1 */
	bool enters_by_hand;            /* not by clone3 */
	int pipe;                       /* to report on; closed by the exec */
	uint32_t main_pid;              /* $MAINPID, 0: unset */
	const char *notify_path;
	bool is_command;                /* `oomph -- COMMAND`: keeps our terminal */
};

struct launch_report {
	uint8_t step;                   /* enum launch_step */
	bool is_warning;
	uint16_t error;                 /* errno */
};

void child_run(const struct launch *l) __attribute__((noreturn));

int spawn_service(struct pid1 *p, uint32_t service, enum role role, enum exec_list list, uint32_t index, struct event *result);
int spawn_helper(struct pid1 *p, char *const argv[], int pass_fd, struct helper *helper, uint32_t deadline_ms);
void spawn_read_report(struct pid1 *p, uint32_t service, enum role role);
int spawn_signal(struct pid1 *p, uint32_t service, enum role role, int number);

/* ---- reap.c ---- */

void reap(struct pid1 *p);

/* Is anybody of the service left but `dying` (0: nobody)? By its cgroup, or where there is none by its processes' sessions. */
bool reap_is_empty(struct pid1 *p, uint32_t service, uint32_t dying);
uint32_t reap_owner(struct pid1 *p, uint32_t pid);      /* the service of a process that is not its main one; NO_UNIT */
int reap_signal_sessions(struct pid1 *p, const struct slot *slot, int number);  /* how many there were; with 0, whether there is one */

/* ---- devkmsg.c ---- */

void kmsg_open(struct pid1 *p);
void kmsg_drain(struct pid1 *p);

/* ---- sigtrace.c ---- */

void sigtrace_open(struct pid1 *p);
/* Who sent the last SIGKILL and SIGTERM that reached a process. It may be dead, but not reaped: its start is asked for. */
struct senders {
	struct sender kill, term;
};
void sigtrace_find(struct pid1 *p, uint32_t pid, struct senders *senders);

/* ---- cgroupfs.c ---- */

void cgroup_find(struct pid1 *p);
/* Folder, limits, watches. *folder is open, and the caller's to close; -1, and no error, where there are no cgroups. */
int cgroup_make(struct pid1 *p, uint32_t service, int *folder);
void cgroup_leaf(struct pid1 *p, uint32_t service, int *folder);        /* changes *folder for one below it that takes processes */
void cgroup_serve(struct pid1 *p);                      /* something changed in somebody's cgroup */
void cgroup_drop(struct pid1 *p, uint32_t service);
bool cgroup_counts(struct pid1 *p);                     /* the services' cgroups count OOM kills */
bool cgroup_count(struct pid1 *p, uint32_t service, uint32_t *oom_kills);
bool cgroup_is_populated(struct pid1 *p, uint32_t service);
int cgroup_signal(struct pid1 *p, uint32_t service, int number);
uint32_t cgroup_owner(struct pid1 *p, uint32_t pid);    /* the service in whose cgroup a process is; NO_UNIT */

/* ---- counters.c ---- */

void counters_find(struct pid1 *p);                     /* before anybody moves us to another cgroup */
void counters_begin(struct pid1 *p);                    /* when it is known whether services have cgroups */
void counters_read(struct pid1 *p);                     /* feeds the core; nothing where there is none */

/* ---- ctlsock.c ---- */

int control_open(struct pid1 *p);
void control_accept(struct pid1 *p);
void control_serve(struct pid1 *p, uint32_t client);    /* it has sent something, or takes more */
void control_reply(struct pid1 *p, uint32_t client, enum answer answer);
void control_note(struct pid1 *p, const struct note *note);
uint64_t control_deadline(const struct pid1 *p);        /* when a slow reader has to go */
void control_expire(struct pid1 *p);
void control_renumber(struct pid1 *p, struct unitset old, struct unitset new);

/* ---- notifysock.c ---- */

int notify_open(struct pid1 *p);
void notify_read(struct pid1 *p);
void notify_closed(struct pid1 *p);                     /* the closer is dead */
void notify_expire(struct pid1 *p);

/* ---- loader.c ---- */

int loader_begin(struct pid1 *p, uint64_t seed);        /* a core without services */
void loader_start(struct pid1 *p);
void loader_ended(struct pid1 *p, bool is_ok);
void loader_adopt(struct pid1 *p);
int loader_command(struct pid1 *p);     /* the unit set of `oomph -- COMMAND` */
void loader_watch(struct pid1 *p);
void loader_files_changed(struct pid1 *p);

/* ---- console.c ---- */

void console_open(struct pid1 *p);
void console_note(struct pid1 *p, const struct note *note);
void console_say(struct pid1 *p, const char *what, int error);  /* of the shell itself: "oomph: WHAT: errno NN" */

/* ---- small system calls ---- */

struct dirent64 {                       /* getdents64(2); readdir(3) needs a heap */
	uint64_t ino, off;
	uint16_t len;
	uint8_t type;
	char name[];
};

/* The initial PID namespace, whose numbers the kernel's log speaks of. */
bool is_initial_namespace(void);
int file_read(int folder, const char *path, char *to, size_t size);             /* bytes read, NUL-terminated */
int file_write(int folder, const char *path, struct str text);
void close_fd(int *fd);

#endif
