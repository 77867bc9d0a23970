//! Allowances and volume tiers: what of a payer's calls is taken together over a period, and what that changes.
//!
//! People write them as tables `[allowances.NAME]` and `[volume.NAME]` of a settings file (TOML) that `rating.toml` names;
//! `docs/allowances.md` teaches them. Who has which is said by the assignments. Here is what they say; `rating::allowance`
//! does the sum.

mod reader;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use reader::{BAD, Reader};

use super::DestinationKey;
use crate::finding::settings::{Section, Spanned};
use crate::finding::{Finding, Findings, SourceText};
use crate::money::{Charge, Currency, Price};
use crate::number::{NumberClass, Party};
use crate::time::{Date, Duration, Month};

/// Millionths: the scale of weights and shares.
pub const MILLION: i64 = 1_000_000;

/// Whose calls one account of a scheme takes together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Each extension of a payer at a site by itself.
    Extension,
    /// Each number of a payer at a site by itself.
    Number,
    /// Each trunk that a payer's calls at a site leave by.
    Channel,
    /// A payer at a site; what is granted is granted for each voice line.
    Service,
    /// A payer at a site.
    Occupier,
    /// All payers and sites that the assignments put into one group.
    Group,
}

impl Scope {
    const ALL: [Self; 6] = [Self::Extension, Self::Number, Self::Channel, Self::Service, Self::Occupier, Self::Group];

    /// The word in files and reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Extension => "extension",
            Self::Number => "number",
            Self::Channel => "channel",
            Self::Service => "service",
            Self::Occupier => "occupier",
            Self::Group => "group",
        }
    }

    /// Whether a payer at a site has as many accounts as it has lines of some kind.
    #[must_use]
    pub const fn is_per_line(self) -> bool {
        matches!(self, Self::Extension | Self::Number | Self::Channel)
    }
}

/// Over what time calls are taken together. Days are those of the call's site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Period {
    /// From this day of a month (1 to 28) to the day before it in the next; 1 is the calendar month.
    Month(u32),
    /// January to March, and so on.
    Quarter,
}

impl Period {
    /// First and last-plus-one day of the period that a day is in.
    ///
    /// # Example
    ///
    /// ```
    /// use rating_core::tariff::Period;
    /// use rating_core::time::Date;
    /// let day = |text| Date::parse(text).unwrap();
    /// assert_eq!(Period::Month(15).around(day("2026-06-14")), (day("2026-05-15"), day("2026-06-15")));
    /// assert_eq!(Period::Quarter.around(day("2026-06-14")), (day("2026-04-01"), day("2026-07-01")));
    /// ```
    #[must_use]
    pub fn around(self, day: Date) -> (Date, Date) {
        let (_, month, of_month) = day.civil();
        match self {
            Self::Month(first) => {
                let begins = if of_month >= first { Month::of(day) } else { Month::of(day).previous() };
                let at = |month: Month| Date::from_days(month.days().0.days() + i32::try_from(first).unwrap_or(1) - 1);
                (at(begins), at(begins.next()))
            }
            Self::Quarter => {
                let mut first = Month::of(day);
                for _ in 0..(month - 1) % 3 {
                    first = first.previous();
                }
                (first.days().0, first.next().next().days().1)
            }
        }
    }

    /// Whether no period lasts beyond a calendar month.
    #[must_use]
    pub fn is_calendar_month(self) -> bool {
        self == Self::Month(1)
    }
}

/// What becomes of what is left at the end of a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CarryOver {
    /// It lapses.
    None,
    /// What is left of the period's own grant is there in the next period, and then lapses.
    Once,
    /// It is there until it is used.
    All,
}

/// An amount of something that a scheme counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quantity {
    /// Time; `None` if it is not counted.
    pub time: Option<Duration>,
    /// Calls.
    pub calls: Option<u64>,
    /// Money.
    pub money: Option<Charge>,
}

/// One limit within an allowance, for calls of one class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SubLimit {
    /// The class of the called number.
    pub class: NumberClass,
    /// What of the allowance's first resource (time, money, calls: in this order) such calls may take.
    pub most: Share,
}

