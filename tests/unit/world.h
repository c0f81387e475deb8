/*
 * A folder of units, oomph-load as PID 1 runs it, and the sealed set that comes out. $OOMPH_LOAD names another build of it.
 */
#ifndef OOMPH_TEST_WORLD_H
#define OOMPH_TEST_WORLD_H

#include "lib/unit.h"
#include "lib/names.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define RUN "[Service]\nExecStart=/bin/true\n"

struct world {
	char folder[32];
	uint64_t most_memory, most_seconds;     /* 0: as much as it likes */
	char search_path[256];          /* empty: what this machine has is not for the tests */
	const char *log;                /* oomph-load --log; NULL: "none" */
	bool has_own_loader;            /* given_loader() */
	struct unitset set;
	char said[1 << 16];             /* stderr of the last run */
};

/* ---- given ---- */

static inline const char *path_of(const struct world *w, const char *name)
{
	static char path[512];
	snprintf(path, sizeof path, "%s/%s", w->folder, name);
	return path;
}

static inline void given_bytes(struct world *w, const char *name, struct str bytes)
{
	int fd = open(path_of(w, name), O_WRONLY | O_CREAT | O_TRUNC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes.p, bytes.n), (ssize_t)bytes.n);
	close(fd);
}

static inline void given(struct world *w, const char *name, const char *text)
{
	given_bytes(w, name, str_from(text));
}

static inline const char *loader(const struct world *w)
{
	const char *program = getenv("OOMPH_LOAD") ? getenv("OOMPH_LOAD") : "build/bin/oomph-load";
	return w->has_own_loader ? path_of(w, "lib/oomph-load") : program;
}

/* A copy of oomph-load in a folder of helpers where there is an oomph-log, or none. */
static inline void given_loader(struct world *w, bool has_logger)
{
	char bytes[1 << 16];
	ssize_t n;
	int from = open(loader(w), O_RDONLY);
	mkdir(path_of(w, "lib"), 0755);
	int to = open(path_of(w, "lib/oomph-load"), O_WRONLY | O_CREAT | O_TRUNC, 0755);
	while ((n = read(from, bytes, sizeof bytes)) > 0)
		assert_int_equal(write(to, bytes, (size_t)n), n);
	assert_int_equal(n, 0);
	close(from);
	close(to);
	if (has_logger)
		given(w, "lib/oomph-log", "");
	chmod(path_of(w, "lib/oomph-log"), 0755);
	w->has_own_loader = true;
}

static inline int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static inline int set_up(void **state)
{
	struct world *w = calloc(1, sizeof *w);
	strcpy(w->folder, "/tmp/test_load.XXXXXX");
	*state = w;
	return mkdtemp(w->folder) ? 0 : -1;
}

