//! What the world's numbering plans say of a number: country, type and place, for reports and explanations.
//!
//! The table is compiled from libphonenumber's metadata (Apache-2.0; `rating-core/numbering/NOTICE`) by
//! `rating-core/numbering/rebuild.py`, which states the file's format. [`describe`] walks it digit by digit: no regular
//! expression, no allocation, no start-up cost, at most fifteen steps for the type and fifteen for the place.
//!
//! **The type never chooses a price.** It says what a regulator meant a range for, changes between releases of the
//! metadata (British 084 was shared cost and became premium rate), and knows nothing of a contract. What guards a price is
//! [`NumberClass`](super::NumberClass), which belongs to the dial plans of this library; what chooses it is the tariff.
//! A test of the layers holds that neither `tariff` nor `rating` names this module.

use std::fmt;

use super::{E164, MAX_DIGITS};

static TABLE: &[u8] = include_bytes!("../../numbering/table.bin");

/// Where things stand in the file; worked out, and so checked, when the crate is compiled.
const LAYOUT: Layout = Layout::of(TABLE);

struct Layout {
    release: (usize, usize),
    kinds: u32,
    places: u32,
    regions: usize,
    names: usize,
    text: usize,
    nodes: usize,
}

impl Layout {
    #[expect(clippy::panic, reason = "stops the compiler, not the program")]
    const fn of(table: &[u8]) -> Self {
        if !matches!(table, [b'R', b'N', b'U', b'M', 1, ..]) {
            panic!("numbering/table.bin is not of format 1");
        }
        let release = (6, 6 + table[5] as usize);
        let regions = release.1 + 10;
        let names = regions + 3 * (table[regions - 2] as usize | (table[regions - 1] as usize) << 8) + 4;
        let text = names + 3 * (long(table, names - 4) as usize + 1) + 4;
        let nodes = text + long(table, text - 4) as usize + 4;
        if nodes + long(table, nodes - 4) as usize != table.len() {
            panic!("numbering/table.bin does not end where it says");
        }
        Self { release, kinds: long(table, release.1), places: long(table, release.1 + 4), regions, names, text, nodes }
    }
}

const fn long(table: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([table[at], table[at + 1], table[at + 2], table[at + 3]])
}

/// What kind of line a number is, by its country's numbering plan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum NumberType {
    /// No number of the plan.
    #[default]
    Unknown,
    /// Fixed line.
    FixedLine,
    /// Mobile.
    Mobile,
    /// The plan does not tell fixed lines from mobiles (North America, Mexico).
    FixedLineOrMobile,
    /// Free to the caller.
    TollFree,
    /// Premium rate.
    PremiumRate,
    /// Shared cost.
    SharedCost,
    /// Personal number.
    Personal,
    /// Voice over IP, bound to no place.
    Voip,
    /// Pager.
    Pager,
    /// Universal access number of a company.
    Uan,
    /// Access to a mailbox.
    Voicemail,
}

impl NumberType {
    /// Every type, in the order of the file.
    pub const ALL: [Self; 12] = [
        Self::Unknown,
        Self::FixedLine,
        Self::Mobile,
        Self::FixedLineOrMobile,
        Self::TollFree,
        Self::PremiumRate,
        Self::SharedCost,
        Self::Personal,
        Self::Voip,
        Self::Pager,
        Self::Uan,
        Self::Voicemail,
    ];

    /// The name in files and reports. Stable.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::FixedLine => "fixed_line",
            Self::Mobile => "mobile",
            Self::FixedLineOrMobile => "fixed_line_or_mobile",
            Self::TollFree => "toll_free",
            Self::PremiumRate => "premium_rate",
            Self::SharedCost => "shared_cost",
            Self::Personal => "personal",
            Self::Voip => "voip",
            Self::Pager => "pager",
            Self::Uan => "uan",
            Self::Voicemail => "voicemail",
        }
    }

    /// The words for people: `fixed line`, `premium rate`.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Unknown => "no number of the numbering plan",
            Self::FixedLine => "fixed line",
            Self::Mobile => "mobile",
            Self::FixedLineOrMobile => "fixed line or mobile",
            Self::TollFree => "free to the caller",
            Self::PremiumRate => "premium rate",
            Self::SharedCost => "shared cost",
            Self::Personal => "personal number",
            Self::Voip => "voice over IP",
            Self::Pager => "pager",
            Self::Uan => "company number",
            Self::Voicemail => "voicemail",
        }
    }
}

/// What the numbering plans say of a number. For people to read; it never chooses a price (see [the module](self)).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Description {
    /// ISO 3166-1 code of the country or territory; `001` for codes shared by the whole world (+800, +870, +883). `None`
    /// if no country has the code, or several share it and none of them the number.
    pub region: Option<&'static str>,
    /// What kind of line.
    pub number_type: NumberType,
    /// The place in English, `London` or `Mountain View, CA`, for numbers that are bound to one. Where a plan knows no
    /// more than the country, `None` or the country's name.
    pub place: Option<&'static str>,
}

impl Description {
    /// Whether the plan has such a number. An invalid number may still be answered: plans change sooner than tables.
    #[must_use]
    pub const fn is_valid(&self) -> bool {
        !matches!(self.number_type, NumberType::Unknown)
    }
}

/// `GB, fixed line, London`
impl fmt::Display for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.region {
            None => f.write_str("no known country")?,
            Some("001") => f.write_str("shared code")?,
            Some(region) => f.write_str(region)?,
        }
        write!(f, ", {}", self.number_type.words())?;
        self.place.map_or(Ok(()), |place| write!(f, ", {place}"))
    }
}

