/* Which service does a cgroup path belong to? By whole components: /a.service is not /a.service2. */
#ifndef OOMPH_ATTRIB_H
#define OOMPH_ATTRIB_H

#include "unit.h"

/*
 * `path` as the kernel writes it (/proc/PID/cgroup, or task_memcg= in its log); `root` is where the services' cgroups
 * are ("/system.slice"). The index of the unit in whose cgroup, or below it, the path is; NO_UNIT.
 */
uint32_t attrib_path(struct unitset units, struct str root, struct str path);

/* The same without a unit set: the name of the folder right below the root; empty. */
struct str attrib_folder(struct str root, struct str path);

/*
 * The path of the unified hierarchy (the line "0::/...") in the text of /proc/PID/cgroup; empty when there is none. cgroups(7).
 * Of a zombie it is still told, also when the cgroup is gone, with " (deleted)" behind it, which is not part of it.
 */
struct str attrib_unified(struct str proc_cgroup);

#endif
