//! Reading the records of a file by a template.

mod opening;
mod record;
mod split;
mod verdict;

use std::sync::Arc;

use super::clock::{self, Day, Parts};
use super::{Header, Kind, Moment, Quoting, Spec, Template, slot};
use crate::cdr::fields::{Fields, NO_COLUMN, Separator, not_null};
use crate::cdr::reader::Notes;
use crate::cdr::records::{DateMask, Framing};
use crate::cdr::switch::{Scratch, Switch};
use crate::cdr::times::{LastDay, integer, may_follow};
use crate::cdr::{Cdr, End, Fault, Frame, NotACall, Part, PartRole, RejectReason, Stamp};
use crate::source::RecordId;
use crate::time::{Date, Duration};

pub(in crate::cdr) use opening::lacks;
use record::Record;
pub(in crate::cdr) use verdict::Verdicts;
use verdict::{Verdict, What};

/// A template brought together with a file.
#[derive(Debug)]
pub(super) struct Engine {
    template: Arc<Template>,
    framing: Framing,
    /// Column of each slot; [`NO_COLUMN`] where there is none.
    columns: Vec<u16>,
    /// From and behind the last byte of each column, where positions are fixed.
    ranges: Vec<(usize, usize)>,
    is_fixed: bool,
    /// The slots of the fields that files have.
    present: Vec<usize>,
    /// The slots that rules ask for.
    asked: Vec<usize>,
    /// Fewest and most columns, or bytes of a line.
    width: Option<(usize, usize)>,
    has_header: bool,
    /// The header line, which must not be taken for a record that is no call.
    header: Box<[u8]>,
    /// Whether every record has an empty column behind the last.
    trailing: bool,
    mask: DateMask,
    /// What the file's name says of its dates.
    named: Option<Date>,
    /// The year that the project names.
    year: Option<i32>,
    minutes_only: bool,
}

impl Engine {
    fn column(&self, slot: usize) -> u16 {
        self.columns.get(slot).copied().unwrap_or(NO_COLUMN)
    }

    fn fault(&self, reason: RejectReason, slot: usize) -> Fault {
        match (self.template.specs.get(slot), self.column(slot)) {
            (_, NO_COLUMN) => Fault::record(reason),
            (Some(Spec::Range(from, _)), _) => Fault::column(reason, u16::try_from(*from).unwrap_or(NO_COLUMN)),
            (_, column) => Fault::column(reason, column),
        }
    }

