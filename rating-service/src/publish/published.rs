//! What is published: months, their versions, what they came to, and their reports. Read straight from the folders that the
//! engine wrote, which are never changed: there is no second truth in a database.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rating_core::report::{Report, Scope, file_name, safe_name};
use rating_core::run::publish::hex;
use rating_core::run::storage::{Disk, Storage, failed};
use rating_core::time::{Date, Month};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::project::OUT;
use super::refusal::{Refusal, Result};
use super::runs;

/// The disk, or what stands in for it in a test.
pub type Door = Arc<dyn Storage + Send + Sync>;

/// Everything that is published below a data folder.
#[derive(Clone)]
pub struct Archive {
    data: PathBuf,
    storage: Door,
}

/// A month of which something is published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedMonth {
    /// The month.
    pub month: Month,
    /// The run in force.
    pub run: String,
    /// Whether it is closed: no run changes it any more.
    pub closed: bool,
}

/// What a version is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The month as it is.
    InForce,
    /// It was in force, or could be, and another is.
    Superseded,
    /// It was checked, and nobody has published it.
    Checked,
    /// The month to date, as of a day: not all of it has happened yet.
    Provisional(Date),
}

impl Standing {
    /// The word in answers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::InForce => "in_force",
            Self::Superseded => "superseded",
            Self::Checked => "checked",
            Self::Provisional(_) => "provisional",
        }
    }
}

/// A version of a month: a run and its reports.
#[derive(Clone, Debug)]
pub struct Version {
    /// The month.
    pub month: Month,
    /// The run's id.
    pub run: String,
    /// What it is.
    pub standing: Standing,
    /// SHA-256 of its manifest, which has the hashes of all else: hexadecimal.
    pub manifest_sha256: String,
    folder: PathBuf,
    manifest: Arc<Value>,
}

/// The form of a report's file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Form {
    /// CSV for spreadsheets.
    Spreadsheet,
    /// CSV for programs.
    Machine,
    /// Parquet.
    Parquet,
}

impl Form {
    /// Every form.
    pub const ALL: [Self; 3] = [Self::Spreadsheet, Self::Machine, Self::Parquet];

    /// How names of its files end.
    #[must_use]
    pub const fn ending(self) -> &'static str {
        match self {
            Self::Spreadsheet => "csv",
            Self::Machine => "machine.csv",
            Self::Parquet => "parquet",
        }
    }
}

/// What reports are of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Of {
    /// All sites of the operator.
    AllSites,
    /// One site.
    Site(String),
    /// One payer at one site: an occupier, or the operator.
    Payer {
        /// The site.
        site: String,
        /// The payer.
        payer: String,
    },
}

impl Of {
    fn scope(&self) -> Scope<'_> {
        match self {
            Self::AllSites => Scope::AllSites,
            Self::Site(site) => Scope::Site(site),
            Self::Payer { site, payer } => Scope::Payer { site, payer },
        }
    }

    /// The folder of its reports, below that of the month.
    fn folder(&self) -> String {
        match self {
            Self::AllSites => "all-sites".to_owned(),
            Self::Site(site) => format!("site={}", safe_name(site)),
            Self::Payer { site, payer } => format!("site={}/payer={}", safe_name(site), safe_name(payer)),
        }
    }

    /// The name of a report's file: no two of one operator and month are equal.
    #[must_use]
    pub fn file_name(&self, month: Month, report: Report, ending: &str) -> String {
        file_name(month, self.scope(), report, ending)
    }
}

/// A file of a version, as its manifest lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportFile {
    /// Which report.
    pub report: Report,
    /// In which form.
    pub form: Form,
    /// Its name, without folders.
    pub name: String,
    /// Size.
    pub bytes: u64,
    /// SHA-256 of its content, hexadecimal.
    pub sha256: String,
    /// Where it is.
    pub path: PathBuf,
}

/// What a version came to. Amounts are exact decimals, by currency.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Records read.
    pub records: u64,
    /// Records that cannot be read.
    pub rejected: u64,
    /// Calls.
    pub calls: u64,
    /// Of them, charged.
    pub rated: u64,
    /// Of them, free.
    pub not_chargeable: u64,
    /// Of them, charged to nobody for now.
    pub suspended: u64,
    /// What occupiers are charged.
    pub retail: BTreeMap<String, String>,
    /// What the operator is charged.
    pub wholesale: BTreeMap<String, String>,
    /// Whether suspended or rejected are above the limits.
    pub above_limit: bool,
}

