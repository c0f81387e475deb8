"""The record of an OOM kill: files, the next generation's word of it, and Kubernetes' termination log.

Nobody may fill this machine's memory: the files that count kills are ours here, as a container without the kernel's log has
them, and a SIGKILL while they rise is an OOM kill to whoever can only read them.
"""
import json
import os
import shlex
import subprocess

import pytest

from box import CTL, DEADLINE, NAMESPACES, OOMPH, script, service

COUNTS = """\
mount -t tmpfs none /sys/fs/cgroup
echo 'oom_kill 0' >/sys/fs/cgroup/memory.events
: >/sys/fs/cgroup/cgroup.procs
echo 31457280 >/sys/fs/cgroup/memory.current
echo max >/sys/fs/cgroup/memory.max
"""
OWN_VAR = "mount -t tmpfs -o size=8m none /var/lib\n"
OWN_LOGS = "mount -t tmpfs -o size=8m none /var/log && mkdir -p /var/log/oomph/struck.service\n"
OWN_RUN_LOGS = "mkdir -p /run/log && mount -t tmpfs -o size=8m none /run/log\n"
DEV = "mkdir -p /mnt/dev && mknod -m 666 /mnt/dev/null c 1 3 && echo stale >/mnt/dev/termination-log && mount --bind /mnt/dev /dev\n"
RECORDS = "/var/lib/oomph/incidents.jsonl"
STAYS = "sleep 1000"
# Says what it found, each time that it starts.
FINDS = script('echo "record: $OOMPH_LAST_DEATH"; test -z "$OOMPH_LAST_DEATH" || cat $OOMPH_LAST_DEATH; exec sleep 1000')


def kill_for_memory(b, unit):
    """As the kernel would: first the count rises, then the process dies. The death, once it is told."""
    before = len(b.deaths(unit))
    b.inside(f"read key n </sys/fs/cgroup/memory.events; echo oom_kill $((n + 1)) >/sys/fs/cgroup/memory.events;"
             f"kill -KILL {b.wait_state(unit, 'up')['main_pid']}")
    b.wait(lambda: len(b.deaths(unit)) > before, f"the death of {unit}")
    return b.deaths(unit)[-1]


def records(b, path=RECORDS):
    """What stands in the file, of what is whole."""
    text = b.inside(f"cat {path} 2>/dev/null || :")
    return [json.loads(line) for line in text.splitlines() if line.endswith("}")]


def wait_records(b, n):
    return b.wait(lambda: len(r := records(b)) >= n and r, f"{n} records in {RECORDS}")


def oom(b, *words):
    """Asked from within, where the files are."""
    command = shlex.join([str(CTL), "--socket", "/mnt/run/control", *words])
    return subprocess.run(["nsenter", "-t", str(b.pid), "-m", "-p", "sh", "-c", command], capture_output=True, text=True,
                          timeout=DEADLINE)


def shown(b, *words):
    r = oom(b, "--json", "oom", *words)
    assert r.returncode == 0
    return [json.loads(line) for line in r.stdout.splitlines()]


def test_record_is_appended_and_shown(box):
    b = box({"struck": service(STAYS, Restart="no")}, before=COUNTS + OWN_VAR)
    death = kill_for_memory(b, "struck")
    assert (death["cause"], death["oom"]["evidence"]) == ("oom-kill", ["memory.events"])
    record, = wait_records(b, 1)
    assert {key: record[key] for key in death} == death
    incident = record["incident"]
    assert (incident["first_death"], incident["kernel"], incident["tasks"]) == (death["id"], [], [])
    assert [(c["path"], c["current"], c["max"], c["events"]["oom_kill"]) for c in incident["cgroups"]] == [("/", 31457280, None, 1)]
    assert incident["mem_total_kb"] > incident["mem_available_kb"] > 0
    assert record["boot_id"] == open("/proc/sys/kernel/random/boot_id").read().strip()
    assert shown(b) == [record]                 # in the ring and in the file, and told once
    words = oom(b, "oom").stdout
    assert words.count("killed by the kernel's OOM killer") == 1 and "30 MB in /" in words
    why = oom(b, "why", "struck").stdout
    assert "30 MB in /" in why and "Record    /mnt/run/last-death/struck.json" in why
    assert b.inside("stat -c '%a %u' /var/lib/oomph /var/lib/oomph/incidents.jsonl").split() == ["755", "0", "640", "0"]


def log(b, text, generation=1, more="-u"):
    """A line as oomph-log keeps it, read just now."""
    b.inside(f"""echo "$(date {more} -u +%FT%T.%6NZ) {generation} 5 out.info {text}" >>/var/log/oomph/struck.service/current""")


