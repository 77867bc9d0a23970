//! 3CX (3CX, CDR settings and CDR output fields; checked on real files).
//!
//! One row a call. The administrator chooses the columns, their order and the delimiter; what 3CX suggests are [`NAMES`],
//! of which older systems write the first twenty. There is no header line.
//!
//! **Clock.** Times are UTC. In systems up to V16 the call id begins with the epoch in milliseconds, in hexadecimal:
//! where the times of a file differ from it, somebody has turned them into local time, and they are turned back, record by
//! record. Records of such a file without that evidence are read in the source's zone.
//!
//! **Talk** is `duration`: from answer to end, cut to seconds. A call is answered if `time-answered` and `duration` are
//! both there and it is above zero.

use std::sync::Arc;

use super::fields::{Fields, NO_COLUMN, Reading as Quotes, Shape};
use super::reader::{FileError, Notes, Options};
use super::records::Framing;
use super::switch::{Entry, Head, Opened, Scratch, Sign, Switch};
use super::times::{self, DateCache, Reading};
use super::{Cdr, End, Fault, RejectReason, Stamp};
use crate::source::RecordId;
use crate::time::{Duration, Instant, LocalTime};

pub(super) const ENTRY: Entry = Entry { layouts: &["27_columns", "20_columns"], open, recognise };

/// The fields in the order that 3CX suggests.
const NAMES: [&str; 27] = [
    "historyid",
    "callid",
    "duration",
    "time-start",
    "time-answered",
    "time-end",
    "reason-terminated",
    "from-no",
    "to-no",
    "from-dn",
    "to-dn",
    "dial-no",
    "reason-changed",
    "final-number",
    "final-dn",
    "bill-code",
    "bill-rate",
    "bill-cost",
    "bill-name",
    "chain",
    "from-type",
    "to-type",
    "final-type",
    "from-dispname",
    "to-dispname",
    "final-dispname",
    "missed-queue-calls",
];

// Places in `NAMES`.
const HISTORY_ID: usize = 0;
const CALL_ID: usize = 1;
const DURATION: usize = 2;
const START: usize = 3;
const ANSWERED: usize = 4;
const ENDED: usize = 5;
const FROM_NO: usize = 7;
const TO_NO: usize = 8;
const FROM_DN: usize = 9;
const TO_DN: usize = 10;
const DIAL_NO: usize = 11;
const REASON_CHANGED: usize = 12;
const FINAL_NO: usize = 13;
const FINAL_DN: usize = 14;
const BILL_CODE: usize = 15;
const BILL_NAME: usize = 18;
const CHAIN: usize = 19;
const FROM_TYPE: usize = 20;
const TO_TYPE: usize = 21;
const FINAL_TYPE: usize = 22;
const FROM_NAME: usize = 23;
const FINAL_NAME: usize = 25;

/// Columns of systems before the types and names came in.
const OLDER_WIDTH: usize = 20;

/// Parties that are no telephone: what the system itself does with a call.
const PSEUDO: [&[u8]; 5] = [b"EndCall", b"MakeCall", b"PlayFile", b"VoiceMail", b"VMail"];

/// How far a start may be from the epoch in the call id, whole quarters of an hour taken off, and still be evidence.
const EPOCH_TOLERANCE_MS: i64 = 60_000;

const QUARTER_MS: i64 = 15 * 60_000;

/// No zone is further from UTC.
const FURTHEST_MS: i64 = 15 * 3_600_000;

/// The columns of a file.
#[derive(Debug)]
struct Columns {
    /// Where each of [`NAMES`] stands.
    at: [u16; NAMES.len()],
    /// How many there are.
    width: usize,
    /// First and last column of free text, in which an unquoted delimiter makes more columns. What stands before is counted
    /// from the left, what stands behind from the right.
    free: Option<(usize, usize)>,
    /// In the order suggested: then older and newer rows may stand in one file, and every row begins with `Call `.
    suggested: bool,
}

