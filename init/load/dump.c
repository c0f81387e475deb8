/*
 * oomph-load --dump: a unit as it was understood, written as a unit file again. Read once more it says the same, so what is
 * told here can be held against what was meant, and against what others make of the same file.
 */
#include "load.h"
#include "lib/exec_values.h"
#include "lib/names.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* One row of the table, and the unit that is told by it. */
struct entry_of {
	const struct draft *d;
	const struct directive *row;
};

static const void *field(const struct entry_of *e)
{
	bool is_context = e->row->at & AT_CONTEXT;
	return is_context ? (const char *)&e->d->context + (e->row->at & ~AT_CONTEXT) : (const char *)&e->d->unit + e->row->at;
}

static unsigned byte_of(const struct entry_of *e)
{
	return *(const uint8_t *)field(e);
}

/* ---- texts ---- */

/* As it stands, but for what would be a specifier. */
static void put_plain(struct str text)
{
	for (size_t i = 0; i < text.n; i++)
		printf(text.p[i] == '%' ? "%%%%" : "%c", text.p[i]);
}

static bool is_odd(char c, const char *also)
{
	return (unsigned char)c < ' ' || (unsigned char)c >= 0x7f || strchr(also, c);
}

static void put_escaped(struct str text, const char *also)
{
	for (size_t i = 0; i < text.n; i++)
		if (is_odd(text.p[i], also))
			printf("\\x%02x", (unsigned char)text.p[i]);
		else
			put_plain(str_of(text.p + i, 1));
}

/* In quotes unless that could change nothing; a lone semicolon would be the end of a command. */
static void put_word(struct str word)
{
	bool is_quoted = word.n == 0 || str_eq(word, STR(";"));
	for (size_t i = 0; i < word.n; i++)
		is_quoted |= is_odd(word.p[i], " \"'\\");
	printf(is_quoted ? "\"" : "");
	put_escaped(word, "\"\\");
	printf(is_quoted ? "\"" : "");
}

static void put_line(const struct entry_of *e, const char *value)
{
	printf("%.*s=%s\n", STR_ARG(e->row->key), value);
}

static void put_number(const struct entry_of *e, uint64_t value)
{
	printf("%.*s=%" PRIu64 "\n", STR_ARG(e->row->key), value);
}

static void put_text(const struct entry_of *e, const char *sign, struct str text)
{
	if (text.n == 0)
		return;
	printf("%.*s=%s", STR_ARG(e->row->key), sign);
	put_plain(text);
	putchar('\n');
}

/* One a line: what is wrong in one of them then costs only that one. */
static void put_words(const struct entry_of *e, const struct list *list)
{
	for (uint32_t i = 0; i < list->n; i++) {
		printf("%.*s=", STR_ARG(e->row->key));
		put_word(LIST_AT(*list, struct str, i));
		putchar('\n');
	}
}

static void put_texts(const struct entry_of *e, const struct list *list)
{
	for (uint32_t i = 0; i < list->n; i++)
		put_text(e, "", LIST_AT(*list, struct str, i));
}

/* ---- [Unit] ---- */

static void put_description(const struct entry_of *e)
{
	put_text(e, "", e->d->description);
}

static void put_links(const struct entry_of *e)
{
	for (uint32_t i = 0; i < e->d->links.n; i++) {
		const struct draft_link *link = &LIST_AT(e->d->links, struct draft_link, i);
		if (link->kind == (enum link)e->row->which)
			put_text(e, "", link->name);
	}
}

/* They are kept as they were written, key and all. */
static void put_condition(const struct entry_of *e)
{
	const struct list *list = str_starts(e->row->key, STR("Assert")) ? &e->d->assertions : &e->d->conditions;
	for (uint32_t i = 0; i < list->n; i++) {
		struct str value = LIST_AT(*list, struct str, i);
		if (str_eq(str_until(&value, '='), e->row->key))
			put_text(e, "", value);
	}
}

static void put_aliases(const struct entry_of *e)
{
	put_texts(e, &e->d->install_aliases);
}

/* ---- numbers and names ---- */

