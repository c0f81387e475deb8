/*
 * The state that outlives PID 1: a core that passes its check, and a journal whose checksums are right, are gone on from whatever else
 * is in them. The input changes a core in which something has happened already, and a journal, and is then what happens next.
 */
#include "lib/state.h"
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#define ENTRIES 6u

/* Of a machine on which services start, die, are reloaded and asked to stop: what is in its core has been set by all of that. */
static const struct core *sound_core(struct unitset units)
{
	static struct machine m;
	static uint8_t script[200];
	if (m.core)
		return m.core;
	for (size_t i = 0; i < sizeof script; i++)
		script[i] = (uint8_t)(i * i * 7 + i / 3);
	machine_boot(&m, units, MODE_VM);
	machine_run(&m, &(struct input){ script, sizeof script });
	must(!state_check(m.core, m.core->size, units));
	return m.core;
}

static struct core *hostile_core(struct unitset units, struct input *in, size_t *n)
{
	const struct core *sound = sound_core(units);
	unsigned char *bytes = malloc(*n = sound->size);
	const struct ground grounds[] = {
		{ 0, offsetof(struct core, cells) }, { offsetof(struct core, services), sound->n_services * sizeof(struct service) },
	};
	memcpy(bytes, sound, *n);
	patch(bytes, n, in, grounds);
	struct str core = exactly(str_of((char *)bytes, *n));
	free(bytes);
	return (struct core *)(uintptr_t)core.p;
}

/* Entries whose events are any, and signed. */
static struct str hostile_journal(struct input *in, uint64_t number)
{
	static char bytes[ENTRIES * sizeof(union entry_space)];
	size_t n = 0;
	for (uint32_t left = input_below(in, ENTRIES); left > 0; left--) {
		union entry_space e = { .head = { .number = ++number } };
		struct oom_kill kill = { .seq = number, .pid = 100 };
		struct notify_message message;
		struct event ev = { .kind = (uint8_t)input_below(in, N_EVENT_KIND), .service = NO_UNIT, .client = NO_CLIENT, .now_ms = 2000 };
		bool is_kill = ev.kind == EVENT_OOM_KILL || ev.kind == EVENT_OOM_GROUP;
		notify_parse(STR("READY=1\nSTATUS=x\nMAINPID=101"), &message);
		ev.kill = is_kill ? &kill : NULL;
		ev.message = ev.kind == EVENT_NOTIFY ? &message : NULL;
		entry_write(&e, &ev);
		size_t size = e.head.size, to = sizeof e.head.checksum;
		patch((unsigned char *)&e, &size, in, (struct ground[]){ { offsetof(struct entry, event), 32 }, { to, e.head.size - to } });
		if (e.head.size >= sizeof e.head && e.head.size <= sizeof e)
			entry_sign(&e);
		memcpy(bytes + n, &e, size);
		n += size;
	}
	return exactly(str_of(bytes, n));
}

static void go_on(struct core *core, struct unitset units, struct input *in)
{
	struct machine m;
	struct str journal = hostile_journal(in, 7);
	union entry_space e;
	struct event ev;
	uint32_t end;
	uint64_t last = state_last(journal.p, journal.n, 7, &end);
	must(end <= journal.n);
	state_find(&e, journal.p, journal.n, last, &ev);
	state_replay(core, units, journal.p, journal.n, 7, 0);
	free((char *)journal.p);
	machine_adopt(&m, core, units);
	machine_look(&m);
	machine_run(&m, in);
	machine_end(&m);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct input in = { bytes, size };
	struct str set = sound_set();
	struct unitset units = { (const unsigned char *)set.p, (uint32_t)set.n };
	size_t n;
	struct core *core = hostile_core(units, &in, &n);
	if (state_check(core, n, units))
		free(core);
	else
		go_on(core, units, &in);
	return 0;
}
