//! The manifest: what a run was made from, what it made, and the control figures. It has no date and no machine in it,
//! so that the same inputs give the same bytes.

use serde_json::{Value, json};

use super::closing::Closed;
use super::control::{CallCounts, Counts};
use super::first_pass::FirstPass;
use super::month::{RunContext, SOFTWARE_VERSION};
use super::publish::{Published, PublishedFile, Stage};
use super::{Aside, Late, RunError, Summary};
use crate::aggregation::SideName;
use crate::finding::Findings;
use crate::money::{Currency, LEDGER_SCALE, Total};
use crate::time::{Instant, Month, ZONE_DATABASE_VERSION};

/// The version of the manifest's own layout.
pub(super) const LAYOUT: u64 = 1;

pub(super) fn write(
    run: &RunContext<'_>,
    summary: &Summary,
    first: &FirstPass,
    files: &[Counts],
    closed: &[Closed],
    published: &[PublishedFile],
) -> Vec<u8> {
    let inputs: Vec<Value> = run
        .files
        .iter()
        .zip(&first.files)
        .zip(files)
        .map(|((file, result), counts)| {
            json!({
                "source": run.project.settings.sources.get(file.source.index()).map(|source| source.id.as_str()),
                "path": file.path,
                "sha256": file.sha256,
                "bytes": file.bytes,
                "layout": result.layout,
                "refused": result.refused.as_ref().map(|(code, ..)| *code),
                "damaged": result.damage.is_some(),
                "records": counts_json(counts),
            })
        })
        .collect();
    let references: Vec<Value> = run
        .project
        .references
        .iter()
        .map(|reference| json!({ "path": reference.path, "sha256": reference.sha256, "role": reference.role }))
        .collect();
    let outputs: Vec<Value> =
        published.iter().map(|file| json!({ "path": file.path, "bytes": file.bytes, "sha256": file.sha256 })).collect();
    let mut manifest = json!({
        "manifest": LAYOUT,
        "month": run.month.to_string(),
        "run": run.id,
        "site": run.only.and_then(|site| run.project.settings.sites.get(site.index())).map(|site| site.id.as_str()),
        "directory_known_at": run.known_at.map(Instant::to_rfc3339),
        "software": SOFTWARE_VERSION,
        "zone_database": ZONE_DATABASE_VERSION,
        "inputs": inputs,
        "references": references,
        "outputs": outputs,
        "control": {
            "records": counts_json(&summary.records),
            "in_closed_months": { "settled": summary.in_closed_months.0, "suspended": summary.in_closed_months.1 },
            "calls": calls_json(&summary.calls),
            "retail": money(&summary.retail),
            "wholesale": money(&summary.wholesale),
            "near_duplicates": summary.near_duplicates,
            "above_limit": summary.above_limit,
        },
        "late": late_json(&summary.late),
        "closed_months": closed.iter().map(closed_json).collect::<Vec<Value>>(),
        "completeness": completeness(run, summary),
        "suspended": asides(&summary.suspended),
        "rejected": asides(&summary.rejected),
    });
    if run.retail_only {
        manifest["sides"] = json!("retail");
    }
    let mut bytes = format!("{manifest:#}").into_bytes();
    bytes.push(b'\n');
    bytes
}

/// What the sources' files cover, and the gaps that were accepted (in a draft, also those that were not).
fn completeness(run: &RunContext<'_>, summary: &Summary) -> Value {
    let settings = &run.project.settings;
    let sources: Vec<Value> =
        run.project.sources().filter_map(|source| super::completeness::coverage(settings, run.files, source)).collect();
    let gaps: Vec<Value> = summary
        .gaps
        .iter()
        .map(|gap| {
            let (by, reason) = gap.accepted.as_ref().map(|(by, reason)| (by.as_str(), reason.as_str())).unzip();
            json!({ "gap": gap.name, "what": gap.what, "accepted_by": by, "reason": reason })
        })
        .collect();
    json!({ "sources": sources, "gaps": gaps })
}

fn counts_json(counts: &Counts) -> Value {
    json!({
        "records": counts.records,
        "used": counts.used,
        "merged": counts.merged,
        "duplicate": counts.duplicate,
        "not_a_call": counts.not_a_call,
        "other_period": counts.other_period,
        "waiting": counts.waiting,
        "rejected": counts.rejected,
    })
}

fn calls_json(calls: &CallCounts) -> Value {
    json!({
        "calls": calls.calls,
        "rated": calls.rated,
        "not_chargeable": calls.not_chargeable,
        "suspended": calls.suspended,
    })
}

fn late_json(late: &[Late]) -> Value {
    let one = |late: &Late| {
        json!({
            "corrects": late.month.to_string(),
            "calls": calls_json(&late.calls),
            "retail": money(&late.retail),
            "wholesale": money(&late.wholesale),
        })
    };
    late.iter().map(one).collect()
}

/// A closed month whose books the run goes by.
fn closed_json(closed: &Closed) -> Value {
    json!({ "month": closed.month.to_string(), "run": closed.run, "manifest_sha256": closed.manifest_sha256 })
}

