"""What hostile services and users try, where it takes a machine of its own. Which attacks there are, SECURITY.md tells."""
import pytest

CGROUPS = "/sys/fs/cgroup/system.slice"
MACHINE = {"units": {"bystander.service": "[Service]\nExecStart=/usr/bin/pause\n"}}


@pytest.mark.parametrize("what", ["hardlinks", "symlinks", "fifos", "regular"])
def test_links_and_fifos_of_others_are_no_trap(vm, what):
    assert vm.check(f"cat /proc/sys/fs/protected_{what}").strip() == "1"


def given_a_service_that(vm, name, does):
    vm.put(f"/tmp/{name}", f"#!/bin/sh\ncd {CGROUPS}/{name}.service\n{does}\nexec pause\n", 0o755)
    vm.add(name, f"[Service]\nExecStart=/tmp/{name}\nRestart=no\n")
    vm.wait_state(name, "up")
    vm.wait(lambda: vm.run(f"test -e /tmp/{name}.ready")[0] == 0)


def test_a_cgroup_that_hides_goes_with_its_service(vm):
    given_a_service_that(vm, "hider", "mkdir .hidden; pause & echo $! >.hidden/cgroup.procs; touch /tmp/hider.ready")
    vm.check("oomphctl stop hider")
    assert vm.run(f"test -e {CGROUPS}/hider.service")[0] != 0


def test_cgroups_without_number_hold_nobody_up(vm):
    given_a_service_that(vm, "crowd", "seq 1 1500 | xargs mkdir; touch /tmp/crowd.ready")
    vm.check("oomphctl restart crowd")
    assert vm.wait_state("crowd", "up")["generation"] == 2
    vm.check("oomphctl stop crowd")
    vm.wait_state("bystander", "up")


def test_a_cgroup_called_as_another_unit_is_not_that_unit(vm):
    """What happens in it happens to whoever made it."""
    given_a_service_that(vm, "liar", "mkdir bystander.service; pause & echo $! >bystander.service/cgroup.procs; touch /tmp/liar.ready")
    before = vm.unit("bystander")
    vm.check(f"kill -KILL $(cat {CGROUPS}/liar.service/bystander.service/cgroup.procs)")
    vm.check("oomphctl stop liar")
    after = vm.unit("bystander")
    assert (after["main_pid"], after["state"], vm.deaths("bystander")) == (before["main_pid"], "up", [])