static inline int tear_down(void **state)
{
	struct world *w = *state;
	if (w->set.bytes)
		munmap((void *)w->set.bytes, w->set.size);
	nftw(w->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(w);
	return 0;
}

/* ---- when ---- */

/* Runs the loader; what it says goes into w->said. Its exit status. */
static inline int run(struct world *w, char *const argv[])
{
	const char *program = loader(w);
	int out[2], status;
	size_t n = 0;
	ssize_t got;

	assert_int_equal(pipe(out), 0);
	pid_t pid = fork();
	if (pid == 0) {
		dup2(out[1], 1);
		dup2(out[1], 2);
		close(out[0]);
		close(out[1]);
		if (w->most_memory)
			setrlimit(RLIMIT_AS, &(struct rlimit){ w->most_memory, w->most_memory });
		if (w->most_seconds)
			setrlimit(RLIMIT_CPU, &(struct rlimit){ w->most_seconds, w->most_seconds });
		execv(program, argv);
		dprintf(2, "%s: %s (make all builds it)\n", program, strerror(errno));
		_exit(127);
	}
	assert_true(pid > 0);
	close(out[1]);
	while ((got = read(out[0], w->said + n, sizeof w->said - 1 - n)) > 0)
		n += (size_t)got;
	w->said[n] = '\0';
	close(out[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* Loads the folders given ("" for the world's own) into a set that passes PID 1's check. */
static inline void when_loaded_from(struct world *w, const char *mode, const char *first, const char *second)
{
	char number[16];
	struct stat st;
	int fd = memfd_create("units", MFD_ALLOW_SEALING);

	assert_true(fd >= 0);
	snprintf(number, sizeof number, "%d", fd);
	if (run(w, (char *[]){ "oomph-load", "--fd", number, "--path", w->search_path, "--log", (char *)(w->log ? w->log : "none"),
			       (char *)mode, (char *)first, (char *)second, NULL }) != 0)
		fail_msg("oomph-load failed: %s", w->said);
	assert_int_equal(fcntl(fd, F_GET_SEALS), F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
	assert_int_equal(fstat(fd, &st), 0);
	if (w->set.bytes)
		munmap((void *)w->set.bytes, w->set.size);
	w->set.size = (uint32_t)st.st_size;
	w->set.bytes = mmap(NULL, w->set.size, PROT_READ, MAP_PRIVATE, fd, 0);
	assert_true(w->set.bytes != MAP_FAILED);
	close(fd);
	const char *wrong = unitset_check(w->set.bytes, w->set.size);
	if (wrong)
		fail_msg("the set is not sound: %s", wrong);
}

static inline void when_loaded(struct world *w)
{
	when_loaded_from(w, "--container", w->folder, NULL);
}

/* ---- then ---- */

static inline const struct unit *unit_of(const struct world *w, const char *name)
{
	const struct unit *u = unitset_unit(w->set, unitset_find(w->set, str_from(name)));
	if (!u)
		fail_msg("there is no unit %s", name);
	return u;
}

static inline void then_said(const struct world *w, const char *line)
{
	if (!strstr(w->said, line))
		fail_msg("nobody said \"%s\", but:\n%s", line, w->said);
}

static inline void then_silent(const struct world *w)
{
	assert_string_equal(w->said, "");
}

static inline void then_noted(const struct world *w, const char *unit, const char *line)
{
	struct str notes = unitset_text(w->set, unit_of(w, unit)->notes);
	then_said(w, line);
	assert_true(str_find(notes, str_from(line)) < notes.n);
}

static inline void then_broken(const struct world *w, const char *unit, const char *why)
{
	const struct unit *u = unit_of(w, unit);
	assert_int_equal(u->flags & (UNIT_BROKEN | UNIT_WANTED), UNIT_BROKEN | UNIT_WANTED);
	assert_int_equal(u->exec[EXEC_START].n, 0);
	then_noted(w, unit, why);
}

static inline void then_text(const struct world *w, struct span span, const char *expected)
{
	struct str text = unitset_text(w->set, span);
	if (!str_eq(text, str_from(expected)))
		fail_msg("\"%.*s\" is not \"%s\"", (int)text.n, text.p, expected);
}

/* "a,b": the words of a blob, or the names of a list of units. */
static inline const char *words_of(const struct world *w, struct span span)
{
	static char text[4096];
	struct buf b = BUF(text);
	struct str rest = unitset_text(w->set, span), word;
	while (str_next(&rest, &word)) {
		if (b.n)
			buf_char(&b, ',');
		buf_str(&b, word);
	}
	return buf_cstr(&b);
}

/* Of an environment, without the locale, which is that of the machine where the test runs. */
static inline const char *variables_of(const struct world *w, struct span span)
{
	static char text[4096];
	struct buf b = BUF(text);
	struct str rest = unitset_text(w->set, span), word;
	while (str_next(&rest, &word)) {
		if (str_starts(word, STR("LANG")) || str_starts(word, STR("LC_")))
			continue;
		if (b.n)
			buf_char(&b, ',');
		buf_str(&b, word);
	}
	return buf_cstr(&b);
}

/* The units that this one has one of those kinds of edge to. */
static inline const char *names_of(const struct world *w, const struct unit *u, uint32_t kinds)
{
	static char text[4096];
	struct buf b = BUF(text);
	const struct edge *edges = unitset_edges(w->set, u);
	for (uint32_t i = 0; i < u->edges.n; i++) {
		struct str name = unitset_text(w->set, unitset_unit(w->set, edges[i].unit)->name);
		if (!(edges[i].kinds & kinds))
			continue;
		if (b.n)
			buf_char(&b, ',');
		buf_str(&b, str_of(name.p, str_ends(name, STR(".service")) ? name.n - 8 : name.n));
	}
	return buf_cstr(&b);
}

/* "-:/bin/x [x][a b]; /bin/y [y]" */
static inline const char *commands_of(const struct world *w, const struct unit *u, enum exec_list list)
{
	static char text[4096];
	struct buf b = BUF(text);
	const struct command *commands = unitset_commands(w->set, u, list);
	for (uint32_t i = 0; i < u->exec[list].n; i++) {
		struct str rest = unitset_text(w->set, commands[i].argv), word;
		if (i)
			buf_lit(&b, "; ");
		if (commands[i].flags & COMMAND_MAY_FAIL)
			buf_char(&b, '-');
		if (commands[i].flags & COMMAND_NO_EXPAND)
			buf_char(&b, ':');
		if (commands[i].flags & COMMAND_PRIVILEGED)
			buf_char(&b, '+');
		if (commands[i].flags & COMMAND_KEEPS_USER)
			buf_char(&b, '!');
		buf_str(&b, unitset_text(w->set, commands[i].path));
		buf_char(&b, ' ');
		while (str_next(&rest, &word)) {
			buf_char(&b, '[');
			buf_str(&b, word);
			buf_char(&b, ']');
		}
	}
	return buf_cstr(&b);
}

#endif
