#!/usr/bin/env python3
"""Rebuilds the tables of built-in calendars beside this file.

    python3 -m pip install holidays==0.109 govuk-bank-holidays==0.19
    python3 rebuild.py

A date is the day that is kept. In Great Britain and for the United States' government a holiday that falls on a weekend
is kept on another day, and only that other day is in the table; elsewhere a holiday is the day itself.

The British tables are compared with GOV.UK's own list, day by day, and nothing is written if they differ but where
EXPECTED says so.
"""

import datetime
import importlib.metadata
import json
import pathlib
import sys

import govuk_bank_holidays
import holidays

YEARS = range(1996, 2041)
HERE = pathlib.Path(__file__).parent

# Country: its calendars by subdivision ("" is the country as a whole), the language of the names, and whether another day
# replaces one that falls on a weekend.
COUNTRIES = {
    "AT": ([""], "en_US", False),
    "BE": ([""], "en_US", False),
    "CH": ([""], "en_US", False),
    "DE": (["", "BB", "BE", "BW", "BY", "HB", "HE", "HH", "MV", "NI", "NW", "RP", "SH", "SL", "SN", "ST", "TH"], "en_US", False),
    "ES": ([""], "en_US", False),
    "FR": (["", "57", "6AE"], "en_US", False),
    "GB": (["ENG", "NIR", "SCT", "WLS"], "en_GB", True),
    "IE": ([""], "en_IE", False),
    "IT": ([""], "en_US", False),
    "NL": ([""], "en_US", False),
    "US": ([""], "en_US", True),
}

# What GOV.UK lists today and the copy in the package does not have yet: appointed by royal proclamation of 3 February 2026.
EXPECTED = {("SCT", datetime.date(2026, 6, 15))}

OBSERVED = " (observed)"


def kept(country, subdivision, language, replaces):
    """The days that are kept, with their names."""
    # One year more each side: what is kept may lie in another year than what it stands for.
    years = range(YEARS.start - 1, YEARS.stop + 1)
    found = holidays.country_holidays(country, subdiv=subdivision or None, years=years, language=language, observed=True)
    named = [(day, name) for day, names in found.items() for name in names.split("; ")]
    stands_in = {}
    for day, name in named:
        if name.endswith(OBSERVED):
            stands_in.setdefault(name.removesuffix(OBSERVED), []).append(day)
    days = {}
    for day, name in named:
        if name.endswith(OBSERVED):
            if not replaces:
                continue
        elif replaces and day.weekday() >= 5:
            if any(abs((other - day).days) <= 4 for other in stands_in.get(name, [])):
                continue
        days.setdefault(day, []).append(name.removesuffix(OBSERVED))
    return {day: " and ".join(sorted(names)) for day, names in days.items() if day.year in YEARS}


def check_against_gov_uk(tables):
    path = pathlib.Path(govuk_bank_holidays.__file__).parent / "bank-holidays.json"
    lists = json.loads(path.read_text(encoding="utf-8"))
    divisions = {"ENG": "england-and-wales", "WLS": "england-and-wales", "SCT": "scotland", "NIR": "northern-ireland"}
    for nation, division in divisions.items():
        official = {datetime.date.fromisoformat(event["date"]) for event in lists[division]["events"]}
        years = {day.year for day in official}
        ours = {day for day in tables[nation] if day.year in years}
        differ = {(nation, day) for day in official ^ ours} - EXPECTED
        if differ:
            sys.exit(f"not as GOV.UK lists them: {sorted(differ)}")


def write(country, tables):
    # A day that every calendar of the country has stands once; the country's own calendar is what all of them have.
    rows = {}
    for subdivision, days in tables.items():
        for day, name in days.items():
            rows.setdefault((day, name), []).append(subdivision)
    whole = set(tables.get("", {}))
    ids = [f"{country}-{subdivision}" if subdivision else country for subdivision in tables]
    sources = [f"holidays {importlib.metadata.version('holidays')} (MIT)"]
    if country == "GB":
        sources.append(
            f"checked against GOV.UK's list 2012-2028 in govuk-bank-holidays {importlib.metadata.version('govuk-bank-holidays')}"
            " (MIT; Open Government Licence v3.0)"
        )
    years = sorted({day.year for day, _ in rows})
    lines = [
        f"# Holidays of {', '.join(ids)}, {years[0]} to {years[-1]}.",
        f"# Source: {'; '.join(sources)}; made by rebuild.py on {datetime.date.today()}. Do not edit: a tariff adds its own days.",
        "# An empty cell `in` is every calendar of this file.",
        "date,in,name",
    ]
    for (day, name), where in sorted(rows.items()):
        where = "" if day in whole or len(where) == len(tables) else ";".join(sorted(where))
        assert '"' not in name, name
        lines.append(f'{day},{where},"{name}"' if "," in name else f"{day},{where},{name}")
    (HERE / f"{country}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def main():
    for country, (subdivisions, language, replaces) in COUNTRIES.items():
        tables = {subdivision: kept(country, subdivision, language, replaces) for subdivision in subdivisions}
        if country == "GB":
            check_against_gov_uk(tables)
        if "" in tables:
            lacking = [s for s, days in tables.items() if not set(tables[""]) <= set(days)]
            assert not lacking, f"{country}: {lacking} lack days of the whole country"
        write(country, tables)


main()
