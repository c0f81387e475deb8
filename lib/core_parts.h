/*
 * What the files of the core share among themselves: core.c (a step, its queues and deadlines), machine.c (the whole, units
 * and power), depend.c (units and one another), life.c (a generation's steps from wish to end), ending.c (how it is ended, and
 * what comes next), outcome.c (how far launches and ends bring it), evidence.c (deaths, and what the kernel says of them),
 * wound.c (of their children), request.c (what clients ask).
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
void arm_watchdog(struct turn *t, uint32_t i);  /* from now on, where it has one */
void extend(struct turn *t, uint32_t i, uint32_t ms);   /* no deadline of it comes earlier than that */

void enqueue(struct turn *t, uint32_t i);
void set_want(struct turn *t, uint32_t i, bool want);
void ask_restart(struct turn *t, uint32_t i);           /* of one that is up or starting */
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
void launch(struct turn *t, uint32_t i, enum role role, unsigned list);  /* enum exec_list, or enum chore */
void go_on(struct turn *t, uint32_t i);         /* the next step of the plan, as far as it goes without waiting */
void take_step(struct service *s, enum step step);
enum answer begin_reload(struct turn *t, uint32_t i);
enum exec_list step_list(enum step step);       /* whose command runs in it; N_EXEC_LIST: none of the unit's */
bool start_limit_is_spent(struct turn *t, uint32_t i, uint64_t at);

/* ---- ending.c ---- */

bool has_process(const struct service *s);
bool is_gone(struct turn *t, uint32_t i);
void set_result(struct service *s, enum result result); /* what came first is the reason */
void start_later(struct turn *t, uint32_t i);   /* from rest, after the delay of a failure */
void drop_control(struct turn *t, uint32_t i);
void terminate(struct turn *t, uint32_t i);     /* KillSignal= to whom KillMode= says */
void sweep(struct turn *t, uint32_t i);         /* SIGKILL to what is left, as far as KillMode= lets us */
void end_newborn(struct turn *t, uint32_t i);   /* a process came to be when its generation was ending already */
void begin_stop(struct turn *t, uint32_t i);          /* and so on: the actions of service.h */
void expire(struct turn *t, uint32_t i);
void kill_rest(struct turn *t, uint32_t i, enum service_event why);
void stop_late(struct turn *t, uint32_t i);
void linger(struct turn *t, uint32_t i);
void up_late(struct turn *t, uint32_t i);
void abort_hung(struct turn *t, uint32_t i);
void decide(struct turn *t, uint32_t i);
void cancel(struct turn *t, uint32_t i);
void act_on_end(struct turn *t, uint32_t i);    /* SuccessAction= and its kin, of a service that has come to rest */

/* ---- outcome.c ---- */

void on_launched(struct turn *t);
void on_execed(struct turn *t);
void on_launch_failed(struct turn *t);
void on_launch_warning(struct turn *t);
void on_main_found(struct turn *t);
void on_ready(struct turn *t);
void notice_end(struct turn *t, uint32_t i);    /* of one that nobody's death ends, but everybody's */
void on_notify(struct turn *t);
void on_empty(struct turn *t);
void on_main_end(struct turn *t, uint32_t i, bool is_success);
void on_control_end(struct turn *t, uint32_t i, bool is_success);
void on_check_end(struct turn *t, uint32_t i);  /* a condition is not met */

/* ---- evidence.c ---- */

void on_death(struct turn *t);
void on_shared_count(struct turn *t);
void on_grace_over(struct turn *t, uint32_t i);
void suspect_main(struct turn *t, uint32_t i);  /* nobody is left, and yet it is not dead as far as we were told */
void record_launch_failure(struct turn *t, uint32_t i);
bool may_fail(struct turn *t, uint32_t i, enum role role);      /* `-` stands before the command that runs in this role */
void tell_decided(struct turn *t, uint32_t i, bool is_restart, uint32_t delay_ms);     /* of the generation's last death */
struct death *new_death(struct turn *t, uint32_t i, uint32_t pid);
void tell_death(struct turn *t, enum note_kind kind, struct death *d);
void tell_now(struct turn *t, struct death *d);
bool is_about(const struct oom_kill *k, uint32_t pid);
const struct oom_kill *find_kill(const struct core *c, uint32_t pid, uint64_t after_seq);       /* the record of one that has not died yet */
void adopt_evidence(struct death *d, const struct oom_kill *k, uint8_t evidence);
bool amend_death(struct turn *t, const struct oom_kill *k);     /* the record is of one that is told already */

/* ---- wound.c ---- */

void on_oom_kill(struct turn *t);
void on_oom_group(struct turn *t);
void on_counter(struct turn *t);
void on_kmsg_lost(struct turn *t);
void note_count(struct turn *t, struct service *s, uint32_t counter);
uint32_t n_unexplained(const struct core *c, const struct service *s);  /* kills that its count tells of, and nobody's record or death */
void claim_strays(struct turn *t, uint32_t i);  /* its main process is gone */
void keep_wound(struct turn *t, uint32_t i, uint32_t pid);      /* of what is its main process now */
void close_count(struct turn *t, uint32_t i);   /* its generation is over */
void tell_counted(struct turn *t, uint32_t i);
void sweep_group(struct turn *t, uint32_t i);   /* of OOMPolicy=kill: what the kernel has left of it */

/* ---- request.c ---- */

void on_request(struct turn *t);
void reply(struct turn *t, uint32_t client, enum answer answer);

#endif
