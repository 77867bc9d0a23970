#!/usr/bin/env python3
"""Writes a random tariff and random calls to try it with.

    generate.py --seed N [--calls N] [--features LIST] [--without LIST] DIR

DIR gets settings, decks and what they name, `calls.jsonl`, and `price.json`: the arguments of `rating price`. One seed always
makes the same files. Tariffs are small and use attributes freely; about half of the calls lie at an edge of something: a band, a
holiday, a clock change, a version, a row's dates, an increment, a step, a cap's window, a grace.
"""

import argparse
import csv
import json
import random
import sys
from datetime import date, datetime, timedelta, timezone
from fractions import Fraction
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import clock  # noqa: E402
import dialplan  # noqa: E402
import reading  # noqa: E402

FEATURES = (
    "keys conditions inbound components steps caps rounding minimums durations increments units percent bands days split "
    "versions version_split parents price_points surcharges connection_bands wholesale caller_zone site_calendar status"
).split()

# Connection charges by band for all rows of a tariff (`connection_charge = { day = "1p" }`): charges have them, rows do not yet.
NOT_YET = frozenset(("connection_bands",))

# Numbers of every class, valid in length, of the countries whose plans the oracle knows and of others without a plan: `#` is any digit. Fictitious ones where the plans set some aside.
CALLED = """44207946#### 442079460### 441614960### 441632960### 442896496### 441534960### 443069990### 443001234###
447700900### 447700900### 447911123### 447797712### 447624000### 447012345### 447600123### 448454960### 448441234###
448700000### 445601234### 448081570### 448001111## 449098790### 449061234### 12125550### 14165550### 18005550###
19005550### 15005550### 17005550### 4930123456## 491511234#### 4917612345### 4990012345### 491801234### 497001234####
4980012345## 33199001### 33612345### 33800123### 33891234### 33811234### 35312345## 35386123#### 353818123###
881612345### 870773111### 882161234### 979123456### 80012345### 80812345### 380443123## 380671234### 971450123##
50761234### 67931234### 92213456####""".split()  # fmt: skip
CALLERS = """442079460### 441614960### 441534960### 447700900### 447700900### 447797712### 33612345### 33199001###
4930123456## 491511234#### 12125550### 14165550### 35312345## 35386123#### 380443123## 971450123##""".split()
SHORT = "101 105 111 116123 119 118500 118118 118247 100 123 151 159 195 1471 1571 17070".split()
NO_CALLERS = ("", None, "anonymous", "withheld", "2001", "alice")
BAD_CALLERS = ("+123", "+1234567890123456", "+9991234567", "+2101234567")
ZONES = "Europe/London Europe/Berlin America/New_York America/St_Johns Australia/Lord_Howe Asia/Kathmandu UTC".split()
TRUNKS = ("alpha", "beta", "1507", "Trunk 3")
CODES = ("UK GEOGRAPHIC", "FM1", "fm1", "SPECIAL")
CURRENCIES = {"GBP": "p", "EUR": "ct", "USD": "ct", "JPY": None}
FIRST, LAST = date(2026, 1, 1), date(2027, 12, 31)
LOW = clock.instant("2026-01-01T00:00:00Z")
HIGH = clock.instant("2027-12-31T00:00:00Z")


