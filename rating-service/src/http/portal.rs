//! The portal of an occupier: opened to it by the operator, with what it may see, and closed again.

use axum::extract::State;
use rating_core::time::{Instant, Zone};
use sqlx::SqliteConnection;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::conditions::{Expected, Tagged};
use super::extract::{Body, Named};
use super::{occupiers, users as operators};
use crate::app::App;
use crate::auth::Principal;
use crate::error::{Faults, Problem, Result};
use crate::mail::{Letter, is_address};
use crate::store::portal::{self, Level, Portal};
use crate::store::secrets::Purpose;
use crate::store::{audit::Entry, operator, users};
use crate::wire;
use crate::wire::portal::{Activation, Administrator, CalledNumbers, check_text};
use crate::wire::users::{NewUser, UserSettings};

/// The routes of this file.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(show, settle))
        .routes(routes!(preview))
        .routes(routes!(activate))
        .routes(routes!(deactivate))
}

/// What the mail says unless the operator says otherwise.
const TEXT: &str = "\
Dear {name},

{operator} opens its portal of call charges and numbers to {occupier}, and makes you its administrator. The portal is here:

{portal}

Choose a password here first; the link is good once, and for seven days:

{link}

You can then invite your colleagues yourself. If you did not expect this mail, do nothing.
";

fn level_to_wire(level: Level) -> wire::portal::Level {
    wire::portal::Level {
        summary_charges: level.summary,
        itemised_calls: level.itemised,
        called_numbers: if level.called_in_full { CalledNumbers::Full } else { CalledNumbers::Masked },
        usage_to_date: level.usage,
        allowance_left: level.allowance,
    }
}

const fn level_from_wire(level: wire::portal::Level) -> Level {
    Level {
        summary: level.summary_charges,
        itemised: level.itemised_calls,
        called_in_full: matches!(level.called_numbers, CalledNumbers::Full),
        usage: level.usage_to_date,
        allowance: level.allowance_left,
    }
}

fn to_wire(zone: &Zone, portal: Portal) -> Tagged<wire::portal::Portal> {
    let shown = wire::portal::Portal {
        active: portal.is_active,
        level: level_to_wire(portal.level),
        activated_at: zone.format(portal.activated_at),
        deactivated_at: portal.deactivated_at.map(|at| zone.format(at)),
    };
    Tagged(portal.revision, shown)
}

async fn get(on: &mut SqliteConnection, occupier: &str) -> Result<Portal> {
    let never = || {
        Problem::new("portal.never_activated", format!("the portal of `{occupier}` was never activated"))
            .help("activate it first")
    };
    portal::get(on, occupier).await?.ok_or_else(never)
}

/// That an occupier's portal is active: its users can do nothing without it.
pub(super) async fn is_active(on: &mut SqliteConnection, occupier: &str) -> Result<()> {
    if portal::get(on, occupier).await?.is_some_and(|portal| portal.is_active) {
        return Ok(());
    }
    Err(Problem::new("portal.inactive", format!("the portal of `{occupier}` is not active")).help("activate it first"))
}

/// Shows whether an occupier's portal is active, and what it shows.
#[utoipa::path(get, path = "/api/v1/occupiers/{occupier}/portal", tag = "portal", params(("occupier" = String, Path)), responses(
    (status = 200, description = "The portal", body = wire::portal::Portal), (status = 404)
))]
async fn show(State(app): State<App>, Named(id): Named<String>) -> Result<Tagged<wire::portal::Portal>> {
    let mut reader = app.store.read().await?;
    occupiers::get(reader.on(), &id).await?;
    let zone = operators::zone(reader.on()).await?;
    Ok(to_wire(&zone, get(reader.on(), &id).await?))
}

/// Changes what an occupier may see, as agreed with it. Each change stands in the audit log.
#[utoipa::path(put, path = "/api/v1/occupiers/{occupier}/portal", tag = "portal", request_body = wire::portal::Level,
    params(("occupier" = String, Path), ("If-Match" = String, Header, description = "The `ETag` of the state that is changed")),
    responses((status = 200, description = "Changed", body = wire::portal::Portal), (status = 404), (status = 409), (status = 412), (status = 428)))]
async fn settle(
    State(app): State<App>,
    principal: Principal,
    Named(id): Named<String>,
    expected: Expected,
    Body(level): Body<wire::portal::Level>,
) -> Result<Tagged<wire::portal::Portal>> {
    let mut change = app.store.change(&principal.actor(), app.clock.now()).await?;
    occupiers::get_open(change.on(), &id).await?;
    let mut portal = get(change.on(), &id).await?;
    expected.meets(portal.revision)?;
    let before = level_to_wire(portal.level);
    portal.level = level_from_wire(level);
    portal::put(change.on(), &portal).await?;
    let details = serde_json::json!({ "before": before, "level": level });
    change.note(Entry::new("portal.level_changed", format!("occupier:{id}")).of(&id).with(details));
    let zone = operators::zone(change.on()).await?;
    let changed = get(change.on(), &id).await?;
    change.commit().await?;
    Ok(to_wire(&zone, changed))
}

