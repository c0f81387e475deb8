#include "story.h"
#include "lib/crash.h"

/* Every story of the core is told again from its journal (story.h). Here: what a journal is when it is not whole. */

#define AREA 65536

static char area[AREA];

static size_t put_entry(size_t at, uint64_t number, struct event ev)
{
	union entry_space e = { .head = { .number = number, .intake = 7, .n_taken = 3 } };
	entry_write(&e, &ev);
	memcpy(area + at, &e, e.head.size);
	return at + e.head.size;
}

static size_t put_ticks(size_t at, uint64_t from, uint64_t to)
{
	struct event ev = event_of(EVENT_TICK, NO_UNIT);
	for (; from <= to; from++)
		at = put_entry(at, from, ev);
	return at;
}

static uint64_t last(uint64_t image)
{
	uint32_t end;
	return state_last(area, AREA, image, &end);
}

static int clear(void **state)
{
	(void)state;
	memset(area, 0, sizeof area);
	return 0;
}

static void an_entry_brings_back_its_event(void **state)
{
	(void)state;
	union entry_space e;
	struct event ev;
	struct notify_message m = { .is_ready = true, .has_status = true, .status = STR("at your service"), .fd_name = STR("fd") };
	struct event told = { .kind = EVENT_NOTIFY, .service = 3, .pid = 77, .message = &m };
	put_entry(0, 1, told);
	assert_true(entry_read(&e, area, AREA, &ev));
	assert_int_equal(ev.pid, 77);
	assert_true(ev.message->is_ready && str_eq(ev.message->status, STR("at your service")));
	assert_int_equal(e.head.intake, 7);
	assert_int_equal(e.head.n_taken, 3);
}

static void a_kill_comes_with_its_event(void **state)
{
	(void)state;
	union entry_space e;
	struct event ev;
	struct oom_kill k = { .pid = 9, .seq = 512, .comm = "hog", .task_memcg = "/system.slice/app.service" };
	put_entry(0, 1, (struct event){ .kind = EVENT_OOM_KILL, .service = NO_UNIT, .kill = &k });
	assert_true(entry_read(&e, area, AREA, &ev));
	assert_memory_equal(ev.kill, &k, sizeof k);
}

static void a_status_text_of_any_length_has_room(void **state)
{
	(void)state;
	union entry_space e;
	struct event ev;
	static char text[NOTIFY_LINE_MAX];
	memset(text, 'x', sizeof text);
	struct notify_message m = { .has_status = true, .status = str_of(text, sizeof text) };
	put_entry(0, 1, (struct event){ .kind = EVENT_NOTIFY, .service = 0, .message = &m });
	assert_true(entry_read(&e, area, AREA, &ev));
	assert_in_range(ev.message->status.n, STATUS_TEXT_MAX - 1, sizeof text);
}

static void any_changed_byte_is_seen(void **state)
{
	(void)state;
	union entry_space e;
	struct event ev;
	struct oom_kill k = { .pid = 9 };
	size_t n = put_entry(0, 1, (struct event){ .kind = EVENT_OOM_KILL, .service = NO_UNIT, .kill = &k });
	for (size_t at = 0; at < n; at++) {
		area[at] ^= 0x10;
		assert_false(entry_read(&e, area, AREA, &ev));
		area[at] ^= 0x10;
	}
	for (size_t less = 0; less < n; less++)
		assert_false(entry_read(&e, area, less, &ev));
	assert_true(entry_read(&e, area, n, &ev));
}

static void a_journal_ends_with_its_last_whole_entry(void **state)
{
	(void)state;
	uint32_t end;
	size_t n = put_ticks(0, 41, 45);
	size_t torn = put_entry(n, 46, event_of(EVENT_TICK, NO_UNIT));
	area[torn - 1] ^= 1;
	assert_int_equal(state_last(area, AREA, 40, &end), 45);
	assert_int_equal(end, n);
}

static void what_an_earlier_journal_left_behind_is_none_of_it(void **state)
{
	(void)state;
	put_ticks(0, 1, 20);
	put_ticks(0, 21, 23);           /* an image of 20 was written, and the journal began anew over the old one */
	assert_int_equal(last(20), 23);
	put_ticks(0, 24, 24);
	assert_int_equal(last(23), 24);
}

static void an_image_that_is_newer_than_the_journal_stands_alone(void **state)
{
	(void)state;
	put_ticks(0, 1, 20);
	assert_int_equal(last(20), 20);
	assert_int_equal(last(15), 20);
	assert_int_equal(last(300), 300);
}

static void a_gap_is_not_stepped_over(void **state)
{
	(void)state;
	size_t at = put_ticks(0, 11, 12);
	put_ticks(at, 14, 15);
	assert_int_equal(last(10), 12);
}

static void the_event_in_hand_is_left_out_and_a_dropped_one_as_well(void **state)
{
	(void)state;
	given_booted("db: Restart=always; app:");
	when_launched("db");
	when_launched("app");
	struct core *before = malloc(w.core->size);
	memcpy(before, w.core, w.core->size);
	uint64_t n = w.n_events;
	when_asked(VERB_STOP, "app");
	/* All but what came after: the core as it was before. */
	struct core *again = malloc(w.core->size);
	memcpy(again, w.image, w.core->size);
	assert_int_equal(state_replay(again, w.units, w.journal, w.n_journal, 0, n + 1), n);
	assert_memory_equal(again, before, before->size);
	/* The request dropped: it is as if nobody had asked. */
	union entry_space e;
	struct event ev;
	assert_true(state_find(&e, w.journal, w.n_journal, n + 1, &ev));
	assert_int_equal(ev.kind, EVENT_REQUEST);
	e.head.is_dropped = true;
	entry_sign(&e);
	memcpy(area, &e, e.head.size);
	assert_int_equal(state_replay(again, w.units, area, AREA, n, 0), n + 1);
	assert_memory_equal(again, before, before->size);
	free(before);
	free(again);
}

