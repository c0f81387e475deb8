"""Random units, and the folder of them that both readers get. The same seed gives the same units.

What a value may be is a list per kind of it, good and bad ones mixed; now and then one is bent by a random edit, so that also
what nobody thought of is tried. Left out is what a user's manager means differently by design: specifiers of its folders and
of its user, and unit names that it has units of its own for.
"""
import random
import re

OTHERS = [f"other{n}.{kind}" for n in range(6) for kind in ("service", "target", "socket")] + ["odd@1.service", "a\\x2db.service"]
SPECIFIERS = ["%n", "%N", "%p", "%P", "%i", "%I", "%j", "%J", "%f", "%%", "%T", "%V"]
BAD_SPECIFIERS = ["%Z", "%", "% ", "%1"]
WORDS = ["a", "b c", "x=y", "$HOME", "${HOME}", "$$", "é", "\\x41", "\\n", "\\t", "\\101", "\\u00e9", "\\s", "\\\\", "\\;", ";", "#", "-v",
         "--opt=1", '"q"', "'s'", '"d q"', "'s q'", '"a\\"b"', "'a\\'b'", '""', "''", 'x"y"z', "x'y'z", '"open', "'open", "a\\", "\\q", '"\\q"',
         "/usr/share/doc", "%", "*", "?", "~", "a:b", "\\x00", "\\xzz", "\\0", "{}", "&&", "|", ">"]
PROGRAMS = ["/bin/true", "/bin/echo", "/usr/bin/env", "true", "echo", "/bin//echo", "/bin/./true", "/usr/../bin/true", "bin/true", "./true",
            "/bin/", "/", '"/bin/echo"', "'/bin/echo'", "/bin/ec\\x68o", "", '""', "/bin/%p", "/opt/no such", "..", "."]
PREFIXES = [""] * 12 + ["-", "@", ":", "+", "!", "!!", "-@", "@-", "+-", "-+", "!-", ":-", "--", "@@", "++", "!!!", "+!", "!+", "-:@", "|"]
TIMES = ["0", "1", "5", "30s", "1min 30s", "1m30s", "2h", "1d", "1w", "1month", "1M", "1y", "500ms", "250us", "1500us", "1.5", "1.5s", "0.5min", ".5",
         "infinity", "5 s", "1min  2s", "10msec", "3sec", "4seconds", "2minutes", "1hr", "2hours", "3days", "2weeks", "1years", "5usec", "7µs",
         "", "-1", "5x", "s", "1s 2", "1s2s", "1 min s", "1e3", "0x10", "18446744073709551615", "99999999999999999999", "1000000000000y", "+5", " 5", "1,5",
         "infinity5", "5infinity", "1.", "1.5.5", "0.0000001", "1ns", "infinityx"]
SIZES = ["0", "1", "4096", "1K", "64M", "1G", "1.5G", "1.5K", "2T", "1P", "1E", "1G 512M", "1B", "infinity", "50%", "12.5%", "100%", "101%", "0%", "",
         "-1", "1k", "1KB", "1KiB", "G", "1.5", "16E", "18446744073709551615", "18446744073709551616", "0x10", "1 G", "1G1G", "1M 1G", "1.", ".5G", "1e3"]
NUMBERS = ["0", "1", "2", "5", "10", "16", "100", "1024", "65536", "0x10", "010", "0b11", "0o17", "-1", "+5", "", "x", "1x", " 7", "1 2", "infinity",
           "4294967295", "4294967296", "18446744073709551615", "18446744073709551616", "1.5", "-0", "1K", "50%"]
BOOLEANS = ["yes", "no", "true", "false", "1", "0", "on", "off", "y", "n", "t", "f", "YES", "True", "oN", "", "2", "maybe", "ye", "yes no", "yesss", "-1"]
SIGNALS = ["SIGTERM", "TERM", "SIGKILL", "INT", "HUP", "USR1", "SIGRTMIN", "SIGRTMIN+3", "RTMIN+1", "RTMAX", "RTMAX-2", "1", "15", "64", "65", "0", "-1",
           "sigterm", "SIGFOO", "", "SIGRTMIN+40", "SIGRTMAX-40", "RTMIN-1", "CHLD", "CLD", "SIGIO", "POLL", "SIG"]
