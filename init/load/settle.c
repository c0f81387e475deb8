#include "load.h"
#include "lib/names.h"

#include <math.h>
#include <string.h>

#define PATH_DEFAULT "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define GROWTH_NONE 65536u

void environment_add(struct list *environment, struct str assignment)
{
	struct str name = str_of(assignment.p, str_chr(assignment, '=') + 1);

	for (uint32_t i = 0; i < environment->n; i++)
		if (str_starts(LIST_AT(*environment, struct str, i), name)) {
			LIST_AT(*environment, struct str, i) = assignment;
			return;
		}
	list_add_str(environment, assignment);
}

/* ExecSearchPath= is also what PATH holds, unless Environment= says otherwise. */
static struct str path_variable(const struct draft *d)
{
	return d->search_path.n ? keep_print("PATH=%.*s", STR_ARG(list_joined(&d->search_path, STR(":")))) : STR(PATH_DEFAULT);
}

/* PassEnvironment= of what Environment= sets has no say: the unit's own word is later in systemd's order. */
static void drop_name(struct list *names, struct str name)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < names->n; i++)
		if (!str_eq(LIST_AT(*names, struct str, i), name))
			LIST_AT(*names, struct str, n++) = LIST_AT(*names, struct str, i);
	names->n = n;
}

/* What the manager gives stands first, so that Environment= can override it. */
static void settle_environment(struct draft *d)
{
	struct list own = d->environment;

	d->environment = (struct list){ .n = 0 };
	list_add_str(&d->environment, path_variable(d));
	for (uint32_t i = 0; i < d->host->locale.n; i++)
		list_add_str(&d->environment, LIST_AT(d->host->locale, struct str, i));
	account_resolve(d);
	folders_tell(d);
	stdio_settle(d);
	for (uint32_t i = 0; i < own.n; i++) {
		struct str assignment = LIST_AT(own, struct str, i);
		environment_add(&d->environment, assignment);
		drop_name(&d->pass_environment, str_of(assignment.p, str_chr(assignment, '=')));
	}
}

/* Which `!` in front of it says a part of. */
static void make_privileged(struct draft_command *c)
{
	c->flags = (c->flags | COMMAND_PRIVILEGED) & ~(uint32_t)COMMAND_KEEPS_USER;
}

/* Deprecated, and what `+` in front of every command but ExecStart= says (systemd.service(5) of v252). */
static void settle_commands(struct draft *d)
{
	for (int list = 0; list < N_EXEC_LIST && d->switches[SWITCH_START_ONLY] == SAID_YES; list++)
		for (uint32_t i = 0; i < d->exec[list].n && list != EXEC_START; i++)
			make_privileged(&LIST_AT(d->exec[list], struct draft_command, i));
}

/*
 * systemd.service(5): RestartSec= alone never grows; with RestartSteps= it grows to RestartMaxDelaySec= in that many
 * equal factors. With nothing set our own backoff stands as unit_defaults() has it.
 */
static void settle_restart(struct draft *d)
{
	struct unit *u = &d->unit;
	struct unit defaults;
	bool has_steps = d->n_steps > 0 && d->has_restart_max;

	unit_defaults(&defaults);
	if ((d->n_steps > 0) != d->has_restart_max)
		complain(d, 0, "RestartSteps= and RestartMaxDelaySec= need each other: without effect");
	if (!has_steps && !d->has_restart_sec) {
		u->restart_max_ms = defaults.restart_max_ms;
		return;
	}
	u->flags &= ~UNIT_JITTER;
	u->restart_growth = GROWTH_NONE;
	if (!has_steps || u->restart_ms == 0 || u->restart_max_ms == FOREVER_MS || u->restart_max_ms <= u->restart_ms)
		u->restart_max_ms = u->restart_ms;
	else
		u->restart_growth = (uint32_t)fmin(UINT32_MAX, round(GROWTH_NONE *
			pow((double)u->restart_max_ms / u->restart_ms, 1.0 / d->n_steps)));
}

static void settle_type(struct draft *d)
{
	struct unit *u = &d->unit;

	/* systemd.service(5) Type=: what it is when nobody says */
	if (!d->has_type && (d->bus_name.n || d->exec[EXEC_START].n == 0))
		u->type = d->bus_name.n ? TYPE_DBUS : TYPE_ONESHOT;
	if (u->type == TYPE_ONESHOT && !d->has_start_timeout)
		u->start_ms = FOREVER_MS;
	if (!d->has_abort_timeout)
		u->abort_ms = u->stop_ms;
	if (u->type == TYPE_ONESHOT && u->runtime_ms != FOREVER_MS) {
		complain(d, 0, "RuntimeMaxSec= is not for Type=oneshot: without effect");
		u->runtime_ms = FOREVER_MS;
	}
	/* To systemd, which does not know of it, the unit is what its Type= says. */
	if (u->notify_fd && (u->type == TYPE_SIMPLE || u->type == TYPE_EXEC))
		u->type = TYPE_NOTIFY;
	else if (u->notify_fd && !unit_says_ready(u))
		complain(d, 0, "X-NotifyFD= is not for Type=%s: without effect", type_names[u->type]);
	if ((unit_says_ready(u) || u->watchdog_ms || u->fd_store_max) && u->notify_access == NOTIFY_NONE)
		u->notify_access = NOTIFY_MAIN;
	if (u->watchdog_ms == FOREVER_MS)
		u->watchdog_ms = 0;
	if (d->has_start_limit && u->start_limit_ms > 0 && u->start_limit_burst > 0)
		u->flags |= UNIT_HAS_START_LIMIT;
}

