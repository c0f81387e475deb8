/* Standard input, output and error, and the terminal that they may be. */
#include "settings.h"
#include "lib/exec_values.h"
#include "lib/names.h"
#include "lib/values.h"

static bool is_terminal(int kind)
{
	return kind == STDIO_TTY || kind == STDIO_TTY_FORCE || kind == STDIO_TTY_FAIL;
}

static bool is_pathless(int kind)
{
	return kind == STDIO_NULL || kind == STDIO_INHERIT || kind == STDIO_KMSG || kind == STDIO_DATA || is_terminal(kind);
}

/* Which of them systemd.exec(5) has for input, and which for output. */
static bool is_for(unsigned which, int kind)
{
	bool is_input = kind == STDIO_TTY_FORCE || kind == STDIO_TTY_FAIL || kind == STDIO_DATA;
	bool is_output = kind == STDIO_INHERIT || kind == STDIO_KMSG || kind == STDIO_APPEND || kind == STDIO_TRUNCATE;
	return which == 0 ? !is_output : !is_input;
}

static bool set_stdio(const struct setting *s, enum stdio_kind kind, struct str path)
{
	s->d->unit.stdio[s->row->which] = (uint8_t)kind;
	s->d->stdio_path[s->row->which] = path;
	return true;
}

static void not_yet(const struct setting *s, const char *instead)
{
	approximate(s->d, s->line, "%.*s=%.*s is not yet there: %s", STR_ARG(s->row->key), STR_ARG(s->value), instead);
}

/* What systemd has and oomph has not yet, and what is taken for it. */
static bool read_later_stdio(const struct setting *s)
{
	static const char *const to_default[] = { "journal", "syslog", "journal+console", "syslog+console", "socket" };
	unsigned which = s->row->which;
	struct unit defaults;

	unit_defaults(&defaults);
	if (which > 0 && str_eq(s->value, STR("kmsg+console")))
		return set_stdio(s, STDIO_KMSG, STR(""));
	if (which == 0 && str_eq(s->value, STR("socket"))) {
		not_yet(s, "taken as null");
		return set_stdio(s, STDIO_NULL, STR(""));
	}
	if (which == 0 || name_find(to_default, countof(to_default), s->value) < 0)
		return false;
	not_yet(s, "goes where output goes by default");
	return set_stdio(s, (enum stdio_kind)defaults.stdio[which], STR(""));
}

bool read_stdio(const struct setting *s)
{
	int kind = name_find(stdio_names, N_STDIO_KIND, s->value);
	s->d->has_input |= s->row->which == 0;
	if (kind >= 0 && is_pathless(kind) && is_for(s->row->which, kind))
		return set_stdio(s, (enum stdio_kind)kind, STR(""));

	struct str path = s->value;
	kind = name_find(stdio_names, N_STDIO_KIND, str_until(&path, ':'));
	if (kind < 0 || is_pathless(kind) || !is_for(s->row->which, kind))
		return read_later_stdio(s);
	if (!setting_specified(s, path, &path))
		return true;
	return value_is_path(path) && set_stdio(s, (enum stdio_kind)kind, setting_simplified(path));
}

bool read_tty(const struct setting *s)
{
	struct str path = s->value;
	if (!setting_specified(s, path, &path))
		return true;
	if (path.n && !value_is_path(path))
		return false;
	s->d->tty = setting_simplified(path);
	return true;
}

bool read_tty_size(const struct setting *s)
{
	int64_t value;
	if (!value_int(s->value, 0, UINT16_MAX, &value))
		return false;
	*(uint16_t *)setting_field(s) = (uint16_t)value;
	return true;
}

/* A line of text, escapes undone, specifiers replaced. */
bool read_input_text(const struct setting *s)
{
	struct buf b = keep_buf(s->value.n);
	struct str text;

	if (s->value.n == 0) {
		s->d->input.n = 0;
		return true;
	}
	if (!setting_unescaped(s->value, &b))
		return false;
	if (!setting_specified(s, buf_view(&b), &text))
		return true;
	list_add_str(&s->d->input, keep_print("%.*s\n", STR_ARG(text)));
	return true;
}

bool read_input_data(const struct setting *s)
{
	struct buf b = keep_buf(s->value.n);

	if (s->value.n == 0)
		s->d->input.n = 0;
	if (!exec_base64(s->value, &b))
		return false;
	list_add_str(&s->d->input, buf_view(&b));
	return true;
}

/* What systemd takes a terminal for: a virtual one knows colours and more, of any other it dares to hope for little. */
static const char *terminal_type(const struct draft *d)
{
	struct str tty = d->tty;
	bool is_virtual = str_eq(tty, STR(TTY_DEFAULT)) ? d->host->has_vt_console :
		str_take(&tty, STR("/dev/tty")) && tty.n && tty.p[0] >= '0' && tty.p[0] <= '9';
	return is_virtual ? "TERM=linux" : "TERM=vt220";
}

void stdio_settle(struct draft *d)
{
	bool has_terminal = d->tty.n;
	if (!d->has_input && d->input.n)
		d->unit.stdio[0] = STDIO_DATA;
	if (d->tty.n == 0)
		d->tty = STR(TTY_DEFAULT);
	for (int i = 0; i < 3; i++)
		if (is_terminal(d->unit.stdio[i])) {
			d->stdio_path[i] = d->tty;
			has_terminal = true;
		}
	if (has_terminal)
		environment_add(&d->environment, str_from(terminal_type(d)));
}
