/* What oomph-load makes of one unit and of several: values, commands, accounts, dependencies. */
#include "world.h"

#include <sys/utsname.h>

/* Numbers in comments are the rows of a table of what systemd 252 itself was seen to do with such an input. */

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
	assert_string_equal(variables_of(w, u->environment),
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
	assert_memory_equal(u->knobs, ((uint64_t[]){ 1 << 20, 0, KNOB_INFINITY, 1610612736, 0, 16, 200, KNOB_UNSET }),
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

/* systemd.resource-control(5), in whatever order they stand. */
static void a_quota_is_of_a_period(void **state)
{
	struct world *w = *state;
	static const struct { const char *file, *settings; uint64_t quota_us; uint32_t period_us; } rows[] = {
		{ "a.service", "CPUQuota=20%\n", 20000, 100000 },
		{ "b.service", "CPUQuotaPeriodSec=10ms\nCPUQuota=250%\n", 25000, 10000 },
		{ "c.service", "CPUQuota=50%\nCPUQuotaPeriodSec=5s\n", 500000, 1000000 },
		{ "d.service", "CPUQuota=1%\nCPUQuotaPeriodSec=1ms\n", 1000, 100000 },
		{ "e.service", "CPUQuota=0.01%\n", 1000, 1000000 },
		{ "f.service", "CPUQuota=20%\nCPUQuota=\n", KNOB_UNSET, 100000 },
		{ "g.service", "CPUQuota=20%\nCPUQuota=0%\nCPUQuotaPeriodSec=10ms\nCPUQuotaPeriodSec=\n", 20000, 100000 },
	};
	for (size_t i = 0; i < countof(rows); i++) {
		char text[256];
		snprintf(text, sizeof text, RUN "%s", rows[i].settings);
		given(w, rows[i].file, text);
	}
	when_loaded(w);
	for (size_t i = 0; i < countof(rows); i++) {
		const struct unit *u = unit_of(w, rows[i].file);
		assert_int_equal(u->knobs[KNOB_CPU_MAX], rows[i].quota_us);
		assert_int_equal(u->cpu_period_us, rows[i].period_us);
	}
	then_noted(w, "g", "g.service:4: CPUQuota=0%: expected a share of one processor");
}

/* 154, 163, 165, 168, 174, 177, 178, 180, 187, 197 */
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

/* 188: valid since systemd 253 */
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
	assert_int_equal(unit_of(w, "idle")->type, TYPE_IDLE);
	assert_int_equal(unit_of(w, "bus")->type, TYPE_NOTIFY_RELOAD);
}

static void a_life_is_read_with_all_its_ends(void **state)
{
	struct world *w = *state;
	given(w, "a.service",
	      "[Unit]\nSuccessAction=exit\nFailureAction=reboot-force\nStartLimitAction=poweroff\n"
	      "[Service]\nType=forking\nExecStart=/bin/d\nExecCondition=/bin/may\nExecStopPost=/bin/clean\nPIDFile=%p/d.pid\n"
	      "GuessMainPID=no\nExitType=cgroup\nRestartPreventExitStatus=7 SIGABRT\nRestartForceExitStatus=TEMPFAIL\n"
	      "TimeoutStopSec=10\nTimeoutStartFailureMode=abort\nTimeoutStopFailureMode=kill\nRestartKillSignal=USR2\n"
	      "SendSIGHUP=yes\nFinalKillSignal=SIGQUIT\nWatchdogSignal=SIGBUS\nReloadSignal=SIGUSR1\nWatchdogSec=1500ms\n"
	      "RuntimeMaxSec=1h\nFileDescriptorStoreMax=4224\nNonBlocking=yes\nBusName=org.example.D\nRestartMode=direct\n");
	given(w, "b.service", RUN "X-NotifyFD=3\nPIDFile=/var/run/b.pid\nTimeoutAbortSec=5\nX-Other=1\n");
	when_loaded(w);
	const struct unit *u = unit_of(w, "a");
	assert_string_equal(commands_of(w, u, EXEC_CONDITION), "/bin/may [/bin/may]");
	assert_string_equal(commands_of(w, u, EXEC_STOP_POST), "/bin/clean [/bin/clean]");
	then_text(w, u->pid_file, "/run/a/d.pid");
	then_text(w, u->bus_name, "org.example.D");
	assert_int_equal(u->flags & (UNIT_NO_GUESS | UNIT_SEND_SIGHUP | UNIT_NON_BLOCKING), UNIT_NO_GUESS | UNIT_SEND_SIGHUP | UNIT_NON_BLOCKING);
	assert_true(unitset_has_status(w->set, u->restart_prevent, false, 7) && unitset_has_status(w->set, u->restart_prevent, true, 6));
	assert_true(unitset_has_status(w->set, u->restart_force, false, 75) && !unitset_has_status(w->set, u->restart_force, false, 7));
	const struct { int is, expected; } numbers[] = {
		{ u->type, TYPE_FORKING }, { u->exit_type, EXIT_CGROUP }, { u->success_action, ACTION_EXIT },
		{ u->failure_action, ACTION_REBOOT }, { u->start_limit_action, ACTION_POWEROFF }, { u->abort_ms, 10000 },
		{ u->start_failure_mode, FAILURE_ABORT }, { u->stop_failure_mode, FAILURE_KILL }, { u->restart_signal, 12 },
		{ u->final_signal, 3 }, { u->watchdog_signal, 7 }, { u->reload_signal, 10 }, { u->watchdog_ms, 1500 },
		{ u->runtime_ms, 3600000 }, { u->fd_store_max, STORE_MAX }, { u->notify_access, NOTIFY_MAIN },
	};
	for (size_t i = 0; i < countof(numbers); i++)
		if (numbers[i].is != numbers[i].expected)
			fail_msg("number %zu: %d instead of %d", i, numbers[i].is, numbers[i].expected);
	then_noted(w, "a", "a.service:3: FailureAction=reboot-force: taken as reboot");
	given(w, "off.service", "[Unit]\nSuccessAction=poweroff-force\n[Service]\nType=oneshot\n");
	when_loaded(w);
	assert_false(unit_of(w, "off")->flags & UNIT_BROKEN);
	u = unit_of(w, "b");
	assert_int_equal(u->type, TYPE_NOTIFY);
	assert_int_equal(u->notify_fd, 3);
	assert_int_equal(u->abort_ms, 5000);
	then_text(w, u->pid_file, "/run/b.pid");
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

/* 164 */
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
	assert_in_range(knobs[KNOB_MEMORY_MAX], kb * 512 - 4095, kb * 512);     /* in whole pages */
	assert_int_equal(knobs[KNOB_MEMORY_LOW], kb * 1024);
	assert_in_range(knobs[KNOB_PIDS_MAX], 1, 4 << 20);
	assert_true(knobs[KNOB_MEMORY_HIGH] == KNOB_UNSET && knobs[KNOB_MEMORY_MIN] == KNOB_UNSET);
	then_noted(w, "a", "MemoryMin=101%: expected a size such as 512M or 1.5G, a share such as 50%");
}

static void what_systemd_has_and_we_have_not_is_taken_for_something_near(void **state)
{
	struct world *w = *state;
	given(w, "a.service", RUN "StandardInput=tty\nStandardOutput=null\nStandardError=socket\n");
	given(w, "b.service", RUN "StandardInput=socket\nStandardOutput=tty\nStandardError=kmsg+console\n");
	given(w, "c.service", RUN "StandardInput=fd:x\nStandardOutput=fd\nStandardError=fd:y\n");
	when_loaded(w);
	assert_memory_equal(unit_of(w, "a")->stdio, ((uint8_t[]){ STDIO_TTY, STDIO_NULL, STDIO_INHERIT }), 3);
	assert_memory_equal(unit_of(w, "b")->stdio, ((uint8_t[]){ STDIO_NULL, STDIO_TTY, STDIO_KMSG }), 3);
	then_text(w, unit_of(w, "a")->stdio_path[0], "/dev/console");
	then_text(w, unit_of(w, "b")->stdio_path[1], "/dev/console");
	then_noted(w, "a", "a.service:5: StandardError=socket is not yet there: goes where output goes by default");
	assert_memory_equal(unit_of(w, "c")->stdio, ((uint8_t[]){ STDIO_NULL, STDIO_INHERIT, STDIO_INHERIT }), 3);
	then_noted(w, "c", "c.service:3: StandardInput=fd:x is not yet there: taken as null");
}

static void texts_and_names_of_units_are_taken_as_they_stand(void **state)
{
	struct world *w = *state;
	/* 23, 24, 26, 28 */
	given(w, "twice.service", "[Unit]\nDescription=a\n" RUN "[Unit]\nDescription=\"a b\" a\\x20b\n");
	given(w, "empty.service", "[Unit]\nDescription=a\nDescription=\n" RUN);
	/* 18 */
	given(w, "case.service", "[unit]\nDescription=a\n[Unit]\ndescription=b\n" RUN);
	/* 31, 32, 34 */
	given(w, "after.service", "[Unit]\nAfter=case.service,empty.service\nAfter=case\nAfter=%p-x.service\n" RUN);
	given(w, "after-x.service", RUN);
	when_loaded(w);
	then_text(w, unit_of(w, "twice")->description, "\"a b\" a\\x20b");
	then_text(w, unit_of(w, "empty")->description, "");
	then_text(w, unit_of(w, "case")->description, "");
	then_noted(w, "case", "case.service:1: [unit] is not a section of a service");
	then_noted(w, "case", "case.service:4: description= is not a directive; did you mean Description=?");
	assert_string_equal(names_of(w, unit_of(w, "after"), EDGE_AFTER), "after-x");
	then_noted(w, "after", "after.service:2: After=: `case.service,empty.service` is not a unit's name");
	then_noted(w, "after", "after.service:3: After=: `case` is not a unit's name");
}

static void zero_is_no_limit_for_some_times_only(void **state)
{
	struct world *w = *state;
	/* 157, 158 */
	given(w, "a.service", RUN "TimeoutStopSec=0\nRestartSec=0\n");
	given(w, "b.service", RUN "TimeoutSec=0\n");
	when_loaded(w);
	assert_int_equal(unit_of(w, "a")->stop_ms, FOREVER_MS);
	assert_int_equal(unit_of(w, "a")->restart_ms, 0);
	assert_true(unit_of(w, "b")->start_ms == FOREVER_MS && unit_of(w, "b")->stop_ms == FOREVER_MS);
}

static void sizes_and_numbers_of_the_cgroup_are_read_as_systemd_reads_them(void **state)
{
	struct world *w = *state;
	static const struct {
		const char *setting;
		enum cgroup_knob knob;
		uint64_t value;
	} rows[] = {
		/* 161 */ { "MemoryMax=1.5G", KNOB_MEMORY_MAX, 1610612736 }, { "MemoryMax=512 M", KNOB_MEMORY_MAX, 536870912 },
		{ "MemoryMax=1K 2", KNOB_MEMORY_MAX, 1026 },
		/* 162 */ { "MemoryMax=1G500M", KNOB_MEMORY_MAX, 1598029824 }, { "MemoryMax=1G 1G", KNOB_MEMORY_MAX, KNOB_UNSET },
		/* 163 */ { "MemoryMax=1Gi", KNOB_MEMORY_MAX, KNOB_UNSET }, { "MemoryMax=10g", KNOB_MEMORY_MAX, KNOB_UNSET },
		{ "MemoryMax=64MB", KNOB_MEMORY_MAX, KNOB_UNSET }, { "MemoryMax=0", KNOB_MEMORY_MAX, KNOB_UNSET },
		/* 165 */ { "TasksMax=infinity", KNOB_PIDS_MAX, KNOB_INFINITY }, { "TasksMax=0", KNOB_PIDS_MAX, KNOB_UNSET },
		{ "TasksMax=1K", KNOB_PIDS_MAX, KNOB_UNSET },
	};
	char name[32], text[128];
	for (size_t i = 0; i < countof(rows); i++) {
		snprintf(name, sizeof name, "m%zu.service", i);
		snprintf(text, sizeof text, RUN "%s\n", rows[i].setting);
		given(w, name, text);
	}
	when_loaded(w);
	for (size_t i = 0; i < countof(rows); i++) {
		snprintf(name, sizeof name, "m%zu.service", i);
		assert_true(unit_of(w, name)->knobs[rows[i].knob] == rows[i].value);
	}
}

static void enumerations_are_read_as_systemd_reads_them(void **state)
{
	struct world *w = *state;
	/* 183, 184, 185, 186 */
	given(w, "a.service", RUN "SuccessExitStatus=TEMPFAIL 250 SIGKILL\nSuccessExitStatus=255 256\n"
		     "SuccessExitStatus=EXIT_FAILURE FAILURE\nSuccessExitStatus=TERM 15\n");
	/* 194 */
	given(w, "home.service", RUN "User=root\nWorkingDirectory=~\n");
	given(w, "maybe.service", RUN "WorkingDirectory=-/x\n");
	/* 195 */
	given(w, "blank.service", RUN "User=bad user\n");
	given(w, "dash.service", RUN "User=-x\n");
	/* 197 */
	given(w, "out.service", RUN "StandardOutput=append:/x\nStandardError=syslog\n");
	when_loaded(w);
	const struct unit *u = unit_of(w, "a");
	static const int statuses[] = { 75, 250, 255, 1, 15 };
	for (size_t i = 0; i < countof(statuses); i++)
		assert_true(unit_is_success(u, false, statuses[i]));
	assert_true(u->success.signals == (1u << (9 - 1) | 1u << (15 - 1)));
	then_noted(w, "a", "a.service:4: SuccessExitStatus=: `256`");
	then_noted(w, "a", "a.service:5: SuccessExitStatus=: `EXIT_FAILURE`");
	then_text(w, unit_of(w, "home")->working_directory, "/root");
	then_text(w, unit_of(w, "maybe")->working_directory, "/x");
	assert_true(unit_of(w, "maybe")->flags & UNIT_CHDIR_MAY_FAIL);
	assert_int_equal(unit_of(w, "blank")->flags & (UNIT_USER_UNKNOWN | UNIT_BROKEN), UNIT_USER_UNKNOWN);
	assert_int_equal(unit_of(w, "dash")->flags & (UNIT_USER_UNKNOWN | UNIT_BROKEN), UNIT_USER_UNKNOWN);
	u = unit_of(w, "out");
	struct unit defaults;
	unit_defaults(&defaults);
	assert_true(u->stdio[1] == STDIO_APPEND && u->stdio[2] == defaults.stdio[2]);
}

/* 201 */
static void specifiers_come_from_the_name(void **state)
{
	struct world *w = *state;
	given(w, "foo@a-b\\x20c.service", "[Unit]\nDescription=%i|%I|%p|%P|%n|%N|%j|%J|%f\n" RUN);
	given(w, "one-two\\x2dthree.service", "[Unit]\nDescription=%i|%I|%p|%P|%n|%N|%j|%J|%f\n" RUN);
	given(w, "where.service", "[Unit]\nDescription=%t %S %C %L %E %T %V %u %U %g %G %h %s %%\n" RUN);
	given(w, "file.service", "[Unit]\nDescription=%y %Y %d\n" RUN);
	given(w, "host.service", "[Unit]\nDescription=%H|%l|%q|%v|%a|%b|%o|%w%W%B%A%M|\n" RUN);
	when_loaded(w);
	then_silent(w);
	then_text(w, unit_of(w, "foo@a-b\\x20c")->description,
		  "a-b\\x20c|a/b c|foo|foo|foo@a-b\\x20c.service|foo@a-b\\x20c|foo|foo|/a/b c");
	then_text(w, unit_of(w, "one-two\\x2dthree")->description,
		  "||one-two\\x2dthree|one/two-three|one-two\\x2dthree.service|one-two\\x2dthree|two\\x2dthree|two-three|"
		  "/one/two-three");
	then_text(w, unit_of(w, "where")->description,
		  "/run /var/lib /var/cache /var/log /etc /tmp /var/tmp root 0 root 0 /root /bin/sh %");
	char text[128];
	snprintf(text, sizeof text, "%s/file.service %s /run/credentials/file.service", w->folder, w->folder);
	then_text(w, unit_of(w, "file")->description, text);

	struct utsname names;
	assert_int_equal(uname(&names), 0);
	snprintf(text, sizeof text, "%s|%.*s|", names.nodename, (int)strcspn(names.nodename, "."), names.nodename);
	struct str description = unitset_text(w->set, unit_of(w, "host")->description);
	assert_true(str_starts(description, str_from(text)));
	snprintf(text, sizeof text, "|%s|", names.release);
	assert_true(str_find(description, str_from(text)) < description.n);
}

/* ---- command lines: input, and what runs; NULL when the whole unit is refused ---- */

static const struct {
	const char *line, *runs;
} command_rows[] = {
	/* 39 */ { "/bin///echo///x r1///", "/bin/echo/x [/bin///echo///x][r1///]" },
	/* 40 */ { "/bin/ a", NULL },
	/* 41 */ { "@/bin/echo zero r1", "/bin/echo [zero][r1]" },
	/* 42 */ { "@/bin/echo", NULL },
	/* 43 */ { "-@/bin/echo a0 r1", "-/bin/echo [a0][r1]" },
	{ "@-/bin/echo a0 r1", "-/bin/echo [a0][r1]" },
	/* 45 */ { "+/bin/echo a", "+/bin/echo [/bin/echo][a]" }, { "!/bin/echo a", "!/bin/echo [/bin/echo][a]" },
	{ "!!/bin/echo a", "/bin/echo [/bin/echo][a]" },
	/* 46, 48 */ { "+!/bin/echo", NULL }, { "!+/bin/echo", NULL }, { "!!!/bin/echo", NULL }, { "|/bin/echo", NULL },
	/* 47 */ { "-:+@/bin/echo z $A", "-:+/bin/echo [z][$A]" },
	/* 49 */ { "/bin/echo a ; /bin/true b", "/bin/echo [/bin/echo][a]; /bin/true [/bin/true][b]" },
	/* 50 */ { "/bin/echo a ; ; /bin/true b", "/bin/echo [/bin/echo][a]; /bin/true [/bin/true][b]" },
	/* 51 */ { "/bin/echo a ;", "/bin/echo [/bin/echo][a]" },
	/* 52 */ { "/bin/echo a;", "/bin/echo [/bin/echo][a;]" },
	/* 53 */ { "/bin/echo ';' \";\" \\; \\073", "/bin/echo [/bin/echo][;][;][;][;]" },
	/* 54 */ { "/bin/find \\;x", "/bin/find [/bin/find][\\;x]" },
	/* 55 */ { "/bin/echo a;b \"a;b\"", "/bin/echo [/bin/echo][a;b][a;b]" },
	/* 56 */ { "\"/P W/d\" -1 '-2 x'", "/P W/d [/P W/d][-1][-2 x]" },
	/* 57 */ { "\"/P\\sW\\x20S/d\"", "/P W S/d [/P W S/d]" },
	/* 58 */ { "/path\\n", NULL },
	/* 60 */ { "/bin/echo \"\" x", "/bin/echo [/bin/echo][][x]" },
	/* 63 */ { "/bin/grep '\\w+\\K'", "/bin/grep [/bin/grep][\\w+\\K]" },
	/* 64 */ { "/bin/echo a\\ b", "/bin/echo [/bin/echo][a\\ b]" },
	/* 65 */ { "/bin/echo a \\\\ b", "/bin/echo [/bin/echo][a][\\][b]" },
	/* 66 */ { "/bin/echo 'foo", NULL }, { "/bin/echo \"foo'", NULL },
	/* 68 */ { "\"-/bin/echo\" a", "-/bin/echo [/bin/echo][a]" },
	{ "-\"/bin/echo\" a", "-/bin/echo [/bin/echo][a]" },
	/* 69 */ { "/bin/echo # x", "/bin/echo [/bin/echo][#][x]" },
	/* 70 */ { "/bin/echo > /dev/null 2>&1 & | cat", "/bin/echo [/bin/echo][>][/dev/null][2>&1][&][|][cat]" },
	/* 71 */ { "/bin/echo %% %, 100%", "/bin/echo [/bin/echo][%][%,][100%]" },
	/* 72 */ { "/bin/echo %Z", NULL },
	/* 73 */ { "echo x", "echo [echo][x]" },
	/* 74, 76 */ { "./echo", NULL }, { "sub/echo", NULL }, { "%n/x", NULL }, { "$FOO/bin a", NULL }, { "/a/../b", "/a/../b [/a/../b]" },
	/* 75 */ { "/%p/x", "/c42/x [/c42/x]" },
	/* 79 */ { "/bin/echo \"\\u00f6\"", "/bin/echo [/bin/echo][\xc3\xb6]" },
	/* 80 */ { "/path\\s", "/path  [/path ]" },
	/* 81 */ { "/bin/echo a   b\tc", "/bin/echo [/bin/echo][a][b][c]" },
	/* 59, 61, 62 */ { "/bin/echo a\"b\"c \"a\"b 'a\\'b' \"a\\\"b\" 'a\\x41b'", "/bin/echo [/bin/echo][abc][ab][a'b][a\"b][aAb]" },
	{ "/bin/echo \"%p\" $HOME ${X}", "/bin/echo [/bin/echo][c47][$HOME][${X}]" },
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

/* 44, 67 */
static void a_bad_command_that_may_fail_goes_alone(void **state)
{
	struct world *w = *state;
	given(w, "a.service", RUN "ExecStartPre=--/bin/echo a\nExecStartPre=-\nExecStartPre=- /bin/echo\n"
				  "ExecStartPre=/bin/ok\n");
	when_loaded(w);
	assert_string_equal(commands_of(w, unit_of(w, "a"), EXEC_START_PRE), "/bin/ok [/bin/ok]");
	then_noted(w, "a", "a.service:3: ExecStartPre=: `--/bin/echo`:");
}

/* 77 */
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
	assert_non_null(strstr(variables_of(w, u->environment), ",B=2"));
	assert_null(strstr(variables_of(w, u->environment), "A=1"));
	assert_string_equal(words_of(w, u->environment_files), "-/y z");
	assert_false(unit_is_success(u, false, 5));
	then_text(w, u->working_directory, "");
	assert_int_equal(u->uid, NO_ID);
}

/* ---- environment ---- */

static const struct {
	const char *text, *expected;    /* behind PATH */
} environment_rows[] = {
	/* 109 */ { "Environment=\"V1=word1 word2\" V2=w3 \"V3=$word 5 6\"", "V1=word1 word2,V2=w3,V3=$word 5 6" },
	/* 110 */ { "Environment=ONE='one' \"TWO='two two' too\" THREE=", "ONE=one,TWO='two two' too,THREE=" },
	/* 111 */ { "Environment=A=a\\x20b B=c\\sd C=\"q D=e\"f", "A=a b,B=c d,C=q D=ef" },
	/* 112 */ { "Environment=A=1 B=2\nEnvironment=A=3 C=4", "A=3,B=2,C=4" },
	/* 113 */ { "Environment=A=1\nEnvironment=\nEnvironment=B=2", "B=2" },
	/* 114 */ { "Environment=A=%n P=%% B=$A C=${A}", "A=e5.service,P=%,B=$A,C=${A}" },
	/* 115 */ { "Environment=1A=x a-b=y good=z =q", "good=z" },
	/* 116 */ { "Environment=\"unbalanced A=1", "" },
	/* 117 */ { "Environment=A=\\q B=ok", "" },
	{ "Environment=Z=1 A=\\q B=ok", "Z=1" },
	/* 118 */ { "Environment=A=\"x y\" B=z'w'", "A=x y,B=zw" },
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
		const char *all = variables_of(w, unit_of(w, name)->environment);
		const char *own = strchr(all, ',');
		assert_string_equal(own ? own + 1 : "", environment_rows[i].expected);
	}
}

