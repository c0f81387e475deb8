/* Stories of a whole life: the types, every list of commands, and every way to be ended. */
#include "story.h"

#include "lib/condition.h"

/* ---- commands around a life ---- */

static void a_condition_that_says_no_passes_the_unit_over(void **state)
{
	(void)state;
	given_booted("db: Condition=2 StopPost=1 Restart=always");
	when_exits(when_command_launched("db"), 0);
	then_does("launch db condition/1");
	when_exits(when_command_launched("db"), 1);
	then_does("launch db stop-post/0");
	when_exits(when_command_launched("db"), 0);
	then_state("db", DONE);
	then_result("db", RESULT_EXEC_CONDITION);
	then_notes("done db");
	assert_int_equal(w.core->next_death, 1);        /* an answer, not a death */
}

/* Condition...= before ExecCondition=, and ExecStopPost= behind the second only: before it nothing of the unit's has run. */
static void the_conditions_of_the_unit_come_before_its_commands(void **state)
{
	(void)state;
	given_booted("db: Check=1 Condition=1 Pre=1 StopPost=1 PIDFile=1");
	when_exits(when_command_launched("db"), 1);
	then_does("swept db");
	then_state("db", DONE);
	when_asked(VERB_START, "db");
	when_exits(when_command_launched("db"), 0);
	then_does("launch db condition/0");
	when_exits(when_command_launched("db"), 1);
	then_does("launch db stop-post/0");
}

/* Another unit may own a folder of the same name: systemd removes nothing for one that its conditions passed over. */
static void who_has_not_begun_leaves_nothing_behind(void **state)
{
	(void)state;
	given_booted("db: Check=1 Cleans; web: Requires=db After=db Cleans; app: Check=1 Cleans; cms: Condition=1 Cleans");
	when_exits(when_command_launched("db"), CHECK_ASSERTION + 1);
	then_does("swept db; swept web");
	uint32_t checker = when_command_launched("app");
	when_asked(VERB_STOP, "app");
	when_killed(checker, SIGTERM);
	then_state("app", IDLE);
	when_exits(when_command_launched("cms"), 1);
	then_does("launch cms clean/0");
}

/* RuntimeDirectoryPreserve=restart: it is the generation before that has made it. */
static void what_was_kept_for_a_restart_goes_when_that_does_not_come(void **state)
{
	(void)state;
	given_booted("db: Check=1 Restart=always RestartSec=500 CleansAtRest");
	when_exits(when_command_launched("db"), 0);
	when_exits(when_launched("db"), 1);
	when_time_passes(500);
	when_exits(when_command_launched("db"), 1);
	then_does("launch db clean/0");
	when_exits(when_command_launched("db"), 0);
	then_state("db", DONE);
}

static void a_condition_that_fails_fails_the_unit(void **state)
{
	(void)state;
	given_booted("db: Condition=1; web: Condition=1");
	when_exits(when_command_launched("db"), 255);
	then_state("db", FAILED);
	then_result("db", RESULT_EXIT_CODE);
	when_killed(when_command_launched("web"), SIGTERM + 1);
	then_result("web", RESULT_SIGNAL);
}

static void stop_post_follows_every_end(void **state)
{
	(void)state;
	given_booted("db: StopPost=2 Restart=always RestartSec=500");
	when_exits(given_running("db"), 3);
	then_does("launch db stop-post/0");
	then_state("db", STOPPING);
	when_exits(when_command_launched("db"), 0);
	then_does("launch db stop-post/1");
	when_exits(when_command_launched("db"), 0);
	then_backoff("db", 500);
	then_result("db", RESULT_EXIT_CODE);
	assert_int_equal(service("db")->main_status, 3);
}

static void stop_post_follows_a_start_that_failed(void **state)
{
	(void)state;
	given_booted("db: Pre=1 StopPost=1");
	when_exits(when_command_launched("db"), 3);
	then_does("launch db stop-post/0");
	when_exits(when_command_launched("db"), 0);
	then_state("db", FAILED);
}

static void stop_post_has_nothing_to_clean_up_where_nothing_began(void **state)
{
	(void)state;
	given_booted("app: After=db Requires=db StopPost=1; db: Type=notify");
	when_exits(when_launched("db"), 1);
	then_state("app", FAILED);
	then_does("swept db; swept app");
}

