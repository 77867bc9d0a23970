//! Numbering and dialling plans: dialled digits to parties, and numbers to classes.
//!
//! A country's plan is data ([`Countries`], TOML files beside this module). A site's [`DialPlan`] is compiled from its
//! country's plan and its own settings ([`SitePlan`]): flat trees of digits and lists of a few short texts, so that
//! normalising allocates nothing.
//!
//! # The order
//!
//! [`DialPlan::normalise`] reads what was keyed in this order; the first reading that fits wins.
//!
//! 1. Text that is no number: empty and `NULL` ([`Missing`](Party::Missing)), `anonymous`, `restricted`, `unknown` …
//!    ([`Withheld`](Party::Withheld)), `s`, `i`, `h`, `t` and application names ([`Feature`](Party::Feature)), letters
//!    ([`Name`](Party::Name)). Of `"Name" <sip:number@host;…>`, `tel:number;…` and `number@host` only the number counts.
//! 2. Blanks, dots, hyphens, slashes and parentheses go; so does a closing `#`, and pauses (`,` `w` `p`) with what follows.
//! 3. **Emergency numbers** of the country, and 112 everywhere; alone and after an outside-line code (`9999`, `9112`,
//!    `9911`). They win over extensions of the same digits; [`DialPlan::conflicts`] lists those. `911` is an emergency
//!    number where the country says so, and never read as 9 for a line and `11`; elsewhere it is no number at all.
//! 4. **Extensions**: the length decides, so extensions may begin with the outside-line code.
//! 5. **Outside-line code**, if what follows it can be read; else, or if what follows has too many or too few digits for its
//!    country and the whole has not, the digits are read as if it had not been recorded, because many records lack it. (Where code and national prefix are both 0, as in Germany, `0033…` can be read both
//!    ways and the code wins; a site whose switch never records the code should not name it.)
//! 6. **Service prefixes** that keep the destination (British 141, 1470, 18001, 18002; American `*67`; German 010xx), if
//!    what follows can be read. What else begins with `*` or `#` is a feature.
//! 7. `+` or an **international prefix**, which in some countries chooses the carrier too. After `+` a second international prefix goes (`+0044…`), and so does the
//!    national zero after the country code (`+44 (0)20`, `+44020`), except where it belongs to the number (Italy).
//! 8. The **national prefix**, if the length fits; numbers of countries without one.
//! 9. **Short codes.**
//! 10. **Local numbers**: the site's area code goes before, if lengths and first digit fit.
//! 11. **Bare** numbers of a switch that strips prefixes: `2079460958` and `442079460958` in Britain. Only where the
//!     plan's lengths are fixed, and only if exactly one reading fits.
//! 12. Everything else, more than fifteen digits, digits of other scripts and what a spreadsheet left of a number
//!     (`4.47912E+11`) is [`Unclassified`](Party::Unclassified): reported, never priced.

mod countries;
mod leads;
mod prefix_tree;
mod written;

#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use countries::Countries;
use countries::{Infix, Replacement, Row, Rules};
use leads::{Lead, Leads};
use prefix_tree::{Lengths, PrefixTree};
use written::{Keyed, Written};

use crate::number::{Digits, E164, MAX_DIGITS, NumberClass, Party};

/// What a text stands for; decides which readings are tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Keyed by somebody of the site: every reading.
    Dialled,
    /// Sent out to a carrier by the switch (CUCM `outpulsedCalledPartyNumber`): no extension, no outside-line code.
    Sent,
    /// Delivered by a carrier, or reached inside the site: no emergency number, no outside-line code, no local number.
    Delivered,
    /// The number of a caller outside: national and international forms only, also bare ones of other countries.
    CallingOutside,
    /// The number of a caller inside: an extension first, then as for a caller outside. Where the site names no
    /// extension ranges, two to six digits are an extension.
    CallingInside,
}

/// Extensions from one to another, both included, equally long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ExtensionRange {
    /// The first.
    pub from: Digits,
    /// The last.
    pub to: Digits,
}

impl ExtensionRange {
    /// Whether `digits` is one of them. `0200` is not in 100–300: the length decides.
    #[must_use]
    #[inline]
    pub const fn contains(self, digits: Digits) -> bool {
        digits.len() == self.from.len() && self.from.value() <= digits.value() && digits.value() <= self.to.value()
    }
}

