//! Files of the project (tariffs, decks, calendars, templates), and who is on which tariff.

use std::collections::BTreeSet;

use axum::body::Body as RawBody;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rating_core::time::Zone;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::conditions::{Expected, Tagged};
use super::extract::{Body, Named};
use super::months::{problem, snapshot};
use super::sources::{blocking, receive};
use super::users::zone;
use crate::app::App;
use crate::auth::{Principal, Sites};
use crate::error::{Fault, Faults, Problem, Result};
use crate::store::reach::Kind;
use crate::store::snapshots::FILES;
use crate::store::{audit::Entry, secrets, sources};
use crate::wire::Page;
use crate::wire::months as wire;

/// The routes of this file.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(content, put, remove))
        .routes(routes!(assignments, assign))
        .routes(routes!(show_assignment, reassign, unassign))
}

fn to_wire(zone: &Zone, file: sources::File) -> Tagged<wire::ProjectFile> {
    let sources::File { path, sha256, bytes, changed_at, changed_by, revision } = file;
    Tagged(revision, wire::ProjectFile { path, bytes, sha256, changed_at: zone.format(changed_at), changed_by })
}

fn unknown(path: &str) -> Problem {
    Problem::new("file.unknown", format!("there is no file `{path}`"))
}

/// Lists the files of the project.
#[utoipa::path(get, path = "/api/v1/files", tag = "tariffs",
    responses((status = 200, description = "Files", body = Page<wire::ProjectFile>)))]
async fn list(State(app): State<App>) -> Result<axum::Json<Page<wire::ProjectFile>>> {
    let mut reader = app.store.read().await?;
    let zone = zone(reader.on()).await?;
    let items = sources::files(reader.on()).await?.into_iter().map(|file| to_wire(&zone, file).1).collect();
    Ok(axum::Json(Page { items, next: None }))
}

/// The content of a file of the project.
#[utoipa::path(get, path = "/api/v1/files/{folder}/{file}", tag = "tariffs",
    params(("folder" = String, Path, description = "tariffs, allowances, calendars, templates or balances"), ("file" = String, Path)),
    responses((status = 200, description = "The file", body = Vec<u8>, content_type = "application/octet-stream"), (status = 404)))]
async fn content(State(app): State<App>, Named((folder, file)): Named<(String, String)>) -> Result<Response> {
    let path = format!("{folder}/{file}");
    let found = sources::get_file(app.store.read().await?.on(), &path).await?.ok_or_else(|| unknown(&path))?;
    let bytes = tokio::fs::read(app.config.data.join(FILES).join(&found.sha256)).await.map_err(Problem::internal)?;
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment"));
    let tag = HeaderValue::from_str(&super::conditions::tag(found.revision)).map_err(Problem::internal)?;
    headers.insert(header::ETAG, tag);
    Ok((headers, bytes).into_response())
}

/// Puts a file into the project, in the place of the one that has its path. What it says is checked with the whole
/// project: `POST /api/v1/project/checks`.
#[utoipa::path(put, path = "/api/v1/files/{folder}/{file}", tag = "tariffs",
    params(("folder" = String, Path, description = "tariffs, allowances, calendars, templates or balances"), ("file" = String, Path)),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, description = "Kept", body = wire::ProjectFile), (status = 413), (status = 422)))]
async fn put(
    State(app): State<App>,
    principal: Principal,
    Named((folder, file)): Named<(String, String)>,
    body: RawBody,
) -> Result<Tagged<wire::ProjectFile>> {
    everywhere(&principal)?;
    let path = format!("{folder}/{file}");
    let incoming = receive(&app, body).await?;
    let (named, bytes) = (path.clone(), incoming.bytes());
    let kept = blocking(move || incoming.keep_as(&named)).await?;
    let mut change = app.store.change(&principal.actor(), app.clock.now()).await?;
    let new = sources::File {
        path: path.clone(),
        sha256: kept.sha256,
        bytes: i64::try_from(bytes).map_err(Problem::internal)?,
        changed_at: change.at(),
        changed_by: principal.actor().to_string(),
        revision: 1,
    };
    sources::put_file(change.on(), &new).await?;
    let details = serde_json::json!({ "sha256": new.sha256, "bytes": new.bytes });
    change.note(Entry::new("file.changed", format!("file:{path}")).with(details));
    let zone = zone(change.on()).await?;
    let shown = sources::get_file(change.on(), &path).await?.ok_or_else(|| unknown(&path))?;
    change.commit().await?;
    Ok(to_wire(&zone, shown))
}

/// Takes a file out of the project, unless something would be wrong without it. Its content is kept for the months that were made from it.
#[utoipa::path(delete, path = "/api/v1/files/{folder}/{file}", tag = "tariffs",
    params(("folder" = String, Path), ("file" = String, Path)),
    responses((status = 204, description = "Taken out"), (status = 404), (status = 409, description = "Something uses it")))]
