/* Stories about what comes of a launch, and of what a service says: what the core has learnt of it. */
#include "story.h"


/* ---- launches ---- */

static void when_warned(const char *name, enum launch_step at, int error)
{
	struct event ev = event_of(EVENT_LAUNCH_WARNING, index_of(name));
	ev.step = (uint8_t)at;
	ev.error = error;
	forget_effects();
	step(ev);
}

static void a_setting_that_cannot_be_applied_is_told_once(void **state)
{
	(void)state;
	given_booted("db: Restart=always RestartSec=0");
	uint32_t pid = when_launched("db");
	when_warned("db", LAUNCH_SCORE, EPERM);
	then_notes("warning db");
	assert_int_equal(service("db")->warned_step, LAUNCH_SCORE);
	assert_int_equal(service("db")->warned_error, EPERM);
	when_warned("db", LAUNCH_NICE, EACCES);
	then_notes("warning db");
	when_exits(pid, 1);
	when_launched("db");
	when_warned("db", LAUNCH_SCORE, EPERM);
	then_notes("");                         /* a respawn has nothing new to say */
	assert_int_equal(service("db")->warned_step, LAUNCH_SCORE);
	when_warned("db", LAUNCH_LIMITS, EPERM);
	then_notes("warning db");
}

static void a_command_beside_the_main_process_starts_no_count_anew(void **state)
{
	(void)state;
	given_booted("db: Reload=1");
	w.kmsg_seq = 7;
	given_counter("db", 3);
	given_running("db");
	assert_int_equal(service("db")->counter_base, 3);
	assert_int_equal(service("db")->kmsg_seq, 7);
	step(event_of(EVENT_KMSG_LOST, NO_UNIT));
	given_counter("db", 1);
	w.kmsg_seq = 8;
	when_asked(VERB_RELOAD, "db");
	when_command_launched("db");
	assert_int_equal(service("db")->counter_base, 3);
	assert_int_equal(service("db")->control_base, 4);
	assert_int_equal(service("db")->kmsg_seq, 7);
	assert_int_equal(service("db")->control_seq, 8);
	assert_false(service("db")->flags & SERVICE_HAS_KMSG);  /* of the main process something may be lost */
}

static void a_main_process_has_its_own_time_of_launch(void **state)
{
	(void)state;
	given_booted("db: Pre=1");
	uint32_t pre = when_command_launched("db");
	w.now_ms += 50;
	when_exits(pre, 0);
	w.now_ms += 5;
	when_launched("db");
	assert_int_equal(service("db")->launched_at, w.now_ms);
}

static void a_log_that_is_whole_at_the_main_process_launch_counts_from_there(void **state)
{
	(void)state;
	given_booted("db: Pre=1");
	uint32_t pre = when_command_launched("db");
	step(event_of(EVENT_KMSG_LOST, NO_UNIT));
	when_exits(pre, 0);
	when_launched("db");
	assert_true(service("db")->flags & SERVICE_HAS_KMSG);
}

static void a_daemon_that_is_found_counts_from_now(void **state)
{
	(void)state;
	given_booted("db: Type=forking");
	w.kmsg_seq = 4;
	uint32_t parent = when_command_launched("db"), pid = given_worker("db");
	when_exits(parent, 0);
	w.kmsg_seq = 5;
	when_command_launched("db");
	w.now_ms += 9;
	when_main_found("db", pid);
	assert_int_equal(service("db")->launched_at, w.now_ms);
	assert_int_equal(service("db")->kmsg_seq, 5);
	assert_true(service("db")->flags & SERVICE_MAIN_TOLD);
}

/* What the finder of an earlier start says when nobody asks any more. */
static void nobody_is_found_for_who_does_not_look(void **state)
{
	(void)state;
	given_booted("db: Type=forking");
	when_main_found("db", 900);
	assert_int_equal(service("db")->main_pid, 0);
	when_exits(when_command_launched("db"), 0);
	when_command_launched("db");
	when_asked(VERB_STOP, "db");
	when_main_found("db", 900);
	assert_int_equal(service("db")->main_pid, 0);
}

static void only_type_exec_is_up_by_its_exec(void **state)
{
	(void)state;
	given_booted("db: Type=exec; app: Type=notify; web: Type=exec Pre=1");
	when_launched("db");
	when_launched("app");
	when_execed("app");
	then_state("app", STARTING);
	struct event ev = event_of(EVENT_EXECED, index_of("db"));
	ev.role = ROLE_CONTROL;
	step(ev);
	then_state("db", STARTING);
	when_execed("db");
	then_state("db", UP);
	when_command_launched("web");
	when_execed("web");
	assert_int_equal(service("web")->step, STEP_PRE);
}

/* ---- words ---- */

static void notify_access_is_who_may_speak(void **state)
{
	(void)state;
	static const struct { const char *units; bool heeds_main, heeds_command, heeds_worker; } rows[] = {
		{ "db: Reload=1 NotifyAccess=none", false, false, false }, { "db: Reload=1 NotifyAccess=main", true, false, false },
		{ "db: Reload=1 NotifyAccess=exec", true, true, false }, { "db: Reload=1 NotifyAccess=all", true, true, true },
	};
	for (size_t i = 0; i < countof(rows); i++) {
		given_booted(rows[i].units);
		uint32_t pid = given_running("db"), worker = given_worker("db");
		when_asked(VERB_RELOAD, "db");
		uint32_t command = when_command_launched("db");
		assert_int_equal(core_heeds(w.core, w.units, 0, pid), rows[i].heeds_main);
		assert_int_equal(core_heeds(w.core, w.units, 0, command), rows[i].heeds_command);
		assert_int_equal(core_heeds(w.core, w.units, 0, worker), rows[i].heeds_worker);
		end_story(NULL);
	}
}

