/* What a unit holds as numbers, flags and names, written as a unit file has them. */
#include "dump.h"
#include "lib/exec_values.h"
#include "lib/names.h"

#include <inttypes.h>
#include <stdio.h>

void put_name(const struct dumped *e, const char *const *names)
{
	if (names[dumped_byte(e)][0])
		put_line(e, names[dumped_byte(e)]);
}

void put_enum(const struct dumped *e)
{
	put_name(e, e->row->reading == READ_TYPE ? type_names : e->row->reading == READ_ACTION ? unit_action_names :
		 enumerations[e->row->which].names);
}

void put_flag(const struct dumped *e)
{
	bool is_set = e->d->unit.flags >> e->row->which & 1;
	put_line(e, is_set != (e->row->reading == READ_FLAG_INVERTED) ? "yes" : "no");
}

void put_context_flag(const struct dumped *e)
{
	bool is_set = e->d->context.flags >> e->row->which & 1;
	put_line(e, is_set != (e->row->reading == READ_CONTEXT_FLAG_INVERTED) ? "yes" : "no");
}

void put_switch(const struct dumped *e)
{
	int said = e->d->switches[e->row->which];
	if (said != UNSAID)
		put_line(e, said == SAID_YES ? "yes" : "no");
}

void put_time(const struct dumped *e)
{
	uint32_t ms = *(const uint32_t *)dumped_field(e);
	if (ms == FOREVER_MS)
		put_line(e, "infinity");
	else
		printf("%.*s=%" PRIu32 "ms\n", STR_ARG(e->row->key), ms);
}

/* Written, they would take the place of oomph's own backoff. */
void put_restart_sec(const struct dumped *e)
{
	if (e->d->has_restart_sec)
		put_time(e);
}

void put_restart_max(const struct dumped *e)
{
	if (e->d->has_restart_max)
		put_time(e);
}

void put_restart_steps(const struct dumped *e)
{
	if (e->d->n_steps)
		put_number(e, e->d->n_steps);
}

void put_start_limit(const struct dumped *e)
{
	if (e->d->has_start_limit)
		put_time(e);
}

void put_start_burst(const struct dumped *e)
{
	if (e->d->has_start_limit)
		put_count(e);
}

void put_signal(const struct dumped *e)
{
	if (dumped_byte(e))
		put_line(e, signal_name((int)dumped_byte(e)));
}

static void put_statuses(const struct dumped *e, const struct exit_set *set)
{
	for (unsigned status = 0; status < 256; status++)
		if (set->statuses[status / 64] >> status % 64 & 1)
			put_number(e, status);
	for (int signal = 1; signal <= 64; signal++)
		if (set->signals >> (signal - 1) & 1)
			put_line(e, signal_name(signal));
}

void put_exit_statuses(const struct dumped *e)
{
	put_statuses(e, dumped_field(e));
}

void put_restart_statuses(const struct dumped *e)
{
	put_statuses(e, e->row->which ? &e->d->restart_force : &e->d->restart_prevent);
}

void put_fd_store(const struct dumped *e)
{
	put_number(e, e->d->unit.fd_store_max);
}

void put_notify_fd(const struct dumped *e)
{
	if (e->d->unit.notify_fd)
		put_number(e, e->d->unit.notify_fd);
}

void put_knob(const struct dumped *e)
{
	uint64_t value = e->d->unit.knobs[e->row->which];
	if (value == KNOB_INFINITY)
		put_line(e, "infinity");
	else if (value != KNOB_UNSET)
		put_number(e, value);
}

void put_quota(const struct dumped *e)
{
	unsigned share = e->d->cpu_share;
	if (share)
		printf("%.*s=%u.%02u%%\n", STR_ARG(e->row->key), share / 100, share % 100);
}

void put_quota_period(const struct dumped *e)
{
	printf("%.*s=%" PRIu32 "us\n", STR_ARG(e->row->key), *(const uint32_t *)dumped_field(e));
}

