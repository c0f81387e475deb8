/*
 * hog MB [DELAY_MS] [WAY]: allocates and touches memory a megabyte at a time, then waits for a signal. WAY:
 *     child    a forked child does so, while the parent waits for it and outlives it
 *     thread   a second thread does so, after the first has left: the kernel then kills what is no process of its own
 *     churn    having it all, it goes on touching it, so that what is swapped out comes in again
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MB (1024 * 1024)
#define PAGE 4096

static long n_mb, delay_ms;

static char *swallow_mb(void)
{
	char *p = mmap(NULL, MB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED) {
		perror("hog: mmap");
		exit(1);
	}
	/* Not zeros: no same-page merging, no zero page. */
	memset(p, 0x5a, MB);
	return p;
}

static void swallow(char **taken)
{
	struct timespec delay = { delay_ms / 1000, delay_ms % 1000 * 1000000 };

	for (long i = 0; i < n_mb; i++) {
		taken[i] = swallow_mb();
		if (delay_ms)
			nanosleep(&delay, NULL);
	}
}

static void churn(char **taken)
{
	for (;;)
		for (long i = 0; i < n_mb; i++)
			for (long at = 0; at < MB; at += PAGE)
				((volatile char *)taken[i])[at]++;
}

static void beget(void)
{
	pid_t pid = fork();

	if (pid < 0) {
		perror("hog: fork");
		exit(1);
	}
	if (pid == 0)
		return;
	waitpid(pid, NULL, 0);
	for (;;)
		pause();
}

static void *work(void *taken)
{
	swallow(taken);
	pause();
	return NULL;
}

int main(int argc, char **argv)
{
	const char *way = argc > 3 ? argv[3] : "";
	pthread_t thread;
	char **taken;

	n_mb = argc > 1 ? strtol(argv[1], NULL, 10) : 0;
	delay_ms = argc > 2 ? strtol(argv[2], NULL, 10) : 0;
	taken = n_mb > 0 ? calloc((size_t)n_mb, sizeof *taken) : NULL;
	if (!taken) {
		fprintf(stderr, "usage: hog MB [DELAY_MS] [child|thread|churn]\n");
		return 2;
	}
	if (strcmp(way, "child") == 0)
		beget();
	if (strcmp(way, "thread") == 0) {
		if (pthread_create(&thread, NULL, work, taken) != 0)
			return 1;
		syscall(SYS_exit, 0);   /* this thread alone; exit(3) would end them all */
	}
	swallow(taken);
	if (strcmp(way, "churn") == 0)
		churn(taken);
	pause();
	return 0;
}
