//! `rating inspect`: what a file of call records is, and the settings to read it by.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;
use rating_core::cdr::Format;
use rating_core::cdr::{Options, Template};
use rating_core::finding::{Findings, SourceText};
use rating_core::run::RunError;
use rating_core::run::inspect::{Inspection, Known, inspect, source_blocks};
use rating_core::run::storage::{Disk, Storage};
use serde_json::{Value, json};

use super::{Exit, run, say};

pub(super) const EXAMPLES: &str = "\
Examples:
  rating inspect Master.csv                     what is it, what is in it, and the [[source]] block to paste
  rating inspect cdr/ldn/*.csv.gz               several files of one switch
  rating inspect --format mitel-3300 --year 2026 smdr.log
  rating inspect --columns src_user,dst_ouser,dst_user acc.log
  rating inspect --template switches/acme.toml calls.txt
  rating inspect Master.csv --json";

/// Arguments of `rating inspect`.
#[derive(Debug, Args)]
pub(super) struct InspectArguments {
    /// Files as the switch wrote them, packed with gzip or zstd or not
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Read them as this format, whatever they look like
    #[arg(long, value_name = "FORMAT", value_parser = format)]
    format: Option<Format>,
    /// Their layout, as in a source's settings
    #[arg(long, value_name = "NAME")]
    layout: Option<String>,
    /// Their columns in order, as in a source's settings
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    columns: Vec<String>,
    /// The year of dates that have none
    #[arg(long, value_name = "YYYY", value_parser = clap::value_parser!(i32).range(1990..=2089))]
    year: Option<i32>,
    /// Read them by this template (docs/templates.md)
    #[arg(long, value_name = "FILE")]
    template: Option<PathBuf>,
    /// What was found as JSON
    #[arg(long)]
    json: bool,
}

fn format(text: &str) -> Result<Format, String> {
    Format::from_name(text).ok_or_else(|| {
        let names: Vec<&str> = Format::ALL.iter().map(|format| format.name()).collect();
        format!("the formats are {}", names.join(", "))
    })
}

/// Looks at the files one by one. Exits with 4 if one of them cannot be read as any format.
pub(super) fn look(arguments: &InspectArguments) -> Exit {
    let known = match known(arguments) {
        Ok(known) => known,
        Err(error) => return run::fail(&error, arguments.json),
    };
    let mut found = Vec::new();
    for path in &arguments.files {
        match inspect(&Disk, path, &known) {
            Ok(inspection) => found.push(inspection),
            Err(error) => return run::fail(&error, arguments.json),
        }
    }
    let exit = if found.iter().any(|one| one.refused.is_some()) { Exit::AboveLimit } else { Exit::Ok };
    let blocks = source_blocks(&found, &known);
    if arguments.json {
        let files: Vec<Value> = found.iter().map(as_json).collect();
        return say(&format!("{:#}\n", json!({ "files": files, "source_blocks": blocks })), exit);
    }
    let mut text = String::new();
    for inspection in &found {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{inspection}");
    }
    if !blocks.is_empty() {
        text.push_str("To paste into rating.toml, with what is written in capitals filled in:\n\n");
        text.push_str(&blocks.join("\n"));
    }
    say(&text, exit)
}

/// What the command line says of the files.
fn known(arguments: &InspectArguments) -> Result<Known, RunError> {
    let mut options = Options {
        layout: arguments.layout.clone(),
        columns: arguments.columns.clone(),
        year: arguments.year,
        ..Options::default()
    };
    if let Some(path) = &arguments.template {
        let name = path.display().to_string();
        let content = Disk.read(path)?;
        let text = String::from_utf8(content).map_err(|_| RunError::Usage(format!("`{name}` is not UTF-8")))?;
        let mut findings = Findings::default();
        match Template::read(&SourceText::new(name, text), &mut findings) {
            Some(template) if !findings.has_errors() => options.template = Some(template.into()),
            _ => return Err(RunError::Invalid(findings)),
        }
    }
    let format = arguments.format;
    if let (Some(format), Some(layout)) = (format, &arguments.layout)
        && !format.layouts().contains(&layout.as_str())
    {
        let layouts = format.layouts().join(", ");
        return Err(RunError::Usage(format!("`{}` has no layout `{layout}`; it has {layouts}", format.name())));
    }
    Ok(Known { format, options })
}

fn as_json(found: &Inspection) -> Value {
    let signs: Vec<Value> = found
        .signs
        .iter()
        .map(|(format, sign)| {
            json!({ "format": format.name(), "layout": sign.layout, "certainty": sign.certainty, "because": sign.because })
        })
        .collect();
    let tally = &found.tally;
    let rejected: Vec<Value> = tally
        .rejected
        .iter()
        .map(|(code, (count, offset, column))| json!({ "code": code, "count": count, "first_offset": offset, "column": column }))
        .collect();
    let oddities: Vec<Value> = tally
        .oddities
        .iter()
        .map(|odd| json!({ "what": odd.what, "count": odd.count, "first_offset": odd.first }))
        .collect();
    let [outbound, inbound, internal, forwarded, untold] = tally.ways;
    json!({
        "path": found.path,
        "bytes": found.bytes,
        "packed": found.packed,
        "format": found.format.map(Format::name),
        "layout": found.layout,
        "signs": signs,
        "refused": found.refused.as_ref().map(|(what, help)| json!({ "what": what, "help": help })),
        "text": found.text,
        "first_line": found.first_line,
        "clock_minutes_ahead_of_utc": found.clock.map(|(minutes, ..)| minutes),
        "clock_evidence": found.clock.map(|(_, evidence, _)| evidence),
        "zones": found.zones,
        "records": tally.records,
        "answered": tally.answered,
        "unanswered": tally.unanswered,
        "duplicates": tally.duplicates,
        "parts": tally.parts,
        "not_calls": tally.not_calls,
        "rejected": rejected,
        "direction": {
            "outbound": outbound, "inbound": inbound, "internal": internal, "forwarded": forwarded, "not_told": untold,
        },
        "first": tally.first_and_last.as_ref().map(|(first, _)| first),
        "last": tally.first_and_last.as_ref().map(|(_, last)| last),
        "utc": tally.is_utc(),
        "talk_ms": tally.talk.as_millis(),
        "minutes_only": tally.minutes_only,
        "damage": tally.damage,
        "lines": tally.lines,
        "contexts": tally.contexts,
        "oddities": oddities,
        "sketch": found.sketch,
    })
}
