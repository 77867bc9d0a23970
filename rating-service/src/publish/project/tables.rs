//! The files of a project that are made from rows: `rating.toml` and the tables.

use toml::{Table, Value};

use super::CDR;
use crate::publish::refusal::{Refusal, Result};
use crate::store::snapshot::{Limits, Site, Snapshot, Source, Usage};

/// What the settings of a source may not say: it follows from its row.
const KEYS_OF_SOURCES: [&str; 5] = ["id", "site", "format", "zone", "files"];

const OCCUPIERS: &str = "directory/occupiers.csv";
const CONTRACTS: &str = "directory/contracts.csv";
const SERVICES: &str = "directory/services.csv";
const NUMBERS: &str = "directory/numbers.csv";
const ALLOCATIONS: &str = "directory/allocations.csv";
const ACCOUNT_CODES: &str = "directory/account_codes.csv";
const ASSIGNMENTS: &str = "tables/assignments.csv";
const EXCHANGE_RATES: &str = "tables/exchange_rates.csv";
const ACCEPTED_GAPS: &str = "tables/accepted_gaps.csv";

/// The files, by path.
///
/// # Errors
///
/// If a source's settings are no TOML, or say what its row says.
pub(super) fn made(snapshot: &Snapshot) -> Result<Vec<(String, Vec<u8>)>> {
    let mut files = vec![("rating.toml".to_owned(), settings(snapshot)?.into_bytes())];
    let mut table = |path: &str, header: &[&str], rows: Vec<Vec<&str>>| -> Result<()> {
        files.push((path.to_owned(), csv(header, rows)?));
        Ok(())
    };
    let rows = snapshot.occupiers.iter().map(|row| cells([&row.id, &row.name, &row.billing_reference]));
    table(OCCUPIERS, &["id", "name", "billing_reference"], rows.collect())?;
    let rows = snapshot.contracts.iter().map(|row| cells([&row.id, &row.occupier, &row.site, &row.from, &row.until]));
    table(CONTRACTS, &["id", "occupier", "site", "from", "until"], rows.collect())?;
    let lines: Vec<String> = snapshot.services.iter().map(|row| row.lines.to_string()).collect();
    let rows = snapshot.services.iter().zip(&lines);
    let rows = rows.map(|(row, lines)| cells([&row.id, &row.contract, lines, &row.from, &row.until]));
    table(SERVICES, &["id", "contract", "lines", "from", "until"], rows.collect())?;
    let rows = snapshot.numbers.iter().map(|row| cells([&row.number, &row.last, &row.site, &row.kind]));
    table(NUMBERS, &["number", "last", "site", "kind"], rows.collect())?;
    let rows = snapshot.allocations.iter().map(|row| {
        let what = [&row.id, &row.holder, &row.site, &row.number, &row.last, &row.extension];
        [cells(what), cells([&row.from, &row.until, &row.recorded_at, &row.supersedes])].concat()
    });
    let header = ["id", "holder", "site", "number", "last", "extension", "from", "until", "recorded_at", "supersedes"];
    table(ALLOCATIONS, &header, rows.collect())?;
    // A code may begin with what would make a comment of the line, so it does not stand first.
    let rows =
        snapshot.account_codes.iter().map(|row| cells([&row.holder, &row.code, &row.site, &row.from, &row.until]));
    table(ACCOUNT_CODES, &["holder", "code", "site", "from", "until"], rows.collect())?;
    let rows = snapshot.assignments.iter().map(|row| {
        cells([&row.side, &row.payer, &row.site, &row.tariff, &row.from, &row.until, &row.quantity, &row.group])
    });
    let header = ["side", "payer", "site", "tariff", "from", "until", "quantity", "group"];
    table(ASSIGNMENTS, &header, rows.collect())?;
    let rows = snapshot.exchange_rates.iter();
    let rows = rows.map(|row| cells([&row.from_currency, &row.to_currency, &row.rate, &row.from, &row.until]));
    table(EXCHANGE_RATES, &["from_currency", "to_currency", "rate", "from", "until"], rows.collect())?;
    let rows = snapshot.accepted_gaps.iter().map(|row| cells([&row.gap, &row.accepted_by, &row.reason]));
    table(ACCEPTED_GAPS, &["gap", "accepted_by", "reason"], rows.collect())?;
    Ok(files)
}

fn cells<const N: usize>(cells: [&String; N]) -> Vec<&str> {
    cells.into_iter().map(String::as_str).collect()
}

/// A table, its rows sorted.
fn csv(header: &[&str], mut rows: Vec<Vec<&str>>) -> Result<Vec<u8>> {
    rows.sort_unstable();
    let mut writer = csv::WriterBuilder::new().comment(Some(b'#')).from_writer(Vec::new());
    writer.write_record(header).map_err(Refusal::internal)?;
    for row in rows {
        writer.write_record(row).map_err(Refusal::internal)?;
    }
    writer.into_inner().map_err(Refusal::internal)
}

