#include "story.h"

#include "lib/condition.h"

/* ---- targets: nothing runs, and yet they have their place in the order ---- */

static void a_target_is_up_once_what_comes_before_it_is(void **state)
{
	(void)state;
	given_booted("db:; all: Target After=db; app: After=all");
	then_does("launch db start/0");
	then_state("all", STARTING);
	when_launched("db");
	then_state("all", UP);
	then_does("launch app start/0");
}

static void a_target_passes_the_order_on_when_things_stop(void **state)
{
	(void)state;
	given_booted("db:; all: Target After=db; app: After=all");
	given_running("db");
	uint32_t app = given_running("app");
	when_signalled(SIGTERM);
	then_does("signal app all 15");
	then_state("all", STOPPING);
	when_exits(app, 0);
	then_does("swept app; swept all; signal db all 15");
}

/* systemd.special(7): network.target and its kind. To be after one that nobody has pulled in is to wait for nobody. */
static void a_passive_target_counts_if_somebody_pulls_it_in(void **state)
{
	(void)state;
	given_booted("app: After=net; link: Before=net; net: Target Unwanted");
	then_does("launch app start/0; launch link start/0");
	end_story(NULL);
	given_booted("app: After=net; link: Before=net Wants=net; net: Target Unwanted");
	then_does("launch link start/0");
	when_launched("link");
	then_state("net", UP);
	then_does("launch app start/0");
}

/* Pulled in by the last of a chain: whoever is looked at first must know of it all the same. */
static void a_wish_has_gone_all_the_way_before_anybody_acts_on_it(void **state)
{
	(void)state;
	given_booted("app: After=d; b: Wants=c; c: Unwanted Wants=d; d: Unwanted");
	then_does("launch b start/0; launch c start/0; launch d start/0");
	when_launched("d");
	then_does("launch app start/0");
}

/* ---- Requisite= ---- */

static void requisite_takes_what_is_up_and_starts_nothing(void **state)
{
	(void)state;
	given_booted("app: Unwanted Requisite=db; db: Unwanted");
	when_asked(VERB_START, "app");
	then_state("app", FAILED);
	then_result("app", RESULT_DEPENDENCY);
	then_state("db", IDLE);
	when_asked(VERB_START, "db");
	given_running("db");
	when_asked(VERB_START, "app");
	then_does("launch app start/0");
}

static void requisite_waits_for_what_is_on_its_way(void **state)
{
	(void)state;
	given_booted("app: Requisite=db After=db; db:");
	then_does("launch db start/0");
	when_launched("db");
	then_does("launch app start/0");
}

static void a_stop_takes_along_what_has_it_as_requisite(void **state)
{
	(void)state;
	given_booted("app: Requisite=db After=db; db:");
	given_running("db");
	uint32_t app = given_running("app");
	when_asked(VERB_STOP, "db");
	then_does("signal app all 15");
	when_exits(app, 0);
	then_does("swept app; signal db all 15");
}

/* ---- BindsTo= ---- */

static void what_is_bound_ends_with_it(void **state)
{
	(void)state;
	given_booted("db:; app: BindsTo=db After=db");
	uint32_t db = given_running("db"), app = given_running("app");
	when_exits(db, 0);
	then_state("db", DONE);
	then_does("swept db; signal app all 15");
	when_exits(app, 0);
	then_state("app", IDLE);
}

static void what_only_requires_it_does_not(void **state)
{
	(void)state;
	given_booted("db:; app: Requires=db After=db");
	uint32_t db = given_running("db");
	given_running("app");
	when_exits(db, 1);
	then_state("db", FAILED);
	then_state("app", UP);
}

static void what_is_bound_comes_back_with_it(void **state)
{
	(void)state;
	given_booted("db: Restart=always RestartSec=1000; app: BindsTo=db After=db");
	uint32_t db = given_running("db"), app = given_running("app");
	when_exits(db, 1);
	then_backoff("db", 1000);
	then_does("signal app all 15");
	when_exits(app, 0);
	then_state("app", STARTING);
	then_does_nothing();
	when_time_passes(1000);
	then_does("launch db start/0");
	when_launched("db");
	then_does("launch app start/0");
}

/* systemd.unit(5): with After= as well, the other one "strictly has to be in active state". */
static void what_was_up_and_is_done_is_not_enough_to_be_bound_to(void **state)
{
	(void)state;
	given_booted("setup: Type=oneshot; app: BindsTo=setup After=setup; other: Requires=setup After=setup");
	when_exits(when_launched("setup"), 0);
	then_state("app", FAILED);
	then_result("app", RESULT_DEPENDENCY);
	then_state("other", STARTING);
}

