#include "unit.h"

#include <string.h>

#define SERVICE_SUFFIX STR(".service")
#define UMASK_MOST 07777u       /* what umask(2) takes; it looks at the last three digits */
#define MODE_MOST 07777u
#define SIGNAL_MOST 64          /* signal(7): SIGRTMAX */
#define GROWTH_NONE 65536u      /* restart_growth that stands still */

/* systemd-system.conf(5): DefaultStartLimitIntervalSec=, DefaultStartLimitBurst=. */
#define START_LIMIT_MS 10000u
#define START_LIMIT_BURST 5u

enum { SIG_HUP = 1, SIG_INT = 2, SIG_ABRT = 6, SIG_KILL = 9, SIG_PIPE = 13, SIG_TERM = 15 };        /* signal(7): the same on all of Linux */

#define UNIT_FLAGS_ALL (UNIT_STOP_UNNEEDED * 2u - 1u)
#define COMMAND_FLAGS_ALL (COMMAND_KEEPS_USER * 2u - 1u)
#define CONTEXT_FLAGS_ALL (CONTEXT_NO_LOG_PREFIX * 2u - 1u)
#define LOG_COPIES_ALL (COPY_TO_CONSOLE * 2u - 1u)
#define EDGE_KINDS_ALL (EDGE_NEEDED_BY * 2u - 1u)

const char *const cgroup_knob_file[N_CGROUP_KNOB] = {
	[KNOB_MEMORY_MIN] = "memory.min",
	[KNOB_MEMORY_LOW] = "memory.low",
	[KNOB_MEMORY_HIGH] = "memory.high",
	[KNOB_MEMORY_MAX] = "memory.max",
	[KNOB_MEMORY_SWAP_MAX] = "memory.swap.max",
	[KNOB_PIDS_MAX] = "pids.max",
	[KNOB_CPU_WEIGHT] = "cpu.weight",
	[KNOB_CPU_MAX] = "cpu.max",
};

uint64_t unitset_sum(const void *bytes, size_t size)
{
	const unsigned char *p = bytes;
	uint64_t sum = 0xcbf29ce484222325u;
	for (size_t i = 0; i < size; i++)
		sum = (sum ^ p[i]) * 0x100000001b3u;
	return sum;
}

static const struct unitset_header *header(struct unitset set)
{
	return (const void *)set.bytes;
}

static struct str name_of(struct unitset set, uint32_t i)
{
	return unitset_text(set, unitset_unit(set, i)->name);
}

/* Where the elements of a list begin. NULL for an empty one, whose offset nobody has checked. */
static const void *elements(struct unitset set, struct span span)
{
	return span.n ? set.bytes + span.at : NULL;
}

/* ---- checking ---- */

struct check {
	struct unitset set;
	uint32_t first;                 /* the first byte that a span may begin at: behind the array of units */
	uint32_t n_units;
	/*
	 * Bytes of lists that may still be looked through. Lists that lie over one another could otherwise make the
	 * check quadratic in a set that is no larger than an honest one. Texts and blobs may be shared freely.
	 */
	uint32_t n_left;
};

static bool lies_within(const struct check *c, struct span s, uint32_t element_size, uint32_t alignment)
{
	if (s.n == 0)
		return true;
	return s.at >= c->first && s.at <= c->set.size && s.at % alignment == 0 &&
	       s.n <= (c->set.size - s.at) / element_size;
}

static bool is_text(const struct check *c, struct span s)
{
	if (s.n == 0)
		return true;
	return lies_within(c, s, 1, 1) && s.n < c->set.size - s.at && c->set.bytes[s.at + s.n] == '\0';
}

static bool is_blob(const struct check *c, struct span s)
{
	if (s.n == 0)
		return true;
	return lies_within(c, s, 1, 1) && c->set.bytes[s.at + s.n - 1] == '\0';
}

/* A list whose every element is looked at afterwards. */
static bool is_list(struct check *c, struct span s, uint32_t element_size, uint32_t alignment)
{
	if (!lies_within(c, s, element_size, alignment) || s.n > c->n_left / element_size)
		return false;
	c->n_left -= s.n * element_size;
	return true;
}

