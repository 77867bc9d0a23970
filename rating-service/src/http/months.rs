//! Months: checked, approved, published, closed.

use std::convert::Infallible;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::sse::{Event, KeepAlive, Sse};
use rating_core::time::{Month, Zone};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::beside;
use super::extract::{Body, Named};
use super::files::everywhere;
use super::users::zone;
use crate::app::App;
use crate::auth::Principal;
use crate::error::{Fault, Problem, Result};
use crate::jobs::is_over;
use crate::publish::engine::{NewFiles, Outcome, Progress, Said, Teller};
use crate::publish::published::{Standing, Version};
use crate::publish::{Found, Refusal};
use crate::store::months::{self, Run};
use crate::store::snapshot::Snapshot;
use crate::store::{audit::Entry, sites, snapshots};
use crate::tidy;
use crate::wire::Page;
use crate::wire::months as wire;

/// The routes of this file.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(look))
        .routes(routes!(list))
        .routes(routes!(show))
        .routes(routes!(check))
        .routes(routes!(preview))
        .routes(routes!(progress))
        .routes(routes!(approve))
        .routes(routes!(publish))
        .routes(routes!(discard))
        .routes(routes!(close))
        .routes(routes!(reopen))
}

/// A refusal of a run, as a problem: findings are its errors.
pub(super) fn problem(refusal: Refusal) -> Problem {
    let errors = refusal.findings.into_iter().map(|found| Fault {
        field: found.place,
        code: found.code,
        detail: found.what,
        help: found.how,
    });
    let problem = Problem::new(refusal.code, refusal.detail).errors(errors.collect());
    match refusal.help {
        Some(help) => problem.help(help),
        None => problem,
    }
}

pub(super) fn finding(found: Found) -> wire::Finding {
    wire::Finding {
        code: found.code,
        severity: found.severity.to_owned(),
        place: found.place,
        what: found.what,
        how: found.how,
    }
}

/// The month of an address; one that is still to come is refused (rule 8).
pub(super) fn month(text: &str) -> Result<Month> {
    Month::parse(text)
        .ok_or_else(|| Problem::new("request.parameter_malformed", format!("`{text}` is no month")).help("`2026-10`"))
}

/// The clocks of all sites.
async fn zones(on: &mut sqlx::SqliteConnection) -> Result<Vec<Zone>> {
    Ok(sites::list(on).await?.iter().filter_map(|site| Zone::load(&site.zone)).collect())
}

pub(super) async fn snapshot(app: &App) -> Result<Snapshot> {
    snapshots::take(app.store.read().await?.on(), &app.config.data).await
}

/// Looks for mistakes in everything that a run would read, without rating anything: settings, directory, tariffs.
#[utoipa::path(post, path = "/api/v1/project/checks", tag = "months",
    responses((status = 200, description = "What was found", body = Page<wire::Finding>)))]
async fn look(State(app): State<App>) -> Result<axum::Json<Page<wire::Finding>>> {
    let found = app.engine.look(snapshot(&app).await?).await.map_err(problem)?;
    Ok(axum::Json(Page { items: found.into_iter().map(finding).collect(), next: None }))
}

/// Lists the months of which something is published or checked, and the one before now: the latest first.
#[utoipa::path(get, path = "/api/v1/months", tag = "months",
    responses((status = 200, description = "Months", body = Page<wire::Month>)))]
async fn list(State(app): State<App>) -> Result<axum::Json<Page<wire::Month>>> {
    let mut known: Vec<String> = {
        let mut reader = app.store.read().await?;
        let zone = zone(reader.on()).await?;
        let runs = months::list(reader.on(), None).await?;
        let today = zone.to_local(app.clock.now()).date();
        let current = Month::of(today);
        runs.into_iter().map(|run| run.month).chain([current.to_string(), current.previous().to_string()]).collect()
    };
    known.sort_by(|a, b| b.cmp(a));
    known.dedup();
    let mut items = Vec::new();
    for text in known {
        items.push(state(&app, month(&text)?).await?);
    }
    Ok(axum::Json(Page { items, next: None }))
}

/// Shows a month: what is in force, what waits for approval, what runs.
#[utoipa::path(get, path = "/api/v1/months/{month}", tag = "months", params(("month" = String, Path, example = "2026-10")),
    responses((status = 200, description = "The month", body = wire::Month), (status = 400)))]
