#include "words.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct str skip_blanks(struct str s)
{
	while (s.n && is_blank(s.p[0]))
		s = str_skip(s, 1);
	return s;
}

/* ---- escapes ---- */

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 16;
}

/* Exactly `n` digits. */
static bool number(struct str text, unsigned n, unsigned base, uint32_t *value)
{
	if (text.n < n)
		return false;
	*value = 0;
	for (unsigned i = 0; i < n; i++) {
		unsigned digit = (unsigned)digit_of(text.p[i]);
		if (digit >= base)
			return false;
		*value = *value * base + digit;
	}
	return *value != 0;     /* a NUL would end the word early */
}

static void put_byte(struct buf *to, uint32_t byte)
{
	buf_char(to, (char)(unsigned char)byte);
}

static void put_utf8(struct buf *to, uint32_t c)
{
	if (c < 0x80) {
		put_byte(to, c);
	} else if (c < 0x800) {
		put_byte(to, 0xc0 | c >> 6);
		put_byte(to, 0x80 | (c & 0x3f));
	} else if (c < 0x10000) {
		put_byte(to, 0xe0 | c >> 12);
		put_byte(to, 0x80 | (c >> 6 & 0x3f));
		put_byte(to, 0x80 | (c & 0x3f));
	} else {
		put_byte(to, 0xf0 | c >> 18);
		put_byte(to, 0x80 | (c >> 12 & 0x3f));
		put_byte(to, 0x80 | (c >> 6 & 0x3f));
		put_byte(to, 0x80 | (c & 0x3f));
	}
}

size_t words_escape(struct str text, struct buf *to)
{
	static const char letters[] = "abfnrtv\\\"'s", meanings[] = "\a\b\f\n\r\t\v\\\"' ";
	uint32_t c;

	if (text.n == 0)
		return 0;
	size_t at = str_chr(STR(letters), text.p[0]);
	if (at < sizeof letters - 1) {
		buf_char(to, meanings[at]);
		return 1;
	}
	struct str digits = str_skip(text, 1);
	if (text.p[0] == 'x' && number(digits, 2, 16, &c)) {
		put_byte(to, c);
		return 3;
	}
	if (text.p[0] == 'u' && number(digits, 4, 16, &c)) {
		put_utf8(to, c);
		return 5;
	}
	if (text.p[0] == 'U' && number(digits, 8, 16, &c) && c <= 0x10ffff) {
		put_utf8(to, c);
		return 9;
	}
	if (number(text, 3, 8, &c) && c <= 255) {
		put_byte(to, c);
		return 3;
	}
	return 0;
}

/* ---- words ---- */

static enum words_result next(struct str *rest, struct buf *word, bool has_escapes)
{
	enum words_result result = WORDS_WORD;
	struct str s = skip_blanks(*rest);
	char quote = '\0';

	if (s.n == 0) {
		*rest = s;
		return WORDS_END;
	}
	for (; s.n && (quote || !is_blank(s.p[0])); s = str_skip(s, 1)) {
		char c = s.p[0];
		if (c == '\\') {
			if (s.n == 1 && (quote || !has_escapes))
				return WORDS_UNBALANCED;
			size_t n = has_escapes ? words_escape(str_skip(s, 1), word) : 1;
			if (!has_escapes) {
				buf_char(word, s.p[1]);
			} else if (n == 0) {
				buf_str(word, str_of(s.p, s.n > 1 ? 2 : 1));
				result = WORDS_ODD;
				n = 1;
			}
			s = str_skip(s, n);
		} else if (quote ? c == quote : c == '\'' || c == '"') {
			quote = quote ? '\0' : c;
		} else {
			buf_char(word, c);
		}
	}
	if (quote)
		return WORDS_UNBALANCED;
	*rest = s;
	return word->is_cut ? WORDS_NO_ROOM : result;
}

enum words_result words_next(struct str *rest, struct buf *word)
{
	return next(rest, word, true);
}

enum words_result words_quoted(struct str *rest, struct buf *word)
{
	return next(rest, word, false);
}

bool words_plain(struct str *rest, struct str *word)
{
	struct str s = skip_blanks(*rest);
	size_t n = 0;
	while (n < s.n && !is_blank(s.p[n]))
		n++;
	*word = str_of(s.p, n);
	*rest = str_skip(s, n);
	return n > 0;
}

/* Of `+`, `!` and `!!` there can be one: it is taken off *word, `!!` whole. */
static bool take_privilege(struct str *word, struct exec_prefix *prefix)
{
	if (prefix->is_privileged || prefix->keeps_user || prefix->is_ambient)
		return false;
	prefix->is_privileged = str_take(word, STR("+"));
	if (!prefix->is_privileged)
		prefix->is_ambient = str_take(word, STR("!!"));
	if (!prefix->is_privileged && !prefix->is_ambient)
		prefix->keeps_user = str_take(word, STR("!"));
	return prefix->is_privileged || prefix->keeps_user || prefix->is_ambient;
}

struct exec_prefix words_prefix(struct str *word)
{
	struct exec_prefix prefix = { .may_fail = false };

	while (word->n) {
		if (take_privilege(word, &prefix))
			continue;
		char c = word->p[0];
		bool *seen = c == '-' ? &prefix.may_fail : c == '@' ? &prefix.has_argv0 : c == ':' ? &prefix.no_expand : NULL;
		if (!seen || *seen)
			break;
		*seen = true;
		*word = str_skip(*word, 1);
	}
	return prefix;
}

/* ---- specifiers ---- */

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

char words_specify(struct str text, const struct specifiers *values, struct buf *to)
{
	while (text.n) {
		size_t at = str_chr(text, '%');
		buf_str(to, str_of(text.p, at));
		text = str_skip(text, at);
		if (text.n == 0)
			break;
		char c = text.n > 1 ? text.p[1] : '\0';
		if (!is_letter(c) && !(c >= '0' && c <= '9')) {
			buf_char(to, '%');      /* "100%" and "%," stay as they are, "%%" becomes one */
			text = str_skip(text, c == '%' ? 2 : 1);
			continue;
		}
		if (!values->of[(unsigned char)c].p)
			return c;
		buf_str(to, values->of[(unsigned char)c]);
		text = str_skip(text, 2);
	}
	return '\0';
}
