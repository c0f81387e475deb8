/*
 * oomph-chore: what a service's life needs besides its own commands, and PID 1 must not do because it may block: reading
 * a file that anybody may have put anywhere, looking through /proc, talking to a bus. It runs in the service's cgroup as one
 * more command of the plan, under the same deadline, and ends on the same signals.
 *
 * What it has to tell goes to PID 1 through the pipe that children report on (struct launch_report): the exec left it open.
 */
#ifndef OOMPH_CHORE_H
#define OOMPH_CHORE_H

#include "lib/core.h"

#include <stdbool.h>

enum { LEAVE_OK, LEAVE_FAILED, LEAVE_USAGE };

struct job {
	int pipe;
	const char *unit;               /* its name, which is that of its cgroup */
	const char *invocation;         /* $INVOCATION_ID of this generation */
	const char *argument;           /* a path, a bus name; "" for none */
};

void chore_report(const struct job *c, struct launch_report report);

int find_main(const struct job *c);             /* find.c */
int await_bus_name(const struct job *c);        /* bus.c */

#endif
