/*
 * Coming back. What we find is a process with its children and descriptors, the memory that PID 1 kept beside itself, and perhaps one
 * event that was in the middle of being dealt with. The core is made anew from its image and journal; everything else is compared with
 * what the kernel says: children with waitid(2), descriptors with /proc/self/fd. Then it goes on where it was.
 */
#include "pid1.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

/* ---- children ---- */

/* A number that we have not reaped is nobody else's, so a child of ours by that number is the one we knew. */
static bool is_child(uint32_t pid)
{
	siginfo_t info;
	return pid && waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

static void forget_helpers(struct pid1 *p)
{
	if (p->loader.pid && !is_child(p->loader.pid))
		loader_forget(p);
	if (p->halter.pid && !is_child(p->halter.pid))
		p->halter = (struct helper){ 0 };
	if (p->incidents.recorder.pid && !is_child(p->incidents.recorder.pid))
		p->incidents.recorder = (struct helper){ 0 };
	if (p->upgrade.tester.pid && !is_child(p->upgrade.tester.pid))
		p->upgrade.tester = (struct helper){ 0 };
	if (p->closer.pid && !is_child(p->closer.pid))
		store_closed(p);
}

/* Its end has come while nobody looked. Of how, nothing more is known than the last resort saw; of one that it did not see, nothing. */
static void tell_missed(struct pid1 *p, uint32_t service, const struct process *process)
{
	struct event ev = event_of(EVENT_DEATH, service);
	ev.pid = process->pid;
	ev.code = process->code ? process->code : CLD_KILLED;
	ev.status = process->code ? process->status : SIGKILL;
	ev.is_empty = reap_is_empty(p, service, process->pid);
	feed(p, &ev);
}

static void adopt_children(struct pid1 *p)
{
	for (uint32_t i = 0; i < p->n_slots; i++)
		for (int role = ROLE_MAIN; role <= ROLE_CONTROL; role++) {
			const struct process was = p->slots[i].process[role];
			if (was.pid == 0 || is_child(was.pid))
				continue;
			p->slots[i].process[role] = (struct process){ .session = was.session };
			tell_missed(p, i, &was);
		}
}

/* ---- descriptors ---- */

/* Those we know of, a bit each. Anything else was on its way to us, or from us. */
#define DESCRIPTORS_MOST (1u << 19)     /* as boot_process() has it */
struct known {
	struct pid1 *p;
	uint8_t bits[DESCRIPTORS_MOST / 8];
};

static void mark(struct known *k, int fd)
{
	if (fd >= 0 && (uint32_t)fd < DESCRIPTORS_MOST)
		k->bits[fd / 8] |= (uint8_t)(1 << fd % 8);
}

static void mark_all(struct known *k)
{
	const struct pid1 *p = k->p;
	const struct set *set = &p->sets[p->which];
	const int own[] = {
		0, 1, 2, p->self, p->store_memory, p->program, p->upgrade.program, p->upgrade.before, p->upgrade.state_before, p->loaded_units, set->units, set->core, set->slots, set->image, p->loading,
		p->reports[0], p->reports[1], p->epoll, p->signals, p->kmsg, p->control, p->notify, p->files, p->console, p->cgroup_events,
		p->senders, p->sender_probe, p->end_probe, p->null, p->idle[0], p->idle[1], p->cgroups, p->shared.file,
		p->incidents.ring, p->incidents.for_readers,
	};
	for (size_t n = 0; n < countof(own); n++)
		mark(k, own[n]);
	for (uint32_t i = 0; i < CLIENTS_MAX; i++)
		mark(k, p->clients[i].fd);
	for (uint32_t n = 0; n < p->n_store; n++)
		mark(k, p->store[n].fd);
	for (uint32_t i = 0; i < p->n_slots; i++) {
		mark(k, p->slots[i].ready);
		mark(k, p->slots[i].exec);
		mark(k, p->slots[i].logs[LOG_OUT].fd);
		mark(k, p->slots[i].logs[LOG_ERR].fd);
	}
}

static bool discard_unknown(void *to, uint32_t number)
{
	struct known *k = to;
	int fd = (int)number;
	if (number < DESCRIPTORS_MOST && !(k->bits[number / 8] & 1 << number % 8))
		store_discard(k->p, &fd, 1);
	return true;
}

/* Unknown ones are closed, by somebody who may wait for it. They keep their number till then, so the list does not change under us. */
void recover_sweep(struct pid1 *p)
{
	struct known *k = mmap(NULL, sizeof *k, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (k == MAP_FAILED)
		return;
	k->p = p;
	mark_all(k);
	each_number("/proc/self/fd", discard_unknown, k);
	munmap(k, sizeof *k);
	store_purge(p);
}

/* ---- what was under way ---- */

/* What was taken from the kernel, by its kind; what is zero was not taken. */
static void resume_intake(struct pid1 *p)
{
	union intake_space of = p->intake.of;
	switch ((enum intake_kind)p->intake.kind) {
	case INTAKE_DEATH:
		if (of.death.pid && !is_child(of.death.pid))
			reap_over(p, &of.death);
		break;
	case INTAKE_REPORT:
		if (of.report.pid)
			spawn_take_report(p, &of.report);
		break;
	case INTAKE_SIGNAL:
		if (of.signal.ssi_signo)
			loop_signal(p, (int)of.signal.ssi_signo);
		break;
	case INTAKE_REQUEST:
		if (of.request.request.magic && of.request.client < CLIENTS_MAX && p->clients[of.request.client].fd >= 0 &&
		    !request_check(&of.request.request, sizeof of.request.request))
			control_take(p, of.request.client, &of.request.request, -1);
		break;
	case INTAKE_DATAGRAM:
		if (p->scratch[0] && of.datagram.pid)
			notify_take(p, str_from(p->scratch), &of.datagram);
		break;
	case INTAKE_RECORD:
		if (p->scratch[0])
			kmsg_take_record(p, str_from(p->scratch));
		break;
	case INTAKE_KILL:
		if (of.kill.victim.seq > p->core->newest_seq)
			kmsg_take_news(p);
		break;
	case INTAKE_NONE:
	case N_INTAKE_KIND:
		break;
	}
	p->intake.kind = INTAKE_NONE;
}

/* One death whose evidence kills us: it is reaped for its status alone. */
static void reap_blindly(struct pid1 *p, uint32_t pid)
{
	struct event ev = event_of(EVENT_DEATH, NO_UNIT);
	siginfo_t info = { .si_pid = 0 };
	enum role role;
	if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG) < 0 || info.si_pid == 0)
		return;
	ev.pid = pid;
	ev.code = (uint8_t)info.si_code;
	ev.status = (uint8_t)info.si_status;
	ev.service = spawn_find(p, pid, &role);
	reap_over(p, &ev);
}

