/* The terminal of a child: put in order, opened, made its own. */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <linux/kd.h>
#include <linux/vt.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

static int open_quietly(const char *path)
{
	return open(path, O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
}

/* As getty(8) wants to find it, whatever the last one to use it has done (console_codes(4), termios(3)). */
static void reset(int fd)
{
	struct termios t;
	ioctl(fd, TIOCNXCL);
	ioctl(fd, KDSETMODE, KD_TEXT);
	ioctl(fd, KDSKBMODE, K_UNICODE);
	if (tcgetattr(fd, &t) < 0)
		return;
	t.c_iflag = (t.c_iflag & ~(tcflag_t)(IGNBRK | BRKINT | ISTRIP | INLCR | IGNCR | IUCLC)) | ICRNL | IMAXBEL | IUTF8;
	t.c_oflag |= ONLCR | OPOST;
	t.c_cflag |= CREAD;
	t.c_lflag = ISIG | ICANON | IEXTEN | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE;
	t.c_cc[VINTR] = 3;
	t.c_cc[VQUIT] = 28;
	t.c_cc[VERASE] = 127;
	t.c_cc[VKILL] = 21;
	t.c_cc[VEOF] = 4;
	t.c_cc[VSTART] = 17;
	t.c_cc[VSTOP] = 19;
	t.c_cc[VSUSP] = 26;
	t.c_cc[VLNEXT] = 22;
	t.c_cc[VWERASE] = 23;
	t.c_cc[VREPRINT] = 18;
	t.c_cc[VEOL] = t.c_cc[VEOL2] = 0;
	t.c_cc[VTIME] = 0;
	t.c_cc[VMIN] = 1;
	tcsetattr(fd, TCSANOW, &t);
	tcflush(fd, TCIOFLUSH);
}

/* A virtual terminal gives its memory, and what was on it, back; one in use, or of another kind, is wiped. */
static void disallocate(const char *path)
{
	uint64_t number;
	struct str name = str_from(path);
	bool is_virtual = str_take(&name, STR("/dev/tty")) && str_u64(name, &number) && number > 0 && number <= MAX_NR_CONSOLES;
	int fd = is_virtual ? open_quietly("/dev/tty0") : -1;
	bool is_gone = fd >= 0 && ioctl(fd, VT_DISALLOCATE, (int)number) == 0;
	close_fd(&fd);
	if (is_gone)
		return;
	fd = open_quietly(path);
	ssize_t n = fd >= 0 ? write(fd, "\033[r\033[H\033[3J\033[2J", 14) : 0;
	(void)n;
	close_fd(&fd);
}

void child_ready_terminal(const struct launch *l)
{
	const struct context *x = unitset_context(l->units, l->unit);
	const char *path = unitset_text(l->units, x->tty).p;
	struct winsize size = { .ws_row = x->tty_rows, .ws_col = x->tty_columns };
	if (!(x->flags & (CONTEXT_TTY_HANGUP | CONTEXT_TTY_RESET | CONTEXT_TTY_DISALLOCATE)) && !size.ws_row && !size.ws_col)
		return;
	int fd = open_quietly(path);
	if (fd >= 0 && (x->flags & CONTEXT_TTY_HANGUP)) {
		ioctl(fd, TIOCVHANGUP);
		close_fd(&fd);          /* hung up for us as well */
		fd = open_quietly(path);
	}
	if (fd >= 0 && (x->flags & CONTEXT_TTY_RESET))
		reset(fd);
	if (fd >= 0 && (size.ws_row || size.ws_col))
		ioctl(fd, TIOCSWINSZ, &size);
	close_fd(&fd);
	if (x->flags & CONTEXT_TTY_DISALLOCATE)
		disallocate(path);
}

static void forget_closes(int watch)
{
	char events[512];
	while (watch >= 0 && read(watch, events, sizeof events) > 0)
		;
}

/*
 * StandardInput=tty waits its turn, tty-fail does not, tty-force takes it away (tty_ioctl(4), TIOCSCTTY). Whether it was the one whose it
 * is who closed it the next attempt tells; ours is told like any other, and comes before that is forgotten.
 */
int child_open_terminal(const struct launch *l, const char *path, enum stdio_kind kind)
{
	bool is_leader = getsid(0) == getpid();         /* nobody else ever gets one */
	struct pollfd watch = { .fd = kind == STDIO_TTY && is_leader ? inotify_init1(IN_CLOEXEC | IN_NONBLOCK) : -1, .events = POLLIN };
	if (watch.fd >= 0 && inotify_add_watch(watch.fd, path, IN_CLOSE) < 0)
		close_fd(&watch.fd);    /* or it would wait for what nobody tells */
	for (;;) {
		forget_closes(watch.fd);
		int fd = open(path, O_RDWR | O_NOCTTY);
		if (fd < 0)
			return -1;
		if (ioctl(fd, TIOCSCTTY, kind == STDIO_TTY_FORCE) == 0 || errno != EPERM || l->is_command)
			return fd;      /* another error is that it is none, and then there is nothing to own */
		if (watch.fd >= 0)
			poll(&watch, 1, -1);
		close(fd);
		if (watch.fd < 0) {
			errno = EPERM;
			return -1;
		}
	}
}
