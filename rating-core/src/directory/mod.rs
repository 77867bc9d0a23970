//! Who held what, when: occupiers, contracts, voice services, sites, numbers and their dated allocations.
//!
//! Read from tables that people write ([`Files`]), checked as a whole ([`Directory::read`] reports every mistake in one
//! pass), and compiled to sorted arrays of integers that answer "who held this number then" without allocating.
//!
//! # Rules
//!
//! - Intervals are half-open. A date in `from` or `until` is the first moment of that day at the row's site; an empty
//!   cell is an open end.
//! - A number belongs to exactly one site and, at any instant, to at most one holder. So does an extension of a site,
//!   except that several numbers of one holder may ring the same extension.
//! - The operator is a payer like any other, and the only one that needs no contract.
//! - History has two times. `from` and `until` say when an allocation was valid; `recorded_at` says when it became
//!   known, and `supersedes` which row it then replaced. A directory is compiled as it was known at one instant.
//!
//! The tables, each with its columns (optional ones in brackets):
//!
//! | table | columns |
//! | --- | --- |
//! | occupiers | `id` `name` \[`billing_reference`\] |
//! | contracts | `id` `occupier` `site` \[`from` `until`\] |
//! | services | `id` `contract` `lines` \[`from` `until`\] |
//! | numbers | `number` `site` \[`last` `kind`\] |
//! | allocations | `id` `holder` `site` `from` `until` \[`number` `last` `extension` `recorded_at` `supersedes`\] |
//! | account codes | `code` `holder` \[`site` `from` `until`\] |

mod checks;
mod compile;
pub mod contracts;
pub mod decommission;
mod history;
mod holdings;
pub mod lifecycle;
pub mod main_number;
pub mod refusal;
mod rows;
mod timelines;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::finding::{Findings, SourceText};
use crate::ids::{PayerId, SiteId};
use crate::number::{Digits, E164};
use crate::time::{Instant, Interval, Zone};

use timelines::{AccountCodes, Timelines};

/// The workspace operator: the payer of its own calls, and of everything wholesale.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operator {
    /// Its id, which no occupier may have.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What a billing system calls it.
    pub billing_reference: Option<String>,
    /// The zone of dates that belong to no site.
    pub zone: Zone,
}

/// A site of the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its zone: dates of its rows are days of this zone.
    pub zone: Zone,
}

/// Who pays: the operator, or an occupier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payer {
    /// Its id: the name of its files.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What a billing system calls it.
    pub billing_reference: Option<String>,
}

/// The texts of the directory's tables. Each table may be spread over several files; one without a file is empty.
#[derive(Clone, Debug, Default)]
pub struct Files {
    /// Who rents.
    pub occupiers: Vec<Arc<SourceText>>,
    /// Which occupier has a contract at which site. Without a file, contracts are not asked for.
    pub contracts: Vec<Arc<SourceText>>,
    /// How many voice lines each contract brings. Without a file, lines are not counted.
    pub services: Vec<Arc<SourceText>>,
    /// Every number and its site.
    pub numbers: Vec<Arc<SourceText>>,
    /// Who holds which number or extension, from when.
    pub allocations: Vec<Arc<SourceText>>,
    /// Who pays for calls placed with an account code.
    pub account_codes: Vec<Arc<SourceText>>,
}

/// What the directory knows of a number, extension or account code at an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// The directory does not have it, at any time.
    Unknown,
    /// The directory has it, but nobody held it then.
    NotAllocated {
        /// The site it belongs to.
        site: SiteId,
        /// Whether it is a main number.
        main: bool,
    },
    /// Somebody held it.
    Held {
        /// Who.
        payer: PayerId,
        /// The site it belongs to.
        site: SiteId,
        /// The number, or the one behind the extension: its lowest direct number, or else its main number.
        number: Option<E164>,
        /// The extension, if the directory has one for the number.
        extension: Option<Digits>,
        /// Whether it is a main number, or an extension behind which there are only main numbers.
        main: bool,
    },
}

