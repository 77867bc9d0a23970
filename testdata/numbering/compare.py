#!/usr/bin/env python3
"""Compares the numbering table with its oracle over generated numbers: region, type and place of each.

    compare.py --binary target/release/rating [--numbers N] [--seed S] [--jobs N] [--self-test]

The oracle is the Python package `phonenumbers`, which matches each number against the regular expressions from which the
table was compiled, in the release that rating-core/numbering/NOTICE names. Numbers come from five sources: samples of
every region's expressions, those with digits changed, dropped and added, prefixes with a place and random digits behind
them, random digits behind every country code at every length, and digits behind no country code.

A difference that differences.csv (beside this file) lists is counted under its reason; any other is printed, and the exit
code is 1. So is a line of that file that nothing needed in a run of a million numbers.
"""

import argparse
import collections
import csv
import multiprocessing
import random
import subprocess
import sys
import time
from pathlib import Path

try:
    from re import _constants as sre, _parser as sre_parser
except ImportError:  # Python before 3.11
    import sre_constants as sre
    import sre_parse as sre_parser

import phonenumbers
from phonenumbers import PhoneNumber, PhoneNumberType, geocoder
from phonenumbers.geodata import GEOCODE_DATA
from phonenumbers.phonemetadata import PhoneMetadata
from phonenumbers.phonenumberutil import COUNTRY_CODE_TO_REGION_CODE

HERE = Path(__file__).resolve().parent
NOTICE = HERE.parent.parent / "rating-core" / "numbering" / "NOTICE"
MOST_DIGITS, FEWEST_DIGITS = 15, 5
MILLION = 1_000_000

TYPES = {
    PhoneNumberType.UNKNOWN: "unknown",
    PhoneNumberType.FIXED_LINE: "fixed_line",
    PhoneNumberType.MOBILE: "mobile",
    PhoneNumberType.FIXED_LINE_OR_MOBILE: "fixed_line_or_mobile",
    PhoneNumberType.TOLL_FREE: "toll_free",
    PhoneNumberType.PREMIUM_RATE: "premium_rate",
    PhoneNumberType.SHARED_COST: "shared_cost",
    PhoneNumberType.PERSONAL_NUMBER: "personal",
    PhoneNumberType.VOIP: "voip",
    PhoneNumberType.PAGER: "pager",
    PhoneNumberType.UAN: "uan",
    PhoneNumberType.VOICEMAIL: "voicemail",
}
KINDS = "fixed_line mobile toll_free premium_rate shared_cost personal_number voip pager uan voicemail".split()


def parsed(digits):
    """The library's number for the digits of an international number, none of them touched; None without country code."""
    for length in (1, 2, 3):
        code = int(digits[:length])
        if code in COUNTRY_CODE_TO_REGION_CODE:
            national = digits[length:]
            zeros = len(national) - len(str(int(national)))
            return PhoneNumber(
                country_code=code,
                national_number=int(national),
                italian_leading_zero=zeros > 0 or None,
                number_of_leading_zeros=zeros or None,
            )
    return None


def asked(digits):
    """(region, type, place, the place without more than the country) as the library has them."""
    number = parsed(digits)
    if number is None:
        return "", "unknown", "", ""
    kind = phonenumbers.number_type(number)
    if (kind != PhoneNumberType.UNKNOWN) != phonenumbers.is_valid_number(number):
        raise AssertionError(f"{digits}: the library is of two minds about whether the number is valid")
    country = geocoder.country_name_for_number(number, "en")
    return phonenumbers.region_code_for_number(number) or "", TYPES[kind], geocoder.description_for_number(number, "en"), country


def differs(digits, region, kind, place):
    """What differs, as (what, ours, the oracle's), or None."""
    their_region, their_kind, their_place, country = asked(digits)
    if region != their_region:
        return "region", region, their_region
    if kind != their_kind:
        return "type", kind, their_kind
    # Where the library has no place it names the country, and the table says nothing.
    if place != their_place and not (place == "" and their_place == country):
        return "place", place, their_place
    return None


