//! Whether all files came, and came whole.
//!
//! A month without a day of calls looks like any other month, only cheaper. So a source may say what its files are called and
//! how many come a day ([`Expect`]); numbers that are missing, days without files, files that end before their end marker or
//! have fewer records than they say are [`Gap`]s. A month with a gap is not published until somebody accepts the gap by its
//! name, with a reason that the manifest keeps.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use super::first_pass::{FileResult, FirstPass, InputFile};
use super::settings::Settings;
use crate::cdr::RejectReason;
use crate::finding::settings::{Section, Spanned};
use crate::finding::table::Table;
use crate::finding::{Finding, Findings, Label, SourceText};
use crate::ids::SourceId;
use crate::time::{Date, Month, Weekday};

/// What a source's files should be.
#[derive(Clone, Debug)]
pub struct Expect {
    /// How files are named.
    name: Vec<Part>,
    /// The sequence number after which it begins again, and with what.
    wrap: Option<(u64, u64)>,
    /// How many files each day has at least.
    a_day: Option<u64>,
    /// Whether files are expected on Saturdays and Sundays, too.
    weekends: bool,
    /// Where it stands.
    span: Range<usize>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Literal(String),
    Any,
    Date,
    Sequence,
}

/// What a file's name says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Named {
    date: Option<Date>,
    sequence: Option<u64>,
}

/// Something that should be there and is not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Its name, by which it can be accepted: `ldn-pbx:sequence:12-14`, `ldn-pbx:day:2026-10-14`,
    /// `ldn-pbx:count:cdr/0007.csv`.
    pub name: String,
    /// What is missing, in words.
    pub what: String,
    /// Who accepted it, and why.
    pub accepted: Option<(String, String)>,
}

/// The most gaps of one source that are listed one by one; the rest is one gap.
const LISTED: usize = 200;

impl Expect {
    /// Reads `[source.expect]`.
    pub(super) fn read(section: Section, findings: &mut Findings) -> Option<Self> {
        let name = section.required_text("name", findings);
        let wraps_after = section.integer("wraps_after", findings);
        let wraps_to = section.integer("wraps_to", findings);
        let a_day = section.integer("files_a_day", findings);
        let weekends = section.boolean("weekends", findings).is_none_or(|given| given.value);
        let span = section.span();
        let mut malformed = |span: &Range<usize>, message: String, help: &str| {
            findings.push(
                Finding::error("settings.expect_malformed", message)
                    .at(section.label(span, "here"))
                    .help(help.to_owned()),
            );
        };
        let mut whole = |given: &Option<Spanned<i64>>, least: i64| {
            given.as_ref().and_then(|given| {
                let number = u64::try_from(given.value).ok().filter(|_| given.value >= least);
                if number.is_none() {
                    malformed(&given.span, format!("{} is too small", given.value), &format!("give {least} or more"));
                }
                number
            })
        };
        let (after, to, a_day) = (whole(&wraps_after, 1), whole(&wraps_to, 0), whole(&a_day, 1));
        if let (Some(given), Some(after), Some(to)) = (&wraps_to, after, to)
            && to >= after
        {
            malformed(
                &given.span,
                format!("{to} does not lie before {after}"),
                "`wraps_to` is the number that follows `wraps_after`",
            );
        }
        let parts = name.as_ref().map(|name| parse_name(&name.value));
        if let (Some(name), Some(parts)) = (&name, &parts) {
            let count = |part: &Part| parts.iter().filter(|of| *of == part).count();
            let (dates, sequences) = (count(&Part::Date), count(&Part::Sequence));
            let help = "such as `cdr_LDN_*_{date}*_{sequence}`: `*` is any text, `{date}` a date as YYYYMMDD or YYYY-MM-DD, \
                        `{sequence}` a number that grows by one from file to file";
            if dates > 1 || sequences > 1 || dates + sequences == 0 {
                malformed(&name.span, format!("`{}` tells nothing of the files", name.value), help);
            } else if a_day.is_some() && dates == 0 {
                malformed(
                    &name.span,
                    "files are to be counted by the day, and their names have no date".to_owned(),
                    help,
                );
            } else if after.is_some() && sequences == 0 {
                malformed(&name.span, "a number wraps, and the names have none".to_owned(), help);
            }
        }
        section.finish(findings);
        let wrap = after.map(|after| (after, to.unwrap_or(1))).filter(|(after, to)| to < after);
        Some(Self { name: parts?, wrap, a_day, weekends, span })
    }

