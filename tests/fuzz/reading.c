/* A unit set as PID 1, its children and its clients read it: every byte that anybody looks at. */
#include "fuzz.h"
#include "lib/attrib.h"
#include "lib/condition.h"
#include "lib/expand.h"

#include <string.h>

static volatile unsigned sink;  /* whatever is read ends here, so that no compiler leaves it out */

static void read_bytes(const void *p, size_t n)
{
	const unsigned char *bytes = p;
	for (size_t i = 0; i < n; i++)
		sink += bytes[i];
}

static void read_text(struct unitset units, struct span span)
{
	struct str text = unitset_text(units, span);
	read_bytes(text.p, text.n);
	must(text.p[text.n] == '\0');
}

static void read_blob(struct unitset units, struct span span)
{
	struct str rest = unitset_text(units, span), word;
	while (str_next(&rest, &word))
		read_bytes(word.p, word.n + 1);
}

void launch_unit(struct unitset units, uint32_t i, enum exec_list list, uint32_t index)
{
	static struct launch_words words;
	static char *const own[] = { "PATH=/bin", "A=1", "LANG=C", NULL };
	const struct unit *u = unitset_unit(units, i);
	const struct context *x = unitset_context(units, u);
	const struct command *c = &unitset_commands(units, u, list)[index];
	launch_begin(&words);
	launch_environment(&words, unitset_text(units, u->environment));
	launch_pass(&words, unitset_text(units, x->pass_environment), own);
	launch_env_file(&words, unitset_text(units, x->input));
	launch_unset(&words, unitset_text(units, x->unset_environment));
	launch_argv(&words, unitset_text(units, c->argv), !(c->flags & COMMAND_NO_EXPAND));
	must(words.argv[words.n_argv] == NULL && words.envp[words.n_envp] == NULL);
	for (uint32_t n = 0; n < words.n_argv; n++)
		read_bytes(words.argv[n], strlen(words.argv[n]));
	for (uint32_t n = 0; n < words.n_envp; n++)
		read_bytes(words.envp[n], strlen(words.envp[n]));
	read_text(units, c->path);
}

static void read_context(struct unitset units, const struct unit *u)
{
	const struct context *x = unitset_context(units, u);
	const struct folder *folders = unitset_folders(units, x);
	const struct credential *credentials = unitset_credentials(units, x);
	read_bytes(x, sizeof *x);
	read_text(units, x->search_path);
	read_text(units, x->tty);
	read_text(units, x->log_identifier);
	read_bytes(unitset_mask(units, x->cpus), x->cpus.n * sizeof(uint64_t));
	read_bytes(unitset_mask(units, x->numa_nodes), x->numa_nodes.n * sizeof(uint64_t));
	for (uint32_t n = 0; n < x->folders.n; n++) {
		read_text(units, folders[n].path);
		read_text(units, folders[n].link);
	}
	for (uint32_t n = 0; n < x->credentials.n; n++) {
		read_text(units, credentials[n].name);
		read_text(units, credentials[n].path);
		read_text(units, credentials[n].value);
	}
}

static void read_unit(struct unitset units, uint32_t i)
{
	const struct unit *u = unitset_unit(units, i);
	const struct span texts[] = { u->name, u->description, u->file, u->working_directory, u->pid_file, u->bus_name, u->stdio_path[0], u->stdio_path[1],
				      u->stdio_path[2] };
	const struct span blobs[] = { u->aliases, u->notes, u->environment, u->environment_files };
	for (size_t n = 0; n < countof(texts); n++)
		read_text(units, texts[n]);
	for (size_t n = 0; n < countof(blobs); n++)
		read_blob(units, blobs[n]);
	for (unsigned status = 0; status < 256; status++) {
		struct str line = condition_of_unit(units, u, status);
		read_bytes(line.p, line.n);
		sink += unit_is_success(u, status & 1, (int)status) + unitset_has_status(units, u->restart_prevent, status & 1, (int)status) +
			unitset_has_status(units, u->restart_force, status & 1, (int)status);
	}
	read_bytes(unitset_edges(units, u), u->edges.n * sizeof(struct edge));
	read_bytes(unitset_limits(units, u), u->limits.n * sizeof(struct limit));
	read_bytes(unitset_indices(units, u->groups), u->groups.n * sizeof(uint32_t));
	read_context(units, u);
	must(unitset_find(units, unitset_text(units, u->name)) != NO_UNIT);
	must(unitset_find_any(units, unitset_text(units, u->name)) != NO_UNIT);
}

void read_units(struct unitset units)
{
	for (uint32_t i = 0; i < unitset_count(units); i++)
		read_unit(units, i);
	sink += unitset_find_any(units, STR("nobody")) + attrib_path(units, STR("/a"), STR("/a/b.service/c"));
}
