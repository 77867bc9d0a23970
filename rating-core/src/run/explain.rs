//! Why a call costs what it costs: from the digits that were keyed to the one rounding, with everything that was looked at
//! on the way.
//!
//! An explanation is made for an [`Audience`]. What an occupier is given is built without ever looking at the other side of
//! the call, at other holders, or at tariffs that its own inherits from; nothing is built first and taken out afterwards.

mod assembly;
mod collect;
mod imagine;
mod settled;
mod side;
mod text;
mod view;

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::RunError;
use super::calls::{self, Found, MemberRole, Seen};
use super::engine::Engine;
use super::project::Project;
use super::storage::Storage;
use crate::attribution::{AttributedBy, AttributedCall, attribute};
use crate::directory::Allocation;
use crate::ids::{PayerId, SiteId};
use crate::mediation::Call;
use crate::number::Party;
use crate::number::numbering::describe;
use crate::time::{Instant, Interval, Month, Zone};
use settled::SettledMonths;

pub use imagine::{Imagined, imagine};
pub use view::{
    AllowanceView, AssemblyView, CallView, CandidateView, CapView, ChargeView, EntryView, Explanation, HolderView,
    MarkUpView, MemberView, NumberView, PartView, RecordView, RoundingView, SideView, StepView, StretchView, SumView,
    TariffView, TimeView,
};

/// Who reads an explanation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Audience {
    /// Whoever runs the site: everything.
    #[default]
    Operator,
    /// Whoever pays for the call: its own side.
    Occupier,
}

impl Audience {
    /// The name in commands and explanations.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Occupier => "occupier",
        }
    }
}

/// Which sides of a call are explained.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sides {
    /// What the payer is charged.
    Retail,
    /// What the carrier charges the operator.
    Wholesale,
    /// Both.
    #[default]
    Both,
}

/// What to explain.
#[derive(Clone, Debug)]
pub struct Options {
    /// The project's folder.
    pub project: PathBuf,
    /// Which call: `file:offset` or `file@offset` as the exceptions and the operator's itemised calls have them, or the
    /// switch's own name of the call, as every itemised call has it.
    pub call: String,
    /// For whom.
    pub audience: Audience,
    /// Which sides; an occupier has one.
    pub sides: Sides,
    /// The directory as it was known at this instant; `None` is all that is known now.
    pub known_at: Option<Instant>,
    /// Reads these files of the switches and no others: paths below the project. What came after a run would else be read,
    /// too. `None` is all there are.
    pub inputs: Option<BTreeSet<String>>,
}

impl Options {
    /// Explains both sides of a call to the operator.
    #[must_use]
    pub fn new(project: impl Into<PathBuf>, call: impl Into<String>) -> Self {
        Self {
            project: project.into(),
            call: call.into(),
            audience: Audience::Operator,
            sides: Sides::Both,
            known_at: None,
            inputs: None,
        }
    }
}

/// Explains a call.
///
/// # Errors
///
/// [`RunError::Invalid`] for a project with mistakes, [`RunError::Usage`] if there is no such call, or several to which the
/// switch gave that name, or no occupier who pays for it where one is to read the explanation, [`RunError::Storage`] if a
/// file cannot be read.
pub fn explain(storage: &dyn Storage, options: &Options) -> Result<Explanation, RunError> {
    let (project, findings) = Project::load(storage, &options.project, options.known_at)?;
    let Some(project) = project else { return Err(RunError::Invalid(findings)) };
    // Calls of every month are looked at, so the month makes no difference.
    let any = Month::of(crate::time::Date::from_days(0));
    let engine = Engine::new(&project, any, None);
    let mut inputs = calls::inputs(storage, &engine)?;
    inputs.retain(|input| options.inputs.as_ref().is_none_or(|only| only.contains(&input.path)));
    let settled = SettledMonths::new(storage, &project, &inputs);
    let explainer = Explainer { project: &project, engine: &engine, options, inputs: &inputs, settled };
    let wanted = Wanted::of(&options.call, inputs.iter().map(|input| input.path.as_str()));
    // What was asked for stands for a call; or else it is part of one.
    let mut explained = [Vec::new(), Vec::new()];
    let mut places = [Vec::new(), Vec::new()];
    let mut done = Ok(());
    calls::every(storage, &engine, &inputs, &mut |seen| {
        let (call, how) = match *seen {
            Seen::Call(found) if wanted.is(&found.call) => (&found.call, 0),
            Seen::Call(found) => {
                let is_part =
                    |member: &calls::Member<'_>| member.role == MemberRole::Merged && wanted.is(&member.alone);
                if !found.members.iter().any(is_part) {
                    return;
                }
                (&found.call, 1)
            }
            Seen::Waiting(waiting) if wanted.is(&waiting.alone) => (&waiting.alone, 1),
            _ => return,
        };
        let attributed = attribute(call, &project.directory);
        let record = explainer.record(call);
        places[how].push(format!("{}@{}", record.file, record.offset));
        let explanation = match *seen {
            Seen::Call(found) => explainer.explain(found, &attributed),
            Seen::Waiting(waiting) => Ok(explainer.waiting(waiting, &attributed)),
            _ => Ok(None),
        };
        match explanation {
            Ok(explanation) => explained[how].extend(explanation),
            Err(error) => done = Err(error),
        }
    })?;
    done?;
    let call = &options.call;
    let how = usize::from(places[0].is_empty());
    let (Some(explained), Some(places)) = (explained.get_mut(how), places.get(how)) else {
        return Err(RunError::Internal("a call is found or not".to_owned()));
    };
    match (explained.pop(), places.len()) {
        (Some(explanation), 1) => Ok(explanation),
        (_, 0) => Err(RunError::Usage(format!(
            "there is no call `{call}`: give its id in an itemised report, or file and offset of its record, as the exceptions \
             have them (`cdr/a.csv@1776`)"
        ))),
        (None, 1) => Err(RunError::Usage(format!("no occupier pays for the call `{call}`"))),
        (_, several) if options.audience == Audience::Operator => Err(RunError::Usage(format!(
            "the switch calls {several} calls `{call}`: name one of {}",
            places.join(", ")
        ))),
        (_, several) => Err(RunError::Usage(format!("the switch calls {several} calls `{call}`"))),
    }
}