/* sched(7): only the real-time policies have priorities, and these have no 0. */
static void settle_scheduling(struct draft *d)
{
	struct context *x = &d->context;
	bool is_real_time = x->scheduling == SCHEDULING_FIFO || x->scheduling == SCHEDULING_RR;

	if (x->priority && !is_real_time)
		complain(d, 0, "CPUSchedulingPriority= is only for CPUSchedulingPolicy=fifo and rr: without effect");
	x->priority = !is_real_time ? 0 : x->priority ? x->priority : 1;
}

/* systemd.resource-control(5): a period in which the share would be less than the kernel takes becomes longer. */
static void settle_quota(struct draft *d)
{
	struct unit *u = &d->unit;

	if (d->cpu_share == 0)
		return;
	uint64_t least_us = (CPU_PERIOD_LEAST_US * UINT64_C(10000) + d->cpu_share - 1) / d->cpu_share;
	if (u->cpu_period_us < least_us)
		u->cpu_period_us = least_us < CPU_PERIOD_MOST_US ? (uint32_t)least_us : CPU_PERIOD_MOST_US;
	uint64_t quota_us = (uint64_t)u->cpu_period_us * d->cpu_share / 10000;
	u->knobs[KNOB_CPU_MAX] = quota_us > CPU_PERIOD_LEAST_US ? quota_us : CPU_PERIOD_LEAST_US;
}

/* systemd.service(5): what makes the whole unit impossible. */
static void judge(struct draft *d)
{
	const struct unit *u = &d->unit;
	uint32_t n = d->exec[EXEC_START].n;
	bool remains = u->flags & UNIT_REMAIN_AFTER_EXIT;

	if (d->is_broken)
		return;
	bool is_for_action = u->type == TYPE_ONESHOT && u->success_action;      /* systemd-poweroff.service runs nothing else */
	if (n == 0 && d->exec[EXEC_STOP].n == 0 && !is_for_action)
		refuse(d, 0, "there is no ExecStart=: the unit is left out");
	else if (n == 0 && u->type != TYPE_ONESHOT)
		refuse(d, 0, "there is no ExecStart=, which only Type=oneshot may lack: the unit is left out");
	else if (n == 0 && !remains && !is_for_action)
		refuse(d, 0, "there is only ExecStop=, which needs RemainAfterExit=yes: the unit is left out");
	else if (n > 1 && u->type != TYPE_ONESHOT)
		refuse(d, 0, "there are %u ExecStart= commands, which only Type=oneshot may have: the unit is left out",
		       n);
	else if (u->type == TYPE_DBUS && d->bus_name.n == 0)
		refuse(d, 0, "there is no BusName=, which Type=dbus needs: the unit is left out");
	else if (u->type == TYPE_ONESHOT && (u->restart == RESTART_ALWAYS || u->restart == RESTART_ON_SUCCESS))
		refuse(d, 0, "Restart=always and on-success are not for Type=oneshot: the unit is left out");
}

/* All of them are one command in front of all others, which looks at the conditions first. */
static void settle_checks(struct draft *d)
{
	if (d->conditions.n + d->assertions.n == 0)
		return;
	struct draft_command *check = list_add(&d->exec[EXEC_CHECK], sizeof *check);
	check->path = keep_print("%.*s/oomph-check", STR_ARG(d->host->lib_folder));
	list_add_str(&check->argv, check->path);
	for (uint32_t i = 0; i < d->conditions.n; i++)
		list_add_str(&check->argv, LIST_AT(d->conditions, struct str, i));
	for (uint32_t i = 0; i < d->assertions.n; i++)
		list_add_str(&check->argv, LIST_AT(d->assertions, struct str, i));
}

/* A target's plan is empty: up as soon as its turn comes, and until it is stopped. */
static void settle_target(struct draft *d)
{
	d->unit.type = TYPE_ONESHOT;
	d->unit.flags |= UNIT_REMAIN_AFTER_EXIT;
	settle_environment(d);
}

void settle(struct draft *d)
{
	settle_checks(d);
	if (target_is(d->name)) {
		settle_target(d);
		return;
	}
	settle_type(d);
	settle_restart(d);
	settle_scheduling(d);
	settle_quota(d);
	settle_commands(d);
	settle_environment(d);
	judge(d);
}