class Sampler:
    """Numbers to ask about, the same for the same seed."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.patterns = []
        for code, regions in sorted(COUNTRY_CODE_TO_REGION_CODE.items()):
            for region in regions:
                metadata = PhoneMetadata.metadata_for_region_or_calling_code(code, region)
                for kind in KINDS:
                    described = getattr(metadata, kind)
                    if described is not None and described.national_number_pattern:
                        self.patterns.append((str(code), sre_parser.parse(described.national_number_pattern)))
                if metadata.leading_digits:
                    self.patterns.append((str(code), sre_parser.parse(metadata.leading_digits)))
        self.prefixes = sorted(GEOCODE_DATA)
        self.codes = [str(code) for code in sorted(COUNTRY_CODE_TO_REGION_CODE)]
        # The lengths of fixed lines and mobiles: other numbers have no place.
        self.lengths = {}
        for code, regions in COUNTRY_CODE_TO_REGION_CODE.items():
            metadata = PhoneMetadata.metadata_for_region_or_calling_code(code, regions[0])
            kinds = [described for described in (metadata.fixed_line, metadata.mobile, metadata.general_desc) if described]
            self.lengths[str(code)] = [length for described in kinds for length in described.possible_length if length > 0]
        heads = [str(head) for head in range(100, 1000)]
        self.unused = [head for head in heads if not any(head.startswith(code) for code in self.codes)]
        self.sources = [self.of_pattern, self.mutated, self.with_place, self.of_code, self.of_no_code]

    def sample(self, items):
        return "".join(self.one(what, argument) for what, argument in items)

    def one(self, what, argument):
        if what is sre.LITERAL:
            return chr(argument)
        if what is sre.SUBPATTERN:
            return self.sample(argument[3])
        if what is sre.BRANCH:
            return self.sample(self.random.choice(argument[1]))
        if what is sre.MAX_REPEAT:
            least, most, body = argument
            return "".join(self.sample(body) for _ in range(self.random.randint(least, most)))
        assert what is sre.IN, what
        return self.random.choice([digit for part in argument for digit in self.of_class(*part)])

    @staticmethod
    def of_class(what, argument):
        if what is sre.LITERAL:
            return [chr(argument)]
        if what is sre.RANGE:
            return [chr(code) for code in range(argument[0], argument[1] + 1)]
        return list("0123456789")

    def digits(self, count):
        return "".join(self.random.choice("0123456789") for _ in range(count))

    def of_pattern(self):
        code, pattern = self.random.choice(self.patterns)
        return code + self.sample(pattern)

    def mutated(self):
        digits = self.of_pattern()
        for _ in range(self.random.randint(1, 3)):
            at = self.random.randrange(1, len(digits) + 1)
            put = self.digits(self.random.choice((0, 1, 1, 1, 2)))
            digits = digits[:at] + put + digits[at + self.random.choice((0, 1, 1, 1)) :]
        return digits

    def with_place(self):
        prefix = self.random.choice(self.prefixes)
        code = next(prefix[:length] for length in (1, 2, 3) if prefix[:length] in self.lengths)
        length = len(code) + self.random.choice(self.lengths[code])
        return prefix + self.digits(max(0, length - len(prefix)))

    def of_code(self):
        code = self.random.choice(self.codes)
        return code + self.digits(self.random.randint(1, MOST_DIGITS - len(code)))

    def of_no_code(self):
        return self.random.choice(self.unused) + self.digits(self.random.randint(2, 12))

    def number(self):
        while True:
            source = self.random.choices(self.sources, (35, 20, 27, 16, 2))[0]
            digits = source()
            if FEWEST_DIGITS <= len(digits) <= MOST_DIGITS and digits[0] != "0":
                return digits


def one_part(job):
    """Counts and differences of a part: (counts, [(digits, what, ours, theirs)])."""
    binary, seed, count = job
    sampler = Sampler(seed)
    numbers = [sampler.number() for _ in range(count)]
    text = "".join(f"+{digits}\n" for digits in numbers)
    ran = subprocess.run([binary, "numbers"], input=text, capture_output=True, text=True, check=True)
    rows = list(csv.DictReader(ran.stdout.splitlines()))
    assert len(rows) == count, f"{len(rows)} answers for {count} numbers"
    counts, found = collections.Counter(), []
    for digits, row in zip(numbers, rows, strict=True):
        assert row["number"] == f"+{digits}", row
        counts["valid" if row["type"] != "unknown" else "not valid"] += 1
        counts["with a place"] += row["place"] != ""
        difference = differs(digits, row["region"], row["type"], row["place"])
        if difference:
            found.append((digits, *difference))
    return counts, found


def justified():
    """[(prefix, length or None, what, reason)] of differences.csv."""
    with open(HERE / "differences.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [(row["prefix"], int(row["length"]) if row["length"] else None, row["what"], row["reason"]) for row in rows]


def self_test():
    """A comparison that cannot find anything would be no comparison."""
    assert asked("442079460958")[:3] == ("GB", "fixed_line", "London")
    assert asked("390669812345")[0] == "VA" and parsed("390669812345").italian_leading_zero
    assert differs("442079460958", "GB", "fixed_line", "London") is None
    assert differs("442079460958", "GG", "fixed_line", "London")[0] == "region"
    assert differs("442079460958", "GB", "mobile", "London")[0] == "type"
    assert differs("442079460958", "GB", "fixed_line", "Leeds")[0] == "place"
    assert differs("442079460958", "GB", "fixed_line", "")[0] == "place", "London is more than the country"
    assert differs("447400123456", "GB", "mobile", "") is None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", required=True)
    parser.add_argument("--numbers", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--self-test", action="store_true", help="first see that differences are found")
    arguments = parser.parse_args()
    release = phonenumbers.__version__
    if f"release {release}," not in NOTICE.read_text(encoding="utf-8"):
        sys.exit(f"the table was not compiled from the metadata of phonenumbers {release}; see {NOTICE}")
    if arguments.self_test:
        self_test()
    began = time.monotonic()
    part = 10_000
    sizes = [min(part, arguments.numbers - at) for at in range(0, arguments.numbers, part)]
    jobs = [(arguments.binary, f"{arguments.seed}/{index}", size) for index, size in enumerate(sizes)]
    counts, unexplained, reasons = collections.Counter(), [], collections.Counter()
    listed = justified()
    with multiprocessing.Pool(arguments.jobs) as pool:
        for found_counts, found in pool.imap(one_part, jobs):
            counts.update(found_counts)
            for digits, what, ours, theirs in found:
                reason = next(
                    (
                        reason
                        for prefix, length, of, reason in listed
                        if digits.startswith(prefix) and length in (None, len(digits)) and of == what
                    ),
                    None,
                )
                if reason is None:
                    unexplained.append((digits, what, ours, theirs))
                else:
                    reasons[reason] += 1
    for digits, what, ours, theirs in unexplained[:50]:
        print(f"+{digits}: {what} is {ours!r} in the table and {theirs!r} in the library")
    for reason, count in sorted(reasons.items()):
        print(f"{count:,} differences listed: {reason}")
    idle = {reason for *_, reason in listed} - set(reasons) if arguments.numbers >= MILLION else set()
    for reason in sorted(idle):
        print(f"listed but not met: {reason}")
    shown = ", ".join(f"{count:,} {what}" for what, count in sorted(counts.items()))
    print(f"{arguments.numbers:,} numbers ({shown}): {len(unexplained):,} unexplained differences, {time.monotonic() - began:.0f} s")
    sys.exit(1 if unexplained or idle else 0)


if __name__ == "__main__":
    main()
