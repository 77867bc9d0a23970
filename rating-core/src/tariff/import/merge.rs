//! Offers to rows of one deck: identical ones once, older ones ended where newer ones begin, closing rows ending what they
//! close, and contradictions rejected.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::cells::Standing;
use super::offer::{Basis, Batch, Conditions, Key, Offer, OriginZone, RowPlace, RowState, Terms};
use super::{ColumnUse, Counts, Fault, Place, Reject};
use crate::tariff::notation::When;
use crate::time::Instant;

/// A row of the deck to be.
#[derive(Clone, Debug)]
pub(super) struct DeckRow {
    pub(super) keys: Vec<Key>,
    pub(super) destination: String,
    pub(super) conditions: Conditions,
    pub(super) terms: Terms,
    pub(super) standing: Standing,
    pub(super) from: Option<When>,
    pub(super) until: Option<When>,
}

/// A closing row with nothing in its own file to close: it ends a row of the deck that the import goes into.
#[derive(Clone, Debug)]
pub(super) struct Closing {
    pub(super) key: Key,
    pub(super) conditions: Conditions,
    pub(super) at: Option<When>,
}

/// Everything a deck is written from.
#[derive(Debug)]
pub(super) struct Rows {
    pub(super) rows: Vec<DeckRow>,
    pub(super) closings: Vec<Closing>,
    pub(super) rejects: Vec<Reject>,
    pub(super) counts: Counts,
    pub(super) columns: Vec<ColumnUse>,
    pub(super) notes: Vec<String>,
    pub(super) bands: Vec<String>,
    pub(super) zones: Vec<OriginZone>,
    pub(super) basis: Basis,
}

/// One key of one offer.
#[derive(Clone, Copy, Debug)]
struct Entry {
    offer: u32,
    /// Place of the key in its offer.
    key: u32,
    from: Instant,
    fate: Fate,
    until: Option<When>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Stays,
    /// Stays without a price: the file contradicts itself.
    Unknown,
    Duplicate,
    /// Contradicts this offer.
    Conflict(u32),
    Closes,
}

pub(super) fn merge(batch: Batch) -> Rows {
    let Batch { offers, rows, rejects, counts, columns, notes, bands, zones, basis } = batch;
    let mut merger = Merger {
        offers: &offers,
        rows,
        rejects,
        counts,
        basis: &basis,
        closings: Vec::new(),
        conflicts: BTreeMap::new(),
    };
    let mut entries = merger.entries();
    let order = |a: &Entry, b: &Entry| {
        let (one, two) = (merger.of(*a), merger.of(*b));
        (one.0, &one.1.conditions, a.from, a.offer).cmp(&(two.0, &two.1.conditions, b.from, b.offer))
    };
    entries.sort_unstable_by(order);
    let mut start = 0;
    while start < entries.len() {
        let same = |entry: &Entry| {
            let (first, this) = (merger.of(entries[start]), merger.of(*entry));
            first.0 == this.0 && first.1.conditions == this.1.conditions
        };
        let end = start + entries[start..].iter().take_while(|entry| same(entry)).count();
        merger.settle(&mut entries[start..end]);
        start = end;
    }
    merger.separate_origins(&mut entries, &zones);
    let deck_rows = merger.finish(&mut entries);
    let Merger { rejects, counts, closings, .. } = merger;
    Rows { rows: deck_rows, closings, rejects, counts, columns, notes, bands, zones, basis }
}

struct Merger<'b> {
    offers: &'b [Offer],
    rows: Vec<RowPlace>,
    rejects: Vec<Reject>,
    counts: Counts,
    basis: &'b Basis,
    closings: Vec<Closing>,
    /// Rows with a contradiction: which reject says so, and how many more of their keys are in one.
    conflicts: BTreeMap<u32, (usize, u64)>,
}

impl<'b> Merger<'b> {
    fn of(&self, entry: Entry) -> (&'b Key, &'b Offer) {
        let offer = &self.offers[entry.offer as usize];
        (&offer.keys[entry.key as usize], offer)
    }

    fn instant(&self, when: Option<When>, none: Instant) -> Instant {
        when.map_or(none, |when| when.in_zone(&self.basis.zone))
    }

    fn entries(&mut self) -> Vec<Entry> {
        let mut entries = Vec::with_capacity(self.offers.len());
        for (index, offer) in (0_u32..).zip(self.offers) {
            let mut places: Vec<u32> = (0_u32..).take(offer.keys.len()).collect();
            if places.len() > 1 {
                places.sort_by_key(|place| &offer.keys[*place as usize]);
                places.dedup_by_key(|place| &offer.keys[*place as usize]);
                self.counts.repeated_keys += (offer.keys.len() - places.len()) as u64;
            }
            let from = match offer.standing {
                // A closing row without a date closes from the date of the import on.
                Standing::Closed if offer.from.is_none() => {
                    let when = crate::tariff::notation::when(&self.basis.from).ok();
                    self.instant(when, Instant::MIN)
                }
                _ => self.instant(offer.from, Instant::MIN),
            };
            let fate = if offer.standing == Standing::Closed { Fate::Closes } else { Fate::Stays };
            entries.extend(places.into_iter().map(|key| Entry { offer: index, key, from, fate, until: offer.until }));
        }
        entries
    }

