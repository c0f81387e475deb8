/*
 * What a child gives up of root's: limits, groups, capabilities, the user, and the ways back. In the order of systemd's
 * exec_child, for each needs what is given up behind it: dropping a capability from the bounding set needs CAP_SETPCAP,
 * groups need CAP_SETGID, and ambient capabilities have to be carried across the change of user, which clears them.
 */
#include "child.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

void child_set_limits(const struct launch *l)
{
	static const uint8_t resource[N_LIMIT_KIND] = {
		[LIMIT_NOFILE] = RLIMIT_NOFILE, [LIMIT_NPROC] = RLIMIT_NPROC, [LIMIT_CORE] = RLIMIT_CORE, [LIMIT_CPU] = RLIMIT_CPU,
		[LIMIT_FSIZE] = RLIMIT_FSIZE, [LIMIT_DATA] = RLIMIT_DATA, [LIMIT_STACK] = RLIMIT_STACK, [LIMIT_RSS] = RLIMIT_RSS,
		[LIMIT_AS] = RLIMIT_AS, [LIMIT_MEMLOCK] = RLIMIT_MEMLOCK, [LIMIT_LOCKS] = RLIMIT_LOCKS,
		[LIMIT_SIGPENDING] = RLIMIT_SIGPENDING, [LIMIT_MSGQUEUE] = RLIMIT_MSGQUEUE, [LIMIT_NICE] = RLIMIT_NICE,
		[LIMIT_RTPRIO] = RLIMIT_RTPRIO, [LIMIT_RTTIME] = RLIMIT_RTTIME,
	};
	const struct limit *limits = unitset_limits(l->units, l->unit);
	/*
	 * PID 1 has raised its own limit of descriptors. Programs that use select(2) break above 1024, so that is what they
	 * get, and they may raise it themselves up to the hard limit (systemd's DefaultLimitNOFILE=1024:524288, and its reason).
	 */
	struct rlimit files;
	if (!l->is_command && getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur > 1024) {
		files.rlim_cur = 1024;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	if (l->command->flags & COMMAND_PRIVILEGED)
		return;
	for (uint32_t i = 0; i < l->unit->limits.n; i++) {
		struct rlimit r = { limits[i].soft, limits[i].hard };
		if (setrlimit(resource[limits[i].kind], &r) == 0)
			continue;
		/* Raising a hard limit is root's alone; systemd then takes what there is. */
		struct rlimit had;
		if (errno != EPERM || getrlimit(resource[limits[i].kind], &had) < 0)
			child_give_up(l, LAUNCH_LIMITS, errno);
		r.rlim_max = had.rlim_max;
		r.rlim_cur = r.rlim_cur < had.rlim_max ? r.rlim_cur : had.rlim_max;
		setrlimit(resource[limits[i].kind], &r);
		child_warn(l, LAUNCH_LIMITS, EPERM);
	}
}

/* ---- groups and user ---- */

/* Straight system calls: libc's would first ask all threads, of which there are none. */
static void set_groups(const struct launch *l)
{
	const struct unit *u = l->unit;
	bool sets = u->uid != NO_ID || u->groups.n;
	if (u->flags & UNIT_USER_UNKNOWN)
		child_give_up(l, LAUNCH_USER, ESRCH);
	if (unitset_context(l->units, u)->flags & CONTEXT_GROUP_UNKNOWN)
		child_give_up(l, LAUNCH_GROUP, ESRCH);
	if (sets && syscall(SYS_setgroups, (size_t)u->groups.n, unitset_indices(l->units, u->groups)) < 0)
		child_give_up(l, LAUNCH_GROUP, errno);
	if (u->gid != NO_ID && syscall(SYS_setresgid, u->gid, u->gid, u->gid) < 0)
		child_give_up(l, LAUNCH_GROUP, errno);
}

static int change_user(const struct unit *u)
{
	return u->uid != NO_ID && syscall(SYS_setresuid, u->uid, u->uid, u->uid) < 0 ? -errno : 0;
}

/* ---- capabilities(7) ---- */

static int drop_bounding(uint64_t keep)
{
	for (int cap = 0; cap < 64; cap++) {
		int has = prctl(PR_CAPBSET_READ, cap, 0, 0, 0);
		if (has < 0)
			return 0;               /* the kernel knows none beyond */
		if (has && !(keep >> cap & 1) && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
			return -errno;
	}
	return 0;
}

/* A capability can be ambient only while it is permitted and inheritable. */
static int make_inheritable(uint64_t set)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];
	if (syscall(SYS_capget, &header, data) < 0)
		return -errno;
	for (int half = 0; half < 2; half++)
		data[half].inheritable |= (uint32_t)(set >> half * 32);
	return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

static int raise_ambient(uint64_t set)
{
	for (int cap = 0; cap < 64; cap++)
		if (set >> cap & 1 && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) < 0)
			return -errno;
	return 0;
}

/* `~CAP_X` leaves bits that no kernel has a name for. */
static uint64_t known(uint64_t set)
{
	for (int cap = 0; cap < 64; cap++)
		if (set >> cap & 1 && prctl(PR_CAPBSET_READ, cap, 0, 0, 0) < 0)
			set &= ~(UINT64_C(1) << cap);
	return set;
}

static void prepare_capabilities(const struct launch *l, const struct context *x, uint64_t ambient)
{
	int r = x->bounding_set == CAPABILITIES_ALL ? 0 : drop_bounding(x->bounding_set);
	if (r == 0 && ambient)
		r = make_inheritable(ambient);
	if (r == 0 && ambient && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		r = -errno;                     /* else the change of user would empty the permitted set; cleared by the exec */
	if (r < 0)
		child_give_up(l, LAUNCH_CAPABILITIES, -r);
}

/* ---- the order ---- */

void child_set_user(const struct launch *l)
{
	const struct context *x = unitset_context(l->units, l->unit);
	uint64_t ambient = x->ambient_set ? known(x->ambient_set) : 0;
	bool keeps_user = l->command->flags & COMMAND_KEEPS_USER;
	if (l->command->flags & COMMAND_PRIVILEGED)
		return;
	if (!keeps_user)
		set_groups(l);
	prepare_capabilities(l, x, ambient);
	int r = keeps_user ? 0 : change_user(l->unit);
	if (r < 0)
		child_give_up(l, LAUNCH_USER, -r);
	r = raise_ambient(ambient);
	if (r < 0)
		child_give_up(l, LAUNCH_CAPABILITIES, -r);
}

void child_seal(const struct launch *l)
{
	const struct context *x = unitset_context(l->units, l->unit);
	if (l->command->flags & COMMAND_PRIVILEGED)
		return;
	/* Asked first: setting needs CAP_SETPCAP, even where nothing would change. */
	if (x->secure_bits && (uint32_t)prctl(PR_GET_SECUREBITS, 0, 0, 0, 0) != x->secure_bits &&
	    prctl(PR_SET_SECUREBITS, x->secure_bits, 0, 0, 0) < 0)
		child_give_up(l, LAUNCH_SECURE_BITS, errno);
	if ((x->flags & CONTEXT_NO_NEW_PRIVILEGES) && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		child_give_up(l, LAUNCH_NO_NEW_PRIVILEGES, errno);
}
