//! Sites on the wire.

use rating_core::time::Zone;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::error::Faults;

/// A site.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Site {
    /// Id in reports and file names.
    #[schema(example = "ldn")]
    pub id: String,
    /// Its settings.
    pub settings: SiteSettings,
    /// When it was made.
    pub created_at: String,
}

/// A new site.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSite {
    /// Id in reports and file names, which stays.
    #[schema(example = "ldn")]
    pub id: String,
    /// Its settings.
    pub settings: SiteSettings,
}

/// A site's settings, to be put in the place of those it has.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SiteSettings {
    /// Name in reports and on pages.
    pub name: String,
    /// The clock on its wall, an IANA zone: months, days and hours of the site are those of this clock.
    #[schema(example = "Europe/London")]
    pub zone: String,
    /// ISO 3166-1 code of its dial plan.
    #[schema(example = "GB")]
    pub country: String,
    /// For numbers dialled locally, without the national prefix.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "20")]
    pub area_code: Option<String>,
    /// Digits keyed for a line.
    #[serde(default)]
    pub outside_line: Vec<String>,
    /// Ranges of extensions, both ends included.
    #[serde(default)]
    #[schema(example = json!(["2000-2099"]))]
    pub extensions: Vec<String>,
    /// Calendars of its holidays: `GB-ENG`, …
    #[serde(default)]
    pub holidays: Vec<String>,
    /// How many days a number rests after it was given up, 1 to 999.
    #[serde(default = "cool_off_days")]
    #[schema(minimum = 1, maximum = 999)]
    pub cool_off_days: u32,
    /// Whether somebody (or a switch's adapter) confirms that a number was switched on or off. If not, it is so at once.
    #[serde(default)]
    pub confirms_changes: bool,
    /// Whether an occupier's first voice service brings a main number, too.
    #[serde(default)]
    pub main_number_with_first_service: bool,
}

const fn cool_off_days() -> u32 {
    90
}

impl SiteSettings {
    /// Finds what is wrong with them; gives the zone.
    pub fn check(&self, faults: &mut Faults) -> Option<Zone> {
        faults.text("/name", &self.name, 200);
        if self.country.len() != 2 || !self.country.bytes().all(|byte| byte.is_ascii_uppercase()) {
            faults.push("/country", "field.country_malformed", "is no country code", "two capital letters: `GB`");
        }
        let digits = |text: &str| !text.is_empty() && text.len() <= 8 && text.bytes().all(|byte| byte.is_ascii_digit());
        if self.area_code.as_ref().is_some_and(|code| !digits(code)) {
            faults.push(
                "/area_code",
                "field.digits_malformed",
                "is not digits alone",
                "without the national prefix: `20`",
            );
        }
        for (index, prefix) in self.outside_line.iter().enumerate() {
            if !digits(prefix) {
                faults.push(format!("/outside_line/{index}"), "field.digits_malformed", "is not digits alone", "`9`");
            }
        }
        for (index, range) in self.extensions.iter().enumerate() {
            let fits = range.split_once('-').map_or_else(
                || digits(range),
                |(first, last)| digits(first) && digits(last) && first.len() == last.len() && first <= last,
            );
            if !fits {
                let what = format!("`{range}` is no range of extensions");
                faults.push(format!("/extensions/{index}"), "field.range_malformed", what, "equally long: `2000-2099`");
            }
        }
        for (index, calendar) in self.holidays.iter().enumerate() {
            faults.text(&format!("/holidays/{index}"), calendar, 40);
        }
        if !(1..=999).contains(&self.cool_off_days) {
            faults.push("/cool_off_days", "field.out_of_range", format!("is {}", self.cool_off_days), "1 to 999");
        }
        super::zone(faults, "/zone", &self.zone)
    }
}
