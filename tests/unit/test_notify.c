#include "lib/notify.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* What a message came to, as one line of text: the names of what is set, values behind them. */
static struct str told(const struct notify_message *m, struct buf *b)
{
	const struct { bool is_set; const char *name; } flags[] = {
		{ m->is_ready, "ready " }, { m->is_stopping, "stopping " }, { m->is_reloading, "reloading " },
		{ m->is_alive, "alive " }, { m->is_watchdog_trigger, "trigger " }, { m->wants_barrier, "barrier " },
		{ m->is_store, "store " }, { m->is_store_remove, "remove " },
	};
	const struct { bool is_set; const char *name; uint64_t value; } numbers[] = {
		{ m->has_main_pid, "pid ", m->main_pid }, { m->has_error, "errno ", m->error },
		{ m->has_extension, "extend ", m->extension_us }, { m->has_watchdog, "watchdog ", m->watchdog_us },
		{ m->has_time, "at ", m->time_us },
	};
	for (size_t i = 0; i < countof(flags); i++)
		if (flags[i].is_set)
			buf_str(b, str_from(flags[i].name));
	for (size_t i = 0; i < countof(numbers); i++)
		if (numbers[i].is_set) {
			buf_str(b, str_from(numbers[i].name));
			buf_u64(b, numbers[i].value);
			buf_char(b, ' ');
		}
	if (m->fd_name.n) {
		buf_lit(b, "name <");
		buf_str(b, m->fd_name);
		buf_lit(b, "> ");
	}
	if (m->has_status) {
		buf_lit(b, "status <");
		buf_str(b, m->status);
		buf_lit(b, "> ");
	}
	return str_trim(buf_view(b));
}

static void datagrams_are_understood(void **state)
{
	(void)state;
#define ROW(datagram, told) { datagram, sizeof(datagram) - 1, told }
	static const struct { const char *datagram; size_t n; const char *told; } rows[] = {
		ROW("READY=1", "ready"),
		ROW("READY=1\n", "ready"),
		ROW("STOPPING=1", "stopping"),
		ROW("RELOADING=1\nMONOTONIC_USEC=123", "reloading at 123"),
		ROW("WATCHDOG=1", "alive"),
		ROW("WATCHDOG=trigger", "trigger"),
		ROW("BARRIER=1", "barrier"),
		ROW("FDSTORE=1\nFDNAME=x", "store name <x>"),
		ROW("FDSTOREREMOVE=1\nFDNAME=x", "remove name <x>"),
		ROW("FDSTORE=0", ""),
		ROW("WATCHDOG_USEC=3000000", "watchdog 3000000"),
		ROW("WATCHDOG_USEC=3s", ""),
		ROW("READY=1\nSTATUS=Ready to serve\nMAINPID=42", "ready pid 42 status <Ready to serve>"),
		ROW("STATUS=", "status <>"),
		ROW("STATUS=a=b\tc", "status <a=b\tc>"),
		ROW("ERRNO=2", "errno 2"),
		ROW("ERRNO=0", "errno 0"),
		ROW("EXTEND_TIMEOUT_USEC=5000000", "extend 5000000"),
		ROW("EXTEND_TIMEOUT_USEC=18446744073709551615", "extend 18446744073709551615"),
		/* Of repeated ones the last counts, of malformed ones none. */
		ROW("MAINPID=1\nMAINPID=2", "pid 2"),
		ROW("MAINPID=7\nMAINPID=x", "pid 7"),
		ROW("STATUS=a\nSTATUS=b", "status <b>"),
		ROW("MAINPID=0", ""),
		ROW("MAINPID=-1", ""),
		ROW("MAINPID=+5", ""),
		ROW("MAINPID= 5", ""),
		ROW("MAINPID=5 ", ""),
		ROW("MAINPID=0x5", ""),
		ROW("MAINPID=", ""),
		ROW("MAINPID=4194304", "pid 4194304"),
		ROW("MAINPID=4194305", ""),
		ROW("MAINPID=4294967297", ""),
		ROW("MAINPID=18446744073709551617", ""),
		ROW("ERRNO=4095", "errno 4095"),
		ROW("ERRNO=4096", ""),
		ROW("ERRNO=-2", ""),
		ROW("EXTEND_TIMEOUT_USEC=18446744073709551616", ""),
		ROW("EXTEND_TIMEOUT_USEC=1.5", ""),
		/* Other values, other keys, other cases mean nothing. */
		ROW("READY=0", ""),
		ROW("READY=11", ""),
		ROW("READY=1 ", ""),
		ROW(" READY=1", ""),
		ROW("ready=1", ""),
		ROW("READY", ""),
		ROW("XREADY=1", ""),
		ROW("WATCHDOG=0", ""),
		ROW("X_MY_OWN=1\nREADY=1", "ready"),
		ROW("", ""),
		ROW("\n\n\n", ""),
		ROW("\n\nREADY=1\n\n", "ready"),
		/* One NUL at the end is forgiven, one within makes its line meaningless. */
		ROW("READY=1\0", "ready"),
		ROW("READY=1\n\0", "ready"),
		ROW("READY=1\0\0", ""),
		ROW("READY=1\0STOPPING=1", ""),
		ROW("STATUS=a\0b\nREADY=1", "ready"),
		ROW("\0READY=1\nSTOPPING=1", "stopping"),
		ROW("\0", ""),
	};
#undef ROW
	for (size_t i = 0; i < countof(rows); i++) {
		struct notify_message m;
		char text[200];
		struct buf b = BUF(text);
		char *datagram = malloc(rows[i].n);
		memcpy(datagram, rows[i].datagram, rows[i].n);
		memset(&m, 0x55, sizeof m);
		bool is_known = notify_parse(str_of(datagram, rows[i].n), &m);
		struct str is = told(&m, &b);
		if (!str_eq(is, str_from(rows[i].told)))
			fail_msg("row %zu: <%.*s> instead of <%s>", i, (int)is.n, is.p, rows[i].told);
		assert_int_equal(is_known, rows[i].told[0] != '\0');
		free(datagram);
	}
}

static void a_line_may_be_as_long_as_its_bound(void **state)
{
	(void)state;
	char datagram[NOTIFY_LINE_MAX + 1 + sizeof "\nREADY=1"];
	for (size_t n_line = NOTIFY_LINE_MAX - 1; n_line <= NOTIFY_LINE_MAX + 1; n_line++) {
		struct buf b = BUF(datagram);
		struct notify_message m;
		buf_lit(&b, "STATUS=");
		while (b.n < n_line)
			buf_char(&b, 'x');
		buf_lit(&b, "\nREADY=1");
		assert_false(b.is_cut);
		assert_true(notify_parse(buf_view(&b), &m));
		assert_true(m.is_ready);
		assert_int_equal(m.has_status, n_line <= NOTIFY_LINE_MAX);
		assert_int_equal(m.status.n, m.has_status ? n_line - strlen("STATUS=") : 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(datagrams_are_understood),
		cmocka_unit_test(a_line_may_be_as_long_as_its_bound),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
