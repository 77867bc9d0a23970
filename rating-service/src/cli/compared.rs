//! How a comparison looks: for `rating diff` and `rating run --what-if`.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use rating_core::aggregation::SideName;
use rating_core::money::Total;
use rating_core::report::{PublishedCall, PublishedSide};
use rating_core::run::compare::{Comparison, Line, Money, OneCall};
use rating_core::time::Instant;

use super::run::{counted, grouped_money, thousands};
use super::terminal::line;

/// How many lines of a table are shown; `--json` has them all.
const SHOWN: usize = 20;

/// `+0.66 GBP`, with thousands grouped.
pub(super) fn signed(total: Total, currency: &str) -> String {
    let text = grouped_money(total);
    let sign = if total.units() > 0 { "+" } else { "" };
    format!("{sign}{text} {currency}")
}

/// The differences of one side, by currency; a dash for none.
fn difference(money: &[Money], side: SideName) -> String {
    let of_side: Vec<String> = money
        .iter()
        .filter(|money| money.side == side)
        .map(|money| signed(money.amounts.difference(), money.currency.code()))
        .collect();
    if of_side.is_empty() { "-".to_owned() } else { of_side.join(", ") }
}

/// Rows of cells below each other; numbers to the right.
pub(super) fn columns(text: &mut String, head: &[&str], to_the_right: usize, rows: &[Vec<String>]) {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain([head.get(column).map_or(0, |cell| cell.chars().count())]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let head: Vec<String> = head.iter().map(|cell| (*cell).to_owned()).collect();
    for row in std::iter::once(&head).chain(rows) {
        let mut shown = String::from("  ");
        for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
            if column < to_the_right {
                let _ = write!(shown, "  {cell:>width$}");
            } else {
                let _ = write!(shown, "  {cell:<width$}");
            }
        }
        let _ = writeln!(text, "{}", shown.trim_end());
    }
}

fn table(text: &mut String, title: &str, lines: &[Line], name: &dyn Fn(&[String]) -> String) {
    if lines.is_empty() {
        return;
    }
    let _ = writeln!(text, "\n  {title}");
    let rows: Vec<Vec<String>> = lines
        .iter()
        .take(SHOWN)
        .map(|line_| {
            vec![
                thousands(line_.calls),
                difference(&line_.money, SideName::Retail),
                difference(&line_.money, SideName::Wholesale),
                line(&name(&line_.names)),
            ]
        })
        .collect();
    columns(text, &["calls", "occupiers pay", "the operator pays", ""], 3, &rows);
    if lines.len() > SHOWN {
        let _ = writeln!(text, "    and {} more, which --json lists too", thousands((lines.len() - SHOWN) as u64));
    }
}

fn join(names: &[String]) -> String {
    names.iter().filter(|name| !name.is_empty()).map(String::as_str).collect::<Vec<_>>().join("  ")
}

/// A side in a line: what it costs, and by what.
fn side(side: &PublishedSide<String>) -> String {
    let why = if side.charge.is_some() { &side.destination } else { &side.reason };
    match side.charge {
        Some(charge) => {
            let rate = side.rate.map_or_else(String::new, |rate| {
                format!(" at {rate}{}", side.per.map_or_else(String::new, |per| format!(" per {per}")))
            });
            format!("{charge} {} ({why}{rate})", side.currency)
        }
        None if why.is_empty() => side.status.clone(),
        None => why.clone(),
    }
}

