import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from machine import CONSOLE_TAIL, Machine  # noqa: E402


@pytest.fixture
def machine(request):
    """boot(**options): boots a Machine that is ended with the test. `kind=` takes a subclass."""
    machines = []
    request.node.machines = machines

    def boot(kind=Machine, **options):
        m = kind(**{"name": request.node.name, **options})
        machines.append(m)
        return m.boot()

    yield boot
    for m in machines:
        m.kill()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failed test shows the end of its machines' consoles."""
    report = (yield).get_result()
    if report.failed and call.when != "teardown":
        for m in getattr(item, "machines", []):
            if m.process:
                report.sections.append((f"console of {m.name}", m.console()[-CONSOLE_TAIL:]))
