/*
 * getaddrinfo(3) waits for name servers, and half a minute for those that are away, so a child does that. It gives up what it has
 * of ours first, since it may outlive us.
 */
#include "forward.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE_S 60           /* of the child; musl asks for 5 s, twice, each domain of resolv.conf(5) */

/* How many were found. */
static size_t look_up(const char *host, uint16_t port, bool is_stream, int flags, struct address *found)
{
	char service[8];
	struct addrinfo wanted = { .ai_socktype = is_stream ? SOCK_STREAM : SOCK_DGRAM, .ai_flags = flags | AI_NUMERICSERV }, *all;
	size_t n = 0;
	snprintf(service, sizeof service, "%u", port);
	if (getaddrinfo(host, service, &wanted, &all) != 0)
		return 0;
	for (struct addrinfo *a = all; a && n < ADDRESSES_MAX; a = a->ai_next) {
		found[n].n = a->ai_addrlen;
		memcpy(&found[n++].is, a->ai_addr, a->ai_addrlen);
	}
	freeaddrinfo(all);
	return n;
}

static _Noreturn void ask(int to, const char *host, uint16_t port, bool is_stream)
{
	struct address found[ADDRESSES_MAX];
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGALRM, SIG_DFL);
	alarm(PATIENCE_S);
	dup2(to, STDIN_FILENO);
	if (syscall(SYS_close_range, STDERR_FILENO + 1, ~0u, 0) < 0)    /* Linux 5.9 */
		for (int fd = STDERR_FILENO + 1; fd < getdtablesize(); fd++)
			close(fd);
	size_t n = look_up(host, port, is_stream, 0, found);
	_exit(write(STDIN_FILENO, found, n * sizeof *found) < 0);
}

/* All that fits a pipe's page comes in one piece (pipe(7), PIPE_BUF), or nothing does. */
_Static_assert(sizeof(struct address) * ADDRESSES_MAX <= 4096, "an answer has to come in one piece");

static void take_answer(struct logger *l, struct source *s, uint32_t events)
{
	struct resolver *r = (struct resolver *)((char *)s - offsetof(struct resolver, source));
	struct address found[ADDRESSES_MAX];
	ssize_t n = read(s->fd, found, sizeof found);
	(void)events;
	source_close(l, s);
	s->fd = -1;
	waitpid(r->pid, NULL, 0);       /* it has answered or died */
	r->done(l, r, found, n > 0 ? (size_t)n / sizeof *found : 0);
}

int resolve(struct logger *l, struct resolver *r, const char *host, uint16_t port, bool is_stream)
{
	struct address found[ADDRESSES_MAX];
	int ends[2];
	size_t n = look_up(host, port, is_stream, AI_NUMERICHOST, found);
	if (n) {
		r->done(l, r, found, n);
		return 0;
	}
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return -errno;
	r->pid = fork();
	if (r->pid == 0)
		ask(ends[1], host, port, is_stream);
	int error = errno;
	close(ends[1]);
	r->source = (struct source){ .fd = ends[0], .ready = take_answer };
	if (r->pid < 0 || source_watch(l, &r->source, EPOLLIN) < 0) {
		close(ends[0]);
		r->source.fd = -1;
		return r->pid < 0 ? -error : -ENOMEM;
	}
	return 0;
}
