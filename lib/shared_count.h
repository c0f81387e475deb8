/*
 * One count of OOM kills for many: where services have no cgroup of their own (a container that may not make any), the
 * count of the container's cgroup, or the whole machine's, is all there is. It says how many were killed, not who.
 *
 * So it is kept like an account. What it rose by are kills that nobody has claimed yet; a process that somebody else than
 * we ended by SIGKILL may be one of them, and its death is held open for EVIDENCE_GRACE_MS, that all of one burst are
 * judged together. As many kills as deaths prove each of them. Fewer prove none: which of the dead they were cannot be
 * told, and nothing here guesses. A death that is seen while no kill is unclaimed was none, since the count rises before
 * the signal is sent (mm/oom_kill.c, __oom_kill_process).
 */
#ifndef OOMPH_SHARED_COUNT_H
#define OOMPH_SHARED_COUNT_H

#include "str.h"

#include <stdbool.h>
#include <stdint.h>

enum shared_source {
	SHARED_NONE,
	SHARED_MEMORY_EVENTS,   /* oom_kill in memory.events of our cgroup and all below it (v2) */
	SHARED_OOM_CONTROL,     /* oom_kill in memory.oom_control of our cgroup (v1, 4.13) */
	SHARED_VMSTAT,          /* oom_kill in /proc/vmstat, of the whole machine (4.13) */
	N_SHARED_SOURCE
};

/* What it has to say of a process that has just died by SIGKILL. */
enum shared_word {
	SHARED_NO_WORD,         /* there is no count */
	SHARED_NO_KILL,         /* nobody was killed that is not accounted for */
	SHARED_SOME_KILL,       /* somebody was, and only ours are counted: hold the death open */
	SHARED_ANYBODYS_KILL,   /* somebody was, and others than ours are counted too */
};

struct shared_count {
	uint8_t source;         /* enum shared_source */
	bool is_ours_alone;     /* no process is counted that is not below us */
	uint32_t count;         /* as last read */
	uint32_t n_kills;       /* unclaimed */
	uint32_t n_deaths;      /* held open */
	uint64_t forget_at;     /* kills that nobody claimed until then were of processes that we do not reap */
	uint64_t closes_at;     /* the burst is judged then; 0: none is open */
};

/* The count was read. The first time, or of another source, it is what to count from. */
void shared_read(struct shared_count *s, enum shared_source source, bool is_ours_alone, uint32_t count, uint64_t now_ms);

enum shared_word shared_ask(struct shared_count *s, uint64_t now_ms);

/* A death that may be one of the kills counted. */
void shared_hold(struct shared_count *s, uint64_t now_ms);

bool shared_is_due(const struct shared_count *s, uint64_t now_ms);

/* Ends the burst: were all who are held open killed for memory? If not, nobody can say who was. */
bool shared_close(struct shared_count *s);

/*
 * Where a file of our own cgroup is, by one line of /proc/self/mountinfo (proc(5)) and the text of /proc/self/cgroup (cgroups(7)):
 * the memory hierarchy of v1, or the unified one, mounted anywhere and seen from any cgroup namespace. False when the
 * line is about something else, or we are outside of what is mounted there.
 */
bool shared_folder(struct str mount, struct str proc_cgroup, bool is_v1, struct buf *path);

/* The line "oom_kill N", which all three files have; false where there is none (kernels before 4.13). */
bool shared_kills(struct str text, uint32_t *count);

#endif
