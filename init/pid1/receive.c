/*
 * What is sent to our sockets, with what came along. Anybody may send descriptors, and close(2) can take for ever: a socket lingers (socket(7),
 * SO_LINGER), a FUSE file waits for its owner to answer a flush. recv(2) would close them right there, in PID 1; and those that it gives
 * us each child has a copy of, which its exec closes. So it is looked first whether there are any, and from strangers none are taken.
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

union ancillary {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(sizeof(int) * SCM_MAX)];
};

static ssize_t take(int fd, void *to, size_t size, struct received *r, uint32_t room, int *flags)
{
	union ancillary ancillary;
	struct iovec part = { to, size };
	struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &ancillary, .msg_controllen = room };
	r->pid = 0;
	r->n_fds = 0;
	ssize_t n = recvmsg(fd, &m, *flags | MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	if (n < 0)
		return -errno;
	take_ancillary(&m, r);
	*flags = m.msg_flags;
	r->is_cut = *flags & MSG_TRUNC;
	return n;
}

ssize_t receive(int fd, void *to, size_t size, struct received *r)
{
	int flags = 0;
	return take(fd, to, size, r, sizeof(union ancillary), &flags);
}

/* Credentials come first, and there is room for nothing else (__scm_recv_common() in net/core/scm.c). */
ssize_t receive_look(int fd, void *to, size_t size, struct received *r, bool *has_descriptors)
{
	int flags = MSG_PEEK;
	ssize_t n = take(fd, to, size, r, CMSG_SPACE(sizeof(struct ucred)), &flags);
	*has_descriptors = n >= 0 && (flags & MSG_CTRUNC);
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
