//! One dated version of a tariff, compiled: what the hot loop reads.

use std::sync::Arc;

use super::DestinationKey;
use super::bands::Week;
use super::caller_zones::CallerZones;
use super::charge::{
    Boundary, ChargeView, Component, Connection, MinimumStage, Overrun, Rates, Roundings, Step, Steps, Tag, Terms,
};
use super::conditions::{Conditions, Known};
use super::deck::{PlanWords, RateRow, RowStatus, RowTerms, Rows, empty_interval};
use super::index::{self, Index};
use super::lookup::Way;
use super::notation::When;
use super::settings::{Clock, Draft};
use super::trie::{NONE, Place};
use super::vat::Vat;
use super::{Called, Query};
use crate::finding::Findings;
use crate::ids::{BandId, DestinationId, Interner, SiteId, TariffId};
use crate::money::{Currency, Price, Rounding};
use crate::number::{Digits, Direction, E164, NumberClass};
use crate::time::{Date, Duration, Instant, Interval, Zone};

/// What a call costs by a row in a band.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Usage price.
    pub price: Price,
    /// The time that `price` is for.
    pub per: Duration,
    /// The least time that is billed.
    pub first: Duration,
    /// The steps beyond it; more than zero.
    pub further: Duration,
    /// Connection charge, once per call.
    pub connection: Price,
    /// The least that a call costs, connection charge included.
    pub minimum: Price,
}

/// A row, for people: what an explanation shows.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct RowView<'v> {
    /// What it is found by. A row that lists several prefixes is several of these.
    pub key: DestinationKey<&'v str>,
    /// Whether it prices calls from the outside; all others price calls to the outside and inside.
    pub inbound: bool,
    /// Whether it has conditions: whether not every call that its key fits is its.
    pub conditional: bool,
    /// Its destination.
    pub destination: DestinationId,
    /// The class that the deck gives it.
    pub class: Option<NumberClass>,
    /// Whether it blocks its destination.
    pub blocked: bool,
    /// Whether it lists its destination without a price.
    pub price_unknown: bool,
    /// When it applies, at the site that was asked for.
    pub valid: Interval,
    /// Deck, relative to the project.
    pub file: &'v str,
    /// Line in the deck, counted from 1.
    pub line: u32,
}

/// A tariff between two dates: its prices, bands and rules.
#[derive(Debug)]
pub struct TariffVersion {
    name: Box<str>,
    file: Box<str>,
    decks: Box<[Box<str>]>,
    currency: Currency,
    roundings: Roundings,
    boundary: Boundary,
    overrun: Overrun,
    minimum_stage: MinimumStage,
    splits_at_versions: bool,
    /// Whether a plain row can be priced without asking for anything but its band.
    plain: bool,
    /// Terms of the rows' own usage.
    terms: Terms,
    components: Box<[Component]>,
    charge_lists: Box<[Box<[u16]>]>,
    /// At most 64.
    surcharges: Box<[Surcharge]>,
    fallback: u16,
    /// One zone for each site and one for the operator, or one zone for all.
    zones: Arc<[Zone]>,
    /// Set, if the clock is the caller's.
    caller_zones: Option<Arc<CallerZones>>,
    /// By set of bands; the first is the default one.
    weeks: Box<[Week]>,
    day_names: Box<[Box<str>]>,
    bands: Box<[BandId]>,
    /// By site; the last is for the operator and for sites that are not known.
    in_force: Box<[Interval]>,
    rows: Box<[RateRow]>,
    stride: usize,
    words: Box<[i64]>,
    /// Row validity by validity, then site.
    validities: Box<[Interval]>,
    row_terms: Box<[RowTerms]>,
    conditions: Conditions,
    /// Charge codes by their ids.
    codes: Interner,
    out: Index,
    inbound: Option<Box<Index>>,
    parent: Option<TariffId>,
    vat: Option<Vat>,
    /// What calls out find at the places of the book's tree of prefixes; empty if the version has no part in it.
    ways: Box<[Way]>,
}