/// Whom the mail of an activation goes to.
enum Recipient {
    /// Somebody who becomes administrator.
    New(Administrator),
    /// An administrator that there is: its id and who it is.
    Known(String, users::Person),
}

impl Recipient {
    fn name_and_email(&self) -> (&str, &str) {
        match self {
            Self::New(administrator) => (&administrator.name, administrator.email.trim()),
            Self::Known(_, person) => (&person.name, &person.email),
        }
    }
}

/// What an activation needs, all of it checked.
struct Ready {
    recipient: Recipient,
    level: Level,
    template: String,
}

/// Checks whether an occupier's portal can be activated as asked (rule 73).
async fn ready(on: &mut SqliteConnection, id: &str, given: Activation) -> Result<Ready> {
    let occupier = occupiers::get_open(on, id).await?;
    let earlier = portal::get(on, id).await?;
    if earlier.as_ref().is_some_and(|portal| portal.is_active) {
        return Err(Problem::new("portal.active", format!("the portal of `{id}` is active already"))
            .help("change what it shows, or deactivate it first"));
    }
    if occupier.contact.is_none() {
        return Err(Problem::new("portal.contact_missing", format!("nobody has said whom to write to at `{id}`"))
            .help("say it: PUT /api/v1/occupiers/{occupier}/contact; or have your customer system send it: PUT /api/v1/occupiers/by-external-id/{system}/{identifier}"));
    }
    let mut faults = Faults::default();
    let level = given.level.map(level_from_wire).or(earlier.map(|portal| portal.level));
    if level.is_none() {
        faults.push("/level", "portal.level_missing", "is missing", "say what the occupier may see");
    }
    let known = users::list(on, Some(id), None, i64::MAX).await?;
    let mut administrators: Vec<_> =
        known.into_iter().filter(|user| user.role == "occupier_admin" && user.state != "closed").collect();
    administrators.sort_by_key(|user| user.created_at);
    let first = administrators.into_iter().find_map(|user| Some(Recipient::Known(user.id, user.person?)));
    if let Some(administrator) = &given.administrator {
        faults.text("/administrator/name", &administrator.name, 200);
        if !is_address(administrator.email.trim()) {
            faults.push("/administrator/email", "field.email_malformed", "is no e-mail address", "");
        }
    }
    let recipient = given.administrator.map(Recipient::New).or(first);
    if recipient.is_none() {
        let help = "name the first administrator: somebody must be able to sign in";
        faults.push("/administrator", "portal.administrator_missing", "is missing", help);
    }
    if let Some(text) = &given.text {
        check_text(text, &mut faults);
    }
    faults.finish()?;
    let template = given.text.unwrap_or_else(|| TEXT.to_owned());
    match (recipient, level) {
        (Some(recipient), Some(level)) => Ok(Ready { recipient, level, template }),
        _ => Err(Problem::internal("an activation without a fault")),
    }
}

/// The mail of an activation.
async fn letter(on: &mut SqliteConnection, app: &App, id: &str, ready: &Ready, link: &str) -> Result<Letter> {
    let operator = operator::get(on).await?.map(|operator| operator.name).unwrap_or_default();
    let occupier = occupiers::get(on, id).await?.name;
    let (name, email) = ready.recipient.name_and_email();
    // In one go, so that a name cannot bring a placeholder of its own.
    let portal = format!("{}/", app.config.url());
    let values = [
        ("{name}", name),
        ("{operator}", &operator),
        ("{occupier}", &occupier),
        ("{portal}", &portal),
        ("{link}", link),
    ];
    let mut text = String::new();
    let mut rest = ready.template.as_str();
    while let Some(at) = rest.find('{') {
        let (before, from) = rest.split_at(at);
        text.push_str(before);
        match values.iter().find(|(placeholder, _)| from.starts_with(placeholder)) {
            Some((placeholder, value)) => {
                text.push_str(value);
                rest = from.strip_prefix(placeholder).unwrap_or_default();
            }
            None => {
                text.push('{');
                rest = from.strip_prefix('{').unwrap_or_default();
            }
        }
    }
    text.push_str(rest);
    Ok(Letter {
        to: email.to_owned(),
        subject: format!("{operator}: your portal of call charges and numbers"),
        text: text.replace("\r\n", "\n"),
    })
}

