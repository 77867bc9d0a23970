//! Allowances and volume tiers: what of a payer's calls is taken together over a period, and what that changes.
//!
//! People write them as tables `[allowances.NAME]` and `[volume.NAME]` of a settings file (TOML) that `rating.toml` names;
//! `docs/allowances.md` teaches them. Who has which is said by the assignments. Here is what they say; `rating::allowance`
//! does the sum.

use std::sync::Arc;

use super::DestinationKey;
use super::notation::{self, Fault};
use crate::finding::settings::{Section, Spanned};
use crate::finding::{Finding, Findings, SourceText, did_you_mean};
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

const BAD: &str = "allowance.bad_definition";

struct Reader<'r> {
    section: &'r Section,
    bands: &'r [&'r str],
    findings: &'r mut Findings,
    sound: bool,
}

impl Reader<'_> {
    fn scheme(&mut self, name: &Spanned<String>, is_volume: bool) -> Option<Scheme> {
        let currency = self.currency();
        let scope = self.word("scope", &Scope::ALL.map(Scope::name)).and_then(|at| Scope::ALL.get(at).copied());
        let period = self.period();
        let pro_rata = self.section.boolean("pro_rata", self.findings).is_some_and(|value| value.value);
        let priority = self.section.integer("priority", self.findings).map_or(0, |value| value.value);
        let eligible = Eligible {
            classes: self.classes("classes"),
            excluded_classes: self.classes("exclude_classes"),
            destinations: self.destinations("destinations"),
            excluded_destinations: self.destinations("exclude_destinations"),
            bands: self.bands("bands"),
            excluded_bands: self.bands("exclude_bands"),
        };
        let kind = if is_volume {
            Kind::Volume(self.volume(currency)?)
        } else {
            Kind::Allowance(self.allowance(name, currency, scope.unwrap_or(Scope::Occupier), period))
        };
        if let Kind::Volume(volume) = &kind
            && volume.whole
            && !period.is_calendar_month()
        {
            self.bad(name, "calls of a month that is published cannot be priced again", LONG_PERIOD);
        }
        if eligible.bands.iter().any(|band| eligible.excluded_bands.contains(band)) {
            self.bad(name, "a band is both eligible and excluded", "remove it from one of the two");
        }
        let place = self.section.label(&name.span, "");
        let scope = scope.unwrap_or(Scope::Occupier);
        self.sound.then(|| Scheme {
            name: name.value.as_str().into(),
            currency,
            scope,
            period,
            pro_rata,
            priority,
            eligible,
            kind,
            place,
        })
    }

    fn allowance(
        &mut self,
        name: &Spanned<String>,
        currency: Option<Currency>,
        scope: Scope,
        period: Period,
    ) -> Allowance {
        let time = self.duration("time").filter(|time| *time > Duration::ZERO);
        let calls = self.section.integer("calls", self.findings).and_then(|calls| {
            let count = u64::try_from(calls.value).ok().filter(|count| *count > 0);
            if count.is_none() {
                let place = Spanned { value: String::new(), span: calls.span };
                self.bad(&place, "an allowance of calls is at least one", "leave the key out if calls are not counted");
            }
            count
        });
        let money = self.section.text("money", self.findings).and_then(|text| self.money(&text, currency));
        let grant = Quantity { time, calls, money };
        if grant == Quantity::default() && self.sound {
            let help = "write `time = \"1000min\"`, `calls = 150`, or `money = \"60 GBP\"` with `currency = \"GBP\"`";
            self.bad(name, "the allowance grants nothing", help);
        }
        let carry_over = match self.word("carry_over", &["none", "once", "all"]) {
            Some(1) => CarryOver::Once,
            Some(2) => CarryOver::All,
            _ => CarryOver::None,
        };
        if carry_over != CarryOver::None && scope.is_per_line() {
            let help = "a line without calls leaves no trace to carry over from: use `service`, `occupier` or `group`";
            self.bad(name, "nothing can be carried over line by line", help);
        }
        let crossing = match self.word("crossing", &["split", "whole-call-charged", "re-rate-period"]) {
            Some(1) => Crossing::WholeCallCharged,
            Some(2) => Crossing::ReRatePeriod,
            _ => Crossing::Split,
        };
        if crossing == Crossing::ReRatePeriod && !period.is_calendar_month() {
            self.bad(name, "calls of a month that is published cannot be priced again", LONG_PERIOD);
        }
        let most = self.duration("per_call");
        let above = self.word("above_per_call", &["charged", "not-eligible"]);
        if above.is_some() && most.is_none() {
            self.bad(name, "`above_per_call` says nothing without `per_call`", "add `per_call = \"60min\"`");
        }
        let per_call = most.map(|most| PerCall { most, longer_is_not_eligible: above == Some(1) });
        let step = self.duration("step");
        let minimum = self.duration("minimum_deduction");
        let weights = self.weights();
        if time.is_none() && (step.is_some() || minimum.is_some() || !weights.is_empty()) && self.sound {
            let help = "`step`, `minimum_deduction` and `weights` say how time is taken: add `time`";
            self.bad(name, "the allowance counts no time", help);
        }
        let sub_limits = self.sub_limits(&grant, currency);
        Allowance {
            grant,
            carry_over,
            per_call,
            sub_limits,
            weights,
            step: step.filter(|step| *step > Duration::ZERO).unwrap_or(Duration::from_millis(1)),
            minimum: minimum.unwrap_or(Duration::ZERO),
            crossing,
        }
    }

    fn weights(&mut self) -> Box<[(Weighted, i64)]> {
        let Some(table) = self.section.table("weights", self.findings) else { return Box::default() };
        let mut weights = Vec::new();
        for key in table.keys().cloned().collect::<Vec<_>>() {
            let Some(text) = table.text(&key.value, self.findings) else { continue };
            let what = match NumberClass::from_name(&key.value) {
                Some(class) => Weighted::Class(class),
                None if self.bands.contains(&key.value.as_str()) => Weighted::Band(key.value.as_str().into()),
                None => {
                    let known = NumberClass::ALL.map(NumberClass::name).into_iter().chain(self.bands.iter().copied());
                    let help = near(&key.value, known, "write the name of a class or of a band of some tariff");
                    self.bad(&key, &format!("`{}` is neither a class nor a band", key.value), help);
                    continue;
                }
            };
            match decimal(&text.value, 6).filter(|weight| *weight <= 1_000 * MILLION) {
                Some(weight) => weights.push((what, weight)),
                None => self.bad(
                    &text,
                    &format!("`{}` is not a weight", text.value),
                    "write a number with at most six decimals, such as `\"3.8\"`; the most is 1000",
                ),
            }
        }
        table.finish(self.findings);
        weights.into()
    }

    fn sub_limits(&mut self, grant: &Quantity, currency: Option<Currency>) -> Box<[SubLimit]> {
        let Some(table) = self.section.table("sub_limits", self.findings) else { return Box::default() };
        let mut limits = Vec::new();
        for key in table.keys().cloned().collect::<Vec<_>>() {
            let Some(text) = table.text(&key.value, self.findings) else { continue };
            let Some(class) = NumberClass::from_name(&key.value) else {
                let help = near(&key.value, NumberClass::ALL.map(NumberClass::name), "write the name of a class");
                self.bad(&key, &format!("`{}` is not a class", key.value), help);
                continue;
            };
            let most = match percent(&text.value) {
                Some(share) => Some(Share::Millionths(share)),
                None if grant.time.is_some() => self.read_duration(&text).map(|time| Share::Units(time.as_millis())),
                None if grant.money.is_some() => self.money(&text, currency).map(|sum| Share::Units(sum.units())),
                None => match text.value.parse::<u32>() {
                    Ok(calls) => Some(Share::Units(i64::from(calls))),
                    Err(_) => {
                        let help = "write a number of calls, or a share of them such as `40%`";
                        self.bad(&text, &format!("`{}` is not a limit", text.value), help);
                        None
                    }
                },
            };
            limits.extend(most.map(|most| SubLimit { class, most }));
        }
        table.finish(self.findings);
        limits.into()
    }

    fn volume(&mut self, currency: Option<Currency>) -> Option<Volume> {
        self.section.require("by", self.findings);
        let by = match self.word("by", &["time", "calls", "money"])? {
            0 => Measure::Time,
            1 => Measure::Calls,
            _ => Measure::Money,
        };
        let whole = self.word("applies", &["beyond", "whole"]) == Some(1);
        self.section.require("tiers", self.findings);
        let mut tiers: Vec<Tier> = vec![Tier { from: 0, change: Change::None }];
        for table in self.section.tables("tiers", self.findings) {
            let tier = self.tier(&table, by, currency);
            let place = Spanned { value: String::new(), span: table.span() };
            table.finish(self.findings);
            let Some(tier) = tier else {
                self.sound = false;
                continue;
            };
            if tier.from == 0 && tiers.len() == 1 {
                tiers.clear();
            } else if tiers.last().is_some_and(|last| tier.from <= last.from) {
                self.bad(
                    &place,
                    "a tier begins where an earlier one does, or before",
                    "write the tiers in rising order",
                );
            }
            tiers.push(tier);
        }
        Some(Volume { by, tiers: tiers.into(), whole })
    }

    fn tier(&mut self, table: &Section, by: Measure, currency: Option<Currency>) -> Option<Tier> {
        let from = table.required_text("from", self.findings)?;
        let units = match by {
            Measure::Time => self.read_duration(&from).map(Duration::as_millis),
            Measure::Money => self.money(&from, currency).map(Charge::units),
            Measure::Calls => {
                let calls = from.value.parse::<u32>().ok().map(i64::from);
                if calls.is_none() {
                    let help = "tiers by calls begin at a number of calls: `from = \"1000\"`";
                    self.bad(&from, &format!("`{}` is not a number of calls", from.value), help);
                }
                calls
            }
        };
        let discount = table.text("discount", self.findings);
        let price = table.text("price", self.findings);
        let change = match (discount, price) {
            (None, None) => Some(Change::None),
            (Some(text), None) => {
                let share = percent(&text.value);
                if share.is_none() {
                    let help = "write a percentage of at most 100 with at most four decimals, such as `10%`";
                    self.bad(&text, &format!("`{}` is not a discount", text.value), help);
                }
                share.map(Change::Discount)
            }
            (None, Some(text)) => match currency {
                None => {
                    self.no_currency(&text);
                    None
                }
                Some(currency) => self
                    .keep(&text, notation::price(&text.value, currency, None))
                    .map(|(price, per)| Change::Price(price, per)),
            },
            (Some(text), Some(_)) => {
                self.bad(&text, "a tier has a discount or a price, not both", "leave one of them out");
                None
            }
        };
        Some(Tier { from: units?, change: change? })
    }

    fn currency(&mut self) -> Option<Currency> {
        let text = self.section.text("currency", self.findings)?;
        let currency = Currency::parse(&text.value);
        if currency.is_none() {
            let help = "write the three capital letters of ISO 4217: `GBP`";
            self.bad(&text, &format!("`{}` is not a currency code", text.value), help);
        }
        currency
    }

    fn period(&mut self) -> Period {
        let Some(text) = self.section.text("period", self.findings) else { return Period::Month(1) };
        let day = text.value.strip_prefix("month from ").and_then(|day| day.trim().parse::<u32>().ok());
        match (text.value.as_str(), day) {
            ("month", _) => Period::Month(1),
            ("quarter", _) => Period::Quarter,
            (_, Some(day)) if (1..=28).contains(&day) => Period::Month(day),
            _ => {
                let help = "write `month`, `month from 15` (days 1 to 28) or `quarter`";
                self.bad(&text, &format!("`{}` is not a period", text.value), help);
                Period::Month(1)
            }
        }
    }

    fn classes(&mut self, key: &str) -> u32 {
        let mut bits = 0;
        for text in self.section.texts(key, self.findings) {
            match NumberClass::from_name(&text.value) {
                Some(class) => bits |= class_bit(class),
                None => {
                    let help = near(&text.value, NumberClass::ALL.map(NumberClass::name), "write the name of a class");
                    self.bad(&text, &format!("`{}` is not a class", text.value), help);
                }
            }
        }
        bits
    }

    fn destinations(&mut self, key: &str) -> Box<[DestinationKey<()>]> {
        let mut all = Vec::new();
        for text in self.section.texts(key, self.findings) {
            let mut keys = Vec::new();
            if self.keep(&text, notation::keys(&text.value, &mut keys)).is_none() {
                continue;
            }
            if keys.iter().any(|key| matches!(key, DestinationKey::Code(_))) {
                self.bad(&text, "an allowance does not go by charge codes", "write prefixes, or use `classes`");
            }
            all.extend(keys.into_iter().map(|key| key.map_code(|_| ())));
        }
        all.into()
    }

    fn bands(&mut self, key: &str) -> Box<[Box<str>]> {
        let mut names = Vec::new();
        for text in self.section.texts(key, self.findings) {
            if !self.bands.contains(&text.value.as_str()) {
                let help = near(&text.value, self.bands.iter().copied(), "write the name of a band of some tariff");
                self.bad(&text, &format!("no tariff has a band `{}`", text.value), help);
            }
            names.push(text.value.into());
        }
        names.into()
    }

    fn duration(&mut self, key: &str) -> Option<Duration> {
        let text = self.section.text(key, self.findings)?;
        self.read_duration(&text)
    }

    fn read_duration(&mut self, text: &Spanned<String>) -> Option<Duration> {
        // A million hours: what is granted, times lines and weights, stays far from the end of 64 bits.
        let most = Duration::from_seconds(3_600_000_000);
        let time = Duration::parse(&text.value).filter(|time| *time <= most);
        if time.is_none() {
            let help = "write a number and its unit: `1000min`, `90s`, `20h`";
            self.bad(text, &format!("`{}` is not a time", text.value), help);
        }
        time
    }

    fn money(&mut self, text: &Spanned<String>, currency: Option<Currency>) -> Option<Charge> {
        let Some(currency) = currency else {
            self.no_currency(text);
            return None;
        };
        let price = self.keep(text, notation::fee(&text.value, currency, None))?;
        if price.units() % 100 != 0 {
            self.bad(text, &format!("`{}` is too fine", text.value), "an amount has at most ten decimals of the unit");
            return None;
        }
        Some(Charge::from_units(price.units() / 100))
    }

    fn no_currency(&mut self, text: &Spanned<String>) {
        self.bad(text, "money needs a currency", "add `currency = \"GBP\"` to this table");
    }

    fn word(&mut self, key: &str, words: &[&str]) -> Option<usize> {
        let text = self.section.text(key, self.findings)?;
        let at = words.iter().position(|word| *word == text.value);
        if at.is_none() {
            let help = near(&text.value, words.iter().copied(), &format!("write one of `{}`", words.join("`, `")));
            self.bad(&text, &format!("`{}` is no `{key}`", text.value), help);
        }
        at
    }

    fn keep<T>(&mut self, text: &Spanned<String>, result: Result<T, Fault>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(fault) => {
                self.sound = false;
                self.findings.push(fault.at(self.section.label(&text.span, "")));
                None
            }
        }
    }

    fn bad(&mut self, text: &Spanned<String>, message: &str, help: impl Into<String>) {
        self.sound = false;
        self.findings.push(Finding::error(BAD, message).at(self.section.label(&text.span, "")).help(help));
    }
}

