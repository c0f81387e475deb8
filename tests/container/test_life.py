"""Lives as systemd 252 was seen to lead them: commands around the main process, what they are told, and how it ends."""
import re

import pytest

from box import script, service

STAYS = "sleep 1000"
TOLD = script("echo $SERVICE_RESULT ${EXIT_CODE-none} ${EXIT_STATUS-none} >>/mnt/told")


def told(box):
    return box.read("told").splitlines()


# ---- ExecStopPost= and what it is told ----

def test_a_oneshot_stops_at_its_first_failure_and_is_cleaned_up_behind(box):
    steps = [script("echo 1 >>/mnt/out"), "-false", script("echo 2 >>/mnt/out"), "false", script("echo 3 >>/mnt/out")]
    b = box({"job": service(steps, Type="oneshot", ExecStopPost=TOLD)})
    assert b.wait_state("job", "failed")["result"] == "exit-code"
    assert b.read("out") == "1\n2\n"
    assert told(b) == ["exit-code exited 1"]


def test_a_status_that_counts_as_success_lets_a_oneshot_go_on(box):
    b = box({"job": service([script("exit 7"), script("echo 2 >>/mnt/out")], Type="oneshot", SuccessExitStatus="7")})
    b.wait_state("job", "done")
    assert b.read("out") == "2\n"


def test_a_condition_that_says_no_is_no_failure(box):
    b = box({"job": service(script("echo ran >>/mnt/out"), ExecCondition=script("exit 1"), ExecStopPost=TOLD, Restart="always")})
    assert b.wait_state("job", "done")["result"] == "exec-condition"
    assert told(b) == ["exec-condition none none"]
    assert b.ctl("start", "job").returncode == 0
    assert b.read("out") == ""


def test_every_start_up_to_the_limit_is_cleaned_up_behind(box):
    b = box({"web": service(script("exit 3"), Restart="on-failure", RestartSec="20ms", StartLimitIntervalSec="10",
                            StartLimitBurst="5", ExecStopPost=TOLD)})
    u = b.wait_state("web", "failed")
    assert u["result"] == "start-limit-hit" and u["restarts"] == 4
    assert told(b) == ["exit-code exited 3"] * 5


def test_an_end_by_a_sigterm_of_its_own_is_clean(box):
    b = box({"web": service(script("kill -TERM $$"), Restart="on-failure", ExecStopPost=TOLD)})
    b.wait_state("web", "done")
    assert told(b) == ["success killed TERM"]


def test_exec_stop_knows_the_main_process_and_the_result(box):
    b = box({"web": service(STAYS, ExecStop=script("echo $SERVICE_RESULT ${EXIT_CODE-none} $MAINPID >>/mnt/told"),
                            ExecStopPost=TOLD)})
    pid = b.wait_state("web", "up")["main_pid"]
    b.do("stop", "web")
    assert told(b) == [f"success none {pid}", "success killed TERM"]


def test_who_leaves_by_itself_is_stopped_in_order_too(box):
    b = box({"web": service(script("echo main >>/mnt/out"), ExecStop=script("echo stop >>/mnt/out"),
                            ExecStopPost=script("echo post >>/mnt/out")),
             "job": service("true", Type="oneshot", ExecStop=script("echo job >>/mnt/job"))})
    b.wait_state("web", "done")
    assert b.read("out") == "main\nstop\npost\n"
    b.wait_state("job", "done")
    assert b.read("job") == "job\n"


def test_a_life_has_a_name_that_all_of_it_knows(box):
    names = script("echo $INVOCATION_ID >>/mnt/ids; exec sleep 1000")
    b = box({"web": service(names, ExecStartPre=script("echo $INVOCATION_ID >>/mnt/ids"),
                            ExecStartPost=script("test $SYSTEMD_EXEC_PID = $$"))})
    b.wait_state("web", "up")
    b.wait(lambda: len(b.read("ids").splitlines()) == 2, "two ids")
    b.do("restart", "web")
    b.wait(lambda: len(b.read("ids").splitlines()) == 4, "two more")
    ids = b.read("ids").splitlines()
    assert ids[0] == ids[1] != ids[2] == ids[3]
    assert all(re.fullmatch("[0-9a-f]{32}", i) for i in ids)


# ---- Restart=, and what overrules it ----

