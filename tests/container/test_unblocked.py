"""What a service or a stranger does must neither hold PID 1 up nor make it spin."""
import os
import pathlib

from box import service, until


def descriptors(pid):
    """What each is, by number; proc(5)."""
    return {int(fd.name): os.readlink(fd) for fd in pathlib.Path(f"/proc/{pid}/fd").iterdir()}


def reports(pid):
    """The pipes on which launches report; standard error may be one, too."""
    found = descriptors(pid)
    return [fd for fd, what in found.items() if what.startswith("pipe:") and what != found[2]]


def watched(pid):
    """The descriptors that its epoll reports on."""
    epoll, = [fd for fd, what in descriptors(pid).items() if what == "anon_inode:[eventpoll]"]
    rows = pathlib.Path(f"/proc/{pid}/fdinfo/{epoll}").read_text().splitlines()
    return {int(row.split()[1]) for row in rows if row.startswith("tfd:")}


def test_a_launch_that_hangs_keeps_nobody_elses_watch(box):
    """It has copies of PID 1's descriptors: closing one would not end its watch, and epoll would report it for ever."""
    b = box({"a": service("sleep 1000"), "stuck": service("sleep 1000", StandardInput="file:/mnt/fifo")},
            before="mkfifo /mnt/fifo")
    b.wait_state("a", "up")
    b.do("list")
    until(lambda: len(reports(b.pid)) == 1, "the report of the launch that does not hang")
    assert watched(b.pid) <= set(descriptors(b.pid))
