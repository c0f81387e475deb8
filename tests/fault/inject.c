/*
 * Stands between init/pid1 and libc (build/fault/oomph, by ld --wrap): counts each call by its site and fails the one that
 * it is told to. All other calls are real. Counts and orders are in a file, $FAULT, that PID 1, its children up to their exec,
 * and the test (fault.py) have mapped together; without one nothing fails.
 *
 * A site is where a call stands and whose call its function's is (frame pointers are kept for that): the one openat(2) of
 * file_read() is another for each of those who read a file. What a child does between clone and exec is told apart.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <linux/sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum call {
#define CALL(name, errors) CALL_##name,
#define SYSTEM(name, errors)
#define PURE(name)
#include "calls.h"
#undef CALL
	CALL_syscall
};

/* How a call fails, but for an errno: with half of it, with a clock that has jumped, with a cgroup that somebody has just removed. */
enum { SHORT = -1, JUMP = -2, VANISH = -3 };

enum { SITES_MAX = 4096, ORDERS_MAX = 4 };

struct site {
	uint64_t at, from;              /* return addresses; 0: a free place */
	uint32_t call, number;          /* of syscall(2) */
	uint32_t is_child, n, n_failed, is_ready;
};

/* What is to fail: a site, or with at = 0 a call wherever it stands (number: of syscall(2), 0 for any). */
struct order {
	uint64_t at, from;
	uint32_t call, number, is_child;        /* 2: whoever it is */
	uint32_t first, last;           /* these calls of it, from 1 on; last = 0: for ever */
	int32_t how;                    /* an errno, or as above */
	int32_t clock, jump_s;          /* JUMP: which clock, how far */
	uint64_t window_ms;             /* since the first that failed; 0: no end */
	uint64_t began_ms;
	uint32_t is_armed, n, n_failed;
};

struct board {
	struct order orders[ORDERS_MAX];
	struct site sites[SITES_MAX];
};

static struct board *board;
static bool is_child;

static uint64_t now_ms(void)
{
	struct timespec t;
	syscall(SYS_clock_gettime, CLOCK_MONOTONIC_RAW, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

__attribute__((constructor)) static void begin(void)
{
	const char *path = getenv("FAULT");
	int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
	void *bytes = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof *board, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (bytes != MAP_FAILED)
		board = bytes;
	if (fd >= 0)
		close(fd);
}

/* Open addressing; two that take one place at a time are told apart by who got it. */
static struct site *find(uint64_t at, uint64_t from, uint32_t call, uint32_t number)
{
	uint64_t key = (at * 31 + from) * 2 + is_child;
	for (uint32_t k = 0; k < SITES_MAX; k++) {
		struct site *s = &board->sites[(key + k) % SITES_MAX];
		uint64_t free_place = 0;
		if (__atomic_compare_exchange_n(&s->at, &free_place, at, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
			s->from = from;
			s->call = call;
			s->number = number;
			s->is_child = is_child;
			__atomic_store_n(&s->is_ready, 1, __ATOMIC_SEQ_CST);
			return s;
		}
		while (!__atomic_load_n(&s->is_ready, __ATOMIC_SEQ_CST))
			;
		if (s->at == at && s->from == from && s->is_child == is_child && s->number == number)
			return s;
	}
	abort();
}

static bool is_meant(const struct order *o, const struct site *s)
{
	if (!o->is_armed || (o->is_child != 2 && o->is_child != s->is_child))
		return false;
	if (o->at)
		return o->at == s->at && o->from == s->from && o->number == s->number;
	return o->call == s->call && (o->number == 0 || o->number == s->number);
}

static bool is_due(struct order *o)
{
	uint32_t n = __atomic_add_fetch(&o->n, 1, __ATOMIC_SEQ_CST);
	if (n < o->first || (o->last && n > o->last))
		return false;
	uint64_t not_yet = 0;
	if (o->window_ms) {
		uint64_t now = now_ms();
		__atomic_compare_exchange_n(&o->began_ms, &not_yet, now, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
		if (now - o->began_ms > o->window_ms)
			return false;
	}
	__atomic_add_fetch(&o->n_failed, 1, __ATOMIC_SEQ_CST);
	return true;
}

static const struct order none;

/* As the file has it: it lies elsewhere each time. */
static uint64_t address(const void *at)
{
	extern const char __executable_start[];
	return (uint64_t)at - (uint64_t)__executable_start;
}

/* What is to become of this call: how = 0, it is made. */
static const struct order *fate(void *const *frame, enum call call, long number)
{
	void *const *caller = frame[0];
	if (!board)
		return &none;
	struct site *s = find(address(frame[1]), address(caller[1]), call, (uint32_t)number);
	__atomic_add_fetch(&s->n, 1, __ATOMIC_SEQ_CST);
	for (struct order *o = board->orders; o < board->orders + ORDERS_MAX; o++)
		if (is_meant(o, s) && is_due(o)) {
			__atomic_add_fetch(&s->n_failed, 1, __ATOMIC_SEQ_CST);
			return o;
		}
	return &none;
}

/* What rmdir(1) of somebody else does at the worst moment: of the folder `path`, or if that is none of the one that `folder` is. */
static void vanish(int folder, const char *path)
{
	char link[32], name[4096] = "";
	if (path && unlinkat(folder, path, AT_REMOVEDIR) == 0)
		return;
	snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
	if (readlink(link, name, sizeof name - 1) > 0)
		rmdir(name);
}

static long refused(int error)
{
	errno = error;
	return -1;
}

typedef long function(long, long, long, long, long, long);

static long through(void *const *frame, enum call call, function *real, long a, long b, long c, long d, long e, long f)
{
	/* What is asked or said of a number fails for nothing but one that is none (fcntl(2)). */
	bool cannot_fail = call == CALL_fcntl && (b == F_GETFD || b == F_SETFD);
	const struct order *o = cannot_fail ? &none : fate(frame, call, 0);
	int how = o->how;
	if (how == VANISH)
		vanish((int)a, (const char *)b);
	if (how == SHORT)
		return real(a, b, c > 1 ? c / 2 : c, d, e, f);
	if (how <= 0 || call == CALL_close) {
		long r = real(a, b, c, d, e, f);
		if (how == JUMP && a == o->clock)
			((struct timespec *)b)->tv_sec += o->jump_s;
		return how > 0 ? refused(how) : r;
	}
	/* Nobody there: so that it is no lie, whom it is about dies of it. */
	if (how == ESRCH && (call == CALL_kill || call == CALL_getsid) && a > 1)
		kill((pid_t)a, SIGKILL);
	return refused(how);
}

/* Registers hold up to six arguments of any of these, and what it returns (System V ABI, 3.2.3). */
#define CALL(name, errors) \
	extern function real_##name __asm__(#name); \
	function __wrap_##name; \
	long __wrap_##name(long a, long b, long c, long d, long e, long f) \
	{ \
		return through(__builtin_frame_address(0), CALL_##name, real_##name, a, b, c, d, e, f); \
	}
#include "calls.h"

long __wrap_syscall(long, long, long, long, long, long, long);
long __wrap_syscall(long number, long a, long b, long c, long d, long e, long f)
{
	int how = fate(__builtin_frame_address(0), CALL_syscall, number)->how;
	if (how == VANISH && number == SYS_clone3)
		vanish((int)((struct clone_args *)a)->cgroup, NULL);
	if (how > 0)
		return refused(how);
	long r = syscall(number, a, b, c, d, e, f);
	if (r == 0 && (number == SYS_clone || number == SYS_clone3))
		is_child = true;
	return r;
}
