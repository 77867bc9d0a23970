//! Why something that was asked is not done.

use std::fmt;

/// Whose fault it is, as far as a program must know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// What was asked could never be done as it stands: a text is malformed, a date comes before another.
    Request,
    /// What was asked does not fit how things are. It may at another time.
    State,
}

/// Why something that was asked is not done. Nothing has changed.
///
/// The code never changes its meaning; the words may improve. `docs/refusals.md` lists every code. Of several reasons that hold at once, a refusal names the one
/// that its function checks first, unless it says that all of them stand in `details`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Stable: `number.not_reserved`.
    pub code: &'static str,
    /// Whether the request or the state of things is at fault.
    pub fault: Fault,
    /// What is the matter, with its names: lower case, no full stop.
    pub message: String,
    /// The rule behind it.
    pub why: &'static str,
    /// What to do about it.
    pub help: &'static str,
    /// Each fault by itself, where several were looked for at once.
    pub details: Vec<Detail>,
}

/// One fault of several that were found in one go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Detail {
    /// Of what: a field (`weekly[2].until`), a number, a service, a site.
    pub of: String,
    /// Stable, as a refusal's.
    pub code: &'static str,
    /// What is the matter.
    pub message: String,
    /// What to do about it.
    pub help: &'static str,
}

impl Refusal {
    pub(super) fn state(code: &'static str, message: impl Into<String>, why: &'static str, help: &'static str) -> Self {
        Self { code, fault: Fault::State, message: message.into(), why, help, details: Vec::new() }
    }

    pub(super) fn request(
        code: &'static str,
        message: impl Into<String>,
        why: &'static str,
        help: &'static str,
    ) -> Self {
        Self { fault: Fault::Request, ..Self::state(code, message, why, help) }
    }
}

impl fmt::Display for Refusal {
    /// The message, then the details, each on a line of its own.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        for detail in &self.details {
            write!(f, "\n{}: {}", detail.of, detail.message)?;
        }
        Ok(())
    }
}

impl std::error::Error for Refusal {}

/// Why a text that people gave is no name or reason, or `None` if it is one.
pub(super) fn text_fault(text: &str, longest: usize) -> Option<String> {
    if text.trim().is_empty() {
        return Some("is empty".to_owned());
    }
    if text.chars().any(char::is_control) {
        return Some("holds control characters".to_owned());
    }
    (text.chars().count() > longest).then(|| format!("is longer than {longest} characters"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use crate::directory::{contracts, decommission, lifecycle, main_number};

    const PAGE: &str = include_str!("../../../docs/refusals.md");

    /// The codes in the first cells of the page's tables.
    fn on_the_page() -> BTreeSet<&'static str> {
        let first_cells = PAGE.lines().filter_map(|line| line.strip_prefix("| `")?.split(" |").next());
        first_cells.flat_map(|cell| cell.split(['`', ',', ' '])).filter(|code| code.contains('.')).collect()
    }

    #[test]
    fn every_code_stands_on_the_page_and_no_other() {
        let codes = [
            &lifecycle::CODES[..],
            &["number.cool_off_malformed"],
            &contracts::CODES,
            &contracts::SERVICE_CODES,
            &decommission::CODES,
            &main_number::CODES,
            &main_number::HOURS_CODES,
            &main_number::EVENT_CODES,
        ];
        assert_eq!(on_the_page(), codes.concat().into_iter().collect());
    }
}
