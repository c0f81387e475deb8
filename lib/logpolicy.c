#include "logpolicy.h"

#define ALL_MAX (UINT64_C(4) << 30)     /* journald.conf(5), SystemMaxUse=: 10% of the file system, but at most 4G */
#define ALL_LEAST (UINT64_C(1) << 20)
#define FILE_LEAST (UINT64_C(64) << 10)

static uint64_t at_most(uint64_t a, uint64_t most)
{
	return a < most ? a : most;
}

static uint64_t at_least(uint64_t a, uint64_t least)
{
	return a > least ? a : least;
}

struct logpolicy_limits logpolicy_settle(struct logpolicy_limits l, uint64_t file_system)
{
	if (!l.all_max)
		l.all_max = at_most(file_system / 10, ALL_MAX);
	l.all_max = at_least(l.all_max, ALL_LEAST);
	l.unit_max = l.unit_max ? at_most(l.unit_max, l.all_max) : l.all_max;
	l.file_max = at_least(at_most(l.file_max, l.unit_max / 4), FILE_LEAST);
	return l;
}

bool logpolicy_is_full(const struct logpolicy_limits *limits, uint64_t size, uint64_t born_us, uint64_t n, uint64_t now_us)
{
	return size > 0 && (size + n > limits->file_max || (limits->file_us && now_us > born_us && now_us - born_us >= limits->file_us));
}

/* Deleted for the first reason before the second, and for each the oldest first. */
enum reason { OLD, OVER_ITS_LIMIT, OVER_ALL, NONE };

size_t logpolicy_next(const struct logpolicy_file *files, size_t n_files, const uint64_t *unit_bytes, uint64_t all_bytes,
		      const struct logpolicy_limits *limits, uint64_t now_us)
{
	size_t best = n_files;
	enum reason why = NONE;
	for (size_t i = 0; i < n_files; i++) {
		const struct logpolicy_file *f = &files[i];
		enum reason its = NONE;
		if (limits->retention_us && now_us > f->time_us && now_us - f->time_us > limits->retention_us)
			its = OLD;
		else if (unit_bytes[f->unit] > limits->unit_max)
			its = OVER_ITS_LIMIT;
		else if (all_bytes > limits->all_max)
			its = OVER_ALL;
		if (its != NONE && (its < why || (its == why && f->time_us < files[best].time_us))) {
			best = i;
			why = its;
		}
	}
	return best;
}

bool lograte_pass(struct lograte *r, uint32_t interval_ms, uint32_t burst, uint64_t now_ms, uint32_t *n_suppressed)
{
	*n_suppressed = 0;
	if (interval_ms == 0 || burst == 0)
		return true;
	if (r->n_passed == 0 || now_ms - r->since_ms >= interval_ms) {
		*n_suppressed = r->n_suppressed;
		*r = (struct lograte){ .since_ms = now_ms };
	}
	if (r->n_passed < burst) {
		r->n_passed++;
		return true;
	}
	r->n_suppressed++;
	return false;
}

uint32_t lograte_end(struct lograte *r, uint32_t interval_ms, uint64_t now_ms)
{
	uint32_t n = r->n_suppressed;
	if (n == 0 || now_ms - r->since_ms < interval_ms)
		return 0;
	*r = (struct lograte){ 0 };
	return n;
}
