"""A container for oomph: PID 1 of its own PID, mount and UTS namespace, as a container manager without frills makes one.

    with Box({"web": service("sleep 1000", Restart="always")}) as box:
        box.wait_state("web", "up")

Inside, /mnt is the box's folder: units in /mnt/services, the control socket in /mnt/run, tests/container/tools in
/mnt/tools. There are no cgroups (an empty
file system lies over them: the host's must not be touched), no kernel log and no CAP_SYS_RESOURCE. Services write to the
console, which the box reads, and not to a log, unless `log` says so.
"""

import json
import os
import pathlib
import shlex
import shutil
import signal
import subprocess
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
OOMPH = ROOT / "build/bin/oomph"
CTL = ROOT / "build/bin/oomphctl"
TOOLS = pathlib.Path(__file__).with_name("tools")
DEADLINE = 15           # seconds: long past anything that works
HEARTBEAT = 0.02        # for what no console line announces

NAMESPACES = ["unshare", "--fork", "--kill-child", "--pid", "--mount", "--mount-proc", "--uts"]
UNIT_KEYS = {"Description", "After", "Before", "Requires", "Wants", "StartLimitIntervalSec", "StartLimitBurst", "StartLimitAction",
             "SuccessAction", "FailureAction", "Requisite", "BindsTo", "PartOf", "Conflicts", "Upholds", "OnFailure", "OnSuccess",
             "PropagatesReloadTo", "ReloadPropagatedFrom", "DefaultDependencies", "RefuseManualStart"}


def service(ExecStart=None, **settings):
    """A unit file's text. A list is a key repeated."""
    sections = {"Unit": [], "Service": []}
    for key, value in {"ExecStart": ExecStart, **settings}.items():
        section = "Unit" if key in UNIT_KEYS or key.startswith(("Condition", "Assert")) else "Service"
        for one in value if isinstance(value, list) else [value]:
            if one is not None:
                sections[section].append(f"{key}={one}")
    return "".join(f"[{name}]\n" + "".join(line + "\n" for line in lines) for name, lines in sections.items() if lines)


def script(text):
    """ExecStart= of a shell script: on one line, quoted for systemd.syntax(7)."""
    quoted = text.replace("\\", "\\\\").replace('"', '\\"').replace("$", "$$").replace("%", "%%")
    return '/bin/sh -c "' + quoted.replace("\n", "; ") + '"'


def until(condition, what="", deadline=DEADLINE):
    """For what happens outside of any box."""
    end = time.monotonic() + deadline
    while not (result := condition()):
        if time.monotonic() > end:
            raise TimeoutError(what or "what was waited for did not come")
        time.sleep(HEARTBEAT)
    return result


