//! The common call, rated by the shortest way: one row for every call to its prefix, one plan, one price.
//!
//! Nothing is decided here. Whether a call is a common one is in what its tariff was compiled to
//! ([`TariffVersion::straight`](crate::tariff::TariffVersion::straight)), and its sum is that of every other call
//! ([`plain_sum`], [`settle`]). What is left out is what such a call does not need: the question that other rows and
//! conditions are asked, and the working that an explanation shows.

use super::price::{plain_sum, settle};
use super::{Outcome, Priced, Side};
use crate::ids::SiteId;
use crate::money::Ratio;
use crate::tariff::{Called, Start};
use crate::time::{Duration, Instant};

/// One side of a call out without a charge code, at an instant and a site; `None` if it is no common one, or an amount does
/// not fit.
#[inline]
pub(super) fn straight(
    start: &Start<'_>,
    called: Called,
    (at, site): (Instant, SiteId),
    duration: Duration,
) -> Option<Side> {
    let rules = start.rules;
    let way = rules.straight(called, start.way)?;
    let cost = rules.cost_of(&way)?;
    let band = rules.band_at(way.band_set(), at, site);
    let plan = cost.plan(band);
    let (billed, _, sum) = plain_sum(&plan, duration)?;
    let whole = settle(rules, &cost, (sum, Ratio::ZERO), false).ok()?;
    let priced = Priced {
        charge: whole.charge,
        row: way.row(),
        destination: way.destination(),
        band: rules.band_id(band),
        billed,
        price: plan.price,
        per: plan.per,
        setup_fee: plan.connection,
        minimum_applied: whole.minimum_applied,
    };
    let currency = Some(rules.currency());
    Some(Side { tariff: Some(start.tariff), version: start.version, currency, outcome: Outcome::Rated(priced) })
}
