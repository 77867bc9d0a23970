//! Calls that were put together from several records, and records that wait.

use super::super::calls::{Found, Member, MemberRole, Waiting};
use super::super::codes;
use super::view::{self, AssemblyView, MemberView};
use super::{Audience, Explainer, Explanation};
use crate::attribution::AttributedCall;
use crate::cdr::{Kind, PartRole};
use crate::mediation::Direction;
use crate::time::Zone;

impl Explainer<'_> {
    /// The records of a call that has several. An occupier is told what they are and when, not where they stand; numbers of
    /// other parties are in none.
    pub(super) fn assembly(&self, found: &Found<'_>, call: &AttributedCall<'_, '_>) -> Option<AssemblyView> {
        if found.members.is_empty() {
            return None;
        }
        let zone = self.zone(call.holder.map_or(found.call.site, |holder| holder.site));
        let records = found.members.iter().map(|member| {
            let role = match member.role {
                MemberRole::Stands => "stands for the call",
                MemberRole::Merged => "merged",
                MemberRole::Tells => "tells how a party came in",
            };
            self.member(member, role, zone)
        });
        Some(AssemblyView {
            because: because(found).to_owned(),
            waits_for: None,
            help: None,
            records: records.collect(),
        })
    }

    /// A record that waits. Nobody pays for it yet, so it is the operator's alone.
    pub(super) fn waiting(&self, waiting: &Waiting<'_>, call: &AttributedCall<'_, '_>) -> Option<Explanation> {
        if !self.is_for_operator() {
            return None;
        }
        let zone = self.zone(waiting.alone.site);
        Some(Explanation {
            audience: Audience::Operator.name(),
            record: Some(self.record(&waiting.alone)),
            call: self.call(call),
            holder: self.holder(call),
            sides: Vec::new(),
            assembly: Some(AssemblyView {
                because: format!("{}: nothing is charged for it until then", waiting.waits_for.words()),
                waits_for: Some(waiting.waits_for.code()),
                help: Some(codes::help(waiting.waits_for.code())),
                records: waiting.with.iter().map(|member| self.member(member, "waits", zone)).collect(),
            }),
        })
    }

    fn member(&self, member: &Member<'_>, role: &'static str, zone: &Zone) -> MemberView {
        let call = &member.alone;
        let place = || {
            let record = self.record(call);
            format!("{}@{}", record.file, record.offset)
        };
        MemberView {
            record: self.is_for_operator().then(place),
            what: what(member.kind),
            role,
            setup_at: call.setup_at.map(|at| zone.format(at)),
            answered_at: call.answered_at.map(|at| zone.format(at)),
            talk_s: view::seconds(call.duration),
        }
    }
}

/// What a record is, by its kind.
fn what(kind: Kind<'_>) -> String {
    match kind {
        Kind::LocalHalf { .. } => "half of a `Local` channel".to_owned(),
        Kind::Conference { .. } => "conference leg".to_owned(),
        Kind::Split { .. } => "call until its parties were joined with others".to_owned(),
        Kind::Joined { .. } => "transferred call".to_owned(),
        Kind::Part(part) => match part.role {
            PartRole::Leg { rank: 0 } => "leg of whoever called".to_owned(),
            PartRole::Leg { rank } => format!("leg {rank}"),
            PartRole::Begin => "beginning".to_owned(),
            PartRole::End => "end".to_owned(),
            PartRole::Interim => "interim record".to_owned(),
            PartRole::Final => "final record".to_owned(),
            PartRole::Segment { number: 0, .. } => "stretch".to_owned(),
            PartRole::Segment { number, .. } => format!("stretch {number}"),
            PartRole::Revision => "revision".to_owned(),
        },
        Kind::Call | Kind::NotACall(_) => "call".to_owned(),
    }
}

/// Which record stands for a call of several, and who pays, in a sentence.
fn because(found: &Found<'_>) -> &'static str {
    let call = &found.call;
    let is_out = matches!(call.direction, Direction::Outbound | Direction::Forwarded);
    match found.kind {
        Kind::LocalHalf { .. } if is_out && call.forwarder.is_some() => {
            "the half that went out stands for the call, with its talk time; the other tells who called whom, and whoever \
             sent the call on pays"
        }
        Kind::LocalHalf { .. } if is_out => {
            "the half that went out stands for the call, with its talk time; the other tells who called, and that party pays"
        }
        Kind::LocalHalf { .. } => "the half by which the call came in, or was answered, stands for it",
        Kind::Conference { .. } if is_out => {
            "somebody inside had called the party outside, which was then in a conference: whoever controlled it pays for \
             that time as for a call to the number"
        }
        Kind::Conference { .. } if found.suspended.is_some() => "nothing tells who called whom before the conference",
        Kind::Conference { .. } => {
            "the party had called from outside, or is inside: its time in the conference is not charged"
        }
        Kind::Joined { .. } if is_out => {
            "somebody inside had called the party outside, which was then handed over: whoever handed it over pays from then \
             on"
        }
        Kind::Joined { .. } => "the party that was handed over had called from outside",
        Kind::Part(part) => match part.role {
            PartRole::Leg { .. } if found.members.iter().any(|member| placed(member, part.role)) => {
                "the leg that leads outside stands for the call, with its own talk time; the leg placed first tells who \
                 called whom, and whoever sent the call on pays"
            }
            PartRole::Leg { .. } => "the leg of whoever placed the call stands for it; that party pays, and once",
            PartRole::Begin => {
                "the time from the answer to the first end behind it is the talk time; whoever called pays"
            }
            PartRole::Final | PartRole::Interim => {
                "the final record has the whole call; those before it were written on the way"
            }
            PartRole::Segment { .. } => {
                "stretches that lead the same way are one call, and their talk time counts together; whoever placed the first \
                 or sent the call on pays"
            }
            PartRole::Revision => "the record was written again, and the last one counts",
            PartRole::End => "",
        },
        Kind::Call | Kind::Split { .. } | Kind::NotACall(_) => "",
    }
}

/// Whether a record is a leg placed before one of a role.
fn placed(member: &Member<'_>, role: PartRole) -> bool {
    matches!(member.kind, Kind::Part(part) if matches!(part.role, PartRole::Leg { .. }) && part.role < role)
}