/// How a site dials: its country's plan and what is its own.
#[derive(Clone, Debug)]
pub struct SitePlan {
    /// ISO 3166-1: `GB`.
    pub country: String,
    /// The area code without national prefix (`20` for London, `06` for Rome), for local numbers.
    pub area_code: Option<Digits>,
    /// Trunk access codes, such as 9, if the switch records them.
    pub outside_line: Vec<Digits>,
    /// The site's extensions.
    pub extensions: Vec<ExtensionRange>,
}

/// Why a site's plan cannot be compiled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SitePlanError {
    /// No plan has that country.
    #[error("no dial plan for country `{0}`")]
    UnknownCountry(String),
    /// An extension range whose ends are empty, differ in length, or stand in the wrong order.
    #[error("extension range {from}-{to}: both ends must be equally long, the lower first")]
    ExtensionRange {
        /// Its first extension.
        from: Digits,
        /// Its last.
        to: Digits,
    },
    /// An outside-line code without digits.
    #[error("an outside-line code needs digits")]
    EmptyOutsideLine,
}

impl SitePlanError {
    /// Stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::UnknownCountry(_) => "dial_plan.unknown_country",
            Self::ExtensionRange { .. } => "dial_plan.extension_range",
            Self::EmptyOutsideLine => "dial_plan.empty_outside_line",
        }
    }
}

/// Extensions that are something else when dialled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// The range that holds them.
    pub range: ExtensionRange,
    /// The digits that have two meanings; for short codes with a free tail, those they begin with.
    pub digits: Digits,
    /// Which meaning wins when they are dialled.
    pub winner: Winner,
}

/// Which of two meanings wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Winner {
    /// The emergency number: nobody can call the extension.
    Emergency,
    /// The extension: nobody can call the short code without an outside-line code.
    Extension,
}

/// A country whose numbers can be recognised: what is needed to read a number with its country code.
#[derive(Clone, Debug)]
struct Destination {
    code: Box<[u8]>,
    /// Whether a zero after the country code is a slip: the national prefix is 0 and no number begins with it.
    drops_zero: bool,
    bare_international: bool,
    shape: Box<[u8]>,
    lengths: PrefixTree<()>,
    unassigned: Box<[Vec<u8>]>,
    dropped: Box<[(Vec<u8>, Lengths)]>,
    infix: Option<Infix>,
}

impl Destination {
    fn of(rules: &Rules) -> Self {
        Self {
            code: rules.country_code.clone().into(),
            drops_zero: !rules.keeps_zero,
            bare_international: rules.bare_international,
            shape: rules.shape.clone().into(),
            lengths: PrefixTree::build(rules.lengths.iter().cloned()),
            unassigned: rules.unassigned.clone().into(),
            dropped: rules.dropped.clone().into(),
            infix: rules.infix.clone(),
        }
    }

    /// The number that people mean by digits that are none: with a digit that is no longer part of it, or a mobile as it
    /// is dialled inside the country.
    fn meant(&self, written: &[u8]) -> Option<E164> {
        let dropped = |(prefix, lengths): &(Vec<u8>, Lengths)| {
            let rest = written.strip_prefix(&**prefix).filter(|_| lengths.contains(written.len()))?;
            if self.fits(rest) { joined(&self.code, rest) } else { None }
        };
        if let Some(number) = self.dropped.iter().find_map(dropped) {
            return Some(number);
        }
        let areas = self.infix.iter().flat_map(|infix| &infix.areas);
        areas
            .filter_map(|area| Some((area, written.strip_prefix(&**area)?)))
            .find_map(|(area, rest)| self.mobile(area, rest))
    }

    /// The mobile in `area` that is dialled as `rest` there, infix first.
    fn mobile(&self, area: &[u8], rest: &[u8]) -> Option<E164> {
        let infix = self.infix.as_ref()?;
        let rest = rest.strip_prefix(&*infix.digits)?;
        let (mut head, mut whole) = ([0; MAX_DIGITS], [0; MAX_DIGITS]);
        let national = join(&mut whole, join(&mut head, &infix.becomes, area)?, rest)?;
        if self.fits(national) { joined(&self.code, national) } else { None }
    }

    /// Whether `number` is a national significant number by length and shape.
    fn fits(&self, number: &[u8]) -> bool {
        self.lengths.lengths(number).contains(number.len())
            && (self.shape.len() != number.len()
                || self.shape.iter().zip(number).all(|(sign, digit)| *sign == b'x' || *digit >= b'2'))
    }
}

