"""What hostile services and users try. Which attacks there are, and where the other tests of them stand, SECURITY.md tells."""
import pathlib
import socket

import pytest

from box import service

STAYS = "sleep 1000"
NOBODY = "setpriv --reuid=65534 --regid=65534 --clear-groups"
ROOT_WITHOUT_CAPABILITIES = "setpriv --bounding-set=-all --inh-caps=-all"


LOOKS = """
import os, sys
for name in ("environ", "maps", "fd/0", "root/etc"):
    for pid in ("self", "1"):
        try:
            os.close(os.open(f"/proc/{pid}/{name}", os.O_RDONLY))
            print(pid, end=" ")
        except PermissionError:
            pass
"""


@pytest.mark.parametrize("who", [NOBODY, ROOT_WITHOUT_CAPABILITIES], ids=["user", "root"])
def test_nobody_looks_into_pid_1(box, who):
    """The kernel wants its rights of whoever does: ptrace(2), access mode checking."""
    b = box({"web": service(STAYS)}, files={"looks": LOOKS})
    assert b.inside(f"{who} /usr/bin/python3 /mnt/looks").split() == ["self"] * 4


def test_a_service_cannot_name_anothers_process_as_its_own(box):
    """Whoever is its main process is what it is stopped with."""
    b = box({"db": service(STAYS)})
    pid = b.wait_state("db", "up")["main_pid"]
    b.put("web", service(f"/mnt/tools/notify MAINPID={pid} READY=1", Type="notify", NotifyAccess="all"))
    b.do("reload")
    assert b.wait_state("web", "up")["main_pid"] != pid
    b.do("stop", "web")
    assert b.unit("db")["main_pid"] == pid


@pytest.mark.parametrize("mask", ["000", "077"])
def test_the_sockets_have_their_permissions_whatever_the_umask(box, mask):
    b = box({"web": service(STAYS)}, before=f"umask {mask}; cp /etc/group /mnt/group; sed -i /^oomph:/d /mnt/group; mount --bind /mnt/group /etc/group")
    assert [oct(pathlib.Path(b.folder, "run", name).stat().st_mode & 0o777) for name in ("control", "notify")] == ["0o600", "0o777"]


@pytest.mark.parametrize("name", ["../web", "a/../web", "/mnt/services/web", "web/", "..", "./web"])
def test_a_name_is_no_path(box, name):
    b = box({"web": service(STAYS)})
    b.wait_state("web", "up")
    for verb in ("status", "stop", "start"):
        assert b.ctl(verb, name).returncode in (2, 3)
    assert b.unit("web")["state"] == "up"


SAYS = """
import os, signal, socket
with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
    s.connect(os.environ["NOTIFY_SOCKET"])
    s.send(b"READY=1\\nSTATUS=bad \\x1b]0;title\\x07 status")
signal.pause()
"""


def test_what_services_say_moves_no_cursor(box):
    b = box({"web": service("python3 /mnt/says", Type="notify", Description="bad \033[2J description")}, files={"says": SAYS})
    b.wait_state("web", "up")
    for said in (b.do("list"), b.do("status", "web"), b.do("--json", "status", "web")):
        assert "\033" not in said and "\007" not in said and "bad" in said


def test_a_stranger_who_floods_the_notify_socket_keeps_nobody_from_being_ready(box):
    b = box({"web": service("/mnt/tools/notify READY=1", Type="notify")})
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.setblocking(False)
        s.connect(str(b.folder / "run/notify"))

        def flood():
            try:
                for _ in range(1000):
                    s.send(b"READY=1\nSTOPPING=1\nMAINPID=1\nSTATUS=" + b"x" * 4000)
            except BlockingIOError:
                pass
            return b.unit("web")["state"] == "up" and b.unit("web")["generation"] == 3
        b.wait_state("web", "up")
        for generation in (2, 3):
            flood()
            b.do("restart", "web")
        b.wait(flood, "it to be ready in between")
    assert not b.deaths("web") or all(death["cause"] == "stop" for death in b.deaths("web"))
