#include "attrib.h"

struct str attrib_folder(struct str root, struct str path)
{
	if (!str_take(&path, root) || !str_take(&path, STR("/")))
		return STR("");
	return str_until(&path, '/');
}

uint32_t attrib_path(struct unitset units, struct str root, struct str path)
{
	struct str name = attrib_folder(root, path);
	uint32_t i = unitset_find(units, name);
	/* unitset_find takes short names too; a folder is called by the whole one. */
	return i != NO_UNIT && str_eq(unitset_text(units, unitset_unit(units, i)->name), name) ? i : NO_UNIT;
}

struct str attrib_unified(struct str proc_cgroup)
{
	const struct str gone = STR(" (deleted)");
	while (proc_cgroup.n) {
		struct str line = str_until(&proc_cgroup, '\n');
		if (!str_take(&line, STR("0::")))
			continue;
		if (str_ends(line, gone))
			line.n -= gone.n;
		return line;
	}
	return STR("");
}
