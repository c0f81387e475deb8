#include "story.h"
#include "lib/names.h"

/* ---- starting ---- */

static void a_simple_service_is_up_once_it_runs(void **state)
{
	(void)state;
	given_booted("db:");
	then_does("launch db start/0");
	then_state("db", STARTING);
	when_launched("db");
	then_state("db", UP);
	then_notes("up db");
	then_is_quiet();
}

static void an_exec_service_is_up_once_its_program_runs(void **state)
{
	(void)state;
	given_booted("db: Type=exec");
	when_launched("db");
	then_state("db", STARTING);
	when_execed("db");
	then_state("db", UP);
}

static void a_notify_service_is_up_once_it_says_so(void **state)
{
	(void)state;
	given_booted("db: Type=notify");
	uint32_t pid = when_launched("db");
	when_notified("db", pid + 1, "READY=1");        /* a stranger: NotifyAccess=main */
	then_state("db", STARTING);
	when_notified("db", pid, "READY=1\nSTATUS=at your service");
	then_state("db", UP);
	assert_string_equal(service("db")->status_text, "at your service");
	when_notified("db", pid, "STATUS=");
	assert_string_equal(service("db")->status_text, "");
}

static void a_oneshot_runs_its_commands_one_by_one(void **state)
{
	(void)state;
	given_booted("setup: Type=oneshot Start=2");
	when_exits(when_launched("setup"), 0);
	then_does("launch setup start/1");
	when_exits(when_launched("setup"), 0);
	then_state("setup", DONE);
	then_does("swept setup");
}

static void a_oneshot_with_remain_after_exit_is_up_without_a_process(void **state)
{
	(void)state;
	given_booted("setup: Type=oneshot RemainAfterExit=yes Stop=1");
	when_exits(when_launched("setup"), 0);
	then_state("setup", UP);
	when_asked(VERB_STOP, "setup");
	then_does("launch setup stop/0");
	when_exits(when_command_launched("setup"), 0);
	then_state("setup", IDLE);
}

static void the_plan_goes_from_pre_over_main_to_post(void **state)
{
	(void)state;
	given_booted("db: Pre=2 Post=1");
	then_does("launch db pre/0");
	when_exits(when_command_launched("db"), 0);
	then_does("launch db pre/1");
	when_exits(when_command_launched("db"), 0);
	then_does("launch db start/0");
	when_launched("db");
	then_does("launch db post/0");
	then_state("db", STARTING);
	when_exits(when_command_launched("db"), 0);
	then_state("db", UP);
}

static void a_pre_command_that_fails_ends_the_start(void **state)
{
	(void)state;
	given_booted("db: Pre=1");
	when_exits(when_command_launched("db"), 3);
	then_state("db", FAILED);
	then_result("db", RESULT_EXIT_CODE);
	then_does("swept db");
	assert_false(death_of("db")->is_main);
	assert_int_equal(death_of("db")->status, 3);
}

static void a_pre_command_may_fail_where_it_says_so(void **state)
{
	(void)state;
	given_booted("db: Pre=1-");
	when_exits(when_command_launched("db"), 3);
	then_does("launch db start/0");
}

/* The main process dies of it, but it is not why. */
static void a_post_command_that_fails_is_the_reason_told(void **state)
{
	(void)state;
	given_booted("db: Post=1");
	uint32_t pid = when_launched("db");
	uint32_t post = when_command_launched("db");
	when_exits(post, 5);
	then_state("db", SWEEPING);
	then_does("signal db all 9");
	when_killed(pid, SIGKILL);
	then_state("db", FAILED);
	then_result("db", RESULT_EXIT_CODE);
	assert_int_equal(death_of("db")->pid, post);
	then_notes("death db; death db; failed db");
}

static void readiness_that_does_not_come_is_a_timeout(void **state)
{
	(void)state;
	given_booted("db: Type=notify TimeoutStart=5000 TimeoutStop=2000");
	uint32_t pid = when_launched("db");
	when_time_passes(4999);
	then_does_nothing();
	when_time_passes(1);
	then_does("signal db all 15");
	then_state("db", STOPPING);
	when_time_passes(2000);
	then_does("signal db all 9");
	when_killed(pid, SIGKILL);
	then_state("db", FAILED);
	then_result("db", RESULT_TIMEOUT);
	then_cause(death_of("db"), CAUSE_TIMEOUT);
}

static void a_clean_exit_before_readiness_is_a_failure(void **state)
{
	(void)state;
	given_booted("db: Type=notify");
	when_exits(when_launched("db"), 0);
	then_state("db", FAILED);
	then_result("db", RESULT_PROTOCOL);
}

/* MAINPID= named a process that its own parent reaps: nobody ever tells us of its death. */
static void a_told_main_process_is_over_when_nobody_is_left(void **state)
{
	(void)state;
	given_booted("db: Type=notify Restart=always RestartSec=500 TimeoutStop=2000");
	uint32_t pid = when_launched("db");
	when_notified("db", pid, "READY=1\nMAINPID=4000");
	when_exits(pid, 0);
	when_emptied("db");
	then_state("db", UP);                   /* were it our child, its death would be told now */
	when_time_passes(EVIDENCE_GRACE_MS);
	then_backoff("db", 500);
}

static void a_stop_does_not_wait_for_a_told_main_process_that_is_gone(void **state)
{
	(void)state;
	given_booted("db: Type=notify TimeoutStop=2000");
	uint32_t pid = when_launched("db");
	when_notified("db", pid, "READY=1\nMAINPID=4000");
	when_asked(VERB_STOP, "db");
	when_exits(pid, 0);
	when_emptied("db");
	when_time_passes(EVIDENCE_GRACE_MS);
	then_state("db", IDLE);
}

static void the_log_tells_of_a_told_main_process_that_is_gone(void **state)
{
	(void)state;
	given_booted("db: Type=notify TimeoutStop=2000");
	uint32_t pid = when_launched("db");
	when_notified("db", pid, "READY=1\nMAINPID=4000");
	when_record("db", 4000);
	when_exits(pid, 0);
	when_emptied("db");
	when_time_passes(EVIDENCE_GRACE_MS);
	then_cause(death_of("db"), CAUSE_OOM_KILL);
	then_result("db", RESULT_OOM_KILL);
}

/* ---- order and dependencies ---- */

static void after_waits_for_ready(void **state)
{
	(void)state;
	given_booted("app: After=db; db: Type=notify");
	then_does("launch db start/0");
	uint32_t pid = when_launched("db");
	then_does_nothing();
	when_notified("db", pid, "READY=1");
	then_does("launch app start/0");
}

static void what_failed_before_it_does_not_keep_it_from_starting(void **state)
{
	(void)state;
	given_booted("app: After=db; db: Type=notify");
	when_exits(when_launched("db"), 1);
	then_does("swept db; launch app start/0");
}

static void a_required_unit_that_fails_fails_it_too(void **state)
{
	(void)state;
	given_booted("app: After=db Requires=db; db: Type=notify");
	when_exits(when_launched("db"), 1);
	then_state("app", FAILED);
	then_result("app", RESULT_DEPENDENCY);
}

static void a_start_tries_what_it_requires_once_more(void **state)
{
	(void)state;
	given_booted("app: After=db Requires=db; db: Type=notify");
	when_exits(when_launched("db"), 1);
	when_asked(VERB_START, "app");
	then_does("launch db start/0");
	uint32_t pid = when_launched("db");
	when_notified("db", pid, "READY=1");
	then_does("launch app start/0");
}

static void a_required_unit_in_backoff_is_waited_for(void **state)
{
	(void)state;
	given_booted("app: After=db Requires=db; db: Type=notify Restart=always RestartSec=500");
	when_exits(when_launched("db"), 1);
	then_backoff("db", 500);
	then_state("app", STARTING);
	when_time_passes(500);
	then_does("launch db start/0");
}

static void requires_and_wants_pull_in(void **state)
{
	(void)state;
	given_booted("app: Requires=db Wants=cache; db: Unwanted=1; cache: Unwanted=1; other: Unwanted=1");
	then_does("launch app start/0; launch cache start/0; launch db start/0");
	then_state("other", IDLE);
}

static void a_broken_unit_never_starts(void **state)
{
	(void)state;
	given_booted("app: After=db Requires=db; db: Broken=1");
	then_state("db", FAILED);
	then_result("db", RESULT_BAD_SETTING);
	then_state("app", FAILED);
	then_result("app", RESULT_DEPENDENCY);
	when_asked(VERB_START, "db");
	then_answer(ANSWER_BROKEN_UNIT);
	then_does_nothing();
}

