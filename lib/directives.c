#include "directives.h"
#include "calendar.h"
#include "condition.h"
#include "names.h"

#include <stddef.h>

const char *const section_names[N_SECTION] = {
	[SECTION_UNIT] = "Unit", [SECTION_SERVICE] = "Service", [SECTION_INSTALL] = "Install",
	[SECTION_TIMER] = "Timer",
};

const struct enumeration_names enumerations[N_ENUMERATION] = {
	[ENUM_RESTART] = { restart_names, N_RESTART_POLICY },
	[ENUM_KILL_MODE] = { kill_mode_names, N_KILL_MODE },
	[ENUM_OOM_POLICY] = { oom_policy_names, N_OOM_POLICY },
	[ENUM_NOTIFY_ACCESS] = { notify_access_names, N_NOTIFY_ACCESS },
	[ENUM_FAILURE_MODE] = { failure_mode_names, N_FAILURE_MODE },
	[ENUM_EXIT_TYPE] = { exit_type_names, N_EXIT_TYPE },
	[ENUM_SCHEDULING] = { scheduling_names, N_SCHEDULING },
	[ENUM_NUMA_POLICY] = { numa_policy_names, N_NUMA_POLICY },
	[ENUM_KEYRING_MODE] = { keyring_mode_names, N_KEYRING_MODE },
};

/* Numbers of the bits in enum unit_flags: a row has a byte for `which`. */
enum {
	BIT_REMAIN_AFTER_EXIT = 2, BIT_NO_SIGKILL = 3, BIT_SEND_SIGHUP = 12, BIT_NO_GUESS = 13, BIT_NON_BLOCKING = 14,
	BIT_REFUSE_START = 17, BIT_REFUSE_STOP = 18, BIT_STOP_UNNEEDED = 19
};
_Static_assert(1 << BIT_REMAIN_AFTER_EXIT == UNIT_REMAIN_AFTER_EXIT && 1 << BIT_NO_SIGKILL == UNIT_NO_SIGKILL &&
	       1 << BIT_SEND_SIGHUP == UNIT_SEND_SIGHUP && 1 << BIT_NO_GUESS == UNIT_NO_GUESS &&
	       1 << BIT_NON_BLOCKING == UNIT_NON_BLOCKING && 1 << BIT_REFUSE_START == UNIT_REFUSE_START &&
	       1 << BIT_REFUSE_STOP == UNIT_REFUSE_STOP && 1 << BIT_STOP_UNNEEDED == UNIT_STOP_UNNEEDED,
	       "the bits of the flags have moved");

/* systemd.unit(5), and src/core/unit-dependency-atom.c of systemd, which says the same in a table. */
const struct link_effects link_effects[N_LINK] = {
	[LINK_AFTER]         = { EDGE_AFTER, EDGE_BEFORE, false },
	[LINK_BEFORE]        = { EDGE_BEFORE, EDGE_AFTER, false },
	[LINK_REQUIRES]      = { EDGE_REQUIRES, EDGE_STOPS | EDGE_RESTARTS | EDGE_NEEDED_BY, true },
	[LINK_BINDS_TO]      = { EDGE_REQUIRES | EDGE_BINDS, EDGE_STOPS | EDGE_RESTARTS | EDGE_ENDS | EDGE_NEEDED_BY, true },
	[LINK_REQUISITE]     = { EDGE_REQUISITE, EDGE_STOPS | EDGE_RESTARTS | EDGE_NEEDED_BY, true },
	[LINK_WANTS]         = { EDGE_WANTS, EDGE_NEEDED_BY, false },
	[LINK_UPHOLDS]       = { EDGE_WANTS | EDGE_UPHOLDS, EDGE_UPHELD_BY | EDGE_NEEDED_BY, false },
	[LINK_PART_OF]       = { 0, EDGE_STOPS | EDGE_RESTARTS, false },
	[LINK_CONFLICTS]     = { EDGE_CONFLICTS, EDGE_CONFLICTS, false },
	[LINK_ON_FAILURE]    = { EDGE_ON_FAILURE, 0, false },
	[LINK_ON_SUCCESS]    = { EDGE_ON_SUCCESS, 0, false },
	[LINK_RELOADS_TO]    = { EDGE_RELOADS, 0, false },
	[LINK_RELOADED_FROM] = { 0, EDGE_RELOADS, false },
	[LINK_STOPS_TO]      = { EDGE_STOPS | EDGE_ENDS, 0, false },
	[LINK_STOPPED_FROM]  = { 0, EDGE_STOPS | EDGE_ENDS, false },
};

enum {
	BIT_NO_NEW_PRIVILEGES, BIT_DEFAULT_SIGPIPE, BIT_RESET_ON_FORK = 3, BIT_TTY_RESET, BIT_TTY_HANGUP, BIT_TTY_DISALLOCATE,
	BIT_NO_LOG_PREFIX = 8
};
_Static_assert(1 << BIT_NO_NEW_PRIVILEGES == CONTEXT_NO_NEW_PRIVILEGES && 1 << BIT_DEFAULT_SIGPIPE == CONTEXT_DEFAULT_SIGPIPE &&
	       1 << BIT_RESET_ON_FORK == CONTEXT_RESET_ON_FORK && 1 << BIT_TTY_RESET == CONTEXT_TTY_RESET &&
	       1 << BIT_TTY_HANGUP == CONTEXT_TTY_HANGUP && 1 << BIT_TTY_DISALLOCATE == CONTEXT_TTY_DISALLOCATE &&
	       1 << BIT_NO_LOG_PREFIX == CONTEXT_NO_LOG_PREFIX,
	       "the bits of the context's flags have moved");

