/*
 * oomph-load --dump: a unit as it was understood, written as a unit file again. Read once more it says the same, so what is
 * told here can be held against what was meant, and against what others make of the same file.
 */
#include "dump.h"
#include "lib/exec_values.h"
#include "lib/names.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

const void *dumped_field(const struct dumped *e)
{
	bool is_context = e->row->at & AT_CONTEXT;
	return is_context ? (const char *)&e->d->context + (e->row->at & ~AT_CONTEXT) : (const char *)&e->d->unit + e->row->at;
}

unsigned dumped_byte(const struct dumped *e)
{
	return *(const uint8_t *)dumped_field(e);
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

/* At the end of a line blanks go, and a backslash takes the next line along: a slash more changes no path. */
static void put_end(struct str text)
{
	bool is_lost = text.n && strchr(" \t\r\\", text.p[text.n - 1]);
	puts(is_lost && text.p[0] == '/' ? "/" : "");
}

void put_line(const struct dumped *e, const char *value)
{
	printf("%.*s=%s\n", STR_ARG(e->row->key), value);
}

void put_number(const struct dumped *e, uint64_t value)
{
	printf("%.*s=%" PRIu64 "\n", STR_ARG(e->row->key), value);
}

void put_text(const struct dumped *e, const char *sign, struct str text)
{
	if (text.n == 0)
		return;
	printf("%.*s=%s", STR_ARG(e->row->key), sign);
	put_plain(text);
	put_end(text);
}

/* One a line: what is wrong in one of them then costs only that one. */
static void put_words(const struct dumped *e, const struct list *list)
{
	for (uint32_t i = 0; i < list->n; i++) {
		printf("%.*s=", STR_ARG(e->row->key));
		put_word(LIST_AT(*list, struct str, i));
		putchar('\n');
	}
}

static void put_texts(const struct dumped *e, const struct list *list)
{
	for (uint32_t i = 0; i < list->n; i++)
		put_text(e, "", LIST_AT(*list, struct str, i));
}

/* ---- what is kept as it stands ---- */

static const struct {
	uint8_t reading;
	enum { IS_TEXT, IS_LIST, IS_LIST_OF_WORDS } kind;
	size_t at;              /* in struct draft */
} members[] = {
	{ READ_TEXT, IS_TEXT, offsetof(struct draft, description) },
	{ READ_USER, IS_TEXT, offsetof(struct draft, user) },
	{ READ_GROUP, IS_TEXT, offsetof(struct draft, group) },
	{ READ_GROUPS, IS_LIST, offsetof(struct draft, group_names) },
	{ READ_PID_FILE, IS_TEXT, offsetof(struct draft, pid_file) },
	{ READ_BUS_NAME, IS_TEXT, offsetof(struct draft, bus_name) },
	{ READ_ALIASES, IS_LIST, offsetof(struct draft, install_aliases) },
	{ READ_ENVIRONMENT, IS_LIST_OF_WORDS, offsetof(struct draft, environment) },
	{ READ_ENVIRONMENT_FILE, IS_LIST, offsetof(struct draft, environment_files) },
	{ READ_SEARCH_PATH, IS_LIST, offsetof(struct draft, search_path) },
	{ READ_IDENTIFIER, IS_TEXT, offsetof(struct draft, log_identifier) },
};

static void put_member(const struct dumped *e)
{
	for (size_t i = 0; i < countof(members); i++) {
		const void *member = (const char *)e->d + members[i].at;
		if (members[i].reading != e->row->reading)
			continue;
		if (members[i].kind == IS_TEXT)
			put_text(e, "", *(const struct str *)member);
		else if (members[i].kind == IS_LIST)
			put_texts(e, member);
		else
			put_words(e, member);
	}
}

/* ---- [Unit] ---- */

static void put_links(const struct dumped *e)
{
	for (uint32_t i = 0; i < e->d->links.n; i++) {
		const struct draft_link *link = &LIST_AT(e->d->links, struct draft_link, i);
		if (link->kind == (enum link)e->row->which)
			put_text(e, "", link->name);
	}
}

/* They are kept as they were written, key and all. */
static void put_condition(const struct dumped *e)
{
	const struct list *list = str_starts(e->row->key, STR("Assert")) ? &e->d->assertions : &e->d->conditions;
	for (uint32_t i = 0; i < list->n; i++) {
		struct str value = LIST_AT(*list, struct str, i);
		if (str_eq(str_until(&value, '='), e->row->key))
			put_text(e, "", value);
	}
}

/* ---- commands ---- */

static void put_command(const struct dumped *e, const struct draft_command *c)
{
	static const struct { uint32_t flag; const char *sign; } signs[] = {
		{ COMMAND_MAY_FAIL, "-" }, { COMMAND_NO_EXPAND, ":" }, { COMMAND_PRIVILEGED, "+" }, { COMMAND_KEEPS_USER, "!" },
	};
	bool has_argv0 = c->argv.n == 0 || !str_eq(LIST_AT(c->argv, struct str, 0), c->path);

	printf("%.*s=", STR_ARG(e->row->key));
	for (size_t i = 0; i < countof(signs); i++)
		printf("%s", c->flags & signs[i].flag ? signs[i].sign : "");
	if (!(c->flags & (COMMAND_PRIVILEGED | COMMAND_KEEPS_USER)) && (str_starts(c->path, STR("+")) || str_starts(c->path, STR("!"))))
		printf("!!");           /* which means nothing, and so the program's own sign is none */
	printf(has_argv0 ? "@" : "");
	put_word(c->path);
	for (uint32_t i = !has_argv0; i < c->argv.n; i++) {
		putchar(' ');
		put_word(LIST_AT(c->argv, struct str, i));
	}
	putchar('\n');
}

static void put_commands(const struct dumped *e)
{
	const struct list *list = &e->d->exec[e->row->which];
	for (uint32_t i = 0; i < list->n; i++)
		put_command(e, &LIST_AT(*list, struct draft_command, i));
}

/* ---- texts of a process' surroundings ---- */

static void put_directory(const struct dumped *e)
{
	put_text(e, e->d->unit.flags & UNIT_CHDIR_MAY_FAIL ? "-" : "", e->d->wants_home ? STR("~") : e->d->working_directory);
}

static void put_variables(const struct dumped *e)
{
	put_words(e, e->row->which == VARIABLES_UNSET ? &e->d->unset_environment : &e->d->pass_environment);
}

static void put_stdio(const struct dumped *e)
{
	unsigned kind = e->d->unit.stdio[e->row->which];
	bool has_path = kind == STDIO_FILE || kind == STDIO_APPEND || kind == STDIO_TRUNCATE;
	if (has_path)
		put_text(e, keep_print("%s:", stdio_names[kind]).p, e->d->stdio_path[e->row->which]);
	else
		put_line(e, kind == STDIO_LOG ? stdio_log_name(e->d->context.log_copies[e->row->which - 1]) : stdio_names[kind]);
}

/* Whoever writes it gets $TERM, too. */
static void put_tty(const struct dumped *e)
{
	if (!str_eq(e->d->tty, STR(TTY_DEFAULT)))
		put_text(e, "", e->d->tty);
}

static void put_tty_size(const struct dumped *e)
{
	if (*(const uint16_t *)dumped_field(e))
		put_number(e, *(const uint16_t *)dumped_field(e));
}

/* Of both kinds of input as data: a text always has a line's end behind it. */
static void put_input(const struct dumped *e)
{
	struct str input = list_joined(&e->d->input, STR(""));
	struct buf b = keep_buf(input.n / 3 * 4 + 4);
	exec_to_base64(input, &b);
	put_text(e, "", buf_view(&b));
}

static void put_folders(const struct dumped *e)
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

static void put_folder_mode(const struct dumped *e)
{
	printf("%.*s=%04o\n", STR_ARG(e->row->key), e->d->folder_modes[e->row->which]);
}

static void put_preserve(const struct dumped *e)
{
	static const char *const names[N_PRESERVE] = { [PRESERVE_NO] = "no", [PRESERVE_YES] = "yes", [PRESERVE_RESTART] = "restart" };
	put_name(e, names);
}

static void put_credentials(const struct dumped *e)
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
		put_end(are_files ? c->path : STR(""));
	}
}

