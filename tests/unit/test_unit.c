#include "lib/unit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- a set with something in every field ---- */

enum { APP, DB, NET, N_SAMPLE };

static struct span put_commands(struct unitset_writer *w, struct str path, struct str argument, uint32_t n)
{
	struct command commands[2];
	assert_in_range(n, 1, countof(commands));
	for (uint32_t i = 0; i < n; i++)
		commands[i] = (struct command){
			.path = unitset_put_text(w, path),
			.argv = unitset_put_blob(w, (struct str[]){ path, argument, STR("") }, 3),
			.flags = i ? COMMAND_MAY_FAIL : COMMAND_NO_EXPAND,
		};
	return unitset_put(w, commands, n, sizeof commands[0]);
}

static struct span put_indices(struct unitset_writer *w, const uint32_t *indices, uint32_t n)
{
	return unitset_put(w, indices, n, sizeof *indices);
}

static struct span put_numbered_name(struct unitset_writer *w, uint32_t n)
{
	char name[32];
	struct buf b = BUF(name);
	buf_pad(&b, n, 6);
	buf_lit(&b, ".service");
	return unitset_put_text(w, buf_view(&b));
}

static struct span put_edges(struct unitset_writer *w, const struct edge *edges, uint32_t n)
{
	return unitset_put(w, edges, n, sizeof *edges);
}

static void fill_rich(struct unitset_writer *w, struct unit *u)
{
	u->description = unitset_put_text(w, STR("a data base"));
	u->file = unitset_put_text(w, STR("/etc/services.d/db.service"));
	u->notes = unitset_put_blob(w, &STR("db.service:3: no such key: Foo"), 1);
	for (int list = 0; list < N_EXEC_LIST; list++)
		u->exec[list] = put_commands(w, STR("/bin/db"), STR("--serve"), list == EXEC_START_PRE ? 2 : 1);
	u->environment = unitset_put_blob(w, (struct str[]){ STR("PATH=/bin"), STR("HOME=/") }, 2);
	u->environment_files = unitset_put_blob(w, (struct str[]){ STR("-/etc/default/db"), STR("/etc/db") }, 2);
	u->working_directory = unitset_put_text(w, STR("/var/lib/db"));
	u->groups = put_indices(w, (uint32_t[]){ 4, 27 }, 2);
	u->limits = unitset_put(w, (struct limit[]){
		{ .soft = 1024, .hard = 4096, .kind = LIMIT_NOFILE },
		{ .soft = LIMIT_INFINITY, .hard = LIMIT_INFINITY, .kind = LIMIT_CORE },
	}, 2, sizeof(struct limit));
	struct context x = context_defaults;
	x.pass_environment = unitset_put_blob(w, &STR("TERM"), 1);
	x.unset_environment = unitset_put_blob(w, (struct str[]){ STR("A"), STR("B=1") }, 2);
	x.search_path = unitset_put_text(w, STR("/opt/db:/bin"));
	struct folder folder = { .path = unitset_put_text(w, STR("/run/db")), .kind = FOLDER_RUNTIME, .mode = 02755 };
	x.folders = unitset_put(w, &folder, 1, sizeof folder);
	struct credential credential = { .name = unitset_put_text(w, STR("key")), .value = unitset_put_text(w, STR("42")) };
	x.credentials = unitset_put(w, &credential, 1, sizeof credential);
	x.ambient_set = 1 << 10;
	x.input = unitset_put_text(w, STR("in\0put"));
	x.tty = unitset_put_text(w, STR("/dev/tty1"));
	x.cpus = unitset_put(w, &(uint64_t){ 5 }, 1, sizeof(uint64_t));
	x.log_identifier = unitset_put_text(w, STR("db"));
	u->context = unitset_put(w, &x, 1, sizeof x);
	u->stdio_path[1] = unitset_put_text(w, STR("/var/log/db"));
	u->stdio[1] = STDIO_APPEND;
	u->knobs[KNOB_MEMORY_MAX] = 64u << 20;
	u->uid = u->gid = 100;
	u->edges = put_edges(w, (struct edge[]){ { APP, EDGE_BEFORE | EDGE_STOPS | EDGE_RESTARTS } }, 1);
}

static bool write_sample(struct unitset_writer *w, void *bytes, size_t size)
{
	/* When the room ends, fields go to a unit that nobody keeps: the room needed is counted all the same. */
	struct unit lost[N_SAMPLE], *u[N_SAMPLE];
	const struct str names[N_SAMPLE] = { STR("app.service"), STR("db.service"), STR("net.service") };

	unitset_begin(w, bytes, size, N_SAMPLE);
	for (uint32_t i = 0; i < N_SAMPLE; i++) {
		u[i] = unitset_slot(w, i) ? unitset_slot(w, i) : &lost[i];
		u[i]->name = unitset_put_text(w, names[i]);
	}
	fill_rich(w, u[DB]);
	u[APP]->edges = put_edges(w, (struct edge[]){ { DB, EDGE_AFTER | EDGE_REQUIRES }, { NET, EDGE_AFTER | EDGE_WANTS } }, 2);
	u[APP]->exec[EXEC_START] = put_commands(w, STR("app"), STR("$PORT"), 1);
	u[NET]->edges = put_edges(w, (struct edge[]){ { APP, EDGE_BEFORE | EDGE_NEEDED_BY } }, 1);
	return unitset_end(w, unitset_put_blob(w, &STR("x.service: no unit"), 1));
}

