#include "lib/say.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void assert_said(struct buf *b, const char *expected)
{
	assert_false(b->is_cut);
	if (!str_eq(buf_view(b), str_from(expected)))
		fail_msg("<%.*s> instead of <%s>", (int)b->n, b->p, expected);
}

static void durations_have_two_figures_that_matter(void **state)
{
	(void)state;
	static const struct { uint64_t ms; const char *said; } rows[] = {
		{ 0, "0 ms" }, { 999, "999 ms" }, { 1000, "1 s" }, { 1099, "1 s" }, { 3200, "3.2 s" }, { 59999, "59.9 s" },
		{ 60000, "1 min" }, { 250000, "4 min 10 s" }, { 3600000, "1 h" }, { 7500000, "2 h 5 min" },
		{ 86400000, "1 d" }, { 273600000, "3 d 4 h" }, { UINT64_MAX, "213503982334 d 14 h" },
	};
	for (size_t i = 0; i < countof(rows); i++) {
		char text[64];
		struct buf b = BUF(text);
		say_ms(&b, rows[i].ms);
		assert_said(&b, rows[i].said);
	}
}

static void sizes_have_three_figures_at_most(void **state)
{
	(void)state;
	static const struct { uint64_t kb; const char *said; } rows[] = {
		{ 0, "0 kB" }, { 512, "512 kB" }, { 1023, "1023 kB" }, { 1024, "1 MB" }, { 30925, "30.2 MB" },
		{ 65536, "64 MB" }, { 421888, "412 MB" }, { 422000, "412 MB" }, { 1047552, "1023 MB" },
		{ 1048063, "1023 MB" }, { 1048064, "1 GB" },
		{ 1048576, "1 GB" }, { 1572864, "1.5 GB" }, { 102348, "99.9 MB" }, { 102399, "100 MB" },
		{ 3ull << 30, "3 TB" }, { 5000ull << 30, "5000 TB" }, { UINT64_MAX, "17179869184 TB" },
	};
	for (size_t i = 0; i < countof(rows); i++) {
		char text[64];
		struct buf b = BUF(text);
		say_kb(&b, rows[i].kb);
		assert_said(&b, rows[i].said);
	}
}

static void raw_bytes_cannot_reach_the_terminal(void **state)
{
	(void)state;
	char text[64];
	struct buf b = BUF(text);
	say_raw(&b, STR("a b~\033[2J\n\x7f\xff\\x41"));
	assert_said(&b, "a b~\\x1b[2J\\x0a\\x7f\\xff\\x5cx41");
}

static void units_lose_their_suffix_only(void **state)
{
	(void)state;
	static const struct { const char *unit, *said; } rows[] = {
		{ "db.service", "db" }, { "db", "db" }, { "a.service.service", "a.service" }, { "", "" }, { ".service", "" },
	};
	for (size_t i = 0; i < countof(rows); i++)
		assert_true(str_eq(say_unit(rows[i].unit), str_from(rows[i].said)));
}

/* ---- deaths ---- */

#define UNTOLD_OOM \
	.total_vm_kb = KMSG_UNTOLD_KB, .anon_rss_kb = KMSG_UNTOLD_KB, .file_rss_kb = KMSG_UNTOLD_KB, \
	.shmem_rss_kb = KMSG_UNTOLD_KB, .pgtables_kb = KMSG_UNTOLD_KB, .uid = KMSG_UNTOLD_UID, \
	.oom_score_adj = KMSG_UNTOLD_ADJ

static struct death app_death(uint8_t cause, uint8_t code, uint8_t status)
{
	return (struct death){
		.id = 1, .unit = "app.service", .comm = "leak", .pid = 93, .uptime_ms = 3210, .is_main = true,
		.memory_max = KNOB_UNSET, .cause = cause, .code = code, .status = status, .oom = { UNTOLD_OOM },
	};
}

static struct death oom_death(uint8_t evidence)
{
	struct death d = app_death(CAUSE_OOM_KILL, CLD_KILLED, SIGKILL);
	d.evidence = evidence;
	return d;
}

static void assert_death(const struct death *d, const char *expected)
{
	char text[512];
	struct buf b = BUF(text);
	say_death(&b, d);
	assert_said(&b, expected);
}