/// A site's dial plan, compiled.
///
/// # Example: London, 9 for an outside line, extensions 2000 to 2999
///
/// ```
/// use rating_core::mediation::dial_plan::{Countries, DialPlan, ExtensionRange, Role, SitePlan};
/// use rating_core::number::{Digits, E164, NumberClass, Party};
///
/// let digits = |text: &str| Digits::parse(text.as_bytes()).unwrap();
/// let site = SitePlan {
///     country: "GB".to_owned(),
///     area_code: Some(digits("20")),
///     outside_line: vec![digits("9")],
///     extensions: vec![ExtensionRange { from: digits("2000"), to: digits("2999") }],
/// };
/// let plan = DialPlan::compile(&site, &Countries::embedded()).unwrap();
///
/// let number = E164::parse(b"+442079460958").unwrap();
/// for dialled in ["9 020 7946 0958", "979460958", "900442079460958", "+44 (0)20 7946 0958"] {
///     assert_eq!(plan.normalise(dialled.as_bytes(), Role::Dialled), Party::Number(number));
/// }
/// assert_eq!(plan.normalise(b"2214", Role::Dialled), Party::Extension(digits("2214")));
/// assert_eq!(plan.normalise(b"9999", Role::Dialled), Party::Emergency(digits("999")));
/// assert_eq!(plan.normalise(b"12", Role::Dialled), Party::Unclassified(b"12"));
///
/// let premium = plan.normalise(b"909098790000", Role::Dialled);
/// assert_eq!(plan.class_of(premium), (NumberClass::Premium, 3)); // +44 9
/// ```
#[derive(Clone, Debug)]
pub struct DialPlan {
    rules: Arc<Rules>,
    own: Destination,
    area_code: Box<[u8]>,
    outside_line: Vec<Box<[u8]>>,
    extensions: Vec<ExtensionRange>,
    emergency: Vec<Digits>,
    short_codes: PrefixTree<NumberClass>,
    elsewhere: PrefixTree<Replacement>,
    classes: PrefixTree<NumberClass>,
    countries: PrefixTree<u16>,
    country_ids: Vec<Box<str>>,
    destinations: Vec<Destination>,
    destination_codes: PrefixTree<u16>,
    leads: Leads,
    /// The country code.
    code: Digits,
    /// See [`DialPlan::with_lost_zero`].
    zero_lost: bool,
}

/// The codes that were dialled before a number and are no part of it; empty where there are none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccessCodes {
    /// The outside-line code.
    pub line: Digits,
    /// The service prefix that stood next to the number, such as that of a carrier (German 010xx), or the international or
    /// national prefix where that chooses the carrier (Brazilian 0015, Hong Kong's 0060).
    pub carrier: Digits,
}

impl Default for AccessCodes {
    fn default() -> Self {
        Self { line: Digits::EMPTY, carrier: Digits::EMPTY }
    }
}

/// Which readings a role allows.
#[derive(Clone, Copy)]
struct Readings {
    emergency: bool,
    extension: bool,
    outside_line: bool,
    short_code: bool,
    local: bool,
    bare: bool,
    foreign: bool,
}

impl Readings {
    const fn of(role: Role) -> Self {
        let none = Self {
            emergency: false,
            extension: false,
            outside_line: false,
            short_code: false,
            local: false,
            bare: true,
            foreign: false,
        };
        match role {
            Role::Dialled => Self {
                emergency: true,
                extension: true,
                outside_line: true,
                short_code: true,
                local: true,
                bare: true,
                foreign: false,
            },
            Role::Sent => Self { emergency: true, short_code: true, local: true, ..none },
            Role::Delivered => Self { extension: true, ..none },
            Role::CallingOutside => Self { foreign: true, ..none },
            Role::CallingInside => Self { extension: true, foreign: true, ..none },
        }
    }
}

/// Digits on their way through the plan, and where among them a zero stood in parentheses.
#[derive(Clone, Copy)]
struct View<'k> {
    digits: &'k [u8],
    zero: Option<usize>,
}

impl<'k> View<'k> {
    fn strip(self, count: usize) -> Self {
        Self {
            digits: self.digits.get(count..).unwrap_or_default(),
            zero: self.zero.and_then(|zero| zero.checked_sub(count)),
        }
    }

    fn strip_prefix(self, prefix: &[u8]) -> Option<Self> {
        (!prefix.is_empty() && self.digits.starts_with(prefix)).then(|| self.strip(prefix.len()))
    }
}

