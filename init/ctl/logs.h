/*
 * The parts of `oomphctl logs`. A *source* is the folder of a unit's log: its files, one after the other, are one stream of *entries*,
 * and the streams of all sources are merged. Memory is bounded by the number of sources, whatever is in the files.
 */
#ifndef OOMPH_CTL_LOGS_H
#define OOMPH_CTL_LOGS_H

#include "ctl.h"
#include "logfile.h"
#include "logpick.h"
#include "logread.h"

#include <regex.h>
#include <sys/types.h>

#define ENTRY_MAX (1u << 20)            /* a text that was cut is put together up to here; what is more is another entry */
#define LINE_HELD_MAX (4u << 20)        /* a longer line, which only somebody else can have written, comes in parts */
#define UNPACKERS_MAX 32                /* zstd and gzip at work at the same time: each takes some megabytes */

void *log_room(void *old, size_t n);    /* realloc(3), which succeeds */

/* ---- logs_file.c: a file's lines, whatever packs it ---- */

struct log_file {
	char *path;
	int fd;                         /* -1: none is open */
	enum logfile_form form;
	pid_t child;                    /* that unpacks it; 0: none is at work */
	int pipe;                       /* from the child */
	bool has_ended;                 /* nothing more comes out of a packed one */
	char *bytes;
	size_t begin, end, size;        /* what was read and not handed out */
	uint64_t at;                    /* where in the text `begin` is */
};

int log_file_open(const char *path);            /* a descriptor; only of a regular file */
bool log_file_is(int fd, const char *path);     /* that it is the file that has this name now */
void log_file_begin(struct log_file *f, const char *path, int fd, enum logfile_form form);
void log_file_close(struct log_file *f);

/* The next line, without its line feed, and where it begins. It may be written to up to its end and one byte more, until the next call. */
bool log_file_line(struct log_file *f, bool takes_torn, struct str *line, uint64_t *at);

/* Where the first line is whose time is not before `us`: read from there on. Of a file that is not packed. */
uint64_t log_file_seek(int fd, uint64_t us);

/* ---- logs_back.c: the lines of a plain file from its end ---- */

struct log_back {
	int fd;                         /* the caller's */
	struct logback window;
};

void log_back_begin(struct log_back *b, int fd, uint64_t size);
bool log_back_line(struct log_back *b, struct str *line, uint64_t *at);         /* may be written to as one of log_file_line() */
void log_back_end(struct log_back *b);

uint64_t log_lines_end(int fd, uint64_t size);          /* behind the last line feed: what is there is being written, or torn */
uint64_t log_text_begin(int fd, uint64_t line_at);      /* where the texts begin that were cut and end at that line or behind it */

/* ---- logs_source.c ---- */

struct log_unit {
	char *name;                     /* the folder's */
	uint32_t generation;            /* of the line that was shown last; 0: not told yet */
	bool has_note;                  /* and a note came behind it */
	uint64_t shown_us[2];           /* of the line that was shown last, by base */
};

struct entry {
	struct logline line;            /* with its text whole, unless it is cut */
	uint64_t at;                    /* where in its file its last line begins */
	bool is_foreign;                /* no line of a log, but one that somebody put there: all but the text is that of the line before */
};

struct rotation {
	uint64_t time_us;
	enum logfile_form form;
};

/* A text whose end has not come yet. */
struct joining {
	struct logline first;
	struct buf text;
	uint64_t at;                    /* of its last line */
	bool is_open;
};

/*
 * What is wanted of all sources. Times rise from line to line, but where somebody has set the clock back: by so much may a line be
 * older than one before it, and be found all the same.
 */
#define SET_BACK_US UINT64_C(600000000)
struct log_wish {
	struct logpick pick;
	uint64_t from_us, to_us;        /* pick's times with that leeway: what is outside is not even looked at */
	regex_t pattern;
	bool has_pattern;
	bool follows;
};

