"""Tariff files, read as docs/tariff-guide.md teaches them: settings (TOML), rate decks (CSV) and what they name.

Money is a `Fraction` of the major unit, time a whole number of milliseconds. What is not a tariff is refused with
`Refused`; the program under test is asked elsewhere whether it refuses the same.
"""

import csv
import re
import tomllib
from fractions import Fraction
from pathlib import Path

from clock import BandSet, DayType, Refused, Timeline, date_or_instant

HAVE_PENCE = frozenset(("GBP",))
HAVE_NEITHER = frozenset(("JPY", "KRW", "ISK", "CLP", "VND", "KWD", "BHD", "TND", "JOD"))
TIME_MS = {"s": 1000, "min": 60_000, "h": 3_600_000}
CALL = "call"


def money_unit(text, currency):
    """The worth of one of a unit: `p` is a hundredth of a pound."""
    if text == currency:
        return Fraction(1)
    if (text == "p" and currency in HAVE_PENCE) or (text in ("ct", "c") and currency not in HAVE_PENCE | HAVE_NEITHER):
        return Fraction(1, 100)
    raise Refused(f"unit {text!r} in a tariff of {currency}")


def time_unit(text):
    """`min`, `90s`, `3min`: milliseconds; `call`: CALL."""
    if text == CALL:
        return CALL
    count, unit = re.fullmatch(r"([0-9]*)(s|min|h)", text).groups()
    return int(count or 1) * TIME_MS[unit]


def duration_ms(text):
    """`60s`, `1.5s`, `3min`: milliseconds."""
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)\s*(ms|s|min|h)", text)
    if not found:
        raise Refused(f"not a duration: {text!r}")
    value = Fraction(found[1]) * {"ms": 1, **TIME_MS}[found[2]]
    if value.denominator != 1:
        raise Refused(f"finer than a millisecond: {text!r}")
    return int(value)


def seconds_ms(text):
    value = Fraction(text.strip()) * 1000
    if value.denominator != 1 or value <= 0:
        raise Refused(f"not an increment: {text!r}")
    return int(value)


def percent(text):
    return Fraction(text.strip().removesuffix("%").strip()) / 100


def table(path):
    """The rows of a CSV table with their lines: empty lines and those that begin with `#` are skipped."""
    with open(path, encoding="utf-8-sig", newline="") as file:
        lines = [(number, line) for number, line in enumerate(file.read().splitlines(), 1)]
    lines = [(number, line) for number, line in lines if line.strip() and not line.startswith("#")]
    if not lines:
        raise Refused(f"{path} is empty")
    rows = list(csv.reader(line for _, line in lines))
    header = [cell.strip() for cell in rows[0]]
    return [
        (number, dict(zip(header, (cell.strip() for cell in row), strict=True)))
        for (number, _), row in zip(lines[1:], rows[1:], strict=True)
    ]


class Price:
    """What `2.5p/min` says: so much money for so many milliseconds, or for the call (`per` is CALL)."""

    __slots__ = ("amount", "per")

    def __init__(self, amount, per):
        self.amount, self.per = amount, per

    def times(self, share):
        return Price(self.amount * share, self.per)

    def rate(self):
        """Per millisecond."""
        return Fraction(0) if self.per == CALL else self.amount / self.per

    def flat(self):
        return self.amount if self.per == CALL else Fraction(0)


class Units:
    """What bare numbers mean."""

    def __init__(self, settings):
        self.currency = settings["currency"]
        self.money = self.per = self.fee = None
        if "prices" in settings:
            money, per = settings["prices"].split("/")
            self.money, self.per = money_unit(money, self.currency), time_unit(per)
            self.fee = self.money
        if "fees" in settings:
            self.fee = money_unit(settings["fees"], self.currency)

    def price(self, text):
        found = re.fullmatch(r"([0-9]*\.?[0-9]+)\s*([A-Za-z]*)\s*(?:/\s*([0-9]*(?:s|min|h)|call))?", text.strip())
        if not found:
            raise Refused(f"not a price: {text!r}")
        money = money_unit(found[2], self.currency) if found[2] else self.money
        per = time_unit(found[3]) if found[3] else self.per
        if money is None or per is None:
            raise Refused(f"price without a unit: {text!r}")
        return Price(Fraction(found[1]) * money, per)

    def amount(self, text):
        found = re.fullmatch(r"([0-9]*\.?[0-9]+)\s*([A-Za-z]*)", str(text).strip())
        if not found:
            raise Refused(f"not an amount: {text!r}")
        money = money_unit(found[2], self.currency) if found[2] else self.fee
        if money is None:
            raise Refused(f"amount without a unit: {text!r}")
        return Fraction(found[1]) * money


