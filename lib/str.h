/*
 * Bytes with their length. A `struct str` looks at bytes that somebody else owns; a `struct buf` writes into
 * memory that its caller owns. Neither allocates, neither needs a NUL.
 */
#ifndef OOMPH_STR_H
#define OOMPH_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define countof(a) (sizeof(a) / sizeof((a)[0]))

struct str {
	const char *p;
	size_t n;
};

#define STR(literal) ((struct str){ (literal), sizeof(literal) - 1 })

struct str str_from(const char *nul_terminated);        /* NULL gives the empty string */
struct str str_of(const char *p, size_t n);
bool str_eq(struct str a, struct str b);
int str_order(struct str a, struct str b);               /* by bytes, the shorter first: below, equal to or above 0 */
bool str_starts(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);
struct str str_skip(struct str s, size_t n);            /* without its first n bytes; empty when shorter */
struct str str_trim(struct str s);                      /* without blanks, tabs, CR and LF at both ends */

/* Position of the first (last) occurrence of needle, or s.n when there is none. */
size_t str_find(struct str s, struct str needle);
size_t str_rfind(struct str s, struct str needle);
size_t str_chr(struct str s, char c);

/* If s begins with prefix, drops it from *s and says true. */
bool str_take(struct str *s, struct str prefix);

/* The bytes of *s before the first `sep`, which *s then loses together with the separator; all of *s when there is none. */
struct str str_until(struct str *s, char sep);

/* Decimal digits at the front of *s, consumed; false (and *s as it was) when there are none or on overflow. */
bool str_digits(struct str *s, uint64_t *value);

/* The whole of s as a decimal number; false on anything else. */
bool str_u64(struct str s, uint64_t *value);
bool str_i64(struct str s, int64_t *value);

/*
 * The next string of a blob of NUL-terminated strings ("a\0b\0"), consumed from *blob; false at its end.
 * The string stays NUL-terminated in place.
 */
bool str_next(struct str *blob, struct str *word);

/* Fewest single-character edits (insert, delete, substitute, case counts as one) from a to b, for "did you mean"; at most 64 bytes each, else 255. */
unsigned str_distance(struct str a, struct str b);

/* ---- writing ---- */

struct buf {
	char *p;
	size_t n, cap;
	bool is_cut;            /* something did not fit: the text ends early, nothing was overwritten */
};

#define BUF(array) ((struct buf){ .p = (array), .cap = sizeof(array) })

void buf_str(struct buf *b, struct str s);
void buf_char(struct buf *b, char c);
void buf_u64(struct buf *b, uint64_t v);
void buf_i64(struct buf *b, int64_t v);
void buf_pad(struct buf *b, uint64_t v, unsigned digits);  /* zero-padded to `digits` */
struct str buf_view(const struct buf *b);
const char *buf_cstr(struct buf *b);                    /* NUL-terminated, the last byte given up for it if need be */

#define buf_lit(b, literal) buf_str((b), STR(literal))

#endif
