//! Tariffs as the engine reads them from the project of this moment: which there are, what a draft would change, what a call
//! would cost. Nothing that is tried is kept.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use rating_core::ids::SiteId;
use rating_core::run::compare::Comparison;
use rating_core::run::explain::{self, Explanation, Imagined};
use rating_core::run::project::{Project, StandIns};
use rating_core::run::{Options, Silent, what_if};
use rating_core::tariff::{Tariff, TariffVersion};
use rating_core::time::{Instant, Interval, Month};

use super::engine::Engine;
use super::project::{self, OUT, check_path};
use super::refusal::{Found, Refusal, Result, found};
use crate::store::snapshot::Snapshot;

/// The folder of tariffs in a project.
const TARIFFS: &str = "tariffs";
/// What the engine puts before the names of drafts.
const DRAFT: &str = "what-if: ";

/// A version of a tariff.
#[derive(Clone, Debug)]
pub struct Listed {
    /// The tariff.
    pub tariff: String,
    /// The version's name.
    pub name: String,
    /// Its settings file.
    pub file: String,
    /// When it is in force at the first site.
    pub time: Interval,
    /// Whether it is at the instant that was asked for.
    pub in_force: bool,
    /// Its currency.
    pub currency: String,
    /// How many rows it has.
    pub rows: usize,
    /// The tariff that it inherits from.
    pub inherits: Option<String>,
}

/// What a row of a tariff says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowSays {
    /// Its destination.
    pub destination: String,
    /// Line in the deck.
    pub line: u32,
    /// Price by band.
    pub prices: BTreeMap<String, String>,
    /// Connection charge.
    pub connection: String,
    /// The least that a call costs.
    pub minimum: String,
    /// `blocked` or `unknown`.
    pub status: Option<&'static str>,
}

impl RowSays {
    /// Whether it says the same, wherever it stands.
    fn is_same(&self, other: &Self) -> bool {
        Self { line: 0, ..self.clone() } == Self { line: 0, ..other.clone() }
    }
}

/// What rows are told apart by: key and conditions, and from when they hold.
type Key = (String, Vec<String>, i64);

/// A row as it is and as it would be.
#[derive(Clone, Debug)]
pub struct Change {
    /// What it is found by.
    pub key: String,
    /// Its conditions.
    pub conditions: Vec<String>,
    /// As it is.
    pub before: Option<RowSays>,
    /// As it would be.
    pub after: Option<RowSays>,
}

/// What a draft would change.
#[derive(Clone, Debug, Default)]
pub struct Tried {
    /// What is wrong with it, or worth a look.
    pub findings: Vec<Found>,
    /// Whether it could be used.
    pub usable: bool,
    /// By tariff: rows that are the same, and those that are not.
    pub tariffs: Vec<(String, u64, Vec<Change>)>,
    /// What a month would come to.
    pub month: Option<Comparison>,
}

fn blocked(row: &rating_core::tariff::RowView<'_>) -> Option<&'static str> {
    match (row.blocked, row.price_unknown) {
        (true, _) => Some("blocked"),
        (_, true) => Some("unknown"),
        _ => None,
    }
}

/// The rows of a version.
fn rows(project: &Project, version: &TariffVersion) -> BTreeMap<Key, RowSays> {
    let site = SiteId(0);
    let mut rows = BTreeMap::new();
    for index in 0..u32::try_from(version.row_count()).unwrap_or(u32::MAX) {
        let (Some(row), Some(cost)) = (version.row(index, site), version.cost(index)) else { continue };
        let conditions: Vec<String> =
            version.conditions_of(index).map(|(column, text)| format!("{column}={text}")).collect();
        let mut prices = BTreeMap::new();
        for band in 0..u8::try_from(version.bands().len()).unwrap_or(u8::MAX) {
            let plan = cost.plan(band);
            let name = project.book.band(version.band_id(band)).to_owned();
            prices.insert(name, format!("{} per {}", plan.price.ratio(), plan.per));
        }
        let key = (
            format!("{}{}", if row.inbound { "inbound " } else { "" }, row.key),
            conditions,
            row.valid.from.as_millis(),
        );
        let says = RowSays {
            destination: project.book.destination(row.destination).to_owned(),
            line: row.line,
            prices,
            connection: cost.connection().ratio().to_string(),
            minimum: cost.minimum().ratio().to_string(),
            status: blocked(&row),
        };
        rows.insert(key, says);
    }
    rows
}

/// The version that a draft would replace or follow.
fn base<'t>(tariff: Option<&'t Tariff>, draft: &TariffVersion) -> Option<&'t TariffVersion> {
    let site = SiteId(0);
    let from = draft.in_force(site).from;
    let tariff = tariff?;
    tariff.version_at(from, site).map(|(_, version)| version).or_else(|| tariff.versions().last())
}

