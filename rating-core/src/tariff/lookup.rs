//! Finding the row that prices a call, and telling why the others do not.

use super::conditions::{Conditions, Known, Rank};
use super::deck::{RateRow, RowStatus};
use super::index::Index;
use super::settings::class_bit;
use super::trie::{NONE, Place};
use super::version::{Cost, TariffVersion};
use super::{Called, Match, Query};
use crate::ids::{DestinationId, SiteId};
use crate::number::{Direction, MAX_DIGITS, NumberClass};
use crate::time::Instant;

/// How specific the key of a row is; the greatest that has a row decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Level {
    /// Calls inside the site.
    Internal,
    /// Every number.
    Any,
    /// A class of numbers.
    Class,
    /// A prefix of so many digits.
    Prefix(u8),
    /// This number or short code.
    Number,
    /// The charge code of the record.
    Code,
}

/// Why a row that matches by its key does not price a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Lost {
    /// It does not apply at that instant.
    NotValid,
    /// The condition in this column does not hold.
    Condition(&'static str),
    /// The number is of a protected class, for which the row's key is too short.
    ProtectedClass,
    /// A row with a longer prefix, or another more specific key, decides.
    LessSpecificKey,
    /// A tariff that inherits from this one has a row with the same key.
    Inherited,
    /// A row with the same key has a better condition in this column.
    LessSpecific(&'static str),
    /// A row with the same key and equal conditions stands before it.
    SecondOfTwo,
}

/// A row that matches a call by its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The row.
    pub row: u32,
    /// How specific its key is.
    pub level: Level,
    /// Why it does not decide; `None` for the one that does.
    pub lost: Option<Lost>,
}

/// The best row of a version for a call.
#[derive(Clone, Copy, Debug)]
pub(super) enum Best {
    Row(Level, u32),
    /// The most specific row whose key is too short for the class.
    Protected(u32),
    Nothing,
}

/// The longest prefix of a number that a version has, and what hangs there: most calls need nothing else of its rows.
#[derive(Clone, Copy, Debug)]
pub struct Way {
    /// The first row with that prefix; [`NONE`] if there is no prefix.
    head: u32,
    /// The plan of that row.
    plan: u32,
    /// The destination of that row.
    destination: u32,
    /// How many digits the prefix has.
    len: u8,
    /// Whose bands the row goes by.
    band_set: u8,
    /// Whether it is the only row with that prefix, always valid and without conditions.
    is_plain: bool,
    /// Whether such a row also prices by its plan in one band alone, as far as the version as a whole does: see
    /// [`Cost::is_plain`].
    is_straight: bool,
}

impl Way {
    /// No prefix.
    pub(super) const NONE: Self =
        Self { head: NONE, plan: NONE, destination: 0, len: 0, band_set: 0, is_plain: false, is_straight: false };

    /// The row.
    #[must_use]
    #[inline]
    pub const fn row(&self) -> u32 {
        self.head
    }

    /// Its destination.
    #[must_use]
    #[inline]
    pub const fn destination(&self) -> DestinationId {
        DestinationId(self.destination)
    }

    /// Whose bands it goes by.
    #[must_use]
    #[inline]
    pub const fn band_set(&self) -> u8 {
        self.band_set
    }
}

/// One call asked of one version.
struct Asking<'q> {
    query: &'q Query<'q>,
    at: Instant,
    slot: usize,
    /// A protected class, and how many digits establish it.
    guarded: Option<(NumberClass, u8)>,
    known: Known,
}

impl TariffVersion {
    /// The row that prices a call at an instant.
    ///
    /// Asked in this order: the row for the record's charge code, the row for the number itself, the longest prefix, then
    /// shorter ones, the row for the number's class, the row for every number. Of each of these the best row decides that
    /// is valid at that instant and whose conditions hold; where there is none, the next is asked. Of several rows with one
    /// key the best is the one with the longest matching origin, then the one that fills `jurisdiction`, `caller_type`,
    /// `trunk`, `only_class`, `length`, in this order.
    ///
    /// A row that blocks its destination, or lists it without a price, ends the search. A number of a
    /// [protected class](NumberClass::is_protected) is priced only by a row whose prefix is long enough to establish the
    /// class, or that names the class in its key, in `class` or in `only_class`, unless the tariff names the class in
    /// `fallback`.
    #[must_use]
    pub fn find(&self, query: &Query<'_>, at: Instant, site: SiteId) -> Match {
        self.verdict(self.best(query, at, site, None))
    }

    /// Every row that matches a call by its key, most specific key first, and why it does not decide. At most one does; a
    /// row that blocks its destination decides, too.
    #[must_use]
    pub fn candidates(&self, query: &Query<'_>, at: Instant, site: SiteId) -> Vec<Candidate> {
        let mut judged = self.judged(query, at, site);
        decide(judged.iter_mut().map(|judged| (0, judged)));
        judged.iter().map(Judged::candidate).collect()
    }