struct log_source {
	const struct log_wish *wish;
	struct log_unit *unit;
	unsigned base;                  /* which of the folders of all logs it lies in */
	char *folder;
	struct rotation *rotations;     /* behind passed_us, the oldest first */
	size_t n_rotations, next;
	uint64_t passed_us;             /* the rotation begun last: what is older is over */
	struct log_file file;
	bool is_current;                /* the open file is the one that is written to */
	bool is_left;                   /* or was, until it was rotated */
	bool is_over;                   /* nothing more is wanted */
	bool is_one_file;               /* the open file is all that is wanted */
	bool is_stale;                  /* something has happened in the folder */
	uint64_t show_from;             /* entries that end before it, in the file that is opened first, were not asked for */
	char head[27];                  /* the time of the file's first line, as it stands there */
	ino_t head_of;
	struct joining joins[N_LOG_STREAM];
	struct logline last;            /* the line read last */
	uint64_t turn_us;               /* by which it is merged: never falls */
	struct entry entry;             /* the one that is next */
	int watch;
};

void log_source_begin(struct log_source *s, const struct log_wish *wish, struct log_unit *unit, const char *base, unsigned n_base);
void log_source_list(struct log_source *s);
int log_rotation_open(const struct log_source *s, struct rotation *r, char *path, size_t size);    /* which may have been packed since it was listed */
void log_source_path(const struct log_source *s, const struct rotation *r, char *to, size_t size);      /* r NULL: `current` */
void log_source_take(struct log_source *s, const char *path, int fd);    /* `current`, opened by the caller */
void log_source_resume(struct log_source *s);           /* after that, with show_from set */
struct logline log_line_above(uint64_t passed_us);      /* as if it stood in front of a file: the file before ended then */
bool log_source_next(struct log_source *s);             /* into s->entry; false: at its end, or for now */
void log_source_refresh(struct log_source *s);          /* before the next one, when something has happened */
void log_source_end(struct log_source *s);

bool log_matches(const struct log_wish *wish, struct str text);         /* the byte behind the text is overwritten */

/* A file cannot be read: told once, and the exit status is 1. */
void log_trouble(const char *path, const char *what);
extern bool log_has_trouble, log_is_quiet;

/* ---- logs_tail.c: where to begin so that the last n entries of all come ---- */

void log_tail(struct log_source **sources, size_t n_sources, uint64_t n);

/* ---- logs_show.c ---- */

struct log_show {
	FILE *out;
	bool is_json, is_terminal, has_colours, has_units;
	int width;                      /* of the units' column */
	uint64_t second;                /* that `clock` tells of */
	char clock[32];
	struct buf json;                /* room for a line */
};

void log_show(struct log_show *show, struct log_unit *unit, const struct entry *e);

/* Between us and the terminal; false: there is none. */
bool log_pager_open(void);
int log_pager_close(int status);

/* ---- logs.c ---- */

#define LOG_BASES_MAX 2

struct logs {
	struct log_wish wish;
	const char *bases[LOG_BASES_MAX];
	size_t n_bases;
	char **wanted;                  /* folders; n_wanted 0: all */
	size_t n_wanted;
	struct log_unit **units;
	size_t n_units;
	struct log_source **sources;    /* the room for pointers is of size room */
	size_t n_sources, room;
	struct logmerge merge;
	bool is_live;                   /* what there was has been shown: what comes is new */
	void (*take)(struct log_unit *unit, const struct entry *e, void *to);
	void *to;
};

void logs_begin(struct logs *l, const char *base);      /* NULL: where the environment says, or where oomph-log writes */
void logs_want(struct logs *l, const char *unit);
void logs_scan(struct logs *l);                 /* adds the sources that are new */
void logs_run(struct logs *l);                  /* hands out what there is */

/* ---- logs_follow.c ---- */

void logs_watch(struct logs *l);                /* before the first run, so that nothing is missed */
_Noreturn void logs_follow(struct logs *l);

/* ---- logs_time.c ---- */

uint64_t log_time_option(const char *word);     /* microseconds since 1970; leaves when it is none */
uint64_t log_boot_us(void);                     /* when this process 1 began */

#endif
