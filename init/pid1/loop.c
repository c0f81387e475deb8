/* One place waits, and it is here. */
#include "pid1.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

static uint64_t clock_ms(clockid_t clock)
{
	struct timespec t;
	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

uint64_t now_ms(void)
{
	return clock_ms(CLOCK_MONOTONIC) + 1;   /* never 0, which means `none` in every *_at */
}

uint64_t wall_ms(void)
{
	return clock_ms(CLOCK_REALTIME);
}

struct event event_of(enum event_kind kind, uint32_t service)
{
	return (struct event){ .kind = (uint8_t)kind, .service = service, .client = NO_CLIENT };
}

int watch(struct pid1 *p, int fd, uint32_t epoll_events, enum source source, uint32_t number)
{
	struct epoll_event ev = { .events = epoll_events, .data.u64 = (uint64_t)source << 32 | number };
	if (epoll_ctl(p->epoll, EPOLL_CTL_ADD, fd, &ev) == 0 ||
	    (errno == EEXIST && epoll_ctl(p->epoll, EPOLL_CTL_MOD, fd, &ev) == 0))
		return 0;
	return -errno;
}

/*
 * close(2) alone does not end a watch as long as anybody has a copy of the descriptor (epoll(7), Questions and answers), and
 * a child between clone and exec has one of each. Should it hang there, on a FIFO say, epoll would report for ever what
 * nobody could take off its list any more.
 */
void unwatch(struct pid1 *p, int *fd)
{
	if (*fd >= 0)
		epoll_ctl(p->epoll, EPOLL_CTL_DEL, *fd, NULL);
	close_fd(fd);
}

/* FX_POWER is the end, and it stands behind the notes of the same step: the last death is told like any other. */
static bool comes_last(const struct effect *e)
{
	return e->kind == FX_NOTE || e->kind == FX_POWER;
}

/* Of one that a crash has cut short, only the child stays; what it had queued is queued again. */
static void begin_effect(struct pid1 *p, uint32_t n)
{
	if (p->hand.at == n) {
		p->n_put = p->hand.n_put;
		return;
	}
	p->hand.pid = 0;
	p->hand.n_put = p->n_put;
	atomic_signal_fence(memory_order_seq_cst);
	p->hand.at = n;
}

/*
 * First what is done, then what is said of it: a console may be slow, and a service waits for its successor. What was done of it before
 * a crash is not done again.
 */
static void perform(struct pid1 *p, const struct event *ev, const struct effects *fx)
{
	uint32_t n = 0;
	if (fx->n && ev->kind != EVENT_UPGRADED)
		upgrade_commit(p);
	for (int is_last = 0; is_last < 2; is_last++)
		for (uint32_t i = 0; i < fx->n; i++) {
			if (comes_last(&fx->list[i]) != is_last || n++ < p->hand.n_done)
				continue;
			begin_effect(p, n);
			carry_out(p, &fx->list[i]);
			p->hand.n_done = n;
		}
	p->is_unsettled |= fx->is_unsettled;
	p->hand.done = p->hand.number;
}

static void step(struct pid1 *p, struct event *ev, bool is_queued)
{
	struct effects fx;
	ev->now_ms = now_ms();
	ev->wall_ms = wall_ms();
	state_note(p, ev, is_queued);
	core_step(p->core, p->units, ev, &fx);
	perform(p, ev, &fx);
}

static bool enqueue(struct pid1 *p, const struct event *ev)
{
	if (p->n_put - p->n_taken >= EVENTS_QUEUED_MAX)
		return false;
	p->queue[p->n_put % EVENTS_QUEUED_MAX] = *ev;
	atomic_signal_fence(memory_order_seq_cst);
	p->n_put++;
	return true;
}

/*
 * Until nothing is left to do. Thousands of services may settle after one event, though, and clients wait meanwhile: what is left
 * after a while is for the next turn. The core has it in its queues, and minds no event that comes before the tick. All events of a turn share
 * that while: a hundred of them may be at hand.
 */
static void settle(struct pid1 *p)
{
	for (;;) {
		struct event ev = event_of(EVENT_TICK, NO_UNIT);
		bool is_queued = p->n_put != p->n_taken;
		if (is_queued) {
			ev = p->queue[p->n_taken % EVENTS_QUEUED_MAX];
		} else if (p->wants_adopt) {
			loader_adopt(p);        /* only now: nothing holds an index of the old set any more */
			p->wants_adopt = false;
			continue;
		} else if (!p->is_unsettled || p->core->now_ms >= p->settles_until) {
			return;
		} else {
			p->is_unsettled = false;
		}
		step(p, &ev, is_queued);
	}
}

void feed(struct pid1 *p, struct event *ev)
{
	if (p->is_feeding && enqueue(p, ev))
		return;
	bool was_feeding = p->is_feeding;       /* with a full queue: rather out of order than lost */
	struct event now = *ev;
	p->is_feeding = true;
	step(p, &now, false);
	settle(p);
	p->is_feeding = was_feeding;
}

void feed_last(struct pid1 *p, struct event *ev)
{
	p->intake.closes = true;
	feed(p, ev);
}

void feed_again(struct pid1 *p, struct event *in_hand)
{
	struct effects fx;
	p->is_feeding = true;
	if (in_hand) {
		core_step(p->core, p->units, in_hand, &fx);
		perform(p, in_hand, &fx);
	}
	p->is_unsettled = true;
	settle(p);
	p->is_feeding = false;
}

/* ---- waiting ---- */

void intake_begin(struct pid1 *p, enum intake_kind kind)
{
	p->intake.kind = INTAKE_NONE;
	memset(&p->intake.of, 0, sizeof p->intake.of);
	p->intake.number++;
	p->intake.kind = (uint8_t)kind;
}

void loop_signal(struct pid1 *p, int number)
{
	struct event ev = event_of(EVENT_SIGNAL, NO_UNIT);
	ev.argument = number;
	if (number == SIGCHLD)
		p->has_more_dead = true;
	else
		feed_last(p, &ev);
}

/* One at a time, so that none is lost to a crash. */
static void on_signal(struct pid1 *p)
{
	enum { SIGNALS_A_TURN = 16 };
	struct signalfd_siginfo *info = &p->intake.of.signal;
	for (int n = 0; n < SIGNALS_A_TURN; n++) {
		intake_begin(p, INTAKE_SIGNAL);
		if (read(p->signals, info, sizeof *info) != sizeof *info)
			break;
		loop_signal(p, (int)info->ssi_signo);
	}
	p->intake.kind = INTAKE_NONE;
}

void loop_counter(struct pid1 *p, uint32_t service)
{
	struct event ev = event_of(EVENT_COUNTER, service);
	const struct core *core = p->core;
	kmsg_drain(p);                          /* whose death it was is told there; the count alone does not know */
	if (p->core != core)
		return;                         /* the number means another service now: the caller looks again */
	if (cgroup_count(p, service, &ev.counter))
		feed(p, &ev);
}

void loop_populated(struct pid1 *p, uint32_t service)
{
	struct event ev = event_of(EVENT_EMPTY, service);
	if (!cgroup_is_populated(p, service))
		feed(p, &ev);
}

static void serve(struct pid1 *p, enum source source, uint32_t number)
{
	p->source = (uint8_t)source;
	switch (source) {
	case SOURCE_SIGNAL:
		on_signal(p);
		break;
	case SOURCE_KMSG:
		kmsg_serve(p);
		break;
	case SOURCE_CONTROL:
		control_accept(p);
		break;
	case SOURCE_CLIENT:
		control_serve(p, number);
		break;
	case SOURCE_NOTIFY:
		notify_read(p);
		break;
	case SOURCE_FILES:
		loader_files_changed(p);
		break;
	case SOURCE_CGROUP:
		cgroup_serve(p);
		break;
	case SOURCE_REPORT:
		spawn_read_report(p);
		break;
	case SOURCE_EXEC:
		spawn_execed(p, number);
		break;
	case SOURCE_READY:
		spawn_read_ready(p, number);
		break;
	case N_SOURCE:
		break;
	}
}

/* For epoll_wait(2): ms, or -1 for ever, which is what an idle machine gets. */
static int patience(struct pid1 *p)
{
	uint64_t at = earlier(core_deadline(p->core), control_deadline(p));
	uint64_t helpers[] = {
		p->closer.deadline_at, p->loader.deadline_at, p->halter.deadline_at, incident_deadline(p), upgrade_deadline(p), p->leave_at,
		p->doors.again_at,
	};
	for (size_t i = 0; i < countof(helpers); i++)
		at = earlier(at, helpers[i]);
	uint64_t now = now_ms();
	if (p->has_more_dead || p->sweeps[0].number || p->is_unsettled || (at && at <= now))
		return 0;
	return at == 0 ? -1 : at - now < INT_MAX ? (int)(at - now) : INT_MAX;
}

void end_late_helper(struct helper *helper, uint64_t now)
{
	if (helper->deadline_at == 0 || helper->deadline_at > now)
		return;
	kill((pid_t)helper->pid, SIGKILL);      /* its death is told as any other */
	helper->deadline_at = 0;
}

static void on_time(struct pid1 *p)
{
	uint64_t now = now_ms(), due = core_deadline(p->core);
	struct event ev = event_of(EVENT_TICK, NO_UNIT);
	if (p->is_unsettled || (due && due <= now))
		feed(p, &ev);
	if (p->doors.again_at && p->doors.again_at <= now)
		boot_open_doors(p);
	end_late_helper(&p->loader, now);
	end_late_helper(&p->halter, now);
	end_late_helper(&p->incidents.recorder, now);
	end_late_helper(&p->upgrade.tester, now);
	upgrade_expire(p);
	control_expire(p);
	store_expire(p);
}

void loop(struct pid1 *p)
{
	for (;;) {
		p->source = N_SOURCE;
		struct epoll_event ready[32];
		int n = epoll_wait(p->epoll, ready, countof(ready), patience(p));
		const struct core *core = p->core;
		p->settles_until = now_ms() + TURN_MS;
		/* Once another set is in force the numbers of this batch mean other services; what is left is reported again. */
		for (int i = 0; i < n && p->core == core; i++)
			serve(p, (enum source)(ready[i].data.u64 >> 32), (uint32_t)ready[i].data.u64);
		if (p->has_more_dead)
			reap(p);
		reap_sweep(p, now_ms() + TURN_MS);
		if (p->shared.is_stale)
			counters_read(p);       /* what was counted before a launch is not about whom it launched */
		on_time(p);
		if (p->logs.has_news)
			control_logs(p);
		incident_serve(p);
		if (p->upgrade.is_due)
			upgrade_go(p);
		if (p->leave_at && (!p->incidents.recorder.pid || p->leave_at <= now_ms()))
			_exit(p->leave_status);
	}
}
