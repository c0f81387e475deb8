#include "lib/incident.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* ---- a log, line by line; what is kept of its newest OOM ---- */

struct log {
	struct kmsg_reader reader;
	struct incident in;
	uint64_t seq, usec;
	size_t n_over;                  /* incidents that another one has ended */
};

static void begin_log(struct log *l)
{
	memset(l, 0, sizeof *l);
	l->seq = 100;
	l->usec = 5000000;
	kmsg_reset(&l->reader);
}

static void record(struct log *l, struct kmsg_record rec)
{
	struct oom_kill kill;
	rec.seq = l->seq++;
	rec.usec = l->usec += 100;
	kmsg_feed(&l->reader, &rec, &kill);
	l->n_over += l->in.n_bytes && incident_is_over(&l->in, &l->reader);
	incident_take(&l->in, &l->reader, &rec);
}

static void text(struct log *l, const char *line)
{
	record(l, (struct kmsg_record){ .level = 6, .text = str_from(line) });
}

static void lines(struct log *l, const char *script)
{
	struct str rest = str_from(script);
	while (rest.n)
		record(l, (struct kmsg_record){ .level = 6, .text = str_until(&rest, '\n') });
}

static void assert_lines(const struct log *l, const char *expected)
{
	if (!str_eq(str_of(l->in.lines, l->in.n_bytes), str_from(expected)))
		fail_msg("<%.*s> instead of <%s>", (int)l->in.n_bytes, l->in.lines, expected);
}

#define HEADER "cruncher invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0\n"
#define CPU "CPU: 1 PID: 412 Comm: cruncher Not tainted\n"
#define TASKS "Tasks state (memory values in pages):\n"
#define SUMMARY "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/system.slice/a.service," \
	"task_memcg=/system.slice/a.service,task=cruncher,pid=412,uid=33\n"
#define SIZES " total-vm:9000kB, anon-rss:8000kB, file-rss:0kB, shmem-rss:0kB, UID:33 pgtables:64kB oom_score_adj:0\n"
#define KILL "Memory cgroup out of memory: Killed process 412 (cruncher)" SIZES

/* ---- the task table ---- */

struct table {
	const char *name, *columns, *rows;
	int score;                      /* of the largest, KMSG_UNTOLD_ADJ */
};

/* The forms that kernels have, with numbers and names of our own. */
static const struct table tables[] = {
	{ "2.6.32",
	  "[ pid ]   uid  tgid total_vm      rss cpu oom_adj name\n",
	  "[  321]     0   321     2020      110   1     -17 udevd\n[  412]    33   412     9000     8000   0       0 my cruncher\n",
	  KMSG_UNTOLD_ADJ },
	{ "3.10",
	  "[ pid ]   uid  tgid total_vm      rss nr_ptes swapents oom_score_adj name\n",
	  "[  321]     0   321     2020      110      14       20         -1000 udevd\n"
	  "[  412]    33   412     9000     8000      60       50           300 my cruncher\n", 300 },
	{ "5.10, 6.1",
	  "[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name\n",
	  "[    321]     0   321     2020      110    57344       20         -1000 udevd\n"
	  "[    412]    33   412     9000     8000    81920       50           300 my cruncher\n", 300 },
	{ "6.12, 7.2",
	  "[  pid  ]   uid  tgid total_vm      rss rss_anon rss_file rss_shmem pgtables_bytes swapents oom_score_adj name\n",
	  "[    321]     0   321     2020      110      100       10         0    57344       20         -1000 udevd\n"
	  "[    412]    33   412     9000     8000     7990       10         0    81920       50           300 my cruncher\n", 300 },
};

static void columns_are_found_by_their_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < countof(tables); i++) {
		const struct table *t = &tables[i];
		static struct log l;
		begin_log(&l);
		lines(&l, HEADER);
		lines(&l, t->columns);
		lines(&l, t->rows);
		assert_int_equal(l.in.n_rows, 2);
		assert_int_equal(l.in.n_tasks, 2);
		const struct incident_task *first = &l.in.tasks[0], *second = &l.in.tasks[1];
		assert_int_equal(first->rss_pages, 8000);
		assert_int_equal(first->pid, 412);
		assert_int_equal(first->uid, 33);
		assert_int_equal(first->oom_score_adj, t->score);
		assert_string_equal(first->name, "my cruncher");
		assert_non_null(strstr(t->rows, first->row));
		assert_int_equal(second->rss_pages, 110);
		assert_string_equal(second->name, "udevd");
	}
}

