//! Pages of occupiers' people: their numbers and their users. Their call charges are pages of [`super::charges`].

use axum::Router;

use crate::app::App;

/// The routes of these pages.
pub const ROUTES: &[(&str, &str)] = &[];

/// These pages.
pub(super) fn routes() -> Router<App> {
    Router::new()
}
