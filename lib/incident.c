#include "incident.h"

#include <string.h>

#include "kmsg_lines.h"

/* ---- lines ---- */

/* The head is kept, and so are the lines that matter most, which come last. */
static bool put_line(struct incident *in, struct str text, bool is_essential)
{
	size_t room = INCIDENT_LINES_MAX - in->n_bytes, spared = is_essential ? 0 : INCIDENT_LINES_SPARED;
	bool is_cut = text.n + 1 + spared > room || (in->n_cut && !is_essential);
	in->n_cut += is_cut;
	if (is_cut && (!is_essential || room < 2))
		return false;
	if (is_cut)
		text.n = room - 1;
	memcpy(in->lines + in->n_bytes, text.p, text.n);
	in->n_bytes += (uint32_t)text.n;
	in->lines[in->n_bytes++] = '\n';
	return true;
}

/* Goes on where the record before it stopped: a line with long paths comes in several. */
static bool join_line(struct incident *in, struct str text)
{
	in->n_bytes--;
	return put_line(in, text, true);
}

static bool is_reaper(struct str text)
{
	return str_starts(text, STR("oom_reaper: "));
}

/* ---- the task table ---- */

static struct str next_word(struct str *s)
{
	while (s->n && s->p[0] == ' ')
		*s = str_skip(*s, 1);
	return str_until(s, ' ');
}

static struct str behind_pid(struct str row)
{
	str_until(&row, ']');
	return row;
}

/* "[  pid  ]   uid  tgid total_vm      rss ... oom_score_adj name": what stands between differs from kernel to kernel. */
static void read_columns(struct incident *in, struct str text)
{
	uint8_t n = 0;
	in->rss_column = in->score_column = in->name_column = 0;
	in->n_rows = in->n_tasks = 0;
	for (struct str rest = behind_pid(text); rest.n; n++) {
		struct str word = next_word(&rest);
		if (str_eq(word, STR("rss")))
			in->rss_column = n;
		else if (str_eq(word, STR("oom_score_adj")))
			in->score_column = n;
		else if (str_eq(word, STR("name")))
			in->name_column = n;
	}
}

/* The name is the rest of the row: it may have blanks, and be anything. */
static bool read_task(const struct incident *in, struct str row, struct incident_task *t)
{
	struct str rest = behind_pid(row);
	bool has_rss = false, is_cut;
	for (uint8_t n = 0; n < in->name_column; n++) {
		struct str word = next_word(&rest);
		uint64_t uid;
		int64_t score;
		if (n == 0 && str_u64(word, &uid))
			t->uid = (uint32_t)uid;
		if (n == in->rss_column)
			has_rss = str_u64(word, &t->rss_pages);
		if (in->score_column && n == in->score_column && str_i64(word, &score))
			t->oom_score_adj = (int16_t)score;
	}
	kmsg_unescape(rest, t->name, sizeof t->name, &is_cut);
	memcpy(t->row, row.p, row.n < sizeof t->row ? row.n : sizeof t->row - 1);
	return has_rss;
}

/* Among the largest, in order; of equals the one that came first. */
static void keep_task(struct incident *in, const struct incident_task *t)
{
	uint32_t at = in->n_tasks;
	while (at && in->tasks[at - 1].rss_pages < t->rss_pages)
		at--;
	if (at == INCIDENT_TASKS)
		return;
	if (in->n_tasks < INCIDENT_TASKS)
		in->n_tasks++;
	memmove(&in->tasks[at + 1], &in->tasks[at], (in->n_tasks - 1 - at) * sizeof *t);
	in->tasks[at] = *t;
}

static void take_row(struct incident *in, struct str text, const struct oom_kill *row)
{
	struct incident_task t = { .pid = row->pid, .tgid = row->tgid, .oom_score_adj = KMSG_UNTOLD_ADJ };
	if (!in->name_column)
		return;
	in->n_rows++;
	if (read_task(in, text, &t))
		keep_task(in, &t);
}

