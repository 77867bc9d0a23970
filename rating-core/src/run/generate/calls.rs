//! One made-up call: who, whom, when and how long; and its line as Asterisk's `cdr_csv` writes it.

use super::deck::{
    AREA_CODES, COUNTRIES, Deck, MOBILE_DIGITS, NORTH_AMERICAN_AREAS, SERVICES, area_code, national_digit,
    north_american_area,
};
use super::people::Site;
use super::random::{Draws, Stream};
use crate::time::{Date, Month};

/// Ten out of sixty numbers are called again and again: so many of each kind.
const POOL: u64 = 500_000;
/// The time span begins and ends this many hours outside the month, so that some calls belong to its neighbours.
pub(super) const MARGIN_HOURS: i64 = 6;
/// A copied record is one of so many before it.
const COPY_WINDOW: u64 = 997;
const SECONDS_PER_HOUR: i64 = 3_600;

/// Calls that end in each hour of a working day, as weights; at weekends 15 in 100 of it.
const HOURLY: [u64; 24] = [4, 2, 2, 2, 2, 4, 10, 25, 55, 95, 100, 100, 85, 80, 95, 100, 95, 70, 35, 25, 18, 12, 8, 5];

/// How the ends of calls spread over the span: cumulative weights, one entry an hour and one to close.
#[derive(Clone, Debug)]
pub(super) struct Profile {
    /// First second of the span, since the epoch, UTC.
    start: i64,
    hours: Vec<u64>,
}

impl Profile {
    pub(super) fn new(month: Month) -> Self {
        let (first, end) = month.days();
        let start = i64::from(first.days()) * 24 - MARGIN_HOURS;
        let last = i64::from(end.days()) * 24 + MARGIN_HOURS;
        let mut sum = 0;
        let mut hours = vec![0];
        for hour in start..last {
            let day = Date::from_days(i32::try_from(hour.div_euclid(24)).unwrap_or(0));
            let percent = if day.weekday().index() >= 5 { 15 } else { 100 };
            let of_day = usize::try_from(hour.rem_euclid(24)).unwrap_or(0);
            sum += HOURLY[of_day] * percent;
            hours.push(sum);
        }
        Self { start: start * SECONDS_PER_HOUR, hours }
    }

