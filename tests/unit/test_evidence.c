/* Stories about deaths: what each means to its service, and what the log's words about groups add to it. */
#include "lib/condition.h"
#include "story.h"

/* ---- results ---- */

static void whoever_is_stopped_may_still_end_badly(void **state)
{
	(void)state;
	static const struct { uint8_t code, status; enum result result; } rows[] = {
		{ CLD_EXITED, 0, RESULT_SUCCESS }, { CLD_EXITED, 1, RESULT_EXIT_CODE }, { CLD_EXITED, SIGTERM, RESULT_EXIT_CODE },
		{ CLD_EXITED, SIGKILL, RESULT_EXIT_CODE }, { CLD_KILLED, SIGTERM, RESULT_SUCCESS }, { CLD_KILLED, SIGUSR1, RESULT_SIGNAL },
		{ CLD_KILLED, SIGSEGV, RESULT_SIGNAL }, { CLD_KILLED, SIGKILL, RESULT_SIGNAL }, { CLD_DUMPED, SIGSEGV, RESULT_CORE_DUMP },
	};
	for (size_t i = 0; i < countof(rows); i++) {
		given_booted("db: Restart=no");
		uint32_t pid = given_running("db");
		when_asked(VERB_STOP, "db");
		die(pid, rows[i].code, rows[i].status);
		then_state("db", rows[i].result == RESULT_SUCCESS ? IDLE : FAILED);
		then_result("db", rows[i].result);
		end_story(NULL);
	}
}

static void a_condition_says_no_with_any_status_but_the_last(void **state)
{
	(void)state;
	static const struct { uint8_t status; enum result result; } rows[] = {
		{ 1, RESULT_EXEC_CONDITION }, { 254, RESULT_EXEC_CONDITION }, { 255, RESULT_EXIT_CODE },
	};
	for (size_t i = 0; i < countof(rows); i++) {
		given_booted("db: Condition=1 Restart=no");
		when_exits(when_command_launched("db"), rows[i].status);
		then_result("db", rows[i].result);
		end_story(NULL);
	}
}

static void a_check_says_which_line_was_not_met(void **state)
{
	(void)state;
	static const struct { uint8_t status; enum result result; } rows[] = {
		{ 1, RESULT_CONDITION }, { CHECK_LAST, RESULT_ASSERT }, { CHECK_LAST + 1, RESULT_EXIT_CODE },
	};
	for (size_t i = 0; i < countof(rows); i++) {
		given_booted("db: Check=1 Restart=no");
		when_exits(when_command_launched("db"), rows[i].status);
		then_result("db", rows[i].result);
		assert_int_equal(service("db")->unmet, rows[i].result == RESULT_EXIT_CODE ? 0 : rows[i].status);
		end_story(NULL);
	}
}

/* ---- groups ---- */

static struct oom_kill group_record(const char *name, uint32_t pid)
{
	struct oom_kill k = kill_record(name, pid);
	k.is_group = k.is_manual = k.is_allocating_task = k.is_task_memcg_above = k.is_memcg_cut = true;
	strcpy(k.memcg, "/system.slice");
	strcpy(k.constraint, "CONSTRAINT_MEMCG");
	strcpy(k.invoked_by, "hog");
	return k;
}

/* The reader of the log took the line for one more of a group's: of its header nothing is true of this victim. */
static void what_was_told_of_another_services_group_does_not_hold(void **state)
{
	(void)state;
	given_booted("app: ; db: Restart=no");
	uint32_t pid = given_running("db");
	given_counter("db", 1);
	say_record(group_record("app", pid), EVENT_OOM_KILL);
	when_killed(pid, SIGKILL);
	const struct oom_kill *k = &death_of("db")->oom;
	then_cause(death_of("db"), CAUSE_OOM_KILL);
	assert_int_equal(k->anon_rss_kb, 4096);
	assert_false(k->is_group || k->is_manual || k->is_allocating_task || k->is_task_memcg_above || k->is_memcg_cut || k->is_task_memcg_cut);
	assert_string_equal(k->memcg, "");
	assert_string_equal(k->task_memcg, "");
	assert_string_equal(k->constraint, "");
	assert_string_equal(k->invoked_by, "");
}

