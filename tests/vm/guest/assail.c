/*
 * assail WAY ...: what a hostile service, or one gone wrong, does to its PID 1. As root, unless it says otherwise.
 *
 *     bomb                         forks, and so does each child, for ever; as anybody
 *     orphans N                    N processes lose their parent at one moment and die at another; then stays
 *     zombies N                    the same, dead when they become PID 1's
 *     crowd N                      N orphans that stay, and it leaves
 *     signals N                    to PID 1: all that it does not go down by
 *     notify N                     datagrams to $NOTIFY_SOCKET, from eight processes, of all sorts; ready first; then stays
 *     clients N DEAF SECONDS SOCKET        at once; DEAF of them ask and never read. Prints "answers N cut N" of the others
 *     units FOLDER N BROKEN COMMAND        fills it with good ones (good-0.service), and others
 *     kmsg SECONDS                 writes to the kernel's log, forged kills among other things
 *     storm FILE MB                while the file is there: takes MB, on the stroke of every 200 ms, or with 0 kills itself; else stays
 */
#include "lib/proto.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static _Noreturn void die(const char *what)
{
	perror(what);
	exit(1);
}

static _Noreturn void stay(void)
{
	for (;;)
		pause();
}

static uint64_t now_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void tell(const char *what)
{
	puts(what);
	fflush(stdout);
}

static pid_t start(void)
{
	pid_t pid = fork();
	if (pid < 0)
		die("assail: fork");
	return pid;
}

/* ---- processes ---- */

static void bomb(char **args)
{
	(void)args;
	for (;;)
		fork();
}

/* Children that live until the last other copy of gate[1] is closed; their parent is gone when this returns. */
static void make_orphans(int n, const int gate[2])
{
	char byte;
	pid_t parent = start();
	for (int i = 0; parent == 0 && i < n; i++)
		if (start() == 0) {
			close(gate[1]);
			_exit(read(gate[0], &byte, 1) < 0);
		}
	if (parent == 0)
		_exit(0);
	waitpid(parent, NULL, 0);
}

static void orphans(char **args)
{
	int gate[2];
	if (pipe(gate) < 0)
		die("assail: pipe");
	make_orphans(atoi(args[0]), gate);
	close(gate[1]);
	tell("made");
	stay();
}

static void zombies(char **args)
{
	pid_t parent = start();
	for (int i = 0; parent == 0 && i < atoi(args[0]); i++)
		if (start() == 0)
			_exit(0);
	if (parent == 0)
		_exit(0);
	waitpid(parent, NULL, 0);
	tell("made");
	stay();
}

static void crowd(char **args)
{
	int gate[2];
	if (pipe(gate) < 0)
		die("assail: pipe");
	make_orphans(atoi(args[0]), gate);
	if (start() == 0)
		stay();                         /* keeps the gate shut */
}

/* ---- signals ---- */

/* SIGHUP has units read again. Real-time signals queue, one by one; the others do not. */
static void signals(char **args)
{
	static const int numbers[] = { SIGCHLD, SIGUSR1, SIGHUP, SIGUSR2, SIGPIPE, SIGALRM, SIGWINCH, SIGCONT, SIGIO, SIGURG, SIGQUIT };
	long n = atol(args[0]);
	for (long i = 0; i < n; i++) {
		int number = i % 2 ? 40 + (int)(i / 2 % 20) : numbers[i / 2 % (long)countof(numbers)];
		/* EAGAIN: the queue is full (getrlimit(2), RLIMIT_SIGPENDING) */
		while (sigqueue(1, number, (union sigval){ .sival_int = (int)i }) < 0 && errno == EAGAIN)
			usleep(100);
	}
}

/* ---- datagrams ---- */

static int connect_to(int type, const char *path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
	strncpy(at.sun_path, path, sizeof at.sun_path - 1);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&at, sizeof at) == 0)
		return fd;
	close(fd);
	return -1;
}

static void say(int fd, const char *text, size_t n, int with)
{
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(sizeof(int))];
	} along = { .head = { .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS } };
	struct iovec part = { (void *)text, n };
	struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1 };
	if (with >= 0) {
		memcpy(CMSG_DATA(&along.head), &with, sizeof with);
		m.msg_control = &along;
		m.msg_controllen = sizeof along;
	}
	while (sendmsg(fd, &m, MSG_NOSIGNAL) < 0 && (errno == ENOBUFS || errno == ETOOMANYREFS))
		usleep(1000);
}