static void the_ten_largest_are_kept_in_order(void **state)
{
	(void)state;
	static struct log l;
	static const int rss[] = { 5, 90, 15, 15, 70, 1, 2, 3, 60, 40, 80, 4, 30, 100 };
	begin_log(&l);
	lines(&l, HEADER);
	lines(&l, tables[2].columns);
	for (size_t i = 0; i < countof(rss); i++) {
		char row[128];
		snprintf(row, sizeof row, "[ %6zu]     0 %5zu     2020 %8d    57344        0             0 p%d", 300 + i, 300 + i, rss[i], rss[i]);
		text(&l, row);
	}
	static const int largest[] = { 100, 90, 80, 70, 60, 40, 30, 15, 15, 5 };
	assert_int_equal(l.in.n_rows, countof(rss));
	assert_int_equal(l.in.n_tasks, countof(largest));
	for (size_t i = 0; i < countof(largest); i++)
		assert_int_equal(l.in.tasks[i].rss_pages, largest[i]);
	assert_int_equal(l.in.tasks[7].pid, 302);       /* of equals the one that came first */
}

static void a_thread_is_known_by_its_process_and_a_name_may_be_anything(void **state)
{
	(void)state;
	static struct log l;
	begin_log(&l);
	lines(&l, HEADER);
	lines(&l, tables[2].columns);
	text(&l, "[    413]    33   412     9000     8000    81920       50             0 ] 7 \\x0arss\\xff");
	assert_int_equal(l.in.tasks[0].pid, 413);
	assert_int_equal(l.in.tasks[0].tgid, 412);
	assert_string_equal(l.in.tasks[0].name, "] 7 \nrss\xff");
}

static void rows_without_their_heading_are_left_alone(void **state)
{
	(void)state;
	static struct log l;
	begin_log(&l);
	lines(&l, HEADER "[    412]    33   412     9000     8000    81920       50             0 cruncher\n" KILL);
	assert_int_equal(l.in.n_tasks, 0);
	assert_lines(&l, HEADER KILL);
}

/* ---- lines ---- */

static void all_is_kept_verbatim_but_the_rows(void **state)
{
	(void)state;
	static struct log l;
	begin_log(&l);
	lines(&l, "usb 1-1: new device\n");
	lines(&l, HEADER CPU);
	lines(&l, TASKS);
	lines(&l, tables[2].columns);
	lines(&l, tables[2].rows);
	lines(&l, SUMMARY KILL "eth0: link up\n");
	char expected[2048];
	snprintf(expected, sizeof expected, "%s%s%s", HEADER CPU TASKS, tables[2].columns, SUMMARY KILL);
	assert_lines(&l, expected);
	assert_int_equal(l.in.n_cut, 0);
	assert_int_equal(l.in.first_seq, l.seq - 2);
}

static void nothing_of_userspace_is_kept(void **state)
{
	(void)state;
	static struct log l;
	begin_log(&l);
	lines(&l, HEADER);
	record(&l, (struct kmsg_record){ .facility = 1, .text = STR("forged invoked oom-killer: gfp_mask=0") });
	record(&l, (struct kmsg_record){ .facility = 3, .text = STR("daemon: hello") });
	lines(&l, KILL);
	assert_lines(&l, HEADER KILL);
}

static void a_group_kill_is_one_incident(void **state)
{
	(void)state;
	static const char group[] = "Tasks in /system.slice/a.service are going to be killed due to memory.oom.group set\n";
	static const char second[] = "Memory cgroup out of memory: Killed process 415 (worker)" SIZES;
	static struct log l;
	char expected[2048];
	begin_log(&l);
	lines(&l, HEADER SUMMARY KILL);
	uint64_t first = l.in.first_seq;
	lines(&l, group);
	lines(&l, second);
	lines(&l, KILL);
	snprintf(expected, sizeof expected, "%s%s%s%s", HEADER SUMMARY KILL, group, second, KILL);
	assert_lines(&l, expected);
	assert_int_equal(l.in.first_seq, first);
	assert_int_equal(l.n_over, 0);
	assert_true(str_eq(incident_kill_line(&l.in, 415), str_of(second, sizeof second - 2)));
	assert_true(str_eq(incident_kill_line(&l.in, 412), str_of(KILL, sizeof KILL - 2)));
	assert_int_equal(incident_kill_line(&l.in, 41).n, 0);
}

static void the_next_one_begins_with_nothing(void **state)
{
	(void)state;
	static struct log l;
	begin_log(&l);
	lines(&l, HEADER SUMMARY);
	lines(&l, tables[2].columns);
	lines(&l, tables[2].rows);
	lines(&l, KILL);
	/* Its header is suppressed: the kernel limits those. */
	lines(&l, "Memory cgroup out of memory: Killed process 500 (other)" SIZES);
	assert_int_equal(l.n_over, 1);
	assert_lines(&l, "Memory cgroup out of memory: Killed process 500 (other)" SIZES);
	assert_int_equal(l.in.n_tasks, 0);
	assert_int_equal(l.in.first_seq, l.seq - 1);
	lines(&l, HEADER);
	assert_int_equal(l.n_over, 2);
	assert_int_equal(l.in.first_seq, 0);
	assert_lines(&l, HEADER);
}

