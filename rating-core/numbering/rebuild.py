#!/usr/bin/env python3
"""Compiles the world's numbering plans into `table.bin`, which `rating_core::number::numbering` reads.

    python3 -m venv venv && venv/bin/pip install phonenumbers==9.0.43
    venv/bin/python rating-core/numbering/rebuild.py            # writes table.bin beside this file
    venv/bin/python rating-core/numbering/rebuild.py --check    # writes nothing; fails if table.bin is not what it would write

The source is the metadata of libphonenumber (Apache-2.0) as the Python package `phonenumbers` carries it: one set of
regular expressions and lengths for each region, and English place names by prefix. The expressions are not kept: all
expressions of a country code become one tree of digits whose equal branches are stored once, so that describing a
number is a walk of at most fifteen steps. The same input gives the same bytes.

The file, all integers little-endian:

    magic "RNUM", format u8 = 1, release: u8 length and text
    u32 offset of the kinds' root, u32 of the places' root (both are targets as below)
    u16 number of regions, then 3 bytes each (`GB`, blank-padded; `001` is no country's)
    u32 number of place names, then number + 1 u24 offsets into the text that follows them
    u32 bytes of text, the text (UTF-8)
    u32 bytes of nodes, the nodes

A target is a u24: with its highest bit, a value that holds however the number goes on; without, the offset of a node.
A node is one byte (how many targets), six bytes of nibbles (for digits 0 to 9, then for a number that ends here, then
unused: which target), and its targets. Values of kinds are region * 32 + type * 2 + (1 if the place counts), those of
places the index of the name + 1; 0 is nothing in both.
"""

import argparse
import functools
import os
import struct
import sys

try:
    from re import _constants as sre, _parser as sre_parser
except ImportError:  # Python before 3.11
    import sre_constants as sre
    import sre_parse as sre_parser

import phonenumbers
from phonenumbers import PhoneNumberType
from phonenumbers.geodata import GEOCODE_DATA
from phonenumbers.phonemetadata import PhoneMetadata
from phonenumbers.phonenumberutil import (
    COUNTRY_CODE_TO_REGION_CODE,
    country_mobile_token,
    is_number_type_geographical,
)

RELEASE = "9.0.43"
MOST_DIGITS = 15

# Our types, by the library's; the index is what the file holds. 0 is unknown, and such a number is not valid.
TYPES = [
    PhoneNumberType.UNKNOWN,
    PhoneNumberType.FIXED_LINE,
    PhoneNumberType.MOBILE,
    PhoneNumberType.FIXED_LINE_OR_MOBILE,
    PhoneNumberType.TOLL_FREE,
    PhoneNumberType.PREMIUM_RATE,
    PhoneNumberType.SHARED_COST,
    PhoneNumberType.PERSONAL_NUMBER,
    PhoneNumberType.VOIP,
    PhoneNumberType.PAGER,
    PhoneNumberType.UAN,
    PhoneNumberType.VOICEMAIL,
]

# The order in which the library asks; the first that fits is the type.
ASKED = [
    ("premium_rate", PhoneNumberType.PREMIUM_RATE),
    ("toll_free", PhoneNumberType.TOLL_FREE),
    ("shared_cost", PhoneNumberType.SHARED_COST),
    ("voip", PhoneNumberType.VOIP),
    ("personal_number", PhoneNumberType.PERSONAL_NUMBER),
    ("pager", PhoneNumberType.PAGER),
    ("uan", PhoneNumberType.UAN),
    ("voicemail", PhoneNumberType.VOICEMAIL),
]

ALL_DIGITS = (1 << 10) - 1


