//! Rate decks: CSV rows to rows, plans and validities.

use std::collections::BTreeMap;
use std::hash::BuildHasher;
use std::sync::Arc;

use foldhash::fast::FixedState;
use hashbrown::{HashMap, HashTable};

use super::DestinationKey;
use super::bands::Weeks;
use super::charge::MinimumStage;
use super::charge_settings::{share_of, units_differ, units_need_overrun};
use super::conditions::{CONDITION_COLUMNS, ConditionColumns, ConditionsDraft};
use super::notation::{self, Fault, PriceCell, When};
use super::settings::Draft;
use super::trie::NONE;
use crate::finding::table::{Column, Row, Table};
use crate::finding::{Finding, Findings, Label, SourceText, did_you_mean};
use crate::ids::Interner;
use crate::money::Price;
use crate::number::NumberClass;
use crate::time::Duration;

/// One key of one row of a deck, compiled. A row that lists several prefixes becomes several of these.
#[derive(Clone, Copy, Debug)]
pub(super) struct RateRow {
    pub(super) key: DestinationKey<u32>,
    /// Index of the plan; [`BLOCKED`] or [`UNKNOWN`] for a row that offers nothing.
    pub(super) plan: u32,
    /// Destination by its report name.
    pub(super) destination: u32,
    /// Index of the terms; 0 is always and without conditions.
    pub(super) terms: u32,
    /// The next row with the same key, valid at another time or for other calls; [`NONE`] at the end.
    pub(super) next: u32,
    /// Line in the deck.
    pub(super) line: u32,
    /// Which deck of the version.
    pub(super) deck: u16,
    /// The class that the deck gives the row, if it does.
    pub(super) class: Option<NumberClass>,
    /// Which set of bands its prices are for; 0 is the default one.
    pub(super) band_set: u8,
}

impl RateRow {
    /// Whether it offers its destination.
    #[inline]
    pub(super) const fn status(&self) -> RowStatus {
        match self.plan {
            BLOCKED => RowStatus::Blocked,
            UNKNOWN => RowStatus::Unknown,
            _ => RowStatus::Offered,
        }
    }
}

/// The plan of a row that blocks its destination.
const BLOCKED: u32 = NONE;
/// The plan of a row that lists its destination without a price.
const UNKNOWN: u32 = NONE - 1;

/// Whether a row offers its destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RowStatus {
    /// At the price of its plan.
    Offered,
    /// Not at all.
    Blocked,
    /// At a price that nobody knows.
    Unknown,
}

/// When, and for which calls, a row applies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RowTerms {
    /// Index of the validity; 0 is always.
    pub(super) validity: u32,
    /// The conditions; 0 is none.
    pub(super) condition: u32,
    /// Whether it is for calls from the outside.
    pub(super) inbound: bool,
}

/// Price plans, each stored once: increments, fees, charges and one price per band, as a run of integers.
#[derive(Clone, Debug)]
pub(super) struct Plans {
    stride: usize,
    words: Vec<i64>,
    index: HashTable<u32>,
    scratch: Vec<i64>,
}

/// Where a plan's words are; then price (10⁻¹²) and its time (ms; zero for the call as a whole) for each band. What most
/// calls need stands together, next to the prices.
mod word {
    /// Maximum of the call (10⁻¹²), or [`NONE`].
    pub(super) const MAXIMUM: usize = 0;
    /// Which list of named charges.
    pub(super) const CHARGES: usize = 1;
    /// Wholesale times so many millionths, or [`NONE`].
    pub(super) const MARKUP: usize = 2;
    /// First increment in ms; [`NONE`] for the time of the price.
    pub(super) const FIRST: usize = 3;
    /// Further increment, likewise.
    pub(super) const FURTHER: usize = 4;
    /// Connection charge (10⁻¹²).
    pub(super) const CONNECTION: usize = 5;
    /// Minimum of the call (10⁻¹²).
    pub(super) const MINIMUM: usize = 6;
    /// Bits: [`USAGE`] and [`PLAIN`].
    pub(super) const FLAGS: usize = 7;
    /// How many words stand before the prices.
    pub(super) const HEAD: usize = 8;
    /// Nothing.
    pub(super) const NONE: i64 = -1;
    /// The row has usage of its own.
    pub(super) const USAGE: i64 = 1;
    /// The row is usage alone, its increments in seconds, its prices for time, without a maximum.
    pub(super) const PLAIN: i64 = 2;
}
use word::HEAD;

