//! A Billingbooth rate sheet. The order of its columns is fixed: Destination, Minimum Charge, Connection Fee, Peak Rate,
//! Offpeak Rate, Weekend Rate; then Peak, Offpeak and Weekend Rate Cost, Description, Duration Block. Amounts are in minor
//! units. A destination is a prefix if it is digits, and a charge code otherwise.

use super::super::Request;
use super::super::cells::{self, Read, Standing};
use super::super::columns::{Schema, Spec};
use super::super::offer::{Key, Offer};
use super::{Cells, Profile, Shared, Units, code_key, prices};

const RATES: &[(&str, &str)] = &[("peak", "price_peak"), ("offpeak", "price_offpeak"), ("weekend", "price_weekend")];
const COSTS: &[(&str, &str)] = &[("peak", "cost_peak"), ("offpeak", "cost_offpeak"), ("weekend", "cost_weekend")];

const SCHEMA: Schema = Schema {
    columns: &[
        Spec { field: "key", names: &["destination"] },
        Spec { field: "minimum", names: &["minimum charge"] },
        Spec { field: "connection", names: &["connection fee"] },
        Spec { field: "price_peak", names: &["peak rate"] },
        Spec { field: "price_offpeak", names: &["offpeak rate", "off peak rate"] },
        Spec { field: "price_weekend", names: &["weekend rate"] },
        Spec { field: "cost_peak", names: &["peak rate cost"] },
        Spec { field: "cost_offpeak", names: &["offpeak rate cost", "off peak rate cost"] },
        Spec { field: "cost_weekend", names: &["weekend rate cost"] },
        Spec { field: "destination", names: &["description"] },
        Spec { field: "increments", names: &["duration block"] },
    ],
    required: &[&["key"], &["price_peak"], &["price_offpeak"], &["price_weekend"]],
    unused: &[],
    order: &[
        "key",
        "minimum",
        "connection",
        "price_peak",
        "price_offpeak",
        "price_weekend",
        "cost_peak",
        "cost_offpeak",
        "cost_weekend",
        "destination",
        "increments",
    ],
};

pub(super) fn profile(request: &Request) -> Profile {
    Profile {
        schema: SCHEMA,
        units: Units::Minor("Billingbooth's rate sheets are in minor units a minute"),
        increments: None,
        bands: if request.cost { COSTS } else { RATES },
        keys,
        terms,
        finish: super::nothing_more,
        notes: &["a destination of digits is a prefix, any other is the charge code of the calls' records (`code:…`)"],
        amounts: &[
            "minimum",
            "connection",
            "price_peak",
            "price_offpeak",
            "price_weekend",
            "cost_peak",
            "cost_offpeak",
            "cost_weekend",
        ],
        starts: "",
        ends: "",
        ends_outside: false,
    }
}

fn keys(cells: &Cells<'_>, shared: &mut Shared<'_>, keys: &mut Vec<Key>) -> Read<()> {
    let text = cells.text("key");
    let digits = |c: char| c.is_ascii_digit() || matches!(c, '+' | ' ' | ';' | '-');
    if !text.is_empty() && text.chars().all(digits) {
        return cells.prefixes("key", None, shared, keys);
    }
    keys.push(cells.at("key", code_key(text))?);
    Ok(())
}

fn terms(cells: &Cells<'_>, shared: &mut Shared<'_>, offer: &mut Offer) -> Read<()> {
    let description = cells.text("destination");
    let name = if description.is_empty() { cells.text("key") } else { description };
    name.clone_into(&mut offer.destination);
    let bands = if cells.request.cost { COSTS } else { RATES };
    prices(cells, shared, bands, Standing::Unknown, offer)?;
    if !cells.request.cost {
        // The fees are what is charged, not what the carrier takes.
        offer.terms.minimum = cells.fee("minimum")?;
        offer.terms.connection = cells.fee("connection")?;
    }
    if !cells.text("increments").is_empty() {
        offer.terms.increments = Some(cells.at("increments", cells::increments(cells.text("increments")))?);
    }
    Ok(())
}