static void a_unit_may_set_its_own_path(void **state)
{
	struct world *w = *state;
	given(w, "a.service", RUN "Environment=PATH=/opt/bin\n");
	when_loaded(w);
	assert_string_equal(variables_of(w, unit_of(w, "a")->environment), "PATH=/opt/bin");
}

/* 143, 144 */
static void patterns_of_environment_files_are_resolved_in_order(void **state)
{
	struct world *w = *state;
	char text[256];
	given(w, "ef2", "B=1\n");
	given(w, "ef1", "A=1\n");
	snprintf(text, sizeof text, RUN "EnvironmentFile=%s/ef?\nEnvironmentFile=-/no/such*\nEnvironmentFile=rel\n"
		 "EnvironmentFile=\"/x\"\nEnvironmentFile=/a /b\n",
		 w->folder);
	given(w, "a.service", text);
	when_loaded(w);
	snprintf(text, sizeof text, "%s/ef1,%s/ef2,-/no/such*,/a /b", w->folder, w->folder);
	assert_string_equal(words_of(w, unit_of(w, "a")->environment_files), text);
	then_noted(w, "a", "a.service:5: EnvironmentFile=rel: expected an absolute path");
	then_noted(w, "a", "a.service:6: EnvironmentFile=\"/x\": expected an absolute path");
}

