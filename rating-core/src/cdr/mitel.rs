//! Mitel 3300 and MiVoice Business SMDR (Mitel, “SMDR: Summary of Fields Tables”, “SMDR: Recorded Information”; checked on
//! real lines of the widest layout).
//!
//! Lines of fixed positions; options of the switch choose the positions. Which set of options a file was written with is
//! found by where its separators stand, not by how long its lines are: each layout may have a tail of more fields, and
//! editors cut trailing blanks. Lines are never trimmed before they are read.
//!
//! **Clock.** Month and day, no year: it comes from the settings or from the date in the file's name, of which the nearest
//! year is taken. Local time of the source's zone; some layouts have no seconds and are read as the full minute. A file with
//! `P` for afternoon and no hour above 12 is one of a 12-hour clock.
//!
//! **Talk** is the duration, whole seconds; for outgoing calls by trunks without answer supervision it includes the ringing.
//! Unanswered: blank duration, `***` as time to answer, or a completion that says so (busy, error, denied).

use std::sync::Arc;

use super::fields::NO_COLUMN;
use super::reader::{FileError, Notes, Options};
use super::records::Framing;
use super::switch::{Entry, Head, Opened, Scratch, Sign, Switch};
use super::times::{self, LastDay, Reading};
use super::{Cdr, End, Fault, Kind, Part, PartRole, RejectReason, Stamp};
use crate::source::RecordId;
use crate::time::Duration;

mod year;

use year::Year;

pub(super) const ENTRY: Entry = Entry { layouts: &["standard", "extended", "level_1", "level_2"], open, recognise };

/// First and last position, counted from 1; `(0, 0)` is no such field.
type Span = (u16, u16);

/// Where the fields of one set of options stand.
#[derive(Debug)]
struct Layout {
    name: &'static str,
    /// What the switch has to be set to.
    options: &'static str,
    /// Whether the start has seconds.
    seconds: bool,
    /// `P` for afternoon.
    afternoon: u16,
    duration: Span,
    calling: Span,
    time_to_answer: Span,
    /// Digits, and behind a blank the meter pulses if they are recorded.
    digits: Span,
    completion: u16,
    /// S for a speed call, F for a forwarded one.
    speed: u16,
    called: Span,
    /// T, X: transferred; C: conference.
    flag: u16,
    third: Span,
    account: Span,
    system: Span,
    ani: Span,
    dnis: Span,
    call_id: Span,
    sequence: u16,
    /// Always blank.
    blank: &'static [u16],
}

/// “Extended Digit Length” off: 90 columns; 112 with ANI/DNIS, 131 with Standardized Network OLI.
const STANDARD: Layout = Layout {
    name: "standard",
    options: "extended digit length off",
    seconds: false,
    afternoon: 13,
    duration: (15, 22),
    calling: (24, 27),
    time_to_answer: (30, 32),
    digits: (34, 59),
    completion: 60,
    speed: 61,
    called: (62, 65),
    flag: 66,
    third: (68, 71),
    account: (73, 84),
    system: (86, 88),
    ani: (92, 101),
    dnis: (103, 112),
    call_id: (114, 121),
    sequence: 122,
    blank: &[7, 14, 23, 28, 33, 67, 72, 89, 91, 102, 113, 123],
};

/// “Extended Digit Length” on: 101 columns; 120 with ANI/DNIS, 139 with Standardized Network OLI.
const EXTENDED: Layout = Layout {
    name: "extended",
    options: "extended digit length on",
    duration: (15, 24),
    calling: (26, 32),
    time_to_answer: (35, 37),
    digits: (39, 64),
    completion: 65,
    speed: 66,
    called: (67, 73),
    flag: 74,
    third: (76, 82),
    account: (84, 95),
    system: (97, 99),
    ani: (103, 112),
    dnis: (114, 120),
    call_id: (122, 129),
    sequence: 130,
    blank: &[7, 14, 25, 33, 38, 75, 83, 100, 102, 113, 121, 131],
    ..STANDARD
};

/// “Extended Reporting Level 1”.
const LEVEL_1: Layout = Layout {
    name: "level_1",
    options: "extended reporting level 1",
    time_to_answer: (34, 37),
    flag: 82,
    third: (84, 90),
    account: (92, 103),
    system: (105, 107),
    ani: (111, 130),
    dnis: (132, 141),
    call_id: (151, 158),
    sequence: 160,
    blank: &[7, 14, 25, 38, 74, 83, 91, 108, 110, 131, 142, 150, 159, 161],
    ..EXTENDED
};