impl Archive {
    /// What is published below `data`.
    #[must_use]
    pub fn new(data: &Path) -> Self {
        Self::with(data, Arc::new(Disk))
    }

    /// The same, by another door to the disk.
    #[must_use]
    pub fn with(data: &Path, storage: Door) -> Self {
        Self { data: data.to_owned(), storage }
    }

    fn out(&self) -> PathBuf {
        self.data.join(OUT)
    }

    /// The months that are published, the latest first.
    ///
    /// # Errors
    ///
    /// If the disk refuses.
    pub fn months(&self) -> Result<Vec<PublishedMonth>> {
        let mut months = Vec::new();
        for name in self.names(&self.out().join("current"))? {
            let Some(month) = name.strip_prefix("month=").and_then(Month::parse) else { continue };
            let Some(run) = self.run_in_force(month)? else { continue };
            let closed = self.storage.exists(&self.out().join("closed").join(format!("month={month}.json")));
            months.push(PublishedMonth { month, run, closed });
        }
        months.sort_by_key(|month: &PublishedMonth| std::cmp::Reverse(month.month));
        Ok(months)
    }

    /// The names in a folder; none if there is no such folder.
    fn names(&self, folder: &Path) -> Result<Vec<String>> {
        if !self.storage.exists(folder) {
            return Ok(Vec::new());
        }
        Ok(self
            .storage
            .list(folder)?
            .into_iter()
            .map(|entry| entry.name)
            .filter(|name| !name.starts_with('.'))
            .collect())
    }

    /// The run that a month's link names.
    pub(super) fn run_in_force(&self, month: Month) -> Result<Option<String>> {
        let link = self.out().join("current").join(format!("month={month}"));
        let target = self.storage.read_link(&link)?;
        Ok(target.and_then(|target| Some(target.parent()?.file_name()?.to_string_lossy().into_owned())))
    }

    /// The version of a month that is in force; `None` if the month is not published.
    ///
    /// # Errors
    ///
    /// If the disk refuses, or its manifest is damaged.
    pub fn in_force(&self, month: Month) -> Result<Option<Version>> {
        match self.run_in_force(month)? {
            Some(run) => self.version(month, &run),
            None => Ok(None),
        }
    }

    /// A version of a month by its run: in force, superseded, or a draft. `None` if there is no such run.
    ///
    /// # Errors
    ///
    /// If the disk refuses, or its manifest is damaged.
    pub fn version(&self, month: Month, run: &str) -> Result<Option<Version>> {
        if !runs::is_run_of(month, run) {
            return Ok(None);
        }
        for shelf in ["versions", "drafts"] {
            let folder = self.out().join(shelf).join(run).join(format!("month={month}"));
            if !self.storage.exists(&folder.join("manifest.json")) {
                continue;
            }
            let standing = if shelf == "versions" {
                let in_force = self.run_in_force(month)?.as_deref() == Some(run);
                if in_force { Standing::InForce } else { Standing::Superseded }
            } else {
                let kept = runs::read(&*self.storage, &self.data, run)?;
                kept.and_then(|kept| kept.to_date).map_or(Standing::Checked, Standing::Provisional)
            };
            if let Some(version) = self.open(month, run, standing, folder)? {
                return Ok(Some(version));
            }
        }
        Ok(None)
    }

    /// Every version of a month: the one in force first, then those that were, then drafts; each in the order of its id.
    ///
    /// # Errors
    ///
    /// If the disk refuses, or a manifest is damaged.
    pub fn versions(&self, month: Month) -> Result<Vec<Version>> {
        let mut versions = Vec::new();
        for shelf in ["versions", "drafts"] {
            for run in self.names(&self.out().join(shelf))? {
                let known = versions.iter().any(|version: &Version| version.run == run);
                if !known && let Some(version) = self.version(month, &run)? {
                    versions.push(version);
                }
            }
        }
        let rank = |version: &Version| match version.standing {
            Standing::InForce => 0,
            Standing::Superseded => 1,
            Standing::Checked => 2,
            Standing::Provisional(_) => 3,
        };
        versions.sort_by_key(|version| (rank(version), version.run.clone()));
        Ok(versions)
    }

