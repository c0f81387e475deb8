"""Type=forking: whom has it left behind?"""
import os

from box import script, service, until

STAYS = "sleep 1000"
TOLD = script("echo ${MAINPID-none} ${PIDFILE-none} >>/mnt/told")


def test_the_one_that_is_left_is_the_main_process(box):
    b = box({"web": service("/mnt/tools/daemon", Type="forking", ExecStop=TOLD)})
    pid = b.wait_state("web", "up")["main_pid"]
    assert "daemon" in b.proc(pid).joinpath("cmdline").read_text()
    b.do("stop", "web")
    assert b.read("told") == f"{pid} none\n"
    b.wait(lambda: not b.is_alive(pid), "its end")
    assert b.unit("web")["result"] == "success"


def test_its_pid_file_names_it(box):
    b = box({"web": service("/mnt/tools/daemon /mnt/web.pid", Type="forking", PIDFile="/mnt/web.pid", ExecReload=TOLD, ExecStop=TOLD)})
    pid = b.wait_state("web", "up")["main_pid"]
    assert b.read("web.pid") == f"{pid}\n"
    b.do("reload", "web")
    b.wait(lambda: b.read("told"), "the reload")
    b.wait_state("web", "up", step="running")
    b.do("stop", "web")
    assert b.read("told") == f"{pid} /mnt/web.pid\n" * 2
    assert not (b.folder / "web.pid").exists()


def test_a_pid_file_is_waited_for(box):
    b = box({"web": service("/mnt/tools/daemon /mnt/web.pid /mnt/fifo", Type="forking", PIDFile="/mnt/web.pid")},
            before="mkfifo /mnt/fifo")
    b.wait_state("web", "starting", step="looking for its main process")
    with open(b.folder / "fifo", "w"):
        pass
    assert b.wait_state("web", "up")["main_pid"] == int(b.read("web.pid"))


def test_a_main_process_that_was_found_is_watched(box):
    b = box({"web": service("/mnt/tools/daemon /mnt/web.pid", Type="forking", PIDFile="/mnt/web.pid", Restart="on-failure",
                            RestartSec="10ms")})
    pid = b.wait_state("web", "up")["main_pid"]
    b.inside(f"kill -SEGV {pid}")
    u = b.wait_state("web", "up", restarts=1)
    assert u["main_pid"] != pid
    death = b.deaths("web")[-1]
    assert (death["pid"], death["main"], death["cause"]) == (pid, True, "signal")
    assert b.zombies() == []


def test_a_pid_file_that_names_a_stranger_is_not_believed(box):
    b = box({"other": service(STAYS, ExecStartPost=script("echo $MAINPID >/mnt/web.pid")),
             "web": service("/mnt/tools/daemon", Type="forking", PIDFile="/mnt/web.pid", After="other.service")})
    b.wait_for("web: PIDFile= could not be applied: operation not permitted")
    assert b.unit("web")["state"] == "starting"
    b.do("stop", "web")
    assert b.unit("other")["state"] == "up"


def test_a_daemon_that_never_wrote_its_pid_file_has_failed(box):
    b = box({"web": service("true", Type="forking", PIDFile="/mnt/web.pid")})
    assert b.wait_state("web", "failed")["result"] == "protocol"
    assert b.said("web: could not be started: PIDFile=: no such file or directory")


def test_what_forks_has_to_succeed(box):
    b = box({"web": service(script("exit 3"), Type="forking"), "next": service(STAYS, After="web.service", Requires="web.service")})
    assert b.wait_state("web", "failed")["result"] == "exit-code"
    assert b.wait_state("next", "failed")["result"] == "dependency"


def test_several_that_are_left_are_the_service_together(box):
    b = box({"web": service(script("sleep 1000 & sleep 1000 & echo $! >/mnt/one"), Type="forking", ExecStop=TOLD)})
    u = b.wait_state("web", "up")
    assert u["main_pid"] is None
    b.do("stop", "web")
    assert b.read("told") == "none none\n"
    b.wait(lambda: not b.is_alive(int(b.read("one"))), "its end")


def test_without_a_main_process_it_ends_with_the_last_one(box):
    b = box({"web": service(script("cat /mnt/fifo & cat /mnt/fifo &"), Type="forking", GuessMainPID="no")}, before="mkfifo /mnt/fifo")
    assert b.wait_state("web", "up")["main_pid"] is None

    def is_done():
        try:
            os.close(os.open(b.folder / "fifo", os.O_WRONLY | os.O_NONBLOCK))       # lets go whoever has come to read it
        except OSError:
            pass
        return b.unit("web")["state"] == "done"
    b.wait(is_done, "the end of both")


def test_with_exit_type_cgroup_a_service_outlives_its_main_process(box):
    b = box({"web": service(script("cat /mnt/fifo & exit 3"), ExitType="cgroup")}, before="mkfifo /mnt/fifo")
    b.wait_for("web: pid")
    assert b.unit("web")["state"] == "up" and b.unit("web")["main_pid"] is None
    with open(b.folder / "fifo", "w"):
        pass
    assert b.wait_state("web", "failed")["result"] == "exit-code"


def test_the_pid_file_of_any_type_goes_with_it(box):
    b = box({"web": service(script("echo $$ >/mnt/web.pid; exec sleep 1000"), PIDFile="/mnt/web.pid")})
    b.wait_state("web", "up")
    until(lambda: os.path.exists(b.folder / "web.pid"), "the file")
    b.do("stop", "web")
    assert not (b.folder / "web.pid").exists()
    assert b.unit("web")["result"] == "success"
