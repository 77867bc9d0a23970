//! Findings: what is wrong with a file that people write, where, why, and how to mend it.
//!
//! A finding has a stable code (`tariff.unknown_key`); its words may improve. All findings of a file are collected before
//! anything stops. Records of a switch are not judged here: they are rejected or suspended as data, with codes of their
//! own stage.

pub mod settings;
pub mod table;

use std::fmt;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

/// A text file under judgement: its name as the user knows it, and its content.
#[derive(Debug)]
pub struct SourceText {
    /// Path relative to the project.
    pub name: String,
    /// The whole content.
    pub text: String,
    /// Where each line begins: found when a place is first asked for, so that ten thousand findings cost one look.
    line_starts: OnceLock<Vec<usize>>,
}

impl PartialEq for SourceText {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.text == other.text
    }
}

impl Eq for SourceText {}

impl SourceText {
    /// Wraps a file's name and content for sharing between findings.
    #[must_use]
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Arc<Self> {
        Arc::new(Self { name: name.into(), text: text.into(), line_starts: OnceLock::new() })
    }

    fn line_starts(&self) -> &[usize] {
        self.line_starts.get_or_init(|| {
            std::iter::once(0).chain(memchr::memchr_iter(b'\n', self.text.as_bytes()).map(|at| at + 1)).collect()
        })
    }

    /// Line and column (both from 1; the column counts characters) of a byte offset.
    #[must_use]
    pub fn position(&self, offset: usize) -> (usize, usize) {
        let offset = self.text.floor_char_boundary(offset);
        let starts = self.line_starts();
        let line = starts.partition_point(|start| *start <= offset).max(1);
        let start = starts.get(line - 1).copied().unwrap_or(0);
        (line, self.text.get(start..offset).map_or(0, |before| before.chars().count()) + 1)
    }

    /// Where a line stands, counted from 1, without its end.
    #[must_use]
    pub fn line_span(&self, line: usize) -> Range<usize> {
        let start = self.line_starts().get(line.saturating_sub(1)).copied().unwrap_or(self.text.len());
        start..start + self.line(line).len()
    }

    /// The text of a line, counted from 1, without its end.
    #[must_use]
    pub fn line(&self, line: usize) -> &str {
        let start = self.line_starts().get(line.saturating_sub(1)).copied().unwrap_or(self.text.len());
        self.text.get(start..).and_then(|rest| rest.lines().next()).unwrap_or("")
    }
}

/// A marked place in a text, with a few words about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The file.
    pub source: Arc<SourceText>,
    /// Byte range inside it.
    pub span: Range<usize>,
    /// What is the matter here; may be empty.
    pub text: String,
}

impl Label {
    /// Marks `span` of `source`.
    #[must_use]
    pub fn new(source: &Arc<SourceText>, span: Range<usize>, text: impl Into<String>) -> Self {
        Self { source: Arc::clone(source), span, text: text.into() }
    }
}

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth a look; nothing stops.
    Warning,
    /// Nothing is rated until it is mended.
    Error,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Stable code, `area.what`; listed in `docs/findings.md`.
    pub code: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// What is wrong: lower case, no full stop.
    pub message: String,
    /// Where: the first label is the place, the others are places it conflicts with.
    pub labels: Vec<Label>,
    /// The file, where there is no text to mark (a file that is missing or unreadable).
    pub file: Option<String>,
    /// How to mend it.
    pub help: Option<String>,
}

impl Finding {
    /// An error without a place; add places with [`Finding::at`].
    #[must_use]
    pub fn error(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, severity: Severity::Error, message: message.into(), labels: Vec::new(), file: None, help: None }
    }

    /// A warning without a place.
    #[must_use]
    pub fn warning(code: &'static str, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, message) }
    }

    /// Marks a place.
    #[must_use]
    pub fn at(mut self, label: Label) -> Self {
        self.labels.push(label);
        self
    }

    /// Names a file where there is no text to mark.
    #[must_use]
    pub fn in_file(mut self, file: impl Into<String>) -> Self {
        self.file = Some(file.into());
        self
    }

    /// Says how to mend it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// `file:line:column`, or the file alone, or nothing.
    #[must_use]
    pub fn place(&self) -> String {
        if let Some(label) = self.labels.first() {
            let (line, column) = label.source.position(label.span.start);
            return format!("{}:{line}:{column}", label.source.name);
        }
        self.file.clone().unwrap_or_default()
    }
}

impl fmt::Display for Finding {
    /// One line: place, severity, code, message.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Warning => "warning",
            Severity::Error => "error",
        };
        let place = self.place();
        let colon = if place.is_empty() { "" } else { ": " };
        write!(f, "{place}{colon}{severity}[{}]: {}", self.code, self.message)
    }
}

/// All findings so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings(Vec<Finding>);

impl Findings {
    /// Adds one.
    pub fn push(&mut self, finding: Finding) {
        self.0.push(finding);
    }

    /// Adds all of another list.
    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Whether anything must be mended before work can start.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.errors() > 0
    }

    /// How many of them must be mended.
    #[must_use]
    pub fn errors(&self) -> usize {
        self.0.iter().filter(|finding| finding.severity == Severity::Error).count()
    }

    /// Whether there is nothing at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Them, in the order found.
    pub fn iter(&self) -> std::slice::Iter<'_, Finding> {
        self.0.iter()
    }
}

impl IntoIterator for Findings {
    type Item = Finding;
    type IntoIter = std::vec::IntoIter<Finding>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// The known name nearest to `given`, if it is near enough to be a slip of the finger (one edit per three letters).
///
/// # Example
///
/// ```
/// use rating_core::finding::did_you_mean;
/// assert_eq!(did_you_mean("curency", ["currency", "country"]), Some("currency"));
/// assert_eq!(did_you_mean("colour", ["currency", "country"]), None);
/// ```
#[must_use]
pub fn did_you_mean<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|name| (edit_distance(&given.to_lowercase(), &name.to_lowercase()), name))
        .filter(|(distance, name)| *distance <= name.len().max(3) / 3)
        .min()
        .map(|(_, name)| name)
}

/// Letters added, left out or replaced, and neighbours swapped, each counted once (the "optimal string alignment" form
/// of Damerau's distance).
fn edit_distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    // Distances to every beginning of `right`: of `left` two letters ago, one letter ago, and now.
    let mut older: Vec<usize> = Vec::new();
    let mut old: Vec<usize> = (0..=right.len()).collect();
    let mut previous = None;
    for (i, a) in left.chars().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in right.iter().enumerate() {
            let mut least = (old[j] + usize::from(a != *b)).min(old[j + 1] + 1).min(row[j] + 1);
            if j > 0 && previous == Some(*b) && right[j - 1] == a {
                least = least.min(older[j - 1] + 1);
            }
            row.push(least);
        }
        (older, old) = (old, row);
        previous = Some(a);
    }
    old[right.len()]
}
