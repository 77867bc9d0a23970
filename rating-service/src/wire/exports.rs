//! Charges on their way to a billing system.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// What a billing system knows.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExportTarget {
    /// What it calls the call charges of a site; `*` is every site that is not named.
    #[serde(default)]
    #[schema(example = json!({ "*": "Call charges" }))]
    pub products: BTreeMap<String, String>,
    /// Whether rows of nothing are left out.
    #[serde(default)]
    pub ignore_zero: bool,
}

/// Which charges.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct WhichExport {
    /// The month, `2026-10`.
    pub month: String,
    /// The site where they arose; left out, every one.
    pub site: Option<String>,
}

/// The charges of a month as a billing system takes them.
#[derive(Debug, Serialize, ToSchema)]
pub struct Export {
    /// The month.
    pub month: String,
    /// The run whose charges they are.
    pub run: String,
    /// What it can take.
    pub rows: Vec<ExportRow>,
    /// What it would not know.
    pub errors: Vec<ExportError>,
}

/// What an occupier is charged at a site.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExportRow {
    /// What the system calls the occupier.
    pub account: String,
    /// What the system calls the charge.
    pub product: String,
    /// Where it arose.
    pub site: String,
    /// Where it is billed: another site, if the contract says so.
    pub billing_site: String,
    /// The occupier.
    pub occupier: String,
    /// Its billing reference.
    pub billing_reference: String,
    /// How much.
    pub amount: String,
    /// In which currency.
    pub currency: String,
}

/// A charge that the system would not know.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExportError {
    /// Where it arose.
    pub site: String,
    /// The occupier.
    pub occupier: String,
    /// How much.
    pub amount: String,
    /// In which currency.
    pub currency: String,
    /// `export.account_unknown` or `export.product_unknown`.
    pub code: String,
    /// Why.
    pub detail: String,
}