static void flood_with_datagrams(long n)
{
	static const char *const texts[] = {
		"STATUS=flooding", "WATCHDOG=1", "EXTEND_TIMEOUT_USEC=1", "MAINPID=1", "MAINPID=4294967295", "", "ERRNO=2", "READY=1", "\n\n==\n",
		"STATUS=\nSTATUS=x\nSTATUS=", "FDSTORE=1\nFDNAME=x", "BARRIER=1", "FDSTOREREMOVE=1\nFDNAME=x", "WATCHDOG=trigger-not", "X_UNKNOWN=\1\2\3",
	};
	static char junk[65536];
	const char *path = getenv("NOTIFY_SOCKET");
	int fd = connect_to(SOCK_DGRAM, path ? path : ""), null = open("/dev/null", O_RDONLY);
	if (fd < 0)
		die("assail: NOTIFY_SOCKET");
	memset(junk, 'A', sizeof junk);
	say(fd, "READY=1", 7, -1);
	for (long i = 0; i < n; i++) {
		const char *text = texts[i % (long)countof(texts)];
		if (i % 16 == 15)
			say(fd, junk, sizeof junk, -1);
		else
			say(fd, text, strlen(text), strstr(text, "STORE=") || strstr(text, "BARRIER") ? null : -1);
	}
}

static void notify(char **args)
{
	enum { SENDERS = 8 };
	flood_with_datagrams(0);
	for (int i = 0; i < SENDERS; i++)
		if (start() == 0) {
			flood_with_datagrams(atol(args[0]) / SENDERS);
			_exit(0);
		}
	while (wait(NULL) > 0)
		;
	tell("said");
	stay();
}

/* ---- clients ---- */

static int send_request(int fd, uint8_t verb, uint8_t flags)
{
	struct request q = { .magic = PROTO_MAGIC, .version = PROTO_VERSION, .verb = verb, .flags = flags };
	return send(fd, &q, sizeof q, MSG_NOSIGNAL | MSG_DONTWAIT) == sizeof q || errno == EAGAIN;
}

static int wait_for_end(int fd)
{
	union { struct packet head; char bytes[PROTO_PACKET_MAX]; } in;
	do
		if (recv(fd, &in, sizeof in, 0) < (ssize_t)sizeof in.head)
			return 0;
	while (in.head.kind != PACKET_END);
	return 1;
}

/* Asks as often as it can without being told, and again when it is cut off. */
static _Noreturn void be_deaf(int n, const char *path, uint64_t until)
{
	int *fds = malloc((size_t)n * sizeof *fds);
	memset(fds, -1, (size_t)n * sizeof *fds);
	for (unsigned round = 0; now_us() < until; round++, usleep(1000))
		for (int i = 0; i < n && now_us() < until; i++) {
			if (fds[i] < 0)
				fds[i] = connect_to(SOCK_SEQPACKET, path);
			if (fds[i] < 0 || send_request(fds[i], (round + (unsigned)i) % 3 ? VERB_LIST : VERB_DEATHS, i % 2 ? REQUEST_FOLLOW : 0))
				continue;
			close(fds[i]);
			fds[i] = -1;
		}
	_exit(0);
}

struct tally {
	_Atomic unsigned n_answers, n_cut;
};

static _Noreturn void be_patient(const char *path, uint64_t until, struct tally *tally)
{
	int fd = -1;
	while (now_us() < until) {
		if (fd < 0)
			fd = connect_to(SOCK_SEQPACKET, path);
		if (fd >= 0 && send_request(fd, VERB_LIST, 0) && wait_for_end(fd)) {
			tally->n_answers++;
			usleep(20000);
			continue;
		}
		tally->n_cut++;
		close(fd);
		fd = -1;
	}
	_exit(0);
}

