//! The fields of one record.

use super::{Engine, trimmed};
use crate::cdr::fields::Fields;

/// How many slots have their texts at hand: all fields, and the first columns that rules alone ask for.
const SLOTS: usize = 40;

/// A record whose fields have been found.
pub(super) struct Record<'r, 'a> {
    engine: &'r Engine,
    pub(super) text: &'a [u8],
    pub(super) fields: &'r Fields,
    /// Without blanks around them; empty where files have no such field.
    texts: [&'a [u8]; SLOTS],
}

impl<'r, 'a> Record<'r, 'a> {
    /// A record of which nothing is known before [`Record::find`].
    #[inline]
    pub(super) fn new(engine: &'r Engine, text: &'a [u8], fields: &'r Fields) -> Self {
        Self { engine, text, fields, texts: [&[]; SLOTS] }
    }

    /// Finds the texts. They are written where they stay: handing them on would cost as much again.
    #[inline]
    pub(super) fn find(&mut self) {
        let engine = self.engine;
        for slot in &engine.present {
            if let Some(place) = self.texts.get_mut(*slot) {
                *place = trimmed(engine.written(self.text, self.fields, *slot));
            }
        }
    }

    /// What a field says, without blanks around it.
    #[inline]
    pub(super) fn get(&self, slot: usize) -> &'a [u8] {
        match self.texts.get(slot) {
            Some(text) => text,
            None => self.engine.field(self.text, self.fields, slot),
        }
    }

    /// What a field says, with blanks around it where positions are fixed: they may stand for zeros.
    #[inline]
    pub(super) fn padded(&self, slot: usize) -> &'a [u8] {
        if self.engine.is_fixed { self.engine.written(self.text, self.fields, slot) } else { self.get(slot) }
    }
}
