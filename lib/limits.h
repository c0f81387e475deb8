/*
 * Every bound in one place: its name, its reason, and what happens beyond it.
 */
#ifndef OOMPH_LIMITS_H
#define OOMPH_LIMITS_H

#include <stdint.h>

/* unit_name_is_valid(): systemd's UNIT_NAME_MAX. A longer file name is left out by oomph-load with a line that says so. */
#define UNIT_NAME_MAX 255

/* One unit file. systemd takes lines of 1 MiB; a file above this is no unit file and is left out with a line. */
#define UNIT_FILE_MAX (1u << 20)

/*
 * What one unit may cost oomph-load, so that a hostile file costs its own unit only. What is beyond is as if it were not
 * there, with a line that says so; too many commands or arguments, and specifiers that swell, cost the whole unit.
 * Its text, with all drop-ins, may have UNIT_FILE_MAX bytes; words and variables are LAUNCH_WORDS_MAX as at launch.
 */
#define SPECIFIED_MAX (1u << 20)        /* bytes of values with specifiers replaced */
#define REMARKS_MAX 100
#define COMMANDS_MAX 1000               /* of one kind */
#define ENVIRONMENT_FILES_MAX 256       /* patterns resolved */
#define PATTERNS_MAX 2                  /* parts of one path that are patterns; more are taken as they stand */
#define DROPINS_MAX 256
#define LISTING_MAX 4096                /* names in one folder beside a unit */
#define ALIAS_HOPS_MAX 16               /* other names on the way to a file: a circle is told by the kernel, as ELOOP */

/*
 * Instances that units pull in of one template, for one that wants more of itself has no end. Each counts once more for
 * every INSTANCE_BYTES that it holds.
 */
#define INSTANCES_MAX 1024
#define INSTANCE_BYTES (16u << 10)

/* Address space of oomph-load: beyond it the load fails, and the units stay as they were. */
#define LOAD_MEMORY_MAX (1u << 30)

/* Units in a set. Not a table size (both mappings are sized at load): only what a corrupt header may claim. */
#define UNITS_MAX 65536u

/* The sealed unit set. Bounds what PID 1 maps on a corrupt header's word. */
#define UNITSET_MAX (256u << 20)

/*
 * What a child may hand to execve(2): words and bytes of argv and environment after expansion. They live on the stack
 * of the forked child, never in PID 1. Beyond it the launch fails with E2BIG, as execve itself would, later.
 */
#define LAUNCH_WORDS_MAX 2048
#define LAUNCH_BYTES_MAX (192u << 10)

/* Deaths kept in memory for `deaths` and `why`; the oldest goes first. */
#define DEATHS_KEPT 48

/* Kernel OOM records kept while their victims' deaths are on the way; the oldest goes first, and the counters still decide. */
#define KILLS_KEPT 12

/*
 * OOM kills kept with all that was known of them, in a memfd (incident.h): what brought each about, and its victims, of which
 * one group kill may have many. The oldest goes first; what oomphctl has written to /var by then is not lost.
 */
#define INCIDENTS_KEPT 16
#define VICTIMS_KEPT 64

/*
 * Of one OOM, in bytes: the kernel's lines (a memory cgroup's dump has some 5 kB of them, a machine's 12 and more; then
 * those in the middle are left out and counted), what of that is kept free for the lines that name the victim, a row of
 * the task table, the largest tasks, and the files read at the moment (a cgroup takes some 400 bytes).
 */
#define INCIDENT_LINES_MAX 12288
#define INCIDENT_LINES_SPARED 3072
#define INCIDENT_ROW_MAX 192
#define INCIDENT_TASKS 10
#define INCIDENT_FILES_MAX 4096

/* What a service wrote last before it died: lines, and bytes of each, kept in the record of an OOM kill and shown by `why`. */
#define LAST_WORDS 10
#define LAST_WORD_MAX 512

/*
 * Descriptors that all services together may leave with PID 1 (FDSTORE=1); one more is closed. And those that wait for that: while one
 * more packet might bring more than there is room for, none is read that may bring any.
 */
#define STORE_MAX 512
#define UNWANTED_MAX 512

/*
 * Descriptors that are left to PID 1 when those of the pipes to oomph-log have taken all others (RLIMIT_NOFILE): a service
 * that would need one of these writes to the console.
 */
#define FILES_SPARED 128

/* STATUS= text of sd_notify(3) kept per service; the rest is cut. */
#define STATUS_TEXT_MAX 64

/*
 * Values and ranges of one calendar expression: every minute and every second, one by one, and a date. A longer one is refused
 * (systemd takes 241 for each field).
 */
#define CALENDAR_RANGES_MAX 128

/* ---- times, in ms ---- */

#define FOREVER_MS UINT32_MAX           /* `infinity` */

#define TURN_MS 5u                      /* of work on one matter; then others are served, and it goes on: clients wait for 50 ms at most */
#define START_TIMEOUT_MS 90000u         /* systemd's DefaultTimeoutStartSec= and -StopSec= */
#define STOP_TIMEOUT_MS 90000u
#define SWEEP_AGAIN_MS 1000u            /* SIGKILL was sent and something still lives (D state, a fork race): send it again */
#define RETRY_MS 1000u                  /* fork, cgroup or the loader failed for want of memory or pids: try again */
#define HEALTHY_RUN_MS 10000u           /* a generation that lived this long starts its successor's backoff afresh */
#define BACKOFF_FIRST_MS 100u           /* RestartSec= unset: 100 ms doubling to 30 s, with jitter */
#define BACKOFF_MOST_MS 30000u
#define AMENDABLE_MS 1000u              /* a record this late still finds its death; later the pid may be another's */
#define EVIDENCE_GRACE_MS 50u           /* a record may be hidden behind one that another CPU is still storing (OOM.md 2) */
#define GROUP_GRACE_MS 100u             /* the kernel kills a whole group by itself (memory.oom.group); what it leaves is ours */
#define WOUND_GRACE_MS 1000u            /* a victim chosen, and nobody dead yet: a slow console or swap holds it up (OOM.md 2) */
#define KMSG_LOST_AGAIN_MS 1000u        /* the log was overrun again: counted, but told no sooner than this after the last time */
#define HALT_DEADLINE_MS 20000u         /* oomph-halt hangs on a dead disk: reboot(2) all the same */
#define CLOSE_DEADLINE_MS 100u          /* a descriptor that somebody sent us hangs in close(2): kill the child that closes it */
#define RECORD_DEADLINE_MS 10000u       /* oomphctl hangs on a dead disk: kill it; the ring has what it was to write */
#define RECORD_SETTLE_MS 100u           /* a group kill has many lines, and the console makes each wait: write them down together */
#define LEAVE_DEADLINE_MS 1000u         /* ... while we are about to leave a container: do, without it */
#define STRAY_MS 2000u                  /* a victim that no count has claimed by then, each within its grace, was of no service */
#define CLEAN_DEADLINE_MS 10000u        /* removing what a generation leaves behind hangs on a dead disk: SIGKILL, and go on without */
#define LOAD_DEADLINE_MS 60000u         /* oomph-load hangs: kill it, keep the units there are */
#define RELOAD_SETTLE_MS 200u           /* files in services.d change in bursts: read them once it is quiet */

#endif
