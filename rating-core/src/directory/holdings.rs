//! Who holds which number and extension: ranges cut where anything changes, judged for conflicts, and compiled.

use std::collections::BTreeMap;

use crate::finding::table::Row;
use crate::finding::{Finding, Findings};
use crate::ids::{PayerId, SiteId};
use crate::number::{Digits, E164};
use crate::time::Interval;

use super::checks::Names;
use super::rows::{Content, NumberRange, Rows};
use super::timelines::{Span, Timelines};

/// An allocation that is believed.
#[derive(Clone, Copy)]
pub(super) struct Belief<'t> {
    pub(super) row: Row<'t>,
    pub(super) content: Content,
}

/// The part of an allocation that lies in one row of the numbers, or one row of extensions: first and last key.
#[derive(Clone, Copy)]
struct Piece {
    keys: (u64, u64),
    /// Index of its belief.
    belief: usize,
    main: bool,
    /// What belongs to the first key, if anything does.
    counterpart: Option<u64>,
}

pub(super) fn compile(
    believed: &[Belief<'_>],
    numbers: &Rows<NumberRange<'_>>,
    names: &Names<'_>,
    findings: &mut Findings,
) -> (Timelines, Box<[Timelines]>) {
    let grounds = grounds(&numbers.rows, findings);
    let pieces = pieces(believed, &grounds, numbers.whole, names, findings);
    main_numbers(believed, &pieces, names, findings);
    let timelines = number_timelines(believed, &grounds, &pieces, names, findings);
    let extensions = (0..)
        .zip(extensions_by_site(believed, &pieces, names.sites.len()))
        .map(|(site, pieces)| extension_timelines(SiteId(site), believed, &pieces, names, findings))
        .collect();
    (timelines, extensions)
}

fn key(number: E164) -> u64 {
    number.digits().to_bits()
}

/// A key as the number it stands for.
fn shown(key: u64) -> String {
    Digits::from_bits(key).and_then(E164::new).map_or_else(String::new, |number| number.to_string())
}

/// The rows of numbers in ascending order, apart from each other.
fn grounds<'n, 't>(rows: &'n [NumberRange<'t>], findings: &mut Findings) -> Vec<&'n NumberRange<'t>> {
    let mut sorted: Vec<&NumberRange<'_>> = rows.iter().collect();
    sorted.sort_by_key(|range| (range.first, range.last));
    let mut grounds: Vec<&NumberRange<'_>> = Vec::with_capacity(sorted.len());
    for range in sorted {
        let Some(before) = grounds.last().filter(|before| before.last >= range.first) else {
            grounds.push(range);
            continue;
        };
        // The later of the two in its file is the one to look at.
        let (early, late) =
            if before.row.line() <= range.row.line() { (before.row, range.row) } else { (range.row, before.row) };
        let finding = Finding::error("directory.number_repeated", format!("{} stands in two rows", range.first))
            .at(late.label(late.column("number"), "again here"))
            .at(early.label(early.column("number"), "first here"))
            .help("a number belongs to one site; list it once");
        findings.push(finding);
    }
    grounds
}

