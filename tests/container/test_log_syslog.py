"""What oomph-log hears besides pipes, and what it sends on: the real binary, and a PID 1 that is none (fakepid1.py)."""
import fcntl
import json
import logging
import logging.handlers
import os
import signal
import socket
import struct
import subprocess
import threading

import pytest

from box import DEADLINE, until
from fakepid1 import FakePid1, marker, pipe_is_empty

SEALS = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SEAL


@pytest.fixture
def pid1(request):
    """pid1(**options): a started logger, which ends with the test."""
    all_of_them = []
    request.node.boxes = []

    def start(**options):
        all_of_them.append(FakePid1(**options))
        return all_of_them[-1].start()

    yield start
    for p in all_of_them:
        p.__exit__()


def to(path):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    s.settimeout(DEADLINE)
    s.connect(str(path))
    return s


def dev_log(p):
    return to(p.dev_log)


def journal(p):
    return to(p.sockets / "socket")


def sized(name, value):
    return name + b"\n" + struct.pack("<Q", len(value)) + value + b"\n"


def entry_in_memfd(entry, seals=SEALS):
    fd = os.memfd_create("entry", os.MFD_ALLOW_SEALING)
    os.write(fd, entry)
    fcntl.fcntl(fd, fcntl.F_ADD_SEALS, seals)
    return fd


def system(p):
    """All that was heard up to now, of nobody's service."""
    p.sync()
    return [(line.stream, line.priority, line.text.decode(errors="replace")) for line in p.lines("system")]


# ---- /dev/log ----

def test_dev_log_is_a_link_to_a_socket_that_all_may_write_to(pid1):
    p = pid1()
    assert os.readlink(p.dev_log) == str(p.sockets / "dev-log")
    assert (p.sockets / "dev-log").stat().st_mode & 0o777 == 0o666


def test_logger_is_heard_in_each_of_its_forms(pid1):
    p = pid1()
    for words in (["-p", "auth.err", "-t", "tag", "one"], ["--rfc3164", "-t", "tag", "two"], ["--rfc5424", "-t", "tag", "three"],
                  ["--id=1", "-t", "tag", "four"]):
        subprocess.run(["logger", "-u", p.dev_log, *words], check=True)
    assert system(p) == [("syslog", "err", "tag: one"), ("syslog", "notice", "tag: two"), ("syslog", "notice", "tag: three"),
                         ("syslog", "notice", "tag: four")]


def test_the_c_library_is_heard(pid1):
    """Its path is /dev/log, so it has a /dev of its own here."""
    p = pid1()
    script = "import syslog; syslog.openlog('prog', syslog.LOG_PID); syslog.syslog(syslog.LOG_CRIT, 'one\\ntwo')"
    subprocess.run(["unshare", "--mount", "sh", "-c", f"mount -t tmpfs none /dev; ln -s {p.sockets}/dev-log /dev/log; /usr/bin/python3 -c \"{script}\""],
                   check=True)
    assert system(p) == [("syslog", "crit", "prog: one"), ("syslog", "crit", "prog: two")]


def test_pythons_handler_is_heard(pid1):
    p = pid1()
    log = logging.getLogger("test")
    handler = logging.handlers.SysLogHandler(str(p.dev_log))
    log.addHandler(handler)
    try:
        log.error("a traceback\n  File x")
    finally:
        log.removeHandler(handler)
    assert system(p) == [("syslog", "err", "a traceback"), ("syslog", "err", "  File x")]
    assert {line.pid for line in p.lines("system")} == {os.getpid()}


@pytest.mark.parametrize("sent, kept", [
    (b"", []),
    (b"\0", [b""]),
    (b"<192>x", [b"<192>x"]),
    (b"no PRI at all", [b"no PRI at all"]),
    (b"<13>a\0b", [b"a\0b"]),
    (b"<13>\xff\xfe\x1b[31m", [b"\xff\xfe\x1b[31m"]),
    (b"<13>Nov 27 04:03:01 t: a\n\nb\n", [b"t: a", b"t: ", b"t: b"]),
    (b"<13>2026-11-27T04:03:01.000001Z 1 1 out.emerg forged", [b"2026-11-27T04:03:01.000001Z 1 1 out.emerg forged"]),
    (b"<13>" + b"x" * 100000, [b"x" * 49152, b"x" * 49152, b"x" * (100000 - 2 * 49152)]),
])
def test_any_datagram_is_kept_and_forges_nothing(pid1, sent, kept):
    p = pid1()
    dev_log(p).send(sent)
    p.sync()
    assert [line.text for line in p.lines("system")] == kept
    assert all(line.stream == "syslog" and line.pid == os.getpid() for line in p.lines("system"))