MODES = ["0755", "755", "0700", "0", "7777", "07777", "10000", "0888", "rwx", "", "-1", "0x1ff", "00000755", "1777", "+755"]
LIMITS = NUMBERS + SIZES + TIMES + ["1:2", "2:1", "1K:2K", "10:infinity", "infinity:10", ":5", "5:", "1:2:3", "1s:2s", "+5:+3", "-5", "+19", "+20", "-20",
                                    "-21", "41", "40", "1 : 2", "infinity:infinity"]
PATHS = ["/a", "/a/b", "/a//b", "/a/./b", "/a/../b", "/", "a", "a/b", "", "/a/", "-/a", "~", "-~", "--/a", "/é", "/a b", "/a\\x20b", "/%p", "/%%", "./a",
         "//a", "/..", "/.", '"/a"', "/a:b", "!/a"]
NAMES = ["a", "a b", "a/b", "a//b", "/a", "..", "a/..", ".", "", "a a", "b a", '"a b"', "a:b", "a:b:c", "é", "%p", "a/", "a\\x2fb", "private", "a/private"]
CAPABILITIES = ["CAP_NET_ADMIN", "cap_net_raw", "CAP_CHOWN CAP_KILL", "~CAP_SYS_ADMIN", "~", "", "CAP_FOO", "CAP_NET_ADMIN CAP_FOO", "CAP_BPF", "40", "41", "63",
                "0", "~CAP_KILL CAP_CHOWN", "Cap_Sys_Time", "NET_RAW", "cap_checkpoint_restore", "CAP_KILL,CAP_CHOWN", "~ CAP_KILL", '"CAP_KILL"']
USERS = ["root", "nobody", "daemon", "0", "1000", "65534", "65535", "4294967295", "4294967294", "4294967296", "a.b", "a b", "a:b", "-a", "1a", "_x", "a$",
         "", "%p", "a/b", "é", ".", "..", "x" * 31, "x" * 40, "-1", "0x1", "00", "a\\x41"]
DEVICES = ["null", "tty", "inherit", "kmsg", "journal", "file:/a", "append:/a/b", "truncate:/a", "file:a", "append:", "tty-force", "tty-fail", "data", "socket",
           "fd:x", "fd", "fd:", "syslog", "null+console", "", "file:/a//b", "file:/a/../b", "NULL", "file", "append:/%p", "journal+console", "kmsg+console"]
ASSIGNMENTS = ["A=1", "B=2 C=3", '"D=4 5"', "'E=6 7'", 'F="8 9"', "G=", "=x", "H", "1A=x", "A-B=x", "I=%n", "J=\\x41", "K=a\\tb", "A=9", "L=$HOME", "M=é", "",
               'N="open', "O=a'b'c", "P=a\\", "Q=\\q", "R=%%", "S_1=x y=z", "T=#x", "U=;x"]
