/*
 * The last resort: PID 1 cannot go on as it was, and must not end. What is left needs nothing that could have been the reason: it reaps,
 * and answers what it can.
 */
#include "pid1.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

void last_resort(struct pid1 *p)
{
	console_say(p, "crashed too often: from here on PID 1 only reaps; `oomphctl upgrade` brings another one", 0);
	for (;;) {
		siginfo_t info;
		while (waitid(P_ALL, 0, &info, WEXITED | WNOHANG) == 0 && info.si_pid)
			;
		poll(NULL, 0, 1000);
	}
}
