//! Itemised calls: one row per call, for its payer or for the operator.

use std::ops::Range;
use std::sync::{Arc, LazyLock};

use super::batch::{Batch, Clocks, ColumnSpec, Schema, Totals, View, table};
use super::cells::{Cells, Column};
use super::codes::{Codes, Key, mix};
use super::column;
use super::names::Names;
use crate::aggregation::PayerKey;
use crate::ids::{BandId, DestinationId, PayerId, SiteId, SourceId, TariffId};
use crate::money::{self, Currency};
use crate::number::{Digits, Direction, E164, NumberClass, Party};
use crate::rating::{CallRow, Outcome, Priced, Side, flags};
use crate::time::{Duration, Month, Zone};

/// The list of codes for where a call was: its site, its payer, the file of its record.
const PLACE: usize = 0;
/// For what kind of call it was.
const NATURE: usize = 1;
/// For what the side shown to the payer says, its amounts left out.
const TERMS: usize = 2;
/// For whose line it was: extension and number.
const LINE: usize = 3;
/// For what the wholesale side says, in the operator's table.
const WHOLESALE: usize = 4;

table! {
    /// What a payer is shown. Nothing of wholesale may ever be here.
    PayerColumns {
        call_id: Text required,
        site: Name @PLACE required,
        started_at: Moment,
        charged_at: Moment required,
        extension: Number @LINE,
        number: Number @LINE,
        calling: Number,
        dialled: Text,
        called: Number,
        destination: Name @TERMS,
        class: Word @NATURE required,
        direction: Word @NATURE required,
        answered: Boolean @NATURE required,
        duration_s: Span required,
        billed_duration_s: Span,
        allowance_taken_s: Span,
        rate: Price @TERMS,
        rate_per_s: Span @TERMS,
        connection_charge: Price @TERMS,
        cost: Charge,
        vat: Charge,
        adjusts_month: Word @NATURE,
        currency: Word @TERMS,
        tariff: Name @TERMS,
        tariff_version: Integer @TERMS,
        band: Name @TERMS,
        status: Word @TERMS required,
        reason: Word @TERMS,
        flags: Word @NATURE,
    }
}

