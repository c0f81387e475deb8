/*
 * Who sends the signals that end services. The kernel alone can tell: siginfo goes to the process that dies, not to its
 * parent.
 *
 * A program of some thirty instructions stands at the tracepoint signal:signal_generate and keeps, for each process, who
 * sent it the last SIGKILL and SIGTERM that reached it. It runs when such a signal is sent and at no other time, and nobody
 * is woken; PID 1 looks one number up when a process has died of one. Not a trace instance with its pipe: that is 7 to 9 MB
 * of kernel memory for the folders of all events, a tenth of a second of boot, a hook on every context switch for the
 * senders' names, and no uid.
 *
 * bpf(2), perf_event_open(2), Documentation/trace/events.rst. Anything missing (tracefs, BPF, leave to trace under lockdown=) means
 * that nobody's sender is known, and nothing else.
 */
#include "pid1.h"

#include "lib/sigtrace.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TRACEFS "/sys/kernel/tracing"

/* Processes that were sent a signal and whose death is not seen yet; the oldest are forgotten first. About 50 kB of the kernel's. */
#define SENT_KEPT 512

/* ---- the program ---- */

#define OP(code_, dst, src, off_, imm_) \
	{ .code = (code_), .dst_reg = (dst), .src_reg = (src), .off = (int16_t)(off_), .imm = (imm_) }
#define LOAD(dst, src, at) OP(BPF_LDX | BPF_MEM | BPF_W, dst, src, at, 0)
#define STORE(at, src) OP(BPF_STX | BPF_MEM | BPF_W, BPF_REG_10, src, at, 0)
#define STORE64(at, src) OP(BPF_STX | BPF_MEM | BPF_DW, BPF_REG_10, src, at, 0)
#define ZERO(at) OP(BPF_ST | BPF_MEM | BPF_W, BPF_REG_10, 0, at, 0)
#define COPY(dst, src) OP(BPF_ALU64 | BPF_MOV | BPF_X, dst, src, 0, 0)
#define SET(dst, value) OP(BPF_ALU64 | BPF_MOV | BPF_K, dst, 0, 0, value)
#define ADD(dst, value) OP(BPF_ALU64 | BPF_ADD | BPF_K, dst, 0, 0, value)
#define SHIFT_RIGHT(dst, value) OP(BPF_ALU64 | BPF_RSH | BPF_K, dst, 0, 0, value)
#define SKIP_IF(dst, value, n) OP(BPF_JMP | BPF_JEQ | BPF_K, dst, 0, n, value)
#define SKIP_UNLESS(dst, value, n) OP(BPF_JMP | BPF_JNE | BPF_K, dst, 0, n, value)
#define CALL(helper) OP(BPF_JMP | BPF_CALL, 0, 0, 0, helper)
#define MAP(dst, fd) OP(BPF_LD | BPF_DW | BPF_IMM, dst, BPF_PSEUDO_MAP_FD, 0, fd), OP(0, 0, 0, 0, 0)
#define LEAVE OP(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)

/* Where key and value are on the program's stack. */
#define KEY (-(int)sizeof(struct sigtrace_key))
#define SENT (KEY - (int)sizeof(struct sigtrace_sent))
#define KEY_AT(member) (KEY + (int)offsetof(struct sigtrace_key, member))
#define SENT_AT(member) (SENT + (int)offsetof(struct sigtrace_sent, member))

/* Bytes beyond the members that a command knows must be 0 (bpf_check_uarg_tail_zero), so callers clear the whole union. */
static int sys_bpf(enum bpf_cmd cmd, union bpf_attr *attr)
{
	int r = (int)syscall(SYS_bpf, cmd, attr, sizeof *attr);
	return r < 0 ? -errno : r;
}

static int make_map(void)
{
	union bpf_attr attr;
	memset(&attr, 0, sizeof attr);
	attr.map_type = BPF_MAP_TYPE_LRU_HASH;
	attr.key_size = sizeof(struct sigtrace_key);
	attr.value_size = sizeof(struct sigtrace_sent);
	attr.max_entries = SENT_KEPT;
	return sys_bpf(BPF_MAP_CREATE, &attr);
}

