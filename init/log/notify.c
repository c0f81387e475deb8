/* What we say of ourselves to PID 1: sd_notify(3). */
#include "parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static bool find_address(struct sockaddr_un *a, socklen_t *size)
{
	const char *path = getenv("NOTIFY_SOCKET");
	size_t n = path ? strlen(path) : 0;
	if (n == 0 || n > sizeof a->sun_path)
		return false;
	*a = (struct sockaddr_un){ .sun_family = AF_UNIX };
	memcpy(a->sun_path, path, n);
	if (path[0] == '@')             /* an abstract one, unix(7) */
		a->sun_path[0] = '\0';
	*size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
	return true;
}

void notify_say(struct str text, int fd)
{
	char control[CMSG_SPACE(sizeof fd)] __attribute__((aligned(sizeof(struct cmsghdr)))) = { 0 };
	struct sockaddr_un a;
	struct iovec part = { (char *)(uintptr_t)text.p, text.n };
	struct msghdr m = { .msg_name = &a, .msg_iov = &part, .msg_iovlen = 1 };
	int to = find_address(&a, &m.msg_namelen) ? socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0) : -1;
	if (to < 0)
		return;
	if (fd >= 0) {
		m.msg_control = control;
		m.msg_controllen = sizeof control;
		struct cmsghdr *c = CMSG_FIRSTHDR(&m);
		*c = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof fd), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS };
		memcpy(CMSG_DATA(c), &fd, sizeof fd);
	}
	if (sendmsg(to, &m, MSG_NOSIGNAL) < 0)
		complain("%s: %s", getenv("NOTIFY_SOCKET"), strerror(errno));
	close(to);
}
