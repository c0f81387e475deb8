"""Units and one another, with real processes: targets, bonds, conditions."""
from box import script, service

STAYS = "sleep 1000"
SLOW = script("sleep 0.1")


def target(**settings):
    return "[Unit]\n" + "".join(f"{key}={value}\n" for key, value in settings.items())


# ---- targets ----

def test_a_targets_place_in_the_order_is_kept(box):
    b = box({
        "early": service(SLOW, Type="oneshot", DefaultDependencies="no", Before="sysinit.target"),
        "setup": service(SLOW, Type="oneshot", Before="all.target"),
        "all.target": target(After="setup.service"),
        "app": service(STAYS, After="all.target"),
        "last": service(STAYS, After="multi-user.target"),
    })
    b.wait_state("last", "up")
    assert b.said_in_order("early: done", "sysinit.target: up", "setup: starting", "setup: done", "all.target: up", "app: starting",
                           "multi-user.target: up", "last: starting")
    assert b.states().keys() == {"early", "setup", "all.target", "app", "last"}
    assert "sysinit.target" in b.do("list", "--all")


def test_a_target_goes_down_when_what_is_after_it_has(box):
    b = box({"db": service(STAYS), "all.target": target(After="db.service"), "app": service(STAYS, After="all.target")})
    b.wait_state("app", "up")
    b.do("poweroff")
    assert b.leave() == 0
    assert b.said_in_order("app: stopped", "all.target: stopped", "db: stopped")


def test_what_nobody_pulls_in_is_not_waited_for(box):
    b = box({"app": service(STAYS, After="network-online.target"), "net": service(STAYS, Type="notify", Before="network-online.target")})
    b.wait_state("app", "up")
    assert b.unit("network-online.target")["state"] == "idle"


# ---- bonds ----

def test_what_is_bound_goes_and_comes_back(box):
    b = box({"db": service(STAYS, Restart="always", RestartSec="100ms"),
             "app": service(STAYS, BindsTo="db.service", After="db.service")})
    app = b.wait_state("app", "up")
    b.do("kill", "db", "KILL")
    b.wait_state("app", "up", generation=app["generation"] + 1)
    assert b.unit("db")["state"] == "up"
    b.do("stop", "db")
    assert b.unit("app")["state"] == "idle"


def test_a_part_follows_the_whole(box):
    b = box({"all": service("true", Type="oneshot", RemainAfterExit="yes", ExecReload="true"),
             "part": service(STAYS, PartOf="all.service", ReloadPropagatedFrom="all.service",
                             ExecReload=script("echo reloaded >> /mnt/told"))})
    b.wait_state("all", "up")
    part = b.wait_state("part", "up")
    b.do("reload", "all")
    b.wait(lambda: b.read("told") == "reloaded\n", "the part's reload")
    b.wait(lambda: b.unit("part")["step"] == "running")
    b.do("restart", "all")
    b.wait_state("part", "up", generation=part["generation"] + 1)
    b.do("stop", "all")
    b.wait_state("part", "idle")


def test_rivals_take_turns(box):
    b = box({"a": service(STAYS), "b": service(STAYS, Conflicts="a.service", After="a.service")})
    b.wait_state("a", "up")
    assert b.said("b.service: conflicts with a.service")
    assert b.unit("b")["state"] == "idle"
    b.do("start", "b")
    assert b.states() == {"a": "idle", "b": "up"}
    assert b.said_in_order("a: stopped", "b: starting")
    b.do("start", "a")
    b.wait_state("b", "idle")


def test_a_failure_and_an_end_call(box):
    b = box({"bad": service("false", Type="oneshot", OnFailure="alarm.service", After="alarm.service"),
             "good": service("true", Type="oneshot", OnSuccess="bell.service", After="bell.service"),
             "alarm": service(script("echo alarm >> /mnt/told"), Type="oneshot", ConditionPathExists="/mnt/tools"),
             "bell": service(script("echo bell >> /mnt/told"), Type="oneshot")})
    b.wait(lambda: sorted(b.read("told").split()) == ["alarm", "alarm", "bell", "bell"], "each once by being there, once called")


def test_what_is_upheld_comes_back(box):
    b = box({"all": service(STAYS, Upholds="db.service"), "db": service(script("exit 0"), RestartSec="100ms")})
    b.wait(lambda: b.unit("db")["generation"] > 3, "db to come back again and again")


def test_units_that_refuse_are_left_to_others(box):
    b = box({"db": service(STAYS, RefuseManualStart="yes")})
    b.wait_state("db", "up")
    b.do("stop", "db")
    r = b.ctl("start", "db")
    assert r.returncode == 1 and "RefuseManualStart=" in r.stderr


# ---- conditions ----

def test_a_unit_whose_condition_is_not_met_is_passed_over(box):
    b = box({"web": service(STAYS, ConditionPathExists="/mnt/go", Restart="always"),
             "app": service(STAYS, Requires="web.service", After="web.service")})
    b.wait_state("app", "up")
    web = b.wait_state("web", "done")
    assert (web["result"], web["condition"], web["last_death"]) == ("condition", "ConditionPathExists=/mnt/go", None)
    assert b.said("web: not started: ConditionPathExists=/mnt/go is not met")
    assert "ConditionPathExists=/mnt/go is not met" in b.do("status", "web")
    r = b.ctl("start", "web")
    assert r.returncode == 0 and r.stderr == "web: not started: ConditionPathExists=/mnt/go is not met\n"
    (b.folder / "go").touch()
    b.do("start", "web")
    assert (b.unit("web")["state"], b.unit("web")["condition"]) == ("up", None)


def test_an_assertion_that_is_not_met_is_a_failure_with_a_clear_line(box):
    b = box({"web": service(STAYS, AssertPathExists="/mnt/go"),
             "app": service(STAYS, Requires="web.service", After="web.service")})
    assert b.wait_state("web", "failed")["result"] == "assert"
    assert b.wait_state("app", "failed")["result"] == "dependency"
    r = b.ctl("start", "web")
    assert r.returncode == 1 and "AssertPathExists=/mnt/go is not met" in r.stderr


def test_conditions_are_looked_at_when_it_is_the_units_turn(box):
    b = box({"setup": service(script("sleep 0.1\ntouch /mnt/go"), Type="oneshot"),
             "web": service(STAYS, After="setup.service", ConditionPathExists="/mnt/go", User="nobody")})
    b.wait_state("web", "up")


def test_of_those_with_a_bar_one_is_enough(box):
    b = box({"a": service(STAYS, ConditionPathExists=["|/none", "|!/none"]), "b": service(STAYS, ConditionPathExists=["|/none", "|/nor"])})
    b.wait_state("a", "up")
    b.wait_state("b", "done")
    assert b.said("b: not started: ConditionPathExists=|/none is not met, nor any other with |")


def test_a_target_has_conditions(box):
    b = box({"all.target": target(ConditionVirtualization="!container"), "app": service(STAYS, After="all.target")})
    b.wait_state("app", "up")
    assert b.unit("all.target")["result"] == "condition"
