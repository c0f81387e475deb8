/*
 * Every reader of a value. "KEY=VALUE" goes to the reader of that directive; the same text, whole and in two parts at its first
 * NUL, to each of the readers of lib/.
 */
#include "loader.h"
#include "lib/calendar.h"
#include "lib/condition.h"
#include "lib/exec_values.h"
#include "lib/expand.h"
#include "lib/glyph.h"
#include "lib/logpick.h"
#include "lib/logtarget.h"
#include "lib/names.h"
#include "lib/timestamp.h"
#include "lib/unitname.h"
#include "lib/values.h"

#include <stdlib.h>
#include <string.h>

static struct buf room_for(size_t n)
{
	return keep_buf(n);
}

/* ---- by directive ---- */

static void read_setting(struct str text)
{
	struct draft d;
	struct str key = str_until(&text, '=');
	draft_begin(&d, loader_host(), STR("x@y.service"), STR("/etc/services.d/x@.service"));
	for (int section = 0; section < N_SECTION; section++) {
		const struct directive *row = directive_find((enum section)section, key);
		if (row)
			settings_read(&d, row, keep_str(text), 1);
		else
			directive_nearest((enum section)section, key);
	}
	settle(&d);
	dump_draft(&d);
}

/* ---- lib/values.h ---- */

static void read_numbers(struct str text)
{
	uint64_t number;
	int64_t integer;
	unsigned small;
	bool flag;
	struct exit_set set = { .signals = 0 };
	value_boolean(text, &flag);
	value_u64(text, &number);
	if (value_int(text, -20, 19, &integer))
		must(integer >= -20 && integer <= 19);
	if (value_time(text, &number))
		value_ms(number);
	value_microseconds(text, &number);
	value_nanoseconds(text, &number);
	value_size(text, &number);
	if (value_percent(text, &small))
		must(small <= 10000);
	value_quota(text, &small);
	if (value_mode(text, 07777, &small))
		must(small <= 07777);
	value_exit_status(text, &set);
	must(signal_number(text) >= 0 && signal_number(text) <= 64);
	must(exit_status_number(text) < 256);
}

static void read_paths(struct str text)
{
	struct buf once = room_for(text.n), twice = room_for(text.n), run = room_for(text.n + 16);
	struct str folder, link;
	value_is_path(text);
	value_simplify_path(text, &once);
	must(!once.is_cut);
	value_simplify_path(buf_view(&once), &twice);
	must(str_eq(buf_view(&once), buf_view(&twice)));
	value_run_path(text, &run);
	if (value_directory(text, &folder, &link)) {
		must_lie_within(folder, text);
		must_lie_within(link, text);
	}
	value_is_account(text);
	value_is_sandbox_path(text);
	value_is_bus_name(text);
	value_is_assignment(text);
}

static void read_utf8(struct str text)
{
	bool is_all = true;
	for (struct str rest = text; rest.n;) {
		size_t n = value_utf8_length(rest);
		struct glyph glyph = glyph_at(rest);
		must(n <= rest.n && glyph.n == n);
		is_all &= n > 0;
		rest = str_skip(rest, n ? n : 1);
	}
	must(value_is_utf8(text) == is_all);
}

/* ---- lib/exec_values.h ---- */

static void read_exec_values(struct str text)
{
	struct limit limit = { .kind = 0 };
	uint64_t mask[MASK_BITS / 64] = { 0 };
	uint32_t number;
	for (int kind = 0; kind < N_LIMIT_KIND; kind++)
		if (exec_limit(text, (enum limit_kind)kind, &limit))
			must(limit.soft <= limit.hard);
	int capability = exec_capability(text);
	must(capability < 64 && (capability < 0 || !exec_capability_name(capability) || exec_capability(str_from(exec_capability_name(capability))) == capability));
	exec_mask(text, mask);
	if (exec_personality(text, &number))
		must(exec_personality_name(number));
	exec_coredump_filter(text, &number);
	exec_secure_bit(text);
	struct buf coded = room_for(text.n / 3 * 4 + 4), plain = room_for(text.n + 3), from = room_for(text.n);
	exec_base64(text, &from);
	must(!from.is_cut);
	exec_to_base64(text, &coded);
	must(!coded.is_cut && exec_base64(buf_view(&coded), &plain) && str_eq(buf_view(&plain), text));
}

/* ---- times ---- */

