//! An A2Billing rate card: no header, separator `;` or `:`; `dialprefix;destination;rateinitial`, then the columns chosen
//! when it was exported, which the request names in their order.
//!
//! A2Billing computes (its `rate_engine_calculcost`): connect charge plus disconnect charge; the call is at least
//! `initblock` long; without `chargea` and `timechargea` it goes up to the next multiple of `billingblock` and costs
//! `rateinitial` a minute. With them, the first `timechargea` seconds cost `stepchargea` once and `chargea` a minute, in
//! steps of `billingblocka`; then b, then c, and what is left costs `rateinitial`; each stretch goes up by itself. At
//! least `minimal_cost`. Where these steps do not fall on one another's edges no increments say the same, and the row is
//! rejected.

use super::super::cells::{Amount, Increments, Read, Standing};
use super::super::columns::{Schema, Spec};
use super::super::offer::{Key, Offer, Step};
use super::super::{Fault, Request};
use super::{Cells, Profile, Shared, Units};

const SCHEMA: Schema = Schema {
    columns: &[
        Spec { field: "dialprefix", names: &["dialprefix"] },
        Spec { field: "destination", names: &["destination"] },
        Spec { field: "rateinitial", names: &["rateinitial"] },
        Spec { field: "buyrate", names: &["buyrate"] },
        Spec { field: "buyrateinitblock", names: &["buyrateinitblock"] },
        Spec { field: "buyrateincrement", names: &["buyrateincrement"] },
        Spec { field: "initblock", names: &["initblock"] },
        Spec { field: "billingblock", names: &["billingblock"] },
        Spec { field: "connectcharge", names: &["connectcharge"] },
        Spec { field: "disconnectcharge", names: &["disconnectcharge"] },
        Spec { field: "disconnectcharge_after", names: &["disconnectcharge after"] },
        Spec { field: "stepchargea", names: &["stepchargea"] },
        Spec { field: "chargea", names: &["chargea"] },
        Spec { field: "timechargea", names: &["timechargea"] },
        Spec { field: "billingblocka", names: &["billingblocka"] },
        Spec { field: "stepchargeb", names: &["stepchargeb"] },
        Spec { field: "chargeb", names: &["chargeb"] },
        Spec { field: "timechargeb", names: &["timechargeb"] },
        Spec { field: "billingblockb", names: &["billingblockb"] },
        Spec { field: "stepchargec", names: &["stepchargec"] },
        Spec { field: "chargec", names: &["chargec"] },
        Spec { field: "timechargec", names: &["timechargec"] },
        Spec { field: "billingblockc", names: &["billingblockc"] },
        Spec { field: "startdate", names: &["startdate"] },
        Spec { field: "stopdate", names: &["stopdate"] },
        Spec { field: "starttime", names: &["starttime"] },
        Spec { field: "endtime", names: &["endtime"] },
        Spec { field: "rounding_calltime", names: &["rounding calltime"] },
        Spec { field: "rounding_threshold", names: &["rounding threshold"] },
        Spec { field: "additional_block_charge", names: &["additional block charge"] },
        Spec { field: "additional_block_charge_time", names: &["additional block charge time"] },
        Spec { field: "additional_grace_time", names: &["additional grace time"] },
        Spec { field: "minimal_cost", names: &["minimal cost"] },
        Spec { field: "tag", names: &["tag"] },
    ],
    required: &[&["dialprefix"], &["rateinitial", "buyrate"]],
    unused: &[],
    order: &["dialprefix", "destination", "rateinitial"],
};

pub(super) fn profile(request: &Request) -> Profile {
    let notes: &[&str] = if request.cost {
        &["the side taken is the buying one: buyrate, buyrateinitblock, buyrateincrement"]
    } else {
        &["amounts are exact here; A2Billing rounds each call"]
    };
    Profile {
        schema: SCHEMA,
        units: Units::Major("A2Billing keeps rates in whole units of currency a minute"),
        increments: Some(("1/1", "A2Billing's default blocks are 0, which is by the second")),
        bands: &[],
        keys,
        terms,
        finish: super::nothing_more,
        notes,
        amounts: &[
            "rateinitial",
            "buyrate",
            "connectcharge",
            "disconnectcharge",
            "stepchargea",
            "chargea",
            "stepchargeb",
            "chargeb",
            "stepchargec",
            "chargec",
            "minimal_cost",
        ],
        starts: "startdate",
        ends: "stopdate",
        ends_outside: true,
    }
}

fn keys(cells: &Cells<'_>, shared: &mut Shared<'_>, keys: &mut Vec<Key>) -> Read<()> {
    cells.prefixes("dialprefix", None, shared, keys)
}

const SECOND: i64 = 1_000;

