"""oomph-tmpfiles below a folder: users of sysusers.d, files of tmpfiles.d."""
import os
import pathlib
import stat
import subprocess

import pytest

from box import ROOT

TOOL = ROOT / "build/bin/oomph-tmpfiles"


class Tree:
    """A root folder with users of its own."""

    def __init__(self, path):
        self.path = path
        for folder in ("etc/tmpfiles.d", "etc/sysusers.d", "usr/lib/tmpfiles.d", "usr/lib/sysusers.d", "run"):
            (path / folder).mkdir(parents=True)
        self.write("etc/passwd", "root:x:0:0:root:/root:/bin/sh\nlp:x:7:7::/:/bin/false\n")
        self.write("etc/group", "root:x:0:\nlp:x:7:\nadm:x:4:lp\n")

    def write(self, name, text):
        (self.path / name).parent.mkdir(parents=True, exist_ok=True)
        (self.path / name).write_text(text)

    def run(self, files=None, users=None):
        """Both done once; what was said, without the folder's name."""
        if files is not None:
            self.write("etc/tmpfiles.d/t.conf", files)
        if users is not None:
            self.write("etc/sysusers.d/u.conf", users)
        r = subprocess.run([TOOL, "--root", self.path], capture_output=True, text=True, timeout=15)
        self.said = r.stderr.replace(str(self.path), "")
        assert r.returncode == (1 if self.said else 0)
        return self.said

    def read(self, name):
        return (self.path / name).read_text()

    def look(self, name):
        """kind, mode, uid, gid"""
        st = os.lstat(self.path / name)
        return stat.S_IFMT(st.st_mode), f"{stat.S_IMODE(st.st_mode):o}", st.st_uid, st.st_gid


@pytest.fixture
def tree(tmp_path):
    return Tree(tmp_path)


# ---- files ----

def test_a_folder_with_mode_and_owner(tree):
    assert tree.run("d /run/lp 2750 lp adm -\nd /run/a/b/c\nd /run/number 0700 12 34 10d -\n") == ""
    assert tree.look("run/lp") == (stat.S_IFDIR, "2750", 7, 4)
    assert tree.look("run/a") == tree.look("run/a/b/c") == (stat.S_IFDIR, "755", 0, 0)
    assert tree.look("run/number") == (stat.S_IFDIR, "700", 12, 34)


def test_what_is_there_is_put_right_and_keeps_what_is_in_it(tree):
    tree.write("run/lp/kept", "x")
    assert tree.run("d /run/lp 0711 lp -\nf /run/lp/kept 0600 - adm - other\n") == ""
    assert tree.look("run/lp") == (stat.S_IFDIR, "711", 7, 0)
    assert tree.look("run/lp/kept") == (stat.S_IFREG, "600", 0, 4) and tree.read("run/lp/kept") == "x"


def test_a_large_d_begins_empty(tree):
    tree.write("run/lp/old/file", "x")
    (tree.path / "run/lp/link").symlink_to("/etc")
    assert tree.run("D! /run/lp 0755 lp lp\n") == ""
    assert list((tree.path / "run/lp").iterdir()) == [] and tree.read("etc/passwd")


def test_files_and_what_is_written_into_them(tree):
    tree.write("run/there", "old")
    tree.write("run/w1", "old")
    tree.write("run/w2", "old")
    assert tree.run("f /run/new 0640 lp lp - two words\\n100%%\nf+ /run/there - - - - new\nw /run/w* - - - - w\nw+ /run/w1 - - - - +\n"
                    "f /run/empty\n") == ""
    assert tree.read("run/new") == "two words\n100%%" and tree.look("run/new")[1:] == ("640", 7, 7)
    assert (tree.read("run/there"), tree.read("run/empty")) == ("new", "")
    assert (tree.read("run/w1")[:1], tree.read("run/w2")[:1]) == ("w", "w")


def test_links(tree):
    tree.write("run/file", "x")
    tree.write("run/full/x", "x")
    assert tree.run("L /run/a - - - - ../target\nL /run/file - - - - /t\nL+ /run/full - - - - /t\nL /etc/default/x\n") == ""
    assert os.readlink(tree.path / "run/a") == "../target" and tree.read("run/file") == "x"
    assert os.readlink(tree.path / "run/full") == "/t"
    assert os.readlink(tree.path / "etc/default/x") == "/usr/share/factory/etc/default/x"


