/*
 * oomph-log: what services write, into files. One thread, one epoll loop; it blocks in write(2) to its files and nowhere else.
 *
 *     PID 1 --wire.c--> pipes --stream.c--> logsplit --> log_put() --> store.c: BASE/UNIT/current (or --stdout)
 *     /dev/log, journal socket, sync socket: a struct source each -----^   \--> taps: forwarders, kmsg, console
 *
 * Every line passes log_put(): it drops what LogLevelMax= and the rate limit say, hands the line to the taps, and appends it to the
 * unit's file. Lines stand in one output buffer until it is full, a line of another unit comes, or the loop is about to wait;
 * then they are written with one write(2). log_flush() does so at once.
 */
#ifndef OOMPH_LOG_H
#define OOMPH_LOG_H

#include "logfile.h"
#include "logline.h"
#include "proto.h"

struct logger;

/* ---- loop.c: descriptors and deadlines ---- */

/* Something to listen to. Embed it, set fd and ready, and watch it; `ready` finds its owner by its address. */
struct source {
	int fd;                         /* -1: none */
	void (*ready)(struct logger *l, struct source *s, uint32_t events);     /* events of epoll(7), level-triggered */
};
int source_watch(struct logger *l, struct source *s, uint32_t events);          /* 0 or -errno; the fd stays the caller's on failure */
int source_change(struct logger *l, struct source *s, uint32_t events);
void source_close(struct logger *l, struct source *s);                          /* closes the fd as well; s may be freed afterwards */

/* A deadline in ms of CLOCK_MONOTONIC. Set at_ms at any time after timer_add(); 0 is never. `due` is called once at_ms has passed, which is then 0. */
struct timer {
	uint64_t at_ms;
	void (*due)(struct logger *l, struct timer *t);
	struct timer *next;
};
void timer_add(struct logger *l, struct timer *t);

uint64_t now_ms(void);                  /* CLOCK_MONOTONIC */
uint64_t now_us(void);                  /* CLOCK_REALTIME: of a line's time_us */

/* One line on standard error, which is PID 1's console. */
__attribute__((format(printf, 1, 2))) void complain(const char *format, ...);

/* ---- settings.c: /etc/oomph.conf, [Log] ---- */

#define LOG_ADDRESS_MAX 256

struct settings {
	uint64_t max_use, runtime_max_use;      /* bytes; SystemMaxUse=, RuntimeMaxUse=; 0: unset */
	uint64_t service_max_use;               /* X-ServiceMaxUse=; 0: unset */
	uint64_t file_max;                      /* SystemMaxFileSize= */
	uint64_t retention_us, file_us;         /* MaxRetentionSec=, MaxFileSec=; 0: for ever */
	uint32_t line_max;                      /* LineMax=: bytes of text */
	bool wants_compress;                    /* Compress= */
	char forward_syslog[LOG_ADDRESS_MAX];   /* ForwardToSyslog=: "udp:HOST:PORT", "tcp:HOST:PORT"; "": none */
	char forward_json[LOG_ADDRESS_MAX];     /* ForwardToJSON=: a FIFO's path, "unix:PATH"; "": none */
};

/* ---- writer.c: who writes lines, and how they are to be kept ---- */

/* Of a unit that PID 1 has told of, its settings; else the defaults. It lives as long as the logger. */
struct writer {
	char *name;                     /* "db.service", or LOGFILE_SYSTEM */
	char *identifier;               /* SyslogIdentifier=; "": none */
	bool is_known;                  /* PID 1 has handed over a pipe of it */
	uint8_t level_max;              /* LogLevelMax= */
	struct writer *next;
	struct writer_log *log;         /* writer.c's, store.c's */
};

/* The unit of this name, made where there is none. What can be no folder's name (a climbing one, say) is LOGFILE_SYSTEM. */
struct writer *writer_of(struct logger *l, struct str name);
struct writer *writer_find(struct logger *l, struct str name);      /* NULL: none of that name is here */

/* ---- lines ---- */

/*
 * Keeps a line of `w`: drops it by level or rate, hands it to the taps, appends it to the unit's file. The text is only looked at
 * during the call; it may hold any byte but a line feed (log_put_text() cuts at those). One longer than LineMax= is written in pieces.
 */
void log_put(struct logger *l, struct writer *w, const struct logline *line);

/* A text of several lines, each with the head that `line` gives. */
void log_put_text(struct logger *l, struct writer *w, const struct logline *line);

/* The logger's own words into a unit's log, as LOG_NOTE; neither level nor rate hold for them. */
__attribute__((format(printf, 4, 5))) void log_note(struct logger *l, struct writer *w, uint8_t priority, const char *format, ...);

/* All that stands in the output buffer, into its file. */
void log_flush(struct logger *l);

/* Whoever gets a copy of each line that is kept (forward.c). `flush` is called before the loop waits, and may be NULL. */
struct tap {
	void (*line)(struct logger *l, struct tap *t, const struct writer *w, const struct logline *line);      /* must not put lines itself */
	void (*flush)(struct logger *l, struct tap *t);
	struct tap *next;
};
void log_tap(struct logger *l, struct tap *t);

/*
 * Who is called when everything that was written up to now has to be in the files ("sync", SIGTERM): reads its sockets until
 * they are empty, within reason.
 */
struct drain {
	void (*drain)(struct logger *l, struct drain *d);
	struct drain *next;
};
void log_drain(struct logger *l, struct drain *d);

const struct settings *log_settings(const struct logger *l);

#endif
