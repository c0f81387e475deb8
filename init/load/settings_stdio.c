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
	return kind == STDIO_NULL || kind == STDIO_INHERIT || kind == STDIO_DATA || is_terminal(kind);
}

/* Which of them systemd.exec(5) has for input, and which for output. */
static bool is_for(unsigned which, int kind)
{
	bool is_input = kind == STDIO_TTY_FORCE || kind == STDIO_TTY_FAIL || kind == STDIO_DATA;
	bool is_output = kind == STDIO_INHERIT || kind == STDIO_APPEND || kind == STDIO_TRUNCATE;
	return which == 0 ? !is_output : !is_input;
}

static bool set_stdio(const struct setting *s, enum stdio_kind kind, struct str path)
{
	struct draft *d = s->d;
	unsigned which = s->row->which;
	d->unit.stdio[which] = (uint8_t)kind;
	d->stdio_path[which] = path;
	d->has_output |= which == 1;
	if (which > 0)
		d->context.log_copies[which - 1] = 0;
	return true;
}

/* ---- the log, and what goes by way of it ---- */

/* systemd.exec(5) StandardOutput=; of two names for one thing the first is written. */
static const struct {
	struct str name;
	uint8_t copies;                 /* enum log_copies */
} logs[] = {
	{ { "journal", 7 }, 0 }, { { "journal+console", 15 }, COPY_TO_CONSOLE },
	{ { "kmsg", 4 }, COPY_TO_KMSG }, { { "kmsg+console", 12 }, COPY_TO_KMSG | COPY_TO_CONSOLE },
	{ { "syslog", 6 }, 0 }, { { "syslog+console", 14 }, COPY_TO_CONSOLE },
};

const char *stdio_log_name(uint8_t copies)
{
	size_t i = 0;
	while (logs[i].copies != copies)
		i++;
	return logs[i].name.p;
}

/* Without a logger what is for the kernel's log goes there all the same. */
static bool set_log(const struct setting *s, uint8_t copies)
{
	if (s->d->host->has_logger) {
		set_stdio(s, STDIO_LOG, STR(""));
		s->d->context.log_copies[s->row->which - 1] = copies;
		return true;
	}
	if (copies & COPY_TO_KMSG)
		return set_stdio(s, STDIO_KMSG, STR(""));
	approximate(s->d, s->line, "%.*s=%.*s: there is no oomph-log: goes to the console", STR_ARG(s->row->key), STR_ARG(s->value));
	return set_stdio(s, STDIO_INHERIT, STR(""));
}

static bool read_log(const struct setting *s)
{
	for (size_t i = 0; i < countof(logs) && s->row->which > 0; i++)
		if (str_eq(logs[i].name, s->value))
			return set_log(s, logs[i].copies);
	return false;
}

/* What systemd has and oomph has not yet: as if nobody had said anything. */
static bool read_later_stdio(const struct setting *s)
{
	bool is_input = s->row->which == 0;
	if (!str_eq(s->value, STR("socket")) && !str_eq(s->value, STR("fd")) && !str_starts(s->value, STR("fd:")))
		return false;
	approximate(s->d, s->line, "%.*s=%.*s is not yet there: %s", STR_ARG(s->row->key), STR_ARG(shown(s->value)),
		    is_input ? "taken as null" : "goes where output goes by default");
	set_stdio(s, is_input ? STDIO_NULL : STDIO_INHERIT, STR(""));
	s->d->has_output &= s->row->which != 1;
	return true;
}

bool read_stdio(const struct setting *s)
{
	int kind = name_find(stdio_names, N_STDIO_KIND, s->value);
	s->d->has_input |= s->row->which == 0;
	if (read_log(s) || read_later_stdio(s))
		return true;
	if (kind >= 0 && is_pathless(kind) && is_for(s->row->which, kind))
		return set_stdio(s, (enum stdio_kind)kind, STR(""));

	struct str path = s->value;
	kind = name_find(stdio_names, N_STDIO_KIND, str_until(&path, ':'));
	if (kind != STDIO_FILE && kind != STDIO_APPEND && kind != STDIO_TRUNCATE)
		return false;
	if (!is_for(s->row->which, kind))
		return false;
	if (!setting_specified(s, path, &path))
		return true;
	return value_is_path(path) && set_stdio(s, (enum stdio_kind)kind, setting_simplified(path));
}

bool read_identifier(const struct setting *s)
{
	struct str text;
	if (!setting_specified(s, s->value, &text))
		return true;
	if (text.n > UNIT_NAME_MAX)
		return false;
	s->d->log_identifier = text;
	return true;
}

/* An empty one takes it back. */
bool read_log_level(const struct setting *s)
{
	const struct draft *d = s->d;
	int64_t number;
	int level = name_find(log_priority_names, N_LOG_PRIORITY, s->value);
	if (s->value.n == 0)
		level = setting_field(s) == &d->context.log_level ? context_defaults.log_level : context_defaults.log_level_max;
	else if (level < 0 && value_int(s->value, 0, N_LOG_PRIORITY - 1, &number))
		level = (int)number;
	if (level < 0)
		return false;
	*(uint8_t *)setting_field(s) = (uint8_t)level;
	return true;
}

bool read_count(const struct setting *s)
{
	uint64_t n;
	if (!value_u64(s->value, &n) || n > UINT32_MAX)
		return false;
	*(uint32_t *)setting_field(s) = (uint32_t)n;
	return true;
}

/*
 * The default is the log, but where a terminal is read from it is answered there. Errors go along, by a pipe of their own. The
 * logger's own words never come to it: they would come round for ever.
 */
static void settle_log(struct draft *d)
{
	uint8_t *out = &d->unit.stdio[1], *error = &d->unit.stdio[2];
	bool is_logger = builtin_is_logger(d->name);

	if (!d->has_output && d->host->has_logger && !is_terminal(d->unit.stdio[0]))
		*out = STDIO_LOG;
	if (*error == STDIO_INHERIT && *out == STDIO_LOG) {
		*error = STDIO_LOG;
		d->context.log_copies[LOG_ERR] = d->context.log_copies[LOG_OUT];
	}
	for (int i = 1; i < 3 && is_logger; i++)
		if (d->unit.stdio[i] == STDIO_LOG)
			d->unit.stdio[i] = STDIO_INHERIT;
}

/* ---- terminals and texts ---- */

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
	settle_log(d);
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
