#include "names.h"
#include "values.h"

/* As glibc counts them: the kernel's 32 and 33 belong to its threads and have no name, but anybody may send them. musl's own SIGRTMIN is 35, unit files mean 34. */
enum { SYS = 31, RTMIN = 34, RTMAX = 64 };

const char *const unit_type_names[N_UNIT_TYPE_NAME] = {
	[UNIT_SERVICE] = "service", [UNIT_SOCKET] = "socket", [UNIT_TARGET] = "target", [UNIT_DEVICE] = "device",
	[UNIT_MOUNT] = "mount", [UNIT_AUTOMOUNT] = "automount", [UNIT_SWAP] = "swap", [UNIT_TIMER] = "timer",
	[UNIT_PATH] = "path", [UNIT_SLICE] = "slice", [UNIT_SCOPE] = "scope",
};

const char *const type_names[N_UNIT_TYPE] = {
	[TYPE_SIMPLE] = "simple", [TYPE_EXEC] = "exec", [TYPE_ONESHOT] = "oneshot", [TYPE_NOTIFY] = "notify",
	[TYPE_FORKING] = "forking", [TYPE_NOTIFY_RELOAD] = "notify-reload",
	[TYPE_IDLE] = "idle", [TYPE_DBUS] = "dbus",
};

const char *const restart_names[N_RESTART_POLICY] = {
	[RESTART_UNSET] = "", [RESTART_NO] = "no", [RESTART_ON_SUCCESS] = "on-success",
	[RESTART_ON_FAILURE] = "on-failure", [RESTART_ON_ABNORMAL] = "on-abnormal",
	[RESTART_ON_WATCHDOG] = "on-watchdog", [RESTART_ON_ABORT] = "on-abort", [RESTART_ALWAYS] = "always",
};

const char *const kill_mode_names[N_KILL_MODE] = {
	[KILL_CONTROL_GROUP] = "control-group", [KILL_MIXED] = "mixed",
	[KILL_PROCESS] = "process", [KILL_NONE] = "none",
};

const char *const oom_policy_names[N_OOM_POLICY] = {
	[OOM_CONTINUE] = "continue", [OOM_STOP] = "stop", [OOM_KILL] = "kill",
};

const char *const notify_access_names[N_NOTIFY_ACCESS] = {
	[NOTIFY_NONE] = "none", [NOTIFY_MAIN] = "main", [NOTIFY_EXEC] = "exec", [NOTIFY_ALL] = "all",
};

const char *const unit_action_names[N_UNIT_ACTION] = {
	[ACTION_NONE] = "none", [ACTION_REBOOT] = "reboot", [ACTION_POWEROFF] = "poweroff", [ACTION_HALT] = "halt",
	[ACTION_EXIT] = "exit",
};

const char *const exit_type_names[N_EXIT_TYPE] = { [EXIT_MAIN] = "main", [EXIT_CGROUP] = "cgroup" };

const char *const failure_mode_names[N_FAILURE_MODE] = {
	[FAILURE_TERMINATE] = "terminate", [FAILURE_ABORT] = "abort", [FAILURE_KILL] = "kill",
};

const char *const stdio_names[N_STDIO_KIND] = {
	[STDIO_NULL] = "null", [STDIO_INHERIT] = "inherit", [STDIO_TTY] = "tty", [STDIO_KMSG] = "kmsg",
	[STDIO_FILE] = "file", [STDIO_APPEND] = "append", [STDIO_TRUNCATE] = "truncate",
	[STDIO_TTY_FORCE] = "tty-force", [STDIO_TTY_FAIL] = "tty-fail", [STDIO_DATA] = "data", [STDIO_LOG] = "journal",
};

const char *const scheduling_names[N_SCHEDULING] = {
	[SCHEDULING_UNSET] = "", [SCHEDULING_OTHER] = "other", [SCHEDULING_BATCH] = "batch", [SCHEDULING_IDLE] = "idle",
	[SCHEDULING_FIFO] = "fifo", [SCHEDULING_RR] = "rr",
};

