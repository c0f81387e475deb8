"""A machine whose root is a Debian with daemons from its packages (tools/debian), and whose PID 1 is oomph (Debian), or systemd
for comparison (Systemd). What a test changes on the disk is gone with the machine.

    with Debian(daemons=["redis-server"]) as m:
        m.probe("redis-server")
"""

import ast
import shlex

from machine import BUILD, ROOT, Machine

DISK = BUILD / "debian/root.img"
FOLDER = "/lib/systemd/system"

# Name -> how it is known to work: a line of Python that raises unless it does; a word for what oomph or systemd must have seen.
DAEMONS = {
    "redis-server": "assert ask(6379, b'PING\\r\\n').startswith(b'+PONG')",
    "mariadb": "run('mysqladmin', 'ping')",
    "knot": "assert dns('127.0.0.2')[3] & 15 == 5",                   # REFUSED: it serves no zone, but it serves
    "pgbouncer": "ask(6432, b'\\0\\0\\0\\x08\\x04\\xd2\\x16\\x2f')",  # SSLRequest: a letter comes back
    "php8.2-fpm": "connect('/run/php/php8.2-fpm.sock')",
    "rsyslog": "heard('/var/log/syslog')",
    "tor@default": "assert ask(9050, b'\\5\\1\\0') == b'\\5\\0'",
    "dnsmasq": "assert dns('127.0.0.1')[3] & 15 == 0",
    "krb5-kdc": "bound_udp(88)",
    "ngircd": "ask(6667, b'NICK me\\r\\nUSER me 0 * :me\\r\\n', until=b' 001 ')",
    "privoxy": "ask(8118, b'GET http://config.privoxy.org/ HTTP/1.0\\r\\n\\r\\n', until=b'Privoxy')",
    "postgresql@15-main": "assert b'42' in run('runuser', '-u', 'postgres', '--', 'psql', '-Atc', 'select 41+1')",
    "redis-server@t1": "assert ask(6390, b'PING\\r\\n').startswith(b'+PONG')",
    "atd": "run('pgrep', '-x', 'atd')",
    "memcached": "assert ask(11211, b'version\\r\\n').startswith(b'VERSION')",
    "prometheus-node-exporter": "ask(9100, b'GET /metrics HTTP/1.0\\r\\n\\r\\n', until=b'node_cpu')",
    "vsftpd": "assert ask(21, b'').startswith(b'220')",
    "networking": "assert '<LOOPBACK,UP' in run('ip', 'link', 'show', 'lo').decode()",
    "polkit": "run('dbus-send', '--system', '--print-reply', '--dest=org.freedesktop.DBus', '/', "
              "'org.freedesktop.DBus.GetNameOwner', 'string:org.freedesktop.PolicyKit1')",
    "rpcbind": "run('rpcinfo', '-p', '127.0.0.1')",
}

PROBES = """\
import socket, subprocess, sys, os, time

def connect(where):
    s = socket.socket(socket.AF_UNIX if isinstance(where, str) else socket.AF_INET)
    s.settimeout(5)
    s.connect(where if isinstance(where, str) else ("127.0.0.1", where))
    return s

def ask(where, what, until=b""):
    s = connect(where)
    s.sendall(what)
    got = s.recv(65536)
    while until not in got and (more := s.recv(65536)):
        got += more
    assert got and until in got
    return got

def dns(server):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.settimeout(5)
    s.sendto(b"\\0\\7\\1\\0\\0\\1\\0\\0\\0\\0\\0\\0\\5oomph\\4test\\0\\0\\1\\0\\1", (server, 53))
    return s.recv(512)

def bound_udp(port):
    assert any(line.split()[1].endswith(":%04X" % port) for line in open("/proc/net/udp").readlines()[1:])

def run(*words):
    return subprocess.run(words, check=True, capture_output=True, timeout=20).stdout

def heard(log):
    word = "oomph-%d" % os.getpid()
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    s.connect("/run/systemd/journal/syslog" if os.path.exists("/run/systemd/journal/syslog") else "/dev/log")
    s.send(b"<13>Nov  1 00:00:00 test: " + word.encode())
    for _ in range(50):
        if os.path.exists(log) and word in open(log, errors="replace").read():
            return
        time.sleep(0.1)
    raise AssertionError("not in " + log)

exec(sys.argv[1])
"""

