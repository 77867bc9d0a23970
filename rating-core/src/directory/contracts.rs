//! The life of a contract, and what hangs on it.

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
