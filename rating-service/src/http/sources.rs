//! Switches and their files.

use std::path::PathBuf;

use axum::body::Body as RawBody;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use http_body_util::BodyExt;
use rating_core::time::Zone;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::conditions::{Expected, Tagged};
use super::extract::{Body, Named};
use super::known::check_format;
use super::months::problem;
use super::sites::get as site_of;
use crate::app::App;
use crate::auth::Principal;
use crate::error::{Faults, Problem, Result};
use crate::publish::inbox::{Inbox, Incoming};
use crate::publish::project::CDR;
use crate::store::reach::Kind;
use crate::store::{audit::Entry, sites, sources};
use crate::wire::months as wire;
use crate::wire::{Page, zone};

/// The routes of this file.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(show, settle))
        .routes(routes!(files))
        .routes(routes!(upload))
}

async fn to_wire(on: &mut sqlx::SqliteConnection, source: sources::Source) -> Result<Tagged<wire::Source>> {
    let site = sites::get(on, &source.site).await?;
    let zone = site.and_then(|site| Zone::load(&site.zone)).unwrap_or_else(Zone::utc);
    let settings = wire::SourceSettings { format: source.format, zone: source.zone, further: source.settings };
    let created_at = zone.format(source.created_at);
    Ok(Tagged(source.revision, wire::Source { id: source.id, site: source.site, settings, created_at }))
}

fn check(settings: &wire::SourceSettings, faults: &mut Faults) {
    faults.text("/settings/format", &settings.format, 40);
    check_format(&settings.format, faults);
    zone(faults, "/settings/zone", &settings.zone);
    if let Err(error) = toml::from_str::<toml::Table>(&settings.further) {
        faults.push("/settings/further", "field.toml_malformed", error.message(), "keys of `[[source]]`, as TOML");
    }
}

/// The source of that id.
pub(super) async fn get(on: &mut sqlx::SqliteConnection, id: &str) -> Result<sources::Source> {
    sources::get(on, id).await?.ok_or_else(|| Kind::Source.unknown(id))
}

/// Lists the switches at the sites that the caller may see.
#[utoipa::path(get, path = "/api/v1/sources", tag = "sources",
    responses((status = 200, description = "Switches", body = Page<wire::Source>)))]
async fn list(State(app): State<App>, principal: Principal) -> Result<axum::Json<Page<wire::Source>>> {
    let mut reader = app.store.read().await?;
    let mut items = Vec::new();
    for source in sources::list(reader.on()).await? {
        if principal.sites().has(&source.site) {
            items.push(to_wire(reader.on(), source).await?.1);
        }
    }
    Ok(axum::Json(Page { items, next: None }))
}

/// Adds a switch.
#[utoipa::path(post, path = "/api/v1/sources", tag = "sources", request_body = wire::NewSource,
    responses((status = 201, description = "Added", body = wire::Source), (status = 409), (status = 422)))]
async fn create(
    State(app): State<App>,
    principal: Principal,
    Body(new): Body<wire::NewSource>,
) -> Result<(StatusCode, HeaderMap, Tagged<wire::Source>)> {
    let mut faults = Faults::default();
    faults.id("/id", &new.id);
    check(&new.settings, &mut faults);
    faults.finish()?;
    principal.at(&new.site)?;
    let mut change = app.store.change(&principal.actor(), app.clock.now()).await?;
    site_of(change.on(), &new.site).await?;
    let source = sources::Source {
        id: new.id,
        site: new.site,
        format: new.settings.format,
        zone: new.settings.zone,
        settings: new.settings.further,
        created_at: change.at(),
        revision: 1,
    };
    sources::insert(change.on(), &source).await?;
    change.note(Entry::new("source.created", format!("source:{}", source.id)).at(&source.site));
    let location = HeaderValue::from_str(&format!("/api/v1/sources/{}", source.id)).map_err(Problem::internal)?;
    let shown = to_wire(change.on(), source).await?;
    change.commit().await?;
    Ok((StatusCode::CREATED, HeaderMap::from_iter([(header::LOCATION, location)]), shown))
}

/// Shows a switch.
#[utoipa::path(get, path = "/api/v1/sources/{source}", tag = "sources", params(("source" = String, Path)),
    responses((status = 200, description = "The switch", body = wire::Source), (status = 404)))]
async fn show(State(app): State<App>, Named(id): Named<String>) -> Result<Tagged<wire::Source>> {
    let mut reader = app.store.read().await?;
    let source = get(reader.on(), &id).await?;
    to_wire(reader.on(), source).await
}

/// Changes a switch's settings. Its id and site stay.
#[utoipa::path(put, path = "/api/v1/sources/{source}", tag = "sources", request_body = wire::SourceSettings,
    params(("source" = String, Path), ("If-Match" = String, Header, description = "The `ETag` of the state that is changed")),
    responses((status = 200, description = "Changed", body = wire::Source), (status = 404), (status = 412), (status = 422), (status = 428)))]
