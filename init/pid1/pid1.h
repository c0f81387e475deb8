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
#include "lib/incident.h"
#include "lib/proto.h"
#include "state.h"

#include <signal.h>
#include <sys/types.h>
#include <sys/un.h>

#ifndef VERSION_TEXT
#define VERSION_TEXT "0.1"
#endif

/* What an epoll event is about; its number stands beside it (watch()). */
enum source {
	SOURCE_SIGNAL, SOURCE_KMSG, SOURCE_CONTROL, SOURCE_CLIENT, SOURCE_NOTIFY, SOURCE_FILES,
	SOURCE_CGROUP,          /* memory.events or cgroup.events of some service */
	SOURCE_REPORT,          /* what children tell of their launch */
	SOURCE_EXEC,            /* the main process of service N, Type=exec, runs its program, or will not */
	SOURCE_READY,           /* X-NotifyFD= of service N */
	N_SOURCE
};

/* To oomph-log, both ends in one. */
struct log_pipe {
	int fd;                 /* -1: none */
	uint32_t serial;        /* of its opening, or of the last change of how it is to be kept */
};

/* What the kernel gave us for a service: nothing here is decided upon, all of it can be had again. */
struct slot {
	bool has_cgroup;
	bool has_knobs;         /* its limits are those of the set in force */
	bool is_unused;         /* nobody was in it yet, and all its counts are 0 */
	bool was_killed;        /* cgroup.kill was, or may have been, written there, or it takes no process: see make_fresh() */
	/*
	 * inotify watches of memory.events and cgroup.events, -1: none. Not descriptors of their own: each would be copied, and
	 * closed again, by every launch of every service.
	 */
	int counter, populated;
	int ready;              /* our end of X-NotifyFD=; -1: none, or it has been heard */
	struct process {
		uint32_t pid;
		uint32_t session;       /* which it leads; kept when it is dead, for where there is no cgroup */
		uint8_t code, status;   /* of waitid(2), of one that has ended, and nobody knows yet (last.c); code 0: not so */
	} process[2];           /* by enum role: ROLE_MAIN, ROLE_CONTROL */
	uint32_t witness;       /* where there is no cgroup: one of its processes that was there when we looked last */
	int exec;               /* Type=exec: a pipe that ends when the main process's program runs; -1 */
	struct log_pipe logs[2];        /* LOG_OUT, LOG_ERR: from the first launch on, as long as the unit is there */
};

/* A signal on its way to a service's processes, where there is no cgroup, and these are so many that others would wait for too long. */
#define SWEEPS_MAX 4
struct sweep {
	uint32_t service;
	uint32_t from;          /* how far it has come: a place in /proc */
	uint8_t number;         /* signal; 0: none */
};

/* A descriptor that a service has left with us, or anybody. */
#define STORE_PLACES (STORE_MAX + UNWANTED_MAX)
struct stored {
	int fd;                 /* -1: free */
	uint32_t service;       /* NO_UNIT: to be closed */
	char name[56];
};

#define CLIENTS_MAX 128         /* at once; one more costs another its connection, see hang_up_oldest() */
#define CLIENTS_NEW 8           /* so many may always be there of whom nobody knows yet whether they read */

struct client {
	int fd;                 /* -1: free */
	uint32_t uid;
	uint32_t serial;        /* so that a late reply does not go to the next one on this place */
	bool is_following;      /* notes and deaths, or pipes of services, go to it as they come */
	bool wants_notes;       /* following EVENTS, not only DEATHS */
	bool has_asked;
	uint8_t verb;           /* of the answer that is being sent */
	bool is_sending;
	uint32_t service;       /* it is about; NO_UNIT: all */
	uint64_t cursor;        /* next service index or death id to send */
	uint64_t active_at;     /* last request, of those sent when all answers before were taken */
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
	const char *log;                /* --log; NULL: as oomph-load thinks best */
	char *const *command;           /* behind --, or NULL */
	char *const *environment;
	enum system_mode mode;
	int state;                      /* --state: who was PID 1 before us left it in this descriptor; -1 */
	bool is_back;                   /* --back in place of --state: who came after us has failed */
	int tested_state;               /* --self-test: could we take this one over? -1: nobody asks */
};

