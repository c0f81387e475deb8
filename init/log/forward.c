/*
 * Lines sent on, to a syslog of another machine and to a collector here. Nobody waits for either: no socket blocks, what cannot be
 * sent now stands in a ring of fixed size, and when that is full the oldest go and are counted.
 */
#include "forward.h"
#include "parts.h"

#include "lib/logjson.h"
#include "lib/logqueue.h"
#include "lib/logtarget.h"
#include "lib/syslogmsg.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#define QUEUE_SIZE (1u << 20)
#define UDP_MAX 8192u           /* of a message; RFC 5426 asks receivers for 2048, rsyslog and syslog-ng take 8192 */
#define AGAIN_MS 100u           /* first of a row of attempts, each twice as late as the last */
#define AGAIN_MOST_MS 30000u
#define AGAIN_MOST_HERE_MS 2000u        /* on this machine an attempt costs nothing, and a collector has just been started */
#define TELL_AGAIN_MS 60000u    /* that lines were dropped, or that it has gone away again */
#define DEAD_PEER_MS 30000u     /* what is sent is not acknowledged: TCP_USER_TIMEOUT of tcp(7) */

enum presence {
	AWAY,                   /* until `again` is due */
	LOOKING_UP, CONNECTING,
	THERE,
	FULL,                   /* there, but takes no more for now */
};

struct forwarder {
	struct tap tap;
	struct source source;
	struct timer again;
	struct resolver resolver;
	struct logtarget to;
	const char *setting;            /* the words that it is called by */
	char host[LOG_ADDRESS_MAX];     /* or path; NUL-terminated */
	char own_host[256];
	struct address addresses[ADDRESSES_MAX];
	size_t n_addresses, next_address;
	enum presence state;
	bool has_told;                  /* that it is away */
	uint64_t told_away_at;
	uint32_t delay_ms;
	struct logqueue queue;
	uint64_t told_dropped_at;
	struct buf record;              /* the one that is being sent */
	size_t n_sent;                  /* of it */
	struct buf scratch;             /* where the next one is put together */
};

static bool is_packets(const struct forwarder *f)
{
	return f->to.kind == TARGET_UDP;
}

static bool is_here(const struct forwarder *f)
{
	return f->to.kind == TARGET_UNIX || f->to.kind == TARGET_FIFO;
}

/* ---- being away, and coming back ---- */

/* What had been sent of a record in hand went down with the connection: it is sent again, whole. */
static void lose(struct logger *l, struct forwarder *f, int error)
{
	uint32_t most = is_here(f) ? AGAIN_MOST_HERE_MS : AGAIN_MOST_MS;
	if (f->source.fd >= 0)
		source_close(l, &f->source);
	f->source.fd = -1;
	f->n_sent = 0;
	f->state = AWAY;
	f->again.at_ms = now_ms() + f->delay_ms;
	f->delay_ms = f->delay_ms * 2 > most ? most : f->delay_ms * 2;
	if (f->has_told || (f->told_away_at && now_ms() - f->told_away_at < TELL_AGAIN_MS))
		return;
	complain("cannot send lines on to %s: %s; it is tried again, and they wait", f->setting, strerror(error));
	f->has_told = true;
	f->told_away_at = now_ms();
}

static void send_all(struct logger *l, struct forwarder *f);

static void be_there(struct logger *l, struct forwarder *f)
{
	int r = source_change(l, &f->source, EPOLLRDHUP);
	if (r < 0) {
		lose(l, f, -r);
		return;
	}
	if (f->has_told)
		complain("lines are sent on to %s again", f->setting);
	f->has_told = false;
	f->state = THERE;
	send_all(l, f);
}

static int error_of(int fd)
{
	int error = 0;
	socklen_t n = sizeof error;
	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &n) == 0 ? error : 0;
}

/* Who listens here says nothing, so all that can be heard is that he left. */
static void notice(struct logger *l, struct source *s, uint32_t events)
{
	struct forwarder *f = (struct forwarder *)((char *)s - offsetof(struct forwarder, source));
	bool is_gone = events & (EPOLLERR | EPOLLHUP | EPOLLRDHUP);
	int error = is_gone ? error_of(s->fd) : 0;
	if (is_gone && !is_packets(f)) {
		lose(l, f, error ? error : EPIPE);
		return;
	}
	/* Of a UDP socket an error is about a packet sent earlier (udp(7)): reading it was all. */
	if (f->state == CONNECTING)
		be_there(l, f);
	if (f->state == FULL && source_change(l, s, EPOLLRDHUP) == 0) {
		f->state = THERE;
		send_all(l, f);
	}
}

