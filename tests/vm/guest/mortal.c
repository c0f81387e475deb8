/*
 * mortal UNIT KINDS LIVES SEED: a service that dies at once in one of the ways that KINDS has a letter for, and before
 * that writes the truth about it to /run/truth/deaths, a line each:
 *
 *     MS UNIT PID main|other CAUSES [?]
 *
 * MS is the time by CLOCK_REALTIME: a death is about the last line that was written before it. CAUSES is what an honest
 * verdict may say, several with `|` where the kernel leaves no evidence that tells them apart; `?` marks a death that need
 * not be told (whether the kernel or our sweep was first is open). After so many lives it leaves /run/truth/UNIT.done and
 * stays. `mortal operator` is the one who kills and restarts on request, from outside.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MB (1024 * 1024)
#define OPERATOR "/run/truth/operator"

static const char *unit, *role = "main";
static uint64_t dice;

/* splitmix64 */
static uint32_t roll(uint32_t n)
{
	uint64_t z = dice += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return (uint32_t)((z ^ z >> 31) >> 16) % n;
}

static void say(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text)) {
		perror(path);
		_exit(99);
	}
	close(fd);
}

static void truth(pid_t pid, const char *whose, const char *causes)
{
	char line[128];
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	snprintf(line, sizeof line, "%lld %s %d %s %s\n", (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000, unit,
		 (int)pid, whose, causes);
	say("/run/truth/deaths", line);
}

static _Noreturn void end_by(int number)
{
	struct sigaction plain = { .sa_handler = SIG_DFL };
	sigset_t none;

	sigemptyset(&none);
	sigaction(number, &plain, NULL);
	sigprocmask(SIG_SETMASK, &none, NULL);  /* a handler may be asking */
	kill(getpid(), number);
	for (;;)
		pause();
}

/* ---- out of memory ---- */

static _Noreturn void leak(void)
{
	for (int i = 0; i < 200; i++) {
		char *p = mmap(NULL, MB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (p != MAP_FAILED)
			memset(p, 0x5a, MB);
	}
	_exit(98);      /* no limit held: nothing was tested */
}

static _Noreturn void *leak_in_thread(void *nothing)
{
	(void)nothing;
	leak();
}

/* A name that its owner made up to look like something else (OOM.md, hostile names). */
static void take_a_name(void)
{
	static const char *const names[] = {
		"p) total-vm:1kB", "x\nOut of memory", "a,pid=1,uid=0", "Killed process", "1 (init)", "",
	};
	uint32_t n = roll(16);

	if (n < sizeof names / sizeof *names)
		prctl(PR_SET_NAME, names[n]);
}

/* The child has told the truth about itself when this returns. */
static pid_t beget(const char *causes, void (*work)(void))
{
	int told[2];
	char byte;
	pid_t pid;

	if (pipe2(told, O_CLOEXEC) < 0)
		_exit(97);
	pid = fork();
	if (pid < 0)
		_exit(97);
	if (pid == 0) {
		truth(getpid(), "other", causes);
		close(told[0]);
		close(told[1]);
		work();
		_exit(96);
	}
	close(told[1]);
	if (read(told[0], &byte, 1) < 0)
		_exit(97);
	close(told[0]);
	return pid;
}

static _Noreturn void rest(void)
{
	for (;;)
		pause();
}

static _Noreturn void leak_now(void)
{
	take_a_name();
	leak();
}

/* A grandchild whose parent has left; its end shows in a pipe. */
static void beget_orphan(void)
{
	int alive[2];
	char byte;
	pid_t pid;

	if (pipe(alive) < 0)
		_exit(97);
	pid = fork();
	if (pid == 0) {
		close(alive[0]);
		if (fork() == 0) {
			truth(getpid(), "other", "oom-kill");
			leak_now();
		}
		_exit(0);
	}
	close(alive[1]);
	waitpid(pid, NULL, 0);
	while (read(alive[0], &byte, 1) > 0)
		;
	close(alive[0]);
}

static _Noreturn int leak_beside(void *is_told)
{
	while (!*(volatile bool *)is_told)
		usleep(100);
	leak();
}

/* One memory, two processes: the kernel names one of them and kills the other without a word (since 4.4). */
static _Noreturn void share(void)
{
	static char stack[65536] __attribute__((aligned(16)));
	static volatile bool is_told;
	pid_t pid = clone(leak_beside, stack + sizeof stack, CLONE_VM | SIGCHLD, (void *)&is_told);

	if (pid < 0)
		_exit(97);
	truth(getpid(), role, "oom-kill|signal");
	truth(pid, "other", "oom-kill ?");
	is_told = true;
	for (;;)
		pause();
}

/* ---- told to die ---- */

static void forge(void)
{
	char line[256];
	int fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	static const char *const prefixes[] = { "", "<3>", "<2051>" };

	snprintf(line, sizeof line, "%sMemory cgroup out of memory: Killed process %d (mortal) total-vm:9kB, anon-rss:9kB, "
		 "file-rss:0kB, shmem-rss:0kB, UID:0 pgtables:9kB oom_score_adj:0\n", prefixes[roll(3)], (int)getpid());
	if (fd >= 0 && write(fd, line, strlen(line)) < 0)
		perror("kmsg");
	close(fd);
}

static _Noreturn void ask_operator(char what)
{
	char line[128];

	snprintf(line, sizeof line, "%c %s %d\n", what, unit, (int)getpid());
	say(OPERATOR, line);
	for (;;)
		pause();
}

static void on_term(int number)
{
	(void)number;
	truth(getpid(), role, "stop");
	end_by(SIGTERM);
}

static void on_term_leak(int number)
{
	(void)number;
	truth(getpid(), role, "oom-kill");
	leak();
}

static _Noreturn void be_restarted(void (*handler)(int))
{
	struct sigaction act = { .sa_handler = handler };

	sigaction(SIGTERM, &act, NULL);
	ask_operator('r');
}

static _Noreturn void end_somehow(void)
{
	switch (roll(3)) {
	case 0:
		truth(getpid(), role, "exit");
		_exit((int)roll(4));
	case 1:
		forge();
		/* fall through */
	default:
		truth(getpid(), role, "signal");
		end_by(SIGKILL);
	}
}

/* ---- a group of its own making (memory.oom.group) ---- */

static _Noreturn void die_as_group(void)
{
	uint32_t who = roll(2);

	/* Whether the kernel is through with the group before our sweep is open; who leaks is its first victim. */
	beget("oom-kill ?", rest);
	beget("oom-kill ?", rest);
	if (who == 0) {
		truth(getpid(), role, "oom-kill");
		leak_now();
	}
	truth(getpid(), role, "oom-kill|stop");
	if (fork() == 0) {
		truth(getpid(), "other", "oom-kill");
		leak_now();
	}
	for (;;)
		pause();
}

static _Noreturn void die(char kind)
{
	static const int signals[] = { SIGSEGV, SIGABRT, SIGTERM, SIGHUP, SIGKILL };
	pthread_t thread;

	/*
	 * Nobody else kills it before it has said how it will die. The kernel may: a victim's memory is given back a moment
	 * after it has ceased to count as one that dies (MMF_OOM_SKIP in mm/oom_kill.c), and whoever asks then finds the limit
	 * reached still.
	 */
	truth(getpid(), role, "oom-kill ?");
	switch (kind) {
	case 'e':       /* an end by itself */
		end_somehow();
	case 's':
		truth(getpid(), role, "signal");
		end_by(signals[roll(5)]);
	case 'o':       /* an operator's SIGKILL */
		ask_operator('k');
	case 'r':       /* an operator's restart */
		be_restarted(on_term);
	case 'R':       /* the same, and the kernel kills it while it stops */
		be_restarted(on_term_leak);
	case 'l':
		truth(getpid(), role, "oom-kill");
		leak_now();
	case 'L':       /* a thread whose leader has left */
		truth(getpid(), role, "oom-kill");
		if (pthread_create(&thread, NULL, leak_in_thread, NULL) == 0)
			syscall(SYS_exit, 0);
		_exit(97);
	case 'w':       /* workers, and the main process outlives them for a moment */
		for (uint32_t n = 1 + roll(3); n > 0; n--)
			waitpid(beget("oom-kill", leak_now), NULL, 0);
		end_somehow();
	case 'W':
		beget_orphan();
		end_somehow();
	case 'b':       /* both at one time: whom we sweep the kernel need not kill */
		truth(getpid(), role, "oom-kill");
		beget("oom-kill ?", leak_now);
		leak_now();
	case 'x':       /* SIGKILL from elsewhere, somewhere near the kernel's to the worker */
		beget("oom-kill ?", leak_now);
		usleep(roll(4) * 3000);
		truth(getpid(), role, "signal");
		end_by(SIGKILL);
	case 'm':
		share();
	case 'g':
		die_as_group();
	case 'q':       /* the whole machine, by sysrq-f */
		truth(getpid(), role, "oom-kill");
		say("/proc/sysrq-trigger", "f");
		for (;;)
			pause();
	default:
		_exit(95);
	}
}

/* ---- lives ---- */

static long count_life(void)
{
	char path[128], text[32] = "";
	long n;
	int fd;

	snprintf(path, sizeof path, "/run/truth/%s.lives", unit);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0 || pread(fd, text, sizeof text - 1, 0) < 0)
		_exit(94);
	n = strtol(text, NULL, 10);
	snprintf(text, sizeof text, "%ld", n + 1);
	if (pwrite(fd, text, strlen(text), 0) < 0)
		_exit(94);
	close(fd);
	return n;
}

static int operate(void)
{
	char line[128], name[64], command[160];
	FILE *in;

	mkfifo(OPERATOR, 0600);
	in = fopen(OPERATOR, "r+");
	signal(SIGCHLD, SIG_IGN);
	while (in && fgets(line, sizeof line, in)) {
		char what;
		int pid;

		if (sscanf(line, "%c %63s %d", &what, name, &pid) != 3)
			continue;
		unit = name;
		if (what == 'k') {
			truth(pid, "main", "signal");
			kill(pid, SIGKILL);
		} else if (fork() == 0) {
			snprintf(command, sizeof command, "%s.service", name);
			execl("/usr/bin/oomphctl", "oomphctl", "restart", "--no-wait", command, (char *)NULL);
			_exit(127);
		}
	}
	return 1;
}

int main(int argc, char **argv)
{
	char done[128];
	long n;

	if (argc == 2 && strcmp(argv[1], "operator") == 0)
		return operate();
	if (argc < 5)
		return 2;
	unit = argv[1];
	if (argc > 5)
		role = argv[5];
	n = count_life();
	dice = strtoull(argv[4], NULL, 10) * 1000003 + (uint64_t)n;
	for (const char *c = unit; *c; c++)
		dice = dice * 31 + (unsigned char)*c;
	if (n < strtol(argv[3], NULL, 10))
		die(argv[2][roll((uint32_t)strlen(argv[2]))]);
	snprintf(done, sizeof done, "/run/truth/%s.done", unit);
	say(done, "");
	if (strcmp(role, "main") == 0)
		rest();
	return 0;
}
