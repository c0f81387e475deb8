"""A small virtual machine with oomph as PID 1: QEMU in software emulation, a Debian kernel, a busybox initramfs.

    with Machine(units={"web.service": "[Service]\\nExecStart=/usr/bin/pause\\n"}) as m:
        m.wait(lambda: m.json("oomphctl --json status web")[0]["state"] == "up")

ttyS0 is the console. On ttyS1 an agent (guest/agent.c), started by oomph as an ordinary service, runs commands.
"""

import json
import os
import pathlib
import re
import select
import shlex
import socket
import stat
import subprocess
import threading
import time
import warnings

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
BUSYBOX = "/bin/busybox"
KERNELS = ["bullseye", "bookworm", "trixie", "sid"]     # 5.10, 6.1, 6.12 and 7.x
CONSOLE_TAIL = 4000

AGENT_UNIT = """\
[Unit]
Description=The tests' hand inside the machine
[Service]
ExecStart=/usr/bin/agent /dev/ttyS1
Restart=always
OOMScoreAdjust=-1000
"""

# The cgroup freezer, since nobody can stop PID 1 by a signal: Documentation/admin-guide/cgroup-v2.rst, cgroup.freeze. It thaws by
# leaving: thawed in there, it might have a child there before it has left.
FROZEN = """\
ice=/sys/fs/cgroup/ice
thaw() { echo 1 >/sys/fs/cgroup/cgroup.procs; rmdir $ice; }
mkdir $ice && trap thaw EXIT && echo 1 >$ice/cgroup.procs && echo 1 >$ice/cgroup.freeze || exit 1
until grep -q 'frozen 1' $ice/cgroup.events; do :; done
timeout 20 sh -e -c %s
"""

ETC = {
    "/etc/hostname": "oomph-vm\n",
    "/etc/passwd": "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n"
                   "app:x:1000:1000:app:/tmp:/bin/sh\n",
    "/etc/group": "root:x:0:\nnogroup:x:65534:\napp:x:1000:\noomph:x:500:\n",
    "/etc/profile": "PS1='\\h:\\w# '\nexport PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root\n",
}


class Silence(Exception):
    """Something awaited did not come in time, or the machine is gone."""


# ---- the initramfs ----

def cpio_entry(path, mode, data=b"", rdev=(0, 0)):
    """One newc record: Documentation/driver-api/early-userspace/buffer-format.rst."""
    name = path.lstrip("/").encode() + b"\0"
    fields = (0, mode, 0, 0, 1, 0, len(data), 0, 0, *rdev, len(name), 0)
    head = b"070701" + b"".join(b"%08X" % f for f in fields) + name
    return head + b"\0" * (-len(head) % 4) + data + b"\0" * (-len(data) % 4)


def as_bytes(content):
    return content.read_bytes() if isinstance(content, pathlib.Path) else \
        content.encode() if isinstance(content, str) else content


def programs():
    """Everything from build/bin, where `make install` would put it, and the guests' helpers."""
    if not (BUILD / "guest/agent").exists():
        raise FileNotFoundError("build/guest is not built: make all guest")
    places = {"oomph": "/sbin/oomph", "oomphctl": "/usr/bin/oomphctl"}
    found = {places.get(p.name, "/usr/lib/oomph/" + p.name): p for p in (BUILD / "bin").glob("oomph*")}
    found.update({"/usr/bin/" + p.name: p for p in (BUILD / "guest").iterdir() if not p.suffix})
    found[BUSYBOX] = pathlib.Path(BUSYBOX)
    return found


def busybox_links():
    """Applet name -> link target, but for what the machine has its own of."""
    names = subprocess.run([BUSYBOX, "--list"], check=True, capture_output=True, text=True).stdout.split()
    return {"/bin/" + n: "busybox" for n in names if n not in ("busybox", "init", "poweroff", "reboot", "halt")}


