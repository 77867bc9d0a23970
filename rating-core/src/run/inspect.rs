//! What a file of call records is, and the settings to read it by.

mod sketch;
mod suggest;
mod tally;

use std::fmt;
use std::path::Path;

use super::RunError;
use super::inputs::{Piece, Spares, Stream};
use super::storage::Storage;
use crate::cdr::{self, DateOrder, Format, Options, Reader, Sign};
use crate::time::Instant;

pub use tally::{Oddity, Tally};

/// How much of a file's first line is shown.
const SHOWN_OF_LINE: usize = 300;

/// What was found in one file.
#[derive(Clone, Debug)]
pub struct Inspection {
    /// The file as it was named.
    pub path: String,
    /// Its size unpacked, in bytes.
    pub bytes: u64,
    /// `gzip` or `zstd` if it is packed.
    pub packed: Option<&'static str>,
    /// Every format that it may be, the likeliest first.
    pub signs: Vec<(Format, Sign)>,
    /// The format it was read as; `None` if it could not be read.
    pub format: Option<Format>,
    /// The layout it was read as.
    pub layout: String,
    /// Why it could not be read, and how that may be mended.
    pub refused: Option<(String, String)>,
    /// Facts about its text: encoding, line ends, columns.
    pub text: Vec<String>,
    /// Its first line, control characters replaced, cut where it is long.
    pub first_line: String,
    /// By how many minutes its clock is east of UTC, by how many unique ids, and when.
    pub clock: Option<(i32, u32, Instant)>,
    /// Zones whose clocks were so then.
    pub zones: Vec<&'static str>,
    /// In which order days and months are written, where that had to be found out.
    pub date_order: Option<DateOrder>,
    /// What its records are.
    pub tally: Tally,
    /// A template to begin with, where the file is of no format known here.
    pub sketch: Option<String>,
}

/// What the caller knows of a file.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// Read it as this format, whatever it looks like.
    pub format: Option<Format>,
    /// The layout, columns, year and template that a source's settings would say.
    pub options: Options,
}

/// Looks at a file: what it is, how one knows, and what is in it. what is `known` of it counts more than
/// what it looks like.
///
/// # Errors
///
/// If the file cannot be read at all.
pub fn inspect(storage: &dyn Storage, path: &Path, known: &Known) -> Result<Inspection, RunError> {
    let mut stream = Stream::open(storage, path)?;
    let packed = stream.packed_with();
    let mut found = {
        let (head, whole) = stream.head()?;
        let signs = cdr::recognise(head, whole);
        Inspection {
            path: path.display().to_string(),
            bytes: 0,
            packed,
            text: suggest::text_facts(head),
            first_line: first_line(head),
            signs,
            format: None,
            layout: String::new(),
            refused: None,
            clock: None,
            zones: Vec::new(),
            date_order: None,
            tally: Tally::default(),
            sketch: None,
        }
    };
    let template = known.options.template.as_ref().map(|template| template.format());
    let Some(chosen) = known.format.or(template).or_else(|| found.signs.first().map(|(format, _)| *format)) else {
        let (head, _) = stream.head()?;
        found.sketch = sketch::template(head);
        let what = match head {
            // TAP 3 and NRTRDE begin so (GSMA TD.57 and TD.35: the outermost tag is application 1 or 2).
            [0x61 | 0x62, ..] if head.iter().take(64).any(|byte| !byte.is_ascii()) => {
                "it is BER, such as TAP and NRTRDE files are, which are not read"
            }
            _ => "it looks like no format known here",
        };
        found.refused = Some((what.to_owned(), unknown_help()));
        found.bytes = rest_of(&mut stream)?;
        return Ok(found);
    };
    let options = Options {
        file_name: path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
        ..known.options.clone()
    };
    let opened = {
        let (head, whole) = stream.head()?;
        cdr::open(chosen, &options, head, whole)
    };
    found.format = Some(chosen);
    match opened {
        Err(error) => {
            found.refused = Some((error.to_string(), error.help()));
            found.bytes = rest_of(&mut stream)?;
        }
        Ok(reader) => {
            reader.layout_name().clone_into(&mut found.layout);
            let notes = reader.notes();
            found.date_order = notes.date_order;
            found.clock =
                notes.epoch_offset_minutes.zip(notes.epoch_at).map(|(minutes, at)| (minutes, notes.epoch_evidence, at));
            found.zones = found.clock.map_or_else(Vec::new, |(minutes, _, at)| suggest::zones(minutes, at));
            found.tally.minutes_only = notes.minutes_only;
            found.bytes = read_through(&mut stream, &reader, &mut found.tally)?;
        }
    }
    Ok(found)
}