impl Engine {
    /// The tariffs of the project of this moment.
    ///
    /// # Errors
    ///
    /// `publish.project_invalid` for a project with mistakes; or if the disk refuses.
    pub async fn tariffs(&self, snapshot: Snapshot, at: Instant) -> Result<Vec<Listed>> {
        self.aside(
            move |engine, folder| {
                let project = engine.load(folder, &StandIns::default())?;
                let site = SiteId(0);
                let mut listed = Vec::new();
                for tariff in project.book.tariffs() {
                    let now = tariff.version_at(at, site).map(|(index, _)| usize::from(index));
                    for (index, version) in tariff.versions().iter().enumerate() {
                        listed.push(Listed {
                            tariff: tariff.id().to_owned(),
                            name: version.name().to_owned(),
                            file: version.file().to_owned(),
                            time: version.in_force(site),
                            in_force: now == Some(index),
                            currency: version.currency().code().to_owned(),
                            rows: version.row_count(),
                            inherits: version
                                .parent()
                                .and_then(|parent| project.book.tariff(parent))
                                .map(|tariff| tariff.id().to_owned()),
                        });
                    }
                }
                Ok(listed)
            },
            snapshot,
        )
        .await
    }

    /// Explains a call that might be, by the project of this moment.
    ///
    /// # Errors
    ///
    /// `publish.refused` for a payer or tariff that there is not; else as [`tariffs`](Self::tariffs).
    pub async fn quote(&self, snapshot: Snapshot, imagined: Imagined) -> Result<Explanation> {
        self.aside(
            move |engine, folder| {
                let mut imagined = imagined;
                imagined.options.project = folder.to_owned();
                Ok(explain::imagine(engine.storage(), &imagined)?)
            },
            snapshot,
        )
        .await
    }

    /// Says what files of tariffs would change, by name and content as they would stand in `tariffs/`; and what a month would
    /// come to with them.
    ///
    /// # Errors
    ///
    /// `publish.file_path` for a name that cannot be one; else as [`tariffs`](Self::tariffs). What is wrong with the draft is in
    /// its findings.
    pub async fn try_tariffs(
        &self,
        snapshot: Snapshot,
        files: BTreeMap<String, String>,
        month: Option<Month>,
    ) -> Result<Tried> {
        for name in files.keys() {
            check_path(&format!("{TARIFFS}/{name}"))?;
        }
        self.aside(
            move |engine, folder| {
                let before = engine.load(folder, &StandIns::default())?;
                let aside = tempfile::Builder::new().prefix("draft-").tempdir_in(engine.data_folder());
                let aside = aside.map_err(|error| Refusal::disk("a folder for the draft", &error))?;
                let failed = |error: std::io::Error| Refusal::disk("the draft", &error);
                let mut settings: Vec<String> = files.keys().filter(|name| name.ends_with(".toml")).cloned().collect();
                for (name, content) in &files {
                    let path = aside.path().join(name);
                    fs::create_dir_all(path.parent().unwrap_or(aside.path())).map_err(failed)?;
                    fs::write(path, content).map_err(failed)?;
                }
                // A deck alone is tried with the settings that name it.
                if settings.is_empty() {
                    for known in settings_that_name(&folder.join(TARIFFS), &files)? {
                        fs::copy(folder.join(TARIFFS).join(&known), aside.path().join(&known)).map_err(failed)?;
                        settings.push(known);
                    }
                }
                let stand_ins = StandIns {
                    tariffs: settings.iter().map(|name| aside.path().join(name)).collect(),
                    ..StandIns::default()
                };
                let (after, findings) =
                    Project::load_with(engine.storage(), folder, None, &stand_ins).map_err(Refusal::from)?;
                // Where the draft was put is nobody's business.
                let place = format!("{}/", aside.path().display());
                let clean = |text: String| text.replace(DRAFT, "").replace(&place, "");
                let findings = found(&findings).into_iter();
                let findings =
                    findings.map(|found| Found { place: clean(found.place), what: clean(found.what), ..found });
                let findings: Vec<Found> = findings.collect();
                let Some(after) = after else { return Ok(Tried { findings, ..Tried::default() }) };
                let mut tried = Tried { findings, usable: true, ..Tried::default() };
                for tariff in after.book.tariffs() {
                    for draft in tariff.versions().iter().filter(|version| version.file().starts_with(DRAFT)) {
                        let own = before.book.tariff_id(tariff.id()).and_then(|id| before.book.tariff(id));
                        let was = base(own, draft).map(|version| rows(&before, version)).unwrap_or_default();
                        let (same, changes) = difference(was, rows(&after, draft));
                        tried.tariffs.push((tariff.id().to_owned(), same, changes));
                    }
                }
                if let Some(month) = month {
                    let out = Some(engine.data_folder().join(OUT));
                    let options = Options { month: Some(month), out, ..Options::new(folder, month) };
                    tried.month = Some(what_if::what_if(engine.storage(), &options, &stand_ins, &Silent, None)?);
                }
                Ok(tried)
            },
            snapshot,
        )
        .await
    }

