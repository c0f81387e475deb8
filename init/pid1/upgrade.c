/*
 * Another binary becomes PID 1 (`oomphctl upgrade`), and all else stays. It comes as a sealed memfd, so no disk is waited for. First a
 * child executes it with --self-test, which takes over a copy of our state and steps it once; then we execute it ourselves, as after a
 * fault. For its first seconds it is on probation: a timer of this process runs (setitimer(2): execve(2) keeps it), and whatever faults, or
 * has not come round to its loop when that is over, makes place for the binary of before.
 */
#include "pid1.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

void upgrade_begin(struct pid1 *p)
{
	p->upgrade = (struct upgrade){ .program = -1, .before = -1, .state_before = -1, .client = NO_CLIENT };
}

/* By a child: it is a memfd, but whether nobody else's is waited for, only its sender knows. */
static void discard(struct pid1 *p, int *fd)
{
	if (*fd >= 0 && store_discard(p, fd, 1) == 0)
		close(*fd);
	*fd = -1;
	store_purge(p);
}

static void answer(struct pid1 *p, enum answer answer)
{
	if (p->upgrade.client != NO_CLIENT)
		control_reply(p, p->upgrade.client, answer);
	p->upgrade.client = NO_CLIENT;
}

static void set_timer(uint32_t ms)
{
	struct itimerval timer = { .it_value = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 } };
	setitimer(ITIMER_REAL, &timer, NULL);
}

/* ---- asking ---- */

static int start_test(struct pid1 *p)
{
	char word[] = "oomph", option[] = "--self-test", number[12];
	struct buf b = BUF(number);
	buf_u64(&b, (uint64_t)p->self);
	char *argv[] = { word, option, (char *)buf_cstr(&b), NULL };
	if (!p->reaps_only)
		state_save(p);
	return spawn_program(p, p->upgrade.program, argv, &p->upgrade.tester, TEST_DEADLINE_MS);
}

enum answer upgrade_ask(struct pid1 *p, uint32_t client, int program)
{
	const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
	struct upgrade *u = &p->upgrade;
	if (u->tester.pid || u->is_due || u->proven_at) {
		discard(p, &program);
		return ANSWER_BUSY;
	}
	if (program < 0 || (fcntl(program, F_GET_SEALS) & seals) != seals) {
		discard(p, &program);
		return ANSWER_BAD_REQUEST;
	}
	u->program = program;
	u->client = client;
	if (start_test(p) == 0)
		return ANSWER_LATER;
	discard(p, &u->program);
	u->client = NO_CLIENT;
	return ANSWER_NOT_EXECUTABLE;
}

/* It leaves with enum self_test; a binary that does not know the option with 2, and what is none like any launch. */
void upgrade_tested(struct pid1 *p, const struct event *death)
{
	struct upgrade *u = &p->upgrade;
	bool has_left = death->code == CLD_EXITED;
	u->tester = (struct helper){ 0 };
	u->is_due = has_left && death->status == SELF_TEST_PASSED;
	if (u->is_due)
		return;
	discard(p, &u->program);
	answer(p, has_left && death->status == launch_step_info[LAUNCH_EXEC].status ? ANSWER_NOT_EXECUTABLE :
	       has_left && death->status == SELF_TEST_STATE_UNREADABLE ? ANSWER_OTHER_STATE : ANSWER_SELF_TEST);
}

/* In the tested binary: nothing is touched but the copy. */
int upgrade_self_test(int state)
{
	union entry_space e;
	struct effects fx;
	struct event ev;
	struct pid1 *p = state_copy(state);
	if (!p)
		return SELF_TEST_STATE_UNREADABLE;
	if (state_take(p, &e, &ev) == TAKEN_NOT)
		return SELF_TEST_STATE_DAMAGED;
	ev = event_of(EVENT_TICK, NO_UNIT);
	ev.now_ms = now_ms();
	ev.wall_ms = wall_ms();
	core_step(p->core, p->units, &ev, &fx);
	return state_check(p->core, p->core->size, p->units) ? SELF_TEST_STATE_DAMAGED : SELF_TEST_PASSED;
}

/* ---- going ---- */

void upgrade_go(struct pid1 *p)
{
	struct upgrade *u = &p->upgrade;
	u->is_due = false;
	u->before = p->program;
	u->state_before = p->self;
	memcpy(u->build, p->head.build, sizeof u->build);
	u->began_at = now_ms();
	if (!p->reaps_only)             /* there may be an event in hand, which its successor has to see to */
		state_save(p);
	p->program = u->program;
	u->program = -1;
	u->is_going = true;
	set_timer(PROBATION_MS);
	crash_execute(p, p->program, p->self, false);
	set_timer(0);
	u->is_going = false;
	discard(p, &p->program);
	p->program = u->before;
	u->before = u->state_before = -1;
	answer(p, ANSWER_NOT_EXECUTABLE);
}

/* ---- there ---- */

/* We are the one before again. */
static void take_back(struct pid1 *p)
{
	struct upgrade *u = &p->upgrade;
	set_timer(0);
	if (u->before != p->program)
		discard(p, &p->program);
	p->program = u->before;
	u->before = u->state_before = -1;
	u->proven_at = 0;
}

void upgrade_arrived(struct pid1 *p)
{
	struct upgrade *u = &p->upgrade;
	struct event ev = event_of(EVENT_UPGRADED, NO_UNIT);
	u->is_going = false;
	ev.is_ok = !p->options.is_back;
	ev.argument = (int32_t)(now_ms() - u->began_at);
	p->reaps_only = false;
	if (p->options.is_back)
		take_back(p);
	else
		u->proven_at = u->began_at + PROBATION_MS / 2;
	feed(p, &ev);
	answer(p, ev.is_ok ? ANSWER_OK : ANSWER_CAME_BACK);
	control_send_away(p);
}

/*
 * The one before has its state in memory of its own, if it laid it out otherwise. What has been done since it does not know of: it would start a
 * second time what we have started, and close descriptors that are others' by now. From here on we come back as ourselves.
 */
void upgrade_commit(struct pid1 *p)
{
	struct upgrade *u = &p->upgrade;
	if (u->before < 0 || u->state_before == p->self)
		return;
	u->before = u->state_before = -1;
}

uint64_t upgrade_deadline(const struct pid1 *p)
{
	return earlier(p->upgrade.tester.deadline_at, p->upgrade.proven_at);
}

/* It has come round so often without a fault: nobody goes back any more. */
void upgrade_expire(struct pid1 *p)
{
	struct upgrade *u = &p->upgrade;
	if (u->proven_at == 0 || u->proven_at > now_ms())
		return;
	set_timer(0);
	crash_trust();
	u->proven_at = 0;
	discard(p, &u->before);
	u->state_before = -1;
	recover_sweep(p);               /* the memory that the one before lived in, if it was laid out otherwise */
}