impl DialPlan {
    /// The most service prefixes taken off one number.
    const MOST_SERVICE_PREFIXES: u8 = 2;

    /// Compiles the plan of a site.
    ///
    /// # Errors
    ///
    /// Returns why not if the country has no plan or a setting makes no sense.
    pub fn compile(site: &SitePlan, countries: &Countries) -> Result<Self, SitePlanError> {
        let country = countries
            .countries
            .get(site.country.as_str())
            .ok_or_else(|| SitePlanError::UnknownCountry(site.country.clone()))?;
        for range in &site.extensions {
            if range.from.is_empty() || range.from.len() != range.to.len() || range.from.value() > range.to.value() {
                return Err(SitePlanError::ExtensionRange { from: range.from, to: range.to });
            }
        }
        if site.outside_line.iter().any(|code| code.is_empty()) {
            return Err(SitePlanError::EmptyOutsideLine);
        }
        let rules = Arc::clone(&country.rules);
        let mut outside_line: Vec<Box<[u8]>> =
            site.outside_line.iter().map(|code| code.to_string().into_bytes().into()).collect();
        outside_line.sort_by_key(|code| std::cmp::Reverse(code.len()));
        let mut emergency: Vec<Digits> = rules.emergency.iter().filter_map(|text| Digits::parse(text)).collect();
        emergency.extend(Digits::parse(b"112").filter(|everywhere| !emergency.contains(everywhere)));

        let mut destinations: Vec<Destination> = Vec::new();
        let mut codes: Vec<Row<u16>> = Vec::new();
        let mut areas: Vec<Row<u16>> = Vec::new();
        let mut country_ids = Vec::new();
        for (index, country) in (0_u16..).zip(countries.countries.values()) {
            areas.extend(country.areas.iter().map(|area| (area.clone(), Lengths::ANY, index)));
            country_ids.push(country.id.clone());
            let code = &country.rules.country_code;
            if let (false, Ok(index)) =
                (destinations.iter().any(|known| *known.code == **code), u16::try_from(destinations.len()))
            {
                codes.push((code.clone(), Lengths::ANY, index));
                destinations.push(Destination::of(&country.rules));
            }
        }
        Ok(Self {
            own: Destination {
                lengths: PrefixTree::build(rules.lengths.iter().cloned()).with_heads(),
                ..Destination::of(&rules)
            },
            area_code: site.area_code.unwrap_or(Digits::EMPTY).to_string().into_bytes().into(),
            extensions: site.extensions.clone(),
            short_codes: PrefixTree::build(rules.short_codes.iter().cloned()),
            elsewhere: PrefixTree::build(rules.elsewhere.iter().cloned()),
            classes: PrefixTree::build(countries.ranges.iter().cloned()).with_heads(),
            countries: PrefixTree::build(areas),
            country_ids,
            destinations,
            destination_codes: PrefixTree::build(codes).with_heads(),
            leads: Leads::compile(&rules, &outside_line, &emergency, &site.extensions),
            code: Digits::parse(&rules.country_code).unwrap_or(Digits::EMPTY),
            outside_line,
            emergency,
            zero_lost: false,
            rules,
        })
    }