/* A unit's name becomes the name of its cgroup, a credential's that of its file: one file name, never a path. */
static bool is_name(const struct check *c, struct span s)
{
	if (s.n == 0 || s.n > UNIT_NAME_MAX || !is_text(c, s))
		return false;
	struct str name = unitset_text(c->set, s);
	return str_chr(name, '/') == name.n && str_chr(name, '\0') == name.n && !str_eq(name, STR(".")) &&
	       !str_eq(name, STR(".."));
}

static const char *check_texts(const struct check *c, const struct unit *u)
{
	const struct span texts[] = {
		u->description, u->file, u->working_directory, u->pid_file, u->bus_name, u->stdio_path[0], u->stdio_path[1], u->stdio_path[2],
	};
	const struct span blobs[] = { u->aliases, u->notes, u->environment, u->environment_files };

	if (!is_name(c, u->name))
		return "a unit's name";
	for (size_t i = 0; i < countof(texts); i++)
		if (!is_text(c, texts[i]))
			return "a text of a unit";
	for (size_t i = 0; i < countof(blobs); i++)
		if (!is_blob(c, blobs[i]))
			return "a list of words of a unit";
	return NULL;
}

static const char *check_commands(struct check *c, struct span list)
{
	if (!is_list(c, list, sizeof(struct command), _Alignof(struct command)))
		return "a list of commands";
	const struct command *commands = elements(c->set, list);
	for (uint32_t i = 0; i < list.n; i++) {
		if (!is_text(c, commands[i].path))
			return "the path of a command";
		if (!is_blob(c, commands[i].argv))
			return "the words of a command";
		if (commands[i].flags & ~COMMAND_FLAGS_ALL)
			return "the flags of a command";
	}
	return NULL;
}

static const char *check_edges(struct check *c, struct span list)
{
	if (!is_list(c, list, sizeof(struct edge), _Alignof(struct edge)))
		return "a list of dependencies";
	const struct edge *edges = elements(c->set, list);
	for (uint32_t i = 0; i < list.n; i++) {
		if (edges[i].unit >= c->n_units)
			return "a dependency on a unit that is not there";
		if (edges[i].kinds & ~EDGE_KINDS_ALL)
			return "the kind of a dependency";
	}
	return NULL;
}

static const char *check_limits(struct check *c, struct span list)
{
	if (!is_list(c, list, sizeof(struct limit), _Alignof(struct limit)))
		return "a list of limits";
	const struct limit *limits = elements(c->set, list);
	for (uint32_t i = 0; i < list.n; i++)
		if (limits[i].kind >= N_LIMIT_KIND)
			return "the kind of a limit";
	return NULL;
}

static const char *check_folders(struct check *c, struct span list)
{
	if (!is_list(c, list, sizeof(struct folder), _Alignof(struct folder)))
		return "a list of folders";
	const struct folder *folders = elements(c->set, list);
	for (uint32_t i = 0; i < list.n; i++) {
		if (!is_text(c, folders[i].path) || !is_text(c, folders[i].link))
			return "the path of a folder";
		if (folders[i].kind >= N_FOLDER_KIND || folders[i].mode > MODE_MOST)
			return "the kind or mode of a folder";
	}
	return NULL;
}

static const char *check_credentials(struct check *c, struct span list)
{
	if (!is_list(c, list, sizeof(struct credential), _Alignof(struct credential)))
		return "a list of credentials";
	const struct credential *credentials = elements(c->set, list);
	for (uint32_t i = 0; i < list.n; i++)
		if (!is_name(c, credentials[i].name) || !is_text(c, credentials[i].path) || !is_text(c, credentials[i].value))
			return "a text of a credential";
	return NULL;
}

