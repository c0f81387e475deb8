#include "lib/exec_values.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BAD (UINT64_MAX - 7)
#define NONE LIMIT_INFINITY

/* Numbers in comments are the rows of a table of what systemd 252 itself was seen to do with such an input. */
static void limits_are_read_by_their_kind(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		enum limit_kind kind;
		uint64_t soft, hard;
	} rows[] = {
		/* 167 */ { "55:66", LIMIT_NOFILE, 55, 66 }, { "infinity", LIMIT_NOFILE, NONE, NONE },
		/* 168 */ { "1024:", LIMIT_NOFILE, BAD, BAD }, { "10:20:30", LIMIT_NOFILE, BAD, BAD },
		{ "2000:1000", LIMIT_NOFILE, BAD, BAD }, { "1K", LIMIT_NOFILE, BAD, BAD }, { "-1", LIMIT_NOFILE, BAD, BAD },
		{ ":5", LIMIT_NOFILE, BAD, BAD }, { "infinity:5", LIMIT_LOCKS, BAD, BAD }, { "", LIMIT_NOFILE, BAD, BAD },
		/* 169 */ { "0x10", LIMIT_NOFILE, 16, 16 }, { "1024", LIMIT_NOFILE, 1024, 1024 }, { "010", LIMIT_NOFILE, 8, 8 },
		{ "1:infinity", LIMIT_NPROC, 1, NONE },
		/* 170 */ { "1G:2G", LIMIT_CORE, UINT64_C(1) << 30, UINT64_C(2) << 30 },
		{ "64M", LIMIT_MEMLOCK, 67108864, 67108864 }, { "0", LIMIT_CORE, 0, 0 }, { "8K", LIMIT_STACK, 8192, 8192 },
		{ "8K", LIMIT_SIGPENDING, BAD, BAD },
		/* 171 */ { "1234ms", LIMIT_CPU, 2, 2 }, { "40s:1m", LIMIT_CPU, 40, 60 }, { "3", LIMIT_CPU, 3, 3 },
		{ "x", LIMIT_CPU, BAD, BAD },
		/* 172 */ { "58", LIMIT_RTTIME, 58, 58 }, { "2345ms", LIMIT_RTTIME, 2345000, 2345000 },
		{ "58:60s", LIMIT_RTTIME, 58, 60000000 },
		/* 173 */ { "+5", LIMIT_NICE, 15, 15 }, { "-5", LIMIT_NICE, 25, 25 }, { "30", LIMIT_NICE, 30, 30 },
		{ "-20", LIMIT_NICE, 40, 40 }, { "+20", LIMIT_NICE, BAD, BAD }, { "41", LIMIT_NICE, BAD, BAD },
		{ "+-5", LIMIT_NICE, BAD, BAD }, { "infinity", LIMIT_NICE, BAD, BAD },
		/* and what systemd 252 was seen to do beyond them */
		{ "+5", LIMIT_FSIZE, 5, 5 }, { "-0", LIMIT_RTPRIO, 0, 0 }, { "5: 6:", LIMIT_FSIZE, 5, 6 }, { "5 :6", LIMIT_AS, 5, 6 }, { "5K :6K", LIMIT_AS, BAD, BAD }, { "5 :6", LIMIT_NOFILE, BAD, BAD }, { "1.5", LIMIT_RTTIME, 1, 1 },
		{ "18446744073709551615", LIMIT_NPROC, BAD, BAD }, { "18446744073709551615", LIMIT_AS, BAD, BAD },
	};
	for (size_t i = 0; i < countof(rows); i++) {
		struct limit limit = { .soft = BAD, .hard = BAD, .kind = LIMIT_AS };
		bool is_read = exec_limit(str_from(rows[i].text), rows[i].kind, &limit);
		if (is_read != (rows[i].soft != BAD) || limit.soft != rows[i].soft || limit.hard != rows[i].hard)
			fail_msg("%s: %d %llu:%llu", rows[i].text, is_read, (unsigned long long)limit.soft,
				 (unsigned long long)limit.hard);
		assert_int_equal(limit.kind, LIMIT_AS);
	}
}

static void capabilities_have_names_and_numbers(void **state)
{
	(void)state;
	static const struct { const char *name; int number; } rows[] = {
		{ "CAP_CHOWN", 0 }, { "CAP_NET_BIND_SERVICE", 10 }, { "cap_net_raw", 13 }, { "Cap_Sys_Admin", 21 },
		{ "CAP_CHECKPOINT_RESTORE", 40 }, { "10", 10 }, { "040", 32 }, { "63", 63 }, { "64", -1 }, { "NET_RAW", -1 }, { "CAP_", -1 },
		{ "CAP_NOTHING", -1 }, { "", -1 }, { "CAP_A_NAME_THAT_GOES_ON_AND_ON", -1 },
	};
	for (size_t i = 0; i < countof(rows); i++)
		if (exec_capability(str_from(rows[i].name)) != rows[i].number)
			fail_msg("%s is %d", rows[i].name, exec_capability(str_from(rows[i].name)));
}