static void what_was_told_of_its_own_group_holds(void **state)
{
	(void)state;
	static const char *const names[] = { "db", "nobody" };
	for (size_t i = 0; i < countof(names); i++) {
		given_booted("app: ; db: Restart=no");
		uint32_t pid = given_running("db");
		given_counter("db", 1);
		say_record(group_record(names[i], pid), EVENT_OOM_KILL);
		when_killed(pid, SIGKILL);
		assert_true(death_of("db")->oom.is_group);
		assert_string_equal(death_of("db")->oom.constraint, "CONSTRAINT_MEMCG");
		end_story(NULL);
	}
}

static void a_group_is_told_of_its_first_victim_before_or_after_its_death(void **state)
{
	(void)state;
	for (int is_late = 0; is_late < 2; is_late++) {
		given_booted("db: Restart=no; app: Restart=no");
		uint32_t db = given_running("db"), app = given_running("app");
		given_counter("db", 1);
		given_counter("app", 1);
		struct oom_kill of_app = kill_record("app", app), of_db = kill_record("db", db), nobody = of_db;
		say_record(of_app, EVENT_OOM_KILL);
		say_record(of_db, EVENT_OOM_KILL);
		nobody.pid = 0;                 /* its first victim's line was not seen */
		nobody.seq = of_app.seq;
		if (is_late)
			die(db, CLD_KILLED, SIGKILL);
		say_record(of_db, EVENT_OOM_GROUP);
		say_record(nobody, EVENT_OOM_GROUP);
		if (!is_late)
			die(db, CLD_KILLED, SIGKILL);
		die(app, CLD_KILLED, SIGKILL);
		assert_true(death_of("db")->oom.is_group);
		assert_false(death_of("app")->oom.is_group);
		end_story(NULL);
	}
}

/* Of the whole cgroup, and of this generation: then what our sweep reaches first was the kernel's all the same. */
static void a_group_is_the_services_where_it_is_all_of_its_cgroup(void **state)
{
	(void)state;
	static const struct { const char *below; bool is_cut, is_old, is_its; } rows[] = {
		{ "", false, false, true }, { "/worker", false, false, false }, { "", true, false, false }, { "", false, true, false },
	};
	for (size_t i = 0; i < countof(rows); i++) {
		given_booted("db:");
		struct oom_kill k = kill_record("db", 900);
		w.kmsg_seq -= !rows[i].is_old;
		strcat(k.task_memcg, rows[i].below);
		k.is_task_memcg_cut = rows[i].is_cut;
		given_running("db");
		say_record(k, EVENT_OOM_GROUP);
		assert_int_equal(!!(service("db")->flags & SERVICE_GROUP_KILLED), rows[i].is_its);
		end_story(NULL);
	}
}

static void losses_of_the_log_are_told_once_a_second(void **state)
{
	(void)state;
	given_booted("db:");
	step(event_of(EVENT_KMSG_LOST, NO_UNIT));
	w.now_ms += KMSG_LOST_AGAIN_MS - 1;
	forget_effects();
	step(event_of(EVENT_KMSG_LOST, NO_UNIT));
	then_notes("");
	w.now_ms += 1;
	step(event_of(EVENT_KMSG_LOST, NO_UNIT));
	then_notes("kmsg-lost");
	assert_int_equal(w.core->n_kmsg_lost, 3);
}

#define STORY(name) cmocka_unit_test_teardown(name, end_story)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(whoever_is_stopped_may_still_end_badly),
		STORY(a_condition_says_no_with_any_status_but_the_last),
		STORY(a_check_says_which_line_was_not_met),
		STORY(what_was_told_of_another_services_group_does_not_hold),
		STORY(what_was_told_of_its_own_group_holds),
		STORY(a_group_is_told_of_its_first_victim_before_or_after_its_death),
		STORY(a_group_is_the_services_where_it_is_all_of_its_cgroup),
		STORY(losses_of_the_log_are_told_once_a_second),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
