#include "exec_values.h"
#include "names.h"
#include "values.h"
#include "words.h"

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

/* ---- masks and times ---- */

static bool take_range(struct str word, uint64_t mask[MASK_BITS / 64])
{
	uint64_t first, last;
	bool is_range = str_chr(word, '-') < word.n;
	if (!str_u64(str_until(&word, '-'), &first) || (is_range && !str_u64(word, &last)))
		return false;
	if (!is_range)
		last = first;
	if (first > last || last >= MASK_BITS)
		return false;
	for (uint64_t bit = first; bit <= last; bit++)
		mask[bit / 64] |= UINT64_C(1) << bit % 64;
	return true;
}

static bool is_between(char c)
{
	return c == ' ' || c == '\t' || c == ',';
}

bool exec_mask(struct str s, uint64_t mask[MASK_BITS / 64])
{
	uint64_t sum[MASK_BITS / 64] = { 0 };

	while (s.n) {
		size_t n = 0;
		while (n < s.n && !is_between(s.p[n]))
			n++;
		if (n && !take_range(str_of(s.p, n), sum))
			return false;
		s = str_skip(s, n + 1);
	}
	for (size_t i = 0; i < countof(sum); i++)
		mask[i] |= sum[i];
	return true;
}

bool exec_nanoseconds(struct str s, uint64_t *ns)
{
	uint64_t us;
	struct str digits = s;
	if (str_ends(digits, STR("ns")))
		digits.n -= 2;
	if (str_u64(digits, ns))
		return true;
	return value_time(s, &us) && us != VALUE_INFINITY && !__builtin_mul_overflow(us, UINT64_C(1000), ns);
}

/* ---- odds and ends ---- */

bool exec_personality(struct str s, uint32_t *personality)
{
	enum { PERSONALITY_LINUX = 0, PERSONALITY_LINUX32 = 8 };        /* linux/personality.h */
#if defined __x86_64__
	struct str wide = STR("x86-64"), narrow = STR("x86");
#elif defined __aarch64__
	struct str wide = STR("arm64"), narrow = STR("arm");
#else
	struct str wide = STR(""), narrow = STR("");
#endif
	bool is_wide = str_eq(s, wide);
	if (s.n == 0 || (!is_wide && !str_eq(s, narrow)))
		return false;
	*personality = is_wide ? PERSONALITY_LINUX : PERSONALITY_LINUX32;
	return true;
}

static bool hexadecimal(struct str s, uint32_t *value)
{
	uint64_t v;
	char text[16] = "0x";
	struct buf b = { .p = text, .n = 2, .cap = sizeof text };
	str_take(&s, STR("0x"));
	buf_str(&b, s);
	if (s.n == 0 || b.is_cut || !value_u64(buf_view(&b), &v) || v >= UINT32_MAX)
		return false;
	*value = (uint32_t)v;
	return true;
}

bool exec_coredump_filter(struct str s, uint32_t *filter)
{
	static const char *const kinds[] = {
		"private-anonymous", "shared-anonymous", "private-file-backed", "shared-file-backed", "elf-headers", "private-huge",
		"shared-huge", "private-dax", "shared-dax",
	};
	uint32_t sum = 0;
	struct str word;

	while (words_plain(&s, &word)) {
		uint32_t mask = 0;
		int kind = name_find(kinds, countof(kinds), word);
		if (kind >= 0)
			mask = 1u << kind;
		else if (str_eq(word, STR("default")))
			mask = 0x33;            /* core(5): 0, 1, 4 and 5 */
		else if (str_eq(word, STR("all")))
			mask = (1u << countof(kinds)) - 1;
		else if (!hexadecimal(word, &mask))
			return false;
		sum |= mask;
	}
	*filter = sum;
	return true;
}

static int base64_digit(char c)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t at = str_chr(STR(digits), c);
	return at < sizeof digits - 1 ? (int)at : -1;
}

bool exec_base64(struct str s, struct buf *to)
{
	uint32_t bits = 0;
	unsigned n_digits = 0, n_padding = 0;

	for (; s.n; s = str_skip(s, 1)) {
		char c = s.p[0];
		if (c == ' ' || c == '\t' || c == '\n')
			continue;
		int digit = base64_digit(c);
		if ((c != '=' && digit < 0) || (n_padding && c != '=') || (c == '=' && ++n_padding > 2))
			return false;
		bits = bits << 6 | (digit < 0 ? 0 : (uint32_t)digit);
		if (++n_digits % 4)
			continue;
		for (unsigned i = 0; i < 3 - n_padding; i++)
			buf_char(to, (char)(unsigned char)(bits >> (16 - 8 * i)));
	}
	return n_digits % 4 == 0 && !to->is_cut;
}
