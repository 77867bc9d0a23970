//! Avaya IP Office SMDR (Avaya, “IP Office: SMDR records”, fields and examples).
//!
//! Unquoted lines of comma-separated fields, one for each stretch of a call. Releases have added fields at the end: 16, 17,
//! 30, 33, 35 or 37 of them, with or without a comma behind the last. Names may have commas nobody quoted: what stands before
//! them is counted from the left, what stands behind from the right. A collector may have put its own stamp before the
//! line, the Delta Server a header line before the first.
//!
//! **Talk** is the connected time, which IP Office rounds up to whole seconds; 00:00:00 is unanswered. Analogue trunks give no
//! ring time for outgoing calls: there it includes the ringing. **Clock**: local; all stretches of a call show its start.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::address;
use super::fields::{Fields, NO_COLUMN, Reading as Quotes, Separator};
use super::reader::{FileError, Notes, Options};
use super::records::Framing;
use super::switch::{Entry, Head, Opened, Scratch, Sign, Switch};
use super::times::{self, DateCache, Reading};
use super::word::is_digits;
use super::{Cdr, End, Fault, Kind, Part, PartRole, RejectReason, Stamp};
use crate::source::RecordId;
use crate::time::{Duration, LocalTime};

pub(super) const ENTRY: Entry = Entry { layouts: &[], open, recognise };

/// How many fields the releases write.
const WIDTHS: [usize; 6] = [16, 17, 30, 33, 35, 37];

/// The most commas in names that are believed.
const MOST_EXTRA: usize = 12;

// Fields, counted from 0.
const START: u16 = 0;
const CONNECTED: u16 = 1;
const RING: u16 = 2;
const CALLER: u16 = 3;
const DIRECTION: u16 = 4;
const CALLED: u16 = 5;
const DIALLED: u16 = 6;
const ACCOUNT: u16 = 7;
const IS_INTERNAL: u16 = 8;
const CALL_ID: u16 = 9;
const CONTINUATION: u16 = 10;
const PARTY_1: u16 = 11;
const NAME_1: u16 = 12;
const PARTY_2: u16 = 13;
const NAME_2: u16 = 14;
const HOLD: u16 = 15;
const PARK: u16 = 16;
const AUTH_VALID: u16 = 17;
const AUTH_CODE: u16 = 18;
const CHARGE: u16 = 20;
const CURRENCY: u16 = 21;
const MARK_UP: u16 = 26;
const CAUSE: u16 = 27;
const TARGETER: u16 = 28;
const TARGETED: u16 = 29;

#[derive(Debug)]
struct IpOffice {
    framing: Framing,
    /// How many columns a line of this file has, an empty one behind the last comma included.
    width: usize,
    name: &'static str,
    minutes_only: bool,
}

fn open(head: Head<'_>, _: &Options) -> Result<Opened, FileError> {
    let framing = Framing::Lines(head.line_end);
    let header_lines = usize::from(head.lines().next().is_some_and(is_header));
    let mut fields = Fields::new();
    let Some(width) = width_of(head.lines().skip(header_lines), &mut fields) else {
        // A header and nothing else, or nothing that can be read.
        return match head.lines().nth(header_lines) {
            None if header_lines == 1 => Ok(Opened {
                switch: Arc::new(IpOffice { framing, width: 30, name: "30_fields", minutes_only: false }),
                header_lines,
            }),
            Some(first) if header_lines == 0 => {
                let _ = fields.split_bare(first, b',');
                Err(FileError::UnknownLayout { columns: fields.count() })
            }
            _ => Err(FileError::UnknownLayout { columns: 0 }),
        };
    };
    let has_seconds = |line| {
        let (_, start) = start_of(line)?;
        times::year_first(start, &mut DateCache::new()).ok().map(|(_, seconds)| seconds)
    };
    let minutes_only = {
        let mut starts = head.lines().filter_map(has_seconds).peekable();
        starts.peek().is_some() && starts.all(|seconds| !seconds)
    };
    let switch = IpOffice { framing, width, name: name_of(width), minutes_only };
    Ok(Opened { switch: Arc::new(switch), header_lines })
}

fn recognise(head: Head<'_>) -> Option<Sign> {
    let has_header = head.lines().next().is_some_and(is_header);
    let lines = || head.lines().skip(usize::from(has_header)).take(50);
    let mut scratch = Scratch::new();
    let Some(width) = width_of(lines(), &mut scratch.fields) else {
        return has_header
            .then(|| Sign::new("30_fields", 85, "the first line has the names of IP Office's SMDR fields"));
    };
    let framing = Framing::Lines(head.line_end);
    let switch = IpOffice { framing, width, name: name_of(width), minutes_only: false };
    let (mut fitting, mut all) = (0, 0);
    for line in lines() {
        all += 1;
        fitting += u32::from(switch.reads(line, &mut scratch));
    }
    if fitting == 0 {
        return None;
    }
    let mut sign = Sign::new(
        switch.name,
        if fitting * 2 > all { 92 } else { 60 },
        "start, connected and ring time, I or O, call id and continuation stand where IP Office's SMDR has them",
    );
    if has_header {
        sign.because.insert(0, "the first line has the names of IP Office's SMDR fields".into());
    }
    Some(sign)
}

