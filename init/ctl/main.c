#include "ctl.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define SOCKET_PATH "/run/oomph/control"

/* All there is, in the order of help and man page, which do not have what has no help. */
static const struct subcommand commands[] = {
	{ "list", "[-a]", "all services in a table; -a: oomph's own helpers, too",
	  list_main, 0, 0, OPTION_ALL, VERB_LIST, 0 },
	{ "status", "UNIT", "how a service stands",
	  status_main, 1, 1, 0, VERB_STATUS, 0 },
	{ "start", "[--no-wait] UNIT", "start it, and wait until it is up",
	  change_main, 1, 1, OPTION_NO_WAIT, VERB_START, 0 },
	{ "stop", "[--no-wait] UNIT", "stop it, and wait until nothing of it is left",
	  change_main, 1, 1, OPTION_NO_WAIT, VERB_STOP, 0 },
	{ "restart", "[--no-wait] UNIT", "stop it and start it again",
	  change_main, 1, 1, OPTION_NO_WAIT, VERB_RESTART, 0 },
	{ "reload", "[UNIT]", "run its ExecReload=; without UNIT: read the unit files again",
	  reload_main, 0, 1, 0, VERB_RELOAD, 0 },
	{ "kill", "[-s SIGNAL] UNIT [SIGNAL]", "send a signal to all its processes, SIGTERM unless told",
	  kill_main, 1, 2, OPTION_SIGNAL, VERB_KILL, 0 },
	{ "deaths", "[-f] [UNIT]", "who died of what; -f: and whoever follows",
	  deaths_main, 0, 1, OPTION_FOLLOW, VERB_DEATHS, 0 },
	{ "why", "UNIT", "its last death: what, when, the kernel's evidence, what comes next",
	  why_main, 1, 1, 0, VERB_STATUS, 0 },
	{ "logs", "[UNIT...] [-f] [-n N]", "what services have written, see oomphctl(8) for more options; -f: and what follows",
	  logs_main, 0, 1 << 20, OPTION_FOLLOW | OPTION_NUMBER | OPTION_BOOT | OPTION_LOGS, 0, 0 },
	{ "oom", "[-n N] [--from FILE]", "OOM kills; -n: the last N; --from: those a saved kernel log tells of",
	  oom_main, 0, 0, OPTION_NUMBER | OPTION_FROM, VERB_DEATHS, 0 },
	{ "events", "[-f]", "what happens, as it happens",
	  events_main, 0, 0, OPTION_FOLLOW, VERB_EVENTS, 0 },
	{ "verify", "[--dump] FILE...", "say what is wrong with unit files, or how they are read; needs no PID 1",
	  verify_main, 1, 1 << 20, OPTION_DUMP, 0, 0 },
	{ "upgrade", "[PATH]", "another binary becomes PID 1, /sbin/oomph unless told, and all services stay",
	  upgrade_main, 0, 1, 0, VERB_UPGRADE, 0 },
	{ "crashes", "", "faults of PID 1 itself that it came back from",
	  crashes_main, 0, 0, 0, VERB_CRASHES, 0 },
	{ "poweroff", "", "stop all services, power off",
	  power_main, 0, 0, 0, VERB_POWER, POWER_OFF },
	{ "reboot", "", "stop all services, reboot",
	  power_main, 0, 0, 0, VERB_POWER, POWER_REBOOT },
	{ "halt", "", "stop all services, halt",
	  power_main, 0, 0, 0, VERB_POWER, POWER_HALT },
	{ "exit", "CODE", "in a container: stop all services, leave with CODE",
	  power_main, 1, 1, 0, VERB_POWER, POWER_EXIT },
	{ "version", "", "which oomph is PID 1, and what it has to go by",
	  version_main, 0, 0, 0, VERB_VERSION, 0 },
	{ "record-incidents", "FD FOLDER FROM TO [verdict]", NULL,        /* PID 1 asks us, see keep.c */
	  record_main, 4, 5, 0, 0, 0 },
};