/* ---- PartOf=, PropagatesStopTo= ---- */

static void a_part_stops_and_restarts_with_the_whole_and_starts_alone(void **state)
{
	(void)state;
	given_booted("all: Unwanted Target; part: PartOf=all");
	uint32_t part = given_running("part");
	when_asked(VERB_START, "all");
	then_state("all", UP);
	when_asked(VERB_RESTART, "all");
	then_state("all", UP);
	then_does("signal part all 15");
	when_exits(part, 0);
	then_does("launch part start/0");
	part = when_launched("part");
	when_asked(VERB_STOP, "all");
	then_does("swept all; signal part all 15");
	when_exits(part, 0);
	then_state("part", IDLE);
}

static void a_stop_goes_where_the_unit_sends_it(void **state)
{
	(void)state;
	given_booted("db: PropagatesStopTo=app; app:");
	uint32_t db = given_running("db"), app = given_running("app");
	when_asked(VERB_RESTART, "db");
	then_does("signal db all 15");
	when_exits(db, 0);
	db = when_launched("db");
	then_state("app", UP);
	when_exits(db, 1);
	then_does("swept db; signal app all 15");
	when_exits(app, 0);
	then_state("app", IDLE);
}

/* ---- Conflicts= ---- */

static void a_start_stops_its_rival(void **state)
{
	(void)state;
	given_booted("a: Unwanted Conflicts=b; b:");
	uint32_t b = given_running("b");
	when_asked(VERB_START, "a");
	then_does("launch a start/0; signal b all 15");
	when_launched("a");
	when_exits(b, 0);
	then_state("b", IDLE);
	when_asked(VERB_START, "b");
	then_does("launch b start/0; signal a all 15");
}

/* Whichever of the two is to be first. */
static void of_two_in_order_what_stops_goes_first(void **state)
{
	static const char *const units[] = { "a: Unwanted Conflicts=b After=b; b:", "a: Unwanted Conflicts=b Before=b; b:" };
	for (size_t n = 0; n < countof(units); n++) {
		given_booted(units[n]);
		uint32_t b = given_running("b");
		when_asked(VERB_START, "a");
		then_does("signal b all 15");
		then_state("a", STARTING);
		when_exits(b, 0);
		then_does("swept b; launch a start/0");
		end_story(state);
	}
}

static void of_rivals_that_are_both_wanted_the_first_is_started(void **state)
{
	(void)state;
	given_booted("a: Conflicts=b; b:");
	then_does("launch a start/0");
	given_running("a");
	then_state("b", IDLE);
	when_loaded("a: Conflicts=b; b:");
	when_adopted();
	then_state("a", UP);
	then_state("b", IDLE);
	when_loaded("b:");
	when_exits(w.processes[0].pid, 0);
	when_adopted();
	then_does("launch b start/0");
}

static void rivals_by_a_reload_are_parted(void **state)
{
	(void)state;
	given_booted("a:; b:");
	given_running("a");
	given_running("b");
	when_loaded("a:; b: Conflicts=a");
	when_adopted();
	then_does("signal b all 15");
	then_state("a", UP);
}

/* Each wants the next and excludes the one before: there is no answer, but an end of asking. */
static void a_ring_of_rivals_comes_to_rest(void **state)
{
	(void)state;
	given_booted("a: Target Unwanted Wants=b Conflicts=c; b: Target Unwanted Wants=c Conflicts=a; "
		     "c: Target Unwanted Wants=a Conflicts=b");
	when_asked(VERB_START, "a");
	assert_int_equal((service("a")->state == UP) + (service("b")->state == UP) + (service("c")->state == UP), 1);
	then_is_quiet();
}

/* ---- OnFailure=, OnSuccess= ---- */

static void a_failure_calls(void **state)
{
	(void)state;
	given_booted("db: OnFailure=alarm OnSuccess=bell; alarm: Unwanted Type=oneshot; bell: Unwanted Type=oneshot");
	when_exits(given_running("db"), 1);
	then_does("swept db; launch alarm start/0");
	when_exits(when_launched("alarm"), 0);
	then_state("alarm", DONE);
	then_state("bell", IDLE);
	when_asked(VERB_START, "db");
	when_time_passes(1000);
	when_exits(given_running("db"), 0);
	then_does("swept db; launch bell start/0");
}

