//! Pages. For now the two that links lead to: the first step of a new service, and choosing a password.

use axum::Router;
use axum::http::{HeaderValue, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;

use crate::app::App;

/// The routes of pages, which the interface's document does not list.
pub const ROUTES: [(&str, &str); 3] = [("GET", "/setup"), ("GET", "/join"), ("GET", "/assets/first.js")];

/// The routes of this file.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/setup", get(|| async { Html(include_str!("setup.html")) }))
        .route("/join", get(|| async { Html(include_str!("join.html")) }))
        .route("/assets/first.js", get(script))
}

async fn script() -> Response {
    let mut response = include_str!("first.js").into_response();
    let kind = HeaderValue::from_static("text/javascript; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}