/// “Extended Reporting Level 1” and “Level 2”: 207 columns with all fields. Everything behind the start stands three further
/// right than with Level 1 alone.
const LEVEL_2: Layout = Layout {
    name: "level_2",
    options: "extended reporting level 1 and 2",
    seconds: true,
    afternoon: 16,
    duration: (18, 27),
    calling: (29, 35),
    time_to_answer: (37, 40),
    digits: (42, 67),
    completion: 68,
    speed: 69,
    called: (70, 76),
    flag: 85,
    third: (87, 93),
    account: (95, 106),
    system: (108, 110),
    ani: (114, 133),
    dnis: (135, 144),
    call_id: (154, 161),
    sequence: 163,
    blank: &[7, 17, 28, 41, 77, 86, 94, 111, 113, 134, 145, 153, 162, 164],
};

const LAYOUTS: [&Layout; 4] = [&STANDARD, &EXTENDED, &LEVEL_1, &LEVEL_2];

impl Layout {
    fn named(name: &str) -> Option<&'static Self> {
        LAYOUTS.into_iter().find(|layout| layout.name == name)
    }

    /// How well a line fits: 0 if not at all; more if its duration and system id show where they stand.
    fn fit(&self, line: &[u8]) -> u32 {
        let shape = matches!(line, [b' ' | b'-' | b'%' | b'+', m1, m2, b'/', d1, d2, ..]
            if [m1, m2, d1, d2].into_iter().all(u8::is_ascii_digit));
        let clock: &[u8] = if self.seconds { b"00:00:00" } else { b"00:00" };
        let start = clock.iter().enumerate().all(|(index, sign)| match line.get(7 + index) {
            Some(b':') => *sign == b':',
            Some(byte) => *sign == b'0' && byte.is_ascii_digit(),
            None => false,
        });
        let all = |span: Span, allowed: fn(&u8) -> bool| slice(line, span).iter().all(allowed);
        let duration = slice(line, self.duration);
        let has_duration = !duration.trim_ascii().is_empty();
        let fits = shape
            && start
            && self.blank.iter().all(|position| byte(line, *position) == b' ')
            && matches!(byte(line, self.afternoon), b' ' | b'P' | b'p')
            && all(self.duration, |byte| matches!(byte, b'0'..=b'9' | b':' | b' '))
            && (!has_duration || times_shape(duration))
            && all(self.time_to_answer, |byte| matches!(byte, b'0'..=b'9' | b'*' | b' '))
            && [self.completion, self.speed, self.flag]
                .into_iter()
                .all(|position| matches!(byte(line, position), b' ' | b'A'..=b'Z'))
            && all(self.system, |byte| byte.is_ascii_alphanumeric() || *byte == b' ');
        if !fits {
            return 0;
        }
        let system = slice(line, self.system);
        4 + 2 * u32::from(has_duration) + 2 * u32::from(system.len() == 3 && system.iter().all(u8::is_ascii_digit))
    }
}

/// Nothing but `h:mm:ss` with hours of any width that fills the field.
fn times_shape(text: &[u8]) -> bool {
    let Some((hours, rest)) = text.split_last_chunk::<6>() else { return false };
    !hours.is_empty()
        && hours.iter().all(u8::is_ascii_digit)
        && matches!(rest, [b':', m1, m2, b':', s1, s2] if [m1, m2, s1, s2].into_iter().all(u8::is_ascii_digit))
}

/// The bytes at a place; cut-off trailing blanks are not there.
fn slice(line: &[u8], (first, last): Span) -> &[u8] {
    let (first, last) = (usize::from(first), usize::from(last).min(line.len()));
    line.get(first.wrapping_sub(1)..last).unwrap_or_default()
}

/// The byte at a position; blank behind the end.
fn byte(line: &[u8], position: u16) -> u8 {
    line.get(usize::from(position).wrapping_sub(1)).copied().unwrap_or(b' ')
}

#[derive(Debug)]
struct Mitel {
    framing: Framing,
    layout: &'static Layout,
    year: Year,
    /// Hours go to 12, and `P` is the afternoon.
    twelve_hours: bool,
}

fn open(head: Head<'_>, options: &Options) -> Result<Opened, FileError> {
    let layout = match options.layout.as_deref().and_then(Layout::named) {
        Some(layout) => layout,
        None => match detect(head) {
            Some((layout, ..)) => layout,
            None => return Err(FileError::UnknownLayout { columns: 1 }),
        },
    };
    let year = match options.year {
        Some(year) => Year::Exactly(year),
        None => Year::of_file_name(&options.file_name).ok_or(FileError::YearUnknown)?,
    };
    let lines = || head.lines().filter(|line| layout.fit(line) > 0);
    let hour = |line: &[u8]| times::integer(slice(line, (8, 9))).unwrap_or(0);
    let twelve_hours = lines().any(|line| byte(line, layout.afternoon) != b' ') && lines().all(|line| hour(line) <= 12);
    let switch = Mitel { framing: Framing::Lines(head.line_end), layout, year, twelve_hours };
    Ok(Opened { switch: Arc::new(switch), header_lines: 0 })
}

