/*
 * Deaths, evidence first. waitid(WNOWAIT) tells of a death and leaves the zombie, so its pid and its /proc entry cannot be
 * anybody else's while the log and the counters are read. Only then is it reaped, and only then is it judged.
 */
#include "pid1.h"

#include "lib/procstat.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Of its first thread, whose name and start are the process's, and whose end need not be. */
static bool read_stat(uint32_t pid, struct procstat *stat)
{
	char path[64], text[1024];
	struct buf b = BUF(path);
	buf_lit(&b, "/proc/");
	buf_u64(&b, pid);
	buf_lit(&b, "/task/");
	buf_u64(&b, pid);
	buf_lit(&b, "/stat");
	int n = file_read(AT_FDCWD, buf_cstr(&b), text, sizeof text);
	return n > 0 && procstat_read(str_of(text, (size_t)n), stat);
}

/* ---- where there is no cgroup: sessions ---- */

/* waitid(2) tells it of our children, and in a tenth of the time that stat(5) takes; others' are in there alone. */
static bool is_running(uint32_t pid)
{
	struct procstat stat;
	siginfo_t end = { .si_pid = 0 };
	if (waitid(P_PID, (id_t)pid, &end, WEXITED | WNOHANG | WNOWAIT) == 0)
		return end.si_pid == 0;
	return read_stat(pid, &stat) && stat.state != 'Z';
}

static bool leads(const struct slot *slot, uint64_t session)
{
	return session && (slot->process[ROLE_MAIN].session == session || slot->process[ROLE_CONTROL].session == session);
}

/*
 * A thousand processes, and a walk of all of them for each that dies: its number is enough to ask for a process's session,
 * and takes a twentieth of the time that its stat(5) does. That is read of the service's own only.
 */
static bool is_running_of(const struct slot *slot, uint32_t pid)
{
	pid_t session = getsid((pid_t)pid);
	return session > 0 && leads(slot, (uint64_t)session) && pid != (uint32_t)getpid() && is_running(pid);
}

/* From *from on; then that is where to go on, when it is `until` and there may be more, or 0. How many there were, or a negative errno. */
static int walk_sessions(struct slot *slot, int number, uint32_t *from, uint64_t until)
{
	_Alignas(struct dirent64) char entries[4096];
	int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int n_found = 0;
	long n = proc < 0 || lseek(proc, *from, SEEK_SET) < 0 ? -1 : 0;
	*from = 0;
	while (n >= 0 && !*from && (number || !n_found) && (n = syscall(SYS_getdents64, proc, entries, sizeof entries)) > 0) {
		uint64_t pid, next = 0;
		for (const struct dirent64 *e = (void *)entries; (const char *)e < entries + n; e = (const void *)((const char *)e + e->len)) {
			next = e->off;
			if (!str_u64(str_from(e->name), &pid) || !is_running_of(slot, (uint32_t)pid))
				continue;
			n_found++;
			slot->witness = (uint32_t)pid;
			if (number == 0)
				break;
			kill((pid_t)pid, number);
		}
		if (n_found && now_ms() >= until)
			*from = (uint32_t)next;
	}
	int r = n < 0 && !n_found ? -errno : n_found;
	close_fd(&proc);
	return r;
}

static void forget_sweep(struct pid1 *p, uint32_t k)
{
	memmove(&p->sweeps[k], &p->sweeps[k + 1], (SWEEPS_MAX - 1 - k) * sizeof p->sweeps[0]);
	p->sweeps[SWEEPS_MAX - 1].number = 0;
}

void reap_sweep_end(struct pid1 *p, uint32_t service)
{
	for (uint32_t k = SWEEPS_MAX; k-- > 0;)
		if (p->sweeps[k].number && p->sweeps[k].service == service)
			forget_sweep(p, k);
}

