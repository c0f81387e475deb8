/* Where a unit's output goes, as oomph-load settles it, and what the logger is told of it. */
#include "world.h"

static int set_up_with_logger(void **state)
{
	int r = set_up(state);
	struct world *w = *state;
	given_loader(w, true);
	w->log = "files";
	return r;
}

static const struct context *context_of(struct world *w, const char *name)
{
	return unitset_context(w->set, unit_of(w, name));
}

static void then_goes(struct world *w, const char *name, enum stdio_kind out, enum stdio_kind error, uint8_t copies_out, uint8_t copies_error)
{
	const struct unit *u = unit_of(w, name);
	assert_int_equal(u->stdio[1], out);
	assert_int_equal(u->stdio[2], error);
	assert_int_equal(context_of(w, name)->log_copies[LOG_OUT], copies_out);
	assert_int_equal(context_of(w, name)->log_copies[LOG_ERR], copies_error);
}

/* ---- the kinds ---- */

static void what_nobody_sends_elsewhere_goes_to_the_log(void **state)
{
	struct world *w = *state;
	given(w, "a.service", RUN);
	given(w, "own.service", RUN "StandardOutput=inherit\n");
	given(w, "error.service", RUN "StandardOutput=null\n");
	given(w, "file.service", RUN "StandardOutput=append:/x\nStandardError=journal\n");
	given(w, "later.service", RUN "StandardOutput=null\nStandardOutput=fd:x\n");
	when_loaded(w);
	then_goes(w, "a", STDIO_LOG, STDIO_LOG, 0, 0);
	assert_ptr_equal(context_of(w, "a"), &context_defaults);        /* which costs it nothing */
	then_goes(w, "own", STDIO_INHERIT, STDIO_INHERIT, 0, 0);
	then_goes(w, "error", STDIO_NULL, STDIO_INHERIT, 0, 0);
	then_goes(w, "file", STDIO_APPEND, STDIO_LOG, 0, 0);
	then_goes(w, "later", STDIO_LOG, STDIO_LOG, 0, 0);
}

static void a_terminal_that_is_read_from_is_written_to(void **state)
{
	struct world *w = *state;
	given(w, "a.service", RUN "StandardInput=tty\n");
	given(w, "b.service", RUN "StandardInput=tty-force\nStandardOutput=journal\n");
	given(w, "c.service", RUN "StandardInputText=x\n");
	when_loaded(w);
	then_goes(w, "a", STDIO_INHERIT, STDIO_INHERIT, 0, 0);
	then_goes(w, "b", STDIO_LOG, STDIO_LOG, 0, 0);
	then_goes(w, "c", STDIO_LOG, STDIO_LOG, 0, 0);
}

static void copies_are_the_loggers_to_make(void **state)
{
	struct world *w = *state;
	static const struct { const char *value; uint8_t copies; } rows[] = {
		{ "journal", 0 }, { "syslog", 0 }, { "journal+console", COPY_TO_CONSOLE }, { "syslog+console", COPY_TO_CONSOLE },
		{ "kmsg", COPY_TO_KMSG }, { "kmsg+console", COPY_TO_KMSG | COPY_TO_CONSOLE },
	};
	for (size_t i = 0; i < countof(rows); i++) {
		char text[128];
		snprintf(text, sizeof text, RUN "StandardOutput=%s\n", rows[i].value);
		given(w, "a.service", text);
		snprintf(text, sizeof text, RUN "StandardOutput=kmsg\nStandardError=%s\n", rows[i].value);
		given(w, "b.service", text);
		when_loaded(w);
		then_silent(w);
		then_goes(w, "a", STDIO_LOG, STDIO_LOG, rows[i].copies, rows[i].copies);
		then_goes(w, "b", STDIO_LOG, STDIO_LOG, COPY_TO_KMSG, rows[i].copies);
	}
	given(w, "a.service", RUN "StandardOutput=kmsg\nStandardOutput=journal\n");
	given(w, "b.service", RUN "StandardInput=journal\nStandardOutput=journal+kmsg\n");
	when_loaded(w);
	then_goes(w, "a", STDIO_LOG, STDIO_LOG, 0, 0);
	then_noted(w, "b", "b.service:3: StandardInput=journal: expected null, inherit");
	then_noted(w, "b", "b.service:4: StandardOutput=journal+kmsg: expected null, inherit");
}

static void without_a_logger_the_console_has_it_all(void **state)
{
	struct world *w = *state;
	given(w, "a.service", RUN);
	given(w, "b.service", RUN "StandardOutput=journal+console\nStandardError=kmsg\n");
	given(w, "c.service", RUN "StandardOutput=kmsg+console\n");
	w->log = "none";
	when_loaded(w);
	assert_int_equal(unitset_count(w->set), 3);
	then_goes(w, "a", STDIO_INHERIT, STDIO_INHERIT, 0, 0);
	then_goes(w, "b", STDIO_INHERIT, STDIO_KMSG, 0, 0);
	then_goes(w, "c", STDIO_KMSG, STDIO_INHERIT, 0, 0);
	then_noted(w, "b", "b.service:3: StandardOutput=journal+console: there is no oomph-log: goes to the console");
}

