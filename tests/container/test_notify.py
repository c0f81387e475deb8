"""sd_notify(3) beyond READY=1: the watchdog, time, reloads, and who may say so."""
import pytest

from box import script, service

STAYS = "sleep 1000"


# ---- watchdog ----

def test_who_falls_silent_is_ended_for_a_core_dump(box):
    b = box({"web": service("/mnt/tools/notify READY=1 WATCHDOG=1", Type="notify", WatchdogSec="300ms", Restart="on-watchdog",
                            RestartSec="20s", ExecStopPost=script("echo $SERVICE_RESULT $EXIT_CODE $EXIT_STATUS >/mnt/told"))})
    assert b.wait_state("web", "backoff")["result"] == "watchdog"
    death = b.deaths("web")[-1]
    assert (death["cause"], death["main"], death["restart"]) == ("watchdog", True, True)
    assert b.read("told").split()[0] == "watchdog" and b.read("told").split()[2] == "ABRT"


def test_a_watchdog_is_told_to_the_main_process_alone(box):
    say = "echo ${WATCHDOG_USEC-none} $(( ${WATCHDOG_PID-0} == $$ )) >>/mnt/told"
    b = box({"web": service(script(say + "; exec sleep 1000"), WatchdogSec="1min", ExecStartPre=script(say))})
    b.wait(lambda: b.read("told") == "none 0\n60000000 1\n", "both")


def test_it_may_set_its_watchdog_itself(box):
    b = box({"web": service("/mnt/tools/notify READY=1 WATCHDOG_USEC=100000", Type="notify")})
    assert b.wait_state("web", "failed")["result"] == "watchdog"


def test_a_watchdog_can_be_pulled(box):
    b = box({"web": service("/mnt/tools/notify READY=1 WATCHDOG=trigger", Type="notify", WatchdogSec="1min", WatchdogSignal="SIGQUIT")})
    assert b.wait_state("web", "failed")["result"] == "watchdog"
    assert b.deaths("web")[-1]["signal"] == 3


# ---- time ----

def test_a_service_lives_no_longer_than_it_may(box):
    b = box({"web": service(STAYS, RuntimeMaxSec="200ms", ExecStop=script("echo stop >>/mnt/out"))})
    assert b.wait_state("web", "failed")["result"] == "timeout"
    assert b.read("out") == "stop\n"


def test_a_start_may_ask_for_more_time(box):
    """Both are given two seconds; the one that asked for a minute is still at it when the other's is over."""
    b = box({"long": service("/mnt/tools/notify EXTEND_TIMEOUT_USEC=60000000", Type="notify", TimeoutStartSec="2s"),
             "short": service("/mnt/tools/notify STATUS=here", Type="notify", TimeoutStartSec="2s", After="none.service")})
    assert b.wait_state("short", "failed")["result"] == "timeout"
    b.wait_for("notify: said EXTEND")
    assert b.unit("long")["state"] == "starting"


def test_who_says_that_it_is_stopping_is_not_told_to(box):
    b = box({"web": service("/mnt/tools/notify READY=1 STOPPING=1", Type="notify", TimeoutStopSec="300ms", ExecStop=script("echo no >/mnt/out"))})
    assert b.wait_state("web", "failed")["result"] == "timeout"
    assert b.read("out") == ""
    b.put("web", service("/mnt/tools/notify READY=1 STOPPING=1 exit", Type="notify"))
    b.do("reload")
    b.do("restart", "web")
    assert b.wait_state("web", "done")["result"] == "success"


# ---- reloading ----

@pytest.mark.parametrize("signal", ["SIGHUP", "SIGUSR1"])
def test_notify_reload_is_told_by_a_signal_and_waited_for(box, signal):
    b = box({"web": service("/mnt/tools/reload", Type="notify-reload", ReloadSignal=signal)}, before="mkfifo /mnt/fifo")
    b.wait_state("web", "up")
    for n in (1, 2):
        b.do("reload", "web")
        b.wait(lambda: b.console.count("reload: got " + signal) == n, "the signal")
        b.wait_state("web", "up", step="reload-notify")
        with open(b.folder / "fifo", "w"):
            pass
        b.wait_state("web", "up", step="running", status_text="reloaded")
    b.do("stop", "web")


def test_a_reload_that_is_never_answered_ends_with_its_time(box):
    b = box({"web": service("/mnt/tools/notify READY=1", Type="notify-reload", TimeoutStartSec="1s", ReloadSignal="SIGURG")})
    b.wait_state("web", "up")
    b.do("reload", "web")
    b.wait_state("web", "up", step="running")


# ---- who says so ----

def test_root_may_speak_for_the_main_process(box):
    """As systemd-notify(1) does, with its parent's pid for credentials."""
    b = box({"web": service("/mnt/tools/notify as-parent:READY=1", Type="notify")})
    b.wait_state("web", "up")
