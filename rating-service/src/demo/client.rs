//! Talks to the service without a network: requests go to its router as they would come from outside.

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, header};
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;

use crate::app::App;
use crate::auth::COOKIE;
use crate::error::{Problem, Result};
use crate::http::router;

/// Somebody who talks to the service.
pub(super) struct Client {
    router: Router,
    origin: String,
    identity: Identity,
}

/// Who it is.
enum Identity {
    Nobody,
    Session(String),
    Token(String),
}

/// What was answered.
pub(super) struct Answer {
    pub(super) headers: HeaderMap,
    pub(super) body: Value,
}

impl Answer {
    /// A text of the answer.
    pub(super) fn text(&self, key: &str) -> String {
        self.body.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
    }

    fn header(&self, name: header::HeaderName) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

impl Client {
    /// Somebody who is not signed in.
    pub(super) fn new(app: &App) -> Result<Self> {
        Ok(Self { router: router(app)?, origin: app.config.url(), identity: Identity::Nobody })
    }

    /// The same with a token.
    pub(super) fn with_token(&self, secret: String) -> Self {
        Self { router: self.router.clone(), origin: self.origin.clone(), identity: Identity::Token(secret) }
    }

    /// The same with the session that an answer began.
    pub(super) fn with_session_of(&self, answer: &Answer) -> Self {
        let cookie = answer.header(header::SET_COOKIE).split(';').next().unwrap_or_default();
        let secret = cookie.split_once('=').map(|(_, secret)| secret.to_owned()).unwrap_or_default();
        Self { router: self.router.clone(), origin: self.origin.clone(), identity: Identity::Session(secret) }
    }

    pub(super) async fn get(&self, path: &str) -> Result<Answer> {
        self.ask(Method::GET, path, None, None).await
    }

    pub(super) async fn post(&self, path: &str, body: Value) -> Result<Answer> {
        self.ask(Method::POST, path, Some(("application/json", body.to_string())), None).await
    }

    pub(super) async fn put(&self, path: &str, body: Value) -> Result<Answer> {
        self.ask(Method::PUT, path, Some(("application/json", body.to_string())), None).await
    }

    /// Puts something in the place of what is there just now.
    pub(super) async fn replace(&self, path: &str, body: Value) -> Result<Answer> {
        let tag = self.get(path).await?.header(header::ETAG).to_owned();
        self.ask(Method::PUT, path, Some(("application/json", body.to_string())), Some(&tag)).await
    }

    pub(super) async fn delete(&self, path: &str) -> Result<Answer> {
        self.ask(Method::DELETE, path, None, None).await
    }

    /// Sends a file.
    pub(super) async fn send(&self, path: &str, content: String) -> Result<Answer> {
        self.ask(Method::PUT, path, Some(("application/octet-stream", content)), None).await
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<(&str, String)>,
        expected: Option<&str>,
    ) -> Result<Answer> {
        let what = format!("{method} {path}");
        let mut request = Request::builder().method(method).uri(path);
        match &self.identity {
            Identity::Nobody => {}
            Identity::Session(secret) => {
                request = request
                    .header(header::COOKIE, format!("{COOKIE}={secret}"))
                    .header(header::ORIGIN, self.origin.as_str());
            }
            Identity::Token(secret) => request = request.header(header::AUTHORIZATION, format!("Bearer {secret}")),
        }
        if let Some(tag) = expected {
            request = request.header(header::IF_MATCH, tag);
        }
        let body = match body {
            Some((media, content)) => {
                request = request.header(header::CONTENT_TYPE, media);
                Body::from(content)
            }
            None => Body::empty(),
        };
        let request = request.body(body).map_err(Problem::internal)?;
        let response = self.router.clone().oneshot(request).await.map_err(Problem::internal)?;
        let (parts, body) = response.into_parts();
        let body = body.collect().await.map_err(Problem::internal)?.to_bytes();
        if !parts.status.is_success() {
            let said = String::from_utf8_lossy(&body).into_owned();
            return Err(Problem::new("demo.not_entered", format!("{what}: {}: {said}", parts.status)));
        }
        let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
        Ok(Answer { headers: parts.headers, body })
    }
}
