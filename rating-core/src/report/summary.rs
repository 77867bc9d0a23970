//! Summaries: per extension, per destination, per payer.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use super::batch::{Batch, ColumnSpec, Schema, Totals, table};
use super::cells::Column;
use super::column;
use super::names::Names;
use crate::aggregation::{
    Aggregate, Amounts, DestinationSums, Line, LineNumber, LineSums, Listing, PayerKey, PayerSums,
};
use crate::ids::{DestinationId, PayerId, SiteId};
use crate::money::{Currency, Total};

const TOTAL: &str = "total";

fn schema(name: &'static str, columns: &[ColumnSpec], totals: Totals) -> Arc<Schema> {
    Arc::new(Schema { name, columns: columns.to_vec(), totals })
}

table! {
    /// The per-extension summary.
    ExtensionColumns {
        row: Word required,
        site: Name required,
        extension: Number,
        number: Number,
        billable_calls: Integer required,
        duration_s: Seconds required,
        billed_duration_s: Seconds required,
        cost: Amount required,
        vat: Amount,
        currency: Word required,
    }
}

static EXTENSION_SCHEMA: LazyLock<Arc<Schema>> =
    LazyLock::new(|| schema("extension_summary", ExtensionColumns::COLUMNS, Totals::Spreadsheet));

impl ExtensionColumns {
    fn push(&mut self, row: &str, site: SiteId, line: Option<Line>, sums: &LineSums, currency: Currency) {
        self.row.push(Some(row));
        self.site.push_site(site);
        self.extension.push_digits(match line {
            Some(Line::Extension(extension)) => Some(extension),
            _ => None,
        });
        self.number.push_e164(match (line, sums.number) {
            (Some(Line::Number(number)), _) | (Some(_), LineNumber::One(number)) => Some(number),
            _ => None,
        });
        self.billable_calls.push(Some(sums.billable_calls));
        self.duration_s.push(Some(sums.duration));
        self.billed_duration_s.push(Some(sums.billed_duration));
        self.cost.push(Some(sums.cost));
        self.vat.push(sums.vat);
        self.currency.push_currency(Some(currency));
    }
}

/// What each extension of one payer at one site used: billable calls, their talk and billed time, their cost.
///
/// Calls whose extension is not known stand under their number. An extension that had two numbers in the month shows
/// none. Extensions without billable calls have no row. The cost of the operator's own calls is what the carrier charges.
#[must_use]
pub fn extension_summary(listing: &Listing<'_>, names: &Names, key: PayerKey) -> Batch {
    let mut columns = ExtensionColumns { site: column::Name::of(&names.sites), ..ExtensionColumns::default() };
    let mut totals: BTreeMap<Currency, LineSums> = BTreeMap::new();
    for (line, sums) in listing.lines_of(key) {
        columns.push("extension", key.site, Some(line.line), sums, line.currency);
        totals.entry(line.currency).or_default().merge(sums);
    }
    for (currency, sums) in &totals {
        columns.push(TOTAL, key.site, None, sums, *currency);
    }
    Batch::new(EXTENSION_SCHEMA.clone(), columns.into_columns(), totals.len())
}

/// Client and operator sums side by side. Nearly always one pair; where a side has several currencies, one pair for each
/// currency of either, so that no amount is lost and none is added across currencies.
pub(super) fn pairs(client: &Amounts, operator: &Amounts) -> Pairs {
    let total = |amounts: &Amounts, currency| amounts.get(currency).map(|sum| (currency, sum.total));
    if client.len() <= 1 && operator.len() <= 1 {
        return Pairs::One([[client, operator].map(|side| side.only().map(|(currency, sum)| (currency, sum.total)))]);
    }
    let mut currencies: Vec<Currency> = client.iter().chain(operator.iter()).map(|(currency, _)| currency).collect();
    currencies.sort_unstable();
    currencies.dedup();
    Pairs::Many(currencies.into_iter().map(|currency| [total(client, currency), total(operator, currency)]).collect())
}

/// A client's and an operator's amount, if there are any.
pub(super) type Pair = [Option<(Currency, Total)>; 2];

/// What [`pairs`] gives: a list that nearly always has one entry.
pub(super) enum Pairs {
    One([Pair; 1]),
    Many(Vec<Pair>),
}

impl std::ops::Deref for Pairs {
    type Target = [Pair];

    fn deref(&self) -> &[Pair] {
        match self {
            Self::One(one) => one,
            Self::Many(many) => many,
        }
    }
}

table! {
    /// The destination analysis of one payer.
    PayerDestinationColumns {
        row: Word required,
        site: Name required,
        destination: Name,
        calls: Integer,
        duration_s: Seconds,
        billed_duration_s: Seconds,
        cost: Amount,
        currency: Word,
    }
}

