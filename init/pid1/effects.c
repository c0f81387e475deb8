/* What the core wants done. Each effect is one function of this folder; whatever fails becomes an event. */
#include "pid1.h"

#include <errno.h>
#include <signal.h>
#include <sys/reboot.h>
#include <unistd.h>

static void do_launch(struct pid1 *p, const struct effect *e)
{
	struct event result;
	spawn_service(p, e->service, (enum role)e->role, (enum exec_list)e->list, e->index, &result);
	feed(p, &result);
}

static void do_signal(struct pid1 *p, const struct effect *e)
{
	/* Nobody there is no failure: the death is on its way to us. */
	spawn_signal(p, e->service, (enum role)e->role, e->number);
	if (e->argument & ALSO_HANG_UP)
		spawn_signal(p, e->service, (enum role)e->role, SIGHUP);
	if (e->argument & ALSO_CONTINUE)
		spawn_signal(p, e->service, (enum role)e->role, SIGCONT);
	/*
	 * Without a cgroup nobody tells that the last one of a session is gone, if it was not our child. With one somebody has;
	 * but a service that waits for that word would wait for ever, should it ever be lost.
	 */
	if (e->role == ROLE_OTHER && reap_is_empty(p, e->service, 0)) {
		struct event ev = event_of(EVENT_EMPTY, e->service);
		feed(p, &ev);
	}
}

static void do_swept(struct pid1 *p, const struct effect *e)
{
	cgroup_drop(p, e->service);
	store_drop(p, e->service);
}

static void do_reply(struct pid1 *p, const struct effect *e)
{
	control_reply(p, e->client, (enum answer)e->number);
}

static void do_note(struct pid1 *p, const struct effect *e)
{
	incident_note(p, &e->note);
	console_note(p, &e->note);
	control_note(p, &e->note);
}

static void do_quiet(struct pid1 *p, const struct effect *e)
{
	(void)e;
	spawn_quiet(p);
}

static void do_load(struct pid1 *p, const struct effect *e)
{
	(void)e;
	loader_start(p);
}

static void do_adopt(struct pid1 *p, const struct effect *e)
{
	(void)e;
	p->wants_adopt = true;          /* feed() does it once nothing holds an index of the old set */
}

static void do_halt(struct pid1 *p, const struct effect *e)
{
	char program[sizeof p->libdir + 16];
	struct buf path = BUF(program);
	(void)e;
	buf_str(&path, str_from(p->libdir));
	buf_lit(&path, "/oomph-halt");
	char *argv[] = { (char *)buf_cstr(&path), (char *)power_name[p->core->system.power], NULL };
	int r = spawn_helper(p, argv, -1, &p->halter, HALT_DEADLINE_MS);
	if (r < 0) {
		struct event ev = event_of(EVENT_HALTED, NO_UNIT);
		console_say(p, "cannot run oomph-halt; file systems stay as they are", r);
		feed(p, &ev);
	}
}

/*
 * reboot(2) with the calling process being PID 1 of the machine: does not return, and if it should, to leave would be a panic.
 * Everybody else leaves, at the end of the turn or when the last death is recorded, for which there is a second at most.
 */
static void do_power(struct pid1 *p, const struct effect *e)
{
	static const int command[N_POWER] = {
		[POWER_OFF] = RB_POWER_OFF, [POWER_REBOOT] = RB_AUTOBOOT, [POWER_HALT] = RB_HALT_SYSTEM, [POWER_EXIT] = RB_POWER_OFF,
	};
	if (p->options.mode == MODE_VM && p->is_first) {
		reboot(command[e->number]);
		console_say(p, "reboot(2) refused", errno);
		if (is_initial_namespace())
			return;
	}
	p->leave_status = e->argument;
	p->leave_at = now_ms() + LEAVE_DEADLINE_MS;
}

void carry_out(struct pid1 *p, const struct effect *e)
{
	static void (*const doers[N_EFFECT_KIND])(struct pid1 *, const struct effect *) = {
		[FX_LAUNCH] = do_launch, [FX_SIGNAL] = do_signal, [FX_SWEPT] = do_swept, [FX_REPLY] = do_reply, [FX_NOTE] = do_note,
		[FX_QUIET] = do_quiet, [FX_LOAD] = do_load, [FX_ADOPT] = do_adopt, [FX_HALT] = do_halt, [FX_POWER] = do_power,
	};
	doers[e->kind](p, e);
}