/// Explains every call of a project, one after the other. For occupiers, each is made for the one who pays for that call; calls
/// that no occupier pays for are passed over.
///
/// # Errors
///
/// As for [`explain`].
pub fn each(
    storage: &dyn Storage,
    options: &Options,
    visit: &mut dyn FnMut(Explanation) -> Result<(), RunError>,
) -> Result<(), RunError> {
    let (project, findings) = Project::load(storage, &options.project, options.known_at)?;
    let Some(project) = project else { return Err(RunError::Invalid(findings)) };
    let engine = Engine::new(&project, Month::of(crate::time::Date::from_days(0)), None);
    let mut inputs = calls::inputs(storage, &engine)?;
    inputs.retain(|input| options.inputs.as_ref().is_none_or(|only| only.contains(&input.path)));
    let settled = SettledMonths::new(storage, &project, &inputs);
    let explainer = Explainer { project: &project, engine: &engine, options, inputs: &inputs, settled };
    let mut done = Ok(());
    calls::each(storage, &engine, &inputs, &mut |found| {
        if done.is_ok() {
            let explained = explainer.explain(found, &attribute(&found.call, &project.directory));
            done = explained.and_then(|explanation| explanation.map_or(Ok(()), &mut *visit));
        }
    })?;
    done
}

/// Which call is wanted.
struct Wanted<'w> {
    call_id: &'w [u8],
    record: Option<(u32, u64)>,
}

impl<'w> Wanted<'w> {
    fn of<'p>(text: &'w str, paths: impl Iterator<Item = &'p str>) -> Self {
        let place = text.rsplit_once(['@', ':']);
        let record = place.and_then(|(file, offset)| {
            let (index, _) = (0_u32..).zip(paths).find(|(_, path)| *path == file)?;
            Some((index, offset.parse().ok()?))
        });
        Self { call_id: text.as_bytes(), record }
    }

    fn is(&self, call: &Call<'_>) -> bool {
        match self.record {
            Some(record) => record == (call.cdr.id.file(), call.cdr.id.offset()),
            None => !self.call_id.is_empty() && call.cdr.call_id == self.call_id,
        }
    }
}

/// Explains calls of a project.
struct Explainer<'e> {
    project: &'e Project,
    engine: &'e Engine<'e>,
    options: &'e Options,
    inputs: &'e [calls::Input],
    settled: SettledMonths<'e>,
}