static void times_are_rounded_up_and_never_are_for_ever(void **state)
{
	(void)state;
	static const struct { const char *text; uint32_t ms; } rows[] = {
		{ "WATCHDOG_USEC=1000", 1 }, { "WATCHDOG_USEC=1001", 2 }, { "WATCHDOG_USEC=1999", 2 },
		{ "WATCHDOG_USEC=4294967293000", FOREVER_MS - 2 }, { "WATCHDOG_USEC=4294967294000", FOREVER_MS - 1 },
		{ "WATCHDOG_USEC=4294967295000", FOREVER_MS - 1 }, { "WATCHDOG_USEC=18446744073709551615", FOREVER_MS - 1 },
	};
	given_booted("db: Watchdog=500");
	uint32_t pid = given_running("db");
	for (size_t i = 0; i < countof(rows); i++) {
		when_notified("db", pid, rows[i].text);
		assert_int_equal(service("db")->watchdog_ms, rows[i].ms);
	}
}

static void a_status_is_cut_to_its_place(void **state)
{
	(void)state;
	char text[16 + 2 * STATUS_TEXT_MAX];
	given_booted("db: NotifyAccess=main");
	uint32_t pid = given_running("db");
	for (size_t n = STATUS_TEXT_MAX - 2; n < STATUS_TEXT_MAX + 2; n++) {
		sprintf(text, "STATUS=%0*d", (int)n, 7);
		when_notified("db", pid, text);
		size_t kept = n < STATUS_TEXT_MAX ? n : STATUS_TEXT_MAX - 1;
		assert_int_equal(strlen(service("db")->status_text), kept);
		assert_memory_equal(service("db")->status_text, text + 7, kept);
	}
	when_notified("db", pid, "STATUS=");
	assert_string_equal(service("db")->status_text, "");
}

static void a_main_pid_is_taken_from_who_may_name_it(void **state)
{
	(void)state;
	given_booted("db: NotifyAccess=main");
	uint32_t pid = given_running("db");
	struct notify_message m = { .has_main_pid = true, .main_pid = 900 };
	struct event ev = event_of(EVENT_NOTIFY, index_of("db"));
	ev.pid = pid;
	ev.message = &m;
	step(ev);                               /* not a process of the service's: is_ok is false */
	assert_int_equal(service("db")->main_pid, pid);
	m.main_pid = pid;
	ev.is_ok = true;
	step(ev);
	assert_false(service("db")->flags & SERVICE_MAIN_TOLD); /* no news: it is our own child still */
	m.main_pid = 900;
	step(ev);
	assert_int_equal(service("db")->main_pid, 900);
	assert_true(service("db")->flags & SERVICE_MAIN_TOLD);
}

static void time_is_given_to_who_starts_runs_or_stops(void **state)
{
	(void)state;
	given_booted("db: Type=notify TimeoutStart=1000 TimeoutStop=1000 RuntimeMax=1000");
	uint32_t pid = when_launched("db");
	when_notified("db", pid, "EXTEND_TIMEOUT_USEC=5000000");
	assert_int_equal(service("db")->deadline_at, w.now_ms + 5000);
	when_notified("db", pid, "READY=1");
	when_notified("db", pid, "EXTEND_TIMEOUT_USEC=6000000");
	assert_int_equal(service("db")->deadline_at, w.now_ms + 6000);
	when_asked(VERB_STOP, "db");
	when_notified("db", pid, "STATUS=going");
	assert_int_equal(service("db")->deadline_at, w.now_ms + 1000);
	when_notified("db", pid, "EXTEND_TIMEOUT_USEC=7000000");
	assert_int_equal(service("db")->deadline_at, w.now_ms + 7000);
	when_time_passes(7000);
	then_state("db", SWEEPING);
	when_notified("db", pid, "EXTEND_TIMEOUT_USEC=8000000");
	assert_int_equal(service("db")->deadline_at, w.now_ms + SWEEP_AGAIN_MS);
}

static void ready_is_no_news_but_of_a_start(void **state)
{
	(void)state;
	given_booted("db: Type=notify; app: Type=exec NotifyAccess=main; web: Type=notify Pre=1 NotifyAccess=all");
	uint32_t db = when_launched("db"), app = when_launched("app"), pre = when_command_launched("web");
	when_notified("app", app, "READY=1");
	then_state("app", STARTING);
	when_notified("web", pre, "READY=1");
	assert_int_equal(service("web")->step, STEP_PRE);
	when_notified("db", db, "READY=1");
	then_state("db", UP);
	when_notified("db", db, "READY=1");
	then_state("db", UP);
	when_asked(VERB_STOP, "db");
	when_notified("db", db, "READY=1");
	then_state("db", STOPPING);
}

#define STORY(name) cmocka_unit_test_teardown(name, end_story)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(a_setting_that_cannot_be_applied_is_told_once),
		STORY(a_command_beside_the_main_process_starts_no_count_anew),
		STORY(a_main_process_has_its_own_time_of_launch),
		STORY(a_log_that_is_whole_at_the_main_process_launch_counts_from_there),
		STORY(a_daemon_that_is_found_counts_from_now),
		STORY(nobody_is_found_for_who_does_not_look),
		STORY(only_type_exec_is_up_by_its_exec),
		STORY(notify_access_is_who_may_speak),
		STORY(times_are_rounded_up_and_never_are_for_ever),
		STORY(a_status_is_cut_to_its_place),
		STORY(a_main_pid_is_taken_from_who_may_name_it),
		STORY(time_is_given_to_who_starts_runs_or_stops),
		STORY(ready_is_no_news_but_of_a_start),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