/* TRACE_SIGNAL_DELIVERED is 0; anything else reached nobody (include/trace/events/signal.h). */
static int load_program(const struct sigtrace_format *f, int map)
{
	const struct bpf_insn program[] = {
		COPY(BPF_REG_6, BPF_REG_1),
		LOAD(BPF_REG_7, BPF_REG_6, f->signal),
		SKIP_IF(BPF_REG_7, SIGKILL, 1),
		SKIP_UNLESS(BPF_REG_7, SIGTERM, 27),                /* both to the last two */
		LOAD(BPF_REG_1, BPF_REG_6, f->result),
		SKIP_UNLESS(BPF_REG_1, 0, 25),
		LOAD(BPF_REG_1, BPF_REG_6, f->pid),
		STORE(KEY_AT(pid), BPF_REG_1),
		STORE(KEY_AT(signal), BPF_REG_7),
		LOAD(BPF_REG_1, BPF_REG_6, f->code),
		STORE(SENT_AT(code), BPF_REG_1),
		CALL(BPF_FUNC_ktime_get_boot_ns),
		STORE64(SENT_AT(at_ns), BPF_REG_0),
		CALL(BPF_FUNC_get_current_pid_tgid),
		SHIFT_RIGHT(BPF_REG_0, 32),
		STORE(SENT_AT(pid), BPF_REG_0),
		CALL(BPF_FUNC_get_current_uid_gid),
		STORE(SENT_AT(uid), BPF_REG_0),
		COPY(BPF_REG_1, BPF_REG_10), ADD(BPF_REG_1, SENT_AT(comm)),
		SET(BPF_REG_2, sizeof ((struct sigtrace_sent *)0)->comm),
		CALL(BPF_FUNC_get_current_comm),
		ZERO(SENT_AT(zero)),
		MAP(BPF_REG_1, map),
		COPY(BPF_REG_2, BPF_REG_10), ADD(BPF_REG_2, KEY),
		COPY(BPF_REG_3, BPF_REG_10), ADD(BPF_REG_3, SENT),
		SET(BPF_REG_4, BPF_ANY),
		CALL(BPF_FUNC_map_update_elem),
		SET(BPF_REG_0, 0),
		LEAVE,
	};
	union bpf_attr attr;
	memset(&attr, 0, sizeof attr);
	attr.prog_type = BPF_PROG_TYPE_TRACEPOINT;
	attr.insn_cnt = countof(program);
	attr.insns = (uintptr_t)program;
	attr.license = (uintptr_t)"";
	return sys_bpf(BPF_PROG_LOAD, &attr);
}

/* One perf event carries the program to every CPU: it hangs on the tracepoint itself (perf_event_set_bpf_prog). */
static int attach(uint32_t tracepoint, int program)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_TRACEPOINT, .size = sizeof attr, .config = tracepoint };
	int fd = (int)syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	if (fd >= 0 && ioctl(fd, PERF_EVENT_IOC_SET_BPF, program) < 0)
		close_fd(&fd);
	return fd;
}

/* ---- at boot ---- */

static bool read_format(struct pid1 *p, struct sigtrace_format *f)
{
	const char *path = TRACEFS "/events/signal/signal_generate/format";
	int n = file_read(AT_FDCWD, path, p->scratch, sizeof p->scratch);
	if (n == -ENOENT && mount("tracefs", TRACEFS, "tracefs", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) == 0)
		n = file_read(AT_FDCWD, path, p->scratch, sizeof p->scratch);
	return n > 0 && sigtrace_format(str_of(p->scratch, (size_t)n), f);
}

/* The numbers are the initial PID namespace's, and the tracepoint is the whole machine's: for its PID 1 only. */
void sigtrace_open(struct pid1 *p)
{
	struct sigtrace_format format;
	struct rlimit locked, unlimited = { RLIM_INFINITY, RLIM_INFINITY };
	p->senders = p->sender_probe = -1;
	if (p->options.mode != MODE_VM || !is_initial_namespace() || !read_format(p, &format))
		return;
	/* Before Linux 5.11 maps and programs count as locked memory; services shall inherit the limit as it was. */
	bool is_raised = getrlimit(RLIMIT_MEMLOCK, &locked) == 0 && setrlimit(RLIMIT_MEMLOCK, &unlimited) == 0;
	p->senders = make_map();
	int program = p->senders < 0 ? -1 : load_program(&format, p->senders);
	if (is_raised)
		setrlimit(RLIMIT_MEMLOCK, &locked);
	p->sender_probe = program < 0 ? -1 : attach(format.id, program);
	close_fd(&program);             /* the probe holds it */
	if (p->sender_probe < 0)
		close_fd(&p->senders);
}

/* ---- at a death ---- */

static struct sender find_sender(struct pid1 *p, uint32_t pid, uint64_t started_at, uint32_t number)
{
	struct sigtrace_key key = { pid, number };
	struct sigtrace_sent sent;
	struct sender sender = { 0 };
	union bpf_attr attr;
	memset(&attr, 0, sizeof attr);
	attr.map_fd = (uint32_t)p->senders;
	attr.key = (uintptr_t)&key;
	attr.value = (uintptr_t)&sent;
	if (sys_bpf(BPF_MAP_LOOKUP_ELEM, &attr) == 0)
		sigtrace_sender(&sent, started_at, (uint32_t)getpid(), &sender);
	return sender;
}

void sigtrace_find(struct pid1 *p, uint32_t pid, uint64_t started_at, struct senders *senders)
{
	if (p->senders < 0)
		return;
	senders->kill = find_sender(p, pid, started_at, SIGKILL);
	senders->term = find_sender(p, pid, started_at, SIGTERM);
}
