/*
 * Names of numbers, one table each, read in both directions: unit files, status lines and JSON spell them alike.
 */
#ifndef OOMPH_NAMES_H
#define OOMPH_NAMES_H

#include "str.h"
#include "unit.h"

/* Types a unit can have by its suffix, systemd.unit(5); only services are run. */
enum unit_type_name {
	UNIT_SERVICE, UNIT_SOCKET, UNIT_TARGET, UNIT_DEVICE, UNIT_MOUNT, UNIT_AUTOMOUNT, UNIT_SWAP, UNIT_TIMER,
	UNIT_PATH, UNIT_SLICE, UNIT_SCOPE, N_UNIT_TYPE_NAME
};

extern const char *const unit_type_names[N_UNIT_TYPE_NAME];     /* "service", ... */
extern const char *const type_names[N_UNIT_TYPE];               /* Type= */
extern const char *const restart_names[N_RESTART_POLICY];       /* Restart=; RESTART_UNSET is "" */
extern const char *const kill_mode_names[N_KILL_MODE];
extern const char *const oom_policy_names[N_OOM_POLICY];
extern const char *const notify_access_names[N_NOTIFY_ACCESS];
extern const char *const unit_action_names[N_UNIT_ACTION];
extern const char *const exit_type_names[N_EXIT_TYPE];
extern const char *const failure_mode_names[N_FAILURE_MODE];
extern const char *const stdio_names[N_STDIO_KIND];             /* those with a path without their colon */
extern const char *const scheduling_names[N_SCHEDULING];
extern const char *const io_class_names[N_IO_CLASS];
extern const char *const numa_policy_names[N_NUMA_POLICY];
extern const char *const keyring_mode_names[N_KEYRING_MODE];
extern const char *const limit_names[N_LIMIT_KIND];             /* "NOFILE", ... */

/* Index of `name` in the table (the empty string is never found), or -1. */
int name_find(const char *const *table, size_t n, struct str name);

/* "SIGTERM", "SIGRTMIN+3", "32"; "SIG?" for what is no signal. */
const char *signal_name(int number);

/* A name with or without SIG in front, RTMIN[+n], RTMAX[-n], or 1 to 64; upper case only. 0 when it is none. */
int signal_number(struct str name);

/* Statuses with a name, systemd.exec(5) "Process Exit Codes": NULL and -1 for none. */
const char *exit_status_name(int status);
int exit_status_number(struct str name);

#endif
