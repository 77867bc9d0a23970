//! CUCM's header lines.

use super::super::fields::{Fields, NO_COLUMN, Reading, Shape};

/// Positions of the columns that are read; [`NO_COLUMN`] where the header has no such name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Columns {
    pub(super) record_type: u16,
    pub(super) cluster: u16,
    pub(super) call_manager: u16,
    pub(super) call: u16,
    pub(super) leg: u16,
    pub(super) destination_leg: u16,
    pub(super) join_on_behalf_of: u16,
    pub(super) origin_cause: u16,
    pub(super) destination_cause: u16,
    pub(super) pkid: u16,
    pub(super) origination: u16,
    pub(super) connect: u16,
    pub(super) disconnect: u16,
    pub(super) duration: u16,
    pub(super) calling: u16,
    pub(super) original_called: u16,
    pub(super) final_called: u16,
    pub(super) last_redirect: u16,
    pub(super) outpulsed: u16,
    pub(super) calling_partition: u16,
    pub(super) original_partition: u16,
    pub(super) final_partition: u16,
    pub(super) origin_device: u16,
    pub(super) destination_device: u16,
    pub(super) original_on_behalf_of: u16,
    pub(super) last_on_behalf_of: u16,
    pub(super) original_reason: u16,
    pub(super) last_reason: u16,
    pub(super) comment: u16,
    pub(super) authorization_code: u16,
    pub(super) authorization_name: u16,
    pub(super) matter_code: u16,
    /// `dateTimeStamp` of a quality record.
    pub(super) quality_stamp: u16,
    /// `numberPacketsSent`: only quality records have it.
    quality_packets: u16,
}

impl Columns {
    pub(super) const NONE: Self = Self {
        record_type: NO_COLUMN,
        cluster: NO_COLUMN,
        call_manager: NO_COLUMN,
        call: NO_COLUMN,
        leg: NO_COLUMN,
        destination_leg: NO_COLUMN,
        join_on_behalf_of: NO_COLUMN,
        origin_cause: NO_COLUMN,
        destination_cause: NO_COLUMN,
        pkid: NO_COLUMN,
        origination: NO_COLUMN,
        connect: NO_COLUMN,
        disconnect: NO_COLUMN,
        duration: NO_COLUMN,
        calling: NO_COLUMN,
        original_called: NO_COLUMN,
        final_called: NO_COLUMN,
        last_redirect: NO_COLUMN,
        outpulsed: NO_COLUMN,
        calling_partition: NO_COLUMN,
        original_partition: NO_COLUMN,
        final_partition: NO_COLUMN,
        origin_device: NO_COLUMN,
        destination_device: NO_COLUMN,
        original_on_behalf_of: NO_COLUMN,
        last_on_behalf_of: NO_COLUMN,
        original_reason: NO_COLUMN,
        last_reason: NO_COLUMN,
        comment: NO_COLUMN,
        authorization_code: NO_COLUMN,
        authorization_name: NO_COLUMN,
        matter_code: NO_COLUMN,
        quality_stamp: NO_COLUMN,
        quality_packets: NO_COLUMN,
    };

