//! Rows of a published report, read from its machine CSV as texts, and what of them is shown.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use rating_core::report::parquet::read_rows;
use rating_core::report::{Itemised, Kind, Report};
use rating_core::time::Zone;

use super::super::decimal::{shown, units};
use super::visible;

/// A column that is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Column {
    /// Its name.
    pub(super) name: &'static str,
    /// What it holds.
    pub(super) kind: Kind,
}

/// Cells of a row, those of the columns that are shown; `None` is a null.
pub(super) type Cells<'r> = Vec<Option<Cow<'r, str>>>;

/// What is shown of a report.
#[derive(Clone, Debug)]
pub(super) struct Shape {
    /// Which report it is.
    pub(super) report: Report,
    /// The columns, if only some are shown.
    pub(super) columns: Option<Vec<&'static str>>,
    /// Whether numbers at the other end are masked.
    pub(super) masks: bool,
    /// The sites whose rows are shown, if not all are.
    pub(super) sites: Option<BTreeSet<String>>,
    /// The payers whose rows are shown, if not all are.
    pub(super) payers: Option<BTreeSet<String>>,
    /// The site's clock, where the report is published as Parquet alone.
    pub(super) zone: Option<Zone>,
    /// The last day of the month that is shown, where a report has a column for each day.
    pub(super) last_day: Option<u32>,
}

impl Shape {
    /// All of a report.
    pub(super) const fn whole(report: Report) -> Self {
        Self { report, columns: None, masks: false, sites: None, payers: None, zone: None, last_day: None }
    }
}

/// A published report being read.
pub(super) struct Rows<'s> {
    input: Input<'s>,
    plan: Plan<'s>,
}

enum Input<'s> {
    Csv(BufReader<File>),
    Parquet(File, &'s Zone),
}

/// Which cells of a row are shown, and how.
struct Plan<'s> {
    shape: &'s Shape,
    columns: Vec<Column>,
    /// Where each stands in the file.
    places: Vec<usize>,
    site: Option<usize>,
    payer: Option<usize>,
    /// Where the payer's own extension and number stand.
    own: [Option<usize>; 2],
    row: Option<usize>,
}

fn damaged(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("a published report is not what it should be: {why}"))
}

impl<'s> Rows<'s> {
    /// Opens a report: its machine CSV, or all calls of a site as Parquet.
    pub(super) fn open(path: &Path, shape: &'s Shape) -> io::Result<Self> {
        let file = File::open(path)?;
        if let Some(zone) = &shape.zone {
            let schema = Itemised::site_schema();
            let header: Vec<Option<&str>> = schema.columns.iter().map(|column| Some(column.name)).collect();
            return Ok(Self { input: Input::Parquet(file, zone), plan: Plan::new(&header, shape)? });
        }
        let mut reader = BufReader::with_capacity(1 << 16, file);
        let mut line = Vec::new();
        reader.read_until(b'\n', &mut line)?;
        let mut header: Vec<Option<String>> = Vec::new();
        split(&line, &mut header)?;
        let plan = Plan::new(&texts(&header), shape)?;
        Ok(Self { input: Input::Csv(reader), plan })
    }

    /// What is shown.
    pub(super) fn columns(&self) -> &[Column] {
        &self.plan.columns
    }

    /// Shows every row to `see`: its cells, and whether it is a total row.
    pub(super) fn each(self, see: &mut dyn FnMut(&Cells<'_>, bool) -> io::Result<()>) -> io::Result<()> {
        let Self { input, plan } = self;
        let mut show = |cells: &[Option<&str>]| match plan.show(cells) {
            Some((cells, is_total)) => see(&cells, is_total),
            None => Ok(()),
        };
        match input {
            Input::Parquet(file, zone) => {
                let schema = Itemised::site_schema();
                let columns: Vec<(&str, Kind)> =
                    schema.columns.iter().map(|column| (column.name, column.kind)).collect();
                read_rows(file, &columns, zone, None, &mut show)
            }
            Input::Csv(mut reader) => {
                let (mut line, mut cells) = (Vec::new(), Vec::new());
                loop {
                    line.clear();
                    if reader.read_until(b'\n', &mut line)? == 0 {
                        return Ok(());
                    }
                    split(&line, &mut cells)?;
                    show(&texts(&cells))?;
                }
            }
        }
    }
}

fn texts(cells: &[Option<String>]) -> Vec<Option<&str>> {
    cells.iter().map(Option::as_deref).collect()
}

impl<'s> Plan<'s> {
    fn new(header: &[Option<&str>], shape: &'s Shape) -> io::Result<Self> {
        let place = |name: &str| header.iter().position(|column| *column == Some(name));
        let shown: Vec<&str> = match &shape.columns {
            Some(columns) => columns.clone(),
            None => header.iter().copied().flatten().collect(),
        };
        let (mut columns, mut places) = (Vec::new(), Vec::new());
        for name in shown {
            // A report of an earlier version may lack a column that is shown today.
            let Some(at) = place(name) else { continue };
            let day = name.strip_prefix("day_").and_then(|day| day.parse::<u32>().ok());
            if day.zip(shape.last_day).is_some_and(|(day, last)| day > last) {
                continue;
            }
            let (name, kind) = visible::column(name).ok_or_else(|| damaged("it has a column that nobody knows"))?;
            columns.push(Column { name, kind });
            places.push(at);
        }
        let own = ["extension", "number"].map(place);
        let payer = place("client_id").or_else(|| place("payer_id"));
        Ok(Self { shape, columns, places, site: place("site"), payer, own, row: place("row") })
    }

