//! What happens to calls: business hours, site schedules, main numbers, and what each number does with its calls.

use axum::extract::State;
use axum::http::StatusCode;
use rating_core::directory::lifecycle::{Kind as NumberKind, State as NumberState, may_configure};
use rating_core::directory::main_number::{
    Configuration, Event, Hours, Known, Period, check, check_event, check_hours, resolve,
};
use rating_core::number::E164;
use rating_core::time::Zone;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::conditions::{Expected, Tagged};
use super::extract::{Asked, Body, Named};
use super::numbers::is_own;
use super::sites::get as site_of;
use crate::app::App;
use crate::auth::{Principal, Role, password};
use crate::error::{Faults, Problem, Result};
use crate::store::handling::{self, Part, SiteEvent};
use crate::store::numbers::{self, Number};
use crate::store::reach::Kind;
use crate::store::sites::Site;
use crate::store::{audit::Entry, secrets, sites};
use crate::wire::handling as wire;
use crate::wire::{Page, moment};

/// The routes of this file.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(hours, set_hours))
        .routes(routes!(schedule, add_event))
        .routes(routes!(add_holidays))
        .routes(routes!(remove_event))
        .routes(routes!(main_number, set_main_number))
        .routes(routes!(handled_at))
        .routes(routes!(features, set_features))
        .routes(routes!(reset_pin))
        .routes(routes!(set_code, remove_code))
}

fn zone_of(site: &Site) -> Zone {
    Zone::load(&site.zone).unwrap_or_else(Zone::utc)
}

fn hours_of(site: &Site) -> Hours {
    let kept: Option<wire::BusinessHours> = serde_json::from_str(&site.business_hours).ok();
    kept.map_or_else(Hours::default, |hours| hours.read(&mut Faults::default()))
}

/// The weekly business hours of a site.
#[utoipa::path(get, path = "/api/v1/sites/{site}/business-hours", tag = "main numbers", params(("site" = String, Path)),
    responses((status = 200, description = "Hours", body = wire::BusinessHours), (status = 404)))]
async fn hours(State(app): State<App>, Named(id): Named<String>) -> Result<Tagged<wire::BusinessHours>> {
    let site = site_of(app.store.read().await?.on(), &id).await?;
    Ok(Tagged(site.revision, wire::BusinessHours::of(&hours_of(&site))))
}

/// Changes the weekly business hours of a site. They are not the bands of a tariff.
#[utoipa::path(put, path = "/api/v1/sites/{site}/business-hours", tag = "main numbers", request_body = wire::BusinessHours,
    params(("site" = String, Path), ("If-Match" = String, Header, description = "The `ETag` of the state that is changed")),
    responses((status = 200, description = "Changed", body = wire::BusinessHours), (status = 404), (status = 412), (status = 422), (status = 428)))]
async fn set_hours(
    State(app): State<App>,
    principal: Principal,
    Named(id): Named<String>,
    expected: Expected,
    Body(given): Body<wire::BusinessHours>,
) -> Result<Tagged<wire::BusinessHours>> {
    let mut faults = Faults::default();
    let hours = given.read(&mut faults);
    faults.finish()?;
    check_hours(&hours)?;
    let mut change = app.store.change(&principal.actor(), app.clock.now()).await?;
    let site = site_of(change.on(), &id).await?;
    expected.meets(site.revision)?;
    let kept = wire::BusinessHours::of(&hours);
    let text = serde_json::to_string(&kept).map_err(Problem::internal)?;
    handling::set_hours(change.on(), &id, &text).await?;
    change.note(Entry::new("site.business_hours_changed", format!("site:{id}")).at(&id));
    change.commit().await?;
    Ok(Tagged(site.revision + 1, kept))
}

fn shown(id: String, event: wire::NewScheduleEvent) -> wire::ScheduleEvent {
    let wire::NewScheduleEvent { name, from, until } = event;
    wire::ScheduleEvent { id, name, from, until }
}

async fn events(on: &mut sqlx::SqliteConnection, site: &Site) -> Result<Vec<(String, wire::NewScheduleEvent, Event)>> {
    let zone = zone_of(site);
    let kept = handling::schedule(on, &site.id).await?;
    let read = kept.into_iter().filter_map(|event| {
        let given: wire::NewScheduleEvent = serde_json::from_str(&event.content).ok()?;
        let read = given.read(&zone, &mut Faults::default())?;
        Some((event.id, given, read))
    });
    Ok(read.collect())
}

