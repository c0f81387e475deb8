/*
 * From names to units: those that services.d starts, and whatever they pull in. A name may be a file, a link to one, an
 * instance of a template, or another name of a unit (a link from one name to another), systemd.unit(5).
 */
#include "load.h"
#include "lib/names.h"
#include "lib/unitname.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The types that are run; a unit of another one is as good as not there. */
static const bool is_run[N_UNIT_TYPE_NAME] = { [UNIT_SERVICE] = true, [UNIT_TARGET] = true };

/* The links that load a unit nobody has asked for yet. An order between units only counts where both are there. */
static const bool is_pulling[N_LINK] = {
	[LINK_REQUIRES] = true, [LINK_WANTS] = true, [LINK_REQUISITE] = true, [LINK_BINDS_TO] = true, [LINK_UPHOLDS] = true,
	[LINK_ON_FAILURE] = true, [LINK_ON_SUCCESS] = true, [LINK_RELOADS_TO] = true,
};

/* ---- links between names ---- */

static struct str with_instance(struct str template, struct str instance)
{
	struct unitname t = unitname_parts(template);
	return keep_print("%.*s@%.*s%.*s", STR_ARG(t.prefix), STR_ARG(instance), STR_ARG(t.suffix));
}

struct str template_of(struct str name)
{
	return with_instance(name, STR(""));
}

/* systemd: a template named in a dependency is meant with the instance, or else the prefix, of the unit that names it. */
struct str instance_for(const struct draft *d, struct str name)
{
	struct unitname own = unitname_parts(d->name);
	return unitname_is_template(name) ? with_instance(name, own.has_at ? own.instance : own.prefix) : name;
}

/* Where a link points, as an absolute path without "." and ".."; empty when it is none. By its text: no file is asked. */
static struct str target_of(const struct load *load, const struct entry *e)
{
	char target[PATH_MAX], path[2 * PATH_MAX];
	struct str folder = LIST_AT(load->folders, struct search_folder, e->folder).path;
	ssize_t n = readlink(entry_path(load, e).p, target, sizeof target);
	struct str rest = str_of(target, n > 0 ? (size_t)n : 0);
	struct buf b = BUF(path);

	if (n <= 0 || (size_t)n == sizeof target || folder.n >= PATH_MAX)
		return STR("");
	if (target[0] != '/')
		buf_str(&b, folder);
	while (rest.n) {
		struct str part = str_until(&rest, '/');
		if (str_eq(part, STR("..")))
			b.n = b.n ? str_rfind(buf_view(&b), STR("/")) : 0;
		else if (part.n && !str_eq(part, STR("."))) {
			buf_char(&b, '/');
			buf_str(&b, part);
		}
	}
	return keep_str(buf_view(&b));
}

static bool is_searched(const struct load *load, struct str folder)
{
	for (uint32_t i = 0; i < load->folders.n; i++)
		if (str_eq(LIST_AT(load->folders, struct search_folder, i).path, folder))
			return true;
	return false;
}

enum leads { LEADS_TO_FILE, LEADS_TO_NAME, LEADS_ASTRAY };

/* Plain names stand for plain ones, templates for templates, and a template, too, for one of its instances. */
static bool is_of_one_kind(struct str name, struct str other)
{
	if (!unitname_is_valid(other) || unitname_type(other) != unitname_type(name))
		return false;
	return unitname_parts(name).has_at == unitname_parts(other).has_at &&
	       (unitname_is_template(other) || !unitname_is_template(name));
}

/*
 * Whether the link `e`, found for `name`, stands for another name (*of), or only leads to the file of `name` itself. What
 * is outside of the folders has no name of its own there.
 */
static enum leads link_leads(const struct load *load, const struct entry *e, struct str name, struct str *of)
{
	struct str target = target_of(load, e);
	size_t slash = str_rfind(target, STR("/"));
	struct str base = str_skip(target, slash + 1);

	if (str_eq(base, e->name) || !is_searched(load, str_of(target.p, slash)))
		return LEADS_TO_FILE;
	if (!is_of_one_kind(e->name, base))
		return LEADS_ASTRAY;
	*of = unitname_is_template(base) && unitname_is_instance(name) ? with_instance(base, unitname_parts(name).instance) : base;
	return str_eq(*of, name) ? LEADS_TO_FILE : LEADS_TO_NAME;
}

static const struct entry *entry_of(const struct load *load, struct str name)
{
	uint32_t i = table_find(&load->entry_of, name);
	if (i == NO_UNIT && unitname_is_instance(name)) {
		struct unitname parts = unitname_parts(name);
		char template[UNIT_NAME_MAX];
		struct buf b = BUF(template);
		buf_str(&b, parts.prefix);
		buf_char(&b, '@');
		buf_str(&b, parts.suffix);
		i = table_find(&load->entry_of, buf_view(&b));
	}
	return i == NO_UNIT ? NULL : &LIST_AT(load->entries, struct entry, i);
}

