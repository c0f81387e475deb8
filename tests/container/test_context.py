"""systemd.exec(5): as whom a service runs, with which rights and limits. What systemd 252 was measured to do."""
import json

import pytest

from box import script, service

STAYS = "sleep 1000"
NET_BIND_SERVICE, NET_RAW = 1 << 10, 1 << 13
DAEMON = {"User": "daemon"}


def tell(name):
    return f"/mnt/tools/tell --in=/mnt/{name} --once"


def told(box, name="told"):
    return json.loads(box.wait(lambda: box.read(name), f"tools/tell in {name}"))


def started(box, **settings):
    return told(box({"web": service("/mnt/tools/tell", **settings)}))


def failed_at(box, **settings):
    """The step that ends a start."""
    b = box({"web": service(STAYS, Type="exec", **settings)})
    b.wait_state("web", "failed")
    return b.deaths("web")[-1]["step"]


# ---- user and groups ----

def test_a_user_has_his_groups_his_environment_and_no_capabilities(box):
    t = started(box, **DAEMON)
    assert (t["uid"], t["gid"], t["groups"]) == (1, 1, [1])
    assert {k: t["env"].get(k) for k in ("HOME", "USER", "LOGNAME", "SHELL")} == {
        "HOME": "/usr/sbin", "USER": "daemon", "LOGNAME": "daemon", "SHELL": None}
    assert t["CapEff"] == t["CapPrm"] == 0


def test_supplementary_groups_come_to_those_of_the_user(box):
    assert started(box, **DAEMON, SupplementaryGroups="adm 12")["groups"] == [1, 4, 12]


def test_supplementary_groups_without_a_user(box):
    t = started(box, SupplementaryGroups="adm")
    assert t["uid"] == 0 and t["groups"] == [4]


def test_a_group_takes_the_place_of_the_users_own(box):
    t = started(box, **DAEMON, Group="adm")
    assert (t["gid"], t["groups"]) == (4, [4])


def test_a_number_is_a_user_too(box):
    t = started(box, User="4321", Group="1234")
    assert (t["uid"], t["gid"], t["groups"]) == (4321, 1234, [])


@pytest.mark.parametrize("prefix, uid, effective", [("", 1, False), ("+", 0, True), ("!", 0, True), ("!!", 1, False)])
def test_a_prefix_keeps_root_but_not_its_environment(box, prefix, uid, effective):
    b = box({"web": service(STAYS, **DAEMON, ExecStartPre=prefix + tell("pre"))})
    b.wait_state("web", "up")
    t = told(b, "pre")
    assert (t["uid"], t["gid"], t["env"]["USER"], t["env"]["HOME"]) == (uid, uid, "daemon", "/usr/sbin")
    assert (t["CapEff"] != 0) == effective


def test_permissions_start_only_leaves_the_rest_to_root(box):
    b = box({"web": service("/mnt/tools/tell", **DAEMON, PermissionsStartOnly="yes", ExecStartPre=tell("pre"))})
    assert (told(b, "pre")["uid"], told(b)["uid"]) == (0, 1)


@pytest.mark.parametrize("settings, step", [
    ({"User": "no-such-user"}, "User="), ({"Group": "no-such-group"}, "Group="),
    ({"SupplementaryGroups": "no-such-group"}, "Group="), ({"WorkingDirectory": "/nowhere"}, "WorkingDirectory="),
], ids=lambda v: None if isinstance(v, str) else next(iter(v)))
def test_who_or_where_is_not_there_fails_the_start(box, settings, step):
    assert failed_at(box, **settings) == step


# ---- capabilities ----

def test_ambient_capabilities_outlive_the_change_of_user(box):
    t = started(box, **DAEMON, AmbientCapabilities="CAP_NET_BIND_SERVICE", NoNewPrivileges="yes")
    assert t["CapEff"] == t["CapPrm"] == t["CapAmb"] == NET_BIND_SERVICE
    assert t["NoNewPrivs"] == "1"


@pytest.mark.skipif(int(open("/proc/sys/net/ipv4/ip_unprivileged_port_start").read()) <= 81, reason="no port is low here")
def test_a_low_port_wants_no_root(box):
    bind = ("import socket; s = socket.socket(); s.bind(('127.0.0.1', 81)); "
            "open('/mnt/bound', 'w').write(str(__import__('os').getuid())); __import__('signal').pause()")
    b = box({"web": service(f'python3 -c "{bind}"', **DAEMON, AmbientCapabilities="CAP_NET_BIND_SERVICE"),
             "not": service(f'python3 -c "{bind}"', **DAEMON)})
    b.wait(lambda: b.read("bound") == "1")
    b.wait_state("not", "failed")


