//! The users of an occupier, managed by the operator, and by the occupier's own administrators.

use std::collections::BTreeSet;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use rating_core::time::Zone;
use sqlx::SqliteConnection;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::conditions::{Expected, Tagged};
use super::extract::{Asked, Body, Named};
use super::users::{add, check, send_link, to_wire, zone};
use super::{occupiers, portal, telephony};
use crate::app::App;
use crate::auth::{Principal, Role, Sites};
use crate::error::{Faults, Problem, Result};
use crate::mail::is_address;
use crate::store::reach::Kind;
use crate::store::secrets::Purpose;
use crate::store::users::User;
use crate::store::{Change, audit::Entry, contracts, users};
use crate::wire::users::{NewUser, UserSettings};
use crate::wire::{self, Page, Paging, page_limit};

/// The routes of this file.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(people))
        .routes(routes!(list, create))
        .routes(routes!(show, settle, close))
        .routes(routes!(invite_again))
}

const ADMINISTRATOR: &str = "occupier_admin";

/// The user of that id, if it is the occupier's and the caller may know of it.
async fn get(on: &mut SqliteConnection, principal: &Principal, occupier: &str, id: &str) -> Result<User> {
    let user = users::get(on, id).await?.filter(|user| user.occupier.as_deref() == Some(occupier));
    user.filter(|user| sees(principal, user)).ok_or_else(|| Kind::User.unknown(id))
}

/// Whether the caller may know of a user. Who is limited to sites: of those at one of them, for the operator; for an
/// occupier, which gives away what it has itself, of those that are at no other.
fn sees(principal: &Principal, user: &User) -> bool {
    match (principal.sites(), &user.sites) {
        (Sites::Only(own), Some(sites)) if principal.is_operator() => !sites.is_disjoint(own),
        (Sites::Only(_), None) if principal.is_operator() => true,
        (_, sites) => is_within(principal, sites.as_ref()),
    }
}

fn is_within(principal: &Principal, sites: Option<&BTreeSet<String>>) -> bool {
    match (principal.sites(), sites) {
        (Sites::All, _) => true,
        (Sites::Only(own), Some(sites)) => sites.is_subset(own),
        (Sites::Only(_), None) => false,
    }
}

/// A user on the wire, with those of its sites that the caller may see.
fn shown(principal: &Principal, zone: &Zone, mut user: User) -> wire::users::User {
    if let Some(sites) = &mut user.sites {
        sites.retain(|site| principal.sites().has(site));
    }
    to_wire(zone, user)
}

/// That the caller may change or close a user: an administrator of an occupier does not touch another one (rule 70).
fn may_touch(principal: &Principal, user: &User) -> Result<()> {
    let is_self = matches!(principal, Principal::User { id, .. } if *id == user.id);
    if principal.role() != Some(Role::OccupierAdmin) || user.role != ADMINISTRATOR || is_self {
        return Ok(());
    }
    Err(protected())
}

fn protected() -> Problem {
    Problem::new("user.administrator_protected", "an administrator is changed and closed by the operator alone")
        .help("ask the operator")
}

/// Finds what is wrong with a user's settings: its sites must be the occupier's, and the caller's.
async fn check_settings(
    on: &mut SqliteConnection,
    principal: &Principal,
    occupier: &str,
    settings: &UserSettings,
    at: &str,
    faults: &mut Faults,
) -> Result<()> {
    check(on, settings, true, at, faults).await?;
    if settings.sites.is_none() && !is_within(principal, None) {
        let help = "name some of the sites that you are at";
        faults.push(format!("{at}/sites"), "user.beyond_own_sites", "is every site, and you are limited to some", help);
    }
    let theirs: BTreeSet<String> =
        contracts::of(on, occupier, None).await?.into_iter().map(|contract| contract.site).collect();
    for site in settings.sites.iter().flatten() {
        if crate::store::sites::get(on, site).await?.is_some()
            && !(theirs.contains(site) && principal.sites().has(site))
        {
            faults.push(format!("{at}/sites"), "site.unknown", format!("there is no site `{site}`"), "");
        }
    }
    Ok(())
}