def test_as_many_lines_as_it_takes_and_no_more(pid1):
    p = pid1()
    with dev_log(p) as s:
        s.send(b"<13>" + b"\n" * 100000 + b"x")
        s.send(b"<13>after")
    texts = [text for _, _, text in system(p)]
    assert len(texts) == 65537
    assert texts[-2:] == ["(this and all that follows is not kept: it is the 65536th line of one message)", "after"]


def test_a_container_s_output_has_it_too(pid1):
    p = pid1(options=["--stdout"], stdout=subprocess.PIPE)
    dev_log(p).send(b"<13>Nov 27 04:03:01 t: hello")
    assert p.process.stdout.readline() == b"system: t: hello\n"


# ---- whose line it is ----

def given_main_process(service, pid, generation=1):
    service.out(marker(generation, pid))


class Child:
    """A process that sends what it is told to, and ends with the order to."""

    def __init__(self, path):
        orders, self.order = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self.order)
            s = to(path)
            while words := os.read(orders, 1000):
                s.send(words)
            os._exit(0)
        os.close(orders)

    def send(self, words):
        os.write(self.order, words)

    def end(self):
        os.close(self.order)
        os.waitpid(self.pid, 0)


def test_without_cgroups_it_is_the_service_whose_main_process_is_a_forefather(pid1):
    p = pid1()
    web = p.service("web", level_max=4)
    given_main_process(web, os.getpid(), generation=7)
    p.sync()
    child = Child(p.dev_log)
    for words in (b"<12>Nov 27 04:03:01 tag: one", b"<14>below LogLevelMax=", b"<12>two"):
        child.send(words)
        until(lambda: pipe_is_empty(child.order))
    p.wait_texts("web", ["tag: one", "two"])
    child.end()
    assert {(line.generation, line.stream, line.priority, line.pid) for line in p.lines("web")} == {(7, "syslog", "warning", child.pid)}


def test_of_a_sender_that_is_gone_the_service_is_remembered(pid1):
    p = pid1()
    web = p.service("web")
    child = Child(p.dev_log)
    given_main_process(web, child.pid)
    p.sync()
    child.send(b"alive")
    p.wait_texts("web", ["alive"])
    p.signal(signal.SIGSTOP)
    child.send(b"last words")
    child.end()
    p.signal(signal.SIGCONT)
    p.wait_texts("web", ["alive", "last words"])


# ---- restarts, and others at the same place ----

def test_nothing_is_lost_while_the_logger_is_dead(pid1):
    p = pid1()
    assert set(p.kept) == {"syslog", "journal"}
    with dev_log(p) as s, journal(p) as j:
        s.send(b"before")
        p.sync()
        p.kill()
        s.send(b"meanwhile")
        j.send(b"MESSAGE=an entry\n")
        p.start()
        s.send(b"after")
        assert sorted(text for _, _, text in system(p)) == ["after", "an entry", "before", "meanwhile"]


def test_no_datagram_is_lost_by_killing_it(pid1):
    """What is in hand when it dies is read again: a line may stand there twice, but all stand there, and in their order."""
    p = pid1()
    n, sent = 30000, threading.Event()

    def send():
        with dev_log(p) as s:
            for i in range(n):
                s.send(b"%d" % i)
        sent.set()

    threading.Thread(target=send).start()
    n_kills = 0
    while not sent.is_set() and n_kills < 20:
        before = len(p.raw("system"))
        until(lambda: sent.is_set() or len(p.raw("system")) > before)       # noqa: B023
        p.kill()
        p.start()
        n_kills += 1
    assert sent.wait(DEADLINE)
    p.sync()
    numbers = [int(text) for text in p.texts("system")]
    assert n_kills > 2 and numbers == sorted(numbers) and set(numbers) == set(range(n))
    assert len(numbers) - n <= n_kills


@pytest.mark.parametrize("is_kept", [False, True])
def test_a_socket_that_cannot_be_gone_on_with_is_made_anew(pid1, is_kept):
    p = pid1()
    p.kill()
    if is_kept:
        (p.sockets / "dev-log").unlink()
    else:
        os.close(p.kept.pop("syslog"))
    p.start()
    dev_log(p).send(b"hello")
    assert system(p) == [("syslog", "notice", "hello")]


