#include "lib/logsplit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TOKEN "0123456789abcdef"
#define LINE_MAX_HERE LOGSPLIT_LINE_LEAST

static const struct logsplit_rules rules = { TOKEN, LINE_MAX_HERE, LOG_PRIORITY_INFO, true };

/* A stream, fed as oomph-log does it, and its lines as text: "generation.pid priority|text|" with a plus where it is cut. */
struct stream {
	struct logsplit_state state;
	struct logsplit_rules rules;
	char rooms[2][LOGSPLIT_ROOM(LINE_MAX_HERE)];
	unsigned room;                  /* the one in use */
	char text[1 << 16];
	struct buf told;
};

static void open_stream(struct stream *t)
{
	*t = (struct stream){ .rules = rules };
	t->told = BUF(t->text);
}

static void tell(struct stream *t, const struct logline *l)
{
	buf_u64(&t->told, l->generation);
	buf_char(&t->told, '.');
	buf_u64(&t->told, l->pid);
	buf_char(&t->told, ' ');
	buf_u64(&t->told, l->priority);
	buf_char(&t->told, '|');
	buf_str(&t->told, l->text);
	buf_str(&t->told, l->is_cut ? STR("|+ ") : STR("| "));
	assert_true(l->text.n <= LINE_MAX_HERE);
}

static void feed(struct stream *t, struct str bytes)
{
	struct logsplit s = logsplit_open(&t->state, &t->rules, t->rooms[t->room], bytes);
	struct logline line = { .pid = 0 };
	while (logsplit_next(&s, &line))
		tell(t, &line);
	if (s.in.n == 0)
		return;
	assert_int_equal(t->state.n_held, 0);
	assert_true(s.in.n <= LINE_MAX_HERE);
	t->room = !t->room;
	memcpy(t->rooms[t->room], s.in.p, s.in.n);
	t->state.n_held = (uint32_t)s.in.n;
}

static void flush(struct stream *t, bool is_end)
{
	struct logsplit s = logsplit_open(&t->state, &t->rules, t->rooms[t->room], STR(""));
	struct logline line = { .pid = 0 };
	if (logsplit_flush(&s, is_end, &line))
		tell(t, &line);
}

static void then_told(struct stream *t, const char *expected)
{
	assert_string_equal(buf_cstr(&t->told), expected);
	t->told.n = 0;
}

static struct str marker(uint32_t generation, uint32_t pid)
{
	static char room[LOG_MARKER_SIZE];
	struct buf b = BUF(room);
	log_marker_put(&b, TOKEN, &(struct log_marker){ generation, pid });
	return buf_view(&b);
}

static void lines_end_with_line_feeds(void **state)
{
	(void)state;
	static struct stream t;
	open_stream(&t);
	feed(&t, STR("one\ntwo\n\n<3>four\n<9>five\n<4>\n"));
	then_told(&t, "0.0 6|one| 0.0 6|two| 0.0 6|| 0.0 3|four| 0.0 6|<9>five| 0.0 4|| ");
	t.rules.has_prefix = false;
	feed(&t, STR("<3>x\r\n"));
	then_told(&t, "0.0 6|<3>x\r| ");
}

static void a_line_may_come_in_two_reads(void **state)
{
	(void)state;
	static struct stream t;
	open_stream(&t);
	feed(&t, STR("one\ntw"));
	feed(&t, STR("o"));
	then_told(&t, "0.0 6|one| ");
	feed(&t, STR("\nthree\nfou"));
	then_told(&t, "0.0 6|two| 0.0 6|three| ");
	feed(&t, STR("r\n"));
	then_told(&t, "0.0 6|four| ");
}

static void a_marker_tells_whose_lines_follow(void **state)
{
	(void)state;
	static struct stream t;
	open_stream(&t);
	feed(&t, marker(1, 71));
	feed(&t, STR("<3>first\nno line feed"));
	feed(&t, marker(2, 72));
	feed(&t, STR("second\n"));
	then_told(&t, "1.71 3|first| 1.71 6|no line feed| 2.72 6|second| ");
}

static void a_forged_marker_is_text(void **state)
{
	(void)state;
	static struct stream t;
	char room[64];
	struct buf b = BUF(room);
	open_stream(&t);
	log_marker_put(&b, "0123456789abcdee", &(struct log_marker){ 9, 9 });
	feed(&t, buf_view(&b));
	assert_int_equal(t.told.n, strlen("0.0 6|| ") + LOG_MARKER_SIZE - 1);
	assert_int_equal(t.state.generation, 0);
}

