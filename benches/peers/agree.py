"""Whether two published months charge the same: `agree.py OURS THEIRS`, folders with the sites' itemised Parquet.

Every call that DuckDB charges must be charged the same by us, and the other way round, but for copies of a record (DuckDB charges
them too) and for calls that we suspend; and so must the sums of the sites. All in whole 0.0001 of the currency and whole
seconds: nothing is rounded here.
"""

import sys

import duckdb


def main(ours, theirs):
    database = duckdb.connect()
    database.execute("SET threads = 2; SET enable_progress_bar = false")
    mine = f"read_parquet('{ours}/*/itemised.parquet', hive_partitioning = false)"
    peer = f"read_parquet('{theirs}/*/itemised*.parquet', hive_partitioning = true)"
    suspended = f"SELECT call_id FROM {mine} WHERE status = 'suspended'"
    (waiting,) = database.execute(f"SELECT count(*) FROM ({suspended})").fetchone()
    (copies,) = database.execute(f"SELECT count(*) - count(DISTINCT call_id) FROM {peer}").fetchone()
    tables = {
        "ours": f"""
            SELECT site, call_id, coalesce((cost * 10000)::BIGINT, 0) AS cost, coalesce(billed_duration_s, 0)::BIGINT AS billed
            FROM {mine} WHERE status <> 'suspended'""",
        "theirs": f"""
            SELECT DISTINCT ON (call_id) site::VARCHAR AS site, call_id, cost_e4 AS cost, billed_duration_s::BIGINT AS billed
            FROM {peer} WHERE call_id NOT IN ({suspended})""",
    }
    sums = {}
    for name, rows in tables.items():
        database.execute(f"CREATE TEMP TABLE {name} AS {rows}")
        query = f"SELECT site, count(*), sum(cost)::BIGINT, sum(billed)::BIGINT FROM {name} GROUP BY ALL ORDER BY ALL"
        sums[name] = database.execute(query).fetchall()
    of_two = "(FROM ours EXCEPT FROM theirs) UNION ALL (FROM theirs EXCEPT FROM ours)"
    differ = database.execute(f"SELECT * FROM ({of_two}) ORDER BY ALL LIMIT 10").fetchall()
    if sums["ours"] != sums["theirs"] or differ:
        for row in differ:
            print(f"  differs: {row}")
        for left, right in zip(sums["ours"], sums["theirs"]):
            if left != right:
                print(f"  ours {left}, DuckDB's {right}")
        sys.exit("calls are not charged the same by both")
    calls, money = sum(row[1] for row in sums["ours"]), sum(row[2] for row in sums["ours"])
    print(
        f"  the same {calls} calls at {len(sums['ours'])} sites cost the same by both, one by one and added up:"
        f" {money // 10000}.{money % 10000:04} (left out: {copies} copies of records, which DuckDB charges, and {waiting} calls that"
        " we suspend)",
        flush=True,
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
