//! Pages of the operator's people.

pub mod head;
mod settings;
mod sites;
pub mod work;

use askama::Template;
use axum::Router;
use axum::response::Response;
use axum::routing::{get, post};

use super::page::{Frame, Page, show};
use crate::app::App;
use crate::error::Result;

/// The routes of these pages.
pub const ROUTES: &[(&str, &str)] = &[
    ("GET", "/settings"),
    ("POST", "/settings"),
    ("POST", "/settings/logo"),
    ("POST", "/settings/logo/remove"),
    ("GET", "/sites"),
    ("GET", "/sites/new"),
    ("POST", "/sites/new"),
    ("GET", "/sites/{site}/settings"),
    ("POST", "/sites/{site}/settings"),
];

/// These pages.
pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/settings", get(settings::list).post(settings::settle))
        .route("/settings/logo", post(settings::put_logo))
        .route("/settings/logo/remove", post(settings::remove_logo))
        .route("/sites", get(sites::list))
        .route("/sites/new", get(sites::new).post(sites::add))
        .route("/sites/{site}/settings", get(sites::settings).post(sites::settle))
}

#[derive(Template)]
#[template(path = "operator/home.html")]
struct Home {
    frame: Frame,
}

/// The first page.
pub(super) async fn home(page: &Page) -> Result<Response> {
    show(&Home { frame: page.frame() })
}
