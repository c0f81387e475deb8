"""Unit files that come, go and change; and an oomph-load that fails."""
import signal

import pytest

from box import OOMPH, script, service

STAYS = "sleep 1000"


def test_a_file_dropped_is_started(box):
    b = box()
    b.put("web", service(STAYS))
    b.wait_for("web: up")
    assert b.states() == {"web": "up"}


def test_a_file_removed_is_stopped_and_forgotten(box):
    b = box({"web": service(STAYS), "db": service(STAYS)})
    b.wait_state("web", "up")
    (b.services / "web.service").unlink()
    b.wait_for("web: stopped")
    b.wait(lambda: b.states() == {"db": "up"})
    assert b.ctl("status", "web").returncode == 3


def test_a_file_written_slowly_is_read_once_it_is_closed(box):
    b = box()
    with open(b.services / "web.service", "w") as f:
        f.write("[Service]\n")
        f.flush()
        b.put("other", service(STAYS))
        b.wait_for("other: up")
        f.write("ExecStart=sleep 1000\n")
    b.wait_for("web: up")


def test_an_edit_takes_effect_at_the_next_start(box):
    b = box({"web": service("sleep 1000"), "db": service(STAYS)})
    before = b.wait_state("web", "up")
    db = b.wait_state("db", "up")
    b.put("web", service("sleep 1001", Description="edited"))
    b.do("reload")
    after = b.unit("web")
    assert after["description"] == "edited" and after["main_pid"] == before["main_pid"]
    b.do("restart", "web")
    pid = b.unit("web")["main_pid"]
    b.wait(lambda: (b.proc(pid) / "cmdline").read_text() == "sleep\0001001\0")
    assert b.unit("db")["main_pid"] == db["main_pid"]


def test_reload_waits_until_the_new_set_is_in_force(box):
    b = box({"gone": service(script("trap 'sleep 0.2; exit' TERM; echo gone: ready; while :; do sleep 0.02; done"))})
    b.wait_for("gone: ready")
    (b.services / "gone.service").unlink()
    b.put("new", service(STAYS))
    b.do("reload")
    assert list(b.states()) == ["new"]


def test_sighup_reloads(box):
    b = box({"web": service(STAYS)})
    b.wait_state("web", "up")
    b.put("web", service(STAYS, Description="edited"))
    b.signal(1)
    b.wait_state("web", "up", description="edited")


def test_what_an_operator_stopped_stays_stopped(box):
    b = box({"web": service(STAYS)})
    b.wait_state("web", "up")
    b.do("stop", "web")
    b.do("reload")
    assert b.unit("web")["state"] == "idle" and b.unit("web")["want"] == "down"


def test_a_broken_edit_leaves_the_running_service_alone(box):
    b = box({"web": service(STAYS)})
    pid = b.wait_state("web", "up")["main_pid"]
    b.put("web", "[Service]\nType=simple\n")
    b.do("reload")
    assert b.is_alive(pid)
    assert "there is no ExecStart=" in b.unit("web")["notes"][0]


def test_history_outlives_a_reload(box):
    b = box({"web": service(script("[ -e /mnt/once ] && exec sleep 1000; touch /mnt/once; exit 3"), Restart="always", RestartSec="0")})
    before = b.wait_state("web", "up", generation=2)
    b.put("aaa", service(STAYS))        # its index comes before
    b.do("reload")
    after = b.unit("web")
    assert {k: after[k] for k in ("generation", "restarts", "main_pid", "last_death")} == \
        {k: before[k] for k in ("generation", "restarts", "main_pid", "last_death")}
    assert b.deaths("web")[0]["exit_code"] == 3


# ---- an oomph-load that fails ----

FAKES = {
    "leaves with 1": "exit 1",
    "is killed": "kill -9 $$",
    "writes nothing": "exit 0",
    "writes garbage": "head -c 100000 /dev/urandom >&$2; exit 0",
    "is not there": None,
    "is no program": "\0",
}


@pytest.mark.parametrize("fake", FAKES)
def test_a_failing_loader_keeps_what_is_in_force(box, fake):
    b = box({"web": service(STAYS)}, env={"OOMPH_LIBDIR": "/mnt/lib"},
            before=f"mkdir -p /mnt/lib; cp {OOMPH.parent}/oomph-load /mnt/lib/")
    pid = b.wait_state("web", "up")["main_pid"]
    load = b.folder / "lib/oomph-load"
    load.unlink()
    if FAKES[fake]:
        load.write_text(("#!/bin/sh\n" if fake != "is no program" else "") + FAKES[fake] + "\n")
        load.chmod(0o755)
    b.put("new", service(STAYS))
    r = b.ctl("reload")
    assert r.returncode == 1 and "stay in force" in r.stderr and len(r.stderr.splitlines()) == 1
    b.wait_for("the units could not be loaded")
    assert b.states() == {"web": "up"} and b.unit("web")["main_pid"] == pid
    load.unlink(missing_ok=True)
    load.write_bytes((OOMPH.parent / "oomph-load").read_bytes())
    load.chmod(0o755)
    b.do("reload")
    b.wait_state("new", "up")


def test_a_boot_without_a_loader_still_answers(box):
    b = box({"web": service(STAYS)}, env={"OOMPH_LIBDIR": "/mnt/lib"},
            before="mkdir -p /mnt/lib; printf '#!/bin/sh\\nexit 1\\n' >/mnt/lib/oomph-load; chmod 755 /mnt/lib/oomph-load")
    b.wait_for("the units could not be loaded")
    assert b.json("list") == []
    b.do("exit", "5")
    assert b.leave() == 5


def test_deaths_outlive_their_unit(box):
    b = box({"web": service("sh -c 'exit 3'"), "db": service("sleep 1000")})
    b.wait_state("web", "failed")
    (b.services / "web.service").unlink()
    b.wait(lambda: "web" not in b.states())
    assert [d["exit_code"] for d in b.json("deaths", "web")] == [3]
    assert b.ctl("deaths", "nobody").returncode == 3


def test_asked_again_and_again_while_it_loads(box):
    """Each load is followed by the one that was asked for meanwhile, and somebody waits for the last."""
    b = box({"web": service("sleep 1000")})
    b.wait_state("web", "up")
    for _ in range(5):
        for _ in range(100):
            b.signal(signal.SIGHUP)
        b.wait(lambda: b.ctl("reload").returncode == 0, "an answer to a reload")
    assert b.unit("web")["generation"] == 1
