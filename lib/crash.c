#include "crash.h"

static bool is_same(uint64_t a, uint64_t b)
{
	return a && a == b;
}

bool crash_is_again(const struct crash *now, const struct crash *before)
{
	if (now->is_sent || before->is_sent || !before->signal)
		return false;
	return is_same(now->number, before->number) || is_same(now->intake, before->intake) || is_same(now->dying, before->dying);
}

bool crash_is_hopeless(const struct crash ring[CRASHES_KEPT], uint64_t since_ms, uint64_t now_ms)
{
	uint32_t n = 0;
	for (uint32_t k = 0; k < CRASHES_KEPT; k++)
		n += ring[k].signal && !ring[k].is_sent && ring[k].now_ms >= since_ms && now_ms - ring[k].now_ms < CRASHES_WITHIN_MS;
	return n >= CRASHES_MOST;
}
