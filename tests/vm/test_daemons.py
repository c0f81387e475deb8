"""Daemons of Debian under oomph, from their packages' own unit files: linked into services.d, and nothing else.

Five of them in `make check`; in `make daemons` all but the one that cannot do without a socket unit, and each held against
systemd 252 on the same disk.
"""
import pytest

from debian import DAEMONS, Debian, Systemd

FEW = ["redis-server", "dnsmasq", "ngircd", "postgresql@15-main", "prometheus-node-exporter"]
WITHOUT_PROCESS = {"networking"}
DIES_OF_RELOAD = {"prometheus-node-exporter"}   # its ExecReload= sends SIGHUP, which it does not handle: so under systemd
NEEDS_A_SOCKET = {"polkit"}                     # dbus.socket, for the bus: units of that type are not run yet
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


# ---- the same disk with systemd: what does a service get from either, and what becomes of it? ----

NO_SOCKETS = "sockets are not run yet: it opens its own"
NO_SANDBOX = "sandboxes are not enforced yet"
# Fact, daemons (* for whichever has it), why.
DIFFERENCES = {(daemon, fact): why for fact, daemons, why in [
    ("$NOTIFY_SOCKET", "*", "each manager has its own"),
    ("$JOURNAL_STREAM", "*", "there is no journal"),
    ("$LISTEN_FDS", "mariadb rpcbind rsyslog", NO_SOCKETS),
    ("$LISTEN_FDNAMES", "mariadb rpcbind rsyslog", NO_SOCKETS),
    ("removed by stop", "mariadb", NO_SOCKETS + ", and removes it"),
    ("cgroup", "postgresql@15-main redis-server@t1 tor@default", "slices are not run yet: a template's instances have none"),
    ("pids.max", "atd dnsmasq knot krb5-kdc memcached ngircd pgbouncer php8.2-fpm postgresql@15-main privoxy "
                 "prometheus-node-exporter redis-server redis-server@t1 rpcbind rsyslog tor@default vsftpd",
     "on purpose: TasksMax= is infinity unless the unit says otherwise"),
    ("Seccomp", "krb5-kdc memcached ngircd redis-server redis-server@t1 tor@default", NO_SANDBOX),
    ("namespaces", "krb5-kdc mariadb memcached ngircd redis-server redis-server@t1 tor@default", NO_SANDBOX),
    ("after an OOM kill", "dnsmasq knot pgbouncer php8.2-fpm postgresql@15-main privoxy vsftpd",
     "on purpose: a unit that does not set Restart= is started again after an OOM kill"),
] for daemon in daemons.split()}
WHAT_IS_IN_RUN = "find /run -path /run/systemd -prune -o -path /run/oomph -prune -o -print"


def is_at_work(m, daemon):
    return m.state(daemon) == "up" and m.works(daemon)


def settled(m, daemon):
    """`up` and at work; or how it has ended, for then it is started by hand."""
    m.wait(lambda: m.state(daemon) not in ("", "up") or is_at_work(m, daemon), timeout=180)
    state = m.state(daemon)
    if state != "up":
        assert m.tell("start", daemon)
        m.wait(lambda: is_at_work(m, daemon), timeout=180)
    return state


def killed(m, daemon, how):
    before = m.main_pid(daemon)
    m.check(how.format(pid=before))
    m.wait(lambda: m.main_pid(daemon) != before)
    return settled(m, daemon)


def life(m, daemon):
    """All that can be seen of it: its process, and what comes of a reload, two deaths and a stop."""
    m.wait(lambda: is_at_work(m, daemon), timeout=180)
    has_process = daemon not in WITHOUT_PROCESS
    before = m.main_pid(daemon)
    in_run = set(m.check(WHAT_IS_IN_RUN).splitlines())         # now, for some (tor) open sockets long after they are ready
    seen = m.context(daemon) if has_process else {}
    seen["reload"] = m.tell("reload", daemon)
    seen["after reload"] = settled(m, daemon)
    seen["reload keeps the process"] = m.main_pid(daemon) == before
    if has_process:
        seen["after SIGKILL"] = killed(m, daemon, "kill -KILL {pid}")
        seen["after an OOM kill"] = killed(m, daemon, KILL_BY_SCORE)
    assert m.tell("stop", daemon)
    seen["after stop"] = m.state(daemon)
    seen["removed by stop"] = sorted(in_run - set(m.check(WHAT_IS_IN_RUN).splitlines()))
    seen["works when stopped"] = m.works(daemon)
    return seen


def lives(request, daemons, kind, name):
    m = kind(name=f"daemons-{name}", daemons=daemons)
    request.node.machines = [m]
    with m.boot(120):
        return {(daemon, fact): value for daemon in daemons for fact, value in life(m, daemon).items()}


def listed(daemon, fact):
    return next((key for key in ((daemon, fact), ("*", fact)) if key in DIFFERENCES), None)


def test_the_same_as_under_systemd(request, daemons, capsys):
    """What differs between two runs of systemd is not counted; what is listed has to differ."""
    if not request.config.getoption("--all-daemons"):
        pytest.skip("in make daemons")
    first = lives(request, daemons, Systemd, "systemd")
    again = lives(request, daemons, Systemd, "systemd-again")
    ours = lives(request, daemons, Debian, "oomph")
    differing = {key for key in first.keys() | ours.keys() if first.get(key) != ours.get(key)}
    known = {key: listed(*key) for key in differing if listed(*key)}
    unknown = {key for key in differing - known.keys() if first.get(key) == again.get(key)}
    with capsys.disabled():
        print(f"\n{len(first)} facts of systemd, {len(known)} differ:")
        for fact, why in dict.fromkeys((fact, why) for (_, fact), why in DIFFERENCES.items()):
            print(f"  {fact}: {why} ({' '.join(daemon for daemon in daemons if (daemon, fact) in known)})")
    assert not {key: (first.get(key), ours.get(key)) for key in unknown}
    assert not DIFFERENCES.keys() - known.values(), "listed, and no difference any more"
