"""The differential oracle: random units, read by systemd 252 and by oomph, and everything that differs.

    make oracle                                 20,000 units, and as many calendar expressions
    python3 tests/oracle/oracle.py N [SEED]     N of them
    python3 tests/oracle/oracle.py --file FILE  one unit of one's own

systemd's side is its manager in test mode, which loads units, prints what it made of them, and goes. Both sides are brought to the
same words (`Systemd`, `Oomph`), and INTENDED is the list of what may differ.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import calendars
import units

ROOT = pathlib.Path(__file__).resolve().parents[2]
LOAD = ROOT / "build/bin/oomph-load"
BATCH = 400

# ---- one set of words for both ----

TIME_UNITS = {"y": 31557600000000, "month": 2629800000000, "w": 604800000000, "d": 86400000000, "h": 3600000000, "min": 60000000, "s": 1000000,
              "ms": 1000, "us": 1, "μs": 1}


def time_us(text):
    """"1min 5s" as microseconds; None: infinity."""
    if text == "infinity":
        return None
    return sum(round(float(n) * TIME_UNITS[unit]) if unit else 0 for n, unit in re.findall(r"([0-9.]+)([a-zμ]*)", text))


def time_ms(us):
    """As systemd prints and oomph counts: whole seconds from the first on, at least 1 ms, and what no 32 bits hold is for ever."""
    if us is None or us // 1000 >= 0xffffffff:
        return "infinity"
    return us // 1000000 * 1000 if us >= 1000000 else max(us // 1000, 1) if us else 0


ESCAPES = {"n": b"\n", "t": b"\t", "r": b"\r", "a": b"\a", "b": b"\b", "f": b"\f", "v": b"\v", "s": b" "}


def escaped(e):
    if len(e) == 3:
        return bytes([int(e[1:], 16) if e[0] == "x" else int(e, 8)])
    return ESCAPES.get(e) or e.encode(errors="surrogateescape")


def unquoted(text):
    """The words of a line in the quoting of either."""
    words, word, quote = [], None, None
    for m in re.finditer(r"\\(x[0-9a-f]{2}|[0-7]{3}|.)|(.)", text, re.S):
        e, c = m.groups()
        if e:
            word = (word or b"") + escaped(e)
        elif c == quote:
            quote = None
        elif not quote and c in "\"'":
            quote, word = c, word or b""
        elif not quote and c == " ":
            words, word = words + [word] * (word is not None), None
        else:
            word = (word or b"") + c.encode(errors="surrogateescape")
    return [w.decode(errors="surrogateescape") for w in words + [word] * (word is not None)]


def signal(name):
    m = re.match(r"SIGRT(MIN|MAX)([+-]\d+)?$", name)
    return f"SIGRTMIN+{(30 if m[1] == 'MAX' else 0) + int(m[2] or 0)}" if m else name


COMMANDS = {"ExecCondition", "ExecStartPre", "ExecStart", "ExecStartPost", "ExecReload", "ExecStop", "ExecStopPost"}
LINKS = {"After", "Before", "Requires", "Wants", "Requisite", "BindsTo", "PartOf", "Conflicts", "Upholds", "OnFailure", "OnSuccess",
         "PropagatesReloadTo", "ReloadPropagatedFrom", "PropagatesStopTo", "StopPropagatedFrom"}
FOLDERS = {f"{kind}Directory" for kind in ("Runtime", "State", "Cache", "Logs", "Configuration")}
TIMES = {"RestartSec", "TimeoutStartSec", "TimeoutStopSec", "TimeoutAbortSec", "RuntimeMaxSec", "WatchdogSec"}
PLAIN = {
    "Description", "Type", "Restart", "NotifyAccess", "OOMPolicy", "PIDFile", "TimeoutStartFailureMode", "TimeoutStopFailureMode", "KillMode", "KillSignal",
    "RestartKillSignal", "FinalKillSignal", "SendSIGKILL", "SendSIGHUP", "UMask", "WorkingDirectory", "NonBlocking", "IgnoreSIGPIPE",
    "KeyringMode", "RuntimeDirectoryPreserve", "Nice", "OOMScoreAdjust", "CoredumpFilter", "IOSchedulingClass", "IOSchedulingPriority",
    "CPUSchedulingPolicy", "CPUSchedulingPriority", "CPUSchedulingResetOnFork", "TimerSlackNSec", "StandardInput", "StandardOutput",
    "StandardError", "TTYPath", "TTYReset", "TTYVHangup", "TTYVTDisallocate", "TTYRows", "TTYColumns", "User", "Group", "DynamicUser", "Personality",
    "FileDescriptorStoreMax", "CPUWeight", "MemoryMin", "MemoryLow", "MemoryHigh", "MemoryMax", "MemorySwapMax", "TasksMax", "StopWhenUnneeded",
    "RefuseManualStart", "RefuseManualStop", "DefaultDependencies", "RemainAfterExit", "GuessMainPID", "NUMAPolicy", "BusName",
    *(f"{kind}Mode" for kind in FOLDERS),
}
SIGNALS = {"KillSignal", "RestartKillSignal", "FinalKillSignal"}
LIMITS = {f"Limit{kind}" for kind in ("NOFILE NPROC CORE CPU FSIZE DATA STACK RSS AS MEMLOCK LOCKS SIGPENDING MSGQUEUE NICE RTPRIO RTTIME").split()}
MASKS = {"CPUAffinity", "NUMAMask"}
CAPABILITIES = {"CapabilityBoundingSet", "AmbientCapabilities"}
IMPLIED = {"PATH", "LANG", "USER", "LOGNAME", "HOME", "SHELL", "TERM", *(f"{kind}_DIRECTORY" for kind in ("RUNTIME", "STATE", "CACHE", "LOGS", "CONFIGURATION"))}
HUGE = "18446744073709551615"
ALL_CAPABILITIES = {name.lower() for name in re.findall(r"#define (CAP_\w+)\s+\d+$", pathlib.Path("/usr/include/linux/capability.h").read_text(), re.M)}


def bits(ranges):
    """"0 2-3" as a set."""
    return {n for word in ranges.replace(",", " ").split() for a, _, b in [word.partition("-")] for n in range(int(a), int(b or a) + 1)}


# ---- systemd ----

class Systemd:
    """Units as `systemd --user --test` prints them. As root it will not, so it runs as nobody, in folders that are nobody's."""

    NAMES = {"Secure Bits": "SecureBits", "File Descriptor Store Max": "FileDescriptorStoreMax", "IOPriority": "IOSchedulingPriority"}
    STREAM_FILES = {"File": "file", "FileToAppend": "append", "FileToTruncate": "truncate"}

    def __init__(self, folder):
        self.folder = folder
        self.home = folder.parent / "home"
        self.home.mkdir()
        shutil.chown(self.home, "nobody")

    def read(self, names):
        for target in ("basic.target", "shutdown.target"):
            (self.folder / target).write_text("[Unit]\nDefaultDependencies=no\n")
        (self.folder / "default.target").write_text("[Unit]\n" + "".join(f"Wants={name}\n" for name in names))
        r = subprocess.run(["setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups", "env", "-i", f"SYSTEMD_UNIT_PATH={self.folder}",
                            f"XDG_RUNTIME_DIR={self.home}", f"HOME={self.home}", "/lib/systemd/systemd", "--user", "--test"],
                           capture_output=True, text=True, errors="surrogateescape", timeout=300)
        found = {name: self.words(lines) for name, lines in self.blocks(r.stdout)}
        self.said = r.stderr
        if not set(names) <= set(found):
            sys.exit(f"systemd has not told of {sorted(set(names) - set(found))[:5]}: {r.stderr[-2000:]}")
        return found

    @staticmethod
    def blocks(text):
        name, lines = None, []
        for row in text.split("\n"):
            m = re.match(r"\t-> Unit (.*):$", row)
            if m or row.startswith("->"):
                if name:
                    yield name, lines
                name, lines = m and m.group(1), []
            else:
                lines.append(row)

    def words(self, lines):
        got, block = {}, None
        for row in lines:
            if m := re.match(r"\t\t-> (\w+).*:$", row):
                block = m.group(1)
            elif m := re.match(r"\t\t\tCommand Line: (.*)$", row, re.S):
                got.setdefault(block, []).append(m.group(1))
            elif m := re.match(r"\t\t([A-Z][\w ]*): ?(.*)$", row, re.S):
                key = last = self.NAMES.get(m.group(1), m.group(1))
                got.setdefault(key, []).append(m.group(2))
            elif got and not row.startswith("\t\t"):
                got[last][-1] += "\n" + row            # of a value with a line's end in it
        return self.canonical(got)

    def canonical(self, got):
        one = {key: values[0] for key, values in got.items()}
        for key in SIGNALS & set(one):
            one[key] = signal(one[key])
        state = {"loaded": "loaded", "masked": "masked"}.get(one.get("Unit Load State"), "left out")
        if state != "loaded":
            return {"state": state}
        unit = {"state": state}
        for key in PLAIN & set(one):
            unit[key] = "infinity" if one[key] == HUGE and key not in ("CPUWeight",) else one[key]
        for key in TIMES & set(one):
            unit[key] = time_ms(time_us(one[key]))
        for key, printed in (("CPUQuota", "CPUQuotaPerSecSec"), ("CPUQuotaPeriodSec", "CPUQuotaPeriodSec")):
            unit[key] = time_us(one.get(printed, "infinity"))
        if unit["CPUQuotaPeriodSec"] is not None:       # as it is when it comes to be used
            unit["CPUQuotaPeriodSec"] = min(max(unit["CPUQuotaPeriodSec"], 1000), 1000000)
        for key in LIMITS & set(one):
            unit[key] = tuple("infinity" if v == HUGE else v for v in (one.get(f"{key}Soft"), one[key]))
        for key in ("StandardInput", "StandardOutput", "StandardError"):
            for suffix, kind in self.STREAM_FILES.items():
                if key + suffix in one:
                    unit[key] = f"{kind}:{one[key + suffix]}"
        for key in MASKS & set(one):
            unit[key] = bits(one[key]) or None
        for key in CAPABILITIES & set(one):
            unit[key] = set(one[key].split())
        unit.setdefault("CapabilityBoundingSet", ALL_CAPABILITIES)
        unit.setdefault("AmbientCapabilities", set())
        unit["SecureBits"] = set(one.get("SecureBits", "").split())
        for key in COMMANDS & set(got):
            unit[key] = [unquoted(words) for words in got[key]]
        for key in LINKS:
            unit[key] = {v.split(" ")[0] for v in got.get(key, []) if "origin-file" in v and not v.split(" ")[0].endswith((".slice", ".mount"))}
        for key in FOLDERS:
            unit[key] = sorted(v.partition(":")[0] for v in got.get(key, []))
        for key in ("Environment", "EnvironmentFile", "PassEnvironment", "UnsetEnvironment"):
            unit[key] = got.get(key, [])
        unit["SupplementaryGroups"] = one.get("SupplementaryGroups", "")
        unit["ExecSearchPath"] = one.get("ExecSearchPath", "")
        unit["Conditions"] = sorted(f"{key}={v.rsplit(' ', 1)[0]}" for key, values in got.items() if re.match("(Condition|Assert)[A-Z]", key) for v in values
                                    if not key.endswith(("Result", "Timestamp")))
        if unit.get("WorkingDirectory") == str(self.home):
            unit["WorkingDirectory"] = "~"              # which is also where a user's manager starts everything
        if "PIDFile" in unit:
            unit["PIDFile"] = unit["PIDFile"].replace(str(self.home), "/run")
        if unit.get("TimerSlackNSec"):
            unit["TimerSlackNSec"] = str(int(unit["TimerSlackNSec"]))
        for key in ("TTYRows", "TTYColumns"):
            if unit.get(key) == "4294967295":
                del unit[key]
        return unit