async fn show(State(app): State<App>, Named(text): Named<String>) -> Result<axum::Json<wire::Month>> {
    let month = month(&text)?;
    let mut found = state(&app, month).await?;
    beside::put(&mut found, &state(&app, month.previous()).await?);
    Ok(axum::Json(found))
}

async fn state(app: &App, month: Month) -> Result<wire::Month> {
    let name = month.to_string();
    // Asked first: what a run came to is kept before it ends, so that an answer never has neither.
    let (under_way, last_refusal) = (app.jobs.running(&name), app.jobs.refusal(&name));
    let again = app.jobs.again(&name).filter(|_| under_way.is_none());
    let (kept, zone, complete) = {
        let mut reader = app.store.read().await?;
        let now = app.clock.now();
        let zones = zones(reader.on()).await?;
        let complete = zones.iter().all(|zone| now >= month.bounds(zone).1);
        (months::list(reader.on(), Some(&name)).await?, zone(reader.on()).await?, complete)
    };
    let engine = app.engine.clone();
    let (versions, closed) = tokio::task::spawn_blocking(move || {
        let archive = engine.archive();
        let closed = archive.months()?.iter().any(|published| published.month == month && published.closed);
        Ok::<_, Refusal>((archive.versions(month)?, closed))
    })
    .await
    .map_err(Problem::internal)?
    .map_err(problem)?;
    let in_force =
        versions.iter().find(|version| version.standing == Standing::InForce).map(|version| version.run.clone());
    // What was approved or published since has moved on.
    let is_news =
        |run: &&Run| [&run.approved, &run.published].into_iter().flatten().all(|(at, _)| *at <= run.checked_at);
    let unchanged = again.filter(|again| kept.iter().filter(is_news).any(|run| run.run == *again));
    let is = |state: &str| kept.iter().any(|run| run.state == state);
    let state = match () {
        () if in_force.is_some() => "published",
        () if is("approved") => "approved",
        () if is("checked") => "checked",
        () => "draft",
    };
    let mut runs: Vec<wire::Run> = kept.iter().map(|run| to_wire(&zone, run, &versions)).collect();
    runs.extend(versions.iter().filter(|version| version.is_provisional()).map(|version| wire::Run {
        run: version.run.clone(),
        state: "provisional".to_owned(),
        checked_at: None,
        approved: None,
        published: None,
        totals: Some(totals(version)),
        findings: Vec::new(),
        beside: Vec::new(),
    }));
    Ok(wire::Month {
        state: state.to_owned(),
        closed,
        complete,
        in_force,
        running: under_way.map(|(what, progress)| running(what, &progress)),
        last_refusal: last_refusal.map(|refusal| wire::Refusal {
            code: refusal.code.to_owned(),
            detail: refusal.detail,
            help: refusal.help,
            findings: refusal.findings.into_iter().map(finding).collect(),
        }),
        unchanged,
        runs,
        month: name,
    })
}

fn to_wire(zone: &Zone, run: &Run, versions: &[Version]) -> wire::Run {
    let done = |done: &Option<(rating_core::time::Instant, String)>| {
        done.as_ref().map(|(at, by)| wire::Done { at: zone.format(*at), by: by.clone() })
    };
    wire::Run {
        run: run.run.clone(),
        state: run.state.clone(),
        checked_at: Some(zone.format(run.checked_at)),
        approved: done(&run.approved),
        published: done(&run.published),
        totals: versions.iter().find(|version| version.run == run.run).map(totals),
        findings: serde_json::from_str(&run.findings).unwrap_or_default(),
        beside: Vec::new(),
    }
}

fn totals(version: &Version) -> wire::Totals {
    let totals = version.totals();
    wire::Totals {
        records: totals.records,
        rejected: totals.rejected,
        calls: totals.calls,
        rated: totals.rated,
        not_chargeable: totals.not_chargeable,
        suspended: totals.suspended,
        retail: totals.retail,
        wholesale: totals.wholesale,
        above_limit: totals.above_limit,
    }
}

fn running(what: &str, progress: &Progress) -> wire::Running {
    wire::Running {
        what: what.to_owned(),
        phase: progress.phase.name().to_owned(),
        bytes: progress.bytes,
        bytes_done: progress.bytes_done,
        records: progress.records,
    }
}

