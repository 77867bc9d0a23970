//! Pages of the operator's people.

pub mod work;

use askama::Template;
use axum::Router;
use axum::response::Response;

use super::page::{Frame, Page, show};
use crate::app::App;
use crate::error::Result;

/// The routes of these pages.
pub const ROUTES: &[(&str, &str)] = &[];

/// These pages.
pub(super) fn routes() -> Router<App> {
    Router::new()
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