    /// A row as it is shown; `None` if it is not.
    fn show<'r>(&self, cells: &[Option<&'r str>]) -> Option<(Cells<'r>, bool)> {
        let cell = |at: Option<usize>| at.and_then(|at| cells.get(at)).copied().flatten();
        if let Some(sites) = &self.shape.sites
            && !cell(self.site).is_some_and(|site| sites.contains(site))
        {
            return None;
        }
        if let Some(payers) = &self.shape.payers
            && !cell(self.payer).is_some_and(|payer| payers.contains(payer))
        {
            return None;
        }
        let has_totals = matches!(self.shape.report, Report::Destinations | Report::Margin);
        let is_total = has_totals && matches!(cell(self.row), Some("total" | "all clients"));
        let own = self.own.map(cell);
        let shown = self.columns.iter().zip(&self.places).map(|(column, at)| {
            let text = cell(Some(*at))?;
            let masks = self.shape.masks && visible::names_other_end(column.name) && !own.contains(&Some(text));
            Some(if masks { Cow::Owned(visible::masked(text)) } else { Cow::Borrowed(text) })
        });
        Some((shown.collect(), is_total))
    }
}

/// Splits a line of machine CSV. An empty cell is a null, `""` an empty text; no cell has an end of line in it.
fn split(line: &[u8], cells: &mut Vec<Option<String>>) -> io::Result<()> {
    let line = line.strip_suffix(b"\r\n").ok_or_else(|| damaged("a line has no end"))?;
    let line = std::str::from_utf8(line).map_err(|_| damaged("a line is not UTF-8"))?;
    cells.clear();
    let mut rest = line;
    loop {
        let (cell, after) = match rest.strip_prefix('"') {
            Some(quoted) => {
                let mut text = String::new();
                let mut left = quoted;
                loop {
                    let (before, after) = left.split_once('"').ok_or_else(|| damaged("a quote is not closed"))?;
                    text.push_str(before);
                    match after.strip_prefix('"') {
                        Some(more) => {
                            text.push('"');
                            left = more;
                        }
                        None => break (Some(text), after),
                    }
                }
            }
            None => {
                let end = rest.find(',').unwrap_or(rest.len());
                let (cell, after) = rest.split_at(end);
                (Some(cell.to_owned()).filter(|cell| !cell.is_empty()), after)
            }
        };
        cells.push(cell);
        match after.strip_prefix(',') {
            Some(more) => rest = more,
            None if after.is_empty() => return Ok(()),
            None => return Err(damaged("something follows a quoted cell")),
        }
    }
}

/// Sums of the columns that can be added up: one total row for each currency.
pub(super) struct Sums {
    columns: Vec<Column>,
    /// By currency, then column.
    totals: BTreeMap<String, BTreeMap<usize, i128>>,
    /// The sites of the rows.
    sites: BTreeSet<String>,
}

impl Sums {
    pub(super) fn new(columns: &[Column]) -> Self {
        Self { columns: columns.to_vec(), totals: BTreeMap::new(), sites: BTreeSet::new() }
    }