static void stopping_goes_backwards(void **state)
{
	(void)state;
	given_booted("db:; app: After=db");
	uint32_t db = given_running("db");
	uint32_t app = given_running("app");
	when_signalled(SIGTERM);
	then_does("signal app all 15");
	when_killed(app, SIGTERM);
	then_does("swept app; signal db all 15");
	when_killed(db, SIGTERM);
	then_does("swept db; halt");
}

static void a_stop_takes_along_what_requires_it(void **state)
{
	(void)state;
	given_booted("db:; app: After=db Requires=db; other: After=db");
	uint32_t db = given_running("db");
	uint32_t app = given_running("app");
	given_running("other");
	when_asked(VERB_STOP, "db");
	then_answer(ANSWER_OK);
	then_does("signal app all 15");
	when_exits(app, 0);
	then_does("swept app; signal db all 15");
	when_exits(db, 0);
	then_state("db", IDLE);
	then_state("app", IDLE);
	then_state("other", UP);
}

static void a_restart_takes_along_what_requires_it(void **state)
{
	(void)state;
	given_booted("db:; app: After=db Requires=db");
	uint32_t db = given_running("db");
	uint32_t app = given_running("app");
	when_asked(VERB_RESTART, "db");
	then_does("signal app all 15");
	when_exits(app, 0);
	then_does("signal db all 15");
	then_state("app", STARTING);
	when_exits(db, 0);
	then_does("launch db start/0");
	when_launched("db");
	then_does("launch app start/0");
}

/* ---- requests ---- */

static void a_start_while_stopping_starts_anew(void **state)
{
	(void)state;
	given_booted("db:");
	uint32_t pid = given_running("db");
	when_asked(VERB_STOP, "db");
	when_asked(VERB_START, "db");
	then_does_nothing();
	then_state("db", STOPPING);
	when_killed(pid, SIGTERM);
	then_does("launch db start/0");
	assert_int_equal(service("db")->n_restarts, 0);
}

static void a_stop_is_final(void **state)
{
	(void)state;
	given_booted("db: Restart=always");
	uint32_t pid = given_running("db");
	when_asked(VERB_STOP, "db");
	when_killed(pid, SIGTERM);
	then_state("db", IDLE);
	then_cause(death_of("db"), CAUSE_STOP);
	then_is_quiet();
}

static void a_stop_ends_a_backoff(void **state)
{
	(void)state;
	given_booted("db: Restart=always RestartSec=500");
	when_exits(given_running("db"), 1);
	when_asked(VERB_STOP, "db");
	then_state("db", IDLE);
	then_does("swept db");
	when_time_passes(1000);
	then_does_nothing();
}

static void a_start_cuts_a_backoff_short(void **state)
{
	(void)state;
	given_booted("db: Restart=always RestartSec=500");
	when_exits(given_running("db"), 1);
	when_asked(VERB_START, "db");
	then_does("launch db start/0");
}

/* systemd.exec(5), "Process Exit Codes", and what is measured of it: 217/USER, 200/CHDIR, 203/EXEC. */
static void a_child_that_gets_no_further_leaves_with_a_status_of_its_own(void **state)
{
	(void)state;
	bool is_taken[256] = { false };
	for (size_t i = LAUNCH_CGROUP; i <= LAUNCH_EXEC; i++) {        /* behind it are those of chores, which have programs of their own */
		uint8_t status = launch_step_info[i].status;
		assert_non_null(launch_step_info[i].setting);
		assert_true(status >= 200 && exit_status_name(status));
		/* 205 is also that of CoredumpFilter=, which never ends a launch. */
		assert_true(!is_taken[status] || i == LAUNCH_COREDUMP_FILTER || i == LAUNCH_LIMITS);
		is_taken[status] = true;
	}
	assert_string_equal(exit_status_name(launch_step_info[LAUNCH_USER].status), "USER");
	assert_string_equal(exit_status_name(launch_step_info[LAUNCH_CHDIR].status), "CHDIR");
	assert_string_equal(exit_status_name(launch_step_info[LAUNCH_EXEC].status), "EXEC");
	assert_string_equal(exit_status_name(launch_step_info[LAUNCH_STATE_FOLDER].status), "STATE_DIRECTORY");
	assert_string_equal(exit_status_name(launch_step_info[LAUNCH_CAPABILITIES].status), "CAPABILITIES");
}

/* ---- what a generation leaves behind ---- */

static void what_is_left_behind_goes_before_the_next_generation(void **state)
{
	(void)state;
	given_booted("db: Restart=always RestartSec=500 Cleans");
	when_exits(given_running("db"), 1);
	then_does("launch db clean/1");
	then_state("db", SWEEPING);
	when_exits(when_command_launched("db"), 0);
	then_state("db", BACKOFF);
	when_time_passes(500);
	then_does("launch db start/0");
}

static void what_is_left_behind_goes_before_a_stop_is_over(void **state)
{
	(void)state;
	given_booted("db: Restart=always CleansAtRest");
	uint32_t pid = given_running("db");
	when_asked(VERB_STOP, "db");
	when_killed(pid, SIGTERM);
	then_does("launch db clean/0");
	then_state("db", STOPPING);
	uint32_t cleaner = when_command_launched("db");
	when_exits(cleaner, 0);
	then_does("swept db");
	then_state("db", IDLE);
}

static void what_may_stay_for_a_restart_stays(void **state)
{
	(void)state;
	given_booted("db: Restart=always RestartSec=500 CleansAtRest");
	when_exits(given_running("db"), 1);
	then_does_nothing();
	then_state("db", BACKOFF);
}

/* A dead disk: it is killed, and the service's own end is told as it was. */
static void a_cleaner_that_hangs_is_killed_and_not_missed(void **state)
{
	(void)state;
	given_booted("db: Cleans");
	when_exits(given_running("db"), 0);
	uint32_t cleaner = when_command_launched("db");
	then_does_nothing();
	when_time_passes(CLEAN_DEADLINE_MS);
	then_does("signal db all 9");
	when_killed(cleaner, SIGKILL);
	then_state("db", DONE);
}

static void a_cleaner_that_cannot_be_launched_is_not_waited_for(void **state)
{
	(void)state;
	given_booted("db: Cleans");
	when_exits(given_running("db"), 0);
	when_launch_failed("db", ROLE_CONTROL, LAUNCH_FORK, EAGAIN);
	then_state("db", DONE);
}

static void a_reload_runs_beside_the_main_process(void **state)
{
	(void)state;
	given_booted("db: Reload=2");
	uint32_t pid = given_running("db");
	when_asked(VERB_RELOAD, "db");
	then_does("launch db reload/0");
	uint32_t command = when_command_launched("db");
	when_asked(VERB_RELOAD, "db");
	then_answer(ANSWER_BUSY);
	when_exits(command, 1);
	then_does_nothing();                    /* the second command is not tried */
	then_state("db", UP);
	when_asked(VERB_STOP, "db");
	when_exits(pid, 0);
	then_state("db", IDLE);
	then_result("db", RESULT_SUCCESS);
}

static void a_reload_that_cannot_be_launched_harms_nobody(void **state)
{
	(void)state;
	given_booted("db: Reload=1 Restart=no");
	uint32_t pid = given_running("db");
	when_asked(VERB_RELOAD, "db");
	when_launch_failed("db", ROLE_CONTROL, LAUNCH_FORK, EAGAIN);
	then_state("db", UP);
	then_notes("death db");
	when_exits(pid, 0);
	then_state("db", DONE);
}

static void a_reload_that_hangs_is_killed_and_the_service_stays(void **state)
{
	(void)state;
	given_booted("db: Reload=1 TimeoutStart=3000");
	given_running("db");
	when_asked(VERB_RELOAD, "db");
	uint32_t command = when_command_launched("db");
	when_time_passes(3000);
	then_does("signal db control 9");
	when_killed(command, SIGKILL);
	then_state("db", UP);
	then_cause(last_death(), CAUSE_TIMEOUT);
	then_is_quiet();
}

static void a_reload_says_why_it_is_refused(void **state)
{
	(void)state;
	given_booted("db:; idle: Unwanted=1");
	given_running("db");
	when_asked(VERB_RELOAD, "db");
	then_answer(ANSWER_NO_RELOAD);
	when_asked(VERB_RELOAD, "idle");
	then_answer(ANSWER_NOT_RUNNING);
	when_asked(VERB_START, NULL);
	then_answer(ANSWER_NO_SUCH_UNIT);
	when_asked_with(VERB_KILL, "db", 65);
	then_answer(ANSWER_BAD_REQUEST);
	when_asked_with(VERB_KILL, "idle", SIGHUP);
	then_answer(ANSWER_NOT_RUNNING);
	when_asked_with(VERB_KILL, "db", SIGHUP);
	then_does("signal db all 1");
}

