/*
 * oomph-load --fd N [--vm|--container] [--log files|stdout|none] [--socket PATH] [--path PATH] DIR...
 *         writes the units of the folders, and what they want of PATH, into the memfd N and seals it; logs go to files of a
 *         virtual machine and to stdout of a container, unless --log says otherwise, by a logger that talks to that socket
 * oomph-load --check FILE...
 *         reads unit files and says what becomes of each line
 * oomph-load --dump FILE...
 *         reads unit files and writes them again as they were understood
 * oomph-load --calendar MICROSECONDS EXPRESSION...
 *         says how calendar expressions are read and when, since the epoch, they elapse after that time
 */
#include "load.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

static void learn(struct load *load)
{
	host_learn(&load->host);
	if (load->log && strcmp(load->log, "none") == 0)
		load->host.has_logger = false;
}

static void (*const phases[])(struct load *) = { learn, scan_folders, find_units, link_units };

/* Whatever the files hold: this much, and no more. A load that fails costs nothing but itself. */
static void bound(int resource, rlim_t most)
{
	struct rlimit limit;
	if (getrlimit(resource, &limit) == 0 && limit.rlim_max > most)
		setrlimit(resource, &(struct rlimit){ most, most });
}

static int load_set(struct load *load, int fd)
{
	bound(RLIMIT_AS, LOAD_MEMORY_MAX);
	bound(RLIMIT_CPU, LOAD_DEADLINE_MS / 1000);
	for (size_t i = 0; i < countof(phases); i++)
		phases[i](load);
	const char *wrong = write_set(load, fd);
	if (wrong)
		fprintf(stderr, "oomph-load: the unit set cannot be written: %s\n", wrong);
	return wrong ? 1 : 0;
}

static int usage(void)
{
	fputs("usage: oomph-load --fd N [--vm|--container] [--log files|stdout|none] [--socket PATH] [--path PATH] DIR...\n"
	      "       oomph-load --check|--dump FILE...\n       oomph-load --calendar MICROSECONDS EXPRESSION...\n", stderr);
	return 2;
}

int main(int argc, char **argv)
{
	struct load load = { .is_vm = false };
	uint64_t fd = UINT64_MAX;
	int64_t after_us;

	if (argc > 2 && strcmp(argv[1], "--check") == 0)
		return verify_files(argv + 2, false);
	if (argc > 2 && strcmp(argv[1], "--dump") == 0)
		return verify_files(argv + 2, true);
	if (argc > 3 && strcmp(argv[1], "--calendar") == 0 && str_i64(str_from(argv[2]), &after_us)) {
		calendars_tell(after_us, argv + 3);
		return 0;
	}
	for (char **arg = argv + 1; argc > 1 && *arg; arg++) {
		if (strcmp(*arg, "--vm") == 0)
			load.is_vm = true;
		else if (strcmp(*arg, "--path") == 0 && arg[1])
			load.search_path = *++arg;
		else if (strcmp(*arg, "--log") == 0 && arg[1])
			load.log = *++arg;
		else if (strcmp(*arg, "--socket") == 0 && arg[1])
			load.control = *++arg;
		else if (strcmp(*arg, "--fd") == 0 && arg[1] && str_u64(str_from(*++arg), &fd))
			continue;
		else if (strcmp(*arg, "--container") != 0 && (*arg)[0] == '-')
			return usage();
		else if (strcmp(*arg, "--container") != 0)
			list_add_str(&load.started, str_from(*arg));
	}
	if (fd > INT32_MAX || load.started.n == 0)
		return usage();
	return load_set(&load, (int)fd);
}