fn terms(cells: &Cells<'_>, shared: &mut Shared<'_>, offer: &mut Offer) -> Read<()> {
    cells.text("destination").clone_into(&mut offer.destination);
    cells.dates("startdate", "stopdate", offer)?;
    only_all_week(cells)?;
    let (rate, block, step) = if cells.request.cost {
        ("buyrate", "buyrateinitblock", "buyrateincrement")
    } else {
        ("rateinitial", "initblock", "billingblock")
    };
    let Some(rate) = cells.price(rate)? else {
        offer.standing = Standing::Unknown;
        return Ok(());
    };
    let (initial, further) = (cells.seconds(block)?.unwrap_or(0), cells.seconds(step)?.unwrap_or(0));
    let steps = if cells.request.cost { Vec::new() } else { steps(cells, &rate, initial, further)? };
    if cells.request.cost {
        offer.terms.increments = Some(blocks(cells, block, initial, further)?);
        offer.terms.price = Some(rate);
        return Ok(());
    }
    for field in ["rounding_calltime", "additional_block_charge", "additional_grace_time"] {
        if cells.seconds(field).map_or(true, |value| value.is_some_and(|value| value != 0)) {
            return cannot(cells, field, "it changes the length of calls or charges by blocks");
        }
    }
    let (connect, disconnect) = (cells.fee("connectcharge")?, cells.fee("disconnectcharge")?);
    if disconnect.is_some() && cells.seconds("disconnectcharge_after")?.is_some_and(|after| after != 0) {
        return cannot(
            cells,
            "disconnectcharge_after",
            "a charge for calls that last longer is due at one length exactly",
        );
    }
    offer.terms.connection = match (connect, disconnect) {
        (Some(connect), Some(disconnect)) => connect.plus(&disconnect, shared.fee_minor),
        (connect, disconnect) => connect.or(disconnect),
    };
    offer.terms.minimum = cells.fee("minimal_cost")?;
    if steps.is_empty() {
        offer.terms.increments = Some(blocks(cells, block, initial, further)?);
        offer.terms.price = Some(rate);
    } else {
        offer.terms.steps = steps;
    }
    Ok(())
}

/// The row holds in the minutes `starttime` to `endtime` of the week; all of them are 0 to 10079.
fn only_all_week(cells: &Cells<'_>) -> Read<()> {
    for (field, usual) in [("starttime", "0"), ("endtime", "10079")] {
        let text = cells.text(field);
        if !text.is_empty() && text != usual {
            return cannot(
                cells,
                field,
                "the row holds for a part of the week, which is a band: write the bands by hand",
            );
        }
    }
    Ok(())
}

fn cannot<T>(cells: &Cells<'_>, field: &str, why: &str) -> Read<T> {
    let message = format!("`{}` in {field} cannot be said here: {why}", cells.text(field));
    cells.at(field, Err(Fault::new("import.cannot_say", message, "write the row by hand, as the contract means it")))
}

/// A first block, then multiples of `further` counted from the start of the call: that is `first/further` if the first is
/// one of them.
fn blocks(cells: &Cells<'_>, field: &str, initial: i64, further: i64) -> Read<Increments> {
    let further = if further == 0 { SECOND } else { further };
    let first = if initial == 0 { further } else { initial };
    if first % further != 0 {
        let why = "it is not a multiple of the billing block, and A2Billing counts blocks from the start of the call";
        return cannot(cells, field, why);
    }
    Ok(Increments { first, further })
}

fn steps(cells: &Cells<'_>, rate: &Amount, initial: i64, further: i64) -> Read<Vec<Step>> {
    let mut steps: Vec<Step> = Vec::new();
    let mut from = 0;
    for (charge, time, block, entry) in [
        ("chargea", "timechargea", "billingblocka", "stepchargea"),
        ("chargeb", "timechargeb", "billingblockb", "stepchargeb"),
        ("chargec", "timechargec", "billingblockc", "stepchargec"),
    ] {
        let (price, length) =
            (cells.price(charge)?.filter(|price| !price.is_zero()), cells.seconds(time)?.unwrap_or(0));
        let Some(price) = price.filter(|_| length > 0) else { break };
        let grain = cells.seconds(block)?.filter(|block| *block > 0).unwrap_or(SECOND);
        if length % grain != 0 {
            return cannot(cells, block, "the stretch is not a whole number of its blocks");
        }
        let first = if steps.is_empty() && initial > 0 { initial } else { grain };
        if steps.is_empty() && (first % grain != 0 || first > length) {
            return cannot(cells, "initblock", "it is not a whole number of the first stretch's blocks inside it");
        }
        let charge = cells.fee(entry)?;
        steps.push(Step { from, price, charge, increments: Increments { first, further: grain } });
        from += length;
    }
    if !steps.is_empty() {
        let grain = if further == 0 { SECOND } else { further };
        let increments = Increments { first: grain, further: grain };
        steps.push(Step { from, price: rate.clone(), charge: None, increments });
    }
    Ok(steps)
}
