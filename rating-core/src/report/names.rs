//! The names behind the ids, made fit for writing once.

use std::sync::{Arc, OnceLock};

use super::cells::clean;
use super::csv;
use crate::time::Zone;

/// Names by dense id. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Dictionary {
    names: Arc<[Box<str>]>,
    /// Which of them a program is given as they are, without quotes.
    plain: Arc<[bool]>,
    /// The place of each in the order of the names, found when it is first asked for.
    places: Arc<OnceLock<Box<[u32]>>>,
}

impl Dictionary {
    /// From names in id order; see [text](super#text) for what becomes of unprintable characters.
    pub fn new<N: AsRef<str>>(names: impl IntoIterator<Item = N>) -> Self {
        let names: Arc<[Box<str>]> =
            names.into_iter().map(|name| clean(name.as_ref().as_bytes()).as_ref().into()).collect();
        let plain = names.iter().map(|name| csv::is_plain(name.as_bytes())).collect();
        Self { names, plain, places: Arc::default() }
    }

    /// The name behind `id`.
    #[must_use]
    #[inline]
    pub fn get(&self, id: u32) -> Option<&str> {
        self.names.get(id as usize).map(|name| &**name)
    }

    /// Whether CSV for programs has the name as it is, without quotes.
    #[inline]
    pub(super) fn is_plain(&self, id: u32) -> bool {
        self.plain.get(id as usize).copied().unwrap_or(false)
    }

    /// The place of `id` in the order of names, ids of equal names by number; `None`, which comes first, if it has none.
    #[must_use]
    pub(super) fn place(&self, id: u32) -> Option<u32> {
        let places = self.places.get_or_init(|| {
            let mut order: Vec<(&str, u32)> = self.iter().zip(0..).collect();
            order.sort_unstable();
            let mut places = vec![0; order.len()].into_boxed_slice();
            for ((_, id), place) in order.into_iter().zip(0..) {
                if let Some(into) = places.get_mut(id as usize) {
                    *into = place;
                }
            }
            places
        });
        places.get(id as usize).copied()
    }

    /// The names in id order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(|name| &**name)
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }
}

/// The names of a project, each list in id order.
#[derive(Clone, Debug, Default)]
pub struct NameLists {
    /// Site ids and their zones.
    pub sites: Vec<(String, Zone)>,
    /// Payer ids and names; the operator is number 0.
    pub payers: Vec<(String, String)>,
    /// Destinations.
    pub destinations: Vec<String>,
    /// Time bands.
    pub bands: Vec<String>,
    /// Tariffs.
    pub tariffs: Vec<String>,
    /// Sources.
    pub sources: Vec<String>,
    /// Input files, by [`RecordId::file`](crate::source::RecordId::file).
    pub files: Vec<String>,
}

/// The names of a project, ready for writing.
#[derive(Clone, Debug, Default)]
pub struct Names {
    pub(super) sites: Dictionary,
    pub(super) zones: Arc<[Zone]>,
    pub(super) payer_ids: Dictionary,
    pub(super) payer_names: Dictionary,
    pub(super) destinations: Dictionary,
    pub(super) bands: Dictionary,
    pub(super) tariffs: Dictionary,
    pub(super) sources: Dictionary,
    pub(super) files: Dictionary,
}

impl Names {
    /// The path of an input file; empty if there is none of that number.
    #[must_use]
    pub fn file(&self, file: u32) -> &str {
        self.files.get(file).unwrap_or_default()
    }

    /// Makes the names fit for writing.
    #[must_use]
    pub fn new(lists: &NameLists) -> Self {
        Self {
            sites: Dictionary::new(lists.sites.iter().map(|(id, _)| id)),
            zones: lists.sites.iter().map(|(_, zone)| zone.clone()).collect(),
            payer_ids: Dictionary::new(lists.payers.iter().map(|(id, _)| id)),
            payer_names: Dictionary::new(lists.payers.iter().map(|(_, name)| name)),
            destinations: Dictionary::new(&lists.destinations),
            bands: Dictionary::new(&lists.bands),
            tariffs: Dictionary::new(&lists.tariffs),
            sources: Dictionary::new(&lists.sources),
            files: Dictionary::new(&lists.files),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_those_of_the_sorted_names_and_equal_names_stay_by_number() {
        let names = Dictionary::new(["Mars", "Ceres", "Venus", "Ceres"]);
        assert_eq!([0, 1, 2, 3, 4].map(|id| names.place(id)), [Some(2), Some(0), Some(3), Some(1), None]);
    }
}
