/* The environment and the arguments of a child. */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

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
		child_give_up(l, LAUNCH_ENVIRONMENT, errno);
	while (n < sizeof text && (got = read(fd, text + n, sizeof text - n)) > 0)
		n += (size_t)got;
	if (got < 0 || n == sizeof text)
		child_give_up(l, LAUNCH_ENVIRONMENT, got < 0 ? errno : EFBIG);
	close(fd);
	launch_env_file(w, str_of(text, n));
}

/* splitmix64 (Steele, Lea, Flood): numbers beside one another give values that share nothing. */
static uint64_t mixed(uint64_t v)
{
	v = (v ^ v >> 30) * 0xbf58476d1ce4e5b9u;
	v = (v ^ v >> 27) * 0x94d049bb133111ebu;
	return v ^ v >> 31;
}

static void put_invocation(const struct launch *l, struct launch_words *w)
{
	char text[32];
	uint64_t halves[] = { mixed(l->invocation), mixed(~l->invocation) };
	for (size_t i = 0; i < sizeof text; i++)
		text[i] = "0123456789abcdef"[halves[i / 16] >> i % 16 * 4 & 15];
	launch_setenv_text(w, STR("INVOCATION_ID"), str_of(text, sizeof text));
}

/* What the manager tells comes first, so that the unit has the last word: systemd.exec(5), "Environment Variables". */
static void set_own_variables(const struct launch *l, struct launch_words *w)
{
	const struct unit *u = l->unit;
	put_invocation(l, w);
	launch_setenv_number(w, STR("SYSTEMD_EXEC_PID"), (uint64_t)getpid());
	if (l->main_pid)
		launch_setenv_number(w, STR("MAINPID"), l->main_pid);
	if (u->notify_access != NOTIFY_NONE && *l->notify_path)
		launch_setenv_text(w, STR("NOTIFY_SOCKET"), str_from(l->notify_path));
	if (l->last_death)
		launch_setenv_text(w, STR("OOMPH_LAST_DEATH"), str_from(l->last_death));
}

void child_make_words(const struct launch *l, struct launch_words *w)
{
	const struct unit *u = l->unit;
	const struct context *x = unitset_context(l->units, u);
	struct str files = unitset_text(l->units, u->environment_files), path;
	launch_begin(w);
	if (!l->is_command)
		set_own_variables(l, w);
	launch_environment(w, unitset_text(l->units, u->environment));
	launch_pass(w, unitset_text(l->units, x->pass_environment), l->environment);
	while (str_next(&files, &path))
		read_environment_file(l, w, path);
	launch_unset(w, unitset_text(l->units, x->unset_environment));
	launch_argv(w, unitset_text(l->units, l->command->argv), !(l->command->flags & COMMAND_NO_EXPAND));
	if (w->is_full)
		child_give_up(l, LAUNCH_EXEC, E2BIG);
}
