"""What PID 1 does before and around its services on a bare machine."""

import pytest

FULL = """\
[Unit]
Description=One with every limit
[Service]
ExecStart=/usr/bin/pause
OOMScoreAdjust=-900
OOMPolicy=kill
MemoryMin=1M
MemoryLow=2M
MemoryHigh=24M
MemoryMax=32M
MemorySwapMax=8M
TasksMax=7
CPUWeight=250
CPUQuota=150%
Nice=5
UMask=0027
LimitNOFILE=4096:8192
LimitNPROC=100
LimitCORE=0
User=app
WorkingDirectory=/tmp
"""

MACHINE = {
    "units": {
        "full.service": FULL,
        "bare.service": "[Service]\nExecStart=/usr/bin/pause\n",
        "killable.service": "[Service]\nExecStart=/usr/bin/pause\nOOMScoreAdjust=800\n",
    },
}


def main_pid(vm, name):
    return vm.wait_state(name, "up")["main_pid"]


def status_field(vm, pid, field):
    return vm.check(f"grep ^{field}: /proc/{pid}/status").split(None, 1)[1].strip()


@pytest.mark.parametrize("target, kind, options", [
    ("/proc", "proc", {"nosuid", "nodev", "noexec"}),
    ("/sys", "sysfs", {"nosuid", "nodev", "noexec"}),
    ("/dev", "devtmpfs", {"nosuid"}),
    ("/dev/pts", "devpts", {"nosuid", "noexec", "gid=5", "mode=620"}),
    ("/dev/shm", "tmpfs", {"nosuid", "nodev"}),
    ("/run", "tmpfs", {"nosuid", "nodev", "mode=755"}),
    ("/tmp", "tmpfs", {"nosuid", "nodev"}),
    ("/sys/fs/cgroup", "cgroup2", {"nosuid", "nodev", "noexec", "nsdelegate", "memory_recursiveprot"}),
])
def test_early_mounts(vm, target, kind, options):
    mounts = {line.split()[1]: line.split()[2:4] for line in vm.check("cat /proc/mounts").splitlines()}
    assert mounts[target][0] == kind
    assert options <= set(mounts[target][1].split(","))


def test_every_user_may_write_in_tmp_and_nobody_may_remove_what_is_anothers(vm):
    assert vm.check("stat -c %a /tmp /dev/shm").split() == ["1777", "1777"]


def test_loopback_is_up(vm):
    vm.wait_state("oomph-net", "done", "up")
    assert "UP" in vm.check("ip -o link show lo").split("<")[1].split(">")[0].split(",")
    vm.check("ping -c 1 -W 5 127.0.0.1")


def test_hostname_is_that_of_etc_hostname(vm):
    assert vm.check("hostname").strip() == "oomph-vm"


def test_helpers_are_listed_on_demand_only(vm):
    def shown(options):
        return {unit["unit"]: unit for unit in vm.json(f"oomphctl --json list {options}")}
    assert "oomph-net.service" not in shown("")
    assert shown("-a")["oomph-net.service"]["helper"] is True


def test_pid_1_is_out_of_the_oom_killers_reach_and_keeps_its_pages(vm):
    assert vm.check("cat /proc/1/oom_score_adj").strip() == "-1000"
    locked, resident = (int(status_field(vm, 1, f).split()[0]) for f in ("VmLck", "VmRSS"))
    assert locked > 0
    assert resident > 0
    # What it may touch stays in memory: all its own mappings are locked (proc_pid_smaps(5): `lo`).
    flags = [line.split()[1:] for line in vm.check("cat /proc/1/smaps").splitlines() if line.startswith("VmFlags")]
    maps = [line for line in vm.check("cat /proc/1/maps").splitlines()]
    assert [m for m, f in zip(maps, flags) if "lo" not in f and "io" not in f and "[v" not in m] == []


@pytest.mark.parametrize("name, score", [("bare", 0), ("full", -900), ("killable", 800)])
def test_score_is_the_units_own_and_never_that_of_pid_1(vm, name, score):
    assert int(vm.check(f"cat /proc/{main_pid(vm, name)}/oom_score_adj")) == score
    assert vm.unit(name)["oom_score_adj"] == score


