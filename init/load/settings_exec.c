/* Settings of how a process is made: resources, folder, environment. */
#include "settings.h"
#include "lib/exec_values.h"
#include "lib/names.h"
#include "lib/values.h"

#include <glob.h>
#include <string.h>

/* ---- resources ---- */

/* A share of `whole`, in hundredths of a percent; the division first, for a whole may be large. */
static uint64_t share(uint64_t whole, unsigned hundredths)
{
	return whole / 10000 * hundredths + whole % 10000 * hundredths / 10000;
}

#define PAGE 4096       /* cgroups(7): memory limits are whole pages */

/* A share of something that this machine does not tell is no limit at all. */
static bool read_share(const struct setting *s, uint64_t whole, uint64_t grain, uint64_t *value)
{
	unsigned hundredths;
	if (!value_percent(s->value, &hundredths))
		return false;
	if (whole == 0)
		approximate(s->d, s->line, "%.*s=%.*s: a share of what is not known here: no limit", STR_ARG(s->row->key),
		     STR_ARG(s->value));
	*value = whole ? share(whole, hundredths) / grain * grain : KNOB_INFINITY;
	return true;
}

bool read_memory(const struct setting *s)
{
	uint64_t value = KNOB_UNSET;
	bool may_be_zero = s->row->which == KNOB_MEMORY_SWAP_MAX || s->row->which == KNOB_MEMORY_LOW ||
			   s->row->which == KNOB_MEMORY_MIN;

	if (str_eq(s->value, STR("infinity")))
		value = KNOB_INFINITY;
	else if (s->value.n && !read_share(s, s->d->host->memory_bytes, PAGE, &value) &&
		 (!value_size(s->value, &value) || value >= KNOB_INFINITY))
		return false;
	if (value == 0 && !may_be_zero)
		return false;
	s->d->unit.knobs[s->row->which] = value;
	return true;
}

bool read_tasks(const struct setting *s)
{
	uint64_t value = KNOB_UNSET;

	if (str_eq(s->value, STR("infinity")))
		value = KNOB_INFINITY;
	else if (s->value.n && !read_share(s, s->d->host->tasks_max, 1, &value) &&
		 (!value_u64(s->value, &value) || value >= KNOB_INFINITY))
		return false;
	if (value == 0)
		return false;
	s->d->unit.knobs[s->row->which] = value;
	return true;
}

bool read_weight(const struct setting *s)
{
	uint64_t value = KNOB_UNSET;
	bool is_idle = str_eq(s->value, STR("idle"));
	if (is_idle)
		approximate(s->d, s->line, "%.*s=idle: taken as 1, the least there is", STR_ARG(s->row->key));
	if (s->value.n && !is_idle && (!value_u64(s->value, &value) || value < 1 || value > 10000))
		return false;
	value = is_idle ? 1 : value;
	s->d->unit.knobs[s->row->which] = value;
	return true;
}

bool read_quota(const struct setting *s)
{
	s->d->cpu_share = s->value.n ? s->d->cpu_share : 0;
	return s->value.n == 0 || value_quota(s->value, &s->d->cpu_share);
}

/* systemd.resource-control(5): what the kernel does not take is the nearest that it does. */
bool read_quota_period(const struct setting *s)
{
	uint64_t us = CPU_PERIOD_US;
	if (s->value.n && !value_time(s->value, &us))
		return false;
	if (us == VALUE_INFINITY)
		us = CPU_PERIOD_US;
	else if (us < CPU_PERIOD_LEAST_US || us > CPU_PERIOD_MOST_US)
		us = us < CPU_PERIOD_LEAST_US ? CPU_PERIOD_LEAST_US : CPU_PERIOD_MOST_US;
	*(uint32_t *)setting_field(s) = (uint32_t)us;
	return true;
}

bool read_limit(const struct setting *s)
{
	struct limit limit = { .kind = s->row->which };
	if (!exec_limit(s->value, s->row->which, &limit))
		return false;
	for (uint32_t i = 0; i < s->d->limits.n; i++)
		if (LIST_AT(s->d->limits, struct limit, i).kind == limit.kind) {
			LIST_AT(s->d->limits, struct limit, i) = limit;
			return true;
		}
	*(struct limit *)list_add(&s->d->limits, sizeof limit) = limit;
	return true;
}

bool read_score(const struct setting *s)
{
	int64_t value = 0;
	if (s->value.n && !value_int(s->value, -1000, 1000, &value))
		return false;
	*(int16_t *)setting_field(s) = (int16_t)value;
	s->d->unit.flags = s->value.n ? s->d->unit.flags | UNIT_HAS_SCORE : s->d->unit.flags & ~UNIT_HAS_SCORE;
	return true;
}

