//! Reports of months: which are there, why others are not, and their downloads.

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rating_core::report::Report;
use rating_core::report::availability::{Asked as Question, Availability, Reader, availability, default_month};
use rating_core::time::{Month, Zone};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::extract::{Asked, Named};
use super::months::{month as read_month, problem};
use crate::app::App;
use crate::auth::{Principal, unknown_occupier, unknown_site};
use crate::error::{Problem, Result};
use crate::publish::download::{Audience, CalledNumbers, Desk, Format, Visibility, Wanted};
use crate::publish::published::{Of, Version};
use crate::store::sites::Site;
use crate::store::{audit::Entry, occupiers, portal, services, sites};
use crate::wire::months as wire;

/// The routes of this file.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(of_occupier))
        .routes(routes!(download_of_occupier))
        .routes(routes!(of_operator))
        .routes(routes!(download_of_operator))
}

/// Which reports.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct Which {
    /// The month, `2026-10`; left out, the last complete one.
    month: Option<String>,
    /// The site; left out, each.
    site: Option<String>,
}

/// Which downloads.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct What {
    /// The month, `2026-10`; left out, the last complete one.
    month: Option<String>,
    /// The site; left out, each (an operator's: all sites in one).
    site: Option<String>,
    /// Reports, with commas between: `itemised,extension-summary`; left out, all that are there.
    report: Option<String>,
    /// `csv` (for spreadsheets; also if left out), `machine-csv`, `xlsx` or `parquet`.
    format: Option<String>,
}

/// Reports of an occupier.
const OCCUPIERS: [Report; 5] =
    [Report::ExtensionSummary, Report::Itemised, Report::Destinations, Report::Allowances, Report::Bill];
/// Reports of a site or all sites.
const OPERATORS: [Report; 8] = [
    Report::CallCharges,
    Report::Itemised,
    Report::Destinations,
    Report::Margin,
    Report::Exceptions,
    Report::Usage,
    Report::Allowances,
    Report::Bill,
];

/// What somebody asks about: sites they may see, and a month.
struct Scope {
    month: Month,
    sites: Vec<(Site, Zone)>,
    operator: String,
}

async fn scope(app: &App, principal: &Principal, month: Option<&str>, site: Option<&str>) -> Result<Scope> {
    let mut reader = app.store.read().await?;
    let operator = super::operator::get(reader.on()).await?;
    if let Some(site) = site {
        principal.at(site)?;
    }
    let all = sites::list(reader.on()).await?.into_iter();
    let sites: Vec<(Site, Zone)> = all
        .filter(|found| principal.sites().has(&found.id) && site.is_none_or(|site| site == found.id))
        .map(|found| {
            let zone = Zone::load(&found.zone).unwrap_or_else(Zone::utc);
            (found, zone)
        })
        .collect();
    if let (Some(site), true) = (site, sites.is_empty()) {
        return Err(unknown_site(site));
    }
    let month = match (month, sites.first()) {
        (Some(text), _) => read_month(text)?,
        (None, Some((_, zone))) => default_month(app.clock.now(), zone),
        (None, None) => {
            let zone = Zone::load(&operator.zone).unwrap_or_else(Zone::utc);
            default_month(app.clock.now(), &zone)
        }
    };
    Ok(Scope { month, sites, operator: operator.id })
}

/// The version of a month in force, looked up where it may block.
pub(super) async fn in_force(app: &App, month: Month) -> Result<Option<Version>> {
    let owner = app.clone();
    let found = tokio::task::spawn_blocking(move || owner.shelf.in_force(month)).await.map_err(Problem::internal)?;
    found.map_err(problem)
}

fn row(site: &str, report: Report, found: &Availability) -> wire::ReportRow {
    let missing = match found {
        Availability::Missing(missing) => Some(missing),
        _ => None,
    };
    wire::ReportRow {
        site: site.to_owned(),
        report: report.name().to_owned(),
        available: missing.is_none(),
        reason: missing.map(|missing| missing.reason.code().to_owned()),
        detail: missing.map(|missing| missing.text.clone()),
    }
}

