/*
 * Notes and deaths in words, one line each. PID 1 writes them to the console as they come, `oomphctl events` and
 * `oomphctl why` say the same in the same words: this is the only place that has them.
 */
#ifndef OOMPH_SAY_H
#define OOMPH_SAY_H

#include "core.h"

/* "db: up in 12 ms (pid 71)". NOTE_DEATH and NOTE_AMENDED are said by say_death(). */
void say_note(struct buf *b, const struct note *n);

/* "app: killed by the kernel's OOM killer ..., had lived 3.2 s; starts again in 100 ms". */
void say_death(struct buf *b, const struct death *d);

/*
 * A kill that only a kernel log tells of, in the words of say_death(): "app: pid 71 (app) killed by the kernel's OOM
 * killer ...", named after the last part of the victim's cgroup where that is told.
 */
void say_kill(struct buf *b, const struct oom_kill *k);

/* The cause alone: "killed by SIGKILL (no record of an OOM kill)", "exited with status 3". */
void say_cause(struct buf *b, const struct death *d);

/* Why the kernel chose to kill: "the machine was out of memory". Nothing where it did not tell. */
void say_reason(struct buf *b, const struct death *d);

/* What the verdict rests on: "kernel log record 512, memory.events". Nothing for a verdict that needs no evidence. */
void say_evidence(struct buf *b, const struct death *d);

/* An errno in words: "no such file or directory"; "error 123" for one that no launch can meet. */
void say_error(struct buf *b, int error);

/* A setting that could not be applied: "OOMScoreAdjust= could not be applied: operation not permitted". */
void say_warning(struct buf *b, unsigned step, int error);

/* "ConditionPathExists=/x is not met"; the line as its unit has it, or nothing where that is not known. */
void say_unmet(struct buf *b, struct str line);

/* "312 ms", "3.2 s", "4 min 10 s", "2 h 5 min", "3 d 4 h" */
void say_ms(struct buf *b, uint64_t ms);

/* "512 kB", "30.2 MB", "1.5 GB" */
void say_kb(struct buf *b, uint64_t kb);

/* Raw bytes made fit for a terminal: all but printable ASCII as \xNN. comm and cgroup names are anybody's to choose. */
void say_raw(struct buf *b, struct str raw);

/* A unit's name as people say it: without ".service". */
struct str say_unit(const char *unit);

#endif