impl Plans {
    fn new(bands: usize) -> Self {
        Self { stride: HEAD + 2 * bands, words: Vec::new(), index: HashTable::new(), scratch: Vec::new() }
    }

    /// The plan whose words are in `scratch`.
    fn intern(&mut self) -> u32 {
        let state = FixedState::with_seed(0);
        let Self { stride, words, index, scratch } = self;
        let stride = *stride;
        let at = |words: &[i64], plan: u32| -> u64 {
            let start = plan as usize * stride;
            state.hash_one(words.get(start..start + stride).unwrap_or(&[]))
        };
        let hash = state.hash_one(scratch.as_slice());
        let same = |plan: &u32| {
            let start = *plan as usize * stride;
            words.get(start..start + stride) == Some(scratch.as_slice())
        };
        if let Some(plan) = index.find(hash, same) {
            return *plan;
        }
        let plan = u32::try_from(words.len() / stride).unwrap_or(NONE);
        words.extend_from_slice(scratch);
        index.insert_unique(hash, plan, |plan| at(words, *plan));
        plan
    }

    /// The words alone, once no more plans come.
    pub(super) fn into_words(self) -> (usize, Box<[i64]>) {
        (self.stride, self.words.into())
    }
}

/// The rows of all decks of a version, as they are read.
#[derive(Debug)]
pub(super) struct Rows {
    pub(super) rows: Vec<RateRow>,
    pub(super) plans: Plans,
    /// Lists of named charges, by their places among the charges of the version; the first is empty.
    pub(super) charge_lists: Vec<Vec<u16>>,
    charge_list_ids: BTreeMap<Vec<u16>, u32>,
    /// Distinct validities as written; the first is "always".
    pub(super) validities: Vec<(Option<When>, Option<When>)>,
    validity_ids: BTreeMap<(Option<When>, Option<When>), u32>,
    /// Distinct terms; the first is "always, for every call".
    pub(super) terms: Vec<RowTerms>,
    terms_ids: BTreeMap<RowTerms, u32>,
    pub(super) conditions: ConditionsDraft,
    /// Charge codes.
    pub(super) codes: Interner,
    /// Where each row stands, to show it in a finding.
    pub(super) decks: Vec<Arc<SourceText>>,
    pub(super) tables: Vec<Table>,
    /// Index in its table of the row that a [`RateRow`] came from.
    pub(super) places: Vec<u32>,
}

impl Rows {
    /// Reads every deck of `draft`. Destinations are interned in `destinations`.
    pub(super) fn read(draft: &Draft, destinations: &mut Interner, findings: &mut Findings) -> Self {
        let mut rows = Self {
            rows: Vec::new(),
            plans: Plans::new(draft.bands.len()),
            charge_lists: vec![Vec::new()],
            charge_list_ids: BTreeMap::from([(Vec::new(), 0)]),
            validities: vec![(None, None)],
            validity_ids: BTreeMap::from([((None, None), 0)]),
            terms: vec![RowTerms::default()],
            terms_ids: BTreeMap::from([(RowTerms::default(), 0)]),
            conditions: ConditionsDraft::default(),
            codes: Interner::default(),
            decks: draft.decks.clone(),
            tables: Vec::new(),
            places: Vec::new(),
        };
        for (deck, source) in draft.decks.iter().enumerate() {
            let columns: Vec<String> = draft.bands.iter().map(|band| format!("price_{band}")).collect();
            let mut optional = vec![
                "class",
                "price",
                "connection",
                "minimum",
                "maximum",
                "increments",
                "charges",
                "from",
                "until",
                "status",
                "band_set",
            ];
            optional.extend(columns.iter().map(String::as_str));
            optional.push("direction");
            optional.extend(CONDITION_COLUMNS);
            let table = Table::read(source, &["prefix", "destination"], &optional, findings);
            if !table.header().is_empty() {
                let mut reader = DeckReader::new(draft, &table, &columns, findings);
                reader.read(u16::try_from(deck).unwrap_or(u16::MAX), &mut rows, destinations);
            }
            rows.tables.push(table);
        }
        rows
    }

    /// Marks the place of a row.
    pub(super) fn label(&self, row: usize, text: &str) -> Option<Label> {
        let deck = usize::from(self.rows.get(row)?.deck);
        let table = self.tables.get(deck)?;
        let place = *self.places.get(row)?;
        let found = table.rows().nth(place as usize)?;
        Some(found.whole(text))
    }

    /// The terms of that index.
    pub(super) fn terms(&self, terms: u32) -> RowTerms {
        self.terms.get(terms as usize).copied().unwrap_or_default()
    }

