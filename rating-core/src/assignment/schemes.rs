//! Who has which allowance or volume tiers, from when: the rows of the assignments whose side is `allowance`.

use std::collections::BTreeMap;

use super::{ANY, Ids, Names, Reader, key};
use crate::finding::table::Row;
use crate::finding::{Finding, Findings, did_you_mean};
use crate::ids::{PayerId, SiteId};
use crate::time::Interval;

/// What `side` says in such a row.
pub(super) const SIDE: &str = "allowance";

/// An allowance (or volume tiers) that a payer has at a site for a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Its place in the order of the names that the assignments were read with.
    pub scheme: u32,
    /// When.
    pub valid: Interval,
    /// How many of it.
    pub quantity: u32,
    /// Whom it is shared with: everybody who has it in the group of this name.
    pub group: Option<Box<str>>,
}

/// The rows of all payers and sites.
#[derive(Clone, Debug, Default)]
pub(super) struct SchemeRows {
    by_scheme: BTreeMap<u32, Vec<(u64, Held)>>,
    /// Every payer and site that a row names, sorted.
    keys: Vec<u64>,
}

/// A row understood.
pub(super) struct SchemeRow<'t> {
    row: Row<'t>,
    key: u64,
    held: Held,
}

impl SchemeRows {
    pub(super) fn new(mut rows: Vec<SchemeRow<'_>>, names: &Names<'_>, findings: &mut Findings) -> Self {
        rows.sort_by_key(|row| (row.held.scheme, row.key, row.held.valid.from));
        let mut longest: Option<&SchemeRow<'_>> = None;
        for late in &rows {
            let same = |early: &&SchemeRow<'_>| (early.held.scheme, early.key) == (late.held.scheme, late.key);
            match longest.filter(same) {
                Some(early) if early.held.valid.overlaps(late.held.valid) => {
                    let zone = late.zone(names);
                    let both = early.held.valid.intersection(late.held.valid).in_words(zone);
                    let name = names.allowances.get(late.held.scheme as usize).map_or("", |(name, _)| name);
                    findings.push(
                        Finding::error(
                            "assignment.overlap",
                            format!("allowance `{name}` is assigned twice at once, {both}"),
                        )
                        .at(late.row.whole(late.held.valid.in_words(zone)))
                        .at(early.row.whole(early.held.valid.in_words(zone)))
                        .help("end one before the other begins; for two of it write `2` into the column `quantity`"),
                    );
                    if early.held.valid.until < late.held.valid.until {
                        longest = Some(late);
                    }
                }
                _ => longest = Some(late),
            }
        }
        let mut by_scheme: BTreeMap<u32, Vec<(u64, Held)>> = BTreeMap::new();
        for row in rows {
            by_scheme.entry(row.held.scheme).or_default().push((row.key, row.held));
        }
        let mut keys: Vec<u64> = by_scheme.values().flatten().map(|(key, _)| *key).collect();
        keys.sort_unstable();
        keys.dedup();
        Self { by_scheme, keys }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_scheme.is_empty()
    }

    /// What a payer has at a site: for each allowance, at each instant, what the most specific row says.
    pub(super) fn held(&self, payer: PayerId, site: SiteId) -> Vec<Held> {
        let levels = [key(payer.0, site.0), key(payer.0, ANY), key(ANY, site.0), key(ANY, ANY)];
        let mut all = Vec::new();
        for rows in self.by_scheme.values() {
            let mut held: Vec<Held> = Vec::new();
            for level in levels {
                let mut found = Vec::new();
                for (_, row) in rows.iter().filter(|(key, _)| *key == level) {
                    let mut free = vec![row.valid];
                    for taken in &held {
                        free = free.into_iter().flat_map(|stretch| without(stretch, taken.valid)).collect();
                    }
                    found.extend(free.into_iter().map(|valid| Held { valid, ..row.clone() }));
                }
                held.extend(found);
            }
            held.sort_by_key(|held| held.valid.from);
            all.append(&mut held);
        }
        all
    }
}

/// What is left of a stretch of time.
fn without(stretch: Interval, taken: Interval) -> Vec<Interval> {
    if !stretch.overlaps(taken) {
        return vec![stretch];
    }
    let before = Interval { from: stretch.from, until: taken.from };
    let after = Interval { from: taken.until, until: stretch.until };
    [before, after].into_iter().filter(|part| !part.is_empty() && part.from < part.until).collect()
}

impl SchemeRow<'_> {
    fn zone<'n>(&self, names: &Names<'n>) -> &'n crate::time::Zone {
        names.sites.get((self.key & u64::from(u32::MAX)) as usize).map_or(names.operator_zone, |(_, zone)| zone)
    }
}

impl Reader<'_, '_> {
    /// Whether a row assigns an allowance; one that does not must leave the columns of allowances empty.
    pub(super) fn assigns_scheme(&mut self, row: Row<'_>) -> bool {
        if row.cell(row.column("side")) == SIDE {
            return true;
        }
        for column in ["quantity", "group"] {
            if row.filled(row.column(column)).is_some() {
                self.bad(row, column, "only rows of the side `allowance` have this", "leave the cell empty");
            }
        }
        false
    }

