#include "logjson.h"
#include "values.h"

/* Two hexadecimal digits are enough: what has to be escaped is below 256. */
static void put_escape(struct buf *to, unsigned char c)
{
	buf_lit(to, "\\u00");
	buf_char(to, "0123456789abcdef"[c >> 4]);
	buf_char(to, "0123456789abcdef"[c & 15]);
}

static bool is_plain(char c)
{
	return (unsigned char)c >= ' ' && c != 0x7f && c != '"' && c != '\\';
}

/* Of UTF-8: every byte of what is beyond ASCII is plain. */
static void put_string(struct buf *to, struct str s)
{
	buf_char(to, '"');
	while (s.n) {
		size_t n = 0;
		while (n < s.n && is_plain(s.p[n]))
			n++;
		buf_str(to, str_of(s.p, n));
		s = str_skip(s, n);
		if (s.n == 0)
			break;
		if (s.p[0] == '"' || s.p[0] == '\\') {
			buf_char(to, '\\');
			buf_char(to, s.p[0]);
		} else {
			put_escape(to, (unsigned char)s.p[0]);
		}
		s = str_skip(s, 1);
	}
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
	buf_char(to, '"');
	put_text(to, line->text);
	buf_str(to, line->is_cut ? STR(",\"cut\":true}\n") : STR(",\"cut\":false}\n"));
}
