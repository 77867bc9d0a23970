//! Pages, written here and shown by any browser: no script is needed to read them, and nothing comes from elsewhere.
//!
//! A page asks the interface ([`api`]), as who looks at it, and writes down what it is told.

pub mod api;
pub mod charges;
pub mod chart;
pub mod face;
pub mod form;
pub mod occupier;
pub mod operator;
pub mod page;
mod profile;
pub mod said;
mod sign;
pub mod words;

use axum::extract::Query;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};

use self::page::Page;
use crate::app::App;
use crate::error::Result;

/// The routes of pages, which the interface's document does not list.
pub fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
    let operators = operator::ROUTES.iter().chain(operator::work::ROUTES);
    ROUTES.iter().chain(operators).chain(occupier::ROUTES).chain(charges::ROUTES).copied()
}

/// Those of everybody.
const ROUTES: &[(&str, &str)] = &[
    ("GET", "/"),
    ("GET", "/assets/first.js"),
    ("GET", "/assets/portal.css"),
    ("GET", "/assets/portal.js"),
    ("GET", "/join"),
    ("GET", "/profile"),
    ("POST", "/profile"),
    ("POST", "/profile/password"),
    ("GET", "/reset"),
    ("POST", "/reset"),
    ("GET", "/setup"),
    ("GET", "/sign-in"),
    ("POST", "/sign-in"),
    ("POST", "/sign-out"),
];

/// The pages, over the interface.
pub fn routes(api: api::Api) -> Router<App> {
    Router::new()
        .route("/", get(home))
        .merge(operator::routes())
        .merge(operator::work::routes())
        .merge(occupier::routes())
        .merge(charges::routes())
        .route("/setup", get(sign::setup))
        .route("/join", get(sign::join))
        .route("/profile", get(profile::profile).post(profile::settle))
        .route("/profile/password", post(profile::password))
        .route("/sign-in", get(sign::sign_in_page).post(sign::sign_in))
        .route("/sign-out", post(sign::sign_out))
        .route("/reset", get(sign::reset_page).post(sign::reset))
        .layer(Extension(api))
        .route("/assets/first.js", get(|| asset("text/javascript", include_str!("assets/first.js"))))
        .route("/assets/portal.js", get(|| asset("text/javascript", include_str!("assets/portal.js"))))
        .route("/assets/portal.css", get(|| asset("text/css", include_str!("assets/portal.css"))))
}

/// The first page, which is another for the operator and for an occupier.
async fn home(page: Page, Query(asked): Query<charges::Asked>) -> Result<Response> {
    if page.who.is_operator() { operator::home(&page).await } else { charges::home(&page, &asked).await }
}

/// A file that pages need. Its address has [`VERSION`], so that it may be kept.
async fn asset(media: &'static str, text: &'static str) -> Response {
    let mut response = text.into_response();
    let headers = response.headers_mut();
    if let Ok(media) = HeaderValue::from_str(&format!("{media}; charset=utf-8")) {
        headers.insert(header::CONTENT_TYPE, media);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
    response
}

/// Changes with what the files that pages need hold (FNV-1a, 32 bits).
pub const VERSION: u32 = fnv(
    include_bytes!("assets/portal.css"),
    fnv(include_bytes!("assets/portal.js"), fnv(include_bytes!("assets/first.js"), 0x811c_9dc5)),
);

const fn fnv(bytes: &[u8], mut hash: u32) -> u32 {
    let mut at = 0;
    while at < bytes.len() {
        hash = (hash ^ bytes[at] as u32).wrapping_mul(0x0100_0193);
        at += 1;
    }
    hash
}