static void an_oom_kill_is_told_with_all_the_kernel_said(void **state)
{
	(void)state;
	struct death d = oom_death(EVIDENCE_KMSG | EVIDENCE_MEMORY_EVENTS);
	d.oom.seq = 512;
	d.oom.scope = OOM_GLOBAL;
	d.oom.anon_rss_kb = 400 << 10;
	d.oom.file_rss_kb = 12 << 10;
	d.oom.oom_score_adj = 800;
	assert_death(&d, "app: pid 93 (leak) killed by the kernel's OOM killer: the machine was out of memory, its own share "
		"412 MB, oom_score_adj 800; had lived 3.2 s. Evidence: kernel log record 512, memory.events.");
}

static void what_nobody_told_is_left_out(void **state)
{
	(void)state;
	struct death d = oom_death(EVIDENCE_MEMORY_EVENTS);
	assert_death(&d, "app: pid 93 (leak) killed by the kernel's OOM killer; had lived 3.2 s. Evidence: memory.events.");
	d.pid = 0;
	d.comm[0] = '\0';
	assert_death(&d, "app: killed by the kernel's OOM killer; had lived 3.2 s. Evidence: memory.events.");
}

static void a_score_of_zero_was_told(void **state)
{
	(void)state;
	struct death d = oom_death(EVIDENCE_KMSG);
	d.oom.oom_score_adj = 0;
	d.oom.anon_rss_kb = 0;
	assert_death(&d, "app: pid 93 (leak) killed by the kernel's OOM killer, its own share 0 kB, oom_score_adj 0; "
		"had lived 3.2 s. Evidence: kernel log record 0.");
}

static void the_reason_says_whose_limit_it_was(void **state)
{
	(void)state;
	static const struct {
		uint8_t scope; bool is_manual, is_cut; uint64_t memory_max; const char *memcg, *constraint, *said;
	} rows[] = {
		{ OOM_SCOPE_UNTOLD, false, false, KNOB_UNSET, "", "", "" },
		{ OOM_GLOBAL, false, false, KNOB_UNSET, "", "CONSTRAINT_NONE", "the machine was out of memory" },
		{ OOM_GLOBAL, false, false, KNOB_UNSET, "", "CONSTRAINT_CPUSET", "the memory nodes of a cpuset were out of memory" },
		{ OOM_GLOBAL, true, false, KNOB_UNSET, "", "CONSTRAINT_NONE", "somebody asked for it (sysrq f)" },
		{ OOM_MEMCG, false, false, 64 << 20, "/s/app.service", "", "its cgroup's MemoryMax of 64 MB was reached" },
		{ OOM_MEMCG, false, false, KNOB_UNSET, "/s/app.service", "", "the limit of its own cgroup was reached" },
		{ OOM_MEMCG, false, false, KNOB_INFINITY, "/s/app.service", "", "the limit of its own cgroup was reached" },
		{ OOM_MEMCG, false, false, 64 << 20, "/s", "", "the limit of cgroup /s was reached" },
		{ OOM_MEMCG, false, false, 64 << 20, "/s/myapp.service", "", "the limit of cgroup /s/myapp.service was reached" },
		{ OOM_MEMCG, false, true, 64 << 20, "/s/app.service", "", "the limit of cgroup /s/app.service... was reached" },
		{ OOM_MEMCG, false, false, 64 << 20, "/\033]0;x", "", "the limit of cgroup /\\x1b]0;x was reached" },
		{ OOM_MEMCG, false, false, 64 << 20, "", "", "the limit of a cgroup was reached" },
	};
	for (size_t i = 0; i < countof(rows); i++) {
		char text[256];
		struct buf b = BUF(text);
		struct death d = oom_death(EVIDENCE_KMSG);
		d.memory_max = rows[i].memory_max;
		d.oom.scope = rows[i].scope;
		d.oom.is_manual = rows[i].is_manual;
		d.oom.is_memcg_cut = rows[i].is_cut;
		strcpy(d.oom.memcg, rows[i].memcg);
		strcpy(d.oom.constraint, rows[i].constraint);
		say_reason(&b, &d);
		assert_said(&b, rows[i].said);
	}
}