# ---- oomph ----

class Oomph:
    """Units as `oomph-load --dump` writes them, where there is a logger."""

    def __init__(self, folder):
        self.folder = folder
        helpers = folder.parent / "helpers"
        helpers.mkdir()
        self.load = shutil.copy(LOAD, helpers)
        (helpers / "oomph-log").touch(0o755)

    def read(self, names):
        r = subprocess.run([self.load, "--dump", *(self.folder / name for name in names)], capture_output=True, text=True, errors="surrogateescape", timeout=300)
        self.said = r.stderr
        self.load_all()
        found = {}
        for block in re.split(r"^# (?=/)", r.stdout, flags=re.M)[1:]:
            head, _, rest = block.partition("\n")
            path, _, state = head.partition(": ")
            found[pathlib.Path(path).name] = self.canonical(pathlib.Path(path).name, state, rest)
        if set(names) != set(found):
            sys.exit(f"oomph-load has not told of {sorted(set(names) - set(found))[:5]}: {r.stderr[-2000:]}")
        return found

    def load_all(self):
        """Together they are a set that PID 1 would take."""
        fd = os.memfd_create("units", os.MFD_ALLOW_SEALING)
        r = subprocess.run([LOAD, "--fd", str(fd), "--path", "", self.folder], pass_fds=[fd], capture_output=True, text=True, errors="surrogateescape")
        os.close(fd)
        if r.returncode != 0:
            sys.exit(f"oomph-load cannot load them all: {r.stderr[-300:]}")

    @staticmethod
    def raw(text):
        return text.replace("%%", "%")

    def canonical(self, name, state, text):
        if state:
            return {"state": state}
        got = {}
        for row in text.split("\n"):
            if row and not row.startswith("["):
                key, _, v = row.partition("=")
                got.setdefault(key, []).append(v)
        one = {key: values[-1] for key, values in got.items()}
        unit = {"state": "loaded"}
        for key in PLAIN & set(one):
            unit[key] = self.raw(one[key])
        for key in SIGNALS & set(one):
            unit[key] = signal(one[key])
        unit.setdefault("Description", name)
        unit.setdefault("Restart", "no")
        unit.setdefault("RestartKillSignal", unit["KillSignal"])
        for key in TIMES & set(one):
            unit[key] = time_ms(None if one[key] == "infinity" else int(one[key][:-2]) * 1000)
        if "CPUQuota" in one:
            unit["CPUQuota"] = round(float(one["CPUQuota"][:-1]) * 10000)
        if "CPUQuotaPeriodSec" in one:
            unit["CPUQuotaPeriodSec"] = time_us(one["CPUQuotaPeriodSec"])
        for key in LIMITS & set(one):
            unit[key] = tuple(one[key].replace("us", "").replace("s", "").split(":"))
        for key in MASKS & set(one):
            unit[key] = {n for ranges in got[key] for n in bits(ranges)}
        for key in CAPABILITIES & set(one):
            unit[key] = {v for v in got[key] if v and not v.isdigit()} if "~" not in got[key] else ALL_CAPABILITIES
        unit["SecureBits"] = set(one.get("SecureBits", "").split())
        for key in COMMANDS & set(one):
            unit[key] = [self.argv(v) for v in got[key]]
        for key in LINKS:
            unit[key] = set(got.get(key, []))
        for key in FOLDERS:
            unit[key] = sorted(self.raw(unquoted(v)[0]).partition(":")[0] for v in got.get(key, []))
        for key in ("Environment", "PassEnvironment", "UnsetEnvironment"):
            unit[key] = [self.raw(unquoted(v)[0]) for v in got.get(key, [])]
        unit["Environment"] = [v for v in unit["Environment"] if v.partition("=")[0] not in IMPLIED]
        unit["SupplementaryGroups"] = " ".join(self.raw(v) for v in got.get("SupplementaryGroups", []))
        unit["EnvironmentFile"] = [self.raw(v) for v in got.get("EnvironmentFile", [])]
        unit["ExecSearchPath"] = " ".join(self.raw(v) for v in got.get("ExecSearchPath", []))
        unit["Conditions"] = sorted(f"{key}={self.raw(v)}" for key, values in got.items() if re.match("Condition|Assert", key) for v in values)
        if "WorkingDirectory" in unit:
            unit["WorkingDirectory"] = unit["WorkingDirectory"].removeprefix("-")
        return unit

    def argv(self, text):
        """The signs are those that a dump writes: each once, and in this order."""
        signs = re.match(r"-?:?(\+|!!|!)?@?", text).group(0)
        words = [self.raw(word) for word in unquoted(text[len(signs):])]
        return words[1:] if "@" in signs else words


