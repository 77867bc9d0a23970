//! The names behind the ids, made fit for writing once.

use std::sync::Arc;

use super::cells::clean;
use crate::time::Zone;

/// Names by dense id. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Dictionary(Arc<[Box<str>]>);

impl Dictionary {
    /// From names in id order; see [text](super#text) for what becomes of unprintable characters.
    pub fn new<N: AsRef<str>>(names: impl IntoIterator<Item = N>) -> Self {
        Self(names.into_iter().map(|name| clean(name.as_ref().as_bytes()).as_ref().into()).collect())
    }

    /// The name behind `id`.
    #[must_use]
    #[inline]
    pub fn get(&self, id: u32) -> Option<&str> {
        self.0.get(id as usize).map(|name| &**name)
    }

    /// The names in id order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|name| &**name)
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
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
