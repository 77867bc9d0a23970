#!/usr/bin/env python3
"""Works the price of explained calls out again, from the explanation alone.

    rating explain PROJECT CALL --format json | python3 recompute.py
    python3 recompute.py explanation.json ...

Reads what `rating explain --format json` writes (docs/explain.md) and does every sum once more, in fractions: talk time,
stretches, increments, cap, connection charge, minimum, maximum, the roundings, posting. Says what differs, and ends with 1
if anything does. With --self-test it also spoils every figure by itself, and each must be noticed. Needs nothing but Python's standard library.
"""

import json
import sys
from fractions import Fraction
from math import floor

LEDGER = Fraction(1, 10**10)


class Differs(Exception):
    """The explanation and the sum are not the same."""


def number(text):
    """A decimal number or a fraction, exactly; nothing for nothing."""
    return None if text is None else Fraction(text)


def same(what, computed, shown):
    if computed != shown:
        raise Differs(f"{what}: computed {computed}, shown {shown}")


def round_to(amount, rule, step):
    """Signs mirror, as in the tariff guide."""
    steps, sign = abs(amount) / step, (1 if amount >= 0 else -1)
    whole, rest = floor(steps), steps - floor(steps)
    half = Fraction(1, 2)
    up = {
        "up": rest > 0,
        "down": False,
        "half-up": rest >= half,
        "half-even": rest > half or (rest == half and whole % 2 == 1),
    }[rule]
    return sign * (whole + (1 if up else 0)) * step


def rounded(amount, rounding):
    if rounding is None:
        return amount
    return round_to(amount, rounding["rule"], number(rounding["step"]))


