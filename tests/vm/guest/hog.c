/*
 * hog MB [DELAY_MS] [child]: allocates and touches memory a megabyte at a time, then waits for a signal. With
 * `child` a forked child does so while the parent waits, and the parent outlives it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MB (1024 * 1024)

static void swallow(long n_mb, long delay_ms)
{
	struct timespec delay = { delay_ms / 1000, delay_ms % 1000 * 1000000 };

	for (long i = 0; i < n_mb; i++) {
		char *p = mmap(NULL, MB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (p == MAP_FAILED) {
			perror("hog: mmap");
			exit(1);
		}
		/* Not zeros: no same-page merging, no zero page. */
		memset(p, (int)(i | 1), MB);
		if (delay_ms)
			nanosleep(&delay, NULL);
	}
}

int main(int argc, char **argv)
{
	long n_mb = argc > 1 ? strtol(argv[1], NULL, 10) : 0, delay_ms = argc > 2 ? strtol(argv[2], NULL, 10) : 0;
	int status;

	if (n_mb <= 0) {
		fprintf(stderr, "usage: hog MB [DELAY_MS] [child]\n");
		return 2;
	}
	if (argc > 3 && strcmp(argv[3], "child") == 0) {
		pid_t pid = fork();

		if (pid < 0) {
			perror("hog: fork");
			return 1;
		}
		if (pid > 0) {
			waitpid(pid, &status, 0);
			pause();
		}
	}
	swallow(n_mb, delay_ms);
	pause();
	return 0;
}