def test_last_words_are_kept_and_shown(box):
    b = box({"struck": service(STAYS, Restart="always", RestartSec="300ms")}, before=COUNTS + OWN_VAR + OWN_LOGS)
    log(b, "of the boot before", more="-d -1hour")
    for i in range(12):
        log(b, f"word {i}")
    kill_for_memory(b, "struck")
    record, = wait_records(b, 1)
    words = [f"word {i}" for i in range(2, 12)]
    assert record["last_words"] == words
    assert "Said      " in record["text"] and "word 11" in record["text"]
    assert json.loads(b.inside("cat /mnt/run/last-death/struck.json"))["last_words"] == words
    b.wait_state("struck", "up", generation=2)
    log(b, "its successor", generation=2)
    assert json.loads(oom(b, "--json", "why", "struck").stdout)["last_words"] == words
    why = oom(b, "why", "struck").stdout
    assert "word 11" in why and "successor" not in why and "boot before" not in why
    status = oom(b, "status", "struck").stdout.splitlines()
    assert [text.split(maxsplit=2)[2] for text in status[-11:]] == words[1:] + ["-- generation 2 --", "its successor"]


def test_what_a_service_writes_is_shown_where_its_logger_kept_it(box):
    """The whole way: service, pipe, oomph-log, file, oomphctl."""
    writes = "echo out; echo '<3>err' >&2; echo more; exec sleep 1000"
    b = box({"struck": service(script(writes), Restart="always", RestartSec="300ms")}, before=COUNTS + OWN_VAR + OWN_LOGS + OWN_RUN_LOGS,
            options=["--log=files"])
    b.wait(lambda: oom(b, "logs", "struck").stdout.count("more") == 1)
    kill_for_memory(b, "struck")
    record, = wait_records(b, 1)
    assert sorted(record["last_words"]) == ["err", "more", "out"]
    b.wait(lambda: oom(b, "logs", "struck").stdout.count("more") == 2)
    lines = [json.loads(text) for text in oom(b, "--json", "logs", "struck").stdout.splitlines()]
    assert sorted((o["generation"], o["stream"], o["priority"], o["text"]) for o in lines if o["stream"] != "note") == sorted(
        (g, *own) for g in (1, 2) for own in (("out", "info", "out"), ("err", "err", "err"), ("out", "info", "more")))
    shown = oom(b, "logs", "struck", "-p", "err").stdout
    assert "-- struck died: oom-kill" in shown and "more" not in shown
    assert "more" in oom(b, "status", "struck").stdout and "more" in oom(b, "why", "struck").stdout


def test_last_words_of_any_death(box):
    b = box({"struck": service(STAYS, Restart="no")}, before=OWN_LOGS)
    log(b, "farewell")
    b.inside(f"kill -KILL {b.wait_state('struck', 'up')['main_pid']}")
    b.wait_state("struck", "failed")
    assert json.loads(oom(b, "--json", "why", "struck").stdout)["last_words"] == ["farewell"]
    assert "farewell" in oom(b, "why", "struck").stdout


def test_next_generation_finds_its_predecessors_record(box):
    b = box({"struck": service(FINDS, Restart="always", RestartSec="500ms"), "other": service(FINDS, Restart="always", RestartSec=0)},
            before=COUNTS + OWN_VAR)
    b.wait(lambda: b.console.count("record: \n") == 2, "two that have no predecessor")
    death = kill_for_memory(b, "struck")
    b.wait_for("record: /mnt/run/last-death/struck.json")
    line = b.wait(lambda: b.said('"unit":"struck.service"'), "the record")
    assert json.loads(line)["id"] == death["id"]
    # Whose predecessor died of something else has no such word, whatever became of others.
    b.inside(f"kill -KILL {b.unit('other')['main_pid']}; kill -KILL {b.wait_state('struck', 'up')['main_pid']}")
    b.wait(lambda: b.console.count("record: \n") == 4, "two whose predecessors were not killed for memory")
    assert b.console.count("record: /") == 1


def test_record_is_its_services_to_read(box):
    b = box({"struck": service(FINDS, Restart="always", RestartSec="500ms", User="nobody")}, before=COUNTS + OWN_VAR)
    kill_for_memory(b, "struck")
    assert json.loads(b.wait(lambda: b.said('"unit":"struck.service"'), "the record"))["unit"] == "struck.service"
    assert b.inside("stat -c '%a %U' /mnt/run/last-death/struck.json").split() == ["440", "nobody"]


OLD = json.dumps({"id": 7, "unit": "old.service", "time": "2020-01-02T03:04:05.000Z", "boot_id": "b", "pid1_since": "s",
                  "text": "old: killed long ago\n  Memory    \"12\" MB \\ of 12", "incident": {"kernel": ["a } b ] \" c"]}}, separators=(",", ":"))


