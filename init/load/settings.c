#include "settings.h"
#include "lib/condition.h"
#include "lib/names.h"
#include "lib/values.h"

void *setting_field(const struct setting *s)
{
	return (char *)&s->d->unit + s->row->at;
}

bool setting_specified(const struct setting *s, struct str text, struct str *result)
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
	if (setting_specified(s, s->value, &text))
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
	link_add(s->d, keep_str(name), (enum link)s->row->which, s->line);
}

/* No quotes in these, and the empty value clears nothing (both measured). */
static bool read_units(const struct setting *s)
{
	struct str rest = s->value, word;
	while (words_plain(&rest, &word))
		if (setting_specified(s, word, &word))
			read_link(s, word);
	return true;
}

static bool read_defaults(const struct setting *s)
{
	bool value;
	if (!value_boolean(s->value, &value))
		return false;
	s->d->has_no_defaults = !value;
	return true;
}

/* Whoever mounts, it is done by then: at boot before us, or by a unit that is Before= it. */
static bool read_mounts(const struct setting *s)
{
	struct str rest = s->value, word;
	while (words_plain(&rest, &word)) {
		if (!setting_specified(s, word, &word))
			continue;
		if (!str_starts(word, STR("/")))
			complain(s->d, s->line, "%.*s=: `%.*s` is not an absolute path: ignored", STR_ARG(s->row->key),
				 STR_ARG(shown(word)));
		else
			note(s->d, s->line, "%.*s=%.*s: mounts are not run: taken as After=local-fs.target",
			     STR_ARG(s->row->key), STR_ARG(shown(word)));
	}
	link_add(s->d, STR("local-fs.target"), LINK_AFTER, s->line);
	return true;
}

static bool is_argument(enum condition_argument what, struct str text)
{
	bool value;
	return what == ARGUMENT_PATH ? value_is_path(text) : what == ARGUMENT_BOOLEAN ? value_boolean(text, &value) : text.n > 0;
}

/* An empty one clears all of them, of whatever kind; assertions are a list of their own. */
static bool read_condition(const struct setting *s)
{
	struct condition c = { .is_assert = str_starts(s->row->key, STR("Assert")) };
	struct list *list = c.is_assert ? &s->d->assertions : &s->d->conditions;
	struct str argument = s->value;
	condition_signs(&c, &argument);
	if (s->value.n == 0) {
		list->n = 0;
		return true;
	}
	if (!setting_specified(s, argument, &argument))
		return true;
	if (!is_argument(condition_info[s->row->which].argument, argument))
		return false;
	if (list->n == CONDITIONS_MAX)
		complain(s->d, s->line, "%.*s=: no unit can have more than %d of them: ignored", STR_ARG(s->row->key), CONDITIONS_MAX);
	else
		list_add_str(list, keep_print("%.*s=%s%s%.*s", STR_ARG(s->row->key), c.is_trigger ? "|" : "", c.is_negated ? "!" : "",
					      STR_ARG(argument)));
	return true;
}

static bool read_start_limit(const struct setting *s)
{
	uint64_t us;
	if (!value_time(s->value, &us))
		return false;
	*(uint32_t *)setting_field(s) = value_ms(us);
	s->d->has_start_limit = true;
	return true;
}

static bool read_start_burst(const struct setting *s)
{
	uint64_t n;
	if (!value_u64(s->value, &n) || n > UINT32_MAX)
		return false;
	*(uint32_t *)setting_field(s) = (uint32_t)n;
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
		{ { "idle", 4 }, TYPE_SIMPLE }, { { "dbus", 4 }, TYPE_SIMPLE },
		{ { "notify-reload", 13 }, TYPE_NOTIFY },
	};
	for (size_t i = 0; i < countof(later); i++)
		if (str_eq(s->value, later[i].name)) {
			*(uint8_t *)setting_field(s) = later[i].as;
			note(s->d, s->line, "Type=%.*s is not yet there: taken as %s", STR_ARG(s->value),
			     type_names[later[i].as]);
			return true;
		}
	if (!str_eq(s->value, STR("forking")))
		return false;
	refuse(s->d, s->line, "Type=forking is not yet there: the unit is left out; most daemons have an option to "
	       "stay in the foreground, for Type=simple");
	return true;
}

static bool read_type(const struct setting *s)
{
	int type = name_find(type_names, N_UNIT_TYPE, s->value);
	if (type < 0)
		return read_later_type(s);
	*(uint8_t *)setting_field(s) = (uint8_t)type;
	return true;
}

static bool read_enum(const struct setting *s)
{
	const struct enumeration_names *e = &enumerations[s->row->which];
	int value = name_find(e->names, e->n, s->value);
	if (value < 0)
		return false;
	*(uint8_t *)setting_field(s) = (uint8_t)value;
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
	*(uint32_t *)setting_field(s) = value_ms(us);
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
	if (!timeout(s->value, setting_field(s)))
		return false;
	s->d->has_start_timeout |= setting_field(s) == &s->d->unit.start_ms;
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
	*(uint8_t *)setting_field(s) = (uint8_t)signal;
	return true;
}

static bool read_exit_statuses(const struct setting *s)
{
	struct exit_set *set = setting_field(s);
	struct str rest = s->value, word;

	if (rest.n == 0)
		*set = (struct exit_set){ .signals = 0 };
	while (words_plain(&rest, &word))
		if (!value_exit_status(word, set))
			complain(s->d, s->line, "%.*s=: `%.*s`: expected %s: this one is ignored", STR_ARG(s->row->key),
				 STR_ARG(shown(word)), directive_expects(s->row));
	return true;
}

/* ---- the table ---- */

static bool (*const readers[N_READING])(const struct setting *) = {
	[READ_TEXT] = read_text,
	[READ_UNITS] = read_units,
	[READ_DEFAULTS] = read_defaults,
	[READ_MOUNTS] = read_mounts,
	[READ_CONDITION] = read_condition,
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
