//! Itemised calls: one row per call, for its payer or for the operator.

use std::ops::Range;
use std::sync::{Arc, LazyLock};

use super::batch::{Batch, Clocks, ColumnSpec, Schema, Totals, View, table};
use super::column::{self, Column};
use super::names::Names;
use crate::aggregation::PayerKey;
use crate::ids::{PayerId, SiteId};
use crate::money::{self, Total};
use crate::rating::{CallRow, Outcome, Priced, Side, flags};
use crate::time::{Duration, Month, Zone};

table! {
    /// What a payer is shown. Nothing of wholesale may ever be here.
    PayerColumns {
        call_id: Text required,
        site: Name required,
        started_at: Moment,
        charged_at: Moment required,
        extension: Number,
        number: Number,
        calling: Number,
        dialled: Text,
        called: Number,
        destination: Name,
        class: Word required,
        direction: Word required,
        answered: Boolean required,
        duration_s: Seconds required,
        billed_duration_s: Seconds,
        allowance_taken_s: Seconds,
        rate: Price,
        rate_per_s: Seconds,
        connection_charge: Price,
        cost: Amount,
        vat: Amount,
        adjusts_month: Text,
        currency: Word,
        tariff: Name,
        tariff_version: Integer,
        band: Name,
        status: Word required,
        reason: Word,
        flags: Word,
    }
}

table! {
    /// What the operator is shown besides.
    OperatorColumns {
        payer_id: Name,
        operator_amount: Amount,
        operator_currency: Word,
        wholesale_status: Word required,
        wholesale_reason: Word,
        wholesale_tariff: Name,
        wholesale_tariff_version: Integer,
        wholesale_destination: Name,
        wholesale_band: Name,
        wholesale_billed_duration_s: Seconds,
        wholesale_rate: Price,
        wholesale_rate_per_s: Seconds,
        wholesale_connection_charge: Price,
        forwarder: Number,
        source: Name required,
        file: Name,
        record_offset: Integer required,
    }
}

static PAYER_SCHEMA: LazyLock<Arc<Schema>> = LazyLock::new(|| {
    let columns = PayerColumns::COLUMNS.to_vec();
    Arc::new(Schema { name: "itemised", columns, totals: Totals::None })
});

static SITE_SCHEMA: LazyLock<Arc<Schema>> = LazyLock::new(|| {
    let columns = [PayerColumns::COLUMNS, OperatorColumns::COLUMNS].concat();
    Arc::new(Schema { name: "site_itemised", columns, totals: Totals::None })
});

/// Builds itemised rows, in the order in which calls are pushed.
///
/// Columns with a word to say:
///
/// - `started_at` is the set-up, `charged_at` the instant that decides holder, band, tariff version and month;
/// - `duration_s` was measured, `billed_duration_s` is what it became by minimum and increments;
/// - `rate` is the price of `rate_per_s` seconds, as the tariff states it, or of the call where no seconds stand beside it;
///   both are empty where named charges or a mark-up price the call; `connection_charge` comes on top once;
/// - `cost` is what the payer is charged before tax; `status` is `charged`, `not chargeable` or `suspended`, and `reason`
///   the stable code of the latter two;
/// - `allowance_taken_s` is time taken from allowances, weights and least deductions included; `cost` is what is charged
///   after them;
/// - `vat` is VAT where the tariff works it out call by call; with prices that include it, it is a part of `cost`;
/// - `adjusts_month` is the closed month that a row corrects, `2026-09`, for a late call; else null;
/// - `file` and `record_offset` (bytes, uncompressed) lead back to the record that the switch wrote.
pub struct Itemised<'n> {
    names: &'n Names,
    payer: PayerColumns,
    audience: Audience,
    sites: Vec<SiteId>,
}

enum Audience {
    Payer(PayerKey),
    Operator(Box<OperatorColumns>),
}

impl<'n> Itemised<'n> {
    /// The calls of one payer at one site, for that payer. For the operator's own calls the cost is the wholesale charge.
    #[must_use]
    pub fn for_payer(names: &'n Names, key: PayerKey) -> Self {
        Self { names, payer: payer_columns(names), audience: Audience::Payer(key), sites: Vec::new() }
    }

