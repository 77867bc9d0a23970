//! Asterisk: `cdr_csv`, `cdr_custom`, dumps of FreePBX's `cdr` table and its GUI's export.
//!
//! Sources: Asterisk's documentation ("CDR Specification", "cdr_csv", "cdr_custom") and FreePBX's table definition.
//!
//! Rules where the format leaves a choice:
//!
//! - **Answered** is disposition `ANSWERED` with talk time (`billsec`) above zero. `ANSWERED` with 0 s and `NO ANSWER`
//!   with some seconds both occur; neither is answered.
//! - **Answer time** where the layout has none: start plus duration less talk time, on the source's clock. Over a clock
//!   change it may read an hour off; the difference from set-up is right.
//! - **Dialled** is `dst`. Where nobody can have keyed `dst` (`s`, `i`, the name of a context or application), it is
//!   the DID of the call, else the number in the dial string of `Dial`, else `dst` as it stands.
//! - **Calling** is `src`, or the number in the caller id where `src` is empty.
//! - **Omitted**: `amaflags` OMIT (older: IGNORE; in table dumps 1). All other flags, DOCUMENTATION included, are billed.
//! - **Local channels**: a record with a half of a `Local` channel on either side is [`Kind::LocalHalf`]. The side the
//!   call came in by is looked at first; where both sides are `Local` (a chain), [`local_half`] of `egress` gives the
//!   other pair.
//! - **Branches**: `Queue`, and `Dial` with several destinations (`&`), write a record for each party that was tried. Those of
//!   one channel are [legs](super::PartRole::Leg) of one call: whoever answered stands for it; of tries that nobody
//!   answered the first does. One try after another by `Dial` alone are records like any other.
//! - **Key**: uniqueid, sequence, channel, dst and dstchannel as written, and the start. Legs of one call share the uniqueid; so where
//!   that is missing, or both the sequence and the channels, only the same bytes are the same record.

mod channel;
mod layout;

pub use channel::local_half;

use channel::{branch_of, caller_number, dialled_number, epoch_of, is_keyed, peer};
use layout::{Columns, Layout};

use crate::source::RecordId;
use crate::time::{Duration, Instant, LocalTime};

use super::fields::{Fields, NO_COLUMN, Reading as Quotes, Shape};
use super::reader::{FileError, Options};
use super::switch::{Head, Sign};
use super::times::{self, DateCache, DateOrder, Reading};
use super::{Cdr, End, Fault, Kind, NotACall, Part, PartRole, RejectReason, Stamp};

/// What is known of a file before its records are read.
#[derive(Clone, Debug)]
pub(super) struct Asterisk {
    layout: Layout,
    order: Option<DateOrder>,
    /// Local clock less epoch, in minutes: the median over the beginning of the file, how many records it is from, and the
    /// epoch of the record that has it.
    epoch_offset: Option<(i32, u32, Instant)>,
}

/// Whether this disposition means that the call was answered; `None` if Asterisk has no such disposition.
#[inline]
fn disposition(text: &[u8]) -> Option<bool> {
    match text {
        b"ANSWERED" => Some(true),
        b"NO ANSWER" | b"BUSY" | b"FAILED" | b"CONGESTION" => Some(false),
        _ if text.eq_ignore_ascii_case(b"ANSWERED") => Some(true),
        _ if [&b"NO ANSWER"[..], b"BUSY", b"FAILED", b"CONGESTION"]
            .iter()
            .any(|known| text.eq_ignore_ascii_case(known)) =>
        {
            Some(false)
        }
        _ => None,
    }
}

#[inline]
fn is_omitted(amaflags: &[u8]) -> bool {
    match amaflags.first() {
        None | Some(b'3' | b'D' | b'd' | b'B' | b'b') => false,
        _ => amaflags == b"1" || amaflags.eq_ignore_ascii_case(b"OMIT") || amaflags.eq_ignore_ascii_case(b"IGNORE"),
    }
}

