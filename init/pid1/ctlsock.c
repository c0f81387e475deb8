/*
 * The control socket (proto.h). Whoever may connect may read, which the socket's own permissions decide; only root may
 * change anything, and have what services write. A bad packet or a slow reader costs that client its connection and nobody else anything.
 */
#include "pid1.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <linux/sockios.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* ---- the socket ---- */

/* The gid of `oomph` in /etc/group (group(5)), the one thing that PID 1 looks up by name; NO_ID where there is none. */
static uint32_t find_group(struct pid1 *p, int n)
{
	struct str rest = str_of(p->scratch, n > 0 ? (size_t)n : 0);
	while (rest.n) {
		struct str line = str_until(&rest, '\n');
		uint64_t gid;
		if (!str_take(&line, STR("oomph:")))
			continue;
		str_until(&line, ':');
		if (str_u64(str_until(&line, ':'), &gid))
			return (uint32_t)gid;
	}
	return NO_ID;
}

static void make_parents(const char *path)
{
	char text[108];
	struct buf b = BUF(text);
	struct str rest = str_from(path);
	str_take(&rest, STR("/"));
	for (size_t at = str_chr(rest, '/'); at < rest.n; at = str_chr(rest, '/')) {
		buf_char(&b, '/');
		buf_str(&b, str_until(&rest, '/'));
		mkdir(buf_cstr(&b), 0755);
	}
}

int control_open(struct pid1 *p)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct str path = str_from(p->options.socket);
	int n = file_read(AT_FDCWD, "/etc/group", p->scratch, sizeof p->scratch);
	uint32_t gid = find_group(p, n);
	if (n < 0 && n != -ENOENT)
		return n;
	if (path.n >= sizeof address.sun_path)
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path.p, path.n);
	make_parents(path.p);
	unlink(path.p);
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int r = fd < 0 || bind_as(fd, &address, gid == NO_ID ? 0600 : 0660) < 0 ||
		(gid != NO_ID && lchown(path.p, 0, gid) < 0) || listen(fd, 64) < 0 ? -errno : watch(p, fd, EPOLLIN, SOURCE_CONTROL, 0);
	if (r < 0)
		close_fd(&fd);
	p->control = fd;
	return r;
}

/* So that there is always room for each, should what it has sent be left unread: see hang_up(). */
static bool has_room_for_clients(struct pid1 *p)
{
	return store_room(p) > CLIENTS_MAX;
}

void control_listen(struct pid1 *p)
{
	if (p->control >= 0)
		watch(p, p->control, has_room_for_clients(p) ? EPOLLIN : 0, SOURCE_CONTROL, 0);
}

/* The kernel closes what waits in a socket with it. */
static void hang_up(struct pid1 *p, struct client *c)
{
	uint32_t serial = c->serial;
	shutdown(c->fd, SHUT_RDWR);     /* for the peer: a child between clone and exec still has a copy */
	epoll_ctl(p->epoll, EPOLL_CTL_DEL, c->fd, NULL);
	if (!receive_has_more(c->fd) || store_discard(p, &c->fd, 1) == 0)
		close(c->fd);
	store_purge(p);
	*c = (struct client){ .fd = -1, .serial = serial + 1 };
}

static bool is_logger(const struct client *c)
{
	return c->fd >= 0 && c->verb == VERB_LOGS && c->is_following;
}

/* Whether it has not read all that we sent: unix(7), SIOCOUTQ. */
static bool has_unread(const struct client *c)
{
	int n = 0;
	return ioctl(c->fd, SIOCOUTQ, &n) == 0 && n > 0;
}

/* In the order in which they have to go. The logger has nothing to ask for, and is silent for as long as no unit comes or goes. */
enum merit { IS_UNKNOWN, IS_READER, IS_LOGGER, N_MERIT };

static enum merit merit_of(const struct client *c)
{
	return is_logger(c) ? IS_LOGGER : c->has_asked && !has_unread(c) ? IS_READER : IS_UNKNOWN;
}

/*
 * Of those who never read a thousand may come at once, and again as soon as they are cut off. They take the places of one another,
 * and not of whoever reads: but the new have a few places, or nobody would be heard any more. Who has been silent longest goes first.
 */
