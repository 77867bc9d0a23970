//! Two decks of this form, side by side: what is new, closed, dearer, cheaper, otherwise changed, or as it was.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::ours::{Cost, OurDeck, OurRow, OurTerms, Surroundings};
use super::{Fault, ImportError, Place};
use crate::finding::SourceText;
use crate::tariff::notation;

/// What became of the price of one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Changed {
    /// It was not there.
    New,
    /// It is no longer there.
    Closed,
    /// No band is cheaper, and one is dearer.
    Up,
    /// No band is dearer, and one is cheaper.
    Down,
    /// Something else: bands both ways, increments, fees, whether it is offered.
    Otherwise,
}

impl Changed {
    /// As reports have it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Closed => "closed",
            Self::Up => "up",
            Self::Down => "down",
            Self::Otherwise => "changed",
        }
    }
}

/// One key whose price is not what it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The prefix (or other key), with its conditions.
    pub key: String,
    /// Its name in the newer deck, or in the older one if it is closed.
    pub destination: String,
    /// What happened.
    pub changed: Changed,
    /// What it cost.
    pub old: String,
    /// What it costs.
    pub new: String,
    /// By how many tenths of a per cent the price moved, where there is one price on both sides and the old is not zero.
    pub permille: Option<i64>,
}

/// Two decks compared, key by key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Keys only in the newer deck.
    pub new: u64,
    /// Keys only in the older deck.
    pub closed: u64,
    /// Dearer keys.
    pub up: u64,
    /// Cheaper keys.
    pub down: u64,
    /// Keys changed otherwise.
    pub otherwise: u64,
    /// Keys that cost what they cost.
    pub unchanged: u64,
    /// Keys of the older deck that the import does not name, and that stay.
    pub not_named: u64,
    /// Every change; the largest moves of a price first, then by key.
    pub changes: Vec<Change>,
}

impl Comparison {
    pub(super) fn add(&mut self, key: String, destination: &str, old: Option<&OurTerms>, new: Option<&OurTerms>) {
        let (changed, permille) = match (old, new) {
            (None, None) => return,
            (None, Some(_)) => (Changed::New, None),
            (Some(_), None) => (Changed::Closed, None),
            (Some(old), Some(new)) if old == new => {
                self.unchanged += 1;
                return;
            }
            (Some(old), Some(new)) => moved(old, new),
        };
        *match changed {
            Changed::New => &mut self.new,
            Changed::Closed => &mut self.closed,
            Changed::Up => &mut self.up,
            Changed::Down => &mut self.down,
            Changed::Otherwise => &mut self.otherwise,
        } += 1;
        // What both have in common is no news.
        let same_rest = old.zip(new).is_some_and(|(old, new)| old.rest == new.rest);
        let show = |terms: Option<&OurTerms>| terms.map_or_else(String::new, |terms| terms.show(!same_rest));
        let destination = destination.to_owned();
        self.changes.push(Change { key, destination, changed, old: show(old), new: show(new), permille });
    }

    /// Puts the largest moves first.
    pub(super) fn sort(&mut self) {
        let rank = |change: &Change| std::cmp::Reverse(change.permille.map_or(-1, i64::abs));
        self.changes.sort_by(|a, b| rank(a).cmp(&rank(b)).then_with(|| a.key.cmp(&b.key)));
    }
}

fn moved(old: &OurTerms, new: &OurTerms) -> (Changed, Option<i64>) {
    let only = |terms: &OurTerms| if terms.costs.len() == 1 { terms.costs.get("").cloned() } else { None };
    let permille = only(old).zip(only(new)).and_then(|(old, new)| match (old, new) {
        (Cost::Per(old, one), Cost::Per(new, two)) if old > 0 && one == two => {
            // To the nearest tenth of a per cent, a tie away from zero.
            let (change, old) = (i128::from(new) - i128::from(old), i128::from(old));
            i64::try_from((change * 2_000 + change.signum() * old) / (old * 2)).ok()
        }
        _ => None,
    });
    let mut orders = Vec::new();
    let bands: std::collections::BTreeSet<&String> = old.costs.keys().chain(new.costs.keys()).collect();
    for band in bands {
        let of = |terms: &OurTerms| terms.costs.get(band).or_else(|| terms.costs.get("")).cloned();
        match of(old).zip(of(new)).and_then(|(old, new)| new.compare(&old)) {
            Some(order) => orders.push(order),
            None => return (Changed::Otherwise, None),
        }
    }
    let any = |wanted: Ordering| orders.contains(&wanted);
    match (any(Ordering::Greater), any(Ordering::Less)) {
        (true, false) => (Changed::Up, permille),
        (false, true) => (Changed::Down, permille),
        _ => (Changed::Otherwise, None),
    }
}

