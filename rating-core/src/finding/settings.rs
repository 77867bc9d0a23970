//! Reading settings files (TOML) so that every mistake of a file is found in one pass and shown where it is.
//!
//! A [`Section`] is one TOML table. Its keys are asked for by name; [`Section::finish`] then reports the keys nobody
//! asked for, with the nearest one that somebody did.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use toml::de::{DeTable, DeValue};

use super::{Finding, Findings, Label, SourceText, did_you_mean};

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Byte range in the file.
    pub span: Range<usize>,
}

#[derive(Clone, Debug)]
enum Value {
    Text(String),
    Integer(i64),
    Boolean(bool),
    List(Vec<Spanned<Value>>),
    Table(Vec<Entry>),
    /// Floats and dates: settings use neither (`0.5` has no unit; dates are quoted text).
    Other(&'static str),
}

impl Value {
    const fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Integer(_) => "an integer",
            Self::Boolean(_) => "true or false",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
            Self::Other(kind) => kind,
        }
    }
}

#[derive(Clone, Debug)]
struct Entry {
    key: Spanned<String>,
    value: Spanned<Value>,
    asked: Cell<bool>,
}

/// One table of a settings file.
///
/// # Example: a slip of the finger
///
/// ```
/// use rating_core::finding::{Findings, SourceText, settings::Section};
/// let source = SourceText::new("rating.toml", "nmae = \"Harbour Workspaces\"\n");
/// let mut findings = Findings::default();
/// let section = Section::parse(&source, &mut findings);
/// assert!(section.text("name", &mut findings).is_none());
/// section.finish(&mut findings);
/// let finding = findings.iter().next().unwrap();
/// assert_eq!(finding.to_string(), "rating.toml:1:1: error[settings.unknown_key]: unknown key `nmae`");
/// assert_eq!(finding.help.as_deref(), Some("did you mean `name`?"));
/// ```
#[derive(Debug)]
pub struct Section {
    source: Arc<SourceText>,
    /// Dotted path of the table, for messages; empty for the file itself.
    path: String,
    span: Range<usize>,
    /// In the order of their keys.
    entries: Vec<Entry>,
    known: RefCell<BTreeSet<String>>,
}

impl Section {
    /// Reads a whole file. Syntax errors are reported, all of them; what could be read is in the section.
    #[must_use]
    pub fn parse(source: &Arc<SourceText>, findings: &mut Findings) -> Self {
        let (table, errors) = DeTable::parse_recoverable(&source.text);
        for error in errors {
            let span = error.span().unwrap_or(0..0);
            findings.push(
                Finding::error("settings.syntax", error.message().to_owned()).at(Label::new(source, span, "here")),
            );
        }
        Self {
            source: Arc::clone(source),
            path: String::new(),
            span: 0..source.text.len().min(1),
            entries: entries(table.get_ref()),
            known: RefCell::default(),
        }
    }

    /// The file this is part of.
    #[must_use]
    pub const fn source(&self) -> &Arc<SourceText> {
        &self.source
    }

    /// Where the table stands.
    #[must_use]
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// Marks a place in this file.
    #[must_use]
    pub fn label(&self, span: &Range<usize>, text: impl Into<String>) -> Label {
        Label::new(&self.source, span.clone(), text)
    }