/* In memory of exactly its size, so that the sanitizer sees the first byte too far. The caller frees .bytes. */
static struct unitset sample(void)
{
	struct unitset_writer w;
	assert_false(write_sample(&w, NULL, 0));
	size_t size = w.needed;
	unsigned char *bytes = malloc(size);
	assert_true(write_sample(&w, bytes, size));
	assert_int_equal(w.needed, size);
	return (struct unitset){ bytes, (uint32_t)size };
}

static void seal_again(unsigned char *bytes, size_t size)
{
	struct unitset_header *h = (void *)bytes;
	h->checksum = unitset_sum(h + 1, size - sizeof *h);
}

/* ---- looking at everything that the accessors give ---- */

static volatile unsigned char sink;

static void look_at(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		sink ^= (unsigned char)s.p[i];
}

static void walk_text(struct unitset set, struct span span)
{
	struct str text = unitset_text(set, span);
	look_at(text);
	assert_int_equal(text.p[text.n], '\0');
}

static void walk_blob(struct unitset set, struct span span)
{
	struct str blob = unitset_text(set, span), word;
	while (str_next(&blob, &word)) {
		look_at(word);
		assert_int_equal(word.p[word.n], '\0');
	}
}

static void walk_commands(struct unitset set, const struct unit *u)
{
	for (int list = 0; list < N_EXEC_LIST; list++)
		for (uint32_t i = 0; i < u->exec[list].n; i++) {
			const struct command *command = &unitset_commands(set, u, list)[i];
			walk_text(set, command->path);
			walk_blob(set, command->argv);
		}
}

static void walk_lists(struct unitset set, const struct unit *u)
{
	for (uint32_t i = 0; i < u->edges.n; i++)
		assert_non_null(unitset_unit(set, unitset_edges(set, u)[i].unit));
	for (uint32_t i = 0; i < u->groups.n; i++)
		sink ^= (unsigned char)unitset_indices(set, u->groups)[i];
	for (uint32_t i = 0; i < u->limits.n; i++)
		assert_in_range(unitset_limits(set, u)[i].kind, 0, N_LIMIT_KIND - 1);
}

static void walk_context(struct unitset set, const struct unit *u)
{
	const struct context *x = unitset_context(set, u);
	walk_blob(set, x->pass_environment);
	walk_blob(set, x->unset_environment);
	walk_text(set, x->search_path);
	walk_text(set, x->input);
	walk_text(set, x->tty);
	walk_text(set, x->log_identifier);
	for (uint32_t i = 0; i < x->credentials.n; i++) {
		walk_text(set, unitset_credentials(set, x)[i].name);
		walk_text(set, unitset_credentials(set, x)[i].value);
	}
	for (uint32_t i = 0; i < x->cpus.n; i++)
		sink ^= (unsigned char)unitset_mask(set, x->cpus)[i];
	sink ^= (unsigned char)x->flags;
	for (uint32_t i = 0; i < x->folders.n; i++) {
		walk_text(set, unitset_folders(set, x)[i].path);
		walk_text(set, unitset_folders(set, x)[i].link);
	}
}

static void walk(struct unitset set)
{
	for (uint32_t i = 0; i < unitset_count(set); i++) {
		const struct unit *u = unitset_unit(set, i);
		const struct span texts[] = {
			u->name, u->description, u->file, u->working_directory,
			u->stdio_path[0], u->stdio_path[1], u->stdio_path[2],
		};
		for (size_t t = 0; t < countof(texts); t++)
			walk_text(set, texts[t]);
		walk_blob(set, u->notes);
		walk_blob(set, u->environment);
		walk_blob(set, u->environment_files);
		walk_commands(set, u);
		walk_lists(set, u);
		walk_context(set, u);
		unit_is_success(u, true, u->kill_signal);
	}
	walk_blob(set, ((const struct unitset_header *)(const void *)set.bytes)->notes);
}

/* ---- writing and reading back ---- */

static void assert_text(struct unitset set, struct span span, const char *expected)
{
	assert_string_equal(unitset_text(set, span).p, expected);
	assert_int_equal(unitset_text(set, span).n, strlen(expected));
}

