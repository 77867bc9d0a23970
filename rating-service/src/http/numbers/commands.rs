//! What is done to numbers.

use axum::extract::State;
use rating_core::directory::lifecycle::{Assignee, Batch, Command, CoolOff, Facts, Hold, Mode, Origin};
use rating_core::number::{Digits, E164};
use rating_core::time::{Instant, Zone};

use super::{is_own, wire};
use crate::app::App;
use crate::auth::{Principal, Role};
use crate::error::{Fault, Faults, Problem, Result};
use crate::http::extract::{Body, Named};
use crate::http::sites::get as site_of;
use crate::numbering::{self, MOST};
use crate::store::reach::Kind as Object;
use crate::store::{Change, numbers, sites};

/// The numbers that a request is about.
pub(super) fn target(which: &wire::Target) -> Result<Vec<E164>> {
    let numbers = match (&which.first, which.numbers.as_slice()) {
        (Some(first), []) => numbering::range(first, which.last.as_deref())?,
        (None, [_, ..]) if which.last.is_none() => {
            let mut faults = Faults::default();
            let mut numbers = Vec::with_capacity(which.numbers.len());
            for (index, text) in which.numbers.iter().enumerate() {
                match Some(text).filter(|text| text.starts_with('+')).and_then(|text| E164::parse(text.as_bytes())) {
                    Some(number) => numbers.push(number),
                    None => faults.push(
                        format!("/which/numbers/{index}"),
                        "field.number_malformed",
                        format!("`{text}` is no number"),
                        "with `+` and country code: `+442079460001`",
                    ),
                }
            }
            faults.finish()?;
            numbers
        }
        _ => {
            return Err(Problem::new("request.invalid", "say which: either `numbers`, or `first` and `last`"));
        }
    };
    if numbers.len() > MOST {
        return Err(
            Problem::new("request.invalid", format!("more than {MOST} numbers at once")).help("take them in parts")
        );
    }
    Ok(numbers)
}

const fn mode(each_by_itself: bool) -> Mode {
    if each_by_itself { Mode::EachByItself } else { Mode::AllOrNothing }
}

/// What became of a batch: outcomes, or, if nothing was done because something was refused, a problem that names it all.
fn answer(batch: &Batch) -> Result<axum::Json<wire::Outcomes>> {
    let refusals: Vec<_> = batch.refusals().collect();
    let nothing_done = batch.mode == Mode::AllOrNothing && !refusals.is_empty();
    if nothing_done {
        if let ([(_, refusal)], [_]) = (refusals.as_slice(), batch.outcomes.as_slice()) {
            return Err(Problem::from((*refusal).clone()));
        }
        let errors = refusals.iter().map(|(number, refusal)| Fault {
            field: number.to_string(),
            code: refusal.code.to_owned(),
            detail: refusal.message.clone(),
            help: Some(refusal.help.to_owned()),
        });
        let what = format!("{} of {} numbers were refused, so none was changed", refusals.len(), batch.outcomes.len());
        return Err(Problem::new("number.some_refused", what)
            .help("leave them out, or send `each_by_itself`")
            .errors(errors.collect()));
    }
    Ok(axum::Json(outcomes(batch)))
}

/// What became of each number.
pub(super) fn outcomes(batch: &Batch) -> wire::Outcomes {
    let outcomes: Vec<wire::Outcome> = batch
        .outcomes
        .iter()
        .map(|outcome| wire::Outcome {
            number: outcome.number.to_string(),
            row: None,
            happened: outcome.result.iter().flatten().map(|event| event.name().to_owned()).collect(),
            refused: outcome.result.as_ref().err().map(|refusal| wire::Refused {
                code: refusal.code.to_owned(),
                detail: format!("{}: {}", refusal.message, refusal.why),
                help: Some(refusal.help.to_owned()),
            }),
        })
        .collect();
    let refused = outcomes.iter().filter(|outcome| outcome.refused.is_some()).count();
    wire::Outcomes { done: outcomes.len() - refused, refused, outcomes }
}

/// Does commands at a site and answers for them; nothing is kept if nothing happens.
async fn execute(
    mut change: Change,
    site: &sites::Site,
    commands: &[(E164, Command)],
    mode: Mode,
    at: Instant,
) -> Result<axum::Json<wire::Outcomes>> {
    let batch = numbering::command(&mut change, site, commands, mode, at).await?;
    let happened = batch.events().next().is_some();
    let answer = answer(&batch)?;
    if happened {
        change.commit().await?;
    }
    Ok(answer)
}

fn cool_off(days: Option<u16>) -> Result<Option<CoolOff>> {
    let cool_off = days.map(|days| CoolOff::new(days).ok_or(days)).transpose();
    cool_off.map_err(|days| Problem::new("number.cool_off_malformed", format!("{days} days are not 1 to 999")))
}

