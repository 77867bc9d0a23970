//! Asks the directory what may happen to numbers, and has the store keep what happens: the one way to change a number.
//!
//! Everything is looked up, decided and kept within one [`Change`], so that of two who want the same number one gets it
//! and the other is told why not.

use std::collections::{BTreeMap, BTreeSet};

use rating_core::directory::contracts;
use rating_core::directory::lifecycle::{
    Around, Batch, Command, CoolOff, Ending, Facts, FirstService, Holder, Kind, Mode, Plan, decide_each, first_service,
};
use rating_core::number::{Digits, E164};
use rating_core::time::Instant;

use crate::error::{Fault, Problem, Result};
use crate::store::audit::Entry;
use crate::store::sites::Site;
use crate::store::{Change, contracts as leases, numbers, occupiers, operator, services, sites};

/// Most numbers of one request.
pub const MOST: usize = 10_000;

/// The holder of that id, the operator or an occupier.
///
/// # Errors
///
/// `occupier.unknown`.
pub async fn holder(change: &mut Change, id: &str) -> Result<Holder> {
    let operator = operator::get(change.on()).await?.map(|operator| operator.id).unwrap_or_default();
    if id == operator {
        return Ok(Holder::Operator(operator));
    }
    if occupiers::get(change.on(), id).await?.is_some() {
        return Ok(Holder::Occupier(id.to_owned()));
    }
    Err(crate::auth::unknown_occupier(id))
}

/// Where holders stand at a site at an instant: looked up once for each, however many numbers are asked about.
#[derive(Default)]
struct Standings(BTreeMap<String, (Option<contracts::State>, u32)>);

impl Standings {
    async fn of(
        &mut self,
        change: &mut Change,
        holder: &str,
        site: &Site,
        at: Instant,
    ) -> Result<(Option<contracts::State>, u32)> {
        if let Some(known) = self.0.get(holder) {
            return Ok(*known);
        }
        let contract = leases::standing(change.on(), holder, &site.id, at).await?;
        let lines = services::lines_at(change.on(), holder, &site.id, at).await?;
        self.0.insert(holder.to_owned(), (contract, lines));
        Ok((contract, lines))
    }
}

/// What is around a number for a holder at an instant.
async fn around(
    change: &mut Change,
    standings: &mut Standings,
    site: &Site,
    facts: &Facts,
    subject: (Option<&Holder>, Option<Digits>),
    at: Instant,
) -> Result<Around> {
    let (holder, extension) = subject;
    let mut around = Around {
        confirms: site.confirms_changes,
        cool_off: u16::try_from(site.cool_off_days).ok().and_then(CoolOff::new).unwrap_or_default(),
        ..Around::default()
    };
    let Some(holder) = holder else { return Ok(around) };
    (around.contract, around.lines) = standings.of(change, holder.id(), site, at).await?;
    (around.in_use, around.has_main_number) =
        numbers::in_use(change.on(), holder.id(), &site.id, &facts.number.to_string()).await?;
    if let Some(extension) = extension {
        around.extension_taken =
            numbers::extension_taken(change.on(), &site.id, &extension.to_string(), holder.id()).await?;
    }
    Ok(around)
}

/// Whom a command is about: the proposed holder, or the present one.
fn subject<'a>(facts: &'a Facts, command: &'a Command) -> (Option<&'a Holder>, Option<Digits>) {
    match command {
        Command::Allocate { holder, extension } | Command::PortIn { holder, extension, .. } => {
            (Some(holder), *extension)
        }
        _ => (facts.holder.as_ref(), None),
    }
}

/// A number's facts with what is around it; one that belongs to another site is unknown here.
async fn facts(
    change: &mut Change,
    standings: &mut Standings,
    site: &Site,
    (number, command): (E164, &Command),
    at: Instant,
) -> Result<Facts> {
    let is_new = matches!(command, Command::Provision { .. } | Command::PortIn { .. });
    let mut facts = match numbers::get(change.on(), number).await? {
        Some(number) if number.facts.site == site.id || is_new => number.facts,
        _ => Facts::absent(number, &site.id),
    };
    facts.around = around(change, standings, site, &facts, subject(&facts, command), at).await?;
    Ok(facts)
}

