"""What the build promises of the binaries (tests/law.sh) holds of the process too."""
import pathlib
import re

from box import service


def mappings(pid):
    """(begin, rights) of each of the program's own, in their order; and the rights of all there are."""
    rows = pathlib.Path(f"/proc/{pid}/maps").read_text().splitlines()
    return ([(int(row.split("-")[0], 16), row.split()[1]) for row in rows if row.endswith("/bin/oomph")],
            [row.split()[1] for row in rows if "[vsyscall]" not in row])


def test_pid_1_can_write_to_nothing_that_it_executes(box):
    own, every = mappings(box({"a": service("sleep 1000")}).pid)
    assert not [rights for rights in every if re.match(r".w[xs]?x", rights)]
    assert [rights for _, rights in own] == ["r-xp", "r--p", "rw-p"]        # RELRO is sealed: the one in the middle


def test_pid_1_lies_somewhere_else_each_time(box):
    first, second = (mappings(box({"a": service("sleep 1000")}).pid)[0][0][0] for _ in range(2))
    assert first != second