bool read_nice(const struct setting *s)
{
	int64_t value = 0;
	if (s->value.n && !value_int(s->value, -20, 19, &value))
		return false;
	*(int8_t *)setting_field(s) = (int8_t)value;
	s->d->unit.flags = s->value.n ? s->d->unit.flags | UNIT_HAS_NICE : s->d->unit.flags & ~UNIT_HAS_NICE;
	return true;
}

bool read_umask(const struct setting *s)
{
	unsigned mode;
	if (!value_mode(s->value, 07777, &mode))
		return false;
	*(uint16_t *)setting_field(s) = (uint16_t)mode;
	return true;
}

bool read_byte(const struct setting *s)
{
	int64_t value;
	if (!value_int(s->value, 0, s->row->which, &value))
		return false;
	*(uint8_t *)setting_field(s) = (uint8_t)value;
	return true;
}

/* An empty value takes both back. */
static bool reset_io(const struct setting *s)
{
	if (s->value.n)
		return false;
	s->d->context.flags &= ~CONTEXT_HAS_IO;
	s->d->context.io_class = context_defaults.io_class;
	s->d->context.io_priority = context_defaults.io_priority;
	return true;
}

bool read_io_class(const struct setting *s)
{
	int64_t number;
	if (reset_io(s))
		return true;
	int class = name_find(io_class_names, N_IO_CLASS, s->value);
	if (class < 0 && !value_int(s->value, 0, N_IO_CLASS - 1, &number))
		return false;
	if (class < 0)
		class = (int)number;
	if (class == IO_NONE) {         /* that is what nobody sets, and the kernel makes of it what its middle is: ioprio_set(2) */
		class = IO_BEST_EFFORT;
		s->d->context.io_priority = context_defaults.io_priority;
	}
	*(uint8_t *)setting_field(s) = (uint8_t)class;
	s->d->context.flags |= CONTEXT_HAS_IO;
	return true;
}

bool read_io_priority(const struct setting *s)
{
	int64_t value;
	if (reset_io(s))
		return true;
	if (!value_int(s->value, 0, 7, &value))
		return false;
	*(uint8_t *)setting_field(s) = (uint8_t)value;
	s->d->context.flags |= CONTEXT_HAS_IO;
	return true;
}

bool read_mask(const struct setting *s)
{
	struct mask *mask = &s->d->masks[s->row->which];
	if (s->value.n == 0)
		*mask = (struct mask){ .is_set = false };
	if (s->row->which == MASK_CPUS && str_eq(s->value, STR("numa"))) {
		approximate(s->d, s->line, "%.*s=numa: taken as every processor", STR_ARG(s->row->key));
		*mask = (struct mask){ .is_set = false };
		return true;
	}
	if (s->row->which == MASK_NODES && str_eq(s->value, STR("all")))
		memset(mask->bits, 0xff, sizeof mask->bits);
	else if (!exec_mask(s->value, mask->bits))
		return false;
	mask->is_set = s->value.n;
	return true;
}

bool read_timer_slack(const struct setting *s)
{
	return value_nanoseconds(s->value, setting_field(s));
}

bool read_personality(const struct setting *s)
{
	if (s->value.n == 0)
		s->d->context.personality = PERSONALITY_UNSET;
	return s->value.n == 0 || exec_personality(s->value, setting_field(s));
}

bool read_coredump_filter(const struct setting *s)
{
	uint32_t filter, *sum = setting_field(s);
	if (!exec_coredump_filter(s->value, &filter))
		return false;
	*sum = s->value.n == 0 ? COREDUMP_FILTER_UNSET : *sum == COREDUMP_FILTER_UNSET ? filter : *sum | filter;
	return true;
}

/* ---- where, and with which variables ---- */

/* A bad folder refuses the whole unit, as in systemd: a daemon in the wrong place may write over anything. */
bool read_directory(const struct setting *s)
{
	struct str path = s->value;
	bool may_fail = str_take(&path, STR("-")), wants_home = str_eq(path, STR("~"));

	if (!wants_home && s->value.n && (!setting_specified(s, path, &path) || !value_is_path(path))) {
		if (may_fail)
			return false;
		refuse(s->d, s->line, "%.*s=%.*s: expected %s: the unit is left out", STR_ARG(s->row->key),
		       STR_ARG(shown(s->value)), directive_expects(s->row));
		return true;
	}
	s->d->wants_home = wants_home;
	s->d->unit.flags = may_fail ? s->d->unit.flags | UNIT_CHDIR_MAY_FAIL : s->d->unit.flags & ~UNIT_CHDIR_MAY_FAIL;
	s->d->working_directory = wants_home || s->value.n == 0 ? STR("") : setting_simplified(path);
	return true;
}