    fn intern_terms(&mut self, terms: RowTerms) -> u32 {
        if terms == RowTerms::default() {
            return 0;
        }
        let new = u32::try_from(self.terms.len()).unwrap_or(0);
        let id = *self.terms_ids.entry(terms).or_insert(new);
        if id == new {
            self.terms.push(terms);
        }
        id
    }

    fn validity(&mut self, from: Option<When>, until: Option<When>) -> u32 {
        if (from, until) == (None, None) {
            return 0;
        }
        let new = u32::try_from(self.validities.len()).unwrap_or(0);
        let id = *self.validity_ids.entry((from, until)).or_insert(new);
        if id == new {
            self.validities.push((from, until));
        }
        id
    }
}

/// Where the cells of a row are.
struct Columns {
    prefix: Column,
    destination: Column,
    class: Column,
    price: Column,
    bands: Vec<Column>,
    connection: Column,
    minimum: Column,
    maximum: Column,
    increments: Column,
    charges: Column,
    from: Column,
    until: Column,
    status: Column,
    band_set: Column,
    direction: Column,
    conditions: ConditionColumns,
}

struct DeckReader<'d, 'f> {
    draft: &'d Draft,
    table: &'d Table,
    columns: Columns,
    findings: Limited<'f>,
    keys: Vec<DestinationKey<&'d str>>,
    known: Known,
}

/// What rows came to whose cells, but for key and destination, read alike: of the rows of a large deck nine in ten say what
/// another has said.
#[derive(Default)]
struct Known {
    ids: HashMap<Box<[u8]>, Said, FixedState>,
    /// The cells of the row that is read now, each with its length.
    cells: Vec<u8>,
}

/// What the other cells of a row say.
#[derive(Clone, Copy)]
struct Said {
    class: Option<NumberClass>,
    terms: u32,
    plan: u32,
    band_set: u8,
}

impl<'d, 'f> DeckReader<'d, 'f> {
    fn new(draft: &'d Draft, table: &'d Table, bands: &[String], findings: &'f mut Findings) -> Self {
        let columns = Columns {
            prefix: table.column("prefix"),
            destination: table.column("destination"),
            class: table.column("class"),
            price: table.column("price"),
            bands: bands.iter().map(|name| table.column(name)).collect(),
            connection: table.column("connection"),
            minimum: table.column("minimum"),
            maximum: table.column("maximum"),
            increments: table.column("increments"),
            charges: table.column("charges"),
            from: table.column("from"),
            until: table.column("until"),
            status: table.column("status"),
            band_set: table.column("band_set"),
            direction: table.column("direction"),
            conditions: ConditionColumns::new(table),
        };
        Self { draft, table, columns, findings: Limited::new(findings), keys: Vec::new(), known: Known::default() }
    }

    fn read(&mut self, deck: u16, rows: &mut Rows, destinations: &mut Interner) {
        if !self.has_prices() {
            return;
        }
        if self.table.rows().len() == 0 {
            self.findings.push(
                Finding::warning("tariff.deck_empty", "the deck has no rows")
                    .in_file(self.table.source().name.clone())
                    .help("every call on this tariff would be suspended"),
            );
        }
        let mut last_destination: Option<(&str, u32)> = None;
        for (place, row) in self.table.rows().enumerate() {
            let Some(read) = self.row(row, rows) else { continue };
            let name = row.cell(self.columns.destination);
            let destination = match last_destination {
                Some((last, id)) if last == name => id,
                _ => destinations.intern(name),
            };
            last_destination = Some((name, destination));
            for index in 0..self.keys.len() {
                let key = self.keys[index].map_code(|code| rows.codes.intern(code));
                rows.rows.push(RateRow { key, destination, deck, ..read });
                rows.places.push(u32::try_from(place).unwrap_or(NONE));
            }
        }
        self.findings.finish(self.table.source());
    }

    /// Whether every band has a column to take its price from.
    fn has_prices(&mut self) -> bool {
        let missing: Vec<&str> = (self.draft.bands.iter().zip(&self.columns.bands))
            .zip(0..)
            .filter(|((_, column), band)| {
                // What a row of another set lacks is said at the row.
                !column.is_present()
                    && !self.columns.price.is_present()
                    && self.draft.weeks.has_band(0, *band)
                    && !self.columns.charges.is_present()
            })
            .map(|((band, _), _)| band.as_str())
            .collect();
        if missing.is_empty() || self.columns.band_set.is_present() {
            return true;
        }
        let one = self.draft.bands.len() == 1;
        let message = if one {
            "the deck has no column `price`".to_owned()
        } else {
            format!("the deck has no price for `{}`", missing.join("`, `"))
        };
        let help = if one {
            "add a column `price`".to_owned()
        } else {
            format!("add a column `price_{}` for each band, or `price` for all of them", missing[0])
        };
        let finding = Finding::error("tariff.no_price_column", message).in_file(self.table.source().name.clone());
        self.findings.push(finding.help(help));
        false
    }