    /// The month to date, as it was last made; `None` if it never was.
    ///
    /// # Errors
    ///
    /// If the disk refuses, or its manifest is damaged.
    pub fn preview(&self, month: Month) -> Result<Option<Version>> {
        match self.run_of_preview(month)? {
            Some(run) => self.version(month, &run),
            None => Ok(None),
        }
    }

    /// The run of the month to date.
    pub(super) fn run_of_preview(&self, month: Month) -> Result<Option<String>> {
        let kept = runs::all(&*self.storage, &self.data)?;
        let previews = kept.into_iter().filter(|kept| kept.month == month && kept.to_date.is_some());
        let drafts = self.out().join("drafts");
        let made = |run: &str| self.storage.exists(&drafts.join(run).join(format!("month={month}/manifest.json")));
        Ok(previews.max_by_key(|kept| kept.to_date).map(|kept| kept.run).filter(|run| made(run)))
    }

    /// The versions that somebody may still look at: those in force, and drafts.
    ///
    /// # Errors
    ///
    /// If the disk refuses, or a manifest is damaged.
    pub fn live(&self) -> Result<Vec<Version>> {
        let mut live = Vec::new();
        for published in self.months()? {
            live.extend(self.in_force(published.month)?);
        }
        for run in self.names(&self.out().join("drafts"))? {
            // `2026-10-0123456789abcdef`
            let month = run.rsplit_once('-').and_then(|(month, _)| Month::parse(month));
            if let Some(month) = month {
                live.extend(self.version(month, &run)?.filter(|version| version.standing != Standing::Superseded));
            }
        }
        Ok(live)
    }

    /// `None` if it went since it was looked for: a draft that was made anew, or thrown away.
    fn open(&self, month: Month, run: &str, standing: Standing, folder: PathBuf) -> Result<Option<Version>> {
        let bytes = match self.storage.read(&folder.join("manifest.json")) {
            Ok(bytes) => bytes,
            Err(error) if error.error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let manifest: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        if manifest["month"] != month.to_string() || manifest["run"] != run {
            let detail = format!("the manifest of `{run}` is damaged");
            return Err(Refusal::new("publish.version_damaged", detail)
                .help("bring its folder back from a copy, or run the month again"));
        }
        let manifest_sha256 = hex(&Sha256::digest(&bytes));
        let run = run.to_owned();
        Ok(Some(Version { month, run, standing, manifest_sha256, folder, manifest: Arc::new(manifest) }))
    }

    /// Checks every file of a version against its manifest; gives the paths of those that are not what was published.
    ///
    /// # Errors
    ///
    /// If the disk refuses for another reason than that a file is not there.
    pub fn verify(&self, version: &Version) -> Result<Vec<String>> {
        let mut damaged = Vec::new();
        for file in version.outputs() {
            let path = file["path"].as_str().unwrap_or_default();
            let full = version.folder.join(path);
            let hash = match self.storage.open(&full) {
                Ok(mut reader) => {
                    let mut hash = Sha256::new();
                    std::io::copy(&mut reader, &mut hash).map_err(|error| failed("read", &full, error))?;
                    hex(&hash.finalize())
                }
                Err(error) if error.error.kind() == std::io::ErrorKind::NotFound => String::new(),
                Err(error) => return Err(error.into()),
            };
            if file["sha256"] != *hash {
                damaged.push(path.to_owned());
            }
        }
        Ok(damaged)
    }
}

impl Version {
    /// Whether it is of a month that is not over.
    #[must_use]
    pub fn is_provisional(&self) -> bool {
        matches!(self.standing, Standing::Provisional(_))
    }

    /// The day as of which it is, if it is of a month that is not over.
    #[must_use]
    pub const fn to_date(&self) -> Option<Date> {
        match self.standing {
            Standing::Provisional(date) => Some(date),
            _ => None,
        }
    }

    /// The folder with its reports.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Its manifest.
    #[must_use]
    pub fn manifest(&self) -> &Value {
        &self.manifest
    }

