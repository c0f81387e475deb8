/* The one way to a new process, and what its launch reports. */
#include "pid1.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * A plain copy of PID 1, not a vfork: the child opens files and reads them, and PID 1 must not wait for a dead disk.
 * Directly into the cgroup, so that not even the first page is charged elsewhere (clone(2), CLONE_INTO_CGROUP, 5.7).
 * Where clone3 is missing or forbidden (a seccomp filter says ENOSYS or EPERM) the child walks in by itself.
 *
 * No CLONE_PIDFD: a child's pid is nobody else's until we have reaped it, so a pidfd would tell nothing new, and one kept for
 * each service is copied by every later clone and closed by its exec (10 us for a hundred, measured).
 *
 * The kernel itself writes the child's pid to where we keep it, before the child runs: should we crash right then, it is known.
 */
static int clone_child(const struct launch *l, uint32_t *told, bool *is_inside)
{
	int cgroup = l->enters_by_hand ? -1 : l->cgroup;
	struct clone_args args = {
		.flags = CLONE_INTO_CGROUP | CLONE_PARENT_SETTID, .parent_tid = (uintptr_t)told, .exit_signal = SIGCHLD, .cgroup = (uint64_t)cgroup,
	};
	long pid = -1;
	*is_inside = cgroup >= 0;
	if (*is_inside) {
		pid = syscall(SYS_clone3, &args, sizeof args);
		if (pid >= 0 || errno == EAGAIN || errno == EBUSY || errno == ENOMEM || errno == ENFILE || errno == EMFILE)
			return pid < 0 ? -errno : (int)pid;
		*is_inside = false;
	}
	pid = syscall(SYS_clone, CLONE_PARENT_SETTID | SIGCHLD, 0, told, 0, 0);         /* fork(3) would look after threads and a heap */
	return pid < 0 ? -errno : (int)pid;
}

/*
 * The pid of the child, which *told has as well, or -errno. *exec, unless NULL, becomes a pipe that ends when its program runs: watched
 * before there is somebody whose start nobody would hear of.
 */
