//! A month, end to end.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::allowances::{self, Allowances};
use super::aside::Store;
use super::between::{self, Joined, LegFate};
use super::bills::Billing;
use super::completeness;
use super::control::{CallCounts, Counts};
use super::engine::Engine;
use super::exceptions;
use super::first_pass::{self, FirstPass, InputFile, LISTED_REJECTS};
use super::history::{self, History};
use super::inputs::Found;
use super::manifest;
use super::project::{Project, StandIns};
use super::publish::{Published, Stage};
use super::ready::{Opened, Ready};
use super::second_pass::{self, Context, SecondPass, Watch};
use super::storage::Storage;
use super::unchanged;
use super::usage;
use super::{Late, Options, Progress, RunError, Summary};
use crate::finding::{Finding, Findings, Label};
use crate::ids::SiteId;
use crate::money::{Currency, Total};
use crate::rating::allowance::{AccountKey, Balance};
use crate::report::{NameLists, Names, Report, charges_by_occupier};
use crate::source::RecordId;
use crate::time::Month;

/// The version of this library, part of what a run is made from.
pub const SOFTWARE_VERSION: &str = env!("CARGO_PKG_VERSION");

/// Runs a month of a project and publishes it.
///
/// The same inputs give the same bytes, whatever the number of threads, the order of files, the locale, the zone of the
/// machine or the date. If this very run is in force already, nothing is done.
///
/// # Errors
///
/// See [`RunError`]; whatever happens, the version in force is the old one or the new one, whole.
pub fn month(storage: &dyn Storage, options: &Options, progress: &dyn Progress) -> Result<Summary, RunError> {
    watched(storage, options, progress, &StandIns::default(), None)
}

/// The same with other files in place of some of the project's, and with somebody who is shown every call.
pub(super) fn watched(
    storage: &dyn Storage,
    options: &Options,
    progress: &dyn Progress,
    stand_ins: &StandIns,
    watch: Option<&dyn Watch>,
) -> Result<Summary, RunError> {
    in_pool(storage, options, progress, stand_ins, Onlookers { watch, gate: None })
}

/// What looks at a version before it is published: its folder, and the records (file and offset) that closed months had
/// suspended and that are rated in it. Says whether it is to be published.
pub(super) type Gate<'g> = &'g (dyn Fn(&Path, &BTreeSet<(String, u64)>) -> Result<bool, RunError> + Sync);

/// Runs a month as [`month`], and publishes it only if `gate` lets it. What the gate holds back leaves nothing behind; the
/// summary says [`Published::DryRun`] then.
///
/// # Errors
///
/// As for [`month`], and what the gate says.
pub(super) fn gated(
    storage: &dyn Storage,
    options: &Options,
    progress: &dyn Progress,
    gate: Gate<'_>,
) -> Result<Summary, RunError> {
    in_pool(storage, options, progress, &StandIns::default(), Onlookers { watch: None, gate: Some(gate) })
}

/// Who else looks at a run.
#[derive(Clone, Copy)]
struct Onlookers<'o> {
    watch: Option<&'o dyn Watch>,
    gate: Option<Gate<'o>>,
}

fn in_pool(
    storage: &dyn Storage,
    options: &Options,
    progress: &dyn Progress,
    stand_ins: &StandIns,
    onlookers: Onlookers<'_>,
) -> Result<Summary, RunError> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(options.threads)
        .build()
        .map_err(|error| RunError::Internal(format!("cannot start threads: {error}")))?;
    pool.install(|| run(storage, options, progress, stand_ins, onlookers))
}