    /// `way` is what was [looked up beforehand](super::Walks) for the number, if it was.
    pub(super) fn best(&self, query: &Query<'_>, at: Instant, site: SiteId, way: Option<Way>) -> Best {
        let Some(index) = self.index(query.direction) else { return Best::Nothing };
        let asking = self.asking(query, at, site);
        if let Some(best) = self.plain_best(index, &asking, way) {
            return best;
        }
        let mut refused = NONE;
        let mut best = Best::Nothing;
        each_level(index, query, |level, head| {
            let Some(row) = self.best_of(head, level, &asking, &mut refused) else { return true };
            best = Best::Row(level, row);
            false
        });
        match best {
            Best::Nothing if refused != NONE => Best::Protected(refused),
            best => best,
        }
    }

    /// Nearly every call: no row is for this number alone, and the longest prefix has one row, which is always valid and
    /// without conditions.
    #[inline]
    fn plain_best(&self, index: &Index, asking: &Asking<'_>, way: Option<Way>) -> Option<Best> {
        let Called::Number(number, ..) = asking.query.called else { return None };
        let special = index.code(asking.query.charge_code) != NONE || index.number(number) != NONE;
        if special || asking.guarded.is_some() {
            return None;
        }
        let way = way.unwrap_or_else(|| self.way(index.prefixes.end_of(number.digits())));
        way.is_plain.then_some(Best::Row(Level::Prefix(way.len), way.head))
    }

    /// What hangs where a walk has ended.
    #[inline]
    pub(super) fn way(&self, Place { head, len, .. }: Place) -> Way {
        let Some(row) = self.rate_row(head) else { return Way::NONE };
        let is_plain = row.terms == 0 && row.next == NONE;
        Way {
            head,
            plan: row.plan,
            destination: row.destination,
            len,
            band_set: row.band_set,
            is_plain,
            is_straight: is_plain && self.prices_straight() && self.cost(head).is_some_and(|cost| cost.is_plain()),
        }
    }

    /// The longest prefix of a number, where that is the whole answer of [`TariffVersion::find`] about a call out: its row
    /// is for every such call, and its price is its plan in the band at the answer.
    ///
    /// `way` is what was [looked up beforehand](super::Walks) for the number, if it was.
    #[must_use]
    #[inline]
    pub fn straight(&self, called: Called, way: Option<Way>) -> Option<Way> {
        let Called::Number(number, class, _) = called else { return None };
        let index = self.index(Direction::Outbound)?;
        if index.number(number) != NONE || self.guards(class) {
            return None;
        }
        let way = way.unwrap_or_else(|| self.way(index.prefixes.end_of(number.digits())));
        way.is_straight.then_some(way)
    }

    /// What the row of a [straight](TariffVersion::straight) way costs.
    #[must_use]
    #[inline]
    pub fn cost_of(&self, way: &Way) -> Option<Cost<'_>> {
        self.cost_by(way.head, way.plan)
    }

    /// Whether rows of short keys do not price numbers of a class.
    #[inline]
    fn guards(&self, class: NumberClass) -> bool {
        class.is_protected() && self.fallback() & class_bit(class) == 0
    }

    #[inline]
    pub(super) fn verdict(&self, best: Best) -> Match {
        match best {
            Best::Nothing => Match::NotFound,
            Best::Protected(row) => Match::Protected(row),
            Best::Row(_, row) => match self.rate_row(row).map(RateRow::status) {
                Some(RowStatus::Offered) => Match::Row(row),
                Some(RowStatus::Unknown) => Match::Unknown(row),
                Some(RowStatus::Blocked) | None => Match::Blocked(row),
            },
        }
    }

    /// The candidates with their ranks, before they are compared.
    pub(super) fn judged(&self, query: &Query<'_>, at: Instant, site: SiteId) -> Vec<Judged> {
        let asking = self.asking(query, at, site);
        let mut judged = Vec::new();
        let Some(index) = self.index(query.direction) else { return judged };
        each_level(index, query, |level, head| {
            judged.extend(self.chain(head).map(|(row, found)| {
                let (rank, lost) = match self.judge(row, found, level, &asking) {
                    Ok(rank) => (rank, None),
                    Err(lost) => (0, Some(lost)),
                };
                Judged { row, level, rank, lost }
            }));
            true
        });
        judged
    }

    fn asking<'q>(&self, query: &'q Query<'q>, at: Instant, site: SiteId) -> Asking<'q> {
        let guarded = match query.called {
            Called::Number(_, class, needed) | Called::ShortCode(_, class, needed) => Some((class, needed)),
            Called::Internal => None,
        };
        let guarded = guarded.filter(|(class, _)| self.guards(*class));
        Asking { query, at, slot: self.slot(site), guarded, known: Known::default() }
    }

    /// The best row of one key; a row that only the guard of its class keeps out goes to `refused`, if it is the first.
    #[inline]
    fn best_of(&self, head: u32, level: Level, asking: &Asking<'_>, refused: &mut u32) -> Option<u32> {
        let mut best: Option<(Rank, u32)> = None;
        for (row, found) in self.chain(head) {
            match self.judge(row, found, level, asking) {
                Ok(rank) if best.is_none_or(|(have, _)| rank > have) => best = Some((rank, row)),
                Err(Lost::ProtectedClass) if *refused == NONE => *refused = row,
                _ => {}
            }
        }
        best.map(|(_, row)| row)
    }

    /// How well a row fits a call, or why it does not.
    #[inline]
    fn judge(&self, id: u32, row: &RateRow, level: Level, asking: &Asking<'_>) -> Result<Rank, Lost> {
        let (mut rank, mut condition) = (0, 0);
        // Nearly every row of a large deck is always valid and without conditions.
        if row.terms != 0 {
            let terms = self.row_terms(row.terms);
            if !self.validity(terms.validity, asking.slot).contains(asking.at) {
                return Err(Lost::NotValid);
            }
            condition = terms.condition;
            if condition != 0 {
                let ranked = self.conditions().rank(condition, asking.query, &asking.known);
                rank = ranked.map_err(Lost::Condition)?;
            }
        }
        if let Some((class, needed)) = asking.guarded {
            let long_enough = match level {
                Level::Prefix(len) => len >= needed,
                Level::Any => false,
                Level::Internal | Level::Class | Level::Number | Level::Code => true,
            };
            // What the carrier charges is known, whatever the class.
            let marked_up = || self.cost(id).is_some_and(|cost| cost.markup().is_some());
            let named = || row.class == Some(class) || self.conditions().name_class(condition);
            if !long_enough && row.status() == RowStatus::Offered && !marked_up() && !named() {
                return Err(Lost::ProtectedClass);
            }
        }
        Ok(rank)
    }

    fn chain(&self, head: u32) -> impl Iterator<Item = (u32, &RateRow)> {
        let mut next = head;
        std::iter::from_fn(move || {
            let row = next;
            let found = self.rate_row(row)?;
            next = found.next;
            Some((row, found))
        })
    }
}