/* ---- respawning ---- */

static void the_delay_climbs_and_a_healthy_run_lets_it_fall(void **state)
{
	(void)state;
	static const uint32_t delays[] = { 100, 200, 400, 800, 1000, 1000 };
	given_booted("db: Restart=always RestartSec=100 RestartMax=1000");
	for (size_t i = 0; i < countof(delays); i++) {
		when_exits(given_running("db"), 1);
		then_backoff("db", delays[i]);
		when_time_passes(delays[i] - 1);
		then_does_nothing();
		when_time_passes(1);
		then_does("launch db start/0");
	}
	uint32_t pid = given_running("db");
	when_time_passes(HEALTHY_RUN_MS);
	when_exits(pid, 1);
	then_backoff("db", 100);
	assert_int_equal(service("db")->n_restarts, countof(delays) + 1);
}

static void the_start_limit_counts_where_it_is_set(void **state)
{
	(void)state;
	given_booted("db: Restart=always RestartSec=100 StartLimit=2");
	when_exits(given_running("db"), 1);
	then_backoff("db", 100);
	when_time_passes(100);
	when_exits(given_running("db"), 1);     /* a third start within the interval there will not be, so none is promised */
	assert_int_equal(service("db")->n_restarts, 1);
	then_state("db", FAILED);
	then_result("db", RESULT_START_LIMIT);
	then_does("swept db");
	when_asked(VERB_START, "db");           /* the operator forgives */
	then_does("launch db start/0");
}

static void what_passes_is_tried_again_whatever_restart_says(void **state)
{
	(void)state;
	given_booted("db: Restart=no");
	when_launch_failed("db", ROLE_MAIN, LAUNCH_FORK, ENOMEM);
	then_state("db", BACKOFF);
	then_result("db", RESULT_RESOURCES);
	then_cause(death_of("db"), CAUSE_START_FAILED);
	when_time_passes(BACKOFF_FIRST_MS * 2);
	then_does("launch db start/0");
}

static void what_does_not_pass_is_final(void **state)
{
	(void)state;
	given_booted("db: Restart=no");
	uint32_t pid = when_launched("db");
	struct event failed = event_of(EVENT_LAUNCH_FAILED, index_of("db"));
	failed.pid = pid;
	failed.step = LAUNCH_EXEC;
	failed.error = ENOENT;
	forget_effects();
	step(failed);
	then_state("db", SWEEPING);             /* until the child that could not is gone */
	when_exits(pid, 203);
	then_state("db", FAILED);
	then_result("db", RESULT_EXIT_CODE);
	assert_int_equal(death_of("db")->launch_step, LAUNCH_EXEC);
	assert_int_equal(death_of("db")->launch_error, ENOENT);
	assert_int_equal(w.core->next_death, 2);        /* one end, one record */
}

/* ---- out of memory ---- */

static void an_oom_kill_is_seen_with_both_witnesses_and_answered(void **state)
{
	(void)state;
	given_booted("db: RestartSec=500");     /* Restart= is not set */
	when_oom_killed("db", given_running("db"));
	then_cause(death_of("db"), CAUSE_OOM_KILL);
	assert_int_equal(death_of("db")->evidence, EVIDENCE_KMSG | EVIDENCE_MEMORY_EVENTS);
	assert_int_equal(death_of("db")->oom.anon_rss_kb, 4096);
	assert_true(death_of("db")->is_restart);
	assert_int_equal(death_of("db")->delay_ms, 500);
	assert_int_equal(service("db")->n_oom_kills, 1);
	then_backoff("db", 500);
}

static void restart_no_leaves_an_oom_kill_unanswered(void **state)
{
	(void)state;
	given_booted("db: Restart=no");
	when_oom_killed("db", given_running("db"));
	then_state("db", FAILED);
	then_result("db", RESULT_OOM_KILL);
}

static void the_count_alone_is_enough(void **state)
{
	(void)state;
	given_booted("db:");
	uint32_t pid = given_running("db");
	given_counter("db", 1);
	when_killed(pid, SIGKILL);
	then_cause(death_of("db"), CAUSE_OOM_KILL);
	assert_int_equal(death_of("db")->evidence, EVIDENCE_MEMORY_EVENTS);
	assert_true(death_of("db")->oom.anon_rss_kb == KMSG_UNTOLD_KB);
}

static void a_late_record_brings_the_details(void **state)
{
	(void)state;
	given_booted("db:");
	uint32_t pid = given_running("db");
	given_counter("db", 1);
	when_killed(pid, SIGKILL);
	when_time_passes(20);
	when_record("db", pid);
	then_notes("amended db");
	assert_int_equal(death_of("db")->evidence, EVIDENCE_KMSG | EVIDENCE_MEMORY_EVENTS);
	assert_int_equal(death_of("db")->oom.anon_rss_kb, 4096);
	assert_int_equal(service("db")->n_oom_kills, 1);
}

/* The kernel chose one that was leaving by itself: the count is spoken for by the record, whenever that comes. */
static void a_kill_of_one_that_left_by_itself_is_nobody_elses(void **state)
{
	(void)state;
	for (int is_late = 0; is_late < 2; is_late++) {
		given_booted("db: Stop=1");
		uint32_t pid = given_running("db");
		when_asked(VERB_STOP, "db");
		uint32_t command = when_command_launched("db");
		given_counter("db", 1);
		if (!is_late)
			when_record("db", pid);
		when_exits(pid, 0);
		if (is_late)
			when_record("db", pid);
		when_killed(command, SIGKILL);  /* by an operator */
		then_cause(core_death(w.core, w.core->next_death - 1), CAUSE_SIGNAL);
		end_story(NULL);
	}
}

/* No counter: the verdict waits a moment for the log. */
static void without_a_count_the_log_has_a_moment(void **state)
{
	(void)state;
	given_booted("db: Restart=no; app: Restart=no");
	w.has_counters = false;
	uint32_t db = given_running("db");
	uint32_t app = given_running("app");
	when_killed(db, SIGKILL);
	when_killed(app, SIGKILL);
	then_state("db", SWEEPING);
	when_time_passes(20);
	when_record("db", db);
	then_state("db", FAILED);
	then_cause(death_of("db"), CAUSE_OOM_KILL);
	then_state("app", SWEEPING);
	when_time_passes(30);
	then_state("app", FAILED);
	then_cause(death_of("app"), CAUSE_SIGNAL);
}

static void an_operators_sigkill_is_a_signal(void **state)
{
	(void)state;
	given_booted("db: Restart=on-failure RestartSec=500; other:");
	uint32_t pid = given_running("db");
	uint32_t other = given_running("other");
	when_oom_killed("other", other);        /* an OOM elsewhere, in the same second */
	when_asked_with(VERB_KILL, "db", SIGKILL);
	when_killed(pid, SIGKILL);
	then_cause(death_of("db"), CAUSE_SIGNAL);
	then_result("db", RESULT_SIGNAL);
	then_backoff("db", 500);
}

static void a_foreign_signal_is_told_with_its_sender(void **state)
{
	(void)state;
	given_booted("db: Restart=always RestartSec=500; other: Restart=always");
	w.sender = (struct sender){ 812, 1000, "bash" };
	when_killed(given_running("db"), SIGTERM);
	assert_int_equal(death_of("db")->sender.pid, 812);
	assert_int_equal(death_of("db")->sender.uid, 1000);
	assert_string_equal(death_of("db")->sender.comm, "bash");
	when_oom_killed("other", given_running("other"));
	then_cause(death_of("other"), CAUSE_OOM_KILL);
	assert_int_equal(death_of("other")->sender.pid, 0);
}

/* What looked like somebody's SIGKILL turns out to be the kernel's: the one who came second is not named. */
static void a_late_record_clears_the_sender(void **state)
{
	(void)state;
	given_booted("db: Restart=on-failure RestartSec=500");
	w.has_counters = false;
	w.sender = (struct sender){ 812, 0, "bash" };
	uint32_t pid = given_running("db");
	when_killed(pid, SIGKILL);
	assert_int_equal(last_death()->sender.pid, 812);
	when_record("db", pid);
	then_cause(death_of("db"), CAUSE_OOM_KILL);
	assert_int_equal(death_of("db")->sender.pid, 0);
}

