//! A template to begin with, for a file that is of no format known here.

use std::fmt::Write as _;

/// How many records are looked at.
const LOOKED_AT: usize = 20;

/// How much of a value is shown.
const SHOWN: usize = 40;

/// Shapes of times, `9` standing for a digit, and how a template writes them.
const TIMES: [(&str, &str); 10] = [
    ("9999-99-99 99:99:99", "YYYY-MM-DD hh:mm:ss"),
    ("9999-99-99T99:99:99Z", "YYYY-MM-DDThh:mm:ssZ"),
    ("9999-99-99T99:99:99", "YYYY-MM-DDThh:mm:ss"),
    ("9999/99/99 99:99:99", "YYYY/MM/DD hh:mm:ss"),
    ("9999/99/99 99.99.99", "YYYY/MM/DD hh.mm.ss"),
    ("99.99.9999 99:99:99", "DD.MM.YYYY hh:mm:ss"),
    ("99/99/9999 99:99:99", "DD/MM/YYYY hh:mm:ss"),
    ("99999999999999", "YYYYMMDDhhmmss"),
    ("99999999 99:99:99", "YYYYMMDD hh:mm:ss"),
    ("9999-99-99 99:99", "YYYY-MM-DD hh:mm"),
];

/// What a column looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Looks {
    Time(&'static str),
    Epoch,
    Number,
    Seconds,
    Text,
}

/// A template for the text, with what could be guessed; `None` if it is no text.
pub(super) fn template(head: &[u8]) -> Option<String> {
    let head = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head);
    let head = head.get(..head.len().min(1 << 16))?;
    if head.contains(&0) || head.is_empty() {
        return None;
    }
    let text = String::from_utf8_lossy(head);
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).take(LOOKED_AT).collect();
    // Bytes that are no text in any encoding.
    if lines.iter().any(|line| line.chars().any(|c| c.is_control() && c != '\t')) {
        return None;
    }
    let delimiter = [';', '|', '\t', ',']
        .into_iter()
        .max_by_key(|delimiter| lines.iter().map(|line| line.matches(*delimiter).count()).min().unwrap_or(0))?;
    let delimited = lines.iter().all(|line| line.matches(delimiter).count() >= 2);
    Some(if delimited { by_delimiter(&lines, delimiter) } else { by_position(&lines) })
}

fn by_delimiter(lines: &[&str], delimiter: char) -> String {
    let blank =
        lines.iter().all(|line| line.matches(delimiter).count() == line.matches(&format!("{delimiter} ")).count());
    let written = if blank { format!("{delimiter} ") } else { delimiter.to_string() };
    let rows: Vec<Vec<String>> = lines.iter().map(|line| cells(line, &written)).collect();
    let first = rows.first().map_or(&[][..], Vec::as_slice);
    let has_header =
        rows.len() > 1 && first.iter().all(|cell| !cell.chars().any(|c| c.is_ascii_digit()) || cell.len() > 24);
    let values = rows.get(usize::from(has_header)).map_or(&[][..], Vec::as_slice);
    let mut text = String::from("kind = \"delimited\"\n");
    // Writing to a string cannot fail.
    if written != "," {
        let _ = writeln!(text, "delimiter = {written:?}");
    }
    if !has_header {
        let _ = writeln!(text, "header = \"none\"\nwidth = {}", first.len());
    }
    text.push_str("\n# The columns, with the first record's values:\n");
    for (index, value) in values.iter().enumerate() {
        let name = if has_header { first.get(index).map_or("", String::as_str) } else { "" };
        let _ = writeln!(text, "#   {:>2} {}{}", index + 1, quoted(name), shown(value));
    }
    let place = |index: usize| match first.get(index) {
        Some(name) if has_header => format!("{name:?}"),
        _ => (index + 1).to_string(),
    };
    let looks: Vec<Looks> = values.iter().map(|value| look(value)).collect();
    fields(&mut text, &looks, &place);
    text
}

