//! A call that might be, explained as if it had been made: for quotes, and to try a tariff.

use super::settled::SettledMonths;
use super::{Explainer, Explanation, Options};
use crate::assignment::{Assignments, Names, SideKind};
use crate::attribution::attribute;
use crate::cdr::Kind;
use crate::finding::{Findings, SourceText};
use crate::ids::{PayerId, SiteId, SourceId};
use crate::mediation::dial_plan::{AccessCodes, DialPlan, Role};
use crate::mediation::{Call, Written};
use crate::number::{Direction, Party};
use crate::run::RunError;
use crate::run::calls::Found;
use crate::run::engine::Engine;
use crate::run::project::Project;
use crate::run::storage::Storage;
use crate::source::RecordId;
use crate::time::{Duration, Instant, Month};

/// A call that might be.
#[derive(Clone, Debug)]
pub struct Imagined {
    /// The project, for whom it is explained, and which sides; its `call` is not looked at.
    pub options: Options,
    /// At which site.
    pub site: String,
    /// Who would pay: whoever holds a number or an extension there then; `None` is the first who does.
    pub payer: Option<String>,
    /// The tariff of the payer's side, in place of the one assigned.
    pub tariff: Option<String>,
    /// The number at the other end, as people dial or show it.
    pub other: String,
    /// Which way it goes.
    pub direction: Direction,
    /// When it is answered.
    pub answered_at: Instant,
    /// Talk time.
    pub duration: Duration,
}

/// Explains a call that might be.
///
/// # Errors
///
/// [`RunError::Invalid`] for a project with mistakes; [`RunError::Usage`] for a site, payer or tariff that there is not, and if
/// nobody there holds a number or an extension at that time; [`RunError::Storage`] if a file cannot be read.
pub fn imagine(storage: &dyn Storage, imagined: &Imagined) -> Result<Explanation, RunError> {
    let (project, findings) = Project::load(storage, &imagined.options.project, imagined.options.known_at)?;
    let Some(mut project) = project else { return Err(RunError::Invalid(findings)) };
    let unknown = |what: &str, id: &str| RunError::Usage(format!("there is no {what} `{id}`"));
    let at = imagined.answered_at;
    let place = project.settings.sites.iter().position(|site| site.id == imagined.site);
    let site = place.and_then(|place| u32::try_from(place).ok()).map(SiteId);
    let site = site.ok_or_else(|| unknown("site", &imagined.site))?;
    let payer = match &imagined.payer {
        Some(id) => {
            let place = project.directory.payers().iter().position(|payer| payer.id == *id);
            let payer = place.and_then(|place| u32::try_from(place).ok()).map(PayerId);
            Some(payer.ok_or_else(|| unknown("payer", id))?)
        }
        None => None,
    };
    let held = project.directory.allocations().iter().find(|row| {
        row.site == site
            && payer.map_or(row.payer != PayerId::OPERATOR, |payer| row.payer == payer)
            && row.valid.contains(at)
            && row.known.until == Instant::MAX
    });
    let held = held.ok_or_else(|| {
        let who = match &imagined.payer {
            Some(id) => format!("`{id}` holds no number"),
            None => "no occupier holds a number".to_owned(),
        };
        RunError::Usage(format!("{who} or extension at `{}` at that time", imagined.site))
    })?;
    let own = match (held.extension, held.numbers) {
        // A call comes in to a number, and goes out from an extension.
        (Some(extension), None) => Party::Extension(extension),
        (Some(extension), Some(_)) if imagined.direction != Direction::Inbound => Party::Extension(extension),
        (_, Some((first, _))) => Party::Number(first),
        (None, None) => Party::Missing,
    };
    let payer = held.payer;
    if let Some(tariff) = &imagined.tariff {
        if project.book.tariff_id(tariff).is_none() {
            return Err(unknown("tariff", tariff));
        }
        project.assignments = instead(&project, tariff, payer, site, at);
    }
    let plan = project.plans.get(site.index()).cloned();
    let plan = plan.ok_or_else(|| RunError::Internal("a site without a dial plan".to_owned()))?;
    let other = other_end(&plan, imagined);
    let (calling, called) = if imagined.direction == Direction::Inbound { (other, own) } else { (own, other) };
    let id = RecordId::new(0, 0).ok_or_else(|| RunError::Internal("no first record".to_owned()))?;
    let dialled = if imagined.direction == Direction::Inbound { b"".as_slice() } else { imagined.other.as_bytes() };
    let call = Call {
        cdr: Written { id, raw: b"", call_id: b"", dialled, account: b"", ingress: b"", egress: b"" },
        source: SourceId(0),
        site,
        setup_at: Some(at),
        answered_at: Some(at),
        charging_at: at,
        other_reading: None,
        duration: imagined.duration,
        answered: imagined.duration > Duration::ZERO,
        direction: imagined.direction,
        calling,
        called,
        called_class: plan.class_of(called),
        calling_class: plan.class_of(calling).0,
        shown: None,
        trunk: b"",
        access: AccessCodes::default(),
        forwarder: None,
        extension: None,
    };
    let engine = Engine::new(&project, Month::of(crate::time::Date::from_days(0)), None);
    let settled = SettledMonths::new(storage, &project, &[]);
    let explainer = Explainer { project: &project, engine: &engine, options: &imagined.options, inputs: &[], settled };
    let found = Found { call, hash: (0, 0), kind: Kind::Call, suspended: None, members: &[] };
    let explanation = explainer.explain(&found, &attribute(&call, &project.directory))?;
    let mut explanation = explanation
        .ok_or_else(|| RunError::Usage("no occupier would pay for the call, so there is nothing to tell".to_owned()))?;
    // There is none.
    explanation.record = None;
    Ok(explanation)
}

/// The number at the other end: as people dial it, or with country code and no plus, if only one number can be meant.
fn other_end<'a>(plan: &DialPlan, imagined: &'a Imagined) -> Party<'a> {
    let text = imagined.other.as_bytes();
    if imagined.direction == Direction::Inbound {
        return plan.normalise(text, Role::CallingOutside);
    }
    match plan.normalise(text, Role::Dialled) {
        // Without the outside-line code that the site's telephones ask for.
        Party::Unclassified(_) | Party::Extension(_) if text.starts_with(b"+") || text.len() > 6 => {
            plan.normalise(text, Role::CallingOutside)
        }
        party => party,
    }
}

/// Everybody on one tariff; the carrier's side as it is.
fn instead(project: &Project, tariff: &str, payer: PayerId, site: SiteId, at: Instant) -> Assignments {
    let wholesale = project.assignments.tariff(SideKind::Wholesale, Some(payer), site, at);
    let wholesale = wholesale.and_then(|id| project.book.tariff(id)).map(crate::tariff::Tariff::id);
    let mut table = format!("side,payer,site,tariff\nretail,*,*,{tariff}\n");
    if let Some(wholesale) = wholesale {
        table.push_str(&format!("wholesale,*,*,{wholesale}\n"));
    }
    let payers: Vec<&str> = project.directory.payers().iter().map(|payer| payer.id.as_str()).collect();
    let sites: Vec<_> = project.settings.sites.iter().map(|site| (site.id.as_str(), &site.zone)).collect();
    let tariffs: Vec<&str> = project.book.tariffs().iter().map(crate::tariff::Tariff::id).collect();
    let names = Names {
        payers: &payers,
        sites: &sites,
        tariffs: &tariffs,
        allowances: &[],
        operator_zone: &project.settings.operator.zone,
    };
    Assignments::read(&[SourceText::new("quote", table)], &names, &mut Findings::default())
}
