"""What a hostile or a broken service, client or folder does to PID 1, in a container and in a virtual machine alike.

    with in_box() as place:
        found = assail(place, ATTACKS["orphans"], 20000)

An attack is made while a prober (tests/vm/guest/probe.c) asks PID 1 one question after the other. Afterwards everything has to be
as it was: judge() says what is not. How long the answers took is a figure, for `make hostile` to judge and not for a test.
"""

import collections
import contextlib
import json
import pathlib
import shlex
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/container"), str(ROOT / "tests/vm")]

from box import CTL, Box, service  # noqa: E402
from machine import Machine  # noqa: E402

N_WANTED = 10
# What may differ afterwards. Rss and Anonymous, in kB: two pages of the stack, which is kept once it was used; one descriptor and one
# mapping: of the memory that lists the descriptors which are not ours, made for the first one.
BOUNDS = {"rss": 8, "anonymous": 8, "descriptors": 1, "mappings": 1, "cgroups": 0}
Answers = collections.namedtuple("Answers", "n p50 p99 max cut")        # of one kind of question; us
Found = collections.namedtuple("Found", "attack place size idle loaded before after wrong said")


def wanted_units(guest):
    return {f"wanted-{n}.service": service(f"{guest}/pause wanted-{n}", Restart="always", RestartSec="0") for n in range(N_WANTED)}


# ---- the two places, seen alike: everything happens through a shell inside ----

class Place:
    name = guest = services = socket = ctl = None
    patience = 60               # seconds until all is as it was

    def __init__(self):
        self.clean = []         # commands, for when nobody is measured any more

    def sh(self, command, timeout=60):
        raise NotImplementedError

    def json(self, *words):
        return [json.loads(line) for line in self.sh(shlex.join([self.ctl, "--socket", self.socket, "--json", *words])).splitlines()]

    def do(self, *words):
        return self.sh(shlex.join([self.ctl, "--socket", self.socket, *words]))

    @property
    def reload(self):
        """A command that waits until what is in the folder is in force, and what is no more there has ended."""
        return f"until {self.ctl} --socket {self.socket} reload; do sleep 1; done"

    def wait(self, condition, what, timeout=None):
        end = time.monotonic() + (timeout or self.patience)
        while not (result := condition()):
            if time.monotonic() > end:
                raise TimeoutError(f"{self.name}: waited in vain for {what}")
            time.sleep(0.1)
        return result

    def sleep(self, seconds):
        """In its own time, which a machine may have."""
        self.sh(f"sleep {seconds}", timeout=60 + 60 * seconds)

    def state(self, unit):
        return self.json("status", unit)[0]["state"]

    @contextlib.contextmanager
    def unit(self, name, text):
        """A unit for as long as the attack takes. One that has come to its end is no service any more."""
        path = f"{self.services}/{name}.service"
        self.sh(f"printf %s {shlex.quote(text)} >{path}")
        self.do("reload")
        yield name
        self.sh(f"rm {path}")
        self.do("reload")

    def assail(self, *words, **settings):
        self.sh("rm -f /tmp/said")
        settings = {"Restart": "no", "StandardOutput": "truncate:/tmp/said", **settings}
        return self.unit("assailant", service(shlex.join([f"{self.guest}/assail", *map(str, words)]), **settings))

    def said(self):
        """What the assailant has printed."""
        return self.sh("cat /tmp/said 2>/dev/null || :")

    def n_assailants(self):
        """Its processes, all of them."""
        return int(self.sh("grep -lx assail /proc/[0-9]*/comm 2>/dev/null | wc -l"))


class InBox(Place):
    name, services, socket, ctl, guest = "container", "/mnt/services", "/mnt/run/control", str(CTL), str(ROOT / "build/guest")

    def __init__(self, box):
        super().__init__()
        self.box = box

    def sh(self, command, timeout=60):
        done = subprocess.run(["nsenter", "-t", str(self.box.pid), "-m", "-p", "sh", "-c", command], capture_output=True, text=True,
                              timeout=timeout)
        assert done.returncode == 0, f"{command!r} left with {done.returncode}: {done.stdout}{done.stderr}"
        return done.stdout