fn one_call(text: &mut String, one: &OneCall) {
    let Some(call) = one.call() else { return };
    let at = call.charged_at.map_or_else(String::new, Instant::to_rfc3339);
    let number = if call.called.is_empty() { &call.dialled } else { &call.called };
    let _ = writeln!(
        text,
        "    {}  {} {}  {} -> {}  {}  {}",
        line(&call.call_id),
        line(&call.site),
        line(if call.payer.is_empty() { "(payer not known)" } else { &call.payer }),
        line(if call.extension.is_empty() { &call.calling } else { &call.extension }),
        line(number),
        at,
        call.duration
    );
    let _ = writeln!(text, "      {}: {}", one.cause.name(), line(&one.what));
    let none = || "no call".to_owned();
    type Of = fn(&PublishedCall<String>) -> &PublishedSide<String>;
    let sides: [(&str, Of); 2] = [("retail", |call| &call.retail), ("wholesale", |call| &call.wholesale)];
    for (name, of) in sides {
        let (before, after) = (one.before.as_ref().map(of), one.after.as_ref().map(of));
        if before != after {
            let words = |one: Option<&PublishedSide<String>>| one.map_or_else(none, side);
            let _ = writeln!(text, "      {name}: {} -> {}", line(&words(before)), line(&words(after)));
        }
    }
}

/// The comparison as text, from its totals down to single calls.
#[must_use]
pub(super) fn text(found: &Comparison) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "{}  {} -> {}\n", found.month, line(&found.before), line(&found.after));
    if found.inputs.is_empty() {
        let _ = writeln!(text, "  both are made from the same");
    } else {
        let _ = writeln!(text, "  what went in and is not the same");
    }
    for input in found.inputs.iter().take(SHOWN) {
        let _ = writeln!(text, "    {}", line(input));
    }
    if found.inputs.len() > SHOWN {
        let _ = writeln!(text, "    and {} more", found.inputs.len() - SHOWN);
    }
    let _ = writeln!(text);
    let rows: Vec<Vec<String>> = std::iter::once(vec![
        thousands(found.calls_before),
        thousands(found.calls_after),
        format!("+{} -{}", thousands(found.added), thousands(found.removed)),
        "calls".to_owned(),
    ])
    .chain(found.totals.iter().map(|money| {
        let who = if money.side == SideName::Retail { "occupiers pay" } else { "the operator pays" };
        vec![
            grouped_money(money.amounts.before),
            grouped_money(money.amounts.after),
            signed(money.amounts.difference(), money.currency.code()),
            who.to_owned(),
        ]
    }))
    .collect();
    columns(&mut text, &["before", "after", "difference", ""], 3, &rows);
    if found.moved > 0 {
        let _ = writeln!(text, "\n  {} the same, read from another place", counted(found.moved, "call"));
    }
    if found.is_same() {
        let _ = writeln!(text, "\n  no call is different");
        return text;
    }
    let _ = writeln!(
        text,
        "\n  {} added, {} removed, {} changed",
        thousands(found.added),
        thousands(found.removed),
        thousands(found.changed)
    );
    table(&mut text, "by cause", &found.causes, &join);
    let (more, less): (Vec<Line>, Vec<Line>) = found
        .occupiers
        .iter()
        .filter(|line| line.money.iter().any(|money| money.side == SideName::Retail))
        .cloned()
        .partition(|line| {
            let retail = line.money.iter().filter(|money| money.side == SideName::Retail);
            retail.map(|money| money.amounts.difference().units()).max().unwrap_or(0) > 0
        });
    table(&mut text, "occupiers who pay more", &more, &join);
    table(&mut text, "occupiers who pay less", &less, &join);
    let same: Vec<Line> =
        found.occupiers.iter().filter(|line| !more.contains(line) && !less.contains(line)).cloned().collect();
    table(&mut text, "whose own charges stay as they are", &same, &|names| match names {
        [site, payer] if payer.is_empty() => format!("{site}  (payer not known)"),
        names => join(names),
    });
    table(&mut text, "by site", &found.sites, &join);
    table(&mut text, "by destination", &found.destinations, &join);
    table(&mut text, "by day", &found.days, &join);
    table(&mut text, "suspended in one only", &found.suspended, &join);
    if !found.most.is_empty() {
        let _ = writeln!(text, "\n  the calls that explain most");
        for one in &found.most {
            one_call(&mut text, one);
        }
    }
    text
}

fn json_money(money: &[Money]) -> serde_json::Value {
    money
        .iter()
        .map(|money| {
            serde_json::json!({
                "side": money.side.name(),
                "currency": money.currency.code(),
                "before": money.amounts.before.to_string(),
                "after": money.amounts.after.to_string(),
                "difference": money.amounts.difference().to_string(),
            })
        })
        .collect()
}

