#include "parts.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

uint64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

uint64_t now_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec < 0 ? 0 : (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

void complain(const char *format, ...)
{
	char text[512];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	dprintf(STDERR_FILENO, "oomph-log: %s\n", text);
}

static int control(struct logger *l, int op, struct source *s, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.ptr = s };
	return epoll_ctl(l->epoll, op, s->fd, &ev) < 0 ? -errno : 0;
}

int source_watch(struct logger *l, struct source *s, uint32_t events)
{
	return control(l, EPOLL_CTL_ADD, s, events);
}

int source_change(struct logger *l, struct source *s, uint32_t events)
{
	return control(l, EPOLL_CTL_MOD, s, events);
}

/* What epoll_wait() has told of it already is forgotten as well: a source may be freed as soon as it is closed. */
void source_close(struct logger *l, struct source *s)
{
	if (s->fd < 0)
		return;
	control(l, EPOLL_CTL_DEL, s, 0);
	close(s->fd);
	s->fd = -1;
	for (int i = l->told_at; i < l->n_told; i++)
		if (l->told[i].data.ptr == s)
			l->told[i].data.ptr = NULL;
}

void timer_add(struct logger *l, struct timer *t)
{
	t->next = l->timers;
	l->timers = t;
}

static int until_next_timer(const struct logger *l)
{
	uint64_t at = 0, now = now_ms();
	for (const struct timer *t = l->timers; t; t = t->next)
		if (t->at_ms && (at == 0 || t->at_ms < at))
			at = t->at_ms;
	if (at == 0)
		return -1;
	return at <= now ? 0 : at - now > 60000 ? 60000 : (int)(at - now);
}

static void run_timers(struct logger *l)
{
	uint64_t now = now_ms();
	for (struct timer *t = l->timers, *next; t; t = next) {
		next = t->next;
		if (t->at_ms == 0 || t->at_ms > now)
			continue;
		t->at_ms = 0;
		t->due(l, t);
	}
}

void log_tap(struct logger *l, struct tap *t)
{
	t->next = l->taps;
	l->taps = t;
}

void log_drain(struct logger *l, struct drain *d)
{
	d->next = l->drains;
	l->drains = d;
}

void loop_settle(struct logger *l)
{
	log_flush(l);
	for (struct tap *t = l->taps; t; t = t->next)
		if (t->flush)
			t->flush(l, t);
}

void loop_run(struct logger *l)
{
	while (!l->is_leaving) {
		loop_settle(l);
		l->n_told = epoll_wait(l->epoll, l->told, (int)countof(l->told), until_next_timer(l));
		l->round_ms = now_ms();
		for (l->told_at = 0; l->told_at < l->n_told; l->told_at++) {
			struct source *s = l->told[l->told_at].data.ptr;
			if (s)
				s->ready(l, s, l->told[l->told_at].events);
		}
		l->n_told = 0;
		run_timers(l);
	}
}
