/* A fault of PID 1's own, and what it was doing: kept by whoever came back from it, shown by `oomphctl crashes`. */
#ifndef OOMPH_CRASH_H
#define OOMPH_CRASH_H

#include "core.h"

#define BUILD_ID_SIZE 20                /* ld(1), --build-id=sha1 */

#define CRASHES_KEPT 8
#define CRASHES_MOST 5                  /* so many faults of our own within CRASHES_WITHIN_MS, and PID 1 only reaps any more */
#define CRASHES_WITHIN_MS 60000u
#define CRASH_REGISTERS 32

/* Flat, and its numbers are numbers: what they pointed to was another program's. */
struct crash {
	uint64_t wall_ms, now_ms;
	uint64_t number;                /* of the event in hand; 0: none */
	uint64_t address, instruction, stack;
	uint64_t registers[CRASH_REGISTERS];    /* x86: gregs of ucontext_t, in its order; aarch64: x0 to x30 */
	int32_t signal, code;           /* sigaction(2), si_code */
	uint32_t sender;                /* pid of whoever sent it, when is_sent */
	uint32_t n_registers;
	uint32_t intake, dying;         /* what PID 1 had taken in hand outside of any event: a number, a pid; 0: nothing */
	uint32_t back_after_ms;
	uint8_t event;                  /* enum event_kind; N_EVENT_KIND: none */
	uint8_t source;                 /* which of its descriptors it was serving */
	bool is_sent;                   /* by a process, with kill(2): no fault */
	bool is_dropped;                /* the second on the same thing, which was given up then */
	char unit[64];                  /* whom the event was about; "": nobody */
};

/* Two faults in a row on the same thing: it would be so for ever. */
bool crash_is_again(const struct crash *now, const struct crash *before);

/* Of a ring: too many faults of this binary, which is PID 1 since then, in too short a time for another one to be likely to help. */
bool crash_is_hopeless(const struct crash ring[CRASHES_KEPT], uint64_t since_ms, uint64_t now_ms);

#endif