def up_to(length, step):
    return -(-length // step) * step


def increments(length, first, further):
    return first if length <= first else first + up_to(length - first, further)


def charged_time(talk, charge, is_first_part):
    time = talk
    if "duration_rounding" in charge:
        rule, step = charge["duration_rounding"]
        time = round_to(time, {"nearest": "half-up"}.get(rule, rule), Fraction(step))
    time = max(Fraction(0), time - (number(charge.get("subtract_s")) or 0))
    least = number(charge.get("minimum_duration_s")) or 0
    return max(time, least) if is_first_part else time


def stretch_times(charge, part, single):
    """Checks where stretches lie and how much of each is billed, and gives the billed time."""
    stretches = charge["stretches"]
    steps = charge["steps"]
    first = number(charge.get("first_increment_s"))
    at = number(stretches[0]["from_s"]) if stretches else Fraction(0)
    billed = Fraction(0)
    for stretch in stretches:
        start, length, time = (number(stretch[key]) for key in ("from_s", "length_s", "billed_s"))
        per = number(stretch["per_s"])
        same("where a stretch begins", at, start)
        step = steps[stretch["step"]]
        further = number(step.get("further_increment_s")) or per or Fraction(1, 1000)
        begin = first if first is not None else per
        if part["overrun"] == "end":
            if len(stretches) == 1 and len(steps) == 1 and single and start == 0:
                same("billed time", increments(length, begin, further), time)
            at = start + time
        else:
            expected = increments(length, begin, further) if start == 0 else up_to(length, further)
            same("billed time", expected, time)
            at = start + (time if part["overrun"] == "next" else length)
        billed += time
    return billed


def of_stretches(charge, window=None):
    """What stretches and entries come to; with a window, the part of them that lies in it."""
    total, billed = Fraction(0), Fraction(0)
    for stretch in charge["stretches"]:
        time, per = number(stretch["billed_s"]), number(stretch["per_s"])
        covered = number(stretch.get("covered_s")) or Fraction(0)
        taken = time if window is None else max(Fraction(0), min(time, window - billed))
        amount = Fraction(0) if per == 0 else number(stretch["price"]) * max(Fraction(0), taken - covered) / per
        if window is None:
            same("what a stretch costs", amount, number(stretch["amount"]))
        total, billed = total + amount, billed + time
    for entry in charge.get("entries", []):
        if window is None or number(entry["from_s"]) < window:
            total += number(entry["amount"])
    return total


def capped(charge, usage, billed):
    cap = charge.get("cap")
    if cap is None:
        return usage
    most, window = number(cap["charge"]), number(cap.get("window_s"))
    if window is None or billed <= window:
        return min(usage, most)
    inside = of_stretches(charge, window)
    return {
        "price": lambda: min(inside, most) + usage - inside,
        "free": lambda: min(inside, most),
        "whole": lambda: usage,
        "own-price": lambda: min(inside, most)
        + number(cap["then_price"]) * ((billed - window) / number(cap["then_per_s"]) if number(cap["then_per_s"]) else 1),
    }[cap["then"]]()


def charge_amount(talk, charge, side):
    part = side["parts"][charge["part"]]
    is_first_part = number(part["from_s"]) == 0
    free_below = number(charge.get("free_below_s"))
    same("whether a charge is free", free_below is not None and talk < free_below, charge["is_free"])
    if charge["is_free"]:
        return Fraction(0)
    same("charged time", charged_time(talk, charge, is_first_part), number(charge["charged_s"]))
    if "mark_up" in charge:
        usage = number(charge["mark_up"]["carrier_charge"]) * number(charge["mark_up"]["factor"])
        same("the mark-up", usage, number(charge["stretches_sum"]))
    elif not charge["stretches"] and charge["steps"] == []:
        # A price that was agreed by the call: the explanation gives it as it is.
        usage = number(charge["stretches_sum"])
    else:
        billed = stretch_times(charge, part, len(side["parts"]) == 1)
        same("billed time", billed, number(charge["billed_s"]))
        usage = of_stretches(charge)
        same("the stretches together", usage, number(charge["stretches_sum"]))
        # What an earlier part has used of the window is not in this charge.
        if is_first_part:
            usage = capped(charge, usage, billed)
        else:
            usage = number(charge["usage"]) if "cap" in charge else usage
    usage = rounded(usage, charge.get("usage_rounding"))
    same("usage", usage, number(charge["usage"]))
    least, most = number(charge.get("minimum")), number(charge.get("maximum"))
    stage = part["minimum_stage"]
    amount = usage
    if stage == "before-connection" and least is not None:
        amount = max(amount, least)
    amount += number(charge["connection"])
    if stage == "after-connection" and least is not None:
        amount = max(amount, least)
    if most is not None:
        amount = min(amount, most)
    amount = rounded(amount, charge.get("rounding"))
    if stage == "after-rounding" and least is not None:
        amount = max(amount, least)
    return amount


def side_charge(call, side):
    """The charge of one side, worked out again."""
    talk = number(call["duration_s"])
    total, after = Fraction(0), Fraction(0)
    for charge in side["charges"]:
        amount = charge_amount(talk, charge, side)
        same("a charge", amount, number(charge["amount"]))
        if charge["after_rounding"]:
            after += amount
        else:
            total += amount
    last = side["sum"]
    same("the charges together", total, number(last["charges"]))
    least, most = number(last.get("minimum")), number(last.get("maximum"))
    stage = side["parts"][0]["minimum_stage"]
    if last["is_free"]:
        least = None
    if stage == "after-connection" and least is not None:
        total = max(total, least)
    if most is not None:
        total = min(total, most)
    same("the unrounded amount", total, number(side["unrounded"]))
    total = rounded(total, last["rounding"])
    if stage == "after-rounding" and least is not None:
        total = max(total, least)
    total = round_to(total + after, "half-up", LEDGER)
    same("the charge", total, number(last["charge"]))
    # What allowances and tiers leave of it depends on the other calls of the period.
    if "allowance" not in side or side["allowance"]["is_in_the_sum"]:
        same("the charge", total, number(side["charge"]))
    return total


def check(explanation, name):
    """How many sides were worked out again, and what differs."""
    done, faults = 0, []
    for side in explanation["sides"]:
        if side["status"] != "rated":
            continue
        try:
            side_charge(explanation["call"], side)
            done += 1
        except Differs as difference:
            faults.append(f"{name}, call {explanation['call']['id']}, {side['side']}: {difference}")
    return done, faults


def explanations(text):
    """One explanation, or several after each other."""
    decoder, at = json.JSONDecoder(), 0
    while text[at:].strip():
        at += len(text[at:]) - len(text[at:].lstrip())
        value, at = decoder.raw_decode(text, at)
        yield value


def self_test(explanation):
    """Spoils every amount and time by itself; each must be noticed. How many were not."""
    spoilt = ("amount", "price", "billed_s", "charged_s", "stretches_sum", "usage", "connection", "charges", "unrounded")
    missed = 0

    def places(value):
        if isinstance(value, dict):
            for key, inner in value.items():
                if key in spoilt and isinstance(inner, str):
                    yield value, key
                else:
                    yield from places(inner)
        elif isinstance(value, list):
            for inner in value:
                yield from places(inner)

    for side in explanation["sides"]:
        if side["status"] != "rated":
            continue
        for holder, key in list(places(side)):
            # A price for no time, or for the call as a whole, comes to nothing in its stretch.
            if key == "price" and Fraction(holder["per_s"]) * Fraction(holder["billed_s"]) == 0:
                continue
            if key == "price" and Fraction(holder["billed_s"]) == Fraction(holder.get("covered_s", "0")):
                continue
            # Time billed is no part of a mark-up.
            if key == "billed_s" and holder.get("stretches") == []:
                continue
            true = holder[key]
            holder[key] = str(Fraction(true) + 1)
            if not check(explanation, "self-test")[1]:
                missed += 1
                print(f"not noticed: {key} of {holder}", file=sys.stderr)
            holder[key] = true
    return missed


def main(names):
    testing = "--self-test" in names
    names = [name for name in names if name != "--self-test"]
    calls, done, faults = 0, 0, []
    for name, text in [(name, open(name, encoding="utf-8").read()) for name in names] or [("input", sys.stdin.read())]:
        for explanation in explanations(text):
            calls += 1
            more, wrong = check(explanation, name)
            done += more
            faults += wrong
            if testing:
                missed = self_test(explanation)
                faults += [f"{name}: {missed} spoilt figures were not noticed"] * (missed > 0)
    for fault in faults:
        print(fault, file=sys.stderr)
    print(f"{calls} calls, {done} charges worked out again, {len(faults)} differ")
    return 1 if faults or not calls else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