    pub(super) fn scheme<'t>(&mut self, row: Row<'t>) -> Option<SchemeRow<'t>> {
        let known = self.known;
        let payer = self.name_or_any(row, "payer", "assignment.unknown_payer", &known.payers);
        let site = self.name_or_any(row, "site", "assignment.unknown_site", &known.sites);
        let scheme = self.allowance(row, &known.allowances);
        let zone = site
            .and_then(|site| self.names.sites.get(site as usize))
            .map_or(self.names.operator_zone, |(_, zone)| zone);
        let valid = self.valid(row, zone);
        let quantity = match row.filled(row.column("quantity")) {
            None => Some(1),
            Some(text) => {
                let quantity = text.parse::<u32>().ok().filter(|quantity| (1..=1_000_000).contains(quantity));
                if quantity.is_none() {
                    let help = "write how many of it there are, at least 1; leave the cell empty for one";
                    self.bad(row, "quantity", &format!("`{text}` is not a quantity"), help);
                }
                quantity
            }
        };
        let group: Option<Box<str>> = row.filled(row.column("group")).map(Into::into);
        let scheme = scheme?;
        let shared = self.names.allowances.get(scheme as usize).is_some_and(|(_, shared)| *shared);
        if shared && group.is_none() {
            let help = "whoever has it in one group shares it: write a name into the column `group`";
            self.bad(row, "tariff", "an allowance of the scope `group` needs a group", help);
        } else if !shared && group.is_some() {
            let help = "leave the cell empty, or give the allowance `scope = \"group\"`";
            self.bad(row, "group", "this allowance is not one of a group", help);
        }
        if payer? == PayerId::OPERATOR.0 {
            let finding =
                Finding::warning("assignment.retail_operator", "the operator is not charged for its own calls")
                    .at(row.label(row.column("payer"), "the operator"))
                    .help("this row is never used: allowances are for occupiers");
            self.findings.push(finding);
        }
        let held = Held { scheme, valid: valid?, quantity: quantity?, group };
        Some(SchemeRow { row, key: key(payer?, site?), held })
    }

    fn allowance(&mut self, row: Row<'_>, known: &Ids<'_>) -> Option<u32> {
        let column = row.column("tariff");
        let given = row.required(column, self.findings)?;
        if let Some(id) = known.get(given) {
            return Some(*id);
        }
        let help = match did_you_mean(given, known.keys().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "allowances are defined in the files that the project's settings name in `allowances`".to_owned(),
        };
        let finding = Finding::error("assignment.unknown_allowance", format!("there is no allowance `{given}`"))
            .at(row.label(column, "not known"))
            .help(help);
        self.findings.push(finding);
        None
    }

    fn bad(&mut self, row: Row<'_>, column: &str, message: &str, help: &str) {
        let finding =
            Finding::error("assignment.bad_allowance", message).at(row.label(row.column(column), "here")).help(help);
        self.findings.push(finding);
    }
}

impl super::Assignments {
    /// Whether anybody has an allowance.
    #[must_use]
    pub fn has_allowances(&self) -> bool {
        !self.allowances.is_empty()
    }

    /// Whether some row may give a payer an allowance at a site, at whatever time.
    #[must_use]
    #[inline]
    pub fn may_have_allowances(&self, payer: PayerId, site: SiteId) -> bool {
        let keys = &self.allowances.keys;
        !keys.is_empty()
            && payer != PayerId::OPERATOR
            && [key(payer.0, site.0), key(payer.0, ANY), key(ANY, site.0), key(ANY, ANY)]
                .iter()
                .any(|key| keys.binary_search(key).is_ok())
    }

    /// The allowances that a payer has at a site, with their times: for each one at each instant what the most specific
    /// row says; in the order of the names, then in time.
    #[must_use]
    pub fn allowances(&self, payer: PayerId, site: SiteId) -> Vec<Held> {
        self.allowances.held(payer, site)
    }

    /// Those of them that are in force at some time of a period.
    #[must_use]
    pub fn allowances_in(&self, payer: PayerId, site: SiteId, period: Interval) -> Vec<Held> {
        let mut held = self.allowances(payer, site);
        held.retain(|held| held.valid.overlaps(period));
        held
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Instant;

    #[test]
    fn a_stretch_without_another_is_what_lies_before_and_after() {
        let stretch = |from, until| Interval { from: Instant::from_millis(from), until: Instant::from_millis(until) };
        for (taken, left) in [
            (stretch(0, 5), vec![stretch(10, 20)]),
            (stretch(20, 25), vec![stretch(10, 20)]),
            (stretch(12, 15), vec![stretch(10, 12), stretch(15, 20)]),
            (stretch(10, 15), vec![stretch(15, 20)]),
            (stretch(5, 25), vec![]),
        ] {
            assert_eq!(without(stretch(10, 20), taken), left, "{taken:?}");
        }
    }
}
