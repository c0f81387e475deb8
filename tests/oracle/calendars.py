"""Random calendar expressions, read by `systemd-analyze calendar` and by oomph, and everything that differs: the form that they are brought
to, and when they elapse next.

    tests/oracle/calendars.py [N [SEED]]        N of them, 20,000 when nothing is said

The same seed gives the same expressions. Near half of them are valid; of the others, most are but for a value, and some are malice.
"""
import datetime
import pathlib
import random
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
LOAD = ROOT / "build/bin/oomph-load"
BATCH = 400                     # expressions for one base time
ELAPSES = 3                     # asked of each

# ---- expressions ----

DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
SHORTHANDS = ("minutely hourly daily weekly monthly quarterly semi-annually semiannually bi-annually biannually yearly annually anually "
              "fortnightly secondly dail").split()
FIELDS = {"year": (1970, 2199), "month": (1, 12), "day": (1, 31), "hour": (0, 23), "minute": (0, 59), "second": (0, 59)}
# Those with one offset at all times, so that what is compared is not the days on which the others change theirs.
ZONES = ["UTC", "UTC", "UTC", "utc", "Utc", "Asia/Tokyo", "Etc/GMT+5", "Etc/GMT-14", "Etc/UTC", "Asia/Kolkata", "asia/tokyo", "Mars/Olympus", "Mars", "X"]
LETTERS = "0123456789*-~:,./@ MTWFSonuedhriatUTC+x\tä"


def number(rng, field):
    least, most = FIELDS[field]
    value = rng.choice([rng.randint(least, most), rng.randint(least, most), least, most])
    if rng.random() < 0.01:
        value = rng.choice([0, least - 1, most + 1, 60, 100, 2147, 2148, 2147483647, 2147483648, 4294967296, 18446744073709551616])
    text = str(abs(value))
    if field == "year" and rng.random() < 0.3:
        text = rng.choice([text[-2:], "0", "69", "70", "99", text, "2024", "2028", "2100"])
    elif rng.random() < 0.4:
        text = text.zfill(2)
    if field == "second" and rng.random() < 0.3:
        text += "." + rng.choice(["5", "25", "000001", "999999", "0", "1234567", "0000005", "9999996", "99999949", "", str(rng.randint(0, 999999))])
    return text


