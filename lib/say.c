#include "say.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "names.h"

#define SYSEXITS_FIRST 64       /* EX_USAGE of sysexits.h */

/* ---- small words ---- */

static void tenths(struct buf *b, uint64_t v)
{
	buf_u64(b, v / 10);
	if (v % 10) {
		buf_char(b, '.');
		buf_u64(b, v % 10);
	}
}

static void two(struct buf *b, uint64_t high, struct str high_unit, uint64_t low, struct str low_unit)
{
	buf_u64(b, high);
	buf_str(b, high_unit);
	if (low == 0)
		return;
	buf_char(b, ' ');
	buf_u64(b, low);
	buf_str(b, low_unit);
}

void say_ms(struct buf *b, uint64_t ms)
{
	uint64_t s = ms / 1000, min = s / 60, h = min / 60, d = h / 24;
	if (d)
		two(b, d, STR(" d"), h % 24, STR(" h"));
	else if (h)
		two(b, h, STR(" h"), min % 60, STR(" min"));
	else if (min)
		two(b, min, STR(" min"), s % 60, STR(" s"));
	else if (s) {
		tenths(b, ms / 100);
		buf_lit(b, " s");
	} else {
		buf_u64(b, ms);
		buf_lit(b, " ms");
	}
}

/* Three figures are enough: 30.2 MB, 412 MB. */
void say_kb(struct buf *b, uint64_t kb)
{
	static const char *const units[] = { " kB", " MB", " GB", " TB" };
	uint64_t whole = kb, rest = 0;          /* rest: 1024ths of the unit */
	size_t unit = 0;
	while (unit + 1 < countof(units) && whole >= 1024 - (rest >= 512)) {
		rest = whole % 1024;
		whole /= 1024;
		unit++;
	}
	if (whole >= 100)
		buf_u64(b, whole + (rest >= 512));
	else
		tenths(b, whole * 10 + (rest * 10 + 512) / 1024);
	buf_str(b, str_from(units[unit]));
}

void say_raw(struct buf *b, struct str raw)
{
	static const char hex[] = "0123456789abcdef";
	for (size_t i = 0; i < raw.n; i++) {
		unsigned char c = (unsigned char)raw.p[i];
		if (c >= ' ' && c <= '~' && c != '\\') {
			buf_char(b, (char)c);
			continue;
		}
		buf_lit(b, "\\x");
		buf_char(b, hex[c >> 4]);
		buf_char(b, hex[c & 15]);
	}
}

struct str say_unit(const char *unit)
{
	struct str name = str_from(unit), suffix = STR(".service");
	return str_ends(name, suffix) ? str_of(name.p, name.n - suffix.n) : name;
}

/* What a launch, a cgroup file or oomph-load's start can meet. Our own table: lib/ calls nobody, strerror(3) neither. */
static const struct {
	int error;
	const char *words;
} errors[] = {
	{ EPERM, "operation not permitted" }, { ENOENT, "no such file or directory" }, { ESRCH, "no such process" },
	{ EINTR, "interrupted" }, { EIO, "input/output error" }, { E2BIG, "arguments and environment are too long" },
	{ ECHILD, "the program that does it failed" },
	{ ENOEXEC, "not in an executable format" }, { EBADF, "bad file descriptor" },
	{ EAGAIN, "resource temporarily unavailable" }, { ENOMEM, "out of memory" }, { EACCES, "permission denied" },
	{ EBUSY, "busy" }, { EEXIST, "exists already" }, { ENODEV, "no such device" }, { ENOTDIR, "not a directory" },
	{ EISDIR, "is a directory" }, { EINVAL, "invalid argument" }, { ENFILE, "too many open files in the system" },
	{ EMFILE, "too many open files" }, { ENOTTY, "not a terminal" }, { ETXTBSY, "the file is being written to" },
	{ ENOSPC, "no space left" }, { EROFS, "read-only file system" }, { ENAMETOOLONG, "name too long" },
	{ ENOSYS, "the kernel does not have it" }, { ELOOP, "too many symbolic links" },
	{ ENXIO, "no such device or address" },
	{ ELIBBAD, "its program interpreter is broken" }, { EOPNOTSUPP, "not supported" }, { ETIMEDOUT, "it took too long" },
	{ EDQUOT, "quota exceeded" }, { ERANGE, "out of range" }, { EPROTO, "not what was expected" },
};

