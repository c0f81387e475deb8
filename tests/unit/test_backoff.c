/* Stories about how long a service waits before it starts again, and when it does not. */
#include "lib/condition.h"
#include "story.h"

static void a_run_is_healthy_from_a_certain_length_on(void **state)
{
	(void)state;
	given_booted("db: Restart=always RestartSec=100 RestartMax=1000");
	when_exits(given_running("db"), 1);
	when_time_passes(100);
	uint32_t pid = given_running("db");
	when_time_passes(HEALTHY_RUN_MS - 1);
	when_exits(pid, 1);
	then_backoff("db", 200);
	when_time_passes(200);
	pid = given_running("db");
	when_time_passes(HEALTHY_RUN_MS);
	when_exits(pid, 1);
	then_backoff("db", 100);
}

static void who_never_comes_up_has_no_healthy_run(void **state)
{
	(void)state;
	given_booted("db: Type=notify Restart=always RestartSec=100 RestartMax=1000 TimeoutStart=infinity");
	w.now_ms += 10 * HEALTHY_RUN_MS;
	when_exits(when_launched("db"), 1);
	then_backoff("db", 100);
	when_time_passes(100);
	when_exits(when_launched("db"), 1);
	then_backoff("db", 200);
}

static void a_full_machine_is_not_made_busy_by_restart_sec(void **state)
{
	(void)state;
	given_booted("db: Restart=always RestartSec=0; app: Restart=always RestartSec=0");
	when_launch_failed("db", ROLE_MAIN, LAUNCH_FORK, EAGAIN);
	then_backoff("db", BACKOFF_FIRST_MS);
	then_notes("death db; backoff db");
	when_exits(given_running("app"), 1);
	then_notes("death app; backoff app; starting app");     /* at once */
}

static void who_is_upheld_is_not_started_over_and_over_at_once(void **state)
{
	(void)state;
	given_booted("app: Upholds=db; db: Restart=no RestartSec=0");
	given_running("app");
	when_exits(given_running("db"), 0);
	then_backoff("db", BACKOFF_FIRST_MS);
	when_asked(VERB_STOP, "db");
	when_asked(VERB_START, "db");
	when_asked(VERB_STOP, "app");
	then_state("db", STARTING);
}

static void a_stop_in_the_delay_is_told(void **state)
{
	(void)state;
	given_booted("db: Restart=always RestartSec=100");
	when_exits(given_running("db"), 1);
	when_asked(VERB_STOP, "db");
	then_notes("idle db");
	then_does("swept db");
}

/* The window is from the first start to the one that is to come, with its delay. */
static void the_start_limit_looks_ahead(void **state)
{
	(void)state;
	static const struct { const char *units; enum state state; } rows[] = {
		{ "db: Restart=always StartLimit=1 RestartSec=9500", FAILED },
		{ "db: Restart=always StartLimit=1 RestartSec=10000", FAILED },
		{ "db: Restart=always StartLimit=1 RestartSec=10001", BACKOFF },
		{ "db: Restart=always StartLimit=2 RestartSec=9500", BACKOFF },
	};
	for (size_t i = 0; i < countof(rows); i++) {
		given_booted(rows[i].units);
		when_exits(given_running("db"), 1);
		then_state("db", rows[i].state);
		end_story(NULL);
	}
}

/* systemd.unit(5): either set to 0 turns it off. */
static void a_limit_of_nothing_is_none(void **state)
{
	(void)state;
	static const char *const units[] = {
		"db: Restart=always RestartSec=0 StartLimit=0", "db: Restart=always RestartSec=0 StartLimit=1 StartLimitInterval=0",
	};
	for (size_t i = 0; i < countof(units); i++) {
		given_booted(units[i]);
		when_exits(given_running("db"), 1);
		then_state("db", STARTING);
		when_exits(given_running("db"), 1);
		then_state("db", STARTING);
		end_story(NULL);
	}
}

static void a_limit_of_one_ms_is_one(void **state)
{
	(void)state;
	given_booted("db: Restart=always RestartSec=0 StartLimit=1 StartLimitInterval=1");
	when_exits(given_running("db"), 1);
	then_result("db", RESULT_START_LIMIT);
}

static void a_window_that_has_passed_begins_anew(void **state)
{
	(void)state;
	given_booted("db: Restart=always RestartSec=100 StartLimit=2 StartLimitInterval=5000");
	uint32_t pid = given_running("db");
	when_time_passes(4950);
	when_exits(pid, 1);
	when_time_passes(100);
	when_exits(given_running("db"), 1);     /* the first of the next five seconds */
	then_backoff("db", 100);
	when_time_passes(100);
	when_exits(given_running("db"), 1);
	then_result("db", RESULT_START_LIMIT);
}

static void a_start_that_a_condition_forbids_is_not_counted(void **state)
{
	(void)state;
	given_booted("db: Check=1 StartLimit=5");
	when_exits(when_command_launched("db"), CHECK_ASSERTION);
	then_result("db", RESULT_CONDITION);
	assert_int_equal(service("db")->n_starts, 0);
	when_asked(VERB_START, "db");
	when_exits(when_command_launched("db"), CHECK_ASSERTION + 1);
	then_result("db", RESULT_ASSERT);
	assert_int_equal(service("db")->n_starts, 0);
}

#define STORY(name) cmocka_unit_test_teardown(name, end_story)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(a_run_is_healthy_from_a_certain_length_on),
		STORY(who_never_comes_up_has_no_healthy_run),
		STORY(a_full_machine_is_not_made_busy_by_restart_sec),
		STORY(who_is_upheld_is_not_started_over_and_over_at_once),
		STORY(a_stop_in_the_delay_is_told),
		STORY(the_start_limit_looks_ahead),
		STORY(a_limit_of_nothing_is_none),
		STORY(a_limit_of_one_ms_is_one),
		STORY(a_window_that_has_passed_begins_anew),
		STORY(a_start_that_a_condition_forbids_is_not_counted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