/// Decides commands at a site at one instant, and keeps what happens, with an audit entry.
///
/// # Errors
///
/// The database fails. What the directory refuses stands in the batch.
pub async fn command(
    change: &mut Change,
    site: &Site,
    commands: &[(E164, Command)],
    mode: Mode,
    at: Instant,
) -> Result<Batch> {
    let mut all = Vec::with_capacity(commands.len());
    let mut standings = Standings::default();
    for (number, command) in commands {
        all.push((facts(change, &mut standings, site, (*number, command), at).await?, command));
    }
    let batch = decide_each(all.iter().map(|(facts, command)| (facts, *command)), mode, at);
    let events: Vec<_> = batch.events().cloned().collect();
    numbers::append(change, &events).await?;
    if let (Some((first, what)), false) = (commands.first(), events.is_empty()) {
        let holders: BTreeSet<&str> = all
            .iter()
            .filter_map(|(facts, command)| subject(facts, command).0)
            .filter(|holder| !holder.is_operator())
            .map(Holder::id)
            .collect();
        let mut entry = Entry::new(action(what), format!("number:{first}")).at(&site.id);
        if let (Some(holder), 1) = (holders.first(), holders.len()) {
            entry = entry.of(*holder);
        }
        let done = batch.outcomes.iter().filter(|outcome| outcome.result.is_ok()).count();
        change.note(entry.with(serde_json::json!({ "numbers": done })));
    }
    Ok(batch)
}

const fn action(command: &Command) -> &'static str {
    match command {
        Command::Provision { .. } => "number.provisioned",
        Command::PortIn { .. } => "number.ported_in",
        Command::Nominate => "number.nominated",
        Command::WithdrawNomination => "number.nomination_withdrawn",
        Command::SetCoolOff(_) => "number.cool_off_set",
        Command::Hold(_) => "number.held",
        Command::Unhold => "number.unheld",
        Command::Allocate { .. } => "number.allocated",
        Command::Activate => "number.activated",
        Command::Confirm => "number.change_confirmed",
        Command::Fail { .. } => "number.change_failed",
        Command::Assign(_) => "number.assigned",
        Command::Unassign => "number.unassigned",
        Command::LogIn { .. } => "number.logged_in",
        Command::LogOut => "number.logged_out",
        Command::Label(_) => "number.labelled",
        Command::Deactivate => "number.deactivated",
        Command::End(_) => "number.ended",
        Command::Deallocate => "number.deallocated",
        Command::Release { .. } => "number.released",
        Command::EndCoolOff => "number.cool_off_ended",
    }
}

/// Gives numbers to an occupier's first voice service at a site: those reserved for it first, then the pool's (rules 45
/// to 47). The service must be kept already; `had_service` is whether the occupier had one there before.
///
/// # Errors
///
/// The database fails. A pool that is too small is a shortage in the plan.
pub async fn begin_service(
    change: &mut Change,
    site: &Site,
    occupier: &str,
    lines: u32,
    had_service: bool,
    at: Instant,
) -> Result<Plan> {
    let who = Holder::Occupier(occupier.to_owned());
    let mut reserved = Vec::new();
    let mut pool = Vec::new();
    let mut standings = Standings::default();
    let theirs = numbers::Filter {
        site: Some(site.id.clone()),
        state: Some("RESERVED".to_owned()),
        holder: Some(occupier.to_owned()),
        limit: i64::MAX,
        ..numbers::Filter::default()
    };
    let free = numbers::Filter { state: Some("AVAILABLE".to_owned()), holder: None, ..theirs.clone() };
    for number in numbers::list(change.on(), &theirs).await? {
        let mut facts = number.facts;
        facts.around = around(change, &mut standings, site, &facts, (Some(&who), None), at).await?;
        reserved.push(facts);
    }
    // What is around the holder is the same for all numbers that it does not hold.
    let mut beside = None;
    for number in numbers::list(change.on(), &free).await? {
        let mut facts = number.facts;
        facts.around = match &beside {
            Some(around) => Around::clone(around),
            None => beside.insert(around(change, &mut standings, site, &facts, (Some(&who), None), at).await?).clone(),
        };
        pool.push(facts);
    }
    let extensions = free_extensions(change, site, usize::try_from(lines).unwrap_or(0)).await?;
    let service = FirstService {
        holder: &who,
        lines,
        had_service,
        with_main_number: site.main_number_with_first_service,
        reserved: &reserved,
        pool: &pool,
        extensions: &extensions,
    };
    let plan = first_service(&service, at);
    numbers::append(change, &plan.events).await?;
    if !plan.numbers.is_empty() || plan.shortage > 0 {
        let details = serde_json::json!({ "numbers": plan.numbers.len(), "shortage": plan.shortage });
        change.note(
            Entry::new("number.first_service", format!("site:{}", site.id)).at(&site.id).of(occupier).with(details),
        );
    }
    Ok(plan)
}

