#include "lib/syslogmsg.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A message as it is shown: "facility.priority host|tag|pid|id|data|text", with a ! in front where it had a time. */
static struct str told(const struct syslogmsg *m, struct buf *b)
{
	const struct str parts[] = { m->host, m->tag, m->pid, m->id, m->data, m->text };
	if (m->is_dated)
		buf_char(b, '!');
	buf_u64(b, m->facility);
	buf_char(b, '.');
	buf_u64(b, m->priority);
	for (size_t i = 0; i < countof(parts); i++) {
		buf_char(b, i ? '|' : ' ');
		buf_str(b, parts[i]);
	}
	return buf_view(b);
}

/* In memory that ends where the message does, so that the sanitizer sees a byte read beyond it. */
static char *copy_of(const char *bytes, size_t n)
{
	char *copy = malloc(n ? n : 1);
	memcpy(copy, bytes, n);
	return copy;
}

static void then_parsed(const char *bytes, size_t n, const char *expected)
{
	struct syslogmsg m;
	char room[2048], *copy = copy_of(bytes, n);
	struct buf b = BUF(room);
	memset(&m, 0x55, sizeof m);
	syslogmsg_parse(str_of(n ? copy : NULL, n), &m);
	struct str is = told(&m, &b);
	if (!str_eq(is, str_from(expected)))
		fail_msg("<%.*s>: <%.*s> instead of <%s>", (int)n, bytes, (int)is.n, is.p, expected);
	free(copy);
}

struct row {
	const char *bytes;
	size_t n;
	const char *told;
};
#define ROW(bytes, told) { bytes, sizeof(bytes) - 1, told }

static void then_each(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		then_parsed(rows[i].bytes, rows[i].n, rows[i].told);
}

static void what_libraries_send_is_read(void **state)
{
	(void)state;
	static const struct row rows[] = {
		/* glibc, musl, busybox: openlog() with and without LOG_PID, and none at all */
		ROW("<30>Nov 27 04:03:01 redis[812]: Ready to accept connections", "!3.6 |redis|812|||Ready to accept connections"),
		ROW("<13>Nov  7 04:03:01 root: hello", "!1.5 |root||||hello"),
		ROW("<11>Nov 27 04:03:01 a.out: ", "!1.3 |a.out||||"),
		ROW("<78>Nov 27 04:03:01 /USR/SBIN/CRON[12]: (root) CMD (true)", "!9.6 |/USR/SBIN/CRON|12|||(root) CMD (true)"),
		ROW("<22>Nov 27 04:03:01 postfix/smtpd[7]: warning: x", "!2.6 |postfix/smtpd|7|||warning: x"),
		/* an ident of the program's choice */
		ROW("<14>Nov 27 04:03:01 my prog[12]: text", "!1.6 my|prog|12|||text"),
		ROW("<14>Nov 27 04:03:01 prog[main]: text", "!1.6 |prog|main|||text"),
		ROW("<14>Nov 27 04:03:01 [12]: text", "!1.6 |[12]||||text"),
		ROW("<14>Nov 27 04:03:01 a[]: text", "!1.6 |a[]||||text"),
		/* Perl's Sys::Syslog and Go's log/syslog end with a line feed, others with a NUL */
		ROW("<14>Nov 27 04:03:01 prog[12]: text\n\0", "!1.6 |prog|12|||text"),
		ROW("<14>text of Python's SysLogHandler\0", "1.6 |||||text of Python's SysLogHandler"),
		ROW("<14>prog: its ident\0", "1.6 |prog||||its ident"),
		/* nginx, logger --rfc3164: with the host; rsyslog: with a time of RFC 3339 */
		ROW("<190>Nov 27 04:03:01 box nginx: 192.0.2.1 GET /", "!23.6 box|nginx||||192.0.2.1 GET /"),
		ROW("<13>Nov 27 04:03:01 box.example.org root[7]: x", "!1.5 box.example.org|root|7|||x"),
		ROW("<13>2026-11-27T04:03:01.123456+01:00 box root: x", "!1.5 box|root||||x"),
		ROW("<13>2026-11-27T04:03:01.123456+01:00 no tag", "1.5 |||||2026-11-27T04:03:01.123456+01:00 no tag"),
		/* without a tag */
		ROW("<46>Nov 27 04:03:01 -- MARK --", "!5.6 |||||-- MARK --"),
		ROW("<13>Nov 27 04:03:01 two words", "!1.5 |||||two words"),
		/* as to /dev/kmsg */
		ROW("<6>text", "0.6 |||||text"),
		ROW("<0>", "0.0 |||||"),
	};
	then_each(rows, countof(rows));
}

