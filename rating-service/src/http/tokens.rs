//! Tokens of machines.

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use rating_core::time::Zone;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::extract::{Body, Named};
use super::idempotency::Secret;
use super::users::zone;
use crate::app::App;
use crate::auth::Principal;
use crate::auth::policy::SCOPES;
use crate::error::{Faults, Result};
use crate::store::reach::Kind;
use crate::store::{audit::Entry, secrets, sites};
use crate::wire::{self, Page};

/// The routes of this file.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(revoke))
}

fn to_wire(zone: &Zone, token: secrets::Token) -> wire::users::Token {
    wire::users::Token {
        id: token.id,
        name: token.name,
        scopes: token.scopes,
        sites: token.sites,
        created_at: zone.format(token.created_at),
        expires_at: token.expires_at.map(|at| zone.format(at)),
        revoked_at: token.revoked_at.map(|at| zone.format(at)),
    }
}

/// Lists all tokens, without their secrets.
#[utoipa::path(get, path = "/api/v1/tokens", tag = "tokens", responses(
    (status = 200, description = "Tokens", body = Page<wire::users::Token>)
))]
async fn list(State(app): State<App>) -> Result<axum::Json<Page<wire::users::Token>>> {
    let mut reader = app.store.read().await?;
    let zone = zone(reader.on()).await?;
    let items = secrets::tokens(reader.on()).await?.into_iter().map(|token| to_wire(&zone, token)).collect();
    Ok(axum::Json(Page { items, next: None }))
}

/// Makes a token. Its secret is in this answer and nowhere else.
#[utoipa::path(post, path = "/api/v1/tokens", tag = "tokens", request_body = wire::users::NewToken, responses(
    (status = 201, description = "Made", body = wire::users::MadeToken), (status = 422)
))]
async fn create(
    State(app): State<App>,
    principal: Principal,
    Body(new): Body<wire::users::NewToken>,
) -> Result<(StatusCode, Extension<Secret>, axum::Json<wire::users::MadeToken>)> {
    let mut change = app.store.change(&principal.actor(), app.clock.now()).await?;
    let mut faults = Faults::default();
    faults.text("/name", &new.name, 200);
    if new.scopes.is_empty() {
        faults.push("/scopes", "field.empty", "is empty", SCOPES.join(", "));
    }
    for scope in new.scopes.iter().filter(|scope| !SCOPES.contains(&scope.as_str())) {
        faults.push("/scopes", "field.scope_unknown", format!("there is no scope `{scope}`"), SCOPES.join(", "));
    }
    let known = sites::list(change.on()).await?;
    for site in new.sites.iter().flatten().filter(|site| !known.iter().any(|known| known.id == **site)) {
        faults.push("/sites", "site.unknown", format!("there is no site `{site}`"), "");
    }
    let zone = zone(change.on()).await?;
    let expires_at = new.expires_at.as_deref().and_then(|text| wire::bound(&zone, &mut faults, "/expires_at", text));
    if expires_at.is_some_and(|at| at <= change.at()) {
        faults.push("/expires_at", "field.in_past", "has passed", "choose a day that lies ahead");
    }
    faults.finish()?;
    let token = secrets::Token {
        id: secrets::fresh_id("token")?,
        name: new.name.trim().to_owned(),
        scopes: new.scopes.into_iter().collect(),
        sites: new.sites.map(|sites| sites.into_iter().collect()),
        created_by: principal.actor().to_string(),
        created_at: change.at(),
        expires_at,
        revoked_at: None,
    };
    let secret = format!("rating_{}", secrets::fresh()?);
    secrets::add_token(change.on(), &secret, &token).await?;
    change.note(
        Entry::new("token.created", format!("token:{}", token.id)).with(serde_json::json!({ "scopes": token.scopes })),
    );
    change.commit().await?;
    Ok((
        StatusCode::CREATED,
        Extension(Secret),
        axum::Json(wire::users::MadeToken { token: to_wire(&zone, token), secret }),
    ))
}

/// Revokes a token: it is good for nothing from now on.
#[utoipa::path(delete, path = "/api/v1/tokens/{token}", tag = "tokens", params(("token" = String, Path)), responses(
    (status = 204, description = "Revoked"), (status = 404)
))]
async fn revoke(State(app): State<App>, principal: Principal, Named(id): Named<String>) -> Result<StatusCode> {
    let mut change = app.store.change(&principal.actor(), app.clock.now()).await?;
    let at = change.at();
    if !secrets::revoke_token(change.on(), &id, at).await? {
        return Err(Kind::Token.unknown(&id));
    }
    change.note(Entry::new("token.revoked", format!("token:{id}")));
    change.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
