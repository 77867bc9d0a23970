//! Kazoo's rates task: a header that names the fields of a rate, of which `prefix` and `rate_cost` must be there.
//!
//! A call shorter than `rate_nocharge_time` is not billed; then `rate_minimum` seconds are billed whole, and further ones
//! in steps of `rate_increment` (60 each if left out); `rate_surcharge` is due on answer.

use super::super::cells::{Read, Standing};
use super::super::columns::{Schema, Spec};
use super::super::offer::{Key, Offer};
use super::super::{Fault, Request};
use super::{Cells, Profile, Shared, Units, prices};

const COLUMNS: &[Spec] = &[
    Spec { field: "code", names: &["prefix"] },
    Spec { field: "price", names: &["rate cost"] },
    Spec { field: "connection", names: &["rate surcharge"] },
    Spec { field: "destination", names: &["description"] },
    Spec { field: "rate_name", names: &["rate name"] },
    Spec { field: "further", names: &["rate increment"] },
    Spec { field: "first", names: &["rate minimum"] },
    Spec { field: "free_below", names: &["rate nocharge time"] },
    Spec { field: "direction", names: &["direction"] },
    Spec { field: "weight", names: &["weight"] },
    Spec { field: "routes", names: &["routes"] },
    Spec { field: "options", names: &["options"] },
    Spec { field: "callers", names: &["caller id numbers"] },
];

const COST_COLUMNS: &[Spec] = &[
    Spec { field: "code", names: &["prefix"] },
    Spec { field: "price", names: &["internal rate cost", "pvt internal rate cost", "pvt rate cost"] },
    Spec { field: "connection", names: &["pvt rate surcharge", "internal rate surcharge"] },
    Spec { field: "destination", names: &["description"] },
    Spec { field: "rate_name", names: &["rate name"] },
    Spec { field: "further", names: &["rate increment"] },
    Spec { field: "first", names: &["rate minimum"] },
    Spec { field: "free_below", names: &["rate nocharge time"] },
    Spec { field: "direction", names: &["direction"] },
    Spec { field: "weight", names: &["weight"] },
    Spec { field: "routes", names: &["routes"] },
    Spec { field: "options", names: &["options"] },
    Spec { field: "callers", names: &["caller id numbers"] },
];

const UNUSED: &[(&str, &str)] = &[
    ("rate cost", "the side that was not asked for"),
    ("rate surcharge", "the side that was not asked for"),
    ("internal rate cost", "what the carrier charges: `--cost` takes it"),
    ("pvt internal rate cost", "what the carrier charges: `--cost` takes it"),
    ("pvt rate cost", "what the carrier charges: `--cost` takes it"),
    ("pvt rate surcharge", "what the carrier charges: `--cost` takes it"),
    ("iso country code", "the prefix says more"),
    ("account id", "assignments say who is on which tariff"),
    ("ratedeck id", "several decks in one file: import each with `--only ratedeck_id=…`"),
    ("carrier", "it is about routing, not about prices"),
    ("rate version", "versions are dated here"),
    ("rate suffix", "it is a part of names"),
];

pub(super) fn profile(request: &Request) -> Profile {
    let columns = if request.cost { COST_COLUMNS } else { COLUMNS };
    Profile {
        schema: Schema { columns, required: &[&["code"], &["price"]], unused: UNUSED, order: &[] },
        units: Units::Major("Kazoo keeps rates in whole units of currency a minute"),
        increments: Some(("60/60", "Kazoo's defaults for rate_minimum and rate_increment")),
        bands: &[],
        keys,
        terms,
        finish,
        notes: &[
            "a row without a direction prices outbound calls here; in Kazoo it prices both",
            "weights only count between rows of one prefix; Kazoo's pages disagree on which wins, so --weight says it",
        ],
        amounts: &["price", "connection"],
        starts: "",
        ends: "",
        ends_outside: false,
    }
}

fn keys(cells: &Cells<'_>, shared: &mut Shared<'_>, keys: &mut Vec<Key>) -> Read<()> {
    cells.prefixes("code", None, shared, keys)
}