static void rfc_3164_is_read(void **state)
{
	(void)state;
	static const struct row rows[] = {              /* its section 5.4 */
		ROW("<34>Oct 11 22:14:15 mymachine su: 'su root' failed for lonvick on /dev/pts/8",
		    "!4.2 mymachine|su||||'su root' failed for lonvick on /dev/pts/8"),
		ROW("Use the BFG!", "1.5 |||||Use the BFG!"),
		ROW("<165>Aug 24 05:34:00 CST 1987 mymachine myproc[10]: %% It's time to make the do-nuts.",
		    "!20.5 |||||CST 1987 mymachine myproc[10]: %% It's time to make the do-nuts."),
		ROW("<0>1990 Oct 22 10:52:01 TZ-6 scapegoat.dmz.example.org 10.1.2.3 sched[0]: That's All Folks!",
		    "0.0 |||||1990 Oct 22 10:52:01 TZ-6 scapegoat.dmz.example.org 10.1.2.3 sched[0]: That's All Folks!"),
	};
	then_each(rows, countof(rows));
}

static void rfc_5424_is_read(void **state)
{
	(void)state;
	static const struct row rows[] = {
		/* its section 6.5 */
		ROW("<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 - \xef\xbb\xbf'su root' failed for lonvick on /dev/pts/8",
		    "!4.2 mymachine.example.com|su||ID47||'su root' failed for lonvick on /dev/pts/8"),
		ROW("<165>1 2003-08-24T05:14:15.000003-07:00 192.0.2.1 myproc 8710 - - %% It's time to make the do-nuts.",
		    "!20.5 192.0.2.1|myproc|8710|||%% It's time to make the do-nuts."),
		ROW("<165>1 2003-10-11T22:14:15.003Z mymachine.example.com evntslog - ID47 [exampleSDID@32473 iut=\"3\" eventSource=\"Application\""
		    " eventID=\"1011\"] \xef\xbb\xbf" "An application event log entry...",
		    "!20.5 mymachine.example.com|evntslog||ID47|[exampleSDID@32473 iut=\"3\" eventSource=\"Application\" eventID=\"1011\"]|"
		    "An application event log entry..."),
		ROW("<165>1 2003-10-11T22:14:15.003Z mymachine.example.com evntslog - ID47 [exampleSDID@32473 iut=\"3\"][examplePriority@32473 class=\"high\"]",
		    "!20.5 mymachine.example.com|evntslog||ID47|[exampleSDID@32473 iut=\"3\"][examplePriority@32473 class=\"high\"]|"),
		/* logger(1) of util-linux, --rfc5424 */
		ROW("<13>1 2026-11-27T04:03:01.123456+00:00 box root 99 - [timeQuality tzKnown=\"1\" isSynced=\"0\"] hello",
		    "!1.5 box|root|99|||hello"),
		ROW("<13>1 - - - - - - x", "!1.5 |||||x"),
		ROW("<13>1 - - - - - -", "!1.5 |||||"),
		ROW("<13>1 - - a worker-1 - - x", "!1.5 |a|worker-1|||x"),
		ROW("<13>1 - - a - - [x@1 y=\"\\\"]\\\\\"] z", "!1.5 |a|||[x@1 y=\"\\\"]\\\\\"]|z"),
		/* to the letter or not at all: then it is text */
		ROW("<13>1 2026-11-27 box a 1 - - x", "1.5 |||||1 2026-11-27 box a 1 - - x"),
		ROW("<13>1 - box a 1 - [x x", "1.5 |||||1 - box a 1 - [x x"),
		ROW("<13>1 - box a 1 - [x y=\"]", "1.5 |||||1 - box a 1 - [x y=\"]"),
		ROW("<13>1 - box a 1 - [x y=\"\\", "1.5 |||||1 - box a 1 - [x y=\"\\"),
		ROW("<13>1 - box a 1 -", "1.5 |||||1 - box a 1 -"),
		ROW("<13>1 - box a 1 - -x", "1.5 |||||1 - box a 1 - -x"),
		ROW("<13>1 - b\nx a 1 - - x", "1.5 |||||1 - b\nx a 1 - - x"),
		ROW("<13>2 - - - - - - x", "1.5 |||||2 - - - - - - x"),
		ROW("<13>1", "1.5 |||||1"),
	};
	then_each(rows, countof(rows));
}

