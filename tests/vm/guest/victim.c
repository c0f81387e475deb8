/*
 * victim WAY MB: a service that meets the OOM killer in a way that a plain hog cannot. WAY:
 *     share    another process shares its memory (clone(2), CLONE_VM); the kernel names one of the two, and kills both
 *     bind     takes its memory from NUMA node 1 alone (set_mempolicy(2), MPOL_BIND)
 *     dying    holds on to its memory when it is killed, a tracer keeping it before its end; the tracer then takes MB itself.
 *              The kernel finds that its victim is on the way out already, and neither kills nor counts it
 */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define MB (1024 * 1024)
#define MPOL_BIND 2             /* linux/mempolicy.h */

static long n_mb;

static _Noreturn void die(const char *what)
{
	perror(what);
	_exit(1);
}

static void swallow(long n)
{
	for (; n > 0; n--) {
		char *p = mmap(NULL, MB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (p == MAP_FAILED)
			die("victim: mmap");
		memset(p, 0x5a, MB);
	}
}

static _Noreturn void rest(void)
{
	for (;;)
		pause();
}

static int leak_beside(void *nothing)
{
	(void)nothing;
	swallow(n_mb);
	rest();
}

static _Noreturn void share(void)
{
	static char stack[65536] __attribute__((aligned(16)));

	if (clone(leak_beside, stack + sizeof stack, CLONE_VM | SIGCHLD, NULL) < 0)
		die("victim: clone");
	rest();
}

static _Noreturn void bind_to_node_1(void)
{
	unsigned long nodes = 1 << 1;

	if (syscall(SYS_set_mempolicy, MPOL_BIND, &nodes, sizeof nodes * 8) < 0)
		die("victim: set_mempolicy");
	swallow(n_mb);
	rest();
}

/* Keeps the other one before its end until that has been looked for as a victim. */
static _Noreturn void trace(pid_t pid, int ready)
{
	int status;

	if (ptrace(PTRACE_SEIZE, pid, NULL, PTRACE_O_TRACEEXIT) < 0 || write(ready, "", 1) != 1)
		die("victim: ptrace");
	do {
		if (waitpid(pid, &status, 0) < 0)
			die("victim: waitpid");
	} while (status >> 8 != (SIGTRAP | PTRACE_EVENT_EXIT << 8));
	swallow(n_mb);
	system("cp /sys/fs/cgroup$(cut -d: -f3 /proc/self/cgroup)/memory.events /tmp/dying.events");
	_exit(0);
}

static _Noreturn void be_kept_dying(void)
{
	int ready[2];
	char byte;
	pid_t self = getpid();

	if (pipe(ready) < 0)
		die("victim: pipe");
	if (fork() == 0)
		trace(self, ready[1]);
	if (read(ready[0], &byte, 1) != 1)
		die("victim: read");
	swallow(n_mb);
	if (creat("/tmp/dying.ready", 0644) < 0)
		die("victim: creat");
	rest();
}

int main(int argc, char **argv)
{
	n_mb = argc == 3 ? strtol(argv[2], NULL, 10) : 0;
	if (n_mb > 0 && strcmp(argv[1], "share") == 0)
		share();
	if (n_mb > 0 && strcmp(argv[1], "bind") == 0)
		bind_to_node_1();
	if (n_mb > 0 && strcmp(argv[1], "dying") == 0)
		be_kept_dying();
	fprintf(stderr, "usage: victim share|bind|dying MB\n");
	return 2;
}
