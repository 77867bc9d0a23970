//! What a month comes to for the operator, and what of it needs work.

use std::collections::{BTreeMap, BTreeSet};

use axum::extract::State;
use rating_core::report::{Kind, Report};
use rating_core::run;
use rating_core::run::compare;
use rating_core::time::{Instant, Month, Zone};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::remedies;
use super::sums::put;
use crate::app::App;
use crate::auth::Principal;
use crate::error::{Problem, Result};
use crate::http::extract::{Asked, Named};
use crate::http::months::{month as read_month, problem};
use crate::http::sites::places;
use crate::publish::Refusal;
use crate::publish::decimal::{shown, units};
use crate::publish::download::Audience;
use crate::publish::index::Suspended;
use crate::publish::published::{Of, Version};
use crate::publish::tables::{self, Row};
use crate::store::sites::Site;
use crate::store::{months, occupiers, operator, sources};
use crate::wire::work as wire;

/// The routes of this file.
pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(charges)).routes(routes!(exceptions)).routes(routes!(comparison))
}

/// Of which site, and which run.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct Which {
    /// The site; left out, each.
    site: Option<String>,
    /// The run; left out, the one that is in force, or else the newest that was checked or previewed. Of exceptions: one that waits for
    /// approval or publication first, for that is where they can still be mended.
    run: Option<String>,
}

/// Which versions.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct Between {
    /// The run compared with; left out, the one before.
    before: Option<String>,
    /// The run compared; left out, one that waits, or else the one in force.
    after: Option<String>,
}

/// The run of a month that waits to be approved or published, if it was checked after what is published.
async fn waiting(app: &App, month: Month) -> Result<Option<String>> {
    let runs = months::list(app.store.read().await?.on(), Some(&month.to_string())).await?;
    let published = runs.iter().filter_map(|run| run.published.as_ref()).map(|(at, _)| *at).max();
    let waits = |run: &&months::Run| matches!(run.state.as_str(), "checked" | "approved");
    let newest = runs.iter().filter(waits).max_by_key(|run| run.checked_at);
    Ok(newest.filter(|run| published.is_none_or(|at| run.checked_at >= at)).map(|run| run.run.clone()))
}

/// A version of a month by its run; or, asked for none, the first there is of those that waits, is in force, is a preview.
pub(super) async fn version(
    app: &App,
    month: Month,
    run: Option<String>,
    waits_first: bool,
) -> Result<Option<Version>> {
    let waiting = waiting(app, month).await?;
    let owner = app.clone();
    let found = tokio::task::spawn_blocking(move || {
        let archive = owner.engine.archive();
        if let Some(run) = run {
            return match archive.version(month, &run)? {
                Some(version) => Ok(Some(version)),
                None => Err(Refusal::new("publish.no_such_version", format!("there is no run `{run}` of {month}"))),
            };
        }
        let of_waiting = || waiting.as_ref().map_or(Ok(None), |run| archive.version(month, run));
        if waits_first && let Some(version) = of_waiting()? {
            return Ok(Some(version));
        }
        if let Some(version) = owner.shelf.in_force(month)? {
            return Ok(Some(version));
        }
        match of_waiting()? {
            Some(version) => Ok(Some(version)),
            None => owner.shelf.preview(month),
        }
    });
    found.await.map_err(Problem::internal)?.map_err(problem)
}

async fn rows(version: &Version, of: Of, report: Report) -> Result<Vec<Row>> {
    let version = version.clone();
    // All sites in one file; rows of other sites are left out by who asks.
    let read = tokio::task::spawn_blocking(move || tables::rows(&version, &Audience::operator(), &of, report));
    read.await.map_err(Problem::internal)?.map_err(problem)
}

fn count(row: &Row, column: &str) -> u64 {
    row.get(column).and_then(|text| text.parse().ok()).unwrap_or_default()
}

/// Adds a row of the charges by occupier.
fn add(amounts: &mut wire::Amounts, row: &Row) {
    for (sums, amount, currency) in [
        (&mut amounts.client, "client_amount", "currency"),
        (&mut amounts.operator, "operator_amount", "operator_currency"),
    ] {
        // Nothing in no currency is nothing.
        if let (Some(amount), Some(currency)) = (row.get(amount), row.get(currency)) {
            put(sums, currency, amount);
        }
    }
    amounts.calls += count(row, "calls");
    amounts.billable_calls += count(row, "billable_calls");
    amounts.not_chargeable_calls += count(row, "not_chargeable_calls");
    amounts.suspended_calls += count(row, "suspended_calls");
    amounts.wholesale_missing_calls += count(row, "wholesale_missing_calls");
}

