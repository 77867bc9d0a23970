//! What was not rated, gathered for the exceptions report and the closing table.

use std::collections::BTreeMap;

use super::Aside;
use super::between::{Joined, LegFate};
use super::codes;
use super::control::Counts;
use super::first_pass::{FirstPass, InputFile, RejectedRecord};
use super::history::HistoryCounts;
use super::month::RunContext;
use super::second_pass::SecondPass;
use crate::aggregation::{Amounts, ReasonKey, ReasonSums, SideName};
use crate::cdr::{NotACall, RejectReason};
use crate::ids::SourceId;
use crate::mediation::WaitsFor;
use crate::money::{Currency, Total};
use crate::report::{Exception, ExceptionKind};
use crate::source::RecordId;

/// Everything listed.
pub(super) struct Listed<'r> {
    reasons: Vec<(ReasonKey, &'r ReasonSums)>,
    others: Vec<Other>,
    /// Suspended calls, for the closing table.
    pub(super) suspended: Vec<Aside>,
    /// Rejected records, for the closing table.
    pub(super) rejected: Vec<Aside>,
    /// Records that the books of closed months know.
    pub(super) history: HistoryCounts,
}

struct Other {
    kind: ExceptionKind,
    code: &'static str,
    source: Option<SourceId>,
    count: u64,
    record: Option<RecordId>,
    number: Option<u64>,
}

impl Listed<'_> {
    /// The lines of the report.
    pub(super) fn lines(&self) -> Vec<Exception<'_>> {
        let reasons = self.reasons.iter().map(|(key, sums)| Exception::suspended(*key, sums, codes::help(key.code)));
        let others = self.others.iter().map(|other| Exception {
            site: None,
            source: other.source,
            kind: other.kind,
            side: None,
            code: other.code,
            count: other.count,
            record: other.record,
            record_number: other.number,
            dialled: None,
            duration: None,
            at_stake: Amounts::default(),
            help: codes::help(other.code),
        });
        reasons.chain(others).collect()
    }
}

/// Gathers what was not rated.
pub(super) fn collect<'r>(
    run: &RunContext<'r>,
    first: &FirstPass,
    joined: &Joined,
    second: &'r SecondPass,
    files: &[Counts],
) -> Listed<'r> {
    let reasons = second.aggregate.suspended();
    let mut others = rejected(run.files, first);
    let source = |record: RecordId| run.files.get(record.file() as usize).map(|file| file.source);
    let mut other = |kind, code, count, record: Option<RecordId>| {
        if count > 0 {
            let source = record.and_then(source);
            others.push(Other { kind, code, source, count, record, number: None });
        }
    };
    let sum = |of: fn(&Counts) -> u64| files.iter().map(of).sum::<u64>();
    other(
        ExceptionKind::NearDuplicate,
        "run.near_duplicate",
        second.near.len() as u64,
        second.near.iter().map(|(record, _)| *record).min(),
    );
    let leg = |fate: LegFate| joined.legs.iter().filter(|(_, of)| *of == fate).map(|(record, _)| *record).min();
    let duplicate = joined.duplicates.first().map(|bits| RecordId::from_bits(*bits));
    other(
        ExceptionKind::Duplicate,
        "run.exact_duplicate",
        sum(|counts| counts.duplicate),
        duplicate.into_iter().chain(leg(LegFate::Duplicate)).min(),
    );
    for waits_for in WaitsFor::ALL {
        let fate = LegFate::Waiting(waits_for);
        let count = joined.legs.iter().filter(|(_, of)| *of == fate).count() as u64;
        other(ExceptionKind::NotRated, waits_for.code(), count, leg(fate));
    }
    other(ExceptionKind::NotRated, "run.merged_leg", sum(|counts| counts.merged), leg(LegFate::Merged));
    let mut history = joined.history;
    history.merge(&first.history);
    let elsewhere = sum(|counts| counts.other_period) - history.settled - history.still_suspended;
    other(ExceptionKind::NotRated, "run.other_period", elsewhere, None);
    other(ExceptionKind::NotRated, "run.in_closed_month", history.settled, None);
    other(ExceptionKind::NotRated, "run.suspended_in_closed_month", history.still_suspended, history.first_suspended);
    for (why, count) in NotACall::ALL.into_iter().zip(first.not_a_call) {
        other(ExceptionKind::NotRated, why.code(), count, None);
    }
    let suspended = suspended_asides(run.files, &reasons);
    let rejected = rejected_asides(run.files, first, &others);
    Listed { reasons, others, suspended, rejected, history }
}

