#include "values.h"

/* ---- paths and names ---- */

static bool climbs(struct str s)
{
	while (s.n)
		if (str_eq(str_until(&s, '/'), STR("..")))
			return true;
	return false;
}

bool value_is_path(struct str s)
{
	return str_starts(s, STR("/")) && str_chr(s, '\0') == s.n && !climbs(s);
}

void value_simplify_path(struct str s, struct buf *to)
{
	size_t before = to->n;
	bool is_absolute = str_starts(s, STR("/"));

	while (s.n) {
		struct str part = str_until(&s, '/');
		if (part.n == 0 || str_eq(part, STR(".")))
			continue;
		if (is_absolute || to->n > before)
			buf_char(to, '/');
		buf_str(to, part);
	}
	if (is_absolute && to->n == before)
		buf_char(to, '/');
}

static bool is_alphabetic(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool value_is_assignment(struct str s)
{
	struct str name = str_of(s.p, str_chr(s, '='));
	if (name.n == 0 || name.n == s.n || is_digit(name.p[0]))
		return false;
	for (size_t i = 0; i < name.n; i++)
		if (!is_alphabetic(name.p[i]) && !is_digit(name.p[i]) && name.p[i] != '_')
			return false;
	return value_is_utf8(s) && str_chr(s, '\0') == s.n;
}

bool value_is_sandbox_path(struct str word)
{
	str_take(&word, STR("-"));
	str_take(&word, STR("+"));
	return value_is_path(word);
}

bool value_is_bus_name(struct str s)
{
	bool is_unique = str_take(&s, STR(":"));
	size_t n_parts = 0, n = s.n;

	for (; s.n; n_parts++) {
		bool is_last = str_chr(s, '.') == s.n;
		struct str part = str_until(&s, '.');
		if (part.n == 0 || (!is_unique && is_digit(part.p[0])) || (!is_last && s.n == 0))
			return false;
		for (size_t i = 0; i < part.n; i++)
			if (!is_alphabetic(part.p[i]) && !is_digit(part.p[i]) && part.p[i] != '_' && part.p[i] != '-')
				return false;
	}
	return n_parts > 1 && n + is_unique <= 255;
}

bool value_run_path(struct str s, struct buf *to)
{
	if (s.n == 0 || climbs(s) || str_chr(s, '\0') < s.n)
		return false;
	if (!str_starts(s, STR("/")) || str_take(&s, STR("/var/run/"))) {
		buf_lit(to, "/run/");
		while (str_take(&s, STR("/")))
			;
	}
	value_simplify_path(s, to);
	if (to->n > 1 && to->p[to->n - 1] == '/')
		to->n--;                /* "./" is the folder itself */
	return true;
}

static bool is_nothing(struct str s)
{
	while (s.n) {
		struct str part = str_until(&s, '/');
		if (part.n && !str_eq(part, STR(".")))
			return false;
	}
	return true;
}

/* The base that it is to lie in is nobody's to own, to chown or to remove. */
static bool is_below(struct str s)
{
	return !str_starts(s, STR("/")) && str_chr(s, '\0') == s.n && !climbs(s) && !is_nothing(s);
}

/* "private" is where systemd keeps what it links to for DynamicUser=. */
static bool is_private(struct str s)
{
	return str_eq(str_until(&s, '/'), STR("private"));
}

bool value_directory(struct str word, struct str *folder, struct str *link)
{
	while (str_take(&word, STR(":")))
		;
	struct str rest = word, first = str_until(&rest, ':');

	while (str_ends(first, STR("/")) && first.n > 1)
		first.n--;
	if (!is_below(first) || is_private(first) || (rest.n && !is_below(rest)) || !value_is_utf8(word))
		return false;
	*folder = first;
	*link = rest;
	return true;
}
