"""How services are ended: signals, patience, KillMode=, and the end of everything."""
import os
import signal

import pytest

from box import children, script, service, until

STAYS = "sleep 1000"
FAMILY = script("sleep 1000 & echo $! >/mnt/worker.new; mv /mnt/worker.new /mnt/worker; exec sleep 1001")


def pid_in(b, name):
    return int(b.wait(lambda: b.read(name)))


# ---- one service ----

def test_stop_is_sigterm_and_told_as_such(box):
    b = box({"web": service(STAYS)})
    b.wait_state("web", "up")
    b.do("stop", "web")
    u = b.unit("web")
    assert (u["state"], u["want"], u["main_pid"], u["result"]) == ("idle", "down", None, "success")
    d, = b.deaths("web")
    assert d["cause"] == "stop" and d["signal"] == signal.SIGTERM and d["restart"] is False


def test_stopped_is_stopped_whatever_restart_says(box):
    b = box({"web": service(STAYS, Restart="always", RestartSec="0")})
    b.wait_state("web", "up")
    b.do("stop", "web")
    assert b.unit("web")["state"] == "idle"
    b.do("start", "web")
    assert b.unit("web")["generation"] == 2


def test_kill_signal(box):
    b = box({"web": service("/mnt/tools/catch", KillSignal="SIGUSR2")})
    b.wait_for("catch: ready")
    b.do("stop", "web")
    b.wait_for("catch: got SIGUSR2")


def test_patience_ends_with_sigkill(box):
    b = box({"web": service("/mnt/tools/stubborn", TimeoutStopSec="200ms")})
    b.wait(lambda: b.console.count("stubborn: here") == 2)
    b.do("stop", "web")
    d = b.deaths("web")[-1]
    assert d["cause"] == "timeout" and d["signal"] == signal.SIGKILL
    assert children(b.pid) == []


def test_without_sigkill_the_rest_is_left_alone(box):
    b = box({"web": service("/mnt/tools/stubborn", TimeoutStopSec="100ms", SendSIGKILL="no")})
    b.wait(lambda: b.console.count("stubborn: here") == 2)
    pid = b.wait_state("web", "up")["main_pid"]
    b.do("stop", "web")
    assert b.is_alive(pid)


def test_a_start_that_takes_too_long_is_ended(box):
    b = box({"web": service(STAYS, Type="notify", TimeoutStartSec="200ms")})
    assert b.wait_state("web", "failed")["result"] == "timeout"
    d = b.deaths("web")[-1]
    assert d["cause"] == "timeout" and d["signal"] == signal.SIGTERM
    r = b.ctl("start", "web")
    assert r.returncode == 1 and "killed by SIGTERM because it took too long" in r.stderr


def test_a_pre_command_that_takes_too_long_is_ended(box):
    b = box({"web": service(STAYS, ExecStartPre="sleep 999", TimeoutStartSec="200ms")})
    assert b.wait_state("web", "failed")["result"] == "timeout"
    assert children(b.pid) == []


def test_a_start_that_will_not_end_is_killed(box):
    b = box({"web": service("/mnt/tools/stubborn", Type="notify", TimeoutStartSec="500ms", TimeoutStopSec="100ms")})
    assert b.wait_state("web", "failed")["result"] == "timeout"
    until(lambda: children(b.pid) == [], "nobody to be left")


# ---- KillMode= ----

@pytest.mark.parametrize("mode, is_left", [("control-group", False), ("mixed", False), ("process", True), ("none", True)])
def test_kill_mode(box, mode, is_left):
    b = box({"web": service(FAMILY, KillMode=mode)})
    worker = pid_in(b, "worker")
    main = b.wait_state("web", "up")["main_pid"]
    b.do("stop", "web")
    assert b.is_alive(main) == (mode == "none")
    if is_left:
        assert b.is_alive(worker)
    else:
        until(lambda: not b.is_alive(worker), "the worker to be reaped")        # dead it is: a zombie keeps no service from resting


def test_mixed_terms_the_main_process_and_kills_the_rest(box):
    b = box({"web": service(script("/mnt/tools/catch >/mnt/worker & /mnt/tools/catch; exit 0"), KillMode="control-group",
                            TimeoutStopSec="5")})
    b.wait(lambda: b.read("worker") and b.said("catch: ready"))
    b.do("stop", "web")
    assert "got SIGTERM" in b.read("worker")


