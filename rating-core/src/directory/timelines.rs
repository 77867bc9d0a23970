//! What the hot path asks: sorted ranges of packed digits, each with the intervals in which somebody held it. Ranges are
//! never expanded into their numbers.

use std::ops::Range;

use crate::ids::{PayerId, SiteId};
use crate::number::{Digits, E164};
use crate::time::{Instant, Interval};

use super::Lookup;

/// Ranges of numbers, or of the extensions of one site, in ascending order and apart from each other.
#[derive(Clone, Debug, Default)]
pub(super) struct Timelines {
    /// First key of each segment: the packed digits, whose order keeps lengths apart.
    firsts: Vec<u64>,
    segments: Vec<Segment>,
    spans: Vec<Span>,
}

#[derive(Clone, Copy, Debug)]
struct Segment {
    last: u64,
    site: SiteId,
    main: bool,
    /// Its spans, as a range of indices.
    begin: u32,
    end: u32,
}

/// Somebody held all keys of a segment for some time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) valid: Interval,
    pub(super) payer: PayerId,
    /// Whether what is held is a main number.
    pub(super) main: bool,
    /// First key of the allocation.
    pub(super) first: u64,
    /// What belongs to that first key (the extension of a number, the number of an extension); it counts up in step.
    pub(super) counterpart: Option<u64>,
}

impl Span {
    fn counterpart_of(&self, key: u64) -> Option<Digits> {
        // In step from the first key; that the result has the same length was checked when the row was read.
        Digits::from_bits(self.counterpart?.checked_add(key.checked_sub(self.first)?)?)
    }
}

impl Timelines {
    /// Appends a segment, which must come after all those before.
    pub(super) fn push(&mut self, keys: (u64, u64), site: SiteId, main: bool, spans: impl IntoIterator<Item = Span>) {
        let begin = u32::try_from(self.spans.len()).unwrap_or(u32::MAX);
        self.spans.extend(spans);
        let end = u32::try_from(self.spans.len()).unwrap_or(u32::MAX);
        self.firsts.push(keys.0);
        self.segments.push(Segment { last: keys.1, site, main, begin, end });
    }

    /// For numbers: the spans of a segment are apart from each other, in the order of time.
    #[inline]
    pub(super) fn number_at(&self, number: E164, at: Instant) -> Lookup {
        let key = number.digits().to_bits();
        let Some((segment, spans)) = self.find(key) else { return Lookup::Unknown };
        let begun = spans.partition_point(|span| span.valid.from <= at);
        match begun.checked_sub(1).and_then(|index| spans.get(index)).filter(|span| at < span.valid.until) {
            Some(span) => Lookup::Held {
                payer: span.payer,
                site: segment.site,
                number: Some(number),
                extension: span.counterpart_of(key),
                main: segment.main,
            },
            None => Lookup::NotAllocated { site: segment.site, main: segment.main },
        }
    }

    /// For extensions: the spans of a segment stand in the order in which they answer.
    #[inline]
    pub(super) fn extension_at(&self, site: SiteId, extension: Digits, at: Instant) -> Lookup {
        let key = extension.to_bits();
        let Some((_, spans)) = self.find(key) else { return Lookup::Unknown };
        match spans.iter().find(|span| span.valid.contains(at)) {
            Some(span) => Lookup::Held {
                payer: span.payer,
                site,
                number: span.counterpart_of(key).and_then(E164::new),
                extension: Some(extension),
                main: span.main,
            },
            None => Lookup::NotAllocated { site, main: false },
        }
    }

    #[inline]
    fn find(&self, key: u64) -> Option<(&Segment, &[Span])> {
        let after = self.firsts.partition_point(|first| *first <= key);
        let segment = self.segments.get(after.checked_sub(1)?)?;
        let spans = self.spans.get(segment.begin as usize..segment.end as usize)?;
        (key <= segment.last).then_some((segment, spans))
    }
}

/// Account codes in byte order, each with who pays when, and where.
#[derive(Clone, Debug, Default)]
pub(super) struct AccountCodes {
    codes: Vec<(Box<[u8]>, Range<usize>)>,
    spans: Vec<CodeSpan>,
    /// By site.
    used_at: Vec<bool>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct CodeSpan {
    pub(super) valid: Interval,
    /// `None`: at every site.
    pub(super) site: Option<SiteId>,
    pub(super) payer: PayerId,
}

impl AccountCodes {
    pub(super) fn new(sites: usize) -> Self {
        Self { used_at: vec![false; sites], ..Self::default() }
    }

    /// Appends a code, which must come after all those before in byte order.
    pub(super) fn push(&mut self, code: &[u8], spans: impl IntoIterator<Item = CodeSpan>) {
        let begin = self.spans.len();
        self.spans.extend(spans);
        for span in &self.spans[begin..] {
            match span.site {
                Some(site) => {
                    if let Some(used) = self.used_at.get_mut(site.index()) {
                        *used = true;
                    }
                }
                None => self.used_at.fill(true),
            }
        }
        self.codes.push((code.into(), begin..self.spans.len()));
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.codes.is_empty()
    }

    #[inline]
    pub(super) fn are_used_at(&self, site: SiteId) -> bool {
        self.used_at.get(site.index()).copied().unwrap_or(false)
    }

    pub(super) fn at(&self, site: SiteId, code: &[u8], at: Instant) -> Lookup {
        let Ok(index) = self.codes.binary_search_by(|(known, _)| (**known).cmp(code)) else { return Lookup::Unknown };
        let spans = self.codes.get(index).and_then(|(_, range)| self.spans.get(range.clone())).unwrap_or_default();
        let mut lookup = Lookup::Unknown;
        for span in spans.iter().filter(|span| span.site.is_none_or(|own| own == site)) {
            if span.valid.contains(at) {
                return Lookup::Held { payer: span.payer, site, number: None, extension: None, main: false };
            }
            lookup = Lookup::NotAllocated { site, main: false };
        }
        lookup
    }
}