/// The lowest extensions of a site's ranges that nobody has, at most so many.
async fn free_extensions(change: &mut Change, site: &Site, most: usize) -> Result<Vec<Digits>> {
    let taken: BTreeSet<String> = numbers::extensions(change.on(), &site.id).await?.into_iter().collect();
    let mut free = Vec::new();
    for range in &site.extensions {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let bounds = (Digits::parse(first.trim().as_bytes()), Digits::parse(last.trim().as_bytes()));
        let (Some(mut next), Some(last)) = bounds else { continue };
        while free.len() < most && next.value() <= last.value() {
            if !taken.contains(&next.to_string()) {
                free.push(next);
            }
            let Some(successor) = next.successor() else { break };
            next = successor;
        }
    }
    Ok(free)
}

/// Takes every number of a holder at a site from it, because its time there ends: all of them, or none.
///
/// # Errors
///
/// The first number that cannot go, and why: a change of it is under way, or a handset is logged in.
pub async fn end_all(change: &mut Change, site: &Site, holder: &str, ending: Ending, at: Instant) -> Result<usize> {
    let filter = numbers::Filter {
        site: Some(site.id.clone()),
        holder: Some(holder.to_owned()),
        limit: i64::MAX,
        ..numbers::Filter::default()
    };
    let theirs = numbers::list(change.on(), &filter).await?;
    let commands: Vec<(E164, Command)> =
        theirs.iter().map(|number| (number.facts.number, Command::End(ending))).collect();
    let batch = command(change, site, &commands, Mode::AllOrNothing, at).await?;
    let refusal = batch.refusals().next().map(|(_, refusal)| Problem::from(refusal.clone()));
    refusal.map_or(Ok(commands.len()), Err)
}

/// Ends the cool-offs that are over.
///
/// # Errors
///
/// The database fails.
pub async fn end_cool_offs(change: &mut Change, at: Instant) -> Result<usize> {
    let mut ended = 0;
    for number in numbers::cooled_off(change.on(), at).await? {
        let Some(site) = sites::get(change.on(), &number.facts.site).await? else { continue };
        let over = number.facts.cool_off_until.unwrap_or(at);
        let commands = [(number.facts.number, Command::EndCoolOff)];
        ended +=
            command(change, &site, &commands, Mode::EachByItself, over.max(number.facts.changed_at.unwrap_or(over)))
                .await?
                .events()
                .count();
    }
    Ok(ended)
}

/// The numbers of a range, both ends included.
///
/// # Errors
///
/// `request.invalid`, with what is wrong with the ends.
pub fn range(first: &str, last: Option<&str>) -> Result<Vec<E164>> {
    let fault = |field: &str, code: &str, detail: String, help: &str| {
        let fault = Fault { field: field.to_owned(), code: code.to_owned(), detail, help: Some(help.to_owned()) };
        Problem::new("request.invalid", "one field is wrong").errors(vec![fault])
    };
    let read = |field: &str, text: &str| {
        let number = if text.starts_with('+') { E164::parse(text.as_bytes()) } else { None };
        number.ok_or_else(|| {
            fault(
                field,
                "field.number_malformed",
                format!("`{text}` is no number"),
                "with `+` and country code: `+442079460001`",
            )
        })
    };
    let first = read("/first", first)?;
    let Some(last) = last else { return Ok(vec![first]) };
    let last = read("/last", last)?;
    if first.digits().len() != last.digits().len() || last < first {
        let what = format!("{last} does not come after {first}");
        return Err(fault("/last", "field.range_malformed", what, "as many digits, and a higher number"));
    }
    let count = last.digits().value() - first.digits().value();
    if usize::try_from(count).unwrap_or(usize::MAX) >= MOST {
        let what = format!("the range has more than {MOST} numbers");
        return Err(fault("/last", "field.range_too_long", what, "take it in parts"));
    }
    let mut numbers = vec![first];
    let mut digits = first.digits();
    while digits.value() < last.digits().value() {
        let Some(next) = digits.successor() else { break };
        digits = next;
        numbers.extend(E164::new(digits));
    }
    Ok(numbers)
}

/// The word for a kind of number.
#[must_use]
pub fn kind(word: &str) -> Option<Kind> {
    match word {
        "ddi" => Some(Kind::Direct),
        "main" => Some(Kind::Main),
        _ => None,
    }
}
