#include "unitfile.h"
#include "values.h"

#include <string.h>

#define BOM STR("\xef\xbb\xbf")

struct unitfile unitfile_open(char *bytes, size_t n)
{
	struct unitfile f = { .bytes = bytes, .n = n };
	if (str_starts(str_of(bytes, n), BOM))
		f.at = BOM.n;
	return f;
}

/* One line as it stands in the file, without its line end. */
static struct str physical_line(struct unitfile *f)
{
	struct str rest = str_of(f->bytes + f->at, f->n - f->at);
	struct str line = str_until(&rest, '\n');

	f->at = f->n - rest.n;
	f->line++;
	while (line.n && line.p[line.n - 1] == '\r')
		line.n--;
	return line;
}

static bool is_comment(struct str line)
{
	line = str_trim(line);
	return line.n && (line.p[0] == '#' || line.p[0] == ';');
}

static bool is_continued(struct str line)
{
	size_t n = 0;
	while (n < line.n && line.p[line.n - 1 - n] == '\\')
		n++;
	return n % 2;
}

/*
 * A line with all that continues it. Comments are dropped before continuations are looked at, so one may stand in
 * the middle of a continued line and its own last backslash means nothing; an empty line ends a continuation.
 */
static struct str logical_line(struct unitfile *f, uint32_t *line)
{
	char *start = f->bytes + f->at;
	struct str whole = { start, 0 };
	bool wants_more = true;

	for (bool is_first = true; wants_more && f->at < f->n;) {
		struct str piece = physical_line(f);
		if (is_comment(piece))
			continue;
		if (is_first)
			*line = f->line;
		is_first = false;
		if (piece.n)
			memmove(start + whole.n, piece.p, piece.n);
		whole.n += piece.n;
		wants_more = is_continued(str_of(start + whole.n - piece.n, piece.n));
		if (wants_more)
			start[whole.n - 1] = ' ';
	}
	return str_trim(whole);
}

static struct unitfile_item bad(struct unitfile *f, struct unitfile_item item, const char *wrong)
{
	f->at = f->n;
	item.kind = UNITFILE_BAD;
	item.wrong = wrong;
	return item;
}

static struct unitfile_item stray(struct unitfile_item item, const char *wrong)
{
	item.kind = UNITFILE_STRAY;
	item.wrong = wrong;
	return item;
}

static struct unitfile_item setting(struct unitfile_item item)
{
	if (str_chr(item.text, '=') == item.text.n)
		return stray(item, "there is no `=` in it; expected NAME=VALUE");

	struct str value = item.text;
	item.key = str_trim(str_until(&value, '='));
	item.value = str_trim(value);
	if (item.key.n == 0)
		return stray(item, "there is no name before the `=`; expected NAME=VALUE");
	if (item.section.n == 0)
		return stray(item, "it stands before the first [section]; expected [Unit] or [Service] above it");
	item.kind = UNITFILE_SETTING;
	return item;
}

struct unitfile_item unitfile_next(struct unitfile *f)
{
	struct unitfile_item item = { .kind = UNITFILE_END, .line = f->line };

	while (f->at < f->n && item.text.n == 0)
		item.text = logical_line(f, &item.line);
	item.section = f->section;
	if (item.text.n == 0)
		return item;
	if (str_chr(item.text, '\0') < item.text.n || !value_is_utf8(item.text))
		return bad(f, item, "this is not UTF-8 text");
	if (item.text.p[0] != '[')
		return setting(item);
	if (item.text.p[item.text.n - 1] != ']')
		return bad(f, item, "a [section] has to end in `]`");

	f->section = str_trim(str_of(item.text.p + 1, item.text.n - 2));
	item.section = f->section;
	item.kind = UNITFILE_SECTION;
	return item;
}