static void a_wound_leaves_the_main_process(void **state)
{
	(void)state;
	struct death d = oom_death(EVIDENCE_KMSG | EVIDENCE_MEMORY_EVENTS);
	d.is_main = false;
	d.code = 0;
	d.pid = 99;
	d.oom.seq = 7;
	strcpy(d.comm, "w\nk");
	assert_death(&d, "app: worker pid 99 (w\\x0ak) killed by the kernel's OOM killer; the main process lives on. "
		"Evidence: kernel log record 7, memory.events.");
	d.pid = 0;
	d.comm[0] = '\0';
	d.evidence = EVIDENCE_MEMORY_EVENTS;
	assert_death(&d, "app: a worker killed by the kernel's OOM killer; the main process lives on. "
		"Evidence: memory.events.");
}

static void every_cause_has_its_words(void **state)
{
	(void)state;
	static const struct { uint8_t cause, code, status; const char *said; } rows[] = {
		{ CAUSE_EXIT, CLD_EXITED, 0, "exited with status 0" },
		{ CAUSE_EXIT, CLD_EXITED, 137, "exited with status 137" },
		{ CAUSE_EXIT, CLD_EXITED, 2, "exited with status 2" },
		{ CAUSE_EXIT, CLD_EXITED, 78, "exited with status 78/CONFIG" },
		{ CAUSE_SIGNAL, CLD_KILLED, SIGKILL, "killed by SIGKILL; there is no record of an OOM kill" },
		{ CAUSE_SIGNAL, CLD_KILLED, SIGTERM, "killed by SIGTERM" },
		{ CAUSE_CORE_DUMP, CLD_DUMPED, SIGSEGV, "killed by SIGSEGV, core dumped" },
		{ CAUSE_STOP, CLD_KILLED, SIGTERM, "killed by SIGTERM when told to stop" },
		{ CAUSE_STOP, CLD_EXITED, 0, "exited with status 0 when told to stop" },
		{ CAUSE_TIMEOUT, CLD_KILLED, SIGKILL, "killed by SIGKILL because it took too long" },
		{ CAUSE_WATCHDOG, CLD_DUMPED, SIGABRT, "killed by SIGABRT, core dumped because its watchdog ran out" },
		{ CAUSE_OOM_KILL, CLD_KILLED, SIGKILL, "killed by the kernel's OOM killer" },
	};
	for (size_t i = 0; i < countof(rows); i++) {
		char text[128];
		struct buf b = BUF(text);
		struct death d = app_death(rows[i].cause, rows[i].code, rows[i].status);
		say_cause(&b, &d);
		assert_said(&b, rows[i].said);
	}
}

static void a_doubt_says_why_nothing_is_proven(void **state)
{
	(void)state;
	static const char *const said[N_DOUBT] = {
		"killed by SIGKILL; there is no record of an OOM kill",
		"killed by SIGKILL; whether the OOM killer sent it is not known yet",
		"killed by SIGKILL; an OOM kill is possible: there is no kernel log to read, and nothing that counts OOM kills",
		"killed by SIGKILL; an OOM kill is possible: one was counted, but among processes of others, too",
		"killed by SIGKILL; an OOM kill is possible: fewer were counted than processes died, and nothing says which of them",
	};
	for (uint8_t doubt = 0; doubt < N_DOUBT; doubt++) {
		char text[160];
		struct buf b = BUF(text);
		struct death d = app_death(CAUSE_SIGNAL, CLD_KILLED, SIGKILL);
		d.doubt = doubt;
		say_cause(&b, &d);
		assert_said(&b, said[doubt]);
	}
	struct death d = oom_death(EVIDENCE_OOM_CONTROL | EVIDENCE_VMSTAT);
	assert_death(&d, "app: pid 93 (leak) killed by the kernel's OOM killer; had lived 3.2 s. Evidence: memory.oom_control, vmstat.");
}

static void a_sender_is_named(void **state)
{
	(void)state;
	struct death d = app_death(CAUSE_SIGNAL, CLD_KILLED, SIGKILL);
	d.sender = (struct sender){ 812, 0, "bash" };
	assert_death(&d, "app: pid 93 (leak) killed by SIGKILL from pid 812 (bash), uid 0; there is no record of an OOM kill; "
		"had lived 3.2 s.");
	d.status = SIGTERM;
	d.sender = (struct sender){ 7, 1000, "a)\033[2J" };
	assert_death(&d, "app: pid 93 (leak) killed by SIGTERM from pid 7 (a)\\x1b[2J), uid 1000; had lived 3.2 s.");
	d = app_death(CAUSE_STOP, CLD_KILLED, SIGKILL);
	d.sender = (struct sender){ 812, 0, "bash" };
	assert_death(&d, "app: pid 93 (leak) killed by SIGKILL from pid 812 (bash), uid 0 when told to stop; had lived 3.2 s.");
}

