"""Runs every job on the same projects, in interleaved rounds, and prints medians and ratios. See run.sh.

A process begins with the peak memory of the one that starts it, so this one imports nothing large.
"""

import importlib.metadata
import os
import pathlib
import platform
import re
import shutil
import statistics
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).parent
ENV = os.environ
WORK, PROJECTS, RATING = pathlib.Path(ENV["WORK"]), pathlib.Path(ENV["PROJECTS"]), pathlib.Path(ENV["RATING"]).resolve()
MONTH = ENV["MONTH"]

WHOLE, RETAIL, WITH_CSV = "ours, both sides", "ours, retail only", "ours, itemised CSV too"
BYTES = "its bytes alone: read, hashed, written"
COMPLETE, COPY, POLARS, LINES = "DuckDB, complete, retail", "DuckDB, bare copy", "Polars, bare copy", "wc -l"
# Theirs, ours, how many times the records per CPU second ours must and should do.
BARS = [(COMPLETE, WHOLE, 4.5, 6.0), (COPY, WHOLE, 4.0, 5.0), (COMPLETE, RETAIL, 5.5, 7.0)]
# What is left of them where nothing but bytes is moved.
LIMITS = [(COMPLETE, BYTES, "", ""), (COPY, BYTES, "", "")]


def reports(csv):
    return f'csv = ["machine"]\nitemised_csv = {str(csv).lower()}\npayer_parquet = true\nitemised_parquet = false\n'


def project(size):
    """A generated project, and two that differ in `[reports]` alone."""
    made = PROJECTS / f"{size}-{ENV['SEED']}-{MONTH}"
    if not (made / "generated").exists():
        shutil.rmtree(made, ignore_errors=True)
        words = [RATING, "generate", made, "--records", str(size), "--seed", ENV["SEED"], "--month", MONTH]
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
        (made / "generated").touch()
    # Without the section, up to the line that begins the next.
    settings = re.sub(r"(?m)^\[reports\]\n(?:(?!\[).*\n?)*", "", (made / "rating.toml").read_text())
    for name, csv in (("whole", False), ("csv", True)):
        other = WORK / f"{size}-{name}"
        other.mkdir(parents=True, exist_ok=True)
        (other / "rating.toml").write_text(f"{settings}\n[reports]\n{reports(csv)}")
        for part in ("cdr", "directory", "tariffs"):
            if not (other / part).exists():
                (other / part).symlink_to((made / part).resolve())
    return made


def jobs(size, threads):
    """What is run, by name: words, and whether the number of threads matters to it."""
    rate = [RATING, "run", "--month", MONTH, "--threads", str(threads), "--out", WORK / "out"]
    python = [sys.executable, HERE / "job.py"]
    made = project(size)
    peer = [made.resolve(), WORK / "out", str(threads), MONTH]
    found = {
        WHOLE: [*rate, WORK / f"{size}-whole"],
        RETAIL: [*rate, "--retail-only", WORK / f"{size}-whole"],
        WITH_CSV: [*rate, WORK / f"{size}-csv"],
        BYTES: [sys.executable, HERE / "bytes.py", made, WORK / f"{size}-sizes", WORK / "out"],
        COMPLETE: [*python, "duckdb-complete", *peer],
        COPY: [*python, "duckdb-copy", *peer],
        POLARS: [*python, "polars-copy", *peer],
        LINES: ["wc", "-l", *sorted(made.glob("cdr/*/*.csv"))],
    }
    if "--retail-only" not in subprocess.run([RATING, "run", "--help"], capture_output=True, text=True).stdout:
        del found[RETAIL]
    if threads != "1":
        del found[BYTES]
    asked = [name.strip() for name in ENV["ONLY"].split(";") if name.strip()]
    return {name: words for name, words in found.items() if not asked or any(part in name for part in asked)}


def measure(name, words):
    """Wall and CPU seconds, peak memory in MiB, of a whole process; what it wrote is left in WORK/out."""
    shutil.rmtree(WORK / "out", ignore_errors=True)
    (WORK / "out").mkdir()
    with open(WORK / "log", "w+b") as log:
        begun = time.monotonic()
        process = subprocess.Popen([str(word) for word in words], stdout=log, stderr=log)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        # 4: a month with more suspended than its limit, which projects of an older generator have.
        if process.returncode not in (0, 4):
            log.seek(0)
            sys.exit(f"{name}: exit code {process.returncode}\n{log.read().decode(errors='replace')[-4000:]}")
    cpu, peak = usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024
    print(f"  {name}: wall {wall:.2f} s, CPU {cpu:.2f} s, peak {peak:.0f} MiB", flush=True)
    return wall, cpu, peak


