#include "load.h"
#include "lib/unitfile.h"

#include <string.h>

/* systemd.unit(5) "Specifiers": those that a unit's name and file decide. */
static void name_specifiers(struct draft *d)
{
	struct str *of = d->specifiers->of;
	struct str stem = str_of(d->name.p, str_rfind(d->name, STR(".")));
	size_t at = str_chr(stem, '@');
	struct str prefix = str_of(stem.p, at), instance = str_skip(stem, at + 1);

	of['n'] = d->name;
	of['N'] = stem;
	of['p'] = of['P'] = prefix;
	of['i'] = of['I'] = instance;
	size_t dash = str_rfind(prefix, STR("-"));
	of['j'] = of['J'] = dash < prefix.n ? str_skip(prefix, dash + 1) : prefix;
	of['f'] = keep_print("/%.*s", STR_ARG(instance.n ? instance : prefix));
	of['y'] = d->file;
	of['Y'] = str_of(d->file.p, str_rfind(d->file, STR("/")));
}

/* %P %I %J %f speak of the name with its escapes undone: "-" is a slash, "\x20" a blank. */
static struct str unescaped(struct str s)
{
	struct buf b = keep_buf(s.n);
	while (s.n) {
		char c = s.p[0];
		s = str_skip(s, 1);
		size_t n = c == '\\' ? words_escape(s, &b) : 0;
		if (n == 0)
			buf_char(&b, c == '-' ? '/' : c);
		s = str_skip(s, n);
	}
	return buf_view(&b);
}

void draft_begin(struct draft *d, const struct host *host, struct str name, struct str file)
{
	*d = (struct draft){ .host = host, .name = name, .file = file };
	unit_defaults(&d->unit);
	d->unit.flags |= UNIT_WANTED;
	d->specifiers = keep(sizeof *d->specifiers);
	*d->specifiers = host->specifiers;
	name_specifiers(d);
	struct str *of = d->specifiers->of;
	of['P'] = unescaped(of['P']);
	of['I'] = unescaped(of['I']);
	of['J'] = unescaped(of['J']);
	of['f'] = unescaped(of['f']);
}

bool specify(struct draft *d, struct str text, struct str *result, char *unknown)
{
	size_t cap = text.n;
	for (;;) {
		struct buf b = keep_buf(cap);
		*unknown = words_specify(text, d->specifiers, &b);
		*result = buf_view(&b);
		if (!b.is_cut)
			return *unknown == '\0';
		cap = cap * 2 + 256;
	}
}

/* ---- one assignment ---- */

static void unknown_key(struct draft *d, const struct unitfile_item *item, enum section section)
{
	const struct directive *near = directive_nearest(section, item->key);
	struct str key = shown(item->key);

	if (!near)
		complain(d, item->line, "%.*s= is not a directive of [%s]: ignored", STR_ARG(key),
			 section_names[section]);
	else if (near->section != section)
		complain(d, item->line, "%.*s= belongs into [%s], not [%s]: ignored", STR_ARG(key),
			 section_names[near->section], section_names[section]);
	else
		complain(d, item->line, "%.*s= is not a directive; did you mean %.*s=?", STR_ARG(key),
			 STR_ARG(near->key));
}

static void setting(struct draft *d, const struct unitfile_item *item, enum section section)
{
	const struct directive *row = directive_find(section, item->key);
	if (!row && str_starts(item->key, STR("X-")))
		return;                         /* somebody else's */
	if (!row)
		unknown_key(d, item, section);
	else if (row->status == NOT_YET)
		list_add_str(&d->not_yet, keep_print("%.*s= (line %u)", STR_ARG(row->key), item->line));
	else if (row->status == HONOURED && !settings_read(d, row, item->value, item->line))
		complain(d, item->line, "%.*s=%.*s: expected %s: ignored", STR_ARG(row->key),
			 STR_ARG(shown(item->value)), directive_expects(row));
}

static void section(struct draft *d, const struct unitfile_item *item)
{
	if (section_find(item->section) >= 0 || str_starts(item->section, STR("X-")))
		return;
	complain(d, item->line, "[%.*s] is not a section of a service ([Unit], [Service], [Install]): ignored",
		 STR_ARG(shown(item->section)));
}

/* One line for all of them: a hardened unit has dozens. */
static void tell_not_yet(struct draft *d)
{
	struct buf b = keep_buf(2000);
	for (uint32_t i = 0; i < d->not_yet.n; i++) {
		if (i)
			buf_lit(&b, ", ");
		buf_str(&b, LIST_AT(d->not_yet, struct str, i));
	}
	if (d->not_yet.n)
		note(d, 0, "not yet, no effect: %.*s%s", (int)b.n, b.p, b.is_cut ? "..." : "");
}

void read_unit(struct draft *d, struct str text)
{
	struct unitfile f = unitfile_open((char *)text.p, text.n);
	for (struct unitfile_item item; (item = unitfile_next(&f)).kind != UNITFILE_END;) {
		int known = section_find(item.section);
		switch (item.kind) {
		case UNITFILE_SECTION:
			section(d, &item);
			break;
		case UNITFILE_SETTING:
			if (known >= 0)
				setting(d, &item, (enum section)known);
			break;
		case UNITFILE_STRAY:
			complain(d, item.line, "`%.*s`: %s: ignored", STR_ARG(shown(item.text)), item.wrong);
			break;
		case UNITFILE_BAD:
			refuse(d, item.line, "`%.*s`: %s: the unit is left out", STR_ARG(shown(item.text)), item.wrong);
			break;
		case UNITFILE_END:
			break;
		}
	}
	tell_not_yet(d);
}
