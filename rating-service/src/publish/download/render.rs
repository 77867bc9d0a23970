//! A published report in another form: CSV, XLSX or Parquet of what is shown of it.

use std::io::{self, Write};
use std::path::Path;

use rating_core::report::csv::{self, Profile};
use rating_core::report::parquet::{Encoder, WriteError, Writer};
use rating_core::report::{Kind, ROW_GROUP_ROWS, Report, TextRows};
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format as Look, Workbook, Worksheet, XlsxError};

use super::rows::{Cells, Column, Rows, Shape, Sums};

/// Rows of a sheet, its header left out: a sheet has 1,048,576 rows, and there is room for totals.
const SHEET_ROWS: u32 = 1_048_000;

/// Characters of a cell of a spreadsheet.
const CELL_CHARACTERS: usize = 32_767;

/// Digits of a number that a spreadsheet keeps.
const KEPT_DIGITS: usize = 15;

/// Writes CSV.
pub(super) fn csv(path: &Path, shape: &Shape, profile: Profile, out: &mut dyn Write) -> io::Result<()> {
    let rows = Rows::open(path, shape)?;
    let columns = rows.columns().to_vec();
    let mut line = Vec::new();
    if profile == Profile::Spreadsheet {
        line.extend_from_slice("\u{feff}".as_bytes());
    }
    let names: Vec<&str> = columns.iter().map(|column| column.name).collect();
    line.extend_from_slice(names.join(",").as_bytes());
    line.extend_from_slice(b"\r\n");
    out.write_all(&line)?;
    // Where the engine has total rows for spreadsheets alone, machine CSV lacks them.
    let totals = shape.report == Report::ExtensionSummary && profile == Profile::Spreadsheet;
    let mut sums = Sums::new(&columns);
    let mut write = |cells: &Cells<'_>| {
        line.clear();
        for (at, (column, cell)) in columns.iter().zip(cells).enumerate() {
            if at > 0 {
                line.push(b',');
            }
            csv::write_text_of(column.kind, cell.as_deref(), profile, &mut line);
        }
        line.extend_from_slice(b"\r\n");
        out.write_all(&line)
    };
    rows.each(&mut |cells, _| {
        if totals {
            sums.add(cells)?;
        }
        write(cells)
    })?;
    if !totals {
        return Ok(());
    }
    for row in sums.rows() {
        write(&row)?;
    }
    Ok(())
}