#define KEY(name) .key = { name, sizeof(name) - 1 }
#define AT(member) .at = offsetof(struct unit, member)
#define IN_CONTEXT(member) .at = AT_CONTEXT | offsetof(struct context, member)
#define UNIT_READ(name, how, ...) { KEY(name), SECTION_UNIT, HONOURED, how, __VA_ARGS__ }
#define SERVICE_READ(name, how, ...) { KEY(name), SECTION_SERVICE, HONOURED, how, __VA_ARGS__ }
#define CONDITION_READ(name, kind) UNIT_READ("Condition" name, READ_CONDITION, kind, 0), UNIT_READ("Assert" name, READ_CONDITION, kind, 0)
#define UNIT_LATER(name) { KEY(name), SECTION_UNIT, NOT_YET, READ_NOTHING, 0, 0 }
#define SERVICE_LATER(name) { KEY(name), SECTION_SERVICE, NOT_YET, READ_NOTHING, 0, 0 }
#define TIMER_LATER(name, how) { KEY(name), SECTION_TIMER, NOT_YET, how, 0, 0 }
/* What is not enforced: the end of "the service can ...". */
#define RISK(name, can) { KEY(name), SECTION_SERVICE, NOT_ENFORCED, READ_NOTHING, 0, 0, "the service can " can }
#define PASS(in, name) { KEY(name), in, HARMLESS, READ_NOTHING, 0, 0 }
/* The same of lists of paths. */
#define RISK_PATHS(name, can) { KEY(name), SECTION_SERVICE, NOT_ENFORCED, READ_SANDBOX_PATHS, 0, 0, "the service can " can }
#define PASS_PATHS(name) { KEY(name), SECTION_SERVICE, HARMLESS, READ_SANDBOX_PATHS, 0, 0 }