static void hang_up_oldest(struct pid1 *p)
{
	struct client *oldest[N_MERIT] = { NULL };
	uint32_t n[N_MERIT] = { 0 };
	for (uint32_t i = 0; i < CLIENTS_MAX; i++) {
		struct client *c = &p->clients[i];
		enum merit merit = c->fd >= 0 ? merit_of(c) : N_MERIT;
		if (merit == N_MERIT)
			continue;
		n[merit]++;
		if (!oldest[merit] || c->active_at < oldest[merit]->active_at)
			oldest[merit] = c;
	}
	bool spares_new = n[IS_UNKNOWN] <= CLIENTS_NEW && n[IS_READER];
	for (int merit = spares_new ? IS_READER : IS_UNKNOWN; merit < N_MERIT; merit++)
		if (oldest[merit]) {
			hang_up(p, oldest[merit]);
			return;
		}
}

static struct client *find_place(struct pid1 *p)
{
	for (;; hang_up_oldest(p))
		for (uint32_t i = 0; i < CLIENTS_MAX; i++)
			if (p->clients[i].fd < 0)
				return &p->clients[i];
}

/*
 * What a client has not read stays in the kernel's memory, and all of them together shall not fill that. An answer can wait for room;
 * what happens cannot, and may come in bursts.
 */
enum room { ROOM_FOR_ANSWER = 1 << 17, ROOM_TO_FOLLOW = 1 << 20 };

static void give_room(int fd, int room)
{
	setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room);
}

void control_accept(struct pid1 *p)
{
	struct ucred who;
	socklen_t size = sizeof who;
	int on = 1;
	if (!has_room_for_clients(p)) {
		control_listen(p);
		return;
	}
	int fd = accept4(p->control, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0 && (errno == EMFILE || errno == ENFILE))
		hang_up_oldest(p);      /* or epoll would tell of this one for ever */
	if (fd < 0)
		return;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) < 0) {
		close(fd);
		return;
	}
	give_room(fd, ROOM_FOR_ANSWER);
	setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof on);        /* for receive_has_more() */
	struct client *c = find_place(p);
	*c = (struct client){ .fd = fd, .uid = who.uid, .serial = c->serial, .service = NO_UNIT, .active_at = now_ms() };
	if (watch(p, fd, EPOLLIN, SOURCE_CLIENT, (uint32_t)(c - p->clients)) < 0)
		hang_up(p, c);          /* rather than that it waits for an answer: it may ask again */
}

/* ---- sending ---- */