static void a_logger_is_one_that_lies_beside_the_loader(void **state)
{
	struct world *w = *state;
	given(w, "a.service", RUN);
	when_loaded(w);
	then_goes(w, "a", STDIO_LOG, STDIO_LOG, 0, 0);
	assert_int_equal(chmod(path_of(w, "lib/oomph-log"), 0644), 0);
	when_loaded(w);
	then_goes(w, "a", STDIO_INHERIT, STDIO_INHERIT, 0, 0);
	assert_int_equal(unitset_count(w->set), 1);
}

/* ---- how it is kept ---- */

static void how_it_is_kept_arrives(void **state)
{
	struct world *w = *state;
	given(w, "a.service", RUN "SyslogIdentifier=%p-%%d\nSyslogLevel=warning\nSyslogLevelPrefix=no\nLogLevelMax=3\n"
	      "LogRateLimitIntervalSec=1min\nLogRateLimitBurst=0\nSyslogFacility=local1\n");
	given(w, "b.service", RUN "SyslogIdentifier=x\nSyslogIdentifier=\nSyslogLevel=err\nSyslogLevel=\nLogLevelMax=0\nLogLevelMax=\n");
	when_loaded(w);
	then_silent(w);
	const struct context *x = context_of(w, "a");
	then_text(w, x->log_identifier, "a-%d");
	assert_true(x->log_level == LOG_PRIORITY_WARNING && x->log_level_max == LOG_PRIORITY_ERR);
	assert_true(x->log_rate_ms == 60000 && x->log_rate_burst == 0);
	assert_int_equal(x->flags, CONTEXT_NO_LOG_PREFIX);
	assert_ptr_equal(context_of(w, "b"), &context_defaults);
	assert_true(context_defaults.log_level == LOG_PRIORITY_INFO && context_defaults.log_level_max == LOG_PRIORITY_DEBUG);
	assert_true(context_defaults.log_rate_ms == 30000 && context_defaults.log_rate_burst == 0);
}

static void what_is_wrong_of_it_is_told(void **state)
{
	struct world *w = *state;
	char text[512] = RUN "SyslogLevel=warn\nLogLevelMax=8\nLogRateLimitBurst=many\nSyslogIdentifier=";
	memset(text + strlen(text), 'x', UNIT_NAME_MAX + 1);
	given(w, "a.service", text);
	when_loaded(w);
	assert_ptr_equal(context_of(w, "a"), &context_defaults);
	then_noted(w, "a", "a.service:3: SyslogLevel=warn: expected emerg, alert");
	then_noted(w, "a", "a.service:4: LogLevelMax=8: expected emerg, alert");
	then_noted(w, "a", "a.service:5: LogRateLimitBurst=many: expected a number");
	then_said(w, "xxx...: expected a text of at most 255 bytes");
}

static void dumped_it_reads_back_as_itself(void **state)
{
	struct world *w = *state;
	static const char *const lines[] = {
		"StandardOutput=journal\nStandardError=journal\n", "StandardOutput=kmsg\nStandardError=journal+console\n",
		"SyslogIdentifier=a%%b\n", "SyslogLevel=debug\n", "SyslogLevelPrefix=no\n", "LogLevelMax=err\n",
		"LogRateLimitIntervalSec=1500ms\nLogRateLimitBurst=7\n",
	};
	char path[64], first[sizeof w->said];
	snprintf(path, sizeof path, "%s/a.service", w->folder);
	for (size_t i = 0; i < countof(lines); i++) {
		char text[256];
		snprintf(text, sizeof text, RUN "%s", lines[i]);
		given(w, "a.service", text);
		assert_int_equal(run(w, (char *[]){ "oomph-load", "--dump", path, NULL }), 0);
		then_said(w, lines[i]);
		strcpy(first, w->said);
		given(w, "a.service", first);
		assert_int_equal(run(w, (char *[]){ "oomph-load", "--dump", path, NULL }), 0);
		assert_string_equal(w->said, first);
	}
}

/* ---- the logger's own unit ---- */

static const char *logger_of(struct world *w)
{
	static char command[512];
	const char *all = commands_of(w, unit_of(w, "oomph-log"), EXEC_START);
	snprintf(command, sizeof command, "%s", strstr(all, "/oomph-log ["));
	return strchr(command + strlen("/oomph-log ["), '[') ? strchr(command + strlen("/oomph-log ["), '[') : "";
}