static void what_was_written_is_read_back(void **state)
{
	(void)state;
	struct unitset set = sample();
	assert_null(unitset_check(set.bytes, set.size));
	assert_int_equal(unitset_count(set), N_SAMPLE);

	const struct unit *db = unitset_unit(set, DB), *app = unitset_unit(set, APP);
	assert_text(set, db->name, "db.service");
	assert_text(set, db->working_directory, "/var/lib/db");
	assert_text(set, db->stdio_path[1], "/var/log/db");
	assert_text(set, db->stdio_path[0], "");
	assert_int_equal(db->knobs[KNOB_MEMORY_MAX], 64u << 20);
	assert_int_equal(unitset_limits(set, db)[1].kind, LIMIT_CORE);
	assert_int_equal(unitset_indices(set, db->groups)[1], 27);
	assert_int_equal(unitset_edges(set, app)[1].unit, NET);
	assert_int_equal(unitset_edges(set, app)[1].kinds, EDGE_AFTER | EDGE_WANTS);
	assert_int_equal(app->edges.n, 2);
	assert_int_equal(db->exec[EXEC_START_PRE].n, 2);
	assert_text(set, unitset_context(set, db)->search_path, "/opt/db:/bin");
	assert_int_equal(unitset_context(set, db)->ambient_set, 1 << 10);
	assert_ptr_equal(unitset_context(set, app), &context_defaults);

	const struct command *start = unitset_commands(set, app, EXEC_START);
	assert_text(set, start->path, "app");
	assert_int_equal(start->flags, COMMAND_NO_EXPAND);
	assert_int_equal(start->argv.n, sizeof "app\0$PORT\0");
	assert_memory_equal(unitset_text(set, start->argv).p, "app\0$PORT\0", sizeof "app\0$PORT\0");
	walk(set);
	free((void *)set.bytes);
}

static void too_little_room_is_told_and_never_left(void **state)
{
	(void)state;
	struct unitset_writer w;
	struct unitset whole = sample();
	for (size_t size = 0; size < whole.size; size++) {
		unsigned char *bytes = malloc(size);
		assert_false(write_sample(&w, bytes, size));
		assert_true(w.is_full);
		assert_int_equal(w.needed, whole.size);
		free(bytes);
	}
	free((void *)whole.bytes);
}

static void no_set_is_larger_than_its_offsets(void **state)
{
	(void)state;
	struct unitset_writer w;
	unitset_begin(&w, NULL, 0, 0);
	unitset_put_text(&w, str_of("", UNITSET_MAX));  /* full already: not read */
	assert_int_equal(w.needed, UNITSET_MAX);
	unitset_put_text(&w, str_of("", SIZE_MAX - 1));
	assert_false(unitset_end(&w, (struct span){ 0, 0 }));
	assert_int_equal(w.needed, UNITSET_MAX);
}

static void an_empty_set_is_a_set(void **state)
{
	(void)state;
	_Alignas(8) unsigned char bytes[sizeof(struct unitset_header)];
	struct unitset_writer w;
	unitset_begin(&w, bytes, sizeof bytes, 0);
	assert_null(unitset_slot(&w, 0));
	assert_true(unitset_end(&w, (struct span){ 0, 0 }));
	assert_null(unitset_check(bytes, sizeof bytes));
	struct unitset set = { bytes, sizeof bytes };
	assert_int_equal(unitset_count(set), 0);
	assert_null(unitset_unit(set, 0));
	assert_int_equal(unitset_find(set, STR("db")), NO_UNIT);
	assert_int_equal(unitset_find((struct unitset){ 0 }, STR("db")), NO_UNIT);
}

static void equal_units_make_equal_bytes(void **state)
{
	(void)state;
	struct unit a, b;
	memset(&a, 0x55, sizeof a);
	memset(&b, 0xaa, sizeof b);
	unit_defaults(&a);
	unit_defaults(&b);
	assert_memory_equal(&a, &b, sizeof a);
}

static void the_bytes_do_not_depend_on_what_was_there(void **state)
{
	(void)state;
	struct unitset_writer w;
	struct unitset first = sample();
	unsigned char *second = malloc(first.size);
	memset(second, 0x55, first.size);
	assert_true(write_sample(&w, second, first.size));
	assert_memory_equal(first.bytes, second, first.size);
	free(second);
	free((void *)first.bytes);
}

static void defaults_are_those_of_the_manuals(void **state)
{
	(void)state;
	struct unit u;
	unit_defaults(&u);
	assert_int_equal(u.umask, 0022);
	assert_int_equal(u.kill_signal, 15);
	assert_int_equal(u.start_ms, 90000);
	assert_int_equal(u.stop_ms, 90000);
	assert_int_equal(u.restart, RESTART_UNSET);
	assert_int_equal(u.restart_ms, BACKOFF_FIRST_MS);
	assert_int_equal(u.restart_max_ms, BACKOFF_MOST_MS);
	assert_int_equal(u.restart_growth, 2 * 65536);
	assert_int_equal(u.flags, UNIT_JITTER);
	assert_int_equal(u.start_limit_ms, 10000);
	assert_int_equal(u.start_limit_burst, 5);
	assert_int_equal(u.oom_policy, OOM_CONTINUE);
	assert_int_equal(u.notify_access, NOTIFY_NONE);
	assert_int_equal(u.uid, NO_ID);
	assert_int_equal(u.gid, NO_ID);
	assert_int_equal(u.stdio[0], STDIO_NULL);
	assert_int_equal(u.stdio[2], STDIO_INHERIT);
	for (int i = 0; i < N_CGROUP_KNOB; i++) {
		assert_int_equal(u.knobs[i], KNOB_UNSET);
		assert_non_null(cgroup_knob_file[i]);
	}
	assert_false(unit_is_success(&u, false, 1));
}

/* ---- names and successes ---- */

