/* What a process is told of its service's life: its environment (systemd.exec(5), "Environment Variables Set"), or its chore. */
#include "child.h"

#include "lib/names.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

/* The finalizer of splitmix64: every bit of the input reaches every bit of the result. */
static uint64_t mixed(uint64_t z)
{
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

/*
 * $INVOCATION_ID: another for each generation, the same for all processes of one, and nothing that has to be kept. It names a
 * life in a log; it is no secret.
 */
static void put_invocation(const struct launch *l, struct buf *b)
{
	struct str name = unitset_text(l->units, l->unit->name);
	for (int half = 0; half < 2; half++) {
		uint64_t id = mixed(l->seed[half] ^ mixed(unitset_sum(name.p, name.n) + l->generation));
		for (int shift = 60; shift >= 0; shift -= 4)
			buf_char(b, "0123456789abcdef"[id >> shift & 15]);
	}
}

static void tell_invocation(const struct launch *l, struct launch_words *w)
{
	char text[40];
	struct buf b = BUF(text);
	put_invocation(l, &b);
	launch_setenv_text(w, STR("INVOCATION_ID"), buf_view(&b));
	launch_setenv_number(w, STR("SYSTEMD_EXEC_PID"), (uint64_t)getpid());
}

/* For ExecStop= and ExecStopPost=: how it went, and how the main process ended if it has. */
static void tell_result(const struct launch *l, struct launch_words *w)
{
	static const struct str codes[] = {
		[CLD_EXITED] = { "exited", 6 }, [CLD_KILLED] = { "killed", 6 }, [CLD_DUMPED] = { "dumped", 6 },
	};
	launch_setenv_text(w, STR("SERVICE_RESULT"), str_from(result_name[l->result]));
	if (l->main_code == 0 || l->main_code >= countof(codes))
		return;
	launch_setenv_text(w, STR("EXIT_CODE"), codes[l->main_code]);
	if (l->main_code == CLD_EXITED)
		launch_setenv_number(w, STR("EXIT_STATUS"), l->main_status);
	else
		launch_setenv_text(w, STR("EXIT_STATUS"), str_skip(str_from(signal_name(l->main_status)), 3));
}

void child_tell_life(const struct launch *l, struct launch_words *w)
{
	if (l->is_command)
		return;                         /* `oomph -- COMMAND`: the environment is its caller's */
	tell_invocation(l, w);
	if (l->main_pid)
		launch_setenv_number(w, STR("MAINPID"), l->main_pid);
	if (l->unit->notify_access != NOTIFY_NONE && *l->notify_path)
		launch_setenv_text(w, STR("NOTIFY_SOCKET"), str_from(l->notify_path));
	if (l->unit->pid_file.n)
		launch_setenv_text(w, STR("PIDFILE"), unitset_text(l->units, l->unit->pid_file));
	if (l->last_death)
		launch_setenv_text(w, STR("OOMPH_LAST_DEATH"), str_from(l->last_death));
	if (l->list == EXEC_START)
		child_tell_fds(l, w);
	if (l->list == EXEC_START && l->unit->watchdog_ms) {
		launch_setenv_number(w, STR("WATCHDOG_PID"), (uint64_t)getpid());
		launch_setenv_number(w, STR("WATCHDOG_USEC"), l->unit->watchdog_ms * (uint64_t)1000);
	}
	if (l->list == EXEC_STOP || l->list == EXEC_STOP_POST)
		tell_result(l, w);
}

void child_run_chore(const struct launch *l)
{
	static const char *const names[N_LAUNCH_LIST] = {
		[CHORE_FIND_MAIN] = "find-main", [CHORE_REMOVE_PID_FILE] = "remove",
		[CHORE_AWAIT_BUS_NAME] = "await-bus-name",
	};
	struct span argument = l->list == CHORE_AWAIT_BUS_NAME ? l->unit->bus_name : l->unit->pid_file;
	char program[512], pipe[12], invocation[40];
	char *environment[] = { NULL };
	struct buf path = BUF(program), number = BUF(pipe), id = BUF(invocation);
	buf_str(&path, str_from(l->libdir));
	buf_lit(&path, "/oomph-chore");
	buf_i64(&number, l->reports);
	put_invocation(l, &id);
	/* execve(2) takes char *const [] for history's sake and writes nothing. */
	char *argv[] = {
		(char *)buf_cstr(&path), (char *)names[l->list], (char *)buf_cstr(&number),
		(char *)unitset_text(l->units, l->unit->name).p, (char *)buf_cstr(&id),
		(char *)unitset_text(l->units, argument).p, NULL,
	};
	fcntl(l->reports, F_SETFD, 0);             /* what it finds comes through it */
	execve(argv[0], argv, environment);
}
