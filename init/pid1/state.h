/* What of PID 1 outlives itself, beside the core (lib/state.h): the same bytes are read by the next one, perhaps of another build. */
#ifndef OOMPH_PID1_STATE_H
#define OOMPH_PID1_STATE_H

#include "lib/crash.h"
#include "lib/state.h"

#include <sys/signalfd.h>

#define PID1_MAGIC 0x31444950u          /* "PID1" */
#define BUILD_ID_SIZE 20                /* ld(1), --build-id=sha1 */

/* At the start of struct pid1, in every version: whoever finds it knows whether he can read the rest. */
struct head {
	uint32_t magic, version;        /* STATE_VERSION */
	uint32_t size, slot_size, service_size, core_size;      /* of the structs as this build has them */
	uint8_t build[BUILD_ID_SIZE];   /* who wrote it */
	uint32_t zero;
};

/* A unit set in force and what there is for it, by descriptors; -1: none. Of two the one at hand is the other's successor. */
struct set {
	int units, core, slots, image;
	uint32_t n;                     /* services */
};

/*
 * Where we are in what one event brings about. An event is in hand when the journal has it and `done` is older. All of it is written by
 * single stores, in an order that makes sense whenever we are cut off.
 */
struct hand {
	uint64_t done;                  /* number of the last event that nothing is left of to do */
	uint64_t number;                /* of the event that the rest is about */
	uint32_t n_done;                /* effects carried out */
	uint32_t at;                    /* the one that `pid` is about */
	uint32_t pid;                   /* of the child that it has made: the kernel's own store (clone(2), CLONE_PARENT_SETTID) */
};

/*
 * What was taken from the kernel, which does not have it any more, and is in no journal yet. It is zeroed first, and filled by the system
 * call itself: so what is in it was taken.
 */
enum intake_kind { INTAKE_NONE, INTAKE_DEATH, INTAKE_REPORT, INTAKE_SIGNAL, INTAKE_RECORD /* in scratch */, INTAKE_KILL, N_INTAKE_KIND };
struct intake {
	uint32_t number;
	uint8_t kind;                   /* enum intake_kind */
	bool closes;                    /* the next event is the last that comes of it */
	union intake_space {
		struct event death;             /* of a process that is reaped, or about to be */
		struct launch_report report;
		struct signalfd_siginfo signal;
		struct {
			struct oom_kill victim;
			uint8_t news;           /* enum kmsg_news */
		} kill;
	} of;
};

#endif
