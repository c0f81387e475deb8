"""The machine itself is out of memory: the kernel chooses by score, and oomph keeps serving."""

LEAK = "[Service]\nExecStart=/usr/bin/hog 4000\n%s"

MACHINE = {
    "mem": 160,
    "units": {
        "db.service": "[Service]\nExecStart=/usr/bin/hog 20\nOOMScoreAdjust=-900\n",
        "web.service": "[Service]\nExecStart=/usr/bin/pause\n",
    },
}


def test_the_leaky_application_dies_and_the_database_lives(vm):
    before = {name: vm.wait_state(name, "up")["main_pid"] for name in ("db", "web", "test-agent")}
    vm.add("app", LEAK % "OOMScoreAdjust=800\nRestart=no\n")
    death = vm.wait_death("app", timeout=60)
    oom = death["oom"]
    assert (death["cause"], death["main"], death["comm"], death["signal"]) == ("oom-kill", True, "hog", 9)
    assert (oom["scope"], oom["constraint"], oom["memcg"]) == ("global", "CONSTRAINT_NONE", None)
    assert oom["task_memcg"] == "/system.slice/app.service"
    assert oom["oom_score_adj"] == 800
    assert set(oom["evidence"]) == {"kmsg", "memory.events"}
    assert oom["anon_rss_kb"] > 40_000
    assert {name: vm.unit(name)["main_pid"] for name in before} == before
    assert [d["unit"] for d in vm.deaths()] == ["app.service"]


def test_it_comes_back_after_each_kill_with_growing_pauses(vm):
    vm.add("again", LEAK % "OOMScoreAdjust=800\n")
    deaths = vm.wait_deaths("again", 3, timeout=90)[:3]
    vm.remove("again")
    assert [d["cause"] for d in deaths] == ["oom-kill"] * 3
    assert [d["generation"] for d in deaths] == [1, 2, 3]
    delays = [d["delay_ms"] for d in deaths]
    assert delays == sorted(delays) and delays[2] > delays[0]


def test_a_worker_of_a_spared_service_is_a_wound(vm):
    """Its main process is as good as unkillable, the child that leaks made itself the first choice."""
    vm.add("pool", "[Service]\nExecStart=/bin/sh -c '(echo 900 >/proc/self/oom_score_adj; exec hog 4000) & exec pause'\n"
                   "OOMScoreAdjust=-900\n")
    pid = vm.wait_state("pool", "up")["main_pid"]
    death = vm.wait_death("pool", timeout=60)
    assert (death["cause"], death["main"], death["oom"]["scope"], death["oom"]["oom_score_adj"]) == ("oom-kill", False, "global", 900)
    assert (vm.unit("pool")["main_pid"], vm.unit("pool")["state"]) == (pid, "up")


def test_pid_1_keeps_answering_while_many_leak_at_once(vm):
    """Forty kills in a row: the kernel leaves the context of most of them out of its log, never the victim."""
    before = len([line for line in vm.check("dmesg").splitlines() if "Killed process" in line])
    for n in range(4):
        vm.put(f"/etc/services.d/leak{n}.service", LEAK % "OOMScoreAdjust=900\nRestartSec=0\nRestart=always\n")
    vm.check("oomphctl reload")
    vm.wait(lambda: sum(vm.unit(f"leak{n}")["oom_kills"] for n in range(4)) >= 12, timeout=120)
    for n in range(4):
        vm.check(f"rm /etc/services.d/leak{n}.service")
    vm.check("oomphctl reload", timeout=60)
    # What oomph told is what the kernel did: nothing invented, nothing missed (what it forgot, the table still shows).
    victims = {int(line.split("Killed process ")[1].split()[0]) for line in vm.check("dmesg").splitlines()[before:]
               if "Killed process" in line}
    told = {d["pid"] for d in vm.deaths() if d["cause"] == "oom-kill"}
    assert told <= victims
    assert {d["cause"] for d in vm.deaths() if d["unit"].startswith("leak")} <= {"oom-kill", "stop"}
    assert vm.unit("db")["state"] == "up" and vm.unit("db")["oom_kills"] == 0
    assert vm.json("oomphctl --json version")[0]["bugs"] == 0
