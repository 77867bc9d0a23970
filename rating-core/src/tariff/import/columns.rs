//! Which column is what: by its header, by the request, or by the order that the kind or the request fixes.

use super::sheet::{SEPARATORS, Sheet, Text};
use super::{ColumnUse, Fault, Place, Request};

/// A column that a kind of file may have.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spec {
    /// What it is here.
    pub(super) field: &'static str,
    /// How headers name it, in the form of [`plain`].
    pub(super) names: &'static [&'static str],
}

/// What a kind of file looks like.
#[derive(Clone, Copy, Debug)]
pub(super) struct Schema {
    pub(super) columns: &'static [Spec],
    /// Each of these groups must have one of its fields.
    pub(super) required: &'static [&'static [&'static str]],
    /// Columns that are known and not needed: header, and why.
    pub(super) unused: &'static [(&'static str, &'static str)],
    /// Fields in their order, for files without a header; empty if there is always one.
    pub(super) order: &'static [&'static str],
}

/// Where the fields of one file are.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) separator: u8,
    /// Index of the first row of data in the sheet.
    pub(super) first: usize,
    /// Cells of the header; 0 without one.
    pub(super) width: usize,
    fields: Vec<(&'static str, usize)>,
    pub(super) headers: Vec<String>,
    pub(super) uses: Vec<ColumnUse>,
    /// Texts in brackets after the names of amounts: `(USD)`.
    pub(super) hints: Vec<(usize, String)>,
}

impl Layout {
    pub(super) fn column(&self, field: &str) -> Option<usize> {
        self.fields.iter().find(|(have, _)| *have == field).map(|(_, column)| *column)
    }

    pub(super) fn fields(&self) -> impl Iterator<Item = (&'static str, usize)> {
        self.fields.iter().copied()
    }

    /// The name of a column for messages: its header, or `#3`.
    pub(super) fn name(&self, column: usize) -> String {
        match self.headers.get(column).filter(|name| !name.is_empty()) {
            Some(name) => name.clone(),
            None => format!("#{}", column + 1),
        }
    }

    /// A column by the name that a person gives it: its header in any case, or `#3`.
    pub(super) fn by_name(&self, name: &str) -> Option<usize> {
        find(&self.headers, name)
    }
}

fn find(headers: &[String], name: &str) -> Option<usize> {
    if let Some(number) = name.strip_prefix('#') {
        return number.parse::<usize>().ok()?.checked_sub(1);
    }
    headers.iter().position(|header| header.eq_ignore_ascii_case(name.trim()))
}