static void a_stop_post_that_hangs_is_ended(void **state)
{
	(void)state;
	given_booted("db: StopPost=2 TimeoutStop=1000");
	when_exits(given_running("db"), 0);
	uint32_t pid = when_command_launched("db");
	when_time_passes(1000);
	then_does("signal db all 15");
	when_time_passes(1000);
	then_does("signal db all 9");
	when_killed(pid, SIGKILL);
	then_state("db", FAILED);
	then_result("db", RESULT_TIMEOUT);
}

static void an_exec_stop_that_hangs_leaves_the_service_its_own_time(void **state)
{
	(void)state;
	given_booted("db: Stop=2 TimeoutStop=1000");
	uint32_t pid = given_running("db");
	when_asked(VERB_STOP, "db");
	uint32_t hanging = when_command_launched("db");
	when_time_passes(1000);
	then_does("signal db all 15");
	when_killed(hanging, SIGTERM);
	then_does_nothing();
	when_exits(pid, 0);
	then_state("db", FAILED);
	then_result("db", RESULT_TIMEOUT);
}

static void who_leaves_well_is_cleaned_up_behind_by_exec_stop(void **state)
{
	(void)state;
	given_booted("db: Stop=1; web: Stop=1; job: Type=oneshot Stop=1");
	when_exits(given_running("db"), 0);
	then_does("launch db stop/0");
	when_exits(when_command_launched("db"), 0);
	then_state("db", DONE);
	when_exits(given_running("web"), 1);
	then_does("swept web");
	when_exits(when_launched("job"), 0);
	then_does("launch job stop/0");
	when_exits(when_command_launched("job"), 0);
	then_state("job", DONE);
}

/* ---- forking ---- */

static uint32_t given_forked(const char *name)
{
	uint32_t parent = when_command_launched(name);
	uint32_t daemon = given_worker(name);
	when_exits(parent, 0);
	return daemon;
}

static void a_forking_service_is_up_once_its_main_process_is_found(void **state)
{
	(void)state;
	given_booted("db: Type=forking Post=1");
	then_does("launch db start/0");
	uint32_t pid = given_forked("db");
	then_does("launch db find-main/0");
	uint32_t finder = when_command_launched("db");
	when_main_found("db", pid);
	then_state("db", STARTING);
	when_exits(finder, 0);
	then_does("launch db post/0");
	when_exits(when_command_launched("db"), 0);
	then_state("db", UP);
	assert_int_equal(service("db")->main_pid, pid);
	when_exits(pid, 1);
	then_state("db", FAILED);
	then_result("db", RESULT_EXIT_CODE);
}

static void what_forks_has_to_succeed(void **state)
{
	(void)state;
	given_booted("db: Type=forking; web: Type=forking Start=1-");
	when_exits(when_command_launched("db"), 3);
	then_state("db", FAILED);
	then_result("db", RESULT_EXIT_CODE);
	when_exits(when_command_launched("web"), 3);
	then_does("launch web find-main/0");
}

/* As Debian's postgresql@.service has it: systemd too calls ExecStop= then, and its failure is the result (measured). */
static void a_daemon_whose_command_may_fail_has_left_well_whatever_ended_it(void **state)
{
	(void)state;
	given_booted("db: Type=forking Start=1- Stop=1");
	uint32_t pid = given_forked("db"), finder = when_command_launched("db");
	when_main_found("db", pid);
	when_exits(finder, 0);
	when_killed(pid, SIGKILL);
	then_does("launch db stop/0");
	when_exits(when_command_launched("db"), 2);
	then_state("db", FAILED);
	then_result("db", RESULT_EXIT_CODE);
}

static void a_daemon_that_was_killed_before_it_was_found_dies_of_that(void **state)
{
	(void)state;
	given_booted("db: Type=forking OOMPolicy=continue Post=1");
	uint32_t parent = when_command_launched("db"), pid = given_worker("db");
	given_counter("db", 1);
	when_record("db", pid);                 /* in D state: it will not die just yet */
	then_notes("death db");
	when_exits(parent, 0);
	when_command_launched("db");
	when_main_found("db", pid);
	when_exits(w.next_pid - 1, 0);
	when_killed(pid, SIGKILL);
	then_cause(last_death(), CAUSE_OOM_KILL);
	then_result("db", RESULT_OOM_KILL);
	assert_int_equal(service("db")->n_oom_kills, 1);
}

