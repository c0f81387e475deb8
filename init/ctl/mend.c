/*
 * Lines of a log that passed through other hands: one of the kernel's lines wrapped into two, or two run into one. A
 * mending counts only where it fits: wrapped halves must tell more together than the first alone and contradict nothing
 * of it, and no seam is believed inside a name that somebody else has chosen.
 */
#include "mend.h"

#include <string.h>

/* ---- what a line tells ---- */

/* Does the line alone tell of a kill? Each thing told counts one, the kill itself too. */
static int tells(const struct kmsg_record *like, struct str text, struct oom_kill *k)
{
	struct kmsg_reader fresh;
	struct kmsg_record r = *like;
	r.text = text;
	r.is_continuation = false;
	kmsg_reset(&fresh);
	if (kmsg_feed(&fresh, &r, k) != KMSG_KILL)
		return 0;
	const uint64_t sizes[] = { k->total_vm_kb, k->anon_rss_kb, k->file_rss_kb, k->shmem_rss_kb, k->pgtables_kb };
	int n = 1 + (k->comm[0] != '\0') + (k->uid != KMSG_UNTOLD_UID) + (k->oom_score_adj != KMSG_UNTOLD_ADJ);
	for (size_t i = 0; i < countof(sizes); i++)
		n += sizes[i] != KMSG_UNTOLD_KB;
	return n;
}

static bool is_same_size(uint64_t before, uint64_t now)
{
	return before == KMSG_UNTOLD_KB || before == now;
}

static bool contradicts(const struct oom_kill *before, const struct oom_kill *now)
{
	return before->pid != now->pid || (before->comm[0] && strcmp(before->comm, now->comm) != 0) ||
		(before->uid != KMSG_UNTOLD_UID && before->uid != now->uid) ||
		(before->oom_score_adj != KMSG_UNTOLD_ADJ && before->oom_score_adj != now->oom_score_adj) ||
		!is_same_size(before->total_vm_kb, now->total_vm_kb) || !is_same_size(before->anon_rss_kb, now->anon_rss_kb) ||
		!is_same_size(before->file_rss_kb, now->file_rss_kb) || !is_same_size(before->shmem_rss_kb, now->shmem_rss_kb) ||
		!is_same_size(before->pgtables_kb, now->pgtables_kb);
}

static bool is_digits(struct str s)
{
	uint64_t v;
	return str_u64(s, &v);
}

/* ",uid=1000" and nothing more: how the kernel's summary ends, whatever the cgroups in it are called. */
static bool ends_summary(struct str s)
{
	static const struct str label = STR(",uid=");
	size_t at = str_rfind(s, label);
	return at < s.n && is_digits(str_skip(s, at + label.n));
}

/* ---- wrapped ---- */

static const struct str summary = STR("oom-kill:constraint="), header = STR(" invoked oom-killer:");

#define RECORD_FULL 900         /* a line so long may be one that the kernel itself has cut, about 1000 bytes */

static bool append(struct mended *m, struct str between, struct str rest)
{
	if (m->n + between.n + rest.n > sizeof m->bytes)
		return false;
	memcpy(m->bytes + m->n, between.p, between.n);
	memcpy(m->bytes + m->n + between.n, rest.p, rest.n);
	m->n += between.n + rest.n;
	m->record.text = str_of(m->bytes, m->n);
	return true;
}

/* What may be the last digits of the score, which the line before has cut: "oom_score_adj:9" and "97". */
static bool is_last_digits(struct str before, struct str rest)
{
	size_t at = str_rfind(before, STR(" oom_score_adj:"));
	return at < before.n && rest.n <= 3 && is_digits(rest) &&
		is_digits(str_skip(before, before.n - 1));
}

static bool join_kill(struct mended *m, struct str rest)
{
	static const struct str between[] = { STR(""), STR(" ") };
	struct oom_kill before, now;
	int told = tells(&m->record, m->record.text, &before), most = told, best = -1;
	size_t n = m->n;
	if (told && is_last_digits(m->record.text, rest))
		return append(m, between[0], rest);
	for (int i = 0; i < (int)countof(between); i++) {
		if (!append(m, between[i], rest))
			return false;
		int n_told = tells(&m->record, m->record.text, &now);
		if (n_told > most && (!told || !contradicts(&before, &now))) {
			most = n_told;
			best = i;
		}
		m->n = n;
		m->record.text = str_of(m->bytes, n);
	}
	return best >= 0 && append(m, between[best], rest);
}

/* A summary has no blanks before its comm, so it was cut between two letters. */
static bool join_summary(struct mended *m, struct str rest, bool is_bare)
{
	bool is_rest = (is_bare && m->has_prefix) || str_chr(rest, ' ') == rest.n;
	if (ends_summary(m->record.text) || !is_rest || (!is_bare && m->n < RECORD_FULL))
		return false;
	return append(m, STR(""), rest);
}

/* Only what the wrapped line has lost of it matters: the order, which tells a kill by sysrq-f. */
static bool join_header(struct mended *m, struct str rest)
{
	static const struct str labels[] = { STR("gfp_mask="), STR("nodemask="), STR("order="), STR("oom_score_adj=") };
	for (size_t i = 0; i < countof(labels); i++)
		if (str_starts(rest, labels[i]))
			return append(m, STR(" "), rest);
	return false;
}