/// Writes Parquet; total rows are left out, as in what is published.
pub(super) fn parquet(path: &Path, shape: &Shape, out: &mut (dyn Write + Send)) -> io::Result<()> {
    let failed = |error: WriteError| match error {
        WriteError::Sink(error) => error,
        error => io::Error::other(error),
    };
    let rows = Rows::open(path, shape)?;
    let columns: Vec<(&'static str, Kind)> = rows.columns().iter().map(|column| (column.name, column.kind)).collect();
    let fresh = || TextRows::new(shape.report.name(), &columns);
    let mut table = fresh();
    let encoder = Encoder::new(table.schema()).map_err(failed)?;
    let mut writer = Writer::new(&encoder, out).map_err(failed)?;
    let mut group = |table: TextRows| -> io::Result<()> {
        let batch = table.finish();
        writer.write(encoder.encode(&batch.view()).map_err(failed)?).map_err(failed)
    };
    rows.each(&mut |cells, is_total| {
        if is_total {
            return Ok(());
        }
        let texts: Vec<Option<&str>> = cells.iter().map(Option::as_deref).collect();
        table.push(&texts).map_err(|column| io::Error::other(format!("a cell of `{column}` is not of its kind")))?;
        if table.len() >= ROW_GROUP_ROWS { group(std::mem::replace(&mut table, fresh())) } else { Ok(()) }
    })?;
    if !table.is_empty() {
        group(table)?;
    }
    writer.finish().map_err(failed)?;
    Ok(())
}

/// Writes XLSX. Its temporary files are in `aside`.
pub(super) fn xlsx(path: &Path, shape: &Shape, aside: &Path, out: &mut (dyn Write + Send)) -> io::Result<()> {
    sheets(path, shape, aside, SHEET_ROWS, out)
}

fn failed(error: XlsxError) -> io::Error {
    match error {
        XlsxError::IoError(error) => error,
        error => io::Error::other(error),
    }
}

/// A table on sheets of at most `most` rows; if there is more than one, its totals stand on one of their own.
fn sheets(path: &Path, shape: &Shape, aside: &Path, most: u32, out: &mut (dyn Write + Send)) -> io::Result<()> {
    let rows = Rows::open(path, shape)?;
    let columns = rows.columns().to_vec();
    let looks = Looks::new();
    let mut workbook = Workbook::new();
    workbook.set_tempdir(aside).map_err(failed)?;
    // A file made again has the same bytes.
    let epoch = ExcelDateTime::from_ymd(2000, 1, 1).map_err(failed)?;
    workbook.set_properties(&DocProperties::new().set_creation_datetime(&epoch));
    let own_totals = matches!(shape.report, Report::Destinations | Report::Margin | Report::Bill | Report::Usage);
    let mut sums = Sums::new(&columns);
    let name = shape.report.name();
    begin(&mut workbook, name, &columns, &looks)?;
    let (mut sheet, mut at) = (1_u32, 0_u32);
    rows.each(&mut |cells, is_total| {
        if at >= most {
            sheet += 1;
            at = 0;
            begin(&mut workbook, &format!("{name} {sheet}"), &columns, &looks)?;
        }
        at += 1;
        if !own_totals {
            sums.add(cells)?;
        }
        row(last(&mut workbook)?, at, cells, &columns, &looks, is_total)
    })?;
    if !own_totals {
        if sheet > 1 {
            begin(&mut workbook, "totals", &columns, &looks)?;
            at = 0;
        }
        for cells in sums.rows() {
            at += 1;
            row(last(&mut workbook)?, at, &cells, &columns, &looks, true)?;
        }
    }
    workbook.save_to_writer(out).map_err(failed)
}

fn last(workbook: &mut Workbook) -> io::Result<&mut Worksheet> {
    workbook.worksheets_mut().last_mut().ok_or_else(|| io::Error::other("a workbook without sheets"))
}

/// A sheet with its header, which stays in sight.
fn begin(workbook: &mut Workbook, name: &str, columns: &[Column], looks: &Looks) -> io::Result<()> {
    let sheet = workbook.add_worksheet_with_constant_memory().map_err(failed)?;
    sheet.set_name(name).map_err(failed)?;
    for (at, column) in (0_u16..).zip(columns) {
        let width: u32 = match column.kind {
            Kind::Instant => 26,
            Kind::Number => 18,
            Kind::Text => 16,
            _ => 14,
        };
        sheet.set_column_width(at, width).map_err(failed)?;
        sheet.write_string_with_format(0, at, column.name, &looks.header).map_err(failed)?;
    }
    sheet.set_freeze_panes(1, 0).map_err(failed)?;
    Ok(())
}

/// How cells look: text stays text when it is edited, and an amount shows the decimals that it has.
struct Looks {
    header: Look,
    text: [Look; 2],
    /// By the number of decimals; plain, and of totals.
    numbers: [Vec<Look>; 2],
}

impl Looks {
    fn new() -> Self {
        let of = |format: &str| [Look::new().set_num_format(format), Look::new().set_num_format(format).set_bold()];
        let decimals = |count: usize| if count == 0 { "0".to_owned() } else { format!("0.{}", "0".repeat(count)) };
        let pairs: Vec<[Look; 2]> = (0..=KEPT_DIGITS).map(|count| of(&decimals(count))).collect();
        let numbers = [0, 1].map(|which| pairs.iter().filter_map(|pair| pair.get(which).cloned()).collect());
        Self { header: Look::new().set_bold(), text: of("@"), numbers }
    }
}

/// A number, and how many decimals it has, if a spreadsheet keeps all of its digits.
fn kept(text: &str) -> Option<(f64, usize)> {
    let decimals = text.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
    number.filter(|_| digits <= KEPT_DIGITS).map(|number| (number, decimals))
}

fn row(
    sheet: &mut Worksheet,
    at: u32,
    cells: &Cells<'_>,
    columns: &[Column],
    looks: &Looks,
    is_total: bool,
) -> io::Result<()> {
    let which = usize::from(is_total);
    for (place, (column, cell)) in (0_u16..).zip(columns.iter().zip(cells)) {
        let Some(text) = cell.as_deref() else { continue };
        let number = match column.kind {
            Kind::Amount | Kind::Price | Kind::Decimal | Kind::Seconds | Kind::Integer => kept(text),
            _ => None,
        };
        let numbers = looks.numbers.get(which);
        let look = number.and_then(|(_, decimals)| numbers.and_then(|looks| looks.get(decimals)));
        match (number, look, column.kind) {
            (Some((number, _)), Some(look), _) => {
                sheet.write_number_with_format(at, place, number, look).map_err(failed)?
            }
            (_, _, Kind::Boolean) => sheet.write_boolean(at, place, text == "true").map_err(failed)?,
            _ => {
                let look = looks.text.get(which).unwrap_or(&looks.header);
                sheet.write_string_with_format(at, place, short(text), look).map_err(failed)?
            }
        };
    }
    Ok(())
}

/// A text as long as a cell can hold; what is cut says so.
fn short(text: &str) -> String {
    const CUT: &str = " [cut: the CSV has all of it]";
    // Characters beyond the first plane count twice.
    let length = |text: &str| text.encode_utf16().count();
    if length(text) <= CELL_CHARACTERS {
        return text.to_owned();
    }
    let mut room = CELL_CHARACTERS - CUT.len();
    let fits = |c: &char| {
        let fits = room >= c.len_utf16();
        room = room.saturating_sub(c.len_utf16());
        fits
    };
    let mut kept: String = text.chars().take_while(fits).collect();
    kept.push_str(CUT);
    kept
}