    fn outputs(&self) -> impl Iterator<Item = &Value> {
        self.manifest["outputs"].as_array().into_iter().flatten()
    }

    /// What it came to.
    #[must_use]
    pub fn totals(&self) -> Totals {
        let control = &self.manifest["control"];
        let count = |of: &str, key: &str| control[of][key].as_u64().unwrap_or(0);
        let money = |side: &str| {
            let amounts = control[side].as_object().into_iter().flatten();
            amounts.map(|(currency, amount)| (currency.clone(), amount.as_str().unwrap_or("").to_owned())).collect()
        };
        Totals {
            records: count("records", "records"),
            rejected: count("records", "rejected"),
            calls: count("calls", "calls"),
            rated: count("calls", "rated"),
            not_chargeable: count("calls", "not_chargeable"),
            suspended: count("calls", "suspended"),
            retail: money("retail"),
            wholesale: money("wholesale"),
            above_limit: control["above_limit"].as_bool().unwrap_or(false),
        }
    }

    /// The switches' files that it was made from: path below the project and SHA-256.
    #[must_use]
    pub fn inputs(&self) -> BTreeMap<String, String> {
        self.listed("inputs")
    }

    /// The settings and tables that it was made from: path below the project and SHA-256.
    #[must_use]
    pub fn references(&self) -> BTreeMap<String, String> {
        self.listed("references")
    }

    fn listed(&self, key: &str) -> BTreeMap<String, String> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let list = self.manifest[key].as_array().into_iter().flatten();
        list.map(|file| (text(&file["path"]), text(&file["sha256"]))).collect()
    }

    /// The files of all reports of a site, a payer or all sites, by report and form.
    #[must_use]
    pub fn reports(&self, of: &Of) -> Vec<ReportFile> {
        let both = Report::ALL.into_iter().flat_map(|report| Form::ALL.map(|form| (report, form)));
        both.filter_map(|(report, form)| self.report(of, report, form)).collect()
    }

    /// One report in one form; `None` if there is none.
    #[must_use]
    pub fn report(&self, of: &Of, report: Report, form: Form) -> Option<ReportFile> {
        let name = of.file_name(self.month, report, form.ending());
        let path = format!("{}/{name}", of.folder());
        let file = self.outputs().find(|file| file["path"] == *path)?;
        Some(ReportFile {
            report,
            form,
            name,
            bytes: file["bytes"].as_u64()?,
            sha256: file["sha256"].as_str()?.to_owned(),
            path: self.folder.join(path),
        })
    }

    /// The file of all calls of a site, for the operator: both sides.
    #[must_use]
    pub fn itemised_parquet(&self, site: &str) -> Option<ReportFile> {
        let path = format!("{}/itemised.parquet", Of::Site(site.to_owned()).folder());
        let file = self.outputs().find(|file| file["path"] == *path)?;
        Some(ReportFile {
            report: Report::Itemised,
            form: Form::Parquet,
            name: file_name(self.month, Scope::Site(site), Report::Itemised, "parquet"),
            bytes: file["bytes"].as_u64()?,
            sha256: file["sha256"].as_str()?.to_owned(),
            path: self.folder.join(path),
        })
    }

    /// The files of all calls, site by site.
    #[must_use]
    pub fn tables_of_calls(&self) -> Vec<PathBuf> {
        let paths = self.outputs().filter_map(|file| file["path"].as_str());
        paths.filter(|path| path.ends_with("/itemised.parquet")).map(|path| self.folder.join(path)).collect()
    }

    /// Whether anybody had a call at a site.
    #[must_use]
    pub fn has_calls(&self, site: &str) -> bool {
        let payers = format!("{}/payer=", Of::Site(site.to_owned()).folder());
        self.outputs().any(|file| file["path"].as_str().is_some_and(|path| path.starts_with(&payers)))
    }

    /// Whether a payer had any call at a site.
    #[must_use]
    pub fn has_data(&self, site: &str, payer: &str) -> bool {
        let folder = format!("{}/", Of::Payer { site: site.to_owned(), payer: payer.to_owned() }.folder());
        self.outputs().any(|file| file["path"].as_str().is_some_and(|path| path.starts_with(&folder)))
    }
}
