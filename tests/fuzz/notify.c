/* Datagrams of a service, an empty line between two, while it starts, runs and stops. */
#include "fuzz.h"
#include "tests/sim/units.h"

#include <stdlib.h>

static struct unitset two_services(void)
{
	static struct unitset units;
	static struct plan plans[2];
	if (units.bytes)
		return units;
	plan_begin(&plans[0], STR("a.service"));
	plan_begin(&plans[1], STR("b.service"));
	plans[0].unit.type = TYPE_NOTIFY_RELOAD;
	plans[0].unit.watchdog_ms = 1000;
	plans[1].unit.type = TYPE_NOTIFY;
	for (int i = 0; i < 2; i++) {
		plans[i].unit.flags |= UNIT_WANTED;
		plans[i].unit.notify_access = NOTIFY_ALL;
		plans[i].n_commands[EXEC_STOP] = plans[i].n_commands[EXEC_START_POST] = 1;
	}
	units = units_build(plans, 2);
	return units;
}

static void hear(struct machine *m, uint32_t service, struct str datagram)
{
	struct notify_message message;
	struct event ev = { .kind = EVENT_NOTIFY, .service = service, .client = NO_CLIENT, .is_ok = datagram.n & 1 };
	datagram = exactly(datagram);
	if (notify_parse(datagram, &message)) {
		must_lie_within(message.status, datagram);
		must_lie_within(message.fd_name, datagram);
		ev.pid = m->core->services[service].main_pid;
		ev.message = &message;
		ev.told_at = message.has_time ? 1 + message.time_us % m->now_ms : 0;
		machine_feed(m, &ev);
	}
	free((char *)datagram.p);
}

/* Between the datagrams, in turn: what has been launched runs, time passes, a client asks for a reload and for a stop. */
static void go_on(struct machine *m, unsigned n)
{
	static const uint8_t verbs[] = { VERB_RELOAD, VERB_RELOAD, VERB_STOP, VERB_START };
	struct event ev = { .kind = EVENT_REQUEST, .service = n % 2, .client = 3, .verb = verbs[n / 4 % countof(verbs)] };
	m->now_ms += 400;
	machine_launch_all(m);
	if (n % 4 == 3)
		machine_feed(m, &ev);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct machine m;
	struct str rest = str_of((const char *)bytes, n);
	machine_boot(&m, two_services(), MODE_CONTAINER);
	for (unsigned turn = 0; rest.n && !m.is_over; turn++) {
		size_t end = str_find(rest, STR("\n\n"));
		hear(&m, turn & 1, str_of(rest.p, end));
		rest = str_skip(rest, end + 2);
		go_on(&m, turn);
	}
	machine_look(&m);
	machine_end(&m);
	return 0;
}