void say_error(struct buf *b, int error)
{
	for (size_t i = 0; i < countof(errors); i++)
		if (errors[i].error == error) {
			buf_str(b, str_from(errors[i].words));
			return;
		}
	buf_lit(b, "error ");
	buf_i64(b, error);
}

/* ---- deaths ---- */

/* A child of the service was killed by the kernel, and nobody waited for it: code stays 0. */
static bool is_wound(const struct death *d)
{
	return !d->is_main && d->cause == CAUSE_OOM_KILL && d->code == 0;
}

static const char *step_setting(unsigned step)
{
	return step < N_LAUNCH_STEP ? launch_step_info[step].setting : "an unknown step";
}

static void say_sender(struct buf *b, const struct sender *s)
{
	if (s->pid == 0)
		return;
	buf_lit(b, " from pid ");
	buf_u64(b, s->pid);
	buf_lit(b, " (");
	say_raw(b, str_from(s->comm));
	buf_lit(b, "), uid ");
	buf_u64(b, s->uid);
}

/*
 * systemd.exec(5), "Process Exit Codes", as systemctl(1) writes them: 217/USER. Not those below sysexits.h's: every program
 * has its own meaning for them.
 */
static void say_status_name(struct buf *b, int status)
{
	const char *name = status >= SYSEXITS_FIRST ? exit_status_name(status) : NULL;
	if (!name)
		return;
	buf_char(b, '/');
	buf_str(b, str_from(name));
}

static void say_end(struct buf *b, const struct death *d)
{
	if (d->code == CLD_EXITED) {
		buf_lit(b, "exited with status ");
		buf_u64(b, d->status);
		say_status_name(b, d->status);
		return;
	}
	buf_lit(b, "killed by ");
	buf_str(b, str_from(signal_name(d->status)));
	say_sender(b, &d->sender);
	if (d->code == CLD_DUMPED)
		buf_lit(b, ", core dumped");
}

static void say_start_failed(struct buf *b, const struct death *d)
{
	int status = d->launch_step < N_LAUNCH_STEP ? launch_step_info[d->launch_step].status : 0;
	buf_lit(b, "could not be started: ");
	buf_str(b, str_from(step_setting(d->launch_step)));
	buf_lit(b, ": ");
	say_error(b, d->launch_error);
	if (status) {
		buf_lit(b, " (");
		buf_u64(b, (uint64_t)status);
		say_status_name(b, status);
		buf_lit(b, ")");
	}
}

static void say_doubt(struct buf *b, unsigned doubt)
{
	static const char *const words[N_DOUBT] = {
		[DOUBT_NONE] = "there is no record of an OOM kill",
		[DOUBT_HELD] = "whether the OOM killer sent it is not known yet",
		[DOUBT_NO_WITNESS] = "an OOM kill is possible: there is no kernel log to read, and nothing that counts OOM kills",
		[DOUBT_ANYBODYS] = "an OOM kill is possible: one was counted, but among processes of others, too",
		[DOUBT_FEWER] = "an OOM kill is possible: fewer were counted than processes died, and nothing says which of them",
	};
	buf_lit(b, "; ");
	buf_str(b, str_from(doubt < N_DOUBT ? words[doubt] : "?"));
}

void say_cause(struct buf *b, const struct death *d)
{
	switch (d->cause) {
	case CAUSE_OOM_KILL:
		buf_lit(b, "killed by the kernel's OOM killer");
		break;
	case CAUSE_START_FAILED:
		say_start_failed(b, d);
		break;
	case CAUSE_STOP:
		say_end(b, d);
		buf_lit(b, " when told to stop");
		break;
	case CAUSE_TIMEOUT:
		say_end(b, d);
		buf_lit(b, " because it took too long");
		break;
	case CAUSE_WATCHDOG:
		say_end(b, d);
		buf_lit(b, " because its watchdog ran out");
		break;
	default:
		say_end(b, d);
		if (d->cause == CAUSE_SIGNAL && d->status == SIGKILL)
			say_doubt(b, d->doubt);
		break;
	}
}

/* The cgroup whose limit was hit is the service's own: its last component is the unit's name. */
static bool is_own_limit(const struct death *d)
{
	struct str path = str_from(d->oom.memcg), unit = str_from(d->unit);
	return unit.n && path.n > unit.n && !d->oom.is_memcg_cut && str_ends(path, unit) &&
		path.p[path.n - unit.n - 1] == '/';
}

