/*
 * The syntax of unit files, systemd.syntax(7): bytes to a stream of settings.
 *
 * What the words mean is none of its business: directives.h says which exist, values.h and words.h what they hold.
 */
#ifndef OOMPH_UNITFILE_H
#define OOMPH_UNITFILE_H

#include "str.h"

enum unitfile_kind {
	UNITFILE_END,
	UNITFILE_SECTION,       /* [section] */
	UNITFILE_SETTING,       /* key = value, the value joined over its continuation lines */
	UNITFILE_STRAY,         /* a line that is neither: to be ignored with a word */
	UNITFILE_BAD,           /* systemd refuses the whole file for such a line; reading ends here */
};

struct unitfile_item {
	enum unitfile_kind kind;
	uint32_t line;          /* where it begins, from 1 */
	struct str section;     /* the one in force; empty before the first */
	struct str key, value;
	struct str text;        /* the whole line, of a stray or bad one */
	const char *wrong;      /* what is wrong with a stray or bad one */
};

struct unitfile {
	char *bytes;
	size_t n, at;
	uint32_t line;
	struct str section;
};

/*
 * Begins at the first of `n` bytes. They are written to: continued lines are joined in place (a joined line is never
 * longer than its pieces), so the bytes have to live as long as the items, and can be read through once.
 */
struct unitfile unitfile_open(char *bytes, size_t n);
struct unitfile_item unitfile_next(struct unitfile *f);

#endif
