//! The first step of a new service.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::extract::Body;
use super::session::begin;
use crate::app::App;
use crate::auth::password;
use crate::error::{Faults, Problem, Result};
use crate::mail::is_address;
use crate::store::users::{Person, User};
use crate::store::{Actor, audit::Entry, operator, secrets, users};
use crate::wire;

/// The routes of this file.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(set_up))
}

/// Creates the operator and its first administrator, who is signed in at once.
///
/// Works once, with the secret of the link that the service printed when it started.
#[utoipa::path(post, path = "/api/v1/setup", tag = "service", security(()), request_body = wire::operator::Setup, responses(
    (status = 201, description = "Done: a session's cookie is set", body = wire::users::Session),
    (status = 404, description = "The link is not valid, or not any more"),
    (status = 409, description = "The operator is set up already"),
    (status = 422, description = "Some fields are wrong")
))]
async fn set_up(State(app): State<App>, Body(setup): Body<wire::operator::Setup>) -> Result<Response> {
    let mut faults = Faults::default();
    faults.id("/operator_id", &setup.operator_id);
    setup.operator.check(&mut faults, "/operator");
    let administrator = &setup.administrator;
    faults.text("/administrator/name", &administrator.name, 200);
    if !is_address(&administrator.email) {
        faults.push("/administrator/email", "field.email_malformed", "is no e-mail address", "");
    }
    if let Err(problem) = password::check(&administrator.password, &administrator.email) {
        faults.extend([problem.into_fault("/administrator/password")]);
    }
    faults.finish()?;
    let hash = password::hash(administrator.password.clone()).await?;

    let mut change = app.store.change(&Actor::Setup, app.clock.now()).await?;
    if operator::get(change.on()).await?.is_some() {
        return Err(Problem::new("operator.already_set_up", "the operator is set up already").help("sign in"));
    }
    if !secrets::use_setup_link(change.on(), &setup.secret).await? {
        return Err(Problem::new("auth.invitation_invalid", "this link is not valid, or not any more")
            .help("start the service again: it prints a new one"));
    }
    let at = change.at();
    let operator = operator::Operator {
        id: setup.operator_id.clone(),
        name: setup.operator.name.trim().to_owned(),
        currency: setup.operator.currency.clone(),
        zone: setup.operator.zone.clone(),
        support_contact: setup.operator.support_contact.clone(),
        revision: 1,
    };
    operator::put(change.on(), &operator).await?;
    let user = User {
        id: secrets::fresh_id("user")?,
        occupier: None,
        role: "operator_admin".to_owned(),
        sites: None,
        state: "invited".to_owned(),
        person: Some(Person {
            email: administrator.email.trim().to_owned(),
            name: administrator.name.trim().to_owned(),
            language: "en".to_owned(),
        }),
        created_at: at,
        closed_at: None,
        revision: 1,
    };
    users::insert(change.on(), &user).await?;
    users::set_password(change.on(), &user.id, &hash).await?;
    change.note(Entry::new("operator.set_up", format!("operator:{}", operator.id)));
    change.note(Entry::new("user.created", format!("user:{}", user.id)));
    let signed_in = begin(&mut change, &user.id).await?;
    change.commit().await?;
    Ok((StatusCode::CREATED, signed_in.headers()?, axum::Json(signed_in.session)).into_response())
}