static void elapse(const struct calendar *c)
{
	static const int64_t begins[] = { 0, 1795752181000000, -1, 7258118400000000 };
	for (size_t i = 0; i < countof(begins); i++) {
		int64_t at = begins[i], next;
		int32_t fields[N_CALENDAR_FIELD];
		for (unsigned n = 0; n < 3 && calendar_next(c, 3600, at, &next); n++, at = next)
			must(next > at && calendar_split(next, fields));
	}
}

static void read_times(struct str text)
{
	struct calendar c, again;
	struct timestamp t;
	char first_bytes[8192], second_bytes[8192];
	struct buf first = BUF(first_bytes), second = BUF(second_bytes);
	if (timestamp_read(text, &t))
		must(str_eq(t.zone, STR("UTC")) || (must_lie_within(t.zone, text), true));
	if (calendar_parse(text, &c))
		return;
	must_lie_within(c.zone, text);
	calendar_print(&c, &first);
	must(!calendar_parse(buf_view(&first), &again));
	calendar_print(&again, &second);
	must(str_eq(buf_view(&first), buf_view(&second)));
	elapse(&c);
}

/* ---- words ---- */

static void read_words(struct str text)
{
	struct specifiers specifiers = { .of = { ['n'] = STR("x.service"), ['i'] = STR("y") } };
	enum words_result (*const readers[])(struct str *, struct buf *) = { words_next, words_quoted };
	for (size_t i = 0; i < countof(readers); i++) {
		struct buf word = room_for(text.n);
		struct str rest = text;
		for (enum words_result r = WORDS_WORD; r == WORDS_WORD || r == WORDS_ODD;) {
			r = readers[i](&rest, &word);
			must(r != WORDS_NO_ROOM);
			must_lie_within(rest, text);
		}
	}
	struct str rest = text, word;
	while (words_plain(&rest, &word))
		must_lie_within(word, text);
	word = text;
	words_prefix(&word);
	must_lie_within(word, text);
	struct buf b = room_for(text.n + 64);
	must(words_escape(text, &b) <= text.n);
	words_specify(text, &specifiers, &b);
}

static void read_names(struct str text)
{
	struct unitname parts = unitname_parts(text);
	struct buf b = room_for(text.n);
	unitname_is_valid(text);
	unitname_is_template(text);
	unitname_is_instance(text);
	unitname_type(text);
	must_lie_within(parts.stem, text);
	must_lie_within(parts.prefix, text);
	must_lie_within(parts.instance, text);
	must_lie_within(parts.suffix, text);
	unitname_unescape(text, &b);
	must(!b.is_cut);
}

/* ---- conditions, and what they are held against ---- */

static void read_conditions(struct str text, struct str other)
{
	struct condition c;
	struct virtualization v = { STR("kvm"), STR(""), false };
	char bytes[256];
	struct buf b = BUF(bytes);
	if (condition_parse(text, &c))
		must_lie_within(c.argument, text);
	for (uint32_t n = 0; n < 4; n++)
		condition_brace(text, n, &b);
	condition_is_in_command_line(text, other);
	condition_is_os(text, other);
	condition_is_virtualization(&v, text);
	condition_capability(text);
	condition_line(text, 1);
	int order = version_compare(text, other), back = version_compare(other, text);
	must((order < 0) == (back > 0) && (order == 0) == (back == 0));
}

static void expand(struct str text, struct str blob)
{
	static struct launch_words words;
	launch_begin(&words);
	launch_env_file(&words, text);
	launch_argv(&words, blob, true);
	launch_unset(&words, blob);
	must(words.argv[words.n_argv] == NULL && words.envp[words.n_envp] == NULL);
}

static void read_log_settings(struct str text)
{
	struct logpick pick = LOGPICK_ALL;
	struct logtarget target = { .kind = TARGET_UDP };
	logpick_priorities(&pick, text);
	logline_priority(text);
	if (!logtarget_syslog(text, &target) || !logtarget_json(text, &target)) {
		must_lie_within(target.host, text);
		must_lie_within(target.path, text);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct str text = exactly(str_of((const char *)bytes, n)), rest = text, first = str_until(&rest, '\0');
	struct buf blob = room_for(n + 1);
	buf_str(&blob, text);
	buf_char(&blob, '\0');
	read_setting(text);
	read_numbers(text);
	read_paths(text);
	read_utf8(text);
	read_exec_values(text);
	read_times(text);
	read_words(text);
	read_names(text);
	read_conditions(first, rest);
	expand(text, buf_view(&blob));
	read_log_settings(text);
	str_distance(first, rest);
	loader_end();
	free((char *)text.p);
	return 0;
}
