//! Records tied by a party's leg: conference legs and transferred calls, and the calls by which their parties came in
//! (CUCM).
//!
//! A party keeps its leg while it is handed from call to call. The record of the call by which it came in ends with cause
//! 393216 (call split); it is rated by itself, up to there. What follows is in other records, with seconds of their own:
//!
//! - **Conference legs** of parties inside are no calls. Of a party outside that somebody inside had called, the leg is the
//!   rest of that call: outbound to the same number, and the controller of the conference pays, else whoever called. Of
//!   a party that came in from outside it is inbound. If the record by which the party came in is not here, it is suspended.
//! - **Transferred calls** show the party that was handed over as the caller, though it may have been called: then the record
//!   is outbound to it, and whoever handed it over pays. If nothing tells, the record is taken as it is.

use super::assembly::{Assembled, SLACK};
use super::dial_plan::{AccessCodes, Role};
use super::mediator::{Ends, Mediated, Mediator, Side, is_bridge, is_public};
use super::{Call, MediationReason};
use crate::cdr::{Cdr, Group, Kind, LegId, NotACall};
use crate::number::Party;
use crate::time::Duration;

/// Legs are numbered anew after a while; between two records of one leg there is less than this.
const LONGEST_GAP: Duration = Duration::from_seconds(86_400);

/// The group of records that share a leg.
pub(super) const fn group_of([cluster, leg]: LegId<'_>) -> Group<'_> {
    if leg.is_empty() { [b"", b"", b""] } else { [b"leg", cluster, leg] }
}

/// How a party came to the switch.
#[expect(clippy::large_enum_variant, reason = "one at a time")]
enum CameIn<'a> {
    /// Somebody inside called it: the call.
    Called(Cdr<'a>, Ends<'a>),
    /// It called from outside: the call.
    Calls(Ends<'a>),
    /// It is inside.
    Inside(Ends<'a>),
}

impl Mediator {
    /// A call between parties whom others brought together. Only where the caller seems to be outside and the called party
    /// inside may somebody have called it the other way round.
    pub(super) fn joined<'a>(&'a self, cdr: &Cdr<'a>, leg: LegId<'a>) -> Mediated<'a> {
        let ends = self.ends(cdr);
        if ends.caller == Side::Outside && ends.callee != Side::Outside && !leg[1].is_empty() {
            return Mediated::NeedsPartner(group_of(leg));
        }
        Mediated::Call(self.call(cdr, ends))
    }

    /// A leg to a conference bridge.
    pub(super) fn conference_leg<'a>(&'a self, cdr: &Cdr<'a>) -> Mediated<'a> {
        let Some(conference) = Conference::of(self, cdr) else { return Mediated::NotACall(NotACall::ConferenceLeg) };
        if !conference.is_outside {
            return Mediated::NotACall(NotACall::ConferenceLeg);
        }
        if conference.leg[1].is_empty() {
            return Mediated::Suspended(self.unlinked(cdr, conference), MediationReason::ConferenceLegUnlinked);
        }
        Mediated::NeedsPartner(group_of(conference.leg))
    }

    /// Ties the records of one leg together: a verdict for each, in the same order.
    pub(super) fn link<'a>(&'a self, group: &[Cdr<'a>]) -> Vec<Assembled<'a>> {
        group
            .iter()
            .map(|cdr| match cdr.kind {
                Kind::Split { .. } => Assembled::Elsewhere,
                Kind::Joined { leg } => Assembled::Call(self.handed_over(cdr, self.came_in(group, cdr, leg))),
                Kind::Conference { leg, .. } => match Conference::of(self, cdr) {
                    Some(conference) => match self.came_in(group, cdr, leg) {
                        Some(came_in) => Assembled::Call(self.in_conference(cdr, conference, came_in)),
                        None => {
                            Assembled::Suspended(self.unlinked(cdr, conference), MediationReason::ConferenceLegUnlinked)
                        }
                    },
                    None => Assembled::Call(self.call(cdr, self.ends(cdr))),
                },
                _ => Assembled::Call(self.call(cdr, self.ends(cdr))),
            })
            .collect()
    }

    /// How the party of a leg came in: by the last call before that ended with the leg, a day before at most.
    fn came_in<'a>(&self, group: &[Cdr<'a>], cdr: &Cdr<'a>, leg: LegId<'a>) -> Option<CameIn<'a>> {
        let at = {
            let times = self.times(cdr);
            times.setup_at.unwrap_or(times.charging_at)
        };
        let (_, _, split, is_called) = group
            .iter()
            .filter_map(|split| {
                let Kind::Split { legs } = split.kind else { return None };
                let is_called = legs.iter().position(|of| *of == leg)? > 0;
                let times = self.times(split);
                let from = times.setup_at.unwrap_or(times.charging_at);
                let is_before = from <= at.plus(SLACK) && times.ended_at.plus(LONGEST_GAP) >= at;
                is_before.then_some((from, split.id, *split, is_called))
            })
            .max_by_key(|(from, id, ..)| (*from, *id))?;
        let ends = self.ends(&split);
        let side = if is_called { ends.callee } else { ends.caller };
        Some(match side {
            Side::Outside if is_called => CameIn::Called(split, ends),
            Side::Unclear if is_called && is_public(ends.called) => CameIn::Called(split, ends),
            Side::Outside | Side::Unclear => CameIn::Calls(ends),
            Side::Inside => CameIn::Inside(ends),
        })
    }

    /// A transferred call.
    fn handed_over<'a>(&'a self, cdr: &Cdr<'a>, came_in: Option<CameIn<'a>>) -> Call<'a> {
        let ends = self.ends(cdr);
        let Some(CameIn::Called(split, placed)) = came_in else { return self.call(cdr, ends) };
        let extension = ends.forwarder.and_then(Party::extension).or(placed.extension);
        let ends = Ends {
            line: None,
            caller: Side::Inside,
            callee: Side::Outside,
            calling: if ends.forwarder.is_some() { ends.called } else { placed.calling },
            called: placed.called,
            forwarder: ends.forwarder,
            extension,
            shown: placed.shown,
            access: placed.access,
        };
        self.call(&turned(cdr, &split), ends)
    }

    /// A participant outside, in a conference.
    fn in_conference<'a>(&'a self, cdr: &Cdr<'a>, conference: Conference<'a>, came_in: CameIn<'a>) -> Call<'a> {
        match came_in {
            CameIn::Called(split, placed) => {
                let has_controller = !matches!(conference.controller, Party::Missing);
                let controlling = if has_controller { conference.controller } else { placed.calling };
                let ends = Ends {
                    line: None,
                    caller: Side::Inside,
                    callee: Side::Outside,
                    calling: controlling,
                    called: placed.called,
                    forwarder: None,
                    extension: if has_controller { controlling.extension() } else { placed.extension },
                    shown: if has_controller { controlling.e164() } else { placed.shown },
                    access: placed.access,
                };
                let cdr = if conference.calls { turned(cdr, &split) } else { Cdr { dialled: split.dialled, ..*cdr } };
                self.call(&cdr, ends)
            }
            CameIn::Calls(placed) => self.call(cdr, Ends { callee: Side::Inside, caller: Side::Outside, ..placed }),
            CameIn::Inside(placed) => self.call(cdr, Ends { callee: Side::Inside, caller: Side::Inside, ..placed }),
        }
    }

    /// A participant outside of whom nothing tells who called whom: the controller's, as far as is known.
    fn unlinked<'a>(&'a self, cdr: &Cdr<'a>, conference: Conference<'a>) -> Call<'a> {
        let controlling = match conference.controller {
            Party::Missing => self.plan.normalise(cdr.calling, Role::CallingInside),
            controlling => controlling,
        };
        let ends = Ends {
            line: None,
            caller: Side::Inside,
            callee: Side::Outside,
            calling: controlling,
            called: conference.participant,
            forwarder: None,
            extension: controlling.extension(),
            shown: controlling.e164(),
            access: AccessCodes::default(),
        };
        self.call(cdr, ends)
    }
}

