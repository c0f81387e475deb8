#include "lib/limits.h"
#include "lib/shared_count.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define EVENTS(n, at) shared_read(&s, SHARED_MEMORY_EVENTS, true, (n), (at))

static void what_it_stood_at_when_we_came_is_nobodys(void **state)
{
	(void)state;
	struct shared_count s = { 0 };
	assert_int_equal(shared_ask(&s, 1), SHARED_NO_WORD);
	EVENTS(7, 1);
	assert_int_equal(shared_ask(&s, 1), SHARED_NO_KILL);
	EVENTS(8, 2);
	assert_int_equal(shared_ask(&s, 2), SHARED_SOME_KILL);
}

/* k deaths of one burst against a count that rose by n. */
static void as_many_kills_as_deaths_prove_each(void **state)
{
	(void)state;
	for (uint32_t n = 1; n < 5; n++)
		for (uint32_t k = 1; k < 5; k++) {
			struct shared_count s = { 0 };
			EVENTS(3, 1);
			EVENTS(3 + n, 10);
			for (uint32_t d = 0; d < k; d++)
				shared_hold(&s, 10 + d);
			assert_false(shared_is_due(&s, 9 + EVIDENCE_GRACE_MS));
			assert_true(shared_is_due(&s, 10 + EVIDENCE_GRACE_MS));
			assert_int_equal(shared_close(&s), n >= k);
			assert_false(shared_is_due(&s, 10000));
			assert_int_equal(shared_ask(&s, 70), n > k ? SHARED_SOME_KILL : SHARED_NO_KILL);
		}
}

static void a_kill_that_nobody_claims_is_forgotten(void **state)
{
	(void)state;
	struct shared_count s = { 0 };
	EVENTS(0, 1);
	EVENTS(1, 10);
	assert_int_equal(shared_ask(&s, 9 + WOUND_GRACE_MS), SHARED_SOME_KILL);
	assert_int_equal(shared_ask(&s, 10 + WOUND_GRACE_MS), SHARED_NO_KILL);
	EVENTS(2, 20 + WOUND_GRACE_MS);
	shared_hold(&s, 20 + WOUND_GRACE_MS);
	shared_hold(&s, 20 + WOUND_GRACE_MS);
	assert_false(shared_close(&s));         /* one kill, not two: the first was forgotten */
}

static void a_kill_is_forgotten_to_the_ms(void **state)
{
	(void)state;
	for (uint32_t ms = 0; ms < 2; ms++) {
		struct shared_count s = { 0 };
		EVENTS(0, 1);
		EVENTS(1, 10);
		EVENTS(2, 9 + ms + WOUND_GRACE_MS);
		shared_hold(&s, 10 + WOUND_GRACE_MS);
		shared_hold(&s, 10 + WOUND_GRACE_MS);
		assert_int_equal(shared_close(&s), ms == 0);
	}
}

static void nothing_is_forgotten_while_a_death_is_held(void **state)
{
	(void)state;
	struct shared_count s = { 0 };
	EVENTS(0, 1);
	EVENTS(1, 10);
	shared_hold(&s, 9 + WOUND_GRACE_MS);
	assert_int_equal(shared_ask(&s, 10 + WOUND_GRACE_MS), SHARED_SOME_KILL);
	EVENTS(1, 10 + WOUND_GRACE_MS);
	assert_true(shared_close(&s));
}

static void a_stranger_seen_while_a_death_is_held_unproves_it(void **state)
{
	(void)state;
	struct shared_count s = { 0 };
	EVENTS(0, 1);
	EVENTS(1, 10);
	shared_hold(&s, 10);
	shared_read(&s, SHARED_MEMORY_EVENTS, false, 1, 11);
	assert_false(shared_close(&s));
}

static void one_burst_leaves_nothing_to_the_next(void **state)
{
	(void)state;
	struct shared_count s = { 0 };
	EVENTS(0, 1);
	EVENTS(1, 10);
	shared_hold(&s, 10);
	assert_true(shared_close(&s));
	EVENTS(2, 20);
	shared_hold(&s, 20);
	assert_true(shared_close(&s));
}

static void a_count_that_others_move_proves_nobody(void **state)
{
	(void)state;
	struct shared_count s = { 0 };
	shared_read(&s, SHARED_VMSTAT, false, 5, 1);
	assert_int_equal(shared_ask(&s, 1), SHARED_NO_KILL);
	shared_read(&s, SHARED_VMSTAT, false, 6, 2);
	assert_int_equal(shared_ask(&s, 2), SHARED_ANYBODYS_KILL);
	/* A stranger seen once is enough. */
	s = (struct shared_count){ 0 };
	EVENTS(0, 1);
	shared_read(&s, SHARED_MEMORY_EVENTS, false, 1, 2);
	EVENTS(2, 3);
	assert_int_equal(shared_ask(&s, 3), SHARED_ANYBODYS_KILL);
}

static void a_count_that_wraps_goes_on(void **state)
{
	(void)state;
	struct shared_count s = { 0 };
	EVENTS(UINT32_MAX, 1);
	EVENTS(0, 2);
	shared_hold(&s, 2);
	assert_true(shared_close(&s));
}

/* ---- files ---- */

