"""oomphctl oom --from: kills told of by saved kernel logs of every form. Needs no running oomph."""
import csv
import json
import os
import pathlib
import subprocess

import pytest

from box import CTL

FULL = "total-vm:16740kB, anon-rss:16256kB, file-rss:12kB, shmem-rss:4kB, UID:1000 pgtables:68kB oom_score_adj:-5"
KILL = f"Memory cgroup out of memory: Killed process 703 (worker) {FULL}"
SUMMARY = ("oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/app.service,"
           "task_memcg=/app.service,task=worker,pid=703,uid=1000")
HEADER = "asker invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0"
STORY = [HEADER, SUMMARY, KILL]

KEYS = {"pid", "comm", "uid", "scope", "group", "evidence", "constraint", "memcg", "task_memcg", "invoked_by",
        "total_vm_kb", "anon_rss_kb", "file_rss_kb", "shmem_rss_kb", "pgtables_kb", "oom_score_adj", "kmsg_seq"}


def oom(log, *options, source="-"):
    """Runs the command with `log` (text, bytes or lines) on its standard input."""
    if isinstance(log, list):
        log = "\n".join(log) + "\n"
    data = log.encode() if isinstance(log, str) else log
    return subprocess.run([CTL, *options, "oom", "--from", source], input=data, capture_output=True, timeout=60)


def kills(log, *options):
    run = oom(log, "--json", *options)
    assert run.returncode == 0 and run.stderr == b""
    return [json.loads(line) for line in run.stdout.splitlines()]


def pids(log):
    return [k["pid"] for k in kills(log)]


# ---- forms ----

RAW = [f"4,512,{37123371 + i},-;{text}\n SUBSYSTEM=memory\n DEVICE=+x:y" for i, text in enumerate(STORY)]
PREFIXES = {
    "dmesg -t": "", "dmesg": "[   37.123371] ", "with callers": "[   37.123371][ T9185] ",
    "dmesg -T": "[Tue Mar 11 10:16:36 2025] ", "dmesg -T elsewhere": "[二 9月  3 05:57:48 2024] ",
    "dmesg -r": "<3>[   37.123371] ", "dmesg -x": "kern  :err   : [   37.123371] ", "dmesg -H": "[  +0.000010] ",
    "dmesg -d": "[   37.123371 <    0.000010>] ", "dmesg iso": "2024-09-03T10:00:05,123456+00:00 ",
    "dmesg coloured": "\033[32m[   37.123371] \033[0m\033[31m", "serial console": "kernel: ",
    "syslog": "Nov  5 23:29:38 solar kernel: [   37.123371] ", "syslog without times": "Nov  5 23:29:38 solar kernel: ",
    "rsyslog": "2024-09-03T10:00:05.123456+00:00 web-1 kernel: [   37.123371] ",
    "rfc 5424": "<3>1 2024-09-03T10:00:05.003Z web-1 kernel - - - ",
    "busybox": "Jan  1 00:00:10 box kern.err kernel: [   37.123371] ",
    "logread": "Tue Mar 11 10:16:36 2025 kern.err kernel: [   37.123371] ",
    "journalctl": "Nov 05 23:29:38 solar kernel: ", "short-precise": "Nov 05 23:29:38.123456 solar kernel: ",
    "short-full": "Tue 2024-09-03 10:00:05 UTC solar kernel: ", "short-iso": "2024-09-03T10:00:05+0000 solar kernel: ",
    "short-unix": "1725357605.123456 solar kernel: ", "short-monotonic": "[   37.123371] solar kernel: ",
}
LOGS = {"raw": RAW, **{name: [prefix + text for text in STORY] for name, prefix in PREFIXES.items()}}


@pytest.mark.parametrize("form", LOGS)
def test_every_form_of_a_log_tells_the_same(form):
    (kill,) = kills(LOGS[form])
    assert KEYS <= set(kill)
    told = {key: kill[key] for key in KEYS - {"kmsg_seq"}}
    assert told == {
        "pid": 703, "comm": "worker", "uid": 1000, "scope": "memcg", "group": False, "evidence": ["kmsg"],
        "constraint": "CONSTRAINT_MEMCG", "memcg": "/app.service", "task_memcg": "/app.service", "invoked_by": "asker",
        "total_vm_kb": 16740, "anon_rss_kb": 16256, "file_rss_kb": 12, "shmem_rss_kb": 4, "pgtables_kb": 68,
        "oom_score_adj": -5}
    assert kill["kmsg_seq"] == (512 if form == "raw" else None)


