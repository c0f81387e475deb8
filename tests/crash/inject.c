/*
 * core_step() with bugs, for an oomph that has to come back from them: linked with ld(1), --wrap=core_step. A file asks for one:
 * "EVENT HOW TIMES AFTER", the event's kind (event_kind_name), one of `hows`, how often, and how many such events go well before. Numbers
 * are counted down in the file itself, so that they outlive whoever dies of it.
 */
#include "lib/core.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const char *const files[] = { "/mnt/crash", "/run/crash" };

static volatile int zero;
static int *volatile nowhere = (int *)16;

static void segv(void) { *nowhere = 1; }
static void bus(void) { *(volatile int *)mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, memfd_create("empty", 0), 0) = 1; }
static void ill(void) { __builtin_trap(); }
static void fpe(void) { zero = 7 / zero; }
static void hang(void) { for (;;) zero = 0; }

static const struct {
	const char *name;
	void (*act)(void);
} hows[] = { { "SIGSEGV", segv }, { "SIGBUS", bus }, { "SIGILL", ill }, { "SIGFPE", fpe }, { "SIGABRT", abort }, { "hang", hang } };

/* The bug that is due now, or NULL. */
static void (*due(const struct event *ev))(void)
{
	char text[64] = "", *word[4];
	int fd = open(files[0], O_RDWR);
	if (fd < 0)
		fd = open(files[1], O_RDWR);
	if (fd < 0)
		return NULL;
	void (*act)(void) = NULL;
	if (read(fd, text, sizeof text - 1) > 0 && (word[0] = strtok(text, " \n")) && (word[1] = strtok(NULL, " \n")) &&
	    (word[2] = strtok(NULL, " \n")) && (word[3] = strtok(NULL, " \n")) && strcmp(word[0], event_kind_name[ev->kind]) == 0) {
		int n = atoi(word[2]), after = atoi(word[3]);
		for (size_t i = 0; i < sizeof hows / sizeof hows[0] && after == 0 && n > 0; i++)
			if (strcmp(hows[i].name, word[1]) == 0)
				act = hows[i].act;
		char left[64];
		int size = snprintf(left, sizeof left, "%s %s %d %d\n%20s", word[0], word[1], after == 0 && n > 0 ? n - 1 : n, after > 0 ? after - 1 : 0, "");
		if (pwrite(fd, left, (size_t)size, 0) < 0)
			act = NULL;
	}
	close(fd);
	return act;
}

void __real_core_step(struct core *c, struct unitset units, const struct event *ev, struct effects *fx);
void __wrap_core_step(struct core *c, struct unitset units, const struct event *ev, struct effects *fx);
void __wrap_core_step(struct core *c, struct unitset units, const struct event *ev, struct effects *fx)
{
	void (*act)(void) = due(ev);
	if (act)
		act();
	__real_core_step(c, units, ev, fx);
}
