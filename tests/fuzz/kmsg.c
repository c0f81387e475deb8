/*
 * The kernel's words, which anybody may have put into its mouth: streams of records as /dev/kmsg gives them, one a line (those that
 * begin with a blank belong to the record before), read as records and as the text of a saved log. With a plus in front of all of
 * them their numbers have no gaps, whatever they say.
 */
#include "fuzz.h"
#include "lib/attrib.h"
#include "lib/incident.h"
#include "lib/procstat.h"
#include "lib/say.h"
#include "lib/shared_count.h"
#include "lib/sigtrace.h"
#include "tests/sim/units.h"

#include <stdlib.h>
#include <string.h>

static struct unitset two_services(void)
{
	static struct unitset units;
	static struct plan plans[2];
	if (units.bytes)
		return units;
	plan_begin(&plans[0], STR("a.service"));
	plan_begin(&plans[1], STR("b.service"));
	for (int i = 0; i < 2; i++)
		plans[i].unit.flags |= UNIT_WANTED;
	plans[1].unit.oom_policy = OOM_KILL;
	units = units_build(plans, 2);
	return units;
}

#define MUST_END(text) must(memchr(text, '\0', sizeof text))

static void look_at(const struct oom_kill *kill)
{
	char bytes[2048];
	struct buf b = BUF(bytes);
	MUST_END(kill->comm);
	MUST_END(kill->invoked_by);
	MUST_END(kill->constraint);
	MUST_END(kill->memcg);
	MUST_END(kill->task_memcg);
	must(kill->scope <= OOM_MEMCG);
	say_kill(&b, kill);
}

/* As PID 1 takes a record (init/pid1/devkmsg.c). */
static void tell(struct machine *m, enum kmsg_news news, struct oom_kill *kill)
{
	struct event ev = { .kind = news == KMSG_KILL ? EVENT_OOM_KILL : EVENT_OOM_GROUP, .client = NO_CLIENT, .kill = kill };
	look_at(kill);
	ev.service = news == KMSG_KILL ? attrib_path(m->units, STR("/system.slice"), str_from(kill->task_memcg)) : NO_UNIT;
	ev.is_ok = kill->task_memcg[0];
	machine_feed(m, &ev);
}

struct story {
	struct machine m;
	struct kmsg_reader reader;
	struct incident incident;
};

static void hear(struct story *s, const struct kmsg_record *record)
{
	struct oom_kill kill;
	enum kmsg_news news = kmsg_feed(&s->reader, record, &kill);
	must(record->facility == 0 || news == KMSG_NOTHING);
	if (news == KMSG_KILL || news == KMSG_GROUP)
		tell(&s->m, news, &kill);
	if (news == KMSG_KILL)
		must(kill.pid > 0);
	incident_take(&s->incident, &s->reader, record);
	incident_is_over(&s->incident, &s->reader);
	must(s->incident.n_bytes <= INCIDENT_LINES_MAX && s->incident.n_tasks <= INCIDENT_TASKS);
	if (news == KMSG_KILL)
		must_lie_within(incident_kill_line(&s->incident, kill.pid), str_of(s->incident.lines, s->incident.n_bytes));
}

/* A line, and those behind it that begin with a blank. */
static struct str next_record(struct str *rest)
{
	struct str all = *rest;
	do
		str_until(rest, '\n');
	while (str_starts(*rest, STR(" ")));
	return str_of(all.p, all.n - rest->n);
}

typedef bool read_record(struct str bytes, struct kmsg_record *record);

static void listen_to(struct str rest, read_record *read)
{
	static struct story s;
	bool is_numbered = str_take(&rest, STR("+"));
	uint64_t seq = 1;
	memset(&s, 0, sizeof s);
	machine_boot(&s.m, two_services(), MODE_VM);
	machine_launch_all(&s.m);
	kmsg_reset(&s.reader);
	while (rest.n && !s.m.is_over) {
		struct kmsg_record record;
		struct str bytes = exactly(next_record(&rest));
		if (read(bytes, &record)) {
			must_lie_within(record.text, bytes);
			record.seq = is_numbered ? seq++ : record.seq;
			hear(&s, &record);
		}
		free((char *)bytes.p);
		s.m.now_ms++;
	}
	machine_look(&s.m);
	machine_end(&s.m);
}

/* The small files in which it tells of processes, cgroups and tracepoints. */
static void read_files(struct str text)
{
	struct procstat stat;
	struct sigtrace_format format;
	char bytes[256];
	struct buf path = BUF(bytes);
	uint32_t count;
	text = exactly(text);
	if (procstat_read(text, &stat))
		MUST_END(stat.comm);
	sigtrace_format(text, &format);
	sigtrace_id(text);
	shared_kills(text, &count);
	shared_folder(STR("36 35 0:30 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw"), text, false, &path);
	shared_folder(text, STR("0::/a\n"), false, &path);
	must_lie_within(attrib_unified(text), text);
	must_lie_within(attrib_folder(STR("/a"), text), text);
	free((char *)text.p);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct str text = str_of((const char *)bytes, n);
	listen_to(text, kmsg_record);
	listen_to(text, kmsg_text_line);
	read_files(text);
	return 0;
}
