"""Another binary becomes PID 1: nothing is restarted, nothing is lost, and one that is no good makes place again."""
import json
import os
import pathlib
import subprocess

import pytest

from box import CTL, OOMPH, ROOT, children, script, service
from test_logged import kept, logged  # noqa: F401  (a fixture: a box with its logger)

GUEST = ROOT / "build/guest"
FAULTY, BEFORE = GUEST / "oomph-faulty", GUEST / "oomph-before"
LIBDIR = {"OOMPH_LIBDIR": str(ROOT / "build/bin")}
STAYS = "sleep 1000"
GETS_READY = script("read x </mnt/fifo; echo >&3; exec sleep 1000")
NOTIFIES = script("read x </mnt/fifo; exec /mnt/tools/notify READY=1")


def standing(b):
    return {u["unit"]: (u["main_pid"], u["generation"], u["state"]) for u in b.json("list")}


def upgrade(b, to=OOMPH):
    return b.ctl("upgrade", str(to))


def build(b):
    return b.json("version")[0]["build"]


def given(box, units, oomph=OOMPH, **more):
    b = box(units, oomph=oomph, env=LIBDIR, **more)
    for name, text in units.items():
        b.wait_state(name, "starting" if "fifo" in text else "up")
    return b


@pytest.mark.parametrize("oomph", [OOMPH, BEFORE], ids=["alike", "older-layout"])
def test_nothing_is_restarted(box, oomph):
    b = given(box, {"web": service(STAYS, Restart="always", RestartSec="1ms"), "db": service(STAYS)}, oomph)
    b.inside(f"kill -KILL {b.unit('web')['main_pid']}")
    b.wait_state("web", "up", generation=2)
    before, deaths, descriptors = standing(b), b.deaths("web"), sorted(os.listdir(f"/proc/{b.pid}/fd"))
    r = upgrade(b)
    assert r.returncode == 0, r.stderr
    b.wait_for("another PID 1 has taken over")
    assert standing(b) == before and b.deaths("web") == deaths
    b.inside(f"kill -KILL {b.unit('web')['main_pid']}")
    b.wait_state("web", "up", generation=3)
    assert b.json("crashes") == [] and build(b)
    assert len(descriptors) > 8


def test_it_is_the_other_binary(box):
    b = given(box, {"db": service(STAYS)}, BEFORE)
    before = build(b)
    upgrade(b)
    after = build(b)
    assert before != after
    upgrade(b, OOMPH)                   # it is on probation: not now
    assert build(b) == after


@pytest.mark.parametrize("oomph", [OOMPH, BEFORE], ids=["alike", "older-layout"])
@pytest.mark.parametrize("unit", [service(GETS_READY, **{"X-NotifyFD": "3"}), service(NOTIFIES, Type="notify", NotifyAccess="all")], ids=["descriptor", "socket"])
def test_who_was_starting_gets_ready_with_the_other(box, unit, oomph):
    b = given(box, {"web": unit}, oomph, before="mkfifo /mnt/fifo")
    assert upgrade(b).returncode == 0
    (b.folder / "fifo").write_text("go\n")
    b.wait_state("web", "up", generation=1)


def test_who_dies_meanwhile_is_mourned_and_followed(box):
    """The death comes while nobody can look: PID 1 is stopped, and both its order and the death wait for it."""
    b = given(box, {"web": service(STAYS, Restart="always", RestartSec="1ms")})
    pid = b.unit("web")["main_pid"]
    upgraded = subprocess.Popen([CTL, "--socket", b.socket, "upgrade", OOMPH])
    b.inside(f"kill -KILL {pid}")
    assert upgraded.wait(15) == 0
    b.wait_state("web", "up", generation=2)
    death, = b.deaths("web")
    assert death["cause"] == "signal" and len(children(b.pid)) == 1


def test_stored_descriptors_stay(box):
    b = given(box, {"web": service("/mnt/tools/store memfd socket", FileDescriptorStoreMax="4", NotifyAccess="main", Restart="always",
                                   RestartSec="1ms")})
    b.wait_state("web", "up", status_text="through")
    assert upgrade(b).returncode == 0
    b.inside(f"kill -KILL {b.unit('web')['main_pid']}")
    b.wait_state("web", "up", generation=2, status_text="through")
    assert json.loads(b.read("told"))["kinds"] == ["/memfd", "socket"]


def test_what_services_write_goes_on(logged):
    b = logged({"web": service(script("n=0; while :; do n=$((n + 1)); echo line $n; sleep 0.01; done"))})

    def numbers():
        return [int(line[-1].split()[-1]) for line in kept(b, "web") if line[-1].startswith("line ")]
    b.wait(lambda: len(numbers()) > 5)
    logger = b.unit("oomph-log")["main_pid"]
    assert upgrade(b).returncode == 0
    n = len(numbers())
    b.wait(lambda: len(numbers()) > n + 20)
    lines = numbers()
    assert lines == list(range(1, len(lines) + 1))
    assert b.unit("oomph-log")["main_pid"] == logger


