"""PID 1's own faults: it comes back, and nothing of what it supervised is lost, doubled or restarted."""
import os
import signal

import pytest

from box import ROOT, children, script, service

FAULTY = ROOT / "build/guest/oomph-faulty"
LIBDIR = {"OOMPH_LIBDIR": str(ROOT / "build/bin")}
STAYS = "sleep 1000"
FAULTS = ["SIGSEGV", "SIGBUS", "SIGILL", "SIGFPE", "SIGABRT"]


def ask_for(box, event, how, times=1, after=0):
    """A bug in core_step(): tests/crash/inject.c."""
    (box.folder / "crash").write_text(f"{event} {how} {times} {after}\n" + " " * 40)


def standing(box):
    return {u["unit"]: (u["main_pid"], u["generation"]) for u in box.json("list")}


def crashes(box):
    return box.json("crashes")


def wait_crashes(box, n):
    return box.wait(lambda: (all_ := crashes(box)) and len(all_) >= n and all_, f"{n} crashes")


def given(box, units, **more):
    b = box(units, oomph=FAULTY, env=LIBDIR, **more)
    for name in units:
        b.wait_state(name, "up")
    return b


@pytest.mark.parametrize("how", FAULTS)
def test_a_fault_costs_nothing(box, how):
    b = given(box, {"web": service(STAYS), "db": service(STAYS)})
    before = standing(b)
    ask_for(b, "request", how)
    b.do("stop", "web")
    crash, = crashes(b)
    assert (crash["signal"], crash["sent"], crash["event"], crash["unit"], crash["dropped"]) == (how, False, "request", "web.service", False)
    assert len(crash["registers"]) > 8 and crash["instruction"] != "0"
    assert b.states() == {"web": "idle", "db": "up"}
    assert standing(b)["db.service"] == before["db.service"]
    assert b.said(f"web: PID 1 crashed ({how}) in the event `request` and came back")


@pytest.mark.parametrize("how", FAULTS)
def test_a_signal_that_somebody_sent_is_no_more(box, how):
    b = box({"web": service(STAYS), "db": service(STAYS)})
    b.wait_state("web", "up")
    b.wait_state("db", "up")
    before = standing(b)
    for n in range(1, 8):               # more than the faults that it would take: these are none
        b.signal(signal.Signals[how])
        wait_crashes(b, n)
    assert standing(b) == before
    assert all(c["sent"] for c in crashes(b)) and b.ctl("stop", "web").returncode == 0


def test_the_event_in_hand_is_dealt_with_after_all(box):
    """A death, its record and its successor: once each."""
    b = given(box, {"web": service(STAYS, Restart="always", RestartSec="1ms")})
    ask_for(b, "death", "SIGSEGV")
    b.inside(f"kill -TERM {b.unit('web')['main_pid']}")
    b.wait_state("web", "up", generation=2)
    death, = b.deaths("web")
    assert (death["cause"], death["generation"], death["restart"]) == ("signal", 1, True)
    assert len(children(b.pid)) == 1 and len(crashes(b)) == 1


@pytest.mark.parametrize("event", ["launched", "tick", "ready", "notify", "reloaded", "units"])
def test_whatever_it_is_about(box, event):
    says = script("sleep 0.1; exec /mnt/tools/notify READY=1")
    b = given(box, {"db": service(STAYS)})
    before = standing(b)["db.service"]
    ask_for(b, event, "SIGSEGV")
    b.put("web", service(says, Type="notify", NotifyAccess="all"))
    b.put("app", service(script("echo >&3; exec sleep 1000"), **{"X-NotifyFD": "3"}, Restart="always", RestartSec="20ms"))
    b.do("reload")
    b.wait_state("web", "up")
    b.wait_state("app", "up")
    b.inside(f"kill -KILL {b.unit('app')['main_pid']}")
    b.wait_state("app", "up", generation=2)
    b.do("stop", "app")
    assert standing(b)["db.service"] == before
    assert [c["event"] for c in crashes(b)] == [event]
    assert b.bugs() == 0


def test_what_crashes_it_twice_is_dropped_and_its_service_put_aside(box):
    b = given(box, {"web": service(STAYS, Restart="always"), "db": service(STAYS, Restart="always", RestartSec="1ms")})
    ask_for(b, "death", "SIGSEGV", times=2)
    b.inside(f"kill -KILL {b.unit('web')['main_pid']}")
    b.wait_state("web", "failed")
    assert [c["dropped"] for c in crashes(b)] == [False, True]
    assert b.said("web: PID 1 crashed (SIGSEGV) in the event `death` and came back: for the second time, so that is dropped")
    b.inside(f"kill -KILL {b.unit('db')['main_pid']}")
    b.wait_state("db", "up", generation=2)
    b.do("start", "web")
    b.wait_state("web", "up")
    assert not b.zombies()


def given_hopeless(box, units):
    """Five faults, over the requests about a service that is of no other use: each but the last for the second time."""
    b = given(box, {**units, "bait": service(STAYS)})
    ask_for(b, "request", "SIGSEGV", times=5)
    for _ in range(3):
        b.ctl("start", "--no-wait", "bait")
    b.wait_for("from here on PID 1 only reaps")
    return b


def test_too_often_and_it_only_reaps(box):
    b = given_hopeless(box, {"web": service(STAYS), "db": service(STAYS)})
    before = standing(b)
    refused = b.ctl("stop", "web")
    assert refused.returncode == 1 and "only reaps" in refused.stderr
    assert b.json("version")[0]["reaps_only"] is True and len(crashes(b)) == 5
    b.inside("sh -c 'true & exec true'; sh -c 'sleep 0.1 & exec true'")
    b.wait(lambda: not b.zombies(), "the orphans to be reaped")
    assert standing(b) == before


def test_another_binary_sees_to_what_was_left_undone(box):
    b = given_hopeless(box, {"web": service(STAYS, Restart="always", RestartSec="1ms"), "db": service(STAYS)})
    db = standing(b)["db.service"]
    b.inside(f"kill -KILL {b.unit('web')['main_pid']}")
    b.wait(lambda: not b.zombies(), "web to be reaped")
    b.do("upgrade", str(ROOT / "build/bin/oomph"))
    b.wait_state("web", "up", generation=2)
    death, = b.deaths("web")
    assert (death["cause"], death["signal"]) == ("signal", 9)
    assert standing(b)["db.service"] == db and b.ctl("stop", "db").returncode == 0


def test_a_child_that_faults_is_no_pid_1(box):
    """Between fork and exec it is PID 1's copy, handler and all."""
    b = box({"web": service("/bin/true", StandardInput="file:/mnt/fifo", Restart="no")}, before="mkfifo /mnt/fifo")
    child, = b.wait(lambda: children(b.pid))
    os.kill(child, signal.SIGSEGV)
    b.wait_state("web", "failed")
    death, = b.deaths("web")
    assert (death["signal"], death["restart"]) == (signal.SIGSEGV, False)
    assert crashes(b) == [] and not children(b.pid)
