//! The A–Z deck with first and sub interval: `Destination, Prefix, First Interval, Sub Interval, Rate, Status, Start Date,
//! End Date`.

use super::super::cells::{self, Read, Standing};
use super::super::columns::{Schema, Spec};
use super::super::offer::{Key, Offer};
use super::{Cells, Profile, Shared, Units, prices};

const SCHEMA: Schema = Schema {
    columns: &[
        Spec { field: "destination", names: &["destination"] },
        Spec { field: "code", names: &["prefix"] },
        Spec { field: "first", names: &["first interval"] },
        Spec { field: "further", names: &["sub interval"] },
        Spec { field: "price", names: &["rate"] },
        Spec { field: "status", names: &["status"] },
        Spec { field: "from", names: &["start date"] },
        Spec { field: "until", names: &["end date"] },
    ],
    required: &[&["code"], &["price"], &["first"], &["further"]],
    unused: &[],
    order: &[],
};

pub(super) fn profile() -> Profile {
    Profile {
        schema: SCHEMA,
        units: Units::Asked,
        increments: None,
        bands: &[],
        keys,
        terms,
        finish: super::nothing_more,
        notes: &["a row without a rate is not offered: it is `blocked`, and stops the search"],
        amounts: &["price"],
        starts: "from",
        ends: "until",
        ends_outside: false,
    }
}

fn keys(cells: &Cells<'_>, shared: &mut Shared<'_>, keys: &mut Vec<Key>) -> Read<()> {
    cells.prefixes("code", None, shared, keys)
}

fn terms(cells: &Cells<'_>, shared: &mut Shared<'_>, offer: &mut Offer) -> Read<()> {
    cells.text("destination").clone_into(&mut offer.destination);
    cells.dates("from", "until", offer)?;
    offer.standing = cells.at("status", cells::standing(cells.text("status"), cells.request))?;
    if offer.standing == Standing::Closed {
        return Ok(());
    }
    prices(cells, shared, &[], Standing::Blocked, offer)?;
    offer.terms.increments = cells.increment_pair("first", "further", 0, 0)?;
    Ok(())
}
