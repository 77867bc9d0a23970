//! Findings on the terminal: the place underlined, why, and how to mend it.

use std::fmt::Write as _;

use miette::{Diagnostic, LabeledSpan, MietteHandlerOpts, NamedSource, ReportHandler, Severity};
use rating_core::finding::{self, Finding, Findings, Label};

use super::terminal;

/// How many findings are shown; a deck of a million rows with a column too few has a million.
const SHOWN: usize = 100;

/// The longest line that is shown whole; of a longer one, what is around the place.
const WIDTH: usize = 110;

const fn severity_name(severity: finding::Severity) -> &'static str {
    match severity {
        finding::Severity::Warning => "warning",
        finding::Severity::Error => "error",
    }
}

/// A finding with its first file's text, as `miette` wants it.
#[derive(Debug)]
struct Shown {
    finding: Finding,
    text: Option<NamedSource<String>>,
}

impl std::fmt::Display for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&terminal::line(&self.finding.message))?;
        match &self.finding.file {
            Some(file) if self.finding.labels.is_empty() => write!(f, " ({})", terminal::line(file)),
            _ => Ok(()),
        }
    }
}

impl std::error::Error for Shown {}

impl Diagnostic for Shown {
    fn code<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        Some(Box::new(format!("{}[{}]", severity_name(self.finding.severity), self.finding.code)))
    }

    fn severity(&self) -> Option<Severity> {
        Some(match self.finding.severity {
            finding::Severity::Warning => Severity::Warning,
            finding::Severity::Error => Severity::Error,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        let mut help = help_lines(&self.finding).join("\n");
        // Places in other files than the first cannot be underlined in the same picture: name them.
        for label in self.other_files() {
            let (line, column) = label.source.position(label.span.start);
            let _ = write!(
                help,
                "{}see {}:{line}:{column}: {} `{}`",
                if help.is_empty() { "" } else { "\n" },
                terminal::line(&label.source.name),
                terminal::line(&label.text),
                terminal::line(label.source.line(line))
            );
        }
        (!help.is_empty()).then(|| Box::new(help) as Box<dyn std::fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        self.text.as_ref().map(|text| text as &dyn miette::SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let first = self.finding.labels.first()?;
        let labels = self.finding.labels.iter().filter(|label| label.source == first.source).enumerate().map(
            |(index, label)| {
                let text = (!label.text.is_empty()).then(|| terminal::line(&label.text));
                let span = (label.span.start, label.span.len());
                if index == 0 {
                    LabeledSpan::new_primary_with_span(text, span)
                } else {
                    LabeledSpan::new_with_span(text, span)
                }
            },
        );
        Some(Box::new(labels))
    }
}

impl Shown {
    fn other_files(&self) -> impl Iterator<Item = &Label> {
        let first = self.finding.labels.first().map(|label| &label.source);
        self.finding.labels.iter().filter(move |label| Some(&label.source) != first)
    }
}

fn help_lines(finding: &Finding) -> Vec<String> {
    finding.help.as_deref().unwrap_or("").lines().map(terminal::line).collect()
}

/// The findings as text, with colours and drawn lines only if `fancy`.
#[must_use]
pub(super) fn render(findings: &Findings, fancy: bool) -> String {
    let handler = MietteHandlerOpts::new().build();
    let mut text = String::new();
    for finding in findings.iter().take(SHOWN) {
        if fancy && finding.labels.iter().all(is_short) {
            let source = finding.labels.first().map(|label| {
                NamedSource::new(terminal::line(&label.source.name), terminal::content(&label.source.text))
            });
            let shown = Shown { finding: finding.clone(), text: source };
            let _ = writeln!(text, "{}", Drawn(&shown, &handler));
        } else {
            text.push_str(&plain(finding));
            text.push('\n');
        }
    }
    if findings.len() > SHOWN {
        let _ = writeln!(
            text,
            "and {} more, which --json lists too\n",
            super::run::thousands((findings.len() - SHOWN) as u64)
        );
    }
    text
}

struct Drawn<'a>(&'a dyn Diagnostic, &'a dyn ReportHandler);

impl std::fmt::Display for Drawn<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.1.debug(self.0, f)
    }
}

fn is_short(label: &Label) -> bool {
    label.source.line(label.source.position(label.span.start).0).len() <= 4 * WIDTH && label.span.len() <= 4 * WIDTH
}

/// One finding in plain characters: what, where (`file:line:column`), the line with the place underlined, the help.
fn plain(finding: &Finding) -> String {
    let mut text =
        format!("{}[{}]: {}\n", severity_name(finding.severity), finding.code, terminal::line(&finding.message));
    let gutter = finding
        .labels
        .iter()
        .map(|label| label.source.position(label.span.start).0.to_string().len())
        .max()
        .unwrap_or(1);
    if let (Some(file), true) = (&finding.file, finding.labels.is_empty()) {
        let _ = writeln!(text, "{:gutter$}--> {}", "", terminal::line(file));
    }
    for (index, label) in finding.labels.iter().enumerate() {
        let (line, column) = label.source.position(label.span.start);
        let arrow = if index == 0 { "-->" } else { ":::" };
        let (shown, before, under) = excerpt(label, line);
        let _ = writeln!(text, "{:gutter$}{arrow} {}:{line}:{column}", "", terminal::line(&label.source.name));
        let _ = writeln!(text, "{:gutter$} |", "");
        let _ = writeln!(text, "{line:>gutter$} | {shown}");
        let underline = format!("{:gutter$} | {:before$}{} {}", "", "", "^".repeat(under), terminal::line(&label.text));
        let _ = writeln!(text, "{}", underline.trim_end());
    }
    for (index, line) in help_lines(finding).iter().enumerate() {
        let _ = writeln!(text, "{:gutter$} {} {line}", "", if index == 0 { "= help:" } else { "       " });
    }
    text
}

/// What is shown of a label's line, how many characters stand before the place, and how many are underlined.
fn excerpt(label: &Label, line: usize) -> (String, usize, usize) {
    const MARGIN: usize = 30;
    let whole = label.source.line(line).trim_end_matches('\r');
    let before = label.source.position(label.span.start).1 - 1;
    let marked = label.source.text.get(label.span.clone()).unwrap_or("").lines().next().unwrap_or("").chars().count();
    let shown = |skip: usize, take: usize| {
        terminal::line(&whole.chars().skip(skip).take(take).collect::<String>().replace('\t', " "))
    };
    let length = whole.chars().count();
    if length <= WIDTH {
        return (shown(0, WIDTH), before, marked.min(length.saturating_sub(before)).max(1));
    }
    // A long line: the place, and a little to both sides of it.
    let skip = before.saturating_sub(MARGIN);
    let (head, tail) = (if skip > 0 { "\u{2026}" } else { "" }, if length > skip + WIDTH { "\u{2026}" } else { "" });
    let before = before - skip;
    let under = marked.min(WIDTH.saturating_sub(before)).max(1);
    (format!("{head}{}{tail}", shown(skip, WIDTH)), before + head.chars().count(), under)
}

/// All findings as JSON: an array of objects with code, severity, message, file, line, column, byte span, labels, help.
#[must_use]
pub(super) fn json(findings: &Findings) -> serde_json::Value {
    let label = |label: &finding::Label| {
        let (line, column) = label.source.position(label.span.start);
        serde_json::json!({
            "file": label.source.name, "line": line, "column": column,
            "from": label.span.start, "until": label.span.end, "text": label.text,
        })
    };
    findings
        .iter()
        .map(|finding| {
            serde_json::json!({
                "code": finding.code,
                "severity": severity_name(finding.severity),
                "message": finding.message,
                "file": finding.file,
                "labels": finding.labels.iter().map(label).collect::<Vec<_>>(),
                "help": finding.help,
            })
        })
        .collect()
}