static void put_name(const struct entry_of *e, const char *const *names)
{
	if (names[byte_of(e)][0])
		put_line(e, names[byte_of(e)]);
}

static void put_type(const struct entry_of *e)
{
	put_name(e, type_names);
}

static void put_action(const struct entry_of *e)
{
	put_name(e, unit_action_names);
}

static void put_enum(const struct entry_of *e)
{
	put_name(e, enumerations[e->row->which].names);
}

static void put_flag(const struct entry_of *e)
{
	bool is_set = e->d->unit.flags >> e->row->which & 1;
	put_line(e, is_set != (e->row->reading == READ_FLAG_INVERTED) ? "yes" : "no");
}

static void put_context_flag(const struct entry_of *e)
{
	bool is_set = e->d->context.flags >> e->row->which & 1;
	put_line(e, is_set != (e->row->reading == READ_CONTEXT_FLAG_INVERTED) ? "yes" : "no");
}

static void put_switch(const struct entry_of *e)
{
	int said = e->d->switches[e->row->which];
	if (said != UNSAID)
		put_line(e, said == SAID_YES ? "yes" : "no");
}

static void put_time(const struct entry_of *e)
{
	uint32_t ms = *(const uint32_t *)field(e);
	if (ms == FOREVER_MS)
		put_line(e, "infinity");
	else
		printf("%.*s=%" PRIu32 "ms\n", STR_ARG(e->row->key), ms);
}

/* Written, they would take the place of oomph's own backoff. */
static void put_restart_sec(const struct entry_of *e)
{
	if (e->d->has_restart_sec)
		put_time(e);
}

static void put_restart_max(const struct entry_of *e)
{
	if (e->d->has_restart_max)
		put_time(e);
}

static void put_restart_steps(const struct entry_of *e)
{
	if (e->d->n_steps)
		put_number(e, e->d->n_steps);
}

static void put_start_limit(const struct entry_of *e)
{
	if (e->d->has_start_limit)
		put_time(e);
}

static void put_start_burst(const struct entry_of *e)
{
	if (e->d->has_start_limit)
		put_number(e, *(const uint32_t *)field(e));
}

static void put_signal(const struct entry_of *e)
{
	if (byte_of(e))
		put_line(e, signal_name((int)byte_of(e)));
}

static void put_statuses(const struct entry_of *e, const struct exit_set *set)
{
	for (unsigned status = 0; status < 256; status++)
		if (set->statuses[status / 64] >> status % 64 & 1)
			put_number(e, status);
	for (int signal = 1; signal <= 64; signal++)
		if (set->signals >> (signal - 1) & 1)
			put_line(e, signal_name(signal));
}

static void put_exit_statuses(const struct entry_of *e)
{
	put_statuses(e, field(e));
}

static void put_restart_statuses(const struct entry_of *e)
{
	put_statuses(e, e->row->which ? &e->d->restart_force : &e->d->restart_prevent);
}

static void put_fd_store(const struct entry_of *e)
{
	put_number(e, e->d->unit.fd_store_max);
}

static void put_notify_fd(const struct entry_of *e)
{
	if (e->d->unit.notify_fd)
		put_number(e, e->d->unit.notify_fd);
}

static void put_knob(const struct entry_of *e)
{
	uint64_t value = e->d->unit.knobs[e->row->which];
	if (value == KNOB_INFINITY)
		put_line(e, "infinity");
	else if (value != KNOB_UNSET)
		put_number(e, value);
}

static void put_bound(uint64_t value, enum limit_kind kind)
{
	if (value == LIMIT_INFINITY)
		printf("infinity");
	else
		printf("%" PRIu64 "%s", value, kind == LIMIT_CPU ? "s" : kind == LIMIT_RTTIME ? "us" : "");
}

static void put_limit(const struct entry_of *e)
{
	for (uint32_t i = 0; i < e->d->limits.n; i++) {
		const struct limit *limit = &LIST_AT(e->d->limits, struct limit, i);
		if (limit->kind != e->row->which)
			continue;
		printf("%.*s=", STR_ARG(e->row->key));
		put_bound(limit->soft, limit->kind);
		putchar(':');
		put_bound(limit->hard, limit->kind);
		putchar('\n');
	}
}