/* systemd.unit(5): a service that is restarted has not failed, yet. */
static void a_failure_that_is_answered_by_a_restart_calls_nobody(void **state)
{
	(void)state;
	given_booted("db: Restart=always OnFailure=alarm StartLimit=2; alarm: Unwanted Type=oneshot");
	when_exits(given_running("db"), 1);
	then_state("alarm", IDLE);
	when_time_passes(1000);
	when_exits(given_running("db"), 1);
	then_result("db", RESULT_START_LIMIT);
	then_does("swept db; launch alarm start/0");
}

static void an_ordered_stop_is_a_success(void **state)
{
	(void)state;
	given_booted("db: OnFailure=alarm OnSuccess=bell; alarm: Unwanted; bell: Unwanted");
	uint32_t db = given_running("db");
	when_asked(VERB_STOP, "db");
	when_exits(db, 0);
	then_does("swept db; launch bell start/0");
}

static void the_machine_goes_down_uncalled_for(void **state)
{
	(void)state;
	given_booted("db: OnFailure=alarm OnSuccess=alarm; alarm: Unwanted");
	uint32_t db = given_running("db");
	when_signalled(SIGTERM);
	when_exits(db, 1);
	then_does("swept db; halt");
	then_state("alarm", IDLE);
}

static void two_that_fail_and_call_one_another_have_patience(void **state)
{
	(void)state;
	given_booted("a: Unwanted Missing OnFailure=b; b: Unwanted Missing OnFailure=a");
	when_asked(VERB_START, "a");
	then_state("a", BACKOFF);
	then_state("b", FAILED);
	uint32_t n_steps = w.n_steps;
	for (int n = 0; n < 10; n++)
		when_time_passes(100);
	assert_true(w.n_steps - n_steps < 30);
	assert_true(service("a")->n_failures > 1);
}

/* With targets it would take no time at all. */
static void a_ring_of_targets_that_call_one_another_has_patience(void **state)
{
	(void)state;
	given_booted("a: Target Unwanted Conflicts=c OnSuccess=c; b: Target Unwanted Conflicts=a OnSuccess=a; "
		     "c: Target Unwanted Conflicts=b OnSuccess=b");
	when_asked(VERB_START, "a");
	when_asked(VERB_START, "b");
	when_asked(VERB_START, "c");
	when_time_passes(1);
	assert_true(w.n_steps < 100);
}

/* In a ring each has been restarted when its turn would come again, and those without a process are back in no time. */
static void a_restart_goes_round_a_ring_once(void **state)
{
	(void)state;
	given_booted("a: Target PartOf=c; b: Target PartOf=a; c: Target PartOf=b");
	when_asked(VERB_RESTART, "b");
	then_state("a", UP);
	then_state("b", UP);
	then_state("c", UP);
	assert_int_equal(service("a")->generation, 2);
	assert_int_equal(service("b")->generation, 2);
	assert_int_equal(service("c")->generation, 2);
}

/* ---- Upholds= ---- */

static void what_is_upheld_comes_back_whatever_ended_it(void **state)
{
	(void)state;
	given_booted("all: Target Upholds=db; db: Unwanted RestartSec=1000");
	uint32_t db = given_running("db");
	when_exits(db, 0);
	then_backoff("db", 1000);
	when_time_passes(1000);
	db = given_running("db");
	when_asked(VERB_STOP, "db");
	when_exits(db, 0);
	then_backoff("db", 1000);
	when_time_passes(1000);
	db = given_running("db");
	when_asked(VERB_STOP, "all");
	then_state("db", UP);
	when_exits(db, 0);
	then_state("db", DONE);
}

static void a_rival_ends_the_upholding(void **state)
{
	(void)state;
	given_booted("all: Target Upholds=db; db: Unwanted; other: Unwanted Conflicts=db");
	uint32_t db = given_running("db");
	when_asked(VERB_START, "other");
	when_exits(db, 0);
	then_state("db", IDLE);
}

/* ... even while it is stopping, for whatever reason, and whether or not the rival lasts. */
static void a_rival_ends_the_upholding_of_what_is_stopping(void **state)
{
	(void)state;
	given_booted("all: Target Upholds=db; db: Unwanted; other: Unwanted Conflicts=db");
	uint32_t db = given_running("db");
	when_asked(VERB_STOP, "db");
	when_asked(VERB_START, "other");
	when_asked(VERB_STOP, "other");
	when_exits(db, 0);
	then_state("db", IDLE);
}