UNIT = "unit"


def increments(text):
    """(first, further) in milliseconds, or (UNIT, UNIT)."""
    text = str(text).strip()
    if text == "unit":
        return UNIT, UNIT
    if text == "none":
        return 1, 1
    first, _, further = text.partition("/")
    return seconds_ms(first), seconds_ms(further or first)


def rounding(value, units):
    """Stage -> (rule, step)."""
    if value in (None, "none"):
        return {}
    found = {}
    for one in value if isinstance(value, list) else [value]:
        if one["stage"] in found:
            raise Refused(f"two roundings of stage {one['stage']}")
        found[one["stage"]] = (one["rule"], units.amount(one["step"]))
    return found


def duration_rounding(text):
    if text in (None, "none"):
        return None
    rule, step = text.split()
    return rule, duration_ms(step)


class Cap:
    def __init__(self, value, units):
        self.charge = units.amount(value["charge"])
        self.window = duration_ms(value["window"]) if "window" in value else None
        then = value.get("then", "price")
        self.then = then if then in ("price", "free", "whole") else units.price(then).rate()


class Step:
    """From where, and in each band: per millisecond, flat, and the unit of its price."""

    __slots__ = ("start", "further", "rate", "flat", "per")

    def __init__(self, start, further):
        self.start, self.further = start, further
        self.rate, self.flat, self.per = {}, {}, {}

    def set(self, band, price, charge):
        self.rate[band] = price.rate() if price else Fraction(0)
        self.flat[band] = (price.flat() if price else Fraction(0)) + charge
        self.per[band] = price.per if price else None


class Component:
    """One component: what section B3 of the rules needs to price it."""

    def __init__(self, name, tag, version, table, bands, defaults):
        units = version.units
        self.name, self.tag, self.version, self.bands = name, tag, version, bands
        pick = lambda key: table.get(key, defaults.get(key))  # noqa: E731
        self.first, self.further = increments(pick("increments") or "1/1")
        self.duration_rounding = duration_rounding(pick("duration_rounding"))
        self.free_below = duration_ms(pick("free_below") or "0s")
        self.subtract = duration_ms(pick("subtract") or "0s")
        self.minimum_duration = duration_ms(pick("minimum_duration") or "0s")
        self.connection = self._by_band(pick("connection_charge"), units.amount)
        self.cap = Cap(pick("cap"), units) if pick("cap") else None
        self.percent = {band: percent(text) for band, text in (pick("band_percent") or {}).items()}
        self.minimum = units.amount(table["minimum_charge"]) if "minimum_charge" in table else None
        self.maximum = units.amount(table["maximum_charge"]) if "maximum_charge" in table else None
        own = rounding(table["rounding"], units) if "rounding" in table else version.rounding
        self.round_usage, self.round_component = own.get("usage"), own.get("component")
        self.wholesale = None
        self.steps = []

    def _by_band(self, value, read):
        if value is None:
            return None
        if isinstance(value, dict):
            return {band: read(text) for band, text in value.items()}
        amount = read(value)
        return dict.fromkeys(self.bands.names, amount)

    def plain(self, price, by_band):
        """One step from 0: `price` for every band, but for those that have their own or a percentage of it."""
        step = Step(0, self.further)
        for band in self.bands.names:
            if band in by_band:
                own = by_band[band]
            elif price is None:
                raise Refused(f"no price in band {band}")
            elif band in self.percent:
                own = price.times(self.percent[band])
            else:
                own = price
            step.set(band, own, Fraction(0))
        self.steps = [step]

    def stepped(self, steps):
        for index, table in enumerate(steps):
            further = self.further
            if "increments" in table:
                first, further = increments(table["increments"])
                if index == 0:
                    self.first = first
            step = Step(duration_ms(table["from"]), further)
            if step.start != 0 if index == 0 else step.start <= self.steps[-1].start:
                raise Refused("steps rise from 0")
            prices = self._by_band(table.get("price"), self.version.units.price) or {}
            charge = self.version.units.amount(table["charge"]) if "charge" in table else Fraction(0)
            for band in self.bands.names:
                step.set(band, prices.get(band), charge)
            self.steps.append(step)

    def connection_at(self, band):
        return self.connection[band] if self.connection else Fraction(0)