static void put_score(const struct entry_of *e)
{
	if (e->d->unit.flags & UNIT_HAS_SCORE)
		printf("OOMScoreAdjust=%d\n", e->d->unit.oom_score_adj);
}

static void put_nice(const struct entry_of *e)
{
	if (e->d->unit.flags & UNIT_HAS_NICE)
		printf("Nice=%d\n", e->d->unit.nice);
}

static void put_umask(const struct entry_of *e)
{
	printf("UMask=%04o\n", e->d->unit.umask);
}

static void put_byte(const struct entry_of *e)
{
	put_number(e, byte_of(e));
}

static void put_io_class(const struct entry_of *e)
{
	if (e->d->context.flags & CONTEXT_HAS_IO)
		put_name(e, io_class_names);
}

static void put_io_priority(const struct entry_of *e)
{
	if (e->d->context.flags & CONTEXT_HAS_IO)
		put_byte(e);
}

static bool has_bit(const struct mask *mask, unsigned bit)
{
	return bit < MASK_BITS && mask->bits[bit / 64] >> bit % 64 & 1;
}

static void put_mask(const struct entry_of *e)
{
	const struct mask *mask = &e->d->masks[e->row->which];
	for (unsigned bit = 0, first = 0; bit < MASK_BITS; bit++) {
		if (has_bit(mask, bit) && (bit == 0 || !has_bit(mask, bit - 1)))
			first = bit;
		if (has_bit(mask, bit) && !has_bit(mask, bit + 1))
			printf("%.*s=%u-%u\n", STR_ARG(e->row->key), first, bit);
	}
}

static void put_timer_slack(const struct entry_of *e)
{
	if (e->d->context.timer_slack_ns != TIMER_SLACK_UNSET)
		put_number(e, e->d->context.timer_slack_ns);
}

static void put_personality(const struct entry_of *e)
{
	if (e->d->context.personality != PERSONALITY_UNSET)
		put_line(e, exec_personality_name(e->d->context.personality));
}

static void put_coredump_filter(const struct entry_of *e)
{
	if (e->d->context.coredump_filter != COREDUMP_FILTER_UNSET)
		printf("CoredumpFilter=0x%" PRIx32 "\n", e->d->context.coredump_filter);
}

static void put_capabilities(const struct entry_of *e)
{
	uint64_t set = *(const uint64_t *)field(e);
	if (set == CAPABILITIES_ALL)
		return;
	put_line(e, "");
	for (int number = 0; number < 64; number++)
		if (set >> number & 1)
			exec_capability_name(number) ? put_line(e, exec_capability_name(number)) : put_number(e, (uint64_t)number);
}

static void put_secure_bits(const struct entry_of *e)
{
	for (unsigned bit = 0; bit < 16; bit++)
		if (e->d->context.secure_bits >> bit & 1)
			put_line(e, exec_secure_bit_name(bit));
}

/* ---- commands ---- */

static void put_command(const struct entry_of *e, const struct draft_command *c)
{
	static const struct { uint32_t flag; const char *sign; } signs[] = {
		{ COMMAND_MAY_FAIL, "-" }, { COMMAND_NO_EXPAND, ":" }, { COMMAND_PRIVILEGED, "+" }, { COMMAND_KEEPS_USER, "!" },
	};
	bool has_argv0 = c->argv.n == 0 || !str_eq(LIST_AT(c->argv, struct str, 0), c->path);

	printf("%.*s=", STR_ARG(e->row->key));
	for (size_t i = 0; i < countof(signs); i++)
		printf("%s", c->flags & signs[i].flag ? signs[i].sign : "");
	printf(has_argv0 ? "@" : "");
	put_word(c->path);
	for (uint32_t i = !has_argv0; i < c->argv.n; i++) {
		putchar(' ');
		put_word(LIST_AT(c->argv, struct str, i));
	}
	putchar('\n');
}

static void put_commands(const struct entry_of *e)
{
	const struct list *list = &e->d->exec[e->row->which];
	for (uint32_t i = 0; i < list->n; i++)
		put_command(e, &LIST_AT(*list, struct draft_command, i));
}