    /// What a field says, as it stands there.
    #[inline]
    fn written<'t>(&self, text: &'t [u8], fields: &Fields, slot: usize) -> &'t [u8] {
        let column = self.column(slot);
        if column == NO_COLUMN {
            return &[];
        }
        if !self.is_fixed {
            return fields.get(text, column);
        }
        let Some((from, until)) = self.ranges.get(usize::from(column)) else { return &[] };
        not_null(text.get(*from..(*until).min(text.len())).unwrap_or_default())
    }

    /// What a field says, without blanks around it.
    fn field<'t>(&self, text: &'t [u8], fields: &Fields, slot: usize) -> &'t [u8] {
        trimmed(self.written(text, fields, slot))
    }

    /// Whether the record has a number of columns, or of bytes, that the file's records have.
    #[inline]
    fn has_width(&self, text: &[u8], fields: &Fields) -> bool {
        let Some((least, most)) = self.width else { return true };
        if self.template.kind == Kind::Fixed {
            return (least..=most).contains(&text.len());
        }
        let count = fields.count();
        // A comma too many in a text moves what stands behind it: an empty column at the end is passed over only where every record
        // has one.
        (least..=most).contains(&count) || (self.trailing && count == most + 1)
    }

    /// The year of a day of the year: the one that the project names; else, by the file's name, that of the nearest such day.
    fn year_of(&self, month: i64, day: i64) -> Option<i64> {
        if let Some(year) = self.year {
            return Some(i64::from(year));
        }
        let named = self.named?;
        let (year, _, _) = named.civil();
        let year = i64::from(year);
        [year - 1, year, year + 1]
            .into_iter()
            .filter_map(|year| {
                let date = Day { year, month, day }.date()?;
                Some(((i64::from(date.days()) - i64::from(named.days())).abs(), year))
            })
            .min()
            .map(|(_, year)| year)
    }

    /// A time of the call; `first` is its slot, behind which those of its date and its time stand.
    #[inline]
    fn moment(
        &self,
        (moment, first): (&Moment, usize),
        record: &Record<'_, '_>,
        day: impl FnOnce() -> Option<Day>,
        last_day: &mut LastDay,
    ) -> Result<Told, Fault> {
        let mut parts = Parts::default();
        let mut is_there = false;
        for (slot, pattern) in [(first, &moment.whole), (first + 1, &moment.date), (first + 2, &moment.time)] {
            let written = record.get(slot);
            if !written.is_empty() {
                pattern
                    .read_trimmed(written, record.padded(slot), &mut parts)
                    .map_err(|reason| self.fault(reason, slot))?;
                is_there = true;
            }
        }
        if !is_there {
            return Ok(Told::default());
        }
        let stamp = parts.stamp(self.template.utc, |month, day| self.year_of(month, day), day, last_day);
        let stamp = stamp.map_err(|reason| {
            let at = (first..first + 3).find(|slot| self.column(*slot) != NO_COLUMN);
            self.fault(reason, at.unwrap_or(first))
        })?;
        Ok(Told { stamp, alone: parts.second_of_day().filter(|_| parts.is_time_alone()) })
    }

    /// A duration; `None` if there is none.
    #[inline]
    fn length(&self, slot: usize, record: &Record<'_, '_>) -> Result<Option<Duration>, Fault> {
        let template = &*self.template;
        let written = record.get(slot);
        if written.is_empty() || template.unset.iter().any(|unset| unset == written) {
            return Ok(None);
        }
        let length = match slot {
            slot::TALK => &template.talk,
            slot::RING => &template.ring,
            _ => &template.duration,
        };
        length.read(record.padded(slot)).map_err(|reason| self.fault(reason, slot))
    }

    /// The day that a date record names.
    #[cold]
    fn date_record<'a>(
        &self,
        (id, raw): (RecordId, &'a [u8]),
        text: &[u8],
        scratch: &mut Scratch,
        cdr: &mut Cdr<'a>,
    ) -> Result<(), Fault> {
        let mut parts = Parts::default();
        let malformed = Fault::record(RejectReason::TimeMalformed);
        let pattern = self.template.date_record.as_ref().ok_or(malformed)?;
        pattern.read(text.trim_ascii(), &mut parts).map_err(Fault::record)?;
        let (year, month_day) = parts.date();
        let (month, day) = month_day.ok_or(malformed)?;
        let year = match year {
            Some(year) => year,
            None => self.year_of(month, day).ok_or(malformed)?,
        };
        let day = Day { year, month, day };
        day.date().ok_or(malformed)?;
        scratch.day = Some((day, parts.second_of_day().unwrap_or(0)));
        *cdr = Cdr { kind: crate::cdr::Kind::NotACall(NotACall::Marker), ..Cdr::blank(id, raw) };
        Ok(())
    }

    /// The part that a record is of its call.
    #[inline]
    fn kind<'a>(&self, role: Option<PartRole>, field: impl Fn(usize) -> &'a [u8] + Copy) -> crate::cdr::Kind<'a> {
        let Some(mut role) = role else { return crate::cdr::Kind::Call };
        if let PartRole::Segment { number, .. } = &mut role {
            *number = integer(field(slot::SEQUENCE)).and_then(|number| u8::try_from(number).ok()).unwrap_or(0);
        }
        let groups = &self.template.parts.group;
        let of = |index: usize| groups.get(index).map_or(&[][..], |slot| field(*slot));
        // What names no call stands alone.
        if groups.iter().any(|slot| !field(*slot).is_empty()) {
            crate::cdr::Kind::Part(Part { group: [of(0), of(1), of(2)], role })
        } else {
            crate::cdr::Kind::Call
        }
    }
}