/// Does a run aside: whoever asked gets its answer now, and looks at the month for what it came to.
fn aside<F>(
    app: &App,
    month: Month,
    what: &'static str,
    work: impl FnOnce(App, Snapshot, Teller) -> F + Send + 'static,
) -> Result<StatusCode>
where
    F: Future<Output = std::result::Result<(), Refusal>> + Send,
{
    let name = month.to_string();
    let teller = app.jobs.begin(&name, what)?;
    let ending = Ending { app: app.clone(), month: name, refusal: None };
    tokio::spawn(async move {
        let mut ending = ending;
        let app = ending.app.clone();
        let done = match snapshot(&app).await {
            Ok(snapshot) => work(app, snapshot, teller).await,
            Err(problem) => Err(Refusal::from(problem)),
        };
        ending.with(done.err());
    });
    Ok(StatusCode::ACCEPTED)
}

/// Ends the run of a month however it ends.
struct Ending {
    app: App,
    month: String,
    refusal: Option<Refusal>,
}

impl Ending {
    fn with(&mut self, refusal: Option<Refusal>) {
        self.refusal = refusal;
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        let refusal = self.refusal.take().or_else(|| {
            std::thread::panicking()
                .then(|| Refusal::new("publish.internal", "the run broke off: an error of ours; the log has it"))
        });
        if let Some(refusal) = &refusal {
            tracing::warn!(month = %self.month, code = refusal.code, "a run was refused");
        }
        self.app.jobs.end(&self.month, refusal);
    }
}

fn findings(outcome: &Outcome) -> String {
    let findings: Vec<wire::Finding> = outcome.findings.iter().cloned().map(finding).collect();
    serde_json::to_string(&findings).unwrap_or_default()
}

/// Rates a month and makes all its reports, as a draft to be looked at. Takes a while: see the month, or its progress.
#[utoipa::path(post, path = "/api/v1/months/{month}/checks", tag = "months", params(("month" = String, Path)),
    responses((status = 202, description = "It runs"), (status = 400), (status = 409)))]
async fn check(State(app): State<App>, principal: Principal, Named(text): Named<String>) -> Result<StatusCode> {
    everywhere(&principal)?;
    let month = month(&text)?;
    let now = app.clock.now();
    let zones = zones(app.store.read().await?.on()).await?;
    if zones.iter().any(|zone| now < month.bounds(zone).1) {
        return Err(Problem::new("month.not_complete", format!("{month} is not over at every site"))
            .help("until then there are previews: POST /api/v1/months/{month}/previews"));
    }
    aside(&app, month, "check", move |app, snapshot, teller| async move {
        let outcome = app.engine.check(snapshot, month, Some(teller)).await?;
        let mut change = app.store.change(&principal.actor(), app.clock.now()).await?;
        let (run, at) = (outcome.summary.run.clone(), change.at());
        if months::get(change.on(), &run).await?.is_some_and(|known| known.state != "discarded") {
            app.jobs.came_to(&month.to_string(), &run);
        }
        months::checked(change.on(), &run, &month.to_string(), &principal.actor().to_string(), &findings(&outcome), at)
            .await?;
        change.note(Entry::new("month.checked", format!("month:{month}")).with(serde_json::json!({ "run": run })));
        change.commit().await?;
        tidy::index(&app, month, run).await;
        Ok(())
    })
}

/// Rates the month so far, marked as provisional. Takes a while: see the month, or its progress.
#[utoipa::path(post, path = "/api/v1/months/{month}/previews", tag = "months", params(("month" = String, Path)),
    responses((status = 202, description = "It runs"), (status = 400), (status = 409)))]
async fn preview(State(app): State<App>, principal: Principal, Named(text): Named<String>) -> Result<StatusCode> {
    everywhere(&principal)?;
    let month = month(&text)?;
    let now = app.clock.now();
    let (zones, today) = {
        let mut reader = app.store.read().await?;
        (zones(reader.on()).await?, zone(reader.on()).await?.to_local(now).date())
    };
    if zones.iter().all(|zone| now < month.bounds(zone).0) {
        return Err(Problem::new("month.not_begun", format!("{month} has not begun at any site")));
    }
    aside(&app, month, "preview", move |app, snapshot, teller| async move {
        let outcome = app.engine.preview(snapshot, month, today, Some(teller)).await?;
        let mut change = app.store.change(&principal.actor(), app.clock.now()).await?;
        let details = serde_json::json!({ "run": outcome.summary.run });
        change.note(Entry::new("month.previewed", format!("month:{month}")).with(details));
        change.commit().await?;
        tidy::index(&app, month, outcome.summary.run).await;
        tidy::soon(&app);
        Ok(())
    })
}