/// What closes a site for a while, besides its hours.
#[utoipa::path(get, path = "/api/v1/sites/{site}/schedule", tag = "main numbers", params(("site" = String, Path)),
    responses((status = 200, description = "Events", body = Page<wire::ScheduleEvent>), (status = 404)))]
async fn schedule(State(app): State<App>, Named(id): Named<String>) -> Result<axum::Json<Page<wire::ScheduleEvent>>> {
    let mut reader = app.store.read().await?;
    let site = site_of(reader.on(), &id).await?;
    let zone = zone_of(&site);
    let mut all = events(reader.on(), &site).await?;
    all.sort_by_key(|(id, _, event)| (event.interval(&zone).from, id.clone()));
    let items = all.into_iter().map(|(id, event, _)| shown(id, event)).collect();
    Ok(axum::Json(Page { items, next: None }))
}

/// Adds to a site's schedule: whole days, or from one instant until another.
#[utoipa::path(post, path = "/api/v1/sites/{site}/schedule", tag = "main numbers", request_body = wire::NewScheduleEvent,
    params(("site" = String, Path)),
    responses((status = 201, description = "Added", body = wire::ScheduleEvent), (status = 404), (status = 422)))]
async fn add_event(
    State(app): State<App>,
    principal: Principal,
    Named(id): Named<String>,
    Body(given): Body<wire::NewScheduleEvent>,
) -> Result<(StatusCode, axum::Json<wire::ScheduleEvent>)> {
    let mut change = app.store.change(&principal.actor(), app.clock.now()).await?;
    let site = site_of(change.on(), &id).await?;
    let mut faults = Faults::default();
    let event = given.read(&zone_of(&site), &mut faults);
    faults.finish()?;
    if let Some(event) = event {
        check_event(&event, &zone_of(&site))?;
    }
    let kept = add(&mut change, &id, given).await?;
    change.note(
        Entry::new("site.event_added", format!("site:{id}")).at(&id).with(serde_json::json!({ "event": kept.id })),
    );
    change.commit().await?;
    Ok((StatusCode::CREATED, axum::Json(kept)))
}

async fn add(
    change: &mut crate::store::Change,
    site: &str,
    event: wire::NewScheduleEvent,
) -> Result<wire::ScheduleEvent> {
    let content = serde_json::to_string(&event).map_err(Problem::internal)?;
    let id = secrets::fresh_id("event")?;
    let kept = SiteEvent { id: id.clone(), site: site.to_owned(), name: event.name.clone(), content };
    let at = change.at();
    handling::add_event(change.on(), &kept, at).await?;
    Ok(shown(id, event))
}

/// Adds the holidays of a year to a site's schedule, those that are not there yet: bank holidays in one step.
#[utoipa::path(post, path = "/api/v1/sites/{site}/schedule/holidays", tag = "main numbers", request_body = wire::Holidays,
    params(("site" = String, Path)),
    responses((status = 200, description = "What was added", body = Page<wire::ScheduleEvent>), (status = 404), (status = 422)))]
async fn add_holidays(
    State(app): State<App>,
    principal: Principal,
    Named(id): Named<String>,
    Body(which): Body<wire::Holidays>,
) -> Result<axum::Json<Page<wire::ScheduleEvent>>> {
    let mut change = app.store.change(&principal.actor(), app.clock.now()).await?;
    let site = site_of(change.on(), &id).await?;
    let calendars = which.calendar.map_or_else(|| site.holidays.clone(), |calendar| vec![calendar]);
    if calendars.is_empty() {
        return Err(Problem::new("request.invalid", "the site has no calendar of holidays").help("name one: `GB-ENG`"));
    }
    let there: Vec<Event> = events(change.on(), &site).await?.into_iter().map(|(_, _, event)| event).collect();
    let zone = zone_of(&site);
    let mut items = Vec::new();
    for calendar in calendars {
        let days = rating_core::run::holidays(&calendar).ok_or_else(|| {
            Problem::new("request.invalid", format!("there is no built-in calendar `{calendar}`"))
                .help("`GB-ENG`, `IE`, …")
        })?;
        for day in days.into_iter().filter(|day| day.to_string().starts_with(&format!("{:04}-", which.year))) {
            let start = zone.start_of(day.midnight());
            if there.iter().any(|event| event.interval(&zone).contains(start)) {
                continue;
            }
            let event = wire::NewScheduleEvent {
                name: format!("Holiday ({calendar})"),
                from: day.to_string(),
                until: day.tomorrow().to_string(),
            };
            items.push(add(&mut change, &id, event).await?);
        }
    }
    if !items.is_empty() {
        let details = serde_json::json!({ "year": which.year, "days": items.len() });
        change.note(Entry::new("site.holidays_added", format!("site:{id}")).at(&id).with(details));
        change.commit().await?;
    }
    Ok(axum::Json(Page { items, next: None }))
}