/* ---- users: root and nobody's numbers are the same on every machine ---- */

/* 108: daemon, who has no shell; the rest of the row is variables_expand_as_in_systemd() of test_expand.c. */
static void an_account_without_a_shell_has_no_such_variable(void **state)
{
	struct world *w = *state;
	given(w, "a.service", RUN "User=daemon\n");
	when_loaded(w);
	const char *all = words_of(w, unit_of(w, "a")->environment);
	assert_non_null(strstr(all, ",USER=daemon,LOGNAME=daemon,HOME=/usr/sbin"));
	assert_null(strstr(all, "SHELL="));
}

/* 196 */
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
	assert_non_null(strstr(variables_of(w, u->environment), ",USER=root,LOGNAME=root,HOME=/root"));
	then_text(w, u->working_directory, "/root");
	u = unit_of(w, "number");
	assert_true(u->uid == 54321 && u->gid == 12 && !(u->flags & UNIT_USER_UNKNOWN));
	u = unit_of(w, "nobody");
	assert_true(u->flags & UNIT_USER_UNKNOWN && u->uid == NO_ID && !(u->flags & UNIT_BROKEN));
	then_noted(w, "nobody", "nobody.service:3: User=no such user: there is no such user: every start will fail "
				"(217/USER)");
	u = unit_of(w, "group");
	assert_true(unitset_context(w->set, u)->flags & CONTEXT_GROUP_UNKNOWN && u->uid == 0 && u->gid == NO_ID);
	then_broken(w, "empty", "empty.service:3: User=%i: expected a user's name or number");
}