/* One behind the other they get round, so that SIGCONT comes behind SIGTERM. */
void reap_sweep(struct pid1 *p, uint64_t until)
{
	struct sweep *s = &p->sweeps[0];
	while (s->number && s->service < p->n_slots) {
		walk_sessions(&p->slots[s->service], s->number, &s->from, until);
		if (s->from)
			return;
		forget_sweep(p, 0);
	}
}

int reap_signal_sessions(struct pid1 *p, uint32_t service, int number)
{
	struct sweep *s = p->sweeps, now = { .service = service, .number = (uint8_t)number };
	if (number == SIGKILL)                  /* the last word */
		reap_sweep_end(p, service);
	int n = walk_sessions(&p->slots[service], number, &now.from, now_ms() + TURN_MS);
	if (number == 0 || !now.from)
		return n;
	if (s[SWEEPS_MAX - 1].number)           /* there is no room: all to their end at once */
		reap_sweep(p, UINT64_MAX);
	while (s->number)
		s++;
	*s = now;
	return n;
}

uint32_t reap_owner(struct pid1 *p, uint32_t pid)
{
	struct procstat stat;
	if (p->cgroups >= 0 || !read_stat(pid, &stat))
		return NO_UNIT;         /* a cgroup tells by itself when it is empty */
	for (uint32_t i = 0; i < p->n_slots; i++)
		if (leads(&p->slots[i], stat.session))
			return i;
	return NO_UNIT;
}

/* One that we launched and have not reaped; it may be so young that it leads no session yet. */
static bool has_other(const struct slot *slot, uint32_t pid)
{
	for (int r = ROLE_MAIN; r <= ROLE_CONTROL; r++)
		if (slot->process[r].pid && slot->process[r].pid != pid)
			return true;
	return false;
}

/*
 * Thousands may die of one service, and all of /proc is not looked through for each: not while somebody lives who was found
 * there before, and not once nobody was found any more.
 */
bool reap_is_empty(struct pid1 *p, uint32_t i, uint32_t dying)
{
	struct slot *slot = &p->slots[i];
	uint32_t main_pid = p->core->services[i].main_pid;
	if (has_other(slot, dying))
		return false;
	if (p->core->services[i].flags & SERVICE_IS_EMPTY)
		return true;
	if (slot->witness && slot->witness != dying && is_running_of(slot, slot->witness))
		return false;
	/* MAINPID= may name one that has a session of its own. */
	if (!slot->has_cgroup && main_pid && main_pid != dying && is_running(main_pid))
		return false;
	/* When that cannot be told somebody is: rather a second later than a second generation beside the first. */
	return slot->has_cgroup ? !cgroup_is_populated(p, i) : reap_signal_sessions(p, i, 0) == 0;
}

/* ---- one death ---- */

/* Whose process a zombie is; NO_UNIT. */
static uint32_t find_service(struct pid1 *p, uint32_t pid)
{
	enum role role;
	uint32_t i = spawn_find(p, pid, &role);
	if (i == NO_UNIT)
		i = core_find_pid(p->core, pid, &role);
	return i == NO_UNIT ? reap_owner(p, pid) : i;
}

static void gather(struct pid1 *p, struct event *ev, struct senders *senders)
{
	enum role role;
	uint32_t i;
	struct procstat stat;
	const struct core *core;
	/* What we feed may bring another set into force: then once more. */
	do {
		core = p->core;
		i = spawn_find(p, ev->pid, &role);
		if (i != NO_UNIT && role == ROLE_MAIN)
			spawn_execed(p, i);
	} while (p->core != core);
	counters_read(p);       /* for an orphan, too, and however it ended, which only the last wait tells */
	kmsg_drain(p);          /* an orphan's too: only until it is reaped does /proc say whose worker it was */
	i = find_service(p, ev->pid);
	if (i == NO_UNIT)
		return;
	if (read_stat(ev->pid, &stat)) {
		memcpy(ev->comm, stat.comm, sizeof ev->comm);
		ev->is_first_killed = ev->code == CLD_KILLED && ev->status == SIGKILL && stat.is_signalled;
		sigtrace_find(p, ev->pid, stat.started_at, senders);
	}
	ev->service = i;
	ev->has_counter = cgroup_count(p, i, &ev->counter);
	ev->is_empty = reap_is_empty(p, i, ev->pid);
}

