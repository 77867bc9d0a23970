//! Bodies and parameters, read strictly: what cannot be understood is a problem that says where.

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, PathRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::header;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use crate::error::{Problem, Result};

/// A JSON body.
#[derive(Debug)]
pub struct Body<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self> {
        let media = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let media = media.unwrap_or_default().split(';').next().unwrap_or_default().trim();
        if !media.eq_ignore_ascii_case("application/json") {
            return Err(Problem::new("request.media_type", "the body must be `application/json`"));
        }
        let bytes = Bytes::from_request(request, state).await.map_err(too_large)?;
        let body = serde_json::from_slice(&bytes).map_err(|error| {
            Problem::new("request.body_malformed", error.to_string())
                .help("see /api/v1/openapi.json for what is expected")
        })?;
        Ok(Self(body))
    }
}

fn too_large(rejection: BytesRejection) -> Problem {
    if rejection.status() == axum::http::StatusCode::PAYLOAD_TOO_LARGE {
        Problem::new("request.body_too_large", "the body is larger than this service takes")
    } else {
        Problem::new("request.body_malformed", rejection.body_text())
    }
}

/// Parameters after the question mark.
#[derive(Debug)]
pub struct Asked<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let Query(asked) = Query::<T>::from_request_parts(parts, state)
            .await
            .map_err(|rejection: QueryRejection| Problem::new("request.parameter_malformed", rejection.body_text()))?;
        Ok(Self(asked))
    }
}

/// What the route names.
#[derive(Debug)]
pub struct Named<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Named<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let Path(named) = Path::<T>::from_request_parts(parts, state)
            .await
            .map_err(|rejection: PathRejection| Problem::new("request.parameter_malformed", rejection.body_text()))?;
        Ok(Self(named))
    }
}