/* ---- surroundings that few units set ---- */

static void a_plain_unit_has_no_context(void **state)
{
	struct world *w = *state;
	given(w, "a.service", RUN);
	given(w, "b.service", RUN "NoNewPrivileges=yes\nNoNewPrivileges=no\n");
	given(w, "c.service", RUN "UnsetEnvironment=A\n");
	when_loaded(w);
	assert_int_equal(unit_of(w, "a")->context.n, 0);
	assert_int_equal(unit_of(w, "b")->context.n, 0);
	assert_int_equal(unit_of(w, "c")->context.n, 1);
}

/* 198. CAP_NET_BIND_SERVICE is 10, CAP_NET_RAW 13. */
static void capability_sets_add_up_as_in_systemd(void **state)
{
	struct world *w = *state;
	static const struct { const char *lines; uint64_t bounding, ambient; } rows[] = {
		{ "CapabilityBoundingSet=CAP_NET_RAW\nCapabilityBoundingSet=CAP_CHOWN\n", 1 << 13 | 1, 0 },
		{ "CapabilityBoundingSet=~CAP_NET_RAW\nCapabilityBoundingSet=~CAP_CHOWN\n", ~(UINT64_C(1) << 13 | 1), 0 },
		{ "CapabilityBoundingSet=\n", 0, 0 },
		{ "CapabilityBoundingSet=CAP_CHOWN\nCapabilityBoundingSet=~\n", CAPABILITIES_ALL, 0 },
		{ "CapabilityBoundingSet=NET_RAW cap_net_raw\n", 1 << 13, 0 },
		{ "AmbientCapabilities=CAP_NET_BIND_SERVICE\nAmbientCapabilities=CAP_NET_RAW\n", CAPABILITIES_ALL,
		  1 << 10 | 1 << 13 },
		{ "AmbientCapabilities=CAP_NET_RAW CAP_CHOWN\nAmbientCapabilities=~CAP_CHOWN\n", CAPABILITIES_ALL, 1 << 13 },
		{ "AmbientCapabilities=CAP_CHOWN\nAmbientCapabilities=\n", CAPABILITIES_ALL, 0 },
	};
	for (size_t i = 0; i < countof(rows); i++) {
		char text[256];
		snprintf(text, sizeof text, RUN "%s", rows[i].lines);
		given(w, "a.service", text);
		when_loaded(w);
		const struct context *x = unitset_context(w->set, unit_of(w, "a"));
		if (x->bounding_set != rows[i].bounding || x->ambient_set != rows[i].ambient)
			fail_msg("%s: %llx %llx", rows[i].lines, (unsigned long long)x->bounding_set,
				 (unsigned long long)x->ambient_set);
	}
}