VARIABLES = ["AA", "BB CC", "A=1", "", "1A", '"AA"', "A-B", "AA AA", "é", "A=1 B=2", "%p"]
STATUSES = ["0", "1", "255", "256", "-1", "1 2 3", "SIGTERM", "TERM", "TEMPFAIL", "1 SIGKILL", "x", "", "DATAERR 7", "1,2", "sigterm", "010", "0x1"]
CPUS = ["0", "0-3", "0,2", "0 2", "1-1", "3-1", "0-3 7", "x", "", "-1", "1023", "1024", "8191", "8192", "0-", "0,,2", "numa", "0-3,5-6", " 1 "]
CONDITIONS = {
    "PathExists": PATHS, "PathExistsGlob": ["/a*", "/[ab]", "a*", "/a/../*", ""] + PATHS, "PathIsDirectory": PATHS, "PathIsSymbolicLink": PATHS,
    "PathIsMountPoint": PATHS, "PathIsReadWrite": PATHS, "DirectoryNotEmpty": PATHS, "FileNotEmpty": PATHS, "FileIsExecutable": PATHS,
    "NeedsUpdate": ["/etc", "/var", "/usr", "etc", ""], "FirstBoot": BOOLEANS, "Architecture": ["x86-64", "arm64", "native", "x", ""],
    "Virtualization": ["yes", "no", "vm", "container", "kvm", "docker", "private-users", "x", ""], "Host": ["a", "*.b", "", "%p"],
    "KernelCommandLine": ["quiet", "a=b", "", "a b", '"a b"'], "KernelVersion": [">=5.4", "5.*", "> 4", "<3", "", "=1 =2"],
    "Security": ["selinux", "audit", "x", ""], "Capability": ["CAP_KILL", "x", ""], "ACPower": BOOLEANS, "Memory": ["1G", ">=1G", "", "x"],
    "CPUs": ["2", ">=2", "x", ""], "CPUFeature": ["sse", ""], "Environment": ["A", "A=1", "", "=1"], "User": ["root", "0", "@system", ""],
    "Group": ["root", "0", ""], "ControlGroupController": ["cpu", "memory pids", "v2", "x", ""], "OSRelease": ["ID=debian", "VERSION_ID>=1", ""],
    "Credential": ["a", ""],
}
UNITS = OTHERS + [f"{a} {b}" for a, b in zip(OTHERS, OTHERS[5:])] + ["", "nosuffix", "bad name.service", "a/b.service", "x.foo", ".service", "@.service",
                                                                    "t@.service", "%p-x.service", "%i.service", '"other0.service"', "other1.service,other2.service",
                                                                    "é.service", "x" * 260 + ".service"]

