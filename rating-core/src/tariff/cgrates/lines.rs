//! The CSV of a CGRateS tariff plan: no header, a fixed number of cells, `#` before what is not data.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use crate::finding::{Finding, Findings, Label, SourceText};

/// A row: its cells, trimmed, and where they stand.
#[derive(Debug)]
pub(super) struct Line<'s> {
    source: &'s Arc<SourceText>,
    /// Counted from 1.
    pub(super) number: u32,
    cells: Vec<(Cow<'s, str>, Range<usize>)>,
}

impl Line<'_> {
    /// The text of a cell; empty if there is none.
    pub(super) fn cell(&self, index: usize) -> &str {
        self.cells.get(index).map_or("", |cell| &cell.0)
    }

    /// Marks a cell.
    pub(super) fn label(&self, index: usize, text: impl Into<String>) -> Label {
        let span = self.cells.get(index).map_or(0..0, |cell| cell.1.clone());
        Label::new(self.source, span, text)
    }

    fn whole(&self, text: impl Into<String>) -> Label {
        let start = self.cells.first().map_or(0, |cell| cell.1.start);
        let end = self.cells.last().map_or(0, |cell| cell.1.end);
        Label::new(self.source, start..end, text)
    }
}

/// The rows of a file with as many cells as `columns`. A first row that repeats the column names is skipped; a row of
/// another width is reported, unless what it has more is empty.
pub(super) fn read<'s>(source: &'s Arc<SourceText>, columns: &[&str], findings: &mut Findings) -> Vec<Line<'s>> {
    let mut lines = Vec::new();
    let mut at = if source.text.starts_with('\u{feff}') { 3 } else { 0 };
    let mut number = 1_u32;
    let bytes = source.text.as_bytes();
    while at < bytes.len() {
        if bytes.get(at) == Some(&b'#') {
            at += memchr::memchr(b'\n', bytes.get(at..).unwrap_or(&[])).map_or(bytes.len() - at, |end| end + 1);
            number = number.saturating_add(1);
            continue;
        }
        let (mut line, next, newlines) = line(source, at, number);
        at = next;
        number = number.saturating_add(newlines);
        if line.cells.len() == 1 && line.cell(0).is_empty() {
            continue;
        }
        // Until 0.9, profiles began with a direction and ended with statistics queues.
        if columns.first() == Some(&"Tenant") && matches!(line.cell(0), "*out" | "*in") && line.cells.len() >= 7 {
            line.cells.remove(0);
            line.cells.truncate(columns.len());
        }
        while line.cells.len() > columns.len() && line.cells.last().is_some_and(|cell| cell.0.is_empty()) {
            line.cells.pop();
        }
        if line.cells.len() == columns.len() {
            if !(lines.is_empty() && is_header(&line, columns)) {
                lines.push(line);
            }
            continue;
        }
        findings.push(
            Finding::error(
                "cgrates.columns",
                format!("this row has {} cells, not {}", line.cells.len(), columns.len()),
            )
            .at(line.whole(""))
            .help(format!("the cells are {}; write empty ones as `,,`", columns.join(", "))),
        );
    }
    lines
}

/// Whether the row is the column names without their `#`: two cells (of two columns, the second) are what they are called.
fn is_header(line: &Line<'_>, columns: &[&str]) -> bool {
    let same = columns.iter().enumerate().skip(1).filter(|(index, name)| line.cell(*index).eq_ignore_ascii_case(name));
    same.count() >= (columns.len() - 1).min(2)
}

/// One row from `at` on, where the next begins, and how many line ends it has.
fn line(source: &Arc<SourceText>, at: usize, number: u32) -> (Line<'_>, usize, u32) {
    let text = source.text.as_str();
    let bytes = text.as_bytes();
    let (mut cells, mut begin, mut here, mut quoted, mut newlines) = (Vec::new(), at, at, false, 0);
    loop {
        let byte = bytes.get(here).copied();
        match byte {
            // A quote inside a cell that does not begin with one is a letter like any other.
            Some(b'"') if text.get(begin..=here).is_some_and(|cell| cell.trim_start().starts_with('"')) => {
                quoted = !quoted;
            }
            Some(b'\n') if quoted => newlines += 1,
            Some(b',' | b'\n') | None if !quoted || byte.is_none() => {
                cells.push((cell(text.get(begin..here).unwrap_or("")), begin..here));
                begin = here + 1;
                if byte != Some(b',') {
                    break;
                }
            }
            _ => {}
        }
        here += 1;
    }
    (Line { source, number, cells }, begin.min(bytes.len()), newlines + 1)
}

