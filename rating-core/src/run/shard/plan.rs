//! The plan: which inputs a month is made from, pinned by size and hash, and how they are cut into shards.

use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::super::RunError;
use super::super::first_pass::InputFile;
use super::super::project::Project;
use super::super::publish::hex;
use super::super::storage::Storage;
use super::refuse;
use crate::finding::{Finding, Findings};
use crate::ids::SourceId;
use crate::time::Month;

/// The version of the plan's own layout.
pub(super) const LAYOUT: u64 = 1;

/// How many shards a plan may have: a merge keeps the partial file of each open.
pub const MOST_SHARDS: u32 = 512;

/// How a month is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// Into so many shards. Where there are fewer files, some are empty.
    Shards(u32),
    /// Into as few as hold no more than so many bytes of input each; a file that is larger is a shard by itself. If that were
    /// more than [`MOST_SHARDS`], they hold more.
    Bytes(u64),
}

/// A plan, as its manifest says it; the layout is in `docs/file-formats.md`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// The version of the layout.
    pub(super) plan: u64,
    /// The version of the program, which alone can rate and merge the shards.
    pub software: String,
    /// The version of the zone database in it.
    pub zone_database: String,
    /// The project's folder, from the folder of the manifest.
    pub project: String,
    /// The folder that the month is published in, from the folder of the manifest.
    pub publish: String,
    /// The month, `2026-10`.
    pub month: String,
    /// The id of the run that the merged shards are published as: a hash of all that goes in.
    pub run: String,
    /// Every table that is read, with its hash.
    pub references: Vec<Reference>,
    /// How many input files there are.
    pub files: u64,
    /// Their bytes, as stored.
    pub bytes: u64,
    /// The shards, from 1 on; together they have every input once, in canonical order.
    pub shards: Vec<Shard>,
}

/// A table that is read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reference {
    /// Path below the project.
    pub path: String,
    /// SHA-256, hexadecimal.
    pub sha256: String,
    /// What it is read for.
    pub role: String,
}

/// A part of a month's input: whole files that follow each other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shard {
    /// Its number, from 1.
    pub shard: u32,
    /// Bytes of its files, as stored.
    pub bytes: u64,
    /// Its files.
    pub inputs: Vec<Input>,
}

/// An input file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Id of the source.
    pub source: String,
    /// Path below the project.
    pub path: String,
    /// Size as stored.
    pub bytes: u64,
    /// SHA-256 of the file as stored, hexadecimal.
    pub sha256: String,
}

impl Plan {
    /// The manifest's bytes.
    #[must_use]
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec_pretty(self).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }

    /// Reads a manifest.
    ///
    /// # Errors
    ///
    /// [`RunError::Invalid`] if it is none, or one of another layout, or does not add up.
    pub(super) fn read(name: &str, bytes: &[u8]) -> Result<Self, RunError> {
        let malformed = |words: String| {
            refuse(
                Finding::error("shard.plan_malformed", words)
                    .in_file(name)
                    .help("make it anew: `rating plan`; a plan is never edited by hand"),
            )
        };
        let plan: Self =
            serde_json::from_slice(bytes).map_err(|error| malformed(format!("this is no plan of shards: {error}")))?;
        if plan.plan != LAYOUT {
            return Err(malformed(format!("the plan has layout {}, and this program knows {LAYOUT}", plan.plan)));
        }
        if plan.month().is_none() {
            return Err(malformed(format!("`{}` is no month", plan.month)));
        }
        let numbered = (1..).zip(&plan.shards).all(|(number, shard)| number == shard.shard);
        let sizes = plan.shards.iter().all(|shard| {
            shard.inputs.iter().try_fold(0_u64, |sum, input| sum.checked_add(input.bytes)) == Some(shard.bytes)
        });
        let files = plan.shards.iter().map(|shard| shard.inputs.len() as u64).sum::<u64>();
        let bytes = plan.shards.iter().try_fold(0_u64, |sum, shard| sum.checked_add(shard.bytes));
        if !numbered || plan.shards.is_empty() || !sizes || files != plan.files || bytes != Some(plan.bytes) {
            return Err(malformed("the plan's shards do not add up to its files".to_owned()));
        }
        Ok(plan)
    }

    /// The month.
    #[must_use]
    pub fn month(&self) -> Option<Month> {
        Month::parse(&self.month)
    }

    /// Every input in canonical order.
    pub fn inputs(&self) -> impl Iterator<Item = &Input> {
        self.shards.iter().flat_map(|shard| &shard.inputs)
    }

    /// The places, in the list of all inputs, of those of a shard; `None` if there is no such shard.
    #[must_use]
    pub(super) fn range(&self, shard: u32) -> Option<std::ops::Range<usize>> {
        let at = usize::try_from(shard).ok()?.checked_sub(1)?;
        let own = self.shards.get(at)?;
        let start: usize = self.shards.iter().take(at).map(|before| before.inputs.len()).sum();
        Some(start..start + own.inputs.len())
    }

    /// The inputs as a run has them.
    ///
    /// # Errors
    ///
    /// [`RunError::Invalid`] if one is of a source that the project does not have.
    pub(super) fn input_files(&self, project: &Project) -> Result<Vec<InputFile>, RunError> {
        let source = |id: &str| {
            let index = project.settings.sources.iter().position(|source| source.id == id);
            index.and_then(|index| u32::try_from(index).ok()).map(SourceId)
        };
        self.inputs()
            .map(|input| {
                let source = source(&input.source).ok_or_else(|| {
                    refuse(
                        Finding::error(
                            "shard.project_changed",
                            format!(
                                "the plan has files of source `{}`, and the project has no such source",
                                input.source
                            ),
                        )
                        .help(super::PLAN_AGAIN),
                    )
                })?;
                let (path, sha256) = (input.path.clone(), input.sha256.clone());
                Ok(InputFile { source, path, sha256, bytes: input.bytes, stamp: None })
            })
            .collect()
    }
}

