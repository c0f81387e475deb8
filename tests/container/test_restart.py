"""What happens after a death: Restart=, backoff, start limits."""
import signal

import pytest

from box import script, service, signal_number

ONCE = "[ -e /mnt/once ] && exec sleep 1000; touch /mnt/once; "     # bad the first time, then well


def ends(how):
    """A script that ends once: `exit N`, or a signal."""
    return script(ONCE + (how if how.startswith("exit") else f"kill -{how} $$"))


# ---- Restart=, the table of systemd.service(5) ----

@pytest.mark.parametrize("how", ["exit 0", "exit 1", "TERM", "KILL", "SEGV"])
@pytest.mark.parametrize("policy", [None, "no", "always", "on-success", "on-failure", "on-abnormal", "on-abort", "on-watchdog"])
def test_restart(box, policy, how):
    good, by_signal = how in ("exit 0", "TERM"), not how.startswith("exit")
    again = {
        "always": True, "on-success": good, "on-failure": not good, "on-abnormal": by_signal and not good,
        "on-abort": by_signal and not good,
    }.get(policy, False)
    b = box({"web": service(ends(how), Restart=policy, RestartSec="0", LimitCORE="0")})
    if again:
        assert b.wait_state("web", "up", generation=2)["restarts"] == 1
    else:
        assert b.wait_state("web", "done" if good else "failed")["restarts"] == 0
    death = b.deaths("web")[0]
    assert death["restart"] == again and death["delay_ms"] == (0 if again else None)


@pytest.mark.parametrize("how, cause, code, number", [
    ("exit 3", "exit", 3, None), ("TERM", "signal", None, 15), ("KILL", "signal", None, 9),
])
def test_a_death_is_recorded(box, how, cause, code, number):
    b = box({"web": service(ends(how), Restart="always", RestartSec="0")})
    b.wait_state("web", "up", generation=2)
    d, = b.deaths("web")
    assert (d["cause"], d["exit_code"], d["signal"], d["generation"], d["main"], d["comm"], d["oom"]) == \
        (cause, code, number, 1, True, "sh", None)
    assert b.unit("web")["last_death"] == d["id"]


def test_an_operators_sigkill_is_a_signal_and_no_oom(box):
    b = box({"web": service("sleep 1000", Restart="always", RestartSec="0")})
    pid = b.wait_state("web", "up")["main_pid"]
    b.inside(f"kill -9 {pid}")
    u = b.wait_state("web", "up", generation=2)
    assert u["oom_kills"] == 0
    d, = b.deaths("web")
    assert d["cause"] == "signal" and d["signal"] == signal.SIGKILL and d["pid"] == pid and d["oom"] is None
    assert "SIGKILL" in b.do("why", "web")


def test_success_exit_status(box):
    b = box({"web": service(ends("exit 42"), Restart="on-failure", SuccessExitStatus="42 SIGUSR1"),
             "app": service(script("kill -USR1 $$"), Restart="on-failure", SuccessExitStatus="42 SIGUSR1")})
    b.wait_state("web", "done")
    b.wait_state("app", "done")


@pytest.mark.parametrize("name", ["HUP", "INT", "TERM", "PIPE"])
def test_clean_signals_are_success(box, name):
    """systemd.service(5), SuccessExitStatus="""
    catches = "trap - PIPE; " if name == "PIPE" else ""
    b = box({"web": service(script(f"{catches}exec python3 -c 'import os, signal; "
                                   f"signal.signal({int(signal_number(name))}, signal.SIG_DFL); "
                                   f"os.kill(os.getpid(), {int(signal_number(name))})'"), Restart="on-failure")})
    assert b.wait_state("web", "done")["result"] == "success"


def test_what_remains_of_a_dead_service_is_gone_before_the_next(box):
    b = box({"web": service(script(ONCE + "sleep 1000 & echo $! >/mnt/worker; exit 1"), Restart="always", RestartSec="0")})
    b.wait_state("web", "up", generation=2)
    assert not b.is_alive(int(b.read("worker")))


# ---- the delay ----

def test_backoff_is_visible(box):
    b = box({"web": service("false", Restart="always", RestartSec="1h")})
    u = b.wait_state("web", "backoff")
    assert 3_590_000 < u["next_start_ms"] <= 3_600_000
    b.wait_for("web: starts again in 1 h")
    assert b.deaths("web")[-1]["delay_ms"] == 3_600_000
    assert "Next start: in 59 min" in b.do("status", "web") or "Next start: in 1 h" in b.do("status", "web")


def test_a_start_by_hand_does_not_wait(box):
    b = box({"web": service(ends("exit 1"), Restart="always", RestartSec="1h")})
    b.wait_state("web", "backoff")
    b.do("start", "web")
    assert b.unit("web")["state"] == "up"


def test_a_stop_ends_the_waiting(box):
    b = box({"web": service("false", Restart="always", RestartSec="1h")})
    b.wait_state("web", "backoff")
    b.do("stop", "web")
    u = b.unit("web")
    assert (u["state"], u["want"], u["next_start_ms"]) == ("idle", "down", None)


def test_without_restart_sec_the_delay_grows(box):
    b = box({"web": service("false", Restart="always")})
    b.wait(lambda: len(b.deaths("web")) >= 4)
    delays = [d["delay_ms"] for d in b.deaths("web")]
    assert delays[0] <= 130 and delays[0] < delays[3] and all(d > 0 for d in delays)


def test_restart_sec_alone_never_grows(box):
    b = box({"web": service("false", Restart="always", RestartSec="10ms")})
    b.wait(lambda: len(b.deaths("web")) >= 5)
    assert {d["delay_ms"] for d in b.deaths("web")} == {10}


def test_restart_steps_grow_to_the_maximum(box):
    b = box({"web": service("false", Restart="always", RestartSec="10ms", RestartSteps="2", RestartMaxDelaySec="40ms")})
    b.wait(lambda: len(b.deaths("web")) >= 4)
    assert [d["delay_ms"] for d in b.deaths("web")][:4] == [10, 20, 40, 40]


def test_many_lives_at_once_do_not_starve_the_rest(box):
    """RestartSec=0 is as fast as it goes; PID 1 still answers and still starts others."""
    b = box({"mad": service("true", Restart="always", RestartSec="0"), "web": service("sleep 1000", After="mad.service")})
    b.wait(lambda: b.unit("mad")["restarts"] > 200)
    b.put("late", service("sleep 1000"))
    b.do("reload")
    b.wait_state("late", "up")
    b.do("stop", "mad")
    assert b.unit("mad")["state"] == "idle"


# ---- start limit ----

def test_start_limit(box):
    """So many starts, then it stays down."""
    b = box({"web": service("false", Restart="always", RestartSec="0", StartLimitBurst="4", StartLimitIntervalSec="1h")})
    u = b.wait_state("web", "failed")
    assert u["result"] == "start-limit-hit" and u["generation"] == 4 and len(b.deaths("web")) == 4
    b.ctl("start", "web")
    b.wait_state("web", "failed", generation=8)         # an operator's start counts anew


def test_without_a_limit_of_its_own_a_unit_never_gives_up(box):
    b = box({"web": service("false", Restart="always", RestartSec="0")})
    b.wait(lambda: b.unit("web")["restarts"] > 50)
