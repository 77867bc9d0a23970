//! The XML: one `cdrData` element a record. No entity is resolved and no DTD read; text is what stands between the tags, in
//! whatever encoding the file has (ISO-8859-1 mostly: the fields that count are ASCII).

use std::sync::Arc;

use memchr::{memchr, memmem};

use super::super::records::Framing;
use super::super::switch::{Head, Opened, Scratch, Sign, Switch};
use super::super::{Cdr, Fault, RejectReason};
use super::Record;
use crate::source::RecordId;

#[derive(Debug)]
struct Xml;

pub(super) fn open() -> Opened {
    Opened { switch: Arc::new(Xml), header_lines: 0 }
}

pub(super) fn recognise(head: Head<'_>) -> Option<Sign> {
    memmem::find(head.bytes, b"<broadWorksCDR")
        .map(|_| Sign::new("xml", 100, "the XML's root is BroadWorks' `broadWorksCDR`"))
}

impl Switch for Xml {
    fn layout_name(&self) -> &str {
        "xml"
    }

    fn framing(&self) -> Framing {
        Framing::Xml { element: "cdrData" }
    }

    fn parse<'a>(
        &'a self,
        (id, raw): (RecordId, &'a [u8]),
        text: &'a [u8],
        scratch: &mut Scratch,
        cdr: &mut Cdr<'a>,
    ) -> Result<(), Fault> {
        scratch.fields.clear();
        if !text.starts_with(b"<cdrData") || !text.ends_with(b"</cdrData>") {
            return Err(Fault::record(RejectReason::Malformed));
        }
        let mut record = Record::default();
        for (name, value) in (Elements { rest: text }) {
            let [counter, system, date, zone] = &mut record.id;
            let place = match name {
                b"eventCounter" => counter,
                b"systemId" => system,
                b"date" => date,
                b"systemTimeZone" => zone,
                b"type" => &mut record.record_type,
                b"userNumber" => &mut record.user_number,
                b"direction" => &mut record.direction,
                b"callingNumber" => &mut record.calling,
                b"calledNumber" => &mut record.called,
                b"startTime" => &mut record.start,
                b"answerIndicator" => &mut record.answer_indicator,
                b"answerTime" => &mut record.answer,
                b"releaseTime" => &mut record.release,
                b"dialedDigits" => &mut record.dialled,
                b"callCategory" => &mut record.category,
                b"networkTranslatedNumber" => &mut record.translated,
                b"route" => &mut record.route,
                b"accountCode" => &mut record.account,
                b"authorizationCode" => &mut record.authorization,
                b"redirectingNumber" => &mut record.redirecting,
                b"chargeIndicator" => &mut record.charge,
                b"typeOfNetwork" => &mut record.network,
                b"asCallType" => &mut record.as_call_type,
                b"localCallId" => &mut record.local_id,
                b"remoteCallId" => &mut record.remote_id,
                _ => continue,
            };
            // The modules that count come first; names come again in those of the services.
            if place.is_empty() {
                *place = value;
            }
        }
        record.written = record.id[2];
        super::read((id, raw), &record, |reason, _| Fault::record(reason), &mut scratch.last_day, cdr)
    }
}

/// The elements that hold text, by name. Comments, declarations, end tags and empty elements are passed over.
struct Elements<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Elements<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let open = memchr(b'<', self.rest)? + 1;
            self.rest = self.rest.get(open..)?;
            if let Some(comment) = self.rest.strip_prefix(b"!--") {
                self.rest = comment.get(memmem::find(comment, b"-->")? + 3..)?;
                continue;
            }
            let close = memchr(b'>', self.rest)?;
            let (tag, behind) = self.rest.split_at_checked(close)?;
            let behind = behind.get(1..)?;
            self.rest = behind;
            if matches!(tag.first(), None | Some(b'/' | b'!' | b'?')) || tag.last() == Some(&b'/') {
                continue;
            }
            let value = behind.get(..memchr(b'<', behind)?)?.trim_ascii();
            if value.is_empty() {
                continue;
            }
            let name = tag.split(u8::is_ascii_whitespace).next()?;
            return Some((name, value));
        }
    }
}
