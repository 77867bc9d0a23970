//! Switches and their files.

use std::io::Write;
use std::path::{Path, PathBuf};

use axum::body::Body as RawBody;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use http_body_util::BodyExt;
use rating_core::run::inputs::{Buffer, Piece, Stream};
use rating_core::run::publish::hex;
use rating_core::run::storage::{Disk, Storage};
use rating_core::time::Zone;
use sha2::{Digest, Sha256};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::conditions::{Expected, Tagged};
use super::extract::{Body, Named};
use super::sites::get as site_of;
use crate::app::App;
use crate::auth::Principal;
use crate::error::{Faults, Problem, Result};
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
    let mut faults = Faults::default();
    if name.starts_with('.')
        || name.len() > 200
        || name.contains(['/', '\\', '\0'])
        || name.chars().any(char::is_control)
    {
        faults.push("name", "field.file_name", format!("`{name}` cannot name a file"), "without folders, not hidden");
    }
    faults.finish()?;
    let received = receive(&app, body).await?;
    let unpacked = received.clone();
    let limit = app.config.limits.upload;
    let packed_name = name.clone();
    tokio::task::spawn_blocking(move || within(&unpacked.path, &packed_name, limit))
        .await
        .map_err(Problem::internal)??;

    let folder = folder(&app, &source.id);
    tokio::fs::create_dir_all(&folder).await.map_err(disk)?;
    let target = folder.join(&name);
    let shown = wire::CdrFile { name: name.clone(), bytes: received.bytes, sha256: Some(received.sha256.clone()) };
    if target.exists() {
        let there =
            tokio::task::spawn_blocking(move || sha256(&target)).await.map_err(Problem::internal)?.map_err(disk)?;
        if there == received.sha256 {
            return Ok((StatusCode::OK, axum::Json(shown)));
        }
        return Err(Problem::new("source.file_exists", format!("`{name}` is there already, with other content"))
            .help("send it under another name; what was rated once stays as it was"));
    }
    let mut change = app.store.change(&principal.actor(), app.clock.now()).await?;
    let details = serde_json::json!({ "name": name, "bytes": received.bytes, "sha256": received.sha256 });
    change.note(Entry::new("source.file_uploaded", format!("source:{id}")).at(&source.site).with(details));
    // The file first: an entry without its file would say what is not so.
    received.keep_as(&target)?;
    change.commit().await?;
    Ok((StatusCode::CREATED, axum::Json(shown)))
}

fn disk(error: std::io::Error) -> Problem {
    if error.kind() == std::io::ErrorKind::StorageFull {
        return Problem::new("store.full", "the disk is full; nothing was changed").help("free some space");
    }
    Problem::internal(error)
}

/// SHA-256 of a file.
fn sha256(path: &Path) -> std::io::Result<String> {
    let mut hash = Sha256::new();
    std::io::copy(&mut std::fs::File::open(path)?, &mut hash)?;
    Ok(hex(&hash.finalize()))
}

/// A body that was received into a file aside, which goes when nobody keeps it.
#[derive(Clone)]
pub(super) struct Received {
    /// Where it is for now.
    pub(super) path: PathBuf,
    aside: std::sync::Arc<tempfile::TempPath>,
    /// How long it is.
    pub(super) bytes: u64,
    /// SHA-256 of it.
    pub(super) sha256: String,
}

impl Received {
    /// Gives it its name, whole and on the disk.
    pub(super) fn keep_as(&self, target: &Path) -> Result<()> {
        std::fs::File::open(&*self.aside).and_then(|file| file.sync_all()).map_err(disk)?;
        std::fs::hard_link(&*self.aside, target)
            .or_else(|_| std::fs::copy(&*self.aside, target).map(|_| ()))
            .map_err(disk)?;
        let folder = target.parent().unwrap_or(target);
        std::fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(disk)
    }
}

/// Receives a body into a file aside, as long as uploads may be.
pub(super) async fn receive(app: &App, mut body: RawBody) -> Result<Received> {
    let aside = app.config.data.join("tmp");
    std::fs::create_dir_all(&aside).map_err(disk)?;
    let mut file = tempfile::Builder::new().prefix("upload-").tempfile_in(&aside).map_err(disk)?;
    let mut hash = Sha256::new();
    let mut bytes = 0_u64;
    while let Some(frame) = body.frame().await {
        let frame =
            frame.map_err(|error| Problem::new("request.body_malformed", format!("the body broke off: {error}")))?;
        let Ok(data) = frame.into_data() else { continue };
        bytes += data.len() as u64;
        if bytes > app.config.limits.upload {
            return Err(too_large(app.config.limits.upload));
        }
        hash.update(&data);
        file = tokio::task::spawn_blocking(move || file.write_all(&data).map(|()| file))
            .await
            .map_err(Problem::internal)?
            .map_err(disk)?;
    }
    let path = file.into_temp_path();
    let sha256 = hex(&hash.finalize());
    Ok(Received { path: path.to_path_buf(), aside: std::sync::Arc::new(path), bytes, sha256 })
}

fn too_large(limit: u64) -> Problem {
    Problem::new("request.body_too_large", format!("the file holds more than {limit} bytes"))
        .help("send it in parts, or put it into the folder of its source")
}

/// That a file, unpacked, is no longer than uploads may be: a small file can unpack to a large one.
fn within(path: &Path, name: &str, limit: u64) -> Result<()> {
    let storage: &dyn Storage = &Disk;
    let mut stream =
        Stream::open(storage, path).map_err(|error| Problem::new("source.file_unreadable", error.to_string()))?;
    if stream.packed_with().is_none() {
        return Ok(());
    }
    let mut spare = Buffer::default();
    let mut count = 0_u64;
    // Cut wherever a piece ends: lengths alone matter.
    while let Some(piece) = stream
        .next_piece(|bytes, _| bytes.len(), 1, b'\n', &mut spare)
        .map_err(|error| Problem::new("source.file_unreadable", error.to_string()))?
    {
        let (Piece::Records(chunk) | Piece::TooLong(chunk)) = piece;
        count += chunk.bytes.len() as u64;
        spare = chunk.bytes;
        if count > limit {
            return Err(too_large(limit));
        }
    }
    match stream.damage() {
        None => Ok(()),
        Some(damage) => {
            Err(Problem::new("source.file_unreadable", format!("`{name}` is damaged: {damage}")).help("send it again"))
        }
    }
}
