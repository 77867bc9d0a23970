//! Cutting a record into the fields of its template.

use memchr::memchr2;

use super::super::{Kind, Quoting};
use super::Engine;
use crate::cdr::fields::{Fields, MAX_COLUMNS, Reading, Shape};
use crate::cdr::{Fault, RejectReason};

impl Engine {
    /// Finds the fields of a record.
    #[inline]
    pub(super) fn split(&self, text: &[u8], fields: &mut Fields) -> Result<(), Fault> {
        match self.template.kind {
            // Its fields are where they are.
            Kind::Fixed => {
                fields.clear();
                let fits = self.ranges.len() <= MAX_COLUMNS;
                if fits { Ok(()) } else { Err(Fault::record(RejectReason::TooManyColumns)) }
            }
            Kind::Delimited { delimiter, blank: false, quoting: Quoting::Rfc4180 } => {
                let shape = fields.split_at(text, delimiter, Reading::FirstQuoteCloses).map_err(Fault::record)?;
                if shape == Shape::Regular { Ok(()) } else { self.split_irregular(text, delimiter, fields, shape) }
            }
            Kind::Delimited { delimiter, blank: true, quoting: Quoting::Rfc4180 } => {
                split_with_blanks(text, delimiter, fields)
            }
            Kind::Delimited { delimiter, quoting: Quoting::Backslash, .. } => split_escaped(text, delimiter, fields),
            Kind::Delimited { delimiter, quoting: Quoting::None, .. } => {
                fields.split_bare(text, delimiter).map_err(Fault::record)
            }
        }
    }

    /// Of a record with stray quotes the first reading counts that gives a number of columns the file has.
    #[cold]
    fn split_irregular(&self, text: &[u8], delimiter: u8, fields: &mut Fields, first: Shape) -> Result<(), Fault> {
        let mut shape = first;
        for reading in Reading::ALL {
            if reading != Reading::FirstQuoteCloses {
                shape = fields.split_at(text, delimiter, reading).map_err(Fault::record)?;
            }
            let fits = self.width.is_some_and(|(least, most)| (least..=most).contains(&fields.count()));
            if shape != Shape::Open && (fits || self.width.is_none()) {
                return Ok(());
            }
        }
        Err(Fault::record(if first == Shape::Open { RejectReason::QuoteNotClosed } else { RejectReason::ColumnCount }))
    }
}

/// Fields with blanks behind the delimiter, which may stand before a quote.
fn split_with_blanks(text: &[u8], delimiter: u8, fields: &mut Fields) -> Result<(), Fault> {
    fields.clear();
    let mut position = 0;
    loop {
        let rest = text.get(position..).unwrap_or_default();
        position += rest.len() - rest.trim_ascii_start().len();
        let rest = rest.trim_ascii_start();
        let quoted = match rest {
            [b'"', inside @ ..] => inside.iter().position(|byte| *byte == b'"').filter(|length| {
                let after = inside.get(length + 1..).unwrap_or_default().trim_ascii_start();
                after.first().is_none_or(|byte| *byte == delimiter)
            }),
            _ => None,
        };
        let (start, end, from) = match quoted {
            Some(length) => (position + 1, position + 1 + length, position + 2 + length),
            None => {
                let length = memchr::memchr(delimiter, rest).unwrap_or(rest.len());
                (position, position + length, position + length)
            }
        };
        fields.push(start, end).map_err(Fault::record)?;
        match text.get(from..).and_then(|rest| memchr::memchr(delimiter, rest)) {
            Some(next) => position = from + next + 1,
            None => return Ok(()),
        }
    }
}

/// Fields in which a backslash takes the meaning of the sign behind it.
fn split_escaped(text: &[u8], delimiter: u8, fields: &mut Fields) -> Result<(), Fault> {
    fields.clear();
    let (mut start, mut position) = (0, 0);
    loop {
        match text.get(position..).and_then(|rest| memchr2(delimiter, b'\\', rest)) {
            None => return fields.push(start, text.len()).map_err(Fault::record),
            Some(found) if text.get(position + found) == Some(&b'\\') => position += found + 2,
            Some(found) => {
                fields.push(start, position + found).map_err(Fault::record)?;
                position += found + 1;
                start = position;
            }
        }
    }
}