def test_whoever_serves_dev_log_keeps_it(pid1, tmp_path):
    p = FakePid1()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
        other.bind(str(p.dev_log))
        p.start()
        dev_log(p).send(b"to the other")
        assert other.recv(100) == b"to the other"
        assert p.console().count("another program's") == 1
    p.__exit__()


def test_a_socket_that_nobody_serves_any_more_makes_way(pid1):
    p = FakePid1()
    socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).bind(str(p.dev_log))       # and its owner is gone
    p.start()
    dev_log(p).send(b"hello")
    assert system(p) == [("syslog", "notice", "hello")]
    p.__exit__()


def test_a_syslog_daemon_takes_dev_log_and_gives_it_back(pid1):
    """As rsyslog does: unlink, bind; and unlink again when it is stopped."""
    p = pid1()
    p.dev_log.unlink()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
        other.bind(str(p.dev_log))
        until(lambda: "another program's" in p.console())
        dev_log(p).send(b"to the other")
        assert other.recv(100) == b"to the other"
    p.dev_log.unlink()
    until(p.dev_log.is_symlink)
    dev_log(p).send(b"hello")
    assert system(p) == [("syslog", "notice", "hello")]


# ---- the journal's socket ----

def test_entries_as_sd_journal_send_makes_them(pid1):
    p = pid1()
    with journal(p) as s:
        s.send(b"CODE_FILE=a.c\nCODE_LINE=7\nCODE_FUNC=main\nMESSAGE=one\nPRIORITY=3\nSYSLOG_IDENTIFIER=app\n")
        s.send(sized(b"MESSAGE", b"two\nthree") + b"SYSLOG_IDENTIFIER=app\nSYSLOG_PID=1\n")
        s.send(b"_SYSTEMD_UNIT=ssh.service\nMESSAGE=four\n\nMESSAGE=five\n")
    assert system(p) == [("journal", "err", "app: one"), ("journal", "info", "app[1]: two"), ("journal", "info", "app[1]: three"),
                         ("journal", "info", "four"), ("journal", "info", "five")]


def test_logger_speaks_it(pid1):
    """logger --journald knows one path only."""
    p = pid1()
    script = f"mount -t tmpfs none /run; mkdir -p /run/systemd/journal; ln -s {p.sockets}/socket /run/systemd/journal/socket; logger --journald"
    subprocess.run(["unshare", "--mount", "sh", "-c", script], input=b"MESSAGE=hello\nPRIORITY=2\n", check=True)
    assert [(stream, priority, text.rpartition(": ")[2]) for stream, priority, text in system(p)] == [("journal", "crit", "hello")]


def test_a_large_entry_comes_in_a_memfd(pid1):
    p = pid1()
    entry = b"SYSLOG_IDENTIFIER=app\n" + sized(b"MESSAGE", b"a\n" + b"x" * 3000000) + b"PRIORITY=4\n"
    socket.send_fds(journal(p), [b""], [entry_in_memfd(entry)])
    p.sync()
    lines = p.lines("system")
    assert lines[0].text == b"app: a" and {line.priority for line in lines} == {"warning"}
    assert b"".join(line.text for line in lines[1:]) == b"app: " + b"x" * 3000000
    assert all(line.is_cut for line in lines[1:-1]) and not lines[-1].is_cut


def descriptors(p):
    """But for sockets, of which sync() has one for a moment."""
    all_of_them = [os.readlink(f"/proc/{p.process.pid}/fd/{fd}") for fd in os.listdir(f"/proc/{p.process.pid}/fd")]
    return sorted(d for d in all_of_them if not d.startswith("socket:"))


def test_no_other_descriptor_is_looked_at_or_kept(pid1):
    p = pid1()
    with journal(p) as s, open("/etc/passwd") as file:
        s.send(b"MESSAGE=first\n")
        p.sync()
        before = descriptors(p)
        for fd in (entry_in_memfd(b"MESSAGE=not sealed\n", 0), file.fileno(), os.pipe()[1]):
            socket.send_fds(s, [b""], [fd])
            socket.send_fds(s, [b"MESSAGE=with text\n"], [fd, fd])
        refused = "sent to the journal's socket nothing, or a descriptor of something else than a sealed memfd"
        assert [text for _, _, text in system(p)] == ["first"] + 3 * [refused, "with text"]
    until(lambda: descriptors(p) == before)


def lingering():
    """A TCP socket whose last close(2) waits for an hour."""
    server = socket.create_server(("127.0.0.1", 0))
    s = socket.create_connection(server.getsockname())
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 3600))
    s.setblocking(False)
    try:
        while True:
            s.send(b"x" * 65536)
    except BlockingIOError:
        return s, server


