//! Records that together tell of one call: legs, beginnings and ends, interim records, stretches, revisions.

use super::assembly::Assembled;
use super::mediator::{Mediator, Side};
use crate::cdr::{Cdr, Kind, PartRole, Stamp};
use crate::time::Duration;

impl Mediator {
    /// Puts the parts of one call together: one verdict for each record, in the same order. See [`PartRole`] for what each
    /// waits for, and which of them stands for the call.
    pub(super) fn join<'a>(&'a self, group: &[Cdr<'a>]) -> Vec<Assembled<'a>> {
        let role = |cdr: &Cdr<'a>| match cdr.kind {
            Kind::Part(part) => Some(part.role),
            _ => None,
        };
        let of = |wanted: fn(PartRole) -> bool| {
            group.iter().enumerate().filter(move |(_, cdr)| role(cdr).is_some_and(wanted)).map(|(index, _)| index)
        };
        let standing = if let Some(last) = of(|role| role == PartRole::Revision).next_back() {
            group.get(last).map(|cdr| (last, *cdr))
        } else if of(|role| matches!(role, PartRole::Leg { .. })).next().is_some() {
            let rank = |index: &usize| match group.get(*index).map(|cdr| (role(cdr), cdr.answered)) {
                Some((Some(PartRole::Leg { rank }), answered)) => (rank, !answered, *index),
                _ => (u8::MAX, true, *index),
            };
            let first = of(|role| matches!(role, PartRole::Leg { .. })).min_by_key(rank);
            first.and_then(|index| Some((index, *group.get(index)?)))
        } else if let Some(complete) = of(|role| role == PartRole::Final).next() {
            group.get(complete).map(|cdr| (complete, *cdr))
        } else if of(|role| matches!(role, PartRole::Segment { .. })).next().is_some() {
            self.stretches(group)
        } else {
            self.begun_and_ended(group)
        };
        let Some((stands, cdr)) = standing else { return vec![Assembled::Waiting; group.len()] };
        let mut verdicts = vec![Assembled::MergedInto(stands); group.len()];
        if let Some(verdict) = verdicts.get_mut(stands) {
            *verdict = Assembled::Call(self.call(cdr, self.ends(&cdr)));
        }
        verdicts
    }

    /// A call of which the beginning and the end are there: the first of each.
    fn begun_and_ended<'a>(&self, group: &[Cdr<'a>]) -> Option<(usize, Cdr<'a>)> {
        let at = |wanted: PartRole| {
            group
                .iter()
                .enumerate()
                .filter(|(_, cdr)| matches!(cdr.kind, Kind::Part(part) if part.role == wanted))
                .min_by_key(|(index, cdr)| (self.times(cdr).charging_at, *index))
        };
        let ((begins, begun), (_, ended)) = (at(PartRole::Begin)?, at(PartRole::End)?);
        let (from, until) = (self.times(begun).charging_at, self.times(ended).charging_at);
        let talk = until.since(from);
        if talk < Duration::ZERO {
            return None;
        }
        let end = ended.setup.or(Some(Stamp::Instant(until)));
        Some((begins, Cdr { answer: begun.setup, end, talk, answered: talk > Duration::ZERO, ..*begun }))
    }

    /// A call in stretches: complete if the last one says that none follows. The first stretch to the outside stands, with
    /// the talk time of all that lead outside; if none does, the first, with all talk time.
    fn stretches<'a>(&self, group: &[Cdr<'a>]) -> Option<(usize, Cdr<'a>)> {
        let more =
            |cdr: &Cdr<'a>| matches!(cdr.kind, Kind::Part(part) if part.role == PartRole::Segment { more: true });
        if group.last().is_none_or(more) {
            return None;
        }
        let is_outside = |cdr: &Cdr<'a>| {
            let ends = self.ends(cdr);
            ends.callee == Side::Outside || ends.caller == Side::Outside
        };
        let any = group.iter().any(is_outside);
        let counts = |cdr: &Cdr<'a>| !any || is_outside(cdr);
        let (index, first) = group.iter().enumerate().find(|(_, cdr)| counts(cdr))?;
        let talk = group.iter().filter(|cdr| counts(cdr)).fold(Duration::ZERO, |sum, cdr| {
            Duration::from_millis(sum.as_millis().saturating_add(cdr.talk.as_millis()))
        });
        let end = group.last().and_then(|cdr| cdr.end);
        Some((index, Cdr { talk, end, duration: None, answered: talk > Duration::ZERO, ..*first }))
    }
}
