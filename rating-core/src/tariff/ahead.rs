//! Longest prefixes of many numbers, looked up together.
//!
//! A walk down a tree of digits waits for memory at every step, and knows its next step only then. Walks of different
//! numbers do not wait for each other: taken in turn, a step at a time, their waits overlap. So whoever has many calls to
//! rate has their prefixes found beforehand; what is found is what each walk alone would find.

use super::lookup::Way;
use super::trie::{Place, Trie};
use super::version::TariffVersion;
use super::{Called, Query};
use crate::number::MAX_DIGITS;

/// Numbers on their way down the prefixes of tariff versions.
#[derive(Debug, Default)]
pub struct Walks<'t> {
    walks: Vec<Walk<'t>>,
}

#[derive(Debug)]
struct Walk<'t> {
    rules: &'t TariffVersion,
    prefixes: &'t Trie,
    /// Each 0 to 9.
    digits: [u8; 16],
    len: usize,
    place: Place,
    way: Way,
}

impl<'t> Walks<'t> {
    /// Room for so many.
    #[must_use]
    pub fn with_capacity(walks: usize) -> Self {
        Self { walks: Vec::with_capacity(walks) }
    }

    /// Adds what a version is asked, and gives its place; `None` if that is no number, or the version has no rows for calls
    /// of its direction.
    #[inline]
    pub fn add(&mut self, rules: &'t TariffVersion, query: &Query<'_>) -> Option<usize> {
        let Called::Number(number, ..) = query.called else { return None };
        let (prefixes, digits) = (&rules.index(query.direction)?.prefixes, number.digits());
        let (place, way) = (Place::ROOT, Way::NONE);
        self.walks.push(Walk { rules, prefixes, digits: digits.each(), len: digits.len(), place, way });
        Some(self.walks.len() - 1)
    }

    /// Walks all of them to their ends, and looks at the rows that they lead to.
    pub fn walk(&mut self) {
        for depth in 0..MAX_DIGITS {
            let mut goes_on = false;
            for walk in &mut self.walks {
                // Those that are at their end stay there.
                if depth >= walk.len {
                    walk.place.end();
                }
                walk.prefixes.step(&mut walk.place, depth, walk.digits[depth]);
                goes_on |= !walk.place.is_end();
            }
            if !goes_on {
                break;
            }
        }
        for walk in &mut self.walks {
            walk.way = walk.rules.way(walk.place);
        }
        for walk in &self.walks {
            // So that what the row costs is near when it is asked for.
            std::hint::black_box(walk.rules.ends_of(walk.way));
        }
    }

    /// What was found for the number at a place.
    #[must_use]
    #[inline]
    pub fn way(&self, place: usize) -> Option<Way> {
        self.walks.get(place).map(|walk| walk.way)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{LONDON, at, called, only, retail};
    use super::*;

    #[test]
    fn a_number_that_was_looked_up_with_others_finds_the_row_that_it_finds_alone() {
        let book = retail(
            "",
            "prefix,destination,price,from,only_class,direction\n\
             44,UK,1,,,\n447,Mobile,2,,,\n44770,Later,3,2026-08-01,,\n1,USA,1,,,\n1212,New York,2,,,\n12125550,Some,2,,,\n\
             number:442079460958,One,5,,,\n449,Premium,9,,,\n4420,In,1,,,in\n",
        );
        let texts = [
            "+442079460958",
            "+442079460959",
            "+447700900123",
            "+447600900123",
            "+12125550100",
            "+12025550100",
            "+4991234",
            "+33123456",
            "118500",
            "internal",
            "+12125",
            "+449098790000",
            "+447700900",
        ];
        let version = only(&book);
        for direction in [crate::number::Direction::Outbound, crate::number::Direction::Inbound] {
            let queries: Vec<Query<'_>> =
                texts.iter().map(|text| Query { direction, ..Query::new(called(text)) }).collect();
            let mut walks = Walks::with_capacity(1);
            let places: Vec<Option<usize>> = queries.iter().map(|query| walks.add(version, query)).collect();
            walks.walk();
            for instant in ["2026-07-01T12:00:00Z", "2026-09-01T12:00:00Z"] {
                for ((query, place), text) in queries.iter().zip(&places).zip(texts) {
                    let way = place.and_then(|place| walks.way(place));
                    assert_eq!(way.is_some(), matches!(query.called, Called::Number(..)), "{text}");
                    let find = |way| version.verdict(version.best(query, at(instant), LONDON, way));
                    assert_eq!(find(way), find(None), "{text} at {instant}");
                }
            }
        }
    }
}
