#include "load.h"
#include "lib/unitfile.h"
#include "lib/unitname.h"
#include "lib/values.h"

#include <string.h>

/* %P %I %J %f speak of the name with its escapes undone: "-" is a slash, "\x20" a blank. */
static struct str unescaped(struct str s)
{
	struct buf b = keep_buf(s.n);
	unitname_unescape(s, &b);
	return buf_view(&b);
}

/* systemd.unit(5) "Specifiers": those of the machine, and those that a unit's name and file decide. Few units have any. */
static const struct specifiers *specifiers(struct draft *d)
{
	struct unitname name = unitname_parts(d->name);
	struct str prefix = name.prefix, instance = name.instance;
	size_t dash = str_rfind(prefix, STR("-"));

	if (d->specifiers)
		return d->specifiers;
	d->specifiers = keep(sizeof *d->specifiers);
	*d->specifiers = d->host->specifiers;
	struct str *of = d->specifiers->of;
	of['n'] = d->name;
	of['N'] = name.stem;
	of['p'] = prefix;
	of['P'] = unescaped(prefix);
	of['i'] = instance;
	of['I'] = unescaped(instance);
	of['j'] = dash < prefix.n ? str_skip(prefix, dash + 1) : prefix;
	of['J'] = unescaped(of['j']);
	of['f'] = unescaped(keep_print("/%.*s", STR_ARG(instance.n ? instance : prefix)));
	of['d'] = keep_print(CREDENTIALS_FOLDER "/%.*s", STR_ARG(d->name));
	of['y'] = d->file;
	of['Y'] = str_of(d->file.p, str_rfind(d->file, STR("/")));
	return d->specifiers;
}

void draft_begin(struct draft *d, const struct host *host, struct str name, struct str file)
{
	*d = (struct draft){ .host = host, .name = name, .file = file };
	unit_defaults(&d->unit);
	memcpy(&d->context, &context_defaults, sizeof d->context);
	for (int kind = 0; kind < N_FOLDER_KIND; kind++)
		d->folder_modes[kind] = FOLDER_MODE_DEFAULT;
	list_add_str(&d->files, file);
}

void draft_open(struct draft *d, struct str dropin)
{
	list_add_str(&d->files, dropin);
}

uint32_t draft_line(const struct draft *d, uint32_t line)
{
	return (d->files.n - 1) << LINE_BITS | line;
}

/* A value may only grow so much by its specifiers, or a file of a megabyte could ask for a hundred. */
bool specify(struct draft *d, struct str text, struct str *result, char *unknown)
{
	*unknown = '\0';
	*result = keep_str(text);
	if (str_chr(text, '%') == text.n)
		return true;
	for (size_t cap = text.n + 256; d->n_specified < SPECIFIED_MAX; cap *= 2) {
		struct buf b = keep_buf(cap);
		*unknown = words_specify(text, specifiers(d), &b);
		*result = buf_view(&b);
		d->n_specified += cap;
		if (!b.is_cut)
			return *unknown == '\0';
	}
	refuse(d, 0, "its specifiers become more than %u bytes: the unit is left out", SPECIFIED_MAX);
	*result = STR("");
	return true;
}

/* ---- one assignment ---- */

