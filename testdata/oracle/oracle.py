#!/usr/bin/env python3
"""Prices calls by tariff files, as docs/tariff-guide.md says: an independent second opinion on `rating price`.

    oracle.py price --tariff FILE... [--id TARIFF] [--wholesale FILE...] [--zone ZONE] [--country GB] [--holidays CALENDAR]

Reads calls as JSON Lines from standard input and writes one JSON line for each, with the fields of `rating price`. Without `--id`
the first FILE names the tariff; the others are its versions and parents. Only the standard library is used, and nothing but
`fractions.Fraction` and whole numbers for money and time.
"""

import argparse
import json
import sys
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import clock  # noqa: E402
import reading  # noqa: E402
from pricing import Call, Engine, NotRated  # noqa: E402


def decimal_text(value):
    """A decimal with at least two places if it ends, else `n/d`."""
    value = Fraction(value)
    twos = fives = 0
    rest = value.denominator
    while rest % 2 == 0:
        rest, twos = rest // 2, twos + 1
    while rest % 5 == 0:
        rest, fives = rest // 5, fives + 1
    if rest != 1:
        return f"{value.numerator}/{value.denominator}"
    places = max(2, twos, fives)
    digits = str(value.numerator * 10**places // value.denominator).rjust(places + 1, "0")
    return f"{digits[:-places]}.{digits[-places:]}"


def seconds_text(milliseconds):
    whole, rest = divmod(milliseconds, 1000)
    return f"{whole}.{rest:03}".rstrip("0") if rest else str(whole)


class Oracle:
    """A tariff that can be asked: `answer(record)` is the line of `rating price` as a dictionary."""

    def __init__(self, tariff, wholesale=(), zone="UTC", holidays=None, asked=None):
        other = Engine(reading.Tariffs(wholesale, zone, None, holidays)) if wholesale else None
        self.engine = Engine(reading.Tariffs(tariff, zone, None, holidays, asked), other)
        self.engine.readers = (lru_cache(maxsize=1024)(clock.instant), lru_cache(maxsize=4096)(reading.duration_ms))

    def answer(self, record):
        try:
            answer = self.engine.price(Call(record, *self.engine.readers), record)
        except NotRated as why:
            nothing = dict.fromkeys(("charge", "unrounded", "billed_duration_s", "destination", "band", "row"))
            return {"id": record.get("id"), "status": "not_rated", "reason": why.reason, **nothing}
        answer["charge"] = decimal_text(answer["charge"])
        answer["unrounded"] = decimal_text(answer["unrounded"])
        answer["billed_duration_s"] = seconds_text(answer["billed_duration_s"])
        return answer


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    price = commands.add_parser("price", help="price calls from standard input")
    price.add_argument("--tariff", nargs="+", required=True)
    price.add_argument("--id")
    price.add_argument("--wholesale", nargs="+", default=())
    price.add_argument("--zone", default="UTC")
    price.add_argument("--country", default="GB", choices=["GB"])
    price.add_argument("--holidays")
    options = parser.parse_args(arguments)
    oracle = Oracle(options.tariff, options.wholesale, options.zone, options.holidays, options.id)
    write = sys.stdout.write
    for line in sys.stdin:
        if line.strip():
            write(json.dumps(oracle.answer(json.loads(line))) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