const char *const io_class_names[N_IO_CLASS] = {
	[IO_NONE] = "none", [IO_REALTIME] = "realtime", [IO_BEST_EFFORT] = "best-effort", [IO_IDLE] = "idle",
};

const char *const numa_policy_names[N_NUMA_POLICY] = {
	[NUMA_UNSET] = "", [NUMA_DEFAULT] = "default", [NUMA_PREFERRED] = "preferred", [NUMA_BIND] = "bind",
	[NUMA_INTERLEAVE] = "interleave", [NUMA_LOCAL] = "local",
};

const char *const keyring_mode_names[N_KEYRING_MODE] = {
	[KEYRING_UNSET] = "", [KEYRING_INHERIT] = "inherit", [KEYRING_PRIVATE] = "private", [KEYRING_SHARED] = "shared",
};

const char *const limit_names[N_LIMIT_KIND] = {
	[LIMIT_NOFILE] = "NOFILE", [LIMIT_NPROC] = "NPROC", [LIMIT_CORE] = "CORE", [LIMIT_CPU] = "CPU",
	[LIMIT_FSIZE] = "FSIZE", [LIMIT_DATA] = "DATA", [LIMIT_STACK] = "STACK", [LIMIT_RSS] = "RSS", [LIMIT_AS] = "AS",
	[LIMIT_MEMLOCK] = "MEMLOCK", [LIMIT_LOCKS] = "LOCKS", [LIMIT_SIGPENDING] = "SIGPENDING",
	[LIMIT_MSGQUEUE] = "MSGQUEUE", [LIMIT_NICE] = "NICE", [LIMIT_RTPRIO] = "RTPRIO", [LIMIT_RTTIME] = "RTTIME",
};

int name_find(const char *const *table, size_t n, struct str name)
{
	for (size_t i = 0; i < n && name.n; i++)
		if (table[i] && str_eq(str_from(table[i]), name))
			return (int)i;
	return -1;
}

/* signal(7), the numbers of x86 and arm; each name once: aliases (CLD, IOT, POLL) are refused as systemd does. */
static const char *const signals[RTMAX + 1] = {
	NULL, "SIGHUP", "SIGINT", "SIGQUIT", "SIGILL", "SIGTRAP", "SIGABRT", "SIGBUS", "SIGFPE", "SIGKILL", "SIGUSR1",
	"SIGSEGV", "SIGUSR2", "SIGPIPE", "SIGALRM", "SIGTERM", "SIGSTKFLT", "SIGCHLD", "SIGCONT", "SIGSTOP", "SIGTSTP",
	"SIGTTIN", "SIGTTOU", "SIGURG", "SIGXCPU", "SIGXFSZ", "SIGVTALRM", "SIGPROF", "SIGWINCH", "SIGIO", "SIGPWR",
	"SIGSYS", "32", "33",
	"SIGRTMIN", "SIGRTMIN+1", "SIGRTMIN+2", "SIGRTMIN+3", "SIGRTMIN+4", "SIGRTMIN+5", "SIGRTMIN+6", "SIGRTMIN+7",
	"SIGRTMIN+8", "SIGRTMIN+9", "SIGRTMIN+10", "SIGRTMIN+11", "SIGRTMIN+12", "SIGRTMIN+13", "SIGRTMIN+14",
	"SIGRTMIN+15", "SIGRTMIN+16", "SIGRTMIN+17", "SIGRTMIN+18", "SIGRTMIN+19", "SIGRTMIN+20", "SIGRTMIN+21",
	"SIGRTMIN+22", "SIGRTMIN+23", "SIGRTMIN+24", "SIGRTMIN+25", "SIGRTMIN+26", "SIGRTMIN+27", "SIGRTMIN+28",
	"SIGRTMIN+29", "SIGRTMAX",
};

const char *signal_name(int number)
{
	return number >= 0 && number <= RTMAX && signals[number] ? signals[number] : "SIG?";
}