/* The count of OOM kills for services that have none of their own: see lib/shared_count.h. */
struct shared {
	uint8_t source;                 /* enum shared_source */
	bool is_stale;                  /* somebody was launched since it was read */
	int watch;                      /* inotify; -1: nobody tells when it changes */
	int file;                       /* kept open: it is read for every death, and each time it is found takes longer than to read it */
	char folder[512];               /* of our cgroup when we began; "" for vmstat */
};

/* The record of OOM kills (lib/incident.h), and the child that keeps it. */
struct incidents {
	int ring, for_readers;          /* one memfd, to write and to give away; -1: none */
	struct incident told;           /* what the log has told so far of the newest OOM */
	uint64_t told_number;           /* the slot that it goes to; 0: nobody is dead yet */
	bool is_changed;                /* it says more than its slot */
	uint64_t n, n_victims;          /* slots written so far */
	uint64_t n_recorded, n_handed;  /* of the victims: seen to by oomphctl, and given to the one that runs */
	bool has_verdict;               /* for the termination log, and nobody has it in hand */
	uint64_t record_at;             /* when oomphctl is to run; 0: there is nothing new */
	bool has_failed;                /* and that was said */
	struct { uint64_t first_seq, first_death; } kept[INCIDENTS_KEPT];
	struct { uint64_t death, incident; } victims[VICTIMS_KEPT];
	struct helper recorder;
};

struct logs {
	char token[LOG_TOKEN_SIZE];     /* of this boot's markers */
	char folder[24];                /* of our descriptors in /proc: children know us by no other name */
	uint32_t next_serial;
	bool has_news;                  /* for those who follow */
	int most_files;                 /* of ours: what is beyond is kept free of pipes */
};

/* See boot_open_doors(): a bit for each. */
struct doors {
	uint32_t open, told;
	uint64_t again_at;              /* 0: all are open */
};

struct pid1 {
	struct head head;
	struct set sets[2];             /* sets[which] is in force */
	uint8_t which;
	int self, store_memory, program, loaded_units;  /* memfds of this struct and of `store`, our own binary, `loaded` */
	struct hand hand;
	struct intake intake;
	uint32_t dying;                 /* whose evidence is being gathered; 0: nobody's */
	uint8_t source;                 /* enum source: what is being served */
	uint64_t number;                /* of the newest event */
	uint32_t journal_at;            /* bytes of journal written since */
	bool is_image_torn;             /* it is being written: the core itself is good */
	char name[16];                  /* of this process: exec by descriptor names it by that */
	uint32_t n_crashes;
	struct crash crashes[CRASHES_KEPT];     /* a ring */

	struct options options;
	struct core *core;
	struct unitset units, loaded;   /* in force; written by oomph-load and checked, but not in force yet */
	struct slot *slots;             /* core->n_services of them */
	uint32_t n_slots;
	struct shared shared;
	struct helper loader, halter;
	struct helper closer;           /* of descriptors that nobody wants; until it is through the notify socket is not read */
	int loading;                    /* memfd that the loader writes into */
	int reports[2];                 /* the pipe that children report on, both ends */
	int epoll, signals, kmsg, control, notify, files, console, cgroup_events;
	int senders, sender_probe, end_probe;   /* of signals: the map, and what fills it; -1: the kernel does not tell */
	int null;                       /* /dev/null, for children; -1 */
	int16_t score;                  /* our own oom_score_adj, which children inherit */
	int idle[2];                    /* a pipe that Type=idle waits for the end of; -1: nobody does */
	struct stored *store;           /* children may read it, unlike us (map_shared()) */
	uint32_t n_store;               /* places that were ever taken */
	int cgroups;                    /* folder of the services' cgroups, O_PATH; -1: there are none */
	bool is_first;                  /* really process 1, not a subreaper somewhere */
	bool console_blocks;            /* shared with others, so it could not be made non-blocking */
	bool has_lost_lines;            /* of the console: it did not take one */
	char scratch[KMSG_RECORD_MAX];  /* for one read at a time: nobody keeps anything in it across a feed() */
	uint64_t kmsg_seq;              /* newest record read */
	struct kmsg_reader reader;
	struct incidents incidents;
	struct logs logs;
	uint64_t leave_at;              /* with leave_status, as soon as nothing is left to be recorded; 0: nobody has said so */
	int leave_status;
	struct doors doors;
	struct client clients[CLIENTS_MAX];
	uint64_t boot_at;
	uint64_t seed[2];               /* random numbers of this boot */
	bool reaps_only;                /* last.c */
	bool is_feeding, has_more_dead, wants_adopt;
	struct sweep sweeps[SWEEPS_MAX];        /* the oldest first */
	bool is_unsettled;              /* services are: an EVENT_TICK is due */
	uint64_t settles_until;         /* in this turn */
	uint32_t n_put, n_taken;        /* events, over all time, so that neither needs to be changed with the other */
	struct event queue[EVENTS_QUEUED_MAX];
	char notify_path[108];
	char libdir[256];               /* where the helpers are, if has_helpers; else where they were looked for last */
	bool has_helpers;
	struct upgrade upgrade;
};

