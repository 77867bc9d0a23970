//! Reports of months: which are there, why others are not, and their downloads.

use std::collections::BTreeSet;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rating_core::report::Report;
use rating_core::report::availability::{
    Asked as Question, Availability, Missing, Reader, Reason, availability, default_month,
};
use rating_core::time::{Interval, Month, Zone};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::extract::{Asked, Named};
use super::months::{month as read_month, problem};
use super::sites::places;
use crate::app::App;
use crate::auth::{Principal, unknown_occupier};
use crate::error::{Fault, Problem, Result};
use crate::publish::download::{Audience, CalledNumbers, Desk, Format, Visibility, Wanted};
use crate::publish::published::{Of, Version};
use crate::store::sites::Site;
use crate::store::{audit::Entry, occupiers, portal, services, sources};
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
    /// Whether the month's last preview is meant: the month so far, provisional.
    preview: Option<bool>,
}

/// Which downloads.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct What {
    /// The month, `2026-10`; left out, the last complete one.
    month: Option<String>,
    /// The site; left out, each (an operator's: all sites in one).
    site: Option<String>,
    /// Whether the month's last preview is meant: the month so far, provisional.
    preview: Option<bool>,
    /// Reports, with commas between: `itemised,extension-summary`; left out, all that are there.
    report: Option<String>,
    /// `csv` (for spreadsheets; also if left out), `machine-csv`, `xlsx` or `parquet`.
    format: Option<String>,
}

/// Which of the operator's downloads.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct OperatorsWhat {
    /// The month, `2026-10`; left out, the last complete one.
    month: Option<String>,
    /// The site; left out, all sites in one.
    site: Option<String>,
    /// Whether the month's last preview is meant: the month so far, provisional.
    preview: Option<bool>,
    /// Reports, with commas between: `call-charges,usage`; left out, all that are there.
    report: Option<String>,
    /// `csv` (for spreadsheets; also if left out), `machine-csv`, `xlsx` or `parquet`.
    format: Option<String>,
    /// Payers, with commas between, whose rows alone are shown; left out, all.
    payer: Option<String>,
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

/// What somebody asks about: sites they may see, a month, and the version of it that all of the answer comes from. It is
/// looked up once: a download sends what was listed.
struct Scope {
    month: Month,
    sites: Vec<(Site, Zone)>,
    desk: Desk,
    version: Option<Version>,
    is_preview: bool,
}

impl Scope {
    /// Whether its version is the month's, and not a preview.
    fn is_published(&self) -> bool {
        self.version.as_ref().is_some_and(|version| !version.is_provisional())
    }

    /// The reports of the version that an audience may see.
    fn reports(&self, audience: &Audience, of: &Of) -> Vec<Report> {
        self.version.as_ref().map(|version| self.desk.reports(version, audience, of)).unwrap_or_default()
    }

    /// Whether a report is there, from a preview if one was asked for; the usage report of a month that is not over comes from
    /// its preview in any case (rule 10).
    fn answer(&self, question: &Question<'_>, is_there: bool) -> Result<Availability> {
        let answer = availability(question).map_err(|future| {
            Problem::new("report.month_in_future", future.to_string()).help("choose a month that has begun")
        })?;
        Ok(match answer {
            Availability::Missing(missing)
                if self.is_preview
                    && is_there
                    && matches!(missing.reason, Reason::MonthNotComplete | Reason::NotPublished) =>
            {
                Availability::MonthToDate
            }
            answer => answer,
        })
    }
}