def test_torn_line_is_skipped_and_nothing_else_is_lost(box):
    """A crash while a record was written, and the next boot."""
    torn = OLD.replace('"id":7', '"id":8')[:100]
    b = box({"struck": service(STAYS, Restart="no")}, files={"records": OLD + "\n" + torn},
            before=COUNTS + OWN_VAR + f"mkdir /var/lib/oomph && cp /mnt/records {RECORDS}\n")
    r = oom(b, "--json", "oom")
    assert r.stdout == OLD + "\n"
    assert r.stderr.splitlines() == [f"oomphctl: {RECORDS}: skipped what is no whole record: 1 line"]
    death = kill_for_memory(b, "struck")
    wait_records(b, 2)
    assert b.inside(f"cat {RECORDS}").startswith(OLD + "\n" + torn + "\n{")
    assert [record["id"] for record in shown(b)] == [7, death["id"]]
    assert [record["id"] for record in shown(b, "-n", "1")] == [death["id"]]
    assert "old: killed long ago\n  Memory    \"12\" MB \\ of 12\n" in oom(b, "oom").stdout


def test_what_was_told_again_stands_once_with_the_last_word(box):
    later = OLD.replace("killed long ago", "killed, and its whole group with it")
    b = box({}, files={"records": "\n".join([OLD, OLD.replace('"id":7', '"id":8'), later]) + "\n"},
            before=COUNTS + OWN_VAR + f"mkdir /var/lib/oomph && cp /mnt/records {RECORDS}\n")
    assert [(record["id"], "group" in record["text"]) for record in shown(b)] == [(7, True), (8, False)]


def test_full_file_is_put_aside_once(box):
    many = "".join(OLD.replace('"id":7', f'"id":{n}') + "\n" for n in range(1, 6001))
    b = box({"struck": service(STAYS, Restart="no")}, files={"records": many},
            before=COUNTS + OWN_VAR + f"mkdir /var/lib/oomph && cp /mnt/records {RECORDS} && echo older >{RECORDS}.1\n")
    kill_for_memory(b, "struck")
    b.wait(lambda: len(records(b)) == 1, "a new file")
    assert len(records(b, RECORDS + ".1")) == 6000
    assert b.inside("ls -A /var/lib/oomph").split() == ["incidents.jsonl", "incidents.jsonl.1"]
    assert len(shown(b)) == 6001


@pytest.mark.parametrize("var", [
    "mount -t tmpfs -o ro none /var/lib\n", "mount -t tmpfs none /var\n",
    OWN_VAR + "echo >/var/lib/oomph\n",
], ids=["read-only", "missing", "not a folder"])
def test_without_a_place_in_var_the_ring_alone_has_it(box, var):
    b = box({"struck": service(FINDS, Restart="always", RestartSec="500ms")}, before=COUNTS + var)
    death = kill_for_memory(b, "struck")
    b.wait(lambda: b.said('"unit":"struck.service"'), "the record beside the socket")
    assert [record["id"] for record in shown(b)] == [death["id"]]
    assert not b.said("cannot be kept")


def test_full_disk_is_told_once_and_leaves_no_half_line(box):
    small = "mount -t tmpfs -o size=16k none /var/lib && mkdir /var/lib/oomph && head -c 12000 /dev/zero >/var/lib/ballast\n"
    b = box({"struck": service(STAYS, Restart="always", RestartSec=0)}, before=COUNTS + small)
    for _ in range(4):
        kill_for_memory(b, "struck")
    b.wait_for("the record of OOM kills cannot be kept: no space left")
    b.inside("rm /var/lib/ballast")
    assert b.inside(f"tail -c 1 {RECORDS}") in ("", "\n")
    assert len(shown(b)) == 4
    kill_for_memory(b, "struck")
    b.wait(lambda: {record["id"] for record in records(b)} >= {1, 2, 3, 4, 5}, "all of them, once there is room")
    assert b.console.count("cannot be kept") == 1


def test_ring_goes_round(box):
    b = box({"struck": service(STAYS, Restart="always", RestartSec=0)}, before=COUNTS + OWN_VAR)
    for _ in range(20):
        kill_for_memory(b, "struck")
    wait_records(b, 20)
    assert [record["id"] for record in shown(b)] == list(range(1, 21))
    b.inside(f"rm {RECORDS}")
    kept = shown(b)
    assert [record["id"] for record in kept] == list(range(1, 21))
    assert [record["incident"] is None for record in kept] == [True] * 4 + [False] * 16


