/* Copies of lines to the kernel's log and to the console: StandardOutput=kmsg, journal+console, kmsg+console. */
#include "parts.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define KMSG_LINE_MAX 900               /* kernel/printk/printk.c: a record holds 1024 bytes, and devkmsg_write() refuses a longer one */
#define FACILITY_DAEMON (3 << 3)        /* syslog(3); facility 0 is the kernel's own */

/* "db[812]: " */
static void put_origin(struct buf *b, const struct writer *w, const struct logline *line)
{
	buf_str(b, w->identifier[0] ? str_from(w->identifier) : writer_short(w));
	if (line->pid) {
		buf_char(b, '[');
		buf_u64(b, line->pid);
		buf_char(b, ']');
	}
	buf_lit(b, ": ");
}

/* Not a control sequence for whoever sits there; beyond ASCII it may be text. */
static void put_harmless(struct buf *b, struct str text)
{
	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];
		buf_char(b, (c < ' ' && c != '\t') || c == 0x7f ? '?' : (char)c);
	}
}

static void to_kmsg(struct copies *c, const struct writer *w, const struct logline *line)
{
	char text[KMSG_LINE_MAX];
	struct buf b = BUF(text);
	if (c->kmsg < 0)
		c->kmsg = open("/dev/kmsg", O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (c->kmsg < 0)
		return;
	buf_char(&b, '<');
	buf_u64(&b, FACILITY_DAEMON | line->priority);
	buf_char(&b, '>');
	put_origin(&b, w, line);
	buf_str(&b, line->text);
	ssize_t n = write(c->kmsg, b.p, b.n);
	(void)n;                        /* a copy: the file has it */
}

/* What the console does not take now is dropped: a serial line is slow, and services go on. */
static void to_console(struct copies *c, const struct writer *w, const struct logline *line)
{
	char text[2048];
	struct buf b = { .p = text, .cap = sizeof text - 1 };
	if (c->console < 0)
		c->console = open("/dev/console", O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (c->console < 0)
		return;
	put_origin(&b, w, line);
	put_harmless(&b, line->text);
	text[b.n++] = '\n';
	ssize_t n = write(c->console, b.p, b.n);
	if (n < 0 && errno == EIO) {    /* it was hung up: opened again for the next line */
		close(c->console);
		c->console = -1;
	}
}

static void copy(struct logger *l, struct tap *t, const struct writer *w, const struct logline *line)
{
	(void)t;
	uint8_t copies = line->stream <= LOG_ERR ? w->log->copies[line->stream] : 0;
	if (copies & COPY_TO_KMSG)
		to_kmsg(&l->copies, w, line);
	if (copies & COPY_TO_CONSOLE)
		to_console(&l->copies, w, line);
}

void copies_open(struct logger *l)
{
	l->copies = (struct copies){ .tap = { .line = copy }, .kmsg = -1, .console = -1 };
	log_tap(l, &l->copies.tap);
}