/// Shows what the calls of a month come to, by site and by payer, with what is suspended and what is at stake: of the version in
/// force, or else of the newest that was checked or previewed.
#[utoipa::path(get, path = "/api/v1/charges/{month}", tag = "charges", params(("month" = String, Path, example = "2026-10"), Which),
    responses((status = 200, description = "The month", body = wire::MonthOfSites), (status = 400), (status = 404)))]
async fn charges(
    State(app): State<App>,
    principal: Principal,
    Named(month): Named<String>,
    Asked(which): Asked<Which>,
) -> Result<axum::Json<wire::MonthOfSites>> {
    let month = read_month(&month)?;
    let places = places(app.store.read().await?.on(), &principal, which.site.as_deref()).await?;
    let mut sites: Vec<wire::OfSite> = places
        .iter()
        .map(|(site, zone)| wire::OfSite {
            site: site.id.clone(),
            name: site.name.clone(),
            zone: zone.name().to_owned(),
            amounts: wire::Amounts::default(),
        })
        .collect();
    let Some(version) = version(&app, month, which.run, false).await? else {
        return Ok(axum::Json(wire::MonthOfSites {
            month: month.to_string(),
            available: false,
            standing: None,
            as_of: None,
            run: None,
            sites,
            payers: Vec::new(),
        }));
    };
    let ids: Vec<String> = sites.iter().map(|site| site.site.clone()).collect();
    let mut payers: Vec<wire::OfPayer> = Vec::new();
    for row in rows(&version, Of::AllSites, Report::CallCharges).await? {
        let Some(site) = row.get("site").and_then(|id| sites.iter_mut().find(|site| site.site == *id)) else {
            continue;
        };
        add(&mut site.amounts, &row);
        let (site, payer) = (site.site.clone(), row.get("client_id").cloned());
        match payers.last_mut().filter(|last| last.site == site && last.payer == payer) {
            Some(last) => add(&mut last.amounts, &row),
            None => {
                let margin = row.get("margin").cloned();
                let mut amounts = wire::Amounts { margin, ..wire::Amounts::default() };
                add(&mut amounts, &row);
                payers.push(wire::OfPayer { site, payer, name: row.get("client_name").cloned(), amounts });
            }
        }
    }
    for suspended in app.index.suspended(&version, Some(&ids)).await.map_err(problem)? {
        let payer = Some(suspended.payer).filter(|payer| !payer.is_empty());
        let of_payer = payers.iter_mut().find(|of| of.site == suspended.site && of.payer == payer);
        let of_site = sites.iter_mut().find(|of| of.site == suspended.site);
        let lists = of_payer.map(|of| &mut of.amounts).into_iter().chain(of_site.map(|of| &mut of.amounts));
        for amounts in lists {
            for (currency, amount) in &suspended.at_stake {
                put(&mut amounts.at_stake, currency, amount);
            }
        }
    }
    Ok(axum::Json(wire::MonthOfSites {
        month: month.to_string(),
        available: true,
        standing: Some(version.standing.name().to_owned()),
        as_of: version.to_date().map(|date| date.to_string()),
        run: Some(version.run),
        sites,
        payers,
    }))
}

/// Lists what of a month was not rated, or needs a look, as work: by reason and by what would mend it.
#[utoipa::path(get, path = "/api/v1/months/{month}/exceptions", tag = "charges", params(("month" = String, Path, example = "2026-10"), Which),
    responses((status = 200, description = "Groups", body = wire::Exceptions), (status = 400), (status = 404)))]
