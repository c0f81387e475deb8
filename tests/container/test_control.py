"""The control socket and oomphctl."""
import contextlib
import json
import os
import select
import signal
import socket
import struct
import subprocess

import pytest

from box import CTL, DEADLINE, script, service

STAYS = "sleep 1000"
NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
REQUEST_SIZE = 272
LIST, EVENTS = 0, 8
MAGIC, VERSION, FOLLOW = 0x504D4F4F, 1, 1


def request(verb, magic=MAGIC, version=VERSION, flags=0, unit=b""):
    return struct.pack("=IIBBBBi", magic, version, verb, flags, 0, 0, 0) + unit.ljust(REQUEST_SIZE - 16, b"\0")


def connect(b):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.connect(str(b.socket))
    s.settimeout(DEADLINE)
    return s


def is_cut(s):
    try:
        while s.recv(8192):
            pass
        return True
    except ConnectionError:
        return True
    except TimeoutError:
        return False


def deaf_is_cut(s):
    """Without reading: the other end has closed, poll(2) says."""
    p = select.poll()
    p.register(s, select.POLLRDHUP)
    return any(events & (select.POLLHUP | select.POLLRDHUP) for _, events in p.poll(0))


@pytest.fixture
def web(box):
    b = box({"web": service(STAYS, Description="a web server")})
    b.wait_state("web", "up")
    return b


# ---- the verbs ----

def test_list(web):
    head, row = web.do("list").splitlines()
    assert head.split()[:3] == ["UNIT", "STATE", "PID"]
    assert row.split()[:2] == ["web", "up"] and row.endswith("a web server")


UNIT_KEYS = "unit state want main_pid since_ms generation restarts oom_kills oom_score_adj next_start_ms result last_death"
DEATH_KEYS = "id unit generation pid main comm time uptime_ms cause exit_code signal core_dumped oom restart delay_ms"


def test_json_has_the_promised_keys(web):
    assert set(UNIT_KEYS.split()) <= set(web.json("list")[0])
    assert set(UNIT_KEYS.split()) <= set(web.unit("web"))
    web.do("stop", "web")
    assert set(DEATH_KEYS.split()) <= set(web.json("deaths")[0])
    assert set(DEATH_KEYS.split()) <= set(web.json("why", "web")[0])


@pytest.mark.parametrize("name", ["web", "web.service"])
def test_names_go_with_and_without_suffix(web, name):
    assert web.unit(name)["unit"] == "web.service"


def test_stop_start_restart(web):
    web.do("stop", "web")
    assert web.unit("web")["state"] == "idle"
    web.do("start", "web")
    assert web.unit("web")["state"] == "up"
    pid = web.unit("web")["main_pid"]
    web.do("restart", "web")
    u = web.unit("web")
    assert u["state"] == "up" and u["main_pid"] != pid and u["generation"] == 3


def test_starting_what_is_up_changes_nothing(web):
    pid = web.unit("web")["main_pid"]
    web.do("start", "web")
    assert web.unit("web")["main_pid"] == pid


def test_start_tells_of_a_failure(box):
    b = box({"web": service("/nowhere/web", Type="exec")})
    b.wait_state("web", "failed")
    r = b.ctl("start", "web")
    assert r.returncode == 1 and "no such file" in r.stderr and len(r.stderr.splitlines()) == 1


def test_start_waits_until_it_is_ready(box):
    b = box({"web": service("/mnt/tools/notify READY=1", Type="notify", ExecStartPre="sleep 0.2")})
    b.wait_state("web", "up")
    b.do("stop", "web")
    b.do("start", "web")
    assert b.unit("web")["state"] == "up"


def test_kill_with_a_signal(box):
    b = box({"web": service("/mnt/tools/catch", Restart="no")})
    b.wait_for("catch: ready")
    b.do("kill", "web", "-s", "USR1")
    b.wait_for("catch: got SIGUSR1")
    b.wait_state("web", "failed")
    assert b.deaths("web")[-1]["cause"] == "exit"


def test_a_kill_by_oomphctl_is_an_operators(web):
    web.do("kill", "web", "KILL")
    web.wait_state("web", "failed")
    d = web.deaths("web")[-1]
    assert d["cause"] == "signal" and d["signal"] == signal.SIGKILL


def test_reload_of_a_unit(box):
    b = box({"web": service(STAYS, ExecReload=script("echo reloaded")), "plain": service(STAYS)})
    b.wait_state("web", "up")
    b.do("reload", "web")
    b.wait_for("reloaded")
    r = b.ctl("reload", "plain")
    assert r.returncode == 1 and "ExecReload=" in r.stderr


