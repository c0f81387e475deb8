import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from machine import BUILD, CONSOLE_TAIL, Machine  # noqa: E402


def pytest_addoption(parser):
    parser.addoption("--all-daemons", action="store_true", help="all of debian.DAEMONS, and systemd for comparison")


def pytest_generate_tests(metafunc):
    """A module with KERNELS runs whole on each of them; all others on the Machine's own."""
    if "kernel" in metafunc.fixturenames and hasattr(metafunc.module, "KERNELS"):
        metafunc.parametrize("kernel", metafunc.module.KERNELS, indirect=True, scope="module")


def pytest_collection_modifyitems(items):
    """Two workers share the tests (--dist loadgroup): those that share a machine stay together, on one of them."""
    for item in items:
        if "vm" in item.fixturenames:
            kernel = item.callspec.params.get("kernel", "") if hasattr(item, "callspec") else ""
            item.add_marker(pytest.mark.xdist_group(f"{item.module.__name__}-{kernel}"))


@pytest.fixture(scope="module")
def kernel(request):
    suite = getattr(request, "param", Machine.kernel)
    if not (BUILD / "kernels" / suite / "vmlinuz").exists():
        pytest.skip(f"kernel of {suite} is not there: tools/setup kernel {suite}")
    return suite


@pytest.fixture
def machine(request, kernel):
    """boot(**options): boots a Machine that is ended with the test. `kind=` takes a subclass."""
    machines = []
    request.node.machines = machines

    def boot(kind=Machine, **options):
        m = kind(**{"name": request.node.name, "kernel": kernel, **options})
        machines.append(m)
        return m.boot()

    yield boot
    for m in machines:
        m.kill()


@pytest.fixture(scope="module")
def vm(request, kernel):
    """One machine for all tests of a module, which says what is in it: MACHINE = {"units": ...}."""
    m = Machine(**{"name": f"{request.module.__name__}-{kernel}", "kernel": kernel, **request.module.MACHINE})
    request.node.machines = [m]
    with m.boot():
        yield m


@pytest.fixture
def add(vm):
    """add(name, text): a service for this test alone."""
    names = []

    def add(name, text):
        names.append(name)
        vm.add(name, text)

    yield add
    vm.check("".join(f"rm -f /etc/services.d/{name}.service;" for name in names) + "oomphctl reload")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failed test shows the end of its machines' consoles."""
    report = (yield).get_result()
    if not report.failed or call.when == "teardown":
        return
    for m in (m for node in item.listchain() for m in getattr(node, "machines", [])):
        if m.process:
            report.sections.append((f"console of {m.name}", m.console()[-CONSOLE_TAIL:]))
