/* What is sound, and what an input makes of it. */
#include "fuzz.h"

#include <string.h>

#define UNITS 4u

/* ---- a set in which everything is ---- */

static struct span put_words(struct unitset_writer *w, const char *first, const char *second)
{
	const struct str words[] = { str_from(first), str_from(second) };
	return unitset_put_blob(w, words, countof(words));
}

static struct span put_context(struct unitset_writer *w)
{
	struct context x = context_defaults;
	struct folder folder = { unitset_put_text(w, STR("/run/x")), unitset_put_text(w, STR("/run/y")), FOLDER_RUNTIME, 0755 };
	struct credential credential = { unitset_put_text(w, STR("key")), unitset_put_text(w, STR("/etc/key")), unitset_put_text(w, STR("value")) };
	uint64_t mask = 5;
	x.pass_environment = put_words(w, "PATH", "LANG");
	x.unset_environment = put_words(w, "A", "B=2");
	x.search_path = unitset_put_text(w, STR("/bin:/opt/bin"));
	x.folders = unitset_put(w, &folder, 1, sizeof folder);
	x.credentials = unitset_put(w, &credential, 1, sizeof credential);
	x.input = unitset_put_text(w, STR("A=1\nB='2 3'\n"));
	x.tty = unitset_put_text(w, STR("/dev/tty1"));
	x.cpus = unitset_put(w, &mask, 1, sizeof mask);
	x.numa_nodes = unitset_put(w, &mask, 1, sizeof mask);
	x.log_identifier = unitset_put_text(w, STR("tag"));
	return unitset_put(w, &x, 1, sizeof x);
}

static struct span put_commands(struct unitset_writer *w, enum exec_list list)
{
	struct command command = { unitset_put_text(w, STR("/bin/x")), put_words(w, "x", "$A ${B}%%"), list & 1 ? COMMAND_MAY_FAIL : 0 };
	if (list == EXEC_CHECK)
		command.argv = put_words(w, "oomph-check", "ConditionPathExists=/x");
	return unitset_put(w, &command, 1, sizeof command);
}

static struct span put_edges(struct unitset_writer *w, uint32_t i)
{
	static const uint32_t kinds[UNITS] = { 0, EDGE_AFTER | EDGE_REQUIRES, EDGE_BEFORE | EDGE_NEEDED_BY, EDGE_ON_FAILURE };
	struct edge edges[UNITS];
	uint32_t n = 0;
	for (uint32_t other = 0; other < UNITS; other++)
		if (other != i)
			edges[n++] = (struct edge){ other, other == (i + 1) % UNITS ? kinds[i] : 0 };
	return unitset_put(w, edges, n, sizeof *edges);
}

static void put_unit(struct unitset_writer *w, uint32_t i)
{
	static const char *const names[UNITS] = { "a.service", "b-c.service", "b.service", "d@e.service" };
	static const uint8_t types[UNITS] = { TYPE_SIMPLE, TYPE_NOTIFY, TYPE_ONESHOT, TYPE_FORKING };
	struct limit limit = { 10, 20, LIMIT_NOFILE, 0 };
	struct exit_set set = { { 2, 0, 0, 0 }, 1 };
	uint32_t groups[] = { 7, 8 };
	struct unit *u = unitset_slot(w, i);
	u->name = unitset_put_text(w, str_from(names[i]));
	u->aliases = put_words(w, "other.service", "x");
	u->description = unitset_put_text(w, STR("what it is"));
	u->file = unitset_put_text(w, STR("/etc/services.d/x.service"));
	u->notes = put_words(w, "a line", "another");
	for (int list = 0; list < N_EXEC_LIST; list++)
		u->exec[list] = put_commands(w, (enum exec_list)list);
	u->edges = put_edges(w, i);
	u->environment = put_words(w, "A=1", "B=2 3");
	u->environment_files = put_words(w, "-/etc/x", "/etc/y");
	u->working_directory = unitset_put_text(w, STR("/srv"));
	u->groups = unitset_put(w, groups, countof(groups), sizeof *groups);
	u->limits = unitset_put(w, &limit, 1, sizeof limit);
	u->stdio_path[1] = unitset_put_text(w, STR("/var/log/x"));
	u->context = put_context(w);
	u->pid_file = unitset_put_text(w, STR("/run/x.pid"));
	u->bus_name = unitset_put_text(w, STR("org.x"));
	u->restart_prevent = unitset_put(w, &set, 1, sizeof set);
	u->restart_force = unitset_put(w, &set, 1, sizeof set);
	u->type = types[i];
	u->flags |= UNIT_WANTED;
	u->watchdog_ms = 500;
	u->notify_access = NOTIFY_ALL;
}

struct str sound_set(void)
{
	static _Alignas(8) unsigned char bytes[1 << 16];
	static struct unitset_writer w;
	if (w.needed == 0) {
		unitset_begin(&w, bytes, sizeof bytes, UNITS);
		for (uint32_t i = 0; i < UNITS; i++)
			put_unit(&w, i);
		must(unitset_end(&w, put_words(&w, "of no unit", "")));
		must(unitset_check(bytes, w.needed) == NULL);
	}
	return str_of((const char *)bytes, w.needed);
}

/* ---- what the input makes of such bytes ---- */

enum patch { PATCH_BYTE, PATCH_WORD, PATCH_FIRST, PATCH_SECOND, PATCH_TO_END, PATCH_COPY, PATCH_ADD, PATCH_CUT, N_PATCH };
#define PATCHES_MOST 32

static uint32_t word_at(const unsigned char *bytes, size_t at)
{
	uint32_t word;
	memcpy(&word, bytes + at, sizeof word);
	return word;
}

static void put_word(unsigned char *bytes, size_t at, uint32_t word)
{
	memcpy(bytes + at, &word, sizeof word);
}

static void apply_patch(unsigned char *bytes, size_t *n, struct input *in, const struct ground grounds[2])
{
	enum patch kind = (enum patch)input_below(in, N_PATCH);
	size_t at = input_number(in, 2) * 4;
	uint32_t word = (uint32_t)input_number(in, 4);
	if (kind == PATCH_FIRST || kind == PATCH_SECOND)
		at = grounds[kind == PATCH_SECOND].at + at % grounds[kind == PATCH_SECOND].n;
	at = at % *n / 4 * 4;
	if (at + 4 > *n)
		return;
	switch (kind) {
	case PATCH_BYTE:
		bytes[at + word % 4] = (unsigned char)(word >> 8);
		break;
	case PATCH_WORD: case PATCH_FIRST: case PATCH_SECOND:
		put_word(bytes, at, word);
		break;
	case PATCH_TO_END:
		put_word(bytes, at, (uint32_t)*n - (word & 0xff));
		break;
	case PATCH_COPY:
		put_word(bytes, at, word_at(bytes, word % (*n / 4) * 4));
		break;
	case PATCH_ADD:
		put_word(bytes, at, word_at(bytes, at) + (uint32_t)(int8_t)word);
		break;
	case PATCH_CUT:
		*n = at > 64 ? at : *n;
		break;
	case N_PATCH:
		break;
	}
}

void patch(unsigned char *bytes, size_t *n, struct input *in, const struct ground grounds[2])
{
	for (uint32_t left = input_below(in, PATCHES_MOST); left > 0; left--)
		apply_patch(bytes, n, in, grounds);
}