/* ---- texts of a process' surroundings ---- */

static void put_user(const struct entry_of *e)
{
	put_text(e, "", e->d->user);
}

static void put_group(const struct entry_of *e)
{
	put_text(e, "", e->d->group);
}

static void put_groups(const struct entry_of *e)
{
	put_words(e, &e->d->group_names);
}

static void put_directory(const struct entry_of *e)
{
	put_text(e, e->d->unit.flags & UNIT_CHDIR_MAY_FAIL ? "-" : "", e->d->wants_home ? STR("~") : e->d->working_directory);
}

static void put_pid_file(const struct entry_of *e)
{
	put_text(e, "", e->d->pid_file);
}

static void put_bus_name(const struct entry_of *e)
{
	put_text(e, "", e->d->bus_name);
}

static void put_environment(const struct entry_of *e)
{
	put_words(e, &e->d->environment);
}

static void put_environment_files(const struct entry_of *e)
{
	put_texts(e, &e->d->environment_files);
}

static void put_variables(const struct entry_of *e)
{
	put_words(e, e->row->which == VARIABLES_UNSET ? &e->d->unset_environment : &e->d->pass_environment);
}

static void put_search_path(const struct entry_of *e)
{
	put_texts(e, &e->d->search_path);
}

static void put_stdio(const struct entry_of *e)
{
	unsigned kind = e->d->unit.stdio[e->row->which];
	bool has_path = kind == STDIO_FILE || kind == STDIO_APPEND || kind == STDIO_TRUNCATE;
	if (has_path)
		put_text(e, keep_print("%s:", stdio_names[kind]).p, e->d->stdio_path[e->row->which]);
	else
		put_line(e, stdio_names[kind]);
}

/* Whoever writes it gets $TERM, too. */
static void put_tty(const struct entry_of *e)
{
	if (!str_eq(e->d->tty, STR(TTY_DEFAULT)))
		put_text(e, "", e->d->tty);
}

static void put_tty_size(const struct entry_of *e)
{
	if (*(const uint16_t *)field(e))
		put_number(e, *(const uint16_t *)field(e));
}

/* Of both kinds of input as data: a text always has a line's end behind it. */
static void put_input(const struct entry_of *e)
{
	struct str input = list_joined(&e->d->input, STR(""));
	struct buf b = keep_buf(input.n / 3 * 4 + 4);
	exec_to_base64(input, &b);
	put_text(e, "", buf_view(&b));
}

static void put_folders(const struct entry_of *e)
{
	for (uint32_t i = 0; i < e->d->folders.n; i++) {
		const struct draft_folder *f = &LIST_AT(e->d->folders, struct draft_folder, i);
		if (f->kind != e->row->which)
			continue;
		printf("%.*s=", STR_ARG(e->row->key));
		put_word(folder_word(f));
		putchar('\n');
	}
}

static void put_folder_mode(const struct entry_of *e)
{
	printf("%.*s=%04o\n", STR_ARG(e->row->key), e->d->folder_modes[e->row->which]);
}

static void put_preserve(const struct entry_of *e)
{
	static const char *const names[N_PRESERVE] = { [PRESERVE_NO] = "no", [PRESERVE_YES] = "yes", [PRESERVE_RESTART] = "restart" };
	put_name(e, names);
}

static void put_credentials(const struct entry_of *e)
{
	bool are_files = e->row->reading == READ_LOAD_CREDENTIAL;
	for (uint32_t i = 0; i < e->d->credentials.n; i++) {
		const struct draft_credential *c = &LIST_AT(e->d->credentials, struct draft_credential, i);
		if ((c->path.n > 0) != are_files)
			continue;
		printf("%.*s=", STR_ARG(e->row->key));
		put_plain(c->name);
		putchar(':');
		if (are_files)
			put_plain(c->path);
		else
			put_escaped(c->value, "\\");
		putchar('\n');
	}
}

/* ---- the table ---- */