async fn scope(
    app: &App,
    principal: &Principal,
    month: Option<&str>,
    site: Option<&str>,
    preview: Option<bool>,
) -> Result<Scope> {
    let mut reader = app.store.read().await?;
    let operator = super::operator::get(reader.on()).await?;
    let sites = places(reader.on(), principal, site).await?;
    let now = app.clock.now();
    let month = match (month, sites.first()) {
        (Some(text), _) => read_month(text)?,
        (None, Some((_, zone))) => default_month(now, zone),
        (None, None) => {
            let zone = Zone::load(&operator.zone).unwrap_or_else(Zone::utc);
            default_month(now, &zone)
        }
    };
    let is_preview = preview.unwrap_or(false);
    let is_over = sites.iter().all(|(_, zone)| now >= month.bounds(zone).1);
    let owner = app.clone();
    let found = tokio::task::spawn_blocking(move || match (is_preview, is_over) {
        (true, _) => owner.shelf.preview(month),
        (false, true) => owner.shelf.in_force(month),
        (false, false) => Ok(match owner.shelf.in_force(month)? {
            Some(version) => Some(version),
            None => owner.shelf.preview(month)?,
        }),
    });
    let version = found.await.map_err(Problem::internal)?.map_err(problem)?;
    Ok(Scope { month, sites, desk: app.desk.of(&operator.id), version, is_preview })
}

/// The version of a month in force, looked up where it may block.
pub(super) async fn in_force(app: &App, month: Month) -> Result<Option<Version>> {
    let owner = app.clone();
    let found = tokio::task::spawn_blocking(move || owner.shelf.in_force(month)).await.map_err(Problem::internal)?;
    found.map_err(problem)
}

/// A report, and whether it is there.
struct Found {
    of: Of,
    report: Report,
    answer: Availability,
}

impl Found {
    fn missing(&self) -> Option<&Missing> {
        match &self.answer {
            Availability::Missing(missing) => Some(missing),
            _ => None,
        }
    }
}

fn listed(scope: &Scope, found: &[Found]) -> axum::Json<wire::Reports> {
    let row = |found: &Found| row(scope, site_of(&found.of), found.report, &found.answer);
    axum::Json(wire::Reports { month: scope.month.to_string(), reports: found.iter().map(row).collect() })
}

fn row(scope: &Scope, site: &str, report: Report, found: &Availability) -> wire::ReportRow {
    let to_date = scope.version.as_ref().filter(|_| *found == Availability::MonthToDate).and_then(Version::to_date);
    let missing = match found {
        Availability::Missing(missing) => Some(missing),
        _ => None,
    };
    wire::ReportRow {
        site: site.to_owned(),
        report: report.name().to_owned(),
        available: missing.is_none(),
        to_date: to_date.map(|day| day.to_string()),
        reason: missing.map(|missing| missing.reason.code().to_owned()),
        detail: missing.map(|missing| missing.text.clone()),
    }
}

/// What is shown of an occupier's reports: to its own people what its information level says, to the operator's people all
/// that an occupier can be shown.
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
async fn occupiers_reports(app: &App, audience: &Audience, id: &str, scope: &Scope) -> Result<Vec<Found>> {
    let mut reader = app.store.read().await?;
    let occupier = occupiers::get(reader.on(), id).await?.ok_or_else(|| unknown_occupier(id))?;
    let mut found = Vec::new();
    for (site, zone) in &scope.sites {
        if !occupier.contracts.iter().any(|(at, _)| *at == site.id) {
            continue;
        }
        let services = services::at_site(reader.on(), id, &site.id).await?;
        let of = Of::Payer { site: site.id.clone(), payer: id.to_owned() };
        let there = scope.reports(audience, &of);
        let has_data = scope.version.as_ref().is_some_and(|version| version.has_data(&site.id, id));
        for report in OCCUPIERS {
            let question = Question {
                report,
                reader: Reader::Occupier { telephony_managed: occupier.telephony_managed },
                month: scope.month,
                now: app.clock.now(),
                zone,
                had_voice_service: Some(has_voice(&services, scope.month, zone)),
                is_published: scope.is_published(),
                has_data,
            };
            let answer = scope.answer(&question, there.contains(&report))?;
            // Reports that this month has not got for anybody, or that are not shown, are not offered at all.
            if answer == Availability::Available && !there.contains(&report) {
                continue;
            }
            if matches!(report, Report::Allowances | Report::Bill) && !there.contains(&report) {
                continue;
            }
            found.push(Found { of: of.clone(), report, answer });
        }
    }
    Ok(found)
}

