"""Mutants: small faults planted into what decides, one at a time, and whether any test notices.

    make mutants                                        all of them
    python3 tests/mutants/mutants.py FILE[:FUNCTION]... those of one file, or function
    python3 tests/mutants/mutants.py --again            those that survived the last time
    --quick before any of these                         with few worlds of the simulator only

A mutant is one changed file of lib/, built alone and preloaded into unit tests and simulator, which are built once against a shared
lib/. It is caught by the first that fails, crashes or uses up its processor time. One that survives is explained in equivalent.txt, or
the tests are not good enough. Of the table of the service machine each cell is changed (cell.c), and the dump in test_service.c, which sees
any of that at once, is asked last: how many it alone has seen says how much of the table shows in what the machine then does.
"""
import concurrent.futures
import json
import os
import pathlib
import resource
import subprocess
import sys
import threading
import time

import mutate

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build/mutants"
SURVIVORS = BUILD / "survivors.json"
EQUIVALENT = ROOT / "tests/mutants/equivalent.txt"
FLAGS = ["-std=gnu17", "-D_GNU_SOURCE", "-iquote", ".", "-iquote", "lib", "-O0", "-w", "-fPIC", "-shared", "-fsanitize=bounds",
         "-fsanitize-trap=bounds"]

# What decides, with the unit tests that know it best.
FILES = {
    "lib/service.c:state_is_resting": ["service"], "lib/verdict.c": ["verdict"], "lib/restart.c": ["restart"],
    "lib/shared_count.c:shared_read,shared_ask,shared_hold,shared_is_due,shared_close": ["shared_count"], "lib/outcome.c": [], "lib/ending.c": [], "lib/wound.c": [], "lib/evidence.c": [],
    "lib/life.c:start_limit_is_spent": [],
}
STORIES = ["backoff", "outcome", "evidence", "core", "life", "depend"]
FEW_WORLDS, MANY_WORLDS = "200", "2500"
is_quick = False


def limited(seconds):
    def limit():
        os.nice(10)
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    return limit


def passes(command, seconds, **environment):
    env = dict(os.environ, CMOCKA_TEST_ABORT="1", **environment)
    return subprocess.run(command, cwd=ROOT, env=env, preexec_fn=limited(seconds), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL).returncode == 0


WORLDS = [("few worlds", ["build/mutants/sim", "1", FEW_WORLDS, "brief"], 60)]
MORE_WORLDS = [("many worlds", ["build/mutants/sim", "1", MANY_WORLDS, "brief"], 600)]
DUMP = [("the dump alone", ["build/mutants/test_service"], 5)]


def stories(tests):
    return [(test, [f"build/mutants/test_{test}"], 5) for test in tests + STORIES]


def caught_by(catchers, **environment):
    """The fastest first."""
    for name, command, seconds in catchers:
        if not passes(command, seconds, **environment):
            return name
    return None


class Fault:
    """A mutant of a file."""

    def __init__(self, mutant, tests):
        self.mutant, self.tests = mutant, tests
        self.key = f"{mutant.file} {mutant.function}: {mutant.name}"

    def caught(self):
        """By whom; None: by nobody; "": it is no C."""
        folder = BUILD / f"worker-{threading.get_ident()}"
        folder.mkdir(parents=True, exist_ok=True)
        source, library = folder / os.path.basename(self.mutant.file), folder / "mutant.so"
        source.write_bytes(self.mutant.source((ROOT / self.mutant.file).read_bytes()))
        if not passes(["clang", *FLAGS, str(source), "-o", str(library)], 60):
            return ""
        return caught_by(stories(self.tests) + WORLDS + ([] if is_quick else MORE_WORLDS), LD_PRELOAD=str(library))


class Cell:
    """A mutant of the table."""

    def __init__(self, at, cell):
        self.change = f"{at} {cell}"
        self.key = f"cell {self.change}"

    def caught(self):
        return caught_by(stories([]) + WORLDS + DUMP, LD_PRELOAD=str(BUILD / "cell.so"), CELL=self.change)


