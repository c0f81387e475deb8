/*
 * What a service says about itself: the datagrams of sd_notify(3), lines of NAME=VALUE. Whether its sender may say so
 * (NotifyAccess=) and whether a MAINPID= belongs to it is decided by others, with the sender's credentials.
 */
#ifndef OOMPH_NOTIFY_H
#define OOMPH_NOTIFY_H

#include "str.h"

/* A longer line is ignored: systemd takes no message above PIPE_BUF. One cut short (MSG_TRUNC) must not come here. */
#define NOTIFY_LINE_MAX 4096

struct notify_message {
	bool is_ready, is_stopping, is_reloading;
	bool is_alive;                  /* WATCHDOG=1 */
	bool is_watchdog_trigger;       /* WATCHDOG=trigger: the service asks to be treated as if it had hung */
	bool is_store, is_store_remove; /* FDSTORE=1, FDSTOREREMOVE=1; with FDNAME= */
	bool wants_barrier;             /* BARRIER=1: the sender waits until the descriptor that came along is closed */
	bool has_main_pid, has_status, has_error, has_extension, has_watchdog, has_time;
	uint32_t main_pid;
	struct str fd_name;             /* within the datagram */
	struct str status;              /* within the datagram; empty takes the last one back */
	uint32_t error;                 /* errno value, 0 for none */
	uint64_t extension_us;          /* EXTEND_TIMEOUT_USEC=, from the moment of the message */
	uint64_t watchdog_us;           /* WATCHDOG_USEC=: in place of WatchdogSec= */
	uint64_t time_us;               /* MONOTONIC_USEC=: when the sender said so, CLOCK_MONOTONIC */
};

/* False when no line of it means anything to us. Of repeated values the last well-formed one counts. */
bool notify_parse(struct str datagram, struct notify_message *out);

#endif
