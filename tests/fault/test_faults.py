"""Faults that last, and those that no errno tells of."""
import time

import pytest
from board import Order, where
from worlds import Vm, World, actor

YEAR_S = 365 * 86400
REALTIME, MONOTONIC, BOOTTIME = time.CLOCK_REALTIME, time.CLOCK_MONOTONIC, 7


def always(how, *names, **more):
    """From the first call on."""
    return [Order(how, name=name, last=0, **more) for name in names]


@pytest.fixture
def world(request):
    """world(*orders, kind=World): entered; its console is shown when the test fails."""
    request.node.boxes = []

    def enter(*orders, kind=World):
        request.node.boxes.append(kind(*orders))
        return request.node.boxes[-1].__enter__()

    yield enter
    for w in request.node.boxes:
        w.__exit__()
    for w in request.node.boxes:
        assert not w.said("a bug of oomph")
        assert w.board.n_failed or not w.orders, "nothing failed"


@pytest.mark.parametrize("error", ["EAGAIN", "ENOMEM"])
def test_no_fork_for_ten_seconds(world, error):
    w = world(*always(error, "clone", "clone3", window_ms=10_000, is_armed=False))
    w.boot()
    w.board.arm()
    for name in ("simple", "exec", "notify", "slow"):
        w.kill(name)
    w.wait_for("fork: ")
    while not w.is_window_over():
        w.again("list")
        assert "failed" not in [u["state"] for u in w.units_now().values()], "nobody is given up"
    w.judge()
    w.change()
    w.judge()
    w.end()


@pytest.mark.parametrize("error", ["ENOSYS", "EPERM"])
@pytest.mark.parametrize("kind", [World, Vm])
def test_a_kernel_or_a_filter_without_clone3(world, error, kind):
    w = world(*always(error, "clone3"), kind=kind)
    w.live()


@pytest.mark.parametrize("error", ["ENOSYS", "EMFILE", "ENOMEM"])
def test_no_memfd_for_three_seconds(world, error):
    w = world(*always(error, "memfd_create", window_ms=3_000))
    w.live()
    assert w.console.count("the units could not be loaded") == 1


def test_no_memfd_at_all(world):
    w = world(*always("ENOSYS", "memfd_create"))
    for _ in range(3):
        assert "version" in w.again("--json", "version")
        assert w.ctl("reload").returncode == 1
    assert w.said("the units could not be loaded: the kernel does not have it")
    w.end(is_empty=True)


@pytest.mark.parametrize("clock, by_s", [(REALTIME, YEAR_S), (REALTIME, -YEAR_S), (REALTIME, -60), (BOOTTIME, 60), (BOOTTIME, 30 * 86400),
                                         (MONOTONIC, 3600)])
def test_a_clock_jumps_in_the_middle_of_everything(world, clock, by_s):
    """That of PID 1 only: it is what decides."""
    w = world(Order("jump", name="clock_gettime", first=300, last=0, clock=clock, jump_s=by_s))
    w.live()


def test_a_clock_jumps_while_nothing_happens(world):
    """As in a suspend. No service was heard of for a year, and none could have been."""
    w = world(Order("jump", name="clock_gettime", last=0, clock=BOOTTIME, jump_s=YEAR_S, is_armed=False))
    w.boot()
    before = w.picture()
    w.board.arm()
    w.again("list")
    assert w.picture() == before
    w.strike("simple")
    w.judge()
    w.end()


def test_a_cgroup_vanishes_from_under_a_service(world):
    """Its processes are moved elsewhere first: a cgroup with somebody in it stays."""
    w = world()
    w.boot()
    for name in ("simple", "notify"):
        folder = w.cgroup.path / "system.slice" / f"{name}.service"
        (w.cgroup.path / "init.scope/cgroup.procs").write_text(str(w.main(name)))
        folder.rmdir()
    w.strike("simple")
    w.again("restart", "notify")
    w.judge()
    assert w.all_have_cgroups()
    w.end()


def test_a_cgroup_vanishes_right_before_each_of_many_launches(world):
    w = world(Order("vanish", name="clone3", first=5, last=15))
    w.live()


def test_descriptors_run_out_for_real(world):
    """RLIMIT_NOFILE, hard as well, so that PID 1 cannot raise it: it has all it can have with its services, and clients come."""
    w = world(*always("EPERM", "setrlimit"), kind=Narrow)
    w.boot()
    w.judge()
    w.strike("simple")
    w.change()
    w.judge()
    w.end()


class Narrow(World):
    name = "narrow"
    files = 40

    def __init__(self, *orders):
        super().__init__(*orders)
        self.before += f"\nulimit -n {self.files}"


def test_a_terminal_that_is_another_s_is_waited_for_asleep(world):
    """What our own attempt closes is no news: told as such it was tried again at once, and so for ever."""
    w = world()
    w.boot()
    w.put("late", actor("late", StandardInput="tty", TTYPath="/mnt/tty"))
    w.again("reload")
    w.all_up("late")
    for _ in range(20):
        w.again("list")
    n_opened = sum(n for site, n in w.board.sites().items() if site.name == "open" and where(site.at)[1] == "child_open_terminal")
    assert n_opened < 10
    w.again("stop", "tty")
    w.wait(lambda: "late" in w.running(), "its turn")


def test_nobody_who_listens_on_the_console(world):
    w = world(*always("EAGAIN", "write", is_child=0, first=3))
    w.boot()
    w.strike("simple")
    w.judge()
    w.end()