static const char *check_context(struct check *c, struct span span)
{
	if (!is_list(c, span, sizeof(struct context), _Alignof(struct context)) || span.n > 1)
		return "the context of a unit";
	const struct context *x = elements(c->set, span);
	if (!x)
		return NULL;
	if (!is_blob(c, x->pass_environment) || !is_blob(c, x->unset_environment) || !is_text(c, x->search_path) ||
	    !is_text(c, x->input) || !is_text(c, x->tty) || !is_text(c, x->log_identifier) || x->log_identifier.n > UNIT_NAME_MAX)
		return "a text of a context";
	if (!lies_within(c, x->cpus, sizeof(uint64_t), 8) || !lies_within(c, x->numa_nodes, sizeof(uint64_t), 8) ||
	    x->cpus.n > MASK_BITS / 64 || x->numa_nodes.n > MASK_BITS / 64)
		return "a mask of a context";
	if (x->flags & ~CONTEXT_FLAGS_ALL)
		return "the flags of a context";
	if (x->runtime_preserve >= N_PRESERVE || x->scheduling >= N_SCHEDULING || x->io_class >= N_IO_CLASS ||
	    x->numa_policy >= N_NUMA_POLICY || x->keyring_mode >= N_KEYRING_MODE || x->log_level >= N_LOG_PRIORITY ||
	    x->log_level_max >= N_LOG_PRIORITY || ((x->log_copies[0] | x->log_copies[1]) & ~LOG_COPIES_ALL))
		return "a value of a context that no directive has";
	const char *wrong = check_folders(c, x->folders);
	return wrong ? wrong : check_credentials(c, x->credentials);
}

static const char *check_values(const struct unit *u)
{
	const struct { uint8_t value, n; } enums[] = {
		{ u->type, N_UNIT_TYPE }, { u->restart, N_RESTART_POLICY }, { u->kill_mode, N_KILL_MODE },
		{ u->exit_type, N_EXIT_TYPE }, { u->success_action, N_UNIT_ACTION },
		{ u->failure_action, N_UNIT_ACTION }, { u->start_limit_action, N_UNIT_ACTION }, { u->start_failure_mode, N_FAILURE_MODE }, { u->stop_failure_mode, N_FAILURE_MODE },
		{ u->oom_policy, N_OOM_POLICY }, { u->notify_access, N_NOTIFY_ACCESS },
		{ u->stdio[0], N_STDIO_KIND }, { u->stdio[1], N_STDIO_KIND }, { u->stdio[2], N_STDIO_KIND },
	};
	for (size_t i = 0; i < countof(enums); i++)
		if (enums[i].value >= enums[i].n)
			return "a value that no directive has";
	if (u->stdio[0] == STDIO_LOG)
		return "input that comes from a log";
	if (u->flags & ~UNIT_FLAGS_ALL)
		return "the flags of a unit";
	const uint8_t signals[] = { u->kill_signal, u->final_signal, u->watchdog_signal, u->reload_signal, u->restart_signal ? u->restart_signal : 1 };
	for (size_t i = 0; i < countof(signals); i++)
		if (signals[i] == 0 || signals[i] > SIGNAL_MOST)
			return "a signal's number";
	if (u->fd_store_max > STORE_MAX || (u->notify_fd && u->notify_fd < 3))
		return "a descriptor's number";
	if (u->umask > UMASK_MOST || u->nice < -20 || u->nice > 19)
		return "a number out of its range";
	if (u->oom_score_adj < -1000 || u->oom_score_adj > 1000)
		return "a number out of its range";
	if (u->cpu_period_us < CPU_PERIOD_LEAST_US || u->cpu_period_us > CPU_PERIOD_MOST_US)
		return "a number out of its range";
	if (u->restart_growth < GROWTH_NONE || u->restart_ms > u->restart_max_ms)
		return "a backoff that shrinks";
	return NULL;
}

static bool is_exit_set(const struct check *c, struct span list)
{
	return list.n <= 1 && lies_within(c, list, sizeof(struct exit_set), _Alignof(struct exit_set));
}

static const char *check_unit(struct check *c, const struct unit *u)
{
	const char *wrong = check_texts(c, u);
	for (int i = 0; i < N_EXEC_LIST && !wrong; i++)
		wrong = check_commands(c, u->exec[i]);
	if (!wrong)
		wrong = check_edges(c, u->edges);
	if (!wrong)
		wrong = check_limits(c, u->limits);
	if (!wrong)
		wrong = check_context(c, u->context);
	if (!wrong && !lies_within(c, u->groups, sizeof(uint32_t), _Alignof(uint32_t)))
		wrong = "a list of groups";
	if (!wrong && (!is_exit_set(c, u->restart_prevent) || !is_exit_set(c, u->restart_force)))
		wrong = "a set of exit statuses";
	return wrong ? wrong : check_values(u);
}