/// A header without case, punctuation and what stands in brackets.
pub(super) fn plain(header: &str) -> String {
    let mut words = String::new();
    let mut depth = 0_u32;
    for letter in header.chars() {
        match letter {
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            _ if depth > 0 => {}
            _ if letter.is_alphanumeric() => words.extend(letter.to_lowercase()),
            _ => words.push(' '),
        }
    }
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn bracketed(header: &str) -> Option<&str> {
    let (_, rest) = header.split_once(['(', '['])?;
    rest.split([')', ']']).next().map(str::trim).filter(|hint| !hint.is_empty())
}

/// How many lines may stand before the header.
const LOOKED_AT: usize = 40;

/// Finds the separator, the header and the columns of a file.
pub(super) fn layout(text: &Text<'_>, schema: &Schema, request: &Request) -> Result<Layout, Box<Fault>> {
    let head = Text { file: text.file, text: head(text.text) };
    if !request.order.is_empty() {
        return by_order(&head, &request.order, schema, "by the order that was given");
    }
    let mut best: Option<(usize, u8, usize)> = None;
    for (separator, _) in SEPARATORS {
        let sheet = Sheet::read(&head, separator);
        for (index, row) in sheet.rows().enumerate().take(LOOKED_AT) {
            let headers: Vec<String> = (0..row.width()).map(|column| row.cell(column).to_owned()).collect();
            let known =
                |field: &&'static str| given(field, &headers, request) || headers.iter().any(|h| is(h, field, schema));
            if !schema.required.iter().all(|group| group.iter().any(&known)) {
                continue;
            }
            let score = schema.columns.iter().filter(|spec| known(&spec.field)).count();
            if best.is_none_or(|(most, ..)| score > most) {
                best = Some((score, separator, index));
            }
        }
    }
    let Some((_, separator, index)) = best else {
        if !schema.order.is_empty() {
            let order: Vec<String> = schema.order.iter().map(|field| (*field).to_owned()).collect();
            return by_order(&head, &order, schema, "by the order that this kind has");
        }
        return Err(no_header(&head, schema));
    };
    let sheet = Sheet::read(&head, separator);
    let headers: Vec<String> = sheet
        .row(index)
        .map(|row| (0..row.width()).map(|column| row.cell(column).to_owned()).collect())
        .unwrap_or_default();
    let line = sheet.row(index).map_or(0, super::sheet::SheetRow::line);
    by_header(text.file, line, headers, separator, index + 1, schema, request)
}

/// The first lines of a file, cut at a line end.
fn head(text: &str) -> &str {
    let mut end = 0;
    for (count, at) in memchr::memchr_iter(b'\n', text.as_bytes()).enumerate() {
        end = at + 1;
        if count > LOOKED_AT {
            break;
        }
    }
    if end == 0 { text } else { text.get(..end).unwrap_or(text) }
}

fn is(header: &str, field: &str, schema: &Schema) -> bool {
    let plain = plain(header);
    schema.columns.iter().any(|spec| spec.field == field && spec.names.contains(&plain.as_str()))
}

fn given(field: &str, headers: &[String], request: &Request) -> bool {
    request
        .columns
        .iter()
        .any(|(ours, theirs)| ours == field && find(headers, theirs).is_some_and(|at| at < headers.len()))
}

fn by_header(
    file: u16,
    line: u32,
    headers: Vec<String>,
    separator: u8,
    first: usize,
    schema: &Schema,
    request: &Request,
) -> Result<Layout, Box<Fault>> {
    let width = headers.len();
    let mut layout =
        Layout { separator, first, width, fields: Vec::new(), headers, uses: Vec::new(), hints: Vec::new() };
    let place = |column: Option<String>| Place { file, line, column };
    let mut taken: Vec<Option<(&'static str, String)>> = vec![None; width];
    let mut barred = Vec::new();
    for (ours, theirs) in &request.columns {
        let Some(spec) = schema.columns.iter().find(|spec| spec.field == ours) else {
            let known: Vec<&str> = schema.columns.iter().map(|spec| spec.field).collect();
            let message = format!("`{ours}` is not a column that can be given");
            return Err(Box::new(Fault::new("import.bad_column", message, format!("columns: {}", known.join(", ")))));
        };
        if theirs == "-" {
            barred.push(spec.field);
            continue;
        }
        let Some(at) = layout.by_name(theirs).filter(|at| *at < width) else {
            let message = format!("the file has no column `{theirs}`");
            let help = format!("its columns: {}", layout.headers.join(", "));
            return Err(Box::new(Fault { place: place(None), ..Fault::new("import.bad_column", message, help) }));
        };
        taken[at] = Some((spec.field, "as the request says".to_owned()));
    }
    let claimed: Vec<&'static str> = taken.iter().flatten().map(|(field, _)| *field).chain(barred).collect();
    for (at, slot) in taken.iter_mut().enumerate() {
        let header = &layout.headers[at];
        let plain = plain(header);
        if slot.is_some() || plain.is_empty() {
            continue;
        }
        let spec = schema.columns.iter().find(|spec| spec.names.contains(&plain.as_str()));
        if let Some(spec) = spec.filter(|spec| !claimed.contains(&spec.field)) {
            let exact = header.eq_ignore_ascii_case(spec.field);
            let reason = if exact { "the header".to_owned() } else { format!("the header says so: `{plain}`") };
            *slot = Some((spec.field, reason));
        }
    }
    for (at, slot) in taken.iter().enumerate() {
        let number = at + 1;
        let header = layout.headers[at].clone();
        let Some((field, reason)) = slot else {
            let known = plain(&header);
            let why = schema.unused.iter().find(|(name, _)| *name == known).map(|(_, why)| *why);
            let claimed = schema.columns.iter().any(|spec| spec.names.contains(&known.as_str()));
            let reason = match why {
                Some(why) => why.to_owned(),
                None if header.is_empty() => "it has no header".to_owned(),
                None if claimed => "the request names another column for this".to_owned(),
                None => "not known here".to_owned(),
            };
            layout.uses.push(ColumnUse { file, number, header, used_as: String::new(), reason });
            continue;
        };
        if let Some((_, other)) = layout.fields.iter().find(|(have, _)| have == field) {
            let (other, this) = (*other, at);
            let message = format!(
                "columns {} (`{}`) and {} (`{header}`) both look like {field}",
                other + 1,
                layout.headers[other],
                this + 1
            );
            let help = format!("say which one: `--column {field}=#{}` or `--column {field}=#{}`", other + 1, this + 1);
            let fault = Fault::new("import.column_ambiguous", message, help);
            return Err(Box::new(Fault { place: place(Some(header)), ..fault }));
        }
        if let Some(hint) = bracketed(&header) {
            layout.hints.push((at, hint.to_owned()));
        }
        layout.fields.push((field, at));
        layout.uses.push(ColumnUse { file, number, header, used_as: (*field).to_owned(), reason: reason.clone() });
    }
    Ok(layout)
}

fn by_order(head: &Text<'_>, order: &[String], schema: &Schema, reason: &str) -> Result<Layout, Box<Fault>> {
    let file = head.file;
    let mut fields = Vec::new();
    let mut uses = Vec::new();
    for (at, name) in order.iter().enumerate() {
        let used = |used_as: &str, reason: &str| ColumnUse {
            file,
            number: at + 1,
            header: String::new(),
            used_as: used_as.to_owned(),
            reason: reason.to_owned(),
        };
        if name == "-" {
            uses.push(used("", "the request leaves it out"));
            continue;
        }
        let Some(spec) = schema.columns.iter().find(|spec| spec.field == name) else {
            let known: Vec<&str> = schema.columns.iter().map(|spec| spec.field).collect();
            let message = format!("`{name}` is not a column that can be given");
            let help = format!("columns: {}; `-` for one that is not used", known.join(", "));
            return Err(Box::new(Fault::new("import.bad_column", message, help)));
        };
        if fields.iter().any(|(have, _)| *have == spec.field) {
            let message = format!("`{name}` is given twice");
            let help = "give each column once, `-` for one that is not used";
            return Err(Box::new(Fault::new("import.bad_column", message, help)));
        }
        fields.push((spec.field, at));
        uses.push(used(spec.field, reason));
    }
    let missing =
        schema.required.iter().find(|group| !group.iter().any(|field| fields.iter().any(|(have, _)| have == field)));
    if let Some(group) = missing {
        let message = format!("no column is `{}`", group.join("` or `"));
        let help = "name every column in its order: `--columns code,destination,price`";
        return Err(Box::new(Fault::new("import.bad_column", message, help)));
    }
    // The separator that the first rows agree on.
    let mut best = (0, SEPARATORS[0].0);
    for separator in SEPARATORS.map(|(separator, _)| separator).into_iter().chain([b':']) {
        let sheet = Sheet::read(head, separator);
        let fitting = sheet.rows().filter(|row| row.width() > 1 && row.filled_width() <= order.len().max(2)).count();
        if fitting > best.0 {
            best = (fitting, separator);
        }
    }
    if best.0 == 0 {
        let first = head.text.lines().next().unwrap_or("").chars().take(80).collect::<String>();
        let message = format!("the rows have more columns than the {} that are known", order.len());
        let help =
            format!("the file begins `{first}`; name its columns in their order: `--columns {},…`", order.join(","));
        let place = Place { file, line: 1, column: None };
        return Err(Box::new(Fault { place, ..Fault::new("import.no_header", message, help) }));
    }
    let sheet = Sheet::read(head, best.1);
    // A first line without a single digit names the columns.
    let named =
        sheet.row(0).is_some_and(|row| !(0..row.width()).any(|at| row.cell(at).contains(|c: char| c.is_ascii_digit())));
    let headers = sheet
        .row(0)
        .filter(|_| named)
        .map(|row| (0..row.width()).map(|at| row.cell(at).to_owned()).collect())
        .unwrap_or_default();
    Ok(Layout { separator: best.1, first: usize::from(named), width: 0, fields, headers, uses, hints: Vec::new() })
}

fn no_header(head: &Text<'_>, schema: &Schema) -> Box<Fault> {
    let needed: Vec<String> = schema.required.iter().map(|group| group.join(" or ")).collect();
    let message = format!("no line names the columns; a header must name {}", needed.join(", and "));
    let first = head.text.lines().next().unwrap_or("").chars().take(80).collect::<String>();
    let examples: Vec<String> = schema
        .required
        .iter()
        .flat_map(|group| group.iter().take(1))
        .filter_map(|field| schema.columns.iter().find(|spec| spec.field == *field))
        .map(|spec| format!("{}: {}", spec.field, spec.names.iter().take(4).copied().collect::<Vec<_>>().join(", ")))
        .collect();
    let help = format!(
        "the file begins `{first}`; headers known here: {}; or say the order with `--columns`",
        examples.join("; ")
    );
    Box::new(Fault {
        place: Place { file: head.file, line: 1, column: None },
        ..Fault::new("import.no_header", message, help)
    })
}