UNIT = {
    **{key: UNITS for key in ("After Before Requires Wants Requisite BindsTo PartOf Conflicts Upholds OnFailure OnSuccess PropagatesReloadTo "
                              "ReloadPropagatedFrom PropagatesStopTo StopPropagatedFrom").split()},
    **{key: BOOLEANS for key in ("DefaultDependencies", "RefuseManualStart", "RefuseManualStop", "StopWhenUnneeded")},
    "Description": ["a", "a  b", " a ", "100%%", "%n", "%Z", "é", '"a"', "", "a \\\n  b", "a;b", "a #b", "\\x41"],
    **{sign + key: values for key, values in CONDITIONS.items() for sign in ("Condition", "Assert")},
}
SERVICE = {
    "Type": ["simple", "exec", "oneshot", "forking", "notify", "idle", "dbus", "Simple", "", "x"],
    "Restart": ["no", "always", "on-success", "on-failure", "on-abnormal", "on-abort", "on-watchdog", "yes", "", "Always"],
    "NotifyAccess": ["none", "main", "exec", "all", "x", ""],
    "OOMPolicy": ["continue", "stop", "kill", "x", ""],
    "KillMode": ["control-group", "mixed", "process", "none", "x", ""],
    "TimeoutStartFailureMode": ["terminate", "abort", "kill", "x", ""],
    "TimeoutStopFailureMode": ["terminate", "abort", "kill", "x", ""],
    "KeyringMode": ["inherit", "private", "shared", "x", ""],
    "RuntimeDirectoryPreserve": ["restart", *BOOLEANS],
    **{key: TIMES for key in ("RestartSec", "TimeoutStartSec", "TimeoutStopSec", "TimeoutSec", "TimeoutAbortSec", "RuntimeMaxSec", "WatchdogSec")},
    **{key: BOOLEANS for key in ("RemainAfterExit", "GuessMainPID", "SendSIGKILL", "SendSIGHUP", "NonBlocking", "IgnoreSIGPIPE", "NoNewPrivileges",
                                 "CPUSchedulingResetOnFork", "TTYReset", "TTYVHangup", "TTYVTDisallocate", "PermissionsStartOnly")},
    **{key: SIGNALS for key in ("KillSignal", "RestartKillSignal", "FinalKillSignal", "WatchdogSignal")},
    **{f"Limit{key}": LIMITS for key in ("NOFILE NPROC CORE CPU FSIZE DATA STACK RSS AS MEMLOCK LOCKS SIGPENDING MSGQUEUE NICE RTPRIO RTTIME").split()},
    **{key: SIZES for key in ("MemoryMin", "MemoryLow", "MemoryHigh", "MemoryMax", "MemorySwapMax")},
    **{f"{key}Directory": NAMES for key in ("Runtime", "State", "Cache", "Logs", "Configuration")},
    **{f"{key}DirectoryMode": MODES for key in ("Runtime", "State", "Cache", "Logs", "Configuration")},
    "UMask": MODES,
    "TasksMax": NUMBERS + ["50%", "0%", "12.5%", "101%"],
    "CPUQuota": ["50%", "100%", "200%", "12.5%", "0%", "0.01%", "12.345%", "50", "", "-5%", "1000%", "infinity", "50 %", "99999999999%"],
    "CPUQuotaPeriodSec": [*TIMES, "10ms", "100ms", "2s"],
    "CPUWeight": NUMBERS + ["10000", "10001", "idle"],
    "Nice": NUMBERS + ["-20", "19", "20", "-21"],
    "OOMScoreAdjust": NUMBERS + ["-1000", "1000", "1001", "-500"],
    "IOSchedulingClass": ["none", "realtime", "best-effort", "idle", "0", "1", "2", "3", "4", "x", ""],
    "IOSchedulingPriority": NUMBERS + ["7", "8"],
    "CPUSchedulingPolicy": ["other", "batch", "idle", "fifo", "rr", "0", "x", ""],
    "CPUSchedulingPriority": NUMBERS + ["99"],
    "CPUAffinity": CPUS,
    "NUMAPolicy": ["default", "preferred", "bind", "interleave", "local", "x", ""],
    "NUMAMask": [*CPUS, "all"],
    "TimerSlackNSec": [*TIMES, "50us", "100ns"],
    "Personality": ["x86", "x86-64", "arm64", "native", "x", ""],
    "CoredumpFilter": ["default", "all", "0x33", "33", "private-anonymous", "shared-dax elf-headers", "x", "", "1ff", "default 0x100"],
    "SecureBits": ["keep-caps", "noroot noroot-locked", "x", "", "keep-caps x", "no-setuid-fixup", "keep-caps-locked"],
    "CapabilityBoundingSet": CAPABILITIES, "AmbientCapabilities": CAPABILITIES,
    "User": USERS, "Group": USERS, "SupplementaryGroups": [*USERS, "adm tty", '"adm"'],
    "WorkingDirectory": PATHS, "PIDFile": [*PATHS, "/var/run/a.pid", "a.pid", "/run/a.pid"],
    "Environment": ASSIGNMENTS, "EnvironmentFile": PATHS, "PassEnvironment": VARIABLES, "UnsetEnvironment": VARIABLES,
    "ExecSearchPath": ["/a", "/a:/b", "/a/:/b//c", "a", "/a:b", "", "/a::/b", "/%p", "/a/../b"],
    "StandardInput": DEVICES, "StandardOutput": DEVICES, "StandardError": DEVICES,
    "TTYPath": PATHS, "TTYRows": NUMBERS, "TTYColumns": NUMBERS,
    "FileDescriptorStoreMax": NUMBERS,
    "SuccessExitStatus": STATUSES, "RestartPreventExitStatus": STATUSES,
    "BusName": ["org.%N", "org.a.%N", "a", ".a%N", "org..%N", "", "org.%p", "1.%N", "org.%N-b", ":1.%N", "%N.1b"],
    "DynamicUser": BOOLEANS[:13],
}
COMMANDS = ["ExecStart"] * 4 + ["ExecStartPre", "ExecStartPost", "ExecCondition", "ExecReload", "ExecStop", "ExecStopPost"]
ODD = list(" \t\"'\\%$;:=/-.,~@!+*0aA9\u00e9\x01\x7f")