def test_a_bounding_set_binds_root_but_not_a_privileged_command(box):
    b = box({"web": service("/mnt/tools/tell", CapabilityBoundingSet="CAP_NET_BIND_SERVICE", ExecStartPost="+" + tell("post"))})
    t, post = told(b), told(b, "post")
    assert t["CapEff"] == t["CapBnd"] == NET_BIND_SERVICE
    assert post["CapBnd"] == post["CapEff"] != NET_BIND_SERVICE and post["CapBnd"] & NET_RAW


def test_an_empty_bounding_set_leaves_nothing(box):
    t = started(box, CapabilityBoundingSet="")
    assert t["CapEff"] == t["CapBnd"] == 0 and t["uid"] == 0


def test_a_bang_keeps_the_user_and_not_the_capabilities(box):
    b = box({"web": service(STAYS, **DAEMON, CapabilityBoundingSet="CAP_NET_RAW", ExecStartPre="!" + tell("pre"))})
    b.wait_state("web", "up")
    t = told(b, "pre")
    assert (t["uid"], t["CapBnd"], t["CapEff"]) == (0, NET_RAW, NET_RAW)


def test_secure_bits(box):
    b = box({"web": service("setpriv --dump", Type="oneshot", SecureBits="noroot keep-caps-locked", StandardOutput="truncate:/mnt/out")})
    b.wait_state("web", "done")
    line = next(line for line in b.read("out").splitlines() if line.startswith("Securebits:"))
    assert "noroot" in line and "keep_caps_locked" in line


# ---- limits ----

@pytest.mark.parametrize("setting, name, value", [
    ("LimitNOFILE=100:200", "NOFILE", [100, 200]), ("LimitCPU=1234ms", "CPU", [2, 2]), ("LimitFSIZE=1M", "FSIZE", [1 << 20] * 2),
    ("LimitDATA=512M:1G", "DATA", [1 << 29, 1 << 30]), ("LimitSTACK=4M", "STACK", [1 << 22] * 2), ("LimitRSS=1G", "RSS", [1 << 30] * 2),
    ("LimitAS=4G", "AS", [1 << 32] * 2), ("LimitMEMLOCK=64K", "MEMLOCK", [1 << 16] * 2), ("LimitSIGPENDING=99", "SIGPENDING", [99] * 2),
    ("LimitMSGQUEUE=4K", "MSGQUEUE", [4096] * 2), ("LimitNICE=+0", "NICE", None), ("LimitRTTIME=2345ms", "RTTIME", [2345000] * 2),
    ("LimitNPROC=77", "NPROC", [77] * 2), ("LimitCORE=0", "CORE", [0] * 2),
], ids=lambda v: v if isinstance(v, str) and "=" in v else "")
def test_limit(box, setting, name, value):
    """Without CAP_SYS_RESOURCE nothing is raised: LimitNICE=+0 asks for 20, and gets no more than there was."""
    key, _, text = setting.partition("=")
    limits = started(box, **{key: text})["limits"]
    if value:
        assert limits[name] == value
    else:
        assert limits[name][0] <= 20


def test_limits_are_not_for_a_privileged_command(box):
    b = box({"web": service("/mnt/tools/tell", LimitNOFILE="100:200", ExecStartPre="+" + tell("pre"))})
    assert (told(b, "pre")["nofile"][0], told(b)["nofile"]) == (1024, [100, 200])


# ---- environment ----

def test_the_order_of_the_environment(box):
    """The manager's, then PassEnvironment=, Environment=, EnvironmentFile=, and UnsetEnvironment= last (row 120 of those measured)."""
    b = box({"web": service("/mnt/tools/tell", **DAEMON, EnvironmentFile="/mnt/env", PassEnvironment="HOME A B C D",
                            Environment=["A=unit", "B=unit", "U=unit", "V=unit", "PATH=/opt"], UnsetEnvironment="U V=other C")},
            files={"env": "B=file\n"}, env={"HOME": "/of/pid1", "A": "pid1", "C": "pid1", "D": "pid1"})
    env = told(b)["env"]
    assert {k: env.get(k) for k in ("HOME", "A", "B", "C", "D", "U", "V", "PATH", "USER")} == {
        "HOME": "/of/pid1", "A": "unit", "B": "file", "C": None, "D": "pid1", "U": None, "V": "unit", "PATH": "/opt",
        "USER": "daemon"}