class Automaton:
    """Regular expressions over digits, all at once: which of them match a text."""

    def __init__(self):
        self.empty = []  # state -> states reached without a digit
        self.steps = []  # state -> [(mask of digits, state)]
        self.accepts = {}  # state -> tag
        self.start = self.state()

    def state(self):
        self.empty.append([])
        self.steps.append([])
        return len(self.empty) - 1

    def add(self, pattern, tag, prefix_is_enough=False):
        begin = self.state()
        self.empty[self.start].append(begin)
        end = self.sequence(sre_parser.parse(pattern), begin)
        if prefix_is_enough:
            self.steps[end].append((ALL_DIGITS, end))
        self.accepts[end] = tag

    def sequence(self, items, at):
        for item in items:
            at = self.item(item, at)
        return at

    def item(self, item, at):
        what, argument = item
        if what is sre.LITERAL or what is sre.IN:
            end = self.state()
            self.steps[at].append((mask_of(item), end))
            return end
        if what is sre.SUBPATTERN:
            return self.sequence(argument[3], at)
        if what is sre.BRANCH:
            end = self.state()
            for branch in argument[1]:
                self.empty[self.sequence(branch, at_new(self, at))].append(end)
            return end
        if what is sre.MAX_REPEAT:
            least, most, body = argument
            if most is sre.MAXREPEAT:
                raise ValueError("a repetition without end")
            for _ in range(least):
                at = self.sequence(body, at)
            end = self.state()
            for _ in range(most - least):
                self.empty[at].append(end)
                at = self.sequence(body, at)
            self.empty[at].append(end)
            return end
        raise ValueError(f"{what} is not expected in a numbering plan")

    def closure(self, states):
        found, waiting = set(states), list(states)
        while waiting:
            for state in self.empty[waiting.pop()]:
                if state not in found:
                    found.add(state)
                    waiting.append(state)
        # Only states with steps or tags matter.
        return frozenset(state for state in found if self.steps[state] or state in self.accepts)

    @functools.lru_cache(maxsize=None)
    def follow(self, states):
        """The sets of states after each of the ten digits."""
        after = []
        for digit in range(10):
            bit = 1 << digit
            after.append(self.closure({to for state in states for mask, to in self.steps[state] if mask & bit}))
        return after

    def tags(self, states):
        return {self.accepts[state] for state in states if state in self.accepts}


def at_new(automaton, at):
    """A state of its own for a branch, so that a repetition inside it cannot leak into its neighbours."""
    begin = automaton.state()
    automaton.empty[at].append(begin)
    return begin


def mask_of(item):
    what, argument = item
    if what is sre.LITERAL:
        return 1 << digit_of(argument)
    mask = 0
    for kind, value in argument:
        if kind is sre.LITERAL:
            mask |= 1 << digit_of(value)
        elif kind is sre.RANGE:
            for code in range(value[0], value[1] + 1):
                mask |= 1 << digit_of(code)
        elif kind is sre.CATEGORY and value is sre.CATEGORY_DIGIT:
            mask = ALL_DIGITS
        else:
            raise ValueError(f"{kind} is not expected among digits")
    return mask


def digit_of(code):
    digit = code - ord("0")
    if not 0 <= digit <= 9:
        raise ValueError(f"{chr(code)!r} is no digit")
    return digit


class Region:
    """The metadata of one region, as questions to an automaton's tags."""

    def __init__(self, name, metadata, automaton):
        self.name = name
        self.metadata = metadata
        self.has_leading_digits = metadata.leading_digits is not None
        if self.has_leading_digits:
            automaton.add(metadata.leading_digits, (name, "leading"), prefix_is_enough=True)
        for kind in ["general_desc", "fixed_line", "mobile", *(kind for kind, _ in ASKED)]:
            pattern = self.pattern(kind)
            if pattern:
                automaton.add(pattern, (name, kind))

    def pattern(self, kind):
        described = getattr(self.metadata, kind)
        return described.national_number_pattern if described is not None else None

    def matches(self, kind, tags, length):
        if (self.name, kind) not in tags:
            return False
        lengths = getattr(self.metadata, kind).possible_length
        return not lengths or length in lengths

    def type(self, tags, length):
        if not self.matches("general_desc", tags, length):
            return PhoneNumberType.UNKNOWN
        for kind, found in ASKED:
            if self.matches(kind, tags, length):
                return found
        same = self.metadata.same_mobile_and_fixed_line_pattern
        if self.matches("fixed_line", tags, length):
            both = same or self.matches("mobile", tags, length)
            return PhoneNumberType.FIXED_LINE_OR_MOBILE if both else PhoneNumberType.FIXED_LINE
        if not same and self.matches("mobile", tags, length):
            return PhoneNumberType.MOBILE
        return PhoneNumberType.UNKNOWN


class Nodes:
    """The nodes of the file: equal ones are written once."""

    LEAF = 1 << 23

    def __init__(self):
        self.data = bytearray()
        self.known = {}

    def leaf(self, value):
        assert value < self.LEAF
        return self.LEAF | value

    def node(self, children, own):
        """The target for ten children and the value of a number that ends here."""
        slots = (*children, self.leaf(own))
        if all(slot == slots[0] for slot in slots):
            return slots[0]
        if slots in self.known:
            return self.known[slots]
        targets = sorted(set(slots))
        nibbles = [targets.index(slot) for slot in slots] + [0]
        at = len(self.data)
        self.data.append(len(targets))
        self.data.extend(low | high << 4 for low, high in zip(nibbles[::2], nibbles[1::2]))
        for target in targets:
            self.data.extend(struct.pack("<I", target)[:3])
        if at >= self.LEAF:
            raise ValueError("more nodes than a target can name")
        self.known[slots] = at
        return at