@pytest.mark.parametrize("form", LOGS)
def test_lines_may_end_as_on_other_systems(form):
    assert pids("\r\n".join(LOGS[form])) == [703]


@pytest.mark.parametrize("line, told", [
    ("Out of memory: Killed process 9 (a).", {"pid": 9, "comm": "a", "scope": "global", "total_vm_kb": None}),
    ("Killed process 9 (a)", {"pid": 9, "scope": None, "uid": None, "oom_score_adj": None}),
    ("Killed process 9 (a) vsz:8kB, anon-rss:0kB, file-rss:2kB",
     {"total_vm_kb": 8, "anon_rss_kb": 0, "shmem_rss_kb": None}),
    ("Killed process 9, UID 48, (a b) total-vm:8kB, anon-rss:4kB, file-rss:2kB", {"comm": "a b", "uid": 48}),
    ("Killed process 9 (a), UID 48, total-vm:8kB, anon-rss:4kB, file-rss:2kB, shmem-rss:0kB",
     {"uid": 48, "shmem_rss_kb": 0}),
    ("Out of memory (oom_kill_allocating_task): Killed process 9 (() total-vm:1kB) total-vm:8kB, anon-rss:4kB",
     {"comm": "() total-vm:1kB", "total_vm_kb": 8}),
    ("Kill process 9 (a) sharing same memory", {"pid": 9, "comm": "a"}),
])
def test_older_kernels(line, told):
    (kill,) = kills(["[    1.000000] " + line])
    assert {key: kill[key] for key in told} == told


# ---- what killed nobody ----

@pytest.mark.parametrize("line", [
    "Out of memory: Kill process 9 (a) score 5 or sacrifice child", HEADER, SUMMARY,
    "[  125]  1000   125     4183      0 worker", "Out of memory and no killable processes...",
    "oom_reaper: reaped process 9 (a), now anon-rss:0kB", "SAK: killed process 9 (a): because",
    "Memory cgroup out of memory: OOM victim 9 (a) is already exiting. Skip killing the task",
    "foo: Killed process 9 (a) total-vm:1kB", "Memory failure: 0x1: forcibly killing a:9 because of failure",
    "Would have killed process 9 (a). But continuing instead.",
    "Tasks in /x are going to be killed due to memory.oom.group set",
])
@pytest.mark.parametrize("form", ["dmesg -t", "dmesg", "syslog", "journalctl"])
def test_nothing_is_told_of_what_killed_nobody(form, line):
    assert kills([PREFIXES[form] + line] * 3) == []


@pytest.mark.parametrize("line", [
    "11,5,37123371,-;" + KILL, "<11>[   37.123371] " + KILL, "user  :err   : [   37.123371] " + KILL,
    "Jan  1 00:00:10 box user.notice kernel: " + KILL, "Nov  5 23:29:38 solar sshd[7]: " + KILL,
    "Nov  5 23:29:38 solar logger: kernel: " + KILL, "2024-09-03T10:00:05Z solar app[9]: kernel: " + KILL,
])
def test_what_a_program_wrote_is_no_kill(line):
    assert kills([line]) == []
    assert pids([line, PREFIXES["dmesg"] + KILL.replace("703", "704")]) == [704]


def test_a_cgroup_s_name_forges_nothing():
    fake = "[   37.123372] Out of memory: Killed process 1 (init) total-vm:1kB"
    for name in (fake, f"x,task=a,pid=1,uid=0{fake}", f"x,task=a,pid=1,uid=0{fake},uid=0"):
        summary = SUMMARY.replace("task_memcg=/app.service", "task_memcg=/app.service/" + name)
        assert pids(["[   37.123371] " + text for text in (HEADER, summary, KILL)]) == [703]
        assert pids([f"[   37.123371] Task in /{name} killed as a result of limit of /{name}"]) == []


# ---- wrapped and merged ----

@pytest.mark.parametrize("form", ["dmesg", "dmesg -t", "syslog", "journalctl"])
@pytest.mark.parametrize("width", range(20, 150, 7))
def test_a_kill_line_wrapped_at_a_blank_is_put_together(form, width):
    at = KILL.rfind(" ", 0, width)
    reaper = PREFIXES[form] + "oom_reaper: reaped process 703 (worker), now"
    lines = [PREFIXES[form] + KILL[:at], "  " + KILL[at + 1:], reaper]
    (kill,) = kills(lines)
    assert (kill["pid"], kill["comm"], kill["scope"], kill["oom_score_adj"]) == (703, "worker", "memcg", -5)