/// The number of columns that most lines have, of those that IP Office writes.
fn width_of<'l>(lines: impl Iterator<Item = &'l [u8]>, fields: &mut Fields) -> Option<usize> {
    let mut counts: BTreeMap<usize, u32> = BTreeMap::new();
    let mut least = usize::MAX;
    for line in lines.take(500) {
        if split(line, fields).is_err() || !is_ours(line, fields) {
            continue;
        }
        least = least.min(fields.count());
        if is_written(line, fields) {
            *counts.entry(fields.count()).or_default() += 1;
        }
    }
    let most = counts.iter().max_by_key(|(width, count)| (**count, std::cmp::Reverse(**width)));
    // Where every name has a comma, the widest that the shortest line has room for.
    most.map(|(width, _)| *width)
        .or_else(|| WIDTHS.into_iter().rev().find(|width| *width <= least && least < usize::MAX))
}

fn name_of(width: usize) -> &'static str {
    match WIDTHS.into_iter().rev().find(|known| *known <= width) {
        Some(37) => "37_fields",
        Some(35) => "35_fields",
        Some(33) => "33_fields",
        Some(30) => "30_fields",
        Some(17) => "17_fields",
        _ => "16_fields",
    }
}

/// Whether the number of columns is one that IP Office writes, and no comma in a name has made it so.
fn is_written(line: &[u8], fields: &Fields) -> bool {
    let count = fields.count();
    let get = |column| fields.get(line, column).trim_ascii();
    let last = u16::try_from(count.saturating_sub(1)).unwrap_or(NO_COLUMN);
    let is_known = WIDTHS.contains(&count) || (WIDTHS.contains(&(count.saturating_sub(1))) && get(last).is_empty());
    let is_seconds = |column| is_digits(get(column));
    let party = get(PARTY_2);
    is_known && is_seconds(HOLD) && is_seconds(PARK) && (party.is_empty() || is_device(party))
}

/// Whether the fields before the names are what they should be.
fn is_ours(line: &[u8], fields: &Fields) -> bool {
    let get = |column| fields.get(line, column).trim_ascii();
    fields.count() >= WIDTHS[0]
        && start_of(line).is_some()
        && get(CONNECTED).contains(&b':')
        && matches!(get(DIRECTION), b"I" | b"O" | b"i" | b"o")
        && matches!(get(CONTINUATION), b"0" | b"1")
}

fn is_header(line: &[u8]) -> bool {
    let first = line.split(|byte| *byte == b',').next().unwrap_or_default();
    let letters: Vec<u8> = first.iter().filter(|byte| byte.is_ascii_alphabetic()).map(u8::to_ascii_lowercase).collect();
    matches!(&letters[..], b"callstart" | b"callstarttime" | b"starttime") && line.contains(&b',')
}

/// Splits at commas; quotes count only if somebody (a spreadsheet) has put them.
fn split(line: &[u8], fields: &mut Fields) -> Result<(), Fault> {
    if memchr::memchr(b'"', line).is_some()
        && fields.split_at(line, b',', Quotes::FirstQuoteCloses).is_ok()
        && is_ours(line, fields)
    {
        return Ok(());
    }
    fields.split_bare(line, b',').map_err(Fault::record)
}

/// The start of the call, and where it begins: the last date in the first field, which a collector's own stamp may precede.
fn start_of(line: &[u8]) -> Option<(usize, &[u8])> {
    let end = memchr::memchr(b',', line)?;
    let first = line.get(..end)?;
    let is_date = |text: &[u8]| {
        matches!(text, [y1, y2, y3, y4, b'/', m1, m2, b'/', d1, d2, ..]
            if [y1, y2, y3, y4, m1, m2, d1, d2].into_iter().all(u8::is_ascii_digit))
    };
    // Mostly it is the whole field.
    if is_date(first) && first.len() <= 19 {
        return Some((0, first));
    }
    let at = (0..first.len()).rev().find(|at| first.get(*at..).is_some_and(is_date))?;
    Some((at, first.get(at..)?.strip_suffix(b"\"").unwrap_or(first.get(at..)?)))
}

/// The fields of one line.
struct Row<'f, 'a> {
    fields: &'f Fields,
    text: &'a [u8],
    /// Commas in names.
    extra: u16,
    /// Where the second party stands.
    party_2: u16,
}

