/* What of PID 1 outlives itself, beside the core (lib/state.h): the same bytes are read by the next one, perhaps of another build. */
#ifndef OOMPH_PID1_STATE_H
#define OOMPH_PID1_STATE_H

#include "lib/crash.h"
#include "lib/proto.h"
#include "lib/state.h"

#include <sys/signalfd.h>

/* oomph's own short-lived children. They are no services: nobody stops or lists them. */
struct helper {
	uint32_t pid;
	uint64_t deadline_at;   /* SIGKILL then; 0: none */
};

#define PID1_MAGIC 0x31444950u          /* "PID1" */

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
	uint32_t n_put;                 /* events that were in the queue before it */
};

/*
 * What was taken from the kernel, which does not have it any more, and is in no journal yet. It is zeroed first, and filled by the system
 * call itself: so what is in it was taken.
 */
enum intake_kind {
	INTAKE_NONE, INTAKE_DEATH, INTAKE_REPORT, INTAKE_SIGNAL, INTAKE_KILL, INTAKE_REQUEST,
	INTAKE_RECORD, INTAKE_DATAGRAM, /* in scratch */
	N_INTAKE_KIND
};

/* What came along with a packet or datagram. */
#define SCM_MAX 253                     /* descriptors with one: SCM_MAX_FD of include/net/scm.h */
struct received {
	uint32_t pid;                   /* of its sender; 0: the kernel did not say */
	bool is_cut;
	size_t n_fds;
	int fds[SCM_MAX];
};

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
		struct {
			uint32_t client;
			struct request request;
		} request;
		struct received datagram;
	} of;
};

/*
 * Another binary takes over. The one that leaves is kept until the new one has proved itself: should that crash, or be silent, before, the
 * old one comes back, into the new one's state if they agree on its layout, else into its own as it left it.
 */
#define PROBATION_MS 5000u
#define TEST_DEADLINE_MS 5000u

struct upgrade {
	struct helper tester;
	int program;                    /* to be tested, or tested; -1 */
	uint32_t client;                /* who waits for the answer; NO_CLIENT */
	bool is_due;                    /* it has passed */
	bool is_going;                  /* the exec has come, or its failure */
	int before, state_before;       /* the program to go back to, and where its state is; -1: there is no way back */
	uint64_t began_at;
	uint64_t proven_at;             /* 0: nobody is on probation */
	uint8_t build[BUILD_ID_SIZE];   /* of the one before */
};

/* How `oomph --self-test` leaves. */
enum self_test { SELF_TEST_PASSED, SELF_TEST_STATE_UNREADABLE = 3, SELF_TEST_STATE_DAMAGED };

#endif
