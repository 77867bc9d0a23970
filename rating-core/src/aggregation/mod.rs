//! Fourth floor: rated calls to sums.
//!
//! An [`Aggregate`] is what a chunk, a file or a machine contributes to a month's reports. It holds integers only, so
//! adding rows and merging aggregates in any order gives the same sums; the lists it hands out are sorted, so the bytes
//! written from them depend on the calls alone.
//!
//! Interpretation:
//!
//! - The **payer's side** of a call is retail, or wholesale for the operator's own calls ([`PayerId::OPERATOR`]).
//! - A call is **billable** if its payer's side was rated, at 0.00 too: a price of nothing is a price. What no price
//!   applies to (inbound, internal, emergency, unanswered) is *not chargeable* and not billable.
//! - **Wholesale missing** counts calls whose wholesale side is suspended, whatever became of the payer's side.
//! - A destination is that of the payer's side. A call of which only the wholesale side is rated is found under its
//!   wholesale destination, with an operator cost and no calls, so that operator costs add up.

mod amounts;
mod balance;
mod bill;
mod usage;

use foldhash::fast::FixedState;
use hashbrown::HashMap;

pub use amounts::{Amounts, Elapsed, Sum};
pub use balance::{Control, Counts, Imbalance, SideControl};
pub use bill::{BillKind, BillLine, BillRules, BillTax, Bills};
pub use usage::{Usage, UsageCharges, UsageTerms};

use crate::ids::{DestinationId, PayerId, SiteId, SourceId};
use crate::money::{Charge, Currency, Total};
use crate::number::{Digits, E164};
use crate::rating::{CallRow, Outcome, Side};
use crate::source::RecordId;
use crate::time::Instant;

/// The seed is fixed so that two runs take the same steps; no order of a map ever reaches an output.
type Map<K, V> = HashMap<K, V, FixedState>;

/// Whose sums: a site and who pays there. `None` holds the calls whose payer is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PayerKey {
    /// The site whose reports the calls belong to.
    pub site: SiteId,
    /// Who pays.
    pub payer: Option<PayerId>,
}

impl PayerKey {
    /// Whether these are the operator's own calls.
    #[must_use]
    pub fn is_operator(self) -> bool {
        self.payer == Some(PayerId::OPERATOR)
    }
}

/// What one payer's calls at one site come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PayerSums {
    /// All calls.
    pub calls: u64,
    /// Calls rated on the payer's side.
    pub billable_calls: u64,
    /// Calls not chargeable on the payer's side.
    pub not_chargeable_calls: u64,
    /// Calls suspended on the payer's side.
    pub suspended_calls: u64,
    /// Calls whose wholesale side is suspended.
    pub wholesale_missing_calls: u64,
    /// Talk time of all calls.
    pub duration: Elapsed,
    /// Talk time of the billable calls.
    pub billable_duration: Elapsed,
    /// Time of the billable calls after minimum and increments, on the payer's side.
    pub billed_duration: Elapsed,
    /// Retail charges.
    pub client: Amounts,
    /// Wholesale charges.
    pub operator: Amounts,
    /// Wholesale charges brought from their own currency (first) to that of the retail side (second).
    pub converted: Amounts<(Currency, Currency)>,
}

impl PayerSums {
    /// Adds the sums of other calls.
    pub fn merge(&mut self, other: &Self) {
        self.calls += other.calls;
        self.billable_calls += other.billable_calls;
        self.not_chargeable_calls += other.not_chargeable_calls;
        self.suspended_calls += other.suspended_calls;
        self.wholesale_missing_calls += other.wholesale_missing_calls;
        self.duration = self.duration.plus(other.duration);
        self.billable_duration = self.billable_duration.plus(other.billable_duration);
        self.billed_duration = self.billed_duration.plus(other.billed_duration);
        self.client.merge(&other.client);
        self.operator.merge(&other.operator);
        self.converted.merge(&other.converted);
    }

    /// Client amount less operator amount, in the client's currency. `None` (blank) if a wholesale charge is missing, if
    /// one could not be brought to the client's currency, if there is more than one client currency, or if nothing was
    /// charged on either side.
    #[must_use]
    pub fn margin(&self) -> Option<(Currency, Total)> {
        margin(&self.client, &self.operator, &self.converted, self.wholesale_missing_calls)
    }
}

