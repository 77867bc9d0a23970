//! CUCM records: the calls of generated Asterisk records, as a cluster would have written them.
//!
//! 84 columns, in the order of Cisco's "Call Detail Records Administration Guide" up to `huntPilotPartition` without the
//! second video channel, about 480 bytes a record.

use std::io::Write as _;

use rating_core::cdr::{Cdr, Stamp};

#[derive(Clone, Copy)]
enum Cell {
    Zero,
    One,
    Empty,
    /// A number of its own for each record.
    Number,
    SetUp,
    /// 0 if the call was not answered.
    Answer,
    End,
    Talk,
    Calling,
    Dialled,
    /// `pkid`: 36 characters.
    Identifier,
    Phone,
    /// A trunk, or a phone for inside calls.
    Called,
    Cluster,
    Partition,
    /// An IPv4 address as a signed number.
    Address,
    Port,
    Codec,
}

const COLUMNS: [(&str, Cell); 84] = [
    ("cdrRecordType", Cell::One),
    ("globalCallID_callManagerId", Cell::One),
    ("globalCallID_callId", Cell::Number),
    ("origLegCallIdentifier", Cell::Number),
    ("dateTimeOrigination", Cell::SetUp),
    ("origNodeId", Cell::Zero),
    ("origSpan", Cell::Zero),
    ("origIpAddr", Cell::Address),
    ("callingPartyNumber", Cell::Calling),
    ("callingPartyUnicodeLoginUserID", Cell::Empty),
    ("origCause_location", Cell::Zero),
    ("origCause_value", Cell::Zero),
    ("origPrecedenceLevel", Cell::Zero),
    ("origMediaTransportAddress_IP", Cell::Address),
    ("origMediaTransportAddress_Port", Cell::Port),
    ("origMediaCap_payloadCapability", Cell::Codec),
    ("origMediaCap_maxFramesPerPacket", Cell::Codec),
    ("origMediaCap_g723BitRate", Cell::Zero),
    ("origVideoCap_Codec", Cell::Empty),
    ("origVideoCap_Bandwidth", Cell::Zero),
    ("origVideoCap_Resolution", Cell::Zero),
    ("origVideoTransportAddress_IP", Cell::Zero),
    ("origVideoTransportAddress_Port", Cell::Zero),
    ("origRSVPAudioStat", Cell::Empty),
    ("origRSVPVideoStat", Cell::Empty),
    ("destLegIdentifier", Cell::Number),
    ("destNodeId", Cell::Zero),
    ("destSpan", Cell::Zero),
    ("destIpAddr", Cell::Address),
    ("originalCalledPartyNumber", Cell::Dialled),
    ("finalCalledPartyNumber", Cell::Dialled),
    ("finalCalledPartyUnicodeLoginUserID", Cell::Empty),
    ("destCause_location", Cell::Zero),
    ("destCause_value", Cell::Zero),
    ("destPrecedenceLevel", Cell::Zero),
    ("destMediaTransportAddress_IP", Cell::Address),
    ("destMediaTransportAddress_Port", Cell::Port),
    ("destMediaCap_payloadCapability", Cell::Codec),
    ("destMediaCap_maxFramesPerPacket", Cell::Codec),
    ("destMediaCap_g723BitRate", Cell::Zero),
    ("destVideoCap_Codec", Cell::Zero),
    ("destVideoCap_Bandwidth", Cell::Zero),
    ("destVideoCap_Resolution", Cell::Zero),
    ("destVideoTransportAddress_IP", Cell::Zero),
    ("destVideoTransportAddress_Port", Cell::Zero),
    ("destRSVPAudioStat", Cell::Empty),
    ("destRSVPVideoStat", Cell::Empty),
    ("dateTimeConnect", Cell::Answer),
    ("dateTimeDisconnect", Cell::End),
    ("lastRedirectDn", Cell::Dialled),
    ("pkid", Cell::Identifier),
    ("originalCalledPartyNumberPartition", Cell::Empty),
    ("callingPartyNumberPartition", Cell::Partition),
    ("finalCalledPartyNumberPartition", Cell::Empty),
    ("lastRedirectDnPartition", Cell::Empty),
    ("duration", Cell::Talk),
    ("origDeviceName", Cell::Phone),
    ("destDeviceName", Cell::Called),
    ("origCallTerminationOnBehalfOf", Cell::Zero),
    ("destCallTerminationOnBehalfOf", Cell::Zero),
    ("origCalledPartyRedirectOnBehalfOf", Cell::Zero),
    ("lastRedirectRedirectOnBehalfOf", Cell::Zero),
    ("origCalledPartyRedirectReason", Cell::Zero),
    ("lastRedirectRedirectReason", Cell::Zero),
    ("destConversationId", Cell::Zero),
    ("globalCallId_ClusterID", Cell::Cluster),
    ("joinOnBehalfOf", Cell::Zero),
    ("comment", Cell::Empty),
    ("authCodeDescription", Cell::Empty),
    ("authorizationLevel", Cell::Zero),
    ("clientMatterCode", Cell::Empty),
    ("origDTMFMethod", Cell::Zero),
    ("destDTMFMethod", Cell::Zero),
    ("callSecuredStatus", Cell::Zero),
    ("origConversationId", Cell::Zero),
    ("origMediaCap_Bandwidth", Cell::Zero),
    ("destMediaCap_Bandwidth", Cell::Zero),
    ("authorizationCodeValue", Cell::Empty),
    ("outpulsedCallingPartyNumber", Cell::Empty),
    ("outpulsedCalledPartyNumber", Cell::Empty),
    ("origIpv4v6Addr", Cell::Empty),
    ("destIpv4v6Addr", Cell::Empty),
    ("huntPilotDN", Cell::Empty),
    ("huntPilotPartition", Cell::Empty),
];