    /// Entries of one key under one condition, by their begin.
    fn settle(&mut self, entries: &mut [Entry]) {
        let mut start = 0;
        let mut before: Option<usize> = None;
        while start < entries.len() {
            let end = start + entries[start..].iter().take_while(|entry| entry.from == entries[start].from).count();
            self.settle_same_begin(&mut entries[start..end]);
            let closes = entries[start].fate == Fate::Closes;
            let at = entries[start];
            let begin =
                self.of(at).1.from.or_else(|| crate::tariff::notation::when(&self.basis.from).ok().filter(|_| closes));
            match before {
                Some(before) => {
                    let ended = self.instant(entries[before].until, Instant::MAX);
                    let explicit = entries[before].until.is_some();
                    if ended > at.from {
                        entries[before].until = begin;
                        if explicit && !closes && entries[start].fate == Fate::Stays {
                            // It was to end later: from here on the file says two things.
                            entries[start].fate = Fate::Unknown;
                            self.conflict(at, entries[before].offer);
                        }
                    }
                }
                None if closes => {
                    let (key, offer) = self.of(at);
                    self.closings.push(Closing { key: key.clone(), conditions: offer.conditions.clone(), at: begin });
                }
                None => {}
            }
            before = if closes { None } else { Some(start) };
            start = end;
        }
    }

    /// Entries that begin at once: one of equal ones stays; unequal ones leave one without a price.
    fn settle_same_begin(&mut self, entries: &mut [Entry]) {
        let Some((first, others)) = entries.split_first_mut() else { return };
        let mut contradicted = None;
        for other in others.iter_mut() {
            let (one, two) = (self.of(*first).1, self.of(*other).1);
            let equal = one.terms == two.terms && one.standing == two.standing && one.until == two.until;
            if equal {
                other.fate = if first.fate == Fate::Closes { Fate::Closes } else { Fate::Duplicate };
            } else {
                other.fate = Fate::Conflict(first.offer);
                self.conflict(*other, first.offer);
                contradicted = contradicted.or(Some(other.offer));
            }
        }
        if let Some(other) = contradicted {
            first.fate = Fate::Unknown;
            self.conflict(*first, other);
        }
    }

    fn conflict(&mut self, entry: Entry, other: u32) {
        let (key, offer) = self.of(entry);
        let other_offer = &self.offers[other as usize];
        // A row that was rejected when it was read has said why; once for each row is enough.
        let Some(row) = offer.rows.first().copied().filter(|_| !offer.rejected) else { return };
        if let Some((_, more)) = self.conflicts.get_mut(&row) {
            *more += 1;
            return;
        }
        let Some(place) = self.rows.get(row as usize) else { return };
        let other_place = other_offer.rows.first().and_then(|row| self.rows.get(*row as usize));
        let line = match other_place {
            Some(other) if other.file == place.file => other.line.to_string(),
            Some(other) => format!("{} of file {}", other.line, other.file + 1),
            None => String::new(),
        };
        let price = |offer: &Offer| match (&offer.terms.price, offer.standing) {
            (Some(price), Standing::Offered) => price.text.clone(),
            (None, Standing::Offered) => "other terms".to_owned(),
            (_, Standing::Blocked) => "blocked".to_owned(),
            (_, Standing::Closed) => "closed".to_owned(),
            (_, Standing::Unknown) => "no price".to_owned(),
        };
        let (mine, theirs) = (price(offer), price(other_offer));
        let prices = if mine == theirs { String::new() } else { format!(": {mine} against {theirs}") };
        let message = format!("`{key}` stands in line {line} too, for the same time, on other terms{prices}");
        let help = "ask which of the two holds, and remove the other";
        let fault = Fault {
            place: Place { file: place.file, line: place.line, column: None },
            ..Fault::new("import.rows_conflict", message, help)
        };
        self.conflicts.insert(row, (self.rejects.len(), 0));
        self.rejects.push(Reject { fault, raw: place.raw.to_string(), stands_as_unknown: true, partly: false });
    }

