#include "lib/expand.h"
#include "lib/words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Numbers in comments are the rows of a table of what systemd 252 itself was seen to do with such an input. */

/* Blobs: string literals carry the last NUL themselves. */
#define BLOB(literal) str_of((literal), sizeof(literal))

static struct launch_words *begin(void)
{
	struct launch_words *w = malloc(sizeof *w);
	memset(w, 0x55, sizeof *w);     /* a child's stack is not clean */
	launch_begin(w);
	return w;
}

/* The words as [a|b|], so that one string tells number and bytes. */
static void assert_words(char *const *words, uint32_t n, const char *expected, const char *what)
{
	char text[1024];
	struct buf b = BUF(text);
	for (uint32_t i = 0; i < n; i++) {
		buf_str(&b, str_from(words[i]));
		buf_char(&b, '|');
	}
	assert_false(b.is_cut);
	if (!str_eq(buf_view(&b), str_from(expected)))
		fail_msg("%s: [%s] instead of [%s]", what, buf_cstr(&b), expected);
	assert_null(words[n]);
}

/* ---- $VAR ---- */

#define VARIABLES \
	"FOO=BAR BAR\0BAR=waldo\0E=\0Q='one' \"two two\" too\0W=  a  b\tc \0W2=a\"b c\0B=x\\\0" \
	"S=a\\ b 'c\\'d'\0EMPTY='' \"\"\0BB=x \\\0M=x'y z'w\0L=a\nb\rc\0D=$FOO ${FOO}\0FOOT=long"

static void variables_expand_as_in_systemd(void **state)
{
	(void)state;
	static const struct { const char *blob; size_t n; const char *argv; } rows[] = {
#define ROW(words, argv) { words, sizeof(words), argv }
		ROW("$FOO", "BAR|BAR|"),
		ROW("${FOO}", "BAR BAR|"),
		ROW("FOO$FOO", "FOO$FOO|"),
		ROW("FOO${FOO}$FOO", "FOOBAR BAR$FOO|"),
		/* A word that begins with a name is that name to its end. */
		ROW("$FOO$FOO", ""),
		ROW("$FOO-x", ""),
		ROW("$BAR.", ""),
		ROW("$5", ""),
		ROW("$?", ""),
		ROW("$", ""),
		ROW("$FO", ""),
		ROW("$BAR", "waldo|"),
		ROW("$FOOT", "long|"),
		ROW("${FOO}${BAR}", "BAR BARwaldo|"),
		ROW("${FOO}-x", "BAR BAR-x|"),
		/* Not closed, or a shell's form: it stands for itself. */
		ROW("${FOO", "${FOO|"),
		ROW("${FOO\0BAR}", "${FOO|BAR}|"),
		ROW("x${", "x${|"),
		ROW("${FOO:-${BAR}}", "${FOO:-waldo}|"),
		ROW("${QUUX:-${FOO}}", "${QUUX:-BAR BAR}|"),
		ROW("${}x", "x|"),
		ROW("${FOO BAR}x", "x|"),
		/* Dollars. */
		ROW("FOO$$${FOO}", "FOO$BAR BAR|"),
		ROW("$$FOO${FOO}", "$FOOBAR BAR|"),
		ROW("$$", "$|"),
		ROW("$$$$x$", "$$x$|"),
		ROW("$$${BAR}$$$BAR", "$waldo$$BAR|"),
		ROW("5$", "5$|"),
		ROW("a$-${BAR}", "a$-waldo|"),
		/* Empty and unset. */
		ROW("a\0$E\0b", "a|b|"),
		ROW("a\0$NOPE\0b", "a|b|"),
		ROW("a\0${E}\0b", "a||b|"),
		ROW("a\0${NOPE}\0b", "a||b|"),
		ROW("a\0\0b", "a||b|"),
		ROW("$MAINPID", ""),
		ROW("${MAINPID}x", "x|"),
		/* Quotes count within a value that is split, not in one that is inserted. */
		ROW("$Q", "one|two two|too|"),
		ROW("${Q}", "'one' \"two two\" too|"),
		ROW("x $FOO y", "x $FOO y|"),
		ROW("x ${FOO} y", "x BAR BAR y|"),
		ROW("$W", "a|b|c|"),
		ROW("${W}", "  a  b\tc |"),
		ROW("$W2", "ab c|"),
		ROW("$B", "x|"),
		ROW("$S", "a b|c'd|"),
		ROW("$EMPTY", "||"),
		ROW("$BB", "x||"),
		ROW("$M", "xy zw|"),
		ROW("$L", "a|b|c|"),
		/* What came out of a value is not looked at again. */
		ROW("$D", "$FOO|${FOO}|"),
		ROW("${D}", "$FOO ${FOO}|"),
		ROW("%FOO", "%FOO|"),
		ROW("/bin/echo\0$BAR\0${BAR}s", "/bin/echo|waldo|waldos|"),
#undef ROW
	};
	for (size_t i = 0; i < countof(rows); i++) {
		struct launch_words *w = begin();
		launch_environment(w, BLOB(VARIABLES));
		launch_argv(w, str_of(rows[i].blob, rows[i].n), true);
		assert_words(w->argv, w->n_argv, rows[i].argv, rows[i].blob);
		assert_false(w->is_full);
		free(w);
	}
}

