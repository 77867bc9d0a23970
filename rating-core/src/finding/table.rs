//! Reading tables that people write (CSV with a header), with every mistake of a file found in one pass.

use std::ops::Range;
use std::sync::Arc;

use super::{Finding, Findings, Label, SourceText, did_you_mean};

/// A CSV table with a header. Columns are found by name, in any order; cells are trimmed; empty lines and lines that
/// begin with `#` are skipped.
///
/// # Example
///
/// ```
/// use rating_core::finding::{Findings, SourceText, table::Table};
/// let source = SourceText::new("sites.csv", "id,zone\nldn,Europe/London\n");
/// let mut findings = Findings::default();
/// let table = Table::read(&source, &["id", "zone"], &["note"], &mut findings);
/// let (id, note) = (table.column("id"), table.column("note"));
/// let row = table.rows().next().unwrap();
/// assert_eq!((row.cell(id), row.cell(note)), ("ldn", ""));
/// assert!(findings.is_empty());
/// ```
#[derive(Debug)]
pub struct Table {
    source: Arc<SourceText>,
    header: Vec<String>,
    rows: Vec<Record>,
    /// The cells of all rows, one after the other: large decks have a million of them. `None` if they are read where they
    /// stand in the source, where nothing is quoted.
    cells: Option<String>,
    /// Where each cell ends in `cells` or the source; a row has as many as the header.
    ends: Vec<usize>,
}

#[derive(Debug)]
struct Record {
    start: usize,
    line: usize,
}

/// A column of a table, if the table has it.
#[derive(Clone, Copy, Debug)]
pub struct Column(Option<usize>);

impl Column {
    /// Whether the table has the column.
    #[must_use]
    pub const fn is_present(self) -> bool {
        self.0.is_some()
    }
}

/// One row.
#[derive(Clone, Copy, Debug)]
pub struct Row<'t> {
    table: &'t Table,
    index: usize,
}

