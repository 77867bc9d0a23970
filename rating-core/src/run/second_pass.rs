//! The second pass: rows come back payer by payer, are itemised, added up and written.
//!
//! Some payers at a time are worked on by each thread; what must be in one file (a site's itemised Parquet) is appended in
//! the order of the payers. A payer with very many calls is worked on in shares of some days, so that what is held in
//! memory does not grow with the month.

mod duplicates;
mod line;
mod near;
mod sink;
mod units;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use duplicates::Duplicates;
use line::locked;
use near::near_duplicates;
use sink::{Done, PayerPart, Sink};
use units::{Groups, Share, Unit};

use super::RunError;
use super::allowances::{self, Allowances, Prepared};
use super::bills::Billing;
use super::control::CallCounts;
use super::engine::Engine;
use super::history::Status;
use super::parquet_file::{self, SiteEncoder};
use super::project::Project;
use super::publish::Stage;
use super::spill::{GroupKey, Rows, Run, start_of};
use crate::aggregation::{Aggregate, Amounts, Bills, PayerKey};
use crate::ids::{PayerId, SiteId};
use crate::rating::allowance::{Adjusted, Member, Owner};
use crate::rating::{CallRow, Outcome, Side, flags};
use crate::report::csv::{self, Profile};
use crate::report::{
    self, AllowanceReader, Batch, Itemised, Names, Report, Scope, View, extension_summary, file_name,
    payer_destinations, safe_name,
};
use crate::source::RecordId;
use crate::time::Month;

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
    /// Where reports go.
    pub(super) stage: &'c Stage<'c>,
    /// Names for reports.
    pub(super) names: &'c Names,
    /// The month, for file names.
    pub(super) month: Month,
    /// Every run of rows.
    pub(super) runs: Vec<&'c Run>,
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

/// How many calls are worked on at once: few enough to stay in the nearest memory, at half a kilobyte each.
const BLOCK: usize = 32;

/// Runs the second pass.
///
/// # Errors
///
/// If rows cannot be read back or a report not written.
pub(super) fn run(context: &Context<'_>) -> Result<SecondPass, RunError> {
    let groups = Groups::new(context.runs.clone());
    let worker = Worker {
        context,
        prepared: context.prepare(&groups)?,
        duplicates: Duplicates::new(context.duplicates),
        used: Mutex::default(),
        encoder: SiteEncoder::new()?,
        groups,
    };
    let units = worker.groups.units();
    let mut sink = Sink::new(context, &worker.encoder);
    let work = |index: usize| units.get(index).map(|unit| worker.unit(unit)).transpose();
    line::in_order(units.len(), work, |done| done.map_or(Ok(()), |done| sink.add(done)))?;
    let mut found = sink.finish()?;
    found.allowances.merge(worker.prepared.found);
    found.allowances.accounts.sort_by(|one, other| one.key.cmp(&other.key));
    context.allowance_files(&found.allowances)?;
    context.bill_files(&found)?;
    Ok(found)
}

/// What works on units, on every thread.
struct Worker<'w, 'c> {
    context: &'w Context<'c>,
    groups: Groups<'w>,
    prepared: Prepared,
    duplicates: Duplicates<'w>,
    /// Tables of units that are written, whose memory the next ones take.
    used: Mutex<Vec<Batch>>,
    encoder: SiteEncoder,
}

/// What is gathered of a unit.
struct Gathered<'n> {
    for_site: Itemised<'n>,
    found: SecondPass,
}