    /// What a file's name says; `None` if it is no such name.
    fn named(&self, path: &str) -> Option<Named> {
        let name = path.rsplit('/').next().unwrap_or(path);
        let plain = [".gz", ".zst"].iter().find_map(|packed| name.strip_suffix(packed)).unwrap_or(name);
        [name, plain].into_iter().find_map(|name| matching(&self.name, name))
    }
}

fn parse_name(text: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let special = [("*", Part::Any), ("{date}", Part::Date), ("{sequence}", Part::Sequence)];
        let next = special
            .iter()
            .filter_map(|(mark, part)| Some((rest.find(mark)?, mark.len(), part)))
            .min_by_key(|(at, ..)| *at);
        let Some((at, length, part)) = next else {
            parts.push(Part::Literal(rest.to_owned()));
            break;
        };
        if at > 0 {
            parts.push(Part::Literal(rest[..at].to_owned()));
        }
        parts.push(part.clone());
        rest = &rest[at + length..];
    }
    parts
}

fn matching(parts: &[Part], text: &str) -> Option<Named> {
    let Some((first, others)) = parts.split_first() else { return text.is_empty().then(Named::default) };
    match first {
        Part::Literal(literal) => matching(others, text.strip_prefix(literal.as_str())?),
        Part::Any => {
            // The shortest first; names are short.
            (0..=text.len()).filter(|at| text.is_char_boundary(*at)).find_map(|at| matching(others, &text[at..]))
        }
        Part::Date => {
            let (date, length) = date_of(text)?;
            let rest = matching(others, &text[length..])?;
            Some(Named { date: Some(date), ..rest })
        }
        Part::Sequence => {
            let digits = text.bytes().take_while(u8::is_ascii_digit).count().min(18);
            (1..=digits).rev().find_map(|length| {
                let rest = matching(others, &text[length..])?;
                Some(Named { sequence: text[..length].parse().ok(), ..rest })
            })
        }
    }
}

/// The date that a text begins with, and its length: `20261014`, `2026-10-14`, `2026_10_14`.
fn date_of(text: &str) -> Option<(Date, usize)> {
    let digits = |range: Range<usize>| {
        let part = text.get(range)?;
        part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse::<u32>().ok()).flatten()
    };
    let date = |month: Range<usize>, day: Range<usize>| {
        Date::new(i32::try_from(digits(0..4)?).ok()?, digits(month)?, digits(day)?)
    };
    match text.as_bytes() {
        [_, _, _, _, b'-' | b'_' | b'.', _, _, b'-' | b'_' | b'.', ..] => Some((date(5..7, 8..10)?, 10)),
        _ => Some((date(4..6, 6..8)?, 8)),
    }
}

/// The gaps of a run, accepted or not. `first` is `None` before the records are read: then only names are looked at.
pub(super) fn gaps(settings: &Settings, month: Month, files: &[InputFile], first: Option<&FirstPass>) -> Vec<Gap> {
    let mut gaps = Vec::new();
    for (index, source) in settings.sources.iter().enumerate() {
        let own = |file: &&InputFile| file.source.index() == index;
        if let Some(expect) = &source.expect {
            let paths: Vec<(&str, &str)> =
                files.iter().filter(own).map(|file| (file.path.as_str(), file.sha256.as_str())).collect();
            gaps.extend(of_names(&source.id, expect, month, &paths));
        }
        for (file, result) in
            files.iter().zip(first.map_or(&[][..], |first| &first.files)).filter(|(file, _)| own(file))
        {
            of_file(&source.id, &file.path, result, source.expect.is_some(), &mut gaps);
        }
    }
    gaps
}

