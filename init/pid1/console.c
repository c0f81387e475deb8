/* Lines for people, on our own descriptor, dropped rather than waited for. */
#include "pid1.h"

#include "lib/say.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

/* What there is to say before /proc is there. */
void console_begin(struct pid1 *p)
{
	p->console = fcntl(2, F_GETFD) < 0 ? -1 : 2;
	p->console_blocks = true;
}

/*
 * A file description of our own, so that it can be non-blocking without the services' being so: in a container fd 2 is a
 * pipe or a terminal that they share. A plain file never blocks, and there the offset has to be shared.
 */
void console_open(struct pid1 *p)
{
	struct stat st;
	p->console = -1;
	if (fstat(2, &st) == 0 && !S_ISREG(st.st_mode))
		p->console = open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	p->console_blocks = p->console < 0;
	if (p->console < 0)
		p->console = fcntl(2, F_DUPFD_CLOEXEC, 3);
}

static void put(struct pid1 *p, struct str line)
{
	struct pollfd ready = { .fd = p->console, .events = POLLOUT };
	if (p->console < 0)
		return;
	if ((p->console_blocks && poll(&ready, 1, 0) != 1) || write(p->console, line.p, line.n) < 0) {
		p->has_lost_lines = true;
	} else if (p->has_lost_lines) {
		static const char lost[] = "oomph: (lines are missing here: the console did not take them)\n";
		p->has_lost_lines = write(p->console, lost, sizeof lost - 1) < 0;
	}
}

void console_note(struct pid1 *p, const struct note *note)
{
	char text[512];
	struct buf b = BUF(text);
	const struct death *d = core_death(p->core, note->death);
	b.cap--;
	buf_lit(&b, "oomph: ");
	if ((note->kind == NOTE_DEATH || note->kind == NOTE_AMENDED) && d)
		say_death(&b, d);
	else
		say_note(&b, note);
	b.cap++;
	buf_char(&b, '\n');
	put(p, buf_view(&b));
}

void console_say(struct pid1 *p, const char *what, int error)
{
	char text[256];
	struct buf b = BUF(text);
	b.cap--;
	buf_lit(&b, "oomph: ");
	buf_str(&b, str_from(what));
	if (error) {
		buf_lit(&b, ": ");
		say_error(&b, error < 0 ? -error : error);
	}
	b.cap++;
	buf_char(&b, '\n');
	put(p, buf_view(&b));
}