static void two_that_uphold_and_exclude_one_another_have_patience(void **state)
{
	(void)state;
	given_booted("a: Target Unwanted Upholds=b Conflicts=b; b: Target Unwanted Upholds=a");
	when_asked(VERB_START, "a");
	when_time_passes(1);
	assert_true(w.n_steps < 50);
}

/* ---- reloads, and who may be asked ---- */

static void a_reload_goes_on_to_those_that_are_up(void **state)
{
	(void)state;
	given_booted("all: Reload=1 PropagatesReloadTo=a PropagatesReloadTo=b PropagatesReloadTo=c; a: Reload=1; b:; "
		     "c: Unwanted Reload=1");
	given_running("a");
	given_running("all");
	given_running("b");
	when_asked(VERB_RELOAD, "all");
	then_answer(ANSWER_OK);
	then_does("launch all reload/0; launch a reload/0");
}

static void reloads_that_go_round_in_a_ring_end(void **state)
{
	(void)state;
	given_booted("a: Reload=1 PropagatesReloadTo=b; b: Reload=1 PropagatesReloadTo=a");
	given_running("a");
	given_running("b");
	when_asked(VERB_RELOAD, "a");
	then_does("launch a reload/0; launch b reload/0");
}

static void some_units_are_not_to_be_started_or_stopped_by_hand(void **state)
{
	(void)state;
	given_booted("db: Unwanted RefuseManualStart; app: Requires=db RefuseManualStop");
	then_does("launch app start/0; launch db start/0");
	given_running("app");
	when_asked(VERB_START, "db");
	then_answer(ANSWER_NOT_BY_HAND);
	when_asked(VERB_STOP, "app");
	then_answer(ANSWER_NOT_BY_HAND);
	when_asked(VERB_RESTART, "app");
	then_answer(ANSWER_NOT_BY_HAND);
	then_does_nothing();
}

static void what_nobody_needs_any_more_is_stopped_where_it_says_so(void **state)
{
	(void)state;
	given_booted("a: Wants=db; b: Requires=db; db: Unwanted StopWhenUnneeded");
	uint32_t a = given_running("a"), b = given_running("b");
	given_running("db");
	when_exits(a, 0);
	then_does("swept a");
	when_exits(b, 1);
	then_does("swept b; signal db all 15");
}

/* ---- conditions: init/check has answered ---- */

static void what_may_start_starts(void **state)
{
	(void)state;
	given_booted("db: Check=1 Pre=1");
	then_does("launch db check/0");
	then_notes("units");
	when_exits(when_command_launched("db"), 0);
	then_does("launch db pre/0");
	then_notes("starting db");
}

/* systemd.unit(5): the start has succeeded, nothing has run, and what requires it goes on. */
static void a_condition_that_is_not_met_passes_the_unit_over(void **state)
{
	(void)state;
	given_booted("db: Check=1 Restart=always StartLimit=2 OnFailure=alarm OnSuccess=alarm; app: Requires=db After=db; "
		     "alarm: Unwanted");
	when_exits(when_command_launched("db"), 2);
	then_state("db", DONE);
	then_result("db", RESULT_CONDITION);
	then_does("swept db; launch app start/0");
	then_notes("done db; starting app");
	assert_int_equal(service("db")->unmet, 2);
	assert_int_equal(service("db")->last_death, 0);
	then_state("alarm", IDLE);
	/* Nor does it count as a start. */
	for (int n = 0; n < 5; n++) {
		when_asked(VERB_START, "db");
		when_exits(when_command_launched("db"), 1);
		then_result("db", RESULT_CONDITION);
	}
	when_asked(VERB_START, "db");
	when_exits(when_command_launched("db"), 0);
	then_does("launch db start/0");
	assert_int_equal(service("db")->unmet, 0);
}

static void an_assertion_that_is_not_met_fails_the_start(void **state)
{
	(void)state;
	given_booted("db: Check=1 Restart=always OnFailure=alarm; app: Requires=db After=db; alarm: Unwanted");
	when_exits(when_command_launched("db"), CHECK_ASSERTION + 1);
	then_state("db", FAILED);
	then_result("db", RESULT_ASSERT);
	then_state("app", FAILED);
	then_result("app", RESULT_DEPENDENCY);
	then_state("alarm", IDLE);
}

