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
 */
static int clone_child(const struct launch *l, bool *is_inside)
{
	int cgroup = l->enters_by_hand ? -1 : l->cgroup;
	struct clone_args args = { .flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD, .cgroup = (uint64_t)cgroup };
	long pid = -1;
	*is_inside = cgroup >= 0;
	if (*is_inside) {
		pid = syscall(SYS_clone3, &args, sizeof args);
		if (pid >= 0 || errno == EAGAIN || errno == EBUSY || errno == ENOMEM || errno == ENFILE || errno == EMFILE)
			return pid < 0 ? -errno : (int)pid;
		*is_inside = false;
	}
	pid = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);  /* fork(3) would look after threads and a heap */
	return pid < 0 ? -errno : (int)pid;
}

/* The pid of the child, or -errno; *pipe is our end of its report. */
static int spawn(struct launch *l, int *pipe)
{
	int ends[2];
	bool is_inside;
	*pipe = -1;
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return -errno;
	l->pipe = ends[1];
	int pid = clone_child(l, &is_inside);
	if (pid == 0) {
		if (is_inside)
			l->cgroup = -1;
		child_run(l);
	}
	close(ends[1]);
	if (pid < 0)
		close(ends[0]);
	else
		*pipe = ends[0];
	return pid;
}

static int failed(struct event *result, enum launch_step step, int r)
{
	result->kind = EVENT_LAUNCH_FAILED;
	result->step = (uint8_t)step;
	result->error = -r;
	return r;
}

/* Fills *result with the event that tells the core what came of it. */
int spawn_service(struct pid1 *p, uint32_t i, enum role role, enum exec_list list, uint32_t index, struct event *result)
{
	const struct unit *unit = unitset_unit(p->units, i);
	struct slot *slot = &p->slots[i];
	struct process *process = &slot->process[role];
	*result = event_of(EVENT_LAUNCHED, i);
	result->role = (uint8_t)role;
	result->kmsg_seq = p->kmsg_seq;
	result->has_kmsg = p->kmsg >= 0;

	unwatch(p, &process->pipe);
	struct launch l = {
		.unit = unit, .units = p->units, .command = &unitset_commands(p->units, unit, list)[index], .pass_fd = -1,
		.main_pid = role == ROLE_CONTROL ? p->core->services[i].main_pid : 0, .notify_path = p->notify_path,
		.is_command = p->options.command != NULL, .is_check = list == EXEC_CHECK,
	};
	/*
	 * EBUSY: the service turned controllers on for cgroups below its own, and such a one takes no process (cgroup-v2.rst,
	 * "No Internal Process Constraint"). A new one in its place does; while it lives, a command gets a leaf beside them.
	 */
	int r = -EBUSY;
	for (int n_tries = 0; r == -EBUSY && n_tries < 2; n_tries++) {
		slot->was_killed |= n_tries > 0;
		r = cgroup_make(p, i, &l.cgroup);
		if (r < 0)
			return failed(result, LAUNCH_CGROUP, r);
		if (slot->was_killed && role == ROLE_CONTROL)
			cgroup_leaf(p, i, &l.cgroup);
		int folder = l.cgroup;
		result->has_counter = cgroup_count(p, i, &result->counter);
		l.enters_by_hand = slot->was_killed;
		r = spawn(&l, &process->pipe);
		close_fd(&folder);
	}
	if (r < 0)
		return failed(result, LAUNCH_FORK, r);
	process->pid = process->session = result->pid = (uint32_t)r;
	p->shared.is_stale = true;
	return watch(p, process->pipe, EPOLLIN, SOURCE_LAUNCH, i * 2 + role);
}

int spawn_helper(struct pid1 *p, char *const argv[], int pass_fd, struct helper *helper, uint32_t deadline_ms)
{
	struct launch l = { .argv = argv, .pass_fd = pass_fd, .cgroup = -1 };
	int pipe;
	(void)p;
	int r = spawn(&l, &pipe);
	if (r < 0)
		return r;
	close_fd(&pipe);                        /* its exit status says enough */
	helper->pid = (uint32_t)r;
	helper->deadline_at = now_ms() + deadline_ms;
	return 0;
}

/* Whatever the child has reported since. The end of the pipe without a failure is the exec. */
void spawn_read_report(struct pid1 *p, uint32_t i, enum role role)
{
	struct launch_report report;
	struct process *process = &p->slots[i].process[role];
	const struct core *core = p->core;
	bool has_failed = false;
	ssize_t n = -1;
	while (process->pipe >= 0 && (n = read(process->pipe, &report, sizeof report)) == sizeof report) {
		struct event ev = event_of(report.is_warning ? EVENT_LAUNCH_WARNING : EVENT_LAUNCH_FAILED, i);
		ev.role = (uint8_t)role;
		ev.pid = process->pid;
		ev.step = report.step;
		ev.error = report.error;
		has_failed |= !report.is_warning;
		if (has_failed)
			unwatch(p, &process->pipe);
		feed(p, &ev);
		if (p->core != core)
			return;         /* another set came into force: our slot is gone, and its pipe is watched as another's */
	}
	if (process->pipe < 0 || (n < 0 && errno == EAGAIN))
		return;
	unwatch(p, &process->pipe);
	struct event ev = event_of(EVENT_EXECED, i);
	ev.role = (uint8_t)role;
	feed(p, &ev);
}

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

int spawn_signal(struct pid1 *p, uint32_t i, enum role role, int number)
{
	struct slot *slot = &p->slots[i];
	if (role == ROLE_OTHER) {
		int n = signal_newborn(slot, number);
		int r = slot->has_cgroup ? cgroup_signal(p, i, number) : reap_signal_sessions(p, slot, number);
		return n ? n : r;
	}
	uint32_t main_pid = role == ROLE_MAIN ? p->core->services[i].main_pid : 0;
	uint32_t pid = main_pid ? main_pid : slot->process[role].pid;
	if (pid == 0)
		return -ESRCH;
	return kill((pid_t)pid, number) < 0 ? -errno : 0;
}
