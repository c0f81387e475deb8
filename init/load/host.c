#include "load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

/* The first line of a small file; empty when there is none. */
static struct str first_line(const char *path)
{
	char text[256] = "";
	FILE *f = fopen(path, "re");
	if (!f)
		return STR("");
	if (!fgets(text, sizeof text, f))
		text[0] = '\0';
	fclose(f);
	return keep_str(str_trim(str_from(text)));
}

static uint64_t number_in(const char *path)
{
	uint64_t n;
	return str_u64(first_line(path), &n) ? n : UINT64_MAX;
}

/* proc_meminfo(5): "MemTotal:       16318400 kB". */
static uint64_t memory_bytes(void)
{
	struct str line = first_line("/proc/meminfo");
	uint64_t kb;
	if (!str_take(&line, STR("MemTotal:")))
		return 0;
	line = str_trim(line);
	return str_digits(&line, &kb) ? kb * 1024 : 0;
}

/* What systemd takes a percentage of TasksMax= of: the least of what the kernel and the root cgroup allow. */
static uint64_t tasks_max(void)
{
	static const char *const files[] = {
		"/proc/sys/kernel/pid_max", "/proc/sys/kernel/threads-max", "/sys/fs/cgroup/pids.max",
	};
	uint64_t least = UINT64_MAX;
	for (size_t i = 0; i < countof(files); i++) {
		uint64_t n = number_in(files[i]);
		least = n < least ? n : least;
	}
	return least == UINT64_MAX ? 0 : least;
}

static struct str own_folder(void)
{
	char path[4096];
	ssize_t n = readlink("/proc/self/exe", path, sizeof path);
	if (n <= 0)
		return STR("/usr/lib/oomph");
	struct str whole = str_of(path, (size_t)n);
	return keep_str(str_of(whole.p, str_rfind(whole, STR("/"))));
}

static struct str known(struct str s)
{
	return s.n ? s : (struct str){ NULL, 0 };
}

/* systemd.unit(5) "Specifiers", as a system manager run by root answers them. */
void host_learn(struct host *host)
{
	struct utsname names;
	struct str *of = host->specifiers.of;

	memset(host, 0, sizeof *host);
	host->lib_folder = own_folder();
	host->memory_bytes = memory_bytes();
	host->tasks_max = tasks_max();
	of['t'] = STR("/run");
	of['S'] = STR("/var/lib");
	of['C'] = STR("/var/cache");
	of['L'] = STR("/var/log");
	of['E'] = STR("/etc");
	of['T'] = STR("/tmp");
	of['V'] = STR("/var/tmp");
	of['u'] = of['g'] = STR("root");
	of['U'] = of['G'] = STR("0");
	of['h'] = STR("/root");
	of['s'] = STR("/bin/sh");
	of['m'] = known(first_line("/etc/machine-id"));
	specifiers_learn(&host->specifiers);
	if (uname(&names) == 0) {
		struct str name = keep_str(str_from(names.nodename));
		of['H'] = name;
		of['l'] = str_of(name.p, str_chr(name, '.'));
		of['v'] = keep_str(str_from(names.release));
	}
}