/// Lists the names of the users of an occupier, for whoever gives numbers to them; closed ones have none.
#[utoipa::path(get, path = "/api/v1/occupiers/{occupier}/people", tag = "portal", params(("occupier" = String, Path), Paging), responses(
    (status = 200, description = "Users by name", body = Page<wire::users::Named>), (status = 404)
))]
async fn people(
    State(app): State<App>,
    principal: Principal,
    Named(id): Named<String>,
    Asked(paging): Asked<Paging>,
) -> Result<axum::Json<Page<wire::users::Named>>> {
    let limit = page_limit(paging.limit)?;
    let mut reader = app.store.read().await?;
    occupiers::get(reader.on(), &id).await?;
    let found = users::list(reader.on(), Some(&id), paging.after.as_deref(), i64::MAX).await?;
    let seen = found.into_iter().filter(|user| user.state != "closed" && sees(&principal, user));
    let named = seen.filter_map(|user| Some(wire::users::Named { name: user.person?.name, id: user.id }));
    let items = named.take(usize::try_from(limit + 1).unwrap_or(usize::MAX)).collect();
    Ok(axum::Json(Page::cut(items, limit, |user: &wire::users::Named| user.id.clone())))
}

/// Lists the users of an occupier, by id.
#[utoipa::path(get, path = "/api/v1/occupiers/{occupier}/users", tag = "portal", params(("occupier" = String, Path), Paging), responses(
    (status = 200, description = "Users", body = Page<wire::users::User>), (status = 404)
))]
async fn list(
    State(app): State<App>,
    principal: Principal,
    Named(id): Named<String>,
    Asked(paging): Asked<Paging>,
) -> Result<axum::Json<Page<wire::users::User>>> {
    let limit = page_limit(paging.limit)?;
    let mut reader = app.store.read().await?;
    occupiers::get(reader.on(), &id).await?;
    let zone = zone(reader.on()).await?;
    let found = users::list(reader.on(), Some(&id), paging.after.as_deref(), i64::MAX).await?;
    let seen = found.into_iter().filter(|user| sees(&principal, user));
    let seen = seen.take(usize::try_from(limit + 1).unwrap_or(usize::MAX));
    let items = seen.map(|user| shown(&principal, &zone, user)).collect();
    Ok(axum::Json(Page::cut(items, limit, |user: &wire::users::User| user.id.clone())))
}

/// Adds a user of an occupier, and mails the invitation.
#[utoipa::path(post, path = "/api/v1/occupiers/{occupier}/users", tag = "portal", request_body = NewUser,
    params(("occupier" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "A key of your own: sent again, it is done once")),
    responses((status = 201, description = "Added and invited", body = wire::users::User), (status = 404), (status = 409), (status = 422)))]
async fn create(
    State(app): State<App>,
    principal: Principal,
    Named(id): Named<String>,
    Body(new): Body<NewUser>,
) -> Result<(StatusCode, HeaderMap, Tagged<wire::users::User>)> {
    let mut change = app.store.change(&principal.actor(), app.clock.now()).await?;
    occupiers::get_open(change.on(), &id).await?;
    portal::is_active(change.on(), &id).await?;
    let mut faults = Faults::default();
    if !is_address(new.email.trim()) {
        faults.push("/email", "field.email_malformed", "is no e-mail address", "");
    }
    check_settings(change.on(), &principal, &id, &new.settings, "/settings", &mut faults).await?;
    faults.finish()?;
    let (user, letter) = add(&app, &mut change, Some(&id), &new).await?;
    let zone = zone(change.on()).await?;
    change.commit().await?;
    app.mailer.send(&letter).await?;
    let mut headers = HeaderMap::new();
    let location = format!("/api/v1/occupiers/{id}/users/{}", user.id);
    headers.insert(header::LOCATION, HeaderValue::from_str(&location).map_err(Problem::internal)?);
    Ok((StatusCode::CREATED, headers, Tagged(user.revision, to_wire(&zone, user))))
}

/// Shows a user of an occupier.
#[utoipa::path(get, path = "/api/v1/occupiers/{occupier}/users/{user}", tag = "portal",
    params(("occupier" = String, Path), ("user" = String, Path)),
    responses((status = 200, description = "The user", body = wire::users::User), (status = 404)))]
async fn show(
    State(app): State<App>,
    principal: Principal,
    Named((occupier, id)): Named<(String, String)>,
) -> Result<Tagged<wire::users::User>> {
    let mut reader = app.store.read().await?;
    occupiers::get(reader.on(), &occupier).await?;
    let user = get(reader.on(), &principal, &occupier, &id).await?;
    let zone = zone(reader.on()).await?;
    Ok(Tagged(user.revision, shown(&principal, &zone, user)))
}

/// Changes the name, role, sites or language of a user of an occupier. Its address stays.
#[utoipa::path(put, path = "/api/v1/occupiers/{occupier}/users/{user}", tag = "portal", request_body = UserSettings,
    params(("occupier" = String, Path), ("user" = String, Path), ("If-Match" = String, Header, description = "The `ETag` of the state that is changed")),
    responses((status = 200, description = "Changed", body = wire::users::User), (status = 403), (status = 404), (status = 409), (status = 412), (status = 422), (status = 428)))]