@pytest.mark.parametrize("name", ["bare", "full", "killable"])
def test_each_service_has_its_cgroup_and_session(vm, name):
    pid = main_pid(vm, name)
    assert vm.check(f"cat /proc/{pid}/cgroup").strip() == f"0::/system.slice/{name}.service"
    assert vm.processes(name) == [pid]
    # proc_pid_stat(5): pid (comm) state ppid pgrp session tty_nr
    _, ppid, pgrp, session, tty = vm.check(f"cat /proc/{pid}/stat").rpartition(") ")[2].split()[:5]
    assert (int(ppid), int(pgrp), int(session), int(tty)) == (1, pid, pid, 0)


@pytest.mark.parametrize("file, value", [
    ("memory.min", 1 << 20), ("memory.low", 2 << 20), ("memory.high", 24 << 20), ("memory.max", 32 << 20),
    ("memory.swap.max", 8 << 20), ("pids.max", 7), ("cpu.weight", 250), ("memory.oom.group", 1),
])
def test_limits_stand_in_the_cgroup(vm, file, value):
    vm.wait_state("full", "up")
    assert int(vm.knob("full", file)) == value


def test_a_quota_stands_in_the_cgroup_with_its_period(vm):
    vm.wait_state("full", "up")
    assert vm.knob("full", "cpu.max") == "150000 100000"


def test_a_service_without_limits_has_none(vm):
    vm.wait_state("bare", "up")
    assert [vm.knob("bare", f) for f in ("memory.max", "memory.high", "pids.max")] == ["max", "max", "max"]
    assert vm.knob("bare", "memory.oom.group") == "0"


def test_process_settings_reach_the_process(vm):
    pid = main_pid(vm, "full")
    limits = dict(line.rsplit(None, 3)[:2] for line in vm.check(f"grep -E 'open files|processes' /proc/{pid}/limits").splitlines())
    assert limits == {"Max open files": "4096", "Max processes": "100"}
    assert status_field(vm, pid, "Uid").split() == ["1000"] * 4
    assert status_field(vm, pid, "Gid").split() == ["1000"] * 4
    assert status_field(vm, pid, "Umask") == "0027"
    assert vm.check(f"readlink /proc/{pid}/cwd").strip() == "/tmp"
    assert vm.check(f"cat /proc/{pid}/stat").rpartition(") ")[2].split()[16] == "5"


def test_a_service_starts_with_no_signal_blocked_and_nothing_of_pid_1_open(vm):
    pid = main_pid(vm, "bare")
    assert int(status_field(vm, pid, "SigBlk"), 16) == 0
    assert vm.check(f"ls /proc/{pid}/fd").split() == ["0", "1", "2"]


def test_orphans_are_reaped(vm):
    """A process whose parent is gone becomes PID 1's child, and its death leaves no zombie."""
    orphan = int(vm.check("sh -c 'pause >/dev/null & echo $!'"))
    vm.wait(lambda: status_field(vm, orphan, "PPid") == "1")
    vm.check(f"kill -KILL {orphan}")
    vm.wait(lambda: vm.run(f"test -e /proc/{orphan}")[0] != 0)


def test_it_knows_what_it_has_to_go_by(vm):
    version = vm.json("oomphctl --json version")[0]
    assert (version["mode"], version["kmsg"], version["cgroup"], version["bugs"]) == ("vm", True, True, 0)


def test_dropped_in_and_taken_away(vm):
    """A file in services.d is all it takes, in either direction: nobody asks for a reload here."""
    vm.put("/etc/services.d/guest.service", "[Service]\nExecStart=/usr/bin/pause\n")
    pid = vm.wait(lambda: vm.run("oomphctl status guest")[0] == 0 and vm.unit("guest")["main_pid"])
    vm.check("rm /etc/services.d/guest.service")
    vm.wait(lambda: vm.run("oomphctl status guest")[0] == 3)
    assert vm.run(f"test -e /proc/{pid}")[0] != 0


def test_a_broken_unit_costs_nobody_else_anything(vm):
    vm.add("broken", "[Service]\nExecStrat=/usr/bin/pause\n")
    vm.add("sound", "[Service]\nExecStart=/usr/bin/pause\n")
    vm.wait_state("sound", "up")
    broken = vm.unit("broken")
    assert (broken["state"], broken["result"]) == ("failed", "bad-setting")
    assert any("ExecStart" in note for note in broken["notes"])