def test_descriptor_that_is_given_away_is_for_reading(box):
    b = box(before=COUNTS)
    links = {fd: os.readlink(f"/proc/{b.pid}/fd/{fd}") for fd in os.listdir(f"/proc/{b.pid}/fd")}
    ours = [fd for fd, what in links.items() if "oomph-incidents" in what]
    flags = sorted(int(open(f"/proc/{b.pid}/fdinfo/{fd}").read().split("flags:")[1].split()[0], 8) & os.O_ACCMODE for fd in ours)
    assert flags == [os.O_RDONLY, os.O_RDWR]
    assert os.stat(f"/proc/{b.pid}/fd/{ours[0]}").st_mode & 0o777 == 0o400


# ---- the termination log ----

def test_verdict_of_the_last_main_process_stands_in_the_termination_log(box):
    b = box({"first": service(STAYS, Restart="no"), "second": service(script("read x </mnt/fifo; exit 3"), Restart="no"),
             "clean": service(STAYS, Restart="no"), "fine": service("/bin/true", Restart="no")},
            before=COUNTS + OWN_VAR + DEV + "mkfifo /mnt/fifo\n")
    b.wait_state("fine", "done")
    kill_for_memory(b, "first")
    said = b.wait(lambda: "first" in (text := b.read("dev/termination-log")) and text, "the first verdict")
    assert "first: pid" in said and "killed by the kernel's OOM killer" in said and "Evidence: memory.events." in said
    b.inside("echo >/mnt/fifo")
    b.wait(lambda: "second: pid" in (text := b.read("dev/termination-log")) and "exited with status 3" in text, "the second")
    b.do("stop", "clean")
    b.signal(15)
    assert b.leave() == 0
    assert b.read("dev/termination-log").startswith("second: pid")


def run_command(tmp_path, command, dev=DEV):
    """`oomph -- COMMAND` as a container's PID 1. Its exit status, and what the termination log says then."""
    inside = f"mount --bind {tmp_path} /mnt\n{dev}exec {OOMPH} -- {shlex.join(command)}"
    r = subprocess.run([*NAMESPACES, "sh", "-e", "-c", inside], capture_output=True, text=True, timeout=DEADLINE)
    log = tmp_path / "dev/termination-log"
    return r.returncode, log.read_text() if log.is_file() else None


@pytest.mark.parametrize("command, status, said", [
    (["sh", "-c", "exit 3"], 3, "exited with status 3"),
    (["sh", "-c", "kill -KILL $$"], 137, "killed by SIGKILL; "),
    (["/nowhere/at-all"], 127, "could not be started: "),
])
def test_command_that_leaves_at_once_has_its_verdict_written(tmp_path, command, status, said):
    left, log = run_command(tmp_path, command)
    assert left == status
    assert log.startswith("command: ") and said in log and log.count("\n") == 1


def test_command_that_ends_well_leaves_the_log_alone(tmp_path):
    assert run_command(tmp_path, ["true"]) == (0, "stale\n")


def test_log_that_is_not_there_is_not_made(tmp_path):
    left, log = run_command(tmp_path, ["sh", "-c", "exit 3"], DEV + "rm /mnt/dev/termination-log\n")
    assert (left, log) == (3, None)


def test_log_that_cannot_be_written_holds_nobody_up(tmp_path):
    """A FIFO that nobody reads: opening it would wait for ever."""
    assert run_command(tmp_path, ["sh", "-c", "exit 3"], DEV.replace("echo stale >", "mkfifo "))[0] == 3


def libdir(folder, oomphctl):
    """A folder of helpers with this as oomphctl, or with none."""
    folder.mkdir()
    (folder / "oomph-load").symlink_to(OOMPH.with_name("oomph-load"))
    if oomphctl:
        (folder / "oomphctl").write_text(oomphctl)
        (folder / "oomphctl").chmod(0o755)
    return folder


def test_recorder_that_hangs_holds_the_end_up_no_longer_than_a_moment(tmp_path):
    (tmp_path / "box").mkdir()
    folder = libdir(tmp_path / "lib", "#!/bin/sh\nexec sleep 1000\n")
    left, log = run_command(tmp_path / "box", ["sh", "-c", "exit 3"], DEV + f"export OOMPH_LIBDIR={folder}\n")
    assert (left, log) == (3, "stale\n")


@pytest.mark.skipif(os.path.exists("/usr/bin/oomphctl"), reason="there is one to fall back upon")
def test_recorder_that_is_not_there_is_told_once(box, tmp_path):
    b = box({"struck": service(STAYS, Restart="always", RestartSec=0)}, before=COUNTS + OWN_VAR,
            env={"OOMPH_LIBDIR": str(libdir(tmp_path / "lib", None))})
    for _ in range(2):
        kill_for_memory(b, "struck")
    b.wait_for("the record of OOM kills cannot be kept: no such file or directory")
    assert [record["id"] for record in shown(b)] == [1, 2]
    assert b.console.count("cannot be kept") == 1