static void unknown_key(struct draft *d, const struct unitfile_item *item, enum section section)
{
	/* To look for the nearest name costs more than all the rest. */
	const struct directive *near = d->n_said < REMARKS_MAX ? directive_nearest(section, item->key) : NULL;
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

/* True when nothing had to be said of it. */
static bool is_read(struct draft *d, const struct directive *row, const struct unitfile_item *item)
{
	uint32_t before = d->n_said;
	if (!settings_read(d, row, item->value, item->line))
		complain(d, item->line, "%.*s=%.*s: expected %s: ignored", STR_ARG(row->key),
			 STR_ARG(shown(item->value)), directive_expects(row));
	return d->n_said == before;
}

static void honour(struct draft *d, const struct directive *row, const struct unitfile_item *item)
{
	if (is_read(d, row, item))
		say_line(d, item->line, "honoured", "%.*s=", STR_ARG(row->key));
}

/* "PrivateTmp= (line 7)", for one line of all of them: a hardened unit has dozens. */
static void remember(struct draft *d, struct list *list, const struct directive *row, uint32_t line)
{
	if (list->n >= REMARKS_MAX)
		return;
	struct str file = LIST_AT(d->files, struct str, line >> LINE_BITS);
	uint32_t n = line & ((1u << LINE_BITS) - 1);
	list_add_str(list, line >> LINE_BITS ? keep_print("%.*s= (%.*s:%u)", STR_ARG(row->key), STR_ARG(file), n) :
					       keep_print("%.*s= (line %u)", STR_ARG(row->key), n));
}

static void leave_unenforced(struct draft *d, const struct directive *row, const struct unitfile_item *item)
{
	bool is_on;
	is_read(d, row, item);
	if (value_boolean(item->value, &is_on) && !is_on) {
		say_line(d, item->line, "honoured", "%.*s=", STR_ARG(row->key));
		return;
	}
	remember(d, &d->not_enforced, row, item->line);
	say_line(d, item->line, "not enforced", "%.*s=: %s", STR_ARG(row->key), row->risk);
}

static void leave_for_later(struct draft *d, const struct directive *row, const struct unitfile_item *item)
{
	remember(d, &d->not_yet, row, item->line);
	if (is_read(d, row, item))
		say_line(d, item->line, "ignored", "%.*s=: is not yet there", STR_ARG(row->key));
}

static void setting(struct draft *d, const struct unitfile_item *item, enum section section)
{
	const struct directive *row = directive_find(section, item->key);

	if (!row && str_starts(item->key, STR("X-"))) {
		say_line(d, item->line, "ignored", "%.*s=: is for others", STR_ARG(shown(item->key)));
		return;
	}
	if (!row) {
		unknown_key(d, item, section);
		return;
	}
	switch ((enum directive_status)row->status) {
	case HONOURED:
		honour(d, row, item);
		break;
	case NOT_ENFORCED:
		leave_unenforced(d, row, item);
		break;
	case NOT_YET:
		leave_for_later(d, row, item);
		break;
	case HARMLESS:
		if (is_read(d, row, item))
			say_line(d, item->line, "ignored", "%.*s=: nothing is lost", STR_ARG(row->key));
		break;
	}
}

/* Its number, or -1: [Service] and [Timer] are for units of that type alone. */
static int section_of(const struct draft *d, struct str name)
{
	int number = section_find(name);
	bool is_for_others = (number == SECTION_TIMER && !timer_is(d->name)) ||
			     (number == SECTION_SERVICE && (timer_is(d->name) || target_is(d->name)));
	return is_for_others ? -1 : number;
}

static void section(struct draft *d, const struct unitfile_item *item)
{
	if (section_of(d, item->section) >= 0 || str_starts(item->section, STR("X-")))
		return;
	complain(d, item->line, "[%.*s] is not a section of a %s, [Install]): ignored", STR_ARG(shown(item->section)),
		 timer_is(d->name) ? "timer ([Unit], [Timer]" : target_is(d->name) ? "target ([Unit]" : "service ([Unit], [Service]");
}

static void tell(struct draft *d, const struct list *list, const char *what)
{
	struct buf b = keep_buf(2000);
	for (uint32_t i = 0; i < list->n; i++) {
		if (i)
			buf_lit(&b, ", ");
		buf_str(&b, LIST_AT(*list, struct str, i));
	}
	if (list->n && !d->is_checked)
		note(d, 0, "%s: %.*s%s", what, (int)b.n, b.p, b.is_cut ? "..." : "");
}

void tell_without_effect(struct draft *d)
{
	tell(d, &d->not_enforced, "not enforced");
	tell(d, &d->not_yet, "not yet, no effect");
}

/* systemd leaves out a unit whose file is none, but not one that has such a drop-in. */
static void bad(struct draft *d, const struct unitfile_item *item)
{
	if (item->line >> LINE_BITS)
		complain(d, item->line, "`%.*s`: %s: ignored from here on", STR_ARG(shown(item->text)), item->wrong);
	else
		refuse(d, item->line, "`%.*s`: %s: the unit is left out", STR_ARG(shown(item->text)), item->wrong);
}

void read_lines(struct draft *d, struct str text)
{
	struct unitfile f = unitfile_open((char *)text.p, text.n);
	for (struct unitfile_item item; (item = unitfile_next(&f)).kind != UNITFILE_END;) {
		int known = section_of(d, item.section);
		item.line = draft_line(d, item.line);
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
			bad(d, &item);
			break;
		case UNITFILE_END:
			break;
		}
	}
}
