/*
 * Who sends the signals that end services, and where those belonged whom SIGKILL has ended. The kernel alone can tell:
 * siginfo goes to the process that dies, not to its parent; and its log's kill line may name a thread, or a worker whom its
 * parent has reaped by the time we read, when no number leads to a service any more.
 *
 * A program of some thirty instructions stands at the tracepoint signal:signal_generate and keeps, for each process, who
 * sent it the last SIGKILL and SIGTERM that reached it. It runs when such a signal is sent and at no other time, and nobody
 * is woken; PID 1 looks one number up when a process has died of one. A shorter one at sched:sched_process_exit, which each
 * thread passes before its number can be another's (do_exit in kernel/exit.c), adds process and cgroup to what was kept of
 * the SIGKILL of a thread that ends; for any other it is one look into the map. Not a trace instance with its pipe: that is 7 to 9 MB
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
#define STORE(dst, at, src) OP(BPF_STX | BPF_MEM | BPF_W, dst, src, at, 0)
#define STORE64(dst, at, src) OP(BPF_STX | BPF_MEM | BPF_DW, dst, src, at, 0)
#define PUT(dst, at, value) OP(BPF_ST | BPF_MEM | BPF_W, dst, 0, at, value)
#define PUT64(dst, at, value) OP(BPF_ST | BPF_MEM | BPF_DW, dst, 0, at, value)
#define COPY(dst, src) OP(BPF_ALU64 | BPF_MOV | BPF_X, dst, src, 0, 0)
#define SET(dst, value) OP(BPF_ALU64 | BPF_MOV | BPF_K, dst, 0, 0, value)
#define ADD(dst, value) OP(BPF_ALU64 | BPF_ADD | BPF_K, dst, 0, 0, value)
#define SHIFT_RIGHT(dst, value) OP(BPF_ALU64 | BPF_RSH | BPF_K, dst, 0, 0, value)
#define SKIP_IF(dst, value, n) OP(BPF_JMP | BPF_JEQ | BPF_K, dst, 0, n, value)
#define SKIP_UNLESS(dst, value, n) OP(BPF_JMP | BPF_JNE | BPF_K, dst, 0, n, value)
#define SKIP(n) OP(BPF_JMP | BPF_JA, 0, 0, n, 0)
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

static int load_program(const struct bpf_insn *program, size_t n)
{
	union bpf_attr attr;
	memset(&attr, 0, sizeof attr);
	attr.prog_type = BPF_PROG_TYPE_TRACEPOINT;
	attr.insn_cnt = (uint32_t)n;
	attr.insns = (uintptr_t)program;
	attr.license = (uintptr_t)"";
	return sys_bpf(BPF_PROG_LOAD, &attr);
}

/* TRACE_SIGNAL_DELIVERED is 0; anything else reached nobody (include/trace/events/signal.h). */
static int load_sender_program(const struct sigtrace_format *f, int map)
{
	const struct bpf_insn program[] = {
		COPY(BPF_REG_6, BPF_REG_1),
		LOAD(BPF_REG_7, BPF_REG_6, f->signal),
		SKIP_IF(BPF_REG_7, SIGKILL, 1),
		SKIP_UNLESS(BPF_REG_7, SIGTERM, 28),                /* both to the last two */
		LOAD(BPF_REG_1, BPF_REG_6, f->result),
		SKIP_UNLESS(BPF_REG_1, 0, 26),
		LOAD(BPF_REG_1, BPF_REG_6, f->pid),
		STORE(BPF_REG_10, KEY_AT(pid), BPF_REG_1),
		STORE(BPF_REG_10, KEY_AT(signal), BPF_REG_7),
		LOAD(BPF_REG_1, BPF_REG_6, f->code),
		STORE(BPF_REG_10, SENT_AT(code), BPF_REG_1),
		CALL(BPF_FUNC_ktime_get_boot_ns),
		STORE64(BPF_REG_10, SENT_AT(at_ns), BPF_REG_0),
		CALL(BPF_FUNC_get_current_pid_tgid),
		SHIFT_RIGHT(BPF_REG_0, 32),
		STORE(BPF_REG_10, SENT_AT(pid), BPF_REG_0),
		CALL(BPF_FUNC_get_current_uid_gid),
		STORE(BPF_REG_10, SENT_AT(uid), BPF_REG_0),
		COPY(BPF_REG_1, BPF_REG_10), ADD(BPF_REG_1, SENT_AT(comm)),
		SET(BPF_REG_2, sizeof ((struct sigtrace_sent *)0)->comm),
		CALL(BPF_FUNC_get_current_comm),
		PUT64(BPF_REG_10, SENT_AT(cgroup), 0),
		PUT(BPF_REG_10, SENT_AT(process), 0),
		MAP(BPF_REG_1, map),
		COPY(BPF_REG_2, BPF_REG_10), ADD(BPF_REG_2, KEY),
		COPY(BPF_REG_3, BPF_REG_10), ADD(BPF_REG_3, SENT),
		SET(BPF_REG_4, BPF_ANY),
		CALL(BPF_FUNC_map_update_elem),
		SET(BPF_REG_0, 0),
		LEAVE,
	};
	return load_program(program, countof(program));
}

