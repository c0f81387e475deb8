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

void child_make_words(const struct launch *l, struct launch_words *w)
{
	const struct unit *u = l->unit;
	const struct context *x = unitset_context(l->units, u);
	struct str files = unitset_text(l->units, u->environment_files), path;
	launch_begin(w);
	child_tell_life(l, w);          /* first, so that the unit has the last word: systemd.exec(5), "Environment Variables" */
	launch_environment(w, unitset_text(l->units, u->environment));
	launch_pass(w, unitset_text(l->units, x->pass_environment), l->environment);
	while (str_next(&files, &path))
		read_environment_file(l, w, path);
	launch_unset(w, unitset_text(l->units, x->unset_environment));
	launch_argv(w, unitset_text(l->units, l->command->argv), !(l->command->flags & COMMAND_NO_EXPAND));
	if (w->is_full)
		child_give_up(l, LAUNCH_EXEC, E2BIG);
}
