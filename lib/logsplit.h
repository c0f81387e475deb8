/*
 * Bytes of a stream into lines, over any number of reads.
 *
 * A line ends with a line feed, which is all that is taken from it: NUL bytes and whatever else is no text stay as they are. One of
 * more than line_max bytes comes in pieces, each but the last of them marked is_cut, of one priority. What stands behind the last
 * line feed of a read is held until its line is complete, until it is longer than a line may be, or until somebody asks for it:
 *
 *     logsplit_flush(.., false)       the stream has been silent for a second, the logger is asked for all there is, or leaves: the
 *                                     piece is marked is_cut, and what follows is its continuation, if need be an empty line
 *     logsplit_flush(.., true)        the service has died, or the pipe is gone: the line ends there
 *
 * A marker (logline.h) ends whatever was before it, and is no line itself. So behind a piece that is cut there always comes another
 * of the same line, an empty one if nothing else is left of it.
 *
 * Nothing is copied but what is held. The text of a line points into the bytes read, or into what is held.
 */
#ifndef OOMPH_LOGSPLIT_H
#define OOMPH_LOGSPLIT_H

#include "logline.h"

#define LOGSPLIT_LINE_LEAST 128         /* line_max: or a marker and a cut character would not fit beside it */

/* Room for what is held, so that a line which two reads share is in one place. Where n_held + the next line fit in less, less will do. */
#define LOGSPLIT_ROOM(line_max) (2 * (size_t)(line_max))

/* A stream between two reads. Flat, and without a pointer: it outlives the logger. */
struct logsplit_state {
	uint32_t generation, pid;       /* as the last marker had them */
	uint32_t n_held;
	uint8_t priority;               /* of the line that goes on */
	bool goes_on;                   /* a piece of the line is out already */
	uint8_t zero[2];
};

struct logsplit_rules {
	const char *token;              /* of markers, LOG_TOKEN_SIZE of it */
	uint32_t line_max;
	uint8_t level;                  /* of a line that has no prefix */
	bool has_prefix;                /* "<4>text" tells a priority */
};

/* One read in hand. */
struct logsplit {
	struct logsplit_state *state;
	const struct logsplit_rules *rules;
	char *held;                     /* state->n_held bytes, and room; may be NULL when nothing is held */
	struct str in;                  /* not looked at yet */
	struct str line;                /* a complete one, of which pieces are still to come */
	bool has_line;
	bool has_marker;                /* behind that line */
	struct log_marker marker;
};

struct logsplit logsplit_open(struct logsplit_state *state, const struct logsplit_rules *rules, char *held, struct str in);

/*
 * The next line: all of it but time and stream. When there is none, all is held, or s->in is what the caller has to hold: to put
 * into a room of its own, and to tell in n_held. (Not the room of before: as long as the caller has not said that this read is
 * done with, it may want to begin it anew.)
 */
bool logsplit_next(struct logsplit *s, struct logline *line);

/* How many of `in`'s bytes belong to the line that is held, its line feed not counted. */
size_t logsplit_first(struct str in);

/* What is held, as a line; false when there is none. */
bool logsplit_flush(struct logsplit *s, bool is_end, struct logline *line);

#endif