# ---- what differs ----

# What may: of which keys, why, and whether a pair of values (systemd's, ours, and the units that they are of) is such a one.
INTENDED = []


def meant(keys, why, test):
    INTENDED.extend((key, test) for key in keys.split())


meant("TimeoutAbortSec", "systemd does not print that it is TimeoutStopSec=", lambda a, b, t, o: a is None and b == o["TimeoutStopSec"])
meant("TTYPath TTYReset TTYVHangup TTYVTDisallocate TTYRows TTYColumns", "systemd prints it only with a terminal in use",
      lambda a, b, t, o: a is None)
meant("TTYRows TTYColumns", "no terminal has so many, ioctl_tty(2)", lambda a, b, t, o: a == "0" or int(a or 0) > 65535)
meant("FileDescriptorStoreMax", "the room for all is 512, and verify says so", lambda a, b, t, o: b == "512" and (a is None or int(a) > 512))
meant("WatchdogSec", "never, either way", lambda a, b, t, o: (a, b) == ("infinity", 0))
meant("RuntimeMaxSec", "it has no effect there, says systemd, and prints it", lambda a, b, t, o: o["Type"] == "oneshot")
meant("User Group", "systemd makes a name up at load, oomph a number", lambda a, b, t, o: t["DynamicUser"] == "yes")
meant("SupplementaryGroups", "systemd drops a backslash, oomph says that there is no such group", lambda a, b, t, o: "\\" in b)
meant("StandardInput StandardOutput StandardError", "not yet, and verify says so", lambda a, b, t, o: (a or "").startswith(("fd", "socket")))
meant("StandardOutput", "likewise: it would go with the input", lambda a, b, t, o: a == "inherit" and t["StandardInput"].startswith(("fd", "socket")))
meant("StandardOutput", "`inherit` is the console to oomph, where no terminal is read from", lambda a, b, t, o: (a, b) == ("journal", "inherit"))
meant("StandardError", "it goes along, by a pipe of its own", lambda a, b, t, o: a == "inherit" and b == o["StandardOutput"])
meant("StandardInput StandardOutput StandardError", "`file` without a path is an error to oomph", lambda a, b, t, o: (a or "").endswith(":(null)"))
meant("CPUAffinity NUMAMask", "no kernel of ours has so many", lambda a, b, t, o: max(a or [0]) >= 1024)
meant("NUMAMask", "all: systemd looks which there are", lambda a, b, t, o: b and len(b) == 1024)
meant("NUMAPolicy", "systemd prints one for a mask alone, too, and does nothing either", lambda a, b, t, o: b is None)
meant("KillSignal RestartKillSignal FinalKillSignal", "systemd prints one real-time signal for all of them",
      lambda a, b, t, o: sum(o[key].startswith("SIGRTMIN") for key in SIGNALS) > 1)
