/* oomphctl oom: the OOM kills on record, those of before PID 1's time and those that it keeps no more from the file. */
#include "ctl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A line of JSON, as PID 1's child wrote it or as we would have. */
struct record {
	char *line;
	struct str boot_id, since, id, time, text;      /* as they stand in it; the first three name a death for ever */
};

struct records {
	struct record *list;
	size_t n;
};

static bool read_record(struct record *r, char *line)
{
	static const char *const keys[] = { "boot_id", "pid1_since", "id", "time", "text" };
	struct str values[countof(keys)], all = str_from(line);
	if (!str_ends(all, STR("\n")) || !json_read(str_of(all.p, all.n - 1), keys, values, countof(keys)))
		return false;
	*r = (struct record){ line, values[0], values[1], values[2], values[3], values[4] };
	return r->id.n && r->time.n && r->text.n;
}

static bool is_same_death(const struct record *a, const struct record *b)
{
	return str_eq(a->id, b->id) && str_eq(a->since, b->since) && str_eq(a->boot_id, b->boot_id);
}

/* Told again, more had become known: that stands in the place of what was told first. Takes the line; false: it is none. */
static bool add_record(struct records *all, char *line)
{
	struct record r;
	size_t at = 0;
	if (!read_record(&r, line)) {
		free(line);
		return false;
	}
	while (at < all->n && !is_same_death(&all->list[at], &r))
		at++;
	if (at == all->n) {
		all->list = realloc(all->list, (all->n + 1) * sizeof r);
		if (!all->list)
			leave(LEAVE_FAILED, "out of memory");
		all->n++;
	} else {
		free(all->list[at].line);
	}
	all->list[at] = r;
	return true;
}

static void add_file(struct records *all, const char *path)
{
	FILE *f = fopen(path, "re");
	size_t n_torn = 0, size = 0;
	char *line = NULL;
	if (!f && errno != ENOENT)
		fprintf(stderr, "oomphctl: %s: %s\n", path, strerror(errno));
	while (f && getline(&line, &size, f) > 0) {
		n_torn += !add_record(all, line);
		line = NULL;
		size = 0;
	}
	free(line);
	if (f)
		fclose(f);
	if (n_torn)
		fprintf(stderr, "oomphctl: %s: skipped what is no whole record: %zu %s\n", path, n_torn, n_torn == 1 ? "line" : "lines");
}

static void add_ring(struct records *all, const struct ring *r)
{
	uint64_t newest = 0;
	for (size_t i = 0; r->bytes && i < VICTIMS_KEPT; i++)
		if (r->bytes->victims[i].number > newest)
			newest = r->bytes->victims[i].number;
	for (uint64_t n = newest > VICTIMS_KEPT ? newest - VICTIMS_KEPT + 1 : 1; n <= newest; n++) {
		const struct victim_slot *v = ring_victim(r, n);
		if (v)
			add_record(all, record_line(r, v, true));
	}
}

/* ---- showing ---- */

static uint64_t ms_of(struct str time)
{
	char text[64];
	struct tm tm = { 0 };
	json_string(time, text, sizeof text - 1);
	text[time.n >= 2 && time.n - 2 < sizeof text ? time.n - 2 : 0] = '\0';
	return strptime(text, "%Y-%m-%dT%H:%M:%S", &tm) ? (uint64_t)timegm(&tm) * 1000 : 0;
}

static void show(const struct ask *ask, const struct record *r)
{
	char text[8192];
	if (ask->is_json) {
		fputs(r->line, stdout);
		return;
	}
	struct str words = json_string(r->text, text, sizeof text);
	printf("%s  %.*s\n", line_time("%Y-%m-%d %H:%M:%S", ms_of(r->time)).text, (int)words.n, words.p);
}

int oom_main(const struct ask *ask)
{
	struct records all = { 0 };
	struct ring ring;
	struct wire w;
	if (ask->options & OPTION_FROM)
		return from_main(ask);
	wire_open(&w, ask);
	if (wire_is_ours(&w)) {
		add_file(&all, RECORDS_OLD);
		add_file(&all, RECORDS_FILE);
	}
	ring_ask(&ring, &w);
	add_ring(&all, &ring);
	for (size_t i = (ask->options & OPTION_NUMBER) && ask->number < all.n ? all.n - ask->number : 0; i < all.n; i++)
		show(ask, &all.list[i]);
	if (all.n == 0 && !ask->is_json)
		printf("no OOM kill is on record\n");
	return LEAVE_OK;                /* NOLINT(clang-analyzer-unix.Malloc): ours till we end */
}