    /// What would be wrong with the project of this moment without one of its files, and is not wrong with it.
    ///
    /// # Errors
    ///
    /// If the project cannot be written or read at all.
    pub async fn missed(&self, snapshot: Snapshot, path: &str) -> Result<Vec<Found>> {
        let files = snapshot.files.iter().filter(|file| file.path != path).cloned().collect();
        let without = Snapshot { files, ..snapshot.clone() };
        let mistakes = |engine: &Self, folder: &Path| {
            let (_, findings) = Project::load_with(engine.storage(), folder, None, &StandIns::default())?;
            Ok(found(&findings).into_iter().filter(|found| found.severity == "error").collect::<Vec<Found>>())
        };
        // The project as it is comes last, so that it is the one that is pointed to.
        let missed = self.aside(mistakes, without).await?;
        let known = self.aside(mistakes, snapshot).await?;
        Ok(missed.into_iter().filter(|found| !known.contains(found)).collect())
    }

    fn load(&self, folder: &Path, stand_ins: &StandIns) -> Result<Project> {
        let (project, findings) = Project::load_with(self.storage(), folder, None, stand_ins)?;
        project.ok_or_else(|| rating_core::run::RunError::Invalid(findings).into())
    }

    /// Does something with the project of this moment, beside a run that may be under way: projects are never changed.
    async fn aside<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self, &Path) -> Result<T> + Send + 'static,
        snapshot: Snapshot,
    ) -> Result<T> {
        let engine = self.clone();
        let done = tokio::task::spawn_blocking(move || {
            let written = project::write(engine.storage(), engine.data_folder(), &snapshot, None)?;
            work(&engine, &written.folder)
        });
        done.await.map_err(Refusal::internal)?
    }
}

/// The settings files that name one of these decks.
fn settings_that_name(folder: &Path, files: &BTreeMap<String, String>) -> Result<Vec<String>> {
    let failed = |error: std::io::Error| Refusal::disk("the tariffs", &error);
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.ends_with(".toml") {
            let text = fs::read_to_string(entry.path()).map_err(failed)?;
            if files.keys().any(|deck| text.contains(&format!("\"{deck}\""))) {
                found.push(name);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Rows that are the same, counted, and those that are not: changed, then added, then removed.
fn difference(mut before: BTreeMap<Key, RowSays>, after: BTreeMap<Key, RowSays>) -> (u64, Vec<Change>) {
    let (mut same, mut changed, mut added) = (0, Vec::new(), Vec::new());
    for ((key, conditions, from), says) in after {
        let was = before.remove(&(key.clone(), conditions.clone(), from));
        match was {
            Some(was) if was.is_same(&says) => same += 1,
            was => {
                let list = if was.is_some() { &mut changed } else { &mut added };
                list.push(Change { key, conditions, before: was, after: Some(says) });
            }
        }
    }
    let removed = before.into_iter().map(|((key, conditions, _), says)| Change {
        key,
        conditions,
        before: Some(says),
        after: None,
    });
    (same, changed.into_iter().chain(added).chain(removed).collect())
}
