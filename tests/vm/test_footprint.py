"""What PID 1 costs the machine: memory, wake-ups, and patience when memory is short."""

import re

import pytest

PAUSE = "[Service]\nExecStart=/usr/bin/pause\n"

MACHINE = {"units": {f"first{n}.service": PAUSE for n in range(3)}}       # five with the agent and oomph-net

# One shell that samples, waits and samples, so that nothing of ours runs in between.
SAMPLE = """\
sample() { while read -r key value; do case $key in *ctxt_switches:) echo "$value";; esac; done </proc/1/status; }
sample; sleep %d; sample
"""


def private_kb(vm):
    rollup = vm.check("cat /proc/1/smaps_rollup")
    return sum(int(n) for n in re.findall(r"^Private_\w+:\s+(\d+) kB", rollup, re.M))


def switches_while_idle(vm, n_seconds):
    voluntary, forced, voluntary_after, forced_after = map(int, vm.check(SAMPLE % n_seconds).split())
    return voluntary_after - voluntary + forced_after - forced


def test_idle_means_idle(vm):
    vm.wait(lambda: all(unit["state"] in ("up", "done") for unit in vm.json("oomphctl --json list -a")))
    vm.check("sleep 1")                 # the last command's socket is closed, and noticed
    assert switches_while_idle(vm, 5) == 0


def test_memory_of_pid_1(vm, record_property):
    few = private_kb(vm)
    vm.check("for n in $(seq 100); do printf '[Service]\\nExecStart=/usr/bin/pause\\n' >/etc/services.d/more$n.service; done;"
             "oomphctl reload")
    vm.wait(lambda: sum(unit["state"] == "up" for unit in vm.json("oomphctl --json list")) >= 104, timeout=60)
    many = private_kb(vm)
    print(f"\nPID 1, private memory: {few} kB with 5 services, {many} kB with 105; {(many - few) / 100:.2f} kB a service")
    record_property("private_kb", (few, many))
    assert many <= 200
    assert many - few <= 100


def test_idle_with_a_hundred_services(vm):
    assert len(vm.json("oomphctl --json list")) >= 104, "the test before this one has started them"
    vm.check("sleep 1")
    assert switches_while_idle(vm, 3) == 0


def test_reloads_leave_nothing_behind(vm):
    """Mappings and descriptors of a set that is no longer in force are given back."""
    def held():
        return int(vm.check("ls /proc/1/fd | wc -l")), int(vm.check("wc -l </proc/1/maps"))
    vm.check("oomphctl reload")
    before = held(), private_kb(vm)
    for _ in range(10):
        vm.check("oomphctl reload")
    after = held(), private_kb(vm)
    assert after[0] == before[0]
    assert after[1] <= before[1] + 4


def test_a_thousand_respawns_leave_nothing_behind(vm):
    vm.add("blink", "[Service]\nExecStart=/bin/true\nRestart=always\nRestartSec=0\n")
    vm.wait(lambda: vm.unit("blink")["restarts"] > 20)
    before = int(vm.check("ls /proc/1/fd | wc -l")), private_kb(vm)
    n = vm.unit("blink")["restarts"]
    vm.wait(lambda: vm.unit("blink")["restarts"] > n + 200, timeout=60)
    after = int(vm.check("ls /proc/1/fd | wc -l")), private_kb(vm)
    vm.remove("blink")
    assert after[0] <= before[0] + 2    # a launch may be under way in either look
    assert after[1] <= before[1] + 4


# ---- a machine that thrashes ----

@pytest.fixture
def swap(tmp_path):
    image = tmp_path / "swap"
    with open(image, "wb") as f:
        f.truncate(256 << 20)
    return "-drive", f"file={image},format=raw,if=none,id=swap", "-device", "nvme,serial=1,drive=swap"


def test_pid_1_answers_while_the_machine_thrashes(machine, swap):
    m = machine(mem=128, qemu=swap, units={"web.service": PAUSE})
    m.wait_state("web", "up")
    m.check("mkswap /dev/nvme0n1 && swapon /dev/nvme0n1")
    m.add("hog", "[Service]\nExecStart=/usr/bin/hog 150 0 churn\nOOMScoreAdjust=900\nRestart=no\n")

    def pages_in():
        return int(re.search(r"^pswpin (\d+)", m.check("cat /proc/vmstat", timeout=60), re.M)[1])

    m.wait(lambda: pages_in() > 10_000, timeout=90)
    before = pages_in()
    resident = m.check("grep -E 'VmSwap|VmRSS' /proc/1/status", timeout=60)
    pid = m.unit("web")["main_pid"]
    m.check(f"kill -KILL {pid}; oomphctl start web", timeout=60)
    assert m.unit("web")["main_pid"] != pid
    assert {u["unit"]: u["state"] for u in m.json("oomphctl --json list", timeout=60)}["hog.service"] == "up"
    assert pages_in() > before, "it was not thrashing while it was asked"
    assert re.search(r"VmSwap:\s+0 kB", resident), "PID 1 was swapped out"
    m.check("oomphctl stop hog", timeout=60)