fn kind(word: Option<&str>) -> Result<rating_core::directory::lifecycle::Kind> {
    let word = word.unwrap_or("ddi");
    numbering::kind(word)
        .ok_or_else(|| Problem::new("request.invalid", format!("`{word}` is no kind of number")).help("ddi, main"))
}

/// Takes numbers into a site's pool.
#[utoipa::path(post, path = "/api/v1/sites/{site}/numbers", tag = "numbers", params(("site" = String, Path)),
    request_body = wire::Provision,
    responses((status = 200, description = "What became of each", body = wire::Outcomes), (status = 404), (status = 409), (status = 422)))]
pub(super) async fn provision(
    State(app): State<App>,
    principal: Principal,
    Named(site): Named<String>,
    Body(asked): Body<wire::Provision>,
) -> Result<axum::Json<wire::Outcomes>> {
    let numbers = target(&asked.which)?;
    let (kind, cool_off) = (kind(asked.kind.as_deref())?, cool_off(asked.cool_off_days)?);
    let mut change = app.store.change(&principal.actor(), app.clock.now()).await?;
    let site = site_of(change.on(), &site).await?;
    let at = since(asked.at.as_deref(), &site, change.at())?;
    let command = Command::Provision { kind, origin: Origin::Own, cool_off };
    let commands: Vec<_> = numbers.into_iter().map(|number| (number, command.clone())).collect();
    execute(change, &site, &commands, mode(asked.each_by_itself), at).await
}

/// Does something to numbers of a site: allocate, activate, hold, …
///
/// Refused with 409 and the reason if a number's state does not allow it; of several clients that want the same number,
/// one gets it.
#[utoipa::path(post, path = "/api/v1/sites/{site}/numbers/commands", tag = "numbers", params(("site" = String, Path)),
    request_body = wire::OperatorCommand,
    responses((status = 200, description = "What became of each", body = wire::Outcomes), (status = 404), (status = 409), (status = 422)))]
pub(super) async fn command(
    State(app): State<App>,
    principal: Principal,
    Named(site): Named<String>,
    Body(asked): Body<wire::OperatorCommand>,
) -> Result<axum::Json<wire::Outcomes>> {
    let numbers = target(&asked.which)?;
    let mut change = app.store.change(&principal.actor(), app.clock.now()).await?;
    let site = site_of(change.on(), &site).await?;
    let at = since(asked.at.as_deref(), &site, change.at())?;
    let commands = commands(&mut change, &site, numbers, asked.command).await?;
    execute(change, &site, &commands, mode(asked.each_by_itself), at).await
}

/// Since when something holds: now, or an instant before.
pub(super) fn since(given: Option<&str>, site: &sites::Site, now: Instant) -> Result<Instant> {
    let Some(given) = given else { return Ok(now) };
    let zone = Zone::load(&site.zone).unwrap_or_else(Zone::utc);
    match zone.bound(given) {
        Some(at) if at <= now => Ok(at),
        Some(_) => Err(Problem::new("request.invalid", format!("`{given}` is in the future"))
            .help("what is to happen later is done then")),
        None => Err(Problem::new("request.invalid", format!("`{given}` is neither a day nor an instant"))
            .help("2026-07-15, or 2026-07-15T14:00:00+01:00")),
    }
}

fn extensions(first: Option<&str>) -> Result<Option<Digits>> {
    first
        .map(|text| {
            Digits::parse(text.as_bytes()).filter(|digits| !digits.is_empty()).ok_or_else(|| {
                Problem::new("request.invalid", format!("`{text}` is no extension")).help("digits alone")
            })
        })
        .transpose()
}

/// A command for each number; extensions count up.
async fn commands(
    change: &mut Change,
    site: &sites::Site,
    numbers: Vec<E164>,
    action: wire::OperatorAction,
) -> Result<Vec<(E164, Command)>> {
    use wire::OperatorAction as Do;
    let one = match action {
        Do::Allocate { holder, extension } => {
            let holder = numbering::holder(change, &holder).await?;
            let first = extensions(extension.as_deref())?;
            return counted(numbers, first, |extension| Command::Allocate { holder: holder.clone(), extension });
        }
        Do::PortIn { holder, extension, kind: word } => {
            let holder = numbering::holder(change, &holder).await?;
            let (first, kind) = (extensions(extension.as_deref())?, kind(word.as_deref())?);
            return counted(numbers, first, |extension| Command::PortIn { holder: holder.clone(), extension, kind });
        }
        Do::Activate {} => Command::Activate,
        Do::Deactivate {} => Command::Deactivate,
        Do::Deallocate {} => Command::Deallocate,
        Do::Confirm {} => Command::Confirm,
        Do::Fail { reason } => Command::Fail { reason },
        Do::Nominate {} => Command::Nominate,
        Do::WithdrawNomination {} => Command::WithdrawNomination,
        Do::SetCoolOff { days } => Command::SetCoolOff(cool_off(days)?),
        Do::Unhold {} => Command::Unhold,
        Do::Hold(hold) => {
            let zone = Zone::load(&site.zone).unwrap_or_else(Zone::utc);
            let until = zone.bound(&hold.until).ok_or_else(|| {
                Problem::new("request.invalid", format!("`{}` is neither a day nor an instant", hold.until))
            })?;
            Command::Hold(Hold { prospect: hold.prospect, until, contracted_lines: hold.contracted_lines })
        }
    };
    Ok(numbers.into_iter().map(|number| (number, one.clone())).collect())
}