impl Worker<'_, '_> {
    /// Some payers one after the other: one table of calls for the operator, and each payer's own files.
    fn unit(&self, unit: &Unit) -> Result<Done, RunError> {
        let context = self.context;
        let used = locked(&self.used).pop();
        let for_site = match used {
            Some(used) => Itemised::for_site_again(context.names, used),
            None => Itemised::for_site(context.names),
        };
        let mut gathered = Gathered { for_site, found: SecondPass::default() };
        let mut payers = Vec::with_capacity(unit.shares.len());
        for share in &unit.shares {
            let start = gathered.for_site.len();
            let (sums, bills, own) = self.share(share, &mut gathered)?;
            payers.push((share, start..gathered.for_site.len(), sums, bills, own));
        }
        let Gathered { for_site, mut found } = gathered;
        let batch = for_site.finish();
        let mut part = None;
        for (share, range, mut sums, bills, own) in payers {
            let key = payer_key(share.key);
            let itemised = || match &own {
                Some(own) => Ok(own.view()),
                None => Itemised::payer_view(&batch, key, range.clone())
                    .ok_or_else(|| RunError::Internal("a payer's table holds another payer's calls".to_owned())),
            };
            let shown = key.payer.is_some() && context.itemises_payers();
            if share.is_whole() {
                if shown && !range.is_empty() {
                    context.payer_files(key, Report::Itemised, &itemised()?)?;
                }
                sums.settle();
                context.payer_summaries(key, &sums, bills, &mut found)?;
                found.aggregate = found.aggregate.merge(sums);
            } else {
                let view = if shown { Some(itemised()?) } else { None };
                part = Some(PayerPart::new(context, share, key, sums, bills, view.as_ref())?);
            }
        }
        let rows = self.encoder.encode(&batch)?;
        locked(&self.used).push(batch);
        Ok(Done { site: SiteId(unit.site), rows, found, part })
    }

    /// Adds a payer's calls to the site's table and the sums; the operator gets a table of its own, for its cost is
    /// another.
    fn share(
        &self,
        share: &Share,
        Gathered { for_site, found }: &mut Gathered<'_>,
    ) -> Result<(Aggregate, Bills, Option<Batch>), RunError> {
        let context = self.context;
        let key = payer_key(share.key);
        let rows = self.rows(share)?;
        let from = share.from.map(start_of);
        let near = near_duplicates(&rows, context.engine, from, |row| self.is_duplicate(row));
        let settled = self.settled(share, &rows, found)?;
        let adjusted = settled.as_deref().or_else(|| self.prepared.calls(share.key)).unwrap_or_default();
        let (mut sums, mut bills) = (Aggregate::new(), Bills::default());
        let mut own = (key.is_operator() && context.itemises_payers()).then(|| Itemised::for_payer(context.names, key));
        let mut used = ByFile::default();
        let mut block = Vec::with_capacity(BLOCK);
        for start in (0..rows.len()).step_by(BLOCK) {
            block.clear();
            rows.block(start..rows.len().min(start + BLOCK), context.engine, &mut block);
            block.retain_mut(|row| {
                if from.is_some_and(|from| row.charging_at < from) {
                    return false;
                }
                if self.is_duplicate(row) {
                    *found.duplicates.entry(row.record.file()).or_default() += 1;
                    return false;
                }
                if !near.is_empty() && near.binary_search_by_key(&row.record, |(record, _)| *record).is_ok() {
                    row.flags |= flags::NEAR_DUPLICATE;
                }
                self.settle(key, row, adjusted, found);
                used.add(row.record.file(), &mut found.used);
                true
            });
            for row in &mut block {
                if let Some(billing) = &context.billing {
                    let rate = billing.tax(row);
                    bills.add(row, rate);
                }
                sums.add_converted(row, context.converted(row));
            }
            if let Some(own) = &mut own {
                own.push_all(&block);
            }
            for_site.push_all(&block);
            if let Some(watch) = context.watch {
                watch.calls(context.engine.project, context.names, &block);
            }
        }
        used.finish(&mut found.used);
        found.near.extend(near);
        Ok((sums, bills, own.map(Itemised::finish)))
    }