/// The layout that the lines fit best, how many fit it, and how many there are.
fn detect(head: Head<'_>) -> Option<(&'static Layout, usize, usize)> {
    let lines = || head.lines().take(500);
    let score = |layout: &Layout| lines().map(|line| layout.fit(line)).sum::<u32>();
    // Of equal ones the first, which is the narrower.
    let best = LAYOUTS.into_iter().rev().max_by_key(|layout| score(layout))?;
    let fitting = lines().filter(|line| best.fit(line) > 0).count();
    (fitting > 0).then(|| (best, fitting, lines().count()))
}

fn recognise(head: Head<'_>) -> Option<Sign> {
    let (layout, fitting, all) = detect(head)?;
    let certain = fitting * 10 >= all * 8 && head.lines().take(500).any(|line| layout.fit(line) == 8);
    let mut sign = Sign::new(
        layout.name,
        if certain { 90 } else { 50 },
        format!("month/day, start, duration and blanks stand where Mitel's SMDR has them with {}", layout.options),
    );
    if fitting < all {
        sign.because.push(format!("{fitting} of {all} lines at the beginning fit"));
    }
    Some(sign)
}

impl Mitel {
    fn setup(&self, line: &[u8], last_day: &mut LastDay) -> Result<Stamp, Fault> {
        let layout = self.layout;
        let number = |span: Span| {
            let malformed = Fault::column(RejectReason::TimeMalformed, span.0 - 1);
            times::integer(slice(line, span)).ok_or(malformed)
        };
        let (month, day, hour, minute) = (number((2, 3))?, number((5, 6))?, number((8, 9))?, number((11, 12))?);
        let second = if layout.seconds { number((14, 15))? } else { 0 };
        let afternoon = byte(line, layout.afternoon) != b' ';
        let hour = match hour {
            12 if self.twelve_hours && !afternoon => 0,
            1..12 if afternoon => hour + 12,
            hour => hour,
        };
        let year = self.year.of(month, day);
        match times::clock_reading((year, month, day), (hour, minute, second), 0, last_day) {
            Ok(Reading::At(stamp)) => Ok(stamp),
            Ok(_) => Err(Fault::column(RejectReason::TimeImplausible, 1)),
            Err(reason) => Err(Fault::column(reason, 1)),
        }
    }

    /// Blank is none; 99:99:99 stands for all that is longer than the field can say.
    fn duration(&self, line: &[u8]) -> Result<Option<Duration>, Fault> {
        let text = slice(line, self.layout.duration).trim_ascii();
        let column = self.layout.duration.0 - 1;
        if text.ends_with(b"99:99:99") {
            return Err(Fault::column(RejectReason::DurationImplausible, column));
        }
        times::hours_minutes_seconds(text).map_err(Fault::in_column(column))
    }
}

/// A party in the calling, called or third field.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Party<'a> {
    None,
    /// `T102` or `X999`.
    Trunk(&'a [u8]),
    /// `ATT2`.
    Attendant(&'a [u8]),
    Station(&'a [u8]),
}

impl<'a> Party<'a> {
    fn read(line: &'a [u8], span: Span) -> Self {
        let text = slice(line, span).trim_ascii();
        let is_number = |text: &[u8]| !text.is_empty() && text.iter().all(u8::is_ascii_digit);
        match text {
            b"" => Self::None,
            [b'T' | b'X', number @ ..] if is_number(number) => Self::Trunk(text),
            [b'A', b'T', b'T', ..] => Self::Attendant(text),
            station => Self::Station(station),
        }
    }

    const fn text(self) -> &'a [u8] {
        match self {
            Self::None => &[],
            Self::Trunk(text) | Self::Attendant(text) | Self::Station(text) => text,
        }
    }

    const fn station(self) -> &'a [u8] {
        match self {
            Self::Station(text) => text,
            _ => &[],
        }
    }

    const fn trunk(self) -> &'a [u8] {
        match self {
            Self::Trunk(text) => text,
            _ => &[],
        }
    }
}

impl Switch for Mitel {
    fn layout_name(&self) -> &str {
        self.layout.name
    }

    fn framing(&self) -> Framing {
        self.framing
    }

    /// 2 if a line reaches the system id, which every whole line does; 1 if it ends before.
    fn width(&self, text: &[u8], _: &mut Scratch) -> Option<usize> {
        (self.layout.fit(text) > 0).then(|| self.reach(text))
    }

