/* One small function for each kind of value, as in settings.h, but the other way: from the draft to lines of a unit file. */
#ifndef OOMPH_LOAD_DUMP_H
#define OOMPH_LOAD_DUMP_H

#include "load.h"

/* A row of the table of directives, and the unit that is told by it. */
struct dumped {
	const struct draft *d;
	const struct directive *row;
};

const void *dumped_field(const struct dumped *e);       /* the member of the unit that the row tells */
unsigned dumped_byte(const struct dumped *e);           /* ... where it is a byte */

void put_line(const struct dumped *e, const char *value);
void put_number(const struct dumped *e, uint64_t value);
void put_text(const struct dumped *e, const char *sign, struct str text);       /* nothing for an empty one */
void put_name(const struct dumped *e, const char *const *names);    /* by the byte; nothing where it is "" */

/* dump_numbers.c */
void put_enum(const struct dumped *e);
void put_flag(const struct dumped *e);
void put_context_flag(const struct dumped *e);
void put_switch(const struct dumped *e);
void put_time(const struct dumped *e);
void put_restart_sec(const struct dumped *e);
void put_restart_max(const struct dumped *e);
void put_restart_steps(const struct dumped *e);
void put_start_limit(const struct dumped *e);
void put_start_burst(const struct dumped *e);
void put_signal(const struct dumped *e);
void put_exit_statuses(const struct dumped *e);
void put_restart_statuses(const struct dumped *e);
void put_fd_store(const struct dumped *e);
void put_notify_fd(const struct dumped *e);
void put_knob(const struct dumped *e);
void put_quota(const struct dumped *e);
void put_quota_period(const struct dumped *e);
void put_limit(const struct dumped *e);
void put_score(const struct dumped *e);
void put_nice(const struct dumped *e);
void put_umask(const struct dumped *e);
void put_byte(const struct dumped *e);
void put_count(const struct dumped *e);
void put_log_level(const struct dumped *e);
void put_io_class(const struct dumped *e);
void put_io_priority(const struct dumped *e);
void put_mask(const struct dumped *e);
void put_timer_slack(const struct dumped *e);
void put_personality(const struct dumped *e);
void put_coredump_filter(const struct dumped *e);
void put_capabilities(const struct dumped *e);
void put_secure_bits(const struct dumped *e);

#endif
