"""Whose lines those are that come by /dev/log: of the service in whose cgroup their sender is. And a syslog daemon in oomph's place."""
import pytest

from debian import Debian

KERNELS = ["bookworm", "sid"]


def told(command, *settings):
    """A service that sends what a command writes, line by line, by a logger(1) that stays."""
    return f"[Service]\nExecStart=/bin/sh -c '({command}; exec sleep 100000) | exec logger -t x -p user.info'\n" + "".join(f"{s}\n" for s in settings)


UNITS = {
    "web.service": told("echo started"),
    "quiet.service": told("echo dropped", "LogLevelMax=warning"),
    "script.service": "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/sh -c 'for i in $$(seq 200); do logger -t n $$i; done'\n",
}
COUNT = told("for i in $$(seq 400); do echo $$i; usleep 10000; done")
MACHINE = {"units": UNITS, "has_log": True}


def lines(m, unit):
    """Of its current file, wherever that is by now: the words of the head, and the text."""
    text = m.check(f"cat /var/log/oomph/{unit}/current /run/log/oomph/{unit}/current 2>/dev/null; true")
    return [line.split(" ", 4) for line in text.splitlines()]


def texts(m, unit):
    return [words[4] for words in lines(m, unit)]


def numbers(m, *units):
    return [int(t.split(": ")[1]) for unit in units for t in texts(m, unit) if t.startswith(("n: ", "x: "))]


def test_a_line_is_its_senders_service_s(vm):
    vm.wait(lambda: texts(vm, "web.service") == ["x: started"])
    (_, generation, _, origin, _), = lines(vm, "web.service")
    assert (generation, origin) == ("1", "syslog.info")


def test_what_its_unit_says_of_levels_holds(vm):
    vm.wait_state("quiet", "up")
    vm.wait(lambda: numbers(vm, "script.service", "system"))        # and that came later
    assert texts(vm, "quiet.service") == []


def test_what_is_of_no_service_is_the_system_s(vm):
    vm.check("echo $$ >/sys/fs/cgroup/cgroup.procs; (echo from nowhere; sleep 2) | logger -t me")
    vm.wait(lambda: "me: from nowhere" in texts(vm, "system"))


def test_a_sender_may_be_gone_before_anybody_looks(vm, kernel):
    """Since Linux 6.17 the kernel knows all the same; before it such a line may be the system's, and none is lost."""
    vm.wait_state("script", "up", timeout=60)
    vm.wait(lambda: len(numbers(vm, "script.service", "system")) == 200)
    assert sorted(numbers(vm, "script.service", "system")) == list(range(1, 201))
    if kernel == "sid":
        assert numbers(vm, "script.service") == list(range(1, 201))


def test_to_kill_the_logger_loses_no_message(vm):
    vm.add("count", COUNT)
    for n in (50, 150, 250):
        vm.wait(lambda: max(numbers(vm, "count.service"), default=0) >= n)      # noqa: B023
        before = vm.unit("oomph-log")
        vm.check(f"kill -KILL {before['main_pid']}")
        vm.wait_generation("oomph-log", before["generation"] + 1)
    vm.wait(lambda: max(numbers(vm, "count.service"), default=0) == 400)
    assert set(numbers(vm, "count.service")) == set(range(1, 401))


def test_rsyslog_takes_dev_log_and_gives_it_back(request):
    m = Debian(name="rsyslog", daemons=["rsyslog"], has_log=True)
    request.node.machines = [m]
    with m.boot(120):
        m.wait_state("rsyslog", "up", timeout=120)
        m.wait(lambda: m.works("rsyslog"), timeout=60)
        assert m.run("test -L /dev/log")[0] != 0
        m.check("oomphctl stop rsyslog", timeout=60)
        m.wait(lambda: m.run("test -L /dev/log")[0] == 0)
        m.check("(echo heard again; sleep 2) | logger -t me")
        m.wait(lambda: "me: heard again" in texts(m, "test-agent.service"))


@pytest.fixture(autouse=True)
def nothing_impossible(request):
    yield
    if "vm" in request.fixturenames:
        vm = request.getfixturevalue("vm")
        assert vm.json("oomphctl --json version")[0]["bugs"] == 0
