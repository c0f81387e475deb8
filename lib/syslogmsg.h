/*
 * Messages of syslog(3): what comes to /dev/log, and what goes to a syslog of another machine.
 *
 * Two forms are in use. RFC 3164, which is a report of what was seen rather than a rule, as glibc, musl and busybox send it:
 *     <PRI>Mmm dd hh:mm:ss tag[pid]: text
 * some with a host in front of the tag, some without the time, some with no more than the PRI, as /dev/kmsg has it. And RFC 5424:
 *     <PRI>1 TIME HOST APP-NAME PROCID MSGID STRUCTURED-DATA text
 * Anybody may send, so every sequence of bytes is a message: what has neither form is all text.
 */
#ifndef OOMPH_SYSLOGMSG_H
#define OOMPH_SYSLOGMSG_H

#include "logline.h"

#define SYSLOG_FACILITY_USER 1u
#define SYSLOG_FACILITY_DAEMON 3u
#define N_SYSLOG_FACILITY 24u           /* RFC 5424, 6.2.1; so a PRI is at most 191 */

/* All str are within the message; empty: not told. */
struct syslogmsg {
	uint8_t facility, priority;     /* user.notice where no PRI is told (RFC 3164, 4.3.3) */
	bool is_dated;                  /* it had a time: a library wrote the head, so the tag is one. The time itself is not kept */
	struct str host, tag, pid;      /* the pid as the sender says: anything */
	struct str id, data;            /* RFC 5424: MSGID, and the elements of STRUCTURED-DATA that are the sender's own */
	struct str text;                /* one line or several; without the NULs and line feeds at its end */
};

void syslogmsg_parse(struct str message, struct syslogmsg *m);

/* A text without the NULs and line feeds at its end, which many senders put there. */
struct str syslogmsg_trim(struct str text);

/*
 * What is to stand in front of a line's text so that nothing of the head is lost: "tag: ", "host tag[7]: ". The host and the pid
 * only where they are not those that are known anyway. Lines behind the first get it only where it is certain to be a head, and short. A
 * line feed within it, which structured data may have, becomes a blank.
 */
void syslogmsg_put_origin(struct buf *to, const struct syslogmsg *m, struct str own_host, uint32_t pid, bool is_first);

/* The tag that it has put in front of a text, taken off; false where that begins with something else. */
bool syslogmsg_take_tag(struct str *text, struct str *tag);

/* ---- to another machine, RFC 5424 ---- */

struct syslog_outgoing {
	uint64_t time_us;
	uint8_t facility, priority;
	uint32_t pid;                   /* 0: untold */
	struct str host, app, id;       /* bytes that may not be in them become `_`; empty: untold */
	struct str text;
};

#define SYSLOG_HEAD_MAX 386     /* in front of the text: PRI and version 7, time 28, host 256, app 49, pid 11, id 33, data 2 */

/* Without the mark of UTF-8 (BOM): the bytes are whatever the service wrote (6.4, MSG-ANY). */
void syslogmsg_put(struct buf *to, const struct syslog_outgoing *m);

/* RFC 6587, 3.4.1: on a stream a message has its length in front of it. */
#define SYSLOG_FRAME_MAX 11
void syslogmsg_put_frame(struct buf *to, size_t n_message);

#endif