/// Whether there is a voice line at any time of a month.
fn has_voice(services: &[services::Service], month: Month, zone: &Zone) -> bool {
    let (from, until) = month.bounds(zone);
    let period = Interval { from, until };
    services.iter().any(|service| service.lines > 0 && service.time().overlaps(period))
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
    let scope = scope(&app, &principal, which.month.as_deref(), which.site.as_deref(), which.preview).await?;
    let audience = audience(&app, &principal, &occupier).await?;
    Ok(listed(&scope, &occupiers_reports(&app, &audience, &occupier, &scope).await?))
}

fn site_of(of: &Of) -> &str {
    match of {
        Of::Site(site) | Of::Payer { site, .. } => site,
        Of::AllSites => "all-sites",
    }
}

fn format(asked: Option<&str>) -> Result<Format> {
    let name = asked.unwrap_or("csv");
    Format::ALL.into_iter().find(|format| format.name() == name).ok_or_else(|| {
        let known: Vec<&str> = Format::ALL.into_iter().map(Format::name).collect();
        Problem::new("request.parameter_malformed", format!("there is no format `{name}`")).help(known.join(", "))
    })
}

/// The reports asked for by name; `None` is all.
fn named(asked: Option<&str>) -> Result<Option<Vec<Report>>> {
    let Some(names) = asked else { return Ok(None) };
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
    let (format, reports) = (format(what.format.as_deref())?, named(what.report.as_deref())?);
    let scope = scope(&app, &principal, what.month.as_deref(), what.site.as_deref(), what.preview).await?;
    let audience = audience(&app, &principal, &occupier).await?;
    let mut asked = occupiers_reports(&app, &audience, &occupier, &scope).await?;
    asked.retain(|found| reports.as_ref().is_none_or(|asked| asked.contains(&found.report)));
    let entry = Entry::new("report.downloaded", format!("month:{}", scope.month)).of(&occupier);
    let download = Download { scope, audience, asked, format, payers: None, entry };
    download.send(&app, &principal, &headers).await
}

