/*
 * The last resort: PID 1 cannot go on as it was, and must not end. Nothing is decided here any more, for that may be what it died of: it
 * reaps, and keeps how the processes of services ended for whoever comes next; it shows what it knows; and it lets itself be upgraded.
 */
#include "pid1.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

/* Nothing but to reap: not even what was known is known any more, or it was that which crashed. */
static void reap_only(void) __attribute__((noreturn));
static void reap_only(void)
{
	sigset_t death;
	sigemptyset(&death);
	sigaddset(&death, SIGCHLD);
	for (;;) {
		siginfo_t info = { .si_pid = 0 };
		while (waitid(P_ALL, 0, &info, WEXITED | WNOHANG) == 0 && info.si_pid)
			info.si_pid = 0;
		sigwaitinfo(&death, NULL);
	}
}

static void keep_death(struct pid1 *p, const siginfo_t *info)
{
	struct event death = event_of(EVENT_DEATH, NO_UNIT);
	enum role role;
	uint32_t i = spawn_find(p, (uint32_t)info->si_pid, &role);
	death.pid = (uint32_t)info->si_pid;
	death.code = (uint8_t)info->si_code;
	death.status = (uint8_t)info->si_status;
	if (p->upgrade.tester.pid == death.pid)
		upgrade_tested(p, &death);
	if (i == NO_UNIT)
		return;
	p->slots[i].process[role].code = death.code;
	p->slots[i].process[role].status = death.status;
}

static void reap_all(struct pid1 *p)
{
	struct signalfd_siginfo signals[16];
	siginfo_t info = { .si_pid = 0 };
	while (read(p->signals, signals, sizeof signals) > 0)
		;
	while (waitid(P_ALL, 0, &info, WEXITED | WNOHANG) == 0 && info.si_pid) {
		keep_death(p, &info);
		info.si_pid = 0;
	}
}

/* What is watched by it is all that we still look at; the other one waits for the next PID 1. */
static int narrow_watch(struct pid1 *p)
{
	int all = p->epoll;
	p->epoll = epoll_create1(EPOLL_CLOEXEC);
	watch(p, p->signals, EPOLLIN, SOURCE_SIGNAL, 0);
	watch(p, p->control, EPOLLIN, SOURCE_CONTROL, 0);
	for (uint32_t i = 0; i < CLIENTS_MAX; i++)
		if (p->clients[i].fd >= 0)
			watch(p, p->clients[i].fd, EPOLLIN, SOURCE_CLIENT, i);
	return all;
}

static void serve(struct pid1 *p, const struct epoll_event *ev)
{
	switch ((enum source)(ev->data.u64 >> 32)) {
	case SOURCE_CONTROL:
		control_accept(p);
		break;
	case SOURCE_CLIENT:
		control_serve(p, (uint32_t)ev->data.u64);
		break;
	default:
		break;
	}
}

static void answer(struct pid1 *p) __attribute__((noreturn));
static void answer(struct pid1 *p)
{
	enum { A_SECOND = 1000 };
	int all = narrow_watch(p), narrow = p->epoll;
	for (;;) {
		struct epoll_event ready[16];
		int n = epoll_wait(p->epoll, ready, countof(ready), A_SECOND);
		for (int i = 0; i < n; i++)
			serve(p, &ready[i]);
		reap_all(p);
		control_expire(p);
		end_late_helper(&p->upgrade.tester, now_ms());
		if (!p->upgrade.is_due)
			continue;
		p->epoll = all;
		upgrade_go(p);
		p->epoll = narrow;
	}
}

void last_resort(struct pid1 *p)
{
	union entry_space e;
	struct event ev;
	if (!p || p->reaps_only)
		reap_only();                    /* the second time */
	p->reaps_only = true;
	if (state_take(p, &e, &ev) == TAKEN_NOT)
		reap_only();
	console_say(p, "crashed too often; from here on PID 1 only reaps: see `oomphctl crashes`, and `oomphctl upgrade`", 0);
	answer(p);
}
