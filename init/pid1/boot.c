/* What PID 1 does once, before the first service: find out what it is PID 1 of, and make that place fit to live in. */
#include "pid1.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ---- where are we ---- */

bool is_initial_namespace(void)
{
	enum { PROC_PID_INIT_INO = 0xEFFFFFFC };        /* linux/proc_ns.h: part of what userspace may rely on */
	struct stat st;
	return stat("/proc/self/ns/pid", &st) == 0 && st.st_ino == (ino_t)PROC_PID_INIT_INO;
}

void boot_find_mode(struct pid1 *p, int forced)
{
	p->is_first = getpid() == 1;
	/*
	 * Not where it is there: since 5.8 each is a file system of its own (fs/proc/root.c), so that a second one goes on top,
	 * and uncovers what a container's maker has covered. One of another PID namespace has no `self` for us.
	 */
	if (p->is_first && access("/proc/self/ns", F_OK) < 0)
		mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
	if (p->options.command)
		p->options.mode = MODE_COMMAND;
	else if (forced >= 0)
		p->options.mode = (enum system_mode)forced;
	else
		p->options.mode = p->is_first && is_initial_namespace() ? MODE_VM : MODE_CONTAINER;
}

static bool has_loader(struct str folder, char *to, size_t size)
{
	struct buf b = { to, 0, size, false };
	buf_str(&b, folder);
	buf_lit(&b, "/oomph-load");
	bool is_there = access(buf_cstr(&b), X_OK) == 0;
	to[folder.n < size ? folder.n : 0] = '\0';
	return is_there;
}

const char *boot_variable(const struct pid1 *p, struct str name)
{
	const char *value = NULL;
	for (char *const *e = p->options.environment; *e; e++) {
		struct str word = str_from(*e);
		if (str_take(&word, name) && str_take(&word, STR("=")))
			value = word.p;
	}
	return value;
}

void boot_find_programs(struct pid1 *p)
{
	char self[sizeof p->libdir];
	if (p->program < 0)
		p->program = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	ssize_t n = readlink("/proc/self/exe", self, sizeof self);
	struct str own = str_of(self, n > 0 ? (size_t)n : 0);
	const char *wish = boot_variable(p, STR("OOMPH_LIBDIR"));
	struct str folders[] = { str_from(wish), STR("/usr/lib/oomph"), str_of(self, own.n ? str_rfind(own, STR("/")) : 0) };
	for (size_t i = 0; i < countof(folders) && !p->has_helpers; i++)
		p->has_helpers = folders[i].n && has_loader(folders[i], p->libdir, sizeof p->libdir);
}

/* ---- mounts ---- */

static const struct {
	const char *source, *target, *type, *data;
	unsigned long flags;
	bool is_for_container;          /* too: of its own, and needed to work at all */
} mounts[] = {
	{ "proc", "/proc", "proc", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC, false },
	{ "sysfs", "/sys", "sysfs", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC, false },
	{ "devtmpfs", "/dev", "devtmpfs", "mode=0755", MS_NOSUID, false },
	{ "devpts", "/dev/pts", "devpts", "mode=0620,gid=5,ptmxmode=0666", MS_NOSUID | MS_NOEXEC, false },
	{ "tmpfs", "/dev/shm", "tmpfs", "mode=1777", MS_NOSUID | MS_NODEV, false },
	{ "tmpfs", "/run", "tmpfs", "mode=0755", MS_NOSUID | MS_NODEV, false },
	{ "tmpfs", "/tmp", "tmpfs", "mode=1777", MS_NOSUID | MS_NODEV, false },
	{ "cgroup2", "/sys/fs/cgroup", "cgroup2", "nsdelegate,memory_recursiveprot", MS_NOSUID | MS_NODEV | MS_NOEXEC, false },
};

/* A mount point has another device than the folder above it. An initramfs or a distribution may have mounted some. */
static bool is_mounted(const char *target)
{
	struct stat here, above;
	char text[64];
	struct buf b = BUF(text);
	buf_str(&b, str_from(target));
	buf_lit(&b, "/..");
	return stat(target, &here) == 0 && stat(buf_cstr(&b), &above) == 0 && here.st_dev != above.st_dev;
}

/* proc_sys_fs(5). The kernel's own defaults are 0, and distributions leave it to systemd's sysctl.d to change that. */
static void guard_links(void)
{
	static const char *const guards[] = {
		"/proc/sys/fs/protected_hardlinks", "/proc/sys/fs/protected_symlinks", "/proc/sys/fs/protected_fifos", "/proc/sys/fs/protected_regular",
	};
	for (size_t i = 0; i < countof(guards); i++) {
		char value[4];
		if (file_read(AT_FDCWD, guards[i], value, sizeof value) > 0 && value[0] == '0')
			file_write(AT_FDCWD, guards[i], STR("1"));
	}
}