fn json_call(call: &PublishedCall<String>) -> serde_json::Value {
    let side = |side: &PublishedSide<String>| {
        serde_json::json!({
            "status": side.status,
            "reason": side.reason,
            "tariff": side.tariff,
            "tariff_version": side.version,
            "destination": side.destination,
            "band": side.band,
            "rate": side.rate.map(|rate| rate.to_string()),
            "rate_per": side.per.map(|per| per.to_string()),
            "connection_charge": side.connection.map(|price| price.to_string()),
            "billed": side.billed.map(|billed| billed.to_string()),
            "charge": side.charge.map(|charge| charge.to_string()),
            "currency": side.currency,
        })
    };
    serde_json::json!({
        "call_id": call.call_id,
        "site": call.site,
        "payer": call.payer,
        "charged_at": call.charged_at.map(Instant::to_rfc3339),
        "extension": call.extension,
        "calling": call.calling,
        "dialled": call.dialled,
        "called": call.called,
        "duration": call.duration.to_string(),
        "source": call.source,
        "file": call.file,
        "record_offset": call.offset,
        "retail": side(&call.retail),
        "wholesale": side(&call.wholesale),
    })
}

/// The comparison as JSON; every line of every table.
#[must_use]
pub(super) fn json(found: &Comparison) -> serde_json::Value {
    let lines = |lines: &[Line], names: &[&str]| -> serde_json::Value {
        lines
            .iter()
            .map(|line| {
                let mut object: serde_json::Map<String, serde_json::Value> = (names.iter().zip(&line.names))
                    .map(|(key, name)| ((*key).to_owned(), name.as_str().into()))
                    .collect();
                object.insert("calls".to_owned(), line.calls.into());
                object.insert("money".to_owned(), json_money(&line.money));
                serde_json::Value::Object(object)
            })
            .collect()
    };
    serde_json::json!({
        "month": found.month.to_string(),
        "before": found.before,
        "after": found.after,
        "same": found.is_same(),
        "inputs": found.inputs,
        "calls": {
            "before": found.calls_before, "after": found.calls_after, "added": found.added, "removed": found.removed,
            "changed": found.changed, "moved": found.moved,
        },
        "totals": json_money(&found.totals),
        "causes": lines(&found.causes, &["cause", "what"]),
        "sites": lines(&found.sites, &["site"]),
        "occupiers": lines(&found.occupiers, &["site", "payer"]),
        "destinations": lines(&found.destinations, &["destination"]),
        "days": lines(&found.days, &["day"]),
        "suspended": lines(&found.suspended, &["what", "side", "reason"]),
        "calls_that_explain_most": found.most.iter().map(|one| serde_json::json!({
            "cause": one.cause.name(),
            "what": one.what,
            "before": one.before.as_ref().map(json_call),
            "after": one.after.as_ref().map(json_call),
        })).collect::<Vec<_>>(),
    })
}

/// A file for CSV that has its name only when it is whole.
pub(super) struct CsvFile {
    path: PathBuf,
    partial: PathBuf,
    file: BufWriter<File>,
}

impl CsvFile {
    /// Begins the file, if one is asked for.
    ///
    /// # Errors
    ///
    /// If the system refuses.
    pub(super) fn create(path: Option<&Path>) -> io::Result<Option<Self>> {
        let Some(path) = path else { return Ok(None) };
        let mut name = path.as_os_str().to_owned();
        name.push(".partial");
        let partial = PathBuf::from(name);
        let file = BufWriter::new(File::create(&partial)?);
        Ok(Some(Self { path: path.to_owned(), partial, file }))
    }

    /// Gives the file its name if all went well, and removes it otherwise.
    ///
    /// # Errors
    ///
    /// If the system refuses.
    pub(super) fn end(mut self, is_whole: bool) -> io::Result<()> {
        if !is_whole {
            return std::fs::remove_file(&self.partial);
        }
        self.file.flush()?;
        std::fs::rename(&self.partial, &self.path)
    }
}

impl Write for CsvFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