/// One row of the history of allocations, with both its times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allocation {
    /// The row's id.
    pub id: String,
    /// Who holds.
    pub payer: PayerId,
    /// Where.
    pub site: SiteId,
    /// First and last number, equal for a single one; `None` for an extension without a number.
    pub numbers: Option<(E164, E164)>,
    /// The extension of the first number, the others counting up from it.
    pub extension: Option<Digits>,
    /// When it is valid.
    pub valid: Interval,
    /// When it was believed: from when it was recorded until it was superseded.
    pub known: Interval,
}

/// Who held what, when, as it was known at one instant.
///
/// # Example: a number moves at 14:00
///
/// ```
/// use rating_core::directory::{Directory, Files, Lookup, Operator, Site};
/// use rating_core::finding::{Findings, SourceText};
/// use rating_core::number::E164;
/// use rating_core::time::{Instant, Zone};
///
/// let london = Zone::load("Europe/London").unwrap();
/// let operator = Operator {
///     id: "harbour".to_owned(),
///     name: "Harbour Workspaces".to_owned(),
///     billing_reference: None,
///     zone: london.clone(),
/// };
/// let sites = [Site { id: "ldn".to_owned(), name: "London".to_owned(), zone: london }];
/// let files = Files {
///     occupiers: vec![SourceText::new("occupiers.csv", "id,name\nacme,Acme Ltd\nbirch,Birch LLP\n")],
///     numbers: vec![SourceText::new("numbers.csv", "number,site\n+442079460001,ldn\n")],
///     allocations: vec![SourceText::new(
///         "allocations.csv",
///         "id,holder,site,number,from,until\n\
///          a1,acme,ldn,+442079460001,,2026-07-15T14:00:00+01:00\n\
///          a2,birch,ldn,+442079460001,2026-07-15T14:00:00+01:00,\n",
///     )],
///     ..Files::default()
/// };
/// let mut findings = Findings::default();
/// let directory = Directory::read(&files, &operator, &sites, None, &mut findings);
/// assert!(findings.is_empty());
///
/// let number = E164::parse(b"+442079460001").unwrap();
/// let holder = |at: &str| match directory.number_at(number, Instant::parse_rfc3339(at).unwrap()) {
///     Lookup::Held { payer, .. } => directory.payers()[payer.index()].id.as_str(),
///     _ => "nobody",
/// };
/// assert_eq!(holder("2026-07-15T13:59:59.999+01:00"), "acme");
/// assert_eq!(holder("2026-07-15T14:00:00+01:00"), "birch");
/// ```
#[derive(Clone, Debug)]
pub struct Directory {
    sites: Box<[Site]>,
    payers: Box<[Payer]>,
    numbers: Timelines,
    /// By site.
    extensions: Box<[Timelines]>,
    account_codes: AccountCodes,
    allocations: Box<[Allocation]>,
    /// Voice services, in the order of payer, site and beginning; `None` if the project keeps none.
    services: Option<Box<[VoiceService]>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct VoiceService {
    payer: PayerId,
    site: SiteId,
    from: Instant,
    until: Instant,
    lines: u32,
}

impl Directory {
    /// Reads and checks the tables, and compiles what was known of them at `known_at` (`None`: everything recorded).
    ///
    /// Sites get their ids in the order of their names, however they are given; payers likewise, after the operator.
    /// Whatever `findings` holds, the directory can be asked; if there is an error among them, it should not be: rows
    /// in error are left out.
    #[must_use]
    pub fn read(
        files: &Files,
        operator: &Operator,
        sites: &[Site],
        known_at: Option<Instant>,
        findings: &mut Findings,
    ) -> Self {
        compile::directory(files, operator, sites, known_at, findings)
    }

    /// The sites; the index is the [`SiteId`].
    #[must_use]
    pub const fn sites(&self) -> &[Site] {
        &self.sites
    }

    /// The site of that name.
    #[must_use]
    pub fn site_id(&self, id: &str) -> Option<SiteId> {
        let index = self.sites.binary_search_by(|site| site.id.as_str().cmp(id)).ok()?;
        u32::try_from(index).ok().map(SiteId)
    }

    /// Everybody who can pay: the operator, then the occupiers by id. The index is the [`PayerId`].
    #[must_use]
    pub const fn payers(&self) -> &[Payer] {
        &self.payers
    }