/// The release of the metadata that the table was compiled from, such as `9.0.43`.
#[must_use]
pub fn release() -> &'static str {
    TABLE.get(LAYOUT.release.0..LAYOUT.release.1).and_then(|text| str::from_utf8(text).ok()).unwrap_or_default()
}

/// What the numbering plans say of a number. No allocation; the same answer for the same table, whatever the machine.
///
/// # Example
///
/// ```
/// use rating_core::number::E164;
/// use rating_core::number::numbering::{NumberType, describe};
///
/// let london = describe(E164::parse(b"+442079460958").unwrap());
/// assert_eq!((london.region, london.number_type, london.place), (Some("GB"), NumberType::FixedLine, Some("London")));
/// assert_eq!(london.to_string(), "GB, fixed line, London");
///
/// // A popular example of a British mobile belongs to Guernsey.
/// assert_eq!(describe(E164::parse(b"+447911123456").unwrap()).to_string(), "GG, mobile");
/// // One digit too many: no number of the plan, but the country is known by its code.
/// let long = describe(E164::parse(b"+34600123456789").unwrap());
/// assert!(!long.is_valid());
/// assert_eq!(long.region, Some("ES"));
/// ```
#[must_use]
pub fn describe(number: E164) -> Description {
    let mut buffer = [0; MAX_DIGITS];
    let digits = number.digits().write(&mut buffer);
    // Region, type, and whether a place means something: 32, 2 and 1 times.
    let kind = walk(LAYOUT.kinds, digits);
    let (region, number_type, has_place) = (kind / 32, kind / 2 % 16, kind % 2 == 1);
    Description {
        region: region_at(region),
        number_type: NumberType::ALL.get(number_type as usize).copied().unwrap_or_default(),
        place: if has_place { place_at(walk(LAYOUT.places, digits)) } else { None },
    }
}

/// The value that the tree below `target` has for `digits` (ASCII).
fn walk(mut target: u32, digits: &[u8]) -> u32 {
    const VALUE: u32 = 1 << 23;
    /// Which slot of a node stands for a number that ends there.
    const ENDS: usize = 10;
    let mut rest = digits.iter();
    while target & VALUE == 0 {
        let slot = rest.next().map_or(ENDS, |digit| usize::from(digit.wrapping_sub(b'0')));
        let at = LAYOUT.nodes + target as usize;
        let nibbles = TABLE.get(at + 1 + slot / 2).copied().unwrap_or_default();
        let which = usize::from(nibbles >> (slot % 2 * 4) & 15);
        target = medium(at + 7 + 3 * which);
        if slot == ENDS {
            break;
        }
    }
    target & (VALUE - 1)
}

/// The three bytes at `at`; beyond the file a value of nothing, so that a walk ends.
fn medium(at: usize) -> u32 {
    match TABLE.get(at..at + 3) {
        Some(&[low, middle, high]) => u32::from_le_bytes([low, middle, high, 0]),
        _ => 1 << 23,
    }
}

fn region_at(number: u32) -> Option<&'static str> {
    let at = LAYOUT.regions + 3 * (number as usize).checked_sub(1)?;
    let text = TABLE.get(at..at + 3).filter(|_| at + 3 <= LAYOUT.names)?;
    Some(str::from_utf8(text).ok()?.trim_ascii_end())
}

fn place_at(number: u32) -> Option<&'static str> {
    let at = LAYOUT.names + 3 * (number as usize).checked_sub(1)?;
    let (from, until) = (medium(at) as usize, medium(at + 3) as usize);
    str::from_utf8(TABLE.get(LAYOUT.text + from..LAYOUT.text + until)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn described(number: &str) -> String {
        describe(E164::parse(number.as_bytes()).unwrap()).to_string()
    }

    #[test]
    fn numbers_are_described_as_their_plans_have_them() {
        for (number, expected) in [
            ("+442079460958", "GB, fixed line, London"),
            ("+441534456789", "JE, fixed line, Jersey"),
            ("+447911123456", "GG, mobile"),
            ("+447624000000", "IM, mobile"),
            ("+448001111", "GB, free to the caller"),
            ("+449098790000", "GB, premium rate"),
            ("+12025550123", "US, fixed line or mobile, Washington D.C."),
            ("+16502530000", "US, fixed line or mobile, Mountain View, CA"),
            ("+14165550100", "CA, fixed line or mobile, Ontario"),
            ("+390669820000", "VA, fixed line, Vatican City"),
            ("+5491123456789", "AR, mobile, Buenos Aires"),
            ("+8613800138000", "CN, mobile, Beijing"),
            ("+80012345678", "shared code, free to the caller"),
            ("+870773111632", "shared code, mobile"),
            ("+9991234567", "no known country, no number of the numbering plan"),
            ("+12000000000", "no known country, no number of the numbering plan"),
        ] {
            assert_eq!(described(number), expected, "{number}");
        }
    }

    #[test]
    fn every_number_of_digits_gets_an_answer() {
        // Every first four digits, continued by the same digit to every length.
        for head in 1_000_u32..10_000 {
            for tail in 0..10_u8 {
                let mut text = head.to_string();
                while text.len() < MAX_DIGITS {
                    text.push(char::from(b'0' + tail));
                    let described = describe(E164::parse(text.as_bytes()).unwrap());
                    assert!(described.place.is_none_or(|place| !place.is_empty()), "{text}");
                    assert!(described.region.is_some() || !described.is_valid(), "{text}");
                }
            }
        }
    }

    #[test]
    fn the_notice_names_the_release() {
        let notice = include_str!("../../numbering/NOTICE");
        assert!(!release().is_empty() && notice.contains(&format!("release {},", release())), "{}", release());
        assert!(notice.contains("Apache License, Version 2.0"));
    }
}