/*
 * SIGKILL before its program ran, so it still bears our name: cgroup.kill may have been written by somebody else, and then
 * each child that is cloned into that cgroup dies like this one (make_fresh() in cgroupfs.c).
 */
static bool is_dead_at_birth(const struct event *ev)
{
	char own[16] = "";
	prctl(PR_GET_NAME, own);
	return ev->code == CLD_KILLED && ev->status == SIGKILL && memcmp(own, ev->comm, sizeof own) == 0;
}

static void forget(struct pid1 *p, uint32_t pid)
{
	enum role role;
	uint32_t i = spawn_find(p, pid, &role);
	if (i == NO_UNIT)
		return;
	p->slots[i].process[role].pid = 0;
}

/* What a helper leaves is seen to before it is forgotten: should we crash on the way, it is seen to again. */
static bool is_helper(struct pid1 *p, const struct event *death)
{
	struct event ev = event_of(EVENT_HALTED, NO_UNIT);
	if (p->loader.pid == death->pid) {
		loader_ended(p, death->code == CLD_EXITED && death->status == 0);
	} else if (p->halter.pid == death->pid) {
		p->halter = (struct helper){ 0 };
		feed_last(p, &ev);
	} else if (p->incidents.recorder.pid == death->pid) {
		incident_recorded(p, death);
	} else if (p->upgrade.tester.pid == death->pid) {
		upgrade_tested(p, death);
	} else if (p->closer.pid == death->pid) {
		store_closed(p);
	} else {
		return false;
	}
	return true;
}

void reap_over(struct pid1 *p, struct event *ev)
{
	if (ev->service != NO_UNIT && is_dead_at_birth(ev))
		p->slots[ev->service].was_killed = true;
	forget(p, ev->pid);
	if (!is_helper(p, ev))
		feed_last(p, ev);
}

/*
 * Only this call tells how it ended: with WNOWAIT, kernels before 5.17 tell how the first thread did, which may have left long before the
 * kernel killed the others (wait_task_zombie in kernel/exit.c).
 */
static void reap_one(struct pid1 *p, const struct event *gathered, const struct senders *senders)
{
	struct event *ev = &p->intake.of.death;
	siginfo_t info = { .si_pid = 0 };
	intake_begin(p, INTAKE_DEATH);
	*ev = *gathered;
	waitid(P_PID, (id_t)ev->pid, &info, WEXITED | WNOHANG);
	ev->code = (uint8_t)info.si_code;
	ev->status = (uint8_t)info.si_status;
	if (ev->code == CLD_KILLED)
		ev->sender = ev->status == SIGKILL ? senders->kill : ev->status == SIGTERM ? senders->term : ev->sender;
	struct event death = *ev;
	reap_over(p, &death);
	p->intake.kind = INTAKE_NONE;
}

void reap(struct pid1 *p)
{
	uint64_t until = now_ms() + TURN_MS;    /* the rest in the next turn, after whoever else is waiting */
	p->has_more_dead = false;
	do {
		siginfo_t info = { .si_pid = 0 };
		int r = waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT);
		p->has_more_dead = r < 0 && errno == EINTR;
		if (r < 0 || info.si_pid == 0)
			return;
		if (spawn_read_report(p))
			continue;       /* what its launch had to say comes before its death */
		struct event ev = event_of(EVENT_DEATH, NO_UNIT);
		struct senders senders = { 0 };
		ev.pid = (uint32_t)info.si_pid;
		ev.code = (uint8_t)info.si_code;        /* what to look at; a process whose first thread had left may yet turn out */
		ev.status = (uint8_t)info.si_status;    /* to have been killed */
		p->dying = ev.pid;
		gather(p, &ev, &senders);
		reap_one(p, &ev, &senders);
		p->dying = 0;
	} while (now_ms() < until);
	p->has_more_dead = true;
}
