"""Services from unit files: how they are started, and what they are given."""
import json

import pytest

from box import script, service

STAYS = "sleep 1000"


def told(box):
    """What tools/tell was given."""
    return json.loads(box.wait(lambda: box.read("told"), "tools/tell"))


# ---- order and dependencies ----

def test_units_start_in_order(box):
    b = box({
        "c": service("true", Type="oneshot", After="b.service"),
        "a": service("true", Type="oneshot"),
        "b": service(script("sleep 0.1"), Type="oneshot", After="a.service"),
    })
    b.wait_state("c", "done")
    assert b.said_in_order("a: done", "b: starting", "b: done", "c: starting")


def test_before_is_after_told_from_the_other_side(box):
    b = box({"late": service(STAYS), "early": service(script("sleep 0.1"), Type="oneshot", Before="late.service")})
    b.wait_state("late", "up")
    assert b.said_in_order("early: done", "late: starting")


def test_units_without_order_start_together(box):
    """One that never gets ready holds up nobody."""
    b = box({"a": service(STAYS, Type="notify"), "b": service(STAYS)})
    b.wait_state("b", "up")
    assert b.unit("a")["state"] == "starting"


def test_who_requires_a_failed_unit_and_comes_after_it_fails(box):
    b = box({
        "db": service("false", Type="oneshot"),
        "app": service(STAYS, Requires="db.service", After="db.service"),
        "log": service(STAYS, Wants="db.service", After="db.service"),
    })
    assert b.wait_state("app", "failed")["result"] == "dependency"
    b.wait_state("log", "up")


def test_who_requires_a_unit_that_is_not_there_fails(box):
    b = box({"app": service(STAYS, Requires="db.service", After="db.service")})
    assert b.wait_state("app", "failed")["result"] == "dependency"
    assert b.said("/mnt/services/app.service:2: Requires=db.service, which is not there")


# ---- types ----

def test_simple_is_up_at_once(box):
    b = box({"web": service(STAYS)})
    u = b.wait_state("web", "up")
    assert u["main_pid"] and u["generation"] == 1 and u["restarts"] == 0 and u["want"] == "up"


def test_exec_is_up_once_its_program_runs(box):
    b = box({"web": service(STAYS, Type="exec")})
    b.wait_state("web", "up")


@pytest.mark.parametrize("kind", ["simple", "exec"])
def test_a_missing_program_is_told(box, kind):
    b = box({"web": service("/nowhere/web", Type=kind)})
    b.wait_state("web", "failed")
    death = b.deaths("web")[-1]
    assert death["cause"] == "start-failed" and death["step"] == "exec" and death["error"] == "no such file or directory"


def test_exec_with_a_missing_program_was_never_up(box):
    b = box({"web": service("/nowhere/web", Type="exec"), "next": service(STAYS, After="web.service", Requires="web.service")})
    assert b.wait_state("next", "failed")["result"] == "dependency"
    assert not b.said("web: up")


def test_oneshot_runs_its_commands_one_after_another(box):
    b = box({"job": service([script(f"echo {n} >>/mnt/out") for n in (1, 2, 3)], Type="oneshot")})
    b.wait_state("job", "done")
    assert b.read("out") == "1\n2\n3\n"


def test_oneshot_stops_at_the_first_real_failure(box):
    steps = [script("echo 1 >>/mnt/out"), "-false", script("echo 2 >>/mnt/out"), "false", script("echo 3 >>/mnt/out")]
    b = box({"job": service(steps, Type="oneshot")})
    assert b.wait_state("job", "failed")["result"] == "exit-code"
    assert b.read("out") == "1\n2\n"


def test_remain_after_exit_is_up_without_a_process(box):
    b = box({"job": service("true", Type="oneshot", RemainAfterExit="yes", ExecStop=script("echo stopped >/mnt/out"))})
    assert b.wait_state("job", "up")["main_pid"] is None
    b.do("stop", "job")
    assert b.read("out") == "stopped\n"
    assert b.unit("job")["state"] == "idle"