def test_commands_of_a_generation_share_its_invocation(box):
    b = box({"web": service("/mnt/tools/tell", ExecStartPre=tell("pre"))})
    first = told(b)["env"]["INVOCATION_ID"]
    assert told(b, "pre")["env"]["INVOCATION_ID"] == first
    (b.folder / "told").unlink()
    b.do("restart", "web")
    assert told(b)["env"]["INVOCATION_ID"] != first


def test_programs_are_searched_for_where_the_unit_says(box):
    b = box({"web": service("hello", Type="oneshot", ExecSearchPath="/nowhere:/mnt/bin", StandardOutput="truncate:/mnt/out"),
             "not": service("hello", Type="oneshot", Environment="PATH=/mnt/bin")},
            before="mkdir -p /mnt/bin; printf '#!/bin/sh\\necho $PATH\\n' >/mnt/bin/hello; chmod +x /mnt/bin/hello")
    b.wait_state("web", "done")
    assert b.read("out") == "/nowhere:/mnt/bin\n"
    b.wait_state("not", "failed")
    assert b.deaths("not")[-1]["step"] == "exec"


@pytest.mark.parametrize("setting, is_ignored", [({}, True), ({"IgnoreSIGPIPE": "no"}, False)], ids=["unset", "no"])
def test_sigpipe(box, setting, is_ignored):
    b = box({"web": service(script("grep SigIgn /proc/self/status"), Type="oneshot", StandardOutput="truncate:/mnt/out", **setting)})
    b.wait_state("web", "done")
    assert bool(int(b.read("out").split()[1], 16) >> 12 & 1) == is_ignored


# What the kernel calls it: KEYCTL_GET_KEYRING_ID of linux/keyctl.h, KEY_SPEC_SESSION_KEYRING.
KEYRING = """python3 -c 'import ctypes; print(ctypes.CDLL(None).syscall(250, 0, -3, 0))'"""


@pytest.mark.parametrize("setting, is_own", [({}, True), ({"KeyringMode": "private"}, True), ({"KeyringMode": "inherit"}, False)])
def test_services_share_no_session_keyring(box, setting, is_own):
    b = box({name: service(KEYRING, Type="oneshot", StandardOutput=f"truncate:/mnt/{name}", **setting) for name in ("one", "other")})
    b.wait_state("one", "done")
    b.wait_state("other", "done")
    assert (b.read("one") != b.read("other")) == is_own


# ---- folders of its own ----

FRESH = "; ".join(f"mount -t tmpfs none {base}" for base in ("/run", "/var/lib", "/var/cache", "/var/log"))
LOOK = "stat -c '%a %U %G %n' "


def test_folders_are_made_told_and_owned(box):
    b = box({"web": service("/mnt/tools/tell", **DAEMON, RuntimeDirectory="rr a/b", StateDirectory="ss", CacheDirectory="cc:alias",
                            LogsDirectory="ll", RuntimeDirectoryMode="2750", StateDirectoryMode="0700", UMask="0077")}, before=FRESH)
    env = told(b)["env"]
    assert {k: v for k, v in env.items() if k.endswith("_DIRECTORY")} == {
        "RUNTIME_DIRECTORY": "/run/a/b:/run/rr", "STATE_DIRECTORY": "/var/lib/ss", "CACHE_DIRECTORY": "/var/cache/cc",
        "LOGS_DIRECTORY": "/var/log/ll"}
    assert b.inside(LOOK + "/run/rr /run/a /run/a/b /var/lib/ss /var/cache/cc /var/cache/alias/. /var/log/ll").splitlines() == [
        "2750 daemon daemon /run/rr", "755 root root /run/a", "2750 daemon daemon /run/a/b", "700 daemon daemon /var/lib/ss",
        "755 daemon daemon /var/cache/cc", "755 daemon daemon /var/cache/alias/.", "755 daemon daemon /var/log/ll"]


def test_a_runtime_directory_goes_with_its_service(box):
    fill = script("mkdir -p $RUNTIME_DIRECTORY/deep/er; touch $RUNTIME_DIRECTORY/deep/er/file $STATE_DIRECTORY/kept; "
                  "ln -s /var/lib/ss $RUNTIME_DIRECTORY/link; exec sleep 1000")
    b = box({"web": service(fill, Type="exec", RuntimeDirectory="rr", StateDirectory="ss", ExecStop="test -e /run/rr")}, before=FRESH)
    b.wait(lambda: b.inside("test -e /run/rr/link && echo yes || true"))
    b.do("stop", "web")
    assert b.inside("ls -d /run/rr 2>&1 || ls /var/lib/ss").splitlines()[1:] == ["kept"]
    assert b.unit("web")["state"] == "idle" and b.unit("web")["result"] == "success"