static void put_bound(uint64_t value, enum limit_kind kind)
{
	if (value == LIMIT_INFINITY)
		printf("infinity");
	else
		printf("%" PRIu64 "%s", value, kind == LIMIT_CPU ? "s" : kind == LIMIT_RTTIME ? "us" : "");
}

void put_limit(const struct dumped *e)
{
	for (uint32_t i = 0; i < e->d->limits.n; i++) {
		const struct limit *limit = &LIST_AT(e->d->limits, struct limit, i);
		if (limit->kind != e->row->which)
			continue;
		printf("%.*s=", STR_ARG(e->row->key));
		put_bound(limit->soft, limit->kind);
		putchar(':');
		put_bound(limit->hard, limit->kind);
		putchar('\n');
	}
}

void put_score(const struct dumped *e)
{
	if (e->d->unit.flags & UNIT_HAS_SCORE)
		printf("OOMScoreAdjust=%d\n", e->d->unit.oom_score_adj);
}

void put_nice(const struct dumped *e)
{
	if (e->d->unit.flags & UNIT_HAS_NICE)
		printf("Nice=%d\n", e->d->unit.nice);
}

void put_umask(const struct dumped *e)
{
	printf("UMask=%04o\n", e->d->unit.umask);
}

void put_byte(const struct dumped *e)
{
	put_number(e, dumped_byte(e));
}

void put_count(const struct dumped *e)
{
	put_number(e, *(const uint32_t *)dumped_field(e));
}

void put_log_level(const struct dumped *e)
{
	put_name(e, log_priority_names);
}

void put_io_class(const struct dumped *e)
{
	if (e->d->context.flags & CONTEXT_HAS_IO)
		put_name(e, io_class_names);
}

void put_io_priority(const struct dumped *e)
{
	if (e->d->context.flags & CONTEXT_HAS_IO)
		put_byte(e);
}

static bool has_bit(const struct mask *mask, unsigned bit)
{
	return bit < MASK_BITS && mask->bits[bit / 64] >> bit % 64 & 1;
}

void put_mask(const struct dumped *e)
{
	const struct mask *mask = &e->d->masks[e->row->which];
	for (unsigned bit = 0, first = 0; bit < MASK_BITS; bit++) {
		if (has_bit(mask, bit) && (bit == 0 || !has_bit(mask, bit - 1)))
			first = bit;
		if (has_bit(mask, bit) && !has_bit(mask, bit + 1))
			printf("%.*s=%u-%u\n", STR_ARG(e->row->key), first, bit);
	}
}

void put_timer_slack(const struct dumped *e)
{
	if (e->d->context.timer_slack_ns != TIMER_SLACK_UNSET)
		put_number(e, e->d->context.timer_slack_ns);
}

void put_personality(const struct dumped *e)
{
	if (e->d->context.personality != PERSONALITY_UNSET)
		put_line(e, exec_personality_name(e->d->context.personality));
}

void put_coredump_filter(const struct dumped *e)
{
	if (e->d->context.coredump_filter != COREDUMP_FILTER_UNSET)
		printf("CoredumpFilter=0x%" PRIx32 "\n", e->d->context.coredump_filter);
}

void put_capabilities(const struct dumped *e)
{
	uint64_t set = *(const uint64_t *)dumped_field(e);
	put_line(e, set == CAPABILITIES_ALL ? "~" : "");
	for (int number = 0; number < 64 && set != CAPABILITIES_ALL; number++)
		if (set >> number & 1)
			exec_capability_name(number) ? put_line(e, exec_capability_name(number)) : put_number(e, (uint64_t)number);
}

void put_secure_bits(const struct dumped *e)
{
	/* On one line: a second one would take the place of the first. */
	printf("%.*s=", STR_ARG(e->row->key));
	for (unsigned bit = 0, n = 0; bit < 16; bit++)
		if (e->d->context.secure_bits >> bit & 1)
			printf("%s%s", n++ ? " " : "", exec_secure_bit_name(bit));
	putchar('\n');
}
