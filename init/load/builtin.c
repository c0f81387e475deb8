/*
 * Units of oomph's own. A file of the same name in services.d replaces one.
 */
#include "load.h"

static const struct builtin {
	struct str name;
	const char *text;               /* with the folder of oomph's helpers as %.*s */
	bool comes_first;               /* every other unit is implicitly After= it */
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
	  true },
};

static bool is_there(struct load *load, struct str name)
{
	for (uint32_t i = 0; i < load->drafts.n; i++)
		if (str_eq(LIST_AT(load->drafts, struct draft, i).name, name))
			return true;
	return false;
}

/* The implicit After= is line 0: nobody wrote it. */
static void put_first(struct load *load, struct str name)
{
	for (uint32_t i = 0; i < load->drafts.n; i++) {
		struct draft *d = &LIST_AT(load->drafts, struct draft, i);
		if (str_eq(d->name, name))
			continue;
		link_add(d, name, LINK_AFTER, 0);
	}
}

struct str builtin_text(const struct draft *d)
{
	for (size_t i = 0; i < countof(builtins); i++)
		if (str_eq(builtins[i].name, d->name))
			return keep_print(builtins[i].text, STR_ARG(d->host->lib_folder));
	return STR("");
}

void builtin_add(struct load *load)
{
	for (size_t i = 0; i < countof(builtins); i++) {
		const struct builtin *b = &builtins[i];
		if (!is_there(load, b->name)) {
			struct draft *d = list_add(&load->drafts, sizeof *d);
			draft_begin(d, &load->host, b->name, STR("(built in)"));
			d->unit.flags |= UNIT_HELPER;
		}
		if (b->comes_first)
			put_first(load, b->name);
	}
}