class InMachine(Place):
    name, services, socket, ctl, guest = "VM", "/etc/services.d", "/run/oomph/control", "oomphctl", "/usr/bin"

    def __init__(self, machine, patience=Place.patience):
        super().__init__()
        self.machine, self.patience = machine, patience

    def sh(self, command, timeout=60):
        return self.machine.check(command, max(timeout, self.patience))


@contextlib.contextmanager
def in_box(log="none"):
    # /tmp of its own, as a container has.
    with Box(wanted_units(ROOT / "build/guest"), log=log, before="mount -t tmpfs none /tmp") as box:
        yield InBox(box)


def machine_options(mem):
    return {"units": wanted_units("/usr/bin"), "mem": mem, "cmdline": "loglevel=1 log_buf_len=1M"}


@contextlib.contextmanager
def in_machine(mem, name="hostile"):
    """In the machine's own time, one nanosecond an instruction of its one CPU, so that no host is too busy or too slow for figures."""
    with Machine(name=name, cpus=1, qemu=("-icount", "shift=0"), **machine_options(mem)) as machine:
        yield InMachine(machine, patience=1200)


# ---- the prober ----

class Prober:
    def __init__(self, place):
        self.place = place
        self.pid = place.sh(f"{place.guest}/probe wanted-0.service {place.socket} >/tmp/probe.out 2>&1 & echo $!").strip()

    def end(self):
        self.place.sh(f"kill {self.pid}; while kill -0 {self.pid} 2>/dev/null; do sleep 0.05; done")
        rows = (line.split() for line in self.place.sh("cat /tmp/probe.out").splitlines())
        return {row[0]: Answers(*map(int, row[1:])) for row in rows}


# ---- what is looked at, before and after ----

FACTS = """\
while read -r key value _; do case $key in Rss:|Anonymous:) echo $value;; esac; done </proc/1/smaps_rollup
set -- /proc/1/fd/*; echo $#
wc -l </proc/1/maps
find /sys/fs/cgroup -type d | wc -l
"""


def memory(place):
    return dict(zip(BOUNDS, map(int, place.sh(FACTS).split())))


def zombies(place):
    return place.sh("grep -l '^State:.Z' /proc/[0-9]*/status 2>/dev/null || :").split()


def living(place):
    """The wanted services' processes: name -> pids."""
    found = collections.defaultdict(list)
    for line in place.sh("grep -a wanted- /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' '; :").replace("/proc/", "\n").split("\n"):
        pid, _, words = line.partition("/cmdline:")
        if "pause wanted-" in words:
            found[words.split()[1]].append(int(pid))
    return found


def generations(place):
    return {u["unit"].removesuffix(".service"): u["generation"] for u in place.json("list") if u["unit"].startswith("wanted-")}


def wrong_services(place, generation):
    """Those that are not up, have not their one process, or another life than they should."""
    units = {u["unit"].removesuffix(".service"): u for u in place.json("list")}
    processes = living(place)
    for name, expected in generation.items():
        u = units.get(name)
        if not u or u["state"] != "up":
            yield f"{name} is {u and u['state']}"
        elif processes[name] != [u["main_pid"]]:
            yield f"{name}: main process {u['main_pid']}, and there are {processes[name]}"
        elif u["generation"] != expected:
            yield f"{name} is in generation {u['generation']}, not in {expected}"


def judge(place, before, generation):
    """What is not as it was."""
    after = memory(place)
    wrong = [f"{what}: {before[what]} before, {after[what]} after" for what, bound in BOUNDS.items() if after[what] > before[what] + bound]
    wrong += wrong_services(place, generation)
    wrong += [f"zombies: {left}" for left in [zombies(place)] if left]
    wrong += [f"bugs: {n}" for n in [place.json("version")[0]["bugs"]] if n]
    return after, wrong


def settled(place, before, generation):
    """judge(), once nothing is wrong any more, or when patience is over."""
    end = time.monotonic() + place.patience
    while True:
        after, wrong = judge(place, before, generation)
        if not wrong or time.monotonic() > end:
            return after, wrong
        time.sleep(0.2)


