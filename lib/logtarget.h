/* Where lines are sent on to: the values of ForwardToSyslog= and ForwardToJSON=. */
#ifndef OOMPH_LOGTARGET_H
#define OOMPH_LOGTARGET_H

#include "str.h"

enum logtarget_kind {
	TARGET_UDP, TARGET_TCP,         /* "udp:HOST[:PORT]", "tcp:HOST[:PORT]"; HOST is a name, an IPv4 address, or an IPv6 one in [] */
	TARGET_UNIX,                    /* "unix:PATH": a stream socket that somebody listens on */
	TARGET_FIFO,                    /* a path */
	N_LOGTARGET_KIND
};

struct logtarget {
	enum logtarget_kind kind;
	struct str host;                /* without its brackets */
	uint16_t port;                  /* 514 where none is told, as nearly every syslog listens there */
	struct str path;
};

/* NULL, or what is wrong. The str are within the text. */
const char *logtarget_syslog(struct str text, struct logtarget *to);
const char *logtarget_json(struct str text, struct logtarget *to);

#endif