async fn remove(
    State(app): State<App>,
    principal: Principal,
    Named((folder, file)): Named<(String, String)>,
) -> Result<StatusCode> {
    everywhere(&principal)?;
    let path = format!("{folder}/{file}");
    if sources::get_file(app.store.read().await?.on(), &path).await?.is_none() {
        return Err(unknown(&path));
    }
    let missed = app.engine.missed(snapshot(&app).await?, &path).await.map_err(problem)?;
    if !missed.is_empty() {
        let faults = missed.into_iter().map(|found| Fault {
            field: found.place,
            code: found.code,
            detail: found.what,
            help: found.how,
        });
        return Err(Problem::new("file.in_use", format!("`{path}` is in use: something would be wrong without it"))
            .help("first change what uses it: assignments, products, services, other tariffs")
            .errors(faults.collect()));
    }
    let mut change = app.store.change(&principal.actor(), app.clock.now()).await?;
    if !sources::remove_file(change.on(), &path).await? {
        return Err(unknown(&path));
    }
    change.note(Entry::new("file.removed", format!("file:{path}")));
    change.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Tariffs are of all sites: who is limited to some does not change them.
pub(super) fn everywhere(principal: &Principal) -> Result<()> {
    if *principal.sites() == Sites::All {
        return Ok(());
    }
    Err(Problem::new("auth.not_allowed", "this concerns all sites, and you are limited to some")
        .help("ask an administrator"))
}

fn assignment_to_wire(assignment: sources::Assignment) -> Tagged<wire::Assignment> {
    let sources::Assignment { id, side, payer, site, tariff, from, until, quantity, group, revision, .. } = assignment;
    let settings = wire::AssignmentSettings { side, payer, site, tariff, from, until, quantity, group };
    Tagged(revision, wire::Assignment { id, settings })
}

/// The ids of the tariffs, or of the allowances, that the files of the project define.
async fn defined(app: &App, of_allowances: bool) -> Result<BTreeSet<String>> {
    let files = sources::files(app.store.read().await?.on()).await?;
    let mut ids = BTreeSet::new();
    for file in files {
        let is_settings =
            file.path.ends_with(".toml") && ["tariffs/", "allowances/"].iter().any(|at| file.path.starts_with(at));
        if !is_settings {
            continue;
        }
        let text = tokio::fs::read_to_string(app.config.data.join(FILES).join(&file.sha256)).await;
        // What is wrong with a file is said where the project is checked.
        let Some(table) = text.ok().and_then(|text| text.parse::<toml::Table>().ok()) else { continue };
        if of_allowances {
            ids.extend(
                table.get("allowances").and_then(toml::Value::as_table).into_iter().flat_map(|all| all.keys().cloned()),
            );
        } else {
            ids.extend(table.get("id").and_then(toml::Value::as_str).map(str::to_owned));
        }
    }
    Ok(ids)
}

async fn check(app: &App, settings: &wire::AssignmentSettings) -> Result<()> {
    let mut faults = Faults::default();
    if !["retail", "wholesale", "allowance"].contains(&settings.side.as_str()) {
        let what = format!("`{}` is no side", settings.side);
        faults.push("/side", "field.side_unknown", what, "retail, wholesale, allowance");
    }
    for (field, text) in [("/payer", &settings.payer), ("/site", &settings.site)] {
        if text != "*" {
            faults.id(field, text);
        }
    }
    faults.text("/tariff", &settings.tariff, 200);
    if faults.is_empty() {
        let of_allowances = settings.side == "allowance";
        let (code, what) =
            if of_allowances { ("allowance_unknown", "allowance") } else { ("tariff_unknown", "tariff") };
        let known = defined(app, of_allowances).await?;
        if !known.contains(&settings.tariff) {
            let help = match known.len() {
                0 => format!("no file defines one yet: bring the {what} first"),
                _ => format!("there are {}", known.into_iter().collect::<Vec<_>>().join(", ")),
            };
            faults.push("/tariff", &format!("field.{code}"), format!("there is no {what} `{}`", settings.tariff), help);
        }
    }
    for (field, text) in [("/from", &settings.from), ("/until", &settings.until)] {
        if !text.is_empty() && Zone::utc().bound(text).is_none() {
            let what = format!("`{text}` is neither a day nor an instant");
            faults.push(field, "field.instant_malformed", what, "2026-07-01, or 2026-07-01T14:00:00+01:00");
        }
    }
    for (field, text) in [("/quantity", &settings.quantity), ("/group", &settings.group)] {
        faults.optional_text(field, text, 100);
    }
    faults.finish()
}

fn apply(settings: wire::AssignmentSettings, assignment: &mut sources::Assignment) {
    let wire::AssignmentSettings { side, payer, site, tariff, from, until, quantity, group } = settings;
    (assignment.side, assignment.payer, assignment.site, assignment.tariff) = (side, payer, site, tariff);
    (assignment.from, assignment.until, assignment.quantity, assignment.group) = (from, until, quantity, group);
}

/// Lists who was put on which tariff by hand. Services that name a tariff assign it themselves.
#[utoipa::path(get, path = "/api/v1/assignments", tag = "tariffs",
    responses((status = 200, description = "Assignments", body = Page<wire::Assignment>)))]
