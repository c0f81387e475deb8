/* oomphctl: asks PID 1 over its control socket and puts the answers in words or in JSON. */
#ifndef OOMPH_CTL_H
#define OOMPH_CTL_H

#include <stdio.h>

#include "glyph.h"
#include "incident.h"
#include "logpick.h"
#include "names.h"
#include "proto.h"
#include "say.h"

#define PATIENCE_MS 5000        /* PID 1 never blocks: one that is silent for so long does not answer at all */

/* oomphctl's exit status. */
enum { LEAVE_OK, LEAVE_FAILED, LEAVE_USAGE, LEAVE_NO_UNIT, LEAVE_NO_ANSWER };

enum choice {
	OPTION_ALL = 1 << 0, OPTION_FOLLOW = 1 << 1, OPTION_NUMBER = 1 << 2, OPTION_SIGNAL = 1 << 3,
	OPTION_NO_WAIT = 1 << 4, OPTION_FROM = 1 << 5, OPTION_DUMP = 1 << 6, OPTION_BOOT = 1 << 7, OPTION_LOGS = 1 << 8,
};

/* The command line, understood. */
struct ask {
	const struct subcommand *command;
	char **args;                    /* of the command, n_args of them and a NULL */
	int n_args;
	const char *socket;
	unsigned options;               /* enum choice: those given */
	unsigned long number;           /* OPTION_NUMBER */
	const char *from;               /* OPTION_FROM: a file, or "-" */
	const char *since, *until, *generation, *priority, *pattern, *base;     /* OPTION_LOGS: NULL where not given */
	int signal;                     /* OPTION_SIGNAL */
	bool is_json;
};

/* A row of the one table of commands, main.c. */
struct subcommand {
	const char *name;
	const char *arguments;          /* as in the synopsis */
	const char *help;
	int (*run)(const struct ask *);
	int least, most;                /* arguments */
	unsigned options;               /* enum choice: those it takes */
	uint8_t verb;
	int32_t argument;
};

/* One line on stderr, with the program's name in front. */
__attribute__((format(printf, 2, 3))) _Noreturn void leave(int status, const char *format, ...);

/* ---- wire.c ---- */

struct wire {
	int fd;
	const char *path;
	union packet_space {
		struct packet head;
		struct unit_packet unit;
		struct crash_packet crash;
		struct text_packet text;
		struct death_packet death;
		struct note_packet note;
		struct version_packet version;
		struct incidents_packet incidents;
		struct end_packet end;
		char bytes[PROTO_PACKET_MAX];
	} in, before;                   /* the packet read last, and the one that was waited for before it */
	int descriptor;                 /* that came with it, and is whoever takes it's to close; -1 */
	struct request request;         /* sent last */
	uint64_t last_death;            /* the newest that came */
	bool is_catching_up;            /* asked anew after an upgrade of PID 1: what came before comes again */
};

typedef void wire_take(struct wire *w, void *to);

bool wire_try(struct wire *w, const struct ask *ask);   /* false, and errno: nobody is there */
void wire_open(struct wire *w, const struct ask *ask);
void wire_close(struct wire *w);

/* Whether the process 1 that was asked is that of where we are, whose files we find. Another oomph, a container's say, has its own. */
bool wire_is_ours(const struct wire *w);
void wire_send(struct wire *w, const struct request *r);

/* The next packet into w->in; false when `ms` (-1: no limit) pass without one. Leaves with 4 when PID 1 has gone. */
bool wire_next(struct wire *w, int ms);

/* Sends `r`, hands every packet of the answer to `take` (or NULL), returns the END's. Leaves with 4 on silence. */
enum answer wire_exchange(struct wire *w, const struct request *r, wire_take *take, void *to);

/* The folder of the control socket, where other things of the same process 1 are. */
struct str wire_folder(const struct ask *ask);

/*
 * As wire_next, as long as it takes; but a PID 1 that does not answer either is told from one that has no news. Who follows is asked for
 * again when another PID 1 has taken over, and gets no death twice.
 */
void wire_wait(struct wire *w, const struct ask *ask);

/* ask's verb, and its unit when it names one. */
struct request request_of(const struct ask *ask, const char *unit);

/* Leaves with the line that fits any answer but ANSWER_OK. */
void expect_ok(enum answer answer, const struct ask *ask, const char *unit);

/* ---- json.c ---- */

struct json {
	FILE *out;
	bool has_member;                /* a comma is due */
};

void json_open(struct json *j, FILE *out);
void json_close(struct json *j);                /* and the line's end */
void json_text(struct json *j, const char *key, struct str raw);
void json_text_or_null(struct json *j, const char *key, struct str raw);        /* "" is null */
void json_number(struct json *j, const char *key, uint64_t v);
void json_signed(struct json *j, const char *key, int64_t v);
void json_bool(struct json *j, const char *key, bool v);
void json_null(struct json *j, const char *key);
void json_array(struct json *j, const char *key);
void json_end_array(struct json *j);
void json_item(struct json *j, struct str raw);
void json_object(struct json *j, const char *key);
void json_end_object(struct json *j);
void json_time(struct json *j, const char *key, uint64_t wall_ms);
void json_decimal(struct json *j, const char *key, struct str digits);  /* "0.12" as it stands; null when it is none */

