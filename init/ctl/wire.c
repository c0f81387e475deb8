#include "ctl.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

void wire_close(struct wire *w)
{
	close(w->fd);
	w->fd = -1;
}

static bool dial(struct wire *w)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct timeval patience = { .tv_sec = PATIENCE_MS / 1000 };
	size_t n = strlen(w->path);
	if (n >= sizeof address.sun_path)
		leave(LEAVE_USAGE, "the socket's path is too long: %s", w->path);
	memcpy(address.sun_path, w->path, n);
	w->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (w->fd < 0)
		leave(LEAVE_FAILED, "no socket: %s", strerror(errno));
	/* connect(2) waits on a full backlog under this as well, unix(7) and net/unix/af_unix.c, unix_stream_connect(). */
	setsockopt(w->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
	if (connect(w->fd, (struct sockaddr *)&address, sizeof address) == 0)
		return true;
	int error = errno;
	wire_close(w);
	errno = error;
	return false;
}

bool wire_try(struct wire *w, const struct ask *ask)
{
	*w = (struct wire){ .path = ask->socket };
	return dial(w);
}

static void expect_open(const struct wire *w, bool is_open)
{
	if (is_open)
		return;
	if (errno == EACCES || errno == EPERM)
		leave(LEAVE_FAILED, "not permitted to talk to PID 1: %s is for root and the group oomph", w->path);
	leave(LEAVE_NO_ANSWER, "no answer from PID 1: %s: %s", w->path, strerror(errno));
}

void wire_open(struct wire *w, const struct ask *ask)
{
	expect_open(w, wire_try(w, ask));
}

/* Another PID 1 has taken over, and has sent us away. */
static void reopen(struct wire *w)
{
	wire_close(w);
	expect_open(w, dial(w));
}

struct str wire_folder(const struct ask *ask)
{
	return str_of(ask->socket, str_rfind(str_from(ask->socket), STR("/")));
}

bool wire_is_ours(const struct wire *w)
{
	struct ucred who;
	socklen_t size = sizeof who;
	return getsockopt(w->fd, SOL_SOCKET, SO_PEERCRED, &who, &size) == 0 && who.pid == 1;
}

_Noreturn static void nobody_there(const struct wire *w, const char *what)
{
	leave(LEAVE_NO_ANSWER, "no answer from PID 1: %s: %s", w->path, what);
}

void wire_send(struct wire *w, const struct request *r)
{
	w->request = *r;
	if (send(w->fd, r, sizeof *r, MSG_NOSIGNAL) == (ssize_t)sizeof *r || errno == EPIPE)
		return;                 /* why we were hung up upon may still be there to read */
	nobody_there(w, errno == EAGAIN ? "it does not read" : strerror(errno));
}

static bool is_well_formed(const struct wire *w, size_t n)
{
	static const size_t sizes[] = {
		[PACKET_UNIT] = sizeof(struct unit_packet), [PACKET_TEXT] = sizeof(struct text_packet),
		[PACKET_DEATH] = sizeof(struct death_packet), [PACKET_NOTE] = sizeof(struct note_packet),
		[PACKET_VERSION] = sizeof(struct version_packet), [PACKET_INCIDENTS] = sizeof(struct incidents_packet),
		[PACKET_CRASH] = sizeof(struct crash_packet), [PACKET_END] = sizeof(struct end_packet),
	};
	return n >= sizeof(struct packet) && w->in.head.kind < countof(sizes) && w->in.head.size == n &&
	       sizes[w->in.head.kind] == n;
}

/* A packet, and the descriptor that came along, if one did. */
static ssize_t receive(struct wire *w)
{
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(sizeof(int))];
	} along = { .bytes = "" };
	struct iovec part = { &w->in, sizeof w->in };
	struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &along, .msg_controllen = sizeof along };
	ssize_t n = recvmsg(w->fd, &m, MSG_TRUNC | MSG_CMSG_CLOEXEC);
	const struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	w->descriptor = -1;
	if (n > 0 && c && c->cmsg_type == SCM_RIGHTS)
		memcpy(&w->descriptor, CMSG_DATA(c), sizeof w->descriptor);
	return n;
}

bool wire_next(struct wire *w, int ms)
{
	struct pollfd p = { .fd = w->fd, .events = POLLIN };
	int ready;
	do
		ready = poll(&p, 1, ms);        /* a stopped and continued client starts its patience anew: no harm */
	while (ready < 0 && errno == EINTR);
	if (ready == 0)
		return false;
	ssize_t n = receive(w);
	if (n == 0)
		nobody_there(w, "the connection was closed");
	if (n < 0)
		nobody_there(w, strerror(errno));
	if (!is_well_formed(w, (size_t)n))
		leave(LEAVE_NO_ANSWER, "PID 1 speaks another version of the protocol than this oomphctl");
	return true;
}

/* Sent away before anything was answered: the request was not even read, or would have been. */
static bool is_sent_away(const struct wire *w, unsigned n_taken)
{
	return w->in.head.kind == PACKET_END && w->in.end.answer == ANSWER_AGAIN && n_taken == 0;
}

enum answer wire_exchange(struct wire *w, const struct request *r, wire_take *take, void *to)
{
	unsigned n_taken = 0;
	wire_send(w, r);
	for (;;) {
		if (!wire_next(w, PATIENCE_MS))
			nobody_there(w, "it is silent");
		if (is_sent_away(w, n_taken)) {
			reopen(w);
			wire_send(w, r);
			continue;
		}
		if (w->in.head.kind == PACKET_DEATH)
			w->last_death = w->in.death.death.id;
		if (w->in.head.kind == PACKET_END)
			return (enum answer)w->in.end.answer;
		n_taken++;
		if (take)
			take(w, to);
	}
}