static void bytes_stay_as_they_are(void **state)
{
	(void)state;
	static struct stream t;
	static const char bytes[] = "a\0b\xff\xfe\x1b[2J\n";
	open_stream(&t);
	feed(&t, str_of(bytes, sizeof bytes - 1));
	assert_int_equal(t.told.n, strlen("0.0 6|| ") + sizeof bytes - 2);
	assert_memory_equal(t.text + strlen("0.0 6|"), bytes, sizeof bytes - 2);
}

/* The text of the pieces told, put together; *n_pieces of them, only the last of them not cut. */
static struct str joined(struct stream *t, unsigned *n_pieces)
{
	static char room[1 << 16];
	struct buf b = BUF(room);
	struct str rest = buf_view(&t->told);
	*n_pieces = 0;
	while (rest.n) {
		bool is_cut;
		str_until(&rest, '|');
		buf_str(&b, str_until(&rest, '|'));
		is_cut = str_take(&rest, STR("+"));
		rest = str_skip(rest, 1);
		assert_int_equal(is_cut, rest.n > 0);
		++*n_pieces;
	}
	return buf_view(&b);
}

static void a_long_line_comes_in_pieces(void **state)
{
	(void)state;
	static struct stream t;
	static char bytes[1000];
	for (size_t step = 1; step <= sizeof bytes; step += 1 + step / 3) {
		unsigned n;
		open_stream(&t);
		for (size_t i = 0; i < sizeof bytes; i++)
			bytes[i] = (char)('a' + i % 26);
		memcpy(bytes, "<2>", 3);
		bytes[sizeof bytes - 1] = '\n';
		for (size_t at = 0; at < sizeof bytes; at += step)
			feed(&t, str_of(bytes + at, at + step < sizeof bytes ? step : sizeof bytes - at));
		assert_int_equal(t.text[4], '2');
		assert_true(str_eq(joined(&t, &n), str_of(bytes + 3, sizeof bytes - 4)));
		assert_true(n >= 8 && n <= 16);
	}
}

static void no_character_is_cut_in_two(void **state)
{
	(void)state;
	static struct stream t;
	char bytes[3 * 200 + 2];
	for (size_t ahead = 0; ahead < 4; ahead++) {
		struct buf b = BUF(bytes);
		open_stream(&t);
		buf_str(&b, str_of("xxx", ahead));
		for (int i = 0; i < 198; i++)
			buf_lit(&b, "\xe2\x82\xac");
		buf_char(&b, '\n');
		for (size_t at = 0; at < b.n; at += 50)
			feed(&t, str_of(bytes + at, b.n - at < 50 ? b.n - at : 50));
		struct str rest = buf_view(&t.told);
		while (rest.n) {
			str_until(&rest, '|');
			struct str text = str_until(&rest, '|');
			assert_false(text.n && ((unsigned char)text.p[0] & 0xc0) == 0x80);
			str_until(&rest, ' ');
		}
	}
}

static void what_is_asked_for_is_marked_as_unfinished(void **state)
{
	(void)state;
	static struct stream t;
	open_stream(&t);
	feed(&t, STR("<4>Loading..."));
	flush(&t, false);
	flush(&t, false);
	feed(&t, STR("<5>done\nnext\n"));
	then_told(&t, "0.0 4|Loading...|+ 0.0 4|<5>done| 0.0 6|next| ");
	feed(&t, STR("all of it"));
	flush(&t, false);
	feed(&t, STR("\nnext\n"));
	then_told(&t, "0.0 6|all of it|+ 0.0 6|| 0.0 6|next| ");
}

static void the_last_words_end_with_their_service(void **state)
{
	(void)state;
	static struct stream t;
	open_stream(&t);
	feed(&t, STR("out of mem"));
	flush(&t, true);
	feed(&t, marker(2, 72));
	feed(&t, STR("hello\n"));
	then_told(&t, "0.0 6|out of mem| 2.72 6|hello| ");
	feed(&t, STR("half"));
	flush(&t, false);
	feed(&t, marker(3, 73));
	feed(&t, STR("<1>new\n"));
	then_told(&t, "2.72 6|half|+ 2.72 6|| 3.73 1|new| ");
}