static void units_are_found_by_name(void **state)
{
	(void)state;
	static const struct { const char *name; uint32_t index; } rows[] = {
		{ "db.service", DB },
		{ "db", DB },
		{ "net", NET },
		{ "app.service", APP },
		{ "", NO_UNIT },
		{ "d", NO_UNIT },
		{ "dB", NO_UNIT },
		{ "db.servic", NO_UNIT },
		{ "db.service.service", NO_UNIT },
		{ ".service", NO_UNIT },
		{ "xx.service", NO_UNIT },
	};
	struct unitset set = sample();
	for (size_t i = 0; i < countof(rows); i++)
		assert_int_equal(unitset_find(set, str_from(rows[i].name)), rows[i].index);
	free((void *)set.bytes);
}

static void success_is_judged_as_systemd_does(void **state)
{
	(void)state;
	enum { EXIT = 0, SIGNAL = 1 };
	static const struct { uint8_t type; bool is_signal; int value; bool is_success; } rows[] = {
		{ TYPE_SIMPLE, EXIT, 0, true },
		{ TYPE_SIMPLE, EXIT, 1, false },
		{ TYPE_SIMPLE, EXIT, 63, true },        /* below: statuses 63, 64, 255, signals 9, 64 */
		{ TYPE_SIMPLE, EXIT, 64, true },
		{ TYPE_SIMPLE, EXIT, 65, false },
		{ TYPE_SIMPLE, EXIT, 127, false },
		{ TYPE_ONESHOT, EXIT, 255, true },
		{ TYPE_SIMPLE, EXIT, 256, false },
		{ TYPE_SIMPLE, EXIT, -1, false },
		{ TYPE_SIMPLE, SIGNAL, 1, true },
		{ TYPE_SIMPLE, SIGNAL, 2, true },
		{ TYPE_NOTIFY, SIGNAL, 13, true },
		{ TYPE_EXEC, SIGNAL, 15, true },
		{ TYPE_SIMPLE, SIGNAL, 3, false },
		{ TYPE_SIMPLE, SIGNAL, 10, false },
		{ TYPE_ONESHOT, SIGNAL, 15, false },
		{ TYPE_ONESHOT, SIGNAL, 1, false },
		{ TYPE_ONESHOT, SIGNAL, 9, true },
		{ TYPE_SIMPLE, SIGNAL, 64, true },
		{ TYPE_SIMPLE, SIGNAL, 0, false },
		{ TYPE_SIMPLE, SIGNAL, 65, false },
		{ TYPE_SIMPLE, SIGNAL, -1, false },
	};
	struct unit u;
	unit_defaults(&u);
	u.success = (struct exit_set){
		.statuses = { 1ull << 63, 1, 0, 1ull << 63 }, .signals = 1ull << (9 - 1) | 1ull << (64 - 1),
	};
	for (size_t i = 0; i < countof(rows); i++) {
		u.type = rows[i].type;
		if (unit_is_success(&u, rows[i].is_signal, rows[i].value) != rows[i].is_success)
			fail_msg("row %zu: is_signal %d, value %d", i, rows[i].is_signal, rows[i].value);
	}
}

/* ---- hostile sets ---- */

#define HEADER(member, v) offsetof(struct unitset_header, member), sizeof(((struct unitset_header *)0)->member), (v)
#define UNIT(member, v) \
	sizeof(struct unitset_header) + DB * sizeof(struct unit) + offsetof(struct unit, member), sizeof(((struct unit *)0)->member), (uint64_t)(v)