@pytest.mark.parametrize("preserve, after_restart, after_stop", [("no", False, False), ("restart", True, False), ("yes", True, True)])
def test_runtime_directory_preserve(box, preserve, after_restart, after_stop):
    b = box({"web": service(script("test ! -e /run/rr/left || touch /mnt/found; touch /run/rr/left /mnt/began; exec sleep 1000"),
                            Type="exec", RuntimeDirectory="rr", RuntimeDirectoryPreserve=preserve)}, before=FRESH)

    def begun():
        b.wait(lambda: (b.folder / "began").exists())
        (b.folder / "began").unlink()
    begun()
    b.do("restart", "web")
    begun()
    assert (b.folder / "found").exists() == after_restart
    b.do("stop", "web")
    assert ("rr" in b.inside("ls /run").split()) == after_stop


def test_what_is_mounted_in_a_runtime_directory_is_left_alone(box):
    b = box({"web": service(STAYS, RuntimeDirectory="rr")},
            before=FRESH + "; mkdir -p /run/rr/mount /mnt/precious; touch /mnt/precious/file; mount --bind /mnt/precious /run/rr/mount")
    b.wait_state("web", "up")
    b.do("stop", "web")
    assert (b.folder / "precious/file").exists()
    assert "RuntimeDirectory=" in b.unit("web")["warning"]


def test_an_older_state_directory_changes_hands_with_all_that_is_in_it(box):
    b = box({"web": service(STAYS, **DAEMON, Type="exec", StateDirectory="ss")},
            before=FRESH + "; mkdir -p /var/lib/ss/in; touch /var/lib/ss/in/file /run/outside; ln -s /run/outside /var/lib/ss/link")
    b.wait_state("web", "up")
    assert b.inside("stat -c %U /var/lib/ss /var/lib/ss/in /var/lib/ss/in/file /var/lib/ss/link /run/outside").split() == [
        "daemon"] * 4 + ["root"]


def test_a_service_cannot_lead_us_out_of_its_folder(box):
    b = box({"web": service(script("rm -r /run/a/b; ln -s /run/precious /run/a/b; exec sleep 1000"), **DAEMON, Type="exec",
                            RuntimeDirectory="a a/b a/b/c", RuntimeDirectoryPreserve="yes")},
            before=FRESH + "; mkdir -p /run/precious /run/by/root; ln -s /run/by/root /var/lib/link")
    b.wait(lambda: b.inside("test -L /run/a/b && echo yes || true"))
    b.ctl("restart", "web")
    b.wait_state("web", "failed", "backoff")
    assert b.deaths("web")[-1]["step"] == "RuntimeDirectory="
    assert b.inside("stat -c %U /run/precious; ls /run/precious").split() == ["root"]


def test_a_link_in_a_folder_of_the_services_is_nobodys(box):
    """That it is root's proves nothing there: it could be moved, or linked, to this place."""
    b = box({"web": service(STAYS, **DAEMON, Type="exec", RuntimeDirectory="a a/b")},
            before=FRESH + "; mkdir -p /run/precious /run/a; ln -s /run/precious /run/a/b; chown daemon: /run/a")
    b.wait_state("web", "failed", "backoff")
    assert b.inside("stat -c %U /run/precious").split() == ["root"]


def test_a_service_cannot_have_anothers_folder_removed(box):
    b = box({"deep": service(STAYS, Type="exec", RuntimeDirectory="a/b/c"),
             "web": service(script("mv /run/a/b /run/a/old; ln -s /run/precious /run/a/b; exec sleep 1000"), **DAEMON, Type="exec",
                            After="deep.service", RuntimeDirectory="a")},
            before=FRESH + "; mkdir -p /run/precious/c")
    b.wait(lambda: b.inside("test -L /run/a/b && echo yes || true"))
    b.do("stop", "deep")
    assert b.inside("ls /run/precious").split() == ["c"]


def test_a_link_that_root_has_made_is_followed(box):
    b = box({"web": service(STAYS, **DAEMON, Type="exec", StateDirectory="link/inner link")},
            before=FRESH + "; mkdir -p /run/by/root; ln -s /run/by/root /var/lib/link")
    b.wait_state("web", "up")
    assert b.inside("stat -c %U /run/by/root /run/by/root/inner").split() == ["daemon"] * 2