def test_a_bare_name_is_found_on_path(box):
    b = box({"web": service("sleep 1000", Type="exec")})
    b.wait_state("web", "up")


# ---- notify ----

def test_notify_is_up_when_it_says_so(box):
    b = box({"web": service("/mnt/tools/notify STATUS=loading", Type="notify"), "next": service(STAYS, After="web.service")})
    u = b.wait_state("web", "starting", status_text="loading")
    assert u["step"] == "not ready yet"
    assert b.unit("next")["state"] == "starting"
    b.put("web", service("/mnt/tools/notify STATUS=loading READY=1", Type="notify"))
    b.do("reload")
    b.do("restart", "web")
    b.wait_state("next", "up")
    assert b.said_in_order("web: up", "next: starting")


@pytest.mark.parametrize("access, is_heard", [("main", False), ("all", True)])
def test_notify_access_says_who_is_heard(box, access, is_heard):
    b = box({"web": service("/mnt/tools/notify fork:READY=1 fork:STATUS=child STATUS=", Type="notify", NotifyAccess=access)})
    b.wait_for("notify: said")
    assert (b.wait_state("web", "up") if is_heard else b.unit("web"))["state"] == ("up" if is_heard else "starting")


def test_notify_that_leaves_before_it_is_ready_has_failed(box):
    b = box({"web": service("/mnt/tools/notify exit", Type="notify")})
    assert b.wait_state("web", "failed")["result"] == "protocol"


def test_notify_from_a_stranger_is_ignored(box):
    b = box({"web": service("/mnt/tools/notify STATUS=mine READY=1", Type="notify")})
    b.wait_state("web", "up")
    b.inside("timeout 5 env NOTIFY_SOCKET=/mnt/run/notify python3 -c 'import socket; "
             "socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b\"STATUS=theirs\", \"/mnt/run/notify\")'")
    b.do("version")     # what was sent before is read by now
    assert b.unit("web")["status_text"] == "mine"


# ---- the other commands ----

def test_pre_main_and_post_in_order(box):
    b = box({"web": service(script("echo main >>/mnt/out; exec sleep 1000"), Type="exec",
                            ExecStartPre=[script("echo pre1 >>/mnt/out"), script("echo pre2 >>/mnt/out")],
                            ExecStartPost=script("while ! grep -q main /mnt/out; do sleep 0.01; done; echo post >>/mnt/out"))})
    b.wait_state("web", "up")
    assert b.read("out").split() == ["pre1", "pre2", "main", "post"]


def test_a_failing_pre_keeps_the_main_process_from_starting(box):
    b = box({"web": service(script("echo main >/mnt/out"), ExecStartPre="false")})
    assert b.wait_state("web", "failed")["result"] == "exit-code"
    assert b.read("out") == ""


def test_a_failing_post_ends_the_service(box):
    b = box({"web": service(STAYS, ExecStartPost="false")})
    assert b.wait_state("web", "failed")["result"] == "exit-code"


def test_reload_and_stop_know_the_main_pid(box):
    b = box({"web": service(STAYS, ExecReload=script("echo reload $MAINPID >>/mnt/out").replace("$$", "$"),
                            ExecStop=script("echo stop $MAINPID >>/mnt/out").replace("$$", "$"))})
    pid = b.wait_state("web", "up")["main_pid"]
    b.do("reload", "web")
    b.wait(lambda: b.read("out") == f"reload {pid}\n")
    b.wait_state("web", "up", step="running")
    b.do("stop", "web")
    assert b.read("out") == f"reload {pid}\nstop {pid}\n"


def test_stop_that_ends_the_main_process_itself_is_enough(box):
    b = box({"web": service(STAYS, KillSignal="SIGCONT", ExecStop="/bin/kill -USR1 $MAINPID")})
    b.wait_state("web", "up")
    b.do("stop", "web")
    assert b.deaths("web")[-1]["signal"] == 10


# ---- environment ----