/* Those that are honoured stand first: they are what a search usually ends at. */
const struct directive directives[] = {
	/* ---- honoured: systemd.unit(5) ---- */
	UNIT_READ("Description", READ_TEXT, 0, 0),
	UNIT_READ("After", READ_UNITS, LINK_AFTER, 0),
	UNIT_READ("Before", READ_UNITS, LINK_BEFORE, 0),
	UNIT_READ("Requires", READ_UNITS, LINK_REQUIRES, 0),
	UNIT_READ("Wants", READ_UNITS, LINK_WANTS, 0),
	UNIT_READ("Requisite", READ_UNITS, LINK_REQUISITE, 0),
	UNIT_READ("BindsTo", READ_UNITS, LINK_BINDS_TO, 0),
	UNIT_READ("PartOf", READ_UNITS, LINK_PART_OF, 0),
	UNIT_READ("Conflicts", READ_UNITS, LINK_CONFLICTS, 0),
	UNIT_READ("Upholds", READ_UNITS, LINK_UPHOLDS, 0),
	UNIT_READ("OnFailure", READ_UNITS, LINK_ON_FAILURE, 0),
	UNIT_READ("OnSuccess", READ_UNITS, LINK_ON_SUCCESS, 0),
	UNIT_READ("PropagatesReloadTo", READ_UNITS, LINK_RELOADS_TO, 0),
	UNIT_READ("ReloadPropagatedFrom", READ_UNITS, LINK_RELOADED_FROM, 0),
	UNIT_READ("PropagatesStopTo", READ_UNITS, LINK_STOPS_TO, 0),
	UNIT_READ("StopPropagatedFrom", READ_UNITS, LINK_STOPPED_FROM, 0),
	UNIT_READ("DefaultDependencies", READ_SWITCH, SWITCH_DEFAULT_DEPENDENCIES, 0),
	/* Mounts are not ours. */
	UNIT_READ("RequiresMountsFor", READ_MOUNTS, 0, 0),
	UNIT_READ("WantsMountsFor", READ_MOUNTS, 0, 0),
	UNIT_READ("RefuseManualStart", READ_FLAG, BIT_REFUSE_START, 0),
	UNIT_READ("RefuseManualStop", READ_FLAG, BIT_REFUSE_STOP, 0),
	UNIT_READ("StopWhenUnneeded", READ_FLAG, BIT_STOP_UNNEEDED, 0),
	CONDITION_READ("PathExists", CONDITION_PATH_EXISTS),
	CONDITION_READ("PathExistsGlob", CONDITION_PATH_EXISTS_GLOB),
	CONDITION_READ("PathIsDirectory", CONDITION_PATH_IS_DIRECTORY),
	CONDITION_READ("PathIsSymbolicLink", CONDITION_PATH_IS_SYMBOLIC_LINK),
	CONDITION_READ("PathIsMountPoint", CONDITION_PATH_IS_MOUNT_POINT),
	CONDITION_READ("PathIsReadWrite", CONDITION_PATH_IS_READ_WRITE),
	CONDITION_READ("PathIsSocket", CONDITION_PATH_IS_SOCKET),
	CONDITION_READ("DirectoryNotEmpty", CONDITION_DIRECTORY_NOT_EMPTY),
	CONDITION_READ("FileNotEmpty", CONDITION_FILE_NOT_EMPTY),
	CONDITION_READ("FileIsExecutable", CONDITION_FILE_IS_EXECUTABLE),
	CONDITION_READ("NeedsUpdate", CONDITION_NEEDS_UPDATE),
	CONDITION_READ("FirstBoot", CONDITION_FIRST_BOOT),
	CONDITION_READ("Architecture", CONDITION_ARCHITECTURE),
	CONDITION_READ("Firmware", CONDITION_FIRMWARE),
	CONDITION_READ("Virtualization", CONDITION_VIRTUALIZATION),
	CONDITION_READ("Host", CONDITION_HOST),
	CONDITION_READ("KernelCommandLine", CONDITION_KERNEL_COMMAND_LINE),
	CONDITION_READ("KernelVersion", CONDITION_KERNEL_VERSION),
	CONDITION_READ("Credential", CONDITION_CREDENTIAL),
	CONDITION_READ("Security", CONDITION_SECURITY),
	CONDITION_READ("Capability", CONDITION_CAPABILITY),
	CONDITION_READ("ACPower", CONDITION_AC_POWER),
	CONDITION_READ("Memory", CONDITION_MEMORY),
	CONDITION_READ("CPUFeature", CONDITION_CPU_FEATURE),
	CONDITION_READ("CPUs", CONDITION_CPUS),
	CONDITION_READ("Environment", CONDITION_ENVIRONMENT),
	CONDITION_READ("User", CONDITION_USER),
	CONDITION_READ("Group", CONDITION_GROUP),
	CONDITION_READ("ControlGroupController", CONDITION_CONTROL_GROUP_CONTROLLER),
	CONDITION_READ("OSRelease", CONDITION_OS_RELEASE),
	CONDITION_READ("KernelModuleLoaded", CONDITION_KERNEL_MODULE_LOADED),
	UNIT_READ("StartLimitIntervalSec", READ_START_LIMIT, 0, AT(start_limit_ms)),
	UNIT_READ("StartLimitBurst", READ_START_BURST, 0, AT(start_limit_burst)),
	{ KEY("Alias"), SECTION_INSTALL, HONOURED, READ_ALIASES, 0, 0 },
	UNIT_READ("StartLimitAction", READ_ACTION, 0, AT(start_limit_action)),
	UNIT_READ("SuccessAction", READ_ACTION, 0, AT(success_action)),
	UNIT_READ("FailureAction", READ_ACTION, 0, AT(failure_action)),

	/* ---- honoured: systemd.service(5), systemd.kill(5) ---- */
	SERVICE_READ("Type", READ_TYPE, 0, AT(type)),
	SERVICE_READ("ExecStart", READ_COMMANDS, EXEC_START, 0),
	SERVICE_READ("ExecCondition", READ_COMMANDS, EXEC_CONDITION, 0),
	SERVICE_READ("ExecStartPre", READ_COMMANDS, EXEC_START_PRE, 0),
	SERVICE_READ("ExecStartPost", READ_COMMANDS, EXEC_START_POST, 0),
	SERVICE_READ("ExecReload", READ_COMMANDS, EXEC_RELOAD, 0),
	SERVICE_READ("ExecStop", READ_COMMANDS, EXEC_STOP, 0),
	SERVICE_READ("ExecStopPost", READ_COMMANDS, EXEC_STOP_POST, 0),
	SERVICE_READ("Restart", READ_ENUM, ENUM_RESTART, AT(restart)),
	SERVICE_READ("RestartSec", READ_RESTART_SEC, 0, AT(restart_ms)),
	SERVICE_READ("RestartSteps", READ_RESTART_STEPS, 0, 0),
	SERVICE_READ("RestartMaxDelaySec", READ_RESTART_MAX, 0, AT(restart_max_ms)),
	SERVICE_READ("TimeoutStartSec", READ_TIMEOUT, 0, AT(start_ms)),
	SERVICE_READ("TimeoutStopSec", READ_TIMEOUT, 0, AT(stop_ms)),
	SERVICE_READ("TimeoutSec", READ_TIMEOUTS, 0, 0),
	SERVICE_READ("TimeoutAbortSec", READ_DELAY, 0, AT(abort_ms)),
	SERVICE_READ("TimeoutStartFailureMode", READ_ENUM, ENUM_FAILURE_MODE, AT(start_failure_mode)),
	SERVICE_READ("TimeoutStopFailureMode", READ_ENUM, ENUM_FAILURE_MODE, AT(stop_failure_mode)),
	SERVICE_READ("RuntimeMaxSec", READ_DELAY, 0, AT(runtime_ms)),
	SERVICE_READ("WatchdogSec", READ_DELAY, 0, AT(watchdog_ms)),
	SERVICE_READ("ReloadSignal", READ_SIGNAL, 0, AT(reload_signal)),
	SERVICE_READ("SuccessExitStatus", READ_EXIT_STATUSES, 0, AT(success)),
	SERVICE_READ("RestartPreventExitStatus", READ_RESTART_STATUSES, 0, 0),
	SERVICE_READ("RestartForceExitStatus", READ_RESTART_STATUSES, 1, 0),
	SERVICE_READ("RemainAfterExit", READ_FLAG, BIT_REMAIN_AFTER_EXIT, 0),
	SERVICE_READ("PIDFile", READ_PID_FILE, 0, 0),
	SERVICE_READ("BusName", READ_BUS_NAME, 0, 0),
	SERVICE_READ("GuessMainPID", READ_FLAG_INVERTED, BIT_NO_GUESS, 0),
	SERVICE_READ("ExitType", READ_ENUM, ENUM_EXIT_TYPE, AT(exit_type)),
	SERVICE_READ("FileDescriptorStoreMax", READ_FD_STORE, 0, 0),
	SERVICE_READ("NonBlocking", READ_FLAG, BIT_NON_BLOCKING, 0),
	SERVICE_READ("X-NotifyFD", READ_NOTIFY_FD, 0, 0),
	SERVICE_READ("NotifyAccess", READ_ENUM, ENUM_NOTIFY_ACCESS, AT(notify_access)),
	SERVICE_READ("KillMode", READ_ENUM, ENUM_KILL_MODE, AT(kill_mode)),
	SERVICE_READ("KillSignal", READ_SIGNAL, 0, AT(kill_signal)),
	SERVICE_READ("RestartKillSignal", READ_SIGNAL, 0, AT(restart_signal)),
	SERVICE_READ("SendSIGHUP", READ_FLAG, BIT_SEND_SIGHUP, 0),
	SERVICE_READ("FinalKillSignal", READ_SIGNAL, 0, AT(final_signal)),
	SERVICE_READ("WatchdogSignal", READ_SIGNAL, 0, AT(watchdog_signal)),
	SERVICE_READ("SendSIGKILL", READ_FLAG_INVERTED, BIT_NO_SIGKILL, 0),
	/*
	 * systemd's default is `stop`. Here it is `continue`: on a machine that nobody watches, the loss of one worker
	 * must not take a whole service down unless its unit says so. The wound is recorded and shown all the same.
	 */
	SERVICE_READ("OOMPolicy", READ_ENUM, ENUM_OOM_POLICY, AT(oom_policy)),

	/* ---- honoured: systemd.exec(5) ---- */
	SERVICE_READ("OOMScoreAdjust", READ_SCORE, 0, AT(oom_score_adj)),
	SERVICE_READ("Nice", READ_NICE, 0, AT(nice)),
	SERVICE_READ("User", READ_USER, 0, 0),
	SERVICE_READ("Group", READ_GROUP, 0, 0),
	SERVICE_READ("UMask", READ_UMASK, 0, AT(umask)),
	SERVICE_READ("WorkingDirectory", READ_DIRECTORY, 0, 0),
	SERVICE_READ("Environment", READ_ENVIRONMENT, 0, 0),
	SERVICE_READ("EnvironmentFile", READ_ENVIRONMENT_FILE, 0, 0),
	SERVICE_READ("LimitNOFILE", READ_LIMIT, LIMIT_NOFILE, 0),
	SERVICE_READ("LimitNPROC", READ_LIMIT, LIMIT_NPROC, 0),
	SERVICE_READ("LimitCORE", READ_LIMIT, LIMIT_CORE, 0),
	SERVICE_READ("LimitCPU", READ_LIMIT, LIMIT_CPU, 0),
	SERVICE_READ("LimitFSIZE", READ_LIMIT, LIMIT_FSIZE, 0),
	SERVICE_READ("LimitDATA", READ_LIMIT, LIMIT_DATA, 0),
	SERVICE_READ("LimitSTACK", READ_LIMIT, LIMIT_STACK, 0),
	SERVICE_READ("LimitRSS", READ_LIMIT, LIMIT_RSS, 0),
	SERVICE_READ("LimitAS", READ_LIMIT, LIMIT_AS, 0),
	SERVICE_READ("LimitMEMLOCK", READ_LIMIT, LIMIT_MEMLOCK, 0),
	SERVICE_READ("LimitLOCKS", READ_LIMIT, LIMIT_LOCKS, 0),
	SERVICE_READ("LimitSIGPENDING", READ_LIMIT, LIMIT_SIGPENDING, 0),
	SERVICE_READ("LimitMSGQUEUE", READ_LIMIT, LIMIT_MSGQUEUE, 0),
	SERVICE_READ("LimitNICE", READ_LIMIT, LIMIT_NICE, 0),
	SERVICE_READ("LimitRTPRIO", READ_LIMIT, LIMIT_RTPRIO, 0),
	SERVICE_READ("LimitRTTIME", READ_LIMIT, LIMIT_RTTIME, 0),
	SERVICE_READ("StandardInput", READ_STDIO, 0, 0),
	SERVICE_READ("StandardOutput", READ_STDIO, 1, 0),
	SERVICE_READ("StandardError", READ_STDIO, 2, 0),
	SERVICE_READ("SyslogIdentifier", READ_IDENTIFIER, 0, 0),
	SERVICE_READ("SyslogLevel", READ_LOG_LEVEL, 0, IN_CONTEXT(log_level)),
	SERVICE_READ("SyslogLevelPrefix", READ_CONTEXT_FLAG_INVERTED, BIT_NO_LOG_PREFIX, 0),
	SERVICE_READ("LogLevelMax", READ_LOG_LEVEL, 0, IN_CONTEXT(log_level_max)),
	SERVICE_READ("LogRateLimitIntervalSec", READ_DELAY, 0, IN_CONTEXT(log_rate_ms)),
	SERVICE_READ("LogRateLimitBurst", READ_COUNT, 0, IN_CONTEXT(log_rate_burst)),
	SERVICE_READ("SupplementaryGroups", READ_GROUPS, 0, 0),
	SERVICE_READ("DynamicUser", READ_SWITCH, SWITCH_DYNAMIC_USER, 0),
	SERVICE_READ("SetLoginEnvironment", READ_SWITCH, SWITCH_LOGIN_ENVIRONMENT, 0),
	SERVICE_READ("PermissionsStartOnly", READ_SWITCH, SWITCH_START_ONLY, 0),
	SERVICE_READ("CapabilityBoundingSet", READ_CAPABILITIES, 0, IN_CONTEXT(bounding_set)),
	SERVICE_READ("AmbientCapabilities", READ_CAPABILITIES, 0, IN_CONTEXT(ambient_set)),
	SERVICE_READ("SecureBits", READ_SECURE_BITS, 0, IN_CONTEXT(secure_bits)),
	SERVICE_READ("NoNewPrivileges", READ_CONTEXT_FLAG, BIT_NO_NEW_PRIVILEGES, 0),
	SERVICE_READ("IgnoreSIGPIPE", READ_CONTEXT_FLAG_INVERTED, BIT_DEFAULT_SIGPIPE, 0),
	SERVICE_READ("PassEnvironment", READ_VARIABLES, VARIABLES_PASSED, 0),
	SERVICE_READ("UnsetEnvironment", READ_VARIABLES, VARIABLES_UNSET, 0),
	SERVICE_READ("ExecSearchPath", READ_SEARCH_PATH, 0, 0),
	SERVICE_READ("RuntimeDirectory", READ_FOLDERS, FOLDER_RUNTIME, 0),
	SERVICE_READ("RuntimeDirectoryMode", READ_FOLDER_MODE, FOLDER_RUNTIME, 0),
	SERVICE_READ("StateDirectory", READ_FOLDERS, FOLDER_STATE, 0),
	SERVICE_READ("StateDirectoryMode", READ_FOLDER_MODE, FOLDER_STATE, 0),
	SERVICE_READ("CacheDirectory", READ_FOLDERS, FOLDER_CACHE, 0),
	SERVICE_READ("CacheDirectoryMode", READ_FOLDER_MODE, FOLDER_CACHE, 0),
	SERVICE_READ("LogsDirectory", READ_FOLDERS, FOLDER_LOGS, 0),
	SERVICE_READ("LogsDirectoryMode", READ_FOLDER_MODE, FOLDER_LOGS, 0),
	SERVICE_READ("ConfigurationDirectory", READ_FOLDERS, FOLDER_CONFIGURATION, 0),
	SERVICE_READ("ConfigurationDirectoryMode", READ_FOLDER_MODE, FOLDER_CONFIGURATION, 0),
	SERVICE_READ("RuntimeDirectoryPreserve", READ_PRESERVE, 0, IN_CONTEXT(runtime_preserve)),
	SERVICE_READ("CPUSchedulingPolicy", READ_ENUM, ENUM_SCHEDULING, IN_CONTEXT(scheduling)),
	SERVICE_READ("CPUSchedulingPriority", READ_BYTE, 99, IN_CONTEXT(priority)),
	SERVICE_READ("CPUSchedulingResetOnFork", READ_CONTEXT_FLAG, BIT_RESET_ON_FORK, 0),
	SERVICE_READ("CPUAffinity", READ_MASK, MASK_CPUS, 0),
	SERVICE_READ("NUMAPolicy", READ_ENUM, ENUM_NUMA_POLICY, IN_CONTEXT(numa_policy)),
	SERVICE_READ("NUMAMask", READ_MASK, MASK_NODES, 0),
	SERVICE_READ("IOSchedulingClass", READ_IO_CLASS, 0, IN_CONTEXT(io_class)),
	SERVICE_READ("IOSchedulingPriority", READ_IO_PRIORITY, 0, IN_CONTEXT(io_priority)),
	SERVICE_READ("TimerSlackNSec", READ_TIMER_SLACK, 0, IN_CONTEXT(timer_slack_ns)),
	SERVICE_READ("Personality", READ_PERSONALITY, 0, IN_CONTEXT(personality)),
	SERVICE_READ("CoredumpFilter", READ_COREDUMP_FILTER, 0, IN_CONTEXT(coredump_filter)),
	SERVICE_READ("KeyringMode", READ_ENUM, ENUM_KEYRING_MODE, IN_CONTEXT(keyring_mode)),
	SERVICE_READ("StandardInputText", READ_INPUT_TEXT, 0, 0),
	SERVICE_READ("StandardInputData", READ_INPUT_DATA, 0, 0),
	SERVICE_READ("TTYPath", READ_TTY, 0, 0),
	SERVICE_READ("TTYReset", READ_CONTEXT_FLAG, BIT_TTY_RESET, 0),
	SERVICE_READ("TTYVHangup", READ_CONTEXT_FLAG, BIT_TTY_HANGUP, 0),
	SERVICE_READ("TTYVTDisallocate", READ_CONTEXT_FLAG, BIT_TTY_DISALLOCATE, 0),
	SERVICE_READ("TTYRows", READ_TTY_SIZE, 0, IN_CONTEXT(tty_rows)),
	SERVICE_READ("TTYColumns", READ_TTY_SIZE, 0, IN_CONTEXT(tty_columns)),
	SERVICE_READ("LoadCredential", READ_LOAD_CREDENTIAL, 0, 0),
	SERVICE_READ("SetCredential", READ_SET_CREDENTIAL, 0, 0),

	/* ---- honoured: systemd.resource-control(5) ---- */
	SERVICE_READ("MemoryMin", READ_MEMORY, KNOB_MEMORY_MIN, 0),
	SERVICE_READ("MemoryLow", READ_MEMORY, KNOB_MEMORY_LOW, 0),
	SERVICE_READ("MemoryHigh", READ_MEMORY, KNOB_MEMORY_HIGH, 0),
	SERVICE_READ("MemoryMax", READ_MEMORY, KNOB_MEMORY_MAX, 0),
	SERVICE_READ("MemorySwapMax", READ_MEMORY, KNOB_MEMORY_SWAP_MAX, 0),
	SERVICE_READ("TasksMax", READ_TASKS, KNOB_PIDS_MAX, 0),
	SERVICE_READ("CPUWeight", READ_WEIGHT, KNOB_CPU_WEIGHT, 0),
	SERVICE_READ("CPUQuota", READ_QUOTA, 0, 0),
	SERVICE_READ("CPUQuotaPeriodSec", READ_QUOTA_PERIOD, 0, AT(cpu_period_us)),

	/* ---- honoured under the names and in the sections of older systemds: shipped units still use them ---- */
	UNIT_READ("BindTo", READ_UNITS, LINK_BINDS_TO, 0),
	UNIT_READ("RequiresOverridable", READ_UNITS, LINK_REQUIRES, 0),
	UNIT_READ("RequisiteOverridable", READ_UNITS, LINK_REQUISITE, 0),
	UNIT_READ("PropagateReloadTo", READ_UNITS, LINK_RELOADS_TO, 0),
	UNIT_READ("PropagateReloadFrom", READ_UNITS, LINK_RELOADED_FROM, 0),
	UNIT_READ("StartLimitInterval", READ_START_LIMIT, 0, AT(start_limit_ms)),
	SERVICE_READ("StartLimitInterval", READ_START_LIMIT, 0, AT(start_limit_ms)),
	SERVICE_READ("StartLimitIntervalSec", READ_START_LIMIT, 0, AT(start_limit_ms)),
	SERVICE_READ("StartLimitBurst", READ_START_BURST, 0, AT(start_limit_burst)),
	SERVICE_READ("StartLimitAction", READ_ACTION, 0, AT(start_limit_action)),
	SERVICE_READ("FailureAction", READ_ACTION, 0, AT(failure_action)),
	SERVICE_READ("MemoryLimit", READ_MEMORY, KNOB_MEMORY_MAX, 0),

	/* ---- nothing is lost without them ---- */
	PASS(SECTION_UNIT, "Documentation"), PASS(SECTION_UNIT, "SourcePath"),
	PASS(SECTION_UNIT, "AllowIsolate"), PASS(SECTION_UNIT, "IgnoreOnIsolate"), PASS(SECTION_UNIT, "CollectMode"),
	PASS(SECTION_SERVICE, "RestartMode"),           /* a service that will be started again is never `failed` on the way */
	/* A cgroup of version 2 counts all of this as soon as its controllers are on, and here they are. */
	PASS(SECTION_SERVICE, "CPUAccounting"), PASS(SECTION_SERVICE, "MemoryAccounting"),
	PASS(SECTION_SERVICE, "TasksAccounting"), PASS(SECTION_SERVICE, "IOAccounting"),
	PASS(SECTION_SERVICE, "BlockIOAccounting"), PASS(SECTION_SERVICE, "IPAccounting"),
	/* Exceptions from a sandbox that is not there. */
	PASS_PATHS("ReadWritePaths"), PASS_PATHS("ReadWriteDirectories"), PASS_PATHS("ExecPaths"),
	PASS(SECTION_SERVICE, "SystemCallErrorNumber"), PASS(SECTION_SERVICE, "MountAPIVFS"),
	PASS(SECTION_SERVICE, "IPAddressAllow"), PASS(SECTION_SERVICE, "SocketBindAllow"),
	PASS(SECTION_SERVICE, "SyslogFacility"),        /* a line is found by its unit; all that is forwarded is of `daemon` */
	/* A file in services.d is wanted by being there. */
	PASS(SECTION_INSTALL, "WantedBy"), PASS(SECTION_INSTALL, "RequiredBy"),
	PASS(SECTION_INSTALL, "UpheldBy"), PASS(SECTION_INSTALL, "Also"), PASS(SECTION_INSTALL, "DefaultInstance"),

	/* ---- not enforced: the sandbox of systemd.exec(5), and the filters of systemd.resource-control(5) ---- */
	RISK("ProtectSystem", "write to /usr, /boot and /etc"),
	RISK("ProtectHome", "read and write in /home, /root and /run/user"),
	RISK_PATHS("ReadOnlyPaths", "write to these paths"),
	RISK_PATHS("ReadOnlyDirectories", "write to these paths"),
	RISK_PATHS("InaccessiblePaths", "use these paths"),
	RISK_PATHS("InaccessibleDirectories", "use these paths"),
	RISK_PATHS("NoExecPaths", "run programs from these paths"),
	RISK("TemporaryFileSystem", "see what these folders really hold"),
	RISK("PrivateTmp", "see and change what others have in /tmp and /var/tmp"),
	RISK("PrivateDevices", "open every device that its user may"),
	RISK("PrivateNetwork", "use the network"),
	RISK("NetworkNamespacePath", "use the machine's network"),
	RISK("PrivateIPC", "reach the shared memory and queues of others"),
	RISK("IPCNamespacePath", "reach the shared memory and queues of others"),
	RISK("PrivatePIDs", "see and signal the processes of others"),
	RISK("PrivateUsers", "act as the users that it is given on the machine itself"),
	RISK("PrivateBPF", "use bpf(2)"),
	RISK("PrivateMounts", "mount and unmount for everybody"),
	RISK("MountFlags", "mount and unmount for everybody"),
	RISK("ProtectHostname", "change the host name"),
	RISK("ProtectClock", "set the clock"),
	RISK("ProtectKernelTunables", "write to /proc/sys and /sys"),
	RISK("ProtectKernelModules", "load kernel modules"),
	RISK("ProtectKernelLogs", "read and clear the kernel log"),
	RISK("ProtectControlGroups", "write to the cgroups of others"),
	RISK("ProtectProc", "see the processes of others in /proc"),
	RISK("ProcSubset", "see all of /proc"),
	RISK("RestrictAddressFamilies", "open sockets of every family"),
	RISK("RestrictFileSystems", "use file systems of every type"),
	RISK("RestrictNamespaces", "make namespaces"),
	RISK("LockPersonality", "change its personality(2)"),
	RISK("MemoryDenyWriteExecute", "make memory both writable and executable"),
	RISK("RestrictRealtime", "take real-time priorities"),
	RISK("RestrictSUIDSGID", "make set-user-ID files"),
	RISK("RemoveIPC", "leave shared memory and queues behind"),
	RISK("SystemCallFilter", "make every system call"),
	RISK("SystemCallArchitectures", "make system calls of other architectures"),
	RISK("SystemCallLog", "make these system calls unlogged"),
	RISK("RootDirectory", "see the whole file system"),
	RISK("RootImage", "see the whole file system"),
	RISK("RootHash", "run from an image that nobody verified"),
	RISK("RootHashSignature", "run from an image that nobody verified"),
	RISK("RootVerity", "run from an image that nobody verified"),
	RISK("SELinuxContext", "do what its domain would forbid"),
	RISK("AppArmorProfile", "do what its profile would forbid"),
	RISK("SmackProcessLabel", "do what its label would forbid"),
	RISK("IPAddressDeny", "talk to every address"),
	RISK("SocketBindDeny", "bind to every port"),
	RISK("RestrictNetworkInterfaces", "use every network interface"),
	RISK("DevicePolicy", "open every device that its user may"),
	RISK("DeviceAllow", "open every device that its user may"),
	RISK("IPIngressFilterPath", "talk to every address"),
	RISK("IPEgressFilterPath", "talk to every address"),

	/* ---- not yet: systemd.unit(5) ---- */
	/* dependencies */
	UNIT_LATER("JoinsNamespaceOf"),
	/* jobs and actions */
	UNIT_LATER("OnFailureJobMode"), UNIT_LATER("OnSuccessJobMode"), UNIT_LATER("OnFailureIsolate"),
	UNIT_LATER("SurviveFinalKillSignal"), UNIT_LATER("JobTimeoutSec"), UNIT_LATER("JobRunningTimeoutSec"),
	UNIT_LATER("JobTimeoutAction"), UNIT_LATER("JobTimeoutRebootArgument"), 
	UNIT_LATER("FailureActionExitStatus"),
	UNIT_LATER("SuccessActionExitStatus"), UNIT_LATER("RebootArgument"),
	/* conditions and assertions */
	UNIT_LATER("ConditionPathIsEncrypted"), UNIT_LATER("ConditionVersion"), UNIT_LATER("ConditionMemoryPressure"),
	UNIT_LATER("ConditionCPUPressure"), UNIT_LATER("ConditionIOPressure"), UNIT_LATER("AssertPathIsEncrypted"),
	UNIT_LATER("AssertVersion"), UNIT_LATER("AssertMemoryPressure"), UNIT_LATER("AssertCPUPressure"),
	UNIT_LATER("AssertIOPressure"),

	/* ---- not yet: [Service] ---- */
	/* systemd.service(5) */
	SERVICE_LATER("ExecReloadPost"),
	SERVICE_LATER("RuntimeRandomizedExtraSec"), SERVICE_LATER("RootDirectoryStartOnly"),
	SERVICE_LATER("Sockets"),
	SERVICE_LATER("FileDescriptorStorePreserve"),
	SERVICE_LATER("USBFunctionDescriptors"), SERVICE_LATER("USBFunctionStrings"), SERVICE_LATER("OpenFile"),
	SERVICE_LATER("RefreshOnReload"), SERVICE_LATER("RebootArgument"),
	/* systemd.exec(5): paths */
	SERVICE_LATER("RootImageOptions"), SERVICE_LATER("RootImagePolicy"),
	SERVICE_LATER("RootEphemeral"),
	SERVICE_LATER("RootMStack"), SERVICE_LATER("MountImages"),
	SERVICE_LATER("MountImagePolicy"), SERVICE_LATER("ExtensionImages"), SERVICE_LATER("ExtensionImagePolicy"),
	SERVICE_LATER("ExtensionDirectories"), SERVICE_LATER("BindLogSockets"),
	SERVICE_LATER("BindPaths"), SERVICE_LATER("BindReadOnlyPaths"),
	/* systemd.exec(5): identity and capabilities */
	SERVICE_LATER("PAMName"), SERVICE_LATER("UserNamespacePath"),
	/* systemd.exec(5): process properties */
	SERVICE_LATER("MemoryKSM"), SERVICE_LATER("MemoryTHP"),
	/* systemd.exec(5): scheduling */
	/* systemd.exec(5): sandboxing */
	SERVICE_LATER("StateDirectoryQuota"),
	SERVICE_LATER("CacheDirectoryQuota"), SERVICE_LATER("LogsDirectoryQuota"),
	SERVICE_LATER("StateDirectoryAccounting"), SERVICE_LATER("CacheDirectoryAccounting"),
	SERVICE_LATER("LogsDirectoryAccounting"), SERVICE_LATER("TimeoutCleanSec"),
	SERVICE_LATER("DelegateNamespaces"),
	SERVICE_LATER("BPFDelegateCommands"),
	SERVICE_LATER("BPFDelegateMaps"), SERVICE_LATER("BPFDelegatePrograms"),
	SERVICE_LATER("BPFDelegateAttachments"),
	/* systemd.exec(5): environment */
	/* systemd.exec(5): logging and terminals */
	SERVICE_LATER("LogExtraFields"), SERVICE_LATER("LogFilterPatterns"), SERVICE_LATER("LogNamespace"),
	/* systemd.exec(5): credentials and utmp */
	SERVICE_LATER("LoadCredentialEncrypted"),
	SERVICE_LATER("ImportCredential"), SERVICE_LATER("SetCredentialEncrypted"),
	SERVICE_LATER("UtmpIdentifier"), SERVICE_LATER("UtmpMode"),
	/* systemd.resource-control(5): CPU */
	SERVICE_LATER("StartupCPUWeight"), SERVICE_LATER("AllowedCPUs"), SERVICE_LATER("StartupAllowedCPUs"),
	SERVICE_LATER("CPUShares"), SERVICE_LATER("StartupCPUShares"),
	/* systemd.resource-control(5): memory */
	SERVICE_LATER("DefaultMemoryMin"), SERVICE_LATER("DefaultMemoryLow"),
	SERVICE_LATER("DefaultStartupMemoryLow"), SERVICE_LATER("StartupMemoryMin"),
	SERVICE_LATER("StartupMemoryLow"), SERVICE_LATER("StartupMemoryHigh"), SERVICE_LATER("StartupMemoryMax"),
	SERVICE_LATER("StartupMemorySwapMax"), SERVICE_LATER("MemoryZSwapMax"),
	SERVICE_LATER("StartupMemoryZSwapMax"), SERVICE_LATER("MemoryZSwapWriteback"),
	SERVICE_LATER("AllowedMemoryNodes"), SERVICE_LATER("StartupAllowedMemoryNodes"),
	SERVICE_LATER("MemoryPressureWatch"), SERVICE_LATER("MemoryPressureThresholdSec"),
	SERVICE_LATER("CPUPressureWatch"), SERVICE_LATER("CPUPressureThresholdSec"),
	SERVICE_LATER("IOPressureWatch"), SERVICE_LATER("IOPressureThresholdSec"), SERVICE_LATER("ManagedOOMSwap"),
	SERVICE_LATER("ManagedOOMMemoryPressure"), SERVICE_LATER("ManagedOOMMemoryPressureLimit"),
	SERVICE_LATER("ManagedOOMMemoryPressureDurationSec"), SERVICE_LATER("ManagedOOMPreference"),
	/* systemd.resource-control(5): IO */
	SERVICE_LATER("IOWeight"), SERVICE_LATER("StartupIOWeight"), SERVICE_LATER("IODeviceWeight"),
	SERVICE_LATER("IOReadBandwidthMax"), SERVICE_LATER("IOWriteBandwidthMax"), SERVICE_LATER("IOReadIOPSMax"),
	SERVICE_LATER("IOWriteIOPSMax"), SERVICE_LATER("IODeviceLatencyTargetSec"), SERVICE_LATER("BlockIOWeight"),
	SERVICE_LATER("StartupBlockIOWeight"), SERVICE_LATER("BlockIODeviceWeight"),
	SERVICE_LATER("BlockIOReadBandwidth"), SERVICE_LATER("BlockIOWriteBandwidth"),
	/* systemd.resource-control(5): network, devices, control */
	SERVICE_LATER("BindNetworkInterface"), SERVICE_LATER("NFTSet"),
	SERVICE_LATER("BPFProgram"),
	SERVICE_LATER("Slice"), SERVICE_LATER("Delegate"),
	SERVICE_LATER("DelegateSubgroup"), SERVICE_LATER("DisableControllers"), SERVICE_LATER("CoredumpReceive"),
	/* systemd.timer(5) */
	TIMER_LATER("OnCalendar", READ_CALENDAR),
	TIMER_LATER("OnActiveSec", READ_SPAN), TIMER_LATER("OnBootSec", READ_SPAN), TIMER_LATER("OnStartupSec", READ_SPAN),
	TIMER_LATER("OnUnitActiveSec", READ_SPAN), TIMER_LATER("OnUnitInactiveSec", READ_SPAN), TIMER_LATER("AccuracySec", READ_SPAN),
	TIMER_LATER("RandomizedDelaySec", READ_SPAN), TIMER_LATER("RandomizedOffsetSec", READ_SPAN),
	TIMER_LATER("FixedRandomDelay", READ_BOOLEAN), TIMER_LATER("Persistent", READ_BOOLEAN), TIMER_LATER("WakeSystem", READ_BOOLEAN),
	TIMER_LATER("OnClockChange", READ_BOOLEAN), TIMER_LATER("OnTimezoneChange", READ_BOOLEAN),
	TIMER_LATER("RemainAfterElapse", READ_BOOLEAN), TIMER_LATER("DeferReactivation", READ_BOOLEAN), TIMER_LATER("Unit", READ_NOTHING),
};
const size_t n_directives = countof(directives);

