/*
 * How log files are read without reading all of them: lines from the end of one, the place in one where a time begins, and the lines
 * of many in the order of their times. Whoever has the files brings the bytes.
 */
#ifndef OOMPH_LOGREAD_H
#define OOMPH_LOGREAD_H

#include "str.h"

/* ---- from the end ---- */

/* A window on a file. It moves towards the front, and what has been handed out behind it is forgotten. */
struct logback {
	char *bytes;                    /* the caller's, of `size` bytes */
	size_t size;
	size_t begin, end;              /* what is in it and was not handed out */
	uint64_t at;                    /* where in the file `begin` is */
};

void logback_begin(struct logback *b, char *bytes, size_t size, uint64_t file_size);

enum logback_answer {
	LOGBACK_LINE,                   /* and where it begins; without its line feed, which the last of a file may not have */
	LOGBACK_WANTS,                  /* the bytes before: logback_room() */
	LOGBACK_TOP,                    /* that was the first */
};
enum logback_answer logback_next(struct logback *b, struct str *line, uint64_t *at);

/*
 * Where to read to: *n bytes of the file from *from on, and logback_filled() when they are there. NULL: the line begun fills
 * the window, which has to grow (logback_grown()).
 */
char *logback_room(struct logback *b, uint64_t *from, size_t *n);
void logback_filled(struct logback *b, size_t n);
void logback_grown(struct logback *b, char *bytes, size_t size);        /* realloc(3)ed */

/* ---- from a time on ---- */

/* A search by halves. It believes that times rise, as those of a file do while nobody sets the clock back. */
struct logseek {
	uint64_t low, high;             /* lines that begin before low are too early; one at high or behind it is late enough */
};

#define LOGSEEK_NEAR 65536              /* closer is not worth another read: lines from low on are looked at one by one */

/* Where to look next: at the first line that begins behind that place. False: read from low on. */
bool logseek_next(const struct logseek *s, uint64_t *probe);
void logseek_early(struct logseek *s, uint64_t line_at);        /* a line is there, and it is too early */
void logseek_late(struct logseek *s, uint64_t probe);           /* the line is late enough, or there is none */

/* ---- many at once ---- */

struct logturn {
	uint64_t time_us;
	uint32_t source;
};

/* A heap: first is whoever has the smallest time, and of those with the same time the smallest number. */
struct logmerge {
	struct logturn *turns;          /* the caller's, room for each source once */
	size_t n;
};

void logmerge_add(struct logmerge *m, struct logturn turn);
struct logturn logmerge_take(struct logmerge *m);

#endif