static void a_start_that_failed_names_step_and_error(void **state)
{
	(void)state;
	struct death d = app_death(CAUSE_START_FAILED, 0, 0);
	d.launch_step = LAUNCH_EXEC;
	d.launch_error = ENOENT;
	assert_death(&d, "app: could not be started: exec: no such file or directory (203/EXEC)");
	d.launch_step = LAUNCH_PID_FILE;        /* no child leaves with a status there */
	assert_death(&d, "app: could not be started: PIDFile=: no such file or directory");
	d.launch_step = N_LAUNCH_STEP;
	d.launch_error = 133;
	assert_death(&d, "app: could not be started: an unknown step: error 133");
}

static void an_oom_kill_besides_our_own_is_mentioned(void **state)
{
	(void)state;
	struct death d = app_death(CAUSE_STOP, CLD_KILLED, SIGKILL);
	d.has_oom_besides = true;
	assert_death(&d, "app: pid 93 (leak) killed by SIGKILL when told to stop; the kernel's OOM killer was at work in its "
		"cgroup as well; had lived 3.2 s.");
}

/* ---- notes ---- */

static void every_kind_of_note_has_its_words(void **state)
{
	(void)state;
	static const struct { struct note note; const char *said; } rows[] = {
		{ { .kind = NOTE_STARTING, .unit = "app.service" }, "app: starting" },
		{ { .kind = NOTE_UP, .unit = "app.service", .value = 12, .pid = 93 }, "app: up after 12 ms (pid 93)" },
		{ { .kind = NOTE_UP, .unit = "once.service", .value = 12 }, "once: up after 12 ms" },
		{ { .kind = NOTE_DEATH, .unit = "app.service", .death = 7 }, "app: death 7" },
		{ { .kind = NOTE_AMENDED, .unit = "app.service", .death = 7 }, "app: more is known of death 7" },
		{ { .kind = NOTE_BACKOFF, .unit = "app.service", .value = 104 }, "app: starts again in 104 ms" },
		{ { .kind = NOTE_BACKOFF, .unit = "app.service" }, "app: starts again now" },
		{ { .kind = NOTE_STOPPING, .unit = "app.service" }, "app: stopping" },
		{ { .kind = NOTE_IDLE, .unit = "app.service" }, "app: stopped" },
		{ { .kind = NOTE_FAILED, .unit = "app.service", .value = RESULT_EXIT_CODE },
		  "app: failed (exit-code) and stays down" },
		{ { .kind = NOTE_FAILED, .unit = "app.service", .value = RESULT_START_LIMIT },
		  "app: failed (started too often, its StartLimitBurst= is reached) and stays down" },
		{ { .kind = NOTE_FAILED, .unit = "app.service", .value = N_RESULT }, "app: failed (?) and stays down" },
		{ { .kind = NOTE_DONE, .unit = "app.service" }, "app: done" },
		{ { .kind = NOTE_RELOADING, .unit = "app.service" }, "app: reloading" },
		{ { .kind = NOTE_WARNING, .unit = "db.service", .step = LAUNCH_SCORE, .value = EPERM },
		  "db: OOMScoreAdjust= could not be applied: operation not permitted" },
		{ { .kind = NOTE_WARNING, .unit = "db.service", .step = LAUNCH_CGROUP, .value = EROFS },
		  "db: cgroup could not be set up: read-only file system" },
		{ { .kind = NOTE_KMSG_LOST, .service = NO_UNIT },
		  "the kernel log was overrun, records are lost; memory.events still counts OOM kills" },
		{ { .kind = NOTE_UNITS, .service = NO_UNIT, .value = 1 }, "1 unit in force" },
		{ { .kind = NOTE_UNITS, .service = NO_UNIT, .value = 4 }, "4 units in force" },
		{ { .kind = NOTE_LOAD_FAILED, .service = NO_UNIT }, "the units could not be loaded" },
		{ { .kind = NOTE_LOAD_FAILED, .service = NO_UNIT, .value = ENOMEM }, "the units could not be loaded: out of memory" },
		{ { .kind = NOTE_SYSTEM, .service = NO_UNIT, .value = POWER_REBOOT }, "rebooting" },
		{ { .kind = NOTE_SYSTEM, .service = NO_UNIT, .value = N_POWER }, "going down" },
		{ { .kind = NOTE_BUG, .unit = "app.service", .state = IDLE, .event = EV_EXIT },
		  "app: a bug of oomph: EXIT cannot be in state idle; put aside as failed" },
		{ { .kind = NOTE_BUG, .unit = "app.service", .state = N_STATE, .event = N_SERVICE_EVENT },
		  "app: a bug of oomph: ? cannot be in state ?; put aside as failed" },
		{ { .kind = NOTE_CRASHED, .service = NO_UNIT, .value = SIGABRT, .event = N_EVENT_KIND }, "PID 1 crashed (SIGABRT) and came back" },
		{ { .kind = NOTE_CRASHED, .unit = "db.service", .value = SIGSEGV, .event = EVENT_DEATH },
		  "db: PID 1 crashed (SIGSEGV) in the event `death` and came back" },
		{ { .kind = NOTE_CRASHED, .service = NO_UNIT, .value = SIGSEGV, .event = EVENT_TICK, .is_dropped = true },
		  "PID 1 crashed (SIGSEGV) in the event `tick` and came back: for the second time, so that is dropped" },
		{ { .kind = NOTE_CRASHED, .unit = "db.service", .value = SIGSEGV, .event = EVENT_DEATH, .is_dropped = true },
		  "db: PID 1 crashed (SIGSEGV) in the event `death` and came back: for the second time, so that is dropped, and the service "
		  "put aside as failed" },
		{ { .kind = NOTE_UPGRADED, .service = NO_UNIT, .value = 12 }, "another PID 1 has taken over, within 12 ms" },
		{ { .kind = NOTE_UPGRADED, .service = NO_UNIT, .value = FOREVER_MS }, "the new PID 1 failed, and the one before is back" },
		{ { .kind = N_NOTE_KIND, .unit = "app.service" }, "app: ?" },
	};
	bool is_seen[N_NOTE_KIND + 1] = { false };
	for (size_t i = 0; i < countof(rows); i++) {
		char text[256];
		struct buf b = BUF(text);
		say_note(&b, &rows[i].note);
		assert_said(&b, rows[i].said);
		is_seen[rows[i].note.kind] = true;
	}
	for (size_t i = 0; i < countof(is_seen); i++)
		if (!is_seen[i])
			fail_msg("no row for note kind %zu", i);
}

