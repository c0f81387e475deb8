"""SIGKILL where neither cgroups nor the kernel's log are to be had: nothing is claimed that nothing proves."""
import pytest

from box import service

STAYS = "sleep 1000"
NO_VMSTAT = "mount --bind /dev/null /proc/vmstat"


def strike(b, unit, signal="KILL"):
    b.inside(f"kill -{signal} {b.wait_state(unit, 'up')['main_pid']}")
    b.wait_state(unit, "failed")
    return b.deaths(unit)[-1]


def test_nothing_at_all_to_go_by_leaves_it_open_and_says_so(box):
    b = box({"struck": service(STAYS), "told": service(STAYS)}, before=NO_VMSTAT)
    death = strike(b, "struck")
    assert (death["cause"], death["signal"], death["oom"]) == ("signal", 9, None)
    assert (death["oom_possible"], death["oom_doubt"]) == (True, "no-witness")
    assert b.unit("struck")["oom_kills"] == 0
    why = b.do("why", "struck")
    assert "an OOM kill is possible" in why and "no kernel log" in why
    # Another signal is nobody's but its sender's.
    death = strike(b, "told", "ABRT")
    assert (death["cause"], death["oom_possible"], death["oom_doubt"]) == ("signal", False, None)


def test_no_kill_on_the_whole_machine_is_no_kill_of_ours(box):
    """/proc/vmstat is the machine's. That it did not rise clears everybody; nothing is killed for memory on this one."""
    b = box({"struck": service(STAYS)})
    before = kills()
    death = strike(b, "struck")
    if kills() != before:
        pytest.skip("somebody was killed for memory on this machine meanwhile")
    assert (death["cause"], death["oom_possible"]) == ("signal", False)
    assert "there is no record of an OOM kill" in b.do("why", "struck")


def test_a_rise_of_the_machines_count_is_a_doubt_and_no_proof(box):
    """The file is read anew at each death; another stands in its place here, since nobody may fill this machine's memory."""
    b = box({"first": service(STAYS), "second": service(STAYS)}, files={"vmstat": "nr_free_pages 9\noom_kill 4\nswap_ra 0\n"},
            before="mount --bind /mnt/vmstat /proc/vmstat")
    assert strike(b, "first")["oom_possible"] is False
    (b.folder / "vmstat").write_text("nr_free_pages 9\noom_kill 5\nswap_ra 0\n")
    death = strike(b, "second")
    assert (death["cause"], death["oom_possible"], death["oom_doubt"]) == ("signal", True, "anybodys")
    assert b.unit("second")["oom_kills"] == 0


def kills():
    with open("/proc/vmstat") as f:
        return next((line for line in f if line.startswith("oom_kill ")), None)