def test_a_folder_that_cannot_be_had_fails_the_start(box):
    b = box({"web": service(STAYS, Type="exec", StateDirectory="ss")}, before=FRESH + "; touch /var/lib/ss")
    b.wait_state("web", "failed")
    assert b.deaths("web")[-1]["step"] == "StateDirectory="


def test_output_may_go_into_a_logs_directory(box):
    b = box({"web": service("echo hello", Type="oneshot", LogsDirectory="ll", StandardOutput="append:/var/log/ll/out")}, before=FRESH)
    b.wait_state("web", "done")
    assert b.inside("cat /var/log/ll/out") == "hello\n"


# ---- a user and secrets of its own ----

def test_a_dynamic_user_owns_its_folders_and_gains_nothing(box):
    b = box({"web": service("/mnt/tools/tell", DynamicUser="yes", StateDirectory="ss", RuntimeDirectory="rr")}, before=FRESH)
    t = told(b)
    assert 61184 <= t["uid"] <= 65519 and t["gid"] == t["uid"] and t["NoNewPrivs"] == "1" and t["env"]["USER"] == "web"
    assert b.inside("stat -c %u /var/lib/ss /run/rr").split() == [str(t["uid"])] * 2


SECRETS = script("cd $CREDENTIALS_DIRECTORY; stat -c '%a %U %n' . *; head *; touch new; exec sleep 1000")


def with_secrets(**settings):
    return service(SECRETS, StandardOutput="truncate:/mnt/out", **DAEMON, LoadCredential=["file:/mnt/file", "lost:/nowhere", "stored", "none"],
                   SetCredential=["value:a\\tb", "file:not this one", "lost:instead"], **settings)


def test_credentials_are_for_the_user_alone(box):
    b = box({"web": with_secrets()}, files={"file": "from a file"},
            before=FRESH + "; mkdir /run/credstore; echo from the store >/run/credstore/stored")
    b.wait(lambda: "a\tb" in b.read("out"))
    assert b.read("out").splitlines()[:5] == ["500 daemon .", "400 daemon file", "400 daemon lost", "400 daemon stored",
                                             "400 daemon value"]
    for text in ("from a file", "instead", "from the store", "a\tb"):
        assert text in b.read("out")
    assert b.inside("ls /run/credentials").split() == ["web.service"]
    b.do("stop", "web")
    assert b.inside("ls /run/credentials").split() == []


def test_credentials_are_read_anew_at_each_start_and_shared_by_its_commands(box):
    look = "cat $CREDENTIALS_DIRECTORY/file >>/mnt/seen"
    b = box({"web": service(script(look + "; exec sleep 1000"), Type="exec", ExecStartPre=script(look), ExecStartPost=script(look),
                            LoadCredential="file:/mnt/file")}, files={"file": "1"}, before=FRESH)
    b.wait_state("web", "up")
    b.wait(lambda: b.read("seen") == "111")
    (b.folder / "file").write_text("2")
    b.do("restart", "web")
    b.wait(lambda: b.read("seen") == "111222")


def test_a_credential_that_is_not_there_fails_the_start(box):
    assert failed_at(box, LoadCredential="file:/nowhere") == "credentials"


# ---- how the kernel treats it ----

@pytest.mark.parametrize("settings, look, expected", [
    ({"CPUSchedulingPolicy": "batch"}, "chrt -p $$", "SCHED_BATCH"),
    ({"CPUSchedulingPolicy": "idle"}, "chrt -p $$", "SCHED_IDLE"),
    ({"CPUSchedulingPolicy": "fifo", "CPUSchedulingPriority": "7", "LimitRTPRIO": "9"}, "chrt -p $$", "priority: 7"),
    ({"CPUSchedulingPolicy": "rr"}, "chrt -p $$", "SCHED_RR"),
    ({"CPUSchedulingPolicy": "batch", "CPUSchedulingResetOnFork": "yes"}, "chrt -p $$", "SCHED_BATCH|SCHED_RESET_ON_FORK"),
    ({"CPUAffinity": "0"}, "grep Cpus_allowed_list /proc/self/status", "Cpus_allowed_list:\t0\n"),
    ({"IOSchedulingClass": "idle"}, "ionice -p $$", "idle"),
    ({"IOSchedulingPriority": "7"}, "ionice -p $$", "best-effort: prio 7"),
    ({"IOSchedulingClass": "none"}, "ionice -p $$", "best-effort: prio 4"),
    ({"TimerSlackNSec": "123us"}, "cat /proc/$$/timerslack_ns", "123000"),
    ({"CoredumpFilter": "elf-headers"}, "cat /proc/self/coredump_filter", "00000010"),
    ({"Nice": "5"}, "nice", "5"),
    ({"NUMAPolicy": "interleave", "NUMAMask": "0"}, "cat /proc/self/numa_maps", "interleave:0"),
    ({"KeyringMode": "private", "User": "daemon"}, "grep _ses /proc/keys", "_ses"),
], ids=lambda v: "-".join(f"{k}={x}" for k, x in v.items()) if isinstance(v, dict) else "")
def test_process(box, settings, look, expected):
    b = box({"web": service(script(look), Type="oneshot", StandardOutput="truncate:/mnt/out", **settings)})
    u = b.wait_state("web", "done", "failed")
    if u["warning"] and "kernel does not have it" in u["warning"]:
        pytest.skip(u["warning"])
    assert u["state"] == "done" and expected in b.read("out")