static void nobody_is_named_for_what_we_sent_ourselves(void **state)
{
	(void)state;
	given_booted("db: TimeoutStop=1000");
	w.sender = (struct sender){ 812, 0, "bash" };
	uint32_t pid = given_running("db");
	when_asked(VERB_STOP, "db");
	when_killed(pid, SIGTERM);
	then_cause(death_of("db"), CAUSE_STOP);
	assert_int_equal(death_of("db")->sender.pid, 0);
}

static void a_record_older_than_the_process_is_not_about_it(void **state)
{
	(void)state;
	given_booted("db:");
	w.next_pid = 101;
	when_record("other", 101);
	when_killed(given_running("db"), SIGKILL);
	then_cause(death_of("db"), CAUSE_SIGNAL);
}

/* A command that is launched after the record was read must not hide it. */
static void a_reload_does_not_hide_the_record(void **state)
{
	(void)state;
	given_booted("db: Reload=1");
	w.has_counters = false;
	uint32_t pid = given_running("db");
	when_record("db", pid);                 /* chosen; it has not died yet */
	when_asked(VERB_RELOAD, "db");
	uint32_t command = when_command_launched("db");
	when_killed(pid, SIGKILL);
	when_killed(command, SIGKILL);
	then_cause(death_of("db"), CAUSE_OOM_KILL);
}

static void a_workers_oom_kill_wounds(void **state)
{
	(void)state;
	given_booted("db: OOMPolicy=continue");
	given_running("db");
	uint32_t worker = given_worker("db");
	when_oom_killed("db", worker);
	then_state("db", UP);
	then_does_nothing();
	then_notes("death db");
	then_cause(last_death(), CAUSE_OOM_KILL);
	assert_false(last_death()->is_main);
	assert_int_equal(last_death()->pid, worker);
	when_counter_rises("db", 0);
	when_time_passes(WOUND_GRACE_MS);
	then_notes("");                         /* told already */
}

static void a_wound_with_policy_stop_ends_the_service_in_order(void **state)
{
	(void)state;
	given_booted("db: OOMPolicy=stop Restart=on-failure RestartSec=500");
	uint32_t pid = given_running("db");
	when_record("db", given_worker("db"));
	then_does("signal db all 15");
	then_state("db", STOPPING);
	when_record("db", w.next_pid - 1);      /* a second wound while it ends */
	then_state("db", STOPPING);
	when_killed(w.next_pid - 1, SIGKILL);
	when_killed(pid, SIGTERM);
	then_result("db", RESULT_OOM_KILL);
	then_backoff("db", 500);
}

static void a_wound_with_policy_kill_kills_the_rest(void **state)
{
	(void)state;
	given_booted("db: OOMPolicy=kill RestartSec=500");
	uint32_t pid = given_running("db");
	uint32_t worker = given_worker("db");
	when_oom_killed("db", worker);
	then_does("");
	when_time_passes(GROUP_GRACE_MS);
	then_does("signal db all 9");
	when_killed(pid, SIGKILL);
	then_result("db", RESULT_OOM_KILL);
	then_backoff("db", 500);
}

/* OOM.md 0.6: three processes die, four kills are counted, the records name three. */
static void a_group_kill_is_counted_double_and_told_once(void **state)
{
	(void)state;
	given_booted("db: OOMPolicy=kill RestartSec=500");
	uint32_t pid = given_running("db");
	uint32_t workers[] = { given_worker("db"), given_worker("db") };
	given_counter("db", 4);
	when_record("db", workers[0]);
	when_record("db", pid);
	when_record("db", workers[1]);
	when_killed(workers[0], SIGKILL);
	when_killed(pid, SIGKILL);
	then_cause(death_of("db"), CAUSE_OOM_KILL);
	when_killed(workers[1], SIGKILL);
	then_backoff("db", 500);
	assert_int_equal(service("db")->n_oom_kills, 3);
	assert_int_equal(w.core->next_death, 4);
}

static void a_group_is_told_afterwards(void **state)
{
	(void)state;
	given_booted("db:");
	uint32_t pid = given_running("db");
	when_oom_killed("db", pid);
	struct oom_kill k = death_of("db")->oom;
	say_record(k, EVENT_OOM_GROUP);
	assert_true(death_of("db")->oom.is_group);
}

static void a_wound_on_the_counts_word_alone(void **state)
{
	(void)state;
	given_booted("db: OOMPolicy=continue");
	w.has_kmsg = false;
	uint32_t pid = given_running("db");
	when_counter_rises("db", 1);
	then_notes("");
	when_time_passes(WOUND_GRACE_MS);
	then_notes("death db");
	assert_int_equal(last_death()->evidence, EVIDENCE_MEMORY_EVENTS);
	assert_int_equal(last_death()->pid, 0);
	when_killed(pid, SIGKILL);              /* by an operator: the count is spoken for */
	then_cause(death_of("db"), CAUSE_SIGNAL);
}

static void a_nameless_wound_gets_its_name(void **state)
{
	(void)state;
	given_booted("db: OOMPolicy=continue");
	given_running("db");
	step(event_of(EVENT_KMSG_LOST, NO_UNIT));
	when_counter_rises("db", 1);
	when_time_passes(WOUND_GRACE_MS);
	when_record("db", given_worker("db"));
	then_notes("amended db");
	assert_int_equal(last_death()->pid, w.next_pid - 1);
	assert_int_equal(w.core->next_death, 2);
	assert_int_equal(service("db")->n_oom_kills, 1);
}

static void a_later_kill_gives_an_earlier_wound_no_name(void **state)
{
	(void)state;
	given_booted("db: OOMPolicy=continue");
	given_running("db");
	step(event_of(EVENT_KMSG_LOST, NO_UNIT));
	when_counter_rises("db", 1);
	when_time_passes(WOUND_GRACE_MS);
	when_counter_rises("db", 1);
	when_record("db", given_worker("db"));
	then_notes("death db");
	assert_int_equal(core_death(w.core, 1)->pid, 0);
	assert_int_equal(last_death()->pid, w.next_pid - 1);
	assert_int_equal(service("db")->n_oom_kills, 2);
}

/* The kernel told a victim without its cgroup, and the count tells whose it was. */
static void a_record_that_nobody_could_place_goes_to_the_count_that_rose(void **state)
{
	(void)state;
	given_booted("other: OOMPolicy=continue; db: OOMPolicy=continue");
	given_running("other");
	given_running("db");
	struct oom_kill k = kill_record("db", given_worker("db"));
	k.task_memcg[0] = '\0';
	when_counter_rises("db", 1);
	say_record(k, EVENT_OOM_KILL);
	then_notes("");
	when_time_passes(WOUND_GRACE_MS);
	then_notes("death db");
	assert_int_equal(last_death()->pid, k.pid);
	assert_int_equal(last_death()->evidence, EVIDENCE_KMSG | EVIDENCE_MEMORY_EVENTS);
}

/* A record without its victim's cgroup; the shell could not place it either. */
static struct oom_kill when_unplaced(uint32_t pid)
{
	struct oom_kill k = kill_record("none", pid);
	k.task_memcg[0] = '\0';
	say_record(k, EVENT_OOM_KILL);
	return k;
}

/* Two workers reaped by their parents, two counts that rose: the numbers do not tell which is whose. */
static void records_that_two_counts_may_claim_name_nobody(void **state)
{
	(void)state;
	given_booted("db: OOMPolicy=continue; app: OOMPolicy=continue");
	given_running("db");
	uint32_t app = given_running("app");
	when_counter_rises("db", 1);
	when_counter_rises("app", 1);
	when_unplaced(given_worker("db"));
	when_unplaced(given_worker("app"));
	when_killed(app, SIGTERM);
	assert_int_equal(core_death(w.core, 2)->pid, 0);
	then_cause(core_death(w.core, 2), CAUSE_OOM_KILL);
	assert_int_equal(core_death(w.core, 2)->evidence, EVIDENCE_MEMORY_EVENTS);
	when_time_passes(WOUND_GRACE_MS);
	then_cause(last_death(), CAUSE_OOM_KILL);
	assert_int_equal(last_death()->service, index_of("db"));
	assert_int_equal(last_death()->pid, 0);         /* though it is the last record left */
}

static void more_records_than_the_count_tells_of_name_nobody(void **state)
{
	(void)state;
	given_booted("db: OOMPolicy=continue");
	given_running("db");
	when_counter_rises("db", 1);
	when_unplaced(given_worker("db"));
	when_unplaced(900);                     /* of a stranger: no service has a count for it */
	when_time_passes(WOUND_GRACE_MS);
	assert_int_equal(last_death()->id, 1);
	assert_int_equal(last_death()->pid, 0);
	assert_int_equal(service("db")->n_oom_kills, 1);
}