    /// What the payer's allowances make of a call, and what is noted of late and released ones.
    #[inline]
    fn settle(&self, key: PayerKey, row: &mut CallRow<'_>, adjusted: &[Adjusted], found: &mut SecondPass) {
        let late = row.flags & flags::LATE != 0;
        if !adjusted.is_empty() {
            let before = Status::of(row);
            allowances::adjust(row, adjusted);
            let status = Status::of(row);
            if status != before {
                found.changed.insert(row.record.to_bits(), status.byte(late));
            }
        }
        if row.flags & flags::RELEASED != 0 {
            found.released.insert(row.record.to_bits());
        }
        if late {
            let month = Month::of(self.context.engine.project.zone(row.site).to_local(row.charging_at).date());
            let side = if key.is_operator() { &row.wholesale } else { &row.retail };
            found.late.entry(month).or_default().add(row, side);
        }
    }

    /// The rows of a share, and those so shortly before it that its first may be nearly the same.
    fn rows(&self, share: &Share) -> Result<Rows, RunError> {
        let wanted = |day: i32, last_ms: u32| match (share.from, share.until) {
            (_, Some(until)) if day >= until => false,
            (Some(from), _) if day < from => day == from - 1 && i64::from(last_ms) + near::NEAR.as_millis() >= DAY_MS,
            _ => true,
        };
        let stretches = self.groups.stretches(share.key).filter(|(_, stretch)| wanted(stretch.day, stretch.last_ms));
        Ok(Rows::gather(share.key, stretches)?)
    }

    fn is_duplicate(&self, row: &CallRow<'_>) -> bool {
        self.duplicates.contains(row.record.to_bits())
    }

    /// What allowances make of a payer's calls, by record, unless that is known already; and the payer's own table of them.
    fn settled(&self, share: &Share, rows: &Rows, found: &mut SecondPass) -> Result<Option<Vec<Adjusted>>, RunError> {
        let context = self.context;
        let Some(allowances) = context.allowances.as_ref().filter(|allowances| allowances.concern(share.key)) else {
            return Ok(None);
        };
        // Once for a payer whose calls are cut by days; all of these are known beforehand.
        if share.from.is_some() {
            return Ok(None);
        }
        let mut own = allowances::Found::default();
        let (calls, accounts) = match self.prepared.calls(share.key) {
            Some(_) => (None, self.prepared.found.accounts.as_slice()),
            None => {
                let skip = |row: &CallRow<'_>| context.takes_no_allowance(row);
                let calls = allowances.alone(share.key, rows, context.engine, &skip, &mut own);
                (Some(calls), own.accounts.as_slice())
            }
        };
        let member = Member { site: SiteId(share.key.site), payer: PayerId(share.key.payer) };
        let schemes = allowances::scheme_names(context.engine.project);
        let table = report::allowances(accounts, &schemes, context.names, AllowanceReader::Payer(member));
        let payer = PayerKey { site: member.site, payer: Some(member.payer) };
        context.payer_files(payer, Report::Allowances, &table.view())?;
        found.allowances.merge(own);
        Ok(calls)
    }
}

const DAY_MS: i64 = 86_400_000;

fn payer_key(key: GroupKey) -> PayerKey {
    PayerKey { site: SiteId(key.site), payer: key.payer() }
}

/// Counts records by file; those of one file come in long rows.
#[derive(Default)]
struct ByFile {
    file: u32,
    count: u64,
}

impl ByFile {
    #[inline]
    fn add(&mut self, file: u32, counts: &mut BTreeMap<u32, u64>) {
        if file != self.file {
            self.finish(counts);
            self.file = file;
        }
        self.count += 1;
    }

    fn finish(&mut self, counts: &mut BTreeMap<u32, u64>) {
        let count = std::mem::take(&mut self.count);
        if count > 0 {
            *counts.entry(self.file).or_default() += count;
        }
    }
}

