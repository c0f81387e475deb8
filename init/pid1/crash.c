/*
 * A fault of our own. It is caught on a stack of its own, noted, and PID 1 executes itself anew, into the state as it stands: nothing
 * here may rely on anything that could be the reason. A child is its parent's copy, handlers included, and dies as anybody does.
 *
 * The descriptors stay, and with them all that we watch, and what waits in our pipes and sockets; the process stays, and with it
 * its children. What to make of it all is the next one's task (recover.c).
 */
#include "pid1.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#define STACK_SIZE 16384                /* a frame with all vector registers takes some 3 kB (signal(7), sigaltstack(2)) */
#define WORDS_MAX 64                    /* of our command line; the rest is the command of `oomph -- COMMAND`, long since executed */

/* Whoever is on probation must not be silent either: the last one. */
#define N_FAULT 5
static const int faults[N_FAULT + 1] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGALRM };

/* Of this process: made before anything can go wrong, read by the handler alone. */
static struct pid1 *own;
static pid_t own_pid;
static char *words[WORDS_MAX + 1];
static char number[12], state_option[] = "--state", back_option[] = "--back";

/* ---- executing ---- */

/* Every descriptor is closed by execve(2), for the children's sake; these stay. */
void crash_execute(struct pid1 *p, int program, int state, bool is_back)
{
	struct buf b = BUF(number);
	buf_u64(&b, (uint64_t)state);
	buf_cstr(&b);
	words[1] = is_back ? back_option : state_option;
	set_descriptor_flags(0);
	syscall(SYS_execveat, program, "", words, p->options.environment, AT_EMPTY_PATH);
}

/* ---- noting ---- */

static void note_registers(struct crash *c, const ucontext_t *u)
{
#if defined __x86_64__
	c->instruction = (uint64_t)u->uc_mcontext.gregs[REG_RIP];
	c->stack = (uint64_t)u->uc_mcontext.gregs[REG_RSP];
	c->n_registers = NGREG < CRASH_REGISTERS ? NGREG : CRASH_REGISTERS;
	memcpy(c->registers, u->uc_mcontext.gregs, c->n_registers * sizeof c->registers[0]);
#elif defined __aarch64__
	c->instruction = u->uc_mcontext.pc;
	c->stack = u->uc_mcontext.sp;
	c->n_registers = 31 < CRASH_REGISTERS ? 31 : CRASH_REGISTERS;
	memcpy(c->registers, u->uc_mcontext.regs, c->n_registers * sizeof c->registers[0]);
#else
	(void)u;
#endif
}

static void note(struct pid1 *p, int signal, const siginfo_t *info, const ucontext_t *u)
{
	struct crash *c = &p->crashes[p->n_crashes % CRASHES_KEPT];
	bool is_sent = info->si_code <= 0;      /* sigaction(2): by kill(2) and its kin; abort(3) is that as well */
	*c = (struct crash){
		.wall_ms = wall_ms(), .now_ms = now_ms(), .signal = signal, .code = info->si_code,
		.sender = is_sent && info->si_pid != own_pid ? (uint32_t)info->si_pid : 0, .is_sent = is_sent && info->si_pid != own_pid,
		.address = is_sent ? 0 : (uintptr_t)info->si_addr, .event = N_EVENT_KIND,
		.source = p->source, .intake = p->intake.kind ? p->intake.number : 0, .dying = p->dying,
	};
	note_registers(c, u);
	p->n_crashes++;
}

static void on_fault(int signal, siginfo_t *info, void *context)
{
	if (getpid() != own_pid) {
		struct sigaction as_usual = { .sa_handler = SIG_DFL };
		sigaction(signal, &as_usual, NULL);
		if (info->si_code <= 0)
			raise(signal);          /* a fault comes again by itself */
		return;
	}
	note(own, signal, info, context);
	if (own->upgrade.before >= 0)
		crash_execute(own, own->upgrade.before, own->upgrade.state_before, true);
	crash_execute(own, own->program, own->self, false);
	last_resort(own);               /* neither can be executed */
}

/* ---- arming ---- */

static bool is_own(const char *word)
{
	return str_eq(str_from(word), STR("--state")) || str_eq(str_from(word), STR("--back"));
}

static void make_words(char **argv)
{
	uint32_t n = 0;
	words[n++] = argv[0];
	words[n++] = state_option;
	words[n++] = number;
	for (char **word = argv + 1; argv[0] && *word && n < WORDS_MAX; word++) {
		if (is_own(*word) && word[1])
			word++;
		else
			words[n++] = *word;
	}
	words[n] = NULL;
}

void crash_arm(struct pid1 *p, char **argv)
{
	/* Not populated: to be executed takes more memory than this, and it is for once at most. */
	void *stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK };
	sigset_t ours;
	make_words(argv);
	own = p;
	own_pid = getpid();
	if (stack != MAP_FAILED) {
		madvise(stack, STACK_SIZE, MADV_DONTFORK);
		sigaltstack(&(stack_t){ .ss_sp = stack, .ss_size = STACK_SIZE }, NULL);
	}
	sigfillset(&action.sa_mask);
	sigemptyset(&ours);
	for (size_t i = 0; i < N_FAULT + (p->upgrade.before >= 0); i++) {
		sigaction(faults[i], &action, NULL);
		sigaddset(&ours, faults[i]);
	}
	sigprocmask(SIG_UNBLOCK, &ours, NULL);  /* who crashed had them blocked, and execve(2) keeps that */
}

void crash_trust(void)
{
	sigset_t alarm;
	sigemptyset(&alarm);
	sigaddset(&alarm, SIGALRM);
	sigprocmask(SIG_BLOCK, &alarm, NULL);   /* and signalfd has it again */
}