def test_fifos_and_devices(tree):
    assert tree.run("p /run/pipe 0620 lp -\nc /run/null 0666 - - - 1:3\n") == ""
    assert tree.look("run/pipe") == (stat.S_IFIFO, "620", 7, 0)
    assert tree.look("run/null")[:2] == (stat.S_IFCHR, "666") and os.stat(tree.path / "run/null").st_rdev == os.makedev(1, 3)


def test_removal_comes_first(tree):
    tree.write("run/lock/a", "x")
    tree.write("run/lock/b", "x")
    tree.write("run/tree/deep/er", "x")
    assert tree.run("f /run/lock/a - - - - new\nr! /run/lock/*\nR /run/tree\nr /run/nothing\n") == ""
    assert tree.read("run/lock/a") == "new" and not (tree.path / "run/lock/b").exists() and not (tree.path / "run/tree").exists()


def test_modes_of_what_is_there(tree):
    for name in ("run/z/sub/plain", "run/z/sub/tool", "run/m"):
        tree.write(name, "x")
    (tree.path / "run/z/sub/tool").chmod(0o755)
    (tree.path / "run/z/link").symlink_to("/etc/passwd")
    assert tree.run("Z /run/z ~2770 lp adm\nm /run/m 0600 lp lp\nz /run/none 0600\ne /run/m 0777\n") == ""
    assert tree.look("run/z/sub") == (stat.S_IFDIR, "2770", 7, 4)
    assert tree.look("run/z/sub/plain")[1] == "660" and tree.look("run/z/sub/tool")[1] == "770"
    assert tree.look("run/m") == (stat.S_IFREG, "600", 0, 0) and tree.look("etc/passwd")[1:] == ("644", 0, 0)
    assert tree.look("run/z/link")[2:] == (7, 4)


def test_a_colon_is_for_what_is_made(tree):
    (tree.path / "run/old").mkdir(mode=0o700)
    assert tree.run("d /run/old :0777 :lp :lp\nd /run/new :0777 :lp :lp\n") == ""
    assert tree.look("run/old")[1:] == ("700", 0, 0) and tree.look("run/new")[1:] == ("777", 7, 7)


def test_a_file_hides_its_name_and_a_link_to_null_is_a_mask(tree):
    tree.write("usr/lib/tmpfiles.d/t.conf", "d /run/hidden\n")
    tree.write("usr/lib/tmpfiles.d/a.conf", "d /run/first 0700\n# a comment\n\n")
    tree.write("usr/lib/tmpfiles.d/m.conf", "d /run/masked\n")
    tree.write("usr/lib/tmpfiles.d/readme", "d /run/readme\n")
    (tree.path / "etc/tmpfiles.d/m.conf").symlink_to("/dev/null")
    assert tree.run("d /run/first 0755\nd /run/shown\nx /run/*\n") == ""
    assert sorted(p.name for p in (tree.path / "run").iterdir()) == ["first", "shown"]
    assert tree.look("run/first")[1] == "700"


def test_bad_lines_are_told_and_cost_nothing_else(tree):
    said = tree.run("d rel\nd /run/a 9999\nd /run/b - nosuch\nk /run/c\nA+ /run/d - - - - u:lp:r\nd /run/%q\nd \"/run/e\nd /run/../f\n"
                    "d /run/ok\nd\nf- /run/ok/x/y/..z 0644\n")
    lines = said.splitlines()
    assert [line.split(": ")[1] for line in lines] == [f"/etc/tmpfiles.d/t.conf:{n}" for n in (1, 2, 3, 4, 5, 6, 7, 8, 10)] or lines
    assert "there is no user or group `nosuch`" in said and "`9999` is not an octal mode" in said
    assert "lines of type `A+` are not done without systemd-tmpfiles" in said and "%q is not a specifier" in said
    assert (tree.path / "run/ok").is_dir()


def test_nothing_to_read_is_nothing_to_do(tmp_path):
    assert subprocess.run([TOOL, "--root", tmp_path]).returncode == 0


# ---- users ----