class Follower:
    """oomphctl --json COMMAND -f. It listens once it has told of something: until then there is a restart."""

    def __init__(self, b, command):
        self.process = subprocess.Popen([CTL, "--socket", b.socket, "--json", command, "-f"], stdout=subprocess.PIPE)
        b.wait(lambda: b.do("restart", "web") or select.select([self.process.stdout], [], [], 0)[0])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def until(self, **wanted):
        """All that it tells, up to an object with these members."""
        told = []
        while not told or any(told[-1].get(k) != v for k, v in wanted.items()):
            told.append(json.loads(self.process.stdout.readline()))
        return told


def test_deaths_follow(web):
    with Follower(web, "deaths") as f:
        web.do("kill", "web", "KILL")
        told = f.until(cause="signal")
        assert {d["cause"] for d in told[:-1]} == {"stop"} and told[-1]["signal"] == signal.SIGKILL


def test_events_tell_what_happens(web):
    with Follower(web, "events") as f:
        web.do("stop", "web")
        told = f.until(event="idle")
        assert [e["event"] for e in told[-3:]] == ["stopping", "death", "idle"]
        assert told[-2]["death"]["cause"] == "stop" and all(e["unit"] == "web.service" for e in told[-3:])


def test_oom_and_version(web):
    assert web.do("oom") == "no OOM kill is on record\n"
    v = web.json("version")[0]
    assert v["mode"] == "container" and v["kmsg"] is False and v["cgroup"] is False and v["bugs"] == 0


def test_verify_needs_no_pid_1(box, tmp_path):
    good, bad = tmp_path / "good.service", tmp_path / "bad.service"
    good.write_text(service(STAYS))
    bad.write_text("[Service]\nRestrat=no\n")
    run = lambda path: subprocess.run([CTL, "--socket", "/nowhere", "verify", path], capture_output=True, text=True)  # noqa: E731
    r = run(good)
    assert r.returncode == 0 and f"{good}:2: honoured: ExecStart=" in r.stdout and f"{good}: ok" in r.stdout
    r = run(bad)
    assert r.returncode == 1 and f"{bad}:2: " in r.stdout + r.stderr


def test_verify_tells_what_is_required_and_not_run(tmp_path):
    unit = tmp_path / "web.service"
    unit.write_text("[Unit]\nRequires=web.socket\nAfter=web.socket\n[Service]\nExecStart=sleep 9\nType=dbus\nBusName=org.example.Web\n")
    said = subprocess.run([CTL, "verify", unit], capture_output=True, text=True, check=True).stdout
    assert f"{unit}:2: approximated: Requires=web.socket, which is not yet a type that is run" in said
    assert f"{unit}:3: honoured: After=" in said
    assert f"{unit}:6: approximated: Type=dbus implies Requires=dbus.socket" in said


def test_a_dump_is_a_unit_file_that_says_the_same(tmp_path):
    unit = tmp_path / "db.service"
    unit.write_text("""[Unit]
Description=100%% of %n
After=a.service b.service
ConditionPathExists=|!/etc/a b
StartLimitBurst=4
[Service]
Type=forking
ExecStartPre=-+@/bin/sh other -c "echo 'a\\x41' \\; \\$HOME $HOME" "" \\x09 ";"
ExecStart=/bin/true %%n
Environment="A=1 \\"2\\"" B=%N
LimitNOFILE=10:20
LimitRTTIME=5s
CapabilityBoundingSet=CAP_NET_RAW 63
SuccessExitStatus=3 SIGUSR1
CPUAffinity=1-3 7
RuntimeDirectory=web:www
StandardOutput=append:/var/log/%p
StandardInputData=AAH/
SetCredential=key:a\\x01b\\\\
RestartSec=1min 500ms
MemoryMax=1.5G
SecureBits=noroot keep-caps
Personality=x86-64
""")
    dump = lambda path: subprocess.run([CTL, "verify", "--dump", path], capture_output=True, text=True, check=True).stdout  # noqa: E731
    first = dump(unit)
    for line in ("Description=100%% of db.service", "RestartSec=60500ms", "LimitRTTIME=5000000us:5000000us", "CPUAffinity=1-3",
                 "MemoryMax=1610612736", "RuntimeDirectory=web:www", "TimeoutStopSec=90000ms", "StandardInputData=AAH/"):
        assert line in first.splitlines(), first
    unit.write_text(first)
    assert dump(unit) == first


# ---- what goes wrong ----

@pytest.mark.parametrize("words", [["status", "wep"], ["start", "webb"], ["why", "wb.service"], ["kill", "veb"]])
def test_an_unknown_unit(web, words):
    r = web.ctl(*words)
    assert r.returncode == 3 and "is it web?" in r.stderr and len(r.stderr.splitlines()) == 1