static void clients(char **args)
{
	int n_deaf = atoi(args[1]), n_patient = atoi(args[0]) - n_deaf;
	uint64_t until = now_us() + strtoull(args[2], NULL, 10) * 1000000;
	struct tally *tally = mmap(NULL, sizeof *tally, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (start() == 0)
		be_deaf(n_deaf, args[3], until);
	for (int i = 0; i < n_patient; i++)
		if (start() == 0)
			be_patient(args[3], until, tally);
	while (wait(NULL) > 0)
		;
	printf("answers %u cut %u\n", tally->n_answers, tally->n_cut);
}

/* ---- files ---- */

static const char *const broken[] = {
	"", "[Service]\n", "[Service\nExecStart", "\177ELF\1\2\3\n[]\n=\n", "[Service]\nExecStart=\"unclosed\n", "[Service]\nExecStart=relative/path\n",
	"[Unit]\nRequires=nowhere.service\n[Service]\nExecStart=/nowhere/at/all\n", "[Service]\nType=perhaps\nExecStart=/nowhere\n",
	"[Service]\nExecStart=/bin/true\nExecStart=/bin/false\n", "[Unit]\nAfter=%n\nRequires=%n\nConflicts=%n\n[Service]\nExecStart=\n",
};

/* A folder, a FIFO and a link to nowhere among them, which must not hold up whoever reads them all. */
static void put_broken(int i)
{
	char name[64];
	snprintf(name, sizeof name, "broken-%d.service", i);
	if (i == 0) {
		mkdir(name, 0755);
	} else if (i == 1) {
		mkfifo(name, 0644);
	} else if (i == 2) {
		symlink("/nowhere", name);
	} else {
		FILE *f = fopen(name, "w");
		fputs(broken[i % (int)countof(broken)], f);
		fclose(f);
	}
}

static void units(char **args)
{
	char name[64];
	if (chdir(args[0]) < 0)
		die(args[0]);
	for (int i = 0; i < atoi(args[2]); i++)
		put_broken(i);
	for (int i = 0; i < atoi(args[1]); i++) {
		snprintf(name, sizeof name, "good-%d.service", i);
		FILE *f = fopen(name, "w");
		fprintf(f, "[Unit]\nDescription=Number %d\n[Service]\nExecStart=%s\nRestart=always\n", i, args[3]);
		fclose(f);
	}
}

/* ---- the kernel's log ---- */

static void kmsg(char **args)
{
	uint64_t until = now_us() + strtoull(args[0], NULL, 10) * 1000000;
	int fd = open("/dev/kmsg", O_WRONLY), n = 0, on = open("/proc/sys/kernel/printk_devkmsg", O_WRONLY);
	char line[512];
	if (fd < 0 || write(on, "on\n", 3) != 3)  /* else ten lines in five seconds (devkmsg_write in kernel/printk/printk.c) */
		die("assail: /dev/kmsg");
	for (; now_us() < until; n++) {
		int length = n % 4 == 0 ?
			snprintf(line, sizeof line, "<6>Out of memory: Killed process %d (pause) total-vm:4kB, anon-rss:4kB, file-rss:0kB, shmem-rss:0kB", n % 400) :
			snprintf(line, sizeof line, "<6>flood %d %0*d", n, n % 300 + 1, 0);
		if (write(fd, line, (size_t)length) < 0)
			usleep(1000);
	}
	printf("lines %d\n", n);
}

/* ---- memory ---- */

static void await_stroke(void)
{
	enum { STROKE_US = 200000 };
	usleep((unsigned)(STROKE_US - now_us() % STROKE_US));
}

static void storm(char **args)
{
	enum { MB = 1 << 20 };
	await_stroke();
	if (access(args[0], F_OK) < 0)
		stay();
	for (int n = atoi(args[1]); n > 0; n--)
		memset(mmap(NULL, MB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), 0x5a, MB);
	kill(getpid(), SIGKILL);
}

static const struct way {
	const char *name;
	void (*go)(char **args);
	int n_args;
} ways[] = {
	{ "bomb", bomb, 0 }, { "orphans", orphans, 1 }, { "zombies", zombies, 1 }, { "crowd", crowd, 1 }, { "signals", signals, 1 },
	{ "notify", notify, 1 }, { "clients", clients, 4 }, { "units", units, 4 }, { "kmsg", kmsg, 1 }, { "storm", storm, 2 },
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < countof(ways); i++)
		if (strcmp(argv[1], ways[i].name) == 0 && argc == 2 + ways[i].n_args) {
			ways[i].go(argv + 2);
			return 0;
		}
	fprintf(stderr, "usage: assail WAY ..., see its source\n");
	return 2;
}
