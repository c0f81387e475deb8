/*
 * What the targets of the fuzzer share: the bytes of an input, taken one after another, and a shell around core_step() that
 * carries nothing out, but reads everything that PID 1 and its children would.
 */
#ifndef OOMPH_FUZZ_H
#define OOMPH_FUZZ_H

#include "lib/core.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

/* ---- bytes.c ---- */

void finding(const char *what) __attribute__((noreturn));
#define must(condition) ((condition) ? (void)0 : finding(#condition))

/* All of an input that is not taken yet; when it is over it gives zeroes. */
struct input {
	const uint8_t *p;
	size_t n;
};

uint64_t input_number(struct input *in, size_t n_bytes);        /* the lowest byte first */
uint32_t input_below(struct input *in, uint32_t below);         /* by as few bytes as that needs */
struct str input_text(struct input *in);                        /* a byte that tells its length, and that many */
struct str input_rest(struct input *in);

/* In memory of its own and of just that size, so that a read beyond its end is seen; the caller frees it. */
struct str exactly(struct str text);

/* What a reader of text hands out must lie within what it was given. */
void must_lie_within(struct str part, struct str whole);

/* ---- hostile.c ---- */

struct str sound_set(void);             /* a unit set in which every list has something */

/* Two places where a change may tell more than elsewhere; both begin where a word does. */
struct ground {
	size_t at, n;
};

/* A few words and bytes changed, perhaps the end cut off, as the input says. */
void patch(unsigned char *bytes, size_t *n, struct input *in, const struct ground grounds[2]);

/* ---- reading.c ---- */

void read_units(struct unitset units);
void launch_unit(struct unitset units, uint32_t i, enum exec_list list, uint32_t index);        /* what the launch of that command reads */

/* ---- machine.c: a core with units, and a shell that has no kernel ---- */

#define LAUNCHES_OPEN 16

struct machine {
	struct core *core;
	struct unitset units;
	uint64_t now_ms;
	uint32_t next_pid;
	uint64_t next_seq;
	struct { uint32_t service; uint8_t role; } launches[LAUNCHES_OPEN];    /* carried out, and not told of yet */
	uint32_t n_launches;
	bool is_loading, wants_adopt, is_over;
	void (*watch)(void *watcher, const struct effect *e);   /* sees what becomes of an event; NULL: nobody does */
	void *watcher;
};

void machine_adopt(struct machine *m, struct core *core, struct unitset units);         /* one that was there before; it is m's then */
void machine_boot(struct machine *m, struct unitset units, enum system_mode mode);
void machine_feed(struct machine *m, struct event *ev);         /* and ticks, until it has settled or nobody would wait any more */
void machine_launch_all(struct machine *m);                     /* what was to be launched runs */
void machine_run(struct machine *m, struct input *in);          /* whatever the bytes say happens */
void machine_look(const struct machine *m);                     /* all that clients are shown */
void machine_end(struct machine *m);

#endif