void boot_mounts(struct pid1 *p)
{
	if (p->options.mode != MODE_VM)
		return;
	for (size_t i = 0; i < countof(mounts); i++) {
		mkdir(mounts[i].target, 0755);
		if (is_mounted(mounts[i].target) ||
		    mount(mounts[i].source, mounts[i].target, mounts[i].type, mounts[i].flags, mounts[i].data) == 0 ||
		    /* an older kernel may not know an option of it */
		    mount(mounts[i].source, mounts[i].target, mounts[i].type, mounts[i].flags, NULL) == 0)
			continue;
		console_say(p, mounts[i].target, errno);
	}
	guard_links();
	/* An initramfs without /dev/console gives PID 1 no descriptors (init/main.c, console_on_rootfs). */
	int fd = open("/dev/console", O_RDWR | O_NOCTTY);
	for (int n = 0; fd >= 0 && n < 3; n++)
		if (fcntl(n, F_GETFD) < 0)
			dup2(fd, n);
	if (fd > 2)
		close(fd);
}

void boot_hostname(struct pid1 *p)
{
	char text[256];
	if (p->options.mode != MODE_VM)
		return;                 /* a container's name is its manager's */
	int n = file_read(AT_FDCWD, "/etc/hostname", text, sizeof text);
	struct str rest = str_of(text, n > 0 ? (size_t)n : 0);
	if (n < 0 && n != -ENOENT)
		console_say(p, "/etc/hostname", n);
	while (rest.n) {
		struct str line = str_trim(str_until(&rest, '\n'));     /* hostname(5): # begins a comment */
		if (line.n == 0 || line.p[0] == '#')
			continue;
		if (sethostname(line.p, line.n) < 0)
			console_say(p, "hostname", errno);
		return;
	}
}

/* ---- what there is no life without ---- */

void boot_pause(void)
{
	poll(NULL, 0, RETRY_MS);
}

void boot_insist(struct pid1 *p, const char *what, int (*get)(struct pid1 *p))
{
	int told = 0;
	for (int r; (r = get(p)) < 0; told = r) {
		if (r != told)
			console_say(p, what, r);
		boot_pause();
	}
}

/*
 * By which the world, and our own children, reach us. Services do not wait for one that cannot be had: they start without it, it is
 * told once, and tried again.
 */
static const struct {
	const char *what;
	int (*open)(struct pid1 *);
	bool is_for_command;            /* too */
	bool may_be_refused;            /* and then for good */
} doors[] = {
	{ "launch reports", spawn_open, true, false },
	{ "kernel log", kmsg_open, true, true },
	{ "control socket", control_open, false, false },
	{ "notify socket", notify_open, false, false },
	{ "changes of unit files", loader_watch, false, false },
};

void boot_open_doors(struct pid1 *p)
{
	struct doors *d = &p->doors;
	d->again_at = 0;
	for (uint32_t i = 0; i < countof(doors); i++) {
		uint32_t bit = 1u << i;
		if ((d->open & bit) || (p->options.mode == MODE_COMMAND && !doors[i].is_for_command))
			continue;
		int r = doors[i].open(p);
		if (r == 0 || r == -ENAMETOOLONG || (doors[i].may_be_refused && !restart_is_passing(-r)))
			d->open |= bit;                 /* or no time mends it */
		else
			d->again_at = now_ms() + RETRY_MS;
		if (r < 0 && !(d->told & bit) && (r != -ENOENT || !doors[i].may_be_refused))
			console_say(p, doors[i].what, r);
		d->told |= bit;
	}
}

/* More than the deepest way down from loop() takes: a full step with its effects is about 9 kB (tests/law.sh adds it up). */
#define STACK_USED 16384

/* ---- the process itself ---- */

/*
 * What was ignored stays so across execve(2): HUP under nohup(1), say. Services shall not inherit that, and with SIGCHLD
 * ignored children vanish before we can look at them (wait(2)). Not libc's sigaction(3): it denies its own three signals.
 */
static void unignore(int number)
{
	unsigned long action[8] = { 0 };        /* the kernel's struct sigaction: SIG_DFL, no flags, nothing masked */
	syscall(SYS_rt_sigaction, number, action, NULL, _NSIG / 8);
}

