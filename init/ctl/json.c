#include "ctl.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

static void comma(struct json *j)
{
	if (j->has_member)
		fputc(',', j->out);
	j->has_member = true;
}

static void put_escaped(struct json *j, struct glyph g)
{
	if (g.n == 0)
		fputs("\\ufffd", j->out);
	else if (g.code == '"' || g.code == '\\')
		fprintf(j->out, "\\%c", (char)g.code);
	else
		fprintf(j->out, "\\u%04x", (unsigned)g.code);
}

/* What is harmful to a terminal is escaped as well: JSON is looked at on one, too. */
static void quoted(struct json *j, struct str raw)
{
	size_t at = 0, written = 0;
	fputc('"', j->out);
	while (at < raw.n) {
		struct glyph g = glyph_at(str_skip(raw, at));
		size_t n = g.n ? g.n : 1;
		if (!g.is_harmless || g.code == '"' || g.code == '\\' || g.code == '\t') {
			fwrite(raw.p + written, 1, at - written, j->out);
			put_escaped(j, g);
			written = at + n;
		}
		at += n;
	}
	fwrite(raw.p + written, 1, raw.n - written, j->out);
	fputc('"', j->out);
}

static void member(struct json *j, const char *key)
{
	comma(j);
	if (key)
		fprintf(j->out, "\"%s\":", key);
}

void json_open(struct json *j, FILE *out)
{
	*j = (struct json){ .out = out };
	fputc('{', out);
}

void json_close(struct json *j)
{
	fputs("}\n", j->out);
}

void json_text(struct json *j, const char *key, struct str raw)
{
	member(j, key);
	quoted(j, raw);
}

void json_text_or_null(struct json *j, const char *key, struct str raw)
{
	if (raw.n)
		json_text(j, key, raw);
	else
		json_null(j, key);
}

void json_number(struct json *j, const char *key, uint64_t v)
{
	member(j, key);
	fprintf(j->out, "%" PRIu64, v);
}

void json_signed(struct json *j, const char *key, int64_t v)
{
	member(j, key);
	fprintf(j->out, "%" PRId64, v);
}

void json_bool(struct json *j, const char *key, bool v)
{
	member(j, key);
	fputs(v ? "true" : "false", j->out);
}

void json_null(struct json *j, const char *key)
{
	member(j, key);
	fputs("null", j->out);
}

void json_array(struct json *j, const char *key)
{
	member(j, key);
	fputc('[', j->out);
	j->has_member = false;
}

void json_end_array(struct json *j)
{
	fputc(']', j->out);
	j->has_member = true;
}

void json_item(struct json *j, struct str raw)
{
	json_text(j, NULL, raw);
}

void json_object(struct json *j, const char *key)
{
	member(j, key);
	fputc('{', j->out);
	j->has_member = false;
}

void json_end_object(struct json *j)
{
	fputc('}', j->out);
	j->has_member = true;
}

/* RFC 3339, in UTC, to the millisecond. */
void json_time(struct json *j, const char *key, uint64_t wall_ms)
{
	char text[64];
	time_t s = (time_t)(wall_ms / 1000);
	struct tm tm;
	if (!gmtime_r(&s, &tm) || !strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm)) {
		json_null(j, key);
		return;
	}
	member(j, key);
	fprintf(j->out, "\"%s.%03uZ\"", text, (unsigned)(wall_ms % 1000));
}

static bool is_decimal(struct str s)
{
	bool has_digit = false;
	for (; s.n; s = str_skip(s, 1)) {
		bool is_digit = s.p[0] >= '0' && s.p[0] <= '9';
		if (!is_digit && s.p[0] != '.')
			return false;
		has_digit |= is_digit;
	}
	return has_digit;
}

void json_decimal(struct json *j, const char *key, struct str digits)
{
	if (!is_decimal(digits)) {
		json_null(j, key);
		return;
	}
	member(j, key);
	fwrite(digits.p, 1, digits.n, j->out);
}

/* ---- reading what was written here ---- */

static struct str take_string(struct str *s)
{
	struct str from = *s;
	*s = str_skip(*s, 1);
	while (s->n && s->p[0] != '"')
		*s = str_skip(*s, s->p[0] == '\\' ? 2 : 1);
	*s = str_skip(*s, 1);
	return str_of(from.p, from.n - s->n);
}

/* A value of any kind, as it stands; empty where none is whole. Nobody but us wrote it, so of what is nested only the ends count. */
static struct str take_value(struct str *s)
{
	struct str from = *s;
	int depth = 0;
	do {
		char c = s->n ? s->p[0] : '\0';
		if (c == '"') {
			take_string(s);
			continue;
		}
		depth += (c == '{' || c == '[') - (c == '}' || c == ']');
		if (s->n == 0 || depth < 0)
			return STR("");
		*s = str_skip(*s, 1);
		while (depth == 0 && s->n && !strchr(",]}", s->p[0]) && c != '}' && c != ']')
			*s = str_skip(*s, 1);   /* a number or a word */
	} while (depth);
	return str_of(from.p, from.n - s->n);
}

static void keep_value(struct str key, struct str value, const char *const *keys, struct str *values, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(key, str_from(keys[i])))
			values[i] = value;
}

bool json_read(struct str line, const char *const *keys, struct str *values, size_t n)
{
	memset(values, 0, n * sizeof *values);
	for (char before = '{'; str_take(&line, str_of(&before, 1)); before = ',') {
		struct str key = take_string(&line);
		if (key.n < 2 || !str_take(&line, STR(":")))
			return false;
		struct str value = take_value(&line);
		if (value.n == 0)
			return false;
		keep_value(str_of(key.p + 1, key.n - 2), value, keys, values, n);
	}
	return str_eq(line, STR("}"));
}

/* What quoted() escapes. A byte that would move the cursor becomes '?', but for the newline. */
struct str json_string(struct str value, char *to, size_t size)
{
	struct buf b = { to, 0, size, false };
	value = value.n >= 2 ? str_of(value.p + 1, value.n - 2) : STR("");
	while (value.n) {
		if (str_take(&value, STR("\\u000a")) || str_take(&value, STR("\\n"))) {
			buf_char(&b, '\n');
		} else if (str_take(&value, STR("\\u"))) {
			buf_char(&b, '?');
			value = str_skip(value, 4);
		} else {
			str_take(&value, STR("\\"));
			buf_str(&b, str_of(value.p, value.n ? 1 : 0));
			value = str_skip(value, 1);
		}
	}
	return buf_view(&b);
}
