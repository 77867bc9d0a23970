//! Tariffs on the wire: which there are, what a draft would change, what a call would cost.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::months::Finding;
use super::work::Line;

/// Tariffs at an instant.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Tariffs {
    /// The instant.
    pub at: String,
    /// By id.
    pub items: Vec<Tariff>,
}

/// A tariff.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Tariff {
    /// Its id.
    pub id: String,
    /// Its name, as the version in force has it.
    pub name: String,
    /// Whether a version is in force at the instant.
    pub in_force: bool,
    /// Its currency.
    #[schema(example = "GBP")]
    pub currency: String,
    /// The sides that assignments and services use it on: `retail`, `wholesale`.
    pub sides: Vec<String>,
    /// The sites at which it is used; `*` is every site.
    #[serde(default)]
    pub sites: Vec<String>,
    /// Its versions, the earliest first.
    pub versions: Vec<TariffVersion>,
}

/// A version of a tariff.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct TariffVersion {
    /// Whether it is the one in force at the instant.
    pub in_force: bool,
    /// Its name.
    pub name: String,
    /// Its settings file.
    pub file: String,
    /// Since when it holds; absent for always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Until when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// Its currency.
    pub currency: String,
    /// How many rows it has.
    pub rows: u64,
    /// The tariff that it inherits from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inherits: Option<String>,
}

/// A call that might be.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Quote {
    /// At which site.
    pub site: String,
    /// Who would pay: an occupier that holds a number there then. Left out, the first that does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occupier: Option<String>,
    /// The tariff, in place of the one that the occupier is on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tariff: Option<String>,
    /// The number at the other end, as people dial it.
    #[schema(example = "+33199001234")]
    pub number: String,
    /// When it is answered, with an offset or as the site's clock shows it; left out, now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "2026-11-03T18:30:00+00:00")]
    pub answered_at: Option<String>,
    /// Talk time in seconds.
    pub duration_s: u32,
    /// `outbound` (also if left out), `inbound` or `internal`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direction: Option<String>,
}

/// What a call would cost.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Quoted {
    /// `rated`, `not chargeable` or `suspended`.
    pub status: String,
    /// The stable code of the latter two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What the payer would be charged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub charge: Option<String>,
    /// In which currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// Where it goes, as the tariff calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination: Option<String>,
    /// The tariff that was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tariff: Option<String>,
    /// Why, in words.
    pub text: String,
    /// Why, as data, with both sides and every price that lost.
    #[schema(value_type = Object)]
    pub explanation: serde_json::Value,
}

/// A draft of a tariff, to be tried.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DryRun {
    /// Files by name, as they would be uploaded to `tariffs/`: settings (`.toml`), and decks that they name. A deck whose
    /// settings are not sent is tried with those that there are.
    #[schema(example = json!({ "retail-gb.csv": "prefix,destination,price\n447,UK mobile,9.5\n" }))]
    pub files: BTreeMap<String, String>,
    /// A published month to be rated with it, to see what would be charged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "2026-10")]
    pub month: Option<String>,
}

/// What a draft would change. Nothing of it is kept.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Tried {
    /// Whether it could be used.
    pub usable: bool,
    /// What is wrong with it, or worth a look, by file and line.
    pub findings: Vec<Finding>,
    /// Tariffs that it changes.
    pub tariffs: Vec<TariffChange>,
    /// What the month would come to, if one was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub month: Option<MonthTried>,
}

/// What changes of a tariff.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct TariffChange {
    /// The tariff.
    pub tariff: String,
    /// How many rows are new.
    pub added: u64,
    /// How many are gone.
    pub removed: u64,
    /// How many have another price or destination.
    pub changed: u64,
    /// How many are the same.
    pub same: u64,
    /// The rows, at most a thousand: changed, added, removed.
    pub rows: Vec<RowChange>,
}

/// A row that is not the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RowChange {
    /// `added`, `removed` or `changed`.
    pub change: String,
    /// What it is found by: a prefix, `short:101`, `class:…`.
    pub key: String,
    /// What else it asks for, column by column.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<String>,
    /// As it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<RowPrice>,
    /// As it would be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<RowPrice>,
}

/// What a row says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RowPrice {
    /// The destination.
    pub destination: String,
    /// The line in the deck.
    pub line: u32,
    /// Price by band: `0.09 per 60s`.
    pub prices: BTreeMap<String, String>,
    /// The charge for the connection.
    pub connection: String,
    /// The least that a call costs.
    pub minimum: String,
    /// `blocked` or `unknown`, if it has no price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
}

/// What a month would come to.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct MonthTried {
    /// The month.
    pub month: String,
    /// Calls that would not be charged the same.
    pub changed: u64,
    /// By site and payer: before, after and difference.
    pub payers: Vec<Line>,
    /// By destination.
    pub destinations: Vec<Line>,
}
