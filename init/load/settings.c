/*
 * One small function for each kind of value. They say false when the value is not what the row expects: the earlier
 * value (or the default) then stands, and read.c tells the user what was expected.
 */
#include "load.h"
#include "lib/names.h"
#include "lib/values.h"

#include <glob.h>
#include <string.h>

struct setting {
	struct draft *d;
	const struct directive *row;
	struct str value;
	uint32_t line;
};

static void *field(const struct setting *s)
{
	return (char *)&s->d->unit + s->row->at;
}

/* The value with its specifiers replaced; nothing (and refused, as systemd does) when there is none such. */
static bool specified(const struct setting *s, struct str text, struct str *result)
{
	char letter;
	if (specify(s->d, text, result, &letter))
		return true;
	complain(s->d, s->line, "%.*s=: %%%c is not a specifier (a percent sign is %%%%): ignored",
		 STR_ARG(s->row->key), letter);
	return false;
}

/* ---- [Unit] ---- */

static bool read_text(const struct setting *s)
{
	struct str text;
	if (specified(s, s->value, &text))
		s->d->description = text;
	return true;
}

static void read_link(const struct setting *s, struct str name)
{
	if (!value_is_unit_name(name)) {
		complain(s->d, s->line, "%.*s=: `%.*s` is not a unit's name; expected one with its suffix, such as "
			 "web.service: ignored", STR_ARG(s->row->key), STR_ARG(shown(name)));
		return;
	}
	struct draft_link *link = list_add(&s->d->links, sizeof *link);
	*link = (struct draft_link){ keep_str(name), s->line, (enum link)s->row->which, NO_UNIT };
}

/* No quotes in these, and the empty value clears nothing (both measured). */
static bool read_units(const struct setting *s)
{
	struct str rest = s->value, word;
	while (words_plain(&rest, &word))
		if (specified(s, word, &word))
			read_link(s, word);
	return true;
}

static bool read_start_limit(const struct setting *s)
{
	uint64_t us;
	if (!value_time(s->value, &us))
		return false;
	*(uint32_t *)field(s) = value_ms(us);
	s->d->has_start_limit = true;
	return true;
}

static bool read_start_burst(const struct setting *s)
{
	uint64_t n;
	if (!value_u64(s->value, &n) || n > UINT32_MAX)
		return false;
	*(uint32_t *)field(s) = (uint32_t)n;
	s->d->has_start_limit = true;
	return true;
}

/* ---- how it runs ---- */

static bool read_commands(const struct setting *s)
{
	commands_read(s->d, s->row, s->value, s->line);
	return true;
}

/* Types that are not there yet, and what a unit of that type is until then. */
static bool read_later_type(const struct setting *s)
{
	static const struct { struct str name; uint8_t as; } later[] = {
		{ { "idle", 4 }, TYPE_SIMPLE }, { { "dbus", 4 }, TYPE_SIMPLE }, { { "notify-reload", 13 }, TYPE_NOTIFY },
	};
	for (size_t i = 0; i < countof(later); i++)
		if (str_eq(s->value, later[i].name)) {
			*(uint8_t *)field(s) = later[i].as;
			note(s->d, s->line, "Type=%.*s is not yet there: taken as %s", STR_ARG(s->value),
			     type_names[later[i].as]);
			return true;
		}
	if (!str_eq(s->value, STR("forking")))
		return false;
	refuse(s->d, s->line, "Type=forking is not yet there: the unit is left out; most daemons have an option to stay "
	       "in the foreground, for Type=simple");
	return true;
}

static bool read_type(const struct setting *s)
{
	int type = name_find(type_names, N_UNIT_TYPE, s->value);
	if (type < 0)
		return read_later_type(s);
	*(uint8_t *)field(s) = (uint8_t)type;
	return true;
}

static bool read_enum(const struct setting *s)
{
	const struct enumeration_names *e = &enumerations[s->row->which];
	int value = name_find(e->names, e->n, s->value);
	if (value < 0)
		return false;
	*(uint8_t *)field(s) = (uint8_t)value;
	s->d->has_notify_access |= s->row->which == ENUM_NOTIFY_ACCESS;
	return true;
}

static bool read_flag(const struct setting *s)
{
	bool value;
	if (!value_boolean(s->value, &value))
		return false;
	uint32_t bit = 1u << s->row->which;
	bool is_set = value != (s->row->reading == READ_FLAG_INVERTED);
	s->d->unit.flags = is_set ? s->d->unit.flags | bit : s->d->unit.flags & ~bit;
	return true;
}