def test_mixed_does_not_ask_the_workers(box):
    b = box({"web": service(script("/mnt/tools/catch >/mnt/worker & exec /mnt/tools/catch"), KillMode="mixed")})
    b.wait(lambda: b.read("worker") and b.said("catch: ready"))
    b.do("stop", "web")
    b.wait_for("catch: got SIGTERM")
    assert b.read("worker") == "catch: ready\n"
    assert children(b.pid) == []


def test_a_worker_that_outlives_its_main_process_is_swept(box):
    b = box({"web": service(script("sleep 1000 & echo $! >/mnt/worker; exit 0"))})
    b.wait_state("web", "done")
    assert not b.is_alive(pid_in(b, "worker"))


# ---- all of them ----

ORDER = {
    "a": service(script("trap \"echo a >>/mnt/out; exit 0\" TERM; echo a: ready; while :; do sleep 0.02; done")),
    "b": service(script("trap \"sleep 0.1; echo b >>/mnt/out; exit 0\" TERM; echo b: ready; while :; do sleep 0.02; done"),
                 After="a.service"),
    "c": service(script("trap \"sleep 0.2; echo c >>/mnt/out; exit 0\" TERM; echo c: ready; while :; do sleep 0.02; done"),
                 After="b.service"),
}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGPWR])
def test_a_signal_ends_the_container_in_reverse_order(box, number):
    b = box(ORDER)
    for name in "abc":
        b.wait_for(f"{name}: ready")
    b.signal(number)
    assert b.leave() == 0
    assert b.read("out") == "c\nb\na\n"
    assert b.said_in_order("c: stopped", "b: stopping", "b: stopped", "a: stopping", "a: stopped")


@pytest.mark.parametrize("status", [0, 7, 255])
def test_exit_with_a_status(box, status):
    b = box({"web": service(STAYS)})
    b.wait_state("web", "up")
    b.do("exit", str(status))
    assert b.leave() == status


@pytest.mark.parametrize("verb", ["poweroff", "reboot", "halt"])
def test_what_would_end_a_machine_ends_the_container(box, verb):
    b = box({"web": service(STAYS)})
    b.wait_state("web", "up")
    b.do(verb)
    assert b.leave() == 0
    assert b.said("web: stopped")


def test_the_end_does_not_wait_for_the_stubborn(box):
    b = box({"web": service("/mnt/tools/stubborn", TimeoutStopSec="200ms"), "db": service(STAYS, Before="web.service")})
    b.wait(lambda: b.console.count("stubborn: here") == 2)
    b.signal(signal.SIGTERM)
    assert b.leave() == 0
    assert b.said_in_order("web: stopped", "db: stopped") or b.said_in_order("web: failed", "db: stopped")


def test_nothing_starts_while_all_is_ending(box):
    b = box({"web": service("/mnt/tools/stubborn", TimeoutStopSec="1"), "db": service(STAYS, Restart="always", RestartSec="0")})
    b.wait(lambda: b.console.count("stubborn: here") == 2)
    b.do("exit", "3")
    r = b.ctl("start", "db")
    assert r.returncode == 1 and "going down" in r.stderr
    assert b.leave() == 3
    assert b.console.count("db: starting") == 1


def test_a_backoff_does_not_delay_the_end(box):
    b = box({"web": service("false", Restart="always", RestartSec="1h")})
    b.wait_state("web", "backoff")
    b.signal(signal.SIGTERM)
    assert b.leave() == 0


# ---- orphans ----

def test_two_thousand_orphans_leave_no_zombie(box):
    b = box({"web": service("/mnt/tools/orphans 2000")})
    b.wait_for("orphans: made")
    b.wait(lambda: len(children(b.pid)) == 1, "all but the service to be reaped")
    assert b.zombies() == []
    assert b.unit("web")["state"] == "up"


def test_orphans_of_an_operator_are_reaped_too(box):
    b = box({"web": service(STAYS)})
    b.wait_state("web", "up")
    b.inside("for i in 1 2 3; do (true & true &) ; done; (setsid sleep 0.1 >/dev/null 2>&1 &)")
    b.wait(lambda: len(children(b.pid)) == 1)
    os.kill(b.pid, 0)
