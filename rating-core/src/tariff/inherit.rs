//! Tariffs that inherit from others.

use super::lookup::{Best, Candidate, Judged, Way, decide};
use super::settings::Draft;
use super::version::TariffVersion;
use super::{Match, Query, TariffBook};
use crate::finding::{Finding, Findings, did_you_mean};
use crate::ids::{SiteId, TariffId};
use crate::time::Instant;

/// What a tariff and its parents say about a call.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Found<'b> {
    /// The tariff that the row is of; the one that was asked if there is no row.
    pub tariff: TariffId,
    /// Which version of it (index in the tariff).
    pub version: u16,
    /// That version.
    pub rules: &'b TariffVersion,
    /// Its row, or that there is none.
    pub found: Match,
}

/// A tariff and its parents, as far as each has a version in force: the ones that a call asks.
fn line(
    book: &TariffBook,
    tariff: TariffId,
    at: Instant,
    site: SiteId,
) -> impl Iterator<Item = (TariffId, u16, &TariffVersion)> {
    let mut next = Some(tariff);
    // Cycles are refused when tariffs are read; the count is a second bolt.
    (0..=book.tariffs().len()).map_while(move |_| {
        let tariff = next?;
        let (index, version) = book.tariff(tariff)?.version_at(at, site)?;
        next = version.parent();
        Some((tariff, index, version))
    })
}

/// The version of a tariff that a call is asked of, before it is asked.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Start<'b> {
    /// The tariff.
    pub tariff: TariffId,
    /// Which version of it (index in the tariff).
    pub version: u16,
    /// That version.
    pub rules: &'b TariffVersion,
    /// What was [looked up beforehand](super::Walks) of it for the number that is asked about, if that was.
    pub way: Option<Way>,
}

/// The version of a tariff that is in force; `None` if there is none.
#[inline]
pub(super) fn start(book: &TariffBook, tariff: TariffId, at: Instant, site: SiteId) -> Option<Start<'_>> {
    let (version, rules) = book.tariff(tariff)?.version_at(at, site)?;
    Some(Start { tariff, version, rules, way: None })
}

#[inline]
pub(super) fn find<'b>(
    book: &'b TariffBook,
    start: Start<'b>,
    query: &Query<'_>,
    at: Instant,
    site: SiteId,
) -> Found<'b> {
    let Start { tariff, version, rules, way } = start;
    let own = rules.best(query, at, site, way);
    let found = Found { tariff, version, rules, found: rules.verdict(own) };
    if rules.parent().is_none() { found } else { find_in_line(book, (own, found), query, at, site) }
}

/// The best of what was found in a tariff and what its parents have.
fn find_in_line<'b>(
    book: &'b TariffBook,
    own: (Best, Found<'b>),
    query: &Query<'_>,
    at: Instant,
    site: SiteId,
) -> Found<'b> {
    let (tariff, mut best) = (own.1.tariff, own);
    for (tariff, version, rules) in line(book, tariff, at, site).skip(1) {
        let own = rules.best(query, at, site, None);
        let better = match (best.0, own) {
            (Best::Row(have, _), Best::Row(level, _)) => level > have,
            (Best::Nothing | Best::Protected(_), Best::Row(..)) | (Best::Nothing, Best::Protected(_)) => true,
            _ => false,
        };
        if better {
            best = (own, Found { tariff, version, rules, found: rules.verdict(own) });
        }
    }
    best.1
}

pub(super) fn candidates(
    book: &TariffBook,
    tariff: TariffId,
    query: &Query<'_>,
    at: Instant,
    site: SiteId,
) -> Vec<(TariffId, u16, Candidate)> {
    let mut judged: Vec<(usize, TariffId, u16, Judged)> = Vec::new();
    for (off, (tariff, version, rules)) in line(book, tariff, at, site).enumerate() {
        judged.extend(rules.judged(query, at, site).into_iter().map(|judged| (off, tariff, version, judged)));
    }
    decide(judged.iter_mut().map(|(off, _, _, judged)| (*off, judged)));
    judged.iter().map(|(_, tariff, version, judged)| (*tariff, *version, judged.candidate())).collect()
}

/// Finds the parents of all versions, which are sorted by the ids of their tariffs, and refuses those that are not there,
/// are in another currency, or lead back to where they came from.
pub(super) fn resolve(versions: &mut [(Draft, TariffVersion)], findings: &mut Findings) {
    let mut ids: Vec<String> = versions.iter().map(|(draft, _)| draft.id.clone()).collect();
    ids.dedup();
    let place = |id: &str| ids.binary_search_by(|have| have.as_str().cmp(id)).ok();
    // Which tariffs lead to which, over all versions.
    let mut edges: Vec<Vec<usize>> = vec![Vec::new(); ids.len()];
    for index in 0..versions.len() {
        let Some((draft, _)) = versions.get(index) else { continue };
        let Some((parent, label)) = &draft.matching.parent else { continue };
        let (Some(own), Some(other)) = (place(&draft.id), place(parent)) else {
            let help = match did_you_mean(parent, ids.iter().map(String::as_str)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "write the `id` of a tariff of this project".to_owned(),
            };
            findings.push(
                Finding::error("tariff.unknown_parent", format!("there is no tariff `{parent}`"))
                    .at(label.clone())
                    .help(help),
            );
            continue;
        };
        let foreign = versions.iter().find(|(of, _)| of.id == *parent && of.currency != draft.currency);
        if let Some((foreign, _)) = foreign {
            let message = format!("`{parent}` is in {}, and this tariff in {}", foreign.currency, draft.currency);
            findings.push(
                Finding::error("tariff.parent_currency", message)
                    .at(label.clone())
                    .help("a tariff inherits from tariffs of its own currency"),
            );
            continue;
        }
        if leads_to(&edges, other, own) {
            let message = format!("`{}` would inherit from itself", draft.id);
            findings.push(
                Finding::error("tariff.parent_cycle", message)
                    .at(label.clone())
                    .help("name as `parent` a tariff that does not, by whatever way, inherit from this one"),
            );
            continue;
        }
        if let Some(edges) = edges.get_mut(own) {
            edges.push(other);
        }
        let parent = u32::try_from(other).ok().map(TariffId);
        if let Some((_, version)) = versions.get_mut(index) {
            version.set_parent(parent);
        }
    }
}

/// Whether one tariff is or inherits from another.
fn leads_to(edges: &[Vec<usize>], from: usize, to: usize) -> bool {
    let mut seen = vec![false; edges.len()];
    let mut open = vec![from];
    while let Some(at) = open.pop() {
        if at == to {
            return true;
        }
        match seen.get_mut(at) {
            Some(seen) if !*seen => *seen = true,
            _ => continue,
        }
        open.extend(edges.get(at).into_iter().flatten());
    }
    false
}
