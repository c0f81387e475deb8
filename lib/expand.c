#include "expand.h"

#include <string.h>

void launch_begin(struct launch_words *w)
{
	/* Only the ends: clearing it all would touch 200 KB in every child. */
	w->argv[0] = w->envp[0] = NULL;
	w->n_argv = w->n_envp = 0;
	w->n_bytes = 0;
	w->is_full = false;
}

/* ---- words made up in `bytes`: opened by remembering n_bytes, grown with add(), closed with finish() ---- */

static void add(struct launch_words *w, struct str s)
{
	if (w->is_full || s.n > sizeof w->bytes - w->n_bytes) {
		w->is_full = true;
		return;
	}
	if (s.n)
		memcpy(w->bytes + w->n_bytes, s.p, s.n);
	w->n_bytes += s.n;
}

static void add_char(struct launch_words *w, char c)
{
	add(w, str_of(&c, 1));
}

/* The word that began at byte `start`, now with its NUL; meaningless when full. */
static struct str finish(struct launch_words *w, size_t start)
{
	add_char(w, '\0');
	return w->is_full ? STR("") : str_of(w->bytes + start, w->n_bytes - start - 1);
}

static void push(char **list, uint32_t *n, struct launch_words *w, const char *word)
{
	if (w->is_full || *n == LAUNCH_WORDS_MAX) {
		w->is_full = true;
		return;
	}
	list[(*n)++] = (char *)word;    /* execve(2) takes char *const [] for history's sake and writes nothing */
	list[*n] = NULL;
}

static void push_argv(struct launch_words *w, const char *word)
{
	push(w->argv, &w->n_argv, w, word);
}

/* ---- environment ---- */

static bool is_named(const char *entry, struct str name)
{
	for (size_t i = 0; i < name.n; i++)
		if (entry[i] == '\0' || entry[i] != name.p[i])
			return false;
	return entry[name.n] == '=';
}

/* The place of a variable in envp, or n_envp. */
static uint32_t find(const struct launch_words *w, struct str name)
{
	uint32_t i = 0;
	while (i < w->n_envp && !is_named(w->envp[i], name))
		i++;
	return i;
}

void launch_setenv(struct launch_words *w, struct str assignment)
{
	size_t name_n = str_chr(assignment, '=');
	if (name_n == 0 || name_n == assignment.n || w->is_full)
		return;
	uint32_t i = find(w, str_of(assignment.p, name_n));
	if (i < w->n_envp)
		w->envp[i] = (char *)assignment.p;
	else
		push(w->envp, &w->n_envp, w, assignment.p);
}

void launch_environment(struct launch_words *w, struct str blob)
{
	struct str assignment;
	while (str_next(&blob, &assignment))
		launch_setenv(w, assignment);
}

void launch_setenv_text(struct launch_words *w, struct str name, struct str value)
{
	size_t start = w->n_bytes;
	add(w, name);
	add_char(w, '=');
	add(w, value);
	launch_setenv(w, finish(w, start));
}

void launch_setenv_number(struct launch_words *w, struct str name, uint64_t value)
{
	char digits[20];
	struct buf b = BUF(digits);
	buf_u64(&b, value);
	launch_setenv_text(w, name, buf_view(&b));
}

void launch_pass(struct launch_words *w, struct str names, char *const *environment)
{
	struct str name;
	while (str_next(&names, &name))
		for (char *const *e = environment; *e; e++)
			if (is_named(*e, name))
				launch_setenv(w, str_from(*e));
}

void launch_unset(struct launch_words *w, struct str words)
{
	struct str word;
	while (str_next(&words, &word)) {
		bool has_value = str_chr(word, '=') < word.n;
		uint32_t n = 0;
		for (uint32_t i = 0; i < w->n_envp; i++) {
			char *entry = w->envp[i];
			if (!(has_value ? str_eq(str_from(entry), word) : is_named(entry, word)))
				w->envp[n++] = entry;
		}
		w->n_envp = n;
		w->envp[n] = NULL;
	}
}

const char *launch_getenv(const struct launch_words *w, struct str name)
{
	uint32_t i = find(w, name);
	return i < w->n_envp ? w->envp[i] + name.n + 1 : NULL;
}

/* ---- EnvironmentFile=: systemd's rules, which are not a shell's: no $, no export, quotes only in front ---- */

