#!/usr/bin/env python3
"""What a call costs by a CGRateS 0.x tariff-plan folder: a second opinion in exact fractions.

    cgrates_reference.py price DIR < calls.jsonl        one JSON line for each call
    cgrates_reference.py generate SEED FOLDERS CALLS OUT    random folders with calls and what they cost

Written from the CGRateS documentation (rals.rst: RatingProfile, RatingPlan, DestinationRate, Rate, Timing;
ratinglogic.rst) and from docs/import.md, section "CGRateS", not from the Rust. It works the other way round: it first
cuts the whole call at every edge, a list of pieces, and then lets each piece grow to its increments over the pieces
behind it. Only the standard library.
"""

import csv
import json
import os
import random
import re
import sys
from datetime import datetime, timedelta, timezone
from fractions import Fraction
from math import floor

NS = 10**9
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
MOST_FALLBACKS = 3  # a subject, its fallback, and the fallback's fallback


class NotRated(Exception):
    """Says why there is no price."""


# --- reading ---------------------------------------------------------------------------------------------------------


def rows(folder, name, width):
    path = os.path.join(folder, name)
    if not os.path.exists(path):
        return []
    found = []
    with open(path, newline="", encoding="utf-8-sig") as file:
        lines = file.read().splitlines()
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        cells = [cell.strip() for cell in next(csv.reader([line]))]
        assert len(cells) == width, f"{name}:{number}: {len(cells)} cells"
        found.append((number, cells))
    return found


def nanoseconds(text):
    """A Go duration; a bare number is nanoseconds, nothing is zero."""
    if text == "":
        return 0
    if re.fullmatch(r"\d+", text):
        return int(text)
    units = {"ns": 1, "us": 10**3, "ms": 10**6, "s": NS, "m": 60 * NS, "h": 3600 * NS}
    parts = re.findall(r"(\d+(?:\.\d+)?)(ns|us|ms|s|m|h)", text)
    assert "".join(number + unit for number, unit in parts) == text, text
    total = sum(Fraction(number) * units[unit] for number, unit in parts)
    assert total.denominator == 1, text
    return int(total)


def numbers(text):
    return None if text in ("", "*any") else {int(item) for item in text.split(";")}


def seconds_of_day(text):
    if text == "":
        return 0
    hours, minutes, seconds = text.split(";")[0].split(":")
    return int(hours) * 3600 + int(minutes) * 60 + int(seconds)


def instant(text):
    """Nanoseconds since 1970 and the offset (s) that the text is written with."""
    match = re.fullmatch(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)", text)
    moment = datetime.fromisoformat(match[1] + ("+00:00" if match[3] == "Z" else match[3]))
    whole = moment - EPOCH
    fraction = int((match[2] or "0").ljust(9, "0"))
    return (whole.days * 86400 + whole.seconds) * NS + fraction, int(moment.utcoffset().total_seconds())


class Timing:
    def __init__(self, tag, years=None, months=None, month_days=None, week_days=None, start=0):
        self.tag, self.years, self.months, self.month_days, self.start = tag, years, months, month_days, start
        self.week_days = None if week_days is None else {day % 7 for day in week_days}

    def holds(self, clock):
        """Whether it is active at a time of the wall clock."""
        for wanted, have in (
            (self.years, clock.year),
            (self.months, clock.month),
            (self.month_days, clock.day),
            (self.week_days, clock.isoweekday() % 7),
        ):
            if wanted is not None and have not in wanted:
                return False
        return clock.hour * 3600 + clock.minute * 60 + clock.second >= self.start


class Row:
    """A destination rate at a timing, as a rating plan offers it."""

    def __init__(self, line, destination, rate, method, decimals, max_cost, strategy, timing, weight):
        self.line, self.destination, self.rate = line, destination, rate
        self.method, self.decimals, self.max_cost, self.strategy = method, decimals, max_cost, strategy
        self.timing, self.weight = timing, weight

    def slot(self, position):
        fitting = [slot for slot in self.rate if slot["start"] <= position]
        if not fitting:
            raise NotRated("rating.no_rate_for_time")
        latest = max(slot["start"] for slot in fitting)
        return [slot for slot in fitting if slot["start"] == latest][-1]


