"""oomphctl logs: what it makes of log folders. The tests write the files, as oomph-log would; nobody runs but oomphctl."""
import heapq
import json
import os
import pty
import queue
import random
import re
import resource
import socket
import subprocess
import threading
import time

import pytest

from box import CTL, DEADLINE

BEGIN = 1795752000 * 10**6      # 2026-11-27 04:00:00 UTC, in microseconds
PRIORITIES = ["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"]
MS = 1000


def stamp(us):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(us // 10**6)) + ".%06dZ" % (us % 10**6)


def line(us, text, generation=1, pid=100, stream="out", priority="info", cut=False):
    return f"{stamp(us)} {generation} {pid} {stream}.{priority}{'+' if cut else ''} ".encode() \
        + (text if isinstance(text, bytes) else text.encode()) + b"\n"


def rotated(us):
    return "@" + stamp(us).replace("-", "").replace(":", "") + ".log"


class Logs:
    """A folder of logs."""

    def __init__(self, folder):
        self.base = folder / "log"
        self.base.mkdir()
        self.run_folder = folder / "run"
        self.run_folder.mkdir()

    def folder(self, unit):
        path = self.base / (unit if "." in unit or unit == "system" else unit + ".service")
        path.mkdir(exist_ok=True)
        return path

    def put(self, unit, *lines, name="current", pack=None):
        path = self.folder(unit) / name
        with open(path, "ab") as f:
            f.write(b"".join(lines))
        if pack:
            subprocess.run({"zst": ["zstd", "-q", "--rm", path], "gz": ["gzip", path]}[pack], check=True)
        return path

    def rotate(self, unit, us, pack=None):
        current = self.folder(unit) / "current"
        current.rename(current.with_name(rotated(us)))
        if pack:
            subprocess.run({"zst": ["zstd", "-q", "--rm", current.with_name(rotated(us))],
                            "gz": ["gzip", current.with_name(rotated(us))]}[pack], check=True)

    def command(self, *words):
        return [CTL, "logs", "--base", self.base, *words]

    def environment(self, **env):
        return {**os.environ, "TZ": "UTC", "OOMPH_RUN": str(self.run_folder), "OOMPH_SOCKET": "/nonexistent", **env}

    def ask(self, *words, memory=None, env=None):
        limit = (lambda: resource.setrlimit(resource.RLIMIT_AS, (memory, memory))) if memory else None
        return subprocess.run(self.command(*words), capture_output=True, timeout=120, preexec_fn=limit, env=self.environment(**env or {}))

    def lines(self, *words, **options):
        r = self.ask(*words, **options)
        assert (r.returncode, r.stderr) == (0, b"")
        return r.stdout.decode("utf-8", "surrogateescape").splitlines()

    def texts(self, *words):
        """Of each entry, what --json has of it."""
        return [o["text"] for o in self.json(*words)]

    def json(self, *words, **options):
        return [json.loads(text) for text in self.lines("--json", *words, **options)]


@pytest.fixture
def logs(tmp_path):
    return Logs(tmp_path)


# ---- what is shown ----

def test_services_are_merged_by_time(logs):
    logs.put("db", line(BEGIN, "one"), line(BEGIN + 2 * MS, "three"))
    logs.put("web-front", line(BEGIN + 1 * MS, "two", stream="err", priority="err"))
    logs.put("system", line(BEGIN + 3 * MS, "four", 0, 0, "syslog"))
    assert logs.lines() == ["2026-11-27 04:00:00.000 db        one", "2026-11-27 04:00:00.001 web-front two",
                            "2026-11-27 04:00:00.002 db        three", "2026-11-27 04:00:00.003 system    four"]
    assert logs.lines("db") == ["2026-11-27 04:00:00.000 one", "2026-11-27 04:00:00.002 three"]
    assert logs.texts("db.service", "system") == ["one", "three", "four"]


def test_json_has_all_that_a_line_tells(logs):
    logs.put("db", line(BEGIN + 123456, "Ready", 3, 812, "err", "warning"), line(BEGIN + 200000, b"\xff\x00a", 0, 0))
    assert logs.json() == [
        {"time": "2026-11-27T04:00:00.123456Z", "unit": "db.service", "generation": 3, "pid": 812, "stream": "err",
         "priority": "warning", "text": "Ready", "cut": False},
        {"time": "2026-11-27T04:00:00.200000Z", "unit": "db.service", "generation": None, "pid": None, "stream": "out",
         "priority": "info", "text": None, "text_bytes": [255, 0, 97], "cut": False}]


def test_generations_are_marked(logs):
    logs.put("db", line(BEGIN, "a", 3), line(BEGIN + 1 * MS, "died: oom-kill, 312 MB", 3, 0, "note", "err"),
             line(BEGIN + 2 * MS, "b", 4), line(BEGIN + 3 * MS, "c", 5), line(BEGIN + 4 * MS, "from cron", 0), line(BEGIN + 5 * MS, "d", 5))
    assert [text[24:] for text in logs.lines("db")] == [
        "a", "-- db died: oom-kill, 312 MB --", "b", "-- generation 5 --", "c", "from cron", "d"]


def test_the_logger_s_words_on_nobody_s_lines_have_no_name(logs):
    logs.put("system", line(BEGIN, "3 lines were not sent on", 0, 0, "note", "warning"))
    assert logs.lines() == ["2026-11-27 04:00:00.000 system -- 3 lines were not sent on --"]


def test_lines_of_somebody_else_stand_where_they_are(logs):
    logs.put("db", line(BEGIN, "a"), b"edited by hand\n", b"\n", line(BEGIN + 2 * MS, "b"), b"2026-11-27T04:00:00.00Z 1 torn")
    logs.put("web", line(BEGIN + 1 * MS, "w"))
    assert [text[24:] for text in logs.lines()] == ["db  a", "db  edited by hand", "db  ", "web w", "db  b", "db  2026-11-27T04:00:00.00Z 1 torn"]
    edited = logs.json("db")[1]
    assert edited == {"time": stamp(BEGIN), "unit": "db.service", "generation": None, "pid": None, "stream": None, "priority": None,
                      "text": "edited by hand", "cut": False}
    assert logs.texts("db", "-n", "3") == ["", "b", "2026-11-27T04:00:00.00Z 1 torn"]
    assert logs.texts("db", "-p", "err") == []


def test_a_cut_text_is_whole_again(logs):
    logs.put("db", line(BEGIN, "a" * 100, cut=True), line(BEGIN + 1, "between", stream="err"), line(BEGIN + 2, "b" * 100, cut=True),
             name=rotated(BEGIN + 2))
    logs.put("db", line(BEGIN + 3, "c"), line(BEGIN + 4, "endless", cut=True))
    assert [(o["text"], o["time"], o["cut"]) for o in logs.json()] == [
        ("between", stamp(BEGIN + 1), False), ("a" * 100 + "b" * 100 + "c", stamp(BEGIN), False), ("endless", stamp(BEGIN + 4), True)]
    assert logs.texts("-n", "1") == ["endless"]


def test_an_endless_text_comes_in_parts(logs):
    piece = "x" * 48000
    logs.put("db", *[line(BEGIN + i, piece, cut=True) for i in range(100)], line(BEGIN + 100, "end"))
    parts = logs.json(memory=32 << 20)
    assert "".join(p["text"] for p in parts) == piece * 100 + "end"
    assert [p["cut"] for p in parts] == [True] * 4 + [False]


# ---- which lines ----

def test_priorities_generations_and_patterns(logs):
    for i, priority in enumerate(PRIORITIES):
        logs.put("db", line(BEGIN + i, f"{priority} Line {i}", 1 + i % 2, priority=priority))
    words = [f"{p} Line {i}" for i, p in enumerate(PRIORITIES)]
    assert logs.texts("-p", "err") == words[:4]
    assert logs.texts("-p", "3") == words[:4]
    assert logs.texts("-p", "err..info") == words[3:7]
    assert logs.texts("--generation", "2") == words[1::2]
    assert logs.texts("-g", "line [0-2]") == words[:3]          # all lower case: either case
    assert logs.texts("-g", "LINE") == []
    assert logs.texts("-g", "^(debug|info) Line") == words[6:]
    assert logs.texts("-g", "line", "-p", "info..debug", "-n", "1") == words[7:]


def test_a_pattern_sees_what_is_behind_a_zero_byte(logs):
    logs.put("db", line(BEGIN, b"a\x00needle"), line(BEGIN + 1, b"\xffneedle"), line(BEGIN + 2, b"hay"))
    assert len(logs.json("-g", "needle")) == 2


@pytest.mark.parametrize("words, first, last", [
    (["--since", "2026-11-27 04:00:05"], 5, 9), (["--until", "2026-11-27 04:00:05"], 0, 5),
    (["--since", "@1795752003", "--until", "2026-11-27T05:00:04+01:00"], 3, 4), (["--since", "2026-11-27 06:00:05 Europe/Helsinki"], 5, 9),
    (["--since", "2012-01-01"], 0, 9), (["--until", "@1"], 0, -1),
])
def test_times(logs, words, first, last):
    logs.put("db", *[line(BEGIN + i * 10**6, str(i)) for i in range(5)], name=rotated(BEGIN + 4 * 10**6))
    logs.put("db", *[line(BEGIN + i * 10**6, str(i)) for i in range(5, 10)])
    assert logs.texts(*words) == [str(i) for i in range(first, last + 1)]


def test_a_clock_that_was_set_back_hides_nothing(logs):
    times = [100, 110, 90, 95, 105, 120]
    logs.put("db", *[line(BEGIN + s * 10**6, str(s)) for s in times])
    at = f"@{BEGIN // 10**6 + 100}"
    for more in ([], ["-n", "10"]):
        assert logs.texts("--until", at, *more) == ["100", "90", "95"]
        assert logs.texts("--since", at, *more) == ["100", "110", "105", "120"]


def test_times_are_local(logs):
    logs.put("db", line(BEGIN, "a"))
    zone = {"TZ": "Asia/Tokyo"}
    assert logs.lines("--since", "2026-11-27 13:00", env=zone) == ["2026-11-27 13:00:00.000 db a"]
    assert logs.lines("--since", "2026-11-27 13:00:01", env=zone) == []


def test_times_may_be_told_from_now_on(logs):
    now = time.time_ns() // 1000
    logs.put("db", line(10**12, "long ago"), line(now - 2 * 86400 * 10**6, "two days ago"), line(now, "now"))
    assert logs.texts("--since", "yesterday") == logs.texts("--since", "10 min ago") == logs.texts("--since", "-1h") == ["now"]
    assert logs.texts("--until", "yesterday", "--since", "-3d") == ["two days ago"]
    assert logs.texts("--since", "tomorrow") == []
    assert logs.texts("-b")[-1:] == ["now"] and "long ago" not in logs.texts("-b")


@pytest.mark.parametrize("words, said", [
    (["--since", "soon"], "soon is no time"), (["--since", "2026-02-30"], "no time"), (["--since", "Mon 2026-11-27"], "no time"),
    (["--since", "2026-11-27 Nowhere/City"], "no time"), (["-p", "loud"], "loud is no priority"), (["-g", "("], "no extended regular"),
    (["--generation", "x"], "no generation"), (["-n", "x"], "no number"), (["-f", "--until", "now"], "ends before"),
])
def test_what_is_not_understood_is_told(logs, words, said):
    logs.put("db", line(BEGIN, "a"))
    r = logs.ask(*words)
    assert r.returncode == 2 and said in r.stderr.decode()


def test_an_unknown_unit_is_told_with_the_nearest(logs):
    logs.put("database", line(BEGIN, "a"))
    for name, said in (("databse", "no such unit: databse; is it database?"), ("../log/database", "no such unit"), ("", "no such unit"),
                       ("zzz", "no such unit: zzz\n")):
        r = logs.ask(name)
        assert r.returncode == 3 and said in r.stderr.decode()


def test_folders_that_are_none_are_left_out(logs, tmp_path):
    logs.put("db", line(BEGIN, "a"))
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/current").write_bytes(line(BEGIN, "not ours"))
    (logs.base / "link.service").symlink_to(tmp_path / "elsewhere")
    (logs.base / "no unit").mkdir()
    (logs.base / "file.service").write_text("x")
    (logs.folder("fifo") / "x").write_text("x")
    (logs.folder("odd") / "current").symlink_to(tmp_path / "elsewhere/current")
    r = logs.ask()
    assert r.stdout == b"2026-11-27 04:00:00.000 db   a\n" and r.returncode == 1 and b"odd.service/current" in r.stderr


# ---- files ----

def test_rotations_are_read_whatever_packs_them(logs):
    for i, pack in enumerate([None, "zst", "gz", "zst"]):
        logs.put("db", line(BEGIN + 2 * i, f"{i}a"), line(BEGIN + 2 * i + 1, f"{i}b"), name=rotated(BEGIN + 2 * i + 1), pack=pack)
    logs.put("db", line(BEGIN + 8, "4a"))
    texts = ["0a", "0b", "1a", "1b", "2a", "2b", "3a", "3b", "4a"]
    assert logs.texts() == texts
    for n in range(11):
        assert logs.texts("-n", str(n)) == texts[len(texts) - n:] if n < 9 else texts


def test_a_file_that_is_being_packed_is_read_once(logs):
    logs.put("db", line(BEGIN, "a"), name=rotated(BEGIN))
    plain = logs.folder("db") / rotated(BEGIN)
    subprocess.run(["zstd", "-q", plain], check=True)
    assert logs.texts() == ["a"] and logs.texts("-n", "5") == ["a"]


def test_a_damaged_file_costs_its_own_lines(logs):
    logs.put("db", *[line(BEGIN + i, f"a{i}" + "x" * 100) for i in range(1000)], name=rotated(BEGIN + 999), pack="zst")
    logs.put("db", line(BEGIN + 1000, "b"))
    packed = logs.folder("db") / (rotated(BEGIN + 999) + ".zst")
    packed.write_bytes(packed.read_bytes()[:-40])
    r = logs.ask()
    assert r.returncode == 1 and r.stdout.decode().endswith(" b\n") and "damaged" in r.stderr.decode()


def test_without_the_program_the_rest_is_read(logs):
    logs.put("db", line(BEGIN, "a"), name=rotated(BEGIN), pack="zst")
    logs.put("db", line(BEGIN + 1, "b"))
    r = logs.ask("--json", env={"PATH": "/nonexistent"})
    assert r.returncode == 1 and json.loads(r.stdout)["text"] == "b" and "not installed" in r.stderr.decode()


def test_both_folders_of_a_service_are_read(logs, tmp_path):
    """Until /var is there, its log is in /run."""
    logs.put("db", line(BEGIN + 1, "var"))
    early = tmp_path / "early/db.service"
    early.mkdir(parents=True)
    (early / "current").write_bytes(line(BEGIN, "run"))
    inside = f"mkdir -p /var/log/oomph /run/log/oomph && mount --bind {logs.base} /var/log/oomph && mount --bind {early.parent} " \
             f"/run/log/oomph && exec {CTL} logs --json db"
    r = subprocess.run(["unshare", "--mount", "sh", "-c", "mount -t tmpfs none /var/log && mount -t tmpfs none /run && " + inside],
                       capture_output=True, text=True, timeout=DEADLINE, env=logs.environment())
    assert [json.loads(text)["text"] for text in r.stdout.splitlines()] == ["run", "var"]


def test_what_is_on_its_way_from_run_to_var_is_shown_once(logs, tmp_path):
    early = tmp_path / "early/log/oomph/db.service"
    early.mkdir(parents=True)
    (early / "current").write_bytes(line(BEGIN, "a") + line(BEGIN, "b") + line(BEGIN + 1, "c"))
    logs.put("db", line(BEGIN, "a"), line(BEGIN, "b"), line(BEGIN + 1, "c"), name=rotated(BEGIN + 1))
    logs.put("db", line(BEGIN + 2, "d"))
    inside = f"mount -t tmpfs none /var/log && mkdir /var/log/oomph && mount --bind {logs.base} /var/log/oomph && " \
             f"mount --bind {tmp_path}/early /run && exec {CTL} logs --json db"
    r = subprocess.run(["unshare", "--mount", "sh", "-c", inside], capture_output=True, text=True, timeout=DEADLINE, env=logs.environment())
    assert [json.loads(text)["text"] for text in r.stdout.splitlines()] == ["a", "b", "c", "d"]


def test_thousands_of_files_in_little_memory(logs):
    n = 500
    for u in range(n):
        for r in range(4):
            us = BEGIN + r * n * MS + u
            logs.put(f"unit{u}", line(us, f"{r} {u}" + "x" * 200), name=rotated(us))
        logs.put(f"unit{u}", line(BEGIN + 4 * n * MS + u, f"4 {u}" + "x" * 200))
    for u in range(0, n, 10):
        path = logs.folder(f"unit{u}") / rotated(BEGIN + n * MS + u)
        subprocess.run(["gzip", path], check=True)
    wanted = [f"{r} {u}" + "x" * 200 for r in range(5) for u in range(n)]
    assert [o["text"] for o in logs.json(memory=64 << 20)] == wanted
    assert [o["text"] for o in logs.json("-n", "700", memory=64 << 20)] == wanted[-700:]


def test_a_long_file_in_little_memory(logs):
    path = logs.put("db", *[line(BEGIN + i, f"{i} " + "x" * 100) for i in range(200000)])
    assert path.stat().st_size > 25 << 20
    assert [o["text"].split()[0] for o in logs.json("-n", "3", memory=16 << 20)] == ["199997", "199998", "199999"]
    assert len(logs.lines("--since", stamp(BEGIN + 150000), memory=16 << 20)) == 50000
    assert len(logs.lines(memory=16 << 20)) == 200000


# ---- all of it against a model that keeps everything in memory ----

class Model:
    """Some units with some files each, and what of them is to be shown."""

    def __init__(self, logs, seed):
        self.random = random.Random(seed)
        self.cuts = seed % 2 * 0.15
        self.sources = [self.unit(logs, i) for i in range(self.random.randint(1, 4))]

    def unit(self, logs, number):
        """All its entries, and its files."""
        r, us, entries, open_texts, last = self.random, BEGIN + number, [], {}, None
        n_files = r.randint(1, 4)
        for n in range(n_files):
            lines = []
            if n:               # what stands on top of a file has the time of the file before, and nothing else
                last = {"time": us, "turn": us, "generation": None, "priority": "info"}
                us += 4
            for _ in range(r.randint(1, 60)):
                if last and r.random() < 0.03:
                    lines.append(b"somebody's\n")
                    entries.append({**last, "text": "somebody's", "cut": False, "last": (last["turn"], number, n, len(lines))})
                    continue
                us += 4 * r.choice([0, 1, 1, 300, 20000])
                fields = {"generation": 1 + n // 2, "stream": r.choice(["out", "out", "err"]), "priority": r.choice(PRIORITIES)}
                begun = open_texts.pop(fields["stream"], None)
                if begun:
                    fields = {key: begun[key] for key in fields}
                cut = r.random() < self.cuts
                text = r.choice(["alpha", "beta", "gamma"]) * r.choice([1, 1, 1, 1, 1500, 3000]) + str(r.randint(0, 99))
                lines.append(line(us, text, fields["generation"], 7, fields["stream"], fields["priority"], cut))
                entry = {**(begun or {"time": us, **fields, "text": ""}), "cut": cut}
                entry["text"] += text
                entry["last"] = (us, number, n, len(lines))
                last = {**fields, "time": us, "turn": us}
                if cut and len(entry["text"]) < 1 << 20:
                    open_texts[fields["stream"]] = entry
                else:
                    entries.append({**entry, "turn": us})
            for stream in list(open_texts) if n + 1 < n_files else []:  # -n looks for the beginning of a text in one file only
                entry = open_texts.pop(stream)
                lines.append(line(us, "end", entry["generation"], 7, stream, entry["priority"]))
                entries.append({**entry, "text": entry["text"] + "end", "turn": us, "cut": False, "last": (us, number, n, len(lines))})
                last = {**last, **{key: entry[key] for key in ("generation", "priority")}, "time": us, "turn": us}
            name = "current" if n + 1 == n_files else rotated(us)
            logs.put(f"unit{number}", *lines, name=name, pack=None if name == "current" else r.choice([None, "zst", "gz"]))
        return entries + sorted(({**e, "turn": last["turn"]} for e in open_texts.values()), key=lambda e: e["last"])

    def options(self):
        r, words = self.random, []
        if r.random() < 0.5:
            words += ["-n", str(r.choice([0, 1, 3, 10, 50, 1000]))]
        if r.random() < 0.3:
            words += ["-p", r.choice(["err", "notice", "warning..info"])]
        if r.random() < 0.3 and not ("-n" in words and self.cuts):     # there it may be one more, see logs_tail.c
            words += ["-g", r.choice(["alpha", "BETA", "amma|xyz", "xyz", "eta[0-4]"])]
        if r.random() < 0.2:
            words += ["--generation", "2"]
        if not self.cuts and r.random() < 0.3:
            words += [r.choice(["--since", "--until"]), "@" + str((BEGIN + 4 * r.randint(0, 400000)) / 10**6)]
        return words

    def expected(self, words):
        told = dict(zip(words[::2], words[1::2]))
        low, _, high = told.get("-p", "emerg..debug").partition("..")
        low, high = (low, high) if high else ("emerg", low)
        pattern = told.get("-g", "")
        pattern = re.compile(pattern, 0 if pattern != pattern.lower() else re.IGNORECASE)
        since, until = (int(float(told[key][1:]) * 10**6 + 0.5) if key in told else other
                        for key, other in (("--since", 0), ("--until", 1 << 62)))
        entries = [e for e in heapq.merge(*self.sources, key=lambda e: e["turn"])
                   if PRIORITIES.index(low) <= PRIORITIES.index(e["priority"]) <= PRIORITIES.index(high)
                   and since <= e["time"] <= until and ("--generation" not in told or e["generation"] == 2) and pattern.search(e["text"])]
        n = int(told.get("-n", len(entries)))
        order = sorted(range(len(entries)), key=lambda i: entries[i]["last"])   # a text whose end is missing is shown last
        return [entries[i] for i in sorted(order[max(len(entries) - n, 0):])]


@pytest.mark.parametrize("seed", range(24))
def test_any_logs_are_shown_as_the_model_has_them(tmp_path, seed):
    logs = Logs(tmp_path)
    model = Model(logs, seed)
    for _ in range(12):
        words = model.options()
        shown = [(o["time"], o["text"], o["cut"]) for o in logs.json(*words)]
        assert shown == [(stamp(e["time"]), e["text"], e["cut"]) for e in model.expected(words)], words


# ---- on a terminal ----

def on_terminal(logs, *words, **env):
    """What a terminal gets."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(logs.command(*words), stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs,
                               env=logs.environment(TERM="xterm", **env))
    os.close(theirs)
    told = b""
    try:
        while more := os.read(ours, 65536):
            told += more
    except OSError:             # EIO: the other end is closed
        pass
    os.close(ours)
    assert process.wait(DEADLINE) == 0
    return told.replace(b"\r\n", b"\n").decode()


HOSTILE = "\x1b]0;owned\x07 \x1b[2J \r\x08\x7f \u009b31m \u202eevil\u2066 \u2028 \ufeff tab\there \u00fc".encode() + b" \xff\xc3"
SEEN = r"\x1b]0;owned\x07 \x1b[2J \x0d\x08\x7f \u009b31m \u202eevil\u2066 \u2028 \ufeff tab" + "\there ü" + r" \xff\xc3"


def test_a_terminal_is_safe_and_a_file_gets_every_byte(logs):
    logs.put("db", line(BEGIN, HOSTILE))
    assert on_terminal(logs, "db", OOMPH_PAGER="", NO_COLOR="1") == "2026-11-27 04:00:00.000 " + SEEN + "\n"
    assert logs.ask("db").stdout == b"2026-11-27 04:00:00.000 " + HOSTILE + b"\n"
    told = on_terminal(logs, "db", "--json", OOMPH_PAGER="")
    assert bytes(json.loads(told)["text_bytes"]) == HOSTILE


def test_json_of_hostile_text_is_harmless_too(logs):
    logs.put("db", line(BEGIN, HOSTILE[:-3]))
    r = logs.ask("--json")
    assert json.loads(r.stdout)["text"] == HOSTILE[:-3].decode()
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\u2066\u2028]", r.stdout.decode())


def test_colours_are_for_terminals_alone(logs):
    logs.put("db", line(BEGIN, "bad", priority="err"), line(BEGIN, "good"))
    assert "\033[1;31mbad\033[0m\n" in on_terminal(logs, "db", OOMPH_PAGER="")
    assert "\033" not in on_terminal(logs, "db", OOMPH_PAGER="", NO_COLOR="1")
    assert b"\033" not in logs.ask("db").stdout


def test_a_pager_stands_between(logs):
    logs.put("db", line(BEGIN, "a"))
    assert on_terminal(logs, "db", OOMPH_PAGER="sed s/^/paged:/", PAGER="false") == "paged:2026-11-27 04:00:00.000 a\n"
    assert on_terminal(logs, "db", PAGER="sed s/^/paged:/").startswith("paged:")
    logs.put("db", *[line(BEGIN + i, "x" * 100) for i in range(20000)])
    assert on_terminal(logs, "db", OOMPH_PAGER="head -n 1") == "2026-11-27 04:00:00.000 a\n"


# ---- following ----

class Following:
    def __init__(self, logs, *words, command=None):
        command = command or logs.command("-f", "--json", *words)
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=logs.environment())
        self.told = queue.Queue()
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for text in self.process.stdout:
            self.told.put(json.loads(text)["text"])

    def expect(self, *texts):
        assert [self.told.get(timeout=DEADLINE) for _ in texts] == list(texts)

    def end(self):
        self.process.kill()
        self.process.wait()


@pytest.fixture
def follow(logs):
    begun = []

    def start(*words):
        begun.append(Following(logs, *words))
        return begun[-1]

    yield start
    for f in begun:
        f.end()


def test_what_comes_is_shown_across_rotations(logs, follow):
    logs.put("db", *[line(BEGIN + i, str(i)) for i in range(20)])
    f = follow("db")
    f.expect(*[str(i) for i in range(10, 20)])
    us = BEGIN + 20
    for i, pack in enumerate([None, "zst", None, "gz", None]):
        logs.put("db", line(us, f"{i} before"))
        logs.rotate("db", us, pack)
        logs.put("db", line(us + 1, f"{i} after"))
        f.expect(f"{i} before", f"{i} after")
        us += 2


def test_two_rotations_at_once_lose_nothing(logs, follow):
    logs.put("db", line(BEGIN, "a"))
    f = follow("db", "-n", "1")
    f.expect("a")
    logs.put("db", line(BEGIN + 1, "b"))
    logs.rotate("db", BEGIN + 1, "zst")
    logs.put("db", line(BEGIN + 2, "c"))
    logs.rotate("db", BEGIN + 2, "gz")
    logs.put("db", line(BEGIN + 3, "d"))
    f.expect("b", "c", "d")


def test_a_line_is_shown_when_it_is_whole(logs, follow):
    logs.put("db", line(BEGIN, "a"))
    f = follow()
    f.expect("a")
    logs.put("db", b"2026-11-27T04:00:00.000001Z 1 1 out")
    logs.put("db", b".info begun")
    logs.put("db", b" and ended\n")
    f.expect("begun and ended")


def test_new_services_and_emptied_files_are_followed(logs, follow):
    logs.put("db", *[line(BEGIN, "a")] * 9)
    f = follow("-n", "1")
    f.expect("a")
    logs.put("web", line(BEGIN + 1, "new"))
    f.expect("new")
    (logs.folder("db") / "current").write_bytes(line(BEGIN + 2, "b"))
    f.expect("b")
    logs.put("web", line(BEGIN + 3, "still there"))
    f.expect("still there")


def test_lines_that_a_killed_logger_writes_again_are_shown_once(logs, follow):
    logs.put("db", line(BEGIN, "a"), line(BEGIN + 1, "b"))
    f = follow()
    f.expect("a")
    f.expect("b")
    last = line(BEGIN + 2, "c")
    logs.put("db", last)
    f.expect("c")
    current = logs.folder("db") / "current"
    os.truncate(current, current.stat().st_size - len(last))
    logs.put("web", line(BEGIN + 3, "seen"))
    f.expect("seen")
    logs.put("db", last, line(BEGIN + 4, "d"))
    f.expect("d")


def test_only_what_is_wanted_is_followed(logs, follow):
    logs.put("db", line(BEGIN, "wanted 1", priority="err"), line(BEGIN, "wanted", priority="info"))
    logs.put("web", line(BEGIN, "w"))
    f = follow("db", "-g", "wanted", "-p", "err")
    f.expect("wanted 1")
    logs.put("web", line(BEGIN + 1, "wanted", priority="err"))
    logs.put("db", line(BEGIN + 2, "wanted"), line(BEGIN + 3, "no", priority="err"), line(BEGIN + 4, "wanted 2", priority="err"))
    f.expect("wanted 2")


def test_a_folder_that_comes_back_is_followed(logs, follow):
    logs.put("db", line(BEGIN, "a"))
    f = follow("-n", "1")
    f.expect("a")
    folder = logs.folder("db")
    (folder / "current").unlink()
    folder.rmdir()
    logs.put("db", line(BEGIN + 1, "b"))
    f.expect("b")


def test_who_follows_leaves_with_its_reader(logs):
    logs.put("db", line(BEGIN, "a"))
    ours, theirs = os.pipe()
    process = subprocess.Popen(logs.command("-f"), stdout=theirs, env=logs.environment())
    os.close(theirs)
    assert os.read(ours, 100).endswith(b" a\n")
    os.close(ours)
    assert process.wait(DEADLINE) == 0


def test_what_moves_from_run_to_var_is_shown_once(logs, tmp_path):
    early = tmp_path / "early/log/oomph/db.service"
    early.mkdir(parents=True)
    (early / "current").write_bytes(line(BEGIN, "a") + line(BEGIN + 1, "b"))
    var = tmp_path / "var/oomph/db.service"
    var.parent.mkdir(parents=True)
    inside = f"mount --bind {tmp_path}/var /var/log && mount --bind {tmp_path}/early /run && exec {CTL} logs -f --json"
    f = Following(logs, command=["unshare", "--mount", "sh", "-c", inside])
    try:
        f.expect("a", "b")
        var.mkdir()
        (var / rotated(BEGIN + 1)).write_bytes((early / "current").read_bytes())
        (early / "current").unlink()
        early.rmdir()
        (var / "current").write_bytes(line(BEGIN + 2, "c"))
        f.expect("c")
    finally:
        f.end()


# ---- the logger is asked first ----

@pytest.fixture
def logger(logs):
    """Something that listens where oomph-log does: on "sync" it writes what it still has, and says so."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(str(logs.run_folder / "log"))
    listener.listen()

    def serve():
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            if client.recv(100) in (b"sync\n", b"sync db.service\n"):
                logs.put("db", line(BEGIN + 1, "was in the pipe"))
                client.send(b"done\n")
            client.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


def test_what_the_logger_still_has_is_shown(logs, logger):
    logs.put("db", line(BEGIN, "a"))
    assert logs.texts() == ["a", "was in the pipe"]
    assert logs.texts("db") == ["a", "was in the pipe", "was in the pipe"]


def test_a_logger_that_hangs_is_not_waited_for(logs):
    logs.put("db", line(BEGIN, "a"))
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(str(logs.run_folder / "log"))
        listener.listen()
        assert logs.texts() == ["a"]