/* The line that the count is of may be among those that nobody has read. */
static void records_after_a_loss_name_nobody(void **state)
{
	(void)state;
	given_booted("db: OOMPolicy=continue");
	given_running("db");
	step(event_of(EVENT_KMSG_LOST, NO_UNIT));
	when_counter_rises("db", 1);
	when_unplaced(900);                     /* of a unit that is gone, and left a process behind */
	when_time_passes(WOUND_GRACE_MS);
	then_cause(last_death(), CAUSE_OOM_KILL);
	assert_int_equal(last_death()->pid, 0);
	assert_int_equal(last_death()->evidence, EVIDENCE_MEMORY_EVENTS);
}

static void as_many_records_as_the_count_tells_of_are_all_its(void **state)
{
	(void)state;
	given_booted("db: OOMPolicy=continue; app:");
	uint32_t pid = given_running("db");
	given_running("app");
	uint32_t workers[] = { given_worker("db"), given_worker("db") };
	when_counter_rises("db", 2);
	when_unplaced(workers[0]);
	when_unplaced(workers[1]);
	when_time_passes(WOUND_GRACE_MS);
	assert_int_equal(last_death()->id, 2);
	assert_int_equal(core_death(w.core, 1)->pid, workers[0]);
	assert_int_equal(core_death(w.core, 2)->pid, workers[1]);
	assert_int_equal(core_death(w.core, 2)->evidence, EVIDENCE_KMSG | EVIDENCE_MEMORY_EVENTS);
	when_time_passes(WOUND_GRACE_MS);
	then_notes("");
	when_killed(pid, SIGKILL);              /* by an operator: the count is spoken for */
	then_cause(death_of("db"), CAUSE_SIGNAL);
}

/* Its count is the command's, which was named and dies slowly: it has nothing to claim a stranger's record with. */
static void who_is_named_and_not_dead_yet_leaves_no_count_to_claim_with(void **state)
{
	(void)state;
	given_booted("db: OOMPolicy=continue Post=1");
	uint32_t pid = when_launched("db"), command = when_command_launched("db");
	when_record("db", command);
	when_counter_rises("db", 1);
	when_unplaced(900);
	when_exits(pid, 0);
	assert_int_equal(w.core->next_death, 2);
	assert_int_equal(last_death()->pid, pid);
	assert_int_equal(service("db")->n_oom_kills, 0);
}

/* In a cgroup that is none of ours, by the record or by what the shell saw. */
static void a_strangers_record_is_no_services(void **state)
{
	(void)state;
	given_booted("db: OOMPolicy=continue");
	given_running("db");
	struct oom_kill k = kill_record("db", 900);
	strcpy(k.task_memcg, "/user.slice/shell");
	say_record(k, EVENT_OOM_KILL);
	struct event ev = event_of(EVENT_OOM_KILL, NO_UNIT);
	k = kill_record("db", 901);
	k.task_memcg[0] = '\0';
	ev.kill = &k;
	ev.is_ok = true;
	step(ev);
	when_counter_rises("db", 1);
	when_time_passes(WOUND_GRACE_MS);
	then_notes("");
	assert_int_equal(w.core->next_death, 1);
}

/* The count rises before the line is printed: one that rose after it is of another kill. */
static void a_record_is_not_of_a_count_that_rose_after_it(void **state)
{
	(void)state;
	given_booted("db: OOMPolicy=continue");
	given_running("db");
	when_unplaced(900);
	when_counter_rises("db", 1);
	when_time_passes(WOUND_GRACE_MS);
	then_notes("");
	when_record("db", given_worker("db"));
	assert_int_equal(last_death()->id, 1);
	assert_int_equal(last_death()->pid, w.next_pid - 1);
}

/* A group's count tells of one more than its lines (OOM.md 0.6), and so of nobody's record in particular. */
static void a_record_that_may_be_of_a_group_that_is_gone_names_nobody(void **state)
{
	(void)state;
	given_booted("db: OOMPolicy=continue; app: OOMPolicy=kill Restart=no");
	given_running("db");
	uint32_t app = given_running("app");
	struct oom_kill first = kill_record("app", app);
	when_counter_rises("db", 1);
	given_counter("app", 3);
	say_record(first, EVENT_OOM_KILL);
	say_record(first, EVENT_OOM_GROUP);
	when_counter_rises("app", 0);
	when_unplaced(900);
	when_killed(app, SIGKILL);
	then_state("app", FAILED);
	when_time_passes(WOUND_GRACE_MS);
	assert_int_equal(last_death()->service, index_of("db"));
	assert_int_equal(last_death()->pid, 0);
}

static void an_unplaced_record_waits_for_no_later_kill(void **state)
{
	(void)state;
	given_booted("db: OOMPolicy=continue");
	given_running("db");
	when_unplaced(900);
	when_time_passes(STRAY_MS);
	uint32_t worker = given_worker("db");
	when_counter_rises("db", 1);
	when_unplaced(worker);
	when_time_passes(WOUND_GRACE_MS);
	assert_int_equal(last_death()->id, 1);
	assert_int_equal(last_death()->pid, worker);
}

/*
 * What is judged in the step of the death is in `deaths` before the loop waits again: no grace is armed, and nothing more has to
 * come. It is left open only where the count rose and a log without holes names somebody else, or where there is no count (test_verdict.c).
 */
static void where_the_count_is_there_the_verdict_stands_in_the_step_of_the_death(void **state)
{
	(void)state;
	static const struct { uint32_t n_counted; bool has_kmsg, has_record; enum cause cause; } rows[] = {
		{ 0, true, false, CAUSE_SIGNAL }, { 0, false, false, CAUSE_SIGNAL },
		{ 1, true, true, CAUSE_OOM_KILL }, { 1, true, false, CAUSE_OOM_KILL }, { 1, false, false, CAUSE_OOM_KILL },
	};
	for (size_t i = 0; i < countof(rows); i++) {
		given_booted("db: Restart=always RestartSec=500");
		w.has_kmsg = rows[i].has_kmsg;
		uint32_t pid = given_running("db");
		given_counter("db", rows[i].n_counted);
		if (rows[i].has_record)
			when_record("db", pid);
		uint64_t n_steps = w.n_steps;
		when_killed(pid, SIGKILL);
		assert_int_equal(w.n_steps, n_steps + 1);
		then_cause(death_of("db"), rows[i].cause);
		assert_true(death_of("db")->is_decided);
		assert_int_equal(service("db")->grace_at, 0);
		then_backoff("db", 500);
		end_story(NULL);
	}
}

static void a_workers_kill_does_not_explain_the_main_process(void **state)
{
	(void)state;
	given_booted("db: OOMPolicy=continue");
	uint32_t pid = given_running("db");
	when_oom_killed("db", given_worker("db"));
	when_killed(pid, SIGKILL);
	then_cause(death_of("db"), CAUSE_SIGNAL);
}

static void a_kill_while_stopping_is_a_stop_with_a_note(void **state)
{
	(void)state;
	given_booted("db: TimeoutStop=1000");
	uint32_t pid = given_running("db");
	when_asked(VERB_STOP, "db");
	when_time_passes(1000);
	then_does("signal db all 9");
	given_counter("db", 1);
	when_killed(pid, SIGKILL);
	then_cause(death_of("db"), CAUSE_TIMEOUT);
	assert_true(death_of("db")->has_oom_besides);
	then_state("db", FAILED);
}

static void an_oom_kill_before_our_sigkill_is_an_oom_kill(void **state)
{
	(void)state;
	given_booted("db:");
	uint32_t pid = given_running("db");
	when_asked(VERB_STOP, "db");            /* TERM is sent, KILL is not */
	when_oom_killed("db", pid);
	then_cause(death_of("db"), CAUSE_OOM_KILL);
	then_state("db", FAILED);
}

static void lost_records_are_told_and_end_trust_in_silence(void **state)
{
	(void)state;
	given_booted("db:");
	w.has_counters = false;
	uint32_t pid = given_running("db");
	forget_effects();
	step(event_of(EVENT_KMSG_LOST, NO_UNIT));
	then_notes("kmsg-lost");
	when_killed(pid, SIGKILL);
	then_cause(death_of("db"), CAUSE_SIGNAL);       /* without waiting for a log that has holes */
	then_state("db", FAILED);
}

