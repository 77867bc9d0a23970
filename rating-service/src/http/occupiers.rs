//! Occupiers.

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rating_core::directory::contracts::{self, State as Contracted};
use rating_core::time::{Instant, Zone};
use serde::Deserialize;
use sqlx::SqliteConnection;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::conditions::{Expected, Tagged};
use super::extract::{Asked, Body, Named};
use super::users::zone;
use crate::app::App;
use crate::auth::{Principal, Sites, unknown_occupier};
use crate::error::{Faults, Problem, Result};
use crate::mail::is_address;
use crate::store::occupiers::{Contact, Filter, Identifier, Occupier};
use crate::store::{Change, audit::Entry, occupiers, secrets, sites};
use crate::wire::occupiers::{ExternalIdentifier, Kind, OccupierSettings, Standing};
use crate::wire::{self, Page, page_limit};

/// The routes of this file.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(show, settle))
        .routes(routes!(sync))
        .routes(routes!(set_contact))
}

/// Ids that no occupier can have: addresses have them in its place, and who signs in says by one that the operator is meant.
const KEPT_IDS: [&str; 3] = ["by-external-id", "new", "operator"];

/// The occupier of that id.
pub(super) async fn get(on: &mut SqliteConnection, id: &str) -> Result<Occupier> {
    occupiers::get(on, id).await?.ok_or_else(|| unknown_occupier(id))
}

/// The occupier of that id, if it can still be changed.
pub(super) async fn get_open(on: &mut SqliteConnection, id: &str) -> Result<Occupier> {
    let occupier = get(on, id).await?;
    match occupier.decommissioned_at {
        None => Ok(occupier),
        Some(since) => {
            let what = format!("`{id}` is decommissioned since {}", zone(on).await?.format(since));
            Err(Problem::new("occupier.decommissioned", what)
                .help("a decommission cannot be undone: make a new occupier"))
        }
    }
}

/// Where an occupier stands at the sites that somebody may see.
fn standing(occupier: &Occupier, sites: &Sites, at: Instant) -> Standing {
    if occupier.decommissioned_at.is_some() {
        return Standing::Decommissioned;
    }
    let seen = occupier.contracts.iter().filter(|(site, _)| sites.has(site)).map(|(_, terms)| terms);
    match contracts::standing(seen, at) {
        None => Standing::New,
        Some(Contracted::Upcoming) => Standing::Upcoming,
        Some(Contracted::Active) => Standing::Active,
        Some(Contracted::Completed) => Standing::Completed,
    }
}

/// An occupier as the caller sees it: the operator, at the sites that are its, or the occupier itself.
fn to_wire(
    zone: &Zone,
    occupier: Occupier,
    state: Standing,
    principal: &Principal,
) -> Tagged<wire::occupiers::Occupier> {
    let for_operator = principal.is_operator();
    let is_seen = |name: &Identifier| for_operator && name.site.as_ref().is_none_or(|site| principal.sites().has(site));
    let identifiers = occupier.identifiers.into_iter().filter(is_seen);
    let settings = OccupierSettings {
        name: occupier.name,
        kind: if occupier.kind == Kind::Virtual.name() { Kind::Virtual } else { Kind::Residential },
        billing_reference: for_operator.then_some(occupier.billing_reference),
        external_identifiers: identifiers
            .map(|Identifier { system, site, identifier }| ExternalIdentifier { system, identifier, site })
            .collect(),
        telephony_managed: occupier.telephony_managed,
    };
    let contracts = occupier.contracts.iter().map(|(site, _)| site);
    let sites = contracts.filter(|site| principal.sites().has(site)).cloned().collect();
    let contact = occupier.contact.map(|contact| wire::occupiers::Contact {
        name: contact.name,
        email: contact.email,
        phone: contact.phone,
        synced_at: zone.format(contact.synced_at),
        by_hand: contact.by_hand,
    });
    let shown = wire::occupiers::Occupier {
        id: occupier.id,
        state,
        settings,
        sites,
        contact,
        portal_active: occupier.portal_is_active,
        decommission_at: occupier.decommission_at.map(|at| zone.format(at)),
        decommissioned_at: occupier.decommissioned_at.map(|at| zone.format(at)),
        created_at: zone.format(occupier.created_at),
    };
    Tagged(occupier.revision, shown)
}

