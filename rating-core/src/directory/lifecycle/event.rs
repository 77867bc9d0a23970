//! What may be asked of a number, and what then happens to it.

use super::facts::{Assignee, CoolOff, Facts, Hold, Holder, Kind, Origin, State, Towards};
use crate::number::{Digits, E164};
use crate::time::Instant;

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Takes the number into the site's pool.
    Provision {
        /// Whether it is nominated as a main number from the beginning.
        kind: Kind,
        /// Where it came from.
        origin: Origin,
        /// Its own length of cool-off, if it is not to be the site's.
        cool_off: Option<CoolOff>,
    },
    /// Takes a number from another network, for the organisation that brings it.
    PortIn {
        /// Who brings it.
        holder: Holder,
        /// Its extension.
        extension: Option<Digits>,
        /// Whether it is to be a main number.
        kind: Kind,
    },
    /// Marks it as able to be a main number.
    Nominate,
    /// Takes that back.
    WithdrawNomination,
    /// Sets its own length of cool-off; `None`: the site's.
    SetCoolOff(Option<CoolOff>),
    /// Keeps it for a prospect, or prolongs that.
    Hold(Hold),
    /// Ends the hold.
    Unhold,
    /// Reserves it for an organisation.
    Allocate {
        /// For whom.
        holder: Holder,
        /// Its extension.
        extension: Option<Digits>,
    },
    /// Puts it to use.
    Activate,
    /// The site has made the change that was under way.
    Confirm,
    /// The site could not make the change.
    Fail {
        /// What it said.
        reason: String,
    },
    /// Gives it to a person, a device, a place or a softphone.
    Assign(Assignee),
    /// Takes it from them.
    Unassign,
    /// A device logs in to it.
    LogIn {
        /// Which.
        device: String,
    },
    /// The device is logged out.
    LogOut,
    /// Calls it something; `None`: nothing.
    Label(Option<String>),
    /// Takes it out of use. It stays with its holder.
    Deactivate,
    /// Takes it from its holder, whose time at the site ends.
    End(Ending),
    /// Takes it from its holder, who keeps others.
    Deallocate,
    /// Ends its cool-off early.
    Release {
        /// Why.
        reason: String,
    },
    /// Ends its cool-off when it is due.
    EndCoolOff,
}

impl Command {
    /// A stable word for it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Provision { .. } => "provision",
            Self::PortIn { .. } => "port_in",
            Self::Nominate => "nominate",
            Self::WithdrawNomination => "withdraw_nomination",
            Self::SetCoolOff(_) => "set_cool_off",
            Self::Hold(_) => "hold",
            Self::Unhold => "unhold",
            Self::Allocate { .. } => "allocate",
            Self::Activate => "activate",
            Self::Confirm => "confirm",
            Self::Fail { .. } => "fail",
            Self::Assign(_) => "assign",
            Self::Unassign => "unassign",
            Self::LogIn { .. } => "log_in",
            Self::LogOut => "log_out",
            Self::Label(_) => "label",
            Self::Deactivate => "deactivate",
            Self::End(_) => "end",
            Self::Deallocate => "deallocate",
            Self::Release { .. } => "release",
            Self::EndCoolOff => "end_cool_off",
        }
    }
}

/// Why a holder's time ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Ending {
    /// Its last voice service at the site ends.
    Services,
    /// Its contract ends, with its services.
    Contract,
    /// It is decommissioned at every site. The only ending that waits for handsets to be logged out.
    Decommission,
}

/// Something that happened to a number: what the history gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// To which number.
    pub number: E164,
    /// From when on it holds.
    pub at: Instant,
    /// What happened.
    pub change: Change,
}

/// What happened to a number. Each says what changes; whatever it does not name stays.
///
/// Labels, assignees and devices may be personal data, which stands outside the history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It came into the pool of a site: AVAILABLE.
    Provisioned {
        /// Which site.
        site: String,
        /// What kind of number.
        kind: Kind,
        /// From where.
        origin: Origin,
        /// Its own length of cool-off.
        cool_off: Option<CoolOff>,
    },
    /// It can be a main number.
    Nominated,
    /// It can be a main number no more.
    NominationWithdrawn,
    /// Its own length of cool-off was set.
    CoolOffSet(Option<CoolOff>),
    /// It is kept for a prospect.
    Held(Hold),
    /// It is kept for nobody.
    Unheld,
    /// An allocation begins: RESERVED.
    Allocated {
        /// For whom.
        holder: Holder,
        /// Its extension.
        extension: Option<Digits>,
    },
    /// It is being put to use: PENDING.
    ActivationBegun,
    /// It is in use: ACTIVE.
    Activated,
    /// It could not be put to use: RESERVED.
    ActivationFailed {
        /// What the site said.
        reason: String,
    },
    /// It was given to somebody or something.
    Assigned(Assignee),
    /// It was taken from them.
    Unassigned,
    /// A device logged in.
    LoggedIn {
        /// Which.
        device: String,
    },
    /// The device was logged out.
    LoggedOut,
    /// It is called something, or nothing.
    Labelled(Option<String>),
    /// It is being taken out of use: PENDING.
    DeactivationBegun {
        /// What becomes of it: [`Towards::Reserved`] or [`Towards::Cooldown`].
        towards: Towards,
    },
    /// It is out of use, given to nobody, and stays with its holder: RESERVED.
    Deactivated,
    /// It could not be taken out of use: ACTIVE.
    DeactivationFailed {
        /// What the site said.
        reason: String,
    },
    /// The allocation ends, with all that its holder had set; the number was never in use by them: AVAILABLE.
    Deallocated,
    /// The allocation ends, with all that its holder had set: COOLDOWN.
    CoolOffBegun {
        /// When the cool-off will be over.
        until: Instant,
    },
    /// The cool-off was ended early: AVAILABLE.
    Released {
        /// Why.
        reason: String,
    },
    /// The cool-off is over: AVAILABLE.
    CoolOffEnded,
}