/// A candidate and its rank.
#[derive(Clone, Copy, Debug)]
pub(super) struct Judged {
    pub(super) row: u32,
    pub(super) level: Level,
    rank: Rank,
    lost: Option<Lost>,
}

impl Judged {
    pub(super) const fn candidate(&self) -> Candidate {
        Candidate { row: self.row, level: self.level, lost: self.lost }
    }
}

/// Finds the one that decides and tells the others why not. The first of each pair is how far off the tariff is that the
/// row comes from: 0 for the one asked, 1 for its parent. Those of one tariff and key come in the order of their rows.
pub(super) fn decide<'j>(judged: impl Iterator<Item = (usize, &'j mut Judged)>) {
    let mut judged: Vec<(usize, &mut Judged)> = judged.filter(|(_, judged)| judged.lost.is_none()).collect();
    let goodness = |(off, judged): &(usize, &mut Judged)| (judged.level, std::cmp::Reverse(*off), judged.rank);
    // The last of equal ones is the maximum, and of equal ones the first decides.
    let Some(best) = judged.iter().rev().max_by_key(|judged| goodness(judged)).map(|(off, best)| (*off, **best)) else {
        return;
    };
    for (off, judged) in &mut judged {
        judged.lost = if judged.level != best.1.level {
            Some(Lost::LessSpecificKey)
        } else if *off != best.0 {
            Some(Lost::Inherited)
        } else if let Some(column) = Conditions::first_difference(judged.rank, best.1.rank) {
            Some(Lost::LessSpecific(column))
        } else if judged.row != best.1.row {
            Some(Lost::SecondOfTwo)
        } else {
            None
        };
    }
}

/// Calls `visit` with the rows of every key that a call matches, most specific first, until it says no.
#[inline]
fn each_level(index: &Index, query: &Query<'_>, mut visit: impl FnMut(Level, u32) -> bool) {
    let mut visit = |level, head| head == NONE || visit(level, head);
    let (digits, class, exact, prefixes, any) = match query.called {
        Called::Number(number, class, _) => (number.digits(), class, index.number(number), &index.prefixes, index.any),
        Called::ShortCode(code, class, _) => (code, class, index.short_code(code), &index.short_prefixes, NONE),
        Called::Internal => {
            visit(Level::Internal, index.internal);
            return;
        }
    };
    if !visit(Level::Code, index.code(query.charge_code)) || !visit(Level::Number, exact) {
        return;
    }
    let mut heads = [(0_u8, NONE); MAX_DIGITS];
    let mut count = 0;
    prefixes.walk(digits, |len, head| {
        if let Some(slot) = heads.get_mut(count) {
            *slot = (len as u8, head);
            count += 1;
        }
    });
    for (len, head) in heads.iter().take(count).rev() {
        if !visit(Level::Prefix(*len), *head) {
            return;
        }
    }
    let _ = visit(Level::Class, index.class(class)) && visit(Level::Any, any);
}

impl TariffVersion {
    /// The ways to rows for calls of a direction.
    #[inline]
    pub(super) fn index(&self, direction: Direction) -> Option<&Index> {
        let (out, inbound) = self.indices();
        if direction == Direction::Inbound { inbound } else { Some(out) }
    }
}