/*
 * The values of some members of the object that a line is, as they stand; NULL p: it has none of that name. False when the
 * line is no whole object: what a crash left half written is not.
 */
bool json_read(struct str line, const char *const *keys, struct str *values, size_t n);
struct str json_string(struct str value, char *to, size_t size);        /* what a quoted value says, cut */

/* ---- view.c: the objects of the protocol as JSON ---- */

struct notes {
	char (*lines)[512];
	size_t n;
};

void view_unit_json(const struct unit_packet *p, const struct notes *notes);
void view_death_json(const struct death *d);
void view_death_members(struct json *j, const struct death *d);

/* A kill as a log tells of it: when in the log's words ("" is null), the line's number, the record's (NULL is null). */
void view_kill_json(const struct oom_kill *k, const char *when, uint64_t line, const uint64_t *seq);
void view_note_json(const struct note *n, const struct death *d);      /* d: the death it tells of, or NULL */

/* ---- record.c, ring.c: deaths with what was kept of their incidents (incident.h) ---- */

struct ring {
	struct incident_ring *bytes;    /* a copy; the number of a slot that was being written is 0. NULL: there is none */
	char boot_id[40];
	bool has_logs;                  /* logs_are_here() */
};

void ring_read(struct ring *r, int fd);
void ring_ask(struct ring *r, struct wire *w);          /* PID 1's */
const struct victim_slot *ring_victim(const struct ring *r, uint64_t number);
const struct victim_slot *ring_death(const struct ring *r, uint64_t id);
const struct incident_slot *ring_incident(const struct ring *r, const struct victim_slot *v);  /* NULL: not kept any more */

/* The whole record as a line of JSON, the heap's. With is_told_once the cause stands with the incident's first death alone. */
char *record_line(const struct ring *r, const struct victim_slot *v, bool is_told_once);
void record_facts(FILE *out, const struct victim_slot *v, const struct incident_slot *slot);    /* lines for people */

/* ---- keep.c: the files that hold them ---- */

#define RECORDS_FOLDER "/var/lib/oomph"
#define RECORDS_FILE RECORDS_FOLDER "/incidents.jsonl"
#define RECORDS_OLD RECORDS_FILE ".1"
#define RECORDS_FILE_MAX (1u << 20)     /* some hundred of them; with the older file twice as much, and no more */

int record_main(const struct ask *ask);

/* The file of a unit's last record, beside the control socket. */
void record_path(char *to, size_t size, const char *folder, const char *unit);

/* ---- words.c: the same for people ---- */

struct line {
	char text[1024];
};

struct line line_death(const struct death *d);
struct line line_cause(const struct death *d);
struct line line_note(const struct note *n);
struct line line_warning(unsigned step, int error);
struct line line_unmet(const char *condition);
struct line line_reason(const struct death *d);
struct line line_evidence(const struct death *d);
struct line line_ms(uint64_t ms);
struct line line_kb(uint64_t kb);
struct line line_raw(const char *raw);
struct line line_text(const char *text);
struct line line_unit(const char *unit);
void print_text(FILE *out, struct str text, bool is_terminal);    /* as it is, but on a terminal with \x1b and \u202e for what is harmful */

struct line line_time(const char *format, uint64_t wall_ms);     /* strftime(3), local time */

/* ---- logs_last.c: what services have written ---- */

/* What the logger still has of a unit, NULL: of all, shall be in the files. The folder is that of the control socket. */
void logs_sync(struct str folder, const char *unit);
bool logs_are_here(const struct wire *w);       /* the logs that we find are those of this process 1's units */
void logs_print_last(const char *unit, size_t n);

/* A service's last lines before a death, its commands' and workers' as well. */
struct last_words {
	size_t n;
	struct last_word {
		uint64_t time_us;
		size_t n;
		char text[LAST_WORD_MAX];
	} list[LAST_WORDS];
};

void last_words(struct last_words *words, const char *unit, const struct death *d, uint64_t pid1_since_ms);
void last_words_json(struct json *j, const struct last_words *words);
void last_words_print(FILE *out, const struct last_words *words);

/* ---- the commands ---- */

int list_main(const struct ask *ask);
int status_main(const struct ask *ask);
int crashes_main(const struct ask *ask);
int upgrade_main(const struct ask *ask);
int change_main(const struct ask *ask);         /* start, stop, restart */
int reload_main(const struct ask *ask);
int kill_main(const struct ask *ask);
int deaths_main(const struct ask *ask);
int oom_main(const struct ask *ask);
int from_main(const struct ask *ask);            /* oom --from */
int why_main(const struct ask *ask);
int logs_main(const struct ask *ask);
int events_main(const struct ask *ask);
int verify_main(const struct ask *ask);
int power_main(const struct ask *ask);
int version_main(const struct ask *ask);

/* A unit's status as it arrives: the packet, the lines said of its file, its last death (id 0: none is kept). */
struct standing {
	struct unit_packet unit;
	struct notes notes;
	struct death death;
};

void standing_ask(struct wire *w, const struct ask *ask, const char *unit, struct standing *s);

#endif
