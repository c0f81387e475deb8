"""Type=dbus, against a real bus of the box's own."""
from box import script, service

STAYS = "sleep 1000"
CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>system</type><listen>unix:path=/run/dbus/system_bus_socket</listen><auth>EXTERNAL</auth>
<policy context="default"><allow user="*"/><allow own="*"/><allow send_type="method_call"/><allow send_type="signal"/>
<allow send_requested_reply="true"/><allow receive_type="method_return"/><allow receive_type="error"/>
<allow receive_type="signal"/></policy></busconfig>
"""
BUS = service("/usr/bin/dbus-daemon --config-file=/mnt/bus.conf --nofork --nopidfile", Type="exec")
OURS = {"files": {"bus.conf": CONFIG}, "before": "mkfifo /mnt/fifo; mount -t tmpfs none /run; mkdir /run/dbus"}


def on_bus(program="/mnt/tools/bus org.example.Web", **settings):
    return service(program, Type="dbus", BusName="org.example.Web", **settings)


def test_it_is_up_once_its_name_has_an_owner(box):
    b = box({"dbus": BUS, "web": on_bus(ExecStartPre=script("until test -S /run/dbus/system_bus_socket; do sleep 0.02; done"),
                                        After="dbus.service"),
             "next": service(STAYS, After="web.service")}, **OURS)
    b.wait_for("bus: here")
    b.wait_state("web", "starting", step="waiting for its bus name")
    assert b.unit("next")["state"] == "starting"
    (b.folder / "fifo").write_text("go\n")
    b.wait_state("next", "up")
    b.do("stop", "web")
    assert b.unit("web")["result"] == "success"


def test_a_name_that_has_an_owner_already_will_do(box):
    b = box({"dbus": BUS, "owner": service(script("until test -S /run/dbus/system_bus_socket; do sleep 0.02; done; "
                                                  "exec /mnt/tools/bus org.example.Web")),
             "web": on_bus(STAYS)}, **OURS)
    b.wait_for("bus: here")
    (b.folder / "fifo").write_text("go\n")
    b.wait_state("web", "up")


def test_without_a_bus_it_takes_too_long(box):
    b = box({"web": on_bus(STAYS, TimeoutStartSec="500ms")}, **OURS)
    assert b.ctl("start", "web").returncode == 1
    assert b.wait_state("web", "failed")["result"] == "timeout"


def test_who_leaves_before_it_has_its_name_has_failed(box):
    b = box({"web": on_bus("true")}, **OURS)
    assert b.wait_state("web", "failed")["result"] == "protocol"


def test_a_bus_type_needs_a_name(box):
    b = box({"web": service(STAYS, Type="dbus")})
    assert b.unit("web")["state"] == "failed"
    assert b.said("web.service: there is no BusName=, which Type=dbus needs: the unit is left out")
