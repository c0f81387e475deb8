"""Units that are not in services.d: what wants them, by which names, and what stands beside them."""
from box import service

STAYS = "sleep 1000"
SEARCH = {"OOMPH_UNIT_PATH": "/mnt/usr:/mnt/nowhere"}


def shell(files):
    """Commands that write these files into the box: a link where the text begins with `->`."""
    lines = ["mkdir -p /mnt/usr /mnt/services"]
    for path, text in files.items():
        lines.append(f"mkdir -p $(dirname {path})")
        lines.append(f"ln -s {text[2:]} {path}" if text.startswith("->") else f"printf '%s' '{text}' >{path}")
    return "\n".join(lines)


def test_what_is_wanted_is_found_and_started(box):
    b = box({"web": service(STAYS, Wants="db.service", After="db.service other.service")}, env=SEARCH, before=shell({
        "/mnt/usr/db.service": service(STAYS, Requires="store@1.service"),
        "/mnt/usr/store@.service": service(STAYS, Description="store %i"),
        "/mnt/usr/other.service": service(STAYS),
        "/mnt/usr/idle.service": service(STAYS)}))
    for unit in ("web", "db", "store@1"):
        b.wait_state(unit, "up")
    assert sorted(b.states()) == ["db", "store@1", "web"]
    assert b.unit("store@1")["description"] == "store 1"


def test_another_name_will_do(box):
    b = box({"web": service(STAYS, Requires="syslog.service")}, env=SEARCH, before=shell({
        "/mnt/usr/rsyslog.service": service(STAYS), "/mnt/usr/syslog.service": "->rsyslog.service",
        "/mnt/services/mysql.service": "->/mnt/usr/mariadb.service", "/mnt/usr/mariadb.service": service(STAYS)}))
    for unit in ("web", "rsyslog", "mariadb"):
        b.wait_state(unit, "up")
    assert b.unit("syslog")["unit"] == "rsyslog.service" and b.unit("mysql.service")["unit"] == "mariadb.service"
    b.do("stop", "syslog")
    b.wait_state("rsyslog", "idle")


def test_drop_ins_and_folders_of_links_count(box):
    b = box({"web": service("false")}, env=SEARCH, before=shell({
        "/mnt/services/web.service.d/10.conf": "[Service]\nExecStart=\nExecStart=sleep 1000\n",
        "/mnt/usr/web.service.d/20.conf": "[Unit]\nDescription=from below\n",
        "/mnt/services/web.service.wants/db.service": "->/nowhere", "/mnt/usr/db.service": service(STAYS)}))
    b.wait_state("db", "up")
    assert b.wait_state("web", "up")["description"] == "from below"


def test_a_link_dropped_starts_an_instance(box):
    b = box({"web": service(STAYS)}, env=SEARCH, before=shell({"/mnt/usr/t@.service": service(STAYS, Description="number %i")}))
    b.wait_state("web", "up")
    b.inside("ln -s /mnt/usr/t@.service /mnt/services/t@1.service")
    b.wait(lambda: b.states().get("t@1") == "up")
    assert b.unit("t@1")["description"] == "number 1"
    b.inside("rm /mnt/services/t@1.service")
    b.wait(lambda: sorted(b.states()) == ["web"])


def test_a_mask_takes_a_unit_away(box):
    b = box({"web": service(STAYS, Wants="db.service")}, env=SEARCH, before=shell({"/mnt/usr/db.service": service(STAYS)}))
    b.wait_state("db", "up")
    b.inside("ln -s /dev/null /mnt/services/db.service")
    b.wait(lambda: sorted(b.states()) == ["web"])