/// An absolute amount, or a share of what is granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Share {
    /// Milliseconds, ledger units or calls.
    Units(i64),
    /// Millionths of what is granted and carried over.
    Millionths(i64),
}

/// What a weight is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Weighted {
    /// Calls to numbers of a class.
    Class(NumberClass),
    /// Calls priced in a band.
    Band(Box<str>),
}

/// What happens when a call wants more than is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crossing {
    /// The beginning of the call is covered, the rest is charged.
    Split,
    /// The whole call is charged; what is left stays for a shorter one.
    WholeCallCharged,
    /// Every call of the period is charged, as if there were no allowance.
    ReRatePeriod,
}

/// What one call may take at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PerCall {
    /// Talk time.
    pub most: Duration,
    /// Whether a longer call takes nothing at all; otherwise its excess is charged.
    pub longer_is_not_eligible: bool,
}

/// What an allowance grants, and how calls use it up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// What is granted for a period, one line and a quantity of one. What is reached first counts.
    pub grant: Quantity,
    /// What becomes of the rest.
    pub carry_over: CarryOver,
    /// What one call may take.
    pub per_call: Option<PerCall>,
    /// What calls of one class may take together.
    pub sub_limits: Box<[SubLimit]>,
    /// Millionths of a second that a second of such a call takes; several multiply.
    pub weights: Box<[(Weighted, i64)]>,
    /// Talk time is taken in whole steps of this; at least a millisecond.
    pub step: Duration,
    /// The least that a call takes, weighted time.
    pub minimum: Duration,
    /// What happens when a call wants more than is left.
    pub crossing: Crossing,
}

/// What volume is counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// Talk time that no allowance covered.
    Time,
    /// Calls.
    Calls,
    /// Charges before the discount.
    Money,
}

/// What a tier does to a charge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Nothing.
    None,
    /// Takes off so many millionths.
    Discount(i64),
    /// Costs this instead, for the talk time, and nothing besides.
    Price(Price, Duration),
}

/// One tier of a volume scheme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tier {
    /// From where on: milliseconds, calls or ledger units. The first is 0.
    pub from: i64,
    /// What it does.
    pub change: Change,
}

/// Prices that depend on the volume of a period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Volume {
    /// What is counted.
    pub by: Measure,
    /// The tiers, rising.
    pub tiers: Box<[Tier]>,
    /// Whether the tier that the period ends in is that of all its calls; otherwise each has its own.
    pub whole: bool,
}

/// An allowance or a volume scheme.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An allowance.
    Allowance(Allowance),
    /// Volume tiers.
    Volume(Volume),
}

/// One table of the file: what is common to allowances and volume tiers, and what is not.
#[derive(Clone, Debug)]
pub struct Scheme {
    /// Its name in assignments and reports.
    pub name: Box<str>,
    /// Currency of its money; `None` if it names none.
    pub currency: Option<Currency>,
    /// Whose calls it takes together.
    pub scope: Scope,
    /// Over what time.
    pub period: Period,
    /// Whether a period in which it is in force for some days only grants (and begins its tiers) in proportion.
    pub pro_rata: bool,
    /// Lower ones are used first; then in the order of names.
    pub priority: i64,
    /// Which calls it is for.
    pub eligible: Eligible,
    /// The rest.
    pub kind: Kind,
    /// Where it stands: file, and span of its name.
    pub place: crate::finding::Label,
}

/// Which calls a scheme is for.
#[derive(Clone, Debug, Default)]
pub struct Eligible {
    /// Bits of classes, by their place in [`NumberClass::ALL`]; 0 is all.
    classes: u32,
    excluded_classes: u32,
    destinations: Box<[DestinationKey<()>]>,
    excluded_destinations: Box<[DestinationKey<()>]>,
    /// Names; empty is all.
    pub bands: Box<[Box<str>]>,
    /// Names.
    pub excluded_bands: Box<[Box<str>]>,
}