impl Explainer<'_> {
    fn is_for_operator(&self) -> bool {
        self.options.audience == Audience::Operator
    }

    fn zone(&self, site: SiteId) -> &Zone {
        self.project.zone(site)
    }

    /// `None`, if the audience is an occupier and none pays.
    ///
    /// # Errors
    ///
    /// If allowances must be settled, and a file cannot be read.
    fn explain(&self, found: &Found<'_>, call: &AttributedCall<'_, '_>) -> Result<Option<Explanation>, RunError> {
        let occupier = call.holder.ok().filter(|holder| holder.payer != PayerId::OPERATOR && call.readings_agree);
        if !self.is_for_operator() && occupier.is_none() {
            return Ok(None);
        }
        let adjusted = match occupier {
            Some(holder) if self.project.assignments.may_have_allowances(holder.payer, holder.site) => {
                let local = self.zone(holder.site).to_local(call.call.charging_at);
                self.settled.of(Month::of(local.date()), call.call.cdr.id.to_bits())?
            }
            _ => None,
        };
        Ok(Some(Explanation {
            audience: self.options.audience.name(),
            record: self.is_for_operator().then(|| self.record(&found.call)),
            call: self.call(call),
            holder: self.holder(call),
            sides: self.sides(found, call, adjusted.as_ref()),
            assembly: self.assembly(found, call),
        }))
    }

    fn record(&self, call: &Call<'_>) -> RecordView {
        let id = call.cdr.id;
        RecordView {
            file: self.inputs.get(id.file() as usize).map(|input| input.path.clone()).unwrap_or_default(),
            offset: id.offset(),
            as_written: words(call.cdr.raw),
        }
    }

    fn call(&self, attributed: &AttributedCall<'_, '_>) -> CallView {
        let call = &attributed.call;
        let site = attributed.holder.map_or(call.site, |holder| holder.site);
        let zone = self.zone(site);
        let number = |party: Party<'_>| NumberView::of(party);
        let (class, digits) = call.called_class;
        let mut called = number(call.called);
        called.class = Some(class.name());
        called.class_digits = (digits > 0).then(|| beginning(call.called, digits)).flatten();
        called.class_is_protected = Some(class.is_protected());
        called.numbering = call.called.e164().map(|number| describe(number).into());
        let sites = self.project.directory.sites();
        CallView {
            id: words(call.cdr.call_id),
            site: sites.get(site.index()).map(|site| site.id.clone()).unwrap_or_default(),
            zone: zone.name().to_owned(),
            direction: call.direction.name(),
            setup_at: call.setup_at.map(|at| zone.format(at)),
            charged_at: zone.format(call.charging_at),
            charged_at_utc: call.charging_at.to_rfc3339(),
            other_reading: call.other_reading.map(|at| zone.format(at)),
            answered: call.answered,
            duration_s: view::seconds(call.duration),
            dialled: words(call.cdr.dialled),
            called,
            calling: number(call.calling),
            forwarder: call.forwarder.filter(|_| self.is_for_operator()).map(number),
        }
    }

    fn holder(&self, attributed: &AttributedCall<'_, '_>) -> HolderView {
        let directory = &self.project.directory;
        let holder = match attributed.holder {
            Ok(holder) => holder,
            Err(reason) => {
                return HolderView {
                    reason: Some(reason.code()),
                    help: Some(super::codes::help(reason.code()).to_owned()),
                    ..HolderView::default()
                };
            }
        };
        let payer = directory.payers().get(holder.payer.index());
        let mut view = HolderView {
            payer: payer.map(|payer| payer.id.clone()),
            name: payer.map(|payer| payer.name.clone()),
            by: Some(holder.by.name()),
            rule: Some(rule(holder.by)),
            number: holder.number.map(|number| number.to_string()),
            extension: holder.extension.map(|extension| extension.to_string()),
            ..HolderView::default()
        };
        let at = attributed.call.charging_at;
        // The account code names the payer whatever the telephone; the row that counts is the code's.
        if holder.by == AttributedBy::AccountCode {
            return view;
        }
        let held = |row: &&Allocation| {
            row.payer == holder.payer
                && row.site == holder.site
                && row.valid.contains(at)
                && row.known.until == Instant::MAX
        };
        let of_number = |row: &&Allocation| {
            holder.number.is_some_and(|number| {
                row.numbers.is_some_and(|(first, last)| {
                    first.digits().len() == number.digits().len() && first <= number && number <= last
                })
            })
        };
        let rows = || directory.allocations().iter().filter(held);
        let of_extension = |row: &&Allocation| row.extension.is_some() && row.extension == holder.extension;
        if let Some(row) = rows().find(of_number).or_else(|| rows().find(of_extension)) {
            let zone = self.zone(holder.site);
            view.allocation = self.is_for_operator().then(|| row.id.clone());
            (view.held_from, view.held_until) = bounds(row.valid, zone);
        }
        view
    }
}

/// Both ends of an interval on a clock; an open end is `None`.
fn bounds(interval: Interval, zone: &Zone) -> (Option<String>, Option<String>) {
    let shown = |at: Instant| (at != Instant::MIN && at != Instant::MAX).then(|| zone.format(at));
    (shown(interval.from), shown(interval.until))
}

/// Bytes out of a record as text; what is not UTF-8 is replaced.
fn words(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The digits of a number that establish its class.
fn beginning(party: Party<'_>, digits: u8) -> Option<String> {
    match party {
        Party::Number(number) => Some(format!("+{}", number.digits().prefix(usize::from(digits)))),
        Party::ShortCode(code) | Party::Emergency(code) => Some(code.prefix(usize::from(digits)).to_string()),
        _ => None,
    }
}

/// The rule by which a holder was found, for people.
const fn rule(by: AttributedBy) -> &'static str {
    match by {
        AttributedBy::Forwarder => "who forwards or transfers a call to the outside pays for it",
        AttributedBy::AccountCode => "the account code that was keyed says who pays",
        AttributedBy::Extension => "whoever holds the extension that placed the call pays for it",
        AttributedBy::CallingNumber => "whoever holds the calling number pays for the call",
        AttributedBy::CalledNumber => "whoever holds the called number is who the call from the outside came for",
    }
}
