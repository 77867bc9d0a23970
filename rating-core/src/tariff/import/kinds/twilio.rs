//! Twilio's price files. Two have the calls that go out, in dollars a minute: one row for each prefix
//! (`OutboundSipTrunkPricing.csv`), or one row for each price with its prefixes in one cell
//! (`outbound-voice-pricing.csv`). The third has the numbers (`SiteNumbersPricing.csv`), with prices of calls that come in.
//!
//! The longest destination counts first, then the origin: Twilio repeats every destination for every origin zone, which
//! only makes sense this way.

use super::super::Fault;
use super::super::cells::{self, Read, Standing};
use super::super::columns::{Schema, Spec, plain};
use super::super::offer::{Key, Offer, Terms};
use super::{Cells, Profile, Shared, Units, prices};

const SCHEMA: Schema = Schema {
    columns: &[
        Spec { field: "code", names: &["destination prefixes"] },
        Spec { field: "destination", names: &["description"] },
        Spec { field: "country", names: &["country"] },
        Spec { field: "origin", names: &["origination prefixes"] },
        Spec { field: "price", names: &["price min"] },
        Spec { field: "country_code", names: &["country code"] },
        Spec { field: "number_type", names: &["phone number type"] },
        Spec { field: "inbound", names: &["inbound trunking price min", "inbound voice price min"] },
        Spec {
            field: "inbound_fixed",
            names: &["inbound trunking from landline price min", "inbound voice from landline price min"],
        },
        Spec {
            field: "inbound_mobile",
            names: &["inbound trunking from mobile price min", "inbound voice from mobile price min"],
        },
    ],
    required: &[&["code", "number_type"], &["price", "inbound"]],
    unused: &[
        ("iso", "the prefix says more"),
        ("phone number price month", "a monthly fee of a number is not the price of a call"),
    ],
    order: &[],
};

pub(super) fn profile() -> Profile {
    Profile {
        schema: SCHEMA,
        units: Units::Fixed("USD/min", "Twilio's price files are in US dollars a minute"),
        increments: Some(("60/60", "Twilio charges started minutes; the file does not say so, its pricing pages do")),
        bands: &[],
        keys,
        terms,
        finish: super::nothing_more,
        notes: &["the longest destination counts first, then the longest origin"],
        amounts: &["price", "inbound", "inbound_fixed", "inbound_mobile"],
        starts: "",
        ends: "",
        ends_outside: false,
    }
}

fn keys(cells: &Cells<'_>, shared: &mut Shared<'_>, keys: &mut Vec<Key>) -> Read<()> {
    if cells.has("number_type") {
        return cells.prefixes("country_code", None, shared, keys);
    }
    cells.prefixes("code", None, shared, keys)
}

fn terms(cells: &Cells<'_>, shared: &mut Shared<'_>, offer: &mut Offer) -> Read<()> {
    if cells.has("number_type") {
        return inbound(cells, shared, offer);
    }
    let description = cells.text("destination");
    offer.destination = description
        .strip_prefix("Trunking Outbound Minute - ")
        .or_else(|| description.strip_prefix("Programmable Outbound Minute - "))
        .unwrap_or(description)
        .to_owned();
    let origin = cells.text("origin");
    if !origin.is_empty() {
        cells.at("origin", cells::codes(origin, None, None, &mut shared.code_scratch))?;
        let prefixes = std::mem::take(&mut shared.code_scratch);
        let hint = zone_name(description);
        offer.conditions.origin = Some(shared.zone(prefixes, &hint));
    }
    prices(cells, shared, &[], Standing::Unknown, offer)
}

/// What the description calls the callers: `… - from EEA`.
fn zone_name(description: &str) -> String {
    let name = description.rsplit_once("from ").map_or("", |(_, name)| name);
    let name = plain(name).replace(' ', "-");
    let named = name.starts_with(|c: char| c.is_ascii_lowercase()) && !matches!(name.as_str(), "missing" | "invalid");
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    match (plain && !name.is_empty(), named) {
        (true, true) => name,
        (true, false) => format!("from-{name}"),
        (false, _) => "origin".to_owned(),
    }
}

/// The price of calls that come in to numbers of a country and type, and the prices by the caller's type beside it.
fn inbound(cells: &Cells<'_>, shared: &mut Shared<'_>, offer: &mut Offer) -> Read<()> {
    let number_type = cells.text("number_type");
    offer.conditions.direction = "in";
    offer.destination = format!("{} {}", cells.text("country"), number_type.to_lowercase());
    offer.conditions.only_class = match number_type {
        "Local" => "geographic",
        "Mobile" => "mobile",
        "Toll Free" => "free",
        "National" => "non_geographic",
        other => {
            let help = "known types: Local, Mobile, National, Toll Free";
            let fault = Fault::new("import.bad_type", format!("`{other}` is not a type of number known here"), help);
            return cells.at("number_type", Err(fault));
        }
    };
    offer.terms.price = cells.price("inbound")?;
    for (field, caller_type) in [("inbound_fixed", "fixed"), ("inbound_mobile", "mobile")] {
        if let Some(price) = cells.price(field)? {
            let mut own = offer.clone();
            own.conditions.caller_type = caller_type;
            own.terms.price = Some(price);
            shared.extra.push(own);
        }
    }
    // A number whose type its digits do not tell must not pass as free of charge.
    let mut other = offer.clone();
    other.conditions.only_class = "";
    other.destination = format!("+{} of another type", cells.text("country_code"));
    other.terms = Terms::default();
    other.standing = Standing::Unknown;
    shared.extra.push(other);
    if offer.terms.price.is_none() {
        offer.standing = Standing::Blocked;
    }
    Ok(())
}
