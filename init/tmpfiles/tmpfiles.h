/*
 * oomph-tmpfiles: users of sysusers.d and files of tmpfiles.d, made at boot before the first service, in part: where the
 * distribution's own tools are installed those are run. A process of its own, for it reads many files, and may hang on a disk.
 */
#ifndef OOMPH_TMPFILES_H
#define OOMPH_TMPFILES_H

#include "lib/str.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

extern const char *root;                /* of all paths; "" for the machine's own */

/* ---- say.c: one line for one trouble; the exit status remembers that there was one ---- */

struct place {
	const char *file;
	unsigned line;
};
void tell(const struct place *at, const char *format, ...) __attribute__((format(printf, 2, 3)));
void tell_errno(const struct place *at, const char *what);
bool has_told(void);
void *must(void *memory);       /* or there is none, and we leave: half a table of users is worse than the old one */

/* ---- conf.c: the files of a kind, and their lines ---- */

#define FIELDS_MAX 7

struct line {
	struct place at;
	unsigned n_fields;
	char *fields[FIELDS_MAX];       /* unquoted, unescaped, specifiers replaced; "-" is NULL */
	char *rest;                     /* behind them, as it stands; NULL when there is nothing */
};

/* Every line of /etc/KIND, /run/KIND ...: its first n_fields words. What is taken of it is the taker's: nothing is freed. */
void conf_read(const char *kind, unsigned n_fields, void (*take)(const struct line *line));

/* root and path as one; kept for good. */
char *in_root(const char *path);

/* `text` with its C escapes undone; false at one that means nothing. */
bool unescape(char *text, size_t *n);

/* ---- users.c ---- */

void users_make(void);                  /* sysusers.d(5) */

/* Numbers of names in root's own files; digits are numbers of themselves. */
bool find_user(const char *name, uid_t *uid);
bool find_group(const char *name, gid_t *gid);

/* ---- reload.c ---- */

void users_remember(void);
void users_tell(void);                  /* PID 1, if there are others now */

/* ---- files.c ---- */

void files_make(void);                  /* tmpfiles.d(5) */

#endif