def test_users_groups_and_members(tree):
    tree.write("etc/shadow", "root:*:1::::::\n")
    os.chmod(tree.path / "etc/shadow", 0o640)
    tree.write("etc/gshadow", "root:*::\n")
    assert tree.run(users='g wheel 10\nu web - "The web" /srv /bin/sh\nu db 70:lp\nu lp 99\nm web adm\nm extra new\nu plain 71\n') == ""
    passwd, group = tree.read("etc/passwd").splitlines(), tree.read("etc/group").splitlines()
    assert passwd[:2] == ["root:x:0:0:root:/root:/bin/sh", "lp:x:7:7::/:/bin/false"]
    assert passwd[2:] == ["web:x:999:999:The web:/srv:/bin/sh", "db:x:70:7::/:/usr/sbin/nologin",
                          "plain:x:71:71::/:/usr/sbin/nologin", "extra:x:998:998::/:/usr/sbin/nologin"]
    assert group == ["root:x:0:", "lp:x:7:", "adm:x:4:lp,web", "wheel:x:10:", "web:x:999:", "plain:x:71:", "extra:x:998:",
                     "new:x:997:extra"]
    assert [line.split(":")[:2] for line in tree.read("etc/shadow").splitlines()[1:]] == [
        [n, "!*"] for n in ("web", "db", "plain", "extra")]
    assert "new:!*::extra" in tree.read("etc/gshadow") and tree.look("etc/shadow")[1] == "640"
    assert not [p for p in os.listdir(tree.path / "etc") if p.endswith(".oomph")]


def test_a_second_time_changes_nothing(tree):
    tree.run(users="u web -\nm web adm\n")
    before = os.stat(tree.path / "etc/passwd").st_ino, tree.read("etc/group")
    tree.run()
    assert (os.stat(tree.path / "etc/passwd").st_ino, tree.read("etc/group")) == before


def test_a_number_that_is_taken_is_not_given_twice(tree):
    assert tree.run(users="u web 7\ng more 4\nr - 500-501\n") == ""
    assert "web:x:500:500:" in tree.read("etc/passwd") and "more:x:501:" in tree.read("etc/group")


def test_an_owner_may_be_a_user_of_the_same_boot(tree):
    assert tree.run(files="d /run/web 0755 web web\n", users="u web 123\n") == ""
    assert tree.look("run/web")[2:] == (123, 123)


def test_bad_users_are_told_and_cost_nothing_else(tree):
    said = tree.run(users='u bad:name -\nu 1st -\nx what\nm web\nu web - "a:b"\nr - 9-1\nu good 5\n')
    assert len(said.splitlines()) == 6 and "/etc/sysusers.d/u.conf:1: `bad:name` is not a name" in said
    assert [line.split(":")[0] for line in tree.read("etc/passwd").splitlines()] == ["root", "lp", "good"]


def test_a_full_range_is_told(tree):
    assert "no number is left for the user b" in tree.run(users="r - 500\nu a -\nu b -\n")


def test_the_first_user_of_all(tmp_path):
    (tmp_path / "usr/lib/sysusers.d").mkdir(parents=True)
    (tmp_path / "etc").mkdir()
    pathlib.Path(tmp_path / "usr/lib/sysusers.d/a.conf").write_text("u root 0 - /root\n")
    assert subprocess.run([TOOL, "--root", tmp_path]).returncode == 0
    assert (tmp_path / "etc/passwd").read_text() == "root:x:0:0::/root:/bin/sh\n"


# ---- the distribution's own tools ----

def run_with_tools(tmp_path, status):
    """oomph-tmpfiles where both are installed, and leave with `status`: what they were called with."""
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    for name in ("systemd-sysusers", "systemd-tmpfiles"):
        (bin_folder / name).write_text(f"#!/bin/sh\necho ${{0##*/}} $@ >>{tmp_path}/calls\nexit {status}\n")
        (bin_folder / name).chmod(0o755)
    r = subprocess.run(["unshare", "--mount", "sh", "-c", f"mount -t overlay -o lowerdir={bin_folder}:/usr/bin none /usr/bin && exec {TOOL}"],
                       capture_output=True, text=True, timeout=15)
    if "mount" in r.stderr:
        pytest.skip(r.stderr)
    return r, (tmp_path / "calls").read_text()


@pytest.mark.parametrize("status, is_good", [(0, True), (73, True), (1, False)])
def test_the_distributions_tools_come_first(tmp_path, status, is_good):
    r, calls = run_with_tools(tmp_path, status)
    assert calls == "systemd-sysusers\nsystemd-tmpfiles --create --remove --boot --exclude-prefix=/dev\n"
    assert (r.returncode, r.stderr.count("has failed")) == ((0, 0) if is_good else (1, 2))
