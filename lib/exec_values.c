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

/* A sign makes it a nice level, none the kernel's own number. */
static bool nice_ceiling(struct str s, uint64_t *value)
{
	int64_t level;
	bool is_negative = str_take(&s, STR("-"));
	if (!is_negative && !str_take(&s, STR("+")))
		return value_u64(s, value) && *value <= NICE_ZERO * 2;
	if (!value_int(s, 0, is_negative ? NICE_ZERO : NICE_ZERO - 1, &level))
		return false;
	*value = (uint64_t)(is_negative ? NICE_ZERO + level : NICE_ZERO - level);
	return true;
}

static bool limit_value(struct str s, enum limit_kind kind, uint64_t *value)
{
	if (str_eq(s, STR("infinity")) && kind != LIMIT_NICE) {
		*value = LIMIT_INFINITY;
		return true;
	}
	if (kind == LIMIT_CPU)
		return cpu_seconds(s, value);
	if (kind == LIMIT_RTTIME)
		return value_microseconds(s, value);
	if (kind == LIMIT_NICE)
		return nice_ceiling(s, value);
	uint64_t v;
	if (!(is_size(kind) ? value_size(s, &v) : value_u64(s, &v)) || v == LIMIT_INFINITY)
		return false;
	*value = v;
	return true;
}

bool exec_limit(struct str s, enum limit_kind kind, struct limit *limit)
{
	uint64_t soft, hard;
	bool is_pair = str_chr(s, ':') < s.n;
	struct str first = str_until(&s, ':');

	if (!limit_value(first, kind, &soft))
		return false;
	hard = soft;
	while (str_take(&s, STR(" ")) || str_take(&s, STR("\t")))
		;
	/* "5:6:" is a pair as well (measured), "5:" is not */
	if ((is_pair && !limit_value(str_until(&s, ':'), kind, &hard)) || s.n || soft > hard)
		return false;
	limit->soft = soft;
	limit->hard = hard;
	return true;
}

/* ---- capabilities(7) ---- */

/* linux/capability.h: CAP_CHOWN is 0. */
static const char *const capabilities[] = {
	"cap_chown", "cap_dac_override", "cap_dac_read_search", "cap_fowner", "cap_fsetid", "cap_kill", "cap_setgid", "cap_setuid", "cap_setpcap",
	"cap_linux_immutable", "cap_net_bind_service", "cap_net_broadcast", "cap_net_admin", "cap_net_raw", "cap_ipc_lock", "cap_ipc_owner", "cap_sys_module",
	"cap_sys_rawio", "cap_sys_chroot", "cap_sys_ptrace", "cap_sys_pacct", "cap_sys_admin", "cap_sys_boot", "cap_sys_nice", "cap_sys_resource", "cap_sys_time",
	"cap_sys_tty_config", "cap_mknod", "cap_lease", "cap_audit_write", "cap_audit_control", "cap_setfcap", "cap_mac_override", "cap_mac_admin", "cap_syslog",
	"cap_wake_alarm", "cap_block_suspend", "cap_audit_read", "cap_perfmon", "cap_bpf", "cap_checkpoint_restore",
};

int exec_capability(struct str name)
{
	uint64_t number;
	char text[24];
	struct buf b = BUF(text);

	if (value_u64(name, &number))
		return number < 64 ? (int)number : -1;
	for (size_t i = 0; i < name.n; i++)
		buf_char(&b, lower(name.p[i]));
	struct str word = buf_view(&b);
	return b.is_cut ? -1 : name_find(capabilities, countof(capabilities), word);
}

const char *exec_capability_name(int number)
{
	return number >= 0 && (size_t)number < countof(capabilities) ? capabilities[number] : NULL;
}

/* Each has a lock behind it, linux/securebits.h. */
static const char *const secure_bits[] = {
	"noroot", "noroot-locked", "no-setuid-fixup", "no-setuid-fixup-locked", "keep-caps", "keep-caps-locked",
};

uint32_t exec_secure_bit(struct str name)
{
	int bit = name_find(secure_bits, countof(secure_bits), name);
	return bit < 0 ? 0 : 1u << bit;
}

const char *exec_secure_bit_name(unsigned bit)
{
	return bit < countof(secure_bits) ? secure_bits[bit] : NULL;
}

/* ---- masks ---- */

static bool take_range(struct str word, uint64_t mask[MASK_BITS / 64])
{
	uint64_t first, last;
	bool is_range = str_chr(word, '-') < word.n;
	if (!value_u64(str_until(&word, '-'), &first) || (is_range && !value_u64(word, &last)))
		return false;
	if (!is_range)
		last = first;
	if (last >= MASK_BITS || first >= MASK_BITS)
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

/* ---- odds and ends ---- */

enum { PERSONALITY_LINUX = 0, PERSONALITY_LINUX32 = 8 };        /* linux/personality.h */

const char *exec_personality_name(uint32_t personality)
{
#if defined __x86_64__
	return personality == PERSONALITY_LINUX ? "x86-64" : "x86";
#elif defined __aarch64__
	return personality == PERSONALITY_LINUX ? "arm64" : "arm";
#else
	return "";
#endif
}

bool exec_personality(struct str s, uint32_t *personality)
{
	static const uint32_t known[] = { PERSONALITY_LINUX, PERSONALITY_LINUX32 };
	for (size_t i = 0; i < countof(known); i++)
		if (s.n && str_eq(s, str_from(exec_personality_name(known[i])))) {
			*personality = known[i];
			return true;
		}
	return false;
}

static bool hexadecimal(struct str s, uint32_t *value)
{
	uint64_t v;
	char text[16] = "0x";
	struct buf b = { .p = text, .n = 2, .cap = sizeof text };
	str_take(&s, STR("+"));
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
	char text[32];
	struct buf b = BUF(text);

	for (enum words_result r; (r = words_quoted(&s, &b)) != WORDS_END; b.n = 0) {
		uint32_t mask = 0;
		struct str word = buf_view(&b);
		if (r != WORDS_WORD)
			return false;
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

static const char base64_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static int base64_digit(char c)
{
	size_t at = str_chr(STR(base64_digits), c);
	return at < sizeof base64_digits - 1 ? (int)at : -1;
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

void exec_to_base64(struct str s, struct buf *to)
{
	for (; s.n; s = str_skip(s, 3)) {
		uint32_t bits = 0;
		for (size_t i = 0; i < 3; i++)
			bits = bits << 8 | (i < s.n ? (unsigned char)s.p[i] : 0);
		for (size_t i = 0; i < 4; i++)
			buf_char(to, i <= s.n ? base64_digits[bits >> (18 - 6 * i) & 63] : '=');
	}
}