async fn shown(
    on: &mut SqliteConnection,
    principal: &Principal,
    occupier: Occupier,
    at: Instant,
) -> Result<Tagged<wire::occupiers::Occupier>> {
    let zone = zone(on).await?;
    let state = standing(&occupier, principal.sites(), at);
    Ok(to_wire(&zone, occupier, state, principal))
}

/// Lists the occupiers that the caller may see, by id: those with a contract at its sites, if it is limited to some.
#[utoipa::path(get, path = "/api/v1/occupiers", tag = "occupiers", params(wire::occupiers::WhichOccupiers), responses(
    (status = 200, description = "Occupiers", body = Page<wire::occupiers::Occupier>), (status = 404)
))]
async fn list(
    State(app): State<App>,
    principal: Principal,
    Asked(which): Asked<wire::occupiers::WhichOccupiers>,
) -> Result<axum::Json<Page<wire::occupiers::Occupier>>> {
    let limit = page_limit(which.limit)?;
    let at = app.clock.now();
    let mut reader = app.store.read().await?;
    let sites = match &which.site {
        Some(site) => {
            principal.at(site)?;
            super::sites::get(reader.on(), site).await?;
            Sites::Only([site.clone()].into())
        }
        None => principal.sites().clone(),
    };
    let zone = zone(reader.on()).await?;
    let search = which.search.filter(|search| !search.is_empty());
    let mut filter = Filter { after: which.after, search, sites: sites.filter(), limit: 500 };
    let mut items = Vec::new();
    let enough = usize::try_from(limit).unwrap_or(usize::MAX);
    loop {
        let found = occupiers::list(reader.on(), &filter).await?;
        let is_last = found.len() < 500;
        filter.after = found.last().map(|occupier| occupier.id.clone());
        for occupier in found {
            let state = standing(&occupier, &sites, at);
            if which.state.is_none_or(|wanted| wanted == state) && items.len() <= enough {
                items.push(to_wire(&zone, occupier, state, &principal).1);
            }
        }
        if is_last || items.len() > enough {
            return Ok(axum::Json(Page::cut(items, limit, |occupier| occupier.id.clone())));
        }
    }
}

/// A letter of Europe's languages in those of ASCII, in small letters; nothing for others.
fn without_marks(c: char) -> &'static str {
    const PLAIN: [(&str, &str); 24] = [
        ("ÀÁÂÃÅĀĂĄàáâãåāăą", "a"),
        ("ÄÆäæ", "ae"),
        ("ÇĆČçćč", "c"),
        ("ĎĐÐďđð", "d"),
        ("ÈÉÊËĒĘĚèéêëēęě", "e"),
        ("ĞĢğģ", "g"),
        ("ÌÍÎÏĪĮİìíîïīįı", "i"),
        ("Ķķ", "k"),
        ("ĻĽŁļľł", "l"),
        ("ÑŃŅŇñńņň", "n"),
        ("ÒÓÔÕŌŐòóôõōő", "o"),
        ("ÖØŒöøœ", "oe"),
        ("ŔŘŕř", "r"),
        ("ŚŞŠȘśşšș", "s"),
        ("ẞß", "ss"),
        ("ŢŤȚţťț", "t"),
        ("Þþ", "th"),
        ("ÙÚÛŪŮŰŲùúûūůűų", "u"),
        ("Üü", "ue"),
        ("Ŵŵ", "w"),
        ("ÝŶŸýŷÿ", "y"),
        ("ŹŻŽźżž", "z"),
        ("Ĥĥ", "h"),
        ("Ĵĵ", "j"),
    ];
    PLAIN.iter().find(|(letters, _)| letters.contains(c)).map_or("", |(_, plain)| plain)
}