class Folder:
    def __init__(self, folder):
        self.prefixes = {}
        for _, (tag, prefix) in rows(folder, "Destinations.csv", 2):
            tags = self.prefixes.setdefault(prefix, [])
            if tag not in tags:
                tags.append(tag)
        order = {}
        for _, (tag, _) in rows(folder, "Destinations.csv", 2):
            order.setdefault(tag, len(order))
        for tags in self.prefixes.values():
            tags.sort(key=order.get)
        timings = {}
        for _, (tag, years, months, month_days, week_days, time) in rows(folder, "Timings.csv", 6):
            if time.startswith("*"):
                continue
            timings[tag] = Timing(
                tag, numbers(years), numbers(months), numbers(month_days), numbers(week_days), seconds_of_day(time)
            )
        timings["*any"] = Timing("*any")
        rates = {}
        for _, (tag, fee, rate, unit, increment, start) in rows(folder, "Rates.csv", 6):
            rates.setdefault(tag, []).append(
                {
                    "fee": Fraction(fee or 0),
                    "rate": Fraction(rate or 0),
                    "unit": nanoseconds(unit) or NS,
                    "increment": nanoseconds(increment) or NS,
                    "start": nanoseconds(start),
                }
            )
        destination_rates = {}
        for line, cells in rows(folder, "DestinationRates.csv", 7):
            destination_rates.setdefault(cells[0], []).append((line, cells[1:]))
        self.plans = {}
        for _, (tag, rates_tag, timing, weight) in rows(folder, "RatingPlans.csv", 4):
            plan = self.plans.setdefault(tag, {})
            for line, (destination, rate, method, decimals, max_cost, strategy) in destination_rates[rates_tag]:
                plan.setdefault(destination, []).append(
                    Row(
                        line,
                        destination,
                        rates[rate],
                        method,
                        int(decimals or 0),
                        Fraction(max_cost or 0),
                        strategy,
                        timings[timing],
                        Fraction(weight or 0),
                    )
                )
        self.profiles = {}
        for _, (tenant, category, subject, since, plan, fallbacks) in rows(folder, "RatingProfiles.csv", 6):
            since = instant(since)[0] if since else -(10**30)
            keys = sorted(set(fallbacks.split(";"))) if fallbacks else []
            self.profiles.setdefault((tenant, category, subject), []).append((since, plan, keys))
        for activations in self.profiles.values():
            activations.sort(key=lambda activation: activation[0])

    # --- who prices which part of the call ---------------------------------------------------------------------------

    def rows_for(self, plan, called, clock):
        """The rows of the longest prefix with one that is active at `clock`; else those of `*any`; else none."""
        plan = self.plans[plan]
        if called not in ("", "*any"):
            raw = called.encode()
            for length in range(len(raw), 0, -1):
                best = None
                for tag in self.prefixes.get(raw[:length].decode(errors="replace"), []):
                    offered = plan.get(tag, [])
                    if any(row.timing.holds(clock) for row in offered):
                        weight = max([Fraction(0)] + [row.weight for row in offered])
                        if best is None or weight > best[0]:
                            best = (weight, offered)
                if best:
                    return best[1]
        return plan.get("*any", [])

    def parts(self, call, subject, start, end, depth):
        """[(from, rows)] that cover [start, end) without a hole, or None."""
        activations = self.profiles.get((call["tenant"], call["category"], subject))
        if activations is None or depth > MOST_FALLBACKS:
            return None
        before = [activation for activation in activations if activation[0] <= start][-1:]
        within = [activation for activation in activations if start < activation[0] < end]
        # Two activations of one moment: the later row counts.
        within = [one for at, one in enumerate(within) if at + 1 == len(within) or within[at + 1][0] > one[0]]
        found = []  # (from, rows or None, fallbacks)
        if not before:
            if not within:
                return None
            found.append((start, None, ["*any"]))
        for since, plan, fallbacks in before + within:
            offered = self.rows_for(plan, call["called"], call["clock"](start))
            if offered or fallbacks:
                found.append((max(since, start), offered or None, fallbacks))
        if not found or found[0][0] > start:
            return None
        covered = []
        for at, (since, offered, fallbacks) in enumerate(found):
            until = found[at + 1][0] if at + 1 < len(found) else end
            if offered:
                covered.append((since, offered))
                continue
            for fallback in fallbacks:
                others = self.parts(call, fallback, since, until, depth + 1)
                if others:
                    covered.extend(others)
                    break
            else:
                return None
        return covered

    # --- what it costs -----------------------------------------------------------------------------------------------

    def price(self, line):
        start, offset = instant(line["answered_at"])
        length = nanoseconds(line["duration"])
        zone = timezone(timedelta(seconds=offset))
        call = {
            "tenant": line["tenant"],
            "category": line["category"],
            "called": line["called"],
            # The clock on the wall, to the whole second below.
            "clock": lambda at: (EPOCH + timedelta(seconds=at // NS)).astimezone(zone),
        }
        end = start + max(length, 1)
        if (call["tenant"], call["category"], line["subject"]) in self.profiles:
            parts = self.parts(call, line["subject"], start, end, 1)
        elif (call["tenant"], call["category"], "*any") in self.profiles:
            parts = self.parts(call, "*any", start, end, 1)
        else:
            raise NotRated("rating.no_tariff_assigned")
        if parts is None:
            raise NotRated("rating.no_rate_for_destination")
        first = winner(parts[0][1], call["clock"](start))
        if first is None:
            raise NotRated("rating.no_rate_for_time")
        first.slot(0)
        if length == 0:
            return Fraction(0), Fraction(0), 0, first
        pieces = cut(call, parts, start, end, offset)
        grow(pieces, start)
        total, billed = pieces[0]["row"].rate[0]["fee"], 0
        for piece in pieces:
            row, position = piece["row"], piece["from"] - start
            if row is None:
                raise NotRated("rating.no_rate_for_time")
            slot, time = row.slot(position), piece["to"] - piece["from"]
            total += slot["rate"] * time / slot["unit"]
            billed += time
            if row.strategy == "*free" and row.max_cost > 0:
                total = min(total, row.max_cost)
        most = max(pieces, key=lambda piece: piece["row"].decimals)["row"]  # the first of those that tie
        return rounded(total, most.method, most.decimals), total, billed, pieces[0]["row"]


def winner(offered, clock):
    """Highest weight; of those, the latest to begin in the day; of those, the first listed."""
    best = None
    for row in offered:
        if row.timing.holds(clock):
            if best is None or (row.weight, row.timing.start) > (best.weight, best.timing.start):
                best = row
    return best


def cut(call, parts, start, end, offset):
    """The pieces of a call: at profile changes, midnights, band edges, tier starts."""
    edges = {start, end} | {since for since, _ in parts}
    day = (start // NS + offset) // 86400
    starts = {0} | {row.timing.start for _, offered in parts for row in offered}
    while (day * 86400 - offset) * NS < end:
        edges |= {(day * 86400 + second - offset) * NS for second in starts}
        day += 1
    edges = sorted(edge for edge in edges if start <= edge <= end)
    pieces = []
    for begin, until in zip(edges, edges[1:]):
        offered = [offered for since, offered in parts if since <= begin][-1]
        part = max(since for since, _ in parts if since <= begin)
        row = winner(offered, call["clock"](begin))
        midnight = (begin // NS + offset) % 86400 == 0 and begin % NS == 0
        last = pieces[-1] if pieces else None
        if last and last["row"] is row and last["part"] == part and not midnight:
            last["to"] = until  # an edge at which nothing changes is none
        else:
            pieces.append({"from": begin, "to": until, "row": row, "part": part})
    tiers = []
    for piece in pieces:
        inner = [] if piece["row"] is None else [start + slot["start"] for slot in piece["row"].rate]
        inner = sorted({at for at in inner if piece["from"] < at < piece["to"]})
        for begin, until in zip([piece["from"]] + inner, inner + [piece["to"]]):
            tiers.append({**piece, "from": begin, "to": until})
    return tiers


def grow(pieces, start):
    """Rounds each piece up to its increments; what it grows over is no longer there."""
    at = 0
    while at < len(pieces):
        piece = pieces[at]
        if piece["row"] is not None:
            increment = piece["row"].slot(piece["from"] - start)["increment"]
            time = piece["to"] - piece["from"]
            piece["to"] = piece["from"] + -(-time // increment) * increment
            while at + 1 < len(pieces) and pieces[at + 1]["to"] <= piece["to"]:
                del pieces[at + 1]
            if at + 1 < len(pieces):
                pieces[at + 1]["from"] = max(pieces[at + 1]["from"], piece["to"])
        at += 1


def rounded(amount, method, decimals):
    if decimals <= 0 or method not in ("*up", "*middle", "*down"):
        return amount
    scaled = amount * 10**decimals
    whole, rest = floor(scaled), scaled - floor(scaled)
    if (method == "*up" and rest > 0) or (method == "*middle" and rest >= Fraction(1, 2)):
        whole += 1
    return Fraction(whole, 10**decimals)


# --- writing ---------------------------------------------------------------------------------------------------------


def exact(value, least):
    """A decimal if it ends, else `n/d`."""
    rest, twos, fives = value.denominator, 0, 0
    while rest % 2 == 0:
        rest, twos = rest // 2, twos + 1
    while rest % 5 == 0:
        rest, fives = rest // 5, fives + 1
    if rest != 1:
        return f"{value.numerator}/{value.denominator}"
    places = max(twos, fives)
    digits = str(value.numerator * 10**places // value.denominator).rjust(places + 1, "0")
    whole, fraction = (digits[:-places], digits[-places:]) if places else (digits, "")
    fraction = fraction.ljust(least, "0")
    return whole + ("." + fraction if fraction else "")


def answer(folder, line):
    try:
        charge, unrounded, billed, row = folder.price(line)
    except NotRated as reason:
        return {"id": line["id"], "status": "not_rated", "reason": str(reason)}
    posted = Fraction(floor(charge * 10**10 + Fraction(1, 2)), 10**10)  # the ledger has ten decimals
    return {
        "id": line["id"],
        "status": "rated",
        "charge": exact(posted, 2),
        "unrounded": exact(unrounded, 2),
        "billed_duration_s": exact(Fraction(billed, NS), 0),
        "destination": row.destination,
        "band": row.timing.tag,
        "row": {"file": "DestinationRates.csv", "line": row.line},
    }


def price(folder, lines):
    folder = Folder(folder)
    for line in lines:
        if line.strip():
            yield answer(folder, json.loads(line))


# --- making ----------------------------------------------------------------------------------------------------------


def write(folder, name, header, table):
    with open(os.path.join(folder, name), "w", encoding="utf-8", newline="\n") as file:
        file.write("#" + header + "\n" + "".join(",".join(map(str, row)) + "\n" for row in table))


def make_folder(die, folder):
    """A folder that uses everything, small enough that much of it is met by each call."""
    os.makedirs(folder, exist_ok=True)
    prefixes = ["+4", "+49", "+4915", "+49151", "49", "4", "10", "1002", "1003", "0", "07", "ä", "+1"]
    tags = [f"DST_{index}" for index in range(die.randint(2, 6))]
    destinations = [(tag, prefix) for tag in tags for prefix in die.sample(prefixes, die.randint(2, 6))]
    die.shuffle(destinations)
    write(folder, "Destinations.csv", "Id,Prefix", destinations)

    def some(values, chance):
        return "*any" if die.random() > chance else ";".join(map(str, die.sample(values, die.randint(1, len(values)))))

    timings = []
    for index in range(die.randint(2, 5)):
        time = die.choice(["00:00:00", "00:00:00", "08:00:00", "19:00:00", "12:30:30", "23:59:00", "00:00:30"])
        days = die.choice(["*any", "*any", "1;2;3;4;5", "6;7", "0", "1;3;5"])
        timings.append(
            (f"T{index}", some([2025, 2026], 0.1), some([1, 2, 3], 0.1), some([1, 5, 28, 31], 0.1), days, time)
        )
    write(folder, "Timings.csv", "Tag,Years,Months,MonthDays,WeekDays,Time", timings)
    units = ["60s", "1m", "1s", "", "0", "1m30s", "30s", "7s", "1500ms"]
    rates = []
    for index in range(die.randint(2, 5)):
        start = 0
        for tier in range(die.randint(1, 3)):
            if die.random() < 0.03:
                start += 1
            fee = die.choice(["0", "0.2", "", "0.05"])
            rate = die.choice(["0.1", "0.05", "0.0123", "0", "0.1742", "1", "0.01"])
            written = die.choice(["0s", "0", ""]) if start == 0 else f"{start}s"
            rates.append((f"RT_{index}", fee, rate, die.choice(units), die.choice(units), written))
            start += die.choice([30, 60, 45, 90])
    if die.random() < 0.3:
        rates.append(("RT_0", "0", "0.000000000007", "1", die.choice(["1", "10240"]), die.choice(["0", "120s"])))
    write(folder, "Rates.csv", "Id,ConnectFee,Rate,RateUnit,RateIncrement,GroupIntervalStart", rates)
    rate_tags = sorted({row[0] for row in rates})
    table, sets = [], [f"DR_{index}" for index in range(die.randint(2, 6))]
    for tag in sets:
        for destination in die.sample(tags + ["*any"], die.randint(2, len(tags) + 1)):
            method, decimals = die.choice(["*up", "*middle", "*down", ""]), die.choice(["", 0, 2, 3, 4, 4, 6, 10])
            cap, strategy = die.choice([("", ""), ("0", ""), ("0.25", "*free"), ("0.4", "*disconnect"), ("0.1", "")])
            table.append((tag, destination, die.choice(rate_tags), method, decimals, cap, strategy))
    header = "Id,DestinationId,RatesTag,RoundingMethod,RoundingDecimals,MaxCost,MaxCostStrategy"
    write(folder, "DestinationRates.csv", header, table)
    plans, bindings = [f"RP_{index}" for index in range(die.randint(1, 4))], []
    for plan in plans:
        for _ in range(die.randint(1, 7)):
            timing = die.choice(["*any", "*any", "*any"] + [row[0] for row in timings])
            bindings.append((plan, die.choice(sets), timing, die.choice([10, 10, 10, 20, 0, "", 0.5, -1])))
    die.shuffle(bindings)
    write(folder, "RatingPlans.csv", "Id,DestinationRatesId,TimingTag,Weight", bindings)
    moments = ["2014-01-14T00:00:00Z", "2026-01-05T12:30:00Z", "2026-01-05T23:59:30+01:00", "2026-02-01T00:00:00Z"]
    profiles, seen = [], set()
    for subject in {"*any": 1, **dict.fromkeys(die.sample(["1001", "1002", "1003", "a", "b"], die.randint(1, 5)))}:
        for _ in range(die.choice([1, 1, 2, 3])):
            since, plan = die.choice(moments), die.choice(plans)
            fallback = ";".join(die.sample(["*any", "a", "b", "1002"], die.choice([0, 0, 1, 1, 2])))
            since = moments[0] if die.random() < 0.5 else since
            if (subject, since) not in seen:
                seen.add((subject, since))
                profiles.append(("cgrates.org", "call", subject, since, plan, fallback))
    write(folder, "RatingProfiles.csv", "Tenant,Category,Subject,ActivationTime,RatingPlanId,RatesFallbackSubject", profiles)


def make_calls(die, count):
    for index in range(count):
        zone = die.choice(["Z", "Z", "Z", "+01:00", "-05:30"])
        day = die.choice([f"2026-01-{die.randint(1, 31):02}", "2026-01-05", "2025-12-31", "2026-01-31"])
        clock = die.choice(
            [
                f"{die.randint(0, 23):02}:{die.randint(0, 59):02}:{die.randint(0, 59):02}",
                f"23:{die.randint(57, 59)}:{die.randint(0, 59):02}",
                f"07:{die.randint(58, 59)}:{die.randint(0, 59):02}.{die.randint(0, 999):03}",
                f"12:{die.randint(28, 30)}:{die.randint(0, 59):02}",
                "00:00:00",
            ]
        )
        length = die.choice(
            [
                f"{die.randint(0, 300)}s",
                f"{die.randint(1, 300)}.{die.randint(0, 999):03}s",
                f"{die.randint(0, 4000)}s",
                f"{die.choice([30, 45, 60, 90, 120])}s",
                f"{die.randint(0, 200000)}s" if die.random() < 0.2 else "61s",
            ]
        )
        called = die.choice(["+49", "+4915", "+49151", "49", "1002", "1003", "10", "077", "+1", "ä", "*any", "", "x"])
        yield {
            "id": str(index),
            "calling": "1001",
            "called": called + (die.choice(["", "1", "234567"]) if called not in ("", "*any") else ""),
            "direction": "out",
            "answered_at": f"{day}T{clock}{zone}",
            "duration": length,
            "tenant": "cgrates.org" if die.random() < 0.98 else "other.org",
            "category": "call",
            "subject": die.choice(["1001", "1002", "1003", "a", "b", "unknown"]),
        }


def generate(seed, folders, calls, out):
    for index in range(folders):
        die = random.Random(f"{seed}/{index}")
        folder = os.path.join(out, f"{index:04}")
        make_folder(die, folder)
        lines = list(make_calls(die, calls))
        with open(os.path.join(folder, "calls.jsonl"), "w", encoding="utf-8") as file:
            file.write("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))
        read = Folder(folder)
        with open(os.path.join(folder, "expected.jsonl"), "w", encoding="utf-8") as file:
            file.write("".join(json.dumps(answer(read, line), ensure_ascii=False) + "\n" for line in lines))


if __name__ == "__main__":
    if sys.argv[1] == "price":
        for line in price(sys.argv[2], sys.stdin):
            print(json.dumps(line, ensure_ascii=False))
    else:
        generate(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), sys.argv[5])
