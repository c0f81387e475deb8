#include "lib/journalmsg.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void told(const struct journalmsg *m, struct buf *b)
{
	const struct str parts[] = { m->identifier, m->pid, m->has_message ? m->message : STR("(none)") };
	buf_u64(b, m->facility);
	buf_char(b, '.');
	buf_u64(b, m->priority);
	for (size_t i = 0; i < countof(parts); i++) {
		buf_char(b, i ? '|' : ' ');
		buf_str(b, parts[i]);
	}
}

/* Entries of a datagram as text, " / " between them, "BAD " in front of one that broke off. The memory ends where it does. */
static void then_read(const char *bytes, size_t n, const char *expected)
{
	char room[2048], *copy = malloc(n ? n : 1);
	struct buf b = BUF(room);
	memcpy(copy, bytes, n);
	struct str rest = str_of(copy, n);
	struct journalmsg m;
	for (enum journalmsg_result r; (r = journalmsg_next(&rest, &m)) != JOURNALMSG_END;) {
		buf_str(&b, b.n ? STR(" / ") : STR(""));
		buf_str(&b, r == JOURNALMSG_BAD ? STR("BAD ") : STR(""));
		told(&m, &b);
	}
	if (!str_eq(buf_view(&b), str_from(expected)))
		fail_msg("<%.*s>: <%.*s> instead of <%s>", (int)n, bytes, (int)b.n, b.p, expected);
	free(copy);
}

#define ROW(bytes, told) { bytes, sizeof(bytes) - 1, told }
#define LENGTH(low) low "\0\0\0\0\0\0\0"

static void entries_are_read(void **state)
{
	(void)state;
	static const struct { const char *bytes; size_t n; const char *told; } rows[] = {
		ROW("MESSAGE=Hello World\nPRIORITY=4\nSYSLOG_IDENTIFIER=app\n", "1.4 app||Hello World"),
		/* as sd_journal_send(3) does it: where in the source first, the identifier last, a line feed in the text */
		ROW("CODE_FILE=a.c\nCODE_LINE=7\nCODE_FUNC=main\nMESSAGE\n" LENGTH("\x03") "a\nb\nPRIORITY=3\nSYSLOG_FACILITY=3\nSYSLOG_PID=12\n"
		    "SYSLOG_IDENTIFIER=app\n", "3.3 app|12|a\nb"),
		ROW("MESSAGE=a=b\n", "1.6 ||a=b"),
		ROW("MESSAGE=\n", "1.6 ||"),
		ROW("MESSAGE=a", "1.6 ||a"),
		ROW("MESSAGE\n" LENGTH("\0") "\n", "1.6 ||"),
		ROW("MESSAGE\n" LENGTH("\x04") "a\n\n\0\n", "1.6 ||a"),
		ROW("DATA\n" LENGTH("\x0c") "\nMESSAGE=no\n\nMESSAGE=yes\n", "1.6 ||yes"),
		ROW("PRIORITY=7\n", "1.7 ||(none)"),
		/* the first counts, and what is no number of its kind does not */
		ROW("MESSAGE=a\nMESSAGE=b\nPRIORITY=1\nPRIORITY=2\n", "1.1 ||a"),
		ROW("MESSAGE=a\nPRIORITY=8\nSYSLOG_FACILITY=24\n", "1.6 ||a"),
		ROW("MESSAGE=a\nPRIORITY=err\nSYSLOG_FACILITY=-1\n", "1.6 ||a"),
		/* names are whole, and those with a _ are journald's alone */
		ROW("XMESSAGE=x\nMESSAGE_ID=x\nmessage=x\n_PID=1\n_SYSTEMD_UNIT=ssh.service\n=x\nMESSAGE=a\n", "1.6 ||a"),
		ROW("# MESSAGE=x\n.MESSAGE=x\nMESSAGE=a\n", "1.6 ||a"),
		/* several entries */
		ROW("MESSAGE=a\n\nMESSAGE=b\nPRIORITY=0\n\n\n\nMESSAGE=c\n", "1.6 ||a / 1.0 ||b / 1.6 ||c"),
		ROW("\n\nMESSAGE=a\n\n", "1.6 ||a"),
		ROW("", ""),
		ROW("\n\n\n", ""),
	};
	for (size_t i = 0; i < countof(rows); i++)
		then_read(rows[i].bytes, rows[i].n, rows[i].told);
}

