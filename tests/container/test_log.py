"""oomph-log, with a stand-in for PID 1: what services write is in their files, in order, whatever happens to the logger."""
import os
import random
import socket
import subprocess
import threading

import pytest

from box import DEADLINE, until
from fakepid1 import OUT, TO_CONSOLE, TO_KMSG, FakePid1, marker, pipe_is_empty


@pytest.fixture
def pid1():
    """pid1(**options): a FakePid1 which ends with the test."""
    all_of_them = []

    def make(**options):
        all_of_them.append(FakePid1(**options))
        return all_of_them[-1]

    yield make
    for p in all_of_them:
        p.__exit__()


def in_mounts(script):
    """In mounts of its own, made by a shell script."""
    return ["unshare", "--mount", "sh", "-ec", script + '; exec "$@"', "sh"]


def joined(lines):
    """Texts, pieces put together."""
    texts, so_far = [], b""
    for line in lines:
        so_far += line.text
        if not line.is_cut:
            texts.append(so_far)
            so_far = b""
    return texts


# ---- lines ----

def test_each_line_has_its_origin(pid1):
    p = pid1()
    web = p.service("web")
    p.start()
    web.out(marker(3, 812) + b"hello\n<3>bad\n")
    web.err(b"early\n" + marker(3, 812) + b"<7>late\n")
    p.sync()
    assert [(x.stream, x.priority, x.generation, x.pid, x.text) for x in p.lines("web")] == [
        ("out", "info", 3, 812, b"hello"), ("out", "err", 3, 812, b"bad"), ("err", "info", 0, 0, b"early"), ("err", "debug", 3, 812, b"late")]
    assert p.unit_folder("web").stat().st_mode & 0o777 == 0o750
    assert p.files("web")[0].stat().st_mode & 0o777 == 0o640


def test_a_service_may_come_later(pid1):
    p = pid1().start()
    p.service("web").out(b"hello\n")
    p.wait_texts("web", ["hello"])


def test_what_was_written_before_the_logger_came_is_kept(pid1):
    p = pid1()
    p.service("web").out(b"early\n")
    p.start()
    p.wait_texts("web", ["early"])


def test_levels(pid1):
    p = pid1()
    web = p.service("web", level=4, level_max=4, has_prefix=0)
    p.start()
    web.out(b"<7>kept\n")
    other = p.service("other", level_max=4)
    other.out(b"dropped\n<4>kept\n")
    p.sync()
    assert [(x.priority, x.text) for x in p.lines("web")] == [("warning", b"<7>kept")]
    assert p.texts("other") == ["kept"]


def test_a_service_may_write_so_many_lines(pid1):
    p = pid1()
    web = p.service("web", rate_ms=300, rate_burst=3)
    p.start()
    web.out(b"".join(b"%d\n" % i for i in range(10)))
    p.wait_texts("web", ["0", "1", "2", "suppressed 7 lines"])
    assert p.lines("web")[-1].stream == "note"
    web.out(b"more\n")
    p.wait_texts("web", ["0", "1", "2", "suppressed 7 lines", "more"])


def test_binary_stays_as_it_is(pid1):
    p = pid1()
    web = p.service("web")
    p.start()
    noise = bytes(b for b in range(256) if b != 10)
    web.out(noise + b"\n\n" + noise + b"\n")
    p.sync()
    assert [x.text for x in p.lines("web")] == [noise, b"", noise]


def test_an_endless_line_comes_in_pieces(pid1):
    p = pid1(settings="LineMax=1000\n")
    web = p.service("web")
    p.start()
    text = bytes(random.Random(1).choices(b"abcdefgh", k=300_000))
    for at in range(0, len(text), 7000):
        web.out(text[at:at + 7000])
    web.out(b"\nnext\n")
    p.sync()
    assert joined(p.lines("web")) == [text, b"next"]
    assert max(len(x.text) for x in p.lines("web")) <= 1000


def test_an_unfinished_line_is_written_in_the_end(pid1):
    p = pid1()
    web = p.service("web")
    p.start()
    web.out(b"Loading... ")
    p.wait_texts("web", ["Loading... "])
    web.out(b"done\n")
    p.sync()
    assert [(x.text, x.is_cut) for x in p.lines("web")] == [(b"Loading... ", True), (b"done", False)]


