#include "logjson.h"
#include "values.h"

/* Two hexadecimal digits are enough: what has to be escaped is below 256. */
static void put_escape(struct buf *to, unsigned char c)
{
	buf_lit(to, "\\u00");
	buf_char(to, "0123456789abcdef"[c >> 4]);
	buf_char(to, "0123456789abcdef"[c & 15]);
}

/* Bytes that go as they are, at the front: all but quotes, backslashes, controls, and what is no UTF-8. */
static size_t plain_length(struct str s)
{
	size_t at = 0, n;
	while (at < s.n && (unsigned char)s.p[at] >= ' ' && s.p[at] != 0x7f && s.p[at] != '"' && s.p[at] != '\\' &&
	       (n = value_utf8_length(str_skip(s, at))) > 0)
		at += n;
	return at;
}

static void put_string(struct buf *to, struct str s)
{
	buf_char(to, '"');
	while (s.n) {
		size_t n = plain_length(s);
		buf_str(to, str_of(s.p, n));
		s = str_skip(s, n);
		if (s.n == 0)
			break;
		if (value_utf8_length(s) == 0) {
			buf_lit(to, "\\ufffd");
		} else if (s.p[0] == '"' || s.p[0] == '\\') {
			buf_char(to, '\\');
			buf_char(to, s.p[0]);
		} else {
			put_escape(to, (unsigned char)s.p[0]);
		}
		s = str_skip(s, 1);
	}
	buf_char(to, '"');
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
	buf_lit(to, "{\"time\":\"");
	logline_put_time(to, line->time_us);
	buf_lit(to, "\",\"unit\":");
	put_string(to, unit);
	buf_lit(to, ",\"generation\":");
	put_number(to, line->generation);
	buf_lit(to, ",\"pid\":");
	put_number(to, line->pid);
	buf_lit(to, ",\"stream\":\"");
	buf_str(to, str_from(log_stream_names[line->stream]));
	buf_lit(to, "\",\"priority\":\"");
	buf_str(to, str_from(log_priority_names[line->priority]));
	buf_lit(to, "\",\"text\":");
	put_string(to, line->text);
	buf_str(to, line->is_cut ? STR(",\"cut\":true}\n") : STR(",\"cut\":false}\n"));
}
