#include "lib/logfile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void a_file_is_named_by_its_last_line(void **state)
{
	(void)state;
	char room[LOGFILE_NAME_MAX];
	struct buf b = BUF(room);
	uint64_t us = 0;
	enum logfile_form form = LOGFILE_PLAIN;
	logfile_name(&b, UINT64_C(1795752181123456), LOGFILE_ZSTD);
	assert_string_equal(buf_cstr(&b), "@20261127T040301.123456Z.log.zst");
	assert_true(logfile_parse(buf_view(&b), &us, &form));
	assert_true(us == UINT64_C(1795752181123456) && form == LOGFILE_ZSTD);
}

static void other_files_are_none(void **state)
{
	(void)state;
	static const char *const rows[] = {
		"", "@", "current", "@20261127T040301.123456Z", "@20261127T040301.123456Z.log.tmp", "20261127T040301.123456Z.log",
		"@20261127T040301Z.log", "@20261127T040301.1234567Z.log", "@20261327T040301.123456Z.log", "@20261127T040301.123456Z.log.bz2",
	};
	for (size_t i = 0; i < countof(rows); i++) {
		uint64_t us = 7;
		enum logfile_form form = LOGFILE_GZIP;
		if (logfile_parse(str_from(rows[i]), &us, &form) || us != 7)
			fail_msg("%s is taken", rows[i]);
	}
}

static void no_name_climbs_out_of_the_folder(void **state)
{
	(void)state;
	static const char *const good[] = { "db.service", "redis@t1.service", "system", "dev-disk\\x2d1.device" };
	static const char *const bad[] = { "", ".", "..", "../etc.service", "a/b.service", ".service", ".hidden.service", "db", "db.service\n", "/" };
	for (size_t i = 0; i < countof(good); i++)
		assert_true(logfile_is_folder(str_from(good[i])));
	for (size_t i = 0; i < countof(bad); i++)
		if (logfile_is_folder(str_from(bad[i])))
			fail_msg("%s is taken", bad[i]);
	assert_false(logfile_is_folder(str_of("a\0b.service", 11)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_is_named_by_its_last_line),
		cmocka_unit_test(other_files_are_none),
		cmocka_unit_test(no_name_climbs_out_of_the_folder),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
