"""Clocks, days and bands: section 5 of docs/tariff-guide.md.

Instants are whole milliseconds since 1970 in UTC. What a clock on the wall shows comes from `zoneinfo`.
"""

import re
from bisect import bisect_right
from datetime import date, datetime, timedelta, timezone
from functools import lru_cache
from zoneinfo import ZoneInfo

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_MS = 86_400_000
EPOCH = date(1970, 1, 1)


class Refused(Exception):
    """A tariff that cannot be read."""


def instant(text):
    """RFC 3339 with an offset, to milliseconds."""
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    if moment.tzinfo is None:
        raise Refused(f"instant without offset: {text}")
    elapsed = moment - datetime(1970, 1, 1, tzinfo=timezone.utc)
    return elapsed // timedelta(milliseconds=1)


@lru_cache(maxsize=None)
def _offset_s(zone, second):
    moment = datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=second)
    return int(moment.astimezone(ZoneInfo(zone)).utcoffset().total_seconds())


@lru_cache(maxsize=None)
def offsets(zone, first_year, last_year):
    """The stretches of one offset: [(from, offset)] in milliseconds, from new year to new year."""
    low = (date(first_year, 1, 1) - EPOCH).days * 86_400
    high = (date(last_year + 1, 1, 1) - EPOCH).days * 86_400
    found = [(low * 1000, _offset_s(zone, low) * 1000)]
    at = low
    while at < high:
        ahead = at + 21_600
        if _offset_s(zone, ahead) != _offset_s(zone, at):
            left, right = at, ahead
            while right - left > 1:
                middle = (left + right) // 2
                if _offset_s(zone, middle) == _offset_s(zone, left):
                    left = middle
                else:
                    right = middle
            found.append((right * 1000, _offset_s(zone, right) * 1000))
        at = ahead
    return found, high * 1000


def local_midnight(day, zone):
    """The first instant at which the clock on the wall shows `day`."""
    stretches, end = offsets(zone, day.year - 1, day.year + 1)
    wall = (day - EPOCH).days * DAY_MS
    for index, (start, offset) in enumerate(stretches):
        until = stretches[index + 1][0] if index + 1 < len(stretches) else end
        at = max(wall - offset, start)
        if start <= at < until and at + offset >= wall:
            return at
    raise Refused(f"no {day} in {zone}")


def date_or_instant(text, zone):
    if "T" in text:
        return instant(text)
    return local_midnight(date.fromisoformat(text), zone)


# Days ----------------------------------------------------------------------------------------------------------------


def easter(year):
    """Easter Sunday of the Gregorian calendar (Meeus, Jones, Butcher)."""
    a, b, c = year % 19, year // 100, year % 100
    d, e = divmod(b, 4)
    g = (b - (b + 8) // 25 + 1) // 3
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    m = (32 + 2 * e + 2 * i - h - k) % 7
    n = (a + 11 * h + 22 * m) // 451
    month, day = divmod(h + m - 7 * n + 114, 31)
    return date(year, month, day + 1)


def nth(year, month, weekday, count):
    """The count-th weekday (Monday 0) of a month; -1 is the last."""
    if count > 0:
        first = date(year, month, 1)
        return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (count - 1))
    last = date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)
    return last - timedelta(days=(last.weekday() - weekday) % 7)


def _substituted(days):
    """Each day at the weekend moves to the next weekday that is none of the others."""
    taken = {day for day in days if day.weekday() < 5}
    for day in sorted(days):
        if day.weekday() >= 5:
            while day.weekday() >= 5 or day in taken:
                day += timedelta(days=1)
            taken.add(day)
    return taken


def public_holidays(name, year):
    """Public holidays as observed; None if the calendar is not known here."""
    after = lambda days: easter(year) + timedelta(days=days)  # noqa: E731
    on = lambda month, day: date(year, month, day)  # noqa: E731
    if name in ("GB-ENG", "GB-NIR"):
        days = _substituted([on(1, 1)]) | _substituted([on(12, 25), on(12, 26)])
        days |= {after(-2), after(1), nth(year, 5, 0, 1), nth(year, 5, 0, -1), nth(year, 8, 0, -1)}
        if name == "GB-NIR":
            days |= _substituted([on(3, 17)]) | _substituted([on(7, 12)])
        return days
    if name in ("DE", "DE-BE", "DE-HH"):
        days = {on(1, 1), on(5, 1), on(10, 3), on(12, 25), on(12, 26), after(-2), after(1), after(39), after(50)}
        return days | {on(3, 8)} if name == "DE-BE" else days | {on(10, 31)} if name == "DE-HH" else days
    if name == "FR":
        fixed = {on(1, 1), on(5, 1), on(5, 8), on(7, 14), on(8, 15), on(11, 1), on(11, 11), on(12, 25)}
        return fixed | {after(1), after(39), after(50)}
    return None


def weekday_span(text):
    """`mon-fri`, `sat`, `mon,wed`: indexes of weekdays."""
    found = set()
    for part in text.split(","):
        low, _, high = part.strip().partition("-")
        first, last = WEEKDAYS.index(low), WEEKDAYS.index(high or low)
        found.update(range(first, last + 1) if first <= last else [*range(first, 7), *range(0, last + 1)])
    return found


