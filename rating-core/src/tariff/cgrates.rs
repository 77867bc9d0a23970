//! Tariff plans of CGRateS 0.x, as they stand: the CSV folder that its loader reads, compiled to what prices a call.
//!
//! Written from the CGRateS documentation (*Tariff plans*, *RALs*, *Rating logic*); `docs/import.md` lists each rule and
//! each place where this reading differs. What a call costs by such a plan is worked out by
//! [`crate::rating::cgrates::price`].
//!
//! A subject's **profile** says from when which **plan** applies; a plan offers **destination rates** at **timings**, each
//! with a weight; a destination rate ties a **rate**, which is a list of tiers, to a **destination**, which is a list of
//! prefixes. Prefixes are texts: `+49` and `49` have nothing to do with each other.
//!
//! Positions in a call are counted in nanoseconds from its answer, because CGRateS counts so: a bare `1` in a rate is a
//! nanosecond.

mod amount;
mod find;
mod import;
mod lines;
mod read;

use std::collections::{BTreeMap, HashMap};

use crate::money::{Price, Rounding};
use crate::time::{Duration, Instant};

pub use find::{NoPrice, Part, Piece};
pub use import::{CgratesImport, CgratesTariff};

/// Nanoseconds in a millisecond.
pub(crate) const NANOSECONDS: i64 = 1_000_000;

/// A folder of CGRateS tariff-plan files, compiled.
///
/// # Example: a call to a prefix, by a profile for everybody
///
/// ```
/// use rating_core::finding::{Findings, SourceText};
/// use rating_core::rating::cgrates;
/// use rating_core::tariff::cgrates::{CgratesCall, CgratesPlan};
/// use rating_core::time::{Duration, Instant, Zone};
///
/// let files = [
///     ("Destinations.csv", "DST_DE,+49\n"),
///     ("Rates.csv", "#Id,ConnectFee,Rate,RateUnit,RateIncrement,GroupIntervalStart\nRT,0.2,0.1,60s,60s,0s\nRT,0,0.05,60s,1s,60s\n"),
///     ("DestinationRates.csv", "DR,DST_DE,RT,*up,4,0,\n"),
///     ("RatingPlans.csv", "RP,DR,*any,10\n"),
///     ("RatingProfiles.csv", "cgrates.org,call,*any,2014-01-14T00:00:00Z,RP,\n"),
/// ];
/// let names = files.map(|(name, _)| name.to_owned());
/// let mut read = |name: &str| files.iter().find(|file| file.0 == name).map(|(name, text)| SourceText::new(*name, *text));
/// let mut findings = Findings::default();
/// let plan = CgratesPlan::read(&names, &mut read, &Zone::utc(), &mut findings).unwrap();
///
/// let call = CgratesCall {
///     tenant: "cgrates.org",
///     category: "call",
///     subject: "1001",
///     called: "+4930901820",
///     answered_at: Instant::parse_rfc3339("2026-07-01T10:00:00Z").unwrap(),
///     duration: Duration::from_seconds(85),
/// };
/// let priced = cgrates::price(&plan, &call, &Zone::utc()).unwrap();
/// // 0.2 + 0.1 for the first minute, 25 s × 0.05 ÷ 60 = 0.0208333…; up at the fourth decimal
/// assert_eq!(priced.charge.to_string(), "0.3209");
/// ```
#[derive(Debug)]
pub struct CgratesPlan {
    /// Which destinations, by their index in file order, have a prefix.
    prefixes: HashMap<Box<[u8]>, Vec<u32>>,
    destinations: Vec<Box<str>>,
    timings: Vec<Timing>,
    rates: Vec<Rate>,
    plans: Vec<Plan>,
    /// By tenant, category and subject; activations in time order, one for each moment.
    profiles: BTreeMap<Box<str>, Vec<Activation>>,
}

/// A call as a CGRateS plan sees it.
#[derive(Clone, Copy, Debug)]
pub struct CgratesCall<'c> {
    /// The tenant; `cgrates.org` where nothing else is configured.
    pub tenant: &'c str,
    /// The category; `call` where nothing else is configured.
    pub category: &'c str,
    /// Who is charged.
    pub subject: &'c str,
    /// The called number as written: the text that prefixes are compared with.
    pub called: &'c str,
    /// When it was answered.
    pub answered_at: Instant,
    /// Talk time.
    pub duration: Duration,
}

/// When a destination rate applies: lists that must hold the day, and the time of day it begins. It lasts until midnight;
/// an earlier end is the beginning of another timing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Timing {
    pub(crate) tag: Box<str>,
    /// `None` is any.
    pub(crate) years: Option<Box<[i32]>>,
    /// Bit 1 is January.
    pub(crate) months: u16,
    /// Bit 1 is the first.
    pub(crate) month_days: u32,
    /// Bit 0 is Monday.
    pub(crate) week_days: u8,
    /// Milliseconds since midnight.
    pub(crate) start: i64,
}

/// A rate: what it costs to connect, and its tiers in the order of their starts.
#[derive(Debug)]
pub(crate) struct Rate {
    pub(crate) tag: Box<str>,
    /// Of the row that stands first in the file.
    pub(crate) connect_fee: Price,
    pub(crate) tiers: Vec<Tier>,
}

/// What a rate costs from a position on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tier {
    /// From which position in the call, in nanoseconds.
    pub start: i64,
    /// The price of `per` nanoseconds.
    pub price: Price,
    /// `RateUnit`, in nanoseconds; more than zero.
    pub per: i64,
    /// `RateIncrement`, in nanoseconds; more than zero.
    pub increment: i64,
}

/// What a plan offers for a destination at a timing: a row of `DestinationRates.csv`.
#[derive(Clone, Debug)]
pub struct Offer {
    timing: u32,
    rate: u32,
    /// The destination; `None` is `*any`.
    destination: Option<u32>,
    /// In 10⁻¹², as [`Price`] counts.
    weight: Price,
    /// `RoundingDecimals`.
    pub(crate) decimals: u8,
    /// The rounding, if it names a method and decimals.
    pub(crate) rounding: Option<Rounding>,
    /// `MaxCost`, where its strategy is `*free`.
    pub(crate) free_above: Option<Price>,
    /// Its line in `DestinationRates.csv`.
    line: u32,
}

impl Offer {
    /// Whether a call costs the same by both, whenever they apply.
    fn costs_as(&self, other: &Self) -> bool {
        let terms = |offer: &Self| (offer.rate, offer.decimals, offer.rounding, offer.free_above);
        terms(self) == terms(other)
    }

    /// Its line in `DestinationRates.csv`, counted from 1.
    #[must_use]
    pub const fn line(&self) -> u32 {
        self.line
    }
}

/// The rows of a rating plan by destination.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) id: Box<str>,
    pub(crate) any: Vec<Offer>,
    pub(crate) by_destination: HashMap<u32, Vec<Offer>>,
}

/// From when a profile is on which plan.
#[derive(Debug)]
pub(crate) struct Activation {
    pub(crate) at: Instant,
    pub(crate) plan: u32,
    /// Other subjects to ask, in the order in which they are asked.
    pub(crate) fallbacks: Vec<Box<str>>,
}

/// The key of a profile.
pub(crate) fn profile_key(tenant: &str, category: &str, subject: &str) -> String {
    format!("{tenant}\n{category}\n{subject}")
}