/* While it lasts the log is overrun a hundred times a second. */
static void a_flood_of_the_log_does_not_become_one_of_notes(void **state)
{
	(void)state;
	given_booted("db:");
	forget_effects();
	for (int i = 0; i < 100; i++)
		step(event_of(EVENT_KMSG_LOST, NO_UNIT));
	then_notes("kmsg-lost");
	when_time_passes(KMSG_LOST_AGAIN_MS);
	step(event_of(EVENT_KMSG_LOST, NO_UNIT));
	then_notes("kmsg-lost");
	assert_int_equal(w.core->n_kmsg_lost, 101);
}

/* ---- killing ---- */

static void a_term_that_is_not_heeded_becomes_a_kill_again_and_again(void **state)
{
	(void)state;
	given_booted("db: TimeoutStop=1000");
	uint32_t pid = given_running("db");
	when_asked(VERB_STOP, "db");
	then_does("signal db all 15");
	when_time_passes(1000);
	then_does("signal db all 9");
	when_time_passes(SWEEP_AGAIN_MS);       /* D state */
	then_does("signal db all 9");
	when_killed(pid, SIGKILL);
	then_state("db", FAILED);
}

static void gone_needs_the_main_process_reaped_and_the_cgroup_empty(void **state)
{
	(void)state;
	given_booted("db: Restart=no");
	uint32_t pid = given_running("db");
	uint32_t worker = given_worker("db");
	when_exits(pid, 0);
	then_state("db", SWEEPING);
	then_does("signal db all 9");
	remove_process(worker);
	when_emptied("db");
	then_state("db", DONE);
}

static void mixed_terms_the_main_process_and_kills_the_rest(void **state)
{
	(void)state;
	given_booted("db: KillMode=mixed");
	uint32_t pid = given_running("db");
	uint32_t worker = given_worker("db");
	when_asked(VERB_STOP, "db");
	then_does("signal db main 15");
	when_killed(pid, SIGTERM);
	then_does("signal db all 9");
	when_killed(worker, SIGKILL);
	then_state("db", IDLE);
}

static void process_leaves_the_rest_alone(void **state)
{
	(void)state;
	given_booted("db: KillMode=process");
	uint32_t pid = given_running("db");
	given_worker("db");
	when_asked(VERB_STOP, "db");
	then_does("signal db main 15");
	when_killed(pid, SIGTERM);
	then_state("db", IDLE);
	then_does("swept db");
}

static void none_sends_nothing_and_waits_for_nobody(void **state)
{
	(void)state;
	given_booted("db: KillMode=none");
	given_running("db");
	when_asked(VERB_STOP, "db");
	then_does("swept db");
	then_state("db", IDLE);
}

static void send_sigkill_no_gives_up_instead(void **state)
{
	(void)state;
	given_booted("db: NoSIGKILL=1 TimeoutStop=1000");
	given_running("db");
	when_asked(VERB_STOP, "db");
	then_does("signal db all 15");
	when_time_passes(1000);
	then_does("swept db");
	then_state("db", FAILED);
}

/* KillMode=process would let it be over with a launch still under way. */
static void a_stop_that_crosses_a_launch_waits_for_it(void **state)
{
	(void)state;
	given_booted("db: KillMode=process");
	when_asked(VERB_STOP, "db");            /* before LAUNCHED */
	then_state("db", STOPPING);
	uint32_t pid = when_launched("db");
	then_does("signal db main 15");
	when_killed(pid, SIGTERM);
	then_state("db", IDLE);
}

/* ---- configuration ---- */

static void a_reload_stops_what_left_then_starts_what_came(void **state)
{
	(void)state;
	given_booted("old:; kept:");
	uint32_t old = given_running("old");
	uint32_t kept = given_running("kept");
	when_asked(VERB_RELOAD, NULL);
	then_does("load");
	then_answer(-1);                        /* later */
	when_loaded("new:; kept:");
	then_does("signal old all 15");
	when_killed(old, SIGTERM);
	then_does("swept old; adopt");
	when_adopted();
	then_answer(ANSWER_OK);
	then_does("launch new start/0");
	then_state("kept", UP);
	assert_int_equal(service("kept")->main_pid, kept);
	when_exits(kept, 1);
	then_cause(death_of("kept"), CAUSE_EXIT);
}

static void a_removed_unit_does_not_take_along_what_no_longer_needs_it(void **state)
{
	(void)state;
	given_booted("db:; app: Requires=db");
	uint32_t db = given_running("db");
	given_running("app");
	when_loaded("app:");
	when_killed(db, SIGTERM);
	when_adopted();
	then_state("app", UP);
}

static void a_mended_unit_starts(void **state)
{
	(void)state;
	given_booted("db: Broken=1");
	then_state("db", FAILED);
	when_loaded("db:");
	then_does("adopt");
	when_adopted();
	then_does("launch db start/0");
}

static void a_load_that_fails_changes_nothing(void **state)
{
	(void)state;
	given_booted("db:");
	given_running("db");
	when_asked(VERB_RELOAD, NULL);
	struct event ev = event_of(EVENT_RELOADED, NO_UNIT);
	ev.error = ENOMEM;
	forget_effects();
	step(ev);
	then_answer(ANSWER_LOAD_FAILED);
	then_notes("load-failed");
	then_state("db", UP);
}

static void when_warned(const char *name, enum launch_step which, int error)
{
	struct event ev = event_of(EVENT_LAUNCH_WARNING, index_of(name));
	ev.step = (uint8_t)which;
	ev.error = error;
	forget_effects();
	step(ev);
}

static void what_could_not_be_had_is_told_once_for_each_setting(void **state)
{
	(void)state;
	given_booted("db:");
	given_running("db");
	when_warned("db", LAUNCH_CGROUP, ENOENT);
	then_notes("warning db");
	when_warned("db", LAUNCH_NICE, EPERM);
	then_notes("warning db");
	when_warned("db", LAUNCH_CGROUP, ENOENT);
	then_notes("");
}

static void when_load_fails(int error)
{
	struct event ev = event_of(EVENT_RELOADED, NO_UNIT);
	ev.error = error;
	forget_effects();
	step(ev);
}

static void a_load_that_fails_for_a_shortage_is_tried_again_and_told_once(void **state)
{
	(void)state;
	given_booted("db:");
	given_running("db");
	when_load_fails(EMFILE);
	then_notes("load-failed");
	when_time_passes(RETRY_MS);
	then_does("load");
	when_load_fails(EMFILE);
	then_notes("");
	when_time_passes(RETRY_MS);
	when_load_fails(ECHILD);
	then_notes("load-failed");
	when_time_passes(RETRY_MS);
	then_does_nothing();
}

static void files_that_change_in_a_burst_are_read_once(void **state)
{
	(void)state;
	given_booted("db:");
	given_running("db");
	for (int i = 0; i < 3; i++) {
		step(event_of(EVENT_FILES, NO_UNIT));
		when_time_passes(RELOAD_SETTLE_MS - 1);
		then_does_nothing();
	}
	when_time_passes(1);
	then_does("load");
}

/* ---- the end ---- */

static void the_machine_goes_down_though_the_disk_hangs(void **state)
{
	(void)state;
	given_booted("db:");
	uint32_t pid = given_running("db");
	when_signalled(SIGINT);
	when_asked(VERB_START, "db");
	then_answer(ANSWER_STOPPING);
	when_killed(pid, SIGTERM);
	then_does("swept db; halt");
	when_time_passes(HALT_DEADLINE_MS - 1);
	then_does_nothing();
	when_time_passes(1);
	then_does("power reboot 0");
	then_is_quiet();
}

static void the_power_goes_when_all_is_unmounted(void **state)
{
	(void)state;
	given_booted("db: Unwanted=1");
	when_asked_with(VERB_POWER, NULL, POWER_OFF);
	then_does("halt");
	forget_effects();
	step(event_of(EVENT_HALTED, NO_UNIT));
	then_does("power poweroff 0");
}

static void a_container_ends_when_its_services_have(void **state)
{
	(void)state;
	given_booted_as(MODE_CONTAINER, "db:");
	uint32_t pid = given_running("db");
	when_signalled(SIGTERM);
	then_does("signal db all 15");
	when_killed(pid, SIGTERM);
	then_does("swept db; power exit 0");
}

static void a_command_gets_the_signals_and_gives_its_status(void **state)
{
	(void)state;
	static const struct { int code, status, expected; } rows[] = {
		{ CLD_EXITED, 0, 0 }, { CLD_EXITED, 3, 3 }, { CLD_KILLED, SIGKILL, 137 }, { CLD_DUMPED, SIGSEGV, 139 },
	};
	for (size_t i = 0; i < countof(rows); i++) {
		given_booted_as(MODE_COMMAND, "command: Restart=no");
		uint32_t pid = given_running("command");
		when_signalled(SIGUSR1);
		then_does("signal command main 10");
		forget_effects();
		die(pid, rows[i].code, rows[i].status);
		char expected[64];
		snprintf(expected, sizeof expected, "swept command; power exit %d", rows[i].expected);
		then_does(expected);
		end_story(NULL);
	}
}

