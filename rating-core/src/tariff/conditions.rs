//! Conditions of rows: the columns that say for which calls a row applies, beyond its key.
//!
//! Every distinct set of conditions is compiled once. A row without any has the id 0 and pays nothing for the others.

use std::cell::Cell;
use std::collections::BTreeMap;

use super::notation::Fault;
use super::origin::{Matching, Origins, Regions};
use super::settings::class_bit;
use super::{Called, Caller, CallerType, Query};
use crate::finding::did_you_mean;
use crate::finding::table::{Column, Row, Table};
use crate::number::{Digits, NumberClass};

/// The columns of conditions, in the order in which they decide between rows of one key.
pub const CONDITION_COLUMNS: [&str; COLUMNS] =
    ["origin", "jurisdiction", "caller_type", "trunk", "only_class", "length"];

const COLUMNS: usize = 6;
const ORIGIN: usize = 0;
const JURISDICTION: usize = 1;
const CALLER_TYPE: usize = 2;
const TRUNK: usize = 3;
const ONLY_CLASS: usize = 4;
const LENGTH: usize = 5;

/// How well a row's conditions fit a call: the better one is greater. The rank of a matching origin stands highest, then
/// one bit for each further column that is filled.
pub(super) type Rank = u16;

const JURISDICTIONS: [&str; 3] = ["intra", "inter", "unknown"];

/// One set of conditions, compiled.
#[derive(Debug)]
pub(super) struct Condition {
    /// Index of the origins.
    origin: Option<u32>,
    jurisdictions: Option<u8>,
    caller_types: Option<u8>,
    trunks: Box<[Trunk]>,
    classes: Option<u16>,
    length: Option<(u8, u8)>,
    /// As the deck writes it, for people.
    texts: [Box<str>; COLUMNS],
}

/// A trunk, or the code that is dialled to reach it.
#[derive(Debug)]
struct Trunk {
    text: Box<str>,
    digits: Option<Digits>,
}

impl Trunk {
    fn new(text: &str) -> Self {
        Self { text: text.into(), digits: Digits::parse(text.as_bytes()) }
    }

    /// Whether a call goes by it. Case does not matter, as in the patterns of sources.
    fn is_of(&self, query: &Query<'_>) -> bool {
        query.trunks.iter().any(|trunk| trunk.eq_ignore_ascii_case(self.text.as_bytes()))
            || self.digits.is_some_and(|digits| query.access.contains(&digits))
    }
}

impl Condition {
    /// One bit for each column that is filled, the first column highest.
    fn filled(&self) -> Rank {
        self.texts.iter().fold(0, |bits, text| bits << 1 | Rank::from(!text.is_empty()))
    }
}

/// All conditions of a version.
#[derive(Debug)]
pub(super) struct Conditions {
    all: Box<[Condition]>,
    origins: Box<[Origins]>,
    regions: Regions,
    by_network: bool,
}

/// What is found out about a call once, however many rows ask.
#[derive(Debug, Default)]
pub(super) struct Known {
    jurisdiction: Cell<Option<u8>>,
}

