"""One witness is missing: the verdict rests on what there is, and says on what."""

from machine import KERNELS  # noqa: F401

LEAK = "[Service]\nExecStart=/usr/bin/hog 60\nMemoryMax=12M\nRestart=no\n"
WOUND = "[Service]\nExecStart=/usr/bin/hog 60 0 child\nMemoryMax=12M\nRestart=no\n"
PAUSE = "[Service]\nExecStart=/usr/bin/pause\n"
UNITS = {"leak.service": LEAK, "wound.service": WOUND, "struck.service": PAUSE}

# PID 1 before oomph: takes the kernel's log away, as some containers do.
NO_KMSG = "#!/bin/sh\nmount -t devtmpfs dev /dev && rm /dev/kmsg && exec /sbin/oomph\n"


def strike(m):
    """An operator's SIGKILL, for contrast."""
    m.check(f"kill -KILL {m.wait_state('struck', 'up')['main_pid']}")
    return m.wait_death("struck")["cause"]


def test_counters_alone_without_a_log(machine):
    m = machine(units=UNITS, files={"/before": NO_KMSG}, cmdline="rdinit=/before")
    assert m.json("oomphctl --json version")[0]["kmsg"] is False
    death = m.wait_death("leak")
    assert (death["cause"], death["main"], death["oom"]["evidence"]) == ("oom-kill", True, ["memory.events"])
    assert {value for key, value in death["oom"].items() if key != "evidence"} == {None}
    wound = m.wait_death("wound")
    assert (wound["cause"], wound["main"], wound["oom"]["evidence"]) == ("oom-kill", False, ["memory.events"])
    assert m.unit("wound")["state"] == "up"
    assert strike(m) == "signal"


def test_the_log_alone_without_memory_cgroups(machine):
    m = machine(units={"app.service": "[Service]\nExecStart=/usr/bin/hog 4000\nOOMScoreAdjust=900\nRestart=no\n",
                       "limited.service": PAUSE + "MemoryMax=50M\n", "struck.service": PAUSE},
                mem=128, cmdline="cgroup_disable=memory")
    death = m.wait_death("app", timeout=60)
    assert (death["cause"], death["oom"]["scope"], death["oom"]["evidence"]) == ("oom-kill", "global", ["kmsg"])
    assert strike(m) == "signal"
    limited = m.unit("limited")
    assert limited["state"] == "up"
    assert limited["warning"], "a limit that cannot be set is told"
