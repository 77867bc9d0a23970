//! The operator on the wire.

use rating_core::money::Currency;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::error::Faults;

/// The operator.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Operator {
    /// Id in reports and file names.
    #[schema(example = "harbour")]
    pub id: String,
    /// Name in reports and on pages.
    pub name: String,
    /// ISO 4217 code.
    #[schema(example = "GBP")]
    pub currency: String,
    /// IANA zone of dates that belong to no site.
    #[schema(example = "Europe/London")]
    pub zone: String,
    /// Whom occupiers ask for help.
    pub support_contact: String,
}

/// What settings can name.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
pub struct Known {
    /// Countries whose dial plan is known, by their ISO 3166-1 codes.
    pub countries: Vec<String>,
    /// IANA zones that are places. Others are known as well.
    pub zones: Vec<String>,
    /// What switches write.
    pub formats: Vec<String>,
    /// Built-in calendars of holidays.
    pub calendars: Vec<String>,
}

/// The operator's settings, to be put in the place of those there are.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OperatorSettings {
    /// Name in reports and on pages.
    pub name: String,
    /// ISO 4217 code.
    #[schema(example = "GBP")]
    pub currency: String,
    /// IANA zone of dates that belong to no site.
    #[schema(example = "Europe/London")]
    pub zone: String,
    /// Whom occupiers ask for help: stands in mails and on pages.
    #[serde(default)]
    pub support_contact: String,
}

impl OperatorSettings {
    /// Finds what is wrong with them.
    pub fn check(&self, faults: &mut Faults, at: &str) {
        faults.text(&format!("{at}/name"), &self.name, 200);
        faults.optional_text(&format!("{at}/support_contact"), &self.support_contact, 200);
        super::zone(faults, &format!("{at}/zone"), &self.zone);
        if Currency::parse(&self.currency).is_none() {
            faults.push(format!("{at}/currency"), "field.currency_malformed", "is no currency", "three letters: `GBP`");
        }
    }
}

/// The first step: who the operator is, and its first administrator.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Setup {
    /// The secret of the link that the service printed when it started.
    pub secret: String,
    /// The operator's id, which stays.
    #[schema(example = "harbour")]
    pub operator_id: String,
    /// Its settings.
    pub operator: OperatorSettings,
    /// The first administrator.
    pub administrator: FirstAdministrator,
}

/// The first administrator.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FirstAdministrator {
    /// Address to sign in with.
    #[schema(example = "ada@example.com")]
    pub email: String,
    /// Name.
    pub name: String,
    /// Password, 12 characters at least.
    #[schema(format = Password, min_length = 12)]
    pub password: String,
}