static void be_connecting(struct logger *l, struct forwarder *f, int fd, bool is_done)
{
	f->source = (struct source){ .fd = fd, .ready = notice };
	int r = source_watch(l, &f->source, is_done ? EPOLLRDHUP : EPOLLOUT);
	if (r < 0) {
		close(fd);
		f->source.fd = -1;
		lose(l, f, -r);
		return;
	}
	f->state = CONNECTING;
	if (is_done)
		be_there(l, f);
}

static void connect_to(struct logger *l, struct forwarder *f, const struct sockaddr *address, socklen_t n)
{
	int type = is_packets(f) ? SOCK_DGRAM : SOCK_STREAM, on = 1, patience = DEAD_PEER_MS;
	int fd = socket(address->sa_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && f->to.kind == TARGET_TCP) {
		setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
		setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &patience, sizeof patience);
	}
	bool is_done = fd >= 0 && connect(fd, address, n) == 0;
	if (fd < 0 || (!is_done && errno != EINPROGRESS)) {
		int error = errno;
		if (fd >= 0)
			close(fd);
		lose(l, f, error);
		return;
	}
	be_connecting(l, f, fd, is_done);
}

static void take_addresses(struct logger *l, struct resolver *r, const struct address *found, size_t n)
{
	struct forwarder *f = (struct forwarder *)((char *)r - offsetof(struct forwarder, resolver));
	if (n == 0) {
		lose(l, f, EHOSTUNREACH);
		return;
	}
	memcpy(f->addresses, found, n * sizeof *found);
	/* A host of several addresses: with each attempt the next one. */
	const struct address *a = &f->addresses[f->next_address++ % n];
	connect_to(l, f, (const struct sockaddr *)&a->is, a->n);
}

/* Without a reader a FIFO cannot be opened to write without waiting (fifo(7)); one that is missing is made for him. */
static void open_fifo(struct logger *l, struct forwarder *f)
{
	struct stat st;
	mkfifo(f->host, 0600);
	int fd = open(f->host, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY);
	if (fd >= 0 && (fstat(fd, &st) < 0 || !S_ISFIFO(st.st_mode))) {
		close(fd);
		fd = -1;
		errno = ESPIPE;
	}
	if (fd < 0)
		lose(l, f, errno);
	else
		be_connecting(l, f, fd, true);
}

static void open_unix(struct logger *l, struct forwarder *f)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	memcpy(a.sun_path, f->host, strlen(f->host));
	connect_to(l, f, (struct sockaddr *)&a, sizeof a);
}

static void open_again(struct logger *l, struct timer *t)
{
	struct forwarder *f = (struct forwarder *)((char *)t - offsetof(struct forwarder, again));
	if (f->to.kind == TARGET_FIFO) {
		open_fifo(l, f);
		return;
	}
	if (f->to.kind == TARGET_UNIX) {
		open_unix(l, f);
		return;
	}
	f->state = LOOKING_UP;
	int r = resolve(l, &f->resolver, f->host, f->to.port, f->to.kind == TARGET_TCP);
	if (r < 0)
		lose(l, f, -r);
}

/* ---- sending ---- */

static void tell_dropped(struct logger *l, struct forwarder *f)
{
	uint64_t n = f->queue.n_dropped;
	if (f->told_dropped_at && now_ms() - f->told_dropped_at < TELL_AGAIN_MS)
		return;
	f->queue.n_dropped = 0;
	f->told_dropped_at = now_ms();
	log_note(l, l->others, LOG_PRIORITY_WARNING, "%llu lines were not sent on to %s, which did not take them in time",
		 (unsigned long long)n, f->setting);
}

/* Whether the record is through. What is wrong with one packet costs that packet; the rest waits or comes again. */
static bool send_record(struct logger *l, struct forwarder *f)
{
	const char *p = f->record.p + f->n_sent;
	size_t n = f->record.n - f->n_sent;
	ssize_t sent = f->to.kind == TARGET_FIFO ? write(f->source.fd, p, n) : send(f->source.fd, p, n, MSG_NOSIGNAL);
	if (sent < 0 && is_packets(f) && errno == ECONNREFUSED)         /* told of an earlier one: once more */
		sent = send(f->source.fd, p, n, MSG_NOSIGNAL);
	if (sent >= 0)
		f->n_sent += (size_t)sent;
	else if (is_packets(f) && (errno == ECONNREFUSED || errno == EMSGSIZE || errno == EPERM))
		f->n_sent = f->record.n;
	else if (errno == EAGAIN || errno == ENOBUFS)
		f->state = source_change(l, &f->source, EPOLLOUT | EPOLLRDHUP) == 0 ? FULL : THERE;
	else
		lose(l, f, errno);
	return f->n_sent == f->record.n && f->state == THERE;
}