/* ---- loop.c ---- */

/*
 * CLOCK_MONOTONIC: nobody can set it, and as long as the machine is suspended it stands still. So does a service, whose watchdog and timeouts
 * would be over at the resume otherwise, all of them at once.
 */
uint64_t now_ms(void);
uint64_t wall_ms(void);         /* CLOCK_REALTIME */

/*
 * An event to the core, and its effects to the kernel, until nothing is left to do. The only caller of core_step().
 * Called while effects are being carried out, it queues: effects of one step never mix with those of another.
 */
void feed(struct pid1 *p, struct event *ev);
void feed_last(struct pid1 *p, struct event *ev);       /* nothing else comes of the intake */
void feed_again(struct pid1 *p, struct event *in_hand); /* after a crash: what is left of that event (NULL: of none), and what waits */

struct event event_of(enum event_kind kind, uint32_t service);
void intake_begin(struct pid1 *p, enum intake_kind kind);
void loop_signal(struct pid1 *p, int number);
void loop_counter(struct pid1 *p, uint32_t service);    /* its memory.events may have changed */
void end_late_helper(struct helper *helper, uint64_t now);
void loop_populated(struct pid1 *p, uint32_t service);  /* its cgroup.events may have changed */
int watch(struct pid1 *p, int fd, uint32_t epoll_events, enum source source, uint32_t number);
void unwatch(struct pid1 *p, int *fd);                  /* and close it */
void loop(struct pid1 *p) __attribute__((noreturn));

/* ---- boot.c: what is there once, at the start ---- */

void boot_find_mode(struct pid1 *p, int forced);        /* forced: enum system_mode, or -1 */
/* Ours, which we come back by, and the helpers: in $OOMPH_LIBDIR, /usr/lib/oomph, beside the binary itself. Unless they are found. */
void boot_find_programs(struct pid1 *p);
const char *boot_variable(const struct pid1 *p, struct str name);        /* of PID 1's own environment; NULL */
void boot_mounts(struct pid1 *p);
void boot_process(struct pid1 *p);                      /* signals, limits, score, memory lock */
void boot_pause(void);                                  /* before there is anything to supervise: until it is worth trying again */
void boot_insist(struct pid1 *p, const char *what, int (*get)(struct pid1 *p)); /* until it is had */
void boot_open_doors(struct pid1 *p);
void boot_hostname(struct pid1 *p);
void boot_lock_memory(void);                            /* so that PID 1 answers while the machine thrashes */

/* ---- effects.c ---- */

void carry_out(struct pid1 *p, const struct effect *e);

/* ---- spawn.c, child.c (and what child.h names) ---- */

