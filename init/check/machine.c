/* What is asked about the machine, its kernel, and whose PID 1 this is. systemd.unit(5), "Conditions and Asserts". */
#include "check.h"

#include <dirent.h>
#include <fnmatch.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "lib/values.h"
#include "lib/words.h"

#include <linux/netlink.h>

static bool is_there(const char *path)
{
	return access(path, F_OK) == 0;
}

/* ---- what it is ---- */

enum answer architecture(struct str argument)
{
	static const struct { const char *machine; struct str name; } names[] = {
		{ "x86_64", { "x86-64", 6 } }, { "i686", { "x86", 3 } }, { "i586", { "x86", 3 } }, { "i386", { "x86", 3 } },
		{ "aarch64", { "arm64", 5 } }, { "armv7l", { "arm", 3 } }, { "armv6l", { "arm", 3 } }, { "riscv64", { "riscv64", 7 } },
		{ "ppc64le", { "ppc64-le", 8 } }, { "ppc64", { "ppc64", 5 } }, { "s390x", { "s390x", 5 } },
		{ "loongarch64", { "loongarch64", 11 } }, { "mips64", { "mips64", 6 } },
	};
	struct utsname u;
	if (str_eq(argument, STR("native")))
		return YES;
	for (size_t i = 0; uname(&u) == 0 && i < countof(names); i++)
		if (strcmp(names[i].machine, u.machine) == 0)
			return str_eq(names[i].name, argument);
	return str_eq(argument, str_from(u.machine));
}

enum answer firmware(struct str argument)
{
	if (str_eq(argument, STR("uefi")))
		return is_there("/sys/firmware/efi");
	if (str_eq(argument, STR("device-tree")))
		return is_there("/sys/firmware/devicetree");
	return ERROR;
}

enum answer host(struct str argument)
{
	struct utsname u;
	struct str id = str_trim(read_all("/etc/machine-id"));
	if (id.n && str_eq(id, argument))
		return YES;
	return uname(&u) == 0 && fnmatch(argument.p, u.nodename, FNM_CASEFOLD) == 0;
}

enum answer kernel_command_line(struct str argument)
{
	return condition_is_in_command_line(read_all("/proc/cmdline"), argument);
}

/* Each word a version with an operator in front, or a pattern; all have to hold. */
enum answer kernel_version(struct str argument)
{
	struct utsname u;
	struct str word;
	if (uname(&u) < 0)
		return ERROR;
	while (words_plain(&argument, &word)) {
		enum comparison how = condition_operator(&word);
		char pattern[256];
		if (how != COMPARE_NONE && word.n == 0 && !words_plain(&argument, &word))
			return ERROR;           /* a blank behind the operator */
		snprintf(pattern, sizeof pattern, "%.*s", (int)word.n, word.p);
		bool is_met = how == COMPARE_NONE ? fnmatch(pattern, u.release, 0) == 0 :
			condition_holds(how, version_compare(str_from(u.release), word));
		if (!is_met)
			return NO;
	}
	return YES;
}

enum answer os_release(struct str argument)
{
	struct str text = read_all("/etc/os-release");
	return condition_is_os(text.n ? text : read_all("/usr/lib/os-release"), argument);
}

/* One that is built in has a folder at most. */
enum answer kernel_module_loaded(struct str name)
{
	char path[256], state_path[300];
	if (snprintf(path, sizeof path, "/sys/module/%s", name.p) >= (int)sizeof path || str_chr(name, '/') < name.n)
		return ERROR;
	for (char *p = path + strlen("/sys/module/"); *p; p++)
		*p = *p == '-' ? '_' : *p;
	snprintf(state_path, sizeof state_path, "%s/initstate", path);
	struct str state = str_trim(read_all(state_path));
	return is_there(path) && (!state.n || str_eq(state, STR("live")));
}

/* ---- what it guards ---- */

static bool has_audit(void)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_AUDIT);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static bool has_secure_boot(void)
{
	struct str value = read_all("/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c");
	return value.n == 5 && value.p[4] == 1;         /* four bytes of attributes stand in front */
}

enum answer security(struct str argument)
{
	static const struct { struct str name; const char *path; } files[] = {
		{ { "selinux", 7 }, "/sys/fs/selinux/enforce" }, { { "smack", 5 }, "/sys/fs/smackfs" },
		{ { "ima", 3 }, "/sys/kernel/security/ima/" }, { { "tomoyo", 6 }, "/sys/kernel/security/tomoyo/version" },
	};
	for (size_t i = 0; i < countof(files); i++)
		if (str_eq(argument, files[i].name))
			return is_there(files[i].path);
	if (str_eq(argument, STR("apparmor")))
		return str_starts(read_all("/sys/module/apparmor/parameters/enabled"), STR("Y"));
	if (str_eq(argument, STR("audit")))
		return has_audit();
	if (str_eq(argument, STR("uefi-secureboot")))
		return has_secure_boot();
	if (str_eq(argument, STR("tpm2")))
		return directory_not_empty(STR("/sys/class/tpmrm"));
	return NO;
}

