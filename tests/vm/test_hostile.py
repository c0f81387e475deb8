"""Hostile load in a machine, in small: `make hostile` has it in full, and judges how long answers take as well."""

import pathlib
import sys

import pytest

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "hostile"))

from hostile import ATTACKS, InMachine, assail, machine_options, row  # noqa: E402

MACHINE = machine_options(mem=256)


@pytest.mark.parametrize("attack", [name for name, attack in ATTACKS.items() if "VM" in attack.check])
def test_afterwards_all_is_as_it_was(vm, attack, capsys):
    found = assail(InMachine(vm), attack, ATTACKS[attack].check["VM"])
    with capsys.disabled():
        print("\n" + row(found))
    assert not found.wrong