    /// One row without its key and destination; the keys are in `self.keys`. Every cell is judged before a row is given
    /// up.
    fn row(&mut self, row: Row<'d>, rows: &mut Rows) -> Option<RateRow> {
        let columns = &self.columns;
        // What is priced from the wholesale side may take its destination from there too.
        let borrowed = row.filled(columns.price).is_some_and(|text| text.starts_with("wholesale"));
        let named = borrowed || row.required(columns.destination, self.findings.all).is_some();
        let keyed = row.required(columns.prefix, self.findings.all).is_some_and(|text| {
            let keys = notation::keys(text, &mut self.keys);
            self.findings.keep(keys, row, columns.prefix).is_some()
        });
        let said = self.said(row, rows, keyed);
        if keyed {
            self.drop_repeated_keys(row);
        }
        let line = u32::try_from(row.line()).unwrap_or(0);
        let Said { class, terms, plan, band_set } = said?;
        (named && keyed).then_some(RateRow {
            key: DestinationKey::Internal,
            plan,
            destination: 0,
            terms,
            next: NONE,
            line,
            deck: 0,
            class,
            band_set,
        })
    }

    /// What the row says beside its key and destination.
    fn said(&mut self, row: Row<'d>, rows: &mut Rows, keyed: bool) -> Option<Said> {
        // Whether a row may be for calls from the outside goes by its keys, too.
        if row.filled(self.columns.direction).is_some() {
            return self.say(row, rows, keyed);
        }
        self.known.cells.clear();
        for cell in row.cells_but([self.columns.prefix, self.columns.destination]) {
            self.known.cells.extend_from_slice(&cell.len().to_le_bytes());
            self.known.cells.extend_from_slice(cell.as_bytes());
        }
        if let Some(said) = self.known.ids.get(self.known.cells.as_slice()) {
            return Some(*said);
        }
        let told = self.findings.told();
        let said = self.say(row, rows, keyed)?;
        // What is told of a row is told of each.
        if self.findings.told() == told {
            self.known.ids.insert(self.known.cells.as_slice().into(), said);
        }
        Some(said)
    }

    fn say(&mut self, row: Row<'d>, rows: &mut Rows, keyed: bool) -> Option<Said> {
        let class = self.class(row);
        let terms = self.terms(row, rows, keyed);
        let status = self.status(row);
        let band_set = self.band_set(row);
        let plan = match status {
            Some(RowStatus::Offered) => band_set.and_then(|set| self.plan(row, set, rows)),
            Some(RowStatus::Blocked) => Some(BLOCKED),
            Some(RowStatus::Unknown) => Some(UNKNOWN),
            None => None,
        };
        Some(Said { class: class?, terms: terms?, plan: plan?, band_set: band_set? })
    }

    fn drop_repeated_keys(&mut self, row: Row<'d>) {
        if self.keys.len() < 2 {
            return;
        }
        let before = self.keys.len();
        self.keys.sort_unstable();
        self.keys.dedup();
        if self.keys.len() < before {
            let message = "this row names the same prefix twice";
            let label = row.label(self.columns.prefix, "");
            self.findings.push(Finding::warning("tariff.prefix_repeated", message).at(label).help("name it once"));
        }
    }

