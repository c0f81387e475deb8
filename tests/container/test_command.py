"""`oomph -- COMMAND ARGS`: supervises one command and leaves with its status."""
import os
import pathlib
import pty
import signal
import subprocess

import pytest

from box import DEADLINE, NAMESPACES, OOMPH, TOOLS, children, state_of, until


@pytest.fixture(params=["as PID 1", "as a subreaper"])
def place(request):
    return NAMESPACES if request.param == "as PID 1" else []


def run(place, *command, **more):
    return subprocess.run([*place, OOMPH, "--", *command], capture_output=True, text=True, timeout=DEADLINE, **more)


class Supervised:
    """One that is running, once it has said its first line."""

    def __init__(self, place, *command):
        self.process = subprocess.Popen([*place, OOMPH, "--", *command], stdout=subprocess.PIPE, text=True)
        self.first = self.process.stdout.readline()
        self.oomph = children(self.process.pid)[0] if place else self.process.pid

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for pid in children(self.oomph):
            os.kill(pid, signal.SIGKILL)
        self.process.wait(DEADLINE)
        self.process.stdout.close()

    def end(self):
        rest, _ = self.process.communicate(timeout=DEADLINE)
        return self.first + rest, self.process.returncode


# ---- its end is ours ----

@pytest.mark.parametrize("status", [0, 1, 3, 137, 255])
def test_leaves_with_the_commands_status(place, status):
    assert run(place, "sh", "-c", f"exit {status}").returncode == status


@pytest.mark.parametrize("name, status", [("TERM", 143), ("KILL", 137), ("SEGV", 139), ("USR1", 138)])
def test_a_death_by_signal_is_128_and_its_number(place, name, status):
    assert run(place, "sh", "-c", f"ulimit -c 0; kill -{name} $$").returncode == status


@pytest.mark.parametrize("command, status", [
    ("/nowhere/at-all", 127), ("no-such-command", 127), ("/etc/passwd", 126), ("/etc", 126),
])
def test_a_command_that_cannot_run_is_told_as_a_shell_does(place, command, status):
    r = run(place, command)
    assert r.returncode == status
    assert len(r.stderr.splitlines()) >= 1      # and says why


def test_its_orphans_do_not_decide_its_status(place):
    assert run(place, "sh", "-c", "(exit 9) & (exit 8) & exit 5").returncode == 5


# ---- what it is given ----

def test_comes_back_from_a_crash_of_its_own(place):
    r = run(place, "sh", "-c", "kill -SEGV $PPID; until grep -q State:.S /proc/$PPID/status; do :; done; kill -BUS $PPID; exit 7")
    assert r.returncode == 7 and "PID 1 crashed" in r.stderr


def test_passes_stdin_and_stdout_through(place):
    assert run(place, "cat", input="as it is\n").stdout == "as it is\n"


def test_arguments_are_not_expanded(place):
    words = ["$HOME", "%n", "a b", "", "--", "--services", "'\"\\"]
    assert run(place, "printf", "<%s>", *words).stdout == "".join(f"<{w}>" for w in words)


def test_passes_environment_and_working_directory(place, tmp_path):
    r = run(place, "sh", "-c", "echo $MINE in $(pwd -P)", env={**os.environ, "MINE": "a b"}, cwd=tmp_path)
    assert r.stdout == f"a b in {tmp_path.resolve()}\n"


def test_passes_umask_and_limits(place):
    r = run(place, "sh", "-c", "umask; ulimit -n", preexec_fn=lambda: os.umask(0o027))
    limit = subprocess.run(["sh", "-c", "ulimit -n"], capture_output=True, text=True).stdout
    assert r.stdout == "0027\n" + limit


def test_signals_are_as_a_program_expects_them(place):
    status = run(place, "cat", "/proc/self/status").stdout
    masks = dict(line.split(":\t") for line in status.splitlines() if line.startswith(("SigBlk", "SigIgn")))
    assert int(masks["SigBlk"], 16) == 0
    assert int(masks["SigIgn"], 16) & 1 << signal.SIGPIPE - 1 == 0


def test_it_opens_no_control_socket(place, tmp_path):
    socket = tmp_path / "control"
    subprocess.run([*place, OOMPH, "--socket", socket, "--", "true"], check=True, timeout=DEADLINE)
    assert not socket.exists()


def test_a_terminals_interrupt_reaches_the_command():
    ours, theirs = pty.openpty()
    p = subprocess.Popen([*NAMESPACES, "setsid", "--ctty", OOMPH, "--", TOOLS / "catch"], stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    seen = b""
    while b"ready" not in seen:
        seen += os.read(ours, 100)
    os.write(ours, b"\x03")
    assert p.wait(DEADLINE) == signal.SIGINT
    os.close(ours)


# ---- signals ----

@pytest.mark.parametrize("name", ["TERM", "INT", "HUP", "QUIT", "USR1", "USR2", "WINCH", "CONT", "ALRM", "PWR"])
def test_signals_go_on_to_the_command(place, name):
    number = signal.Signals["SIG" + name]
    with Supervised(place, TOOLS / "catch") as s:
        assert s.first == "catch: ready\n"
        os.kill(s.oomph, number)
        said, status = s.end()
    assert said.splitlines()[1:] == [f"catch: got SIG{name}"]
    assert status == number


@pytest.mark.parametrize("name", ["CHLD", "TERM"])
def test_signals_that_whoever_started_us_ignores_do_not_matter(place, name):
    """Ignored signals are inherited, execve(2); an ignored SIGCHLD would reap behind our back."""
    ignore = lambda: signal.signal(signal.Signals["SIG" + name], signal.SIG_IGN)  # noqa: E731
    p = subprocess.run([*place, OOMPH, "--", "sh", "-c", "exit 3"], preexec_fn=ignore, timeout=DEADLINE)
    assert p.returncode == 3


# ---- orphans ----

def test_reaps_orphans_while_the_command_runs(place):
    with Supervised(place, TOOLS / "orphans", "50") as s:
        assert s.first == "orphans: made\n"
        until(lambda: len(children(s.oomph)) == 1, "only the command to be left")
        until(lambda: state_of(children(s.oomph)[0]) == "S", "the command to sleep")
        assert s.process.poll() is None


def test_an_orphan_becomes_ours_not_somebody_elses(place):
    """Also where we are not PID 1: a subreaper, prctl(2)."""
    with Supervised(place, "sh", "-c", "(sleep 1000 & echo orphaned); wait; exec sleep 1000") as s:
        assert s.first == "orphaned\n"
        names = lambda: sorted(pathlib.Path(f"/proc/{pid}/comm").read_text() for pid in children(s.oomph))  # noqa: E731
        until(lambda: names() == ["sleep\n", "sleep\n"], "the command and its orphan")


# ---- its own words ----

@pytest.mark.parametrize("words, status, told", [
    (["--version"], 0, "oomph "), (["--help"], 0, "usage: oomph"), (["--nonsense"], 2, "unknown option: --nonsense"),
])
def test_says_what_it_is(words, status, told):
    r = subprocess.run([OOMPH, *words], capture_output=True, text=True, timeout=DEADLINE)
    assert r.returncode == status
    assert told in r.stdout + r.stderr
