#include "logread.h"

#include <string.h>

/* ---- from the end ---- */

void logback_begin(struct logback *b, char *bytes, size_t size, uint64_t file_size)
{
	*b = (struct logback){ .bytes = bytes, .size = size, .begin = size, .end = size, .at = file_size };
}

/* The last line feed before `end`; false when there is none from `begin` on. */
static bool find_back(const char *bytes, size_t begin, size_t end, size_t *at)
{
	while (end > begin)
		if (bytes[--end] == '\n') {
			*at = end;
			return true;
		}
	return false;
}

enum logback_answer logback_next(struct logback *b, struct str *line, uint64_t *at)
{
	size_t feed, end = b->end;
	bool is_ended = end > b->begin && b->bytes[end - 1] == '\n';
	size_t first = b->begin;
	if (find_back(b->bytes, b->begin, end - is_ended, &feed))
		first = feed + 1;
	else if (b->at > 0)
		return LOGBACK_WANTS;
	else if (end == b->begin)
		return LOGBACK_TOP;
	*line = str_of(b->bytes + first, end - is_ended - first);
	*at = b->at + (first - b->begin);
	b->end = first;
	return LOGBACK_LINE;
}

char *logback_room(struct logback *b, uint64_t *from, size_t *n)
{
	size_t kept = b->end - b->begin;
	if (b->end < b->size) {
		memmove(b->bytes + b->size - kept, b->bytes + b->begin, kept);
		b->begin = b->size - kept;
		b->end = b->size;
	}
	if (b->begin == 0)
		return NULL;
	*n = b->at < b->begin ? (size_t)b->at : b->begin;
	*from = b->at - *n;
	return b->bytes + b->begin - *n;
}

void logback_filled(struct logback *b, size_t n)
{
	b->begin -= n;
	b->at -= n;
}

void logback_grown(struct logback *b, char *bytes, size_t size)
{
	b->bytes = bytes;
	b->size = size;
}

/* ---- from a time on ---- */

bool logseek_next(const struct logseek *s, uint64_t *probe)
{
	if (s->high - s->low <= LOGSEEK_NEAR)
		return false;
	*probe = s->low + (s->high - s->low) / 2;
	return true;
}

/* Where that line lies at or behind `high` there is none between: then the caller says late. */
void logseek_early(struct logseek *s, uint64_t line_at)
{
	s->low = line_at;
}

void logseek_late(struct logseek *s, uint64_t probe)
{
	s->high = probe;
}

/* ---- many at once ---- */

static bool is_before(struct logturn a, struct logturn b)
{
	return a.time_us != b.time_us ? a.time_us < b.time_us : a.source < b.source;
}

void logmerge_add(struct logmerge *m, struct logturn turn)
{
	size_t at = m->n++;
	while (at > 0 && is_before(turn, m->turns[(at - 1) / 2])) {
		m->turns[at] = m->turns[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	m->turns[at] = turn;
}

struct logturn logmerge_take(struct logmerge *m)
{
	struct logturn first = m->turns[0], last = m->turns[--m->n];
	size_t at = 0, child;
	while ((child = 2 * at + 1) < m->n) {
		if (child + 1 < m->n && is_before(m->turns[child + 1], m->turns[child]))
			child++;
		if (!is_before(m->turns[child], last))
			break;
		m->turns[at] = m->turns[child];
		at = child;
	}
	m->turns[at] = last;
	return first;
}