int section_find(struct str name)
{
	return name_find(section_names, N_SECTION, name);
}

const struct directive *directive_find(enum section section, struct str key)
{
	for (size_t i = 0; i < n_directives; i++)
		if (directives[i].section == section && str_eq(directives[i].key, key))
			return &directives[i];
	return NULL;
}

const struct directive *directive_nearest(enum section section, struct str key)
{
	const struct directive *nearest = NULL;
	unsigned best = key.n < 6 ? 2 : 3;      /* one slip in a short name, two in a long one */

	for (size_t i = 0; i < n_directives; i++) {
		const struct directive *row = &directives[i];
		if (str_eq(row->key, key))
			return row;
		unsigned distance = row->section == section ? str_distance(row->key, key) : 255;
		if (distance < best) {
			best = distance;
			nearest = row;
		}
	}
	return nearest;
}

static const char *const expected[N_READING] = {
	[READ_NOTHING] = "nothing",
	[READ_TEXT] = "a text",
	[READ_UNITS] = "names of units with their suffix, such as web.service, separated by blanks",
	[READ_ALIASES] = "names of the same type, such as web.service, separated by blanks",
	[READ_MOUNTS] = "absolute paths, separated by blanks",
	[READ_COMMANDS] = "a program (absolute, or a bare name) and its arguments",
	[READ_TYPE] = "simple, exec, oneshot, notify, notify-reload, forking, idle or dbus",
	[READ_FLAG] = "yes or no",
	[READ_FLAG_INVERTED] = "yes or no",
	[READ_DELAY] = "a time such as 5s, 200ms or 2min 30s",
	[READ_TIMEOUT] = "a time such as 5s, 2min or infinity",
	[READ_TIMEOUTS] = "a time such as 5s, 2min or infinity",
	[READ_RESTART_SEC] = "a time such as 5s, 200ms or 2min 30s",
	[READ_RESTART_STEPS] = "a number",
	[READ_RESTART_MAX] = "a time such as 30s or 5min",
	[READ_START_LIMIT] = "a time such as 10s or 5min; 0 for no limit",
	[READ_START_BURST] = "a number",
	[READ_SIGNAL] = "a signal such as SIGTERM, INT or RTMIN+3",
	[READ_RESTART_STATUSES] = "statuses from 0 to 255, their names, or signals",
	[READ_EXIT_STATUSES] = "statuses from 0 to 255, their names, or signals",
	[READ_MEMORY] = "a size such as 512M or 1.5G, a share such as 50%, or infinity",
	[READ_TASKS] = "a number above 0, a share such as 50%, or infinity",
	[READ_WEIGHT] = "a number from 1 to 10000",
	[READ_QUOTA] = "a share of one processor such as 20%, above 100% for more than one",
	[READ_QUOTA_PERIOD] = "a time from 1ms to 1s",
	[READ_LIMIT] = "VALUE or SOFT:HARD; infinity for none",
	[READ_SCORE] = "a number from -1000 to 1000",
	[READ_NICE] = "a number from -20 to 19",
	[READ_UMASK] = "an octal mode from 0000 to 0777",
	[READ_USER] = "a user's name or number",
	[READ_GROUP] = "a group's name or number",
	[READ_ACTION] = "none, reboot, poweroff, halt or exit",
	[READ_FD_STORE] = "a number; 512 is the most",
	[READ_NOTIFY_FD] = "a number from 3 to 255",
	[READ_BUS_NAME] = "a D-Bus name such as org.example.Name",
	[READ_PID_FILE] = "a path, absolute or below /run",
	[READ_DIRECTORY] = "an absolute path, or ~",
	[READ_ENVIRONMENT] = "NAME=VALUE words, in quotes where they contain blanks",
	[READ_ENVIRONMENT_FILE] = "an absolute path, with - in front if it may be missing",
	[READ_CONTEXT_FLAG] = "yes or no",
	[READ_CONTEXT_FLAG_INVERTED] = "yes or no",
	[READ_SWITCH] = "yes or no",
	[READ_GROUPS] = "groups' names or numbers",
	[READ_CAPABILITIES] = "capabilities such as CAP_NET_RAW, with ~ in front for all but these",
	[READ_SECURE_BITS] = "keep-caps, no-setuid-fixup, noroot, or one of them with -locked",
	[READ_VARIABLES] = "names of variables",
	[READ_SEARCH_PATH] = "absolute paths with colons between",
	[READ_SANDBOX_PATHS] = "absolute paths, perhaps with - or + in front",
	[READ_FOLDERS] = "relative paths without .., such as db or db/data",
	[READ_FOLDER_MODE] = "an octal mode from 0000 to 7777",
	[READ_PRESERVE] = "no, yes or restart",
	[READ_BYTE] = "a number from 0 to 99",
	[READ_IO_CLASS] = "none, realtime, best-effort or idle",
	[READ_IO_PRIORITY] = "a number from 0 to 7",
	[READ_MASK] = "numbers and ranges from 0 to 1023, such as 0-3 8",
	[READ_TIMER_SLACK] = "a time such as 50us; in nanoseconds without a unit",
	[READ_PERSONALITY] = "x86-64, x86, arm64 or arm, as far as this machine is one",
	[READ_COREDUMP_FILTER] = "names of kinds of memory as in core(5), a hexadecimal mask, default or all",
	[READ_TTY] = "an absolute path",
	[READ_TTY_SIZE] = "a number from 0 to 65535",
	[READ_INPUT_TEXT] = "a text, with escapes as in C",
	[READ_INPUT_DATA] = "data in Base64",
	[READ_LOAD_CREDENTIAL] = "NAME:PATH, or a NAME to be looked for in the credential stores",
	[READ_SET_CREDENTIAL] = "NAME:VALUE, with escapes as in C",
	[READ_CALENDAR] = CALENDAR_EXPECTED,
	[READ_SPAN] = "a time such as 5s, 15min or 1d",
	[READ_BOOLEAN] = "yes or no",
	[READ_IDENTIFIER] = "a text of at most 255 bytes",
	[READ_LOG_LEVEL] = "emerg, alert, crit, err, warning, notice, info or debug, or 0 to 7",
	[READ_COUNT] = "a number",
	[READ_STDIO] = ("null, inherit, tty, file:PATH, append:PATH or truncate:PATH; input also data, tty-force, tty-fail, "
			"output also journal, kmsg, journal+console, kmsg+console"),
};