static void a_daemon_that_nobody_found_lives_as_long_as_anybody_of_it(void **state)
{
	(void)state;
	given_booted("db: Type=forking NoGuess=1 Restart=always RestartSec=500");
	uint32_t one = given_forked("db");
	then_state("db", UP);
	uint32_t other = given_worker("db");
	when_killed(one, SIGKILL);
	then_state("db", UP);
	when_exits(other, 0);
	then_backoff("db", 500);
	then_result("db", RESULT_SUCCESS);
}

static void a_pid_file_that_is_of_no_use_is_a_breach_of_protocol(void **state)
{
	(void)state;
	given_booted("db: Type=forking PIDFile=1");
	uint32_t pid = given_forked("db"), finder = when_command_launched("db");
	struct event ev = event_of(EVENT_LAUNCH_FAILED, index_of("db"));
	ev.role = ROLE_CONTROL;
	ev.pid = finder;
	ev.step = LAUNCH_PID_FILE;
	ev.error = ESRCH;
	step(ev);
	remove_process(finder);
	when_killed(pid, SIGKILL);
	then_does("launch db remove-pid-file/0");
	when_exits(when_command_launched("db"), 0);
	then_state("db", FAILED);
	then_result("db", RESULT_PROTOCOL);
}

static void the_pid_file_goes_when_all_else_is_gone(void **state)
{
	(void)state;
	given_booted("db: PIDFile=1 StopPost=1");
	when_exits(given_running("db"), 0);
	when_exits(when_command_launched("db"), 0);
	then_does("launch db remove-pid-file/0");
	when_exits(when_command_launched("db"), 0);
	then_state("db", DONE);
}

/* Its commands may want what is in RuntimeDirectory=; and how long that takes is no matter of FinalKillSignal= or of a core dump. */
static void its_folders_go_behind_the_last_command(void **state)
{
	(void)state;
	given_booted("db: PIDFile=1 StopPost=1 Cleans FinalKillSignal=3 StopFailureMode=abort");
	when_exits(given_running("db"), 0);
	then_does("launch db stop-post/0");
	when_exits(when_command_launched("db"), 0);
	then_does("launch db remove-pid-file/0");
	when_exits(when_command_launched("db"), 0);
	then_does("launch db clean/0");
	uint32_t cleaner = when_command_launched("db");
	then_does_nothing();
	when_time_passes(CLEAN_DEADLINE_MS);
	then_does("signal db all 9");
	when_killed(cleaner, SIGKILL);
	then_state("db", DONE);
	then_result("db", RESULT_SUCCESS);
}

static void a_service_whose_exit_is_its_cgroups_outlives_its_main_process(void **state)
{
	(void)state;
	given_booted("db: ExitType=cgroup Stop=1");
	uint32_t pid = given_running("db"), worker = given_worker("db");
	when_exits(pid, 3);
	then_state("db", UP);
	then_notes("death db");
	when_exits(worker, 0);
	then_state("db", FAILED);
	then_result("db", RESULT_EXIT_CODE);
}

/* ---- while it is up ---- */

static void a_watchdog_is_fed_or_bites(void **state)
{
	(void)state;
	given_booted("db: Watchdog=1000 TimeoutAbort=500 Restart=on-watchdog RestartSec=100 Stop=1");
	uint32_t pid = given_running("db");
	when_time_passes(900);
	when_notified("db", pid, "WATCHDOG=1");
	when_time_passes(999);
	then_does_nothing();
	when_time_passes(1);
	then_does("signal db all 6");
	then_state("db", STOPPING);
	when_time_passes(500);
	then_does("signal db all 9");
	when_killed(pid, SIGKILL);
	then_cause(death_of("db"), CAUSE_WATCHDOG);
	then_backoff("db", 100);
	then_result("db", RESULT_WATCHDOG);
}

static void a_core_dump_by_the_watchdog_is_the_watchdogs(void **state)
{
	(void)state;
	given_booted("db: Watchdog=1000");
	uint32_t pid = given_running("db");
	when_notified("db", pid, "WATCHDOG=trigger");
	then_does("signal db all 6");
	forget_effects();
	die(pid, CLD_DUMPED, SIGABRT);
	then_cause(death_of("db"), CAUSE_WATCHDOG);
	then_result("db", RESULT_WATCHDOG);
}

static void a_watchdog_does_not_watch_a_start_or_a_stop(void **state)
{
	(void)state;
	given_booted("db: Type=notify Watchdog=1000 TimeoutStart=infinity TimeoutStop=infinity");
	uint32_t pid = when_launched("db");
	when_time_passes(5000);
	then_does_nothing();
	when_notified("db", pid, "READY=1");
	when_asked(VERB_STOP, "db");
	when_time_passes(5000);
	then_does_nothing();
}