/* What has killed us twice is given up. */
static void drop(struct pid1 *p, const struct crash *crash, union entry_space *in_hand)
{
	if (in_hand)
		state_drop(p, in_hand);
	feed_again(p, NULL);
	if (!in_hand && !crash->intake && crash->dying)
		reap_blindly(p, crash->dying);
	if (in_hand || crash->intake)
		p->intake.kind = INTAKE_NONE;
	else
		resume_intake(p);
}

static void name_event(struct pid1 *p, struct crash *c, const struct entry *e)
{
	const struct unit *u = unitset_unit(p->units, e->event.service);
	struct str name = u ? unitset_text(p->units, u->name) : STR("");
	c->number = e->number;
	c->event = e->event.kind;
	memcpy(c->unit, name.p, name.n < sizeof c->unit ? name.n : sizeof c->unit - 1);
}

static void tell(struct pid1 *p, struct crash *c, uint32_t service, uint32_t pid)
{
	struct event ev = event_of(EVENT_CRASHED, service);
	ev.argument = c->signal;
	ev.status = c->event;
	ev.is_ok = c->is_dropped;
	ev.pid = pid;
	c->back_after_ms = (uint32_t)(now_ms() - c->now_ms);
	feed(p, &ev);
}

/* After a fault; crash NULL: another binary has taken over, at a moment when nothing was in hand. */
static void resume(struct pid1 *p, struct crash *crash)
{
	union entry_space e;
	struct event ev;
	enum taken taken = state_take(p, &e, &ev);
	bool is_in_hand = taken == TAKEN_IN_HAND;
	if (taken == TAKEN_NOT)
		last_resort(p);
	if (!is_in_hand)
		state_save(p);
	if (crash && is_in_hand)
		name_event(p, crash, &e.head);
	forget_helpers(p);
	if (crash)
		crash->is_dropped = crash_is_again(crash, &p->crashes[(p->n_crashes - 2) % CRASHES_KEPT]);
	if (crash && crash->is_dropped) {
		drop(p, crash, is_in_hand ? &e : NULL);
	} else {
		feed_again(p, is_in_hand ? &ev : NULL);
		resume_intake(p);
	}
	p->dying = 0;
	adopt_children(p);
	if (crash)
		tell(p, crash, is_in_hand ? ev.service : NO_UNIT, is_in_hand && ev.kind == EVENT_DEATH ? ev.pid : 0);
}

/* ---- the way back ---- */

struct pid1 *recover(const struct options *options, char **argv)
{
	struct pid1 *p = state_return(options->state, options);
	set_descriptor_flags(FD_CLOEXEC);
	if (!p)
		last_resort(NULL);
	crash_arm(p, argv);
	prctl(PR_SET_NAME, p->name);
	bool is_upgrade = p->upgrade.is_going || options->is_back;
	if (!is_upgrade && crash_is_hopeless(p->crashes, p->upgrade.began_at, now_ms()))
		last_resort(p);
	if (p->options.mode != MODE_COMMAND)
		boot_lock_memory();
	resume(p, is_upgrade ? NULL : &p->crashes[(p->n_crashes - 1) % CRASHES_KEPT]);
	if (is_upgrade)
		upgrade_arrived(p);
	if (!is_upgrade || options->is_back)
		recover_sweep(p);
	p->has_more_dead = true;
	return p;
}