/// `rating.toml`.
fn settings(snapshot: &Snapshot) -> Result<String> {
    let mut root = Table::new();
    let operator = &snapshot.operator;
    let named =
        [("id", &operator.id), ("name", &operator.name), ("currency", &operator.currency), ("zone", &operator.zone)];
    root.insert("operator".into(), Value::Table(texts(named.into_iter().filter(is_said))));
    let mut sites: Vec<&Site> = snapshot.sites.iter().collect();
    sites.sort_by(|left, right| left.id.cmp(&right.id));
    root.insert("site".into(), Value::Array(sites.into_iter().map(|site| Value::Table(self::site(site))).collect()));
    let mut sources: Vec<&Source> = snapshot.sources.iter().collect();
    sources.sort_by(|left, right| left.id.cmp(&right.id));
    let sources = sources.into_iter().map(|source| self::source(source).map(Value::Table));
    root.insert("source".into(), Value::Array(sources.collect::<Result<_>>()?));
    let directory = [
        ("occupiers", OCCUPIERS),
        ("contracts", CONTRACTS),
        ("services", SERVICES),
        ("numbers", NUMBERS),
        ("allocations", ALLOCATIONS),
        ("account_codes", ACCOUNT_CODES),
    ];
    root.insert("directory".into(), Value::Table(texts(directory)));
    root.insert("tariffs".into(), Value::Table(tariffs(snapshot)));
    root.insert("completeness".into(), Value::Table(texts([("accepted", ACCEPTED_GAPS)])));
    root.insert("reports".into(), Value::Table(reports(snapshot)));
    if let Some(usage) = &snapshot.usage {
        root.insert("usage".into(), Value::Table(self::usage(usage)?));
    }
    let limits = limits(&snapshot.limits);
    if !limits.is_empty() {
        root.insert("limits".into(), Value::Table(limits));
    }
    let text = toml::to_string(&root).map_err(Refusal::internal)?;
    Ok(format!(
        "# Made from the database. Changes here are lost, and the service will not run a project that was changed.\n{text}"
    ))
}

fn texts<'t, T: Into<String>>(pairs: impl IntoIterator<Item = (&'t str, T)>) -> Table {
    pairs.into_iter().map(|(key, text)| (key.to_owned(), Value::String(text.into()))).collect()
}

fn is_said(pair: &(&str, &String)) -> bool {
    !pair.1.is_empty()
}

fn list(texts: &[String]) -> Value {
    Value::Array(texts.iter().map(|text| Value::String(text.clone())).collect())
}

fn site(site: &Site) -> Table {
    let named = [
        ("id", &site.id),
        ("name", &site.name),
        ("zone", &site.zone),
        ("country", &site.country),
        ("area_code", &site.area_code),
    ];
    let mut table = texts(named.into_iter().filter(is_said));
    for (key, list_of) in
        [("outside_line", &site.outside_line), ("extensions", &site.extensions), ("holidays", &site.holidays)]
    {
        if !list_of.is_empty() {
            table.insert(key.into(), list(list_of));
        }
    }
    table
}

fn source(source: &Source) -> Result<Table> {
    let refuse = |why: String| {
        Refusal::new("publish.source_settings", format!("the settings of source `{}` cannot be used: {why}", source.id))
            .help("write further keys of a source, such as `trunks = [\"PJSIP/carrier*\"]`")
    };
    let mut table: Table =
        source.settings.parse().map_err(|error: toml::de::Error| refuse(error.message().to_owned()))?;
    if let Some(key) = KEYS_OF_SOURCES.iter().find(|key| table.contains_key(**key)) {
        return Err(refuse(format!("`{key}` has a field of its own")));
    }
    let own = [("id", &source.id), ("site", &source.site), ("format", &source.format), ("zone", &source.zone)];
    table.extend(texts(own));
    // The engine refuses the id if it is no name of a folder, so no sign in it means anything in a pattern.
    table.insert("files".into(), list(&[format!("{CDR}/{}/**", source.id)]));
    Ok(table)
}

fn tariffs(snapshot: &Snapshot) -> Table {
    let mut table = texts([("assignments", ASSIGNMENTS), ("exchange_rates", EXCHANGE_RATES)]);
    table.insert("files".into(), list(&["tariffs/**/*.toml".to_owned()]));
    let mut allowances: Vec<String> = snapshot.files.iter().map(|file| file.path.clone()).collect();
    allowances.retain(|path| path.starts_with("allowances/") && path.ends_with(".toml"));
    allowances.sort_unstable();
    if !allowances.is_empty() {
        table.insert("allowances".into(), list(&allowances));
    }
    if let Some(path) = &snapshot.opening_balances {
        table.insert("opening_balances".into(), Value::String(path.clone()));
    }
    table
}

fn reports(snapshot: &Snapshot) -> Table {
    let mut profiles = vec!["machine".to_owned()];
    if snapshot.reports.spreadsheet {
        profiles.push("spreadsheet".to_owned());
    }
    let mut table = Table::new();
    table.insert("csv".into(), list(&profiles));
    table.insert("payer_parquet".into(), Value::Boolean(snapshot.reports.payer_parquet));
    table
}

fn usage(usage: &Usage) -> Result<Table> {
    let lines = |lines: u64| i64::try_from(lines).map(Value::Integer).map_err(Refusal::internal);
    let mut table = texts([("price_per_month", &usage.price_per_month)]);
    table.insert("allowance".into(), lines(usage.allowance)?);
    if let Some((rule, step)) = &usage.rounding {
        table.insert("rounding".into(), Value::Table(texts([("rule", rule), ("step", step)])));
    }
    if !usage.sites.is_empty() {
        let sites = usage.sites.iter().map(|(site, count)| Ok((site.clone(), lines(*count)?)));
        table.insert("sites".into(), Value::Table(sites.collect::<Result<_>>()?));
    }
    Ok(table)
}

fn limits(limits: &Limits) -> Table {
    let stated = [("suspended", &limits.suspended), ("rejected", &limits.rejected)];
    texts(stated.into_iter().filter(is_said))
}
