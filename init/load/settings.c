#include "settings.h"
#include "lib/condition.h"
#include "lib/names.h"
#include "lib/unitname.h"
#include "lib/values.h"

void *setting_field(const struct setting *s)
{
	bool is_context = s->row->at & AT_CONTEXT;
	return is_context ? (char *)&s->d->context + (s->row->at & ~AT_CONTEXT) : (char *)&s->d->unit + s->row->at;
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

void setting_not_this(const struct setting *s, struct str word)
{
	complain(s->d, s->line, "%.*s=: `%.*s`: expected %s: this one is ignored", STR_ARG(s->row->key), STR_ARG(shown(word)),
		 directive_expects(s->row));
}

void setting_too_many(const struct setting *s)
{
	complain(s->d, s->line, "%.*s=: more than %u of them: ignored from here on", STR_ARG(s->row->key), LAUNCH_WORDS_MAX);
}

struct str setting_simplified(struct str path)
{
	struct buf b = keep_buf(path.n);
	value_simplify_path(path, &b);
	return buf_view(&b);
}

bool setting_unescaped(struct str text, struct buf *to)
{
	while (text.n) {
		size_t plain = str_chr(text, '\\');
		buf_str(to, str_of(text.p, plain));
		text = str_skip(text, plain);
		size_t n = text.n ? words_escape(str_skip(text, 1), to) : 1;
		if (n == 0)
			return false;
		text = str_skip(text, n + 1);
	}
	return true;
}

bool setting_words(const struct setting *s, struct list *list, next_word *next, bool (*is_good)(const struct setting *, struct str))
{
	struct str rest = s->value;
	for (;;) {
		struct buf b = scratch(rest.n);
		enum words_result r = next(&rest, &b);
		struct str word = keep_str(buf_view(&b));
		if (r == WORDS_END)
			return true;
		if (r != WORDS_WORD) {
			complain(s->d, s->line, "%.*s=: `%.*s`: %s: ignored from here on", STR_ARG(s->row->key),
				 STR_ARG(shown(word)),
				 r == WORDS_ODD ? "an escape that means nothing" : "a quote is never closed");
			return true;
		}
		if (!setting_specified(s, word, &word))
			continue;
		if (list->n == LAUNCH_WORDS_MAX) {
			setting_too_many(s);
			return true;
		}
		if (!is_good || is_good(s, word))
			list_add_str(list, word);
		else
			setting_not_this(s, word);
	}
}

/* ---- [Unit] ---- */

static bool read_text(const struct setting *s)
{
	struct str text;
	if (setting_specified(s, s->value, &text))
		s->d->description = text;
	return true;
}

void draft_link(struct draft *d, struct str name, enum link kind, uint32_t line)
{
	struct draft_link *link = list_add(&d->links, sizeof *link);
	*link = (struct draft_link){ .name = keep_str(instance_for(d, name)), .line = line, .kind = kind, .other = NO_UNIT };
}

/* Whether there is a file for it is known only once all units are: see link.c. */
static void check_link(const struct setting *s, struct str name)
{
	if (s->d->is_checked && link_needs_what_is_not_run((enum link)s->row->which, name))
		approximate(s->d, s->line, "%.*s=%.*s, which is not yet a type that is run: taken as there if there is a file for it",
			    STR_ARG(s->row->key), STR_ARG(shown(name)));
}

static void read_link(const struct setting *s, struct str name)
{
	if (!unitname_is_valid(name))
		complain(s->d, s->line, "%.*s=: `%.*s` is not a unit's name; expected one with its suffix, such as "
			 "web.service: ignored", STR_ARG(s->row->key), STR_ARG(shown(name)));
	else if (s->d->links.n < UNITS_MAX) {
		check_link(s, name);
		draft_link(s->d, name, (enum link)s->row->which, s->line);
	}
}

/* [Install] Alias=: other names, of the same type. */
static bool read_aliases(const struct setting *s)
{
	struct str rest = s->value, word;
	while (words_plain(&rest, &word)) {
		if (!setting_specified(s, word, &word))
			continue;
		struct str name = instance_for(s->d, word);
		if (!unitname_is_valid(name) || unitname_type(name) != unitname_type(s->d->name))
			return false;
		list_add_str(&s->d->install_aliases, name);
	}
	return true;
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
			approximate(s->d, s->line, "%.*s=%.*s: mounts are not run: taken as After=local-fs.target",
				    STR_ARG(s->row->key), STR_ARG(shown(word)));
	}
	draft_link(s->d, STR("local-fs.target"), LINK_AFTER, s->line);
	return true;
}

