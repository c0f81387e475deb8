"""PID 1 and oomph-log together: what services write, and the logger's end in the middle of it."""
import json
import re

import pytest

from box import script, service, until

STAYS = "exec sleep 1000"
OWN_FOLDERS = "mount -t tmpfs none /var/log; mount -t tmpfs none /run"
LINE = re.compile(r"\S+Z (\d+) (\d+) (\w+)\.(\w+) (.*)$")


@pytest.fixture
def logged(box):
    return lambda units, **more: box(units, **{"log": "files", "before": OWN_FOLDERS, **more})


def kept(b, unit):
    """(generation, pid, stream, priority, text) of each line."""
    text = b.inside(f"cat /var/log/oomph/{unit}.service/current 2>/dev/null || true")
    return [(int(m[1]), int(m[2]), *m.groups()[2:]) for m in map(LINE.match, text.splitlines()) if m]


def test_each_line_is_kept_with_whose_it_is(logged):
    b = logged({"web": service(script(f"echo out; echo '<3>bad' >&2; {STAYS}"), ExecStartPre="echo before")})
    pid = b.wait_state("web", "up")["main_pid"]
    lines = until(lambda: len(kept(b, "web")) == 3 and kept(b, "web"))
    (generation, first, *_), *rest = sorted(lines, key=lambda line: line[1])
    assert generation == 1 and first != pid
    assert sorted(rest) == [(1, pid, "err", "err", "bad"), (1, pid, "out", "info", "out")]
    assert not b.said("before") and not b.said("bad")


def test_a_killed_logger_comes_back_and_nothing_is_lost(logged):
    burst = "n=$((i+200)); while [ $i -lt $n ]; do echo line $i; i=$((i+1)); done; sleep 0.01"
    counts = f"i=0; while [ ! -e /mnt/enough ]; do {burst}; done; echo end; {STAYS}"
    b = logged({"web": service(script(counts), LogRateLimitBurst="0")})
    for generation in range(1, 6):
        logger = b.wait_state("oomph-log", "up", generation=generation)
        n = len(kept(b, "web"))
        until(lambda: len(kept(b, "web")) > n)
        b.inside(f"kill -KILL {logger['main_pid']}")
    (b.folder / "enough").touch()
    until(lambda: any(line[4] == "end" for line in kept(b, "web")))
    texts = [line[4] for line in kept(b, "web") if line[2] == "out"]
    assert texts == [f"line {i}" for i in range(len(texts) - 1)] + ["end"]


def test_the_last_words_before_a_death_are_kept_and_the_death_behind_them(logged):
    b = logged({"web": service(script("echo so far; kill -KILL $$"), Restart="no")})
    b.wait_state("web", "failed")
    out, note = until(lambda: len(kept(b, "web")) == 2 and kept(b, "web"))
    assert out[4] == "so far" and note[2] == "note" and "SIGKILL" in note[4]


def test_to_stdout_each_line_has_its_service_in_front(logged):
    b = logged({"web": service(script(f"echo hello; {STAYS}")), "own": service(script(f"echo mine; {STAYS}"), StandardOutput="inherit")}, log="stdout")
    b.wait_for("web: hello")
    b.wait_for("mine")
    assert "mine" in b.console.splitlines()


def test_at_the_end_the_logger_has_kept_all(logged):
    b = logged({"web": service(script(f"trap 'echo bye; exit' TERM; echo ready; while :; do sleep 0.05; done"))},
               before="mkdir -p /mnt/log; mount --bind /mnt/log /var/log; mount -t tmpfs none /run")
    until(lambda: kept(b, "web"))
    b.do("poweroff")
    assert b.leave() == 0
    assert [line.rsplit(" ", 1)[1] for line in b.read("log/oomph/web.service/current").splitlines() if " out." in line] == ["ready", "bye"]


def test_logs_are_read_by_oomphctl(logged):
    b = logged({"web": service(script(f"echo hello; {STAYS}"))})
    until(lambda: kept(b, "web"))
    line = json.loads(b.inside(f"{b.oomph.parent}/oomphctl --json --socket /mnt/run/control logs web"))
    assert line["unit"] == "web.service" and line["text"] == "hello"
