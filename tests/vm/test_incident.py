"""The incident record, held against the kernel's own log and files."""

import json
import re

import pytest

from machine import KERNELS  # noqa: F401

RECORDS = "/var/lib/oomph/incidents.jsonl"
SLICE = "/sys/fs/cgroup/system.slice"
# A dozen processes of different sizes that nobody kills, so that a table has more rows than are kept.
POOL = """\
#!/bin/sh
for mb in 1 2 3 4 5 6 7 1 2 3 1 2; do hog $mb & done
exec hog 1
"""

MACHINE = {
    "mem": 176,
    "cmdline": "log_buf_len=1M",        # so that the log still has all that is compared
    "files": {"/var/lib/keep": "", "/usr/bin/pool": POOL},
    "units": {"pool.service": "[Service]\nExecStart=/usr/bin/pool\nOOMScoreAdjust=-900\n"},
}


def kernel_records(vm, last):
    """Of /dev/kmsg up to this number, the kernel's own: {number: text}."""
    raw = vm.check(f"cat /dev/kmsg >/tmp/kmsg & until grep -q '^[0-9]*,{last},' /tmp/kmsg; do :; done; kill $!; cat /tmp/kmsg")
    found = {}
    for line in raw.splitlines():
        head, _, text = line.partition(";")
        if re.match(r"\d+,\d+,\d+,", head):
            priority, seq, _, flags = head.split(",")[:4]
            if int(priority) >> 3 == 0 and flags == "-":
                found[int(seq)] = text
    return found


ROW = re.compile(r"\[ *(\d+)\] +\d+ +(\d+) +\d+ +(\d+) .* (\S+)$")


def story(vm, death):
    """The log's lines of the OOM that this death came of: (without the table's rows, the rows)."""
    last = death["oom"]["kmsg_seq"]
    records = kernel_records(vm, last)
    first = max(seq for seq, text in records.items() if seq <= last and "invoked oom-killer:" in text)
    told = [text for seq, text in sorted(records.items()) if first <= seq <= last]
    return [text for text in told if not ROW.match(text)], [text for text in told if ROW.match(text)]


def in_file(vm, name):
    """All records of a service that are in the file; nobody says when the file is made."""
    lines = vm.check(f"cat {RECORDS} 2>/dev/null || :").splitlines()
    return [record for record in map(json.loads, lines) if record["unit"] == name + ".service"]


def record_of(vm, name):
    return vm.wait(lambda: in_file(vm, name))[-1]


def is_there(vm, path):
    return vm.run(f"test -e {path}")[0] == 0


def check_lines(vm, record):
    """Verbatim and in order; a dump that is too long has lost lines of its middle, and says how many."""
    lines, rows = story(vm, record)
    kept, n_cut = record["incident"]["kernel"], record["incident"]["kernel_lines_cut"]
    if n_cut == 0:
        assert kept[:len(lines)] == lines
    assert (kept[0], lines[-1] in kept, len(lines) - n_cut <= len(kept)) == (lines[0], True, True)
    rest = iter(lines)
    assert all(line in rest for line in kept[:len(lines) - n_cut]), "not in the kernel's order"
    return rows


def test_limited_service_killed_at_its_limit(vm):
    vm.add("leak", "[Service]\nExecStart=/usr/bin/hog 60\nMemoryMax=12M\nMemoryHigh=1G\nRestart=no\n")
    death = vm.wait_death("leak")
    record = record_of(vm, "leak")
    assert {key: record[key] for key in death} == death
    rows = check_lines(vm, record)
    incident = record["incident"]
    assert [task["row"] for task in incident["tasks"]] == rows
    assert [(task["pid"], task["name"], task["service"]) for task in incident["tasks"]] == [(death["pid"], "hog", "leak.service")]
    assert abs(incident["tasks"][0]["rss_kb"] - death["oom"]["anon_rss_kb"]) < 1024
    own, slice, root = incident["cgroups"]
    assert [c["path"] for c in (own, slice, root)] == ["/system.slice/leak.service", "/system.slice", "/"]
    assert (own["max"], own["high"], slice["max"]) == (12 << 20, 1 << 30, None)
    # The victim may be gone by the time of the look; what it had had at most is not.
    assert own["current"] <= 12 << 20 and slice["current"] >= own["current"]
    assert (own["events"]["oom_kill"], own["events"]["oom"]) == (1, 1)
    assert (own["peak"] is not None) == is_there(vm, SLICE + "/memory.peak")
    assert (own["swap_current"] is not None) == is_there(vm, SLICE + "/memory.swap.current")
    if own["peak"]:
        assert own["current"] <= own["peak"] <= 12 << 20
    for pressure in (own["pressure"], slice["pressure"], incident["pressure"]):
        for kind in ("some", "full"):
            assert set(pressure[kind]) == {"avg10", "avg60", "avg300", "total_us"}
            assert 0 <= pressure[kind]["avg10"] <= 100
    assert incident["mem_total_kb"] > incident["mem_available_kb"] > 0
    assert (record["uptime_ms"], record["restart"]) == (death["uptime_ms"], False)
    why = vm.check("oomphctl why leak")
    for words in ("of 12 MB in /system.slice/leak.service", "throttled above 1 GB", "Pressure  machine: some", "available of",
                  "Largest   hog 1", "(leak)", "Record    /run/oomph/last-death/leak.json"):
        assert words in why


