"""Whom oomph-log asks: a control socket that hands out pipes and tells of deaths as PID 1 does (lib/proto.h), and nothing else.

    with FakePid1() as pid1:
        web = pid1.service("web")
        pid1.start()
        web.out(b"hello\\n")
        assert pid1.texts("web") == ["hello"]
"""

import fcntl
import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading

from box import DEADLINE, ROOT, until

LOG = ROOT / "build/bin/oomph-log"
DEATH = ROOT / "build/guest/death"

TOKEN = b"0123456789abcdef"
REQUEST = struct.Struct("<IIBBBBi256s")
PACKET_LOG = struct.Struct("<IIIIBBBBB3x16s256s256s")
PACKET_END = struct.Struct("<III")
KIND_LOG, KIND_END = 6, 7
VERB_DEATHS, VERB_LOGS = 7, 12
OUT, ERR = 0, 1
TO_KMSG, TO_CONSOLE = 1, 2


def marker(generation, pid, token=TOKEN):
    return b"\0" + token + b"%08x%08x\n" % (generation, pid)


class Line:
    """A line of a file, taken apart as lib/logline.h has it."""

    def __init__(self, raw):
        self.raw = raw
        time, generation, pid, origin, self.text = raw.split(b" ", 4)
        self.time = time.decode()
        self.generation, self.pid = int(generation), int(pid)
        self.is_cut = origin.endswith(b"+")
        self.stream, self.priority = origin.decode().rstrip("+").split(".")

    def __repr__(self):
        return repr(self.raw)


class Pipe:
    """One stream. The descriptor holds both directions, as PID 1's does; writers have a description of their own."""

    def __init__(self, stream):
        r, w = os.pipe()
        self.stream = stream
        self.fd = os.open(f"/proc/self/fd/{r}", os.O_RDWR)
        os.close(r)
        os.close(w)
        self.writer = os.open(f"/proc/self/fd/{self.fd}", os.O_WRONLY)

    def close(self):
        os.close(self.fd)
        os.close(self.writer)


class Service:
    def __init__(self, name, settings):
        self.name = name if "." in name or "/" in name or name == "system" else name + ".service"
        self.settings = settings
        self.pipes = [Pipe(OUT), Pipe(ERR)]

    def packet(self, stream):
        s = {"rate_ms": 0, "rate_burst": 0, "level": 6, "level_max": 7, "has_prefix": 1, "copies": 0, "identifier": "", **self.settings}
        return PACKET_LOG.pack(KIND_LOG, PACKET_LOG.size, s["rate_ms"], s["rate_burst"], stream, s["level"], s["level_max"], s["has_prefix"],
                               s["copies"], TOKEN, self.name.encode(), s["identifier"].encode())

    def out(self, text):
        os.write(self.pipes[OUT].writer, text)

    def err(self, text):
        os.write(self.pipes[ERR].writer, text)


