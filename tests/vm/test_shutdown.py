"""The machine's end: asked for in every way there is, in order, in time, and with clean file systems."""

import re
import subprocess

import pytest

PAUSE = "[Service]\nExecStart=/usr/bin/pause\n"
# Counts itself in when it is told to stop, and takes its time to go.
SLOW = """\
[Unit]
After=%s
[Service]
ExecStart=/bin/sh -c 'trap "echo %s leaves >/dev/console; exit 0" TERM; while :; do sleep 0.1; done'
"""
DEAF = """\
[Service]
ExecStart=/bin/sh -c 'trap "echo deaf heard >/dev/console" TERM; while :; do sleep 0.1; done'
TimeoutStopSec=700ms
"""
STACK = {
    "ground.service": SLOW % ("test-agent.service", "ground"),
    "house.service": SLOW % ("ground.service", "house"),
    "roof.service": SLOW % ("house.service", "roof"),
    "deaf.service": DEAF,
}


def said(m, pattern):
    """Where the console said so; it must have."""
    found = re.search(pattern, m.console(), re.M)
    assert found, f"no {pattern!r} in\n{m.console()}"
    return found.start()


@pytest.fixture
def disk(tmp_path):
    """A small ext4 image, as a disk of the machine."""
    image = tmp_path / "disk"
    subprocess.run(["mke2fs", "-q", "-t", "ext4", image, "16M"], check=True)
    return image


def nvme(image):
    return "-drive", f"file={image},format=raw,if=none,id=disk", "-device", "nvme,serial=1,drive=disk"


def test_poweroff_in_order_in_time_and_with_a_clean_disk(machine, disk):
    m = machine(units=STACK, qemu=nvme(disk))
    for name in ("ground", "house", "roof", "deaf"):
        m.wait_state(name, "up")
    m.check("mkdir /mnt /mnt/inner; mount -t ext4 /dev/nvme0n1 /mnt && mkdir -p /mnt/inner && mount -t tmpfs inner /mnt/inner")
    m.put("/mnt/letter", "kept\n")
    # Belongs to no service and holds a file open: somebody has to end it before the disk can be unmounted.
    m.check("echo $$ >/sys/fs/cgroup/cgroup.procs; cd /mnt; setsid pause >/mnt/open 2>&1 &")
    state = subprocess.run(["dumpe2fs", "-h", disk], capture_output=True, text=True).stdout
    assert "needs_recovery" in state, "the disk was never in use: nothing is tested"

    assert m.poweroff() == "guest-shutdown"

    assert said(m, "^roof leaves") < said(m, "^house leaves") < said(m, "^ground leaves")
    assert said(m, "^deaf heard") < said(m, "deaf: .*SIGKILL")
    assert "stays writable" not in m.console()
    state = subprocess.run(["dumpe2fs", "-h", disk], check=True, capture_output=True, text=True).stdout
    assert re.search(r"^Filesystem state:\s+clean$", state, re.M)
    assert "needs_recovery" not in state
    subprocess.run(["e2fsck", "-fn", disk], check=True, capture_output=True)
    letter = subprocess.run(["debugfs", "-R", "cat /letter", disk], check=True, capture_output=True, text=True).stdout
    assert letter == "kept\n"


def test_reboot_resets_the_machine(machine):
    assert machine(units={"a.service": PAUSE}).end("oomphctl reboot") == "guest-reset"


def test_ctrl_alt_delete_reboots_in_good_order(machine):
    m = machine(units={"ground.service": SLOW % ("test-agent.service", "ground")})
    m.wait_state("ground", "up")
    m.press("ctrl", "alt", "delete")
    assert m.wait_off() == "guest-reset"
    said(m, "^ground leaves")


@pytest.mark.parametrize("signal", ["TERM", "PWR"])
def test_signals_to_pid_1_power_off_in_good_order(machine, signal):
    m = machine(units={"ground.service": SLOW % ("test-agent.service", "ground")})
    m.wait_state("ground", "up")
    assert m.end(f"kill -{signal} 1") == "guest-shutdown"
    said(m, "^ground leaves")


def test_halt_stops_everything_and_leaves_the_power_on(machine):
    m = machine(units={"ground.service": SLOW % ("test-agent.service", "ground")})
    m.wait_state("ground", "up")
    m.check("(oomphctl halt &)")
    m.wait_console("System halted")
    said(m, "^ground leaves")
    assert m.process.poll() is None


def test_stubborn_exec_stop_does_not_hold_the_machine(machine):
    m = machine(units={"stuck.service": PAUSE + "ExecStop=/usr/bin/pause\nTimeoutStopSec=1\n"})
    m.wait_state("stuck", "up")
    assert m.poweroff() == "guest-shutdown"


def test_nothing_starts_any_more_once_the_end_has_begun(machine):
    """A service dies of its own and would be respawned, while another still takes its time."""
    m = machine(units={"ground.service": SLOW % ("test-agent.service", "ground"),
                       "eager.service": PAUSE + "Restart=always\nRestartSec=0\n", "deaf.service": DEAF})
    m.wait_state("eager", "up")
    m.wait_state("deaf", "up")
    assert m.poweroff() == "guest-shutdown"
    after = m.console()[said(m, "^oomph: powering off"):]
    assert "starting" not in after