# ---- the attacks: each leaves when it is over; what it has to say of itself is a dictionary ----

def bomb(place, seconds):
    limit = {"TasksMax": 200} if place.name == "VM" else {"LimitNPROC": 200, "User": "nobody"}
    with place.assail("bomb", TimeoutStopSec=1, **limit):
        place.wait(lambda: place.n_assailants() >= 190, "the bomb to fill its limit")
        place.sleep(seconds)
        n = place.n_assailants()
        place.do("stop", "assailant")
        place.wait(lambda: place.n_assailants() == 0, "the last of them to be reaped")
    assert n <= 200
    return {"processes": n}


def orphans(place, n):
    with place.assail("orphans", n):
        place.wait(lambda: place.said() == "made\n", "orphans")
        place.wait(lambda: place.n_assailants() == 1, "their end")
        place.do("stop", "assailant")


def zombies_at_once(place, n):
    with place.assail("zombies", n):
        place.wait(lambda: place.said() == "made\n" and not zombies(place), "their end")
        place.do("stop", "assailant")


def crowd(place, n):
    """They are swept when their service ends."""
    with place.assail("crowd", n):
        place.wait(lambda: place.state("assailant") in ("idle", "failed", "done"), "the sweep")
        place.wait(lambda: place.n_assailants() == 0, "the last of them to be reaped")


def signals(place, n):
    with place.assail("signals", n, Type="oneshot", TimeoutStartSec="infinity"):
        place.wait(lambda: place.state("assailant") == "done", "all to be sent")


def notify(place, n):
    with place.assail("notify", n, Type="notify", NotifyAccess="all", FileDescriptorStoreMax=4):
        # Another one gets heard in between.
        with place.unit("late", service(f"{place.guest}/assail notify 0", Type="notify")):
            place.wait(lambda: place.state("late") == "up", "another service to be ready")
        place.wait(lambda: place.said() == "said\n", "the end of the flood", timeout=20 * place.patience)
        place.do("stop", "assailant")


def clients(place, n):
    seconds = 10 if n >= 1000 else 3
    words = place.sh(f"{place.guest}/assail clients {n} {n * 9 // 10} {seconds} {place.socket}", timeout=60 + 60 * seconds).split()
    assert int(words[1]) > 0
    return {"answers": int(words[1]), "cut": int(words[3])}


def units(place, n):
    """n good ones and a fifth as many broken ones, which come into force at once."""
    place.clean = [f"cd {place.services}; rm -rf good-* broken-*; {place.reload}"]
    place.sh(f"{place.guest}/assail units {place.services} {n} {n // 5} {place.guest}/pause; {place.reload}", timeout=300)

    def n_up():
        return sum(u["unit"].startswith("good-") and u["state"] == "up" for u in place.json("list"))
    place.wait(lambda: n_up() == n, "all good ones to be up", timeout=max(300, place.patience))


def storm(place, seconds, n=20):
    """All die at once, again and again: of memory that they have not, or where none can be withheld, by SIGKILL."""
    mb = 40 if place.name == "VM" else 0
    limit = {"MemoryMax": "8M"} if mb else {}
    text = service(f"{place.guest}/assail storm /tmp/storm {mb}", Restart="always", RestartSec="0", StandardOutput="null", **limit)
    names = [f"stormy-{i}" for i in range(n)]
    place.sh("touch /tmp/storm")
    place.clean = [f"rm {place.services}/stormy-*.service; {place.reload}"]
    place.sh(f"for name in {' '.join(names)}; do printf %s {shlex.quote(text)} >{place.services}/$name.service; done; {place.reload}")
    place.sleep(seconds)
    place.sh("rm /tmp/storm")

    def calm():
        rows = {u["unit"].removesuffix(".service"): u for u in place.json("list")}
        return all(rows[name]["state"] == "up" for name in names) and sum(rows[name]["restarts"] for name in names)
    # One that is up may be about to die still.
    n_restarts = place.wait(lambda: (n := calm()) and not place.sleep(1) and calm() == n and n, "all to be up")
    ooms = sum(place.json("status", name)[0]["oom_kills"] for name in names)
    assert ooms if mb else n_restarts >= n
    return {"restarts": n_restarts, "oom_kills": ooms}