def test_machine_out_of_memory_and_its_ten_largest_tasks(vm):
    vm.wait_state("pool", "up")
    vm.wait(lambda: len(vm.processes("pool")) == 13)
    vm.add("app", "[Service]\nExecStart=/usr/bin/hog 4000\nOOMScoreAdjust=800\nRestart=no\n")
    death = vm.wait_death("app", timeout=60)
    assert death["oom"]["scope"] == "global"
    record = record_of(vm, "app")
    rows = check_lines(vm, record)
    incident = record["incident"]
    assert incident["tasks_total"] == len(rows) >= 14
    largest = sorted(rows, key=lambda row: -int(ROW.match(row)[3]))[:10]
    assert [task["row"] for task in incident["tasks"]] == largest
    assert [task["rss_kb"] for task in incident["tasks"]] == [int(ROW.match(row)[3]) * 4 for row in largest]
    services = {str(pid): "pool.service" for pid in vm.processes("pool")} | {str(death["pid"]): "app.service"}
    for task in incident["tasks"]:
        if str(task["pid"]) in services:
            assert task["service"] == services[str(task["pid"])]
    assert [task["service"] for task in incident["tasks"][:3]] == ["app.service", "pool.service", "pool.service"]
    # The reaper may have given back what the victim had by the time of the look; the kernel's own lines are of before.
    assert 0 < incident["mem_free_kb"] < incident["mem_total_kb"]
    assert incident["cgroups"][0]["path"] == "/system.slice/app.service"


def test_group_kill_is_one_record_a_victim_and_one_cause(vm):
    vm.add("group", "[Service]\nExecStart=/usr/bin/hog 60 0 child\nMemoryMax=12M\nOOMPolicy=kill\nRestart=no\n")
    vm.wait_state("group", "failed")
    vm.wait(lambda: len(in_file(vm, "group")) == 2)
    first, second = sorted(in_file(vm, "group"), key=lambda record: record["id"])
    assert {first["pid"], second["pid"]} == {death["pid"] for death in vm.deaths("group")}
    assert first["incident"]["first_death"] == second["incident"]["first_death"] == first["id"]
    assert all(record["oom"]["group"] for record in (first, second))
    assert [line for line in first["incident"]["kernel"] if "invoked oom-killer" in line]
    assert [line for line in first["incident"]["kernel"] if line.startswith("Tasks in /system.slice/group.service are")]
    own, = second["incident"]["kernel"]
    assert f"Killed process {second['pid']} " in own and own in first["incident"]["kernel"]
    assert "tasks" not in second["incident"] and "cgroups" in first["incident"]
    # What the service is given has the cause in it, whichever of its processes it is about.
    last = vm.json("cat /run/oomph/last-death/group.json")[0]
    assert (last["main"], last["incident"]["kernel"]) == (True, first["incident"]["kernel"])
    assert vm.check("oomphctl oom").count("the same as that of death") == 1


def test_next_generation_is_told(vm):
    vm.add("heir", "[Service]\nExecStart=/bin/sh -c 'echo \"$${OOMPH_LAST_DEATH-none}\" >>/tmp/heir;"
                   " test -z \"$OOMPH_LAST_DEATH\" || { cp $OOMPH_LAST_DEATH /tmp/will; exec pause; }; exec hog 60'\n"
                   "MemoryMax=12M\nRestartSec=1s\nUser=nobody\n")
    death = vm.wait_death("heir")
    vm.wait_generation("heir", 2)
    vm.wait(lambda: is_there(vm, "/tmp/will"))
    assert vm.check("cat /tmp/heir").split() == ["none", "/run/oomph/last-death/heir.json"]
    will, = vm.json("cat /tmp/will")
    assert (will["id"], will["generation"], will["restart"]) == (death["id"], 1, True)


def test_worker_without_a_table_of_its_own_is_on_record(vm):
    """The kernel limits headers and tables to ten in five seconds, and never the line that names the victim."""
    vm.add("burst", "[Unit]\nStartLimitBurst=14\nStartLimitIntervalSec=1h\n"
                    "[Service]\nExecStart=/usr/bin/hog 60\nMemoryMax=4M\nRestart=always\nRestartSec=0\n")
    vm.wait_state("burst", "failed", timeout=90)
    vm.wait(lambda: len(in_file(vm, "burst")) == 14)
    for record in in_file(vm, "burst"):
        assert f"Killed process {record['pid']} (hog)" in "\n".join(record["incident"]["kernel"])
        assert record["incident"]["cgroups"][0]["max"] == 4 << 20
    assert vm.json("oomphctl --json version")[0]["bugs"] == 0


@pytest.fixture
def records(vm):
    """The file as the tests before have left it, or this one alone has to make one."""
    if not is_there(vm, RECORDS):
        vm.add("leak", "[Service]\nExecStart=/usr/bin/hog 60\nMemoryMax=12M\nRestart=no\n")
        record_of(vm, "leak")
    return vm.check(f"cat {RECORDS}").splitlines()[-8:]


def test_records_of_before_a_reboot_are_shown(machine, records):
    kept = "".join(line + "\n" for line in records)
    m = machine(files={RECORDS: kept + records[0][:500]})
    status, out = m.run("oomphctl --json oom 2>/tmp/warning")
    assert (status, out) == (0, kept)
    assert m.check("cat /tmp/warning") == f"oomphctl: {RECORDS}: skipped what is no whole record: 1 line\n"
    m.add("leak", "[Service]\nExecStart=/usr/bin/hog 60\nMemoryMax=12M\nRestart=no\n")
    m.wait_death("leak")
    shown = m.json("oomphctl --json oom 2>/dev/null")
    assert [record["id"] for record in shown] == [*(json.loads(line)["id"] for line in records), 1]
    assert len({record["boot_id"] for record in shown}) == 2