/// What names tell.
fn of_names(source: &str, expect: &Expect, month: Month, paths: &[(&str, &str)]) -> Vec<Gap> {
    let (first_day, next_month) = month.days();
    let window = first_day.yesterday()..=next_month;
    let mut named: Vec<(Named, &str, &str)> = Vec::new();
    let mut gaps = Vec::new();
    let gap = |what: &str, which: &str, words: String| Gap {
        name: format!("{source}:{what}:{which}"),
        what: words,
        accepted: None,
    };
    for (path, sha256) in paths {
        match expect.named(path) {
            None => gaps.push(gap(
                "name",
                path,
                format!("`{path}` is not named as the source's files are: is it one of them?"),
            )),
            Some(name) if name.date.is_none_or(|date| window.contains(&date)) => named.push((name, path, sha256)),
            Some(_) => {}
        }
    }
    if let Some(least) = expect.a_day {
        let mut day = first_day;
        while day < next_month {
            let is_weekend = matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday);
            let count = named.iter().filter(|(name, ..)| name.date == Some(day)).count() as u64;
            if count < least && (expect.weekends || !is_weekend) {
                let (year, number, of_month) = day.civil();
                let text = format!("{year:04}-{number:02}-{of_month:02}");
                gaps.push(gap("day", &text, format!("{text} has {count} of {least} files")));
            }
            day = day.tomorrow();
        }
    }
    of_sequence(expect, &mut named, &mut |what, which, words| gaps.push(gap(what, &which, words)));
    if gaps.len() > LISTED {
        let more = gaps.split_off(LISTED);
        let (from, until) = (more.first().map_or("", |gap| &gap.name), more.last().map_or("", |gap| &gap.name));
        let words = format!("and {} more, from {from} to {until}", more.len());
        gaps.push(gap("more", &more.len().to_string(), words));
    }
    gaps
}