def test_many_unfinished_lines_cost_little(pid1):
    p = pid1(settings="LineMax=48K\n")
    services = [p.service(f"s{i}") for i in range(60)]
    p.start()
    for s in services:
        s.out(b"x" * 40_000)
    for s in services:
        s.out(b"y" * 1000 + b"\n")
    p.sync()
    for i in range(60):
        assert joined(p.lines(f"s{i}")) == [b"x" * 40_000 + b"y" * 1000]
    assert (p.run / ".ledger").stat().st_blocks * 512 < 4 << 20


# ---- the logger dies ----

def test_nothing_is_lost_or_twice_over_a_hundred_kills(pid1):
    p = pid1(settings="SystemMaxFileSize=1M\n")
    web = p.service("web")
    p.start()
    web.out(marker(3, 812))
    leave, go = threading.Event(), threading.Semaphore(0)
    written = []

    def write():
        n = 0
        while go.acquire() and not leave.is_set():
            block = b"".join(b"%d\n" % i for i in range(n, n + 3000))
            web.out(block[:-3])                 # a line shared by two writes
            web.out(block[-3:])
            n += 3000
        written.append(n)

    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    for _ in range(100):
        go.release(8)                           # more than the pipe holds
        threading.Event().wait(random.random() * 0.01)         # any moment will do
        p.kill()
        p.start()
    leave.set()
    go.release()
    until(lambda: not writer.is_alive(), "the writer")
    p.stop()
    lines = p.lines("web")
    assert joined(lines) == [b"%d" % i for i in range(written[0])]
    assert {(x.generation, x.pid) for x in lines} == {(3, 812)}


def test_a_successor_knows_whose_lines_they_are(pid1):
    p = pid1()
    web = p.service("web")
    p.start()
    web.out(marker(3, 812) + b"one\ntw")
    until(lambda: pipe_is_empty(web.pipes[OUT].fd))
    p.kill()
    web.out(b"o\nthree\n")
    p.start().sync()
    assert [(x.generation, x.pid, x.text) for x in p.lines("web")] == [(3, 812, b"one"), (3, 812, b"two"), (3, 812, b"three")]


def test_it_leaves_nothing_in_the_pipes(pid1):
    p = pid1()
    web = p.service("web")
    p.start()
    web.out(b"x" * 99 + b"\n")
    web.err(b"".join(b"%d\n" % i for i in range(9000)) + b"unfinished")
    p.stop()
    assert p.texts("web").count("x" * 99) == 1
    assert [x.text for x in p.lines("web") if x.stream == "err"] == [b"%d" % i for i in range(9000)] + [b"unfinished"]


def test_only_one_logger_writes(pid1):
    p = pid1().start()
    first = p.process
    p.start(ready=False)
    assert p.process.wait(DEADLINE) == 1
    assert "another logger" in p.console()
    p.process = first
    p.stop()


# ---- PID 1 ----

def test_pid1_may_hang_up(pid1):
    p = pid1()
    web = p.service("web")
    p.start()
    web.out(b"one\n")
    p.wait_texts("web", ["one"])
    p.hang_up()
    web.out(b"two\n")
    p.wait_texts("web", ["one", "two"])
    later = p.service("later")
    later.out(b"hello\n")
    p.wait_texts("later", ["hello"])
    web.out(b"three\n")
    p.wait_texts("web", ["one", "two", "three"])


def test_the_last_words_of_a_unit_that_is_gone(pid1):
    p = pid1()
    web = p.service("web")
    p.start()
    web.out(b"one\nunfinished")
    p.drop(web)
    p.wait_texts("web", ["one", "unfinished"])
    assert not p.lines("web")[-1].is_cut
    p.service("web").out(marker(1, 71) + b"new\n")
    p.wait_texts("web", ["one", "unfinished", "new"])


