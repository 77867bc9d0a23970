#!/usr/bin/env python3
"""Rebuilds clock_changes.csv here, and rating-core/src/time/zone_changes.csv.

    python3 rebuild.py OLD NEW

OLD and NEW are folders into which two releases of the package `tzdata` are unpacked: the release of the IANA database
that the crate chrono-tz is made from, and the newest one.

    python3 -m pip install --no-deps --target OLD tzdata==2025.2
    python3 -m pip install --no-deps --target NEW tzdata==2026.6

clock_changes.csv has every clock change from 1996 to 2040 of eight zones by NEW, one a line: the zone, the first second on
the new offset, and the offsets before and after in seconds east of UTC. zone_changes.csv has, for every zone in which NEW
differs from OLD, all changes from the first difference on; it is what the product adds to chrono-tz. Both are by Python's
zoneinfo, which reads the compiled files of the IANA database and knows nothing of the product.
"""

import datetime
import pathlib
import sys
import zoneinfo

CHECKED = [
    "Africa/Casablanca",
    "America/New_York",
    "America/Sao_Paulo",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Australia/Sydney",
    "Europe/Berlin",
    "Europe/London",
]
HERE = pathlib.Path(__file__).parent
CORE = HERE / "../../rating-core/src/time/zone_changes.csv"


def second(year):
    return int(datetime.datetime(year, 1, 1, tzinfo=datetime.UTC).timestamp())


def shown(at):
    return datetime.datetime.fromtimestamp(at, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Release:
    """The zones of one release of the package."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder) / "tzdata"
        self.names = (self.folder / "zones").read_text(encoding="utf-8").split()
        text = (self.folder / "__init__.py").read_text(encoding="utf-8")
        self.version = text.split('IANA_VERSION = "')[1].split('"')[0]

    def changes(self, name, since, until):
        """The offset at `since`, and every later change as (second, offset)."""
        with (self.folder / "zoneinfo" / name).open("rb") as file:
            zone = zoneinfo.ZoneInfo.from_file(file, key=name)

        def offset(at):
            return int(datetime.datetime.fromtimestamp(at, zone).utcoffset().total_seconds())

        found = []
        # Half a day at a time, so that no two changes fall into one step.
        at, now = since, offset(since)
        first = now
        while at < until:
            next_at = at + 43_200
            if offset(next_at) != now:
                low, high = at, next_at
                while high - low > 1:
                    middle = (low + high) // 2
                    low, high = (middle, high) if offset(middle) == now else (low, middle)
                now = offset(high)
                found.append((high, now))
            at = next_at
        return first, found


def main():
    old, new = (Release(folder) for folder in sys.argv[1:3])
    lines = [f"# By zoneinfo, IANA database {new.version}; made by rebuild.py.", "zone,at,before_s,after_s"]
    for name in CHECKED:
        before, changes = new.changes(name, second(1996), second(2041))
        if not changes:
            changes = [(second(1996), before)]
        for at, after in changes:
            lines.append(f"{name},{shown(at)},{before},{after}")
            before = after
    (HERE / "clock_changes.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")

    lines = [
        f"# What the IANA database {new.version} changes of {old.version}, by Python's zoneinfo; made by testdata/zones/rebuild.py.",
        "# A zone's own changes hold until its first line here; from then on these, to the year 2100.",
        "zone,at,after_s",
    ]
    for name in new.names:
        if name not in old.names:
            sys.exit(f"{name} is new: chrono-tz does not know it")
        was, other = old.changes(name, second(1996), second(2038))
        before, changes = new.changes(name, second(1996), second(2038))
        if (was, other) == (before, changes):
            continue
        if was != before:
            sys.exit(f"{name} differs at the beginning of 1996")
        same = next((i for i, pair in enumerate(zip(other, changes)) if pair[0] != pair[1]), min(len(other), len(changes)))
        first = min(at for at, _ in other[same : same + 1] + changes[same : same + 1])
        held = changes[same - 1][1] if same else before
        _, changes = new.changes(name, first - 1, second(2100))
        if changes[:1] == [] or changes[0][0] != first:
            # The change that does not happen any more.
            lines.append(f"{name},{shown(first)},{held}")
        lines.extend(f"{name},{shown(at)},{after}" for at, after in changes)
    CORE.write_text("\n".join(lines) + "\n", encoding="utf-8")


main()
