"""What distributions ship, where a collection of it lies beside the tree: nothing in it is unknown, and all of it loads."""
import pathlib
import subprocess

import pytest

from box import CTL, ROOT

CORPUS = ROOT.parent / "shared/units/corpus"
pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason="there is no collection of units")
SERVICES = sorted(CORPUS.glob("*/*.service"))
STATUSES = ("honoured", "approximated", "not enforced", "ignored", "error")


@pytest.fixture(scope="module")
def told():
    r = subprocess.run([CTL, "verify", *SERVICES], capture_output=True, text=True, timeout=60)
    assert r.stderr == ""
    return r.stdout.splitlines()


def test_every_line_is_told_of(told):
    """No line is left out, and none told twice as honoured."""
    places = {}
    for row in told:
        place, _, rest = row.partition(": ")
        places.setdefault(place, []).append(rest)
    for path in SERVICES:
        section = ""
        lines = path.read_text().splitlines()
        for number, line in enumerate(lines, 1):
            text = line.strip()
            if text.startswith("["):
                section = text
            is_setting = text and text[0] not in "#;[" and "=" in text and not lines[number - 2].endswith("\\") and section
            if is_setting and section in ("[Unit]", "[Service]", "[Install]"):
                assert places.get(f"{path}:{number}"), f"{path}:{number}: {line}"


def test_nothing_in_it_is_unknown(told):
    assert not [row for row in told if "is not a directive" in row or "belongs into" in row or "is not a section" in row]


def test_every_status_is_one_of_five(told):
    for row in told:
        rest = row.split(": ", 1)[1]
        assert rest == "ok" or rest.split(": ")[0] in STATUSES, row


def test_all_of_it_is_read(told):
    """What stays wrong is not in the file: a user of another machine."""
    excused = ("there is no such user", "there is no such group")
    wrong = [row for row in told if ": error: " in row and not any(words in row for words in excused)]
    # SuccessAction= instead of a command: three of systemd's own.
    assert [row for row in wrong if "SuccessAction=" not in pathlib.Path(row.split(":")[0]).read_text()] == []


def test_a_dump_of_any_of_it_says_the_same(tmp_path):
    dump = lambda path: subprocess.run([CTL, "verify", "--dump", path], capture_output=True, text=True).stdout  # noqa: E731
    for path in SERVICES:
        first = dump(path)
        again = tmp_path / path.name
        again.write_text(first)
        assert dump(again).splitlines()[1:] == first.splitlines()[1:], path
