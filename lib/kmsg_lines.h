/* The kernel's OOM lines one by one, without memory between them. Private to the kmsg and incident rooms. */
#ifndef OOMPH_KMSG_LINES_H
#define OOMPH_KMSG_LINES_H

#include "kmsg.h"

#define KMSG_PID_MAX 4194304            /* PID_MAX_LIMIT, include/linux/threads.h */

enum kmsg_form {
	KMSG_OTHER,             /* nothing about OOM kills */
	KMSG_LONG,              /* the start of a line that holds cgroup paths and so may go on in further records */
	KMSG_MANUAL,            /* sysrq-f */
	KMSG_HEADER,            /* "x invoked oom-killer": invoked_by; is_manual by order=-1 */
	KMSG_TABLE,             /* column names of the task table */
	KMSG_ROW,               /* pid, tgid */
	KMSG_CANDIDATE,         /* pid, scope: "Kill process N", an intention (until 5.0) */
	KMSG_KILLED,            /* a victim with what its line tells */
	KMSG_SHARER,            /* pid, comm, is_sharer */
	KMSG_SKIPPED,           /* pid of a chosen victim that was gone already */
	KMSG_NOBODY,            /* no killable process */
};

/* Which line this is. Except for KMSG_OTHER and KMSG_LONG, *k then holds what it says, all else untold. */
enum kmsg_form kmsg_line(struct str text, struct oom_kill *k);

bool kmsg_is_long(struct str text);    /* does this begin a line that holds paths? */

enum kmsg_long { KMSG_UNFINISHED, KMSG_SUMMARY, KMSG_TASK_IN, KMSG_MEMBERS };

/*
 * A long line as far as it has been joined, escapes undone. KMSG_SUMMARY ("oom-kill:") may be unfinished: pid is then 0
 * and no path is told. KMSG_TASK_IN (memcg kills until 4.20) gives memcg and task_memcg, KMSG_MEMBERS
 * (memory.oom.group) gives task_memcg. A path that cannot be told for sure from the names inside it is left untold.
 */
enum kmsg_long kmsg_long(struct str joined, struct oom_kill *k);

/* ",task=x,pid=N,uid=N" at the end of s, escapes undone: pid and uid, and s loses it. False when it is not there. */
bool kmsg_summary_tail(struct str *s, uint32_t *pid, uint32_t *uid);

void kmsg_untold(struct oom_kill *k);   /* a kill of which nothing is known: pid 0 */

/* Undoes the kernel's escapes into to[cap], NUL-terminated; the length, and *is_cut when there was more. */
size_t kmsg_unescape(struct str s, char *to, size_t cap, bool *is_cut);

/* Is `path` the cgroup `top` or one below it? Whole components count: /a.service2 is not below /a.service. */
bool kmsg_path_within(struct str path, struct str top);

#endif
