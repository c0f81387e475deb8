/* What the kernel tells of one process, or of one thread, in /proc/PID/stat or /proc/PID/task/TID/stat (proc_pid_stat(5)). */
#ifndef OOMPH_PROCSTAT_H
#define OOMPH_PROCSTAT_H

#include "str.h"

struct procstat {
	char comm[16];                  /* any byte but NUL; some kernels write a newline as \n and a backslash twice */
	char state;
	uint64_t session;               /* 0: of another PID namespace, or none any more */
	uint64_t started_at;            /* 1/100 s of CLOCK_BOOTTIME */
	/*
	 * A signal ended its first thread, which was there to be killed (PF_SIGNALED, include/linux/sched.h). Not the last field,
	 * exit_code, which is the whole process's where this file is.
	 */
	bool is_signalled;
};

/* False when the text ends before the start is told. */
bool procstat_read(struct str text, struct procstat *to);

#endif