table! {
    /// What the operator is shown besides.
    SiteDestinationColumns {
        operator_cost: Amount,
        operator_currency: Word,
    }
}

static PAYER_DESTINATION_SCHEMA: LazyLock<Arc<Schema>> =
    LazyLock::new(|| schema("destinations", PayerDestinationColumns::COLUMNS, Totals::EveryCsv));

static SITE_DESTINATION_SCHEMA: LazyLock<Arc<Schema>> = LazyLock::new(|| {
    let columns = [PayerDestinationColumns::COLUMNS, SiteDestinationColumns::COLUMNS].concat();
    schema("site_destinations", &columns, Totals::EveryCsv)
});

impl PayerDestinationColumns {
    /// Counts stand in the first of several rows for one destination, so that they add up.
    fn push(
        &mut self,
        site: SiteId,
        destination: Option<DestinationId>,
        counts: Option<&DestinationSums>,
        cost: Option<(Currency, Total)>,
    ) {
        self.row.push(Some(if destination.is_some() { "destination" } else { TOTAL }));
        self.site.push_site(site);
        self.destination.push(destination.map(|destination| destination.0));
        self.calls.push(counts.map(|sums| sums.calls));
        self.duration_s.push(counts.map(|sums| sums.duration));
        self.billed_duration_s.push(counts.map(|sums| sums.billed_duration));
        self.cost.push(cost.map(|(_, total)| total));
        self.currency.push_currency(cost.map(|(currency, _)| currency));
    }
}

/// Sums by destination, in the order of the destinations' names; those of one destination are added up.
pub(super) fn by_name<'a>(
    names: &Names,
    sums: impl Iterator<Item = (DestinationId, &'a DestinationSums)>,
) -> Vec<(DestinationId, Cow<'a, DestinationSums>)> {
    let mut list: Vec<_> =
        sums.map(|(destination, sums)| (names.destinations.place(destination.0), destination, sums)).collect();
    list.sort_by_key(|(place, destination, _)| (*place, *destination));
    let of_one = list.chunk_by(|(_, one, _), (_, other, _)| one == other);
    of_one
        .filter_map(|entries| {
            let ((_, destination, first), rest) = entries.split_first()?;
            let mut sums = Cow::Borrowed(*first);
            for (.., other) in rest {
                sums.to_mut().merge(other);
            }
            Some((*destination, sums))
        })
        .collect()
}

/// Calls, duration and cost of one payer at one site by destination, with total.
///
/// Only billable calls are here. The cost of the operator's own calls is what the carrier charges.
#[must_use]
pub fn payer_destinations(listing: &Listing<'_>, names: &Names, key: PayerKey) -> Batch {
    // One payer has each destination once: nothing is added up.
    let theirs = listing.destinations_of(key).iter().filter(|(_, sums)| sums.calls > 0);
    let mut list: Vec<(Option<u32>, DestinationId, &DestinationSums)> =
        theirs.map(|(of, sums)| (names.destinations.place(of.destination.0), of.destination, *sums)).collect();
    list.sort_unstable_by_key(|(place, destination, _)| (*place, *destination));
    let mut columns = PayerDestinationColumns {
        site: column::Name::of(&names.sites),
        destination: column::Name::of(&names.destinations),
        ..PayerDestinationColumns::default()
    };
    let mut total = DestinationSums::default();
    for (.., sums) in &list {
        total.merge(sums);
    }
    let rows = list.iter().map(|(_, destination, sums)| (Some(*destination), *sums)).chain([(None, &total)]);
    let mut total_rows = 0;
    for (destination, sums) in rows {
        let cost = if key.is_operator() { &sums.operator } else { &sums.client };
        for (at, [cost, _]) in pairs(cost, &Amounts::default()).iter().enumerate() {
            columns.push(key.site, destination, (at == 0).then_some(sums), *cost);
            total_rows += usize::from(destination.is_none());
        }
    }
    Batch::new(PAYER_DESTINATION_SCHEMA.clone(), columns.into_columns(), total_rows)
}

