//! Products and services on the wire.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::error::Faults;

/// An entry of a site's pricebook.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Product {
    /// Its id.
    #[schema(example = "voice-standard")]
    pub id: String,
    /// At which site.
    pub site: String,
    /// Its settings.
    pub settings: ProductSettings,
    /// When it was made.
    pub created_at: String,
}

/// A new entry of a site's pricebook.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewProduct {
    /// Its id, which stays.
    #[schema(example = "voice-standard")]
    pub id: String,
    /// Its settings.
    pub settings: ProductSettings,
}

/// A product's settings, to be put in the place of those it has. Services that were assigned before keep what it said then.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProductSettings {
    /// What people call it.
    pub name: String,
    /// Whether it can be sold; one that cannot may still be in use.
    #[serde(default = "yes")]
    pub is_active: bool,
    /// Voice lines that one of it brings.
    #[serde(default = "one")]
    #[schema(maximum = 10_000)]
    pub lines: u32,
    /// The tariff that its calls are charged by; empty, the site's.
    #[serde(default)]
    pub tariff: String,
    /// The allowance of calls that comes with it; empty, none.
    #[serde(default)]
    pub allowance: String,
    /// Level of service.
    #[serde(default)]
    pub service_level: String,
    /// Features of calls.
    #[serde(default)]
    pub features: Vec<String>,
    /// What one costs a month, in the operator's currency; empty, not said.
    #[serde(default)]
    #[schema(example = "12.50")]
    pub price_per_month: String,
}

const fn yes() -> bool {
    true
}

const fn one() -> u32 {
    1
}

/// Most lines of a product, and most of a product in one service.
const MOST: u32 = 10_000;

impl ProductSettings {
    /// Finds what is wrong with them.
    pub fn check(&self, faults: &mut Faults, at: &str) {
        faults.text(&format!("{at}/name"), &self.name, 200);
        if self.lines > MOST {
            faults.push(format!("{at}/lines"), "field.out_of_range", format!("is {}", self.lines), "at most 10000");
        }
        for (field, text) in
            [("tariff", &self.tariff), ("allowance", &self.allowance), ("service_level", &self.service_level)]
        {
            faults.optional_text(&format!("{at}/{field}"), text, 100);
        }
        for (index, feature) in self.features.iter().enumerate() {
            faults.text(&format!("{at}/features/{index}"), feature, 100);
        }
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let (whole, part) = self.price_per_month.split_once('.').unwrap_or((&self.price_per_month, "0"));
        let is_amount = digits(whole) && digits(part) && whole.len() <= 12 && part.len() <= 6;
        if !self.price_per_month.is_empty() && !is_amount {
            let what = format!("`{}` is no price", self.price_per_month);
            faults.push(format!("{at}/price_per_month"), "field.amount_malformed", what, "`12.50`");
        }
    }
}

/// A service of an occupier.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Service {
    /// Its id.
    pub id: String,
    /// Whose.
    pub occupier: String,
    /// At which site.
    pub site: String,
    /// The contract that it is billed to.
    pub contract: String,
    /// The product.
    pub product: String,
    /// How many of it.
    pub quantity: u32,
    /// Voice lines of all of it.
    pub lines: u32,
    /// The tariff that its calls are charged by.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub tariff: String,
    /// The allowance that comes with it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub allowance: String,
    /// Level of service.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub service_level: String,
    /// Features of calls.
    pub features: Vec<String>,
    /// `UPCOMING`, `ACTIVE` or `ENDED`.
    pub state: String,
    /// From when on it is there: with its contract at the earliest.
    pub from: String,
    /// Until when; absent if it has no end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// Whether an update is in progress.
    pub updating: bool,
    /// The service in whose place it came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replaces: Option<String>,
    /// When it was assigned.
    pub created_at: String,
}

/// A service to be assigned.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewService {
    /// At which site.
    #[schema(example = "ldn")]
    pub site: String,
    /// The contract that it is billed to; left out, the occupier's at the site that runs, or is upcoming.
    #[serde(default)]
    pub contract: Option<String>,
    /// The product.
    pub product: String,
    /// How many of it.
    #[serde(default = "one")]
    #[schema(minimum = 1, maximum = 10_000)]
    pub quantity: u32,
    /// Its first day; left out, the contract's, or now if the contract runs.
    #[serde(default)]
    pub from: Option<String>,
    /// The day on which it is not there any more; left out or null, it has no end of its own.
    #[serde(default)]
    pub until: Option<String>,
}

/// How many there may be in one service.
pub fn check_quantity(quantity: u32, faults: &mut Faults) {
    if !(1..=MOST).contains(&quantity) {
        faults.push("/quantity", "field.out_of_range", format!("is {quantity}"), "1 to 10000");
    }
}

/// Changing a service: it ends, and another takes its place.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ServiceChange {
    /// Another product; left out, it stays.
    #[serde(default)]
    pub product: Option<String>,
    /// Another quantity; left out, it stays.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 10_000)]
    pub quantity: Option<u32>,
    /// The day from which on; left out, now.
    #[serde(default)]
    pub from: Option<String>,
}

/// Ending a service.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ServiceEnd {
    /// The day on which it is not there any more; left out, now.
    #[serde(default)]
    pub until: Option<String>,
}

/// Whether an update of a service is in progress.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ServiceUpdate {
    /// Whether it is.
    pub in_progress: bool,
}

/// A service that was assigned, and what followed from it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct AssignedService {
    /// The service.
    #[serde(flatten)]
    pub service: Service,
    /// The numbers that came with it, if it is the occupier's first voice service at the site and has begun.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub automatic: Option<Automatic>,
}

/// Numbers put to use because a first voice service began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Automatic {
    /// Which.
    pub numbers: Vec<String>,
    /// How many lines stay without a number.
    pub shortage: u32,
}

/// Which services.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct WhichServices {
    /// What the page before gave as `next`.
    pub after: Option<String>,
    /// How many, 1 to 500; 100 if left out.
    #[param(minimum = 1, maximum = 500)]
    pub limit: Option<i64>,
    /// Only those at this site.
    pub site: Option<String>,
    /// Only those of this contract.
    pub contract: Option<String>,
}

/// What somebody has of a product at a site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ActiveService {
    /// At which site.
    pub site: String,
    /// The product.
    pub product: String,
    /// Its name in the pricebook.
    pub name: String,
    /// Whose.
    pub occupier: String,
    /// How many of it.
    pub quantity: u64,
    /// Voice lines of all of it.
    pub lines: u64,
    /// What one costs a month, by the pricebook; absent where that names no price.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price_per_month: Option<String>,
    /// What all of it costs a month.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost_per_month: Option<String>,
    /// The currency of both.
    pub currency: String,
}

/// Which active services.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct WhichActive {
    /// Only those at this site.
    pub site: Option<String>,
    /// Only those whose product or occupier has this text in its id or name. The CSV has all.
    pub search: Option<String>,
    /// `product` (if left out), `occupier` or `quantity`. The CSV is by site, product and occupier.
    pub order: Option<String>,
    /// Of the CSV: `full` (if left out), or `summary`, a row for each product of a site.
    pub form: Option<String>,
}
