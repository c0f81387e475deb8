/*
 * oomph-load as PID 1 runs it: a folder of units in, a sealed set out. $OOMPH_LOAD names another build of it.
 */
#include "lib/unit.h"
#include "lib/names.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define RUN "[Service]\nExecStart=/bin/true\n"

struct world {
	char folder[32];
	struct unitset set;
	char said[1 << 16];             /* stderr of the last run */
};

/* ---- given ---- */

static const char *path_of(const struct world *w, const char *name)
{
	static char path[512];
	snprintf(path, sizeof path, "%s/%s", w->folder, name);
	return path;
}

static void given_bytes(struct world *w, const char *name, struct str bytes)
{
	int fd = open(path_of(w, name), O_WRONLY | O_CREAT | O_TRUNC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes.p, bytes.n), (ssize_t)bytes.n);
	close(fd);
}

static void given(struct world *w, const char *name, const char *text)
{
	given_bytes(w, name, str_from(text));
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static int set_up(void **state)
{
	struct world *w = calloc(1, sizeof *w);
	strcpy(w->folder, "/tmp/test_load.XXXXXX");
	*state = w;
	return mkdtemp(w->folder) ? 0 : -1;
}

static int tear_down(void **state)
{
	struct world *w = *state;
	if (w->set.bytes)
		munmap((void *)w->set.bytes, w->set.size);
	nftw(w->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(w);
	return 0;
}

/* ---- when ---- */

/* Runs the loader; what it says goes into w->said. Its exit status. */
static int run(struct world *w, char *const argv[])
{
	const char *program = getenv("OOMPH_LOAD") ? getenv("OOMPH_LOAD") : "build/bin/oomph-load";
	int out[2], status;
	size_t n = 0;
	ssize_t got;

	assert_int_equal(pipe(out), 0);
	pid_t pid = fork();
	if (pid == 0) {
		dup2(out[1], 1);
		dup2(out[1], 2);
		close(out[0]);
		close(out[1]);
		execv(program, argv);
		dprintf(2, "%s: %s (make all builds it)\n", program, strerror(errno));
		_exit(127);
	}
	assert_true(pid > 0);
	close(out[1]);
	while ((got = read(out[0], w->said + n, sizeof w->said - 1 - n)) > 0)
		n += (size_t)got;
	w->said[n] = '\0';
	close(out[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* Loads the folders given ("" for the world's own) into a set that passes PID 1's check. */
static void when_loaded_from(struct world *w, const char *mode, const char *first, const char *second)
{
	char number[16];
	struct stat st;
	int fd = memfd_create("units", MFD_ALLOW_SEALING);

	assert_true(fd >= 0);
	snprintf(number, sizeof number, "%d", fd);
	if (run(w, (char *[]){ "oomph-load", "--fd", number, (char *)mode, (char *)first, (char *)second, NULL }) != 0)
		fail_msg("oomph-load failed: %s", w->said);
	assert_int_equal(fcntl(fd, F_GET_SEALS), F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
	assert_int_equal(fstat(fd, &st), 0);
	if (w->set.bytes)
		munmap((void *)w->set.bytes, w->set.size);
	w->set.size = (uint32_t)st.st_size;
	w->set.bytes = mmap(NULL, w->set.size, PROT_READ, MAP_PRIVATE, fd, 0);
	assert_true(w->set.bytes != MAP_FAILED);
	close(fd);
	const char *wrong = unitset_check(w->set.bytes, w->set.size);
	if (wrong)
		fail_msg("the set is not sound: %s", wrong);
}

static void when_loaded(struct world *w)
{
	when_loaded_from(w, "--container", w->folder, NULL);
}

/* ---- then ---- */

static const struct unit *unit_of(const struct world *w, const char *name)
{
	const struct unit *u = unitset_unit(w->set, unitset_find(w->set, str_from(name)));
	if (!u)
		fail_msg("there is no unit %s", name);
	return u;
}

static void then_said(const struct world *w, const char *line)
{
	if (!strstr(w->said, line))
		fail_msg("nobody said \"%s\", but:\n%s", line, w->said);
}

static void then_silent(const struct world *w)
{
	assert_string_equal(w->said, "");
}

static void then_noted(const struct world *w, const char *unit, const char *line)
{
	struct str notes = unitset_text(w->set, unit_of(w, unit)->notes);
	then_said(w, line);
	assert_true(str_find(notes, str_from(line)) < notes.n);
}

static void then_broken(const struct world *w, const char *unit, const char *why)
{
	const struct unit *u = unit_of(w, unit);
	assert_int_equal(u->flags & (UNIT_BROKEN | UNIT_WANTED), UNIT_BROKEN | UNIT_WANTED);
	assert_int_equal(u->exec[EXEC_START].n, 0);
	then_noted(w, unit, why);
}

static void then_text(const struct world *w, struct span span, const char *expected)
{
	struct str text = unitset_text(w->set, span);
	if (!str_eq(text, str_from(expected)))
		fail_msg("\"%.*s\" is not \"%s\"", (int)text.n, text.p, expected);
}

/* "a,b": the words of a blob, or the names of a list of units. */
static const char *words_of(const struct world *w, struct span span)
{
	static char text[4096];
	struct buf b = BUF(text);
	struct str rest = unitset_text(w->set, span), word;
	while (str_next(&rest, &word)) {
		if (b.n)
			buf_char(&b, ',');
		buf_str(&b, word);
	}
	return buf_cstr(&b);
}

/* The units that this one has one of those kinds of edge to. */
static const char *names_of(const struct world *w, const struct unit *u, uint32_t kinds)
{
	static char text[4096];
	struct buf b = BUF(text);
	const struct edge *edges = unitset_edges(w->set, u);
	for (uint32_t i = 0; i < u->edges.n; i++) {
		struct str name = unitset_text(w->set, unitset_unit(w->set, edges[i].unit)->name);
		if (!(edges[i].kinds & kinds))
			continue;
		if (b.n)
			buf_char(&b, ',');
		buf_str(&b, str_of(name.p, str_ends(name, STR(".service")) ? name.n - 8 : name.n));
	}
	return buf_cstr(&b);
}

/* "-:/bin/x [x][a b]; /bin/y [y]" */
static const char *commands_of(const struct world *w, const struct unit *u, enum exec_list list)
{
	static char text[4096];
	struct buf b = BUF(text);
	const struct command *commands = unitset_commands(w->set, u, list);
	for (uint32_t i = 0; i < u->exec[list].n; i++) {
		struct str rest = unitset_text(w->set, commands[i].argv), word;
		if (i)
			buf_lit(&b, "; ");
		if (commands[i].flags & COMMAND_MAY_FAIL)
			buf_char(&b, '-');
		if (commands[i].flags & COMMAND_NO_EXPAND)
			buf_char(&b, ':');
		buf_str(&b, unitset_text(w->set, commands[i].path));
		buf_char(&b, ' ');
		while (str_next(&rest, &word)) {
			buf_char(&b, '[');
			buf_str(&b, word);
			buf_char(&b, ']');
		}
	}
	return buf_cstr(&b);
}

/* ---- a unit by itself ---- */

static void a_plain_unit_has_the_defaults(void **state)
{
	struct world *w = *state;
	struct unit d;

	given(w, "a.service", RUN);
	when_loaded(w);
	const struct unit *u = unit_of(w, "a");
	unit_defaults(&d);
	then_silent(w);
	assert_int_equal(unitset_count(w->set), 1);
	then_text(w, u->name, "a.service");
	then_text(w, u->file, path_of(w, "a.service"));
	assert_int_equal(u->flags, UNIT_WANTED | UNIT_JITTER);
	assert_int_equal(u->type, TYPE_SIMPLE);
	assert_int_equal(u->restart, RESTART_UNSET);
	assert_int_equal(u->oom_policy, OOM_CONTINUE);
	assert_int_equal(u->restart_ms, d.restart_ms);
	assert_int_equal(u->restart_max_ms, d.restart_max_ms);
	assert_int_equal(u->restart_growth, d.restart_growth);
	assert_int_equal(u->start_ms, START_TIMEOUT_MS);
	assert_int_equal(u->uid, NO_ID);
	assert_string_equal(words_of(w, u->environment),
			    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
}

static void every_number_arrives(void **state)
{
	struct world *w = *state;
	given(w, "a.service",
	      "[Unit]\nDescription=100%% of %p %n\nStartLimitIntervalSec=1min\nStartLimitBurst=3\n"
	      "[Service]\nType=notify\nExecStart=/bin/d\nExecStartPre=/bin/pre\nExecStartPost=/bin/post\n"
	      "ExecReload=/bin/kill -HUP $MAINPID\nExecStop=/bin/stop\nRestart=on-abnormal\nRestartSec=1\n"
	      "RestartSteps=4\nRestartMaxDelaySec=16\n"
	      "TimeoutStartSec=2min\nTimeoutStopSec=0\nKillMode=mixed\nKillSignal=INT\n"
	      "SendSIGKILL=no\nSuccessExitStatus=TEMPFAIL 250 SIGKILL 300\nRemainAfterExit=true\nOOMScoreAdjust=-900\n"
	      "OOMPolicy=kill\nMemoryMin=1M\nMemoryLow=0\nMemoryHigh=infinity\nMemoryMax=1.5G\nMemorySwapMax=0\n"
	      "TasksMax=0x10\nCPUWeight=200\nUMask=007\nNice=-5\nWorkingDirectory=-/var//lib/\n"
	      "LimitNOFILE=55:66\nLimitNPROC=7\nLimitCORE=1G:infinity\nLimitNPROC=8\n"
	      "StandardInput=file:/in\nStandardOutput=append:/var/log/%p\nStandardError=null\n");
	when_loaded(w);
	const struct unit *u = unit_of(w, "a.service");
	then_noted(w, "a", "a.service:21: SuccessExitStatus=: `300`: expected statuses");
	then_text(w, u->description, "100% of a a.service");
	assert_int_equal(u->flags, UNIT_WANTED | UNIT_HAS_START_LIMIT | UNIT_NO_SIGKILL | UNIT_REMAIN_AFTER_EXIT |
				   UNIT_HAS_SCORE | UNIT_HAS_NICE | UNIT_CHDIR_MAY_FAIL);
	assert_int_equal(u->start_limit_ms, 60000);
	assert_int_equal(u->start_limit_burst, 3);
	assert_int_equal(u->type, TYPE_NOTIFY);
	assert_int_equal(u->notify_access, NOTIFY_MAIN);
	assert_string_equal(commands_of(w, u, EXEC_START), "/bin/d [/bin/d]");
	assert_string_equal(commands_of(w, u, EXEC_START_PRE), "/bin/pre [/bin/pre]");
	assert_string_equal(commands_of(w, u, EXEC_START_POST), "/bin/post [/bin/post]");
	assert_string_equal(commands_of(w, u, EXEC_RELOAD), "/bin/kill [/bin/kill][-HUP][$MAINPID]");
	assert_string_equal(commands_of(w, u, EXEC_STOP), "/bin/stop [/bin/stop]");
	assert_int_equal(u->restart, RESTART_ON_ABNORMAL);
	assert_int_equal(u->restart_ms, 1000);
	assert_int_equal(u->restart_max_ms, 16000);
	assert_int_equal(u->restart_growth, 2 * 65536);
	assert_int_equal(u->start_ms, 120000);
	assert_int_equal(u->stop_ms, FOREVER_MS);
	assert_int_equal(u->kill_mode, KILL_MIXED);
	assert_int_equal(u->kill_signal, 2);
	assert_true(unit_is_success(u, false, 75) && unit_is_success(u, false, 250) && unit_is_success(u, true, 9));
	assert_int_equal(u->oom_score_adj, -900);
	assert_int_equal(u->oom_policy, OOM_KILL);
	assert_memory_equal(u->knobs, ((uint64_t[]){ 1 << 20, 0, KNOB_INFINITY, 1610612736, 0, 16, 200 }),
			    sizeof u->knobs);
	assert_int_equal(u->umask, 7);
	assert_int_equal(u->nice, -5);
	then_text(w, u->working_directory, "/var/lib");
	assert_int_equal(u->limits.n, 3);
	const struct limit *l = unitset_limits(w->set, u);
	assert_true(l[0].kind == LIMIT_NOFILE && l[0].soft == 55 && l[0].hard == 66);
	assert_true(l[1].kind == LIMIT_NPROC && l[1].soft == 8 && l[1].hard == 8);
	assert_true(l[2].kind == LIMIT_CORE && l[2].soft == 1 << 30 && l[2].hard == LIMIT_INFINITY);
	assert_memory_equal(u->stdio, ((uint8_t[]){ STDIO_FILE, STDIO_APPEND, STDIO_NULL }), 3);
	then_text(w, u->stdio_path[0], "/in");
	then_text(w, u->stdio_path[1], "/var/log/a");
	then_text(w, u->stdio_path[2], "");
}

static void a_wrong_value_leaves_the_one_before(void **state)
{
	struct world *w = *state;
	given(w, "a.service",
	      RUN "Restart=always\nRestart=yes\nType=Notify\nKillMode=Process\nKillSignal=65\nRestartSec=3\n"
	      "RestartSec=-1\nOOMScoreAdjust=5\nOOMScoreAdjust=1001\nNice=20\nUMask=8\nMemoryMax=1G\nMemoryMax=0\n"
	      "TasksMax=1K\nCPUWeight=0\nRemainAfterExit=yes\nRemainAfterExit=maybe\nLimitNOFILE=1024:\n"
	      "StandardOutput=bogus\nStandardOutput=file:x\nTimeoutStartSec=\nOOMPolicy=never\n");
	when_loaded(w);
	const struct unit *u = unit_of(w, "a");
	assert_int_equal(u->restart, RESTART_ALWAYS);
	assert_int_equal(u->type, TYPE_SIMPLE);
	assert_int_equal(u->kill_mode, KILL_CONTROL_GROUP);
	assert_int_equal(u->kill_signal, 15);
	assert_int_equal(u->restart_ms, 3000);
	assert_int_equal(u->restart_max_ms, 3000);
	assert_int_equal(u->restart_growth, 65536);
	assert_int_equal(u->oom_score_adj, 5);
	assert_int_equal(u->umask, 022);
	assert_true(u->knobs[KNOB_MEMORY_MAX] == 1 << 30 && u->knobs[KNOB_PIDS_MAX] == KNOB_UNSET);
	assert_int_equal(u->flags, UNIT_WANTED | UNIT_REMAIN_AFTER_EXIT | UNIT_HAS_SCORE);
	assert_int_equal(u->limits.n, 0);
	then_noted(w, "a", "a.service:4: Restart=yes: expected no, on-success, on-failure");
	then_noted(w, "a", "a.service:15: MemoryMax=0: expected a size such as");
	then_noted(w, "a", "a.service:23: TimeoutStartSec=: expected a time");
}

static void names_of_older_systemds_work(void **state)
{
	struct world *w = *state;
	given(w, "a.service", RUN "StartLimitInterval=30\nStartLimitBurst=2\nMemoryLimit=64M\nTimeoutSec=7\n");
	given(w, "b.service", "[Unit]\nStartLimitInterval=0\n" RUN);
	when_loaded(w);
	const struct unit *u = unit_of(w, "a");
	then_silent(w);
	assert_true(u->flags & UNIT_HAS_START_LIMIT);
	assert_int_equal(u->start_limit_ms, 30000);
	assert_int_equal(u->start_limit_burst, 2);
	assert_int_equal(u->knobs[KNOB_MEMORY_MAX], 64 << 20);
	assert_true(u->start_ms == 7000 && u->stop_ms == 7000);
	assert_false(unit_of(w, "b")->flags & UNIT_HAS_START_LIMIT);
}

static void defaults_follow_the_type(void **state)
{
	struct world *w = *state;
	given(w, "job.service", RUN "Type=oneshot\n");
	given(w, "timed.service", RUN "Type=oneshot\nTimeoutStartSec=5\n");
	given(w, "ready.service", RUN "Type=notify\nNotifyAccess=all\n");
	given(w, "idle.service", RUN "Type=idle\n");
	given(w, "bus.service", RUN "Type=notify-reload\n");
	when_loaded(w);
	assert_int_equal(unit_of(w, "job")->start_ms, FOREVER_MS);
	assert_int_equal(unit_of(w, "timed")->start_ms, 5000);
	assert_int_equal(unit_of(w, "ready")->notify_access, NOTIFY_ALL);
	assert_int_equal(unit_of(w, "job")->notify_access, NOTIFY_NONE);
	assert_int_equal(unit_of(w, "idle")->type, TYPE_SIMPLE);
	assert_int_equal(unit_of(w, "bus")->type, TYPE_NOTIFY);
	then_noted(w, "bus", "Type=notify-reload is not yet there: taken as notify");
}

static void backoff_is_ours_unless_the_unit_has_its_own(void **state)
{
	struct world *w = *state;
	struct unit d;
	given(w, "fixed.service", RUN "RestartSec=200us\n");
	given(w, "zero.service", RUN "RestartSec=0\nRestartSteps=3\nRestartMaxDelaySec=9\n");
	given(w, "steps.service", RUN "RestartSec=2\nRestartSteps=3\nRestartMaxDelaySec=250\n");
	given(w, "half.service", RUN "RestartMaxDelaySec=5\n");
	given(w, "less.service", RUN "RestartSec=9\nRestartSteps=3\nRestartMaxDelaySec=5\n");
	when_loaded(w);
	unit_defaults(&d);
	static const struct { const char *name; uint32_t first, most, growth; } rows[] = {
		{ "fixed", 1, 1, 65536 }, { "zero", 0, 0, 65536 }, { "steps", 2000, 250000, 5 * 65536 },
		{ "less", 9000, 9000, 65536 },
	};
	for (size_t i = 0; i < countof(rows); i++) {
		const struct unit *u = unit_of(w, rows[i].name);
		assert_int_equal(u->restart_ms, rows[i].first);
		assert_int_equal(u->restart_max_ms, rows[i].most);
		assert_int_equal(u->restart_growth, rows[i].growth);
		assert_false(u->flags & UNIT_JITTER);
	}
	const struct unit *half = unit_of(w, "half");
	assert_true(half->restart_ms == d.restart_ms && half->restart_max_ms == d.restart_max_ms);
	assert_true(half->restart_growth == d.restart_growth && half->flags & UNIT_JITTER);
	then_noted(w, "half", "need each other");
}

static void a_share_is_of_what_this_machine_has(void **state)
{
	struct world *w = *state;
	unsigned long long kb = 0;
	FILE *f = fopen("/proc/meminfo", "r");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "MemTotal: %llu", &kb), 1);
	fclose(f);
	given(w, "a.service", RUN "MemoryMax=50%\nMemoryLow=100%\nTasksMax=99%\nMemoryHigh=0%\nMemoryMin=101%\n");
	when_loaded(w);
	const uint64_t *knobs = unit_of(w, "a")->knobs;
	assert_in_range(knobs[KNOB_MEMORY_MAX], kb * 512 - 1, kb * 512);
	assert_int_equal(knobs[KNOB_MEMORY_LOW], kb * 1024);
	assert_in_range(knobs[KNOB_PIDS_MAX], 1, 4 << 20);
	assert_true(knobs[KNOB_MEMORY_HIGH] == KNOB_UNSET && knobs[KNOB_MEMORY_MIN] == KNOB_UNSET);
	then_noted(w, "a", "MemoryMin=101%: expected a size such as 512M or 1.5G, a share such as 50%");
}

static void what_systemd_has_and_we_have_not_is_taken_for_something_near(void **state)
{
	struct world *w = *state;
	given(w, "a.service", RUN "StandardInput=tty-force\nStandardOutput=null\nStandardError=journal\n");
	given(w, "b.service", RUN "StandardInput=socket\nStandardOutput=tty\nStandardError=kmsg+console\n");
	given(w, "c.service", RUN "ExecStop=+/bin/x\nUser=root\n");
	when_loaded(w);
	assert_memory_equal(unit_of(w, "a")->stdio, ((uint8_t[]){ STDIO_TTY, STDIO_NULL, STDIO_INHERIT }), 3);
	assert_memory_equal(unit_of(w, "b")->stdio, ((uint8_t[]){ STDIO_NULL, STDIO_TTY, STDIO_KMSG }), 3);
	then_text(w, unit_of(w, "a")->stdio_path[0], "/dev/console");
	then_text(w, unit_of(w, "b")->stdio_path[1], "/dev/console");
	then_noted(w, "a", "a.service:5: StandardError=journal is not yet there: goes where output goes by default");
	then_noted(w, "c", "c.service:3: `+` and `!` in front of a command are not yet honoured");
}

/* ---- command lines: input, and what runs; NULL when the whole unit is refused ---- */

static const struct {
	const char *line, *runs;
} command_rows[] = {
	{ "/bin///echo///x r1///", "/bin/echo/x [/bin///echo///x][r1///]" },
	{ "/bin/ a", NULL },
	{ "@/bin/echo zero r1", "/bin/echo [zero][r1]" },
	{ "@/bin/echo", NULL },
	{ "-@/bin/echo a0 r1", "-/bin/echo [a0][r1]" },
	{ "@-/bin/echo a0 r1", "-/bin/echo [a0][r1]" },
	{ "+/bin/echo a", "/bin/echo [/bin/echo][a]" },
	{ "!!/bin/echo a", "/bin/echo [/bin/echo][a]" },
	{ "+!/bin/echo", NULL }, { "!+/bin/echo", NULL }, { "!!!/bin/echo", NULL }, { "|/bin/echo", NULL },
	{ "-:+@/bin/echo z $A", "-:/bin/echo [z][$A]" },
	{ "/bin/echo a ; /bin/true b", "/bin/echo [/bin/echo][a]; /bin/true [/bin/true][b]" },
	{ "/bin/echo a ; ; /bin/true b", "/bin/echo [/bin/echo][a]; /bin/true [/bin/true][b]" },
	{ "/bin/echo a ;", "/bin/echo [/bin/echo][a]" },
	{ "/bin/echo a;", "/bin/echo [/bin/echo][a;]" },
	{ "/bin/echo ';' \";\" \\; \\073", "/bin/echo [/bin/echo][;][;][;][;]" },
	{ "/bin/find \\;x", "/bin/find [/bin/find][\\;x]" },
	{ "/bin/echo a;b \"a;b\"", "/bin/echo [/bin/echo][a;b][a;b]" },
	{ "\"/P W/d\" -1 '-2 x'", "/P W/d [/P W/d][-1][-2 x]" },
	{ "\"/P\\sW\\x20S/d\"", "/P W S/d [/P W S/d]" },
	{ "/path\\n", NULL },
	{ "/bin/echo \"\" x", "/bin/echo [/bin/echo][][x]" },
	{ "/bin/grep '\\w+\\K'", "/bin/grep [/bin/grep][\\w+\\K]" },
	{ "/bin/echo a\\ b", "/bin/echo [/bin/echo][a\\ b]" },
	{ "/bin/echo a \\\\ b", "/bin/echo [/bin/echo][a][\\][b]" },
	{ "/bin/echo 'foo", NULL }, { "/bin/echo \"foo'", NULL },
	{ "\"-/bin/echo\" a", "-/bin/echo [/bin/echo][a]" },
	{ "-\"/bin/echo\" a", "-/bin/echo [/bin/echo][a]" },
	{ "/bin/echo # x", "/bin/echo [/bin/echo][#][x]" },
	{ "/bin/echo > /dev/null 2>&1 & | cat", "/bin/echo [/bin/echo][>][/dev/null][2>&1][&][|][cat]" },
	{ "/bin/echo %% %, 100%", "/bin/echo [/bin/echo][%][%,][100%]" },
	{ "/bin/echo %Z", NULL },
	{ "echo x", "echo [echo][x]" },
	{ "./echo", NULL }, { "sub/echo", NULL }, { "%n/x", NULL }, { "$FOO/bin a", NULL }, { "/a/../b", NULL },
	{ "/%p/x", "/c41/x [/c41/x]" },
	{ "/bin/echo \"\\u00f6\"", "/bin/echo [/bin/echo][\xc3\xb6]" },
	{ "/path\\s", "/path  [/path ]" },
	{ "/bin/echo a   b\tc", "/bin/echo [/bin/echo][a][b][c]" },
	{ "/bin/echo \"%p\" $HOME ${X}", "/bin/echo [/bin/echo][c45][$HOME][${X}]" },
};

static void command_lines_are_read_as_systemd_reads_them(void **state)
{
	struct world *w = *state;
	char name[32], text[256];
	for (size_t i = 0; i < countof(command_rows); i++) {
		snprintf(name, sizeof name, "c%zu.service", i);
		snprintf(text, sizeof text, "[Service]\nType=oneshot\nExecStart=%s\n", command_rows[i].line);
		given(w, name, text);
	}
	when_loaded(w);
	for (size_t i = 0; i < countof(command_rows); i++) {
		snprintf(name, sizeof name, "c%zu", i);
		const struct unit *u = unit_of(w, name);
		assert_int_equal(!(u->flags & UNIT_BROKEN), command_rows[i].runs != NULL);
		assert_string_equal(commands_of(w, u, EXEC_START), command_rows[i].runs ? command_rows[i].runs : "");
	}
}

static void a_bad_command_that_may_fail_goes_alone(void **state)
{
	struct world *w = *state;
	given(w, "a.service", RUN "ExecStartPre=--/bin/echo a\nExecStartPre=-\nExecStartPre=- /bin/echo\n"
				  "ExecStartPre=/bin/ok\n");
	when_loaded(w);
	assert_string_equal(commands_of(w, unit_of(w, "a"), EXEC_START_PRE), "/bin/ok [/bin/ok]");
	then_noted(w, "a", "a.service:3: ExecStartPre=: `--/bin/echo`:");
}

static void an_empty_assignment_clears_the_list(void **state)
{
	struct world *w = *state;
	given(w, "a.service", RUN "ExecStart=\nExecStart=/b\nEnvironment=A=1\nEnvironment=\nEnvironment=B=2\n"
		     "EnvironmentFile=/x\nEnvironmentFile=\nEnvironmentFile=-/y z\nSuccessExitStatus=5\n"
		     "SuccessExitStatus=\nWorkingDirectory=/x\nWorkingDirectory=\nUser=nobody\nUser=\n");
	when_loaded(w);
	const struct unit *u = unit_of(w, "a");
	then_silent(w);
	assert_string_equal(commands_of(w, u, EXEC_START), "/b [/b]");
	assert_non_null(strstr(words_of(w, u->environment), ",B=2"));
	assert_null(strstr(words_of(w, u->environment), "A=1"));
	assert_string_equal(words_of(w, u->environment_files), "-/y z");
	assert_false(unit_is_success(u, false, 5));
	then_text(w, u->working_directory, "");
	assert_int_equal(u->uid, NO_ID);
}

/* ---- environment ---- */

static const struct {
	const char *text, *expected;    /* behind PATH */
} environment_rows[] = {
	{ "Environment=\"V1=word1 word2\" V2=w3 \"V3=$word 5 6\"", "V1=word1 word2,V2=w3,V3=$word 5 6" },
	{ "Environment=ONE='one' \"TWO='two two' too\" THREE=", "ONE=one,TWO='two two' too,THREE=" },
	{ "Environment=A=a\\x20b B=c\\sd C=\"q D=e\"f", "A=a b,B=c d,C=q D=ef" },
	{ "Environment=A=1 B=2\nEnvironment=A=3 C=4", "B=2,A=3,C=4" },
	{ "Environment=A=%n P=%% B=$A C=${A}", "A=e4.service,P=%,B=$A,C=${A}" },
	{ "Environment=1A=x a-b=y good=z =q", "good=z" },
	{ "Environment=\"unbalanced A=1", "" },
	{ "Environment=A=\\q B=ok", "" },
	{ "Environment=Z=1 A=\\q B=ok", "Z=1" },
	{ "Environment=A=\"x y\" B=z'w'", "A=x y,B=zw" },
	{ "Environment=A=%Z B=1", "B=1" },
};

static void environments_are_read_as_systemd_reads_them(void **state)
{
	struct world *w = *state;
	char name[32], text[256];
	for (size_t i = 0; i < countof(environment_rows); i++) {
		snprintf(name, sizeof name, "e%zu.service", i);
		snprintf(text, sizeof text, RUN "%s\n", environment_rows[i].text);
		given(w, name, text);
	}
	when_loaded(w);
	for (size_t i = 0; i < countof(environment_rows); i++) {
		snprintf(name, sizeof name, "e%zu", i);
		const char *all = words_of(w, unit_of(w, name)->environment);
		const char *own = strchr(all, ',');
		assert_string_equal(own ? own + 1 : "", environment_rows[i].expected);
	}
}

static void a_unit_may_set_its_own_path(void **state)
{
	struct world *w = *state;
	given(w, "a.service", RUN "Environment=PATH=/opt/bin\n");
	when_loaded(w);
	assert_string_equal(words_of(w, unit_of(w, "a")->environment), "PATH=/opt/bin");
}

static void patterns_of_environment_files_are_resolved_in_order(void **state)
{
	struct world *w = *state;
	char text[256];
	given(w, "ef2", "B=1\n");
	given(w, "ef1", "A=1\n");
	snprintf(text, sizeof text, RUN "EnvironmentFile=%s/ef?\nEnvironmentFile=-/no/such*\nEnvironmentFile=rel\n",
		 w->folder);
	given(w, "a.service", text);
	when_loaded(w);
	snprintf(text, sizeof text, "%s/ef1,%s/ef2,-/no/such*", w->folder, w->folder);
	assert_string_equal(words_of(w, unit_of(w, "a")->environment_files), text);
	then_noted(w, "a", "a.service:5: EnvironmentFile=rel: expected an absolute path");
}

/* ---- users: root and nobody's numbers are the same on every machine ---- */

static void a_user_becomes_numbers_and_environment(void **state)
{
	struct world *w = *state;
	given(w, "named.service", RUN "User=root\nWorkingDirectory=~\n");
	given(w, "number.service", RUN "User=54321\nGroup=12\n");
	given(w, "nobody.service", RUN "User=no such user\n");
	given(w, "group.service", RUN "User=root\nGroup=no-such-group\n");
	given(w, "empty.service", RUN "User=%i\n");
	when_loaded(w);
	const struct unit *u = unit_of(w, "named");
	assert_true(u->uid == 0 && u->gid == 0);
	assert_non_null(strstr(words_of(w, u->environment), ",USER=root,LOGNAME=root,HOME=/root"));
	then_text(w, u->working_directory, "/root");
	u = unit_of(w, "number");
	assert_true(u->uid == 54321 && u->gid == 12 && !(u->flags & UNIT_USER_UNKNOWN));
	u = unit_of(w, "nobody");
	assert_true(u->flags & UNIT_USER_UNKNOWN && u->uid == NO_ID && !(u->flags & UNIT_BROKEN));
	then_noted(w, "nobody", "nobody.service:3: User=no such user: there is no such user: every start will fail "
				"(217/USER)");
	u = unit_of(w, "group");
	assert_true(u->flags & UNIT_USER_UNKNOWN && u->uid == 0 && u->gid == NO_ID);
	then_broken(w, "empty", "empty.service:3: User=%i: expected a user's name or number");
}

/* ---- units that cannot be used ---- */

static void what_cannot_start_stays_in_the_set_and_says_why(void **state)
{
	struct world *w = *state;
	static const struct { const char *name, *text, *why; } rows[] = {
		{ "none.service", "[Service]\nType=simple\n", "none.service: there is no ExecStart=" },
		{ "two.service", RUN "ExecStart=/b\nType=notify\n", "two.service: there are 2 ExecStart= commands" },
		{ "stop.service", "[Service]\nType=oneshot\nExecStop=/b\n", "stop.service: there is only ExecStop=" },
		{ "always.service", RUN "Type=oneshot\nRestart=always\n", "are not for Type=oneshot" },
		{ "fork.service", RUN "Type=forking\n", "fork.service:3: Type=forking is not yet there" },
		{ "dir.service", RUN "WorkingDirectory=rel\n", 
		  "dir.service:3: WorkingDirectory=rel: expected an absolute path" },
		{ "head.service", "[Service\nExecStart=/b\n",
		  "head.service:1: `[Service`: a [section] has to end in `]`" },
		{ "text.service", RUN "Description=\xff\n",
		  "text.service:3: `Description=\xff`: this is not UTF-8 text" },
		{ "empty.service", "", "empty.service: there is no ExecStart=" },
	};
	for (size_t i = 0; i < countof(rows); i++)
		given(w, rows[i].name, rows[i].text);
	given(w, "good.service", RUN);
	when_loaded(w);
	assert_int_equal(unitset_count(w->set), countof(rows) + 1);
	for (size_t i = 0; i < countof(rows); i++)
		then_broken(w, rows[i].name, rows[i].why);
	assert_false(unit_of(w, "good")->flags & UNIT_BROKEN);
}

static void a_stop_command_alone_is_enough_for_a_oneshot_that_remains(void **state)
{
	struct world *w = *state;
	given(w, "a.service", "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStop=/b\n");
	when_loaded(w);
	then_silent(w);
	assert_false(unit_of(w, "a")->flags & UNIT_BROKEN);
}

static void what_is_no_file_does_not_stop_the_others(void **state)
{
	struct world *w = *state;
	given(w, "good.service", RUN);
	assert_int_equal(mkdir(path_of(w, "folder.service"), 0755), 0);
	assert_int_equal(mkfifo(path_of(w, "fifo.service"), 0644), 0);
	assert_int_equal(symlink("/no/such/file", path_of(w, "gone.service")), 0);
	assert_int_equal(symlink("/dev/zero", path_of(w, "zero.service")), 0);
	given(w, "huge.service", "");
	assert_int_equal(truncate(path_of(w, "huge.service"), UNIT_FILE_MAX + 1), 0);
	when_loaded(w);
	then_broken(w, "folder", "folder.service: is a folder, not a unit file");
	then_broken(w, "fifo", "fifo.service: is not a regular file");
	then_broken(w, "zero", "zero.service: is not a regular file");
	then_broken(w, "gone", "gone.service: cannot be read: No such file or directory");
	then_broken(w, "huge", "huge.service: is larger than 1048576 bytes");
	assert_false(unit_of(w, "good")->flags & UNIT_BROKEN);
}

static void other_files_are_passed_over(void **state)
{
	struct world *w = *state;
	char line[256];
	static const char *const silent[] = {
		"a.service~", "README", "b.conf", ".hidden.service", "c.service.dpkg-old",
	};
	for (size_t i = 0; i < countof(silent); i++)
		given(w, silent[i], RUN);
	when_loaded(w);
	then_silent(w);
	assert_int_equal(unitset_count(w->set), 0);

	given(w, "x.socket", "[Socket]\n");
	given(w, "t@.service", RUN);
	given(w, "bad name.service", RUN);
	given(w, "t@1.service", RUN);
	assert_int_equal(symlink("/dev/null", path_of(w, "masked.service")), 0);
	when_loaded(w);
	snprintf(line, sizeof line, "%s/x.socket: not yet: only .service and .target units are run\n", w->folder);
	then_said(w, line);
	then_said(w, "t@.service: not yet: templates\n");
	then_said(w, "bad name.service: left out: not a name that a unit can have");
	assert_int_equal(unitset_count(w->set), 1);
	assert_int_equal(unitset_find(w->set, STR("t@1")), 0);
}

static void unknown_keys_and_sections_get_one_line_each(void **state)
{
	struct world *w = *state;
	given(w, "a.service",
	      "Early=1\n[Unit]\nRestart=no\nX-Own=1\n[Service]\nExecStart=/b\nRestartSecs=5\nColour=red\nnonsense\n"
	      "PrivateTmp=yes\nProtectHome=yes\n[X-Own]\nA=1\n[Foo]\nB=1\n[Install]\nWantedBy=x\n");
	when_loaded(w);
	then_noted(w, "a", "a.service:1: `Early=1`: it stands before the first [section]: ignored");
	then_noted(w, "a", "a.service:3: Restart= belongs into [Service], not [Unit]: ignored");
	then_noted(w, "a", "a.service:7: RestartSecs= is not a directive; did you mean RestartSec=?");
	then_noted(w, "a", "a.service:8: Colour= is not a directive of [Service]: ignored");
	then_noted(w, "a", "a.service:9: `nonsense`: there is no `=` in it: ignored");
	then_noted(w, "a", "a.service:14: [Foo] is not a section of a service");
	then_noted(w, "a", "a.service: not yet, no effect: PrivateTmp= (line 10), ProtectHome= (line 11)");
	size_t n_lines = 0;
	for (const char *p = w->said; (p = strchr(p, '\n')); p++)
		n_lines++;
	assert_int_equal(n_lines, 7);
	assert_false(unit_of(w, "a")->flags & UNIT_BROKEN);
}

/* ---- folders ---- */

static void the_first_folder_wins_a_name(void **state)
{
	struct world *w = *state;
	char second[64], line[256];
	snprintf(second, sizeof second, "%s/more", w->folder);
	assert_int_equal(mkdir(second, 0755), 0);
	given(w, "a.service", RUN "Nice=1\n");
	given(w, "more/a.service", RUN "Nice=2\n");
	given(w, "more/b.service", RUN);
	given(w, "more/m.service", RUN);
	assert_int_equal(symlink("/dev/null", path_of(w, "m.service")), 0);
	when_loaded_from(w, "--container", w->folder, second);
	assert_int_equal(unitset_count(w->set), 2);
	assert_int_equal(unit_of(w, "a")->nice, 1);
	snprintf(line, sizeof line, "%s/a.service: left out: %s/a.service has the same name and comes first\n", second,
		 w->folder);
	then_said(w, line);
}

static void a_folder_that_is_not_there_is_said(void **state)
{
	struct world *w = *state;
	when_loaded_from(w, "--container", "/no/such/folder", w->folder);
	then_said(w, "/no/such/folder: No such file or directory: no units from there\n");
	assert_int_equal(unitset_count(w->set), 0);
}

static void units_stand_in_the_order_of_their_names(void **state)
{
	struct world *w = *state;
	static const char *const names[] = { "b.service", "a-b.service", "a.service", "ab.service", "B.service" };
	static const char *const sorted[] = { "B.service", "a-b.service", "a.service", "ab.service", "b.service" };
	for (size_t i = 0; i < countof(names); i++)
		given(w, names[i], RUN);
	when_loaded(w);
	for (uint32_t i = 0; i < countof(sorted); i++)
		then_text(w, unitset_unit(w->set, i)->name, sorted[i]);
}

/* ---- units and one another ---- */

static void dependencies_become_indices_at_both_ends(void **state)
{
	struct world *w = *state;
	given(w, "app.service", "[Unit]\nAfter=db.service app.service db.service\nAfter=\n"
		     "After=gone.service network.target\nRequires=db.service basic.target\n"
		     "Wants=log.service gone.service\nBefore=web.service\n" RUN);
	given(w, "db.service", RUN);
	given(w, "log.service", "[Unit]\nBefore=app.service\n" RUN);
	given(w, "web.service", "[Unit]\nAfter=app.service \"quoted.service\"\n" RUN);
	when_loaded(w);
	const struct unit *app = unit_of(w, "app");
	assert_string_equal(names_of(w, app, EDGE_AFTER), "db,log,network.target");
	assert_string_equal(names_of(w, app, EDGE_BEFORE), "web");
	assert_string_equal(names_of(w, app, EDGE_REQUIRES), "basic.target,db");
	assert_string_equal(names_of(w, app, EDGE_WANTS), "log");
	assert_string_equal(names_of(w, unit_of(w, "db"), EDGE_STOPS), "app");
	assert_string_equal(names_of(w, unit_of(w, "db"), EDGE_BEFORE), "app");
	assert_string_equal(names_of(w, unit_of(w, "web"), EDGE_AFTER), "app");
	assert_int_equal(app->notes.n, 0);
	then_noted(w, "web", "web.service:2: After=: `\"quoted.service\"` is not a unit's name");
}

static void a_requirement_that_cannot_be_met_is_flagged(void **state)
{
	struct world *w = *state;
	given(w, "a.service", "[Unit]\nRequires=gone.service\n" RUN);
	given(w, "b.service", "[Unit]\nRequires=broken.service\nAfter=broken.service\n" RUN);
	given(w, "c.service", "[Unit]\nRequires=c.socket\n" RUN);
	given(w, "broken.service", "[Service]\n");
	when_loaded(w);
	for (const char *name = "abc"; *name; name++)
		assert_true(unit_of(w, (char[]){ *name, '\0' })->flags & UNIT_DEPENDENCY_MISSING);
	then_noted(w, "a", "a.service:2: Requires=gone.service, which is not there: every start will fail");
	then_noted(w, "b", "b.service:2: Requires=broken.service, which cannot be started");
	then_noted(w, "c", "c.service:2: Requires=c.socket, which is not yet a type that is run");
	assert_int_equal(unit_of(w, "b")->edges.n, 0);
}

static void a_cycle_is_told_link_by_link_and_opened(void **state)
{
	struct world *w = *state;
	given(w, "a.service", "[Unit]\nAfter=b.service\n" RUN);
	given(w, "b.service", "[Unit]\nAfter=c.service\n" RUN);
	given(w, "c.service", "[Unit]\nDescription=x\nAfter=a.service\n" RUN);
	when_loaded(w);
	then_noted(w, "c", "c.service:3: ordering cycle: a after b after c after a; \"After=a.service\" is ignored");
	assert_string_equal(names_of(w, unit_of(w, "a"), EDGE_AFTER), "b");
	assert_string_equal(names_of(w, unit_of(w, "b"), EDGE_AFTER), "c");
	assert_string_equal(names_of(w, unit_of(w, "c"), EDGE_AFTER), "");
	assert_string_equal(names_of(w, unit_of(w, "a"), EDGE_BEFORE), "");
}

/* Exactly these kinds, and 0 for no edge at all. */
static void then_edge(const struct world *w, const char *from, const char *to, uint32_t kinds)
{
	const struct unit *u = unit_of(w, from);
	const struct edge *edges = unitset_edges(w->set, u);
	uint32_t other = unitset_find(w->set, str_from(to)), found = 0;
	for (uint32_t i = 0; i < u->edges.n; i++)
		if (edges[i].unit == other)
			found = edges[i].kinds;
	if (found != kinds)
		fail_msg("%s to %s: %#x instead of %#x", from, to, found, kinds);
}

static void each_directive_has_its_effects_at_both_ends(void **state)
{
	struct world *w = *state;
	static const struct { const char *key; uint32_t here, there; } rows[] = {
		{ "After", EDGE_AFTER, EDGE_BEFORE }, { "Before", EDGE_BEFORE, EDGE_AFTER },
		{ "Requires", EDGE_REQUIRES, EDGE_STOPS | EDGE_RESTARTS | EDGE_NEEDED_BY },
		{ "Wants", EDGE_WANTS, EDGE_NEEDED_BY },
		{ "Requisite", EDGE_REQUISITE, EDGE_STOPS | EDGE_RESTARTS | EDGE_NEEDED_BY },
		{ "BindsTo", EDGE_REQUIRES | EDGE_BINDS, EDGE_STOPS | EDGE_RESTARTS | EDGE_ENDS | EDGE_NEEDED_BY },
		{ "PartOf", 0, EDGE_STOPS | EDGE_RESTARTS }, { "Conflicts", EDGE_CONFLICTS, EDGE_CONFLICTS },
		{ "Upholds", EDGE_WANTS | EDGE_UPHOLDS, EDGE_UPHELD_BY | EDGE_NEEDED_BY },
		{ "OnFailure", EDGE_ON_FAILURE, 0 }, { "OnSuccess", EDGE_ON_SUCCESS, 0 },
		{ "PropagatesReloadTo", EDGE_RELOADS, 0 }, { "ReloadPropagatedFrom", 0, EDGE_RELOADS },
		{ "PropagatesStopTo", EDGE_STOPS | EDGE_ENDS, 0 }, { "StopPropagatedFrom", 0, EDGE_STOPS | EDGE_ENDS },
	};
	given(w, "b.service", RUN);
	for (size_t i = 0; i < countof(rows); i++) {
		char text[128];
		snprintf(text, sizeof text, "[Unit]\n%s=b.service\n" RUN, rows[i].key);
		given(w, "a.service", text);
		when_loaded(w);
		then_edge(w, "a", "b", rows[i].here);
		then_edge(w, "b", "a", rows[i].there);
	}
	given(w, "a.service", "[Unit]\nBindsTo=b.service\nAfter=b.service\nConflicts=gone.service\nPartOf=gone.service\n" RUN);
	when_loaded(w);
	then_silent(w);
	then_edge(w, "a", "b", EDGE_REQUIRES | EDGE_BINDS | EDGE_AFTER);
}

static void rivals_that_are_both_there_are_told(void **state)
{
	struct world *w = *state;
	given(w, "a.service", RUN);
	given(w, "b.service", "[Unit]\nConflicts=a.service\n" RUN);
	when_loaded(w);
	then_noted(w, "b", "b.service: conflicts with a.service, which is there to be started, too: only that one is");
	assert_int_equal(unit_of(w, "a")->notes.n, 0);
}

/* ---- targets ---- */

static void a_built_in_target_is_there_if_somebody_names_it(void **state)
{
	struct world *w = *state;
	given(w, "a.service", "[Unit]\nAfter=multi-user.target network-online.target\nWants=network-online.target\n"
		     "Before=shutdown.target\nConflicts=shutdown.target umount.target\n" RUN);
	when_loaded(w);
	then_silent(w);
	assert_int_equal(unitset_count(w->set), 3);
	const struct unit *reached = unit_of(w, "multi-user.target"), *passive = unit_of(w, "network-online.target");
	assert_int_equal(reached->flags & (UNIT_HELPER | UNIT_WANTED), UNIT_HELPER | UNIT_WANTED);
	assert_int_equal(passive->flags & (UNIT_HELPER | UNIT_WANTED), UNIT_HELPER);
	assert_int_equal(reached->type, TYPE_ONESHOT);
	assert_true(reached->flags & UNIT_REMAIN_AFTER_EXIT);
	then_text(w, reached->file, "(built in)");
}

/* DefaultDependencies= costs nothing where nobody comes early. */
static void everything_is_after_what_comes_early(void **state)
{
	struct world *w = *state;
	given(w, "a.service", "[Unit]\nAfter=local-fs.target\n" RUN);
	given(w, "late.service", RUN);
	when_loaded(w);
	assert_string_equal(names_of(w, unit_of(w, "late"), EDGE_AFTER), "");

	given(w, "disk.service", "[Unit]\nDefaultDependencies=no\nBefore=local-fs.target\n" RUN);
	when_loaded(w);
	then_silent(w);
	assert_string_equal(names_of(w, unit_of(w, "late"), EDGE_AFTER), "local-fs.target");
	assert_string_equal(names_of(w, unit_of(w, "disk"), EDGE_AFTER), "");
	then_edge(w, "late", "local-fs.target", EDGE_AFTER);

	given(w, "early.service", "[Unit]\nDefaultDependencies=no\nBefore=sysinit.target\n" RUN);
	when_loaded(w);
	then_silent(w);
	then_edge(w, "late", "sysinit.target", EDGE_AFTER | EDGE_REQUIRES);
	then_edge(w, "sysinit.target", "local-fs.target", EDGE_AFTER);
}

static void a_target_is_after_what_it_pulls_in(void **state)
{
	struct world *w = *state;
	given(w, "all.target", "[Unit]\nDescription=All of it\nWants=a.service later.service\nRequires=b.service early.service\n");
	given(w, "a.service", RUN);
	given(w, "b.service", RUN);
	given(w, "later.service", "[Unit]\nAfter=all.target\n" RUN);
	given(w, "early.service", "[Unit]\nDefaultDependencies=no\n" RUN);
	when_loaded(w);
	then_silent(w);
	const struct unit *all = unit_of(w, "all.target");
	assert_string_equal(names_of(w, all, EDGE_AFTER), "a,b");
	assert_int_equal(all->flags & (UNIT_HELPER | UNIT_WANTED), UNIT_WANTED);
	then_text(w, all->description, "All of it");
}

static void the_multi_user_target_is_after_everything_in_services_d(void **state)
{
	struct world *w = *state;
	given(w, "a.service", RUN);
	given(w, "last.service", "[Unit]\nAfter=multi-user.target\n" RUN);
	when_loaded(w);
	then_silent(w);
	assert_string_equal(names_of(w, unit_of(w, "multi-user.target"), EDGE_AFTER), "a");
	assert_string_equal(names_of(w, unit_of(w, "last"), EDGE_AFTER), "multi-user.target");
}

static void what_is_implied_gives_way_to_what_is_written(void **state)
{
	struct world *w = *state;
	given(w, "early.service", "[Unit]\nBefore=sysinit.target\n" RUN);
	when_loaded(w);
	then_noted(w, "early", "early.service: ordering cycle: early after sysinit.target after early; the implied "
		   "\"After=sysinit.target\" is ignored");
	then_edge(w, "early", "sysinit.target", EDGE_BEFORE | EDGE_REQUIRES);
}

static void a_target_has_nothing_to_run(void **state)
{
	struct world *w = *state;
	given(w, "t.target", RUN);
	given(w, "a.service", "[Unit]\nRequires=gone.target t.target x.slice\n" RUN);
	when_loaded(w);
	then_noted(w, "t.target", "t.target: a target runs nothing: its commands are ignored");
	then_noted(w, "a", "a.service:2: Requires=gone.target, which is not there");
	assert_int_equal(unit_of(w, "t.target")->exec[EXEC_START].n, 0);
	assert_false(unit_of(w, "t.target")->flags & UNIT_BROKEN);
}

static void mounts_are_waited_for_as_one(void **state)
{
	struct world *w = *state;
	given(w, "a.service", "[Unit]\nRequiresMountsFor=/var/lib/%p relative\n" RUN);
	when_loaded(w);
	then_noted(w, "a", "a.service:2: RequiresMountsFor=/var/lib/a: mounts are not run: taken as After=local-fs.target");
	then_noted(w, "a", "a.service:2: RequiresMountsFor=: `relative` is not an absolute path: ignored");
	then_edge(w, "a", "local-fs.target", EDGE_AFTER);
}

/* ---- conditions ---- */

/* Its words without the program, which stands where the tests run from. */
static const char *checks_of(const struct world *w, const char *name)
{
	static char text[4096];
	const struct unit *u = unit_of(w, name);
	assert_int_equal(u->exec[EXEC_CHECK].n, 1);
	const struct command *check = unitset_commands(w->set, u, EXEC_CHECK);
	strcpy(text, words_of(w, check->argv));
	assert_true(str_ends(unitset_text(w->set, check->path), STR("/oomph-check")));
	return strchr(text, ',') + 1;
}

static void conditions_and_assertions_are_one_command_in_front(void **state)
{
	struct world *w = *state;
	given(w, "a.service", "[Unit]\nAssertPathExists=/z\nConditionPathExists=| !/etc/%p\nConditionVirtualization=!container\n"
		     "ConditionACPower=true\n" RUN);
	given(w, "t.target", "[Unit]\nConditionFirstBoot=no\n");
	given(w, "b.service", RUN);
	when_loaded(w);
	then_silent(w);
	assert_string_equal(checks_of(w, "a"), "ConditionPathExists=|!/etc/a,ConditionVirtualization=!container,ConditionACPower=true,"
			    "AssertPathExists=/z");
	assert_string_equal(checks_of(w, "t.target"), "ConditionFirstBoot=no");
	assert_int_equal(unit_of(w, "b")->exec[EXEC_CHECK].n, 0);
}

static void an_empty_condition_clears_those_of_every_kind(void **state)
{
	struct world *w = *state;
	given(w, "a.service", "[Unit]\nConditionPathExists=/x\nAssertPathExists=/y\nConditionFirstBoot=\nConditionCPUs=2\n" RUN);
	given(w, "b.service", "[Unit]\nConditionPathExists=/x\nConditionHost=\n" RUN);
	when_loaded(w);
	then_silent(w);
	assert_string_equal(checks_of(w, "a"), "ConditionCPUs=2,AssertPathExists=/y");
	assert_int_equal(unit_of(w, "b")->exec[EXEC_CHECK].n, 0);
}

static void a_condition_that_makes_no_sense_is_left_out(void **state)
{
	struct world *w = *state;
	given(w, "a.service", "[Unit]\nConditionPathExists=!relative\nConditionFirstBoot=maybe\nConditionHost=!\n"
		     "ConditionPathIsEncrypted=/x\n" RUN);
	when_loaded(w);
	then_noted(w, "a", "a.service:2: ConditionPathExists=!relative: expected an absolute path, perhaps with | or ! in front");
	then_noted(w, "a", "a.service:3: ConditionFirstBoot=maybe: expected yes or no");
	then_noted(w, "a", "a.service:4: ConditionHost=!: expected a text");
	then_noted(w, "a", "not yet, no effect: ConditionPathIsEncrypted= (line 5)");
	assert_int_equal(unit_of(w, "a")->exec[EXEC_CHECK].n, 0);
}

/* ---- oomph's own ---- */

static void on_a_machine_the_network_comes_first(void **state)
{
	struct world *w = *state;
	given(w, "a.service", RUN);
	when_loaded_from(w, "--vm", w->folder, NULL);
	const struct unit *net = unit_of(w, "oomph-net");
	then_silent(w);
	assert_int_equal(net->flags & (UNIT_HELPER | UNIT_WANTED | UNIT_REMAIN_AFTER_EXIT | UNIT_BROKEN),
			 UNIT_HELPER | UNIT_WANTED | UNIT_REMAIN_AFTER_EXIT);
	assert_int_equal(net->type, TYPE_ONESHOT);
	assert_int_equal(net->start_ms, 10000);
	const char *command = commands_of(w, net, EXEC_START);
	assert_true(command[0] == '/' && strstr(command, "/oomph-net ["));
	assert_string_equal(names_of(w, unit_of(w, "a"), EDGE_AFTER), "oomph-net");

	given(w, "oomph-net.service", RUN);
	when_loaded_from(w, "--vm", w->folder, NULL);
	assert_false(unit_of(w, "oomph-net")->flags & UNIT_HELPER);
	assert_string_equal(commands_of(w, unit_of(w, "oomph-net"), EXEC_START), "/bin/true [/bin/true]");
	assert_string_equal(names_of(w, unit_of(w, "a"), EDGE_AFTER), "oomph-net");
	when_loaded_from(w, "--container", w->folder, NULL);
	assert_string_equal(names_of(w, unit_of(w, "a"), EDGE_AFTER), "");
}

/* ---- the program itself ---- */

static void a_set_that_cannot_be_written_is_a_failure(void **state)
{
	struct world *w = *state;
	given(w, "a.service", RUN);
	assert_int_equal(run(w, (char *[]){ "oomph-load", "--fd", "99", w->folder, NULL }), 1);
	then_said(w, "oomph-load: the unit set cannot be written: Bad file descriptor\n");
	assert_int_equal(run(w, (char *[]){ "oomph-load", "--fd", "x", w->folder, NULL }), 2);
	assert_int_equal(run(w, (char *[]){ "oomph-load", "--fd", "3", NULL }), 2);
	assert_int_equal(run(w, (char *[]){ "oomph-load", NULL }), 2);
}

static void check_reads_files_and_says_ok(void **state)
{
	struct world *w = *state;
	char good[64], bad[64], line[128];
	snprintf(good, sizeof good, "%s/good.service", w->folder);
	snprintf(bad, sizeof bad, "%s/bad.service", w->folder);
	given(w, "good.service", RUN "PrivateTmp=yes\n");
	given(w, "bad.service", RUN "Restart=maybe\n");
	assert_int_equal(run(w, (char *[]){ "oomph-load", "--check", good, NULL }), 0);
	snprintf(line, sizeof line, "%s: ok\n", good);
	then_said(w, line);
	then_said(w, "not yet, no effect: PrivateTmp=");
	assert_int_equal(run(w, (char *[]){ "oomph-load", "--check", good, bad, NULL }), 1);
	then_said(w, line);
	then_said(w, "bad.service:3: Restart=maybe: expected");
	assert_null(strstr(w->said, "bad.service: ok"));
}

static void a_thousand_units_fit(void **state)
{
	struct world *w = *state;
	char name[32], text[256];
	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof name, "s%04d.service", i);
		snprintf(text, sizeof text, "[Unit]\nAfter=s%04d.service\n" RUN, (i + 1) % 1000);
		given(w, name, text);
	}
	when_loaded(w);
	assert_int_equal(unitset_count(w->set), 1000);
	then_noted(w, "s0999", "ordering cycle: s0000 after s0001 after");
	then_noted(w, "s0999", "... (988 more) after s0000; \"After=s0000.service\" is ignored");
	assert_string_equal(names_of(w, unit_of(w, "s0000"), EDGE_AFTER), "s0001");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_plain_unit_has_the_defaults),
		TEST(every_number_arrives),
		TEST(a_wrong_value_leaves_the_one_before),
		TEST(names_of_older_systemds_work),
		TEST(defaults_follow_the_type),
		TEST(backoff_is_ours_unless_the_unit_has_its_own),
		TEST(a_share_is_of_what_this_machine_has),
		TEST(what_systemd_has_and_we_have_not_is_taken_for_something_near),
		TEST(command_lines_are_read_as_systemd_reads_them),
		TEST(a_bad_command_that_may_fail_goes_alone),
		TEST(an_empty_assignment_clears_the_list),
		TEST(environments_are_read_as_systemd_reads_them),
		TEST(a_unit_may_set_its_own_path),
		TEST(patterns_of_environment_files_are_resolved_in_order),
		TEST(a_user_becomes_numbers_and_environment),
		TEST(what_cannot_start_stays_in_the_set_and_says_why),
		TEST(a_stop_command_alone_is_enough_for_a_oneshot_that_remains),
		TEST(what_is_no_file_does_not_stop_the_others),
		TEST(other_files_are_passed_over),
		TEST(unknown_keys_and_sections_get_one_line_each),
		TEST(the_first_folder_wins_a_name),
		TEST(a_folder_that_is_not_there_is_said),
		TEST(units_stand_in_the_order_of_their_names),
		TEST(dependencies_become_indices_at_both_ends),
		TEST(each_directive_has_its_effects_at_both_ends),
		TEST(rivals_that_are_both_there_are_told),
		TEST(a_built_in_target_is_there_if_somebody_names_it),
		TEST(everything_is_after_what_comes_early),
		TEST(a_target_is_after_what_it_pulls_in),
		TEST(the_multi_user_target_is_after_everything_in_services_d),
		TEST(what_is_implied_gives_way_to_what_is_written),
		TEST(a_target_has_nothing_to_run),
		TEST(mounts_are_waited_for_as_one),
		TEST(conditions_and_assertions_are_one_command_in_front),
		TEST(an_empty_condition_clears_those_of_every_kind),
		TEST(a_condition_that_makes_no_sense_is_left_out),
		TEST(a_requirement_that_cannot_be_met_is_flagged),
		TEST(a_cycle_is_told_link_by_link_and_opened),
		TEST(on_a_machine_the_network_comes_first),
		TEST(a_set_that_cannot_be_written_is_a_failure),
		TEST(check_reads_files_and_says_ok),
		TEST(a_thousand_units_fit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
