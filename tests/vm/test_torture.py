"""A small `make torture` on each kernel: some thirty deaths whose causes are known beforehand."""

import importlib.machinery
import importlib.util

from machine import KERNELS, ROOT  # noqa: F401

loader = importlib.machinery.SourceFileLoader("torture", str(ROOT / "tools/torture"))
torture = importlib.util.module_from_spec(importlib.util.spec_from_loader("torture", loader))
loader.exec_module(torture)


def test_every_death_is_told_as_it_was(kernel):
    found, version = torture.torture(kernel, 40, seed=3)
    assert not found["wrong"] and not found["missing"] and not found["extra"], found
    assert len(found["right"]) >= 20
    assert version["bugs"] == 0
