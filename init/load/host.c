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
		n -= i == 0 && n > 0 && n < UINT64_MAX;         /* proc(5): one more than the last pid */
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

/*
 * systemd hands its own locale on: locale.conf(5), which older Debians have as /etc/default/locale, else C.UTF-8. Values with
 * quotes around them lose those; there is no more to this format in practice.
 */
static void learn_locale(struct host *host)
{
	FILE *f = fopen("/etc/locale.conf", "re");
	char text[256];
	bool has_lang = false;

	if (!f)
		f = fopen("/etc/default/locale", "re");
	while (f && fgets(text, sizeof text, f)) {
		struct str value = str_trim(str_from(text)), name = str_until(&value, '=');
		bool is_quoted = value.n > 1 && (value.p[0] == '"' || value.p[0] == '\'') && value.p[value.n - 1] == value.p[0];
		if (is_quoted)
			value = str_of(value.p + 1, value.n - 2);
		if (value.n == 0 || !(str_eq(name, STR("LANG")) || str_eq(name, STR("LANGUAGE")) || str_starts(name, STR("LC_"))))
			continue;
		has_lang |= str_eq(name, STR("LANG"));
		list_add_str(&host->locale, keep_print("%.*s=%.*s", STR_ARG(name), STR_ARG(value)));
	}
	if (f)
		fclose(f);
	if (!has_lang)
		list_add_str(&host->locale, STR("LANG=C.UTF-8"));
}

/* Of the terminals that the console is, the last is the one to read from (Documentation/ABI, sysfs-tty). */
static bool has_vt_console(void)
{
	struct str active = first_line("/sys/class/tty/console/active");
	struct str last = str_skip(active, str_rfind(active, STR(" ")) + 1);
	if (str_chr(active, ' ') == active.n)
		last = active;
	return str_take(&last, STR("tty")) && last.n && last.p[0] >= '0' && last.p[0] <= '9';
}

static bool has_program(const struct host *host, const char *name)
{
	return access(keep_print("%.*s/%s", STR_ARG(host->lib_folder), name).p, X_OK) == 0;
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
	host->has_vt_console = has_vt_console();
	host->has_logger = has_program(host, "oomph-log");
	learn_locale(host);
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
