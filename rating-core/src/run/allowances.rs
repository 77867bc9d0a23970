//! Allowances in a run: who has which, what earlier months left of them, and the ledger of each payer.
//!
//! A payer's rows of a site come together in the second pass, and there its ledger is settled. What a group shares is
//! settled before, from the rows of all its members. Nobody else pays for any of it.

mod balances;

use std::collections::{BTreeMap, BTreeSet};

pub(super) use balances::{opening, write_closing};

use super::RunError;
use super::project::Project;
use super::spill::{GroupKey, Prices, Rows};
use crate::assignment::Held;
use crate::ids::{PayerId, SiteId};
use crate::rating::allowance::{Account, AccountKey, Adjusted, Balance, Holder, Ledger, Member, Settled, Use};
use crate::rating::{CallRow, Outcome, Rater, Reason};
use crate::tariff::{Query, SchemeKind};
use crate::time::{Date, Duration, Interval, Month};

/// What came of the ledgers.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Every account.
    pub(super) accounts: Vec<Account>,
    /// What the next month must know.
    pub(super) closing: BTreeMap<AccountKey, Balance>,
}

impl Found {
    pub(super) fn merge(&mut self, other: Self) {
        self.accounts.extend(other.accounts);
        self.closing.extend(other.closing);
    }

    fn add(&mut self, settled: Settled) -> Vec<Adjusted> {
        self.accounts.extend(settled.accounts);
        self.closing.extend(settled.closing);
        settled.calls
    }
}

/// The allowances of a month.
pub(super) struct Allowances<'p> {
    project: &'p Project,
    rater: Rater<'p>,
    month: Month,
    bands: Vec<&'p str>,
    opening: BTreeMap<AccountKey, Balance>,
}

/// Gathers the rows of a payer at a site.
pub(super) trait Gather: Fn(GroupKey) -> Result<Rows, RunError> {}
impl<F: Fn(GroupKey) -> Result<Rows, RunError>> Gather for F {}

/// What is known before the payers are gone through one by one.
#[derive(Default)]
pub(super) struct Prepared {
    /// What becomes of the calls of those who share something, by record.
    calls: BTreeMap<GroupKey, Vec<Adjusted>>,
    /// The accounts of these, and of those who placed no call.
    pub(super) found: Found,
}

impl Prepared {
    pub(super) fn calls(&self, key: GroupKey) -> Option<&[Adjusted]> {
        self.calls.get(&key).map(Vec::as_slice)
    }
}

impl<'p> Allowances<'p> {
    /// The allowances of a month; `None` if nobody has any.
    #[must_use]
    pub(super) fn new(project: &'p Project, month: Month, opening: BTreeMap<AccountKey, Balance>) -> Option<Self> {
        project.assignments.has_allowances().then(|| Self {
            project,
            rater: Rater::new(&project.book, &project.assignments),
            month,
            bands: project.book.bands().iter().collect(),
            opening,
        })
    }

