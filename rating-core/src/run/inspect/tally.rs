//! Counting what is in a file.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::hash::BuildHasher;

use foldhash::fast::FixedState;

use crate::cdr::{Cdr, End, Kind, NotACall, PartRole, Reject, Stamp};
use crate::time::Duration;

/// How many names of channels and contexts are kept apart.
const NAMES: usize = 500;

/// How many names are shown.
const SHOWN: usize = 8;

/// Something worth a look, how often, and where first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Oddity {
    /// What.
    pub what: &'static str,
    /// In how many records.
    pub count: u64,
    /// Byte offset of the first.
    pub first: u64,
}

impl fmt::Display for Oddity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: {} ({} byte {})",
            self.what,
            self.count,
            if self.count == 1 { "at" } else { "first at" },
            self.first
        )
    }
}

/// What the records of a file are.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// All records.
    pub records: u64,
    /// Answered, with talk time.
    pub answered: u64,
    /// Calls that were not answered.
    pub unanswered: u64,
    /// Parts and halves of calls, by what they are.
    pub parts: BTreeMap<&'static str, u64>,
    /// Not calls, by reason.
    pub not_calls: BTreeMap<&'static str, u64>,
    /// Rejected, by reason, with the offset and the column of the first.
    pub rejected: BTreeMap<&'static str, (u64, u64, u32)>,
    /// Out, in, internal, through, and not told, by what the switch says.
    pub ways: [u64; 5],
    /// Set-up of the first and last call: a clock reading, or an instant with `Z`.
    pub first_and_last: Option<(String, String)>,
    /// Talk time of the answered.
    pub talk: Duration,
    /// Channels and devices, in and out, without their running numbers, with how many records each has.
    pub lines: BTreeMap<String, [u64; 2]>,
    /// Contexts, with how many records each has.
    pub contexts: BTreeMap<String, u64>,
    /// Records equal by the format's exact key to an earlier one.
    pub duplicates: u64,
    /// Times have no seconds.
    pub minutes_only: bool,
    /// Why a packed file ended early.
    pub damage: Option<String>,
    /// Things worth a look.
    pub oddities: Vec<Oddity>,
    seen: BTreeSet<(u64, u64)>,
    span: Option<(i64, i64)>,
    utc: bool,
}

impl Tally {
    /// Counts a record.
    pub(super) fn add(&mut self, record: &Result<Cdr<'_>, Reject<'_>>) {
        self.records += 1;
        let cdr = match record {
            Ok(cdr) => cdr,
            Err(reject) => {
                let line = self.rejected.entry(reject.reason.code()).or_insert((0, reject.id.offset(), reject.column));
                line.0 += 1;
                return;
            }
        };
        if std::str::from_utf8(cdr.raw).is_err() {
            self.odd("text that is not UTF-8 (names keep their bytes)", cdr);
        }
        let hash = [0x5ca1_ab1e, 0x0dd_ba11].map(|seed| FixedState::with_seed(seed).hash_one(cdr.exact_key()));
        if !self.seen.insert((hash[0], hash[1])) {
            self.duplicates += 1;
            return;
        }
        match cdr.kind {
            Kind::NotACall(why) => {
                *self.not_calls.entry(why.code()).or_default() += 1;
                if why != NotACall::Omitted {
                    return;
                }
            }
            Kind::LocalHalf { .. } => *self.parts.entry("halves of Local channels").or_default() += 1,
            Kind::Conference { .. } => *self.parts.entry("conference legs").or_default() += 1,
            Kind::Split { .. } => *self.parts.entry("calls whose parties were joined with others").or_default() += 1,
            Kind::Joined { .. } => *self.parts.entry("transferred calls").or_default() += 1,
            Kind::Part(part) => *self.parts.entry(role(part.role)).or_default() += 1,
            Kind::Call => {}
        }
        self.call(cdr);
    }

