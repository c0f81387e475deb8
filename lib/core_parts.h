/*
 * What the files of the core share among themselves: core.c (a step, its queues and deadlines), machine.c (the whole, units
 * and power), depend.c (units and one another), life.c (a generation's steps from wish to end), outcome.c (how far launches
 * and ends bring it), evidence.c (deaths and what the kernel says of them), request.c (what clients ask).
 */
#ifndef OOMPH_CORE_PARTS_H
#define OOMPH_CORE_PARTS_H

#include "condition.h"
#include "core.h"

/* One core_step at work. */
struct turn {
	struct core *c;
	struct unitset units;
	const struct event *ev;
	struct effects *fx;
};

/* ---- core.c ---- */

static inline struct service *service_at(struct turn *t, uint32_t i)
{
	return &t->c->services[i];
}

static inline const struct unit *unit_at(struct turn *t, uint32_t i)
{
	return unitset_unit(t->units, i);
}

struct effect *emit(struct turn *t, enum effect_kind kind, uint32_t i);
struct note *emit_note(struct turn *t, enum note_kind kind, uint32_t i, uint32_t value);

/* The one way from a state to another: looks the cell up, enters its state, takes its action. */
void dispatch(struct turn *t, uint32_t i, enum service_event ev);
void enter(struct turn *t, uint32_t i, enum state state);

/* The one place where a service's deadline is set; FOREVER_MS: none. */
void arm(struct turn *t, uint32_t i, uint32_t ms);
void arm_grace(struct turn *t, uint32_t i, uint32_t ms);

void enqueue(struct turn *t, uint32_t i);
void set_want(struct turn *t, uint32_t i, bool want);
void set_want_later(struct turn *t, uint32_t i);        /* wanted, and others are told; it starts itself when its delay is over */
uint32_t next_random(struct core *c);

/* ---- machine.c ---- */

void load(struct turn *t);
void system_stop(struct turn *t, enum power power, int exit_status);
void settle_system(struct turn *t);
void on_units(struct turn *t);
void on_reloaded(struct turn *t);
void on_signal(struct turn *t);
void on_files(struct turn *t);
void on_halted(struct turn *t);

/* ---- depend.c ---- */

enum wait { WAIT_OVER, WAIT_ON, WAIT_VAIN };
enum wait wait_for_start(struct turn *t, uint32_t i);   /* for those before it; in vain where it cannot start without one */
bool is_stood_upon(struct turn *t, uint32_t i);         /* by one that has to end first */
bool is_going_down(const struct service *s);            /* has to end before what it stands upon may */
void enqueue_neighbours(struct turn *t, uint32_t i);    /* whoever waits for it, or holds */
void pass_on_want(struct turn *t, uint32_t i);
void pass_on_restart(struct turn *t, uint32_t i);
void pass_on_reload(struct turn *t, uint32_t i);
void pass_on_respawn(struct turn *t, uint32_t i);
void pass_on_end(struct turn *t, uint32_t i);           /* it rests: who goes with it, and who is called */
bool is_upheld(struct turn *t, uint32_t i);
void uphold_others(struct turn *t, uint32_t i);
void answer_summons(struct turn *t, uint32_t i);        /* of OnFailure= and its kin */
bool is_new(struct turn *t, uint32_t i);                /* to be started when a unit set comes into force */
void part_rivals(struct turn *t);
void try_again_what_it_requires(struct turn *t, uint32_t i);

/* ---- life.c ---- */

void act(struct turn *t, uint32_t i, enum action action, enum service_event why);
void go_on(struct turn *t, uint32_t i);         /* the next step of the plan, as far as it goes without waiting */
bool has_process(const struct service *s);
bool is_gone(struct turn *t, uint32_t i);
void set_result(struct service *s, enum result result); /* what came first is the reason */
enum answer begin_reload(struct turn *t, uint32_t i);
void start_later(struct turn *t, uint32_t i);   /* from rest, after the delay of a failure */
void take_step(struct service *s, enum step step);
void drop_control(struct turn *t, uint32_t i);
void terminate(struct turn *t, uint32_t i);     /* KillSignal= to whom KillMode= says */
void sweep(struct turn *t, uint32_t i);         /* SIGKILL to what is left, as far as KillMode= lets us */

/* ---- outcome.c ---- */

void on_launched(struct turn *t);
void on_execed(struct turn *t);
void on_launch_failed(struct turn *t);
void on_launch_warning(struct turn *t);
void on_notify(struct turn *t);
void on_empty(struct turn *t);
void on_main_end(struct turn *t, uint32_t i, bool is_success);
void on_control_end(struct turn *t, uint32_t i, bool is_success);
void on_check_end(struct turn *t, uint32_t i);  /* a condition is not met */

/* ---- evidence.c ---- */

void on_death(struct turn *t);
void on_oom_kill(struct turn *t);
void on_oom_group(struct turn *t);
void on_counter(struct turn *t);
void on_shared_count(struct turn *t);
void on_kmsg_lost(struct turn *t);
void on_grace_over(struct turn *t, uint32_t i);
void suspect_main(struct turn *t, uint32_t i);  /* nobody is left, and yet it is not dead as far as we were told */
void record_launch_failure(struct turn *t, uint32_t i);
bool may_fail(struct turn *t, uint32_t i, enum role role);      /* `-` stands before the command that runs in this role */
void tell_decided(struct turn *t, uint32_t i, bool is_restart, uint32_t delay_ms);     /* of the generation's last death */

/* ---- request.c ---- */

void on_request(struct turn *t);
void reply(struct turn *t, uint32_t client, enum answer answer);

#endif
