/*
 * crasher SOCKET CRASHES SEED: makes PID 1 crash so often, at any moment, and meanwhile kills services whose main process is called
 * `sleep`, each process once. It tells what it did, a line each, "killed PID", and at the end how long PID 1 was not to be heard: "back
 * COUNT P50 P99 MAX", in microseconds from a SIGSEGV to the answer of a client that came right behind it.
 */
#include "lib/proto.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define PIDS 4194304
#define TIMES_MAX 100000

static const char *path;
static uint64_t dice;
static unsigned char was_killed[PIDS / 8];
static uint32_t times[TIMES_MAX];
static size_t n_times;

/* splitmix64 */
static uint32_t roll(uint32_t n)
{
	uint64_t z = dice += 0x9e3779b97f4a7c15;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return (uint32_t)((z ^ (z >> 31)) % n);
}

static uint64_t now_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* How often PID 1 has crashed, by itself; -1: it had no time for us. */
static long ask(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct request r = { .magic = PROTO_MAGIC, .version = PROTO_VERSION, .verb = VERB_VERSION };
	struct version_packet v;
	long n = -1;
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	strcpy(address.sun_path, path);
	if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0 && send(fd, &r, sizeof r, MSG_NOSIGNAL) == sizeof r &&
	    recv(fd, &v, sizeof v, 0) == sizeof v && v.head.kind == PACKET_VERSION)
		n = v.n_crashes;
	close(fd);
	return n;
}

static bool is_sleep(int pid)
{
	char file[64], text[32] = "";
	snprintf(file, sizeof file, "/proc/%d/comm", pid);
	FILE *f = fopen(file, "r");
	bool is = f && fgets(text, sizeof text, f) && strcmp(text, "sleep\n") == 0;
	if (f)
		fclose(f);
	return is;
}

/* One of PID 1's children, any. */
static int pick(void)
{
	FILE *f = fopen("/proc/1/task/1/children", "r");
	int pid, picked = 0;
	uint32_t n = 0;
	while (f && fscanf(f, "%d", &pid) == 1)
		if (pid < PIDS && !(was_killed[pid / 8] & 1 << pid % 8) && is_sleep(pid) && roll(++n) == 0)
			picked = pid;
	if (f)
		fclose(f);
	return picked;
}

static void kill_one(void)
{
	int pid = pick();
	if (!pid || kill(pid, SIGKILL) < 0)
		return;
	was_killed[pid / 8] |= (unsigned char)(1 << pid % 8);
	printf("killed %d\n", pid);
}

static void crash(void)
{
	uint64_t began = now_us();
	kill(1, SIGSEGV);
	if (roll(4) == 0 && n_times < TIMES_MAX && ask() >= 0)
		times[n_times++] = (uint32_t)(now_us() - began);
}

static int by_size(const void *a, const void *b)
{
	return (*(const uint32_t *)a > *(const uint32_t *)b) - (*(const uint32_t *)a < *(const uint32_t *)b);
}

int main(int argc, char **argv)
{
	if (argc != 4)
		return 2;
	path = argv[1];
	long most = atol(argv[2]);
	dice = strtoull(argv[3], NULL, 10);
	for (long n = 0, turn = 0; n < most; turn++) {
		if (roll(3))
			kill_one();
		usleep(roll(8000));
		crash();
		if (turn % 50 == 49)
			n = ask();
		usleep(roll(8000));
	}
	qsort(times, n_times, sizeof times[0], by_size);
	if (n_times)
		printf("back %zu %u %u %u\n", n_times, times[n_times / 2], times[n_times * 99 / 100], times[n_times - 1]);
	return 0;
}
