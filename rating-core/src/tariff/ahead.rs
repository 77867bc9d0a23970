//! Longest prefixes of many numbers, looked up together.
//!
//! A walk down a tree of digits waits for memory at every step, and knows its next step only then. Walks of different
//! numbers do not wait for each other: taken in turn, a step at a time, their waits overlap. So whoever has many calls to
//! rate has their prefixes found beforehand, for all tariffs at once; what is found is what each walk alone would find.

use super::Called;
use super::book::TariffBook;
use super::lookup::Way;
use super::together::{HEAD, Together};
use super::trie::Place;
use super::version::TariffVersion;
use crate::number::MAX_DIGITS;

/// Numbers on their way down the prefixes of a book, by the places in which they were added.
#[derive(Debug)]
pub struct Walks<'t> {
    prefixes: &'t Together,
    walks: Vec<Walk>,
}

#[derive(Debug)]
struct Walk {
    /// Each 0 to 9.
    digits: [u8; 16],
    len: usize,
    place: Place,
}

impl<'t> Walks<'t> {
    /// Room for so many.
    #[must_use]
    pub fn with_capacity(book: &'t TariffBook, walks: usize) -> Self {
        Self { prefixes: book.prefixes(), walks: Vec::with_capacity(walks) }
    }

    /// Adds whom a call went to, in the place behind those before; what is no number has a place, too.
    #[inline]
    pub fn add(&mut self, called: Option<Called>) {
        self.walks.push(match called {
            Some(Called::Number(number, ..)) => {
                let digits = number.digits().each();
                Walk { place: self.prefixes.head(&digits), digits, len: number.digits().len() }
            }
            _ => Walk { digits: [0; 16], len: 0, place: Place::END },
        });
    }

    /// Walks all of them to their ends.
    pub fn walk(&mut self) {
        for depth in HEAD..MAX_DIGITS {
            let mut goes_on = false;
            for walk in &mut self.walks {
                // Those that are at their end stay there.
                if depth >= walk.len {
                    walk.place.end();
                }
                self.prefixes.step(&mut walk.place, depth, walk.digits[depth]);
                goes_on |= !walk.place.is_end();
            }
            if !goes_on {
                break;
            }
        }
    }

    /// What a version has for the number at a place, for calls out; `None` if the number was not looked up in its prefixes.
    #[must_use]
    #[inline]
    pub fn way(&self, place: usize, rules: &TariffVersion) -> Option<Way> {
        rules.joined(self.walks.get(place)?.place)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{LONDON, at, book, called};
    use super::super::{Called, Query};
    use super::*;

    #[test]
    fn a_number_that_was_looked_up_with_others_finds_the_row_that_it_finds_alone() {
        let large = "prefix,destination,price,from,only_class,direction\n\
             44,UK,1,,,\n447,Mobile,2,,,\n44770,Later,3,2026-08-01,,\n1,USA,1,,,\n1212,New York,2,,,\n12125550,Some,2,,,\n\
             number:442079460958,One,5,,,\n449,Premium,9,,,\n4420,In,1,,,in\n";
        // Other prefixes, shorter and longer than those; and so few that they are walked by themselves.
        let other = "prefix,destination,price\n4,Fourth,1\n44207,London,2\n12,Twelve,3\n";
        let small = "prefix,destination,price\n447,Mobile,1\n";
        let settings = |id: &str, deck: &str| {
            format!(
                "id = \"{id}\"\ncurrency = \"GBP\"\nfrom = \"2026-01-01\"\nprices = \"p/min\"\ndecks = [\"{deck}\"]\n"
            )
        };
        let book = book(&[
            ("a.toml", &settings("large", "a.csv")),
            ("a.csv", large),
            ("b.toml", &settings("other", "b.csv")),
            ("b.csv", other),
            ("c.toml", &settings("small", "c.csv")),
            ("c.csv", small),
        ]);
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
        let queries: Vec<Query<'_>> = texts.iter().map(|text| Query::new(called(text))).collect();
        let mut walks = Walks::with_capacity(&book, 1);
        queries.iter().for_each(|query| walks.add(Some(query.called)));
        walks.walk();
        let versions = book.tariffs().iter().map(|tariff| &tariff.versions()[0]);
        for (version, joins) in versions.zip([true, true, false]) {
            for (place, (query, text)) in queries.iter().zip(texts).enumerate() {
                let way = walks.way(place, version);
                assert_eq!(way.is_some(), joins, "{text}");
                if !matches!(query.called, Called::Number(..)) {
                    continue;
                }
                for instant in ["2026-07-01T12:00:00Z", "2026-09-01T12:00:00Z"] {
                    let find = |way| version.verdict(version.best(query, at(instant), LONDON, way));
                    assert_eq!(find(way), find(None), "{text} at {instant}");
                    // Where the way is the whole answer, it is that of the search.
                    if let Some(straight) = version.straight(query.called, way) {
                        assert_eq!(find(None), super::super::Match::Row(straight.row()), "{text} at {instant}");
                        assert_eq!(version.destination(straight.row()), straight.destination(), "{text}");
                        assert_eq!(version.band_set(straight.row()), straight.band_set(), "{text}");
                    }
                }
            }
        }
    }
}