static int realtime_number(struct str name)
{
	uint64_t n;
	if (str_take(&name, STR("RTMIN")))
		return name.n == 0 ? RTMIN : str_take(&name, STR("+")) && str_u64(name, &n) && n <= RTMAX - RTMIN ?
			RTMIN + (int)n : 0;
	if (str_take(&name, STR("RTMAX")))
		return name.n == 0 ? RTMAX : str_take(&name, STR("-")) && str_u64(name, &n) && n <= RTMAX - RTMIN ?
			RTMAX - (int)n : 0;
	return 0;
}

int signal_number(struct str name)
{
	uint64_t number;
	if (value_u64(name, &number))
		return number <= RTMAX ? (int)number : 0;
	str_take(&name, STR("SIG"));
	for (int i = 1; i <= SYS; i++)
		if (str_eq(str_skip(str_from(signals[i]), 3), name))
			return i;
	return realtime_number(name);
}

/* systemd.exec(5): ANSI C, LSB init scripts, sysexits.h, and the manager's own from 200 on. */
static const struct {
	uint8_t status;
	char name[24];          /* not a pointer: that would be four times its size in a program that may lie anywhere */
} statuses[] = {
	{ 0, "SUCCESS" }, { 1, "FAILURE" }, { 2, "INVALIDARGUMENT" }, { 3, "NOTIMPLEMENTED" }, { 4, "NOPERMISSION" },
	{ 5, "NOTINSTALLED" }, { 6, "NOTCONFIGURED" }, { 7, "NOTRUNNING" }, { 64, "USAGE" }, { 65, "DATAERR" },
	{ 66, "NOINPUT" }, { 67, "NOUSER" }, { 68, "NOHOST" }, { 69, "UNAVAILABLE" }, { 70, "SOFTWARE" }, { 71, "OSERR" },
	{ 72, "OSFILE" }, { 73, "CANTCREAT" }, { 74, "IOERR" }, { 75, "TEMPFAIL" }, { 76, "PROTOCOL" }, { 77, "NOPERM" },
	{ 78, "CONFIG" }, { 200, "CHDIR" }, { 201, "NICE" }, { 202, "FDS" }, { 203, "EXEC" }, { 204, "MEMORY" },
	{ 205, "LIMITS" }, { 206, "OOM_ADJUST" }, { 207, "SIGNAL_MASK" }, { 208, "STDIN" }, { 209, "STDOUT" },
	{ 210, "CHROOT" }, { 211, "IOPRIO" }, { 212, "TIMERSLACK" }, { 213, "SECUREBITS" }, { 214, "SETSCHEDULER" },
	{ 215, "CPUAFFINITY" }, { 216, "GROUP" }, { 217, "USER" }, { 218, "CAPABILITIES" }, { 219, "CGROUP" },
	{ 220, "SETSID" }, { 221, "CONFIRM" }, { 222, "STDERR" }, { 224, "PAM" }, { 225, "NETWORK" }, { 226, "NAMESPACE" },
	{ 227, "NO_NEW_PRIVILEGES" }, { 228, "SECCOMP" }, { 229, "SELINUX_CONTEXT" }, { 230, "PERSONALITY" },
	{ 231, "APPARMOR" }, { 232, "ADDRESS_FAMILIES" }, { 233, "RUNTIME_DIRECTORY" }, { 235, "CHOWN" },
	{ 236, "SMACK_PROCESS_LABEL" }, { 237, "KEYRING" }, { 238, "STATE_DIRECTORY" }, { 239, "CACHE_DIRECTORY" },
	{ 240, "LOGS_DIRECTORY" }, { 241, "CONFIGURATION_DIRECTORY" }, { 242, "NUMA_POLICY" }, { 243, "CREDENTIALS" },
	{ 245, "BPF" },
};

const char *exit_status_name(int status)
{
	for (size_t i = 0; i < countof(statuses); i++)
		if (statuses[i].status == status)
			return statuses[i].name;
	return NULL;
}

int exit_status_number(struct str name)
{
	for (size_t i = 0; i < countof(statuses); i++)
		if (str_eq(name, str_from(statuses[i].name)))
			return statuses[i].status;
	return -1;
}