/// The record of a party that shows as the caller but was called: what it came in by is what the call goes out by.
fn turned<'a>(cdr: &Cdr<'a>, split: &Cdr<'a>) -> Cdr<'a> {
    Cdr { ingress: cdr.egress, egress: cdr.ingress, dialled: split.dialled, account: split.account, ..*cdr }
}

/// A leg to a conference bridge, read.
struct Conference<'a> {
    controller: Party<'a>,
    participant: Party<'a>,
    leg: LegId<'a>,
    /// Whether the participant is the record's calling party.
    calls: bool,
    is_outside: bool,
}

impl<'a> Conference<'a> {
    fn of(mediator: &Mediator, cdr: &Cdr<'a>) -> Option<Self> {
        let Kind::Conference { controller, participant, leg } = cdr.kind else { return None };
        let party = mediator.plan.normalise(participant, Role::CallingInside);
        let calls = participant == cdr.calling;
        let (line, partition) = if calls {
            (cdr.ingress, cdr.partitions.map(|(calling, _)| calling))
        } else {
            (cdr.egress, cdr.partitions.map(|(_, called)| called))
        };
        let side = match party {
            Party::Extension(_) => Side::Inside,
            // A bridge joined to a bridge.
            Party::Name(name) if is_bridge(name) => Side::Inside,
            Party::Missing if is_bridge(cdr.calling) => Side::Inside,
            _ if calls || participant == cdr.dialled || participant == cdr.reached => mediator.side_of(line, partition),
            _ => Side::Outside,
        };
        Some(Self {
            controller: mediator.plan.normalise(controller, Role::CallingInside),
            participant: party,
            leg,
            calls,
            is_outside: side != Side::Inside,
        })
    }
}
