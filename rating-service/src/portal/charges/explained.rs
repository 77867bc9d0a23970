//! Why a call costs what it costs, step by step, as the interface explains it to the one who pays.

use askama::Template;
use axum::response::Response;
use serde::Deserialize;

use super::calls::instant;
use super::{Ground, asking, clock};
use crate::error::{Problem, Result};
use crate::portal::api::part;
use crate::portal::operator::head;
use crate::portal::page::{Frame, Page, show};
use crate::portal::words;
use crate::wire::charges::Explained;
use crate::wire::operator::Operator;

#[derive(Template)]
#[template(path = "occupier/call.html")]
struct Why {
    frame: Frame,
    title: String,
    /// Where one came from.
    back: (String, String),
    call: Called,
    site: String,
    holder: Holder,
    /// Who pays: a name, and the page of it.
    payer: Option<(String, Option<String>)>,
    sides: Vec<OfSide>,
    is_operators: bool,
    text: Option<String>,
}

/// A side of a call, with its sum step by step.
struct OfSide {
    side: Side,
    steps: Vec<Step>,
}

/// A step of a sum: what is done, and what comes out.
struct Step {
    what: String,
    amount: String,
}

/// An explanation, as far as the page shows it.
#[derive(Deserialize)]
struct Told {
    call: Called,
    #[serde(default)]
    holder: Holder,
    #[serde(default)]
    sides: Vec<Side>,
}

#[derive(Deserialize)]
struct Called {
    site: String,
    zone: String,
    direction: String,
    setup_at: Option<String>,
    charged_at: String,
    answered: bool,
    duration_s: String,
    #[serde(default)]
    dialled: String,
    #[serde(default)]
    called: Party,
    #[serde(default)]
    calling: Party,
}

#[derive(Default, Deserialize)]
struct Party {
    #[serde(default)]
    kind: String,
    number: Option<String>,
    numbering: Option<Numbering>,
}

#[derive(Deserialize)]
struct Numbering {
    region: Option<String>,
    place: Option<String>,
}

#[derive(Default, Deserialize)]
struct Holder {
    payer: Option<String>,
    name: Option<String>,
    reason: Option<String>,
    rule: Option<String>,
    number: Option<String>,
    extension: Option<String>,
}

#[derive(Default, Deserialize)]
struct Side {
    #[serde(default)]
    side: String,
    #[serde(default)]
    status: String,
    reason: Option<String>,
    help: Option<String>,
    tariff: Option<Tariff>,
    #[serde(default)]
    candidates: Vec<Candidate>,
    #[serde(default)]
    parts: Vec<Part>,
    #[serde(default)]
    charges: Vec<Charge>,
    allowance: Option<Allowance>,
    sum: Option<Sum>,
    destination: Option<String>,
    currency: Option<String>,
    unrounded: Option<String>,
    charge: Option<String>,
}

#[derive(Deserialize)]
struct Tariff {
    id: String,
    name: Option<String>,
    from: Option<String>,
}

#[derive(Deserialize)]
struct Candidate {
    decides: bool,
    key: String,
    destination: String,
}

#[derive(Deserialize)]
struct Part {
    from_s: String,
    destination: String,
    time: Time,
}

#[derive(Deserialize)]
struct Time {
    local: String,
    band: String,
}

#[derive(Deserialize)]
struct Charge {
    #[serde(default)]
    name: String,
    tag: String,
    part: usize,
    is_free: bool,
    free_below_s: Option<String>,
    charged_s: String,
    #[serde(default)]
    stretches: Vec<Stretch>,
    #[serde(default)]
    entries: Vec<Entry>,
    stretches_sum: String,
    connection: String,
    minimum: Option<String>,
    minimum_applied: bool,
    maximum: Option<String>,
    maximum_applied: bool,
    amount: String,
}

#[derive(Deserialize)]
struct Stretch {
    length_s: String,
    billed_s: String,
    covered_s: Option<String>,
    price: String,
    per_s: String,
    amount: String,
}