/// Reads everything a project says and finds what is wrong with it, without rating anything.
///
/// # Errors
///
/// If there is no project, or a folder cannot be listed.
pub fn check(storage: &dyn Storage, project: &Path) -> Result<Findings, RunError> {
    let (project, mut findings) = Project::load(storage, project, None)?;
    if let Some(project) = project {
        for source in project.sources() {
            judge_files(&project, source, &project.files_of(storage, source)?, &mut findings);
        }
        if let Some(month) = project.settings.month {
            let mut named = Vec::new();
            for source in project.sources() {
                for path in project.files_of(storage, source)?.files {
                    // Names alone are looked at: what is in the files is not read here.
                    named.push(InputFile { source, sha256: path.clone(), path, bytes: 0, stamp: None });
                }
            }
            let mut gaps = completeness::gaps(&project.settings, month, &named, None);
            project.acceptances.apply(&mut gaps, &mut Findings::default());
            for finding in completeness::findings(&project.settings, &gaps) {
                findings.push(Finding { severity: crate::finding::Severity::Warning, ..finding });
            }
            let out = project.root.join(super::inputs::OUTPUT_FOLDER);
            allowances::opening(storage, &project, &out, month, &mut findings)?;
        }
        findings.extend(super::lint::lint(storage, &project.root, &project.book));
    }
    Ok(findings)
}

pub(super) fn judge_files(project: &Project, source: crate::ids::SourceId, found: &Found, findings: &mut Findings) {
    let Some(settings) = project.settings.sources.get(source.index()) else { return };
    let label = |text| Label::new(&project.settings.source, settings.files_span.clone(), text);
    if found.files.is_empty() {
        findings.push(
            Finding::warning("project.no_input", format!("source `{}` has no files", settings.id))
                .at(label("nothing matches"))
                .help("patterns are relative to the project's folder; `*` does not cross folders, `**` does"),
        );
    }
    for folder in &found.folders {
        findings.push(
            Finding::warning("project.folder_matches", format!("`{folder}` is a folder, and nothing in it is read"))
                .at(label("matches it"))
                .help("to read what is in it, let the pattern reach below: `*/*.csv` or `**`"),
        );
    }
    // Such a name cannot be opened again by the name that was found.
    for file in found.files.iter().filter(|file| file.contains('\u{fffd}')) {
        findings.push(
            Finding::error("project.file_name_not_utf8", format!("the name of `{file}` is not UTF-8"))
                .at(label("matches it"))
                .help("rename the file"),
        );
    }
}

fn run(
    storage: &dyn Storage,
    options: &Options,
    progress: &dyn Progress,
    stand_ins: &StandIns,
    onlookers: Onlookers<'_>,
) -> Result<Summary, RunError> {
    let opened = Opened::read(storage, options, stand_ins)?;
    let _lock = match options.dry_run {
        true => None,
        false => Some(take_lock(storage, &opened.out, opened.month)?),
    };
    let ready = opened.with_found_inputs(storage, options)?;
    let all = 0..ready.files.len();
    let rate = |engine: &Engine<'_>, store: &Store<'_>| {
        first_pass::run(engine, storage, &ready.files, all.clone(), store, progress)
    };
    publish(storage, &ready, options.dry_run, progress, onlookers, &rate)
}

/// What gives the first pass of a month; the store is for what it sets aside.
pub(super) type First<'f> = &'f dyn Fn(&Engine<'_>, &Store<'_>) -> Result<FirstPass, RunError>;

/// Merges the first passes of a month's shards, and publishes it as [`month`] would.
pub(super) fn merged(
    storage: &dyn Storage,
    ready: &Ready,
    progress: &dyn Progress,
    first: First<'_>,
) -> Result<Summary, RunError> {
    publish(storage, ready, false, progress, Onlookers { watch: None, gate: None }, first)
}

