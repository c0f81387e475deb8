#include "directives.h"
#include "condition.h"
#include "names.h"

#include <stddef.h>

const char *const section_names[N_SECTION] = {
	[SECTION_UNIT] = "Unit", [SECTION_SERVICE] = "Service", [SECTION_INSTALL] = "Install",
};

const struct enumeration_names enumerations[N_ENUMERATION] = {
	[ENUM_RESTART] = { restart_names, N_RESTART_POLICY },
	[ENUM_KILL_MODE] = { kill_mode_names, N_KILL_MODE },
	[ENUM_OOM_POLICY] = { oom_policy_names, N_OOM_POLICY },
	[ENUM_NOTIFY_ACCESS] = { notify_access_names, N_NOTIFY_ACCESS },
};

/* Numbers of the bits in enum unit_flags: a row has a byte for `which`. */
enum { BIT_REMAIN_AFTER_EXIT = 2, BIT_NO_SIGKILL = 3, BIT_REFUSE_START = 24, BIT_REFUSE_STOP = 25, BIT_STOP_UNNEEDED = 26 };
_Static_assert(1 << BIT_REMAIN_AFTER_EXIT == UNIT_REMAIN_AFTER_EXIT && 1 << BIT_NO_SIGKILL == UNIT_NO_SIGKILL &&
	       1 << BIT_REFUSE_START == UNIT_REFUSE_START && 1 << BIT_REFUSE_STOP == UNIT_REFUSE_STOP &&
	       1 << BIT_STOP_UNNEEDED == UNIT_STOP_UNNEEDED, "the bits of the flags have moved");

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