def test_a_death_stands_behind_the_last_words(pid1):
    p = pid1()
    web = p.service("web")
    p.start()
    web.out(marker(3, 812) + b"one\n")
    web.err(marker(3, 812) + b"out of mem")
    p.death("web", "oom-kill", 812, 3, kb=319488)
    p.wait_texts("web", ["one", "out of mem", "died: oom-kill, 312 MB (pid 812, generation 3)"])
    words, note = p.lines("web")[1:]
    assert not words.is_cut
    assert (note.stream, note.priority, note.generation, note.pid) == ("note", "err", 3, 812)
    p.death("web", "exit", 813, 4)
    p.wait_texts("web", ["one", "out of mem", "died: oom-kill, 312 MB (pid 812, generation 3)", "died: exited with status 3 (pid 813, generation 4)"])


def test_a_death_is_told_once(pid1):
    p = pid1()
    p.service("web")
    p.start()
    p.death("web", "exit", 71, 1)
    p.wait_texts("web", ["died: exited with status 3 (pid 71, generation 1)"])
    p.kill()
    p.death("web", "exit", 72, 2)
    p.start()
    p.wait_texts("web", ["died: exited with status 3 (pid 71, generation 1)", "died: exited with status 3 (pid 72, generation 2)"])


# ---- files ----

def numbers(p, web, n, size=100):
    """Writes n lines of that size, and waits until they are in the file: so each file is rotated at its time."""
    for at in range(0, n, 500):
        web.out(b"".join(b"%0*d\n" % (size - 1, i) for i in range(at, min(at + 500, n))))
        p.sync()


def test_files_are_rotated_and_compressed(pid1):
    p = pid1(settings="SystemMaxFileSize=128K\n")
    web = p.service("web")
    p.start()
    numbers(p, web, 10_000)
    until(lambda: not any(f.suffix == ".log" for f in p.files("web")), "all to be compressed")
    assert len(p.files("web")) > 8
    assert [int(t) for t in p.texts("web")] == list(range(10_000))
    for f in p.files("web")[:-1]:
        unpacked = subprocess.run(["zstd", "-dqc", f], capture_output=True).stdout or subprocess.run(["gzip", "-dc", f], capture_output=True).stdout
        time = unpacked.splitlines()[-1].split()[0].decode()
        assert len(unpacked) <= 128 << 10
        assert f.name.startswith("@" + time.replace("-", "").replace(":", "") + ".log.")


def test_a_file_is_rotated_by_age(pid1):
    p = pid1(settings="MaxFileSec=1us\nCompress=no\n")
    web = p.service("web")
    p.start()
    for text in (b"one\n", b"two\n", b"three\n"):
        web.out(text)
        p.sync()
    assert [f.read_bytes().split()[-1] for f in p.files("web")] == [b"one", b"two", b"three"]


def test_the_oldest_files_go(pid1):
    p = pid1(settings="SystemMaxUse=1M\nSystemMaxFileSize=128K\nX-ServiceMaxUse=512K\nCompress=no\n")
    quiet, loud = p.service("quiet"), p.service("loud")
    p.start()
    numbers(p, quiet, 2000)
    numbers(p, loud, 20_000)
    assert [int(t) for t in p.texts("quiet")] == list(range(2000))
    assert sum(f.stat().st_size for f in p.files("loud")) <= 512 << 10
    assert [int(t) for t in p.texts("loud")] == list(range(20_000))[-len(p.texts("loud")):]


def test_all_together_have_a_limit(pid1):
    p = pid1(settings="SystemMaxUse=1M\nSystemMaxFileSize=128K\nCompress=no\n")
    services = [p.service(f"s{i}") for i in range(12)]
    p.start()
    for s in services:
        numbers(p, s, 1000)
    sizes = {s.name: sum(f.stat().st_size for f in p.files(s.name)) for s in services}
    assert sum(sizes.values()) <= (1 << 20) + (128 << 10)
    assert sizes["s11.service"] > 140_000 > 80_000 > sizes["s0.service"]


def test_old_files_go(pid1):
    p = pid1(settings="MaxRetentionSec=1d\n")
    folder = p.base / "web.service"
    folder.mkdir(parents=True)
    (folder / "@20200101T000000.000000Z.log").write_bytes(b"2020-01-01T00:00:00.000000Z 1 71 out.info old\n")
    p.service("web").out(b"new\n")
    p.start()
    p.wait_texts("web", ["new"])


