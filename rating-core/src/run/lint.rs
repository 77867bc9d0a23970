//! What is worth a look in tariffs, for `check`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::RunError;
use super::calls;
use super::engine::Engine;
use super::project::Project;
use super::quote::{self, text};
use super::storage::Storage;
use crate::assignment::SideKind;
use crate::attribution::{AttributedCall, attribute};
use crate::finding::{Finding, Findings};
use crate::ids::TariffId;
use crate::mediation::dial_plan::Countries;
use crate::money::{Charge, Currency, Total};
use crate::number::{Digits, NumberClass};
use crate::rating::{Outcome, Reason, Talk, Worked, price};
use crate::tariff::{Lost, TariffBook};
use crate::time::{Date, Month};

/// Reads tariffs' settings files and their decks, and finds what is wrong with them and what is worth a look.
///
/// # Errors
///
/// [`RunError::Usage`] for a file that there is not, [`RunError::Storage`] for one that cannot be read.
pub fn check_tariffs(storage: &dyn Storage, files: &[PathBuf]) -> Result<Findings, RunError> {
    let (book, mut findings) = quote::read(storage, &quote::Options::new(files.to_vec()))?;
    if !findings.has_errors() {
        findings.extend(lint(storage, Path::new(""), &book));
    }
    Ok(findings)
}

/// What is worth a look in the tariffs of a book whose files are named from `root`.
pub(super) fn lint(storage: &dyn Storage, root: &Path, book: &TariffBook) -> Findings {
    let ranges: Vec<(Digits, NumberClass)> = Countries::embedded().class_ranges().collect();
    let unread = Default::default();
    let mut load = |name: &str| text(name, storage.read(&root.join(name)).ok()?, &unread);
    book.lint(&ranges, &mut load)
}

/// How many groups of numbers are shown; the others are counted.
const SHOWN: usize = 20;

/// Numbers that were called and that no row prices.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Group {
    side: &'static str,
    tariff: TariffId,
    reason: &'static str,
    /// What the numbers begin with.
    digits: String,
}

/// How often, how long, and what it may cost.
#[derive(Debug, Default)]
struct Stake {
    calls: u64,
    millis: i64,
    money: BTreeMap<Currency, Total>,
    /// What the estimate goes by; `None` where nothing tells.
    by: Option<String>,
    file: String,
}

/// Looks at every call of a project, of whatever month, and lists the numbers that tariffs have no price for, the most called
/// first. A project with mistakes has none: [`check`](super::check) lists these.
///
/// # Errors
///
/// If there is no project, or a file cannot be read.
pub fn check_calls(storage: &dyn Storage, project: &Path) -> Result<Findings, RunError> {
    let mut findings = Findings::default();
    let (Some(project), _) = Project::load(storage, project, None)? else { return Ok(findings) };
    let engine = Engine::new(&project, Month::of(Date::from_days(0)), None);
    let inputs = calls::inputs(storage, &engine)?;
    let mut groups: BTreeMap<Group, Stake> = BTreeMap::new();
    calls::each(storage, &engine, &inputs, &mut |found| {
        let call = attribute(&found.call, &project.directory);
        let rated = engine.rater().rate(call);
        let sides =
            [(SideKind::Retail, rated.retail, Some(rated.wholesale)), (SideKind::Wholesale, rated.wholesale, None)];
        for (kind, side, other) in sides {
            let Outcome::Suspended(code) = side.outcome else { continue };
            let unpriced = [Reason::NoRateForDestination, Reason::ClassNotPriced, Reason::PriceUnknown];
            let Some(reason) = unpriced.into_iter().find(|reason| reason.code() == code) else { continue };
            let worked = engine.rater().show(&call, kind, crate::time::Duration::ZERO, &mut ());
            let (Some(tariff), Some(digits)) = (worked.assigned, beginning(&call, reason)) else { continue };
            let group = Group { side: kind.name(), tariff, reason: reason.code(), digits };
            let stake = groups.entry(group).or_default();
            stake.calls += 1;
            stake.millis = stake.millis.saturating_add(call.call.duration.as_millis());
            let carrier = other.and_then(|other| match other.outcome {
                Outcome::Rated(priced) => Some((priced.charge, other.currency?, "what the carrier charges".to_owned())),
                _ => None,
            });
            if let Some((charge, currency, by)) = by_shorter(&project, &call, &worked).or(carrier) {
                stake.money.entry(currency).or_default().add(charge);
                stake.by.get_or_insert(by);
            }
            if let Some(version) =
                project.book.tariff(tariff).and_then(|tariff| tariff.version_at(call.call.charging_at, worked.site))
            {
                version.1.file().clone_into(&mut stake.file);
            }
        }
    })?;
    report(&project, groups, &mut findings);
    Ok(findings)
}

