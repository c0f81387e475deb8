"""Hostile load in a container, in small: `make hostile` has it in full, and judges how long answers take as well."""

import pathlib
import sys

import pytest

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "hostile"))

from hostile import ATTACKS, assail, in_box, row  # noqa: E402


@pytest.mark.parametrize("attack", [name for name, attack in ATTACKS.items() if "container" in attack.check])
def test_afterwards_all_is_as_it_was(attack, capsys):
    with in_box() as place:
        found = assail(place, attack, ATTACKS[attack].check["container"])
    with capsys.disabled():
        print("\n" + row(found))
    assert not found.wrong


def test_pid_1_goes_before_others_and_no_service_does():
    with in_box() as place:
        nice = place.sh("for pid in 1 $(pidof pause); do set -- $(cut -d')' -f2 /proc/$pid/stat); echo ${17}; done").split()
    assert nice[0] == "-20" and len(nice) > 1 and set(nice[1:]) == {"0"}