static void whatever_comes_is_a_message(void **state)
{
	(void)state;
	static const struct row rows[] = {
		ROW("", "1.5 |||||"),
		ROW("\n", "1.5 |||||"),
		ROW("\0\0", "1.5 |||||"),
		ROW("<", "1.5 |||||<"),
		ROW("<>x", "1.5 |||||<>x"),
		ROW("<191>x", "23.7 |||||x"),
		ROW("<192>x", "1.5 |||||<192>x"),
		ROW("<0191>x", "1.5 |||||<0191>x"),
		ROW("<007>x", "0.7 |||||x"),
		ROW("<-1>x", "1.5 |||||<-1>x"),
		ROW("<13", "1.5 |||||<13"),
		ROW("<99999999999999999999999>x", "1.5 |||||<99999999999999999999999>x"),
		ROW("<13>Nov 27 04:03:0", "1.5 |||||Nov 27 04:03:0"),
		ROW("<13>Nov 27 04:03:01 ", "!1.5 |||||"),
		ROW("<13>Nov 27 04:03:01", "1.5 |||||Nov 27 04:03:01"),
		ROW("<13>Nov x7 04:03:01 a: b", "1.5 |||||Nov x7 04:03:01 a: b"),
		ROW("<13>ovD 27 04:03:01 a: b", "1.5 |||||ovD 27 04:03:01 a: b"),
		ROW("<13>Nov 27 04:03:01 a:", "!1.5 |a||||"),
		ROW("<13>Nov 27 04:03:01 :", "!1.5 |||||:"),
		ROW("<13>Nov 27 04:03:01 a:\nb", "!1.5 |a||||\nb"),
		/* a line feed ends a head, so nobody can put one line's words into the next one's head */
		ROW("<13>Nov 27 04:03:01 a\nb: c", "!1.5 |||||a\nb: c"),
		ROW("<13>Nov 27 04:03:01 a b\nc: d", "!1.5 |||||a b\nc: d"),
	};
	then_each(rows, countof(rows));
	struct syslogmsg m;
	syslogmsg_parse(STR("<13>a: x\0y\nz\n\n"), &m);
	assert_true(str_eq(m.text, STR("x\0y\nz")));
}

/* Bytes of true messages, cut, doubled and overwritten: each gives a message all of which lies within it. */
static void no_bytes_lead_beyond_them(void **state)
{
	(void)state;
#define SEED(bytes) { bytes, sizeof(bytes) - 1 }
	static const struct str seeds[] = {
		SEED("<30>Nov 27 04:03:01 redis[812]: Ready"),
		SEED("<190>2026-11-27T04:03:01.123456+01:00 box nginx[7]: GET"),
		SEED("<165>1 2003-10-11T22:14:15.003Z m evntslog 8 ID47 [a@1 b=\"\\\"]\"][c d=\"\"] \xef\xbb\xbfx"),
	};
#undef SEED
	static const char bytes[] = "<>[]\"\\ :-@\n\0" "1Z\xef";
	uint32_t random = 1;
	for (unsigned round = 0; round < 200000; round++) {
		struct str seed = seeds[round % countof(seeds)];
		random = random * 1664525 + 1013904223;
		size_t cut = (random >> 8) % (seed.n + 1);
		char *copy = copy_of(seed.p, cut);
		for (unsigned i = 0; i < 3 && cut; i++) {
			random = random * 1664525 + 1013904223;
			copy[(random >> 12) % cut] = bytes[(random >> 4) % (sizeof bytes - 1)];
		}
		struct syslogmsg m;
		syslogmsg_parse(str_of(copy, cut), &m);
		const struct str parts[] = { m.host, m.tag, m.pid, m.id, m.data, m.text };
		for (size_t i = 0; i < countof(parts); i++)
			assert_true(parts[i].n == 0 || (parts[i].p >= copy && parts[i].p + parts[i].n <= copy + cut));
		assert_true(m.facility < N_SYSLOG_FACILITY && m.priority < N_LOG_PRIORITY);
		free(copy);
	}
}

static void then_origin(const char *message, uint32_t pid, bool is_first, const char *expected)
{
	struct syslogmsg m;
	char room[300];
	struct buf b = BUF(room);
	syslogmsg_parse(str_from(message), &m);
	syslogmsg_put_origin(&b, &m, STR("box"), pid, is_first);
	assert_string_equal(buf_cstr(&b), expected);
}

