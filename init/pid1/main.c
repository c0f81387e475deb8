/* oomph: PID 1 and service supervisor. See DESIGN in the README, and lib/core.h for who decides. */
#include "pid1.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

static void put(int fd, struct str text)
{
	ssize_t n = write(fd, text.p, text.n);
	(void)n;
}

static const char usage[] =
	"usage: oomph [--services DIR]... [--socket PATH] [--container | --vm] [--log=files | stdout | none] [-- COMMAND ARGS...]\n"
	"       oomph --version\n";

/* PID 1 must not die of a word it does not know: the kernel hands it all of its command line that it did not use itself. */
static void bad_option(const char *word)
{
	put(2, STR("oomph: unknown option: "));
	put(2, str_from(word));
	put(2, STR("\n"));
	if (getpid() == 1)
		return;
	put(2, str_from(usage));
	_exit(2);
}

/* "--log WORD" or "--log=WORD": the kernel keeps for itself what has an equals sign and does not stand behind its own "--". */
static bool is_log(char **argv, int *i, struct options *o)
{
	struct str word = str_from(argv[*i]);
	if (!str_take(&word, STR("--log")) || (word.n == 0 && !argv[*i + 1]))
		return false;
	const char *value = word.n == 0 ? argv[*i + 1] : str_take(&word, STR("=")) ? word.p : "";
	struct str where = str_from(value);
	if (!str_eq(where, STR("files")) && !str_eq(where, STR("stdout")) && !str_eq(where, STR("none")))
		return false;
	o->log = value;
	*i += value == argv[*i + 1];
	return true;
}

/* With what PID 1 executes itself. */
static bool is_own(struct str word, bool *is_back)
{
	*is_back |= str_eq(word, STR("--back"));
	return str_eq(word, STR("--state")) || str_eq(word, STR("--back"));
}

static int read_number(const char *word)
{
	uint64_t n;
	return str_u64(str_from(word), &n) && n < INT32_MAX ? (int)n : -1;
}

static void read_options(struct options *o, int argc, char **argv, int *forced_mode)
{
	for (int i = 1; i < argc; i++) {
		struct str word = str_from(argv[i]);
		bool has_value = i + 1 < argc;
		if (str_eq(word, STR("--")) && has_value) {
			o->command = argv + i + 1;
			return;
		}
		if (str_eq(word, STR("--services")) && has_value && o->n_services < countof(o->services))
			o->services[o->n_services++] = argv[++i];
		else if (str_eq(word, STR("--socket")) && has_value)
			o->socket = argv[++i];
		else if (is_log(argv, &i, o))
			continue;
		else if (is_own(word, &o->is_back) && has_value)
			o->state = read_number(argv[++i]);
		else if (str_eq(word, STR("--self-test")) && has_value)
			o->tested_state = read_number(argv[++i]);
		else if (str_eq(word, STR("--container")))
			*forced_mode = MODE_CONTAINER;
		else if (str_eq(word, STR("--vm")))
			*forced_mode = MODE_VM;
		else if (str_eq(word, STR("--version")) || str_eq(word, STR("--help"))) {
			put(1, str_eq(word, STR("--help")) ? str_from(usage) : STR("oomph " VERSION_TEXT "\n"));
			_exit(0);
		} else
			bad_option(argv[i]);
	}
}

/*
 * They guard nothing, so what the kernel has this early is good enough: it does not vouch for its numbers yet, and getrandom(2)
 * would give none without GRND_INSECURE, which kernels before 5.6 do not know.
 */
static void draw_seed(struct pid1 *p)
{
	p->seed[0] = p->boot_at;
	p->seed[1] = wall_ms();
	if (getrandom(p->seed, sizeof p->seed, GRND_INSECURE) < 0)
		getrandom(p->seed, sizeof p->seed, GRND_NONBLOCK);
}

/* A command that fits into no unit set fits into none later. */
static int take_command(struct pid1 *p)
{
	int r = loader_command(p);
	if (r < 0 && r != -ENOMEM) {
		console_say(p, "the command cannot be run", r);
		_exit(126);
	}
	return r;
}

static void start(struct pid1 *p)
{
	struct event ev = event_of(EVENT_FILES, NO_UNIT);
	log_begin(p);
	draw_seed(p);
	boot_insist(p, "no memory for a core", loader_begin);
	counters_find(p);
	cgroup_find(p);
	counters_begin(p);
	boot_open_doors(p);
	incident_open(p);
	sigtrace_open(p);
	if (p->options.mode == MODE_COMMAND) {
		boot_insist(p, "no memory for the command", take_command);
		return;
	}
	ev.is_ok = true;                        /* now, not once it is quiet */
	feed(p, &ev);
}

/* Nothing is there to supervise yet, but to leave would be the machine's end. */
static struct pid1 *wait_for_memory(int *self)
{
	struct pid1 *p = map_zeroes(sizeof *p, self);
	if (!p)
		put(2, STR("oomph: no memory to begin with: waiting for some\n"));
	while (!p) {
		boot_pause();
		p = map_zeroes(sizeof *p, self);
	}
	return p;
}

/* The first of us in this place. */
static struct pid1 *begin(const struct options *options, char **argv, int forced_mode)
{
	int self;
	struct pid1 *p = wait_for_memory(&self);
	state_begin(p, self);
	upgrade_begin(p);
	p->options = *options;
	p->boot_at = now_ms();
	boot_find_mode(p, forced_mode);
	console_begin(p);
	p->control = p->notify = p->kmsg = p->files = p->loading = p->cgroups = p->cgroup_events = p->null = -1;
	p->idle[0] = p->idle[1] = -1;
	for (uint32_t i = 0; i < CLIENTS_MAX; i++)
		p->clients[i].fd = -1;
	boot_mounts(p);
	console_open(p);
	boot_find_programs(p);
	boot_process(p);
	boot_hostname(p);
	if (p->options.mode != MODE_COMMAND)
		boot_lock_memory();
	crash_arm(p, argv);
	/* From here on we must not die. */
	start(p);
	return p;
}

int main(int argc, char **argv, char **environment)
{
	struct options options = { .environment = environment, .socket = "/run/oomph/control", .state = -1, .tested_state = -1 };
	int forced_mode = -1;

	read_options(&options, argc, argv, &forced_mode);
	if (options.n_services == 0)
		options.services[options.n_services++] = "/etc/services.d";
	if (options.tested_state >= 0)
		_exit(upgrade_self_test(options.tested_state));
	struct pid1 *p = options.state < 0 ? begin(&options, argv, forced_mode) : recover(&options, argv);
	loop(p);
}
