//! Lines that records have named before: what an extension and the number shown for it come to.
//!
//! A telephone calls many times a month, and what its records say of it is read to the same every time. Whoever mediates
//! many records keeps a [`Lines`] for them; without one the same is found, only each time anew.

use crate::cdr::Cdr;
use crate::ids::SourceId;
use crate::number::{Digits, E164, NumberClass};

/// A telephone of the site, as a record names it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    /// The extension that its channel or device is named after.
    pub(super) extension: Digits,
    /// The number that the record shows for it, if that is one.
    pub(super) shown: Option<E164>,
    /// The class of that number, or of the extension.
    pub(super) class: NumberClass,
}

/// What was found for lines lately, by the texts that name them.
#[derive(Debug, Default)]
pub struct Lines {
    /// Made when the first is kept.
    entries: Box<[Option<(Texts, Line)>]>,
}

/// The source, and the texts of the device and of the caller: their lengths, and so many of their bytes that with the
/// lengths there is no other such text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Texts {
    source: SourceId,
    lengths: [u8; 2],
    peer: [u8; 8],
    calling: [u8; 16],
}

impl Texts {
    #[inline]
    fn of(source: SourceId, cdr: &Cdr<'_>) -> Option<Self> {
        let length = |text: &[u8]| u8::try_from(text.len()).ok();
        let lengths = [length(cdr.peer)?, length(cdr.calling)?];
        Some(Self { source, lengths, peer: ends::<4, 8>(cdr.peer)?, calling: ends::<8, 16>(cdr.calling)? })
    }

    #[inline]
    fn slot(&self) -> usize {
        let peer = u64::from_le_bytes(self.peer);
        let calling = u128::from_le_bytes(self.calling);
        let mixed = peer ^ (calling as u64).rotate_left(23) ^ ((calling >> 64) as u64).rotate_left(41);
        (mixed.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (64 - Lines::BITS)) as usize
    }
}

/// The first and the last `HALF` bytes of a text that has no more than both, or all of a shorter one: with its length they
/// tell all of it.
#[inline]
fn ends<const HALF: usize, const WHOLE: usize>(text: &[u8]) -> Option<[u8; WHOLE]> {
    if text.len() > WHOLE {
        return None;
    }
    let mut ends = [0; WHOLE];
    let (head, tail) = ends.split_at_mut(HALF);
    match (text.first_chunk::<HALF>(), text.last_chunk::<HALF>()) {
        (Some(first), Some(last)) => {
            head.copy_from_slice(first);
            tail.copy_from_slice(last);
        }
        _ => head.iter_mut().zip(text).for_each(|(to, from)| *to = *from),
    }
    Some(ends)
}

impl Lines {
    /// As many lines are kept as this many bits can count: those of a large site.
    const BITS: u32 = 12;

    /// What was found for the line of a record, or else what `find` finds.
    #[inline]
    pub(super) fn line(
        &mut self,
        source: SourceId,
        cdr: &Cdr<'_>,
        find: impl FnOnce() -> Option<Line>,
    ) -> Option<Line> {
        let Some(texts) = Texts::of(source, cdr) else { return find() };
        let slot = texts.slot();
        if let Some(Some((known, line))) = self.entries.get(slot)
            && *known == texts
        {
            return Some(*line);
        }
        let line = find()?;
        if self.entries.is_empty() {
            self.entries = vec![None; 1 << Self::BITS].into();
        }
        if let Some(entry) = self.entries.get_mut(slot) {
            *entry = Some((texts, line));
        }
        Some(line)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::ends;

    #[test]
    fn texts_of_one_length_have_the_same_ends_only_if_they_are_the_same() {
        let texts = ["", "1", "7", "11", "17", "114", "1141", "11411", "114114", "1141149", "11411411", "11411412"];
        let told: BTreeSet<(usize, Option<[u8; 8]>)> =
            texts.iter().map(|text| (text.len(), ends::<4, 8>(text.as_bytes()))).collect();
        assert_eq!(told.len(), texts.len());
        assert!(told.iter().all(|(_, ends)| ends.is_some()));
        assert_eq!(ends::<4, 8>(b"114114114"), None);
    }
}