fn terms(cells: &Cells<'_>, shared: &mut Shared<'_>, offer: &mut Offer) -> Read<()> {
    let description = cells.text("destination");
    let name = if description.is_empty() { cells.text("rate_name") } else { description };
    name.clone_into(&mut offer.destination);
    for (field, what) in [("options", "options of an account"), ("callers", "caller numbers")] {
        let text = cells.text(field);
        if !matches!(text, "" | "[]") {
            let help = "write such a row by hand, or leave it to a tariff of its own";
            let fault = Fault::new("import.cannot_say", format!("the row holds for {what} only: `{text}`"), help);
            return cells.at(field, Err(fault));
        }
    }
    routes(cells, offer)?;
    offer.conditions.direction = match cells.text("direction").trim_matches(['[', ']', '"', ' ']) {
        "" | "outbound" => "",
        "inbound" => "in",
        other => {
            let help = "write one row for each direction";
            let fault = Fault::new("import.cannot_say", format!("`{other}` is not one direction"), help);
            return cells.at("direction", Err(fault));
        }
    };
    prices(cells, shared, &[], Standing::Unknown, offer)?;
    offer.terms.connection = cells.fee("connection")?;
    offer.terms.free_below = cells.seconds("free_below")?.unwrap_or(0);
    offer.terms.increments = cells.increment_pair("first", "further", 60_000, 60_000)?;
    weight(cells, shared, offer)
}

/// Routes say which numbers a rate is for. What Kazoo makes of a prefix itself (`^\+?44.+$`) adds nothing; anything else
/// does, and cannot be said by a prefix.
fn routes(cells: &Cells<'_>, offer: &Offer) -> Read<()> {
    let text = cells.text("routes").trim_matches(['[', ']', '"', ' ']);
    if text.is_empty() {
        return Ok(());
    }
    let plain: String = text.chars().filter(char::is_ascii_digit).collect();
    let own = offer.keys.first().map(ToString::to_string).unwrap_or_default();
    let shape: String = text.chars().filter(|c| !c.is_ascii_digit()).collect();
    let usual = ["^\\+?.+$", "^\\+.+$", "^\\\\+?.+$", "^\\\\+.+$", "^\\+?(.+)$"].contains(&shape.as_str());
    if usual && plain == own {
        return Ok(());
    }
    let help = "write prefixes for the numbers that the pattern means";
    let fault = Fault::new("import.cannot_say", format!("the row's routes `{text}` are not its prefix"), help);
    cells.at("routes", Err(fault))
}

/// Notes the weight of a row in its `until`-less offer, for [`finish`].
fn weight(cells: &Cells<'_>, shared: &mut Shared<'_>, offer: &Offer) -> Read<()> {
    let text = cells.text("weight");
    if text.is_empty() {
        return Ok(());
    }
    let Ok(weight) = text.parse::<u32>() else {
        let fault = Fault::new("import.bad_type", format!("`{text}` is not a weight"), "write a whole number");
        return cells.at("weight", Err(fault));
    };
    shared.weights.extend(offer.rows.iter().map(|row| (*row, weight)));
    Ok(())
}

/// Rows of one prefix and direction: the one that outweighs the others stays.
fn finish(offers: &mut Vec<Offer>, shared: &mut Shared<'_>) {
    let Some(rule) = shared.request.weight else { return };
    let weight_of = |offer: &Offer| offer.rows.first().and_then(|row| shared.weights.get(row).copied());
    let mut best = std::collections::BTreeMap::<(Key, &'static str), u32>::new();
    let better = |new: u32, old: u32| match rule {
        super::super::Weight::Higher => new > old,
        super::super::Weight::Lower => new < old,
    };
    for offer in offers.iter().filter(|offer| !offer.rejected) {
        let (Some(weight), Some(key)) = (weight_of(offer), offer.keys.first()) else { continue };
        let entry = best.entry((key.clone(), offer.conditions.direction)).or_insert(weight);
        if better(weight, *entry) {
            *entry = weight;
        }
    }
    let mut late = Vec::new();
    offers.retain(|offer| {
        let (Some(weight), Some(key)) = (weight_of(offer), offer.keys.first()) else { return true };
        let most = best.get(&(key.clone(), offer.conditions.direction)).copied().unwrap_or(weight);
        if offer.rejected || weight == most {
            return true;
        }
        let message = format!("weight {weight} against {most} of another row for `{key}`");
        let help = "Kazoo would not use this row; remove it";
        late.extend(offer.rows.iter().map(|row| (*row, Fault::new("import.outweighed", message.clone(), help))));
        false
    });
    shared.late.extend(late);
}
