//! What can only be judged by looking at several tables: contracts, lines, account codes.

use std::collections::BTreeMap;

use crate::finding::{Finding, Findings};
use crate::ids::{PayerId, SiteId};
use crate::time::{Instant, Interval};

use super::holdings::Belief;
use super::rows::{AccountCode, Contract, Service};
use super::{Payer, Site};

/// The names behind ids, for messages.
pub(super) struct Names<'n> {
    pub(super) payers: &'n [Payer],
    pub(super) sites: &'n [Site],
}

impl<'n> Names<'n> {
    pub(super) fn payer(&self, payer: PayerId) -> &'n str {
        self.payers.get(payer.index()).map_or("", |payer| &payer.id)
    }

    pub(super) fn site(&self, site: SiteId) -> &'n str {
        self.sites.get(site.index()).map_or("", |site| &site.id)
    }

    /// An interval in words, by the clock of the site.
    pub(super) fn words(&self, interval: Interval, site: SiteId) -> String {
        self.sites.get(site.index()).map_or_else(String::new, |site| interval.in_words(&site.zone))
    }
}

type Holder = (PayerId, SiteId);

/// An occupier holds nothing at a site without a contract there. Numbers may be reserved before a contract begins, and
/// stay after its end unless they are taken away with it, so a part outside is a warning.
pub(super) fn contracts(
    believed: &[Belief<'_>],
    contracts: &[Contract<'_>],
    names: &Names<'_>,
    findings: &mut Findings,
) {
    let mut by_holder: BTreeMap<Holder, Vec<&Contract<'_>>> = BTreeMap::new();
    for contract in contracts {
        by_holder.entry((contract.payer, contract.site)).or_default().push(contract);
    }
    for contracts in by_holder.values_mut() {
        contracts.sort_by_key(|contract| contract.valid.from);
    }
    for belief in believed.iter().filter(|belief| belief.content.payer != PayerId::OPERATOR) {
        let (payer, site, valid) = (belief.content.payer, belief.content.site, belief.content.valid);
        let own = by_holder.get(&(payer, site)).map_or(&[][..], Vec::as_slice);
        let (payer, place) = (names.payer(payer), names.site(site));
        if own.iter().any(|contract| contract.valid.overlaps(valid)) {
            let Some(gap) = uncovered(valid, own) else { continue };
            let message =
                format!("`{payer}` has no contract at `{place}` for a part of this, {}", names.words(gap, site));
            let mut finding = Finding::warning("directory.beyond_contract", message).at(belief.row.whole("held then"));
            if let Some(near) = own.iter().rev().find(|contract| contract.valid.from <= gap.from).or(own.first()) {
                finding = finding.at(near.row.whole("the contract"));
            }
            findings.push(finding.help("calls of that time are charged to the holder all the same"));
        } else {
            let message = match own {
                [] => format!("`{payer}` has no contract at `{place}`"),
                _ => format!("`{payer}` has no contract at `{place}` at any time of this allocation"),
            };
            let mut finding = Finding::error("directory.outside_contract", message)
                .at(belief.row.whole(format!("held {}", names.words(valid, site))));
            for contract in own.first().into_iter().chain(own.last().filter(|_| own.len() > 1)) {
                let label = contract.row.whole(format!("runs {}", names.words(contract.valid, site)));
                finding = finding.at(label);
            }
            findings.push(finding.help("an occupier needs a contract at the site; only the operator needs none"));
        }
    }
}

/// The first part of `valid` that no contract covers. An open beginning means that it is not known, and counts from the
/// first contract on.
fn uncovered(valid: Interval, contracts: &[&Contract<'_>]) -> Option<Interval> {
    let mut at = valid.from;
    for contract in contracts {
        if contract.valid.from > at && at != Instant::MIN {
            return Some(Interval { from: at, until: contract.valid.from.min(valid.until) });
        }
        at = at.max(contract.valid.until);
        if at >= valid.until {
            return None;
        }
    }
    Some(Interval { from: at, until: valid.until })
}

/// The number of voice services limits how many numbers may be active, main numbers included. The operator's own lines
/// are not counted.
pub(super) fn lines(believed: &[Belief<'_>], services: &[Service], names: &Names<'_>, findings: &mut Findings) {
    let mut changes: BTreeMap<Holder, BTreeMap<Instant, (i128, i128)>> = BTreeMap::new();
    let mut first_service: BTreeMap<Holder, Instant> = BTreeMap::new();
    for service in services.iter().filter(|service| !service.active.is_empty()) {
        let holder = (service.payer, service.site);
        let changes = changes.entry(holder).or_default();
        changes.entry(service.active.from).or_default().0 += i128::from(service.lines);
        changes.entry(service.active.until).or_default().0 -= i128::from(service.lines);
        let first = first_service.entry(holder).or_insert(service.active.from);
        *first = service.active.from.min(*first);
    }
    let mut allocations: BTreeMap<Holder, Vec<(Instant, &Belief<'_>)>> = BTreeMap::new();
    for belief in believed.iter().filter(|belief| belief.content.payer != PayerId::OPERATOR) {
        let content = belief.content;
        let Some((first, last)) = content.numbers else { continue };
        let count = i128::from(last.digits().value() - first.digits().value()) + 1;
        let holder = (content.payer, content.site);
        // An open beginning means that it is not known, and counts from the first service on.
        let from = match first_service.get(&holder) {
            Some(first) if content.valid.from == Instant::MIN => *first,
            _ => content.valid.from,
        };
        if from >= content.valid.until {
            continue;
        }
        let changes = changes.entry(holder).or_default();
        changes.entry(from).or_default().1 += count;
        changes.entry(content.valid.until).or_default().1 -= count;
        allocations.entry(holder).or_default().push((from, belief));
    }
    for (holder, beliefs) in allocations {
        let Some((short, lines, numbers)) = changes.get(&holder).and_then(first_shortage) else { continue };
        // The allocation that was one too many.
        let last = beliefs.iter().filter(|(from, _)| *from <= short.from).max_by_key(|(from, _)| *from);
        let (payer, site) = holder;
        let message = format!(
            "`{}` holds {numbers} {} at `{}` but has {lines} active {}, {}",
            names.payer(payer),
            if numbers == 1 { "number" } else { "numbers" },
            names.site(site),
            if lines == 1 { "line" } else { "lines" },
            names.words(short, site),
        );
        let mut finding = Finding::warning("directory.too_few_lines", message);
        if let Some((_, belief)) = last {
            finding = finding.at(belief.row.whole("one of these numbers"));
        }
        findings.push(finding.help("add a voice service, or deallocate numbers; their calls are charged all the same"));
    }
}

/// The first interval in which there are fewer lines than numbers, with both counts.
fn first_shortage(changes: &BTreeMap<Instant, (i128, i128)>) -> Option<(Interval, i128, i128)> {
    let (mut lines, mut numbers) = (0, 0);
    let mut short: Option<(Instant, i128, i128)> = None;
    for (at, (more_lines, more_numbers)) in changes {
        lines += more_lines;
        numbers += more_numbers;
        match short {
            Some((from, short_lines, short_numbers)) => {
                return Some((Interval { from, until: *at }, short_lines, short_numbers));
            }
            None if lines < numbers => short = Some((*at, lines, numbers)),
            None => {}
        }
    }
    short.map(|(from, lines, numbers)| (Interval { from, until: Instant::MAX }, lines, numbers))
}

/// One account code has one holder at any instant and site. Its rows come in the order of their beginnings.
pub(super) fn account_code(rows: &[&AccountCode<'_>], names: &Names<'_>, findings: &mut Findings) {
    for (index, late) in rows.iter().enumerate() {
        let meets = |early: &&&AccountCode<'_>| {
            let same_site = early.site.is_none() || late.site.is_none() || early.site == late.site;
            same_site && early.valid.overlaps(late.valid)
        };
        let Some(early) = rows.iter().take(index).find(meets) else { continue };
        let site = late.site.or(early.site).unwrap_or(SiteId(0));
        let both = names.words(early.valid.intersection(late.valid), site);
        let holders = match (names.payer(early.payer), names.payer(late.payer)) {
            (one, other) if one == other => format!("to `{one}` twice"),
            (one, other) => format!("to `{one}` and `{other}`"),
        };
        let message = format!("account code `{}` belongs {holders} at once, {both}", late.code);
        let finding = Finding::error("directory.account_code_held_twice", message)
            .at(late.row.whole("again here"))
            .at(early.row.whole("first here"))
            .help("end one before the other begins, or limit both to their sites");
        findings.push(finding);
    }
}