/* ---- the table ---- */

static void (*const writers[N_READING])(const struct dumped *) = {
	[READ_TEXT] = put_member,
	[READ_UNITS] = put_links,
	[READ_ALIASES] = put_member,
	[READ_CONDITION] = put_condition,
	[READ_COMMANDS] = put_commands,
	[READ_TYPE] = put_enum,
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
	[READ_QUOTA] = put_quota,
	[READ_QUOTA_PERIOD] = put_quota_period,
	[READ_LIMIT] = put_limit,
	[READ_SCORE] = put_score,
	[READ_NICE] = put_nice,
	[READ_UMASK] = put_umask,
	[READ_USER] = put_member,
	[READ_GROUP] = put_member,
	[READ_DIRECTORY] = put_directory,
	[READ_PID_FILE] = put_member,
	[READ_BUS_NAME] = put_member,
	[READ_ACTION] = put_enum,
	[READ_FD_STORE] = put_fd_store,
	[READ_NOTIFY_FD] = put_notify_fd,
	[READ_ENVIRONMENT] = put_member,
	[READ_ENVIRONMENT_FILE] = put_member,
	[READ_STDIO] = put_stdio,
	[READ_CONTEXT_FLAG] = put_context_flag,
	[READ_CONTEXT_FLAG_INVERTED] = put_context_flag,
	[READ_SWITCH] = put_switch,
	[READ_GROUPS] = put_member,
	[READ_CAPABILITIES] = put_capabilities,
	[READ_SECURE_BITS] = put_secure_bits,
	[READ_VARIABLES] = put_variables,
	[READ_SEARCH_PATH] = put_member,
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
	[READ_IDENTIFIER] = put_member,
	[READ_LOG_LEVEL] = put_log_level,
	[READ_COUNT] = put_count,
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
		unsigned n = 0;
		for (const struct directive *row = directives; row < directives + n_directives; row++) {
			if (row->section != section || row->status != HONOURED || !writers[row->reading] || !is_first_name(row))
				continue;
			if (n++ == 0)
				printf("[%s]\n", section_names[section]);
			writers[row->reading](&(struct dumped){ d, row });
		}
	}
}