/* Of the bounding set, which is PID 1's: nothing has left it on the way here. */
enum answer capability(struct str argument)
{
	struct str status = read_all("/proc/self/status");
	int bit = condition_capability(argument);
	unsigned long long bounding;
	while (bit >= 0 && status.n) {
		struct str line = str_until(&status, '\n');
		if (str_take(&line, STR("CapBnd:")) && sscanf(line.p, "%llx", &bounding) == 1)
			return bounding >> bit & 1;
	}
	return ERROR;
}

/* ---- what it has ---- */

static bool supply_says(const char *supply, const char *file, struct str word)
{
	char path[512];
	snprintf(path, sizeof path, "/sys/class/power_supply/%s/%s", supply, file);
	return str_eq(str_trim(read_all(path)), word);
}

/* On mains where nobody says otherwise: a machine without a battery has no say. */
static bool is_on_mains(void)
{
	DIR *d = opendir("/sys/class/power_supply");
	struct dirent *entry;
	bool has_mains = false, is_online = false, is_discharging = false;
	while (d && (entry = readdir(d)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		bool is_mains = supply_says(entry->d_name, "type", STR("Mains"));
		has_mains |= is_mains;
		is_online |= is_mains && supply_says(entry->d_name, "online", STR("1"));
		is_discharging |= supply_says(entry->d_name, "type", STR("Battery")) &&
			supply_says(entry->d_name, "status", STR("Discharging"));
	}
	if (d)
		closedir(d);
	return is_online || !(has_mains || is_discharging);
}

enum answer ac_power(struct str argument)
{
	bool value;
	if (!value_boolean(argument, &value))
		return ERROR;
	return value == is_on_mains();
}

/* Without an operator: at least so much. */
static enum answer compare(struct str argument, uint64_t has, bool (*read)(struct str, uint64_t *))
{
	enum comparison how = condition_operator(&argument);
	uint64_t asked;
	if (!read(argument, &asked))
		return ERROR;
	return condition_holds(how == COMPARE_NONE ? COMPARE_AT_LEAST : how, (has > asked) - (has < asked));
}

enum answer memory(struct str argument)
{
	struct sysinfo info;
	return sysinfo(&info) == 0 ? compare(argument, (uint64_t)info.totalram * info.mem_unit, value_size) : ERROR;
}

enum answer cpus(struct str argument)
{
	cpu_set_t set;
	return sched_getaffinity(0, sizeof set, &set) == 0 ? compare(argument, (uint64_t)CPU_COUNT(&set), value_u64) : ERROR;
}

/* As the kernel names them. */
enum answer cpu_feature(struct str argument)
{
	struct str text = read_all("/proc/cpuinfo"), word;
	while (text.n) {
		struct str line = str_until(&text, '\n');
		if (!str_starts(line, STR("flags")) && !str_starts(line, STR("Features")))
			continue;
		str_until(&line, ':');
		while (words_plain(&line, &word))
			if (str_eq(word, argument))
				return YES;
	}
	return NO;
}

enum answer control_group_controller(struct str argument)
{
	struct str has = read_all("/sys/fs/cgroup/cgroup.controllers"), word;
	if (str_eq(argument, STR("v2")) || str_eq(argument, STR("v1")))
		return is_there("/sys/fs/cgroup/cgroup.controllers") == (argument.p[1] == '2');
	while (words_plain(&argument, &word)) {
		struct str rest = has, one;
		bool is_found = false;
		while (words_plain(&rest, &one))
			is_found |= str_eq(one, word);
		if (!is_found)
			return NO;
	}
	return YES;
}

/* ---- who it is ---- */

/* PID 1's: ours has nothing but a PATH. */
enum answer environment(struct str argument)
{
	struct str text = read_all("/proc/1/environ"), one;
	bool has_value = str_chr(argument, '=') < argument.n;
	while (str_next(&text, &one)) {
		if (has_value ? str_eq(one, argument) : str_take(&one, argument) && str_starts(one, STR("=")))
			return YES;
	}
	return NO;
}

/* Whoever PID 1 runs as: root. */
enum answer user(struct str argument)
{
	uint64_t id;
	if (str_eq(argument, STR("root")) || str_eq(argument, STR("@system")))
		return geteuid() == 0;
	return str_u64(argument, &id) && id == geteuid();
}

enum answer group(struct str argument)
{
	uint64_t id;
	gid_t groups[256];
	int n = getgroups(countof(groups), groups);
	if (str_eq(argument, STR("root")))
		return getegid() == 0;
	if (!str_u64(argument, &id))
		return NO;
	for (int i = 0; i < n; i++)
		if (groups[i] == id)
			return YES;
	return id == getegid();
}