static int open_signals(struct pid1 *p)
{
	sigset_t all;
	for (int number = 1; number < _NSIG; number++)
		if (number == SIGCHLD || p->options.mode != MODE_COMMAND)
			unignore(number);
	sigfillset(&all);
	/* Faults must reach us as faults: blocked, they would be sent again and again. */
	int faults[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS };
	for (size_t i = 0; i < countof(faults); i++)
		sigdelset(&all, faults[i]);
	sigprocmask(SIG_SETMASK, &all, NULL);
	signal(SIGPIPE, SIG_IGN);       /* inherited by services, as under systemd (IgnoreSIGPIPE=yes) */
	p->signals = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
	return p->signals < 0 ? -errno : watch(p, p->signals, EPOLLIN, SOURCE_SIGNAL, 0);
}

static int open_loop(struct pid1 *p)
{
	close_fd(&p->signals);
	close_fd(&p->epoll);
	p->epoll = epoll_create1(EPOLL_CLOEXEC);
	return p->epoll < 0 ? -errno : open_signals(p);
}

/* The kernel never picks the machine's PID 1; a container's it may. Refused without CAP_SYS_RESOURCE, and then so be it. */
static void set_score(struct pid1 *p)
{
	char text[16];
	int64_t score;
	if (p->options.mode != MODE_COMMAND)
		file_write(AT_FDCWD, "/proc/self/oom_score_adj", STR("-1000"));
	int n = file_read(AT_FDCWD, "/proc/self/oom_score_adj", text, sizeof text);
	p->score = n > 0 && str_i64(str_trim(str_of(text, (size_t)n)), &score) ? (int16_t)score : INT16_MIN;
}

/*
 * What it does is little, and a hundred busy processes wait for it: so it does not stand in line with them. No child inherits that
 * (sched(7), SCHED_RESET_ON_FORK), and none has to undo it. Who was started with another nice(2) value than 0 keeps what was meant for
 * it. Refused without CAP_SYS_NICE, and then so be it.
 */
static void set_nice(void)
{
	enum { RESET_ON_FORK = 1 };             /* SCHED_FLAG_RESET_ON_FORK of linux/sched.h */
	struct {                                /* sched_setattr(2); libc has no name for it */
		uint32_t size, policy;
		uint64_t flags;
		int32_t nice;
		uint32_t priority;
		uint64_t runtime, deadline, period;
	} a = { .size = sizeof a, .policy = SCHED_OTHER, .flags = RESET_ON_FORK, .nice = -20 };
	if (syscall(SYS_sched_getscheduler, 0) == SCHED_OTHER && getpriority(PRIO_PROCESS, 0) == 0)
		syscall(SYS_sched_setattr, 0, &a, 0);
}

/* Above 2, which a child may have given away by then. */
static void open_null(struct pid1 *p)
{
	int fd = open("/dev/null", O_RDWR | O_NOCTTY | O_CLOEXEC);
	p->null = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 3);
	close_fd(&fd);
}

void boot_process(struct pid1 *p)
{
	struct rlimit files = { 1 << 19, 1 << 19 };
	p->epoll = p->signals = -1;
	boot_insist(p, "no way to wait for anything", open_loop);
	set_score(p);
	open_null(p);
	if (!p->is_first)
		prctl(PR_SET_CHILD_SUBREAPER, 1);       /* a supervisor that is not PID 1 still wants its orphans */
	if (p->options.mode == MODE_COMMAND)
		return;                                 /* the command inherits all else */
	set_nice();
	umask(022);
	if (p->options.mode == MODE_VM && p->is_first)
		reboot(RB_DISABLE_CAD);                 /* ctrl-alt-del becomes SIGINT (reboot(2)) */
	if (setrlimit(RLIMIT_NOFILE, &files) < 0 && getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	chdir("/");
}

/*
 * All that PID 1 may touch is made resident and stays so. Not mlockall(MCL_CURRENT): it would fill the whole 132 kB that
 * the kernel maps for a stack; what we use of that is far less. Mappings to come are populated when they are made (loader.c).
 */
void boot_lock_memory(void)
{
	extern const char __executable_start[], _end[];        /* ld(1) */ /* NOLINT(bugprone-reserved-identifier,cert-dcl*): its names */
	uintptr_t here = (uintptr_t)__builtin_frame_address(0);
	mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT);
	mlock(__executable_start, (uintptr_t)_end - (uintptr_t)__executable_start);
	for (size_t n = 0; n < STACK_USED; n += 4096)
		/* cppcheck-suppress selfAssignment ; a page is there once it is written */
		*(volatile char *)(here - n) = *(volatile char *)(here - n);
}