impl Switch for Engine {
    fn layout_name(&self) -> &str {
        &self.template.name
    }

    fn framing(&self) -> Framing {
        self.framing
    }

    fn separator(&self) -> Option<Separator> {
        match self.template.kind {
            Kind::Delimited { delimiter, quoting: Quoting::None, .. } => Some(Separator::Bare(delimiter)),
            _ => None,
        }
    }

    fn parse<'a>(
        &'a self,
        (id, raw): (RecordId, &'a [u8]),
        text: &'a [u8],
        scratch: &mut Scratch,
        cdr: &mut Cdr<'a>,
    ) -> Result<(), Fault> {
        if !self.mask.is_empty() && self.mask.fits(text) {
            return self.date_record((id, raw), text, scratch, cdr);
        }
        if self.has_header && *self.header == *text {
            return Err(Fault::record(RejectReason::Malformed));
        }
        let Scratch { fields, verdicts, last_day, day, .. } = scratch;
        self.split(text, fields)?;
        let mut record = Record::new(self, text, fields);
        record.find();
        let verdict = self.verdict(&record, verdicts);
        *cdr = Cdr::blank(id, raw);
        if let Some(why) = Self::no_record(verdict.what) {
            (cdr.kind, cdr.frame) = (crate::cdr::Kind::NotACall(why), self.frame(verdict.what, &record));
            return Ok(());
        }
        if !self.has_width(text, fields) {
            return Err(Fault::record(if self.is_fixed { RejectReason::Malformed } else { RejectReason::ColumnCount }));
        }
        if verdict.what == What::NotVoice {
            cdr.kind = crate::cdr::Kind::NotACall(NotACall::NotVoice);
            return Ok(());
        }
        self.read_times(&record, verdict.answered, (day, last_day), cdr)?;
        self.read_parties(&record, verdict, day.map(|(day, _)| day), cdr);
        Ok(())
    }

    fn width(&self, text: &[u8], scratch: &mut Scratch) -> Option<usize> {
        if self.template.kind == Kind::Fixed || self.split(text, &mut scratch.fields).is_err() {
            return None;
        }
        let fields = &scratch.fields;
        let field = |slot: usize| self.field(text, fields, slot);
        let template = &*self.template;
        let is_marker = [&template.begin_when, &template.end_when, &template.marker_when, &template.skip_when]
            .into_iter()
            .any(|rule| rule.holds(field));
        (!is_marker && self.has_width(text, fields)).then(|| self.width.map_or(fields.count(), |(least, _)| least))
    }

    fn is_same_header(&self, text: &[u8], scratch: &mut Scratch) -> Option<bool> {
        if self.template.header == Header::None {
            return None;
        }
        let names = self.names(text, &mut scratch.fields);
        let columns = self.template.places(&names);
        self.template.missing(&columns).is_empty().then_some(columns == self.columns)
    }

    fn notes(&self) -> Notes {
        Notes { minutes_only: self.minutes_only, ..Notes::default() }
    }
}

impl Engine {
    /// Why it is no record at all, but what stands around them.
    #[inline]
    const fn no_record(what: What) -> Option<NotACall> {
        match what {
            What::Begins | What::Ends | What::Marker => Some(NotACall::Marker),
            What::Omitted => Some(NotACall::Omitted),
            What::NotVoice | What::Call => None,
        }
    }

    /// What a marker says of the file.
    fn frame(&self, what: What, record: &Record<'_, '_>) -> Option<Frame> {
        let end = match what {
            What::Begins => false,
            What::Ends => true,
            _ => return None,
        };
        let count = self.template.count.filter(|_| end).and_then(|slot| integer(record.get(slot)));
        Some(Frame { end, records: count.and_then(|count| u64::try_from(count).ok()) })
    }

