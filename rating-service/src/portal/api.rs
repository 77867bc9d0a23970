//! The interface, asked from within. Pages know nothing but what it answers to the one who looks at them, so that they can
//! neither show nor do more than the policy allows, and what is refused there is refused here in the same words.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use axum::response::Response;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tower::ServiceExt;

use crate::auth::Principal;
use crate::error::{Fault, Problem, Result};
use crate::wire::users::Session;

/// What may stand in a part of an address as it is.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A text as a part of an address: of its path, or of what follows the question mark.
#[must_use]
pub fn part(text: &str) -> String {
    utf8_percent_encode(text, PLAIN).to_string()
}

/// An address with parameters; those that are empty are left out.
#[must_use]
pub fn asking(address: &str, parameters: &[(&str, &str)]) -> String {
    let given = parameters.iter().filter(|(_, value)| !value.is_empty());
    let pairs: Vec<String> = given.map(|(name, value)| format!("{name}={}", part(value))).collect();
    if pairs.is_empty() { address.to_owned() } else { format!("{address}?{}", pairs.join("&")) }
}

/// The routes of the interface, behind the same guard as from outside.
#[derive(Clone)]
pub struct Api(Router);

/// An answer.
pub struct Answer {
    /// Its headers: the tag of a configuration, a session's cookie.
    pub headers: HeaderMap,
    /// Its JSON; null, if there is none.
    pub body: Value,
}

impl Answer {
    /// The tag of the state that was read, to be sent with a change.
    #[must_use]
    pub fn tag(&self) -> String {
        self.headers.get(header::ETAG).and_then(|tag| tag.to_str().ok()).unwrap_or_default().to_owned()
    }

    /// What it says.
    ///
    /// # Errors
    ///
    /// It is of another shape: a fault of this program.
    pub fn read<T: DeserializeOwned>(self) -> Result<T> {
        serde_json::from_value(self.body).map_err(Problem::internal)
    }
}

/// A problem as it is answered.
#[derive(Deserialize)]
struct Told {
    code: String,
    detail: String,
    help: Option<String>,
    #[serde(default)]
    errors: Vec<Fault>,
}

impl Api {
    /// These routes.
    #[must_use]
    pub const fn new(routes: Router) -> Self {
        Self(routes)
    }

    /// Reads something.
    ///
    /// # Errors
    ///
    /// The interface refuses.
    pub async fn get<T: DeserializeOwned>(&self, who: &Principal, address: &str) -> Result<T> {
        self.ask(Some(who), Method::GET, address, None, None).await?.read()
    }

    /// The session of somebody whose browser sends these cookies, if there is one.
    pub async fn session(&self, cookies: HeaderValue) -> Option<Session> {
        let request = Request::builder().uri("/api/v1/session").header(header::COOKIE, cookies);
        let response = self.pass(None, request.body(Body::empty()).ok()?).await.ok()?;
        let bytes = to_bytes(response.into_body(), usize::MAX).await.ok()?;
        serde_json::from_slice(&bytes).ok()
    }

    /// Any request with a body of JSON or none.
    ///
    /// # Errors
    ///
    /// The interface refuses.
    pub async fn ask(
        &self,
        who: Option<&Principal>,
        method: Method,
        address: &str,
        body: Option<&Value>,
        tag: Option<&str>,
    ) -> Result<Answer> {
        let mut request = Request::builder().method(method).uri(address);
        if let Some(tag) = tag {
            request = request.header(header::IF_MATCH, tag);
        }
        let body = match body {
            Some(body) => {
                request = request.header(header::CONTENT_TYPE, "application/json");
                Body::from(body.to_string())
            }
            None => Body::empty(),
        };
        self.send(who, request.body(body).map_err(Problem::internal)?).await
    }

    /// Any request that is answered with JSON or nothing.
    ///
    /// # Errors
    ///
    /// The interface refuses.
    pub async fn send(&self, who: Option<&Principal>, request: Request<Body>) -> Result<Answer> {
        let response = self.pass(who, request).await?;
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.map_err(Problem::internal)?;
        let body =
            if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).map_err(Problem::internal)? };
        Ok(Answer { headers: parts.headers, body })
    }

    /// Any request; its answer as it is, if it is no refusal.
    ///
    /// # Errors
    ///
    /// The interface refuses.
    pub async fn pass(&self, who: Option<&Principal>, mut request: Request<Body>) -> Result<Response> {
        if let Some(who) = who {
            request.extensions_mut().insert(who.clone());
        }
        let mut response = match self.0.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        };
        if response.status().is_success() || response.status() == StatusCode::NOT_MODIFIED {
            return Ok(response);
        }
        if let Some(problem) = response.extensions_mut().remove::<Problem>() {
            return Err(problem);
        }
        // One that was kept and is answered again.
        let bytes = to_bytes(response.into_body(), usize::MAX).await.map_err(Problem::internal)?;
        let told: Told = serde_json::from_slice(&bytes).map_err(Problem::internal)?;
        let problem = Problem::new(&told.code, told.detail).errors(told.errors);
        Err(match told.help {
            Some(help) => problem.help(help),
            None => problem,
        })
    }
}
