"""Bad unit files: one clear line each, and everything else starts."""
import os
import stat

import pytest

from box import OOMPH, script, service

GOOD = service("sleep 1000")
FILE = "/mnt/services/bad.service"


@pytest.mark.parametrize("text, line, words", [
    ("[Service]\nExecStart sleep\n", 2, "ExecStart sleep"),
    ("[Service]\nExecStart=\"sleep 1\n", 2, "a quote is never closed"),
    ("[Service]\nType=simple\n", None, "there is no ExecStart="),
    ("[Service]\nExecStart=a\nExecStart=b\n", None, "only Type=oneshot may have"),
    ("[Service\nExecStart=sleep 1\n", 1, "[Service"),
    ("\n", None, "there is no ExecStart="),
    ("\0\1\2\3", 1, ""),
], ids=["no equals", "open quote", "no ExecStart", "two ExecStart", "open section", "empty", "binary"])
def test_a_bad_unit_is_left_out_with_a_line(box, text, line, words):
    b = box({"bad": text, "good": GOOD})
    b.wait_state("good", "up")
    told = [row for row in b.console.splitlines() if row.startswith(FILE)]
    assert told and all(row.startswith(FILE + ":") for row in told)
    assert any(words in row and (line is None or row.startswith(f"{FILE}:{line}: ")) for row in told)
    u = b.unit("bad")
    assert u["main_pid"] is None and u["state"] in ("idle", "failed")
    assert u["notes"] == told
    assert all(row in b.do("status", "bad") for row in told)
    r = b.ctl("start", "bad")
    assert r.returncode == 1 and "status" in r.stderr and len(r.stderr.splitlines()) == 1


@pytest.mark.parametrize("setting, words", [
    ("Restrat=always", "did you mean Restart=?"),
    ("Restart=allways", "Restart=allways"),
    ("Nice=hello", "Nice=hello"),
    ("OOMScoreAdjust=5000", "OOMScoreAdjust=5000"),
    ("TimeoutStopSec=soon", "TimeoutStopSec=soon"),
    ("After=db.service", "belongs into [Unit]"),
    ("PrivateTmp=yes", "not enforced"),
    ("Slice=x.slice", "not yet"),
])
def test_a_bad_setting_is_ignored_with_a_line(box, setting, words):
    b = box({"bad": f"[Service]\nExecStart=sleep 1000\n{setting}\n"})
    u = b.wait_state("bad", "up")
    row, = [row for row in b.console.splitlines() if row.startswith(FILE)]
    assert words in row
    assert row.startswith(f"{FILE}:3: ") or "(line 3)" in row
    assert u["notes"] == [row]


def test_a_cycle_is_cut_and_all_of_it_starts(box):
    b = box({"a": service("sleep 1000", After="c.service"), "b": service("sleep 1000", After="a.service"),
             "c": service("sleep 1000", After="b.service"), "good": GOOD})
    for unit in ("a", "b", "c", "good"):
        b.wait_state(unit, "up")
    cycle, = [row for row in b.console.splitlines() if "ordering cycle" in row]
    assert ".service:2: ordering cycle: " in cycle and all(f"{unit} after " in cycle for unit in "abc")


def test_the_same_name_in_two_folders(box):
    b = box({"web": service("sleep 1000", Description="the first")}, options=["--services", "/mnt/more"],
            before="mkdir -p /mnt/more; printf '[Service]\\nExecStart=false\\n' >/mnt/more/web.service")
    assert b.wait_state("web", "up")["description"] == "the first"
    assert b.said("/mnt/more/web.service: left out: /mnt/services/web.service has the same name")


@pytest.mark.parametrize("make, words", [
    (lambda path: path.mkdir(), "is a folder, not a unit file"),
    (lambda path: os.mkfifo(path), "is not a regular file"),
    (lambda path: os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 5)), "is not a regular file"),
    (lambda path: path.symlink_to("/nowhere"), "cannot be read"),
    (lambda path: path.symlink_to(path), "cannot be read"),
    (lambda path: path.write_text("#" * ((1 << 20) + 1)), "is larger than"),
], ids=["folder", "fifo", "device", "dangling link", "link to itself", "larger than 1 MiB"])
def test_what_is_no_file_stops_nobody(box, make, words):
    b = box({"good": GOOD})
    make(b.services / "bad.service")
    b.do("reload")
    b.wait_state("good", "up")
    row = b.wait_for(FILE + ": ")
    assert words in row
    assert b.unit("bad")["notes"] == [row]


def test_a_unit_that_may_not_be_read(box):
    """Root reads everything, unless its capabilities are gone, which is the case on many a network file system."""
    b = box({"good": GOOD, "bad": GOOD}, before="chown 12345:12345 /mnt/services/bad.service; chmod 0 /mnt/services/bad.service; "
            "drop='--bounding-set -dac_override,-dac_read_search'; exec setpriv $drop sh -c 'exec setpriv "
            "--bounding-set -sys_resource \"$0\" --services /mnt/services --socket /mnt/run/control' \"$OOMPH\"",
            env={"OOMPH": str(OOMPH)})
    b.wait_state("good", "up")
    assert "permission denied" in b.wait_for(FILE + ": ").lower()


@pytest.mark.parametrize("name", ["no suffix", "web.service~", ".hidden.service", "README", "web.service.bak"])
def test_other_files_are_nobodys_business(box, name):
    b = box({"good": GOOD})
    (b.services / name).write_text("what is this")
    b.do("reload")
    b.wait_state("good", "up")
    assert len(b.json("list")) == 1


def test_no_folder_at_all(box):
    b = box(options=["--services", "/mnt/nowhere"])
    assert "/mnt/nowhere: " in b.wait_for("no units from there")
    assert b.json("list") == []


def test_hundreds_of_units(box):
    b = box({f"u{n}": service("sleep 1000") for n in range(200)} | {"bad": "nonsense"})
    b.wait(lambda: list(b.states().values()).count("up") == 200)


def test_more_units_at_once_than_a_child_may_have_descriptors(box):
    b = box({f"u{n}": service("sleep 1000") for n in range(1500)})
    b.wait(lambda: list(b.states().values()).count("up") == 1500)
    assert b.json("deaths") == []


def test_hundreds_of_units_are_told_in_order(box):
    b = box({f"u{n}": service("sleep 1000") for n in range(200)})
    b.wait(lambda: b.console.count(": up after") == 200)
    for n in range(200):
        assert b.said_in_order(f"u{n}: starting", f"u{n}: up after")


@pytest.mark.parametrize("text", [
    "[Service]\nExecStart=/bin/x" + " a" * 500000, "[Service]\nExecStart=sleep 1000\n" + "A=\n" * 340000,
    "[Unit]\nWants=t@%i0.service t@%i1.service\n[Service]\nExecStart=sleep 1000\n"],
    ids=["a megabyte of words", "hundreds of thousands of keys", "a template that wants more of itself"])
def test_a_hostile_file_costs_the_others_nothing(box, text):
    b = box({"t@": text, "bad@.service": text, "good": service("sleep 1000", Wants="t@.service bad@.service")})
    b.wait_state("good", "up")
    b.do("reload")
    assert b.unit("good")["state"] == "up" and b.unit("good")["generation"] == 1 and b.bugs() == 0


def test_long_lines_and_words(box):
    long = "x" * 30000
    b = box({"bad": service("sleep 1000", Description=long), "web": service(script(f": {long}; exec sleep 1000"))})
    b.wait_state("web", "up")
    b.wait_state("bad", "up")