const LONG_PERIOD: &str = "this needs `period = \"month\"`, which is the month that is run";

fn near<'a>(given: &str, known: impl IntoIterator<Item = &'a str>, otherwise: &str) -> String {
    did_you_mean(given, known).map_or_else(|| otherwise.to_owned(), |near| format!("did you mean `{near}`?"))
}

/// A plain decimal above zero as a count of 10⁻ⁿ.
fn decimal(text: &str, decimals: usize) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let plain = whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || fraction.len() > decimals || !plain || text.ends_with('.') {
        return None;
    }
    format!("{whole}{fraction:0<decimals$}").parse().ok().filter(|value| *value > 0)
}

/// `40%` in millionths, at most 100 %.
fn percent(text: &str) -> Option<i64> {
    decimal(text.strip_suffix('%')?.trim(), 4).filter(|share| *share <= MILLION)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Schemes, Vec<String>) {
        let mut findings = Findings::default();
        let schemes = Schemes::read(&[SourceText::new("a.toml", text)], &["day", "evening"], &mut findings);
        (schemes, findings.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn every_key_of_the_guide_is_understood() {
        let (schemes, found) = read(
            "[allowances.inclusive]\nscope = \"service\"\ntime = \"1000min\"\ncalls = 150\nmoney = \"60 GBP\"\ncurrency = \"GBP\"\n\
             period = \"month from 15\"\npro_rata = true\ncarry_over = \"once\"\nclasses = [\"geographic\", \"mobile\"]\n\
             exclude_classes = [\"premium\"]\ndestinations = [\"44\"]\nexclude_destinations = [\"441481;441534\"]\n\
             bands = [\"evening\"]\nexclude_bands = [\"day\"]\nper_call = \"60min\"\nabove_per_call = \"not-eligible\"\n\
             step = \"60s\"\nminimum_deduction = \"5min\"\ncrossing = \"whole-call-charged\"\npriority = 2\n\
             sub_limits = { mobile = \"40%\", geographic = \"100min\" }\nweights = { day = \"3.8\", mobile = \"2\" }\n\
             [volume.bulk]\nby = \"time\"\napplies = \"beyond\"\ncurrency = \"GBP\"\n\
             tiers = [{ from = \"1000min\", discount = \"10%\" }, { from = \"5000min\", price = \"0.8p/min\" }]\n",
        );
        assert_eq!(found, [""; 0]);
        let [inclusive, bulk] = schemes.all() else { panic!("{schemes:?}") };
        assert_eq!((&*inclusive.name, inclusive.period, inclusive.priority), ("inclusive", Period::Month(15), 2));
        let Kind::Allowance(allowance) = &inclusive.kind else { panic!("{inclusive:?}") };
        assert_eq!(allowance.grant.money, Some(Charge::from_units(600_000_000_000)));
        assert_eq!(allowance.weights.len(), 2);
        let Kind::Volume(volume) = &bulk.kind else { panic!("{bulk:?}") };
        assert_eq!(volume.tiers[0], Tier { from: 0, change: Change::None });
        assert_eq!(volume.tiers[1], Tier { from: 60_000_000, change: Change::Discount(100_000) });
        // 0.8p is 8,000,000,000 × 10⁻¹² pounds.
        let price = Change::Price(Price::from_units(8_000_000_000), Duration::from_seconds(60));
        assert_eq!(volume.tiers[2], Tier { from: 300_000_000, change: price });
    }

    #[test]
    fn what_cannot_be_meant_is_refused_where_it_stands() {
        for (table, place) in [
            ("scope = \"lines\"\ntime = \"1min\"", "2:9"),
            ("period = \"week\"\ntime = \"1min\"", "2:10"),
            ("period = \"month from 29\"\ntime = \"1min\"", "2:10"),
            ("time = \"90\"", "2:8"),
            ("money = \"60 GBP\"", "2:9"),
            ("priority = 1", "1:13"),
            ("calls = 0", "2:9"),
            ("time = \"1min\"\ncrossing = \"re-rate-period\"\nperiod = \"quarter\"", "1:13"),
            ("time = \"1min\"\nscope = \"number\"\ncarry_over = \"all\"", "1:13"),
            ("time = \"1min\"\nbands = [\"night\"]", "3:10"),
            ("time = \"1min\"\nclasses = [\"moblie\"]", "3:12"),
            ("time = \"1min\"\nweights = { night = \"2\" }", "3:13"),
            ("time = \"1min\"\nweights = { day = \"-2\" }", "3:19"),
            ("time = \"1min\"\nsub_limits = { mobile = \"140%\" }", "3:25"),
            ("time = \"1min\"\nabove_per_call = \"charged\"", "1:13"),
            ("calls = 5\nstep = \"60s\"", "1:13"),
        ] {
            let (schemes, found) = read(&format!("[allowances.x]\n{table}\n"));
            assert_eq!(found.len(), 1, "{table}: {found:?}");
            assert!(
                found[0].starts_with(&format!("a.toml:{place}: error[allowance.bad_definition]")),
                "{table}: {found:?}"
            );
            assert!(schemes.is_empty(), "{table}");
        }
    }

    #[test]
    fn the_longest_destination_decides_and_a_tie_excludes() {
        let (schemes, found) = read(
            "[allowances.x]\ntime = \"1min\"\ndestinations = [\"44\", \"447624\"]\nexclude_destinations = [\"4476\", \"441481\"]\n",
        );
        assert_eq!(found, [""; 0]);
        let eligible = &schemes.all()[0].eligible;
        for (number, takes) in [
            ("442079460958", true),
            ("447600000000", false),
            ("447624000000", true),
            ("441481000000", false),
            ("33199001234", false),
        ] {
            let called = Party::Number(crate::number::E164::parse(number.as_bytes()).unwrap());
            assert_eq!(eligible.takes(called, NumberClass::Ordinary), takes, "{number}");
        }
        assert!(
            !eligible.takes(Party::ShortCode(crate::number::Digits::parse(b"101").unwrap()), NumberClass::ShortCode)
        );
    }

    #[test]
    fn periods_begin_on_their_day() {
        let day = |text| Date::parse(text).unwrap();
        for (period, at, from, until) in [
            (Period::Month(1), "2026-02-28", "2026-02-01", "2026-03-01"),
            (Period::Month(28), "2026-02-28", "2026-02-28", "2026-03-28"),
            (Period::Month(28), "2026-01-05", "2025-12-28", "2026-01-28"),
            (Period::Quarter, "2026-01-01", "2026-01-01", "2026-04-01"),
            (Period::Quarter, "2026-12-31", "2026-10-01", "2027-01-01"),
        ] {
            assert_eq!(period.around(day(at)), (day(from), day(until)), "{period:?} {at}");
        }
    }
}