/* ---- is it a core? ---- */

static void damage_is_told(void **state)
{
	(void)state;
	given_booted("db:; app: After=db");
	struct core *c = w.core;
	size_t size = c->size;
	assert_null(state_check(c, size, w.units));
	assert_non_null(state_check(c, size - 1, w.units));
	assert_non_null(state_check(c, size, (struct unitset){ 0 }));
	struct { void *at; size_t n; } wrong[] = {
		{ &c->magic, 4 }, { &c->version, 4 }, { &c->n_services, 4 }, { &c->system.phase, 1 }, { &c->next_kill, 4 },
		{ &c->services[0].state, 1 }, { &c->services[1].step, 1 }, { &c->services[1].result, 1 }, { &c->services[0].last_death, 8 },
		{ c->services[0].status_text, sizeof c->services[0].status_text }, { c->cgroup_root, sizeof c->cgroup_root },
		{ c->kills[0].comm, sizeof c->kills[0].comm }, { &c->queues[QUEUE_SETTLE].head, 1 }, { &c->services[0].flags, 4 },
	};
	for (size_t i = 0; i < countof(wrong); i++) {
		char kept[256];
		memcpy(kept, wrong[i].at, wrong[i].n);
		memset(wrong[i].at, 0x7e, wrong[i].n);
		if (!state_check(c, size, w.units))
			fail_msg("damage %zu is not seen", i);
		memcpy(wrong[i].at, kept, wrong[i].n);
	}
	assert_null(state_check(c, size, w.units));
}

static void a_queue_that_goes_round_is_damage(void **state)
{
	(void)state;
	given_booted("db:; app:");
	struct core *c = w.core;
	for (uint32_t i = 0; i < 2; i++) {
		c->services[i].flags |= SERVICE_QUEUED;
		c->services[i].next[QUEUE_SETTLE] = !i;
	}
	c->queues[QUEUE_SETTLE] = (struct queue){ 0, 1 };
	assert_non_null(state_check(c, c->size, w.units));
	c->services[1].next[QUEUE_SETTLE] = NO_UNIT;
	assert_null(state_check(c, c->size, w.units));
	for (uint32_t i = 0; i < 2; i++)
		c->services[i].flags &= ~(uint32_t)SERVICE_QUEUED;
	c->queues[QUEUE_SETTLE].head = NO_UNIT;
}

/* ---- crashes ---- */

static struct crash fault(uint64_t number, uint32_t intake, uint32_t dying)
{
	return (struct crash){ .signal = SIGSEGV, .number = number, .intake = intake, .dying = dying };
}

static void the_second_fault_on_the_same_thing_is_one_too_many(void **state)
{
	(void)state;
	const struct crash event = fault(5, 0, 0), next = fault(6, 0, 0), intake = fault(0, 9, 0), dying = fault(0, 0, 77), none = fault(0, 0, 0);
	struct crash sent = event;
	sent.is_sent = true;
	assert_true(crash_is_again(&event, &event) && crash_is_again(&intake, &intake) && crash_is_again(&dying, &dying));
	assert_false(crash_is_again(&event, &next));
	assert_false(crash_is_again(&none, &none));
	assert_false(crash_is_again(&sent, &event) || crash_is_again(&event, &sent));
	assert_false(crash_is_again(&event, &(struct crash){ .number = 5 }));
}

static void five_faults_in_a_minute_are_hopeless(void **state)
{
	(void)state;
	struct crash ring[CRASHES_KEPT] = { 0 };
	for (uint32_t k = 0; k < CRASHES_MOST; k++) {
		assert_false(crash_is_hopeless(ring, 0, 100000));
		ring[k] = (struct crash){ .signal = SIGSEGV, .now_ms = 90000 };
	}
	assert_true(crash_is_hopeless(ring, 0, 100000));
	assert_false(crash_is_hopeless(ring, 0, 90000 + CRASHES_WITHIN_MS));    /* long ago */
	assert_false(crash_is_hopeless(ring, 90001, 100000));                   /* another binary's */
	ring[2].is_sent = true;
	assert_false(crash_is_hopeless(ring, 0, 100000));
}

#define AREA_TEST(f) cmocka_unit_test_setup(f, clear)
#define STORY(f) cmocka_unit_test_setup_teardown(f, clear, end_story)

int main(void)
{
	const struct CMUnitTest tests[] = {
		AREA_TEST(an_entry_brings_back_its_event),
		AREA_TEST(a_kill_comes_with_its_event),
		AREA_TEST(a_status_text_of_any_length_has_room),
		AREA_TEST(any_changed_byte_is_seen),
		AREA_TEST(a_journal_ends_with_its_last_whole_entry),
		AREA_TEST(what_an_earlier_journal_left_behind_is_none_of_it),
		AREA_TEST(an_image_that_is_newer_than_the_journal_stands_alone),
		AREA_TEST(a_gap_is_not_stepped_over),
		STORY(the_event_in_hand_is_left_out_and_a_dropped_one_as_well),
		STORY(damage_is_told),
		STORY(a_queue_that_goes_round_is_damage),
		cmocka_unit_test(the_second_fault_on_the_same_thing_is_one_too_many),
		cmocka_unit_test(five_faults_in_a_minute_are_hopeless),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