static int spawn(struct pid1 *p, struct launch *l, uint32_t *told, int *exec)
{
	int ends[2] = { -1, -1 };
	bool is_inside;
	if (exec && pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return -errno;
	int r = exec ? watch(p, ends[0], EPOLLIN, SOURCE_EXEC, l->service) : 0;
	if (r < 0) {
		close_fd(&ends[0]);
		close_fd(&ends[1]);
		return r;
	}
	if (exec)
		*exec = ends[0];
	l->reports = p->reports[1];
	l->null = p->null;
	l->score = p->score;
	int pid = clone_child(l, told, &is_inside);
	if (pid == 0) {
		if (is_inside)
			l->cgroup = -1;
		child_run(l);
	}
	close_fd(&ends[1]);
	if (pid < 0 && exec)
		unwatch(p, exec);
	return pid;
}

static int failed(struct event *result, enum launch_step step, int r)
{
	result->kind = EVENT_LAUNCH_FAILED;
	result->step = (uint8_t)step;
	result->error = -r;
	return r;
}

/* For what it writes, and for a main process with X-NotifyFD= or Type=idle. */
static int open_pipes(struct pid1 *p, uint32_t i, struct launch *l)
{
	int *ready = &p->slots[i].ready, ends[2];
	if (l->command && l->list != EXEC_CHECK)
		log_open(p, i, l);
	if (l->list != EXEC_START)
		return 0;
	unwatch(p, ready);
	if (l->unit->type == TYPE_IDLE) {
		if (p->idle[0] < 0 && pipe2(p->idle, O_CLOEXEC) < 0)
			return -errno;
		l->idle = p->idle[0];
		l->idle_other = p->idle[1];
	}
	if (l->unit->notify_fd == 0)
		return 0;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	fcntl(ends[0], F_SETFL, O_NONBLOCK);    /* ours alone: a service expects writing to block */
	*ready = ends[0];
	l->ready = ends[1];
	return watch(p, *ready, EPOLLIN, SOURCE_READY, i);
}

void spawn_quiet(struct pid1 *p)
{
	close_fd(&p->idle[0]);
	close_fd(&p->idle[1]);
}

/* Up to the end of a line, as s6 has it (its notifywhenup); what closes without one has not said that it is ready. */
void spawn_read_ready(struct pid1 *p, uint32_t i)
{
	char text[256];
	ssize_t n = read(p->slots[i].ready, text, sizeof text);
	struct str said = str_of(text, n > 0 ? (size_t)n : 0);
	bool is_ready = str_chr(said, '\n') < said.n;
	if (n > 0 && !is_ready)
		return;
	if (n < 0 && errno == EAGAIN)
		return;
	unwatch(p, &p->slots[i].ready);
	struct event ev = event_of(EVENT_READY, i);
	if (is_ready)
		feed(p, &ev);
}

/* What is done once its process is there, by whichever of us. */
static void launched(struct pid1 *p, uint32_t i, enum role role, enum exec_list list, struct event *result)
{
	struct slot *slot = &p->slots[i];
	struct process *process = &slot->process[role];
	process->pid = process->session = result->pid = p->hand.pid;
	slot->is_unused = false;
	reap_sweep_end(p, i);
	if (list == EXEC_START)         /* of a forking service: who stays in its session is the service */
		slot->process[ROLE_MAIN].session = result->pid;
	p->shared.is_stale = true;
}

/* Fills *result with the event that tells the core what came of it. */
int spawn_service(struct pid1 *p, uint32_t i, enum role role, enum exec_list list, uint32_t index, struct event *result)
{
	const struct unit *unit = unitset_unit(p->units, i);
	const struct service *s = &p->core->services[i];
	struct slot *slot = &p->slots[i];
	*result = event_of(EVENT_LAUNCHED, i);
	result->role = (uint8_t)role;
	result->kmsg_seq = p->kmsg_seq;
	result->has_kmsg = p->kmsg >= 0;
	if (p->hand.pid) {              /* it was, before we crashed */
		result->has_counter = cgroup_count(p, i, &result->counter);
		launched(p, i, role, list, result);
		return 0;
	}

	char path[108 + UNIT_NAME_MAX + 32];
	struct buf last_death = BUF(path);
	bool awaits_exec = role == ROLE_MAIN && unit->type == TYPE_EXEC;
	if (awaits_exec)
		unwatch(p, &slot->exec);
	struct launch l = {
		.service = i, .list = (uint8_t)list, .unit = unit, .units = p->units, .pass_fd = -1, .restarts = index != 0,
		/* Later there may be a main process that nobody has found (Type=forking). */
		.is_alone = s->state == STARTING && s->step <= STEP_MAIN && !slot->process[ROLE_MAIN].pid && !slot->process[ROLE_CONTROL].pid,
		.command = list < N_EXEC_LIST ? &unitset_commands(p->units, unit, list)[index] : NULL,
		.main_pid = role == ROLE_CONTROL ? s->main_pid : 0,
		.last_death = incident_path(p, i, &last_death),
		.environment = p->options.environment, .is_command = p->options.command != NULL,
		.generation = s->generation, .seed = { p->seed[0], p->seed[1] },
		.store = p->store, .n_store = p->n_store, .ready = -1, .idle = -1,
		.result = s->result, .main_code = s->main_code, .main_status = s->main_status,
	};
	memcpy(l.notify_path, p->notify_path, sizeof l.notify_path);
	memcpy(l.libdir, p->libdir, sizeof l.libdir);
	/*
	 * EBUSY: the service turned controllers on for cgroups below its own, and such a one takes no process (cgroup-v2.rst,
	 * "No Internal Process Constraint"). A new one in its place does; while it lives, a command gets a leaf beside them.
	 */
	int r = open_pipes(p, i, &l);
	if (r < 0)
		return failed(result, LAUNCH_FORK, r);
	r = -EBUSY;
	for (int n_tries = 0; r == -EBUSY && n_tries < 2; n_tries++) {
		slot->was_killed |= n_tries > 0;
		r = cgroup_make(p, i, &l.cgroup);
		if (r < 0) {
			close_fd(&l.ready);
			return failed(result, LAUNCH_CGROUP, r);
		}
		if (slot->was_killed && role == ROLE_CONTROL)
			cgroup_leaf(p, i, &l.cgroup);
		int folder = l.cgroup;
		result->has_counter = cgroup_count(p, i, &result->counter);
		l.enters_by_hand = slot->was_killed;
		r = spawn(p, &l, &p->hand.pid, awaits_exec ? &slot->exec : NULL);
		close_fd(&folder);
	}
	close_fd(&l.ready);
	if (r < 0)
		return failed(result, LAUNCH_FORK, r);
	launched(p, i, role, list, result);
	return 0;
}

static int launch_helper(struct pid1 *p, struct launch *l, struct helper *helper, uint32_t deadline_ms)
{
	helper->deadline_at = now_ms() + deadline_ms;
	int r = spawn(p, l, &helper->pid, NULL);
	if (r < 0)
		*helper = (struct helper){ 0 };
	return r < 0 ? r : 0;
}

int spawn_helper(struct pid1 *p, char *const argv[], int pass_fd, struct helper *helper, uint32_t deadline_ms)
{
	struct launch l = { .argv = argv, .pass_fd = pass_fd, .program = -1, .cgroup = -1, .ready = -1, .idle = -1 };
	return launch_helper(p, &l, helper, deadline_ms);
}

int spawn_program(struct pid1 *p, int program, char *const argv[], struct helper *helper, uint32_t deadline_ms)
{
	struct launch l = { .argv = argv, .pass_fd = -1, .program = program, .cgroup = -1, .ready = -1, .idle = -1 };
	return launch_helper(p, &l, helper, deadline_ms);
}

/* ---- what became of it ---- */

/*
 * One pipe for all: to make, watch and close one for each launch, and to be woken by its end, took a tenth of a respawn.
 * Whether the program runs matters to Type=exec alone, and is told by a pipe that the exec closes. A child may wait for room here;
 * we wait for nothing.
 */
int spawn_open(struct pid1 *p)
{
	p->reports[0] = p->reports[1] = -1;     /* until it is had exit statuses have to say enough */
	if (pipe2(p->reports, O_CLOEXEC) < 0)
		return -errno;
	int r = fcntl(p->reports[0], F_SETFL, O_NONBLOCK) < 0 ? -errno : watch(p, p->reports[0], EPOLLIN, SOURCE_REPORT, 0);
	for (int end = 0; r < 0 && end < 2; end++)
		close_fd(&p->reports[end]);
	return r;
}

/* Also when the core has given it up already. */
uint32_t spawn_find(struct pid1 *p, uint32_t pid, enum role *role)
{
	for (uint32_t i = 0; i < p->n_slots; i++)
		for (int r = ROLE_MAIN; r <= ROLE_CONTROL; r++)
			if (p->slots[i].process[r].pid == pid) {
				*role = (enum role)r;
				return i;
			}
	return NO_UNIT;
}

/* A chore has found the main process. Where there is no cgroup its session tells who belongs to it. */
static void take_main(struct pid1 *p, uint32_t i, uint32_t pid)
{
	struct event ev = event_of(EVENT_MAIN, i);
	pid_t session = getsid((pid_t)pid);
	if (session < 0)
		return;                 /* dead and reaped since: the service has no main process that we know of */
	p->slots[i].process[ROLE_MAIN].session = (uint32_t)session;
	ev.pid = pid;
	feed_last(p, &ev);
}

/* Its writer is not reaped before this is read, so the pid is nobody else's. A helper's exit status says enough. */
void spawn_take_report(struct pid1 *p, const struct launch_report *report)
{
	enum role role;
	uint32_t i = spawn_find(p, report->pid, &role);
	if (i == NO_UNIT)
		return;
	if (report->kind == REPORT_MAIN) {
		take_main(p, i, report->main_pid);
		return;
	}
	struct event ev = event_of(report->kind == REPORT_FAILED ? EVENT_LAUNCH_FAILED : EVENT_LAUNCH_WARNING, i);
	ev.role = (uint8_t)role;
	ev.pid = report->pid;
	ev.step = report->step;
	ev.error = report->error;
	if (report->kind == REPORT_FAILED && role == ROLE_MAIN)
		unwatch(p, &p->slots[i].exec);
	feed_last(p, &ev);
}

bool spawn_read_report(struct pid1 *p)
{
	struct launch_report *report = &p->intake.of.report;
	intake_begin(p, INTAKE_REPORT);
	bool is_there = read(p->reports[0], report, sizeof *report) == sizeof *report;
	struct launch_report copy = *report;
	if (is_there)
		spawn_take_report(p, &copy);
	p->intake.kind = INTAKE_NONE;
	return is_there;
}

/* The end of the pipe without a failure is the exec. */
void spawn_execed(struct pid1 *p, uint32_t i)
{
	const struct core *core = p->core;
	char nothing;
	if (p->slots[i].exec < 0 || read(p->slots[i].exec, &nothing, 1) != 0)
		return;
	while (spawn_read_report(p))
		;
	if (p->core != core || p->slots[i].exec < 0)
		return;                         /* another set came into force, and the pipe is watched as another's; or it failed */
	unwatch(p, &p->slots[i].exec);
	struct event ev = event_of(EVENT_EXECED, i);
	ev.role = ROLE_MAIN;
	feed(p, &ev);
}

/* ---- signals ---- */

/* A child fresh from fork(2) is in neither its session nor, without clone3(2), its cgroup; child_run() enters the cgroup first. */
static int signal_newborn(const struct slot *slot, int number)
{
	int n = 0;
	for (int role = ROLE_MAIN; role <= ROLE_CONTROL; role++) {
		pid_t pid = (pid_t)slot->process[role].pid;
		n += pid && getsid(pid) != pid && kill(pid, number) == 0;
	}
	return n;
}

/* Who belongs to it cannot be read now, for want of a descriptor say: then whom we know. */
static int signal_known(struct pid1 *p, uint32_t i, int number)
{
	const struct slot *slot = &p->slots[i];
	uint32_t pids[] = { p->core->services[i].main_pid, slot->process[ROLE_MAIN].pid, slot->process[ROLE_CONTROL].pid };
	int n = 0;
	for (size_t k = 0; k < countof(pids); k++)
		if (pids[k] && (k != 1 || pids[k] != pids[0]))
			n += kill((pid_t)pids[k], number) == 0;
	return n ? n : -ESRCH;
}

int spawn_signal(struct pid1 *p, uint32_t i, enum role role, int number)
{
	struct slot *slot = &p->slots[i];
	if (role == ROLE_OTHER) {
		int n = signal_newborn(slot, number);
		int r = slot->has_cgroup ? cgroup_signal(p, i, number) : reap_signal_sessions(p, i, number);
		return r < 0 && r != -ESRCH ? signal_known(p, i, number) : n ? n : r;
	}
	uint32_t main_pid = role == ROLE_MAIN ? p->core->services[i].main_pid : 0;
	uint32_t pid = main_pid ? main_pid : slot->process[role].pid;
	if (pid == 0)
		return -ESRCH;
	return kill((pid_t)pid, number) < 0 ? -errno : 0;
}