def test_environment_and_files_are_expanded(box):       # 141
    b = box({"web": service("/mnt/tools/tell ${ONE}x $MANY '$ONE' $$ONE \"${MANY}\" $NONE ${NONE} %n",
                            Environment=['ONE=1 "MANY=a b"', "LATE=unit"], EnvironmentFile=["/mnt/env", "-/nowhere"])},
            files={"env": "# from a file\nFILE='f f'\nLATE=file\n"})
    t = told(b)
    assert t["argv"] == ["1x", "a", "b", "1", "$ONE", "a b", "", "web.service"]
    assert t["env"]["FILE"] == "f f" and t["env"]["LATE"] == "file"


def test_a_missing_environment_file_is_a_failed_start(box):     # 142
    b = box({"web": service(STAYS, EnvironmentFile="/nowhere")})
    b.wait_state("web", "failed")
    assert b.deaths("web")[-1]["step"] == "EnvironmentFile="


def test_environment_files_are_read_at_each_start(box):
    b = box({"web": service("/mnt/tools/tell", EnvironmentFile="/mnt/env")}, files={"env": "A=1\n"})
    assert told(b)["env"]["A"] == "1"
    (b.folder / "env").write_text("A=2\n")
    (b.folder / "told").unlink()
    b.do("restart", "web")
    assert told(b)["env"]["A"] == "2"


# ---- settings of the process ----

def test_a_service_with_nothing_set(box):
    b = box({"web": service("/mnt/tools/tell", StandardOutput="null")}, env={"SECRET": "of whoever started oomph"})
    t = told(b)
    assert t["cwd"] == "/" and t["umask"] == "0022" and t["uid"] == t["gid"] == 0 and t["nice"] == 0 and t["score"] == 0
    assert t["stdio"][0] == "/dev/null" and t["fds"] == [0, 1, 2]
    assert t["leads_session"]
    assert 13 in t["SigIgn"] and t["SigBlk"] == []
    assert set(t["SigIgn"]) <= {13, 25}                 # python itself ignores SIGXFSZ
    assert set(t["env"]) <= {"PATH", "LANG", "INVOCATION_ID", "SYSTEMD_EXEC_PID", "LC_CTYPE", "HOME", "USER", "LOGNAME", "SHELL"}
    assert len(t["env"]["INVOCATION_ID"]) == 32 and t["env"]["SYSTEMD_EXEC_PID"] == str(b.unit("web")["main_pid"])
    assert t["nofile"][0] == 1024


def test_signals_ignored_by_whoever_started_oomph_are_not_passed_on(box):
    b = box({"web": service("/mnt/tools/tell")}, before="trap '' HUP INT TERM CHLD USR1")
    assert set(told(b)["SigIgn"]) <= {13, 25}


@pytest.mark.parametrize("settings, key, value", [
    ({"User": "nobody"}, "uid", 65534),
    ({"User": "nobody"}, "gid", 65534),
    ({"User": "nobody"}, "groups", [65534]),
    ({"User": "65534"}, "uid", 65534),
    ({"User": "nobody", "Group": "daemon"}, "gid", 1),
    ({"Group": "nogroup"}, "gid", 65534),
    ({"Group": "nogroup"}, "uid", 0),
    ({"WorkingDirectory": "/usr"}, "cwd", "/usr"),
    ({"WorkingDirectory": "-/nowhere"}, "cwd", "/"),
    ({"UMask": "0077"}, "umask", "0077"),
    ({"Nice": "5"}, "nice", 5),
    ({"Nice": "-5"}, "nice", -5),
    ({"LimitNOFILE": "512"}, "nofile", [512, 512]),
    ({"LimitNOFILE": "100:200"}, "nofile", [100, 200]),
    ({"LimitCORE": "0"}, "core", [0, 0]),
    ({"LimitNPROC": "77"}, "nproc", [77, 77]),
    ({"OOMScoreAdjust": "500"}, "score", 500),
], ids=lambda v: "-".join(f"{k}={x}" for k, x in v.items()).replace("/", "_") if isinstance(v, dict) else None)
def test_setting(box, settings, key, value):
    b = box({"web": service("/mnt/tools/tell", **settings)})
    assert told(b)[key] == value