/// Lays every allocation of numbers over the rows of numbers. Reports what is not there or at another site.
fn pieces(
    believed: &[Belief<'_>],
    grounds: &[&NumberRange<'_>],
    whole: bool,
    names: &Names<'_>,
    findings: &mut Findings,
) -> Vec<Piece> {
    let mut pieces = Vec::with_capacity(believed.len());
    for (index, belief) in believed.iter().enumerate() {
        let Some((first, last)) = belief.content.numbers else { continue };
        let (first, last) = (key(first), key(last));
        let mut next = first;
        let mut missing: Option<(u64, u64)> = None;
        let mut miss = |from: u64, until: u64| {
            if from < until {
                let (at, count) = missing.unwrap_or((from, 0));
                missing = Some((at, count + (until - from)));
            }
        };
        let mut elsewhere = None;
        let begin = grounds.partition_point(|ground| key(ground.last) < first);
        for ground in grounds.iter().skip(begin).take_while(|ground| key(ground.first) <= last) {
            let keys = (key(ground.first).max(first), key(ground.last).min(last));
            miss(next, keys.0);
            next = keys.1 + 1;
            if ground.site == belief.content.site {
                let counterpart = belief.content.extension.map(|extension| extension.to_bits() + (keys.0 - first));
                pieces.push(Piece { keys, belief: index, main: ground.main, counterpart });
            } else if elsewhere.is_none() {
                elsewhere = Some((keys.0, ground));
            }
        }
        miss(next, last + 1);
        if let Some((at, count)) = missing.filter(|_| whole) {
            let message = match count {
                1 => format!("{} is not among the numbers", shown(at)),
                _ => format!("{} and {} more of this row are not among the numbers", shown(at), count - 1),
            };
            let finding = Finding::error("directory.unknown_number", message)
                .at(belief.row.label(belief.row.column("number"), "not known"))
                .help("add it to the table of numbers, with its site");
            findings.push(finding);
        }
        if let Some((at, ground)) = elsewhere {
            let (own, given) = (names.site(ground.site), names.site(belief.content.site));
            let message = format!("{} belongs to site `{own}`, not `{given}`", shown(at));
            let finding = Finding::error("directory.number_elsewhere", message)
                .at(belief.row.label(belief.row.column("site"), "allocated here"))
                .at(ground.row.label(ground.row.column("site"), "belongs here"))
                .help("a number can be held only at its own site");
            findings.push(finding);
        }
    }
    pieces
}

/// At most one main number for each holder and site at a time.
fn main_numbers(believed: &[Belief<'_>], pieces: &[Piece], names: &Names<'_>, findings: &mut Findings) {
    type Held<'t> = (Interval, Piece, Row<'t>);
    let mut held: BTreeMap<(PayerId, SiteId), Vec<Held<'_>>> = BTreeMap::new();
    for piece in pieces.iter().filter(|piece| piece.main) {
        let Some(belief) = believed.get(piece.belief) else { continue };
        let content = belief.content;
        held.entry((content.payer, content.site)).or_default().push((content.valid, *piece, belief.row));
    }
    for ((payer, site), mut held) in held {
        held.sort_by_key(|(valid, piece, row)| (valid.from, row.line(), piece.keys));
        let mut report = |first: u64, second: u64, both: Interval, rows: (Row<'_>, Option<Row<'_>>)| {
            let message = format!(
                "`{}` has two main numbers at `{}` at once, {} and {}, {}",
                names.payer(payer),
                names.site(site),
                shown(first),
                shown(second),
                names.words(both, site),
            );
            let mut finding = Finding::error("directory.main_number_twice", message)
                .at(rows.0.label(rows.0.column("number"), "a main number"));
            finding.labels.extend(rows.1.map(|row| row.label(row.column("number"), "another main number")));
            findings.push(finding.help("an organisation has one main number at a site at any time"));
        };
        let mut latest: Option<Held<'_>> = None;
        for (valid, piece, row) in held {
            if piece.keys.0 < piece.keys.1 {
                report(piece.keys.0, piece.keys.0 + 1, valid, (row, None));
            }
            match latest {
                // The same number held twice is another finding.
                Some((before, other, other_row)) if before.overlaps(valid) => {
                    if other.keys.0 != piece.keys.0 {
                        let both = before.intersection(valid);
                        report(other.keys.0, piece.keys.0, both, (row, Some(other_row)));
                    }
                    if valid.until > before.until {
                        latest = Some((valid, piece, row));
                    }
                }
                _ => latest = Some((valid, piece, row)),
            }
        }
    }
}

fn number_timelines(
    believed: &[Belief<'_>],
    grounds: &[&NumberRange<'_>],
    pieces: &[Piece],
    names: &Names<'_>,
    findings: &mut Findings,
) -> Timelines {
    let ranges: Vec<(u64, u64)> = grounds
        .iter()
        .map(|ground| (key(ground.first), key(ground.last)))
        .chain(pieces.iter().map(|piece| piece.keys))
        .collect();
    let mut timelines = Timelines::default();
    let mut conflicts = Conflicts::default();
    cut(&ranges, |keys, members| {
        let ground = members.iter().find_map(|index| grounds.get(*index));
        let mut held = held(believed, pieces, members.iter().filter_map(|index| index.checked_sub(grounds.len())));
        held.sort_by_key(|held| (held.valid().from, held.piece.belief));
        conflicts.find(keys, &held, |_, _| true);
        if let Some(ground) = ground {
            timelines.push(keys, ground.site, ground.main, held.iter().map(Held::span));
        }
    });
    conflicts.report("directory.number_held_twice", believed, names, findings, |first, count, _| match count {
        1 => format!("{} is", shown(first)),
        2 => format!("{} and the next number are", shown(first)),
        _ => format!("{} and {} more numbers are", shown(first), count - 1),
    });
    timelines
}

/// Allocations turned about: extensions, each with the number behind it, if there is one.
fn extensions_by_site(believed: &[Belief<'_>], numbers: &[Piece], sites: usize) -> Vec<Vec<Piece>> {
    let with_number = numbers.iter().filter_map(|piece| {
        let first = piece.counterpart?;
        let keys = (first, first + (piece.keys.1 - piece.keys.0));
        Some(Piece { keys, counterpart: Some(piece.keys.0), ..*piece })
    });
    let alone = believed.iter().enumerate().filter_map(|(index, belief)| {
        let extension = belief.content.extension.filter(|_| belief.content.numbers.is_none())?;
        let keys = (extension.to_bits(), extension.to_bits());
        Some(Piece { keys, belief: index, main: false, counterpart: None })
    });
    let mut by_site = vec![Vec::new(); sites];
    for piece in with_number.chain(alone) {
        let site = believed.get(piece.belief).map_or(usize::MAX, |belief| belief.content.site.index());
        if let Some(pieces) = by_site.get_mut(site) {
            pieces.push(piece);
        }
    }
    by_site
}

fn extension_timelines(
    site: SiteId,
    believed: &[Belief<'_>],
    pieces: &[Piece],
    names: &Names<'_>,
    findings: &mut Findings,
) -> Timelines {
    let ranges: Vec<(u64, u64)> = pieces.iter().map(|piece| piece.keys).collect();

    let mut timelines = Timelines::default();
    let mut conflicts = Conflicts::default();
    cut(&ranges, |keys, members| {
        let mut held = held(believed, pieces, members.iter().copied());
        held.sort_by_key(|held| (held.valid().from, held.piece.belief));
        // Several numbers of one holder may ring one telephone.
        conflicts.find(keys, &held, |one, other| one.content.payer != other.content.payer);
        // A direct number answers before a main number, the lowest first.
        held.sort_by_key(|held| (held.piece.main, held.number_at(keys.0), held.valid().from));
        timelines.push(keys, site, false, held.iter().map(Held::span));
    });
    conflicts.report("directory.extension_held_twice", believed, names, findings, |first, count, site| {
        let first = Digits::from_bits(first).unwrap_or(Digits::EMPTY);
        match count {
            1 => format!("extension {first} at `{site}` is"),
            _ => format!("extension {first} and {} more at `{site}` are", count - 1),
        }
    });
    timelines
}

/// A piece with its belief.
#[derive(Clone, Copy)]
struct Held<'b> {
    piece: &'b Piece,
    content: &'b Content,
}

impl Held<'_> {
    const fn valid(&self) -> Interval {
        self.content.valid
    }

    /// The number behind the extension `key`; extensions without one come last.
    fn number_at(&self, key: u64) -> u64 {
        self.piece.counterpart.map_or(u64::MAX, |number| number + (key - self.piece.keys.0))
    }

    fn span(&self) -> Span {
        Span {
            valid: self.content.valid,
            payer: self.content.payer,
            main: self.piece.main,
            first: self.piece.keys.0,
            counterpart: self.piece.counterpart,
        }
    }
}

fn held<'b>(believed: &'b [Belief<'_>], pieces: &'b [Piece], indices: impl Iterator<Item = usize>) -> Vec<Held<'b>> {
    indices
        .filter_map(|index| {
            let piece = pieces.get(index)?;
            Some(Held { piece, content: &believed.get(piece.belief)?.content })
        })
        .collect()
}

/// Cuts ranges wherever one of them begins or ends, and hands over each cut, in ascending order, with the indices of
/// the ranges that cover it.
fn cut(ranges: &[(u64, u64)], mut each: impl FnMut((u64, u64), &[usize])) {
    let mut bounds: Vec<u64> = ranges.iter().flat_map(|(first, last)| [*first, last + 1]).collect();
    bounds.sort_unstable();
    bounds.dedup();
    let mut covers: Vec<(usize, usize)> = Vec::with_capacity(ranges.len());
    for (index, (first, last)) in ranges.iter().enumerate() {
        let begin = bounds.partition_point(|bound| bound < first);
        let end = bounds.partition_point(|bound| bound <= last);
        covers.extend((begin..end).map(|slot| (slot, index)));
    }
    covers.sort_unstable();
    for group in covers.chunk_by(|left, right| left.0 == right.0) {
        let Some((slot, _)) = group.first() else { continue };
        let members: Vec<usize> = group.iter().map(|(_, index)| *index).collect();
        if let Some([first, end]) = bounds.get(*slot..slot + 2) {
            each((*first, end - 1), &members);
        }
    }
}

/// Pairs of allocations that hold the same thing at once, with the first thing and how many there are.
#[derive(Default)]
struct Conflicts(BTreeMap<(usize, usize), (u64, u64)>);

impl Conflicts {
    /// Finds pairs among what is held of one cut, given in the order of beginnings. Every allocation that has a
    /// conflict appears in at least one pair.
    fn find(&mut self, keys: (u64, u64), held: &[Held<'_>], conflict: impl Fn(&Held<'_>, &Held<'_>) -> bool) {
        // What lasts longest so far, and what lasts longest among all that could conflict with that.
        let mut longest: [Option<Held<'_>>; 2] = [None, None];
        for next in held {
            let clash =
                longest.iter().flatten().find(|before| conflict(before, next) && before.valid().overlaps(next.valid()));
            if let Some(before) = clash {
                let pair = (before.piece.belief.min(next.piece.belief), before.piece.belief.max(next.piece.belief));
                self.0.entry(pair).or_insert((keys.0, 0)).1 += keys.1 - keys.0 + 1;
            }
            let later =
                |before: Option<Held<'_>>| before.is_none_or(|before| before.valid().until < next.valid().until);
            if later(longest[0]) {
                if longest[0].is_some_and(|first| conflict(&first, next)) {
                    longest[1] = longest[0];
                }
                longest[0] = Some(*next);
            } else if later(longest[1]) && longest[0].is_some_and(|first| conflict(&first, next)) {
                longest[1] = Some(*next);
            }
        }
    }

    fn report(
        self,
        code: &'static str,
        believed: &[Belief<'_>],
        names: &Names<'_>,
        findings: &mut Findings,
        what: impl Fn(u64, u64, &str) -> String,
    ) {
        for ((early, late), (first, count)) in self.0 {
            let (Some(early), Some(late)) = (believed.get(early), believed.get(late)) else { continue };
            let site = late.content.site;
            let both = names.words(early.content.valid.intersection(late.content.valid), site);
            let holders = match (names.payer(early.content.payer), names.payer(late.content.payer)) {
                (one, other) if one == other => format!("held by `{one}` twice"),
                (one, other) => format!("held by `{one}` and `{other}`"),
            };
            let message = format!("{} {holders} at once, {both}", what(first, count, names.site(site)));
            let held = |belief: &Belief<'_>| {
                let content = belief.content;
                format!("`{}`, {}", names.payer(content.payer), names.words(content.valid, site))
            };
            let finding = Finding::error(code, message)
                .at(late.row.whole(held(late)))
                .at(early.row.whole(held(early)))
                .help("end one before the other begins; intervals that meet do not overlap");
            findings.push(finding);
        }
    }
}