async fn assignments(State(app): State<App>) -> Result<axum::Json<Page<wire::Assignment>>> {
    let all = sources::assignments(app.store.read().await?.on()).await?;
    Ok(axum::Json(Page { items: all.into_iter().map(|one| assignment_to_wire(one).1).collect(), next: None }))
}

/// Puts somebody on a tariff.
#[utoipa::path(post, path = "/api/v1/assignments", tag = "tariffs", request_body = wire::AssignmentSettings,
    responses((status = 201, description = "Assigned", body = wire::Assignment), (status = 422)))]
async fn assign(
    State(app): State<App>,
    principal: Principal,
    Body(settings): Body<wire::AssignmentSettings>,
) -> Result<(StatusCode, Tagged<wire::Assignment>)> {
    everywhere(&principal)?;
    check(&app, &settings).await?;
    let mut change = app.store.change(&principal.actor(), app.clock.now()).await?;
    let mut assignment = sources::Assignment {
        id: secrets::fresh_id("assignment")?,
        side: String::new(),
        payer: String::new(),
        site: String::new(),
        tariff: String::new(),
        from: String::new(),
        until: String::new(),
        quantity: String::new(),
        group: String::new(),
        created_at: change.at(),
        revision: 1,
    };
    apply(settings, &mut assignment);
    sources::put_assignment(change.on(), &assignment).await?;
    change.note(noted("assignment.created", &assignment));
    change.commit().await?;
    Ok((StatusCode::CREATED, assignment_to_wire(assignment)))
}

fn noted(action: &'static str, assignment: &sources::Assignment) -> Entry {
    let details = serde_json::json!({
        "side": assignment.side, "payer": assignment.payer, "site": assignment.site, "tariff": assignment.tariff,
        "from": assignment.from, "until": assignment.until,
    });
    Entry::new(action, format!("assignment:{}", assignment.id)).with(details)
}

async fn one(on: &mut sqlx::SqliteConnection, id: &str) -> Result<sources::Assignment> {
    sources::get_assignment(on, id).await?.ok_or_else(|| Kind::Assignment.unknown(id))
}

/// Shows an assignment.
#[utoipa::path(get, path = "/api/v1/assignments/{assignment}", tag = "tariffs", params(("assignment" = String, Path)),
    responses((status = 200, description = "The assignment", body = wire::Assignment), (status = 404)))]
async fn show_assignment(State(app): State<App>, Named(id): Named<String>) -> Result<Tagged<wire::Assignment>> {
    Ok(assignment_to_wire(one(app.store.read().await?.on(), &id).await?))
}

/// Changes an assignment: as a rule its end.
#[utoipa::path(put, path = "/api/v1/assignments/{assignment}", tag = "tariffs", request_body = wire::AssignmentSettings,
    params(("assignment" = String, Path), ("If-Match" = String, Header, description = "The `ETag` of the state that is changed")),
    responses((status = 200, description = "Changed", body = wire::Assignment), (status = 404), (status = 412), (status = 422), (status = 428)))]
async fn reassign(
    State(app): State<App>,
    principal: Principal,
    Named(id): Named<String>,
    expected: Expected,
    Body(settings): Body<wire::AssignmentSettings>,
) -> Result<Tagged<wire::Assignment>> {
    everywhere(&principal)?;
    check(&app, &settings).await?;
    let mut change = app.store.change(&principal.actor(), app.clock.now()).await?;
    let mut assignment = one(change.on(), &id).await?;
    expected.meets(assignment.revision)?;
    apply(settings, &mut assignment);
    sources::put_assignment(change.on(), &assignment).await?;
    change.note(noted("assignment.changed", &assignment));
    let shown = one(change.on(), &id).await?;
    change.commit().await?;
    Ok(assignment_to_wire(shown))
}

/// Takes an assignment away, as if it had never been: to end one, change its end.
#[utoipa::path(delete, path = "/api/v1/assignments/{assignment}", tag = "tariffs", params(("assignment" = String, Path)),
    responses((status = 204, description = "Taken away"), (status = 404)))]
async fn unassign(State(app): State<App>, principal: Principal, Named(id): Named<String>) -> Result<StatusCode> {
    everywhere(&principal)?;
    let mut change = app.store.change(&principal.actor(), app.clock.now()).await?;
    let assignment = one(change.on(), &id).await?;
    sources::remove_assignment(change.on(), &id).await?;
    change.note(noted("assignment.removed", &assignment));
    change.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
