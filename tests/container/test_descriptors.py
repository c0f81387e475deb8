"""Descriptors that are passed: X-NotifyFD=, FDSTORE=1, BARRIER=1, and the pipe that Type=idle waits for."""
import json
import os
from collections import Counter

import pytest

from box import script, service

STAYS = "sleep 1000"


def told(box):
    return json.loads(box.wait(lambda: box.read("told"), "tools/store"))


def given_stored(box, *kinds, **settings):
    """What the second life of a service finds that left these in its first."""
    settings = {"FileDescriptorStoreMax": "4", "NotifyAccess": "main", **settings}
    b = box({"web": service("/mnt/tools/store " + " ".join(kinds), **settings)})
    b.wait_state("web", "up", status_text="through")
    (b.folder / "told").unlink()
    b.do("restart", "web")
    return b, told(b)


# ---- X-NotifyFD= ----

@pytest.mark.parametrize("number", [3, 9, 255])
def test_a_line_in_a_descriptor_says_that_it_is_ready(box, number):
    program = f"/bin/bash -c 'read </mnt/fifo; echo >&{number}; exec {number}>&-; exec sleep 1000'"
    b = box({"web": service(program, **{"X-NotifyFD": str(number)}), "next": service(STAYS, After="web.service")},
            before="mkfifo /mnt/fifo")
    assert b.wait_state("web", "starting", step="not ready yet")["type"] == "notify"
    assert b.unit("next")["state"] == "starting"
    (b.folder / "fifo").write_text("go\n")
    b.wait_state("next", "up")


def test_closing_it_says_nothing(box):
    b = box({"web": service("/bin/bash -c 'exec 3>&-; exec sleep 1000'", TimeoutStartSec="500ms", **{"X-NotifyFD": "3"})})
    assert b.wait_state("web", "failed")["result"] == "timeout"


def test_a_reload_does_not_lose_the_descriptor(box):
    program = "/bin/bash -c 'read </mnt/fifo; echo >&3; exec sleep 1000'"
    b = box({"web": service(program, **{"X-NotifyFD": "3"})}, before="mkfifo /mnt/fifo")
    b.wait_state("web", "starting")
    b.put("another", service(STAYS))
    b.do("reload")
    b.wait_state("another", "up")
    (b.folder / "fifo").write_text("go\n")
    b.wait_state("web", "up")


# ---- FDSTORE=1 ----

def test_what_was_stored_comes_back(box):
    alone = script("test ! -e /proc/self/fd/3")         # a command has no part in them
    b, t = given_stored(box, "memfd", "socket", ExecStartPre=alone, ExecStartPost=alone)
    assert t == {"names": "memfd:socket", "pid": True, "blocking": [True, True], "kinds": ["/memfd", "socket"], "content": "kept"}
    b.inside("kill -9 " + str(b.unit("web")["main_pid"]))
    b.wait_state("web", "failed")
    (b.folder / "told").unlink()
    b.do("start", "web")
    assert told(b)["names"] is None             # it had come to rest: nobody waits for them any more


def test_it_comes_back_as_the_unit_wants_it(box):
    assert given_stored(box, "socket", NonBlocking="yes")[1]["blocking"] == [False]


def test_no_more_is_stored_than_the_unit_allows(box):
    assert given_stored(box, "memfd", "socket", FileDescriptorStoreMax="1")[1]["names"] == "memfd"


def test_what_belongs_to_a_file_system_is_not_stored(box):
    assert given_stored(box, "file", "socket")[1]["names"] == "socket"


def test_what_was_taken_back_does_not_come_back(box):
    assert given_stored(box, "memfd", "socket", "remove")[1]["names"] == "memfd"


def test_a_reload_keeps_what_was_stored(box):
    b = box({"web": service("/mnt/tools/store memfd", FileDescriptorStoreMax="4")})
    b.wait_state("web", "up", status_text="through")
    (b.folder / "told").unlink()
    b.put("another", service(STAYS))
    b.do("reload")
    b.do("restart", "web")
    assert told(b)["content"] == "kept"


def test_nothing_stays_open_behind_a_service(box):
    b = box({"web": service("/mnt/tools/store memfd socket file", FileDescriptorStoreMax="4")})

    def kinds():
        """PID 1's own memory apart: the list of what is stored is made when it is first needed, and stays."""
        links = [os.readlink(f"/proc/{b.pid}/fd/{name}") for name in os.listdir(f"/proc/{b.pid}/fd")]
        return Counter(link for link in links if link != "/memfd:oomph (deleted)")
    before = kinds()
    b.wait_state("web", "up", status_text="through")
    b.do("stop", "web")
    b.wait(lambda: kinds() <= before, "the descriptors to be closed")


# ---- Type=idle ----

def test_idle_begins_when_nothing_is_starting_any_more(box):
    b = box({"getty": service(script("echo getty >>/mnt/out; exec sleep 1000"), Type="idle"),
             "db": service(script("read x </mnt/fifo; echo db >>/mnt/out"), Type="oneshot")}, before="mkfifo /mnt/fifo")
    b.wait_state("getty", "up")
    b.wait_state("db", "starting")
    (b.folder / "fifo").write_text("go\n")
    b.wait(lambda: b.read("out") == "db\ngetty\n", "both")


def test_idle_can_be_stopped_while_it_waits(box):
    b = box({"getty": service(STAYS, Type="idle"), "db": service(STAYS, Type="notify")})
    b.wait_state("getty", "up")
    b.do("stop", "getty")
    assert b.unit("getty")["state"] == "idle"


# ---- actions ----

def test_a_container_may_live_for_one_service(box):
    b = box({"job": service(script("read x </mnt/fifo; exit 7"), FailureAction="exit-force", SuccessAction="poweroff"), "web": service(STAYS)},
            before="mkfifo /mnt/fifo")
    b.wait_state("web", "up")
    (b.folder / "fifo").write_text("go\n")
    assert b.leave() == 7
    assert b.said_in_order("job: failed", "web: stopping")


def test_a_unit_may_be_nothing_but_an_action(box):
    b = box({"off": service(Type="oneshot", SuccessAction="exit-force", After="job.service"), "job": service("true", Type="oneshot")})
    assert b.leave() == 0
    assert b.said_in_order("job: done", "off: done")
