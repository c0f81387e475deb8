/*
 * Between clone and exec, in the child. It may block, it may fail, it may use a large stack: it is not PID 1 any more.
 * The order is systemd's (exec_child in its src/core/execute.c) as far as it can be seen from outside: OOM score,
 * descriptors and limits as root, then the user, then the working directory with that user's rights.
 */
#include "pid1.h"

#include "lib/expand.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char default_path[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

static void report(const struct launch *l, enum launch_step step, int error, bool is_warning)
{
	struct launch_report r = { .step = (uint8_t)step, .is_warning = is_warning, .error = (uint16_t)error };
	/* Smaller than PIPE_BUF, so written whole. If PID 1 is gone there is nobody to tell. */
	ssize_t n = write(l->pipe, &r, sizeof r);
	(void)n;
}

static void warn(const struct launch *l, enum launch_step step, int error)
{
	report(l, step, error, true);
}

static void give_up(const struct launch *l, enum launch_step step, int error)
{
	report(l, step, error, false);
	_exit(launch_step_info[step].status);
}

/* ---- process ---- */

static void enter_cgroup(const struct launch *l)
{
	int r = l->cgroup < 0 ? 0 : file_write(l->cgroup, "cgroup.procs", STR("0"));
	if (r < 0)
		give_up(l, LAUNCH_CGROUP, -r);
}

/*
 * Always written, whether the unit sets it or not: PID 1's own -1000 must not be inherited. Lowering it needs
 * CAP_SYS_RESOURCE (fs/proc/base.c, __set_oom_adj); a sandbox without it is no reason not to start.
 */
static void set_score(const struct launch *l)
{
	char text[8];
	struct buf b = BUF(text);
	buf_i64(&b, l->unit ? l->unit->oom_score_adj : 0);
	int r = file_write(AT_FDCWD, "/proc/self/oom_score_adj", buf_view(&b));
	if (r < 0 && l->unit)
		warn(l, LAUNCH_SCORE, -r);
}

