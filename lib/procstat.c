#include "procstat.h"

bool procstat_read(struct str text, struct procstat *to)
{
	enum { STATE = 3, SESSION = 6, FLAGS = 9, START = 22, SIGNALED = 0x400 };
	uint64_t flags;
	struct str rest = str_trim(text), name = rest;
	size_t end = str_rfind(rest, STR(") "));        /* comm may hold all of this, and what follows it never does */
	bool has_start = false;
	*to = (struct procstat){ .state = '?' };
	name.n = end;
	str_until(&name, '(');
	for (size_t i = 0; i < name.n && i < sizeof to->comm - 1; i++)
		to->comm[i] = name.p[i];
	rest = str_skip(rest, end + 2);
	for (int field = STATE; rest.n; field++) {
		struct str word = str_until(&rest, ' ');
		if (field == STATE && word.n)
			to->state = word.p[0];
		else if (field == SESSION)
			str_u64(word, &to->session);
		else if (field == FLAGS)
			to->is_signalled = str_u64(word, &flags) && (flags & SIGNALED);
		else if (field == START)
			has_start = str_u64(word, &to->started_at);
	}
	return has_start;
}