impl Context<'_> {
    /// What must be known of allowances before the payers are gone through one by one.
    fn prepare(&self, groups: &Groups<'_>) -> Result<Prepared, RunError> {
        let Some(allowances) = &self.allowances else { return Ok(Prepared::default()) };
        let gather = |key: GroupKey| Ok(Rows::gather(key, groups.stretches(key))?);
        let large = |key: GroupKey| groups.is_large(key);
        let (keys, only) = (groups.keys().collect(), self.engine.only());
        allowances.prepare(&keys, large, only, gather, self.engine, &|row| self.takes_no_allowance(row))
    }

    /// Writes the summaries of a payer's calls, and the bill; what the bill needs goes to `found`.
    fn payer_summaries(
        &self,
        key: PayerKey,
        sums: &Aggregate,
        bills: Bills,
        found: &mut SecondPass,
    ) -> Result<(), RunError> {
        self.bill(key, bills, sums, found)?;
        if key.payer.is_none() || sums.control().calls == 0 {
            return Ok(());
        }
        let listing = sums.listing();
        let lines = extension_summary(&listing, self.names, key);
        self.payer_files(key, Report::ExtensionSummary, &lines.view())?;
        let destinations = payer_destinations(&listing, self.names, key);
        self.payer_files(key, Report::Destinations, &destinations.view())
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
        row.flags & flags::LATE != 0 || self.duplicates.binary_search(&row.record.to_bits()).is_ok()
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
        let reports = &self.engine.project.settings.reports;
        let forms = match report {
            Report::Itemised => (reports.itemised_csv, self.itemised_parquet()),
            _ => (true, reports.payer_parquet),
        };
        let (folder, scope) = self.payer_place(key);
        self.write_view(&folder, scope, report, view, forms)
    }

    fn payer_place(&self, key: PayerKey) -> (String, Scope<'_>) {
        let (site, payer) = (self.site_id(key.site), self.payer_id(key.payer));
        (format!("{}/payer={}", self.site_folder(key.site), safe_name(payer)), Scope::Payer { site, payer })
    }

    /// The forms of CSV asked for, and how their files end.
    fn profiles(&self) -> impl Iterator<Item = (Profile, &'static str)> + use<> {
        let settings = &self.engine.project.settings.reports;
        let profiles =
            [(settings.spreadsheet, Profile::Spreadsheet, "csv"), (settings.machine, Profile::Machine, "machine.csv")];
        profiles.into_iter().filter(|(asked, ..)| *asked).map(|(_, profile, ending)| (profile, ending))
    }

    /// The forms of CSV in which payers get their calls one by one.
    fn itemised_profiles(&self) -> impl Iterator<Item = Profile> + use<> {
        let asked = self.engine.project.settings.reports.itemised_csv;
        self.profiles().filter(move |_| asked).map(|(profile, _)| profile)
    }

    /// Whether payers get their calls one by one as Parquet.
    fn itemised_parquet(&self) -> bool {
        let reports = &self.engine.project.settings.reports;
        reports.payer_parquet && reports.itemised_parquet
    }

    /// The path of a payer's calls one by one.
    fn itemised_path(&self, key: PayerKey, ending: &str) -> String {
        let (folder, scope) = self.payer_place(key);
        format!("{folder}/{}", file_name(self.month, scope, Report::Itemised, ending))
    }

    /// Whether payers get their calls one by one, in any form.
    fn itemises_payers(&self) -> bool {
        self.engine.project.settings.reports.itemised_csv || self.itemised_parquet()
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
        let name = |ending| format!("{folder}/{}", file_name(self.month, scope, report, ending));
        for (profile, ending) in self.profiles().filter(|_| csv) {
            // As long as the lines of most tables come to.
            let mut bytes = Vec::with_capacity(1_024 + 96 * view.rows());
            csv::write(view, profile, &mut bytes);
            self.stage.write(&name(ending), &bytes)?;
        }
        if parquet {
            parquet_file::write(self.stage, &name("parquet"), view)?;
        }
        Ok(())
    }
}
