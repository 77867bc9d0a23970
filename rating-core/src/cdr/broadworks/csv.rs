//! The CSV: no quotes; `\,` is a comma and `\\` a backslash. Fields keep their backslashes.

use std::sync::Arc;

use super::super::fields::Fields;
use super::super::reader::FileError;
use super::super::records::{Framing, LineEnd};
use super::super::switch::{Head, Opened, Scratch, Sign, Switch};
use super::super::times::LastDay;
use super::super::{Cdr, Fault, RejectReason};
use super::{Record, moment, type_of};
use crate::source::RecordId;

/// The least number of fields of a call: releases since 14 have 197 and more, and more every time.
const LEAST_FIELDS: usize = 34;

/// A record's id ends in when it was written, `20260701083000.138`, and in which zone, `1-070000`.
const WRITTEN: usize = 18;
const ZONE: usize = 8;

#[derive(Debug)]
struct Csv(LineEnd);

pub(super) fn open(head: Head<'_>) -> Result<Opened, FileError> {
    let mut fields = Fields::new();
    let header_lines = usize::from(head.lines().next().is_some_and(is_version));
    let mut body = head.lines().skip(header_lines);
    let first = body.clone().next();
    // A file of which no record has a type that BroadWorks has is none of its files.
    if let Some(first) = first
        && !body.any(|line| split(line, &mut fields).is_ok() && type_of(fields.get(line, 2)).is_some())
    {
        let _ = split(first, &mut fields);
        return Err(FileError::UnknownLayout { columns: fields.count() });
    }
    Ok(Opened { switch: Arc::new(Csv(head.line_end)), header_lines })
}

pub(super) fn recognise(head: Head<'_>) -> Option<Sign> {
    if head.lines().next().is_some_and(is_version) {
        return Some(Sign::new("csv", 100, "the first line has BroadWorks' version and encoding"));
    }
    let mut fields = Fields::new();
    let is_call = |line| {
        split(line, &mut fields).is_ok()
            && fields.count() >= LEAST_FIELDS
            && type_of(fields.get(line, 2)).is_some()
            && matches!(fields.get(line, 5), b"Originating" | b"Terminating")
            && moment(fields.get(line, 9), &mut LastDay::default()).is_ok_and(|start| start.is_some())
    };
    head.lines().take(50).any(is_call).then(|| {
        Sign::new("csv", 90, "record type, direction and start stand in fields 3, 6 and 10, where BroadWorks has them")
    })
}

/// `version=14.2 encoding=ISO-8859-1`.
fn is_version(line: &[u8]) -> bool {
    line.starts_with(b"version=")
}

/// Splits at commas with no backslash of their own before them.
fn split(text: &[u8], fields: &mut Fields) -> Result<(), RejectReason> {
    fields.clear();
    let (mut start, mut position) = (0, 0);
    while let Some(byte) = text.get(position) {
        match byte {
            b'\\' => position += 1,
            b',' => {
                fields.push(start, position)?;
                start = position + 1;
            }
            _ => {}
        }
        position += 1;
    }
    fields.push(start, text.len())
}

impl Switch for Csv {
    fn layout_name(&self) -> &str {
        "csv"
    }

    fn framing(&self) -> Framing {
        Framing::Lines(self.0)
    }

    fn parse<'a>(
        &'a self,
        (id, raw): (RecordId, &'a [u8]),
        text: &'a [u8],
        scratch: &mut Scratch,
        cdr: &mut Cdr<'a>,
    ) -> Result<(), Fault> {
        split(text, &mut scratch.fields).map_err(Fault::record)?;
        let fields = &scratch.fields;
        // Counted from 1, as the specification does.
        let field = |number: u16| fields.get(text, number - 1);
        let is_call = fields.count() >= LEAST_FIELDS;
        if !is_call && !matches!(field(3), b"Start" | b"End") {
            return Err(Fault::record(RejectReason::ColumnCount));
        }
        let record_id = field(1);
        let written = record_id.len().checked_sub(WRITTEN + ZONE).and_then(|at| record_id.get(at..at + WRITTEN));
        let mut record = Record {
            id: [record_id, b"", b"", b""],
            written: written.unwrap_or_default(),
            record_type: field(3),
            ..Record::default()
        };
        if is_call {
            record = Record {
                user_number: field(4),
                direction: field(6),
                calling: field(7),
                called: field(9),
                start: field(10),
                answer_indicator: field(12),
                answer: field(13),
                release: field(14),
                dialled: field(18),
                category: field(19),
                translated: field(21),
                route: field(24),
                account: field(34),
                authorization: field(35),
                redirecting: field(39),
                charge: field(42),
                network: field(43),
                local_id: field(45),
                remote_id: field(46),
                ..record
            };
        }
        super::read((id, raw), &record, |reason, number| Fault::column(reason, number - 1), &mut scratch.last_day, cdr)
    }

    fn width(&self, text: &[u8], scratch: &mut Scratch) -> Option<usize> {
        split(text, &mut scratch.fields).ok()?;
        Some(scratch.fields.count()).filter(|count| *count >= LEAST_FIELDS)
    }

    fn is_same_header(&self, text: &[u8], _: &mut Scratch) -> Option<bool> {
        is_version(text).then_some(true)
    }
}
