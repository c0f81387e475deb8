/* What the logger's own parts know of each other. For what stands on top of them, see log.h. */
#ifndef OOMPH_LOG_PARTS_H
#define OOMPH_LOG_PARTS_H

#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "log.h"
#include "logpolicy.h"
#include "logsplit.h"

#define OUT_SIZE (128u << 10)           /* lines that are written at once; a read of 64 kB grows by its heads */
#define FILES_OPEN_MAX 128              /* current files; the one that was used longest ago is closed */
#define WRITERS_MAX 8192                /* units and folders; the lines of more are filed under LOGFILE_SYSTEM */
#define SILENCE_MS 1000u                /* an unfinished line is written when its stream has been silent for so long */
#define LOOK_AGAIN_MS 1000u             /* whether /var/log has come, and whether somebody has taken our files away */
#define AGE_AGAIN_MS 600000u            /* files' ages are looked at no more often, but at each rotation */
#define FAILED_AGAIN_MS 60000u          /* a full disk is told of once, and again after a minute without */

/* ---- writer.c ---- */

struct writer_log {
	uint32_t id;                    /* in l->writers */
	uint32_t rate_ms, rate_burst;
	struct lograte rate;
	uint8_t copies[LOG_ERR + 1];    /* enum log_copies, by stream */
	bool is_refused;                /* its folder or file is not ours to write, and that was told */
	/* The current file. */
	int fd;                         /* -1: not open */
	dev_t device;
	ino_t inode;
	uint64_t size, born_us, last_us;        /* of its lines; born_us and last_us are known once it was open */
	uint64_t used;                  /* when, in l->store.tick */
	uint64_t looked_ms;             /* whether it still has its name */
	uint32_t growth;                /* sixteenths of a byte more in the file for each byte that was read, of late */
	uint64_t n_lost;                /* lines that could not be written */
	int lost_error;
};

bool writers_open(struct logger *l);
void writer_keep(struct logger *l, struct writer *w, const struct logline *line);        /* whatever its level and rate */
void rate_timer(struct logger *l, struct timer *t);

/* The name as people say it: without ".service". */
struct str writer_short(const struct writer *w);

/* ---- ledger.c: what outlives the logger ---- */

#define INBOX_SIZE (64u << 10)          /* one read: a pipe holds so much, pipe(7) */

enum batch_op { BATCH_READ, BATCH_FLUSH, BATCH_END };

struct held {
	struct logsplit_state split;
	uint32_t room;                  /* where the held bytes are: a number, NO_ROOM */
};
#define NO_ROOM UINT32_MAX

/* One stream; the entry is free when pipe is 0. */
struct ledger_stream {
	uint64_t word;                  /* number of the batch that was done last, twice; plus which of `held` is in force */
	uint64_t pipe;                  /* inode of its pipe */
	struct held held[2];
	uint8_t stream;                 /* LOG_OUT, LOG_ERR */
	uint8_t level, has_prefix;      /* as in struct log_packet */
	char unit[UNIT_NAME_MAX + 1];
};

struct batch {
	uint64_t number;                /* pending until its stream's word has it */
	uint64_t time_us;
	uint64_t device, inode, size;   /* of the current file before it; inode 0: none */
	uint32_t index;                 /* of the stream */
	uint32_t n;                     /* bytes in the inbox, or about to be */
	uint8_t op;                     /* enum batch_op */
	uint8_t has_witness;            /* the inbox's first byte was made to differ from the first byte to be read */
	uint8_t first;                  /* that byte */
};

struct ledger {
	char *bytes;                    /* mapped: all of it */
	struct ledger_head *head;
	struct ledger_stream *streams;
	int fd;                         /* -1: it does not outlive us */
	uint32_t line_max;              /* for which its rooms are made */
	uint32_t n_large;               /* rooms; the small ones come first */
	uint32_t n_free_small, n_free_large;
	bool *is_taken, *is_reserved;   /* by room */
};

/*
 * Maps the state file in the folder `run` (-1: memory that dies with us). False when another logger has it. What a predecessor of
 * this boot left is kept; ledger_pending() tells whether it had a batch in hand.
 */
bool ledger_open(struct ledger *st, int run, uint32_t line_max);
bool ledger_resize(struct ledger *st, uint32_t line_max); /* for lines of another length; no room may be taken */
struct batch *ledger_batch(struct ledger *st);
bool ledger_pending(const struct ledger *st);
char *ledger_inbox(struct ledger *st);
char *ledger_token(struct ledger *st);
uint64_t *ledger_last_death(struct ledger *st);

