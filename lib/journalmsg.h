/*
 * What sd_journal_send(3) sends to /run/systemd/journal/socket. Its form is in "Native Journal Protocol" on systemd.io: fields, each
 *     NAME=value LF        or, for a value with line feeds or other bytes in it,
 *     NAME LF, the value's length in 8 bytes, lowest first, the value, LF
 * and an empty line between two entries of one datagram.
 *
 * Of an entry we keep what a line of the log has room for. All other fields are passed over: the sender's own, CODE_FILE= and
 * its like, which sd_journal_send() puts into every entry and journalctl does not show either, and those with a _ in front, which
 * journald takes from nobody.
 */
#ifndef OOMPH_JOURNALMSG_H
#define OOMPH_JOURNALMSG_H

#include "logline.h"

/* All str are within the datagram. Of a field that comes twice the first counts. */
struct journalmsg {
	bool has_message;
	struct str message;             /* MESSAGE=: one line or several; without the line feeds and NULs at its end */
	struct str identifier;          /* SYSLOG_IDENTIFIER= */
	struct str pid;                 /* SYSLOG_PID=, as the sender says */
	uint8_t priority;               /* PRIORITY=; info, as with journald, where it is missing or none */
	uint8_t facility;               /* SYSLOG_FACILITY=; user */
};

enum journalmsg_result {
	JOURNALMSG_END,                 /* nothing is left, and *m says nothing */
	JOURNALMSG_ENTRY,
	JOURNALMSG_BAD,                 /* a field does not fit the form: *m has what was in front of it, and nothing is left */
};

/* The next entry, consumed. */
enum journalmsg_result journalmsg_next(struct str *datagram, struct journalmsg *m);

#endif
