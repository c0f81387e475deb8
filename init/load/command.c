#include "load.h"
#include "lib/values.h"

/* How a command line fails: without `-` in front the whole unit does, with it only this command. */
struct line {
	struct draft *d;
	const struct directive *row;
	uint32_t number;
	struct str value;
	bool may_fail;
};

static bool fail(const struct line *l, struct str what, const char *why)
{
	if (l->may_fail)
		complain(l->d, l->number, "%.*s=: `%.*s`: %s: this command is ignored", STR_ARG(l->row->key),
			 STR_ARG(shown(what)), why);
	else
		refuse(l->d, l->number, "%.*s=: `%.*s`: %s: the unit is left out", STR_ARG(l->row->key),
		       STR_ARG(shown(what)), why);
	return false;
}

static bool expand(const struct line *l, struct str text, struct str *result)
{
	char letter;
	if (specify(l->d, text, result, &letter))
		return true;
	struct str why = keep_print("%%%c is not a specifier (a percent sign is %%%%)", letter);
	return fail(l, text, why.p);
}

/* NULL when it is an absolute path, or a bare name to be looked for in PATH when it is run. */
static const char *wrong_program(struct str path)
{
	if (path.n == 0)
		return "there is no program's name";
	for (size_t i = 0; i < path.n; i++)
		if ((unsigned char)path.p[i] < ' ' || path.p[i] == 0x7f || path.p[i] == '"' || path.p[i] == '\'' || path.p[i] == '\\')
			return "a program's name has no control characters, quotes or backslashes";
	if (!value_is_utf8(path))
		return "a program's name is UTF-8";
	if (str_ends(path, STR("/")))
		return "that is a folder, not a program";
	if (path.p[0] == '/')
		return NULL;
	if (str_chr(path, '/') < path.n)
		return "a program is given by its absolute path or its bare name";
	return str_eq(path, STR(".")) || str_eq(path, STR("..")) ? "that is a folder, not a program" : NULL;
}

static bool next_word(struct line *l, struct str *rest, struct str *word)
{
	struct buf b = scratch(rest->n);
	enum words_result r = words_next(rest, &b);

	*word = keep_str(buf_view(&b));
	if (r == WORDS_UNBALANCED)
		return fail(l, *rest, "a quote is never closed");
	if (r == WORDS_ODD)
		note(l->d, l->number, "%.*s=: `%.*s` has an escape that means nothing: the backslash is kept",
		     STR_ARG(l->row->key), STR_ARG(shown(*word)));
	return true;
}

static struct str skip_blanks(struct str s)
{
	while (s.n && (s.p[0] == ' ' || s.p[0] == '\t'))
		s = str_skip(s, 1);
	return s;
}

/* A word that is just `sign`, unquoted, at the front of *rest. */
static bool take_sign(struct str *rest, struct str sign)
{
	struct str behind = *rest;
	if (!str_take(&behind, sign) || (behind.n && behind.p[0] != ' ' && behind.p[0] != '\t'))
		return false;
	*rest = behind;
	return true;
}

/* The words up to a lone `;` or the end. */
static bool arguments(struct line *l, struct str *rest, struct list *argv)
{
	for (;;) {
		struct str word;
		*rest = skip_blanks(*rest);
		if (rest->n == 0 || take_sign(rest, STR(";")))
			return true;
		if (take_sign(rest, STR("\\;")))
			word = STR(";");
		else if (!next_word(l, rest, &word) || !expand(l, word, &word))
			return false;
		if (argv->n == LAUNCH_WORDS_MAX)
			return fail(l, word, "no program can have so many arguments");
		list_add_str(argv, word);
	}
}

static bool program(struct line *l, struct str *rest, struct draft_command *c)
{
	struct str word, path;

	l->may_fail = true;             /* whose program cannot be read is no command, and the unit does without it (measured) */
	if (!next_word(l, rest, &word))
		return false;
	struct str whole = word;
	struct exec_prefix prefix = words_prefix(&word);
	l->may_fail = prefix.may_fail;
	if (!expand(l, word, &path))
		return false;
	const char *wrong = wrong_program(path);
	if (wrong)
		return fail(l, whole, wrong);
	if (!prefix.has_argv0)
		list_add_str(&c->argv, path);
	struct buf b = keep_buf(path.n);
	value_simplify_path(path, &b);
	c->path = buf_view(&b);
	c->flags = (prefix.may_fail ? COMMAND_MAY_FAIL : 0u) | (prefix.no_expand ? COMMAND_NO_EXPAND : 0u) |
		   (prefix.is_privileged ? COMMAND_PRIVILEGED : 0u) | (prefix.keeps_user ? COMMAND_KEEPS_USER : 0u);
	return true;
}

void commands_read(struct draft *d, const struct directive *row, struct str value, uint32_t number)
{
	struct line l = { d, row, number, value, false };
	struct list *list = &d->exec[row->which];

	if (value.n == 0)
		list->n = 0;
	while ((value = skip_blanks(value)).n) {
		struct draft_command c = { .flags = 0 };
		if (take_sign(&value, STR(";")))
			continue;
		if (!program(&l, &value, &c) || !arguments(&l, &value, &c.argv))
			return;
		if (c.argv.n == 0) {
			fail(&l, c.path, "`@` wants a name for the program to see as its own");
			return;
		}
		if (list->n == COMMANDS_MAX) {
			fail(&l, c.path, "there are too many commands before this one");
			return;
		}
		*(struct draft_command *)list_add(list, sizeof c) = c;
	}
}