static const char *const expected_names[N_ENUMERATION] = {
	[ENUM_RESTART] = "no, on-success, on-failure, on-abnormal, on-watchdog, on-abort or always",
	[ENUM_KILL_MODE] = "control-group, mixed, process or none",
	[ENUM_OOM_POLICY] = "continue, stop or kill",
	[ENUM_EXIT_TYPE] = "main or cgroup",
	[ENUM_FAILURE_MODE] = "terminate, abort or kill",
	[ENUM_NOTIFY_ACCESS] = "none, main, exec or all",
	[ENUM_SCHEDULING] = "other, batch, idle, fifo or rr",
	[ENUM_NUMA_POLICY] = "default, preferred, bind, interleave or local",
	[ENUM_KEYRING_MODE] = "inherit, private or shared",
};

const char *directive_expects(const struct directive *row)
{
	static const char *const arguments[N_CONDITION_ARGUMENT] = {
		[ARGUMENT_PATH] = "an absolute path, perhaps with | or ! in front",
		[ARGUMENT_BOOLEAN] = "yes or no, perhaps with | or ! in front",
		[ARGUMENT_TEXT] = "a text, perhaps with | or ! in front",
	};
	if (row->reading == READ_CONDITION)
		return arguments[condition_info[row->which].argument];
	return row->reading == READ_ENUM ? expected_names[row->which] : expected[row->reading];
}