static void send_all(struct logger *l, struct forwarder *f)
{
	while (f->state == THERE) {
		if (f->n_sent == f->record.n) {
			f->n_sent = f->record.n = 0;
			if (!logqueue_pop(&f->queue, &f->record))
				break;
		}
		if (send_record(l, f))
			f->delay_ms = AGAIN_MS;
	}
}

static void flush(struct logger *l, struct tap *t)
{
	struct forwarder *f = (struct forwarder *)((char *)t - offsetof(struct forwarder, tap));
	send_all(l, f);
	if (f->state != THERE || f->queue.n_dropped == 0)
		return;
	tell_dropped(l, f);
	log_flush(l);                   /* nobody else does before the loop waits */
	send_all(l, f);
}

/* ---- records ---- */

static void put_syslog(struct forwarder *f, const struct writer *w, const struct logline *line)
{
	struct str text = line->text;
	struct syslog_outgoing m = {
		.time_us = line->time_us, .facility = line->facility ? line->facility : SYSLOG_FACILITY_DAEMON, .priority = line->priority, .pid = line->pid,
		.host = str_from(f->own_host), .app = str_from(w->identifier), .id = str_from(log_stream_names[line->stream]),
	};
	if ((line->stream == LOG_SYSLOG || line->stream == LOG_JOURNAL) && syslogmsg_take_tag(&text, &m.app)) {
		/* who sent it said by what name */
	} else if (m.app.n == 0) {
		m.app = writer_short(w);
	}
	m.text = text;
	char frame[SYSLOG_FRAME_MAX];
	struct buf message = { .p = f->scratch.p + sizeof frame, .cap = f->scratch.cap - sizeof frame }, length = BUF(frame);
	if (is_packets(f) && message.cap > UDP_MAX)
		message.cap = UDP_MAX;
	syslogmsg_put(&message, &m);
	if (!is_packets(f))
		syslogmsg_put_frame(&length, message.n);
	memcpy(message.p - length.n, length.p, length.n);
	logqueue_push(&f->queue, str_of(message.p - length.n, length.n + message.n));
}

static void put_json(struct forwarder *f, const struct writer *w, const struct logline *line)
{
	f->scratch.n = 0;
	logjson_put(&f->scratch, str_from(w->name), line);
	logqueue_push(&f->queue, buf_view(&f->scratch));
}

static void take_line(struct logger *l, struct tap *t, const struct writer *w, const struct logline *line)
{
	struct forwarder *f = (struct forwarder *)((char *)t - offsetof(struct forwarder, tap));
	(void)l;
	if (is_here(f))
		put_json(f, w, line);
	else
		put_syslog(f, w, line);
}

/* ---- beginning ---- */

static bool make_room(struct forwarder *f, uint32_t line_max)
{
	size_t largest = is_here(f) ? LOGJSON_MAX(UNIT_NAME_MAX, line_max) : SYSLOG_FRAME_MAX + SYSLOG_HEAD_MAX + line_max;
	f->queue.cap = largest * 4 > QUEUE_SIZE ? largest * 4 : QUEUE_SIZE;
	f->record.cap = f->scratch.cap = largest;
	f->queue.bytes = malloc(f->queue.cap);
	f->record.p = malloc(largest);
	f->scratch.p = malloc(largest);
	return f->queue.bytes && f->record.p && f->scratch.p;
}

static void open_one(struct logger *l, const char *key, const char *setting, const char *(*read)(struct str, struct logtarget *))
{
	struct forwarder *f = setting[0] ? calloc(1, sizeof *f) : NULL;
	if (!f)
		return;
	const char *wrong = read(str_from(setting), &f->to);
	if (!wrong && !make_room(f, log_settings(l)->line_max))
		wrong = strerror(ENOMEM);
	if (wrong) {
		complain("%s=%s: %s", key, setting, wrong);
		return;
	}
	struct buf host = BUF(f->host);
	buf_str(&host, is_here(f) ? f->to.path : f->to.host);
	buf_cstr(&host);
	gethostname(f->own_host, sizeof f->own_host - 1);
	f->setting = setting;
	f->source.fd = f->resolver.source.fd = -1;
	f->delay_ms = AGAIN_MS;
	f->resolver.done = take_addresses;
	f->again = (struct timer){ .due = open_again, .at_ms = now_ms() };
	f->tap = (struct tap){ .line = take_line, .flush = flush };
	timer_add(l, &f->again);
	log_tap(l, &f->tap);
}

void forward_open(struct logger *l)
{
	const struct settings *s = log_settings(l);
	signal(SIGPIPE, SIG_IGN);               /* a FIFO's reader leaves */
	open_one(l, "ForwardToSyslog", s->forward_syslog, logtarget_syslog);
	open_one(l, "ForwardToJSON", s->forward_json, logtarget_json);
}