meant("CPUSchedulingResetOnFork", "systemd prints it only with a policy", lambda a, b, t, o: a is None)
meant("CPUSchedulingPriority", "systemd minds the order of the lines, and asks the kernel for what it refuses, sched(7)",
      lambda a, b, t, o: b == "0" or a in ("0", "1"))
meant("CPUSchedulingPolicy", "that is what there is without, and a number is no policy's name to oomph",
      lambda a, b, t, o: a == "other" or (a or "").isdigit())
meant("IOSchedulingClass IOSchedulingPriority", "no kernel has such a class", lambda a, b, t, o: t.get("IOSchedulingClass", "x") in "4567")
meant("CPUQuotaPeriodSec", "lengthened until the quota is one that the kernel takes; systemd does so when it writes it",
      lambda a, b, t, o: 0 < o.get("CPUQuota", 0) * (a or 100000) < 1000 * 1000000)
meant("CPUWeight", "idle is approximated", lambda a, b, t, o: (a, b) == ("0", "1"))
meant("TasksMax", "0% is as wrong as 0", lambda a, b, t, o: a == "0")
meant("CoredumpFilter", "the kernel has nine such bits", lambda a, b, t, o: int(a or "0", 16) & 0x1ff == int(b or "0", 16) & 0x1ff)
meant("After Requires", "oomph has no bus of its own to wait for: that is dbus.service", lambda a, b, t, o: a - b == {"dbus.socket"})