impl TariffVersion {
    /// The tariff's name for people.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The settings file, relative to the project.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.file
    }

    /// VAT on its charges, if it says so.
    #[must_use]
    pub const fn vat(&self) -> Option<&Vat> {
        self.vat.as_ref()
    }

    /// The currency of all its amounts.
    #[must_use]
    #[inline]
    pub const fn currency(&self) -> Currency {
        self.currency
    }

    /// How a call's charge is rounded; `None` means to the ledger's own scale, half up.
    #[must_use]
    #[inline]
    pub const fn rounding(&self) -> Option<Rounding> {
        self.roundings.call
    }

    /// When it is in force at a site.
    #[must_use]
    #[inline]
    pub fn in_force(&self, site: SiteId) -> Interval {
        self.in_force.get(self.slot(site)).copied().unwrap_or(Interval { from: Instant::MAX, until: Instant::MIN })
    }

    /// The zone of the clock that dates of the version and its rows are read by, for calls at a site; bands and holidays
    /// too, unless the clock is the caller's ([`TariffVersion::zone_for`]).
    #[must_use]
    #[inline]
    pub fn zone(&self, site: SiteId) -> &Zone {
        // `zones` is never empty: the operator's stands last.
        &self.zones[site.index().min(self.zones.len() - 1)]
    }

    /// The zone of the clock that bands and day types are read by, for a call at a site from a caller; `None` if the
    /// clock is the caller's and the table of callers' zones does not have this one.
    #[must_use]
    #[inline]
    pub fn zone_for(&self, site: SiteId, caller: Option<E164>) -> Option<&Zone> {
        match &self.caller_zones {
            None => Some(self.zone(site)),
            Some(zones) => zones.of(caller?),
        }
    }

    /// Whether the clock is the caller's.
    #[must_use]
    #[inline]
    pub const fn is_by_callers_clock(&self) -> bool {
        self.caller_zones.is_some()
    }

    /// The bands in the order of their indices, which all sets of bands share.
    #[must_use]
    pub fn bands(&self) -> &[BandId] {
        &self.bands
    }

    /// Index of the band at an instant in a band set (0 is the default one), for a call at a site: a place in
    /// [`TariffVersion::bands`]. By the site's clock; see [`TariffVersion::band_at_in`].
    #[must_use]
    #[inline]
    pub fn band_at(&self, set: u8, at: Instant, site: SiteId) -> u8 {
        self.band_at_in(set, at, site, self.zone(site))
    }

    /// [`TariffVersion::band_at`] by the clock of a zone: that of [`TariffVersion::zone_for`].
    #[must_use]
    #[inline]
    pub fn band_at_in(&self, set: u8, at: Instant, site: SiteId, zone: &Zone) -> u8 {
        let week = self.week(set);
        week.only_band().unwrap_or_else(|| week.band_at(zone.to_local(at), self.slot(site)))
    }

    /// The band at an instant in a band set (0 is the default one), for a call at a site, and the first later instant at
    /// which another band begins or may begin. [`Instant::MAX`] if there is no other band.
    ///
    /// That instant is never later than the true change; it may be a midnight or a change of the clock at which the band
    /// stays the same. By the site's clock; see [`TariffVersion::band_span_in`].
    #[must_use]
    #[inline]
    pub fn band_span(&self, set: u8, at: Instant, site: SiteId) -> (u8, Instant) {
        self.band_span_in(set, at, site, self.zone(site))
    }

    /// [`TariffVersion::band_span`] by the clock of a zone: that of [`TariffVersion::zone_for`].
    #[must_use]
    #[inline]
    pub fn band_span_in(&self, set: u8, at: Instant, site: SiteId, zone: &Zone) -> (u8, Instant) {
        let week = self.week(set);
        match week.only_band() {
            Some(band) => (band, Instant::MAX),
            None => week.span(at, zone, self.slot(site)),
        }
    }

    /// The day type by which a band set found its band: `mon` to `sun`, `holiday`, or one of the tariff's own.
    #[must_use]
    pub fn day_type(&self, set: u8, at: Instant, site: SiteId, zone: &Zone) -> &str {
        let day = self.week(set).day_type(zone.to_local(at).date(), self.slot(site));
        self.day_names.get(day).map_or("", |name| name)
    }

    #[inline]
    fn week(&self, set: u8) -> &Week {
        // `weeks` is never empty: the default one stands first.
        &self.weeks[usize::from(set).min(self.weeks.len() - 1)]
    }

    /// The id of a band by its index.
    #[must_use]
    #[inline]
    pub fn band_id(&self, band: u8) -> BandId {
        self.bands.get(usize::from(band)).copied().unwrap_or(BandId(0))
    }

    /// The tariff whose rows apply where this one has none.
    #[must_use]
    pub const fn parent(&self) -> Option<TariffId> {
        self.parent
    }

    /// Whether a row's plan may be all that prices a call: nothing is added to it, no other tariff has a say, and the clock is
    /// known.
    pub(super) const fn prices_straight(&self) -> bool {
        self.plain && self.surcharges.is_empty() && self.parent.is_none() && self.caller_zones.is_none()
    }

    /// The prefixes of calls out, some perhaps more than once.
    pub(crate) fn prefixes(&self) -> impl Iterator<Item = Digits> {
        self.rows.iter().filter_map(|row| match row.key {
            DestinationKey::Prefix(digits) if !self.row_terms(row.terms).inbound => Some(digits),
            _ => None,
        })
    }

    /// Takes part in a tree of these prefixes, each of which has its index for its place.
    pub(super) fn join(&mut self, prefixes: &[Digits]) {
        self.ways = prefixes.iter().map(|prefix| self.way(self.out.prefixes.end_of(*prefix))).collect();
    }

    /// What a number finds whose walk down the book's tree ended there; `None` if the version has no part in that.
    #[inline]
    pub(super) fn joined(&self, place: Place) -> Option<Way> {
        if self.ways.is_empty() {
            return None;
        }
        Some(self.ways.get(place.head as usize).copied().unwrap_or(Way::NONE))
    }

    pub(super) const fn set_parent(&mut self, parent: Option<TariffId>) {
        self.parent = parent;
    }

    pub(super) const fn fallback(&self) -> u16 {
        self.fallback
    }

    #[inline]
    pub(super) fn rate_row(&self, row: u32) -> Option<&RateRow> {
        self.rows.get(row as usize)
    }

    #[inline]
    pub(super) fn row_terms(&self, terms: u32) -> RowTerms {
        self.row_terms.get(terms as usize).copied().unwrap_or_default()
    }

    pub(super) const fn conditions(&self) -> &Conditions {
        &self.conditions
    }

    /// The ways to rows for calls out, and for calls in.
    #[inline]
    pub(super) fn indices(&self) -> (&Index, Option<&Index>) {
        (&self.out, self.inbound.as_deref())
    }

    #[inline]
    pub(super) fn validity(&self, validity: u32, slot: usize) -> Interval {
        self.validities[validity as usize * self.in_force.len() + slot]
    }

    #[inline]
    pub(super) fn slot(&self, site: SiteId) -> usize {
        site.index().min(self.in_force.len().saturating_sub(1))
    }

    /// What a row costs in a band; `None` for rows that block and rows that do not exist.
    #[must_use]
    #[inline]
    pub fn plan(&self, row: u32, band: u8) -> Option<Plan> {
        self.cost(row).map(|cost| cost.plan(band))
    }

    /// What a row costs, all of it; `None` for rows that block and rows that do not exist.
    #[must_use]
    #[inline]
    pub fn cost(&self, row: u32) -> Option<Cost<'_>> {
        self.cost_by(row, self.rows.get(row as usize)?.plan)
    }

    /// What a row with that plan costs.
    #[inline]
    pub(super) fn cost_by(&self, row: u32, plan: u32) -> Option<Cost<'_>> {
        let start = (plan as usize).checked_mul(self.stride)?;
        Some(Cost { version: self, row, words: PlanWords(self.words.get(start..start.checked_add(self.stride)?)?) })
    }

    /// Which band prices a call that runs over the edge of one.
    #[must_use]
    pub const fn boundary(&self) -> Boundary {
        self.boundary
    }

    /// Who gets the time that rounding up adds at an edge.
    #[must_use]
    pub const fn overrun(&self) -> Overrun {
        self.overrun
    }

    /// When the minimum of a call is applied.
    #[must_use]
    pub const fn minimum_stage(&self) -> MinimumStage {
        self.minimum_stage
    }

    /// Whether the part of a call after the version's end is priced by the next version.
    #[must_use]
    pub const fn splits_at_versions(&self) -> bool {
        self.splits_at_versions
    }

    /// Terms of the rows' own usage.
    #[must_use]
    pub const fn terms(&self) -> &Terms {
        &self.terms
    }

    /// The surcharges whose bits are set, in their order, and whether each is added after the call is rounded.
    pub fn surcharges(&self, bits: u64) -> impl Iterator<Item = (ChargeView<'_>, bool)> {
        let bands = self.bands.len();
        let chosen = self.surcharges.iter().enumerate().filter(move |(place, _)| bits >> place & 1 == 1);
        chosen.map(move |(_, surcharge)| (surcharge.component.view(bands), surcharge.after_rounding))
    }

    /// Which surcharges are due for a call: a bit for each.
    #[must_use]
    #[inline]
    pub fn surcharges_of(&self, query: &Query<'_>) -> u64 {
        if self.surcharges.is_empty() {
            return 0;
        }
        let known = Known::default();
        let mut bits = 0;
        let direction = match query.direction {
            _ if query.called == Called::Internal => Direction::Internal,
            Direction::Inbound => Direction::Inbound,
            _ => Direction::Outbound,
        };
        for (place, surcharge) in self.surcharges.iter().enumerate() {
            let there = || {
                let number = if let Called::Number(number, ..) = query.called { Some(number.digits()) } else { None };
                surcharge.destinations.iter().any(|prefix| number.is_some_and(|number| number.starts_with(*prefix)))
            };
            let due = surcharge.direction.is_none_or(|wanted| wanted == direction)
                && (surcharge.destinations.is_empty() || there())
                && (surcharge.condition == 0 || self.conditions.rank(surcharge.condition, query, &known).is_ok());
            bits |= u64::from(due) << place;
        }
        bits
    }

    /// What is rounded, at each stage.
    #[must_use]
    pub const fn roundings(&self) -> &Roundings {
        &self.roundings
    }

    /// The set of bands that a row's prices are for: what [`TariffVersion::band_at`] and
    /// [`TariffVersion::band_span`] are asked with.
    #[must_use]
    #[inline]
    pub fn band_set(&self, row: u32) -> u8 {
        self.rows.get(row as usize).map_or(0, |row| row.band_set)
    }

    /// The destination of a row.
    #[must_use]
    #[inline]
    pub fn destination(&self, row: u32) -> DestinationId {
        DestinationId(self.rows.get(row as usize).map_or(0, |row| row.destination))
    }

    /// How many rows there are; a row that lists several prefixes counts once for each.
    #[must_use]
    pub fn row_count(&self) -> usize {
        self.rows.len()
    }

    /// A row, for people.
    #[must_use]
    pub fn row(&self, row: u32, site: SiteId) -> Option<RowView<'_>> {
        let found = self.rows.get(row as usize)?;
        let terms = self.row_terms(found.terms);
        Some(RowView {
            key: found.key.map_code(|code| self.codes.name(code)),
            inbound: terms.inbound,
            conditional: terms.condition != 0,
            destination: DestinationId(found.destination),
            class: found.class,
            blocked: found.status() == RowStatus::Blocked,
            price_unknown: found.status() == RowStatus::Unknown,
            valid: self.validity(terms.validity, self.slot(site)),
            file: self.decks.get(usize::from(found.deck)).map_or("", |name| name),
            line: found.line,
        })
    }

    /// The conditions of a row, for people: columns and what the deck has in them.
    pub fn conditions_of(&self, row: u32) -> impl Iterator<Item = (&'static str, &str)> {
        let terms = self.rate_row(row).map_or(0, |row| row.terms);
        self.conditions.texts(self.row_terms(terms).condition)
    }

    /// Whether calls inside the site have a price.
    #[must_use]
    pub const fn prices_internal_calls(&self) -> bool {
        self.out.internal != NONE
    }

    /// Whether calls from the outside have a price.
    #[must_use]
    pub const fn prices_inbound_calls(&self) -> bool {
        self.inbound.is_some()
    }

    /// Whether a prefix that is too short for a protected class may price it all the same.
    pub(super) fn falls_back(&self, class: NumberClass) -> bool {
        self.fallback & super::settings::class_bit(class) != 0
    }

    /// Memory of the tables in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.out.bytes()
            + self.inbound.as_ref().map_or(0, |index| index.bytes())
            + size_of_val(&*self.rows)
            + size_of_val(&*self.words)
            + size_of_val(&*self.validities)
            + size_of_val(&*self.row_terms)
            + size_of_val(&*self.ways)
            + self.conditions.bytes()
    }

    /// Ends an open version where the next one of its tariff begins.
    pub(super) fn end_at(&mut self, slot: usize, until: Instant) {
        if let Some(interval) = self.in_force.get_mut(slot) {
            interval.until = interval.until.min(until);
        }
    }

    pub(super) fn bounds(&self) -> &[Interval] {
        &self.in_force
    }

    /// Destination and band ids are given anew once all names are known.
    pub(super) fn renumber(&mut self, destinations: &[u32], bands: &[u32]) {
        for row in &mut self.rows {
            row.destination = destinations.get(row.destination as usize).copied().unwrap_or(0);
        }
        for band in &mut self.bands {
            band.0 = bands.get(band.index()).copied().unwrap_or(0);
        }
    }

    /// Compiles the rows of a draft. `sites` are the sites' zones and, last, the operator's; `holidays` likewise.
    pub(super) fn compile(
        draft: &Draft,
        mut rows: Rows,
        sites: &Arc<[Zone]>,
        holidays: &[Option<Arc<[Date]>>],
        bands: Box<[BandId]>,
        findings: &mut Findings,
    ) -> Self {
        let zones: Arc<[Zone]> = match &draft.clock {
            Clock::Site | Clock::Caller(_) => Arc::clone(sites),
            Clock::Operator => sites.last().cloned().into_iter().collect(),
            Clock::Fixed(zone) => [Zone::clone(zone)].into(),
        };
        let each_site = || (0..sites.len()).filter_map(|slot| zones.get(slot.min(zones.len().saturating_sub(1))));
        let interval = |from: Option<When>, until: Option<When>, zone: &Zone| Interval {
            from: from.map_or(Instant::MIN, |when| when.in_zone(zone)),
            until: until.map_or(Instant::MAX, |when| when.in_zone(zone)),
        };
        let until = draft.until.as_ref().map(|(when, _)| *when);
        let in_force: Box<[Interval]> = each_site().map(|zone| interval(Some(draft.from.0), until, zone)).collect();
        let validities: Box<[Interval]> = (rows.validities.iter())
            .flat_map(|(from, until)| each_site().map(|zone| interval(*from, *until, zone)))
            .collect();
        draft.weeks.days().report_sites(holidays, findings);
        report_empty_validities(&rows, &validities, in_force.len(), findings);
        let (out, inbound) = index::build(&mut rows, &validities, in_force.len(), findings);
        let surcharges = surcharges(draft, &mut rows, findings);
        let (stride, words) = rows.plans.into_words();
        let charging = &draft.charging;
        Self {
            name: draft.name.as_str().into(),
            file: draft.source.name.as_str().into(),
            decks: rows.decks.iter().map(|deck| deck.name.as_str().into()).collect(),
            currency: draft.currency,
            roundings: charging.roundings,
            vat: draft.vat.clone(),
            boundary: charging.boundary,
            overrun: charging.overrun,
            minimum_stage: charging.minimum_stage,
            splits_at_versions: charging.splits_at_versions,
            plain: charging.boundary == Boundary::Start
                && charging.terms.are_plain()
                && charging.minimum_stage == MinimumStage::AfterConnection
                && !charging.splits_at_versions,
            terms: charging.terms.clone(),
            components: charging.components.clone().into(),
            surcharges,
            charge_lists: rows.charge_lists.into_iter().map(Into::into).collect(),
            fallback: draft.fallback,
            zones,
            caller_zones: match &draft.clock {
                Clock::Caller(zones) => Some(Arc::clone(zones)),
                _ => None,
            },
            weeks: draft.weeks.compile(holidays),
            day_names: draft.weeks.days().names().map(Into::into).collect(),
            bands,
            in_force,
            rows: rows.rows.into(),
            stride,
            words,
            validities,
            row_terms: rows.terms.into(),
            conditions: rows.conditions.finish(&draft.matching),
            codes: rows.codes,
            out,
            inbound,
            parent: None,
            ways: Box::default(),
        }
    }
}