/* Not an answer, but trouble of its own: as any command's. */
static void a_check_that_is_killed_or_hangs_is_a_failure(void **state)
{
	(void)state;
	given_booted("db: Check=1");
	when_killed(when_command_launched("db"), SIGSEGV);
	then_state("db", FAILED);
	then_result("db", RESULT_SIGNAL);
	when_asked(VERB_START, "db");
	uint32_t check = when_command_launched("db");
	when_time_passes(START_TIMEOUT_MS);
	then_does("signal db all 15");
	when_killed(check, SIGTERM);
	then_result("db", RESULT_TIMEOUT);
}

static void not_even_a_oneshot_waits_for_ever_for_a_dead_disk(void **state)
{
	(void)state;
	given_booted("setup: Type=oneshot Check=1 TimeoutStart=infinity");
	when_command_launched("setup");
	when_time_passes(START_TIMEOUT_MS);
	then_does("signal setup all 15");
}

static void a_target_has_conditions_too(void **state)
{
	(void)state;
	given_booted("all: Target Check=1; app: After=all");
	then_does("launch all check/0");
	when_exits(when_command_launched("all"), 1);
	then_state("all", DONE);
	then_does("swept all; launch app start/0");
}

static void a_stop_ends_a_check(void **state)
{
	(void)state;
	given_booted("db: Check=1");
	uint32_t check = when_command_launched("db");
	when_asked(VERB_STOP, "db");
	then_does("signal db all 15");
	when_killed(check, SIGTERM);
	then_state("db", IDLE);
}

static void what_is_upheld_is_not_asked_again_and_again(void **state)
{
	(void)state;
	given_booted("all: Target Upholds=db; db: Unwanted Check=1");
	when_exits(when_command_launched("db"), 1);
	then_state("db", DONE);
	then_is_quiet();
}

int main(void)
{
#define STORY(name) cmocka_unit_test_teardown(name, end_story)
	const struct CMUnitTest tests[] = {
		STORY(a_target_is_up_once_what_comes_before_it_is),
		STORY(a_target_passes_the_order_on_when_things_stop),
		STORY(a_passive_target_counts_if_somebody_pulls_it_in),
		STORY(a_wish_has_gone_all_the_way_before_anybody_acts_on_it),
		STORY(requisite_takes_what_is_up_and_starts_nothing),
		STORY(requisite_waits_for_what_is_on_its_way),
		STORY(a_stop_takes_along_what_has_it_as_requisite),
		STORY(what_is_bound_ends_with_it),
		STORY(what_only_requires_it_does_not),
		STORY(what_is_bound_comes_back_with_it),
		STORY(what_was_up_and_is_done_is_not_enough_to_be_bound_to),
		STORY(a_part_stops_and_restarts_with_the_whole_and_starts_alone),
		STORY(a_stop_goes_where_the_unit_sends_it),
		STORY(a_start_stops_its_rival),
		STORY(of_two_in_order_what_stops_goes_first),
		STORY(of_rivals_that_are_both_wanted_the_first_is_started),
		STORY(rivals_by_a_reload_are_parted),
		STORY(a_ring_of_rivals_comes_to_rest),
		STORY(a_failure_calls),
		STORY(a_failure_that_is_answered_by_a_restart_calls_nobody),
		STORY(an_ordered_stop_is_a_success),
		STORY(the_machine_goes_down_uncalled_for),
		STORY(two_that_fail_and_call_one_another_have_patience),
		STORY(a_ring_of_targets_that_call_one_another_has_patience),
		STORY(a_restart_goes_round_a_ring_once),
		STORY(what_is_upheld_comes_back_whatever_ended_it),
		STORY(a_rival_ends_the_upholding),
		STORY(a_rival_ends_the_upholding_of_what_is_stopping),
		STORY(two_that_uphold_and_exclude_one_another_have_patience),
		STORY(a_reload_goes_on_to_those_that_are_up),
		STORY(reloads_that_go_round_in_a_ring_end),
		STORY(some_units_are_not_to_be_started_or_stopped_by_hand),
		STORY(what_nobody_needs_any_more_is_stopped_where_it_says_so),
		STORY(what_may_start_starts),
		STORY(a_condition_that_is_not_met_passes_the_unit_over),
		STORY(an_assertion_that_is_not_met_fails_the_start),
		STORY(a_check_that_is_killed_or_hangs_is_a_failure),
		STORY(not_even_a_oneshot_waits_for_ever_for_a_dead_disk),
		STORY(a_target_has_conditions_too),
		STORY(a_stop_ends_a_check),
		STORY(what_is_upheld_is_not_asked_again_and_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