    fn class(&mut self, row: Row<'d>) -> Option<Option<NumberClass>> {
        let Some(text) = row.filled(self.columns.class) else { return Some(None) };
        let class = NumberClass::from_name(text);
        if class.is_none() {
            let names = NumberClass::ALL.map(NumberClass::name);
            let help = match did_you_mean(text, names) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("classes: {}", names.join(", ")),
            };
            let finding = Finding::error("tariff.unknown_class", format!("`{text}` is not a class of numbers"));
            self.findings.push(finding.at(row.label(self.columns.class, "")).help(help));
        }
        class.map(Some)
    }

    /// The set of bands that the row names; 0 if none.
    fn band_set(&mut self, row: Row<'d>) -> Option<u8> {
        let Some(text) = row.filled(self.columns.band_set) else { return Some(0) };
        let set = self.draft.weeks.set(text);
        if set.is_none() {
            let fault = unknown_band_set(text, &self.draft.weeks);
            self.findings.push(fault.at(row.label(self.columns.band_set, "")));
        }
        set
    }

    fn status(&mut self, row: Row<'d>) -> Option<RowStatus> {
        match row.cell(self.columns.status) {
            "" | "offered" => Some(RowStatus::Offered),
            "blocked" => Some(RowStatus::Blocked),
            "unknown" => Some(RowStatus::Unknown),
            other => {
                self.findings.push(
                    Finding::error("tariff.bad_status", format!("`{other}` is not a status"))
                        .at(row.label(self.columns.status, ""))
                        .help("write `offered`, `blocked`, `unknown`, or nothing, which means offered"),
                );
                None
            }
        }
    }

    /// When and for which calls the row applies; `self.keys` are its keys if it is `keyed`.
    fn terms(&mut self, row: Row<'d>, rows: &mut Rows, keyed: bool) -> Option<u32> {
        let validity = self.validity(row, rows);
        let inbound = self.is_inbound(row, keyed);
        let findings = &mut self.findings;
        let report = |fault: Fault, column: Column| findings.push(fault.at(row.label(column, "")));
        let condition = self.columns.conditions.read(row, &self.draft.matching, &mut rows.conditions, report);
        Some(rows.intern_terms(RowTerms { validity: validity?, condition: condition?, inbound: inbound? }))
    }

    fn is_inbound(&mut self, row: Row<'d>, keyed: bool) -> Option<bool> {
        let (message, help) = match row.cell(self.columns.direction) {
            "" | "out" => return Some(false),
            "in" if !keyed || !self.keys.contains(&DestinationKey::Internal) => return Some(true),
            "in" => ("calls inside the site do not come in".to_owned(), "leave `direction` of an `internal` row empty"),
            other => (format!("`{other}` is not a direction"), "write `out`, `in`, or nothing, which means out"),
        };
        let label = row.label(self.columns.direction, "");
        self.findings.push(Finding::error("tariff.bad_condition", message).at(label).help(help));
        None
    }

    fn validity(&mut self, row: Row<'d>, rows: &mut Rows) -> Option<u32> {
        let mut read = |column: Column| match row.filled(column) {
            None => Some(None),
            Some(text) => self.findings.keep(notation::when(text), row, column).map(Some),
        };
        let (from, until) = (read(self.columns.from), read(self.columns.until));
        let (from, until) = (from?, until?);
        // A date against an instant is judged where the zone is known.
        let backwards = match (from, until) {
            (Some(When::Date(from)), Some(When::Date(until))) => from >= until,
            (Some(When::Instant(from)), Some(When::Instant(until))) => from >= until,
            _ => false,
        };
        if backwards {
            let label = row.label(self.columns.until, "");
            self.findings.push(empty_interval(label));
            return None;
        }
        Some(rows.validity(from, until))
    }

    fn plan(&mut self, row: Row<'d>, band_set: u8, rows: &mut Rows) -> Option<u32> {
        let charging = &self.draft.charging;
        let columns = &self.columns;
        let units = charging.units;
        let mut fee = |column: Column, default: Option<Price>| match row.filled(column) {
            None => Some(default),
            Some(text) => self.findings.keep(notation::fee(text, units.currency, units.fees), row, column).map(Some),
        };
        let connection = fee(columns.connection, Some(charging.connection));
        let minimum = fee(columns.minimum, Some(charging.minimum));
        let maximum = fee(columns.maximum, charging.maximum);
        let increments = match row.filled(columns.increments) {
            None => Some(charging.increments),
            Some(text) => self.findings.keep(notation::increments(text), row, columns.increments),
        };
        let charges = self.charges(row, rows);
        let scratch = &mut rows.plans.scratch;
        scratch.clear();
        scratch.resize(HEAD, 0);
        let prices = self.prices(row, band_set, scratch);
        let (connection, minimum, maximum, (first, further)) = (connection?, minimum?, maximum?, increments?);
        let (charges, prices) = (charges?, prices?);
        let absent = matches!(prices, Prices::Absent);
        if absent {
            self.refuse_terms_without_price(row, connection, minimum)?;
        }
        // A connection charge belongs to the row's own price; named charges have theirs.
        let connection = connection.filter(|_| !absent);
        self.check_units(row, band_set, first.is_none() || further.is_none(), &rows.plans.scratch);
        let scratch = &mut rows.plans.scratch;
        let millis = |increment: Option<Duration>| increment.map_or(word::NONE, Duration::as_millis);
        let timed = scratch.iter().skip(HEAD + 1).step_by(2).all(|per| *per > 0);
        let plain = charges == 0
            && maximum.is_none()
            && matches!(prices, Prices::Own)
            && first.is_some()
            && further.is_some()
            && timed;
        for (place, value) in [
            (word::FIRST, millis(first)),
            (word::FURTHER, millis(further)),
            (word::CONNECTION, connection.unwrap_or_default().units()),
            (word::MINIMUM, minimum.unwrap_or_default().units()),
            (word::MAXIMUM, maximum.map_or(word::NONE, Price::units)),
            (word::CHARGES, i64::from(charges)),
            (word::MARKUP, if let Prices::Wholesale(factor) = prices { factor } else { word::NONE }),
            (word::FLAGS, if absent { 0 } else { word::USAGE } | if plain { word::PLAIN } else { 0 }),
        ] {
            scratch[place] = value;
        }
        self.warn_of_fee_on_free_row(row, &rows.plans.scratch);
        Some(rows.plans.intern())
    }

    /// Of a row of named charges alone: cells that only a price of its own would go by.
    fn refuse_terms_without_price(
        &mut self,
        row: Row<'d>,
        connection: Option<Price>,
        minimum: Option<Price>,
    ) -> Option<()> {
        let columns = &self.columns;
        let due = |fee: Option<Price>| fee.is_some_and(|fee| fee > Price::ZERO);
        let before = self.draft.charging.minimum_stage == MinimumStage::BeforeConnection;
        let (name, label, key) = if due(connection) && row.filled(columns.connection).is_some() {
            ("`connection`", row.label(columns.connection, ""), "connection_charge")
        } else if row.filled(columns.increments).is_some() {
            ("`increments`", row.label(columns.increments, ""), "increments")
        } else if before && due(minimum) {
            ("a minimum before the connection charge", row.whole(""), "minimum_charge")
        } else {
            return Some(());
        };
        let message = format!("{name} goes with a price of the row, and this row has charges alone");
        let help = match key {
            "minimum_charge" => {
                "write `0` in the column `minimum`, and `minimum_charge` into one of its charges".to_owned()
            }
            _ => format!("write `{key}` into one of its charges, or give the row a price"),
        };
        self.findings.push(Finding::error("tariff.cell_without_price", message).at(label).help(help));
        None
    }

    /// The price of every band, as words behind the head in `scratch`.
    fn prices(&mut self, row: Row<'d>, band_set: u8, scratch: &mut Vec<i64>) -> Option<Prices> {
        let charging = &self.draft.charging;
        let columns = &self.columns;
        let plain = row.filled(columns.price);
        let priced = plain.is_some() || columns.bands.iter().any(|own| row.filled(*own).is_some());
        let named = row.filled(columns.charges).is_some();
        if !priced && named {
            scratch.extend((0..columns.bands.len()).flat_map(|_| [0, 60_000]));
            return Some(Prices::Absent);
        }
        let units = charging.units;
        // What all bands share is read once, and a mistake in it is told once.
        let shared = match plain.map(|text| notation::price_cell(text, units.currency, units.prices)) {
            None => None,
            Some(cell) => Some(self.findings.keep(cell, row, columns.price)?),
        };
        let (mut complete, mut markup) = (true, None);
        for ((index, own), band) in columns.bands.iter().enumerate().zip(0..) {
            if !self.draft.weeks.has_band(band_set, band) {
                // The row is never asked for it; its price there is nothing for any time.
                scratch.extend([0, 60_000]);
                continue;
            }
            let has_own = row.filled(*own).is_some();
            let column = if has_own || !columns.price.is_present() { *own } else { columns.price };
            let Some(text) = row.filled(column) else {
                complete = false;
                let band = &self.draft.bands[index];
                let message = if self.draft.bands.len() == 1 {
                    "this row has no price".to_owned()
                } else {
                    format!("this row has no price for band `{band}`")
                };
                let help =
                    "write the price, `0` if the call is free, or `blocked` in a column `status` if it is not offered";
                let label = row.label(column, "empty");
                self.findings.push(Finding::error("tariff.price_missing", message).at(label).help(help));
                continue;
            };
            let mut price = match shared.filter(|_| !has_own) {
                Some(cell) => Ok(cell),
                None => notation::price_cell(text, units.currency, units.prices),
            };
            if let (Ok(PriceCell::Rate(rate, per)), Some(percent)) =
                (&price, charging.percents.get(index).copied().flatten().filter(|_| !has_own))
            {
                price = share_of(*rate, percent).map(|share| PriceCell::Rate(share, *per));
            }
            match self.findings.keep(price, row, column) {
                Some(PriceCell::Rate(price, per)) => scratch.extend([price.units(), per.as_millis()]),
                Some(PriceCell::Wholesale(factor)) => {
                    scratch.extend([0, 60_000]);
                    markup = Some(factor);
                    if has_own {
                        complete = false;
                        let message = "the wholesale charge is marked up as a whole, not band by band";
                        let help = "write it in the column `price`, and leave the bands' own columns empty";
                        let label = row.label(column, "");
                        self.findings.push(Finding::error("tariff.bad_markup", message).at(label).help(help));
                    }
                }
                None => complete = false,
            }
        }
        if markup.is_some() && (named || columns.bands.iter().any(|own| row.filled(*own).is_some())) && complete {
            let message = "a row is priced from the wholesale side, or by prices and charges of its own";
            let help = "leave its other prices and its charges empty; what is not marked up goes into `connection`";
            self.findings.push(Finding::error("tariff.bad_markup", message).at(row.whole("")).help(help));
            complete = false;
        }
        complete.then_some(markup.map_or(Prices::Own, Prices::Wholesale))
    }

    /// Where bands have units of different length, rounding up the end alone says nothing.
    fn check_units(&mut self, row: Row<'d>, band_set: u8, by_unit: bool, words: &[i64]) {
        let charging = &self.draft.charging;
        let rates = words.get(HEAD..).unwrap_or_default();
        if by_unit && charging.splits_and_rounds_the_end() && units_differ(&self.draft.weeks, band_set, rates) {
            self.findings.push(units_need_overrun().at(row.whole("")));
        }
    }

    /// The named charges of a row: `access + SC045`.
    fn charges(&mut self, row: Row<'d>, rows: &mut Rows) -> Option<u32> {
        let Some(text) = row.filled(self.columns.charges) else { return Some(0) };
        let components = &self.draft.charging.components;
        let (mut list, mut sound) = (Vec::new(), true);
        for name in text.split('+').map(str::trim) {
            if let Some(place) = components.iter().position(|component| *component.name == *name) {
                list.push(u16::try_from(place).unwrap_or(u16::MAX));
                continue;
            }
            sound = false;
            let names = components.iter().map(|component| &*component.name);
            let help = match did_you_mean(name, names) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("add `[charges.{name}]` to the settings, or a row to the table of price points"),
            };
            let finding = Finding::error("tariff.unknown_charge", format!("there is no charge `{name}`"));
            self.findings.push(finding.at(row.label(self.columns.charges, "")).help(help));
        }
        if !sound {
            return None;
        }
        if let Some(known) = rows.charge_list_ids.get(&list) {
            return Some(*known);
        }
        let id = u32::try_from(rows.charge_lists.len()).ok()?;
        rows.charge_lists.push(list.clone());
        rows.charge_list_ids.insert(list, id);
        Some(id)
    }

    /// A tariff's default fees apply to every row that does not name its own, free numbers included; say so where that is
    /// easily overlooked.
    fn warn_of_fee_on_free_row(&mut self, row: Row<'d>, words: &[i64]) {
        let charging = &self.draft.charging;
        let of_usage = words.get(word::FLAGS).is_some_and(|flags| flags & word::PLAIN != 0);
        let free = of_usage && words.iter().skip(HEAD).step_by(2).all(|price| *price == 0);
        let default = |fee: Price, column| fee > Price::ZERO && row.filled(column).is_none();
        let fee = if default(charging.connection, self.columns.connection) {
            "connection"
        } else if default(charging.minimum, self.columns.minimum) {
            "minimum"
        } else {
            return;
        };
        if free {
            let message = format!("this row's price is 0, and the tariff's {fee} charge applies to it");
            self.findings.push(
                Finding::warning("tariff.fee_on_free_row", message)
                    .at(row.whole(""))
                    .help(format!("if the call is free, write `0` in the column `{fee}`; if not, write the fee there")),
            );
        }
    }
}

