#!/usr/bin/env python3
"""What parts of the job cost that the peers' comparison does not show: starting up, and settling allowances.

    python3 benches/extras.py target/release/rating                     1,000,000 records, five rounds
    RECORDS=200000 ROUNDS=3 python3 benches/extras.py ...               less

*Start-up*: a month of one record a switch, with two decks of 170,000 prefixes and 20,000 numbers: nearly all of it is reading and
compiling. *Allowances*: the same month with 500 minutes for each occupier and without, by turns. CPU seconds are user and system of
the whole process on one thread; figures are medians. Outputs go to WORK (a memory file system)."""

import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

RECORDS = int(os.environ.get("RECORDS", "1000000"))
ROUNDS = int(os.environ.get("ROUNDS", "5"))
WORK = os.environ.get("WORK", "/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
MONTH = "2026-10"

ALLOWANCE = """\
[allowances.inclusive]
time = "500min"
classes = ["geographic", "non_geographic", "mobile"]
"""


def project(program: str, folder: Path, prefixes: int) -> Path:
    arguments = ["--records", str(RECORDS), "--month", MONTH, "--prefixes", str(prefixes)]
    subprocess.run([program, "generate", str(folder), *arguments], check=True, stdout=subprocess.DEVNULL)
    return folder


def first_record_alone(folder: Path) -> None:
    """Leaves a file for each switch, with its first record."""
    for switch in sorted((folder / "cdr").iterdir()):
        first, *others = sorted(switch.iterdir())
        for other in others:
            other.unlink()
        with first.open("rb") as file:
            line = file.readline()
        first.write_bytes(line)


def with_allowance(folder: Path) -> None:
    settings = folder / "rating.toml"
    assignments = 'assignments = "tariffs/assignments.csv"\n'
    text = settings.read_text()
    assert text.count(assignments) == 1
    settings.write_text(text.replace(assignments, assignments + 'allowances = ["tariffs/allowances.toml"]\n'))
    (folder / "tariffs" / "allowances.toml").write_text(ALLOWANCE)
    with (folder / "tariffs" / "assignments.csv").open("a") as rows:
        rows.write("allowance,*,*,inclusive,2025-01-01,\n")


def cpu_seconds(program: str, folder: Path, out: Path) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [program, "run", str(folder), "--month", MONTH, "--threads", "1", "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True)
    # 1: published, with calls that were not priced.
    if done.returncode not in (0, 1):
        sys.exit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    shutil.rmtree(out)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    program = sys.argv[1]
    with tempfile.TemporaryDirectory(dir=WORK) as work:
        work = Path(work)
        started = project(program, work / "started", 170_000)
        first_record_alone(started)
        plain = project(program, work / "plain", 60_000)
        settled = project(program, work / "settled", 60_000)
        with_allowance(settled)
        jobs = {"start-up, 170,000 prefixes a deck": started, "a month": plain, "a month with allowances": settled}
        times = {name: [] for name in jobs}
        for _ in range(ROUNDS):
            for name, folder in jobs.items():
                times[name].append(cpu_seconds(program, folder, work / "out"))
        for name, seconds in times.items():
            print(f"{name:36} {statistics.median(seconds):6.2f} CPU s   ({' '.join(f'{s:.2f}' for s in seconds)})")
        pairs = [settled / plain for settled, plain in zip(times["a month with allowances"], times["a month"])]
        print(f"with allowances : without            {statistics.median(pairs):6.2f}         ({' '.join(f'{p:.2f}' for p in pairs)})")


main()