@pytest.mark.parametrize("form", ["dmesg", "dmesg -t", "syslog"])
def test_a_kill_line_wrapped_anywhere_loses_at_most_what_was_cut(form):
    (whole,) = kills([PREFIXES[form] + KILL])
    for at in range(len("Memory cgroup out of"), len(KILL)):
        for kill in kills([PREFIXES[form] + KILL[:at], KILL[at:]]):
            changed = {key for key in KEYS if kill[key] not in (whole[key], None)}
            assert changed <= ({"comm"} if KILL[:at].endswith("wor") else set()), KILL[:at]
            assert kill["pid"] == 703


def test_a_wrapped_summary_still_tells_the_cgroup():
    for at in range(30, len(SUMMARY), 5):
        lines = ["[    1.000000] " + HEADER, "[    1.000000] " + SUMMARY[:at], SUMMARY[at:], "[    1.000000] " + KILL]
        (kill,) = kills(lines)
        assert (kill["task_memcg"], kill["uid"]) == ("/app.service", 1000), at


def test_two_kills_one_after_the_other_stay_two():
    short = ["Killed process 5 (a) total-vm:8kB,", "Killed process 6 (b) total-vm:9kB, anon-rss:4kB, file-rss:2kB"]
    assert [(k["pid"], k["total_vm_kb"], k["anon_rss_kb"]) for k in kills(short)] == [(5, 8, None), (6, 9, 4)]


@pytest.mark.parametrize("gap", ["", " "])
def test_lines_run_into_one_are_told_apart(gap):
    texts = STORY + ["oom_reaper: reaped process 703 (worker), now"]
    line = gap.join(f"[   37.12337{i}] {text}" for i, text in enumerate(texts))
    (kill,) = kills([line])
    assert (kill["pid"], kill["task_memcg"], kill["oom_score_adj"]) == (703, "/app.service", -5)


# ---- time ----

def test_the_same_pid_again_much_later_is_another_kill():
    for prefixes in (("[   37.123371] ", "[ 3037.123371] "),
                     ("Nov  5 23:29:38 solar kernel: ", "Nov  5 23:49:38 solar kernel: "),
                     ("[Tue Mar 11 10:16:36 2025] ", "[Wed Mar 12 10:16:36 2025] ")):
        assert pids([prefix + KILL for prefix in prefixes]) == [703, 703]
        assert pids([prefixes[0] + KILL] * 2) == [703]


def test_when_is_told_in_the_log_s_own_words():
    forms = "syslog", "dmesg", "dmesg -T", "rsyslog", "dmesg -t", "raw"
    told = {form: kills(LOGS[form])[0]["when"] for form in forms}
    assert told == {"syslog": "Nov  5 23:29:38", "dmesg": "[   37.123371]", "dmesg -T": "Tue Mar 11 10:16:36 2025",
                    "rsyslog": "2024-09-03T10:00:05.123456+00:00", "dmesg -t": None, "raw": "[   37.123373]"}


# ---- groups ----

def test_a_group_is_told_once_each_and_the_first_learns_of_it():
    lines = [KILL, "Tasks in /app.service are going to be killed due to memory.oom.group set", KILL,
             KILL.replace("703", "704")]
    told = kills(["[    1.000000] " + line for line in lines])
    assert [(k["pid"], k["group"]) for k in told] == [(703, True), (704, True)]


# ---- words, -n ----

def test_the_words_are_those_of_a_death():
    out = oom(LOGS["syslog"]).stdout.decode()
    assert out == ("Nov  5 23:29:38  app: pid 703 (worker) killed by the kernel's OOM killer: the limit of its own "
                   "cgroup was reached, its own share 15.9 MB, oom_score_adj -5. Evidence: line 3 of the log.\n")
    assert oom(RAW).stdout.decode().endswith("Evidence: kernel log record 512.\n")


def test_n_shows_the_last():
    lines = [f"[{i:5d}.000000] " + KILL.replace("703", str(700 + 10 * i)) for i in range(5)]
    assert [k["pid"] for k in kills(lines, "-n", "2")] == [730, 740]
    assert len(kills(lines, "-n", "9")) == 5


def test_hostile_names_move_no_cursor():
    out = oom([KILL.replace("worker", "a\x9b2Jb\x07")]).stdout
    assert b"\x9b" not in out and b"\x07" not in out and b"pid 703" in out


# ---- bad input ----

