//! `rating import cgrates DIR`: a CGRateS tariff-plan folder as tariffs, one for each profile.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use rating_core::money::Currency;
use rating_core::run::RunError;
use rating_core::run::quote::cgrates::{CgratesOptions, read_folder};
use rating_core::run::storage::Disk;
use rating_core::tariff::cgrates::{CgratesImport, CgratesTariff};
use rating_core::time::Zone;

use super::run::{self, counted};
use super::terminal::{complain, line};
use super::{Exit, fancy, findings, say};

/// How many lines of what is left out are shown for each tariff.
const SHOWN: usize = 5;

/// What is to be done.
pub(super) struct Request<'r> {
    pub(super) folder: &'r Path,
    pub(super) out: &'r Path,
    pub(super) currency: Option<&'r str>,
    pub(super) zone: Option<&'r str>,
    pub(super) write: bool,
    pub(super) with_rejects: bool,
    pub(super) json: bool,
}

pub(super) fn import(request: &Request<'_>, store: &dyn Fn(&Path, &str) -> Result<(), Exit>) -> Result<Exit, Exit> {
    let usage = |message: &str| run::fail(&RunError::Usage(message.to_owned()), request.json);
    let currency = request.currency.ok_or_else(|| {
        usage("the files do not say what their amounts are in: say --currency, with an ISO 4217 code such as EUR")
    })?;
    let currency = Currency::parse(currency).ok_or_else(|| usage(&format!("`{currency}` is no ISO 4217 code")))?;
    let zone = match request.zone {
        None => Zone::utc(),
        Some(name) => Zone::load(name).ok_or_else(|| usage(&format!("`{name}` is no IANA time zone")))?,
    };
    let mut options = CgratesOptions::new(request.folder.to_owned());
    options.zone = Some(zone.clone());
    let (plan, warnings) = read_folder(&Disk, &options).map_err(|error| run::fail(&error, request.json))?;
    let tariffs = plan.import(&CgratesImport { currency, zone: &zone });
    let outputs: Vec<(PathBuf, &str)> = tariffs
        .iter()
        .flat_map(|tariff| &tariff.files)
        .map(|(name, text)| (request.out.join(name), text.as_str()))
        .collect();
    for tariff in &tariffs {
        let found = tariff.check(&zone);
        if found.has_errors() {
            complain(&findings::render(&found, fancy()));
            complain("error: what was made of the folder is not accepted; nothing was written\n");
            return Err(Exit::Internal);
        }
    }
    let rejected = tariffs.iter().any(|tariff| !tariff.left_out.is_empty());
    let writes = request.write && (request.with_rejects || !rejected);
    if writes {
        if let Some((path, _)) = outputs.iter().find(|(path, _)| path.exists()) {
            return Err(usage(&format!("`{}` is there already; name another folder", path.display())));
        }
        for (path, text) in &outputs {
            store(path, text)?;
        }
    }
    let exit = if rejected && !(request.write && request.with_rejects) { Exit::AboveLimit } else { Exit::Ok };
    if request.json {
        let document = serde_json::json!({
            "tariffs": tariffs.iter().map(json).collect::<Vec<_>>(),
            "files": outputs.iter().map(|(path, _)| path.display().to_string()).collect::<Vec<_>>(),
            "written": writes,
            "warnings": findings::json(&warnings),
        });
        return Ok(say(&format!("{document:#}\n"), exit));
    }
    run::show_warnings(&warnings);
    let mut text = format!("{} as cgrates\n", line(&request.folder.display().to_string()));
    tariffs.iter().for_each(|tariff| report(tariff, &mut text));
    text.push('\n');
    for (path, content) in &outputs {
        let verb = if writes { "wrote" } else { "would write" };
        let lines = counted(content.lines().count() as u64, "line");
        let _ = writeln!(text, "{verb} {} ({lines})", line(&path.display().to_string()));
    }
    if outputs.is_empty() {
        text.push_str("nothing to write\n");
    } else if !request.write {
        text.push_str("dry run: nothing was written; --write writes\n");
    } else if !writes {
        text.push_str("nothing was written: rows are left out; say --with-rejects to write the others\n");
    }
    Ok(say(&text, exit))
}

fn report(tariff: &CgratesTariff, text: &mut String) {
    let profile = tariff.profile.join(", ");
    let rows = counted(tariff.priced as u64, "row");
    let _ = writeln!(text, "\n{} -> {} ({rows})", line(&profile), tariff.id);
    for note in &tariff.notes {
        let _ = writeln!(text, "  note: {}", line(note));
    }
    for left_out in tariff.left_out.iter().take(SHOWN) {
        let _ = writeln!(text, "  left out: {}", line(left_out));
    }
    if tariff.left_out.len() > SHOWN {
        let _ = writeln!(text, "  and {} more, which --json lists", tariff.left_out.len() - SHOWN);
    }
}

fn json(tariff: &CgratesTariff) -> serde_json::Value {
    let [tenant, category, subject] = &tariff.profile;
    serde_json::json!({
        "tenant": tenant, "category": category, "subject": subject, "id": tariff.id, "rows": tariff.priced,
        "left_out": tariff.left_out, "notes": tariff.notes,
    })
}