def step(rng, field):
    least, most = FIELDS[field]
    text = str(rng.choice([1, 2, 3, rng.randint(1, (most - least) // 2), rng.randint(1, most - least)]))
    if rng.random() < 0.02:
        text = rng.choice(["0", str(most - least + 1), "2147483648", ""])
    return text + (rng.choice([".5", ".25", ".000001", ".0"]) if field == "second" and rng.random() < 0.2 else "")


def values(rng, field):
    kind = rng.random()
    if kind < 0.5:
        return number(rng, field)
    if kind < 0.65:
        return f"{number(rng, field)}/{step(rng, field)}"
    pair = [number(rng, field) for _ in range(2)]
    if rng.random() < 0.9:
        pair.sort(key=lambda text: float(text + "0" if text.endswith(".") else text))
    return "..".join(pair) + (f"/{step(rng, field)}" if rng.random() < 0.4 else "")


def values_list(rng, field):
    kind = rng.random()
    if kind < 0.35:
        return "*"
    n = 1 if kind < 0.8 else rng.randint(2, 4) if kind < 0.998 else rng.randint(15, 20)
    return ",".join(values(rng, field) for _ in range(n))


def weekday(rng):
    day = rng.choice(DAYS)
    day = rng.choice([day, day[:3], day[:3]])
    return rng.choice([day, day, day, day.lower(), day.upper()])


def weekdays(rng):
    words = []
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        kind = rng.random()
        first, last = sorted(rng.sample(range(7), 2))
        between = rng.choice(["..", "..", "..", "-"])
        words.append(weekday(rng) if kind < 0.5 else DAYS[first][:3] + between + DAYS[last] if kind < 0.9 else weekday(rng) + between + weekday(rng))
    return ",".join(words) + ("," if rng.random() < 0.05 else "")


def date(rng):
    dash = rng.choice("---~")
    text = f"{values_list(rng, 'month')}{dash}{values_list(rng, 'day')}"
    return f"{values_list(rng, 'year')}-{text}" if rng.random() < 0.7 else text


def time(rng):
    text = f"{values_list(rng, 'hour')}:{values_list(rng, 'minute')}"
    return f"{text}:{values_list(rng, 'second')}" if rng.random() < 0.6 else text


def epoch(rng):
    return "@" + rng.choice(["0", "1", str(rng.randint(0, 7258118399)), "7258118399", "7258118400", "18446744073709551615", "253402300800", ""])


def right(rng):
    """As systemd.time(7) has it, by and large: values may be beyond what they can be."""
    kind = rng.random()
    if kind < 0.04:
        word = rng.choice(SHORTHANDS)
        parts = [rng.choice([word, word.upper(), word.capitalize()])]
    elif kind < 0.07:
        parts = [epoch(rng)]
    else:
        parts = [part(rng) for part, share in ((weekdays, 0.35), (date, 0.7), (time, 0.7)) if rng.random() < share]
    if rng.random() < 0.15:
        parts.append(rng.choice(ZONES))
    return (" " if rng.random() < 0.95 else "  ").join(parts)


def bent(rng, text):
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        i, j = sorted(rng.randint(0, len(text)) for _ in range(2))
        text = rng.choice([
            text[:i] + rng.choice(LETTERS) + text[i:],
            text[:i] + rng.choice(LETTERS) + text[i + 1:],
            text[:i] + text[i + 1:],
            text[:i] + text[i:j] + text[i:],
            text[:i] + text[j:],
        ])
    return text


def hostile(rng):
    return rng.choice([
        lambda: rng.choice("0123456789*-~:,./@ ") * rng.randint(1, 300),
        lambda: "".join(rng.choice(LETTERS) for _ in range(rng.randint(0, 40))),
        lambda: ",".join(rng.choice(DAYS)[:3] for _ in range(200)),
        lambda: "9" * rng.randint(1, 60) + ":00",
        lambda: f"*:*:0.{'9' * rng.randint(1, 60)}",
        lambda: " ".join(right(rng) for _ in range(2)),
        lambda: "*-*-1,1..31/2147483647,2",
        lambda: "*:" + ",".join(str(n) for n in range(60)) + ":" + ",".join(str(n) for n in range(60)),
    ])()


def expression(rng):
    kind = rng.random()
    return right(rng) if kind < 0.75 else bent(rng, right(rng)) if kind < 0.95 else hostile(rng)


# ---- what both say: None, where it is no expression; else its form and when it elapses, in seconds since the epoch ----

def seconds(text):
    then = datetime.datetime.strptime(text, "%a %Y-%m-%d %H:%M:%S UTC")
    return int(then.replace(tzinfo=datetime.timezone.utc).timestamp())


def systemd(base, texts):
    r = subprocess.run(["systemd-analyze", "calendar", f"--base-time=@{base // 1000000}.{base % 1000000:06}", f"--iterations={ELAPSES}", "--", *texts],
                       capture_output=True, text=True, env={"TZ": "UTC", "LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"})
    blocks = [[]]
    for row in r.stdout.splitlines():
        if row:
            blocks[-1].append(row.strip().partition(": ")[::2])
        else:
            blocks.append([])
    if len(blocks) != len(texts):
        sys.exit(f"systemd-analyze has told of {len(blocks)} expressions, not of {len(texts)}: {r.stderr}")
    for text, rows in zip(texts, blocks):
        told = dict(rows)
        if rows:
            yield told["Normalized form"], [seconds(when) for what, when in rows if when != "never" and (what == "Next elapse" or what.startswith("Iter."))]
        else:
            yield ("?", []) if f"Failed to determine next elapse for '{text}'" in r.stderr else None


def oomph(base, texts):
    r = subprocess.run([LOAD, "--calendar", str(base), *texts], capture_output=True, text=True, env={"TZ": "UTC"})
    rows = r.stdout.splitlines()
    if len(rows) != len(texts) or r.returncode:
        sys.exit(f"oomph-load has told of {len(rows)} expressions, not of {len(texts)}: {r.stderr}")
    for row in rows:
        form, *elapses = row.split("\t")
        yield None if row.startswith("error: ") else (form, [int(when) for when in elapses])


# ---- what differs ----

# What may: whether it does in this way, and why.
INTENDED = [
    (lambda text, base, theirs, ours: ours is None and re.search(r"@([\s+-]|\d{19})", text),
     "systemd reads the number behind @ by strtoul(3), and with it blanks, signs, and years of two digits before our era"),
    (lambda text, base, theirs, ours: theirs is None and re.search(r"~[^ ]*,", ours[0]),
     "systemd takes 28 days back from the end of a month, but 25 for the second of a list, 22 for the third: chain_valid() subtracts at each"),
    (lambda text, base, theirs, ours: theirs and ours and theirs[0] == "?" and (not ours[1] or skips(text, base, [], ours[1])),
     "systemd gives up after a thousand dates, find_next()"),
    (lambda text, base, theirs, ours: theirs and ours and theirs[0] == ours[0] and skips(text, base, theirs[1], ours[1]),
     "systemd 252 leaves out what comes right after a step that leads beyond the end of its field; asked from later on, it knows of it"),
]


def in_seconds(elapses):
    return [when // 1000000 for when in elapses]


def skips(text, base, theirs, ours):
    """The first elapse of ours that is not theirs is an earlier one, and to systemd as well once the time to start from is right before it."""
    i = next(i for i in range(ELAPSES) if theirs[i:i + 1] != in_seconds(ours)[i:i + 1])
    is_earlier = i < len(ours) and ours[i] > [base, *ours][i] and (i == len(theirs) or ours[i] // 1000000 < theirs[i])
    return is_earlier and next(systemd(ours[i] - 1, [text]))[1][:1] == in_seconds(ours)[i:i + 1]


def is_same(theirs, ours):
    return theirs is ours if theirs is None or ours is None else theirs == (ours[0], in_seconds(ours[1]))


def base_time(rng):
    """Anywhere, or where much ends at once."""
    year = rng.choice([1999, 2000, 2023, 2024, 2026, 2099, 2100, rng.randint(1971, 2198)])
    end = datetime.datetime(year, rng.choice([1, 1, 3, rng.randint(1, 12)]), 1, tzinfo=datetime.timezone.utc).timestamp()
    return rng.choice([int(end) * 1000000 - 1, int(end) * 1000000, rng.randrange(7226582400 * 1000000)])


def run(seed, n):
    """What differs among the n expressions of this seed, as lines."""
    rng = random.Random(f"calendars {seed}")
    found = []
    for first in range(0, n, BATCH):
        base = base_time(rng)
        texts = [expression(rng) for _ in range(min(BATCH, n - first))]
        for text, theirs, ours in zip(texts, systemd(base, texts), oomph(base, texts)):
            if not is_same(theirs, ours) and not any(is_meant(text, base, theirs, ours) for is_meant, _ in INTENDED):
                found.append(f"{text!r} from {base}: systemd: {theirs}, oomph: {ours}")
    return found


def main(args):
    n, seed = int(args[0]) if args else 20000, args[1] if len(args) > 1 else "1"
    found = run(seed, n)
    for difference in found:
        print(difference)
    print(f"oracle: {n} calendar expressions (seed {seed}), {len(found)} differences from systemd")
    return len(found) > 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
