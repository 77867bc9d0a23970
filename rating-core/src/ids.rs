//! Small integers that stand for things named in the project's files, and the table that gives the names back.
//!
//! Ids are dense and given in a stated order (that of the sorted names, unless a module says otherwise), so that bytes
//! written from them depend on the project alone.

use std::fmt;
use std::hash::BuildHasher;

use foldhash::fast::FixedState;
use hashbrown::HashTable;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub u32);

        impl $name {
            /// The id as an index into the table it came from.
            #[must_use]
            #[inline]
            pub const fn index(self) -> usize {
                self.0 as usize
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "#{}"), self.0)
            }
        }
    )*};
}

ids! {
    /// A site of the operator.
    SiteId;
    /// A source of CDRs: one switch's files at one site.
    SourceId;
    /// Who pays: the operator is always number 0, then the occupiers in the order of their ids.
    PayerId;
    /// A tariff (all its dated versions together).
    TariffId;
    /// A destination, by its report name.
    DestinationId;
    /// A time band, by its name.
    BandId;
}

impl PayerId {
    /// The operator itself.
    pub const OPERATOR: Self = Self(0);
}

/// Why `id` cannot name a file or folder everywhere, or `None` if it can. Ids of payers and sites become names of
/// folders and files, on any system.
///
/// # Example
///
/// ```
/// use rating_core::ids::file_name_fault;
/// assert_eq!(file_name_fault("acme-2"), None);
/// assert_eq!(file_name_fault("a/b"), Some("may hold only the letters A to Z and a to z, digits, `.`, `_` and `-`"));
/// assert_eq!(file_name_fault(".hidden"), Some("must begin with a letter, a digit or `_`"));
/// ```
#[must_use]
pub fn file_name_fault(id: &str) -> Option<&'static str> {
    const LONGEST: usize = 64;
    if id.is_empty() {
        return Some("must not be empty");
    }
    if !id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-')) {
        return Some("may hold only the letters A to Z and a to z, digits, `.`, `_` and `-`");
    }
    if id.starts_with(['.', '-']) {
        return Some("must begin with a letter, a digit or `_`");
    }
    if id.ends_with('.') {
        return Some("must not end with a dot");
    }
    if id.len() > LONGEST {
        return Some("must not be longer than 64 characters");
    }
    // Windows keeps these names for devices, with any ending and in any case.
    let stem = id.split('.').next().unwrap_or(id).to_ascii_lowercase();
    let numbered =
        |device: &str| stem.strip_prefix(device).is_some_and(|rest| matches!(rest.as_bytes(), [b'1'..=b'9']));
    if matches!(stem.as_str(), "con" | "prn" | "aux" | "nul") || numbered("com") || numbered("lpt") {
        return Some("is a name that some systems keep for a device");
    }
    None
}

/// Names given dense ids in the order in which they are first seen.
///
/// # Example
///
/// ```
/// use rating_core::ids::Interner;
/// let mut names = Interner::default();
/// assert_eq!(names.intern("peak"), 0);
/// assert_eq!(names.intern("weekend"), 1);
/// assert_eq!(names.intern("peak"), 0);
/// assert_eq!(names.name(1), "weekend");
/// ```
#[derive(Clone, Debug, Default)]
pub struct Interner {
    names: Vec<Box<str>>,
    /// Ids by the hash of their names: only for look-ups, never walked, so no order of hashing shows anywhere.
    ids: HashTable<u32>,
}

/// The same in every run and on every machine.
const HASH: FixedState = FixedState::with_seed(0);

impl Interner {
    /// The id of `name`, new if the name is.
    pub fn intern(&mut self, name: &str) -> u32 {
        if let Some(id) = self.get(name) {
            return id;
        }
        let id = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        self.names.push(name.into());
        let Self { names, ids } = self;
        let hash_of = |id: &u32| HASH.hash_one(names.get(*id as usize).map_or("", |name| name));
        ids.insert_unique(HASH.hash_one(name), id, hash_of);
        id
    }

    /// The id of `name`, if it has one.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<u32> {
        self.ids.find(HASH.hash_one(name), |id| self.name(*id) == name).copied()
    }

    /// The name behind `id`; empty for an id that was never given.
    #[must_use]
    pub fn name(&self, id: u32) -> &str {
        self.names.get(id as usize).map_or("", |name| name)
    }

    /// How many names there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there are no names.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// The names in id order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(|name| &**name)
    }
}