static bool is_assignment(const struct setting *s, struct str word)
{
	(void)s;
	return value_is_assignment(word);
}

/* A word that cannot be read takes the rest of its line with it; one that is no assignment goes alone. */
bool read_environment(const struct setting *s)
{
	struct list read = { .n = 0 };

	if (s->value.n == 0)
		s->d->environment.n = 0;
	setting_words(s, &read, words_next, is_assignment);
	for (uint32_t i = 0; i < read.n; i++) {
		if (s->d->environment.n == LAUNCH_WORDS_MAX) {
			setting_too_many(s);
			break;
		}
		environment_add(&s->d->environment, LIST_AT(read, struct str, i));
	}
	return true;
}

/*
 * Patterns are resolved now, where systemd does it at every start: PID 1 then has no folder to read. A file that
 * appears later is seen after the next reload.
 */
static void add_environment_files(struct draft *d, struct str path, bool may_fail)
{
	glob_t found;
	const char *sign = may_fail ? "-" : "";
	unsigned n_patterns = 0;

	for (struct str rest = path; rest.n;) {
		struct str part = str_until(&rest, '/');
		n_patterns += str_chr(part, '*') < part.n || str_chr(part, '?') < part.n || str_chr(part, '[') < part.n;
	}
	/* More of them would have the whole file system walked through. */
	if (n_patterns > 0 && n_patterns <= PATTERNS_MAX && glob(path.p, GLOB_NOESCAPE, NULL, &found) == 0) {
		for (size_t i = 0; i < found.gl_pathc && d->environment_files.n < ENVIRONMENT_FILES_MAX; i++)
			list_add_str(&d->environment_files, keep_print("%s%s", sign, found.gl_pathv[i]));
		globfree(&found);
		return;
	}
	if (d->environment_files.n < ENVIRONMENT_FILES_MAX)
		list_add_str(&d->environment_files, keep_print("%s%.*s", sign, STR_ARG(path)));
}

bool read_environment_file(const struct setting *s)
{
	struct str path = s->value;

	if (path.n == 0) {
		s->d->environment_files.n = 0;
		return true;
	}
	bool may_fail = str_take(&path, STR("-"));
	if (!setting_specified(s, path, &path))
		return true;
	if (!value_is_path(path))
		return false;
	add_environment_files(s->d, setting_simplified(path), may_fail);
	return true;
}

/* PassEnvironment= takes names, UnsetEnvironment= also NAME=VALUE, for a variable that has that very value. */
static bool is_variable(const struct setting *s, struct str word)
{
	if (str_chr(word, '=') < word.n)
		return s->row->which == VARIABLES_UNSET && value_is_assignment(word);
	return value_is_assignment(keep_print("%.*s=", STR_ARG(word)));
}

bool read_variables(const struct setting *s)
{
	struct list *list = s->row->which == VARIABLES_UNSET ? &s->d->unset_environment : &s->d->pass_environment;
	struct list read = { .n = 0 };

	if (s->value.n == 0)
		list->n = 0;
	setting_words(s, &read, s->row->which == VARIABLES_UNSET ? words_next : words_quoted, is_variable);
	for (uint32_t i = 0; i < read.n; i++)
		if (!list_has(list, LIST_AT(read, struct str, i)))
			list_add_str(list, LIST_AT(read, struct str, i));
	return true;
}

bool read_search_path(const struct setting *s)
{
	struct str rest;

	if (s->value.n == 0)
		s->d->search_path.n = 0;
	if (!setting_specified(s, s->value, &rest))
		return true;
	while (rest.n) {
		struct str path = str_until(&rest, ':');
		if (!value_is_path(path)) {
			setting_not_this(s, path);
			break;          /* and nothing behind it (measured) */
		}
		list_add_str(&s->d->search_path, setting_simplified(path));
	}
	return true;
}

static bool is_sandbox_path(const struct setting *s, struct str word)
{
	(void)s;
	return value_is_sandbox_path(word);
}

/* Nothing comes of them yet, but who writes one wrong may know. */
bool read_sandbox_paths(const struct setting *s)
{
	struct list paths = { .n = 0 };
	return setting_words(s, &paths, words_quoted, is_sandbox_path);
}
