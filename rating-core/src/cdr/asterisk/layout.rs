//! Which column holds what: the layouts of Asterisk's CDR files.

use super::super::fields::{Fields, NO_COLUMN, Reading, Shape};
use super::super::times::{self, DateCache, DateOrder};

/// Column positions of one width of a layout; [`NO_COLUMN`] where there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Columns {
    pub(super) account: u16,
    pub(super) src: u16,
    pub(super) dst: u16,
    pub(super) context: u16,
    pub(super) clid: u16,
    pub(super) channel: u16,
    pub(super) dstchannel: u16,
    pub(super) lastapp: u16,
    pub(super) lastdata: u16,
    pub(super) start: u16,
    pub(super) answer: u16,
    pub(super) end: u16,
    pub(super) duration: u16,
    pub(super) billsec: u16,
    pub(super) disposition: u16,
    pub(super) amaflags: u16,
    pub(super) uniqueid: u16,
    /// The uniqueid column may be the userfield: it is a uniqueid only if it looks like one.
    pub(super) uniqueid_or_userfield: bool,
    pub(super) did: u16,
    pub(super) sequence: u16,
}

const NONE: Columns = Columns {
    account: NO_COLUMN,
    src: NO_COLUMN,
    dst: NO_COLUMN,
    context: NO_COLUMN,
    clid: NO_COLUMN,
    channel: NO_COLUMN,
    dstchannel: NO_COLUMN,
    lastapp: NO_COLUMN,
    lastdata: NO_COLUMN,
    start: NO_COLUMN,
    answer: NO_COLUMN,
    end: NO_COLUMN,
    duration: NO_COLUMN,
    billsec: NO_COLUMN,
    disposition: NO_COLUMN,
    amaflags: NO_COLUMN,
    uniqueid: NO_COLUMN,
    uniqueid_or_userfield: false,
    did: NO_COLUMN,
    sequence: NO_COLUMN,
};

impl Columns {
    /// From column names in any case; names not needed here are passed over, of a name given twice the first counts.
    pub(super) fn from_names<'n>(names: impl IntoIterator<Item = &'n [u8]>) -> Self {
        let mut columns = NONE;
        for (position, name) in names.into_iter().enumerate() {
            let Ok(position) = u16::try_from(position) else { break };
            if let Some(column) = columns.slot(name)
                && *column == NO_COLUMN
            {
                *column = position;
            }
            if name == UNIQUEID_OR_USERFIELD {
                columns.uniqueid_or_userfield = true;
            }
        }
        columns
    }

    fn slot(&mut self, name: &[u8]) -> Option<&mut u16> {
        let mut lower = [0_u8; 16];
        let lower = lower.get_mut(..name.len())?;
        lower.copy_from_slice(name);
        lower.make_ascii_lowercase();
        Some(match &*lower {
            b"accountcode" | b"account" => &mut self.account,
            b"src" => &mut self.src,
            b"dst" => &mut self.dst,
            b"dcontext" => &mut self.context,
            b"clid" => &mut self.clid,
            b"channel" => &mut self.channel,
            b"dstchannel" => &mut self.dstchannel,
            b"lastapp" => &mut self.lastapp,
            b"lastdata" => &mut self.lastdata,
            b"start" | b"calldate" => &mut self.start,
            b"answer" => &mut self.answer,
            b"end" => &mut self.end,
            b"duration" => &mut self.duration,
            b"billsec" => &mut self.billsec,
            b"disposition" => &mut self.disposition,
            b"amaflags" => &mut self.amaflags,
            b"uniqueid" | UNIQUEID_OR_USERFIELD => &mut self.uniqueid,
            b"did" => &mut self.did,
            b"sequence" => &mut self.sequence,
            _ => return None,
        })
    }

    /// Whether the columns tell the legs of one call apart.
    #[inline]
    pub(super) const fn has_key(&self) -> bool {
        self.uniqueid != NO_COLUMN
            && (self.sequence != NO_COLUMN || (self.channel != NO_COLUMN && self.dstchannel != NO_COLUMN))
    }

    /// The first column without which no record can be read that is missing, if any.
    pub(super) fn missing(&self) -> Option<&'static str> {
        [(self.dst, "dst"), (self.start, "start"), (self.billsec, "billsec"), (self.disposition, "disposition")]
            .into_iter()
            .find_map(|(column, name)| (column == NO_COLUMN).then_some(name))
    }
}

const UNIQUEID_OR_USERFIELD: &[u8] = b"uid|userfield";

const CDR_CSV: &str = "accountcode,src,dst,dcontext,clid,channel,dstchannel,lastapp,lastdata,start,answer,end,duration,billsec,\
                       disposition,amaflags";
const CDR_CUSTOM: &str = "clid,src,dst,dcontext,channel,dstchannel,lastapp,lastdata,start,answer,end,duration,billsec,disposition,\
                          amaflags,accountcode,uniqueid,userfield,sequence";
const TABLE: &str = "calldate,clid,src,dst,dcontext,channel,dstchannel,lastapp,lastdata,duration,billsec,disposition,amaflags,\
                     accountcode,uniqueid,userfield";
const TABLE_NAMES: &str = "recordingfile,cnum,cnam,outbound_cnum,outbound_cnam,dst_cnam";
const LINKED: &str = "linkedid,peeraccount,sequence";
const PEER_LINKED: &str = "peeraccount,linkedid,sequence";

/// A layout: the columns for every width its records can have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) name: &'static str,
    /// Indexed by width.
    by_width: Vec<Option<Columns>>,
}