def bend(r, text):
    """One random edit."""
    at = r.randint(0, len(text))
    bent = r.choice([text[:at] + r.choice(ODD) + text[at:], text[:at] + text[at + 1:], text + " " + text, text[:at] + text[:at] + text[at:]])
    return re.sub(r"0([bo])[ \t+-]+", r"0\1", bent)      # strtoull(3) would skip them, and so does systemd


def command(r):
    words = [r.choice(PREFIXES) + (r.choice(PROGRAMS[:6]) if r.random() < 0.9 else r.choice(PROGRAMS))]
    for _ in range(r.choice([0, 1, 1, 2, 3, 5])):
        words.append(r.choice(WORDS + SPECIFIERS + (BAD_SPECIFIERS if r.random() < 0.05 else [])))
    if r.random() < 0.05:
        words.append("; " + r.choice(PROGRAMS[:6]) + " " + r.choice(WORDS))
    return r.choice([" ", " ", " ", "  ", "\t", " \\\n  "]).join(words)


FOLDERS = tuple(f"{kind}Directory" for kind in ("Runtime", "State", "Cache", "Logs", "Configuration"))


def value(r, key, values):
    text = r.choice(values)
    bent = bend(r, text) if r.random() < 0.08 else text
    is_read_over = key.startswith(("Limit", "ExecSearchPath", "CPUAffinity", "NUMAMask", *FOLDERS)) and "\\" in bent      # by systemd
    return text if is_read_over or re.search("%[ABCEGLMRSUWcdghrstu]", bent) else bent


def line(r, key, text):
    return f"{key}{r.choice(['=', '=', '=', ' = ', '= '])}{text}"


def dependable(key):
    """Without one of these most units would be refused, and nothing else of them seen."""
    return key not in ("Type", "User", "Group", "WorkingDirectory", "PIDFile")


def unit(r):
    wanted = r.choice([1, 2, 4, 8])
    unit_lines = [line(r, key, value(r, key, UNIT[key])) for key in r.choices(list(UNIT), k=wanted)]
    keys = r.choices(list(SERVICE), k=r.choice([2, 5, 10, 20]))
    service_lines = [line(r, key, value(r, key, SERVICE[key])) for key in keys if dependable(key) or r.random() < 0.3]
    service_lines += [line(r, key, command(r)) for key in r.choices(COMMANDS, k=r.choice([0, 1, 2]))]
    if r.random() < 0.9:
        service_lines.insert(r.randint(0, len(service_lines)), line(r, "ExecStart", "/bin/true " + r.choice(WORDS[:14])))
    for lines in (unit_lines, service_lines):
        if r.random() < 0.1:
            lines.insert(r.randint(0, len(lines)), r.choice(["# c", "; c", "nonsense", "Bogus=1", "X-Own=1", "", "  ", "A=1 \\\n# c\nB"]))
    return "\n".join(["[Unit]", *unit_lines, "[Service]", *service_lines, ""])


def dropin(r):
    key = r.choice(list(SERVICE))
    return "\n".join(["[Service]", r.choice([line(r, key, value(r, key, SERVICE[key])), line(r, "ExecStart", "") + "\n" + line(r, "ExecStart", command(r))]), ""])


def write(folder, seed, first, n):
    """`n` units into the folder, from the one numbered `first`: their names."""
    names = []
    for number in range(first, first + n):
        r = random.Random(f"{seed} {number}")
        name = r.choice(["u{}", "u{}", "u-{}", "u{}@i-1", "u\\x2d{}"]).format(number) + ".service"
        (folder / name).write_text(unit(r))
        if r.random() < 0.15:
            (folder / f"{name}.d").mkdir()
            (folder / f"{name}.d/x.conf").write_text(dropin(r))
        names.append(name)
    return names