static bool join_path(struct mended *m, struct str rest)
{
	bool is_whole = str_find(m->record.text, STR(" limit of /")) < m->n ||
		str_ends(m->record.text, STR(" memory.oom.group set"));
	return !is_whole && m->has_prefix && append(m, STR(" "), rest);
}

bool mend_wrapped(struct mended *m, struct str text, bool is_bare)
{
	struct str rest = str_trim(text), first = m->record.text;
	struct oom_kill k;
	if (!m->is_open || rest.n == 0 || m->n + rest.n > KMSG_RECORD_MAX)
		return false;
	if ((str_starts(first, summary) || str_starts(first, STR("Task"))) && tells(&m->record, rest, &k))
		return false;           /* what a path may go on with is anything, but not a kill */
	if (str_starts(first, summary))
		return join_summary(m, rest, is_bare);
	if (!is_bare)
		return false;
	if (str_find(first, header) < first.n)
		return join_header(m, rest);
	if (str_starts(first, STR("Task in /")) || str_starts(first, STR("Tasks in /")))
		return join_path(m, rest);
	/* "Memory cgroup out of memory:", "Out of memory:", "No available memory", "Killed process" */
	return first.n && memchr("MONK", first.p[0], 4) && join_kill(m, rest);
}

void mend_begin(struct mended *m, const struct kmsg_record *r, bool has_prefix)
{
	struct str text = r->text;
	if (text.n > sizeof m->bytes)
		text.n = sizeof m->bytes;
	memcpy(m->bytes, text.p, text.n);
	m->n = text.n;
	m->record = *r;
	m->record.text = str_of(m->bytes, m->n);
	m->has_prefix = has_prefix;
	m->is_open = true;
}

/* ---- run into one ---- */

#define STAMP_MAX 24            /* no uptime is longer, and a line of brackets is not searched for its end each time */

/* "[   37.123371]" at the front of s. */
static bool is_stamp(struct str s, uint64_t *usec)
{
	uint64_t seconds, fraction;
	struct str inside;
	s.n = s.n < STAMP_MAX ? s.n : STAMP_MAX;
	if (!str_take(&s, STR("[")) || str_chr(s, ']') == s.n)
		return false;
	inside = str_trim(str_until(&s, ']'));
	if (!str_digits(&inside, &seconds) || !str_take(&inside, STR(".")) || inside.n != 6 ||
	    !str_u64(inside, &fraction) || seconds > UINT64_MAX / 2000000)
		return false;
	*usec = seconds * 1000000 + fraction;
	return true;
}

static size_t next_stamp(struct str s, size_t from, uint64_t *usec)
{
	for (size_t at = from; at < s.n; at++) {
		at += str_chr(str_skip(s, at), '[');
		if (at < s.n && is_stamp(str_skip(s, at), usec))
			return at;
	}
	return s.n;
}

static bool ends_members(struct str s)
{
	return str_ends(s, STR(" memory.oom.group set"));
}

static bool ends_stats(struct str s)
{
	return str_ends(s, STR(":"));
}

static bool ends_nowhere(struct str s)
{
	(void)s;
	return false;
}

/* Lines with cgroup paths, in which anybody may have put a whole kernel line, stamp and all: how each of them ends. */
static const struct {
	struct str start;
	bool (*is_end)(struct str);
} with_paths[] = {
	{ STR("oom-kill:constraint="), ends_summary }, { STR("Tasks in /"), ends_members },
	{ STR("Memory cgroup stats for /"), ends_stats }, { STR("Task in /"), ends_nowhere },
	{ STR("Memory limit reached of cgroup /"), ends_nowhere },
};

/* The seam behind a line with paths: the last place that could be its end, so that none inside a name is taken. */
static size_t path_seam(struct str s, bool (*is_end)(struct str), uint64_t *usec)
{
	uint64_t at_usec;
	size_t seam = s.n, n = s.n;
	if (is_end(str_trim(s)))
		return n;
	s.n = n < KMSG_RECORD_MAX ? n : KMSG_RECORD_MAX;
	for (size_t at = next_stamp(s, 1, &at_usec); at < s.n; at = next_stamp(s, at + 1, &at_usec))
		if (is_end(str_trim(str_of(s.p, at)))) {
			seam = at;
			*usec = at_usec;
		}
	return seam;
}

static size_t seam_of(struct str s, uint64_t *usec)
{
	for (size_t i = 0; i < countof(with_paths); i++)
		if (str_starts(s, with_paths[i].start))
			return path_seam(s, with_paths[i].is_end, usec);
	return next_stamp(s, 1, usec);
}

#define SEAM_USEC 10000000      /* lines that run into one another were printed one after the other */

bool mend_merged(struct kmsg_record *front, struct kmsg_record *rest, bool has_uptime)
{
	uint64_t usec = 0;
	struct str text = front->text;
	size_t at = has_uptime ? seam_of(text, &usec) : text.n;
	if (at == text.n || usec < front->usec || usec - front->usec > SEAM_USEC)
		return false;
	*rest = *front;
	kmsg_text_line(str_skip(text, at), rest);
	rest->level = front->level;
	rest->facility = front->facility;
	rest->seq = front->seq;
	front->text = str_of(text.p, at);
	while (front->text.n && front->text.p[front->text.n - 1] == ' ')
		front->text.n--;
	return true;
}