/// Shows the mail that an activation would send, with its link left open. Nothing is sent or changed.
#[utoipa::path(post, path = "/api/v1/occupiers/{occupier}/portal/preview", tag = "portal", request_body = Activation,
    params(("occupier" = String, Path)),
    responses((status = 200, description = "The mail", body = wire::portal::Preview), (status = 404), (status = 409), (status = 422)))]
async fn preview(
    State(app): State<App>,
    Named(id): Named<String>,
    Body(given): Body<Activation>,
) -> Result<axum::Json<wire::portal::Preview>> {
    let mut reader = app.store.read().await?;
    let ready = ready(reader.on(), &id, given).await?;
    let link = format!("{}/join#…", app.config.url());
    let Letter { to, subject, text } = letter(reader.on(), &app, &id, &ready, &link).await?;
    Ok(axum::Json(wire::portal::Preview { to, subject, text, template: ready.template }))
}

/// Activates an occupier's portal, for the first time or again: makes its first administrator if one is given, and sends one
/// mail with the portal's address and a link that is good once.
#[utoipa::path(post, path = "/api/v1/occupiers/{occupier}/portal/activate", tag = "portal", request_body = Activation,
    params(("occupier" = String, Path), ("Idempotency-Key" = Option<String>, Header, description = "A key of your own: sent again, it is done once")),
    responses((status = 200, description = "Active", body = wire::portal::Portal), (status = 404), (status = 409), (status = 422), (status = 502)))]
async fn activate(
    State(app): State<App>,
    principal: Principal,
    Named(id): Named<String>,
    Body(given): Body<Activation>,
) -> Result<Tagged<wire::portal::Portal>> {
    let mut change = app.store.change(&principal.actor(), app.clock.now()).await?;
    let ready = ready(change.on(), &id, given).await?;
    let deactivated_at = portal::get(change.on(), &id).await?.and_then(|portal| portal.deactivated_at);
    let portal = Portal {
        occupier: id.clone(),
        is_active: true,
        level: ready.level,
        activated_at: change.at(),
        deactivated_at,
        revision: 1,
    };
    portal::put(change.on(), &portal).await?;
    let details = serde_json::json!({ "level": level_to_wire(ready.level) });
    change.note(Entry::new("portal.activated", format!("occupier:{id}")).of(&id).with(details));
    let user = match &ready.recipient {
        Recipient::Known(user, _) => user.clone(),
        Recipient::New(administrator) => {
            let settings = UserSettings {
                name: administrator.name.clone(),
                role: "occupier_admin".to_owned(),
                sites: None,
                language: "en".to_owned(),
            };
            let new = NewUser { email: administrator.email.clone(), settings };
            operators::insert(&mut change, Some(&id), &new).await?.id
        }
    };
    let (_, link) = operators::link(&app, &mut change, &user, Purpose::Join).await?;
    let letter = letter(change.on(), &app, &id, &ready, &link).await?;
    let zone = operators::zone(change.on()).await?;
    let activated = get(change.on(), &id).await?;
    change.commit().await?;
    app.mailer.send(&letter).await?;
    Ok(to_wire(&zone, activated))
}

/// Deactivates an occupier's portal: its users are out at once, everything is kept, and it can be activated again.
#[utoipa::path(post, path = "/api/v1/occupiers/{occupier}/portal/deactivate", tag = "portal", params(("occupier" = String, Path)), responses(
    (status = 200, description = "Not active", body = wire::portal::Portal), (status = 404), (status = 409)
))]
async fn deactivate(
    State(app): State<App>,
    principal: Principal,
    Named(id): Named<String>,
) -> Result<Tagged<wire::portal::Portal>> {
    let mut change = app.store.change(&principal.actor(), app.clock.now()).await?;
    occupiers::get(change.on(), &id).await?;
    let portal = get(change.on(), &id).await?;
    if !portal.is_active {
        return Err(Problem::new("portal.inactive", format!("the portal of `{id}` is not active")));
    }
    close(change.on(), portal, app.clock.now()).await?;
    change.note(Entry::new("portal.deactivated", format!("occupier:{id}")).of(&id));
    let zone = operators::zone(change.on()).await?;
    let closed = get(change.on(), &id).await?;
    change.commit().await?;
    Ok(to_wire(&zone, closed))
}

/// Ends the access of an occupier's users.
pub(super) async fn close(on: &mut SqliteConnection, mut portal: Portal, at: Instant) -> Result<()> {
    portal.is_active = false;
    portal.deactivated_at = Some(at);
    portal::put(on, &portal).await?;
    portal::end_access(on, &portal.occupier).await
}