    /// Reads when a call was, and how long.
    #[inline]
    fn read_times(
        &self,
        record: &Record<'_, '_>,
        says_answered: Option<bool>,
        (of_record, last_day): (&mut Option<(Day, i64)>, &mut LastDay),
        cdr: &mut Cdr<'_>,
    ) -> Result<(), Fault> {
        let template = &*self.template;
        let day_told = of_record.map(|(day, _)| day);
        let setup = self.moment((&template.setup, slot::SETUP), record, || day_told, last_day)?;
        let day_of_call = || match setup.stamp {
            Some(Stamp::Local(local)) => Some(Day::of(local.date())),
            _ => day_told,
        };
        let answer = self.moment((&template.answer, slot::ANSWER), record, day_of_call, last_day)?;
        let end = self.moment((&template.end, slot::END), record, day_of_call, last_day)?;
        cdr.setup = setup.stamp;
        (cdr.answer, cdr.end) = (answer.behind(setup.stamp), end.behind(setup.stamp));
        if cdr.setup.is_none() && cdr.end.is_none() && cdr.answer.is_none() {
            let slot = if self.column(slot::SETUP) == NO_COLUMN { slot::SETUP + 1 } else { slot::SETUP };
            return Err(self.fault(RejectReason::FieldMissing, slot));
        }
        self.read_lengths(record, says_answered, cdr)?;
        if let (Some(start), Some(end)) = (cdr.setup, cdr.end)
            && !may_follow(start, end, cdr.duration)
        {
            return Err(self.fault(RejectReason::EndBeforeStart, slot::END));
        }
        if of_record.is_some() {
            under_date_record(of_record, setup.alone, end.alone, cdr);
        }
        Ok(())
    }

    /// Reads durations, and whether the call was answered.
    #[inline]
    fn read_lengths(
        &self,
        record: &Record<'_, '_>,
        says_answered: Option<bool>,
        cdr: &mut Cdr<'_>,
    ) -> Result<(), Fault> {
        let duration = self.length(slot::DURATION, record)?;
        let ring = self.length(slot::RING, record)?;
        let told = match self.length(slot::TALK, record)? {
            Some(talk) => Some(talk),
            None if self.column(slot::TALK) != NO_COLUMN => None,
            None => match (duration, ring, cdr.answer, cdr.end) {
                (Some(duration), Some(ring), _, _) => Some(less(duration, ring)),
                (_, _, Some(answer), Some(end)) => Some(between(answer, end)),
                _ => None,
            },
        };
        let is_answered = self.is_answered(says_answered, cdr.answer.is_some())?;
        cdr.talk = match told {
            Some(talk) => talk,
            None if !is_answered || !self.template.unset.is_empty() => Duration::ZERO,
            None if self.column(slot::TALK) == NO_COLUMN && cdr.answer.is_none() => Duration::ZERO,
            None => return Err(self.fault(RejectReason::FieldMissing, slot::TALK)),
        };
        cdr.duration = duration;
        cdr.answered = is_answered && cdr.talk > Duration::ZERO;
        Ok(())
    }

