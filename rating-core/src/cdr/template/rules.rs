//! Conditions on the fields of a record.

use crate::cdr::word::Word;

/// One text that a field may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Equal, case aside. An empty text means an empty field.
    Word(Word),
    /// The same of a longer text.
    Equal(Vec<u8>),
    /// Begins with it: `CDR*`.
    Begins(Vec<u8>),
    /// Ends with it: `*_out`.
    Ends(Vec<u8>),
    /// Has it somewhere: `*freephone*`.
    Has(Vec<u8>),
    /// `*`: anything but nothing.
    Anything,
}

impl Wanted {
    /// From how the template writes it, `text` being in the file's encoding.
    pub(super) fn new(text: Vec<u8>) -> Self {
        match text.as_slice() {
            b"*" => Self::Anything,
            [b'*', inside @ .., b'*'] if !inside.is_empty() => Self::Has(inside.to_vec()),
            [b'*', tail @ ..] => Self::Ends(tail.to_vec()),
            [head @ .., b'*'] => Self::Begins(head.to_vec()),
            text => Word::of(text).map_or_else(|| Self::Equal(text.to_vec()), Self::Word),
        }
    }

    #[inline]
    fn fits(&self, text: &[u8], word: Option<Word>) -> bool {
        match self {
            Self::Word(wanted) => word == Some(*wanted),
            _ => self.fits_text(text),
        }
    }

    fn fits_text(&self, text: &[u8]) -> bool {
        match self {
            Self::Word(wanted) => Word::of(text) == Some(*wanted),
            Self::Equal(wanted) => text.eq_ignore_ascii_case(wanted),
            Self::Begins(head) => text.get(..head.len()).is_some_and(|found| found.eq_ignore_ascii_case(head)),
            Self::Ends(tail) => {
                let start = text.len().checked_sub(tail.len());
                start.and_then(|start| text.get(start..)).is_some_and(|found| found.eq_ignore_ascii_case(tail))
            }
            Self::Has(inside) => text.windows(inside.len()).any(|found| found.eq_ignore_ascii_case(inside)),
            Self::Anything => !text.is_empty(),
        }
    }
}

/// A field that must have one of some texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Test {
    /// The field's slot.
    pub(super) slot: usize,
    pub(super) wanted: Vec<Wanted>,
}

/// Fulfilled if all tests of one of its lists are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Rule(pub(super) Vec<Vec<Test>>);

impl Rule {
    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The slots that it asks for.
    pub(super) fn slots(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.iter().flatten().map(|test| test.slot)
    }

    #[inline]
    pub(super) fn holds<'a>(&self, field: impl Fn(usize) -> &'a [u8] + Copy) -> bool {
        self.0.iter().any(|tests| {
            tests.iter().all(|test| {
                let text = field(test.slot);
                let word = Word::of(text);
                test.wanted.iter().any(|wanted| wanted.fits(text, word))
            })
        })
    }
}