def differences(name, theirs, ours, base):
    """Their value and ours, or neither of them other than in a unit that sets nothing."""
    if theirs["state"] != ours["state"]:
        yield f"{name}: state: systemd: {theirs['state']}, oomph: {ours['state']}"
        return
    for key in sorted(set(theirs) | set(ours)):
        a, b = theirs.get(key), ours.get(key)
        is_default = a == base[0].get(key) and b == base[1].get(key)
        if a != b and not is_default and not any(key == k and test(a, b, theirs, ours) for k, test in INTENDED):
            yield f"{name}: {key}: systemd: {a!r}, oomph: {b!r}"


def compare(folder, names):
    base = "base.service"
    (folder / base).write_text("[Service]\nExecStart=/bin/true\n")
    systemd, oomph = Systemd(folder), Oomph(folder)
    theirs, ours = systemd.read([*names, base]), oomph.read([*names, base])
    # The one thing that systemd takes lightly, and oomph does not: what would refuse a unit, in one of its drop-ins.
    strict = {name for name in names if re.search(re.escape(f"{name}.d/") + r"[^\n]*: the unit is left out", oomph.said)}
    found = [d for name in names if name not in strict for d in differences(name, theirs[name], ours[name], (theirs[base], ours[base]))]
    return found, systemd.said + oomph.said