/* The same from the text of a unit: specifiers and quotes go first, and so do not protect a dollar. */
static void command_lines_expand_as_in_systemd(void **state)
{
	(void)state;
	static const struct { const char *line, *argv; } rows[] = {
		/* 83, 84, 85, 86 */
		{ "$FOO", "BAR|BAR|" }, { "${FOO}", "BAR BAR|" }, { "FOO$FOO", "FOO$FOO|" },
		{ "FOO${FOO}$FOO", "FOOBAR BAR$FOO|" },
		/* 87 */ { "$FOO$FOO $FOO-x $BAR. $5 $? $", "" },
		/* 88 */ { "${FOO}${BAR} ${FOO}-x", "BAR BARwaldo|BAR BAR-x|" },
		/* 89, 90 */ { "${FOO", "${FOO|" }, { "${FOO BAR}", "${FOO|BAR}|" },
		/* 91, 92 */ { "FOO$$${FOO}", "FOO$BAR BAR|" }, { "$$FOO${FOO}", "$FOOBAR BAR|" },
		/* 93, 94 */ { "${FOO:-${BAR}}", "${FOO:-waldo}|" }, { "${QUUX:-${FOO}}", "${QUUX:-BAR BAR}|" },
		/* 95 */ { "a $E b", "a|b|" }, { "a $NOPE b", "a|b|" },
		/* 96 */ { "a ${E} b", "a||b|" }, { "a ${NOPE} b", "a||b|" },
		/* 97, 98 */ { "$Q", "one|two two|too|" }, { "${Q}", "'one' \"two two\" too|" },
		/* 99, 100 */ { "\"$FOO\"", "BAR|BAR|" }, { "'${FOO}'", "BAR BAR|" },
		/* 101, 102 */ { "\"x $FOO y\"", "x $FOO y|" }, { "\"x ${FOO} y\"", "x BAR BAR y|" },
		/* 103, 104, 105 */ { "$W", "a|b|c|" }, { "$W2", "ab c|" }, { "$B", "x|" },
		/* 106 */ { "%%FOO", "%FOO|" },
		/* 107 */ { "$MAINPID", "" }, { "${MAINPID}x", "x|" },
		{ "-m \"$BAR\" '$BAR' '' \"\"", "-m|waldo|waldo|||" },
	};
	static const struct specifiers none;

	for (size_t i = 0; i < countof(rows); i++) {
		char blob[256], word[64];
		struct buf b = BUF(blob), w = BUF(word);
		struct str rest = str_from(rows[i].line);
		for (; words_next(&rest, &w) == WORDS_WORD; w = BUF(word)) {
			assert_int_equal(words_specify(buf_view(&w), &none, &b), '\0');
			buf_char(&b, '\0');
		}
		struct launch_words *l = begin();
		launch_environment(l, BLOB(VARIABLES));
		launch_argv(l, buf_view(&b), true);
		assert_words(l->argv, l->n_argv, rows[i].argv, rows[i].line);
		free(l);
	}
}

static void words_are_left_alone_where_asked(void **state)
{
	(void)state;
	struct launch_words *w = begin();
	launch_environment(w, BLOB(VARIABLES));
	launch_argv(w, BLOB("/bin/echo\0$FOO\0${FOO}\0$$\0"), false);
	assert_words(w->argv, w->n_argv, "/bin/echo|$FOO|${FOO}|$$||", "no expansion");
	assert_int_equal(w->n_bytes, 0);
	free(w);
}

static void no_words_are_no_words(void **state)
{
	(void)state;
	struct launch_words *w = begin();
	launch_argv(w, STR(""), true);
	launch_environment(w, STR(""));
	launch_env_file(w, STR(""));
	assert_words(w->argv, w->n_argv, "", "argv");
	assert_words(w->envp, w->n_envp, "", "envp");
	free(w);
}