class Row:
    """A row of a deck: its keys, conditions and components."""

    CONDITIONS = ("origin", "jurisdiction", "caller_type", "trunk", "only_class", "length")

    def __init__(self, version, path, line, cells):
        self.version, self.path, self.line = version, path, line
        get = lambda name: cells.get(name, "")  # noqa: E731
        self.destination, self.names_class = get("destination"), get("class") or None
        self.status = get("status") or "offered"
        self.start = date_or_instant(get("from"), version.dates_zone) if get("from") else None
        self.until = date_or_instant(get("until"), version.dates_zone) if get("until") else None
        self.direction = get("direction") or "out"
        self.keys = keys(get("prefix"))
        self._conditions(get)
        self.usage, self.charges, self.minimum, self.maximum = None, [], None, None
        self.bands = version.band_sets[get("band_set") or ""]
        if self.status == "offered":
            self._price(cells, get)

    def _conditions(self, get):
        split = lambda text: [part.strip() for part in text.split(";")]  # noqa: E731
        self.filled = tuple(bool(get(name)) for name in self.CONDITIONS)
        self.origin = self.version.origins_of(split(get("origin"))) if get("origin") else None
        self.jurisdiction = get("jurisdiction") or None
        self.caller_type = frozenset(split(get("caller_type"))) if get("caller_type") else None
        self.trunk = frozenset(split(get("trunk"))) if get("trunk") else None
        self.only_class = frozenset(split(get("only_class"))) if get("only_class") else None
        self.length = None
        if get("length"):
            low, dash, high = get("length").partition("-")
            self.length = (int(low or 0), int(high or 99) if dash else int(low))

    def _price(self, cells, get):
        version, units = self.version, self.version.units
        table = {}
        if get("increments"):
            table["increments"] = get("increments")
        if get("connection"):
            table["connection_charge"] = get("connection")
        by_band = {band: cells.get("price_" + band, "") for band in self.bands.names}
        by_band = {band: text for band, text in by_band.items() if text}
        if get("price") or by_band:
            self.usage = Component("", "usage", version, table, self.bands, version.row_defaults)
            markup = re.fullmatch(r"wholesale(?:\s*([+-])\s*([0-9.]+)\s*%)?", get("price"))
            if markup:
                share = percent(markup[2]) if markup[2] else Fraction(0)
                self.usage.wholesale = 1 - share if markup[1] == "-" else 1 + share
            else:
                price = units.price(get("price")) if get("price") else None
                self.usage.plain(price, {band: units.price(text) for band, text in by_band.items()})
        if get("charges"):
            self.charges = [version.charges[name.strip()] for name in get("charges").split("+")]
        if not self.usage and not self.charges:
            raise Refused(f"{self.path}:{self.line}: no price")
        self.minimum = units.amount(get("minimum")) if get("minimum") else version.minimum
        self.maximum = units.amount(get("maximum")) if get("maximum") else version.maximum

    @property
    def wholesale(self):
        return self.usage is not None and self.usage.wholesale is not None

    def conflicts(self, other):
        """Whether both could decide one call: the same columns filled, and each able to hold for the same call."""
        if self.direction != other.direction or self.filled != other.filled:
            return False
        if (self.until is not None and other.start is not None and self.until <= other.start) or (
            other.until is not None and self.start is not None and other.until <= self.start
        ):
            return False
        if self.origin is not None and not self.origin & other.origin:
            return False
        if self.jurisdiction != other.jurisdiction:
            return False
        for name in ("caller_type", "trunk", "only_class"):
            mine, theirs = getattr(self, name), getattr(other, name)
            if mine is not None and not mine & theirs:
                return False
        if self.length is not None:
            return self.length[0] <= other.length[1] and other.length[0] <= self.length[1]
        return True


def keys(text):
    """The keys of a `prefix` cell: [(kind, text)]."""
    text = text.strip()
    for kind in ("code", "class", "number"):
        if text.startswith(kind + ":"):
            return [(kind, text[len(kind) + 1:].strip().removeprefix("+") if kind == "number" else text[len(kind) + 1:])]
    if text.startswith("short:"):
        code = text[6:].strip()
        return [("short_prefix", code[:-1]) if code.endswith("*") else ("short", code)]
    if text in ("*", "internal"):
        return [(text, "")]
    found = []
    for part in re.split("[;,]", text):
        low, _, high = part.strip().removeprefix("+").partition("-")
        if high:
            if len(low) != len(high):
                raise Refused(f"not a span: {part!r}")
            found += [("prefix", str(n)) for n in range(int(low), int(high) + 1)]
        else:
            found.append(("prefix", low))
    if not all(re.fullmatch("[0-9]+", digits) for _, digits in found):
        raise Refused(f"not a prefix: {text!r}")
    return list(dict.fromkeys(found))