    /// The calls of a site, for the operator: both sides. `cost` is the client amount, null for the operator's own calls.
    #[must_use]
    pub fn for_site(names: &'n Names) -> Self {
        let operator = OperatorColumns {
            payer_id: column::Name::of(&names.payer_ids),
            wholesale_tariff: column::Name::of(&names.tariffs),
            wholesale_destination: column::Name::of(&names.destinations),
            wholesale_band: column::Name::of(&names.bands),
            source: column::Name::of(&names.sources),
            file: column::Name::of(&names.files),
            ..OperatorColumns::default()
        };
        let audience = Audience::Operator(Box::new(operator));
        Self { names, payer: payer_columns(names), audience, sites: Vec::new() }
    }

    /// Adds a call.
    ///
    /// # Panics
    ///
    /// If the table is for a payer and the call is another's: a payer would see it.
    pub fn push(&mut self, row: &CallRow<'_>) {
        let side = match &mut self.audience {
            Audience::Payer(key) => {
                assert_eq!((row.site, row.payer), (key.site, key.payer), "a call of another payer or site");
                if key.is_operator() { &row.wholesale } else { &row.retail }
            }
            Audience::Operator(columns) => {
                columns.push(row);
                &row.retail
            }
        };
        self.payer.push(row, side, &self.names.zones);
        self.sites.push(row.site);
    }

    /// How many calls there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.sites.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sites.is_empty()
    }

    /// The table of the calls pushed.
    #[must_use]
    pub fn finish(self) -> Batch {
        let clocks = Clocks { zones: self.names.zones.clone(), sites: self.sites };
        let mut columns = self.payer.into_columns();
        match self.audience {
            Audience::Payer(_) => Batch::new(PAYER_SCHEMA.clone(), columns, 0, clocks),
            Audience::Operator(operator) => {
                columns.extend(operator.into_columns());
                Batch::new(SITE_SCHEMA.clone(), columns, 0, clocks)
            }
        }
    }

    /// The columns of a payer's table, for a header without rows.
    #[must_use]
    pub fn payer_schema() -> Arc<Schema> {
        PAYER_SCHEMA.clone()
    }

    /// The columns of a site's table.
    #[must_use]
    pub fn site_schema() -> Arc<Schema> {
        SITE_SCHEMA.clone()
    }

    /// Some rows of a site's table as their occupier is shown them, without building them again. `None` if the table is
    /// not a site's, if a row is not that occupier's, or for the operator's own calls (whose cost is another).
    #[must_use]
    pub fn payer_view(site: &Batch, key: PayerKey, rows: Range<usize>) -> Option<View<'_>> {
        let payer = key.payer.filter(|payer| *payer != PayerId::OPERATOR)?;
        let column = SITE_SCHEMA.columns.iter().position(|spec| spec.name == "payer_id")?;
        let Some(Column::Name(payers, _)) = site.columns.get(column) else { return None };
        let view = site.leading_columns(PAYER_SCHEMA.clone(), rows)?;
        let theirs = |row: usize| payers.get(row) == Some(payer.0) && site.site(row) == Some(key.site);
        view.detail.clone().all(theirs).then_some(view)
    }
}

fn payer_columns(names: &Names) -> PayerColumns {
    PayerColumns {
        site: column::Name::of(&names.sites),
        destination: column::Name::of(&names.destinations),
        tariff: column::Name::of(&names.tariffs),
        band: column::Name::of(&names.bands),
        ..PayerColumns::default()
    }
}

fn priced(side: &Side) -> Option<&Priced> {
    match &side.outcome {
        Outcome::Rated(priced) => Some(priced),
        _ => None,
    }
}

/// The words for an outcome, and its reason.
fn status(side: &Side) -> (&'static str, Option<&'static str>) {
    match side.outcome {
        Outcome::Rated(_) => ("charged", None),
        Outcome::NotChargeable(code) => ("not chargeable", Some(code)),
        Outcome::Suspended(code) => ("suspended", Some(code)),
    }
}

fn flag_words(bits: u16) -> Option<&'static str> {
    match (bits & flags::LOCAL_TIME_AMBIGUOUS != 0, bits & flags::NEAR_DUPLICATE != 0) {
        (false, false) => None,
        (true, false) => Some("local_time_ambiguous"),
        (false, true) => Some("near_duplicate"),
        (true, true) => Some("local_time_ambiguous near_duplicate"),
    }
}

