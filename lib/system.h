/*
 * The machine as a whole: booting, running, going down. Services have their own machine (service.h).
 */
#ifndef OOMPH_SYSTEM_H
#define OOMPH_SYSTEM_H

#include <stdbool.h>
#include <stdint.h>

/* What we are PID 1 of. */
enum system_mode {
	MODE_VM,        /* the initial PID namespace: ends with reboot(2) */
	MODE_CONTAINER, /* any other: ends with exit */
	MODE_COMMAND,   /* `oomph -- COMMAND`: signals are the command's, its end is ours */
};

enum system_phase {
	SYSTEM_BOOTING,         /* no unit set has been in force yet */
	SYSTEM_RUNNING,
	SYSTEM_STOPPING,        /* services go down in order */
	SYSTEM_HALTING,         /* oomph-halt unmounts */
	SYSTEM_OVER,            /* FX_POWER was sent */
};

enum power { POWER_OFF, POWER_REBOOT, POWER_HALT, POWER_EXIT, N_POWER };
extern const char *const power_name[N_POWER];   /* the command's word: "poweroff" ... */

struct system_state {
	uint8_t mode, phase, power;
	int32_t exit_status;            /* for POWER_EXIT, and for any end in a container */
	uint64_t deadline_at;           /* SYSTEM_HALTING */
};

/* What a signal to PID 1 asks for. */
enum signal_meaning { SIGNAL_MEANS_NOTHING, SIGNAL_MEANS_POWER, SIGNAL_MEANS_LOAD };

/* In MODE_COMMAND every signal goes on to the command: SIGNAL_MEANS_NOTHING. signal(7), and reboot(2) for ctrl-alt-del. */
enum signal_meaning system_signal(enum system_mode mode, int signal, enum power *power);

#endif