/* What a child does between clone and exec. Everything it needs, so that services and helpers take the same way. */
struct launch {
	const struct unit *unit;        /* NULL: a helper */
	struct unitset units;
	const struct command *command;  /* of the unit; NULL: EXEC_CLEAN, or a chore */
	uint8_t list;                   /* enum exec_list: whose command it is; or enum chore */
	bool restarts;                  /* EXEC_CLEAN: another generation follows */
	bool is_alone;                  /* no other process of the generation runs yet: what is found of credentials is old */
	char *const *argv;              /* of a helper: argv[0] is its path */
	int pass_fd;                    /* stays open in a helper; -1 */
	int program;                    /* a helper's, in place of argv[0], and all our descriptors stay open in it; -1 */
	int cgroup;                     /* folder to enter; -1 */
	bool enters_by_hand;            /* not by clone3 */
	int reports;                    /* to report on; closed by the exec */
	int null;                       /* /dev/null; -1 */
	int16_t score;                  /* oom_score_adj that it was born with */
	uint32_t main_pid;              /* $MAINPID, 0: unset */
	char notify_path[sizeof ((struct pid1 *)0)->notify_path];
	char libdir[sizeof ((struct pid1 *)0)->libdir]; /* for a chore */
	const char *last_death;         /* $OOMPH_LAST_DEATH; NULL: unset */
	char *const *environment;       /* PID 1's own, for PassEnvironment= */
	uint32_t generation;
	uint64_t seed[2];               /* of $INVOCATION_ID */
	uint32_t service;
	int logs[2];                    /* LOG_OUT, LOG_ERR: to be opened anew; a negative errno: the console has to do */
	char log_token[LOG_TOKEN_SIZE], log_folder[sizeof ((struct logs *)0)->folder];
	const struct stored *store;     /* of all services */
	uint32_t n_store;
	int ready;                      /* to become the number that X-NotifyFD= tells; -1 */
	int idle, idle_other;           /* Type=idle: to wait for the end of; -1 */
	uint8_t result, main_code, main_status; /* as in struct service */
	bool is_command;                /* `oomph -- COMMAND`: keeps our terminal */
};

void child_run(struct launch *l) __attribute__((noreturn));

int spawn_open(struct pid1 *p);
int spawn_service(struct pid1 *p, uint32_t service, enum role role, enum exec_list list, uint32_t index, struct event *result);
int spawn_helper(struct pid1 *p, char *const argv[], int pass_fd, struct helper *helper, uint32_t deadline_ms);
/* A helper that is not in any file, and gets all our descriptors. */
int spawn_program(struct pid1 *p, int program, char *const argv[], struct helper *helper, uint32_t deadline_ms);
bool spawn_read_report(struct pid1 *p);                 /* one; false: there is none */
void spawn_take_report(struct pid1 *p, const struct launch_report *report);
void spawn_execed(struct pid1 *p, uint32_t service);    /* its pipe may have ended */
uint32_t spawn_find(struct pid1 *p, uint32_t pid, enum role *role);     /* the service that launched it; NO_UNIT */
void spawn_read_ready(struct pid1 *p, uint32_t service);
void spawn_quiet(struct pid1 *p);                       /* nothing is starting any more */
int spawn_signal(struct pid1 *p, uint32_t service, enum role role, int number);

/* ---- reap.c ---- */

void reap(struct pid1 *p);
void reap_over(struct pid1 *p, struct event *death);    /* it is reaped */

/* Is anybody of the service left but `dying` (0: nobody)? By its cgroup, or where there is none by its processes' sessions. */
bool reap_is_empty(struct pid1 *p, uint32_t service, uint32_t dying);
uint32_t reap_owner(struct pid1 *p, uint32_t pid);      /* the service of a process that is not its main one; NO_UNIT */
int reap_signal_sessions(struct pid1 *p, uint32_t service, int number);    /* how many there were; with 0, whether there is one; -errno: it cannot be told */
void reap_sweep(struct pid1 *p, uint64_t until);        /* goes on with signals that are on their way */
void reap_sweep_end(struct pid1 *p, uint32_t service);  /* no signal is for who comes after */

/* ---- devkmsg.c ---- */

int kmsg_open(struct pid1 *p);
void kmsg_serve(struct pid1 *p);
void kmsg_drain(struct pid1 *p);                        /* evidence is needed */
void kmsg_take_record(struct pid1 *p, struct str bytes);
void kmsg_take_news(struct pid1 *p);                    /* the intake's */

/* ---- incident.c ---- */

void incident_open(struct pid1 *p);
/* A record of the log and what it meant. The victim's service and its number are known; the core does not know of it yet. */
void incident_record(struct pid1 *p, const struct kmsg_record *record);
void incident_kill(struct pid1 *p, const struct oom_kill *kill, uint32_t service);
void incident_group(struct pid1 *p, const struct oom_kill *kill);
void incident_note(struct pid1 *p, const struct note *note);
void incident_serve(struct pid1 *p);            /* at the end of a turn: has what is new recorded */
uint64_t incident_deadline(const struct pid1 *p);
void incident_recorded(struct pid1 *p, const struct event *death);
/* Where the record of the generation before is, if the kernel killed one of it; NULL. */
const char *incident_path(struct pid1 *p, uint32_t service, struct buf *b);

