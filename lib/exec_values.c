#include "exec_values.h"
#include "names.h"
#include "values.h"

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* ---- limits ---- */

#define SECOND_US UINT64_C(1000000)
#define NICE_ZERO 20                    /* getrlimit(2), RLIMIT_NICE: 20 - nice */

static bool is_size(enum limit_kind kind)
{
	return kind == LIMIT_CORE || kind == LIMIT_FSIZE || kind == LIMIT_DATA || kind == LIMIT_STACK || kind == LIMIT_RSS ||
	       kind == LIMIT_AS || kind == LIMIT_MEMLOCK || kind == LIMIT_MSGQUEUE;
}

/* The kernel counts whole seconds: what is begun is granted. */
static bool cpu_seconds(struct str s, uint64_t *value)
{
	uint64_t us;
	if (!value_time(s, &us))
		return false;
	*value = us / SECOND_US + (us % SECOND_US != 0);
	return true;
}

static bool microseconds(struct str s, uint64_t *value)
{
	return str_u64(s, value) || value_time(s, value);
}

/* A sign makes it a nice level, none the kernel's own number. */
static bool nice_ceiling(struct str s, uint64_t *value)
{
	int64_t nice;
	bool is_level = str_starts(s, STR("+")) || str_starts(s, STR("-"));
	if (!is_level)
		return value_u64(s, value) && *value <= NICE_ZERO * 2;
	if (!value_int(s, -NICE_ZERO, NICE_ZERO - 1, &nice))
		return false;
	*value = (uint64_t)(NICE_ZERO - nice);
	return true;
}

static bool limit_value(struct str s, enum limit_kind kind, uint64_t *value)
{
	if (str_eq(s, STR("infinity"))) {
		*value = LIMIT_INFINITY;
		return true;
	}
	if (kind == LIMIT_CPU)
		return cpu_seconds(s, value);
	if (kind == LIMIT_RTTIME)
		return microseconds(s, value);
	if (kind == LIMIT_NICE)
		return nice_ceiling(s, value);
	return is_size(kind) ? value_size(s, value) : value_u64(s, value);
}

bool exec_limit(struct str s, enum limit_kind kind, struct limit *limit)
{
	uint64_t soft, hard;
	bool is_pair = str_chr(s, ':') < s.n;

	if (!limit_value(str_until(&s, ':'), kind, &soft))
		return false;
	hard = soft;
	if ((is_pair && !limit_value(s, kind, &hard)) || soft > hard)
		return false;
	limit->soft = soft;
	limit->hard = hard;
	return true;
}

/* ---- capabilities(7) ---- */

/* linux/capability.h: CAP_CHOWN is 0. */
static const char *const capabilities[] = {
	"chown", "dac_override", "dac_read_search", "fowner", "fsetid", "kill", "setgid", "setuid", "setpcap",
	"linux_immutable", "net_bind_service", "net_broadcast", "net_admin", "net_raw", "ipc_lock", "ipc_owner", "sys_module",
	"sys_rawio", "sys_chroot", "sys_ptrace", "sys_pacct", "sys_admin", "sys_boot", "sys_nice", "sys_resource", "sys_time",
	"sys_tty_config", "mknod", "lease", "audit_write", "audit_control", "setfcap", "mac_override", "mac_admin", "syslog",
	"wake_alarm", "block_suspend", "audit_read", "perfmon", "bpf", "checkpoint_restore",
};

int exec_capability(struct str name)
{
	uint64_t number;
	char text[24];
	struct buf b = BUF(text);

	if (str_u64(name, &number))
		return number < 64 ? (int)number : -1;
	for (size_t i = 0; i < name.n; i++)
		buf_char(&b, lower(name.p[i]));
	struct str word = buf_view(&b);
	if (b.is_cut || !str_take(&word, STR("cap_")))
		return -1;
	return name_find(capabilities, countof(capabilities), word);
}

uint32_t exec_secure_bit(struct str name)
{
	/* Each has a lock behind it, linux/securebits.h. */
	static const char *const bits[] = {
		"noroot", "noroot-locked", "no-setuid-fixup", "no-setuid-fixup-locked", "keep-caps", "keep-caps-locked",
	};
	int bit = name_find(bits, countof(bits), name);
	return bit < 0 ? 0 : 1u << bit;
}
