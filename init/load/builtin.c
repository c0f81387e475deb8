/*
 * Units of oomph's own. A file of the same name in services.d replaces one.
 *
 * What those that are not the logger have to say is of the boot, and goes to the console, where a person looks who waits for it.
 */
#include "load.h"

#include <string.h>

#define LOGGER STR("oomph-log.service")

static const struct builtin {
	struct str name;
	const char *text;               /* with the folder of oomph's helpers as %.*s */
	enum { IN_ITS_PLACE, BEFORE_SERVICES, BEFORE_ALL } place;       /* those are implicitly After= it; services: all that is not in here */
	bool is_for_container;          /* too */
	const char *stands_for;         /* NULL or names, separated by blanks: whoever is ordered by one of these means it */
} builtins[] = {
	/*
	 * Before everything, and so the last to stop: whoever writes finds it there. It needs nothing of what comes behind it. What it
	 * says itself goes to the console: it could not read it while it is in trouble.
	 */
	{ { "oomph-log.service", 17 },
	  "[Unit]\n"
	  "Description=Logs of all services\n"
	  "DefaultDependencies=no\n"
	  "[Service]\n"
	  "Type=notify\n"
	  "ExecStart=:%.*s/oomph-log\n"
	  "Restart=always\n"
	  "RestartSec=100ms\n"
	  "OOMScoreAdjust=-950\n"
	  "FileDescriptorStoreMax=4\n"        /* its sockets: whoever sends while it is dead waits for its successor */
	  "TimeoutStartSec=10\n",
	  BEFORE_ALL, true, NULL },
	{ { "oomph-net.service", 17 },
	  "[Unit]\n"
	  "Description=Network links\n"
	  "DefaultDependencies=no\n"
	  "[Service]\n"
	  "Type=oneshot\n"
	  "RemainAfterExit=yes\n"
	  "ExecStart=%.*s/oomph-net\n"
	  "StandardOutput=inherit\n"
	  "TimeoutStartSec=10\n",
	  BEFORE_SERVICES, false, NULL },
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
	  "StandardOutput=inherit\n"
	  "TimeoutStartSec=90\n",
	  IN_ITS_PLACE, false, "systemd-tmpfiles-setup.service systemd-sysusers.service" },
};

static const struct builtin *find(struct str name)
{
	for (size_t i = 0; i < countof(builtins); i++)
		if (str_eq(builtins[i].name, name))
			return &builtins[i];
	return NULL;
}

/* The implicit After= is line 0: nobody wrote it. */
static void put_first(struct load *load, const struct builtin *b)
{
	for (uint32_t i = 0; i < load->drafts.n; i++) {
		struct draft *d = &LIST_AT(load->drafts, struct draft, i);
		const struct builtin *other = find(d->name);
		if (other == b || (other && b->place != BEFORE_ALL))
			continue;
		draft_link(d, b->name, LINK_AFTER, 0);
	}
}

static bool is_there(const struct load *load, const struct builtin *b)
{
	if (str_eq(b->name, LOGGER) && !load->host.has_logger)
		return false;
	return load->is_vm || b->is_for_container;
}

bool builtin_is_logger(struct str name)
{
	return str_eq(name, LOGGER);
}

/* Words, not text: a path may have in it what would mean something there. */
static void tell_logger(const struct load *load, struct draft *d)
{
	bool to_stdout = load->log ? strcmp(load->log, "stdout") == 0 : !load->is_vm;
	struct list *argv = &LIST_AT(d->exec[EXEC_START], struct draft_command, 0).argv;
	if (to_stdout)
		list_add_str(argv, STR("--stdout"));
	if (load->control) {
		list_add_str(argv, STR("--socket"));
		list_add_str(argv, str_from(load->control));
	}
}

void builtin_read(const struct load *load, struct draft *d)
{
	const struct builtin *b = find(d->name);
	read_lines(d, keep_print(b->text, STR_ARG(d->host->lib_folder)));
	if (builtin_is_logger(d->name))
		tell_logger(load, d);
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
		if (!is_there(load, b))
			continue;
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
		if (is_there(load, &builtins[i]) && builtins[i].place != IN_ITS_PLACE)
			put_first(load, &builtins[i]);
}
