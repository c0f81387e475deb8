"""What inject.c, PID 1 and a test have mapped together: counts of calls by site, and the order which of them to fail."""
import ctypes
import dataclasses
import errno
import functools
import mmap
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
OOMPH = ROOT / "build/fault/oomph"
SITES_MAX = 4096
HOWS = {"short": -1, "jump": -2, "vanish": -3}
ORDERS_MAX = 4
ANYBODY = 2

TABLE = pathlib.Path(__file__).with_name("calls.h").read_text()
CALLS = [name for name, _ in re.findall(r'^CALL\((\w+), "(.*)"\)', TABLE, re.M)]
PLAUSIBLE = {name: errors.split() for name, errors in re.findall(r'^(?:CALL|SYSTEM)\((\w+), "(.*)"\)', TABLE, re.M)}
SYSTEM = re.findall(r"^SYSTEM\((\w+),", TABLE, re.M)


class CSite(ctypes.Structure):
    _fields_ = [("at", ctypes.c_uint64), ("from_", ctypes.c_uint64), ("call", ctypes.c_uint32), ("number", ctypes.c_uint32),
                ("is_child", ctypes.c_uint32), ("n", ctypes.c_uint32), ("n_failed", ctypes.c_uint32), ("is_ready", ctypes.c_uint32)]


class COrder(ctypes.Structure):
    _fields_ = [("at", ctypes.c_uint64), ("from_", ctypes.c_uint64), ("call", ctypes.c_uint32), ("number", ctypes.c_uint32),
                ("is_child", ctypes.c_uint32), ("first", ctypes.c_uint32), ("last", ctypes.c_uint32), ("how", ctypes.c_int32),
                ("clock", ctypes.c_int32), ("jump_s", ctypes.c_int32), ("window_ms", ctypes.c_uint64), ("began_ms", ctypes.c_uint64),
                ("is_armed", ctypes.c_uint32), ("n", ctypes.c_uint32), ("n_failed", ctypes.c_uint32)]


class CBoard(ctypes.Structure):
    _fields_ = [("orders", COrder * ORDERS_MAX), ("sites", CSite * SITES_MAX)]


@functools.cache
def system_numbers():
    """Numbers of the calls that go by way of syscall(2), as the C compiler knows them."""
    text = "#include <sys/syscall.h>\n" + "".join(f"{name} SYS_{name}\n" for name in SYSTEM)
    out = subprocess.run(["cc", "-E", "-P", "-"], input=text, capture_output=True, text=True, check=True).stdout
    return {name: int(number) for name, number in re.findall(rf"^({'|'.join(SYSTEM)}) (\d+)$", out, re.M)}


def call_name(call, number):
    return CALLS[call] if call < len(CALLS) else next((n for n, k in system_numbers().items() if k == number), f"syscall {number}")


@dataclasses.dataclass(frozen=True, order=True)
class Site:
    name: str               # of the call
    is_child: bool
    at: int
    from_: int
    number: int


@dataclasses.dataclass(frozen=True)
class Order:
    """Which calls fail, and how. Without a site: all of one name."""
    how: str                # an errno's name, or one of HOWS
    site: Site = None
    name: str = ""
    is_child: int = ANYBODY
    first: int = 1
    last: int = 1           # 0: for ever
    window_ms: int = 0
    clock: int = 0
    jump_s: int = 0
    is_armed: bool = True

    def __str__(self):
        where = str_site(self.site) if self.site else f"{self.name}, wherever it stands"
        which = f"#{self.first}" if self.first == self.last else f"#{self.first}.." + (f" for {self.window_ms} ms" if self.window_ms else "")
        return f"{where} {self.how}{f' by {self.jump_s} s' if self.jump_s else ''} {which}"


class Board:
    def __init__(self, path):
        path.write_bytes(bytes(ctypes.sizeof(CBoard)))
        with open(path, "r+b") as f:
            self.map = mmap.mmap(f.fileno(), ctypes.sizeof(CBoard))
        self.c = CBoard.from_buffer(self.map)

    def give(self, orders):
        for i, o in enumerate(Board.written(orders)):
            self.c.orders[i] = o

    @staticmethod
    def written(orders):
        return [Board.write(COrder(), order) for order in orders]

    @staticmethod
    def write(o, order):
        site = order.site
        name = site.name if site else order.name
        o.at, o.from_ = (site.at, site.from_) if site else (0, 0)
        o.call = CALLS.index(name) if name in CALLS else len(CALLS)
        o.number = 0 if name in CALLS else system_numbers()[name]
        o.is_child = site.is_child if site else order.is_child
        o.first, o.last, o.window_ms = order.first, order.last, order.window_ms
        o.clock, o.jump_s = order.clock, order.jump_s
        o.clock, o.jump_s = order.clock, order.jump_s
        o.how = HOWS.get(order.how) or getattr(errno, order.how)
        o.is_armed = order.is_armed
        return o

    def arm(self):
        for o in self.c.orders:
            o.is_armed = o.how != 0

    @property
    def n_failed(self):
        return sum(o.n_failed for o in self.c.orders)

    def sites(self):
        return read_sites(self.c)

    def close(self):
        del self.c
        self.map.close()


def read_sites(board):
    """{site: how often it was passed}"""
    return {Site(call_name(s.call, s.number), bool(s.is_child), s.at, s.from_, s.number): s.n for s in board.sites if s.at}


# ---- what a site is called ----

@functools.cache
def where(address):
    """(file.c:line, function) of the call that returns there."""
    out = subprocess.run(["addr2line", "-f", "-s", "-e", OOMPH, hex(address - 1)], capture_output=True, text=True, check=True).stdout
    function, place = out.splitlines()
    return place.split(" ")[0], function


def str_site(site):
    place, function = where(site.at)
    caller, its_function = where(site.from_)
    return f"{place} {function}() {site.name}" + (f", for {caller} {its_function}()" if not caller.startswith("?") else "") + \
        (" in a child" if site.is_child else "")


@functools.cache
def all_places():
    """{return address: name of the function called}, for every call that stands in PID 1's code."""
    out = subprocess.run(["objdump", "-d", "--no-show-raw-insn", OOMPH], capture_output=True, text=True, check=True).stdout
    lines = re.findall(r"^ +([0-9a-f]+):\t(.*)$", out, re.M)
    return {int(after, 16): m[1] for (_, text), (after, _) in zip(lines, lines[1:]) if (m := re.search(r"call +\S+ <__wrap_(\w+)>", text))}
