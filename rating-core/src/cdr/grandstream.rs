//! Grandstream UCM: Asterisk's columns under titles of its own.
//!
//! Source: Grandstream, "UCM Series CDR and REC API Guide" and the CDR chapter of the user manuals. The rules are those of
//! [`asterisk`](super::asterisk): legs, `Local` halves, channels. Newer releases write a main record and beside it one for each
//! stretch of the call; the latter are told by `sub_cdr…` in a column of their own and are not counted again.

use super::asterisk::Asterisk;
use super::fields::{Fields, Reading};
use super::reader::{FileError, Notes, Options};
use super::records::Framing;
use super::switch::{Entry, Head, Opened, Scratch, Sign, Switch};
use super::{Cdr, Fault, Kind, NotACall};
use crate::source::RecordId;
use std::sync::Arc;

pub(super) const ENTRY: Entry = Entry { layouts: &[], open, recognise };

/// Titles without case, blanks and punctuation, and Asterisk's names.
const TITLES: [(&str, &str); 36] = [
    ("accountcode", "accountcode"),
    ("callernumber", "src"),
    ("src", "src"),
    ("calleenumber", "dst"),
    ("dst", "dst"),
    ("context", "dcontext"),
    ("dcontext", "dcontext"),
    ("callerid", "clid"),
    ("clid", "clid"),
    ("sourcechannel", "channel"),
    ("channel", "channel"),
    ("destchannel", "dstchannel"),
    ("destinationchannel", "dstchannel"),
    ("dstchannel", "dstchannel"),
    ("lastapp", "lastapp"),
    ("lastdata", "lastdata"),
    ("starttime", "start"),
    ("start", "start"),
    ("answertime", "answer"),
    ("answer", "answer"),
    ("endtime", "end"),
    ("end", "end"),
    ("calltime", "duration"),
    ("duration", "duration"),
    ("talktime", "billsec"),
    ("billsec", "billsec"),
    ("callstatus", "disposition"),
    ("status", "disposition"),
    ("disposition", "disposition"),
    ("amaflags", "amaflags"),
    ("uniqueid", "uniqueid"),
    ("userfield", "userfield"),
    ("sequence", "sequence"),
    ("recordtype", SUB),
    ("cdrtype", SUB),
    ("cdr", SUB),
];

/// The column that tells main records from those of stretches.
const SUB: &str = "record type";

/// A file with its columns found.
#[derive(Debug)]
struct Grandstream {
    asterisk: Asterisk,
    framing: Framing,
    columns: Vec<String>,
    sub: Option<u16>,
}

/// Asterisk's names for the titles of a header line; `None` if it is none.
fn columns(line: &[u8], fields: &mut Fields) -> Option<Vec<String>> {
    fields.split(line, Reading::FirstQuoteCloses).ok()?;
    let names: Vec<String> = (0..fields.count())
        .map(|column| {
            let title = u16::try_from(column).map_or(&[][..], |column| fields.get(line, column));
            let bare: String = title
                .iter()
                .filter(|byte| byte.is_ascii_alphanumeric())
                .map(|byte| char::from(byte.to_ascii_lowercase()))
                .collect();
            TITLES
                .iter()
                .find(|(title, _)| *title == bare)
                .map_or_else(|| format!("-{bare}"), |(_, name)| (*name).to_owned())
        })
        .collect();
    let has = |name: &str| names.iter().any(|known| known == name);
    ["src", "dst", "start", "billsec", "disposition"].into_iter().all(has).then_some(names)
}

fn open(head: Head<'_>, options: &Options) -> Result<Opened, FileError> {
    let framing = head.quoted(b',');
    let mut fields = Fields::new();
    let mut records = head.records(framing);
    let first = records.next().unwrap_or_default();
    let Some(columns) = columns(first, &mut fields) else {
        return Err(FileError::Unreadable {
            what: "does not begin with the titles of Grandstream's columns".into(),
            help: "download it from the UCM's CDR page with its header line (`Caller Number`, `Callee Number`, `Start Time`, …)".into(),
        });
    };
    let as_asterisk = Options { layout: Some("cdr_custom".into()), columns: columns.clone(), ..options.clone() };
    let (asterisk, _) = Asterisk::open(&as_asterisk, records, &mut fields)?;
    let sub = columns.iter().position(|name| name == SUB).and_then(|column| u16::try_from(column).ok());
    Ok(Opened { switch: Arc::new(Grandstream { asterisk, framing, columns, sub }), header_lines: 1 })
}

fn recognise(head: Head<'_>) -> Option<Sign> {
    let first = head.records(head.quoted(b',')).next()?;
    let mut fields = Fields::new();
    let is_asterisk = super::asterisk::is_header(first, &mut fields);
    (!is_asterisk && columns(first, &mut fields).is_some())
        .then(|| Sign::new("ucm", 90, "the first line has Grandstream's titles for Asterisk's columns"))
}

impl Switch for Grandstream {
    fn layout_name(&self) -> &str {
        "ucm"
    }

    fn framing(&self) -> Framing {
        self.framing
    }

    fn parse<'a>(
        &'a self,
        (id, raw): (RecordId, &'a [u8]),
        text: &'a [u8],
        scratch: &mut Scratch,
        cdr: &mut Cdr<'a>,
    ) -> Result<(), Fault> {
        self.asterisk.read((id, raw), text, &mut scratch.fields, &mut scratch.cache, cdr)?;
        let sub = self.sub.map_or(&[][..], |column| scratch.fields.get(text, column));
        if sub.get(..3).is_some_and(|head| head.eq_ignore_ascii_case(b"sub")) {
            cdr.kind = Kind::NotACall(NotACall::Event);
        }
        Ok(())
    }

    fn width(&self, text: &[u8], scratch: &mut Scratch) -> Option<usize> {
        self.asterisk.width(text, &mut scratch.fields)
    }

    fn is_same_header(&self, text: &[u8], scratch: &mut Scratch) -> Option<bool> {
        columns(text, &mut scratch.fields).map(|found| found == self.columns)
    }

    fn notes(&self) -> Notes {
        let (minutes, evidence, at) = match self.asterisk.epoch_offset() {
            Some((minutes, evidence, at)) => (Some(minutes), evidence, Some(at)),
            None => (None, 0, None),
        };
        Notes {
            epoch_offset_minutes: minutes,
            epoch_evidence: evidence,
            epoch_at: at,
            date_order: self.asterisk.date_order(),
            ..Notes::default()
        }
    }
}

#[cfg(test)]
mod tests;