impl PayerColumns {
    fn push(&mut self, row: &CallRow<'_>, side: &Side, zones: &[Zone]) {
        let priced = priced(side);
        let (status, reason) = status(side);
        self.call_id.push(Some(row.call_id));
        self.site.push_site(row.site);
        self.started_at.push(row.setup_at);
        self.charged_at.push(Some(row.charging_at));
        self.extension.push_digits(row.extension);
        self.number.push_e164(row.number);
        self.calling.push(row.calling);
        self.dialled.push(Some(row.dialled).filter(|dialled| !dialled.is_empty()));
        self.called.push(row.called);
        self.destination.push(priced.map(|priced| priced.destination.0));
        self.class.push(Some(row.class.name()));
        self.direction.push(Some(row.direction.name()));
        self.answered.push(Some(row.answered));
        self.duration_s.push_duration(Some(row.duration));
        self.billed_duration_s.push_duration(priced.map(|priced| priced.billed));
        self.allowance_taken_s.push_duration(row.allowance_taken);
        self.rate.push(priced.and_then(rate));
        self.rate_per_s.push_duration(priced.and_then(rate_time));
        self.connection_charge.push(priced.map(|priced| priced.setup_fee));
        self.cost.push(priced.map(|priced| priced.charge.into()));
        self.vat.push(row.vat.map(Total::from));
        let month = adjusted(row, zones).map(|month| month.to_string());
        self.adjusts_month.push(month.as_ref().map(String::as_bytes));
        self.currency.push_currency(side.currency);
        self.tariff.push(side.tariff.map(|tariff| tariff.0));
        self.tariff_version.push(side.tariff.map(|_| u64::from(side.version)));
        self.band.push(priced.map(|priced| priced.band.0));
        self.status.push(Some(status));
        self.reason.push(reason);
        self.flags.push(flag_words(row.flags));
    }
}

impl OperatorColumns {
    fn push(&mut self, row: &CallRow<'_>) {
        let side = &row.wholesale;
        let priced = priced(side);
        let (status, reason) = status(side);
        self.payer_id.push(row.payer.map(|payer| payer.0));
        self.operator_amount.push(priced.map(|priced| priced.charge.into()));
        self.operator_currency.push_currency(side.currency);
        self.wholesale_status.push(Some(status));
        self.wholesale_reason.push(reason);
        self.wholesale_tariff.push(side.tariff.map(|tariff| tariff.0));
        self.wholesale_tariff_version.push(side.tariff.map(|_| u64::from(side.version)));
        self.wholesale_destination.push(priced.map(|priced| priced.destination.0));
        self.wholesale_band.push(priced.map(|priced| priced.band.0));
        self.wholesale_billed_duration_s.push_duration(priced.map(|priced| priced.billed));
        self.wholesale_rate.push(priced.and_then(rate));
        self.wholesale_rate_per_s.push_duration(priced.and_then(rate_time));
        self.wholesale_connection_charge.push(priced.map(|priced| priced.setup_fee));
        match row.forwarder {
            Some(forwarder) => self.forwarder.push(forwarder),
            None => self.forwarder.push_digits(None),
        }
        self.source.push(Some(row.source.0));
        self.file.push(Some(row.record.file()));
        self.record_offset.push(Some(row.record.offset()));
    }
}

/// The month that a late call corrects: its own, on the site's clock.
fn adjusted(row: &CallRow<'_>, zones: &[Zone]) -> Option<Month> {
    let zone = zones.get(row.site.index()).filter(|_| row.flags & flags::LATE != 0)?;
    Some(Month::of(zone.to_local(row.charging_at).date()))
}

/// The one price of a call, if it has one.
fn rate(priced: &Priced) -> Option<money::Price> {
    (priced.per > Duration::ZERO || priced.price > money::Price::ZERO).then_some(priced.price)
}

/// The time that it is for; `None` for the call as a whole.
fn rate_time(priced: &Priced) -> Option<Duration> {
    Some(priced.per).filter(|per| *per > Duration::ZERO)
}