    /// The column that says in which currency an amount is.
    fn currency_of(name: &str) -> &'static str {
        match name {
            "operator_amount" | "operator_cost" => "operator_currency",
            "margin" => "margin_currency",
            _ => "currency",
        }
    }

    /// Whether sums of a column mean anything.
    fn adds_up(column: &Column) -> bool {
        match column.kind {
            Kind::Amount => true,
            Kind::Seconds => !column.name.ends_with("rate_per_s"),
            Kind::Integer => {
                !column.name.ends_with("version") && !column.name.contains("record") && !column.name.contains("offset")
            }
            _ => false,
        }
    }

    /// Adds a row.
    pub(super) fn add(&mut self, cells: &Cells<'_>) -> io::Result<()> {
        let text = |name: &str| {
            let at = self.columns.iter().position(|column| column.name == name)?;
            cells.get(at)?.as_deref()
        };
        for (at, column) in self.columns.iter().enumerate().filter(|(_, column)| Self::adds_up(column)) {
            let Some(Some(cell)) = cells.get(at) else { continue };
            let units = units(cell).ok_or_else(|| damaged("a number is none"))?;
            // A margin is in the occupier's currency where no column says otherwise.
            let own = text(Self::currency_of(column.name)).or_else(|| text("currency"));
            let sum = self.totals.entry(own.unwrap_or_default().to_owned()).or_default().entry(at).or_default();
            *sum = sum.checked_add(units).ok_or_else(|| damaged("a sum is too large"))?;
        }
        // Two are enough to know that there is more than one.
        if self.sites.len() < 2
            && let Some(site) = text("site").map(str::to_owned)
        {
            self.sites.insert(site);
        }
        Ok(())
    }

    /// The total rows, by currency. The first column of text says that they are totals; the site is there if all rows are of
    /// one.
    pub(super) fn rows(&self) -> Vec<Cells<'static>> {
        let label = self.columns.iter().position(|column| column.kind == Kind::Text);
        let site = self.sites.first().filter(|_| self.sites.len() == 1);
        let currencies = |name: &str| ["currency", "operator_currency", "margin_currency"].contains(&name);
        self.totals
            .iter()
            .map(|(currency, sums)| {
                let said = |name: &str| {
                    let amounts = sums.keys().filter_map(|at| self.columns.get(*at));
                    amounts
                        .filter(|column| column.kind == Kind::Amount)
                        .any(|column| Self::currency_of(column.name) == name)
                };
                let cell = |at: usize, column: &Column| match sums.get(&at) {
                    Some(sum) => Some(shown(*sum, column.kind)),
                    None if Some(at) == label => Some("total".to_owned()),
                    None if column.name == "site" => site.cloned(),
                    None if currencies(column.name) && said(column.name) && !currency.is_empty() => {
                        Some(currency.clone())
                    }
                    None => None,
                };
                self.columns.iter().enumerate().map(|(at, column)| cell(at, column).map(Cow::Owned)).collect()
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_told_apart_as_machine_csv_writes_them() {
        let cells = |line: &str| {
            let mut cells = Vec::new();
            split(line.as_bytes(), &mut cells).map(|()| cells).map_err(|error| error.kind())
        };
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(cells("a,,\"\",\"x,\"\"y\"\"\"\r\n"), Ok(vec![text("a"), None, text(""), text("x,\"y\"")]));
        assert_eq!(cells("\r\n"), Ok(vec![None]));
        assert_eq!(cells(",\r\n"), Ok(vec![None, None]));
        for bad in ["a", "a\n", "\"a\r\n", "\"a\"b,c\r\n", "\"a\"\"\r\n"] {
            assert_eq!(cells(bad), Err(io::ErrorKind::InvalidData), "{bad:?}");
        }
    }

    #[test]
    fn there_is_a_total_row_for_each_currency() {
        let column = |name, kind| Column { name, kind };
        let columns = [
            column("row", Kind::Text),
            column("calls", Kind::Integer),
            column("cost", Kind::Amount),
            column("currency", Kind::Text),
        ];
        let mut sums = Sums::new(&columns);
        for row in [["x", "1", "0.10", "USD"], ["x", "2", "0.25", "GBP"], ["x", "3", "-0.05", "GBP"]] {
            sums.add(&row.map(|cell| Some(Cow::Borrowed(cell))).to_vec()).unwrap();
        }
        let rows: Vec<Vec<String>> = sums
            .rows()
            .into_iter()
            .map(|row| row.into_iter().map(|cell| cell.unwrap_or_default().into_owned()).collect())
            .collect();
        assert_eq!(rows, [["total", "5", "0.20", "GBP"], ["total", "1", "0.10", "USD"]]);
    }
}
