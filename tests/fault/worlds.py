"""Where PID 1 is put, and what it lives through while one of its calls fails: a short life with something of everything."""
import contextlib
import ctypes
import itertools
import os
import pathlib
import pty
import re
import signal
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "container"))

from board import Board  # noqa: E402
from box import CTL, ROOT, Box, children, service, until  # noqa: E402

OOMPH = ROOT / "build/fault/oomph"
ACTOR = ROOT / "build/fault/actor"
PATIENCE = 20           # seconds; everything is through in one
SOON = 3
DESCRIPTORS = 56        # of PID 1 with all services up and nobody asking, and a few to spare

# Folders of its own, something in them already, and a group that may read.
SETTING = """\
for folder in /var/log /var/lib /run; do mount -t tmpfs none $folder; done
mkdir -p /var/lib/rich/sub /run/credstore
echo old >/var/lib/rich/sub/file
echo secret >/run/credstore/stored
{ cat /etc/group; echo oomph:x:4242:; } >/mnt/group
mount --bind /mnt/group /etc/group"""


class Wrong(Exception):
    """An invariant does not hold."""


def actor(name, words="", **settings):
    return service(f"{ACTOR} {name} {words}", **{"Restart": "always", "RestartSec": "20ms", "TimeoutStopSec": "2s", **settings})


def units():
    rich = actor("rich", "line", User="nobody", Group="nogroup", SupplementaryGroups="daemon", EnvironmentFile="/mnt/env", Environment="A=b",
                 RuntimeDirectory="rich:alias", StateDirectory="rich", LogsDirectory="rich", LoadCredential=["word:/mnt/env", "stored"],
                 SetCredential="other:value",
                 StandardInput="data", StandardInputText="hello", StandardOutput="append:/mnt/rich.out", LimitNOFILE="512", Nice="1", CPUAffinity="0",
                 CPUSchedulingPolicy="batch", IOSchedulingClass="best-effort", NUMAPolicy="default", Personality="x86-64", TimerSlackNSec="50us",
                 CoredumpFilter="private-anonymous", NoNewPrivileges="yes", SecureBits="keep-caps", CapabilityBoundingSet="CAP_NET_BIND_SERVICE",
                 AmbientCapabilities="CAP_NET_BIND_SERVICE", KeyringMode="shared", UMask="027", OOMScoreAdjust="100", OOMPolicy="stop",
                 WorkingDirectory="/tmp", MemoryMax="1G", IgnoreSIGPIPE="no", ExecReload="+/bin/true", ExecStop="/bin/true", ExecStopPost="-/bin/true",
                 RuntimeDirectoryPreserve="restart", ConditionPathExists="/mnt/env")
    return {
        "simple": actor("simple", "line", User="nobody"),
        "forking": actor("forking", "fork /mnt/forking.pid", Type="forking", PIDFile="/mnt/forking.pid"),
        "notify": actor("notify", "store reloads", Type="notify-reload", FileDescriptorStoreMax="4", NonBlocking="yes", TimeoutStartSec="3s",
                        WatchdogSec="1h"),
        "ready": actor("ready", "newline", TimeoutStartSec="3s", **{"X-NotifyFD": "7"}),
        "exec": actor("exec", Type="exec"),
        "idle": actor("idle", Type="idle"),
        "job": service(f"{ACTOR} job end", Type="oneshot", RemainAfterExit="yes", Restart="on-failure", RestartSec="20ms",
                       ExecStartPre="/bin/true", ExecStartPost="/bin/true", After="simple.service", RuntimeDirectory="job"),
        "rich": rich,
        "tty": actor("tty", StandardInput="tty-force", TTYPath="/mnt/tty", TTYReset="yes", TTYVHangup="yes"),
        "queue": actor("queue", StandardInput="tty", TTYPath="/mnt/tty2", TTYReset="yes", TTYRows="30", TTYVTDisallocate="yes"),
        "slow": actor("slow", RestartSec=None),
        "gone": actor("gone"),
    }


class Cgroup:
    """One of our own in the host's unified hierarchy, which the box then has for a root."""

    numbers = itertools.count()

    def __init__(self):
        mounted = re.search(r"^(?:\S+ ){4}(\S+) .* - cgroup2 ", pathlib.Path("/proc/self/mountinfo").read_text(), re.M)
        if not mounted:
            raise OSError("there is no cgroup2 mount on this machine")
        self.path = pathlib.Path(mounted[1]) / f"oomph-fault-{os.getpid()}-{next(self.numbers)}"
        self.path.mkdir()

    def close(self):
        def are_gone():
            for folder, _, _ in os.walk(self.path, topdown=False):
                with contextlib.suppress(OSError):
                    os.rmdir(folder)
            return not self.path.exists()
        until(are_gone, f"{self.path} to be empty")