/// No file is made if none is there; the reason is the answer (rule 26).
fn none_there(missing: Option<&Missing>) -> Problem {
    match missing {
        Some(Missing { reason, text, .. }) => Problem::new("report.not_available", text).errors(vec![Fault {
            field: "report".to_owned(),
            code: reason.code().to_owned(),
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
    let scope = scope(&app, &principal, which.month.as_deref(), which.site.as_deref(), which.preview).await?;
    let audience = operators_audience(&principal);
    Ok(listed(&scope, &operators_reports(&app, &audience, &scope, which.site.is_none()).await?))
}

async fn operators_reports(app: &App, audience: &Audience, scope: &Scope, with_all_sites: bool) -> Result<Vec<Found>> {
    let mut reader = app.store.read().await?;
    let is_counted = sources::setting(reader.on(), "usage").await?.0.is_some();
    let mut all: Vec<(Of, &Zone, bool)> = Vec::new();
    for (site, zone) in &scope.sites {
        let filter = services::Filter { sites: Some(vec![site.id.clone()]), ..services::Filter::default() };
        let lines = has_voice(&services::list(reader.on(), &filter).await?, scope.month, zone);
        all.push((Of::Site(site.id.clone()), zone, lines));
    }
    if let (true, Some((_, zone, _))) = (with_all_sites, all.first()) {
        all.push((Of::AllSites, zone, all.iter().any(|(.., lines)| *lines)));
    }
    let mut found = Vec::new();
    for (of, zone, lines) in all {
        let there = scope.reports(audience, &of);
        let has_calls = has_calls(scope.version.as_ref(), &of);
        for report in OPERATORS {
            let question = Question {
                report,
                reader: Reader::Operator,
                month: scope.month,
                now: app.clock.now(),
                zone,
                // The operator's own phones need no service.
                had_voice_service: Some(lines || has_calls),
                is_published: scope.is_published(),
                has_data: has_calls,
            };
            let is_there = there.contains(&report) || (of_site_parquet(scope, &of) && report == Report::Itemised);
            let answer = match scope.answer(&question, is_there)? {
                // Where lines are counted the month so far is known as soon as its preview is made.
                Availability::MonthToDate if !is_there && is_counted && !scope.is_preview => to_be_made(scope.month),
                answer => answer,
            };
            if matches!(answer, Availability::Available | Availability::MonthToDate) && !is_there {
                continue;
            }
            found.push(Found { of: of.clone(), report, answer });
        }
    }
    Ok(found)
}

/// What is said of the usage report of a month that is not over and has no preview yet.
fn to_be_made(month: Month) -> Availability {
    Availability::Missing(Missing {
        reason: Reason::NotPublished,
        text: format!(
            "{month} so far comes with its preview, and there is none yet: POST /api/v1/months/{month}/previews"
        ),
        not_before: None,
    })
}

/// Whether there is any call of a site, or of all.
fn has_calls(version: Option<&Version>, of: &Of) -> bool {
    let Some(version) = version else { return false };
    match of {
        Of::Site(site) => version.has_calls(site),
        _ => version.totals().calls > 0,
    }
}

fn of_site_parquet(scope: &Scope, of: &Of) -> bool {
    match (&scope.version, of) {
        (Some(version), Of::Site(site)) => version.itemised_parquet(site).is_some(),
        _ => false,
    }
}

fn operators_audience(principal: &Principal) -> Audience {
    Audience::Operator { sites: principal.sites().filter().map(|sites| sites.into_iter().collect()) }
}

/// Downloads the operator's reports: one as a bare file, several as a zip of those that are there.
#[utoipa::path(get, path = "/api/v1/reports/download", tag = "reports", params(OperatorsWhat),
    responses((status = 200, description = "The file", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 206), (status = 304), (status = 404), (status = 409, description = "None is there, and why"), (status = 422)))]
async fn download_of_operator(
    State(app): State<App>,
    principal: Principal,
    Asked(what): Asked<OperatorsWhat>,
    headers: HeaderMap,
) -> Result<Response> {
    let (format, reports) = (format(what.format.as_deref())?, named(what.report.as_deref())?);
    let payers = what.payer.map(|payers| payers.split(',').map(|payer| payer.trim().to_owned()).collect());
    let scope = scope(&app, &principal, what.month.as_deref(), what.site.as_deref(), what.preview).await?;
    let audience = operators_audience(&principal);
    let mut asked = operators_reports(&app, &audience, &scope, what.site.is_none()).await?;
    // Of no site by name: what is there of all sites together.
    asked.retain(|found| {
        (what.site.is_some() || found.of == Of::AllSites)
            && reports.as_ref().is_none_or(|asked| asked.contains(&found.report))
    });
    let entry = Entry::new("report.downloaded", format!("month:{}", scope.month));
    let download = Download { scope, audience, asked, format, payers, entry };
    download.send(&app, &principal, &headers).await
}

/// What is sent, to whom, and how it is noted.
struct Download {
    scope: Scope,
    audience: Audience,
    asked: Vec<Found>,
    format: Format,
    payers: Option<BTreeSet<String>>,
    entry: Entry,
}

impl Download {
    /// Sends it: not again if the caller has it, a part of it if a part is asked for; and notes it in the audit log.
    async fn send(self, app: &App, principal: &Principal, asked: &HeaderMap) -> Result<Response> {
        let Self { scope, audience, asked: found, format, payers, entry } = self;
        let there = found.iter().filter(|found| found.missing().is_none());
        let wanted: Vec<Wanted> = there.map(|found| Wanted { of: found.of.clone(), report: found.report }).collect();
        let version = scope.version.as_ref().filter(|_| !wanted.is_empty());
        let version = version.ok_or_else(|| none_there(found.iter().find_map(Found::missing)))?;
        let prepared =
            scope.desk.prepare_rows(version, &audience, &wanted, format, payers.as_ref()).map_err(problem)?;
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
        let disposition = format!("attachment; filename=\"{}\"", prepared.file_name);
        headers.insert(header::CONTENT_DISPOSITION, value(&disposition)?);
        let body = prepared.body().await.map_err(problem)?;
        super::ranges::respond(headers, body, asked).await
    }
}