#define TAG_OF_43 "a-tag-that-no-program-has-and-that-is-too-l"
#define TAG_OF_129 TAG_OF_43 TAG_OF_43 TAG_OF_43

static void a_line_keeps_what_is_known_from_its_head_alone(void **state)
{
	(void)state;
	then_origin("<13>Nov 27 04:03:01 sshd[7]: x", 7, true, "sshd: ");
	then_origin("<13>Nov 27 04:03:01 sshd[7]: x", 8, true, "sshd[7]: ");
	then_origin("<13>Nov 27 04:03:01 sshd[a]: x", 8, true, "sshd[a]: ");
	then_origin("<13>Nov 27 04:03:01 box sshd: x", 8, true, "sshd: ");
	then_origin("<13>Nov 27 04:03:01 other sshd: x", 8, true, "other sshd: ");
	then_origin("<13>1 - box app 7 ID47 [a@1 b=\"c\"] x", 7, true, "app: ID47 [a@1 b=\"c\"] ");
	then_origin("<13>1 - - app - - [a@1 b=\"c\nd\"] x", 7, true, "app: [a@1 b=\"c d\"] ");
	then_origin("<13>x", 7, true, "");
	/* the lines behind the first */
	then_origin("<13>Nov 27 04:03:01 sshd[7]: x", 7, false, "sshd: ");
	then_origin("<13>1 - box app 7 ID47 [a@1 b=\"c\"] x", 7, false, "app: ");
	then_origin("<13>Nov 27 04:03:01 " TAG_OF_129 ": x", 7, false, "");
	then_origin("<11>ValueError: x", 7, true, "ValueError: ");
	then_origin("<11>ValueError: x", 7, false, "");
}

static void then_sent(const struct syslog_outgoing *m, const char *expected)
{
	char room[600];
	struct buf b = BUF(room);
	syslogmsg_put(&b, m);
	assert_string_equal(buf_cstr(&b), expected);
}

static void rfc_5424_is_written(void **state)
{
	(void)state;
	struct syslog_outgoing m = { UINT64_C(1795752181123456), 3, 6, 812, STR("box"), STR("db"), STR("out"), STR("Ready") };
	then_sent(&m, "<30>1 2026-11-27T04:03:01.123456Z box db 812 out - Ready");
	m = (struct syslog_outgoing){ .facility = 23, .priority = 7 };
	then_sent(&m, "<191>1 1970-01-01T00:00:00.000000Z - - - - - ");
	m = (struct syslog_outgoing){ .host = STR("a b"), .app = STR("\xc3\xa4@1"), .text = STR("\xc3\xa4\n\t") };
	then_sent(&m, "<0>1 1970-01-01T00:00:00.000000Z a_b __@1 - - - \xc3\xa4\n\t");
}

static void a_head_has_its_bound(void **state)
{
	(void)state;
	char name[400], room[800], framed[SYSLOG_FRAME_MAX + 1];
	struct buf b = BUF(room), frame = BUF(framed);
	memset(name, 'x', sizeof name);
	struct str all = str_of(name, sizeof name);
	struct syslog_outgoing m = { UINT64_C(253402300799999999), 23, 7, UINT32_MAX, all, all, all, STR("") };
	syslogmsg_put(&b, &m);
	assert_int_equal(b.n, SYSLOG_HEAD_MAX);
	syslogmsg_put_frame(&frame, UINT32_MAX);
	assert_string_equal(buf_cstr(&frame), "4294967295 ");
}

static void what_is_sent_is_read(void **state)
{
	(void)state;
	struct syslog_outgoing out = { UINT64_C(1795752181123456), 4, 2, 812, STR("box"), STR("redis@t1"), STR("err"), STR("a: b [c]") };
	char room[600];
	struct buf b = BUF(room);
	syslogmsg_put(&b, &out);
	then_parsed(b.p, b.n, "!4.2 box|redis@t1|812|err||a: b [c]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_libraries_send_is_read),
		cmocka_unit_test(rfc_3164_is_read),
		cmocka_unit_test(rfc_5424_is_read),
		cmocka_unit_test(whatever_comes_is_a_message),
		cmocka_unit_test(no_bytes_lead_beyond_them),
		cmocka_unit_test(a_line_keeps_what_is_known_from_its_head_alone),
		cmocka_unit_test(rfc_5424_is_written),
		cmocka_unit_test(a_head_has_its_bound),
		cmocka_unit_test(what_is_sent_is_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