/* One value of the header or of the unit DB, and what is said about it. */
static const struct { size_t at, size; uint64_t value; const char *wrong; } spoilt[] = {
	{ HEADER(magic, 0), "no unit set" },
	{ HEADER(version, UNITSET_VERSION + 1), "of another version of oomph" },
	{ HEADER(unit_size, sizeof(struct unit) + 8), "of another version of oomph" },
	{ HEADER(size, 0), "not of the size that it tells" },
	{ HEADER(size, UINT32_MAX), "not of the size that it tells" },
	{ HEADER(n_units, UINT32_MAX), "the array of units" },
	{ HEADER(n_units, UNITS_MAX), "the array of units" },
	{ HEADER(units_at, 0), "the array of units" },
	{ HEADER(units_at, sizeof(struct unitset_header) + 4), "the array of units" },
	{ HEADER(units_at, UINT32_MAX - 7), "the array of units" },
	{ HEADER(notes.at, 8), "the notes of the set" },
	{ HEADER(notes.n, 1), "the notes of the set" },
	{ HEADER(notes.n, UINT32_MAX), "the notes of the set" },
	{ UNIT(name.n, 0), "a unit's name" },
	{ UNIT(name.n, UNIT_NAME_MAX + 1), "a unit's name" },
	{ UNIT(name.n, 9), "a unit's name" },
	{ UNIT(description.n, UINT32_MAX), "a text of a unit" },
	{ UNIT(description.n, 3), "a text of a unit" },
	{ UNIT(description.at, UINT32_MAX), "a text of a unit" },
	{ UNIT(file.at, 40), "a text of a unit" },
	{ UNIT(working_directory.at, 400), "a text of a unit" },
	{ UNIT(stdio_path[0].n, 1), "a text of a unit" },
	{ UNIT(stdio_path[1].n, 1), "a text of a unit" },
	{ UNIT(stdio_path[2].n, 7), "a text of a unit" },
	{ UNIT(notes.n, 2), "a list of words of a unit" },
	{ UNIT(environment.at, 0), "a list of words of a unit" },
	{ UNIT(environment_files.n, 1), "a list of words of a unit" },
	{ UNIT(exec[EXEC_START].at, 0), "a list of commands" },
	{ UNIT(exec[EXEC_STOP].n, 1u << 30), "a list of commands" },
	{ UNIT(edges.at, 0), "a list of dependencies" },
	{ UNIT(edges.n, 0x20000000), "a list of dependencies" },
	{ UNIT(edges.at, 1), "a list of dependencies" },
	{ UNIT(limits.n, 1u << 31), "a list of limits" },
	{ UNIT(limits.at, 4), "a list of limits" },
	{ UNIT(groups.n, UINT32_MAX), "a list of groups" },
	{ UNIT(groups.at, UINT32_MAX), "a list of groups" },
	{ UNIT(context.n, 2), "the context of a unit" },
	{ UNIT(context.at, UINT32_MAX & ~7u), "the context of a unit" },
	{ UNIT(flags, 1u << 31), "the flags of a unit" },
	{ UNIT(type, N_UNIT_TYPE), "a value that no directive has" },
	{ UNIT(restart, N_RESTART_POLICY), "a value that no directive has" },
	{ UNIT(kill_mode, N_KILL_MODE), "a value that no directive has" },
	{ UNIT(oom_policy, 255), "a value that no directive has" },
	{ UNIT(notify_access, N_NOTIFY_ACCESS), "a value that no directive has" },
	{ UNIT(stdio[0], N_STDIO_KIND), "a value that no directive has" },
	{ UNIT(stdio[2], 128), "a value that no directive has" },
	{ UNIT(stdio[0], STDIO_LOG), "input that comes from a log" },
	{ UNIT(kill_signal, 0), "a signal's number" },
	{ UNIT(kill_signal, 65), "a signal's number" },
	{ UNIT(final_signal, 0), "a signal's number" },
	{ UNIT(watchdog_signal, 65), "a signal's number" },
	{ UNIT(reload_signal, 0), "a signal's number" },
	{ UNIT(restart_signal, 65), "a signal's number" },
	{ UNIT(exit_type, N_EXIT_TYPE), "a value that no directive has" },
	{ UNIT(start_failure_mode, N_FAILURE_MODE), "a value that no directive has" },
	{ UNIT(failure_action, N_UNIT_ACTION), "a value that no directive has" },
	{ UNIT(fd_store_max, STORE_MAX + 1), "a descriptor's number" },
	{ UNIT(notify_fd, 2), "a descriptor's number" },
	{ UNIT(restart_prevent.n, 2), "a set of exit statuses" },
	{ UNIT(pid_file.n, UINT32_MAX), "a text of a unit" },
	{ UNIT(umask, 010000), "a number out of its range" },
	{ UNIT(nice, 20), "a number out of its range" },
	{ UNIT(nice, -21), "a number out of its range" },
	{ UNIT(oom_score_adj, -1001), "a number out of its range" },
	{ UNIT(oom_score_adj, 1001), "a number out of its range" },
	{ UNIT(cpu_period_us, 999), "a number out of its range" },
	{ UNIT(cpu_period_us, 1000001), "a number out of its range" },
	{ UNIT(restart_growth, 65535), "a backoff that shrinks" },
	{ UNIT(restart_ms, BACKOFF_MOST_MS + 1), "a backoff that shrinks" },
};

static void a_spoilt_value_is_named(void **state)
{
	(void)state;
	for (size_t i = 0; i < countof(spoilt); i++) {
		struct unitset set = sample();
		unsigned char *bytes = (void *)set.bytes;
		memcpy(bytes + spoilt[i].at, &spoilt[i].value, spoilt[i].size); /* little end first: all our machines */
		seal_again(bytes, set.size);
		const char *wrong = unitset_check(set.bytes, set.size);
		if (!wrong || strcmp(wrong, spoilt[i].wrong) != 0)
			fail_msg("row %zu: \"%s\" instead of \"%s\"", i, wrong ? wrong : "(taken)", spoilt[i].wrong);
		free(bytes);
	}
}