/* The first to end with a number after the signal had reached it is whom it reached: only then can the number be another's. */
static int load_end_program(int map)
{
	const struct bpf_insn program[] = {
		CALL(BPF_FUNC_get_current_pid_tgid),
		COPY(BPF_REG_6, BPF_REG_0),
		STORE(BPF_REG_10, KEY_AT(pid), BPF_REG_6),
		PUT(BPF_REG_10, KEY_AT(signal), SIGKILL),
		MAP(BPF_REG_1, map),
		COPY(BPF_REG_2, BPF_REG_10), ADD(BPF_REG_2, KEY),
		CALL(BPF_FUNC_map_lookup_elem),
		SKIP_IF(BPF_REG_0, 0, 9),                          /* to the last two, as all that follow */
		COPY(BPF_REG_7, BPF_REG_0),
		LOAD(BPF_REG_1, BPF_REG_7, offsetof(struct sigtrace_sent, process)),
		SKIP_IF(BPF_REG_1, 0, 2),
		PUT(BPF_REG_7, offsetof(struct sigtrace_sent, process), (int32_t)SIGTRACE_REUSED),
		SKIP(4),
		CALL(BPF_FUNC_get_current_cgroup_id),
		STORE64(BPF_REG_7, offsetof(struct sigtrace_sent, cgroup), BPF_REG_0),
		SHIFT_RIGHT(BPF_REG_6, 32),
		STORE(BPF_REG_7, offsetof(struct sigtrace_sent, process), BPF_REG_6),
		SET(BPF_REG_0, 0),
		LEAVE,
	};
	return load_program(program, countof(program));
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

#define EVENTS TRACEFS "/events/"

static bool read_format(struct pid1 *p, struct sigtrace_format *f)
{
	const char *path = EVENTS "signal/signal_generate/format";
	int n = file_read(AT_FDCWD, path, p->scratch, sizeof p->scratch);
	if (n == -ENOENT && mount("tracefs", TRACEFS, "tracefs", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) == 0)
		n = file_read(AT_FDCWD, path, p->scratch, sizeof p->scratch);
	return n > 0 && sigtrace_format(str_of(p->scratch, (size_t)n), f);
}

/* The probe holds its program. */
static int probe(uint32_t tracepoint, int program)
{
	int fd = program < 0 || tracepoint == 0 ? -1 : attach(tracepoint, program);
	close_fd(&program);
	return fd < 0 ? -1 : fd;
}

static void open_probes(struct pid1 *p, const struct sigtrace_format *f)
{
	char id[16];
	p->senders = make_map();
	p->sender_probe = p->senders < 0 ? -1 : probe(f->id, load_sender_program(f, p->senders));
	if (p->sender_probe < 0) {
		close_fd(&p->senders);
		return;
	}
	int n = file_read(AT_FDCWD, EVENTS "sched/sched_process_exit/id", id, sizeof id);
	p->end_probe = probe(sigtrace_id(str_of(id, n > 0 ? (size_t)n : 0)), load_end_program(p->senders));
}

/* The numbers are the initial PID namespace's, and the tracepoint is the whole machine's: for its PID 1 only. */
void sigtrace_open(struct pid1 *p)
{
	struct sigtrace_format format;
	struct rlimit locked, unlimited = { RLIM_INFINITY, RLIM_INFINITY };
	p->senders = p->sender_probe = p->end_probe = -1;
	if (p->options.mode != MODE_VM || !is_initial_namespace() || !read_format(p, &format))
		return;
	/* Before Linux 5.11 maps and programs count as locked memory; services shall inherit the limit as it was. */
	bool is_raised = getrlimit(RLIMIT_MEMLOCK, &locked) == 0 && setrlimit(RLIMIT_MEMLOCK, &unlimited) == 0;
	open_probes(p, &format);
	if (is_raised)
		setrlimit(RLIMIT_MEMLOCK, &locked);
}

/* ---- at a death ---- */

static bool look_up(struct pid1 *p, uint32_t pid, uint32_t number, struct sigtrace_sent *sent)
{
	struct sigtrace_key key = { pid, number };
	union bpf_attr attr;
	memset(&attr, 0, sizeof attr);
	attr.map_fd = (uint32_t)p->senders;
	attr.key = (uintptr_t)&key;
	attr.value = (uintptr_t)sent;
	return p->senders >= 0 && sys_bpf(BPF_MAP_LOOKUP_ELEM, &attr) == 0;
}

static struct sender find_sender(struct pid1 *p, uint32_t pid, uint64_t started_at, uint32_t number)
{
	struct sigtrace_sent sent;
	struct sender sender = { 0 };
	if (look_up(p, pid, number, &sent))
		sigtrace_sender(&sent, started_at, (uint32_t)getpid(), &sender);
	return sender;
}

void sigtrace_find(struct pid1 *p, uint32_t pid, uint64_t started_at, struct senders *senders)
{
	senders->kill = find_sender(p, pid, started_at, SIGKILL);
	senders->term = find_sender(p, pid, started_at, SIGTERM);
}

bool sigtrace_find_end(struct pid1 *p, uint32_t thread, struct sigtrace_sent *sent)
{
	return look_up(p, thread, SIGKILL, sent) && sigtrace_has_ended(sent);
}