def note_sizes(into):
    """How large each file is that a run of ours has written."""
    sizes = sorted(path.stat().st_size for path in (WORK / "out").rglob("*") if path.is_file())
    into.write_text("".join(f"{size}\n" for size in sizes))


def keep(name, kept):
    """Puts aside what the check needs of a job's output: the itemised files of the sites."""
    shutil.rmtree(kept, ignore_errors=True)
    for path in sorted((WORK / "out").rglob("itemised*.parquet")):
        site = next(part for part in path.parts if part.startswith("site="))
        if "payer=" not in str(path):
            (kept / site).mkdir(parents=True, exist_ok=True)
            path.rename(kept / site / path.name)


def machine():
    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
    memory = next(int(line.split()[1]) // 2**20 for line in open("/proc/meminfo") if line.startswith("MemTotal"))
    version = subprocess.run([RATING, "--version"], capture_output=True, text=True).stdout.strip()
    print(f"{model}, {os.cpu_count()} cores, {memory} GiB, {platform.system()} {platform.release()}")
    print(f"{version}, DuckDB {importlib.metadata.version('duckdb')}, Polars {importlib.metadata.version('polars')}, Python {platform.python_version()}")


def load(when):
    print(f"load {when}: {open('/proc/loadavg').read().rsplit(' ', 2)[0]}")


def main():
    machine()
    load("before")
    sizes, threads, rounds = ENV["SIZES"].split(), ENV["THREADS"].split(), int(ENV["ROUNDS"])
    figures, table = {}, []
    for size in sizes:
        made = project(int(size))
        read = sum(len(path.read_bytes()) for path in made.glob("cdr/*/*.csv"))
        print(f"\n{size} records, {read} bytes of CDRs in {sum(1 for _ in made.glob('cdr/*/*.csv'))} files")
        for turn in range(rounds):
            for of in threads:
                print(f"round {turn + 1}, {of} thread{'s' * (of != '1')}", flush=True)
                for name, words in jobs(int(size), of).items():
                    if name == BYTES and not (WORK / f"{size}-sizes").exists():
                        continue
                    figures.setdefault((size, of, name), []).append(measure(name, words))
                    if turn == 0 and name == WHOLE:
                        note_sizes(WORK / f"{size}-sizes")
                    if turn == 0 and of == threads[-1] and name in (WHOLE, COMPLETE):
                        keep(name, WORK / "kept" / name.split(",")[0])
                if turn == 0 and of == threads[-1] and (WORK / "kept/ours").exists() and (WORK / "kept/DuckDB").exists():
                    subprocess.run([sys.executable, HERE / "agree.py", WORK / "kept/ours", WORK / "kept/DuckDB"], check=True)
                    shutil.rmtree(WORK / "kept")
        shutil.rmtree(WORK / "out", ignore_errors=True)
    load("after")
    print(f"\nmedians of {rounds} interleaved rounds\n")
    print("| records | threads | | CPU s a million | records a second and core | wall s | peak MiB |\n| --- | --- | --- | --- | --- | --- | --- |")
    for (size, of, name), runs in figures.items():
        wall, cpu, peak = (statistics.median(column) for column in zip(*runs))
        million = int(size) / 1e6
        print(f"| {size} | {of} | {name} | {cpu / million:.3f} | {int(size) / cpu:,.0f} | {wall:.2f} | {peak:.0f} |")
    print("\nratios of records per CPU second: of the medians, and least to most of one round\n")
    print("| records | threads | | bar | aim | ratio | in one round |\n| --- | --- | --- | --- | --- | --- | --- |")
    for size in sizes:
        for of in threads:
            for theirs, ours, bar, aim in BARS + LIMITS:
                pair = [[run[1] for run in figures.get((size, of, name), [])] for name in (theirs, ours)]
                if all(pair):
                    of_rounds = [left / right for left, right in zip(*pair)]
                    ratio = statistics.median(pair[0]) / statistics.median(pair[1])
                    print(f"| {size} | {of} | {ours} : {theirs} | {bar} | {aim} | {ratio:.2f} | {min(of_rounds):.2f} to {max(of_rounds):.2f} |")
    print("\ntwo threads against one (wall; bar 1.5, aim 1.7), on an idle machine only")
    for size in sizes:
        for name in (WHOLE, RETAIL, COMPLETE):
            pair = [[run[0] for run in figures.get((size, of, name), [])] for of in ("1", "2")]
            if all(pair):
                print(f"  {size}, {name}: {statistics.median(pair[0]) / statistics.median(pair[1]):.2f}")


if __name__ == "__main__":
    main()
