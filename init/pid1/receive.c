/*
 * What is sent to our sockets, with what came along. Anybody may send descriptors, and close(2) can take for ever: a socket lingers (socket(7),
 * SO_LINGER), a FUSE file waits for its owner to answer a flush. recv(2) would close them right there, in PID 1. So all are taken, and
 * those that nobody wants are closed by a child.
 */
#include "pid1.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void take_ancillary(struct msghdr *m, struct received *r)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level != SOL_SOCKET)
			continue;
		if (c->cmsg_type == SCM_CREDENTIALS) {
			struct ucred who;
			memcpy(&who, CMSG_DATA(c), sizeof who);
			r->pid = (uint32_t)who.pid;
		}
		for (size_t at = 0; c->cmsg_type == SCM_RIGHTS && CMSG_LEN(at + sizeof(int)) <= c->cmsg_len && r->n_fds < SCM_MAX; at += sizeof(int))
			memcpy(&r->fds[r->n_fds++], CMSG_DATA(c) + at, sizeof r->fds[0]);
	}
}

ssize_t receive(int fd, void *to, size_t size, struct received *r)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(sizeof(int) * SCM_MAX)];
	} ancillary;
	struct iovec part = { to, size };
	struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &ancillary, .msg_controllen = sizeof ancillary };
	r->pid = 0;
	r->n_fds = 0;
	ssize_t n = recvmsg(fd, &m, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	if (n < 0)
		return -errno;
	take_ancillary(&m, r);
	r->is_cut = m.msg_flags & MSG_TRUNC;
	return n;
}

void receive_discard(struct pid1 *p, struct received *r)
{
	store_discard(p, r->fds, r->n_fds);
	store_purge(p);
	r->n_fds = 0;
}

/*
 * Does anything wait to be read that may hold descriptors? With SO_PASSCRED each packet has its sender's credentials, for which there is
 * no room here, which tells it from the end (__scm_recv in include/net/scm.h).
 */
bool receive_has_more(int fd)
{
	struct msghdr m = { 0 };
	return recvmsg(fd, &m, MSG_PEEK | MSG_DONTWAIT) >= 0 && (m.msg_flags & MSG_CTRUNC);
}