/// A free id made from a name: its letters and digits, in small letters.
pub(super) fn id_from(name: &str) -> String {
    let mut id = String::new();
    for c in name.chars() {
        let plain = without_marks(c);
        if c.is_ascii_alphanumeric() {
            id.push(c.to_ascii_lowercase());
        } else if !plain.is_empty() {
            id.push_str(plain);
        } else if !matches!(c, '\'' | '’') && !id.is_empty() && !id.ends_with('-') {
            id.push('-');
        }
        if id.len() >= 48 {
            break;
        }
    }
    let id = id.trim_end_matches('-');
    if id.is_empty() || KEPT_IDS.contains(&id) || rating_core::ids::file_name_fault(id).is_some() {
        return format!("occupier-{id}").trim_end_matches('-').to_owned();
    }
    id.to_owned()
}

async fn free_id(on: &mut SqliteConnection, name: &str) -> Result<String> {
    let id = id_from(name);
    for number in 1..1000 {
        let id = if number == 1 { id.clone() } else { format!("{id}-{number}") };
        if !occupiers::is_there(on, &id).await? {
            return Ok(id);
        }
    }
    secrets::fresh_id("occupier")
}

/// A billing reference that no other occupier has: letters and digits, as accounts are called.
fn fresh_reference() -> Result<String> {
    Ok(secrets::fresh_id("b")?.replace('-', "").to_ascii_uppercase())
}

/// That the sites named beside external identifiers are there.
async fn check_sites(
    on: &mut SqliteConnection,
    identifiers: &[ExternalIdentifier],
    faults: &mut Faults,
    at: &str,
) -> Result<()> {
    let known = sites::list(on).await?;
    for (index, name) in identifiers.iter().enumerate() {
        if let Some(site) = name.site.as_ref().filter(|site| !known.iter().any(|known| known.id == **site)) {
            let field = format!("{at}/external_identifiers/{index}/site");
            faults.push(field, "site.unknown", format!("there is no site `{site}`"), "");
        }
    }
    Ok(())
}

/// Puts settings into an occupier; a billing reference that is empty gives way to a unique one (rule 61).
fn apply(settings: OccupierSettings, occupier: &mut Occupier) -> Result<()> {
    occupier.name = settings.name.trim().to_owned();
    occupier.kind = settings.kind.name().to_owned();
    let reference = settings.billing_reference.unwrap_or_default().trim().to_owned();
    occupier.billing_reference = if reference.is_empty() { fresh_reference()? } else { reference };
    occupier.telephony_managed = settings.telephony_managed;
    let identifiers = settings.external_identifiers.into_iter();
    occupier.identifiers = identifiers
        .map(|ExternalIdentifier { system, identifier, site }| Identifier { system, site, identifier })
        .collect();
    Ok(())
}

fn new_occupier(id: String, at: Instant) -> Occupier {
    Occupier {
        id,
        name: String::new(),
        kind: String::new(),
        billing_reference: String::new(),
        telephony_managed: true,
        decommission_at: None,
        decommissioned_at: None,
        created_at: at,
        revision: 1,
        identifiers: Vec::new(),
        contact: None,
        portal_is_active: false,
        contracts: Vec::new(),
    }
}

fn location(id: &str) -> Result<HeaderMap> {
    let mut headers = HeaderMap::new();
    let location = HeaderValue::from_str(&format!("/api/v1/occupiers/{id}")).map_err(Problem::internal)?;
    headers.insert(header::LOCATION, location);
    Ok(headers)
}

/// Adds an occupier, with its first contract if one is given. Who is limited to some sites must give one at them.
#[utoipa::path(post, path = "/api/v1/occupiers", tag = "occupiers", request_body = wire::occupiers::NewOccupier,
    params(("Idempotency-Key" = Option<String>, Header, description = "A key of your own: sent again, it is done once")),
    responses((status = 201, description = "Added", body = wire::occupiers::Occupier), (status = 409), (status = 422)))]
