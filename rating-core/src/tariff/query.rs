//! What a tariff is asked about a call, and what it answers.

use crate::number::{Digits, Direction, E164, NumberClass};

/// Who is called, as far as a tariff cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Called {
    /// An international number, its class by the numbering plan, and how many of its digits establish that class.
    Number(E164, NumberClass, u8),
    /// A short code, its class, and how many digits establish it.
    ShortCode(Digits, NumberClass, u8),
    /// Someone inside the site.
    Internal,
}

impl Called {
    /// The class of the number, and its digits; nothing for calls inside the site.
    pub(super) const fn number(self) -> Option<(Digits, NumberClass)> {
        match self {
            Self::Number(number, class, _) => Some((number.digits(), class)),
            Self::ShortCode(code, class, _) => Some((code, class)),
            Self::Internal => None,
        }
    }
}

/// Who calls, as far as the origin of a call decides its price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Caller {
    /// An international number whose country code is in use.
    Number(E164),
    /// No number: withheld, not recorded, or somebody inside who has none.
    Missing,
    /// Something that is no number: fewer than 5 or more than 15 digits, or no known country code.
    Invalid,
}

impl Caller {
    /// A caller of that number; [`Caller::Invalid`] if no country has its code.
    ///
    /// # Example
    ///
    /// ```
    /// use rating_core::number::E164;
    /// use rating_core::tariff::Caller;
    /// let number = |text: &[u8]| Caller::of(E164::parse(text).unwrap());
    /// assert!(matches!(number(b"+442079460958"), Caller::Number(_)));
    /// assert_eq!(number(b"+2101234567"), Caller::Invalid); // 210 is spare
    /// ```
    #[must_use]
    #[inline]
    pub fn of(number: E164) -> Self {
        if super::origin::has_country_code(number) { Self::Number(number) } else { Self::Invalid }
    }

    /// The number, if that is what it is.
    #[must_use]
    pub const fn number(self) -> Option<E164> {
        match self {
            Self::Number(number) => Some(number),
            Self::Missing | Self::Invalid => None,
        }
    }
}

/// What kind of line a call comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CallerType {
    /// A number that is neither of the others.
    Fixed,
    /// A mobile number.
    Mobile,
    /// A payphone; only a record that says so makes one.
    Payphone,
}

impl CallerType {
    /// Every type.
    pub const ALL: [Self; 3] = [Self::Fixed, Self::Mobile, Self::Payphone];

    /// The name that decks use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fixed => "fixed",
            Self::Mobile => "mobile",
            Self::Payphone => "payphone",
        }
    }
}

/// What a tariff is asked about a call.
///
/// # Example
///
/// ```
/// use rating_core::number::{Direction, E164, NumberClass};
/// use rating_core::tariff::{Called, Caller, Query};
/// let number = |text: &[u8]| E164::parse(text).unwrap();
/// let query = Query {
///     caller: Caller::of(number(b"+442079460958")),
///     ..Query::new(Called::Number(number(b"+33199001234"), NumberClass::Geographic, 3))
/// };
/// assert_eq!(query.direction, Direction::Outbound);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Query<'a> {
    /// Who is called; for calls from the outside the own number that was called.
    pub called: Called,
    /// Which way it goes. Calls from the outside are priced by rows of the direction `in`, all others by the rest.
    pub direction: Direction,
    /// Who calls, as the call shows it.
    pub caller: Caller,
    /// Who calls, by the line: the number that its holder held.
    pub network_caller: Caller,
    /// What kind of line calls; `None` if no number is known.
    pub caller_type: Option<CallerType>,
    /// What the trunk is called; empty texts say nothing.
    pub trunks: [&'a [u8]; 2],
    /// The codes that were dialled to reach a line or a carrier; empty ones say nothing.
    pub access: [Digits; 2],
    /// The charge code that the record carries; empty for none.
    pub charge_code: &'a [u8],
}

impl<'a> Query<'a> {
    /// A call to the outside of which nothing else is known.
    #[must_use]
    pub const fn new(called: Called) -> Self {
        Self {
            called,
            direction: Direction::Outbound,
            caller: Caller::Missing,
            network_caller: Caller::Missing,
            caller_type: None,
            trunks: [b""; 2],
            access: [Digits::EMPTY; 2],
            charge_code: b"",
        }
    }
}

/// What the rows of a version say about a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Match {
    /// This row prices it.
    Row(u32),
    /// This row says that the destination is not offered. It is not zero, and no shorter prefix is asked.
    Blocked(u32),
    /// This row lists the destination without a price. It is not zero, and no shorter prefix is asked.
    Unknown(u32),
    /// Only this row matches, and it is too short to price a number of a protected class.
    Protected(u32),
    /// No row matches.
    NotFound,
}