static bool read_delay(const struct setting *s)
{
	uint64_t us;
	if (!value_time(s->value, &us))
		return false;
	*(uint32_t *)field(s) = value_ms(us);
	return true;
}

static bool timeout(struct str value, uint32_t *ms)
{
	uint64_t us;
	if (!value_time(value, &us))
		return false;
	*ms = us ? value_ms(us) : FOREVER_MS;
	return true;
}

static bool read_timeout(const struct setting *s)
{
	if (!timeout(s->value, field(s)))
		return false;
	s->d->has_start_timeout |= field(s) == &s->d->unit.start_ms;
	return true;
}

static bool read_timeouts(const struct setting *s)
{
	if (!timeout(s->value, &s->d->unit.start_ms))
		return false;
	s->d->unit.stop_ms = s->d->unit.start_ms;
	s->d->has_start_timeout = true;
	return true;
}

static bool read_restart_sec(const struct setting *s)
{
	bool is_read = read_delay(s);
	s->d->has_restart_sec |= is_read;
	return is_read;
}

static bool read_restart_max(const struct setting *s)
{
	bool is_read = read_delay(s);
	s->d->has_restart_max |= is_read;
	return is_read;
}

static bool read_restart_steps(const struct setting *s)
{
	uint64_t n;
	if (!value_u64(s->value, &n) || n > UINT32_MAX)
		return false;
	s->d->n_steps = (uint32_t)n;
	return true;
}

static bool read_signal(const struct setting *s)
{
	int signal = signal_number(s->value);
	if (signal <= 0)
		return false;
	*(uint8_t *)field(s) = (uint8_t)signal;
	return true;
}

static bool read_exit_statuses(const struct setting *s)
{
	struct exit_set *set = field(s);
	struct str rest = s->value, word;

	if (rest.n == 0)
		*set = (struct exit_set){ .signals = 0 };
	while (words_plain(&rest, &word))
		if (!value_exit_status(word, set))
			complain(s->d, s->line, "%.*s=: `%.*s`: expected %s: this one is ignored", STR_ARG(s->row->key),
				 STR_ARG(shown(word)), directive_expects(s->row));
	return true;
}

/* ---- resources ---- */

/* A share of `whole`, in hundredths of a percent; the division first, for a whole may be large. */
static uint64_t share(uint64_t whole, unsigned hundredths)
{
	return whole / 10000 * hundredths + whole % 10000 * hundredths / 10000;
}

/* A share of something that this machine does not tell is no limit at all. */
static bool read_share(const struct setting *s, uint64_t whole, uint64_t *value)
{
	unsigned hundredths;
	if (!value_percent(s->value, &hundredths))
		return false;
	if (whole == 0)
		note(s->d, s->line, "%.*s=%.*s: a share of what is not known here: no limit", STR_ARG(s->row->key),
		     STR_ARG(s->value));
	*value = whole ? share(whole, hundredths) : KNOB_INFINITY;
	return true;
}

static bool read_memory(const struct setting *s)
{
	uint64_t value = KNOB_UNSET;
	bool may_be_zero = s->row->which == KNOB_MEMORY_SWAP_MAX || s->row->which == KNOB_MEMORY_LOW ||
			   s->row->which == KNOB_MEMORY_MIN;

	if (str_eq(s->value, STR("infinity")))
		value = KNOB_INFINITY;
	else if (s->value.n && !read_share(s, s->d->host->memory_bytes, &value) &&
		 (!value_size(s->value, &value) || value >= KNOB_INFINITY))
		return false;
	if (value == 0 && !may_be_zero)
		return false;
	s->d->unit.knobs[s->row->which] = value;
	return true;
}

static bool read_tasks(const struct setting *s)
{
	uint64_t value = KNOB_UNSET;

	if (str_eq(s->value, STR("infinity")))
		value = KNOB_INFINITY;
	else if (s->value.n && !read_share(s, s->d->host->tasks_max, &value) &&
		 (!value_u64(s->value, &value) || value >= KNOB_INFINITY))
		return false;
	if (value == 0)
		return false;
	s->d->unit.knobs[s->row->which] = value;
	return true;
}

static bool read_weight(const struct setting *s)
{
	uint64_t value = KNOB_UNSET;
	if (s->value.n && (!value_u64(s->value, &value) || value < 1 || value > 10000))
		return false;
	s->d->unit.knobs[s->row->which] = value;
	return true;
}

