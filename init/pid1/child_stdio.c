/* Standard input, output and error of a child. */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

static int write_whole(int fd, struct str text)
{
	while (text.n) {
		ssize_t n = write(fd, text.p, text.n);
		if (n <= 0)
			return -1;
		text = str_skip(text, (size_t)n);
	}
	return lseek(fd, 0, SEEK_SET) < 0 ? -1 : 0;
}

/* StandardInputText=, StandardInputData=: a file without a name, so that it can be of any size. */
static int open_data(const struct launch *l)
{
	int fd = memfd_create("stdin", 0);
	if (fd >= 0 && write_whole(fd, unitset_text(l->units, unitset_context(l->units, l->unit)->input)) < 0)
		close_fd(&fd);
	return fd;
}

/*
 * Whose lines follow is told in the pipe itself, by those that begin a life: what runs beside a main process must not take its
 * lines from it. Shorter than PIPE_BUF, so written whole; where there is no room for it there is none for the service either.
 */
static void mark(const struct launch *l, int fd)
{
	char text[LOG_MARKER_SIZE];
	struct buf b = BUF(text);
	if (l->list != EXEC_CONDITION && l->list != EXEC_START_PRE && l->list != EXEC_START)
		return;
	log_marker_put(&b, l->log_token, &(struct log_marker){ l->generation, (uint32_t)getpid() });
	ssize_t n = write(fd, b.p, b.n);
	(void)n;
}

/*
 * With a description of its own: a service expects writing to block, and PID 1's is open for reading, too. A sandbox may keep
 * everybody from looking at another's descriptors; the number means the same pipe here.
 */
static int open_log(const struct launch *l, enum log_stream stream)
{
	const struct unit *u = l->unit;
	int pipe = l->logs[stream], fd = pipe < 0 ? pipe : open_again(l->log_folder, pipe, O_WRONLY);
	if (pipe >= 0 && fd < 0)
		fd = open_again("/proc/self/fd/", pipe, O_WRONLY);
	if (fd < 0) {
		child_warn(l, LAUNCH_STDOUT + (unsigned)stream, -fd);
		return -1;
	}
	/* So that the service may open it by that name, or as /dev/stdout. */
	if (u->uid != NO_ID && !(l->command->flags & (COMMAND_PRIVILEGED | COMMAND_KEEPS_USER)) && fchown(fd, u->uid, u->gid) < 0)
		child_warn(l, LAUNCH_STDOUT + (unsigned)stream, errno);
	mark(l, fd);
	return fd;
}

static int open_stdio(const struct launch *l, int fd)
{
	static const int output_flags[N_STDIO_KIND] = {
		[STDIO_FILE] = O_CREAT, [STDIO_APPEND] = O_CREAT | O_APPEND, [STDIO_TRUNCATE] = O_CREAT | O_TRUNC,
	};
	enum stdio_kind kind = l->unit->stdio[fd];
	const char *path = unitset_text(l->units, l->unit->stdio_path[fd]).p;
	switch (kind) {
	case STDIO_NULL:
		return l->null >= 0 ? l->null : open("/dev/null", O_RDWR | O_NOCTTY);
	case STDIO_KMSG:
		return open("/dev/kmsg", O_WRONLY | O_NOCTTY);
	case STDIO_DATA:
		return open_data(l);
	case STDIO_TTY:
	case STDIO_TTY_FORCE:
	case STDIO_TTY_FAIL:
		return fd == 0 ? child_open_terminal(l, path, kind) : open(path, O_RDWR | O_NOCTTY);
	default:
		return open(path, fd == 0 ? O_RDONLY | O_NOCTTY : O_WRONLY | O_NOCTTY | output_flags[kind], 0644);
	}
}

/* Where a terminal is read from is where output goes that nobody sends elsewhere. */
static bool is_as_input(const struct launch *l)
{
	uint8_t input = l->unit->stdio[0];
	return l->unit->stdio[1] == STDIO_INHERIT && (input == STDIO_TTY || input == STDIO_TTY_FORCE || input == STDIO_TTY_FAIL);
}

/* `file:` twice with one path must share one offset, as systemd has it; so does anything inherited from stdout. */
static bool is_as_stdout(const struct launch *l)
{
	const struct unit *u = l->unit;
	if (u->stdio[2] == STDIO_INHERIT)
		return u->stdio[1] != STDIO_INHERIT || is_as_input(l);
	if (u->stdio[2] == STDIO_LOG)
		return false;                   /* each has a pipe of its own */
	return u->stdio[1] == u->stdio[2] && str_eq(unitset_text(l->units, u->stdio_path[1]), unitset_text(l->units, u->stdio_path[2]));
}

void child_set_stdio(const struct launch *l, int fd)
{
	int from;
	if (fd == 2 && is_as_stdout(l)) {
		from = 1;
	} else if (fd == 1 && is_as_input(l)) {
		from = 0;
	} else if (l->unit->stdio[fd] == STDIO_INHERIT) {
		return;
	} else if (l->unit->stdio[fd] == STDIO_LOG) {
		from = open_log(l, (enum log_stream)(fd - 1));
		if (from < 0)
			return;                 /* the console does as well */
	} else {
		from = open_stdio(l, fd);
	}
	if (from < 0 || (from != fd && dup2(from, fd) < 0))
		child_give_up(l, LAUNCH_STDIN + (unsigned)fd, errno);
	if (from > 2 && from != l->null)
		close(from);
}
