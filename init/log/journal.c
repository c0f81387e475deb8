/* /run/systemd/journal/socket: what sd_journal_send(3) and its kin write (lib/journalmsg.h). */
#include "heard.h"
#include "parts.h"

#include "lib/journalmsg.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define ENTRY_MAX (16u << 20)   /* of a memfd: it is the sender's memory, but reading it takes our time */

static void complain_of(struct logger *l, struct listener *in, uint32_t pid, struct str what)
{
	struct logline line = { .pid = pid, .stream = LOG_NOTE, .priority = LOG_PRIORITY_WARNING };
	listener_put(l, in, &(struct syslogmsg){ .text = what }, &line);
}

static void hear_entries(struct logger *l, struct listener *in, struct str bytes, uint32_t pid)
{
	struct journalmsg m;
	enum journalmsg_result r;
	while ((r = journalmsg_next(&bytes, &m)) != JOURNALMSG_END) {
		struct syslogmsg heard = { .tag = m.identifier, .pid = m.pid, .text = m.message, .is_dated = true };
		struct logline line = { .pid = pid, .stream = LOG_JOURNAL, .priority = m.priority, .facility = m.facility };
		if (m.has_message)
			listener_put(l, in, &heard, &line);
		if (r == JOURNALMSG_BAD)
			complain_of(l, in, pid, STR("sent to the journal's socket what is no entry; what was legible of it is kept"));
	}
}

/* Sealed, so nobody can take it away from under us. */
static void hear_memfd(struct logger *l, struct listener *in, const struct datagram *d)
{
	struct stat st;
	if (fstat(d->memfd, &st) < 0 || st.st_size == 0)
		return;
	size_t n = st.st_size > (off_t)ENTRY_MAX ? ENTRY_MAX : (size_t)st.st_size;
	const char *bytes = mmap(NULL, n, PROT_READ, MAP_PRIVATE, d->memfd, 0);
	if (bytes == MAP_FAILED)
		return;
	hear_entries(l, in, str_of(bytes, n), d->pid);
	munmap((void *)(uintptr_t)bytes, n);
}

static void hear(struct logger *l, struct listener *in, const struct datagram *d)
{
	if (d->memfd >= 0)
		hear_memfd(l, in, d);
	else if (d->bytes.n == 0)
		complain_of(l, in, d->pid, STR("sent to the journal's socket nothing, or a descriptor of something else than a sealed memfd"));
	else
		hear_entries(l, in, d->bytes, d->pid);
}

void journal_open(struct logger *l)
{
	struct listener *in = l->options.sockets[0] ? calloc(1, sizeof *in) : NULL;
	if (!in)
		return;
	*in = (struct listener){ .name = "journal", .takes_memfd = true, .hear = hear };
	listener_open(l, in, "socket");
}