/// A surcharge and when it is due.
#[derive(Debug)]
struct Surcharge {
    component: Component,
    after_rounding: bool,
    direction: Option<Direction>,
    destinations: Box<[Digits]>,
    /// Of the conditions of the version; 0 for none.
    condition: u32,
}

fn surcharges(draft: &Draft, rows: &mut Rows, findings: &mut Findings) -> Box<[Surcharge]> {
    let mut compiled = Vec::new();
    for surcharge in &draft.charging.surcharges {
        let texts = surcharge.conditions.each_ref().map(String::as_str);
        let condition = if texts.iter().all(|text| text.is_empty()) {
            Some(0)
        } else {
            rows.conditions.intern(texts, &draft.matching, |fault, _| findings.push(fault.at(surcharge.place.clone())))
        };
        compiled.push(Surcharge {
            component: surcharge.component.clone(),
            after_rounding: surcharge.after_rounding,
            direction: surcharge.direction,
            destinations: surcharge.destinations.clone().into(),
            condition: condition.unwrap_or(0),
        });
    }
    compiled.truncate(64);
    compiled.into()
}

/// What a row costs: its charges and the limits of the whole call.
#[derive(Clone, Copy, Debug)]
pub struct Cost<'v> {
    version: &'v TariffVersion,
    row: u32,
    words: PlanWords<'v>,
}