/* Inside the lists of the unit DB. */
static void a_spoilt_element_is_named(void **state)
{
	(void)state;
#define LIST(member) offsetof(struct unit, member)
	static const struct { size_t list, at; uint32_t value; const char *wrong; } rows[] = {
		{ LIST(exec[EXEC_START_PRE]), offsetof(struct command, path.at), 1, "the path of a command" },
		{ LIST(exec[EXEC_RELOAD]), offsetof(struct command, path.n), 4, "the path of a command" },
		{ LIST(exec[EXEC_START]), offsetof(struct command, argv.n), 1, "the words of a command" },
		{ LIST(exec[EXEC_STOP]), offsetof(struct command, flags), 16, "the flags of a command" },
		{ LIST(edges), offsetof(struct edge, unit), N_SAMPLE, "a dependency on a unit that is not there" },
		{ LIST(edges), offsetof(struct edge, unit), NO_UNIT, "a dependency on a unit that is not there" },
		{ LIST(edges), offsetof(struct edge, kinds), EDGE_NEEDED_BY * 2, "the kind of a dependency" },
		{ LIST(limits), offsetof(struct limit, kind), N_LIMIT_KIND, "the kind of a limit" },
		{ LIST(context), offsetof(struct context, flags), 1u << 31, "the flags of a context" },
		{ LIST(context), offsetof(struct context, pass_environment.n), 2, "a text of a context" },
		{ LIST(context), offsetof(struct context, search_path.at), UINT32_MAX, "a text of a context" },
		{ LIST(context), offsetof(struct context, folders.n), 1u << 30, "a list of folders" },
		{ LIST(context), offsetof(struct context, credentials.n), 1u << 30, "a list of credentials" },
		{ LIST(context), offsetof(struct context, input.n), 3, "a text of a context" },
		{ LIST(context), offsetof(struct context, tty.at), 1, "a text of a context" },
		{ LIST(context), offsetof(struct context, cpus.n), 17, "a mask of a context" },
		{ LIST(context), offsetof(struct context, cpus.at), 4, "a mask of a context" },
		{ LIST(context), offsetof(struct context, secure_bits), N_PRESERVE << 16, "a value of a context that no directive has" },
		{ LIST(context), offsetof(struct context, log_identifier.n), UNIT_NAME_MAX + 1, "a text of a context" },
		{ LIST(context), offsetof(struct context, log_level), N_LOG_PRIORITY, "a value of a context that no directive has" },
		{ LIST(context), offsetof(struct context, log_level_max), N_LOG_PRIORITY, "a value of a context that no directive has" },
		{ LIST(context), offsetof(struct context, log_copies), 4, "a value of a context that no directive has" },
		{ LIST(context), offsetof(struct context, log_copies), 4 << 8, "a value of a context that no directive has" },
	};
#undef LIST
	for (size_t i = 0; i < countof(rows); i++) {
		struct unitset set = sample();
		unsigned char *bytes = (void *)set.bytes;
		struct span list;
		memcpy(&list, (const unsigned char *)unitset_unit(set, DB) + rows[i].list, sizeof list);
		memcpy(bytes + list.at + rows[i].at, &rows[i].value, sizeof rows[i].value);
		seal_again(bytes, set.size);
		const char *wrong = unitset_check(set.bytes, set.size);
		if (!wrong || strcmp(wrong, rows[i].wrong) != 0)
			fail_msg("row %zu: \"%s\" instead of \"%s\"", i, wrong ? wrong : "(taken)", rows[i].wrong);
		free(bytes);
	}
}

static const char *check_of_one_named(struct str name)
{
	_Alignas(8) unsigned char bytes[1024];
	struct unitset_writer w;
	unitset_begin(&w, bytes, sizeof bytes, 1);
	unitset_slot(&w, 0)->name = unitset_put_text(&w, name);
	assert_true(unitset_end(&w, (struct span){ 0, 0 }));
	return unitset_check(bytes, w.needed);
}

static void a_name_that_is_no_file_name_is_refused(void **state)
{
	(void)state;
	char longest[UNIT_NAME_MAX + 1];
	static const struct { struct str name; bool is_good; } rows[] = {
		{ { "a.service", 9 }, true },
		{ { "...", 3 }, true },
		{ { ".", 1 }, false },
		{ { "..", 2 }, false },
		{ { "a/b", 3 }, false },
		{ { "/", 1 }, false },
		{ { "a\0b", 3 }, false },
	};
	for (size_t i = 0; i < countof(rows); i++)
		assert_int_equal(check_of_one_named(rows[i].name) == NULL, rows[i].is_good);
	memset(longest, 'x', sizeof longest);
	assert_null(check_of_one_named(str_of(longest, UNIT_NAME_MAX)));
	assert_string_equal(check_of_one_named(str_of(longest, UNIT_NAME_MAX + 1)), "a unit's name");
}

static void an_array_that_lacks_a_few_bytes_is_refused(void **state)
{
	(void)state;
	size_t size = 2 * sizeof(struct unit);
	unsigned char *bytes = malloc(size);
	struct unitset_writer w;
	unitset_begin(&w, bytes, size, 1);
	assert_true(unitset_end(&w, (struct span){ 0, 0 }));
	((struct unitset_header *)(void *)bytes)->size = (uint32_t)size;
	((struct unitset_header *)(void *)bytes)->n_units = 2;
	seal_again(bytes, size);
	assert_string_equal(unitset_check(bytes, size), "the array of units");
	free(bytes);
}

static void there_may_be_so_many_units_and_no_more(void **state)
{
	(void)state;
	size_t room = 64 + (UNITS_MAX + 1) * (sizeof(struct unit) + 16);
	unsigned char *bytes = malloc(room);
	for (uint32_t n = UNITS_MAX; n <= UNITS_MAX + 1; n++) {
		struct unitset_writer w;
		unitset_begin(&w, bytes, room, n);
		for (uint32_t i = 0; i < n; i++)
			unitset_slot(&w, i)->name = put_numbered_name(&w, i);
		assert_true(unitset_end(&w, (struct span){ 0, 0 }));
		assert_int_equal(unitset_check(bytes, w.needed) == NULL, n == UNITS_MAX);
	}
	free(bytes);
}