/// Whether the line is a header line of some Asterisk layout.
pub(super) fn is_header(raw: &[u8], fields: &mut Fields) -> bool {
    layout::header(raw, fields).is_some()
}

/// The layouts that settings can name.
pub(super) const LAYOUTS: [&str; 3] = ["cdr_csv", "cdr_custom", "freepbx_table"];

/// How many records at a file's beginning tell how its clock differs from the epochs.
const OFFSETS_FROM: usize = 100;

/// Whether the beginning of a file looks like Asterisk's.
pub(super) fn recognise(head: Head<'_>) -> Option<Sign> {
    let mut fields = Fields::new();
    let mut records = head.records(head.quoted(b','));
    if records.clone().next().is_some_and(|first| is_header(first, &mut fields)) {
        return Some(Sign::new("header", 90, "the first line names columns of Asterisk's call detail records"));
    }
    let layout = layout::detect(records.by_ref().take(50), &mut fields)?;
    Some(Sign::new(
        layout.name,
        85,
        format!("times, seconds and dispositions stand where Asterisk's `{}` layout has them", layout.name),
    ))
}

impl Asterisk {
    /// Looks at the first records; `records` begins with the header line if there is one. Also says whether there is.
    pub(super) fn open<'r>(
        options: &Options,
        records: impl Iterator<Item = &'r [u8]> + Clone,
        fields: &mut Fields,
    ) -> Result<(Self, bool), FileError> {
        let header = records.clone().next().and_then(|first| layout::header(first, fields));
        let has_header = header.is_some();
        let body = records.skip(usize::from(has_header));
        let layout = match (options.layout.as_deref(), header) {
            (Some("cdr_csv"), _) => Layout::cdr_csv(),
            (Some("freepbx_table"), _) => Layout::freepbx_table(),
            (Some("cdr_custom"), _) if !options.columns.is_empty() => named(options)?,
            (Some("cdr_custom"), _) => Layout::cdr_custom(),
            (_, Some((_, names))) => Layout::named("header", names.iter().map(Vec::as_slice).collect()),
            (_, None) if !options.columns.is_empty() => named(options)?,
            (_, None) => match layout::detect(readable(body.clone()).take(200), fields) {
                Some(layout) => layout,
                // Nothing readable to judge by: the records will be rejected one by one.
                None => match readable(body.clone()).next() {
                    None => Layout::cdr_csv(),
                    Some(first) => {
                        let _ = fields.split(first, Quotes::FirstQuoteCloses);
                        return Err(FileError::UnknownLayout { columns: fields.count() });
                    }
                },
            },
        };
        let mut asterisk = Self { layout, order: None, epoch_offset: None };
        asterisk.learn_dates(body, fields);
        Ok((asterisk, has_header))
    }

    pub(super) const fn layout_name(&self) -> &'static str {
        self.layout.name
    }

    pub(super) const fn date_order(&self) -> Option<DateOrder> {
        self.order
    }

    pub(super) const fn epoch_offset(&self) -> Option<(i32, u32, Instant)> {
        self.epoch_offset
    }

    /// Whether a header line in the middle of the file names the columns this file has.
    pub(super) fn is_same_header(&self, raw: &[u8], fields: &mut Fields) -> Option<bool> {
        layout::header(raw, fields).map(|(columns, _)| self.layout.has(&columns))
    }

    /// Learns the order of day and month, and the clock's offset, from start times beside epochs.
    ///
    /// The offset is the median of the first [`OFFSETS_FROM`] records. Where one of these has a date with slashes, all that
    /// is there of the file is looked at, for it may be long before a date tells the order: a reading of a date has the evidence for it
    /// if it lies within 15 hours of the epoch (no zone is further off), or if the other order has no such day. The order is
    /// known if more than nine in ten of the evidence say so.
    fn learn_dates<'r>(&mut self, records: impl Iterator<Item = &'r [u8]> + Clone, fields: &mut Fields) {
        let (mut offsets, has_slashes) = self.offsets(records.clone().take(OFFSETS_FROM), fields);
        if has_slashes {
            self.order = self.order_of(records.clone(), fields);
            (offsets, _) = self.offsets(records, fields);
        }
        offsets.sort_unstable();
        self.epoch_offset = offsets.get(offsets.len() / 2).and_then(|(median, epoch)| {
            let minutes = median.saturating_add(30_000).div_euclid(60_000);
            Some((i32::try_from(minutes).ok()?, u32::try_from(offsets.len()).ok()?, *epoch))
        });
    }

    /// The local clock less the epoch, in milliseconds, and the epoch, of records that have both; and whether some date has
    /// slashes.
    fn offsets<'r>(&self, records: impl Iterator<Item = &'r [u8]>, fields: &mut Fields) -> (Vec<(i64, Instant)>, bool) {
        let mut cache = DateCache::new();
        let (mut offsets, mut has_slashes) = (Vec::new(), false);
        for raw in records {
            let Ok(columns) = self.split(raw, fields) else { continue };
            let start = fields.get(raw, columns.start);
            has_slashes = has_slashes || start.contains(&b'/');
            if let Ok(Reading::At(Stamp::Local(start))) = times::read(start, self.order, &mut cache)
                && let Some(epoch) = columns_epoch(columns, raw, fields)
            {
                offsets.push((start.as_millis() - epoch.as_millis(), epoch));
            }
        }
        (offsets, has_slashes)
    }

    fn order_of<'r>(&self, records: impl Iterator<Item = &'r [u8]>, fields: &mut Fields) -> Option<DateOrder> {
        let mut votes = [0_u64; 2];
        for raw in records {
            let Ok(columns) = self.split(raw, fields) else { continue };
            let Some(orders) = times::both_orders(fields.get(raw, columns.start)) else { continue };
            let epoch = columns_epoch(columns, raw, fields);
            let near = |local: Option<LocalTime>| match (local, epoch) {
                (Some(local), Some(epoch)) => (local.as_millis() - epoch.as_millis()).abs() <= 15 * 3_600_000,
                _ => false,
            };
            let evidence = if epoch.is_some() { orders.map(near) } else { orders.map(|local| local.is_some()) };
            match evidence {
                [true, false] => votes[0] += 1,
                [false, true] => votes[1] += 1,
                _ => {}
            }
        }
        match votes {
            [day_first, month_first] if day_first > 9 * month_first => Some(DateOrder::DayFirst),
            [day_first, month_first] if month_first > 9 * day_first => Some(DateOrder::MonthFirst),
            _ => None,
        }
    }

    /// Splits a record. Of a record with stray quotes, the first reading counts that gives a width the layout has and a
    /// disposition where the disposition belongs: a comma in a badly quoted name would shift it.
    #[inline]
    fn split(&self, raw: &[u8], fields: &mut Fields) -> Result<&Columns, Fault> {
        let shape = fields.split(raw, Quotes::FirstQuoteCloses).map_err(Fault::record)?;
        if shape == Shape::Regular {
            return self.columns(raw, fields).ok_or(Fault::record(RejectReason::ColumnCount));
        }
        self.split_irregular(raw, fields, shape)
    }

    fn split_irregular(&self, raw: &[u8], fields: &mut Fields, first: Shape) -> Result<&Columns, Fault> {
        let mut shape = first;
        for reading in Quotes::ALL {
            if reading != Quotes::FirstQuoteCloses {
                shape = fields.split(raw, reading).map_err(Fault::record)?;
            }
            if shape != Shape::Open
                && let Some(columns) = self.columns(raw, fields)
                && disposition(fields.get(raw, columns.disposition)).is_some()
            {
                return Ok(columns);
            }
        }
        Err(Fault::record(if first == Shape::Open { RejectReason::QuoteNotClosed } else { RejectReason::ColumnCount }))
    }

    #[inline]
    fn columns(&self, raw: &[u8], fields: &Fields) -> Option<&Columns> {
        self.layout.columns(fields.count(), || fields.last(raw))
    }

    /// Number of columns of a record that can be split; `None` if it cannot.
    pub(super) fn width(&self, raw: &[u8], fields: &mut Fields) -> Option<usize> {
        self.split(raw, fields).is_ok().then(|| fields.count())
    }

    /// Reads one record into `cdr`; of one that cannot be read nothing is left there that means anything.
    #[inline]
    pub(super) fn read<'a>(
        &self,
        (id, raw): (RecordId, &'a [u8]),
        text: &'a [u8],
        fields: &mut Fields,
        cache: &mut DateCache,
        cdr: &mut Cdr<'a>,
    ) -> Result<(), Fault> {
        let columns = self.split(text, fields)?;
        let field = |column: u16| fields.get(text, column);

        let start_text = field(columns.start);
        let setup = match times::read(start_text, self.order, cache).map_err(Fault::in_column(columns.start))? {
            Reading::At(stamp) => stamp,
            Reading::Empty => return Err(Fault::column(RejectReason::FieldMissing, columns.start)),
            Reading::Unset => return Err(Fault::column(RejectReason::TimeImplausible, columns.start)),
        };
        let mut stamp = |column: u16| match times::read(field(column), self.order, cache) {
            Ok(Reading::At(stamp)) => Ok(Some(stamp)),
            Ok(Reading::Empty | Reading::Unset) => Ok(None),
            Err(reason) => Err(Fault::column(reason, column)),
        };
        let written_answer = stamp(columns.answer)?;
        let end = stamp(columns.end)?;

        let duration = times::seconds(field(columns.duration)).map_err(Fault::in_column(columns.duration))?;
        let talk = times::seconds(field(columns.billsec)).map_err(Fault::in_column(columns.billsec))?;
        if let Some(end) = end
            && !times::may_follow(setup, end, duration)
        {
            return Err(Fault::column(RejectReason::EndBeforeStart, columns.end));
        }
        let disposition_text = field(columns.disposition);
        if disposition_text.is_empty() {
            return Err(Fault::column(RejectReason::FieldMissing, columns.disposition));
        }
        let Some(disposition) = disposition(disposition_text) else {
            return Err(Fault::column(RejectReason::DispositionUnknown, columns.disposition));
        };
        let talk = match talk {
            Some(talk) => talk,
            None if !disposition => Duration::ZERO,
            None => return Err(Fault::column(RejectReason::FieldMissing, columns.billsec)),
        };
        let answered = disposition && talk > Duration::ZERO;
        if answered
            && let Some(answer) = written_answer
            && !times::may_be_answered_at(setup, answer, duration)
        {
            return Err(Fault::column(RejectReason::TimeImplausible, columns.answer));
        }
        let answer = written_answer.or_else(|| if answered { answer_of(setup, duration?, talk) } else { None });

        let channel = field(columns.channel);
        let dstchannel = field(columns.dstchannel);
        let dst = field(columns.dst);
        let uniqueid = field(columns.uniqueid);
        let epoch = epoch_of(uniqueid);
        let uniqueid = if columns.uniqueid_or_userfield && epoch.is_none() { &[][..] } else { uniqueid };
        let src = field(columns.src);
        let (application, lastdata) = (Application::of(field(columns.lastapp)), field(columns.lastdata));
        let kind = if is_omitted(field(columns.amaflags)) {
            Kind::NotACall(NotACall::Omitted)
        } else if let Some((pair, _)) = local_half(channel).or_else(|| local_half(dstchannel)) {
            Kind::LocalHalf { pair }
        } else if !uniqueid.is_empty() && rings_several(application, lastdata) {
            Kind::Part(Part { group: [b"branches", uniqueid, channel], role: PartRole::Leg { rank: 0 } })
        } else {
            Kind::Call
        };
        *cdr = Cdr {
            id,
            raw,
            call_id: uniqueid,
            key: if columns.has_key() && !uniqueid.is_empty() {
                [uniqueid, field(columns.sequence), channel, dst, dstchannel, b""]
            } else {
                [text, b"", b"", b"", b"", b""]
            },
            key_at: Some(setup),
            setup: Some(setup),
            answer,
            end,
            epoch,
            duration,
            talk,
            answered,
            calling: if src.is_empty() { caller_number(field(columns.clid)) } else { src },
            peer: peer(channel),
            dialled: if is_keyed(dst) { dst } else { not_keyed(dst, field(columns.did), application, lastdata) },
            reached: if dstchannel.is_empty() || lastdata.is_empty() || application != Application::Dial {
                &[]
            } else {
                let lastdata = match lastdata.contains(&b'&') {
                    true => branch_of(lastdata, dstchannel).unwrap_or(lastdata),
                    false => lastdata,
                };
                dial_number(application, lastdata)
            },
            outpulsed: &[],
            forwarder: &[],
            account: field(columns.account),
            context: field(columns.context),
            // Where the layout has no column for the channel out, its absence says nothing; so the channel in is not shown
            // beside an empty one, which would mean that the call went nowhere.
            ingress: if columns.dstchannel == NO_COLUMN && kind == Kind::Call { &[] } else { channel },
            egress: dstchannel,
            ends: [End::Untold; 2],
            carrier_price: &[],
            carrier_currency: &[],
            frame: None,
            partitions: None,
            kind,
        };
        Ok(())
    }
}