/// What an occupier's people may see of it; the operator's people see for an occupier what it sees.
pub(super) async fn audience(app: &App, principal: &Principal, occupier: &str) -> Result<Audience> {
    let mut reader = app.store.read().await?;
    let portal = portal::get(reader.on(), occupier).await?;
    let visibility = match (principal.is_operator(), portal) {
        (false, Some(portal)) => Visibility {
            summary: portal.level.summary,
            itemised: portal.level.itemised,
            called_numbers: if portal.level.called_in_full { CalledNumbers::Full } else { CalledNumbers::Masked },
            usage_to_date: portal.level.usage,
            allowance_left: portal.level.allowance,
        },
        (false, None) => Visibility::NONE,
        (true, _) => Visibility::ALL,
    };
    Ok(Audience::Occupier { id: occupier.to_owned(), visibility })
}

/// What there is of an occupier's reports, at each of the sites where it ever had a contract.
async fn occupiers_reports(
    app: &App,
    principal: &Principal,
    id: &str,
    scope: &Scope,
) -> Result<Vec<(Of, Report, Availability)>> {
    let version = in_force(app, scope.month).await?;
    let audience = audience(app, principal, id).await?;
    let desk = Desk::new(&app.config.data, &scope.operator).map_err(problem)?;
    let mut reader = app.store.read().await?;
    let occupier = occupiers::get(reader.on(), id).await?.ok_or_else(|| unknown_occupier(id))?;
    let mut found = Vec::new();
    for (site, zone) in &scope.sites {
        if !occupier.contracts.iter().any(|(at, _)| *at == site.id) {
            continue;
        }
        let (from, until) = scope.month.bounds(zone);
        let period = rating_core::time::Interval { from, until };
        let services = services::at_site(reader.on(), id, &site.id).await?;
        let had_voice_service = services.iter().any(|service| service.lines > 0 && service.time().overlaps(period));
        let of = Of::Payer { site: site.id.clone(), payer: id.to_owned() };
        let there = version.as_ref().map(|version| desk.reports(version, &audience, &of)).unwrap_or_default();
        let has_data = version.as_ref().is_some_and(|version| version.has_data(&site.id, id));
        for report in OCCUPIERS {
            let question = Question {
                report,
                reader: Reader::Occupier { telephony_managed: occupier.telephony_managed },
                month: scope.month,
                now: app.clock.now(),
                zone,
                had_voice_service: Some(had_voice_service),
                is_published: version.is_some(),
                has_data,
            };
            let answer = availability(&question).map_err(|future| future_month(&future.to_string()))?;
            // Reports that this month has not got for anybody, or that are not shown, are not offered at all.
            if answer == Availability::Available && !there.contains(&report) {
                continue;
            }
            if matches!(report, Report::Allowances | Report::Bill) && !there.contains(&report) {
                continue;
            }
            found.push((of.clone(), report, answer));
        }
    }
    Ok(found)
}

pub(super) fn future_month(detail: &str) -> Problem {
    Problem::new("report.month_in_future", detail).help("choose a month that has begun")
}

/// Lists the reports of an occupier for a month (left out: the last complete one), site by site, with the reason where one
/// is not there.
#[utoipa::path(get, path = "/api/v1/occupiers/{occupier}/reports", tag = "reports", params(("occupier" = String, Path), Which),
    responses((status = 200, description = "Reports", body = wire::Reports), (status = 404), (status = 422)))]
async fn of_occupier(
    State(app): State<App>,
    principal: Principal,
    Named(occupier): Named<String>,
    Asked(which): Asked<Which>,
) -> Result<axum::Json<wire::Reports>> {
    let scope = scope(&app, &principal, which.month.as_deref(), which.site.as_deref()).await?;
    let found = occupiers_reports(&app, &principal, &occupier, &scope).await?;
    let reports = found.iter().map(|(of, report, answer)| row(site_of(of), *report, answer)).collect();
    Ok(axum::Json(wire::Reports { month: scope.month.to_string(), reports }))
}

fn site_of(of: &Of) -> &str {
    match of {
        Of::Site(site) | Of::Payer { site, .. } => site,
        Of::AllSites => "all-sites",
    }
}

fn format(what: &What) -> Result<Format> {
    let name = what.format.as_deref().unwrap_or("csv");
    Format::ALL.into_iter().find(|format| format.name() == name).ok_or_else(|| {
        let known: Vec<&str> = Format::ALL.into_iter().map(Format::name).collect();
        Problem::new("request.parameter_malformed", format!("there is no format `{name}`")).help(known.join(", "))
    })
}

