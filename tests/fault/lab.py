"""A life where the kernel's log, its tracepoints and a memory controller are to be had: in a virtual machine, beside the oomph that
is its PID 1, with cgroups, units and a socket of its own. Many lives in one boot, one after the other."""
import ctypes
import json
import pathlib
import sys
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "vm"))

from board import OOMPH, ROOT, Board, CBoard, read_sites  # noqa: E402
from machine import Machine  # noqa: E402

ACTOR = ROOT / "build/fault/actor"

# One is killed by somebody, one and a worker of one by the kernel: within its own limit, so that the machine goes on.
UNITS = {
    "lab-simple": "[Service]\nExecStart=/lab/actor lab-simple\nRestart=always\nRestartSec=100ms\n",
    "lab-hog": "[Service]\nExecStart=/bin/sh -c 'read x </lab/hog; exec hog 40'\nMemoryMax=8M\nRestart=always\nRestartSec=100ms\n",
    "lab-worker": "[Service]\nExecStart=/bin/sh -c 'read x </lab/worker; hog 40 & wait; exec sleep 1000'\nMemoryMax=8M\nOOMPolicy=continue\n"
                  "Restart=always\nRestartSec=100ms\n",
}

LIFE = """\
#!/bin/sh
cd /lab
board=$1
rm -rf run locks /mnt/locks /mnt/doubled
mkdir -p run /mnt/locks
rm -f hog worker; mkfifo hog worker
ctl() { timeout 10 oomphctl --socket /lab/run/control "$@"; }
await() { n=0; until eval "$1"; do n=$((n+1)); [ $n -lt ${2:-150} ] && kill -0 $pid 2>/dev/null || { echo "wrong $1"; break; }; sleep 0.1; done; }
are_up() { [ $(ctl --json list 2>/dev/null | grep -c '"state":"up"') = 3 ]; }
pid_of() { ctl --json status $1 | sed 's/.*"main_pid":\\([0-9]*\\).*/\\1/'; }
FAULT=$board OOMPH_LIBDIR=/usr/lib/oomph ./oomph --vm --log=none --services /lab/services --socket /lab/run/control >console 2>&1 &
pid=$!
await are_up
kill -9 $(pid_of lab-simple)
echo >hog
echo >worker
await '[ $(ctl --json deaths 2>/dev/null | wc -l) -ge 3 ]' 40 | grep -v deaths       # a limit that could not be had kills nobody
await are_up
sleep 0.3
ctl --json list
ctl --json deaths
ctl --json version
ctl oom >/dev/null
[ ! -e /mnt/doubled ] || echo "wrong doubled $(cat /mnt/doubled)"
kill -0 $pid 2>/dev/null || echo "wrong dead"
await 'ctl poweroff >/dev/null 2>&1; ! kill -0 $pid 2>/dev/null'
wait $pid || echo "wrong status $?"
sed 's/^/console /' console
"""


class Lab(Machine):
    name = "fault"
    mem = 256

    def __init__(self):
        super().__init__(files={
            "/lab/oomph": OOMPH, "/lab/actor": ACTOR, "/lab/live": LIFE,
            "/lab/board": bytes(ctypes.sizeof(CBoard)).decode(),
            **{f"/lab/services/{name}.service": text for name, text in UNITS.items()},
        })

    def live(self, *orders):
        """(what was wrong, what it came to, the console's lines, sites, how many calls failed)"""
        self.put("/lab/orders", b"".join(bytes(o) for o in Board.written(orders)))
        out = self.check("cd /lab; cat board >now; dd if=orders of=now conv=notrunc 2>/dev/null; sh live /lab/now 2>&1", timeout=90)
        raw = self.run("gzip -c /lab/now", text=False)[1]
        board = CBoard.from_buffer_copy(zlib.decompress(raw, 31))
        lines = out.splitlines()
        wrong = [line[6:] for line in lines if line.startswith("wrong ")]
        found = [json.loads(line) for line in lines if line.startswith("{")]
        console = "\n".join(line[8:] for line in lines if line.startswith("console "))
        return "; ".join(wrong) or self.judge(found), self.final(found), console, read_sites(board), sum(o.n_failed for o in board.orders)

    @staticmethod
    def judge(found):
        """Nobody is accused without evidence, and nobody is missing."""
        units = {u["unit"]: u for u in found if "restarts" in u}
        if {u["state"] for u in units.values()} != {"up"} or len(units) != len(UNITS):
            return f"not up: {units}"
        for death in (d for d in found if "cause" in d):
            by_kernel = death["unit"] != "lab-simple.service"
            if death["cause"] == "oom-kill" and not by_kernel:
                return f"accused: {death}"
            if by_kernel and death["cause"] == "signal" and not death["oom_possible"]:
                return f"acquitted: {death}"
        if found[-1].get("bugs"):
            return f"bugs: {found[-1]}"
        return ""

    @staticmethod
    def final(found):
        """To be compared: who died of what, by whose hand, and on which evidence."""
        return {d["unit"]: (d["main"], d["cause"], d["oom"] and d["oom"]["evidence"], d["sender"] is not None) for d in found if "cause" in d}