# ---- which ----

def cells():
    """Of each cell that may be visited: ignored, a bug, any other state, any other action."""
    dump = (ROOT / "tests/unit/test_service.c").read_text().split("golden[] =")[1].split(";")[0]
    rows = [line.strip().strip('"').removesuffix("\\n").split() for line in dump.splitlines() if "\\n" in line]
    states = list(dict.fromkeys(row[0] for row in rows))
    actions = sorted({row[4] for row in rows if row[2] == "->"} | {"none"})
    for state, event, *cell in rows:
        at, now = f"{state} {event}", " ".join(cell)
        if now == "never":
            continue
        to, action = cell[1:] if cell[0] == "->" else (state, None)
        others = ["ignored", "never", *(f"-> {s} {action}" for s in states if action), *(f"-> {to} {a}" for a in actions)]
        same = {now, f"-> {state} none"} if now == "ignored" else {now}
        yield from (Cell(at, other) for other in others if other not in same)


def faults(what):
    path, _, function = what.partition(":")
    tests = next((tests for name, tests in FILES.items() if name.split(":")[0] == path), [])
    return [Fault(m, tests) for m in mutate.Mutator(path, function.split(",") if function else []).mutants()]


def chosen(arguments):
    if not arguments:
        arguments = ["cells", *FILES]
    if arguments == ["--again"]:
        keys = set(json.loads(SURVIVORS.read_text()))
        return [m for m in chosen([]) if m.key in keys]
    return [m for what in arguments for m in (cells() if what == "cells" else faults(what))]


# ---- what is known of them ----

def explanations():
    """{mutant: why nobody can tell it from the original}: lines of mutants, and below them, indented, the reason of these."""
    reasons, waiting = {}, []
    for line in EQUIVALENT.read_text().splitlines():
        if line.startswith("\t"):
            reasons.update((key, line.strip()) for key in waiting)
            waiting = []
        elif line and not line.startswith("#"):
            waiting.append(line)
    if waiting:
        sys.exit(f"mutants: no reason for {waiting}")
    return reasons


def judge(mutants):
    results, began = {}, time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for mutant, by in zip(mutants, pool.map(lambda m: m.caught(), mutants)):
            results[mutant.key] = by
            if by is None:
                print(f"survives: {mutant.key}", flush=True)
            if len(results) % 100 == 0:
                print(f"mutants: {len(results)} of {len(mutants)}, {time.monotonic() - began:.0f} s", flush=True)
    return {key: by for key, by in results.items() if by != ""}


def main(arguments):
    global is_quick
    os.chdir(ROOT)
    is_quick = arguments[:1] == ["--quick"]
    arguments = arguments[is_quick:]
    known = explanations()
    if caught_by(stories(sorted({test for tests in FILES.values() for test in tests})) + WORLDS + MORE_WORLDS + DUMP):
        sys.exit("mutants: something fails without any")
    mutants = chosen(arguments)
    results = judge(mutants)
    survivors = [key for key, by in results.items() if by is None]
    SURVIVORS.write_text(json.dumps(survivors, indent=1))
    unexplained = [key for key in survivors if key not in known]
    asked = {m.key for m in mutants}
    wrong = [key for key in known if key in asked and results.get(key) or not arguments and key not in asked]
    for key in unexplained:
        print(f"mutants: nobody notices {key}")
    for key in wrong:
        print(f"mutants: explained, but {'caught' if key in asked else 'no mutant'}: {key}")
    by = {}
    for name in results.values():
        by[name or "nobody"] = by.get(name or "nobody", 0) + 1
    print("mutants: by", ", ".join(f"{name} {n}" for name, n in by.items()))
    n = len(results) - len(survivors)
    print(f"mutants: caught {n}/{len(results)}, {len(survivors) - len(unexplained)} of the others explained")
    return 1 if unexplained or wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