/// One line for each source and reason, with the first record.
fn rejected(files: &[InputFile], first: &FirstPass) -> Vec<Other> {
    let mut lines: BTreeMap<(SourceId, &'static str), Other> = BTreeMap::new();
    let mut add = |source: SourceId, code: &'static str, count: u64, example: Option<(RecordId, Option<u64>)>| {
        let line = lines.entry((source, code)).or_insert_with(|| Other {
            kind: ExceptionKind::Rejected,
            code,
            source: Some(source),
            count: 0,
            record: None,
            number: None,
        });
        line.count += count;
        if line.record.is_none() {
            (line.record, line.number) = example.map_or((None, None), |(record, number)| (Some(record), number));
        }
    };
    let mut examples: BTreeMap<(u32, &'static str), &RejectedRecord> = BTreeMap::new();
    for reject in &first.rejects {
        examples.entry((reject.id.file(), reject.reason.code())).or_insert(reject);
    }
    for ((index, file), result) in (0_u32..).zip(files).zip(&first.files) {
        for (reason, count) in RejectReason::ALL.into_iter().zip(result.rejected).filter(|(_, count)| *count > 0) {
            let example = examples.get(&(index, reason.code()));
            add(file.source, reason.code(), count, example.map(|reject| (reject.id, Some(reject.number))));
        }
    }
    for (index, (file, result)) in files.iter().zip(&first.files).enumerate() {
        if let Some((code, ..)) = &result.refused {
            let place = u32::try_from(index).ok().and_then(|index| RecordId::new(index, 0));
            add(file.source, code, 1, place.map(|place| (place, None)));
        }
    }
    lines.into_values().collect()
}

/// Suspended calls by side and reason, over all sites.
fn suspended_asides(files: &[InputFile], reasons: &[(ReasonKey, &ReasonSums)]) -> Vec<Aside> {
    type Stake = BTreeMap<Currency, Total>;
    let mut asides: BTreeMap<(SideName, &str), (u64, &ReasonSums, Stake)> = BTreeMap::new();
    for (key, sums) in reasons {
        let (count, example, stake) = asides.entry((key.side, key.code)).or_insert_with(|| (0, sums, BTreeMap::new()));
        *count += sums.calls;
        if sums.example.record < example.example.record {
            *example = sums;
        }
        for (currency, sum) in sums.at_stake.iter() {
            let total = stake.entry(currency).or_default();
            *total = total.plus(sum.total);
        }
    }
    asides
        .into_iter()
        .map(|((side, code), (count, sums, stake))| Aside {
            code: code.to_owned(),
            side: Some(side),
            count,
            example: place(files, sums.example.record, None),
            looks_like: String::from_utf8_lossy(&sums.example.dialled).into_owned(),
            at_stake: stake.into_iter().collect(),
        })
        .collect()
}

fn rejected_asides(files: &[InputFile], first: &FirstPass, others: &[Other]) -> Vec<Aside> {
    others
        .iter()
        .filter(|other| other.kind == ExceptionKind::Rejected)
        .map(|other| {
            let shown = first.rejects.iter().find(|reject| Some(reject.id) == other.record);
            let refused = || {
                files.iter().zip(&first.files).find_map(|(file, result)| {
                    let (code, words, _) = result.refused.as_ref()?;
                    (*code == other.code).then(|| (file.path.clone(), words.clone()))
                })
            };
            let (example, looks_like) = match (other.record, shown) {
                (Some(record), Some(reject)) => {
                    let text: String = String::from_utf8_lossy(&reject.shown).chars().take(60).collect();
                    (place(files, record, Some(reject.number)), format!("`{}`", printable(&text)))
                }
                _ => refused().unwrap_or_default(),
            };
            Aside {
                code: other.code.to_owned(),
                side: None,
                count: other.count,
                example,
                looks_like,
                at_stake: Vec::new(),
            }
        })
        .collect()
}

/// Text for a terminal: control characters replaced.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// `file:record` where the number is known, else `file@offset`.
fn place(files: &[InputFile], record: RecordId, number: Option<u64>) -> String {
    let file = files.get(record.file() as usize).map_or("", |file| file.path.as_str());
    match number {
        Some(number) => format!("{file}:{number}"),
        None => format!("{file}@{}", record.offset()),
    }
}

/// The rejected records one by one (at most `limit`), as machine CSV: file, record number, byte offset, reason, column at
/// fault, and the beginning of the record as it was written (what is not UTF-8 as U+FFFD). Files that were refused as a whole
/// follow, with the reason in words.
pub(super) fn rejected_records(run: &RunContext<'_>, first: &FirstPass, limit: usize) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    // Writing to memory cannot fail.
    let _ = writer.write_record(["file", "record", "offset", "reason", "column", "text"]);
    for reject in first.rejects.iter().take(limit) {
        let file = printable(run.files.get(reject.id.file() as usize).map_or("", |file| file.path.as_str()));
        let column = if reject.column == 0 { String::new() } else { reject.column.to_string() };
        let text = printable(&String::from_utf8_lossy(&reject.shown));
        let _ = writer.write_record([
            &file,
            &reject.number.to_string(),
            &reject.id.offset().to_string(),
            reject.reason.code(),
            &column,
            &text,
        ]);
    }
    for (file, result) in run.files.iter().zip(&first.files) {
        if let Some((code, words, _)) = &result.refused {
            let _ = writer.write_record([printable(&file.path).as_str(), "", "0", code, "", words]);
        }
    }
    writer.into_inner().unwrap_or_default()
}