def test_a_large_entry_comes_behind_a_descriptor_that_cannot_be_closed(pid1):
    p = pid1()
    with journal(p) as s:
        for _ in range(2):
            held, server = lingering()
            p.signal(signal.SIGSTOP)
            socket.send_fds(s, [b""], [held.fileno()])
            held.close()
            p.signal(signal.SIGCONT)
            socket.send_fds(s, [b""], [entry_in_memfd(b"MESSAGE=large\n")])
            p.sync()
            assert p.texts("system")[-1] == "large"


def test_what_is_no_entry_costs_itself(pid1):
    p = pid1()
    with journal(p) as s:
        s.send(b"MESSAGE=kept\n" + b"MESSAGE\n" + b"\xff" * 8 + b"\n")
        s.send(b"noise")
        s.send(b"MESSAGE=after\n")
    texts = [text for _, _, text in system(p)]
    bad = "sent to the journal's socket what is no entry; what was legible of it is kept"
    assert texts == ["kept", bad, bad, "after"]


@pytest.mark.parametrize("where, words", [(journal, b""), (journal, b"MESSAGE=x\n"), (dev_log, b"<13>x")])
def test_a_descriptor_that_cannot_be_closed_stops_nobody(pid1, where, words):
    p = pid1()
    web = p.service("web")
    with where(p) as s:
        held, server = lingering()
        p.signal(signal.SIGSTOP)
        try:
            socket.send_fds(s, [words], [held.fileno()])
            held.close()                # the logger's is the last now
        except PermissionError:
            held.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 0, 0))       # refused, since Linux 6.16
        p.signal(signal.SIGCONT)
        web.out(b"still here\n")
        p.wait_texts("web", ["still here"])
        s.send(b"MESSAGE=after\n")
        p.sync()
        assert p.texts("system")[-1].endswith("after")
        server.close()


# ---- sending on ----

def udp():
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("127.0.0.1", 0))
    s.settimeout(DEADLINE)
    return s, s.getsockname()[1]


class Frames:
    """RFC 6587, octet counting, off a stream."""

    def __init__(self, s):
        s.settimeout(DEADLINE)
        self.file = s.makefile("rb")

    def next(self):
        length = b""
        while not length.endswith(b" "):
            c = self.file.read(1)
            assert c, "the connection has ended"
            length += c
        return self.file.read(int(length))


def rest_of(message):
    """Without PRI and version, time and host."""
    pri, _, _, rest = message.split(b" ", 3)
    return pri, rest


def test_over_udp_each_line_is_a_packet(pid1):
    s, port = udp()
    p = pid1(settings=f"ForwardToSyslog=udp:127.0.0.1:{port}\n")
    db, web = p.service("db"), p.service("web", identifier="nginx")
    given_main_process(db, 812)
    db.out(b"<4>Ready\n")
    assert rest_of(s.recv(9000)) == (b"<28>1", b"db 812 out - Ready")
    web.err(b"\xc3\xa4\xff\n")
    assert rest_of(s.recv(9000)) == (b"<30>1", b"nginx - err - \xc3\xa4\xff")
    dev_log(p).send(b"<82>Nov 27 04:03:01 sshd[7]: no")
    assert rest_of(s.recv(9000)) == (b"<82>1", b"system %d syslog - sshd[7]: no" % os.getpid())
    dev_log(p).send(b"<82>Nov 27 04:03:01 sshd: no")
    assert rest_of(s.recv(9000)) == (b"<82>1", b"sshd %d syslog - no" % os.getpid())
    db.out(b"x" * 20000 + b"\n")
    assert len(s.recv(65536)) == 8192


def test_a_host_s_name_is_looked_up(pid1):
    s, port = udp()
    p = pid1(settings=f"ForwardToSyslog=udp:localhost:{port}\n")
    p.service("db").out(b"hello\n")
    assert rest_of(s.recv(9000))[1] == b"db - out - hello"


def test_over_tcp_each_line_has_its_length(pid1):
    with socket.create_server(("127.0.0.1", 0)) as server:
        p = pid1(settings=f"ForwardToSyslog=tcp:127.0.0.1:{server.getsockname()[1]}\n")
        p.service("db").out(b"one\n\ntwo \n" + b"x" * 49152 + b"\n")
        frames = Frames(server.accept()[0])
        assert [rest_of(frames.next())[1] for _ in range(4)] == [b"db - out - one", b"db - out - ", b"db - out - two ",
                                                                b"db - out - " + b"x" * 49152]


