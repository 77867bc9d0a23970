//! An occupier's months: what its calls cost, by site, destination, extension and hour.

use std::collections::BTreeMap;

use axum::extract::State;
use rating_core::report::Report;
use rating_core::report::availability::default_month;
use rating_core::time::{Month, Zone};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::calls::call;
use super::ground::{Ground, Place, There, ground};
use super::sums;
use crate::app::App;
use crate::auth::{Principal, Role};
use crate::error::{Problem, Result};
use crate::http::extract::{Asked, Named};
use crate::http::months::{month as read_month, problem};
use crate::publish::index::{Sum, SumKind};
use crate::publish::published::{Of, Version};
use crate::publish::tables::{self, Row};
use crate::store::numbers;
use crate::wire::charges as wire;

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(spend)).routes(routes!(charges))
}

/// Which months.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct Which {
    /// The site; left out, each.
    site: Option<String>,
    /// How many months back from the last complete one, 1 to 24; 12 if left out.
    #[param(minimum = 1, maximum = 24)]
    months: Option<u32>,
}

/// At which site.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct Where {
    /// The site; left out, each.
    site: Option<String>,
}

/// The months to show: so many up to the last complete one, then the running one if it is shown before it is over.
fn months(app: &App, ground: &Ground, count: u32) -> Vec<Month> {
    let now = app.clock.now();
    let utc = Zone::utc();
    let zones = ground.places.iter().map(|place| &place.zone);
    let last = zones.map(|zone| default_month(now, zone)).max().unwrap_or_else(|| default_month(now, &utc));
    let mut months = vec![last];
    for _ in 1..count {
        months.extend(months.last().map(|month| month.previous()));
    }
    months.reverse();
    if ground.visibility.usage_to_date {
        months.push(last.next());
    }
    months
}

/// Shows what an occupier's calls cost in each of the last months, the newest last; and of the running month, as far as it has come, if
/// that is shown. A month that is not there says why.
#[utoipa::path(get, path = "/api/v1/occupiers/{occupier}/charges", tag = "charges", params(("occupier" = String, Path), Which),
    responses((status = 200, description = "Months", body = wire::Spend), (status = 400), (status = 404)))]
async fn spend(
    State(app): State<App>,
    principal: Principal,
    Named(occupier): Named<String>,
    Asked(which): Asked<Which>,
) -> Result<axum::Json<wire::Spend>> {
    let count = which.months.unwrap_or(12);
    if !(1..=24).contains(&count) {
        return Err(Problem::new("request.parameter_malformed", format!("`months` is {count}")).help("1 to 24"));
    }
    let ground = ground(&app, &principal, &occupier, which.site.as_deref()).await?;
    let books = ground.books(&app, months(&app, &ground, count)).await?;
    let mut shown = Vec::with_capacity(books.len());
    for book in &books {
        let mut sites = Vec::with_capacity(ground.places.len());
        let mut total: Option<wire::Sums> = None;
        for place in &ground.places {
            let there = ground.find(&app, place, book)?;
            let of_site = match &there {
                There::Version(version) if ground.visibility.summary => {
                    Some(total_of(&app, version, &occupier, place).await?)
                }
                _ => None,
            };
            if let Some(of_site) = &of_site {
                sums::add(total.get_or_insert_with(sums::none), of_site);
            }
            sites.push(wire::SiteOfSpend { state: place.state(&there), total: of_site });
        }
        let provisional = sites.iter().any(|site| site.state.provisional);
        shown.push(wire::MonthOfSpend { month: book.month.to_string(), provisional, total, sites });
    }
    Ok(axum::Json(wire::Spend { occupier, name: ground.occupier.name, months: shown }))
}

async fn total_of(app: &App, version: &Version, occupier: &str, place: &Place) -> Result<wire::Sums> {
    let total = app.index.sums(version, occupier, &place.site.id, SumKind::Total).await.map_err(problem)?;
    Ok(sums::of(&total))
}

/// Shows an occupier's charges of a month, site by site: by destination, extension and hour of the week, the largest calls,
/// and allowances. What is not shown to the caller is absent.
#[utoipa::path(get, path = "/api/v1/occupiers/{occupier}/charges/{month}", tag = "charges",
    params(("occupier" = String, Path), ("month" = String, Path, example = "2026-10"), Where),
    responses((status = 200, description = "The month", body = wire::MonthOfCharges), (status = 400), (status = 404), (status = 422)))]
async fn charges(
    State(app): State<App>,
    principal: Principal,
    Named((occupier, month)): Named<(String, String)>,
    Asked(at): Asked<Where>,
) -> Result<axum::Json<wire::MonthOfCharges>> {
    let month = read_month(&month)?;
    let ground = ground(&app, &principal, &occupier, at.site.as_deref()).await?;
    let books = ground.book(&app, month).await?;
    let mut sites = Vec::with_capacity(ground.places.len());
    for place in &ground.places {
        sites.push(match ground.find(&app, place, &books)? {
            There::Version(version) => of_site(&app, &principal, &ground, place, version).await?,
            missing => empty(place.state(&missing)),
        });
    }
    let level = ground.level();
    Ok(axum::Json(wire::MonthOfCharges {
        occupier,
        name: ground.occupier.name,
        month: month.to_string(),
        level,
        sites,
    }))
}

/// Nothing of a site but whether it is there.
const fn empty(state: wire::State) -> wire::SiteOfCharges {
    wire::SiteOfCharges {
        state,
        total: None,
        destinations: None,
        extensions: None,
        hours: None,
        calls: None,
        dearest: None,
        longest: None,
        allowances: None,
    }
}

