/* A death stands in its service's log, behind the last words. */
#include "parts.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "say.h"

static void put_size(struct buf *b, const struct oom_kill *k)
{
	const uint64_t sizes[] = { k->anon_rss_kb, k->file_rss_kb, k->shmem_rss_kb };
	uint64_t sum = 0;
	for (size_t i = 0; i < countof(sizes); i++)
		sum += sizes[i] == KMSG_UNTOLD_KB ? 0 : sizes[i];
	if (sum == 0)
		return;
	buf_lit(b, ", ");
	say_kb(b, sum);
}

static bool is_quiet_end(const struct death *d)
{
	return d->cause == CAUSE_STOP || (d->cause == CAUSE_EXIT && d->status == 0);
}

/* "died: oom-kill, 312 MB (pid 812, generation 3)" */
static void put_words(struct buf *b, const struct death *d)
{
	if (!d->is_main)
		buf_lit(b, "a process ");
	buf_str(b, is_quiet_end(d) ? STR("ended: ") : STR("died: "));
	if (d->cause == CAUSE_OOM_KILL) {
		buf_str(b, str_from(cause_name[d->cause]));
		put_size(b, &d->oom);
	} else {
		say_cause(b, d);
	}
	buf_lit(b, " (");
	if (d->pid) {
		buf_lit(b, "pid ");
		buf_u64(b, d->pid);
		buf_lit(b, ", ");
	}
	buf_lit(b, "generation ");
	buf_u64(b, d->generation);
	buf_char(b, ')');
}

/* PID 1 tells of the deaths that it keeps again and again; of one whose cause has become another, news it is. */
static bool is_news(struct logger *l, const struct death *d)
{
	uint64_t *last = ledger_last_death(&l->ledger);
	size_t i = d->id % DEATHS_NOTED;
	bool is_noted = l->deaths.noted[i].id == d->id;
	if (d->id <= *last && (!is_noted || l->deaths.noted[i].cause == d->cause))
		return false;
	if (d->id > *last)
		*last = d->id;
	l->deaths.noted[i].id = d->id;
	l->deaths.noted[i].cause = d->cause;
	return true;
}

/* Its unit's name may be cut. */
static struct writer *writer_of_death(struct logger *l, const struct death *d)
{
	struct str name = str_of(d->unit, strnlen(d->unit, sizeof d->unit));
	if (name.n == sizeof d->unit - 1)
		for (uint32_t i = 0; i < l->n_writers; i++)
			if (str_starts(str_from(l->writers[i]->name), name))
				return l->writers[i];
	struct writer *w = writer_find(l, name);
	return w || is_quiet_end(d) ? w : writer_of(l, name);
}

static void note(struct logger *l, struct writer *w, const struct death *d)
{
	char text[512];
	struct buf b = BUF(text);
	put_words(&b, d);
	writer_keep(l, w, &(struct logline){ .time_us = now_us(), .generation = d->generation, .pid = d->pid, .stream = LOG_NOTE,
		.priority = is_quiet_end(d) ? LOG_PRIORITY_INFO : LOG_PRIORITY_ERR, .text = buf_view(&b) });
}

void death_take(struct logger *l, const struct packet *p, int fd)
{
	const struct death *d = &((const struct death_packet *)p)->death;
	if (fd >= 0)
		close(fd);
	if (p->kind != PACKET_DEATH || d->cause >= N_CAUSE || !is_news(l, d))
		return;
	wire_serve(l, &l->logs);        /* its pipe may be on the way still */
	struct writer *w = writer_of_death(l, d);
	if (!w)
		return;
	streams_drain(l, w);
	if (d->is_main)
		streams_end(l, w);
	if (!l->options.is_stdout)      /* there PID 1's own words stand beside */
		note(l, w, d);
	log_flush(l);
}
