"""The machine itself is out of memory: the kernel chooses by score, and oomph keeps serving."""

LEAK = "[Service]\nExecStart=/usr/bin/hog 4000\n%s"

MACHINE = {
    "mem": 160,
    "cmdline": "log_buf_len=1M",        # so that dmesg still has all that is compared
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


def test_many_leak_at_once_and_every_kill_is_told_once(vm):
    """Twelve kills in a burst: the kernel leaves the context of some out of its log, but never the victim."""
    def victims():
        return {line.split("Killed process ")[1].split()[0] for line in vm.check("dmesg").splitlines() if "Killed process" in line}
    before = victims()
    names = [f"leak{n}" for n in range(4)]
    for name in names:
        vm.put(f"/etc/services.d/{name}.service", "[Unit]\nStartLimitBurst=3\nStartLimitIntervalSec=1h\n"
               + LEAK % "OOMScoreAdjust=900\nRestart=always\nRestartSec=0\n")
    vm.check("oomphctl reload")
    for name in names:
        unit = vm.wait_state(name, "failed", timeout=120)
        assert (unit["result"], unit["generation"], unit["oom_kills"]) == ("start-limit-hit", 3, 3)
    told = [str(death["pid"]) for death in vm.deaths() if death["unit"][:-len(".service")] in names]
    assert len(told) == 12
    assert set(told) == victims() - before
    assert (vm.unit("db")["state"], vm.unit("db")["oom_kills"]) == ("up", 0)
    assert vm.json("oomphctl --json version")[0]["bugs"] == 0