impl<'f, 'a> Row<'f, 'a> {
    /// Finds the fields behind the names by counting from the right. `width` is that of the file.
    fn new(text: &'a [u8], fields: &'f Fields, width: usize) -> Result<Self, Fault> {
        let count = fields.count();
        let by_file = count.checked_sub(width).filter(|extra| *extra <= MOST_EXTRA);
        let with = |extra: usize| {
            let extra = u16::try_from(extra).unwrap_or(0);
            let row = Self { fields, text, extra, party_2: PARTY_2 };
            let is_seconds = |column| is_digits(row.get(column));
            if !is_seconds(HOLD) || !is_seconds(PARK) {
                return None;
            }
            if extra == 0 {
                return Some(row);
            }
            let found = (PARTY_2..=PARTY_2 + extra).find(|column| is_device(fields.get(text, *column).trim_ascii()));
            Some(Self { party_2: found.unwrap_or(NO_COLUMN), ..row })
        };
        let row = by_file.and_then(with).or_else(|| if is_written(text, fields) { with(0) } else { None });
        row.ok_or(Fault::record(RejectReason::ColumnCount))
    }

    fn column(&self, column: u16) -> u16 {
        match column {
            PARTY_2 => self.party_2,
            column if column < PARTY_2 => column,
            column => column.saturating_add(self.extra),
        }
    }

    fn get(&self, column: u16) -> &'a [u8] {
        match self.fields.get(self.text, self.column(column)).trim_ascii() {
            b"n/a" | b"N/A" => &[],
            text => text,
        }
    }
}

/// `E203`, `T9001`, `V9500`.
fn is_device(text: &[u8]) -> bool {
    matches!(text, [b'E' | b'T' | b'V', number @ ..] if !number.is_empty() && is_digits(number))
}

fn is_number(text: &[u8]) -> bool {
    !text.is_empty() && is_digits(text)
}

impl Switch for IpOffice {
    fn layout_name(&self) -> &str {
        self.name
    }

    fn framing(&self) -> Framing {
        self.framing
    }

    fn separator(&self) -> Option<Separator> {
        Some(Separator::Bare(b','))
    }

    fn width(&self, text: &[u8], scratch: &mut Scratch) -> Option<usize> {
        split(text, &mut scratch.fields).ok()?;
        is_ours(text, &scratch.fields).then_some(self.width)
    }

    fn is_same_header(&self, text: &[u8], _: &mut Scratch) -> Option<bool> {
        is_header(text).then_some(true)
    }

    fn notes(&self) -> Notes {
        Notes { minutes_only: self.minutes_only, ..Notes::default() }
    }