static bool read_limit(const struct setting *s)
{
	struct limit limit = { .kind = s->row->which };
	if (!value_limit(s->value, limit.kind == LIMIT_CORE, &limit))
		return false;
	for (uint32_t i = 0; i < s->d->limits.n; i++)
		if (LIST_AT(s->d->limits, struct limit, i).kind == limit.kind) {
			LIST_AT(s->d->limits, struct limit, i) = limit;
			return true;
		}
	*(struct limit *)list_add(&s->d->limits, sizeof limit) = limit;
	return true;
}

static bool read_score(const struct setting *s)
{
	int64_t value;
	if (!value_int(s->value, -1000, 1000, &value))
		return false;
	*(int16_t *)field(s) = (int16_t)value;
	s->d->unit.flags |= UNIT_HAS_SCORE;
	return true;
}

static bool read_nice(const struct setting *s)
{
	int64_t value;
	if (!value_int(s->value, -20, 19, &value))
		return false;
	*(int8_t *)field(s) = (int8_t)value;
	s->d->unit.flags |= UNIT_HAS_NICE;
	return true;
}

static bool read_umask(const struct setting *s)
{
	unsigned mode;
	if (!value_mode(s->value, 0777, &mode))
		return false;
	*(uint16_t *)field(s) = (uint16_t)mode;
	return true;
}

/* ---- who and where ---- */

static bool read_user(const struct setting *s)
{
	s->d->user_line = s->line;
	return !specified(s, s->value, &s->d->user) || s->value.n == 0 || s->d->user.n > 0;
}

static bool read_group(const struct setting *s)
{
	s->d->group_line = s->line;
	return !specified(s, s->value, &s->d->group) || s->value.n == 0 || s->d->group.n > 0;
}

/* A bad folder refuses the whole unit, as in systemd: a daemon in the wrong place may write over anything. */
static bool read_directory(const struct setting *s)
{
	struct str path = s->value;
	bool may_fail = str_take(&path, STR("-"));

	s->d->wants_home = str_eq(path, STR("~"));
	s->d->unit.flags = may_fail ? s->d->unit.flags | UNIT_CHDIR_MAY_FAIL : s->d->unit.flags & ~UNIT_CHDIR_MAY_FAIL;
	s->d->working_directory = STR("");
	if (s->d->wants_home || s->value.n == 0)
		return true;
	if (!specified(s, path, &path) || !value_is_path(path)) {
		if (may_fail)
			return false;
		refuse(s->d, s->line, "%.*s=%.*s: expected %s: the unit is left out", STR_ARG(s->row->key),
		       STR_ARG(shown(s->value)), directive_expects(s->row));
		return true;
	}
	struct buf b = keep_buf(path.n);
	value_simplify_path(path, &b);
	s->d->working_directory = buf_view(&b);
	return true;
}

/* A word that cannot be read takes the rest of its line with it; one that is no assignment goes alone. */
static bool read_environment(const struct setting *s)
{
	struct str rest = s->value;

	if (rest.n == 0)
		s->d->environment.n = 0;
	for (;;) {
		struct buf b = keep_buf(rest.n);
		enum words_result r = words_next(&rest, &b);
		struct str word = buf_view(&b);
		if (r == WORDS_END)
			return true;
		if (r != WORDS_WORD) {
			complain(s->d, s->line, "Environment=: `%.*s`: %s: ignored from here on", STR_ARG(shown(word)),
				 r == WORDS_ODD ? "an escape that means nothing" : "a quote is never closed");
			return true;
		}
		if (!specified(s, word, &word))
			continue;
		if (value_is_assignment(word))
			environment_add(&s->d->environment, word);
		else
			complain(s->d, s->line, "Environment=: `%.*s`: expected %s: this one is ignored",
				 STR_ARG(shown(word)), directive_expects(s->row));
	}
}

/*
 * Patterns are resolved now, where systemd does it at every start: PID 1 then has no folder to read. A file that
 * appears later is seen after the next reload.
 */
static void add_environment_files(struct draft *d, struct str path, bool may_fail)
{
	glob_t found;
	const char *sign = may_fail ? "-" : "";
	bool is_pattern = path.n > strcspn(path.p, "*?[");

	if (is_pattern && glob(path.p, GLOB_NOESCAPE, NULL, &found) == 0) {
		for (size_t i = 0; i < found.gl_pathc; i++)
			list_add_str(&d->environment_files, keep_print("%s%s", sign, found.gl_pathv[i]));
		globfree(&found);
		return;
	}
	list_add_str(&d->environment_files, keep_print("%s%.*s", sign, STR_ARG(path)));
}

