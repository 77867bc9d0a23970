use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::super::storage::Disk;
use super::*;
use crate::assignment::SideKind;
use crate::attribution::AttributedCall;
use crate::ids::DestinationId;
use crate::number::Direction;
use crate::rating::Outcome;
use crate::tariff::{Tariff, TariffVersion};
use crate::time::{Duration, Instant};

/// Numbers that look like chance and are the same in every run of the tests.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % end
    }

    fn one_of<'t, T>(&mut self, of: &'t [T]) -> &'t T {
        &of[self.below(of.len())]
    }
}

/// The demo and every story.
fn folders() -> Vec<PathBuf> {
    let testdata = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata");
    let stories = std::fs::read_dir(testdata.join("scenarios")).unwrap().map(|entry| entry.unwrap().path());
    let mut folders: Vec<PathBuf> = stories.chain([testdata.join("demo")]).collect();
    folders.retain(|folder| folder.join("rating.toml").exists());
    folders.sort();
    folders
}

/// A law of every tariff: many calls at once, the common ones by the short way, come to what each comes to alone by the way that
/// explanations go. Numbers are of each tariff's prefixes and longer, shorter and beside them; instants lie in the whole year,
/// many on a minute, where bands begin.
#[test]
fn calls_that_are_rated_together_come_to_what_each_comes_to_alone() {
    const CALLS: usize = 600;
    let mut chance = Chance(7);
    let (mut rated, mut codes) = ([0, 0], BTreeSet::new());
    for folder in folders() {
        let project = Project::load(&Disk, &folder, None).unwrap().0.unwrap();
        let versions = project.book.tariffs().iter().flat_map(Tariff::versions);
        let mut prefixes: Vec<String> = versions.flat_map(TariffVersion::prefixes).map(|of| of.to_string()).collect();
        prefixes.extend(["44", "1", "999", "7"].map(str::to_owned));
        let sites: Vec<SiteId> = (0..).map(SiteId).take(project.directory.sites().len()).collect();
        let january = Instant::parse_rfc3339("2026-01-01T00:00:00Z").unwrap();
        let texts: Vec<(String, String)> = (0..CALLS)
            .map(|_| {
                let prefix = chance.one_of(&prefixes).clone();
                let cut = 1 + chance.below(prefix.len());
                let prefix = if chance.below(4) == 0 { &prefix[..cut] } else { &prefix };
                let digits: String = (0..chance.below(10)).map(|_| char::from(b'0' + chance.below(10) as u8)).collect();
                let sign = *chance.one_of(&["+", "+", "+", "900", ""]);
                (format!("{sign}{prefix}{digits}"), (2_000 + chance.below(30)).to_string())
            })
            .collect();
        let desk = Desk::before_allowances(&project);
        let calls: Vec<Call<'_>> = (0..)
            .zip(&texts)
            .filter_map(|(row, (called, calling))| {
                let minute = i64::try_from(chance.below(365 * 1_440)).unwrap() * 60_000;
                let beside = *chance.one_of(&[0, 0, 1, -1, 17_345]);
                let seconds = *chance.one_of(&[0, 1, 59, 60, 61, 299, 3_600, 7_201]);
                let duration = Duration::from_millis(seconds * 1_000 + *chance.one_of(&[0, 0, 1, 999]));
                let call = PlainCall {
                    called: called.as_bytes(),
                    calling: calling.as_bytes(),
                    direction: *chance.one_of(&[Direction::Unknown, Direction::Outbound, Direction::Inbound]),
                    ..PlainCall::answered(
                        *chance.one_of(&sites),
                        january.plus(Duration::from_millis(minute + beside)),
                        duration,
                    )
                };
                let mediator = desk.mediators.get(call.site.index())?;
                call.faults().into_iter().flatten().next().is_none().then(|| mediator.alone(&call.record(row)))
            })
            .collect();
        let calls: Vec<AttributedCall<'_, '_>> = calls.iter().map(|call| attribute(call, &project.directory)).collect();
        let rater = desk.engine.rater();
        let unnamed = project.book.destinations().get("").map(DestinationId);
        let mut seen = 0;
        rater.rate_all(&calls, |index, together| {
            // What an explanation shows never went the short way.
            let shown = |side| rater.show(&calls[index], side, Duration::ZERO, &mut ()).side;
            let mut sides = [shown(SideKind::Retail), shown(SideKind::Wholesale)];
            // A mark-up that names no destination has the carrier's in reports.
            if let [Outcome::Rated(retail), Outcome::Rated(carrier)] = sides.each_mut().map(|side| &mut side.outcome)
                && Some(retail.destination) == unnamed
            {
                retail.destination = carrier.destination;
            }
            assert_eq!([together.retail, together.wholesale], sides, "{} {:?}", folder.display(), calls[index].call);
            for (count, side) in rated.iter_mut().zip(sides) {
                match side.outcome {
                    Outcome::Rated(_) => *count += 1,
                    Outcome::NotChargeable(code) | Outcome::Suspended(code) => _ = codes.insert(code),
                }
            }
            seen += 1;
        });
        assert_eq!(seen, calls.len());
    }
    assert!(rated[0] > 500 && rated[1] > 2_000 && codes.len() >= 8, "{rated:?} {codes:?}");
}