class DayType:
    """One `[days.NAME]`."""

    def __init__(self, name, table, read_calendar, site_calendar):
        self.name = name
        self.count_as = table.get("count_as")
        self.only = weekday_span(table["only"]) if "only" in table else set(range(7))
        self.dates = set()
        self.yearly = []
        offsets_of_easter = table.get("easter", ())
        self.easter = (offsets_of_easter,) if isinstance(offsets_of_easter, int) else tuple(offsets_of_easter)
        self.builtin = []
        for calendar in _list(table.get("calendar", [])):
            if calendar == "site":
                calendar = site_calendar
            if calendar is None:
                continue
            if calendar.endswith(".csv"):
                self.dates.update(date.fromisoformat(row["date"]) for _, row in read_calendar(calendar))
            else:
                self.builtin.append(calendar)
        for text in _list(table.get("dates", [])):
            low, _, high = text.partition("..")
            if re.fullmatch(r"\d\d-\d\d", low.strip()):
                self.yearly.append((low.strip(), (high or low).strip()))
                continue
            day = date.fromisoformat(low.strip())
            last = date.fromisoformat(high.strip()) if high else day
            while day <= last:
                self.dates.add(day)
                day += timedelta(days=1)

    @lru_cache(maxsize=None)
    def _year(self, year):
        days = {day for day in self.dates if day.year == year}
        # The feasts of a year lie in it, wherever Easter is.
        days |= {easter(near) + timedelta(days=n) for near in (year - 1, year, year + 1) for n in self.easter}
        for low, high in self.yearly:
            day = date(year, 1, 1)
            while day.year == year:
                text = day.isoformat()[5:]
                if low <= text <= high if low <= high else text >= low or text <= high:
                    days.add(day)
                day += timedelta(days=1)
        for name in self.builtin:
            known = public_holidays(name, year)
            if known is None:
                raise Refused(f"calendar unknown to the oracle: {name}")
            days |= known
        return frozenset(day for day in days if day.weekday() in self.only)

    def holds(self, day):
        return day in self._year(day.year)


def _list(value):
    return [value] if isinstance(value, str) else value


# Bands ---------------------------------------------------------------------------------------------------------------

_TIME = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?")


def _time_ms(text):
    hours, minutes, seconds = _TIME.fullmatch(text.strip()).groups()
    return ((int(hours) * 60 + int(minutes)) * 60 + int(seconds or 0)) * 1000


class BandSet:
    """Bands of a day, for every kind of day: kind -> [(from, until, band)] in milliseconds of the wall clock."""

    def __init__(self, table, own_days):
        if not table:
            table = {"all": ["mon-sun"]}
        self.names = list(table)
        self.days = {}
        for band, stretches in table.items():
            for stretch in _list(stretches):
                self._add(band, stretch, own_days)
        if not set(WEEKDAYS) <= set(self.days):
            raise Refused(f"no bands on {set(WEEKDAYS) - set(self.days)}")
        for kind, stretches in self.days.items():
            stretches.sort()
            edges = [0] + [until for _, until, _ in stretches]
            if [start for start, _, _ in stretches] != edges[:-1] or edges[-1] != DAY_MS:
                raise Refused(f"bands of {kind} leave a gap or overlap: {stretches}")

    def _add(self, band, stretch, own_days):
        kinds = []
        # `mon-fri,holiday` may come with blanks after the commas; times begin with a digit.
        head = re.match(r"[a-z_0-9]*[a-z][a-z_0-9-]*(?:\s*,\s*[a-z][a-z_0-9-]*)*", stretch).group(0)
        times = stretch[len(head):].strip()
        for part in head.split(","):
            part = part.strip()
            if part in own_days or part == "holiday":
                kinds.append(part)
            else:
                kinds += [WEEKDAYS[index] for index in sorted(weekday_span(part))]
        spans = []
        for span in times.split(",") if times else ["00:00-24:00"]:
            low, high = map(_time_ms, span.split("-"))
            spans += [(low, high)] if low < high else [(low, DAY_MS), (0, high)]
        for kind in kinds:
            self.days.setdefault(kind, []).extend((low, high, band) for low, high in spans if low < high)

    def kind(self, day, day_types):
        """What kind of day a date is for these bands: `day_types` in the order in which they are asked."""
        for day_type in day_types:
            if (day_type.count_as or day_type.name in self.days) and day_type.holds(day):
                return day_type.count_as or day_type.name
        return WEEKDAYS[day.weekday()]


class Timeline:
    """The bands of one set on one clock, as instants: [(from, band)], neighbours differ."""

    def __init__(self, bands, day_types, zone):
        self.bands, self.day_types, self.zone = bands, day_types, zone
        self.years = {}

    def _of(self, year):
        stretches, end = offsets(self.zone, year - 1, year + 1)
        starts, names = [], []
        for index, (start, offset) in enumerate(stretches):
            until = stretches[index + 1][0] if index + 1 < len(stretches) else end
            day_number = (start + offset) // DAY_MS
            while day_number * DAY_MS - offset < until:
                day = EPOCH + timedelta(days=day_number)
                for low, _, band in self.bands.days[self.bands.kind(day, self.day_types)]:
                    at = max(day_number * DAY_MS + low - offset, start)
                    if at >= until:
                        break
                    # A stretch that lies before `start` altogether is overwritten by the one that holds there.
                    if starts and starts[-1] == at:
                        names[-1] = band
                    elif not names or names[-1] != band:
                        starts.append(at)
                        names.append(band)
                        continue
                    if len(names) > 1 and names[-1] == names[-2]:
                        starts.pop()
                        names.pop()
                day_number += 1
        return starts, names

    def around(self, at):
        """The tables from which the band at `at`, and for a year after, is read."""
        year = (EPOCH + timedelta(days=at // DAY_MS)).year
        if year not in self.years:
            self.years[year] = self._of(year)
        return self.years[year]

    def band(self, at):
        starts, names = self.around(at)
        return names[bisect_right(starts, at) - 1]

    def stretch(self, at):
        """The band at `at`, and the instant at which another begins."""
        starts, names = self.around(at)
        index = bisect_right(starts, at)
        return names[index - 1], starts[index] if index < len(starts) else 1 << 62