static void a_service_may_set_its_watchdog_itself(void **state)
{
	(void)state;
	given_booted("db: Watchdog=1000");
	uint32_t pid = given_running("db");
	when_notified("db", pid, "WATCHDOG_USEC=5000000");
	when_time_passes(4999);
	then_does_nothing();
	when_time_passes(1);
	then_does("signal db all 6");
}

static void runtime_max_stops_it_in_order_and_is_a_failure(void **state)
{
	(void)state;
	given_booted("db: RuntimeMax=1000 Stop=1");
	uint32_t pid = given_running("db");
	when_time_passes(1000);
	then_does("launch db stop/0");
	when_exits(when_command_launched("db"), 0);
	then_does("signal db all 15");
	when_killed(pid, SIGTERM);
	then_state("db", FAILED);
	then_result("db", RESULT_TIMEOUT);
}

static void a_reload_does_not_lengthen_a_life(void **state)
{
	(void)state;
	given_booted("db: RuntimeMax=1000 Reload=1");
	given_running("db");
	when_time_passes(900);
	when_asked(VERB_RELOAD, "db");
	uint32_t pid = when_command_launched("db");
	when_time_passes(300);
	then_does_nothing();
	when_exits(pid, 0);
	when_time_passes(0);
	then_state("db", STOPPING);
}

static void time_is_extended_on_request(void **state)
{
	(void)state;
	given_booted("db: Type=notify TimeoutStart=1000");
	uint32_t pid = when_launched("db");
	when_notified("db", pid, "EXTEND_TIMEOUT_USEC=3000000");
	when_time_passes(2000);
	when_notified("db", pid, "EXTEND_TIMEOUT_USEC=500000");         /* never shortened */
	when_time_passes(999);
	then_state("db", STARTING);
	when_time_passes(1);
	then_state("db", STOPPING);
}

static void who_says_that_it_is_stopping_ends_as_it_likes(void **state)
{
	(void)state;
	given_booted("db: Watchdog=infinity TimeoutStop=1000 Stop=1 Restart=on-failure RestartSec=100");
	uint32_t pid = given_running("db");
	when_notified("db", pid, "STOPPING=1");
	then_state("db", STOPPING);
	then_does_nothing();
	when_exits(pid, 4);
	then_cause(death_of("db"), CAUSE_EXIT);
	then_backoff("db", 100);
}

static void notify_reload_is_through_when_it_says_so(void **state)
{
	(void)state;
	given_booted("db: Type=notify-reload Reload=1");
	uint32_t pid = when_launched("db");
	when_notified("db", pid, "READY=1");
	when_asked(VERB_RELOAD, "db");
	then_does("signal db main 1; launch db reload/0");
	uint32_t command = when_command_launched("db");
	when_notified("db", pid, "READY=1");            /* of another one */
	when_notified("db", pid, "RELOADING=1");
	when_notified("db", pid, "READY=1");
	assert_int_equal(service("db")->step, STEP_RELOAD);
	when_exits(command, 0);
	assert_int_equal(service("db")->step, STEP_RUN);
}

static void notify_reload_takes_no_old_word_for_an_answer(void **state)
{
	(void)state;
	given_booted("db: Type=notify-reload TimeoutStart=1000");
	uint32_t pid = when_launched("db");
	when_notified("db", pid, "READY=1");
	when_time_passes(100);
	when_asked(VERB_RELOAD, "db");
	struct notify_message m = { .is_reloading = true, .is_ready = true };
	struct event ev = event_of(EVENT_NOTIFY, index_of("db"));
	ev.pid = pid;
	ev.message = &m;
	ev.told_at = w.now_ms - 1;
	step(ev);
	assert_int_equal(service("db")->step, STEP_RELOADED);
	when_asked(VERB_RELOAD, "db");
	then_answer(ANSWER_BUSY);
	when_time_passes(1000);
	assert_int_equal(service("db")->step, STEP_RUN);
	then_state("db", UP);
}

static void a_line_in_its_descriptor_makes_it_ready(void **state)
{
	(void)state;
	given_booted("db: Type=notify NotifyFD=3");
	when_launched("db");
	then_state("db", STARTING);
	step(event_of(EVENT_READY, index_of("db")));
	then_state("db", UP);
	step(event_of(EVENT_READY, index_of("db")));
	then_state("db", UP);
}

