#!/usr/bin/env python3
"""Opens every published Parquet file with DuckDB, pyarrow, pandas and Polars and compares it with its CSV.

    outside_readers.py OUT          OUT is what `rating run --out OUT` wrote (or one month's folder in it)
    outside_readers.py --self-test  shows on files of its own that a difference is found

Each `name.parquet` with a `name.machine.csv` (or, lacking that, `name.csv`) beside it must hold the same columns and rows: pyarrow compares
them cell by cell; every reader must see the same number of rows, and the same count of values and exact sum in each column of
numbers. Total rows, which only the CSV has, must be the sum of the others. Money must be decimal(38, 10), prices decimal(38, 12),
seconds decimal(18, 3), and every timestamp UTC. Exit code 1 on any difference, and if there was nothing to compare.
"""

import csv
import decimal
import pathlib
import sys
import tempfile
from datetime import datetime, timezone
from decimal import Decimal

import duckdb
import pandas
import polars
import pyarrow
import pyarrow.parquet

decimal.getcontext().prec = 60

# What belongs to which file name, besides what every file must keep to.
MUST_HAVE_MONEY_AND_TIME = {"itemised"}

# Precision and scale: money is counted in 10^-10 of the currency unit, the price of a tariff in 10^-12, time in milliseconds.
MONEY, PRICE, SECONDS = (38, 10), (38, 12), (18, 3)
PRICES = {"rate", "connection_charge", "wholesale_rate", "wholesale_connection_charge"}


def main(arguments):
    if arguments == ["--self-test"]:
        return self_test()
    if len(arguments) != 1:
        print(__doc__)
        return 2
    return check(pathlib.Path(arguments[0]))


def check(root):
    """Checks all files below `root`, through the version in force if there is one."""
    current = root / "current"
    files = [path for path in sorted(walk(current if current.exists() else root)) if path.suffix == ".parquet"]
    differences, rows, pairs = [], 0, 0
    for path in files:
        tables = (path.with_suffix(".machine.csv"), path.with_suffix(".csv"))
        paired = next((table for table in tables if table.exists()), None)
        found, count = check_file(path, paired, current if current.exists() else root)
        differences += [f"{path}: {text}" for text in found]
        pairs += paired is not None
        rows += count
        print(f"{'DIFFERS' if found else 'ok'}  {count:>8} rows  {'with' if paired else 'no'} CSV  {path}")
    if not files:
        differences.append(f"{root}: no Parquet file found")
    elif not pairs:
        differences.append(f"{root}: no Parquet file has a CSV beside it")
    if files and not any(path.stem in MUST_HAVE_MONEY_AND_TIME for path in files):
        differences.append(f"{root}: no itemised.parquet found")
    if not differences:
        differences += check_glob(current if current.exists() else root, files)
    for difference in differences:
        print(f"error: {difference}")
    print(f"{len(files)} Parquet files, {pairs} compared with their CSV, {rows} rows, {len(differences)} differences")
    return 1 if differences else 0


def walk(folder):
    # `current/month=…` is a symbolic link, which rglob does not follow.
    for path in folder.iterdir():
        if path.is_dir():
            yield from walk(path)
        else:
            yield path


def check_file(path, csv_path, root):
    arrow = pyarrow.parquet.ParquetFile(path).read()
    differences = list(check_types(path.stem, arrow.schema))
    expected = summarise(arrow)
    for reader, summary in (("DuckDB", by_duckdb), ("pandas", by_pandas), ("Polars", by_polars)):
        differences += compare(reader, expected, summary(path, arrow.schema))
    if csv_path is not None:
        differences += check_csv(csv_path, arrow, partitions(path, root))
    return differences, arrow.num_rows


def check_types(stem, schema):
    kinds = {"money": 0, "timestamp": 0}
    for field in schema:
        if pyarrow.types.is_decimal(field.type):
            wanted = PRICE if field.name in PRICES else SECONDS if field.name.endswith("_s") else MONEY
            kinds["money"] += wanted == MONEY
            if (field.type.precision, field.type.scale) != wanted:
                yield f"column {field.name} is {field.type}, not decimal{wanted}"
        elif pyarrow.types.is_timestamp(field.type):
            kinds["timestamp"] += 1
            if field.type.tz != "UTC":
                yield f"column {field.name} is {field.type}, not a UTC timestamp"
        elif pyarrow.types.is_floating(field.type):
            yield f"column {field.name} is {field.type}: no report column is floating point"
    if stem in MUST_HAVE_MONEY_AND_TIME:
        for kind, count in kinds.items():
            if count == 0:
                yield f"no {kind} column"


def is_number(kind):
    return pyarrow.types.is_decimal(kind) or pyarrow.types.is_integer(kind)


