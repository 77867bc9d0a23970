"""One peer's job, a whole process from start to exit: `job.py KIND PROJECT OUT THREADS MONTH`.

KIND is `duckdb-complete` (rates the month at retail and writes what a run writes: complete.sql), `duckdb-copy` or
`polars-copy` (the same CSV to one Parquet file, zstd 1, nothing else). PROJECT is one that `rating generate` wrote.
"""

import os
import pathlib
import sys

# Asterisk's cdr_csv, in the order of its columns.
TEXT, NUMBER, TIME = "VARCHAR", "INTEGER", "TIMESTAMP"
COLUMNS = {
    "accountcode": TEXT, "src": TEXT, "dst": TEXT, "dcontext": TEXT, "clid": TEXT, "channel": TEXT, "dstchannel": TEXT,
    "lastapp": TEXT, "lastdata": TEXT, "start": TIME, "answer": TIME, "end": TIME, "duration": NUMBER, "billsec": NUMBER,
    "disposition": TEXT, "amaflags": NUMBER, "uniqueid": TEXT,
}
PARQUET = "FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1"


def read_csv(project):
    """DuckDB's fastest way to say it: nothing sniffed, the columns typed."""
    return (
        f"read_csv('{project}/cdr/*/*.csv', header = false, auto_detect = false, delim = ',', quote = '\"', escape = '\"', "
        f"columns = {COLUMNS})"
    )


def clock_changes(month):
    """The last Sundays of March and October, 01:00 UTC: London's clock is an hour ahead of UTC from one to the other."""
    import calendar

    year = int(month[:4])
    sundays = [max(week[calendar.SUNDAY] for week in calendar.monthcalendar(year, of)) for of in (3, 10)]
    return f"{year}-03-{sundays[0]:02} 01:00:00", f"{year}-10-{sundays[1]:02} 01:00:00"


def duckdb_complete(project, out, threads, month):
    import duckdb

    year, number = int(month[:4]), int(month[5:])
    after = f"{year + number // 12:04}-{number % 12 + 1:02}"
    summer, winter = clock_changes(month)
    values = {
        "PROJECT": project, "OUT": out, "THREADS": threads, "MONTH": f"{year}{number:02}", "CDRS": read_csv(project),
        "FIRST": f"{month}-01", "NEXT": f"{after}-01", "SUMMER": summer, "WINTER": winter, "PARQUET": PARQUET,
    }
    sql = (pathlib.Path(__file__).parent / "complete.sql").read_text()
    for name, value in values.items():
        sql = sql.replace(f"@{name}@", str(value))
    whole, each_site = sql.split("-- @EACH SITE@\n")
    database = duckdb.connect()
    database.execute(whole)
    for (site,) in database.execute("SELECT unnest(enum_range(NULL::e_site))").fetchall():
        database.execute(each_site.replace("@SITE@", site))


def duckdb_copy(project, out, threads, _month):
    import duckdb

    database = duckdb.connect()
    database.execute(f"SET threads = {threads}; SET preserve_insertion_order = false; SET enable_progress_bar = false")
    database.execute(f"COPY (SELECT * FROM {read_csv(project)}) TO '{out}/copy.parquet' ({PARQUET})")


def polars_copy(project, out, threads, _month):
    os.environ["POLARS_MAX_THREADS"] = str(threads)
    import polars

    # Polars reads times from CSV as text unless asked to find them; told their format, it parses only those three columns.
    kinds = {TEXT: polars.String, NUMBER: polars.Int32, TIME: polars.String}
    calls = polars.scan_csv(f"{project}/cdr/*/*.csv", has_header=False, schema={name: kinds[kind] for name, kind in COLUMNS.items()})
    times = [name for name, kind in COLUMNS.items() if kind == TIME]
    calls = calls.with_columns(polars.col(times).str.to_datetime("%Y-%m-%d %H:%M:%S", strict=False))
    calls.sink_parquet(f"{out}/copy.parquet", compression="zstd", compression_level=1, engine="streaming", maintain_order=False)


JOBS = {"duckdb-complete": duckdb_complete, "duckdb-copy": duckdb_copy, "polars-copy": polars_copy}

if __name__ == "__main__":
    kind, *arguments = sys.argv[1:]
    JOBS[kind](*arguments)
    # Nothing to tidy up: an exit that waits for nobody is the peers' fastest.
    sys.stdout.flush()
    os._exit(0)