def initramfs(files, links=None):
    """A cpio archive of files {path: str | bytes | Path | None, not there}. An executable Path or a `#!` text is executable there."""
    tree = {path: content for path, content in {**ETC, **programs(), **files}.items() if content is not None}
    links = {**busybox_links(), **(links or {})}
    folders = {"proc", "sys", "dev", "run", "tmp", "root", "etc/services.d"}
    for path in (*tree, *links):
        folders.update(str(p) for p in pathlib.PurePosixPath(path.lstrip("/")).parents)
    folders.update(str(p) for f in list(folders) for p in pathlib.PurePosixPath(f).parents)
    out = [cpio_entry(f, stat.S_IFDIR | (0o1777 if f == "tmp" else 0o755)) for f in sorted(folders - {"."})]
    # The kernel opens /dev/console for PID 1 before anybody can mount devtmpfs.
    out.append(cpio_entry("dev/console", stat.S_IFCHR | 0o600, rdev=(5, 1)))
    for path, content in tree.items():
        data = as_bytes(content)
        is_program = os.access(content, os.X_OK) if isinstance(content, pathlib.Path) else data.startswith(b"#!")
        out.append(cpio_entry(path, stat.S_IFREG | (0o755 if is_program else 0o644), data))
    out += [cpio_entry(path, stat.S_IFLNK | 0o777, target.encode()) for path, target in links.items()]
    return b"".join(out) + cpio_entry("TRAILER!!!", 0)


# ---- the machine ----

class Console:
    """Collects what the machine prints, so that QEMU never blocks on us, and wakes whoever waits for a text."""

    def __init__(self, pipe, log):
        self.data = bytearray()
        self.is_over = False
        self.changed = threading.Condition()
        self.thread = threading.Thread(target=self._read, args=(pipe, log), daemon=True)
        self.thread.start()

    def _read(self, pipe, log):
        with pipe, open(log, "wb", buffering=0) as f:
            while chunk := os.read(pipe.fileno(), 65536):
                f.write(chunk)
                with self.changed:
                    self.data += chunk
                    self.changed.notify_all()
        with self.changed:
            self.is_over = True
            self.changed.notify_all()

    def text(self):
        with self.changed:
            return self.data.decode(errors="replace").replace("\r\n", "\n")


