/* Lines sent on: ForwardToSyslog=, ForwardToJSON=. */
#ifndef OOMPH_FORWARD_H
#define OOMPH_FORWARD_H

#include "log.h"

#include <sys/socket.h>
#include <sys/types.h>

/* One tap for each of the two that is set. */
void forward_open(struct logger *l);

/* ---- resolve.c: a host's addresses, without waiting for them ---- */

#define ADDRESSES_MAX 4         /* of one host that are tried */

struct address {
	socklen_t n;
	struct sockaddr_storage is;
};

struct resolver {
	struct source source;           /* the child's answer; fd -1: nobody asks */
	pid_t pid;
	void (*done)(struct logger *l, struct resolver *r, const struct address *found, size_t n);     /* n 0: it has none, or nobody knew */
};

/* `done` comes later, or before this returns where the host is an address. 0, or -errno and it never comes. */
int resolve(struct logger *l, struct resolver *r, const char *host, uint16_t port, bool is_stream);

#endif
