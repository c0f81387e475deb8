/* --stdout: "UNIT: TEXT" lines for whoever collects a container's output. */
#include "parts.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#define LINE_MOST 4096u                 /* with its line feed; pipe(7), PIPE_BUF: nobody else's output comes in between */

uint32_t stdout_line_max(const struct writer *w)
{
	return LINE_MOST - (uint32_t)writer_short(w).n - 3;
}

void stdout_line(struct logger *l, const struct writer *w, const struct logline *line)
{
	struct str name = writer_short(w);
	struct buf *out = &l->out;
	if (out->cap - out->n < name.n + line->text.n + 3)
		log_flush(l);
	buf_str(out, name);
	buf_lit(out, ": ");
	buf_str(out, line->text);
	buf_char(out, '\n');
}

/* Whoever reads sets the pace; a terminal that others have made non-blocking is waited for as well. Where nobody reads, lines are dropped. */
void stdout_write(struct logger *l)
{
	size_t written = 0;
	struct pollfd p = { .fd = STDOUT_FILENO, .events = POLLOUT };
	while (!writes_all(STDOUT_FILENO, l->out.p, l->out.n, &written))
		if (errno != EAGAIN || poll(&p, 1, -1) < 0)
			return;
}