def country(code, names, nodes, value_of):
    """The target for what follows a country code."""
    automaton = Automaton()
    regions = []
    for name in names:
        metadata = PhoneMetadata.metadata_for_region_or_calling_code(code, name)
        regions.append(Region(name, metadata, automaton))

    def value(tags, length):
        if len(regions) == 1:
            region = regions[0]
        else:
            region = None
            for candidate in regions:
                if candidate.has_leading_digits:
                    if (candidate.name, "leading") in tags:
                        region = candidate
                        break
                elif candidate.type(tags, length) != PhoneNumberType.UNKNOWN:
                    region = candidate
                    break
        if region is None:
            return 0
        return value_of(code, region.name, region.type(tags, length))

    known = {}

    def build(states, depth):
        key = (states, depth)
        if key not in known:
            own = value(automaton.tags(states), depth)
            if depth + len(str(code)) == MOST_DIGITS:
                known[key] = nodes.leaf(own)
            else:
                known[key] = nodes.node([build(after, depth + 1) for after in automaton.follow(states)], own)
        return known[key]

    return build(automaton.closure({automaton.start}), 0)


def tree_of(entries, nodes):
    """The target for texts of digits with a target each."""
    root = {}
    for digits, target in entries:
        at = root
        for digit in digits[:-1]:
            at = at.setdefault(digit, {})
        at[digits[-1]] = target

    def build(at):
        if isinstance(at, int):
            return at
        return nodes.node([build(at[digit]) if digit in at else nodes.leaf(0) for digit in "0123456789"], 0)

    return build(root)


def places(nodes):
    """The target for place names by prefix, and the names."""
    english = {prefix: names["en"] for prefix, names in GEOCODE_DATA.items() if "en" in names}
    names = sorted(set(english.values()))
    number_of = {name: index + 1 for index, name in enumerate(names)}
    root = {}
    for prefix, name in english.items():
        at = root
        for digit in prefix:
            at = at.setdefault(digit, {})
        at["name"] = number_of[name]
    # A mobile token (+54 9) is no part of the area code behind it.
    for code in COUNTRY_CODE_TO_REGION_CODE:
        token = country_mobile_token(code)
        at = root
        for digit in str(code):
            at = at.get(digit, {})
        if token and at:
            at[token] = {digit: branch for digit, branch in at.items() if digit != token}

    def build(at, inherited):
        name = at.get("name", inherited)
        children = [build(at[digit], name) if digit in at else nodes.leaf(name) for digit in "0123456789"]
        return nodes.node(children, name)

    return build(root, 0), names


def table():
    nodes = Nodes()
    regions = sorted({name for names in COUNTRY_CODE_TO_REGION_CODE.values() for name in names})
    region_index = {name: index + 1 for index, name in enumerate(regions)}

    def value_of(code, region, number_type):
        counts = is_number_type_geographical(number_type, code)
        return region_index[region] * 32 + TYPES.index(number_type) * 2 + counts

    codes = [
        (str(code), country(code, names, nodes, value_of)) for code, names in sorted(COUNTRY_CODE_TO_REGION_CODE.items())
    ]
    kinds = tree_of(codes, nodes)
    where, names = places(nodes)

    text, offsets = bytearray(), [0]
    for name in names:
        text.extend(name.encode())
        offsets.append(len(text))
    release = RELEASE.encode()
    out = bytearray(b"RNUM\x01")
    out.append(len(release))
    out.extend(release)
    out.extend(struct.pack("<II", kinds, where))
    out.extend(struct.pack("<H", len(regions)))
    for region in regions:
        out.extend(region.encode().ljust(3))
    out.extend(struct.pack("<I", len(names)))
    for offset in offsets:
        out.extend(struct.pack("<I", offset)[:3])
    out.extend(struct.pack("<I", len(text)))
    out.extend(text)
    out.extend(struct.pack("<I", len(nodes.data)))
    out.extend(nodes.data)
    return bytes(out)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing, fail if table.bin differs")
    arguments = parser.parse_args()
    if phonenumbers.__version__ != RELEASE:
        sys.exit(f"phonenumbers {RELEASE} is wanted, {phonenumbers.__version__} is installed")
    sys.setrecursionlimit(10_000)
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "table.bin")
    made = table()
    if arguments.check:
        with open(path, "rb") as file:
            if file.read() != made:
                sys.exit(f"{path} is not what the metadata of {RELEASE} give")
        print(f"table.bin holds the metadata of {RELEASE}: {len(made):,} bytes")
        return
    with open(path, "wb") as file:
        file.write(made)
    print(f"{path}: {len(made):,} bytes")


if __name__ == "__main__":
    main()
