//! An occupier's portal on the wire.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::error::Faults;

/// An occupier's portal.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Portal {
    /// Whether its users may sign in.
    pub active: bool,
    /// What it shows.
    pub level: Level,
    /// When it was activated last.
    pub activated_at: String,
    /// When it was deactivated last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deactivated_at: Option<String>,
}

/// What an occupier may see of its calls, as agreed with it. What is switched off is absent from answers and reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Level {
    /// Charges, summed by extension.
    pub summary_charges: bool,
    /// Each call.
    pub itemised_calls: bool,
    /// How called numbers are shown.
    pub called_numbers: CalledNumbers,
    /// Usage of the month so far.
    pub usage_to_date: bool,
    /// What is left of allowances.
    pub allowance_left: bool,
}

/// How called numbers are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum CalledNumbers {
    /// All digits.
    Full,
    /// Without their last digits.
    Masked,
}

/// Activating an occupier's portal, for the first time or again.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Activation {
    /// What it shows; needed the first time, later it may stay as it was.
    #[serde(default)]
    pub level: Option<Level>,
    /// The first administrator; needed as long as the occupier has none.
    #[serde(default)]
    pub administrator: Option<Administrator>,
    /// What the mail says, in place of the usual text. `{name}`, `{operator}`, `{occupier}`, `{portal}` and `{link}` are
    /// filled in; `{portal}` and `{link}` must be there.
    #[serde(default)]
    pub text: Option<String>,
}

/// An occupier's first administrator.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Administrator {
    /// Address to sign in with, which stays.
    #[schema(example = "wile@acme.example")]
    pub email: String,
    /// Name.
    pub name: String,
}

/// A mail as it would be sent, its link left open.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Preview {
    /// Who gets it.
    pub to: String,
    /// What it is about.
    pub subject: String,
    /// What it says.
    pub text: String,
    /// The text before it is filled in: adjust it, and send it back as `text`.
    pub template: String,
}

/// What must stand in an adjusted text.
const NEEDED: [&str; 2] = ["{portal}", "{link}"];

/// Finds what is wrong with the text of a mail.
pub fn check_text(text: &str, faults: &mut Faults) {
    let length = text.chars().count();
    if length > 5000 {
        faults.push("/text", "field.too_long", format!("has {length} characters, at most 5000 are kept"), "");
    }
    if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        faults.push("/text", "field.control_character", "holds a control character", "take it out");
    }
    for needed in NEEDED.iter().filter(|needed| !text.contains(**needed)) {
        let what = format!("does not say where `{needed}` goes");
        faults.push("/text", "portal.text_incomplete", what, "the reader needs the portal's address and the link");
    }
}
