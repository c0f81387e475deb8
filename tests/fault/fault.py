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
import multiprocessing
import re
import sys
import time
import traceback

from board import PLAUSIBLE, ROOT, Order, all_places, str_site, where
from lab import Lab
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


def live_in(lab, order):
    """The same, in the virtual machine."""
    result, began = Result(Lab.name, order), time.monotonic()
    result.wrong, result.final, result.console, result.sites, result.n_failed = lab.live(*([order] if order else []))
    result.seconds = time.monotonic() - began
    return result


# ---- which ----

def orders(site, n, is_sample):
    """What may go wrong there, by its man page."""
    hows = PLAUSIBLE[site.name]
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
        if r.final.get("descriptors", True) is not True:
            return f"{len(r.final['descriptors'])} descriptors are left open"
        if not news and r.final not in self.finals:
            return f"not told: {[item for item in r.final.items() if item not in self.finals[0].items()]}"
        return ""


def say(text):
    print(text, flush=True)


class Run:
    """All lives of one call of this program, and what is told of them."""

    def __init__(self, args):
        self.args = args
        self.began = time.monotonic()
        self.taken, self.seen = set(), set()
        self.n = self.n_wrong = self.n_idle = 0
        self.report = open(ROOT / "build/fault/report", "w")

    def tasks(self, world, sites, is_sample):
        """What all worlds have is looked at in the first."""
        for site, n in sorted(sites.items()):
            if site not in self.taken:
                self.taken.add(site)
                yield from ((world, o) for o in orders(site, n, is_sample) if re.search(self.args.only, f"{world} {o}"))

    def take(self, r, base):
        verdict, news = base.judge(r), base.news(r)
        self.n += 1
        self.n_wrong += bool(verdict)
        self.n_idle += r.n_failed == 0
        self.seen |= set(r.sites)
        print(f"{'WRONG' if verdict else 'ok'} {r.world}: {r.order} ({r.n_failed} failed, {r.seconds:.1f} s) {verdict}", *news, sep="\n\t",
              file=self.report, flush=True)
        if verdict:
            say("\n\t".join([f"{r.world}: {r.order}: {verdict}", *news[:6]]))

    def in_boxes(self, worlds):
        with multiprocessing.Pool(self.args.workers) as pool:
            bases = {world: Base(pool.map(live, [(world, None)] * N_BASES)) for world in worlds}
            tasks = [t for world in worlds for t in self.tasks(world, bases[world].sites, self.args.sample)]
            say(f"fault: {len(tasks)} lives for {len(self.taken)} sites in boxes")
            for r in pool.imap_unordered(live, tasks):
                self.take(r, bases[r.world])

    def in_machine(self):
        """What only the kernel's log, its tracepoints and a memory controller lead to; each with its likeliest error, for time is short there."""
        with Lab() as lab:
            base = Base([live_in(lab, None) for _ in range(N_BASES)])
            tasks = list(self.tasks(Lab.name, base.sites, True))
            say(f"fault: {len(tasks)} lives for what is left in a virtual machine")
            for _, order in tasks:
                self.take(live_in(lab, order), base)

    def end(self):
        places, at = all_places(), {site.at for site in self.seen}
        with open(ROOT / "build/fault/unreached", "w") as f:
            for a in sorted(set(places) - at, key=where):
                print(*where(a), places[a], file=f)
        say(f"fault: {self.n} lives in {time.monotonic() - self.began:.0f} s, {self.n_wrong} wrong, {self.n_idle} in which nothing failed; "
            f"{len(at & set(places))} of {len(places)} places reached (build/fault/unreached), {len(self.seen)} sites (build/fault/report)")
        return 1 if self.n_wrong else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sample", action="store_true", help="each site once, with its likeliest error, and no virtual machine")
    parser.add_argument("--world", action="append", choices=[*WORLDS, Lab.name])
    parser.add_argument("--only", default="", help="sites and errors that match")
    parser.add_argument("--workers", type=int, default=N_WORKERS)
    args = parser.parse_args()
    run = Run(args)
    worlds = args.world or [*WORLDS, *([] if args.sample else [Lab.name])]
    run.in_boxes([world for world in worlds if world in WORLDS])
    if Lab.name in worlds:
        run.in_machine()
    return run.end()


if __name__ == "__main__":
    sys.exit(main())
