/*
 * Units of oomph's own. A file of the same name in services.d replaces one.
 */
#include "load.h"

static const struct builtin {
	struct str name;
	const char *text;               /* with the folder of oomph's helpers as %.*s */
	bool comes_first;               /* every unit but those in here is implicitly After= it */
	const char *stands_for;         /* NULL or names, separated by blanks: whoever is ordered by one of these means it */
} builtins[] = {
	{ { "oomph-net.service", 17 },
	  "[Unit]\n"
	  "Description=Network links\n"
	  "DefaultDependencies=no\n"
	  "[Service]\n"
	  "Type=oneshot\n"
	  "RemainAfterExit=yes\n"
	  "ExecStart=%.*s/oomph-net\n"
	  "TimeoutStartSec=10\n",
	  true, NULL },
	{ { "oomph-tmpfiles.service", 22 },
	  "[Unit]\n"
	  "Description=Users and files of sysusers.d and tmpfiles.d\n"
	  "DefaultDependencies=no\n"
	  "After=local-fs.target\n"
	  "Before=sysinit.target\n"
	  "[Service]\n"
	  "Type=oneshot\n"
	  "RemainAfterExit=yes\n"      /* a reload must not run it again: `D` empties folders */
	  "ExecStart=%.*s/oomph-tmpfiles\n"
	  "TimeoutStartSec=90\n",
	  false, "systemd-tmpfiles-setup.service systemd-sysusers.service" },
};

static const struct builtin *find(struct str name)
{
	for (size_t i = 0; i < countof(builtins); i++)
		if (str_eq(builtins[i].name, name))
			return &builtins[i];
	return NULL;
}

/* The implicit After= is line 0: nobody wrote it. */
static void put_first(struct load *load, struct str name)
{
	for (uint32_t i = 0; i < load->drafts.n; i++) {
		struct draft *d = &LIST_AT(load->drafts, struct draft, i);
		if (find(d->name))
			continue;
		draft_link(d, name, LINK_AFTER, 0);
	}
}

struct str builtin_text(const struct draft *d)
{
	const struct builtin *b = find(d->name);
	return b ? keep_print(b->text, STR_ARG(d->host->lib_folder)) : STR("");
}

/* Whatever of that name lies on the search path; one in services.d counts. Its drop-ins are not for ours. */
static void stand_for(struct load *load, const char *names, uint32_t unit)
{
	struct str rest = str_from(names ? names : ""), name;
	while (words_plain(&rest, &name))
		if (table_find(&load->unit_of, name) == NO_UNIT)
			table_put(&load->unit_of, name, unit);
}

void builtin_add(struct load *load)
{
	for (size_t i = 0; i < countof(builtins); i++) {
		const struct builtin *b = &builtins[i];
		uint32_t unit = find_unit(load, b->name, false);
		if (unit == NO_UNIT) {
			struct draft *d = list_add(&load->drafts, sizeof *d);
			draft_begin(d, &load->host, b->name, STR("(built in)"));
			d->unit.flags |= UNIT_HELPER;
			unit = load->drafts.n - 1;
			table_put(&load->unit_of, b->name, unit);
		}
		LIST_AT(load->drafts, struct draft, unit).unit.flags |= UNIT_WANTED;
		stand_for(load, b->stands_for, unit);
	}
}

/* Once all units are known. */
void builtin_come_first(struct load *load)
{
	for (size_t i = 0; i < countof(builtins); i++)
		if (builtins[i].comes_first)
			put_first(load, builtins[i].name);
}
