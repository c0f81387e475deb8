/*
 * A client of PID 1's control socket (proto.h) that follows something for ever. When PID 1 hangs up, because it was executed anew or
 * had no place left, it is asked again: what it tells of that we know already makes no difference.
 */
#include "parts.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define WAIT_FIRST_MS 100u
#define WAIT_MOST_MS 2000u

static void hang_up(struct logger *l, struct wire *w)
{
	source_close(l, &w->source);
	w->again.at_ms = now_ms() + w->wait_ms;
	w->wait_ms = w->wait_ms < WAIT_MOST_MS ? 2 * w->wait_ms : w->wait_ms;
}

static int dial(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t n = strlen(path);
	int fd = n < sizeof address.sun_path ? socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0) : -1;
	if (fd < 0)
		return -1;
	memcpy(address.sun_path, path, n);
	if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
		return fd;
	close(fd);
	return -1;
}

static void ask(struct logger *l, struct wire *w)
{
	struct request r = { .magic = PROTO_MAGIC, .version = PROTO_VERSION, .verb = w->verb, .flags = REQUEST_FOLLOW };
	w->source.fd = dial(l->options.socket);
	if (w->source.fd < 0 || send(w->source.fd, &r, sizeof r, MSG_NOSIGNAL) != (ssize_t)sizeof r ||
	    source_watch(l, &w->source, EPOLLIN) < 0)
		hang_up(l, w);
}

static const struct {
	uint32_t kind;
	size_t size;
} kinds[] = {
	{ PACKET_LOG, sizeof(struct log_packet) }, { PACKET_DEATH, sizeof(struct death_packet) }, { PACKET_END, sizeof(struct end_packet) },
};

static bool is_well_formed(const struct packet *p, size_t n)
{
	for (size_t i = 0; i < countof(kinds); i++)
		if (n >= sizeof *p && p->kind == kinds[i].kind)
			return p->size == n && n == kinds[i].size;
	return false;
}

static void tell_refusal(struct wire *w, const char *what)
{
	if (!w->is_refused)
		complain("%s", what);
	w->is_refused = true;
}

static void take(struct logger *l, struct wire *w, const struct packet *p, int fd)
{
	const struct end_packet *end = (const struct end_packet *)p;
	if (p->kind == PACKET_END && end->answer != ANSWER_OK) {
		tell_refusal(w, "PID 1 does not take the logger's request; it may be of another version");
		hang_up(l, w);
		return;
	}
	if (p->kind == PACKET_END) {
		w->wait_ms = WAIT_FIRST_MS;
		w->is_refused = false;
	}
	w->take(l, p, fd);
}

/* A packet, and the descriptor that came along. */
static ssize_t receive(int from, void *packet, size_t size, int *fd)
{
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(sizeof(int))];
	} along = { .bytes = "" };
	struct iovec part = { packet, size };
	struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &along, .msg_controllen = sizeof along };
	ssize_t n = recvmsg(from, &m, MSG_DONTWAIT | MSG_TRUNC | MSG_CMSG_CLOEXEC);
	const struct cmsghdr *c = n < 0 ? NULL : CMSG_FIRSTHDR(&m);
	*fd = -1;
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS && c->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(fd, CMSG_DATA(c), sizeof *fd);
	return n;
}

void wire_serve(struct logger *l, struct wire *w)
{
	union {
		struct packet head;
		char bytes[PROTO_PACKET_MAX];
	} in;
	while (w->source.fd >= 0) {
		int fd;
		ssize_t n = receive(w->source.fd, &in, sizeof in, &fd);
		if (n < 0 && errno == EAGAIN)
			return;
		if (n > 0 && is_well_formed(&in.head, (size_t)n)) {
			take(l, w, &in.head, fd);
			continue;
		}
		if (fd >= 0)
			close(fd);
		if (n > 0)
			tell_refusal(w, "PID 1 speaks another version of the protocol than this logger");
		hang_up(l, w);
	}
}

static void on_news(struct logger *l, struct source *s, uint32_t events)
{
	(void)events;
	wire_serve(l, (struct wire *)((char *)s - offsetof(struct wire, source)));
}

static void on_time(struct logger *l, struct timer *t)
{
	ask(l, (struct wire *)((char *)t - offsetof(struct wire, again)));
}

void wire_open(struct logger *l, struct wire *w, enum verb verb, wire_take *taker)
{
	*w = (struct wire){ .source = { .fd = -1, .ready = on_news }, .again = { .due = on_time }, .wait_ms = WAIT_FIRST_MS,
			    .verb = (uint8_t)verb, .take = taker };
	timer_add(l, &w->again);
	ask(l, w);
}
