"""Type=forking where there are cgroups: who is in one belongs to its service, whatever session, parent or environment it has."""

# Nothing but its cgroup tells whose it is: a session of its own, PID 1 for a parent, an empty environment.
DAEMON = """\
#!/bin/sh
test "$2" || { setsid env -i /bin/sh "$0" "$1" again & exit; }
test "$1" = - || echo $$ >"$1"
exec /usr/bin/pause
"""


MACHINE = {"units": {"bystander.service": "[Service]\nExecStart=/usr/bin/pause\n"}, "files": {"/usr/bin/daemon": DAEMON}}


def forking(writes="-", **settings):
    lines = "".join(f"{key}={value}\n" for key, value in settings.items())
    return f"[Service]\nType=forking\nExecStart=/bin/sh /usr/bin/daemon {writes}\n{lines}"


def test_the_one_that_is_left_is_the_main_process(vm):
    vm.add("guessed", forking(Restart="always", RestartSec="0"))
    pid = vm.wait_state("guessed", "up")["main_pid"]
    assert pid and "guessed.service" in vm.check(f"cat /proc/{pid}/cgroup")
    vm.check(f"kill -SEGV {pid}")
    death = vm.wait_death("guessed")
    assert (death["pid"], death["main"], death["cause"]) == (pid, True, "signal")
    assert vm.wait(lambda: (u := vm.unit("guessed"))["state"] == "up" and u)["main_pid"] not in (None, pid)


def test_its_pid_file_names_it_and_goes_with_it(vm):
    vm.add("filed", forking("/run/filed.pid", PIDFile="filed.pid"))
    pid = vm.wait_state("filed", "up")["main_pid"]
    assert vm.check("cat /run/filed.pid").strip() == str(pid)
    vm.check("oomphctl stop filed; test ! -e /run/filed.pid")
    assert vm.unit("filed")["state"] == "idle"


def test_a_pid_file_that_names_a_stranger_is_not_believed(vm):
    vm.check(f"echo {vm.unit('bystander')['main_pid']} >/run/lie.pid")
    vm.add("liar", forking(PIDFile="/run/lie.pid"))
    vm.wait(lambda: "PIDFile= could not be applied: operation not permitted" in vm.check("oomphctl status liar"))
    assert vm.unit("liar")["state"] == "starting"
    vm.check("oomphctl stop liar")
    assert vm.unit("bystander")["state"] == "up"


def test_a_daemon_that_leaves_without_a_pid_file_has_failed(vm):
    vm.add("gone", "[Service]\nType=forking\nPIDFile=/run/gone.pid\nExecStart=/bin/true\n")
    assert vm.wait_state("gone", "failed")["result"] == "protocol"


def test_without_a_main_process_it_lives_as_long_as_anybody(vm):
    vm.add("headless", forking(GuessMainPID="no"))
    assert vm.wait_state("headless", "up")["main_pid"] is None
    vm.check("kill -TERM $(cat /sys/fs/cgroup/system.slice/headless.service/cgroup.procs)")
    assert vm.wait_state("headless", "done")["result"] == "success"


def test_a_main_process_that_was_found_is_an_oom_victim_like_any_other(vm):
    vm.add("leaky", "[Service]\nType=forking\nMemoryMax=12M\nExecStart=/bin/sh -c 'setsid /usr/bin/hog 60 20 &'\n")
    vm.wait_state("leaky", "up", "backoff")
    death = vm.wait_death("leaky")
    assert (death["cause"], death["main"]) == ("oom-kill", True)


def test_exit_type_cgroup_outlives_the_main_process(vm):
    vm.add("group", "[Service]\nExitType=cgroup\nExecStart=/bin/sh -c 'setsid /usr/bin/pause & exit 3'\n")
    vm.wait_death("group")
    assert vm.unit("group")["state"] == "up"
    vm.check("kill -TERM $(cat /sys/fs/cgroup/system.slice/group.service/cgroup.procs)")
    assert vm.wait_state("group", "failed")["result"] == "exit-code"
