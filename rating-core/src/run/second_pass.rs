//! The second pass: rows come back payer by payer, are itemised, added up and written.
//!
//! Sites and payers are worked on in parallel, a few at a time; what must be in one file (a site's itemised Parquet) is
//! appended in the order of the payers.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use super::RunError;
use super::allowances::{self, Allowances, Prepared};
use super::bills::Billing;
use super::control::CallCounts;
use super::engine::Engine;
use super::history::Status;
use super::parquet_file::{self, ItemisedFile, RowGroups};
use super::project::Project;
use super::publish::Stage;
use super::spill::{GroupKey, Rows, Spilled, Stretch};
use super::storage::Storage;
use crate::aggregation::{Aggregate, Amounts, Bills, PayerKey};
use crate::ids::{PayerId, SiteId};
use crate::rating::allowance::{Adjusted, Member, Owner};
use crate::rating::{CallRow, Outcome, Side, flags};
use crate::report::csv::{self, Profile};
use crate::report::{
    self, AllowanceReader, Batch, Itemised, Names, Report, Scope, View, charges_by_occupier, extension_summary,
    file_name, margins, payer_destinations, safe_name, site_destinations,
};
use crate::source::RecordId;
use crate::time::{Duration, Month};

/// How many bytes of rows make a unit of work: about a row group of 180 bytes each.
const UNIT_BYTES: usize = 16_384 * 180;

/// Nearly equal calls begin within this of each other and last as long, within the same.
const NEAR: Duration = Duration::from_seconds(1);

/// What the second pass found.
#[derive(Default)]
pub(super) struct SecondPass {
    /// All sums.
    pub(super) aggregate: Aggregate,
    /// How many rows of each file stand for a call of the month.
    pub(super) used: BTreeMap<u32, u64>,
    /// How many rows of each file were duplicates.
    pub(super) duplicates: BTreeMap<u32, u64>,
    /// Nearly equal calls, each with the one before it.
    pub(super) near: Vec<(RecordId, RecordId)>,
    /// Allowances and volume tiers.
    pub(super) allowances: allowances::Found,
    /// Bills.
    pub(super) bills: Bills,
    /// Late calls, by the month that they correct.
    pub(super) late: BTreeMap<Month, LateSums>,
    /// Records that the books of a closed month have suspended, and that are rated now.
    pub(super) released: BTreeSet<u64>,
    /// Records of calls that became something else since the first pass, as the record index has it.
    pub(super) changed: BTreeMap<u64, u8>,
}

/// What late calls come to.
#[derive(Clone, Debug, Default)]
pub(super) struct LateSums {
    /// Calls, by the payer's side.
    pub(super) calls: CallCounts,
    /// What occupiers are charged for them.
    pub(super) retail: Amounts,
    /// What the operator is charged for them.
    pub(super) wholesale: Amounts,
}

impl LateSums {
    fn add(&mut self, row: &CallRow<'_>, payer_side: &Side) {
        self.calls.calls += 1;
        match payer_side.outcome {
            Outcome::Rated(_) => self.calls.rated += 1,
            Outcome::NotChargeable(_) => self.calls.not_chargeable += 1,
            Outcome::Suspended(_) => self.calls.suspended += 1,
        }
        for (amounts, side) in [(&mut self.retail, &row.retail), (&mut self.wholesale, &row.wholesale)] {
            if let (Outcome::Rated(priced), Some(currency)) = (&side.outcome, side.currency) {
                amounts.add(currency, priced.charge);
            }
        }
    }

    fn merge(&mut self, other: &Self) {
        self.calls.calls += other.calls.calls;
        self.calls.rated += other.calls.rated;
        self.calls.not_chargeable += other.calls.not_chargeable;
        self.calls.suspended += other.calls.suspended;
        self.retail.merge(&other.retail);
        self.wholesale.merge(&other.wholesale);
    }
}

impl SecondPass {
    fn merge(mut self, other: Self) -> Self {
        self.aggregate = self.aggregate.merge(other.aggregate);
        for (into, from) in [(&mut self.used, other.used), (&mut self.duplicates, other.duplicates)] {
            for (file, count) in from {
                *into.entry(file).or_default() += count;
            }
        }
        self.near.extend(other.near);
        self.allowances.merge(other.allowances);
        self.bills.merge(other.bills);
        for (month, sums) in &other.late {
            self.late.entry(*month).or_default().merge(sums);
        }
        self.released.extend(other.released);
        self.changed.extend(other.changed);
        self
    }
}

