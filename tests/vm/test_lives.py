"""The machine's PID 1 lives more than once: after faults of its own, and as another binary."""
import pytest

from machine import BUILD

GUEST = BUILD / "guest"
PAUSE = "[Service]\nExecStart=/usr/bin/pause\nRestart=always\nRestartSec=0\n"
UNITS = {"units": {f"{name}.service": PAUSE for name in ("web", "db", "cache")}}


def standing(m):
    return {u["unit"]: (u["main_pid"], u["generation"], u["state"]) for u in m.json("oomphctl --json list")}


def is_supervised(m, name, generation):
    """Who is killed comes back, and the death is on record."""
    m.check(f"kill -KILL {m.unit(name)['main_pid']}")
    m.wait_generation(name, generation)
    assert [d["signal"] for d in m.deaths(name)] == [9] * (generation - 1)


def all_up(m):
    for name in UNITS["units"]:
        m.wait_state(name.removesuffix(".service"), "up")
    return standing(m)


@pytest.mark.parametrize("how", ["SIGSEGV", "SIGBUS", "SIGILL", "SIGFPE", "SIGABRT"])
def test_a_fault_is_not_the_end_of_the_machine(machine, how):
    m = machine(files={"/sbin/oomph": GUEST / "oomph-faulty"}, **UNITS)
    before = all_up(m)
    m.check(f"echo 'request {how} 1 0                     ' >/run/crash; oomphctl stop cache")
    crash, = m.json("oomphctl --json crashes")
    assert (crash["signal"], crash["sent"], crash["event"], crash["dropped"]) == (how, False, "request", False)
    after = standing(m)
    assert after.pop("cache.service")[2] == "idle" and after.items() <= before.items()
    is_supervised(m, "web", 2)
    assert m.poweroff() == "guest-shutdown"


def test_with_too_many_faults_it_reaps_and_can_be_upgraded(machine):
    m = machine(files={"/sbin/oomph": GUEST / "oomph-faulty", "/sbin/oomph-mended": BUILD / "bin/oomph"}, **UNITS)
    before = all_up(m)
    m.check("echo 'request SIGSEGV 9 0                     ' >/run/crash")
    for _ in range(6):
        m.run("oomphctl stop cache")
    m.wait_console("from here on PID 1 only reaps")
    assert m.unit("web")["state"] == "up" and m.run("oomphctl stop web")[0]
    m.check("rm /run/crash; oomphctl upgrade /sbin/oomph-mended", timeout=60)
    assert {u: s for u, s in standing(m).items() if u != "cache.service"}.items() <= before.items()
    is_supervised(m, "web", 2)


@pytest.mark.parametrize("before", ["bin/oomph", "guest/oomph-before"], ids=["alike", "older-layout"])
def test_another_binary_becomes_pid_1(machine, before):
    m = machine(files={"/sbin/oomph": BUILD / before, "/sbin/oomph-next": BUILD / "bin/oomph"}, **UNITS)
    standing_before = all_up(m)
    is_supervised(m, "web", 2)
    deaths = m.deaths("web")
    m.check("oomphctl upgrade /sbin/oomph-next", timeout=60)
    m.wait_console("another PID 1 has taken over")
    assert standing(m) == {**standing_before, "web.service": (m.unit("web")["main_pid"], 2, "up")} and m.deaths("web") == deaths
    is_supervised(m, "web", 3)
    assert m.json("oomphctl --json crashes") == []
    assert m.poweroff() == "guest-shutdown"


def test_a_binary_that_fails_gives_way(machine):
    m = machine(files={"/sbin/oomph-next": GUEST / "oomph-faulty"}, **UNITS)
    before = all_up(m)
    m.check("echo 'upgraded SIGSEGV 9 0                     ' >/run/crash")
    status, said = m.run("oomphctl upgrade /sbin/oomph-next", timeout=60)
    assert status and said, said
    assert standing(m) == before
    is_supervised(m, "web", 2)