async fn exceptions(
    State(app): State<App>,
    principal: Principal,
    Named(month): Named<String>,
    Asked(which): Asked<Which>,
) -> Result<axum::Json<wire::Exceptions>> {
    let month = read_month(&month)?;
    let places = places(app.store.read().await?.on(), &principal, which.site.as_deref()).await?;
    let version = version(&app, month, which.run, true).await?.ok_or_else(|| {
        Problem::new("publish.no_such_version", format!("nothing was made of {month}"))
            .help("check the month: POST /api/v1/months/{month}/checks")
    })?;
    let ids: Vec<String> = places.iter().map(|(site, _)| site.id.clone()).collect();
    let suspended = app.index.suspended(&version, Some(&ids)).await.map_err(problem)?;
    let known = payers(&app, &suspended).await?;
    let mut groups = by_key(suspended, &places, &known);
    let here: BTreeMap<String, String> = {
        let all = sources::list(app.store.read().await?.on()).await?;
        all.into_iter().filter(|source| ids.contains(&source.site)).map(|source| (source.id, source.site)).collect()
    };
    let sees_all = principal.sites().filter().is_none() && which.site.is_none();
    for row in rows(&version, Of::AllSites, Report::Exceptions).await? {
        let site = row.get("source").and_then(|source| here.get(source));
        // What is of no switch is of all sites together.
        if row.get("kind").is_none_or(|kind| kind == "suspended") || (site.is_none() && !sees_all) {
            continue;
        }
        groups.push(of_records(&row, site));
    }
    groups.sort_by(|a, b| {
        let order = |group: &wire::ExceptionGroup| (!group.needs_action, group.kind != "suspended");
        order(a).cmp(&order(b)).then(b.count.cmp(&a.count)).then(a.reason.cmp(&b.reason)).then(a.key.cmp(&b.key))
    });
    Ok(axum::Json(wire::Exceptions {
        month: month.to_string(),
        standing: version.standing.name().to_owned(),
        run: version.run,
        groups,
    }))
}

/// Those who would pay for suspended calls.
async fn payers(app: &App, suspended: &[Suspended]) -> Result<BTreeMap<String, wire::Payer>> {
    let ids: BTreeSet<&String> = suspended.iter().map(|one| &one.payer).filter(|payer| !payer.is_empty()).collect();
    let mut reader = app.store.read().await?;
    let own = operator::get(reader.on()).await?;
    let mut found = BTreeMap::new();
    for id in ids {
        let of_operator = own.as_ref().filter(|own| own.id == *id).map(|own| own.name.clone());
        let occupier = of_operator.is_none();
        let name = match of_operator {
            Some(name) => Some(name),
            None => occupiers::get(reader.on(), id).await?.map(|occupier| occupier.name),
        };
        if let Some(name) = name {
            found.insert(id.clone(), wire::Payer { id: id.clone(), name, occupier });
        }
    }
    Ok(found)
}

/// Suspended calls by site, source, side, reason and key, with everybody who would pay.
fn by_key(
    suspended: Vec<Suspended>,
    places: &[(Site, Zone)],
    payers: &BTreeMap<String, wire::Payer>,
) -> Vec<wire::ExceptionGroup> {
    let mut found: BTreeMap<[String; 6], (Suspended, BTreeSet<wire::Payer>)> = BTreeMap::new();
    for one in suspended {
        let key = [&one.site, &one.source, &one.side, &one.reason, &one.key_kind, &one.key].map(Clone::clone);
        let payer = payers.get(&one.payer).cloned();
        let Some((known, known_payers)) = found.get_mut(&key) else {
            found.insert(key, (one, payer.into_iter().collect()));
            continue;
        };
        known_payers.extend(payer);
        known.calls += one.calls;
        let sum = |a: &str, b: &str| units(a).unwrap_or_default().saturating_add(units(b).unwrap_or_default());
        known.duration_s = shown(sum(&known.duration_s, &one.duration_s), Kind::Seconds);
        for (currency, amount) in &one.at_stake {
            put(&mut known.at_stake, currency, amount);
        }
        if one.first < known.first {
            known.first = one.first;
        }
        if one.last > known.last {
            known.last = one.last;
        }
    }
    found.into_values().map(|(group, payers)| of_calls(group, payers, places)).collect()
}

fn of_calls(group: Suspended, payers: BTreeSet<wire::Payer>, places: &[(Site, Zone)]) -> wire::ExceptionGroup {
    let utc = Zone::utc();
    let zone = places.iter().find(|(site, _)| site.id == group.site).map_or(&utc, |(_, zone)| zone);
    let instance = |(at, call): (Instant, String)| wire::Instance { at: zone.format(at), call };
    let help = run::help(&group.reason);
    let (command, route) = remedies::of(&group.reason, &group.site, &group.key);
    wire::ExceptionGroup {
        kind: "suspended".to_owned(),
        side: Some(group.side),
        needs_action: remedies::needs_action(help),
        fix: help.to_owned(),
        command,
        route: route.map(|route| route.replace("{source}", &group.source)),
        reason: group.reason,
        site: Some(group.site),
        source: Some(group.source),
        key_kind: group.key_kind,
        key: group.key,
        payers: payers.into_iter().collect(),
        count: group.calls,
        duration_s: Some(group.duration_s),
        at_stake: group.at_stake,
        first: Some(instance(group.first)),
        last: Some(instance(group.last)),
        example: None,
    }
}