/// Refuses to put a manifest in the place of something that is none.
///
/// # Errors
///
/// [`RunError::Usage`] if it would.
pub(super) fn check_place(storage: &dyn Storage, path: &Path) -> Result<(), RunError> {
    let is_plan = |bytes: &[u8]| {
        let plan: Option<serde_json::Value> = serde_json::from_slice(bytes).ok();
        plan.is_some_and(|plan| plan.get("plan").is_some() && plan.get("shards").is_some())
    };
    // What is no file, such as a device, has no size.
    let there = |path: &Path| storage.size(path).is_ok_and(|size| size > 0).then(|| storage.read(path).ok()).flatten();
    if storage.exists(path) && !there(path).is_some_and(|bytes| is_plan(&bytes)) {
        let words = format!("`{}` is there and is no plan of shards: name another file", path.display());
        return Err(RunError::Usage(words));
    }
    Ok(())
}

/// SHA-256 of a manifest's bytes: what a partial file says it is a part of.
pub(super) fn hash_of(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// SHA-256 as partial files and acknowledgements have it, in hexadecimal.
pub(super) fn hex_of(hash: &[u8; 32]) -> String {
    hex(hash)
}

/// Cuts files of these sizes into shards: how many files each has, in order. Shards are runs of files, and the largest is
/// as small as it can be.
#[must_use]
pub(super) fn cut(sizes: &[u64], cut: Cut) -> Vec<usize> {
    let largest = sizes.iter().copied().max().unwrap_or(0);
    let all: u64 = sizes.iter().fold(0, |sum, size| sum.saturating_add(*size));
    let wanted = match cut {
        Cut::Shards(count) => count.clamp(1, MOST_SHARDS) as usize,
        Cut::Bytes(bytes) => filled(sizes, bytes.max(largest)).len().clamp(1, MOST_SHARDS as usize),
    };
    // The smallest room in which the files have place, found by halves.
    let (mut low, mut high) = (largest.max(all.div_ceil(wanted as u64)), all.max(largest));
    while low < high {
        let middle = low + (high - low) / 2;
        if filled(sizes, middle).len() <= wanted {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    let mut counts = filled(sizes, low);
    counts.resize(wanted, 0);
    counts
}

/// How many files go into each shard of that room, filled one after the other.
fn filled(sizes: &[u64], room: u64) -> Vec<usize> {
    let mut counts = Vec::new();
    let (mut count, mut bytes) = (0, 0_u64);
    for size in sizes {
        if count > 0 && bytes.saturating_add(*size) > room {
            counts.push(count);
            (count, bytes) = (0, 0);
        }
        count += 1;
        bytes = bytes.saturating_add(*size);
    }
    if count > 0 {
        counts.push(count);
    }
    counts
}

/// The folder that a file is in.
pub(super) fn folder_of(file: &Path) -> &Path {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// A path with the links in it followed, as far as there is anything of that name.
fn resolved(storage: &dyn Storage, path: &Path) -> Result<PathBuf, RunError> {
    let mut missing = Vec::new();
    let mut there = path;
    loop {
        let place = if there.as_os_str().is_empty() { Path::new(".") } else { there };
        if storage.exists(place) {
            let real = storage.resolve(place)?;
            return Ok(missing.iter().rev().fold(real, |path: PathBuf, name| path.join(name)));
        }
        let (Some(name), Some(parent)) = (there.file_name(), there.parent()) else {
            return Err(RunError::Usage(format!("`{}` cannot be found", path.display())));
        };
        missing.push(name);
        there = parent;
    }
}

/// How to come from a folder to a path.
///
/// # Errors
///
/// If either cannot be found, or the way has a name that is not UTF-8.
pub(super) fn way(storage: &dyn Storage, from: &Path, to: &Path) -> Result<String, RunError> {
    let (from, to) = (resolved(storage, from)?, resolved(storage, to)?);
    let (from, to): (Vec<Component<'_>>, Vec<Component<'_>>) = (from.components().collect(), to.components().collect());
    let common = from.iter().zip(&to).take_while(|(one, other)| one == other).count();
    let up = std::iter::repeat_n("..".to_owned(), from.len() - common).map(Some);
    let down = to[common..].iter().map(|part| part.as_os_str().to_str().map(str::to_owned));
    let parts: Option<Vec<String>> = up.chain(down).collect();
    match parts {
        Some(parts) if parts.is_empty() => Ok(".".to_owned()),
        Some(parts) => Ok(parts.join("/")),
        None => Err(RunError::Usage("the path of the project or its output is not UTF-8".to_owned())),
    }
}

/// What is different between the tables that a plan was made with and those that are there now.
pub(super) fn changed_references(planned: &[Reference], now: &[Reference], findings: &mut Findings) {
    let find = |list: &[Reference], of: &Reference| {
        list.iter().find(|other| (&other.path, &other.role) == (&of.path, &of.role)).cloned()
    };
    let mut tell = |path: &str, words: String| {
        findings.push(Finding::error("shard.project_changed", words).in_file(path).help(super::PLAN_AGAIN));
    };
    for reference in planned {
        match find(now, reference) {
            None => tell(&reference.path, format!("`{}` ({}) is not read any more", reference.path, reference.role)),
            Some(other) if other.sha256 != reference.sha256 => tell(
                &reference.path,
                format!("`{}` ({}) is not what it was when the shards were planned", reference.path, reference.role),
            ),
            Some(_) => {}
        }
    }
    for reference in now.iter().filter(|reference| find(planned, reference).is_none()) {
        tell(&reference.path, format!("`{}` ({}) is read, and was not planned", reference.path, reference.role));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_are_runs_of_files_and_the_largest_is_as_small_as_can_be() {
        for (sizes, by, counts) in [
            // 1+2+3 | 4+5 | 6+7 would have 13; no cut into three has less.
            (&[1, 2, 3, 4, 5, 6, 7][..], Cut::Shards(3), &[4, 2, 1][..]),
            (&[5, 5, 5, 5], Cut::Shards(2), &[2, 2]),
            (&[100, 1, 1, 1], Cut::Shards(2), &[1, 3]),
            (&[1, 1, 1, 100], Cut::Shards(2), &[3, 1]),
            (&[7], Cut::Shards(1), &[1]),
            // Fewer files than shards: the rest are empty.
            (&[3, 4], Cut::Shards(4), &[1, 1, 0, 0]),
            (&[], Cut::Shards(2), &[0, 0]),
            (&[], Cut::Bytes(10), &[0]),
            (&[0, 0, 0], Cut::Shards(2), &[3, 0]),
            // As few as hold ten bytes each, then evenly.
            (&[4, 4, 4, 4, 4, 4], Cut::Bytes(10), &[2, 2, 2]),
            (&[4, 4, 4, 4, 4], Cut::Bytes(16), &[3, 2]),
            // A file that is larger is a shard.
            (&[2, 50, 2], Cut::Bytes(10), &[1, 1, 1]),
            (&[1, 1], Cut::Bytes(0), &[1, 1]),
        ] {
            assert_eq!(cut(sizes, by), counts, "{sizes:?} {by:?}");
        }
    }

    #[test]
    fn whatever_the_sizes_every_file_is_in_one_shard_and_no_shard_can_be_made_smaller() {
        // A few hundred pseudo-random cuts; the smallest largest shard is found by trying every room.
        let mut state = 7_u64;
        let mut next = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        };
        for _ in 0..300 {
            let sizes: Vec<u64> = (0..next(12)).map(|_| next(20)).collect();
            let shards = 1 + next(5);
            let counts = cut(&sizes, Cut::Shards(u32::try_from(shards).unwrap()));
            assert_eq!(counts.iter().sum::<usize>(), sizes.len());
            assert_eq!(counts.len() as u64, shards);
            let mut rest = sizes.as_slice();
            let mut largest = 0;
            for count in counts {
                let (own, after) = rest.split_at(count);
                largest = largest.max(own.iter().sum::<u64>());
                rest = after;
            }
            let smaller = (0..largest)
                .any(|room| sizes.iter().all(|size| *size <= room) && filled(&sizes, room).len() as u64 <= shards);
            assert!(!smaller, "{sizes:?} into {shards}: {largest}");
        }
    }

    fn plan() -> Plan {
        let input = |name: &str, bytes| Input {
            source: "ldn".to_owned(),
            path: name.to_owned(),
            bytes,
            sha256: "00".repeat(32),
        };
        Plan {
            plan: LAYOUT,
            software: "1".to_owned(),
            zone_database: "2026a".to_owned(),
            project: "acme".to_owned(),
            publish: "acme/out".to_owned(),
            month: "2026-10".to_owned(),
            run: "2026-10-0000000000000000".to_owned(),
            references: Vec::new(),
            files: 3,
            bytes: 6,
            shards: vec![
                Shard { shard: 1, bytes: 3, inputs: vec![input("a", 1), input("b", 2)] },
                Shard { shard: 2, bytes: 3, inputs: vec![input("c", 3)] },
            ],
        }
    }

    #[test]
    fn a_plan_comes_back_and_one_that_does_not_add_up_is_refused() {
        let whole = plan();
        assert_eq!(Plan::read("plan.json", &whole.to_bytes()).unwrap(), whole);
        assert_eq!(
            (whole.range(0), whole.range(1), whole.range(2), whole.range(3)),
            (None, Some(0..2), Some(2..3), None)
        );
        let broken: [fn(&mut Plan); 7] = [
            |plan| plan.plan = 2,
            |plan| plan.month = "October".to_owned(),
            |plan| plan.shards[1].shard = 3,
            |plan| plan.shards[0].bytes = 4,
            |plan| plan.files = 4,
            |plan| plan.bytes = 7,
            |plan| plan.shards.clear(),
        ];
        for change in broken {
            let mut changed = plan();
            change(&mut changed);
            let error = Plan::read("plan.json", &changed.to_bytes()).unwrap_err();
            let RunError::Invalid(findings) = error else { panic!("{error}") };
            assert_eq!(findings.iter().next().unwrap().code, "shard.plan_malformed");
        }
        assert!(Plan::read("plan.json", b"{}").is_err());
    }

    #[test]
    fn a_changed_a_missing_and_an_added_table_are_told_apart() {
        let reference = |path: &str, sha256: &str| Reference {
            path: path.to_owned(),
            sha256: sha256.to_owned(),
            role: "tariff".to_owned(),
        };
        let mut findings = Findings::default();
        changed_references(
            &[reference("a", "1"), reference("b", "1"), reference("c", "1")],
            &[reference("a", "1"), reference("b", "2"), reference("d", "1")],
            &mut findings,
        );
        let told: Vec<&str> = findings.iter().map(|finding| finding.message.as_str()).collect();
        assert_eq!(
            told,
            [
                "`b` (tariff) is not what it was when the shards were planned",
                "`c` (tariff) is not read any more",
                "`d` (tariff) is read, and was not planned",
            ]
        );
    }

    #[test]
    fn the_way_leads_from_the_manifest_to_the_project() {
        use super::super::super::storage::Disk;
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        std::fs::create_dir_all(root.join("plans/october")).unwrap();
        std::fs::create_dir_all(root.join("acme")).unwrap();
        let way = |from: &str, to: &str| way(&Disk, &root.join(from), &root.join(to)).unwrap();
        assert_eq!(way("plans/october", "acme"), "../../acme");
        assert_eq!(way("", "acme"), "acme");
        assert_eq!(way("acme", "acme"), ".");
        // What is not there yet is where it will be.
        assert_eq!(way("", "acme/out"), "acme/out");
    }
}