/* ---- environment ---- */

static void the_last_of_a_name_wins_in_its_first_place(void **state)
{
	(void)state;
	struct launch_words *w = begin();
	launch_setenv(w, STR("A=1"));
	launch_setenv(w, STR("AB=2"));
	launch_setenv(w, STR("C="));
	launch_setenv(w, STR("A=x=y"));
	launch_setenv(w, STR("nothing"));
	launch_setenv(w, STR("=nameless"));
	launch_setenv_number(w, STR("MAINPID"), 4194304);
	launch_setenv_number(w, STR("AB"), UINT64_MAX);
	launch_setenv_text(w, STR("NOTIFY_SOCKET"), STR("@x"));
	assert_words(w->envp, w->n_envp, "A=x=y|AB=18446744073709551615|C=|MAINPID=4194304|NOTIFY_SOCKET=@x|", "envp");

	assert_string_equal(launch_getenv(w, STR("A")), "x=y");
	assert_string_equal(launch_getenv(w, STR("C")), "");
	assert_null(launch_getenv(w, STR("")));
	assert_null(launch_getenv(w, STR("B")));
	assert_null(launch_getenv(w, STR("MAINPI")));
	assert_null(launch_getenv(w, STR("MAINPID=")));
	assert_null(launch_getenv(w, STR("C=\0D")));
	free(w);
}

static void environment_files_read_as_in_systemd(void **state)
{
	(void)state;
	static const struct { const char *file, *envp; } rows[] = {
		/* 121 */ { "a=a\na=b", "a=b|" },
		/* 122 */ { "  sp = val ue  ", "sp=val ue|" },
		{ "\tt\t=\tx\t\n", "t=x|" },
		/* Quotes: single ones raw, double ones with four escapes, both across lines, in front of a part. */
		/* 123 */ { "q='single $x \\n q'", "q=single $x \\n q|" },
		/* 124 */ { "q=\"dbl \\\" \\\\ \\$ \\n \\` q\"", "q=dbl \" \\ $ \\n ` q|" },
		/* 125 */ { "q=ab\"cd ef\"gh", "q=ab\"cd ef\"gh|" },
		/* 126 */ { "q='a''b'\"c\"", "q=abc|" },
		{ "q='a' \"b\"\tc d \ne=1", "q=abc d|e=1|" },
		{ "q='a'b'c'", "q=ab'c'|" },
		/* 127 */ { "q=a'b c'd", "q=a'b c'd|" },
		{ "q='  a  '  ", "q=  a  |" },
		{ "q=''\nr=\"\"", "q=|r=|" },
		/* 130 */ { "nl=\"l1\nl2\"\nb=1", "nl=l1\nl2|b=1|" },
		{ "nl='l1\nl2'\nb=1", "nl=l1\nl2|b=1|" },
		{ "q='open", "q=open|" },
		{ "q=\"open\n", "q=open\n|" },
		{ "q=\"end\\", "q=end|" },
		/* Backslashes outside of quotes. */
		/* 128 */ { "c=line1\\\nline2", "c=line1line2|" },
		{ "c=line1 \\\n  line2", "c=line1   line2|" },
		{ "c=\\\nx", "c=x|" },
		/* 129 */ { "c=\"x\\\ny\"", "c=xy|" },
		{ "c='x\\\ny'", "c=x\\\ny|" },
		/* 132 */ { "esc=a\\ b\\nc", "esc=a bnc|" },
		/* 140 */ { "a=\\ \\n \\t \\x", "a= n t x|" },
		/* 137 */ { "t=x \\", "t=x |" },
		{ "t=x\\ \nb=1", "t=x |b=1|" },
		{ "q=\\'a b\\'", "q='a b'|" },
		/* Comments only at the beginning of a line, and they go on behind a backslash. */
		/* 133 */ { "h=a#b\ni=a #b", "h=a#b|i=a #b|" },
		{ "# c\nb=1\n; d='open\n  # e=2\nc=3", "b=1|c=3|" },
		/* 139 */ { "# c \\\nnormal=line\nb=1", "b=1|" },
		{ "# c \\x\nb=1", "b=1|" },
		{ "#", "" },
		{ "#\\", "" },
		/* Neither a shell nor a unit file. */
		/* 134 */ { "d=$FOO ${BAR}", "d=$FOO ${BAR}|" },
		{ "p=%n", "p=%n|" },
		{ "e=\nf=1", "e=|f=1|" },
		/* 131 */ { "e=", "e=|" },
		{ "e=  ", "e=|" },
		/* 135 */ { "export x=1\ny=2", "y=2|" },
		/* 136 */ { "bad-key=1\n9k=1\nnovalue\nk9_=1", "k9_=1|" },
		{ "novalue", "" },
		{ "=x\n=\n==y\nb=1", "b=1|" },
		{ "=\"a\nb=1\"", "b=1\"|" },
		{ "bad key='a\nb=1'\nc=2", "c=2|" },
		{ "\xef\xbb\xbf" "a=1\nb=2", "b=2|" },
		{ "v=a=b", "v=a=b|" },
		{ "v=\xc3\xb6", "v=\xc3\xb6|" },
		/* Line ends of another system. */
		/* 138 */ { "a=1\r\nb='2'\r\n\r\nc=3\r\n", "a=1|b=2|c=3|" },
		{ "\n\n \n\t\n", "" },
	};
	for (size_t i = 0; i < countof(rows); i++) {
		struct launch_words *w = begin();
		size_t n = strlen(rows[i].file);
		char *file = malloc(n);         /* exactly its size, and gone before the words are read */
		memcpy(file, rows[i].file, n);
		launch_env_file(w, str_of(file, n));
		free(file);
		assert_words(w->envp, w->n_envp, rows[i].envp, rows[i].file);
		assert_false(w->is_full);
		free(w);
	}
}

