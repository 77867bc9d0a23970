//! Gamma's tariff: prices by charge code, for peak, off-peak and weekend. The hours are in the contract, not in the file.

use super::super::cells::{Read, Standing};
use super::super::columns::{Schema, Spec};
use super::super::offer::{Key, Offer};
use super::{Cells, Profile, Shared, Units, code_key, prices};

const BANDS: &[(&str, &str)] = &[("peak", "price_peak"), ("offpeak", "price_offpeak"), ("weekend", "price_weekend")];

const FEES: [&str; 3] = ["connection_peak", "connection_offpeak", "connection_weekend"];

const SCHEMA: Schema = Schema {
    columns: &[
        Spec { field: "charge_code", names: &["chargecode", "charge code"] },
        Spec { field: "destination", names: &["description"] },
        Spec { field: "price_peak", names: &["peak per minute"] },
        Spec { field: "price_offpeak", names: &["off peak per minute", "offpeak per minute"] },
        Spec { field: "price_weekend", names: &["weekend per minute"] },
        Spec { field: "connection_peak", names: &["peak call set up charge", "peak call setup charge"] },
        Spec { field: "connection_offpeak", names: &["off peak call set up charge", "off peak call setup charge"] },
        Spec { field: "connection_weekend", names: &["weekend call set up charge", "weekend call setup charge"] },
        Spec { field: "minimum", names: &["minimum charge"] },
    ],
    required: &[&["charge_code"], &["price_peak"], &["price_offpeak"], &["price_weekend"]],
    unused: &[],
    order: &[],
};

pub(super) fn profile() -> Profile {
    Profile {
        schema: SCHEMA,
        units: Units::Asked,
        increments: None,
        bands: BANDS,
        keys,
        terms,
        finish: super::nothing_more,
        notes: &["rows are found by the charge code that the calls' records carry (`code:…`)"],
        amounts: &[
            "price_peak",
            "price_offpeak",
            "price_weekend",
            "connection_peak",
            "connection_offpeak",
            "connection_weekend",
            "minimum",
        ],
        starts: "",
        ends: "",
        ends_outside: false,
    }
}

fn keys(cells: &Cells<'_>, _: &mut Shared<'_>, keys: &mut Vec<Key>) -> Read<()> {
    keys.push(cells.at("charge_code", code_key(cells.text("charge_code")))?);
    Ok(())
}

fn terms(cells: &Cells<'_>, shared: &mut Shared<'_>, offer: &mut Offer) -> Read<()> {
    cells.text("destination").clone_into(&mut offer.destination);
    prices(cells, shared, BANDS, Standing::Unknown, offer)?;
    offer.terms.minimum = cells.fee("minimum")?;
    let mut fees = Vec::new();
    for field in FEES {
        fees.push(cells.fee(field)?);
    }
    if fees.iter().all(|fee| *fee == fees[0]) {
        offer.terms.connection = fees.swap_remove(0);
        return Ok(());
    }
    for ((name, _), fee) in BANDS.iter().zip(fees) {
        if let (Some(band), Some(fee)) = (shared.bands.iter().position(|band| band == name), fee) {
            offer.terms.connection_bands.push((band, fee));
        }
    }
    Ok(())
}
