//! What stands on top of the pages of an occupier, and of a site: what it is, and the ways to its other pages.

use crate::error::Result;
use crate::portal::api::part;
use crate::portal::page::{Link, Page};
use crate::wire::occupiers::{Occupier, Standing};
use crate::wire::sites::Site;

/// The pages of an occupier: what follows its address, and what they are called.
const OF_OCCUPIER: [(&str, &str); 9] = [
    ("", "Account"),
    ("/contracts", "Contracts"),
    ("/services", "Services"),
    ("/users", "Users"),
    ("/devices", "Devices and network"),
    ("/charges", "Call charges"),
    ("/telephony", "Telephony"),
    ("/portal", "Portal"),
    ("/decommission", "Decommission"),
];

/// The pages of a site: what follows its address, and what they are called.
const OF_SITE: [(&str, &str); 6] = [
    ("/numbers", "Numbers"),
    ("/ranges", "Ranges and holds"),
    ("/main-numbers", "Main numbers"),
    ("/schedule", "Hours and schedule"),
    ("/products", "Products"),
    ("/settings", "Settings"),
];

/// The top of an occupier's page.
pub struct OccupierHead {
    /// The occupier.
    pub occupier: Occupier,
    /// Its pages.
    pub tabs: Vec<Link>,
}

impl OccupierHead {
    /// Of an occupier, on the page whose address ends like this: `/contracts`.
    ///
    /// # Errors
    ///
    /// There is no such occupier for who looks.
    pub async fn of(page: &Page, occupier: &str, here: &str) -> Result<Self> {
        let occupier = page.get(&format!("/api/v1/occupiers/{}", part(occupier))).await?;
        Ok(Self::with(occupier, here))
    }

    /// Of an occupier that was read already.
    #[must_use]
    pub fn with(occupier: Occupier, here: &str) -> Self {
        let tabs = tabs(&format!("/occupiers/{}", part(&occupier.id)), &OF_OCCUPIER, here);
        Self { occupier, tabs }
    }

    /// Where it stands, in a word.
    #[must_use]
    pub const fn state(&self) -> (&'static str, &'static str) {
        standing(self.occupier.state)
    }
}

/// The top of a site's page.
pub struct SiteHead {
    /// The site.
    pub site: Site,
    /// Its pages.
    pub tabs: Vec<Link>,
}

impl SiteHead {
    /// Of a site, on the page whose address ends like this: `/settings`.
    ///
    /// # Errors
    ///
    /// There is no such site for who looks.
    pub async fn of(page: &Page, site: &str, here: &str) -> Result<Self> {
        let site: Site = page.get(&format!("/api/v1/sites/{}", part(site))).await?;
        let tabs = tabs(&format!("/sites/{}", part(&site.id)), &OF_SITE, here);
        Ok(Self { site, tabs })
    }
}

fn tabs(address: &str, pages: &[(&str, &'static str)], here: &str) -> Vec<Link> {
    let link =
        |(end, text): &(&str, &'static str)| Link { address: format!("{address}{end}"), text, is_here: *end == here };
    pages.iter().map(link).collect()
}

/// Where an occupier stands: the look of its badge, and the word in it.
#[must_use]
pub const fn standing(state: Standing) -> (&'static str, &'static str) {
    match state {
        Standing::New => ("warn", "no contract"),
        Standing::Upcoming => ("", "upcoming"),
        Standing::Active => ("good", "active"),
        Standing::Completed => ("", "completed"),
        Standing::Decommissioned => ("bad", "decommissioned"),
    }
}

/// The sites that who looks may see.
///
/// # Errors
///
/// The interface fails.
pub async fn sites(page: &Page) -> Result<Vec<Site>> {
    page.all("/api/v1/sites").await
}

/// Sites to choose from: id and name.
#[must_use]
pub fn choices(sites: &[Site]) -> Vec<(String, String)> {
    sites.iter().map(|site| (site.id.clone(), site.settings.name.clone())).collect()
}

/// The name of a site; its id, if it is not among these.
#[must_use]
pub fn site_name<'s>(sites: &'s [Site], id: &'s str) -> &'s str {
    sites.iter().find(|site| site.id == id).map_or(id, |site| &site.settings.name)
}