/* The unit's own name and its file; no path when there is no such unit. */
struct found {
	struct str name, path;
};

static struct found resolve(const struct load *load, struct str asked)
{
	const struct entry *first = entry_of(load, asked), *e = first;
	struct str name = asked;

	for (unsigned hops = 0; e && hops < ALIAS_HOPS_MAX; hops++) {
		struct str next;
		enum leads leads = e->is_link ? link_leads(load, e, name, &next) : LEADS_TO_FILE;
		if (leads != LEADS_TO_NAME)
			return (struct found){ name, leads == LEADS_TO_FILE ? entry_path(load, e) : STR("") };
		name = next;
		e = entry_of(load, name);
	}
	/* A link to a name that is not there, or round in a circle: opening it tells which. */
	return first ? (struct found){ asked, entry_path(load, first) } : (struct found){ .name = asked };
}

/* All other names of all units, for a name that nobody calls the unit by may still have drop-ins. */
static void find_aliases(struct load *load)
{
	for (uint32_t i = 0; i < load->entries.n; i++) {
		const struct entry *e = &LIST_AT(load->entries, struct entry, i);
		if (!e->is_link || !unitname_is_valid(e->name) || table_find(&load->entry_of, e->name) != i)
			continue;
		struct found f = resolve(load, e->name);
		if (str_eq(f.name, e->name))
			continue;
		uint32_t before = table_find(&load->alias_of, f.name);
		table_put(&load->alias_of, f.name, load->aliases.n);
		*(struct alias *)list_add(&load->aliases, sizeof(struct alias)) = (struct alias){ e->name, before };
	}
}

/* ---- drafts ---- */

void find_name(struct load *load, uint32_t unit, struct str alias)
{
	list_add_str(&LIST_AT(load->drafts, struct draft, unit).aliases, alias);
	table_put(&load->unit_of, alias, unit);
}

#define TOLD_OF (NO_UNIT - 1)

/* A template that wants instances of itself would have no end. */
static bool is_one_too_many(struct load *load, struct str name)
{
	struct str template = template_of(name);
	uint32_t n = table_find(&load->instances, template);

	if (n == NO_UNIT || n < INSTANCES_MAX) {
		table_put(&load->instances, template, n == NO_UNIT ? 1 : n + 1);
		return false;
	}
	if (n != TOLD_OF)
		note_set(load, "%.*s: units pull in too many instances of it: %.*s and more are left out", STR_ARG(template),
			 STR_ARG(name));
	table_put(&load->instances, template, TOLD_OF);
	return true;
}

static void charge(struct load *load, const struct draft *d)
{
	size_t weight = (d->n_bytes + d->n_specified) / INSTANCE_BYTES;
	if (!d->is_pulled || !unitname_is_instance(d->name) || weight == 0)
		return;
	struct str template = template_of(d->name);
	uint32_t n = table_find(&load->instances, template);
	if (n < INSTANCES_MAX)
		table_put(&load->instances, template, n + (uint32_t)weight);
}

static uint32_t add_draft(struct load *load, struct found f, bool is_pulled)
{
	uint32_t unit = load->drafts.n;

	if (unit >= UNITS_MAX) {
		load->n_left_out++;
		return NO_UNIT;
	}
	draft_begin(list_add(&load->drafts, sizeof(struct draft)), &load->host, f.name, f.path);
	LIST_AT(load->drafts, struct draft, unit).is_pulled = is_pulled;
	table_put(&load->unit_of, f.name, unit);
	for (uint32_t a = table_find(&load->alias_of, f.name); a != NO_UNIT; a = LIST_AT(load->aliases, struct alias, a).next)
		find_name(load, unit, LIST_AT(load->aliases, struct alias, a).name);
	return unit;
}

bool find_has_file(const struct load *load, struct str name)
{
	return entry_of(load, name);
}

/*
 * A target of systemd.special(7) that is only named is ours, whatever lies on the search path: systemd's pull in what brings
 * up systemd's own machine. One in services.d counts.
 */
static bool is_replaced(const struct load *load, struct str name, bool is_pulled)
{
	const struct entry *e = is_pulled && target_is_built_in(name) ? entry_of(load, name) : NULL;
	return e && !LIST_AT(load->folders, struct search_folder, e->folder).is_started;
}