static const char *check_header(const void *bytes, size_t size)
{
	const struct unitset_header *h = bytes;

	if (size < sizeof *h)
		return "too short for a header";
	if ((uintptr_t)bytes % _Alignof(struct unit))
		return "not aligned in memory";
	if (h->magic != UNITSET_MAGIC)
		return "no unit set";
	if (h->version != UNITSET_VERSION || h->unit_size != sizeof(struct unit))
		return "of another version of oomph";
	if (size > UNITSET_MAX || h->size != size)
		return "not of the size that it tells";
	if (h->n_units > UNITS_MAX || h->units_at < sizeof *h || h->units_at % _Alignof(struct unit) ||
	    h->units_at > size || h->n_units > (size - h->units_at) / sizeof(struct unit))
		return "the array of units";
	if (h->checksum != unitset_sum(h + 1, size - sizeof *h))
		return "the checksum";
	return NULL;
}

const char *unitset_check(const void *bytes, size_t size)
{
	const char *wrong = check_header(bytes, size);
	if (wrong)
		return wrong;

	const struct unitset_header *h = bytes;
	struct check c = {
		.set = { bytes, h->size }, .first = h->units_at + h->n_units * h->unit_size,
		.n_units = h->n_units, .n_left = h->size,
	};
	if (!is_blob(&c, h->notes))
		return "the notes of the set";
	for (uint32_t i = 0; i < h->n_units && !wrong; i++)
		wrong = check_unit(&c, unitset_unit(c.set, i));
	for (uint32_t i = 1; i < h->n_units && !wrong; i++)
		wrong = str_order(name_of(c.set, i - 1), name_of(c.set, i)) < 0 ? NULL : "the order of the units";
	return wrong;
}

/* ---- reading ---- */

uint32_t unitset_count(struct unitset set)
{
	return set.bytes ? header(set)->n_units : 0;
}

const struct unit *unitset_unit(struct unitset set, uint32_t index)
{
	if (index >= unitset_count(set))
		return NULL;
	return (const struct unit *)(const void *)(set.bytes + header(set)->units_at) + index;
}

/* `name` as people write it: with or without the suffix. */
static bool is_called(struct str full, struct str name)
{
	struct str suffix = SERVICE_SUFFIX;
	if (str_eq(full, name))
		return true;
	return full.n == name.n + suffix.n && str_starts(full, name) && str_ends(full, suffix) && !str_ends(name, suffix);
}

/* The first unit whose name is not before this one. */
static uint32_t place_of(struct unitset set, struct str name)
{
	uint32_t least = 0, most = unitset_count(set);
	while (least < most) {
		uint32_t middle = least + (most - least) / 2;
		if (str_order(name_of(set, middle), name) < 0)
			least = middle + 1;
		else
			most = middle;
	}
	return least;
}

/* With its suffix it is behind those whose names only begin with it: "a", "a-b.service", "a.service". */
uint32_t unitset_find(struct unitset set, struct str name)
{
	char text[UNIT_NAME_MAX];
	struct buf whole = BUF(text);
	buf_str(&whole, name);
	buf_str(&whole, SERVICE_SUFFIX);
	const struct str names[] = { name, buf_view(&whole) };
	for (size_t n = 0; n < (whole.is_cut ? 1 : countof(names)); n++) {
		uint32_t i = place_of(set, names[n]);
		if (i < unitset_count(set) && is_called(name_of(set, i), name))
			return i;
	}
	return NO_UNIT;
}

uint32_t unitset_find_any(struct unitset set, struct str name)
{
	uint32_t found = unitset_find(set, name);
	for (uint32_t i = 0; i < unitset_count(set) && found == NO_UNIT; i++) {
		struct str rest = unitset_text(set, unitset_unit(set, i)->aliases), alias;
		while (str_next(&rest, &alias))
			if (is_called(alias, name))
				found = i;
	}
	return found;
}