impl Columns {
    fn new(names: &[String], delimiter: u8) -> Result<Self, FileError> {
        let mut at = [NO_COLUMN; NAMES.len()];
        for (place, name) in at.iter_mut().zip(NAMES) {
            let found = names.iter().position(|other| is_same_name(other, name));
            *place = found.and_then(|index| u16::try_from(index).ok()).unwrap_or(NO_COLUMN);
        }
        let has = |place: usize| at.get(place).is_some_and(|column| *column != NO_COLUMN);
        for (enough, column) in [
            (has(START) || has(ANSWERED), "time-start"),
            (has(DURATION) || (has(ANSWERED) && has(ENDED)), "duration"),
            (has(FROM_NO) || has(FROM_DN), "from-no"),
            (has(DIAL_NO) || has(TO_NO), "dial-no"),
        ] {
            if !enough {
                return Err(FileError::ColumnMissing { column });
            }
        }
        let free = Self::free_text(&at, delimiter);
        Ok(Self { at, width: names.len(), free, suggested: false })
    }

    /// With commas the newer columns serve for older rows, too: those of a file put together may be mixed.
    fn suggested(width: usize, delimiter: u8) -> Self {
        let width = if delimiter == b',' { NAMES.len() } else { width };
        let mut at = [NO_COLUMN; NAMES.len()];
        for (index, place) in at.iter_mut().enumerate().take(width) {
            *place = u16::try_from(index).unwrap_or(NO_COLUMN);
        }
        Self { at, width, free: Self::free_text(&at, delimiter), suggested: true }
    }

    /// With semicolons between fields the chain, which has semicolons of its own; with commas the names.
    fn free_text(at: &[u16; NAMES.len()], delimiter: u8) -> Option<(usize, usize)> {
        let column = |place: &usize| at.get(*place).filter(|column| **column != NO_COLUMN).map(|it| usize::from(*it));
        if delimiter == b';' {
            return column(&CHAIN).map(|chain| (chain, chain));
        }
        let names = || (FROM_NAME..=FINAL_NAME).chain([BILL_NAME]);
        let names = || names().filter(|place| *place != BILL_NAME || column(&FROM_NAME).is_none());
        let places = || names().filter_map(|place| column(&place));
        Some((places().min()?, places().max()?))
    }
}

/// `Time-Start`, `time_start` and `timestart` are one name.
fn is_same_name(one: &str, other: &str) -> bool {
    let letters = |text: &str| -> Vec<u8> {
        text.bytes().filter(u8::is_ascii_alphanumeric).map(|byte| byte.to_ascii_lowercase()).collect()
    };
    letters(one) == letters(other)
}

#[derive(Debug)]
struct ThreeCx {
    framing: Framing,
    delimiter: u8,
    columns: Columns,
    name: &'static str,
    /// By how much the clock differs from the epochs in call ids: median in minutes, of how many, and when. `None` if it
    /// is UTC, or if nothing tells.
    shifted: Option<(i32, u32, Instant)>,
}

fn open(head: Head<'_>, options: &Options) -> Result<Opened, FileError> {
    let first = head.lines().next().unwrap_or_default();
    let mut header_lines = 0;
    let delimiter = delimiter_of(first, options.columns.len());
    let framing = head.quoted(delimiter);
    let mut fields = Fields::new();
    let (columns, name) = if options.columns.is_empty() {
        match header(first, delimiter, &mut fields) {
            Some(names) => {
                header_lines = 1;
                (Columns::new(&names, delimiter)?, "header")
            }
            None => match width_of_file(head, delimiter, options, &mut fields) {
                Ok(width) => (
                    Columns::suggested(width, delimiter),
                    if width == OLDER_WIDTH { "20_columns" } else { "27_columns" },
                ),
                Err(columns) => return Err(FileError::UnknownLayout { columns }),
            },
        }
    } else {
        (Columns::new(&options.columns, delimiter)?, "columns")
    };
    let mut switch = ThreeCx { framing, delimiter, columns, name, shifted: None };
    switch.learn_clock(head.records(framing).skip(header_lines));
    Ok(Opened { switch: Arc::new(switch), header_lines })
}