async fn of_site(
    app: &App,
    principal: &Principal,
    ground: &Ground,
    place: &Place,
    version: Version,
) -> Result<wire::SiteOfCharges> {
    let (payer, site) = (ground.occupier.id.as_str(), place.site.id.as_str());
    let mut state = place.state(&There::Version(version.clone()));
    // Hours are those of the clock that the version was made by.
    if let Some(zone) = app.index.zone(&version, site).await.map_err(problem)? {
        state.zone = zone;
    }
    let mut shown = empty(state);
    if ground.visibility.summary {
        let of = async |kind| app.index.sums(&version, payer, site, kind).await.map_err(problem);
        shown.total = Some(sums::of(&of(SumKind::Total).await?));
        shown.destinations = Some(
            grouped(&of(SumKind::Destination).await?, |sum| sum.first.clone())
                .into_iter()
                .map(|(destination, sums)| wire::OfDestination { destination, sums: sums::of(sums) })
                .collect(),
        );
        let labels = labels(app, principal, payer, site).await?;
        shown.extensions = Some(extensions(&of(SumKind::Extension).await?, &labels));
        let hour = |sum: &Sum| (sum.first.parse().unwrap_or(0), sum.second.parse().unwrap_or(0));
        shown.hours = Some(
            grouped(&of(SumKind::Hour).await?, hour)
                .into_iter()
                .map(|((weekday, hour), sums)| wire::OfHour { weekday, hour, sums: sums::of(sums) })
                .collect(),
        );
    }
    if ground.visibility.itemised {
        let counts = app.index.counts(&version, payer, site).await.map_err(problem)?;
        shown.calls = Some(wire::Counts {
            calls: counts.calls,
            charged: counts.charged,
            not_chargeable: counts.not_chargeable,
            suspended: counts.suspended,
        });
        let [dearest, longest] = app.index.largest(&version, &ground.audience, payer, site).await.map_err(problem)?;
        shown.dearest = Some(dearest.iter().map(|found| call(found, &place.zone)).collect());
        shown.longest = Some(longest.iter().map(|found| call(found, &place.zone)).collect());
    }
    if ground.visibility.allowance_left {
        let of = Of::Payer { site: site.to_owned(), payer: payer.to_owned() };
        let audience = ground.audience.clone();
        let rows =
            tokio::task::spawn_blocking(move || tables::rows(&version, &audience, &of, Report::Allowances)).await;
        let rows = rows.map_err(Problem::internal)?.map_err(problem)?;
        shown.allowances = Some(rows.iter().map(allowance).collect());
    }
    Ok(shown)
}

/// Sums that follow one another with the same key, together.
fn grouped<K: PartialEq>(list: &[Sum], key: impl Fn(&Sum) -> K) -> Vec<(K, &[Sum])> {
    let groups = list.chunk_by(|one, other| key(one) == key(other));
    groups.filter_map(|group| Some((key(group.first()?), group))).collect()
}

/// Labels of an occupier's numbers at a site, as far as the caller sees the numbers: by extension and by number.
async fn labels(app: &App, principal: &Principal, occupier: &str, site: &str) -> Result<BTreeMap<String, String>> {
    // A viewer sees the numbers that are given to it (rule 69).
    let user = match principal {
        Principal::User { id, role: Role::OccupierView, .. } => Some(id.clone()),
        _ => None,
    };
    let filter = numbers::Filter {
        holder: Some(occupier.to_owned()),
        site: Some(site.to_owned()),
        user,
        limit: i64::MAX,
        ..numbers::Filter::default()
    };
    let mut labels = BTreeMap::new();
    for number in numbers::list(app.store.read().await?.on(), &filter).await? {
        let facts = number.facts;
        let Some(label) = facts.label else { continue };
        labels.insert(facts.number.to_string(), label.clone());
        if let Some(extension) = facts.extension {
            labels.insert(extension.to_string(), label);
        }
    }
    Ok(labels)
}

fn extensions(list: &[Sum], labels: &BTreeMap<String, String>) -> Vec<wire::OfExtension> {
    let filled = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    // What has no extension is told apart by its number.
    let key = |sum: &Sum| (sum.first.clone(), if sum.first.is_empty() { sum.second.clone() } else { String::new() });
    grouped(list, key)
        .into_iter()
        .map(|((extension, _), sums)| {
            let number = sums.first().map(|sum| &sum.second).filter(|one| sums.iter().all(|sum| sum.second == **one));
            let number = number.and_then(filled);
            // The number decides: an extension may have passed to another number since.
            let label = match &number {
                Some(number) => labels.get(number),
                None => labels.get(&extension),
            };
            wire::OfExtension { label: label.cloned(), extension: filled(&extension), number, sums: sums::of(sums) }
        })
        .collect()
}

fn allowance(row: &Row) -> wire::Allowance {
    let text = |column: &str| row.get(column).cloned();
    let amounts = |of: &str| {
        let units = ["s", "calls", "money"].into_iter();
        units.filter_map(|unit| Some((unit.to_owned(), text(&format!("{of}_{unit}"))?))).collect()
    };
    wire::Allowance {
        allowance: text("allowance").unwrap_or_default(),
        group: text("group"),
        kind: text("kind").unwrap_or_default(),
        line: text("line"),
        period_from: text("period_from").unwrap_or_default(),
        period_until: text("period_until").unwrap_or_default(),
        granted: amounts("granted"),
        carried: amounts("carried"),
        used: amounts("used"),
        left: amounts("left"),
        calls: text("calls").and_then(|calls| calls.parse().ok()).unwrap_or_default(),
        saved: text("saved"),
        currency: text("currency"),
        status: text("status").unwrap_or_default(),
    }
}