    /// Reads who called whom, and what else is known of the call.
    #[inline]
    fn read_parties<'a>(&'a self, record: &Record<'_, 'a>, verdict: Verdict, day: Option<Day>, cdr: &mut Cdr<'a>) {
        let template = &*self.template;
        let field = |slot: usize| record.get(slot);
        let number = |slot: usize| number_in(field(slot));
        let direction = verdict.direction;
        let is_swapped = direction.is_some_and(|direction| template.swapped.contains(&direction));
        let (from, to) = if is_swapped { (slot::DIALLED, slot::CALLING) } else { (slot::CALLING, slot::DIALLED) };
        cdr.call_id = match field(slot::ID) {
            [] => field(slot::CALL_ID),
            id => id,
        };
        cdr.key = self.key(record, day);
        cdr.calling = number(from);
        cdr.peer = number(slot::EXTENSION);
        cdr.dialled = number(to);
        cdr.reached = number(slot::REACHED);
        cdr.outpulsed = number(slot::OUTPULSED);
        cdr.forwarder = number(slot::FORWARDER);
        cdr.account = field(slot::ACCOUNT);
        cdr.context = field(slot::CONTEXT);
        cdr.ingress = field(slot::TRUNK_IN);
        cdr.egress = field(slot::TRUNK_OUT);
        cdr.ends = direction.map_or([End::Untold; 2], super::Direction::ends);
        cdr.carrier_price = field(slot::CHARGE);
        if !cdr.carrier_price.is_empty() {
            cdr.carrier_currency = match field(slot::CURRENCY) {
                [] => template.currency.as_bytes(),
                currency => currency,
            };
        }
        cdr.kind = self.kind(verdict.role, field);
    }

    /// Whether the call was answered: as the rules say; without any, by its answer time, if files have one.
    #[inline]
    fn is_answered(&self, says_answered: Option<bool>, has_answer: bool) -> Result<bool, Fault> {
        let template = &*self.template;
        if template.answered_when.is_empty() && template.unanswered_when.is_empty() {
            let answer_column = [slot::ANSWER, slot::ANSWER + 1, slot::ANSWER + 2];
            let tells = answer_column.into_iter().any(|slot| self.column(slot) != NO_COLUMN);
            return Ok(has_answer || !tells);
        }
        says_answered.ok_or_else(|| {
            let slot = template.answered_when.slots().next().unwrap_or(slot::ID);
            self.fault(RejectReason::DispositionUnknown, slot)
        })
    }

    /// What makes two records one: the fields that the template names, if the first of them is there; else the whole text.
    /// Under date records the day belongs to it.
    #[inline]
    fn key<'a>(&self, record: &Record<'_, 'a>, day: Option<Day>) -> [&'a [u8]; 6] {
        let field = |index: usize| self.template.key.get(index).map_or(&[][..], |slot| record.get(*slot));
        if let Some(day) = day {
            return [
                record.text,
                YEARS.get(usize::try_from(day.year - 1990).unwrap_or(usize::MAX)).map_or(&[][..], |year| year),
                two(day.month),
                two(day.day),
                b"",
                b"",
            ];
        }
        if field(0).is_empty() {
            return [record.text, b"", b"", b"", b"", b""];
        }
        [field(0), field(1), field(2), field(3), field(4), field(5)]
    }
}

/// 1990 to 2089 in digits.
static YEARS: [[u8; 4]; 100] = {
    let mut years = [*b"1990"; 100];
    let mut index = 0;
    while index < 100 {
        let year = 1990 + index;
        years[index] = [
            b'0' + (year / 1000) as u8,
            b'0' + (year / 100 % 10) as u8,
            b'0' + (year / 10 % 10) as u8,
            b'0' + (year % 10) as u8,
        ];
        index += 1;
    }
    years
};

/// The last two digits of a month or day.
fn two(number: i64) -> &'static [u8] {
    let year = usize::try_from(number + 10).ok().and_then(|index| YEARS.get(index));
    year.and_then(|year| year.get(2..)).unwrap_or_default()
}

/// What was read of a time.
#[derive(Clone, Copy, Default)]
struct Told {
    stamp: Option<Stamp>,
    /// Seconds since midnight, if no date stands with them.
    alone: Option<i64>,
}

impl Told {
    /// The moment. A time of day alone that lies before the set-up's is the next day's.
    #[inline]
    fn behind(self, setup: Option<Stamp>) -> Option<Stamp> {
        let (Some(setup), Some(stamp), Some(_)) = (setup, self.stamp, self.alone) else { return self.stamp };
        let is_before = match (setup, stamp) {
            (Stamp::Local(setup), Stamp::Local(stamp)) => setup.as_millis() - stamp.as_millis() > 3_600_000,
            (Stamp::Instant(setup), Stamp::Instant(stamp)) => setup.as_millis() - stamp.as_millis() > 1_000,
            _ => false,
        };
        Some(if is_before { clock::days_later(stamp, 1) } else { stamp })
    }
}