impl Table {
    /// Reads a table whose columns are `required` and `optional`, and no others. Reports missing, repeated and unknown
    /// columns and rows of another width; what could be read is in the table.
    #[must_use]
    pub fn read(source: &Arc<SourceText>, required: &[&str], optional: &[&str], findings: &mut Findings) -> Self {
        let table = Self::read_any(source, findings);
        // What a spreadsheet writes where the comma is the decimal sign. One finding is enough.
        if let [only] = table.header.as_slice()
            && only.contains(';')
        {
            let header = Label::new(source, table.line_span(0), "separated by `;`");
            findings.push(
                Finding::error("table.semicolons", "the columns are separated by semicolons")
                    .at(header)
                    .help("save the table with commas between the columns (and points in decimal numbers)"),
            );
            return Self { header: Vec::new(), rows: Vec::new(), ..table };
        }
        if table.header.is_empty() {
            return table;
        }
        let known = || required.iter().chain(optional).copied();
        for (index, name) in table.header.iter().enumerate() {
            let label = |text: &str| Label::new(source, table.cell_span(None, index), text);
            if table.header[..index].contains(name) {
                findings.push(
                    Finding::error("table.repeated_column", format!("column `{name}` stands twice"))
                        .at(label("again here")),
                );
            } else if !known().any(|column| column == name) {
                let free = known().filter(|column| !table.header.iter().any(|have| have == column));
                let help = match did_you_mean(name, free) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("columns known here: {}", known().collect::<Vec<_>>().join(", ")),
                };
                findings.push(
                    Finding::error("table.unknown_column", format!("unknown column `{name}`"))
                        .at(label("not known here"))
                        .help(help),
                );
            }
        }
        for name in required {
            if !table.header.iter().any(|have| have == name) {
                let whole = Label::new(source, table.line_span(0), "in this header");
                findings.push(
                    Finding::error("table.missing_column", format!("column `{name}` is missing"))
                        .at(whole)
                        .help(format!("add a column `{name}` to the header and to every row")),
                );
            }
        }
        table
    }

    /// Reads a table with whatever columns it has. Reports rows of another width than the header's.
    #[must_use]
    pub fn read_any(source: &Arc<SourceText>, findings: &mut Findings) -> Self {
        let bom = if source.text.starts_with('\u{feff}') { 3 } else { 0 };
        let mut table =
            Self { source: Arc::clone(source), header: Vec::new(), rows: Vec::new(), cells: None, ends: Vec::new() };
        // Without a quote anywhere, what the csv reader would find is what stands between commas and ends of lines.
        match memchr::memchr(b'"', source.text.as_bytes()) {
            None => table.read_plain(bom, findings),
            Some(_) => table.read_quoted(bom, findings),
        }
        if table.header.is_empty() {
            findings.push(
                Finding::error("table.empty", "the table has no header")
                    .in_file(source.name.clone())
                    .help("the first line names the columns"),
            );
        }
        table
    }

    fn read_quoted(&mut self, bom: usize, findings: &mut Findings) {
        let source = Arc::clone(&self.source);
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .comment(Some(b'#'))
            .trim(csv::Trim::All)
            .from_reader(&source.text.as_bytes()[bom..]);
        let mut record = csv::StringRecord::new();
        let (mut line, mut counted) = (1, 0);
        // The text is UTF-8 already and rows may have any width, so reading cannot fail.
        while let Ok(true) = reader.read_record(&mut record) {
            let start = record.position().map_or(0, |at| usize::try_from(at.byte()).unwrap_or(0)) + bom;
            let start = self.skip_to_record(start);
            line += memchr::memchr_iter(b'\n', source.text.as_bytes().get(counted..start).unwrap_or(&[])).count();
            counted = start;
            self.record(&record, start, line, findings);
        }
    }

    fn read_plain(&mut self, bom: usize, findings: &mut Findings) {
        let source = Arc::clone(&self.source);
        let (mut line, mut start) = (1, bom);
        while let Some(rest) = source.text.get(start..).filter(|rest| !rest.is_empty()) {
            let bytes = rest.as_bytes();
            // A comment goes on to the end of its line, a row at most so far.
            let is_comment = bytes.starts_with(b"#");
            let end = if is_comment { memchr::memchr(b'\n', bytes) } else { memchr::memchr2(b'\r', b'\n', bytes) };
            let length = end.unwrap_or(rest.len());
            let (text, end) = rest.split_at(length);
            if !text.is_empty() && !is_comment {
                self.plain_record(text, start, line, findings);
            }
            line += usize::from(end.starts_with('\n'));
            start += length + 1;
        }
    }

    /// Adds a record without quotes, the header if it is the first.
    fn plain_record(&mut self, text: &str, start: usize, line: usize, findings: &mut Findings) {
        if self.header.is_empty() {
            self.header = text.split(',').map(|cell| cell.trim().to_lowercase()).collect();
            return;
        }
        let before = self.ends.len();
        self.ends.extend(memchr::memchr_iter(b',', text.as_bytes()).map(|comma| start + comma));
        self.ends.push(start + text.len());
        self.end_record(before, start, line, findings);
    }

    /// Adds a record, the header if it is the first.
    fn record<'c>(
        &mut self,
        cells: impl IntoIterator<Item = &'c str>,
        start: usize,
        line: usize,
        findings: &mut Findings,
    ) {
        if self.header.is_empty() {
            self.header = cells.into_iter().map(str::to_lowercase).collect();
            return;
        }
        let own = self.cells.get_or_insert_default();
        let (bytes, before) = (own.len(), self.ends.len());
        for cell in cells {
            own.push_str(cell);
            self.ends.push(own.len());
        }
        if !self.end_record(before, start, line, findings)
            && let Some(own) = &mut self.cells
        {
            own.truncate(bytes);
        }
    }

    /// Adds the record whose cells are those from `before` on; `false` if they are too few or too many.
    fn end_record(&mut self, before: usize, start: usize, line: usize, findings: &mut Findings) -> bool {
        let fields = self.ends.len() - before;
        if fields == self.header.len() {
            self.rows.push(Record { start, line });
            return true;
        }
        self.ends.truncate(before);
        findings.push(
            Finding::error(
                "table.field_count",
                format!("this row has {fields} fields, the header has {}", self.header.len()),
            )
            .at(Label::new(&self.source, self.line_span(start), ""))
            .help("put a text that holds a comma in double quotes; write empty cells as `,,`"),
        );
        false
    }

    /// The column of that name.
    #[must_use]
    pub fn column(&self, name: &str) -> Column {
        Column(self.header.iter().position(|have| have == name))
    }

    /// The column names, in lower case, in their order.
    #[must_use]
    pub fn header(&self) -> &[String] {
        &self.header
    }

    /// The rows in file order.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = Row<'_>> {
        (0..self.rows.len()).map(|index| Row { table: self, index })
    }

    /// The file.
    #[must_use]
    pub const fn source(&self) -> &Arc<SourceText> {
        &self.source
    }

    /// The csv reader reports where it stood before skipping blank and comment lines; step over them.
    fn skip_to_record(&self, mut at: usize) -> usize {
        let bytes = self.source.text.as_bytes();
        loop {
            match bytes.get(at) {
                Some(b'\r' | b'\n') => at += 1,
                Some(b'#') => at += memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len() - at, |end| end + 1),
                _ => return at,
            }
        }
    }

    fn line_span(&self, start: usize) -> Range<usize> {
        let rest = self.source.text.get(start..).unwrap_or("");
        start..start + rest.find(['\r', '\n']).unwrap_or(rest.len())
    }

    /// Where a cell of a row (or of the header) stands, found by walking the raw text with CSV's quoting.
    fn cell_span(&self, row: Option<usize>, column: usize) -> Range<usize> {
        let start = match row {
            Some(row) => self.rows.get(row).map_or(0, |record| record.start),
            None => self.skip_to_record(if self.source.text.starts_with('\u{feff}') { 3 } else { 0 }),
        };
        let bytes = self.source.text.as_bytes();
        let (mut at, mut field, mut quoted, mut begin) = (start, 0, false, start);
        while let Some(byte) = bytes.get(at) {
            match byte {
                b'"' => quoted = !quoted,
                b',' if !quoted => {
                    if field == column {
                        break;
                    }
                    field += 1;
                    begin = at + 1;
                }
                b'\r' | b'\n' if !quoted => break,
                _ => {}
            }
            at += 1;
        }
        begin..at.max(begin)
    }
}

