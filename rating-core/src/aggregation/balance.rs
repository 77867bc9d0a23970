//! Control figures, and the identities that hold or nothing is published.

use super::{Aggregate, Amounts, Elapsed, Payer, SideName, add_charge};
use crate::money::Currency;
use crate::rating::{CallRow, Outcome, Side};

/// How many calls had which outcome on one side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Charged, be it 0.00.
    pub rated: u64,
    /// No charge is due.
    pub not_chargeable: u64,
    /// A charge may be due and cannot be told.
    pub suspended: u64,
}

impl Counts {
    fn add(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Rated(_) => self.rated += 1,
            Outcome::NotChargeable(_) => self.not_chargeable += 1,
            Outcome::Suspended(_) => self.suspended += 1,
        }
    }

    fn merge(&mut self, other: Self) {
        self.rated += other.rated;
        self.not_chargeable += other.not_chargeable;
        self.suspended += other.suspended;
    }

    /// All of them.
    #[must_use]
    pub const fn total(self) -> u64 {
        self.rated + self.not_chargeable + self.suspended
    }
}

/// Control figures of one side.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SideControl {
    /// Calls by outcome.
    pub counts: Counts,
    /// Charges, counted and added apart from every report.
    pub charges: Amounts,
}

/// Control figures: counted once per call, apart from the sums that go into reports, and compared with them by
/// [`Aggregate::check`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Control {
    /// Calls added.
    pub calls: u64,
    /// Calls by outcome on the payer's side.
    pub payer_side: Counts,
    /// What payers are charged.
    pub retail: SideControl,
    /// What carriers charge the operator.
    pub wholesale: SideControl,
    /// Talk time of all calls.
    pub duration: Elapsed,
}

impl Control {
    pub(super) fn add(&mut self, row: &CallRow<'_>, payer_side: &Side) {
        self.calls += 1;
        self.payer_side.add(&payer_side.outcome);
        for (control, side) in [(&mut self.retail, &row.retail), (&mut self.wholesale, &row.wholesale)] {
            control.counts.add(&side.outcome);
            add_charge(&mut control.charges, side);
        }
        self.duration.add(row.duration);
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.calls += other.calls;
        self.payer_side.merge(other.payer_side);
        for (control, other) in [(&mut self.retail, &other.retail), (&mut self.wholesale, &other.wholesale)] {
            control.counts.merge(other.counts);
            control.charges.merge(&other.charges);
        }
        self.duration = self.duration.plus(other.duration);
    }
}

/// An identity that does not hold, in words. It is a fault of this program, never of its input.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("totals do not balance: {0}")]
pub struct Imbalance(String);

fn equal<T: PartialEq + std::fmt::Debug>(what: impl std::fmt::Display, left: T, right: T) -> Result<(), Imbalance> {
    if left == right { Ok(()) } else { Err(Imbalance(format!("{what}: {left:?} is not {right:?}"))) }
}

pub(super) fn check(aggregate: &Aggregate) -> Result<(), Imbalance> {
    let control = &aggregate.control;
    equal("calls = rated + not chargeable + suspended", control.calls, control.payer_side.total())?;
    for (name, side) in [("retail", &control.retail), ("wholesale", &control.wholesale)] {
        equal(format_args!("calls = outcomes of the {name} side"), control.calls, side.counts.total())?;
        equal(format_args!("{name} charges = {name} calls rated"), side.charges.charges(), side.counts.rated)?;
    }
    check_payers(aggregate)?;
    check_breakdowns(aggregate)?;
    for (name, side) in [(SideName::Retail, &control.retail), (SideName::Wholesale, &control.wholesale)] {
        let listed = aggregate.suspended.iter().filter(|(key, _)| key.side == name).map(|(_, sums)| sums.calls).sum();
        equal(format_args!("{} calls suspended = calls listed by reason", name.name()), side.counts.suspended, listed)?;
    }
    let listed = aggregate.not_chargeable.iter().map(|(_, sums)| sums.calls).sum();
    equal("calls not chargeable = calls listed by reason", control.payer_side.not_chargeable, listed)
}

/// Payers add up to the control figures.
fn check_payers(aggregate: &Aggregate) -> Result<(), Imbalance> {
    let control = &aggregate.control;
    let mut counts = Counts::default();
    let (mut calls, mut duration) = (0, Elapsed::ZERO);
    let (mut client, mut operator) = (Amounts::default(), Amounts::default());
    for Payer { sums, .. } in &aggregate.payers {
        calls += sums.calls;
        duration = duration.plus(sums.duration);
        counts.rated += sums.billable_calls;
        counts.not_chargeable += sums.not_chargeable_calls;
        counts.suspended += sums.suspended_calls;
        client.merge(&sums.client);
        operator.merge(&sums.operator);
    }
    equal("calls = calls of all payers", control.calls, calls)?;
    equal("talk time = talk time of all payers", control.duration, duration)?;
    equal("outcomes = outcomes of all payers", control.payer_side, counts)?;
    equal("retail charges = client amounts of all payers", &control.retail.charges, &client)?;
    equal("wholesale charges = operator amounts of all payers", &control.wholesale.charges, &operator)
}

/// Each payer's extensions and destinations add up to the payer.
fn check_breakdowns(aggregate: &Aggregate) -> Result<(), Imbalance> {
    for Payer { key, sums, lines, destinations, .. } in aggregate.payers.iter().filter(|payer| !payer.condensed) {
        let own: &Amounts<Currency> = if key.is_operator() { &sums.operator } else { &sums.client };
        let own_side = (sums.billable_calls, sums.billable_duration, sums.billed_duration);
        let mut of_lines = (0, Elapsed::ZERO, Elapsed::ZERO);
        let mut cost = Amounts::default();
        for ((_, currency), line) in lines.unordered() {
            of_lines.0 += line.billable_calls;
            of_lines.1 = of_lines.1.plus(line.duration);
            of_lines.2 = of_lines.2.plus(line.billed_duration);
            cost.add_sum(currency, super::Sum { charges: line.billable_calls, total: line.cost });
        }
        equal(format_args!("billable calls and seconds of {key:?} = those of its extensions"), own_side, of_lines)?;
        equal(format_args!("charges of {key:?} = charges of its extensions"), own, &cost)?;
        let mut listed = super::DestinationSums::default();
        for (_, destination) in destinations.unordered() {
            listed.merge(destination);
        }
        equal(format_args!("billable calls and seconds of {key:?} = those of its destinations"), own_side, {
            (listed.calls, listed.duration, listed.billed_duration)
        })?;
        equal(format_args!("client amount of {key:?} = that of its destinations"), &sums.client, &listed.client)?;
        equal(format_args!("operator amount of {key:?} = that of its destinations"), &sums.operator, &listed.operator)?;
    }
    Ok(())
}