    fn parse<'a>(
        &'a self,
        (id, raw): (RecordId, &'a [u8]),
        text: &'a [u8],
        scratch: &mut Scratch,
        cdr: &mut Cdr<'a>,
    ) -> Result<(), Fault> {
        let Scratch { fields, cache, .. } = scratch;
        split(text, fields)?;
        if fields.count() < WIDTHS[0] {
            return Err(Fault::record(RejectReason::ColumnCount));
        }
        let Some((begins, start_text)) = start_of(text) else {
            return Err(Fault::column(RejectReason::TimeMalformed, START));
        };
        let row = Row::new(text, fields, self.width)?;
        let get = |column: u16| row.get(column);
        let start = match times::year_first(start_text, cache).map_err(Fault::in_column(START))? {
            (Reading::At(Stamp::Local(local)), _) => local,
            _ => return Err(Fault::column(RejectReason::TimeImplausible, START)),
        };
        let talk = times::hours_minutes_seconds(get(CONNECTED)).map_err(Fault::in_column(CONNECTED))?;
        let Some(talk) = talk else { return Err(Fault::column(RejectReason::FieldMissing, CONNECTED)) };
        let ring = times::seconds(get(RING)).map_err(Fault::in_column(RING))?.unwrap_or(Duration::ZERO);
        let outgoing = match get(DIRECTION) {
            b"O" | b"o" => true,
            b"I" | b"i" => false,
            b"" => return Err(Fault::column(RejectReason::FieldMissing, DIRECTION)),
            _ => return Err(Fault::column(RejectReason::DispositionUnknown, DIRECTION)),
        };
        let more = match get(CONTINUATION) {
            b"0" => false,
            b"1" => true,
            _ => return Err(Fault::column(RejectReason::NumberMalformed, CONTINUATION)),
        };
        let internal = match get(IS_INTERNAL) {
            b"1" => true,
            // So some of Avaya's examples have it, of calls inside.
            b"I" | b"i" => outgoing,
            b"0" | b"" => false,
            _ => return Err(Fault::column(RejectReason::NumberMalformed, IS_INTERNAL)),
        };

        let number = |column: u16| address::user(get(column));
        let parties = Parties::of(&row, number(CALLED));
        let targeted = number(TARGETED);
        let (called, dialled) = (number(CALLED), number(DIALLED));
        let caller_end = if outgoing || internal { End::Inside } else { End::Outside };
        // A conference's own record has no number and no trunk.
        let goes_out = outgoing && !internal && !(called.is_empty() && dialled.is_empty() && parties.trunk.is_empty());
        let callee_end = if goes_out || !targeted.is_empty() { End::Outside } else { End::Inside };
        let answered = talk > Duration::ZERO;
        let calling = number(CALLER);
        let call_id = get(CALL_ID);
        let mark_up = get(MARK_UP);
        let charge = get(CHARGE);
        let is_cost = matches!(mark_up, b"" | b"0" | b"100" | b"100.00" | b"1.00")
            && charge.iter().any(|byte| matches!(byte, b'1'..=b'9'));
        *cdr = Cdr {
            call_id,
            // The line without a collector's stamp: each stretch of a call has its own.
            key: [text.get(begins..).unwrap_or(text), b"", b"", b"", b"", b""],
            setup: Some(Stamp::Local(start)),
            answer: answered.then(|| Stamp::Local(LocalTime::from_millis(start.as_millis() + ring.as_millis()))),
            talk,
            answered,
            calling: if calling.is_empty() && caller_end == End::Inside { parties.extension } else { calling },
            peer: if caller_end == End::Inside { parties.caller_extension(calling) } else { &[] },
            dialled: if dialled.is_empty() { called } else { dialled },
            reached: if targeted.is_empty() { called } else { targeted },
            forwarder: if targeted.is_empty() { &[] } else { parties.targeter },
            account: match get(ACCOUNT) {
                b"" if get(AUTH_VALID) == b"1" => get(AUTH_CODE),
                account => account,
            },
            ingress: if caller_end == End::Outside { parties.trunk } else { &[] },
            egress: if callee_end == End::Outside { parties.last_trunk } else { &[] },
            ends: [caller_end, callee_end],
            carrier_price: if is_cost { charge } else { &[] },
            carrier_currency: if is_cost { get(CURRENCY) } else { &[] },
            kind: if call_id.is_empty() {
                Kind::Call
            } else {
                Kind::Part(Part { group: [start_text, call_id, b""], role: PartRole::Segment { number: 0, more } })
            },
            ..Cdr::blank(id, raw)
        };
        Ok(())
    }
}

/// The devices of a line.
struct Parties<'a> {
    /// The number of the first extension among them. May be empty.
    extension: &'a [u8],
    /// The first and the last trunk. May be empty.
    trunk: &'a [u8],
    last_trunk: &'a [u8],
    /// The number of whoever had the call sent outside; a name where no number is known. May be empty.
    targeter: &'a [u8],
}

impl<'a> Parties<'a> {
    fn of(row: &Row<'_, 'a>, called: &'a [u8]) -> Self {
        let devices = [(row.get(PARTY_1), row.get(NAME_1)), (row.get(PARTY_2), row.get(NAME_2))];
        let extension_of = |device: &'a [u8]| device.strip_prefix(b"E").filter(|number| is_number(number));
        let trunks = || devices.into_iter().map(|(device, _)| device).filter(|device| device.starts_with(b"T"));
        let id = row.get(TARGETER);
        let by_name = devices
            .into_iter()
            .filter(|(_, name)| row.extra == 0 && !name.is_empty() && *name == id)
            .find_map(|(device, _)| extension_of(device));
        // What a user is called until somebody gives it a name.
        let extn = id.strip_prefix(b"Extn").filter(|number| is_number(number));
        // Who transferred a call need not be who was called; who forwarded it is.
        let is_transfer = !row.get(CAUSE).is_empty() && row.get(CAUSE).windows(2).any(|pair| pair == b"Xf");
        let forwarded = Some(called).filter(|called| !is_transfer && is_number(called) && called.len() <= 6);
        Self {
            extension: devices.into_iter().find_map(|(device, _)| extension_of(device)).unwrap_or_default(),
            trunk: trunks().next().unwrap_or_default(),
            last_trunk: trunks().next_back().unwrap_or_default(),
            targeter: match () {
                () if is_number(id) => id,
                () => by_name.or(extn).or(forwarded).unwrap_or(id),
            },
        }
    }

    /// The device of a caller inside, unless it is the called party's.
    fn caller_extension(&self, calling: &[u8]) -> &'a [u8] {
        if calling.is_empty() || calling == self.extension { self.extension } else { &[] }
    }
}

#[cfg(test)]
mod tests;
