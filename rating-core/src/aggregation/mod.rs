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
mod reasons;
mod table;
mod usage;

use foldhash::fast::FixedState;
use hashbrown::HashMap;

pub use amounts::{Amounts, Elapsed, Sum};
pub use balance::{Control, Counts, Imbalance, SideControl};
pub use bill::{BillKind, BillLine, BillRules, BillTax, Bills};
pub use reasons::{Example, ReasonKey, ReasonSums, SideName};
pub use usage::{Usage, UsageCharges, UsageTerms};

use self::reasons::Reasons;
use self::table::{Key, Table};
use crate::ids::{DestinationId, PayerId, SiteId};
use crate::money::{Charge, Currency, Total};
use crate::number::{Digits, E164};
use crate::rating::{CallRow, Outcome, Side};

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

impl Key for (Line, Currency) {
    fn word(self) -> u64 {
        // Digits leave the four highest bits free, and a payer has one currency or two.
        let line = match self.0 {
            Line::Extension(digits) => digits.to_bits(),
            Line::Number(number) => number.digits().to_bits() | 1 << 63,
            Line::Unknown => u64::MAX,
        };
        line ^ u64::from(self.1.to_bits()) << 32
    }
}

impl Key for DestinationId {
    fn word(self) -> u64 {
        u64::from(self.0)
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
    /// Place in `payers`, by site and payer.
    slots: Map<PayerKey, u32>,
    payers: Vec<Payer>,
    /// Whose call was added last: calls come payer by payer.
    current: usize,
    suspended: Reasons,
    not_chargeable: Reasons,
    control: Control,
}

/// Everything of one payer at one site.
#[derive(Clone, Debug)]
struct Payer {
    key: PayerKey,
    sums: PayerSums,
    lines: Table<(Line, Currency), LineSums>,
    destinations: Table<DestinationId, DestinationSums>,
    /// Extensions and destinations were compared with `sums`, and are gone.
    condensed: bool,
}

impl Payer {
    fn new(key: PayerKey) -> Self {
        Self {
            key,
            sums: PayerSums::default(),
            lines: Table::default(),
            destinations: Table::default(),
            condensed: false,
        }
    }

    fn settle(&mut self) {
        self.lines.settle();
        self.destinations.settle();
    }

    fn merge(&mut self, other: &Self) {
        self.sums.merge(&other.sums);
        self.condensed |= other.condensed;
        for (key, sums) in other.lines.unordered() {
            self.lines.entry(key).merge(sums);
        }
        for (key, sums) in other.destinations.unordered() {
            self.destinations.entry(key).merge(sums);
        }
    }

    #[inline]
    fn add(&mut self, row: &CallRow<'_>, side: &Side, converted: Option<(Currency, Charge)>) {
        add_to_payer(&mut self.sums, row, side, converted);
        if let Outcome::Rated(priced) = &side.outcome {
            let line = self.lines.entry((Line::of(row), currency_of(side)));
            line.number = line.number.merge(row.number.map_or(LineNumber::Unknown, LineNumber::One));
            line.billable_calls += 1;
            line.duration.add(row.duration);
            line.billed_duration.add(priced.billed);
            line.cost.add(priced.charge);
            if let Some(vat) = row.vat {
                line.vat.get_or_insert(Total::ZERO).add(vat);
            }
        }
        let destination = match (&side.outcome, &row.wholesale.outcome) {
            (Outcome::Rated(priced), _) | (_, Outcome::Rated(priced)) => priced.destination,
            _ => return,
        };
        let sums = self.destinations.entry(destination);
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
    /// exchange rates. Only the margin uses it. Fastest where the calls of a payer come one after the other.
    pub fn add_converted(&mut self, row: &CallRow<'_>, converted: Option<(Currency, Charge)>) {
        let key = PayerKey { site: row.site, payer: row.payer };
        let side = if key.is_operator() { &row.wholesale } else { &row.retail };
        self.control.add(row, side);
        if self.payers.get(self.current).is_none_or(|payer| payer.key != key) {
            self.current = self.slot(key);
        }
        if let Some(payer) = self.payers.get_mut(self.current) {
            payer.add(row, side, converted);
        }
        self.add_reasons(row, side);
    }

    fn slot(&mut self, key: PayerKey) -> usize {
        if let Some(slot) = self.slots.get(&key) {
            return *slot as usize;
        }
        self.push(Payer::new(key))
    }

    fn push(&mut self, payer: Payer) -> usize {
        let slot = u32::try_from(self.payers.len()).unwrap_or(u32::MAX);
        assert!(slot != u32::MAX, "more payers than an id can count");
        self.slots.insert(payer.key, slot);
        self.payers.push(payer);
        slot as usize
    }

    fn add_reasons(&mut self, row: &CallRow<'_>, payer_side: &Side) {
        if let Outcome::NotChargeable(code) = payer_side.outcome {
            let side = if row.payer == Some(PayerId::OPERATOR) { SideName::Wholesale } else { SideName::Retail };
            self.not_chargeable.count(ReasonKey { site: row.site, side, code }, row, &row.wholesale);
        }
        for (side, name, other) in
            [(&row.retail, SideName::Retail, &row.wholesale), (&row.wholesale, SideName::Wholesale, &row.retail)]
        {
            if let Outcome::Suspended(code) = side.outcome {
                self.suspended.count(ReasonKey { site: row.site, side: name, code }, row, other);
            }
        }
    }

    /// Says that no more calls of these payers are expected: their sums are brought in order once, and every
    /// [listing](Self::listing) from now on, of this aggregate and of those that it is merged into, takes them as they are.
    /// Merging does the same.
    pub fn settle(&mut self) {
        self.payers.iter_mut().for_each(Payer::settle);
    }

    /// The sums of both. A payer that only one of them has is taken over as it is.
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        if self.payers.is_empty() {
            return other;
        }
        for mut payer in other.payers {
            match self.slots.get(&payer.key).and_then(|slot| self.payers.get_mut(*slot as usize)) {
                Some(have) => have.merge(&payer),
                None => {
                    payer.settle();
                    self.push(payer);
                }
            }
        }
        self.suspended.merge(other.suspended);
        self.not_chargeable.merge(other.not_chargeable);
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
        self.in_order().into_iter().map(|payer| (payer.key, &payer.sums)).collect()
    }