uint32_t ledger_count(const struct ledger *st);                                   /* entries, free ones among them */
uint32_t ledger_find(const struct ledger *st, struct str unit, uint8_t stream);   /* ledger_count(): none */
bool ledger_add(struct ledger *st, struct str unit, uint8_t stream, uint64_t pipe, uint32_t *index);
void ledger_remove(struct ledger *st, uint32_t index);
struct held ledger_held(const struct ledger *st, uint32_t index);

/* The batch is begun: from here on a successor takes it up. ledger_done() ends it. */
void ledger_begin(struct ledger *st, struct batch batch);
void ledger_done(struct ledger *st, uint32_t index, struct held next);

void ledger_rebase(struct ledger *st, uint64_t device, uint64_t inode, uint64_t size);     /* begun again, in this file */

/* Rooms for held bytes. Of the two kinds the small ones do for most. */
#define SMALL_ROOM 4096u
#define SMALL_ROOMS 1024u
bool ledger_room(struct ledger *st, size_t n, uint32_t *room);    /* false: none is left, or no memory */
bool ledger_has_rooms(const struct ledger *st);                   /* as many as one batch may take */
char *ledger_bytes(struct ledger *st, uint32_t room);
size_t ledger_room_size(const struct ledger *st, uint32_t room);
void ledger_free(struct ledger *st, uint32_t room);

/* ---- batch.c ---- */

size_t batch_read(struct logger *l, struct writer *w, uint32_t index, int fd);          /* bytes; 0: there were none */
void batch_run(struct logger *l, struct writer *w, uint32_t index, enum batch_op op);   /* what the stream holds */
void batch_end(struct logger *l, struct writer *w, uint32_t index);                     /* its line ends here, if it has begun one */
void batch_undo(struct logger *l);              /* what a predecessor has written of the batch that it had in hand */
void batch_recover(struct logger *l);           /* that batch, once more */

/* ---- stream.c ---- */

struct stream {
	struct source source;           /* its pipe */
	struct writer *writer;
	struct stream *next;
	uint32_t index;                 /* in the ledger */
	uint64_t spoke_ms;
};

void stream_attach(struct logger *l, const struct log_packet *p, int fd);       /* fd is its to close */
void streams_settle(struct logger *l);          /* PID 1 has told of all there are: what is left of others ends */
void streams_open(struct logger *l);
size_t streams_drain(struct logger *l, const struct writer *w);  /* all that is in the pipes now; NULL: of everybody. How many bytes */
void streams_end(struct logger *l, const struct writer *w);      /* the service has died: what is unfinished ends here */
void streams_write_out(struct logger *l, const struct writer *w);        /* what is unfinished, as a piece */

/* ---- store.c, place.c, folder.c, rotate.c, finish.c, move.c ---- */

struct place {
	int fd;                         /* -1: none */
	dev_t device;
	ino_t inode;
	bool is_run;                    /* it is /run, until /var/log is there */
	struct logpolicy_limits limits;
};

struct store {
	struct place place;
	uint64_t tick;                  /* counts uses of files */
	uint32_t n_open;
	bool in_batch;                  /* no file may be rotated now */
	int failed;                     /* why nothing could be written last, as told */
	uint64_t failed_ms;             /* and when that was */
	struct timer look;              /* whether a better place has come */
	uint64_t looked_ms, wait_ms;
	int refused, moved;             /* why the base cannot be used, and nothing be moved to it, as told last */
	uint64_t move_at_ms, move_wait_ms;      /* not before, for a copy of all that did not fit was just taken back */
	gid_t group;                    /* adm, or root */
	/* Rotated files, and the bytes of each writer. */
	struct logpolicy_file *files;
	size_t n_files, files_cap;
	uint64_t *unit_bytes;           /* by writer's id, WRITERS_MAX of them */
	uint64_t all_bytes;
	uint64_t aged_ms;               /* when ages were looked at last */
	/* The file that is being compressed. */
	pid_t child;
	uint64_t child_time_us;
	uint32_t child_unit;
	uint8_t child_form;
};

/* What is in front of a text is the same for most lines of a read: made once for each priority. */
struct heads {
	uint64_t time_us;
	uint32_t generation, pid;
	uint8_t stream;
	uint16_t made;                  /* a bit for each */
	struct head {
		uint8_t n;
		char text[LOGLINE_HEAD_MAX];
	} of[2 * N_LOG_PRIORITY];
};

bool store_open(struct logger *l);
void store_close(struct logger *l);
void store_line(struct logger *l, struct writer *w, const struct logline *line);

bool store_current(struct logger *l, struct writer *w); /* opens the current file */

/* It is open, and n bytes more may go to it; false when it is not ours to write. */
bool store_prepare(struct logger *l, struct writer *w, uint64_t n);
void store_shut(struct logger *l, struct writer *w);    /* closes the current file */