fn counted(
    numbers: Vec<E164>,
    first: Option<Digits>,
    command: impl Fn(Option<Digits>) -> Command,
) -> Result<Vec<(E164, Command)>> {
    let mut extension = first;
    let mut commands = Vec::with_capacity(numbers.len());
    let count = numbers.len();
    for (index, number) in numbers.into_iter().enumerate() {
        commands.push((number, command(extension)));
        if let Some(digits) = extension {
            extension = digits.successor();
            if extension.is_none() && index + 1 < count {
                return Err(Problem::new("request.invalid", "the extensions run out of digits before the numbers end"));
            }
        }
    }
    Ok(commands)
}

/// Ends cool-offs early, with a reason that stays on record.
#[utoipa::path(post, path = "/api/v1/sites/{site}/numbers/releases", tag = "numbers", params(("site" = String, Path)),
    request_body = wire::Release,
    responses((status = 200, description = "What became of each", body = wire::Outcomes), (status = 404), (status = 409), (status = 422)))]
pub(super) async fn release(
    State(app): State<App>,
    principal: Principal,
    Named(site): Named<String>,
    Body(asked): Body<wire::Release>,
) -> Result<axum::Json<wire::Outcomes>> {
    let numbers = target(&asked.which)?;
    let mut change = app.store.change(&principal.actor(), app.clock.now()).await?;
    let site = site_of(change.on(), &site).await?;
    let at = change.at();
    let command = Command::Release { reason: asked.reason };
    let commands: Vec<_> = numbers.into_iter().map(|number| (number, command.clone())).collect();
    execute(change, &site, &commands, Mode::AllOrNothing, at).await
}

/// Does something with a number in use of an occupier: give it to somebody, call it something, log a device in or out.
#[utoipa::path(post, path = "/api/v1/occupiers/{occupier}/numbers/commands", tag = "numbers",
    params(("occupier" = String, Path)), request_body = wire::HolderCommand,
    responses((status = 200, description = "What became of it", body = wire::Outcomes), (status = 404), (status = 409), (status = 422)))]
pub(super) async fn by_holder(
    State(app): State<App>,
    principal: Principal,
    Named(occupier): Named<String>,
    Body(asked): Body<wire::HolderCommand>,
) -> Result<axum::Json<wire::Outcomes>> {
    let unknown = || Object::Number.unknown(&asked.number);
    let number = E164::parse(asked.number.as_bytes()).ok_or_else(unknown)?;
    let mut change = app.store.change(&principal.actor(), app.clock.now()).await?;
    let found = numbers::get(change.on(), number).await?.ok_or_else(unknown)?;
    if !may_touch(&principal, &occupier, &found.facts) {
        return Err(unknown());
    }
    let site = site_of(change.on(), &found.facts.site).await?;
    let at = change.at();
    let command = holder_command(asked.command, &mut change, &occupier).await?;
    execute(change, &site, &[(number, command)], Mode::AllOrNothing, at).await
}

/// Whether a number is the occupier's, at one of the caller's sites, and not somebody else's if the caller may only see
/// its own.
fn may_touch(principal: &Principal, occupier: &str, facts: &Facts) -> bool {
    let is_theirs = facts.holder.as_ref().is_some_and(|holder| holder.id() == occupier);
    let may_see = principal.role() != Some(Role::OccupierView) || is_own(principal, facts);
    is_theirs && may_see && principal.sites().has(&facts.site)
}

async fn holder_command(action: wire::HolderAction, change: &mut Change, occupier: &str) -> Result<Command> {
    use wire::HolderAction as Do;
    Ok(match action {
        Do::Unassign {} => Command::Unassign,
        Do::LogIn { device } => Command::LogIn { device },
        Do::LogOut {} => Command::LogOut,
        Do::Label { label } => Command::Label(label),
        Do::Assign(to) => Command::Assign(match to.kind.as_str() {
            "user" => {
                let user = crate::store::users::get(change.on(), &to.id).await?;
                let fits =
                    user.is_some_and(|user| user.occupier.as_deref() == Some(occupier) && user.state != "closed");
                if !fits {
                    return Err(Object::User.unknown(&to.id));
                }
                Assignee::User(to.id)
            }
            "device" => Assignee::Device(to.id),
            "place" => Assignee::Place(to.id),
            "softphone" => Assignee::Softphone(to.id),
            other => {
                return Err(Problem::new("request.invalid", format!("a number is not given to a `{other}`"))
                    .help("user, device, place, softphone"));
            }
        }),
    })
}