/// See [`PayerSums::margin`].
fn margin(
    client: &Amounts,
    operator: &Amounts,
    converted: &Amounts<(Currency, Currency)>,
    missing: u64,
) -> Option<(Currency, Total)> {
    if missing > 0 || client.len() > 1 {
        return None;
    }
    let (currency, charged) = match client.only() {
        Some((currency, sum)) => (currency, sum.total),
        None => (operator.only()?.0, Total::ZERO),
    };
    let mut margin = charged;
    for (from, sum) in operator.iter() {
        let cost = if from == currency {
            sum.total
        } else {
            converted.get((from, currency)).filter(|converted| converted.charges == sum.charges)?.total
        };
        margin = margin.minus(cost);
    }
    Some((currency, margin))
}

/// What a line of the per-extension summary stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Line {
    /// An extension.
    Extension(Digits),
    /// A number, for calls that no extension is known of.
    Number(E164),
    /// Neither is known.
    Unknown,
}

impl Line {
    fn of(row: &CallRow<'_>) -> Self {
        match (row.extension, row.number) {
            (Some(extension), _) => Self::Extension(extension),
            (None, Some(number)) => Self::Number(number),
            (None, None) => Self::Unknown,
        }
    }
}

/// Key of the per-extension sums; only billable calls have one, so there is always a currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LineKey {
    /// Whose line.
    pub payer: PayerKey,
    /// Which line.
    pub line: Line,
    /// Currency of the charges.
    pub currency: Currency,
}

/// The number of a line: that of its calls, if they agree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LineNumber {
    /// No call says.
    #[default]
    Unknown,
    /// All calls that say agree.
    One(E164),
    /// The extension had more than one number in the month.
    Several,
}

impl LineNumber {
    fn merge(self, other: Self) -> Self {
        match (self, other) {
            (Self::Unknown, number) | (number, Self::Unknown) => number,
            (Self::One(a), Self::One(b)) if a == b => self,
            _ => Self::Several,
        }
    }
}

/// What the billable calls of one extension (or number) come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LineSums {
    /// Its number.
    pub number: LineNumber,
    /// Billable calls.
    pub billable_calls: u64,
    /// Their talk time.
    pub duration: Elapsed,
    /// Their time after minimum and increments.
    pub billed_duration: Elapsed,
    /// Their charges on the payer's side.
    pub cost: Total,
    /// Their VAT, where it is worked out call by call.
    pub vat: Option<Total>,
}

impl LineSums {
    /// Adds the sums of other calls.
    pub fn merge(&mut self, other: &Self) {
        self.number = self.number.merge(other.number);
        self.billable_calls += other.billable_calls;
        self.duration = self.duration.plus(other.duration);
        self.billed_duration = self.billed_duration.plus(other.billed_duration);
        self.cost = self.cost.plus(other.cost);
        self.vat = match (self.vat, other.vat) {
            (Some(own), Some(other)) => Some(own.plus(other)),
            (own, other) => own.or(other),
        };
    }
}

/// Key of the destination analysis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DestinationKey {
    /// Whose calls.
    pub payer: PayerKey,
    /// Where to.
    pub destination: DestinationId,
}

/// What the calls to one destination come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DestinationSums {
    /// Billable calls.
    pub calls: u64,
    /// Their talk time.
    pub duration: Elapsed,
    /// Their time after minimum and increments, on the payer's side.
    pub billed_duration: Elapsed,
    /// Retail charges; none for the operator's own calls.
    pub client: Amounts,
    /// Wholesale charges.
    pub operator: Amounts,
    /// Wholesale charges brought from their own currency (first) to that of the retail side (second).
    pub converted: Amounts<(Currency, Currency)>,
    /// Billable calls whose wholesale side is suspended.
    pub wholesale_missing_calls: u64,
}

impl DestinationSums {
    /// Adds the sums of other calls.
    pub fn merge(&mut self, other: &Self) {
        self.calls += other.calls;
        self.duration = self.duration.plus(other.duration);
        self.billed_duration = self.billed_duration.plus(other.billed_duration);
        self.client.merge(&other.client);
        self.operator.merge(&other.operator);
        self.converted.merge(&other.converted);
        self.wholesale_missing_calls += other.wholesale_missing_calls;
    }

    /// Client amount less operator amount; blank (`None`) as for [`PayerSums::margin`].
    #[must_use]
    pub fn margin(&self) -> Option<(Currency, Total)> {
        margin(&self.client, &self.operator, &self.converted, self.wholesale_missing_calls)
    }
}

/// One of the two sides on which a call is rated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SideName {
    /// What the payer is charged.
    Retail,
    /// What the carrier charges the operator.
    Wholesale,
}

impl SideName {
    /// The name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Retail => "retail",
            Self::Wholesale => "wholesale",
        }
    }
}