/// Publishes what is ready, unless it is in force already.
fn publish(
    storage: &dyn Storage,
    ready: &Ready,
    dry_run: bool,
    progress: &dyn Progress,
    Onlookers { watch, gate }: Onlookers<'_>,
    first: First<'_>,
) -> Result<Summary, RunError> {
    let Ready { out, month, only, known_at, id, .. } = ready;
    let month = *month;
    // What only one site, one side, or the past, says is no month to publish.
    let is_month = only.is_none() && !ready.retail_only && known_at.is_none();
    let draft = !is_month || ready.draft;
    let stage = Stage::new(storage, out, id, month, draft, dry_run);
    let stage = if is_month { stage.of_a_month() } else { stage };
    let published = |stage: &Stage<'_>| -> Result<Summary, RunError> {
        let manifest = storage.read(&stage.version().join(format!("month={month}")).join("manifest.json"))?;
        manifest::read_summary(&manifest, stage, month, id.clone(), ready.warnings.clone())
    };
    let in_force = Stage::new(storage, out, id, month, false, dry_run);
    if !dry_run && in_force.is_current()? {
        return Ok(Summary { closed: ready.books.is_some(), ..published(&in_force)? });
    }
    if !dry_run && !draft {
        ready.check_open()?;
    }
    if !dry_run && !draft && gate.is_none() {
        stage.adopt()?;
    }
    if !dry_run && gate.is_none() && stage.is_complete() {
        stage.point()?;
        return Ok(Summary { published: Published::Now, ..published(&stage)? });
    }
    let work = (!dry_run).then(|| out.join(".work"));
    let partial = stage.partial();
    let outcome = rate_and_publish(
        &RunContext {
            storage,
            project: &ready.project,
            month,
            only: *only,
            retail_only: ready.retail_only,
            files: &ready.files,
            work: work.as_deref(),
            progress,
            id,
            known_at: *known_at,
            watch,
            first,
        },
        stage,
        ready.opening.clone(),
        History::new(storage, out, ready.history.clone()),
        gate,
        ready.warnings.clone(),
    );
    let Some(work) = work else { return outcome };
    let removed = storage.remove(&work);
    match outcome {
        Ok(summary) => removed.map(|()| summary).map_err(RunError::from),
        Err(error) => {
            // What stopped the run is what the user must hear of; a full disk wants its room back.
            let _ = storage.remove(&partial);
            if let Some(shelf) = partial.parent()
                && storage.list(shelf).is_ok_and(|left| left.is_empty())
            {
                let _ = storage.remove(shelf);
            }
            Err(error)
        }
    }
}

pub(super) fn take_lock(
    storage: &dyn Storage,
    out: &Path,
    month: Month,
) -> Result<Box<dyn super::storage::Lock>, RunError> {
    storage.create_folder(out)?;
    let path = out.join(".lock");
    let holder = format!("process {} runs {month}\n", std::process::id());
    match storage.lock(&path, &holder)? {
        Some(lock) => Ok(lock),
        None => {
            let who =
                storage.read(&path).map(|text| String::from_utf8_lossy(&text).trim().to_owned()).unwrap_or_default();
            Err(RunError::Locked(format!("{who} (`{}`); wait for it to end", path.display())))
        }
    }
}

/// What one run works on.
pub(super) struct RunContext<'r> {
    pub(super) storage: &'r dyn Storage,
    pub(super) project: &'r Project,
    pub(super) month: Month,
    pub(super) only: Option<SiteId>,
    pub(super) retail_only: bool,
    pub(super) files: &'r [InputFile],
    pub(super) work: Option<&'r Path>,
    pub(super) progress: &'r dyn Progress,
    pub(super) id: &'r str,
    pub(super) known_at: Option<crate::time::Instant>,
    pub(super) watch: Option<&'r dyn Watch>,
    pub(super) first: First<'r>,
}

