import os
import pathlib
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from box import NAMESPACES, OOMPH, Box  # noqa: E402


def pytest_collection_modifyitems(items):
    """No root or no namespaces, no containers: that is said once for each test, and counted as skipped."""
    assert OOMPH.exists(), "build/bin/oomph is not built: make all"
    probe = subprocess.run([*NAMESPACES, "true"], capture_output=True, text=True)
    if os.getuid() != 0 or probe.returncode:
        why = "needs root" if os.getuid() else "no PID namespace to be had: " + probe.stderr.strip()
        for item in items:
            item.add_marker(pytest.mark.skip(reason=why))


@pytest.fixture
def box(request):
    """box(units, **options): a started Box, which ends with the test. No test may leave a bug counted."""
    boxes = []
    request.node.boxes = boxes

    def start(units=None, **options):
        boxes.append(Box(units, **options))
        return boxes[-1].__enter__()

    yield start
    for b in boxes:
        b.__exit__()
    for b in boxes:
        assert not b.said("a bug of oomph")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failed test shows its boxes' consoles."""
    report = (yield).get_result()
    if report.failed:
        for b in getattr(item, "boxes", []):
            report.sections.append((f"console of {b.folder}", b.console[-4000:]))
