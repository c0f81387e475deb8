#include "attempt.h"

#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

struct attempt *attempt_new(void)
{
	void *p = mmap(NULL, sizeof(struct attempt), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return p == MAP_FAILED ? NULL : p;
}

void attempt_world(struct attempt *a, uint64_t seed, uint64_t most_steps)
{
	struct world *w = &a->world;
	bool is_told = w->is_told;
	FILE *events = w->events;
	struct stream *replay = w->replay;
	setitimer(ITIMER_VIRTUAL, &(struct itimerval){ .it_value.tv_sec = WORLD_SECONDS }, NULL);
	memset(w, 0, sizeof *w);
	w->seed = seed;
	w->most_steps = most_steps;
	w->choices = &a->choices;
	w->is_told = is_told;
	w->events = events;
	w->replay = replay;
	world_run(w);
}

void attempt_break(struct attempt *a, const char *rule, const char *format, va_list args)
{
	snprintf(a->rule, sizeof a->rule, "%s", rule);
	vsnprintf(a->words, sizeof a->words, format, args);
	fflush(NULL);
	_exit(1);
}

/* What a sanitizer has to say is said once, by the world that was not shrunk. */
static void be_quiet(void)
{
	int null = open("/dev/null", O_WRONLY);
	dup2(null, 1);
	dup2(null, 2);
	close(null);
}

enum fate attempt_apart(struct attempt *a, void (*what)(struct attempt *), bool is_quiet)
{
	int status = 0;
	a->rule[0] = a->words[0] = '\0';
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		if (is_quiet)
			be_quiet();
		what(a);
		fflush(NULL);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return FATE_CRASHED;
	if (a->rule[0])
		return FATE_BROKEN;
	return status == 0 ? FATE_WELL : FATE_CRASHED;
}