static void say_path(struct buf *b, const char *path, bool is_cut)
{
	say_raw(b, str_from(path));
	if (is_cut)
		buf_lit(b, "...");
}

static void say_limit(struct buf *b, const struct death *d)
{
	const struct oom_kill *k = &d->oom;
	if (is_own_limit(d) && d->memory_max < KNOB_INFINITY) {
		buf_lit(b, "its cgroup's MemoryMax of ");
		say_kb(b, d->memory_max / 1024);
	} else if (is_own_limit(d)) {
		buf_lit(b, "the limit of its own cgroup");
	} else if (k->memcg[0]) {
		buf_lit(b, "the limit of cgroup ");
		say_path(b, k->memcg, k->is_memcg_cut);
	} else {
		buf_lit(b, "the limit of a cgroup");
	}
	buf_lit(b, " was reached");
}

/* mm/oom_kill.c, constrained_alloc(): a global OOM may be one of the nodes that the asker was held to. */
static void say_global(struct buf *b, const struct oom_kill *k)
{
	struct str constraint = str_from(k->constraint);
	if (str_eq(constraint, STR("CONSTRAINT_CPUSET")))
		buf_lit(b, "the memory nodes of a cpuset were out of memory");
	else if (str_eq(constraint, STR("CONSTRAINT_MEMORY_POLICY")))
		buf_lit(b, "the memory nodes of a memory policy were out of memory");
	else
		buf_lit(b, "the machine was out of memory");
}

void say_reason(struct buf *b, const struct death *d)
{
	const struct oom_kill *k = &d->oom;
	if (d->cause != CAUSE_OOM_KILL)
		return;
	if (k->is_manual)
		buf_lit(b, "somebody asked for it (sysrq f)");
	else if (k->scope == OOM_GLOBAL)
		say_global(b, k);
	else if (k->scope == OOM_MEMCG)
		say_limit(b, d);
}

void say_evidence(struct buf *b, const struct death *d)
{
	static const struct {
		uint8_t bit;
		const char *words;
	} counts[] = {
		{ EVIDENCE_MEMORY_EVENTS, "memory.events" }, { EVIDENCE_OOM_CONTROL, "memory.oom_control" }, { EVIDENCE_VMSTAT, "vmstat" },
	};
	size_t n_before = b->n;
	if (d->evidence & EVIDENCE_KMSG) {
		buf_lit(b, "kernel log record ");
		buf_u64(b, d->oom.seq);
	}
	for (size_t i = 0; i < countof(counts); i++) {
		if (!(d->evidence & counts[i].bit))
			continue;
		if (b->n > n_before)
			buf_lit(b, ", ");
		buf_str(b, str_from(counts[i].words));
	}
}

static void add_told(uint64_t *sum, uint64_t kb)
{
	if (kb != KMSG_UNTOLD_KB)
		*sum += kb;
}

static void say_share(struct buf *b, const struct oom_kill *k)
{
	uint64_t kb = 0;
	if (k->anon_rss_kb == KMSG_UNTOLD_KB)
		return;
	add_told(&kb, k->anon_rss_kb);
	add_told(&kb, k->file_rss_kb);
	add_told(&kb, k->shmem_rss_kb);
	buf_lit(b, ", its own share ");
	say_kb(b, kb);
}

/* Clauses of an OOM kill, each with its separator in front, so that one left out leaves no hole. */
static void say_oom(struct buf *b, const struct death *d)
{
	const struct oom_kill *k = &d->oom;
	char room[256];
	struct buf reason = BUF(room);
	say_reason(&reason, d);
	if (reason.n) {
		buf_lit(b, ": ");
		buf_str(b, buf_view(&reason));
	}
	say_share(b, k);
	if (k->oom_score_adj != KMSG_UNTOLD_ADJ) {
		buf_lit(b, ", oom_score_adj ");
		buf_i64(b, k->oom_score_adj);
	}
	if (k->is_group)
		buf_lit(b, ", its whole cgroup was killed with it");
	if (k->is_sharer)
		buf_lit(b, ", it shared memory with the victim");
	if (k->is_allocating_task)
		buf_lit(b, ", it was the one that asked for memory");
}