static void a_short_buffer_cuts_and_says_so(void **state)
{
	(void)state;
	struct death d = oom_death(EVIDENCE_KMSG);
	for (size_t room = 0; room < 64; room++) {
		char *text = malloc(room + 1);
		struct buf b = { .p = text, .cap = room };
		say_death(&b, &d);
		assert_true(b.is_cut);
		assert_int_equal(b.n, room);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(durations_have_two_figures_that_matter),
		cmocka_unit_test(sizes_have_three_figures_at_most),
		cmocka_unit_test(raw_bytes_cannot_reach_the_terminal),
		cmocka_unit_test(units_lose_their_suffix_only),
		cmocka_unit_test(an_oom_kill_is_told_with_all_the_kernel_said),
		cmocka_unit_test(what_nobody_told_is_left_out),
		cmocka_unit_test(a_score_of_zero_was_told),
		cmocka_unit_test(the_reason_says_whose_limit_it_was),
		cmocka_unit_test(a_wound_leaves_the_main_process),
		cmocka_unit_test(every_cause_has_its_words),
		cmocka_unit_test(a_doubt_says_why_nothing_is_proven),
		cmocka_unit_test(a_sender_is_named),
		cmocka_unit_test(a_start_that_failed_names_step_and_error),
		cmocka_unit_test(an_oom_kill_besides_our_own_is_mentioned),
		cmocka_unit_test(every_kind_of_note_has_its_words),
		cmocka_unit_test(a_short_buffer_cuts_and_says_so),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
