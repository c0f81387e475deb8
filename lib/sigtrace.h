/*
 * Who sent a signal, and whom it ended: what the kernel's tracepoints signal:signal_generate (include/trace/events/signal.h)
 * and sched:sched_process_exit tell, and when it may be laid at somebody's door.
 */
#ifndef OOMPH_SIGTRACE_H
#define OOMPH_SIGTRACE_H

#include "str.h"

/* Where the tracepoint's record has what, in bytes from its start: each 4 bytes wide. Read, since nobody promises it. */
struct sigtrace_format {
	uint32_t id;
	uint16_t signal, code, pid, result;
};

/* The text of events/signal/signal_generate/format; false when a field that is needed is missing or of another width. */
bool sigtrace_format(struct str text, struct sigtrace_format *f);

/* The number of an event, from the text of its id file; 0 when that is no number. */
uint32_t sigtrace_id(struct str text);

/* What init/pid1/sigtrace.c has the kernel keep: the last SIGKILL, and the last SIGTERM, that reached each process. */
struct sigtrace_key {
	uint32_t pid, signal;           /* the number that the kernel's log would print: of a thread, where the first one has left */
};

struct sigtrace_sent {
	uint64_t at_ns;                 /* CLOCK_BOOTTIME */
	uint32_t pid, uid;              /* whose process sent it, and its real user */
	int32_t code;                   /* si_code, sigaction(2) */
	char comm[16];                  /* of the sending thread; anything but NUL may be in it */
	uint32_t process;               /* whose thread it was, once it has ended; 0: it has not, SIGTRACE_REUSED */
	uint64_t cgroup;                /* where that thread was when it ended: number of a cgroup in the unified hierarchy */
};

#define SIGTRACE_REUSED UINT32_MAX      /* a later thread of this number has ended, and not of this signal: it tells nothing any more */

/* Has the thread that the signal reached ended, so that `process` and `cgroup` are told? */
bool sigtrace_has_ended(const struct sigtrace_sent *sent);

/* pid 0: nobody told. Numbers are those of the initial PID namespace. */
struct sender {
	uint32_t pid, uid;
	char comm[16];
};

/*
 * Whose signal it was that a process which had started at `started_at` (in 1/100 s of CLOCK_BOOTTIME, procstat.h) died of.
 * False: the kernel's, or that of process `own`, or it is older than the process: its number was another's then.
 */
bool sigtrace_sender(const struct sigtrace_sent *sent, uint64_t started_at, uint32_t own, struct sender *to);

#endif
