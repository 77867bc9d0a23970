//! Pages about telephony, months and tariffs: the operator's work.

mod commands;
mod head;
mod main_number;
mod number;
mod pool;
mod schedule;
mod telephony;
mod week;

use axum::Router;
use axum::routing::{get, post};

use crate::app::App;

/// The routes of these pages.
pub const ROUTES: &[(&str, &str)] = &[
    ("GET", "/sites/{site}/main-numbers"),
    ("GET", "/sites/{site}/numbers"),
    ("POST", "/sites/{site}/numbers"),
    ("GET", "/sites/{site}/numbers/{number}"),
    ("POST", "/sites/{site}/numbers/{number}"),
    ("POST", "/sites/{site}/numbers/{number}/code"),
    ("POST", "/sites/{site}/numbers/{number}/features"),
    ("GET", "/sites/{site}/numbers/{number}/main"),
    ("POST", "/sites/{site}/numbers/{number}/main"),
    ("POST", "/sites/{site}/numbers/{number}/pin"),
    ("GET", "/sites/{site}/ranges"),
    ("POST", "/sites/{site}/ranges"),
    ("POST", "/sites/{site}/ranges/import"),
    ("GET", "/sites/{site}/schedule"),
    ("POST", "/sites/{site}/schedule/events"),
    ("POST", "/sites/{site}/schedule/events/{event}/remove"),
    ("POST", "/sites/{site}/schedule/holidays"),
    ("POST", "/sites/{site}/schedule/hours"),
];

/// These pages.
pub(in crate::portal) fn routes() -> Router<App> {
    Router::new()
        .route("/sites/{site}/main-numbers", get(main_number::list))
        .route("/sites/{site}/numbers", get(telephony::list).post(telephony::change))
        .route("/sites/{site}/numbers/{number}", get(number::show_number).post(number::change))
        .route("/sites/{site}/numbers/{number}/code", post(number::code))
        .route("/sites/{site}/numbers/{number}/features", post(number::features))
        .route("/sites/{site}/numbers/{number}/main", get(main_number::configuration).post(main_number::configure))
        .route("/sites/{site}/numbers/{number}/pin", post(number::pin))
        .route("/sites/{site}/ranges", get(pool::ranges).post(pool::provision))
        .route("/sites/{site}/ranges/import", post(pool::import))
        .route("/sites/{site}/schedule", get(schedule::schedule))
        .route("/sites/{site}/schedule/events", post(schedule::add_event))
        .route("/sites/{site}/schedule/events/{event}/remove", post(schedule::remove_event))
        .route("/sites/{site}/schedule/holidays", post(schedule::add_holidays))
        .route("/sites/{site}/schedule/hours", post(schedule::set_hours))
}