# What a service's main process was given, as far as it can be seen from outside. (Debian's minimal Python has no json.)
CONTEXT = """\
import os, re, sys
pid = sys.argv[1]
read = lambda name: open(f"/proc/{pid}/{name}").read()
link = lambda name, of=pid: os.readlink(f"/proc/{of}/{name}")
status = dict(line.split(":", 1) for line in read("status").splitlines())
cgroup = read("cgroup").strip().rsplit(":", 1)[1]
knob = lambda name: open(f"/sys/fs/cgroup{cgroup}/{name}").read().strip()
limits = [re.split("  +", line.strip()) for line in read("limits").splitlines()[1:]]
environ = dict(e.split("=", 1) for e in read("environ").split("\\0") if "=" in e)
folders = [f for name, value in environ.items() if name.endswith("_DIRECTORY") for f in value.split(":")]
stat = read("stat").rsplit(")", 1)[1].split()
print({
    **{key: status[key].split() for key in ("Uid", "Gid", "Groups", "Umask", "SigIgn", "SigBlk", "CapInh", "CapPrm", "CapEff", "CapBnd",
                                            "CapAmb", "NoNewPrivs", "Seccomp", "Cpus_allowed")},
    "exe": link("exe"), "cwd": link("cwd"), "root": link("root"), "stdin": link("fd/0"), "cmdline": read("cmdline"),
    "oom_score_adj": read("oom_score_adj").strip(), "nice": stat[16], "policy": stat[38], "leads a session": stat[3] == pid,
    "cgroup": cgroup, "coredump_filter": read("coredump_filter").strip(), "timer slack": read("timerslack_ns").strip(),
    **{name: knob(name) for name in ("memory.min", "memory.low", "memory.high", "memory.max", "memory.oom.group", "pids.max")},
    "namespaces": [n for n in sorted(os.listdir("/proc/1/ns")) if link("ns/" + n) != link("ns/" + n, 1)],
    "folders": [(f, oct(os.stat(f).st_mode), os.stat(f).st_uid, os.stat(f).st_gid) for f in sorted(folders)],
    **{"limit " + words[0]: words[1:] for words in limits},
    **{"$" + name: value for name, value in environ.items() if not name.endswith("_PID")},
})
"""

BEFORE = """\
#!/bin/sh
mkdir -p /sysroot
mount -t devtmpfs dev /dev
mount -t ext4 /dev/nvme0n1 /sysroot || exec sh
for f in /sbin/oomph /usr/bin/oomphctl /usr/lib/oomph /usr/bin/agent /usr/bin/hog /etc/services.d /test; do
	mkdir -p /sysroot${f%%/*}
	cp -a $f /sysroot${f%%/*}/
done
cp /etc/services.d/test-agent.service /sysroot/etc/systemd/system/
ln -s ../test-agent.service /sysroot/etc/systemd/system/multi-user.target.wants/
for daemon in %s; do
	template=$(echo $daemon | sed 's/@.*/@/')
	file=/lib/systemd/system/$daemon.service
	test -e /sysroot$file || file=/lib/systemd/system/$template.service
	ln -s $file /sysroot/etc/services.d/$daemon.service
	ln -sf $file /sysroot/etc/systemd/system/multi-user.target.wants/$daemon.service
done
exec switch_root /sysroot %s
"""


class Debian(Machine):
    mem = 1024
    daemons = ()
    program = "/sbin/oomph"
    manager = "oomphctl"

    def all_files(self):
        return {**super().all_files(), "/init": BEFORE % (" ".join(self.daemons), self.program),
                "/test/probes.py": PROBES, "/test/context.py": CONTEXT}

    def command(self, image):
        if not DISK.exists():
            raise FileNotFoundError(f"no disk {DISK.relative_to(ROOT)}: tools/debian")
        words = super().command(image)
        words[words.index("-append") + 1] += " rdinit=/init systemd.show_status=0 systemd.log_target=kmsg"
        return [*words, "-drive", f"file={DISK},if=none,id=disk,format=raw,snapshot=on", "-device", "nvme,drive=disk,serial=1"]

    # -- services, whoever is PID 1 --

    def works(self, daemon):
        return self.run(f"python3 /test/probes.py {shlex.quote(DAEMONS[daemon])}")[0] == 0

    def context(self, daemon):
        return ast.literal_eval(self.check(f"python3 /test/context.py {self.main_pid(daemon)}"))

    def tell(self, verb, daemon):
        """Whether it could be done."""
        return self.run(f"{self.manager} {verb} {daemon}", timeout=120)[0] == 0

    def main_pid(self, daemon):
        return self.unit(daemon)["main_pid"] or 0

    def state(self, daemon):
        """`up`, or how it has ended for good, and why; nothing while it is on the way."""
        unit = self.unit(daemon)
        return at_rest({"idle": "inactive", "done": "inactive"}.get(unit["state"], unit["state"]), unit["result"])


def at_rest(state, result):
    return state if state == "up" else f"{state}, {result}" if state in ("failed", "inactive") else ""


class Systemd(Debian):
    program = "/lib/systemd/systemd"
    manager = "systemctl"

    def show(self, daemon):
        lines = self.check(f"systemctl show -p ActiveState,Result,MainPID,TriggeredBy {daemon}").splitlines()
        return dict(line.split("=", 1) for line in lines)

    def tell(self, verb, daemon):
        # A socket that it was enabled with would start it again.
        return super().tell(verb, f"{daemon} {self.show(daemon)['TriggeredBy']}" if verb == "stop" else daemon)

    def main_pid(self, daemon):
        return int(self.show(daemon)["MainPID"])

    def state(self, daemon):
        shown = self.show(daemon)
        return at_rest({"active": "up"}.get(shown["ActiveState"], shown["ActiveState"]), shown["Result"])