impl Conditions {
    /// How well conditions fit a call, or the column that rules it out. `id` is not 0.
    pub(super) fn rank(&self, id: u32, query: &Query<'_>, known: &Known) -> Result<Rank, &'static str> {
        let Some(condition) = self.get(id) else { return Ok(0) };
        let lost = |column: usize| CONDITION_COLUMNS[column];
        let mut rank = 0;
        if let Some(origins) = condition.origin {
            let origins = self.origins.get(origins as usize);
            rank = origins.and_then(|origins| origins.rank(self.caller(query))).ok_or(lost(ORIGIN))?;
        }
        if condition.jurisdictions.is_some_and(|bits| bits & self.jurisdiction(query, known) == 0) {
            return Err(lost(JURISDICTION));
        }
        if let Some(bits) = condition.caller_types {
            let holds = query.caller_type.is_some_and(|of| bits & type_bit(of) != 0);
            holds.then_some(()).ok_or(lost(CALLER_TYPE))?;
        }
        if !condition.trunks.is_empty() {
            condition.trunks.iter().any(|trunk| trunk.is_of(query)).then_some(()).ok_or(lost(TRUNK))?;
        }
        let number = query.called.number();
        if let Some(bits) = condition.classes {
            number.filter(|(_, class)| bits & class_bit(*class) != 0).ok_or(lost(ONLY_CLASS))?;
        }
        if let Some((from, to)) = condition.length {
            let fits = |len: usize| usize::from(from) <= len && len <= usize::from(to);
            number.filter(|(digits, _)| fits(digits.len())).ok_or(lost(LENGTH))?;
        }
        Ok(rank << (COLUMNS - 1) | condition.filled() & ((1 << (COLUMNS - 1)) - 1))
    }

    /// The column that decides between two ranks; `None` if they are equal.
    pub(super) fn first_difference(one: Rank, other: Rank) -> Option<&'static str> {
        let differing = one ^ other;
        let lowest = COLUMNS - 1;
        if differing == 0 {
            return None;
        }
        let highest = (Rank::BITS - 1 - differing.leading_zeros()) as usize;
        CONDITION_COLUMNS.get(lowest.saturating_sub(highest)).copied()
    }

    /// Whether conditions name the class of the numbers that they are for: then they are meant for it.
    pub(super) fn name_class(&self, id: u32) -> bool {
        self.get(id).is_some_and(|condition| condition.classes.is_some())
    }

    /// Columns and texts of the filled conditions, as the deck writes them.
    pub(super) fn texts(&self, id: u32) -> impl Iterator<Item = (&'static str, &str)> {
        let texts = self.get(id).into_iter().flat_map(|condition| &condition.texts).map(|text| &**text);
        CONDITION_COLUMNS.into_iter().zip(texts).filter(|(_, text)| !text.is_empty())
    }

    fn get(&self, id: u32) -> Option<&Condition> {
        self.all.get((id as usize).checked_sub(1)?)
    }

    fn caller(&self, query: &Query<'_>) -> Caller {
        if self.by_network { query.network_caller } else { query.caller }
    }

    /// The bit of the jurisdiction of a call.
    fn jurisdiction(&self, query: &Query<'_>, known: &Known) -> u8 {
        if let Some(bit) = known.jurisdiction.get() {
            return bit;
        }
        let of_called = match query.called {
            Called::Number(number, ..) => self.regions.of(number.digits()),
            Called::ShortCode(..) | Called::Internal => None,
        };
        let of_caller = self.caller(query).number().and_then(|number| self.regions.of(number.digits()));
        let place = match (of_caller, of_called) {
            (Some(one), Some(other)) if one == other => 0,
            (Some(_), Some(_)) => 1,
            _ => 2,
        };
        known.jurisdiction.set(Some(1 << place));
        1 << place
    }

    pub(super) fn bytes(&self) -> usize {
        let prefixes: usize = self.origins.iter().map(|origins| size_of_val(&*origins.prefixes)).sum();
        size_of_val(&*self.all) + size_of_val(&*self.origins) + prefixes + self.regions.bytes()
    }
}

const fn type_bit(of: CallerType) -> u8 {
    1 << of as u8
}

/// Conditions as decks are read.
#[derive(Debug, Default)]
pub(super) struct ConditionsDraft {
    all: Vec<Condition>,
    ids: BTreeMap<[Box<str>; COLUMNS], u32>,
    origins: Vec<Origins>,
    origin_ids: BTreeMap<Box<str>, u32>,
}

impl ConditionsDraft {
    pub(super) fn finish(self, matching: &Matching) -> Conditions {
        Conditions {
            all: self.all.into(),
            origins: self.origins.into(),
            regions: matching.regions.clone(),
            by_network: matching.by_network,
        }
    }

    /// The columns that are filled, as bits; rows with different ones never conflict.
    pub(super) fn filled(&self, id: u32) -> Rank {
        self.get(id).map_or(0, Condition::filled)
    }