/// Why sides of calls at one site were not rated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ReasonKey {
    /// The site.
    pub site: SiteId,
    /// Which side.
    pub side: SideName,
    /// The stable code.
    pub code: &'static str,
}

/// The first call with a reason, in canonical order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// Its record.
    pub record: RecordId,
    /// Where it came from.
    pub source: SourceId,
    /// The instant that decides.
    pub charging_at: Instant,
    /// The digits keyed, the first 64 bytes.
    pub dialled: Box<[u8]>,
}

impl Example {
    const DIALLED_BYTES: usize = 64;

    fn of(row: &CallRow<'_>) -> Self {
        let dialled = row.dialled.get(..Self::DIALLED_BYTES).unwrap_or(row.dialled);
        Self { record: row.record, source: row.source, charging_at: row.charging_at, dialled: dialled.into() }
    }
}

/// What the calls with one reason come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReasonSums {
    /// How many calls.
    pub calls: u64,
    /// Their talk time.
    pub duration: Elapsed,
    /// What their other side was rated at: the money at stake, as far as it can be told.
    pub at_stake: Amounts,
    /// The first of them.
    pub example: Example,
}

impl ReasonSums {
    fn merge(&mut self, other: Self) {
        self.calls += other.calls;
        self.duration = self.duration.plus(other.duration);
        self.at_stake.merge(&other.at_stake);
        if other.example.record < self.example.record {
            self.example = other.example;
        }
    }
}

/// Sums of rated calls: mergeable, order-free, integers only.
///
/// # Example
///
/// ```
/// use rating_core::aggregation::Aggregate;
/// let month = Aggregate::new().merge(Aggregate::new());
/// assert!(month.check().is_ok());
/// assert_eq!(month.control().calls, 0);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Aggregate {
    /// Index into `payers`, by site and payer; also the first part of the keys below.
    slots: Map<PayerKey, u32>,
    payers: Vec<(PayerKey, PayerSums)>,
    lines: Map<(u32, Line, Currency), LineSums>,
    destinations: Map<(u32, DestinationId), DestinationSums>,
    suspended: Map<ReasonKey, ReasonSums>,
    not_chargeable: Map<ReasonKey, ReasonSums>,
    control: Control,
}

impl Aggregate {
    /// No calls.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one call.
    ///
    /// # Panics
    ///
    /// If a site has more than four thousand million payers.
    #[inline]
    pub fn add(&mut self, row: &CallRow<'_>) {
        self.add_converted(row, None);
    }

    /// Adds one call whose wholesale charge was brought to another currency, that of the client, by the project's dated
    /// exchange rates. Only the margin uses it.
    pub fn add_converted(&mut self, row: &CallRow<'_>, converted: Option<(Currency, Charge)>) {
        let key = PayerKey { site: row.site, payer: row.payer };
        let slot = self.slot(key);
        let side = if key.is_operator() { &row.wholesale } else { &row.retail };
        self.control.add(row, side);

        if let Some((_, sums)) = self.payers.get_mut(slot as usize) {
            add_to_payer(sums, row, side, converted);
        }
        if let Outcome::Rated(priced) = &side.outcome {
            let line = self.lines.entry((slot, Line::of(row), currency_of(side))).or_default();
            line.number = line.number.merge(row.number.map_or(LineNumber::Unknown, LineNumber::One));
            line.billable_calls += 1;
            line.duration.add(row.duration);
            line.billed_duration.add(priced.billed);
            line.cost.add(priced.charge);
            if let Some(vat) = row.vat {
                line.vat.get_or_insert(Total::ZERO).add(vat);
            }
        }
        self.add_to_destination(slot, row, side, converted);
        self.add_reasons(row, side);
    }

    fn slot(&mut self, key: PayerKey) -> u32 {
        if let Some(slot) = self.slots.get(&key) {
            return *slot;
        }
        let slot = u32::try_from(self.payers.len()).unwrap_or(u32::MAX);
        assert!(slot != u32::MAX, "more payers than an id can count");
        self.payers.push((key, PayerSums::default()));
        self.slots.insert(key, slot);
        slot
    }

    fn add_to_destination(&mut self, slot: u32, row: &CallRow<'_>, side: &Side, converted: Option<(Currency, Charge)>) {
        let destination = match (&side.outcome, &row.wholesale.outcome) {
            (Outcome::Rated(priced), _) | (_, Outcome::Rated(priced)) => priced.destination,
            _ => return,
        };
        let sums = self.destinations.entry((slot, destination)).or_default();
        if let Outcome::Rated(priced) = &side.outcome {
            sums.calls += 1;
            sums.duration.add(row.duration);
            sums.billed_duration.add(priced.billed);
        }
        add_charge(&mut sums.client, &row.retail);
        add_charge(&mut sums.operator, &row.wholesale);
        if let (Some((to, charge)), Outcome::Rated(_)) = (converted, &row.wholesale.outcome) {
            sums.converted.add((currency_of(&row.wholesale), to), charge);
        }
        if matches!(row.wholesale.outcome, Outcome::Suspended(_)) {
            sums.wholesale_missing_calls += 1;
        }
    }

