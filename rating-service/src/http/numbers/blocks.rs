//! Numbers of a site seen together: ranges, and what is kept for prospects.

use std::collections::BTreeMap;

use axum::extract::State;
use rating_core::directory::lifecycle::{Facts, State as NumberState};
use rating_core::time::{Instant, Zone};

use super::wire;
use crate::app::App;
use crate::error::Result;
use crate::http::extract::Named;
use crate::http::sites::get as site_of;
use crate::store::numbers::{Filter, list};
use crate::wire::Page;

/// Counts a number where it belongs.
fn count(counts: &mut wire::Inventory, facts: &Facts, now: Instant) {
    counts.total += 1;
    if facts.holder.as_ref().is_some_and(rating_core::directory::lifecycle::Holder::is_operator) {
        counts.operators_own += 1;
        return;
    }
    counts.sellable += 1;
    let is_kept = facts.hold.as_ref().is_some_and(|hold| hold.until > now);
    *match facts.state {
        NumberState::Available if is_kept => &mut counts.kept,
        NumberState::Available => &mut counts.available,
        NumberState::Reserved => &mut counts.reserved,
        NumberState::Pending(_) => &mut counts.pending,
        NumberState::Active => &mut counts.active,
        NumberState::Cooldown | NumberState::Absent => &mut counts.cooling_off,
    } += 1;
}

/// Lists the numbers of a site as ranges: what follows one another without a gap and is of one kind and origin, with counts by state.
#[utoipa::path(get, path = "/api/v1/sites/{site}/ranges", tag = "numbers", params(("site" = String, Path)),
    responses((status = 200, description = "Ranges", body = Page<wire::NumberRange>), (status = 404)))]
pub(super) async fn ranges(
    State(app): State<App>,
    Named(site): Named<String>,
) -> Result<axum::Json<Page<wire::NumberRange>>> {
    let now = app.clock.now();
    let mut reader = app.store.read().await?;
    let site = site_of(reader.on(), &site).await?;
    let all = list(reader.on(), &Filter { site: Some(site.id), limit: i64::MAX, ..Filter::default() }).await?;
    let facts: Vec<Facts> = all.into_iter().map(|number| number.facts).collect();
    let follows = |one: &Facts, other: &Facts| {
        one.kind == other.kind
            && one.origin == other.origin
            && one.number.digits().successor() == Some(other.number.digits())
    };
    let ranges = facts.chunk_by(follows).filter_map(|range| {
        let (first, last) = (range.first()?, range.last()?);
        let mut counts = wire::Inventory::default();
        range.iter().for_each(|facts| count(&mut counts, facts, now));
        Some(wire::NumberRange {
            first: first.number.to_string(),
            last: last.number.to_string(),
            kind: first.kind.name().to_owned(),
            origin: first.origin.name().to_owned(),
            counts,
        })
    });
    Ok(axum::Json(Page { items: ranges.collect(), next: None }))
}

/// Lists what is kept for prospects at a site, by prospect and by when it ends.
#[utoipa::path(get, path = "/api/v1/sites/{site}/holds", tag = "numbers", params(("site" = String, Path)),
    responses((status = 200, description = "Holds", body = Page<wire::Held>), (status = 404)))]
pub(super) async fn holds(State(app): State<App>, Named(site): Named<String>) -> Result<axum::Json<Page<wire::Held>>> {
    let mut reader = app.store.read().await?;
    let site = site_of(reader.on(), &site).await?;
    let zone = Zone::load(&site.zone).unwrap_or_else(Zone::utc);
    let filter = Filter { site: Some(site.id), held_at: Some(app.clock.now()), limit: i64::MAX, ..Filter::default() };
    let mut holds: BTreeMap<(String, Instant, Option<u32>), wire::Held> = BTreeMap::new();
    for number in list(reader.on(), &filter).await? {
        let Some(hold) = number.facts.hold else { continue };
        let (number, until) = (number.facts.number.to_string(), zone.format(hold.until));
        let held =
            holds.entry((hold.prospect.clone(), hold.until, hold.contracted_lines)).or_insert_with(|| wire::Held {
                hold: wire::Hold { prospect: hold.prospect, until, contracted_lines: hold.contracted_lines },
                count: 0,
                first: number.clone(),
                last: String::new(),
            });
        held.count += 1;
        held.last = number;
    }
    Ok(axum::Json(Page { items: holds.into_values().collect(), next: None }))
}
