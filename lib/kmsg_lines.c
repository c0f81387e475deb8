#include "kmsg_lines.h"

#include <string.h>

#define COMM_ESCAPED_MAX (4 * (KMSG_COMM_MAX - 1))

void kmsg_untold(struct oom_kill *k)
{
	*k = (struct oom_kill){
		.total_vm_kb = KMSG_UNTOLD_KB, .anon_rss_kb = KMSG_UNTOLD_KB, .file_rss_kb = KMSG_UNTOLD_KB,
		.shmem_rss_kb = KMSG_UNTOLD_KB, .pgtables_kb = KMSG_UNTOLD_KB,
		.uid = KMSG_UNTOLD_UID, .oom_score_adj = KMSG_UNTOLD_ADJ,
	};
}

/* ---- escapes ---- */

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/*
 * The byte that the escape at the front of s stands for, or -1. Only what the kernel escapes (append_char(),
 * kernel/printk/printk.c) is an escape: a saved log holds names like dev-disk-by\x2duuid as they are.
 */
static int escaped_byte(struct str s)
{
	if (s.n < 4 || s.p[0] != '\\' || s.p[1] != 'x')
		return -1;
	int high = hex_digit(s.p[2]), low = hex_digit(s.p[3]);
	int byte = high < 0 || low < 0 ? -1 : high * 16 + low;
	return (byte > 0 && byte < 0x20) || byte >= 0x7f || byte == '\\' ? byte : -1;
}

size_t kmsg_unescape(struct str s, char *to, size_t cap, bool *is_cut)
{
	size_t n = 0;
	*is_cut = false;
	while (s.n) {
		int byte = s.p[0] == '\\' ? escaped_byte(s) : -1;
		if (n + 1 >= cap) {
			*is_cut = true;
			break;
		}
		to[n++] = byte < 0 ? s.p[0] : (char)byte;
		s = str_skip(s, byte < 0 ? 1 : 4);
	}
	to[n] = '\0';
	return n;
}

static void keep_comm(struct str comm, char *to)
{
	bool is_cut;
	kmsg_unescape(comm, to, KMSG_COMM_MAX, &is_cut);
}

/* ---- pieces of a line ---- */

static bool take_pid(struct str *s, uint32_t *pid)
{
	uint64_t v;
	if (!str_digits(s, &v) || v < 1 || v > KMSG_PID_MAX)
		return false;
	*pid = (uint32_t)v;
	return true;
}

static bool take_uid(struct str *s, uint32_t *uid)
{
	uint64_t v;
	if (!str_digits(s, &v) || v >= KMSG_UNTOLD_UID)
		return false;
	*uid = (uint32_t)v;
	return true;
}

/* "label123kB". Without the unit the number may have lost digits, so it is not taken. */
static bool take_kb(struct str *s, struct str label, uint64_t *kb)
{
	struct str rest = *s;
	uint64_t v;
	if (!str_take(&rest, label) || !str_digits(&rest, &v) || !str_take(&rest, STR("kB")))
		return false;
	*kb = v;
	*s = rest;
	return true;
}

static bool take_blanks(struct str *s)
{
	size_t n = s->n;
	while (s->n && s->p[0] == ' ')
		*s = str_skip(*s, 1);
	return s->n < n;
}

/* The messages that out_of_memory() and its callers hand to oom_kill_process(), 2.6.18 to 7.x. A closed list: text
 * that others put before "Killed process" (a netfilter LOG prefix, say) must not pass for the kernel's. */
static bool take_message(struct str *s, struct oom_kill *k)
{
	static const struct { struct str text; uint8_t scope; bool is_allocating; } messages[] = {
		{ STR("Memory cgroup out of memory: "), OOM_MEMCG, false },
		{ STR("Out of memory: "), OOM_GLOBAL, false },
		{ STR("Out of memory (oom_kill_allocating_task): "), OOM_GLOBAL, true },
		{ STR("Out of Memory: "), OOM_GLOBAL, false },
		{ STR("No available memory (MPOL_BIND): "), OOM_GLOBAL, false },
		{ STR("No available memory in cpuset: "), OOM_GLOBAL, false },
	};
	for (size_t i = 0; i < countof(messages); i++)
		if (str_take(s, messages[i].text)) {
			k->scope = messages[i].scope;
			k->is_allocating_task = messages[i].is_allocating;
			return true;
		}
	return false;
}

