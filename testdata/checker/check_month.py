#!/usr/bin/env python3
"""Checks a published month from outside: by its inputs and outputs alone, with the standard library alone.

    check_month.py MONTH [--project DIR]   MONTH is a folder such as out/current/month=2026-10
    check_month.py --self-test MONTH       shows that a changed penny, a lost row and a lost file are found

What must hold:

 1. records = used + merged + duplicate + not a call + other period + waiting + rejected, for every input file and in total;
    calls = rated + not chargeable + suspended; every call stands for one record.
 2. Every output is there as the manifest says (bytes, SHA-256), and nothing else; with --project, every input and table too, and
    plain text files of line formats have as many records as lines.
 3. Each payer's extension summary and destinations are the sums of its itemised rows; so are its call charges at the site.
 4. The call charges of all sites are the sum of the sites'; their amounts are the control totals, to the last digit.
"""

import csv
import hashlib
import json
import pathlib
import shutil
import sys
import tempfile
from collections import defaultdict
from decimal import Decimal, getcontext

getcontext().prec = 60
PARTS = ("used", "merged", "duplicate", "not_a_call", "other_period", "waiting", "rejected")
LINE_LAYOUTS = ("cdr_csv", "freepbx_table", "cdr_custom")


def rows(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def money(text):
    return Decimal(text) if text else Decimal(0)


def sha256(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


class Month:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.manifest = json.loads((self.folder / "manifest.json").read_text(encoding="utf-8"))
        self.wrong = []
        self.checked = defaultdict(int)

    def equal(self, what, found, expected):
        self.checked[what.split(":")[0]] += 1
        if found != expected:
            self.wrong.append(f"{what}: {found} and not {expected}")

    def identities(self):
        control = self.manifest["control"]
        total = defaultdict(int)
        for entry in self.manifest["inputs"]:
            counts = entry["records"]
            self.equal(f"identity: {entry['path']}", sum(counts[part] for part in PARTS), counts["records"])
            for name, count in counts.items():
                total[name] += count
        for name, count in control["records"].items():
            self.equal(f"total of records: {name}", total[name], count)
        calls = control["calls"]
        self.equal("calls: parts", calls["rated"] + calls["not_chargeable"] + calls["suspended"], calls["calls"])

    def files(self):
        named = {entry["path"]: entry for entry in self.manifest["outputs"]}
        present = {
            path.relative_to(self.folder).as_posix() for path in self.folder.rglob("*") if path.is_file()
        } - {"manifest.json"}
        self.equal("outputs: not in the manifest", sorted(present - set(named)), [])
        self.equal("outputs: missing", sorted(set(named) - present), [])
        for path in sorted(present & set(named)):
            file = self.folder / path
            self.equal(f"output: {path}", (file.stat().st_size, sha256(file)), (named[path]["bytes"], named[path]["sha256"]))

    def inputs(self, project):
        for entry in self.manifest["inputs"]:
            path = pathlib.Path(project) / entry["path"]
            self.equal(f"input: {entry['path']}", sha256(path), entry["sha256"])
            if entry["layout"] in LINE_LAYOUTS and not entry["refused"] and path.suffix not in (".gz", ".zst"):
                lines = [line for line in path.read_bytes().splitlines() if line.strip()]
                # A name may run over two lines; such files are left to the program.
                if all(line.count(b'"') % 2 == 0 for line in lines):
                    self.equal(f"lines: {entry['path']}", len(lines), entry["records"]["records"])
        for entry in self.manifest["references"]:
            path = pathlib.Path(project) / entry["path"]
            if path.exists():
                self.equal(f"table: {entry['path']}", sha256(path), entry["sha256"])

    def reports(self):
        months = {"retail": defaultdict(Decimal), "wholesale": defaultdict(Decimal)}
        everywhere = defaultdict(lambda: defaultdict(Decimal))
        calls = 0
        for site in sorted(self.folder.glob("site=*")):
            charges = [row for row in rows(next(site.glob("*_call-charges.machine.csv"))) if row.get("site") != ""]
            for row in charges:
                own = row["client_id"] != "" and row["client_amount"] == "" and row["currency"] == ""
                key = (row["client_id"], row["currency"])
                for column in ("client_amount", "operator_amount"):
                    currency = row["currency" if column == "client_amount" else "operator_currency"]
                    months["retail" if column == "client_amount" else "wholesale"][currency] += money(row[column])
                for column in ("calls", "billable_calls", "not_chargeable_calls", "suspended_calls"):
                    everywhere[row["client_id"]][column] += money(row[column])
                everywhere[key]["client_amount"] += money(row["client_amount"])
                calls += int(row["calls"] or 0)
                folder = site / f"payer={row['client_id']}"
                if row["client_id"] and folder.is_dir():
                    self.payer(site, folder, row["client_id"], charges, own)
        self.equal("calls: of all sites", calls, self.manifest["control"]["calls"]["calls"])
        for side in ("retail", "wholesale"):
            control = {currency: Decimal(text) for currency, text in self.manifest["control"][side].items()}
            found = {currency: amount for currency, amount in months[side].items() if amount}
            self.equal(f"control total: {side}", found, {currency: amount for currency, amount in control.items() if amount})
        together = defaultdict(lambda: defaultdict(Decimal))
        for row in rows(next((self.folder / "all-sites").glob("*_call-charges.machine.csv"))):
            for column in ("calls", "billable_calls", "not_chargeable_calls", "suspended_calls"):
                together[row["client_id"]][column] += money(row[column])
            together[(row["client_id"], row["currency"])]["client_amount"] += money(row["client_amount"])
        plain = lambda sums: {key: {name: value for name, value in of.items() if value} for key, of in sums.items() if any(of.values())}
        self.equal("all sites: call charges", plain(together), plain(everywhere))

    def payer(self, site, folder, payer, charges, own):
        itemised = rows(next(folder.glob("*_itemised_*.machine.csv")))
        by_extension, by_destination, by_currency = (defaultdict(lambda: defaultdict(Decimal)) for _ in range(3))
        status = defaultdict(int)
        for row in itemised:
            status[row["status"]] += 1
            if row["status"] != "charged":
                continue
            values = {"cost": money(row["cost"]), "duration_s": money(row["duration_s"]), "billed_duration_s": money(row["billed_duration_s"])}
            for sums, key in (
                (by_extension, (row["extension"], row["currency"])),
                (by_destination, (row["destination"], row["currency"])),
                (by_currency, row["currency"]),
            ):
                sums[key]["calls"] += 1
                for name, value in values.items():
                    sums[key][name] += value
        for name, sums, count, column in (
            ("extension", by_extension, "billable_calls", "extension"),
            ("destination", by_destination, "calls", "destination"),
        ):
            report = next(folder.glob("*_extension-summary_*.machine.csv" if name == "extension" else "*_destinations_*.machine.csv"))
            # Counts and seconds of several currencies stand in the first row of each.
            found, expected = defaultdict(lambda: defaultdict(Decimal)), defaultdict(lambda: defaultdict(Decimal))
            for row in rows(report):
                if row["row"] == name:
                    found[row[column]][("cost", row["currency"])] += money(row["cost"])
                    for field in (count, "duration_s", "billed_duration_s"):
                        found[row[column]]["calls" if field == count else field] += money(row[field])
            for (key, currency), sum_of in sums.items():
                for field, value in sum_of.items():
                    expected[key][("cost", currency) if field == "cost" else field] += value
            plain = lambda of: {key: {field: value for field, value in sums.items() if value} for key, sums in of.items()}
            self.equal(f"{name}s: {report.name}", plain(found), plain(expected))
        mine = [row for row in charges if row["client_id"] == payer]
        for column, value in (("calls", len(itemised)), ("billable_calls", status["charged"]),
                              ("not_chargeable_calls", status["not chargeable"]), ("suspended_calls", status["suspended"])):
            self.equal(f"call charges: {site.name} {payer} {column}", sum(int(row[column] or 0) for row in mine), value)
        amount = "operator_amount" if own else "client_amount"
        currency = "operator_currency" if own else "currency"
        found = defaultdict(Decimal)
        for row in mine:
            found[row[currency]] += money(row[amount])
        plain = lambda of: {key: value for key, value in of.items() if value}
        self.equal(f"call charges: {site.name} {payer}", plain(found), plain({key: sums["cost"] for key, sums in by_currency.items()}))

    def check(self, project=None):
        self.identities()
        self.files()
        if project:
            self.inputs(project)
        self.reports()
        return self.wrong


def self_test(folder):
    """Each damage must be found by what it breaks, not by the hash alone: so hashes are mended first."""

    def cost(month):
        path = next(path for path in sorted(month.rglob("*_itemised_*.machine.csv")) if ",charged," in path.read_text())
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        header = lines[0].rstrip("\r\n").split(",")
        for index, line in enumerate(lines[1:], 1):
            cells = next(csv.reader([line]))
            if cells[header.index("status")] == "charged":
                cells[header.index("cost")] = str(Decimal(cells[header.index("cost")]) + Decimal("0.0000000001"))
                lines[index] = ",".join(cells) + "\r\n"
                break
        path.write_text("".join(lines), encoding="utf-8", newline="")

    def row(month):
        path = next(path for path in sorted(month.rglob("*_itemised_*.machine.csv")) if len(rows(path)) > 1)
        path.write_text("".join(path.read_text(encoding="utf-8").splitlines(keepends=True)[:-1]), encoding="utf-8", newline="")

    def file(month):
        next(month.rglob("*_destinations_*.machine.csv")).unlink()

    def record(month):
        manifest = json.loads((month / "manifest.json").read_text())
        manifest["control"]["records"]["duplicate"] += 1
        (month / "manifest.json").write_text(json.dumps(manifest))

    for damage in (cost, row, file, record):
        with tempfile.TemporaryDirectory() as place:
            month = pathlib.Path(place) / "month"
            shutil.copytree(folder, month)
            damage(month)
            manifest = json.loads((month / "manifest.json").read_text())
            for entry in manifest["outputs"]:
                path = month / entry["path"]
                if path.exists():
                    entry["bytes"], entry["sha256"] = path.stat().st_size, sha256(path)
            (month / "manifest.json").write_text(json.dumps(manifest))
            try:
                found = Month(month).check()
            except StopIteration:
                found = ["a report is missing"]
            if not found:
                print(f"self-test: a damaged {damage.__name__} was not found")
                return 1
            print(f"self-test: {damage.__name__}: {found[0][:150]}")
    return 0


def main(arguments):
    if arguments[:1] == ["--self-test"] and len(arguments) == 2:
        return self_test(arguments[1])
    project = None
    if len(arguments) == 3 and arguments[1] == "--project":
        arguments, project = arguments[:1], arguments[2]
    if len(arguments) != 1:
        print(__doc__)
        return 2
    month = Month(arguments[0])
    for wrong in month.check(project):
        print(f"WRONG {wrong}")
    print(", ".join(f"{count} {what}" for what, count in sorted(month.checked.items())))
    print("everything balances" if not month.wrong else f"{len(month.wrong)} differences")
    return 1 if month.wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