def test_lines_wait_for_a_receiver_that_comes_late_and_comes_back(pid1):
    reserved = socket.create_server(("127.0.0.1", 0))
    port = reserved.getsockname()[1]
    reserved.close()
    p = pid1(settings=f"ForwardToSyslog=tcp:127.0.0.1:{port}\n")
    db = p.service("db")
    db.out(b"one\n")
    until(lambda: "cannot send lines on" in p.console())
    for words in ([b"one", b"two"], [b"three"]):
        with socket.create_server(("127.0.0.1", port)) as server:
            connection = server.accept()[0]
            if words == [b"one", b"two"]:
                db.out(b"two\n")
            frames = Frames(connection)
            assert [rest_of(frames.next())[1] for _ in words] == [b"db - out - " + w for w in words]
            connection.shutdown(socket.SHUT_RDWR)
            connection.close()
        if words[-1] == b"two":
            until(lambda: p.console().count("cannot send") + p.console().count("again") >= 2)
            db.out(b"three\n")


def test_a_receiver_that_does_not_read_costs_its_own_lines_alone(pid1):
    with socket.create_server(("127.0.0.1", 0)) as server:
        p = pid1(settings=f"ForwardToSyslog=tcp:127.0.0.1:{server.getsockname()[1]}\n")
        db = p.service("db")
        connection = server.accept()[0]
        n = 200000
        for at in range(0, n, 1000):
            db.out(b"".join(b"%07d %s\n" % (i, b"x" * 92) for i in range(at, at + 1000)))
        p.sync()
        assert [int(t.split()[0]) for t in p.texts("db")] == list(range(n))
        got, frames, dropped = [], Frames(connection), None
        while dropped is None or got[-1] < n - 1:
            head, text = rest_of(frames.next())[1].split(b" - ")[::2]
            if head == b"system":
                dropped = int(text.split()[0])
            else:
                got.append(int(text.split()[0]))
        assert got == sorted(set(got)) and len(got) + dropped == n and dropped > 0


def test_json_to_a_fifo(pid1, tmp_path):
    fifo = tmp_path / "log.json"
    p = pid1(settings=f"ForwardToJSON={fifo}\n")
    db = p.service("db")
    given_main_process(db, 812, generation=3)
    db.out(b'<3>say "\xc3\xa4"\x1b\n\xff\n')
    until(fifo.is_fifo)
    with open(fifo) as file:
        text, binary = json.loads(file.readline()), json.loads(file.readline())
    assert text == {"time": p.lines("db")[0].time, "unit": "db.service", "generation": 3, "pid": 812, "stream": "out", "priority": "err",
                    "text": 'say "\u00e4"\x1b', "cut": False}
    assert (binary["text"], binary["text_bytes"]) == (None, [255])


def test_json_to_a_socket(pid1, tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
        server.bind(str(tmp_path / "collector"))
        server.listen()
        p = pid1(settings=f"ForwardToJSON=unix:{tmp_path}/collector\n")
        p.service("db").out(b"x" * 60000 + b"\n")
        connection = server.accept()[0]
        connection.settimeout(DEADLINE)
        file = connection.makefile()
        lines = [json.loads(file.readline()) for _ in range(2)]
    assert [(len(line["text"]), line["cut"]) for line in lines] == [(49152, True), (60000 - 49152, False)]


def test_a_file_in_the_place_of_the_fifo_stays_as_it_is(pid1, tmp_path):
    file = tmp_path / "precious"
    file.write_text("precious")
    p = pid1(settings=f"ForwardToJSON={file}\n")
    p.service("db").out(b"hello\n")
    until(lambda: "cannot send lines on" in p.console())
    assert file.read_text() == "precious"


@pytest.mark.parametrize("setting", ["ForwardToSyslog=10.0.0.1:514", "ForwardToSyslog=udp:::1:514", "ForwardToJSON=relative"])
def test_an_address_that_is_none_costs_one_line(pid1, setting):
    p = pid1(settings=setting + "\n")
    assert len([line for line in p.console().splitlines() if line.startswith("oomph-log: " + setting)]) == 1
    p.service("db").out(b"hello\n")
    p.wait_texts("db", ["hello"])


def test_it_leaves_after_what_was_sent_to_it(pid1):
    p = pid1()
    p.signal(signal.SIGSTOP)
    dev_log(p).send(b"last words")
    p.process.terminate()
    p.signal(signal.SIGCONT)
    assert p.process.wait(DEADLINE) == 0
    assert p.texts("system") == ["last words"]
