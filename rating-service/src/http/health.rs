//! Whether the service lives, is ready, and how it does.

use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::error::{Problem, Result};

/// The routes of this file.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(live)).routes(routes!(ready)).routes(routes!(metrics))
}

/// The process answers.
#[utoipa::path(get, path = "/livez", tag = "service", responses((status = 200, description = "It lives", body = String)), security(()))]
async fn live() -> &'static str {
    "ok"
}

/// The database answers, too.
#[utoipa::path(get, path = "/readyz", tag = "service", security(()), responses(
    (status = 200, description = "It is ready", body = String),
    (status = 503, description = "It is not")
))]
async fn ready(State(app): State<App>) -> Result<&'static str> {
    app.store.ping().await.map_err(|error| Problem::new("store.busy", error.to_string()).retry_after(1))?;
    Ok("ok")
}

/// Counters, in the text format of Prometheus.
#[utoipa::path(get, path = "/metrics", tag = "service", responses((status = 200, description = "Counters", body = String)))]
async fn metrics(State(app): State<App>) -> String {
    app.metrics.render()
}
