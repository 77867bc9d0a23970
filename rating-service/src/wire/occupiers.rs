//! Occupiers on the wire.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::contracts::NewContract;
use crate::error::Faults;

/// An occupier.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Occupier {
    /// Id in reports and file names.
    #[schema(example = "acme")]
    pub id: String,
    /// Where it stands: by its contracts at the sites that the caller may see (or asked for).
    pub state: Standing,
    /// Its settings; billing reference and external identifiers are the operator's alone to see.
    pub settings: OccupierSettings,
    /// Where it has a contract, that runs or not, among the sites that the caller may see.
    pub sites: BTreeSet<String>,
    /// Whom to write to, as the sync brought it; absent until it did, and once erased.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<Contact>,
    /// Whether its portal is active.
    pub portal_active: bool,
    /// When it is to be decommissioned; absent if that is not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decommission_at: Option<String>,
    /// When it was decommissioned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decommissioned_at: Option<String>,
    /// When it was made.
    pub created_at: String,
}

/// Where an occupier stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Standing {
    /// No contract.
    New,
    /// A contract that has not begun, and none that runs.
    Upcoming,
    /// A contract that runs.
    Active,
    /// Contracts that have ended, and no other.
    Completed,
    /// Its time has ended at every site.
    Decommissioned,
}

/// What kind of occupier.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// It rents space.
    #[default]
    Residential,
    /// It rents none, and has telephony all the same.
    Virtual,
}

impl Kind {
    /// As it is kept.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Residential => "residential",
            Self::Virtual => "virtual",
        }
    }
}

/// An occupier's settings, which hold at every site, to be put in the place of those it has.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OccupierSettings {
    /// The company's name.
    #[schema(example = "Acme Ltd")]
    pub name: String,
    /// What kind of occupier.
    #[serde(default)]
    pub kind: Kind,
    /// What the billing system calls it, exactly. Empty or left out, a unique one is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub billing_reference: Option<String>,
    /// What other systems call it: one name for each system and site.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub external_identifiers: Vec<ExternalIdentifier>,
    /// Whether the operator runs its telephony; if not, there are no reports of its calls.
    #[serde(default = "yes")]
    pub telephony_managed: bool,
}

const fn yes() -> bool {
    true
}

/// What another system calls an occupier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExternalIdentifier {
    /// The system.
    #[schema(example = "crm")]
    pub system: String,
    /// Its name for the occupier.
    #[schema(example = "0017000001Xyz")]
    pub identifier: String,
    /// At which site; left out, at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
}

impl OccupierSettings {
    /// Finds what is wrong with them.
    pub fn check(&self, faults: &mut Faults, at: &str) {
        faults.text(&format!("{at}/name"), &self.name, 200);
        let reference = self.billing_reference.as_deref().unwrap_or_default();
        faults.optional_text(&format!("{at}/billing_reference"), reference, 100);
        let mut seen = BTreeSet::new();
        for (index, name) in self.external_identifiers.iter().enumerate() {
            let at = format!("{at}/external_identifiers/{index}");
            name.check(faults, &at);
            if !seen.insert((&name.system, &name.site)) {
                let what = format!("`{}` has named it already", name.system);
                faults.push(at, "occupier.identifier_duplicate", what, "one identifier for each system and site");
            }
        }
    }
}

impl ExternalIdentifier {
    /// Finds what is wrong with it.
    pub fn check(&self, faults: &mut Faults, at: &str) {
        faults.id(&format!("{at}/system"), &self.system);
        faults.text(&format!("{at}/identifier"), &self.identifier, 100);
    }
}

/// Whom to write to about an occupier: changed by the sync alone.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Contact {
    /// Name.
    pub name: String,
    /// Address.
    pub email: String,
    /// Telephone.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub phone: String,
    /// When the sync brought it.
    pub synced_at: String,
    /// Whether it was typed, for want of a system that brings it: it can be typed again until one does.
    #[serde(default)]
    pub by_hand: bool,
}

/// A new occupier.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewOccupier {
    /// Id in reports and file names, which stays; left out, it is made from the name.
    #[serde(default)]
    #[schema(example = "acme")]
    pub id: Option<String>,
    /// Its settings.
    pub settings: OccupierSettings,
    /// Its first contract, made with it.
    #[serde(default)]
    pub contract: Option<NewContract>,
}

/// An occupier as another system knows it. What is left out stays as it is; a new occupier takes what is usual.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SyncedOccupier {
    /// The company's name.
    pub name: String,
    /// What kind of occupier.
    #[serde(default)]
    pub kind: Option<Kind>,
    /// What the billing system calls it.
    #[serde(default)]
    pub billing_reference: Option<String>,
    /// Whether the operator runs its telephony.
    #[serde(default)]
    pub telephony_managed: Option<bool>,
    /// Whom to write to.
    #[serde(default)]
    pub contact: Option<SyncedContact>,
}

/// Whom to write to, as another system knows it, or as somebody types it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SyncedContact {
    /// Name.
    pub name: String,
    /// Address.
    pub email: String,
    /// Telephone.
    #[serde(default)]
    pub phone: String,
}

/// Which occupiers.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct WhichOccupiers {
    /// What the page before gave as `next`.
    pub after: Option<String>,
    /// How many, 1 to 500; 100 if left out.
    #[param(minimum = 1, maximum = 500)]
    pub limit: Option<i64>,
    /// Only those whose name, id, billing reference or external identifier contains this, in small letters or capitals.
    pub search: Option<String>,
    /// Only those with a contract at this site, and their state there.
    pub site: Option<String>,
    /// Only those in this state.
    #[param(inline)]
    pub state: Option<Standing>,
}

/// The end of an occupier at every site: whether and when, and what stands in its way.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Decommission {
    /// When it is to be; absent if that is not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scheduled_for: Option<String>,
    /// When it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decommissioned_at: Option<String>,
    /// What stands in the way just now.
    pub in_the_way: Vec<InTheWay>,
}

/// Something that stands in the way of a decommission.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct InTheWay {
    /// Which service or number.
    pub of: String,
    /// A stable code.
    pub code: String,
    /// What is the matter.
    pub detail: String,
    /// What to do about it.
    pub help: String,
}

/// Decommissioning: now, or at a time.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Decommissioning {
    /// When: an instant with its offset, or a day, which begins by the operator's clock. Left out, now.
    #[serde(default)]
    #[schema(example = "2026-12-31T18:00:00+00:00")]
    pub at: Option<String>,
}
