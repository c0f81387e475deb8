/* Which lines of a log are wanted. */
#ifndef OOMPH_LOGPICK_H
#define OOMPH_LOGPICK_H

#include "logline.h"

struct logpick {
	uint64_t since_us, until_us;            /* both are within */
	uint8_t most_urgent, least_urgent;      /* enum log_priority */
	bool has_generation;
	bool takes_untold;                      /* with has_generation: and the lines of which nobody told the generation */
	bool is_without_notes;
	uint32_t generation;
};

#define LOGPICK_ALL ((struct logpick){ .until_us = UINT64_MAX, .least_urgent = LOG_PRIORITY_DEBUG })

bool logpick_takes(const struct logpick *p, const struct logline *line);

/* As journalctl(1) has it: "err" is that and what is more urgent, "err..info" one and the other and what is between. False: neither. */
bool logpick_priorities(struct logpick *p, struct str text);

#endif
