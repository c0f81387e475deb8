/* What happens to services and to PID 1 itself. */
#include "say.h"

#include "names.h"

void say_unmet(struct buf *b, struct str line)
{
	bool is_trigger = str_find(line, STR("=|")) < line.n;
	say_raw(b, line.n ? line : STR("a condition"));
	buf_str(b, is_trigger ? STR(" is not met, nor any other with |") : STR(" is not met"));
}

static void say_done(struct buf *b, const struct note *n)
{
	if (n->value != RESULT_CONDITION) {
		buf_lit(b, "done");
		return;
	}
	buf_lit(b, "not started: ");
	say_unmet(b, str_from(n->unmet));
}

static void say_failed(struct buf *b, const struct note *n)
{
	static const char *const words[N_RESULT] = {
		[RESULT_RESOURCES] = "no process could be made",
		[RESULT_DEPENDENCY] = "a unit that it requires is not to be had",
		[RESULT_START_LIMIT] = "started too often, its StartLimitBurst= is reached",
		[RESULT_BAD_SETTING] = "its unit file cannot be used",
		[RESULT_EXEC_CONDITION] = "its ExecCondition= said no",
		[RESULT_PROTOCOL] = "it left without having said that it is ready",
	};
	unsigned result = n->value;
	buf_lit(b, "failed (");
	if (result == RESULT_ASSERT)
		say_unmet(b, str_from(n->unmet));
	else
		buf_str(b, str_from(result >= N_RESULT ? "?" : words[result] ? words[result] : result_name[result]));
	buf_lit(b, ") and stays down");
}

static void say_power(struct buf *b, unsigned power)
{
	static const char *const words[N_POWER] = {
		[POWER_OFF] = "powering off", [POWER_REBOOT] = "rebooting", [POWER_HALT] = "halting", [POWER_EXIT] = "leaving",
	};
	buf_str(b, str_from(power < N_POWER ? words[power] : "going down"));
}

static void say_backoff(struct buf *b, uint32_t ms)
{
	if (ms == 0) {
		buf_lit(b, "starts again now");
		return;
	}
	buf_lit(b, "starts again in ");
	say_ms(b, ms);
}

static void say_upgraded(struct buf *b, uint32_t after_ms)
{
	if (after_ms == FOREVER_MS) {
		buf_lit(b, "the new PID 1 failed, and the one before is back");
		return;
	}
	buf_lit(b, "another PID 1 has taken over, within ");
	say_ms(b, after_ms);
}

static void say_crashed(struct buf *b, const struct note *n)
{
	buf_lit(b, "PID 1 crashed (");
	buf_str(b, str_from(signal_name((int)n->value)));
	buf_lit(b, ")");
	if (n->event < N_EVENT_KIND) {
		buf_lit(b, " in the event `");
		buf_str(b, str_from(event_kind_name[n->event]));
		buf_lit(b, "`");
	}
	buf_lit(b, " and came back");
	if (n->is_dropped)
		buf_str(b, str_from(n->unit[0] ? ": for the second time, so that is dropped, and the service put aside as failed" :
				    ": for the second time, so that is dropped"));
}

static void say_bug(struct buf *b, const struct note *n)
{
	buf_lit(b, "a bug of oomph: ");
	buf_str(b, str_from(n->event < N_SERVICE_EVENT ? service_event_name[n->event] : "?"));
	buf_lit(b, " cannot be in state ");
	buf_str(b, str_from(n->state < N_STATE ? state_name[n->state] : "?"));
	buf_lit(b, "; put aside as failed");
}

static void say_load_failed(struct buf *b, uint32_t error)
{
	buf_lit(b, "the units could not be loaded");
	if (error == 0)
		return;
	buf_lit(b, ": ");
	say_error(b, (int)error);
}

static void say_counted(struct buf *b, struct str before, uint64_t number, struct str behind)
{
	buf_str(b, before);
	buf_u64(b, number);
	buf_str(b, behind);
}

static const char *const plain_notes[N_NOTE_KIND] = {
	[NOTE_STARTING] = "starting", [NOTE_STOPPING] = "stopping", [NOTE_IDLE] = "stopped",
	[NOTE_RELOADING] = "reloading",
	[NOTE_KMSG_LOST] = "the kernel log was overrun, records are lost; memory.events still counts OOM kills",
};

static void say_what(struct buf *b, const struct note *n)
{
	switch (n->kind) {
	case NOTE_UP:
		buf_lit(b, "up after ");
		say_ms(b, n->value);
		if (n->pid)
			say_counted(b, STR(" (pid "), n->pid, STR(")"));
		break;
	case NOTE_DEATH:
		say_counted(b, STR("death "), n->death, STR(""));
		break;
	case NOTE_AMENDED:
		say_counted(b, STR("more is known of death "), n->death, STR(""));
		break;
	case NOTE_BACKOFF:
		say_backoff(b, n->value);
		break;
	case NOTE_FAILED:
		say_failed(b, n);
		break;
	case NOTE_DONE:
		say_done(b, n);
		break;
	case NOTE_WARNING:
		say_warning(b, n->step, (int)n->value);
		break;
	case NOTE_UNITS:
		say_counted(b, STR(""), n->value, n->value == 1 ? STR(" unit in force") : STR(" units in force"));
		break;
	case NOTE_LOAD_FAILED:
		say_load_failed(b, n->value);
		break;
	case NOTE_SYSTEM:
		say_power(b, n->value);
		break;
	case NOTE_BUG:
		say_bug(b, n);
		break;
	case NOTE_UPGRADED:
		say_upgraded(b, n->value);
		break;
	case NOTE_CRASHED:
		say_crashed(b, n);
		break;
	default:
		buf_str(b, str_from(n->kind < N_NOTE_KIND ? plain_notes[n->kind] : "?"));
		break;
	}
}

void say_note(struct buf *b, const struct note *n)
{
	if (n->unit[0]) {
		buf_str(b, say_unit(n->unit));
		buf_lit(b, ": ");
	}
	say_what(b, n);
}
