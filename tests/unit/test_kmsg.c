#include "lib/kmsg.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- a log, fed line by line; the news it made, as text ---- */

/*
 * A script has a line for each record: "3-;text" is level 3, "4c;text" a continuation, "6-T12;text" has a caller, "11-;x"
 * is facility 1. "+MICROSECONDS" lets time pass and "!N" loses N records. Records are 100 us apart.
 */
struct story {
	struct kmsg_reader reader;
	uint64_t seq, usec;
	size_t n_kills, n_groups;
	struct oom_kill kill;           /* the last one */
	char news[4096];
};

static void begin_story(struct story *s)
{
	memset(s, 0, sizeof *s);
	s->seq = 1000;
	s->usec = 5000000;
	kmsg_reset(&s->reader);
}

static void tell(struct story *s, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void tell(struct story *s, const char *format, ...)
{
	va_list args;
	size_t n = strlen(s->news);
	va_start(args, format);
	vsnprintf(s->news + n, sizeof s->news - n, format, args);
	va_end(args);
}

static void tell_number(struct story *s, const char *name, uint64_t v, uint64_t untold)
{
	if (v != untold)
		tell(s, " %s=%llu", name, (unsigned long long)v);
}

static void tell_kill(struct story *s, const struct oom_kill *k)
{
	static const char *const scopes[] = { "", " global", " memcg" };
	tell(s, "kill %u", k->pid);
	if (k->tgid != k->pid)
		tell(s, " of %u", k->tgid);
	if (k->comm[0])
		tell(s, " (%s)", k->comm);
	tell_number(s, "uid", k->uid, KMSG_UNTOLD_UID);
	tell_number(s, "vm", k->total_vm_kb, KMSG_UNTOLD_KB);
	tell_number(s, "anon", k->anon_rss_kb, KMSG_UNTOLD_KB);
	tell_number(s, "file", k->file_rss_kb, KMSG_UNTOLD_KB);
	tell_number(s, "shmem", k->shmem_rss_kb, KMSG_UNTOLD_KB);
	tell_number(s, "tables", k->pgtables_kb, KMSG_UNTOLD_KB);
	if (k->oom_score_adj != KMSG_UNTOLD_ADJ)
		tell(s, " adj=%d", k->oom_score_adj);
	tell(s, "%s%s%s%s%s", scopes[k->scope], k->is_group ? " group" : "", k->is_sharer ? " sharer" : "",
	     k->is_allocating_task ? " allocating" : "", k->is_manual ? " manual" : "");
	if (k->constraint[0])
		tell(s, " %s", k->constraint);
	if (k->memcg[0])
		tell(s, " limit %s%s", k->memcg, k->is_memcg_cut ? "..." : "");
	if (k->task_memcg[0])
		tell(s, " %s %s%s", k->is_task_memcg_above ? "under" : "in", k->task_memcg, k->is_task_memcg_cut ? "..." : "");
	if (k->invoked_by[0])
		tell(s, " by %s", k->invoked_by);
	tell(s, "\n");
}

static void feed_record(struct story *s, const struct kmsg_record *rec)
{
	struct oom_kill k;
	switch (kmsg_feed(&s->reader, rec, &k)) {
	case KMSG_NOTHING:
		break;
	case KMSG_KILL:
		s->n_kills++;
		s->kill = k;
		tell_kill(s, &k);
		break;
	case KMSG_GROUP:
		s->n_groups++;
		tell(s, "group %s%s first %u\n", k.task_memcg, k.is_task_memcg_cut ? "..." : "", k.pid);
		break;
	case KMSG_NO_KILLABLE:
		tell(s, "nobody%s%s\n", k.invoked_by[0] ? " by " : "", k.invoked_by);
		break;
	}
}

/* In memory of exactly its size, so that the sanitizer sees a byte read too many. */
static void feed_bytes(struct story *s, const char *bytes, size_t n)
{
	struct kmsg_record rec;
	char *copy = malloc(n ? n : 1);
	memcpy(copy, bytes, n);
	if (kmsg_record(str_of(copy, n), &rec))
		feed_record(s, &rec);
	free(copy);
}

static void feed_text(struct story *s, unsigned priority, char flag, const char *caller, struct str text)
{
	char bytes[16384];
	s->usec += 100;
	int n = snprintf(bytes, sizeof bytes, "%u,%llu,%llu,%c%s%s;%.*s\n SUBSYSTEM=test\n", priority,
			 (unsigned long long)s->seq++, (unsigned long long)s->usec, flag,
			 caller[0] ? ",caller=" : "", caller, (int)text.n, text.p);
	feed_bytes(s, bytes, (size_t)n);
}

static void feed_line(struct story *s, struct str line)
{
	uint64_t n, priority;
	if (str_take(&line, STR("+")) && str_u64(line, &n)) {
		s->usec += n;
	} else if (str_take(&line, STR("!")) && str_u64(line, &n)) {
		s->seq += n;
	} else {
		char caller[16] = "", flag;
		assert_true(str_digits(&line, &priority));
		flag = line.p[0];
		struct str who = str_until(&line, ';');
		snprintf(caller, sizeof caller, "%.*s", (int)who.n - 1, who.p + 1);
		feed_text(s, (unsigned)priority, flag, caller, line);
	}
}

static void feed_script(struct story *s, const char *script)
{
	struct str rest = str_from(script);
	while (rest.n) {
		struct str line = str_until(&rest, '\n');
		if (line.n)
			feed_line(s, line);
	}
}

/* ---- forms and stories ---- */

struct row {
	const char *name, *script, *news;
};

#define SUM "6-;oom-kill:constraint="
#define TABLE "6-;[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name\n"

/* One kill line each. The last line is also cut at every byte. */
static const struct row forms[] = {
	{ "2.6.18", "3-;Out of memory: Killed process 2811 (httpd).", "kill 2811 (httpd) global\n" },
	{ "2.6.18 mempolicy", "3-;No available memory (MPOL_BIND): Killed process 2812 (hpc).", "kill 2812 (hpc) global\n" },
	{ "2.6.18 cpuset", "3-;No available memory in cpuset: Killed process 2813 (hpc).", "kill 2813 (hpc) global\n" },
	{ "2.6.18 candidate", "3-;Out of Memory: Kill process 2811 (httpd) score 77 and children.\n"
	  "3-;Out of memory: Killed process 2814 (cgi).", "kill 2814 (cgi) global\n" },
	{ "2.6.32", "3-;Out of memory: kill process 901 (perl) score 4134 or a child\n3-;Killed process 901 (perl)",
	  "kill 901 (perl) global\n" },
	{ "2.6.33 vsz", "3-;Killed process 902 (perl) vsz:264kB, anon-rss:158kB, file-rss:0kB",
	  "kill 902 (perl) vm=264 anon=158 file=0\n" },
	{ "2.6.36", "3-;Killed process 903 (perl) total-vm:265kB, anon-rss:159kB, file-rss:1kB",
	  "kill 903 (perl) vm=265 anon=159 file=1\n" },
	{ "el6", "3-;Killed process 904, UID 498, (mysqld) total-vm:7823kB, anon-rss:2539kB, file-rss:76kB",
	  "kill 904 (mysqld) uid=498 vm=7823 anon=2539 file=76\n" },
	{ "late el7", "3-;Killed process 905 (palo be), UID 33, total-vm:70kB, anon-rss:45kB, file-rss:2kB, shmem-rss:9kB",
	  "kill 905 (palo be) uid=33 vm=70 anon=45 file=2 shmem=9\n" },
	{ "4.5", "3-;Killed process 906 (x) total-vm:70kB, anon-rss:45kB, file-rss:2kB, shmem-rss:9kB",
	  "kill 906 (x) vm=70 anon=45 file=2 shmem=9\n" },
	{ "5.1", "3-;Memory cgroup out of memory: Killed process 907 (x) total-vm:70kB, anon-rss:45kB, file-rss:2kB, shmem-rss:9kB",
	  "kill 907 (x) vm=70 anon=45 file=2 shmem=9 memcg\n" },
	{ "el8, no adj", "3-;Memory cgroup out of memory: Killed process 908 (x) total-vm:70kB, anon-rss:45kB, file-rss:2kB, "
	  "shmem-rss:9kB, UID:1001240000 pgtables:24kB",
	  "kill 908 (x) uid=1001240000 vm=70 anon=45 file=2 shmem=9 tables=24 memcg\n" },
	{ "5.4", "3-;Out of memory: Killed process 4194304 (x) total-vm:70kB, anon-rss:45kB, file-rss:2kB, shmem-rss:9kB, "
	  "UID:0 pgtables:24kB oom_score_adj:0",
	  "kill 4194304 (x) uid=0 vm=70 anon=45 file=2 shmem=9 tables=24 adj=0 global\n" },
	{ "all zero", "3-;Out of memory: Killed process 1 (x) total-vm:0kB, anon-rss:0kB, file-rss:0kB, shmem-rss:0kB, "
	  "UID:0 pgtables:0kB oom_score_adj:-997",
	  "kill 1 (x) uid=0 vm=0 anon=0 file=0 shmem=0 tables=0 adj=-997 global\n" },
	{ "allocating task", "3-;Out of memory (oom_kill_allocating_task): Killed process 909 (x) total-vm:70kB, anon-rss:45kB, "
	  "file-rss:2kB, shmem-rss:9kB, UID:0 pgtables:24kB oom_score_adj:1000",
	  "kill 909 (x) uid=0 vm=70 anon=45 file=2 shmem=9 tables=24 adj=1000 global allocating\n" },
	{ "more fields", "3-;Out of memory: Killed process 910 (x) total-vm:70kB, anon-rss:45kB, file-rss:2kB, shmem-rss:9kB, "
	  "UID:0 pgtables:24kB oom_score_adj:0 color:blue",
	  "kill 910 (x) uid=0 vm=70 anon=45 file=2 shmem=9 tables=24 adj=0 global\n" },
	{ "sharer", "3-;Kill process 911 (share r) sharing same memory", "kill 911 (share r) sharer\n" },
	{ "parentheses", "3-;Out of memory: Killed process 912 ((sd-pam)) total-vm:70kB, anon-rss:45kB", "kill 912 ((sd-pam)) vm=70 anon=45 global\n" },
	{ "empty comm", "3-;Out of memory: Killed process 913 () total-vm:70kB", "kill 913 vm=70 global\n" },
	{ "caller field", "3-T913;Memory cgroup out of memory: Killed process 914 (x) total-vm:70kB", "kill 914 (x) vm=70 memcg\n" },
};

static const struct row stories[] = {
	/* names that look like the kernel's words */
	{ "comm with sizes", "3-;Out of memory: Killed process 5 (p) total-vm:1kB) total-vm:70kB, anon-rss:45kB",
	  "kill 5 (p) total-vm:1kB) vm=70 anon=45 global\n" },
	{ "comm with sizes, nothing behind", "3-;Killed process 5 (p) total-vm:1kB)", "kill 5 (p) total-vm:1kB)\n" },
	{ "comm with sizes, el7", "3-;Killed process 5 (p) total-vm:1kB), UID 7, total-vm:70kB", "kill 5 (p) total-vm:1kB) uid=7 vm=70\n" },
	{ "comm with el7's uid", "3-;Killed process 5 (x), UID 0, ) total-vm:70kB", "kill 5 (x), UID 0, ) vm=70\n" },
	{ "comm with a newline", "3-;Killed process 5 (x\\x0ay\\x5cz\\x09) total-vm:70kB", "kill 5 (x\ny\\z\t) vm=70\n" },
	{ "comm of bytes", "3-;Killed process 5 (\\xc3\\xa9\\xff) total-vm:70kB", "kill 5 (\xc3\xa9\xff) vm=70\n" },
	{ "comm of 15 escapes", "3-;Killed process 5 (\\x01\\x01\\x01\\x01\\x01\\x01\\x01\\x01\\x01\\x01\\x01\\x01\\x01\\x01\\x02) total-vm:70kB",
	  "kill 5 (\1\1\1\1\1\1\1\1\1\1\1\1\1\1\2) vm=70\n" },
	{ "comm of words", "4-;Killed process  invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0\n"
	  "3-;Out of memory: Killed process 5 (Killed process ) total-vm:70kB", "kill 5 (Killed process ) vm=70 global by Killed process \n" },
	{ "number as comm", "3-;Out of memory: Killed process 5 (531) total-vm:70kB", "kill 5 (531) vm=70 global\n" },
	{ "dots in comm", "3-;Killed process 5 (a).)", "kill 5 (a).)\n" },

	/* not the OOM killer */
	{ "SAK", "5-;SAK: killed process 5 (x): task_session(p)==tty->session\n5-;SAK: Killed process 5 (x)", "" },
	{ "hwpoison", "3-;Memory failure: 0x1234: forcibly killing x:5 because of failure to unmap corrupted page", "" },
	{ "old fault", "3-;VM: killing process x", "" },
	{ "el6 sysctl", "3-;Would have killed process 5 (x). But continuing instead.", "" },
	{ "android", "4-;lowmemorykiller: Killing 'x' (5), adj 0", "" },
	{ "unknown message", "3-;eth0: Killed process 5 (x) total-vm:70kB", "" },
	{ "in the middle", "3-; Killed process 5 (x) total-vm:70kB\n3-;x Out of memory: Killed process 5 (x)", "" },
	{ "reaper", "6-;oom_reaper: reaped process 5 (x), now anon-rss:0kB, file-rss:0kB, shmem-rss:0kB", "" },
	{ "candidate alone", "3-;Out of memory: Kill process 5 (x) score 504 or sacrifice child", "" },
	{ "already exiting", "6-;Out of memory: OOM victim 5 (x) is already exiting. Skip killing the task", "" },
	{ "pid too large", "3-;Killed process 4194305 (x)\n3-;Killed process 18446744073709551617 (x)\n3-;Killed process 0 (x)", "" },
	{ "forged with facility 1", "11-;Out of memory: Killed process 1 (fake) total-vm:1kB\n8-;Killed process 1 (fake)\n"
	  "2048-;Killed process 1 (fake)", "" },
	{ "continuation is no line", "4-;x\n4c;Killed process 5 (x) total-vm:70kB", "" },

	/* context */
	{ "whole OOM, 6.12",
	  "4-;worker invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0\n"
	  "4-;CPU: 1 UID: 0 PID: 125 Comm: worker Not tainted\n"
	  "6-;Tasks state (memory values in pages):\n" TABLE
	  "6-;[    125]  1000   125     4183     4046    69632        0             0 worker\n"
	  SUM "CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/s,task_memcg=/s/a,task=worker,pid=125,uid=1000\n"
	  "3-;Memory cgroup out of memory: Killed process 125 (worker) total-vm:16kB, anon-rss:15kB, file-rss:0kB, shmem-rss:64kB, "
	  "UID:1000 pgtables:68kB oom_score_adj:0",
	  "kill 125 (worker) uid=1000 vm=16 anon=15 file=0 shmem=64 tables=68 adj=0 memcg CONSTRAINT_MEMCG limit /s in /s/a by worker\n" },
	{ "global",
	  "4-;hog invoked oom-killer: gfp_mask=0x100dca(GFP_HIGHUSER_MOVABLE|__GFP_ZERO), order=0, oom_score_adj=0\n"
	  SUM "CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,task_memcg=/,task=hog,pid=857,uid=65534\n"
	  "3-;Out of memory: Killed process 857 (hog) total-vm:30kB", "kill 857 (hog) uid=65534 vm=30 global CONSTRAINT_NONE in / by hog\n" },
	{ "no cpusets", SUM "CONSTRAINT_MEMCG,nodemask=(null),oom_memcg=/s,task_memcg=/s,task=x,pid=5,uid=0\n"
	  "3-;Memory cgroup out of memory: Killed process 5 (x) total-vm:70kB", "kill 5 (x) uid=0 vm=70 memcg CONSTRAINT_MEMCG limit /s in /s\n" },
	{ "no memcg", SUM "CONSTRAINT_NONE,nodemask=(null),task=x,pid=5,uid=3\n3-;Out of memory: Killed process 5 (x) total-vm:70kB",
	  "kill 5 (x) uid=3 vm=70 global CONSTRAINT_NONE\n" },
	{ "5.0 names no constraint, scope by path", SUM "CONSTRAINT_NONE,nodemask=(null),oom_memcg=/s,task_memcg=/s,task=x,pid=5,uid=0\n"
	  "3-;Memory cgroup out of memory: Kill process 5 (x) score 9 or sacrifice child\n3-;Killed process 5 (x) total-vm:70kB",
	  "kill 5 (x) uid=0 vm=70 memcg CONSTRAINT_NONE limit /s in /s\n" },
	{ "foreign constraint", SUM "CONSTRAINT_BPF_PSI_MEM,nodemask=(null),oom_memcg=/s,task_memcg=/s,task=x,pid=5,uid=0\n"
	  "3-;Memory cgroup out of memory: Killed process 5 (x)", "kill 5 (x) uid=0 memcg CONSTRAINT_BPF_PSI_MEM limit /s in /s\n" },
	{ "4.4 memcg", "4-;x invoked oom-killer: gfp_mask=0x24000c0, order=0, oom_score_adj=0\n"
	  "6-;Task in /s/a killed as a result of limit of /s\n6-;memory: usage 16384kB, limit 16384kB, failcnt 8\n"
	  "3-;Memory cgroup out of memory: Kill process 5 (x) score 963 or sacrifice child\n3-;Killed process 5 (x) total-vm:70kB",
	  "kill 5 (x) vm=70 memcg limit /s in /s/a by x\n" },
	{ "4.4 memcg, a child dies", "6-;Task in /s/a killed as a result of limit of /s\n"
	  "3-;Memory cgroup out of memory: Kill process 5 (x) score 963 or sacrifice child\n3-;Killed process 6 (kid) total-vm:70kB",
	  "kill 6 (kid) vm=70 memcg limit /s under /s\n" },
	{ "memcg limit without a task", "6-;Memory limit reached of cgroup /s\n"
	  "3-;Memory cgroup out of memory: Kill process 5 (x) score 963 or sacrifice child\n3-;Killed process 5 (x) total-vm:70kB",
	  "kill 5 (x) vm=70 memcg limit /s\n" },
	{ "5.0, a child dies", TABLE "6-;[      5]     0     5     6999     6818    94208        0             0 parent\n"
	  "6-;[      6]     0     6      599      485    40960        0             0 kid\n"
	  SUM "CONSTRAINT_MEMCG,nodemask=(null),oom_memcg=/s,task_memcg=/s/a,task=parent,pid=5,uid=7\n"
	  "3-;Memory cgroup out of memory: Kill process 5 (parent) score 835 or sacrifice child\n3-;Killed process 6 (kid) total-vm:70kB",
	  "kill 6 (kid) vm=70 memcg CONSTRAINT_MEMCG limit /s under /s\n" },
	{ "el6 allocating, a child dies", "3-;Out of memory (oom_kill_allocating_task): Kill process 5 (x) score 0 or sacrifice child\n"
	  "3-;Killed process 6, UID 0, (x) total-vm:70kB", "kill 6 (x) uid=0 vm=70 global allocating\n" },
	{ "thread, with table", TABLE "6-;[    691]     3   690     4220     4032    69632        0             0 thr-eater\n"
	  SUM "CONSTRAINT_MEMCG,nodemask=(null),oom_memcg=/lt,task_memcg=/lt,task=leader,pid=690,uid=3\n"
	  "3-;Memory cgroup out of memory: Killed process 691 (thr-eater) total-vm:16880kB",
	  "kill 691 of 690 (thr-eater) vm=16880 memcg CONSTRAINT_MEMCG limit /lt in /lt\n" },
	{ "thread, with table, lines of other CPUs between", TABLE "6-;usb 1-1: new device\n"
	  "6-;[    691]     3   690     4220     4032    69632        0             0 thr-eater\n6-;usb 1-2: new device\n"
	  "3-;Memory cgroup out of memory: Killed process 691 (thr-eater) total-vm:16880kB", "kill 691 of 690 (thr-eater) vm=16880 memcg\n" },
	{ "thread, 4.4 table", "6-;[ pid ]   uid  tgid total_vm      rss nr_ptes nr_pmds swapents oom_score_adj name\n"
	  "6-;[  642]     0   641     4218     4056      11       3        0             0 thr-eater\n"
	  "3-;Memory cgroup out of memory: Kill process 642 (thr-eater) score 963 or sacrifice child\n"
	  "3-;Killed process 642 (thr-eater) total-vm:16kB", "kill 642 of 641 (thr-eater) vm=16 memcg\n" },
	{ "thread, no table", SUM "CONSTRAINT_MEMCG,nodemask=(null),oom_memcg=/lt,task_memcg=/lt,task=leader,pid=690,uid=3\n"
	  "3-;Memory cgroup out of memory: Killed process 691 (thr-eater) total-vm:1kB, anon-rss:1kB, file-rss:0kB, shmem-rss:0kB, UID:3 pgtables:8kB",
	  "kill 691 of 690 (thr-eater) uid=3 vm=1 anon=1 file=0 shmem=0 tables=8 memcg CONSTRAINT_MEMCG limit /lt in /lt\n" },
	{ "no thread: other user", SUM "CONSTRAINT_MEMCG,nodemask=(null),oom_memcg=/lt,task_memcg=/lt,task=leader,pid=690,uid=3\n"
	  "3-;Memory cgroup out of memory: Killed process 691 (other) total-vm:1kB, anon-rss:1kB, file-rss:0kB, shmem-rss:0kB, UID:4 pgtables:8kB",
	  "kill 691 (other) uid=4 vm=1 anon=1 file=0 shmem=0 tables=8 memcg\n" },
	{ "no thread: in the table as itself", "4-;x invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0\n" TABLE
	  "6-;[    691]     3   691     4220     4032    69632        0             0 other\n"
	  SUM "CONSTRAINT_MEMCG,nodemask=(null),oom_memcg=/lt,task_memcg=/lt,task=leader,pid=690,uid=3\n"
	  "3-;Memory cgroup out of memory: Killed process 691 (other) total-vm:1kB, anon-rss:1kB, file-rss:0kB, shmem-rss:0kB, UID:3 pgtables:8kB",
	  "kill 691 (other) uid=3 vm=1 anon=1 file=0 shmem=0 tables=8 memcg\n" },
	{ "summary of another scope", SUM "CONSTRAINT_NONE,nodemask=(null),global_oom,task_memcg=/s,task=x,pid=5,uid=0\n"
	  "3-;Memory cgroup out of memory: Killed process 5 (x) total-vm:70kB", "kill 5 (x) vm=70 memcg\n" },
	{ "second kill, header suppressed", "4-;x invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0\n"
	  SUM "CONSTRAINT_MEMCG,nodemask=(null),oom_memcg=/s,task_memcg=/s,task=x,pid=5,uid=0\n"
	  "3-;Memory cgroup out of memory: Killed process 5 (x)\n3-;Memory cgroup out of memory: Killed process 6 (y)",
	  "kill 5 (x) uid=0 memcg CONSTRAINT_MEMCG limit /s in /s by x\nkill 6 (y) memcg\n" },
	{ "chosen victim gone, next OOM without a header", SUM "CONSTRAINT_MEMCG,nodemask=(null),oom_memcg=/s,task_memcg=/s,task=x,pid=5,uid=0\n"
	  "6-;Memory cgroup out of memory: OOM victim 5 (x) is already exiting. Skip killing the task\n"
	  "3-;Memory cgroup out of memory: Killed process 5 (x)", "kill 5 (x) memcg\n" },
	{ "candidate gone, next OOM without a header", "4-;x invoked oom-killer: gfp_mask=0xd0, order=0, oom_score_adj=0\n"
	  "6-;Task in /s killed as a result of limit of /s\n"
	  "3-;Memory cgroup out of memory: Kill process 5 (x) score 963 or sacrifice child\n"
	  "3-;Out of memory: Kill process 6 (y) score 963 or sacrifice child\n3-;Killed process 6 (y)", "kill 6 (y) global\n" },
	{ "stale", "4-;x invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0\n"
	  SUM "CONSTRAINT_MEMCG,nodemask=(null),oom_memcg=/s,task_memcg=/s,task=x,pid=5,uid=0\n+2000001\n"
	  "3-;Memory cgroup out of memory: Killed process 5 (x)", "kill 5 (x) memcg\n" },
	{ "lost records", "4-;x invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0\n!1\n"
	  "3-;Memory cgroup out of memory: Killed process 5 (x)", "kill 5 (x) memcg\n" },
	{ "a user's records between", "4-;x invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0\n"
	  "14-;y invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0\n"
	  "3-;Memory cgroup out of memory: Killed process 5 (x)", "kill 5 (x) memcg by x\n" },
	{ "same victim again, later", "3-;Out of memory: Killed process 5 (x)\n+2000001\n3-;Out of memory: Killed process 5 (y)",
	  "kill 5 (x) global\nkill 5 (y) global\n" },
	{ "same victim, lost records", "3-;Out of memory: Killed process 5 (x)\n!9\n3-;Out of memory: Killed process 5 (x)",
	  "kill 5 (x) global\n" },
	{ "sharer of a victim", "4-;x invoked oom-killer: gfp_mask=0xd0, order=0, oom_score_adj=0\n"
	  "6-;Task in /s/a killed as a result of limit of /s\n"
	  "3-;Memory cgroup out of memory: Kill process 5 (x) score 963 or sacrifice child\n3-;Killed process 5 (x) total-vm:70kB\n"
	  "3-;Kill process 6 (y) sharing same memory\n3-;Kill process 5 (x) sharing same memory",
	  "kill 5 (x) vm=70 memcg limit /s in /s/a by x\nkill 6 (y) memcg sharer limit /s by x\n" },
	{ "sysrq, 3.x", "6-;SysRq : Manual OOM execution\n4-;kworker/3:3 invoked oom-killer: gfp_mask=0xd0, order=0, oom_score_adj=0\n"
	  "3-;Out of memory: Kill process 5 (dd) score 57 or sacrifice child\n3-;Killed process 5 (dd)", "kill 5 (dd) global manual by kworker/3:3\n" },
	{ "sysrq, then another's OOM first", "6-;SysRq : Manual OOM execution\n4-;dd invoked oom-killer: gfp_mask=0xd0, order=0, oom_score_adj=0\n"
	  "3-;Out of memory: Kill process 5 (dd) score 57 or sacrifice child\n3-;Killed process 5 (dd)", "kill 5 (dd) global by dd\n" },
	{ "sysrq, 6.x", "6-;sysrq: Manual OOM execution\n4-;kworker/1:1 invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=-1, oom_score_adj=0\n"
	  "3-;Out of memory: Killed process 5 (dd)", "kill 5 (dd) global manual by kworker/1:1\n" },
	{ "2.6.18 header", "4-;oom-killer: gfp_mask=0x201d2, order=0\n3-;Out of memory: Killed process 5 (x).", "kill 5 (x) global\n" },
	{ "nobody", "4-;x invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=-1000\n"
	  "4-;Out of memory and no killable processes...\n3-;Out of memory: Killed process 5 (y)", "nobody by x\nkill 5 (y) global\n" },

	/* groups */
	{ "group, first victim twice", SUM "CONSTRAINT_MEMCG,nodemask=(null),oom_memcg=/s,task_memcg=/s/g/a,task=x,pid=5,uid=0\n"
	  "3-;Memory cgroup out of memory: Killed process 5 (x)\n6-;Tasks in /s/g are going to be killed due to memory.oom.group set\n"
	  "3-;Memory cgroup out of memory: Killed process 6 (y)\n3-;Memory cgroup out of memory: Killed process 5 (x)\n"
	  "6-;Memory cgroup out of memory: OOM victim 8 (z) is already exiting. Skip killing the task\n"
	  "3-;Memory cgroup out of memory: Killed process 7 (z)",
	  "kill 5 (x) uid=0 memcg CONSTRAINT_MEMCG limit /s in /s/g/a\ngroup /s/g first 5\n"
	  "kill 6 (y) memcg group CONSTRAINT_MEMCG limit /s under /s/g\nkill 7 (z) memcg group CONSTRAINT_MEMCG limit /s under /s/g\n" },
	{ "group of a thread", TABLE "6-;[    691]     3   690     4220     4032    69632        0             0 t\n"
	  "3-;Memory cgroup out of memory: Killed process 691 (t)\n6-;Tasks in /g are going to be killed due to memory.oom.group set\n"
	  "3-;Memory cgroup out of memory: Killed process 690 (t)\n3-;Memory cgroup out of memory: Killed process 691 (t)",
	  "kill 691 of 690 (t) memcg\ngroup /g first 691\n" },
	{ "group, first victim gone", SUM "CONSTRAINT_MEMCG,nodemask=(null),oom_memcg=/s,task_memcg=/s/g,task=x,pid=5,uid=0\n"
	  "6-;Memory cgroup out of memory: OOM victim 5 (x) is already exiting. Skip killing the task\n"
	  "6-;Tasks in /s/g are going to be killed due to memory.oom.group set\n3-;Memory cgroup out of memory: Killed process 6 (y)",
	  "group /s/g first 0\nkill 6 (y) memcg group CONSTRAINT_MEMCG limit /s under /s/g\n" },
	{ "group in a global OOM", SUM "CONSTRAINT_NONE,nodemask=(null),global_oom,task_memcg=/g,task=x,pid=5,uid=0\n"
	  "3-;Out of memory: Killed process 5 (x)\n6-;Tasks in /g are going to be killed due to memory.oom.group set\n"
	  "3-;Out of memory: Killed process 6 (y)\n3-;Memory cgroup out of memory: Killed process 7 (z)",
	  "kill 5 (x) uid=0 global CONSTRAINT_NONE in /g\ngroup /g first 5\nkill 6 (y) global group CONSTRAINT_NONE under /g\nkill 7 (z) memcg\n" },
	{ "group right behind a group", "3-;Memory cgroup out of memory: Killed process 5 (x)\n"
	  "6-;Tasks in /a are going to be killed due to memory.oom.group set\n3-;Memory cgroup out of memory: Killed process 6 (x)\n"
	  "3-;Memory cgroup out of memory: Killed process 7 (y)\n6-;Tasks in /b are going to be killed due to memory.oom.group set\n"
	  "3-;Memory cgroup out of memory: Killed process 8 (y)\n3-;Memory cgroup out of memory: Killed process 7 (y)",
	  "kill 5 (x) memcg\ngroup /a first 5\nkill 6 (x) memcg group under /a\nkill 7 (y) memcg group under /a\n"
	  "group /b first 7\nkill 8 (y) memcg group under /b\n" },
	{ "group after lost records", "3-;Memory cgroup out of memory: Killed process 5 (x)\n!4\n"
	  "6-;Tasks in /b are going to be killed due to memory.oom.group set\n3-;Memory cgroup out of memory: Killed process 8 (y)",
	  "kill 5 (x) memcg\ngroup /b first 0\nkill 8 (y) memcg group under /b\n" },
	{ "group, then long after", "6-;Tasks in /a are going to be killed due to memory.oom.group set\n+2000001\n"
	  "3-;Memory cgroup out of memory: Killed process 6 (x)", "group /a first 0\nkill 6 (x) memcg\n" },
	{ "group line in parts", "3-;Memory cgroup out of memory: Killed process 5 (x)\n6-;Tasks in \n4c;/a\n"
	  "4c; are going to be killed due to memory.oom.group set\n3-;Memory cgroup out of memory: Killed process 6 (x)",
	  "kill 5 (x) memcg\ngroup /a first 5\nkill 6 (x) memcg group under /a\n" },
	{ "comm like a group line", "4-;Tasks in /x invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0\n"
	  "3-;Out of memory: Killed process 5 (x)", "kill 5 (x) global by Tasks in /x\n" },

	/* the summary's paths */
	{ "evil cgroup name", SUM "CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/u/x,task=sshd,pid=1,uid=0,"
	  "task_memcg=/u/x,task=sshd,pid=1,uid=0,task=evil,task=a,pid,pid=872,uid=5\n"
	  "3-;Memory cgroup out of memory: Killed process 872 (evil,task=a,pid)",
	  "kill 872 (evil,task=a,pid) uid=5 memcg CONSTRAINT_MEMCG limit /u/x,task=sshd,pid=1,uid=0 in /u/x,task=sshd,pid=1,uid=0\n" },
	{ "cgroup name with a path's label", SUM "CONSTRAINT_MEMCG,nodemask=(null),oom_memcg=/e,task_memcg=/e,task_memcg=/e,task_memcg=/e,task=x,pid=5,uid=0\n"
	  "3-;Memory cgroup out of memory: Killed process 5 (x)",
	  "kill 5 (x) uid=0 memcg CONSTRAINT_MEMCG limit /e,task_memcg=/e in /e,task_memcg=/e\n" },
	{ "cpuset name with a path's label", SUM "CONSTRAINT_NONE,nodemask=(null),cpuset=a,oom_memcg=,mems_allowed=0,global_oom,task_memcg=/s,task=x,pid=5,uid=0\n"
	  "3-;Out of memory: Killed process 5 (x)", "kill 5 (x) uid=0 global CONSTRAINT_NONE in /s\n" },
	{ "a path or a comm, who knows", SUM "CONSTRAINT_NONE,nodemask=(null),global_oom,task_memcg=/s,task=a,task=b,pid=5,uid=0\n"
	  "3-;Out of memory: Killed process 5 (b)", "kill 5 (b) uid=0 global CONSTRAINT_NONE\n" },
	{ "neighbour's name", SUM "CONSTRAINT_MEMCG,nodemask=(null),oom_memcg=/a.service,task_memcg=/a.service2,task=x,pid=5,uid=0\n"
	  "3-;Memory cgroup out of memory: Killed process 5 (x)", "kill 5 (x) uid=0 memcg CONSTRAINT_MEMCG\n" },
	{ "path with a backslash", SUM "CONSTRAINT_MEMCG,nodemask=(null),oom_memcg=/by\\x5cx2duuid,task_memcg=/by\\x5cx2duuid,task=x,pid=5,uid=0\n"
	  "3-;Memory cgroup out of memory: Killed process 5 (x)", "kill 5 (x) uid=0 memcg CONSTRAINT_MEMCG limit /by\\x2duuid in /by\\x2duuid\n" },
	{ "Task in, names with the words", "6-;Task in /x killed as a result of limit of /x killed as a result of limit of /x killed as a result of limit of /x\n"
	  "3-;Memory cgroup out of memory: Kill process 5 (x) score 9 or sacrifice child\n3-;Killed process 5 (x)",
	  "kill 5 (x) memcg limit /x killed as a result of limit of /x in /x killed as a result of limit of /x\n" },
	{ "summary in five parts", SUM "CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=\n4c;/long\n4c;,task_memcg=\n4c;/long/er\n"
	  "4c;,task=longpath,pid=712,uid=4\n3-;Memory cgroup out of memory: Killed process 712 (longpath)",
	  "kill 712 (longpath) uid=4 memcg CONSTRAINT_MEMCG limit /long in /long/er\n" },
	{ "parts among other CPUs' lines", "6-T7;oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),oom_memcg=\n6-C1;usb 1-1: new device\n4cT7;/long\n"
	  "4cC1;, high speed\n4cT7;,task_memcg=/long/er,task=longpath,pid=712,uid=4\n3-T7;Memory cgroup out of memory: Killed process 712 (longpath)",
	  "kill 712 (longpath) uid=4 memcg CONSTRAINT_MEMCG limit /long in /long/er\n" },
	{ "parts torn by a line, no caller", SUM "CONSTRAINT_MEMCG,nodemask=(null),oom_memcg=/a\n6-;usb 1-1: new device\n4c;, high speed\n"
	  "4c;,task_memcg=/a\n4c;,task=longpath,pid=712,uid=4\n3-;Memory cgroup out of memory: Killed process 712 (longpath)",
	  "kill 712 (longpath) uid=4 memcg CONSTRAINT_MEMCG\n" },
	{ "parts torn, somebody else's tail", SUM "CONSTRAINT_MEMCG,nodemask=(null),oom_memcg=/a\n6-;usb 1-1: new device\n"
	  "4c;,task=longpath,pid=712,uid=4\n3-;Memory cgroup out of memory: Killed process 9 (x)", "kill 9 (x) memcg\n" },
	{ "first part looks whole", SUM "CONSTRAINT_MEMCG,nodemask=(null),oom_memcg=/u/x,task=a,pid=1,uid=0\n"
	  "4c;,task_memcg=/u/x,task=a,pid=1,uid=0\n4c;,task=b,pid=5,uid=9\n3-;Memory cgroup out of memory: Killed process 5 (b)",
	  "kill 5 (b) uid=9 memcg CONSTRAINT_MEMCG limit /u/x,task=a,pid=1,uid=0 in /u/x,task=a,pid=1,uid=0\n" },
	{ "first fragment marked c (3.5 to 4.8)", "6c;Task in \n6+;/s\n6+; killed as a result of limit of \n6+;/s\n"
	  "3-;Memory cgroup out of memory: Kill process 5 (x) score 9 or sacrifice child\n3-;Killed process 5 (x)", "kill 5 (x) memcg limit /s in /s\n" },

	/* more that does not belong together */
	{ "digits and more",
	  "3-;Killed process 5x (y)\n"
	  "3-;Out of memory: Killed process 5(y)",
	  "" },
	{ "escapes that the kernel does not make",
	  "3-;Killed process 5 (\\x00\\x41)",
	  "kill 5 (\\x00\\x41)\n" },
	{ "candidate without a score",
	  "3-;Out of memory: Kill process 5 (x) please\n"
	  "3-;Killed process 5 (x)",
	  "kill 5 (x)\n" },
	{ "no sharer",
	  "3-;Kill process 5 (x) sharing the road",
	  "" },
	{ "parts, one of them lost",
	  "6-;oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),oom_memcg=/a\n"
	  "!1\n"
	  "4c;,task_memcg=/a,task=x,pid=5,uid=0\n"
	  "3-;Memory cgroup out of memory: Killed process 5 (x)\n",
	  "kill 5 (x) memcg\n" },
	{ "parts torn, a part that fits",
	  "6-;oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),oom_memcg=/a,task_memcg=/a\n"
	  "6-;usb 1-1: new device\n"
	  "4c;/b\n"
	  "4c;,task=x,pid=5,uid=0\n"
	  "3-;Memory cgroup out of memory: Killed process 5 (x)\n",
	  "kill 5 (x) uid=0 memcg CONSTRAINT_MEMCG\n" },
	{ "parts torn, a path like a tail",
	  "6-;oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),oom_memcg=\n"
	  "6-;usb 1-1: new device\n"
	  "4c;/u/x,task=a,pid=5,uid=0\n"
	  "3-;Memory cgroup out of memory: Killed process 5 (x)\n",
	  "kill 5 (x) memcg CONSTRAINT_MEMCG\n" },
	{ "a tail behind a whole summary",
	  "6-;oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),oom_memcg=/s,task_memcg=/s,task=x,pid=5,uid=0\n"
	  "6-;usb 1-1: new device\n"
	  "4c;,task=y,pid=6,uid=9\n"
	  "3-;Memory cgroup out of memory: Killed process 5 (x)\n",
	  "kill 5 (x) uid=0 memcg CONSTRAINT_MEMCG limit /s in /s\n" },
	{ "row without a table",
	  "6-;[    691]     3   690     4220     4032    69632        0             0 t\n"
	  "3-;Memory cgroup out of memory: Killed process 691 (x)\n",
	  "kill 691 (x) memcg\n" },
	{ "filtered log: summaries and kills",
	  "6-;oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),oom_memcg=/s,task_memcg=/s,task=x,pid=5,uid=0\n"
	  "3-;Memory cgroup out of memory: Killed process 5 (x)\n"
	  "6-;oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),oom_memcg=/s,task_memcg=/s,task=x,pid=6,uid=0\n"
	  "3-;Memory cgroup out of memory: Killed process 6 (x)\n",
	  "kill 5 (x) uid=0 memcg CONSTRAINT_MEMCG limit /s in /s\n"
	  "kill 6 (x) uid=0 memcg CONSTRAINT_MEMCG limit /s in /s\n" },
	{ "filtered log: candidates and kills",
	  "3-;Killed process 5 (x)\n"
	  "3-;Memory cgroup out of memory: Kill process 6 (x) score 9 or sacrifice child\n"
	  "3-;Killed process 6 (x)",
	  "kill 5 (x)\n"
	  "kill 6 (x) memcg\n" },
	{ "filtered log: tables and kills",
	  "3-;Memory cgroup out of memory: Killed process 5 (x)\n"
	  TABLE
	  "6-;[    691]     3   690     4220     4032    69632        0             0 t\n"
	  "6-;oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),oom_memcg=/s,task_memcg=/s,task=x,pid=690,uid=0\n"
	  "3-;Memory cgroup out of memory: Killed process 691 (x)\n",
	  "kill 5 (x) memcg\n"
	  "kill 691 of 690 (x) memcg CONSTRAINT_MEMCG limit /s in /s\n" },
	{ "summary behind a summary",
	  "4-;x invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0\n"
	  "6-;oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),oom_memcg=/s,task_memcg=/s,task=x,pid=5,uid=0\n"
	  "6-;oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),oom_memcg=/s,task_memcg=/s,task=x,pid=6,uid=0\n"
	  "3-;Memory cgroup out of memory: Killed process 6 (x)\n",
	  "kill 6 (x) uid=0 memcg CONSTRAINT_MEMCG limit /s in /s\n" },
	{ "cgroups behind a candidate",
	  "6-;Task in /s killed as a result of limit of /s\n"
	  "3-;Memory cgroup out of memory: Kill process 5 (x) score 9 or sacrifice child\n"
	  "6-;Task in /t killed as a result of limit of /t\n"
	  "3-;Memory cgroup out of memory: Kill process 6 (x) score 9 or sacrifice child\n"
	  "3-;Killed process 6 (x)",
	  "kill 6 (x) memcg limit /t in /t\n" },
	{ "candidate behind a candidate",
	  "4-;x invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0\n"
	  "6-;Task in /s killed as a result of limit of /s\n"
	  "3-;Memory cgroup out of memory: Kill process 5 (x) score 9 or sacrifice child\n"
	  "3-;Memory cgroup out of memory: Kill process 6 (x) score 9 or sacrifice child\n"
	  "3-;Killed process 6 (x)",
	  "kill 6 (x) memcg\n" },
	{ "candidate of another summary",
	  "6-;oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),oom_memcg=/s,task_memcg=/s,task=x,pid=5,uid=0\n"
	  "3-;Memory cgroup out of memory: Kill process 6 (x) score 9 or sacrifice child\n"
	  "3-;Killed process 6 (x)",
	  "kill 6 (x) memcg\n" },
	{ "candidate of another scope",
	  "6-;Task in /s killed as a result of limit of /s\n"
	  "3-;Out of memory: Kill process 6 (x) score 9 or sacrifice child\n"
	  "3-;Killed process 6 (x)",
	  "kill 6 (x) global\n" },
	{ "sysrq without a victim, then a memcg kill",
	  "6-;sysrq: Manual OOM execution\n"
	  "4-;kworker/1:1 invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=-1, oom_score_adj=0\n"
	  "3-;Memory cgroup out of memory: Killed process 5 (x)\n",
	  "kill 5 (x) memcg\n" },
	{ "nobody behind a kill",
	  "4-;x invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0\n"
	  "3-;Memory cgroup out of memory: Killed process 5 (x)\n"
	  "4-;Out of memory and no killable processes...",
	  "kill 5 (x) memcg by x\n"
	  "nobody\n" },
	{ "group of the thread, told by its leader first",
	  TABLE
	  "6-;[    691]     3   690     4220     4032    69632        0             0 t\n"
	  "3-;Memory cgroup out of memory: Killed process 690 (x)\n"
	  "6-;Tasks in /g are going to be killed due to memory.oom.group set\n"
	  "3-;Memory cgroup out of memory: Killed process 691 (x)\n",
	  "kill 690 (x) memcg\n"
	  "group /g first 690\n" },
	{ "summary behind a group without members",
	  "6-;Tasks in /a are going to be killed due to memory.oom.group set\n"
	  "6-;oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),oom_memcg=/s,task_memcg=/s,task=x,pid=5,uid=0\n"
	  "3-;Memory cgroup out of memory: Killed process 5 (x)\n",
	  "group /a first 0\n"
	  "kill 5 (x) uid=0 memcg CONSTRAINT_MEMCG limit /s in /s\n" },
	{ "group behind a group without members",
	  "3-;Memory cgroup out of memory: Killed process 5 (x)\n"
	  "6-;Tasks in /a are going to be killed due to memory.oom.group set\n"
	  "6-;Tasks in /b are going to be killed due to memory.oom.group set\n"
	  "3-;Memory cgroup out of memory: Killed process 6 (x)\n",
	  "kill 5 (x) memcg\n"
	  "group /a first 5\n"
	  "group /b first 0\n"
	  "kill 6 (x) memcg group under /b\n" },
	{ "group behind a group, context of the first",
	  "4-;x invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0\n"
	  "6-;oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),oom_memcg=/s,task_memcg=/s,task=x,pid=5,uid=0\n"
	  "3-;Memory cgroup out of memory: Killed process 5 (x)\n"
	  "6-;Tasks in /s are going to be killed due to memory.oom.group set\n"
	  "3-;Memory cgroup out of memory: Killed process 6 (x)\n"
	  "6-;Tasks in /s/b are going to be killed due to memory.oom.group set\n"
	  "3-;Memory cgroup out of memory: Killed process 7 (x)\n",
	  "kill 5 (x) uid=0 memcg CONSTRAINT_MEMCG limit /s in /s by x\n"
	  "group /s first 5\n"
	  "kill 6 (x) memcg group CONSTRAINT_MEMCG limit /s under /s by x\n"
	  "group /s/b first 6\n"
	  "kill 7 (x) memcg group under /s/b\n" },
	{ "group elsewhere than the summary",
	  "6-;oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),oom_memcg=/s,task_memcg=/s,task=x,pid=5,uid=0\n"
	  "6-;Tasks in /t are going to be killed due to memory.oom.group set\n"
	  "3-;Memory cgroup out of memory: Killed process 6 (x)\n",
	  "group /t first 0\n"
	  "kill 6 (x) memcg group under /t\n" },
	{ "group name with the words, in parts",
	  "3-;Memory cgroup out of memory: Killed process 5 (x)\n"
	  "6-;Tasks in /a are going to be killed due to memory.oom.group set\n"
	  "4c; are going to be killed due to memory.oom.group set\n"
	  "3-;Memory cgroup out of memory: Killed process 6 (x)\n",
	  "kill 5 (x) memcg\n"
	  "group /a first 5\n"
	  "group /a are going to be killed due to memory.oom.group set first 5\n"
	  "kill 6 (x) memcg group under /a are going to be killed due to memory.oom.group set\n" },
	{ "group with a name too long",
	  "3-;Memory cgroup out of memory: Killed process 5 (x)\n"
	  "6-;Tasks in (name too long) are going to be killed due to memory.oom.group set\n"
	  "3-;Memory cgroup out of memory: Killed process 6 (x)\n",
	  "kill 5 (x) memcg\n"
	  "group  first 5\n"
	  "kill 6 (x) memcg group\n" },
	{ "kill, then another group, its first victim gone",
	  "6-;oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),oom_memcg=/s,task_memcg=/s,task=x,pid=5,uid=0\n"
	  "3-;Memory cgroup out of memory: Killed process 5 (x)\n"
	  "6-;Memory cgroup out of memory: OOM victim 6 (y) is already exiting. Skip killing the task\n"
	  "6-;Tasks in /s/b are going to be killed due to memory.oom.group set\n"
	  "3-;Memory cgroup out of memory: Killed process 7 (x)\n",
	  "kill 5 (x) uid=0 memcg CONSTRAINT_MEMCG limit /s in /s\n"
	  "group /s/b first 0\n"
	  "kill 7 (x) memcg group under /s/b\n" },
	{ "group, then another, its first victim gone",
	  "3-;Memory cgroup out of memory: Killed process 5 (x)\n"
	  "6-;Tasks in /a are going to be killed due to memory.oom.group set\n"
	  "3-;Memory cgroup out of memory: Killed process 6 (x)\n"
	  "6-;Memory cgroup out of memory: OOM victim 7 (y) is already exiting. Skip killing the task\n"
	  "6-;Tasks in /b are going to be killed due to memory.oom.group set\n"
	  "3-;Memory cgroup out of memory: Killed process 8 (x)\n",
	  "kill 5 (x) memcg\n"
	  "group /a first 5\n"
	  "kill 6 (x) memcg group under /a\n"
	  "group /b first 0\n"
	  "kill 8 (x) memcg group under /b\n" },
	{ "group, first victim again, then another group",
	  "3-;Memory cgroup out of memory: Killed process 5 (x)\n"
	  "6-;Tasks in /a are going to be killed due to memory.oom.group set\n"
	  "3-;Memory cgroup out of memory: Killed process 6 (x)\n"
	  "3-;Memory cgroup out of memory: Killed process 5 (x)\n"
	  "6-;Tasks in /b are going to be killed due to memory.oom.group set\n"
	  "3-;Memory cgroup out of memory: Killed process 8 (x)\n",
	  "kill 5 (x) memcg\n"
	  "group /a first 5\n"
	  "kill 6 (x) memcg group under /a\n"
	  "group /b first 0\n"
	  "kill 8 (x) memcg group under /b\n" },
	{ "global group without context",
	  "3-;Out of memory: Killed process 5 (x)\n"
	  "6-;Tasks in /g are going to be killed due to memory.oom.group set\n"
	  "3-;Memory cgroup out of memory: Killed process 6 (x)\n",
	  "kill 5 (x) global\n"
	  "group /g first 5\n"
	  "kill 6 (x) memcg\n" },
};

static void check_rows(const struct row *rows, size_t n)
{
	size_t n_bad = 0;
	struct story s;
	for (size_t i = 0; i < n; i++) {
		begin_story(&s);
		feed_script(&s, rows[i].script);
		if (strcmp(s.news, rows[i].news) != 0) {
			print_error("%s:\n  told:\n%s  expected:\n%s", rows[i].name, s.news, rows[i].news);
			n_bad++;
		}
	}
	assert_int_equal(n_bad, 0);
}

static void every_generation_of_the_kill_line_is_read(void **state)
{
	(void)state;
	check_rows(forms, countof(forms));
}

static void a_kill_takes_from_its_context_only_what_is_its_own(void **state)
{
	(void)state;
	check_rows(stories, countof(stories));
}

static void every_record_is_one_line_of_three_numbers(void **state)
{
	(void)state;
	struct kmsg_record r;
	assert_true(kmsg_record(STR("30,18446744073709551615,7,c,caller=C3,new=1;a;b\\x0ac\n KEY=v\n"), &r));
	assert_int_equal(r.facility, 3);
	assert_int_equal(r.level, 6);
	assert_true(r.seq == UINT64_MAX);
	assert_int_equal(r.usec, 7);
	assert_true(r.is_continuation);
	assert_true(r.caller != 0);
	assert_true(str_eq(r.text, STR("a;b\\x0ac")));
	assert_true(kmsg_record(STR("2048,1,1,-;x"), &r));
	assert_true(r.facility != 0);
	static const char *const bad[] = { "", ";", "3", "3,1,1,-", "3,1;x", "3,1,;x", "x,1,1,-;x", "3,1,-1,-;x", "-3,1,1,-;x", ",,,;" };
	for (size_t i = 0; i < countof(bad); i++)
		assert_false(kmsg_record(str_from(bad[i]), &r));
}

static void a_long_path_is_cut_and_says_so(void **state)
{
	(void)state;
	struct story s;
	char path[1001], script[4096];
	memset(path, 'p', sizeof path - 1);
	path[0] = '/';
	path[sizeof path - 1] = '\0';
	snprintf(script, sizeof script, SUM "CONSTRAINT_MEMCG,nodemask=(null),oom_memcg=\n4c;%s\n4c;,task_memcg=\n4c;%s\n"
		 "4c;,task=x,pid=5,uid=0\n3-;Memory cgroup out of memory: Killed process 5 (x)\n"
		 "6-;Tasks in \n4c;%s\n4c; are going to be killed due to memory.oom.group set", path, path, path);

	begin_story(&s);
	feed_script(&s, script);

	assert_int_equal(s.n_kills, 1);
	assert_int_equal(s.n_groups, 1);
	assert_true(s.kill.is_memcg_cut && s.kill.is_task_memcg_cut && !s.kill.is_task_memcg_above);
	assert_int_equal(strlen(s.kill.task_memcg), KMSG_PATH_MAX - 1);
	assert_memory_equal(s.kill.memcg, path, KMSG_PATH_MAX - 1);
}

static void a_path_that_just_fits_is_whole(void **state)
{
	(void)state;
	for (int n = KMSG_PATH_MAX - 2; n <= KMSG_PATH_MAX + 1; n++) {
		struct story s;
		char script[1024];
		snprintf(script, sizeof script, SUM "CONSTRAINT_NONE,global_oom,task_memcg=/%0*d,task=x,pid=5,uid=0\n"
			 "3-;Out of memory: Killed process 5 (x)", n - 1, 7);
		begin_story(&s);
		feed_script(&s, script);
		assert_int_equal(s.kill.is_task_memcg_cut, n >= KMSG_PATH_MAX);
		assert_int_equal(strnlen(s.kill.task_memcg, KMSG_PATH_MAX), n < KMSG_PATH_MAX ? n : KMSG_PATH_MAX - 1);
	}
}

static void a_part_too_large_to_join_takes_the_paths_back(void **state)
{
	(void)state;
	struct story s;
	char part[3000];
	memset(part, 'p', sizeof part);
	begin_story(&s);
	feed_script(&s, SUM "CONSTRAINT_MEMCG,nodemask=(null),oom_memcg=/a,task_memcg=/a,task=x,pid=5,uid=0\n");
	feed_text(&s, 4, 'c', "", str_of(part, sizeof part));
	feed_script(&s, "3-;Memory cgroup out of memory: Killed process 5 (x)\n");
	assert_string_equal(s.news, "kill 5 (x) memcg CONSTRAINT_MEMCG\n");
}

static void parts_without_end_cost_the_paths_not_the_victim(void **state)
{
	(void)state;
	struct story s;
	begin_story(&s);
	feed_script(&s, SUM "CONSTRAINT_MEMCG,nodemask=(null),oom_memcg=/a,task_memcg=/a,task=x,pid=5,uid=0\n");
	for (int i = 0; i < 1000; i++)
		feed_script(&s, "4c;/abcdefghijklmnopqrstuvwxyz\n");
	feed_script(&s, "4c;,task=x,pid=5,uid=0\n3-;Memory cgroup out of memory: Killed process 5 (x)\n");
	assert_string_equal(s.news, "kill 5 (x) uid=0 memcg CONSTRAINT_MEMCG\n");
}

static void a_group_of_thousands_is_told_once_each(void **state)
{
	(void)state;
	struct story s;
	char line[128];
	begin_story(&s);
	feed_script(&s, "3-;Memory cgroup out of memory: Killed process 100 (x)\n"
			"6-;Tasks in /g are going to be killed due to memory.oom.group set\n");
	for (unsigned pid = 101; pid < 5000; pid++) {
		snprintf(line, sizeof line, "3-;Memory cgroup out of memory: Killed process %u (x)\n", pid);
		feed_script(&s, line);
		feed_script(&s, line);
		s.news[0] = '\0';
	}
	feed_script(&s, "3-;Memory cgroup out of memory: Killed process 100 (x)\n");
	assert_int_equal(s.n_kills, 4900);
	assert_true(s.kill.is_group);
}

/* ---- lines cut at every byte ---- */

static bool is_same_or_untold(uint64_t cut, uint64_t whole, uint64_t untold)
{
	return cut == whole || cut == untold;
}

static void check_cut(const struct row *row, const struct oom_kill *cut, const struct oom_kill *whole, size_t n)
{
	bool is_good = cut->pid == whole->pid && is_same_or_untold(cut->uid, whole->uid, KMSG_UNTOLD_UID) &&
		is_same_or_untold(cut->total_vm_kb, whole->total_vm_kb, KMSG_UNTOLD_KB) &&
		is_same_or_untold(cut->anon_rss_kb, whole->anon_rss_kb, KMSG_UNTOLD_KB) &&
		is_same_or_untold(cut->file_rss_kb, whole->file_rss_kb, KMSG_UNTOLD_KB) &&
		is_same_or_untold(cut->shmem_rss_kb, whole->shmem_rss_kb, KMSG_UNTOLD_KB) &&
		is_same_or_untold(cut->pgtables_kb, whole->pgtables_kb, KMSG_UNTOLD_KB);
	if (!is_good)
		fail_msg("%s cut to %zu bytes tells something else", row->name, n);
}

static void a_line_cut_anywhere_invents_nothing(void **state)
{
	(void)state;
	struct story s;
	for (size_t i = 0; i < countof(forms); i++) {
		begin_story(&s);
		feed_script(&s, forms[i].script);
		struct oom_kill whole = s.kill;
		assert_int_equal(s.n_kills, 1);
		struct str script = str_from(forms[i].script), last = script;
		while (str_chr(last, '\n') < last.n)
			str_until(&last, '\n');
		for (size_t n = str_chr(last, ';') + 1; n < last.n; n++) {
			begin_story(&s);
			for (struct str before = str_of(script.p, script.n - last.n); before.n;)
				feed_line(&s, str_until(&before, '\n'));
			feed_line(&s, str_of(last.p, n));
			if (s.n_kills)
				check_cut(&forms[i], &s.kill, &whole, n);
		}
	}
}

/* ---- random worlds ---- */

static uint32_t dice_state;

static uint32_t dice(uint32_t sides)
{
	dice_state ^= dice_state << 13;
	dice_state ^= dice_state >> 17;
	dice_state ^= dice_state << 5;
	return dice_state % sides;
}

/* Names made of the words the parser looks for. */
static size_t hostile_name(char *to, size_t max, bool has_slash)
{
	static const char *const words[] = {
		") ", "(", ")", ".", ", ", "UID ", "UID:", "0", "1", "7,", "kB", "total-vm:", "vsz:", ",task=", ",pid=", ",uid=",
		",task_memcg=", ",oom_memcg=", ",global_oom", "Killed process ", "/", " killed as a result of limit of ", "a", "b",
		" invoked oom-", ") total-vm:1kB", "), UID 1, ", " are going to be killed due to memory.oom.group set", "\n", "\\", "\xff",
	};
	size_t n = 0, n_words = 1 + dice(6);
	while (n_words--) {
		const char *w = words[dice(countof(words))];
		size_t len = strlen(w);
		if (!has_slash && w[0] == '/')
			continue;
		if (len > max - n)
			len = max - n;
		memcpy(to + n, w, len);
		n += len;
	}
	to[n] = '\0';
	return n;
}

static void escape(char *to, const char *from)
{
	for (; *from; from++) {
		unsigned char c = (unsigned char)*from;
		to += c < 0x20 || c >= 0x7f || c == '\\' ? sprintf(to, "\\x%02x", c) : sprintf(to, "%c", c);
	}
	*to = '\0';
}

static void no_comm_changes_what_the_numbers_say(void **state)
{
	(void)state;
	static const struct { const char *format; bool has_uid; } lines[] = {
		{ "Killed process %1$u (%2$s) total-vm:%3$ukB, anon-rss:%4$ukB, file-rss:%5$ukB", false },
		{ "Killed process %1$u (%2$s) vsz:%3$ukB, anon-rss:%4$ukB, file-rss:%5$ukB", false },
		{ "Killed process %1$u, UID %6$u, (%2$s) total-vm:%3$ukB, anon-rss:%4$ukB, file-rss:%5$ukB", true },
		{ "Killed process %1$u (%2$s), UID %6$u, total-vm:%3$ukB, anon-rss:%4$ukB, file-rss:%5$ukB, shmem-rss:0kB", true },
		{ "Out of memory: Killed process %1$u (%2$s) total-vm:%3$ukB, anon-rss:%4$ukB, file-rss:%5$ukB, shmem-rss:0kB, "
		  "UID:%6$u pgtables:8kB oom_score_adj:-1", true },
	};
	dice_state = 2463534242u;
	for (int round = 0; round < 20000; round++) {
		struct story s;
		char comm[KMSG_COMM_MAX], escaped[64], line[512];
		size_t form = dice(countof(lines));
		uint32_t pid = 1 + dice(4194304), vm = dice(UINT32_MAX), anon = dice(1000), file = dice(1000), uid = dice(UINT32_MAX);
		hostile_name(comm, sizeof comm - 1, true);
		escape(escaped, comm);
		snprintf(line, sizeof line, lines[form].format, pid, escaped, vm, anon, file, uid);
		begin_story(&s);

		feed_text(&s, 3, '-', "", str_from(line));

		assert_int_equal(s.n_kills, 1);
		assert_int_equal(s.kill.pid, pid);
		assert_string_equal(s.kill.comm, comm);
		assert_int_equal(s.kill.total_vm_kb, vm);
		assert_int_equal(s.kill.anon_rss_kb, anon);
		assert_int_equal(s.kill.file_rss_kb, file);
		assert_int_equal(s.kill.uid, lines[form].has_uid ? uid : KMSG_UNTOLD_UID);
	}
}

static size_t hostile_path(char *to, const char *top, unsigned n_parts)
{
	size_t n = (size_t)sprintf(to, "%s", top);
	while (n_parts--) {
		to[n++] = '/';
		n += hostile_name(to + n, 60, false);
		if (to[n - 1] == '/')
			n += (size_t)sprintf(to + n, "x");
	}
	to[n] = '\0';
	return n;
}

static bool is_right_or_untold(const char *kept, bool is_cut, const char *path)
{
	return !kept[0] || (is_cut ? strncmp(kept, path, KMSG_PATH_MAX - 1) == 0 : strcmp(kept, path) == 0);
}

static void no_cgroup_name_changes_who_died_or_where(void **state)
{
	(void)state;
	dice_state = 88172645u;
	size_t n_told = 0;
	for (int round = 0; round < 20000; round++) {
		struct story s;
		char top[512], path[1024], comm[KMSG_COMM_MAX], all[2][2048], texts[5][2100], line[256];
		uint32_t pid = 1 + dice(4194304), uid = dice(70000);
		bool is_split = dice(2), is_global = dice(3) == 0;
		hostile_path(top, "", 1 + dice(2));
		hostile_path(path, top, dice(3));
		hostile_name(comm, sizeof comm - 1, true);
		escape(all[0], top);
		escape(all[1], path);
		char comm_escaped[64];
		escape(comm_escaped, comm);
		sprintf(texts[0], "oom-kill:constraint=CONSTRAINT_%s,nodemask=(null),cpuset=/,mems_allowed=0%s", is_global ? "NONE" : "MEMCG",
			is_global ? ",global_oom" : ",oom_memcg=");
		sprintf(texts[1], "%s", is_global ? "" : all[0]);
		sprintf(texts[2], ",task_memcg=");
		sprintf(texts[3], "%s", all[1]);
		sprintf(texts[4], ",task=%s,pid=%u,uid=%u", comm_escaped, pid, uid);
		begin_story(&s);

		if (is_split) {
			for (size_t i = 0; i < countof(texts); i++)
				feed_text(&s, i ? 4 : 6, i ? 'c' : '-', "", str_from(texts[i]));
		} else {
			char whole[12000];
			snprintf(whole, sizeof whole, "%s%s%s%s%s", texts[0], texts[1], texts[2], texts[3], texts[4]);
			feed_text(&s, 6, '-', "", str_from(whole));
		}
		snprintf(line, sizeof line, "%s: Killed process %u (%s) total-vm:1kB", is_global ? "Out of memory" : "Memory cgroup out of memory",
			 pid, comm_escaped);
		feed_text(&s, 3, '-', "", str_from(line));

		assert_int_equal(s.n_kills, 1);
		assert_int_equal(s.kill.pid, pid);
		assert_int_equal(s.kill.uid, uid);
		assert_int_equal(s.kill.scope, is_global ? OOM_GLOBAL : OOM_MEMCG);
		assert_true(is_right_or_untold(s.kill.memcg, s.kill.is_memcg_cut, top));
		assert_true(is_right_or_untold(s.kill.task_memcg, s.kill.is_task_memcg_cut, path));
		n_told += s.kill.task_memcg[0] != '\0';
	}
	assert_true(n_told > 15000);
}

static void check_bounds(const struct oom_kill *k)
{
	assert_in_range(k->pid, 1, 4194304);
	assert_in_range(k->tgid, 1, 4194304);
	assert_true(strnlen(k->comm, sizeof k->comm) < sizeof k->comm);
	assert_true(strnlen(k->invoked_by, sizeof k->invoked_by) < sizeof k->invoked_by);
	assert_true(strnlen(k->constraint, sizeof k->constraint) < sizeof k->constraint);
	assert_true(strnlen(k->memcg, sizeof k->memcg) < sizeof k->memcg);
	assert_true(strnlen(k->task_memcg, sizeof k->task_memcg) < sizeof k->task_memcg);
}

/* Scripts with bytes changed, lines dropped and lines doubled, in one reader; and plain noise. */
static void noise_is_survived(void **state)
{
	(void)state;
	struct story s;
	begin_story(&s);
	dice_state = 521288629u;
	for (int round = 0; round < 20000; round++) {
		char bytes[3000];
		size_t n = 1 + dice(sizeof bytes - 1);
		if (dice(10)) {
			n = (size_t)snprintf(bytes, sizeof bytes, "%s", stories[dice(countof(stories))].script);
			for (uint32_t changes = dice(4); changes--;)
				bytes[dice((uint32_t)n)] = (char)dice(256);
		} else {
			for (size_t i = 0; i < n; i++)
				bytes[i] = (char)dice(256);
		}
		for (struct str rest = str_of(bytes, n); rest.n;) {
			struct str line = str_until(&rest, '\n');
			size_t semicolon = str_chr(line, ';');
			if (dice(8) == 0)
				continue;
			feed_bytes(&s, line.p, line.n);
			feed_text(&s, 3, dice(3) ? '-' : 'c', "", str_skip(line, semicolon + 1));
			s.news[0] = '\0';
		}
		if (s.n_kills)
			check_bounds(&s.kill);
	}
	assert_true(s.n_kills > 1000);
}

/* ---- saved logs ---- */

static void prefixes_of_saved_logs_are_dropped(void **state)
{
	(void)state;
	static const struct { const char *line, *text; uint64_t usec; uint8_t facility, level; } rows[] = {
		{ "oom text", "oom text", 0, 0, 0 },
		{ "<3>oom text\r\n", "oom text", 0, 0, 3 },
		{ "<11>[    1.500000] oom text\n", "oom text", 1500000, 1, 3 },
		{ "[ 7094.253392] oom text", "oom text", 7094253392, 0, 0 },
		{ "[   37.123371][ T9185] oom text", "oom text", 37123371, 0, 0 },
		{ "[   37.123371][   C0] oom text", "oom text", 37123371, 0, 0 },
		{ "[Tue Mar 11 10:16:36 2025] oom text", "oom text", 0, 0, 0 },
		{ "kern  :err   : [    1.500000] oom text", "oom text", 1500000, 0, 0 },
		{ "user  :err   : [    1.500000] oom text", "oom text", 1500000, 1, 0 },
		{ "kernel: oom text", "oom text", 0, 0, 0 },
		{ "Nov  5 23:29:38 solar kernel: [ 7094.253392] oom text", "oom text", 7094253392, 0, 0 },
		{ "Jan 16 07:32:35 [hostname] kernel: oom text", "oom text", 0, 0, 0 },
		{ "2024-09-03T10:00:05.123456+00:00 web-1 kernel: [    1.500000] oom text", "oom text", 1500000, 0, 0 },
		{ "2024-09-03T10:00:05,123456+00:00 oom text", "oom text", 0, 0, 0 },
		{ "2024-09-03 10:00:05 web-1 kernel: oom text", "oom text", 0, 0, 0 },
		{ "Nov 05 23:29:38.123456 solar kernel: oom text", "oom text", 0, 0, 0 },
		{ "Nov  5 2024 23:29:38 solar kernel: oom text", "oom text", 0, 0, 0 },
		{ "Tue 2024-09-03 10:00:05 UTC solar kernel: oom text", "oom text", 0, 0, 0 },
		{ "Tue Mar 11 10:16:36 2025 kern.err kernel: [    1.500000] oom text", "oom text", 1500000, 0, 0 },
		{ "Jan  1 00:00:10 box kern.err kernel: oom text", "oom text", 0, 0, 0 },
		{ "Jan  1 00:00:10 box user.notice kernel: oom text", "oom text", 0, 1, 0 },
		{ "<3>1 2024-09-03T10:00:05.003Z solar kernel - - - oom text", "oom text", 0, 0, 3 },
		{ "1725357605.123456 solar kernel: oom text", "oom text", 0, 0, 0 },
		{ "[ 7094.253392] solar kernel: oom text", "oom text", 7094253392, 0, 0 },
		{ "[    1.500000 <    0.000010>] oom text", "oom text", 1500000, 0, 0 },
		{ "[  +0.000010] oom text", "oom text", 0, 0, 0 },
		{ "[Nov22 21:46] oom text", "oom text", 0, 0, 0 },
		{ "[  125]  1000   125     4183 worker", "[  125]  1000   125     4183 worker", 0, 0, 0 },
		{ "[    1.500000] [  125]  1000   125     4183 x", "[  125]  1000   125     4183 x", 1500000, 0, 0 },
		{ "[ pid ]   uid  tgid total_vm", "[ pid ]   uid  tgid total_vm", 0, 0, 0 },
		{ "[<ffffffff8119cbbb>] oom_kill_process", "[<ffffffff8119cbbb>] oom_kill_process", 0, 0, 0 },
		{ "6,77,1500000,-;oom text", "oom text", 1500000, 0, 6 },
		{ "", "", 0, 0, 0 },
	};
	for (size_t i = 0; i < countof(rows); i++) {
		struct kmsg_record r;
		assert_true(kmsg_text_line(str_from(rows[i].line), &r));
		if (!str_eq(r.text, str_from(rows[i].text)))
			fail_msg("%s: text is \"%.*s\"", rows[i].line, (int)r.text.n, r.text.p);
		assert_int_equal(r.usec, rows[i].usec);
		assert_int_equal(r.facility, rows[i].facility);
		assert_int_equal(r.level, rows[i].level);
	}
	struct kmsg_record r;
	assert_false(kmsg_text_line(STR("Nov  5 23:29:38 solar sshd[7]: Killed process 1 (x)"), &r));
	assert_false(kmsg_text_line(STR("Nov 05 23:29:38.1 solar logger[7]: kernel: Killed process 1 (x)"), &r));
	assert_false(kmsg_text_line(STR("1725357605.123456 solar sshd[7]: kernel: Killed process 1 (x)"), &r));
	assert_false(kmsg_text_line(STR("2024-09-03T10:00:05.1+00:00 solar sshd[7]: kernel: Killed process 1 (x)"), &r));
}

/* ---- the corpus ---- */

enum { FILE_NAME, KERNEL, KIND, PID, COMM, UID, ADJ, ANON, CONSTRAINT, TASK_MEMCG, N_COLUMNS };

/* What the index knows from elsewhere than the first kill line and its context. */
static const struct { const char *file; int column; const char *why; } exceptions[] = {
	{ "053-openshift-mimir-bigger-uid.log", ADJ, "stands only in a table row, whose column names the excerpt lacks" },
	{ "056-mempolicy-constraint-pid-ne-killed.log", CONSTRAINT, "its author spliced two OOMs: the summary is another's" },
	{ "056-mempolicy-constraint-pid-ne-killed.log", TASK_MEMCG, "the same" },
	{ "057-syz-executor-4.19.log", CONSTRAINT, "the first kill's candidate line is not in the excerpt" },
};

static bool is_exception(struct str file, int column)
{
	for (size_t i = 0; i < countof(exceptions); i++)
		if (exceptions[i].column == column && str_eq(file, str_from(exceptions[i].file)))
			return true;
	return false;
}

static size_t read_file(const char *folder, const char *name, char *to, size_t cap)
{
	char path[4096];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	FILE *f = fopen(path, "r");
	if (!f)
		return 0;
	size_t n = fread(to, 1, cap, f);
	fclose(f);
	return n;
}

/* Excerpts leave lines out and times, so their records are numbered anew and inherit the time. The story keeps the first kill. */
static void feed_excerpt(struct story *s, struct str text, bool *has_kill_line)
{
	struct oom_kill first = { 0 };
	*has_kill_line = false;
	while (text.n) {
		struct kmsg_record r;
		struct str line = str_until(&text, '\n');
		if (!kmsg_text_line(line, &r))
			continue;
		*has_kill_line |= str_find(r.text, STR("Killed process")) < r.text.n && r.facility == 0;
		r.seq = s->seq++;
		if (r.usec == 0)
			r.usec = s->usec;
		feed_record(s, &r);
		s->usec = r.usec;
		if (s->n_kills == 1)
			first = s->kill;
	}
	s->kill = first;
}

/* Of an excerpt that ends before its kill: the kill the kernel would have printed next. */
static void feed_missing_kill(struct story *s, const struct str *row)
{
	char line[256];
	struct kmsg_record r = { .seq = s->seq++, .usec = s->usec };
	snprintf(line, sizeof line, "Memory cgroup out of memory: Killed process %.*s (%.*s) total-vm:1kB", (int)row[PID].n, row[PID].p,
		 (int)row[COMM].n, row[COMM].p);
	r.text = str_from(line);
	feed_record(s, &r);
}

static void compare(const struct str *row, int column, const char *told, size_t *n_bad)
{
	if (str_eq(row[column], STR("-")) || str_eq(row[column], STR("(memcg)")))
		return;
	bool is_same = str_eq(row[column], str_from(told));
	if (is_exception(row[FILE_NAME], column) ? is_same : !is_same) {
		print_error("%.*s: column %d: told \"%s\", the index says \"%.*s\"%s\n", (int)row[FILE_NAME].n, row[FILE_NAME].p, column, told,
			    (int)row[column].n, row[column].p, is_same ? ", no exception" : "");
		++*n_bad;
	}
}

static void compare_number(const struct str *row, int column, int64_t told, size_t *n_bad)
{
	char text[32];
	snprintf(text, sizeof text, "%lld", (long long)told);
	compare(row, column, text, n_bad);
}

static void compare_kill(const struct str *row, const struct oom_kill *k, size_t *n_bad)
{
	char escaped[64], path[1024];
	escape(escaped, k->comm);
	compare_number(row, PID, k->pid, n_bad);
	compare(row, COMM, escaped, n_bad);
	compare_number(row, UID, k->uid, n_bad);
	compare_number(row, ADJ, k->oom_score_adj, n_bad);
	compare_number(row, ANON, (int64_t)k->anon_rss_kb, n_bad);
	compare(row, CONSTRAINT, k->constraint, n_bad);
	bool is_memcg = str_eq(row[CONSTRAINT], STR("(memcg)"));
	if (is_memcg && (k->scope == OOM_MEMCG) == is_exception(row[FILE_NAME], CONSTRAINT)) {
		print_error("%.*s: scope\n", (int)row[FILE_NAME].n, row[FILE_NAME].p);
		++*n_bad;
	}
	/* of a long path the index has all, we have the beginning */
	size_t kept = k->is_task_memcg_cut && row[TASK_MEMCG].n > strlen(k->task_memcg) ? strlen(k->task_memcg) : 0;
	snprintf(path, sizeof path, "%s%.*s", k->task_memcg, kept ? (int)(row[TASK_MEMCG].n - kept) : 0, row[TASK_MEMCG].p + kept);
	compare(row, TASK_MEMCG, path, n_bad);
}

static size_t check_excerpt(const char *folder, const struct str *row)
{
	static char text[1 << 16];
	struct story s;
	char name[256];
	size_t n_bad = 0;
	bool has_kill_line;
	snprintf(name, sizeof name, "%.*s", (int)row[FILE_NAME].n, row[FILE_NAME].p);
	size_t n = read_file(folder, name, text, sizeof text);
	assert_true(n > 0 && n < sizeof text);
	begin_story(&s);
	feed_excerpt(&s, str_of(text, n), &has_kill_line);
	if (str_eq(row[PID], STR("-")) || !has_kill_line) {
		if (s.n_kills) {
			print_error("%s: a kill of %u that nobody wrote\n", name, s.kill.pid);
			return 1;
		}
		if (str_eq(row[PID], STR("-")))
			return 0;
		feed_missing_kill(&s, row);
	}
	compare_kill(row, &s.kill, &n_bad);
	return n_bad;
}

static void the_corpus_is_read_as_its_index_says(void **state)
{
	(void)state;
	static char index[1 << 18];
	const char *folder = getenv("OOMPH_LOGS");
	if (!folder)
		folder = "../shared/oom-logs";
	struct str rest = str_of(index, read_file(folder, "INDEX.tsv", index, sizeof index));
	if (rest.n == 0) {
		print_message("no %s/INDEX.tsv (set OOMPH_LOGS): the corpus of real logs was not read\n", folder);
		skip();
	}
	size_t n_bad = 0, n_files = 0;
	str_until(&rest, '\n');
	while (rest.n) {
		struct str line = str_until(&rest, '\n'), row[N_COLUMNS];
		for (int i = 0; i < N_COLUMNS; i++)
			row[i] = str_until(&line, '\t');
		n_bad += check_excerpt(folder, row);
		n_files++;
	}
	print_message("%zu files of %s\n", n_files, folder);
	assert_true(n_files > 0);
	assert_int_equal(n_bad, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_record_is_one_line_of_three_numbers),
		cmocka_unit_test(every_generation_of_the_kill_line_is_read),
		cmocka_unit_test(a_kill_takes_from_its_context_only_what_is_its_own),
		cmocka_unit_test(a_long_path_is_cut_and_says_so),
		cmocka_unit_test(a_path_that_just_fits_is_whole),
		cmocka_unit_test(a_part_too_large_to_join_takes_the_paths_back),
		cmocka_unit_test(parts_without_end_cost_the_paths_not_the_victim),
		cmocka_unit_test(a_group_of_thousands_is_told_once_each),
		cmocka_unit_test(a_line_cut_anywhere_invents_nothing),
		cmocka_unit_test(no_comm_changes_what_the_numbers_say),
		cmocka_unit_test(no_cgroup_name_changes_who_died_or_where),
		cmocka_unit_test(noise_is_survived),
		cmocka_unit_test(prefixes_of_saved_logs_are_dropped),
		cmocka_unit_test(the_corpus_is_read_as_its_index_says),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