    fn add_reasons(&mut self, row: &CallRow<'_>, payer_side: &Side) {
        if let Outcome::NotChargeable(code) = payer_side.outcome {
            let side = if row.payer == Some(PayerId::OPERATOR) { SideName::Wholesale } else { SideName::Retail };
            count_reason(&mut self.not_chargeable, ReasonKey { site: row.site, side, code }, row, &row.wholesale);
        }
        for (side, name, other) in
            [(&row.retail, SideName::Retail, &row.wholesale), (&row.wholesale, SideName::Wholesale, &row.retail)]
        {
            if let Outcome::Suspended(code) = side.outcome {
                count_reason(&mut self.suspended, ReasonKey { site: row.site, side: name, code }, row, other);
            }
        }
    }

    /// The sums of both.
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        let mut slots = Vec::with_capacity(other.payers.len());
        for (key, sums) in &other.payers {
            let slot = self.slot(*key);
            if let Some((_, have)) = self.payers.get_mut(slot as usize) {
                have.merge(sums);
            }
            slots.push(slot);
        }
        let slot_of = |slot: u32| slots.get(slot as usize).copied().unwrap_or(u32::MAX);
        for ((slot, line, currency), sums) in other.lines {
            self.lines.entry((slot_of(slot), line, currency)).or_default().merge(&sums);
        }
        for ((slot, destination), sums) in other.destinations {
            self.destinations.entry((slot_of(slot), destination)).or_default().merge(&sums);
        }
        merge_reasons(&mut self.suspended, other.suspended);
        merge_reasons(&mut self.not_chargeable, other.not_chargeable);
        self.control.merge(&other.control);
        self
    }

    /// The control figures.
    #[must_use]
    pub fn control(&self) -> &Control {
        &self.control
    }

    /// The sums of each payer at each site, by site, then unknown payers, the operator, the occupiers.
    #[must_use]
    pub fn payers(&self) -> Vec<(PayerKey, &PayerSums)> {
        let mut list: Vec<_> = self.payers.iter().map(|(key, sums)| (*key, sums)).collect();
        list.sort_unstable_by_key(|(key, _)| *key);
        list
    }

    /// The sums of one payer at one site.
    #[must_use]
    pub fn payer(&self, key: PayerKey) -> Option<&PayerSums> {
        self.payers.get(*self.slots.get(&key)? as usize).map(|(_, sums)| sums)
    }

    /// The sums of extensions and destinations, sorted. Made once, it serves the reports of every payer.
    #[must_use]
    pub fn listing(&self) -> Listing<'_> {
        let mut lines: Vec<_> = self
            .lines
            .iter()
            .filter_map(|((slot, line, currency), sums)| {
                let payer = self.key_of(*slot)?;
                Some((LineKey { payer, line: *line, currency: *currency }, sums))
            })
            .collect();
        lines.sort_unstable_by_key(|(key, _)| *key);
        let mut destinations: Vec<_> = self
            .destinations
            .iter()
            .filter_map(|((slot, destination), sums)| {
                Some((DestinationKey { payer: self.key_of(*slot)?, destination: *destination }, sums))
            })
            .collect();
        destinations.sort_unstable_by_key(|(key, _)| *key);
        Listing { lines, destinations }
    }

    /// Suspended sides by site, side and code. A call suspended on both sides is listed on both.
    #[must_use]
    pub fn suspended(&self) -> Vec<(ReasonKey, &ReasonSums)> {
        listed(&self.suspended)
    }

    /// Calls not chargeable on the payer's side, by site, side and code. The money at stake is their wholesale charge.
    #[must_use]
    pub fn not_chargeable(&self) -> Vec<(ReasonKey, &ReasonSums)> {
        listed(&self.not_chargeable)
    }

    /// Compares every identity that the sums must satisfy; see [`Control`].
    ///
    /// # Errors
    ///
    /// [`Imbalance`] names the first broken identity in words.
    pub fn check(&self) -> Result<(), Imbalance> {
        balance::check(self)
    }

    fn key_of(&self, slot: u32) -> Option<PayerKey> {
        self.payers.get(slot as usize).map(|(key, _)| *key)
    }
}

