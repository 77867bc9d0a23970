//! What is known of a number when something is decided.

use std::fmt;

use crate::directory::contracts;
use crate::number::{Digits, E164};
use crate::time::{Duration, Instant};

/// Where a number stands in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum State {
    /// The directory does not have it. Never stored: it is how a number that is about to be provisioned is asked about.
    Absent,
    /// In the site's pool: nobody holds it.
    Available,
    /// Held by an organisation, and not in use.
    Reserved,
    /// Held, and a change is being made at the site.
    Pending(Towards),
    /// Held, and in use: the only state that carries calls for sure.
    Active,
    /// Taken from its last holder, and not to be used by anybody until the cool-off is over.
    Cooldown,
}

/// Where a change that is being made leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Towards {
    /// It is being put to use: ACTIVE when confirmed, RESERVED if it fails.
    Active,
    /// It is being taken out of use and stays with its holder: RESERVED when confirmed, ACTIVE if it fails.
    Reserved,
    /// Its holder's time ends: COOLDOWN when confirmed. It cannot fail, only be tried again.
    Cooldown,
}

impl State {
    /// The word: `AVAILABLE`, `RESERVED`, `PENDING`, `ACTIVE`, `COOLDOWN`, and `ABSENT` for a number that there is not.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Absent => "ABSENT",
            Self::Available => "AVAILABLE",
            Self::Reserved => "RESERVED",
            Self::Pending(_) => "PENDING",
            Self::Active => "ACTIVE",
            Self::Cooldown => "COOLDOWN",
        }
    }

    /// Whether an organisation holds a number in this state. A cooling number has a last holder, and none.
    #[must_use]
    pub const fn is_held(self) -> bool {
        matches!(self, Self::Reserved | Self::Pending(_) | Self::Active)
    }

    /// Whether a number in this state takes up a voice line: it is in use, or a change is under way after which it may
    /// be. What is under way counts, so that no outcome of it leaves more numbers in use than there are lines.
    #[must_use]
    pub const fn takes_line(self) -> bool {
        matches!(self, Self::Pending(_) | Self::Active)
    }
}

/// What kind of number it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A direct number, for a person, a device or a place.
    #[default]
    Direct,
    /// Nominated as a main number: it takes and distributes an organisation's calls, and places none.
    Main,
}

impl Kind {
    /// The word of the directory's tables: `ddi` or `main`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Direct => "ddi",
            Self::Main => "main",
        }
    }
}

/// Where a number came from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Origin {
    /// Provisioned at the site.
    #[default]
    Own,
    /// Brought from another network.
    Ported,
}

impl Origin {
    /// The word: `own` or `ported`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Ported => "ported",
        }
    }
}

/// Who holds a number, by id.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Holder {
    /// The operator itself: it needs no contract, and its lines are not counted.
    Operator(String),
    /// An occupier.
    Occupier(String),
}

impl Holder {
    /// The id, as rows of allocations have it.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::Operator(id) | Self::Occupier(id) => id,
        }
    }

    /// Whether it is the operator.
    #[must_use]
    pub const fn is_operator(&self) -> bool {
        matches!(self, Self::Operator(_))
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

/// Whom or what an active number is given to, by id.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Assignee {
    /// A person. The number cannot be deactivated while it is theirs.
    User(String),
    /// A device.
    Device(String),
    /// A place that several people share.
    Place(String),
    /// A softphone.
    Softphone(String),
}

impl Assignee {
    /// The word for what it is: `user`, `device`, `place`, `softphone`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::User(_) => "user",
            Self::Device(_) => "device",
            Self::Place(_) => "place",
            Self::Softphone(_) => "softphone",
        }
    }

    /// The id.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::User(id) | Self::Device(id) | Self::Place(id) | Self::Softphone(id) => id,
        }
    }
}

/// A number kept for an organisation that may become an occupier. It produces no charges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// The prospect's id: the id that it has once it is an occupier.
    pub prospect: String,
    /// From when on the hold counts no more.
    pub until: Instant,
    /// How many lines the prospect is about to contract, if that is known.
    pub contracted_lines: Option<u32>,
}

/// How long a number cools off, in days of 24 hours: 1 to 999.
///
/// # Example
///
/// ```
/// use rating_core::directory::lifecycle::CoolOff;
/// assert_eq!(CoolOff::default().days(), 90);
/// assert_eq!(CoolOff::new(0), None);
/// assert_eq!(CoolOff::new(1_000), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CoolOff(u16);