static void idle_waits_until_nothing_is_starting(void **state)
{
	(void)state;
	given_booted("getty: Type=idle; db: Type=notify");
	when_launched("getty");
	then_state("getty", UP);
	uint32_t pid = when_launched("db");
	then_does_nothing();
	when_notified("db", pid, "READY=1");
	then_does("quiet");
	when_time_passes(1000);
	then_does_nothing();
}

/* ---- what one service's end means to the machine ---- */

static void a_success_action_takes_the_rest_down(void **state)
{
	(void)state;
	given_booted_as(MODE_CONTAINER, "job: Type=oneshot SuccessAction=exit FailureAction=reboot; web:");
	uint32_t job = when_launched("job"), web = when_launched("web");
	when_exits(job, 0);
	then_does("swept job; swept job; signal web all 15");
	when_killed(web, SIGTERM);
	then_does("swept web; power exit 0");
}

static void what_has_not_run_has_no_action(void **state)
{
	(void)state;
	given_booted_as(MODE_CONTAINER, "job: Check=1 SuccessAction=exit FailureAction=reboot; web:");
	when_launched("web");
	when_exits(when_command_launched("job"), 1);
	then_does("swept job");
	when_asked(VERB_START, "job");
	when_exits(when_command_launched("job"), CHECK_ASSERTION + 1);
	then_state("job", FAILED);
	then_state("web", UP);
}

static void a_failure_action_is_not_for_what_starts_again(void **state)
{
	(void)state;
	given_booted_as(MODE_CONTAINER, "job: FailureAction=exit Restart=on-failure RestartSec=10 Prevent=7");
	when_exits(when_launched("job"), 1);
	then_state("job", BACKOFF);
	when_time_passes(10);
	when_exits(when_launched("job"), 7);
	then_does("swept job; swept job; power exit 7");
}

static void too_many_starts_have_an_action_of_their_own(void **state)
{
	(void)state;
	given_booted_as(MODE_VM, "job: FailureAction=poweroff StartLimitAction=reboot Restart=always RestartSec=0 StartLimit=1");
	when_exits(when_launched("job"), 1);
	then_does("swept job; swept job; halt");
	assert_int_equal(w.core->system.power, POWER_REBOOT);
}

/* ---- dbus ---- */

static void a_dbus_service_is_up_once_its_name_has_an_owner(void **state)
{
	(void)state;
	given_booted("db: Type=dbus; web: Type=dbus");
	when_launched("db");
	then_does("launch db await-bus-name/0");
	uint32_t waiter = when_command_launched("db");
	then_state("db", STARTING);
	when_exits(waiter, 0);
	then_state("db", UP);
	uint32_t web = when_launched("web");
	waiter = when_command_launched("web");
	when_exits(web, 0);
	then_does("signal web all 9");
	when_killed(waiter, SIGKILL);
	then_result("web", RESULT_PROTOCOL);
}

/* ---- signals ---- */

static void send_sighup_follows_at_once(void **state)
{
	(void)state;
	given_booted("db: SendSIGHUP=1");
	given_running("db");
	when_asked(VERB_STOP, "db");
	then_does("signal db all 15+1");
}

static void a_restart_may_have_a_signal_of_its_own(void **state)
{
	(void)state;
	given_booted("db: RestartKillSignal=12");
	uint32_t pid = given_running("db");
	when_asked(VERB_RESTART, "db");
	then_does("signal db all 12");
	when_killed(pid, 12);
	given_running("db");
	when_asked(VERB_STOP, "db");
	then_does("signal db all 15");
}

static void a_final_signal_of_ones_own_comes_before_sigkill(void **state)
{
	(void)state;
	given_booted("db: FinalKillSignal=3 TimeoutStop=1000");
	uint32_t pid = given_running("db");
	when_asked(VERB_STOP, "db");
	when_time_passes(1000);
	then_does("signal db all 3");
	when_time_passes(1000);
	then_does("signal db all 9");
	when_killed(pid, SIGKILL);
	then_state("db", FAILED);
}