def kmsg(place, seconds):
    """And one dies meanwhile: its death needs the log."""
    with place.assail("kmsg", seconds, Type="oneshot", TimeoutStartSec="infinity"):
        with place.unit("victim", service(f"{place.guest}/pause", Restart="always", RestartSec="0")):
            n = 0
            while place.state("assailant") == "starting":
                before = place.json("status", "victim")[0]
                place.do("kill", "victim", "KILL")
                place.wait(lambda: (u := place.json("status", "victim")[0])["state"] == "up" and u["generation"] > before["generation"], "the next life")
                assert place.json("deaths", "victim")[-1]["cause"] == "signal"
                n += 1
        assert n and place.state("assailant") == "done"
    return {"deaths": n, "lines": int(place.said().split()[1])}


Attack = collections.namedtuple("Attack", "go unit check full")  # sizes: {place: n}
ATTACKS = {
    "bomb": Attack(bomb, "s", {"container": 1, "VM": 1}, {"container": 20, "VM": 20}),
    "orphans": Attack(orphans, "processes", {"container": 1000, "VM": 200}, {"container": 20000, "VM": 20000}),
    "zombies": Attack(zombies_at_once, "processes", {"container": 1000, "VM": 200}, {"container": 20000, "VM": 20000}),
    "crowd": Attack(crowd, "processes", {"container": 1000, "VM": 200}, {"container": 20000, "VM": 20000}),
    "signals": Attack(signals, "signals", {"container": 10000, "VM": 2000}, {"container": 100000, "VM": 100000}),
    "notify": Attack(notify, "datagrams", {"container": 10000, "VM": 2000}, {"container": 100000, "VM": 100000}),
    "clients": Attack(clients, "clients", {"container": 200, "VM": 50}, {"container": 1000, "VM": 1000}),
    "units": Attack(units, "files", {"container": 200, "VM": 50}, {"container": 5000, "VM": 5000}),
    "storm": Attack(storm, "s", {"container": 2, "VM": 5}, {"container": 300, "VM": 300}),
    "kmsg": Attack(kmsg, "s", {"VM": 3}, {"VM": 60}),
}


def assail(place, name, size, idle_seconds=0):
    """Has the attack made, and tells what was found."""
    place.wait(lambda: not list(wrong_services(place, generations(place))), "a place that is as it should be")
    generation, before = generations(place), memory(place)
    idle = {}
    if idle_seconds:
        prober = Prober(place)
        place.sleep(idle_seconds)
        idle = prober.end()
    prober = Prober(place)
    said = ATTACKS[name].go(place, size) or {}
    loaded = prober.end()
    for command in place.clean:
        place.sh(command, timeout=600)
    place.clean = []
    after, wrong = settled(place, before, generation)
    return Found(name, place.name, size, idle, loaded, before, after, wrong, said)


# ---- what is told of it ----

def ms(us):
    return f"{us / 1000:.1f}"


def row(found):
    """One line: what was done, how long answers took meanwhile (worst of all kinds), what it left behind."""
    said = ", ".join(f"{value} {key}" for key, value in found.said.items())
    asked = [answers for kind, answers in found.loaded.items() if kind != "echo"]
    echo = found.loaded.get("echo")
    idle = [answers.p99 for kind, answers in found.idle.items() if kind != "echo"]
    took = f"p50 {ms(max(a.p50 for a in asked))} p99 {ms(max(a.p99 for a in asked))} max {ms(max(a.max for a in asked))} ms" if asked else "nobody asked"
    return (f"{found.place:<9} {found.attack:<8} {found.size:>6} {ATTACKS[found.attack].unit:<9} {took}"
            f" (of {sum(a.n for a in asked)}; echo p99 {ms(echo.p99) if echo else '-'}{'; idle p99 ' + ms(max(idle)) if idle else ''}),"
            f" memory {found.before['rss']}->{found.after['rss']} kB{', ' + said if said else ''}"
            + "".join(f"\n    WRONG: {what}" for what in found.wrong))
