"""A machine whose root is a Debian with daemons from its packages (tools/debian), and whose PID 1 is oomph, or systemd for
comparison. What a test changes on the disk is gone with the machine.

    with Debian(daemons=["redis-server"]) as m:
        m.probe("redis-server")
"""

import shlex

from machine import AGENT_UNIT, BUILD, ROOT, Machine, initramfs

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

# What a service's main process was given, as far as both managers give it.
CONTEXT = """\
import json, os, re, sys
pid = sys.argv[1]
status = dict(line.split(":", 1) for line in open(f"/proc/{pid}/status").read().splitlines())
read = lambda name: open(f"/proc/{pid}/{name}").read().strip()
environ = dict(e.split("=", 1) for e in open(f"/proc/{pid}/environ").read().split("\\0") if "=" in e)
print(json.dumps({
    **{key: status[key].split() for key in ("Uid", "Gid", "Groups", "Umask", "SigIgn", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs")},
    "exe": os.readlink(f"/proc/{pid}/exe"), "cwd": os.readlink(f"/proc/{pid}/cwd"), "cmdline": read("cmdline"),
    "oom_score_adj": read("oom_score_adj"), "nice": read("stat").rsplit(")", 1)[1].split()[16],
    "limits": [" ".join(line.split()) for line in read("limits").splitlines()[1:]],
    "cgroup": read("cgroup").rsplit(":", 1)[1], "environment": environ,
}))
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
    init = "oomph"                      # or systemd
    daemons = ()

    def all_files(self):
        init = {"oomph": "/sbin/oomph", "systemd": "/lib/systemd/systemd"}[self.init]
        return {**super().all_files(), "/init": BEFORE % (" ".join(self.daemons), init),
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
