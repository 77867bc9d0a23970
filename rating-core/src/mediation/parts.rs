//! Records that together tell of one call: legs, beginnings and ends, interim records, stretches, revisions.
//!
//! [`PartRole`] states the rules. They hold whatever order the records come in: where times do not tell, the canonical
//! order of the records does.

use std::collections::BTreeMap;

use super::assembly::{Assembled, SLACK, WaitsFor};
use super::mediator::{Ends, Mediator, Side, is_public};
use crate::cdr::{Cdr, Kind, MAX_DURATION, PartRole, Stamp};
use crate::number::Party;
use crate::time::{Duration, Instant};

/// How long a positive answer is repeated: 64 × T1 (RFC 3261, 13.3.1.4).
const REPEATED_FOR: Duration = Duration::from_seconds(32);

impl Mediator {
    /// Puts the parts of one group together: one verdict for each record, in the same order. See [`PartRole`].
    pub(super) fn join<'a>(&'a self, group: &[Cdr<'a>]) -> Vec<Assembled<'a>> {
        let mut order: Vec<usize> = (0..group.len()).collect();
        order.sort_by_key(|index| (group.get(*index).map(|cdr| cdr.id), *index));
        let mut joining =
            Joining { mediator: self, group, order, verdicts: vec![None; group.len()], calls: Vec::new() };
        joining.run();
        let undecided = Assembled::Waiting(WaitsFor::Part);
        joining.verdicts.into_iter().map(|verdict| verdict.unwrap_or(undecided)).collect()
    }
}

/// A group being put together.
struct Joining<'g, 'a> {
    mediator: &'a Mediator,
    group: &'g [Cdr<'a>],
    /// Indices in canonical order.
    order: Vec<usize>,
    verdicts: Vec<Option<Assembled<'a>>>,
    /// The records that stand for calls, with the time from set-up to end.
    calls: Vec<(usize, Instant, Instant)>,
}

/// A record and its index.
type At<'a> = (usize, Cdr<'a>);