/* ---- the kill line ---- */

/* "total-vm:1kB, anon-rss:1kB, file-rss:1kB[, shmem-rss:1kB][, UID:0 pgtables:1kB oom_score_adj:0]", up to its end. */
static void read_sizes(struct str s, struct oom_kill *k)
{
	if (!take_kb(&s, STR("total-vm:"), &k->total_vm_kb) && !take_kb(&s, STR("vsz:"), &k->total_vm_kb))
		return;
	take_kb(&s, STR(", anon-rss:"), &k->anon_rss_kb);
	take_kb(&s, STR(", file-rss:"), &k->file_rss_kb);
	take_kb(&s, STR(", shmem-rss:"), &k->shmem_rss_kb);
	uint32_t uid;
	if (!str_take(&s, STR(", UID:")) || !take_uid(&s, &uid) || !str_take(&s, STR(" ")))
		return;
	k->uid = uid;
	int64_t adj;
	take_kb(&s, STR("pgtables:"), &k->pgtables_kb);
	if (str_take(&s, STR(" oom_score_adj:")) && str_i64(str_until(&s, ' '), &adj) && adj >= -1000 && adj <= 1000)
		k->oom_score_adj = (int16_t)adj;
}

/*
 * The comm ends where the kernel's own words go on, and the last place that looks so is the true one, because what
 * follows the comm holds no name. Up to 2.6.32 nothing follows it but, in 2.6.18, a full stop.
 */
static void read_comm_and_sizes(struct str s, struct oom_kill *k)
{
	static const struct str closers[] = { STR(") total-vm:"), STR("), UID "), STR(") vsz:") };
	size_t stop = str_ends(s, STR(")")) ? 1 : str_ends(s, STR(").")) ? 2 : 0;
	if (stop) {
		keep_comm(str_of(s.p, s.n - stop), k->comm);
		return;
	}
	size_t end = s.n;
	for (size_t i = 0; i < countof(closers); i++) {
		size_t at = str_rfind(s, closers[i]);
		if (at < s.n && (end == s.n || at > end))
			end = at;
	}
	if (end == s.n)
		return;
	keep_comm(str_of(s.p, end), k->comm);
	s = str_skip(s, end + 1);
	uint32_t uid;
	if (str_take(&s, STR(", UID "))) {      /* late el7 */
		if (!take_uid(&s, &uid) || !str_take(&s, STR(", ")))
			return;
		k->uid = uid;
	} else {
		s = str_skip(s, 1);
	}
	read_sizes(s, k);
}

/* What follows "Killed process ". Only digits that something follows are a whole pid. */
static enum kmsg_form read_killed(struct str s, struct oom_kill *k)
{
	if (!take_pid(&s, &k->pid) || !s.n || (s.p[0] != ' ' && s.p[0] != ','))
		return KMSG_OTHER;
	k->tgid = k->pid;
	uint32_t uid;
	if (str_take(&s, STR(" ("))) {
		read_comm_and_sizes(s, k);
	} else if (str_take(&s, STR(", UID ")) && take_uid(&s, &uid) && str_take(&s, STR(", ("))) {    /* el6 */
		k->uid = uid;
		read_comm_and_sizes(s, k);
	}
	return KMSG_KILLED;
}

/* ---- its neighbours ---- */

/* What follows "Kill process ": with a message before it a candidate, without one a process sharing the victim's mm. */
static enum kmsg_form read_kill(struct str s, bool has_message, struct oom_kill *k)
{
	static const struct str sharing = STR(") sharing same memory");
	if (!take_pid(&s, &k->pid) || !str_take(&s, STR(" (")))
		return KMSG_OTHER;
	k->tgid = k->pid;
	if (has_message)
		return str_find(s, STR(") score ")) < s.n ? KMSG_CANDIDATE : KMSG_OTHER;
	if (!str_ends(s, sharing))
		return KMSG_OTHER;
	keep_comm(str_of(s.p, s.n - sharing.n), k->comm);
	k->is_sharer = true;
	return KMSG_SHARER;
}