/* 0, or -EAGAIN when it does not take more now, or it is gone. A descriptor goes along, if it is one: unix(7), SCM_RIGHTS. */
static int put_with(struct pid1 *p, struct client *c, const void *packet, size_t size, int descriptor)
{
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(sizeof(int))];
	} along = { .head = { .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS } };
	struct iovec part = { (void *)packet, size };
	struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1 };
	if (c->fd < 0)
		return -EPIPE;
	if (descriptor >= 0) {
		memcpy(CMSG_DATA(&along.head), &descriptor, sizeof descriptor);
		m.msg_control = &along;
		m.msg_controllen = sizeof along;
	}
	if (sendmsg(c->fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
		return 0;
	if (errno == EAGAIN)
		return -EAGAIN;
	hang_up(p, c);
	return -EPIPE;
}

static int put(struct pid1 *p, struct client *c, const void *packet, size_t size)
{
	return put_with(p, c, packet, size, -1);
}

static int put_end(struct pid1 *p, struct client *c, enum answer answer)
{
	struct end_packet end = { { PACKET_END, sizeof end }, answer };
	return put(p, c, &end, sizeof end);
}

static int put_unit(struct pid1 *p, struct client *c, uint32_t i)
{
	struct unit_packet packet;
	view_unit(&packet, p->core, p->units, i, now_ms());
	packet.has_cgroup = p->slots[i].has_cgroup;
	return put(p, c, &packet, packet.head.size);
}

static int put_death(struct pid1 *p, struct client *c, const struct death *d)
{
	struct death_packet packet = { { PACKET_DEATH, sizeof packet }, *d };
	return put(p, c, &packet, sizeof packet);
}

static int put_text(struct pid1 *p, struct client *c, struct str text)
{
	struct text_packet packet = { { PACKET_TEXT, sizeof packet }, "" };
	memcpy(packet.text, text.p, text.n < sizeof packet.text ? text.n : sizeof packet.text - 1);
	return put(p, c, &packet, sizeof packet);
}

static int put_version(struct pid1 *p, struct client *c)
{
	struct version_packet packet = {
		.head = { PACKET_VERSION, sizeof packet }, .proto_version = PROTO_VERSION, .n_services = p->core->n_services,
		.uptime_ms = now_ms() - p->boot_at, .n_kmsg_lost = p->core->n_kmsg_lost, .n_bugs = p->core->n_bugs,
		.n_crashes = p->n_crashes, .reaps_only = p->reaps_only,
		.mode = p->core->system.mode, .phase = p->core->system.phase, .has_kmsg = p->kmsg >= 0,
		.has_cgroup = p->cgroups >= 0, .version = VERSION_TEXT,
	};
	memcpy(packet.build, p->head.build, sizeof packet.build);
	return put(p, c, &packet, sizeof packet);
}

/* The answers to reading, each a function of the cursor: sends what comes next, or says that there is nothing more. */
enum progress { SENT, FINISHED };

static enum progress next_of_list(struct pid1 *p, struct client *c, int *r)
{
	if (c->cursor >= p->core->n_services)
		return FINISHED;
	*r = put_unit(p, c, (uint32_t)c->cursor);
	return SENT;
}

static enum progress next_of_status(struct pid1 *p, struct client *c, int *r)
{
	struct str notes = unitset_text(p->units, unitset_unit(p->units, c->service)->notes), line;
	const struct death *d = core_death(p->core, p->core->services[c->service].last_death);
	uint64_t n = 1;
	if (c->cursor == 0) {
		*r = put_unit(p, c, c->service);
		return SENT;
	}
	for (; str_next(&notes, &line); n++)
		if (n == c->cursor) {
			*r = put_text(p, c, line);
			return SENT;
		}
	if (c->cursor > n || !d)
		return FINISHED;
	*r = put_death(p, c, d);
	return SENT;
}

static enum progress next_of_deaths(struct pid1 *p, struct client *c, int *r)
{
	uint64_t oldest = p->core->next_death > DEATHS_KEPT ? p->core->next_death - DEATHS_KEPT : 1;
	if (c->cursor < oldest)
		c->cursor = oldest;
	for (; c->cursor < p->core->next_death; c->cursor++) {
		const struct death *d = core_death(p->core, c->cursor);
		if (!d || (c->service != NO_UNIT && d->service != c->service) || !d->is_decided)
			continue;
		*r = put_death(p, c, d);
		return SENT;
	}
	return FINISHED;
}

static enum progress next_of_version(struct pid1 *p, struct client *c, int *r)
{
	if (c->cursor)
		return FINISHED;
	*r = put_version(p, c);
	return SENT;
}

static enum progress next_of_incidents(struct pid1 *p, struct client *c, int *r)
{
	struct incidents_packet packet = { { PACKET_INCIDENTS, sizeof packet } };
	if (c->cursor || p->incidents.for_readers < 0)
		return FINISHED;
	*r = put_with(p, c, &packet, sizeof packet, p->incidents.for_readers);
	return SENT;
}

static enum progress next_of_logs(struct pid1 *p, struct client *c, int *r)
{
	struct log_packet packet;
	int fd = log_next(p, c->service, &c->cursor, &packet);
	if (fd < 0)
		return FINISHED;
	*r = put_with(p, c, &packet, sizeof packet, fd);
	return SENT;
}

static enum progress next_of_crashes(struct pid1 *p, struct client *c, int *r)
{
	uint64_t oldest = p->n_crashes > CRASHES_KEPT ? p->n_crashes - CRASHES_KEPT : 0;
	struct crash_packet packet = { .head = { PACKET_CRASH, sizeof packet } };
	c->cursor = c->cursor < oldest ? oldest : c->cursor;
	if (c->cursor >= p->n_crashes)
		return FINISHED;
	packet.crash = p->crashes[c->cursor % CRASHES_KEPT];
	*r = put(p, c, &packet, sizeof packet);
	return SENT;
}

static enum progress (*const readers[N_VERB])(struct pid1 *, struct client *, int *) = {
	[VERB_LIST] = next_of_list, [VERB_STATUS] = next_of_status, [VERB_DEATHS] = next_of_deaths, [VERB_VERSION] = next_of_version,
	[VERB_INCIDENTS] = next_of_incidents, [VERB_LOGS] = next_of_logs,
	[VERB_CRASHES] = next_of_crashes,
};

/*
 * While it does not take its answer nothing more is read from it: its further requests would wake us for nothing, again
 * and again. Patience counts from the last packet that it took.
 */
static void wait_for_room(struct pid1 *p, struct client *c, bool has_to, bool has_moved)
{
	struct epoll_event ev = {
		.events = has_to ? EPOLLOUT : EPOLLIN, .data.u64 = (uint64_t)SOURCE_CLIENT << 32 | (uint32_t)(c - p->clients),
	};
	if ((c->blocked_at != 0) != has_to)
		epoll_ctl(p->epoll, EPOLL_CTL_MOD, c->fd, &ev);
	if (!has_to)
		c->blocked_at = 0;
	else if (has_moved || !c->blocked_at)
		c->blocked_at = now_ms();
}

/* As much as it takes, and no longer than a turn: thousands of services are seconds' worth of packets, and others wait. */
static void go_on_sending(struct pid1 *p, struct client *c)
{
	uint64_t from = c->cursor, until = now_ms() + TURN_MS;
	int r = 0;
	while (c->is_sending && r == 0 && now_ms() < until) {
		if (!readers[c->verb] || readers[c->verb](p, c, &r) == FINISHED) {
			r = put_end(p, c, ANSWER_OK);
			if (r == 0)
				c->is_sending = false;
		} else if (r == 0) {
			c->cursor++;
		}
	}
	if (c->fd >= 0)
		wait_for_room(p, c, c->is_sending, c->cursor != from);
}

/* ---- asking ---- */

static uint32_t number_of(struct pid1 *p, const struct client *c)
{
	return c->serial * CLIENTS_MAX + (uint32_t)(c - p->clients);
}

void control_take(struct pid1 *p, uint32_t client, const struct request *q, int program)
{
	struct client *c = &p->clients[client];
	struct str name = str_from(q->unit);
	uint32_t i = name.n ? unitset_find_any(p->units, name) : NO_UNIT;
	enum verb verb = q->verb;
	bool needs_unit = name.n || verb == VERB_STATUS;

	if (!has_unread(c))
		c->active_at = now_ms();
	c->has_asked = true;
	if (verb_is_for_root(verb) && c->uid != 0) {
		put_end(p, c, ANSWER_NOT_PERMITTED);
	} else if (needs_unit && i == NO_UNIT) {
		put_end(p, c, ANSWER_NO_SUCH_UNIT);
	} else if (p->reaps_only && verb_is_change(verb) && verb != VERB_UPGRADE) {
		put_end(p, c, ANSWER_REAPS_ONLY);
	} else if (verb == VERB_UPGRADE) {
		enum answer answer = upgrade_ask(p, number_of(p, c), program);
		if (answer != ANSWER_LATER)
			put_end(p, c, answer);
	} else if (verb_is_change(verb)) {
		struct event ev = event_of(EVENT_REQUEST, i);
		ev.verb = (uint8_t)verb;
		ev.argument = q->argument;
		ev.status = q->status;
		ev.client = number_of(p, c);
		feed_last(p, &ev);
	} else {
		c->verb = (uint8_t)verb;
		c->service = i;
		c->cursor = 0;
		c->is_sending = true;
		c->is_following = q->flags & REQUEST_FOLLOW;
		if (c->is_following)
			give_room(c->fd, ROOM_TO_FOLLOW);
		p->intake.kind = INTAKE_NONE;
		go_on_sending(p, c);
	}
}

/* A well-formed request, and the one descriptor that may belong to it. */
static void take_packet(struct pid1 *p, uint32_t client, const struct request *q, struct received *came)
{
	bool has_program = q->verb == VERB_UPGRADE && p->clients[client].uid == 0 && came->n_fds;
	control_take(p, client, q, has_program ? came->fds[--came->n_fds] : -1);
}

void control_serve(struct pid1 *p, uint32_t client)
{
	struct client *c = &p->clients[client];
	struct request *q = &p->intake.of.request.request;
	struct received came;
	if (c->fd < 0)
		return;
	if (c->is_sending)
		go_on_sending(p, c);
	if (c->fd < 0 || c->is_sending)
		return;                         /* one question at a time: the next waits until this answer is taken */
	bool has_descriptors;
	if (receive_look(c->fd, NULL, 0, &came, &has_descriptors) >= 0 && has_descriptors &&
	    (c->uid != 0 || store_room(p) < SCM_MAX + CLIENTS_MAX)) {
		put_end(p, c, ANSWER_NOT_PERMITTED);
		hang_up(p, c);
		return;
	}
	intake_begin(p, INTAKE_REQUEST);
	p->intake.of.request.client = client;
	ssize_t n = receive(c->fd, q, sizeof *q, &came);
	if (n == -EAGAIN)
		return;
	struct request copy = *q;
	if (n > 0 && !came.is_cut && !request_check(&copy, (size_t)n)) {
		take_packet(p, client, &copy, &came);
	} else {
		if (n > 0)
			put_end(p, c, ANSWER_BAD_REQUEST);      /* perhaps a client of another version, which deserves to know */
		hang_up(p, c);
	}
	p->intake.kind = INTAKE_NONE;
	receive_discard(p, &came);
}

void control_reply(struct pid1 *p, uint32_t client, enum answer answer)
{
	struct client *c = &p->clients[client % CLIENTS_MAX];
	if (c->fd >= 0 && c->serial == client / CLIENTS_MAX)
		put_end(p, c, answer);
}

/* Whoever follows gets it now or is gone: nothing is kept for those who do not read. */
void control_note(struct pid1 *p, const struct note *note)
{
	struct note_packet packet = { { PACKET_NOTE, sizeof packet }, *note };
	const struct death *d = core_death(p->core, note->death);
	for (uint32_t i = 0; i < CLIENTS_MAX; i++) {
		struct client *c = &p->clients[i];
		int r = 0;
		if (c->fd < 0 || !c->is_following || c->is_sending || c->verb == VERB_LOGS)
			continue;
		if (c->service != NO_UNIT && c->service != note->service)
			continue;
		if (d)
			r = put_death(p, c, d);
		if (r == 0 && c->verb == VERB_EVENTS)
			r = put(p, c, &packet, sizeof packet);
		if (r == -EAGAIN)
			hang_up(p, c);
	}
}

/* Those who follow get what they have not yet, and another end behind it. */
void control_logs(struct pid1 *p)
{
	p->logs.has_news = false;
	for (uint32_t i = 0; i < CLIENTS_MAX; i++) {
		struct client *c = &p->clients[i];
		if (!is_logger(c) || c->is_sending)
			continue;
		c->is_sending = true;
		go_on_sending(p, c);
	}
}

void control_send_away(struct pid1 *p)
{
	for (uint32_t i = 0; i < CLIENTS_MAX; i++) {
		struct client *c = &p->clients[i];
		if (c->fd < 0)
			continue;
		put_end(p, c, ANSWER_AGAIN);
		if (c->fd >= 0)
			hang_up(p, c);
	}
}

/* ---- time, and another unit set ---- */

uint64_t control_deadline(const struct pid1 *p)
{
	uint64_t at = 0;
	for (uint32_t i = 0; i < CLIENTS_MAX; i++) {
		uint64_t since = p->clients[i].fd >= 0 ? p->clients[i].blocked_at : 0;
		if (since && (at == 0 || since + SLOW_READER_MS < at))
			at = since + SLOW_READER_MS;
	}
	return at;
}

void control_expire(struct pid1 *p)
{
	uint64_t now = now_ms();
	for (uint32_t i = 0; i < CLIENTS_MAX; i++)
		if (p->clients[i].fd >= 0 && p->clients[i].blocked_at && p->clients[i].blocked_at + SLOW_READER_MS <= now)
			hang_up(p, &p->clients[i]);
}

void control_renumber(struct pid1 *p, struct unitset old, struct unitset new)
{
	for (uint32_t i = 0; i < CLIENTS_MAX; i++) {
		struct client *c = &p->clients[i];
		if (c->fd < 0 || c->service == NO_UNIT)
			continue;
		c->service = unitset_find(new, unitset_text(old, unitset_unit(old, c->service)->name));
		if (c->service == NO_UNIT)
			hang_up(p, c);             /* what it asked about is no more */
	}
}