impl Layout {
    fn new<'w>(name: &'static str, widths: impl IntoIterator<Item = Vec<&'w [u8]>>) -> Self {
        let mut by_width: Vec<Option<Columns>> = Vec::new();
        for names in widths {
            let width = names.len();
            if by_width.len() <= width {
                by_width.resize(width + 1, None);
            }
            by_width[width] = Some(Columns::from_names(names));
        }
        Self { name, by_width }
    }

    /// `cdr_csv`: 16 columns; with `loguniqueid` or `loguserfield` (told apart by what the field looks like) 17, with
    /// both 18; with `newcdrcolumns` three more.
    pub(super) fn cdr_csv() -> Self {
        let one = "uid|userfield";
        let both = "uniqueid,userfield";
        Self::new(
            "cdr_csv",
            [
                names(&[CDR_CSV]),
                names(&[CDR_CSV, one]),
                names(&[CDR_CSV, both]),
                names(&[CDR_CSV, PEER_LINKED]),
                names(&[CDR_CSV, one, PEER_LINKED]),
                names(&[CDR_CSV, both, PEER_LINKED]),
            ],
        )
    }

    /// `cdr_custom` with the template that Asterisk ships; older releases lack the last columns.
    pub(super) fn cdr_custom() -> Self {
        let all = names(&[CDR_CUSTOM]);
        Self::new("cdr_custom", (16..=all.len()).map(|width| all[..width].to_vec()))
    }

    /// A dump of FreePBX's `cdr` table. Its width tells whether it has the `did` column and the last three.
    pub(super) fn freepbx_table() -> Self {
        Self::new(
            "freepbx_table",
            [
                names(&[TABLE]),
                names(&[TABLE, "did"]),
                names(&[TABLE, TABLE_NAMES]),
                names(&[TABLE, "did", TABLE_NAMES]),
                names(&[TABLE, TABLE_NAMES, LINKED]),
                names(&[TABLE, "did", TABLE_NAMES, LINKED]),
            ],
        )
    }

    /// Columns the project or a header line names.
    pub(super) fn named(name: &'static str, names: Vec<&[u8]>) -> Self {
        Self::new(name, [names])
    }

    /// The columns of a record of that width; a last empty column, as dumps have it, may be one too many.
    #[inline]
    pub(super) fn columns<'l>(&self, width: usize, last: impl FnOnce() -> &'l [u8]) -> Option<&Columns> {
        match self.by_width.get(width) {
            Some(Some(columns)) => Some(columns),
            _ if last().is_empty() => self.by_width.get(width.checked_sub(1)?)?.as_ref(),
            _ => None,
        }
    }

    /// Whether a column list is one of this layout's.
    pub(super) fn has(&self, columns: &Columns) -> bool {
        self.by_width.iter().flatten().any(|own| own == columns)
    }

    /// The first required column missing from every width.
    pub(super) fn missing(&self) -> Option<&'static str> {
        self.by_width.iter().flatten().find_map(Columns::missing)
    }
}

fn names<'n>(lists: &[&'n str]) -> Vec<&'n [u8]> {
    lists.iter().flat_map(|list| list.split(',')).map(|name| name.trim().as_bytes()).collect()
}

/// The columns a header line names; `None` if the line is no header. A header names at least `dst`, `billsec`,
/// `disposition` and `start` or `calldate`.
pub(super) fn header(raw: &[u8], fields: &mut Fields) -> Option<(Columns, Vec<Vec<u8>>)> {
    let raw = raw.strip_prefix(super::super::BYTE_ORDER_MARK).unwrap_or(raw);
    if fields.split(raw, Reading::FirstQuoteCloses) != Ok(Shape::Regular) {
        return None;
    }
    let names: Vec<Vec<u8>> = (0..fields.count())
        .map(|column| fields.get(raw, u16::try_from(column).unwrap_or(NO_COLUMN)).trim_ascii().to_vec())
        .collect();
    let columns = Columns::from_names(names.iter().map(Vec::as_slice));
    columns.missing().is_none().then_some((columns, names))
}

/// How well a record suits a layout: 0 not at all, 1 in part, 2 in full.
fn suits(layout: &Layout, raw: &[u8], fields: &mut Fields) -> u32 {
    for reading in Reading::ALL {
        match fields.split(raw, reading) {
            Err(_) => return 0,
            Ok(Shape::Open) => continue,
            Ok(_) => {}
        }
        let Some(columns) = layout.columns(fields.count(), || fields.last(raw)) else { continue };
        let start = fields.get(raw, columns.start);
        let has_time = !start.is_empty()
            && (times::read(start, Some(DateOrder::DayFirst), &mut DateCache::new()).is_ok()
                || times::read(start, Some(DateOrder::MonthFirst), &mut DateCache::new()).is_ok());
        let has_disposition = super::disposition(fields.get(raw, columns.disposition)).is_some();
        return u32::from(has_time) + u32::from(has_disposition);
    }
    0
}

/// After how many records that suit one layout in full, and no other at all, no more are looked at.
const ENOUGH: u32 = 20;

/// The layout that suits most of the records; `None` if none suits any.
pub(super) fn detect<'r>(records: impl Iterator<Item = &'r [u8]>, fields: &mut Fields) -> Option<Layout> {
    let layouts = [Layout::cdr_csv(), Layout::cdr_custom(), Layout::freepbx_table()];
    let mut points = [0_u32; 3];
    for (record, number) in records.zip(1..) {
        for (points, layout) in points.iter_mut().zip(&layouts) {
            *points += suits(layout, record, fields);
        }
        let is_plain = points.iter().max() == Some(&(2 * ENOUGH)) && points.iter().sum::<u32>() == 2 * ENOUGH;
        if number == ENOUGH && is_plain {
            break;
        }
    }
    let most = points.iter().max().copied().filter(|most| *most > 0)?;
    layouts.into_iter().zip(points).find_map(|(layout, points)| (points == most).then_some(layout))
}
