//! The audit log.

use axum::extract::State;
use rating_core::run::publish::hex;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::extract::Asked;
use super::users::zone;
use crate::app::App;
use crate::error::{Faults, Problem, Result};
use crate::store::audit;
use crate::wire::{self, Page, bound, page_limit};

/// The routes of this file.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(chain))
}

/// Which entries.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct Which {
    /// What the page before gave as `next`.
    after: Option<String>,
    /// How many, 1 to 500; 100 if left out.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<i64>,
    /// Only those of this occupier.
    occupier: Option<String>,
    /// Only those to this subject: `site:ldn`.
    subject: Option<String>,
    /// Only those by them: `user:…`, `token:…`, `service`.
    actor: Option<String>,
    /// Only those from then on: a day, which begins by the operator's clock, or an instant with its offset.
    from: Option<String>,
    /// Only those before then.
    until: Option<String>,
}

/// Lists what was done, newest first.
#[utoipa::path(get, path = "/api/v1/audit", tag = "audit", params(Which), responses(
    (status = 200, description = "Entries", body = Page<wire::users::AuditEntry>), (status = 422)
))]
async fn list(State(app): State<App>, Asked(which): Asked<Which>) -> Result<axum::Json<Page<wire::users::AuditEntry>>> {
    let limit = page_limit(which.limit)?;
    let before = which
        .after
        .as_deref()
        .map(str::parse::<i64>)
        .transpose()
        .map_err(|_| Problem::new("request.parameter_malformed", "`after` is not what a page gave as `next`"))?;
    let mut reader = app.store.read().await?;
    let zone = zone(reader.on()).await?;
    let mut faults = Faults::default();
    let mut ask = |field: &str, text: Option<&str>| text.and_then(|text| bound(&zone, &mut faults, field, text));
    let (from, until) = (ask("from", which.from.as_deref()), ask("until", which.until.as_deref()));
    faults.finish()?;
    let filter = audit::Filter {
        before,
        occupier: which.occupier,
        sites: None,
        subject: which.subject,
        actor: which.actor,
        from,
        until,
        limit: limit + 1,
    };
    let items = audit::list(reader.on(), &filter).await?.into_iter().map(|entry| wire::users::AuditEntry {
        seq: entry.seq,
        at: zone.format(entry.at),
        actor: entry.actor,
        action: entry.action,
        subject: entry.subject,
        site: entry.site,
        occupier: entry.occupier,
        details: serde_json::from_str(&entry.details).unwrap_or_default(),
        hash: hex(&entry.hash),
    });
    Ok(axum::Json(Page::cut(items.collect(), limit, |entry: &wire::users::AuditEntry| entry.seq.to_string())))
}

/// Follows the chain of hashes through the whole log.
#[utoipa::path(get, path = "/api/v1/audit/chain", tag = "audit", responses(
    (status = 200, description = "How far it is whole", body = wire::users::Chain)
))]
async fn chain(State(app): State<App>) -> Result<axum::Json<wire::users::Chain>> {
    let (entries, broken_at) = audit::verify(app.store.read().await?.on()).await?;
    Ok(axum::Json(wire::users::Chain { entries, broken_at }))
}
