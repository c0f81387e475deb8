/* How a child is treated by the kernel: scheduling, IO, memory nodes, timers. */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What a sandbox forbids is no reason not to start; what makes no sense to the kernel is. */
static void obey(const struct launch *l, enum launch_step step, long r)
{
	if (r >= 0)
		return;
	if (errno == EPERM || errno == EACCES || errno == ENOSYS)
		child_warn(l, step, errno);
	else
		child_give_up(l, step, errno);
}

static void set_coredump_filter(const struct launch *l, uint32_t filter)
{
	char text[16];
	struct buf b = BUF(text);
	buf_u64(&b, filter);            /* the kernel reads any base (fs/proc/base.c, proc_coredump_filter_write) */
	int r = file_write(AT_FDCWD, "/proc/self/coredump_filter", buf_view(&b));
	if (r < 0)
		child_warn(l, LAUNCH_COREDUMP_FILTER, -r);
}

/* libc's sched_setscheduler(3) of musl only says that it does not have it. */
static void set_scheduling(const struct launch *l, const struct context *x)
{
	static const int policies[N_SCHEDULING] = {
		[SCHEDULING_OTHER] = SCHED_OTHER, [SCHEDULING_BATCH] = SCHED_BATCH, [SCHEDULING_IDLE] = SCHED_IDLE,
		[SCHEDULING_FIFO] = SCHED_FIFO, [SCHEDULING_RR] = SCHED_RR,
	};
	int priority = x->priority;
	int policy = policies[x->scheduling] | (x->flags & CONTEXT_RESET_ON_FORK ? SCHED_RESET_ON_FORK : 0);
	obey(l, LAUNCH_SCHEDULING, syscall(SYS_sched_setscheduler, 0, policy, &priority));
}

static void set_numa_policy(const struct launch *l, const struct context *x)
{
	/* set_mempolicy(2): bits beyond the kernel's nodes have to be zero, and their number is one too many. */
	int mode = x->numa_policy - NUMA_DEFAULT;
	bool takes_mask = x->numa_policy == NUMA_PREFERRED || x->numa_policy == NUMA_BIND || x->numa_policy == NUMA_INTERLEAVE;
	unsigned long n_bits = takes_mask ? x->numa_nodes.n * 64 + 1 : 0;
	obey(l, LAUNCH_NUMA, syscall(SYS_set_mempolicy, mode, takes_mask ? unitset_mask(l->units, x->numa_nodes) : NULL, n_bits));
}

static void set_io_priority(const struct launch *l, const struct context *x)
{
	enum { WHO_PROCESS = 1, CLASS_SHIFT = 13 };     /* linux/ioprio.h */
	/* systemd takes `none` for the default, for the kernel's own would go by Nice=. */
	int class = x->io_class == IO_NONE ? IO_BEST_EFFORT : x->io_class;
	int priority = x->io_class == IO_NONE ? 4 : x->io_class == IO_IDLE ? 0 : x->io_priority;
	obey(l, LAUNCH_IO, syscall(SYS_ioprio_set, WHO_PROCESS, 0, class << CLASS_SHIFT | priority));
}

void child_set_process(const struct launch *l)
{
	const struct context *x = unitset_context(l->units, l->unit);
	if (x->coredump_filter != COREDUMP_FILTER_UNSET)
		set_coredump_filter(l, x->coredump_filter);
	if ((l->unit->flags & UNIT_HAS_NICE) && setpriority(PRIO_PROCESS, 0, l->unit->nice) < 0)
		child_warn(l, LAUNCH_NICE, errno);
	if (x->scheduling)
		set_scheduling(l, x);
	if (x->cpus.n)
		obey(l, LAUNCH_AFFINITY, syscall(SYS_sched_setaffinity, 0, x->cpus.n * sizeof(uint64_t), unitset_mask(l->units, x->cpus)));
	if (x->numa_policy)
		set_numa_policy(l, x);
	if (x->flags & CONTEXT_HAS_IO)
		set_io_priority(l, x);
	if (x->timer_slack_ns != TIMER_SLACK_UNSET)
		obey(l, LAUNCH_TIMER_SLACK, prctl(PR_SET_TIMERSLACK, (unsigned long)x->timer_slack_ns, 0, 0, 0));
	if (x->personality != PERSONALITY_UNSET)
		obey(l, LAUNCH_PERSONALITY, personality(x->personality));
}

/*
 * keyrings(7), as the user already: the keyring is then his. Kernels without keys say ENOSYS, and nobody misses them. Where the unit does not
 * ask for one it is not worth a failure: a user may have so many only (EDQUOT).
 */
void child_set_keyring(const struct launch *l)
{
	enum { JOIN_SESSION_KEYRING = 1, LINK = 8, SESSION_KEYRING = -3, USER_KEYRING = -4 };   /* linux/keyctl.h */
	uint8_t mode = unitset_context(l->units, l->unit)->keyring_mode;
	if (mode == KEYRING_INHERIT || l->is_command)
		return;
	long r = syscall(SYS_keyctl, JOIN_SESSION_KEYRING, NULL, 0, 0, 0);
	if (r >= 0 && mode == KEYRING_SHARED)
		r = syscall(SYS_keyctl, LINK, USER_KEYRING, SESSION_KEYRING, 0, 0);
	if (mode != KEYRING_UNSET)
		obey(l, LAUNCH_KEYRING, r);
}
