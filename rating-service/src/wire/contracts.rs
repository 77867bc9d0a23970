//! Contracts on the wire.

use rating_core::directory::contracts::Terms;
use rating_core::time::{Instant, Interval, Zone};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::error::Faults;

/// A contract: an occupier may use a site from one day until another.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Contract {
    /// Its id.
    #[schema(example = "acme-ldn")]
    pub id: String,
    /// Whose.
    pub occupier: String,
    /// At which site.
    pub site: String,
    /// `UPCOMING`, `ACTIVE`, `COMPLETED` or `DISCARDED`.
    pub state: String,
    /// What can be changed.
    pub settings: ContractSettings,
    /// When the occupier moves out, if it rents space: always the contract's end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub move_out: Option<String>,
    /// When numbers left with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deprovisioned_at: Option<String>,
    /// When it was discarded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub discarded_at: Option<String>,
    /// When it was made.
    pub created_at: String,
}

/// A new contract.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewContract {
    /// Its id, which stays; left out, it is made from the occupier's and the site's.
    #[serde(default)]
    pub id: Option<String>,
    /// At which site.
    #[schema(example = "ldn")]
    pub site: String,
    /// What can be changed later.
    pub settings: ContractSettings,
}

/// What can be changed of a contract, to be put in the place of what it says. Days are those of its site, and half-open:
/// `until` is the first day after the last.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContractSettings {
    /// What people call it; left out, the site's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its first day.
    #[schema(example = "2026-12-01")]
    pub from: String,
    /// The day on which it does not run any more; left out or null, it has no end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "2027-12-01")]
    pub until: Option<String>,
    /// Whether services and numbers end with it. If not, they stay.
    #[serde(default)]
    pub deprovision_at_end: bool,
    /// When the occupier moves in, if it rents space.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub move_in: Option<String>,
    /// What the billing system calls it.
    #[serde(default)]
    pub external_reference: String,
    /// The site at which it is billed, if that is another one: a roaming contract.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub billing_site: Option<String>,
}

impl ContractSettings {
    /// Finds what is wrong with them, and what they say in the zone of the site.
    pub fn terms(&self, zone: &Zone, faults: &mut Faults, at: &str) -> Option<Terms> {
        faults.optional_text(&format!("{at}/name"), self.name.as_deref().unwrap_or_default(), 200);
        faults.optional_text(&format!("{at}/external_reference"), &self.external_reference, 100);
        let mut bound = |field: &str, text: &str| super::bound(zone, faults, &format!("{at}/{field}"), text);
        let from = bound("from", &self.from);
        let until = self.until.as_deref().map_or(Some(Instant::MAX), |text| bound("until", text));
        let move_in = self.move_in.as_deref().map_or(Some(None), |text| bound("move_in", text).map(Some));
        let term = Interval { from: from?, until: until? };
        Some(Terms { term, deprovision: self.deprovision_at_end, move_in: move_in? })
    }
}

/// Undoing the end of a contract.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reactivation {
    /// Its new end; left out or null, none.
    #[serde(default)]
    pub until: Option<String>,
    /// Whether services and numbers end with it then.
    #[serde(default)]
    pub deprovision_at_end: bool,
}
