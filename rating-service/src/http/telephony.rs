//! What happens to numbers when services, contracts and occupiers begin and end: the places where the numbers' own rules
//! are asked. Each is called within the change that it belongs to.

use rating_core::directory::decommission::SiteFacts;
use rating_core::time::Instant;
use sqlx::SqliteConnection;

use crate::error::Result;
use crate::store::Change;
use crate::store::services::Service;
use crate::wire::services::Automatic;

/// A voice service begins, the first of its occupier at the site: numbers are allocated and put to use (rules 45 to 47).
pub(crate) async fn first_service(_change: &mut Change, service: &Service) -> Result<Option<Automatic>> {
    Ok(Some(Automatic { numbers: Vec::new(), shortage: service.all_lines() }))
}

/// The last voice service of an occupier at a site ended at an instant: its numbers there end with it.
pub(crate) async fn services_ended(_change: &mut Change, _occupier: &str, _site: &str, _at: Instant) -> Result<()> {
    Ok(())
}

/// A contract that takes numbers with it ended at an instant, and no other of the occupier at the site keeps them (rule 59).
/// Also when the last contract there was discarded.
pub(crate) async fn contract_ended(_change: &mut Change, _occupier: &str, _site: &str, _at: Instant) -> Result<()> {
    Ok(())
}

/// An occupier is decommissioned now: all its numbers, at every site, leave it and cool off.
pub(crate) async fn decommissioned(_change: &mut Change, _occupier: &str) -> Result<()> {
    Ok(())
}

/// A user of an occupier is closed: numbers that were given to them are given to nobody.
pub(crate) async fn user_closed(_change: &mut Change, _occupier: &str, _user: &str) -> Result<()> {
    Ok(())
}

/// What stands in the way of an occupier's decommission among its numbers: those with a change under way, and those that a
/// handset is logged in to, by site (rule 65). Services are looked up by the caller.
pub(crate) async fn in_the_way(_on: &mut SqliteConnection, _occupier: &str) -> Result<Vec<SiteFacts>> {
    Ok(Vec::new())
}

/// Numbers whose cool-off is over go back to the pool (rule 48); how many.
pub(crate) async fn cool_offs_over(_change: &mut Change) -> Result<usize> {
    Ok(0)
}