/// The sums of an [`Aggregate`]'s extensions and destinations, sorted.
#[derive(Clone, Debug)]
pub struct Listing<'a> {
    lines: Vec<(LineKey, &'a LineSums)>,
    destinations: Vec<(DestinationKey, &'a DestinationSums)>,
}

impl<'a> Listing<'a> {
    /// The sums of each extension (or number), by site, payer, extension.
    #[must_use]
    pub fn lines(&self) -> &[(LineKey, &'a LineSums)] {
        &self.lines
    }

    /// Those of one payer at one site.
    #[must_use]
    pub fn lines_of(&self, payer: PayerKey) -> &[(LineKey, &'a LineSums)] {
        equal_range(&self.lines, |(key, _)| key.payer.cmp(&payer))
    }

    /// The sums of each destination, by site, payer, destination id.
    #[must_use]
    pub fn destinations(&self) -> &[(DestinationKey, &'a DestinationSums)] {
        &self.destinations
    }

    /// Those of one payer at one site.
    #[must_use]
    pub fn destinations_of(&self, payer: PayerKey) -> &[(DestinationKey, &'a DestinationSums)] {
        equal_range(&self.destinations, |(key, _)| key.payer.cmp(&payer))
    }

    /// Those of all payers at one site.
    #[must_use]
    pub fn destinations_at(&self, site: SiteId) -> &[(DestinationKey, &'a DestinationSums)] {
        equal_range(&self.destinations, |(key, _)| key.payer.site.cmp(&site))
    }
}

/// The entries of a sorted list that compare equal.
fn equal_range<T>(list: &[T], compare: impl Fn(&T) -> std::cmp::Ordering) -> &[T] {
    let from = list.partition_point(|entry| compare(entry).is_lt());
    let until = list.partition_point(|entry| compare(entry).is_le());
    list.get(from..until).unwrap_or(&[])
}

fn add_to_payer(sums: &mut PayerSums, row: &CallRow<'_>, side: &Side, converted: Option<(Currency, Charge)>) {
    sums.calls += 1;
    sums.duration.add(row.duration);
    match &side.outcome {
        Outcome::Rated(priced) => {
            sums.billable_calls += 1;
            sums.billable_duration.add(row.duration);
            sums.billed_duration.add(priced.billed);
        }
        Outcome::NotChargeable(_) => sums.not_chargeable_calls += 1,
        Outcome::Suspended(_) => sums.suspended_calls += 1,
    }
    if matches!(row.wholesale.outcome, Outcome::Suspended(_)) {
        sums.wholesale_missing_calls += 1;
    }
    add_charge(&mut sums.client, &row.retail);
    add_charge(&mut sums.operator, &row.wholesale);
    if let (Some((to, charge)), Outcome::Rated(_)) = (converted, &row.wholesale.outcome) {
        sums.converted.add((currency_of(&row.wholesale), to), charge);
    }
}

/// The currency of a rated side, which always states one.
fn currency_of(side: &Side) -> Currency {
    side.currency.unwrap_or(Currency::NONE)
}

fn add_charge(amounts: &mut Amounts, side: &Side) {
    if let Outcome::Rated(priced) = &side.outcome {
        amounts.add(currency_of(side), priced.charge);
    }
}

fn count_reason(reasons: &mut Map<ReasonKey, ReasonSums>, key: ReasonKey, row: &CallRow<'_>, other: &Side) {
    let sums = reasons.entry(key).or_insert_with(|| ReasonSums {
        calls: 0,
        duration: Elapsed::ZERO,
        at_stake: Amounts::default(),
        example: Example::of(row),
    });
    sums.calls += 1;
    sums.duration.add(row.duration);
    add_charge(&mut sums.at_stake, other);
    if row.record < sums.example.record {
        sums.example = Example::of(row);
    }
}

fn merge_reasons(reasons: &mut Map<ReasonKey, ReasonSums>, other: Map<ReasonKey, ReasonSums>) {
    for (key, sums) in other {
        match reasons.entry(key) {
            hashbrown::hash_map::Entry::Occupied(mut have) => have.get_mut().merge(sums),
            hashbrown::hash_map::Entry::Vacant(free) => {
                free.insert(sums);
            }
        }
    }
}

fn listed(reasons: &Map<ReasonKey, ReasonSums>) -> Vec<(ReasonKey, &ReasonSums)> {
    let mut list: Vec<_> = reasons.iter().map(|(key, sums)| (*key, sums)).collect();
    list.sort_unstable_by_key(|(key, _)| *key);
    list
}

#[cfg(test)]
pub(crate) mod fixtures;
#[cfg(test)]
mod tests;