/* They are searched for in the middle first: what is out of order would be there and not be found. */
static void units_out_of_order_are_refused(void **state)
{
	(void)state;
	static const struct { const char *first, *second; bool is_sound; } rows[] = {
		{ "a.service", "b.service", true }, { "b.service", "a.service", false }, { "a.service", "a.service", false },
		{ "a-b.service", "a.service", true }, { "a", "a.service", true }, { "a.service", "a", false }, { "z", "\xc3\xb6", true },
	};
	for (size_t i = 0; i < countof(rows); i++) {
		_Alignas(8) unsigned char bytes[4096];
		struct unitset_writer w;
		unitset_begin(&w, bytes, sizeof bytes, 2);
		unitset_slot(&w, 0)->name = unitset_put_text(&w, str_from(rows[i].first));
		unitset_slot(&w, 1)->name = unitset_put_text(&w, str_from(rows[i].second));
		assert_true(unitset_end(&w, (struct span){ 0, 0 }));
		const char *wrong = unitset_check(bytes, w.needed);
		assert_true(rows[i].is_sound ? !wrong : wrong && !strcmp(wrong, "the order of the units"));
	}
}

/* A name without its suffix stands before others that its own unit stands behind. */
static void a_unit_is_found_among_those_whose_names_begin_as_its_own(void **state)
{
	(void)state;
	static const char *const names[] = { "db", "db-1.service", "db.service", "db.target", "db1.service", "web-2.service", "web.service" };
	_Alignas(8) unsigned char bytes[16384];
	struct unitset_writer w;
	unitset_begin(&w, bytes, sizeof bytes, countof(names));
	for (uint32_t i = 0; i < countof(names); i++)
		unitset_slot(&w, i)->name = unitset_put_text(&w, str_from(names[i]));
	assert_true(unitset_end(&w, (struct span){ 0, 0 }));
	assert_null(unitset_check(bytes, w.needed));
	struct unitset set = { bytes, (uint32_t)w.needed };
	for (uint32_t i = 0; i < countof(names); i++)
		assert_int_equal(unitset_find(set, str_from(names[i])), i);
	assert_int_equal(unitset_find(set, STR("db-1")), 1);
	assert_int_equal(unitset_find(set, STR("web")), 6);
	assert_int_equal(unitset_find(set, STR("web-")), NO_UNIT);
}

static void a_suffix_is_added_only_once(void **state)
{
	(void)state;
	_Alignas(8) unsigned char bytes[1024];
	struct unitset_writer w;
	unitset_begin(&w, bytes, sizeof bytes, 1);
	unitset_slot(&w, 0)->name = unitset_put_text(&w, STR("x.service.service"));
	assert_true(unitset_end(&w, (struct span){ 0, 0 }));
	struct unitset set = { bytes, (uint32_t)w.needed };
	assert_int_equal(unitset_find(set, STR("x.service")), NO_UNIT);
	assert_int_equal(unitset_find(set, STR("x.service.service")), 0);
}

static void a_set_cut_anywhere_is_refused(void **state)
{
	(void)state;
	struct unitset whole = sample();
	for (size_t size = 0; size < whole.size; size++) {
		unsigned char *bytes = malloc(size);
		memcpy(bytes, whole.bytes, size);
		assert_non_null(unitset_check(bytes, size));
		/* A liar cuts the size in the header as well. */
		if (size >= sizeof(struct unitset_header)) {
			((struct unitset_header *)(void *)bytes)->size = (uint32_t)size;
			seal_again(bytes, size);
			assert_non_null(unitset_check(bytes, size));
		}
		free(bytes);
	}
	free((void *)whole.bytes);
}

static void a_set_at_an_odd_address_is_refused(void **state)
{
	(void)state;
	struct unitset set = sample();
	unsigned char *bytes = malloc(set.size + 4);
	memcpy(bytes + 4, set.bytes, set.size);
	assert_string_equal(unitset_check(bytes + 4, set.size), "not aligned in memory");
	free(bytes);
	free((void *)set.bytes);
}

/* Texts may be shared (one PATH for all); lists whose elements are checked may not multiply the work. */
static void shared_lists_cannot_make_the_check_slow(void **state)
{
	(void)state;
	enum { N = 200 };
	for (int is_shared = 0; is_shared < 2; is_shared++) {
		struct edge all[N];
		size_t room = 1u << 20;
		unsigned char *bytes = malloc(room);
		struct unitset_writer w;
		unitset_begin(&w, bytes, room, N);
		for (uint32_t i = 0; i < N; i++)
			all[i] = (struct edge){ i, EDGE_WANTS };
		struct span shared = put_edges(&w, all, N);
		for (uint32_t i = 0; i < N; i++) {
			unitset_slot(&w, i)->name = put_numbered_name(&w, i);
			unitset_slot(&w, i)->edges = is_shared ? shared : put_edges(&w, all, N);
		}
		assert_true(unitset_end(&w, (struct span){ 0, 0 }));
		const char *wrong = unitset_check(bytes, w.needed);
		if (is_shared)
			assert_string_equal(wrong, "a list of dependencies");
		else
			assert_null(wrong);
		free(bytes);
	}
}

/* Refused, or everything in it can be looked at: the sanitizer and the walk's assertions are the judges. */
static bool survives(struct unitset set)
{
	seal_again((void *)set.bytes, set.size);
	if (unitset_check(set.bytes, set.size))
		return false;
	walk(set);
	return true;
}

