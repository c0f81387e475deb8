/*
 * Words of a value: quotes, C escapes, the prefixes of command lines, %-specifiers.
 * systemd.syntax(7) "Quoting", systemd.service(5) "Command lines", systemd.unit(5) "Specifiers".
 */
#ifndef OOMPH_WORDS_H
#define OOMPH_WORDS_H

#include "str.h"

enum words_result {
	WORDS_END,              /* nothing left but blanks */
	WORDS_WORD,
	WORDS_ODD,              /* a word with an escape that means nothing: its backslash was kept */
	WORDS_UNBALANCED,       /* a quote that never closes, or a lone backslash at the end */
	WORDS_NO_ROOM,          /* `word` is full; cannot happen when it has room for as many bytes as the text */
};

/* The next word of *rest, unquoted and unescaped, appended to `word`. On an error *rest stays where it was. */
enum words_result words_next(struct str *rest, struct buf *word);

/* The same where C escapes mean nothing: a backslash goes, and what is behind it stays. Never WORDS_ODD. */
enum words_result words_quoted(struct str *rest, struct buf *word);

/* The next run of non-blanks, as it stands; for lists without quoting. False at the end. */
bool words_plain(struct str *rest, struct str *word);

/*
 * The escape behind a backslash at the front of `text` ("n", "x41", "101", "u00f6"): its bytes into `to`, its length
 * as the result; 0 when it is none.
 */
size_t words_escape(struct str text, struct buf *to);

/* The signs in front of a command, systemd.service(5) table "Special executable prefixes". */
struct exec_prefix {
	bool may_fail;          /* - */
	bool has_argv0;         /* @ */
	bool no_expand;         /* : */
	bool is_privileged;     /* + */
	bool keeps_user;        /* ! */
	bool is_ambient;        /* !!: as `!` where there are no ambient capabilities, which is before Linux 4.3 */
};

/* Takes the prefixes off *word; each counts once, a second one already belongs to the program's name. */
struct exec_prefix words_prefix(struct str *word);

/* Values of the specifiers, by letter; those without a value (p == NULL) are unknown. */
struct specifiers {
	struct str of['z' + 1];
};

/* `text` with its specifiers replaced, appended to `to`. '\0', or the letter that is no specifier. */
char words_specify(struct str text, const struct specifiers *values, struct buf *to);

#endif