static void an_oom_without_a_victim_does_not_collect_for_ever(void **state)
{
	(void)state;
	static struct log l;
	begin_log(&l);
	lines(&l, HEADER CPU);
	l.usec += 3000000;
	lines(&l, "eth0: link up\n");
	assert_lines(&l, HEADER CPU);
	lines(&l, "Out of memory and no killable processes...\n");
	assert_int_equal(l.in.n_bytes, 0);
}

static void an_old_kernels_story_is_one(void **state)
{
	(void)state;
	static const char story[] =
		"mysqld invoked oom-killer: gfp_mask=0x201da, order=0, oom_score_adj=0\n"
		"mysqld cpuset=/ mems_allowed=0\n"
		"Task in /docker/7f killed as a result of limit of /docker/7f\n"
		"memory: usage 20480kB, limit 20480kB, failcnt 9\n"
		"Memory cgroup out of memory: Kill process 412 (mysqld) score 980 or sacrifice child\n"
		"Killed process 412 (mysqld) total-vm:9000kB, anon-rss:8000kB, file-rss:0kB\n";
	static struct log l;
	begin_log(&l);
	lines(&l, story);
	assert_lines(&l, story);
	assert_int_equal(l.in.first_seq, l.seq - 1);
}

/* From 4.9 on: a line with long paths comes in parts, the later ones marked. */
static void parts_of_a_line_are_joined(void **state)
{
	(void)state;
	static struct log l;
	begin_log(&l);
	lines(&l, HEADER "oom-kill:constraint=CONSTRAINT_MEMCG,oom_memcg=");
	record(&l, (struct kmsg_record){ .is_continuation = true, .text = STR("/a,task_memcg=/a") });
	record(&l, (struct kmsg_record){ .is_continuation = true, .text = STR(",task=cruncher,pid=412,uid=33") });
	lines(&l, KILL);
	assert_lines(&l, HEADER "oom-kill:constraint=CONSTRAINT_MEMCG,oom_memcg=/a,task_memcg=/a,task=cruncher,pid=412,uid=33\n" KILL);
}

static void the_middle_of_what_is_too_long_is_left_out_and_counted(void **state)
{
	(void)state;
	static struct log l;
	begin_log(&l);
	lines(&l, HEADER);
	for (int i = 0; i < 400; i++)
		text(&l, "Node 0 DMA32: 16*4kB (U) 9*8kB (UM) 2*16kB (UM)");
	lines(&l, SUMMARY KILL);
	assert_true(l.in.n_bytes <= INCIDENT_LINES_MAX);
	struct str kept = str_of(l.in.lines, l.in.n_bytes);
	assert_true(str_starts(kept, STR(HEADER)));
	assert_true(str_ends(kept, STR(SUMMARY KILL)));
	size_t n_lines = 0;
	while (kept.n)
		n_lines += str_until(&kept, '\n').n > 0;
	assert_int_equal(n_lines + l.in.n_cut, 403);
	assert_true(l.in.n_cut > 200);
}

/* A worker's cgroup has hundreds of members: their lines end somewhere, and nothing is written behind the end. */
static void so_many_victims_do_not_overrun_it(void **state)
{
	(void)state;
	static struct log l;
	begin_log(&l);
	lines(&l, HEADER SUMMARY KILL "Tasks in /system.slice/a.service are going to be killed due to memory.oom.group set\n");
	for (int pid = 1000; pid < 1500; pid++) {
		char line[256];
		snprintf(line, sizeof line, "Memory cgroup out of memory: Killed process %d (worker)" SIZES, pid);
		line[strlen(line) - 1] = '\0';
		text(&l, line);
	}
	assert_true(l.in.n_bytes <= INCIDENT_LINES_MAX);
	assert_int_equal(l.in.lines[l.in.n_bytes - 1], '\n');
	assert_true(l.in.n_cut > 100);
	assert_int_equal(incident_kill_line(&l.in, 1499).n, 0);
	assert_true(incident_kill_line(&l.in, 1000).n > 0);
}