    /// Two origin zones of one destination that share a caller prefix, at the same time: no rule chooses between them.
    fn separate_origins(&mut self, entries: &mut [Entry], zones: &[OriginZone]) {
        if zones.len() < 2 {
            return;
        }
        let shares = |one: u16, two: u16| {
            let (Some(one), Some(two)) = (zones.get(usize::from(one)), zones.get(usize::from(two))) else {
                return false;
            };
            one.prefixes.iter().any(|prefix| two.prefixes.binary_search(prefix).is_ok())
        };
        let count = u16::try_from(zones.len()).unwrap_or(u16::MAX);
        let mut sharing = std::collections::BTreeSet::new();
        for one in 0..count {
            sharing.extend((one + 1..count).filter(|two| shares(one, *two)).flat_map(|two| [(one, two), (two, one)]));
        }
        if sharing.is_empty() {
            return;
        }
        let mut start = 0;
        while start < entries.len() {
            let key = self.of(entries[start]).0;
            let end = start + entries[start..].iter().take_while(|entry| self.of(**entry).0 == key).count();
            for later in start + 1..end {
                for earlier in start..later {
                    let (one, two) = (entries[earlier], entries[later]);
                    let stays = |entry: Entry| matches!(entry.fate, Fate::Stays | Fate::Unknown);
                    let (a, b) = (self.of(one).1.conditions.clone(), self.of(two).1.conditions.clone());
                    let zones = a.origin.zip(b.origin).is_some_and(|pair| sharing.contains(&pair));
                    let overlap = self.instant(one.until, Instant::MAX) > two.from
                        && self.instant(two.until, Instant::MAX) > one.from;
                    if zones && overlap && stays(one) && stays(two) && a.direction == b.direction {
                        entries[later].fate = Fate::Conflict(one.offer);
                        self.conflict(two, one.offer);
                    }
                }
            }
            start = end;
        }
    }

    fn finish(&mut self, entries: &mut [Entry]) -> Vec<DeckRow> {
        entries.sort_unstable_by_key(|entry| (entry.offer, entry.key));
        let mut made: Vec<DeckRow> = Vec::with_capacity(self.offers.len());
        let mut unknowns: BTreeMap<u32, ()> = BTreeMap::new();
        let mut start = 0;
        while start < entries.len() {
            let index = entries[start].offer;
            let end = start + entries[start..].iter().take_while(|entry| entry.offer == index).count();
            let offer = &self.offers[index as usize];
            let mut best = RowState::Pending;
            let first_row = made.len();
            for entry in &entries[start..end] {
                let (state, standing) = match entry.fate {
                    Fate::Stays => (RowState::Imported, offer.standing),
                    Fate::Unknown => (RowState::Rejected, Standing::Unknown),
                    Fate::Duplicate => (RowState::Duplicate, offer.standing),
                    Fate::Conflict(_) => (RowState::Rejected, offer.standing),
                    Fate::Closes => (RowState::Closed, offer.standing),
                };
                best = best.max(state);
                if matches!(entry.fate, Fate::Stays | Fate::Unknown) {
                    let key = offer.keys[entry.key as usize].clone();
                    let same = |row: &&mut DeckRow| row.until == entry.until && row.standing == standing;
                    match made[first_row..].iter_mut().find(same) {
                        Some(row) => row.keys.push(key),
                        None => made.push(self.deck_row(offer, key, standing, entry.until)),
                    }
                    self.counts.keys += 1;
                }
            }
            if offer.rejected {
                best = RowState::Rejected;
            }
            if best == RowState::Imported
                && entries[start..end].iter().any(|e| matches!(e.fate, Fate::Unknown | Fate::Conflict(_)))
            {
                unknowns.extend(offer.rows.iter().map(|row| (*row, ())));
            }
            for row in offer.rows.iter().filter(|_| !offer.aside) {
                if let Some(row) = self.rows.get_mut(*row as usize) {
                    row.state = row.state.max(best);
                }
            }
            start = end;
        }
        self.count(&unknowns);
        made
    }

    fn deck_row(&self, offer: &Offer, key: Key, standing: Standing, until: Option<When>) -> DeckRow {
        DeckRow {
            keys: vec![key],
            destination: offer.destination.clone(),
            conditions: offer.conditions.clone(),
            terms: if standing == Standing::Offered { offer.terms.clone() } else { Terms::default() },
            standing,
            from: offer.from,
            until,
        }
    }

    fn count(&mut self, partly: &BTreeMap<u32, ()>) {
        for row in &self.rows {
            match row.state {
                RowState::Pending => {}
                RowState::Rejected => self.counts.rejected += 1,
                RowState::Closed => self.counts.closed += 1,
                RowState::Duplicate => self.counts.duplicates += 1,
                RowState::Imported => self.counts.imported += 1,
            }
        }
        for offer in self.offers.iter().filter(|offer| !offer.rejected && !offer.aside) {
            let imported = |row: &u32| self.rows.get(*row as usize).is_some_and(|row| row.state == RowState::Imported);
            let rows = offer.rows.iter().filter(|row| imported(row)).count() as u64;
            match offer.standing {
                Standing::Blocked => self.counts.blocked += rows,
                Standing::Unknown => self.counts.unknown += rows,
                _ => {}
            }
        }
        let partly: std::collections::BTreeSet<(u16, u32)> =
            partly.keys().filter_map(|row| self.rows.get(*row as usize)).map(|row| (row.file, row.line)).collect();
        for reject in &mut self.rejects {
            let place = &reject.fault.place;
            reject.partly = partly.contains(&(place.file, place.line));
        }
        for (reject, more) in self.conflicts.values().filter(|(_, more)| *more > 0) {
            if let Some(reject) = self.rejects.get_mut(*reject) {
                let _ = write!(reject.fault.message, "; so do {more} more of its prefixes");
            }
        }
        self.rejects.sort_by(|a, b| a.fault.place.cmp(&b.fault.place));
    }
}
