#include "logpick.h"

bool logpick_takes(const struct logpick *p, const struct logline *line)
{
	if (line->time_us < p->since_us || line->time_us > p->until_us)
		return false;
	if (line->priority < p->most_urgent || line->priority > p->least_urgent)
		return false;
	if (line->stream == LOG_NOTE && p->is_without_notes)
		return false;
	return !p->has_generation || line->generation == p->generation || (line->generation == 0 && p->takes_untold);
}

bool logpick_priorities(struct logpick *p, struct str text)
{
	size_t dots = str_find(text, STR(".."));
	bool is_range = dots < text.n;
	int first = is_range ? logline_priority(str_of(text.p, dots)) : LOG_PRIORITY_EMERG;
	int last = logline_priority(is_range ? str_skip(text, dots + 2) : text);
	if (first < 0 || last < 0)
		return false;
	p->most_urgent = (uint8_t)(first < last ? first : last);
	p->least_urgent = (uint8_t)(first < last ? last : first);
	return true;
}
