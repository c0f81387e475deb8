/* Standard input, output and error of a child. */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

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

void child_set_stdio(const struct launch *l, int fd)
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
		child_give_up(l, LAUNCH_STDIN + (unsigned)fd, errno);
	if (from > 2)
		close(from);
	if (fd == 0 && l->unit->stdio[0] == STDIO_TTY)
		ioctl(0, TIOCSCTTY, 0);         /* best effort: somebody may have it already */
}
