/* How a process ended, and what is known of why. */
#include "say.h"

#include <signal.h>
#include <string.h>

#include "names.h"

#define SYSEXITS_FIRST 64       /* EX_USAGE of sysexits.h */

/* A child of the service was killed by the kernel, and nobody waited for it: code stays 0. */
static bool is_wound(const struct death *d)
{
	return !d->is_main && d->cause == CAUSE_OOM_KILL && d->code == 0;
}

static const char *step_setting(unsigned step)
{
	return step < N_LAUNCH_STEP ? launch_step_info[step].setting : "an unknown step";
}

void say_warning(struct buf *b, unsigned step, int error)
{
	struct str setting = str_from(step_setting(step));
	buf_str(b, setting);
	buf_str(b, str_from(str_ends(setting, STR("=")) ? " could not be applied: " : " could not be set up: "));
	say_error(b, error);
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