fn recognise(head: Head<'_>) -> Option<Sign> {
    let first = head.lines().next()?;
    let delimiter = delimiter_of(first, 0);
    let mut fields = Fields::new();
    if header(first, delimiter, &mut fields).is_some_and(|names| Columns::new(&names, delimiter).is_ok()) {
        return Some(Sign::new("header", 90, "the first line has 3CX's field names"));
    }
    let options = Options::default();
    let records = || head.records(head.quoted(delimiter)).take(50);
    if let Ok(width) = width_of_file(head, delimiter, &options, &mut fields) {
        let name = if width == OLDER_WIDTH { "20_columns" } else { "27_columns" };
        let columns = Columns::suggested(width, delimiter);
        let switch = ThreeCx { framing: head.quoted(delimiter), delimiter, columns, name, shifted: None };
        let mut scratch = Scratch::new();
        let (mut read, mut all) = (0, 0);
        for raw in records() {
            all += 1;
            read += u32::from(switch.reads(raw, &mut scratch));
        }
        if read * 2 > all {
            let mut sign = Sign::new(name, 95, format!("every row begins with `Call ` and has 3CX's {width} fields"));
            if records().any(|raw| memchr::memmem::find(raw, b"Chain:").is_some()) {
                sign.because.push("a field begins with `Chain:`".into());
            }
            return Some(sign);
        }
    }
    let is_ours = |raw: &[u8]| {
        memchr::memmem::find(raw, b"Chain: ").is_some()
            && raw.split(|byte| *byte == delimiter).any(|field| is_history_id(field.trim_ascii()))
    };
    records().any(is_ours).then(|| {
        Sign::new(
            "columns",
            60,
            "fields begin with `Call ` and `Chain:`, in an order of the site's own: name them in `columns`",
        )
    })
}

/// Comma or semicolon: what follows `Call 9744`; else what gives at least `width` columns.
fn delimiter_of(first: &[u8], width: usize) -> u8 {
    if width == 0
        && is_history_id(first.split(|byte| matches!(byte, b',' | b';')).next().unwrap_or_default().trim_ascii())
    {
        return first.iter().copied().find(|byte| matches!(byte, b',' | b';')).unwrap_or(b',');
    }
    let count = |wanted: u8| first.iter().filter(|byte| **byte == wanted).count();
    let (commas, semicolons) = (count(b','), count(b';'));
    if semicolons > commas && (width == 0 || semicolons + 1 >= width) { b';' } else { b',' }
}

/// The names in a header line: at least eight of 3CX's.
fn header(first: &[u8], delimiter: u8, fields: &mut Fields) -> Option<Vec<String>> {
    fields.split_at(first, delimiter, Quotes::FirstQuoteCloses).ok()?;
    let count = u16::try_from(fields.count()).ok()?;
    let names: Vec<String> =
        (0..count).map(|column| String::from_utf8_lossy(fields.get(first, column).trim_ascii()).into_owned()).collect();
    let known = names.iter().filter(|name| NAMES.iter().any(|known| is_same_name(name, known))).count();
    (known >= 8).then_some(names)
}

/// 20 or 27, by the beginning of the file; else the number of columns of its first record.
fn width_of_file(head: Head<'_>, delimiter: u8, options: &Options, fields: &mut Fields) -> Result<usize, usize> {
    match options.layout.as_deref() {
        Some("20_columns") => return Ok(OLDER_WIDTH),
        Some("27_columns") => return Ok(NAMES.len()),
        _ => {}
    }
    let mut first = None;
    let mut older = false;
    for raw in head.records(head.quoted(delimiter)).take(200) {
        if fields.split_at(raw, delimiter, Quotes::FirstQuoteCloses).is_err() {
            continue;
        }
        first = first.or(Some(fields.count()));
        if !is_history_id(fields.get(raw, 0).trim_ascii()) {
            continue;
        }
        let count = fields.count();
        if count >= NAMES.len() && (delimiter == b',' || has_types(raw, fields, count - NAMES.len())) {
            return Ok(NAMES.len());
        }
        older |= count == OLDER_WIDTH || (delimiter == b';' && count > OLDER_WIDTH);
    }
    if older { Ok(OLDER_WIDTH) } else { Err(first.unwrap_or(0)) }
}

