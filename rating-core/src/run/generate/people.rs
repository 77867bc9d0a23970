//! The made-up operator: its sites, the occupiers, and who holds which number from when.

use super::PlanError;
use super::random::{Draws, Stream};
use crate::time::{Date, Month};

/// A site and its switch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// `site01`, `site02`, ...
    pub id: String,
    /// First direct-dial number, in national form without the leading 0.
    pub first_number: u64,
    /// How many numbers it has, all in one block.
    pub numbers: u64,
    /// First extension; the n-th number rings the n-th extension.
    pub first_extension: u64,
}

/// A run of numbers of one site that one occupier holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allocation {
    /// Index of the site.
    pub site: usize,
    /// First number, in national form without the leading 0.
    pub first_number: u64,
    /// Extension of the first number.
    pub first_extension: u64,
    /// How many numbers, and as many extensions.
    pub numbers: u64,
    /// Index of the occupier, from 0.
    pub occupier: u64,
    /// First day, in the site's zone; `None`: since before the month.
    pub from: Option<Date>,
    /// First day that is no longer theirs; `None`: until further notice.
    pub until: Option<Date>,
}

/// Share of the numbers that each site has, of a hundred.
const SHARES: [u64; 12] = [20, 15, 12, 10, 9, 8, 7, 6, 5, 4, 3, 1];

/// The operator's numbers start here: area 01632, which is not in service anywhere.
const FIRST_NUMBER: u64 = 1_632_100_000;
const FIRST_EXTENSION: u64 = 2_000;
/// Extensions have four digits and do not begin with a 9.
const MOST_EXTENSIONS: u64 = 7_000;

/// Who has an occupier's id: `occ001`, `occ002`, ...
#[must_use]
pub fn occupier_id(index: u64) -> String {
    format!("occ{:03}", index + 1)
}

/// Splits `total` by the sites' shares; every part begins where the one before ends.
pub(super) fn by_share(total: u64, sites: usize) -> Vec<u64> {
    let shares = &SHARES[..sites.min(SHARES.len())];
    let whole: u64 = shares.iter().sum();
    let mut sum = 0;
    let bounds = std::iter::once(0).chain(shares.iter().map(|share| {
        sum += share;
        u64::try_from(u128::from(total) * u128::from(sum) / u128::from(whole)).unwrap_or(u64::MAX)
    }));
    bounds.collect()
}

pub(super) fn sites(count: usize, numbers: u64) -> Result<Vec<Site>, PlanError> {
    if count == 0 || count > SHARES.len() {
        return Err(PlanError::Sites { most: SHARES.len() });
    }
    let bounds = by_share(numbers, count);
    let sites: Vec<Site> = bounds
        .windows(2)
        .zip(1..)
        .map(|(bound, number)| Site {
            id: format!("site{number:02}"),
            first_number: FIRST_NUMBER + bound[0],
            numbers: bound[1] - bound[0],
            first_extension: FIRST_EXTENSION,
        })
        .collect();
    if sites.iter().any(|site| site.numbers == 0 || site.numbers > MOST_EXTENSIONS) {
        return Err(PlanError::Numbers { most_a_site: MOST_EXTENSIONS });
    }
    Ok(sites)
}

/// Occupiers hold contiguous blocks, a few large and many small; 3 of 100 numbers change hands once or twice in the
/// month.
pub(super) fn allocations(seed: u64, sites: &[Site], occupiers: u64, month: Month) -> Vec<Allocation> {
    let mut allocations: Vec<Allocation> = Vec::new();
    let total: u64 = sites.iter().map(|site| site.numbers).sum();
    // The k-th block is as large as 1 / (k + 20) of the whole, but for scale, so that the first has a 26th part of what the sum is.
    let weights: Vec<u64> = (0..occupiers).map(|k| 1_000_000 / (k + 20)).collect();
    let whole: u64 = weights.iter().sum::<u64>().max(1);
    let (mut place, mut occupier, mut passed) = (0_u64, 0_u64, weights.first().copied().unwrap_or(0));
    for (index, site) in sites.iter().enumerate() {
        for offset in 0..site.numbers {
            while u128::from(place) * u128::from(whole) >= u128::from(passed) * u128::from(total)
                && occupier + 1 < occupiers
            {
                occupier += 1;
                passed += weights.get(usize::try_from(occupier).unwrap_or(usize::MAX)).copied().unwrap_or(0);
            }
            let one = Allocation {
                site: index,
                first_number: site.first_number + offset,
                first_extension: site.first_extension + offset,
                numbers: 1,
                occupier,
                from: None,
                until: None,
            };
            changing_hands(seed, one, occupiers, month, &mut allocations);
            place += 1;
        }
    }
    allocations
}

/// Adds one number's holders, or lengthens the run before it.
fn changing_hands(seed: u64, one: Allocation, occupiers: u64, month: Month, allocations: &mut Vec<Allocation>) {
    let mut draws = Draws::new(seed, Stream::Allocation, one.first_number);
    let changes = if draws.below(1_000) < 30 && occupiers > 1 { 1 + draws.below(1_000) * 138 / 100_000 } else { 0 };
    if changes == 0 {
        if let Some(last) = allocations.last_mut()
            && (last.site, last.occupier, last.from, last.until) == (one.site, one.occupier, None, None)
            && last.first_number + last.numbers == one.first_number
        {
            last.numbers += 1;
        } else {
            allocations.push(one);
        }
        return;
    }
    let (first, end) = month.days();
    let days = u64::try_from(end.days() - first.days()).unwrap_or(28);
    // One change in the first half of the month, the other in the second, neither on the first day.
    let mut part = one;
    for change in 0..changes {
        let day = 1 + change * (days / 2) + draws.below(days / 2 - 1);
        let at = Date::from_days(first.days() + i32::try_from(day).unwrap_or(1));
        allocations.push(Allocation { until: Some(at), ..part });
        // Anybody but the holder.
        let occupier = (part.occupier + 1 + draws.below(occupiers - 1)) % occupiers;
        part = Allocation { from: Some(at), occupier, ..part };
    }
    allocations.push(part);
}