/// Where a row takes its usage from.
enum Prices {
    /// Its own prices.
    Own,
    /// The wholesale charge, times so many millionths.
    Wholesale(i64),
    /// It has none: named charges alone.
    Absent,
}

/// The fault of naming a set of bands that there is not.
pub(super) fn unknown_band_set(name: &str, weeks: &Weeks) -> Fault {
    let help = match did_you_mean(name, weeks.names()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("add `[band_sets.{name}]`, or leave this empty for the bands of `[bands]`"),
    };
    Fault::new("tariff.unknown_band_set", format!("there is no set of bands `{name}`"), help)
}

/// The finding for an interval that ends before it begins.
pub(super) fn empty_interval(label: Label) -> Finding {
    Finding::error("tariff.empty_interval", "it ends before it begins")
        .at(label)
        .help("`until` is the first moment outside: a row for July has `from` 2026-07-01 and `until` 2026-08-01")
}

/// Findings of one deck: the first few of each code one by one, the rest counted, so that one slip repeated on every row
/// can still be read.
struct Limited<'f> {
    all: &'f mut Findings,
    told: usize,
    counts: BTreeMap<&'static str, (usize, Finding)>,
}

impl<'f> Limited<'f> {
    const EACH: usize = 20;

    fn new(all: &'f mut Findings) -> Self {
        Self { all, told: 0, counts: BTreeMap::new() }
    }