class When:
    """The condition of a surcharge: all that is given must hold."""

    def __init__(self, table, version):
        texts = lambda name: [table[name]] if isinstance(table[name], str) else table[name]  # noqa: E731
        have = lambda name: frozenset(texts(name)) if name in table else None  # noqa: E731
        self.origin = version.origins_of(texts("origin")) if "origin" in table else None
        self.destination = tuple(text.removeprefix("+") for text in texts("destination")) if "destination" in table else None
        self.classes, self.caller_type, self.trunk = have("class"), have("caller_type"), have("trunk")
        self.direction = table.get("direction")
        if not table:
            raise Refused("a surcharge needs a condition")


class Version:
    """One settings file and what it names."""

    def __init__(self, path, site_zone, operator_zone=None, site_calendar=None):
        self.path = Path(path)
        with open(path, "rb") as file:
            settings = tomllib.load(file)
        self.settings = settings
        self.id, self.currency = settings["id"], settings["currency"]
        zone = settings.get("zone", "site")
        self.zone = {"site": site_zone, "operator": operator_zone or site_zone, "caller": None}.get(zone, zone)
        self.dates_zone = self.zone or site_zone
        self.start = date_or_instant(settings["from"], self.dates_zone)
        self.until = date_or_instant(settings["until"], self.dates_zone) if "until" in settings else None
        self.parent = settings.get("parent")
        self.fallback = frozenset(settings.get("fallback", ()))
        self.boundary, self.overrun = settings.get("boundary", "start"), settings.get("overrun", "end")
        if self.boundary == "unit":
            self.boundary, self.overrun = "split", "next"
        self.version_change = settings.get("version_change", "start")
        self.minimum_stage = settings.get("minimum_stage", "after-connection")
        self.units = Units(settings)
        self.rounding = rounding(settings.get("rounding"), self.units)
        self.round_call = self.rounding.get("call")
        self.minimum = self._amount("minimum_charge")
        self.maximum = self._amount("maximum_charge")
        self.free_below = duration_ms(settings.get("free_below", "0s"))
        self._days(settings, site_calendar)
        self._origins(settings)
        names = ("increments", "duration_rounding", "free_below", "subtract")
        self.charge_defaults = {name: settings[name] for name in names if name in settings}
        names += ("connection_charge", "minimum_duration", "cap", "band_percent")
        self.row_defaults = {name: settings[name] for name in names if name in settings}
        self._charges(settings)
        self._rows(settings)

    def _amount(self, key):
        return self.units.amount(self.settings[key]) if key in self.settings else None

    def _beside(self, name):
        return self.path.parent / name

    def _days(self, settings, site_calendar):
        tables = dict(settings.get("days", {}))
        if "holidays" in settings:
            tables["holiday"] = settings["holidays"]
        if "holiday" in tables:
            tables["holiday"] = tables.pop("holiday")  # last
        read = lambda name: table(self._beside(name))  # noqa: E731
        self.day_types = [DayType(name, one, read, site_calendar) for name, one in tables.items()]
        self.band_sets = {"": BandSet(settings.get("bands"), tables)}
        for name, one in settings.get("band_sets", {}).items():
            self.band_sets[name] = BandSet(one, tables)
        self.timelines = {}

    def timeline(self, bands, zone):
        key = (id(bands), zone)
        if key not in self.timelines:
            self.timelines[key] = Timeline(bands, self.day_types, zone)
        return self.timelines[key]

    def _origins(self, settings):
        self.origins = {}
        for name, value in settings.get("origins", {}).items():
            if isinstance(value, str) and value.endswith(".csv"):
                value = [row["prefix"] for _, row in table(self._beside(value))]
            texts = [value] if isinstance(value, str) else value
            self.origins[name] = frozenset(digits for text in texts for _, digits in keys(text))
        read = lambda key, column: {  # noqa: E731
            digits: row[column] for _, row in table(self._beside(settings[key])) for _, digits in keys(row["prefix"])
        }
        self.regions = read("jurisdictions", "region") if "jurisdictions" in settings else {}
        self.caller_zones = read("caller_zones", "zone") if "caller_zones" in settings else {}

    def origins_of(self, texts):
        """Prefixes of callers; `missing` and `invalid` as they are."""
        found = set()
        for text in texts:
            if text in ("missing", "invalid"):
                found.add(text)
            elif text in self.origins:
                found |= self.origins[text]
            else:
                found.update(digits for _, digits in keys(text))
        return frozenset(found)

    def _charges(self, settings):
        self.charges = {}
        for name, one in settings.get("charges", {}).items():
            self.charges[name] = self._charge(name, one.get("tag", "usage"), one)
        if "price_points" in settings:
            self._price_points(settings["price_points"])
        self.surcharges = []
        for name, one in settings.get("surcharges", {}).items():
            surcharge = self._charge(name, "surcharge", one)
            surcharge.when = When(one["when"], self)
            surcharge.after_rounding = one.get("after_rounding", False)
            self.surcharges.append(surcharge)

    def _charge(self, name, tag, one):
        component = Component(name, tag, self, one, self.band_sets[one.get("bands", "")], self.charge_defaults)
        if "steps" in one:
            component.stepped(one["steps"])
        elif isinstance(one.get("price"), dict):
            component.plain(None, {band: self.units.price(text) for band, text in one["price"].items()})
        else:
            # A charge may consist of its connection charge or minimum alone.
            component.plain(self.units.price(one["price"]) if "price" in one else Price(Fraction(0), 60_000), {})
        if "charge" in one:
            flat = component.steps[0].flat
            flat.update({band: flat[band] + self.units.amount(one["charge"]) for band in flat})
        return component

    def _price_points(self, path):
        for line, row in table(self._beside(path)):
            component = Component(row["code"], "service", self, {}, self.band_sets[""], self.charge_defaults)
            flat = self.units.amount(row["per_call"]) if row["per_call"] else Fraction(0)
            price = self._per_minute(row["per_minute"]) if row["per_minute"] else None
            included = seconds_ms(row["included_s"]) if row["included_s"] and Fraction(row["included_s"]) else 0
            first = Step(0, component.further)
            component.steps = [first]
            if included:
                component.steps.append(Step(included, component.further))
            for band in component.bands.names:
                first.set(band, None if included else price, flat)
                if included:
                    component.steps[1].set(band, price, Fraction(0))
            if row["code"] in self.charges:
                raise Refused(f"{path}:{line}: {row['code']} stands twice")
            self.charges[row["code"]] = component

    def _per_minute(self, text):
        if re.fullmatch(r"[0-9]*\.?[0-9]+\s*[A-Za-z]*", text):
            return Price(self.units.amount(text), 60_000)
        return self.units.price(text)

    def _rows(self, settings):
        self.index = {"out": {}, "in": {}}
        decks = settings["decks"]
        for name in [decks] if isinstance(decks, str) else decks:
            for line, cells in table(self._beside(name)):
                row = Row(self, str(self._beside(name)), line, cells)
                for kind, text in row.keys:
                    place = self.index[row.direction].setdefault(kind, {})
                    place.setdefault(text, []).append(row)
        for side in self.index.values():
            for place in side.values():
                for rows in place.values():
                    self._refuse_conflicts(rows)
        self.lengths = {
            (direction, kind): sorted({len(text) for text in side.get(kind, {})}, reverse=True)
            for direction, side in self.index.items()
            for kind in ("prefix", "short_prefix")
        }

    @staticmethod
    def _refuse_conflicts(rows):
        for index, row in enumerate(rows):
            for other in rows[:index]:
                if row.conflicts(other):
                    raise Refused(f"{row.path}: lines {other.line} and {row.line} are in conflict")


class Tariffs:
    """All versions of all tariffs that were named, in order of time."""

    def __init__(self, paths, site_zone="UTC", operator_zone=None, site_calendar=None, asked=None):
        self.site_zone = site_zone
        self.versions = {}
        for path in paths:
            version = Version(path, site_zone, operator_zone, site_calendar)
            self.versions.setdefault(version.id, []).append(version)
        for versions in self.versions.values():
            versions.sort(key=lambda version: version.start)
            for version, following in zip(versions, [*versions[1:], None]):
                version.following = following
                if following is not None and version.until is None:
                    version.until = following.start
                if following is not None and version.until > following.start:
                    raise Refused(f"versions of {version.id} overlap")
        self.asked = asked or next(iter(self.versions))

    def in_force(self, name, at):
        for version in self.versions.get(name, ()):
            if version.start <= at and (version.until is None or at < version.until):
                return version
        return None
