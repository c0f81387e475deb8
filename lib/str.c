#include "str.h"

#include <string.h>

struct str str_from(const char *s)
{
	return s ? (struct str){ s, strlen(s) } : (struct str){ "", 0 };
}

struct str str_of(const char *p, size_t n)
{
	return (struct str){ p, n };
}

bool str_eq(struct str a, struct str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

int str_order(struct str a, struct str b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int order = n ? memcmp(a.p, b.p, n) : 0;
	return order ? order : (a.n > b.n) - (a.n < b.n);
}

bool str_starts(struct str s, struct str prefix)
{
	return s.n >= prefix.n && str_eq(str_of(s.p, prefix.n), prefix);
}

bool str_ends(struct str s, struct str suffix)
{
	return s.n >= suffix.n && str_eq(str_skip(s, s.n - suffix.n), suffix);
}

struct str str_skip(struct str s, size_t n)
{
	if (n > s.n)
		n = s.n;
	if (n == 0)
		return s;       /* a zeroed struct is an empty string, too, and NULL + 0 is undefined in C17 */
	return str_of(s.p + n, s.n - n);
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct str str_trim(struct str s)
{
	while (s.n && is_space(s.p[0]))
		s = str_skip(s, 1);
	while (s.n && is_space(s.p[s.n - 1]))
		s.n--;
	return s;
}

size_t str_find(struct str s, struct str needle)
{
	for (size_t i = 0; i + needle.n <= s.n; i++)
		if (str_starts(str_skip(s, i), needle))
			return i;
	return s.n;
}

size_t str_rfind(struct str s, struct str needle)
{
	for (size_t i = s.n + 1; i-- > 0;)
		if (i + needle.n <= s.n && str_starts(str_skip(s, i), needle))
			return i;
	return s.n;
}

size_t str_chr(struct str s, char c)
{
	const char *at = s.n ? memchr(s.p, c, s.n) : NULL;
	return at ? (size_t)(at - s.p) : s.n;
}

bool str_take(struct str *s, struct str prefix)
{
	if (!str_starts(*s, prefix))
		return false;
	*s = str_skip(*s, prefix.n);
	return true;
}

struct str str_until(struct str *s, char sep)
{
	size_t at = str_chr(*s, sep);
	struct str head = str_of(s->p, at);
	*s = str_skip(*s, at + 1);
	return head;
}

bool str_digits(struct str *s, uint64_t *value)
{
	uint64_t v = 0;
	size_t i = 0;
	for (; i < s->n && s->p[i] >= '0' && s->p[i] <= '9'; i++)
		if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, (uint64_t)(s->p[i] - '0'), &v))
			return false;
	if (i == 0)
		return false;
	*s = str_skip(*s, i);
	*value = v;
	return true;
}

bool str_u64(struct str s, uint64_t *value)
{
	return str_digits(&s, value) && s.n == 0;
}

bool str_i64(struct str s, int64_t *value)
{
	bool is_negative = str_take(&s, STR("-"));
	uint64_t v;
	if (!str_u64(s, &v) || v > (uint64_t)INT64_MAX + is_negative)
		return false;
	*value = (int64_t)(is_negative ? -v : v);
	return true;
}

bool str_next(struct str *blob, struct str *word)
{
	if (blob->n == 0)
		return false;
	*word = str_until(blob, '\0');
	return true;
}

unsigned str_distance(struct str a, struct str b)
{
	enum { MOST = 64 };
	uint8_t row[MOST + 1];
	if (a.n > MOST || b.n > MOST)
		return 255;
	for (size_t j = 0; j <= b.n; j++)
		row[j] = (uint8_t)j;
	for (size_t i = 1; i <= a.n; i++) {
		uint8_t diagonal = row[0];
		row[0] = (uint8_t)i;
		for (size_t j = 1; j <= b.n; j++) {
			uint8_t best = (uint8_t)(diagonal + (a.p[i - 1] != b.p[j - 1]));
			diagonal = row[j];
			if (row[j] + 1 < best)
				best = (uint8_t)(row[j] + 1);
			if (row[j - 1] + 1 < best)
				best = (uint8_t)(row[j - 1] + 1);
			row[j] = best;
		}
	}
	return row[b.n];
}

void buf_str(struct buf *b, struct str s)
{
	size_t room = b->cap - b->n;
	if (s.n > room) {
		s.n = room;
		b->is_cut = true;
	}
	if (s.n)
		memcpy(b->p + b->n, s.p, s.n);
	b->n += s.n;
}

void buf_char(struct buf *b, char c)
{
	buf_str(b, str_of(&c, 1));
}

void buf_pad(struct buf *b, uint64_t v, unsigned digits)
{
	char text[20];
	size_t at = sizeof text;
	do
		text[--at] = (char)('0' + v % 10);
	while ((v /= 10) && at > 0);
	while (sizeof text - at < digits && at > 0)
		text[--at] = '0';
	buf_str(b, str_of(text + at, sizeof text - at));
}

void buf_u64(struct buf *b, uint64_t v)
{
	buf_pad(b, v, 1);
}

void buf_i64(struct buf *b, int64_t v)
{
	if (v < 0)
		buf_char(b, '-');
	buf_u64(b, v < 0 ? -(uint64_t)v : (uint64_t)v);
}

struct str buf_view(const struct buf *b)
{
	return str_of(b->p, b->n);
}

const char *buf_cstr(struct buf *b)
{
	if (b->cap == 0)
		return "";
	if (b->n == b->cap) {
		b->n--;
		b->is_cut = true;
	}
	b->p[b->n] = '\0';
	return b->p;
}
