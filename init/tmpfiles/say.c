#include "tmpfiles.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool was_told;

void tell(const struct place *at, const char *format, ...)
{
	va_list args;
	was_told = true;
	fputs("oomph-tmpfiles: ", stderr);
	if (at)
		fprintf(stderr, "%s:%u: ", at->file, at->line);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

void tell_errno(const struct place *at, const char *what)
{
	tell(at, "%s: %s", what, strerror(errno));
}

void *must(void *memory)
{
	if (!memory) {
		tell(NULL, "out of memory");
		exit(1);
	}
	return memory;
}

bool has_told(void)
{
	return was_told;
}
