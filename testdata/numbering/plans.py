#!/usr/bin/env python3
"""Compares the dial plans with libphonenumber: does a number, dialled inside its country, come out as itself?

    plans.py --binary target/release/rating [--numbers N] [--seed S]

For every country with a dial plan: samples of the expressions of libphonenumber's metadata, written as that library would
print them for dialling inside the country, are read by the country's dial plan (`rating numbers --country`). The number
must come out, and a premium, shared-cost, personal or pager number must have a class that no shorter prefix of a tariff
may price. What the two know differently is listed in plans.csv with its reason; anything else ends with exit code 1.
"""

import argparse
import collections
import csv
import re
import subprocess
import sys
from pathlib import Path

import phonenumbers
from phonenumbers import PhoneNumberFormat
from phonenumbers.phonemetadata import PhoneMetadata

import compare

HERE = Path(__file__).resolve().parent
PLANS = HERE.parent.parent / "rating-core" / "src" / "mediation" / "dial_plan"
# Only these classes stop a tariff's row for a shorter prefix (NumberClass::is_protected).
PROTECTED = {"premium", "personal", "paging", "service", "directory", "satellite", "short_code"}
MOST_SHOWN = 2_000
GUARDED = {"premium_rate", "shared_cost", "personal", "pager"}


def countries():
    """The ids of the countries with a dial plan."""
    text = "".join(path.read_text(encoding="utf-8") for path in sorted(PLANS.glob("*.toml")))
    return sorted(re.findall(r'^id = "(\w\w)"$', text, re.MULTILINE))


def of_country(sampler, country, count):
    """Valid numbers of a country with the digits that reach them from inside."""
    metadata = PhoneMetadata.metadata_for_region(country)
    patterns = [
        compare.sre_parser.parse(described.national_number_pattern)
        for kind in compare.KINDS
        if (described := getattr(metadata, kind)) is not None and described.national_number_pattern
    ]
    found = []
    while len(found) < count:
        national = sampler.sample(sampler.random.choice(patterns))
        digits = f"{metadata.country_code}{national}"
        # Numbers that begin with 00 are dialled from inside only, as international free numbers.
        if len(digits) > compare.MOST_DIGITS or national.startswith("00"):
            continue
        number = compare.parsed(digits)
        kind = phonenumbers.number_type(number)
        if phonenumbers.region_code_for_number(number) != country or compare.TYPES[kind] == "unknown":
            continue
        keyed = re.sub(r"\D", "", phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL))
        found.append((keyed, digits, compare.TYPES[kind]))
    return found


def listed():
    """{(country, what): [(prefix of the national number, reason)]}"""
    found = collections.defaultdict(list)
    with open(HERE / "plans.csv", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            found[row["country"], row["what"]].append((row["prefix"], row["reason"]))
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", required=True)
    parser.add_argument("--numbers", type=int, default=500, help="for each country")
    parser.add_argument("--seed", default="1")
    arguments = parser.parse_args()
    known, met, unexplained, count = listed(), collections.Counter(), [], 0
    for country in countries():
        sampler = compare.Sampler(f"{arguments.seed}/{country}")
        wanted = of_country(sampler, country, arguments.numbers)
        text = "".join(f"{keyed}\n" for keyed, *_ in wanted)
        command = [arguments.binary, "numbers", "--country", country]
        ran = subprocess.run(command, input=text, capture_output=True, text=True, check=True)
        code = str(PhoneMetadata.metadata_for_region(country).country_code)
        for (keyed, digits, kind), row in zip(wanted, csv.DictReader(ran.stdout.splitlines()), strict=True):
            count += 1
            if row["number"] != f"+{digits}":
                what, said = "number", f"{row['kind']} {row['number']}"
            elif kind in GUARDED and row["class"] not in PROTECTED:
                what, said = "class", f"{kind} is {row['class']}"
            else:
                continue
            reason = next((why for prefix, why in known[country, what] if digits[len(code) :].startswith(prefix)), None)
            if reason is None:
                unexplained.append(f"{country}: {keyed} should be +{digits} ({kind}): {said}")
            else:
                met[country, what, reason] += 1
    for line in unexplained[:MOST_SHOWN]:
        print(line)
    for (country, what, reason), times in sorted(met.items()):
        print(f"{country}: {times} listed, {what}: {reason}")
    print(f"{count:,} numbers dialled inside their countries: {len(unexplained):,} unexplained differences")
    sys.exit(1 if unexplained else 0)


if __name__ == "__main__":
    main()