/// Amounts as exact decimal texts, by currency.
fn money(amounts: &[(Currency, Total)]) -> Value {
    Value::Object(
        amounts.iter().map(|(currency, total)| (currency.code().to_owned(), total.to_string().into())).collect(),
    )
}

fn asides(list: &[Aside]) -> Value {
    list.iter()
        .map(|aside| {
            json!({
                "code": aside.code,
                "side": aside.side.map(SideName::name),
                "count": aside.count,
                "example": aside.example,
                "looks_like": aside.looks_like,
                "at_stake": money(&aside.at_stake),
            })
        })
        .collect()
}

/// The summary of a run that is in force already, from its manifest.
///
/// # Errors
///
/// If the manifest is not one of this layout: somebody changed it.
pub(super) fn read_summary(
    bytes: &[u8],
    stage: &Stage<'_>,
    month: Month,
    run: String,
    warnings: Findings,
) -> Result<Summary, RunError> {
    let manifest: Value = serde_json::from_slice(bytes).unwrap_or_default();
    if manifest["manifest"] != json!(LAYOUT) || manifest["run"] != json!(run) {
        return Err(RunError::Internal(format!(
            "the manifest in `{}` is damaged: remove that version and run the month again",
            stage.version().display()
        )));
    }
    let control = &manifest["control"];
    let records = &control["records"];
    let calls = &control["calls"];
    let in_closed = &control["in_closed_months"];
    Ok(Summary {
        month,
        run,
        published: Published::Already,
        folder: stage.current(),
        records: Counts {
            records: count(records, "records"),
            used: count(records, "used"),
            merged: count(records, "merged"),
            duplicate: count(records, "duplicate"),
            not_a_call: count(records, "not_a_call"),
            other_period: count(records, "other_period"),
            waiting: count(records, "waiting"),
            rejected: count(records, "rejected"),
        },
        calls: read_calls(calls),
        retail: read_money(&control["retail"]),
        wholesale: read_money(&control["wholesale"]),
        suspended: read_asides(&manifest["suspended"]),
        rejected: read_asides(&manifest["rejected"]),
        late: read_late(&manifest["late"]),
        in_closed_months: (count(in_closed, "settled"), count(in_closed, "suspended")),
        closed: false,
        near_duplicates: count(control, "near_duplicates"),
        files: manifest["inputs"].as_array().map_or(0, Vec::len),
        warnings,
        gaps: read_gaps(&manifest["completeness"]["gaps"]),
        above_limit: control["above_limit"].as_bool().unwrap_or(false),
    })
}

fn count(of: &Value, key: &str) -> u64 {
    of[key].as_u64().unwrap_or(0)
}

fn read_calls(calls: &Value) -> CallCounts {
    CallCounts {
        calls: count(calls, "calls"),
        rated: count(calls, "rated"),
        not_chargeable: count(calls, "not_chargeable"),
        suspended: count(calls, "suspended"),
    }
}

fn read_late(value: &Value) -> Vec<Late> {
    let one = |late: &Value| {
        Some(Late {
            month: Month::parse(late["corrects"].as_str()?)?,
            calls: read_calls(&late["calls"]),
            retail: read_money(&late["retail"]),
            wholesale: read_money(&late["wholesale"]),
        })
    };
    value.as_array().into_iter().flatten().filter_map(one).collect()
}

fn read_gaps(value: &Value) -> Vec<super::completeness::Gap> {
    let text = |of: &Value| of.as_str().map(str::to_owned);
    let gaps = value.as_array().into_iter().flatten();
    gaps.map(|gap| super::completeness::Gap {
        name: text(&gap["gap"]).unwrap_or_default(),
        what: text(&gap["what"]).unwrap_or_default(),
        accepted: text(&gap["accepted_by"]).zip(text(&gap["reason"])),
    })
    .collect()
}

pub(super) fn read_money(value: &Value) -> Vec<(Currency, Total)> {
    let amounts = value.as_object().into_iter().flatten();
    amounts.filter_map(|(code, text)| Some((Currency::parse(code)?, total(text.as_str()?)?))).collect()
}

/// The inverse of [`Total`]'s text.
pub(super) fn total(text: &str) -> Option<Total> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let padded = format!("{whole}{fraction:0<width$}", width = LEDGER_SCALE as usize);
    Some(Total::from_units(padded.parse::<i128>().ok()?.checked_mul(sign)?))
}

fn read_asides(value: &Value) -> Vec<Aside> {
    let text = |of: &Value| of.as_str().unwrap_or("").to_owned();
    value
        .as_array()
        .into_iter()
        .flatten()
        .map(|aside| Aside {
            code: text(&aside["code"]),
            side: [SideName::Retail, SideName::Wholesale].into_iter().find(|side| aside["side"] == side.name()),
            count: aside["count"].as_u64().unwrap_or(0),
            example: text(&aside["example"]),
            looks_like: text(&aside["looks_like"]),
            at_stake: read_money(&aside["at_stake"]),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_come_back_from_their_text() {
        for units in [0, 1, -1, 254_166_667, -50_000_000_000, i128::from(i64::MAX) * 1_000] {
            assert_eq!(total(&Total::from_units(units).to_string()), Some(Total::from_units(units)));
        }
    }
}
