//! The life of a contract, and what hangs on it.
//!
//! A contract models an agreement made elsewhere: an occupier may use a site from one instant until another. Nothing else can be
//! done for an occupier at a site without one. Where it stands follows from its [`Terms`] and the instant alone; nothing has to
//! happen for a contract to begin or to end.
//!
//! ```text
//!            from              until
//! UPCOMING ───┼──── ACTIVE ──────┼─── COMPLETED
//!    │ discard        ▲                   │ re-activate
//!    ▼                └───────────────────┘
//!   gone
//! ```
//!
//! # Rules
//!
//! - **Dates** are days of the site, and half-open: `until` is the first moment after the last day. Moving out is always the
//!   contract's end; moving in is not before its start.
//! - **The past stays.** An end is set while it lies ahead; a start that has passed moves only further back.
//! - **Services** hang on a contract and begin with it, not with their assignment ([`assign_service`]). Their stored time
//!   is what was asked for, and [`service_time`] what the contract leaves of it, so that they follow the contract when it is
//!   edited.
//! - **The switch to deprovision** ends services and numbers with the contract ([`deprovisioned_at`]). Without it they stay:
//!   calls are charged to their holder all the same.
//! - **Re-activation** undoes an end as if there had been none, but brings back no number that has left.
//!
//! # Example: an end with the switch, and without
//!
//! ```
//! use rating_core::directory::contracts::{State, Terms, deprovisioned_at, service_time};
//! use rating_core::time::{Interval, Zone};
//!
//! let london = Zone::load("Europe/London").unwrap();
//! let day = |text: &str| london.bound(text).unwrap();
//! let term = Interval { from: day("2026-01-01"), until: day("2026-07-01") };
//! let terms = Terms { term, deprovision: true, move_in: None };
//! assert_eq!(terms.state(day("2026-06-30")), State::Active);
//! assert_eq!(terms.state(day("2026-07-01")), State::Completed);
//!
//! // Asked for without end, and from before the contract.
//! let asked = Interval { from: day("2025-12-01"), ..Interval::ALWAYS };
//! assert_eq!(service_time(asked, &terms), term);
//! assert_eq!(deprovisioned_at(&terms, day("2026-08-01")), Some(day("2026-07-01")));
//!
//! let stays = Terms { deprovision: false, ..terms };
//! assert_eq!(service_time(asked, &stays), Interval { from: term.from, ..Interval::ALWAYS });
//! assert_eq!(deprovisioned_at(&stays, day("2026-08-01")), None);
//! ```

mod decide;
mod services;

pub use decide::{CODES, Change, Command, Event, Facts, apply, decide};
pub use services::{SERVICE_CODES, assign_service, deprovisioned_at, entitled_lines, service_time};

use crate::time::{Instant, Interval};

/// Where a contract stands at an instant. In order: of several contracts of one occupier at one site, the greatest says
/// where the occupier stands there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum State {
    /// It has ended.
    Completed,
    /// It has not begun.
    Upcoming,
    /// It runs.
    Active,
}

impl State {
    /// The word: `COMPLETED`, `UPCOMING`, `ACTIVE`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Completed => "COMPLETED",
            Self::Upcoming => "UPCOMING",
            Self::Active => "ACTIVE",
        }
    }
}

/// What a contract says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// When it runs; [`Instant::MAX`] as its end is *no end date*.
    pub term: Interval,
    /// Whether services and numbers end with it.
    pub deprovision: bool,
    /// When the occupier moves in, if it rents space. It moves out when the contract ends.
    pub move_in: Option<Instant>,
}

impl Terms {
    /// Where the contract stands.
    #[must_use]
    pub fn state(&self, at: Instant) -> State {
        match self.term {
            term if at < term.from => State::Upcoming,
            term if at < term.until => State::Active,
            _ => State::Completed,
        }
    }

    /// When the occupier has its space: from moving in until the contract's end.
    #[must_use]
    pub fn occupancy(&self) -> Option<Interval> {
        self.move_in.map(|from| Interval { from, until: self.term.until })
    }
}

/// Where an occupier stands at a site, by all its contracts there that were not discarded; `None` without any.
#[must_use]
pub fn standing<'t>(contracts: impl IntoIterator<Item = &'t Terms>, at: Instant) -> Option<State> {
    contracts.into_iter().map(|terms| terms.state(at)).max()
}

#[cfg(test)]
mod tests;