/// Takes something off a site's schedule.
#[utoipa::path(delete, path = "/api/v1/sites/{site}/schedule/{event}", tag = "main numbers",
    params(("site" = String, Path), ("event" = String, Path)),
    responses((status = 204, description = "Taken off"), (status = 404)))]
async fn remove_event(
    State(app): State<App>,
    principal: Principal,
    Named((id, event)): Named<(String, String)>,
) -> Result<StatusCode> {
    let mut change = app.store.change(&principal.actor(), app.clock.now()).await?;
    if !handling::remove_event(change.on(), &id, &event).await? {
        return Err(Problem::new("site.event_unknown", format!("there is no event `{event}` on the schedule")));
    }
    change.note(Entry::new("site.event_removed", format!("site:{id}")).at(&id));
    change.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A number in use, for whoever may configure it.
async fn configurable(on: &mut sqlx::SqliteConnection, principal: &Principal, text: &str) -> Result<Number> {
    let unknown = || Kind::Number.unknown(text);
    let which = Some(text).filter(|text| text.starts_with('+')).and_then(|text| E164::parse(text.as_bytes()));
    let number = numbers::get(on, which.ok_or_else(unknown)?).await?.ok_or_else(unknown)?;
    if principal.role() == Some(Role::OccupierView) && !is_own(principal, &number.facts) {
        return Err(unknown());
    }
    may_configure(&number.facts)?;
    Ok(number)
}

async fn main(on: &mut sqlx::SqliteConnection, principal: &Principal, text: &str) -> Result<Number> {
    let number = configurable(on, principal, text).await?;
    if number.facts.kind == NumberKind::Main {
        return Ok(number);
    }
    Err(Problem::new("main_number.not_main", format!("{text} is no main number")).help("nominate it before it is used"))
}

fn kept(settings: &handling::Settings) -> wire::MainNumber {
    settings.handling.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}

/// What a main number does with its calls.
#[utoipa::path(get, path = "/api/v1/numbers/{number}/handling", tag = "main numbers", params(("number" = String, Path)),
    responses((status = 200, description = "Its configuration", body = wire::MainNumber), (status = 404), (status = 409)))]
async fn main_number(
    State(app): State<App>,
    principal: Principal,
    Named(text): Named<String>,
) -> Result<Tagged<wire::MainNumber>> {
    let mut reader = app.store.read().await?;
    main(reader.on(), &principal, &text).await?;
    let settings = handling::get(reader.on(), &text).await?;
    Ok(Tagged(settings.revision, kept(&settings)))
}

/// Changes what a main number does with its calls.
#[utoipa::path(put, path = "/api/v1/numbers/{number}/handling", tag = "main numbers", request_body = wire::MainNumber,
    params(("number" = String, Path), ("If-Match" = String, Header, description = "The `ETag` of the state that is changed")),
    responses((status = 200, description = "Changed", body = wire::MainNumber), (status = 404), (status = 409), (status = 412), (status = 422), (status = 428)))]
async fn set_main_number(
    State(app): State<App>,
    principal: Principal,
    Named(text): Named<String>,
    expected: Expected,
    Body(given): Body<wire::MainNumber>,
) -> Result<Tagged<wire::MainNumber>> {
    let mut faults = Faults::default();
    let configuration = given.read(&mut faults);
    faults.finish()?;
    let mut change = app.store.change(&principal.actor(), app.clock.now()).await?;
    let number = main(change.on(), &principal, &text).await?;
    let settings = handling::get(change.on(), &text).await?;
    expected.meets(settings.revision)?;
    let own = own_numbers(change.on(), &number).await?;
    check(&configuration, Known { number: number.facts.number, own_numbers: &own })?;
    let content = serde_json::to_string(&given).map_err(Problem::internal)?;
    handling::set(change.on(), &text, Part::Handling, Some(&content)).await?;
    change.note(entry("main_number.changed", &number));
    change.commit().await?;
    Ok(Tagged(settings.revision + 1, given))
}