async fn settle(
    State(app): State<App>,
    principal: Principal,
    Named((occupier, id)): Named<(String, String)>,
    expected: Expected,
    Body(settings): Body<UserSettings>,
) -> Result<Tagged<wire::users::User>> {
    let mut change = app.store.change(&principal.actor(), app.clock.now()).await?;
    occupiers::get_open(change.on(), &occupier).await?;
    let mut user = get(change.on(), &principal, &occupier, &id).await?;
    expected.meets(user.revision)?;
    may_touch(&principal, &user)?;
    let mut faults = Faults::default();
    check_settings(change.on(), &principal, &occupier, &settings, "", &mut faults).await?;
    faults.finish()?;
    let is_administrator = user.role == ADMINISTRATOR;
    if is_administrator && (settings.role != user.role || settings.sites != user.sites) {
        // Also one's own: an administrator could otherwise be taken away in two steps.
        if !principal.is_operator() {
            return Err(protected());
        }
        if settings.role != user.role {
            keep_one_administrator(&mut change, &occupier).await?;
        }
    }
    user.role = settings.role;
    user.sites = settings.sites;
    if let Some(person) = &mut user.person {
        person.name = settings.name.trim().to_owned();
        person.language = settings.language;
    }
    users::update(change.on(), &user).await?;
    let zone = zone(change.on()).await?;
    let changed = get(change.on(), &principal, &occupier, &id).await?;
    let entry = Entry::new("user.changed", format!("user:{id}")).of(&occupier);
    change.note(entry.with(serde_json::json!({ "role": user.role })));
    change.commit().await?;
    Ok(Tagged(changed.revision, to_wire(&zone, changed)))
}

/// That an active portal keeps somebody who can manage its users.
async fn keep_one_administrator(change: &mut Change, occupier: &str) -> Result<()> {
    let is_needed = portal::is_active(change.on(), occupier).await.is_ok();
    if !is_needed || users::count(change.on(), Some(occupier), ADMINISTRATOR).await? > 1 {
        return Ok(());
    }
    Err(Problem::new("user.last_administrator", "this is the last administrator of the occupier")
        .help("make another one first, or deactivate the portal"))
}

/// Closes a user of an occupier: it signs in no more, and its name and address are erased.
#[utoipa::path(delete, path = "/api/v1/occupiers/{occupier}/users/{user}", tag = "portal",
    params(("occupier" = String, Path), ("user" = String, Path)),
    responses((status = 204, description = "Closed"), (status = 403), (status = 404), (status = 409)))]
async fn close(
    State(app): State<App>,
    principal: Principal,
    Named((occupier, id)): Named<(String, String)>,
) -> Result<StatusCode> {
    let mut change = app.store.change(&principal.actor(), app.clock.now()).await?;
    occupiers::get(change.on(), &occupier).await?;
    let user = get(change.on(), &principal, &occupier, &id).await?;
    if user.state == "closed" {
        return Ok(StatusCode::NO_CONTENT);
    }
    if user.role == ADMINISTRATOR {
        if !principal.is_operator() {
            return Err(protected());
        }
        keep_one_administrator(&mut change, &occupier).await?;
    }
    erase(&mut change, &occupier, &id).await?;
    change.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Closes and erases a user of an occupier within a change.
pub(super) async fn erase(change: &mut Change, occupier: &str, id: &str) -> Result<()> {
    let at = change.at();
    telephony::user_closed(change, occupier, id).await?;
    users::close(change.on(), id, at).await?;
    change.note(Entry::new("user.closed", format!("user:{id}")).of(occupier));
    Ok(())
}

/// Mails a user of an occupier a new link to choose a password; earlier links are void.
#[utoipa::path(post, path = "/api/v1/occupiers/{occupier}/users/{user}/invitation", tag = "portal",
    params(("occupier" = String, Path), ("user" = String, Path)),
    responses((status = 202, description = "The mail was handed over"), (status = 404), (status = 409), (status = 502)))]
async fn invite_again(
    State(app): State<App>,
    principal: Principal,
    Named((occupier, id)): Named<(String, String)>,
) -> Result<StatusCode> {
    let mut change = app.store.change(&principal.actor(), app.clock.now()).await?;
    occupiers::get_open(change.on(), &occupier).await?;
    let user = get(change.on(), &principal, &occupier, &id).await?;
    if user.state == "closed" {
        return Err(Kind::User.unknown(&id));
    }
    may_touch(&principal, &user)?;
    portal::is_active(change.on(), &occupier).await?;
    let letter = send_link(&app, &mut change, &id, Purpose::Join).await?;
    change.commit().await?;
    app.mailer.send(&letter).await?;
    Ok(StatusCode::ACCEPTED)
}
