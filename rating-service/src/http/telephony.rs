//! What happens to numbers when services, contracts, users and occupiers begin and end. Each is asked within the change that
//! it belongs to.

use std::collections::{BTreeMap, BTreeSet};

use rating_core::directory::decommission::SiteFacts;
use rating_core::directory::lifecycle::{Command, Ending, Mode, State};
use rating_core::time::Instant;
use sqlx::SqliteConnection;

use super::sites;
use crate::error::Result;
use crate::numbering;
use crate::store::Change;
use crate::store::numbers::{Filter, Number, list};
use crate::store::services::Service;
use crate::wire::services::Automatic;

async fn held_by(on: &mut SqliteConnection, occupier: &str, site: Option<&str>) -> Result<Vec<Number>> {
    let holder = Some(occupier.to_owned());
    list(on, &Filter { holder, site: site.map(str::to_owned), limit: i64::MAX, ..Filter::default() }).await
}

/// A voice service begins, the first of its occupier at the site: numbers are allocated and put to use (rules 45 to 47).
pub(crate) async fn first_service(change: &mut Change, service: &Service) -> Result<Option<Automatic>> {
    let site = sites::get(change.on(), &service.site).await?;
    let at = change.at();
    let lines = service.all_lines();
    let plan = numbering::begin_service(change, &site, &service.occupier, lines, false, at).await?;
    let numbers = plan.numbers.iter().map(ToString::to_string).collect();
    Ok(Some(Automatic { numbers, shortage: plan.shortage }))
}

/// The last voice service of an occupier at a site ended at an instant: its numbers there end with it.
pub(crate) async fn services_ended(change: &mut Change, occupier: &str, site: &str, at: Instant) -> Result<()> {
    end_all(change, occupier, site, Ending::Services, at).await
}

/// A contract that takes numbers with it ended at an instant, and no other of the occupier at the site keeps them (rule 59);
/// or the last contract there was discarded.
pub(crate) async fn contract_ended(change: &mut Change, occupier: &str, site: &str, at: Instant) -> Result<()> {
    end_all(change, occupier, site, Ending::Contract, at).await
}

/// An occupier is decommissioned now: all its numbers, at every site, leave it and cool off.
pub(crate) async fn decommissioned(change: &mut Change, occupier: &str) -> Result<()> {
    let at = change.at();
    let held = held_by(change.on(), occupier, None).await?;
    let places: BTreeSet<String> = held.into_iter().map(|number| number.facts.site).collect();
    for site in places {
        end_all(change, occupier, &site, Ending::Decommission, at).await?;
    }
    Ok(())
}

/// Ends an occupier's time with its numbers at a site: at an instant, or when the last of them changed, if that was later.
async fn end_all(change: &mut Change, occupier: &str, site: &str, ending: Ending, at: Instant) -> Result<()> {
    let held = held_by(change.on(), occupier, Some(site)).await?;
    if held.is_empty() {
        return Ok(());
    }
    let at = held.iter().filter_map(|number| number.facts.changed_at).fold(at, Instant::max);
    let site = sites::get(change.on(), site).await?;
    numbering::end_all(change, &site, occupier, ending, at).await?;
    Ok(())
}

/// A user of an occupier is closed: numbers that were given to them are given to nobody.
pub(crate) async fn user_closed(change: &mut Change, occupier: &str, user: &str) -> Result<()> {
    let theirs =
        Filter { holder: Some(occupier.to_owned()), user: Some(user.to_owned()), limit: i64::MAX, ..Filter::default() };
    let at = change.at();
    for number in list(change.on(), &theirs).await? {
        let site = sites::get(change.on(), &number.facts.site).await?;
        let unassign = [(number.facts.number, Command::Unassign)];
        // One that is being taken out of use parts with them by itself.
        numbering::command(change, &site, &unassign, Mode::EachByItself, at).await?;
    }
    Ok(())
}

/// What stands in the way of an occupier's decommission among its numbers: those with a change under way, and those that a
/// handset is logged in to, by site (rule 65). Services are looked up by the caller.
pub(crate) async fn in_the_way(on: &mut SqliteConnection, occupier: &str) -> Result<Vec<SiteFacts>> {
    let mut places: BTreeMap<String, SiteFacts> = BTreeMap::new();
    for number in held_by(on, occupier, None).await? {
        let facts = number.facts;
        let place = places
            .entry(facts.site.clone())
            .or_insert_with(|| SiteFacts { site: facts.site.clone(), ..SiteFacts::default() });
        if matches!(facts.state, State::Pending(_)) {
            place.pending_numbers.push(facts.number);
        }
        if facts.logged_in.is_some() {
            place.logged_in.push(facts.number);
        }
    }
    Ok(places.into_values().collect())
}

/// Numbers whose cool-off is over go back to the pool (rule 48); how many.
pub(crate) async fn cool_offs_over(change: &mut Change) -> Result<usize> {
    let at = change.at();
    numbering::end_cool_offs(change, at).await
}
