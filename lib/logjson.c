#include "logjson.h"
#include "glyph.h"
#include "values.h"

static void put_escape(struct buf *to, uint32_t code)
{
	if (code == '"' || code == '\\') {
		buf_char(to, '\\');
		buf_char(to, (char)code);
		return;
	}
	buf_lit(to, "\\u");
	for (int shift = 12; shift >= 0; shift -= 4)
		buf_char(to, "0123456789abcdef"[code >> shift & 15]);
}

/* Of UTF-8. What is harmful to a terminal is escaped, since this is looked at on one, too; all of that has four digits. */
static void put_string(struct buf *to, struct str s)
{
	size_t at = 0, written = 0;
	buf_char(to, '"');
	while (at < s.n) {
		struct glyph g = glyph_at(str_skip(s, at));
		if (!g.is_harmless || g.code == '"' || g.code == '\\' || g.code == '\t') {
			buf_str(to, str_of(s.p + written, at - written));
			put_escape(to, g.code);
			written = at + g.n;
		}
		at += g.n;
	}
	if (written < s.n)
		buf_str(to, str_of(s.p + written, s.n - written));
	buf_char(to, '"');
}

static void put_name(struct buf *to, const char *const *names, size_t n, uint8_t which)
{
	if (which < n)
		put_string(to, str_from(names[which]));
	else
		buf_lit(to, "null");
}

static void put_time(struct buf *to, uint64_t time_us)
{
	if (time_us == 0) {
		buf_lit(to, "null");
		return;
	}
	buf_char(to, '"');
	logline_put_time(to, time_us);
	buf_char(to, '"');
}

static void put_text(struct buf *to, struct str text)
{
	buf_lit(to, ",\"text\":");
	if (value_is_utf8(text)) {
		put_string(to, text);
		return;
	}
	buf_lit(to, "null,\"text_bytes\":[");
	for (size_t i = 0; i < text.n; i++) {
		if (i)
			buf_char(to, ',');
		buf_u64(to, (unsigned char)text.p[i]);
	}
	buf_char(to, ']');
}

static void put_number(struct buf *to, uint32_t number)
{
	if (number)
		buf_u64(to, number);
	else
		buf_lit(to, "null");
}

void logjson_put(struct buf *to, struct str unit, const struct logline *line)
{
	buf_lit(to, "{\"time\":");
	put_time(to, line->time_us);
	buf_lit(to, ",\"unit\":");
	put_string(to, unit);
	buf_lit(to, ",\"generation\":");
	put_number(to, line->generation);
	buf_lit(to, ",\"pid\":");
	put_number(to, line->pid);
	buf_lit(to, ",\"stream\":");
	put_name(to, log_stream_names, N_LOG_STREAM, line->stream);
	buf_lit(to, ",\"priority\":");
	put_name(to, log_priority_names, N_LOG_PRIORITY, line->priority);
	put_text(to, line->text);
	buf_str(to, line->is_cut ? STR(",\"cut\":true}\n") : STR(",\"cut\":false}\n"));
}