static void the_rest_of_the_context_arrives(void **state)
{
	struct world *w = *state;
	given(w, "a.service", RUN "NoNewPrivileges=yes\nIgnoreSIGPIPE=no\nSecureBits=keep-caps noroot what\n"
	      "PassEnvironment=TERM A HOME\nEnvironment=A=1\nUnsetEnvironment=B C=\"x y\" 1bad\n"
	      "ExecSearchPath=/opt/%p/:/bin:rel:/lost\nSupplementaryGroups=12 13\nLimitNICE=+5\n");
	given(w, "b.service", RUN "ExecStartPre=-/bin/pre\nPermissionsStartOnly=yes\nSetLoginEnvironment=yes\n"
	      "SupplementaryGroups=no-such-group\n");
	given(w, "c.service", RUN "User=root\nSetLoginEnvironment=no\n");
	when_loaded(w);
	const struct unit *u = unit_of(w, "a");
	const struct context *x = unitset_context(w->set, u);
	assert_int_equal(x->flags, CONTEXT_NO_NEW_PRIVILEGES | CONTEXT_DEFAULT_SIGPIPE);
	assert_int_equal(x->secure_bits, 1 << 4 | 1 << 0);
	assert_string_equal(words_of(w, x->pass_environment), "TERM,HOME");
	assert_string_equal(words_of(w, x->unset_environment), "B,C=x y");
	then_text(w, x->search_path, "/opt/a:/bin");
	assert_string_equal(variables_of(w, u->environment), "PATH=/opt/a:/bin,A=1");
	assert_int_equal(u->groups.n, 2);
	assert_int_equal(unitset_indices(w->set, u->groups)[1], 13);
	assert_int_equal(unitset_limits(w->set, u)->soft, 15);
	then_noted(w, "a", "a.service:5: SecureBits=: `what`: expected keep-caps");
	then_noted(w, "a", "a.service:8: UnsetEnvironment=: `1bad`: expected names of variables: this one is ignored");
	then_noted(w, "a", "a.service:9: ExecSearchPath=: `rel`: expected absolute paths");
	u = unit_of(w, "b");
	assert_string_equal(commands_of(w, u, EXEC_START_PRE), "-+/bin/pre [/bin/pre]");
	assert_string_equal(commands_of(w, u, EXEC_START), "/bin/true [/bin/true]");
	assert_non_null(strstr(variables_of(w, u->environment), "HOME=/root"));
	then_noted(w, "b", "b.service:6: SupplementaryGroups=no-such-group: there is no such group: every start will fail "
			   "(216/GROUP)");
	assert_null(strstr(variables_of(w, unit_of(w, "c")->environment), "HOME="));
}

static void folders_stand_sorted_below_their_bases(void **state)
{
	struct world *w = *state;
	given(w, "a.service", RUN "RuntimeDirectory=rr a/b\nRuntimeDirectory=old:new irqbalance/ rr\nStateDirectory=%p\n"
	      "RuntimeDirectoryMode=2755\nStateDirectoryMode=0700\nRuntimeDirectoryPreserve=restart\n"
	      "LogsDirectory=/var/log/x ../x . x/..\nEnvironment=STATE_DIRECTORY=/srv\n");
	given(w, "b.service", RUN "RuntimeDirectory=x\nRuntimeDirectory=\nCacheDirectory=c\nRuntimeDirectory=y\n");
	given(w, "c.service", RUN "RuntimeDirectory=x\nRuntimeDirectoryPreserve=on\nStateDirectoryMode=8\n");
	when_loaded(w);
	const struct unit *u = unit_of(w, "a");
	const struct context *x = unitset_context(w->set, u);
	const struct folder *f = unitset_folders(w->set, x);
	static const struct { const char *path, *link; enum folder_kind kind; unsigned mode; } rows[] = {
		{ "/run/a/b", "", FOLDER_RUNTIME, 02755 }, { "/run/irqbalance", "", FOLDER_RUNTIME, 02755 },
		{ "/run/old", "/run/new", FOLDER_RUNTIME, 02755 }, { "/run/rr", "", FOLDER_RUNTIME, 02755 },
		{ "/var/lib/a", "", FOLDER_STATE, 0700 },
	};
	assert_int_equal(x->folders.n, countof(rows));
	for (size_t i = 0; i < countof(rows); i++) {
		then_text(w, f[i].path, rows[i].path);
		then_text(w, f[i].link, rows[i].link);
		assert_true(f[i].kind == rows[i].kind && f[i].mode == rows[i].mode);
	}
	assert_non_null(strstr(variables_of(w, u->environment),
			       "RUNTIME_DIRECTORY=/run/a/b:/run/irqbalance:/run/old:/run/rr,STATE_DIRECTORY=/srv"));
	assert_int_equal(u->flags & (UNIT_CLEANS | UNIT_CLEANS_AT_REST), UNIT_CLEANS_AT_REST);
	then_noted(w, "a", "a.service:9: LogsDirectory=: `/var/log/x`: expected relative paths without ..");
	then_noted(w, "a", "`../x`: expected");
	then_noted(w, "a", "`.`: expected");
	then_noted(w, "a", "`x/..`: expected");
	u = unit_of(w, "b");
	assert_non_null(strstr(variables_of(w, u->environment), "RUNTIME_DIRECTORY=/run/y,CACHE_DIRECTORY=/var/cache/c"));
	assert_int_equal(u->flags & (UNIT_CLEANS | UNIT_CLEANS_AT_REST), UNIT_CLEANS);
	assert_int_equal(unit_of(w, "c")->flags & (UNIT_CLEANS | UNIT_CLEANS_AT_REST), 0);
	then_noted(w, "c", "StateDirectoryMode=8: expected an octal mode");
}

static void dynamic_users_get_a_number_each(void **state)
{
	struct world *w = *state;
	uint32_t first;
	given(w, "a.service", RUN "DynamicUser=yes\nWorkingDirectory=~\n");
	given(w, "b@1.service", RUN "DynamicUser=yes\nUser=shared\n");
	given(w, "b@2.service", RUN "DynamicUser=yes\nUser=shared\nGroup=12\n");
	given(w, "root.service", RUN "DynamicUser=yes\nUser=root\n");
	/* Of 200 names some meet in 4336 numbers: 1 in 100 that none do. */
	for (int i = 0; i < 200; i++) {
		char name[32];
		snprintf(name, sizeof name, "n%d.service", i);
		given(w, name, RUN "DynamicUser=yes\n");
	}
	when_loaded(w);
	const struct unit *u = unit_of(w, "a");
	first = u->uid;
	assert_in_range(u->uid, 61184, 65519);
	assert_int_equal(u->gid, u->uid);
	assert_int_equal(unitset_context(w->set, u)->flags, CONTEXT_NO_NEW_PRIVILEGES);
	assert_non_null(strstr(variables_of(w, u->environment), "USER=a,LOGNAME=a"));
	then_text(w, u->working_directory, "/");
	assert_int_equal(unit_of(w, "b@1")->uid, unit_of(w, "b@2")->uid);
	assert_int_equal(unit_of(w, "b@2")->gid, 12);
	assert_int_equal(unit_of(w, "root")->uid, 0);
	static bool is_taken[65536];
	for (int i = 0; i < 200; i++) {
		char name[32];
		snprintf(name, sizeof name, "n%d", i);
		assert_false(is_taken[unit_of(w, name)->uid]);
		is_taken[unit_of(w, name)->uid] = true;
	}
	when_loaded(w);
	assert_int_equal(unit_of(w, "a")->uid, first);
}