/// Under a date record, moves a call whose set-up or end is a time of day alone to the day it was on. Then the day of the
/// records behind it may be another, too.
fn under_date_record(
    of_record: &mut Option<(Day, i64)>,
    setup_alone: Option<i64>,
    end_alone: Option<i64>,
    cdr: &mut Cdr<'_>,
) {
    let Some((day, latest)) = *of_record else { return };
    if let Some(start) = setup_alone {
        // Records are printed when calls end: one that ends on the date record's day and lasts over midnight began the day
        // before.
        let length = cdr.duration.unwrap_or(cdr.talk);
        if start * 1_000 + length.as_millis() >= 86_400_000 {
            cdr.setup = cdr.setup.map(|setup| clock::days_later(setup, -1));
            cdr.answer = cdr.answer.map(|answer| clock::days_later(answer, -1));
        }
    } else if let Some(at) = end_alone {
        // Ends come in order: half a day backwards is the next day, where no date record says so.
        if latest - at > 43_200
            && let Some(next) = day.date().map(|date| Day::of(date.tomorrow()))
        {
            *of_record = Some((next, at));
            cdr.end = cdr.end.map(|end| clock::days_later(end, 1));
        } else {
            *of_record = Some((day, latest.max(at)));
        }
    }
}

/// Without blanks around it, which nearly never are there but where positions are fixed.
#[inline]
fn trimmed(text: &[u8]) -> &[u8] {
    match text {
        [] => text,
        [one] if !one.is_ascii_whitespace() => text,
        [first, .., last] if !first.is_ascii_whitespace() && !last.is_ascii_whitespace() => text,
        _ => without_spaces(text).trim_ascii(),
    }
}

/// Without the spaces among the first and the last bytes, all of them counted at once.
fn without_spaces(text: &[u8]) -> &[u8] {
    const SPACES: u128 = u128::from_ne_bytes([b' '; 16]);
    let mut text = text;
    if let Some(last) = text.last_chunk() {
        let spaces = (u128::from_le_bytes(*last) ^ SPACES).leading_zeros() / 8;
        text = text.get(..text.len() - spaces as usize).unwrap_or_default();
    } else if let Some(last) = text.last_chunk() {
        let spaces = (u64::from_le_bytes(*last) ^ SPACES as u64).leading_zeros() / 8;
        text = text.get(..text.len() - spaces as usize).unwrap_or_default();
    }
    if let Some(first) = text.first_chunk() {
        let spaces = (u128::from_le_bytes(*first) ^ SPACES).trailing_zeros() / 8;
        text = text.get(spaces as usize..).unwrap_or_default();
    }
    text
}

fn less(duration: Duration, ring: Duration) -> Duration {
    Duration::from_millis((duration.as_millis() - ring.as_millis()).max(0))
}

fn between(from: Stamp, until: Stamp) -> Duration {
    let millis = match (from, until) {
        (Stamp::Local(from), Stamp::Local(until)) => until.as_millis() - from.as_millis(),
        (Stamp::Instant(from), Stamp::Instant(until)) => until.since(from).as_millis(),
        _ => 0,
    };
    Duration::from_millis(millis.max(0))
}

/// The number in `Name<1001>`; any other text as it stands.
fn number_in(text: &[u8]) -> &[u8] {
    if let Some(inside) = text.strip_suffix(b">")
        && let Some(open) = inside.iter().rposition(|byte| *byte == b'<')
    {
        return inside.get(open + 1..).unwrap_or_default().trim_ascii();
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn blanks_are_taken_off_as_ever(text in "[ ]{0,40}[\\t ]{0,2}[a-z ]{0,30}[\\r ]{0,2}[ ]{0,40}") {
            prop_assert_eq!(trimmed(text.as_bytes()), text.as_bytes().trim_ascii());
        }
    }
}
