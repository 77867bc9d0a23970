//! The operator's users.

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use rating_core::time::{Duration, Zone};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::conditions::{Expected, Tagged};
use super::extract::{Asked, Body, Named};
use crate::app::App;
use crate::auth::{Principal, Role};
use crate::error::{Faults, Problem, Result};
use crate::mail::{Letter, is_address};
use crate::store::reach::Kind;
use crate::store::secrets::Purpose;
use crate::store::users::{Person, User};
use crate::store::{Change, audit::Entry, occupiers, operator, secrets, sites, users};
use crate::wire::{self, Page, Paging, page_limit};

/// How long the link of an invitation is good.
const INVITATION: Duration = Duration::from_seconds(7 * 24 * 3600);
/// How long the link to choose another password is good.
const RESET: Duration = Duration::from_seconds(3600);

/// The routes of this file.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(show, settle, close))
        .routes(routes!(invite_again))
}

/// A user on the wire.
pub(super) fn to_wire(zone: &Zone, user: User) -> wire::users::User {
    let created_at = zone.format(user.created_at);
    let (email, name, language) = match user.person {
        Some(person) => (Some(person.email), Some(person.name), Some(person.language)),
        None => (None, None, None),
    };
    let User { id, role, occupier, sites, state, .. } = user;
    wire::users::User { id, email, name, language, role, occupier, sites, state, created_at }
}

/// The operator's zone, in which instants of no site are shown.
pub(super) async fn zone(on: &mut sqlx::SqliteConnection) -> Result<Zone> {
    let operator = operator::get(on).await?;
    Ok(operator.and_then(|operator| Zone::load(&operator.zone)).unwrap_or_else(Zone::utc))
}

/// Finds what is wrong with a user's settings: those of an occupier's user, or (`false`) of the operator's.
pub(super) async fn check(
    on: &mut sqlx::SqliteConnection,
    settings: &wire::users::UserSettings,
    of_occupier: bool,
    at: &str,
    faults: &mut Faults,
) -> Result<()> {
    faults.text(&format!("{at}/name"), &settings.name, 200);
    faults.text(&format!("{at}/language"), &settings.language, 20);
    let role = Role::parse(&settings.role).filter(|role| role.is_operator() != of_occupier);
    if role.is_none() {
        let known: Vec<&str> =
            Role::ALL.into_iter().filter(|role| role.is_operator() != of_occupier).map(Role::name).collect();
        faults.push(
            format!("{at}/role"),
            "field.role_unknown",
            format!("`{}` is no role here", settings.role),
            known.join(", "),
        );
    }
    if role == Some(Role::OperatorAdmin) && settings.sites.is_some() {
        faults.push(format!("{at}/sites"), "field.not_here", "an administrator is at all sites", "leave it out");
    }
    let known = sites::list(on).await?;
    for site in settings.sites.iter().flatten() {
        if !known.iter().any(|known| known.id == *site) {
            faults.push(format!("{at}/sites"), "site.unknown", format!("there is no site `{site}`"), "");
        }
    }
    Ok(())
}

/// Makes an invited user within a change.
pub(super) async fn insert(change: &mut Change, occupier: Option<&str>, new: &wire::users::NewUser) -> Result<User> {
    let user = User {
        id: secrets::fresh_id("user")?,
        occupier: occupier.map(str::to_owned),
        role: new.settings.role.clone(),
        sites: new.settings.sites.clone(),
        state: "invited".to_owned(),
        person: Some(Person {
            email: new.email.trim().to_owned(),
            name: new.settings.name.trim().to_owned(),
            language: new.settings.language.clone(),
        }),
        created_at: change.at(),
        closed_at: None,
        revision: 1,
    };
    users::insert(change.on(), &user).await?;
    let mut entry = Entry::new("user.created", format!("user:{}", user.id));
    entry.occupier = occupier.map(str::to_owned);
    change.note(entry.with(serde_json::json!({ "role": user.role })));
    Ok(user)
}

/// Makes an invited user within a change, and the mail that invites it.
pub(super) async fn add(
    app: &App,
    change: &mut Change,
    occupier: Option<&str>,
    new: &wire::users::NewUser,
) -> Result<(User, Letter)> {
    let user = insert(change, occupier, new).await?;
    let letter = send_link(app, change, &user.id, Purpose::Join).await?;
    Ok((user, letter))
}