/* Of a path what is needless is left out. What should be yes or no and is neither is never met, and told of here. */
static bool take_argument(const struct setting *s, struct str *text)
{
	bool value;
	enum condition_argument what = condition_info[s->row->which].argument;

	if (what == ARGUMENT_PATH) {
		bool is_path = value_is_path(*text);
		*text = setting_simplified(*text);
		return is_path;
	}
	if (what == ARGUMENT_BOOLEAN && text->n && !value_boolean(*text, &value))
		complain(s->d, s->line, "%.*s=%.*s: expected %s: this is never met", STR_ARG(s->row->key), STR_ARG(shown(s->value)),
			 directive_expects(s->row));
	return true;
}

/* An empty one clears all of them, of whatever kind; assertions are a list of their own. */
static bool read_condition(const struct setting *s)
{
	struct condition c = { .kind = s->row->which, .is_assert = str_starts(s->row->key, STR("Assert")) };
	struct list *list = c.is_assert ? &s->d->assertions : &s->d->conditions;
	struct str argument = s->value;
	condition_signs(&c, &argument);
	if (s->value.n == 0) {
		list->n = 0;
		return true;
	}
	if (!setting_specified(s, argument, &argument))
		return true;
	if (!take_argument(s, &argument))
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

static bool read_type(const struct setting *s)
{
	int type = name_find(type_names, N_UNIT_TYPE, s->value);
	if (type < 0)
		return false;
	*(uint8_t *)setting_field(s) = (uint8_t)type;
	s->d->has_type = true;
	if (s->d->is_checked && type == TYPE_DBUS)
		approximate(s->d, s->line, "Type=dbus implies Requires=dbus.socket, which is not yet a type that is run: the bus is "
			    "taken as there");
	return true;
}

static bool read_enum(const struct setting *s)
{
	static const bool may_be_empty[N_ENUMERATION] = { [ENUM_KILL_MODE] = true, [ENUM_SCHEDULING] = true, [ENUM_NUMA_POLICY] = true };
	const struct enumeration_names *e = &enumerations[s->row->which];
	bool is_reset = s->value.n == 0 && may_be_empty[s->row->which];
	int value = is_reset ? 0 : name_find(e->names, e->n, s->value);
	if (value < 0)
		return false;
	*(uint8_t *)setting_field(s) = (uint8_t)value;
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
	bool is_abort = setting_field(s) == &s->d->unit.abort_ms;
	bool is_reset = is_abort && s->value.n == 0;    /* to what TimeoutStopSec= says */
	if (!is_reset && !value_time(s->value, &us))
		return false;
	if (is_abort)
		s->d->has_abort_timeout = !is_reset;
	if (!is_reset)
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

static bool read_statuses(const struct setting *s, struct exit_set *set)
{
	struct str rest = s->value, word;

	if (rest.n == 0)
		*set = (struct exit_set){ .signals = 0 };
	while (words_plain(&rest, &word))
		if (!value_exit_status(word, set))
			setting_not_this(s, word);
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
	[READ_ALIASES] = read_aliases,
	[READ_MOUNTS] = read_mounts,
	[READ_CONDITION] = read_condition,
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
	[READ_QUOTA] = read_quota,
	[READ_QUOTA_PERIOD] = read_quota_period,
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
	[READ_CONTEXT_FLAG] = read_context_flag,
	[READ_CONTEXT_FLAG_INVERTED] = read_context_flag,
	[READ_SWITCH] = read_switch,
	[READ_GROUPS] = read_groups,
	[READ_CAPABILITIES] = read_capabilities,
	[READ_SECURE_BITS] = read_secure_bits,
	[READ_VARIABLES] = read_variables,
	[READ_SEARCH_PATH] = read_search_path,
	[READ_SANDBOX_PATHS] = read_sandbox_paths,
	[READ_FOLDERS] = read_folders,
	[READ_FOLDER_MODE] = read_folder_mode,
	[READ_PRESERVE] = read_preserve,
	[READ_BYTE] = read_byte,
	[READ_IO_CLASS] = read_io_class,
	[READ_IO_PRIORITY] = read_io_priority,
	[READ_MASK] = read_mask,
	[READ_TIMER_SLACK] = read_timer_slack,
	[READ_PERSONALITY] = read_personality,
	[READ_COREDUMP_FILTER] = read_coredump_filter,
	[READ_TTY] = read_tty,
	[READ_TTY_SIZE] = read_tty_size,
	[READ_INPUT_TEXT] = read_input_text,
	[READ_INPUT_DATA] = read_input_data,
	[READ_LOAD_CREDENTIAL] = read_load_credential,
	[READ_SET_CREDENTIAL] = read_set_credential,
	[READ_CALENDAR] = read_calendar,
	[READ_SPAN] = read_span,
	[READ_BOOLEAN] = read_boolean,
	[READ_IDENTIFIER] = read_identifier,
	[READ_LOG_LEVEL] = read_log_level,
	[READ_COUNT] = read_count,
};

bool settings_read(struct draft *d, const struct directive *row, struct str value, uint32_t line)
{
	struct setting s = { d, row, value, line };
	return !readers[row->reading] || readers[row->reading](&s);
}