def test_followers_follow_the_other(box):
    b = given(box, {"web": service(STAYS, Restart="always", RestartSec="1ms")})
    b.inside(f"kill -KILL {b.unit('web')['main_pid']}")
    b.wait_state("web", "up", generation=2)
    follower = subprocess.Popen([CTL, "--socket", b.socket, "--json", "deaths", "-f"], stdout=subprocess.PIPE, text=True)
    assert json.loads(follower.stdout.readline())["generation"] == 1
    upgrade(b)
    b.inside(f"kill -KILL {b.unit('web')['main_pid']}")
    assert json.loads(follower.stdout.readline())["generation"] == 2
    follower.kill()
    follower.wait()


# ---- and if it is no good ----

@pytest.mark.parametrize("what, why", [
    ("/bin/sh", "it is not static"), ("/etc/passwd", "it is no ELF program"), ("/nowhere", "No such file"), (str(CTL), "self-test"),
])
def test_what_cannot_be_pid_1_is_refused(box, what, why):
    b = given(box, {"db": service(STAYS)})
    before = standing(b)
    r = upgrade(b, what)
    assert r.returncode == 1 and why in r.stderr
    assert standing(b) == before and not b.said("has taken over")


def test_an_older_one_is_refused(box):
    b = given(box, {"db": service(STAYS)})
    r = upgrade(b, BEFORE)
    assert r.returncode == 1 and "of another version" in r.stderr
    assert b.states() == {"db": "up"}


def test_one_that_fails_its_self_test_is_refused(box):
    b = given(box, {"db": service(STAYS)})
    (b.folder / "crash").write_text("tick SIGSEGV 1 0\n" + " " * 40)
    r = upgrade(b, FAULTY)
    assert r.returncode == 1 and "self-test" in r.stderr
    assert b.states() == {"db": "up"}


@pytest.mark.parametrize("how", ["SIGSEGV", "SIGABRT", "hang"])
@pytest.mark.parametrize("oomph", [OOMPH, BEFORE], ids=["alike", "older-layout"])
def test_one_that_fails_at_once_makes_place_for_the_one_before(box, oomph, how):
    b = given(box, {"web": service(STAYS, Restart="always", RestartSec="1ms"), "db": service(STAYS)}, oomph)
    before, its_build = standing(b), build(b)
    (b.folder / "crash").write_text(f"upgraded {how} 1 0\n" + " " * 40)
    r = upgrade(b, FAULTY)
    assert r.returncode == 1 and "the one before is PID 1 again" in r.stderr
    assert (standing(b), build(b)) == (before, its_build)
    b.inside(f"kill -KILL {b.unit('web')['main_pid']}")
    b.wait_state("web", "up", generation=2)
    assert upgrade(b).returncode == 0


def test_one_that_fails_a_little_later_as_well(box):
    """What it did meanwhile stays done."""
    b = given(box, {"web": service(STAYS, Restart="always", RestartSec="1ms"), "db": service(STAYS)})
    its_build = build(b)
    assert upgrade(b, FAULTY).returncode == 0
    b.inside(f"kill -KILL {b.unit('web')['main_pid']}")
    web = b.wait_state("web", "up", generation=2)["main_pid"]
    (b.folder / "crash").write_text("request SIGSEGV 1 0\n" + " " * 40)
    b.do("stop", "db")
    b.wait_for("the new PID 1 failed, and the one before is back")
    assert build(b) == its_build
    assert standing(b)["web.service"] == (web, 2, "up") and b.states()["db"] == "idle"
    assert len(b.deaths("web")) == 1


def test_across_layouts_there_is_no_way_back_from_what_was_done(box):
    """The one before knows of none of it, and would start what is running."""
    b = given(box, {"web": service(STAYS, Restart="always", RestartSec="1ms"), "db": service(STAYS)}, BEFORE)
    assert upgrade(b, FAULTY).returncode == 0
    its_build = build(b)
    b.inside(f"kill -KILL {b.unit('web')['main_pid']}")
    web = b.wait_state("web", "up", generation=2)["main_pid"]
    (b.folder / "crash").write_text("request SIGSEGV 1 0\n" + " " * 40)
    b.do("stop", "db")
    assert [c["event"] for c in b.json("crashes")] == ["request"] and build(b) == its_build
    assert standing(b)["web.service"] == (web, 2, "up") and b.states()["db"] == "idle"
    assert len(b.deaths("web")) == 1 and len(children(b.pid)) == 1


def test_only_root_may(box):
    b = given(box, {"db": service(STAYS)})
    os.chmod(b.socket, 0o666)
    r = subprocess.run(["setpriv", "--reuid", "65534", "--clear-groups", CTL, "--socket", b.socket, "upgrade", OOMPH], capture_output=True, text=True)
    assert r.returncode == 1 and "not permitted" in r.stderr