fn by_position(lines: &[&str]) -> String {
    // The longest line is a record rather than a header or trailer.
    let line = lines.iter().max_by_key(|line| line.trim_end().len()).copied().unwrap_or_default();
    let mut text =
        String::from("kind = \"fixed\"\n\n# What stands where in one record (positions in bytes, from 1):\n");
    let mut values: Vec<(usize, usize, &str)> = Vec::new();
    let mut start = None;
    for (at, c) in line.char_indices().chain([(line.len(), ' ')]) {
        match (c.is_whitespace(), start) {
            (false, None) => start = Some(at),
            (true, Some(from)) => {
                values.push((from + 1, at, &line[from..at]));
                start = None;
            }
            _ => {}
        }
    }
    for (from, until, value) in &values {
        let _ = writeln!(text, "#   {from}-{until} {}", shown(value));
    }
    let looks: Vec<Looks> = values.iter().map(|(.., value)| look(value)).collect();
    fields(&mut text, &looks, &|index| {
        values.get(index).map_or_else(String::new, |(from, until, _)| format!("\"{from}-{until}\""))
    });
    text
}

/// The fields that every template needs, guessed or left to fill in.
fn fields(text: &mut String, looks: &[Looks], place: &dyn Fn(usize) -> String) {
    let mut numbers = looks.iter().enumerate().filter(|(_, looks)| **looks == Looks::Number).map(|(index, _)| index);
    let time = looks.iter().position(|looks| matches!(looks, Looks::Time(_) | Looks::Epoch));
    // Behind the numbers, if there is one.
    let behind = looks.iter().rposition(|looks| *looks == Looks::Number).unwrap_or(0);
    let is_seconds = |at: &usize| looks.get(*at) == Some(&Looks::Seconds);
    let seconds = (behind..looks.len()).find(is_seconds).or_else(|| (0..behind).find(is_seconds));
    text.push_str("\n[fields]             # guessed: check each; docs/templates.md has them all\n");
    for (field, at) in [("setup", time), ("calling", numbers.next()), ("dialled", numbers.next()), ("talk", seconds)] {
        let _ = match at {
            Some(at) => writeln!(text, "{field} = {}", place(at)),
            None => writeln!(text, "{field} = \"WHICH COLUMN\""),
        };
    }
    let format = match time.and_then(|at| looks.get(at)) {
        Some(Looks::Time(format)) => format,
        Some(Looks::Epoch) => "epoch",
        _ => "YYYY-MM-DD hh:mm:ss",
    };
    let _ = writeln!(
        text,
        "\n[times]\nformat = {format:?}{}",
        if format.starts_with("DD/") { "   # or MM/DD: look at a day above 12" } else { "" }
    );
    text.push_str("\n[direction]\notherwise = \"out\"    # a carrier's file; a switch's file needs rules\n");
}

fn look(value: &str) -> Looks {
    let value = value.trim();
    let shape: String = value.chars().map(|c| if c.is_ascii_digit() { '9' } else { c }).collect();
    let digits = value.trim_start_matches('+');
    let all_digits =
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'X' | b'*'));
    match TIMES.iter().find(|(of, _)| *of == shape) {
        Some((_, format)) if !all_digits || value.starts_with("20") => Looks::Time(format),
        _ if shape == "9999999999" && value.starts_with('1') => Looks::Epoch,
        _ if all_digits && (value.starts_with('+') || digits.len() >= 9) => Looks::Number,
        // Nobody talks for more than ten hours.
        _ if digits.parse::<u32>().is_ok_and(|seconds| seconds <= 36_000) => Looks::Seconds,
        _ => Looks::Text,
    }
}

/// The cells of a line, quotes taken off.
fn cells(line: &str, delimiter: &str) -> Vec<String> {
    line.split(delimiter).map(|cell| cell.trim().trim_matches('"').to_owned()).collect()
}

fn quoted(name: &str) -> String {
    if name.is_empty() {
        String::new()
    } else {
        format!("{}: ", name.chars().filter(|c| !c.is_control()).collect::<String>())
    }
}

fn shown(value: &str) -> String {
    let mut text: String = value.trim().chars().filter(|c| !c.is_control()).take(SHOWN).collect();
    if value.trim().chars().count() > SHOWN {
        text.push('…');
    }
    format!("`{text}`")
}