/// A deck, with its settings if they are known.
#[derive(Clone, Debug)]
pub struct Side {
    /// The settings file of the tariff; without it, bare numbers are compared as they are.
    pub settings: Option<Arc<SourceText>>,
    /// The decks.
    pub decks: Vec<Arc<SourceText>>,
}

/// Which rows count: those in force at an instant, or those without an end.
fn chosen<'d>(
    decks: &'d [(OurDeck, Surroundings)],
    at: Option<&str>,
) -> Result<BTreeMap<(String, &'d str), &'d OurRow>, Box<Fault>> {
    let at = at
        .map(|text| {
            notation::when(text).map_err(|fault| Box::new(Fault::new("import.from_needed", fault.message, fault.help)))
        })
        .transpose()?;
    let mut found: BTreeMap<(String, &str), &OurRow> = BTreeMap::new();
    for (deck, surroundings) in decks {
        let at = at.map(|when| when.in_zone(&surroundings.zone));
        for row in &deck.rows {
            let counts = match at {
                Some(at) => row.begins <= at && at < row.ends,
                None => row.until.is_none(),
            };
            for key in row.keys.iter().filter(|_| counts) {
                let place = found.entry((key.to_string(), row.conditions.as_str())).or_insert(row);
                if row.begins > place.begins {
                    *place = row;
                }
            }
        }
    }
    Ok(found)
}

fn open(side: &Side) -> Result<Vec<(OurDeck, Surroundings)>, Box<Fault>> {
    let surroundings = match &side.settings {
        Some(settings) => Surroundings::read(settings)?,
        None => Surroundings::unknown(),
    };
    side.decks.iter().map(|deck| Ok((OurDeck::read(deck, &surroundings)?, surroundings.clone()))).collect()
}

/// Compares two decks (or all decks of two settings files) key by key: the rows in force at `at`, or, without it, those
/// that have no end.
///
/// # Errors
///
/// [`ImportError::Faults`] if one of them is no deck, or if their currencies differ.
pub fn compare(old: &Side, new: &Side, at: Option<&str>) -> Result<Comparison, ImportError> {
    let faults = |fault: Box<Fault>| ImportError::Faults(vec![*fault]);
    let (old, new) = (
        open(old).map_err(faults)?,
        open(new).map_err(|mut fault| {
            fault.place.file = 1;
            faults(fault)
        })?,
    );
    let currency = |side: &[(OurDeck, Surroundings)]| side.first().and_then(|(_, surroundings)| surroundings.currency);
    if let (Some(one), Some(two)) = (currency(&old), currency(&new))
        && one != two
    {
        let place = Place { file: 1, line: 0, column: None };
        let fault = Fault::new(
            "import.other_currency",
            format!("one deck is in {one}, the other in {two}"),
            "nothing is converted",
        );
        return Err(ImportError::Faults(vec![Fault { place, ..fault }]));
    }
    let (old, new) = (chosen(&old, at).map_err(faults)?, chosen(&new, at).map_err(faults)?);
    let mut comparison = Comparison::default();
    let keys: std::collections::BTreeSet<&(String, &str)> = old.keys().chain(new.keys()).collect();
    for key in keys {
        let (one, two) = (old.get(key), new.get(key));
        let destination = two.or(one).map_or("", |row| row.destination.as_str());
        let shown = if key.1.is_empty() { key.0.clone() } else { format!("{} ({})", key.0, key.1) };
        comparison.add(shown, destination, one.map(|row| &row.terms), two.map(|row| &row.terms));
    }
    comparison.sort();
    Ok(comparison)
}