/// What an event does to the dated allocations, which say who pays for a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AllocationChange<'e> {
    /// A new row, open at its end.
    Begun {
        /// Who holds.
        holder: &'e Holder,
        /// The extension.
        extension: Option<Digits>,
        /// From when.
        from: Instant,
    },
    /// A row that supersedes the open one, with this end. If it is also the beginning, nobody ever held the number:
    /// the row is taken back.
    Ended {
        /// The first instant at which the holder does not hold it any more.
        until: Instant,
    },
}

impl Event {
    /// A stable word for what happened.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self.change {
            Change::Provisioned { .. } => "provisioned",
            Change::Nominated => "nominated",
            Change::NominationWithdrawn => "nomination_withdrawn",
            Change::CoolOffSet(_) => "cool_off_set",
            Change::Held(_) => "held",
            Change::Unheld => "unheld",
            Change::Allocated { .. } => "allocated",
            Change::ActivationBegun => "activation_begun",
            Change::Activated => "activated",
            Change::ActivationFailed { .. } => "activation_failed",
            Change::Assigned(_) => "assigned",
            Change::Unassigned => "unassigned",
            Change::LoggedIn { .. } => "logged_in",
            Change::LoggedOut => "logged_out",
            Change::Labelled(_) => "labelled",
            Change::DeactivationBegun { .. } => "deactivation_begun",
            Change::Deactivated => "deactivated",
            Change::DeactivationFailed { .. } => "deactivation_failed",
            Change::Deallocated => "deallocated",
            Change::CoolOffBegun { .. } => "cool_off_begun",
            Change::Released { .. } => "released",
            Change::CoolOffEnded => "cool_off_ended",
        }
    }

    /// What it does to the dated allocations, if anything.
    #[must_use]
    pub const fn allocation(&self) -> Option<AllocationChange<'_>> {
        match &self.change {
            Change::Allocated { holder, extension } => {
                Some(AllocationChange::Begun { holder, extension: *extension, from: self.at })
            }
            Change::Deallocated | Change::CoolOffBegun { .. } => Some(AllocationChange::Ended { until: self.at }),
            _ => None,
        }
    }
}

/// What is known of the number after an event. What is [around](Facts::around) it stays as it was: it is looked up anew
/// for each decision.
#[must_use]
pub fn apply(facts: &Facts, event: &Event) -> Facts {
    let mut facts = facts.clone();
    facts.changed_at = Some(event.at);
    match &event.change {
        Change::Provisioned { site, kind, origin, cool_off } => {
            facts.site.clone_from(site);
            (facts.kind, facts.origin, facts.cool_off) = (*kind, *origin, *cool_off);
            facts.state = State::Available;
        }
        Change::Nominated => facts.kind = Kind::Main,
        Change::NominationWithdrawn => facts.kind = Kind::Direct,
        Change::CoolOffSet(cool_off) => facts.cool_off = *cool_off,
        Change::Held(hold) => facts.hold = Some(hold.clone()),
        Change::Unheld => facts.hold = None,
        Change::Allocated { holder, extension } => {
            facts.state = State::Reserved;
            facts.holder = Some(holder.clone());
            facts.extension = *extension;
            facts.used = false;
        }
        Change::ActivationBegun => facts.state = State::Pending(Towards::Active),
        Change::Activated => {
            facts.state = State::Active;
            facts.used = true;
        }
        Change::ActivationFailed { .. } => facts.state = State::Reserved,
        Change::Deactivated => {
            facts.state = State::Reserved;
            facts.assigned = None;
        }
        Change::Assigned(to) => facts.assigned = Some(to.clone()),
        Change::Unassigned => facts.assigned = None,
        Change::LoggedIn { device } => facts.logged_in = Some(device.clone()),
        Change::LoggedOut => facts.logged_in = None,
        Change::Labelled(label) => facts.label.clone_from(label),
        Change::DeactivationBegun { towards } => facts.state = State::Pending(*towards),
        Change::DeactivationFailed { .. } => facts.state = State::Active,
        Change::Deallocated => part(&mut facts, State::Available),
        Change::CoolOffBegun { until } => {
            part(&mut facts, State::Cooldown);
            facts.cool_off_until = Some(*until);
        }
        Change::Released { .. } | Change::CoolOffEnded => {
            facts.state = State::Available;
            facts.cool_off_until = None;
        }
    }
    facts
}

/// The holder goes, with all that was theirs.
fn part(facts: &mut Facts, state: State) {
    facts.state = state;
    facts.last_holder = facts.holder.take();
    (facts.extension, facts.assigned, facts.logged_in, facts.label) = (None, None, None, None);
    facts.used = false;
}
