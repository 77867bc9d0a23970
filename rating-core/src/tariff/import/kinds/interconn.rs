//! A list of prices by name and time slot: `traffic_direction, rate, time_slot`, with `flat`, or `peak` and `off_peak` on
//! two rows. It has no prefixes: the carrier's records name the destination. With a table of names and prefixes
//! (`--codes`) the rows become prefixes; without, charge codes.

use std::collections::BTreeMap;

use super::super::Fault;
use super::super::cells::{Read, Standing};
use super::super::columns::{Schema, Spec};
use super::super::offer::{Key, Offer};
use super::{Cells, Profile, Shared, Units, code_key};

const SCHEMA: Schema = Schema {
    columns: &[
        Spec { field: "name", names: &["traffic direction"] },
        Spec { field: "price", names: &["rate"] },
        Spec { field: "slot", names: &["time slot"] },
    ],
    required: &[&["name"], &["price"], &["slot"]],
    unused: &[],
    order: &[],
};

pub(super) fn profile() -> Profile {
    Profile {
        schema: SCHEMA,
        units: Units::Asked,
        increments: None,
        bands: &[("peak", "slot"), ("offpeak", "slot")],
        keys,
        terms,
        finish,
        notes: &[
            "names are charge codes (`code:…`) unless --codes gives their prefixes; a peak and an off-peak row are one",
        ],
        amounts: &["price"],
        starts: "",
        ends: "",
        ends_outside: false,
    }
}

fn keys(cells: &Cells<'_>, shared: &mut Shared<'_>, keys: &mut Vec<Key>) -> Read<()> {
    let name = cells.text("name");
    let Some(codes) = &shared.codes else {
        keys.push(cells.at("name", code_key(name))?);
        return Ok(());
    };
    let Some(found) = codes.of(name) else {
        let help = "add the name and its prefixes to the table";
        let fault = Fault::new("import.bad_code", format!("`{name}` is not in the table of --codes"), help);
        return cells.at("name", Err(fault));
    };
    keys.extend(found.iter().copied().map(Key::Prefix));
    Ok(())
}

fn terms(cells: &Cells<'_>, shared: &mut Shared<'_>, offer: &mut Offer) -> Read<()> {
    cells.text("name").clone_into(&mut offer.destination);
    let price = cells.price("price")?;
    let band = match cells.text("slot") {
        "flat" => None,
        "peak" => Some("peak"),
        "off_peak" | "offpeak" | "off-peak" => Some("offpeak"),
        other => {
            let help = "known slots: flat, peak, off_peak";
            let fault = Fault::new("import.bad_type", format!("`{other}` is not a time slot known here"), help);
            return cells.at("slot", Err(fault));
        }
    };
    match (price, band) {
        (None, _) => offer.standing = Standing::Unknown,
        (Some(price), None) => offer.terms.price = Some(price),
        (Some(price), Some(name)) => {
            let band = shared.bands.iter().position(|band| band == name).unwrap_or(0);
            offer.terms.bands.push((band, price));
        }
    }
    Ok(())
}

/// Joins the peak and the off-peak row of a name; one without the other is rejected.
fn finish(offers: &mut Vec<Offer>, shared: &mut Shared<'_>) {
    let mut halves = BTreeMap::<Vec<Key>, usize>::new();
    let mut joined: Vec<Offer> = Vec::with_capacity(offers.len());
    for mut offer in offers.drain(..) {
        let half = !offer.terms.bands.is_empty();
        let before = halves.get(&offer.keys).copied().filter(|_| half);
        let other = before.and_then(|at| joined.get_mut(at));
        match other.filter(|other| !other.terms.bands.iter().any(|(band, _)| *band == offer.terms.bands[0].0)) {
            Some(other) => {
                other.rows.append(&mut offer.rows);
                other.terms.bands.append(&mut offer.terms.bands);
                other.terms.bands.sort_by_key(|(band, _)| *band);
            }
            None => {
                if half {
                    halves.insert(offer.keys.clone(), joined.len());
                }
                joined.push(offer);
            }
        }
    }
    for offer in &joined {
        if offer.terms.bands.len() == 1 && shared.bands.len() > 1 {
            let message = format!("`{}` has a price for one time slot only", offer.destination);
            let help = "ask for the other row";
            shared
                .late
                .extend(offer.rows.iter().map(|row| (*row, Fault::new("import.price_missing", message.clone(), help))));
        }
    }
    *offers = joined;
}
