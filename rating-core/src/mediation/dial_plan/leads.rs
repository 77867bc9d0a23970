//! What the first digits of a number tell at once.
//!
//! Most numbers are long, and begin with a national or an international prefix that nothing else begins with. For each
//! first three digits it is found out beforehand whether that is so; [`DialPlan`](super::DialPlan) then need not ask for
//! emergency numbers, extensions, service prefixes and the like. It reads the rest as it would have done anyway.

use super::countries::Rules;
use super::{ExtensionRange, Role};
use crate::number::{Digits, MAX_DIGITS};

/// How a number begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lead {
    /// In one of several ways, or with no prefix.
    Unclear,
    /// With a national prefix of so many digits, and nothing else begins so.
    National(usize),
    /// With an international prefix, likewise.
    International(usize),
}

/// How numbers begin, by their first three digits.
#[derive(Clone, Debug)]
pub(super) struct Leads {
    /// Keyed by somebody of the site, with outside-line codes; and in every other role.
    by_head: [Box<[Lead]>; 2],
    /// What is no longer may be an emergency number, with or without an outside line, or an extension.
    longest_short: usize,
}

impl Leads {
    /// The digits that are looked at.
    const HEAD: usize = 3;

    pub(super) fn compile(
        rules: &Rules,
        outside_line: &[Box<[u8]>],
        emergency: &[Digits],
        extensions: &[ExtensionRange],
    ) -> Self {
        let longest_line = outside_line.iter().map(|code| code.len()).max().unwrap_or(0);
        let longest_emergency = emergency.iter().map(|digits| digits.len()).max().unwrap_or(0);
        let longest_extension = extensions.iter().map(|range| range.from.len()).max().unwrap_or(0);
        let heads = |lines: &[Box<[u8]>]| {
            let head = |head: usize| [head / 100, head / 10 % 10, head % 10].map(|digit| b'0' + digit as u8);
            (0..1_000).map(|value| lead(rules, lines, &head(value))).collect()
        };
        Self {
            by_head: [heads(outside_line), heads(&[])],
            // Without ranges, up to six digits may be an extension.
            longest_short: (longest_line + longest_emergency).max(longest_extension).max(6),
        }
    }

    /// How a text begins, if it may be a long number.
    #[inline]
    pub(super) fn of(&self, text: &[u8], role: Role) -> Lead {
        let Some(head) = text.first_chunk::<{ Self::HEAD }>() else { return Lead::Unclear };
        if text.len() <= self.longest_short || text.len() > MAX_DIGITS {
            return Lead::Unclear;
        }
        let [hundreds, tens, ones] = head.map(|digit| usize::from(digit.wrapping_sub(b'0')));
        let heads = &self.by_head[usize::from(role != Role::Dialled)];
        // What is no digit is found by whoever reads the rest.
        heads.get(hundreds * 100 + tens * 10 + ones).copied().unwrap_or(Lead::Unclear)
    }
}

/// How every number begins that begins with `head`.
fn lead(rules: &Rules, lines: &[Box<[u8]>], head: &[u8]) -> Lead {
    // Whether some number begins with both.
    let meets = |sign: &[u8]| sign.iter().zip(head).all(|(sign, digit)| sign == digit || *sign == b'x');
    let has = |prefix: &[u8]| head.starts_with(prefix);
    if lines.iter().any(|code| meets(code)) || rules.service_prefixes.iter().any(|prefix| meets(prefix)) {
        return Lead::Unclear;
    }
    let one_of = |prefixes: &[Vec<u8>], carriers: &[Vec<u8>]| {
        let mut all = prefixes.iter().filter(|prefix| meets(prefix));
        let one = all.next().filter(|_| all.next().is_none() && !carriers.iter().any(|prefix| meets(prefix)));
        one.filter(|prefix| has(prefix)).map(Vec::len)
    };
    let none = |prefixes: &[Vec<u8>]| !prefixes.iter().any(|prefix| meets(prefix));
    if let Some(count) = one_of(&rules.international, &rules.carrier_international) {
        return Lead::International(count);
    }
    if !none(&rules.international) || !none(&rules.carrier_international) || !rules.elsewhere.is_empty() {
        return Lead::Unclear;
    }
    one_of(&rules.national, &rules.carrier_national).map_or(Lead::Unclear, Lead::National)
}
