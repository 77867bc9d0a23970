//! What happens because its time has come, and not because somebody asks: scheduled decommissions, contracts that end with
//! their numbers, services that begin and end, cool-offs that are over.

use std::collections::BTreeSet;

use crate::app::App;
use crate::error::Result;
use crate::http::{contracts, decommission, services, telephony};
use crate::store::{self, Actor};

/// What was done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Done {
    /// Occupiers decommissioned.
    pub decommissioned: usize,
    /// Contracts whose numbers left with them.
    pub deprovisioned: usize,
    /// Places, an occupier at a site each, whose services began or ended.
    pub services: usize,
    /// Numbers that went back to the pool.
    pub cooled_off: usize,
    /// What could not be done just now, and will be tried again.
    pub waiting: usize,
}

/// Does what is due by the clock: each thing by itself, so that one that must wait holds up no other. Done twice, it does
/// nothing the second time.
///
/// # Errors
///
/// The database fails.
pub async fn due(app: &App) -> Result<Done> {
    let at = app.clock.now();
    let mut done = Done::default();
    let (occupiers, ended, places) = {
        let mut reader = app.store.read().await?;
        let occupiers = store::occupiers::due(reader.on(), at).await?;
        let ended = store::contracts::due(reader.on(), at).await?;
        let open = store::services::open(reader.on()).await?;
        let places: BTreeSet<(String, String)> = open
            .into_iter()
            .filter(|service| services::is_due(service, at))
            .map(|service| (service.occupier, service.site))
            .collect();
        (occupiers, ended, places)
    };
    for occupier in occupiers {
        let mut change = app.store.change(&Actor::Service, at).await?;
        let result = decommission::carry_out(&mut change, &occupier).await;
        if may_commit(result.map(|()| true), &mut done, "a decommission") {
            change.commit().await?;
            done.decommissioned += 1;
        }
    }
    for contract in ended {
        let mut change = app.store.change(&Actor::Service, at).await?;
        let result = contracts::deprovision(&mut change, &contract.id).await;
        if may_commit(result, &mut done, "the end of a contract") {
            change.commit().await?;
            done.deprovisioned += 1;
        }
    }
    for (occupier, site) in places {
        let mut change = app.store.change(&Actor::Service, at).await?;
        let result = services::follow(&mut change, &occupier, &site).await;
        if may_commit(result.map(|_| change.has_entries()), &mut done, "the beginning or end of a service") {
            change.commit().await?;
            done.services += 1;
        }
    }
    let mut change = app.store.change(&Actor::Service, at).await?;
    let result = telephony::cool_offs_over(&mut change).await;
    let count = *result.as_ref().unwrap_or(&0);
    if may_commit(result.map(|count| count > 0), &mut done, "the end of cool-offs") {
        change.commit().await?;
        done.cooled_off = count;
    }
    Ok(done)
}

/// Whether something was done and can be kept; what could not is logged, and tried again with the next call.
fn may_commit(result: Result<bool>, done: &mut Done, what: &str) -> bool {
    match result {
        Ok(is_done) => is_done,
        Err(problem) => {
            tracing::warn!(code = problem.code(), "{what} waits");
            done.waiting += 1;
            false
        }
    }
}
