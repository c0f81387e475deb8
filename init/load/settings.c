#include "settings.h"
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
	struct draft_link *link = list_add(&s->d->links, sizeof *link);
	*link = (struct draft_link){ keep_str(name), s->line, (enum link)s->row->which, NO_UNIT };
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

static bool read_type(const struct setting *s)
{
	int type = name_find(type_names, N_UNIT_TYPE, s->value);
	if (type < 0)
		return false;
	*(uint8_t *)setting_field(s) = (uint8_t)type;
	return true;
}

/* What is not there yet, or would skip the end of the services, as the nearest that is. */
static bool read_action(const struct setting *s)
{
	static const struct str hurries[] = { { "-force", 6 }, { "-immediate", 10 } };
	struct str name = s->value;
	for (size_t i = 0; i < countof(hurries); i++)
		if (str_ends(name, hurries[i]))
			name.n -= hurries[i].n;
	if (str_eq(name, STR("kexec")) || str_eq(name, STR("soft-reboot")))
		name = STR("reboot");
	int action = name_find(unit_action_names, N_UNIT_ACTION, name);
	if (action < 0 || (action == ACTION_NONE && name.n != s->value.n))
		return false;
	if (!str_eq(name, s->value))
		note(s->d, s->line, "%.*s=%.*s: taken as %.*s", STR_ARG(s->row->key), STR_ARG(s->value), STR_ARG(name));
	*(uint8_t *)setting_field(s) = (uint8_t)action;
	return true;
}

static bool read_fd_store(const struct setting *s)
{
	uint64_t n;
	if (!value_u64(s->value, &n))
		return false;
	if (n > STORE_MAX)
		note(s->d, s->line, "FileDescriptorStoreMax=%.*s: taken as %u, which is all there is for all services",
		     STR_ARG(s->value), STORE_MAX);
	s->d->unit.fd_store_max = (uint16_t)(n < STORE_MAX ? n : STORE_MAX);
	return true;
}

static bool read_notify_fd(const struct setting *s)
{
	uint64_t n;
	if (!value_u64(s->value, &n) || n < 3 || n > UINT8_MAX)
		return false;
	s->d->unit.notify_fd = (uint8_t)n;
	return true;
}

/* Of the specification's rules ("Bus names") what keeps it one word within a match rule. */
static bool read_bus_name(const struct setting *s)
{
	struct str name = s->value;
	if (!setting_specified(s, name, &name))
		return true;
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];
		bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
		if (!is_letter && c != '.' && c != '-' && c != '_')
			return false;
	}
	if (name.n > 255 || (name.n && (str_chr(name, '.') == name.n || name.p[0] == '.')))
		return false;
	s->d->bus_name = name;
	return true;
}

/* Below /run when it is relative, and /var/run is /run (both measured). */
static bool read_pid_file(const struct setting *s)
{
	struct str path = s->value;
	s->d->pid_file = STR("");
	if (path.n == 0)
		return true;
	if (!setting_specified(s, path, &path))
		return true;
	if (str_take(&path, STR("/var/run/")) || path.p[0] != '/')
		path = keep_print("/run/%.*s", STR_ARG(path));
	if (!value_is_path(path)) {
		refuse(s->d, s->line, "PIDFile=%.*s: expected %s: the unit is left out", STR_ARG(shown(s->value)),
		       directive_expects(s->row));
		return true;
	}
	struct buf b = keep_buf(path.n);
	value_simplify_path(path, &b);
	s->d->pid_file = buf_view(&b);
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
	s->d->has_abort_timeout |= setting_field(s) == &s->d->unit.abort_ms;
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

static bool read_statuses(const struct setting *s, struct exit_set *set)
{
	struct str rest = s->value, word;

	if (rest.n == 0)
		*set = (struct exit_set){ .signals = 0 };
	while (words_plain(&rest, &word))
		if (!value_exit_status(word, set))
			complain(s->d, s->line, "%.*s=: `%.*s`: expected %s: this one is ignored", STR_ARG(s->row->key),
				 STR_ARG(shown(word)), directive_expects(s->row));
	return true;
}

static bool read_exit_statuses(const struct setting *s)
{
	return read_statuses(s, setting_field(s));
}

static bool read_restart_statuses(const struct setting *s)
{
	return read_statuses(s, s->row->which ? &s->d->restart_force : &s->d->restart_prevent);
}

/* ---- the table ---- */

static bool (*const readers[N_READING])(const struct setting *) = {
	[READ_TEXT] = read_text,
	[READ_UNITS] = read_units,
	[READ_COMMANDS] = read_commands,
	[READ_TYPE] = read_type,
	[READ_ACTION] = read_action,
	[READ_FD_STORE] = read_fd_store,
	[READ_NOTIFY_FD] = read_notify_fd,
	[READ_PID_FILE] = read_pid_file,
	[READ_BUS_NAME] = read_bus_name,
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
	[READ_RESTART_STATUSES] = read_restart_statuses,
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