/// The reports asked for by name; `None` is all.
fn named(what: &What) -> Result<Option<Vec<Report>>> {
    let Some(names) = &what.report else { return Ok(None) };
    let find = |name: &str| {
        Report::ALL.into_iter().find(|report| report.name() == name).ok_or_else(|| {
            let known: Vec<&str> = Report::ALL.into_iter().map(Report::name).collect();
            Problem::new("request.parameter_malformed", format!("there is no report `{name}`")).help(known.join(", "))
        })
    };
    names.split(',').map(str::trim).map(find).collect::<Result<Vec<_>>>().map(Some)
}

/// Downloads reports of an occupier: one as a bare file, several as a zip of those that are there, as far as the occupier
/// may see them.
#[utoipa::path(get, path = "/api/v1/occupiers/{occupier}/reports/download", tag = "reports", params(("occupier" = String, Path), What),
    responses((status = 200, description = "The file", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 206), (status = 304), (status = 404), (status = 409, description = "None is there, and why"), (status = 422)))]
async fn download_of_occupier(
    State(app): State<App>,
    principal: Principal,
    Named(occupier): Named<String>,
    Asked(what): Asked<What>,
    headers: HeaderMap,
) -> Result<Response> {
    let (format, reports) = (format(&what)?, named(&what)?);
    let scope = scope(&app, &principal, what.month.as_deref(), what.site.as_deref()).await?;
    let found = occupiers_reports(&app, &principal, &occupier, &scope).await?;
    let asked: Vec<_> = found
        .into_iter()
        .filter(|(_, report, _)| reports.as_ref().is_none_or(|asked| asked.contains(report)))
        .collect();
    let missing = asked.iter().find_map(|(_, _, answer)| match answer {
        Availability::Missing(missing) => Some(missing.clone()),
        _ => None,
    });
    let wanted: Vec<Wanted> = asked
        .iter()
        .filter(|(_, _, answer)| !matches!(answer, Availability::Missing(_)))
        .map(|(of, report, _)| Wanted { of: of.clone(), report: *report })
        .collect();
    if wanted.is_empty() {
        return Err(none_there(missing.map(|missing| (missing.reason.code(), missing.text))));
    }
    let audience = audience(&app, &principal, &occupier).await?;
    let entry = Entry::new("report.downloaded", format!("month:{}", scope.month)).of(&occupier);
    send(&app, &principal, &scope, &audience, &wanted, format, entry, &headers).await
}

/// No file is made if none is there; the reason is the answer (rule 26).
fn none_there(missing: Option<(&str, String)>) -> Problem {
    match missing {
        Some((reason, text)) => Problem::new("report.not_available", text).errors(vec![crate::error::Fault {
            field: "report".to_owned(),
            code: reason.to_owned(),
            detail: "no report can be downloaded for this reason".to_owned(),
            help: None,
        }]),
        None => Problem::new("report.not_available", "none of these reports is there, or is shown to you"),
    }
}

/// Lists the operator's reports for a month: of one site, or of each site and all sites.
#[utoipa::path(get, path = "/api/v1/reports", tag = "reports", params(Which),
    responses((status = 200, description = "Reports", body = wire::Reports), (status = 404), (status = 422)))]
async fn of_operator(
    State(app): State<App>,
    principal: Principal,
    Asked(which): Asked<Which>,
) -> Result<axum::Json<wire::Reports>> {
    let scope = scope(&app, &principal, which.month.as_deref(), which.site.as_deref()).await?;
    let found = operators_reports(&app, &principal, &scope, which.site.is_none()).await?;
    let reports = found.iter().map(|(of, report, answer)| row(site_of(of), *report, answer)).collect();
    Ok(axum::Json(wire::Reports { month: scope.month.to_string(), reports }))
}

async fn operators_reports(
    app: &App,
    principal: &Principal,
    scope: &Scope,
    with_all_sites: bool,
) -> Result<Vec<(Of, Report, Availability)>> {
    let version = in_force(app, scope.month).await?;
    let audience = operators_audience(principal);
    let desk = Desk::new(&app.config.data, &scope.operator).map_err(problem)?;
    let mut all: Vec<(Of, &Zone)> = scope.sites.iter().map(|(site, zone)| (Of::Site(site.id.clone()), zone)).collect();
    if let (true, Some((_, zone))) = (with_all_sites, scope.sites.first()) {
        all.push((Of::AllSites, zone));
    }
    let mut found = Vec::new();
    for (of, zone) in all {
        let there = version.as_ref().map(|version| desk.reports(version, &audience, &of)).unwrap_or_default();
        for report in OPERATORS {
            let question = Question {
                report,
                reader: Reader::Operator,
                month: scope.month,
                now: app.clock.now(),
                zone,
                had_voice_service: None,
                is_published: version.is_some(),
                has_data: !there.is_empty(),
            };
            let answer = availability(&question).map_err(|future| future_month(&future.to_string()))?;
            // The usage report of the running month comes from its preview, which has an address of its own.
            let answer = if report == Report::Usage && !there.contains(&report) { continue } else { answer };
            let is_there = there.contains(&report) || (of_site_parquet(&version, &of) && report == Report::Itemised);
            if answer == Availability::Available && !is_there {
                continue;
            }
            found.push((of.clone(), report, answer));
        }
    }
    Ok(found)
}