impl<'v> Cost<'v> {
    /// Whether the row is usage alone on a tariff that asks for nothing unusual: its plan in the band at the answer is all
    /// that the sum needs.
    #[must_use]
    #[inline]
    pub fn is_plain(&self) -> bool {
        self.version.plain && self.words.is_plain()
    }

    /// The plan of the row's own usage in a band. A row without usage of its own (named charges alone, or a mark-up of the
    /// wholesale charge) has the price zero for no time.
    #[must_use]
    #[inline]
    pub fn plan(&self, band: u8) -> Plan {
        let ((first, further), (price, per)) = (self.words.increments(), self.words.price(band));
        let (first, further) = (first.unwrap_or(per), further.unwrap_or(per));
        let own = self.words.is_plain() || (self.words.has_usage() && self.words.markup().is_none());
        let (price, per) = if own { (price, per) } else { (Price::ZERO, Duration::ZERO) };
        Plan { price, per, first, further, connection: self.words.connection(), minimum: self.words.minimum() }
    }

    /// The first and the last of the numbers that it is made of: whoever reads them has all of them near.
    #[must_use]
    #[inline]
    pub fn ends(&self) -> [i64; 2] {
        self.words.ends()
    }

    /// Whose bands the row goes by.
    #[must_use]
    #[inline]
    pub fn band_set(&self) -> u8 {
        self.version.band_set(self.row)
    }

