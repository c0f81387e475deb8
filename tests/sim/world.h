/*
 * A world: a made-up kernel with processes, cgroups and a log, and a shell around core_step() that carries effects out in
 * it, as init/pid1 does in a real one. Everything in it follows from its seed. sim.c runs worlds, check.c judges the core.
 */
#ifndef OOMPH_TESTS_WORLD_H
#define OOMPH_TESTS_WORLD_H

#include "lib/core.h"
#include "units.h"

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdnoreturn.h>

#define IDS 160                 /* names that units may have; a unit is an id here, since its index changes with the set */
#define PROCESSES 1024
#define PIDS 2560
#define RECORDS 256
#define QUEUED 1024
#define STEPS_MAX 100000u       /* of one world; far more than any needs */

/* Who ended a process: what the core's verdict is held against. */
#define STRANGER 99             /* a process that is nobody's, and sends signals */

enum truth { TRUTH_NONE, TRUTH_EXIT, TRUTH_OWN_SIGNAL, TRUTH_OURS, TRUTH_OPERATOR, TRUTH_OOM };

struct process {
	uint32_t pid, id, generation;
	uint8_t role;                   /* enum role; ROLE_OTHER: a worker */
	uint8_t list;                   /* what it was launched for: enum exec_list, or enum chore */
	uint8_t code, status;           /* of its end */
	uint8_t truth;
	uint8_t doom;                   /* enum truth: who sent the first SIGKILL */
	bool is_alive;
	bool was_ambiguous;             /* when it was judged */
	bool ignores_term, was_killed_by_us, may_linger, cannot_exec, is_orphan, has_exec_untold;
	int exec_error;
	uint64_t launched_at, doomed_at, died_at;
	/* When something happens with it; 0: never. */
	uint64_t exit_at, doom_at, term_at, ready_at, exec_at, seen_at, ping_at, reloaded_at;
	uint8_t term_signal;
	uint64_t stuck_until;           /* D state: signals wait */
};

struct record {
	struct oom_kill kill;
	uint64_t visible_at;
	uint32_t id, service_hint;
	bool is_group, is_read;
};

/*
 * All that is drawn by lot in a world: it is made of nothing else. A world can be made again from the choices, and a smaller one from
 * fewer: behind the last one given each draw is 0, and 0 is the dull case wherever something is drawn. Each unit draws its own lots, so
 * that one choice less is no other choice for all that follows.
 */
enum { LOT_WORLD, LOT_MOMENTS, LOT_ACTIONS, LOT_UNITS, N_LOTS = LOT_UNITS + IDS };
#define CHOICES_MAX (1u << 20)
struct choices {
	uint32_t n;                     /* drawn so far */
	uint32_t values[CHOICES_MAX];
	uint8_t lots[CHOICES_MAX];
	bool begins[CHOICES_MAX];       /* something of its own, that may be left out by itself: draw_apart() */
	uint32_t first[N_LOTS + 1];     /* those of lot l to be drawn: from given[first[l]] to below given[first[l + 1]] */
	uint32_t given[CHOICES_MAX];
};

struct world {
	uint64_t seed, random;          /* seed 0: by the choices given */
	struct choices *choices;
	uint8_t lot;                    /* that is drawn from */
	uint32_t n_drawn[N_LOTS];
	bool is_apart;
	uint64_t now_ms;
	uint8_t mode;
	bool has_counters, has_kmsg, is_lossy, is_rude, is_calm, is_over;
	struct core *core;
	struct unitset units, next_units;
	struct plan plans[IDS], next_plans[IDS];        /* by id */
	uint32_t ids[IDS], next_ids[IDS];               /* of the units by index */
	uint32_t index[IDS];                            /* and back; NO_UNIT */
	uint32_t n_units, n_next;
	bool has_reloaded;
	bool wants_adopt, has_changed[IDS];             /* its unit is another than the one it was started by */
	struct process processes[PROCESSES];
	uint32_t n_processes;                           /* no slot from here on is taken */
	uint32_t next_pid;
	struct process ends[PIDS];                      /* by pid: how the last one of this pid was, or is, to end */
	struct process dead[DEATHS_KEPT];               /* by the number of its death, which may be told when its pid is another's */
	uint64_t last_oom_at[IDS], lost_at;
	uint64_t last_leftover_at[IDS];                 /* when one was killed that its generation had left behind */
	bool had_group[IDS], had_stray;
	bool has_cgroup[IDS];
	uint32_t counters[IDS];
	uint64_t counter_at[IDS], empty_at[IDS];        /* when the kernel's notice comes */
	struct record records[RECORDS];
	uint32_t n_records;
	uint64_t kmsg_at, seq, read_seq;
	bool has_lost;
	uint64_t load_at, halt_at, action_at, calm_at, shutdown_at, end_at;
	struct event queue[QUEUED];
	uint32_t n_queued, queue_head;
	uint32_t rude_to;                               /* index of whom the last rude request was about */
	/* What check.c remembers between steps. */
	uint64_t not_before[IDS];                       /* BACKOFF: no launch earlier than that */
	uint32_t backoff_generation[IDS];
	uint32_t wished_in[IDS];                        /* ... by the wish of then: a newer one need not wait */
	uint32_t launched_generation[IDS];
	uint64_t step_since[IDS];                       /* when it was first seen in this step of this state */
	uint64_t step_in[IDS];                          /* ... which it has entered then */
	uint8_t step[IDS];
	uint8_t last_main_code, last_main_status;
	int last_launch_error;
	bool has_asked_for_power;
	/* Sums. */
	uint64_t steps[N_STEP];         /* settled in each */
	uint64_t n_steps, n_events, n_launches, n_deaths, n_copies;
	uint64_t most_steps;            /* 0: STEPS_MAX */
	bool is_told;                   /* every event and effect, in words */
	FILE *events;                   /* every event is written into it; NULL */
	struct stream *replay;          /* ... and is held against the next one of it, which goes into the core; NULL */
};