static void credentials_arrive(void **state)
{
	struct world *w = *state;
	given(w, "a.service", RUN "LoadCredential=one:/etc/one\nLoadCredential=stored\nLoadCredential=one:/etc/%p\n"
	      "SetCredential=one:a\\x00b\nSetCredential=two:1:2\nLoadCredential=../x:/etc/x\nLoadCredential=y:rel/y\nSetCredential=z\n"
	      "Environment=D=%d\n");
	given(w, "b.service", RUN "LoadCredential=a:/a\nSetCredential=a:1\nLoadCredential=\n");
	when_loaded(w);
	const struct unit *u = unit_of(w, "a");
	const struct context *x = unitset_context(w->set, u);
	const struct credential *c = unitset_credentials(w->set, x);
	static const struct { const char *name, *path, *value; } rows[] = {
		{ "one", "/etc/a", "" }, { "stored", "stored", "" }, { "one", "", "a" }, { "two", "", "1:2" },
	};
	then_noted(w, "a", "a.service:6: SetCredential=one:a\\x00b: expected NAME:VALUE, with escapes as in C");
	then_noted(w, "a", "a.service:8: LoadCredential=../x:/etc/x: expected NAME:PATH");
	then_noted(w, "a", "a.service:9: LoadCredential=y:rel/y: expected NAME:PATH");
	then_noted(w, "a", "a.service:10: SetCredential=z: expected NAME:VALUE");
	given(w, "a.service", RUN "LoadCredential=one:/etc/one\nLoadCredential=stored\nLoadCredential=one:/etc/%p\n"
	      "SetCredential=one:a\nSetCredential=two:1:2\nEnvironment=D=%d\n");
	when_loaded(w);
	u = unit_of(w, "a");
	x = unitset_context(w->set, u);
	c = unitset_credentials(w->set, x);
	assert_int_equal(x->credentials.n, countof(rows));
	for (size_t i = 0; i < countof(rows); i++) {
		then_text(w, c[i].name, rows[i].name);
		then_text(w, c[i].path, rows[i].path);
		then_text(w, c[i].value, rows[i].value);
	}
	assert_int_equal(u->flags & UNIT_CLEANS, UNIT_CLEANS);
	assert_non_null(strstr(variables_of(w, u->environment), "CREDENTIALS_DIRECTORY=/run/credentials/a.service,D=/run/credentials/a.service"));
	assert_int_equal(unitset_context(w->set, unit_of(w, "b"))->credentials.n, 1);
}

static void scheduling_and_its_like_arrive(void **state)
{
	struct world *w = *state;
	given(w, "a.service", RUN "CPUSchedulingPolicy=rr\nCPUSchedulingPriority=9\nCPUSchedulingResetOnFork=yes\n"
	      "CPUAffinity=0-2,5\nCPUAffinity=70\nNUMAPolicy=bind\nNUMAMask=0\nIOSchedulingClass=idle\nIOSchedulingPriority=7\n"
	      "TimerSlackNSec=50us\nCoredumpFilter=default shared-huge\nKeyringMode=private\nCPUSchedulingPolicy=deadline\n"
	      "IOSchedulingPriority=8\nCPUAffinity=1025\nCPUSchedulingPriority=100\n");
	given(w, "b.service", RUN "CPUAffinity=1\nCPUAffinity=\nIOSchedulingClass=1\nTimerSlackNSec=7\n");
	when_loaded(w);
	const struct context *x = unitset_context(w->set, unit_of(w, "a"));
	assert_int_equal(x->scheduling, SCHEDULING_RR);
	assert_int_equal(x->priority, 9);
	assert_int_equal(x->flags, CONTEXT_RESET_ON_FORK | CONTEXT_HAS_IO);
	assert_int_equal(x->cpus.n, 2);
	assert_int_equal(unitset_mask(w->set, x->cpus)[0], 0x27);
	assert_int_equal(unitset_mask(w->set, x->cpus)[1], 1 << 6);
	assert_true(x->numa_policy == NUMA_BIND && x->numa_nodes.n == 1);
	assert_true(x->io_class == IO_IDLE && x->io_priority == 7);
	assert_int_equal(x->timer_slack_ns, 50000);
	assert_int_equal(x->coredump_filter, 0x33 | 1 << 6);
	assert_int_equal(x->keyring_mode, KEYRING_PRIVATE);
	then_noted(w, "a", "CPUSchedulingPolicy=deadline: expected other, batch, idle, fifo or rr");
	then_noted(w, "a", "CPUAffinity=1025: expected numbers and ranges");
	x = unitset_context(w->set, unit_of(w, "b"));
	assert_true(x->cpus.n == 0 && x->io_class == IO_REALTIME && x->io_priority == 4 && x->timer_slack_ns == 7);
}

static void input_and_terminal_arrive(void **state)
{
	struct world *w = *state;
	given(w, "a.service", RUN "StandardInputText=a\\tb %p\nStandardInputData=AAEC\nStandardInputText=\\q\nStandardInputData=A\n");
	given(w, "b.service", RUN "StandardInput=tty-force\nTTYPath=/dev/tty7\nTTYReset=yes\nTTYVHangup=yes\nTTYVTDisallocate=yes\n"
	      "TTYRows=25\nTTYColumns=80\n");
	given(w, "c.service", RUN "StandardInput=null\nStandardInputText=x\n");
	given(w, "d.service", RUN "StandardOutput=tty-force\nStandardError=tty\nTTYPath=/dev/ttyS0\n");
	when_loaded(w);
	const struct unit *u = unit_of(w, "a");
	struct str input = unitset_text(w->set, unitset_context(w->set, u)->input);
	assert_int_equal(u->stdio[0], STDIO_DATA);
	assert_int_equal(input.n, 9);
	assert_memory_equal(input.p, "a\tb a\n\0\1\2", 9);
	then_noted(w, "a", "a.service:5: StandardInputText=\\q: expected a text, with escapes as in C");
	then_noted(w, "a", "a.service:6: StandardInputData=A: expected data in Base64");
	u = unit_of(w, "b");
	const struct context *x = unitset_context(w->set, u);
	assert_int_equal(u->stdio[0], STDIO_TTY_FORCE);
	then_text(w, u->stdio_path[0], "/dev/tty7");
	then_text(w, x->tty, "/dev/tty7");
	assert_int_equal(x->flags, CONTEXT_TTY_RESET | CONTEXT_TTY_HANGUP | CONTEXT_TTY_DISALLOCATE);
	assert_true(x->tty_rows == 25 && x->tty_columns == 80);
	assert_non_null(strstr(variables_of(w, u->environment), "TERM=linux"));
	assert_int_equal(unit_of(w, "c")->stdio[0], STDIO_NULL);
	u = unit_of(w, "d");
	assert_true(u->stdio[1] == STDIO_INHERIT && u->stdio[2] == STDIO_TTY);
	then_text(w, u->stdio_path[2], "/dev/ttyS0");
	assert_non_null(strstr(variables_of(w, u->environment), "TERM=vt220"));
}

/* ---- units that cannot be used ---- */