uint32_t find_unit(struct load *load, struct str name, bool is_pulled)
{
	uint32_t unit = table_find(&load->unit_of, name);
	if (unit != NO_UNIT || !unitname_is_valid(name) || unitname_is_template(name) || !is_run[unitname_type(name)])
		return unit;
	struct found f = resolve(load, name);
	if (!f.path.n || is_replaced(load, f.name, is_pulled))
		return NO_UNIT;
	unit = table_find(&load->unit_of, f.name);
	if (unit == NO_UNIT && !(is_pulled && unitname_is_instance(f.name) && is_one_too_many(load, f.name)))
		unit = add_draft(load, f, is_pulled);
	if (unit != NO_UNIT && table_find(&load->unit_of, name) == NO_UNIT)
		find_name(load, unit, name);
	return unit;
}

static void find_started(struct load *load)
{
	for (uint32_t i = 0; i < load->entries.n; i++) {
		const struct entry *e = &LIST_AT(load->entries, struct entry, i);
		if (!LIST_AT(load->folders, struct search_folder, e->folder).is_started)
			continue;
		uint32_t unit = find_unit(load, e->name, false);
		struct str of;
		if (unit != NO_UNIT)
			LIST_AT(load->drafts, struct draft, unit).unit.flags |= UNIT_WANTED;
		else if (e->is_link && unitname_is_valid(e->name) && link_leads(load, e, e->name, &of) == LEADS_ASTRAY)
			note_set(load, "%.*s: left out: a link to %.*s, which is no name of the same kind", STR_ARG(entry_path(load, e)),
				 STR_ARG(shown(target_of(load, e))));
	}
}

static void pull(struct load *load, uint32_t unit)
{
	const struct list links = LIST_AT(load->drafts, struct draft, unit).links;
	for (uint32_t i = 0; i < links.n; i++) {
		const struct draft_link *link = &LIST_AT(links, struct draft_link, i);
		if (is_pulling[link->kind])
			find_unit(load, link->name, true);
	}
}

/* What `Alias=` asks for when a unit is enabled; here that is done by putting it into services.d. A file's own name wins. */
static void add_install_aliases(struct load *load, uint32_t unit)
{
	const struct draft *d = &LIST_AT(load->drafts, struct draft, unit);
	const struct list names = d->install_aliases;

	for (uint32_t i = 0; i < names.n && d->unit.flags & UNIT_WANTED; i++) {
		struct str name = LIST_AT(names, struct str, i);
		if (table_find(&load->unit_of, name) == NO_UNIT && !entry_of(load, name))
			find_name(load, unit, name);
	}
}

/* ---- all of them ---- */

static int by_name(const void *a, const void *b)
{
	return str_order(((const struct draft *)a)->name, ((const struct draft *)b)->name);
}

/* From here on a unit is called by its own name only. */
static void settle_names(struct load *load, struct draft *d)
{
	for (uint32_t i = 0; i < d->links.n; i++) {
		struct draft_link *link = &LIST_AT(d->links, struct draft_link, i);
		uint32_t unit = table_find(&load->unit_of, link->name);
		if (unit == NO_UNIT && unitname_is_valid(link->name))
			unit = table_find(&load->unit_of, resolve(load, link->name).name);
		if (unit != NO_UNIT && !LIST_AT(load->drafts, struct draft, unit).is_masked)
			link->name = LIST_AT(load->drafts, struct draft, unit).name;
	}
}

static void drop_masked(struct load *load)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < load->drafts.n; i++)
		if (!LIST_AT(load->drafts, struct draft, i).is_masked)
			LIST_AT(load->drafts, struct draft, n++) = LIST_AT(load->drafts, struct draft, i);
	load->drafts.n = n;
}

void find_units(struct load *load)
{
	find_aliases(load);
	builtin_add(load);              /* first of all, so that the others know whether there is a logger */
	find_started(load);
	for (uint32_t i = 0; i < load->drafts.n; i++) {
		struct draft *d = &LIST_AT(load->drafts, struct draft, i);
		draft_read(load, d);
		if (builtin_is_logger(d->name) && (d->is_masked || d->is_broken))
			load->host.has_logger = false;
		charge(load, d);
		pull(load, i);
	}
	for (uint32_t i = 0; i < load->drafts.n; i++)
		add_install_aliases(load, i);
	builtin_come_first(load);
	for (uint32_t i = 0; i < load->drafts.n; i++)
		settle_names(load, &LIST_AT(load->drafts, struct draft, i));
	drop_masked(load);
	if (load->drafts.n)
		qsort(load->drafts.items, load->drafts.n, sizeof(struct draft), by_name);
	if (load->n_left_out)
		note_set(load, "%u units are left out: a set has at most %u", load->n_left_out, UNITS_MAX);
}