    fn holder(&self, key: GroupKey) -> Option<Holder<'p>> {
        holder(self.project, self.month, Member { site: SiteId(key.site), payer: PayerId(key.payer) })
    }

    /// Whether a payer has an allowance at a site in this month.
    #[must_use]
    pub(super) fn concern(&self, key: GroupKey) -> bool {
        self.holder(key).is_some()
    }

    /// Settles what is shared, the accounts of those who placed no call, and of those whose calls are too many (`large`)
    /// to be gone through at once later.
    ///
    /// # Errors
    ///
    /// If rows cannot be read back.
    pub(super) fn prepare(
        &self,
        with_rows: &BTreeSet<GroupKey>,
        large: impl Fn(GroupKey) -> bool,
        only: Option<SiteId>,
        gather: impl Gather,
        prices: &dyn Prices,
        skip: &(dyn Fn(&CallRow<'_>) -> bool + Sync),
    ) -> Result<Prepared, RunError> {
        let mut keys = with_rows.clone();
        keys.extend(present(self.project, self.month).into_iter().map(key_of));
        keys.retain(|key| only.is_none_or(|only| only.0 == key.site) && self.concern(*key));
        // Who shares a group with whom, directly or through others.
        let mut sets: Vec<(BTreeSet<Box<str>>, Vec<GroupKey>)> = Vec::new();
        let mut alone = Vec::new();
        for key in keys {
            let held = self.holder(key).map(|holder| holder.held).unwrap_or_default();
            let mut groups: BTreeSet<Box<str>> = held.into_iter().filter_map(|held| held.group).collect();
            if groups.is_empty() && !large(key) {
                alone.push(key);
                continue;
            }
            let mut members = vec![key];
            let (joined, rest) = sets.into_iter().partition(|(of, _)| !of.is_disjoint(&groups));
            sets = rest;
            for (names, keys) in joined {
                let (names, keys): (BTreeSet<Box<str>>, Vec<GroupKey>) = (names, keys);
                groups.extend(names);
                members.extend(keys);
            }
            sets.push((groups, members));
        }
        let mut prepared = Prepared::default();
        for key in alone.into_iter().filter(|key| !with_rows.contains(key)) {
            let settled = self.settle(&[key], &[Rows::new(key, Vec::new())], prices, skip);
            prepared.found.add(settled);
        }
        for (_, mut members) in sets {
            members.sort_unstable();
            let rows = members.iter().map(|key| gather(*key)).collect::<Result<Vec<Rows>, RunError>>()?;
            let settled = self.settle(&members, &rows, prices, skip);
            let calls = prepared.found.add(settled);
            for (key, rows) in members.iter().zip(&rows) {
                let records: BTreeSet<u64> = rows.iter(prices).map(|row| row.record.to_bits()).collect();
                let theirs = calls.iter().filter(|call| records.contains(&call.token)).copied().collect();
                prepared.calls.insert(*key, theirs);
            }
        }
        Ok(prepared)
    }

    /// Settles a payer's calls by themselves; the accounts go to `found`.
    pub(super) fn alone(
        &self,
        key: GroupKey,
        rows: &Rows,
        prices: &dyn Prices,
        skip: &(dyn Fn(&CallRow<'_>) -> bool + Sync),
        found: &mut Found,
    ) -> Vec<Adjusted> {
        found.add(self.settle(&[key], std::slice::from_ref(rows), prices, skip))
    }

    fn settle(
        &self,
        keys: &[GroupKey],
        rows: &[Rows],
        prices: &dyn Prices,
        skip: &(dyn Fn(&CallRow<'_>) -> bool + Sync),
    ) -> Settled {
        let holders: Vec<Holder<'_>> = keys.iter().filter_map(|key| self.holder(*key)).collect();
        if holders.len() != keys.len() {
            return Settled::default();
        }
        let mut calls = Vec::new();
        // Where the row of a record lies, to price it again.
        let mut places: Vec<(u64, usize, usize)> = Vec::new();
        for (holder, rows) in rows.iter().enumerate() {
            for index in 0..rows.len() {
                let Some((row, asked)) = rows.with_asked(index, prices) else { continue };
                if skip(&row) {
                    continue;
                }
                if let Some(call) = self.usage(&row, asked.as_ref(), holder) {
                    places.push((call.token, holder, index));
                    calls.push(call);
                }
            }
        }
        places.sort_unstable();
        let ledger = Ledger::new(&self.project.schemes, &self.bands, self.month, &holders, &self.opening);
        ledger.settle(calls, |token, covered| {
            let at = places.binary_search_by_key(&token, |(record, ..)| *record).ok()?;
            let (_, holder, index) = places.get(at)?;
            let (row, asked) = rows.get(*holder)?.with_asked(*index, prices)?;
            self.rater.price_again(&row, &asked?, covered)
        })
    }

    fn usage<'a>(&self, row: &CallRow<'a>, asked: Option<&Query<'a>>, holder: usize) -> Option<Use<'a>> {
        let Outcome::Rated(priced) = &row.retail.outcome else { return None };
        // What is priced again is what was priced: with nothing covered, the charge is the same.
        debug_assert_eq!(
            asked.and_then(|asked| self.rater.price_again(row, asked, Duration::ZERO)),
            Some(priced.charge),
            "{row:?}"
        );
        Some(Use {
            token: row.record.to_bits(),
            record: row.record.to_bits(),
            at: row.charging_at,
            day: self.project.zone(row.site).to_local(row.charging_at).date(),
            holder,
            extension: row.extension,
            number: row.number,
            channel: asked.map_or(b"", |asked| asked.trunks.into_iter().rfind(|name| !name.is_empty()).unwrap_or(b"")),
            called: row.called,
            class: row.class,
            band: priced.band,
            duration: row.duration,
            charge: priced.charge,
            currency: row.retail.currency?,
        })
    }
}

fn key_of(member: Member) -> GroupKey {
    GroupKey { site: member.site.0, payer: member.payer.0 }
}

/// A payer at a site with what it has there in a month, the month before included; `None` if it has nothing.
fn holder(project: &Project, month: Month, member: Member) -> Option<Holder<'_>> {
    let Member { site, payer } = member;
    if payer == PayerId::OPERATOR || payer.0 == u32::MAX {
        return None;
    }
    let zone = project.zone(site);
    let held: Vec<Held> = project.assignments.allowances(payer, site);
    let (from, until) = month.bounds(zone);
    let period = Interval { from, until };
    if !held.iter().any(|held| held.valid.overlaps(period)) {
        return None;
    }
    let lines = move |day: Date| {
        let day = Interval { from: zone.start_of(day.midnight()), until: zone.start_of(day.tomorrow().midnight()) };
        project.directory.voice_lines(payer, site, day).unwrap_or(1)
    };
    Some(Holder { site, payer, zone, held, lines: Box::new(lines) })
}

/// Who had a number, an extension or a voice service at which site at some time of a month.
fn present(project: &Project, month: Month) -> BTreeSet<Member> {
    present_in(project, |site| {
        let (from, until) = month.bounds(project.zone(site));
        Interval { from, until }
    })
}

fn present_in(project: &Project, period: impl Fn(SiteId) -> Interval) -> BTreeSet<Member> {
    let allocated =
        project.directory.allocations().iter().filter(|allocation| allocation.valid.overlaps(period(allocation.site)));
    let mut members: BTreeSet<Member> =
        allocated.map(|allocation| Member { site: allocation.site, payer: allocation.payer }).collect();
    for (payer, site) in project.directory.voice_payers() {
        if project.directory.has_voice_service(payer, site, period(site)) == Some(true) {
            members.insert(Member { site, payer });
        }
    }
    members
}

/// Puts what the ledger says into a row.
pub(super) fn adjust(row: &mut CallRow<'_>, calls: &[Adjusted]) {
    let Ok(at) = calls.binary_search_by_key(&row.record.to_bits(), |call| call.token) else { return };
    let (Some(call), Outcome::Rated(priced)) = (calls.get(at), &mut row.retail.outcome) else { return };
    row.allowance_taken = call.taken;
    match call.charge {
        Some(charge) => priced.charge = charge,
        None => row.retail.outcome = Reason::ChargeOverflow.outcome(),
    }
}

/// Names and kinds of the schemes, for reports.
#[must_use]
pub(super) fn scheme_names(project: &Project) -> Vec<(String, &'static str)> {
    let kind = |kind: &SchemeKind| match kind {
        SchemeKind::Allowance(_) => "allowance",
        SchemeKind::Volume(_) => "volume",
    };
    project.schemes.all().iter().map(|scheme| (scheme.name.to_string(), kind(&scheme.kind))).collect()
}