    /// Whether a column beside the origin is filled.
    pub(super) fn has_more_than_origin(&self, id: u32) -> bool {
        self.filled(id) & ((1 << (COLUMNS - 1)) - 1) != 0
    }

    /// The origins of a row, if it names any.
    pub(super) fn origins(&self, id: u32) -> Option<&Origins> {
        self.origins.get(self.get(id)?.origin? as usize)
    }

    /// Whether every filled column but the origin may hold for one call; for two rows that fill the same columns.
    pub(super) fn may_both_hold(&self, one: u32, other: u32) -> bool {
        let (Some(one), Some(other)) = (self.get(one), self.get(other)) else { return true };
        let share = |one: Option<u16>, other: Option<u16>| match (one, other) {
            (Some(one), Some(other)) => one & other != 0,
            _ => true,
        };
        let trunks = || {
            let have = |trunk: &Trunk| other.trunks.iter().any(|other| other.text.eq_ignore_ascii_case(&trunk.text));
            one.trunks.is_empty() || one.trunks.iter().any(have)
        };
        let lengths = match (one.length, other.length) {
            (Some(one), Some(other)) => one.0.max(other.0) <= one.1.min(other.1),
            _ => true,
        };
        share(one.jurisdictions.map(u16::from), other.jurisdictions.map(u16::from))
            && share(one.caller_types.map(u16::from), other.caller_types.map(u16::from))
            && trunks()
            && share(one.classes, other.classes)
            && lengths
    }

    fn get(&self, id: u32) -> Option<&Condition> {
        self.all.get((id as usize).checked_sub(1)?)
    }
}

/// Where the conditions of a deck are.
#[derive(Debug)]
pub(super) struct ConditionColumns {
    columns: [Column; COLUMNS],
    any: bool,
}

impl ConditionColumns {
    pub(super) fn new(table: &Table) -> Self {
        let columns = CONDITION_COLUMNS.map(|name| table.column(name));
        Self { columns, any: columns.iter().any(|column| column.is_present()) }
    }

    /// The id of a row's conditions; the faults of its cells go to `report`.
    pub(super) fn read(
        &self,
        row: Row<'_>,
        matching: &Matching,
        draft: &mut ConditionsDraft,
        mut report: impl FnMut(Fault, Column),
    ) -> Option<u32> {
        if !self.any {
            return Some(0);
        }
        let cells = self.columns.map(|column| row.cell(column));
        if cells.iter().all(|text| text.is_empty()) {
            return Some(0);
        }
        draft.intern(cells, matching, |fault, place| report(fault, self.columns[place]))
    }
}

impl ConditionsDraft {
    /// The id of conditions by their texts, in the order of [`CONDITION_COLUMNS`]; the faults of a text go to `report`
    /// with its place.
    pub(super) fn intern(
        &mut self,
        cells: [&str; COLUMNS],
        matching: &Matching,
        mut report: impl FnMut(Fault, usize),
    ) -> Option<u32> {
        let draft = self;
        let texts: [Box<str>; COLUMNS] = cells.map(Into::into);
        if let Some(id) = draft.ids.get(&texts) {
            return Some(*id);
        }
        let mut sound = true;
        let mut keep = |place: usize, result: Result<u16, Fault>| match result {
            Ok(bits) => Some(bits),
            Err(fault) => {
                sound = false;
                report(fault, place);
                None
            }
        };
        let filled = |place: usize| Some(cells[place]).filter(|text| !text.is_empty());
        let mut origins = None;
        if let Some(text) = filled(ORIGIN).filter(|text| !draft.origin_ids.contains_key(*text)) {
            keep(
                ORIGIN,
                matching.origins(text).map(|found| {
                    origins = Some(found);
                    0
                }),
            );
        }
        let jurisdictions = filled(JURISDICTION)
            .and_then(|text| keep(JURISDICTION, jurisdictions(text, matching.regions.is_given)))
            .and_then(|bits| u8::try_from(bits).ok());
        let caller_types = filled(CALLER_TYPE)
            .and_then(|text| keep(CALLER_TYPE, words(text, "type of caller", CallerType::ALL.map(CallerType::name))))
            .and_then(|bits| u8::try_from(bits).ok());
        let classes = filled(ONLY_CLASS).and_then(|text| keep(ONLY_CLASS, classes(text)));
        let mut bounds = (0, 0);
        if let Some(text) = filled(LENGTH) {
            keep(
                LENGTH,
                length(text).map(|found| {
                    bounds = found;
                    0
                }),
            );
        }
        let trunks: Box<[Trunk]> =
            cells[TRUNK].split(';').map(str::trim).filter(|text| !text.is_empty()).map(Trunk::new).collect();
        if filled(TRUNK).is_some() && trunks.is_empty() {
            keep(TRUNK, Err(bad(cells[TRUNK], "names no trunk", "write a trunk as the source's `trunks` name it")));
        }
        if !sound {
            return None;
        }
        let origin = filled(ORIGIN).map(|text| {
            if let Some(found) = origins {
                let id = u32::try_from(draft.origins.len()).unwrap_or(u32::MAX);
                draft.origins.push(found);
                draft.origin_ids.insert(text.into(), id);
            }
            draft.origin_ids.get(text).copied().unwrap_or(u32::MAX)
        });
        let length = filled(LENGTH).map(|_| bounds);
        draft.all.push(Condition {
            origin,
            jurisdictions,
            caller_types,
            trunks,
            classes,
            length,
            texts: texts.clone(),
        });
        let id = u32::try_from(draft.all.len()).ok()?;
        draft.ids.insert(texts, id);
        Some(id)
    }
}

