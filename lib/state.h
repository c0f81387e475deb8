/*
 * How PID 1 comes back as it was.
 *
 * core_step() is a function: a copy of the core, stepped through the events since, is the core again. So the shell keeps, where
 * neither its own death nor a stray pointer can reach it, a copy of the core (the image) and an entry for every event since, written
 * before it is stepped. Whatever happens in a step, the state before it is the image and all entries but the last.
 *
 * Entries come one behind the other; each tells its size, its number and a checksum. Where the numbers stop, the journal does: what
 * is left of an earlier one behind that has lower numbers.
 */
#ifndef OOMPH_STATE_H
#define OOMPH_STATE_H

#include "core.h"

/* The layout of all that survives an exec: struct core, struct entry, and what init/pid1/state.h keeps beside them. */
#define STATE_VERSION ((uint32_t)STATE_LAYOUT)

/* Of any bytes; guards against torn and overwritten ones, not against anybody who means it. */
uint64_t state_checksum(const void *bytes, size_t n);

/* NULL when a core of `size` bytes is one that core_step() can go on from, with these units; else what is wrong with it. */
const char *state_check(const struct core *c, size_t size, struct unitset units);

/* ---- entries ---- */

struct entry {
	uint64_t checksum;              /* of all that follows in it */
	uint64_t number;                /* 1, 2, 3 ... over all events */
	uint32_t size;                  /* with this head; a multiple of 8 */
	uint32_t intake;                /* number of what the shell had taken from the kernel for it; 0: nothing */
	uint32_t n_taken;               /* events that the shell had taken off its queue, this one included */
	uint32_t is_dropped;            /* it crashed PID 1 twice and was not stepped */
	struct event event;             /* its pointers mean nothing; what they pointed to follows */
};

union entry_space {
	struct entry head;
	char bytes[sizeof(struct entry) + (sizeof(struct oom_kill) + 7) / 8 * 8 + sizeof(struct notify_message) + STATUS_TEXT_MAX * 2];
};

/* Fills in the event, its payload, the size and the checksum; the other numbers of the head are the caller's. */
void entry_write(union entry_space *e, const struct event *ev);

void entry_sign(union entry_space *e);          /* its checksum, after a change */

/* Of `n` bytes the first entry, if it is whole: its event with all that belongs to it. *e stays as long as it is used. */
bool entry_read(union entry_space *e, const void *bytes, size_t n, struct event *ev);

/*
 * Steps the core through the entries from `number` + 1 on, up to and without `until`; 0: all there are. Returns the number of the last
 * event that it has stepped, or `number`.
 */
uint64_t state_replay(struct core *c, struct unitset units, const void *bytes, size_t n, uint64_t number, uint64_t until);

/* The number of the last entry of a journal that begins at or before `number` + 1, and where it ends; `number` if it has none. */
uint64_t state_last(const void *bytes, size_t n, uint64_t number, uint32_t *end);

/* The entry of that number; false when it is not there. */
bool state_find(union entry_space *e, const void *bytes, size_t n, uint64_t number, struct event *ev);

#endif