#define KEY(name) .key = { name, sizeof(name) - 1 }
#define AT(member) .at = offsetof(struct unit, member)
#define UNIT_READ(name, how, ...) { KEY(name), SECTION_UNIT, HONOURED, how, __VA_ARGS__ }
#define SERVICE_READ(name, how, ...) { KEY(name), SECTION_SERVICE, HONOURED, how, __VA_ARGS__ }
#define CONDITION_READ(name, kind) UNIT_READ("Condition" name, READ_CONDITION, kind, 0), UNIT_READ("Assert" name, READ_CONDITION, kind, 0)
#define UNIT_LATER(name) { KEY(name), SECTION_UNIT, NOT_YET, READ_NOTHING, 0, 0 }
#define SERVICE_LATER(name) { KEY(name), SECTION_SERVICE, NOT_YET, READ_NOTHING, 0, 0 }
#define PASS(in, name) { KEY(name), in, HARMLESS, READ_NOTHING, 0, 0 }

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
	UNIT_READ("DefaultDependencies", READ_DEFAULTS, 0, 0),
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

	/* ---- honoured: systemd.service(5), systemd.kill(5) ---- */
	SERVICE_READ("Type", READ_TYPE, 0, AT(type)),
	SERVICE_READ("ExecStart", READ_COMMANDS, EXEC_START, 0),
	SERVICE_READ("ExecStartPre", READ_COMMANDS, EXEC_START_PRE, 0),
	SERVICE_READ("ExecStartPost", READ_COMMANDS, EXEC_START_POST, 0),
	SERVICE_READ("ExecReload", READ_COMMANDS, EXEC_RELOAD, 0),
	SERVICE_READ("ExecStop", READ_COMMANDS, EXEC_STOP, 0),
	SERVICE_READ("Restart", READ_ENUM, ENUM_RESTART, AT(restart)),
	SERVICE_READ("RestartSec", READ_RESTART_SEC, 0, AT(restart_ms)),
	SERVICE_READ("RestartSteps", READ_RESTART_STEPS, 0, 0),
	SERVICE_READ("RestartMaxDelaySec", READ_RESTART_MAX, 0, AT(restart_max_ms)),
	SERVICE_READ("TimeoutStartSec", READ_TIMEOUT, 0, AT(start_ms)),
	SERVICE_READ("TimeoutStopSec", READ_TIMEOUT, 0, AT(stop_ms)),
	SERVICE_READ("TimeoutSec", READ_TIMEOUTS, 0, 0),
	SERVICE_READ("SuccessExitStatus", READ_EXIT_STATUSES, 0, AT(success)),
	SERVICE_READ("RemainAfterExit", READ_FLAG, BIT_REMAIN_AFTER_EXIT, 0),
	SERVICE_READ("NotifyAccess", READ_ENUM, ENUM_NOTIFY_ACCESS, AT(notify_access)),
	SERVICE_READ("KillMode", READ_ENUM, ENUM_KILL_MODE, AT(kill_mode)),
	SERVICE_READ("KillSignal", READ_SIGNAL, 0, AT(kill_signal)),
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
	SERVICE_READ("StandardInput", READ_STDIO, 0, 0),
	SERVICE_READ("StandardOutput", READ_STDIO, 1, 0),
	SERVICE_READ("StandardError", READ_STDIO, 2, 0),

	/* ---- honoured: systemd.resource-control(5) ---- */
	SERVICE_READ("MemoryMin", READ_MEMORY, KNOB_MEMORY_MIN, 0),
	SERVICE_READ("MemoryLow", READ_MEMORY, KNOB_MEMORY_LOW, 0),
	SERVICE_READ("MemoryHigh", READ_MEMORY, KNOB_MEMORY_HIGH, 0),
	SERVICE_READ("MemoryMax", READ_MEMORY, KNOB_MEMORY_MAX, 0),
	SERVICE_READ("MemorySwapMax", READ_MEMORY, KNOB_MEMORY_SWAP_MAX, 0),
	SERVICE_READ("TasksMax", READ_TASKS, KNOB_PIDS_MAX, 0),
	SERVICE_READ("CPUWeight", READ_WEIGHT, KNOB_CPU_WEIGHT, 0),

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
	SERVICE_READ("MemoryLimit", READ_MEMORY, KNOB_MEMORY_MAX, 0),

	/* ---- nothing is lost without them ---- */
	PASS(SECTION_UNIT, "Documentation"), PASS(SECTION_UNIT, "SourcePath"),
	PASS(SECTION_UNIT, "AllowIsolate"), PASS(SECTION_UNIT, "IgnoreOnIsolate"), PASS(SECTION_UNIT, "CollectMode"),
	/* A cgroup of version 2 counts all of this as soon as its controllers are on, and here they are. */
	PASS(SECTION_SERVICE, "CPUAccounting"), PASS(SECTION_SERVICE, "MemoryAccounting"),
	PASS(SECTION_SERVICE, "TasksAccounting"), PASS(SECTION_SERVICE, "IOAccounting"),
	PASS(SECTION_SERVICE, "BlockIOAccounting"), PASS(SECTION_SERVICE, "IPAccounting"),
	/* A file in services.d is wanted by being there. */
	PASS(SECTION_INSTALL, "Alias"), PASS(SECTION_INSTALL, "WantedBy"), PASS(SECTION_INSTALL, "RequiredBy"),
	PASS(SECTION_INSTALL, "UpheldBy"), PASS(SECTION_INSTALL, "Also"), PASS(SECTION_INSTALL, "DefaultInstance"),

	/* ---- not yet: systemd.unit(5) ---- */
	/* dependencies */
	UNIT_LATER("JoinsNamespaceOf"),
	/* jobs and actions */
	UNIT_LATER("OnFailureJobMode"), UNIT_LATER("OnSuccessJobMode"), UNIT_LATER("OnFailureIsolate"),
	UNIT_LATER("SurviveFinalKillSignal"), UNIT_LATER("JobTimeoutSec"), UNIT_LATER("JobRunningTimeoutSec"),
	UNIT_LATER("JobTimeoutAction"), UNIT_LATER("JobTimeoutRebootArgument"), UNIT_LATER("StartLimitAction"),
	UNIT_LATER("FailureAction"), UNIT_LATER("SuccessAction"), UNIT_LATER("FailureActionExitStatus"),
	UNIT_LATER("SuccessActionExitStatus"), UNIT_LATER("RebootArgument"),
	/* conditions and assertions */
	UNIT_LATER("ConditionPathIsEncrypted"), UNIT_LATER("ConditionVersion"), UNIT_LATER("ConditionMemoryPressure"),
	UNIT_LATER("ConditionCPUPressure"), UNIT_LATER("ConditionIOPressure"), UNIT_LATER("AssertPathIsEncrypted"),
	UNIT_LATER("AssertVersion"), UNIT_LATER("AssertMemoryPressure"), UNIT_LATER("AssertCPUPressure"),
	UNIT_LATER("AssertIOPressure"),

	/* ---- not yet: [Service] ---- */
	/* systemd.service(5) */
	SERVICE_LATER("ExecCondition"), SERVICE_LATER("ExecStopPost"), SERVICE_LATER("ExecReloadPost"),
	SERVICE_LATER("PIDFile"), SERVICE_LATER("BusName"), SERVICE_LATER("ExitType"),
	SERVICE_LATER("GuessMainPID"), SERVICE_LATER("TimeoutAbortSec"), SERVICE_LATER("TimeoutStartFailureMode"),
	SERVICE_LATER("TimeoutStopFailureMode"), SERVICE_LATER("RuntimeMaxSec"),
	SERVICE_LATER("RuntimeRandomizedExtraSec"), SERVICE_LATER("WatchdogSec"), SERVICE_LATER("RestartMode"),
	SERVICE_LATER("RestartPreventExitStatus"), SERVICE_LATER("RestartForceExitStatus"),
	SERVICE_LATER("RestartKillSignal"), SERVICE_LATER("RootDirectoryStartOnly"),
	SERVICE_LATER("PermissionsStartOnly"), SERVICE_LATER("NonBlocking"), SERVICE_LATER("Sockets"),
	SERVICE_LATER("FileDescriptorStoreMax"), SERVICE_LATER("FileDescriptorStorePreserve"),
	SERVICE_LATER("USBFunctionDescriptors"), SERVICE_LATER("USBFunctionStrings"), SERVICE_LATER("OpenFile"),
	SERVICE_LATER("ReloadSignal"), SERVICE_LATER("RefreshOnReload"), SERVICE_LATER("StartLimitAction"),
	SERVICE_LATER("FailureAction"), SERVICE_LATER("RebootArgument"),
	/* systemd.kill(5) */
	SERVICE_LATER("SendSIGHUP"), SERVICE_LATER("FinalKillSignal"), SERVICE_LATER("WatchdogSignal"),
	/* systemd.exec(5): paths */
	SERVICE_LATER("ExecSearchPath"), SERVICE_LATER("RootDirectory"), SERVICE_LATER("RootImage"),
	SERVICE_LATER("RootImageOptions"), SERVICE_LATER("RootImagePolicy"), SERVICE_LATER("RootHash"),
	SERVICE_LATER("RootHashSignature"), SERVICE_LATER("RootVerity"), SERVICE_LATER("RootEphemeral"),
	SERVICE_LATER("RootMStack"), SERVICE_LATER("MountAPIVFS"), SERVICE_LATER("MountImages"),
	SERVICE_LATER("MountImagePolicy"), SERVICE_LATER("ExtensionImages"), SERVICE_LATER("ExtensionImagePolicy"),
	SERVICE_LATER("ExtensionDirectories"), SERVICE_LATER("BindLogSockets"), SERVICE_LATER("ProtectProc"),
	SERVICE_LATER("ProcSubset"), SERVICE_LATER("BindPaths"), SERVICE_LATER("BindReadOnlyPaths"),
	/* systemd.exec(5): identity and capabilities */
	SERVICE_LATER("DynamicUser"), SERVICE_LATER("SupplementaryGroups"), SERVICE_LATER("SetLoginEnvironment"),
	SERVICE_LATER("PAMName"), SERVICE_LATER("CapabilityBoundingSet"), SERVICE_LATER("AmbientCapabilities"),
	SERVICE_LATER("NoNewPrivileges"), SERVICE_LATER("SecureBits"), SERVICE_LATER("UserNamespacePath"),
	/* systemd.exec(5): mandatory access control */
	SERVICE_LATER("SELinuxContext"), SERVICE_LATER("AppArmorProfile"), SERVICE_LATER("SmackProcessLabel"),
	/* systemd.exec(5): process properties */
	SERVICE_LATER("LimitCPU"), SERVICE_LATER("LimitFSIZE"), SERVICE_LATER("LimitDATA"),
	SERVICE_LATER("LimitSTACK"), SERVICE_LATER("LimitRSS"), SERVICE_LATER("LimitAS"),
	SERVICE_LATER("LimitMEMLOCK"), SERVICE_LATER("LimitLOCKS"), SERVICE_LATER("LimitSIGPENDING"),
	SERVICE_LATER("LimitMSGQUEUE"), SERVICE_LATER("LimitNICE"), SERVICE_LATER("LimitRTPRIO"),
	SERVICE_LATER("LimitRTTIME"), SERVICE_LATER("CoredumpFilter"), SERVICE_LATER("KeyringMode"),
	SERVICE_LATER("TimerSlackNSec"), SERVICE_LATER("Personality"), SERVICE_LATER("IgnoreSIGPIPE"),
	SERVICE_LATER("MemoryKSM"), SERVICE_LATER("MemoryTHP"),
	/* systemd.exec(5): scheduling */
	SERVICE_LATER("CPUSchedulingPolicy"), SERVICE_LATER("CPUSchedulingPriority"),
	SERVICE_LATER("CPUSchedulingResetOnFork"), SERVICE_LATER("CPUAffinity"), SERVICE_LATER("NUMAPolicy"),
	SERVICE_LATER("NUMAMask"), SERVICE_LATER("IOSchedulingClass"), SERVICE_LATER("IOSchedulingPriority"),
	/* systemd.exec(5): sandboxing */
	SERVICE_LATER("ProtectSystem"), SERVICE_LATER("ProtectHome"), SERVICE_LATER("RuntimeDirectory"),
	SERVICE_LATER("StateDirectory"), SERVICE_LATER("CacheDirectory"), SERVICE_LATER("LogsDirectory"),
	SERVICE_LATER("ConfigurationDirectory"), SERVICE_LATER("RuntimeDirectoryMode"),
	SERVICE_LATER("StateDirectoryMode"), SERVICE_LATER("CacheDirectoryMode"),
	SERVICE_LATER("LogsDirectoryMode"), SERVICE_LATER("ConfigurationDirectoryMode"),
	SERVICE_LATER("RuntimeDirectoryPreserve"), SERVICE_LATER("StateDirectoryQuota"),
	SERVICE_LATER("CacheDirectoryQuota"), SERVICE_LATER("LogsDirectoryQuota"),
	SERVICE_LATER("StateDirectoryAccounting"), SERVICE_LATER("CacheDirectoryAccounting"),
	SERVICE_LATER("LogsDirectoryAccounting"), SERVICE_LATER("TimeoutCleanSec"), SERVICE_LATER("ReadWritePaths"),
	SERVICE_LATER("ReadOnlyPaths"), SERVICE_LATER("InaccessiblePaths"), SERVICE_LATER("ReadWriteDirectories"),
	SERVICE_LATER("ReadOnlyDirectories"), SERVICE_LATER("InaccessibleDirectories"), SERVICE_LATER("ExecPaths"),
	SERVICE_LATER("NoExecPaths"), SERVICE_LATER("TemporaryFileSystem"), SERVICE_LATER("PrivateTmp"),
	SERVICE_LATER("PrivateDevices"), SERVICE_LATER("PrivateNetwork"), SERVICE_LATER("NetworkNamespacePath"),
	SERVICE_LATER("PrivateIPC"), SERVICE_LATER("IPCNamespacePath"), SERVICE_LATER("PrivatePIDs"),
	SERVICE_LATER("PrivateUsers"), SERVICE_LATER("PrivateBPF"), SERVICE_LATER("PrivateMounts"),
	SERVICE_LATER("MountFlags"), SERVICE_LATER("ProtectHostname"), SERVICE_LATER("ProtectClock"),
	SERVICE_LATER("ProtectKernelTunables"), SERVICE_LATER("ProtectKernelModules"),
	SERVICE_LATER("ProtectKernelLogs"), SERVICE_LATER("ProtectControlGroups"),
	SERVICE_LATER("RestrictAddressFamilies"), SERVICE_LATER("RestrictFileSystems"),
	SERVICE_LATER("RestrictNamespaces"), SERVICE_LATER("DelegateNamespaces"), SERVICE_LATER("LockPersonality"),
	SERVICE_LATER("MemoryDenyWriteExecute"), SERVICE_LATER("RestrictRealtime"),
	SERVICE_LATER("RestrictSUIDSGID"), SERVICE_LATER("RemoveIPC"), SERVICE_LATER("BPFDelegateCommands"),
	SERVICE_LATER("BPFDelegateMaps"), SERVICE_LATER("BPFDelegatePrograms"),
	SERVICE_LATER("BPFDelegateAttachments"),
	/* systemd.exec(5): system calls */
	SERVICE_LATER("SystemCallFilter"), SERVICE_LATER("SystemCallErrorNumber"),
	SERVICE_LATER("SystemCallArchitectures"), SERVICE_LATER("SystemCallLog"),
	/* systemd.exec(5): environment */
	SERVICE_LATER("PassEnvironment"), SERVICE_LATER("UnsetEnvironment"),
	/* systemd.exec(5): logging and terminals */
	SERVICE_LATER("StandardInputText"), SERVICE_LATER("StandardInputData"), SERVICE_LATER("LogLevelMax"),
	SERVICE_LATER("LogExtraFields"), SERVICE_LATER("LogRateLimitIntervalSec"),
	SERVICE_LATER("LogRateLimitBurst"), SERVICE_LATER("LogFilterPatterns"), SERVICE_LATER("LogNamespace"),
	SERVICE_LATER("SyslogIdentifier"), SERVICE_LATER("SyslogFacility"), SERVICE_LATER("SyslogLevel"),
	SERVICE_LATER("SyslogLevelPrefix"), SERVICE_LATER("TTYPath"), SERVICE_LATER("TTYReset"),
	SERVICE_LATER("TTYVHangup"), SERVICE_LATER("TTYColumns"), SERVICE_LATER("TTYRows"),
	SERVICE_LATER("TTYVTDisallocate"),
	/* systemd.exec(5): credentials and utmp */
	SERVICE_LATER("LoadCredential"), SERVICE_LATER("LoadCredentialEncrypted"),
	SERVICE_LATER("ImportCredential"), SERVICE_LATER("SetCredential"), SERVICE_LATER("SetCredentialEncrypted"),
	SERVICE_LATER("UtmpIdentifier"), SERVICE_LATER("UtmpMode"),
	/* systemd.resource-control(5): CPU */
	SERVICE_LATER("StartupCPUWeight"), SERVICE_LATER("CPUQuota"), SERVICE_LATER("CPUQuotaPeriodSec"),
	SERVICE_LATER("AllowedCPUs"), SERVICE_LATER("StartupAllowedCPUs"), SERVICE_LATER("CPUShares"),
	SERVICE_LATER("StartupCPUShares"),
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
	SERVICE_LATER("IPAddressAllow"), SERVICE_LATER("IPAddressDeny"), SERVICE_LATER("SocketBindAllow"),
	SERVICE_LATER("SocketBindDeny"), SERVICE_LATER("RestrictNetworkInterfaces"),
	SERVICE_LATER("BindNetworkInterface"), SERVICE_LATER("NFTSet"), SERVICE_LATER("IPIngressFilterPath"),
	SERVICE_LATER("IPEgressFilterPath"), SERVICE_LATER("BPFProgram"), SERVICE_LATER("DevicePolicy"),
	SERVICE_LATER("DeviceAllow"), SERVICE_LATER("Slice"), SERVICE_LATER("Delegate"),
	SERVICE_LATER("DelegateSubgroup"), SERVICE_LATER("DisableControllers"), SERVICE_LATER("CoredumpReceive"),
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
	[READ_DEFAULTS] = "yes or no",
	[READ_MOUNTS] = "absolute paths, separated by blanks",
	[READ_COMMANDS] = "a program (absolute, or a bare name) and its arguments",
	[READ_TYPE] = "simple, exec, oneshot or notify",
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
	[READ_EXIT_STATUSES] = "statuses from 0 to 255, their names, or signals",
	[READ_MEMORY] = "a size such as 512M or 1.5G, a share such as 50%, or infinity",
	[READ_TASKS] = "a number above 0, a share such as 50%, or infinity",
	[READ_WEIGHT] = "a number from 1 to 10000",
	[READ_LIMIT] = "VALUE or SOFT:HARD; infinity for none",
	[READ_SCORE] = "a number from -1000 to 1000",
	[READ_NICE] = "a number from -20 to 19",
	[READ_UMASK] = "an octal mode from 0000 to 0777",
	[READ_USER] = "a user's name or number",
	[READ_GROUP] = "a group's name or number",
	[READ_DIRECTORY] = "an absolute path, or ~",
	[READ_ENVIRONMENT] = "NAME=VALUE words, in quotes where they contain blanks",
	[READ_ENVIRONMENT_FILE] = "an absolute path, with - in front if it may be missing",
	[READ_STDIO] = "null, inherit, tty, kmsg, file:PATH, append:PATH or truncate:PATH",
};

static const char *const expected_names[N_ENUMERATION] = {
	[ENUM_RESTART] = "no, on-success, on-failure, on-abnormal, on-watchdog, on-abort or always",
	[ENUM_KILL_MODE] = "control-group, mixed, process or none",
	[ENUM_OOM_POLICY] = "continue, stop or kill",
	[ENUM_NOTIFY_ACCESS] = "none, main, exec or all",
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