/// Missing, repeated and restarted numbers. Files are looked at by date, and within a day in the order of their numbers.
fn of_sequence(
    expect: &Expect,
    named: &mut [(Named, &str, &str)],
    report: &mut dyn FnMut(&'static str, String, String),
) {
    let modulus = expect.wrap.map(|(after, to)| after - to + 1);
    let follows = |number: u64| match expect.wrap {
        Some((after, to)) if number == after => to,
        _ => number + 1,
    };
    named.sort_by(|one, other| (one.0.date, one.0.sequence, one.1).cmp(&(other.0.date, other.0.sequence, other.1)));
    let mut seen: BTreeMap<u64, (&str, &str)> = BTreeMap::new();
    let mut expected: Option<u64> = None;
    for day in named.chunk_by(|one, other| one.0.date == other.0.date) {
        let mut numbers: Vec<(u64, &str, &str)> =
            day.iter().filter_map(|(name, path, sha256)| Some((name.sequence?, *path, *sha256))).collect();
        let begin = expected.or_else(|| modulus.and_then(|_| begin_of(&numbers)));
        if let (Some(begin), Some(modulus)) = (begin, modulus) {
            // How far ahead of what is expected, going round.
            numbers.sort_by_key(|(number, path, _)| ((number + modulus - begin % modulus) % modulus, *path));
        }
        for (number, path, sha256) in numbers {
            if let Some((first, of_first)) = seen.get(&number)
                && (expected.is_none_or(|expected| expected != number) || modulus.is_none())
            {
                // The very same file twice is told elsewhere, and its records are duplicates.
                if *of_first != sha256 {
                    report(
                        "repeat",
                        path.to_owned(),
                        format!("`{path}` has the number {number} of `{first}`, and another content"),
                    );
                }
                continue;
            }
            match expected {
                Some(expected) if number != expected => {
                    let ahead = match modulus {
                        Some(modulus) => (number + modulus - expected % modulus) % modulus,
                        None => number.wrapping_sub(expected),
                    };
                    let backwards =
                        if modulus.is_some() { ahead > modulus.unwrap_or(0) / 2 } else { number < expected };
                    if backwards {
                        report(
                            "restart",
                            path.to_owned(),
                            format!("numbers begin again at {number} with `{path}`, where {expected} was expected"),
                        );
                    } else {
                        let last = match expect.wrap {
                            Some((after, to)) if number == to => after,
                            _ => number - 1,
                        };
                        let range = if last == expected { expected.to_string() } else { format!("{expected}-{last}") };
                        report(
                            "sequence",
                            range,
                            format!("{ahead} missing before `{path}`", ahead = files_words(ahead)),
                        );
                    }
                }
                _ => {}
            }
            seen.insert(number, (path, sha256));
            expected = Some(follows(number));
        }
    }
}

fn files_words(count: u64) -> String {
    if count == 1 { "1 file".to_owned() } else { format!("{count} files") }
}

/// Of numbers that may have wrapped among themselves, the one that follows the widest hole.
fn begin_of(numbers: &[(u64, &str, &str)]) -> Option<u64> {
    let sorted: BTreeSet<u64> = numbers.iter().map(|(number, ..)| *number).collect();
    let sorted: Vec<u64> = sorted.into_iter().collect();
    let widest =
        sorted.windows(2).max_by_key(|pair| pair[1] - pair[0]).filter(|pair| pair[1] - pair[0] > sorted.len() as u64);
    widest.map(|pair| pair[1]).or_else(|| sorted.first().copied())
}

/// What a file itself tells.
fn of_file(source: &str, path: &str, result: &FileResult, strict: bool, gaps: &mut Vec<Gap>) {
    let mut gap = |what: &str, words: String| {
        gaps.push(Gap { name: format!("{source}:{what}:{path}"), what: words, accepted: None })
    };
    let frames = &result.frames;
    if frames.begins > frames.ends {
        gap(
            "open",
            format!(
                "`{path}` begins {} times and ends {}: it was cut off, or fetched too early",
                frames.begins, frames.ends
            ),
        );
    } else if frames.ends > frames.begins && frames.begins > 0 {
        gap(
            "open",
            format!("`{path}` begins {} times and ends {}: its beginning is missing", frames.begins, frames.ends),
        );
    }
    if let Some(declared) = frames.declared.filter(|declared| *declared != frames.records) {
        gap("count", format!("`{path}` says that it has {declared} records and has {}", frames.records));
    }
    if !strict {
        return;
    }
    if let Some(damage) = &result.damage {
        gap("cut", format!("`{path}` is packed and ends early: {damage}"));
    }
    let cut = result.rejected.get(RejectReason::Truncated as usize).is_some_and(|count| *count > 0);
    if cut {
        gap("cut", format!("`{path}` ends inside a record"));
    }
}

/// What markers in a file said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Frames {
    /// How many markers begin it.
    pub(super) begins: u64,
    /// How many end it.
    pub(super) ends: u64,
    /// How many records it says it has.
    pub(super) declared: Option<u64>,
    /// How many it has, markers not counted.
    pub(super) records: u64,
}

impl Frames {
    /// Takes a marker into account.
    pub(super) fn add(&mut self, frame: crate::cdr::Frame) {
        if frame.end {
            self.ends += 1;
        } else {
            self.begins += 1;
        }
        // A header and a trailer may both say it: the trailer was written when it was known.
        if let Some(records) = frame.records
            && (frame.end || self.declared.is_none())
        {
            self.declared =
                Some(if frame.end && self.ends > 1 { self.declared.unwrap_or(0) + records } else { records });
        }
    }

    /// Adds what another chunk of the same file holds.
    pub(super) fn merge(&mut self, other: Self) {
        // A trailer's count stands before a header's, whichever chunk was read first.
        self.declared = match (self.declared, other.declared) {
            (Some(own), Some(others)) => Some(match (self.ends, other.ends) {
                (0, 1..) => others,
                (1.., 0) => own,
                _ => own.saturating_add(others),
            }),
            (own, others) => own.or(others),
        };
        self.begins += other.begins;
        self.ends += other.ends;
        self.records += other.records;
    }
}

