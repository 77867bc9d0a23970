//! Pairs of Asterisk `Local` halves to calls; parts of other kinds go to `parts`.
//!
//! A `Local` channel joins two pieces of a dial plan: the caller's half goes out by `Local/…;1`, and the other half comes in
//! by `Local/…;2` and reaches the destination. Both are written with the same seconds; one of them is the call.

use std::ops::RangeInclusive;

use super::mediator::{Ends, Mediator, Side, is_local, is_public};
use super::{Call, MediationReason};
use crate::cdr::{Cdr, Kind};
use crate::number::Party;
use crate::time::{Duration, Instant};

/// What became of one record of a group.
#[derive(Clone, Copy, Debug)]
pub enum Assembled<'a> {
    /// It stands for the call.
    Call(Call<'a>),
    /// It is part of the call that the record at that index of the group stands for.
    MergedInto(usize),
    /// What it needs has not come.
    Waiting(WaitsFor),
    /// It stands for a call that cannot be rated, and why.
    Suspended(Call<'a>, MediationReason),
    /// It is [linked](super::Mediated::Linked): counted where it was read, and here only to tell of others.
    Elsewhere,
}

/// What a record waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum WaitsFor {
    /// It was answered and led into a `Local` channel whose other half is not here.
    OtherHalf,
    /// Nothing says when the call ended.
    End,
    /// It ends a call, or goes on with one, of which the beginning is not here.
    Beginning,
    /// A part between others, or behind them, is not here.
    Part,
}

impl WaitsFor {
    /// Everything that a record may wait for.
    pub const ALL: [Self; 4] = [Self::OtherHalf, Self::End, Self::Beginning, Self::Part];

    /// Stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::OtherHalf => "run.waiting_for_partner",
            Self::End => "run.waiting_for_end",
            Self::Beginning => "run.waiting_for_beginning",
            Self::Part => "run.waiting_for_part",
        }
    }

    /// What has not come, in words that follow “waits:”.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::OtherHalf => "the other half of its `Local` channel has not come",
            Self::End => "its end has not come",
            Self::Beginning => "its beginning has not come",
            Self::Part => "a later part has not come",
        }
    }
}

/// Stamps are whole seconds and the halves are written one after the other.
pub(super) const SLACK: Duration = Duration::from_seconds(2);