class Machine:
    """Options may be given to the constructor or be attributes of a subclass."""

    name = "machine"        # folder under build/vm for initramfs and console.log
    kernel = "bookworm"     # as in `tools/setup kernel SUITE`
    mem = 192               # MB
    cpus = 2
    cmdline = ""            # added to the kernel's
    qemu = ()               # added to QEMU's arguments: ("-icount", "shift=1") with cpus=1
    units = {}              # name -> text, in /etc/services.d
    files = {}              # path -> str | bytes | Path | None; may replace anything, /sbin/oomph too
    has_agent = True
    has_log = False         # with oomph-log: services do not write to the console then

    def __init__(self, **options):
        for key, value in options.items():
            if not hasattr(type(self), key):
                raise TypeError(f"Machine has no option {key}")
            setattr(self, key, value)
        self.process = None
        self.n_sent = 0
        self.inbox = bytearray()

    # -- life --

    def start(self):
        folder = BUILD / "vm" / re.sub(r"[^\w.-]+", "_", self.name)
        folder.mkdir(parents=True, exist_ok=True)
        image = folder / "initramfs"
        image.write_bytes(initramfs(self.all_files()))
        self.line, line = socket.socketpair()
        self.monitor, monitor = socket.socketpair()
        read, write = os.pipe()
        with line, monitor, open(folder / "qemu.log", "wb") as log, open(write, "wb") as stdout:
            self.process = subprocess.Popen(
                [*self.command(image), "-serial", "stdio",
                 "-chardev", f"socket,id=agent,fd={line.fileno()}", "-serial", "chardev:agent",
                 "-chardev", f"socket,id=qmp,fd={monitor.fileno()}", "-mon", "chardev=qmp,mode=control"],
                stdin=subprocess.DEVNULL, stdout=stdout, stderr=log, pass_fds=(line.fileno(), monitor.fileno()))
        self._console = Console(open(read, "rb", buffering=0), folder / "console.log")
        self.monitor.sendall(b'{"execute": "qmp_capabilities"}\n')
        return self

    def all_files(self):
        units = {"test-agent.service": AGENT_UNIT, **self.units} if self.has_agent else self.units
        without = {} if self.has_log else {"/usr/lib/oomph/oomph-log": None}
        return {**{"/etc/services.d/" + name: text for name, text in units.items()}, **without, **self.files}

    def command(self, image):
        kernel = BUILD / "kernels" / self.kernel / "vmlinuz"
        if not kernel.exists():
            raise FileNotFoundError(f"no kernel for {self.kernel}: tools/setup kernel {self.kernel}")
        if "-icount" in self.qemu and self.cpus != 1:
            raise ValueError("-icount counts the instructions of one CPU, and two never get to PID 1: cpus=1")
        # Never KVM: it may be there and still hang every guest. no_timer_check: the kernel panics when its boot-time look at
        # the timer finds no ticks, as on a host that is too busy to deliver any (arch/x86/kernel/apic/io_apic.c).
        # thread=single: kernels patch their own code while they run, and in QEMU before 8.1 a CPU that translates just then may
        # keep half a patch (an `Oops: int3`, in 1 boot of 60). The CPUs take turns, and a machine is no slower by it.
        # -cx16: under QEMU 7.2 an interrupt in the kernel allocator's cmpxchg16b can cost it its registers, with two CPUs.
        return ["qemu-system-x86_64", "-accel", "tcg,thread=single", "-cpu", "qemu64,-cx16", "-smp", str(self.cpus), "-m", str(self.mem),
                "-nodefaults", "-no-reboot", "-display", "none", "-kernel", str(kernel), "-initrd", str(image),
                "-append", f"console=ttyS0 quiet panic=-1 psi=1 no_timer_check rdinit=/sbin/oomph {self.cmdline}".strip(), *self.qemu]

    def boot(self, timeout=60, n_tries=2):
        """Starts it and waits until oomph has started its services."""
        self.start()
        try:
            if self.has_agent:
                self.await_agent(timeout)
        except Exception as e:
            self.kill()
            # An emulated kernel that falls before it gives us the machine (1 boot in 200) has said nothing about oomph.
            if n_tries == 1 or "oomph: " in self.console():
                raise
            warnings.warn(f"{self.name}: booted once more, its kernel had died before PID 1 ran: {e}")
            return self.boot(timeout, n_tries - 1)
        return self

    def await_agent(self, timeout=60):
        self._head(b"ready", time.monotonic() + timeout)

    def kill(self):
        """Ends QEMU, whatever the guest is doing."""
        if self.process:
            self.process.kill()
            self.process.wait()
            self._console.thread.join()
            self.line.close()
            self.monitor.close()

    def __enter__(self):
        return self if self.process else self.boot()

    def __exit__(self, *_):
        self.kill()

    def wait_off(self, timeout=30):
        """Waits until the machine has ended by itself: `guest-shutdown`, or `guest-reset` for a reboot and a panic."""
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise self.silence(f"still running after {timeout} s") from None
        self._console.thread.join()
        self.monitor.settimeout(timeout)
        said = b"".join(iter(lambda: self.monitor.recv(65536), b"")).decode()
        events = [json.loads(line) for line in said.splitlines()]
        return next((e["data"]["reason"] for e in events if e.get("event") == "SHUTDOWN"), "crash")

    def end(self, command="oomphctl poweroff", timeout=30):
        """Runs what ends the machine; says how it ended: `guest-shutdown` or `guest-reset`."""
        try:
            self.run(command, timeout)
        except (Silence, OSError):
            pass                        # oomph stops the agent like any service, perhaps before it could answer
        return self.wait_off(timeout)

    def poweroff(self, timeout=30):
        return self.end("oomphctl poweroff", timeout)

    def press(self, *keys):
        """Presses keys on the PS/2 keyboard all at once, by QEMU's names: `ctrl`, `alt`, `delete`."""
        keys = [{"type": "qcode", "data": key} for key in keys]
        self.monitor.sendall(json.dumps({"execute": "send-key", "arguments": {"keys": keys}}).encode() + b"\n")

    # -- console --

    def console(self):
        return self._console.text()

    def silence(self, what):
        return Silence(f"{what}; the console's end:\n{self.console()[-CONSOLE_TAIL:]}")

    def wait_console(self, pattern, timeout=30):
        """Waits for a regular expression (lines anchor with ^ and $) and returns its match."""
        found = None

        def seen():
            nonlocal found
            found = re.search(pattern, self._console.data.decode(errors="replace").replace("\r\n", "\n"), re.M)
            return found or self._console.is_over

        with self._console.changed:
            self._console.changed.wait_for(seen, timeout)
        if not found:
            raise self.silence(f"no {pattern!r} on the console")
        return found

    # -- agent --

    def _receive(self, deadline):
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([self.line], [], [], left)[0]:
            raise self.silence("the agent does not answer")
        chunk = self.line.recv(65536)
        if not chunk:
            raise self.silence("the machine is gone")
        self.inbox += chunk

    def _head(self, wanted, deadline):
        """The words of the next head line that starts with `wanted`."""
        while True:
            while b"\n" not in self.inbox:
                self._receive(deadline)
            head, _, self.inbox = self.inbox.partition(b"\n")
            if head.startswith(wanted):
                return head.split()
            if head == b"ready":
                raise self.silence("the agent was killed and started again during a command")
            if head.startswith(b"done "):       # the late answer to a command whose time had run out
                self._body(int(head.split()[3]), deadline)

    def _body(self, n, deadline):
        while len(self.inbox) < n:
            self._receive(deadline)
        body, self.inbox = bytes(self.inbox[:n]), self.inbox[n:]
        return body

    def _ask(self, head, body, timeout):
        deadline = time.monotonic() + timeout
        self.n_sent += 1
        self.line.settimeout(timeout)
        self.line.sendall(head.format(id=self.n_sent, n=len(body)).encode() + b"\n" + body)
        words = self._head(b"done %d " % self.n_sent, deadline)
        return int(words[2]), self._body(int(words[3]), deadline)

    def run(self, command, timeout=30, text=True):
        """Runs a shell command in the guest: (exit status or 128+signal, standard output and error together)."""
        status, out = self._ask(f"run {{id}} {timeout} {{n}}", command.encode(), timeout + 5)
        return status, out.decode(errors="replace") if text else out

    def check(self, command, timeout=30):
        """The output of a command that has to succeed."""
        status, out = self.run(command, timeout)
        assert status == 0, f"{command!r} left with {status}: {out}"
        return out

    def json(self, command, timeout=30):
        """The objects that a command printed as JSON Lines."""
        return [json.loads(line) for line in self.check(command, timeout).splitlines()]

    def put(self, path, content, mode=0o644):
        """Writes a file in the guest, whole at once."""
        data = as_bytes(content)
        # The guest's tty drops what exceeds its flip buffers; big files come in with the initramfs.
        assert len(data) <= 32768, "too much for a serial line: use files="
        status, _ = self._ask(f"put {{id}} {mode:o} {{n}} {path}", data, 30)
        if status:
            raise OSError(status, os.strerror(status), path)

    def wait(self, condition, timeout=30):
        """Asks again, at each new console line and at least every 0.2 s, until the condition gives something true."""
        deadline = time.monotonic() + timeout
        while True:
            n_seen = len(self._console.data)
            if result := condition():
                return result
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise self.silence(f"not true after {timeout} s")
            with self._console.changed:
                self._console.changed.wait_for(lambda: len(self._console.data) > n_seen, 0.2)

    # -- oomph --

    def add(self, name, text):
        """Drops a unit file in and has it read; a service in it starts by itself."""
        self.put(f"/etc/services.d/{name}.service", text)
        self.check("oomphctl reload")

    def remove(self, name):
        self.check(f"rm -f /etc/services.d/{name}.service; oomphctl reload")

    def unit(self, name):
        return self.json(f"oomphctl --json status {name}")[0]

    def deaths(self, name=""):
        """All that are on record, or those of one service; the oldest first."""
        return self.json(f"oomphctl --json deaths {name}")

    def wait_state(self, name, *states, timeout=30):
        return self.wait(lambda: (u := self.unit(name))["state"] in states and u, timeout)

    def wait_generation(self, name, n, timeout=30):
        """Waits until its n-th life has begun and is up."""
        return self.wait(lambda: (u := self.unit(name))["state"] == "up" and u["generation"] >= n and u, timeout)

    def wait_deaths(self, name, n=1, timeout=30):
        return self.wait(lambda: len(d := self.deaths(name)) >= n and d, timeout)

    def wait_death(self, name, timeout=30):
        """Its first death."""
        return self.wait_deaths(name, 1, timeout)[0]

    def knob(self, name, file):
        """A file of a service's cgroup."""
        return self.check(f"cat /sys/fs/cgroup/system.slice/{name}.service/{file}").strip()

    def processes(self, name):
        return [int(pid) for pid in self.knob(name, "cgroup.procs").split()]

    def behind_its_back(self, script, timeout=30):
        """Runs a shell script while PID 1 is frozen, so that it meets all that the script did at one time, afterwards."""
        return self.check(FROZEN % shlex.quote(script), timeout)