/* ---- sigtrace.c ---- */

void sigtrace_open(struct pid1 *p);
/* Who sent the last SIGKILL and SIGTERM that reached the process which started then (struct procstat). */
struct senders {
	struct sender kill, term;
};
void sigtrace_find(struct pid1 *p, uint32_t pid, uint64_t started_at, struct senders *senders);
bool sigtrace_find_end(struct pid1 *p, uint32_t thread, struct sigtrace_sent *sent);    /* of one that SIGKILL ended */

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
extern const char cgroup_mount_point[];
void cgroup_path(struct pid1 *p, uint32_t service, struct buf *b);      /* below it */
/* The service whose cgroup, or one below it, has this number: NO_UNIT, if none has; false where that cannot be told. */
bool cgroup_owner_of(struct pid1 *p, uint64_t id, uint32_t *service);
void cgroup_read_counts(struct pid1 *p);                /* feeds the core what has risen, of all of them */

/* ---- counters.c ---- */

void counters_find(struct pid1 *p);                     /* before anybody moves us to another cgroup */
void counters_begin(struct pid1 *p);                    /* when it is known whether services have cgroups */
void counters_read(struct pid1 *p);                     /* feeds the core; nothing where there is none */

/* ---- ctlsock.c ---- */

int control_open(struct pid1 *p);
void control_listen(struct pid1 *p);
void control_accept(struct pid1 *p);
void control_serve(struct pid1 *p, uint32_t client);    /* it has sent something, or takes more */
void control_take(struct pid1 *p, uint32_t client, const struct request *q, int program);        /* a descriptor that came along, or -1 */
void control_reply(struct pid1 *p, uint32_t client, enum answer answer);
void control_note(struct pid1 *p, const struct note *note);
uint64_t control_deadline(const struct pid1 *p);        /* when a slow reader has to go */
void control_expire(struct pid1 *p);
void control_renumber(struct pid1 *p, struct unitset old, struct unitset new);
void control_logs(struct pid1 *p);                      /* there is news for the logger */
void control_send_away(struct pid1 *p);                 /* another binary is PID 1: they had better ask anew */

/* ---- log.c: the pipes to oomph-log. Nothing that is written there comes through here ---- */

void log_begin(struct pid1 *p);
void log_open(struct pid1 *p, uint32_t service, struct launch *l);      /* those that it needs, and has not yet */
/* Another set comes into force, and what was unit `old` is `new` in it. */
void log_renumber(struct pid1 *p, struct slot *slot, uint32_t old, uint32_t new);
void log_close(struct pid1 *p, struct slot *slot);
/* The first opening from *serial on, which is set to its own, of one service or of all; its descriptor, or -1. */
int log_next(struct pid1 *p, uint32_t service, uint64_t *serial, struct log_packet *packet);

/* ---- receive.c ---- */

ssize_t receive(int fd, void *to, size_t size, struct received *r);     /* bytes, or -errno; never waits */
/* It stays there. Both are for sockets with SO_PASSCRED. */
ssize_t receive_look(int fd, void *to, size_t size, struct received *r, bool *has_descriptors);
void receive_discard(struct pid1 *p, struct received *r);               /* the descriptors that are left */
bool receive_has_more(int fd);          /* of a socket with SO_PASSCRED: closing it would close what waits in it */

/* ---- notifysock.c ---- */

int notify_open(struct pid1 *p);
void notify_read(struct pid1 *p);
void notify_take(struct pid1 *p, struct str datagram, struct received *r);
void notify_listen(struct pid1 *p);                     /* there may be room again for what it brings */

/* ---- store.c ---- */