static void the_line_is_found_among_its_like(void **state)
{
	(void)state;
	static const struct { const char *text; int count; } rows[] = {
		{ "low 0\nhigh 0\nmax 12\noom 4\noom_kill 3\noom_group_kill 1\n", 3 },
		{ "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n", 2 },
		{ "oom_kill_disable 0\nunder_oom 0\n", -1 },
		{ "pgpgin 9\noom_kill 1\nnuma_hit 4", 1 },
		{ "oom_kill ", -1 }, { "oom_kill x\n", -1 }, { "", -1 },
	};
	for (size_t i = 0; i < countof(rows); i++) {
		uint32_t n = 99;
		bool is_there = shared_kills(str_from(rows[i].text), &n);
		assert_int_equal(is_there ? (int)n : -1, rows[i].count);
	}
}

#define V2(root, point) "30 24 0:26 " root " " point " ro,nosuid shared:4 master:1 - cgroup2 cgroup2 rw,nsdelegate"
#define V1(root, point, controllers) "36 32 0:33 " root " " point " rw,relatime - cgroup cgroup rw," controllers

/* Lines as runtimes leave them: a cgroup namespace or none, the whole tree or a part, at the usual place or anywhere. */
static void the_folder_of_our_own_cgroup_is_found(void **state)
{
	(void)state;
	static const struct { const char *name, *mount, *own; bool is_v1; const char *folder; } rows[] = {
		{ "a namespace of its own", V2("/", "/sys/fs/cgroup"), "0::/\n", false, "/sys/fs/cgroup" },
		{ "the host's tree", V2("/", "/sys/fs/cgroup"), "0::/pod/1f\n", false, "/sys/fs/cgroup/pod/1f" },
		{ "a part of it", V2("/pod/1f", "/cg"), "0::/pod/1f\n", false, "/cg" },
		{ "below that part", V2("/pod", "/cg"), "0::/pod/1f\n", false, "/cg/1f" },
		{ "another's part", V2("/pod/1", "/cg"), "0::/pod/1f\n", false, NULL },
		{ "outside of the namespace's root", V2("/", "/sys/fs/cgroup"), "0::/../1f\n", false, NULL },
		{ "hybrid", V2("/", "/sys/fs/cgroup/unified"), "4:memory:/a\n0::/b\n", false, "/sys/fs/cgroup/unified/b" },
		{ "v1", V1("/", "/sys/fs/cgroup/memory", "memory"), "5:pids:/x\n4:memory:/docker/1f\n0::/b\n", true,
		  "/sys/fs/cgroup/memory/docker/1f" },
		{ "v1, docker", V1("/docker/1f", "/sys/fs/cgroup/memory", "memory"), "4:memory:/docker/1f\n", true, "/sys/fs/cgroup/memory" },
		{ "v1, controllers together", V1("/", "/m", "cpuset,memory,pids"), "4:cpuset,memory,pids:/a\n", true, "/m/a" },
		{ "v1, another controller", V1("/", "/m", "cpuset"), "4:memory:/a\n", true, NULL },
		{ "v1, a name like it", V1("/", "/m", "memoryx"), "4:memory:/a\n", true, NULL },
		{ "v1 asked for, v2 is there", V2("/", "/sys/fs/cgroup"), "4:memory:/a\n0::/\n", true, NULL },
		{ "v2 asked for, v1 is there", V1("/", "/m", "memory"), "4:memory:/a\n0::/\n", false, NULL },
		{ "no such hierarchy", V2("/", "/sys/fs/cgroup"), "4:memory:/a\n", false, NULL },
		{ "a blank in its name", V2("/", "/my\\040cg"), "0::/\n", false, NULL },
		{ "another file system", "25 1 8:1 / / rw - ext4 /dev/sda1 rw,memory", "4:memory:/a\n0::/\n", true, NULL },
		{ "cut short", "30 24 0:26 / /sys", "0::/\n", false, NULL },
		{ "nothing", "", "", false, NULL },
	};
	for (size_t i = 0; i < countof(rows); i++) {
		char text[128];
		struct buf path = BUF(text);
		bool is_found = shared_folder(str_from(rows[i].mount), str_from(rows[i].own), rows[i].is_v1, &path);
		if (is_found != (rows[i].folder != NULL) || (is_found && strcmp(buf_cstr(&path), rows[i].folder)))
			fail_msg("%s: %s", rows[i].name, is_found ? buf_cstr(&path) : "not found");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_it_stood_at_when_we_came_is_nobodys),
		cmocka_unit_test(as_many_kills_as_deaths_prove_each),
		cmocka_unit_test(a_kill_that_nobody_claims_is_forgotten),
		cmocka_unit_test(a_kill_is_forgotten_to_the_ms),
		cmocka_unit_test(nothing_is_forgotten_while_a_death_is_held),
		cmocka_unit_test(a_stranger_seen_while_a_death_is_held_unproves_it),
		cmocka_unit_test(one_burst_leaves_nothing_to_the_next),
		cmocka_unit_test(a_count_that_others_move_proves_nobody),
		cmocka_unit_test(a_count_that_wraps_goes_on),
		cmocka_unit_test(the_line_is_found_among_its_like),
		cmocka_unit_test(the_folder_of_our_own_cgroup_is_found),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
