//! Settings of runs that are one of a kind: what contracted lines cost the operator, when a run is not good, gaps in the
//! input that somebody accepted.

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::conditions::{Expected, Tagged};
use super::extract::Body;
use super::files::everywhere;
use super::users::zone;
use crate::app::App;
use crate::auth::Principal;
use crate::error::{Faults, Problem, Result};
use crate::store::snapshots::{Limits, Usage};
use crate::store::{audit::Entry, sources};
use crate::wire::Page;
use crate::wire::months as wire;

/// The routes of this file.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(usage, set_usage))
        .routes(routes!(limits, set_limits))
        .routes(routes!(accepted_gaps, accept_gap))
}

pub(super) async fn kept<T: for<'de> Deserialize<'de>>(
    on: &mut sqlx::SqliteConnection,
    name: &str,
) -> Result<(Option<T>, i64)> {
    let (content, revision) = sources::setting(on, name).await?;
    Ok((content.and_then(|content| serde_json::from_str(&content).ok()), revision))
}

pub(super) async fn keep(
    app: &App,
    principal: &Principal,
    expected: &Expected,
    name: &'static str,
    content: &(impl Serialize + Sync),
) -> Result<i64> {
    let mut change = app.store.change(&principal.actor(), app.clock.now()).await?;
    let (_, revision) = sources::setting(change.on(), name).await?;
    expected.meets(revision)?;
    let text = serde_json::to_string(content).map_err(Problem::internal)?;
    sources::set(change.on(), name, &text).await?;
    let details = match serde_json::to_value(content).map_err(Problem::internal)? {
        serde_json::Value::Array(rows) => serde_json::json!({ "rows": rows.len() }),
        settings => settings,
    };
    change.note(Entry::new("settings.changed", format!("settings:{name}")).with(details));
    change.commit().await?;
    Ok(revision + 1)
}

/// What contracted lines cost the operator; an allowance of 0 and no price until it is set.
#[utoipa::path(get, path = "/api/v1/project/usage", tag = "months",
    responses((status = 200, description = "The settings", body = wire::UsageSettings)))]
async fn usage(State(app): State<App>) -> Result<Tagged<wire::UsageSettings>> {
    let (kept, revision) = kept::<Usage>(app.store.read().await?.on(), "usage").await?;
    let usage = kept.unwrap_or(Usage { allowance: 0, price_per_month: String::new(), sites: Default::default() });
    let Usage { allowance, price_per_month, sites } = usage;
    Ok(Tagged(revision, wire::UsageSettings { allowance, price_per_month, sites }))
}

/// Sets what contracted lines cost the operator: from then on each run has a usage report.
#[utoipa::path(put, path = "/api/v1/project/usage", tag = "months", request_body = wire::UsageSettings,
    params(("If-Match" = String, Header, description = "The `ETag` of the state that is changed")),
    responses((status = 200, description = "Changed", body = wire::UsageSettings), (status = 412), (status = 422), (status = 428)))]
async fn set_usage(
    State(app): State<App>,
    principal: Principal,
    expected: Expected,
    Body(given): Body<wire::UsageSettings>,
) -> Result<Tagged<wire::UsageSettings>> {
    everywhere(&principal)?;
    let mut faults = Faults::default();
    faults.text("/price_per_month", &given.price_per_month, 40);
    faults.finish()?;
    let usage = Usage {
        allowance: given.allowance,
        price_per_month: given.price_per_month.clone(),
        sites: given.sites.clone(),
    };
    Ok(Tagged(keep(&app, &principal, &expected, "usage", &usage).await?, given))
}

/// Above which shares of calls and records a run counts as not good.
#[utoipa::path(get, path = "/api/v1/project/limits", tag = "months",
    responses((status = 200, description = "The settings", body = wire::LimitSettings)))]
async fn limits(State(app): State<App>) -> Result<Tagged<wire::LimitSettings>> {
    let (kept, revision) = kept::<Limits>(app.store.read().await?.on(), "limits").await?;
    let Limits { suspended, rejected } = kept.unwrap_or_default();
    Ok(Tagged(revision, wire::LimitSettings { suspended, rejected }))
}

/// Sets above which shares of calls and records a run counts as not good.
#[utoipa::path(put, path = "/api/v1/project/limits", tag = "months", request_body = wire::LimitSettings,
    params(("If-Match" = String, Header, description = "The `ETag` of the state that is changed")),
    responses((status = 200, description = "Changed", body = wire::LimitSettings), (status = 412), (status = 422), (status = 428)))]
async fn set_limits(
    State(app): State<App>,
    principal: Principal,
    expected: Expected,
    Body(given): Body<wire::LimitSettings>,
) -> Result<Tagged<wire::LimitSettings>> {
    everywhere(&principal)?;
    let mut faults = Faults::default();
    for (field, text) in [("/suspended", &given.suspended), ("/rejected", &given.rejected)] {
        let digits = text.strip_suffix('%').unwrap_or("");
        let fits =
            !digits.is_empty() && digits.len() <= 8 && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        if !text.is_empty() && !fits {
            faults.push(field, "field.share_malformed", format!("`{text}` is no share"), "`0.1%`");
        }
    }
    faults.finish()?;
    let limits = Limits { suspended: given.suspended.clone(), rejected: given.rejected.clone() };
    Ok(Tagged(keep(&app, &principal, &expected, "limits", &limits).await?, given))
}

/// Lists the gaps in the input that were accepted, the newest first.
#[utoipa::path(get, path = "/api/v1/project/accepted-gaps", tag = "months",
    responses((status = 200, description = "Gaps", body = Page<wire::GapAccepted>)))]
async fn accepted_gaps(State(app): State<App>) -> Result<axum::Json<Page<wire::GapAccepted>>> {
    let mut reader = app.store.read().await?;
    let zone = zone(reader.on()).await?;
    let gaps = sources::accepted_gaps(reader.on()).await?.into_iter();
    let items = gaps.map(|(gap, by, reason, at)| wire::GapAccepted { gap, reason, by, at: zone.format(at) }).collect();
    Ok(axum::Json(Page { items, next: None }))
}

/// Accepts a gap in the input, by the name that a run gave it, with a reason that the manifest keeps.
#[utoipa::path(post, path = "/api/v1/project/accepted-gaps", tag = "months", request_body = wire::AcceptedGap,
    responses((status = 204, description = "Accepted"), (status = 422)))]
async fn accept_gap(
    State(app): State<App>,
    principal: Principal,
    Body(given): Body<wire::AcceptedGap>,
) -> Result<StatusCode> {
    everywhere(&principal)?;
    let mut faults = Faults::default();
    faults.text("/gap", &given.gap, 200);
    faults.text("/reason", &given.reason, 500);
    faults.finish()?;
    let mut change = app.store.change(&principal.actor(), app.clock.now()).await?;
    let at = change.at();
    sources::accept_gap(change.on(), &given.gap, &principal.actor().to_string(), &given.reason, at).await?;
    let details = serde_json::json!({ "gap": given.gap, "reason": given.reason });
    change.note(Entry::new("gap.accepted", "project").with(details));
    change.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
