//! `Idempotency-Key` on requests that create: one sent again is answered as the first was, and done once.

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use rating_core::time::Duration;
use sha2::{Digest, Sha256};

use crate::app::App;
use crate::auth::Principal;
use crate::error::{Problem, Result};
use crate::store::Actor;
use crate::store::idempotency::{self, Answer};

const KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Longest key.
const LONGEST: usize = 200;
/// Answers longer than this are not kept.
const KEPT: usize = 1 << 20;
/// How long an answer is kept.
const DAY: Duration = Duration::from_seconds(24 * 3600);

/// Answers a request by its key, if it has one and was done before; otherwise has it done, and keeps the answer.
pub async fn once(State(app): State<App>, request: Request, next: Next) -> Response {
    if request.method() != Method::POST || !request.headers().contains_key(KEY) {
        return next.run(request).await;
    }
    let is_json = request.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == "application/json");
    match request.extensions().get::<Principal>().cloned() {
        Some(principal) if is_json => {
            do_once(&app, &principal, request, next).await.unwrap_or_else(IntoResponse::into_response)
        }
        _ => next.run(request).await,
    }
}

async fn do_once(app: &App, principal: &Principal, request: Request, next: Next) -> Result<Response> {
    let key = request.headers().get(KEY).and_then(|key| key.to_str().ok()).unwrap_or_default().to_owned();
    if key.is_empty() || key.len() > LONGEST {
        let what = format!("the key must have 1 to {LONGEST} visible characters");
        return Err(Problem::new("idempotency.key_malformed", what).help("a UUID does well"));
    }
    let actor = principal.actor().to_string();
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, app.config.limits.body)
        .await
        .map_err(|_| Problem::new("request.body_too_large", "the body is larger than this service takes"))?;
    let mut hash = Sha256::new();
    hash.update(parts.method.as_str());
    hash.update([0]);
    hash.update(parts.uri.to_string());
    hash.update([0]);
    hash.update(&body);
    let fingerprint = hash.finalize().to_vec();

    let now = app.clock.now();
    let mut change = app.store.change(&Actor::Service, now).await?;
    let forget = rating_core::time::Instant::from_millis(now.as_millis().saturating_sub(DAY.as_millis()));
    if !idempotency::take(change.on(), &actor, &key, &fingerprint, now, forget).await? {
        let kept = idempotency::get(change.on(), &actor, &key).await?;
        return answer_again(kept, &fingerprint);
    }
    change.commit_unnoted().await?;

    let response = next.run(Request::from_parts(parts, Body::from(body))).await;
    let (mut parts, body) = response.into_parts();
    let bytes = to_bytes(body, usize::MAX).await.map_err(Problem::internal)?;
    // What failed on our side, or was refused for a while, may be tried again under the same key.
    let is_final = !parts.status.is_server_error() && parts.status != StatusCode::TOO_MANY_REQUESTS;
    let answer = (is_final && bytes.len() <= KEPT).then(|| match parts.extensions.get::<Secret>() {
        // It was done, once; that its secret is not shown again is the answer.
        Some(Secret) => Answer { status: 0, headers: String::new(), body: Vec::new() },
        None => Answer { status: parts.status.as_u16(), headers: kept_headers(&parts.headers), body: bytes.to_vec() },
    });
    let mut change = app.store.change(&Actor::Service, app.clock.now()).await?;
    idempotency::settle(change.on(), &actor, &key, answer.as_ref()).await?;
    change.commit_unnoted().await?;
    parts.headers.remove(header::CONTENT_LENGTH);
    Ok(Response::from_parts(parts, Body::from(bytes)))
}

/// Marks an answer that holds a secret, which is kept nowhere.
#[derive(Debug, Clone, Copy)]
pub struct Secret;

const REPEATED: [HeaderName; 3] = [header::CONTENT_TYPE, header::LOCATION, header::ETAG];

fn kept_headers(headers: &axum::http::HeaderMap) -> String {
    let pairs: Vec<(&str, &str)> =
        REPEATED.iter().filter_map(|name| Some((name.as_str(), headers.get(name)?.to_str().ok()?))).collect();
    serde_json::to_string(&pairs).unwrap_or_default()
}

fn answer_again(kept: Option<idempotency::Kept>, fingerprint: &[u8]) -> Result<Response> {
    let Some(kept) = kept else { return Err(Problem::internal("an idempotency key is neither free nor taken")) };
    if kept.request != fingerprint {
        return Err(Problem::new("idempotency.key_reused", "another request was sent with this key before")
            .help("take a new key for a new request"));
    }
    let Some(answer) = kept.answer else {
        return Err(Problem::new("idempotency.in_progress", "the first request with this key is being done")
            .help("ask again in a moment")
            .retry_after(1));
    };
    if answer.status == 0 {
        return Err(Problem::new("idempotency.secret_not_repeated", "this was done, and its answer held a secret")
            .help("a secret is shown once: revoke what was made, and make another under a new key"));
    }
    let status = StatusCode::from_u16(answer.status).map_err(Problem::internal)?;
    let mut response = (status, answer.body).into_response();
    let pairs: Vec<(String, String)> = serde_json::from_str(&answer.headers).unwrap_or_default();
    for (name, value) in pairs {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().insert(name, value);
        }
    }
    response.headers_mut().insert("idempotent-replayed", HeaderValue::from_static("true"));
    Ok(response)
}