fn rate_and_publish(
    run: &RunContext<'_>,
    stage: Stage<'_>,
    opening: BTreeMap<AccountKey, Balance>,
    history: History<'_>,
    gate: Option<Gate<'_>>,
    mut warnings: Findings,
) -> Result<Summary, RunError> {
    if let Some(work) = run.work {
        run.storage.remove(work)?;
        run.storage.create_folder(work)?;
    }
    stage.begin()?;
    run.progress.begin(run.files.iter().map(|file| file.bytes).sum());
    let closed = history.closed().to_vec();
    let history = (!closed.is_empty()).then_some(history);
    let engine = Engine::new(run.project, run.month, run.only).with_history(history).retail_only(run.retail_only);
    let store = Store::new(run.storage, run.work.map(Path::to_owned));
    let mut first = (run.first)(&engine, &store)?;
    let mut gaps = completeness::gaps(&run.project.settings, run.month, run.files, Some(&first));
    run.project.acceptances.apply(&mut gaps, &mut warnings);
    let told = completeness::findings(&run.project.settings, &gaps);
    if told.has_errors() && stage.is_published() {
        return Err(RunError::Incomplete(told));
    }
    warnings.extend(told);
    let joined = between::run(&engine, run.storage, run.files, &mut first, &store)?;
    engine.history().map_or(Ok(()), History::check)?;
    unchanged::check(run.storage, run.project, run.files)?;
    run.progress.writing();
    let names = names(run.project, run.files);
    let context = Context {
        engine: &engine,
        stage: &stage,
        names: &names,
        month: run.month,
        runs: first.runs.iter().chain(&joined.runs).collect(),
        duplicates: &joined.duplicates,
        allowances: Allowances::new(run.project, run.month, opening),
        billing: Billing::new(run.project, run.month),
        watch: run.watch,
    };
    let second = second_pass::run(&context)?;
    usage::write(&context, run.project, run.only)?;
    let files = balance(&first, &joined, &second)?;
    if stage.is_of_a_month() {
        history::write(&stage, run.month, &joined.sorted, &joined.keys, &second.changed)?;
    }
    context.month_files(Report::CallCharges, &charges_by_occupier(&second.aggregate, &names, None).view())?;
    file_warnings(run, &first, &mut warnings);
    let mut total = Counts::default();
    for counts in &files {
        total += *counts;
    }
    let listed = exceptions::collect(run, &first, &joined, &second, &files);
    context.month_files(Report::Exceptions, &crate::report::exceptions(&listed.lines(), &names).view())?;
    stage.write(
        &format!("all-sites/{}_all-sites_rejected-records.machine.csv", run.month.compact()),
        &exceptions::rejected_records(run, &first, LISTED_REJECTS),
    )?;
    let control = second.aggregate.control();
    let calls = CallCounts {
        calls: control.calls,
        rated: control.payer_side.rated,
        not_chargeable: control.payer_side.not_chargeable,
        suspended: control.payer_side.suspended,
    };
    let limits = run.project.settings.limits;
    let above = |count: u64, of: u64, ppm: u64| u128::from(count) * 1_000_000 > u128::from(of) * u128::from(ppm);
    let amounts = |amounts: &crate::aggregation::Amounts| -> Vec<(Currency, Total)> {
        amounts.iter().map(|(currency, sum)| (currency, sum.total)).collect()
    };
    let mut summary = Summary {
        month: run.month,
        run: run.id.to_owned(),
        published: Published::DryRun,
        folder: folder(&stage, run),
        records: total,
        calls,
        retail: amounts(&control.retail.charges),
        wholesale: amounts(&control.wholesale.charges),
        suspended: listed.suspended.clone(),
        rejected: listed.rejected.clone(),
        late: second
            .late
            .iter()
            .map(|(month, sums)| Late {
                month: *month,
                calls: sums.calls,
                retail: amounts(&sums.retail),
                wholesale: amounts(&sums.wholesale),
            })
            .collect(),
        in_closed_months: (listed.history.settled, listed.history.still_suspended),
        closed: false,
        near_duplicates: second.near.len() as u64,
        files: run.files.len(),
        warnings,
        gaps,
        above_limit: above(calls.suspended, calls.calls, limits.suspended_ppm)
            || !run.retail_only && above(control.wholesale.counts.suspended, calls.calls, limits.suspended_ppm)
            || above(total.rejected, total.records, limits.rejected_ppm)
            || above(total.waiting, total.records, limits.rejected_ppm)
            // A file that was refused counts as one record, whatever it holds: no share is small enough.
            || first.files.iter().any(|file| file.refused.is_some() || file.damage.is_some()),
    };
    let manifest = manifest::write(run, &summary, &first, &files, &closed, &stage.files());
    stage.write("manifest.json", &manifest)?;
    if let Some(gate) = gate {
        let path = |record: RecordId| {
            (run.files.get(record.file() as usize).map_or_else(String::new, |file| file.path.clone()), record.offset())
        };
        let released = second.released.iter().map(|bits| path(RecordId::from_bits(*bits))).collect();
        let folder = stage.partial().join(format!("month={}", run.month));
        if !gate(&folder, &released)? {
            run.storage.remove(&stage.partial())?;
            return Ok(summary);
        }
    }
    summary.published = stage.commit()?;
    Ok(summary)
}