/// Calls, duration, cost and operator cost of all payers at one site by destination, with total.
///
/// `cost` is what clients are charged; the operator's own calls have an operator cost only. So has a call that is rated
/// on the wholesale side alone: it is not counted, and stands under its wholesale destination.
#[must_use]
pub fn site_destinations(listing: &Listing<'_>, names: &Names, site: SiteId) -> Batch {
    let here = listing.destinations_at(site).iter();
    let list = by_name(names, here.map(|(of, sums)| (of.destination, *sums)));
    let mut columns = PayerDestinationColumns {
        site: column::Name::of(&names.sites),
        destination: column::Name::of(&names.destinations),
        ..PayerDestinationColumns::default()
    };
    let mut operator = SiteDestinationColumns::default();
    let mut total = DestinationSums::default();
    for (_, sums) in &list {
        total.merge(sums);
    }
    let rows = list.iter().map(|(destination, sums)| (Some(*destination), &**sums)).chain([(None, &total)]);
    let mut total_rows = 0;
    for (destination, sums) in rows {
        for (at, [client, cost]) in pairs(&sums.client, &sums.operator).iter().enumerate() {
            columns.push(site, destination, (at == 0).then_some(sums), *client);
            operator.operator_cost.push(cost.map(|(_, total)| total));
            operator.operator_currency.push_currency(cost.map(|(currency, _)| currency));
            total_rows += usize::from(destination.is_none());
        }
    }
    let mut columns = columns.into_columns();
    columns.extend(operator.into_columns());
    Batch::new(SITE_DESTINATION_SCHEMA.clone(), columns, total_rows)
}

table! {
    /// Charges by occupier.
    ChargeColumns {
        site: Name required,
        client_id: Name,
        client_name: Name,
        client_amount: Amount,
        currency: Word,
        operator_amount: Amount,
        operator_currency: Word,
        margin: Amount,
        calls: Integer,
        billable_calls: Integer,
        not_chargeable_calls: Integer,
        suspended_calls: Integer,
        wholesale_missing_calls: Integer,
        duration_s: Seconds,
        billed_duration_s: Seconds,
        wholesale_status: Word required,
    }
}

static CHARGE_SCHEMA: LazyLock<Arc<Schema>> =
    LazyLock::new(|| schema("call_charges", ChargeColumns::COLUMNS, Totals::None));

impl ChargeColumns {
    fn push(
        &mut self,
        key: PayerKey,
        sums: &PayerSums,
        first: bool,
        [client, operator]: [Option<(Currency, Total)>; 2],
        margin: Option<Total>,
    ) {
        let has_client = key.payer.is_some_and(|payer| payer != PayerId::OPERATOR);
        let zero = |applies: bool| (applies && first).then_some(Total::ZERO);
        let complete = sums.wholesale_missing_calls == 0;
        self.site.push_site(key.site);
        self.client_id.push(key.payer.map(|payer| payer.0));
        self.client_name.push(key.payer.map(|payer| payer.0));
        self.client_amount.push(client.map(|(_, total)| total).or(zero(has_client && sums.client.is_empty())));
        self.currency.push_currency(client.map(|(currency, _)| currency));
        self.operator_amount.push(operator.map(|(_, total)| total).or(zero(complete && sums.operator.is_empty())));
        self.operator_currency.push_currency(operator.map(|(currency, _)| currency));
        self.margin.push(margin.filter(|_| has_client));
        let count = |count: u64| first.then_some(count);
        self.calls.push(count(sums.calls));
        self.billable_calls.push(count(sums.billable_calls));
        self.not_chargeable_calls.push(count(sums.not_chargeable_calls));
        self.suspended_calls.push(count(sums.suspended_calls));
        self.wholesale_missing_calls.push(count(sums.wholesale_missing_calls));
        self.duration_s.push(first.then_some(sums.billable_duration));
        self.billed_duration_s.push(first.then_some(sums.billed_duration));
        self.wholesale_status.push(Some(if complete { "complete" } else { "incomplete" }));
    }
}

/// Charges by occupier: one row per payer and site, for one site or for all (the same rows, site after site).
///
/// The operator's own row comes first and has no client amount; the occupiers follow in the order of their ids; a row
/// without client id holds the calls whose payer is not known (suspended; the carrier charges them all the same). A payer
/// with amounts in several currencies has one row for each, with the counts in the first. The margin is blank if a
/// wholesale charge is missing or cannot be expressed in the one currency of the client. Durations are those of billable
/// calls.
#[must_use]
pub fn charges_by_occupier(aggregate: &Aggregate, names: &Names, site: Option<SiteId>) -> Batch {
    let mut columns = ChargeColumns {
        site: column::Name::of(&names.sites),
        client_id: column::Name::of(&names.payer_ids),
        client_name: column::Name::of(&names.payer_names),
        ..ChargeColumns::default()
    };
    let mut list = aggregate.payers();
    list.retain(|(key, _)| site.is_none_or(|site| key.site == site));
    list.sort_by_key(|(key, _)| (key.site, key.payer.is_none(), key.payer));
    for (key, sums) in list {
        let pairs = pairs(&sums.client, &sums.operator);
        let margin = sums.margin().filter(|_| pairs.len() == 1).map(|(_, margin)| margin);
        for (at, pair) in pairs.iter().enumerate() {
            columns.push(key, sums, at == 0, *pair, margin);
        }
    }
    Batch::new(CHARGE_SCHEMA.clone(), columns.into_columns(), 0)
}