impl CoolOff {
    /// The fewest and the most days.
    pub const DAYS: std::ops::RangeInclusive<u16> = 1..=999;

    /// So many days, if they are 1 to 999.
    #[must_use]
    pub fn new(days: u16) -> Option<Self> {
        Self::DAYS.contains(&days).then_some(Self(days))
    }

    /// In days.
    #[must_use]
    pub const fn days(self) -> u16 {
        self.0
    }

    /// When a cool-off that begins at `at` is over.
    #[must_use]
    pub fn end(self, at: Instant) -> Instant {
        at.plus(Duration::from_seconds(i64::from(self.0) * 86_400))
    }
}

impl Default for CoolOff {
    /// 90 days.
    fn default() -> Self {
        Self(90)
    }
}

/// What is known of a number when something is decided: its own facts, which events change, and what is around it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The number.
    pub number: E164,
    /// The one site it belongs to, by id; of an absent number, the site at which it is to be provisioned.
    pub site: String,
    /// Whether it is nominated as a main number.
    pub kind: Kind,
    /// Where it came from.
    pub origin: Origin,
    /// Where it stands in its life.
    pub state: State,
    /// Who holds it: somebody exactly while [`State::is_held`].
    pub holder: Option<Holder>,
    /// Whether it has been in use under the present allocation.
    pub used: bool,
    /// Its extension, while it is held.
    pub extension: Option<Digits>,
    /// Whom or what it is given to.
    pub assigned: Option<Assignee>,
    /// The device that is logged in to it.
    pub logged_in: Option<String>,
    /// What its holder calls it.
    pub label: Option<String>,
    /// When its cool-off is over, while it cools off.
    pub cool_off_until: Option<Instant>,
    /// Its own length of cool-off, in place of the site's.
    pub cool_off: Option<CoolOff>,
    /// Who held it last. Late calls are not theirs by this, but by the dated allocation.
    pub last_holder: Option<Holder>,
    /// The prospect it is kept for; may be over.
    pub hold: Option<Hold>,
    /// When it changed last. Nothing is decided for an earlier instant.
    pub changed_at: Option<Instant>,
    /// What the caller looked up.
    pub around: Around,
}

/// What the caller looked up beside the number, all at the instant of the decision. *The holder* is the proposed one in
/// [`Command::Allocate`](super::Command::Allocate) and [`Command::PortIn`](super::Command::PortIn), the present one
/// otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Around {
    /// Where the holder's contracts at the site stand: the greatest of their states, `None` without any.
    pub contract: Option<contracts::State>,
    /// How many voice lines the holder has at the site: the sum over its services that are active.
    pub lines: u32,
    /// How many numbers of the holder take up a line there ([`State::takes_line`]), main numbers included.
    pub in_use: u32,
    /// Whether the holder has another number at the site that is nominated as main.
    pub has_main_number: bool,
    /// Whether the extension that is asked for belongs to another holder at the site.
    pub extension_taken: bool,
    /// Whether the site confirms changes: if so they are PENDING until it does, otherwise they are done at once.
    pub confirms: bool,
    /// How long numbers of the site cool off.
    pub cool_off: CoolOff,
}

impl Facts {
    /// A number that the directory does not have, asked about for a site.
    #[must_use]
    pub fn absent(number: E164, site: impl Into<String>) -> Self {
        Self {
            number,
            site: site.into(),
            kind: Kind::Direct,
            origin: Origin::Own,
            state: State::Absent,
            holder: None,
            used: false,
            extension: None,
            assigned: None,
            logged_in: None,
            label: None,
            cool_off_until: None,
            cool_off: None,
            last_holder: None,
            hold: None,
            changed_at: None,
            around: Around::default(),
        }
    }

    /// The hold that counts at an instant.
    #[must_use]
    pub fn hold_at(&self, at: Instant) -> Option<&Hold> {
        self.hold.as_ref().filter(|hold| at < hold.until)
    }

    /// How long it would cool off: its own length, or the site's.
    #[must_use]
    pub fn length_of_cool_off(&self) -> CoolOff {
        self.cool_off.unwrap_or(self.around.cool_off)
    }
}