    /// Whether the key is there, without asking for its value.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.note(key);
        self.find(key).is_some()
    }

    /// Whether the key holds a table, without asking for its value: for keys that are a word or a table.
    #[must_use]
    pub fn is_table(&self, key: &str) -> bool {
        self.find(key).is_some_and(|entry| matches!(entry.value.value, Value::Table(_)))
    }

    /// Whether the key holds a text, without asking for its value: for keys that are a word or something larger.
    #[must_use]
    pub fn is_text(&self, key: &str) -> bool {
        self.find(key).is_some_and(|entry| matches!(entry.value.value, Value::Text(_)))
    }

    /// What the key holds, without asking for its value: `text`, `an integer`, `a list` …
    #[must_use]
    pub fn kind_of(&self, key: &str) -> Option<&'static str> {
        self.find(key).map(|entry| entry.value.value.kind())
    }

    /// Whether the key holds a table or a list that begins with one, without asking for its value.
    #[must_use]
    pub fn holds_tables(&self, key: &str) -> bool {
        self.find(key).is_some_and(|entry| match &entry.value.value {
            Value::Table(_) => true,
            Value::List(items) => matches!(items.first().map(|item| &item.value), Some(Value::Table(_))),
            _ => false,
        })
    }

    /// The keys of this table in the order of their names, with their places: for tables whose keys are data.
    pub fn keys(&self) -> impl Iterator<Item = &Spanned<String>> {
        self.entries.iter().map(|entry| &entry.key)
    }

    /// A text.
    pub fn text(&self, key: &str, findings: &mut Findings) -> Option<Spanned<String>> {
        self.get(key, "text", findings, |value| match value {
            Value::Text(text) => Some(text.clone()),
            _ => None,
        })
    }

    /// A text that must be there.
    pub fn required_text(&self, key: &str, findings: &mut Findings) -> Option<Spanned<String>> {
        self.require(key, findings);
        self.text(key, findings)
    }

    /// An integer.
    pub fn integer(&self, key: &str, findings: &mut Findings) -> Option<Spanned<i64>> {
        self.get(key, "an integer", findings, |value| match value {
            Value::Integer(integer) => Some(*integer),
            _ => None,
        })
    }

    /// True or false.
    pub fn boolean(&self, key: &str, findings: &mut Findings) -> Option<Spanned<bool>> {
        self.get(key, "true or false", findings, |value| match value {
            Value::Boolean(boolean) => Some(*boolean),
            _ => None,
        })
    }

    /// A list of texts; a single text counts as a list of one. Empty if the key is not there.
    pub fn texts(&self, key: &str, findings: &mut Findings) -> Vec<Spanned<String>> {
        let Some(entry) = self.entry(key) else { return Vec::new() };
        match &entry.value.value {
            Value::Text(text) => vec![Spanned { value: text.clone(), span: entry.value.span.clone() }],
            Value::List(items) => items
                .iter()
                .filter_map(|item| match &item.value {
                    Value::Text(text) => Some(Spanned { value: text.clone(), span: item.span.clone() }),
                    other => {
                        self.wrong_type(key, "text", other.kind(), &item.span, findings);
                        None
                    }
                })
                .collect(),
            other => {
                self.wrong_type(key, "a list of texts", other.kind(), &entry.value.span, findings);
                Vec::new()
            }
        }
    }

    /// A list of integers; a single one counts as a list of one. Empty if the key is not there.
    pub fn integers(&self, key: &str, findings: &mut Findings) -> Vec<Spanned<i64>> {
        let Some(entry) = self.entry(key) else { return Vec::new() };
        let items = match &entry.value.value {
            Value::List(items) => items.as_slice(),
            _ => std::slice::from_ref(&entry.value),
        };
        let mut integers = Vec::new();
        for item in items {
            match &item.value {
                Value::Integer(value) => integers.push(Spanned { value: *value, span: item.span.clone() }),
                other => self.wrong_type(key, "an integer", other.kind(), &item.span, findings),
            }
        }
        integers
    }

    /// A sub-table `[key]`.
    pub fn table(&self, key: &str, findings: &mut Findings) -> Option<Self> {
        let entry = self.entry(key)?;
        match &entry.value.value {
            Value::Table(entries) => Some(self.child(key, entries, &entry.key.span)),
            other => {
                self.wrong_type(key, "a table", other.kind(), &entry.value.span, findings);
                None
            }
        }
    }

    /// An array of tables `[[key]]`; a single `[key]` counts as an array of one.
    pub fn tables(&self, key: &str, findings: &mut Findings) -> Vec<Self> {
        let Some(entry) = self.entry(key) else { return Vec::new() };
        match &entry.value.value {
            Value::Table(entries) => vec![self.child(key, entries, &entry.key.span)],
            Value::List(items) => items
                .iter()
                .filter_map(|item| match &item.value {
                    Value::Table(entries) => Some(self.child(key, entries, &item.span)),
                    other => {
                        self.wrong_type(key, "a table", other.kind(), &item.span, findings);
                        None
                    }
                })
                .collect(),
            other => {
                self.wrong_type(key, "an array of tables", other.kind(), &entry.value.span, findings);
                Vec::new()
            }
        }
    }

    /// Reports that a key must be there, if it is not.
    pub fn require(&self, key: &str, findings: &mut Findings) {
        if !self.has(key) {
            let whole = if self.path.is_empty() { String::new() } else { format!(" in `[{}]`", self.path) };
            findings.push(
                Finding::error("settings.missing_key", format!("key `{key}` is missing{whole}"))
                    .at(Label::new(&self.source, self.span.clone(), "in this table"))
                    .help(format!("add `{key} = …`")),
            );
        }
    }

    /// Reports every key that nobody asked for.
    pub fn finish(self, findings: &mut Findings) {
        let known = self.known.borrow();
        let unused: Vec<&str> = known.iter().map(String::as_str).filter(|name| self.find(name).is_none()).collect();
        for entry in self.entries.iter().filter(|entry| !entry.asked.get()) {
            let key = &entry.key.value;
            if known.contains(key) {
                continue;
            }
            let help = match did_you_mean(key, unused.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => {
                    let names: Vec<&str> = known.iter().map(String::as_str).collect();
                    format!("keys known here: {}", names.join(", "))
                }
            };
            findings.push(
                Finding::error("settings.unknown_key", format!("unknown key `{key}`"))
                    .at(Label::new(&self.source, entry.key.span.clone(), "not known here"))
                    .help(help),
            );
        }
    }

    fn child(&self, key: &str, entries: &[Entry], span: &Range<usize>) -> Self {
        let path = if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) };
        Self {
            source: Arc::clone(&self.source),
            path,
            span: span.clone(),
            entries: entries.to_vec(),
            known: RefCell::default(),
        }
    }

    fn find(&self, key: &str) -> Option<&Entry> {
        let place = self.entries.binary_search_by(|entry| entry.key.value.as_str().cmp(key)).ok()?;
        self.entries.get(place)
    }

    /// Keeps in mind that the key is known.
    fn note(&self, key: &str) {
        let mut known = self.known.borrow_mut();
        if !known.contains(key) {
            known.insert(key.to_owned());
        }
    }

    fn entry(&self, key: &str) -> Option<&Entry> {
        self.note(key);
        let entry = self.find(key)?;
        entry.asked.set(true);
        Some(entry)
    }

    fn get<T>(
        &self,
        key: &str,
        wanted: &str,
        findings: &mut Findings,
        read: impl Fn(&Value) -> Option<T>,
    ) -> Option<Spanned<T>> {
        let entry = self.entry(key)?;
        match read(&entry.value.value) {
            Some(value) => Some(Spanned { value, span: entry.value.span.clone() }),
            None => {
                self.wrong_type(key, wanted, entry.value.value.kind(), &entry.value.span, findings);
                None
            }
        }
    }

    fn wrong_type(&self, key: &str, wanted: &str, found: &str, span: &Range<usize>, findings: &mut Findings) {
        let mut finding = Finding::error("settings.wrong_type", format!("`{key}` must be {wanted}, not {found}"))
            .at(Label::new(&self.source, span.clone(), format!("this is {found}")));
        if wanted == "text" {
            let written = self.source.text.get(span.clone()).unwrap_or("…");
            finding = finding.help(format!("put it in quotes, with its unit if it has one: `{key} = \"{written}\"`"));
        }
        findings.push(finding);
    }
}

