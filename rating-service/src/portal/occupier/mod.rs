//! Pages of occupiers' people: their numbers and their users. Their call charges are pages of [`super::charges`].

mod numbers;
pub mod users;

use axum::Router;
use axum::routing::{get, post};

use crate::app::App;

/// The routes of these pages.
pub const ROUTES: &[(&str, &str)] = &[
    ("GET", "/numbers"),
    ("GET", "/numbers/{number}"),
    ("POST", "/numbers/{number}/assignee"),
    ("POST", "/numbers/{number}/features"),
    ("POST", "/numbers/{number}/label"),
    ("POST", "/numbers/{number}/pin"),
    ("GET", "/users"),
    ("GET", "/users/new"),
    ("POST", "/users/new"),
    ("GET", "/users/{user}"),
    ("POST", "/users/{user}"),
    ("POST", "/users/{user}/close"),
    ("POST", "/users/{user}/invitation"),
];

/// These pages.
pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/numbers", get(numbers::list))
        .route("/numbers/{number}", get(numbers::show_one))
        .route("/numbers/{number}/assignee", post(numbers::assign))
        .route("/numbers/{number}/features", post(numbers::settle))
        .route("/numbers/{number}/label", post(numbers::label))
        .route("/numbers/{number}/pin", post(numbers::reset_pin))
        .route("/users", get(users::list))
        .route("/users/new", get(users::new).post(users::invite))
        .route("/users/{user}", get(users::show_one).post(users::settle))
        .route("/users/{user}/close", post(users::close))
        .route("/users/{user}/invitation", post(users::invite_again))
}