def test_a_torn_line_ends_and_stays(pid1):
    p = pid1()
    folder = p.base / "web.service"
    folder.mkdir(parents=True)
    (folder / "current").write_bytes(b"2026-01-01T00:00:00.000000Z 1 71 out.info whole\n2026-01-01T00:00:00.0000")
    p.service("web").out(b"new\n")
    p.start().sync()
    raw = p.raw("web").splitlines()
    assert raw[:2] == [b"2026-01-01T00:00:00.000000Z 1 71 out.info whole", b"2026-01-01T00:00:00.0000"]
    assert raw[2].endswith(b" 0 0 out.info new")


def test_a_file_that_was_deleted_comes_again(pid1):
    p = pid1()
    web = p.service("web")
    p.start()
    web.out(b"one\n")
    p.sync()
    p.files("web")[0].unlink()

    def is_there():
        web.out(b"two\n")
        p.sync()
        return "two" in p.texts("web")
    until(is_there, "another file")


def test_many_services_need_few_descriptors(pid1):
    p = pid1()
    services = [p.service(f"s{i}") for i in range(200)]
    p.start()
    for _ in range(2):
        for s in services:
            s.out(b"hello\n")
        p.sync()
    assert all(p.texts(s.name) == ["hello", "hello"] for s in services)
    files = [os.readlink(f"/proc/{p.process.pid}/fd/{n}") for n in os.listdir(f"/proc/{p.process.pid}/fd")]
    assert sum(f.endswith("/current") for f in files) <= 128


# ---- full disks ----

def fill(path):
    """Until not one block is free."""
    with open(path, "wb", buffering=0) as f, pytest.raises(OSError):
        while True:
            f.write(b"x" * 4096)


def test_a_full_disk_costs_the_oldest_files(pid1):
    p = pid1(settings="SystemMaxUse=1G\nSystemMaxFileSize=256K\nCompress=no\n")
    p.base.mkdir(parents=True)
    p.prefix = in_mounts(f"mount -t tmpfs -o size=2m,mode=755 none {p.base}")
    web = p.service("web")
    p.start()
    numbers(p, web, 30_000)
    kept = [int(t) for t in p.texts("web", p.inside(p.base))]
    assert len(kept) > 8000 and kept == list(range(30_000))[-len(kept):]
    assert p.console().count("no space left") == 1 and len(p.console().splitlines()) == 1


def test_when_nothing_is_left_to_delete_lines_are_dropped_and_counted(pid1):
    p = pid1(settings="SystemMaxUse=1G\nSystemMaxFileSize=4M\nCompress=no\n")
    p.base.mkdir(parents=True)
    p.prefix = in_mounts(f"mount -t tmpfs -o size=2m,mode=755 none {p.base}")
    web = p.service("web")
    p.start()
    inside = p.inside(p.base)
    fill(inside / "ballast")
    numbers(p, web, 30_000)                 # the service goes on
    assert not p.texts("web", inside)
    (inside / "ballast").unlink()
    numbers(p, web, 500)
    lines = p.lines("web", inside)
    assert lines[0].stream == "note" and lines[0].text == b"dropped 30000 lines: No space left on device"
    assert [int(x.text) for x in lines[1:]] == list(range(500))
    assert p.console().count("no space left") == 1 and len(p.console().splitlines()) == 1


# ---- places ----

def test_with_no_place_to_write_the_services_go_on(pid1):
    p = pid1()
    p.base.parent.write_text("no folder")
    p.run.write_text("no folder")
    web = p.service("web")
    p.start()
    for _ in range(5):
        web.out(b"hello\n" * 10_000)
    p.sync()
    p.base.parent.unlink()

    def is_there():
        web.out(b"more\n")
        p.sync()
        return p.texts("web")
    assert until(is_there)[0].startswith("dropped 50")
    p.stop()


def test_until_var_is_there_lines_are_in_run(pid1):
    p = pid1(settings="Compress=no\nRuntimeMaxUse=1M\n")
    var = p.base.parent
    old = p.base / "web.service"
    old.mkdir(parents=True)
    (old / "current").write_bytes(b"2026-01-01T00:00:00.000000Z 1 71 out.info old\n")
    p.prefix = in_mounts(f"mount --bind -o ro {var} {var}; mount -o remount,bind,ro {var}")
    web, db = p.service("web"), p.service("db")
    p.start()
    numbers(p, db, 4000)
    web.out(b"early\n")
    p.sync()
    assert p.texts("web", p.run) == ["early"] and len(p.files("db", p.run)) > 1
    subprocess.run(["nsenter", "-t", str(p.process.pid), "-m", "mount", "-o", "remount,bind,rw", var], check=True)
    p.wait_texts("web", ["old", "early"])
    web.out(b"late\n")
    p.sync()
    assert p.texts("web") == ["old", "early", "late"]
    assert [int(t) for t in p.texts("db")] == list(range(4000))
    assert [f for f in p.run.iterdir() if f.name != ".ledger"] == []