/// A text without blanks at its ends; nearly every text has none.
#[inline]
fn trimmed(text: &str) -> &str {
    match (text.as_bytes().first(), text.as_bytes().last()) {
        (Some(b'!'..=b'~'), Some(b'!'..=b'~')) => text,
        _ => text.trim(),
    }
}

impl<'t> Row<'t> {
    /// The column of that name in the row's table, for marking a place; look columns up once per table for reading.
    #[must_use]
    pub fn column(self, name: &str) -> Column {
        self.table.column(name)
    }

    /// The text of a cell, trimmed; empty if the table lacks the column.
    #[must_use]
    pub fn cell(self, column: Column) -> &'t str {
        let Some(column) = column.0 else { return "" };
        let Table { source, cells, ends, rows, header } = self.table;
        let at = self.index * header.len() + column;
        let end_before = || at.checked_sub(1).and_then(|before| ends.get(before)).copied();
        let Some(end) = ends.get(at) else { return "" };
        if let Some(cells) = cells {
            return cells.get(end_before().unwrap_or(0)..*end).unwrap_or("");
        }
        let start = match column {
            0 => rows.get(self.index).map(|record| record.start),
            // Behind the comma.
            _ => end_before().map(|before| before + 1),
        };
        trimmed(start.and_then(|start| source.text.get(start..*end)).unwrap_or(""))
    }

    /// The text of a cell, or `None` if it is empty.
    #[must_use]
    pub fn filled(self, column: Column) -> Option<&'t str> {
        Some(self.cell(column)).filter(|text| !text.is_empty())
    }

    /// The texts of all cells but those of the columns left out.
    pub(crate) fn cells_but<const N: usize>(self, left_out: [Column; N]) -> impl Iterator<Item = &'t str> {
        let is_left_out = move |index| left_out.iter().any(|column| column.0 == Some(index));
        (0..self.table.header.len())
            .filter(move |index| !is_left_out(*index))
            .map(move |index| self.cell(Column(Some(index))))
    }

    /// The text of a cell that must not be empty; reports it if it is.
    pub fn required(self, column: Column, findings: &mut Findings) -> Option<&'t str> {
        let text = self.filled(column);
        if let (None, Some(index)) = (text, column.0) {
            let name = self.table.header.get(index).map_or("", String::as_str);
            findings.push(
                Finding::error("table.empty_cell", format!("`{name}` must not be empty"))
                    .at(self.label(column, "empty")),
            );
        }
        text
    }

    /// Marks a cell; the whole row if the table lacks the column.
    #[must_use]
    pub fn label(self, column: Column, text: impl Into<String>) -> Label {
        let span = match column.0 {
            Some(column) => self.table.cell_span(Some(self.index), column),
            None => return self.whole(text),
        };
        Label::new(&self.table.source, span, text)
    }

    /// Marks the whole row.
    #[must_use]
    pub fn whole(self, text: impl Into<String>) -> Label {
        let start = self.table.rows.get(self.index).map_or(0, |record| record.start);
        Label::new(&self.table.source, self.table.line_span(start), text)
    }

    /// The line of the row in its file, counted from 1.
    #[must_use]
    pub fn line(self) -> usize {
        self.table.rows.get(self.index).map_or(0, |record| record.line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Table, Vec<String>) {
        let source = SourceText::new("x.csv", text);
        let mut findings = Findings::default();
        let table = Table::read(&source, &["prefix", "price"], &["note"], &mut findings);
        (table, findings.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn places_are_those_of_the_cell() {
        let (table, found) =
            read("\u{feff}# prices\r\nprefix, price ,note\r\n\r\n44,\"1,5\" ,x\r\n# c\n1,2,\"a \"\"b\"\"\"\n");
        assert!(found.is_empty(), "{found:?}");
        let rows: Vec<Row<'_>> = table.rows().collect();
        assert_eq!(rows.len(), 2);
        assert_eq!(rows[0].cell(table.column("price")), "1,5");
        let label = rows[0].label(table.column("price"), "");
        assert_eq!(&table.source.text[label.span.clone()], "\"1,5\" ");
        assert_eq!(rows[1].cell(table.column("note")), "a \"b\"");
        assert_eq!(rows[1].line(), 6);
        assert_eq!(&table.source.text[rows[1].label(table.column("prefix"), "").span.clone()], "1");
    }

    /// What a table says: names, rows with their lines and the beginnings of their texts, and findings.
    fn told(text: &str, plain: bool) -> String {
        let mut findings = Findings::default();
        let (source, rows) = (SourceText::new("x.csv", text), Vec::new());
        let mut table = Table { source, header: Vec::new(), rows, cells: None, ends: Vec::new() };
        if plain {
            table.read_plain(0, &mut findings)
        } else {
            table.read_quoted(0, &mut findings)
        }
        let cells = |row: Row<'_>| table.header.iter().map(|name| row.cell(row.column(name)).to_owned()).collect();
        let rows: Vec<(usize, usize, Vec<String>)> =
            table.rows().map(|row| (row.line(), row.whole("").span.start, cells(row))).collect();
        let found: Vec<String> = findings.iter().map(ToString::to_string).collect();
        format!("{:?} {rows:?} {found:?}", table.header)
    }

    proptest::proptest! {
        #[test]
        fn without_quotes_both_ways_of_reading_find_the_same(text in "[a-c,;# \\t\\r\\n\u{a0}é]{0,60}") {
            // The csv reader takes a comment that the file ends in, without an end of line, for a row.
            let text = text + "\n";
            proptest::prop_assert_eq!(told(&text, true), told(&text, false));
        }
    }

    #[test]
    fn header_and_width_mistakes_are_all_reported() {
        let (_, found) = read("prefx,price,price\n44,1,2\n44,1\n");
        assert_eq!(
            found,
            [
                "x.csv:3:1: error[table.field_count]: this row has 2 fields, the header has 3",
                "x.csv:1:1: error[table.unknown_column]: unknown column `prefx`",
                "x.csv:1:13: error[table.repeated_column]: column `price` stands twice",
                "x.csv:1:1: error[table.missing_column]: column `prefix` is missing",
            ]
        );
        assert_eq!(read("").1, ["x.csv: error[table.empty]: the table has no header"]);
    }
}
