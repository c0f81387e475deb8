/*
 * How long PID 1 takes to answer while the kernel's log is flooded, from inside the machine: round trips of `oomphctl version`,
 * on one connection, first in peace and then with a writer that does nothing but write to /dev/kmsg (printk.devkmsg=on). In
 * turn with each goes one to a process that does nothing but echo: what the machine itself makes one wait.
 *
 *     flood SECONDS [SOCKET]
 *
 * Prints for each half: lines a second, round trips, and the median, 99th percentile and maximum in us of the echo's and of PID 1's.
 */
#include "lib/proto.h"

#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ROUND_TRIPS_MAX 100000

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static int connect_to(const char *path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	strncpy(at.sun_path, path, sizeof at.sun_path - 1);
	int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&at, sizeof at) < 0)
		fail(path);
	return fd;
}

static void ask(int fd)
{
	const struct request version = { .magic = PROTO_MAGIC, .version = PROTO_VERSION, .verb = VERB_VERSION };
	union { struct packet head; char bytes[PROTO_PACKET_MAX]; } in;
	if (send(fd, &version, sizeof version, 0) < 0)
		fail("request");
	do
		if (recv(fd, &in, sizeof in, 0) < (ssize_t)sizeof in.head)
			fail("answer");
	while (in.head.kind != PACKET_END);
}

static int start_echo(void)
{
	int ends[2];
	char byte;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) < 0)
		fail("socketpair");
	if (fork() == 0) {
		close(ends[0]);
		while (recv(ends[1], &byte, 1, 0) == 1)
			send(ends[1], &byte, 1, MSG_NOSIGNAL);
		_exit(0);
	}
	close(ends[1]);
	return ends[0];
}

static void ask_echo(int fd)
{
	char byte = 0;
	if (send(fd, &byte, 1, MSG_NOSIGNAL) != 1 || recv(fd, &byte, 1, 0) != 1)
		fail("echo");
}

static void write_lines(atomic_ulong *n)
{
	static const char line[] = "<7>flood: a driver says the same again and again";
	int fd = open("/dev/kmsg", O_WRONLY);
	while (write(fd, line, sizeof line - 1) > 0)
		atomic_fetch_add(n, 1);
	fail("/dev/kmsg");
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static double timed(void (*trip)(int), int fd)
{
	const struct timespec pause = { .tv_nsec = 1000000 };
	double since = now();
	trip(fd);
	double took = now() - since;
	nanosleep(&pause, NULL);
	return took;
}

static void tell(double *took, size_t n)
{
	qsort(took, n, sizeof *took, ascending);
	printf(" %.0f %.0f %.0f", took[n / 2], took[n * 99 / 100], took[n - 1]);
}

/* Round trips for so long, a millisecond apart. */
static void measure(int control, int echo, double seconds, atomic_ulong *n_lines)
{
	static double took[2][ROUND_TRIPS_MAX];
	unsigned long n_before = atomic_load(n_lines);
	double begin = now();
	size_t n = 0;
	for (; n < ROUND_TRIPS_MAX && now() - begin < seconds * 1e6; n++) {
		took[0][n] = timed(ask_echo, echo);
		took[1][n] = timed(ask, control);
	}
	printf("%.0f %zu", (double)(atomic_load(n_lines) - n_before) * 1e6 / (now() - begin), n);
	tell(took[0], n);
	tell(took[1], n);
	printf("\n");
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return 2;
	double seconds = atof(argv[1]);
	int echo = start_echo(), control = connect_to(argc > 2 ? argv[2] : "/run/oomph/control");
	atomic_ulong *n_lines = mmap(NULL, sizeof *n_lines, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ask(control);
	measure(control, echo, seconds, n_lines);
	pid_t writer = fork();
	if (writer == 0)
		write_lines(n_lines);
	while (atomic_load(n_lines) == 0)
		;
	measure(control, echo, seconds, n_lines);
	kill(writer, SIGKILL);
	waitpid(writer, NULL, 0);
	return 0;
}