/* The lines told, their pieces put together. */
static struct str whole_lines(struct stream *t, char *room, size_t size)
{
	struct buf b = { .p = room, .cap = size };
	struct str rest = buf_view(&t->told);
	while (rest.n) {
		size_t cut = str_find(rest, STR("|+ "));
		buf_str(&b, str_of(rest.p, cut));
		rest = str_skip(rest, cut + 3);
		if (rest.n)
			str_until(&rest, '|');
	}
	assert_false(b.is_cut);
	return buf_view(&b);
}

static struct str random_bytes(unsigned seed, char *room, size_t size)
{
	struct buf b = { .p = room, .cap = size };
	srand(seed);
	while (b.n < size / 2) {
		for (int n = rand() % (seed % 5 ? 90 : 400); n; n--)
			buf_char(&b, "abc<3>\0\0\xe2\x82\xac\xf0"[rand() % 13]);
		if (rand() % 3 == 0)
			buf_str(&b, marker(seed, (uint32_t)b.n));
		else if (rand() % 3)
			buf_char(&b, '\n');
	}
	buf_char(&b, '\n');
	return buf_view(&b);
}

/* However the bytes are dealt out, the same lines come of them. */
static void reads_make_no_difference(void **state)
{
	(void)state;
	static struct stream whole, dealt;
	for (unsigned seed = 1; seed <= 3000; seed++) {
		char room[1400], texts[2][4096];
		struct str bytes = random_bytes(seed, room, sizeof room);
		open_stream(&whole);
		feed(&whole, bytes);
		open_stream(&dealt);
		for (size_t at = 0, n; at < bytes.n; at += n) {
			n = 1 + (size_t)rand() % (1 + seed % 60);
			feed(&dealt, str_of(bytes.p + at, at + n < bytes.n ? n : bytes.n - at));
		}
		if (!str_eq(whole_lines(&whole, texts[0], sizeof texts[0]), whole_lines(&dealt, texts[1], sizeof texts[1])))
			fail_msg("seed %u", seed);
		assert_memory_equal(&whole.state, &dealt.state, sizeof whole.state);
		assert_int_equal(dealt.state.n_held, 0);
	}
}

/* Each zero may be where a marker begins, and what is held must not grow by all of them: the one that comes has to fit in. */
static void a_marker_behind_many_zeroes_is_found(void **state)
{
	(void)state;
	static struct stream t;
	char bytes[80 + 30] = { 0 };
	struct str own = marker(1, 71);
	memset(bytes, 'x', 80);
	open_stream(&t);
	for (size_t i = 0; i < sizeof bytes; i++)
		feed(&t, str_of(bytes + i, 1));
	for (size_t i = 0; i < own.n; i++)
		feed(&t, str_of(own.p + i, 1));
	t.told.n = 0;
	feed(&t, STR("new\n"));
	then_told(&t, "1.71 6|new| ");
}

/* A stream of one byte at a time that never ends a line, and looks as if a marker or a character were about to come. */
static void an_endless_line_needs_no_room(void **state)
{
	(void)state;
	static struct stream t;
	static const char bytes[] = "x\xf0\x9f\x98\0" TOKEN "00000001\xf0\x9f";
	open_stream(&t);
	for (int i = 0; i < 20000; i++) {
		feed(&t, str_of(bytes + (size_t)i % (sizeof bytes - 1), 1));
		assert_true(t.state.n_held <= LINE_MAX_HERE);
		if (t.told.n > sizeof t.text / 2)
			t.told.n = 0;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_end_with_line_feeds),
		cmocka_unit_test(a_line_may_come_in_two_reads),
		cmocka_unit_test(a_marker_tells_whose_lines_follow),
		cmocka_unit_test(a_forged_marker_is_text),
		cmocka_unit_test(bytes_stay_as_they_are),
		cmocka_unit_test(a_long_line_comes_in_pieces),
		cmocka_unit_test(no_character_is_cut_in_two),
		cmocka_unit_test(what_is_asked_for_is_marked_as_unfinished),
		cmocka_unit_test(the_last_words_end_with_their_service),
		cmocka_unit_test(reads_make_no_difference),
		cmocka_unit_test(a_marker_behind_many_zeroes_is_found),
		cmocka_unit_test(an_endless_line_needs_no_room),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