impl Mediator {
    /// Assembles all records of one run that share a pair's name, in canonical order, into calls: one verdict for each
    /// record, in the same order. Parts of a call that share a group are joined as their
    /// [roles](crate::cdr::PartRole) say; what follows is about halves of `Local` channels.
    ///
    /// Names of pairs begin anew when the switch restarts, so records belong together only if their times overlap. Of
    /// those that do, exactly one stands for the call:
    ///
    /// - the half that went out by a real channel, for it has the destination and the talk time that the carrier saw;
    ///   answered before unanswered, then by a trunk, then the first;
    /// - if none did, or it was not answered but the first half was (an application took the call), the half that came in
    ///   by a real channel. Answered, and its other half not here, it is [`Waiting`](Assembled::Waiting): that half may be in a file that is still to come.
    ///
    /// A chain of pairs (a half that came in by one and went out by another) can be handed over as one group; it is one
    /// call then, too.
    ///
    /// The caller is that of the half that came in by a real channel; where there is none (a call placed by the switch),
    /// the extension that the other half rang. If caller and destination are both outside, the call was forwarded, by
    /// what the first half had dialled; an extension that was dialled first sent the call on also for a caller inside.
    #[must_use]
    pub fn assemble<'a>(&'a self, group: &[Cdr<'a>]) -> Vec<Assembled<'a>> {
        if group.iter().any(|cdr| matches!(cdr.kind, Kind::Part(_))) {
            return self.join(group);
        }
        if group
            .iter()
            .any(|cdr| matches!(cdr.kind, Kind::Split { .. } | Kind::Joined { .. } | Kind::Conference { .. }))
        {
            return self.link(group);
        }
        let mut verdicts = vec![Assembled::Waiting(WaitsFor::OtherHalf); group.len()];
        for cluster in self.clusters(group) {
            let Some(stands) = self.standing(group, &cluster) else { continue };
            for index in &cluster {
                if let Some(verdict) = verdicts.get_mut(*index) {
                    *verdict = Assembled::MergedInto(stands);
                }
            }
            if let (Some(verdict), Some(cdr)) = (verdicts.get_mut(stands), group.get(stands)) {
                *verdict = Assembled::Call(self.call(cdr, self.joined_ends(group, &cluster, *cdr)));
            }
        }
        verdicts
    }

    /// The indices of the records whose times overlap, directly or through others.
    fn clusters(&self, group: &[Cdr<'_>]) -> Vec<Vec<usize>> {
        let mut spans: Vec<(RangeInclusive<Instant>, usize)> =
            group.iter().enumerate().map(|(index, cdr)| (self.span(cdr), index)).collect();
        spans.sort_by_key(|(span, index)| (*span.start(), *index));
        let mut clusters: Vec<Vec<usize>> = Vec::new();
        let mut until = Instant::MIN;
        for (span, index) in spans {
            match clusters.last_mut() {
                Some(cluster) if *span.start() <= until.plus(SLACK) => cluster.push(index),
                _ => clusters.push(vec![index]),
            }
            until = until.max(*span.end());
        }
        for cluster in &mut clusters {
            cluster.sort_unstable();
        }
        clusters
    }

    fn span(&self, cdr: &Cdr<'_>) -> RangeInclusive<Instant> {
        let times = self.times(cdr);
        let start = times.setup_at.unwrap_or(times.charging_at);
        start..=times.ended_at.max(start)
    }

    /// Which record of a cluster stands for the call; `None` if that cannot be said yet.
    fn standing(&self, group: &[Cdr<'_>], cluster: &[usize]) -> Option<usize> {
        let records = || cluster.iter().filter_map(|index| Some((*index, group.get(*index)?)));
        let outer = records().filter(|(_, cdr)| is_real(cdr.egress)).min_by_key(|(index, cdr)| {
            let trunk = self.callee_side(cdr, Party::Missing) == Side::Outside;
            (!cdr.answered, !trunk, *index)
        });
        let led_away = |cdr: &Cdr<'_>| cdr.answered && cdr.talk > Duration::ZERO && is_local(cdr.egress);
        let answered_elsewhere = records().any(|(_, cdr)| led_away(cdr));
        if let Some((index, cdr)) = outer
            && (cdr.answered || !answered_elsewhere)
        {
            return Some(index);
        }
        // Answered, but not by what the other half rang: an application took the call. Without the other half nobody
        // can tell.
        let continued = |cdr: &Cdr<'_>| records().any(|(_, other)| pair_of(other.ingress) == pair_of(cdr.egress));
        if records().any(|(_, cdr)| led_away(cdr) && !continued(cdr)) {
            return None;
        }
        records().min_by_key(|(index, cdr)| (!cdr.answered, !is_real(cdr.ingress), *index)).map(|(index, _)| index)
    }

    /// The ends of the call that `cdr` stands for.
    fn joined_ends<'a>(&self, group: &[Cdr<'a>], cluster: &[usize], cdr: Cdr<'a>) -> Ends<'a> {
        let records = || cluster.iter().filter_map(|index| group.get(*index));
        // A half that went nowhere but into the pair was answered by an application, or by nobody.
        let mut cdr = cdr;
        if is_local(cdr.egress) {
            cdr.egress = b"";
        }
        let mut ends = self.ends(&cdr);
        if is_real(cdr.ingress) {
            return ends;
        }
        let inner = records().filter(|inner| is_real(inner.ingress)).min_by_key(|inner| !inner.answered);
        if let Some(inner) = inner {
            return self.placed_by(inner, ends);
        }
        // Placed by the switch: one half rang the extension, the other the destination.
        let rang = records()
            .filter(|other| other.id != cdr.id && is_real(other.egress))
            .map(|other| self.ends(other).called)
            .find(|called| called.extension().is_some() && *called != ends.called);
        if let Some(extension) = rang.and_then(Party::extension) {
            ends.caller = Side::Inside;
            ends.calling = Party::Extension(extension);
            ends.extension = Some(extension);
            ends.shown = None;
        }
        ends
    }
}

impl Mediator {
    /// The ends of a call that went out by one record and was placed by another: the caller is that one's. If caller and
    /// destination are both outside, what the caller dialled first sent the call on; an extension that was dialled first
    /// sent it on also for a caller inside.
    pub(super) fn placed_by<'a>(&self, inner: &Cdr<'a>, mut ends: Ends<'a>) -> Ends<'a> {
        ends.caller = self.caller_side(inner);
        ends.calling = self.calling(inner, ends.caller);
        ends.shown = self.shown(inner, ends.calling);
        let mut through = *inner;
        through.egress = b"";
        let dialled = self.ends(&through).called;
        let sent_on = match dialled {
            Party::Extension(_) => true,
            Party::Number(_) => ends.caller == Side::Outside,
            _ => false,
        };
        let goes_out = ends.callee == Side::Outside && is_public(ends.called);
        if ends.forwarder.is_none() && goes_out && sent_on && dialled != ends.called && dialled != ends.calling {
            ends.forwarder = Some(dialled);
        }
        ends.extension = self.payer_extension(self.plan.extension_of(inner.peer), ends.calling, ends.forwarder);
        ends
    }
}

/// Whether a channel is there and is not a `Local` half.
fn is_real(channel: &[u8]) -> bool {
    !channel.is_empty() && !is_local(channel)
}

/// The name that both halves of a `Local` channel share; older releases write `,1` for `;1`.
fn pair_of(channel: &[u8]) -> Option<&[u8]> {
    match channel {
        [pair @ .., b';' | b',', b'1' | b'2'] if is_local(channel) => Some(pair),
        _ => None,
    }
}