/// Makes a link for a user within a change: earlier ones are void. Who gets it, and the link.
pub(super) async fn link(app: &App, change: &mut Change, user: &str, purpose: Purpose) -> Result<(Person, String)> {
    let found = users::get(change.on(), user).await?.ok_or_else(|| Kind::User.unknown(user))?;
    let person = found.person.ok_or_else(|| Kind::User.unknown(user))?;
    let secret = secrets::fresh()?;
    let (lasts, action) = match purpose {
        Purpose::Join => (INVITATION, "user.invited"),
        Purpose::Reset => (RESET, "user.reset_asked"),
    };
    let at = change.at();
    secrets::add_invitation(change.on(), &secret, user, purpose, at, at.plus(lasts)).await?;
    let mut entry = Entry::new(action, format!("user:{user}"));
    entry.occupier = found.occupier;
    change.note(entry);
    Ok((person, format!("{}/join#{secret}", app.config.url())))
}

/// Makes a link for a user within a change, and the mail that brings it: to be sent once the change is committed.
pub(super) async fn send_link(app: &App, change: &mut Change, user: &str, purpose: Purpose) -> Result<Letter> {
    let operator = operator::get(change.on()).await?.map(|operator| operator.name).unwrap_or_default();
    let (person, link) = link(app, change, user, purpose).await?;
    let company = match users::get(change.on(), user).await?.and_then(|user| user.occupier) {
        Some(occupier) => occupiers::get(change.on(), &occupier).await?.map(|occupier| occupier.name),
        None => None,
    };
    let company = company.map(|name| format!(" ({name})")).unwrap_or_default();
    let (subject, what, days) = match purpose {
        Purpose::Join => (
            format!("{operator}: your access to call charges and numbers"),
            format!(
                "{operator} invites you to its portal of call charges and numbers{company}. Choose a password here:"
            ),
            "seven days",
        ),
        Purpose::Reset => (
            format!("{operator}: choose another password"),
            format!("Somebody, you we hope, asked for a link to choose another password{company}:"),
            "one hour",
        ),
    };
    let text = format!(
        "Dear {},\n\n{what}\n\n{link}\n\nThe link is good once, and for {days}. If you did not expect this mail, do nothing.\n",
        person.name
    );
    Ok(Letter { to: person.email, subject, text })
}

/// The operator's user of that id.
async fn get(on: &mut sqlx::SqliteConnection, id: &str) -> Result<User> {
    let user = users::get(on, id).await?.filter(|user| user.occupier.is_none());
    user.ok_or_else(|| Kind::User.unknown(id))
}

/// Lists the operator's users, by id.
#[utoipa::path(get, path = "/api/v1/users", tag = "users", params(Paging), responses(
    (status = 200, description = "Users", body = Page<wire::users::User>)
))]
async fn list(State(app): State<App>, Asked(paging): Asked<Paging>) -> Result<axum::Json<Page<wire::users::User>>> {
    let limit = page_limit(paging.limit)?;
    let mut reader = app.store.read().await?;
    let zone = zone(reader.on()).await?;
    let found = users::list(reader.on(), None, paging.after.as_deref(), limit + 1).await?;
    let items = found.into_iter().map(|user| to_wire(&zone, user)).collect();
    Ok(axum::Json(Page::cut(items, limit, |user: &wire::users::User| user.id.clone())))
}

/// Adds a user of the operator, and mails the invitation.
#[utoipa::path(post, path = "/api/v1/users", tag = "users", request_body = wire::users::NewUser,
    params(("Idempotency-Key" = Option<String>, Header, description = "A key of your own: sent again, it is done once")),
    responses((status = 201, description = "Added and invited", body = wire::users::User), (status = 409), (status = 422)))]
async fn create(
    State(app): State<App>,
    principal: Principal,
    Body(new): Body<wire::users::NewUser>,
) -> Result<(StatusCode, HeaderMap, Tagged<wire::users::User>)> {
    let mut change = app.store.change(&principal.actor(), app.clock.now()).await?;
    let mut faults = Faults::default();
    if !is_address(new.email.trim()) {
        faults.push("/email", "field.email_malformed", "is no e-mail address", "");
    }
    check(change.on(), &new.settings, false, "/settings", &mut faults).await?;
    faults.finish()?;
    let (user, letter) = add(&app, &mut change, None, &new).await?;
    let zone = zone(change.on()).await?;
    change.commit().await?;
    app.mailer.send(&letter).await?;
    let mut headers = HeaderMap::new();
    let location = HeaderValue::from_str(&format!("/api/v1/users/{}", user.id)).map_err(Problem::internal)?;
    headers.insert(header::LOCATION, location);
    Ok((StatusCode::CREATED, headers, Tagged(user.revision, to_wire(&zone, user))))
}

