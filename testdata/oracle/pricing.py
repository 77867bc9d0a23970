"""What one call costs, exactly. All money is a `Fraction` of the major unit; time is in milliseconds."""

from fractions import Fraction

import dialplan
from reading import UNIT

ZERO = Fraction(0)
LEDGER = Fraction(1, 10**10)


def rounded(amount, rule, step):
    count = amount / step
    below, rest = divmod(count.numerator, count.denominator)
    if rest:
        twice = 2 * rest - count.denominator
        if rule == "up" or (rule == "half-up" and twice >= 0):
            below += 1
        elif rule == "half-even" and (twice > 0 or (twice == 0 and below % 2)):
            below += 1
        elif rule not in ("up", "down", "half-up", "half-even"):
            raise ValueError(rule)
    return below * step


def ceil_to(length, step):
    return -(-length // step) * step


def first_and_further(length, first, further):
    return first if length <= first else first + ceil_to(length - first, further)


def rounded_duration(length, rule):
    if rule is None:
        return length
    rule, step = rule
    if rule == "up":
        return ceil_to(length, step)
    if rule == "down":
        return length // step * step
    return (2 * length + step) // (2 * step) * step


class Charged:
    """What a component came to."""

    __slots__ = ("amount", "billed", "position", "waived")

    def __init__(self, amount, billed, position, waived=False):
        self.amount, self.billed, self.position, self.waived = amount, billed, position, waived


class Stretches:
    """The billed time of a component from position `begin` to `limit`: pieces (billed before, length, step, band)."""

    def __init__(self, component, timeline, answered, begin=0):
        version = component.version
        self.component, self.timeline, self.answered = component, timeline, answered
        self.split, self.overrun = version.boundary == "split", version.overrun
        self.at_answer = timeline.band(answered)
        # Billed time is counted from the answer: what lies before `begin` another version has billed.
        self.pieces, self.billed, self.begin, self.position = [], begin, begin, begin

    def step_at(self, position):
        found = None
        for step in self.component.steps:
            if step.start > position:
                return found, step.start
            found = step
        return found, None

    def band_at(self, position):
        """The band at a position, and the position at which another begins."""
        if not self.split:
            return self.at_answer, None
        band, until = self.timeline.stretch(self.answered + position)
        return band, until - self.answered

    def further(self, step, band):
        return step.per[band] if step.further == UNIT else step.further

    def first(self, step, band):
        return step.per[band] if self.component.first == UNIT else self.component.first

    def add(self, length, step, band):
        self.pieces.append((self.billed, length, step, band))
        self.billed += length

    def run(self, limit, last, fresh):
        """Bills from `begin` to `limit`. `fresh`: it begins with a first increment; `last`: the call ends at `limit`."""
        if self.overrun == "end":
            self._whole(self.begin, self._end(self.begin, limit, fresh) if last else limit)
            return
        position = self.begin
        while position < limit:
            step, next_step = self.step_at(position)
            band, next_band = self.band_at(position)
            edge = min(edge for edge in (next_step, next_band, limit) if edge is not None)
            length, further = edge - position, self.further(step, band)
            if fresh and position == 0:
                billed = first_and_further(length, self.first(step, band), further)
            else:
                billed = ceil_to(length, further)
            self.add(billed, step, band)
            position = position + billed if self.overrun == "next" else edge
        self.position = position

    def _end(self, begin, limit, fresh):
        """Where billing ends when only the end of the call is rounded: by the increment of the step in which the call ends, and
        not before the end of a call that just reaches one of the edges before."""
        band = self.band_at(begin)[0]
        first = self.first(self.component.steps[0], band) if fresh else 0
        billed = first
        steps = [step for step in self.component.steps if step.start < limit]
        for step, following in zip(steps, [*steps[1:], None]):
            reached = following.start if following else limit
            base = max(step.start, begin)
            if reached > base:
                further = self.further(step, band)
                end = first_and_further(reached, first, further) if base == 0 else base + ceil_to(reached - base, further)
                billed = max(billed, end)
        return billed

    def _whole(self, begin, end):
        position = begin
        while position < end:
            step, next_step = self.step_at(position)
            band, next_band = self.band_at(position)
            edge = min(edge for edge in (next_step, next_band, end) if edge is not None)
            self.add(edge - position, step, band)
            position = edge
        self.position = end

    def usage(self, window=None, entered=(0, None)):
        """The price of the billed time before `window` (all of it without), and the flat charges of the steps that it enters
        and that begin from `entered[0]` on, before `entered[1]`."""
        total = ZERO
        for before, length, step, band in self.pieces:
            if window is not None:
                length = min(length, window - before)
                if length <= 0:
                    break
            rate = step.rate[band]
            if rate:
                total += rate * length
        for step in self.component.steps:
            if step.start >= self.billed or (window is not None and step.start >= window):
                break
            if step.start >= entered[0] and (entered[1] is None or step.start < entered[1]):
                flat = step.flat[self.band_at(step.start)[0]]
                if flat:
                    total += flat
        return total


def capped(cap, stretches, usage, entered):
    if cap.window is None:
        return min(usage, cap.charge)
    billed, inside = stretches.billed, None
    if cap.then == "whole":
        return usage if billed > cap.window else min(usage, cap.charge)
    if cap.then == "price" and billed <= cap.window:
        return min(usage, cap.charge)
    inside = stretches.usage(cap.window, entered)
    kept = min(inside, cap.charge)
    if cap.then == "price":
        return kept + (usage - inside)
    if cap.then == "free":
        return kept
    return kept + cap.then * max(0, billed - max(cap.window, stretches.begin))


def charged_duration(component, talk, continued=False):
    """D of section B3; None if the component is waived. What a later version continues has no minimum duration."""
    if talk < component.free_below:
        return None
    length = max(0, rounded_duration(talk, component.duration_rounding) - component.subtract)
    return length if continued else max(length, component.minimum_duration)


class Call:
    """One call as `rating price` reads it."""

    __slots__ = (
        "id", "kind", "digits", "number_class", "established", "caller_state", "caller", "direction", "answered", "talk",
        "payphone", "charge_code", "trunk", "caller_class",
    )  # fmt: skip

    def __init__(self, record, instant, duration_ms):
        self.id = record.get("id")
        self.kind, self.digits, self.number_class, self.established = dialplan.called(record.get("called"))
        self.caller_state, self.caller = dialplan.caller(record.get("calling"))
        self.caller_class = dialplan.class_of(self.caller)[0] if self.caller else None
        direction = record.get("direction") or "out"
        self.direction = {"outbound": "out", "inbound": "in"}.get(direction, direction)
        self.answered, self.talk = instant(record["answered_at"]), duration_ms(record["duration"])
        self.payphone = record.get("caller_type") == "payphone"
        self.charge_code, self.trunk = record.get("charge_code"), record.get("trunk")

    @property
    def caller_type(self):
        if self.payphone:
            return "payphone"
        if self.caller_state != "number":
            return None
        return "mobile" if self.caller_class == "mobile" else "fixed"

    def origin_length(self, prefixes):
        """Digits of the longest prefix that the caller begins with; None if none does."""
        if self.caller_state != "number":
            return 0 if self.caller_state in prefixes else None
        for length in range(len(self.caller), 0, -1):
            if self.caller[:length] in prefixes:
                return length
        return None

    def jurisdiction(self, regions):
        mine = longest(regions, self.caller) if self.caller else None
        theirs = longest(regions, self.digits) if self.kind == "number" else None
        if mine is None or theirs is None:
            return "unknown"
        return "intra" if mine == theirs else "inter"


def longest(mapping, digits):
    for length in range(len(digits), 0, -1):
        if digits[:length] in mapping:
            return mapping[digits[:length]]
    return None


class NotRated(Exception):
    """The reason why a call has no charge."""

    def __init__(self, reason, row=None):
        super().__init__(reason)
        self.reason, self.row = reason, row


class Engine:
    """Prices calls by tariffs; `wholesale` is the engine of the other side, if there is one."""

    def __init__(self, tariffs, wholesale=None):
        self.tariffs, self.wholesale = tariffs, wholesale

    # Which row ----------------------------------------------------------------------------------------------------

    def chain(self, at):
        version = self.tariffs.in_force(self.tariffs.asked, at)
        if version is None:
            raise NotRated("rating.tariff_not_in_force")
        chain = [version]
        while version.parent:
            parent = version.parent
            version = self.tariffs.in_force(parent, at)
            if version is None:
                break
            chain.append(version)
        return chain

    def levels(self, call, version):
        """Keys that match the call: [(level, key length, rows)], level as a sortable tuple, best first."""
        direction = "in" if call.direction == "in" else "out"
        index = version.index[direction]
        found = []
        if call.kind == "internal":
            for side in version.index.values():
                found += [((0,), 0, rows) for rows in side.get("internal", {}).values()]
            return found
        if call.charge_code and call.charge_code in index.get("code", {}):
            found.append(((0,), None, index["code"][call.charge_code]))
        exact, prefix = ("number", "prefix") if call.kind == "number" else ("short", "short_prefix")
        if call.digits in index.get(exact, {}):
            found.append(((1,), None, index[exact][call.digits]))
        place = index.get(prefix)
        if place:
            for length in version.lengths[direction, prefix]:
                rows = place.get(call.digits[:length]) if length <= len(call.digits) else None
                if rows:
                    found.append(((2, -length), length, rows))
        if call.number_class in index.get("class", {}):
            found.append(((3,), None, index["class"][call.number_class]))
        if call.kind == "number" and "*" in index:
            found.append(((4,), 0, index["*"][""]))
        return found

    def row(self, call, at):
        levels = []
        for generation, version in enumerate(self.chain(at)):
            for level, length, rows in self.levels(call, version):
                levels.append((level, generation, length, rows))
        levels.sort(key=lambda level: level[:2])
        guarded = False
        for _, _, length, rows in levels:
            best, rank = None, None
            for row in rows:
                if (row.start is not None and at < row.start) or (row.until is not None and at >= row.until):
                    continue
                found = self.conditions(call, row)
                if found is None:
                    continue
                if not self.meant_for(call, row, length):
                    guarded = True
                    continue
                if rank is None or found > rank:
                    best, rank = row, found
                elif found == rank:
                    raise AssertionError(f"two rows match equally: {row.path}:{best.line} and {row.line}")
            if best is not None:
                if best.status == "blocked":
                    raise NotRated("rating.destination_blocked", best)
                if best.status == "unknown":
                    raise NotRated("rating.price_unknown", best)
                return best
        if guarded:
            raise NotRated("rating.class_not_priced")
        raise NotRated("rating.no_rate_for_destination")

    @staticmethod
    def conditions(call, row):
        """How well a row's conditions hold, to be compared; None if one does not."""
        if not any(row.filled):
            return (-1, False, False, False, False, False)
        origin = -1
        if row.origin is not None:
            origin = call.origin_length(row.origin)
            if origin is None:
                return None
        if row.jurisdiction is not None and call.jurisdiction(row.version.regions) != row.jurisdiction:
            return None
        if row.caller_type is not None and call.caller_type not in row.caller_type:
            return None
        if row.trunk is not None and call.trunk not in row.trunk:
            return None
        if row.only_class is not None and call.number_class not in row.only_class:
            return None
        if row.length is not None and not row.length[0] <= len(call.digits) <= row.length[1]:
            return None
        return (origin, *row.filled[1:])

    @staticmethod
    def meant_for(call, row, length):
        """The guard of the protected classes. `length` is that of a prefix; None if the key names the call itself."""
        if call.number_class not in dialplan.PROTECTED or length is None or row.status != "offered":
            return True
        return (
            length >= call.established
            or row.names_class == call.number_class
            or (row.only_class is not None and call.number_class in row.only_class)
            or call.number_class in row.version.fallback
            or row.wholesale
        )

    # What it costs ------------------------------------------------------------------------------------------------

    def zone(self, call, version):
        if version.zone is not None:
            return version.zone
        zone = longest(version.caller_zones, call.caller) if call.caller else None
        if zone is None:
            raise NotRated("rating.caller_zone_unknown")
        return zone

    def price(self, call, record=None):
        """The answer for one call, as a dictionary with the fields of `rating price`."""
        try:
            return self.rated(call, record)
        except NotRated as nothing:
            # Calls inside and from outside are free where nothing prices them, whatever the tariff lacks.
            free = {"in": "rating.inbound_call", "internal": "rating.internal_call"}.get(call.direction)
            if free and nothing.reason in ("rating.tariff_not_in_force", "rating.no_rate_for_destination"):
                raise NotRated(free) from None
            raise

    def rated(self, call, record):
        if call.kind == "emergency":
            raise NotRated("rating.emergency_call")
        if call.talk <= 0:
            raise NotRated("rating.unanswered")
        if call.direction == "internal":
            call.kind, call.established = "internal", 0
        elif call.kind == "unclassified":
            raise NotRated("rating.called_unclassified")
        row = self.row(call, call.answered)
        version = row.version
        zone = self.zone(call, version)
        parts = self.parts(call, row, zone)
        marked_up = [part for part, *_ in parts if part.wholesale]
        wholesale = self.buy(call, record, marked_up[0].version.currency) if marked_up else None
        unrounded, posted, billed = self.whole(call, parts, wholesale)
        destination = row.destination
        if row.wholesale and not destination:
            destination = wholesale["destination"]
        return {
            "id": call.id,
            "status": "rated",
            "charge": posted,
            "unrounded": unrounded,
            "currency": version.currency,
            "billed_duration_s": billed,
            "destination": destination,
            "class": call.number_class,
            "band": version.timeline(row.bands, zone).band(call.answered),
            "row": {"file": row.path, "line": row.line},
        }

    def buy(self, call, record, currency):
        """The wholesale side of the call."""
        if self.wholesale is None:
            raise NotRated("rating.wholesale_unpriced")
        try:
            bought = self.wholesale.price(Call(record, *self.readers), record)
        except NotRated as reason:
            raise NotRated("rating.wholesale_unpriced") from reason
        if bought["currency"] != currency:
            raise NotRated("rating.wholesale_currency")
        return bought

    def parts(self, call, row, zone):
        """The call, cut where the version of the row that prices it ends, if it says so: [(row, zone, from, until)]."""
        parts, begin = [], 0
        while True:
            version, cut = row.version, None
            if version.version_change == "split" and version.until is not None and version.until < call.answered + call.talk:
                cut = version.until - call.answered
            parts.append((row, zone, begin, cut))
            if cut is None:
                return parts
            begin = cut
            row = self.row(call, call.answered + cut)
            zone = self.zone(call, row.version)

    def whole(self, call, parts, wholesale):
        """(unrounded, posted, billed time of the first component)."""
        first = parts[0][0]
        version, stage = first.version, first.version.minimum_stage
        minimum = first.minimum if first.minimum is not None else ZERO
        total, afterwards, billed, waived = ZERO, ZERO, 0, call.talk < version.free_below
        reached = {}
        for row, zone, begin, cut in parts:
            components = [row.usage] if row.usage else []
            components += row.charges
            if row.wholesale:
                # The wholesale charge is for the whole call: nothing is left of it for a later version.
                components = components if begin == 0 else []
            else:
                components += [one for one in row.version.surcharges if self.holds(one.when, call)]
            ends = {}
            for index, component in enumerate(components):
                own = component is row.usage
                floor = component.minimum
                if own and begin == 0 and stage == "before-connection":
                    floor = minimum
                start = max(begin, reached.get(component.name, 0))
                charged = self.component(component, call, zone, floor, wholesale if own and row.wholesale else None, start, begin, cut)
                ends[component.name] = charged.position
                waived = waived and charged.waived
                if index == 0:
                    billed += charged.billed
                if getattr(component, "after_rounding", False):
                    afterwards += charged.amount
                else:
                    total += charged.amount
            reached = ends
        if waived:
            return ZERO, ZERO, billed
        if stage == "after-connection":
            total = max(total, minimum)
        if first.maximum is not None:
            total = min(total, first.maximum)
        unrounded = total
        if version.round_call:
            total = rounded(total, *version.round_call)
        if stage == "after-rounding":
            total = max(total, minimum)
        return unrounded, rounded(total + afterwards, "half-up", LEDGER), billed

    @staticmethod
    def component(component, call, zone, floor, wholesale, start, begin, cut):
        """One component of the part [begin, cut) of a call; `start` is where the version before left off."""
        length = charged_duration(component, call.talk, begin > 0)
        if length is None:
            return Charged(ZERO, 0, 0, waived=True)
        version = component.version
        stage = version.minimum_stage
        timeline = version.timeline(component.bands, zone)
        limit = length if cut is None else min(length, cut)
        position, billed, usage = start, 0, ZERO
        if wholesale is not None:
            first, further = component.first, component.further
            billed = first_and_further(length, first, further) if length and first != UNIT else length
            usage = wholesale["charge"] * component.wholesale
            # It is for the whole call: a later version finds none of it left.
            position = max(length, billed)
        elif limit > start:
            stretches = Stretches(component, timeline, call.answered, start)
            stretches.run(limit, last=limit == length, fresh=begin == 0)
            entered = (begin, None if limit == length else limit)
            billed, usage = stretches.billed - start, stretches.usage(None, entered)
            if component.cap:
                usage = capped(component.cap, stretches, usage, entered)
            position = stretches.position if version.overrun == "next" else limit
        elif begin > 0:
            return Charged(ZERO, 0, position)
        if component.round_usage:
            usage = rounded(usage, *component.round_usage)
        if floor is not None and stage == "before-connection":
            usage = max(usage, floor)
        amount = usage
        if component.connection and begin == 0:
            amount += component.connection_at(timeline.band(call.answered))
        if floor is not None and stage == "after-connection":
            amount = max(amount, floor)
        if component.maximum is not None:
            amount = min(amount, component.maximum)
        if component.round_component:
            amount = rounded(amount, *component.round_component)
        if floor is not None and stage == "after-rounding":
            amount = max(amount, floor)
        return Charged(amount, billed, position)

    @staticmethod
    def holds(when, call):
        return (
            (when.origin is None or call.origin_length(when.origin) is not None)
            and (when.destination is None or (call.kind == "number" and call.digits.startswith(when.destination)))
            and (when.classes is None or (call.kind != "internal" and call.number_class in when.classes))
            and (when.caller_type is None or call.caller_type in when.caller_type)
            and (when.trunk is None or call.trunk in when.trunk)
            and (when.direction is None or call.direction == when.direction)
        )