/// What the called number begins with: what makes it of its class, or its first four digits; a short code as a whole.
fn beginning(call: &AttributedCall<'_, '_>, reason: Reason) -> Option<String> {
    let len = usize::from(call.call.called_class.1);
    match call.call.called {
        crate::number::Party::Number(number) => {
            let len = if reason == Reason::ClassNotPriced && len > 0 { len } else { 4 };
            Some(format!("+{}", number.digits().prefix(len)))
        }
        crate::number::Party::ShortCode(code) => Some(code.to_string()),
        _ => None,
    }
}

/// What the call would cost by the longest prefix that may not price it.
pub(super) fn by_shorter(
    project: &Project,
    call: &AttributedCall<'_, '_>,
    worked: &Worked<'_>,
) -> Option<(Charge, Currency, String)> {
    let (query, at) = (worked.query.as_ref()?, call.call.charging_at);
    let candidates = project.book.candidates(worked.assigned?, query, at, worked.site);
    let (tariff, version, row) = candidates
        .into_iter()
        .find(|(.., candidate)| candidate.lost == Some(Lost::ProtectedClass))
        .map(|(tariff, version, candidate)| (tariff, version, candidate.row))?;
    let version = project.book.tariff(tariff)?.versions().get(usize::from(version))?;
    let talk = Talk { caller: worked.caller, ..Talk::new(at, worked.site, call.call.duration) };
    let working = price(version, row, &talk, &mut ()).ok()?;
    let view = version.row(row, worked.site)?;
    Some((working.charge, version.currency(), format!("the price of the next shorter prefix, `{}`", view.key)))
}

fn report(project: &Project, groups: BTreeMap<Group, Stake>, findings: &mut Findings) {
    let mut groups: Vec<(Group, Stake)> = groups.into_iter().collect();
    groups.sort_by(|(one, a), (other, b)| b.calls.cmp(&a.calls).then_with(|| one.cmp(other)));
    let more = groups.len().saturating_sub(SHOWN);
    for (group, stake) in groups.into_iter().take(SHOWN) {
        let tariff = project.book.tariff(group.tariff).map_or("", |tariff| tariff.id());
        let money: Vec<String> = stake.money.iter().map(|(currency, total)| format!("{total} {currency}")).collect();
        let stake_text = match &stake.by {
            Some(by) => format!("about {} at stake, by {by}", money.join(" + ")),
            None => "nothing tells what they may cost".to_owned(),
        };
        let calls = if stake.calls == 1 { "1 call".to_owned() } else { format!("{} calls", stake.calls) };
        let minutes = stake.millis / 60_000;
        let message = format!(
            "{}… was called and has no {} price in `{tariff}`: {calls}, {minutes} min {} s ({}); {stake_text}",
            group.digits,
            group.side,
            stake.millis / 1_000 % 60,
            group.reason,
        );
        let help = "add a row for these numbers, `blocked` if they are to be barred on the switch";
        findings.push(Finding::warning("lint.called_without_row", message).in_file(stake.file).help(help));
    }
    if more > 0 {
        let message = format!("and {more} more groups of numbers that were called and have no price");
        findings
            .push(Finding::warning("lint.called_without_row", message).help("mend the ones shown, and check again"));
    }
}