static void set_limits(const struct launch *l)
{
	static const int resource[N_LIMIT_KIND] = {
		[LIMIT_NOFILE] = RLIMIT_NOFILE, [LIMIT_NPROC] = RLIMIT_NPROC, [LIMIT_CORE] = RLIMIT_CORE,
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
	for (uint32_t i = 0; i < l->unit->limits.n; i++) {
		struct rlimit r = { limits[i].soft, limits[i].hard };
		if (setrlimit(resource[limits[i].kind], &r) == 0)
			continue;
		/* Raising a hard limit is root's alone; systemd then takes what there is. */
		struct rlimit had;
		if (errno != EPERM || getrlimit(resource[limits[i].kind], &had) < 0)
			give_up(l, LAUNCH_LIMITS, errno);
		r.rlim_max = had.rlim_max;
		r.rlim_cur = r.rlim_cur < had.rlim_max ? r.rlim_cur : had.rlim_max;
		setrlimit(resource[limits[i].kind], &r);
		warn(l, LAUNCH_LIMITS, EPERM);
	}
}

/* ---- descriptors ---- */

static int open_stdio(const struct launch *l, int fd)
{
	static const int output_flags[N_STDIO_KIND] = {
		[STDIO_FILE] = O_CREAT, [STDIO_APPEND] = O_CREAT | O_APPEND, [STDIO_TRUNCATE] = O_CREAT | O_TRUNC,
	};
	enum stdio_kind kind = l->unit->stdio[fd];
	const char *path = unitset_text(l->units, l->unit->stdio_path[fd]).p;
	switch (kind) {
	case STDIO_NULL:
		return open("/dev/null", O_RDWR | O_NOCTTY);
	case STDIO_KMSG:
		return open("/dev/kmsg", O_WRONLY | O_NOCTTY);
	case STDIO_TTY:
		return open(*path ? path : "/dev/console", O_RDWR | O_NOCTTY);
	default:
		return open(path, fd == 0 ? O_RDONLY | O_NOCTTY : O_WRONLY | O_NOCTTY | output_flags[kind], 0644);
	}
}

/* `file:` twice with one path must share one offset, as systemd has it; so does anything inherited from stdout. */
static bool is_as_stdout(const struct launch *l)
{
	const struct unit *u = l->unit;
	if (u->stdio[2] == STDIO_INHERIT)
		return u->stdio[1] != STDIO_INHERIT;
	return u->stdio[1] == u->stdio[2] && str_eq(unitset_text(l->units, u->stdio_path[1]), unitset_text(l->units, u->stdio_path[2]));
}

static void set_stdio(const struct launch *l, int fd)
{
	int from;
	if (fd == 2 && is_as_stdout(l)) {
		from = 1;
	} else if (l->unit->stdio[fd] == STDIO_INHERIT) {
		return;
	} else {
		from = open_stdio(l, fd);
	}
	if (from < 0 || (from != fd && dup2(from, fd) < 0))
		give_up(l, LAUNCH_STDIN + (unsigned)fd, errno);
	if (from > 2)
		close(from);
	if (fd == 0 && l->unit->stdio[0] == STDIO_TTY)
		ioctl(0, TIOCSCTTY, 0);         /* best effort: somebody may have it already */
}

/* `oomph -- COMMAND`: it takes our terminal's foreground, so that ctrl-C and job control reach it and not us. */
static void take_terminal(void)
{
	setpgid(0, 0);
	signal(SIGTTOU, SIG_IGN);
	tcsetpgrp(0, getpid());
	signal(SIGTTOU, SIG_DFL);
}

/* ---- words ---- */

static void read_environment_file(const struct launch *l, struct launch_words *w, struct str path)
{
	char text[16384];
	size_t n = 0;
	ssize_t got = 1;
	bool may_miss = str_take(&path, STR("-"));
	int fd = open(path.p, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0 && may_miss)
		return;
	if (fd < 0)
		give_up(l, LAUNCH_ENVIRONMENT, errno);
	while (n < sizeof text && (got = read(fd, text + n, sizeof text - n)) > 0)
		n += (size_t)got;
	if (got < 0 || n == sizeof text)
		give_up(l, LAUNCH_ENVIRONMENT, got < 0 ? errno : EFBIG);
	close(fd);
	launch_env_file(w, str_of(text, n));
}

static void make_words(const struct launch *l, struct launch_words *w)
{
	const struct unit *u = l->unit;
	struct str files = unitset_text(l->units, u->environment_files), path;
	launch_begin(w);
	if (l->main_pid)
		launch_setenv_number(w, STR("MAINPID"), l->main_pid);
	if (u->notify_access != NOTIFY_NONE && *l->notify_path)
		launch_setenv_text(w, STR("NOTIFY_SOCKET"), str_from(l->notify_path));
	launch_environment(w, unitset_text(l->units, u->environment));
	while (str_next(&files, &path))
		read_environment_file(l, w, path);
	launch_argv(w, unitset_text(l->units, l->command->argv), !(l->command->flags & COMMAND_NO_EXPAND));
	if (w->is_full)
		give_up(l, LAUNCH_EXEC, E2BIG);
}

/* ---- user ---- */

/* Straight system calls: libc's would first ask all threads, of which there are none. */
static void set_user(const struct launch *l)
{
	const struct unit *u = l->unit;
	if (u->flags & UNIT_USER_UNKNOWN)
		give_up(l, u->uid == NO_ID ? LAUNCH_USER : LAUNCH_GROUP, ESRCH);
	if (u->uid != NO_ID && syscall(SYS_setgroups, (size_t)u->groups.n, unitset_indices(l->units, u->groups)) < 0)
		give_up(l, LAUNCH_GROUP, errno);
	if (u->gid != NO_ID && syscall(SYS_setresgid, u->gid, u->gid, u->gid) < 0)
		give_up(l, LAUNCH_GROUP, errno);
	if (u->uid != NO_ID && syscall(SYS_setresuid, u->uid, u->uid, u->uid) < 0)
		give_up(l, LAUNCH_USER, errno);
}

static void change_folder(const struct launch *l)
{
	const char *path = unitset_text(l->units, l->unit->working_directory).p;
	if (l->is_command && !*path)
		return;
	if (chdir(*path ? path : "/") < 0 && !(l->unit->flags & UNIT_CHDIR_MAY_FAIL))
		give_up(l, LAUNCH_CHDIR, errno);
}

/* ---- exec ---- */

/* A bare name is looked for along PATH. What was found but not executable is worth more than what was not found. */
static int exec_along_path(const char *name, struct launch_words *w)
{
	const char *path = launch_getenv(w, STR("PATH"));
	struct str rest = str_from(path ? path : default_path);
	int worst = ENOENT;
	while (rest.n) {
		char file[4096];
		struct buf b = BUF(file);
		buf_str(&b, str_until(&rest, ':'));
		buf_char(&b, '/');
		buf_str(&b, str_from(name));
		execve(buf_cstr(&b), w->argv, w->envp);
		if (errno != ENOENT && errno != ENOTDIR)
			worst = errno;
	}
	return worst;
}

static void run_command(const struct launch *l)
{
	struct launch_words w;
	const char *path = unitset_text(l->units, l->command->path).p;
	make_words(l, &w);
	set_limits(l);                  /* LimitNOFILE= last: PID 1 may hold more descriptors, all closed by the exec, than it allows */
	set_user(l);
	change_folder(l);
	if (str_chr(str_from(path), '/') < str_from(path).n) {
		execve(path, w.argv, w.envp);
		give_up(l, LAUNCH_EXEC, errno);
	}
	give_up(l, LAUNCH_EXEC, exec_along_path(path, &w));
}

static char path_variable[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
static char *const helper_environment[] = { path_variable, NULL };

/* Its words are conditions, a dollar in them is one, and whatever the unit is to have, root looks for it. */
static void run_check(const struct launch *l)
{
	struct launch_words w;
	launch_begin(&w);
	launch_argv(&w, unitset_text(l->units, l->command->argv), false);
	if (w.is_full)
		give_up(l, LAUNCH_EXEC, E2BIG);
	execve(unitset_text(l->units, l->command->path).p, w.argv, helper_environment);
	give_up(l, LAUNCH_EXEC, errno);
}

static void run_helper(const struct launch *l)
{
	if (l->pass_fd >= 0)
		fcntl(l->pass_fd, F_SETFD, 0);
	execve(l->argv[0], l->argv, helper_environment);
	give_up(l, LAUNCH_EXEC, errno);
}

void child_run(const struct launch *l)
{
	sigset_t none;
	sigemptyset(&none);
	/* Signals stay blocked until here: before, they would have hit PID 1's code in a process that is not PID 1. */
	enter_cgroup(l);
	if (l->is_command)
		take_terminal();
	else if (setsid() < 0)
		warn(l, LAUNCH_SESSION, errno);
	set_score(l);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (!l->unit)
		run_helper(l);
	if (l->is_check)
		run_check(l);
	if (l->is_command)
		signal(SIGPIPE, SIG_DFL);
	if ((l->unit->flags & UNIT_HAS_NICE) && setpriority(PRIO_PROCESS, 0, l->unit->nice) < 0)
		warn(l, LAUNCH_NICE, errno);
	for (int fd = 0; fd < 3; fd++)
		set_stdio(l, fd);
	umask(l->unit->umask);
	run_command(l);
	_exit(launch_step_info[LAUNCH_EXEC].status);
}
