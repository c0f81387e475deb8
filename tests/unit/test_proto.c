#include "lib/proto.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct request good(void)
{
	return (struct request){ .magic = PROTO_MAGIC, .version = PROTO_VERSION, .verb = VERB_STATUS, .unit = "db" };
}

static void a_good_request_passes(void **state)
{
	(void)state;
	struct request r = good();
	assert_null(request_check(&r, sizeof r));
	memset(r.unit, 'a', UNIT_NAME_MAX);
	r.unit[UNIT_NAME_MAX] = '\0';
	assert_null(request_check(&r, sizeof r));
}

static void assert_refused(const struct request *r, const char *reason)
{
	const char *said = request_check(r, sizeof *r);
	assert_non_null(said);
	assert_string_equal(said, reason);
}

static void a_bad_request_is_refused_by_name(void **state)
{
	(void)state;
	struct request r = good();
	r.magic++;
	assert_refused(&r, "magic");
	r = good();
	r.version++;
	assert_refused(&r, "version");
	r = good();
	r.verb = N_VERB;
	assert_refused(&r, "verb");
	r = good();
	memset(r.unit, 'a', sizeof r.unit);
	assert_refused(&r, "unit name");
}

/* Memory of exactly the packet's size: the sanitizer sees a check that looks before it has measured. */
static void any_other_size_is_refused_unread(void **state)
{
	(void)state;
	for (size_t size = 0; size < sizeof(struct request); size++) {
		struct request r = good();
		void *bytes = malloc(size ? size : 1);
		memcpy(bytes, &r, size);
		const char *said = request_check(bytes, size);
		free(bytes);
		assert_non_null(said);
		assert_string_equal(said, "size");
	}
	struct { struct request r; char more; } large = { .r = good() };
	assert_string_equal(request_check(&large, sizeof large.r + 1), "size");
}

static void every_packet_fits(void **state)
{
	(void)state;
	static const size_t sizes[] = {
		sizeof(struct unit_packet), sizeof(struct text_packet), sizeof(struct death_packet), sizeof(struct note_packet),
		sizeof(struct version_packet), sizeof(struct incidents_packet), sizeof(struct log_packet), sizeof(struct end_packet),
	};
	for (size_t i = 0; i < countof(sizes); i++)
		assert_in_range(sizes[i], sizeof(struct packet), PROTO_PACKET_MAX);
}

/* Whoever adds a verb has to say here whether the group oomph may use it. */
static void changes_are_told_from_reading(void **state)
{
	(void)state;
	static const bool is_change[N_VERB] = {
		[VERB_START] = true, [VERB_STOP] = true, [VERB_RESTART] = true, [VERB_RELOAD] = true, [VERB_KILL] = true,
		[VERB_POWER] = true, [VERB_UPGRADE] = true,
	};
	_Static_assert(N_VERB == 15, "a verb was added: does it change anything?");
	for (int verb = 0; verb < N_VERB; verb++)
		assert_int_equal(verb_is_change((enum verb)verb), is_change[verb]);
	assert_true(verb_is_change(N_VERB));
}

static void what_services_write_and_crashes_tell_is_for_root(void **state)
{
	(void)state;
	for (int verb = 0; verb < N_VERB; verb++)
		assert_int_equal(verb_is_for_root((enum verb)verb), verb_is_change((enum verb)verb) || verb == VERB_LOGS || verb == VERB_CRASHES);
}

/* ---- the view of a service ---- */

static uint64_t unit_room[1024];
static uint64_t core_room[(sizeof(struct core) + sizeof(struct service)) / 8 + 1];

static struct unitset given_unit(const char *description, const char *file)
{
	struct unitset_writer w;
	unitset_begin(&w, unit_room, sizeof unit_room, 1);
	struct unit *u = unitset_slot(&w, 0);
	u->name = unitset_put_text(&w, STR("db.service"));
	u->description = unitset_put_text(&w, str_from(description));
	u->file = unitset_put_text(&w, str_from(file));
	u->oom_score_adj = -900;
	u->type = TYPE_NOTIFY;
	u->restart = RESTART_ALWAYS;
	u->oom_policy = OOM_KILL;
	u->knobs[KNOB_MEMORY_MAX] = 64 << 20;
	assert_true(unitset_end(&w, unitset_put_blob(&w, NULL, 0)));
	return (struct unitset){ (const unsigned char *)unit_room, (uint32_t)w.needed };
}

static struct core *given_core(void)
{
	struct core *c = (struct core *)core_room;
	memset(core_room, 0, sizeof core_room);
	core_init(c, MODE_VM, 1);
	c->n_services = 1;
	strcpy(c->cgroup_root, "/system.slice");
	return c;
}

