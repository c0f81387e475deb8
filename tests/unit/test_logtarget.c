#include "lib/logtarget.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* "kind host port path", or what is wrong. */
static void then_read(const char *(*read)(struct str, struct logtarget *), const char *text, const char *expected)
{
	static const char *const kinds[N_LOGTARGET_KIND] = { "udp", "tcp", "unix", "fifo" };
	struct logtarget t;
	char room[300];
	struct buf b = BUF(room);
	const char *wrong = read(str_from(text), &t);
	if (wrong) {
		assert_string_equal(wrong, expected);
		return;
	}
	buf_str(&b, str_from(kinds[t.kind]));
	buf_char(&b, ' ');
	buf_str(&b, t.host.n ? t.host : t.path);
	if (t.port) {
		buf_char(&b, ' ');
		buf_u64(&b, t.port);
	}
	assert_string_equal(buf_cstr(&b), expected);
}

static void hosts_are_read(void **state)
{
	(void)state;
	static const struct { const char *text, *read; } rows[] = {
		{ "udp:192.0.2.1:5514", "udp 192.0.2.1 5514" },
		{ "tcp:log.example.org:601", "tcp log.example.org 601" },
		{ "udp:log", "udp log 514" },
		{ "tcp:[2001:db8::1]:601", "tcp 2001:db8::1 601" },
		{ "tcp:[::1]", "tcp ::1 514" },
		{ "tcp:::1:514", "expected a host" },
		{ "udp:2001:db8::1", "an IPv6 address has to be in []" },
		{ "udp:a:0", "expected a port, 1 to 65535, behind the host" },
		{ "udp:a:65536", "expected a port, 1 to 65535, behind the host" },
		{ "udp:a:", "expected a port, 1 to 65535, behind the host" },
		{ "udp:a:syslog", "expected a port, 1 to 65535, behind the host" },
		{ "udp:[::1]514", "expected a port, 1 to 65535, behind the host" },
		{ "udp:[::1", "expected a host" },
		{ "udp:[]:1", "expected a host" },
		{ "udp:", "expected a host" },
		{ "udp:a b:1", "expected a host" },
		{ "a:514", "expected udp:HOST:PORT or tcp:HOST:PORT" },
		{ "", "expected udp:HOST:PORT or tcp:HOST:PORT" },
	};
	for (size_t i = 0; i < countof(rows); i++)
		then_read(logtarget_syslog, rows[i].text, rows[i].read);
}

static void paths_are_read(void **state)
{
	(void)state;
	static const struct { const char *text, *read; } rows[] = {
		{ "/run/oomph/log.json", "fifo /run/oomph/log.json" },
		{ "unix:/run/vector.sock", "unix /run/vector.sock" },
		{ "run/x", "expected the path of a FIFO, or unix:PATH of a socket" },
		{ "unix:x", "expected the path of a FIFO, or unix:PATH of a socket" },
		{ "", "expected the path of a FIFO, or unix:PATH of a socket" },
	};
	char long_path[200] = "unix:/";
	memset(long_path + 6, 'x', 107);
	then_read(logtarget_json, long_path, "the path has more than 107 bytes");
	for (size_t i = 0; i < countof(rows); i++)
		then_read(logtarget_json, rows[i].text, rows[i].read);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hosts_are_read),
		cmocka_unit_test(paths_are_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