    /// How many there were, shown or not.
    fn told(&self) -> (usize, usize) {
        (self.told, self.all.len())
    }

    fn push(&mut self, finding: Finding) {
        self.told += 1;
        let most = Self::most(finding.code);
        let (count, last) = self.counts.entry(finding.code).or_insert_with(|| (0, finding.clone()));
        *count += 1;
        if *count <= most {
            self.all.push(finding);
        } else if *count == most + 1 {
            *last = finding;
        }
    }

    /// How many are shown one by one. A forgotten key of the settings is one mistake, not one for each row.
    fn most(code: &str) -> usize {
        if matches!(code, "tariff.unit_missing" | "tariff.jurisdictions_unset") { 1 } else { Self::EACH }
    }

    fn keep<T>(&mut self, result: Result<T, Fault>, row: Row<'_>, column: Column) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(fault) => {
                self.push(fault.at(row.label(column, "")));
                None
            }
        }
    }

    fn finish(&mut self, source: &Arc<SourceText>) {
        for (code, (count, next)) in std::mem::take(&mut self.counts) {
            let most = Self::most(code);
            if count <= most {
                continue;
            }
            let message = format!("and {} more of these in `{}`, the first of them here", count - most, source.name);
            self.all.push(Finding { message, help: None, ..next });
        }
    }
}