#[derive(Deserialize)]
struct Entry {
    from_s: String,
    amount: String,
}

#[derive(Deserialize)]
struct Allowance {
    taken_s: Option<String>,
    charge_without: Option<String>,
}

#[derive(Deserialize)]
struct Sum {
    charges: String,
    minimum: Option<String>,
    minimum_applied: bool,
    maximum: Option<String>,
    maximum_applied: bool,
    rounding: Rounding,
    rounding_named: bool,
    after_rounding: Option<String>,
    charge: String,
}

#[derive(Deserialize)]
struct Rounding {
    rule: String,
    step: String,
}

impl Party {
    fn text(&self) -> String {
        match &self.number {
            Some(number) if self.kind == "number" => number.clone(),
            Some(number) => format!("{} {number}", self.kind),
            None => self.kind.clone(),
        }
    }

    /// Where that is, as numbering plans have it.
    fn place(&self) -> String {
        let numbering = self.numbering.iter();
        let names = numbering.flat_map(|found| [&found.place, &found.region]).flatten();
        // What the whole world shares is no place.
        names.map(String::as_str).filter(|name| *name != "001").collect::<Vec<_>>().join(", ")
    }
}

impl OfSide {
    fn of(side: Side) -> Self {
        Self { steps: steps(&side), side }
    }

    /// What it comes to: an amount, or how it stands.
    fn amount(&self) -> String {
        match (&self.side.charge, &self.side.currency) {
            (Some(charge), Some(currency)) => words::money(charge, currency),
            _ => self.side.status.replace('_', " "),
        }
    }

    /// The row of the tariff that decides.
    fn row(&self) -> Option<&Candidate> {
        self.side.candidates.iter().find(|candidate| candidate.decides)
    }

    fn band(&self) -> Option<&Time> {
        self.side.parts.first().map(|part| &part.time)
    }
}

impl Why {
    fn at(&self) -> String {
        instant(&self.call.charged_at)
    }

    fn time(&self) -> String {
        clock(&self.call.duration_s)
    }
}

fn told(explained: &mut Explained) -> Result<Told> {
    serde_json::from_value(explained.explanation.take()).map_err(Problem::internal)
}

/// The page of a call, for the one who pays for it.
pub(super) async fn to_payer(page: &Page, ground: &Ground, month: &str, call: &str) -> Result<Response> {
    let address = ground.api(&format!("calls/{}/{}/explanation", part(month), part(call)));
    let mut explained: Explained = page.get(&address).await?;
    let told = told(&mut explained)?;
    let side = OfSide::of(told.sides.into_iter().next().unwrap_or_default());
    let (places, _) = super::month::choices(page, ground, &explained.month).await?;
    let site = places.into_iter().find(|(id, _)| *id == told.call.site);
    let month = &explained.month;
    let what = if side.side.charge.is_some() { "costs" } else { "is" };
    show(&Why {
        title: format!("Why this call {what} {}", side.amount()),
        back: (asking(&ground.calls(), &[("month", month)]), format!("Calls, {}", words::month(month))),
        site: site.map_or_else(|| told.call.site.clone(), |(_, name)| name),
        frame: page.frame(),
        call: told.call,
        payer: told.holder.rule.is_some().then(|| ("You".to_owned(), None)),
        holder: told.holder,
        sides: vec![side],
        is_operators: false,
        text: explained.text,
    })
}

/// The page of a call, for the operator: what the payer is charged, and what the carrier charges.
pub(super) async fn to_operator(
    page: &Page,
    month: &str,
    call: &str,
    run: &str,
    back: (String, String),
) -> Result<Response> {
    let address = format!("/api/v1/months/{}/calls/{}/explanation", part(month), part(call));
    let mut explained: Explained = page.get(&asking(&address, &[("run", run)])).await?;
    let told = told(&mut explained)?;
    let sites = head::sites(page).await?;
    let operator: Operator = page.get("/api/v1/operator").await?;
    let payer = told.holder.payer.as_ref().map(|id| {
        let name = told.holder.name.clone().unwrap_or_else(|| id.clone());
        (name, (*id != operator.id).then(|| format!("/occupiers/{}", part(id))))
    });
    show(&Why {
        title: format!("A call of {}", instant(&told.call.charged_at)),
        back,
        site: head::site_name(&sites, &told.call.site).to_owned(),
        frame: page.frame(),
        call: told.call,
        payer,
        holder: told.holder,
        sides: told.sides.into_iter().map(OfSide::of).collect(),
        is_operators: true,
        text: explained.text,
    })
}