static void say_who(struct buf *b, const struct death *d)
{
	if (is_wound(d))
		buf_str(b, str_from(d->pid ? "worker " : "a worker"));
	else if (!d->is_main && d->cause != CAUSE_START_FAILED)
		buf_lit(b, "command ");
	if (d->pid) {
		buf_lit(b, "pid ");
		buf_u64(b, d->pid);
	}
	if (d->comm[0]) {
		buf_lit(b, " (");
		say_raw(b, str_from(d->comm));
		buf_char(b, ')');
	}
	if (d->pid || is_wound(d))
		buf_char(b, ' ');
}

void say_death(struct buf *b, const struct death *d)
{
	buf_str(b, say_unit(d->unit));
	buf_lit(b, ": ");
	if (d->cause == CAUSE_START_FAILED) {
		say_cause(b, d);
		return;
	}
	say_who(b, d);
	say_cause(b, d);
	if (d->cause == CAUSE_OOM_KILL)
		say_oom(b, d);
	if (d->has_oom_besides)
		buf_lit(b, "; the kernel's OOM killer was at work in its cgroup as well");
	if (is_wound(d)) {
		buf_lit(b, "; the main process lives on");
	} else if (d->is_main) {
		buf_lit(b, "; had lived ");
		say_ms(b, d->uptime_ms);
	}
	if (d->evidence) {
		buf_lit(b, ". Evidence: ");
		say_evidence(b, d);
	}
	buf_char(b, '.');
}

/* The service's name is not told to a kernel log, but the last part of its cgroup's path is mostly that. */
static void take_cgroup_name(struct death *d, const struct oom_kill *k)
{
	struct str path = str_from(k->task_memcg);
	size_t slash = str_rfind(path, STR("/"));
	struct str name = str_skip(path, slash + 1);
	if (slash < path.n && name.n < sizeof d->unit && !k->is_task_memcg_cut && !k->is_task_memcg_above)
		memcpy(d->unit, name.p, name.n);
}

void say_kill(struct buf *b, const struct oom_kill *k)
{
	struct death d = { .cause = CAUSE_OOM_KILL, .is_main = true, .pid = k->pid, .memory_max = KNOB_INFINITY, .oom = *k };
	memcpy(d.comm, k->comm, sizeof d.comm);
	take_cgroup_name(&d, k);
	if (d.unit[0]) {
		say_raw(b, say_unit(d.unit));
		buf_lit(b, ": ");
	}
	say_who(b, &d);
	say_cause(b, &d);
	say_oom(b, &d);
	buf_char(b, '.');
}

/* ---- notes ---- */

void say_unmet(struct buf *b, struct str line)
{
	bool is_trigger = str_find(line, STR("=|")) < line.n;
	say_raw(b, line.n ? line : STR("a condition"));
	buf_str(b, is_trigger ? STR(" is not met, nor any other with |") : STR(" is not met"));
}

static void say_done(struct buf *b, const struct note *n)
{
	if (n->value != RESULT_CONDITION) {
		buf_lit(b, "done");
		return;
	}
	buf_lit(b, "not started: ");
	say_unmet(b, str_from(n->unmet));
}

static void say_failed(struct buf *b, const struct note *n)
{
	static const char *const words[N_RESULT] = {
		[RESULT_RESOURCES] = "no process could be made",
		[RESULT_DEPENDENCY] = "a unit that it requires is not to be had",
		[RESULT_START_LIMIT] = "started too often, its StartLimitBurst= is reached",
		[RESULT_BAD_SETTING] = "its unit file cannot be used",
		[RESULT_EXEC_CONDITION] = "its ExecCondition= said no",
		[RESULT_PROTOCOL] = "it left without having said that it is ready",
	};
	unsigned result = n->value;
	buf_lit(b, "failed (");
	if (result == RESULT_ASSERT)
		say_unmet(b, str_from(n->unmet));
	else
		buf_str(b, str_from(result >= N_RESULT ? "?" : words[result] ? words[result] : result_name[result]));
	buf_lit(b, ") and stays down");
}

void say_warning(struct buf *b, unsigned step, int error)
{
	struct str setting = str_from(step_setting(step));
	buf_str(b, setting);
	buf_str(b, str_from(str_ends(setting, STR("=")) ? " could not be applied: " : " could not be set up: "));
	say_error(b, error);
}

