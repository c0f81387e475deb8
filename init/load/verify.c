/* oomph-load --check and --dump: what becomes of a unit file, without starting anything. */
#include "load.h"
#include "lib/unitname.h"

#include <stdio.h>

/* A template is read as one of its instances would be. */
static struct str name_of(struct str file)
{
	size_t slash = str_rfind(file, STR("/"));
	struct str name = slash < file.n ? str_skip(file, slash + 1) : file;
	struct unitname parts = unitname_parts(name);

	if (!unitname_is_template(name))
		return name;
	return keep_print("%.*s@instance%.*s", STR_ARG(parts.prefix), STR_ARG(parts.suffix));
}

static struct str folder_of(struct str file)
{
	size_t slash = str_rfind(file, STR("/"));
	return slash == file.n ? STR(".") : slash ? keep_str(str_of(file.p, slash)) : STR("/");
}

/* With its drop-ins in the same folder; those of the search path belong to the unit of that name there. */
static bool verify_file(const struct host *host, const char *path, bool is_dump)
{
	struct load load = { .host = *host };
	struct str file = str_from(path), name = name_of(file);
	struct draft d;

	draft_begin(&d, host, name, file);
	d.is_checked = !is_dump;
	const char *refusal = scan_refusal(name);
	if (refusal)
		refuse(&d, 0, "%s", refusal);
	if (refusal && (is_dump || !timer_is(name)))
		return false;
	scan_folder_add(&load, folder_of(file), false);
	draft_read(&load, &d);
	if (is_dump)
		dump_draft(&d);
	else if (d.is_masked)
		printf("%s: ignored: the unit is masked\n", path);
	else if (!d.has_error)
		printf("%s: ok\n", path);
	return !d.has_error;
}

int verify_files(char **files, bool is_dump)
{
	struct host host;
	int status = 0;

	host_learn(&host);
	for (; *files; files++)
		if (!verify_file(&host, *files, is_dump))
			status = 1;
	return status;
}