async fn create(
    State(app): State<App>,
    principal: Principal,
    Body(new): Body<wire::occupiers::NewOccupier>,
) -> Result<(StatusCode, HeaderMap, Tagged<wire::occupiers::Occupier>)> {
    if *principal.sites() != Sites::All && new.contract.is_none() {
        return Err(Problem::new("auth.not_allowed", "who is limited to some sites adds occupiers at these alone")
            .help("give its first contract, at one of your sites"));
    }
    let mut change = app.store.change(&principal.actor(), app.clock.now()).await?;
    let mut faults = Faults::default();
    if let Some(id) = &new.id {
        faults.id("/id", id);
        if KEPT_IDS.iter().any(|kept| id.eq_ignore_ascii_case(kept)) {
            faults.push("/id", "field.id_kept", format!("`{id}` stands for something else already"), "choose another");
        }
    }
    new.settings.check(&mut faults, "/settings");
    check_sites(change.on(), &new.settings.external_identifiers, &mut faults, "/settings").await?;
    faults.finish()?;
    let id = match new.id {
        Some(id) => id,
        None => free_id(change.on(), &new.settings.name).await?,
    };
    let mut occupier = new_occupier(id, change.at());
    apply(new.settings, &mut occupier)?;
    occupiers::insert(change.on(), &occupier).await?;
    note(&mut change, "occupier.created", &occupier);
    if let Some(contract) = new.contract {
        super::contracts::make(&mut change, &principal, &occupier, contract, "/contract").await?;
    }
    let made = get(change.on(), &occupier.id).await?;
    let at = change.at();
    let shown = shown(change.on(), &principal, made, at).await?;
    change.commit().await?;
    Ok((StatusCode::CREATED, location(&occupier.id)?, shown))
}

/// What the log says of an occupier: no contact, which is personal.
fn note(change: &mut Change, action: &'static str, occupier: &Occupier) {
    let identifiers: Vec<_> = occupier.identifiers.iter().map(|name| (&name.system, &name.identifier)).collect();
    let details = serde_json::json!({
        "name": occupier.name,
        "kind": occupier.kind,
        "billing_reference": occupier.billing_reference,
        "telephony_managed": occupier.telephony_managed,
        "external_identifiers": identifiers,
    });
    change.note(Entry::new(action, format!("occupier:{}", occupier.id)).of(&occupier.id).with(details));
}

/// Shows an occupier: to the operator, or to its own users.
#[utoipa::path(get, path = "/api/v1/occupiers/{occupier}", tag = "occupiers", params(("occupier" = String, Path)), responses(
    (status = 200, description = "The occupier", body = wire::occupiers::Occupier), (status = 404)
))]
async fn show(
    State(app): State<App>,
    principal: Principal,
    Named(id): Named<String>,
) -> Result<Tagged<wire::occupiers::Occupier>> {
    let mut reader = app.store.read().await?;
    let occupier = get(reader.on(), &id).await?;
    shown(reader.on(), &principal, occupier, app.clock.now()).await
}

/// Changes an occupier's settings, which hold at every site. Its id stays: it stands in published files. Its contact is
/// changed by the sync alone.
#[utoipa::path(put, path = "/api/v1/occupiers/{occupier}", tag = "occupiers", request_body = OccupierSettings,
    params(("occupier" = String, Path), ("If-Match" = String, Header, description = "The `ETag` of the state that is changed")),
    responses((status = 200, description = "Changed", body = wire::occupiers::Occupier), (status = 403), (status = 404), (status = 409), (status = 412), (status = 422), (status = 428)))]