impl<'a> Joining<'_, 'a> {
    fn run(&mut self) {
        if let Some(last) = self.of(|role| role == PartRole::Revision).pop() {
            self.stands(last, None);
        } else {
            let finals = self.of(|role| role == PartRole::Final);
            let legs = self.of(|role| matches!(role, PartRole::Leg { .. }));
            if !finals.is_empty() {
                self.finals(&finals);
            } else if !legs.is_empty() {
                self.legs(&legs);
            } else {
                let stretches = self.of(|role| matches!(role, PartRole::Segment { .. }));
                if !stretches.is_empty() {
                    self.stretches(&stretches);
                }
                if self.calls.is_empty() {
                    self.begun_and_ended();
                }
            }
        }
        self.rest();
    }

    /// The records of a role that have no verdict yet, in canonical order.
    fn of(&self, wanted: impl Fn(PartRole) -> bool) -> Vec<At<'a>> {
        let has_role = |cdr: &Cdr<'_>| matches!(cdr.kind, Kind::Part(part) if wanted(part.role));
        self.order
            .iter()
            .filter(|index| self.verdicts.get(**index).is_some_and(Option::is_none))
            .filter_map(|index| Some((*index, *self.group.get(*index)?)))
            .filter(|(_, cdr)| has_role(cdr))
            .collect()
    }

    /// The record stands for a call, between the ends given, or else its own.
    fn stands(&mut self, (index, cdr): At<'a>, ends: Option<Ends<'a>>) {
        let ends = ends.unwrap_or_else(|| self.mediator.ends(&cdr));
        let call = self.mediator.call(&cdr, ends);
        let from = call.setup_at.unwrap_or(call.charging_at);
        let until = call.charging_at.plus(call.duration).max(self.mediator.times(&cdr).ended_at);
        self.set(index, Assembled::Call(call));
        self.calls.push((index, from, until));
    }

    fn set(&mut self, index: usize, verdict: Assembled<'a>) {
        if let Some(place) = self.verdicts.get_mut(index) {
            *place = Some(verdict);
        }
    }

    fn talks(&self, cdr: &Cdr<'_>) -> (Instant, Instant) {
        let from = self.mediator.times(cdr).charging_at;
        (from, from.plus(cdr.talk))
    }

    /// Of records that are copies of each other one each: the longest of those that overlap in time, in time.
    fn apart(&self, records: &[At<'a>]) -> Vec<At<'a>> {
        let mut spans: Vec<(Instant, Instant, At<'a>)> = records
            .iter()
            .filter(|(_, cdr)| is_answered(cdr))
            .map(|record| {
                let (from, until) = self.talks(&record.1);
                (from, until, *record)
            })
            .collect();
        spans.sort_by_key(|(from, _, (_, cdr))| (*from, cdr.id));
        let mut apart: Vec<(Instant, At<'a>)> = Vec::new();
        for (from, until, record) in spans {
            match apart.last_mut() {
                Some((last, best)) if from.plus(SLACK) < *last || from == self.talks(&best.1).0 => {
                    *last = until.max(*last);
                    // They come in time and then in canonical order: of equally long ones the first stays.
                    if record.1.talk > best.1.talk {
                        *best = record;
                    }
                }
                _ => apart.push((until, record)),
            }
        }
        apart.into_iter().map(|(_, record)| record).collect()
    }

    /// The record that was set up first.
    fn earliest(&self, records: &[At<'a>]) -> Option<At<'a>> {
        records.iter().copied().min_by_key(|(_, cdr)| (self.mediator.times(cdr).charging_at, cdr.id))
    }

    fn finals(&mut self, finals: &[At<'a>]) {
        let mut standing = self.apart(finals);
        if standing.is_empty() {
            standing.extend(self.earliest(finals));
        }
        for record in standing {
            self.stands(record, None);
        }
    }

    fn legs(&mut self, legs: &[At<'a>]) {
        let rank = |cdr: &Cdr<'_>| match cdr.kind {
            Kind::Part(part) => match part.role {
                PartRole::Leg { rank } => rank,
                _ => u8::MAX,
            },
            _ => u8::MAX,
        };
        let lowest = legs.iter().map(|(_, cdr)| rank(cdr)).min().unwrap_or(0);
        let (placed, led): (Vec<At<'a>>, Vec<At<'a>>) = legs.iter().partition(|(_, cdr)| rank(cdr) == lowest);
        let mut standing = self.apart_by_name(&placed);
        if standing.is_empty() {
            standing.extend(self.earliest(&placed));
        }
        let goes_out = |cdr: &Cdr<'a>| {
            let ends = self.mediator.ends(cdr);
            (ends.callee == Side::Outside && is_public(ends.called)).then_some(ends)
        };
        let onward: Vec<(At<'a>, Ends<'a>)> =
            self.apart_by_name(&led).into_iter().filter_map(|leg| Some((leg, goes_out(&leg.1)?))).collect();
        let mut merged = Vec::new();
        for (index, leg) in standing {
            let (from, until) = self.talks(&leg);
            let covers = |onward: &Cdr<'_>| {
                let (begins, ends) = self.talks(onward);
                !is_answered(&leg) || (begins <= until.plus(SLACK) && from <= ends.plus(SLACK))
            };
            let led_out: Vec<(At<'a>, Ends<'a>)> = match goes_out(&leg) {
                Some(_) => Vec::new(),
                None => onward
                    .iter()
                    .filter(|((index, cdr), _)| covers(cdr) && !merged.contains(index))
                    .map(|(at, ends)| (*at, self.mediator.placed_by(&leg, *ends)))
                    .collect(),
            };
            if led_out.is_empty() {
                self.stands((index, leg), None);
            }
            for (at, ends) in led_out {
                merged.push(at.0);
                self.stands(at, Some(ends));
            }
        }
    }

    /// As [`apart`](Self::apart), of each call id by itself.
    fn apart_by_name(&self, legs: &[At<'a>]) -> Vec<At<'a>> {
        let mut named: BTreeMap<&[u8], Vec<At<'a>>> = BTreeMap::new();
        for leg in legs {
            named.entry(leg.1.call_id).or_default().push(*leg);
        }
        let mut apart: Vec<At<'a>> = named.values().flat_map(|legs| self.apart(legs)).collect();
        apart.sort_by_key(|(_, cdr)| (self.mediator.times(cdr).charging_at, cdr.id));
        apart
    }

    fn stretches(&mut self, stretches: &[At<'a>]) {
        let told = |cdr: &Cdr<'_>| match cdr.kind {
            Kind::Part(part) => match part.role {
                PartRole::Segment { number, more } => (number, more),
                _ => (0, true),
            },
            _ => (0, true),
        };
        let mut ordered: Vec<At<'a>> = stretches.to_vec();
        ordered.sort_by_key(|(_, cdr)| (told(cdr).0, !told(cdr).1, self.mediator.times(cdr).setup_at, cdr.id));
        // A counted stretch that was written twice counts once: the longest.
        let mut distinct: Vec<At<'a>> = Vec::new();
        for record in &ordered {
            match distinct.last_mut() {
                Some(last) if told(&record.1).0 > 0 && told(&last.1).0 == told(&record.1).0 => {
                    if billed(&record.1) > billed(&last.1) {
                        *last = *record;
                    }
                }
                _ => distinct.push(*record),
            }
        }
        let has_last = ordered.iter().any(|(_, cdr)| !told(cdr).1);
        let counted: Vec<u8> = distinct.iter().map(|(_, cdr)| told(cdr).0).filter(|number| *number > 0).collect();
        let waits_for = match counted.first() {
            Some(first) if *first > 1 => Some(WaitsFor::Beginning),
            _ if counted.iter().zip(1_u8..).any(|(number, place)| *number != place) || !has_last => {
                Some(WaitsFor::Part)
            }
            _ => None,
        };
        if let Some(waits_for) = waits_for {
            for (index, _) in stretches {
                self.set(*index, Assembled::Waiting(waits_for));
            }
            return;
        }
        let mut calls: Vec<(Way<'a>, Vec<At<'a>>)> = Vec::new();
        let mut inside = Vec::new();
        for record in &distinct {
            let ends = self.mediator.ends(&record.1);
            let way = match (ends.caller, ends.callee) {
                (_, Side::Outside) => Way::To(ends.called),
                (Side::Outside, _) => Way::CameIn,
                (Side::Inside, Side::Inside) => {
                    inside.push(*record);
                    continue;
                }
                _ => Way::Unclear,
            };
            match calls.iter_mut().find(|(of, _)| *of == way) {
                Some((_, records)) => records.push(*record),
                None => calls.push((way, vec![*record])),
            }
        }
        if calls.is_empty() {
            calls.push((Way::Unclear, inside));
        }
        let is_counted = !counted.is_empty();
        for (_, records) in calls {
            self.stretch(&records, is_counted);
        }
    }

    /// One call out of its stretches, which are in order.
    fn stretch(&mut self, records: &[At<'a>], is_counted: bool) {
        let Some((index, first)) = records.iter().find(|(_, cdr)| is_answered(cdr)).or(records.first()).copied() else {
            return;
        };
        let same_setup = records.iter().all(|(_, cdr)| cdr.setup == first.setup);
        let mut spans: Vec<(Instant, Instant)> =
            records.iter().filter(|(_, cdr)| is_answered(cdr)).map(|(_, cdr)| self.talks(cdr)).collect();
        spans.sort_unstable();
        let (mut talk, mut until) = (0_i64, Instant::MIN);
        for (from, to) in spans {
            let from = if is_counted || same_setup { from } else { from.max(until) };
            talk = talk.saturating_add(to.since(from).as_millis().max(0));
            until = until.max(to);
        }
        let talk = Duration::from_millis(talk);
        let end = records
            .iter()
            .filter_map(|(_, cdr)| Some((self.mediator.times(cdr).ended_at, cdr.end?)))
            .max_by_key(|(at, _)| *at);
        let end = end.map(|(_, end)| end).filter(|_| records.len() > 1).or(first.end);
        let duration = first.duration.filter(|_| records.len() == 1);
        self.stands((index, Cdr { talk, end, duration, answered: talk > Duration::ZERO, ..first }), None);
    }

    /// Calls of which the beginning and the end are there.
    fn begun_and_ended(&mut self) {
        let mut told = self.of(|role| matches!(role, PartRole::Begin | PartRole::End));
        let begins = |cdr: &Cdr<'_>| matches!(cdr.kind, Kind::Part(part) if part.role == PartRole::Begin);
        // Of one moment the beginning comes first: the call had no talk time.
        told.sort_by_key(|(_, cdr)| (self.mediator.times(cdr).charging_at, !begins(cdr), cdr.id));
        let mut open: Option<Open<'a>> = None;
        for record in told {
            let at = self.mediator.times(&record.1).charging_at;
            if begins(&record.1) {
                match &mut open {
                    Some(open) if open.ended.is_none() && at.since(open.at) <= MAX_DURATION => {
                        open.repeats.push(record.0);
                    }
                    Some(open) if open.ended.is_some() && at.since(open.at) <= REPEATED_FOR => {
                        open.repeats.push(record.0);
                    }
                    _ => {
                        let next = Open { begun: record, at, ended: None, repeats: Vec::new() };
                        self.close(open.replace(next));
                    }
                }
                continue;
            }
            match &mut open {
                Some(open) if open.ended.is_some() => open.repeats.push(record.0),
                Some(open) if at.since(open.at) <= MAX_DURATION => open.ended = Some((record, at)),
                _ => self.set(record.0, Assembled::Waiting(WaitsFor::Beginning)),
            }
        }
        self.close(open);
    }

    fn close(&mut self, open: Option<Open<'a>>) {
        let Some(Open { begun: (index, begun), at, ended, repeats }) = open else { return };
        let Some(((ends, ended), until)) = ended else {
            for index in repeats.into_iter().chain([index]) {
                self.set(index, Assembled::Waiting(WaitsFor::End));
            }
            return;
        };
        let talk = until.since(at);
        let cdr = Cdr {
            answer: begun.answer.or(begun.setup),
            end: ended.setup.or(Some(Stamp::Instant(until))),
            duration: None,
            talk,
            answered: talk > Duration::ZERO,
            ..begun
        };
        self.stands((index, cdr), None);
        for other in repeats.into_iter().chain([ends]) {
            self.set(other, Assembled::MergedInto(index));
        }
    }

    /// What has no verdict yet is part of a call of the group, or waits for one.
    fn rest(&mut self) {
        for index in self.order.clone() {
            if self.verdicts.get(index).is_none_or(Option::is_some) {
                continue;
            }
            let Some(cdr) = self.group.get(index).copied() else { continue };
            let verdict = match (self.call_of(&cdr), cdr.kind) {
                (Some(call), Kind::Part(_)) => Assembled::MergedInto(call),
                (_, Kind::Part(part)) => Assembled::Waiting(match part.role {
                    PartRole::Begin | PartRole::Interim => WaitsFor::End,
                    PartRole::End => WaitsFor::Beginning,
                    _ => WaitsFor::Part,
                }),
                // Not a part of anything: a call by itself.
                _ => Assembled::Call(self.mediator.call(&cdr, self.mediator.ends(&cdr))),
            };
            self.set(index, verdict);
        }
    }

    /// The call during which a record was set up; else the nearest.
    fn call_of(&self, cdr: &Cdr<'_>) -> Option<usize> {
        let times = self.mediator.times(cdr);
        let at = times.setup_at.unwrap_or(times.charging_at);
        let apart = |(index, from, until): &(usize, Instant, Instant)| {
            let before = from.since(at).as_millis().max(0);
            let behind = at.since(*until).as_millis().max(0);
            (before.max(behind), *from, self.group.get(*index).map(|cdr| cdr.id))
        };
        self.calls.iter().min_by_key(|call| apart(call)).map(|(index, ..)| *index)
    }
}

/// A call that has begun.
struct Open<'a> {
    begun: At<'a>,
    at: Instant,
    ended: Option<(At<'a>, Instant)>,
    repeats: Vec<usize>,
}

/// Which way a stretch of a call leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way<'a> {
    /// Outside, to this party.
    To(Party<'a>),
    /// Inside, from outside.
    CameIn,
    /// Nothing tells.
    Unclear,
}

fn is_answered(cdr: &Cdr<'_>) -> bool {
    cdr.answered && cdr.talk > Duration::ZERO
}

fn billed(cdr: &Cdr<'_>) -> Duration {
    if is_answered(cdr) { cdr.talk } else { Duration::ZERO }
}

#[cfg(test)]
mod tests;