/// Tells how far the run of a month is, as server-sent events, until it is over.
#[utoipa::path(get, path = "/api/v1/months/{month}/progress", tag = "months", params(("month" = String, Path)),
    responses((status = 200, description = "Progress", body = wire::Running, content_type = "text/event-stream"), (status = 404)))]
async fn progress(
    State(app): State<App>,
    Named(text): Named<String>,
) -> Result<Sse<impl futures_util::Stream<Item = std::result::Result<Event, Infallible>>>> {
    let name = month(&text)?.to_string();
    let (what, mut watched) =
        app.jobs.watch(&name).ok_or_else(|| Problem::new("month.not_running", format!("nothing of {name} runs")))?;
    let (sender, mut receiver) = tokio::sync::mpsc::channel::<Event>(8);
    tokio::spawn(async move {
        loop {
            let progress = *watched.borrow_and_update();
            let event = Event::default().event("progress").json_data(running(what, &progress)).unwrap_or_default();
            if sender.send(event).await.is_err() || is_over(&progress) || watched.changed().await.is_err() {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    });
    let stream = futures_util::stream::poll_fn(move |context| receiver.poll_recv(context).map(|event| event.map(Ok)));
    Ok(Sse::new(stream).keep_alive(KeepAlive::default()))
}

async fn run_of(on: &mut sqlx::SqliteConnection, month: Month, id: &str) -> Result<Run> {
    let run = months::get(on, id).await?.filter(|run| run.month == month.to_string() && run.state != "discarded");
    run.ok_or_else(|| Problem::new("month.unknown_run", format!("there is no run `{id}` of {month}")))
}

/// Approves a run: what was looked at may be published. One that was approved before is merely checked again.
#[utoipa::path(post, path = "/api/v1/months/{month}/approvals", tag = "months", params(("month" = String, Path)),
    request_body = wire::WhichRun, responses((status = 200, description = "Approved", body = wire::Month), (status = 404), (status = 409)))]
async fn approve(
    State(app): State<App>,
    principal: Principal,
    Named(text): Named<String>,
    Body(which): Body<wire::WhichRun>,
) -> Result<axum::Json<wire::Month>> {
    let month = month(&text)?;
    let mut change = app.store.change(&principal.actor(), app.clock.now()).await?;
    let run = run_of(change.on(), month, &which.run).await?;
    if run.state != "checked" {
        return Err(Problem::new("month.not_checked", format!("the run is {}, not checked", run.state)));
    }
    let at = change.at();
    months::approve(change.on(), &run, &principal.actor().to_string(), at).await?;
    change.note(Entry::new("month.approved", format!("month:{month}")).with(serde_json::json!({ "run": run.run })));
    change.commit().await?;
    Ok(axum::Json(state(&app, month).await?))
}

/// Publishes an approved run: exactly what was checked, whole or not at all. The reports it takes the place of are kept, as
/// superseded.
#[utoipa::path(post, path = "/api/v1/months/{month}/publications", tag = "months", params(("month" = String, Path)),
    request_body = wire::Publication, responses((status = 202, description = "It runs"), (status = 404), (status = 409)))]
async fn publish(
    State(app): State<App>,
    principal: Principal,
    Named(text): Named<String>,
    Body(asked): Body<wire::Publication>,
) -> Result<StatusCode> {
    let month = month(&text)?;
    let run = run_of(app.store.read().await?.on(), month, &asked.run).await?;
    if run.state != "approved" {
        return Err(Problem::new("month.not_approved", format!("the run is {}, not approved", run.state))
            .help("approve it first: POST /api/v1/months/{month}/approvals"));
    }
    let new_files = if asked.leave_new_files_out { NewFiles::LeaveOut } else { NewFiles::Refuse };
    aside(&app, month, "publication", move |app, snapshot, teller| async move {
        app.engine.publish(snapshot, month, run.run.clone(), new_files, Some(teller)).await?;
        let mut change = app.store.change(&principal.actor(), app.clock.now()).await?;
        let at = change.at();
        months::published(change.on(), &run, &principal.actor().to_string(), at).await?;
        change
            .note(Entry::new("month.published", format!("month:{month}")).with(serde_json::json!({ "run": run.run })));
        change.commit().await?;
        tidy::index(&app, month, run.run).await;
        tidy::soon(&app);
        Ok(())
    })
}