async fn settle(
    State(app): State<App>,
    principal: Principal,
    Named(id): Named<String>,
    expected: Expected,
    Body(settings): Body<OccupierSettings>,
) -> Result<Tagged<wire::occupiers::Occupier>> {
    if *principal.sites() != Sites::All {
        return Err(Problem::new("auth.not_allowed", "these settings hold at every site, and you are limited to some")
            .help("ask somebody who is at all sites"));
    }
    let mut change = app.store.change(&principal.actor(), app.clock.now()).await?;
    let mut occupier = get_open(change.on(), &id).await?;
    expected.meets(occupier.revision)?;
    let mut faults = Faults::default();
    settings.check(&mut faults, "");
    check_sites(change.on(), &settings.external_identifiers, &mut faults, "").await?;
    faults.finish()?;
    apply(settings, &mut occupier)?;
    occupiers::update(change.on(), &occupier).await?;
    note(&mut change, "occupier.changed", &occupier);
    let changed = get(change.on(), &id).await?;
    let at = change.at();
    let shown = shown(change.on(), &principal, changed, at).await?;
    change.commit().await?;
    Ok(shown)
}

/// Where an external identifier holds.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct AtSite {
    /// At which site; left out, at all.
    site: Option<String>,
}

/// Brings an occupier up to date with another system, by that system's name for it; makes it if there is none. Once it
/// has brought a contact, that is changed in no other way.
#[utoipa::path(put, path = "/api/v1/occupiers/by-external-id/{system}/{identifier}", tag = "occupiers",
    request_body = wire::occupiers::SyncedOccupier,
    params(("system" = String, Path), ("identifier" = String, Path), AtSite),
    responses((status = 200, description = "Up to date", body = wire::occupiers::Occupier),
        (status = 201, description = "Made", body = wire::occupiers::Occupier), (status = 403), (status = 409), (status = 422)))]
async fn sync(
    State(app): State<App>,
    principal: Principal,
    Named((system, identifier)): Named<(String, String)>,
    Asked(at_site): Asked<AtSite>,
    Body(given): Body<wire::occupiers::SyncedOccupier>,
) -> Result<Response> {
    if *principal.sites() != Sites::All {
        return Err(Problem::new("auth.not_allowed", "an occupier's name and contact hold at every site")
            .help("take a token that is not limited to sites"));
    }
    let name = ExternalIdentifier { system, identifier, site: at_site.site };
    let mut change = app.store.change(&principal.actor(), app.clock.now()).await?;
    let mut faults = Faults::default();
    name.check(&mut faults, "");
    check_sites(change.on(), std::slice::from_ref(&name), &mut faults, "").await?;
    if let Some(contact) = &given.contact {
        check_contact(contact, &mut faults, "/contact");
    }
    let found = occupiers::by_identifier(change.on(), &name.system, &name.identifier, name.site.as_deref()).await?;
    let before = match &found {
        Some(id) => Some(get_open(change.on(), id).await?),
        None => None,
    };
    let settings = synced(&given, before.as_ref(), &name);
    settings.check(&mut faults, "");
    faults.finish()?;
    let mut occupier = match &before {
        Some(before) => before.clone(),
        None => new_occupier(free_id(change.on(), &settings.name).await?, change.at()),
    };
    apply(settings, &mut occupier)?;
    match &before {
        Some(before) if *before == occupier => {}
        Some(_) => {
            occupiers::update(change.on(), &occupier).await?;
            note(&mut change, "occupier.changed", &occupier);
        }
        None => {
            occupiers::insert(change.on(), &occupier).await?;
            note(&mut change, "occupier.created", &occupier);
        }
    }
    if let Some(given) = given.contact {
        let contact = contact(&given, change.at(), false);
        occupiers::set_contact(change.on(), &occupier.id, &contact).await?;
    }
    change.note(Entry::new("occupier.synced", format!("occupier:{}", occupier.id)).of(&occupier.id));
    let kept = get(change.on(), &occupier.id).await?;
    let at = change.at();
    let shown = shown(change.on(), &principal, kept, at).await?;
    change.commit().await?;
    Ok(match before {
        Some(_) => shown.into_response(),
        None => (StatusCode::CREATED, location(&occupier.id)?, shown).into_response(),
    })
}