table! {
    /// What the operator is shown besides.
    OperatorColumns {
        payer_id: Name @PLACE,
        operator_amount: Charge,
        operator_currency: Word @WHOLESALE,
        wholesale_status: Word @WHOLESALE required,
        wholesale_reason: Word @WHOLESALE,
        wholesale_tariff: Name @WHOLESALE,
        wholesale_tariff_version: Integer @WHOLESALE,
        wholesale_destination: Name @WHOLESALE,
        wholesale_band: Name @WHOLESALE,
        wholesale_billed_duration_s: Span,
        wholesale_rate: Price @WHOLESALE,
        wholesale_rate_per_s: Span @WHOLESALE,
        wholesale_connection_charge: Price @WHOLESALE,
        forwarder: Number,
        source: Name @PLACE required,
        file: Name @PLACE,
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
    places: Codes<Place>,
    /// The site of each place.
    sites: Vec<SiteId>,
    natures: Codes<Nature>,
    terms: Codes<Terms>,
    lines: Codes<Line>,
    payer: PayerColumns,
    audience: Audience,
}

enum Audience {
    Payer(PayerKey),
    Operator(Box<OperatorColumns>, Codes<Terms>),
}

impl<'n> Itemised<'n> {
    fn new(names: &'n Names, audience: Audience) -> Self {
        let payer = PayerColumns {
            site: column::Name::of(&names.sites),
            destination: column::Name::of(&names.destinations),
            tariff: column::Name::of(&names.tariffs),
            band: column::Name::of(&names.bands),
            ..PayerColumns::default()
        };
        let (places, natures) = (Codes::default(), Codes::default());
        let (terms, lines) = (Codes::default(), Codes::default());
        Self { names, places, sites: Vec::new(), natures, terms, lines, payer, audience }
    }

    /// The calls of one payer at one site, for that payer. For the operator's own calls the cost is the wholesale charge.
    #[must_use]
    pub fn for_payer(names: &'n Names, key: PayerKey) -> Self {
        Self::new(names, Audience::Payer(key))
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
        Self::new(names, Audience::Operator(Box::new(operator), Codes::default()))
    }

    /// As [`Itemised::for_site`], in the buffers of a table that is no longer needed: nothing of it shows in the new one.
    #[must_use]
    pub fn for_site_again(names: &'n Names, used: Batch) -> Self {
        let mut fresh = Self::for_site(names);
        let mut columns = used.columns.into_iter();
        let mut lists = used.codes.into_iter();
        let mut list = || lists.next().unwrap_or_default();
        fresh.places.refill(list());
        fresh.natures.refill(list());
        fresh.terms.refill(list());
        fresh.lines.refill(list());
        fresh.payer.refill(&mut columns);
        if let Audience::Operator(operator, wholesale) = &mut fresh.audience {
            wholesale.refill(list());
            operator.refill(&mut columns);
        }
        fresh
    }

    /// Adds a call.
    ///
    /// # Panics
    ///
    /// As [`Itemised::push_all`].
    pub fn push(&mut self, row: &CallRow<'_>) {
        self.push_all(std::slice::from_ref(row));
    }

    /// Adds calls. Column after column, so that each is filled in one go: best some dozens of calls at a time.
    ///
    /// # Panics
    ///
    /// If the table is for a payer and a call is another's: a payer would see it.
    pub fn push_all(&mut self, rows: &[CallRow<'_>]) {
        match &self.audience {
            Audience::Payer(key) => {
                let theirs = |row: &CallRow<'_>| (row.site, row.payer) == (key.site, key.payer);
                assert!(rows.iter().all(theirs), "a call of another payer or site");
                if key.is_operator() {
                    self.push_shown(rows, |row| &row.wholesale);
                } else {
                    self.push_shown(rows, |row| &row.retail);
                }
            }
            Audience::Operator(..) => self.push_shown(rows, |row| &row.retail),
        }
        if let Audience::Operator(columns, wholesale) = &mut self.audience {
            for row in rows {
                let terms = Terms::of(&row.wholesale);
                if wholesale.push(terms) {
                    columns.push_terms(&terms);
                }
            }
            columns.push_all(rows);
        }
    }

    /// Adds what payers are shown, too; `side` is the one that they are.
    fn push_shown(&mut self, rows: &[CallRow<'_>], side: impl for<'r> Fn(&'r CallRow<'_>) -> &'r Side) {
        for row in rows {
            let place = Place { site: row.site, payer: row.payer, source: row.source, file: row.record.file() };
            if self.places.push(place) {
                self.sites.push(row.site);
                self.payer.push_place(&place);
                if let Audience::Operator(columns, _) = &mut self.audience {
                    columns.push_place(&place);
                }
            }
        }
        for row in rows {
            let nature = Nature::of(row, &self.names.zones);
            if self.natures.push(nature) {
                self.payer.push_nature(&nature);
            }
        }
        for row in rows {
            let line = Line { extension: row.extension, number: row.number };
            if self.lines.push(line) {
                self.payer.push_line(&line);
            }
        }
        for row in rows {
            let terms = Terms::of(side(row));
            if self.terms.push(terms) {
                self.payer.push_terms(&terms);
            }
        }
        self.payer.push_all(rows, side);
    }

    /// How many calls there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.places.rows.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.places.rows.is_empty()
    }

    /// The table of the calls pushed.
    #[must_use]
    pub fn finish(self) -> Batch {
        let clocks = Clocks { zones: self.names.zones.clone(), sites: self.sites };
        let mut columns = self.payer.into_columns();
        let mut codes = vec![self.places.rows, self.natures.rows, self.terms.rows, self.lines.rows];
        let schema = match self.audience {
            Audience::Payer(_) => &PAYER_SCHEMA,
            Audience::Operator(operator, wholesale) => {
                columns.extend(operator.into_columns());
                codes.push(wholesale.rows);
                &SITE_SCHEMA
            }
        };
        Batch::coded(LazyLock::force(schema).clone(), columns, codes, 0, clocks)
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
        let column = site.columns.get(column)?;
        let Cells::Names(payers, _) = &column.cells else { return None };
        let view = site.leading_columns(PAYER_SCHEMA.clone(), rows)?;
        let theirs =
            |row: usize| payers.get(site.cell_of(column, row)) == Some(&payer.0) && site.site(row) == Some(key.site);
        view.detail.clone().all(theirs).then_some(view)
    }
}

/// Where a call was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    site: SiteId,
    payer: Option<PayerId>,
    source: SourceId,
    file: u32,
}

impl Key for Place {
    /// Rows come payer by payer and in time.
    const RUNS: bool = true;

    #[inline]
    fn word(&self) -> u64 {
        let payer = self.payer.map_or(u64::MAX, |payer| u64::from(payer.0));
        mix(u64::from(self.site.0) << 32 | u64::from(self.source.0), payer << 32 | u64::from(self.file))
    }
}

/// What kind of call it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Nature {
    class: NumberClass,
    direction: Direction,
    answered: bool,
    /// Those that have a word.
    flags: u16,
    adjusts: Option<Month>,
}