@pytest.mark.parametrize("words", [[], ["nonsense"], ["status"], ["list", "web"], ["exit", "256"], ["exit"], ["kill", "web", "NOSUCH"],
                                   ["--nonsense"]])
def test_usage(web, words):
    assert web.ctl(*words).returncode == 2


def test_no_pid_1(tmp_path):
    r = subprocess.run([CTL, "--socket", tmp_path / "control", "list"], capture_output=True, text=True)
    assert r.returncode == 4 and len(r.stderr.splitlines()) == 1


# ---- who may ----

def test_a_plain_user_is_kept_out_by_the_sockets_permissions(web):
    r = web.ctl("list", prefix=NOBODY)
    assert r.returncode == 1 and "not permitted" in r.stderr


def test_a_plain_user_reads_where_the_permissions_say_so_and_changes_nothing(web):
    web.socket.chmod(0o666)
    for words in (["list"], ["status", "web"], ["deaths"], ["version"], ["why", "web"]):
        assert web.ctl(*words, prefix=NOBODY).returncode == 0
    pid = web.unit("web")["main_pid"]
    for words in (["stop", "web"], ["restart", "web"], ["kill", "web"], ["poweroff"], ["reload"], ["exit", "1"]):
        r = web.ctl(*words, prefix=NOBODY)
        assert r.returncode == 1 and "not permitted" in r.stderr and len(r.stderr.splitlines()) == 1, words
    assert web.unit("web")["main_pid"] == pid


# ---- bad clients ----

@pytest.mark.parametrize("packet", [
    b"x", b"x" * 271, b"x" * REQUEST_SIZE, b"x" * 100000, request(LIST)[:-1], request(LIST) + b"\0",
    request(LIST, magic=1), request(200), os.urandom(REQUEST_SIZE), request(LIST, unit=b"x" * 256),
], ids=["one byte", "short", "no magic", "huge", "cut", "long", "wrong magic", "unknown verb", "random", "unclosed name"])
def test_a_bad_packet_costs_its_sender_the_connection(web, packet):
    with connect(web) as bad, connect(web) as good:
        bad.send(packet)
        assert is_cut(bad)
        good.send(request(LIST))
        assert len(good.recv(8192)) > 100
    assert web.unit("web")["state"] == "up"


def test_another_version_is_told_so(web):
    with connect(web) as s:
        s.send(request(LIST, version=VERSION + 1))
        answer = s.recv(8192)
        assert answer == b"" or len(answer) == 12


def test_idle_connections_block_nobody(web):
    idle = [connect(web) for _ in range(300)]
    assert web.unit("web")["state"] == "up"
    for s in idle:
        s.close()
    assert web.unit("web")["state"] == "up"


def test_many_that_never_read_cost_no_reader_its_place(web):
    """They take one another's; and there is a place for who comes last."""
    with connect(web) as reader:
        reader.send(request(LIST))
        assert len(reader.recv(8192)) > 100 and len(reader.recv(8192)) == 12
        deaf = [connect(web) for _ in range(300)]
        for s in deaf:
            with contextlib.suppress(ConnectionError):
                s.send(request(LIST))
        assert web.unit("web")["state"] == "up"
        assert any(deaf_is_cut(s) for s in deaf)
        reader.send(request(LIST))
        assert len(reader.recv(8192)) > 100
        for s in deaf:
            s.close()


def test_one_that_never_reads_is_cut_and_holds_up_nobody(box):
    b = box({"mad": service("true", Restart="always", RestartSec="0"), "web": service(STAYS)})
    b.wait_state("web", "up")
    with connect(b) as deaf:
        deaf.send(request(EVENTS, flags=FOLLOW))
        b.wait(lambda: deaf_is_cut(deaf), "the deaf client to be cut", deadline=60)
        assert b.unit("web")["state"] == "up"
    b.do("stop", "mad")


def test_one_that_asks_and_asks_without_reading_is_cut(box):
    b = box({f"u{n}": service(STAYS) for n in range(100)})
    with connect(b) as deaf:
        deaf.setblocking(False)
        try:
            while True:
                deaf.send(request(LIST))
        except BlockingIOError:
            pass
        assert len(b.json("list")) == 100
        b.wait(lambda: deaf_is_cut(deaf), "the deaf client to be cut")


def test_a_client_that_dies_in_the_middle_of_an_answer(box):
    b = box({f"u{n}": service(STAYS) for n in range(100)})
    for _ in range(50):
        with connect(b) as s:
            s.send(request(LIST))
    assert len(b.json("list")) == 100
