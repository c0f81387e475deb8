"""A few hundred random units, read by systemd and by oomph: `make oracle` reads thousands."""
import sys

from box import ROOT

sys.path.insert(0, str(ROOT / "tests/oracle"))
import oracle  # noqa: E402


def test_systemd_and_oomph_read_the_same(capsys):
    wrong = oracle.batch(seed="check", first=0, n=oracle.BATCH)
    assert wrong == 0, capsys.readouterr().out


def test_a_difference_would_be_seen(tmp_path):
    """What is one on purpose: left off the list of those that are meant, it is told."""
    unit = tmp_path / "a.service"
    unit.write_text("[Service]\nExecStart=/bin/true\nFileDescriptorStoreMax=10000\n")
    assert not oracle.one_file(unit)
    meant, oracle.INTENDED[:] = list(oracle.INTENDED), []
    try:
        assert oracle.one_file(unit) == 1
    finally:
        oracle.INTENDED[:] = meant