def summarise(arrow):
    """Rows, and for each column of numbers how many values and their exact sum."""
    columns = {}
    for field in arrow.schema:
        if is_number(field.type):
            values = [value for value in arrow.column(field.name).to_pylist() if value is not None]
            columns[field.name] = (len(values), sum(map(Decimal, values), Decimal(0)))
    return arrow.num_rows, columns


def by_duckdb(path, schema):
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    source = "read_parquet(?, hive_partitioning = false)"
    numbers = [field.name for field in schema if is_number(field.type)]
    quoted = ['"' + name.replace('"', '""') + '"' for name in numbers]
    sums = "".join(f", count({name}), sum({name})::VARCHAR" for name in quoted)
    row = connection.execute(f"SELECT count(*){sums} FROM {source}", [str(path)]).fetchone()
    # All columns are decoded, not only those of numbers.
    connection.execute(f"SELECT count(DISTINCT hash(COLUMNS(*))) FROM {source}", [str(path)]).fetchall()
    pairs = zip(row[1::2], row[2::2], strict=True)
    return row[0], {name: (count, Decimal(total or 0)) for name, (count, total) in zip(numbers, pairs, strict=True)}


def by_pandas(path, schema):
    with path.open("rb") as file:  # A path would be read with its `month=` folders as columns.
        frame = pandas.read_parquet(file, dtype_backend="pyarrow")
    columns = {}
    for field in schema:
        if is_number(field.type):
            values = [value for value in frame[field.name].tolist() if not pandas.isna(value)]
            columns[field.name] = (len(values), sum((Decimal(str(value)) for value in values), Decimal(0)))
    return len(frame), columns


def by_polars(path, schema):
    frame = polars.read_parquet(path, hive_partitioning=False)
    columns = {}
    for field in schema:
        if is_number(field.type):
            values = frame[field.name].drop_nulls().to_list()
            columns[field.name] = (len(values), sum(map(Decimal, values), Decimal(0)))
    return frame.height, columns


def compare(reader, expected, actual):
    if expected[0] != actual[0]:
        yield f"{reader} sees {actual[0]} rows, pyarrow {expected[0]}"
    for name, (count, total) in expected[1].items():
        if actual[1].get(name) != (count, total):
            yield f"{reader} sees {actual[1].get(name)} as count and sum of {name}, pyarrow {(count, total)}"


def partitions(path, root):
    """Columns that stand in the folder names (`month=2026-10`), and so need not stand in the file."""
    parts = path.relative_to(root).parts if path.is_relative_to(root) else path.parts
    return {part.split("=", 1)[0] for part in parts if "=" in part}


def check_csv(path, arrow, in_folders):
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.reader(file, strict=True)
        header = next(reader, [])
        lines = list(reader)
    names = [name for name in header if name in arrow.schema.names or name not in in_folders]
    if names != [name for name in arrow.schema.names if name in header or name not in in_folders]:
        yield f"the CSV has columns {header}, the Parquet file {arrow.schema.names}"
        return
    of_kind = lambda kind: [line for line in lines if header[:1] == ["row"] and line[:1] == [kind]]  # noqa: E731
    # Sums over all clients and totals stand in the CSV alone.
    totals, subtotals = of_kind("total"), of_kind("all clients")
    lines = [line for line in lines if line not in totals and line not in subtotals]
    if len(lines) != arrow.num_rows:
        yield f"the CSV has {len(lines)} rows, the Parquet file {arrow.num_rows}"
        return
    for name in names:
        if name not in arrow.schema.names:
            continue
        index = header.index(name)
        kind = arrow.schema.field(name).type
        for row, (line, value) in enumerate(zip(lines, arrow.column(name).to_pylist(), strict=True), start=1):
            text = line[index] if index < len(line) else None
            if not same(text, value, kind):
                yield f"row {row}, column {name}: the CSV has {text!r}, the Parquet file {value!r}"
                break
        if is_number(kind):
            values = [line[index] for line in lines if line[index] != ""]
            yield from compare(
                "the CSV reader",
                (0, {name: summarise(arrow.select([name]))[1][name]}),
                (0, {name: (len(values), sum(map(Decimal, values), Decimal(0)))}),
            )
            parts = [line[index] for line in subtotals]
            if parts and len(values) == len(lines) and sum(map(Decimal, parts)) != sum(map(Decimal, values)):
                yield f"the rows of all clients of {name} add up to {sum(map(Decimal, parts))}, the others to {sum(map(Decimal, values))}"
            stated = [line[index] for line in totals if line[index] != ""]
            if stated and sum(map(Decimal, stated)) != sum(map(Decimal, values), Decimal(0)):
                yield f"the total rows of {name} say {stated}, the rows above add up to {sum(map(Decimal, values))}"


