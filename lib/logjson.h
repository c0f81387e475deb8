/*
 * A line of a log as JSON Lines (one object, RFC 8259, and a line feed), for collectors and for `oomphctl logs --json`:
 *
 *     {"time":"2026-11-27T04:03:01.123456Z","unit":"db.service","generation":3,"pid":812,"stream":"out","priority":"info",
 *      "text":"Ready","cut":false}
 *
 * What nobody told is null: a time, generation or pid of 0, a stream or priority that is none (N_LOG_STREAM, N_LOG_PRIORITY). "cut" says that the text goes on in the next line of this stream. A text that is
 * not UTF-8 is null, and "text_bytes" behind it has its bytes as numbers: JSON can say no other.
 */
#ifndef OOMPH_LOGJSON_H
#define OOMPH_LOGJSON_H

#include "logline.h"

/* At most, with a unit's name and a text of so many bytes: an escape has six. */
#define LOGJSON_MAX(n_unit, n_text) (200 + 6 * ((size_t)(n_unit) + (n_text)))

void logjson_put(struct buf *to, struct str unit, const struct logline *line);

#endif