static void names_are_read_in_both_directions(void **state)
{
	(void)state;
	for (int number = 0; number <= 40; number++)
		assert_int_equal(exec_capability(str_from(exec_capability_name(number))), number);
	assert_null(exec_capability_name(41));
	for (unsigned bit = 0; bit < 6; bit++)
		assert_int_equal(exec_secure_bit(str_from(exec_secure_bit_name(bit))), 1u << bit);
	assert_null(exec_secure_bit_name(6));
}

static void secure_bits_are_those_of_the_kernel(void **state)
{
	(void)state;
	assert_int_equal(exec_secure_bit(STR("noroot")), 1 << 0);
	assert_int_equal(exec_secure_bit(STR("no-setuid-fixup-locked")), 1 << 3);
	assert_int_equal(exec_secure_bit(STR("keep-caps")), 1 << 4);
	assert_int_equal(exec_secure_bit(STR("keep_caps")), 0);
}

static void masks_are_numbers_and_ranges(void **state)
{
	(void)state;
	static const struct { const char *text; bool is_read; uint64_t first, last; } rows[] = {
		{ "0-3,8 12", true, 0x110f, 0 }, { " 1 , 2 ", true, 6, 0 }, { "1023", true, 0, UINT64_C(1) << 63 }, { "", true, 0, 0 },
		{ "63-63", true, UINT64_C(1) << 63, 0 }, { "1024", false, 0, 0 }, { "3-1", true, 0, 0 }, { "2-1 4", true, 16, 0 }, { "+1 010", true, 0x102, 0 }, { "x", false, 0, 0 },
		{ "1-", false, 0, 0 }, { "1 x", false, 0, 0 },
	};
	for (size_t i = 0; i < countof(rows); i++) {
		uint64_t mask[MASK_BITS / 64] = { 0 };
		assert_int_equal(exec_mask(str_from(rows[i].text), mask), rows[i].is_read);
		assert_int_equal(mask[0], rows[i].first);
		assert_int_equal(mask[MASK_BITS / 64 - 1], rows[i].last);
	}
}

static void core_dumps_are_filtered_by_name_or_mask(void **state)
{
	(void)state;
	uint32_t filter = 7;
	assert_true(exec_coredump_filter(STR("33"), &filter) && filter == 0x33);
	assert_true(exec_coredump_filter(STR("0x1 shared-dax"), &filter) && filter == 0x101);
	assert_true(exec_coredump_filter(STR("all"), &filter) && filter == 0x1ff);
	assert_true(exec_coredump_filter(STR(""), &filter) && filter == 0);
	assert_false(exec_coredump_filter(STR("elf-headers heap"), &filter));
	assert_true(exec_coredump_filter(STR("'elf-headers' al\\l"), &filter) && filter == 0x1ff);
	assert_false(exec_coredump_filter(STR("123456789"), &filter));
}

static void base64_is_that_of_rfc_4648(void **state)
{
	(void)state;
	static const struct { const char *text, *bytes; } rows[] = {
		{ "", "" }, { "Zg==", "f" }, { "Zm8=", "fo" }, { "Zm9v", "foo" }, { "Zm9v YmE=", "fooba" }, { "+/+/", "\xfb\xff\xbf" },
		{ "Z", NULL }, { "Zg=", NULL }, { "Zg=a", NULL }, { "Zm9v=", NULL }, { "Z===", NULL }, { "Zm9-", NULL },
	};
	for (size_t i = 0; i < countof(rows); i++) {
		char room[32];
		struct buf b = BUF(room);
		bool is_read = exec_base64(str_from(rows[i].text), &b);
		if (is_read != (rows[i].bytes != NULL) || (is_read && !str_eq(buf_view(&b), str_from(rows[i].bytes))))
			fail_msg("%s", rows[i].text);
	}
}

static void base64_is_written_as_it_is_read(void **state)
{
	(void)state;
	static const struct { const char *bytes, *text; } rows[] = {
		{ "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" }, { "foo", "Zm9v" }, { "fooba", "Zm9vYmE=" }, { "\xfb\xff\xbf", "+/+/" },
	};
	for (size_t i = 0; i < countof(rows); i++) {
		char room[32];
		struct buf b = BUF(room);
		exec_to_base64(str_from(rows[i].bytes), &b);
		assert_true(str_eq(buf_view(&b), str_from(rows[i].text)));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(limits_are_read_by_their_kind),
		cmocka_unit_test(capabilities_have_names_and_numbers),
		cmocka_unit_test(names_are_read_in_both_directions),
		cmocka_unit_test(masks_are_numbers_and_ranges),
		cmocka_unit_test(core_dumps_are_filtered_by_name_or_mask),
		cmocka_unit_test(base64_is_that_of_rfc_4648),
		cmocka_unit_test(base64_is_written_as_it_is_read),
		cmocka_unit_test(secure_bits_are_those_of_the_kernel),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
