//! Tables that a run reads beside the directory: exchange rates, account codes.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What one unit of a currency is worth in another, for margins across currencies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExchangeRate {
    /// ISO 4217 code: that of the wholesale charge.
    #[schema(example = "USD")]
    pub from_currency: String,
    /// ISO 4217 code: that of the retail charge.
    #[schema(example = "GBP")]
    pub to_currency: String,
    /// At most twelve decimals.
    #[schema(example = "0.7612")]
    pub rate: String,
    /// The first day on which it holds, on the operator's clock; left out, always.
    #[serde(default)]
    pub from: String,
    /// The first day on which it does not hold any more; left out, for ever.
    #[serde(default)]
    pub until: String,
}

/// All exchange rates.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExchangeRates {
    /// Each of them.
    pub items: Vec<ExchangeRate>,
}

/// A code that decides who pays for calls placed with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountCode {
    /// As it is keyed.
    pub code: String,
    /// Who pays: an occupier, or the operator.
    pub holder: String,
    /// At this site only; left out, at every one.
    #[serde(default)]
    pub site: String,
    /// From when: a day, or an instant with its offset; left out, always.
    #[serde(default)]
    pub from: String,
    /// Until when, that not included; left out, for ever.
    #[serde(default)]
    pub until: String,
}

/// All account codes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountCodes {
    /// Each of them.
    pub items: Vec<AccountCode>,
}