/// The sum, from the tariff's price to what is charged.
fn steps(side: &Side) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut step = |what: String, amount: &str| steps.push(Step { what, amount: amount.to_owned() });
    let several = side.parts.len() > 1;
    for charge in &side.charges {
        let of = |what: &str| match side.parts.get(charge.part) {
            Some(part) if several => {
                format!("{what}, from {} s on to {} ({})", part.from_s, part.destination, part.time.band)
            }
            _ => what.to_owned(),
        };
        let tag = capital(&charge.tag);
        let name = if charge.name.is_empty() { of(&tag) } else { of(&format!("{tag} {}", charge.name)) };
        if charge.is_free {
            let below = charge.free_below_s.as_deref().unwrap_or("0");
            step(format!("{name}: free, the call is shorter than {below} s"), &charge.amount);
            continue;
        }
        if charge.stretches.is_empty() {
            step(format!("{name}: agreed price of the call, {} s charged", charge.charged_s), &charge.stretches_sum);
        }
        for stretch in &charge.stretches {
            let billed = format!("{name}: {} s billed as {} s", stretch.length_s, stretch.billed_s);
            match &stretch.covered_s {
                _ if stretch.per_s == "0" => step(format!("{billed}, priced by the call"), &stretch.amount),
                Some(covered) => step(
                    format!("{billed}, {covered} s covered by allowances, × {} for {} s", stretch.price, stretch.per_s),
                    &stretch.amount,
                ),
                None => step(format!("{billed}, × {} for {} s", stretch.price, stretch.per_s), &stretch.amount),
            }
        }
        for entry in &charge.entries {
            step(format!("{name}: {} s reached", entry.from_s), &entry.amount);
        }
        if charge.connection != "0.00" {
            step("Connection charge".to_owned(), &charge.connection);
        }
        bounds(&mut step, [(&charge.minimum, charge.minimum_applied), (&charge.maximum, charge.maximum_applied)]);
    }
    if let Some(sum) = &side.sum {
        step("Together".to_owned(), &sum.charges);
        bounds(&mut step, [(&sum.minimum, sum.minimum_applied), (&sum.maximum, sum.maximum_applied)]);
        let rounded = format!("ounded {} to {}", sum.rounding.rule.replace('-', " "), sum.rounding.step);
        match (&sum.after_rounding, sum.rounding_named) {
            (None, true) => step(format!("R{rounded}"), &sum.charge),
            (Some(_), true) => step(format!("Before it is r{rounded}"), side.unrounded.as_deref().unwrap_or_default()),
            (_, false) => {}
        }
        if let Some(after) = &sum.after_rounding {
            step("Added after the rounding".to_owned(), after);
        }
    }
    if let Some(allowance) = &side.allowance {
        let taken = allowance.taken_s.as_deref().map(|taken| format!(": {taken} s taken"));
        let without = allowance.charge_without.as_deref().unwrap_or_default();
        step(format!("Allowances{}; without them", taken.unwrap_or_default()), without);
    }
    steps
}

/// The least or the most that is charged, where it applies.
fn bounds(step: &mut impl FnMut(String, &str), [least, most]: [(&Option<String>, bool); 2]) {
    for (what, (amount, applies)) in [("Raised to the least", least), ("Lowered to the most", most)] {
        if let (Some(amount), true) = (amount, applies) {
            step(what.to_owned(), amount);
        }
    }
}

/// With a capital letter.
fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