def same(text, value, kind):
    if text is None:
        return False
    if value is None:
        return text == ""
    if is_number(kind):
        return text != "" and Decimal(text) == value
    if pyarrow.types.is_timestamp(kind):
        # ISO 8601 with its offset; without one it would not be an instant.
        stamp = datetime.fromisoformat(text) if text else None
        return stamp is not None and stamp.tzinfo is not None and stamp == value
    if pyarrow.types.is_boolean(kind):
        return text == str(value).lower()
    return text == str(value)


def check_glob(root, files):
    """One clean glob over all months and sites: no row twice, the folders' names as columns."""
    items = [path for path in files if path.stem == "itemised"]
    depths = {len(path.relative_to(root).parts) for path in items}
    for depth in sorted(depths):
        glob = str(root.joinpath(*["*"] * (depth - 1), "itemised.parquet"))
        expected = sum(
            pyarrow.parquet.ParquetFile(path).metadata.num_rows
            for path in items
            if len(path.relative_to(root).parts) == depth
        )
        seen = duckdb.connect().execute("SELECT count(*) FROM read_parquet(?)", [glob]).fetchone()[0]
        lazy = polars.scan_parquet(glob).select(polars.len()).collect().item()
        print(f"{'ok' if (seen, lazy) == (expected, expected) else 'DIFFERS'}  {seen:>8} rows  as one glob  {glob}")
        if (seen, lazy) != (expected, expected):
            yield f"{glob}: DuckDB sees {seen} rows, Polars {lazy}, the files one by one {expected}"


def self_test():
    """A difference of one ledger unit, of one cell, of one row, or of a type is found; equal files pass."""
    good = (
        "row,payer,answered_at,calls,amount,answered\n"
        "item,A,2026-10-25T01:30:00+01:00,61,0.0600000000,true\n"
        "item,B,,0,,false\n"
        "total,,,61,0.06,\n"
    )
    cases = [
        ("equal", good, None, 0),
        ("one ledger unit", good.replace("0.0600000000", "0.0600000001"), None, 1),
        ("zero for nothing", good.replace("0,,false", "0,0.0000000000,false"), None, 1),
        ("another hour", good.replace("01:30:00+01:00", "01:30:00+00:00"), None, 1),
        ("no offset", good.replace("01:30:00+01:00", "00:30:00"), None, 1),
        ("a total that is none", good.replace("61,0.06,\n", "61,0.07,\n"), None, 1),
        ("sums of all clients", good.replace("total,", "all clients,,,61,0.06,\ntotal,"), None, 0),
        ("a sum of all clients that is none", good.replace("total,", "all clients,,,60,0.06,\ntotal,"), None, 1),
        ("no total", good.replace("total,,,61,0.06,\n", ""), None, 0),
        ("another name", good.replace("item,B,", "item,C,"), None, 1),
        ("a row less", good.replace("item,B,,0,,false\n", ""), None, 1),
        ("a column less", good.replace("payer,", "paid_by,"), None, 1),
        ("decimal of another scale", good, ("amount", pyarrow.decimal128(38, 4)), 1),
        ("local timestamp", good, ("answered_at", pyarrow.timestamp("ms")), 1),
        ("floating point", good, ("amount", pyarrow.float64()), 1),
        ("no CSV at all", None, None, 1),
        ("no file at all", None, "none", 1),
    ]
    failures = 0
    for name, text, change, expected in cases:
        with tempfile.TemporaryDirectory() as folder:
            site = pathlib.Path(folder) / "current" / "month=2026-10" / "site=S"
            site.mkdir(parents=True)
            if change != "none":
                pyarrow.parquet.write_table(sample(change), site / "itemised.parquet")
            if text is not None:
                (site / "itemised.machine.csv").write_text(text, encoding="utf-8", newline="")
            code = check(pathlib.Path(folder))
        failures += code != expected
        print(f"self-test {'ok' if code == expected else 'FAILED'}: {name}\n")
    print(f"{len(cases) - failures} passed, {failures} failed")
    return 1 if failures else 0


def sample(change):
    answered = datetime(2026, 10, 25, 0, 30, tzinfo=timezone.utc)
    table = pyarrow.table(
        {
            "row": pyarrow.array(["item", "item"]),
            "payer": pyarrow.array(["A", "B"]),
            "answered_at": pyarrow.array([answered, None], pyarrow.timestamp("ms", "UTC")),
            "calls": pyarrow.array([61, 0], pyarrow.int64()),
            "amount": pyarrow.array([Decimal("0.06"), None], pyarrow.decimal128(38, 10)),
            "answered": pyarrow.array([True, False]),
        }
    )
    if change is None:
        return table
    index = table.schema.get_field_index(change[0])
    return table.set_column(index, change[0], table.column(index).cast(change[1]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