    fn notes(&self) -> Notes {
        Notes { minutes_only: !self.layout.seconds, ..Notes::default() }
    }

    fn parse<'a>(
        &'a self,
        (id, raw): (RecordId, &'a [u8]),
        text: &'a [u8],
        scratch: &mut Scratch,
        cdr: &mut Cdr<'a>,
    ) -> Result<(), Fault> {
        let layout = self.layout;
        scratch.fields.clear();
        for _ in 0..self.reach(text) {
            scratch.fields.push(0, 0).map_err(Fault::record)?;
        }
        if layout.fit(text) == 0 {
            return Err(Fault::column(RejectReason::Malformed, NO_COLUMN));
        }
        let setup = self.setup(text, &mut scratch.last_day)?;
        let talk = self.duration(text)?.unwrap_or(Duration::ZERO);

        let party = |span| Party::read(text, span);
        let (calling, called, third) = (party(layout.calling), party(layout.called), party(layout.third));
        let get = |span: Span| slice(text, span).trim_ascii();
        // Behind the digits and a blank stand the meter pulses.
        let digits = get(layout.digits).split(|byte| *byte == b' ').next().unwrap_or_default();
        let (ani, dnis) = (get(layout.ani), get(layout.dnis));

        let caller = match calling {
            Party::Trunk(_) => End::Outside,
            // Calls by some IP trunks name none.
            Party::None => End::Outside,
            Party::Attendant(_) | Party::Station(_) => End::Inside,
        };
        let callee = match called {
            Party::Trunk(_) => End::Outside,
            Party::None if caller == End::Inside && !digits.is_empty() => End::Outside,
            Party::None if caller == End::Outside && !ani.is_empty() => End::Inside,
            Party::None => End::Untold,
            Party::Attendant(_) | Party::Station(_) => End::Inside,
        };
        let completion = byte(text, layout.completion);
        let failed = match callee {
            End::Outside => matches!(completion, b'B' | b'E' | b'T'),
            // For calls inside, busy, do not disturb and the like; T is a call that somebody picked up.
            _ => matches!(completion, b'B' | b'E' | b'O' | b'D' | b'U' | b'S'),
        };
        let unanswered = slice(text, layout.time_to_answer).contains(&b'*');
        let answered = talk > Duration::ZERO && !failed && !unanswered;

        // From trunk to trunk, the station in the third field transferred or forwarded the call; where an attendant
        // got a line for somebody, that station pays.
        let forwarder = match (calling, callee) {
            (Party::Trunk(_) | Party::None | Party::Attendant(_), End::Outside) => third.station(),
            _ => &[],
        };
        let outside_number = if callee == End::Outside { digits } else { &[] };
        let call_id = get(layout.call_id);
        let start = slice(text, (2, layout.afternoon));
        *cdr = Cdr {
            call_id,
            key: if call_id.is_empty() {
                [text, b"", b"", b"", b"", b""]
            } else {
                let sequence = slice(text, (layout.sequence, layout.sequence));
                [call_id, sequence, start, slice(text, layout.duration), calling.text(), digits]
            },
            setup: Some(setup),
            talk,
            answered,
            calling: if caller == End::Outside { ani } else { calling.text() },
            peer: calling.station(),
            dialled: match () {
                () if !digits.is_empty() => digits,
                () if !dnis.is_empty() => dnis,
                () => called.station(),
            },
            reached: if callee == End::Inside { called.station() } else { outside_number },
            forwarder,
            account: get(layout.account),
            ingress: calling.trunk(),
            egress: called.trunk(),
            ends: [caller, callee],
            kind: if call_id.is_empty() {
                Kind::Call
            } else {
                Kind::Part(Part {
                    group: [call_id, slice(text, (2, 6)), b""],
                    role: PartRole::Segment { number: self.number(text), more: false },
                })
            },
            ..Cdr::blank(id, raw)
        };
        Ok(())
    }
}

impl Mitel {
    /// The place of a stretch by its sequence letter, where starts have no seconds: stretches that follow each other seem to
    /// overlap then, and are known apart by their letters only. Where they have seconds, the times tell, and a stretch
    /// need not wait for one of the day before.
    fn number(&self, line: &[u8]) -> u8 {
        match byte(line, self.layout.sequence) {
            letter @ b'A'..=b'Z' if !self.layout.seconds => letter - b'A' + 1,
            _ => 0,
        }
    }

    fn reach(&self, line: &[u8]) -> usize {
        1 + usize::from(line.len() >= usize::from(self.layout.system.1))
    }
}

#[cfg(test)]
mod tests;
