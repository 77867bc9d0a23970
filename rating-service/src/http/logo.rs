//! The operator's logo: a picture that stands on every page, also before anybody has signed in.

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rating_core::run::publish::hex;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::extract::Asked;
use crate::app::App;
use crate::auth::Principal;
use crate::error::{Problem, Result};
use crate::store::audit::Entry;
use crate::store::operator::{self, Logo};

/// The routes of this file.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(show, settle, remove))
}

/// Most bytes of a logo.
const MOST: usize = 200_000;

/// Where the logo is: another address for each picture, so that it may be kept.
pub(crate) async fn address(on: &mut sqlx::SqliteConnection) -> Result<Option<String>> {
    let hash = operator::logo_sha256(on).await?;
    Ok(hash.map(|hash| format!("/api/v1/operator/logo?version={}", hash.get(..16).unwrap_or(&hash))))
}

/// Which logo.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct Which {
    /// The version that pages name, so that browsers may keep it; the answer is the logo there is.
    version: Option<String>,
}

/// Shows the operator's logo.
#[utoipa::path(get, path = "/api/v1/operator/logo", tag = "operator", params(Which), security(()), responses(
    (status = 200, description = "The picture", content((Vec<u8> = "image/png"), (Vec<u8> = "image/jpeg"), (Vec<u8> = "image/webp"))),
    (status = 404, description = "There is none")
))]
async fn show(State(app): State<App>, Asked(which): Asked<Which>) -> Result<Response> {
    let logo = operator::logo(app.store.read().await?.on()).await?;
    let Logo { media, bytes, sha256 } = logo.ok_or_else(unknown)?;
    let is_named = which.version.is_some_and(|version| version.len() >= 16 && sha256.starts_with(&version));
    let kept = if is_named { "public, max-age=31536000, immutable" } else { "no-cache" };
    let mut response = bytes.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_str(&media).map_err(Problem::internal)?);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(kept));
    Ok(response)
}

fn unknown() -> Problem {
    Problem::new("operator.logo_unknown", "the operator has no logo").help("upload one in the settings")
}

/// What a picture is, by its first bytes (PNG: ISO/IEC 15948, 5.2; JPEG: ISO/IEC 10918-1, B.2; WebP: RFC 9649, 2.4).
fn media_of(bytes: &[u8]) -> Option<&'static str> {
    if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        Some("image/png")
    } else if bytes.starts_with(&[0xff, 0xd8, 0xff]) {
        Some("image/jpeg")
    } else if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
        Some("image/webp")
    } else {
        None
    }
}

fn too_large() -> Problem {
    Problem::new("request.body_too_large", "a logo has 200 kB at most")
        .help("make it smaller: it is shown 28 pixels high")
}

/// Puts a logo in the place of the one there is: PNG, JPEG or WebP, up to 200 kB.
#[utoipa::path(put, path = "/api/v1/operator/logo", tag = "operator",
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 204, description = "Kept"), (status = 413, description = "It is too large"), (status = 422, description = "It is no such picture")))]
async fn settle(
    State(app): State<App>,
    principal: Principal,
    bytes: std::result::Result<Bytes, BytesRejection>,
) -> Result<StatusCode> {
    let bytes = bytes.map_err(|_| too_large())?;
    if bytes.len() > MOST {
        return Err(too_large());
    }
    let media = media_of(&bytes).ok_or_else(|| {
        Problem::new("operator.logo_malformed", "the file is no picture that browsers show")
            .help("a PNG, JPEG or WebP file; an SVG must be converted first")
    })?;
    let logo = Logo { media: media.to_owned(), sha256: hex(&Sha256::digest(&bytes)), bytes: bytes.to_vec() };
    let mut change = app.store.change(&principal.actor(), app.clock.now()).await?;
    let operator = super::operator::get(change.on()).await?;
    operator::set_logo(change.on(), Some(&logo)).await?;
    let details = serde_json::json!({ "media": logo.media, "sha256": logo.sha256, "bytes": logo.bytes.len() });
    change.note(Entry::new("operator.logo_changed", format!("operator:{}", operator.id)).with(details));
    change.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes the logo away.
#[utoipa::path(delete, path = "/api/v1/operator/logo", tag = "operator", responses(
    (status = 204, description = "There is none any more"), (status = 404, description = "There was none")
))]
async fn remove(State(app): State<App>, principal: Principal) -> Result<StatusCode> {
    let mut change = app.store.change(&principal.actor(), app.clock.now()).await?;
    let operator = super::operator::get(change.on()).await?;
    if !operator::set_logo(change.on(), None).await? {
        return Err(unknown());
    }
    change.note(Entry::new("operator.logo_removed", format!("operator:{}", operator.id)));
    change.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    use super::media_of;

    #[test]
    fn pictures_are_known_by_their_first_bytes() {
        for (bytes, media) in [
            (&b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"[..], Some("image/png")),
            (b"\xff\xd8\xff\xe0\0\x10JFIF", Some("image/jpeg")),
            (b"RIFF\x24\0\0\0WEBPVP8 ", Some("image/webp")),
            (b"RIFF\x24\0\0\0WAVEfmt ", None),
            (b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>", None),
            (b"GIF89a", None),
            (b"", None),
        ] {
            assert_eq!(media_of(bytes), media, "{bytes:?}");
        }
    }
}