fn entries(table: &DeTable<'_>) -> Vec<Entry> {
    let mut entries: Vec<Entry> = table
        .iter()
        .map(|(key, value)| Entry {
            key: Spanned { value: key.get_ref().to_string(), span: key.span() },
            value: convert(value),
            asked: Cell::new(false),
        })
        .collect();
    entries.sort_by(|one, other| one.key.value.cmp(&other.key.value));
    entries
}

fn convert(value: &toml::Spanned<DeValue<'_>>) -> Spanned<Value> {
    let converted = match value.get_ref() {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(integer) => match i64::from_str_radix(integer.as_str(), integer.radix()) {
            Ok(integer) => Value::Integer(integer),
            Err(_) => Value::Other("an integer that is too large"),
        },
        DeValue::Boolean(boolean) => Value::Boolean(*boolean),
        DeValue::Float(_) => Value::Other("a bare decimal number"),
        DeValue::Datetime(_) => Value::Other("a bare date"),
        DeValue::Array(items) => Value::List(items.iter().map(convert).collect()),
        DeValue::Table(table) => Value::Table(entries(table)),
    };
    Spanned { value: converted, span: value.span() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(text: &str, read: impl Fn(&Section, &mut Findings)) -> Vec<String> {
        let source = SourceText::new("x.toml", text);
        let mut findings = Findings::default();
        let section = Section::parse(&source, &mut findings);
        read(&section, &mut findings);
        section.finish(&mut findings);
        findings.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn all_mistakes_of_a_file_are_found_in_one_pass() {
        let found = codes("a = 1\nb = \"x\"\nzzz = true\n", |section, findings| {
            assert!(section.text("a", findings).is_none());
            assert!(section.integer("b", findings).is_none());
            assert!(section.required_text("c", findings).is_none());
        });
        assert_eq!(
            found,
            [
                "x.toml:1:5: error[settings.wrong_type]: `a` must be text, not an integer",
                "x.toml:2:5: error[settings.wrong_type]: `b` must be an integer, not text",
                "x.toml:1:1: error[settings.missing_key]: key `c` is missing",
                "x.toml:3:1: error[settings.unknown_key]: unknown key `zzz`",
            ]
        );
    }

    #[test]
    fn syntax_errors_have_a_place_and_do_not_hide_the_rest() {
        let found = codes("a = \nb = 2\n", |section, findings| {
            section.text("a", findings);
            assert_eq!(section.integer("b", findings).map(|b| b.value), Some(2));
        });
        assert!(found.iter().any(|line| line.starts_with("x.toml:1:")), "{found:?}");
    }

    #[test]
    fn tables_and_lists_are_read_in_order() {
        let found = codes("[[site]]\nid = \"b\"\n[[site]]\nid = \"a\"\nx = [\"1\", 2]\n", |section, findings| {
            let ids: Vec<String> = section
                .tables("site", findings)
                .into_iter()
                .filter_map(|site| {
                    let id = site.text("id", findings).map(|id| id.value);
                    site.texts("x", findings);
                    site.finish(findings);
                    id
                })
                .collect();
            assert_eq!(ids, ["b", "a"]);
        });
        assert_eq!(found, ["x.toml:5:11: error[settings.wrong_type]: `x` must be text, not an integer"]);
    }
}
