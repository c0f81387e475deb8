"""Daemons of Debian under oomph, from their packages' own unit files: linked into services.d, and nothing else.

Five of them in `make check`; all that need no socket unit, and each held against systemd 252 on the same disk, in `make daemons`.
"""
import json

import pytest

from debian import DAEMONS, Debian

FEW = ["redis-server", "dnsmasq", "ngircd", "postgresql@15-main", "prometheus-node-exporter"]
WITHOUT_PROCESS = {"networking"}
DIES_OF_RELOAD = {"prometheus-node-exporter"}   # its ExecReload= sends SIGHUP, which it does not handle: so under systemd
NEEDS_A_SOCKET = {"polkit", "rpcbind"}          # dbus.socket, rpcbind.socket: units of that type are not run yet
KILL_BY_SCORE = "echo 1 >/proc/sys/kernel/sysrq; echo 1000 >/proc/{pid}/oom_score_adj; echo f >/proc/sysrq-trigger"


def pytest_generate_tests(metafunc):
    if "daemon" in metafunc.fixturenames:
        metafunc.parametrize("daemon", chosen(metafunc.config))


def chosen(config):
    return [d for d in DAEMONS if d not in NEEDS_A_SOCKET] if config.getoption("--all-daemons") else FEW


@pytest.fixture(scope="module")
def daemons(request):
    return chosen(request.config)


@pytest.fixture(scope="module")
def vm(request, daemons):
    m = Debian(name="daemons", daemons=daemons)
    request.node.machines = [m]
    with m.boot(120):
        yield m


def wait_up(vm, daemon):
    unit = vm.wait_state(daemon, "up", "failed", timeout=120)
    assert unit["state"] == "up", vm.check(f"oomphctl status {daemon}")
    vm.wait(lambda: vm.works(daemon), timeout=60)
    return vm.unit(daemon)


def test_it_works(vm, daemon):
    unit = wait_up(vm, daemon)
    assert bool(unit["main_pid"]) != (daemon in WITHOUT_PROCESS)
    assert unit["generation"] == 1, vm.deaths(daemon)


def test_it_reloads_where_it_can(vm, daemon):
    if daemon in DIES_OF_RELOAD:
        pytest.skip("its unit's ExecReload= kills it")
    before = wait_up(vm, daemon)
    status, said = vm.run(f"oomphctl reload {daemon}", timeout=60)
    assert status == 0 or "ExecReload" in said, said
    after = wait_up(vm, daemon)
    assert (after["main_pid"], after["generation"]) == (before["main_pid"], before["generation"])


def kill_and_wait(vm, daemon, how):
    before = wait_up(vm, daemon)
    n = len(vm.deaths(daemon))
    vm.check(how.format(pid=before["main_pid"]))
    death = vm.wait(lambda: [d for d in vm.deaths(daemon)[n:] if d["main"]], timeout=60)[0]
    assert death["pid"] == before["main_pid"]
    if not death["restart"]:
        vm.wait_state(daemon, "failed", "idle", "done", timeout=120)
        vm.check(f"oomphctl start {daemon}", timeout=120)
    vm.wait_generation(daemon, before["generation"] + 1, timeout=120)
    wait_up(vm, daemon)
    return death


def test_it_comes_back_from_a_sigkill(vm, daemon):
    if daemon in WITHOUT_PROCESS:
        pytest.skip("has no process")
    assert kill_and_wait(vm, daemon, "kill -KILL {pid}")["cause"] == "signal"


def test_it_comes_back_from_an_oom_kill(vm, daemon):
    if daemon in WITHOUT_PROCESS:
        pytest.skip("has no process")
    death = kill_and_wait(vm, daemon, KILL_BY_SCORE)
    assert (death["cause"], death["oom"]["scope"]) == ("oom-kill", "global")
    assert death["restart"], "an OOM kill is answered even where the unit sets no Restart="


def test_it_stops_cleanly(vm, daemon):
    wait_up(vm, daemon)
    vm.check(f"oomphctl stop {daemon}", timeout=120)
    assert vm.unit(daemon)["state"] in ("idle", "failed")
    assert vm.run(f"test -e '/sys/fs/cgroup/system.slice/{daemon}.service'")[0] != 0
    assert not vm.works(daemon) or daemon in WITHOUT_PROCESS


def test_nothing_impossible_has_happened(vm):
    assert vm.json("oomphctl --json version")[0]["bugs"] == 0


# ---- the same disk with systemd: what does a service's process get from either? ----

# What differs on purpose, or says who the manager is.
OWN_VARIABLES = {"INVOCATION_ID", "SYSTEMD_EXEC_PID", "JOURNAL_STREAM", "NOTIFY_SOCKET", "MAINPID", "LANG", "WATCHDOG_PID",
                 "MEMORY_PRESSURE_WATCH", "MEMORY_PRESSURE_WRITE"}


def context(m, pid):
    got = json.loads(m.check(f"python3 /test/context.py {pid}"))
    got["environment"] = {k: v for k, v in got["environment"].items() if k not in OWN_VARIABLES}
    return got


def test_a_process_gets_what_it_gets_from_systemd(request, daemons):
    """Users, groups, rights, limits, masks, scores, folders, words and environment of each main process, to the letter."""
    if not request.config.getoption("--all-daemons"):
        pytest.skip("in make daemons")
    found = {}
    for init in ("systemd", "oomph"):
        m = Debian(name=f"daemons-{init}", init=init, daemons=daemons)
        request.node.machines = [m]
        with m.boot(120):
            for daemon in daemons:
                m.wait(lambda: m.works(daemon), timeout=180)        # noqa: B023
                pid = m.check(f"systemctl show -P MainPID {daemon}").strip() if init == "systemd" else m.unit(daemon)["main_pid"]
                if pid and pid != "0":
                    found[init, daemon] = context(m, pid)
    differences = [f"{daemon}: {key}: systemd {found['systemd', daemon][key]}, oomph {found['oomph', daemon][key]}"
                   for daemon in daemons if ("systemd", daemon) in found
                   for key in found["systemd", daemon] if found["systemd", daemon][key] != found["oomph", daemon][key]]
    print("\n".join(differences))
    assert not differences