def children(pid):
    try:
        return [int(n) for n in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []


def state_of(pid):
    """The letter of proc(5), or None when there is no such process."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0]
    except (FileNotFoundError, ProcessLookupError):
        return None


class Box:
    namespaces = NAMESPACES

    def __init__(self, units=None, *, files=None, before="", options=(), env=None, oomph=OOMPH, log="none"):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="box-"))
        self.folder.chmod(0o1777)
        self.services = self.folder / "services"
        self.services.mkdir()
        (self.folder / "tools").mkdir()
        self.socket = self.folder / "run/control"
        self.before, self.options, self.env, self.oomph = before, [f"--log={log}", *options], env or {}, oomph
        self.process = self.pid = None
        self.console = ""
        self.news = threading.Condition()
        for name, text in (files or {}).items():
            (self.folder / name).write_text(text)
        for name, text in (units or {}).items():
            self.put(name, text)

    def put(self, name, text):
        """A unit file, whole at once, as a package manager would."""
        new = self.folder / "new"
        new.write_text(text)
        new.rename(self.services / (name if "." in name else name + ".service"))

    # ---- its life ----

    def __enter__(self):
        inside = "\n".join([
            "set -e", "mount -t tmpfs -o ro none /sys/fs/cgroup", f"mount --bind {self.folder} /mnt",
            f"mount --bind {TOOLS} /mnt/tools", self.before,
            f"exec setpriv --bounding-set -sys_resource {self.oomph} --services /mnt/services --socket /mnt/run/control "
            + shlex.join(self.options)])
        self.process = subprocess.Popen([*self.namespaces, "sh", "-c", inside], env={**os.environ, **self.env}, text=True,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.reader = threading.Thread(target=self.read_console, daemon=True)
        self.reader.start()
        self.wait(self.has_begun, "the first unit set")
        self.pid = next(iter(children(self.process.pid)), None)
        return self

    def __exit__(self, *_):
        if self.process and self.process.poll() is None:
            self.process.kill()         # and, by --kill-child, PID 1 and with it all that is in the box
            self.process.wait()
        self.reader.join(DEADLINE)
        shutil.rmtree(self.folder, ignore_errors=True)

    def read_console(self):
        for line in self.process.stdout:
            with self.news:
                self.console += line
                self.news.notify_all()

    def has_begun(self):
        return self.is_over() or self.said(" in force") or self.said("could not be loaded")

    def is_over(self):
        return self.process.poll() is not None

    def leave(self):
        """Waits for the end; its exit status."""
        status = self.process.wait(DEADLINE)
        self.reader.join(DEADLINE)
        return status

    def signal(self, number):
        os.kill(self.pid, number)

    # ---- what happens in it ----

    def wait(self, condition, what="", deadline=DEADLINE):
        """Until it holds; asked again with every line on the console. What it said."""
        end = time.monotonic() + deadline
        while not (result := condition()):
            if time.monotonic() > end:
                raise TimeoutError(f"waited in vain for {what or 'it'}")
            with self.news:
                self.news.wait(HEARTBEAT)
        return result

    def wait_for(self, words):
        """A console line with these words."""
        return self.wait(lambda: self.said(words), f"`{words}` on the console")

    def wait_state(self, unit, *states, **more):
        """The unit, once it is in one of the states and all of `more` holds."""
        def there():
            u = self.unit(unit)
            return u if u["state"] in states and all(u[k] == v for k, v in more.items()) else None
        return self.wait(there, f"{unit} to be {' or '.join(states)} {more or ''}")

    def said(self, words):
        return next((line for line in self.console.splitlines() if words in line), None)

    def said_in_order(self, *words):
        at = 0
        for w in words:
            at = self.console.find(w, at)
            if at < 0:
                return False
            at += len(w)
        return True

    def read(self, name):
        path = self.folder / name
        return path.read_text() if path.exists() else ""

    # ---- asking it ----

    def ctl(self, *words, prefix=()):
        return subprocess.run([*prefix, CTL, "--socket", self.socket, *words], capture_output=True, text=True, timeout=DEADLINE)

    def do(self, *words):
        """oomphctl, which has to succeed."""
        r = self.ctl(*words)
        assert r.returncode == 0, r.stderr
        return r.stdout

    def json(self, *words):
        return [json.loads(line) for line in self.do("--json", *words).splitlines()]

    def unit(self, name):
        return self.json("status", name)[0]

    def states(self):
        return {u["unit"].removesuffix(".service"): u["state"] for u in self.json("list")}

    def deaths(self, unit):
        return self.json("deaths", unit)

    def inside(self, command):
        """A shell command in the box, by somebody else than oomph."""
        return subprocess.run(["nsenter", "-t", str(self.pid), "-m", "-p", "sh", "-c", command], capture_output=True,
                              text=True, check=True, timeout=DEADLINE).stdout

    def proc(self, pid):
        """/proc/PID as seen inside."""
        return pathlib.Path(f"/proc/{self.pid}/root/proc/{pid}")

    def is_alive(self, pid):
        return self.proc(pid).exists()

    def zombies(self):
        return [pid for pid in children(self.pid) if state_of(pid) == "Z"]

    def bugs(self):
        return self.json("version")[0]["bugs"]


def signal_number(name):
    return signal.Signals["SIG" + name]