fn of_site_parquet(version: &Option<Version>, of: &Of) -> bool {
    match (version, of) {
        (Some(version), Of::Site(site)) => version.itemised_parquet(site).is_some(),
        _ => false,
    }
}

fn operators_audience(principal: &Principal) -> Audience {
    Audience::Operator { sites: principal.sites().filter().map(|sites| sites.into_iter().collect()) }
}

/// Downloads the operator's reports: one as a bare file, several as a zip of those that are there.
#[utoipa::path(get, path = "/api/v1/reports/download", tag = "reports", params(What),
    responses((status = 200, description = "The file", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 206), (status = 304), (status = 404), (status = 409, description = "None is there, and why"), (status = 422)))]
async fn download_of_operator(
    State(app): State<App>,
    principal: Principal,
    Asked(what): Asked<What>,
    headers: HeaderMap,
) -> Result<Response> {
    let (format, reports) = (format(&what)?, named(&what)?);
    let scope = scope(&app, &principal, what.month.as_deref(), what.site.as_deref()).await?;
    let found = operators_reports(&app, &principal, &scope, what.site.is_none()).await?;
    let missing = found.iter().find_map(|(_, _, answer)| match answer {
        Availability::Missing(missing) => Some((missing.reason.code(), missing.text.clone())),
        _ => None,
    });
    // Of no site by name: what is there of all sites together.
    let is_asked = |of: &Of| what.site.is_some() || *of == Of::AllSites;
    let wanted: Vec<Wanted> = found
        .into_iter()
        .filter(|(of, report, answer)| {
            is_asked(of)
                && !matches!(answer, Availability::Missing(_))
                && reports.as_ref().is_none_or(|asked| asked.contains(report))
        })
        .map(|(of, report, _)| Wanted { of, report })
        .collect();
    if wanted.is_empty() {
        return Err(none_there(missing));
    }
    let entry = Entry::new("report.downloaded", format!("month:{}", scope.month));
    let audience = operators_audience(&principal);
    send(&app, &principal, &scope, &audience, &wanted, format, entry, &headers).await
}

/// Sends a download: not again if the caller has it, a part of it if a part is asked for; and notes it in the audit log.
#[expect(clippy::too_many_arguments, reason = "what is sent, to whom, and how it is noted")]
async fn send(
    app: &App,
    principal: &Principal,
    scope: &Scope,
    audience: &Audience,
    wanted: &[Wanted],
    format: Format,
    entry: Entry,
    asked: &HeaderMap,
) -> Result<Response> {
    let version = in_force(app, scope.month).await?.ok_or_else(|| none_there(None))?;
    let desk = Desk::new(&app.config.data, &scope.operator).map_err(problem)?;
    let prepared = desk.prepare(&version, audience, wanted, format).map_err(problem)?;
    let mut headers = HeaderMap::new();
    let value = |text: &str| HeaderValue::from_str(text).map_err(Problem::internal);
    headers.insert(header::ETAG, value(&prepared.etag)?);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    let known = asked.get(header::IF_NONE_MATCH).and_then(|tags| tags.to_str().ok()).unwrap_or_default();
    if known.split(',').any(|tag| tag.trim() == prepared.etag) {
        return Ok((StatusCode::NOT_MODIFIED, headers).into_response());
    }
    let mut change = app.store.change(&principal.actor(), app.clock.now()).await?;
    let reports: Vec<String> =
        wanted.iter().map(|wanted| format!("{}/{}", site_of(&wanted.of), wanted.report.name())).collect();
    change.note(entry.with(serde_json::json!({ "reports": reports, "format": format.name(), "run": version.run })));
    change.commit().await?;

    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(prepared.media_type));
    headers.insert(header::CONTENT_DISPOSITION, value(&format!("attachment; filename=\"{}\"", prepared.file_name))?);
    let body = prepared.body().await.map_err(problem)?;
    super::ranges::respond(headers, body, asked).await
}