static void no_corrupt_byte_leads_out_of_the_set(void **state)
{
	(void)state;
	struct unitset set = sample();
	unsigned char *bytes = (void *)set.bytes;
	unsigned n_taken = 0, n_refused = 0;
	for (uint32_t at = 0; at < set.size; at++) {
		unsigned char good = bytes[at];
		const unsigned char bad[] = { 0, 1, 0x7f, 0x80, 0xff, good + 1, good - 1, good ^ 0x40 };
		for (size_t i = 0; i < countof(bad); i++) {
			bytes[at] = bad[i];
			*(survives(set) ? &n_taken : &n_refused) += 1;
		}
		bytes[at] = good;
	}
	assert_true(survives(set));
	assert_in_range(n_refused, set.size / 4, set.size * 8);
	assert_in_range(n_taken, set.size / 4, set.size * 8);
	free(bytes);
}

static void no_corrupt_word_leads_out_of_the_set(void **state)
{
	(void)state;
	struct unitset set = sample();
	unsigned char *bytes = (void *)set.bytes;
	for (uint32_t at = 0; at + 4 <= set.size; at += 4) {
		uint32_t good;
		memcpy(&good, bytes + at, 4);
		const uint32_t bad[] = {
			0, 1, 2, 3, 4, 8, 40, set.size, set.size - 1, set.size - 4, set.size - 8, set.size - 24,
			set.size + 1, 0x3fffffff, 0x40000000, 0x7fffffff, 0x80000000, UINT32_MAX, UINT32_MAX - 3,
			UINT32_MAX - 7, UINT32_MAX / 20, UINT32_MAX / 24 + 1,
			-good, good + 1, good + 4, good + 8, good - 1, good - 4, good * 2,
			sizeof(struct unitset_header) + N_SAMPLE * sizeof(struct unit),
			sizeof(struct unitset_header) + N_SAMPLE * sizeof(struct unit) - 4,
		};
		for (size_t i = 0; i < countof(bad); i++) {
			memcpy(bytes + at, &bad[i], 4);
			survives(set);
		}
		memcpy(bytes + at, &good, 4);
	}
	assert_true(survives(set));
	free(bytes);
}

/* Several wrong words at once, as a hostile writer would do it. A fixed seed: a failure comes back. */
static void no_mixture_of_corrupt_words_leads_out_of_the_set(void **state)
{
	(void)state;
	struct unitset whole = sample();
	unsigned char *bytes = malloc(whole.size);
	uint64_t random = 42;
	for (int round = 0; round < 10000; round++) {
		memcpy(bytes, whole.bytes, whole.size);
		for (int i = 0; i < 3; i++) {
			random = random * 6364136223846793005u + 1442695040888963407u;
			uint32_t at = (uint32_t)(random >> 33) % (whole.size / 4) * 4;
			uint32_t value = (uint32_t)(random >> 20) % (whole.size + 16);
			memcpy(bytes + at, &value, 4);
		}
		survives((struct unitset){ bytes, whole.size });
	}
	free(bytes);
	free((void *)whole.bytes);
}

static void a_byte_changed_on_the_way_is_noticed(void **state)
{
	(void)state;
	struct unitset set = sample();
	unsigned char *bytes = (void *)set.bytes;
	for (uint32_t at = sizeof(struct unitset_header); at < set.size; at++) {
		bytes[at] ^= 1;
		assert_string_equal(unitset_check(bytes, set.size), "the checksum");
		bytes[at] ^= 1;
	}
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_written_is_read_back),
		cmocka_unit_test(too_little_room_is_told_and_never_left),
		cmocka_unit_test(no_set_is_larger_than_its_offsets),
		cmocka_unit_test(an_empty_set_is_a_set),
		cmocka_unit_test(equal_units_make_equal_bytes),
		cmocka_unit_test(the_bytes_do_not_depend_on_what_was_there),
		cmocka_unit_test(defaults_are_those_of_the_manuals),
		cmocka_unit_test(units_are_found_by_name),
		cmocka_unit_test(success_is_judged_as_systemd_does),
		cmocka_unit_test(a_spoilt_value_is_named),
		cmocka_unit_test(a_spoilt_element_is_named),
		cmocka_unit_test(a_name_that_is_no_file_name_is_refused),
		cmocka_unit_test(an_array_that_lacks_a_few_bytes_is_refused),
		cmocka_unit_test(there_may_be_so_many_units_and_no_more),
		cmocka_unit_test(units_out_of_order_are_refused),
		cmocka_unit_test(a_unit_is_found_among_those_whose_names_begin_as_its_own),
		cmocka_unit_test(a_suffix_is_added_only_once),
		cmocka_unit_test(a_set_cut_anywhere_is_refused),
		cmocka_unit_test(a_set_at_an_odd_address_is_refused),
		cmocka_unit_test(shared_lists_cannot_make_the_check_slow),
		cmocka_unit_test(no_corrupt_byte_leads_out_of_the_set),
		cmocka_unit_test(no_corrupt_word_leads_out_of_the_set),
		cmocka_unit_test(no_mixture_of_corrupt_words_leads_out_of_the_set),
		cmocka_unit_test(a_byte_changed_on_the_way_is_noticed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