    fn call(&mut self, cdr: &Cdr<'_>) {
        if cdr.answered && cdr.talk > Duration::ZERO {
            self.answered += 1;
            self.talk = Duration::from_millis(self.talk.as_millis().saturating_add(cdr.talk.as_millis()));
        } else {
            self.unanswered += 1;
        }
        use End::{Inside, Outside};
        let way = match cdr.ends {
            [Inside, Outside] => 0,
            [Outside, Inside] => 1,
            [Inside, Inside] => 2,
            [Outside, Outside] => 3,
            _ => 4,
        };
        self.ways[way] += 1;
        if let Some(stamp) = cdr.setup.or(cdr.answer).or(cdr.end) {
            let millis = match stamp {
                Stamp::Instant(instant) => {
                    self.utc = true;
                    instant.as_millis()
                }
                Stamp::Local(local) => local.as_millis(),
            };
            self.span = Some(self.span.map_or((millis, millis), |(first, last)| (first.min(millis), last.max(millis))));
        }
        for (index, line) in [cdr.ingress, cdr.egress].into_iter().enumerate() {
            if !line.is_empty() && (self.lines.len() < NAMES || self.lines.contains_key(&line_name(line))) {
                self.lines.entry(line_name(line)).or_default()[index] += 1;
            }
        }
        if !cdr.context.is_empty() && self.contexts.len() < NAMES {
            *self.contexts.entry(super::printable(cdr.context)).or_default() += 1;
        }
        self.oddities_of(cdr);
    }

    fn oddities_of(&mut self, cdr: &Cdr<'_>) {
        if !cdr.answered && cdr.talk > Duration::ZERO {
            self.odd("not answered, and yet with talk time", cdr);
        }
        if cdr.talk > Duration::from_seconds(24 * 3_600) {
            self.odd("longer than a day", cdr);
        }
        let elapsed = match (cdr.setup, cdr.end) {
            (Some(Stamp::Local(from)), Some(Stamp::Local(until))) => Some(until.as_millis() - from.as_millis()),
            (Some(Stamp::Instant(from)), Some(Stamp::Instant(until))) => Some(until.since(from).as_millis()),
            _ => None,
        };
        if let (Some(elapsed), Some(duration)) = (elapsed, cdr.duration)
            && (elapsed - duration.as_millis()).abs() > 1_000
        {
            self.odd("duration and times differ by more than a second", cdr);
        }
        let numbers = [cdr.calling, cdr.dialled, cdr.reached];
        if numbers.iter().any(|number| number.ends_with(b"***") || number.ends_with(b"XXX")) {
            self.odd("masked numbers", cdr);
        }
        if numbers.iter().any(|number| number.windows(2).any(|pair| matches!(pair, b"E+" | b"e+"))) {
            self.odd("numbers that a spreadsheet has rounded (4.4E+11)", cdr);
        }
        if cdr.calling.is_empty() && cdr.account.is_empty() && cdr.peer.is_empty() {
            self.odd("nobody who called", cdr);
        }
        if cdr.dialled.is_empty() && cdr.reached.is_empty() && cdr.outpulsed.is_empty() {
            self.odd("nobody who was called", cdr);
        }
    }

    fn odd(&mut self, what: &'static str, cdr: &Cdr<'_>) {
        match self.oddities.iter_mut().find(|oddity| oddity.what == what) {
            Some(oddity) => oddity.count += 1,
            None => self.oddities.push(Oddity { what, count: 1, first: cdr.id.offset() }),
        }
    }

    /// Whether the format counts in UTC.
    #[must_use]
    pub const fn is_utc(&self) -> bool {
        self.utc
    }

    /// Sums up once all records are counted.
    pub(super) fn finish(&mut self) {
        self.seen = BTreeSet::new();
        self.oddities.sort_by(|one, other| other.count.cmp(&one.count).then(one.what.cmp(other.what)));
        let utc = self.utc;
        self.first_and_last = self.span.map(|(first, last)| {
            let shown = |millis: i64| {
                let text = crate::time::Instant::from_millis(millis).to_rfc3339();
                if utc { text } else { text.trim_end_matches('Z').replace('T', " ") }
            };
            (shown(first), shown(last))
        });
    }