static enum kmsg_form read_skipped(struct str s, struct oom_kill *k)
{
	if (!take_pid(&s, &k->pid) || !str_ends(s, STR(") is already exiting. Skip killing the task")))
		return KMSG_OTHER;
	return KMSG_SKIPPED;
}

static enum kmsg_form read_verdict(struct str s, struct oom_kill *k)
{
	kmsg_untold(k);
	if (str_eq(s, STR("Out of memory and no killable processes...")))
		return KMSG_NOBODY;
	bool has_message = take_message(&s, k);
	if (str_take(&s, STR("Killed process ")))
		return read_killed(s, k);
	if (str_take(&s, STR("Kill process ")) || (has_message && str_take(&s, STR("kill process "))))
		return read_kill(s, has_message, k);
	if (has_message && str_take(&s, STR("OOM victim ")))
		return read_skipped(s, k);
	return KMSG_OTHER;
}

/* "[  125]  1000   125 ..." or the column names above such rows. */
static enum kmsg_form read_row(struct str s, struct oom_kill *k)
{
	uint64_t uid;
	uint32_t pid, tgid;
	s = str_skip(s, 1);
	take_blanks(&s);
	if (str_take(&s, STR("pid"))) {
		take_blanks(&s);
		return str_take(&s, STR("]   uid  tgid")) ? KMSG_TABLE : KMSG_OTHER;
	}
	if (!take_pid(&s, &pid) || !str_take(&s, STR("]")) || !take_blanks(&s) || !str_digits(&s, &uid) ||
	    !take_blanks(&s) || !take_pid(&s, &tgid) || !take_blanks(&s))
		return KMSG_OTHER;
	kmsg_untold(k);
	k->pid = pid;
	k->tgid = tgid;
	return KMSG_ROW;
}

/*
 * "comm invoked oom-killer: gfp_mask=..." can begin with any byte, so every line is looked at, but no further than a
 * comm reaches. The words are longer than a comm: none can hold them.
 */
static bool read_header(struct str s, struct oom_kill *k)
{
	static const struct str words = STR(" invoked oom-killer:");
	struct str front = str_of(s.p, s.n < COMM_ESCAPED_MAX + words.n ? s.n : COMM_ESCAPED_MAX + words.n);
	size_t at = 0;
	for (; at + words.n <= front.n; at++) {
		at += str_chr(str_skip(front, at), ' ');
		if (str_starts(str_skip(front, at), words))
			break;
	}
	bool is_old = str_starts(s, STR("oom-killer: gfp_mask="));      /* 2.6.18 does not say who */
	if (!is_old && at + words.n > front.n)
		return false;
	kmsg_untold(k);
	if (!is_old)
		keep_comm(str_of(s.p, at), k->invoked_by);
	s = str_skip(s, at);
	k->is_manual = str_find(s, STR(" order=-1,")) < s.n;
	return true;
}

/* ---- which line is it ---- */

static bool is_manual(struct str s)
{
	str_take(&s, STR("sysrq: "));
	str_take(&s, STR("SysRq : "));
	return str_eq(s, STR("Manual OOM execution"));
}

enum kmsg_form kmsg_line(struct str text, struct oom_kill *k)
{
	if (text.n == 0)
		return KMSG_OTHER;
	if (read_header(text, k))
		return KMSG_HEADER;
	switch (text.p[0]) {
	case 'K':
	case 'O':
	case 'N':
		return read_verdict(text, k);
	case 'M':
		return kmsg_is_long(text) ? KMSG_LONG : read_verdict(text, k);
	case 'T':
	case 'o':
		return kmsg_is_long(text) ? KMSG_LONG : KMSG_OTHER;
	case '[':
		return read_row(text, k);
	case 's':
	case 'S':
		if (!is_manual(text))
			return KMSG_OTHER;
		kmsg_untold(k);
		return KMSG_MANUAL;
	}
	return KMSG_OTHER;
}