def test_a_processor_that_is_not_there_fails_the_start(box):
    assert failed_at(box, CPUAffinity="1000") == "CPUAffinity="


@pytest.mark.skipif(__import__("platform").machine() != "x86_64", reason="other names")
def test_personality(box):
    b = box({"web": service("uname -m", Type="oneshot", Personality="x86", StandardOutput="truncate:/mnt/out")})
    b.wait_state("web", "done")
    assert b.read("out") == "i686\n"


# ---- input ----

def test_input_from_the_unit_itself(box):
    b = box({"web": service("cat", Type="oneshot", StandardInput="data", StandardOutput="truncate:/mnt/out",
                            StandardInputText=["one %n", "two\\x21"], StandardInputData="dGhyZWU="),
             "many": service("wc -c", Type="oneshot", StandardInputText=["x" * 9999] * 50, StandardOutput="truncate:/mnt/many")})
    b.wait_state("web", "done")
    b.wait_state("many", "done")
    assert b.read("out") == "one web.service\ntwo!\nthree"
    assert b.read("many") == "500000\n"


# A terminal that the box has for itself: script(1) keeps it open, as a console would be.
TERMINAL = ("mount -t devpts -o newinstance,ptmxmode=0666 none /dev/pts; "
            "python3 -c 'import os, time; m, s = os.openpty(); os.symlink(os.ttyname(s), \"/mnt/tty\"); os.close(s); "
            "os.set_blocking(m, False); f = open(\"/mnt/screen\", \"wb\", 0)\n"
            "while True:\n"
            "  time.sleep(0.01)\n"
            "  try: f.write(os.read(m, 999))\n"
            "  except OSError: pass' & while ! test -e /mnt/tty; do :; done")


def on_terminal(**settings):
    return {"StandardInput": "tty", "TTYPath": "/mnt/tty", **settings}


def test_a_terminal_becomes_its_own_and_takes_output_too(box):
    b = box({"web": service(script("tty; ps -o tty= -p $$; stty size; echo $TERM; exec sleep 1000"),
                            **on_terminal(TTYRows="33", TTYColumns="99", TTYReset="yes", TTYVTDisallocate="yes"))}, before=TERMINAL)
    b.wait(lambda: "vt220" in b.read("screen"))
    words = b.read("screen").split()
    assert words[0].endswith("/dev/pts/0") and words[1:] == ["pts/0", "33", "99", "vt220"]
    assert "\033[2J" in b.read("screen")


def test_a_terminal_is_waited_for(box):
    b = box({"first": service(script("echo I am first; exec sleep 1000"), Type="exec", **on_terminal()),
             "second": service(script("echo I am second; exec sleep 1000"), After="first.service", Type="exec", **on_terminal())},
            before=TERMINAL)
    b.wait(lambda: "first" in b.read("screen"))
    assert b.unit("second")["state"] == "starting"
    b.do("stop", "first")
    b.wait_state("second", "up")
    b.wait(lambda: "second" in b.read("screen"))


@pytest.mark.parametrize("kind, state", [("tty-fail", "failed"), ("tty-force", "up")])
def test_a_terminal_that_is_taken(box, kind, state):
    b = box({"first": service(STAYS, Type="exec", **on_terminal()),
             "second": service(STAYS, Type="exec", After="first.service", **on_terminal(StandardInput=kind))}, before=TERMINAL)
    b.wait_state("second", state)
    b.wait_state("first", "up")
