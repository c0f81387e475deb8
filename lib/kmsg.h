/*
 * What the kernel's log says about out-of-memory kills: one record of /dev/kmsg in, at most one piece of news out.
 *
 * Only the line "Killed process N (comm)" proves a kill: the kernel never rate-limits it (mm/oom_kill.c,
 * __oom_kill_process()). Everything printed around it (who asked for memory, the task table, the "oom-kill:" summary)
 * may be missing, so it is context: attached to a kill where it surely belongs to it, and otherwise left untold.
 *
 * Kernels 2.6.18 to 7.x and the el6, el7 and el8 forms are read. The kernel prints comm and cgroup names as they are,
 * and their owners choose them, so a name may hold any text but a NUL; no field is read from inside a name.
 * Only facility 0 counts: a program can write the words into /dev/kmsg, but not that facility.
 */
#ifndef OOMPH_KMSG_H
#define OOMPH_KMSG_H

#include "str.h"

/* A read(2) of /dev/kmsg gives one record of at most this many bytes (CONSOLE_EXT_LOG_MAX, include/linux/printk.h). */
#define KMSG_RECORD_MAX 8192

/* A cgroup path kept, with its NUL. Longer ones lose their end, which is marked: a service's own path is shorter. */
#define KMSG_PATH_MAX 128

#define KMSG_COMM_MAX 16                /* TASK_COMM_LEN with its NUL */
#define KMSG_CONSTRAINT_MAX 32          /* the longest of mainline is CONSTRAINT_MEMORY_POLICY, 24 bytes */

/* Numbers that the kernel did not print. Never 0, which it does print. A text that was not told is "". */
#define KMSG_UNTOLD_KB UINT64_MAX
#define KMSG_UNTOLD_UID UINT32_MAX
#define KMSG_UNTOLD_ADJ INT16_MIN

struct kmsg_record {
	uint64_t seq, usec;             /* seq without gaps: a jump means lost records. usec: display and freshness only */
	uint8_t facility, level;
	bool is_continuation;           /* goes on where an earlier record of the same caller stopped */
	uint32_t caller;                /* equal for equal CONFIG_PRINTK_CALLER fields; 0 when the kernel has none */
	struct str text;                /* first line, with the kernel's \xNN escapes, without the dictionary */
};

/* Reads what one read(2) from /dev/kmsg gave. False when it is no such record. r->text points into `bytes`. */
bool kmsg_record(struct str bytes, struct kmsg_record *r);

/*
 * The same for one line of a log that somebody saved: raw records, or the output of dmesg, syslog and journalctl,
 * whose prefixes (date and host, "<N>", "[  time]", "[ T123]") are dropped. False for a line that is visibly not the
 * kernel's. A line without a number gets seq 0, without "<N>" facility 0, without a time since boot usec 0: give it
 * the one of the line before it where there is one, or it will seem to belong to an earlier OOM.
 */
bool kmsg_text_line(struct str line, struct kmsg_record *r);

enum oom_scope { OOM_SCOPE_UNTOLD, OOM_GLOBAL, OOM_MEMCG };

/*
 * One victim. Names and paths are raw bytes (escapes undone), NUL-terminated: whoever shows them must escape them.
 * Pids and uids are those of the initial namespaces.
 */
struct oom_kill {
	uint64_t seq, usec;             /* of the kill line */
	uint64_t total_vm_kb, anon_rss_kb, file_rss_kb, shmem_rss_kb, pgtables_kb;
	uint32_t pid;                   /* as printed: may be the TID of a thread that outlived its leader */
	uint32_t tgid;                  /* the process, where the context tells; else the same as pid */
	uint32_t uid;
	int16_t oom_score_adj;
	uint8_t scope;                  /* enum oom_scope */
	bool is_group;                  /* died because of memory.oom.group (the first victim learns it from KMSG_GROUP) */
	bool is_sharer;                 /* "sharing same memory" with the victim, up to 4.3: no sizes are told */
	bool is_allocating_task;        /* vm.oom_kill_allocating_task: the one who asked, not the one who hogged */
	bool is_manual;                 /* sysrq-f, which a program may also trigger */
	bool is_memcg_cut, is_task_memcg_cut;   /* the path goes on after what is kept */
	bool is_task_memcg_above;       /* task_memcg is not surely the victim's own cgroup, but that or one above it */
	char comm[KMSG_COMM_MAX];
	char invoked_by[KMSG_COMM_MAX]; /* whose allocation found no memory; not the victim's fault */
	char constraint[KMSG_CONSTRAINT_MAX];
	char memcg[KMSG_PATH_MAX];      /* whose limit was hit */
	char task_memcg[KMSG_PATH_MAX]; /* where the victim was */
};

enum kmsg_news {
	KMSG_NOTHING,                   /* *out says nothing */
	KMSG_KILL,                      /* *out is a victim, told once however often the kernel prints it */
	/*
	 * The kill with pid out->pid and seq out->seq (pid 0 when its line was not seen) was the first of a
	 * memory.oom.group kill of the cgroup out->task_memcg ("" if untold). Kills that follow say is_group themselves.
	 */
	KMSG_GROUP,
	KMSG_NO_KILLABLE,               /* out of memory, and nobody could be killed; invoked_by if known. Comes in storms */
};

#define KMSG_VICTIMS_MAX 64             /* remembered against double lines; a double names the first or a late one */
#define KMSG_THREADS_MAX 32             /* table rows whose pid is not their tgid: processes whose leader exited */
#define KMSG_PENDING_MAX 2560           /* a summary line with two cgroup paths of 1000 bytes, joined */

/* Where the reader is in the kernel's current story. Flat: copy it, save it, map it. Only kmsg.c looks inside. */
struct kmsg_reader {
	uint64_t last_seq, usec;        /* newest record; newest line of this OOM */
	uint64_t last_kill_seq;
	uint32_t last_kill_pid;
	uint32_t story;                 /* goes up with each line that another OOM begins with */
	uint32_t candidate;             /* pid of the "Kill process ... or sacrifice child" line (until 5.0), or 0 */
	uint32_t pending_caller;
	uint16_t n_victims, n_threads, n_pending;
	bool has_begun, has_table, has_summary, is_spent, is_manual_next, is_pending_told;
	struct oom_kill about;          /* what this OOM's context says; pid and uid are the summary's */
	bool is_group, is_group_cut, is_group_idle;     /* idle: no kill line since the group's own */
	char group[KMSG_PATH_MAX];
	uint32_t victims[KMSG_VICTIMS_MAX];
	struct { uint32_t pid, tgid; } threads[KMSG_THREADS_MAX];
	char pending[KMSG_PENDING_MAX];
};

void kmsg_reset(struct kmsg_reader *);

/*
 * Takes the next record. Feed every record that was read, whatever its facility: a jump in seq makes the reader forget
 * the context, since lines are missing. Two kills in a row cannot always be told apart as two OOMs when the kernel
 * suppresses their headers: is_group of a kill within two seconds of another cgroup's group kill may be wrong until its
 * own KMSG_GROUP; pid, sizes and the scope never depend on that.
 */
enum kmsg_news kmsg_feed(struct kmsg_reader *, const struct kmsg_record *, struct oom_kill *out);

bool kmsg_is_fresh(const struct kmsg_reader *, uint64_t usec);  /* a record of that time may still be of this OOM */

#endif
