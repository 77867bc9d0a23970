//! Pages about telephony, months and tariffs: the operator's work.

mod assignments;
mod commands;
mod draft;
mod exceptions;
mod head;
mod main_number;
mod month;
mod months;
mod number;
mod pool;
mod price;
mod project;
mod reports;
mod schedule;
mod sources;
mod tariffs;
mod telephony;
mod week;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};

use crate::app::App;

/// The routes of these pages.
pub const ROUTES: &[(&str, &str)] = &[
    ("GET", "/months"),
    ("GET", "/months/other"),
    ("GET", "/months/settings"),
    ("POST", "/months/settings"),
    ("GET", "/months/{month}"),
    ("POST", "/months/{month}"),
    ("GET", "/months/{month}/comparison"),
    ("GET", "/months/{month}/exceptions"),
    ("GET", "/reports"),
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
    ("GET", "/sources"),
    ("POST", "/sources"),
    ("GET", "/sources/{source}"),
    ("POST", "/sources/{source}"),
    ("POST", "/sources/{source}/files"),
    ("GET", "/tariffs"),
    ("POST", "/tariffs/assignments"),
    ("GET", "/tariffs/assignments/{assignment}"),
    ("POST", "/tariffs/assignments/{assignment}"),
    ("POST", "/tariffs/drafts"),
    ("POST", "/tariffs/drafts/keep"),
    ("POST", "/tariffs/files"),
    ("POST", "/tariffs/files/{folder}/{file}/remove"),
    ("GET", "/tariffs/price"),
];

/// These pages.
pub(in crate::portal) fn routes() -> Router<App> {
    Router::new()
        .route("/months", get(months::list))
        .route("/months/other", get(months::other))
        .route("/months/settings", get(project::settings).post(project::settle))
        .route("/months/{month}/comparison", get(exceptions::comparison))
        .route("/months/{month}/exceptions", get(exceptions::exceptions))
        .route("/reports", get(reports::list))
        .route("/months/{month}", get(month::show_month).post(month::act))
        .route("/tariffs", get(tariffs::list))
        .route("/tariffs/assignments", post(assignments::assign))
        .route("/tariffs/assignments/{assignment}", get(assignments::show_assignment).post(assignments::change))
        .route("/tariffs/price", get(price::price))
        .route("/tariffs/drafts", post(draft::try_files).layer(DefaultBodyLimit::max(draft::LARGEST)))
        .route("/tariffs/drafts/keep", post(draft::keep).layer(DefaultBodyLimit::max(draft::LARGEST)))
        .route("/tariffs/files", post(tariffs::put).layer(DefaultBodyLimit::disable()))
        .route("/tariffs/files/{folder}/{file}/remove", post(tariffs::remove))
        .route("/sources", get(sources::list).post(sources::add))
        .route("/sources/{source}", get(sources::show_source).post(sources::settle))
        // As large as the switch's files are.
        .route("/sources/{source}/files", post(sources::upload).layer(DefaultBodyLimit::disable()))
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