/// The layout with the columns that the project names.
fn named(options: &Options) -> Result<Layout, FileError> {
    let names = options.columns.iter().map(|name| name.trim().as_bytes()).collect();
    let layout = Layout::named("cdr_custom", names);
    match layout.missing() {
        Some(column) => Err(FileError::ColumnMissing { column }),
        None => Ok(layout),
    }
}

/// Records that say something about the layout: not binary, and with their quotes closed.
fn readable<'r>(records: impl Iterator<Item = &'r [u8]>) -> impl Iterator<Item = &'r [u8]> {
    records.filter(|raw| !raw.contains(&0) && !super::fields::is_open(raw, b','))
}

fn columns_epoch(columns: &Columns, raw: &[u8], fields: &Fields) -> Option<Instant> {
    epoch_of(fields.get(raw, columns.uniqueid))
}

/// Start plus duration less talk time; not before the start.
fn answer_of(setup: Stamp, duration: Duration, talk: Duration) -> Option<Stamp> {
    let ringing = (duration.as_millis() - talk.as_millis()).max(0);
    Some(match setup {
        Stamp::Local(local) => Stamp::Local(LocalTime::from_millis(local.as_millis() + ringing)),
        Stamp::Instant(instant) => Stamp::Instant(instant.plus(Duration::from_millis(ringing))),
    })
}