fn bad(text: &str, why: &str, help: impl Into<String>) -> Fault {
    Fault::new("tariff.bad_condition", format!("`{text}` {why}"), help)
}

/// Bits of words, by their places in `known`.
fn words<const N: usize>(text: &str, what: &str, known: [&str; N]) -> Result<u16, Fault> {
    let mut bits = 0;
    for item in text.split(';').map(str::trim) {
        let place = known.iter().position(|word| *word == item);
        bits |= place.map(|place| 1 << place).ok_or_else(|| {
            let help = match did_you_mean(item, known) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("write one of `{}`, or several with `;` between them", known.join("`, `")),
            };
            bad(item, &format!("is not a {what}"), help)
        })?;
    }
    Ok(bits)
}

fn jurisdictions(text: &str, given: bool) -> Result<u16, Fault> {
    let bits = words(text, "jurisdiction", JURISDICTIONS)?;
    if !given {
        let help =
            "add `jurisdictions = \"regions.csv\"` to the settings: a table with the columns `prefix` and `region`";
        return Err(Fault::new(
            "tariff.jurisdictions_unset",
            "the tariff does not say which region a number lies in",
            help,
        ));
    }
    Ok(bits)
}

fn classes(text: &str) -> Result<u16, Fault> {
    let mut bits = 0;
    for item in text.split(';').map(str::trim) {
        let class = NumberClass::from_name(item).ok_or_else(|| {
            let names = NumberClass::ALL.map(NumberClass::name);
            let help = match did_you_mean(item, names) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("classes: {}", names.join(", ")),
            };
            Fault::new("tariff.unknown_class", format!("`{item}` is not a class of numbers"), help)
        })?;
        bits |= class_bit(class);
    }
    Ok(bits)
}

/// Reads `12`, `10-12`, `10-`, `-12`.
fn length(text: &str) -> Result<(u8, u8), Fault> {
    let number = |text: &str, open: u8| match text.trim() {
        "" => Some(open),
        text if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok().filter(|count| *count <= 15),
        _ => None,
    };
    let bounds = match text.split_once(['-', '–']) {
        Some((from, to)) if from.trim().is_empty() && to.trim().is_empty() => None,
        Some((from, to)) => number(from, 0).zip(number(to, 15)),
        None => number(text, 0).map(|count| (count, count)),
    };
    bounds.filter(|(from, to)| from <= to && *to > 0).ok_or_else(|| {
        bad(
            text,
            "is not a count of digits",
            "write `12`, `10-12`, `10-` or `-12`; numbers have at most fifteen digits",
        )
    })
}
