/*
 * /dev/log, as a link to a socket of its own in /run, which is how Debian has it: whoever binds /dev/log itself takes the link away
 * and has the messages then (rsyslog does, imuxsock), our socket stays, and when he leaves the link comes back.
 */
#include "heard.h"
#include "parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#define LINK_AGAIN_MS 1000u     /* whoever has unlinked it is about to bind it, most likely */

struct devlog {
	struct listener in;
	struct source watch;            /* inotify(7), on the link's folder */
	struct timer again;
	const char *link, *name;        /* /dev/log; its last part */
	bool has_told;                  /* that it is somebody else's */
};

static bool is_our_link(const struct devlog *s)
{
	char target[sizeof s->in.path];
	ssize_t n = readlink(s->link, target, sizeof target);
	return n > 0 && str_eq(str_of(target, (size_t)n), str_from(s->in.path));
}

/* What is there and serves nobody is a socket or a link of somebody who is gone. Anything else nobody has put there for syslog(3). */
static bool is_left_behind(const struct devlog *s)
{
	struct stat st;
	return lstat(s->link, &st) == 0 && (S_ISSOCK(st.st_mode) || S_ISLNK(st.st_mode)) && !is_served(s->link);
}

static void put_link(struct devlog *s)
{
	if (is_our_link(s))
		return;
	if (is_left_behind(s))
		unlink(s->link);
	if (symlink(s->in.path, s->link) == 0) {
		s->has_told = false;
	} else if (!s->has_told) {
		s->has_told = true;
		complain("%s%s%s", s->link, errno == EEXIST ? " is another program's: what is sent there is not ours to keep" : " cannot be made: ",
			 errno == EEXIST ? "" : strerror(errno));
	}
}

static void put_link_again(struct logger *l, struct timer *t)
{
	(void)l;
	put_link((struct devlog *)((char *)t - offsetof(struct devlog, again)));
}

/* Somebody made it, or took it away: what there is in the end is seen a little later. */
static void take_notice(struct logger *l, struct source *source, uint32_t events)
{
	struct devlog *s = (struct devlog *)((char *)source - offsetof(struct devlog, watch));
	_Alignas(struct inotify_event) char room[4096];
	(void)l;
	(void)events;
	ssize_t n = read(source->fd, room, sizeof room);
	for (ssize_t at = 0; at < n;) {
		struct inotify_event e;
		memcpy(&e, room + at, sizeof e);
		if ((e.mask & IN_Q_OVERFLOW) || (e.len && strcmp(room + at + sizeof e, s->name) == 0))
			s->again.at_ms = now_ms() + LINK_AGAIN_MS;
		at += (ssize_t)sizeof e + e.len;
	}
}

static void watch_link(struct logger *l, struct devlog *s)
{
	char folder[256];
	struct buf b = BUF(folder);
	buf_str(&b, str_of(s->link, (size_t)(s->name - s->link)));
	s->watch = (struct source){ .fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC), .ready = take_notice };
	s->again.due = put_link_again;
	timer_add(l, &s->again);
	if (s->watch.fd < 0 || inotify_add_watch(s->watch.fd, buf_cstr(&b), IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO) < 0 ||
	    source_watch(l, &s->watch, EPOLLIN) < 0)
		complain("%s cannot be watched: %s", folder, strerror(errno));
}

static void hear(struct logger *l, struct listener *in, const struct datagram *d)
{
	struct syslogmsg m;
	if (d->bytes.n == 0)
		return;
	syslogmsg_parse(d->bytes, &m);
	struct logline line = { .pid = d->pid, .stream = LOG_SYSLOG, .priority = m.priority, .facility = m.facility };
	listener_put(l, in, &m, &line);
}

void syslog_open(struct logger *l)
{
	struct devlog *s = l->options.sockets[0] ? calloc(1, sizeof *s) : NULL;
	if (!s)
		return;
	s->in = (struct listener){ .name = "syslog", .hear = hear };
	s->link = l->options.dev_log;
	s->name = strrchr(s->link, '/') ? strrchr(s->link, '/') + 1 : s->link;
	if (!listener_open(l, &s->in, "dev-log"))
		return;
	put_link(s);
	watch_link(l, s);
}
