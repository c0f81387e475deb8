#!/usr/bin/python3
"""Fails each system call of PID 1 and of its children before their exec, one at a time, and looks whether anybody was forgotten.

    fault.py [--sample] [--world NAME]... [--only REGEX]

First a life without failures tells which sites there are (worlds.py, inject.c). Then the same life once for each site, errno and
occurrence. After each: every wanted service is up and none of them twice, no bug is counted, no zombie and no descriptor left, PID 1
answers and goes down when told; what was lost was told on the console, and not a hundred times.
"""
import argparse
import collections
import dataclasses
import errno
import multiprocessing
import os
import re
import sys
import time
import traceback

from board import PLAUSIBLE, ROOT, Order, all_places, str_site, where
from worlds import WORLDS, Wrong

N_WORKERS = 6           # on two CPUs: most of a life is waiting
N_BASES = 3
BURST_MS = 700
FLOOD, LINES_A_TRY = 40, 6      # lines more than without a failure; and for each try to start a service, which its unit asks for


@dataclasses.dataclass
class Result:
    world: str
    order: Order = None
    wrong: str = ""
    final: dict = dataclasses.field(default_factory=dict)
    console: str = ""
    n_tries: int = 0
    n_failed: int = 0
    sites: dict = dataclasses.field(default_factory=dict)
    seconds: float = 0.0

    def lines(self):
        """What was said, without numbers, which differ from life to life."""
        return [re.sub(r"\d+", "#", line) for line in self.console.splitlines() if line.startswith("oomph: ")]


def live(task):
    world, order = task
    result, began = Result(world, order), time.monotonic()
    box = None
    try:
        box = WORLDS[world](*([order] if order else []))
        with box:
            result.final = box.live()
        if box.said("a bug of oomph"):
            raise Wrong(box.said("a bug of oomph"))
    except Wrong as e:
        result.wrong = str(e)
    except Exception:                   # noqa: BLE001: what the test itself stumbles over is a failure, too
        result.wrong = traceback.format_exc()
    if box:
        result.console, result.n_tries, result.n_failed, result.sites = box.console, box.n_tries, box.board.n_failed, box.board.sites()
        box.board.close()
    result.seconds = time.monotonic() - began
    return result


# ---- which ----

def orders(site, n, is_sample):
    """What may go wrong there, by its man page."""
    hows = PLAUSIBLE.get(site.name, [])
    for how in hows[:1] if is_sample else hows:
        yield Order(how, site)
    if hows and not is_sample:
        yield from (Order(hows[0], site, first=k, last=k) for k in (2, 3, 5) if k <= n)
        if n > 1:
            yield Order(hows[0], site, last=0, window_ms=BURST_MS)


# ---- judging ----

class Base:
    """What is to be expected of a world: a few lives without failures."""

    def __init__(self, results):
        for r in results:
            assert not r.wrong, f"{r.world} does not even live without a failure: {r.wrong}\n{r.console}"
        self.finals = [r.final for r in results]
        self.n_tries = max(r.n_tries for r in results)
        self.lines = collections.Counter()
        for r in results:
            self.lines |= collections.Counter(r.lines())
        self.sites = {site: n for r in results for site, n in r.sites.items()}

    def news(self, result):
        return list((collections.Counter(result.lines()) - self.lines).elements())

    def judge(self, r):
        news = self.news(r)
        if r.wrong:
            return r.wrong
        if len(news) > FLOOD + LINES_A_TRY * sum(line.endswith(": starting") for line in news):
            return f"{len(news)} lines, for example {news[:3]}"
        if r.final["descriptors"] is not True:
            return f"{len(r.final['descriptors'])} descriptors are left open"
        if not news and r.final not in self.finals:
            return f"not told: {[item for item in r.final.items() if item not in self.finals[0].items()]}"
        return ""


def say(text):
    print(text, flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sample", action="store_true", help="each site once, with its likeliest error")
    parser.add_argument("--world", action="append", choices=WORLDS)
    parser.add_argument("--only", default="", help="sites and errors that match")
    parser.add_argument("--workers", type=int, default=N_WORKERS)
    args = parser.parse_args()
    began = time.monotonic()
    worlds = args.world or list(WORLDS)
    reached, passed_sites, wrong, n_runs, n_idle = set(), set(), [], 0, 0
    report = open(ROOT / "build/fault/report", "w")
    with multiprocessing.Pool(args.workers) as pool:
        bases = {}
        for world in worlds:
            bases[world] = Base(pool.map(live, [(world, None)] * N_BASES))
        tasks = []
        taken = set()
        for world in worlds:
            for site, n in sorted(bases[world].sites.items()):
                if site in taken:
                    continue            # what all worlds have is looked at in the first
                taken.add(site)
                tasks += [(world, o) for o in orders(site, n, args.sample) if re.search(args.only, f"{world} {o}")]
        say(f"{len(tasks)} lives, {len(taken)} sites")
        for r in pool.imap_unordered(live, tasks):
            n_runs += 1
            passed_sites |= set(r.sites)
            n_idle += r.n_failed == 0
            verdict = bases[r.world].judge(r)
            news = bases[r.world].news(r)
            print(f"{'WRONG' if verdict else 'ok'} {r.world}: {r.order} ({r.n_failed} failed, {r.seconds:.1f} s) {verdict}", *news, sep="\n\t",
                  file=report, flush=True)
            if verdict:
                wrong.append((r, verdict))
                say(f"{r.world}: {r.order}: {verdict}")
                for line in news[:6]:
                    say(f"\t{line}")
    at = {s.at for s in passed_sites}
    places = all_places()
    say(f"fault: {n_runs} lives in {time.monotonic() - began:.0f} s, {len(wrong)} wrong; {n_idle} in which nothing failed; "
        f"{len(at & set(places))} of {len(places)} places reached, {len(passed_sites)} sites")
    with open(ROOT / "build/fault/unreached", "w") as f:
        for a in sorted(set(places) - at, key=where):
            print(*where(a), places[a], file=f)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