/* ---- which lines ---- */

static void begin(struct incident *in, uint32_t story)
{
	in->story = story;
	in->first_seq = in->last_seq = 0;
	in->n_rows = in->n_tasks = in->n_bytes = in->n_cut = 0;
	in->rss_column = in->score_column = in->name_column = 0;
	in->is_open = false;
}

bool incident_is_over(const struct incident *in, const struct kmsg_reader *r)
{
	return in->story != r->story;
}

/*
 * Between its first line and its kill an OOM prints what no form of ours knows: registers, zones, counters. Other CPUs may
 * print in between, which cannot be told apart, and is verbatim as well.
 */
static bool is_wanted(const struct incident *in, const struct kmsg_reader *r, enum kmsg_form form, const struct kmsg_record *rec)
{
	if (form == KMSG_OTHER)
		return (in->is_open || (in->first_seq && is_reaper(rec->text))) && kmsg_is_fresh(r, rec->usec);
	return form != KMSG_NOBODY;
}

static void note_form(struct incident *in, enum kmsg_form form, const struct kmsg_record *rec)
{
	if (form == KMSG_TABLE)
		read_columns(in, rec->text);
	if (form == KMSG_KILLED && !in->first_seq)
		in->first_seq = rec->seq;
	in->is_open = !in->first_seq;
}

void incident_take(struct incident *in, const struct kmsg_reader *r, const struct kmsg_record *rec)
{
	struct oom_kill line;
	if (rec->facility != 0)
		return;
	enum kmsg_form form = kmsg_line(rec->text, &line);
	bool goes_on = rec->is_continuation && in->last_seq && rec->seq == in->last_seq + 1;
	if (incident_is_over(in, r)) {
		begin(in, r->story);
		goes_on = false;
	}
	if (form == KMSG_ROW && !goes_on) {
		take_row(in, rec->text, &line);
		return;
	}
	if (!goes_on && !is_wanted(in, r, form, rec))
		return;
	bool is_kept = goes_on ? join_line(in, rec->text) : put_line(in, rec->text, form != KMSG_OTHER);
	in->last_seq = is_kept ? rec->seq : 0;
	if (!goes_on && form != KMSG_OTHER)
		note_form(in, form, rec);
}

struct str incident_kill_line(const struct incident *in, uint32_t pid)
{
	struct str rest = str_of(in->lines, in->n_bytes <= sizeof in->lines ? in->n_bytes : 0);
	while (rest.n) {
		struct str text = str_until(&rest, '\n');
		struct oom_kill k;
		enum kmsg_form form = kmsg_line(text, &k);
		if ((form == KMSG_KILLED || form == KMSG_SHARER) && k.pid == pid)
			return text;
	}
	return STR("");
}

/* ---- files ---- */

bool incident_put_file(struct buf *files, struct str name, struct str content)
{
	if (name.n + content.n + 2 > files->cap - files->n)
		return false;
	buf_str(files, name);
	buf_char(files, '\0');
	buf_str(files, content);
	buf_char(files, '\0');
	return true;
}

bool incident_next_file(struct str *files, struct str *name, struct str *content)
{
	return str_next(files, name) && str_next(files, content);
}

struct str incident_file(struct str files, struct str cgroup, struct str name)
{
	struct str at = STR(""), word, content;
	while (incident_next_file(&files, &word, &content)) {
		if (str_starts(word, STR("/")))
			at = word;
		else if (str_eq(at, cgroup) && str_eq(word, name))
			return content;
	}
	return STR("");
}

/* ---- the ring ---- */

size_t incident_at(uint64_t number)
{
	return offsetof(struct incident_ring, incidents) + number % INCIDENTS_KEPT * sizeof(struct incident_slot);
}

size_t victim_at(uint64_t number)
{
	return offsetof(struct incident_ring, victims) + number % VICTIMS_KEPT * sizeof(struct victim_slot);
}
