//! Names of report files: `YYYYMM_<site>_<report>[_<payer>].<format>`.

use std::fmt::Write;

use sha2::{Digest, Sha256};

use crate::time::Month;

/// The reports there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Report {
    /// Charges by occupier.
    CallCharges,
    /// Itemised calls.
    Itemised,
    /// Per-extension summary.
    ExtensionSummary,
    /// Destination analysis.
    Destinations,
    /// Exceptions.
    Exceptions,
    /// Allowances and volume tiers.
    Allowances,
    /// Bills: rounding and VAT.
    Bill,
    /// Contracted lines by day.
    Usage,
    /// Margin by destination.
    Margin,
}

impl Report {
    /// Every report.
    pub const ALL: [Self; 9] = [
        Self::CallCharges,
        Self::Itemised,
        Self::ExtensionSummary,
        Self::Destinations,
        Self::Exceptions,
        Self::Allowances,
        Self::Bill,
        Self::Usage,
        Self::Margin,
    ];

    /// The word in file names.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::CallCharges => "call-charges",
            Self::Itemised => "itemised",
            Self::ExtensionSummary => "extension-summary",
            Self::Destinations => "destinations",
            Self::Exceptions => "exceptions",
            Self::Allowances => "allowances",
            Self::Bill => "bill",
            Self::Usage => "usage",
            Self::Margin => "margin",
        }
    }
}

/// What a report covers, by the ids in the project.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope<'a> {
    /// All sites of the operator.
    AllSites,
    /// One site.
    Site(&'a str),
    /// One payer at one site.
    Payer {
        /// The site.
        site: &'a str,
        /// The payer.
        payer: &'a str,
    },
}

const ALL_SITES: &str = "all-sites";

/// The name of a report's file. `extension` is `csv`, `machine.csv`, `parquet`, ….
///
/// Two reports, scopes or months never have one name, not even where letter case is not told apart.
///
/// # Example
///
/// ```
/// use rating_core::report::{Report, Scope, file_name};
/// use rating_core::time::Month;
/// let month = Month::parse("2026-10").unwrap();
/// let acme = Scope::Payer { site: "london-1", payer: "acme" };
/// assert_eq!(file_name(month, acme, Report::Itemised, "csv"), "202610_london-1_itemised_acme.csv");
/// assert_eq!(file_name(month, Scope::AllSites, Report::CallCharges, "csv"), "202610_all-sites_call-charges.csv");
/// ```
#[must_use]
pub fn file_name(month: Month, scope: Scope<'_>, report: Report, extension: &str) -> String {
    let (month, report) = (month.compact(), report.name());
    match scope {
        Scope::AllSites => format!("{month}_{ALL_SITES}_{report}.{extension}"),
        Scope::Site(site) => format!("{month}_{}_{report}.{extension}", site_name(site)),
        Scope::Payer { site, payer } => {
            format!("{month}_{}_{report}_{}.{extension}", site_name(site), safe_name(payer))
        }
    }
}

fn site_name(id: &str) -> String {
    if id.eq_ignore_ascii_case(ALL_SITES) { format!("{}~", safe_name(id)) } else { safe_name(id) }
}

/// An id as part of a file or folder name: letters, digits, `-` and `~` only, at most 90 of them, different for different
/// ids even where letter case is not told apart.
///
/// Lower-case letters, digits and hyphens stand as they are. Any other byte becomes `~` and its two hexadecimal digits.
/// Capital letters stay, and `~~` with the pattern of capitals (a hexadecimal number, one bit per byte, the first lowest)
/// follows. What gets too long is cut, and `~~~` and 32 digits of the id's SHA-256 follow.
///
/// # Example
///
/// ```
/// use rating_core::report::safe_name;
/// assert_eq!(safe_name("acme-2"), "acme-2");
/// assert_eq!(safe_name("Acme & co"), "Acme~20~26~20co~~1");
/// assert_eq!(safe_name("../etc"), "~2e~2e~2fetc");
/// ```
#[must_use]
pub fn safe_name(id: &str) -> String {
    const LIMIT: usize = 80;
    let mut name = String::with_capacity(id.len());
    let mut capitals = Vec::new();
    for (at, byte) in id.bytes().enumerate() {
        match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'-' => name.push(char::from(byte)),
            b'A'..=b'Z' => {
                name.push(char::from(byte));
                capitals.resize(at / 4 + 1, 0_u8);
                capitals[at / 4] |= 1 << (at % 4);
            }
            // Writing to a String cannot fail.
            _ => {
                let _ = write!(name, "~{byte:02x}");
            }
        }
    }
    if !capitals.is_empty() {
        name.push_str("~~");
        name.extend(capitals.iter().rev().filter_map(|four| char::from_digit(u32::from(*four), 16)));
    }
    if name.is_empty() {
        name.push('~');
    }
    if name.len() > LIMIT {
        name.truncate(40);
        name.push_str("~~~");
        for byte in Sha256::digest(id.as_bytes()).iter().take(16) {
            let _ = write!(name, "{byte:02x}");
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn no_two_reports_share_a_name_even_without_letter_case() {
        let ids =
            ["a", "A", "a_b", "a-b", "a b", "ä", "all-sites", "All-Sites", "itemised", "a_itemised", "", "~", "~41"];
        let mut names = BTreeMap::new();
        for month in ["2026-10", "2026-11"] {
            let month = Month::parse(month).unwrap();
            for report in Report::ALL {
                let mut scopes = vec![Scope::AllSites];
                for site in ids {
                    scopes.push(Scope::Site(site));
                    scopes.extend(ids.map(|payer| Scope::Payer { site, payer }));
                }
                for scope in scopes {
                    let name = file_name(month, scope, report, "csv").to_lowercase();
                    assert!(name.starts_with(&month.compact()));
                    let other = names.insert(name.clone(), (month, scope, report));
                    assert_eq!(other, None, "{name}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn safe_names_are_safe_short_and_different(a in "\\PC{0,60}", b in "[aA~_/.]{0,8}", c in "[aA~_/.]{0,8}") {
            for id in [&a, &b, &c] {
                let name = safe_name(id);
                prop_assert!(name.len() <= 90 && !name.is_empty());
                prop_assert!(name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'~')));
            }
            prop_assert_eq!(b == c, safe_name(&b).eq_ignore_ascii_case(&safe_name(&c)));
        }
    }
}