def toml(value):
    """A value of a settings file."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return json.dumps(value)
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(toml, value)) + "]"
    return "{ " + ", ".join(f"{key} = {toml(one)}" for key, one in value.items()) + " }"


def write_settings(path, settings):
    """Plain keys first, then the tables; a table of tables is `[name.one]`."""
    lines = []
    tables = {}
    for key, value in settings.items():
        if key in ("bands", "holidays", "origins"):
            tables[key] = value
        elif key in ("band_sets", "days", "charges", "surcharges"):
            tables.update({f"{key}.{name}": one for name, one in value.items()})
        else:
            lines.append(f"{key} = {toml(value)}")
    for name, one in tables.items():
        lines += ["", f"[{name}]", *(f"{key} = {toml(value)}" for key, value in one.items())]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


class Tariff:
    """One settings file with its decks, in the making."""

    def __init__(self, project, name, file, start, until, **fixed):
        self.project, self.r, self.on = project, project.r, project.on
        self.currency, self.file = project.currency, file
        self.interesting = set()
        # Durations worth a call.
        self.lengths = project.lengths
        r = self.r
        self.settings = s = {"id": name, "currency": self.currency, "from": start}
        if until:
            s["until"] = until
        s.update(fixed)
        minor = CURRENCIES[self.currency]
        self.price_unit = r.choice([None, minor or self.currency, self.currency])
        self.price_time = r.choice(["min", "min", "s", "h", "90s", "3min"] if self.on("units") else ["min"])
        if self.price_unit:
            s["prices"] = f"{self.price_unit}/{self.price_time}"
        self.fee_unit = self.price_unit
        if r.random() < 0.3:
            self.fee_unit = s["fees"] = minor or self.currency
        self._time()
        self._rules()
        s["decks"] = [f"{file}-{index}.csv" for index in range(r.choice([1, 1, 2]))]
        self._charges()

    def chance(self, share, feature=None):
        return (feature is None or self.on(feature)) and self.r.random() < share

    # Texts ----------------------------------------------------------------------------------------------------------

    def number(self, most, decimals=None):
        r = self.r
        decimals = r.choice([0, 0, 1, 2, 3, 4]) if decimals is None else decimals
        value = r.randrange(0, most * 10**decimals + 1) if r.random() < 0.95 else 0
        return f"{value // 10**decimals}" + (f".{value % 10**decimals:0{decimals}}" if decimals else "")

    def price(self, per=None, flat=True):
        """A price cell. `per` forces the time; `flat` allows prices per call."""
        r = self.r
        minor = CURRENCIES[self.currency]
        text = self.number(30)
        if per is None and flat and self.chance(0.08, "units"):
            return f"{text}{minor or self.currency}/call"
        form = r.randrange(4)
        if per is None and form == 0 and self.price_unit:
            return text
        if per is None and form == 1 and self.price_unit and minor:
            return text + minor
        per = per or (r.choice(["s", "min", "min", "min", "h", "90s", "3min", "2h", "17s"]) if self.on("units") else "min")
        if form == 2 and minor:
            return f"{Fraction(int(text.replace('.', '')), 1)}{minor}/{per}" if per == "h" else f"{text}{minor}/{per}"
        return f"{self.number(1, 4)} {self.currency}/{per}"

    def fee(self, most=30):
        minor = CURRENCIES[self.currency]
        if self.fee_unit and self.r.random() < 0.4:
            return self.number(most, self.r.choice([0, 1, 2]))
        if minor and self.r.random() < 0.7:
            return self.number(most, self.r.choice([0, 1, 2])) + minor
        return f"{self.number(1, 2)} {self.currency}"

    def step_money(self):
        minor = CURRENCIES[self.currency]
        if minor is None:
            return self.r.choice(["1 JPY", "10 JPY", "0.5 JPY"])
        return self.r.choice([f"1{minor}", f"0.1{minor}", f"0.5{minor}", f"10{minor}", f"0.07{minor}", f"0.01 {self.currency}"])

    def length(self, *choices):
        """A duration, remembered as worth a call."""
        text = self.r.choice(choices)
        self.lengths.add(reading.duration_ms(text))
        return text

    def increment(self, further=False):
        r = self.r
        choices = ["1", "1/1", "60", "60/1", "60/60", "30/6", "6", "1/60", "57.6/57.6", "0.5/0.1", "45/15", "7/11"]
        text = r.choice(choices + (["none"] if self.on("increments") else []))
        if further:
            text = r.choice(["1", "60", "6/6", "20", "0.1", "57.6", "90/90"])
        if text != "none":
            self.lengths.update(reading.seconds_ms(part) for part in text.split("/"))
        return text

    # Settings -------------------------------------------------------------------------------------------------------

    def _time(self):
        r, s = self.r, self.settings
        if self.on("caller_zone") and r.random() < 0.12:
            s["zone"] = "caller"
            s["caller_zones"] = "zones.csv"
            self.project.zones_csv()
        elif r.random() < 0.7:
            s["zone"] = r.choice([*ZONES, "site"])
        own = []
        if self.chance(0.6, "days"):
            days = {}
            for name in r.sample(["xmas", "bridge", "carnival", "half_day"], r.choice([0, 1, 1, 2, 3])):
                days[name] = self._day(name)
            if r.random() < 0.7:
                holiday = self._day("holiday")
                if r.random() < 0.5:
                    s["holidays"] = holiday
                else:
                    days["holiday"] = holiday
            if days:
                s["days"] = days
            own = [*days, *(["holiday"] if "holidays" in s else [])]
            own = [name for name in own if "count_as" not in days.get(name, s.get("holidays", {}))]
        names = r.sample(["day", "evening", "night", "weekend", "peak"], r.choice([1, 2, 3, 4]))
        if self.chance(0.75, "bands"):
            s["bands"] = self._bands(names, own)
        if self.chance(0.4, "bands"):
            sets = [name for name in ("premium_hours", "alt") if r.random() < 0.6]
            s["band_sets"] = {
                name: self._bands(r.sample(["day", "evening", "night", "quiet"], r.choice([1, 2, 3])), own) for name in sets
            }

    def _day(self, name):
        r = self.r
        one = {}
        days = [FIRST + timedelta(days=r.randrange(730)) for _ in range(r.choice([1, 2, 6]))]
        dates = []
        for day in days:
            until = day + timedelta(days=r.choice([0, 0, 1, 5]))
            dates.append(f"{day}..{until}" if until > day else str(day))
        one["dates"] = dates
        if r.random() < 0.3:
            one["easter"] = r.sample([-48, -47, -2, 0, 1, 26, 39, 49, 50, 60], 2)
        calendars = []
        if r.random() < 0.4:
            file = f"{self.file}-{name}.csv"
            rows = sorted({FIRST + timedelta(days=r.randrange(730)) for _ in range(5)})
            self.project.table(file, ["date", "name"], [[str(day), "Some day"] for day in rows])
            calendars.append(file)
        if r.random() < 0.3:
            calendars.append(r.choice(["GB-ENG", "DE", "FR"]))
        if self.on("site_calendar") and r.random() < 0.2:
            calendars.append("site")
        if calendars:
            one["calendar"] = calendars
        if r.random() < 0.2:
            one["only"] = r.choice(["mon-fri", "sat-sun", "mon-sat", "fri"])
        if r.random() < 0.25:
            one["count_as"] = r.choice(["sun", "sat", "mon"])
        return one

    def _bands(self, names, own):
        r = self.r
        while True:
            groups = r.choice([
                ["mon-sun"], ["mon-fri", "sat-sun"], ["mon-thu", "fri", "sat,sun"], ["mon,wed", "tue", "thu-sun"],
                ["mon-sat", "sun"],
            ])  # fmt: skip
            groups = groups + [name for name in own if r.random() < 0.7]
            table = {name: [] for name in names}
            for group in groups:
                edges = sorted(r.sample(["06:00", "07:30", "08:00", "12:00", "17:59:59", "18:00", "22:15:30", "01:00", "02:30"],
                                        r.choice([0, 0, 1, 2, 3])))  # fmt: skip
                if not edges:
                    table[r.choice(names)].append(group)
                    continue
                spans = list(zip(edges, edges[1:]))
                spans.append((edges[-1], edges[0]))  # over midnight, of the same days
                if len(edges) == 1:
                    spans = [("00:00", edges[0]), (edges[0], "00:00")] if r.random() < 0.5 else [("00:00", edges[0]), (edges[0], "24:00")]
                taken = {}
                for low, high in spans:
                    taken.setdefault(r.choice(names), []).append(f"{low}-{high}")
                for name, texts in taken.items():
                    if r.random() < 0.5:
                        table[name].append(f"{group} {','.join(texts)}")
                    else:
                        table[name] += [f"{group} {text}" for text in texts]
            if all(table.values()):
                return table

    def _rules(self):
        r, s = self.r, self.settings
        if r.random() < 0.6:
            s["increments"] = self.increment()
        if r.random() < 0.4:
            by_band = self.on("connection_bands") and r.random() < 0.3
            s["connection_charge"] = self._by_band("", self.fee) if by_band else self.fee()
        if self.chance(0.4, "minimums"):
            s["minimum_charge"] = self.fee()
        if self.chance(0.3, "minimums"):
            s["minimum_stage"] = r.choice(["after-connection", "before-connection", "after-rounding"])
        if self.chance(0.25, "minimums"):
            s["maximum_charge"] = self.fee(300)
        if self.chance(0.7, "rounding"):
            s["rounding"] = self._rounding(("usage", "component", "call", "bill"))
        if self.on("durations"):
            if r.random() < 0.3:
                s["duration_rounding"] = self.duration_rounding()
            if r.random() < 0.2:
                s["free_below"] = self.length("3s", "1s", "5.5s")
            if r.random() < 0.2:
                s["subtract"] = self.length("2s", "0.5s", "10s")
            if r.random() < 0.2:
                s["minimum_duration"] = self.length("30s", "60s", "1.5s")
        if self.on("split"):
            s["boundary"] = r.choice(["start", "split", "split", "unit"])
            if s["boundary"] != "unit":
                s["overrun"] = r.choice(["end", "next", "alone"])
        if self.chance(0.2, "caps"):
            s["cap"] = self._cap()
        names = self.band_names("")
        if self.chance(0.3, "percent") and len(names) > 1:
            s["band_percent"] = self._percents(names)
        if r.random() < 0.3:
            s["fallback"] = r.sample(sorted(dialplan.PROTECTED), r.choice([1, 2, 4]))
        if self.on("conditions"):
            s["origin_by"] = r.choice(["presentation", "network"])
            s["origins"] = {"eea": ["33", "49", "353"], "islands": ["441534", "447797", "441481"]}
            if r.random() < 0.5:
                s["origins"]["zone1"] = f"{self.file}-zone1.csv"
                self.project.table(s["origins"]["zone1"], ["prefix"], [["971"], ["380"], ["1416"]])
            s["jurisdictions"] = "regions.csv"
            self.project.regions_csv()

    def duration_rounding(self):
        return self.r.choice(["up 1s", "down 1s", "nearest 1s", "nearest 6s", "up 0.1s", "down 6s", "none"])

    def _rounding(self, stages):
        r = self.r
        if r.random() < 0.1:
            return "none"
        one = lambda stage: {  # noqa: E731
            "stage": stage, "rule": r.choice(["up", "down", "half-up", "half-even"]), "step": self.step_money(),
        }  # fmt: skip
        if r.random() < 0.5 and "call" in stages:
            return one("call")
        return [one(stage) for stage in r.sample(stages, r.randrange(1, len(stages) + 1))]

    def _cap(self):
        r = self.r
        cap = {"charge": self.fee(60)}
        if r.random() < 0.8:
            cap["window"] = self.length("60min", "90s", "10min", "5min")
            if r.random() < 0.8:
                cap["then"] = r.choice(["price", "free", "whole", self.price(per=r.choice(["min", "s", "90s"]))])
        return cap

    def _percents(self, names):
        r = self.r
        chosen = r.sample(names, r.randrange(1, len(names)))
        return {name: r.choice(["40%", "50%", "120%", "0%", "33.3333%", "12.5%"]) for name in chosen}

    def band_names(self, name):
        table = self.settings.get("bands") if not name else self.settings.get("band_sets", {}).get(name)
        return list(table or {"all": 1})

    def _by_band(self, name, make):
        return {band: make() for band in self.band_names(name)}

    def timed(self):
        """One unit of time for prices that must share it."""
        return self.r.choice(["min", "90s", "3min", "17s"])

    # Charges --------------------------------------------------------------------------------------------------------

    def _charges(self):
        r, s = self.r, self.settings
        self.charge_names = []
        if self.on("components"):
            charges = {}
            for name in ["access", "service", "extra", "mixed"][: r.choice([0, 1, 2, 4])]:
                charges[name] = self._charge()
                if r.random() < 0.7:
                    charges[name] = {"tag": r.choice(["usage", "access", "service", "surcharge"]), **charges[name]}
            if charges:
                s["charges"] = charges
                self.charge_names += charges
        if self.chance(0.4, "price_points") and (self.fee_unit or True):
            file = s["price_points"] = f"{self.file}-points.csv"
            rows = []
            for index in range(1, 6):
                flat = r.choice(["", self.fee(500), self.fee(50)])
                rows.append([f"SC{index:03}", flat, r.choice(["", self.fee(60)]) if flat else self.fee(60),
                             r.choice(["0", "60", "30", ""]) if flat else r.choice(["0", ""])])  # fmt: skip
                self.charge_names.append(f"SC{index:03}")
            self.lengths.update((30_000, 60_000))
            self.project.table(file, ["code", "per_call", "per_minute", "included_s"], rows)
        if self.chance(0.4, "surcharges"):
            surcharges = {}
            for index in range(r.choice([1, 2])):
                one = self._charge()
                one["when"] = self._when()
                if r.random() < 0.4:
                    one["after_rounding"] = r.random() < 0.8
                surcharges[f"extra{index}"] = one
            s["surcharges"] = surcharges

    def _when(self):
        r = self.r
        choices = {
            "origin": lambda: r.sample(["missing", "invalid", "33", "44", "4477", "971"], 2),
            "destination": lambda: r.sample(["44", "447", "1", "33", "4490", "881"], 2),
            "class": lambda: r.sample(["mobile", "geographic", "premium", "ordinary", "service", "short_code", "free"], 3),
            "caller_type": lambda: r.sample(["fixed", "mobile", "payphone"], 2),
            "trunk": lambda: r.sample(TRUNKS, 2),
            "direction": lambda: "in",
        }
        if self.on("conditions") and "origins" in self.settings:
            choices["origin"] = lambda: r.sample(["eea", "islands", "missing", "44", "1"], 2)
        if not self.on("inbound"):
            del choices["direction"]
        names = r.sample(sorted(choices), r.choice([1, 1, 2]))
        return {name: choices[name]() for name in names}

    def _charge(self):
        r, s = self.r, self.settings
        one = {}
        sets = ["", *s.get("band_sets", {})]
        name = r.choice(sets)
        if name:
            one["bands"] = name
        bands = self.band_names(name)
        cuts = s.get("boundary", "start") != "start"
        end = s.get("overrun", "end") == "end" and s.get("boundary") != "unit"
        unit = self.chance(0.1, "increments")
        # Pulses: every price has a unit of time, and the same one where the call must have one.
        per = lambda: (self.timed() if unit else None)  # noqa: E731
        if self.chance(0.5, "steps"):
            one["steps"] = self._steps(name, unit, same=cuts and end)
        elif len(bands) > 1 and r.random() < 0.5:
            shared = per()
            one["price"] = {band: self.price(per=shared if cuts and end else per(), flat=not unit) for band in bands}
        elif unit or r.random() < 0.85:
            one["price"] = self.price(per=per(), flat=not unit)
            if self.chance(0.3, "percent") and len(bands) > 1:
                one["band_percent"] = self._percents(bands)
        if "steps" not in one and r.random() < 0.2:
            one["charge"] = self.fee()
        if unit:
            one["increments"] = "unit"
        elif r.random() < 0.5:
            one["increments"] = self.increment()
        if r.random() < 0.4 or not one.keys() & {"price", "steps"}:
            one["connection_charge"] = self.fee() if r.random() < 0.6 else self._by_band(name, self.fee)
        if self.on("minimums"):
            if r.random() < 0.25:
                one["minimum_charge"] = self.fee()
            if r.random() < 0.2:
                one["maximum_charge"] = self.fee(100)
        if self.on("durations"):
            if r.random() < 0.2:
                one["minimum_duration"] = self.length("30s", "60s", "2min")
            if r.random() < 0.2:
                one["duration_rounding"] = self.duration_rounding()
            if r.random() < 0.15:
                one["free_below"] = self.length("3s", "10s", "0s")
            if r.random() < 0.15:
                one["subtract"] = self.length("2s", "7s", "0s")
        if self.chance(0.25, "caps"):
            one["cap"] = self._cap()
        if self.chance(0.25, "rounding"):
            one["rounding"] = self._rounding(("usage", "component"))
        return one

    def _steps(self, name, unit, same):
        r = self.r
        starts = sorted(r.sample(["45s", "60s", "90s", "3min", "10min", "60min", "61.5s"], r.choice([0, 1, 2, 3])),
                        key=reading.duration_ms)  # fmt: skip
        self.lengths.update(map(reading.duration_ms, starts))
        steps = []
        for start in ["0s", *starts]:
            step = {"from": start}
            per = self.timed() if unit else None
            if unit or r.random() < 0.85:
                if len(self.band_names(name)) > 1 and r.random() < 0.4:
                    step["price"] = self._by_band(
                        name, lambda: self.price(per=per if same or not unit else self.timed(), flat=not unit)
                    )
                else:
                    step["price"] = self.price(per=per, flat=not unit)
            if "price" not in step or r.random() < 0.2:
                step["charge"] = self.fee()
            if not unit and r.random() < 0.5:
                step["increments"] = self.increment(further=start != "0s")
            steps.append(step)
        return steps

    # Rows -----------------------------------------------------------------------------------------------------------

    def write(self):
        """Writes settings and decks; rows that would be refused beside the others are left out."""
        r, s, folder = self.r, self.settings, self.project.folder
        path = folder / f"{self.file}.toml"
        write_settings(path, s)
        header = ["prefix", "destination", "class", "price", "connection", "minimum", "maximum", "increments", "from", "until"]
        header += ["status", "direction", "charges", "band_set", *reading.Row.CONDITIONS]
        bands = sorted({band for name in ("", *s.get("band_sets", {})) for band in self.band_names(name)})
        header += ["price_" + band for band in bands]
        r.shuffle(header)
        for deck in s["decks"]:
            with open(folder / deck, "w", encoding="utf-8") as file:
                file.write(",".join(header) + "\n")
        version = reading.Version(path, self.project.zone, self.project.zone, self.project.holidays)
        kept = {}
        decks = {deck: [] for deck in s["decks"]}
        for cells in self._rows():
            cells = {name: cells.get(name, "") for name in header}
            row = reading.Row(version, "", 0, cells)
            places = [kept.setdefault((row.direction if kind != "internal" else "", kind, text), []) for kind, text in row.keys]
            if any(row.conflicts(other) for place in places for other in place):
                continue
            if any(kind == "internal" for kind, _ in row.keys) and places[0]:
                continue
            for place in places:
                place.append(row)
            self.interesting.update(at for at in (row.start, row.until) if at is not None)
            decks[r.choice(s["decks"])].append(cells)
        for deck, rows in decks.items():
            used = [name for name in header if any(row[name] for row in rows) or name in ("prefix", "destination", "price")]
            used += [name for name in header if name not in used and name.startswith("price_")]
            lines = [[row[name] for name in used] for row in rows]
            self.project.table(deck, used, lines, noise=True)
        self.interesting.update(at for at in (version.start, version.until) if at is not None)
        version = self.project.load(path)
        for bands in version.band_sets.values():
            zones = [version.zone] if version.zone else sorted(set(version.caller_zones.values()))
            for zone in zones:
                timeline = version.timeline(bands, zone)
                for year in (2026, 2027):
                    starts, _ = timeline.around(clock.instant(f"{year}-06-01T00:00:00Z"))
                    self.interesting.update(r.sample(starts, min(30, len(starts))))
                stretches, _ = clock.offsets(zone, 2026, 2027)
                self.interesting.update(start for start, _ in stretches)
                for day_type in version.day_types:
                    for year in (2026, 2027):
                        for day in sorted(day_type._year(year)):
                            self.interesting.add(clock.local_midnight(day, zone))
                            self.interesting.add(clock.local_midnight(day + timedelta(days=1), zone))
        self.edges = sorted(at for at in self.interesting if LOW - 86_400_000 < at < HIGH)
        return version

    def _rows(self):
        r = self.r
        rows = []
        for prefix in self._prefixes():
            for _ in range(r.choice([1, 1, 1, 2, 3]) if self.on("conditions") else 1):
                rows.append(self._row(prefix))
            if self.chance(0.12):
                rows += self._dated(prefix)
        r.shuffle(rows)
        return rows

    def _prefixes(self):
        r = self.r
        found = [prefix for prefix in ("44", "441", "442", "443", "447", "448", "449", "1", "33", "49", "353") if r.random() < 0.6]
        for template in r.sample(CALLED, 12):
            digits = template.replace("#", "0")
            found.append(digits[: r.choice([1, 2, 3, 4, 5, 6, 8])])
        found += r.sample(["4484;4487", "44800;44808", "4471-4475;4477-4479", "4470", "449", "1900", "870;881;882", "4474-4479"], 4)
        if r.random() < 0.3:
            found.append('"4455,4456"'.strip('"'))
        if self.on("keys"):
            found += [f"number:+{self.project.number(r.choice(CALLED))}" for _ in range(4)]
            found += [f"short:{code}" for code in r.sample(SHORT, 4)]
            found += [f"short:{code}*" for code in r.sample(["1", "11", "118", "15", "1185", "14"], 2)]
            found += [f"code:{code}" for code in r.sample(CODES, 2)]
            found += [f"class:{name}" for name in r.sample(
                ["geographic", "mobile", "premium", "free", "directory", "short_code", "satellite", "service", "ordinary",
                 "non_geographic"], 3)]  # fmt: skip
            if r.random() < 0.4:
                found.append("*")
            if r.random() < 0.5:
                found.append("internal")
        return list(dict.fromkeys(found))

    def _dated(self, prefix):
        """Two rows that follow each other in time."""
        day = FIRST + timedelta(days=self.r.randrange(600))
        edge = self.r.choice([str(day), f"{day}T{self.r.randrange(24):02}:30:00+01:00"])
        first, second = self._row(prefix), self._row(prefix)
        first["until"] = second["from"] = edge
        first["from"] = second["until"] = ""
        return [first, second]

    def _row(self, prefix):
        r, s = self.r, self.settings
        internal = prefix == "internal"
        row = {"prefix": prefix, "destination": f"{self.file} {prefix} {r.randrange(1000)}".replace(",", " ").replace("*", "any")}
        if r.random() < 0.3 and not internal:
            row["class"] = r.choice(["geographic", "mobile", "premium", "personal", "service", "free", "directory", "ordinary"])
            if prefix.startswith("class:"):
                row["class"] = prefix[6:]
        if self.chance(0.06, "status"):
            row["status"] = r.choice(["blocked", "unknown"])
            return self._conditions(row)
        if self.chance(0.05, "status"):
            row["status"] = "offered"
        if self.chance(0.06, "wholesale") and self.project.buys and s["id"] != "buy":
            row["price"] = r.choice(["wholesale + 20%", "wholesale - 5%", "wholesale", "wholesale + 12.3456%", "wholesale+0%"])
            if r.random() < 0.4:
                row["destination"] = ""
            row["connection"] = r.choice(["", self.fee()])
            return self._conditions(row)
        name = r.choice(["", "", *s.get("band_sets", {})])
        if name:
            row["band_set"] = name
        if self.charge_names and r.random() < 0.4:
            names = r.sample(self.charge_names, min(len(self.charge_names), r.choice([1, 1, 2, 3])))
            row["charges"] = " + ".join(names)
            if r.random() < 0.5:
                if s.get("minimum_stage") == "before-connection" and "minimum_charge" in s:
                    # A row without a price has no usage of its own that such a minimum could hold for.
                    row["minimum"] = f"0 {s['currency']}"
                return self._conditions(row)
        self._prices(row, name)
        if r.random() < 0.2:
            row["connection"] = r.choice(["0", self.fee()]) if self.fee_unit else self.fee()
        if self.chance(0.2, "minimums"):
            row["minimum"] = self.fee()
        if self.chance(0.1, "minimums"):
            row["maximum"] = self.fee(200)
        return self._conditions(row)

    def _prices(self, row, name):
        r, s = self.r, self.settings
        bands = self.band_names(name)
        cuts = s.get("boundary", "start") != "start"
        end = s.get("overrun", "end") == "end" and s.get("boundary") != "unit"
        unit = self.chance(0.1, "increments")
        shared = self.timed()
        make = lambda: self.price(per=(shared if cuts and end else self.timed()) if unit else None, flat=not unit)  # noqa: E731
        if unit:
            row["increments"] = "unit"
        elif r.random() < 0.25:
            row["increments"] = self.increment()
        form = r.randrange(3)
        if form == 0 or len(bands) == 1 or not self.on("bands"):
            row["price"] = make()
        elif form == 1:
            row.update({f"price_{band}": make() for band in bands})
        else:
            row["price"] = make()
            row.update({f"price_{band}": make() for band in r.sample(bands, len(bands) - 1)})

    def _conditions(self, row):
        r = self.r
        if r.random() < 0.1:
            day = FIRST + timedelta(days=r.randrange(300))
            row["from"] = str(day)
            if r.random() < 0.5:
                row["until"] = str(day + timedelta(days=r.randrange(30, 400)))
        if self.chance(0.12, "inbound") and row["prefix"] != "internal":
            row["direction"] = "in"
        elif r.random() < 0.05 and row["prefix"] != "internal" and self.on("inbound"):
            row["direction"] = "out"
        if not self.on("conditions") or r.random() < 0.5:
            return row
        choices = {
            "origin": lambda: ";".join(r.sample(
                ["eea", "islands", "33", "44", "4420", "447", "1", "1416", "+380", "missing", "invalid"], r.choice([1, 2, 3]))),
            "jurisdiction": lambda: r.choice(["intra", "inter", "unknown"]),
            "caller_type": lambda: ";".join(r.sample(["fixed", "mobile", "payphone"], r.choice([1, 2]))),
            "trunk": lambda: ";".join(r.sample(TRUNKS, r.choice([1, 2]))),
            "only_class": lambda: ";".join(r.sample(
                ["geographic", "mobile", "premium", "free", "service", "ordinary", "directory"], 3)),
            "length": lambda: r.choice(["12", "10-12", "10-", "-12", "11-13", "-11", "3", "4-6"]),
        }  # fmt: skip
        if row["prefix"] == "internal":
            del choices["length"], choices["only_class"]
        for name in r.sample(sorted(choices), r.choice([1, 1, 2, 3])):
            row[name] = choices[name]()
        if "zone1" in self.settings.get("origins", {}) and "origin" in row and r.random() < 0.3:
            row["origin"] += ";zone1"
        return row


class Project:
    """A folder of tariffs and calls."""

    def __init__(self, folder, seed, features):
        self.folder, self.seed, self.features = Path(folder), seed, features
        self.r = random.Random(f"rating oracle {seed}")
        self.lengths = {1000, 60_000}
        self.folder.mkdir(parents=True, exist_ok=True)
        self.zone = self.r.choice(ZONES)
        self.holidays = "GB-ENG" if self.on("site_calendar") else None
        self.currency = self.r.choice([*CURRENCIES, "GBP", "GBP"])
        self.buys = self.on("wholesale") and self.r.random() < 0.5
        self.pool = [self.number(template) for template in CALLED for _ in range(2)]
        self.tariffs()

    def on(self, feature):
        return feature in self.features

    def number(self, template):
        return "".join(self.r.choice("0123456789") if sign == "#" else sign for sign in template)

    def table(self, name, header, rows, noise=False):
        with open(self.folder / name, "w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(header)
            for row in rows:
                if noise and self.r.random() < 0.05:
                    file.write("# a remark, with a comma\n" if self.r.random() < 0.5 else "\n")
                writer.writerow(row)

    def zones_csv(self):
        rows = [["44", "Europe/London"], ["33", "Europe/Paris"], ["1", "America/New_York"], ["1416", "America/Toronto"],
                ["49", "Europe/Berlin"], ["380", "Europe/Kyiv"], ["441534", "Europe/Jersey"]]  # fmt: skip
        self.table("zones.csv", ["prefix", "zone"], rows)

    def regions_csv(self):
        rows = [["4420", "london"], ["4416", "north"], ["44", "rest"], ["1212", "NY"], ["1416", "ON"], ["33", "rest"], ["4477", "london"]]
        self.table("regions.csv", ["prefix", "region"], rows)

    def load(self, path):
        return reading.Version(path, self.zone, self.zone, self.holidays)

    def tariffs(self):
        r = self.r
        chain = ["asked", *(["standard", "base"][: r.choice([0, 1, 2])] if self.on("parents") else [])]
        self.made, self.files, self.wholesale = [], [], []
        for index, name in enumerate(chain):
            fixed = {"parent": chain[index + 1]} if index + 1 < len(chain) else {}
            self.files += self.versions(name, fixed)
        if self.buys:
            if r.random() < 0.15:
                self.currency = "GBP" if self.currency != "GBP" else "EUR"
            self.wholesale += self.versions("buy", {})

    def versions(self, name, fixed):
        r = self.r
        starts = ["2026-01-01"]
        if self.on("versions"):
            for _ in range(r.choice([0, 1, 2])):
                day = FIRST + timedelta(days=r.randrange(20, 700))
                starts.append(r.choice([str(day), f"{day}T{r.randrange(24):02}:00:00Z", f"{day}T07:15:30+01:00"]))
        starts.sort()
        files = []
        for index, start in enumerate(starts):
            if index and start[:10] == starts[index - 1][:10]:
                continue
            until = None
            if index + 1 == len(starts) and self.on("versions") and start < "2027-10" and r.random() < 0.3:
                until = "2027-11-01"
            elif self.on("versions") and index + 1 < len(starts) and r.random() < 0.1:
                # A gap before the next one.
                early = date.fromisoformat(starts[index + 1][:10]) - timedelta(days=9)
                if str(early) > start[:10]:
                    until = str(early)
            if self.on("version_split") and r.random() < 0.5:
                fixed = {**fixed, "version_change": r.choice(["split", "split", "start"])}
            tariff = Tariff(self, name, f"{name}-{index}", start, until, **fixed)
            tariff.write()
            self.made.append(tariff)
            files.append(f"{name}-{index}.toml")
        return files

    # Calls ----------------------------------------------------------------------------------------------------------

    def calls(self, count):
        edges = sorted({at for tariff in self.made for at in tariff.edges})
        lengths = sorted(self.lengths)
        rows = [number for tariff in self.made for number in self.keyed(tariff)]
        for index in range(count):
            yield self.call(f"c{index}", edges, lengths, rows)

    def keyed(self, tariff):
        """Numbers that the rows of a tariff name."""
        version = self.load(self.folder / f"{tariff.file}.toml")
        for side in version.index.values():
            yield from sorted(side.get("number", {}))
            for prefix in sorted(side.get("prefix", {})):
                yield from (number for number in self.pool if number.startswith(prefix))

    def call(self, name, edges, lengths, rows):
        r = self.r
        record = {"id": name}
        kind = r.random()
        if kind < 0.82:
            called = "+" + (r.choice(rows) if rows and r.random() < 0.5 else r.choice(self.pool))
        elif kind < 0.96:
            called = r.choice(SHORT)
        elif kind < 0.98:
            called = r.choice(["999", "112"])
        else:
            called = "+" + self.number(r.choice(CALLED))
        direction = r.random()
        if direction < 0.12 and self.on("inbound"):
            record["direction"] = "in"
            if not called.startswith("+"):
                called = "+442079460123"
        elif direction < 0.15 and self.on("keys"):
            record["direction"] = "internal"
            called = "2002"
        elif direction < 0.8:
            record["direction"] = "out"
        if self.on("conditions") or self.on("surcharges"):
            caller = r.random()
            if caller < 0.85:
                calling = "+" + self.number(r.choice(CALLERS))
            elif caller < 0.95:
                calling = r.choice(NO_CALLERS)
                if record.get("direction") == "in" and calling in ("2001", "alice"):
                    calling = ""
            else:
                calling = r.choice(BAD_CALLERS)
        else:
            calling = "+442079460100"
        if record.get("direction") == "internal":
            calling = "2001"
        record["calling"] = calling
        if r.random() < 0.1:
            record["caller_type"] = "payphone"
        if self.on("keys") and r.random() < 0.1:
            record["charge_code"] = r.choice(CODES)
        if self.on("conditions") and r.random() < 0.3:
            record["trunk"] = r.choice([*TRUNKS, "gamma"])
        record["called"] = called
        length = self.duration(lengths)
        record["answered_at"] = self.moment(edges, length)
        record["duration"] = f"{length // 1000}s" if length % 1000 == 0 else f"{length / 1000:.3f}s"
        return record

    def duration(self, lengths):
        r = self.r
        form = r.random()
        if form < 0.5:
            length = r.choice(lengths) * r.choice([1, 1, 1, 2, 3]) + r.choice([0, 0, 1, -1, 1000, -1000, 500])
        elif form < 0.6:
            length = r.choice(lengths) + r.choice(lengths) + r.choice([0, 1, -1])
        elif form < 0.9:
            length = r.randrange(1, 600) * 1000 + r.choice([0, 0, 0, r.randrange(1000)])
        elif form < 0.99:
            length = r.randrange(1, 7200) * 1000
        else:
            length = r.choice([0, 1, r.randrange(1, 40_000_000)])
        return max(length, 0)

    def moment(self, edges, length):
        r = self.r
        form = r.random()
        if form < 0.3 or not edges:
            at = r.randrange(LOW // 1000, HIGH // 1000) * 1000
        elif form < 0.6:
            at = r.choice(edges) + r.choice([0, -1, 1, -1000, 1000, 500])
        elif form < 0.8:
            at = r.choice(edges) - length + r.choice([0, 0, -1, 1, 1000, -1000])
        else:
            at = r.choice(edges) - r.randrange(0, length + 1)
        moment = datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(milliseconds=at)
        text = moment.astimezone(timezone(timedelta(minutes=r.choice([0, 0, 60, -240, 330])))).isoformat(timespec="milliseconds")
        if at % 1000 == 0:
            text = text.replace(".000", "")
        return text.replace("+00:00", "Z") if r.random() < 0.8 else text


def make(folder, seed, count, features):
    """Writes a project; returns the arguments of `rating price`, paths relative to `folder`."""
    project = Project(folder, seed, features)
    with open(project.folder / "calls.jsonl", "w", encoding="utf-8") as file:
        for record in project.calls(count):
            file.write(json.dumps(record) + "\n")
    arguments = {"tariff": project.files, "id": "asked", "wholesale": project.wholesale, "zone": project.zone, "country": "GB"}
    if project.holidays:
        arguments["holidays"] = project.holidays
    (project.folder / "price.json").write_text(json.dumps(arguments) + "\n", encoding="utf-8")
    return arguments


def features_of(only, without):
    """`--features a,b` and `--without c` as a set."""
    chosen = set(only.split(",")) if only else set(FEATURES) - NOT_YET
    chosen -= set(without.split(",")) if without else set()
    if chosen - set(FEATURES):
        raise SystemExit(f"no such feature: {', '.join(sorted(chosen - set(FEATURES)))}; there are {', '.join(FEATURES)}")
    return frozenset(chosen)


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--calls", type=int, default=2000)
    parser.add_argument("--features", help="only these: " + ", ".join(FEATURES))
    parser.add_argument("--without", help="all but these")
    options = parser.parse_args(arguments)
    made = make(options.folder, options.seed, options.calls, features_of(options.features, options.without))
    print(json.dumps(made))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