/// Shows a user of the operator.
#[utoipa::path(get, path = "/api/v1/users/{user}", tag = "users", params(("user" = String, Path)), responses(
    (status = 200, description = "The user", body = wire::users::User), (status = 404)
))]
async fn show(State(app): State<App>, Named(id): Named<String>) -> Result<Tagged<wire::users::User>> {
    let mut reader = app.store.read().await?;
    let user = get(reader.on(), &id).await?;
    let zone = zone(reader.on()).await?;
    Ok(Tagged(user.revision, to_wire(&zone, user)))
}

/// Changes the name, role, sites or language of a user of the operator. Its address stays.
#[utoipa::path(put, path = "/api/v1/users/{user}", tag = "users", request_body = wire::users::UserSettings,
    params(("user" = String, Path), ("If-Match" = String, Header, description = "The `ETag` of the state that is changed")),
    responses((status = 200, description = "Changed", body = wire::users::User), (status = 404), (status = 409), (status = 412), (status = 422), (status = 428)))]
async fn settle(
    State(app): State<App>,
    principal: Principal,
    Named(id): Named<String>,
    expected: Expected,
    Body(settings): Body<wire::users::UserSettings>,
) -> Result<Tagged<wire::users::User>> {
    let mut change = app.store.change(&principal.actor(), app.clock.now()).await?;
    let mut user = get(change.on(), &id).await?;
    expected.meets(user.revision)?;
    let mut faults = Faults::default();
    check(change.on(), &settings, false, "", &mut faults).await?;
    faults.finish()?;
    if user.role == "operator_admin" && settings.role != "operator_admin" {
        keep_one_administrator(&mut change).await?;
    }
    user.role = settings.role;
    user.sites = settings.sites;
    if let Some(person) = &mut user.person {
        person.name = settings.name.trim().to_owned();
        person.language = settings.language;
    }
    users::update(change.on(), &user).await?;
    let zone = zone(change.on()).await?;
    let changed = get(change.on(), &id).await?;
    change.note(Entry::new("user.changed", format!("user:{id}")).with(serde_json::json!({ "role": user.role })));
    change.commit().await?;
    Ok(Tagged(changed.revision, to_wire(&zone, changed)))
}

async fn keep_one_administrator(change: &mut Change) -> Result<()> {
    if users::count(change.on(), None, "operator_admin").await? > 1 {
        return Ok(());
    }
    Err(Problem::new("user.last_administrator", "this is the last administrator of the operator")
        .help("make another one first"))
}

/// Closes a user of the operator: it signs in no more, and its name and address are erased.
#[utoipa::path(delete, path = "/api/v1/users/{user}", tag = "users", params(("user" = String, Path)), responses(
    (status = 204, description = "Closed"), (status = 404), (status = 409)
))]
async fn close(State(app): State<App>, principal: Principal, Named(id): Named<String>) -> Result<StatusCode> {
    let mut change = app.store.change(&principal.actor(), app.clock.now()).await?;
    let user = get(change.on(), &id).await?;
    if user.state == "closed" {
        return Ok(StatusCode::NO_CONTENT);
    }
    if user.role == "operator_admin" {
        keep_one_administrator(&mut change).await?;
    }
    let at = change.at();
    users::close(change.on(), &id, at).await?;
    change.note(Entry::new("user.closed", format!("user:{id}")));
    change.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Mails a user of the operator a new link to choose a password; earlier links are void.
#[utoipa::path(post, path = "/api/v1/users/{user}/invitation", tag = "users", params(("user" = String, Path)), responses(
    (status = 202, description = "The mail was handed over"), (status = 404), (status = 502)
))]
async fn invite_again(State(app): State<App>, principal: Principal, Named(id): Named<String>) -> Result<StatusCode> {
    let mut change = app.store.change(&principal.actor(), app.clock.now()).await?;
    let user = get(change.on(), &id).await?;
    if user.state == "closed" {
        return Err(Kind::User.unknown(&id));
    }
    let letter = send_link(&app, &mut change, &id, Purpose::Join).await?;
    change.commit().await?;
    app.mailer.send(&letter).await?;
    Ok(StatusCode::ACCEPTED)
}