static void the_logger_comes_before_all_and_writes_to_the_console(void **state)
{
	struct world *w = *state;
	given(w, "a.service", RUN);
	given(w, "early.service", "[Unit]\nDefaultDependencies=no\n" RUN);
	when_loaded_from(w, "--vm", w->folder, NULL);
	then_silent(w);
	const struct unit *log = unit_of(w, "oomph-log");
	assert_int_equal(log->flags & (UNIT_HELPER | UNIT_WANTED | UNIT_HAS_SCORE), UNIT_HELPER | UNIT_WANTED | UNIT_HAS_SCORE);
	assert_true(log->type == TYPE_NOTIFY && log->restart == RESTART_ALWAYS && log->oom_score_adj == -950);
	assert_true(log->restart_ms == 100 && log->restart_max_ms == 100);
	assert_string_equal(names_of(w, log, EDGE_AFTER), "");
	assert_string_equal(names_of(w, unit_of(w, "early"), EDGE_AFTER), "oomph-log,oomph-net");
	assert_string_equal(names_of(w, unit_of(w, "oomph-net"), EDGE_AFTER), "oomph-log");
	then_goes(w, "oomph-log", STDIO_INHERIT, STDIO_INHERIT, 0, 0);
	then_goes(w, "oomph-net", STDIO_INHERIT, STDIO_INHERIT, 0, 0);
	then_goes(w, "early", STDIO_LOG, STDIO_LOG, 0, 0);
	when_loaded(w);
	assert_string_equal(names_of(w, unit_of(w, "a"), EDGE_AFTER), "oomph-log");
}

static void the_logger_writes_where_it_is_told_to(void **state)
{
	struct world *w = *state;
	given(w, "a.service", RUN);
	when_loaded(w);
	assert_string_equal(logger_of(w), "");
	w->log = "stdout";
	when_loaded_from(w, "--vm", w->folder, NULL);
	assert_string_equal(logger_of(w), "[--stdout]");
}

static void the_logger_is_told_which_socket_is_ours(void **state)
{
	struct world *w = *state;
	given(w, "a.service", RUN);
	when_loaded_from(w, "--socket", "/run/%n $x/control", w->folder);
	assert_string_equal(logger_of(w), "[--socket][/run/%n $x/control]");
	assert_int_equal(unitset_commands(w->set, unit_of(w, "oomph-log"), EXEC_START)->flags, COMMAND_NO_EXPAND);
}

/* What is written by its own hand it would have to read, and write down, for ever. */
static void a_logger_of_ones_own_does_not_hear_itself(void **state)
{
	struct world *w = *state;
	given(w, "a.service", RUN);
	given(w, "oomph-log.service", RUN "StandardError=journal\n");
	when_loaded(w);
	assert_int_equal(unit_of(w, "oomph-log")->flags & UNIT_HELPER, 0);
	then_goes(w, "oomph-log", STDIO_INHERIT, STDIO_INHERIT, 0, 0);
	then_goes(w, "a", STDIO_LOG, STDIO_LOG, 0, 0);
	assert_string_equal(names_of(w, unit_of(w, "a"), EDGE_AFTER), "oomph-log");
}

/* Nobody would ever read it, and they would wait for that. */
static void a_logger_that_is_masked_or_broken_is_none(void **state)
{
	struct world *w = *state;
	given(w, "a.service", RUN);
	given(w, "oomph-log.service", "");
	when_loaded(w);
	then_goes(w, "a", STDIO_INHERIT, STDIO_INHERIT, 0, 0);
	assert_string_equal(names_of(w, unit_of(w, "a"), EDGE_AFTER), "");
	given(w, "oomph-log.service", "[Service]\nExecStart=relative/path\n");
	when_loaded(w);
	then_goes(w, "a", STDIO_INHERIT, STDIO_INHERIT, 0, 0);
	assert_string_equal(names_of(w, unit_of(w, "a"), EDGE_AFTER), "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_with_logger, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_nobody_sends_elsewhere_goes_to_the_log),
		TEST(a_terminal_that_is_read_from_is_written_to),
		TEST(copies_are_the_loggers_to_make),
		TEST(without_a_logger_the_console_has_it_all),
		TEST(a_logger_is_one_that_lies_beside_the_loader),
		TEST(how_it_is_kept_arrives),
		TEST(what_is_wrong_of_it_is_told),
		TEST(dumped_it_reads_back_as_itself),
		TEST(the_logger_comes_before_all_and_writes_to_the_console),
		TEST(the_logger_writes_where_it_is_told_to),
		TEST(the_logger_is_told_which_socket_is_ours),
		TEST(a_logger_of_ones_own_does_not_hear_itself),
		TEST(a_logger_that_is_masked_or_broken_is_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
