/*
 * How fast a log goes through the kmsg parser, in MB/s, against a loop that does no more than look at each byte. Built as
 * oomph is. The log is made up: what a machine says on an ordinary day, and once in 1000 lines a whole story of an OOM kill.
 * The two take turns; medians.
 *
 *     parse ROUNDS
 */
#include "lib/kmsg.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LINES 20000
#define LINES_A_STORY 1000

/* Texts of records, and what stands before the `;`. No name and no number in them is anybody's. */
static const char *const day[] = {
	"6,%llu,%llu,-;usb 2-1: new high-speed USB device number 7 using xhci_hcd\n SUBSYSTEM=usb\n DEVICE=c189:134\n",
	"6,%llu,%llu,-;EXT4-fs (vda2): mounted filesystem 0f4c8e9a-17c5-4f4b-9a55-0c6f5c1d1a11 r/w with ordered data mode. Quota mode: none.\n",
	"5,%llu,%llu,-;audit: type=1400 audit(1764150000.123:456): apparmor=\"STATUS\" operation=\"profile_load\" profile=\"unconfined\" name=\"app\" pid=812 comm=\"loader\"\n",
	"30,%llu,%llu,-;supervisor[1]: Started the service that keeps the time.\n",
	"6,%llu,%llu,-,caller=T41;eth0: link becomes ready\n SUBSYSTEM=net\n DEVICE=n2\n",
	"4,%llu,%llu,-;TCP: request_sock_TCP: Possible SYN flooding on port 8080. Sending cookies.\n",
	"3,%llu,%llu,-;blk_update_request: I/O error, dev sdb, sector 123456 op 0x0:(READ) flags 0x80700 phys_seg 1 prio class 0\n SUBSYSTEM=block\n DEVICE=b8:16\n",
	"6,%llu,%llu,-;device veth3 entered promiscuous mode\n",
};
static const char *const story[] = {
	"4,%llu,%llu,-;app invoked oom-killer: gfp_mask=0x140cca(GFP_HIGHUSER_MOVABLE|__GFP_COMP), order=0, oom_score_adj=0\n",
	"4,%llu,%llu,-;CPU: 1 PID: 93 Comm: app Not tainted 6.1.0-1-amd64 #1\n",
	"4,%llu,%llu,-;Call Trace:\n",
	"4,%llu,%llu,-; dump_header+0x4a/0x1f0\n",
	"4,%llu,%llu,-; oom_kill_process.cold+0xb/0x10\n",
	"6,%llu,%llu,-;Tasks state (memory values in pages):\n",
	"6,%llu,%llu,-;[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name\n",
	"6,%llu,%llu,-;[     90]     0    90      260        1    28672        0          -900 db\n",
	"6,%llu,%llu,-;[     93]     0    93    24381    24160   233472        0             0 app\n",
	"6,%llu,%llu,-;oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/system.slice/app.service,"
		"task_memcg=/system.slice/app.service,task=app,pid=93,uid=0\n",
	"3,%llu,%llu,-;Memory cgroup out of memory: Killed process 93 (app) total-vm:97524kB, anon-rss:96612kB, file-rss:28kB, "
		"shmem-rss:0kB, UID:0 pgtables:228kB oom_score_adj:0\n",
};

/* Records one behind the other, each with its length. */
struct log {
	char *bytes;
	size_t n, lengths[LINES];
};

static void fill(struct log *log)
{
	log->bytes = malloc(LINES * 512);
	for (unsigned long long i = 0; i < LINES; i++) {
		size_t at = i % LINES_A_STORY, n_day = sizeof day / sizeof *day, n_story = sizeof story / sizeof *story;
		const char *format = at < n_story ? story[at] : day[i % n_day];
		log->lengths[i] = (size_t)sprintf(log->bytes + log->n, format, 1000 + i, 5000000 + i * 100);
		log->n += log->lengths[i];
	}
}

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static size_t parse(const struct log *log)
{
	static struct kmsg_reader reader;
	const char *p = log->bytes;
	size_t n_kills = 0;
	kmsg_reset(&reader);
	for (size_t i = 0; i < LINES; p += log->lengths[i++]) {
		struct kmsg_record record;
		struct oom_kill kill;
		if (kmsg_record(str_of(p, log->lengths[i]), &record))
			n_kills += kmsg_feed(&reader, &record, &kill) == KMSG_KILL;
	}
	return n_kills;
}

static size_t pass(const struct log *log)
{
	size_t n = 0;
	for (size_t i = 0; i < log->n; i++)
		n += log->bytes[i] == '\n';
	return n;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	static struct log log;
	int n = argc > 1 ? atoi(argv[1]) : 0;
	double *took[2];
	if (n < 1)
		return 2;
	fill(&log);
	took[0] = calloc((size_t)n, sizeof **took);
	took[1] = calloc((size_t)n, sizeof **took);
	for (int i = 0; i < n; i++) {
		double since = now();
		if (pass(&log) < LINES)
			return 1;
		double between = now();
		if (parse(&log) != LINES / LINES_A_STORY) {
			fprintf(stderr, "parse: not every kill was found\n");
			return 1;
		}
		took[0][i] = between - since;
		took[1][i] = now() - between;
	}
	for (int k = 0; k < 2; k++)
		qsort(took[k], (size_t)n, sizeof **took, ascending);
	double bare = took[0][n / 2], parser = took[1][n / 2];
	printf("kmsg parser                        bare %8.0f MB/s  oomph %6.0f MB/s   ratio %.2f   (%.1f million lines/s of %zu bytes; %d rounds)\n",
		(double)log.n / bare, (double)log.n / parser, parser / bare, LINES / parser, log.n / LINES, n);
	return 0;
}
