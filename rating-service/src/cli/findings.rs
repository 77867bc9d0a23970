//! Findings on the terminal: the place underlined, why, and how to mend it.

use std::fmt::Write as _;

use miette::{Diagnostic, LabeledSpan, MietteHandlerOpts, NamedSource, ReportHandler, Severity};
use rating_core::finding::{self, Finding, Findings};

/// A finding with its first file's text, as `miette` wants it.
#[derive(Debug)]
struct Shown {
    finding: Finding,
    text: Option<NamedSource<String>>,
}

impl std::fmt::Display for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.finding.message)?;
        match &self.finding.file {
            Some(file) if self.finding.labels.is_empty() => write!(f, " ({file})"),
            _ => Ok(()),
        }
    }
}

impl std::error::Error for Shown {}

impl Diagnostic for Shown {
    fn code<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        Some(Box::new(self.finding.code))
    }

    fn severity(&self) -> Option<Severity> {
        Some(match self.finding.severity {
            finding::Severity::Warning => Severity::Warning,
            finding::Severity::Error => Severity::Error,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        let mut help = self.finding.help.clone().unwrap_or_default();
        // Places in other files than the first cannot be underlined in the same picture: name them.
        for label in self.other_files() {
            let (line, column) = label.source.position(label.span.start);
            let _ = write!(
                help,
                "{}see {}:{line}:{column}: {} `{}`",
                if help.is_empty() { "" } else { "\n" },
                label.source.name,
                label.text,
                label.source.line(line)
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
                let text = (!label.text.is_empty()).then(|| label.text.clone());
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
    fn other_files(&self) -> impl Iterator<Item = &finding::Label> {
        let first = self.finding.labels.first().map(|label| &label.source);
        self.finding.labels.iter().filter(move |label| Some(&label.source) != first)
    }
}

/// All findings as text, with colours and drawn lines only if `fancy`.
#[must_use]
pub(super) fn render(findings: &Findings, fancy: bool) -> String {
    let handler = if fancy {
        MietteHandlerOpts::new().build()
    } else {
        MietteHandlerOpts::new().unicode(false).color(false).width(120).build()
    };
    struct Report<'a>(&'a dyn Diagnostic, &'a dyn ReportHandler);
    impl std::fmt::Display for Report<'_> {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            self.1.debug(self.0, f)
        }
    }
    let mut text = String::new();
    for finding in findings.iter() {
        let source =
            finding.labels.first().map(|label| NamedSource::new(&label.source.name, label.source.text.clone()));
        let shown = Shown { finding: finding.clone(), text: source };
        let _ = writeln!(text, "{}", Report(&shown, &handler));
    }
    text
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
                "severity": match finding.severity { finding::Severity::Warning => "warning", finding::Severity::Error => "error" },
                "message": finding.message,
                "file": finding.file,
                "labels": finding.labels.iter().map(label).collect::<Vec<_>>(),
                "help": finding.help,
            })
        })
        .collect()
}