/// Whether the types stand where they should, with `extra` columns before them.
fn has_types(raw: &[u8], fields: &Fields, extra: usize) -> bool {
    let column = |place: usize| fields.get(raw, u16::try_from(place + extra).unwrap_or(NO_COLUMN)).trim_ascii();
    is_type(column(FROM_TYPE)) && is_type(column(TO_TYPE)) && !column(FROM_TYPE).is_empty()
}

/// A word, or nothing.
fn is_type(text: &[u8]) -> bool {
    text.len() <= 32 && text.iter().all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b' '))
}

/// `Call 9744`.
fn is_history_id(text: &[u8]) -> bool {
    text.strip_prefix(b"Call ").is_some_and(|number| number.first().is_some_and(u8::is_ascii_alphanumeric))
}

/// The columns of one record, found.
struct Row<'r> {
    columns: &'r Columns,
    /// How many columns the record has more than its layout, made by delimiters in free text.
    extra: usize,
    fields: &'r Fields,
}

impl Row<'_> {
    fn column(&self, place: usize) -> u16 {
        let Some(&column) = self.columns.at.get(place) else { return NO_COLUMN };
        match self.columns.free {
            Some((_, last)) if column != NO_COLUMN && usize::from(column) > last => {
                u16::try_from(usize::from(column) + self.extra).unwrap_or(NO_COLUMN)
            }
            _ => column,
        }
    }

    fn has(&self, place: usize) -> bool {
        self.columns.at.get(place).is_some_and(|column| *column != NO_COLUMN)
    }
}

impl ThreeCx {
    /// Learns the clock's offset from start times beside epochs, at the beginning of the file.
    fn learn_clock<'r>(&mut self, records: impl Iterator<Item = &'r [u8]>) {
        let (mut fields, mut cache) = (Fields::new(), DateCache::new());
        let mut offsets: Vec<(i64, Instant)> = Vec::new();
        for raw in records {
            let Ok(row) = self.split(raw, &mut fields) else { continue };
            let get = |place| row.fields.get(raw, row.column(place)).trim_ascii();
            let (Some(epoch), Ok((Reading::At(Stamp::Local(start)), _))) =
                (epoch_of(get(CALL_ID)), times::year_first(get(START), &mut cache))
            else {
                continue;
            };
            if let Some(offset) = offset_of(start, epoch) {
                offsets.push((offset, epoch));
            }
        }
        offsets.sort_unstable();
        self.shifted = offsets.get(offsets.len() / 2).filter(|(median, _)| *median != 0).and_then(|(median, epoch)| {
            Some((i32::try_from(median / 60_000).ok()?, u32::try_from(offsets.len()).ok()?, *epoch))
        });
    }

    fn split<'r>(&'r self, text: &[u8], fields: &'r mut Fields) -> Result<Row<'r>, Fault> {
        let mut shape = fields.split_at(text, self.delimiter, Quotes::FirstQuoteCloses).map_err(Fault::record)?;
        if shape == Shape::Open {
            shape = fields.split_at(text, self.delimiter, Quotes::Literal).map_err(Fault::record)?;
        }
        let count = fields.count();
        let extra = match count.checked_sub(self.columns.width) {
            Some(extra) if extra == 0 || self.columns.free.is_some() => extra,
            None if self.columns.suggested && count == OLDER_WIDTH => 0,
            // A delimiter at the end of the line.
            Some(1) if fields.get(text, u16::try_from(self.columns.width).unwrap_or(NO_COLUMN)).is_empty() => 0,
            _ => {
                let reason =
                    if shape == Shape::Open { RejectReason::QuoteNotClosed } else { RejectReason::ColumnCount };
                return Err(Fault::record(reason));
            }
        };
        Ok(Row { columns: &self.columns, extra, fields })
    }

    /// The moment that a clock reading stands for; `offset` is that of the record, where its call id tells.
    fn stamp(&self, local: LocalTime, offset: Option<i64>) -> Stamp {
        match (offset, self.shifted) {
            (Some(offset), _) => Stamp::Instant(Instant::from_millis(local.as_millis() - offset)),
            (None, None) => Stamp::Instant(Instant::from_millis(local.as_millis())),
            (None, Some(_)) => Stamp::Local(local),
        }
    }
}

impl Switch for ThreeCx {
    fn layout_name(&self) -> &str {
        self.name
    }