    /// The sums of one payer at one site.
    #[must_use]
    pub fn payer(&self, key: PayerKey) -> Option<&PayerSums> {
        self.payers.get(*self.slots.get(&key)? as usize).map(|payer| &payer.sums)
    }

    fn in_order(&self) -> Vec<&Payer> {
        let mut payers: Vec<_> = self.payers.iter().collect();
        payers.sort_unstable_by_key(|payer| payer.key);
        payers
    }

    /// The sums of extensions and destinations, sorted. Made once, it serves the reports of every payer.
    #[must_use]
    pub fn listing(&self) -> Listing<'_> {
        let payers = self.in_order();
        let mut lines = Vec::with_capacity(payers.iter().map(|payer| payer.lines.len()).sum());
        let mut destinations = Vec::with_capacity(payers.iter().map(|payer| payer.destinations.len()).sum());
        for Payer { key: payer, lines: of_lines, destinations: of_destinations, .. } in payers {
            let payer = *payer;
            of_lines.for_each(|(line, currency), sums| lines.push((LineKey { payer, line, currency }, sums)));
            of_destinations
                .for_each(|destination, sums| destinations.push((DestinationKey { payer, destination }, sums)));
        }
        Listing { lines, destinations }
    }

    /// Suspended sides by site, side and code. A call suspended on both sides is listed on both.
    #[must_use]
    pub fn suspended(&self) -> Vec<(ReasonKey, &ReasonSums)> {
        self.suspended.listed()
    }

    /// Calls not chargeable on the payer's side, by site, side and code. The money at stake is their wholesale charge.
    #[must_use]
    pub fn not_chargeable(&self) -> Vec<(ReasonKey, &ReasonSums)> {
        self.not_chargeable.listed()
    }

    /// Checks the sums of extensions and destinations, and forgets them: what is left are the sums of payers. For a site
    /// whose reports are written, so that what is kept of a month does not grow with its calls.
    ///
    /// # Errors
    ///
    /// As [`Aggregate::check`].
    pub fn condense(&mut self) -> Result<(), Imbalance> {
        self.check()?;
        for payer in &mut self.payers {
            (payer.lines, payer.destinations, payer.condensed) = (Table::default(), Table::default(), true);
        }
        Ok(())
    }

    /// Compares every identity that the sums must satisfy; see [`Control`].
    ///
    /// # Errors
    ///
    /// [`Imbalance`] names the first broken identity in words.
    pub fn check(&self) -> Result<(), Imbalance> {
        balance::check(self)
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

#[cfg(test)]
pub(crate) mod fixtures;
#[cfg(test)]
mod tests;
