"""What only a machine of its own has: boot, from users and files to services that need them, and rights that no container has."""
import re

MACHINE = {
    "units": {
        "web.service": "[Service]\nExecStart=/bin/sh -c 'echo $$$$ >/run/web/pid; exec sleep 10000'\nUser=web\nGroup=adm\nType=exec\n"
                       "AmbientCapabilities=CAP_NET_BIND_SERVICE\nOOMScoreAdjust=-900\nNice=5\nLimitNOFILE=100:200\n"
                       "CPUSchedulingPolicy=batch\n",
        "own.service": "[Service]\nExecStart=/usr/bin/pause\nDynamicUser=yes\nRuntimeDirectory=own\nStateDirectory=own\n"
                       "SetCredential=key:secret\nMemoryMax=16M\n",
    },
    "files": {
        "/usr/lib/sysusers.d/web.conf": "u web 321 'The web' /srv\ng adm 4\nm web more\n",
        "/usr/lib/tmpfiles.d/web.conf": "d /run/web 0750 web adm\nD /var/spool/web 0700 web -\nf /run/web/motd - - - - hello\\n\nZ /nowhere\n",
        "/etc/tmpfiles.d/bad.conf": "d relative\n",
        "/var/spool/web/old": "of the last boot",
    },
}


def status(vm, pid):
    return dict(line.split(":\t", 1) for line in vm.check(f"cat /proc/{pid}/status").splitlines() if ":\t" in line)


def test_users_and_files_are_there_before_the_first_service(vm):
    """The units were read before there were these users: they are read again, and no start fails in between."""
    u = vm.wait_state("web", "up")
    assert u["generation"] == 1 and vm.deaths("web") == []
    assert vm.check("cat /run/web/pid").strip() == str(u["main_pid"])
    assert vm.check("stat -c '%a %U %G' /run/web /var/spool/web").splitlines() == ["750 web adm", "700 web root"]
    assert vm.check("cat /run/web/motd; ls /var/spool/web") == "hello\n"
    assert "web:x:321:321:The web:/srv:/usr/sbin/nologin" in vm.check("cat /etc/passwd")


def test_a_bad_line_is_on_the_console_and_in_the_way_of_nobody(vm):
    vm.wait_console("oomph-tmpfiles: /etc/tmpfiles.d/bad.conf:1: expected a type and an absolute path: ignored")
    assert vm.unit("oomph-tmpfiles")["state"] == "failed"


def test_rights_and_limits_of_a_machine(vm):
    pid = vm.wait_state("web", "up")["main_pid"]
    s = status(vm, pid)
    assert s["Uid"].split() == ["321"] * 4 and s["Gid"].split() == ["4"] * 4
    assert sorted(s["Groups"].split()) == sorted(["4", vm.check("grep ^more: /etc/group").split(":")[2]])
    assert int(s["CapEff"], 16) == int(s["CapAmb"], 16) == 1 << 10
    assert vm.check(f"cat /proc/{pid}/oom_score_adj").strip() == "-900"
    assert vm.check(f"grep 'open files' /proc/{pid}/limits").split()[3:5] == ["100", "200"]
    stat = vm.check(f"cat /proc/{pid}/stat").rpartition(") ")[2].split()
    assert stat[16] == "5" and stat[38] == "3"          # nice; policy, SCHED_BATCH
    assert vm.unit("web")["warning"] is None


def test_a_life_has_a_random_name_however_early(vm):
    """Before the kernel vouches for its random numbers: once, both halves of all names were of the clock."""
    environment = vm.check(f"tr '\\0' '\\n' </proc/{vm.wait_state('web', 'up')['main_pid']}/environ")
    name = re.search(r"^INVOCATION_ID=(\w{32})$", environment, re.M)[1]
    assert name[:16] != name[16:]


def test_what_a_service_owns_goes_with_it_and_so_does_its_cgroup(vm):
    pid = vm.wait_state("own", "up")["main_pid"]
    uid = status(vm, pid)["Uid"].split()[0]
    assert 61184 <= int(uid) <= 65519
    assert vm.check("stat -c '%u %a' /run/own /var/lib/own /run/credentials/own.service").splitlines() == [
        f"{uid} 755", f"{uid} 755", f"{uid} 500"]
    vm.check("oomphctl stop own")
    assert vm.check("ls -d /run/own /var/lib/own /run/credentials/* /sys/fs/cgroup/system.slice/own.service 2>/dev/null || true"
                    ).split() == ["/var/lib/own"]
    vm.check("oomphctl start own")
    assert vm.wait_state("own", "up")["generation"] == 2


def test_what_is_left_behind_goes_after_an_oom_kill_too(vm):
    vm.add("leak", "[Service]\nExecStart=/usr/bin/hog 64\nRuntimeDirectory=leak\nMemoryMax=16M\nRestart=no\n")
    vm.wait_state("leak", "failed")
    assert vm.deaths("leak")[-1]["cause"] == "oom-kill"
    assert vm.unit("leak")["result"] == "oom-kill"
    vm.check("test ! -e /run/leak")