/// A file with these calls.
///
/// # Panics
///
/// If a time is not an instant in seconds: generated records have local times, read as UTC.
#[must_use]
pub fn file<'a>(calls: impl Iterator<Item = Cdr<'a>>) -> Vec<u8> {
    let names: Vec<String> = COLUMNS.iter().map(|(name, _)| format!("\"{name}\"")).collect();
    let types: Vec<&str> =
        COLUMNS.iter().map(|(_, cell)| if is_text(*cell) { "VARCHAR(50)" } else { "INTEGER" }).collect();
    let mut out = format!("{}\n{}\n", names.join(","), types.join(",")).into_bytes();
    for (index, call) in (1_u64..).zip(calls) {
        for (at, (_, cell)) in COLUMNS.iter().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            write_cell(*cell, &call, index, &mut out);
        }
        out.push(b'\n');
    }
    out
}

fn is_text(cell: Cell) -> bool {
    use Cell::{Called, Calling, Cluster, Dialled, Empty, Identifier, Partition, Phone};
    matches!(cell, Empty | Calling | Dialled | Identifier | Phone | Called | Cluster | Partition)
}

fn write_cell(cell: Cell, call: &Cdr<'_>, index: u64, out: &mut Vec<u8>) {
    let inside = !call.egress.starts_with(b"SIP/gw-");
    if is_text(cell) {
        out.push(b'"');
    }
    let written = match cell {
        Cell::Zero => out.write_all(b"0"),
        Cell::One => out.write_all(b"1"),
        Cell::Empty => Ok(()),
        Cell::Number => write!(out, "{}", 40_000_000 + index),
        Cell::SetUp => write!(out, "{}", seconds(call.setup)),
        Cell::Answer => write!(out, "{}", seconds(call.answer)),
        Cell::End => write!(out, "{}", seconds(call.end)),
        Cell::Talk => write!(out, "{}", call.talk.as_millis() / 1_000),
        Cell::Calling => out.write_all(call.peer),
        Cell::Dialled => out.write_all(call.dialled),
        Cell::Identifier => {
            // Any bijection makes identifiers that differ everywhere.
            let mixed = index.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            write!(
                out,
                "{:08x}-{:04x}-4{:03x}-8{:03x}-{index:012x}",
                mixed >> 32,
                mixed >> 16 & 0xffff,
                mixed >> 4 & 0xfff,
                mixed >> 20 & 0xfff
            )
        }
        Cell::Phone => write!(out, "SEP0011AABB{}", String::from_utf8_lossy(call.peer)),
        Cell::Called if inside => write!(out, "SEP0011AABB{}", String::from_utf8_lossy(call.dialled)),
        Cell::Called => out.write_all(b"SIP-TRUNK-1"),
        Cell::Cluster => out.write_all(b"Cluster-1"),
        Cell::Partition => out.write_all(b"Phones"),
        Cell::Address => write!(out, "-{}", 1_139_627_840 + index % 250),
        Cell::Port => write!(out, "{}", 16_384 + index % 16_384),
        Cell::Codec => out.write_all(b"20"),
    };
    written.expect("memory");
    if is_text(cell) {
        out.push(b'"');
    }
}

fn seconds(stamp: Option<Stamp>) -> i64 {
    match stamp {
        None => 0,
        Some(Stamp::Local(local)) => local.as_millis() / 1_000,
        Some(Stamp::Instant(instant)) => instant.as_millis() / 1_000,
    }
}

#[cfg(test)]
mod tests {
    use rating_core::cdr::{Format, Options, open};
    use rating_core::run::generate::Plan;

    use super::*;

    #[test]
    fn the_calls_are_the_same_calls() {
        let plan = Plan { sites: 1, numbers: 100, occupiers: 10, prefixes: 900, ..crate::full_size(500) };
        let project = crate::load(&crate::generate(plan));
        let inputs = crate::inputs(plan, &project);
        let file = file(inputs.iter().flat_map(crate::Input::records));
        let reader = open(Format::CiscoCucm, &Options::default(), &file, true).unwrap();
        let cdrs: Vec<Cdr<'_>> = reader.records(0, 0, &file, true).map(Result::unwrap).collect();
        let what = |cdr: &Cdr<'_>| {
            let dialled = String::from_utf8_lossy(cdr.dialled).into_owned();
            (seconds(cdr.setup), seconds(cdr.answer), seconds(cdr.end), cdr.talk, cdr.answered, dialled)
        };
        let expected: Vec<_> = inputs[0].records().map(|cdr| what(&cdr)).collect();
        assert_eq!(cdrs.iter().map(what).collect::<Vec<_>>(), expected);
        assert_eq!(expected.len(), 500);
    }
}