    /// The second that lies at `place / whole` of all weight; never falls as `place` rises.
    fn second_at(&self, place: u128, whole: u128) -> i64 {
        let total = u128::from(self.hours.last().copied().unwrap_or(1)) * 3_600;
        let at = u64::try_from(place * total / whole).unwrap_or(u64::MAX);
        let hour = self.hours.partition_point(|weight| weight * 3_600 <= at).clamp(1, self.hours.len() - 1) - 1;
        let weight = (self.hours[hour + 1] - self.hours[hour]).max(1);
        let second = ((at - self.hours[hour] * 3_600) / weight).min(3_599);
        self.start + i64::try_from(hour * 3_600).unwrap_or(0) + i64::try_from(second).unwrap_or(0)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Called {
    Geographic,
    Mobile,
    Internal,
    International,
    Service,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Disposition {
    Answered,
    NoAnswer,
    Busy,
    Failed,
}

/// Where a record stands: its site's records are consecutive, in the order in which the calls ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    pub(super) site: &'a Site,
    /// Number of the site's first record, and how many it has.
    pub(super) first: u64,
    pub(super) count: u64,
    pub(super) record: u64,
}

/// What all records are made from.
#[derive(Clone, Debug)]
pub(super) struct Calls {
    pub(super) seed: u64,
    pub(super) profile: Profile,
}

impl Calls {
    /// When the record's call ended, in seconds since the epoch; copies keep the place, not the time, of a record of
    /// their own.
    pub(super) fn slot_end(&self, place: Place<'_>) -> i64 {
        let jitter = Draws::new(self.seed, Stream::Slot, place.record).word() >> 32;
        let at = (u128::from(place.record - place.first) << 32) | u128::from(jitter);
        self.profile.second_at(at, u128::from(place.count.max(1)) << 32)
    }

    /// Writes the record's line.
    pub(super) fn write(&self, deck: &Deck, mut place: Place<'_>, out: &mut Vec<u8>) {
        // One record in 2,000 is the copy of one shortly before it, which may be a copy itself.
        loop {
            let before = place.record - place.first;
            let mut draws = Draws::new(self.seed, Stream::Copy, place.record);
            if before == 0 || draws.below(2_000) != 0 {
                break;
            }
            place.record -= 1 + draws.below(before.min(COPY_WINDOW));
        }
        let end = self.slot_end(place);
        let mut draws = Draws::new(self.seed, Stream::Call, place.record);
        let caller = draws.below_skewed(place.site.numbers);
        let (called, disposition) = what(&mut draws);
        let ring = 3 + draws.below(20);
        let talk = match disposition {
            Disposition::Answered => (1 + draws.exponential(150)).min(7_200),
            _ => 0,
        };
        let clid = draws.below(100);
        let source = place.site.first_number + caller;
        let extension = place.site.first_extension + caller;

        out.extend_from_slice(b"\"\",\"0");
        push_number(out, source, 10);
        out.extend_from_slice(b"\",\"");
        let dialled = out.len();
        self.push_dialled(deck, place.site, called, &mut draws, out);
        let dialled = dialled..out.len();
        let internal = called == Called::Internal;
        out.extend_from_slice(if internal { b"\",\"in\"," } else { b"\",\"out\"," });
        out.extend_from_slice(match clid {
            0..48 => b"\"\"\"N Lee\"\" <",
            48..50 => b"\"\"\"Lee, N\"\" <",
            _ => b"\"",
        });
        push_number(out, extension, 4);
        out.extend_from_slice(if clid < 50 { b">\",\"SIP/" } else { b"\",\"SIP/" });
        push_number(out, extension, 4);
        out.push(b'-');
        push_hex(out, place.record * 2);
        out.extend_from_slice(if internal { b"\",\"SIP/" } else { b"\",\"SIP/gw" });
        if internal {
            out.extend_from_within(dialled);
        }
        out.push(b'-');
        push_hex(out, place.record * 2 + 1);
        out.extend_from_slice(b"\",\"Dial\",\"\",\"");
        let talked = i64::try_from(talk).unwrap_or(0);
        let start = end - talked - i64::try_from(ring).unwrap_or(0);
        push_stamp(out, start);
        out.extend_from_slice(b"\",\"");
        if disposition == Disposition::Answered {
            push_stamp(out, end - talked);
        }
        out.extend_from_slice(b"\",\"");
        push_stamp(out, end);
        out.extend_from_slice(b"\",");
        push_plain(out, ring + talk);
        out.push(b',');
        push_plain(out, talk);
        out.extend_from_slice(match disposition {
            Disposition::Answered => b",\"ANSWERED\",3,\"",
            Disposition::NoAnswer => b",\"NO ANSWER\",3,\"",
            Disposition::Busy => b",\"BUSY\",3,\"",
            Disposition::Failed => b",\"FAILED\",3,\"",
        });
        push_plain(out, u64::try_from(start).unwrap_or(0));
        out.push(b'.');
        push_plain(out, place.record);
        out.extend_from_slice(b"\"\n");
    }

    fn push_dialled(&self, deck: &Deck, site: &Site, called: Called, draws: &mut Draws, out: &mut Vec<u8>) {
        if called == Called::Internal {
            return push_number(out, site.first_extension + draws.below(site.numbers), 4);
        }
        // 60 in 100 numbers come from a pool that is the same for all sites, the others are never called again.
        let place = if draws.below(100) < 60 { draws.below_steep(POOL) } else { POOL + draws.word() / 2 };
        let mut number = Draws::new(self.seed ^ (called as u64) << 56, Stream::Pool, place);
        let abroad = draws.below(100) < 5;
        match called {
            Called::International => international(deck, &mut number, out),
            _ => {
                out.extend_from_slice(if abroad { b"+44" } else { b"0" });
                home(called, &mut number, out);
            }
        }
    }
}

/// 90 in 100 calls are answered; those that are not go to the same kinds of numbers, but never inside.
fn what(draws: &mut Draws) -> (Called, Disposition) {
    let (mut share, answered) = (draws.below(100), draws.below(100));
    let mut disposition = Disposition::Answered;
    if share >= 90 {
        disposition = match answered {
            0..60 => Disposition::NoAnswer,
            60..80 => Disposition::Busy,
            _ => Disposition::Failed,
        };
        share = draws.below(80);
        share += if share < 65 { 0 } else { 10 };
    }
    let called = match share {
        0..40 => Called::Geographic,
        40..65 => Called::Mobile,
        65..75 => Called::Internal,
        75..85 => Called::International,
        _ => Called::Service,
    };
    (called, disposition)
}

/// The national number, without the leading 0.
fn home(called: Called, number: &mut Draws, out: &mut Vec<u8>) {
    match called {
        Called::Mobile => {
            let digit = MOBILE_DIGITS[number.below(8) as usize];
            push_number(out, 7_000_000_000 + digit * 100_000_000 + number.below(100_000_000), 10);
        }
        Called::Service => {
            let service = SERVICES[number.below(9) as usize];
            out.extend_from_slice(service.trim_start_matches('0').as_bytes());
            push_number(out, 2_000_000 + number.below(8_000_000), 7);
        }
        _ => {
            let area = area_code(number.below(AREA_CODES));
            push_number(out, area * 1_000_000 + 200_000 + number.below(800_000), 10);
        }
    }
}

/// `00`, country code and national number: three in four below a break-out of the deck.
fn international(deck: &Deck, number: &mut Draws, out: &mut Vec<u8>) {
    out.extend_from_slice(b"00");
    let country = number.below_steep(COUNTRIES.len() as u64) as usize;
    let code = COUNTRIES[country];
    if code == 1 {
        let area = north_american_area(number.below(NORTH_AMERICAN_AREAS));
        push_number(out, 1_000 + area, 4);
        return push_number(out, 2_000_000 + number.below(8_000_000), 7);
    }
    let break_outs = &deck.break_outs[country];
    let begun = out.len();
    if number.below(100) < 75 && !break_outs.is_empty() {
        let prefix = break_outs[number.below(break_outs.len() as u64) as usize];
        push_plain(out, prefix.value());
    } else {
        push_plain(out, code);
        push_plain(out, national_digit(code, number));
    }
    // Nine national digits, the length of a French, Spanish or Swiss number.
    let code_digits = if code < 10 {
        1
    } else if code < 100 {
        2
    } else {
        3
    };
    let missing = (code_digits + 9_usize).saturating_sub(out.len() - begun);
    push_number(out, number.below(10_u64.pow(u32::try_from(missing).unwrap_or(0))), missing);
}

fn push_plain(out: &mut Vec<u8>, value: u64) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// Exactly `digits` digits, zeros first.
fn push_number(out: &mut Vec<u8>, mut value: u64, digits: usize) {
    let from = out.len();
    out.resize(from + digits, b'0');
    for digit in out[from..].iter_mut().rev() {
        *digit = b'0' + (value % 10) as u8;
        value /= 10;
    }
}

/// Eight hexadecimal digits, as Asterisk numbers its channels.
fn push_hex(out: &mut Vec<u8>, value: u64) {
    for shift in (0..8).rev() {
        out.push(b"0123456789abcdef"[(value >> (shift * 4) & 0xf) as usize]);
    }
}

/// `YYYY-MM-DD HH:MM:SS`, UTC.
fn push_stamp(out: &mut Vec<u8>, seconds: i64) {
    let (year, month, day) = Date::from_days(i32::try_from(seconds.div_euclid(86_400)).unwrap_or(0)).civil();
    let of_day = u64::try_from(seconds.rem_euclid(86_400)).unwrap_or(0);
    push_number(out, u64::try_from(year).unwrap_or(0), 4);
    for (mark, value) in [
        (b'-', u64::from(month)),
        (b'-', u64::from(day)),
        (b' ', of_day / 3_600),
        (b':', of_day / 60 % 60),
        (b':', of_day % 60),
    ] {
        out.push(mark);
        push_number(out, value, 2);
    }
}
