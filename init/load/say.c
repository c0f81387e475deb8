#include "load.h"

#include <stdarg.h>
#include <stdio.h>

#define SHOWN_MOST 120

struct str shown(struct str text)
{
	struct buf b = keep_buf(SHOWN_MOST + 3);
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

static void say_of(struct draft *d, uint32_t line, const char *format, va_list args)
{
	struct str text = print(format, args);
	say(&d->notes, line ? keep_print("%.*s:%u: %.*s", STR_ARG(d->file), line, STR_ARG(text)) :
			      keep_print("%.*s: %.*s", STR_ARG(d->file), STR_ARG(text)));
}

void note(struct draft *d, uint32_t line, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	say_of(d, line, format, args);
	va_end(args);
}

void complain(struct draft *d, uint32_t line, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	say_of(d, line, format, args);
	va_end(args);
	d->has_error = true;
}

void refuse(struct draft *d, uint32_t line, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	say_of(d, line, format, args);
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