struct str unitset_text(struct unitset set, struct span span)
{
	return span.n ? str_of(elements(set, span), span.n) : STR("");
}

const struct command *unitset_commands(struct unitset set, const struct unit *u, enum exec_list list)
{
	return elements(set, u->exec[list]);
}

const struct edge *unitset_edges(struct unitset set, const struct unit *u)
{
	return elements(set, u->edges);
}

const uint32_t *unitset_indices(struct unitset set, struct span span)
{
	return elements(set, span);
}

const uint64_t *unitset_mask(struct unitset set, struct span span)
{
	return elements(set, span);
}

const struct limit *unitset_limits(struct unitset set, const struct unit *u)
{
	return elements(set, u->limits);
}

const struct folder *unitset_folders(struct unitset set, const struct context *x)
{
	return elements(set, x->folders);
}

const struct credential *unitset_credentials(struct unitset set, const struct context *x)
{
	return elements(set, x->credentials);
}

const struct context *unitset_context(struct unitset set, const struct unit *u)
{
	return u->context.n ? elements(set, u->context) : &context_defaults;
}

bool unit_says_ready(const struct unit *u)
{
	return u->type == TYPE_NOTIFY || u->type == TYPE_NOTIFY_RELOAD;
}

static bool has_status(const struct exit_set *set, bool is_signal, int value)
{
	if (is_signal)
		return value >= 1 && value <= SIGNAL_MOST && (set->signals >> (value - 1) & 1);
	return value >= 0 && value <= 255 && (set->statuses[value / 64] >> (value % 64) & 1);
}

bool unitset_has_status(struct unitset set, struct span list, bool is_signal, int value)
{
	return list.n && has_status(elements(set, list), is_signal, value);
}

bool unit_is_success(const struct unit *u, bool is_signal, int value)
{
	if (has_status(&u->success, is_signal, value))
		return true;
	if (!is_signal)
		return value == 0;
	/* A daemon that ends on these was asked to; a oneshot that does was cut short, systemd.service(5) Restart=. */
	bool is_clean = value == SIG_HUP || value == SIG_INT || value == SIG_PIPE || value == SIG_TERM;
	return is_clean && u->type != TYPE_ONESHOT;
}

/* ---- writing ---- */

/* Takes n bytes at the end of the set; NULL, and only counted, when they do not fit. *at is where they begin. */
static unsigned char *take(struct unitset_writer *w, size_t n, size_t alignment, uint32_t *at)
{
	size_t gap = -w->needed % alignment;
	size_t end;
	if (__builtin_add_overflow(w->needed + gap, n, &end) || end > UNITSET_MAX) {
		w->is_full = true;
		end = UNITSET_MAX;      /* an honest answer to `needed` would not help: no set is this large */
	}
	if (end > w->size)
		w->is_full = true;
	unsigned char *p = NULL;
	*at = 0;
	if (!w->is_full) {
		memset(w->bytes + w->needed, 0, gap);
		*at = (uint32_t)(w->needed + gap);
		p = w->bytes + *at;
	}
	w->needed = end;
	return p;
}

void unitset_begin(struct unitset_writer *w, void *bytes, size_t size, uint32_t n_units)
{
	uint32_t at, units_at;
	*w = (struct unitset_writer){ .bytes = bytes, .size = size };
	struct unitset_header *h = (void *)take(w, sizeof *h, 1, &at);
	struct unit *units = (void *)take(w, n_units * sizeof *units, _Alignof(struct unit), &units_at);
	if (!h || !units)
		return;
	*h = (struct unitset_header){
		.magic = UNITSET_MAGIC, .version = UNITSET_VERSION, .n_units = n_units,
		.unit_size = sizeof *units, .units_at = units_at,
	};
	for (uint32_t i = 0; i < n_units; i++)
		unit_defaults(&units[i]);
}

struct unit *unitset_slot(struct unitset_writer *w, uint32_t index)
{
	const struct unitset_header *h = (const void *)w->bytes;
	if (w->is_full || index >= h->n_units)
		return NULL;
	return (struct unit *)(void *)(w->bytes + h->units_at) + index;
}

