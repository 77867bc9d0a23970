//! What a row of a deck is found by.

use std::fmt;

use crate::number::{Digits, E164, NumberClass};

/// What a row of a deck is found by. `C` is how a charge code is held: its text, in what the library shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum DestinationKey<C> {
    /// Calls whose record carries this charge code; wins over every number.
    Code(C),
    /// Numbers that begin with these digits, country code first. The longest one wins.
    Prefix(Digits),
    /// This number alone; wins over every prefix.
    Number(E164),
    /// This short code alone; wins over every short prefix.
    ShortCode(Digits),
    /// Short codes that begin with these digits. The longest one wins.
    ShortPrefix(Digits),
    /// Every number and short code of that class; asked after every prefix.
    Class(NumberClass),
    /// Every number, but no short code; asked last.
    Any,
    /// Calls inside the site.
    Internal,
}

impl<C> DestinationKey<C> {
    /// The same key with its charge code held in another way.
    pub(super) fn map_code<D>(self, hold: impl FnOnce(C) -> D) -> DestinationKey<D> {
        match self {
            Self::Code(code) => DestinationKey::Code(hold(code)),
            Self::Prefix(digits) => DestinationKey::Prefix(digits),
            Self::Number(number) => DestinationKey::Number(number),
            Self::ShortCode(digits) => DestinationKey::ShortCode(digits),
            Self::ShortPrefix(digits) => DestinationKey::ShortPrefix(digits),
            Self::Class(class) => DestinationKey::Class(class),
            Self::Any => DestinationKey::Any,
            Self::Internal => DestinationKey::Internal,
        }
    }
}

impl<C: fmt::Display> fmt::Display for DestinationKey<C> {
    /// As decks write it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "code:{code}"),
            Self::Prefix(digits) => write!(f, "{digits}"),
            Self::Number(number) => write!(f, "number:{number}"),
            Self::ShortCode(digits) => write!(f, "short:{digits}"),
            Self::ShortPrefix(digits) => write!(f, "short:{digits}*"),
            Self::Class(class) => write!(f, "class:{}", class.name()),
            Self::Any => f.write_str("*"),
            Self::Internal => f.write_str("internal"),
        }
    }
}
