"""What a service or a stranger does must neither hold PID 1 up nor make it spin."""
import contextlib
import os
import pathlib
import signal

import pytest
from box import service, state_of, until


def descriptors(pid):
    """What each is, by number; proc(5). One that is closed meanwhile is none."""
    found = {}
    for fd in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            found[int(fd.name)] = os.readlink(fd)
    return found


def sockets(pid):
    return sum(what.startswith("socket:") for what in descriptors(pid).values())


def launch_pipes(pid):
    """Both ends of the one on which launches report, and one for each that waits for an exec; standard error may be one, too."""
    found = descriptors(pid)
    return [fd for fd, what in found.items() if what.startswith("pipe:") and what != found[2]]


def watched(pid):
    """The descriptors that its epoll reports on."""
    epoll, = [fd for fd, what in descriptors(pid).items() if what == "anon_inode:[eventpoll]"]
    rows = pathlib.Path(f"/proc/{pid}/fdinfo/{epoll}").read_text().splitlines()
    return {int(row.split()[1]) for row in rows if row.startswith("tfd:")}


def test_a_launch_that_hangs_keeps_nobody_elses_watch(box):
    """It has copies of PID 1's descriptors: closing one would not end its watch, and epoll would report it for ever."""
    b = box({"a": service("sleep 1000", Type="exec"), "stuck": service("sleep 1000", Type="exec", StandardInput="file:/mnt/fifo")},
            before="mkfifo /mnt/fifo")
    b.wait_state("a", "up")
    b.do("list")
    until(lambda: len(launch_pipes(b.pid)) == 3, "the exec of the launch that does not hang")
    until(lambda: watched(b.pid) <= set(descriptors(b.pid)), "an end of all watches of what is closed")


# TCP connections that cannot even send their FIN, made to wait for that when they are closed, and their last copies left to PID 1.
LINGERING = """
import array, os, signal, socket, struct
listener = socket.create_server(("127.0.0.1", 0))
senders, silent = [], []
for _ in range(30):
    sender = socket.create_connection(listener.getsockname())
    silent.append(listener.accept())
    sender.setblocking(False)
    try:
        while sender.send(bytes(65536)):
            pass
    except BlockingIOError:
        pass
    sender.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 1000))
    senders.append(sender)
along = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [sender.fileno() for sender in senders]))]
open("/mnt/go").read()
{send}
for sender in senders:
    sender.close()
print("sent", flush=True)
signal.pause()
"""

TO_THE_NOTIFY_SOCKET = """
with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
    notify.connect("/mnt/run/notify")
    notify.sendmsg([b"FDSTORE=1"], along)
"""

WITH_A_REQUEST = """
control = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
control.connect("/mnt/run/control")
control.sendmsg([b"no request"], along)
"""

# That request costs the connection, and what waits there is closed with it.
BEHIND_A_REQUEST = WITH_A_REQUEST.replace("sendmsg([b\"no request\"], along)", "send(b\"no request\")") + """
control.sendmsg([b"another"], along)
"""


@pytest.mark.parametrize("send", [TO_THE_NOTIFY_SOCKET, WITH_A_REQUEST, BEHIND_A_REQUEST], ids=["notify", "request", "unread"])
def test_descriptors_that_hang_in_close(box, send):
    b = box({"stranger": service("python3 /mnt/lingering"),
             "late": service("/mnt/tools/notify READY=1", Type="notify")},
            files={"lingering": LINGERING.replace("{send}", send)}, before="ip link set lo up; mkfifo -m 666 /mnt/go")
    b.wait_state("late", "up")
    b.signal(signal.SIGSTOP)            # so that the last copy is the one on its way to PID 1
    until(lambda: state_of(b.pid) == "T")
    (b.folder / "go").write_text("")
    b.wait_for("sent")
    b.signal(signal.SIGCONT)
    b.do("restart", "late")
    b.wait_state("late", "up", generation=2)
    until(lambda: not b.zombies() and sockets(b.pid) == 2, "nothing to be left but what PID 1 listens on")


# Names its child as the main process, and reaps it.
PARENT = """
import os, signal, socket
child = os.fork()
if child == 0:
    signal.pause()
with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
    notify.connect(os.environ["NOTIFY_SOCKET"])
    notify.send(b"READY=1\\nMAINPID=%d" % child)
os.waitpid(child, 0)
"""


def test_a_main_process_that_another_reaps(box):
    """Its death is never told; machines have to go down all the same."""
    b = box({"web": service("python3 /mnt/parent", Type="notify", Restart="always", RestartSec="0")}, files={"parent": PARENT})
    first = b.wait_state("web", "up")["main_pid"]
    b.inside(f"kill {first}")
    assert b.wait_state("web", "up", generation=2)["main_pid"] != first
    b.do("stop", "web")
    assert b.unit("web")["state"] == "idle"
    b.do("start", "web")
    b.wait_state("web", "up")
    b.signal(signal.SIGTERM)
    assert b.leave() == 0