/* A carriage return ends a line too, so that files with CRLF just have empty lines between. */
static bool ends_line(char c)
{
	return c == '\n' || c == '\r';
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static char next(struct str *s)
{
	char c = s->p[0];
	*s = str_skip(*s, 1);
	return c;
}

/* A backslash hides the end of the line here as well: the comment goes on. */
static void skip_comment(struct str *s)
{
	while (s->n) {
		char c = next(s);
		if (ends_line(c))
			return;
		if (c == '\\' && s->n)
			next(s);
	}
}

static void add_single_quoted(struct launch_words *w, struct str *s)
{
	add(w, str_until(s, '\''));
}

static void add_double_quoted(struct launch_words *w, struct str *s)
{
	struct str special = STR("\"\\`$");
	while (s->n) {
		char c = next(s);
		if (c == '"')
			return;
		if (c != '\\') {
			add_char(w, c);
		} else if (s->n && !ends_line(c = next(s))) {
			if (str_chr(special, c) == special.n)
				add_char(w, '\\');
			add_char(w, c);
		}
	}
}

/* To the end of the line, blanks in front of it dropped unless a backslash protects them. */
static void add_unquoted(struct launch_words *w, struct str *s)
{
	size_t n_kept = w->n_bytes;
	while (s->n) {
		char c = next(s);
		if (ends_line(c))
			break;
		bool is_escaped = c == '\\';
		if (!is_escaped)
			add_char(w, c);
		else if (s->n && !ends_line(c = next(s)))
			add_char(w, c);
		if (is_escaped || !is_blank(c))
			n_kept = w->n_bytes;
	}
	w->n_bytes = n_kept;
}

/* Quoted parts may follow one another, blanks between them are lost; an unquoted one takes the rest of the line. */
static void add_value(struct launch_words *w, struct str *s)
{
	while (s->n) {
		char c = s->p[0];
		if (c != '\'' && c != '"' && !is_blank(c)) {
			add_unquoted(w, s);
			return;
		}
		next(s);
		if (c == '\'')
			add_single_quoted(w, s);
		else if (c == '"')
			add_double_quoted(w, s);
	}
}

/* Of a name that is not empty. */
static bool is_name(struct str name)
{
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];
		bool is_letter = c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
		if (!is_letter && (i == 0 || c < '0' || c > '9'))
			return false;
	}
	return true;
}

static void take_assignment(struct launch_words *w, struct str *s)
{
	/* The first byte belongs to the name whatever it is: the quote in a line `="a` swallows no further line. */
	size_t name_n = 1;
	while (name_n < s->n && s->p[name_n] != '=' && !ends_line(s->p[name_n]))
		name_n++;
	struct str name = str_trim(str_of(s->p, name_n));
	bool has_value = name_n < s->n && s->p[name_n] == '=';
	*s = str_skip(*s, name_n + 1);
	if (!has_value)
		return;

	size_t start = w->n_bytes;
	add(w, name);
	add_char(w, '=');
	add_value(w, s);
	struct str assignment = finish(w, start);
	/* Even that of a line to be ignored had to be read: a quote in it may span the lines behind it. */
	if (is_name(name) && str_chr(assignment, '\0') == assignment.n)
		launch_setenv(w, assignment);
	else
		w->n_bytes = start;
}

void launch_env_file(struct launch_words *w, struct str s)
{
	while (s.n) {
		char c = s.p[0];
		if (c == '#' || c == ';')
			skip_comment(&s);
		else if (is_blank(c) || ends_line(c))
			next(&s);
		else
			take_assignment(w, &s);
	}
}

/* ---- $VAR ---- */

/*
 * One word of a variable's value: blanks part words, quotes hold them together, a backslash takes the next byte as it
 * is. What is left open ends with the value; systemd calls this relaxed.
 */
static void push_value_word(struct launch_words *w, struct str *s)
{
	size_t start = w->n_bytes;
	char quote = '\0';
	while (s->n) {
		char c = next(s);
		if (c == '\\') {
			if (s->n)
				add_char(w, next(s));
		} else if (c == quote) {
			quote = '\0';
		} else if (quote) {
			add_char(w, c);
		} else if (c == '\'' || c == '"') {
			quote = c;
		} else if (is_blank(c) || ends_line(c)) {
			break;
		} else {
			add_char(w, c);
		}
	}
	push_argv(w, finish(w, start).p);
}

static void push_value_words(struct launch_words *w, struct str name)
{
	struct str value = str_from(launch_getenv(w, name));
	for (;;) {
		while (value.n && (is_blank(value.p[0]) || ends_line(value.p[0])))
			next(&value);
		if (value.n == 0)
			return;
		push_value_word(w, &value);
	}
}

/* ${NAME} at the front of *s, or what stands there for itself because it is not closed or tries ${NAME:-...}. */
static void add_braced(struct launch_words *w, struct str *s)
{
	size_t end = 2;
	while (end < s->n && s->p[end] != '}' && s->p[end] != ':')
		end++;
	bool is_closed = end < s->n && s->p[end] == '}';
	if (is_closed)
		add(w, str_from(launch_getenv(w, str_of(s->p + 2, end - 2))));
	else
		add(w, str_of(s->p, end));
	*s = str_skip(*s, is_closed ? end + 1 : end);
}

static void push_substituted(struct launch_words *w, struct str s)
{
	size_t start = w->n_bytes;
	while (s.n) {
		size_t plain = str_chr(s, '$');
		add(w, str_of(s.p, plain));
		s = str_skip(s, plain);
		if (str_starts(s, STR("${"))) {
			add_braced(w, &s);
		} else if (s.n) {
			add_char(w, '$');
			s = str_skip(s, str_starts(s, STR("$$")) ? 2 : 1);
		}
	}
	push_argv(w, finish(w, start).p);
}

static bool is_variable(struct str word)
{
	return str_starts(word, STR("$")) && !str_starts(word, STR("${")) && !str_starts(word, STR("$$"));
}

void launch_argv(struct launch_words *w, struct str argv_blob, bool is_expanded)
{
	struct str word;
	while (str_next(&argv_blob, &word)) {
		if (!is_expanded || str_chr(word, '$') == word.n)
			push_argv(w, word.p);
		else if (is_variable(word))
			push_value_words(w, str_skip(word, 1));
		else
			push_substituted(w, word);
	}
}