/* Logs of other people's machines, where they are at hand: whoever is killed has his line, and no bound is overrun. */
static void feed_saved(FILE *f)
{
	static struct log l;
	static char line[1 << 16];
	begin_log(&l);
	while (fgets(line, sizeof line, f)) {
		struct kmsg_record rec;
		struct oom_kill kill;
		line[strcspn(line, "\n")] = '\0';
		if (!kmsg_text_line(str_from(line), &rec))
			continue;
		rec.seq = l.seq++;
		enum kmsg_news news = kmsg_feed(&l.reader, &rec, &kill);
		incident_take(&l.in, &l.reader, &rec);
		assert_true(l.in.n_bytes <= INCIDENT_LINES_MAX && l.in.n_tasks <= INCIDENT_TASKS);
		if (news == KMSG_KILL && l.in.n_cut == 0)
			assert_true(incident_kill_line(&l.in, kill.pid).n > 0);
		for (uint32_t i = 1; i < l.in.n_tasks; i++)
			assert_true(l.in.tasks[i - 1].rss_pages >= l.in.tasks[i].rss_pages);
	}
}

static void logs_of_every_kernel_keep_their_kills(void **state)
{
	(void)state;
	DIR *folder = opendir("../shared/oom-logs");
	if (!folder)
		skip();
	for (const struct dirent *e; (e = readdir(folder));) {
		char path[512];
		snprintf(path, sizeof path, "../shared/oom-logs/%s", e->d_name);
		FILE *f = strstr(e->d_name, ".log") ? fopen(path, "re") : NULL;
		if (f) {
			feed_saved(f);
			fclose(f);
		}
	}
	closedir(folder);
}

/* ---- files ---- */

static void files_are_found_by_cgroup_and_name(void **state)
{
	(void)state;
	char room[256];
	struct buf b = BUF(room);
	assert_true(incident_put_file(&b, STR("meminfo"), STR("MemTotal: 1 kB\nMemFree: 0 kB")));
	assert_true(incident_put_file(&b, STR("/a"), STR("")));
	assert_true(incident_put_file(&b, STR("memory.max"), STR("12")));
	assert_true(incident_put_file(&b, STR("/"), STR("")));
	assert_true(incident_put_file(&b, STR("memory.max"), STR("max")));
	assert_true(str_eq(incident_file(buf_view(&b), STR("/a"), STR("memory.max")), STR("12")));
	assert_true(str_eq(incident_file(buf_view(&b), STR("/"), STR("memory.max")), STR("max")));
	assert_true(str_starts(incident_file(buf_view(&b), STR(""), STR("meminfo")), STR("MemTotal: 1 kB\n")));
	assert_int_equal(incident_file(buf_view(&b), STR("/a"), STR("meminfo")).n, 0);
	assert_int_equal(incident_file(buf_view(&b), STR("/b"), STR("memory.max")).n, 0);
}

static void a_file_that_does_not_fit_leaves_no_half(void **state)
{
	(void)state;
	char room[16];
	struct buf b = BUF(room);
	assert_true(incident_put_file(&b, STR("abc"), STR("0123")));
	assert_false(incident_put_file(&b, STR("abc"), STR("0123")));
	assert_true(incident_put_file(&b, STR("d"), STR("0123")));
	assert_int_equal(b.n, 16);
	assert_false(incident_put_file(&b, STR(""), STR("")));
}

static void slots_do_not_overlap_and_go_round(void **state)
{
	(void)state;
	assert_int_equal(victim_at(1), victim_at(1 + VICTIMS_KEPT));
	assert_int_equal(victim_at(2) - victim_at(1), sizeof(struct victim_slot));
	assert_int_equal(incident_at(1), incident_at(1 + INCIDENTS_KEPT));
	assert_int_equal(incident_at(0), victim_at(VICTIMS_KEPT - 1) + sizeof(struct victim_slot));
	assert_int_equal(incident_at(INCIDENTS_KEPT - 1) + sizeof(struct incident_slot), sizeof(struct incident_ring));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_are_found_by_their_names),
		cmocka_unit_test(the_ten_largest_are_kept_in_order),
		cmocka_unit_test(a_thread_is_known_by_its_process_and_a_name_may_be_anything),
		cmocka_unit_test(rows_without_their_heading_are_left_alone),
		cmocka_unit_test(all_is_kept_verbatim_but_the_rows),
		cmocka_unit_test(nothing_of_userspace_is_kept),
		cmocka_unit_test(a_group_kill_is_one_incident),
		cmocka_unit_test(the_next_one_begins_with_nothing),
		cmocka_unit_test(an_oom_without_a_victim_does_not_collect_for_ever),
		cmocka_unit_test(an_old_kernels_story_is_one),
		cmocka_unit_test(parts_of_a_line_are_joined),
		cmocka_unit_test(the_middle_of_what_is_too_long_is_left_out_and_counted),
		cmocka_unit_test(so_many_victims_do_not_overrun_it),
		cmocka_unit_test(logs_of_every_kernel_keep_their_kills),
		cmocka_unit_test(files_are_found_by_cgroup_and_name),
		cmocka_unit_test(a_file_that_does_not_fit_leaves_no_half),
		cmocka_unit_test(slots_do_not_overlap_and_go_round),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
