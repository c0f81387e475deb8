/* What the logger hears besides pipes: datagrams to /dev/log and to the journal's socket, each filed under its sender's service. */
#ifndef OOMPH_HEARD_H
#define OOMPH_HEARD_H

#include "log.h"
#include "syslogmsg.h"

#include <sys/types.h>
#include <sys/un.h>

void syslog_open(struct logger *l);
void journal_open(struct logger *l);

/* ---- sender.c ---- */

struct owner {
	struct writer *writer;          /* whose service the process is of, or the one of what is of no service */
	uint32_t generation;            /* of that service; 0: untold */
};

struct senders *senders_new(void);

/* Of the next datagram of this socket, which the kernel says is from that pid. sender_ask() is to be called before anybody sends. */
struct owner owner_of(struct logger *l, struct senders *all, uint32_t pid, int socket);
void sender_ask(int socket);

/* ---- datagram.c ---- */

/* sendmsg(2) refuses more than the sender's SO_SNDBUF, which is some 208 KiB where nobody has raised it; what is longer loses its end. */
#define DATAGRAM_MAX (1u << 20)

struct datagram {
	struct str bytes;
	uint32_t pid;                   /* the kernel's word; 0: of another PID namespace */
	int memfd;                      /* sealed, in place of bytes; -1: none */
};

struct listener {
	struct source source;
	struct drain drain;
	char path[sizeof ((struct sockaddr_un *)NULL)->sun_path];
	const char *name;               /* of its descriptor while PID 1 keeps it */
	bool takes_memfd;
	bool has_no_rights;             /* the kernel lets nobody send descriptors here */
	pid_t closer;                   /* a child that closes one; 0: none */
	void (*hear)(struct logger *l, struct listener *in, const struct datagram *d);
	char *room;                     /* DATAGRAM_MAX bytes, and as many for text to be put together in */
	struct owner owner;           /* of the datagram in hand */
	uint32_t n_lines;               /* of it, up to now */
	struct senders *senders;
	char host[256];                 /* this machine's name, which is no news in a message */
};

/* name, takes_memfd and hear are set. `file` is in the folder of the sockets. False when it cannot listen there, which is told. */
bool listener_open(struct logger *l, struct listener *in, const char *file);

/* Whether somebody listens at this path. */
bool is_served(const char *path);

/* Each line of a message, with what is to stand in front of it. `line` has what is known of it. */
void listener_put(struct logger *l, struct listener *in, const struct syslogmsg *m, struct logline *line);

#endif