    fn framing(&self) -> Framing {
        self.framing
    }

    fn width(&self, text: &[u8], scratch: &mut Scratch) -> Option<usize> {
        self.split(text, &mut scratch.fields).is_ok().then_some(if self.name == "20_columns" {
            OLDER_WIDTH
        } else {
            self.columns.width
        })
    }

    fn is_same_header(&self, text: &[u8], scratch: &mut Scratch) -> Option<bool> {
        let names = header(text, self.delimiter, &mut scratch.fields)?;
        let columns = Columns::new(&names, self.delimiter).ok();
        Some(columns.is_some_and(|columns| columns.at == self.columns.at && columns.width == self.columns.width))
    }

    fn notes(&self) -> Notes {
        match self.shifted {
            None => Notes::default(),
            Some((minutes, evidence, at)) => Notes {
                epoch_offset_minutes: Some(minutes),
                epoch_evidence: evidence,
                epoch_at: Some(at),
                ..Notes::default()
            },
        }
    }

    fn parse<'a>(
        &'a self,
        (id, raw): (RecordId, &'a [u8]),
        text: &'a [u8],
        scratch: &mut Scratch,
        cdr: &mut Cdr<'a>,
    ) -> Result<(), Fault> {
        let Scratch { fields, cache, .. } = scratch;
        let row = self.split(text, fields)?;
        let get = |place: usize| row.fields.get(text, row.column(place)).trim_ascii();
        let fault = |reason, place| Fault::column(reason, row.column(place));
        let history_id = get(HISTORY_ID);
        if self.columns.suggested && !is_history_id(history_id) {
            return Err(fault(RejectReason::Malformed, HISTORY_ID));
        }
        for place in [FROM_TYPE, TO_TYPE, FINAL_TYPE] {
            if !is_type(get(place)) {
                return Err(fault(RejectReason::ColumnCount, place));
            }
        }

        let call_id = get(CALL_ID);
        let mut time = |place: usize| match times::year_first(get(place), cache) {
            Ok((Reading::At(Stamp::Local(local)), _)) => Ok(Some(local)),
            Ok(_) => Ok(None),
            Err(reason) => Err(fault(reason, place)),
        };
        let (start, answered_at, ended_at) = (time(START)?, time(ANSWERED)?, time(ENDED)?);
        let Some(start) = start.or(answered_at) else { return Err(fault(RejectReason::FieldMissing, START)) };
        let epoch = epoch_of(call_id);
        let offset = epoch.and_then(|epoch| offset_of(start, epoch));
        let stamp = |local| self.stamp(local, offset);
        let setup = stamp(start);

        let written = times::hours_minutes_seconds(get(DURATION)).map_err(|reason| fault(reason, DURATION))?;
        let talk = match (written, answered_at, ended_at) {
            (Some(_), None, _) if row.has(ANSWERED) && written != Some(Duration::ZERO) => {
                return Err(fault(RejectReason::FieldMissing, ANSWERED));
            }
            (Some(talk), ..) => talk,
            (None, Some(_), _) if row.has(DURATION) => return Err(fault(RejectReason::FieldMissing, DURATION)),
            (None, Some(answered), Some(ended)) => Duration::from_millis(ended.as_millis() - answered.as_millis()),
            (None, ..) => Duration::ZERO,
        };
        if talk < Duration::ZERO {
            return Err(fault(RejectReason::EndBeforeStart, ENDED));
        }
        let answered = talk > Duration::ZERO;
        let (answer, end) = (answered_at.map(stamp), ended_at.map(stamp));
        if let Some(end) = end
            && !times::may_follow(setup, end, None)
        {
            return Err(fault(RejectReason::EndBeforeStart, ENDED));
        }

        let parties = Parties::of(&row, text);
        let (dial_no, keyed_code) = without_code(get(DIAL_NO), get(BILL_CODE), get(TO_DN));
        let to_no = without_ext(get(TO_NO));
        let account = match get(BILL_CODE) {
            // What newer systems write if none was given.
            b"default" | b"Default" | b"" => keyed_code,
            code => code,
        };
        let from_no = without_ext(get(FROM_NO));
        let told = |end: End, line: &'a [u8]| if end == End::Untold { &[][..] } else { line };
        let egress = match (get(FINAL_DN), parties.went_on) {
            (dn, true) if !dn.is_empty() => dn,
            _ => get(TO_DN),
        };
        *cdr = Cdr {
            call_id,
            key: if call_id.is_empty() {
                [text, b"", b"", b"", b"", b""]
            } else {
                [call_id, history_id, get(START), get(ENDED), get(TO_NO), get(DIAL_NO)]
            },
            setup: Some(setup),
            answer: answer.filter(|_| answered),
            end,
            epoch,
            talk,
            answered,
            calling: if from_no.is_empty() { get(FROM_DN) } else { from_no },
            peer: if parties.ends[0] == End::Inside { without_ext(get(FROM_DN)) } else { &[] },
            dialled: if dial_no.is_empty() { to_no } else { dial_no },
            reached: parties.outside,
            outpulsed: if parties.forwarder.is_empty() && parties.ends[1] == End::Outside && is_outside_number(to_no) {
                to_no
            } else {
                &[]
            },
            forwarder: parties.forwarder,
            account,
            ingress: told(parties.ends[0], get(FROM_DN)),
            egress: told(parties.ends[1], egress),
            ends: parties.ends,
            ..Cdr::blank(id, raw)
        };
        Ok(())
    }
}