static bool read_environment_file(const struct setting *s)
{
	struct str path = s->value;

	if (path.n == 0) {
		s->d->environment_files.n = 0;
		return true;
	}
	bool may_fail = str_take(&path, STR("-"));
	if (!specified(s, path, &path))
		return true;
	if (!value_is_path(path))
		return false;
	add_environment_files(s->d, keep_str(path), may_fail);
	return true;
}

/* ---- standard input, output, error ---- */

static bool is_pathless(int kind)
{
	return kind == STDIO_NULL || kind == STDIO_INHERIT || kind == STDIO_TTY || kind == STDIO_KMSG;
}

static bool set_stdio(const struct setting *s, enum stdio_kind kind, struct str path)
{
	s->d->unit.stdio[s->row->which] = (uint8_t)kind;
	s->d->stdio_path[s->row->which] = path;
	return true;
}

/* Targets of systemd that have no counterpart yet: what would be lost goes where it can be seen. */
static bool read_later_stdio(const struct setting *s)
{
	static const char *const to_default[] = { "journal", "syslog", "journal+console", "syslog+console" };
	static const char *const to_tty[] = { "tty-force", "tty-fail" };
	struct unit defaults;

	if (s->row->which == 0 && name_find(to_tty, countof(to_tty), s->value) >= 0) {
		note(s->d, s->line, "StandardInput=%.*s is not yet there: taken as tty", STR_ARG(s->value));
		return set_stdio(s, STDIO_TTY, STR("/dev/console"));
	}
	if (str_eq(s->value, STR("kmsg+console")) && s->row->which > 0)
		return set_stdio(s, STDIO_KMSG, STR(""));
	if (s->row->which == 0 || name_find(to_default, countof(to_default), s->value) < 0)
		return false;
	unit_defaults(&defaults);
	note(s->d, s->line, "%.*s=%.*s: there is no journal: goes where output goes by default", STR_ARG(s->row->key),
	     STR_ARG(s->value));
	return set_stdio(s, (enum stdio_kind)defaults.stdio[s->row->which], STR(""));
}

static bool read_stdio(const struct setting *s)
{
	int kind = name_find(stdio_names, N_STDIO_KIND, s->value);
	if (kind >= 0 && is_pathless(kind))
		return set_stdio(s, (enum stdio_kind)kind, kind == STDIO_TTY ? STR("/dev/console") : STR(""));

	struct str path = s->value;
	kind = name_find(stdio_names, N_STDIO_KIND, str_until(&path, ':'));
	if (kind < 0 || is_pathless(kind))
		return read_later_stdio(s);
	if (!specified(s, path, &path))
		return true;
	return value_is_path(path) && set_stdio(s, (enum stdio_kind)kind, keep_str(path));
}

/* ---- the table ---- */

static bool (*const readers[N_READING])(const struct setting *) = {
	[READ_TEXT] = read_text,
	[READ_UNITS] = read_units,
	[READ_COMMANDS] = read_commands,
	[READ_TYPE] = read_type,
	[READ_ENUM] = read_enum,
	[READ_FLAG] = read_flag,
	[READ_FLAG_INVERTED] = read_flag,
	[READ_DELAY] = read_delay,
	[READ_TIMEOUT] = read_timeout,
	[READ_TIMEOUTS] = read_timeouts,
	[READ_RESTART_SEC] = read_restart_sec,
	[READ_RESTART_STEPS] = read_restart_steps,
	[READ_RESTART_MAX] = read_restart_max,
	[READ_START_LIMIT] = read_start_limit,
	[READ_START_BURST] = read_start_burst,
	[READ_SIGNAL] = read_signal,
	[READ_EXIT_STATUSES] = read_exit_statuses,
	[READ_MEMORY] = read_memory,
	[READ_TASKS] = read_tasks,
	[READ_WEIGHT] = read_weight,
	[READ_LIMIT] = read_limit,
	[READ_SCORE] = read_score,
	[READ_NICE] = read_nice,
	[READ_UMASK] = read_umask,
	[READ_USER] = read_user,
	[READ_GROUP] = read_group,
	[READ_DIRECTORY] = read_directory,
	[READ_ENVIRONMENT] = read_environment,
	[READ_ENVIRONMENT_FILE] = read_environment_file,
	[READ_STDIO] = read_stdio,
};

bool settings_read(struct draft *d, const struct directive *row, struct str value, uint32_t line)
{
	struct setting s = { d, row, value, line };
	return !readers[row->reading] || readers[row->reading](&s);
}
