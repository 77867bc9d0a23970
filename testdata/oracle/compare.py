#!/usr/bin/env python3
"""Compares `rating price` with the oracle over generated tariffs and calls, field by field.

    compare.py --binary target/debug/rating [--calls N] [--seed FIRST] [--per-tariff N] [--features LIST] [--without LIST] [--jobs N]

Every tariff has a seed of its own, counted up from FIRST. The first differences are printed in full, with the commands that show
them again. Exit code 1 if there is any.
"""

import argparse
import collections
import json
import multiprocessing
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
from fractions import Fraction
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import generate  # noqa: E402
import oracle  # noqa: E402

FIELDS = "id status reason charge unrounded currency billed_duration_s destination class band row".split()
# What a call without a charge still has is only its reason.
NOT_RATED = ("currency", "class")


def arguments_of(made):
    """The arguments of `rating price` for a generated project."""
    found = ["price", "--tariff", *made["tariff"], "--id", made["id"], "--zone", made["zone"], "--country", made["country"]]
    if made["wholesale"]:
        found += ["--wholesale", *made["wholesale"]]
    if "holidays" in made:
        found += ["--holidays", made["holidays"]]
    return found


def same(field, ours, theirs):
    if ours == theirs:
        return True
    # How a number is written is looked at in the charge alone.
    if field in ("unrounded", "billed_duration_s") and None not in (ours, theirs):
        return Fraction(ours) == Fraction(theirs)
    return False


def differences(ours, theirs):
    """The fields in which two answers differ: [(field, oracle, program)]."""
    skip = NOT_RATED if ours["status"] == "not_rated" else ()
    return [
        (field, ours.get(field), theirs.get(field))
        for field in FIELDS
        if field not in skip and not same(field, ours.get(field), theirs.get(field))
    ]


def one_tariff(job):
    """(calls, counts of reasons, differences) of one seed."""
    seed, calls, features, binary, keep = job
    folder = Path(keep) / f"tariff-{seed}"
    found, counts, done = [], collections.Counter(), 0
    try:
        made = generate.make(folder, seed, calls, features)
        with open(folder / "calls.jsonl", encoding="utf-8") as asked:
            ran = subprocess.run([binary, *arguments_of(made)], stdin=asked, capture_output=True, text=True, cwd=folder)
        if ran.returncode not in (0, 4) or (ran.returncode == 4 and not ran.stdout):
            text = (ran.stderr or ran.stdout).strip()
            return seed, 0, counts, [(seed, None, f"rating price: exit code {ran.returncode}\n{text[:3000]}", None, None)]
        paths = lambda names: [str(folder / name) for name in names]  # noqa: E731
        ours = oracle.Oracle(paths(made["tariff"]), paths(made["wholesale"]), made["zone"], made.get("holidays"), made["id"])
        lines = ran.stdout.splitlines()
        with open(folder / "calls.jsonl", encoding="utf-8") as asked:
            for record, line in zip(map(json.loads, asked), lines, strict=True):
                answer, theirs = ours.answer(record), json.loads(line)
                if answer.get("row"):
                    answer["row"]["file"] = str(Path(answer["row"]["file"]).relative_to(folder))
                done += 1
                counts[answer.get("reason") or "rated"] += 1
                wrong = differences(answer, theirs)
                if wrong:
                    found.append((seed, record, wrong, answer, theirs))
    except Exception:  # What breaks the oracle is a difference too.
        found.append((seed, None, traceback.format_exc(), None, None))
    if not found:
        shutil.rmtree(folder)
    return seed, done, counts, found


def show(difference, features, calls, binary, keep):
    seed, record, wrong, ours, theirs = difference
    here = shlex.quote(str(HERE))
    again = f"{here}/generate.py --seed {seed} --calls {calls} --features {','.join(sorted(features))} {keep}/tariff-{seed}"
    print(f"--- tariff {seed}" + (f", call {record['id']}" if record else ""))
    if record is None:
        print(wrong)
        print(f"  again: {again}")
        return
    for field, mine, other in wrong:
        print(f"  {field}: oracle {mine!r}, rating {other!r}")
    print(f"  call:   {json.dumps(record)}\n  oracle: {json.dumps(ours)}\n  rating: {json.dumps(theirs)}")
    made = json.loads((Path(keep) / f"tariff-{seed}" / "price.json").read_text(encoding="utf-8"))
    arguments = shlex.join(arguments_of(made))
    call = shlex.quote(json.dumps(record))
    print(f"  again: {again} && cd {keep}/tariff-{seed} && echo {call} > call.jsonl")
    print(f"    {binary} {arguments} < call.jsonl")
    print(f"    {here}/oracle.py {arguments} < call.jsonl")


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--calls", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--per-tariff", type=int, default=500)
    parser.add_argument("--features", help="only these: " + ", ".join(generate.FEATURES))
    parser.add_argument("--without", help="all but these")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--show", type=int, default=10, help="how many differences to print")
    parser.add_argument("--keep", help="folder for the tariffs that differ")
    options = parser.parse_args(arguments)
    features = generate.features_of(options.features, options.without)
    binary = str(Path(options.binary).resolve())
    keep = options.keep or tempfile.mkdtemp(prefix="rating-oracle-")
    jobs, left, seed = [], options.calls, options.seed
    while left > 0:
        jobs.append((seed, min(left, options.per_tariff), features, binary, keep))
        left -= options.per_tariff
        seed += 1
    begun = time.monotonic()
    total, counts, found, tariffs = 0, collections.Counter(), [], 0
    with multiprocessing.Pool(options.jobs) as pool:
        for _, calls, reasons, wrong in pool.imap(one_tariff, jobs):
            total, tariffs = total + calls, tariffs + 1
            counts += reasons
            found += wrong
    # One of each tariff first, so that one mistake does not hide the others.
    first = list({difference[0]: difference for difference in reversed(found)}.values())[::-1]
    for difference in (first + [one for one in found if one not in first])[: options.show]:
        show(difference, features, options.per_tariff, binary, keep)
    for reason, count in counts.most_common():
        print(f"{count:>9}  {reason}")
    fields = collections.Counter(field for one in found if one[1] for field, _, _ in one[2])
    if fields:
        print("fields that differ: " + ", ".join(f"{field} {count}" for field, count in fields.most_common()))
    bad = len({difference[0] for difference in found})
    print(f"{total} calls by {tariffs} tariffs in {time.monotonic() - begun:.0f} s: {len(found)} differences in {bad} tariffs")
    if not found and options.keep is None:
        shutil.rmtree(keep, ignore_errors=True)
    return 1 if found or not total else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
