//! The UK standard for wholesale CDRs: see `template/presets/uk-wholesale.toml`.
//!
//! Sources: the UK Billing Vendors Forum's "UK Standard for CDRs", title and list of columns.

use std::sync::{Arc, OnceLock};

use super::fields::{Fields, Reading};
use super::reader::{FileError, Options};
use super::switch::{Entry, Head, Opened, Sign};
use super::template::{self, Template};

pub(super) const ENTRY: Entry = Entry { layouts: &[], open, recognise };

fn preset() -> Option<&'static Arc<Template>> {
    static PRESET: OnceLock<Option<Arc<Template>>> = OnceLock::new();
    let text = include_str!("template/presets/uk-wholesale.toml");
    PRESET.get_or_init(|| template::preset("uk-wholesale.toml", text)).as_ref()
}

fn open(head: Head<'_>, options: &Options) -> Result<Opened, FileError> {
    if is_item_rental(head) {
        return Err(FileError::Unreadable {
            what: "lists connections, rentals and ceases, not calls: it is the file of item charges that comes beside the calls"
                .into(),
            help: "take it out of the source's `files`; what it charges is invoiced apart from calls".into(),
        });
    }
    let preset = preset().ok_or(FileError::UnknownLayout { columns: 0 })?;
    template::open_with(preset, head, options)
}

/// Whether the file is the companion of eight columns: date, month in words, number, description, kind, total, part, quantity.
fn is_item_rental(head: Head<'_>) -> bool {
    let mut fields = Fields::new();
    let mut records = head.records(head.quoted(b',')).take(20).peekable();
    records.peek().is_some()
        && records.all(|record| {
            let _ = fields.split(record, Reading::FirstQuoteCloses);
            let kind = fields.get(record, 4).trim_ascii();
            let is_kind =
                [&b"connection"[..], b"rental", b"cease"].iter().any(|known| kind.eq_ignore_ascii_case(known));
            fields.count() == 8 && is_date(fields.get(record, 0)) && is_kind
        })
}

fn is_date(text: &[u8]) -> bool {
    matches!(text.trim_ascii(), [_, _, b'/', _, _, b'/', year @ ..] if year.len() == 4 && year.iter().all(u8::is_ascii_digit))
}

fn recognise(head: Head<'_>) -> Option<Sign> {
    let preset = preset()?;
    let mut fields = Fields::new();
    let first = head.records(head.quoted(b',')).next()?;
    let _ = fields.split(first, Reading::FirstQuoteCloses);
    if (30..=43).contains(&fields.count()) && template::lacks(preset, head).is_empty() {
        return Some(Sign::new(
            "uk-wholesale",
            95,
            "the first line names the columns of the UK standard for wholesale CDRs",
        ));
    }
    let mut records = head.records(head.quoted(b',')).take(50).peekable();
    records.peek()?;
    let all = records.all(|record| {
        let _ = fields.split(record, Reading::FirstQuoteCloses);
        let field = |column| fields.get(record, column).trim_ascii();
        (30..=42).contains(&fields.count())
            && matches!(field(0), [letter] if letter.is_ascii_alphabetic())
            && is_date(field(4))
            && matches!(field(5), [_, _, b':', _, _, b':', _, _])
    });
    all.then(|| {
        Sign::new(
            "uk-wholesale",
            90,
            "call type, UK date and time stand where the UK standard for wholesale CDRs has them",
        )
    })
}

#[cfg(test)]
mod tests;