static void a_running_service_is_shown_as_it_is(void **state)
{
	(void)state;
	struct unitset units = given_unit("Database", "/etc/services.d/db.service");
	struct core *c = given_core();
	c->services[0] = (struct service){
		.state = UP, .step = STEP_RUN, .want = true, .result = RESULT_SUCCESS, .main_pid = 71, .generation = 3,
		.n_restarts = 2, .n_oom_kills = 1, .since_at = 4000, .launched_at = 3900, .last_death = 9,
		.warned = 1u << LAUNCH_SCORE, .warned_step = LAUNCH_SCORE, .warned_error = 1, .status_text = "serving",
		.deadline_at = 9000,
	};
	struct unit_packet p;
	view_unit(&p, c, units, 0, 5000);
	assert_int_equal(p.head.kind, PACKET_UNIT);
	assert_int_equal(p.head.size, sizeof p);
	assert_string_equal(p.unit, "db.service");
	assert_string_equal(p.description, "Database");
	assert_string_equal(p.file, "/etc/services.d/db.service");
	assert_string_equal(p.cgroup, "/system.slice/db.service");
	assert_string_equal(p.status_text, "serving");
	assert_int_equal(p.state, UP);
	assert_int_equal(p.want, 1);
	assert_int_equal(p.main_pid, 71);
	assert_int_equal(p.since_ms, 1000);
	assert_int_equal(p.uptime_ms, 1100);
	assert_int_equal(p.generation, 3);
	assert_int_equal(p.n_restarts, 2);
	assert_int_equal(p.n_oom_kills, 1);
	assert_int_equal(p.last_death, 9);
	assert_int_equal(p.oom_score_adj, -900);
	assert_int_equal(p.type, TYPE_NOTIFY);
	assert_int_equal(p.restart, RESTART_ALWAYS);
	assert_int_equal(p.oom_policy, OOM_KILL);
	assert_int_equal(p.knobs[KNOB_MEMORY_MAX], 64 << 20);
	assert_int_equal(p.next_start_ms, FOREVER_MS);  /* its deadline is no start */
	assert_true(p.has_warning);
	assert_int_equal(p.warned_step, LAUNCH_SCORE);
	assert_int_equal(p.warned_error, 1);
	assert_false(p.has_cgroup);
}

static void the_next_start_counts_down_to_nothing(void **state)
{
	(void)state;
	struct unitset units = given_unit("", "");
	struct core *c = given_core();
	struct unit_packet p;
	c->services[0] = (struct service){ .state = BACKOFF, .deadline_at = 5104, .since_at = 4900, .launched_at = 100 };
	view_unit(&p, c, units, 0, 5000);
	assert_int_equal(p.next_start_ms, 104);
	assert_int_equal(p.uptime_ms, 0);               /* nothing runs */
	view_unit(&p, c, units, 0, 6000);
	assert_int_equal(p.next_start_ms, 0);
}

static void long_texts_are_cut_and_closed(void **state)
{
	(void)state;
	char text[400];
	struct unit_packet p;
	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	struct unitset units = given_unit(text, text);
	memset(&p, 0xff, sizeof p);
	view_unit(&p, given_core(), units, 0, 0);
	assert_int_equal(strlen(p.description), sizeof p.description - 1);
	assert_int_equal(strlen(p.file), sizeof p.file - 1);
	assert_string_equal(p.unit, "db.service");
}

/* ---- the view of what it writes ---- */

static void a_stream_is_told_with_all_that_its_unit_says(void **state)
{
	(void)state;
	struct unitset units = given_unit("", "");
	struct unit *u = (struct unit *)unitset_unit(units, 0);
	struct unitset_writer w = { .bytes = (unsigned char *)unit_room, .size = sizeof unit_room, .needed = units.size };
	struct log_packet p;
	view_log(&p, units, 0, LOG_ERR);
	assert_true(p.head.kind == PACKET_LOG && p.head.size == sizeof p);
	assert_string_equal(p.unit, "db.service");
	assert_string_equal(p.identifier, "");
	assert_true(p.stream == LOG_ERR && p.level == LOG_PRIORITY_INFO && p.level_max == LOG_PRIORITY_DEBUG && p.has_prefix && p.copies == 0);
	assert_true(p.rate_ms == LOG_RATE_MS && p.rate_burst == 0);

	struct context x = context_defaults;
	x.log_identifier = unitset_put_text(&w, STR("base"));
	x.log_level = LOG_PRIORITY_ERR;
	x.flags = CONTEXT_NO_LOG_PREFIX;
	x.log_copies[LOG_ERR] = COPY_TO_CONSOLE;
	u->context = unitset_put(&w, &x, 1, sizeof x);
	view_log(&p, units, 0, LOG_ERR);
	assert_string_equal(p.identifier, "base");
	assert_true(p.level == LOG_PRIORITY_ERR && !p.has_prefix && p.copies == COPY_TO_CONSOLE);
	view_log(&p, units, 0, LOG_OUT);
	assert_true(p.stream == LOG_OUT && p.copies == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_request_passes),
		cmocka_unit_test(a_bad_request_is_refused_by_name),
		cmocka_unit_test(any_other_size_is_refused_unread),
		cmocka_unit_test(every_packet_fits),
		cmocka_unit_test(changes_are_told_from_reading),
		cmocka_unit_test(what_services_write_and_crashes_tell_is_for_root),
		cmocka_unit_test(a_running_service_is_shown_as_it_is),
		cmocka_unit_test(the_next_start_counts_down_to_nothing),
		cmocka_unit_test(long_texts_are_cut_and_closed),
		cmocka_unit_test(a_stream_is_told_with_all_that_its_unit_says),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