class World(Box):
    """A box that holds a life. Kinds of worlds say what is other in them."""

    name = "container"
    has_cgroups = True
    without = ()            # units
    words = ["--container"]
    ends_with = (0,)

    def __init__(self, *orders):
        self.wanted = {name: text for name, text in units().items() if name not in self.without}
        super().__init__(self.wanted, files={"env": "FROM_FILE=yes\n"}, oomph=OOMPH, log="files", options=self.words,
                         env={"FAULT": "/mnt/fault", "OOMPH_LIBDIR": str(ROOT / "build/bin")})
        (self.folder / "locks").mkdir()
        for folder in (self.folder, self.folder / "locks"):
            folder.chmod(0o777)
        self.board = Board(self.folder / "fault")
        self.cgroup = Cgroup() if self.has_cgroups else None
        self.terminals = [self.add_terminal(name) for name in ("tty", "tty2")]
        self.before = SETTING
        self.namespaces = ["setpriv", "--pdeathsig", "KILL", *self.namespaces]
        if self.has_cgroups:
            self.before += "; umount /sys/fs/cgroup; mount -t cgroup2 cgroup2 /sys/fs/cgroup"
            self.namespaces = ["sh", "-c", f'echo 0 >{self.cgroup.path}/cgroup.procs; exec "$@"', "sh", *self.namespaces, "--cgroup"]
        self.follower = None
        self.n_tries = 0
        self.orders = orders
        self.board.give(orders)

    def __exit__(self, *_):
        if self.follower:
            self.follower.kill()
            self.follower.wait()
        super().__exit__()
        if self.cgroup:
            self.cgroup.close()
        for fd in self.terminals:
            os.close(fd)

    def add_terminal(self, name):
        ours, its = pty.openpty()
        (self.folder / name).symlink_to(os.ttyname(its))
        os.close(its)
        return ours

    def has_begun(self):
        """Not by what it says: that may be what fails."""
        return children(self.process.pid)

    # ---- patience ----

    def wait(self, condition, what="", deadline=PATIENCE):
        def or_dead():
            is_dead = self.is_over()
            result = condition()
            if is_dead and not result:
                raise Wrong(f"PID 1 is dead, waiting for {what}")
            return result
        try:
            return super().wait(or_dead, what, deadline)
        except TimeoutError:
            raise Wrong(f"{what}: not after {deadline} s. {self.picture()}") from None

    def again(self, *words):
        """A command, as often as it takes: whoever is hung up on asks again."""
        def done():
            self.n_tries += 1
            try:
                r = self.ctl(*words)
            except subprocess.TimeoutExpired:
                return None
            return r if r.returncode == 0 else None
        return self.wait(done, " ".join(words)).stdout

    def units_now(self):
        import json
        r = self.ctl("--json", "list")
        return {u["unit"].removesuffix(".service"): u for u in map(json.loads, r.stdout.splitlines())} if r.returncode == 0 else {}

    def picture(self):
        return {name: f"{u['state']} {u['generation']}" for name, u in self.units_now().items()}

    def all_up(self, *names):
        def up():
            now = self.units_now()
            return all(now.get(name, {}).get("state") in ("up", "done") for name in names)
        self.wait(up, f"{', '.join(names)} to be up")

    # ---- a life ----

    def boot(self):
        self.all_up(*self.wanted)
        self.follower = subprocess.Popen([CTL, "--socket", self.socket, "events", "-f"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def live(self):
        self.boot()
        self.strike("simple")
        for words in ("stop exec", "start exec", "reload rich", "reload notify", "restart notify", "restart rich"):
            self.again(*words.split())
        self.change()
        for words in ("list", "status rich", "deaths", "oom", "version", "logs simple"):
            self.again(*words.split())
        self.judge()
        final = self.final()
        self.end()
        return final

    def kill(self, name):
        os.kill(self.main(name), signal.SIGKILL)

    def strike(self, name):
        """SIGKILL by somebody; waits for another generation."""
        before = self.units_now()[name]["generation"]
        self.kill(name)
        self.wait(lambda: self.units_now().get(name, {}).get("generation", 0) > before, f"another {name}")

    def change(self):
        """A unit comes, one goes, one is another."""
        self.put("added", actor("added"))
        self.put("exec", actor("exec", Type="exec", Description="changed"))
        (self.services / "gone.service").unlink()
        self.again("reload")
        self.wait(lambda: "gone" not in self.units_now(), "gone to be gone")
        self.all_up("added")

    def main(self, name):
        """The main process, as we number it. One whose launch fails may be gone as soon as it has been told."""
        def there():
            wanted = str(self.units_now().get(name, {}).get("main_pid"))
            for pid in children(self.pid):
                with contextlib.suppress(OSError):
                    if re.search(r"^NSpid:.*\t(\d+)$", pathlib.Path(f"/proc/{pid}/status").read_text(), re.M)[1] == wanted:
                        return pid
        return self.wait(there, f"{name}'s main process")

    def end(self, is_empty=False):
        end = time.monotonic() + PATIENCE
        while self.process.poll() is None:
            if time.monotonic() > end:
                raise Wrong(f"poweroff takes for ever. {self.picture()}")
            if is_empty or not self.is_going_down():
                self.ctl("poweroff")
            time.sleep(0.01)
        self.reader.join(PATIENCE)
        if self.process.returncode not in self.ends_with:
            raise Wrong(f"PID 1 left with {self.process.returncode}")

    def is_window_over(self):
        """What fails for a time does not any more. It has begun."""
        ends = [o.began_ms + o.window_ms for o in self.board.c.orders if o.began_ms]
        return time.clock_gettime(time.CLOCK_MONOTONIC_RAW) * 1000 > max(ends)

    # ---- what has to hold ----

    def is_going_down(self):
        now = self.units_now()
        return now and all(u["want"] == "down" for u in now.values())

    def judge(self):
        """None forgotten, none doubled, no zombies."""
        names = [n for n in self.wanted if n != "gone"] + (["added"] if "added" in self.units_now() else ["gone"])
        self.all_up(*names)
        self.wait(lambda: not self.zombies(), "no zombies")
        doubled = self.read("doubled").split()
        if doubled:
            raise Wrong(f"doubled: {doubled}")
        wanted = sorted(n for n in names if n != "job")
        self.wait(lambda: self.running() == wanted, f"one process of each, not {self.running()}")

    def running(self):
        """Whose processes there are, as often as there is one. A newborn has not run its program yet."""
        found = []
        for pid in children(self.pid):
            with contextlib.suppress(OSError):
                words = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
                if words[0] == str(ACTOR).encode():
                    found.append(words[1].decode())
        return sorted(found)

    def final(self):
        """What nobody may lose without being told."""
        now = self.units_now()
        picture = {name: u["generation"] for name, u in now.items() if name not in ("job",)}
        return {**picture, "lines": self.settled(lambda: self.n_lines("simple") == 2), "cgroups": self.has_cgroups and self.all_have_cgroups(),
                "kept": bool(self.read("kept")),
                "descriptors": self.settled(lambda: len(os.listdir(f"/proc/{self.pid}/fd")) <= DESCRIPTORS) or os.listdir(f"/proc/{self.pid}/fd")}

    def settled(self, condition):
        """Whether it holds, now or soon: the logger writes when it has time, and clients leave when they like."""
        end = time.monotonic() + SOON
        while not condition() and time.monotonic() < end:
            time.sleep(0.02)
        return condition()

    def n_lines(self, unit):
        return len(re.findall(f"{unit} is here", self.inside(f"cat /var/log/oomph/{unit}.service/current 2>/dev/null || true")))

    def all_have_cgroups(self):
        return all((self.cgroup.path / "system.slice" / f"{name}.service").exists() for name in self.wanted if name != "gone")


class Bare(World):
    """No cgroups to be had: services are told by their sessions."""
    name, has_cgroups = "bare", False


class Vm(World):
    """As the machine's PID 1, but in namespaces of its own: it mounts, it names the host, it calls reboot(2)."""
    name, words = "vm", ["--vm"]
    without = "tty", "queue"        # what is mounted twice, on top, hides their terminals
    ends_with = (-signal.SIGINT, 128 + signal.SIGINT, 0)    # what reboot(2) makes of RB_POWER_OFF there: kernel/pid_namespace.c

    def __init__(self, *orders):
        super().__init__(*orders)
        self.before += "; umount -l /dev/shm; umount -l /run"


class Again(World):
    """PID 1 becomes another one, and then falls over a signal of its own kind, and comes back each time."""
    name = "again"

    def live(self):
        self.boot()
        self.strike("simple")
        self.again("upgrade", str(OOMPH))
        self.strike("notify")
        os.kill(self.pid, signal.SIGSEGV)
        self.wait(lambda: self.ctl("--json", "crashes").stdout, "the crash on record")
        self.strike("exec")
        self.judge()
        final = self.final()
        self.end()
        return final


class Command(World):
    """`oomph -- COMMAND`, which is looked for along PATH, and whose status is to come through."""
    name, has_cgroups, words = "command", False, ["--", "sh", "-c", "exit 7"]
    own = range(125, 128)   # what oomph leaves with when the command could not be run, as a shell does

    def has_begun(self):
        return super().has_begun() or self.is_over()

    def live(self):
        end = time.monotonic() + PATIENCE
        while not self.is_over():
            if time.monotonic() > end:
                raise Wrong("it takes for ever")
            time.sleep(0.01)
        self.reader.join(PATIENCE)
        status = self.process.returncode
        if status != 7 and not (status in self.own and self.console):
            raise Wrong(f"left with {status}: {self.console}")
        return {"status": status, "descriptors": True}


WORLDS = {w.name: w for w in (World, Bare, Vm, Again, Command)}
