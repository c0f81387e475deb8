"""oomph in a container, in the machine: only a count that services share, or less, is there to go by."""
import pytest

import machine as machines

PAUSE = "[Service]\nExecStart=/usr/bin/pause\nOOMScoreAdjust=-1000\n"
# Waits for a word, then takes more than there is. Only then may it be killed for that: the kernel passes over a victim that
# has left its memory, a moment before all of it is free (MMF_OOM_SKIP in exit_mmap(), mm/mmap.c), and takes another.
HOG = """\
[Service]
ExecStart=/bin/sh -c 'mkfifo /tmp/%s; read word </tmp/%s; echo 0 >/proc/self/oom_score_adj; exec hog 90'
OOMScoreAdjust=-1000
Restart=no
"""
INNER = "/sbin/oomph --container --services /pod --socket /run/pod/control"
POD = "[Service]\nExecStart=/usr/bin/contain %s " + INNER + "\nMemoryMax=40M\nOOMPolicy=continue\nOOMScoreAdjust=-1000\nRestart=no\n"
UNITS = {"/pod/a.service": HOG % ("a", "a"), "/pod/b.service": HOG % ("b", "b"),
         "/pod/c.service": PAUSE, "/pod/d.service": PAUSE}
# PID 1 before oomph: what v1 has, v2 has not any more.
MOUNT_V1 = """\
#!/bin/sh
mkdir -p /v1 && mount -t cgroup -o memory cgroup /v1 && mkdir /v1/pod && echo 40M >/v1/pod/memory.limit_in_bytes
exec /sbin/oomph
"""


class Pod:
    """The oomph within, asked from without: its socket is on a file system that both see."""

    def __init__(self, m):
        self.m = m
        m.wait(lambda: m.run("oomphctl --socket /run/pod/control status d")[0] == 0)
        for name in "abcd":
            m.wait(lambda: self.unit(name)["state"] == "up")
        m.wait(lambda: m.run("test -p /tmp/a && test -p /tmp/b")[0] == 0)
        self.init = self.pid(1)

    def json(self, words):
        return self.m.json("oomphctl --socket /run/pod/control --json " + words)

    def unit(self, name):
        return self.json(f"status {name}")[0]

    def pid(self, inner):
        """The number without of a number within: proc(5), NSpid."""
        return int(self.m.check(f"awk '/^NSpid:/ && NF == 3 && $3 == {inner} {{ print $2 }}' /proc/[0-9]*/status 2>/dev/null"))

    def main_pid(self, name):
        return self.pid(self.unit(name)["main_pid"])

    def death(self, name):
        self.m.wait(lambda: self.unit(name)["state"] == "failed")
        return self.json(f"deaths {name}")[-1]

    def burst(self, script, n_dead):
        """While PID 1 within is stopped, so that it sees all who died of it at once."""
        self.m.check(f"""\
kill -STOP {self.init}
{script}
until [ $(grep -l '^State:.Z' /proc/[0-9]*/status 2>/dev/null | wc -l) -ge {n_dead} ]; do usleep 20000; done
kill -CONT {self.init}""")

    def why(self, name):
        return self.m.check(f"oomphctl --socket /run/pod/control why {name}")


def facts(death):
    return death["cause"], death["oom"] and death["oom"]["evidence"], death["oom_doubt"]


def in_pod(machine, way, **options):
    m = machine(units={"pod.service": POD % way}, files={**UNITS, **options.pop("files", {})}, mem=256, **options)
    return Pod(m)


def counts_exactly(pod, source):
    """One witness, `source`: what it proves, and what it cannot."""
    # Nobody was killed for memory: an operator's SIGKILL is one.
    pod.m.check(f"kill -KILL {pod.main_pid('c')}")
    assert facts(pod.death("c")) == ("signal", None, None)
    # One was counted, and one died.
    pod.m.check("echo >/tmp/a")
    assert facts(pod.death("a")) == ("oom-kill", [source], None)
    assert pod.unit("a")["oom_kills"] == 1
    # One was counted, and two died.
    pod.burst(f"echo >/tmp/b; kill -KILL {pod.main_pid('d')}", 2)
    for name in "bd":
        assert facts(pod.death(name)) == ("signal", None, "fewer")
        assert pod.json(f"deaths {name}")[-1]["oom_possible"] is True
        assert "an OOM kill is possible: fewer" in pod.why(name)
    # Two were counted, and two died, at one time again.
    pod.m.check("rm /tmp/a /tmp/b; for name in a b; do oomphctl --socket /run/pod/control start $name; done")
    pod.m.wait(lambda: pod.m.run("test -p /tmp/a && test -p /tmp/b")[0] == 0)
    pod.burst("echo >/tmp/a; echo >/tmp/b", 2)
    for name in "ab":
        assert facts(pod.death(name)) == ("oom-kill", [source], None)
    assert pod.json("version")[0]["bugs"] == 0


@pytest.mark.parametrize("kernel", ["bullseye", "bookworm", "trixie", "sid"])
def test_count_of_the_containers_own_cgroup(machine, kernel):
    if not (machines.BUILD / "kernels" / kernel / "vmlinuz").exists():
        pytest.skip(f"kernel of {kernel} is not there: tools/setup kernel {kernel}")
    counts_exactly(in_pod(machine, "v2", kernel=kernel), "memory.events")


@pytest.mark.parametrize("kernel", ["bullseye", "bookworm"])
def test_count_of_a_cgroup_of_v1(machine, kernel):
    if not (machines.BUILD / "kernels" / kernel / "vmlinuz").exists():
        pytest.skip(f"kernel of {kernel} is not there: tools/setup kernel {kernel}")
    pod = in_pod(machine, "v1", kernel=kernel, cmdline="rdinit=/before", files={"/before": MOUNT_V1})
    counts_exactly(pod, "oom_control")


def accuses_nobody(pod):
    """A kill was counted, but not only ours are: it can be one of ours, and nothing proves it."""
    pod.m.check(f"kill -KILL {pod.main_pid('c')}")
    assert facts(pod.death("c")) == ("signal", None, None)
    pod.m.check("echo >/tmp/a")
    assert facts(pod.death("a")) == ("signal", None, "anybodys")
    assert "among processes of others" in pod.why("a")
    assert pod.unit("a")["oom_kills"] == 0
    # The machine's own oomph reads the log, and knows better.
    assert pod.m.wait_death("pod")["cause"] == "oom-kill"


def test_cgroup_that_strangers_are_in_proves_nobody(machine):
    accuses_nobody(in_pod(machine, "v2 stay"))


def test_the_machines_count_proves_nobody_in_a_container(machine):
    accuses_nobody(in_pod(machine, "none"))