static void wait_patiently(struct wire *w, const struct ask *ask)
{
	static const struct request ping = { .magic = PROTO_MAGIC, .version = PROTO_VERSION, .verb = VERB_VERSION };
	while (!wire_next(w, PATIENCE_MS)) {
		struct wire other;
		wire_open(&other, ask);
		wire_exchange(&other, &ping, NULL, NULL);
		wire_close(&other);
	}
}

static void follow_again(struct wire *w)
{
	struct request r = w->request;
	reopen(w);
	wire_send(w, &r);
	w->is_catching_up = true;
}

/* Is it about following alone, and not about what is followed? */
static bool is_between(struct wire *w)
{
	bool is_end = w->in.head.kind == PACKET_END && (w->request.flags & REQUEST_FOLLOW);
	if (is_end && w->in.end.answer == ANSWER_AGAIN)
		follow_again(w);
	else if (is_end)
		w->is_catching_up = false;
	return is_end || (w->is_catching_up && w->in.head.kind == PACKET_DEATH && w->in.death.death.id <= w->last_death);
}

/* PID 1 crashed while it told us, and when it is back it tells us once more. */
static bool is_again(struct wire *w)
{
	bool is_same = memcmp(w->in.bytes, w->before.bytes, w->in.head.size) == 0;
	memcpy(w->before.bytes, w->in.bytes, w->in.head.size);
	return is_same && (w->request.flags & REQUEST_FOLLOW);
}

void wire_wait(struct wire *w, const struct ask *ask)
{
	do
		wait_patiently(w, ask);
	while (is_between(w) || is_again(w));
	if (w->in.head.kind == PACKET_DEATH && w->in.death.death.id > w->last_death)
		w->last_death = w->in.death.death.id;
}

struct request request_of(const struct ask *ask, const char *unit)
{
	struct request r = {
		.magic = PROTO_MAGIC, .version = PROTO_VERSION, .verb = ask->command->verb, .argument = ask->command->argument,
	};
	if (unit && !unit[0])           /* on the wire it would mean all */
		leave(LEAVE_NO_UNIT, "no such unit: the empty name is none");
	if (unit && strlen(unit) >= sizeof r.unit)
		leave(LEAVE_NO_UNIT, "no such unit: a name of more than %d bytes is none", UNIT_NAME_MAX);
	if (unit)
		memcpy(r.unit, unit, strlen(unit));
	return r;
}

/* ---- refusals ---- */

struct nearest {
	struct str wanted;
	unsigned distance;
	char name[UNIT_NAME_MAX + 1];
};

static void take_nearer(struct wire *w, void *to)
{
	struct nearest *best = to;
	if (w->in.head.kind != PACKET_UNIT)
		return;
	unsigned distance = str_distance(best->wanted, say_unit(w->in.unit.unit));
	if (distance >= best->distance)
		return;
	best->distance = distance;
	memcpy(best->name, w->in.unit.unit, sizeof best->name);
}

_Noreturn static void no_such_unit(const struct ask *ask, const char *unit)
{
	struct request r = { .magic = PROTO_MAGIC, .version = PROTO_VERSION, .verb = VERB_LIST };
	struct nearest best = { .wanted = say_unit(unit) };
	struct wire w;
	best.distance = 2 + (unsigned)best.wanted.n / 4;        /* farther off it is another name, not a slip */
	wire_open(&w, ask);
	wire_exchange(&w, &r, take_nearer, &best);
	if (best.name[0])
		leave(LEAVE_NO_UNIT, "no such unit: %s; is it %s?", line_raw(unit).text, line_unit(best.name).text);
	leave(LEAVE_NO_UNIT, "no such unit: %s", line_raw(unit).text);
}

static const char *const refusals[N_ANSWER] = {
	[ANSWER_NOT_PERMITTED] = "not permitted: changes are for root alone",
	[ANSWER_BROKEN_UNIT] = "its unit file cannot be used; `oomphctl status` tells why",
	[ANSWER_NOT_RUNNING] = "it is not running",
	[ANSWER_NO_RELOAD] = "it has no ExecReload=",
	[ANSWER_BUSY] = "a reload is under way already",
	[ANSWER_STOPPING] = "the system is going down",
	[ANSWER_BAD_REQUEST] = "PID 1 does not take this request; it may be of another version, or supervise one command only",
	[ANSWER_NOT_BY_HAND] = "its unit leaves that to other units (RefuseManualStart=, RefuseManualStop=)",
	[ANSWER_NOT_EXECUTABLE] = "PID 1 stays as it is: the program cannot be executed",
	[ANSWER_OTHER_STATE] = "PID 1 stays as it is: the program cannot read this one's state, which is of another version",
	[ANSWER_SELF_TEST] = "PID 1 stays as it is: the program did not pass its self-test",
	[ANSWER_CAME_BACK] = "the new program failed within its first seconds, and the one before is PID 1 again",
	[ANSWER_AGAIN] = "PID 1 was upgraded meanwhile; ask again",
	[ANSWER_REAPS_ONLY] = "PID 1 has crashed too often and only reaps any more; `oomphctl crashes` tells of what, `oomphctl upgrade` brings another one",
	[ANSWER_LOAD_FAILED] = "the units could not be loaded; the old ones stay in force",
};

void expect_ok(enum answer answer, const struct ask *ask, const char *unit)
{
	if (answer == ANSWER_OK)
		return;
	if (answer == ANSWER_NO_SUCH_UNIT)
		no_such_unit(ask, unit ? unit : "");
	const char *why = answer < N_ANSWER && refusals[answer] ? refusals[answer] : "refused";
	if (unit)
		leave(LEAVE_FAILED, "%s: %s", line_unit(unit).text, why);
	leave(LEAVE_FAILED, "%s", why);
}