def with_folder(act):
    with tempfile.TemporaryDirectory() as top:
        pathlib.Path(top).chmod(0o755)
        folder = pathlib.Path(top) / "units"
        folder.mkdir()
        return act(folder)


def tell(folder, found, said):
    """Each with the lines that it may come from."""
    for difference in found:
        name, key, _ = difference.split(": ", 2)
        print(difference)
        text = "".join(path.read_text() for path in [folder / name, *folder.glob(f"{name}.d/*")])
        rows = text.replace("\\\n", " ").split("\n")
        starts = ("Condition", "Assert") if key == "Conditions" else key
        print("\n".join(f"    {row}" for row in [*rows, *said.split("\n")] if row.startswith(starts) or key == "state" and name in row))
    return len(found)


def batch(seed, first, n):
    return with_folder(lambda folder: tell(folder, *compare(folder, units.write(folder, seed, first, n))))


def one_file(path):
    def act(folder):
        name = pathlib.Path(path).name
        shutil.copy(path, folder / name)
        return tell(folder, *compare(folder, [name]))
    return with_folder(act)


def main(args):
    if args[:1] == ["--file"]:
        return one_file(args[1]) > 0
    n, seed = int(args[0]) if args else 20000, args[1] if len(args) > 1 else "1"
    wrong = sum(batch(seed, first, min(BATCH, n - first)) for first in range(0, n, BATCH))
    print(f"oracle: {n} units (seed {seed}), {wrong} differences from systemd")
    return calendars.main([str(n), seed]) or wrong > 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