    /// The payer of that name.
    #[must_use]
    pub fn payer_id(&self, id: &str) -> Option<PayerId> {
        let (operator, occupiers) = self.payers.split_first()?;
        if operator.id == id {
            return Some(PayerId::OPERATOR);
        }
        let index = occupiers.binary_search_by(|payer| payer.id.as_str().cmp(id)).ok()?;
        u32::try_from(index + 1).ok().map(PayerId)
    }

    /// Who held a number at an instant.
    #[must_use]
    #[inline]
    pub fn number_at(&self, number: E164, at: Instant) -> Lookup {
        self.numbers.number_at(number, at)
    }

    /// Who held an extension of a site at an instant.
    #[must_use]
    #[inline]
    pub fn extension_at(&self, site: SiteId, extension: Digits, at: Instant) -> Lookup {
        self.extensions
            .get(site.index())
            .map_or(Lookup::Unknown, |timelines| timelines.extension_at(site, extension, at))
    }

    /// Who pays for calls placed at a site with an account code, compared byte by byte. A code that is valid only at
    /// other sites is unknown here. The answer has no number or extension.
    #[must_use]
    pub fn account_code_at(&self, site: SiteId, code: &[u8], at: Instant) -> Lookup {
        self.account_codes.at(site, code, at)
    }

    /// Whether there are account codes at all.
    #[must_use]
    pub fn has_account_codes(&self) -> bool {
        !self.account_codes.is_empty()
    }

    /// Whether account codes are in use at a site: one is valid there, at some time. Elsewhere what a switch writes
    /// into that field (FreePBX: the extension) means nothing.
    #[must_use]
    #[inline]
    pub fn uses_account_codes(&self, site: SiteId) -> bool {
        self.account_codes.are_used_at(site)
    }

    /// Every row that ever gave the number to somebody, also those superseded or recorded later than this directory
    /// knows: in the order of their beginnings, then as they became known.
    #[must_use]
    pub fn allocations_of(&self, number: E164) -> Vec<&Allocation> {
        let mut found: Vec<&Allocation> = self
            .allocations
            .iter()
            .filter(|allocation| {
                allocation.numbers.is_some_and(|(first, last)| {
                    first.digits().len() == number.digits().len() && first <= number && number <= last
                })
            })
            .collect();
        found.sort_by_key(|allocation| (allocation.valid.from, allocation.known.from));
        found
    }

    /// The whole history of allocations, in the order of the tables.
    #[must_use]
    pub const fn allocations(&self) -> &[Allocation] {
        &self.allocations
    }

    /// Whether a payer had a voice service at a site at any instant of `period`; `None` if the project keeps no table
    /// of voice services, and so nothing tells.
    #[must_use]
    pub fn has_voice_service(&self, payer: PayerId, site: SiteId, period: Interval) -> Option<bool> {
        let services = self.services.as_ref()?;
        let first = services.partition_point(|service| (service.payer, service.site) < (payer, site));
        Some(
            services
                .iter()
                .skip(first)
                .take_while(|service| (service.payer, service.site) == (payer, site))
                .any(|service| Interval { from: service.from, until: service.until }.overlaps(period)),
        )
    }

    /// Who has a voice service where, at any time.
    pub fn voice_payers(&self) -> impl Iterator<Item = (PayerId, SiteId)> + '_ {
        let mut last = None;
        let all = self.services.iter().flat_map(|services| services.iter());
        all.map(|service| (service.payer, service.site)).filter(move |pair| last.replace(*pair) != Some(*pair))
    }

    /// How many voice lines a payer had at a site, at any time of `period`, a day as a rule: lines of services that are
    /// active then, added up. `None` if the project keeps no table of voice services.
    #[must_use]
    pub fn voice_lines(&self, payer: PayerId, site: SiteId, period: Interval) -> Option<u32> {
        let services = self.services.as_ref()?;
        let first = services.partition_point(|service| (service.payer, service.site) < (payer, site));
        let theirs = services.iter().skip(first).take_while(|service| (service.payer, service.site) == (payer, site));
        let active = theirs.filter(|service| Interval { from: service.from, until: service.until }.overlaps(period));
        Some(active.fold(0_u32, |sum, service| sum.saturating_add(service.lines)))
    }
}