static void say_power(struct buf *b, unsigned power)
{
	static const char *const words[N_POWER] = {
		[POWER_OFF] = "powering off", [POWER_REBOOT] = "rebooting", [POWER_HALT] = "halting", [POWER_EXIT] = "leaving",
	};
	buf_str(b, str_from(power < N_POWER ? words[power] : "going down"));
}

static void say_backoff(struct buf *b, uint32_t ms)
{
	if (ms == 0) {
		buf_lit(b, "starts again now");
		return;
	}
	buf_lit(b, "starts again in ");
	say_ms(b, ms);
}

static void say_upgraded(struct buf *b, uint32_t after_ms)
{
	if (after_ms == FOREVER_MS) {
		buf_lit(b, "the new PID 1 failed, and the one before is back");
		return;
	}
	buf_lit(b, "another PID 1 has taken over, within ");
	say_ms(b, after_ms);
}

static void say_crashed(struct buf *b, const struct note *n)
{
	buf_lit(b, "PID 1 crashed (");
	buf_str(b, str_from(signal_name((int)n->value)));
	buf_lit(b, ")");
	if (n->event < N_EVENT_KIND) {
		buf_lit(b, " in the event `");
		buf_str(b, str_from(event_kind_name[n->event]));
		buf_lit(b, "`");
	}
	buf_lit(b, " and came back");
	if (n->is_dropped)
		buf_str(b, str_from(n->unit[0] ? ": for the second time, so that is dropped, and the service put aside as failed" :
				    ": for the second time, so that is dropped"));
}

static void say_bug(struct buf *b, const struct note *n)
{
	buf_lit(b, "a bug of oomph: ");
	buf_str(b, str_from(n->event < N_SERVICE_EVENT ? service_event_name[n->event] : "?"));
	buf_lit(b, " cannot be in state ");
	buf_str(b, str_from(n->state < N_STATE ? state_name[n->state] : "?"));
	buf_lit(b, "; put aside as failed");
}

static void say_load_failed(struct buf *b, uint32_t error)
{
	buf_lit(b, "the units could not be loaded");
	if (error == 0)
		return;
	buf_lit(b, ": ");
	say_error(b, (int)error);
}

static void say_counted(struct buf *b, struct str before, uint64_t number, struct str behind)
{
	buf_str(b, before);
	buf_u64(b, number);
	buf_str(b, behind);
}

static const char *const plain_notes[N_NOTE_KIND] = {
	[NOTE_STARTING] = "starting", [NOTE_STOPPING] = "stopping", [NOTE_IDLE] = "stopped",
	[NOTE_RELOADING] = "reloading",
	[NOTE_KMSG_LOST] = "the kernel log was overrun, records are lost; memory.events still counts OOM kills",
};

static void say_what(struct buf *b, const struct note *n)
{
	switch (n->kind) {
	case NOTE_UP:
		buf_lit(b, "up after ");
		say_ms(b, n->value);
		if (n->pid)
			say_counted(b, STR(" (pid "), n->pid, STR(")"));
		break;
	case NOTE_DEATH:
		say_counted(b, STR("death "), n->death, STR(""));
		break;
	case NOTE_AMENDED:
		say_counted(b, STR("more is known of death "), n->death, STR(""));
		break;
	case NOTE_BACKOFF:
		say_backoff(b, n->value);
		break;
	case NOTE_FAILED:
		say_failed(b, n);
		break;
	case NOTE_DONE:
		say_done(b, n);
		break;
	case NOTE_WARNING:
		say_warning(b, n->step, (int)n->value);
		break;
	case NOTE_UNITS:
		say_counted(b, STR(""), n->value, n->value == 1 ? STR(" unit in force") : STR(" units in force"));
		break;
	case NOTE_LOAD_FAILED:
		say_load_failed(b, n->value);
		break;
	case NOTE_SYSTEM:
		say_power(b, n->value);
		break;
	case NOTE_BUG:
		say_bug(b, n);
		break;
	case NOTE_UPGRADED:
		say_upgraded(b, n->value);
		break;
	case NOTE_CRASHED:
		say_crashed(b, n);
		break;
	default:
		buf_str(b, str_from(n->kind < N_NOTE_KIND ? plain_notes[n->kind] : "?"));
		break;
	}
}

void say_note(struct buf *b, const struct note *n)
{
	if (n->unit[0]) {
		buf_str(b, say_unit(n->unit));
		buf_lit(b, ": ");
	}
	say_what(b, n);
}