/// Who called whom, and who sent the call outside.
struct Parties<'a> {
    ends: [End; 2],
    /// The party inside that sent it outside, if that is not the caller. May be empty.
    forwarder: &'a [u8],
    /// The number outside that the call reached, where it was sent on. May be empty.
    outside: &'a [u8],
    /// Whether it ended elsewhere than it first went.
    went_on: bool,
}

impl<'a> Parties<'a> {
    fn of(row: &Row<'_>, text: &'a [u8]) -> Self {
        let get = |place: usize| row.fields.get(text, row.column(place)).trim_ascii();
        let (from, to, last) = (get(FROM_NO), get(TO_NO), get(FINAL_NO));
        let caller = side(from, get(FROM_TYPE));
        let first = side(to, get(TO_TYPE));
        let reason = get(REASON_CHANGED);
        // Of a call whose caller was replaced, the called party is the first; the other party's leg is a row of its own.
        let sent_on = !reason.is_empty() && !contains_ignoring_case(reason, b"src") && !last.is_empty();
        let goes_out_late = sent_on && first != End::Outside && side(last, get(FINAL_TYPE)) == End::Outside;
        let chain = Chain::of(row, text);
        let ended_by_system = is_pseudo(to) && caller != End::Outside && !chain.outside.is_empty();
        let callee = if goes_out_late || ended_by_system { End::Outside } else { first };
        let mut parties = Self { ends: [caller, callee], forwarder: &[], outside: &[], went_on: goes_out_late };
        if callee != End::Outside {
            return parties;
        }
        let sender = match chain.sender {
            b"" if goes_out_late && !is_pseudo(to) => without_ext(to),
            sender => sender,
        };
        if caller == End::Outside || (sender != without_ext(from) && sender != get(FROM_DN)) {
            parties.forwarder = sender;
            parties.outside = match () {
                () if sender.is_empty() => &[],
                () if goes_out_late => last,
                () if first == End::Outside && is_outside_number(to) => to,
                () => chain.outside,
            };
        }
        parties
    }
}

/// The part of `Chain: 0611393117;Ext.610;Ext.185;` that says who pays.
struct Chain<'a> {
    /// The last number outside that is not the caller. May be empty.
    outside: &'a [u8],
    /// The last party inside before it. May be empty.
    sender: &'a [u8],
}

impl<'a> Chain<'a> {
    fn of(row: &Row<'_>, text: &'a [u8]) -> Self {
        let mut chain = Self { outside: &[], sender: &[] };
        let mut inside: &[u8] = &[];
        let first = row.column(CHAIN);
        // With semicolons between fields, the chain is cut into columns of its own.
        let more = if row.columns.free == Some((usize::from(first), usize::from(first))) { row.extra } else { 0 };
        let last = first.saturating_add(u16::try_from(more).unwrap_or(0));
        let columns = (first..=last).map(|column| row.fields.get(text, column));
        for (index, party) in columns.flat_map(|part| part.split(|byte| matches!(byte, b';' | b','))).enumerate() {
            let party = party.trim_ascii();
            let party = party.strip_prefix(b"Chain:").map_or(party, <[u8]>::trim_ascii);
            if let Some(extension) = extension(party) {
                inside = extension;
            } else if index > 0 && is_outside_number(party) {
                chain = Self { outside: party, sender: inside };
            }
        }
        chain
    }
}

