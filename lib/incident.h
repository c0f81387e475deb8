/*
 * The incident record: what an engineer asks for after an OOM kill, kept from the moment itself.
 *
 * Two things are kept. An *incident* is what brought it about: the kernel's lines verbatim, the largest tasks of its table,
 * the memory files of the victim's cgroup and of those above it, the machine's pressure. A *victim* is one death with its
 * verdict and with what came next. A memory.oom.group kill is one incident with many victims, so the cause is told once.
 *
 * Both are rings in one memfd, `struct incident_ring`, which PID 1 writes and nobody maps. Every slot begins with its number:
 * 0 while it is being written, and the number last, so that a reader who finds the same one before and after has it whole.
 */
#ifndef OOMPH_INCIDENT_H
#define OOMPH_INCIDENT_H

#include "limits.h"
#include "verdict.h"

/* ---- what the kernel's log tells ---- */

/* A row of the task table. */
struct incident_task {
	uint64_t rss_pages;
	uint32_t pid, tgid, uid;
	int16_t oom_score_adj;          /* KMSG_UNTOLD_ADJ: its table has no such column */
	char name[KMSG_COMM_MAX];       /* raw bytes */
	char service[64];               /* whose it is, cut; "": nobody's, or not known. The caller's to fill */
	char row[INCIDENT_ROW_MAX];     /* as the kernel printed it, cut */
};

/* One OOM as its lines stream by. Rows of the table are left out of them, all but the largest. */
struct incident {
	uint64_t first_seq;             /* of the line that names its first victim; 0: nobody is dead */
	uint64_t last_seq;              /* of the line taken last, if it was kept */
	uint32_t story;                 /* of the reader */
	uint32_t n_rows, n_tasks;       /* in the table; kept */
	uint32_t n_bytes;               /* in lines */
	uint32_t n_cut;                 /* lines left out or shortened */
	uint8_t rss_column, score_column, name_column;  /* of the table, counted from the one after "[pid]"; name 0: none yet */
	bool is_open;                   /* it has begun and nobody is dead: whatever the kernel prints may belong to it */
	struct incident_task tasks[INCIDENT_TASKS];     /* the largest first */
	char lines[INCIDENT_LINES_MAX]; /* each with a newline; the kernel's \xNN escapes as they are */
};

/* A record that kmsg_feed() has just had. Another OOM's first line throws the old one's away: see incident_is_over(). */
void incident_take(struct incident *in, const struct kmsg_reader *r, const struct kmsg_record *rec);
bool incident_is_over(const struct incident *in, const struct kmsg_reader *r);

/* The line in which the kernel names a process as killed; empty where it is not among those kept. */
struct str incident_kill_line(const struct incident *in, uint32_t pid);

/* ---- what was read at that moment ---- */

/*
 * Files as a blob of words, name and content in turn. A name with a slash in front is a cgroup's path without content, and
 * the memory.* files behind it are that one's, from the victim's own upwards; "pressure" and "meminfo" are the machine's.
 */
bool incident_put_file(struct buf *files, struct str name, struct str content);         /* whole, or not at all */
bool incident_next_file(struct str *files, struct str *name, struct str *content);
struct str incident_file(struct str files, struct str cgroup, struct str name); /* cgroup "": the machine's; "" if it is not there */

/* ---- the ring ---- */

struct incident_slot {
	uint64_t number;                /* 1, 2, 3 ... */
	uint64_t wall_ms;
	uint32_t n_files;               /* bytes of it */
	uint32_t n_left_out;            /* files for which there was no room */
	struct incident told;           /* first_seq 0: only a count proved the kill */
	char files[INCIDENT_FILES_MAX];
};

struct victim_slot {
	uint64_t number;                /* 1, 2, 3 ... */
	uint64_t incident;              /* its number */
	uint64_t first;                 /* id of the death that stands for the incident: the first that was told of it */
	uint32_t uid, gid;              /* the service's, NO_ID: PID 1's */
	char unit[UNIT_NAME_MAX + 1];   /* the whole name */
	struct death death;
};

#define INCIDENT_MAGIC 0x49434e49u      /* "INCI" */

struct incident_ring {
	uint32_t magic, size;           /* of all of it: the layouts of two builds never mix */
	uint64_t since_wall_ms;         /* when this PID 1 began; with a death's id, that death for ever */
	struct victim_slot verdict;     /* a container's last main process that did not end well */
	struct victim_slot victims[VICTIMS_KEPT];       /* by number modulo */
	struct incident_slot incidents[INCIDENTS_KEPT];
};

size_t incident_at(uint64_t number);    /* where in the ring a slot is */
size_t victim_at(uint64_t number);

#endif