static void what_does_not_fit_the_form_is_an_error(void **state)
{
	(void)state;
	static const struct { const char *bytes; size_t n; const char *told; } rows[] = {
		ROW("MESSAGE", "BAD 1.6 ||(none)"),
		ROW("MESSAGE\n", "BAD 1.6 ||(none)"),
		ROW("MESSAGE\n\x01\0\0\0\0\0\0", "BAD 1.6 ||(none)"),
		ROW("MESSAGE\n" LENGTH("\x01"), "BAD 1.6 ||(none)"),
		ROW("MESSAGE\n" LENGTH("\x01") "a", "BAD 1.6 ||(none)"),
		ROW("MESSAGE\n" LENGTH("\x01") "ab\n", "BAD 1.6 ||(none)"),
		ROW("MESSAGE\n" LENGTH("\x03") "a\n", "BAD 1.6 ||(none)"),
		ROW("MESSAGE\n\xff\xff\xff\xff\xff\xff\xff\xff" "a\n", "BAD 1.6 ||(none)"),
		ROW("MESSAGE\n\xf7\xff\xff\xff\xff\xff\xff\xff" "a\n", "BAD 1.6 ||(none)"),
		ROW("MESSAGE\n\0\0\0\0\0\0\0\x80" "a\n", "BAD 1.6 ||(none)"),
		/* what came before it is kept */
		ROW("MESSAGE=a\nPRIORITY=3\nnoise", "BAD 1.3 ||a"),
		ROW("MESSAGE=a\n\nMESSAGE=b\nX\n" LENGTH("\x7f") "\n", "1.6 ||a / BAD 1.6 ||b"),
	};
	for (size_t i = 0; i < countof(rows); i++)
		then_read(rows[i].bytes, rows[i].n, rows[i].told);
}

/* Bytes of a true entry, cut and overwritten: whatever is read lies within them, and it ends. */
static void no_bytes_lead_beyond_them(void **state)
{
	(void)state;
	static const char seed[] = "CODE_LINE=7\nMESSAGE\n" LENGTH("\x03") "a\nb\nPRIORITY=3\n\nSYSLOG_PID=12\nMESSAGE=c\n";
	static const char bytes[] = "\n=\0\x01\xff" "A";
	uint32_t random = 1;
	for (unsigned round = 0; round < 200000; round++) {
		random = random * 1664525 + 1013904223;
		size_t n = (random >> 8) % sizeof seed, n_entries = 0;
		char *copy = malloc(n ? n : 1);
		memcpy(copy, seed, n);
		for (unsigned i = 0; i < 3 && n; i++) {
			random = random * 1664525 + 1013904223;
			copy[(random >> 12) % n] = bytes[(random >> 4) % (sizeof bytes - 1)];
		}
		struct str rest = str_of(copy, n);
		struct journalmsg m;
		while (journalmsg_next(&rest, &m) != JOURNALMSG_END) {
			const struct str parts[] = { m.message, m.identifier, m.pid };
			for (size_t i = 0; i < countof(parts); i++)
				assert_true(parts[i].n == 0 || (parts[i].p >= copy && parts[i].p + parts[i].n <= copy + n));
			assert_true(++n_entries <= n);
		}
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries_are_read),
		cmocka_unit_test(what_does_not_fit_the_form_is_an_error),
		cmocka_unit_test(no_bytes_lead_beyond_them),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
