//! Pages of the operator's people.

mod account;
mod activation;
mod audit;
mod contracts;
mod decommission;
pub mod head;
mod holdings;
mod home;
mod occupiers;
mod products;
mod services;
mod settings;
mod sites;
mod team;
mod tokens;
mod users;
pub mod work;

use axum::Router;
use axum::routing::{get, post};

pub(in crate::portal) use self::home::home;
use crate::app::App;

/// The routes of these pages.
pub const ROUTES: &[(&str, &str)] = &[
    ("GET", "/audit"),
    ("GET", "/contracts/{contract}"),
    ("GET", "/occupiers"),
    ("GET", "/occupiers/new"),
    ("POST", "/occupiers/new"),
    ("GET", "/occupiers/{occupier}"),
    ("POST", "/occupiers/{occupier}"),
    ("POST", "/occupiers/{occupier}/contact"),
    ("GET", "/occupiers/{occupier}/contracts"),
    ("POST", "/occupiers/{occupier}/contracts"),
    ("GET", "/occupiers/{occupier}/contracts/{contract}"),
    ("POST", "/occupiers/{occupier}/contracts/{contract}"),
    ("POST", "/occupiers/{occupier}/contracts/{contract}/discard"),
    ("POST", "/occupiers/{occupier}/contracts/{contract}/reactivate"),
    ("GET", "/occupiers/{occupier}/decommission"),
    ("POST", "/occupiers/{occupier}/decommission"),
    ("POST", "/occupiers/{occupier}/decommission/cancel"),
    ("GET", "/occupiers/{occupier}/devices"),
    ("POST", "/occupiers/{occupier}/devices/log-out"),
    ("GET", "/occupiers/{occupier}/portal"),
    ("POST", "/occupiers/{occupier}/portal"),
    ("POST", "/occupiers/{occupier}/portal/activate"),
    ("POST", "/occupiers/{occupier}/portal/deactivate"),
    ("POST", "/occupiers/{occupier}/portal/preview"),
    ("GET", "/occupiers/{occupier}/services"),
    ("POST", "/occupiers/{occupier}/services"),
    ("GET", "/occupiers/{occupier}/services/{service}"),
    ("POST", "/occupiers/{occupier}/services/{service}/change"),
    ("POST", "/occupiers/{occupier}/services/{service}/end"),
    ("GET", "/occupiers/{occupier}/setup"),
    ("POST", "/occupiers/{occupier}/setup"),
    ("GET", "/occupiers/{occupier}/setup/{site}"),
    ("POST", "/occupiers/{occupier}/setup/{site}"),
    ("GET", "/occupiers/{occupier}/telephony"),
    ("GET", "/occupiers/{occupier}/users"),
    ("POST", "/occupiers/{occupier}/users"),
    ("GET", "/occupiers/{occupier}/users/{user}"),
    ("POST", "/occupiers/{occupier}/users/{user}"),
    ("POST", "/occupiers/{occupier}/users/{user}/close"),
    ("POST", "/occupiers/{occupier}/users/{user}/invitation"),
    ("GET", "/settings"),
    ("POST", "/settings"),
    ("POST", "/settings/logo"),
    ("POST", "/settings/logo/remove"),
    ("GET", "/settings/tokens"),
    ("POST", "/settings/tokens"),
    ("POST", "/settings/tokens/{token}/revoke"),
    ("GET", "/settings/users"),
    ("POST", "/settings/users"),
    ("GET", "/settings/users/{user}"),
    ("POST", "/settings/users/{user}"),
    ("POST", "/settings/users/{user}/close"),
    ("POST", "/settings/users/{user}/invitation"),
    ("GET", "/sites"),
    ("GET", "/sites/new"),
    ("POST", "/sites/new"),
    ("GET", "/sites/{site}/products"),
    ("POST", "/sites/{site}/products"),
    ("GET", "/sites/{site}/products/{product}"),
    ("POST", "/sites/{site}/products/{product}"),
    ("GET", "/sites/{site}/settings"),
    ("POST", "/sites/{site}/settings"),
];

/// These pages.
pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/audit", get(audit::list))
        .route("/contracts/{contract}", get(home::contract))
        .route("/occupiers", get(occupiers::list))
        .route("/occupiers/new", get(occupiers::new).post(occupiers::add))
        .route("/occupiers/{occupier}", get(account::show_account).post(account::settle))
        .route("/occupiers/{occupier}/contact", post(account::set_contact))
        .route("/occupiers/{occupier}/contracts", get(contracts::list).post(contracts::add))
        .route("/occupiers/{occupier}/contracts/{contract}", get(contracts::show_one).post(contracts::settle))
        .route("/occupiers/{occupier}/contracts/{contract}/discard", post(contracts::discard))
        .route("/occupiers/{occupier}/contracts/{contract}/reactivate", post(contracts::reactivate))
        .route("/occupiers/{occupier}/services", get(services::list).post(services::assign))
        .route("/occupiers/{occupier}/services/{service}", get(services::show_one))
        .route("/occupiers/{occupier}/services/{service}/change", post(services::change))
        .route("/occupiers/{occupier}/services/{service}/end", post(services::end))
        .route("/occupiers/{occupier}/setup", get(occupiers::setup).post(occupiers::setup_site))
        .route("/occupiers/{occupier}/setup/{site}", get(occupiers::setup_services).post(occupiers::setup_service))
        .route("/occupiers/{occupier}/decommission", get(decommission::show_standing).post(decommission::begin))
        .route("/occupiers/{occupier}/decommission/cancel", post(decommission::cancel))
        .route("/occupiers/{occupier}/devices", get(holdings::devices))
        .route("/occupiers/{occupier}/devices/log-out", post(holdings::log_out))
        .route("/occupiers/{occupier}/portal", get(activation::show_portal).post(activation::settle))
        .route("/occupiers/{occupier}/portal/activate", post(activation::activate))
        .route("/occupiers/{occupier}/portal/deactivate", post(activation::deactivate))
        .route("/occupiers/{occupier}/portal/preview", post(activation::preview))
        .route("/occupiers/{occupier}/telephony", get(holdings::telephony))
        .route("/occupiers/{occupier}/users", get(users::list).post(users::add))
        .route("/occupiers/{occupier}/users/{user}", get(users::show_one).post(users::settle))
        .route("/occupiers/{occupier}/users/{user}/close", post(users::close))
        .route("/occupiers/{occupier}/users/{user}/invitation", post(users::invite))
        .route("/settings", get(settings::list).post(settings::settle))
        .route("/settings/logo", post(settings::put_logo))
        .route("/settings/logo/remove", post(settings::remove_logo))
        .route("/settings/tokens", get(tokens::list).post(tokens::make))
        .route("/settings/tokens/{token}/revoke", post(tokens::revoke))
        .route("/settings/users", get(team::list).post(team::add))
        .route("/settings/users/{user}", get(team::show_one).post(team::settle))
        .route("/settings/users/{user}/close", post(team::close))
        .route("/settings/users/{user}/invitation", post(team::invite))
        .route("/sites", get(sites::list))
        .route("/sites/new", get(sites::new).post(sites::add))
        .route("/sites/{site}/products", get(products::list).post(products::add))
        .route("/sites/{site}/products/{product}", get(products::show_one).post(products::settle))
        .route("/sites/{site}/settings", get(sites::settings).post(sites::settle))
}
