//! What the rules of a template say of a record.
//!
//! They look at few fields, whose texts come again and again: what was said of the same texts before is remembered.

use super::super::rules::Rule;
use super::super::{Direction, Template};
use super::{Engine, Record};
use crate::cdr::PartRole;

/// Everything that rules tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) what: What,
    /// `None` if the record says neither that the call was answered nor that it was not; without any rule `Some(false)`.
    pub(super) answered: Option<bool>,
    pub(super) direction: Option<Direction>,
    /// The part that the record is of its call; a segment's number stands in a field of its own.
    pub(super) role: Option<PartRole>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    Call,
    Begins,
    Ends,
    Marker,
    Omitted,
    NotVoice,
}

/// The most fields whose texts are remembered together.
const MOST_FIELDS: usize = 4;

/// The longest text that is remembered.
const LONGEST: usize = 16;

/// How many verdicts are remembered.
const ENTRIES: usize = 64;

/// The texts that rules asked for, zeros behind each, and their lengths, a byte for each.
type Key = ([u128; MOST_FIELDS], u32);

/// The verdicts last given on the records of one file, each in the place that its texts have.
#[derive(Default)]
pub(in crate::cdr) struct Verdicts(Vec<Option<(Key, Verdict)>>);

impl Template {
    /// The slots that rules ask for.
    pub(super) fn asked(&self) -> Vec<usize> {
        let parts = &self.parts;
        let rules = [
            &self.answered_when,
            &self.unanswered_when,
            &self.skip_when,
            &self.marker_when,
            &self.begin_when,
            &self.end_when,
            &self.not_voice_when,
            &self.voice_when,
            &parts.interim_when,
            &parts.final_when,
            &parts.more_when,
            &parts.last_when,
        ];
        let directions = self.directions.iter().map(|(rule, _)| rule);
        let mut slots: Vec<usize> =
            rules.into_iter().chain(directions).chain(&parts.legs).flat_map(Rule::slots).collect();
        slots.sort_unstable();
        slots.dedup();
        slots
    }

    /// All rules, in the order in which they count.
    fn verdict<'a>(&self, field: impl Fn(usize) -> &'a [u8] + Copy) -> Verdict {
        let holds = |rule: &Rule| rule.holds(field);
        let what = match () {
            () if holds(&self.end_when) => What::Ends,
            () if holds(&self.begin_when) => What::Begins,
            () if holds(&self.marker_when) => What::Marker,
            () if holds(&self.skip_when) => What::Omitted,
            () if !self.voice_when.is_empty() && !holds(&self.voice_when) => What::NotVoice,
            () if holds(&self.not_voice_when) => What::NotVoice,
            () => What::Call,
        };
        let answered = match (self.answered_when.is_empty(), self.unanswered_when.is_empty()) {
            (true, true) => Some(false),
            (true, false) => Some(!holds(&self.unanswered_when)),
            (false, _) if holds(&self.answered_when) => Some(true),
            (false, true) => Some(false),
            (false, false) => holds(&self.unanswered_when).then_some(false),
        };
        let direction = self.directions.iter().find_map(|(rule, direction)| holds(rule).then_some(*direction));
        Verdict { what, answered, direction: direction.or(self.otherwise), role: self.role(holds) }
    }

    fn role(&self, holds: impl Fn(&Rule) -> bool) -> Option<PartRole> {
        let parts = &self.parts;
        match () {
            () if parts.group.is_empty() => None,
            () if parts.revision => Some(PartRole::Revision),
            () if holds(&parts.interim_when) => Some(PartRole::Interim),
            () if holds(&parts.final_when) => Some(PartRole::Final),
            () if holds(&parts.more_when) => Some(PartRole::Segment { number: 0, more: true }),
            () if holds(&parts.last_when) => Some(PartRole::Segment { number: 0, more: false }),
            () => {
                let rank = parts.legs.iter().position(holds).and_then(|rank| u8::try_from(rank).ok());
                rank.map(|rank| PartRole::Leg { rank })
            }
        }
    }
}

impl Engine {
    /// What the rules say of a record: what they said of the last with these texts, if that is known.
    #[inline]
    pub(super) fn verdict(&self, record: &Record<'_, '_>, known: &mut Verdicts) -> Verdict {
        let field = |slot: usize| record.get(slot);
        let Some(key) = self.key_of_rules(record) else { return self.template.verdict(field) };
        let at = place(&key);
        if let Some(Some((texts, verdict))) = known.0.get(at)
            && *texts == key
        {
            return *verdict;
        }
        let verdict = self.template.verdict(field);
        known.0.resize(ENTRIES, None);
        if let Some(entry) = known.0.get_mut(at) {
            *entry = Some((key, verdict));
        }
        verdict
    }

    /// The texts that rules ask for; `None` if they are too many or too long.
    #[inline]
    fn key_of_rules(&self, record: &Record<'_, '_>) -> Option<Key> {
        let mut key: Key = Default::default();
        if self.asked.len() > MOST_FIELDS {
            return None;
        }
        for (slot, word) in self.asked.iter().zip(&mut key.0) {
            let field = record.get(*slot);
            *word = word_of(record.text, field)?;
            key.1 = (key.1 << 8) | field.len() as u32;
        }
        Some(key)
    }
}

/// A field of a record as a word. The bytes behind it are read with it and taken off again: so it does not matter
/// how long it is.
#[inline]
fn word_of(text: &[u8], field: &[u8]) -> Option<u128> {
    if field.len() > LONGEST {
        return None;
    }
    if field.is_empty() {
        return Some(0);
    }
    let from = field.as_ptr().addr().wrapping_sub(text.as_ptr().addr());
    let word = match (text.get(from..).and_then(|rest| rest.first_chunk()), text.last_chunk()) {
        (Some(bytes), _) => u128::from_le_bytes(*bytes),
        (None, Some(bytes)) => u128::from_le_bytes(*bytes).checked_shr(8 * (from + LONGEST - text.len()) as u32)?,
        (None, None) => field.iter().rev().fold(0, |word, byte| (word << 8) | u128::from(*byte)),
    };
    let mask = u128::MAX >> (8 * (LONGEST - field.len()));
    Some(word & mask)
}

/// The place of texts among those remembered.
#[inline]
fn place((words, _): &Key) -> usize {
    let mixed = words.iter().fold(0_u64, |mixed, word| {
        (mixed.rotate_left(5) ^ (*word as u64) ^ ((*word >> 64) as u64)).wrapping_mul(0x9E37_79B9_7F4A_7C15)
    });
    (mixed >> 58) as usize
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_field_is_a_word_wherever_it_stands(
            text in proptest::collection::vec(any::<u8>(), 0..60),
            (from, len) in (0_usize..60, 0_usize..20),
        ) {
            let from = from.min(text.len());
            let field = &text[from..text.len().min(from + len)];
            let mut bytes = [0; LONGEST];
            let expected = (field.len() <= LONGEST).then(|| {
                bytes[..field.len()].copy_from_slice(field);
                u128::from_le_bytes(bytes)
            });
            prop_assert_eq!(word_of(&text, field), expected);
        }
    }
}
