"""Kills of rarer shapes (OOM.md's tricky cases that a modern kernel can show), on a machine with two memory nodes."""
import pytest

from machine import KERNELS  # noqa: F401

PAUSE = "[Service]\nExecStart=/usr/bin/pause\n"
SLICE = "/sys/fs/cgroup/system.slice"
# Leaks when it is told to, through a FIFO.
ON_WORD = """\
[Service]
ExecStartPre=/bin/mkfifo /tmp/%s
ExecStart=/bin/sh -c 'read x </tmp/%s; exec %s'
Restart=no
"""

MACHINE = {
    "mem": 320,
    "qemu": ("-object", "memory-backend-ram,id=m0,size=224M", "-numa", "node,memdev=m0,cpus=0-1",
             "-object", "memory-backend-ram,id=m1,size=96M", "-numa", "node,memdev=m1"),
    "units": {"bystander.service": PAUSE + "OOMScoreAdjust=-900\n"},
}


@pytest.fixture(autouse=True)
def bystander(vm):
    """Dies of none of this."""
    before = vm.wait_state("bystander", "up")["main_pid"]
    yield
    assert vm.unit("bystander")["main_pid"] == before
    assert vm.json("oomphctl --json version")[0]["bugs"] == 0


def dmesg_line(vm, pid):
    return next(line for line in vm.check("dmesg").splitlines() if f": Killed process {pid} (" in line)


# ---- whose memory there was none of ----

def test_memory_of_the_cpusets_nodes_alone(vm, add):
    """The machine has plenty, the node that the service is held to has none."""
    add("held", ON_WORD % ("held", "held", "hog 300"))
    vm.wait_state("held", "up")
    vm.check(f"echo +cpuset >/sys/fs/cgroup/cgroup.subtree_control; echo +cpuset >{SLICE}/cgroup.subtree_control;"
             f"echo 1 >{SLICE}/held.service/cpuset.mems; echo >/tmp/held")
    death = vm.wait_death("held", timeout=60)
    assert (death["cause"], death["oom"]["scope"], death["oom"]["constraint"]) == ("oom-kill", "global", "CONSTRAINT_CPUSET")
    assert death["oom"]["memcg"] is None
    assert 40_000 < death["oom"]["anon_rss_kb"] < 100_000
    assert "memory nodes" in vm.check("oomphctl why held")


def test_memory_of_the_policys_nodes_alone(vm, add):
    add("bound", "[Service]\nExecStart=/usr/bin/victim bind 300\nRestart=no\n")
    death = vm.wait_death("bound", timeout=60)
    assert (death["cause"], death["oom"]["constraint"]) == ("oom-kill", "CONSTRAINT_MEMORY_POLICY")
    assert "memory nodes" in vm.check("oomphctl why bound")


# ---- who was chosen, and by what ----

def test_the_allocating_task_is_taken_where_the_kernel_is_told_so(vm, add):
    add("asks", ON_WORD % ("asks", "asks", "hog 600") + "OOMScoreAdjust=-100\n")
    vm.wait_state("asks", "up")
    vm.check("echo 1 >/proc/sys/vm/oom_kill_allocating_task; echo >/tmp/asks")
    vm.wait_console("^oomph: asks: pid .* killed", timeout=60)      # who asks oomphctl asks for memory as well
    vm.check("echo 0 >/proc/sys/vm/oom_kill_allocating_task")
    death = vm.wait_death("asks")
    assert (death["cause"], death["comm"], death["oom"]["scope"]) == ("oom-kill", "hog", "global")
    assert "(oom_kill_allocating_task): Killed process" in dmesg_line(vm, death["pid"])


def test_the_magic_key_has_somebody_killed(vm, add):
    add("first", PAUSE + "OOMScoreAdjust=1000\nRestart=no\n")
    pid = vm.wait_state("first", "up")["main_pid"]
    vm.check("echo 1 >/proc/sys/kernel/sysrq; echo f >/proc/sysrq-trigger")
    death = vm.wait_death("first")
    assert (death["cause"], death["pid"], death["oom"]["scope"]) == ("oom-kill", pid, "global")
    assert "sysrq f" in vm.check("oomphctl why first")


def test_who_shares_the_victims_memory_dies_with_it(vm, add):
    """The kernel names one of the two and kills the other without a word or a count (since 4.4)."""
    add("twin", "[Service]\nExecStart=/usr/bin/victim share 60\nMemoryMax=12M\nRestart=no\n")
    vm.wait_state("twin", "failed")
    deaths = vm.deaths("twin")
    named = [d for d in deaths if d["oom"]]
    assert len(named) == 1 and named[0]["cause"] == "oom-kill"
    main = next(d for d in deaths if d["main"])
    assert main["cause"] in ("oom-kill", "signal") and (main["cause"] == "oom-kill") == (main is named[0])


def test_who_was_dying_already_was_not_killed_for_memory(vm, add):
    """The kernel took it for its victim, saw that it was on the way out, and let it go: no line, no count (OOM.md 1.6)."""
    add("dying", "[Service]\nExecStart=/usr/bin/victim dying 9\nMemoryMax=12M\nKillMode=process\nRestart=no\n")
    pid = vm.wait_state("dying", "up")["main_pid"]
    vm.wait(lambda: vm.run("test -e /tmp/dying.ready")[0] == 0)
    vm.check(f"kill -KILL {pid}")
    death = vm.wait_death("dying")
    events = dict(line.split() for line in vm.check("cat /tmp/dying.events").splitlines())
    assert int(events["oom"]) > 0 and int(events["oom_kill"]) == 0, "nobody was chosen: nothing was tested"
    assert (death["cause"], death["signal"], death["oom"], death["pid"]) == ("signal", 9, None, pid)


# ---- when ----

def test_killed_before_its_program_ran(vm, add):
    """Its own first pages are more than it may have. Now and then the kernel refuses it one (ENOMEM) rather than kill it."""
    add("newborn", PAUSE + "MemoryMax=20K\nRestart=always\nRestartSec=10ms\n")
    death = vm.wait(lambda: [d for d in vm.deaths("newborn") if d["cause"] == "oom-kill"])[0]
    assert (death["main"], death["comm"], death["oom"]["scope"]) == (True, "oomph", "memcg")


def test_a_grandchild_without_its_parents_is_a_wound(vm, add):
    add("orphan", "[Service]\nExecStart=/bin/sh -c '(setsid hog 60 &); exec pause'\nMemoryMax=12M\nRestart=no\n")
    death = vm.wait_death("orphan")
    assert (death["cause"], death["main"], death["comm"]) == ("oom-kill", False, "hog")
    assert set(death["oom"]["evidence"]) == {"kmsg", "memory.events"}
    assert vm.unit("orphan")["state"] == "up"


def test_a_log_closed_to_others_stays_open_to_us(vm, add):
    vm.check("echo 1 >/proc/sys/kernel/dmesg_restrict")
    add("after", "[Service]\nExecStart=/usr/bin/hog 60\nMemoryMax=12M\nRestart=no\n")
    assert set(vm.wait_death("after")["oom"]["evidence"]) == {"kmsg", "memory.events"}