def test_what_a_dead_logger_left_in_run_is_moved(pid1):
    p = pid1(settings="Compress=no\n")
    folder = p.run / "web.service"
    folder.mkdir(parents=True)
    (folder / "@20260101T000000.000000Z.log").write_bytes(b"2026-01-01T00:00:00.000000Z 1 71 out.info one\n")
    (folder / "current").write_bytes(b"2026-01-02T00:00:00.000000Z 1 71 out.info two\n")
    p.service("web").out(b"three\n")
    p.start().sync()
    assert p.texts("web") == ["one", "two", "three"]
    assert not folder.exists()


def test_a_file_system_mounted_over_the_logs_gets_them(pid1):
    p = pid1(settings="Compress=no\n")
    p.prefix = in_mounts("true")
    p.base.mkdir(parents=True)
    web = p.service("web")
    p.start()
    web.out(b"one\n")
    p.sync()
    subprocess.run(["nsenter", "-t", str(p.process.pid), "-m", "mount", "-t", "tmpfs", "none", p.base.parent], check=True)
    inside = p.inside(p.base)

    def is_there():
        web.out(b"more\n")
        p.sync()
        return p.texts("web", inside)[:1] == ["one"]
    until(is_there, "the lines in the new place")
    assert set(p.texts("web", inside)[1:]) == {"more"}


@pytest.mark.parametrize("how", ["link", "foreign", "open to all"])
def test_a_base_that_is_not_ours_is_refused(pid1, how):
    p = pid1()
    elsewhere = p.folder / "elsewhere"
    p.base.parent.mkdir()
    (elsewhere if how == "link" else p.base).mkdir()
    if how == "link":
        p.base.symlink_to(elsewhere)
    elif how == "foreign":
        os.chown(p.base, 1000, 1000)
    else:
        p.base.chmod(0o777)
    p.service("web").out(b"hello\n")
    p.start()
    p.wait_texts("web", ["hello"], p.run)
    assert p.console().count("is refused") == 1 and len(p.console().splitlines()) == 1
    assert not elsewhere.exists() or list(elsewhere.iterdir()) == []


@pytest.mark.parametrize("how", ["link", "foreign", "link for a file", "fifo for a file", "second name for a file"])
def test_a_folder_that_is_not_ours_is_refused(pid1, how):
    p = pid1()
    folder, victim = p.base / "web.service", p.folder / "victim"
    p.base.mkdir(parents=True)
    if how == "link":
        victim.mkdir()
        folder.symlink_to(victim)
    else:
        folder.mkdir()
    if how == "foreign":
        os.chown(folder, 1000, 1000)
    elif how == "link for a file":
        (folder / "current").symlink_to(victim)
    elif how == "fifo for a file":
        os.mkfifo(folder / "current")
    elif how == "second name for a file":
        victim.write_bytes(b"precious\n")
        os.link(victim, folder / "current")
    web, db = p.service("web"), p.service("db")
    p.start()
    for _ in range(3):
        web.out(b"hello\n")
        p.sync()
    db.out(b"hello\n")
    p.wait_texts("db", ["hello"])
    assert p.console().count("is refused") == 1 and len(p.console().splitlines()) == 1
    if how == "second name for a file":
        assert victim.read_bytes() == b"precious\n"
    elif victim.exists():
        assert list(victim.iterdir()) == []


@pytest.mark.parametrize("name", ["../../etc.service", "/etc/x.service", ".hidden.service", "..", "a/b.service"])
def test_no_unit_climbs_out(pid1, name):
    p = pid1()
    p.service(name).out(b"hello\n")
    p.start()
    p.wait_texts("system", ["hello"])
    assert [f.name for f in p.base.iterdir()] == ["system"]