impl Eligible {
    /// Whether calls to this number of this class are eligible. Of destinations and excluded ones the longest decides;
    /// one that is as long excludes.
    #[must_use]
    pub fn takes(&self, called: Party<'_>, class: NumberClass) -> bool {
        let bit = class_bit(class);
        if (self.classes != 0 && self.classes & bit == 0) || self.excluded_classes & bit != 0 {
            return false;
        }
        let longest = |keys: &[DestinationKey<()>]| keys.iter().filter_map(|key| matched(*key, called, class)).max();
        let wanted = if self.destinations.is_empty() { Some(0) } else { longest(&self.destinations) };
        wanted.is_some_and(|wanted| longest(&self.excluded_destinations).is_none_or(|excluded| wanted > excluded))
    }
}

fn class_bit(class: NumberClass) -> u32 {
    NumberClass::ALL.iter().position(|have| *have == class).map_or(0, |place| 1 << place)
}

/// How specific a key is that matches: every number, a class, prefixes by their length, the number itself.
fn matched(key: DestinationKey<()>, called: Party<'_>, class: NumberClass) -> Option<usize> {
    match (key, called) {
        (DestinationKey::Prefix(prefix), Party::Number(number)) => {
            number.digits().starts_with(prefix).then_some(prefix.len() + 2)
        }
        (DestinationKey::Number(one), Party::Number(number)) => (one == number).then_some(usize::MAX),
        (DestinationKey::ShortPrefix(prefix), Party::ShortCode(code)) => {
            code.starts_with(prefix).then_some(prefix.len() + 2)
        }
        (DestinationKey::ShortCode(one), Party::ShortCode(code)) => (one == code).then_some(usize::MAX),
        (DestinationKey::Class(wanted), Party::Number(_) | Party::ShortCode(_)) => (wanted == class).then_some(2),
        (DestinationKey::Any, Party::Number(_)) => Some(1),
        _ => None,
    }
}

/// Every scheme of a project, in the order in which calls use them.
#[derive(Clone, Debug, Default)]
pub struct Schemes(Box<[Scheme]>);

impl Schemes {
    /// Reads the files. Every mistake is in `findings`; tables in error are left out. `bands` are the names of bands that
    /// tariffs have.
    #[must_use]
    pub fn read(files: &[Arc<SourceText>], bands: &[&str], findings: &mut Findings) -> Self {
        let mut schemes: Vec<Scheme> = Vec::new();
        for file in files {
            let section = Section::parse(file, findings);
            for (group, is_volume) in [("allowances", false), ("volume", true)] {
                let Some(table) = section.table(group, findings) else { continue };
                let names: Vec<Spanned<String>> = table.keys().cloned().collect();
                for name in names {
                    let Some(inner) = table.table(&name.value, findings) else { continue };
                    let mut reader = Reader { section: &inner, bands, findings, sound: true };
                    let scheme = reader.scheme(&name, is_volume);
                    inner.finish(findings);
                    let Some(scheme) = scheme else { continue };
                    match schemes.iter().find(|have| have.name == scheme.name) {
                        Some(have) => findings.push(
                            Finding::error(BAD, format!("`{}` is defined twice", scheme.name))
                                .at(scheme.place.clone())
                                .at(have.place.clone())
                                .help("allowances and volume tiers share their names: give one of them another"),
                        ),
                        None => schemes.push(scheme),
                    }
                }
                table.finish(findings);
            }
            section.finish(findings);
        }
        // Volume counts what allowances leave to be charged.
        schemes.sort_by(|left, right| {
            let key = |scheme: &Scheme| (matches!(scheme.kind, Kind::Volume(_)), scheme.priority);
            key(left).cmp(&key(right)).then_with(|| left.name.cmp(&right.name))
        });
        Self(schemes.into())
    }

    /// The schemes, allowances first, by priority, then name. The index is what assignments call it.
    #[must_use]
    pub fn all(&self) -> &[Scheme] {
        &self.0
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Their names, in order.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        self.0.iter().map(|scheme| &*scheme.name).collect()
    }
}