class FakePid1:
    def __init__(self, *, settings="", options=(), base=None, prefix=(), stdout=subprocess.DEVNULL):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="log-"))
        self.base, self.run = base or self.folder / "var/oomph", self.folder / "run"
        self.options, self.prefix, self.stdout = options, prefix, stdout
        (self.folder / "conf").write_text("[Log]\n" + settings)
        self.services, self.told = [], []
        self.clients = {VERB_LOGS: [], VERB_DEATHS: []}
        self.lock = threading.Lock()
        self.process = None
        self.kept = {}                  # FDSTORE=1, by FDNAME=
        self.sockets, self.dev_log = self.folder / "sockets", self.folder / "dev-log"
        self.listener = self.listen("control", socket.SOCK_SEQPACKET)
        self.listener.listen(8)
        self.notify = self.listen("notify", socket.SOCK_DGRAM)
        self.notify.settimeout(DEADLINE)
        threading.Thread(target=self.accept, daemon=True).start()

    def listen(self, name, kind):
        s = socket.socket(socket.AF_UNIX, kind)
        s.bind(str(self.folder / name))
        return s

    # ---- PID 1 ----

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        while len(request := received(client)) == REQUEST.size:
            verb = REQUEST.unpack(request)[2]
            with self.lock:
                for s in self.services if verb == VERB_LOGS else ():
                    self.hand_over(client, s)
                for death in self.told if verb == VERB_DEATHS else ():
                    send(client, death)
                send(client, PACKET_END.pack(KIND_END, PACKET_END.size, 0))
                self.clients[verb].append(client)

    def hand_over(self, client, s):
        for p in s.pipes:
            send(client, s.packet(p.stream), p.fd)

    def service(self, name, **settings):
        s = Service(name, settings)
        with self.lock:
            self.services.append(s)
            for client in self.clients[VERB_LOGS]:
                self.hand_over(client, s)
        return s

    def drop(self, s):
        """Its unit is gone."""
        with self.lock:
            self.services.remove(s)
        for p in s.pipes:
            p.close()

    def death(self, unit, cause, pid, generation, kb=0):
        packet = subprocess.run([DEATH, unit + ".service", cause, str(pid), str(generation), str(len(self.told) + 1), str(kb)],
                                capture_output=True, check=True).stdout
        with self.lock:
            self.told.append(packet)
            for client in self.clients[VERB_DEATHS]:
                send(client, packet)

    def hang_up(self):
        with self.lock:
            for clients in self.clients.values():
                for c in clients:
                    c.shutdown(socket.SHUT_RDWR)
                clients.clear()

    # ---- the logger ----

    def start(self, ready=True):
        command = [*self.prefix, LOG, "--base", self.base, "--run", self.run, "--socket", self.folder / "control",
                   "--conf", self.folder / "conf", "--sockets", self.sockets, "--dev-log", self.dev_log, *self.options]
        env = {**os.environ, "NOTIFY_SOCKET": str(self.folder / "notify")}
        if self.kept:
            command = ["sh", "-c", 'LISTEN_PID=$$ exec "$@"', "sh", *command]
            env |= {"LISTEN_FDS": str(len(self.kept)), "LISTEN_FDNAMES": ":".join(self.kept)}
        given = range(3, 3 + len(self.kept))
        with open(self.folder / "console", "ab") as console:
            self.process = subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stdout=self.stdout, stderr=console,
                                            preexec_fn=self.give, pass_fds=given)
        while ready and self.take_message() != b"READY=1":
            pass
        return self

    def give(self):
        high = [fcntl.fcntl(fd, fcntl.F_DUPFD, 1000) for fd in self.kept.values()]
        for i, fd in enumerate(high):
            os.dup2(fd, 3 + i)

    def take_message(self):
        """The next one of sd_notify(3)."""
        words, fds, _, _ = socket.recv_fds(self.notify, 4096, 1)
        name = words.rpartition(b"FDNAME=")[2].decode()
        if words.startswith(b"FDSTOREREMOVE=1") and name in self.kept:
            os.close(self.kept.pop(name))
        if words.startswith(b"FDSTORE=1"):
            self.kept[name], = fds
        return words

    def kill(self):
        self.process.kill()
        self.process.wait(DEADLINE)

    def stop(self):
        self.process.terminate()
        assert self.process.wait(DEADLINE) == 0

    def signal(self, number):
        os.kill(self.process.pid, number)

    def sync(self, unit=""):
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
            s.settimeout(DEADLINE)
            s.connect(str(self.folder / "log"))
            s.send(b"sync %s\n" % unit.encode() if unit else b"sync\n")
            assert s.recv(100) == b"done\n"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
            self.process.wait()
        for fd in self.kept.values():
            os.close(fd)
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    # ---- what it has written ----

    def console(self):
        return (self.folder / "console").read_text(errors="replace")

    def inside(self, path):
        """A path as the logger sees it, in mounts of its own."""
        return pathlib.Path(f"/proc/{self.process.pid}/root{path}")

    def unit_folder(self, unit, base=None):
        return (base or self.base) / (unit if "." in unit or unit == "system" else unit + ".service")

    def files(self, unit, base=None):
        """The oldest first."""
        folder = self.unit_folder(unit, base)
        return sorted(f for f in folder.glob("@*") if f.suffix != ".tmp") + [f for f in [folder / "current"] if f.exists()] if folder.exists() else []

    def raw(self, unit, base=None):
        unpack = {".zst": ["zstd", "-dqc"], ".gz": ["gzip", "-dc"]}
        return b"".join(subprocess.run([*unpack[f.suffix], f], capture_output=True, check=True).stdout if f.suffix in unpack else f.read_bytes()
                        for f in self.files(unit, base))

    def lines(self, unit, base=None):
        raw = self.raw(unit, base)
        assert raw.endswith(b"\n") or not raw
        return [Line(r) for r in raw.split(b"\n")[:-1]]

    def texts(self, unit, base=None):
        return [line.text.decode(errors="surrogateescape") for line in self.lines(unit, base)]

    def wait_texts(self, unit, expected, base=None):
        until(lambda: self.texts(unit, base) == expected, f"{expected} in the log of {unit}, not {self.texts(unit, base)}")


def send(client, packet, *descriptors):
    """The logger may be gone."""
    try:
        socket.send_fds(client, [packet], descriptors)
    except OSError:
        pass


def received(client):
    try:
        return client.recv(4096)
    except ConnectionResetError:
        return b""


def pipe_is_empty(fd):
    return struct.unpack("i", fcntl.ioctl(fd, 0x541B, b"\0\0\0\0"))[0] == 0         # FIONREAD