/// A plan's words, read back.
#[derive(Clone, Copy, Debug)]
pub(super) struct PlanWords<'p>(pub(super) &'p [i64]);

impl<'p> PlanWords<'p> {
    #[inline]
    fn word(self, index: usize) -> i64 {
        self.0.get(index).copied().unwrap_or(0)
    }

    /// The first word that most calls need, and the last.
    #[inline]
    pub(super) fn ends(self) -> [i64; 2] {
        [self.word(word::FIRST), self.0.last().copied().unwrap_or(0)]
    }

    /// Whether the row is usage alone, at its simplest.
    #[inline]
    pub(super) fn is_plain(self) -> bool {
        self.word(word::FLAGS) & word::PLAIN != 0
    }

    /// Whether the row has usage of its own.
    #[inline]
    pub(super) fn has_usage(self) -> bool {
        self.word(word::FLAGS) & word::USAGE != 0
    }

    fn some(self, index: usize) -> Option<i64> {
        Some(self.word(index)).filter(|value| *value != word::NONE)
    }

    /// Increments; `None` for the time that the price is for.
    #[inline]
    pub(super) fn increments(self) -> (Option<Duration>, Option<Duration>) {
        let read = |index| self.some(index).map(Duration::from_millis);
        (read(word::FIRST), read(word::FURTHER))
    }

    #[inline]
    pub(super) fn connection(self) -> Price {
        Price::from_units(self.word(word::CONNECTION))
    }

    #[inline]
    pub(super) fn minimum(self) -> Price {
        Price::from_units(self.word(word::MINIMUM))
    }

    pub(super) fn maximum(self) -> Option<Price> {
        self.some(word::MAXIMUM).map(Price::from_units)
    }

    /// Which list of named charges.
    pub(super) fn charges(self) -> usize {
        usize::try_from(self.word(word::CHARGES)).unwrap_or(0)
    }

    /// Wholesale times so many millionths.
    pub(super) fn markup(self) -> Option<i64> {
        self.some(word::MARKUP)
    }

    /// The prices alone.
    pub(super) fn rates(self) -> &'p [i64] {
        self.0.get(HEAD..).unwrap_or(&[])
    }

    #[inline]
    pub(super) fn price(self, band: u8) -> (Price, Duration) {
        let at = HEAD + 2 * usize::from(band);
        (Price::from_units(self.word(at)), Duration::from_millis(self.word(at + 1)))
    }
}
