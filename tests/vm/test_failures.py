"""The kernel says no: a failed fork or exec is an event with a retry, never a forgotten service."""

import pytest

SLICE = "/sys/fs/cgroup/system.slice"
PAUSE = "[Service]\nExecStart=/usr/bin/pause\n"

MACHINE = {"units": {"bystander.service": PAUSE}}


def test_failed_fork_is_tried_again_until_it_succeeds(vm):
    """clone3(2) into a cgroup whose pids.max is reached: EAGAIN."""
    vm.add("crowded", PAUSE + "Restart=always\nRestartSec=0\n")
    pid = vm.wait_state("crowded", "up")["main_pid"]
    vm.check(f"echo 0 >{SLICE}/crowded.service/pids.max; kill -KILL {pid}")
    failures = vm.wait(lambda: (d := [d for d in vm.deaths("crowded") if d["cause"] == "start-failed"]) and len(d) >= 2 and d)
    assert {d["step"] for d in failures} == {"fork"}
    assert all(d["restart"] and d["delay_ms"] > 0 and d["pid"] is None for d in failures)
    assert vm.unit("crowded")["want"] == "up"
    vm.check(f"echo max >{SLICE}/crowded.service/pids.max")
    assert vm.wait_state("crowded", "up")["main_pid"] not in (None, pid)


def test_no_process_at_all_can_be_made_and_everybody_comes_back(vm):
    """The whole slice is full: services that die meanwhile wait, and none is forgotten."""
    names = ["one", "two", "three"]
    for name in names:
        vm.add(name, PAUSE + "Restart=always\nRestartSec=0\n")
    pids = {name: vm.wait_state(name, "up")["main_pid"] for name in names}
    # In the root cgroup the limit does not hold for the shell itself.
    vm.check(f"""\
echo $$ >/sys/fs/cgroup/cgroup.procs
echo 0 >{SLICE}/pids.max
kill -KILL {' '.join(map(str, pids.values()))}
until [ "$(oomphctl --json deaths | grep -c '"cause":"start-failed"')" -ge 6 ]; do :; done
echo max >{SLICE}/pids.max""", timeout=60)
    for name in names:
        assert vm.wait_state(name, "up")["main_pid"] != pids[name]
    assert vm.unit("bystander")["generation"] == 1


def test_program_that_is_missing_is_told_and_tried_again_where_the_unit_says_so(vm):
    vm.add("late", "[Service]\nExecStart=/tmp/not-yet\nRestart=on-failure\nRestartSec=100ms\n")
    death = vm.wait_deaths("late", 2)[0]
    assert (death["cause"], death["step"], death["main"], death["restart"]) == ("start-failed", "exec", True, True)
    vm.put("/tmp/not-yet", "#!/bin/sh\nexec pause\n", 0o755)
    vm.wait_state("late", "up")


def test_program_that_is_missing_fails_a_unit_without_restart(vm):
    vm.add("gone", "[Service]\nExecStart=/nonexistent\n")
    assert vm.wait_state("gone", "failed")["generation"] == 1
    assert "no such file" in vm.check("oomphctl why gone").lower()


@pytest.mark.parametrize("type", ["simple", "exec", "oneshot", "notify"])
def test_services_of_every_type_fail_without_their_program(vm, type):
    vm.add(f"bad-{type}", f"[Service]\nType={type}\nExecStart=/nonexistent\n")
    assert vm.wait_state(f"bad-{type}", "failed")["result"] == "exit-code"


def test_reload_that_cannot_be_carried_out_is_refused_and_costs_nobody_anything(vm):
    """PID 1 itself can make no process, since its own cgroup is full."""
    vm.check("""\
mkdir /sys/fs/cgroup/full
echo 1 >/sys/fs/cgroup/full/cgroup.procs
echo 1 >/sys/fs/cgroup/full/pids.max
oomphctl reload >/tmp/answer 2>&1 && touch /tmp/answered-ok
echo 1 >/sys/fs/cgroup/cgroup.procs
rmdir /sys/fs/cgroup/full""")
    assert vm.run("test -e /tmp/answered-ok")[0] != 0
    assert vm.check("cat /tmp/answer").count("\n") == 1
    assert vm.unit("bystander")["generation"] == 1
    vm.check("oomphctl reload")


def test_commands_of_a_service_that_nests_controlled_cgroups_find_a_place(vm):
    """Its own cgroup takes no process any more while it is up; ExecReload= and ExecStop= still run inside it."""
    own = f"{SLICE}/nest.service"
    vm.add("nest", f"""\
[Service]
ExecStart=/bin/sh -c 'mkdir {own}/in; echo $$$$ >{own}/in/cgroup.procs; echo +pids >{own}/cgroup.subtree_control; exec pause'
ExecReload=/bin/sh -c 'cat /proc/self/cgroup >/run/reloaded'
ExecStop=/bin/sh -c 'cat /proc/self/cgroup >/run/stopped'
""")
    vm.wait_state("nest", "up")
    vm.wait(lambda: "pids" in vm.run(f"cat {own}/cgroup.subtree_control")[1])
    vm.check("oomphctl reload nest")
    vm.wait(lambda: "/nest.service/" in vm.run("cat /run/reloaded")[1])
    vm.check("oomphctl stop nest")
    assert "/nest.service/" in vm.check("cat /run/stopped")
    assert vm.run(f"ls {own}")[0] != 0