static void a_command_that_cannot_run_says_so_as_a_shell_does(void **state)
{
	(void)state;
	static const struct { int error; const char *expected; } rows[] = {
		{ ENOENT, "swept command; power exit 127" }, { EACCES, "swept command; power exit 126" },
	};
	for (size_t i = 0; i < countof(rows); i++) {
		given_booted_as(MODE_COMMAND, "command: Restart=no");
		when_launch_failed("command", ROLE_MAIN, LAUNCH_EXEC, rows[i].error);
		then_does(rows[i].expected);
		end_story(NULL);
	}
}

/* ---- many ---- */

static void many_services_start_over_several_steps(void **state)
{
	(void)state;
	char *text = calloc(500, 8);
	for (int i = 0; i < 500; i++)
		sprintf(text + strlen(text), "s%03d:;", i);
	given_booted(text);
	free(text);
	assert_int_equal(w.n_launches, 500);
	assert_true(w.n_steps > 500 * 2 / EFFECTS_MAX);
	for (uint32_t i = 0; i < 500; i++)
		assert_int_equal(w.core->services[i].state, STARTING);
}

#define STORY(f) cmocka_unit_test_teardown(f, end_story)

/* ---- a count that many share ---- */

static void as_many_dead_as_were_counted_were_all_killed_for_memory(void **state)
{
	(void)state;
	given_booted("db: RestartSec=500; app: Restart=no");
	given_shared_count(SHARED_MEMORY_EVENTS, true, 4);
	uint32_t db = given_running("db"), app = given_running("app");
	given_shared_count(SHARED_MEMORY_EVENTS, true, 6);
	when_killed(db, SIGKILL);
	then_state("db", SWEEPING);             /* held: what comes next hangs on the verdict */
	when_time_passes(20);
	when_killed(app, SIGKILL);
	assert_int_equal(death_of("app")->doubt, DOUBT_HELD);
	when_time_passes(EVIDENCE_GRACE_MS - 20);
	then_backoff("db", 500);
	then_state("app", FAILED);
	const char *const names[] = { "db", "app" };
	for (size_t i = 0; i < countof(names); i++) {
		then_cause(death_of(names[i]), CAUSE_OOM_KILL);
		assert_int_equal(death_of(names[i])->evidence, EVIDENCE_MEMORY_EVENTS);
		assert_int_equal(death_of(names[i])->doubt, DOUBT_NONE);
		assert_int_equal(service(names[i])->n_oom_kills, 1);
		then_result(names[i], RESULT_OOM_KILL);
	}
	when_time_passes(500);
	then_does("launch db start/0");
}

static void fewer_counted_than_died_accuse_nobody(void **state)
{
	(void)state;
	given_booted("db: Restart=always RestartSec=500; app:");
	given_shared_count(SHARED_OOM_CONTROL, true, 0);
	uint32_t db = given_running("db"), app = given_running("app");
	given_shared_count(SHARED_OOM_CONTROL, true, 1);
	when_killed(db, SIGKILL);
	when_killed(app, SIGKILL);
	when_time_passes(EVIDENCE_GRACE_MS);
	then_cause(death_of("db"), CAUSE_SIGNAL);
	then_cause(death_of("app"), CAUSE_SIGNAL);
	assert_int_equal(death_of("db")->doubt, DOUBT_FEWER);
	assert_int_equal(death_of("app")->doubt, DOUBT_FEWER);
	then_backoff("db", 500);
	then_state("app", FAILED);              /* no Restart=, and no OOM kill that would be answered without */
	then_result("app", RESULT_SIGNAL);
	assert_int_equal(service("app")->n_oom_kills, 0);
}

/* The count rises before the signal is sent: who is seen dead before it rose is not of it. */
static void who_died_before_the_count_rose_is_told_apart(void **state)
{
	(void)state;
	given_booted("db:; app:");
	given_shared_count(SHARED_OOM_CONTROL, true, 0);
	uint32_t db = given_running("db"), app = given_running("app");
	given_shared_count(SHARED_OOM_CONTROL, true, 0);
	when_killed(db, SIGKILL);
	then_cause(death_of("db"), CAUSE_SIGNAL);
	assert_int_equal(death_of("db")->doubt, DOUBT_NONE);
	then_state("db", FAILED);               /* and nobody waits */
	given_shared_count(SHARED_OOM_CONTROL, true, 1);
	when_killed(app, SIGKILL);
	when_time_passes(EVIDENCE_GRACE_MS);
	then_cause(death_of("app"), CAUSE_OOM_KILL);
	assert_int_equal(death_of("app")->evidence, EVIDENCE_OOM_CONTROL);
}

static void our_own_sigkill_and_other_ends_claim_nothing_of_the_count(void **state)
{
	(void)state;
	given_booted("db: TimeoutStop=1000; app:; web:");
	given_shared_count(SHARED_MEMORY_EVENTS, true, 0);
	uint32_t db = given_running("db"), app = given_running("app"), web = given_running("web");
	when_asked(VERB_STOP, "db");
	when_time_passes(1000);
	given_shared_count(SHARED_MEMORY_EVENTS, true, 1);
	when_killed(db, SIGKILL);
	when_exits(app, 137);
	when_killed(web, SIGKILL);
	when_time_passes(EVIDENCE_GRACE_MS);
	then_cause(death_of("db"), CAUSE_TIMEOUT);
	then_cause(death_of("app"), CAUSE_EXIT);
	then_cause(death_of("web"), CAUSE_OOM_KILL);
}

static void who_is_swept_up_behind_a_victim_claims_nothing_of_the_count(void **state)
{
	(void)state;
	given_booted("db:");
	given_shared_count(SHARED_MEMORY_EVENTS, true, 0);
	uint32_t db = given_running("db"), worker = given_worker("db");
	given_shared_count(SHARED_MEMORY_EVENTS, true, 1);
	when_killed(db, SIGKILL);
	then_does("signal db all 9");
	when_killed(worker, SIGKILL);
	when_time_passes(EVIDENCE_GRACE_MS);
	then_cause(death_of("db"), CAUSE_OOM_KILL);
}

static void an_orphan_may_be_whom_the_count_is_about(void **state)
{
	(void)state;
	given_booted("db:");
	given_shared_count(SHARED_MEMORY_EVENTS, true, 0);
	uint32_t db = given_running("db");
	given_shared_count(SHARED_MEMORY_EVENTS, true, 1);
	struct event ev = event_of(EVENT_DEATH, NO_UNIT);
	ev.pid = 999;
	ev.code = CLD_KILLED;
	ev.status = SIGKILL;
	step(ev);
	when_killed(db, SIGKILL);
	when_time_passes(EVIDENCE_GRACE_MS);
	then_cause(death_of("db"), CAUSE_SIGNAL);
	assert_int_equal(death_of("db")->doubt, DOUBT_FEWER);
}

static void a_worker_counted_long_ago_is_not_laid_at_the_main_process_door(void **state)
{
	(void)state;
	given_booted("db:");
	given_shared_count(SHARED_MEMORY_EVENTS, true, 0);
	uint32_t db = given_running("db");
	given_shared_count(SHARED_MEMORY_EVENTS, true, 1);      /* a worker's, whom its parent reaps */
	when_time_passes(WOUND_GRACE_MS);
	given_shared_count(SHARED_MEMORY_EVENTS, true, 1);
	when_killed(db, SIGKILL);
	then_cause(death_of("db"), CAUSE_SIGNAL);
	assert_int_equal(death_of("db")->doubt, DOUBT_NONE);
	then_state("db", FAILED);
}

static void the_machines_count_is_a_hint_where_others_live_on_it(void **state)
{
	(void)state;
	given_booted("db:; app:");
	given_shared_count(SHARED_VMSTAT, false, 3);
	uint32_t db = given_running("db"), app = given_running("app");
	when_killed(db, SIGKILL);
	assert_int_equal(death_of("db")->doubt, DOUBT_NONE);    /* nobody was killed on the whole machine */
	given_shared_count(SHARED_VMSTAT, false, 4);
	when_killed(app, SIGKILL);
	then_cause(death_of("app"), CAUSE_SIGNAL);
	assert_int_equal(death_of("app")->doubt, DOUBT_ANYBODYS);
	then_state("app", FAILED);              /* at once: waiting would prove no more */
}