    /// Who or what a text stands for, read as [the module](self) states. Never fails: what cannot be read is
    /// [`Party::Unclassified`] and keeps its text.
    #[must_use]
    #[inline]
    pub fn normalise<'a>(&self, text: &'a [u8], role: Role) -> Party<'a> {
        self.normalise_with_access(text, role).0
    }

    /// As [`DialPlan::normalise`], and which codes were taken off: the way out of the house, and the way that the call
    /// takes from there.
    #[must_use]
    pub fn normalise_with_access<'a>(&self, text: &'a [u8], role: Role) -> (Party<'a>, AccessCodes) {
        let text = text.trim_ascii();
        if let Some(number) = self.prefixed(text, role) {
            return (Party::Number(number), AccessCodes::default());
        }
        self.read(text, role)
    }

    /// What all readings come to but for [`DialPlan::prefixed`], which is one of them.
    fn read<'a>(&self, text: &'a [u8], role: Role) -> (Party<'a>, AccessCodes) {
        let party = match written::read(text) {
            Written::Missing => Party::Missing,
            Written::Withheld => Party::Withheld,
            Written::Feature(text) => Party::Feature(text),
            Written::Name(text) => Party::Name(text),
            Written::Unreadable => Party::Unclassified(text),
            Written::Keyed(keyed) => {
                if let Some(found) = self.keyed(&keyed, role) {
                    return found;
                }
                let feature = matches!(keyed.symbols(), [b'*' | b'#', ..]);
                if feature { Party::Feature(text) } else { Party::Unclassified(text) }
            }
        };
        (party, AccessCodes::default())
    }

    /// A number with a prefix that tells what the rest is, written as digits alone: nearly every one.
    #[inline]
    fn prefixed(&self, text: &[u8], role: Role) -> Option<E164> {
        let lead = self.leads.of(text, role);
        if lead == Lead::Unclear {
            return None;
        }
        let digits = Digits::parse(text)?;
        match lead {
            Lead::Unclear => None,
            Lead::National(count) => {
                let fits = self.own.fits(text.get(count..)?);
                E164::new(self.code.concat(digits.strip(count))?).filter(|_| fits)
            }
            Lead::International(count) => self.international(View { digits: text.get(count..)?, zero: None }),
        }
    }

    /// The class of a party and how many of its digits (country code included) establish it; 0 digits where none do.
    #[must_use]
    pub fn class_of(&self, party: Party<'_>) -> (NumberClass, u8) {
        let mut buffer = [0; MAX_DIGITS];
        let found = match party {
            Party::Number(number) => self.classes.longest(number.digits().write(&mut buffer)),
            Party::ShortCode(digits) => {
                return self
                    .short_codes
                    .longest(digits.write(&mut buffer))
                    .map_or((NumberClass::ShortCode, short(digits.len())), |(class, len)| (class, short(len)));
            }
            Party::Emergency(digits) => return (NumberClass::Emergency, short(digits.len())),
            Party::Extension(_) => return (NumberClass::Internal, 0),
            _ => None,
        };
        found.map_or((NumberClass::Ordinary, 0), |(class, len)| (class, short(len)))
    }

    /// The country (ISO 3166-1) that a number belongs to, if one of the known plans says so: countries that share a
    /// country code are told apart by their area codes.
    #[must_use]
    pub fn country_of(&self, number: E164) -> Option<&str> {
        let mut buffer = [0; MAX_DIGITS];
        let (index, _) = self.countries.longest(number.digits().write(&mut buffer))?;
        self.country_ids.get(usize::from(index)).map(|id| &**id)
    }

    /// The extension that `text` is, if it is digits only and in one of the site's ranges; without ranges, any two to
    /// six digits.
    #[must_use]
    pub fn extension_of(&self, text: &[u8]) -> Option<Digits> {
        let digits = Digits::parse(text)?;
        let plausible = self.extensions.is_empty() && (2..=6).contains(&digits.len());
        (plausible || self.is_extension(digits)).then_some(digits)
    }

    /// Whether the site names its extension ranges.
    #[must_use]
    pub const fn knows_extensions(&self) -> bool {
        !self.extensions.is_empty()
    }

    /// Extensions that cannot be called, or that keep somebody from calling something else: those equal to an emergency
    /// number (alone or after an outside-line code) or to a short code. In the order of the ranges.
    #[must_use]
    pub fn conflicts(&self) -> Vec<Conflict> {
        let mut found = Vec::new();
        for range in &self.extensions {
            for emergency in &self.emergency {
                let codes = self.outside_line.iter().filter_map(|code| Digits::parse(code)?.concat(*emergency));
                for digits in std::iter::once(*emergency).chain(codes) {
                    if range.contains(digits) {
                        found.push(Conflict { range: *range, digits, winner: Winner::Emergency });
                    }
                }
            }
            for (prefix, lengths, _) in &self.rules.short_codes {
                let Some(digits) = Digits::parse(prefix) else { continue };
                let len = range.from.len();
                let meets = range.from.prefix(digits.len()) <= digits && digits <= range.to.prefix(digits.len());
                if lengths.contains(len) && digits.len() <= len && meets {
                    found.push(Conflict { range: *range, digits, winner: Winner::Extension });
                }
            }
        }
        found
    }

    /// The plan for a source whose numbers lost the national prefix 0 to a spreadsheet: digits that are a national number but
    /// for it are one, before they are read as a short code, a local number or one with its country code.
    #[must_use]
    pub fn with_lost_zero(self) -> Self {
        Self { zero_lost: true, ..self }
    }

    /// The number behind a national prefix 0 that was lost.
    fn without_zero(&self, view: View<'_>) -> Option<E164> {
        let is_lost = self.zero_lost && self.rules.national.iter().any(|prefix| prefix.as_slice() == b"0");
        let fits = is_lost && view.digits.first() != Some(&b'0') && self.own.fits(view.digits);
        if fits { self.number(view.digits) } else { None }
    }

    fn is_extension(&self, digits: Digits) -> bool {
        self.extensions.iter().any(|range| range.contains(digits))
    }

    fn keyed(&self, keyed: &Keyed, role: Role) -> Option<(Party<'static>, AccessCodes)> {
        let plainly = |party| (party, AccessCodes::default());
        let view = View { digits: keyed.symbols(), zero: keyed.zero };
        let readings = Readings::of(role);
        let Some(plus) = keyed.plus else {
            if role == Role::CallingInside
                && let Some(digits) = self.extension_of(view.digits)
            {
                return Some(plainly(Party::Extension(digits)));
            }
            return self.dialled(view, readings);
        };
        // Before a `+` only what leads to it may stand.
        let before = view.digits.get(..plus).unwrap_or_default();
        let leads = before.is_empty()
            || self.outside_line.iter().any(|code| **code == *before)
            || self.international_prefixes().any(|prefix| *prefix == before)
            || self.service_prefix(before).is_some_and(|len| len == before.len());
        if !leads {
            return None;
        }
        let mut number = view.strip(plus);
        while let Some(rest) = self.international_prefixes().find_map(|prefix| number.strip_prefix(prefix)) {
            // Only a prefix that begins with 0 can be one too many: no country code does.
            if number.digits.first() != Some(&b'0') {
                break;
            }
            number = rest;
        }
        self.international(number).map(Party::Number).map(plainly)
    }

    /// Steps 3 to 5.
    fn dialled(&self, view: View<'_>, readings: Readings) -> Option<(Party<'static>, AccessCodes)> {
        if readings.emergency {
            let after_code = self.outside_line.iter().filter_map(|code| view.strip_prefix(code));
            if let Some(emergency) = std::iter::once(view).chain(after_code).find_map(|view| self.emergency(view)) {
                return Some((emergency, AccessCodes::default()));
            }
        }
        if readings.extension
            && let Some(digits) = Digits::parse(view.digits).filter(|digits| self.is_extension(*digits))
        {
            return Some((Party::Extension(digits), AccessCodes::default()));
        }
        let mut readings = readings;
        if readings.outside_line {
            for (code, rest) in self.outside_line.iter().filter_map(|code| Some((code, view.strip_prefix(code)?))) {
                if let Some((party, carrier)) = self.public(rest, readings, Self::MOST_SERVICE_PREFIXES) {
                    // 9 00 1234567 is no American number, but 900 1234567 is a Mexican one without an outside line.
                    if !self.is_sound(party)
                        && let Some((whole, carrier)) =
                            self.public(view, Readings { bare: false, ..readings }, Self::MOST_SERVICE_PREFIXES)
                        && self.is_sound(whole)
                    {
                        return Some((whole, AccessCodes { line: Digits::EMPTY, carrier }));
                    }
                    return Some((party, AccessCodes { line: Digits::parse(code).unwrap_or(Digits::EMPTY), carrier }));
                }
                // 9 012345678 is an outside line and too few digits, not the bare premium number 09012345678.
                readings.bare = false;
            }
        }
        let (party, carrier) = self.public(view, readings, Self::MOST_SERVICE_PREFIXES)?;
        Some((party, AccessCodes { line: Digits::EMPTY, carrier }))
    }

    /// Whether a number has a length of its country's plan; where the plan is not known, the fewest digits that a country
    /// has (eight: +290 22222).
    fn is_sound(&self, party: Party<'_>) -> bool {
        const FEWEST: usize = 8;
        let Some(number) = party.e164() else { return true };
        let mut buffer = [0; MAX_DIGITS];
        let digits = number.digits().write(&mut buffer);
        match self.destination(digits) {
            Some(destination) => {
                digits.strip_prefix(&*destination.code).is_some_and(|national| destination.fits(national))
            }
            None => digits.len() >= FEWEST,
        }
    }

    fn emergency(&self, view: View<'_>) -> Option<Party<'static>> {
        let digits = Digits::parse(view.digits)?;
        self.emergency.contains(&digits).then_some(Party::Emergency(digits))
    }

    /// Steps 6 to 11: digits as the public network would take them, and the service prefix next to them, if it has digits
    /// alone.
    fn public(&self, view: View<'_>, readings: Readings, service_prefixes: u8) -> Option<(Party<'static>, Digits)> {
        let plainly = |party| (party, Digits::EMPTY);
        if readings.emergency
            && let Some(emergency) = self.emergency(view)
        {
            return Some(plainly(emergency));
        }
        if service_prefixes > 0
            && let Some(len) = self.service_prefix(view.digits)
        {
            let rest = view.strip(len);
            let after_code = self.outside_line.iter().filter(|_| readings.outside_line);
            let after_code = after_code.filter_map(|code| rest.strip_prefix(code));
            let found = std::iter::once(rest)
                .chain(after_code)
                .find_map(|rest| self.public(rest, readings, service_prefixes - 1));
            if let Some((party, nearer)) = found {
                let own = view.digits.get(..len).and_then(Digits::parse).unwrap_or(Digits::EMPTY);
                return Some((party, if nearer.is_empty() { own } else { nearer }));
            }
        }
        if !view.digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        // The longest prefix that is there decides: what is no number after 011 is none after 01 either.
        let international = || {
            let carriers = self.rules.carrier_international.iter().map(|prefix| (prefix, Some(&**prefix)));
            let plain = self.rules.international.iter().map(|prefix| (prefix, None));
            let found =
                carriers.chain(plain).filter_map(|(prefix, carrier)| Some((view.strip_prefix(prefix)?, carrier)));
            let (rest, carrier) = found.min_by_key(|(rest, _)| rest.digits.len())?;
            Some((self.international(rest)?, carrier))
        };
        let lost = || Some((self.without_zero(view)?, None));
        if let Some((number, carrier)) = international().or_else(|| self.national(view)).or_else(lost) {
            return Some((Party::Number(number), carrier.and_then(Digits::parse).unwrap_or(Digits::EMPTY)));
        }
        if readings.short_code && self.short_codes.longest(view.digits).is_some() {
            return Digits::parse(view.digits).map(Party::ShortCode).map(plainly);
        }
        let local = || if readings.local { self.local(view) } else { None };
        let bare = || if readings.bare { self.bare(view, readings.foreign) } else { None };
        local().or_else(bare).map(Party::Number).map(plainly)
    }

    /// How long the service prefix is that `symbols` begin with; the longest one.
    fn service_prefix(&self, symbols: &[u8]) -> Option<usize> {
        self.rules
            .service_prefixes
            .iter()
            .find(|prefix| {
                prefix.len() <= symbols.len()
                    && prefix
                        .iter()
                        .zip(symbols)
                        .all(|(sign, symbol)| sign == symbol || (*sign == b'x' && symbol.is_ascii_digit()))
            })
            .map(Vec::len)
    }

    /// A number with its country code, after `+` or an international prefix. Where the country's plan is known, digits that
    /// no number of it begins with are none: `+4400909…` must not be an ordinary British number, and priced as one.
    fn international(&self, view: View<'_>) -> Option<E164> {
        let number = self.as_international(view)?;
        let mut buffer = [0; MAX_DIGITS];
        let digits = number.digits().write(&mut buffer);
        match self.destination(digits) {
            Some(destination) => {
                let national = digits.strip_prefix(&*destination.code)?;
                if !destination.fits(national)
                    && let Some(meant) = destination.meant(national)
                {
                    return Some(meant);
                }
                let begins = |prefix: &Vec<u8>| national.starts_with(prefix);
                let known = !destination.lengths.lengths(national).is_empty();
                (known || destination.unassigned.iter().any(begins)).then_some(number)
            }
            None => Some(number),
        }
    }

    fn as_international(&self, view: View<'_>) -> Option<E164> {
        let destination = self.destination(view.digits);
        let drops_zero = destination.is_none_or(|destination| destination.drops_zero);
        if let Some(zero) = view.zero.filter(|zero| (1..=3).contains(zero) && drops_zero) {
            return joined(view.digits.get(..zero)?, view.digits.get(zero + 1..)?);
        }
        if let Some(destination) = destination.filter(|destination| destination.drops_zero)
            && let Some([b'0', rest @ ..]) = view.digits.strip_prefix(&*destination.code)
        {
            return joined(&destination.code, rest);
        }
        joined(view.digits, b"")
    }

    fn destination(&self, digits: &[u8]) -> Option<&Destination> {
        // Country codes are free of prefixes of each other; the length of the whole does not matter here.
        let head = digits.get(..digits.len().min(4)).unwrap_or_default();
        let (index, _) = self.destination_codes.longest(head)?;
        self.destinations.get(usize::from(index))
    }

    fn international_prefixes(&self) -> impl Iterator<Item = &Vec<u8>> {
        self.rules.international.iter().chain(&self.rules.carrier_international)
    }

    /// A national number, and the prefix that chose its carrier.
    fn national(&self, view: View<'_>) -> Option<(E164, Option<&[u8]>)> {
        let unprefixed = self.rules.national.is_empty()
            || self.rules.prefix_optional
            || self
                .rules
                .direct
                .iter()
                .any(|(direct, lengths)| view.digits.starts_with(direct) && lengths.contains(view.digits.len()));
        let candidates = || {
            let carriers = self.rules.carrier_national.iter().map(|prefix| (prefix, Some(&**prefix)));
            let plain = self.rules.national.iter().map(|prefix| (prefix, None));
            let prefixed = carriers.chain(plain);
            let prefixed = prefixed.filter_map(|(prefix, carrier)| Some((view.strip_prefix(prefix)?.digits, carrier)));
            prefixed.chain(unprefixed.then_some((view.digits, None)))
        };
        if let Some((national, carrier)) = candidates().find(|(national, _)| self.own.fits(national)) {
            return Some((self.number(national)?, carrier));
        }
        candidates().find_map(|(national, carrier)| Some((self.own.meant(national)?, carrier)))
    }

    /// The E.164 number of a national significant number.
    fn number(&self, national: &[u8]) -> Option<E164> {
        match self.elsewhere.longest(national) {
            Some((replacement, len)) => {
                // What leads to another country must be a number there, as if it had been dialled with its code.
                let mut buffer = [0; MAX_DIGITS];
                let digits = join(&mut buffer, replacement.as_bytes(), national.get(len..)?)?;
                self.international(View { digits, zero: None })
            }
            None => joined(&self.rules.country_code, national),
        }
    }

    fn local(&self, view: View<'_>) -> Option<E164> {
        let local = self.rules.local.as_ref()?;
        let first = usize::from(view.digits.first()?.wrapping_sub(b'0'));
        if !self.area_code.is_empty()
            && let Some(mobile) = self.own.mobile(&self.area_code, view.digits)
        {
            return Some(mobile);
        }
        let allowed = !self.area_code.is_empty()
            && local.lengths.contains(view.digits.len())
            && local.first.get(first).copied().unwrap_or(false)
            && !local.except.iter().any(|prefix| view.digits.starts_with(prefix))
            && !local.closed.iter().any(|closed| **closed == *self.area_code);
        let mut buffer = [0; MAX_DIGITS];
        let national = join(&mut buffer, &self.area_code, view.digits)?;
        if allowed && self.own.fits(national) { self.number(national) } else { None }
    }

    /// A number without any prefix: national or with a country code; only if exactly one reading fits.
    fn bare(&self, view: View<'_>, foreign: bool) -> Option<E164> {
        let mut found = None;
        let mut count = 0;
        if self.rules.bare_national
            && self.own.fits(view.digits)
            && view.digits.len() == self.own.lengths.lengths(view.digits).longest()
        {
            (found, count) = (self.number(view.digits), 1);
        }
        if let Some(destination) = self.destination(view.digits)
            && destination.bare_international
            && (foreign || destination.code == self.own.code)
            && let Some(mut rest) = view.digits.strip_prefix(&*destination.code)
        {
            if let (Some(zero), [b'0', after @ ..]) = (view.zero, rest)
                && zero == destination.code.len()
                && destination.drops_zero
            {
                rest = after;
            }
            if destination.fits(rest) {
                (found, count) = (joined(&destination.code, rest), count + 1);
            }
        }
        found.filter(|_| count == 1)
    }
}

/// `head` and `tail` as one row of digits in `buffer`; `None` beyond fifteen.
fn join<'b>(buffer: &'b mut [u8; MAX_DIGITS], head: &[u8], tail: &[u8]) -> Option<&'b [u8]> {
    let len = head.len() + tail.len();
    buffer.get_mut(..head.len())?.copy_from_slice(head);
    buffer.get_mut(head.len()..len)?.copy_from_slice(tail);
    buffer.get(..len)
}

fn joined(head: &[u8], tail: &[u8]) -> Option<E164> {
    E164::new(Digits::parse(head)?.concat(Digits::parse(tail)?)?)
}

fn short(len: usize) -> u8 {
    u8::try_from(len).unwrap_or(u8::MAX)
}