/// Where a party is: by its name if that is the system's own, else by its type, else by the look of it.
fn side(party: &[u8], kind: &[u8]) -> End {
    if extension(party).is_some() || is_pseudo(party) {
        return End::Inside;
    }
    if kind.is_empty() {
        return match party {
            b"" => End::Untold,
            party if is_outside_number(party) => End::Outside,
            _ => End::Untold,
        };
    }
    // `External` up to V16, `Line` and `ExternalLine` since.
    let outside = kind.eq_ignore_ascii_case(b"External") || contains_ignoring_case(kind, b"line");
    if outside { End::Outside } else { End::Inside }
}

/// `610` of `Ext.610` and `PickupExt.610`.
fn extension(party: &[u8]) -> Option<&[u8]> {
    let at = memchr::memmem::find(party, b"Ext.")?;
    party.get(at + 4..)
}

fn without_ext(party: &[u8]) -> &[u8] {
    extension(party).unwrap_or(party)
}

fn is_pseudo(party: &[u8]) -> bool {
    PSEUDO.iter().any(|pseudo| party.get(..pseudo.len()).is_some_and(|head| head.eq_ignore_ascii_case(pseudo)))
}

fn is_outside_number(party: &[u8]) -> bool {
    let digits = party.strip_prefix(b"+").unwrap_or(party);
    !digits.is_empty() && digits.iter().all(|byte| byte.is_ascii_digit() || matches!(byte, b'*' | b'#'))
}

fn contains_ignoring_case(text: &[u8], lower: &[u8]) -> bool {
    text.windows(lower.len()).any(|window| window.eq_ignore_ascii_case(lower))
}

/// Number and account code of `700**114`, which was keyed so. The code may stand on either side: the one that is the
/// row's own code, or not the number reached; else behind.
fn without_code<'a>(keyed: &'a [u8], code: &[u8], reached: &[u8]) -> (&'a [u8], &'a [u8]) {
    let Some(at) = memchr::memmem::find(keyed, b"**") else { return (keyed, &[]) };
    let (Some(before), Some(behind)) = (keyed.get(..at), keyed.get(at + 2..)) else { return (keyed, &[]) };
    let is_digits = |text: &[u8]| !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    if !is_outside_number(before) || !is_digits(behind) && !is_outside_number(behind) {
        return (keyed, &[]);
    }
    if before == code || (behind != code && behind == reached) { (behind, before) } else { (before, behind) }
}

/// The moment in a call id of systems up to V16: `00000171DEE41BB3_2501`.
fn epoch_of(call_id: &[u8]) -> Option<Instant> {
    let (hex, _) = call_id.split_first_chunk::<16>()?;
    if call_id.get(16) != Some(&b'_') {
        return None;
    }
    let mut millis = 0_i64;
    for byte in hex {
        let digit = char::from(*byte).to_digit(16)?;
        millis = millis.checked_mul(16)?.checked_add(i64::from(digit))?;
    }
    match times::epoch(millis / 1_000, millis % 1_000) {
        Ok(Reading::At(Stamp::Instant(instant))) => Some(instant),
        _ => None,
    }
}

/// By how many milliseconds a clock reading is ahead of UTC: a whole number of quarters of an hour.
fn offset_of(local: LocalTime, epoch: Instant) -> Option<i64> {
    let difference = local.as_millis() - epoch.as_millis();
    let offset = (difference + QUARTER_MS / 2).div_euclid(QUARTER_MS) * QUARTER_MS;
    ((difference - offset).abs() <= EPOCH_TOLERANCE_MS && offset.abs() <= FURTHEST_MS).then_some(offset)
}

#[cfg(test)]
mod tests;
