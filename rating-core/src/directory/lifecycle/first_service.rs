//! Numbers for an organisation's first voice service at a site.

use super::batch::{Outcome, Tally};
use super::event::{Command, Event, apply};
use super::facts::{Facts, Holder, Kind};
use crate::number::{Digits, E164};
use crate::time::Instant;

/// A voice service that begins.
#[derive(Clone, Copy, Debug)]
pub struct FirstService<'a> {
    /// Whose.
    pub holder: &'a Holder,
    /// How many lines it brings. The lines [around](super::Around) the numbers include them.
    pub lines: u32,
    /// Whether the holder has had a voice service at the site before. If so, nothing is automatic.
    pub had_service: bool,
    /// Whether the site picks a main number as well, for a holder that has none there.
    pub with_main_number: bool,
    /// The holder's numbers at the site that are RESERVED.
    pub reserved: &'a [Facts],
    /// The site's numbers that are AVAILABLE, with what is around the holder.
    pub pool: &'a [Facts],
    /// Extensions that nobody has, for numbers from the pool, in order; numbers beyond them get none.
    pub extensions: &'a [Digits],
}

/// What happens when a first voice service begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// What to append, in its order.
    pub events: Vec<Event>,
    /// The numbers put to use, in their order: reserved ones first.
    pub numbers: Vec<E164>,
    /// How many lines stay without a number. The service begins all the same.
    pub shortage: u32,
    /// Numbers that were looked at and not taken, with the reason.
    pub passed_over: Vec<Outcome>,
}

/// Chooses the numbers for a first voice service and puts them to use, as many as it has lines.
///
/// The order: the holder's reserved numbers, its main number first, the others ascending; if it has no main number and the
/// site picks one, the lowest in the pool that is nominated; then direct numbers from the pool, ascending. A number kept
/// for somebody else is passed over. What there is too little of is the plan's shortage, and what could be allocated is.
#[must_use]
pub fn first_service(service: &FirstService<'_>, at: Instant) -> Plan {
    let mut plan = Plan::default();
    if service.had_service {
        return plan;
    }
    let mut reserved: Vec<&Facts> = service.reserved.iter().collect();
    reserved.sort_by_key(|facts| (facts.kind != Kind::Main, facts.number));
    let mut pool: Vec<&Facts> = service.pool.iter().collect();
    pool.sort_by_key(|facts| (facts.kind != Kind::Main, facts.number));
    let (mains, directs) = pool.split_at(pool.partition_point(|facts| facts.kind == Kind::Main));

    let mut work = Work { tally: Tally::default(), plan: &mut plan, wanted: service.lines, at };
    for facts in reserved.iter().copied() {
        work.take(facts, &[Command::Activate]);
    }
    let mut extensions = service.extensions.iter().copied();
    let has_main = service.reserved.iter().chain(service.pool).any(|facts| facts.around.has_main_number)
        || reserved.first().is_some_and(|facts| facts.kind == Kind::Main);
    let mut main_wanted = service.with_main_number && !has_main;
    for facts in mains.iter().chain(directs).copied() {
        if facts.kind == Kind::Main && !main_wanted {
            continue;
        }
        let extension = extensions.clone().next();
        let allocate = Command::Allocate { holder: service.holder.clone(), extension };
        if work.take(facts, &[allocate, Command::Activate]) {
            extensions.next();
            main_wanted &= facts.kind != Kind::Main;
        }
    }
    plan.shortage = service.lines.saturating_sub(u32::try_from(plan.numbers.len()).unwrap_or(u32::MAX));
    plan
}

struct Work<'p> {
    tally: Tally,
    plan: &'p mut Plan,
    wanted: u32,
    at: Instant,
}

impl Work<'_> {
    /// Does all the commands to a number, or none; `true` if it did.
    fn take(&mut self, facts: &Facts, commands: &[Command]) -> bool {
        if self.wanted == 0 {
            return false;
        }
        let mut tally = self.tally.clone();
        let mut facts = facts.clone();
        let mut events = Vec::new();
        for command in commands {
            let outcome = tally.decide(&facts, command, self.at);
            match outcome.result {
                Ok(more) => {
                    facts = more.iter().fold(facts, |facts, event| apply(&facts, event));
                    events.extend(more);
                }
                Err(_) => {
                    self.plan.passed_over.push(outcome);
                    return false;
                }
            }
        }
        self.tally = tally;
        self.plan.events.extend(events);
        self.plan.numbers.push(facts.number);
        self.wanted -= 1;
        true
    }
}
