/*
 * The socket `log` beside PID 1's: SOCK_SEQPACKET, for root alone. "sync\n", or "sync UNIT\n", is answered by "done\n" once all that
 * was in the pipes when it came is in the files. oomphctl asks so before it reads, and before it keeps the last words of a victim.
 */
#include "parts.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void sync_all(struct logger *l, const struct writer *w)
{
	wire_serve(l, &l->logs);
	streams_drain(l, w);
	streams_write_out(l, w);
	for (struct drain *d = l->drains; d; d = d->next)
		d->drain(l, d);
	log_flush(l);
}

/* "db" is db.service as well. A unit that is not there has nothing to be written. */
static bool take_unit(struct logger *l, struct str name, struct writer **w)
{
	char whole[UNIT_NAME_MAX + sizeof ".service"];
	struct buf b = BUF(whole);
	*w = writer_find(l, name);
	if (*w)
		return true;
	buf_str(&b, name);
	buf_lit(&b, ".service");
	*w = writer_find(l, buf_view(&b));
	return *w;
}

static bool obey(struct logger *l, struct str words)
{
	struct writer *w = NULL;
	if (!str_ends(words, STR("\n")))
		return false;
	words.n--;
	if (str_eq(words, STR("sync"))) {
		sync_all(l, NULL);
		return true;
	}
	if (!str_take(&words, STR("sync ")) || words.n > UNIT_NAME_MAX)
		return false;
	if (take_unit(l, words, &w))
		sync_all(l, w);
	return true;
}

static void on_words(struct logger *l, struct source *s, uint32_t events)
{
	char words[UNIT_NAME_MAX + 16];
	static const char done[] = "done\n";
	ssize_t n = recv(s->fd, words, sizeof words, MSG_DONTWAIT | MSG_TRUNC);
	(void)events;
	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0 || (size_t)n > sizeof words || !obey(l, str_of(words, (size_t)n)) ||
	    send(s->fd, done, sizeof done - 1, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		source_close(l, s);
}

/* Who came first has to go for a ninth. */
static struct source *find_place(struct logger *l)
{
	struct sync *y = &l->sync;
	for (size_t i = 0; i < ASKERS_MAX; i++)
		if (y->askers[i].fd < 0)
			return &y->askers[i];
	struct source *first = &y->askers[y->next++ % ASKERS_MAX];
	source_close(l, first);
	return first;
}

static void on_asker(struct logger *l, struct source *s, uint32_t events)
{
	struct ucred who;
	socklen_t size = sizeof who;
	(void)events;
	int fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0)
		return;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) < 0 || who.uid != geteuid()) {
		close(fd);
		return;
	}
	struct source *place = find_place(l);
	*place = (struct source){ .fd = fd, .ready = on_words };
	if (source_watch(l, place, EPOLLIN) < 0)
		source_close(l, place);
}

static bool put_path(struct logger *l, char *path, size_t size)
{
	struct str control = str_from(l->options.socket);
	struct buf b = { .p = path, .cap = size };
	size_t slash = str_rfind(control, STR("/"));
	buf_str(&b, str_of(control.p, slash < control.n ? slash + 1 : 0));
	buf_lit(&b, "log");
	buf_cstr(&b);
	return !b.is_cut;
}

void sync_open(struct logger *l)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct source *s = &l->sync.source;
	for (size_t i = 0; i < ASKERS_MAX; i++)
		l->sync.askers[i].fd = -1;
	*s = (struct source){ .fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), .ready = on_asker };
	if (s->fd < 0 || !put_path(l, address.sun_path, sizeof address.sun_path))
		return;
	unlink(address.sun_path);
	mode_t mask = umask(0177);
	int r = bind(s->fd, (struct sockaddr *)&address, sizeof address);
	umask(mask);
	if (r < 0 || listen(s->fd, 16) < 0 || source_watch(l, s, EPOLLIN) < 0)
		complain("%s: %s: nobody can ask for what is not written yet", address.sun_path, strerror(errno));
}