async fn settle(
    State(app): State<App>,
    principal: Principal,
    Named(id): Named<String>,
    expected: Expected,
    Body(settings): Body<wire::SourceSettings>,
) -> Result<Tagged<wire::Source>> {
    let mut faults = Faults::default();
    check(&settings, &mut faults);
    faults.finish()?;
    let mut change = app.store.change(&principal.actor(), app.clock.now()).await?;
    let mut source = get(change.on(), &id).await?;
    expected.meets(source.revision)?;
    source.format = settings.format;
    source.zone = settings.zone;
    source.settings = settings.further;
    sources::update(change.on(), &source).await?;
    let changed = get(change.on(), &id).await?;
    let shown = to_wire(change.on(), changed).await?;
    change.note(Entry::new("source.changed", format!("source:{id}")).at(&source.site));
    change.commit().await?;
    Ok(shown)
}

/// Where the files of a source are: those uploaded, and those that somebody puts there.
fn folder(app: &App, source: &str) -> PathBuf {
    app.config.data.join(CDR).join(source)
}

/// Lists the files of a switch: uploaded ones, and ones put into its folder.
#[utoipa::path(get, path = "/api/v1/sources/{source}/files", tag = "sources", params(("source" = String, Path)),
    responses((status = 200, description = "Files", body = Page<wire::CdrFile>), (status = 404)))]
async fn files(State(app): State<App>, Named(id): Named<String>) -> Result<axum::Json<Page<wire::CdrFile>>> {
    let source = get(app.store.read().await?.on(), &id).await?;
    let folder = folder(&app, &source.id);
    let items = tokio::task::spawn_blocking(move || {
        let mut found = Vec::new();
        let Ok(entries) = std::fs::read_dir(&folder) else { return found };
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if let (false, Ok(metadata)) = (name.starts_with('.'), entry.metadata())
                && metadata.is_file()
            {
                found.push(wire::CdrFile { name, bytes: metadata.len(), sha256: None });
            }
        }
        found.sort_by(|a, b| a.name.cmp(&b.name));
        found
    })
    .await
    .map_err(Problem::internal)?;
    Ok(axum::Json(Page { items, next: None }))
}

/// Uploads a file of a switch as it came, packed (`.gz`, `.zst`) or not.
///
/// A name is used once: the same content again is the same file, other content under it is refused, since months may have
/// been made from it. The limit counts the bytes that are in it once unpacked.
#[utoipa::path(put, path = "/api/v1/sources/{source}/files/{name}", tag = "sources",
    params(("source" = String, Path), ("name" = String, Path)),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 201, description = "Kept", body = wire::CdrFile), (status = 200, description = "It was there already", body = wire::CdrFile),
        (status = 404), (status = 409), (status = 413), (status = 422)))]
async fn upload(
    State(app): State<App>,
    principal: Principal,
    Named((id, name)): Named<(String, String)>,
    body: RawBody,
) -> Result<(StatusCode, axum::Json<wire::CdrFile>)> {
    let source = get(app.store.read().await?.on(), &id).await?;
    let incoming = receive(&app, body).await?;
    let (folder, file) = (source.id.clone(), name.clone());
    let kept = blocking(move || incoming.keep_for(&folder, &file)).await?;
    let shown = wire::CdrFile { name, bytes: kept.bytes, sha256: Some(kept.sha256.clone()) };
    if kept.already {
        return Ok((StatusCode::OK, axum::Json(shown)));
    }
    let mut change = app.store.change(&principal.actor(), app.clock.now()).await?;
    let details = serde_json::json!({ "path": kept.path, "bytes": kept.bytes, "sha256": kept.sha256 });
    change.note(Entry::new("source.file_uploaded", format!("source:{id}")).at(&source.site).with(details));
    change.commit().await?;
    Ok((StatusCode::CREATED, axum::Json(shown)))
}

/// Does something of the disk where it may block.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> crate::publish::Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(Problem::internal)?.map_err(problem)
}

/// Receives a body into a file aside, which goes unless it is kept.
pub(super) async fn receive(app: &App, mut body: RawBody) -> Result<Incoming> {
    let inbox = Inbox::new(&app.config.data, app.config.limits.files());
    let mut incoming = blocking(move || inbox.begin()).await?;
    while let Some(frame) = body.frame().await {
        let broken = |error| Problem::new("request.body_malformed", format!("the body broke off: {error}"));
        let Ok(data) = frame.map_err(broken)?.into_data() else { continue };
        incoming = blocking(move || incoming.write(&data).map(|()| incoming)).await?;
    }
    Ok(incoming)
}
