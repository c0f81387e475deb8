#include "load.h"

#include <stdarg.h>
#include <stdio.h>

#define SHOWN_MOST 120

struct str shown(struct str text)
{
	/* One line shows no more than a few. A file of nothing but errors must not fill the memory with them. */
	static char rooms[8][SHOWN_MOST + 3];
	static unsigned next;
	unsigned at = next++ % countof(rooms);
	struct buf b = BUF(rooms[at]);

	for (size_t i = 0; i < text.n && i < SHOWN_MOST; i++)
		buf_char(&b, (unsigned char)text.p[i] < ' ' || text.p[i] == 0x7f ? '?' : text.p[i]);
	if (text.n > SHOWN_MOST)
		buf_lit(&b, "...");
	return buf_view(&b);
}

static struct str print(const char *format, va_list args)
{
	char text[4096];
	int n = vsnprintf(text, sizeof text, format, args);
	return keep_str(str_of(text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1));
}

/* stderr is unbuffered: one write for a line, so that those of two programs on one console do not mix. */
static void say(struct list *notes, struct str line)
{
	list_add_str(notes, line);
	fprintf(stderr, "%.*s\n", STR_ARG(line));
}

/* "FILE:LINE" of a number from draft_line(). */
static struct str place(const struct draft *d, uint32_t line)
{
	struct str file = LIST_AT(d->files, struct str, line >> LINE_BITS);
	uint32_t n = line & ((1u << LINE_BITS) - 1);
	return n ? keep_print("%.*s:%u", STR_ARG(file), n) : file;
}

static void say_of(struct draft *d, uint32_t line, const char *status, const char *format, va_list args)
{
	if (++d->n_said > REMARKS_MAX + 1)
		return;
	struct str at = place(d, line);
	struct str text = d->n_said > REMARKS_MAX ? STR("there is more that is wrong: no more is told") : print(format, args);
	if (d->is_checked)
		printf("%.*s: %s: %.*s\n", STR_ARG(at), status, STR_ARG(text));
	else
		say(&d->notes, keep_print("%.*s: %.*s", STR_ARG(at), STR_ARG(text)));
}

void say_line(struct draft *d, uint32_t line, const char *status, const char *format, ...)
{
	va_list args;
	if (!d->is_checked)
		return;
	va_start(args, format);
	struct str at = place(d, line), text = print(format, args);
	va_end(args);
	printf("%.*s: %s: %.*s\n", STR_ARG(at), status, STR_ARG(text));
}

void note(struct draft *d, uint32_t line, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	say_of(d, line, "honoured", format, args);
	va_end(args);
}

void pass_over(struct draft *d, uint32_t line, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	say_of(d, line, "ignored", format, args);
	va_end(args);
}

void approximate(struct draft *d, uint32_t line, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	say_of(d, line, "approximated", format, args);
	va_end(args);
}

void complain(struct draft *d, uint32_t line, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	say_of(d, line, "error", format, args);
	va_end(args);
	d->has_error = true;
}

void refuse(struct draft *d, uint32_t line, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	say_of(d, line, "error", format, args);
	va_end(args);
	d->is_broken = d->has_error = true;
}

void note_set(struct load *load, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	say(&load->notes, print(format, args));
	va_end(args);
}
