#include "values.h"
#include "names.h"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

size_t value_utf8_length(struct str s)
{
	const unsigned char *p = (const unsigned char *)s.p;
	size_t n = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : p[0] < 0xf5 ? 4 : 0;

	if (n == 0 || n > s.n)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	bool is_overlong = (p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xf0 && p[1] < 0x90);
	bool is_outside = (p[0] == 0xed && p[1] >= 0xa0) || (p[0] == 0xf4 && p[1] >= 0x90);
	return is_overlong || is_outside ? 0 : n;
}

bool value_is_utf8(struct str s)
{
	while (s.n) {
		size_t n = value_utf8_length(s);
		if (n == 0)
			return false;
		s = str_skip(s, n);
	}
	return true;
}

static bool is_word(struct str s, struct str word)
{
	if (s.n != word.n)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (lower(s.p[i]) != word.p[i])
			return false;
	return true;
}

bool value_boolean(struct str s, bool *value)
{
	static const struct { struct str word; bool value; } words[] = {
		{ { "1", 1 }, true }, { { "yes", 3 }, true }, { { "y", 1 }, true }, { { "true", 4 }, true },
		{ { "t", 1 }, true }, { { "on", 2 }, true },
		{ { "0", 1 }, false }, { { "no", 2 }, false }, { { "n", 1 }, false }, { { "false", 5 }, false },
		{ { "f", 1 }, false }, { { "off", 3 }, false },
	};
	for (size_t i = 0; i < countof(words); i++)
		if (is_word(s, words[i].word)) {
			*value = words[i].value;
			return true;
		}
	return false;
}

/* ---- numbers ---- */

/* strtoull(3) knows of 0x and 0, and systemd adds 0b and 0o, but only at the very front. */
static unsigned base_of(struct str *s, bool has_sign)
{
	if (s->n < 2 || s->p[0] != '0')
		return 10;
	char c = lower(s->p[1]);
	if (has_sign && (c == 'b' || c == 'o'))
		return 10;
	unsigned base = c == 'x' ? 16 : c == 'b' ? 2 : 8;
	*s = str_skip(*s, base == 8 && c != 'o' ? 1 : 2);
	return base;
}

bool value_u64(struct str s, uint64_t *value)
{
	uint64_t v = 0;
	bool is_negative = str_take(&s, STR("-")), has_sign = is_negative || str_take(&s, STR("+"));
	unsigned base = base_of(&s, has_sign);

	for (size_t i = 0; i < s.n; i++) {
		char c = lower(s.p[i]);
		unsigned digit = is_digit(c) ? (unsigned)(c - '0') :
				 c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10 : 99;
		if (digit >= base || __builtin_mul_overflow(v, base, &v) || __builtin_add_overflow(v, digit, &v))
			return false;
	}
	if (s.n == 0 || (is_negative && v))     /* "-0" is a number to strtoull(3) */
		return false;
	*value = v;
	return true;
}

bool value_int(struct str s, int64_t least, int64_t most, int64_t *value)
{
	bool is_negative = str_take(&s, STR("-"));
	uint64_t v;

	if ((is_negative && (str_starts(s, STR("+")) || str_starts(s, STR("-")))) || !value_u64(s, &v) || v > INT32_MAX)
		return false;
	int64_t number = is_negative ? -(int64_t)v : (int64_t)v;
	if (number < least || number > most)
		return false;
	*value = number;
	return true;
}

static bool is_number(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!is_digit(s.p[i]))
			return false;
	return s.n > 0;
}

bool value_is_account(struct str s)
{
	uint64_t id;
	struct str behind_sign = s;

	if (is_number(s))
		return str_u64(s, &id) && id < UINT32_MAX && id != UINT16_MAX && (s.n == 1 || s.p[0] != '0');
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f || s.p[i] == ':' || s.p[i] == '/')
			return false;
	bool is_negative = str_take(&behind_sign, STR("-")) && (behind_sign.n == 0 || is_number(behind_sign));
	bool is_dots = str_eq(s, STR(".")) || str_eq(s, STR(".."));
	return s.n && !is_negative && !is_dots && str_trim(s).n == s.n && value_is_utf8(s);
}

bool value_mode(struct str s, unsigned most, unsigned *mode)
{
	unsigned v = 0;

	if (s.n == 0)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '7')
			return false;
		v = v * 8 + (unsigned)(s.p[i] - '0');
		if (v > most)
			return false;
	}
	*mode = v;
	return true;
}

/* Hundredths of a percent: digits, up to two places, a percent sign. */
static bool percent(struct str s, uint64_t most, uint64_t *hundredths)
{
	int64_t whole;
	unsigned part = 0;

	if (!str_ends(s, STR("%")))
		return false;
	s.n--;
	bool has_point = str_chr(s, '.') < s.n;
	if (!value_int(str_until(&s, '.'), 0, INT32_MAX, &whole) || (has_point && s.n == 0) || s.n > 2)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (!is_digit(s.p[i]))
			return false;
		part += (unsigned)(s.p[i] - '0') * (i == 0 ? 10 : 1);
	}
	if ((uint64_t)whole * 100 + part > most)
		return false;
	*hundredths = (uint64_t)whole * 100 + part;
	return true;
}

bool value_percent(struct str s, unsigned *hundredths)
{
	uint64_t value;
	if (!percent(s, 10000, &value))
		return false;
	*hundredths = (unsigned)value;
	return true;
}

bool value_quota(struct str s, unsigned *hundredths)
{
	uint64_t value;
	if (!percent(s, UINT32_MAX, &value) || value == 0)
		return false;
	*hundredths = (unsigned)value;
	return true;
}

/* ---- exit statuses ---- */

bool value_exit_status(struct str word, struct exit_set *set)
{
	uint64_t number;
	int status = value_u64(word, &number) ? (number <= 255 ? (int)number : -1) : exit_status_number(word);

	if (status >= 0) {
		set->statuses[status / 64] |= UINT64_C(1) << status % 64;
		return true;
	}
	int signal = signal_number(word);
	if (signal <= 0)
		return false;
	set->signals |= UINT64_C(1) << (signal - 1);
	return true;
}
