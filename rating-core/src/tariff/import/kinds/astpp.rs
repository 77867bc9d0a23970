//! ASTPP's origination and termination rates: `Code,Destination,Connection Cost (USD),Grace Time,Cost / Min (USD),Initial
//! Increment,Increment`, termination rates with `,Strip,Prepend`.
//!
//! Grace time is taken off the length of the call before increments (ASTPP's `calc_cost`: `duration -= INCLUDEDSECONDS`),
//! and the connection cost is due all the same: `subtract`, not `free_below`. An increment below one counts as one.

use super::super::cells::{self, Increments, Read, Standing};
use super::super::columns::{Schema, Spec};
use super::super::offer::{Key, Offer};
use super::{Cells, Profile, Shared, Units, prices};

const SCHEMA: Schema = Schema {
    columns: &[
        Spec { field: "code", names: &["code"] },
        Spec { field: "destination", names: &["destination"] },
        Spec { field: "connection", names: &["connection cost", "connect cost"] },
        Spec { field: "grace", names: &["grace time", "included seconds"] },
        Spec { field: "price", names: &["cost min"] },
        Spec { field: "first", names: &["initial increment"] },
        Spec { field: "further", names: &["increment"] },
        Spec { field: "from", names: &["effective date", "start date"] },
        Spec { field: "until", names: &["end date", "expiry date"] },
        Spec { field: "status", names: &["status"] },
    ],
    required: &[&["code"], &["price"]],
    unused: &[
        ("strip", "it is about routing, not about prices"),
        ("prepend", "it is about routing, not about prices"),
        ("trunk", "it is about routing, not about prices"),
        ("priority", "it is about routing, not about prices"),
    ],
    order: &[],
};

pub(super) fn profile() -> Profile {
    Profile {
        schema: SCHEMA,
        units: Units::Major("ASTPP keeps costs in whole units of currency a minute"),
        increments: Some(("1/1", "ASTPP counts an increment below one as one second")),
        bands: &[],
        keys,
        terms,
        finish: super::nothing_more,
        notes: &[
            "grace time is taken off the call, and the connection cost stays due, as ASTPP computes it (`subtract`)",
        ],
        amounts: &["price", "connection"],
        starts: "from",
        ends: "until",
        ends_outside: false,
    }
}

fn keys(cells: &Cells<'_>, shared: &mut Shared<'_>, keys: &mut Vec<Key>) -> Read<()> {
    cells.prefixes("code", None, shared, keys)
}

fn terms(cells: &Cells<'_>, shared: &mut Shared<'_>, offer: &mut Offer) -> Read<()> {
    const SECOND: i64 = 1_000;
    cells.text("destination").clone_into(&mut offer.destination);
    cells.dates("from", "until", offer)?;
    offer.standing = cells.at("status", cells::standing(cells.text("status"), cells.request))?;
    prices(cells, shared, &[], Standing::Unknown, offer)?;
    offer.terms.connection = cells.fee("connection")?;
    offer.terms.subtract = cells.seconds("grace")?.unwrap_or(0);
    let at_least_one = |seconds: Option<i64>| seconds.filter(|millis| *millis >= SECOND).unwrap_or(SECOND);
    let (first, further) = (at_least_one(cells.seconds("first")?), at_least_one(cells.seconds("further")?));
    offer.terms.increments = Some(Increments { first, further });
    Ok(())
}