/// Throws a draft away that was not published.
#[utoipa::path(delete, path = "/api/v1/months/{month}/runs/{run}", tag = "months", params(("month" = String, Path), ("run" = String, Path)),
    responses((status = 204, description = "Thrown away"), (status = 404), (status = 409)))]
async fn discard(
    State(app): State<App>,
    principal: Principal,
    Named((text, id)): Named<(String, String)>,
) -> Result<StatusCode> {
    let month = month(&text)?;
    // Nobody publishes it meanwhile.
    let name = month.to_string();
    app.jobs.begin(&name, "removal")?;
    let _ending = Ending { app: app.clone(), month: name, refusal: None };
    throw_away(&app, &principal, month, &id).await?;
    tidy::soon(&app);
    Ok(StatusCode::NO_CONTENT)
}

async fn throw_away(app: &App, principal: &Principal, month: Month, id: &str) -> Result<()> {
    let run = run_of(app.store.read().await?.on(), month, id).await?;
    if matches!(run.state.as_str(), "published" | "superseded") {
        return Err(Problem::new("month.is_published", "what was published is kept"));
    }
    app.engine.discard(month, id.to_owned()).await.map_err(problem)?;
    let mut change = app.store.change(&principal.actor(), app.clock.now()).await?;
    months::discard(change.on(), id).await?;
    change.note(Entry::new("month.run_discarded", format!("month:{month}")).with(serde_json::json!({ "run": id })));
    change.commit().await
}

async fn said(app: &App, principal: &Principal, note: String) -> Result<Said> {
    let zone = zone(app.store.read().await?.on()).await?;
    Ok(Said {
        by: Some(principal.actor().to_string()),
        note: Some(note).filter(|note| !note.trim().is_empty()),
        on: Some(zone.to_local(app.clock.now()).date()),
    })
}

/// Closes a month: what is in force becomes its books, and no run changes it any more.
#[utoipa::path(post, path = "/api/v1/months/{month}/close", tag = "months", params(("month" = String, Path)),
    request_body = wire::Reason, responses((status = 200, description = "Closed", body = wire::Month), (status = 409)))]
async fn close(
    State(app): State<App>,
    principal: Principal,
    Named(text): Named<String>,
    Body(reason): Body<wire::Reason>,
) -> Result<axum::Json<wire::Month>> {
    let month = month(&text)?;
    let said = said(&app, &principal, reason.note).await?;
    app.engine.close(month, said).await.map_err(problem)?;
    noted(&app, &principal, month, "month.closed").await
}

/// Opens the last closed month again, with a reason.
#[utoipa::path(post, path = "/api/v1/months/{month}/reopen", tag = "months", params(("month" = String, Path)),
    request_body = wire::Reason, responses((status = 200, description = "Open again", body = wire::Month), (status = 409)))]
async fn reopen(
    State(app): State<App>,
    principal: Principal,
    Named(text): Named<String>,
    Body(reason): Body<wire::Reason>,
) -> Result<axum::Json<wire::Month>> {
    let month = month(&text)?;
    let said = said(&app, &principal, reason.note).await?;
    app.engine.reopen(month, said).await.map_err(problem)?;
    noted(&app, &principal, month, "month.reopened").await
}

/// Says in the audit log what was done with a month's books; the month as it is then.
async fn noted(
    app: &App,
    principal: &Principal,
    month: Month,
    action: &'static str,
) -> Result<axum::Json<wire::Month>> {
    let mut change = app.store.change(&principal.actor(), app.clock.now()).await?;
    change.note(Entry::new(action, format!("month:{month}")));
    change.commit().await?;
    Ok(axum::Json(state(app, month).await?))
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self::new(problem.code(), problem.detail())
    }
}