bool store_take(struct pid1 *p, uint32_t service, int fd, struct str name);     /* false: it is the caller's to close */
void store_remove(struct pid1 *p, uint32_t service, struct str name);
void store_drop(struct pid1 *p, uint32_t service);      /* all of its own */
size_t store_discard(struct pid1 *p, const int *fds, size_t n); /* nobody's, to be closed when that can be done; how many there was room for */
uint32_t store_room(struct pid1 *p);                    /* for how many of those */
void store_purge(struct pid1 *p);                       /* has them closed */
void store_closed(struct pid1 *p);                      /* the closer is dead */
void store_expire(struct pid1 *p);
void store_renumber(struct pid1 *p, struct unitset old, struct unitset new);
uint32_t store_count(const struct pid1 *p, uint32_t service);

/* ---- state.c: what outlives us, written where a stray pointer of ours cannot reach ---- */

void state_begin(struct pid1 *p, int self);             /* this struct is new */
int state_image(struct pid1 *p, struct set *set, const struct core *core);      /* makes its image and journal */
void state_note(struct pid1 *p, const struct event *ev, bool is_queued);        /* before it is stepped */
void state_save(struct pid1 *p);                        /* a new image of the core, between two events */
struct pid1 *state_return(int fd, const struct options *options);       /* NULL: that is no state that we can read */
/* The same for one that somebody else lives in: a copy. */
struct pid1 *state_copy(int fd);
size_t state_image_size(uint32_t n_services);
int state_convert(const struct head *h, int fd);        /* state_old.c: another descriptor, or -1 where nobody knows that layout */
/* The core as it was, or as it was before the event in hand, which is then in *e and *ev. */
enum taken { TAKEN_NOT, TAKEN, TAKEN_IN_HAND };
enum taken state_take(struct pid1 *p, union entry_space *e, struct event *ev);
void state_drop(struct pid1 *p, union entry_space *in_hand);    /* it will not be stepped again */

/* ---- crash.c, recover.c, last.c ---- */

void crash_arm(struct pid1 *p, char **argv);            /* from here on a fault brings us back */
/* That program, into that state, which a binary before us has left (`is_back`) or we do. Returns if that cannot be. */
void crash_execute(struct pid1 *p, int program, int state, bool is_back);
void crash_trust(void);                 /* the probation is over */
struct pid1 *recover(const struct options *options, char **argv);
void recover_sweep(struct pid1 *p);      /* closes what nobody knows of */
void last_resort(struct pid1 *p) __attribute__((noreturn));     /* NULL: not even that is known */

/* ---- upgrade.c ---- */

void upgrade_begin(struct pid1 *p);
/* Takes the descriptor in any case. ANSWER_LATER: the answer comes when another binary has taken over, or will not. */
enum answer upgrade_ask(struct pid1 *p, uint32_t client, int program);
void upgrade_tested(struct pid1 *p, const struct event *death);
void upgrade_commit(struct pid1 *p);                    /* something is about to be done: is there still a way back? */
void upgrade_go(struct pid1 *p);                        /* at the end of a turn: returns if it cannot be */
void upgrade_arrived(struct pid1 *p);                   /* we are the other binary, or the old one again */
uint64_t upgrade_deadline(const struct pid1 *p);
void upgrade_expire(struct pid1 *p);
int upgrade_self_test(int state);                       /* enum self_test */

/* ---- loader.c ---- */

int loader_begin(struct pid1 *p);       /* a core without services */
void loader_forget(struct pid1 *p);     /* there is no loader any more, whatever became of it */
void loader_start(struct pid1 *p);
void loader_ended(struct pid1 *p, bool is_ok);
void loader_adopt(struct pid1 *p);
int loader_command(struct pid1 *p);     /* the unit set of `oomph -- COMMAND` */
int loader_watch(struct pid1 *p);
void loader_files_changed(struct pid1 *p);

/* ---- console.c ---- */

void console_begin(struct pid1 *p);
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
int bind_as(int fd, const struct sockaddr_un *address, mode_t mode);
/* What is named by a number in that folder of /proc: processes, descriptors (the one it is read by left out). Until `take` says false. */
int each_number(const char *path, bool (*take)(void *to, uint32_t number), void *to);
void set_descriptor_flags(int flags);                   /* F_SETFD, of all above 2 */
int open_again(const char *folder, int fd, int flags);  /* what that number is in /proc/.../fd/, with a description of its own */
void *map_shared(size_t size, int *fd);                 /* of a memfd. NULL: no memory */
void *map_zeroes(size_t size, int *fd);                 /* the same, not for children */

#endif