    /// Lines for people: a label and what there is to say.
    pub(super) fn lines(&self) -> Vec<(&'static str, String)> {
        let mut lines = Vec::new();
        let mut what = vec![format!("{} answered", self.answered), format!("{} not", self.unanswered)];
        let counted = |of: &BTreeMap<&'static str, u64>| {
            of.iter().map(|(name, count)| format!("{count} {name}")).collect::<Vec<_>>()
        };
        if self.duplicates > 0 {
            what.push(format!("{} duplicates", self.duplicates));
        }
        what.extend(counted(&self.not_calls));
        let rejected: u64 = self.rejected.values().map(|(count, ..)| count).sum();
        what.push(format!("{rejected} rejected"));
        lines.push(("records", format!("{}: {}", self.records, what.join(", "))));
        if !self.parts.is_empty() {
            lines.push(("parts", format!("of calls, counted above: {}", counted(&self.parts).join(", "))));
        }
        for (code, (count, offset, column)) in &self.rejected {
            let column = if *column > 0 { format!(", column {column}") } else { String::new() };
            lines.push(("rejected", format!("{code}: {count}, first at byte {offset}{column}")));
        }
        if let Some((first, last)) = &self.first_and_last {
            let clock = if self.utc { "UTC" } else { "the switch's clock" };
            lines.push(("calls", format!("{first} to {last}, {clock}, {} talk time", hours(self.talk))));
        }
        if self.ways[..4].iter().any(|count| *count > 0) {
            let [out, inbound, internal, through, untold] = self.ways;
            lines.push((
                "direction",
                format!("by the switch: {out} out, {inbound} in, {internal} internal, {through} sent on to the outside, {untold} not told"),
            ));
        } else if self.ways[4] > 0 {
            lines.push((
                "direction",
                "the switch does not say: it follows from the source's `trunks`, contexts and the site's extensions"
                    .to_owned(),
            ));
        }
        let most = |mut names: Vec<(&String, u64, String)>| {
            names.sort_by(|one, other| other.1.cmp(&one.1).then(one.0.cmp(other.0)));
            let more = names.len().saturating_sub(SHOWN);
            let mut shown: Vec<String> =
                names.into_iter().take(SHOWN).map(|(name, _, text)| format!("{name} ({text})")).collect();
            if more > 0 {
                shown.push(format!("{more} more"));
            }
            shown.join(", ")
        };
        if !self.lines.is_empty() {
            let names = self.lines.iter().map(|(name, [from, to])| (name, from + to, format!("{from} in, {to} out")));
            lines.push(("lines", most(names.collect())));
        }
        if !self.contexts.is_empty() {
            let names = self.contexts.iter().map(|(name, count)| (name, *count, count.to_string()));
            lines.push(("contexts", most(names.collect())));
        }
        if self.minutes_only {
            lines.push((
                "times",
                "without seconds: read as the full minute; ask for the file as the switch wrote it".to_owned(),
            ));
        }
        if let Some(damage) = &self.damage {
            lines.push(("damaged", format!("the packed file ends early: {damage}")));
        }
        lines
    }
}

/// `42 h 48 min 25 s`.
fn hours(talk: Duration) -> String {
    let seconds = talk.as_millis() / 1_000;
    match (seconds / 3_600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, seconds) => format!("{hours} h {minutes} min {seconds} s"),
    }
}

const fn role(role: PartRole) -> &'static str {
    match role {
        PartRole::Leg { .. } => "legs",
        PartRole::Begin => "beginnings",
        PartRole::End => "ends",
        PartRole::Interim => "interim records",
        PartRole::Final => "final records",
        PartRole::Segment { .. } => "stretches",
        PartRole::Revision => "records that may be revised",
    }
}

/// A channel without its running number: `PJSIP/trunk` of `PJSIP/trunk-0000001f`; a telephone's as its technology and `…`.
pub(super) fn line_name(line: &[u8]) -> String {
    let text = super::printable(line);
    let end = match text.rsplit_once('-') {
        Some((name, number)) if text.contains('/') && number.chars().all(|c| c.is_ascii_hexdigit() || c == ';') => {
            name.len()
        }
        _ => text.len(),
    };
    let name = &text[..end];
    match name.split_once('/') {
        Some((technology, peer)) if !peer.is_empty() && peer.len() <= 6 && peer.chars().all(|c| c.is_ascii_digit()) => {
            format!("{technology}/<digits>")
        }
        Some((technology, _)) if technology.eq_ignore_ascii_case("Local") => "Local/…".to_owned(),
        _ => name.to_owned(),
    }
}
