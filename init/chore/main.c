#include "chore.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void chore_report(const struct job *c, struct launch_report report)
{
	report.pid = (uint32_t)getpid();
	ssize_t n = write(c->pipe, &report, sizeof report);
	(void)n;                                /* if PID 1 is gone there is nobody to tell */
}

/* systemd.service(5), PIDFile=: removed once the service is down, if it is still there. */
static int remove_file(const struct job *c)
{
	unlink(c->argument);
	return LEAVE_OK;
}

static const struct {
	const char *name;
	int (*run)(const struct job *);
} chores[] = {
	{ "find-main", find_main }, { "remove", remove_file }, { "await-bus-name", await_bus_name },
};

int main(int argc, char **argv)
{
	if (argc != 6) {
		fprintf(stderr, "usage: oomph-chore CHORE PIPE UNIT INVOCATION ARGUMENT   (started by PID 1 only)\n");
		return LEAVE_USAGE;
	}
	struct job c = { atoi(argv[2]), argv[3], argv[4], argv[5] };
	for (size_t i = 0; i < countof(chores); i++)
		if (strcmp(argv[1], chores[i].name) == 0)
			return chores[i].run(&c);
	return LEAVE_USAGE;
}