/* 119 */
static void a_file_overrides_the_unit(void **state)
{
	(void)state;
	struct launch_words *w = begin();
	launch_environment(w, BLOB("A=unit\0B=unit"));
	launch_env_file(w, STR("A=first\nC=first\n"));
	launch_env_file(w, STR("A=second\n"));
	launch_argv(w, BLOB("${A}-${B}-${C}"), true);
	assert_words(w->envp, w->n_envp, "A=second|B=unit|C=first|", "envp");
	assert_words(w->argv, w->n_argv, "second-unit-first|", "argv");
	free(w);
}

static void variables_are_passed_and_taken_away(void **state)
{
	(void)state;
	struct launch_words *w = begin();
	char *const own[] = { "TERM=linux", "HOME=/root", "TERMINAL=no", NULL };
	launch_environment(w, BLOB("HOME=/srv\0A=1\0B=1\0C=1"));
	launch_pass(w, BLOB("TERM\0HOME\0NOTHING"), own);
	assert_words(w->envp, w->n_envp, "HOME=/root|A=1|B=1|C=1|TERM=linux|", "passed");
	launch_unset(w, BLOB("A\0B=2\0C=1\0D"));
	assert_words(w->envp, w->n_envp, "HOME=/root|B=1|TERM=linux|", "unset");
	free(w);
}

static void nuls_in_a_file_do_not_become_variables(void **state)
{
	(void)state;
	struct launch_words *w = begin();
	launch_env_file(w, STR("a=x\0y\nb\0=1\n\0\nc='\0'\nd=1\n"));
	assert_words(w->envp, w->n_envp, "d=1|", "envp");
	free(w);
}

static void an_ignored_line_costs_no_room(void **state)
{
	(void)state;
	struct launch_words *w = begin();
	launch_env_file(w, STR("bad key=xxxxxxxxxxxxxxxx\n9=yyyyyyyyyyyyyyy\na=1"));
	assert_int_equal(w->n_bytes, sizeof "a=1");
	free(w);
}

/* ---- bounds ---- */

static void too_many_words_are_told(void **state)
{
	(void)state;
	struct launch_words *w = begin();
	for (int i = 0; i < LAUNCH_WORDS_MAX; i++)
		launch_argv(w, BLOB("x"), true);
	assert_false(w->is_full);
	assert_int_equal(w->n_argv, LAUNCH_WORDS_MAX);
	launch_argv(w, BLOB("one too many"), true);
	assert_true(w->is_full);
	assert_int_equal(w->n_argv, LAUNCH_WORDS_MAX);
	assert_null(w->argv[LAUNCH_WORDS_MAX]);

	launch_begin(w);
	for (uint64_t i = 0; i < LAUNCH_WORDS_MAX; i++) {
		char name[24];
		struct buf b = BUF(name);
		buf_char(&b, 'v');
		buf_u64(&b, i);
		launch_setenv_number(w, buf_view(&b), i);
	}
	assert_false(w->is_full);
	launch_setenv(w, STR("v5=replaced"));
	assert_false(w->is_full);
	launch_setenv(w, STR("new=1"));
	assert_true(w->is_full);
	assert_int_equal(w->n_envp, LAUNCH_WORDS_MAX);
	assert_null(w->envp[LAUNCH_WORDS_MAX]);
	free(w);
}

