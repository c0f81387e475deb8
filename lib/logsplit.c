#include "logsplit.h"

#include <string.h>

#define MARKER (LOG_MARKER_SIZE - 1)    /* what of a marker stands before its line feed */
#define CHARACTER 3                     /* UTF-8: bytes of a character that may lack its last */

/*
 * How much of an unfinished line is held at most. Less than a line may have: what is held may grow by a marker and a character that
 * are not all there yet, and still has to fit in one piece.
 */
static size_t hold_max(const struct logsplit *s)
{
	return s->rules->line_max - MARKER - 2 * CHARACTER;
}

struct logsplit logsplit_open(struct logsplit_state *state, const struct logsplit_rules *rules, char *held, struct str in)
{
	return (struct logsplit){ .state = state, .rules = rules, .held = held, .in = in };
}

size_t logsplit_first(struct str in)
{
	return str_chr(in, '\n');
}

/* ---- where to cut ---- */

/* Not within a character, if it can be helped: `n`, or up to three bytes less. */
static size_t before_character(const char *p, size_t n)
{
	for (size_t back = 1; back <= CHARACTER && back < n; back++) {
		unsigned char c = (unsigned char)p[n - back];
		if ((c & 0xc0) == 0x80)
			continue;
		size_t whole = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc0 ? 2 : 1;
		return whole > back ? n - back : n;
	}
	return n;
}

/* Where the beginning of a marker stands whose rest is still to be read; n: nowhere. */
static size_t before_marker(const struct logsplit *s, const char *p, size_t n)
{
	size_t from = n > MARKER ? n - MARKER : 0;
	const char *nul = n ? memchr(p + from, '\0', n - from) : NULL;
	while (nul) {
		size_t rest = (size_t)(p + n - nul);
		if (log_marker_begins(str_of(nul, rest), s->rules->token))
			return (size_t)(nul - p);
		nul = memchr(nul + 1, '\0', rest - 1);
	}
	return n;
}

/* The piece to take of an unfinished line of n bytes, more than may be held. */
static size_t piece_of(const struct logsplit *s, const char *p, size_t n)
{
	size_t most = s->rules->line_max;
	size_t end = n > most + MARKER ? most : before_marker(s, p, n);
	return before_character(p, end < most ? end : most);
}

/* ---- pieces ---- */

static void tell(struct logsplit *s, struct str text, bool is_cut, struct logline *line)
{
	struct logsplit_state *state = s->state;
	if (!state->goes_on) {
		state->priority = s->rules->level;
		if (s->rules->has_prefix)
			logline_take_priority(&text, &state->priority);
	}
	line->generation = state->generation;
	line->pid = state->pid;
	line->priority = state->priority;
	line->is_cut = is_cut;
	line->text = text;
	state->goes_on = is_cut;
}

static void take_marker(struct logsplit *s)
{
	if (!s->has_marker)
		return;
	s->state->generation = s->marker.generation;
	s->state->pid = s->marker.pid;
	s->has_marker = false;
}

static bool next_piece(struct logsplit *s, struct logline *line)
{
	size_t n = s->line.n;
	if (n > s->rules->line_max)
		n = before_character(s->line.p, s->rules->line_max);
	s->has_line = n < s->line.n;
	tell(s, str_of(s->line.p, n), s->has_line, line);
	s->line = str_skip(s->line, n);
	if (!s->has_line)
		take_marker(s);
	return true;
}

/* A line is complete. False: there was nothing but a marker. */
static bool begin(struct logsplit *s, struct str whole)
{
	s->line = whole;
	s->has_marker = log_marker_take(&s->line, s->rules->token, &s->marker);
	s->has_line = s->line.n > 0 || !s->has_marker || s->state->goes_on;
	if (!s->has_line)
		take_marker(s);
	return s->has_line;
}

/* ---- the ends of a read ---- */

enum found { NOTHING, A_LINE, A_PIECE };

/* The line that is held goes on with the first k bytes of the input; has_end: which a line feed follows. */
static enum found go_on_with_held(struct logsplit *s, size_t k, bool has_end, struct logline *line)
{
	size_t n = s->state->n_held, room = LOGSPLIT_ROOM(s->rules->line_max), most = s->rules->line_max;
	size_t fits = k < room - n ? k : room - n;
	memcpy(s->held + n, s->in.p, fits);
	if (has_end && n + k <= room) {
		s->state->n_held = 0;
		s->in = str_skip(s->in, k + 1);
		return begin(s, str_of(s->held, n + k)) ? A_LINE : NOTHING;
	}
	/* Its end is farther off than a piece and a marker, or it is not known. */
	size_t piece = n + k > room ? before_character(s->held, most) : n + k > hold_max(s) ? piece_of(s, s->held, n + k) : 0;
	if (piece < n && n + k <= most) {       /* little; or something began before this read and is still not all there */
		s->state->n_held = (uint32_t)(n + k);
		s->in.n = 0;
		return NOTHING;
	}
	if (piece < n)
		piece = most;
	s->state->n_held = 0;
	s->in = str_skip(s->in, piece - n);
	tell(s, str_of(s->held, piece), true, line);
	return A_PIECE;
}

/* Nothing is held, and no line feed is left in the input. */
static enum found cut_rest(struct logsplit *s, struct logline *line)
{
	if (s->in.n <= hold_max(s))
		return NOTHING;
	size_t piece = piece_of(s, s->in.p, s->in.n);
	tell(s, str_of(s->in.p, piece), true, line);
	s->in = str_skip(s->in, piece);
	return A_PIECE;
}

bool logsplit_next(struct logsplit *s, struct logline *line)
{
	for (;;) {
		if (s->has_line)
			return next_piece(s, line);
		if (s->in.n == 0)
			return false;
		const char *feed = memchr(s->in.p, '\n', s->in.n);
		size_t k = feed ? (size_t)(feed - s->in.p) : s->in.n;
		if (s->state->n_held) {
			if (go_on_with_held(s, k, feed, line) == A_PIECE)
				return true;
		} else if (feed) {
			struct str whole = str_of(s->in.p, k);
			s->in = str_skip(s->in, k + 1);
			begin(s, whole);
		} else {
			return cut_rest(s, line) == A_PIECE;
		}
	}
}

bool logsplit_flush(struct logsplit *s, bool is_end, struct logline *line)
{
	size_t n = s->state->n_held;
	if (n == 0 && !(is_end && s->state->goes_on))
		return false;
	s->state->n_held = 0;
	tell(s, str_of(s->held, n), !is_end, line);
	return true;
}
