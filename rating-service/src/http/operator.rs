//! The operator's settings.

use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::conditions::{Expected, Tagged};
use super::extract::Body;
use crate::app::App;
use crate::auth::Principal;
use crate::error::{Faults, Problem, Result};
use crate::store::{audit::Entry, operator};
use crate::wire;

/// The routes of this file.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(show, settle))
}

fn to_wire(operator: operator::Operator) -> Tagged<wire::operator::Operator> {
    let operator::Operator { id, name, currency, zone, support_contact, revision } = operator;
    Tagged(revision, wire::operator::Operator { id, name, currency, zone, support_contact })
}

/// The operator, once set up.
pub(super) async fn get(on: &mut sqlx::SqliteConnection) -> Result<operator::Operator> {
    operator::get(on).await?.ok_or_else(|| {
        Problem::new("operator.not_set_up", "the operator is not set up yet")
            .help("follow the link that the service printed")
    })
}

/// Says who the operator is.
#[utoipa::path(get, path = "/api/v1/operator", tag = "operator", responses(
    (status = 200, description = "The operator", body = wire::operator::Operator)
))]
async fn show(State(app): State<App>) -> Result<Tagged<wire::operator::Operator>> {
    Ok(to_wire(get(app.store.read().await?.on()).await?))
}

/// Changes the operator's settings. Its id stays: it stands in published files.
#[utoipa::path(put, path = "/api/v1/operator", tag = "operator", request_body = wire::operator::OperatorSettings,
    params(("If-Match" = String, Header, description = "The `ETag` of the state that is changed")),
    responses((status = 200, description = "Changed", body = wire::operator::Operator), (status = 412), (status = 422), (status = 428)))]
async fn settle(
    State(app): State<App>,
    principal: Principal,
    expected: Expected,
    Body(settings): Body<wire::operator::OperatorSettings>,
) -> Result<Tagged<wire::operator::Operator>> {
    let mut faults = Faults::default();
    settings.check(&mut faults, "");
    faults.finish()?;
    let mut change = app.store.change(&principal.actor(), app.clock.now()).await?;
    let mut operator = get(change.on()).await?;
    expected.meets(operator.revision)?;
    operator.name = settings.name.trim().to_owned();
    operator.currency = settings.currency;
    operator.zone = settings.zone;
    operator.support_contact = settings.support_contact;
    operator::put(change.on(), &operator).await?;
    let changed = get(change.on()).await?;
    change.note(Entry::new("operator.changed", format!("operator:{}", operator.id)));
    change.commit().await?;
    Ok(to_wire(changed))
}
