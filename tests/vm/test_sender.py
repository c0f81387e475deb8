"""Who sent the signal: named where the kernel tells, and never otherwise."""

import re

import pytest

import machine as machines

PAUSE = "[Service]\nExecStart=/usr/bin/pause\nRestart=always\nRestartSec=0\nStartLimitIntervalSec=0\n"
UNITS = {
    "web.service": PAUSE,
    "own.service": PAUSE + "User=app\n",
    "self.service": "[Service]\nExecStart=/bin/sh -c 'kill -KILL $$$$'\nRestart=no\nType=exec\n",
    "leak.service": "[Service]\nExecStart=/usr/bin/hog 60\nMemoryMax=12M\nRestart=no\n",
    "deaf.service": "[Service]\nExecStart=/bin/sh -c 'trap \"\" TERM; while :; do sleep 1000; done'\nTimeoutStopSec=1\nRestart=no\n",
}
OPERATOR = "Bob) pid=1,uid"         # a name made to break a parser, 15 bytes at most
MACHINE = {"units": UNITS}


def nth_death(m, name, n):
    return m.wait_deaths(name, n)[n - 1]


def strike(m, name, signal, user=""):
    """Kills its main process from a shell, and says which shell: (its pid, the death)."""
    n_before = len(m.deaths(name))
    script = f"echo $$; kill -{signal} {m.wait_state(name, 'up')['main_pid']}"
    pid = m.check(f"su {user} -s /bin/sh -c '{script}'" if user else script)
    return int(pid), nth_death(m, name, n_before + 1)


@pytest.fixture(scope="module", params=["bookworm", "bullseye", "trixie", "sid"])
def vm(request):
    if not (machines.BUILD / "kernels" / request.param / "vmlinuz").exists():
        pytest.skip(f"kernel of {request.param} is not there: tools/setup kernel {request.param}")
    m = machines.Machine(name=f"test_sender-{request.param}", kernel=request.param, **MACHINE)
    request.node.machines = [m]
    with m.boot():
        yield m


@pytest.mark.parametrize("signal, number", [("KILL", 9), ("TERM", 15)])
def test_an_operator_is_named(vm, signal, number):
    pid, death = strike(vm, "web", signal)
    assert (death["cause"], death["signal"], death["oom"]) == ("signal", number, None)
    assert death["sender"] == {"pid": pid, "comm": "sh", "uid": 0}
    said = f"web: killed by SIG{signal} from pid {pid} (sh), uid 0"
    assert said + ("; there is no record of an OOM kill\n" if signal == "KILL" else "\n") in vm.check("oomphctl why web")


def test_a_user_who_kills_his_own_is_named(vm):
    pid, death = strike(vm, "own", "KILL", user="app")
    assert death["sender"] == {"pid": pid, "comm": "sh", "uid": 1000}


def test_a_service_may_kill_itself(vm):
    death = vm.wait_death("self")
    assert death["sender"] == {"pid": death["pid"], "comm": "sh", "uid": 0}


def test_a_name_made_to_mislead_is_a_name(vm):
    pid = vm.wait_state("web", "up")["main_pid"]
    n_before = len(vm.deaths("web"))
    vm.check(f"sh -c 'echo -n \"{OPERATOR}\" >/proc/self/comm; echo -n \"{OPERATOR}\" >/proc/$$/comm; kill -KILL {pid}'")
    assert nth_death(vm, "web", n_before + 1)["sender"]["comm"] == OPERATOR


def test_a_write_to_cgroup_kill_is_a_kill(vm):
    vm.wait_state("web", "up")
    if vm.run("test -e /sys/fs/cgroup/system.slice/web.service/cgroup.kill")[0]:
        pytest.skip("cgroup.kill came with Linux 5.14")
    n_before = len(vm.deaths("web"))
    pid = int(vm.check("echo $$; echo 1 >/sys/fs/cgroup/system.slice/web.service/cgroup.kill"))
    assert nth_death(vm, "web", n_before + 1)["sender"] == {"pid": pid, "comm": "sh", "uid": 0}
    vm.wait(lambda: (u := vm.unit("web"))["state"] == "up" and vm.check(f"cat /proc/{u['main_pid']}/comm") == "pause\n")
    assert len(vm.deaths("web")) <= n_before + 2, "it is killed at birth again and again"


def test_many_at_once(vm):
    """A burst, in which each has the same sender and each is told so."""
    n_before = {name: len(vm.deaths(name)) for name in ("web", "own")}
    pids = [vm.wait_state(name, "up")["main_pid"] for name in n_before]
    pid = int(vm.check(f"echo $$; kill -KILL {' '.join(map(str, pids))}"))
    for name, n in n_before.items():
        assert nth_death(vm, name, n + 1)["sender"]["pid"] == pid


def test_the_oom_killer_has_no_sender(vm):
    death = vm.wait_death("leak")
    assert (death["cause"], death["sender"]) == ("oom-kill", None)


def test_oomph_is_no_sender(vm):
    vm.wait_state("web", "up")
    n_before = len(vm.deaths("web"))
    vm.check("oomphctl kill web")
    assert nth_death(vm, "web", n_before + 1)["sender"] is None
    vm.check("oomphctl stop web")
    death = vm.deaths("web")[-1]
    assert (death["cause"], death["signal"], death["sender"]) == ("stop", 15, None)
    vm.wait_state("deaf", "up")
    vm.check("oomphctl stop deaf")
    death = vm.deaths("deaf")[-1]
    assert (death["signal"], death["sender"]) == (9, None)
    vm.check("oomphctl start web")


def test_what_was_heard_and_survived_is_not_what_killed(vm):
    """An operator's SIGTERM to one that ignores it, then oomph's own SIGKILL."""
    vm.check("oomphctl start deaf")
    pid = vm.wait_state("deaf", "up")["main_pid"]
    n_before = len(vm.deaths("deaf"))
    vm.wait(lambda: int(re.search(r"^SigIgn:\s+(\w+)", vm.check(f"cat /proc/{pid}/status"), re.M)[1], 16) >> 14 & 1)
    vm.check(f"kill -TERM {pid}")
    vm.check("oomphctl kill deaf KILL")
    assert nth_death(vm, "deaf", n_before + 1)["sender"] is None


def test_nobody_wakes_for_a_stranger(vm):
    """Signals among others pass PID 1 by: it looks when a service has died, and not before."""
    script = """\
        sleep 1000 & victim=$!
        sample() { while read -r key value; do case $key in *ctxt_switches:) echo "$value";; esac; done </proc/1/status; }
        sample; kill -KILL $victim; wait $victim; sample"""
    vm.check("sleep 1")
    voluntary, forced, *after = re.findall(r"^\d+$", vm.check(script), re.M)      # and the shell's "Killed" besides
    assert after == [voluntary, forced]


def test_services_inherit_the_memlock_limit_as_it_was(vm):
    pid = vm.wait_state("web", "up")["main_pid"]
    assert "unlimited" not in re.search("^Max locked memory.*", vm.check(f"cat /proc/{pid}/limits"), re.M)[0]


def test_where_tracing_is_forbidden_the_sender_is_unknown(machine):
    m = machine(units=UNITS, cmdline="lockdown=confidentiality")
    assert "[confidentiality]" in m.check("mount -t securityfs s /sys/kernel/security; cat /sys/kernel/security/lockdown")
    _, death = strike(m, "web", "KILL")
    assert (death["cause"], death["sender"]) == ("signal", None)
    assert "killed by SIGKILL; there is no record of an OOM kill" in m.check("oomphctl why web")