/// The dialled number where nobody can have keyed `dst`.
#[cold]
fn not_keyed<'a>(dst: &'a [u8], did: &'a [u8], application: Application, lastdata: &'a [u8]) -> &'a [u8] {
    if is_keyed(did) {
        return did;
    }
    match dial_number(application, lastdata) {
        [] => dst,
        number => number,
    }
}

/// The application that ran last, as far as it matters.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Application {
    Dial,
    Queue,
    Other,
}

impl Application {
    #[inline]
    fn of(lastapp: &[u8]) -> Self {
        match lastapp {
            b"Dial" => Self::Dial,
            _ if lastapp.eq_ignore_ascii_case(b"Dial") => Self::Dial,
            _ if lastapp.eq_ignore_ascii_case(b"Queue") => Self::Queue,
            _ => Self::Other,
        }
    }
}

/// Whether the application tries several parties for one caller and writes a record for each: a queue, or `Dial` with
/// several destinations.
#[inline]
fn rings_several(application: Application, lastdata: &[u8]) -> bool {
    match application {
        Application::Dial => lastdata.contains(&b'&'),
        Application::Queue => true,
        Application::Other => false,
    }
}

/// The number that application `Dial` was given; empty for other applications and where there is none.
#[inline]
fn dial_number(application: Application, lastdata: &[u8]) -> &[u8] {
    if application == Application::Dial { dialled_number(lastdata).unwrap_or(&[]) } else { &[] }
}

#[cfg(test)]
mod tests;