/// Counts every record of a file.
fn read_through(stream: &mut Stream, reader: &Reader, tally: &mut Tally) -> Result<u64, RunError> {
    stream.skip(reader.body_start());
    let mut end = reader.body_start() as u64;
    let mut spares = Spares::default();
    loop {
        match stream.next_of(reader, &mut spares)? {
            None => break,
            Some(Piece::Records(chunk)) => {
                end = chunk.offset + chunk.bytes.len() as u64;
                for record in reader.records(0, chunk.offset, &chunk.bytes, chunk.last) {
                    tally.add(&record);
                }
                spares.give(chunk.bytes);
            }
            Some(Piece::TooLong(chunk)) => {
                end = chunk.offset + chunk.bytes.len() as u64;
                tally.add(&Err(reader.too_long(0, chunk.offset, &chunk.bytes)));
            }
        }
    }
    tally.damage = stream.damage().map(str::to_owned);
    tally.finish();
    Ok(end)
}

fn rest_of(stream: &mut Stream) -> Result<u64, RunError> {
    let mut end = 0;
    let mut spares = Spares::default();
    while let Some(piece) = stream.next_piece(|buffer, _| buffer.len(), 0, b'\n', &mut spares)? {
        let (Piece::Records(chunk) | Piece::TooLong(chunk)) = piece;
        end = chunk.offset + chunk.bytes.len() as u64;
    }
    Ok(end)
}

fn first_line(head: &[u8]) -> String {
    let line = head.split(|byte| matches!(byte, b'\n' | b'\r')).find(|line| !line.trim_ascii().is_empty());
    printable(&line.unwrap_or_default()[..line.map_or(0, <[u8]>::len).min(SHOWN_OF_LINE)])
}

/// Bytes for a terminal: what is no text, and control characters, replaced.
fn printable(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

fn unknown_help() -> String {
    "describe it yourself: `format = \"delimited\"` or `\"fixed\"` with a template (docs/templates.md)".to_owned()
}

/// The `[[source]]` block that reads these files, to paste into `rating.toml`, with what is left to decide marked; `None` if
/// none could be read. Files of several formats give a block each.
#[must_use]
pub fn source_blocks(inspections: &[Inspection], known: &Known) -> Vec<String> {
    let mut formats: Vec<Format> =
        inspections.iter().filter(|one| one.refused.is_none()).filter_map(|one| one.format).collect();
    formats.sort_unstable();
    formats.dedup();
    formats
        .into_iter()
        .map(|format| {
            let files: Vec<&Inspection> =
                inspections.iter().filter(|one| one.refused.is_none() && one.format == Some(format)).collect();
            suggest::block(format, &files, &known.options)
        })
        .collect()
}

impl fmt::Display for Inspection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let packed = self.packed.map(|with| format!(", packed with {with}")).unwrap_or_default();
        writeln!(f, "{} ({} bytes{packed})", self.path, self.bytes)?;
        let mut line = |label: &str, text: &str| writeln!(f, "  {label:<11} {text}");
        let sign = |format: Format| self.signs.iter().find(|(of, _)| *of == format).map(|(_, sign)| sign);
        match self.format {
            None => line("format", "not recognised")?,
            Some(format) => {
                let layout = if self.layout.is_empty() { String::new() } else { format!(", layout {}", self.layout) };
                let sure = match sign(format).map_or(0, |sign| sign.certainty) {
                    0 => "as you say; it does not look like it".to_owned(),
                    certainty @ 80.. => format!("{certainty} % sure"),
                    certainty => format!("a guess, {certainty} % sure"),
                };
                line("format", &format!("{}{layout}: {sure}", format.name()))?;
                for why in sign(format).map_or(&[][..], |sign| &sign.because) {
                    line("", &format!("because {why}"))?;
                }
            }
        }
        for (format, other) in self.signs.iter().filter(|(format, _)| Some(*format) != self.format).take(2) {
            let why = other.because.join("; ");
            line("or", &format!("{}, layout {}: {} % ({why})", format.name(), other.layout, other.certainty))?;
        }
        line("text", &self.text.join(", "))?;
        line("first line", &self.first_line)?;
        if let Some((what, help)) = &self.refused {
            line("not read", what)?;
            line("help", help)?;
            if let Some(sketch) = &self.sketch {
                writeln!(f, "\nA template to begin with (docs/templates.md):\n")?;
                f.write_str(sketch)?;
            }
            return Ok(());
        }
        for (label, text) in self.tally.lines() {
            line(label, &text)?;
        }
        if let Some(order) = self.date_order {
            let words = match order {
                DateOrder::DayFirst => "day before month, as dates or ids show",
                DateOrder::MonthFirst => "month before day, as dates or ids show",
            };
            line("dates", words)?;
        }
        if let Some((minutes, evidence, at)) = self.clock {
            let zones = if self.zones.is_empty() { "no zone known here".to_owned() } else { self.zones.join(", ") };
            let east = match minutes {
                0 => "on UTC".to_owned(),
                minutes if minutes > 0 => format!("{minutes} min ahead of UTC"),
                minutes => format!("{} min behind UTC", -minutes),
            };
            line(
                "zone",
                &format!(
                    "the clock was {east} at {at}, by the ids of {evidence} records: as in {zones}",
                    at = at.to_rfc3339()
                ),
            )?;
        }
        for oddity in &self.tally.oddities {
            line("odd", &oddity.to_string())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