struct span unitset_put_text(struct unitset_writer *w, struct str text)
{
	uint32_t at;
	if (text.n == 0)
		return (struct span){ 0, 0 };
	unsigned char *p = take(w, text.n + 1, 1, &at);
	if (!p)
		return (struct span){ 0, 0 };
	memcpy(p, text.p, text.n);
	p[text.n] = '\0';
	return (struct span){ at, (uint32_t)text.n };
}

struct span unitset_put_blob(struct unitset_writer *w, const struct str *words, uint32_t n)
{
	uint32_t at;
	size_t size = 0;
	for (uint32_t i = 0; i < n; i++)
		size += words[i].n + 1;
	unsigned char *p = size ? take(w, size, 1, &at) : NULL;
	if (!p)
		return (struct span){ 0, 0 };
	for (uint32_t i = 0; i < n; i++) {
		if (words[i].n)
			memcpy(p, words[i].p, words[i].n);
		p += words[i].n;
		*p++ = '\0';
	}
	return (struct span){ at, (uint32_t)size };
}

struct span unitset_put(struct unitset_writer *w, const void *list, uint32_t n, size_t element_size)
{
	uint32_t at;
	if (n == 0)
		return (struct span){ 0, 0 };
	/* The elements' type is not known here, but its alignment divides its size, and nothing needs more than 8. */
	unsigned char *p = take(w, n * element_size, element_size % 8 ? 4 : 8, &at);
	if (!p)
		return (struct span){ 0, 0 };
	memcpy(p, list, n * element_size);
	return (struct span){ at, n };
}

bool unitset_end(struct unitset_writer *w, struct span notes)
{
	if (w->is_full)
		return false;
	struct unitset_header *h = (void *)w->bytes;
	h->notes = notes;
	h->size = (uint32_t)w->needed;
	h->checksum = unitset_sum(h + 1, w->needed - sizeof *h);
	return true;
}

const struct context context_defaults = {
	.bounding_set = CAPABILITIES_ALL, .timer_slack_ns = TIMER_SLACK_UNSET, .personality = PERSONALITY_UNSET,
	.coredump_filter = COREDUMP_FILTER_UNSET, .io_class = IO_BEST_EFFORT, .io_priority = 4,
	.log_level = LOG_PRIORITY_INFO, .log_level_max = LOG_PRIORITY_DEBUG, .log_rate_ms = LOG_RATE_MS, .log_rate_burst = 0,
};

void unit_defaults(struct unit *u)
{
	/* Not an initializer: the padding goes into the checksum too, and equal units should be equal bytes. */
	memset(u, 0, sizeof *u);
	for (int i = 0; i < N_CGROUP_KNOB; i++)
		u->knobs[i] = KNOB_UNSET;
	u->flags = UNIT_JITTER;
	u->uid = u->gid = NO_ID;
	u->start_ms = START_TIMEOUT_MS;
	u->stop_ms = u->abort_ms = STOP_TIMEOUT_MS;
	u->restart_ms = BACKOFF_FIRST_MS;
	u->restart_max_ms = BACKOFF_MOST_MS;
	u->restart_growth = 2 * GROWTH_NONE;
	u->start_limit_ms = START_LIMIT_MS;
	u->start_limit_burst = START_LIMIT_BURST;
	u->cpu_period_us = CPU_PERIOD_US;
	u->umask = 0022;
	u->type = TYPE_SIMPLE;
	u->restart = RESTART_UNSET;
	u->kill_mode = KILL_CONTROL_GROUP;
	u->kill_signal = SIG_TERM;
	u->final_signal = SIG_KILL;
	u->watchdog_signal = SIG_ABRT;
	u->reload_signal = SIG_HUP;
	u->runtime_ms = FOREVER_MS;
	/* Not systemd's `stop`: a lost worker must not take a whole service down by surprise where nobody is watching. */
	u->oom_policy = OOM_CONTINUE;
	u->notify_access = NOTIFY_NONE; /* oomph-load makes it `main` for Type=notify */
	u->stdio[0] = STDIO_NULL;
	u->stdio[1] = u->stdio[2] = STDIO_INHERIT;
}