/// The holder's other numbers at the site that are in use.
async fn own_numbers(on: &mut sqlx::SqliteConnection, number: &Number) -> Result<Vec<E164>> {
    let filter = numbers::Filter {
        site: Some(number.facts.site.clone()),
        holder: number.facts.holder.as_ref().map(|holder| holder.id().to_owned()),
        state: Some(NumberState::Active.name().to_owned()),
        limit: i64::MAX,
        ..numbers::Filter::default()
    };
    let all = numbers::list(on, &filter).await?.into_iter().map(|found| found.facts.number);
    Ok(all.filter(|found| *found != number.facts.number).collect())
}

fn entry(action: &'static str, number: &Number) -> Entry {
    let mut entry = Entry::new(action, format!("number:{}", number.facts.number)).at(&number.facts.site);
    let holder = number.facts.holder.as_ref().filter(|holder| !holder.is_operator());
    entry.occupier = holder.map(|holder| holder.id().to_owned());
    entry
}

/// Which instant.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct At {
    /// An instant with its offset, what the site's clock shows (`2026-12-25T14:00`), or a day at the site (its first
    /// moment); left out, now.
    at: Option<String>,
}

/// Says what happens to a call to a main number at an instant, and why.
#[utoipa::path(get, path = "/api/v1/numbers/{number}/handling/at", tag = "main numbers", params(("number" = String, Path), At),
    responses((status = 200, description = "What happens", body = wire::Handled), (status = 404), (status = 409)))]
async fn handled_at(
    State(app): State<App>,
    principal: Principal,
    Named(text): Named<String>,
    Asked(when): Asked<At>,
) -> Result<axum::Json<wire::Handled>> {
    let mut reader = app.store.read().await?;
    let number = main(reader.on(), &principal, &text).await?;
    let site = sites::get(reader.on(), &number.facts.site).await?.ok_or_else(|| Kind::Number.unknown(&text))?;
    let zone = zone_of(&site);
    let at = match when.at {
        None => app.clock.now(),
        Some(given) => moment(&zone, &given).ok_or_else(|| {
            Problem::new("request.parameter_malformed", format!("`{given}` is neither a day nor an instant"))
                .help("2026-12-25, 2026-12-25T14:00 or 2026-12-25T14:00:00+00:00 (in an address, `+` is written `%2B`)")
        })?,
    };
    let given = kept(&handling::get(reader.on(), &text).await?);
    let configuration: Configuration = given.read(&mut Faults::default());
    let events: Vec<Event> = events(reader.on(), &site).await?.into_iter().map(|(_, _, event)| event).collect();
    let handled = resolve(&configuration, &hours_of(&site), &events, &zone, at);
    let (period, answer) = match handled.period {
        Period::InHours => ("in_hours", given.in_hours),
        Period::OutOfHours => ("out_of_hours", given.out_of_hours),
    };
    Ok(axum::Json(wire::Handled {
        at: zone.format(at),
        period: period.to_owned(),
        answer,
        greeting: handled.greeting.map(str::to_owned),
        why: handled.why.iter().map(|reason| reason.in_words(&zone)).collect(),
        until: handled.until.map(|until| zone.format(until)),
    }))
}

/// What a number does with its calls.
#[utoipa::path(get, path = "/api/v1/numbers/{number}/features", tag = "numbers", params(("number" = String, Path)),
    responses((status = 200, description = "Its features", body = wire::Features), (status = 404), (status = 409)))]
async fn features(
    State(app): State<App>,
    principal: Principal,
    Named(text): Named<String>,
) -> Result<Tagged<wire::Features>> {
    let mut reader = app.store.read().await?;
    configurable(reader.on(), &principal, &text).await?;
    let settings = handling::get(reader.on(), &text).await?;
    Ok(Tagged(settings.revision, serde_json::from_str(&settings.features).unwrap_or_default()))
}

