//! Numbers from a CSV file, with a finding for each row.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use rating_core::directory::lifecycle::{Command, CoolOff, Kind, Mode, Origin};
use serde::Deserialize;
use utoipa::IntoParams;

use super::wire;
use crate::app::App;
use crate::auth::Principal;
use crate::error::{Problem, Result};
use crate::http::extract::{Asked, Named};
use crate::http::sites::get as site_of;
use crate::numbering::{self, MOST};

/// How to import.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct How {
    /// Whether rows that can be taken are, if others cannot: otherwise all or none.
    #[serde(default)]
    each_by_itself: bool,
    /// Since when they are in the pool, a day at the site or an instant with its offset; left out, now.
    at: Option<String>,
    /// Only say what would become of each row.
    #[serde(default)]
    dry_run: bool,
}

/// A row that was understood: its place, and the numbers it names.
struct Row {
    place: usize,
    commands: Vec<(rating_core::number::E164, Command)>,
}

/// Takes numbers into a site's pool from a CSV file: columns `number`, and optionally `last` (of a range), `kind`
/// (`ddi`, `main`), `cool_off_days`.
///
/// Every row gets its finding in one pass. Nothing is taken if any row is wrong, unless asked to take each by itself.
#[utoipa::path(post, path = "/api/v1/sites/{site}/numbers/import", tag = "numbers",
    params(("site" = String, Path), How),
    request_body(content = String, content_type = "text/csv"),
    responses((status = 200, description = "What became of each number", body = wire::Outcomes), (status = 404), (status = 409), (status = 415), (status = 422)))]
pub(super) async fn import(
    State(app): State<App>,
    principal: Principal,
    Named(site): Named<String>,
    Asked(how): Asked<How>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Result<axum::Json<wire::Outcomes>> {
    let media = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !media.to_ascii_lowercase().starts_with("text/csv") {
        return Err(Problem::new("request.media_type", "the body must be `text/csv`"));
    }
    let (rows, mut outcomes) = read(&bytes)?;
    let is_whole = outcomes.is_empty();
    let mut change = app.store.change(&principal.actor(), app.clock.now()).await?;
    let site = site_of(change.on(), &site).await?;
    let at = super::commands::since(how.at.as_deref(), &site, change.at())?;
    let all: Vec<_> = rows.iter().flat_map(|row| row.commands.iter().cloned()).collect();
    let places: Vec<usize> = rows.iter().flat_map(|row| std::iter::repeat_n(row.place, row.commands.len())).collect();
    // Rows that cannot be read count: unless each goes by itself, they keep the others out.
    let mode = if how.each_by_itself { Mode::EachByItself } else { Mode::AllOrNothing };
    let batch = numbering::command(&mut change, &site, &all, mode, at).await?;
    let mut decided = super::commands::outcomes(&batch).outcomes;
    for (outcome, place) in decided.iter_mut().zip(&places) {
        outcome.row = Some(*place);
    }
    let is_whole = is_whole && batch.refusals().next().is_none();
    outcomes.extend(decided);
    outcomes.sort_by_key(|outcome| outcome.row);
    let refused = outcomes.iter().filter(|outcome| outcome.refused.is_some()).count();
    let takes = !how.dry_run && (how.each_by_itself || is_whole);
    if takes && batch.events().next().is_some() {
        change.commit().await?;
    } else if !how.dry_run && !is_whole {
        let errors = outcomes.into_iter().filter_map(|outcome| {
            let refused = outcome.refused?;
            let field = format!("row {}", outcome.row.unwrap_or_default());
            Some(crate::error::Fault { field, code: refused.code, detail: refused.detail, help: refused.help })
        });
        return Err(Problem::new("number.some_refused", format!("{refused} rows were refused, so none was taken"))
            .help("mend them, or send `each_by_itself=true`")
            .errors(errors.collect()));
    }
    Ok(axum::Json(wire::Outcomes { done: outcomes.len() - refused, refused, outcomes }))
}

/// Reads the file: rows that were understood, and findings for those that were not.
fn read(bytes: &[u8]) -> Result<(Vec<Row>, Vec<wire::Outcome>)> {
    let malformed = |what: String| Problem::new("request.body_malformed", what);
    let text = std::str::from_utf8(bytes)
        .map_err(|error| malformed(format!("the file is not UTF-8: byte {}", error.valid_up_to() + 1)))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(text.as_bytes());
    let columns = reader.headers().map_err(|error| malformed(error.to_string()))?.clone();
    const KNOWN: [&str; 4] = ["number", "last", "kind", "cool_off_days"];
    if let Some(unknown) = columns.iter().find(|column| !KNOWN.contains(column)) {
        return Err(malformed(format!("there is no column `{unknown}`")).help(KNOWN.join(", ")));
    }
    let place_of = |name: &str| columns.iter().position(|column| column == name);
    let Some(first) = place_of("number") else { return Err(malformed("the column `number` is missing".to_owned())) };
    let (last, kind, days) = (place_of("last"), place_of("kind"), place_of("cool_off_days"));
    let mut rows = Vec::new();
    let mut wrong = Vec::new();
    let mut count = 0;
    for (index, record) in reader.records().enumerate() {
        let place = index + 2;
        let record = record.map_err(|error| malformed(error.to_string()))?;
        let cell = |column: Option<usize>| column.and_then(|column| record.get(column)).filter(|cell| !cell.is_empty());
        let number = cell(Some(first)).unwrap_or_default();
        match row(number, cell(last), cell(kind), cell(days)) {
            Ok(commands) => {
                count += commands.len();
                rows.push(Row { place, commands });
            }
            Err(problem) => {
                let fault = problem.faults().first().cloned().unwrap_or_else(|| problem.clone().into_fault(""));
                wrong.push(wire::Outcome {
                    number: number.to_owned(),
                    row: Some(place),
                    happened: Vec::new(),
                    refused: Some(wire::Refused { code: fault.code, detail: fault.detail, help: fault.help }),
                });
            }
        }
        if count > MOST {
            return Err(
                Problem::new("request.invalid", format!("more than {MOST} numbers at once")).help("take them in parts")
            );
        }
    }
    Ok((rows, wrong))
}

fn row(
    number: &str,
    last: Option<&str>,
    kind: Option<&str>,
    days: Option<&str>,
) -> Result<Vec<(rating_core::number::E164, Command)>> {
    let kind = match kind {
        None => Kind::Direct,
        Some(word) => numbering::kind(word).ok_or_else(|| {
            Problem::new("request.invalid", format!("`{word}` is no kind of number")).help("ddi, main")
        })?,
    };
    let cool_off = match days {
        None => None,
        Some(text) => Some(
            text.parse()
                .ok()
                .and_then(CoolOff::new)
                .ok_or_else(|| Problem::new("number.cool_off_malformed", format!("`{text}` days are not 1 to 999")))?,
        ),
    };
    let command = Command::Provision { kind, origin: Origin::Own, cool_off };
    Ok(numbering::range(number, last)?.into_iter().map(|number| (number, command.clone())).collect())
}