/* place.c */
void place_settle(struct logger *l);                    /* finds one; what a predecessor left in /run moves to it */
void place_move(struct logger *l);                      /* to where the lines are meant to be, if that can be */
void place_look(struct logger *l, struct timer *t);

bool writes_all(int fd, const char *p, size_t n, size_t *written);       /* as far as it goes; errno */

int folder_base(const char *path, bool is_made);        /* descriptor, or -errno; -ELOOP, -EPERM: not ours */
int folder_unit(const struct store *s, int base, const char *name, bool is_made);
int folder_current(const struct store *s, int folder, struct stat *st);
const char *folder_refusal(int error);

void inventory_scan(struct logger *l);
void inventory_add(struct logger *l, uint32_t unit, uint64_t time_us, uint64_t size, enum logfile_form form);
int rotate_as(int folder, uint64_t *time_us);           /* `current` gets a name of that time, or a little later */
int rotate(struct logger *l, struct writer *w, int folder);
void retire(struct logger *l);                          /* deletes files as the limits say */
bool retire_one(struct logger *l);                      /* the oldest of all; false when there is none */
uint64_t last_time(int fd, uint64_t size, uint32_t line_max);
uint64_t first_time(int fd);

#define FILE_IS_FINISHED 1              /* flags: on the disk for good, compressed if it will ever be */
void finish_next(struct logger *l);     /* compresses a rotated file, if none is at it */
void finish_known(struct logger *l);
void finish_reap(struct logger *l);

int move_over(struct logger *l, int from, int to);

/* ---- stdout.c ---- */

void stdout_line(struct logger *l, const struct writer *w, const struct logline *line);
void stdout_write(struct logger *l);
uint32_t stdout_line_max(const struct writer *w);

/* ---- wire.c, deaths.c ---- */

typedef void wire_take(struct logger *l, const struct packet *p, int fd);       /* fd: that came with it, and is its to close, or -1 */

struct wire {
	struct source source;
	struct timer again;
	uint32_t wait_ms;
	uint8_t verb;
	bool is_refused;                /* and that was told */
	wire_take *take;
};

void wire_open(struct logger *l, struct wire *w, enum verb verb, wire_take *taker);
void wire_serve(struct logger *l, struct wire *w);      /* all that has come by now */
void death_take(struct logger *l, const struct packet *p, int fd);

#define DEATHS_NOTED 64
struct deaths {
	struct { uint64_t id; uint8_t cause; } noted[DEATHS_NOTED];
};

/* ---- sync.c ---- */

#define ASKERS_MAX 8            /* who may ask at a time */

struct sync {
	struct source source;
	struct source askers[ASKERS_MAX];
	uint32_t next;                  /* to go, when there is no place */
};
void sync_open(struct logger *l);

/* ---- copies.c ---- */

struct copies {
	struct tap tap;
	int kmsg, console;              /* -1: not open */
};
void copies_open(struct logger *l);

/* ---- notify.c ---- */

void notify_say(struct str text, int fd);       /* with a descriptor, or -1 */

/* ---- the whole ---- */

#define BUCKETS 1024u

struct options {
	const char *base, *run, *socket, *conf;
	const char *sockets, *dev_log;     /* the folder of the sockets of syslog and journal; "": none. The link to the former */
	bool is_stdout;
};

struct logger {
	struct options options;
	struct settings settings;
	int epoll;
	struct epoll_event told[64];    /* by epoll_wait(2), in this round */
	int told_at, n_told;
	uint64_t round_ms;              /* when it was */
	struct timer *timers;
	struct source signals;
	bool is_leaving;
	bool is_ready;                  /* READY=1 is said */
	struct tap *taps;
	struct drain *drains;
	struct writer **writers;        /* by id */
	uint32_t n_writers, writers_cap;
	struct writer *buckets[BUCKETS];
	struct writer *others;          /* LOGFILE_SYSTEM */
	struct timer rates;
	struct ledger ledger;
	struct stream *streams;
	struct timer silence;
	int glance[2];                  /* a pipe to look at the first byte of another one */
	struct buf out;
	struct writer *out_writer;      /* whose lines stand in out */
	uint64_t out_first_us, out_last_us;     /* times of the first and the last of them */
	struct heads heads;
	struct store store;
	struct wire logs, death_wire;
	struct deaths deaths;
	struct sync sync;
	struct copies copies;
};

void loop_run(struct logger *l);
void loop_settle(struct logger *l);     /* lines to their files, copies to whoever has them */

void settings_read(struct settings *s, const char *path);

#endif
