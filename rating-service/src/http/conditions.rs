//! Who changes a configuration says which state of it (RFC 9110, `If-Match`), so that nobody undoes another's change
//! without knowing.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::error::{Problem, Result};

/// The tag of a revision.
#[must_use]
pub fn tag(revision: i64) -> String {
    format!("\"r{revision}\"")
}

/// An answer that carries its revision as its tag.
#[derive(Debug)]
pub struct Tagged<T>(pub i64, pub T);

impl<T: Serialize> IntoResponse for Tagged<T> {
    fn into_response(self) -> Response {
        let mut response = axum::Json(self.1).into_response();
        if let Ok(value) = HeaderValue::from_str(&tag(self.0)) {
            response.headers_mut().insert(header::ETAG, value);
        }
        response
    }
}

/// The state that a request changes, as its `If-Match` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected(Vec<String>);

impl Expected {
    /// Reads the header.
    ///
    /// # Errors
    ///
    /// `request.precondition_required`, if there is none.
    pub fn read(headers: &HeaderMap) -> Result<Self> {
        let values = headers.get_all(header::IF_MATCH).iter().filter_map(|value| value.to_str().ok());
        let tags: Vec<String> = values
            .flat_map(|value| value.split(','))
            .map(|tag| tag.trim().to_owned())
            .filter(|tag| !tag.is_empty())
            .collect();
        if tags.is_empty() {
            return Err(Problem::new("request.precondition_required", "`If-Match` is missing")
                .help("read it first, and send the `ETag` of what you read as `If-Match`"));
        }
        Ok(Self(tags))
    }

    /// That `revision` is the state meant; `*` means any.
    ///
    /// # Errors
    ///
    /// `request.precondition_failed`.
    pub fn meets(&self, revision: i64) -> Result<()> {
        let current = tag(revision);
        if self.0.iter().any(|tag| *tag == current || tag == "*") {
            return Ok(());
        }
        Err(Problem::new("request.precondition_failed", format!("its state is {current} by now"))
            .help("read it again, and decide anew"))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Expected {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        Self::read(&parts.headers)
    }
}