static void what_cannot_start_stays_in_the_set_and_says_why(void **state)
{
	struct world *w = *state;
	static const struct { const char *name, *text, *why; } rows[] = {
		{ "none.service", "[Service]\nType=simple\n", "none.service: there is no ExecStart=" },
		/* 78 */ { "two.service", RUN "ExecStart=/b\nType=notify\n", "two.service: there are 2 ExecStart= commands" },
		/* 82 */ { "stop.service", "[Service]\nType=oneshot\nExecStop=/b\n", "stop.service: there is only ExecStop=" },
		{ "always.service", RUN "Type=oneshot\nRestart=always\n", "are not for Type=oneshot" },
		{ "pid.service", RUN "PIDFile=/run/../x.pid\n", "pid.service:3: PIDFile=/run/../x.pid: expected a path" },
		{ "bus.service", RUN "Type=dbus\n", "bus.service: there is no BusName=" },
		/* 194 */ { "dir.service", RUN "WorkingDirectory=rel\n", 
		  "dir.service:3: WorkingDirectory=rel: expected an absolute path" },
		/* 19 */ { "head.service", "[Service\nExecStart=/b\n",
		  "head.service:1: `[Service`: a [section] has to end in `]`" },
		/* 29 */ { "text.service", RUN "Description=\xff\n",
		  "text.service:3: `Description=\xff`: this is not UTF-8 text" },
		{ "empty.service", "\n", "empty.service: there is no ExecStart=" },
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

/* 82 */
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
	when_loaded(w);
	snprintf(line, sizeof line, "%s/x.socket: not yet: only .service and .target units are run\n", w->folder);
	then_said(w, line);
	then_said(w, "bad name.service: left out: not a name that a unit can have");
	assert_int_equal(unitset_count(w->set), 1);
	assert_int_equal(unitset_find(w->set, STR("t@1")), 0);
}

/* 13, 14, 15, 16, 17, 18, 21 */
static void unknown_keys_and_sections_get_one_line_each(void **state)
{
	struct world *w = *state;
	given(w, "a.service",
	      "Early=1\n[Unit]\nRestart=no\nX-Own=1\n[Service]\nExecStart=/b\nRestartSecs=5\nColour=red\nnonsense\n"
	      "PrivateTmp=yes\nProtectHome=yes\nPrivateUsers=no\nSlice=x.slice\n[X-Own]\nA=1\n[Foo]\nB=1\n[Install]\nWantedBy=x\n");
	when_loaded(w);
	then_noted(w, "a", "a.service:1: `Early=1`: it stands before the first [section]; expected [Unit] or");
	then_noted(w, "a", "a.service:3: Restart= belongs into [Service], not [Unit]: ignored");
	then_noted(w, "a", "a.service:7: RestartSecs= is not a directive; did you mean RestartSec=?");
	then_noted(w, "a", "a.service:8: Colour= is not a directive of [Service]: ignored");
	then_noted(w, "a", "a.service:9: `nonsense`: there is no `=` in it; expected NAME=VALUE: ignored");
	then_noted(w, "a", "a.service:16: [Foo] is not a section of a service");
	then_noted(w, "a", "a.service: not enforced: PrivateTmp= (line 10), ProtectHome= (line 11)");
	then_noted(w, "a", "a.service: not yet, no effect: Slice= (line 13)");
	size_t n_lines = 0;
	for (const char *p = w->said; (p = strchr(p, '\n')); p++)
		n_lines++;
	assert_int_equal(n_lines, 8);
	assert_false(unit_of(w, "a")->flags & UNIT_BROKEN);
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

/* 30, 33 */
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
	given(w, "t.target", RUN "RestartSec=2h\nUMask=0077\n");
	given(w, "a.service", "[Unit]\nRequires=gone.target t.target x.slice\n" RUN);
	when_loaded(w);
	then_noted(w, "t.target", "t.target:1: [Service] is not a section of a target ([Unit], [Install]): ignored");
	assert_int_equal(unit_of(w, "t.target")->restart_ms, BACKOFF_FIRST_MS);
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
	given(w, "a.service", "[Unit]\nAssertPathExists=/z\nConditionPathExists=|!/etc//%p/.\nConditionVirtualization=! container\n"
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

static void a_condition_that_makes_no_sense_is_told_of(void **state)
{
	struct world *w = *state;
	given(w, "a.service", "[Unit]\nConditionPathExists=!relative\nConditionFirstBoot=maybe\nConditionPathExists=! /blank\n"
		     "ConditionPathIsEncrypted=/x\n" RUN);
	when_loaded(w);
	then_noted(w, "a", "a.service:2: ConditionPathExists=!relative: expected an absolute path, perhaps with | or ! in front");
	then_noted(w, "a", "a.service:3: ConditionFirstBoot=maybe: expected yes or no");
	then_noted(w, "a", "a.service:4: ConditionPathExists=! /blank: expected an absolute path");
	then_noted(w, "a", "not yet, no effect: ConditionPathIsEncrypted= (line 5)");
	assert_string_equal(checks_of(w, "a"), "ConditionFirstBoot=maybe");     /* never met, which is not the same as not asked */
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
	assert_string_equal(names_of(w, unit_of(w, "a"), EDGE_AFTER), "oomph-net,sysinit.target");

	given(w, "oomph-net.service", RUN);
	when_loaded_from(w, "--vm", w->folder, NULL);
	assert_false(unit_of(w, "oomph-net")->flags & UNIT_HELPER);
	assert_string_equal(commands_of(w, unit_of(w, "oomph-net"), EXEC_START), "/bin/true [/bin/true]");
	assert_string_equal(names_of(w, unit_of(w, "a"), EDGE_AFTER), "oomph-net,sysinit.target");
	when_loaded_from(w, "--container", w->folder, NULL);
	assert_string_equal(names_of(w, unit_of(w, "a"), EDGE_AFTER), "");
}

/* As systemd-tmpfiles-setup.service: once the disks are there, and before every service but those of early boot. */
static void on_a_machine_files_come_before_sysinit(void **state)
{
	struct world *w = *state;
	given(w, "a.service", RUN);
	given(w, "disk.service", "[Unit]\nDefaultDependencies=no\nBefore=local-fs.target\n" RUN);
	given(w, "early.service", "[Unit]\nDefaultDependencies=no\nAfter=systemd-tmpfiles-setup.service\n" RUN);
	when_loaded_from(w, "--vm", w->folder, NULL);
	then_silent(w);
	const struct unit *tmpfiles = unit_of(w, "oomph-tmpfiles");
	assert_int_equal(tmpfiles->flags & (UNIT_HELPER | UNIT_WANTED), UNIT_HELPER | UNIT_WANTED);
	assert_string_equal(names_of(w, tmpfiles, EDGE_AFTER), "local-fs.target");
	assert_string_equal(names_of(w, unit_of(w, "sysinit.target"), EDGE_AFTER), "local-fs.target,oomph-tmpfiles");
	assert_string_equal(names_of(w, unit_of(w, "a"), EDGE_AFTER), "local-fs.target,oomph-net,sysinit.target");
	assert_string_equal(names_of(w, unit_of(w, "disk"), EDGE_AFTER), "oomph-net");
	assert_string_equal(names_of(w, unit_of(w, "early"), EDGE_AFTER), "oomph-net,oomph-tmpfiles");
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

static void check_tells_what_becomes_of_each_line(void **state)
{
	struct world *w = *state;
	static const struct { const char *lines, *told; } rows[] = {
		{ RUN "TimeoutStopSec=5s\n", "3: honoured: TimeoutStopSec=" },
		{ RUN "ExecStop=/bin/grep '\\w'\n", "3: honoured: ExecStop=: `\\w` has an escape that means nothing" },
		{ RUN "StandardError=journal\n", "3: approximated: StandardError=journal: there is no oomph-log: goes to the console" },
		{ RUN "Type=idle\n", "3: honoured: Type=" },
		{ RUN "FailureAction=reboot-force\n", "3: approximated: FailureAction=reboot-force: taken as reboot" },
		{ RUN "FileDescriptorStoreMax=4224\n", "3: approximated: FileDescriptorStoreMax=4224: taken as 512" },
		{ RUN "X-NotifyFD=3\n", "3: honoured: X-NotifyFD=" },
		{ RUN "PrivateTmp=yes\n", "3: not enforced: PrivateTmp=: the service can see and change what others have in" },
		{ RUN "PrivateTmp=no\n", "3: honoured: PrivateTmp=" },
		{ RUN "[Unit]\nDocumentation=man:x\n", "4: ignored: Documentation=: nothing is lost" },
		{ RUN "Slice=x.slice\n", "3: ignored: Slice=: is not yet there" },
		{ RUN "X-Own=1\n", "3: ignored: X-Own=: is for others" },
		{ RUN "Restart=maybe\n", "3: error: Restart=maybe: expected no, on-success" },
		{ RUN "Restrat=no\n", "3: error: Restrat= is not a directive; did you mean Restart=?" },
		{ RUN "nonsense\n", "3: error: `nonsense`: there is no `=` in it" },
	};
	char path[64], line[256];
	snprintf(path, sizeof path, "%s/a.service", w->folder);
	given_loader(w, false);
	for (size_t i = 0; i < countof(rows); i++) {
		given(w, "a.service", rows[i].lines);
		bool is_wrong = strstr(rows[i].told, ": error: ");
		assert_int_equal(run(w, (char *[]){ "oomph-load", "--check", path, NULL }), is_wrong);
		snprintf(line, sizeof line, "%s:%s", path, rows[i].told);
		then_said(w, line);
		snprintf(line, sizeof line, "%s: ok\n", path);
		assert_int_equal(strstr(w->said, line) == NULL, is_wrong);
	}
}

static void check_reads_several_files(void **state)
{
	struct world *w = *state;
	char good[64], bad[64], template[64], line[128];
	snprintf(good, sizeof good, "%s/good.service", w->folder);
	snprintf(bad, sizeof bad, "%s/bad.service", w->folder);
	snprintf(template, sizeof template, "%s/t@.service", w->folder);
	given(w, "good.service", RUN);
	given(w, "bad.service", "[Service]\nType=simple\n");
	given(w, "t@.service", RUN "User=%i\nEnvironment=A=%i\n");
	assert_int_equal(run(w, (char *[]){ "oomph-load", "--check", bad, good, NULL }), 1);
	snprintf(line, sizeof line, "%s: error: there is no ExecStart=: the unit is left out\n", bad);
	then_said(w, line);
	snprintf(line, sizeof line, "%s: ok\n", good);
	then_said(w, line);
	run(w, (char *[]){ "oomph-load", "--check", template, NULL });
	then_said(w, "t@.service:4: honoured: Environment=\n");
	then_said(w, "User=instance: there is no such user");

	assert_int_equal(mkdir(path_of(w, "good.service.d"), 0755), 0);
	given(w, "good.service.d/x.conf", "[Service]\nNice=100\n");
	assert_int_equal(run(w, (char *[]){ "oomph-load", "--check", good, NULL }), 1);
	snprintf(line, sizeof line, "%s.d/x.conf:2: error: Nice=100: expected a number from -20 to 19", good);
	then_said(w, line);
	assert_int_equal(run(w, (char *[]){ "oomph-load", "--check", "/no/such/file.service", NULL }), 1);
	then_said(w, "/no/such/file.service: error: cannot be read: No such file");
	given(w, "good.service", "");
	assert_int_equal(run(w, (char *[]){ "oomph-load", "--check", good, NULL }), 0);
	then_said(w, "good.service: ignored: the unit is masked");
}

/* Not one that is run, and read all the same. */
static void check_reads_timers(void **state)
{
	struct world *w = *state;
	static const struct { const char *lines, *told; } rows[] = {
		{ "[Timer]\nOnCalendar=Sun *-*-1..7 1:00 utc\n", "2: ignored: OnCalendar=Sun *-*-01..07 01:00:00 UTC: is not yet there; the next would be Sun 2" },
		{ "[Timer]\nOnCalendar=1970-1-1\n", "2: ignored: OnCalendar=1970-01-01 00:00:00: is not yet there; it would never elapse\n" },
		{ "[Timer]\nOnCalendar=\n", "2: ignored: OnCalendar=: is not yet there\n" },
		{ "[Timer]\nOnCalendar=often\n", "2: error: OnCalendar=often: expected a calendar expression such as daily" },
		{ "[Timer]\nOnCalendar=24:00\n", "2: error: OnCalendar=24:00: expected hours from 0 to 23" },
		{ "[Timer]\nOnCalendar=daily Mars\n", "2: error: OnCalendar=daily Mars: expected a time zone of /usr/share/zoneinfo, or UTC, and not Mars" },
		{ "[Timer]\nOnBootSec=15min\n", "2: ignored: OnBootSec=: is not yet there\n" },
		{ "[Timer]\nAccuracySec=soon\n", "2: error: AccuracySec=soon: expected a time such as 5s" },
		{ "[Timer]\nPersistent=perhaps\n", "2: error: Persistent=perhaps: expected yes or no" },
		{ "[Timer]\nOnCalender=daily\n", "2: error: OnCalender= is not a directive; did you mean OnCalendar=?" },
		{ "[Service]\n", "1: error: [Service] is not a section of a timer ([Unit], [Timer], [Install])" },
	};
	char path[64], line[256];
	snprintf(path, sizeof path, "%s/a.timer", w->folder);
	for (size_t i = 0; i < countof(rows); i++) {
		given(w, "a.timer", rows[i].lines);
		assert_int_equal(run(w, (char *[]){ "oomph-load", "--check", path, NULL }), 1);
		snprintf(line, sizeof line, "%s: error: not yet: only .service and .target units are run\n", path);
		then_said(w, line);
		snprintf(line, sizeof line, "%s:%s", path, rows[i].told);
		then_said(w, line);
	}
	given(w, "a.service", "[Timer]\nOnCalendar=daily\n" RUN);
	when_loaded(w);
	then_said(w, "a.service:1: [Timer] is not a section of a service ([Unit], [Service], [Install]): ignored");
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
		TEST(a_quota_is_of_a_period),
		TEST(a_wrong_value_leaves_the_one_before),
		TEST(names_of_older_systemds_work),
		TEST(defaults_follow_the_type),
		TEST(a_life_is_read_with_all_its_ends),
		TEST(backoff_is_ours_unless_the_unit_has_its_own),
		TEST(a_share_is_of_what_this_machine_has),
		TEST(texts_and_names_of_units_are_taken_as_they_stand),
		TEST(zero_is_no_limit_for_some_times_only),
		TEST(sizes_and_numbers_of_the_cgroup_are_read_as_systemd_reads_them),
		TEST(enumerations_are_read_as_systemd_reads_them),
		TEST(specifiers_come_from_the_name),
		TEST(an_account_without_a_shell_has_no_such_variable),
		TEST(what_systemd_has_and_we_have_not_is_taken_for_something_near),
		TEST(command_lines_are_read_as_systemd_reads_them),
		TEST(a_bad_command_that_may_fail_goes_alone),
		TEST(an_empty_assignment_clears_the_list),
		TEST(environments_are_read_as_systemd_reads_them),
		TEST(a_unit_may_set_its_own_path),
		TEST(patterns_of_environment_files_are_resolved_in_order),
		TEST(a_user_becomes_numbers_and_environment),
		TEST(a_plain_unit_has_no_context),
		TEST(capability_sets_add_up_as_in_systemd),
		TEST(the_rest_of_the_context_arrives),
		TEST(folders_stand_sorted_below_their_bases),
		TEST(dynamic_users_get_a_number_each),
		TEST(credentials_arrive),
		TEST(scheduling_and_its_like_arrive),
		TEST(input_and_terminal_arrive),
		TEST(what_cannot_start_stays_in_the_set_and_says_why),
		TEST(a_stop_command_alone_is_enough_for_a_oneshot_that_remains),
		TEST(what_is_no_file_does_not_stop_the_others),
		TEST(other_files_are_passed_over),
		TEST(unknown_keys_and_sections_get_one_line_each),
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
		TEST(a_condition_that_makes_no_sense_is_told_of),
		TEST(a_requirement_that_cannot_be_met_is_flagged),
		TEST(a_cycle_is_told_link_by_link_and_opened),
		TEST(on_a_machine_the_network_comes_first),
		TEST(on_a_machine_files_come_before_sysinit),
		TEST(a_set_that_cannot_be_written_is_a_failure),
		TEST(check_tells_what_becomes_of_each_line),
		TEST(check_reads_several_files),
		TEST(check_reads_timers),
		TEST(a_thousand_units_fit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