#define NOBODY UINT32_MAX

static inline uint64_t by_lot(struct world *w)
{
	w->random += 0x9e3779b97f4a7c15u;       /* splitmix64 */
	uint64_t z = w->random;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static inline uint32_t draw(struct world *w, uint32_t below)
{
	struct choices *c = w->choices;
	uint32_t at = c->first[w->lot] + w->n_drawn[w->lot]++;
	uint64_t any = w->seed ? by_lot(w) : at < c->first[w->lot + 1] ? c->given[at] : 0;
	uint32_t value = below ? (uint32_t)(any % below) : 0;
	if (c->n < CHOICES_MAX) {
		c->values[c->n] = value;
		c->lots[c->n] = w->lot;
		c->begins[c->n++] = w->is_apart;
	}
	w->is_apart = false;
	return value;
}

/* The next draw begins something. */
static inline void draw_apart(struct world *w)
{
	w->is_apart = true;
}

/* What was drawn from before. */
static inline uint8_t draw_from(struct world *w, uint32_t lot)
{
	uint8_t before = w->lot;
	w->lot = (uint8_t)lot;
	return before;
}

static inline uint32_t draw_once_from(struct world *w, uint32_t lot, uint32_t below)
{
	uint8_t before = draw_from(w, lot);
	uint32_t value = draw(w, below);
	w->lot = before;
	return value;
}

static inline bool chance(struct world *w, uint32_t percent)
{
	return draw(w, 100) >= 100 - percent;
}

/* ---- sim.c, or whoever else runs worlds ---- */
noreturn void broken(const struct world *w, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ---- run.c ---- */
void world_run(struct world *w);        /* of zeroes but its seed, its choices, and what is to be told of it */
void world_end(struct world *w);

/* ---- kernel.c: processes, signals, out of memory ---- */
struct process *kernel_fork(struct world *w, uint32_t id, enum role role);      /* NULL: EAGAIN */
void kernel_signal(struct world *w, struct process *p, int number, enum truth sender);
void kernel_run_out_of_memory(struct world *w, uint32_t id);
void kernel_run(struct world *w, struct process *p);            /* what is due with it */
uint64_t kernel_next(const struct world *w);                    /* when something is due with any process; 0: never */
struct process *kernel_find(struct world *w, uint32_t pid);     /* not reaped yet */
uint32_t kernel_count(const struct world *w, uint32_t id);      /* alive */

/* ---- shell.c: events in, effects out ---- */
void shell_feed(struct world *w, struct event ev);
void shell_index_units(struct world *w);        /* the ids have changed */
void shell_read_count(struct world *w, uint32_t id);
void shell_drain_kmsg(struct world *w);
void shell_see_death(struct world *w, struct process *p);
struct event shell_event(enum event_kind kind, uint32_t i);
uint32_t shell_index(const struct world *w, uint32_t id);       /* NO_UNIT */
void shell_request(struct world *w, enum verb verb, uint32_t i, int argument);

/* ---- draw.c: random units, programs and actions ---- */
void draw_units(struct world *w, struct plan *plans, uint32_t *ids, uint32_t *n, bool is_reload);
struct unitset draw_set(const struct plan *plans, const uint32_t *ids, uint32_t n);
void draw_program(struct world *w, struct process *p);
void draw_pings(struct world *w, struct process *p);            /* when it says WATCHDOG=1 next */
void draw_daemons(struct world *w, uint32_t id);               /* what a forking service leaves behind */
void draw_calm(struct world *w);                                /* from now on everything works, and everybody obeys */
void draw_action(struct world *w);
void draw_impatience(struct world *w);                          /* a start in the very ms in which it was due anyway */
void draw_rudeness(struct world *w);                            /* requests put into the shell's queue */
void shell_enqueue(struct world *w, struct event ev);

/* ---- stream.c: events as text, one a line ---- */
struct stream;
void stream_write(FILE *out, const struct world *w, const struct event *ev);
bool stream_read(struct str line, const struct world *w, struct stream *s);     /* into s->event */
void stream_follow(struct world *w, struct event *ev);          /* the next of w->replay in place of the same */

/* ---- trace.c ---- */
extern const char *const event_name[N_EVENT_KIND];
void trace_event(const struct world *w, const struct event *ev);
void trace_effect(const struct world *w, const struct effect *e);

/* ---- check.c ---- */
void check_launch(struct world *w, const struct effect *e);
void check_death(struct world *w, const struct death *d, bool is_amended);
void check_step(struct world *w, const struct event *ev, uint64_t first_death, enum role role_before);
void check_settled(struct world *w);
void check_calm(struct world *w);
void check_power(struct world *w, const struct effect *e);

#endif