fn of_records(row: &Row, site: Option<&String>) -> wire::ExceptionGroup {
    let text = |column: &str| row.get(column).cloned().unwrap_or_default();
    let reason = text("reason");
    let (source, help) = (text("source"), run::help(&reason));
    let (command, route) = remedies::of(&reason, site.map_or("", String::as_str), &source);
    let example = row.get("example_file").map(|file| match row.get("example_offset") {
        Some(offset) => format!("{file}@{offset}"),
        None => file.clone(),
    });
    wire::ExceptionGroup {
        kind: text("kind"),
        side: None,
        site: site.cloned(),
        needs_action: remedies::needs_action(help),
        fix: help.to_owned(),
        command: command.map(|command| match row.get("example_file") {
            Some(file) => command.replace("FILE", file),
            None => command,
        }),
        route: route
            .filter(|route| !source.is_empty() || !route.contains("{source}"))
            .map(|route| route.replace("{source}", &source)),
        reason,
        key_kind: "source".to_owned(),
        key: source.clone(),
        source: Some(source).filter(|source| !source.is_empty()),
        payers: Vec::new(),
        count: count(row, "count"),
        duration_s: row.get("duration_s").cloned(),
        at_stake: BTreeMap::new(),
        first: None,
        last: None,
        example,
    }
}

/// Says what lies between two versions of a month, call by call: by cause, site, payer, destination and day.
#[utoipa::path(get, path = "/api/v1/months/{month}/comparison", tag = "charges", params(("month" = String, Path, example = "2026-10"), Between),
    responses((status = 200, description = "The difference", body = wire::Comparison), (status = 400), (status = 404)))]
async fn comparison(
    State(app): State<App>,
    Named(month): Named<String>,
    Asked(between): Asked<Between>,
) -> Result<axum::Json<wire::Comparison>> {
    let month = read_month(&month)?;
    let nothing = |what: &str| {
        Problem::new("publish.no_such_version", format!("there is no {what} of {month} to be compared"))
            .help("GET /api/v1/months/{month} lists its runs")
    };
    let after = match between.after {
        Some(run) => run,
        None => version(&app, month, None, true).await?.ok_or_else(|| nothing("version"))?.run,
    };
    let before = match between.before {
        Some(run) => run,
        None => before(&app, month, &after).await?.ok_or_else(|| nothing("version before"))?,
    };
    let found = app.engine.compare(month, before.clone(), after.clone()).await.map_err(problem)?;
    let lines = |lines: &[compare::Line]| lines.iter().map(line).collect::<Vec<_>>();
    Ok(axum::Json(wire::Comparison {
        month: month.to_string(),
        before,
        after,
        same: found.is_same(),
        inputs: found.inputs.clone(),
        calls_before: found.calls_before,
        calls_after: found.calls_after,
        added: found.added,
        removed: found.removed,
        changed: found.changed,
        totals: found.totals.iter().map(money).collect(),
        causes: lines(&found.causes),
        sites: lines(&found.sites),
        payers: lines(&found.occupiers),
        destinations: lines(&found.destinations),
        days: lines(&found.days),
        suspended: lines(&found.suspended),
    }))
}

/// The version that was published last before a run, itself left out.
async fn before(app: &App, month: Month, after: &str) -> Result<Option<String>> {
    let runs = months::list(app.store.read().await?.on(), Some(&month.to_string())).await?;
    let since = runs.iter().find(|run| run.run == after).and_then(|run| run.published.as_ref()).map(|(at, _)| *at);
    let published = runs.iter().filter(|run| run.run != after).filter_map(|run| {
        let (at, _) = run.published.as_ref()?;
        since.is_none_or(|since| *at <= since).then_some((*at, run.run.clone()))
    });
    Ok(published.max().map(|(_, run)| run))
}

fn money(money: &compare::Money) -> wire::Money {
    wire::Money {
        side: money.side.name().to_owned(),
        currency: money.currency.code().to_owned(),
        before: money.amounts.before.to_string(),
        after: money.amounts.after.to_string(),
        difference: money.amounts.difference().to_string(),
    }
}

pub(in crate::http) fn line(line: &compare::Line) -> wire::Line {
    wire::Line { names: line.names.clone(), calls: line.calls, money: line.money.iter().map(money).collect() }
}

/// The sites of which somebody sees everything.
pub(super) fn ids(places: &[(Site, Zone)]) -> BTreeSet<String> {
    places.iter().map(|(site, _)| site.id.clone()).collect()
}
