/* One record of /dev/kmsg: "prio,seq,usec,flags[,more];text\n KEY=value\n" (Documentation/ABI/testing/dev-kmsg). */
#include "kmsg.h"

/* "T123" or "C1" of CONFIG_PRINTK_CALLER as one number, never 0. */
static uint32_t caller_number(struct str s)
{
	bool is_cpu = str_starts(s, STR("C"));
	uint64_t v;
	return str_u64(str_skip(s, 1), &v) ? (uint32_t)v * 2 + is_cpu + 1 : 0;
}

bool kmsg_record(struct str bytes, struct kmsg_record *r)
{
	size_t end = str_chr(bytes, ';');
	if (end == bytes.n)
		return false;
	struct str head = str_of(bytes.p, end), text = str_skip(bytes, end + 1);
	uint64_t priority;
	if (!str_u64(str_until(&head, ','), &priority))
		return false;
	*r = (struct kmsg_record){ .level = priority & 7, .facility = (uint8_t)(priority >> 3 < 255 ? priority >> 3 : 255) };
	if (!str_u64(str_until(&head, ','), &r->seq) || !str_u64(str_until(&head, ','), &r->usec))
		return false;
	/* 3.5 to 4.8 print 'c' for a line's first part and '+' for the others, later kernels 'c' for the others */
	struct str flags = str_until(&head, ',');
	r->is_continuation = str_eq(flags, STR("c")) || str_eq(flags, STR("+"));
	while (head.n) {
		struct str field = str_until(&head, ',');
		if (str_take(&field, STR("caller=")))
			r->caller = caller_number(field);
	}
	r->text = str_until(&text, '\n');
	return true;
}