# ---- who asks ----

def test_sync_means_what_is_in_the_pipes(pid1):
    p = pid1()
    web, db = p.service("web"), p.service("db")
    p.start()
    p.signal(19)
    web.out(b"one\n" * 5000)
    web.err(b"unfinished")
    db.out(b"hello\n")
    p.signal(18)
    p.sync("web")
    assert p.texts("web").count("one") == 5000 and "unfinished" in p.texts("web")
    p.sync("no-such-unit")
    p.sync()
    assert p.texts("db") == ["hello"]


def test_bad_words_cost_the_asker_its_connection(pid1):
    p = pid1().start()
    for words in (b"hello", b"sync", b"sync " + b"x" * 1000 + b"\n", b"\0", b"sync\nsync\n"):
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
            s.settimeout(DEADLINE)
            s.connect(str(p.folder / "log"))
            s.send(words)
            assert s.recv(100) == b""
    p.sync()


def test_who_says_nothing_keeps_nobody_out(pid1):
    p = pid1().start()
    silent = [socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) for _ in range(8)]
    for s in silent:
        s.connect(str(p.folder / "log"))
    p.sync()
    for s in silent:
        s.close()


# ---- other places to write to ----

def test_stdout(pid1):
    r, w = os.pipe()
    p = pid1(options=["--stdout"], stdout=w)
    web, one = p.service("web"), p.service("one@x")
    p.start()
    os.close(w)
    web.out(marker(1, 71) + b"<3>hello\n" + b"x" * 5000 + b"\n")
    p.sync()
    one.err(b"unfinished")
    p.death("one@x", "exit", 72, 1)
    p.stop()
    with open(r, "rb") as out:
        lines = out.read().splitlines(keepends=True)
    assert lines == [b"web: hello\n", b"web: " + b"x" * 4090 + b"\n", b"web: " + b"x" * 910 + b"\n", b"one@x: unfinished\n"]
    assert not p.base.exists()


def test_a_reader_of_stdout_that_is_gone_holds_nobody_up(pid1):
    r, w = os.pipe()
    p = pid1(options=["--stdout"], stdout=w)
    web = p.service("web")
    p.start()
    os.close(w)
    os.close(r)
    for _ in range(5):
        web.out(b"hello\n" * 10_000)
    p.stop()


def test_copies(pid1):
    p = pid1()
    for name in ("kmsg", "console"):
        (p.folder / name).touch()
    p.prefix = in_mounts(f"mount --bind {p.folder}/kmsg /dev/kmsg; mount --bind {p.folder}/console /dev/console")
    web = p.service("web", copies=TO_KMSG | TO_CONSOLE, identifier="webber")
    plain = p.service("plain")
    p.start()
    web.out(marker(1, 71) + b"<4>hello \x1b[2J\n")
    plain.out(b"not copied\n")
    p.sync()
    assert (p.folder / "kmsg").read_bytes() == b"<28>webber[71]: hello \x1b[2J"
    assert (p.folder / "console").read_bytes() == b"webber[71]: hello ?[2J\n"
    assert p.texts("web") == ["hello \x1b[2J"]


# ---- settings ----

def test_a_wrong_setting_costs_only_itself(pid1):
    p = pid1(settings="LineMax=soon\nColour=blue\nSystemMaxFileSize=64K\nnonsense\n")
    web = p.service("web")
    p.start()
    numbers(p, web, 1000)
    assert len(p.files("web")) > 1
    console = p.console()
    assert "conf:2: soon is no value for LineMax=" in console and "conf:3: Colour= is no setting" in console and "conf:5:" in console


def test_another_line_max_takes_effect(pid1):
    p = pid1(settings="LineMax=4K\n")
    web = p.service("web")
    p.start()
    web.out(b"x" * 3000)
    until(lambda: pipe_is_empty(web.pipes[OUT].fd))
    p.kill()
    (p.folder / "conf").write_text("[Log]\nLineMax=200\n")
    p.start()
    web.out(b"y" * 500 + b"\n")
    p.sync()
    lines = p.lines("web")
    assert joined(lines) == [b"x" * 3000 + b"y" * 500]
    assert all(len(x.text) <= 200 for x in lines)
