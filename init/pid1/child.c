/*
 * Between clone and exec, in the child. It may block, it may fail, it may use a large stack: it is not PID 1 any more.
 * The order is systemd's (exec_child in its src/core/execute.c) as far as it can be seen from outside: OOM score,
 * descriptors and limits as root, then the user, then the working directory with that user's rights.
 */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char default_path[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

static void report(const struct launch *l, enum launch_step step, int error, bool is_warning)
{
	struct launch_report r = { .kind = is_warning ? REPORT_WARNING : REPORT_FAILED, .pid = (uint32_t)getpid(), .step = (uint8_t)step,
				   .error = (uint16_t)error };
	/* Smaller than PIPE_BUF, so written whole, and waiting for room where there is none (pipe(7)). */
	ssize_t n = write(l->reports, &r, sizeof r);
	(void)n;
}

void child_warn(const struct launch *l, enum launch_step step, int error)
{
	report(l, step, error, true);
}

void child_give_up(const struct launch *l, enum launch_step step, int error)
{
	report(l, step, error, false);
	_exit(launch_step_info[step].status);
}

/* ---- process ---- */

static void enter_cgroup(const struct launch *l)
{
	int r = l->cgroup < 0 ? 0 : file_write(l->cgroup, "cgroup.procs", STR("0"));
	if (r < 0)
		child_give_up(l, LAUNCH_CGROUP, -r);
}

/*
 * Whether the unit sets it or not: PID 1's own -1000 must not be inherited. Lowering it needs CAP_SYS_RESOURCE
 * (fs/proc/base.c, __set_oom_adj); a sandbox without it is no reason not to start.
 */
static void set_score(const struct launch *l)
{
	char text[8];
	struct buf b = BUF(text);
	int score = l->unit ? l->unit->oom_score_adj : 0;
	if (score == l->score)
		return;
	buf_i64(&b, score);
	int r = file_write(AT_FDCWD, "/proc/self/oom_score_adj", buf_view(&b));
	if (r < 0 && l->unit && !(l->unit->flags & UNIT_HELPER))
		child_warn(l, LAUNCH_SCORE, -r);        /* nobody who could read it has written the others' */
}

/* `oomph -- COMMAND`: it takes our terminal's foreground, so that ctrl-C and job control reach it and not us. */
static void take_terminal(void)
{
	setpgid(0, 0);
	signal(SIGTTOU, SIG_IGN);
	tcsetpgrp(0, getpid());
	signal(SIGTTOU, SIG_DFL);
}

static void change_folder(const struct launch *l)
{
	const char *path = unitset_text(l->units, l->unit->working_directory).p;
	if (l->is_command && !*path)
		return;
	if (chdir(*path ? path : "/") < 0 && !(l->unit->flags & UNIT_CHDIR_MAY_FAIL))
		child_give_up(l, LAUNCH_CHDIR, errno);
}

/* ---- exec ---- */

/* Not along the unit's own PATH (systemd.service(5), "Command Lines"); `oomph -- COMMAND` stands in for a shell, and goes by that. */
static struct str search_path(const struct launch *l, const struct launch_words *w)
{
	struct str own = unitset_text(l->units, unitset_context(l->units, l->unit)->search_path);
	const char *path = l->is_command ? launch_getenv(w, STR("PATH")) : NULL;
	return own.n ? own : str_from(path ? path : default_path);
}

/* What was found but not executable is worth more than what was not found. */
static int exec_along_path(const struct launch *l, const char *name, struct launch_words *w)
{
	struct str rest = search_path(l, w);
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
	child_make_words(l, &w);
	child_set_limits(l);            /* LimitNOFILE= last: PID 1 may hold more descriptors, all closed by the exec, than it allows */
	child_set_user(l);
	child_set_keyring(l);
	change_folder(l);
	child_seal(l);
	if (str_chr(str_from(path), '/') < str_from(path).n) {
		execve(path, w.argv, w.envp);
		child_give_up(l, LAUNCH_EXEC, errno);
	}
	child_give_up(l, LAUNCH_EXEC, exec_along_path(l, path, &w));
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
		child_give_up(l, LAUNCH_EXEC, E2BIG);
	execve(unitset_text(l->units, l->command->path).p, w.argv, helper_environment);
	child_give_up(l, LAUNCH_EXEC, errno);
}

static void run_helper(const struct launch *l)
{
	if (l->program >= 0) {
		set_descriptor_flags(0);
		syscall(SYS_execveat, l->program, "", l->argv, helper_environment, AT_EMPTY_PATH);
		child_give_up(l, LAUNCH_EXEC, errno);
	}
	if (l->pass_fd >= 0)
		fcntl(l->pass_fd, F_SETFD, 0);
	execve(l->argv[0], l->argv, helper_environment);
	child_give_up(l, LAUNCH_EXEC, errno);
}

void child_run(struct launch *l)
{
	sigset_t none;
	sigemptyset(&none);
	/* Signals stay blocked until here: before, they would have hit PID 1's code in a process that is not PID 1. */
	enter_cgroup(l);
	if (l->is_command)
		take_terminal();
	else if (setsid() < 0)
		child_warn(l, LAUNCH_SESSION, errno);
	set_score(l);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (!l->unit)
		run_helper(l);
	if (l->command && l->list == EXEC_CHECK)
		run_check(l);
	if (!l->command && l->list != EXEC_CLEAN) {
		child_run_chore(l);
		child_give_up(l, LAUNCH_EXEC, errno);
	}
	if (l->is_command || (unitset_context(l->units, l->unit)->flags & CONTEXT_DEFAULT_SIGPIPE))
		signal(SIGPIPE, SIG_DFL);
	if (!l->command)
		child_clean(l);
	child_set_process(l);
	child_ready_terminal(l);
	child_give_credentials(l);
	child_make_folders(l);          /* before StandardOutput=, which may go to a file in one of them */
	for (int fd = 0; fd < 3; fd++)
		child_set_stdio(l, fd);
	umask(l->unit->umask);
	child_wait_idle(l);             /* before its descriptors may lie where the passed ones belong */
	child_pass_fds(l);
	run_command(l);
	_exit(launch_step_info[LAUNCH_EXEC].status);
}
