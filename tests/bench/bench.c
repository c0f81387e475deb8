/*
 * Two figures, each as a ratio to the bare loop of the same run: how long from SIGKILL to the first instruction of the
 * replacement, and how long until N services have run their first. The two supervisors take turns, so that whatever else the
 * machine does hits both; medians, because it does. Each sends a stamp of its own before it starts.
 *
 *     bench respawn ROUNDS STAMP-SOCKET CGROUPS bare ARGS... -- oomph ARGS...
 *     bench start N ROUNDS STAMP-SOCKET CGROUPS bare ARGS... -- oomph ARGS...
 *
 * CGROUPS is the folder of the services' cgroups, s0.service and so on: cleared after each round, since a machine that boots finds none.
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { BARE, OOMPH };

static int inbox;
static const char *cgroups;

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static double microseconds(const struct timespec *t)
{
	return (double)t->tv_sec * 1e6 + (double)t->tv_nsec / 1e3;
}

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return microseconds(&t);
}

static void open_inbox(const char *path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int on = 1;
	strncpy(at.sun_path, path, sizeof at.sun_path - 1);
	inbox = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (bind(inbox, (struct sockaddr *)&at, sizeof at) < 0 || setsockopt(inbox, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) < 0)
		fail(path);
}

/* The next stamp, and the pid of its sender as seen from here. */
static double receive(pid_t *pid)
{
	struct timespec t;
	union { struct cmsghdr align; char bytes[CMSG_SPACE(sizeof(struct ucred))]; } ancillary;
	struct iovec part = { &t, sizeof t };
	struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &ancillary, .msg_controllen = sizeof ancillary };
	struct pollfd ready = { .fd = inbox, .events = POLLIN };
	if (poll(&ready, 1, 20000) != 1 || recvmsg(inbox, &m, 0) != sizeof t)
		fail("no stamp within 20 s");
	struct ucred who;
	memcpy(&who, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof who);
	*pid = who.pid;
	return microseconds(&t);
}

static pid_t start(char **argv)
{
	pid_t pid = fork();
	if (pid == 0) {
		execvp(argv[0], argv);
		_exit(127);
	}
	return pid;
}

/* Takes the supervisor down, and every service that has stamped; the next round begins when they are gone. */
static void end(pid_t supervisor, const pid_t *services, int n)
{
	kill(supervisor, SIGKILL);
	waitpid(supervisor, NULL, 0);
	for (int i = 0; i < n; i++) {
		char folder[4096];
		while (kill(services[i], SIGKILL) == 0)
			usleep(1000);
		snprintf(folder, sizeof folder, "%s/s%d.service", cgroups, i);
		rmdir(folder);
	}
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static double quantile(double *values, int n, double q)
{
	qsort(values, (size_t)n, sizeof *values, ascending);
	return values[(int)(q * (n - 1))];
}

static void tell(const char *what, double *took[2], int n)
{
	double bare = quantile(took[BARE], n, 0.5), oomph = quantile(took[OOMPH], n, 0.5);
	printf("%-34s bare %8.0f us   oomph %8.0f us   ratio %.2f   (p90 %.0f, %.0f us; %d rounds)\n", what, bare, oomph, oomph / bare,
		quantile(took[BARE], n, 0.9), quantile(took[OOMPH], n, 0.9), n);
}

static void respawn(int rounds, char **commands[2])
{
	pid_t supervisor[2], service[2];
	double *took[2];
	for (int s = BARE; s <= OOMPH; s++) {
		took[s] = calloc((size_t)rounds, sizeof **took);
		supervisor[s] = start(commands[s]);
		receive(&service[s]);           /* its own stamp */
		receive(&service[s]);
	}
	for (int i = 0; i < rounds * 2; i++) {
		int s = i % 2;
		double since = now();
		kill(service[s], SIGKILL);
		took[s][i / 2] = receive(&service[s]) - since;
	}
	end(supervisor[BARE], &service[BARE], 1);
	end(supervisor[OOMPH], &service[OOMPH], 1);
	tell("SIGKILL to replacement", took, rounds);
}

static void start_many(int n, int rounds, char **commands[2])
{
	double *took[2], *settled[2];
	pid_t *services = calloc((size_t)n, sizeof *services);
	for (int s = BARE; s <= OOMPH; s++) {
		took[s] = calloc((size_t)rounds, sizeof **took);
		settled[s] = calloc((size_t)rounds, sizeof **settled);
	}
	for (int i = 0; i < rounds * 2; i++) {
		int s = i % 2;
		double first = 0, last = 0;
		pid_t supervisor = start(commands[s]);
		double since = receive(&services[0]);
		for (int k = 0; k < n; k++) {
			double at = receive(&services[k]);
			first = first == 0 || at < first ? at : first;
			last = at > last ? at : last;
		}
		took[s][i / 2] = last - since;
		settled[s][i / 2] = last - first;
		end(supervisor, services, n);
	}
	char what[64];
	snprintf(what, sizeof what, "%d services, from the first one's", n);
	tell(what, settled, rounds);
	snprintf(what, sizeof what, "%d services, from our own exec", n);
	tell(what, took, rounds);
}

int main(int argc, char **argv)
{
	char **commands[2];
	int at = 1 + (argc > 1 && strcmp(argv[1], "start") == 0);
	if (argc < 8)
		return 2;
	open_inbox(argv[at + 2]);
	cgroups = argv[at + 3];
	commands[BARE] = argv + at + 4;
	for (int i = at + 4; i < argc; i++)
		if (strcmp(argv[i], "--") == 0) {
			argv[i] = NULL;
			commands[OOMPH] = argv + i + 1;
			break;
		}
	if (at == 2)
		start_many(atoi(argv[2]), atoi(argv[3]), commands);
	else
		respawn(atoi(argv[2]), commands);
	return 0;
}