static void without_any_witness_an_oom_kill_is_possible_and_not_claimed(void **state)
{
	(void)state;
	given_booted("db:; app:");
	w.has_counters = w.has_kmsg = false;
	uint32_t db = given_running("db"), app = given_running("app");
	when_killed(db, SIGKILL);
	then_cause(death_of("db"), CAUSE_SIGNAL);
	assert_int_equal(death_of("db")->doubt, DOUBT_NO_WITNESS);
	when_killed(app, SIGTERM);
	assert_int_equal(death_of("app")->doubt, DOUBT_NONE);
}

static void a_command_of_a_burst_is_told_again_when_it_is_known(void **state)
{
	(void)state;
	given_booted("db: Reload=1");
	given_shared_count(SHARED_MEMORY_EVENTS, true, 0);
	given_running("db");
	when_asked(VERB_RELOAD, "db");
	uint32_t command = when_command_launched("db");
	given_shared_count(SHARED_MEMORY_EVENTS, true, 1);
	when_killed(command, SIGKILL);
	then_state("db", UP);
	assert_int_equal(last_death()->doubt, DOUBT_HELD);
	when_time_passes(EVIDENCE_GRACE_MS);
	then_notes("amended db");
	then_cause(last_death(), CAUSE_OOM_KILL);
	assert_false(last_death()->is_main);
	then_state("db", UP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(a_simple_service_is_up_once_it_runs),
		STORY(an_exec_service_is_up_once_its_program_runs),
		STORY(a_notify_service_is_up_once_it_says_so),
		STORY(a_oneshot_runs_its_commands_one_by_one),
		STORY(a_oneshot_with_remain_after_exit_is_up_without_a_process),
		STORY(the_plan_goes_from_pre_over_main_to_post),
		STORY(a_pre_command_that_fails_ends_the_start),
		STORY(a_pre_command_may_fail_where_it_says_so),
		STORY(a_post_command_that_fails_is_the_reason_told),
		STORY(readiness_that_does_not_come_is_a_timeout),
		STORY(a_clean_exit_before_readiness_is_a_failure),
		STORY(a_told_main_process_is_over_when_nobody_is_left),
		STORY(a_stop_does_not_wait_for_a_told_main_process_that_is_gone),
		STORY(the_log_tells_of_a_told_main_process_that_is_gone),
		STORY(after_waits_for_ready),
		STORY(what_failed_before_it_does_not_keep_it_from_starting),
		STORY(a_required_unit_that_fails_fails_it_too),
		STORY(a_start_tries_what_it_requires_once_more),
		STORY(a_required_unit_in_backoff_is_waited_for),
		STORY(requires_and_wants_pull_in),
		STORY(a_broken_unit_never_starts),
		STORY(stopping_goes_backwards),
		STORY(a_stop_takes_along_what_requires_it),
		STORY(a_restart_takes_along_what_requires_it),
		STORY(a_start_while_stopping_starts_anew),
		STORY(a_stop_is_final),
		STORY(a_stop_ends_a_backoff),
		STORY(a_start_cuts_a_backoff_short),
		STORY(a_child_that_gets_no_further_leaves_with_a_status_of_its_own),
		STORY(what_is_left_behind_goes_before_the_next_generation),
		STORY(what_is_left_behind_goes_before_a_stop_is_over),
		STORY(what_may_stay_for_a_restart_stays),
		STORY(a_cleaner_that_hangs_is_killed_and_not_missed),
		STORY(a_cleaner_that_cannot_be_launched_is_not_waited_for),
		STORY(a_reload_runs_beside_the_main_process),
		STORY(a_reload_that_cannot_be_launched_harms_nobody),
		STORY(a_reload_that_hangs_is_killed_and_the_service_stays),
		STORY(a_reload_says_why_it_is_refused),
		STORY(the_delay_climbs_and_a_healthy_run_lets_it_fall),
		STORY(the_start_limit_counts_where_it_is_set),
		STORY(what_passes_is_tried_again_whatever_restart_says),
		STORY(what_does_not_pass_is_final),
		STORY(an_oom_kill_is_seen_with_both_witnesses_and_answered),
		STORY(restart_no_leaves_an_oom_kill_unanswered),
		STORY(the_count_alone_is_enough),
		STORY(a_late_record_brings_the_details),
		STORY(a_kill_of_one_that_left_by_itself_is_nobody_elses),
		STORY(without_a_count_the_log_has_a_moment),
		STORY(an_operators_sigkill_is_a_signal),
		STORY(a_foreign_signal_is_told_with_its_sender),
		STORY(a_late_record_clears_the_sender),
		STORY(nobody_is_named_for_what_we_sent_ourselves),
		STORY(a_record_older_than_the_process_is_not_about_it),
		STORY(a_reload_does_not_hide_the_record),
		STORY(a_workers_oom_kill_wounds),
		STORY(a_wound_with_policy_stop_ends_the_service_in_order),
		STORY(a_wound_with_policy_kill_kills_the_rest),
		STORY(a_group_kill_is_counted_double_and_told_once),
		STORY(a_group_is_told_afterwards),
		STORY(a_wound_on_the_counts_word_alone),
		STORY(a_nameless_wound_gets_its_name),
		STORY(a_later_kill_gives_an_earlier_wound_no_name),
		STORY(a_record_that_nobody_could_place_goes_to_the_count_that_rose),
		STORY(records_after_a_loss_name_nobody),
		STORY(records_that_two_counts_may_claim_name_nobody),
		STORY(more_records_than_the_count_tells_of_name_nobody),
		STORY(as_many_records_as_the_count_tells_of_are_all_its),
		STORY(who_is_named_and_not_dead_yet_leaves_no_count_to_claim_with),
		STORY(a_strangers_record_is_no_services),
		STORY(a_record_is_not_of_a_count_that_rose_after_it),
		STORY(a_record_that_may_be_of_a_group_that_is_gone_names_nobody),
		STORY(an_unplaced_record_waits_for_no_later_kill),
		STORY(where_the_count_is_there_the_verdict_stands_in_the_step_of_the_death),
		STORY(a_workers_kill_does_not_explain_the_main_process),
		STORY(a_kill_while_stopping_is_a_stop_with_a_note),
		STORY(an_oom_kill_before_our_sigkill_is_an_oom_kill),
		STORY(lost_records_are_told_and_end_trust_in_silence),
		STORY(a_flood_of_the_log_does_not_become_one_of_notes),
		STORY(a_term_that_is_not_heeded_becomes_a_kill_again_and_again),
		STORY(gone_needs_the_main_process_reaped_and_the_cgroup_empty),
		STORY(mixed_terms_the_main_process_and_kills_the_rest),
		STORY(process_leaves_the_rest_alone),
		STORY(none_sends_nothing_and_waits_for_nobody),
		STORY(send_sigkill_no_gives_up_instead),
		STORY(a_stop_that_crosses_a_launch_waits_for_it),
		STORY(a_reload_stops_what_left_then_starts_what_came),
		STORY(a_removed_unit_does_not_take_along_what_no_longer_needs_it),
		STORY(a_mended_unit_starts),
		STORY(a_load_that_fails_changes_nothing),
		STORY(what_could_not_be_had_is_told_once_for_each_setting),
		STORY(a_load_that_fails_for_a_shortage_is_tried_again_and_told_once),
		STORY(files_that_change_in_a_burst_are_read_once),
		STORY(the_machine_goes_down_though_the_disk_hangs),
		STORY(the_power_goes_when_all_is_unmounted),
		STORY(a_container_ends_when_its_services_have),
		STORY(a_command_gets_the_signals_and_gives_its_status),
		STORY(a_command_that_cannot_run_says_so_as_a_shell_does),
		STORY(as_many_dead_as_were_counted_were_all_killed_for_memory),
		STORY(fewer_counted_than_died_accuse_nobody),
		STORY(who_died_before_the_count_rose_is_told_apart),
		STORY(our_own_sigkill_and_other_ends_claim_nothing_of_the_count),
		STORY(who_is_swept_up_behind_a_victim_claims_nothing_of_the_count),
		STORY(an_orphan_may_be_whom_the_count_is_about),
		STORY(a_worker_counted_long_ago_is_not_laid_at_the_main_process_door),
		STORY(the_machines_count_is_a_hint_where_others_live_on_it),
		STORY(without_any_witness_an_oom_kill_is_possible_and_not_claimed),
		STORY(a_command_of_a_burst_is_told_again_when_it_is_known),
		STORY(many_services_start_over_several_steps),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