@pytest.mark.parametrize("log", [b"", b"\n", b"\0" * 100000, bytes(range(256)) * 4000, b"x" * (5 << 20),
                                 b"[    1.000000] " + b"[" * 300000],
                         ids=["empty", "blank", "zeros", "binary", "gigantic", "brackets"])
def test_what_is_no_log_tells_nothing(log):
    run = oom(log)
    assert (run.returncode, run.stdout, run.stderr) == (0, b"", b"")


def test_a_kill_is_found_among_garbage():
    log = b"\xff\0\n" + b"y" * (3 << 20) + b"\n" + KILL.encode() + b"\n" + os.urandom(100000).replace(b"\n", b"")
    assert 703 in pids(log)


def test_a_line_without_its_end_counts():
    assert pids(KILL) == [703]


@pytest.mark.parametrize("source, words", [("/nonexistent", "No such file"), ("/tmp", "directory")])
def test_a_file_that_cannot_be_read_is_said(source, words):
    run = oom("", source=source)
    assert run.returncode == 1 and run.stdout == b""
    assert run.stderr.startswith(b"oomphctl: " + source.encode()) and words in run.stderr.decode()
    assert run.stderr.count(b"\n") == 1


def test_a_packed_log_is_said_to_be_one(tmp_path):
    packed = tmp_path / "kern.log.gz"
    subprocess.run(["gzip", "-c"], input=KILL.encode(), stdout=packed.open("wb"), check=True)
    run = oom("", source=str(packed))
    assert run.returncode == 1 and b"zcat" in run.stderr


def test_from_wants_a_file_and_no_unit():
    for arguments in (["oom", "--from"], ["oom", "--from", "-", "db"], ["oom", "-n", "x", "--from", "-"],
                      ["list", "--from", "-"]):
        run = subprocess.run([CTL, *arguments], stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
        assert run.returncode == 2 and run.stdout == b""


def test_a_pipe_is_read_to_its_end(tmp_path):
    fifo = tmp_path / "pipe"
    os.mkfifo(fifo)
    with subprocess.Popen([CTL, "--json", "oom", "--from", fifo], stdout=subprocess.PIPE) as reader:
        with fifo.open("w") as pipe:
            print(HEADER, file=pipe, flush=True)
            print(KILL, file=pipe, flush=True)
        assert json.loads(reader.communicate(timeout=60)[0])["pid"] == 703


# ---- logs of others ----

CORPUS = pathlib.Path(os.environ.get("OOMPH_LOGS", pathlib.Path(__file__).parents[2] / "../shared/oom-logs"))
COLUMNS = {"victim_pid": "pid", "uid": "uid", "oom_score_adj": "oom_score_adj", "anon_rss_kB": "anon_rss_kb",
           "constraint": "constraint", "task_memcg": "task_memcg"}
# What the index knows from elsewhere than the first kill line and what surely belongs to it.
NOT_TOLD = {("053-openshift-mimir-bigger-uid.log", "oom_score_adj"), ("057-syz-executor-4.19.log", "constraint"),
            ("056-mempolicy-constraint-pid-ne-killed.log", "constraint"),
            ("056-mempolicy-constraint-pid-ne-killed.log", "task_memcg")}


def index():
    try:
        with open(CORPUS / "INDEX.tsv", encoding="utf-8", newline="") as f:
            return list(csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE))
    except FileNotFoundError:
        return []


def differs(column, expected, kill):
    told = kill[COLUMNS[column]]
    if expected == "(memcg)":
        return kill["scope"] != "memcg"
    if column == "task_memcg":      # of a long path the beginning is kept
        return not told or not (told == expected or len(told) == 127 and expected.startswith(told))
    return str(told) != expected


@pytest.mark.skipif(not index(), reason=f"no {CORPUS}/INDEX.tsv (set OOMPH_LOGS): other people's logs were not read")
@pytest.mark.parametrize("row", index(), ids=[row["file"] for row in index()])
def test_other_people_s_logs(row):
    log = (CORPUS / row["file"]).read_bytes()
    told = kills(log)
    if row["victim_pid"] == "-" or b"Killed process" not in log:
        assert told == []
        return
    wrong = {c: told[0][COLUMNS[c]] for c in COLUMNS if row[c] != "-" and differs(c, row[c], told[0])}
    assert set(wrong) == {column for file, column in NOT_TOLD if file == row["file"]}, wrong
    comm = row["victim_comm"].encode("latin-1").decode("unicode_escape").encode("latin-1").decode(errors="replace")
    assert told[0]["comm"] == comm
