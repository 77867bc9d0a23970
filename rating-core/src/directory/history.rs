//! The second time of an allocation: when it was known, and which row took its place.

use std::collections::BTreeMap;

use crate::finding::{Finding, Findings, did_you_mean};
use crate::time::{Instant, Interval};

use super::rows::AllocationRow;

/// When each row was believed: from when it was recorded until another row superseded it. Reports rows that supersede
/// what they cannot.
pub(super) fn known(rows: &[AllocationRow<'_>], findings: &mut Findings) -> Vec<Interval> {
    let by_id: BTreeMap<&str, usize> = rows.iter().enumerate().map(|(index, row)| (row.id, index)).collect();
    let mut known: Vec<Interval> =
        rows.iter().map(|row| Interval { from: row.recorded_at, until: Instant::MAX }).collect();
    let mut superseded_by: BTreeMap<usize, usize> = BTreeMap::new();
    for (index, row) in rows.iter().enumerate() {
        let Some(given) = row.supersedes else { continue };
        let Some(old) = by_id.get(given).copied() else {
            let finding = Finding::error("directory.unknown_superseded", format!("there is no row `{given}`"))
                .at(row.row.label(row.row.column("supersedes"), "not known"));
            findings.push(match did_you_mean(given, by_id.keys().copied()) {
                Some(near) => finding.help(format!("did you mean `{near}`?")),
                None => finding.help("name the `id` of the row that this one replaces"),
            });
            continue;
        };
        let Some(finding) = fault(rows, index, old, superseded_by.get(&old).copied()) else {
            superseded_by.insert(old, index);
            known[old].until = row.recorded_at;
            continue;
        };
        findings.push(finding);
    }
    known
}

/// Why the row `new` cannot supersede `old`, which `other` superseded before.
fn fault(rows: &[AllocationRow<'_>], new: usize, old: usize, other: Option<usize>) -> Option<Finding> {
    let (new, old) = (rows.get(new)?, rows.get(old)?);
    let recorded = |row: &AllocationRow<'_>, text: &str| row.row.label(row.row.column("recorded_at"), text);
    if new.recorded_at == Instant::MIN {
        return Some(
            Finding::error("directory.superseded_undated", format!("`{}` does not say when it was recorded", new.id))
                .at(recorded(new, "empty"))
                .at(old.row.whole("the row it supersedes"))
                .help("state `recorded_at`: until then the old row is what was known"),
        );
    }
    if new.recorded_at <= old.recorded_at {
        let message = format!("`{}` supersedes `{}`, which was not recorded before it", new.id, old.id);
        return Some(
            Finding::error("directory.superseded_early", message)
                .at(recorded(new, "recorded then"))
                .at(recorded(old, "the row it supersedes"))
                .help("of two rows recorded on one day, give the later its time: `2026-07-01T14:00:00+01:00`"),
        );
    }
    // One row may be replaced by several at once: an allocation that turns out to have been two.
    let other = rows.get(other?)?;
    (other.recorded_at != new.recorded_at).then(|| {
        Finding::error("directory.superseded_twice", format!("`{}` is superseded at two times", old.id))
            .at(recorded(new, "replaced again then"))
            .at(recorded(other, "replaced then"))
            .help(format!("the later of the two must supersede the earlier, not `{}`", old.id))
    })
}
