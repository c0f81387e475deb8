/* What the kernel tells of one process, or of one thread, in /proc/PID/stat or /proc/PID/task/TID/stat (proc_pid_stat(5)). */
#ifndef OOMPH_PROCSTAT_H
#define OOMPH_PROCSTAT_H

#include "str.h"

struct procstat {
	char comm[16];                  /* any byte but NUL; some kernels write a newline as \n and a backslash twice */
	char state;
	uint64_t session;               /* 0: of another PID namespace, or none any more */
	uint64_t started_at;            /* 1/100 s of CLOCK_BOOTTIME */
	uint64_t exit_code;             /* as in wait(2); of a thread its own, of a process what ended all of it. 0: runs */
};

/* False when the text ends before the start is told. */
bool procstat_read(struct str text, struct procstat *to);

#endif