    /// The place of a column by its name in lower case. Releases differ in case and in `Id`, `ID`, `CallId`.
    fn slot(&mut self, name: &[u8]) -> Option<&mut u16> {
        Some(match name {
            b"cdrrecordtype" => &mut self.record_type,
            b"globalcallid_clusterid" => &mut self.cluster,
            b"globalcallid_callmanagerid" => &mut self.call_manager,
            b"globalcallid_callid" => &mut self.call,
            b"origlegcallidentifier" | b"origlegidentifier" => &mut self.leg,
            b"destlegidentifier" | b"destlegcallidentifier" => &mut self.destination_leg,
            b"joinonbehalfof" => &mut self.join_on_behalf_of,
            b"origcause_value" => &mut self.origin_cause,
            b"destcause_value" => &mut self.destination_cause,
            b"pkid" => &mut self.pkid,
            b"datetimeorigination" => &mut self.origination,
            b"datetimeconnect" => &mut self.connect,
            b"datetimedisconnect" => &mut self.disconnect,
            b"duration" => &mut self.duration,
            b"callingpartynumber" => &mut self.calling,
            b"originalcalledpartynumber" => &mut self.original_called,
            b"finalcalledpartynumber" => &mut self.final_called,
            b"lastredirectdn" => &mut self.last_redirect,
            b"outpulsedcalledpartynumber" => &mut self.outpulsed,
            b"callingpartynumberpartition" => &mut self.calling_partition,
            b"originalcalledpartynumberpartition" => &mut self.original_partition,
            b"finalcalledpartynumberpartition" => &mut self.final_partition,
            b"origdevicename" => &mut self.origin_device,
            b"destdevicename" => &mut self.destination_device,
            b"origcalledpartyredirectonbehalfof" => &mut self.original_on_behalf_of,
            b"lastredirectredirectonbehalfof" => &mut self.last_on_behalf_of,
            b"origcalledpartyredirectreason" => &mut self.original_reason,
            b"lastredirectredirectreason" => &mut self.last_reason,
            b"comment" => &mut self.comment,
            b"authorizationcodevalue" => &mut self.authorization_code,
            b"authcodedescription" => &mut self.authorization_name,
            b"clientmattercode" => &mut self.matter_code,
            b"datetimestamp" => &mut self.quality_stamp,
            b"numberpacketssent" => &mut self.quality_packets,
            _ => return None,
        })
    }

    /// The first column missing without which no call can be read.
    pub(super) fn missing(&self) -> Option<&'static str> {
        [
            (self.origination, "dateTimeOrigination"),
            (self.connect, "dateTimeConnect"),
            (self.duration, "duration"),
            (self.calling, "callingPartyNumber"),
            (self.original_called, "originalCalledPartyNumber"),
            (self.final_called, "finalCalledPartyNumber"),
        ]
        .into_iter()
        .find_map(|(column, name)| (column == NO_COLUMN).then_some(name))
    }

    pub(super) const fn has_partitions(&self) -> bool {
        self.calling_partition != NO_COLUMN && self.final_partition != NO_COLUMN
    }
}

/// A header line.
pub(super) enum Header {
    /// The names of a file of CDRs.
    Names { columns: Columns, width: usize },
    /// The names of a file of quality records.
    QualityNames { columns: Columns, width: usize },
    /// The types: `INTEGER,INTEGER,VARCHAR(50),…`.
    Types,
}

/// Reads a header line; `None` if it is none.
pub(super) fn read(raw: &[u8], fields: &mut Fields) -> Option<Header> {
    let raw = raw.strip_prefix(super::super::BYTE_ORDER_MARK).unwrap_or(raw);
    // No record begins with a letter; this keeps what follows off records.
    let first = raw.trim_ascii_start().strip_prefix(b"\"").unwrap_or(raw).trim_ascii_start().first()?;
    if !first.is_ascii_alphabetic() || fields.split(raw, Reading::FirstQuoteCloses) != Ok(Shape::Regular) {
        return None;
    }
    let width = fields.count();
    let mut columns = Columns::NONE;
    let mut types = 0;
    for position in 0..u16::try_from(width).ok()? {
        let name = fields.get(raw, position).trim_ascii().to_ascii_lowercase();
        types += usize::from(is_type(&name));
        if let Some(column) = columns.slot(&name)
            && *column == NO_COLUMN
        {
            *column = position;
        }
    }
    if types == width && width > 1 {
        return Some(Header::Types);
    }
    if columns.call == NO_COLUMN || columns.record_type == NO_COLUMN {
        return None;
    }
    if columns.quality_packets != NO_COLUMN && columns.origination == NO_COLUMN {
        return Some(Header::QualityNames { columns, width });
    }
    Some(Header::Names { columns, width })
}

fn is_type(name: &[u8]) -> bool {
    let name = name.split(|byte| *byte == b'(').next().unwrap_or(name);
    matches!(name, b"integer" | b"varchar" | b"string" | b"uniqueidentifier" | b"char" | b"datetime" | b"bigint")
}