fn check_contact(contact: &wire::occupiers::SyncedContact, faults: &mut Faults, at: &str) {
    faults.text(&format!("{at}/name"), &contact.name, 200);
    faults.optional_text(&format!("{at}/phone"), &contact.phone, 50);
    if !is_address(contact.email.trim()) {
        faults.push(format!("{at}/email"), "field.email_malformed", "is no e-mail address", "");
    }
}

fn contact(given: &wire::occupiers::SyncedContact, at: Instant, by_hand: bool) -> Contact {
    let trimmed = |text: &str| text.trim().to_owned();
    let (name, email, phone) = (trimmed(&given.name), trimmed(&given.email), trimmed(&given.phone));
    Contact { name, email, phone, synced_at: at, by_hand }
}

/// Says whom to write to, where no other system does. One that a sync has brought is changed by the sync alone (rule 76).
#[utoipa::path(put, path = "/api/v1/occupiers/{occupier}/contact", tag = "occupiers",
    request_body = wire::occupiers::SyncedContact, params(("occupier" = String, Path)),
    responses((status = 200, description = "Kept", body = wire::occupiers::Occupier), (status = 403), (status = 404), (status = 409), (status = 422)))]
async fn set_contact(
    State(app): State<App>,
    principal: Principal,
    Named(id): Named<String>,
    Body(given): Body<wire::occupiers::SyncedContact>,
) -> Result<Tagged<wire::occupiers::Occupier>> {
    if *principal.sites() != Sites::All {
        return Err(Problem::new(
            "auth.not_allowed",
            "an occupier's contact holds at every site, and you are limited to some",
        )
        .help("ask somebody who is at all sites"));
    }
    let mut change = app.store.change(&principal.actor(), app.clock.now()).await?;
    let occupier = get_open(change.on(), &id).await?;
    if occupier.contact.is_some_and(|contact| !contact.by_hand) {
        return Err(Problem::new("occupier.contact_synced", format!("another system brings the contact of `{id}`"))
            .help("change it there"));
    }
    let mut faults = Faults::default();
    check_contact(&given, &mut faults, "");
    faults.finish()?;
    let at = change.at();
    occupiers::set_contact(change.on(), &id, &contact(&given, at, true)).await?;
    change.note(Entry::new("occupier.contact_changed", format!("occupier:{id}")).of(&id));
    let changed = get(change.on(), &id).await?;
    let shown = shown(change.on(), &principal, changed, at).await?;
    change.commit().await?;
    Ok(shown)
}

/// What an occupier's settings are after a sync: what it leaves out stays.
fn synced(
    given: &wire::occupiers::SyncedOccupier,
    before: Option<&Occupier>,
    name: &ExternalIdentifier,
) -> OccupierSettings {
    let kind = before.map(|before| if before.kind == Kind::Virtual.name() { Kind::Virtual } else { Kind::Residential });
    let reference = before.map(|before| before.billing_reference.clone());
    let external_identifiers = match before {
        None => vec![name.clone()],
        Some(before) => before
            .identifiers
            .iter()
            .cloned()
            .map(|Identifier { system, site, identifier }| ExternalIdentifier { system, identifier, site })
            .collect(),
    };
    OccupierSettings {
        name: given.name.clone(),
        kind: given.kind.or(kind).unwrap_or_default(),
        billing_reference: given.billing_reference.clone().or(reference),
        external_identifiers,
        telephony_managed: given.telephony_managed.or(before.map(|b| b.telephony_managed)).unwrap_or(true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_made_from_names() {
        for (name, id) in [
            ("Acme Ltd", "acme-ltd"),
            ("  Smith & Sons, Inc. ", "smith-sons-inc"),
            ("O'Neill", "oneill"),
            ("Müller & Søn A/S", "mueller-soen-a-s"),
            ("Łódź Žižkov", "lodz-zizkov"),
            ("東京", "occupier"),
            ("Con", "occupier-con"),
            ("By External Id", "occupier-by-external-id"),
            ("New!", "occupier-new"),
        ] {
            assert_eq!(id_from(name), id, "{name}");
        }
        assert!(id_from(&"a".repeat(200)).len() <= 48);
    }
}
