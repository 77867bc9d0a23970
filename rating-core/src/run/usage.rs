//! The usage report in a run: lines from the directory's voice services, terms from `[usage]` of `rating.toml`.

use super::RunError;
use super::project::Project;
use super::second_pass::Context;
use super::settings::UsageSettings;
use crate::aggregation::{PayerKey, Usage, UsageTerms};
use crate::ids::{PayerId, SiteId};
use crate::report::{self, Report};
use crate::time::{Date, Duration, Interval, Month};

/// Writes the usage reports of a month: of all sites, and of each by itself.
///
/// # Errors
///
/// If the disk refuses.
pub(super) fn write(context: &Context<'_>, project: &Project, only: Option<SiteId>) -> Result<(), RunError> {
    let Some(settings) = &project.settings.usage else { return Ok(()) };
    let (first, end) = context.month.days();
    let days = u32::try_from(end.days() - first.days()).unwrap_or(0);
    let all: Vec<(PayerKey, Vec<u64>)> = lines(project, context.month, only);
    let table = |allocations: Vec<(PayerKey, Vec<u64>)>, allowance: Option<u64>| {
        let terms = |allowance| UsageTerms { allowance, price: settings.price, rounding: settings.rounding };
        Usage::of(allocations, days, allowance.map(terms))
            .map(|usage| report::usage(&usage, settings.currency, context.names))
            .ok_or_else(|| RunError::Unbalanced("the usage of a month is larger than an amount can be".to_owned()))
    };
    for (index, _) in project.settings.sites.iter().enumerate() {
        let Some(site) = u32::try_from(index).ok().map(SiteId) else { continue };
        if only.is_some_and(|only| only != site) {
            continue;
        }
        let here = all.iter().filter(|(key, _)| key.site == site).cloned().collect();
        context.site_files(site, Report::Usage, &table(here, site_allowance(settings, index))?.view())?;
    }
    context.month_files(Report::Usage, &table(all, Some(settings.allowance))?.view())
}

/// What a site may have by itself: what the settings say, or all of it where there is one site only.
fn site_allowance(settings: &UsageSettings, site: usize) -> Option<u64> {
    let only = (settings.of_sites.len() == 1).then_some(settings.allowance);
    settings.of_sites.get(site).copied().flatten().or(only)
}

/// The lines of each payer at each site, day by day. What changes on a day counts for that day: it is as it stands at the
/// day's end.
fn lines(project: &Project, month: Month, only: Option<SiteId>) -> Vec<(PayerKey, Vec<u64>)> {
    let (first, end) = month.days();
    let mut keys: Vec<(SiteId, PayerId)> =
        project.directory.voice_payers().map(|(payer, site)| (site, payer)).collect();
    keys.sort_unstable();
    keys.dedup();
    keys.retain(|(site, _)| only.is_none_or(|only| only == *site));
    keys.into_iter()
        .map(|(site, payer)| {
            let zone = project.zone(site);
            let on = |day: Date| {
                let until = zone.start_of(day.tomorrow().midnight());
                let last = Interval { from: until.plus(Duration::from_millis(-1)), until };
                u64::from(project.directory.voice_lines(payer, site, last).unwrap_or(0))
            };
            let days = (first.days()..end.days()).map(|day| on(Date::from_days(day))).collect();
            (PayerKey { site, payer: Some(payer) }, days)
        })
        .collect()
}