def test_a_status_may_prevent_a_restart_or_force_one(box):
    once = script("test -e /mnt/again || { touch /mnt/again; exit 9; }; exec sleep 1000")
    b = box({"no": service(script("exit 7"), Restart="always", RestartPreventExitStatus="7 SIGABRT"),
             "yes": service(once, Restart="no", RestartForceExitStatus="9", RestartSec="10ms")})
    b.wait_state("no", "failed", restarts=0)
    b.wait_state("yes", "up", restarts=1)


# ---- stopping ----

@pytest.mark.parametrize("end", [{}, {"SendSIGKILL": "yes", "FinalKillSignal": "SIGQUIT"}])
def test_a_stop_that_has_to_be_forced_leaves_it_failed(box, end):
    b = box({"web": service("/mnt/tools/stubborn", TimeoutStopSec="300ms", **end)})
    b.wait_for("stubborn: here")
    b.do("stop", "web")
    u = b.unit("web")
    assert u["state"] == "failed" and u["result"] == "timeout" and u["want"] == "down"
    assert b.deaths("web")[-1]["signal"] == (3 if "FinalKillSignal" in end else 9)


def test_a_stop_answered_with_a_bad_status_leaves_it_failed(box):
    b = box({"web": service(script("trap 'exit 64' TERM; echo set; while :; do sleep 0.05; done"))})
    b.wait_for("set")
    b.do("stop", "web")
    assert b.unit("web")["state"] == "failed"
    assert b.unit("web")["result"] == "exit-code"


def test_sighup_follows_sigterm_where_the_unit_says_so(box):
    seen = script("trap : TERM; trap 'echo hup >>/mnt/out; exit 0' HUP; echo set; while :; do sleep 0.05; done")
    b = box({"web": service(seen, SendSIGHUP="yes", KillMode="mixed")})
    b.wait_for("set")
    b.do("stop", "web")
    assert b.read("out") == "hup\n"
    assert b.unit("web")["state"] == "idle"


def test_who_is_stopped_by_a_signal_can_still_be_told_to_end(box):
    b = box({"web": service(script("kill -STOP $$"), TimeoutStopSec="60")})
    pid = b.wait_state("web", "up")["main_pid"]
    b.wait(lambda: b.proc(pid).joinpath("stat").read_text().rpartition(") ")[2][0] == "T", "it to stand still")
    b.do("stop", "web")
    assert b.deaths("web")[-1]["cause"] == "stop"


def test_a_restart_may_have_a_signal_of_its_own(box):
    b = box({"web": service("/mnt/tools/catch", RestartKillSignal="SIGUSR2", SuccessExitStatus="12 15")})
    b.wait_for("catch: ready")
    b.do("restart", "web")
    b.wait_for("catch: got SIGUSR2")
    b.wait(lambda: b.console.count("catch: ready") == 2, "the next one")
    b.do("stop", "web")
    b.wait_for("catch: got SIGTERM")


@pytest.mark.parametrize("mode, signal", [("terminate", "SIGTERM"), ("abort", "SIGABRT"), ("kill", None)])
def test_a_start_that_takes_too_long_ends_as_the_unit_says(box, mode, signal):
    b = box({"web": service("/mnt/tools/catch", Type="notify", TimeoutStartSec="3s", TimeoutStartFailureMode=mode)})
    assert b.wait_state("web", "failed")["result"] == "timeout"
    assert b.deaths("web")[-1]["cause"] == "timeout"
    assert not signal or b.wait_for("catch: got " + signal)


# ---- starting ----

def test_a_bare_name_that_is_nowhere_fails_and_a_dash_forgives_it(box):
    b = box({"no": service("nosuchprogram", Type="exec"), "yes": service(STAYS, ExecStartPre="-/nosuch")})
    b.wait_state("no", "failed")
    assert b.deaths("no")[-1]["step"] == "exec"
    b.wait_state("yes", "up")


def test_only_exec_finds_out_before_it_is_up(box):
    b = box({"simple": service("/nosuch"), "exec": service("/nosuch", Type="exec")})
    assert b.ctl("start", "exec").returncode == 1
    b.wait_state("simple", "failed")
    assert b.said("simple: up") and not b.said("exec: up")


def test_reload_and_stop_of_a_oneshot_that_remains(box):
    b = box({"job": service("true", Type="oneshot", RemainAfterExit="yes", ExecReload=script("echo reload >>/mnt/told"), ExecStop=TOLD)})
    b.wait_state("job", "up")
    b.do("reload", "job")
    b.wait(lambda: told(b) == ["reload"], "the reload")
    b.wait_state("job", "up", step="running")
    b.do("stop", "job")
    assert told(b) == ["reload", "success exited 0"]
