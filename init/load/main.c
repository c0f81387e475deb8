/*
 * oomph-load --fd N [--vm|--container] DIR...    writes the units of the folders into the memfd N and seals it
 * oomph-load --check FILE...                     reads unit files and says what is wrong with them
 */
#include "load.h"

#include <stdio.h>
#include <string.h>

static void read_draft(struct draft *d)
{
	struct str text = STR("");
	if (d->unit.flags & UNIT_HELPER)
		text = builtin_text(d);
	else if (!read_file(d, &text))
		return;
	read_unit(d, text);
	settle(d);
}

static void read_units(struct load *load)
{
	for (uint32_t i = 0; i < load->drafts.n; i++)
		read_draft(&LIST_AT(load->drafts, struct draft, i));
}

static void learn(struct load *load)
{
	host_learn(&load->host);
}

static void (*const phases[])(struct load *) = { learn, scan_folders, read_units, link_units };

static int load_set(struct load *load, int fd)
{
	for (size_t i = 0; i < countof(phases); i++)
		phases[i](load);
	const char *wrong = write_set(load, fd);
	if (wrong)
		fprintf(stderr, "oomph-load: the unit set cannot be written: %s\n", wrong);
	return wrong ? 1 : 0;
}

static bool check_file(struct load *load, const char *path)
{
	struct draft d;
	struct str file = str_from(path);
	size_t slash = str_rfind(file, STR("/"));
	struct str name = slash < file.n ? str_skip(file, slash + 1) : file;

	draft_begin(&d, &load->host, name, file);
	const char *refusal = scan_refusal(name);
	if (refusal)
		refuse(&d, 0, "%s", refusal);
	else
		read_draft(&d);
	if (!d.has_error)
		printf("%s: ok\n", path);
	return !d.has_error;
}

static int check(struct load *load, char **files)
{
	int status = 0;
	learn(load);
	for (; *files; files++)
		if (!check_file(load, *files))
			status = 1;
	return status;
}

static int usage(void)
{
	fputs("usage: oomph-load --fd N [--vm|--container] DIR...\n       oomph-load --check FILE...\n", stderr);
	return 2;
}

int main(int argc, char **argv)
{
	struct load load = { .is_vm = false };
	uint64_t fd = UINT64_MAX;

	if (argc > 2 && strcmp(argv[1], "--check") == 0)
		return check(&load, argv + 2);
	for (char **arg = argv + 1; argc > 1 && *arg; arg++) {
		if (strcmp(*arg, "--vm") == 0)
			load.is_vm = true;
		else if (strcmp(*arg, "--fd") == 0 && arg[1] && str_u64(str_from(*++arg), &fd))
			continue;
		else if (strcmp(*arg, "--container") != 0 && (*arg)[0] == '-')
			return usage();
		else if (strcmp(*arg, "--container") != 0)
			list_add_str(&load.folders, str_from(*arg));
	}
	if (fd > INT32_MAX || load.folders.n == 0)
		return usage();
	return load_set(&load, (int)fd);
}