/// Everything that the second pass reads from and writes to.
pub(super) struct Context<'c> {
    /// The engine of the first pass.
    pub(super) engine: &'c Engine<'c>,
    /// The disk.
    pub(super) storage: &'c dyn Storage,
    /// Where reports go.
    pub(super) stage: &'c Stage<'c>,
    /// Names for reports.
    pub(super) names: &'c Names,
    /// The month, for file names.
    pub(super) month: Month,
    /// Every run of rows.
    pub(super) runs: Vec<(&'c Spilled, &'c [Stretch])>,
    /// Records that are equal to an earlier one, sorted.
    pub(super) duplicates: &'c [u64],
    /// Allowances, if anybody has one.
    pub(super) allowances: Option<Allowances<'c>>,
    /// What makes bills, if there are any.
    pub(super) billing: Option<Billing<'c>>,
    /// Who is shown every call.
    pub(super) watch: Option<&'c dyn Watch>,
}

/// Shown every call of a month as it is reported, from several threads and in no order.
pub(super) trait Watch: Sync {
    /// Some calls of one payer.
    fn calls(&self, project: &Project, names: &Names, rows: &[CallRow<'_>]);
}

/// How many calls are shown at once.
const SHOWN_AT_ONCE: usize = 1_024;

/// Runs the second pass.
///
/// # Errors
///
/// If rows cannot be read back or a report not written.
pub(super) fn run(context: &Context<'_>) -> Result<SecondPass, RunError> {
    let mut groups: BTreeMap<GroupKey, Vec<(usize, Stretch)>> = BTreeMap::new();
    for (index, (_, stretches)) in context.runs.iter().enumerate() {
        for stretch in *stretches {
            groups.entry(stretch.key).or_default().push((index, *stretch));
        }
    }
    let prepared = context.prepare(&groups)?;
    let mut sites: BTreeMap<u32, Vec<Group>> = BTreeMap::new();
    for (key, stretches) in groups {
        sites.entry(key.site).or_default().push((key, stretches));
    }
    // One site after the other, its payers in parallel: what is held in memory is a few payers' calls.
    let mut found = SecondPass::default();
    for (site, groups) in sites {
        found = found.merge(context.site(SiteId(site), &groups, &prepared)?);
    }
    found.allowances.merge(prepared.found);
    found.allowances.accounts.sort_by(|one, other| one.key.cmp(&other.key));
    context.allowance_files(&found.allowances)?;
    context.bill_files(&found)?;
    Ok(found)
}

/// Consecutive payers that together have about as many rows as a row group, or one payer that alone has more.
fn units(groups: &[Group]) -> Vec<&[Group]> {
    let mut units = Vec::new();
    let (mut start, mut bytes) = (0, 0);
    for (index, (_, stretches)) in groups.iter().enumerate() {
        bytes += stretches.iter().map(|(_, stretch)| stretch.length).sum::<usize>();
        if bytes >= UNIT_BYTES {
            units.extend(groups.get(start..=index));
            (start, bytes) = (index + 1, 0);
        }
    }
    units.extend(groups.get(start..).filter(|rest| !rest.is_empty()));
    units
}

type Group = (GroupKey, Vec<(usize, Stretch)>);

impl Context<'_> {
    fn site(&self, site: SiteId, groups: &[Group], prepared: &Prepared) -> Result<SecondPass, RunError> {
        let mut total = SecondPass::default();
        let path = format!("{}/itemised.parquet", self.site_folder(site));
        let mut itemised = ItemisedFile::create(self.stage, path)?;
        let units = units(groups);
        for window in units.chunks(rayon::current_num_threads() * 2) {
            let encoder = itemised.encoder();
            let done: Vec<(RowGroups, SecondPass)> = window
                .par_iter()
                .map(|unit| {
                    let (batch, found) = self.unit(unit, prepared)?;
                    Ok((ItemisedFile::encode(encoder, &batch)?, found))
                })
                .collect::<Result<_, RunError>>()?;
            for (rows, found) in done {
                itemised.append(rows)?;
                total = total.merge(found);
            }
        }
        itemised.finish()?;
        let (sums, names) = (&total.aggregate, self.names);
        self.site_files(site, Report::CallCharges, &charges_by_occupier(sums, names, Some(site)).view())?;
        self.site_files(site, Report::Destinations, &site_destinations(&sums.listing(), names, site).view())?;
        self.site_files(site, Report::Margin, &margins(&sums.listing(), names, site).view())?;
        Ok(total)
    }

    /// A few payers one after the other: one table of calls for the operator, and each payer's own files.
    fn unit(&self, groups: &[Group], prepared: &Prepared) -> Result<(Batch, SecondPass), RunError> {
        let mut found = SecondPass::default();
        let mut for_site = Itemised::for_site(self.names);
        let mut ranges = Vec::new();
        for (key, stretches) in groups {
            let payer = Some(key.payer).filter(|payer| *payer != u32::MAX).map(PayerId);
            let payer_key = PayerKey { site: SiteId(key.site), payer };
            let start = for_site.len();
            let mut sums = Aggregate::new();
            let own = self.payer((*key, stretches), payer_key, prepared, &mut for_site, &mut found, &mut sums)?;
            if payer.is_some() && for_site.len() > start {
                let listing = sums.listing();
                self.payer_files(
                    payer_key,
                    Report::ExtensionSummary,
                    &extension_summary(&listing, self.names, payer_key).view(),
                )?;
                self.payer_files(
                    payer_key,
                    Report::Destinations,
                    &payer_destinations(&listing, self.names, payer_key).view(),
                )?;
                match own {
                    Some(table) => self.payer_files(payer_key, Report::Itemised, &table.view())?,
                    None if !self.itemises_payers() => {}
                    None => ranges.push((payer_key, start..for_site.len())),
                }
            }
            found.aggregate = found.aggregate.merge(sums);
        }
        let batch = for_site.finish();
        for (key, range) in ranges {
            let view = Itemised::payer_view(&batch, key, range)
                .ok_or_else(|| RunError::Internal("a payer's table holds another payer's calls".to_owned()))?;
            self.payer_files(key, Report::Itemised, &view)?;
        }
        Ok((batch, found))
    }

    /// Adds a payer's calls to the site's table and the sums; the operator gets a table of its own, for its cost is
    /// another.
    fn payer(
        &self,
        (group, stretches): (GroupKey, &[(usize, Stretch)]),
        key: PayerKey,
        prepared: &Prepared,
        for_site: &mut Itemised<'_>,
        found: &mut SecondPass,
        sums: &mut Aggregate,
    ) -> Result<Option<Batch>, RunError> {
        let rows = self.rows(stretches)?;
        let near = near_duplicates(rows.iter(self.engine).filter(|row| !self.is_duplicate(row)));
        let adjusted = self.settled(group, &rows, prepared, found)?;
        let mut bills = Bills::default();
        let mut own = (key.is_operator() && self.itemises_payers()).then(|| Itemised::for_payer(self.names, key));
        let mut shown = Vec::new();
        for mut row in rows.iter(self.engine) {
            if self.is_duplicate(&row) {
                *found.duplicates.entry(row.record.file()).or_default() += 1;
                continue;
            }
            if near.binary_search_by_key(&row.record, |(record, _)| *record).is_ok() {
                row.flags |= flags::NEAR_DUPLICATE;
            }
            let before = Status::of(&row);
            allowances::adjust(&mut row, &adjusted);
            let (status, late) = (Status::of(&row), row.flags & flags::LATE != 0);
            if status != before {
                found.changed.insert(row.record.to_bits(), status.byte(late));
            }
            if row.flags & flags::RELEASED != 0 {
                found.released.insert(row.record.to_bits());
            }
            if late {
                let month = Month::of(self.engine.project.zone(row.site).to_local(row.charging_at).date());
                let side = if key.is_operator() { &row.wholesale } else { &row.retail };
                found.late.entry(month).or_default().add(&row, side);
            }
            if let Some(billing) = &self.billing {
                let rate = billing.tax(&mut row);
                bills.add(&row, rate);
            }
            *found.used.entry(row.record.file()).or_default() += 1;
            sums.add_converted(&row, self.converted(&row));
            if let Some(own) = &mut own {
                own.push(&row);
            }
            for_site.push(&row);
            if let Some(watch) = self.watch {
                shown.push(row);
                if shown.len() >= SHOWN_AT_ONCE {
                    watch.calls(self.engine.project, self.names, &shown);
                    shown.clear();
                }
            }
        }
        if let Some(watch) = self.watch {
            watch.calls(self.engine.project, self.names, &shown);
        }
        found.near.extend(near);
        self.bill(key, bills, sums, found)?;
        Ok(own.map(Itemised::finish))
    }

    fn rows(&self, stretches: &[(usize, Stretch)]) -> Result<Rows, RunError> {
        let mut bytes = Vec::with_capacity(stretches.iter().map(|(_, stretch)| stretch.length).sum());
        for (run, stretch) in stretches {
            if let Some((spilled, _)) = self.runs.get(*run) {
                spilled.take(stretch.offset, stretch.length, &mut bytes, self.storage)?;
            }
        }
        Ok(Rows::new(bytes))
    }

    /// What must be known of allowances before the payers are gone through one by one.
    fn prepare(&self, groups: &BTreeMap<GroupKey, Vec<(usize, Stretch)>>) -> Result<Prepared, RunError> {
        let Some(allowances) = &self.allowances else { return Ok(Prepared::default()) };
        let gather = |key: GroupKey| self.rows(groups.get(&key).map_or(&[], Vec::as_slice));
        let keys = groups.keys().copied().collect();
        allowances.prepare(&keys, self.engine.only(), gather, self.engine, &|row| self.takes_no_allowance(row))
    }

    /// What allowances make of a payer's calls, by record; and the payer's own table of them.
    fn settled(
        &self,
        key: GroupKey,
        rows: &Rows,
        prepared: &Prepared,
        found: &mut SecondPass,
    ) -> Result<Vec<Adjusted>, RunError> {
        let Some(allowances) = self.allowances.as_ref().filter(|allowances| allowances.concern(key)) else {
            return Ok(Vec::new());
        };
        let mut own = allowances::Found::default();
        let (calls, accounts) = match prepared.calls(key) {
            Some(calls) => (calls.to_vec(), prepared.found.accounts.as_slice()),
            None => {
                let skip = |row: &CallRow<'_>| self.takes_no_allowance(row);
                (allowances.alone(key, rows, self.engine, &skip, &mut own), own.accounts.as_slice())
            }
        };
        let member = Member { site: SiteId(key.site), payer: PayerId(key.payer) };
        let schemes = allowances::scheme_names(self.engine.project);
        let table = report::allowances(accounts, &schemes, self.names, AllowanceReader::Payer(member));
        let payer = PayerKey { site: member.site, payer: Some(member.payer) };
        self.payer_files(payer, Report::Allowances, &table.view())?;
        found.allowances.merge(own);
        Ok(calls)
    }

    /// Writes a payer's bill.
    fn bill(&self, key: PayerKey, bills: Bills, sums: &Aggregate, found: &mut SecondPass) -> Result<(), RunError> {
        let Some(billing) = &self.billing else { return Ok(()) };
        let lines = billing.lines(&bills, sums)?;
        if !lines.is_empty() {
            self.payer_files(key, Report::Bill, &report::bills(lines.iter(), self.names).view())?;
        }
        found.bills.merge(bills);
        Ok(())
    }

    /// The operator's tables of bills.
    fn bill_files(&self, found: &SecondPass) -> Result<(), RunError> {
        let Some(billing) = &self.billing else { return Ok(()) };
        let lines = billing.lines(&found.bills, &found.aggregate)?;
        let sites: BTreeSet<SiteId> = lines.iter().map(|line| line.payer.site).collect();
        for site in sites {
            let here = lines.iter().filter(|line| line.payer.site == site);
            self.site_files(site, Report::Bill, &report::bills(here, self.names).view())?;
        }
        self.month_files(Report::Bill, &report::bills(lines.iter(), self.names).view())
    }

    /// The operator's tables of allowances, and what the next month must know.
    fn allowance_files(&self, found: &allowances::Found) -> Result<(), RunError> {
        let Some(allowances) = &self.allowances else { return Ok(()) };
        let schemes = allowances::scheme_names(self.engine.project);
        let table = |reader| report::allowances(&found.accounts, &schemes, self.names, reader);
        let sites: BTreeSet<SiteId> = (found.accounts.iter())
            .filter_map(|account| match &account.key.owner {
                Owner::Member(member) => Some(member.site),
                Owner::Group(_) => None,
            })
            .collect();
        for site in sites {
            self.site_files(site, Report::Allowances, &table(AllowanceReader::Site(site)).view())?;
        }
        self.month_files(Report::Allowances, &table(AllowanceReader::Operator).view())?;
        allowances::write_closing(allowances, self.stage, &found.closing, self.names)
    }

    /// Duplicates, and late calls: what an allowance makes of a call is settled with the call's own month.
    fn takes_no_allowance(&self, row: &CallRow<'_>) -> bool {
        row.flags & flags::LATE != 0 || self.is_duplicate(row)
    }

    fn is_duplicate(&self, row: &CallRow<'_>) -> bool {
        !self.duplicates.is_empty() && self.duplicates.binary_search(&row.record.to_bits()).is_ok()
    }

    /// The wholesale charge in the retail side's currency, for the margin.
    fn converted(&self, row: &CallRow<'_>) -> Option<(crate::money::Currency, crate::money::Charge)> {
        let Outcome::Rated(cost) = &row.wholesale.outcome else { return None };
        let (from, to) = (row.wholesale.currency?, row.retail.currency?);
        if from == to {
            return None;
        }
        let charge = self.engine.project.rates.convert(cost.charge, from, to, row.charging_at)?;
        Some((to, charge))
    }

    fn site_id(&self, site: SiteId) -> &str {
        self.engine.project.settings.sites.get(site.index()).map_or("", |site| &site.id)
    }

    fn payer_id(&self, payer: Option<PayerId>) -> &str {
        payer.and_then(|payer| self.engine.project.directory.payers().get(payer.index())).map_or("", |payer| &payer.id)
    }

    /// `site=ldn`.
    #[must_use]
    pub(super) fn site_folder(&self, site: SiteId) -> String {
        format!("site={}", safe_name(self.site_id(site)))
    }

    /// Writes a payer's table in every form asked for, into the payer's folder.
    ///
    /// # Errors
    ///
    /// If the disk refuses.
    pub(super) fn payer_files(&self, key: PayerKey, report: Report, view: &View<'_>) -> Result<(), RunError> {
        let (site, payer) = (self.site_id(key.site), self.payer_id(key.payer));
        let folder = format!("{}/payer={}", self.site_folder(key.site), safe_name(payer));
        let reports = &self.engine.project.settings.reports;
        let csv = reports.itemised_csv || report != Report::Itemised;
        self.write_view(&folder, Scope::Payer { site, payer }, report, view, (csv, reports.payer_parquet))
    }

    /// Whether payers get their calls one by one, in any form.
    fn itemises_payers(&self) -> bool {
        let reports = &self.engine.project.settings.reports;
        reports.itemised_csv || reports.payer_parquet
    }

    /// Writes a site's table in every form asked for.
    ///
    /// # Errors
    ///
    /// If the disk refuses.
    pub(super) fn site_files(&self, site: SiteId, report: Report, view: &View<'_>) -> Result<(), RunError> {
        self.write_view(&self.site_folder(site), Scope::Site(self.site_id(site)), report, view, (true, true))
    }

    /// Writes a table of all sites in every form asked for.
    ///
    /// # Errors
    ///
    /// If the disk refuses.
    pub(super) fn month_files(&self, report: Report, view: &View<'_>) -> Result<(), RunError> {
        self.write_view("all-sites", Scope::AllSites, report, view, (true, true))
    }

    fn write_view(
        &self,
        folder: &str,
        scope: Scope<'_>,
        report: Report,
        view: &View<'_>,
        (csv, parquet): (bool, bool),
    ) -> Result<(), RunError> {
        let settings = &self.engine.project.settings.reports;
        let name = |ending| format!("{folder}/{}", file_name(self.month, scope, report, ending));
        let profiles =
            [(settings.spreadsheet, Profile::Spreadsheet, "csv"), (settings.machine, Profile::Machine, "machine.csv")];
        for (asked, profile, ending) in profiles {
            if asked && csv {
                let mut bytes = Vec::new();
                csv::write(view, profile, &mut bytes);
                self.stage.write(&name(ending), &bytes)?;
            }
        }
        if parquet {
            parquet_file::write(self.stage, &name("parquet"), view)?;
        }
        Ok(())
    }
}

/// Answered calls of one payer, in time, that are nearly the same as one before: same parties, begun and lasting the
/// same within a second. Each is listed with the earlier one, sorted by record.
fn near_duplicates<'a>(rows: impl Iterator<Item = CallRow<'a>>) -> Vec<(RecordId, RecordId)> {
    let mut near = Vec::new();
    let mut window: std::collections::VecDeque<CallRow<'a>> = std::collections::VecDeque::new();
    for row in rows.filter(|row| row.answered) {
        while window.front().is_some_and(|old| row.charging_at.since(old.charging_at) > NEAR) {
            window.pop_front();
        }
        let alike = |old: &CallRow<'a>| {
            old.called == row.called
                && old.calling == row.calling
                && old.dialled == row.dialled
                && (old.duration.as_millis() - row.duration.as_millis()).abs() <= NEAR.as_millis()
        };
        if let Some(old) = window.iter().find(|old| alike(old)) {
            near.push((row.record, old.record));
        }
        // A flood of calls in one second must not make this quadratic.
        if window.len() < 64 {
            window.push_back(row);
        }
    }
    near.sort_unstable();
    near
}