/// A cell without its blanks and quotes.
fn cell(raw: &str) -> Cow<'_, str> {
    let trimmed = raw.trim();
    match trimmed.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(inner) if inner.contains("\"\"") => Cow::Owned(inner.replace("\"\"", "\"")),
        Some(inner) => Cow::Borrowed(inner),
        None => Cow::Borrowed(trimmed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows of a file of three columns, as `line: cells`, and what is found.
    fn check(text: &str, expected: &[&str], found: &[&str]) {
        let source = SourceText::new("X.csv", text);
        let mut findings = Findings::default();
        let lines: Vec<String> = read(&source, &["Tag", "Prefix", "Rate"], &mut findings)
            .iter()
            .map(|line| format!("{}: {}|{}|{}", line.number, line.cell(0), line.cell(1), line.cell(2)))
            .collect();
        assert_eq!(lines, expected, "{text:?}");
        assert_eq!(findings.iter().map(ToString::to_string).collect::<Vec<_>>(), found, "{text:?}");
    }

    #[test]
    fn rows_have_no_header_and_keep_their_lines() {
        check("a,b,c\nd,e,f", &["1: a|b|c", "2: d|e|f"], &[]);
        check("\u{feff}#Tag,Prefix,Rate\r\n\r\n# x ,,,\r\na, b ,c\r\n", &["4: a|b|c"], &[]);
        check("", &[], &[]);
        check("#", &[], &[]);
        check("a,,\n,,\n", &["1: a||", "2: ||"], &[]);
    }

    #[test]
    fn quotes_hold_commas_quotes_and_line_ends() {
        check("\"a,1\",\"b\"\"2\"\"\",\"c\n3\"\nd,e,f\n", &["1: a,1|b\"2\"|c\n3", "3: d|e|f"], &[]);
        check("a\"1,b,c\nd,e,f\n", &["1: a\"1|b|c", "2: d|e|f"], &[]);
    }

    #[test]
    fn a_header_without_its_sign_is_passed_over_and_empty_cells_too_many_are_dropped() {
        check("Id,prefix,RATE\na,b,c\nTag,Prefix,Rate\n", &["2: a|b|c", "3: Tag|Prefix|Rate"], &[]);
        check("a,b,c,\nd,e,f,,\n", &["1: a|b|c", "2: d|e|f"], &[]);
    }

    #[test]
    fn a_row_of_another_width_is_reported_and_the_next_one_read() {
        check(
            "a,b\nd,e,f\n\"g,h,i\n",
            &["2: d|e|f"],
            &[
                "X.csv:1:1: error[cgrates.columns]: this row has 2 cells, not 3",
                "X.csv:3:1: error[cgrates.columns]: this row has 1 cells, not 3",
            ],
        );
    }

    #[test]
    fn profiles_of_old_versions_begin_with_a_direction() {
        let columns = ["Tenant", "Category", "Subject", "ActivationTime", "RatingPlanId", "RatesFallbackSubject"];
        let source = SourceText::new("X.csv", "*out,cgrates.org,call,*any,,RP,x,\n*out,t,c,s,,RP,\n");
        let mut findings = Findings::default();
        let lines = read(&source, &columns, &mut findings);
        let cells: Vec<Vec<&str>> = lines.iter().map(|line| (0..6).map(|index| line.cell(index)).collect()).collect();
        assert_eq!(cells, [["cgrates.org", "call", "*any", "", "RP", "x"], ["t", "c", "s", "", "RP", ""]]);
        assert!(findings.is_empty());
    }
}