fn folder(stage: &Stage<'_>, run: &RunContext<'_>) -> PathBuf {
    if stage.is_draft() { stage.version().join(format!("month={}", run.month)) } else { stage.current() }
}

fn names(project: &Project, files: &[InputFile]) -> Names {
    let payers = project.directory.payers();
    Names::new(&NameLists {
        sites: project.settings.sites.iter().map(|site| (site.id.clone(), site.zone.clone())).collect(),
        payers: payers.iter().map(|payer| (payer.id.clone(), payer.name.clone())).collect(),
        destinations: project.book.destinations().iter().map(str::to_owned).collect(),
        bands: project.book.bands().iter().map(str::to_owned).collect(),
        tariffs: project.book.tariffs().iter().map(|tariff| tariff.id().to_owned()).collect(),
        sources: project.settings.sources.iter().map(|source| source.id.clone()).collect(),
        files: files.iter().map(|file| file.path.clone()).collect(),
    })
}

/// Completes each file's counts and asserts the identities, in release builds too.
fn balance(first: &FirstPass, joined: &Joined, second: &SecondPass) -> Result<Vec<Counts>, RunError> {
    let mut files: Vec<Counts> = first.files.iter().map(|file| file.counts).collect();
    for (record, fate) in &joined.legs {
        let Some(counts) = files.get_mut(record.file() as usize) else { continue };
        match fate {
            // Rows of assembled calls are counted where they are written.
            LegFate::Used => {}
            LegFate::Merged => counts.merged += 1,
            LegFate::Duplicate => counts.duplicate += 1,
            LegFate::Waiting(_) => counts.waiting += 1,
            LegFate::OtherPeriod => counts.other_period += 1,
            LegFate::Lost => {
                return Err(RunError::Unbalanced(format!("a record set aside cannot be read again ({record:?})")));
            }
        }
    }
    let mut total = Counts::default();
    for (index, counts) in files.iter_mut().enumerate() {
        let file = u32::try_from(index).unwrap_or(u32::MAX);
        counts.used += second.used.get(&file).copied().unwrap_or(0);
        counts.duplicate += second.duplicates.get(&file).copied().unwrap_or(0);
        counts.check(&format!("input file {}", index + 1)).map_err(RunError::Unbalanced)?;
        total += *counts;
    }
    total.check("all files").map_err(RunError::Unbalanced)?;
    second.aggregate.check().map_err(|imbalance| RunError::Unbalanced(imbalance.to_string()))?;
    let calls = second.aggregate.control().calls;
    if total.used != calls {
        return Err(RunError::Unbalanced(format!(
            "{} records stand for calls, but {calls} calls were reported",
            total.used
        )));
    }
    Ok(files)
}

fn file_warnings(run: &RunContext<'_>, first: &FirstPass, warnings: &mut Findings) {
    for (file, result) in run.files.iter().zip(&first.files) {
        if let Some((code, words, help)) = &result.refused {
            warnings.push(
                Finding::warning(code, format!("the file was refused as a whole: {words}"))
                    .in_file(file.path.clone())
                    .help(help.clone()),
            );
        }
        if let Some(damage) = &result.damage {
            warnings.push(
                Finding::warning("run.file_damaged", format!("the packed file ends early: {damage}"))
                    .in_file(file.path.clone())
                    .help("what came before is rated; fetch the file again and run the month once more"),
            );
        }
        if let Some(minutes) = result.clock {
            let zone = run.project.settings.sources.get(file.source.index()).map_or("", |source| source.zone.name());
            warnings.push(
                Finding::warning(
                    "run.clock_differs",
                    format!("the file's clock is {minutes} minutes from {zone}, by the epochs in its unique ids"),
                )
                .in_file(file.path.clone())
                .help("set the source's `zone` to the zone of the switch's clock"),
            );
        }
    }
}