static void (*const writers[N_READING])(const struct entry_of *) = {
	[READ_TEXT] = put_description,
	[READ_UNITS] = put_links,
	[READ_ALIASES] = put_aliases,
	[READ_CONDITION] = put_condition,
	[READ_COMMANDS] = put_commands,
	[READ_TYPE] = put_type,
	[READ_ENUM] = put_enum,
	[READ_FLAG] = put_flag,
	[READ_FLAG_INVERTED] = put_flag,
	[READ_DELAY] = put_time,
	[READ_TIMEOUT] = put_time,
	[READ_RESTART_SEC] = put_restart_sec,
	[READ_RESTART_STEPS] = put_restart_steps,
	[READ_RESTART_MAX] = put_restart_max,
	[READ_START_LIMIT] = put_start_limit,
	[READ_START_BURST] = put_start_burst,
	[READ_SIGNAL] = put_signal,
	[READ_EXIT_STATUSES] = put_exit_statuses,
	[READ_RESTART_STATUSES] = put_restart_statuses,
	[READ_MEMORY] = put_knob,
	[READ_TASKS] = put_knob,
	[READ_WEIGHT] = put_knob,
	[READ_LIMIT] = put_limit,
	[READ_SCORE] = put_score,
	[READ_NICE] = put_nice,
	[READ_UMASK] = put_umask,
	[READ_USER] = put_user,
	[READ_GROUP] = put_group,
	[READ_DIRECTORY] = put_directory,
	[READ_PID_FILE] = put_pid_file,
	[READ_BUS_NAME] = put_bus_name,
	[READ_ACTION] = put_action,
	[READ_FD_STORE] = put_fd_store,
	[READ_NOTIFY_FD] = put_notify_fd,
	[READ_ENVIRONMENT] = put_environment,
	[READ_ENVIRONMENT_FILE] = put_environment_files,
	[READ_STDIO] = put_stdio,
	[READ_CONTEXT_FLAG] = put_context_flag,
	[READ_CONTEXT_FLAG_INVERTED] = put_context_flag,
	[READ_SWITCH] = put_switch,
	[READ_GROUPS] = put_groups,
	[READ_CAPABILITIES] = put_capabilities,
	[READ_SECURE_BITS] = put_secure_bits,
	[READ_VARIABLES] = put_variables,
	[READ_SEARCH_PATH] = put_search_path,
	[READ_FOLDERS] = put_folders,
	[READ_FOLDER_MODE] = put_folder_mode,
	[READ_PRESERVE] = put_preserve,
	[READ_BYTE] = put_byte,
	[READ_IO_CLASS] = put_io_class,
	[READ_IO_PRIORITY] = put_io_priority,
	[READ_MASK] = put_mask,
	[READ_TIMER_SLACK] = put_timer_slack,
	[READ_PERSONALITY] = put_personality,
	[READ_COREDUMP_FILTER] = put_coredump_filter,
	[READ_TTY] = put_tty,
	[READ_TTY_SIZE] = put_tty_size,
	[READ_INPUT_DATA] = put_input,
	[READ_LOAD_CREDENTIAL] = put_credentials,
	[READ_SET_CREDENTIAL] = put_credentials,
};

static bool is_assertion(const struct directive *row)
{
	return str_starts(row->key, STR("Assert"));
}

/* The same setting goes by older names, too, and these have rows of their own behind it. */
static bool is_first_name(const struct directive *row)
{
	for (const struct directive *r = directives; r < row; r++)
		if (r->status == HONOURED && r->reading == row->reading && r->which == row->which && r->at == row->at &&
		    is_assertion(r) == is_assertion(row))
			return false;
	return true;
}

void dump_draft(const struct draft *d)
{
	printf("# %.*s%s\n", STR_ARG(d->file), d->is_masked ? ": masked" : d->is_broken ? ": left out" : "");
	if (d->is_masked || d->is_broken)
		return;
	for (unsigned section = 0; section < N_SECTION; section++) {
		printf("[%s]\n", section_names[section]);
		for (const struct directive *row = directives; row < directives + n_directives; row++)
			if (row->section == section && row->status == HONOURED && writers[row->reading] && is_first_name(row))
				writers[row->reading](&(struct entry_of){ d, row });
	}
}