/// Changes what a number does with its calls. Users with the right to view change their own alone.
#[utoipa::path(put, path = "/api/v1/numbers/{number}/features", tag = "numbers", request_body = wire::Features,
    params(("number" = String, Path), ("If-Match" = String, Header, description = "The `ETag` of the state that is changed")),
    responses((status = 200, description = "Changed", body = wire::Features), (status = 404), (status = 409), (status = 412), (status = 422), (status = 428)))]
async fn set_features(
    State(app): State<App>,
    principal: Principal,
    Named(text): Named<String>,
    expected: Expected,
    Body(given): Body<wire::Features>,
) -> Result<Tagged<wire::Features>> {
    let mut faults = Faults::default();
    given.check(&mut faults);
    faults.finish()?;
    let mut change = app.store.change(&principal.actor(), app.clock.now()).await?;
    let number = configurable(change.on(), &principal, &text).await?;
    let settings = handling::get(change.on(), &text).await?;
    expected.meets(settings.revision)?;
    let content = serde_json::to_string(&given).map_err(Problem::internal)?;
    handling::set(change.on(), &text, Part::Features, Some(&content)).await?;
    change.note(entry("number.features_changed", &number));
    change.commit().await?;
    Ok(Tagged(settings.revision + 1, given))
}

/// Gives a number another PIN, which is shown this once and kept as its hash.
#[utoipa::path(post, path = "/api/v1/numbers/{number}/pin-resets", tag = "numbers", params(("number" = String, Path)),
    responses((status = 200, description = "The PIN", body = wire::ResetPin), (status = 404), (status = 409)))]
async fn reset_pin(
    State(app): State<App>,
    principal: Principal,
    Named(text): Named<String>,
) -> Result<axum::Json<wire::ResetPin>> {
    configurable(app.store.read().await?.on(), &principal, &text).await?;
    let random = secrets::fresh()?;
    let digits = u64::from_str_radix(random.get(..12).unwrap_or("0"), 16).map_err(Problem::internal)?;
    let pin = format!("{:06}", digits % 1_000_000);
    let hash = password::hash(pin.clone()).await?;
    let mut change = app.store.change(&principal.actor(), app.clock.now()).await?;
    let number = configurable(change.on(), &principal, &text).await?;
    handling::set(change.on(), &text, Part::Pin, Some(&hash)).await?;
    change.note(entry("number.pin_reset", &number));
    change.commit().await?;
    Ok(axum::Json(wire::ResetPin { pin }))
}

/// Sets the code that calls from a number need, emergency calls apart.
#[utoipa::path(put, path = "/api/v1/numbers/{number}/authorization-code", tag = "numbers", params(("number" = String, Path)),
    request_body = wire::AuthorizationCode, responses((status = 204, description = "Set"), (status = 404), (status = 409), (status = 422)))]
async fn set_code(
    State(app): State<App>,
    principal: Principal,
    Named(text): Named<String>,
    Body(given): Body<wire::AuthorizationCode>,
) -> Result<StatusCode> {
    if !(4..=10).contains(&given.code.len()) || !given.code.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Problem::new("request.invalid", "a code has four to ten digits"));
    }
    configurable(app.store.read().await?.on(), &principal, &text).await?;
    let hash = password::hash(given.code).await?;
    let mut change = app.store.change(&principal.actor(), app.clock.now()).await?;
    let number = configurable(change.on(), &principal, &text).await?;
    handling::set(change.on(), &text, Part::AuthorizationCode, Some(&hash)).await?;
    change.note(entry("number.authorization_code_set", &number));
    change.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes the code away: calls from the number need none.
#[utoipa::path(delete, path = "/api/v1/numbers/{number}/authorization-code", tag = "numbers", params(("number" = String, Path)),
    responses((status = 204, description = "Taken away"), (status = 404), (status = 409)))]
async fn remove_code(State(app): State<App>, principal: Principal, Named(text): Named<String>) -> Result<StatusCode> {
    let mut change = app.store.change(&principal.actor(), app.clock.now()).await?;
    let number = configurable(change.on(), &principal, &text).await?;
    handling::set(change.on(), &text, Part::AuthorizationCode, None).await?;
    change.note(entry("number.authorization_code_removed", &number));
    change.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
