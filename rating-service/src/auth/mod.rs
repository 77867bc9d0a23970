//! Who asks, and what they may. One table ([`policy`]) says which role may use which route; one guard enforces it for all
//! of them, and answers for foreign objects as for unknown ones.

pub mod guard;
pub mod limits;
pub mod password;
pub mod policy;

use std::collections::BTreeSet;

use crate::error::{Problem, Result};
use crate::store::Actor;

/// The cookie of a session. Its name makes browsers keep it to this host, over TLS (or on this machine).
pub const COOKIE: &str = "__Host-rating";

/// What a user may do, and a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Sees an occupier's own reports and numbers.
    OccupierView,
    /// … and labels, forwards and assigns its numbers.
    OccupierEdit,
    /// … and manages its users.
    OccupierAdmin,
    /// Works for the operator, at the sites given.
    OperatorUser,
    /// Runs the operator's service.
    OperatorAdmin,
}

impl Role {
    /// All, in the columns' order of the policy.
    pub const ALL: [Self; 5] =
        [Self::OperatorAdmin, Self::OperatorUser, Self::OccupierAdmin, Self::OccupierEdit, Self::OccupierView];

    /// As it stands in policy, database and answers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::OccupierView => "occupier_view",
            Self::OccupierEdit => "occupier_edit",
            Self::OccupierAdmin => "occupier_admin",
            Self::OperatorUser => "operator_user",
            Self::OperatorAdmin => "operator_admin",
        }
    }

    /// The role of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }

    /// Whether it is a role at the operator.
    #[must_use]
    pub const fn is_operator(self) -> bool {
        matches!(self, Self::OperatorUser | Self::OperatorAdmin)
    }
}

/// Which sites somebody may see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sites {
    /// Every one.
    All,
    /// These.
    Only(BTreeSet<String>),
}

impl Sites {
    /// Whether a site is one of them.
    #[must_use]
    pub fn has(&self, site: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(sites) => sites.contains(site),
        }
    }

    /// As a filter of lists: `None` is all.
    #[must_use]
    pub fn filter(&self) -> Option<Vec<String>> {
        match self {
            Self::All => None,
            Self::Only(sites) => Some(sites.iter().cloned().collect()),
        }
    }
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principal {
    /// Somebody who signed in.
    User {
        /// Who.
        id: String,
        /// In which role.
        role: Role,
        /// Of which occupier, if of one.
        occupier: Option<String>,
        /// At which sites.
        sites: Sites,
    },
    /// A machine of the operator.
    Machine {
        /// Which token.
        id: String,
        /// What it may do.
        scopes: BTreeSet<String>,
        /// At which sites.
        sites: Sites,
    },
}

impl Principal {
    /// As the audit log knows it.
    #[must_use]
    pub fn actor(&self) -> Actor {
        match self {
            Self::User { id, .. } => Actor::User(id.clone()),
            Self::Machine { id, .. } => Actor::Token(id.clone()),
        }
    }

    /// The sites it may see.
    #[must_use]
    pub const fn sites(&self) -> &Sites {
        match self {
            Self::User { sites, .. } | Self::Machine { sites, .. } => sites,
        }
    }

    /// The occupier it belongs to: `None` is the operator.
    #[must_use]
    pub fn occupier(&self) -> Option<&str> {
        match self {
            Self::User { occupier, .. } => occupier.as_deref(),
            Self::Machine { .. } => None,
        }
    }

    /// Its role; a machine has none.
    #[must_use]
    pub const fn role(&self) -> Option<Role> {
        match self {
            Self::User { role, .. } => Some(*role),
            Self::Machine { .. } => None,
        }
    }

    /// Whether it acts for the operator.
    #[must_use]
    pub fn is_operator(&self) -> bool {
        self.occupier().is_none()
    }

    /// That it may see a site.
    ///
    /// # Errors
    ///
    /// `site.unknown`, as if there were none.
    pub fn at(&self, site: &str) -> Result<()> {
        if self.sites().has(site) { Ok(()) } else { Err(unknown_site(site)) }
    }

    /// That it may see an occupier: its own, or any if it acts for the operator (whose limits to sites the guard and the
    /// handler apply).
    ///
    /// # Errors
    ///
    /// `occupier.unknown`, as if there were none.
    pub fn of(&self, occupier: &str) -> Result<()> {
        match self.occupier() {
            Some(own) if own != occupier => Err(unknown_occupier(occupier)),
            _ => Ok(()),
        }
    }
}

/// What is answered for a site that there is not, or that the caller may not know of.
#[must_use]
pub fn unknown_site(site: &str) -> Problem {
    Problem::new("site.unknown", format!("there is no site `{site}`"))
}

/// What is answered for an occupier that there is not, or that the caller may not know of.
#[must_use]
pub fn unknown_occupier(occupier: &str) -> Problem {
    Problem::new("occupier.unknown", format!("there is no occupier `{occupier}`"))
}