impl Nature {
    #[inline]
    fn of(row: &CallRow<'_>, zones: &[Zone]) -> Self {
        Self {
            class: row.class,
            direction: row.direction,
            answered: row.answered,
            flags: row.flags & (flags::LOCAL_TIME_AMBIGUOUS | flags::NEAR_DUPLICATE),
            adjusts: adjusted(row, zones),
        }
    }
}

impl Key for Nature {
    const RUNS: bool = true;

    #[inline]
    fn word(&self) -> u64 {
        let flags = u64::from(self.flags) << 17 | u64::from(self.answered) << 16;
        mix(flags | (self.direction as u64) << 8 | self.class as u64, 0)
    }
}

/// Whose line a call was on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Line {
    extension: Option<Digits>,
    number: Option<E164>,
}

impl Key for Line {
    const RUNS: bool = false;

    #[inline]
    fn word(&self) -> u64 {
        let bits = |digits: Option<Digits>| digits.map_or(u64::MAX, Digits::to_bits);
        mix(bits(self.extension), bits(self.number.map(E164::digits)))
    }
}

/// What a side says, its amounts left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Terms {
    tariff: Option<TariffId>,
    version: u16,
    currency: Option<Currency>,
    outcome: Shown,
}

/// An outcome without its amounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shown {
    Charged { destination: DestinationId, band: BandId, price: money::Price, per: Duration, setup_fee: money::Price },
    NotChargeable(&'static str),
    Suspended(&'static str),
}

impl Terms {
    #[inline]
    fn of(side: &Side) -> Self {
        let outcome = match side.outcome {
            Outcome::Rated(Priced { destination, band, price, per, setup_fee, .. }) => {
                Shown::Charged { destination, band, price, per, setup_fee }
            }
            Outcome::NotChargeable(code) => Shown::NotChargeable(code),
            Outcome::Suspended(code) => Shown::Suspended(code),
        };
        Self { tariff: side.tariff, version: side.version, currency: side.currency, outcome }
    }

    /// The words for the outcome, and its reason.
    fn status(&self) -> (&'static str, Option<&'static str>) {
        match self.outcome {
            Shown::Charged { .. } => ("charged", None),
            Shown::NotChargeable(code) => ("not chargeable", Some(code)),
            Shown::Suspended(code) => ("suspended", Some(code)),
        }
    }

    fn destination(&self) -> Option<DestinationId> {
        if let Shown::Charged { destination, .. } = self.outcome { Some(destination) } else { None }
    }

    fn band(&self) -> Option<BandId> {
        if let Shown::Charged { band, .. } = self.outcome { Some(band) } else { None }
    }

    /// The one price of a call, if it has one.
    fn rate(&self) -> Option<money::Price> {
        let Shown::Charged { price, per, .. } = self.outcome else { return None };
        (per > Duration::ZERO || price > money::Price::ZERO).then_some(price)
    }

    /// The time that it is for; `None` for the call as a whole.
    fn rate_time(&self) -> Option<Duration> {
        let Shown::Charged { per, .. } = self.outcome else { return None };
        Some(per).filter(|per| *per > Duration::ZERO)
    }

    fn connection_charge(&self) -> Option<money::Price> {
        if let Shown::Charged { setup_fee, .. } = self.outcome { Some(setup_fee) } else { None }
    }
}

impl Key for Terms {
    const RUNS: bool = false;

    #[inline]
    fn word(&self) -> u64 {
        let tariff = self.tariff.map_or(u64::MAX, |tariff| u64::from(tariff.0));
        let decided = tariff << 16 | u64::from(self.version);
        match self.outcome {
            Shown::Charged { destination, band, price, .. } => mix(
                decided ^ (u64::from(band.0) << 48),
                u64::from(destination.0) ^ (price.units() as u64).rotate_left(32),
            ),
            // Few codes, and told apart well enough by their lengths.
            Shown::NotChargeable(code) => mix(decided, code.len() as u64),
            Shown::Suspended(code) => mix(decided, !(code.len() as u64)),
        }
    }
}

fn priced(side: &Side) -> Option<&Priced> {
    match &side.outcome {
        Outcome::Rated(priced) => Some(priced),
        _ => None,
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
    fn push_all(&mut self, rows: &[CallRow<'_>], side: impl for<'r> Fn(&'r CallRow<'_>) -> &'r Side) {
        let priced = |row| priced(side(row));
        rows.iter().for_each(|row| self.call_id.push(Some(row.call_id)));
        rows.iter().for_each(|row| self.started_at.push(row.setup_at));
        rows.iter().for_each(|row| self.charged_at.push(Some(row.charging_at)));
        rows.iter().for_each(|row| self.calling.push(row.calling));
        rows.iter().for_each(|row| self.dialled.push(Some(row.dialled).filter(|dialled| !dialled.is_empty())));
        rows.iter().for_each(|row| self.called.push(row.called));
        rows.iter().for_each(|row| self.duration_s.push(Some(row.duration)));
        rows.iter().for_each(|row| self.billed_duration_s.push(priced(row).map(|priced| priced.billed)));
        rows.iter().for_each(|row| self.allowance_taken_s.push(row.allowance_taken));
        rows.iter().for_each(|row| self.cost.push(priced(row).map(|priced| priced.charge)));
        rows.iter().for_each(|row| self.vat.push(row.vat));
    }

    fn push_line(&mut self, line: &Line) {
        self.extension.push_digits(line.extension);
        self.number.push_e164(line.number);
    }

    fn push_place(&mut self, place: &Place) {
        self.site.push_site(place.site);
    }

    fn push_nature(&mut self, nature: &Nature) {
        self.class.push(Some(nature.class.name()));
        self.direction.push(Some(nature.direction.name()));
        self.answered.push(Some(nature.answered));
        self.flags.push(flag_words(nature.flags));
        self.adjusts_month.push(nature.adjusts.map(|month| month.to_string()).as_deref());
    }

    fn push_terms(&mut self, terms: &Terms) {
        let (status, reason) = terms.status();
        self.destination.push(terms.destination().map(|destination| destination.0));
        self.rate.push(terms.rate());
        self.rate_per_s.push(terms.rate_time());
        self.connection_charge.push(terms.connection_charge());
        self.currency.push_currency(terms.currency);
        self.tariff.push(terms.tariff.map(|tariff| tariff.0));
        self.tariff_version.push(terms.tariff.map(|_| u64::from(terms.version)));
        self.band.push(terms.band().map(|band| band.0));
        self.status.push(Some(status));
        self.reason.push(reason);
    }
}

impl OperatorColumns {
    fn push_all(&mut self, rows: &[CallRow<'_>]) {
        let priced = |row: &CallRow<'_>| priced(&row.wholesale).copied();
        rows.iter().for_each(|row| self.operator_amount.push(priced(row).map(|priced| priced.charge)));
        rows.iter().for_each(|row| self.wholesale_billed_duration_s.push(priced(row).map(|priced| priced.billed)));
        rows.iter().for_each(|row| self.forwarder.push(row.forwarder.unwrap_or(Party::Missing)));
        rows.iter().for_each(|row| self.record_offset.push(Some(row.record.offset())));
    }

    fn push_place(&mut self, place: &Place) {
        self.payer_id.push(place.payer.map(|payer| payer.0));
        self.source.push(Some(place.source.0));
        self.file.push(Some(place.file));
    }

    fn push_terms(&mut self, terms: &Terms) {
        let (status, reason) = terms.status();
        self.operator_currency.push_currency(terms.currency);
        self.wholesale_status.push(Some(status));
        self.wholesale_reason.push(reason);
        self.wholesale_tariff.push(terms.tariff.map(|tariff| tariff.0));
        self.wholesale_tariff_version.push(terms.tariff.map(|_| u64::from(terms.version)));
        self.wholesale_destination.push(terms.destination().map(|destination| destination.0));
        self.wholesale_band.push(terms.band().map(|band| band.0));
        self.wholesale_rate.push(terms.rate());
        self.wholesale_rate_per_s.push(terms.rate_time());
        self.wholesale_connection_charge.push(terms.connection_charge());
    }
}

/// The month that a late call corrects: its own, on the site's clock.
#[inline]
fn adjusted(row: &CallRow<'_>, zones: &[Zone]) -> Option<Month> {
    if row.flags & flags::LATE == 0 {
        return None;
    }
    let zone = zones.get(row.site.index())?;
    Some(Month::of(zone.to_local(row.charging_at).date()))
}