_Noreturn void leave(int status, const char *format, ...)
{
	va_list args;
	fflush(stdout);
	fputs("oomphctl: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(status);
}

static void print_help(void)
{
	printf("oomphctl [--json] [-s|--socket PATH] COMMAND\n\n");
	for (size_t i = 0; i < countof(commands); i++)
		if (commands[i].help)
			printf("  %-8s %-25s %s\n", commands[i].name, commands[i].arguments, commands[i].help);
	printf("\nUNIT is a name with or without .service. --json prints one object a line.\n"
	       "Exit status: 0 done, 1 refused or failed, 2 usage, 3 no such unit, 4 no answer from PID 1.\n");
}

_Noreturn static void unknown_command(const char *word)
{
	const char *best = NULL;
	unsigned least = 3;             /* farther off it is another word, not a slip */
	for (size_t i = 0; i < countof(commands); i++) {
		if (!commands[i].help)
			continue;
		unsigned distance = str_distance(str_from(word), str_from(commands[i].name));
		if (distance < least) {
			least = distance;
			best = commands[i].name;
		}
	}
	if (best)
		leave(LEAVE_USAGE, "no such command: %s; is it %s?", line_raw(word).text, best);
	leave(LEAVE_USAGE, "no such command: %s; see oomphctl --help", line_raw(word).text);
}

static const struct subcommand *find_command(const char *word)
{
	for (size_t i = 0; i < countof(commands); i++)
		if (strcmp(word, commands[i].name) == 0)
			return &commands[i];
	unknown_command(word);
}

_Noreturn static void wrong_usage(const struct subcommand *c)
{
	leave(LEAVE_USAGE, "usage: oomphctl %s%s%s", c->name, c->arguments[0] ? " " : "", c->arguments);
}

/* ---- options ---- */

enum {
	LONG_JSON = 256, LONG_NO_WAIT, LONG_SIGNAL, LONG_VERSION, LONG_FROM, LONG_DUMP, LONG_SINCE, LONG_UNTIL, LONG_GENERATION, LONG_BASE,
};

static const struct option long_options[] = {
	{ "json", no_argument, NULL, LONG_JSON },
	{ "socket", required_argument, NULL, 'S' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, LONG_VERSION },
	{ "all", no_argument, NULL, 'a' },
	{ "follow", no_argument, NULL, 'f' },
	{ "lines", required_argument, NULL, 'n' },
	{ "from", required_argument, NULL, LONG_FROM },
	{ "dump", no_argument, NULL, LONG_DUMP },
	{ "since", required_argument, NULL, LONG_SINCE },
	{ "until", required_argument, NULL, LONG_UNTIL },
	{ "boot", no_argument, NULL, 'b' },
	{ "generation", required_argument, NULL, LONG_GENERATION },
	{ "priority", required_argument, NULL, 'p' },
	{ "grep", required_argument, NULL, 'g' },
	{ "base", required_argument, NULL, LONG_BASE },
	{ "signal", required_argument, NULL, LONG_SIGNAL },
	{ "no-wait", no_argument, NULL, LONG_NO_WAIT },
	{ 0 },
};

static void set_signal(struct ask *ask, const char *word)
{
	ask->options |= OPTION_SIGNAL;
	ask->signal = signal_number(str_from(word));
	if (ask->signal == 0)
		leave(LEAVE_USAGE, "%s is no signal", line_raw(word).text);
}

static void set_number(struct ask *ask, const char *word)
{
	uint64_t n;
	if (!str_u64(str_from(word), &n))
		leave(LEAVE_USAGE, "%s is no number", line_raw(word).text);
	ask->options |= OPTION_NUMBER;
	ask->number = n;
}

/* The options that are a text, understood by the command. */
static bool set_text(struct ask *ask, int letter)
{
	const struct { int letter; enum choice option; const char **text; } rows[] = {
		{ LONG_FROM, OPTION_FROM, &ask->from }, { LONG_SINCE, OPTION_LOGS, &ask->since },
		{ LONG_UNTIL, OPTION_LOGS, &ask->until }, { LONG_GENERATION, OPTION_LOGS, &ask->generation },
		{ 'p', OPTION_LOGS, &ask->priority }, { 'g', OPTION_LOGS, &ask->pattern }, { LONG_BASE, OPTION_LOGS, &ask->base },
	};
	for (size_t i = 0; i < countof(rows); i++)
		if (letter == rows[i].letter) {
			ask->options |= rows[i].option;
			*rows[i].text = optarg;
			return true;
		}
	return false;
}

/* `-s` is the socket in front of the command, and the signal behind it. */
static void set_option(struct ask *ask, int letter)
{
	bool is_behind = ask->command != NULL;
	if (set_text(ask, letter))
		return;
	switch (letter) {
	case LONG_JSON:
		ask->is_json = true;
		return;
	case 'S':
		ask->socket = optarg;
		return;
	case 's':
		if (is_behind)
			set_signal(ask, optarg);
		else
			ask->socket = optarg;
		return;
	case LONG_SIGNAL:
		set_signal(ask, optarg);
		return;
	case 'n':
		set_number(ask, optarg);
		return;
	case LONG_DUMP:
		ask->options |= OPTION_DUMP;
		return;
	case 'a':
		ask->options |= OPTION_ALL;
		return;
	case 'b':
		ask->options |= OPTION_BOOT;
		return;
	case 'f':
		ask->options |= OPTION_FOLLOW;
		return;
	case LONG_NO_WAIT:
		ask->options |= OPTION_NO_WAIT;
		return;
	case 'h':
		print_help();
		exit(LEAVE_OK);
	case LONG_VERSION:
		ask->command = find_command("version");
		return;
	default:
		exit(LEAVE_USAGE);              /* getopt has said why */
	}
}

/* "-" in front of the letters: words come one by one as option 1, so that options may follow them, getopt(3). */
static void read_words(struct ask *ask, int argc, char **argv)
{
	int letter;
	while ((letter = getopt_long(argc, argv, "-s:S:n:p:g:abfh", long_options, NULL)) != -1) {
		if (letter != 1)
			set_option(ask, letter);
		else if (!ask->command)
			ask->command = find_command(optarg);
		else
			ask->args[ask->n_args++] = optarg;
	}
	for (; optind < argc; optind++)         /* behind "--" */
		if (!ask->command)
			ask->command = find_command(argv[optind]);
		else
			ask->args[ask->n_args++] = argv[optind];
}

int main(int argc, char **argv)
{
	const char *socket = getenv("OOMPH_SOCKET");
	struct ask ask = { .socket = socket && socket[0] ? socket : SOCKET_PATH };
	ask.args = calloc((size_t)argc + 1, sizeof *ask.args);
	if (!ask.args)
		leave(LEAVE_FAILED, "out of memory");
	read_words(&ask, argc, argv);
	if (!ask.command) {
		print_help();           /* NOLINT(clang-analyzer-unix.Malloc): ours till we end */
		return LEAVE_USAGE;
	}
	if (ask.n_args < ask.command->least || ask.n_args > ask.command->most || (ask.options & ~ask.command->options))
		wrong_usage(ask.command);
	int status = ask.command->run(&ask);
	if (fflush(stdout) || ferror(stdout))
		leave(LEAVE_FAILED, "standard output: %s", strerror(errno));
	return status;
}
