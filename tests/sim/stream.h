/*
 * Events as text, one a line: what the simulator writes of a world that broke a rule, and reads again. Of an event's fields those
 * are told that are not what they mostly are:
 *
 *     9738 death u090.service pid=129 code=2 status=9 has_counter=1 counter=1
 */
#ifndef OOMPH_TESTS_STREAM_H
#define OOMPH_TESTS_STREAM_H

#include "world.h"

struct stream {
	FILE *file;
	uint32_t n_lines;               /* read so far */
	bool is_over;                   /* the core's answers are others than they were when it was written */
	char line[4096];
	struct event event;             /* of the line */
	struct oom_kill kill;
	struct notify_message message;
	char status[256];
};

#endif
