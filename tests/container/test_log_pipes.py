"""The pipes between services and the logger, which PID 1 makes, keeps and hands over. The logger is a few lines of Python here."""
import array
import collections
import contextlib
import fcntl
import os
import pathlib
import re
import shutil
import socket
import struct
import subprocess
import termios

import pytest
from test_control import connect, is_cut, request

from box import OOMPH, script, service, until

LOGS, PACKET_LOG, PACKET_END, NOT_PERMITTED = 12, 6, 7, 2
OUT, ERR = 0, 1
STAYS = "exec sleep 1000"
PIPE = 1 << 16

Packet = collections.namedtuple("Packet", "rate_ms rate_burst stream level level_max has_prefix copies token unit identifier")
Marker = collections.namedtuple("Marker", "generation pid")


def packet_of(data):
    rate_ms, burst, stream, level, level_max, has_prefix, copies, token, unit, identifier = \
        struct.unpack("=8xIIBBBBB3x16s256s256s", data)
    text = lambda b: b.partition(b"\0")[0].decode()  # noqa: E731
    return Packet(rate_ms, burst, stream, level, level_max, has_prefix, copies, token, text(unit), text(identifier))


class Logger:
    """Takes what pipes there are, and those that come; reads them when it is told to. Closed as SIGKILL would."""

    def __init__(self, b):
        self.socket = connect(b)
        self.socket.send(request(LOGS, flags=1))
        self.fds, self.packets, self.text = {}, {}, collections.defaultdict(bytes)
        self.n_packets = 0
        self.take()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for fd in self.fds.values():
            os.close(fd)
        self.socket.close()

    def take(self):
        """Up to the end of a batch."""
        while True:
            data, ancillary, *_ = self.socket.recvmsg(4096, socket.CMSG_SPACE(4))
            if struct.unpack_from("=I", data)[0] == PACKET_END:
                assert struct.unpack_from("=I", data, 8)[0] == 0
                return
            fd, = array.array("i", ancillary[0][2])
            packet = packet_of(data)
            key = packet.unit.removesuffix(".service"), packet.stream
            # Its own: not blocking, and with an end once nobody can write there any more.
            own = os.open(f"/proc/self/fd/{fd}", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            os.close(fd)
            if key in self.fds:
                os.close(self.fds[key])
            self.fds[key], self.packets[key] = own, packet
            self.n_packets += 1

    def take_until(self, *keys):
        while not set(keys) <= set(self.fds):
            self.take()

    def read(self, unit, stream=OUT, most=PIPE):
        """What there is; False when there will be nothing more."""
        with contextlib.suppress(BlockingIOError):
            data = os.read(self.fds[unit, stream], most)
            self.text[unit, stream] += data
            return bool(data)
        return True

    def read_until(self, words, unit, stream=OUT):
        def there():
            self.read(unit, stream)
            return words in self.lines(unit, stream)
        until(there, f"{words!r} in {self.text[unit, stream][-200:]}")

    def lines(self, unit, stream=OUT):
        """As a logger would part them: markers first, since they may stand in the middle of a line."""
        token = re.escape(b"\0" + self.packets[unit, stream].token)
        parts = re.split(token + rb"([0-9a-f]{8})([0-9a-f]{8})\n", self.text[unit, stream])
        lines = parts[0].decode().splitlines()
        for generation, pid, text in zip(*[iter(parts[1:])] * 3):
            lines += [Marker(int(generation, 16), int(pid, 16)), *text.decode().splitlines()]
        return lines


def waiting(fd):
    """Bytes in a pipe: FIONREAD."""
    return struct.unpack("i", fcntl.ioctl(fd, termios.FIONREAD, b"\0" * 4))[0]


@pytest.fixture(scope="session")
def helpers(tmp_path_factory):
    """A folder of helpers with an oomph-log in it, which is only ever ready."""
    folder = tmp_path_factory.mktemp("helpers")
    folder.chmod(0o755)
    for program in OOMPH.parent.glob("oomph*"):
        shutil.copy(program, folder)
    (folder / "oomph-log").unlink(missing_ok=True)
    (folder / "oomph-log").write_text('#!/bin/sh\necho "logger: $*"\nexec /mnt/tools/notify READY=1\n')
    (folder / "oomph-log").chmod(0o755)
    return {"OOMPH_LIBDIR": str(folder)}


@pytest.fixture
def logged(box, helpers):
    return lambda units, **more: box(units, **{"log": "files", "env": helpers, **more})


# ---- what arrives ----

def test_both_streams_arrive_with_whose_they_are_in_front(logged):
    b = logged({"web": service(script(f"echo out; echo err >&2; {STAYS}"), ExecStartPre="echo before")})
    u = b.wait_state("web", "up")
    with Logger(b) as log:
        log.read_until("out", "web")
        log.read_until("err", "web", ERR)
        first, before, second, out = log.lines("web")
        assert (before, out) == ("before", "out")
        assert (first.generation, second) == (1, Marker(1, u["main_pid"])) and first.pid != second.pid
        assert log.lines("web", ERR) == [first, second, "err"]
    assert not b.said("before")


def test_a_next_generation_says_so(logged):
    b = logged({"web": service(script(f"echo out; {STAYS}"))})
    old = b.wait_state("web", "up")["main_pid"]
    with Logger(b) as log:
        log.read_until("out", "web")
        b.do("restart", "web")
        new = b.unit("web")["main_pid"]
        log.read_until(Marker(2, new), "web")
        until(lambda: log.read("web") and log.lines("web") == [Marker(1, old), "out", Marker(2, new), "out"])
        assert log.n_packets == 2               # the pipes are those of the first one


def test_what_runs_beside_the_main_process_does_not_take_its_lines(logged):
    b = logged({"web": service(script(STAYS), Type="exec", ExecStartPost="echo post", ExecReload="echo again", ExecStop="echo stop", ExecStopPost="echo over")})
    pid = b.wait_state("web", "up")["main_pid"]
    with Logger(b) as log:
        log.read_until("post", "web")
        b.do("reload", "web")
        log.read_until("again", "web")
        b.do("stop", "web")
        log.read_until("over", "web")
        assert "stop" in log.lines("web")
        assert [line for line in log.lines("web") if isinstance(line, Marker)] == [Marker(1, pid)]


def test_how_it_is_to_be_kept_is_told(logged):
    b = logged({"web": service(script(STAYS), SyslogIdentifier="w%%b", SyslogLevel="err", SyslogLevelPrefix="no", LogLevelMax="notice",
                               LogRateLimitIntervalSec="2s", LogRateLimitBurst="5", StandardError="kmsg+console"),
                "plain": service(script(STAYS)), "err": service(script(STAYS), StandardOutput="null", StandardError="journal"),
                "none": service(script(STAYS), StandardOutput="null")})
    for unit in ("web", "plain", "err", "none"):
        b.wait_state(unit, "up")
    with Logger(b) as log:
        assert set(log.fds) == {("web", OUT), ("web", ERR), ("plain", OUT), ("plain", ERR), ("err", ERR)}
        token = log.packets["web", OUT].token
        assert re.fullmatch(rb"[0-9a-f]{16}", token)
        assert log.packets["web", OUT] == Packet(2000, 5, OUT, 3, 5, 0, 0, token, "web.service", "w%b")
        assert log.packets["web", ERR] == Packet(2000, 5, ERR, 3, 5, 0, 3, token, "web.service", "w%b")
        assert log.packets["plain", ERR] == Packet(30000, 0, ERR, 6, 7, 1, 0, token, "plain.service", "")


def test_a_user_may_open_what_he_writes_to(logged):
    b = logged({"web": service(script(f"echo out >/dev/stdout; echo err >/dev/stderr; {STAYS}"), User="nobody")})
    b.wait_state("web", "up")
    with Logger(b) as log:
        log.read_until("out", "web")
        log.read_until("err", "web", ERR)


# ---- nothing is lost ----

COUNTS = "i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done; echo end"


def counted(lines):
    return [line for line in lines if isinstance(line, str)] == [f"line {i}" for i in range(20000)] + ["end"]


def test_a_service_waits_for_a_logger_and_loses_nothing(logged):
    b = logged({"web": service(script(f"{COUNTS}; touch /mnt/done; {STAYS}"))})
    b.wait_state("web", "up")
    with Logger(b) as log:
        until(lambda: waiting(log.fds["web", OUT]) > PIPE - 4096)
    assert not (b.folder / "done").exists()
    with Logger(b) as log:
        log.read_until("end", "web")
        assert counted(log.lines("web"))
    b.wait(lambda: (b.folder / "done").exists())


def test_one_logger_after_another_loses_nothing(logged):
    b = logged({"web": service(script(f"{COUNTS}; {STAYS}"))})
    b.wait_state("web", "up")
    text, n = b"", 0
    while b"\nend\n" not in text:
        with Logger(b) as log:
            until(lambda: log.read("web", most=4096) and log.text["web", OUT])
            text += log.text["web", OUT]
            packets = log.packets
            n += 1
    log.text["web", OUT] = text
    assert counted(log.lines("web")) and n > 5 and packets["web", OUT].token == log.packets["web", OUT].token


def test_none_of_it_comes_through_pid_1(logged):
    def io():
        return sum(int(n) for n in re.findall(r"[rw]char: (\d+)", pathlib.Path(f"/proc/{b.pid}/task/{b.pid}/io").read_text()))
    b = logged({"web": service(script("read x; head -c 1000000 /dev/zero; echo; echo end"), Type="oneshot", StandardInput="file:/mnt/fifo")},
               before="mkfifo /mnt/fifo")
    with Logger(b) as log:
        log.take_until(("web", OUT))
        before = io()
        (b.folder / "fifo").write_text("go\n")
        log.read_until("end", "web")
        assert len(log.text["web", OUT]) > 1000000
    b.wait_state("web", "done", "idle")
    assert io() - before < 100000


# ---- who gets them, and until when ----

@contextlib.contextmanager
def as_nobody():
    os.seteuid(65534)
    yield
    os.seteuid(0)


def test_only_root_gets_them(logged):
    b = logged({"web": service(script(STAYS))})
    b.wait_state("web", "up")
    b.socket.chmod(0o666)
    with as_nobody():
        s = connect(b)
    s.send(request(LOGS, flags=1))
    data, ancillary, *_ = s.recvmsg(4096, socket.CMSG_SPACE(4))
    assert struct.unpack("=III", data) == (PACKET_END, 12, NOT_PERMITTED) and not ancillary


def test_who_follows_gets_those_that_are_opened_later(logged):
    b = logged({"web": service(script(STAYS))})
    b.wait_state("web", "up")
    with Logger(b) as log:
        assert log.n_packets == 2
        b.put("db", service(script(f"echo hello; {STAYS}")))
        log.take_until(("db", OUT), ("db", ERR))
        log.read_until("hello", "db")
        assert log.n_packets == 4


def test_one_who_does_not_follow_gets_one_batch_and_one_who_asks_for_a_unit_that_one(logged):
    b = logged({"web": service(script(STAYS)), "db": service(script(STAYS))})
    b.wait_state("web", "up")
    b.wait_state("db", "up")
    s = connect(b)
    s.send(request(LOGS, unit=b"db"))
    kinds = [struct.unpack_from("=I", s.recv(4096))[0] for _ in range(3)]
    assert kinds == [PACKET_LOG, PACKET_LOG, PACKET_END]
    b.do("restart", "web")
    s.send(request(LOGS, unit=b"no-such"))
    assert struct.unpack_from("=I", s.recv(4096))[0] == PACKET_END


def test_one_who_does_not_read_costs_nobody_anything(logged):
    b = logged({f"s{i}": service(script(f"echo out; {STAYS}")) for i in range(5)})
    deaf = connect(b)
    for _ in range(200):
        deaf.send(request(LOGS))
    with Logger(b) as log:
        log.take_until(*((f"s{i}", OUT) for i in range(5)))
        b.do("restart", "s0")
        log.read_until("out", "s0")


def test_others_who_crowd_in_do_not_cost_the_logger_its_place(logged):
    b = logged({"web": service(script(STAYS))})
    with Logger(b) as log:
        crowd = [connect(b) for _ in range(200)]
        b.put("db", service(script(STAYS)))
        log.take_until(("db", OUT))
        assert is_cut(crowd[0])


def test_a_reload_keeps_them_and_tells_what_has_changed(logged):
    b = logged({"web": service(script(f"echo out; {STAYS}")), "db": service(script(STAYS))})
    b.wait_state("web", "up")
    b.wait_state("db", "up")
    with Logger(b) as log:
        inodes = {key: os.fstat(fd).st_ino for key, fd in log.fds.items()}
        b.put("web", service(script(f"echo out; {STAYS}"), SyslogLevel="debug"))
        b.put("a", service(script(STAYS)))              # and so all have other numbers
        log.take_until(("a", OUT), ("a", ERR))
        assert {key: os.fstat(fd).st_ino for key, fd in log.fds.items() if key[0] != "a"} == inodes
        assert log.packets["web", OUT].level == 7 and log.packets["db", OUT].level == 6
        assert log.n_packets == 8                       # four, then web's and a's
        log.read_until("out", "web")


def test_they_end_with_their_unit(logged):
    b = logged({"web": service(script(f"echo out; {STAYS}"), ExecStopPost="echo last"), "db": service(script(STAYS))})
    b.wait_state("web", "up")
    b.wait_state("db", "up")
    with Logger(b) as log:
        (b.services / "web.service").unlink()
        until(lambda: not log.read("web"))
        assert log.lines("web")[1:] == ["out", "last"]
        assert log.read("db")
    b.put("web", service(script(f"echo out; {STAYS}")))
    b.wait(lambda: b.states().get("web") == "up")
    with Logger(b) as log:
        log.read_until("out", "web")
        assert len(log.lines("web")) == 2


def test_all_of_many_end_at_once(logged):
    def n_open():
        return len(list(pathlib.Path(f"/proc/{b.pid}/fd").iterdir()))
    b = logged({f"job{i}": service("true", Type="oneshot") for i in range(300)})
    b.wait_state("job299", "idle", "done")
    with Logger(b) as log:
        while log.n_packets < 600:
            log.take()
        assert n_open() > 600
    for i in range(300):
        (b.services / f"job{i}.service").unlink()
    b.do("reload")
    until(lambda: n_open() < 50)


def test_where_no_descriptor_is_left_the_console_does(logged):
    b = logged({"web": service(script(f"echo to the console; {STAYS}"))}, before="ulimit -n 140")
    b.wait_state("web", "up")
    b.wait_for("web: StandardOutput= could not be applied: too many open files")
    b.wait_for("to the console")
    assert "StandardError=" in b.unit("web")["warning"]
    with Logger(b) as log:
        assert not log.fds


def test_without_proc_the_console_does(logged):
    b = logged({"web": service(script(f"echo to the console; {STAYS}"), Restart="always")})
    pid = b.wait_state("web", "up")["main_pid"]
    with Logger(b) as log:
        log.read_until("to the console", "web")
    b.inside(f"mount -t tmpfs none /proc && kill {pid}")
    b.wait_for("web: StandardOutput= could not be applied: no such file")
    b.wait_for("to the console")


# ---- the logger's own unit ----

def test_the_logger_is_the_first_to_start_and_the_last_to_stop(logged):
    b = logged({"web": service(script(STAYS), DefaultDependencies="no"), "db": service(script(STAYS))}, log="stdout")
    b.wait_state("web", "up")
    b.wait_state("db", "up")
    b.wait_for("logger: --stdout --socket /mnt/run/control")
    assert {u["unit"] for u in b.json("list")} == {"web.service", "db.service"}
    b.do("poweroff")
    assert b.leave() == 0
    for unit in ("web", "db"):
        assert b.said_in_order("oomph-log: up", f"{unit}: up", f"{unit}: ", "oomph-log: ")


def test_with_none_there_is_no_logger(logged):
    b = logged({"web": service(script(f"echo to the console; {STAYS}"))}, log="none")
    b.wait_for("to the console")
    assert b.ctl("status", "oomph-log").returncode == 3
    with Logger(b) as log:
        assert not log.fds


@pytest.mark.parametrize("words", [["--log=elsewhere"], ["--log", "elsewhere"], ["--log"], ["--logs=files"]])
def test_other_places_are_refused(words):
    r = subprocess.run([OOMPH, *words], capture_output=True, text=True)
    assert r.returncode == 2 and r.stderr.startswith(f"oomph: unknown option: {words[0]}")
