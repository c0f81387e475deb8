"""Who killed it? Real kills by a real kernel, and what oomph makes of them."""

import datetime

import pytest

from machine import KERNELS  # noqa: F401

PAUSE = "[Service]\nExecStart=/usr/bin/pause\n"
LEAK = "[Service]\nExecStart=/usr/bin/hog 60\nMemoryMax=12M\nRestart=no\n"
# A worker that leaks, and a main process that outlives it: the kernel may not take that one next, while the worker's memory
# is not free yet (MMF_OOM_SKIP in mm/oom_kill.c).
WOUND = """\
[Service]
ExecStart=/bin/sh -c '(echo 0 >/proc/self/oom_score_adj; exec hog 60); exec pause'
OOMScoreAdjust=-1000
MemoryMax=12M
Restart=no
"""
# One that leaks when it is told to, through a FIFO.
ON_WORD = """\
[Service]
ExecStartPre=/bin/mkfifo /tmp/%s
ExecStart=/bin/sh -c 'read x </tmp/%s; exec hog 60'
MemoryMax=12M
Restart=no
"""

# As they stand in the description of the JSON output.
DEATH_KEYS = {"id", "unit", "generation", "pid", "main", "comm", "time", "uptime_ms", "cause", "exit_code", "signal",
              "core_dumped", "oom", "restart", "delay_ms"}
OOM_KEYS = {"scope", "group", "evidence", "constraint", "memcg", "task_memcg", "invoked_by", "total_vm_kb", "anon_rss_kb",
            "file_rss_kb", "shmem_rss_kb", "pgtables_kb", "oom_score_adj", "uid", "kmsg_seq"}

MACHINE = {
    "units": {"bystander.service": PAUSE + "OOMScoreAdjust=-900\n"},
}
SLICE = "/sys/fs/cgroup/system.slice"


@pytest.fixture
def bystander(vm):
    """Lives through everything that the test does to others."""
    before = vm.wait_state("bystander", "up")
    yield before["main_pid"]
    after = vm.unit("bystander")
    assert (after["main_pid"], after["state"], after["oom_kills"]) == (before["main_pid"], "up", 0)


def kill_records(vm):
    """The kernel's own words, for comparison: {pid: line}."""
    lines = [line for line in vm.check("dmesg").splitlines() if "emory: Killed process" in line]
    return {int(line.split("Killed process ")[1].split()[0]): line for line in lines}


# ---- one main process ----

def test_leak_in_a_limited_service_is_an_oom_kill_with_all_that_the_kernel_told(vm, add, bystander):
    add("leak", LEAK + "OOMScoreAdjust=300\n")
    death = vm.wait_death("leak")
    assert DEATH_KEYS <= set(death)
    assert (death["unit"], death["generation"], death["main"], death["comm"]) == ("leak.service", 1, True, "hog")
    assert (death["cause"], death["signal"], death["exit_code"], death["core_dumped"]) == ("oom-kill", 9, None, False)
    oom = death["oom"]
    assert OOM_KEYS <= set(oom)
    assert (oom["scope"], oom["constraint"], oom["group"]) == ("memcg", "CONSTRAINT_MEMCG", False)
    assert oom["memcg"] == oom["task_memcg"] == "/system.slice/leak.service"
    assert set(oom["evidence"]) == {"kmsg", "memory.events"}
    assert (oom["oom_score_adj"], oom["uid"], oom["invoked_by"]) == (300, 0, "hog")
    assert 9000 < oom["anon_rss_kb"] <= 12 * 1024
    line = kill_records(vm)[death["pid"]]
    for key, word in [("total_vm_kb", "total-vm"), ("anon_rss_kb", "anon-rss"), ("file_rss_kb", "file-rss"),
                      ("shmem_rss_kb", "shmem-rss"), ("pgtables_kb", "pgtables")]:
        assert f"{word}:{oom[key]}kB" in line
    record = vm.check(f"cat /dev/kmsg >/tmp/kmsg & until grep '^3,{oom['kmsg_seq']},' /tmp/kmsg; do :; done; kill $!")
    assert f"Killed process {death['pid']} (hog)" in record


