//! The life of a number: who may hold it, and what happens to it.
//!
//! A command is decided from [`Facts`], which the caller has looked up, at an instant, which the caller's clock gives:
//! [`decide`] answers with the [`Event`]s to append to the history or with the [`Refusal`](super::refusal::Refusal) that says
//! why not. [`apply`] says what is known after an event, so that a history can be replayed. Nothing here stores anything.
//!
//! # States
//!
//! ```text
//! provision ──► AVAILABLE ──allocate──► RESERVED ──activate──► PENDING ──confirm──► ACTIVE
//!                  ▲  ▲                  │ │  ▲ ▲                 │                 │  │
//!                  │  └─ deallocate, ────┘ │  │ └──────fail───────┘                 │  │
//!                  │     never used        │  └───confirm─── PENDING ◄──deactivate──┘  │
//!                  │                       │ deallocate, used before; end              │
//!                  └─cool-off over──── COOLDOWN ◄──confirm── PENDING ◄──end────────────┘
//!
//! port in ──► RESERVED
//! ```
//!
//! | state | held | carries calls | may be activated | may be deallocated |
//! | --- | --- | --- | --- | --- |
//! | AVAILABLE | no | no | no | no |
//! | RESERVED | yes | no | if a voice line is free | yes |
//! | PENDING | yes | not yet, or not any more | no | no |
//! | ACTIVE | yes | yes | no | no |
//! | COOLDOWN | no; its last holder is known | no | no | no |
//!
//! Where a site does not confirm changes, PENDING lasts for no time: both its events come at once.
//!
//! # Rules
//!
//! - **One holder.** A number belongs to one site and has one holder at a time. An occupier needs a contract at the site that
//!   runs or is upcoming: numbers may be known before the lease starts. The operator needs none.
//! - **Lines.** Each number that is ACTIVE or PENDING takes up a voice line of its holder at the site, the main number too.
//!   The operator's own lines are not counted. Lines that end take nothing away by themselves.
//! - **Cool-off.** A number that was in use does not pass from one holder to the next without a cool-off, 90 days unless
//!   the site or the number says otherwise, and unless somebody releases it with a reason. Its holder's allocation ends when the
//!   cool-off begins; calls that are recorded late go to whoever held the number at their time. Ordinary deactivation
//!   ends no allocation and so needs no cool-off. (Decision 0015.)
//! - **Ends.** What ends with its holder's services, contract or existence cannot go back: a change that fails is made again.
//!   The end of services or of a contract logs handsets out; a decommission waits until they are logged out.
//! - **Main numbers.** One for each organisation and site, given to nobody and to no handset. A number is nominated, or its
//!   nomination withdrawn, only while nobody can have called from it: the kind of a number is not dated.
//! - **Holds.** A number kept for a prospect is allocated to nobody but the occupier of the prospect's id, until the hold is
//!   over; it produces no charges, since nobody holds it.
//!
//! # Many numbers
//!
//! [`decide_each`] decides a range or an import, each command as if those before it had been done. [`first_service`] chooses
//! and activates numbers when an organisation's first voice service at a site begins.
//!
//! # Example: a number moves from one occupier to another
//!
//! ```
//! use rating_core::directory::contracts;
//! use rating_core::directory::lifecycle::*;
//! use rating_core::number::E164;
//! use rating_core::time::Instant;
//!
//! let at = |text: &str| Instant::parse_rfc3339(text).unwrap();
//! let mut facts = Facts::absent(E164::parse(b"+442079460001").unwrap(), "ldn");
//! facts.around.contract = Some(contracts::State::Active);
//! facts.around.lines = 5;
//! let mut history: Vec<Event> = Vec::new();
//! let mut ask = |command: Command, when: &str| {
//!     let events = decide(&facts, &command, at(when)).map_err(|refusal| refusal.code)?;
//!     facts = events.iter().fold(facts.clone(), |facts, event| apply(&facts, event));
//!     history.extend(events);
//!     Ok::<_, &str>(facts.state.name())
//! };
//!
//! let holder = |id: &str| Holder::Occupier(id.to_owned());
//! let provision = Command::Provision { kind: Kind::Direct, origin: Origin::Own, cool_off: CoolOff::new(30) };
//! assert_eq!(ask(provision, "2026-01-05T09:00:00Z"), Ok("AVAILABLE"));
//! let to_acme = Command::Allocate { holder: holder("acme"), extension: None };
//! assert_eq!(ask(to_acme, "2026-02-01T09:00:00Z"), Ok("RESERVED"));
//! assert_eq!(ask(Command::Activate, "2026-02-01T09:05:00Z"), Ok("ACTIVE"));
//! assert_eq!(ask(Command::Deallocate, "2026-05-31T08:00:00Z"), Err("number.not_reserved"));
//! assert_eq!(ask(Command::End(Ending::Contract), "2026-06-01T00:00:00Z"), Ok("COOLDOWN"));
//!
//! let to_birch = Command::Allocate { holder: holder("birch"), extension: None };
//! assert_eq!(ask(to_birch.clone(), "2026-06-15T09:00:00Z"), Err("number.not_available"));
//! assert_eq!(ask(Command::EndCoolOff, "2026-07-01T00:00:00Z"), Ok("AVAILABLE"));
//! assert_eq!(ask(to_birch, "2026-07-01T09:00:00Z"), Ok("RESERVED"));
//!
//! // Who pays for a call is told by the dated allocations: acme's ended with June's first instant.
//! let ended = history.iter().find_map(|event| match event.allocation() {
//!     Some(AllocationChange::Ended { until }) => Some(until),
//!     _ => None,
//! });
//! assert_eq!(ended, Some(at("2026-06-01T00:00:00Z")));
//! ```

mod batch;
mod decide;
mod event;
mod facts;
mod first_service;
mod refusals;

pub use batch::{Batch, Mode, Outcome, decide_each};
pub use decide::{LONGEST_LABEL, LONGEST_REASON, decide, may_configure};
pub use event::{AllocationChange, Change, Command, Ending, Event, apply};
pub use facts::{Around, Assignee, CoolOff, Facts, Hold, Holder, Kind, Origin, State, Towards};
pub use first_service::{FirstService, Plan, first_service};
pub use refusals::{CODES, cool_off_malformed};

#[cfg(test)]
mod tests;