static void a_start_or_a_stop_that_takes_too_long_may_end_in_a_core_dump(void **state)
{
	(void)state;
	given_booted("db: Type=notify TimeoutStart=1000 TimeoutAbort=300 StartFailureMode=abort; "
		     "web: TimeoutStop=1000 StopFailureMode=abort");
	uint32_t pid = when_launched("db");
	given_running("web");
	when_asked(VERB_STOP, "web");
	when_time_passes(1000);
	then_does("signal db all 6; signal web all 6");
	when_time_passes(300);
	then_does("signal db all 9");
	when_killed(pid, SIGKILL);
	then_result("db", RESULT_TIMEOUT);
	when_time_passes(700);
	then_does("signal web all 9");
}

static void a_start_that_takes_too_long_may_be_killed_at_once(void **state)
{
	(void)state;
	given_booted("db: Type=notify TimeoutStart=1000 StartFailureMode=kill");
	uint32_t pid = when_launched("db");
	when_time_passes(1000);
	then_does("signal db all 9");
	when_killed(pid, SIGKILL);
	then_state("db", FAILED);
	then_result("db", RESULT_TIMEOUT);
}

static void an_exit_status_may_prevent_or_force_a_restart(void **state)
{
	(void)state;
	given_booted("db: Restart=always Prevent=7; web: Restart=no Force=7 RestartSec=500; app: Restart=always RestartSec=500 Prevent=7");
	when_exits(given_running("db"), 7);
	then_state("db", FAILED);
	when_exits(given_running("web"), 7);
	then_backoff("web", 500);
	when_exits(given_running("app"), 8);
	then_backoff("app", 500);
}

#define STORY(name) cmocka_unit_test_teardown(name, end_story)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(a_condition_that_says_no_passes_the_unit_over),
		STORY(the_conditions_of_the_unit_come_before_its_commands),
		STORY(who_has_not_begun_leaves_nothing_behind),
		STORY(what_was_kept_for_a_restart_goes_when_that_does_not_come),
		STORY(a_condition_that_fails_fails_the_unit),
		STORY(stop_post_follows_every_end),
		STORY(stop_post_follows_a_start_that_failed),
		STORY(stop_post_has_nothing_to_clean_up_where_nothing_began),
		STORY(a_stop_post_that_hangs_is_ended),
		STORY(an_exec_stop_that_hangs_leaves_the_service_its_own_time),
		STORY(who_leaves_well_is_cleaned_up_behind_by_exec_stop),
		STORY(a_forking_service_is_up_once_its_main_process_is_found),
		STORY(what_forks_has_to_succeed),
		STORY(a_daemon_whose_command_may_fail_has_left_well_whatever_ended_it),
		STORY(a_daemon_that_was_killed_before_it_was_found_dies_of_that),
		STORY(a_daemon_that_nobody_found_lives_as_long_as_anybody_of_it),
		STORY(a_pid_file_that_is_of_no_use_is_a_breach_of_protocol),
		STORY(the_pid_file_goes_when_all_else_is_gone),
		STORY(its_folders_go_behind_the_last_command),
		STORY(a_service_whose_exit_is_its_cgroups_outlives_its_main_process),
		STORY(a_watchdog_is_fed_or_bites),
		STORY(a_core_dump_by_the_watchdog_is_the_watchdogs),
		STORY(a_watchdog_does_not_watch_a_start_or_a_stop),
		STORY(a_service_may_set_its_watchdog_itself),
		STORY(runtime_max_stops_it_in_order_and_is_a_failure),
		STORY(a_reload_does_not_lengthen_a_life),
		STORY(time_is_extended_on_request),
		STORY(who_says_that_it_is_stopping_ends_as_it_likes),
		STORY(notify_reload_is_through_when_it_says_so),
		STORY(notify_reload_takes_no_old_word_for_an_answer),
		STORY(a_line_in_its_descriptor_makes_it_ready),
		STORY(idle_waits_until_nothing_is_starting),
		STORY(a_success_action_takes_the_rest_down),
		STORY(what_has_not_run_has_no_action),
		STORY(a_failure_action_is_not_for_what_starts_again),
		STORY(too_many_starts_have_an_action_of_their_own),
		STORY(a_dbus_service_is_up_once_its_name_has_an_owner),
		STORY(send_sighup_follows_at_once),
		STORY(a_restart_may_have_a_signal_of_its_own),
		STORY(a_final_signal_of_ones_own_comes_before_sigkill),
		STORY(a_start_or_a_stop_that_takes_too_long_may_end_in_a_core_dump),
		STORY(a_start_that_takes_too_long_may_be_killed_at_once),
		STORY(an_exit_status_may_prevent_or_force_a_restart),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