def test_time_and_age_of_a_death_are_the_clocks(vm, add):
    before = float(vm.check("cut -d' ' -f1 /proc/uptime"))
    add("mayfly", "[Service]\nExecStart=/bin/sh -c 'sleep 1; exit 3'\n")
    death = vm.wait_death("mayfly")
    now = datetime.datetime.fromtimestamp(float(vm.check("date +%s")), datetime.timezone.utc)
    passed_ms = (float(vm.check("cut -d' ' -f1 /proc/uptime")) - before) * 1000
    time = datetime.datetime.strptime(death["time"], "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=datetime.timezone.utc)
    assert 1000 <= death["uptime_ms"] <= passed_ms
    assert 0 <= (now - time).total_seconds() + 1 <= passed_ms / 1000 + 1
    assert (death["cause"], death["exit_code"], death["signal"], death["oom"]) == ("exit", 3, None, None)


def test_operators_sigkill_is_a_signal_even_while_the_kernel_kills_elsewhere(vm, add):
    add("victim", PAUSE)
    pid = vm.wait_state("victim", "up")["main_pid"]
    add("elsewhere", ON_WORD % ("elsewhere", "elsewhere"))
    vm.wait_state("elsewhere", "up")
    vm.behind_its_back(f"echo >/tmp/elsewhere\nuntil grep -q 'oom_kill 1' {SLICE}/elsewhere.service/memory.events; do :; done\n"
                       f"kill -KILL {pid}")
    death = vm.wait_death("victim")
    assert (death["cause"], death["signal"], death["oom"], death["pid"]) == ("signal", 9, None, pid)
    assert vm.wait_death("elsewhere")["cause"] == "oom-kill"


def test_operators_sigkill_to_main_is_told_from_the_kernels_to_its_worker(vm, add):
    """The same service, the same moment: the count alone could not tell them apart."""
    add("both", "[Service]\nExecStart=/bin/sh -c '(read x </tmp/both; exec hog 60) & exec pause'\nMemoryMax=12M\nRestart=no\n"
                "ExecStartPre=/bin/mkfifo /tmp/both\n")
    pid = vm.wait_state("both", "up")["main_pid"]
    vm.behind_its_back(f"echo >/tmp/both\nuntil grep -q 'oom_kill 1' {SLICE}/both.service/memory.events; do :; done\n"
                       f"kill -KILL {pid}")
    vm.wait_state("both", "failed")
    deaths = {death["main"]: death for death in vm.deaths("both")}
    assert (deaths[False]["cause"], deaths[False]["comm"]) == ("oom-kill", "hog")
    assert (deaths[True]["cause"], deaths[True]["pid"], deaths[True]["oom"]) == ("signal", pid, None)


@pytest.mark.parametrize("signal, cause", [("SEGV", "signal"), ("TERM", "signal"), ("KILL", "signal")])
def test_signals_are_signals(vm, add, signal, cause):
    add("struck", PAUSE)
    vm.check(f"kill -{signal} {vm.wait_state('struck', 'up')['main_pid']}")
    assert (vm.wait_death("struck")["cause"], vm.unit("struck")["oom_kills"]) == (cause, 0)


def test_our_own_kill_after_the_deadline_is_a_stop_and_no_oom(vm, add):
    add("deaf", "[Service]\nExecStart=/bin/sh -c 'trap \"\" TERM; pause & while :; do wait; done'\nTimeoutStopSec=300ms\n")
    vm.wait_state("deaf", "up")
    vm.check("oomphctl stop deaf")
    death = vm.wait_death("deaf")
    assert (death["cause"], death["signal"], death["oom"]) == ("timeout", 9, None)
    assert (vm.unit("deaf")["state"], vm.unit("deaf")["want"]) == ("failed", "down")


def test_thread_whose_leader_has_left_is_found_all_the_same(vm, add):
    """The kernel names the thread that it killed, and the parent reaps the process: two numbers for one death."""
    add("headless", "[Service]\nExecStart=/usr/bin/hog 60 20 thread\nMemoryMax=12M\nRestart=no\n")
    death = vm.wait_death("headless")
    assert death["cause"] == "oom-kill"
    assert set(death["oom"]["evidence"]) == {"kmsg", "memory.events"}
    assert death["oom"]["task_memcg"] == "/system.slice/headless.service"
    assert death["pid"] not in kill_records(vm), "the kernel named the process itself: nothing was tested"


def test_killed_in_a_command_before_the_start(vm, add):
    add("early", "[Service]\nExecStartPre=/usr/bin/hog 60\nExecStart=/usr/bin/pause\nMemoryMax=12M\nRestart=no\n")
    death = vm.wait_death("early")
    assert (death["cause"], death["main"], death["comm"]) == ("oom-kill", False, "hog")
    unit = vm.wait_state("early", "failed")
    assert (unit["result"], unit["oom_kills"]) == ("oom-kill", 1)


# ---- scopes ----

def test_limit_of_the_parent_is_named_as_what_was_reached(vm, add, bystander):
    add("child", ON_WORD % ("child", "child") + "MemoryMax=infinity\nOOMScoreAdjust=900\n")
    vm.wait_state("child", "up")
    # From the root cgroup: while the slice is full, whoever asks from within it may be the next victim.
    vm.check(f"""\
echo $$ >/sys/fs/cgroup/cgroup.procs
echo $(( $(cat {SLICE}/memory.current) + 20000000 )) >{SLICE}/memory.max
echo >/tmp/child
until oomphctl --json deaths child | grep -q oom-kill; do :; done
echo max >{SLICE}/memory.max""", timeout=60)
    death = vm.wait_death("child")
    oom = death["oom"]
    assert (death["cause"], oom["scope"]) == ("oom-kill", "memcg")
    assert (oom["memcg"], oom["task_memcg"]) == ("/system.slice", "/system.slice/child.service")


NEST = """\
own=$(cut -d: -f3 /proc/self/cgroup); cd /sys/fs/cgroup$own
mkdir -p main 'WORKER'; echo $$ >main/cgroup.procs; echo +memory >cgroup.subtree_control
echo 10M >'WORKER/memory.max'
sh -c 'echo $$ >"WORKER/cgroup.procs"; exec hog 60' &
exec pause
"""


@pytest.mark.parametrize("worker", ["worker", "x,task=sshd,pid=1,uid=0", "y) total-vm:1kB, Killed process 1 (init)"])
def test_worker_in_a_cgroup_that_the_service_made_itself(vm, add, worker):
    vm.put("/tmp/nest", "#!/bin/sh\n" + NEST.replace("WORKER", worker), 0o755)
    add("nest", "[Service]\nExecStart=/tmp/nest\nRestart=no\n")
    death = vm.wait_death("nest")
    path = f"/system.slice/nest.service/{worker}"
    assert (death["cause"], death["main"], death["comm"]) == ("oom-kill", False, "hog")
    assert (death["oom"]["task_memcg"], death["oom"]["memcg"]) == (path, path)
    assert vm.unit("nest")["state"] == "up"


def test_service_that_made_cgroups_itself_comes_back(vm, add):
    """Controllers are on for its children, so that the kernel lets no process into its own cgroup any more."""
    vm.put("/tmp/nest", "#!/bin/sh\n" + NEST.replace("WORKER", "worker"), 0o755)
    add("phoenix", "[Service]\nExecStart=/tmp/nest\nRestart=always\nRestartSec=0\n")
    vm.wait_death("phoenix")
    vm.check(f"kill -KILL {vm.wait_state('phoenix', 'up')['main_pid']}")
    vm.wait_generation("phoenix", 2)
    assert [death["cause"] for death in vm.deaths("phoenix") if death["main"]] == ["signal"]


# ---- wounds ----

def test_wound_is_told_and_the_service_goes_on(vm, add, bystander):
    add("wounded", WOUND)
    pid = vm.wait_state("wounded", "up")["main_pid"]
    death = vm.wait_death("wounded")
    assert (death["cause"], death["main"], death["comm"], death["restart"]) == ("oom-kill", False, "hog", False)
    assert death["pid"] != pid
    assert set(death["oom"]["evidence"]) == {"kmsg", "memory.events"}
    after = vm.unit("wounded")
    assert (after["state"], after["main_pid"], after["oom_kills"], after["restarts"]) == ("up", pid, 1, 0)
    assert len(vm.deaths("wounded")) == 1


def test_workers_that_are_gone_when_we_look_are_each_their_services_own(vm, add):
    """Reaped by their parents while we sleep, and the kernel, having printed ten in five seconds, keeps their cgroups to itself."""
    names = ["spender", "left", "right"]
    for name in names:
        add(name, f"[Service]\nExecStartPre=/bin/mkfifo /tmp/{name}\nMemoryMax=12M\nRestart=no\n"
                  f"ExecStart=/bin/sh -c 'while read x </tmp/{name}; do hog 60 & echo $! >/tmp/{name}.pid; wait; done'\n")
        vm.wait_state(name, "up")
    kill = "echo >/tmp/%s; until grep -q 'oom_kill %d' " + SLICE + "/%s.service/memory.events; do :; done\n"
    vm.behind_its_back("".join(kill % ("spender", n + 1, "spender") for n in range(11)) +
                       "".join(kill % (name, 1, name) for name in ("left", "right")))
    for name in ("left", "right"):
        wound = vm.wait_death(name)
        assert (wound["cause"], wound["main"], wound["comm"]) == ("oom-kill", False, "hog")
        assert wound["pid"] == int(vm.check(f"cat /tmp/{name}.pid"))
        assert set(wound["oom"]["evidence"]) == {"kmsg", "memory.events"}


def test_oompolicy_stop_ends_the_service_in_good_order(vm, add):
    add("stopped", WOUND + "OOMPolicy=stop\nExecStop=/bin/touch /tmp/was-stopped\n")
    unit = vm.wait_state("stopped", "failed")
    wound, main = sorted(vm.deaths("stopped"), key=lambda death: death["main"])
    assert (wound["cause"], wound["main"]) == ("oom-kill", False)
    assert (main["signal"], main["oom"]) == (15, None)
    assert unit["result"] == "oom-kill"
    vm.check("test -e /tmp/was-stopped")


def test_oompolicy_kill_takes_the_whole_service_at_one_blow(vm, add, bystander):
    add("group", "[Service]\nExecStart=/usr/bin/hog 60 0 child\nMemoryMax=12M\nOOMPolicy=kill\nRestart=no\n")
    unit = vm.wait_state("group", "failed")
    assert unit["result"] == "oom-kill"
    deaths = vm.deaths("group")
    assert {death["cause"] for death in deaths} == {"oom-kill"}
    assert [death["main"] for death in deaths].count(True) == 1
    # The kernel logs and counts its first victim twice: each process is told once all the same.
    pids = [death["pid"] for death in deaths]
    assert len(set(pids)) == len(pids) == 2
    assert all(death["oom"]["group"] for death in deaths)
    assert unit["oom_kills"] == 2


# ---- respawning ----

def test_oom_kill_is_answered_even_where_the_unit_sets_no_restart(vm, add):
    add("default", "[Service]\nExecStart=/usr/bin/hog 60\nMemoryMax=12M\n")
    death = vm.wait_death("default")
    assert (death["cause"], death["restart"]) == ("oom-kill", True)
    assert 75 <= death["delay_ms"] <= 125
    vm.wait(lambda: vm.unit("default")["generation"] >= 2)


def test_restart_no_means_no(vm, add):
    add("never", LEAK)
    unit = vm.wait_state("never", "failed")
    assert (unit["generation"], unit["restarts"], unit["result"]) == (1, 0, "oom-kill")
    assert vm.wait_death("never")["restart"] is False


def test_any_other_end_is_not_answered_without_restart(vm, add):
    add("plain", PAUSE)
    vm.check(f"kill -KILL {vm.wait_state('plain', 'up')['main_pid']}")
    assert vm.wait_state("plain", "failed")["result"] == "signal"
    assert vm.wait_death("plain")["restart"] is False


def test_backoff_grows_while_it_keeps_dying(vm, add):
    add("again", "[Service]\nExecStart=/usr/bin/hog 60\nMemoryMax=8M\n")
    delays = [death["delay_ms"] for death in vm.wait_deaths("again", 5)[:5]]
    assert all(later > earlier for earlier, later in zip(delays, delays[1:])), delays
    for doubled, delay in enumerate(delays):
        assert 75 << doubled <= delay <= 125 << doubled


def test_backoff_begins_afresh_after_a_healthy_run(vm, add):
    add("healthy", "[Service]\nExecStart=/bin/sh -c 'test -e /tmp/is-well || exit 1; exec pause'\nRestart=on-failure\n")
    sick = vm.wait_deaths("healthy", 4)
    assert sick[3]["delay_ms"] > 2 * sick[0]["delay_ms"]
    vm.check("touch /tmp/is-well")
    well = vm.wait_state("healthy", "up")
    vm.wait(lambda: vm.unit("healthy")["since_ms"] > 10_000)
    vm.check(f"kill -KILL {well['main_pid']}")
    last = vm.wait_deaths("healthy", well["generation"])[-1]
    assert (last["pid"], last["cause"]) == (well["main_pid"], "signal")
    assert 75 <= last["delay_ms"] <= 125


def test_restart_delays_are_respected_to_the_letter_where_the_unit_sets_them(vm, add):
    add("steps", "[Service]\nExecStart=/bin/false\nRestart=always\nRestartSec=200ms\nRestartSteps=2\nRestartMaxDelaySec=800ms\n")
    deaths = vm.wait_deaths("steps", 4)[:4]
    assert [death["delay_ms"] for death in deaths] == [200, 400, 800, 800]


# ---- stopping and dying at one time ----

def test_told_to_stop_while_the_kernel_kills_it(vm, add):
    """Both are news at the same moment, and both hold: the kernel killed it, and it stays down."""
    add("torn", ON_WORD % ("torn", "torn") + "Restart=always\n")
    vm.wait_state("torn", "up")
    # The request stands in the socket once oomphctl waits in poll(2), recvfrom(2) or recvmsg(2) (proc_pid_syscall(5)).
    vm.behind_its_back(f"""\
echo >/tmp/torn
until grep -q 'oom_kill 1' {SLICE}/torn.service/memory.events; do :; done
oomphctl stop torn >/dev/null 2>&1 &
until grep -Eq '^(7|45|47|271) ' /proc/$!/syscall; do :; done""")
    unit = vm.wait_state("torn", "idle", "failed")      # whichever news was taken first
    assert (unit["want"], unit["generation"], unit["main_pid"]) == ("down", 1, None)
    assert [death["cause"] for death in vm.deaths("torn")] == ["oom-kill"]


def test_stop_races_with_a_leak_and_leaves_nothing_behind(vm, add):
    add("race", "[Service]\nExecStart=/usr/bin/hog 60\nMemoryMax=12M\nRestart=always\nRestartSec=0\n")
    for delay_ms in (0, 5, 15, 30, 60):
        vm.check(f"oomphctl start --no-wait race; usleep {delay_ms * 1000}; oomphctl stop race")
        unit = vm.unit("race")
        assert (unit["want"], unit["main_pid"]) == ("down", None)
        assert unit["state"] in ("idle", "failed")      # whoever was first
        assert vm.run(f"test -e {SLICE}/race.service")[0] != 0
    assert {death["cause"] for death in vm.deaths("race")} <= {"oom-kill", "stop"}
    assert vm.json("oomphctl --json version")[0]["bugs"] == 0


def test_stop_is_a_stop_however_close_to_a_respawn_it_comes(vm, add):
    add("blink", "[Service]\nExecStart=/bin/true\nRestart=always\nRestartSec=0\n")
    assert vm.check("""\
for i in $(seq 60); do
	oomphctl start --no-wait blink && usleep $((RANDOM % 30000)) && oomphctl stop blink || exit 1
	oomphctl --json status blink | grep '"state":"idle"' >/dev/null || exit 2
done""", timeout=60) == ""


# ---- lies ----

def test_kernel_words_from_userspace_prove_nothing(vm, add):
    add("slandered", PAUSE)
    pid = vm.wait_state("slandered", "up")["main_pid"]
    line = (f"Memory cgroup out of memory: Killed process {pid} (pause) total-vm:9kB, anon-rss:9kB, file-rss:0kB, "
            "shmem-rss:0kB, UID:0 pgtables:9kB oom_score_adj:0")
    vm.behind_its_back(f"for prefix in '' '<3>' '<0>' '<2051>'; do echo \"$prefix{line}\" >/dev/kmsg; done; kill -KILL {pid}")
    death = vm.wait_death("slandered")
    assert (death["cause"], death["oom"]) == ("signal", None)
    assert vm.unit("slandered")["oom_kills"] == 0


def test_hostile_command_name_is_a_name(vm, add):
    comm = "p) total-vm:1kB"
    vm.check(f"mkdir -p /tmp/bad; cp /usr/bin/hog '/tmp/bad/{comm}'")
    add("hostile", f"[Service]\nExecStart=\"/tmp/bad/{comm}\" 60\nMemoryMax=12M\nRestart=no\n")
    death = vm.wait_death("hostile")
    assert (death["cause"], death["comm"]) == ("oom-kill", comm)
    assert death["oom"]["anon_rss_kb"] > 9000
    assert death["oom"]["total_vm_kb"] > death["oom"]["anon_rss_kb"]


def test_counter_decides_where_the_log_was_overrun(vm, add):
    """The kernel's log is a ring. What it has dropped before we could read it is counted as lost, and told."""
    lost = vm.json("oomphctl --json version")[0]["kmsg_lost"]
    add("drowned", ON_WORD % ("drowned", "drowned"))
    add("spared", PAUSE)
    vm.wait_state("drowned", "up")
    spared = vm.wait_state("spared", "up")["main_pid"]
    vm.check("(oomphctl --json events -f >/tmp/events & echo $! >/tmp/events.pid)")
    vm.behind_its_back(f"""\
echo on >/proc/sys/kernel/printk_devkmsg
echo >/tmp/drowned
until grep -q 'oom_kill 1' {SLICE}/drowned.service/memory.events; do :; done
kill -KILL {spared}
line=$(printf '%0900d' 7)
i=0; while [ $i -lt 400 ]; do echo "$line" >/dev/kmsg; i=$((i + 1)); done
! dmesg | grep -q 'task_memcg=/system.slice/drowned.service'""")
    death = vm.wait_death("drowned")
    assert (death["cause"], death["oom"]["evidence"]) == ("oom-kill", ["memory.events"])
    told = {key: value for key, value in death["oom"].items() if key != "evidence"}
    assert set(told.values()) == {None}
    assert vm.wait_death("spared")["cause"] == "signal"
    assert vm.json("oomphctl --json version")[0]["kmsg_lost"] > lost
    vm.wait(lambda: '"kmsg-lost"' in vm.check("cat /tmp/events"))
    vm.check("kill $(cat /tmp/events.pid)")


def test_the_log_proves_again_after_an_overrun(vm, add):
    add("after", LEAK)
    assert set(vm.wait_death("after")["oom"]["evidence"]) == {"kmsg", "memory.events"}


# ---- words ----

def test_why_tells_the_whole_story(vm, add):
    add("story", "[Service]\nExecStart=/usr/bin/hog 60\nMemoryMax=12M\nRestartSec=30\n")
    death = vm.wait_death("story")
    told = vm.check("oomphctl why story")
    for word in ["story", "OOM killer", f"pid {death['pid']}", "MemoryMax of 12 MB", f"record {death['oom']['kmsg_seq']}",
                 "memory.events", "starts again in"]:
        assert word in told
    for shown in vm.json("oomphctl --json why story") + vm.json("oomphctl --json oom -n 1"):
        assert {key: shown[key] for key in death} == death


def test_nothing_impossible_has_happened(vm):
    assert vm.json("oomphctl --json version")[0]["bugs"] == 0