def test_a_users_environment(box):
    b = box({"web": service("/mnt/tools/tell", User="daemon")})
    env = told(b)["env"]
    assert env["USER"] == env["LOGNAME"] == "daemon" and env["HOME"] == "/usr/sbin"


@pytest.mark.parametrize("settings, step", [
    ({"User": "no-such-user"}, "User="),
    ({"WorkingDirectory": "/nowhere"}, "WorkingDirectory="),
    ({"StandardInput": "file:/nowhere"}, "StandardInput="),
    ({"StandardOutput": "file:/nowhere/x"}, "StandardOutput="),
], ids=lambda v: None if isinstance(v, str) else next(iter(v)))
def test_a_setting_that_cannot_be_had_fails_the_start(box, settings, step):
    b = box({"web": service(STAYS, **settings)})
    b.wait_state("web", "failed")
    death = b.deaths("web")[-1]
    assert death["cause"] == "start-failed" and death["step"] == step


# ---- input and output ----

@pytest.mark.parametrize("how, after", [("file", "new\nlonger\n"), ("append", "an older text\nnew\n"), ("truncate", "new\n")])
def test_standard_output(box, how, after):
    before = {"file": "old\nlonger\n"}.get(how, "an older text\n")
    b = box({"job": service("echo new", Type="oneshot", StandardOutput=f"{how}:/mnt/out")}, files={"out": before})
    b.wait_state("job", "done")
    assert b.read("out") == after


def test_error_goes_where_output_goes(box):
    b = box({"job": service(script("echo out; echo err >&2"), Type="oneshot", StandardOutput="truncate:/mnt/out")})
    b.wait_state("job", "done")
    assert b.read("out") == "out\nerr\n"


def test_error_elsewhere(box):
    b = box({"job": service(script("echo out; echo err >&2"), Type="oneshot", StandardOutput="truncate:/mnt/out",
                            StandardError="append:/mnt/err")})
    b.wait_state("job", "done")
    assert (b.read("out"), b.read("err")) == ("out\n", "err\n")


def test_output_to_null_and_to_the_console(box):
    b = box({"quiet": service("echo nobody hears this", Type="oneshot", StandardOutput="null"),
             "loud": service("echo everybody hears this", Type="oneshot", After="quiet.service", StandardOutput="inherit")})
    b.wait_state("loud", "done")
    b.wait_for("everybody hears this")
    assert not b.said("nobody hears this")


def test_standard_input_from_a_file(box):
    b = box({"job": service("cat", Type="oneshot", StandardInput="file:/mnt/in", StandardOutput="truncate:/mnt/out")},
            files={"in": "input\n"})
    b.wait_state("job", "done")
    assert b.read("out") == "input\n"


# ---- where something may not be had ----

def test_a_score_that_is_refused_is_a_warning(box):
    """Without CAP_SYS_RESOURCE nobody gets below what he has."""
    b = box({"db": service("/mnt/tools/tell", OOMScoreAdjust="-900")})
    score = told(b)["score"]
    u = b.unit("db")
    assert u["state"] == "up" and score > -900
    assert u["oom_score_adj"] == -900 and "OOMScoreAdjust=" in u["warning"]
    assert b.said("db: OOMScoreAdjust= could not be applied: ")
    assert "OOMScoreAdjust=" in b.do("status", "db")


def test_a_memory_limit_without_cgroups_is_a_warning(box):
    b = box({"db": service(STAYS, MemoryMax="64M")})
    u = b.wait_state("db", "up")
    assert "cgroup" in u["warning"]


def test_a_read_only_root_with_a_writable_run(box):
    b = box({"web": service(script("touch /run/web && ! touch /web && exec sleep 1000"), Type="exec"),
             "job": service("true", Type="oneshot"), "last": service("/mnt/tools/notify READY=1", Type="notify", After="job.service")},
            before="mkdir -p /mnt/run; mount --bind /mnt/run /run; mount -o remount,bind,ro /")
    b.wait_state("last", "up")
    b.wait(lambda: b.read("run/web") == "" and (b.folder / "run/web").exists())
    assert b.states() == {"web": "up", "job": "done", "last": "up"}