    /// By how many millionths the wholesale charge of the call is multiplied, if the row is priced from it.
    #[must_use]
    pub fn markup(&self) -> Option<i64> {
        self.words.markup()
    }

    /// The row's own connection charge: what is added to a wholesale charge, too.
    #[must_use]
    pub fn connection(&self) -> Price {
        self.words.connection()
    }

    /// The least that the whole call costs.
    #[must_use]
    pub fn minimum(&self) -> Price {
        self.words.minimum()
    }

    /// The most that the whole call costs.
    #[must_use]
    pub fn maximum(&self) -> Option<Price> {
        self.words.maximum()
    }

    /// The charges in their order: the row's own usage, if it has any, then the named ones.
    pub fn charges(&self) -> impl Iterator<Item = ChargeView<'v>> + use<'v> {
        let version = self.version;
        let bands = version.bands.len();
        let list = version.charge_lists.get(self.words.charges()).map_or(&[][..], |list| list);
        let named = list.iter().filter_map(move |place| version.components.get(usize::from(*place)));
        self.usage().into_iter().chain(named.map(move |component| component.view(bands)))
    }

    /// The row's own usage; `None` for rows of named charges alone and for rows priced from the wholesale side.
    #[must_use]
    pub fn usage(&self) -> Option<ChargeView<'v>> {
        if !self.words.has_usage() || self.words.markup().is_some() {
            return None;
        }
        let version = self.version;
        let (first, further) = self.words.increments();
        let before = version.minimum_stage == MinimumStage::BeforeConnection;
        Some(ChargeView {
            name: "",
            tag: Tag::Usage,
            terms: &version.terms,
            band_set: self.band_set(),
            first,
            steps: Steps::One(Step { from: Duration::ZERO, charge: Price::ZERO, further }),
            rates: Rates { words: self.words.rates(), bands: version.bands.len() },
            connection: Connection::One(self.words.connection()),
            minimum: if before { self.words.minimum() } else { Price::ZERO },
            maximum: None,
        })
    }
}

/// A row whose date and instant cross only once the zone is known.
fn report_empty_validities(rows: &Rows, validities: &[Interval], sites: usize, findings: &mut Findings) {
    for (id, intervals) in validities.chunks(sites.max(1)).enumerate() {
        if intervals.iter().any(|interval| interval.is_empty()) {
            let first = rows.rows.iter().position(|row| rows.terms(row.terms).validity as usize == id);
            if let Some(label) = first.and_then(|row| rows.label(row, "")) {
                findings.push(empty_interval(label));
            }
        }
    }
}
