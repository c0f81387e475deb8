/*
 * probe UNIT [SOCKET]: asks PID 1 again and again until SIGTERM, and tells how long it took, from the first try to the last packet:
 *
 *     version   on one connection that lasts
 *     status    of the unit, on a new connection, as oomphctl has it
 *     list      the same
 *     echo      asked of a process that does nothing but echo: what the machine itself makes one wait
 *
 * Whoever is cut off tries again, and the time goes on. Prints a line for each: NAME N P50 P99 MAX CUT, in us; CUT: connections lost.
 */
#include "lib/proto.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define PAUSE_US 1000
#define SAMPLES_MAX 200000

static volatile sig_atomic_t is_over;
static const char *socket_path = "/run/oomph/control", *unit;
static int lasting = -1, echo = -1;

static void on_term(int number)
{
	(void)number;
	is_over = 1;
}

static uint64_t now_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static int connect_to_pid1(void)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	strncpy(at.sun_path, socket_path, sizeof at.sun_path - 1);
	if (connect(fd, (struct sockaddr *)&at, sizeof at) == 0)
		return fd;
	close(fd);
	return -1;
}

/* Whether the whole answer has come. */
static int ask(int fd, uint8_t verb, const char *name)
{
	struct request q = { .magic = PROTO_MAGIC, .version = PROTO_VERSION, .verb = verb };
	union { struct packet head; char bytes[PROTO_PACKET_MAX]; } in;
	strncpy(q.unit, name, sizeof q.unit - 1);
	if (fd < 0 || send(fd, &q, sizeof q, MSG_NOSIGNAL) < 0)
		return 0;
	do
		if (recv(fd, &in, sizeof in, 0) < (ssize_t)sizeof in.head)
			return 0;
	while (in.head.kind != PACKET_END);
	return 1;
}

static int ask_version(void)
{
	if (lasting < 0)
		lasting = connect_to_pid1();
	if (ask(lasting, VERB_VERSION, ""))
		return 1;
	close(lasting);
	lasting = -1;
	return 0;
}

static int ask_newly(uint8_t verb, const char *name)
{
	int fd = connect_to_pid1(), is_told = ask(fd, verb, name);
	close(fd);
	return is_told;
}

static int ask_status(void)
{
	return ask_newly(VERB_STATUS, unit);
}

static int ask_list(void)
{
	return ask_newly(VERB_LIST, "");
}

static int ask_echo(void)
{
	char byte = 0;
	return send(echo, &byte, 1, 0) == 1 && recv(echo, &byte, 1, 0) == 1;
}

static struct question {
	const char *name;
	int (*ask)(void);
	uint32_t n, n_cut;
	uint32_t took_us[SAMPLES_MAX];
} questions[] = { { .name = "version", .ask = ask_version }, { .name = "status", .ask = ask_status }, { .name = "list", .ask = ask_list },
		  { .name = "echo", .ask = ask_echo } };

/* Who waits when the time is over has waited that long at least. */
static void measure(struct question *q)
{
	uint64_t since = now_us();
	while (!is_over && !q->ask())
		q->n_cut += !is_over;
	if (q->n < SAMPLES_MAX)
		q->took_us[q->n++] = (uint32_t)(now_us() - since);
}

static int ascending(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return (x > y) - (x < y);
}

static void tell(struct question *q)
{
	if (q->n == 0)
		return;
	qsort(q->took_us, q->n, sizeof *q->took_us, ascending);
	printf("%s %u %u %u %u %u\n", q->name, q->n, q->took_us[q->n / 2], q->took_us[(uint64_t)q->n * 99 / 100], q->took_us[q->n - 1], q->n_cut);
}

/* Before we take a better place than others have: PID 1 has none. */
static void start_echo(void)
{
	int ends[2];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		exit(1);
	echo = ends[0];
	if (fork() != 0) {
		close(ends[1]);
		return;
	}
	close(ends[0]);
	for (char byte; recv(ends[1], &byte, 1, 0) == 1;)
		send(ends[1], &byte, 1, MSG_NOSIGNAL);
	_exit(0);
}

static void begin(void)
{
	struct sigaction action = { .sa_handler = on_term };
	start_echo();
	sigaction(SIGTERM, &action, NULL);
	setpriority(PRIO_PROCESS, 0, -20);
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return 2;
	unit = argv[1];
	socket_path = argc > 2 ? argv[2] : socket_path;
	begin();
	while (!is_over)
		for (size_t i = 0; i < countof(questions) && !is_over; i++) {
			measure(&questions[i]);
			usleep(PAUSE_US);
		}
	for (size_t i = 0; i < countof(questions); i++)
		tell(&questions[i]);
	return 0;
}