static void a_split_value_may_have_too_many_words(void **state)
{
	(void)state;
	struct launch_words *w = begin();
	static char value[2 + 2 * (LAUNCH_WORDS_MAX + 1) + 1] = "V=";
	for (size_t i = 2; i + 1 < sizeof value; i++)
		value[i] = i % 2 ? ' ' : 'x';
	launch_setenv(w, str_from(value));
	launch_argv(w, BLOB("$V"), true);
	assert_true(w->is_full);
	assert_int_equal(w->n_argv, LAUNCH_WORDS_MAX);
	free(w);
}

/* The bytes end at every place of every kind of word once: nothing is written beyond, nothing half is left. */
static void too_many_bytes_are_told(void **state)
{
	(void)state;
	const char *file = "a=plain b\\ c\nb='single' \"dou\\\"ble\\n\"\n# c\nbad key=1\nc=1";
	static const char fill[LAUNCH_BYTES_MAX] = { 0 };
	bool was_full = false;
	for (size_t n_free = 0; n_free < 100; n_free++) {
		struct launch_words *w = begin();
		launch_environment(w, BLOB("S=a 'b c' d"));
		launch_setenv_text(w, STR("F"), str_of(fill, sizeof w->bytes - n_free - 3));
		assert_int_equal(sizeof w->bytes - w->n_bytes, n_free);
		launch_env_file(w, str_from(file));
		launch_argv(w, BLOB("$S\0${S}x$$\0plain"), true);
		launch_setenv_number(w, STR("N"), 7);

		assert_true(w->n_bytes <= sizeof w->bytes);
		assert_null(w->envp[w->n_envp]);
		assert_null(w->argv[w->n_argv]);
		for (uint32_t i = 0; i < w->n_envp; i++)
			assert_non_null(strchr(w->envp[i], '='));
		for (uint32_t i = 0; i < w->n_argv; i++)
			assert_true(strlen(w->argv[i]) < 20);
		if (!w->is_full)
			assert_int_equal(w->n_argv, 5);
		assert_false(was_full == false && n_free > 0 && w->is_full);
		was_full = w->is_full;
		free(w);
	}
	assert_false(was_full);
}

/* Any bytes at all: a fixed seed over the alphabet that the parsers care about. */
static void no_bytes_lead_astray(void **state)
{
	(void)state;
	static const char alphabet[] = "ab=$\\{}:'\" \n\r#;\0";
	uint64_t random = 7;
	struct launch_words *w = begin();
	for (int round = 0; round < 20000; round++) {
		size_t n = (size_t)round % 24 + 1;
		char *bytes = malloc(n);
		for (size_t i = 0; i < n; i++) {
			random = random * 6364136223846793005u + 1442695040888963407u;
			bytes[i] = alphabet[(random >> 33) % sizeof alphabet];
		}
		launch_begin(w);
		launch_env_file(w, str_of(bytes, n));
		bytes[n - 1] = '\0';
		launch_argv(w, str_of(bytes, n), true);
		assert_false(w->is_full);
		for (uint32_t i = 0; i < w->n_envp; i++)
			assert_true(strchr(w->envp[i], '=') > w->envp[i]);
		for (uint32_t i = 0; i < w->n_argv; i++)
			assert_true(strlen(w->argv[i]) <= 64);
		free(bytes);
	}
	free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(variables_expand_as_in_systemd),
		cmocka_unit_test(command_lines_expand_as_in_systemd),
		cmocka_unit_test(words_are_left_alone_where_asked),
		cmocka_unit_test(no_words_are_no_words),
		cmocka_unit_test(the_last_of_a_name_wins_in_its_first_place),
		cmocka_unit_test(environment_files_read_as_in_systemd),
		cmocka_unit_test(a_file_overrides_the_unit),
		cmocka_unit_test(variables_are_passed_and_taken_away),
		cmocka_unit_test(nuls_in_a_file_do_not_become_variables),
		cmocka_unit_test(an_ignored_line_costs_no_room),
		cmocka_unit_test(too_many_words_are_told),
		cmocka_unit_test(a_split_value_may_have_too_many_words),
		cmocka_unit_test(too_many_bytes_are_told),
		cmocka_unit_test(no_bytes_lead_astray),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