/// Gaps that somebody has accepted: a table with the columns `gap`, `accepted_by` and `reason`.
#[derive(Debug, Default)]
pub struct Acceptances(Vec<Acceptance>);

#[derive(Debug)]
struct Acceptance {
    gap: String,
    by: String,
    reason: String,
    place: Label,
}

impl Acceptances {
    /// Reads the table.
    pub(super) fn read(source: &Arc<SourceText>, findings: &mut Findings) -> Self {
        let table = Table::read(source, &["gap", "accepted_by", "reason"], &[], findings);
        let [gap, by, reason] = ["gap", "accepted_by", "reason"].map(|name| table.column(name));
        let mut accepted = Vec::new();
        for row in table.rows() {
            let cells = [gap, by, reason].map(|column| row.required(column, findings).map(str::to_owned));
            if let [Some(name), Some(by), Some(reason)] = cells {
                accepted.push(Acceptance { gap: name, by, reason, place: row.label(gap, "no such gap") });
            }
        }
        Self(accepted)
    }

    /// Marks gaps that are accepted. What is accepted and is no gap (any more) is a warning.
    pub(super) fn apply(&self, gaps: &mut [Gap], warnings: &mut Findings) {
        for acceptance in &self.0 {
            match gaps.iter_mut().find(|gap| gap.name == acceptance.gap) {
                Some(gap) => gap.accepted = Some((acceptance.by.clone(), acceptance.reason.clone())),
                None => warnings.push(
                    Finding::warning("run.nothing_to_accept", format!("`{}` is accepted, and is no gap of this month", acceptance.gap))
                        .at(acceptance.place.clone())
                        .help("of another month, or filled in the meantime: nothing to do; else copy the gap's name from the message"),
                ),
            }
        }
    }
}

/// Findings for gaps: errors for those that nobody accepted, warnings for the others.
pub(super) fn findings(settings: &Settings, gaps: &[Gap]) -> Findings {
    let mut findings = Findings::default();
    for gap in gaps {
        let source = settings.sources.iter().find(|source| gap.name.split(':').next() == Some(&source.id));
        let place = source.and_then(|source| source.expect.as_ref()).map(|expect| expect.span.clone());
        let mend = match gap.name.split(':').nth(1) {
            Some("name") => "mend `name`, which has the whole name with its ending, or `files`,",
            _ => "fetch what is missing",
        };
        let mut finding = match &gap.accepted {
            Some((by, reason)) => {
                Finding::warning("run.gap_accepted", format!("{} (accepted by {by}: {reason})", gap.what))
            }
            None => Finding::error("run.incomplete", gap.what.clone()).help(format!(
                "{mend} and run again; or accept it in the table that `[completeness] accepted` names: `{},YOUR NAME,WHY`",
                gap.name
            )),
        };
        if let Some(span) = place {
            finding = finding.at(Label::new(&settings.source, span, gap.name.clone()));
        }
        findings.push(finding);
    }
    findings
}

/// A source as the manifest shows it: how many of its files are named as expected, and the first and last number and day.
pub(super) fn coverage(settings: &Settings, files: &[InputFile], source: SourceId) -> Option<serde_json::Value> {
    let settings = settings.sources.get(source.index())?;
    let expect = settings.expect.as_ref()?;
    let named: Vec<Named> =
        files.iter().filter(|file| file.source == source).filter_map(|file| expect.named(&file.path)).collect();
    let day = |date: Date| {
        let (year, month, day) = date.civil();
        format!("{year:04}-{month:02}-{day:02}")
    };
    Some(serde_json::json!({
        "source": settings.id,
        "files": named.len(),
        "first_day": named.iter().filter_map(|name| name.date).min().map(day),
        "last_day": named.iter().filter_map(|name| name.date).max().map(day),
        "lowest_number": named.iter().filter_map(|name| name.sequence).min(),
        "highest_number": named.iter().filter_map(|name| name.sequence).max(),
    }))
}

#[cfg(test)]
mod tests;
