#include "lib/logqueue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct logqueue queue_of(size_t cap)
{
	return (struct logqueue){ .bytes = malloc(cap), .cap = cap };
}

static void then_popped(struct logqueue *q, const char *expected)
{
	char room[64];
	struct buf b = BUF(room);
	assert_true(logqueue_pop(q, &b));
	assert_string_equal(buf_cstr(&b), expected);
}

static void then_empty(struct logqueue *q)
{
	char room[64];
	struct buf b = BUF(room);
	assert_false(logqueue_pop(q, &b));
}

static void records_come_out_in_order(void **state)
{
	(void)state;
	struct logqueue q = queue_of(100);
	logqueue_push(&q, STR("one"));
	logqueue_push(&q, STR(""));
	logqueue_push(&q, STR("three"));
	then_popped(&q, "one");
	then_popped(&q, "");
	then_popped(&q, "three");
	then_empty(&q);
	free(q.bytes);
}

static void the_oldest_go_and_are_counted(void **state)
{
	(void)state;
	struct logqueue q = queue_of(24);       /* three of them: 4 bytes of length, 4 of text */
	logqueue_push(&q, STR("aaaa"));
	logqueue_push(&q, STR("bbbb"));
	logqueue_push(&q, STR("cccc"));
	assert_int_equal(q.n_dropped, 0);
	logqueue_push(&q, STR("dddd"));
	assert_int_equal(q.n_dropped, 1);
	logqueue_push(&q, STR("123456789"));    /* takes the place of two */
	assert_int_equal(q.n_dropped, 3);
	then_popped(&q, "dddd");
	then_popped(&q, "123456789");
	then_empty(&q);
	free(q.bytes);
}

static void what_never_fits_is_dropped_itself(void **state)
{
	(void)state;
	struct logqueue q = queue_of(12), none = { 0 };
	logqueue_push(&q, STR("12345678"));
	logqueue_push(&q, STR("123456789"));
	then_popped(&q, "12345678");
	then_empty(&q);
	assert_int_equal(q.n_dropped, 1);
	logqueue_push(&none, STR(""));
	assert_int_equal(none.n_dropped, 1);
	then_empty(&none);
	free(q.bytes);
}

/* Each number that goes in comes out or is counted, whatever the sizes and wherever the ring ends. */
static void nothing_is_lost_untold(void **state)
{
	(void)state;
	struct logqueue q = queue_of(61);
	uint32_t random = 1, n_in = 0, n_out = 0, last = 0;
	char text[64], room[64];
	while (n_in < 100000) {
		random = random * 1664525 + 1013904223;
		for (uint32_t i = 0; i < random >> 28; i++) {
			int n = snprintf(text, sizeof text, "%u %.*s", ++n_in, (int)(random >> 12 & 15), "xxxxxxxxxxxxxxxx");
			logqueue_push(&q, str_of(text, (size_t)n));
		}
		for (uint32_t i = 0; i < (random >> 24 & 15); i++) {
			struct buf b = BUF(room);
			if (!logqueue_pop(&q, &b))
				break;
			unsigned long number = strtoul(buf_cstr(&b), NULL, 10);
			assert_true(number > last);
			last = (uint32_t)number;
			n_out++;
		}
	}
	for (struct buf b = BUF(room); logqueue_pop(&q, &b); b.n = 0)
		n_out++;
	assert_int_equal(n_out + q.n_dropped, n_in);
	assert_true(n_out > 1000 && q.n_dropped > 1000);
	free(q.bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_come_out_in_order),
		cmocka_unit_test(the_oldest_go_and_are_counted),
		cmocka_unit_test(what_never_fits_is_dropped_itself),
		cmocka_unit_test(nothing_is_lost_untold),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
