#include "loader.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* For what they remember from one unit to the next, which nobody else has to forget. */
#include "init/load/account.c"
#include "init/load/people.c"

/* ---- keep.c, but every piece has an end of its own that a sanitizer watches, and an end in time ---- */

static struct piece {
	struct piece *before;
	_Alignas(16) unsigned char bytes[];
} *pieces;
static char *word;              /* scratch() */

void *keep(size_t n)
{
	struct piece *piece = calloc(1, sizeof *piece + n);
	piece->before = pieces;
	pieces = piece;
	return piece->bytes;
}

struct buf scratch(size_t cap)
{
	free(word);                     /* whoever still reads the word before is caught at it */
	word = malloc(cap + 1);
	return (struct buf){ .p = word, .cap = cap };
}

static void give_back(void)
{
	while (pieces) {
		struct piece *before = pieces->before;
		free(pieces);
		pieces = before;
	}
	free(word);
	word = NULL;
}

/* ---- the machine: three accounts, and one file to every pattern ---- */

static struct passwd accounts[] = {
	{ "root", "x", 0, 0, "root", "/root", "/bin/sh" },
	{ "www-data", "x", 33, 33, "www-data", "/var/www", "/usr/sbin/nologin" },
	{ "db", "x", 100, 101, "", "", "" },
};
static struct group groups[] = { { "root", "x", 0, NULL }, { "www-data", "x", 33, NULL }, { "db", "x", 101, NULL } };

struct passwd *getpwnam(const char *name)
{
	for (size_t i = 0; i < countof(accounts); i++)
		if (strcmp(accounts[i].pw_name, name) == 0)
			return &accounts[i];
	return NULL;
}

struct passwd *getpwuid(uid_t uid)
{
	for (size_t i = 0; i < countof(accounts); i++)
		if (accounts[i].pw_uid == uid)
			return &accounts[i];
	return NULL;
}

struct group *getgrnam(const char *name)
{
	for (size_t i = 0; i < countof(groups); i++)
		if (strcmp(groups[i].gr_name, name) == 0)
			return &groups[i];
	return NULL;
}

struct group *getgrgid(gid_t gid)
{
	for (size_t i = 0; i < countof(groups); i++)
		if (groups[i].gr_gid == gid)
			return &groups[i];
	return NULL;
}

int getgrouplist(const char *user, gid_t group, gid_t *list, int *n)
{
	(void)user;
	list[0] = group;
	list[1] = 7;
	*n = 2;
	return 2;
}

int glob(const char *pattern, int flags, int (*on_error)(const char *, int), glob_t *found)
{
	static char *paths[] = { "/etc/default/x", NULL };
	(void)pattern, (void)flags, (void)on_error;
	*found = (glob_t){ .gl_pathc = 1, .gl_pathv = paths };
	return 0;
}

void globfree(glob_t *found)
{
	(void)found;
}

const struct host *loader_host(void)
{
	static struct host host;
	static struct str locale = { "LANG=C.UTF-8", 12 };
	if (host.memory_bytes)
		return &host;
	host = (struct host){
		.lib_folder = STR("/usr/lib/oomph"), .memory_bytes = 1u << 30, .tasks_max = 1000, .has_logger = true,
		.locale = { &locale, 1, 1 },
	};
	for (const char *letter = "abBCEgGhHlLmMoqsStTuUvVwWA"; *letter; letter++)
		host.specifiers.of[(unsigned char)*letter] = STR("/some");
	return &host;
}

/* ---- what it says ---- */

static char said[1 << 20];
static size_t n_said;

static ssize_t listen_to(void *cookie, const char *bytes, size_t n)
{
	size_t room = sizeof said - n_said;
	(void)cookie;
	memcpy(said + n_said, bytes, n < room ? n : room);
	n_said += n < room ? n : room;
	return (ssize_t)n;
}

static ssize_t listen_to_nobody(void *cookie, const char *bytes, size_t n)
{
	(void)cookie, (void)bytes;
	return (ssize_t)n;
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	stdout = fopencookie(NULL, "w", (cookie_io_functions_t){ .write = listen_to });
	stderr = fopencookie(NULL, "w", (cookie_io_functions_t){ .write = listen_to_nobody });
	return 0;
}

struct str loader_said(void)
{
	fflush(stdout);
	struct str all = str_of(said, n_said);
	n_said = 0;
	return all;
}

void loader_end(void)
{
	give_back();
	people = (struct list){ .n = 0 };
	person_of = (struct table){ .n = 0 };
	dynamics = (struct list){ .n = 0 };
	n_said = 0;
}
