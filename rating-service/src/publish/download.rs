//! Reports on their way to a reader: one as a bare file, several as one zip.
//!
//! What the operator may see whole is sent as it was published. Everything else is rendered under the policy of this moment:
//! of what an occupier is shown there is a list ([`Visibility`]), and a report is made anew from these columns alone.
//!
//! An answer says what it will be before anything is made ([`Prepared`]), so that a reader who has it already is told so:
//! its ETag is a hash of the published content, the policy and the form.

mod pipe;
mod render;
mod rows;
pub(super) mod visible;

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use rating_core::report::csv::Profile;
use rating_core::report::{Report, safe_name};
use rating_core::run::SOFTWARE_VERSION;
use rating_core::run::publish::hex;
use rating_core::run::storage::Disk;
use rating_core::time::{Month, Zone};
use sha2::{Digest, Sha256};
use tokio::sync::{Semaphore, mpsc};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use self::rows::Shape;
use super::published::{Form, Of, ReportFile, Version};
use super::refusal::{Refusal, Result};
use super::{project, runs};

pub use visible::{Audience, CalledNumbers, Visibility, masked as mask};

/// In which form reports are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// CSV for spreadsheets: phone numbers, names and what looks like a formula stay text.
    Spreadsheet,
    /// CSV for programs.
    Machine,
    /// An Excel workbook: phone numbers are text, amounts are numbers.
    Xlsx,
    /// Parquet.
    Parquet,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 4] = [Self::Spreadsheet, Self::Machine, Self::Xlsx, Self::Parquet];

    /// The word in requests.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Spreadsheet => "csv",
            Self::Machine => "machine-csv",
            Self::Xlsx => "xlsx",
            Self::Parquet => "parquet",
        }
    }

    /// How names of its files end.
    #[must_use]
    pub const fn ending(self) -> &'static str {
        match self {
            Self::Spreadsheet => "csv",
            Self::Machine => "machine.csv",
            Self::Xlsx => "xlsx",
            Self::Parquet => "parquet",
        }
    }

    /// Its media type.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Spreadsheet | Self::Machine => "text/csv; charset=utf-8; header=present",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Self::Parquet => "application/vnd.apache.parquet",
        }
    }

    /// The form in which it is published, if it is.
    const fn form(self) -> Option<Form> {
        match self {
            Self::Spreadsheet => Some(Form::Spreadsheet),
            Self::Machine => Some(Form::Machine),
            Self::Xlsx => None,
            Self::Parquet => Some(Form::Parquet),
        }
    }
}

/// A report that somebody asks for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Wanted {
    /// What it is of.
    pub of: Of,
    /// Which one.
    pub report: Report,
}

/// Where downloads are made. There is to be one for each data folder: clones of it share its room.
#[derive(Clone)]
pub struct Desk {
    data: PathBuf,
    /// The folder for temporary files.
    aside: PathBuf,
    /// The operator's id, whose own calls cost what the carrier charges.
    operator: String,
    /// How many are made at once.
    room: Arc<Semaphore>,
}

/// Downloads that are made at once; more wait. Each holds a thread as long as its reader takes.
const AT_ONCE: usize = 64;

/// The version of what is made of a report: it changes when other bytes come out of the same rows.
const RENDITION: u32 = 1;

/// A download, before it is made.
pub struct Prepared {
    /// The name to save it under: it begins with the month.
    pub file_name: String,
    /// What it is.
    pub media_type: &'static str,
    /// The entity tag, in its quotes. It is strong: the same tag means the same bytes.
    pub etag: String,
    /// Reports that were asked for and are not there.
    pub left_out: Vec<Wanted>,
    parts: Vec<Part>,
    is_zip: bool,
    desk: Desk,
}

/// The content of a download.
pub enum Body {
    /// A file as it was published; ranges of it can be sent.
    File {
        /// Open for reading.
        file: File,
        /// Its size.
        length: u64,
    },
    /// All of it; ranges of it can be sent.
    Whole(Bytes),
    /// As it is made. An error means that the rest will not come: what was sent is not all.
    Stream(mpsc::Receiver<io::Result<Bytes>>),
}

impl Body {
    /// Its length, if that is known before it is sent.
    #[must_use]
    pub fn length(&self) -> Option<u64> {
        match self {
            Self::File { length, .. } => Some(*length),
            Self::Whole(bytes) => Some(bytes.len() as u64),
            Self::Stream(_) => None,
        }
    }

    /// Whether ranges of it can be sent.
    #[must_use]
    pub const fn has_ranges(&self) -> bool {
        !matches!(self, Self::Stream(_))
    }
}

/// One report of a download.
struct Part {
    name: String,
    source: ReportFile,
    format: Format,
    /// What is shown of it; `None` if it is sent as it was published.
    shape: Option<Shape>,
}

impl Desk {
    /// A desk that puts temporary files into `tmp` below `data`.
    ///
    /// # Errors
    ///
    /// If that folder cannot be made.
    pub fn new(data: &Path) -> Result<Self> {
        let aside = data.join("tmp");
        let made = std::fs::create_dir_all(&aside);
        made.map_err(|error| Refusal::disk(format!("cannot create the folder `{}`", aside.display()), &error))?;
        Ok(Self { data: data.to_owned(), aside, operator: String::new(), room: Arc::new(Semaphore::new(AT_ONCE)) })
    }

    /// The same desk for an operator, whose own reports go to no occupier.
    #[must_use]
    pub fn of(&self, operator: &str) -> Self {
        Self { operator: operator.to_owned(), ..self.clone() }
    }

    /// The reports of a site, a payer or all sites that an audience may see and that are there.
    #[must_use]
    pub fn reports(&self, version: &Version, audience: &Audience, of: &Of) -> Vec<Report> {
        let wanted = |report| Wanted { of: of.clone(), report };
        let there = |report: &Report| self.part(version, audience, &wanted(*report), Format::Machine, None).is_some();
        Report::ALL.into_iter().filter(there).collect()
    }

    /// Prepares a download. One report is a bare file; if more were asked for it is a zip with those that are there.
    ///
    /// # Errors
    ///
    /// `publish.not_available` if none is there, or none that the audience may see: the two are not told apart.
    pub fn prepare(
        &self,
        version: &Version,
        audience: &Audience,
        wanted: &[Wanted],
        format: Format,
    ) -> Result<Prepared> {
        self.prepare_rows(version, audience, wanted, format, None)
    }

    /// The same, with the rows of these payers alone, if any are named; sums over others are left out.
    ///
    /// # Errors
    ///
    /// As [`prepare`](Self::prepare).
    pub fn prepare_rows(
        &self,
        version: &Version,
        audience: &Audience,
        wanted: &[Wanted],
        format: Format,
        payers: Option<&BTreeSet<String>>,
    ) -> Result<Prepared> {
        let mut asked = wanted.to_vec();
        asked.sort();
        asked.dedup();
        let mut parts = Vec::new();
        let mut left_out = Vec::new();
        for wanted in asked {
            match self.part(version, audience, &wanted, format, payers) {
                Some(part) => parts.push((wanted, part)),
                None => left_out.push(wanted),
            }
        }
        let is_zip = parts.len() + left_out.len() > 1;
        let Some((first, part)) = parts.first() else {
            return Err(Refusal::new("publish.not_available", "none of these reports is there"));
        };
        let file_name = if is_zip { zip_name(version, &parts, format) } else { part.name.clone() };
        debug_assert!(file_name.starts_with(&version.month.compact()), "{first:?}");
        let parts: Vec<Part> = parts.into_iter().map(|(_, part)| part).collect();
        Ok(Prepared {
            file_name,
            media_type: if is_zip { "application/zip" } else { format.media_type() },
            etag: etag(&parts, is_zip),
            left_out,
            parts,
            is_zip,
            desk: self.clone(),
        })
    }

    /// The clock of a site, as the project has it that the version was made from; UTC if that is gone.
    fn zone(&self, version: &Version, site: &str) -> Zone {
        let kept = runs::read(&Disk, &self.data, &version.run).ok().flatten();
        let mut zones = kept.map(|kept| project::zones(&Disk, &self.data, &kept.project)).unwrap_or_default();
        zones.remove(site).unwrap_or_else(Zone::utc)
    }

    /// One report as an audience may see it; `None` if it may not, or the report is not there.
    fn part(
        &self,
        version: &Version,
        audience: &Audience,
        wanted: &Wanted,
        format: Format,
        payers: Option<&BTreeSet<String>>,
    ) -> Option<Part> {
        let Wanted { of, report } = wanted;
        let shape = match audience {
            Audience::Operator { sites: None } => None,
            Audience::Operator { sites: Some(sites) } => match of {
                Of::Site(site) | Of::Payer { site, .. } if sites.contains(site) => None,
                // Rows of other sites are left out, and so are sums over all sites.
                Of::AllSites => Some(Shape { sites: Some(sites.clone()), ..Shape::whole(*report) }),
                _ => return None,
            },
            Audience::Occupier { id, visibility } => {
                let theirs = matches!(of, Of::Payer { payer, .. } if payer == id && *payer != self.operator);
                if !theirs || (version.is_provisional() && !visibility.usage_to_date) {
                    return None;
                }
                let columns = visible::columns(*report, visibility)?;
                let masks = visibility.called_numbers == CalledNumbers::Masked;
                Some(Shape { columns: Some(columns), masks, ..Shape::whole(*report) })
            }
        };
        let shape = match version.to_date() {
            // What is contracted for days to come is no usage.
            Some(today) if *report == Report::Usage && Month::of(today) == version.month => {
                let (_, _, day) = today.civil();
                Some(Shape { last_day: Some(day), ..shape.unwrap_or_else(|| Shape::whole(*report)) })
            }
            _ => shape,
        };
        let shape = match payers {
            Some(payers) => {
                Some(Shape { payers: Some(payers.clone()), ..shape.unwrap_or_else(|| Shape::whole(*report)) })
            }
            None => shape,
        };
        let provisional = if version.is_provisional() { "provisional." } else { "" };
        let name = of.file_name(version.month, *report, &format!("{provisional}{}", format.ending()));
        let published = format.form().filter(|_| shape.is_none());
        let whole = published.and_then(|form| version.report(of, *report, form));
        if let Some(source) = whole {
            return Some(Part { name, source, format, shape: None });
        }
        // All calls of a site stand in one file that has both sides; other forms of it are made from that.
        if let (Of::Site(site), Report::Itemised) = (of, report) {
            let source = version.itemised_parquet(site)?;
            let as_published = shape.is_none() && format == Format::Parquet;
            let zone = Some(self.zone(version, site));
            let made = Shape { zone, ..shape.unwrap_or_else(|| Shape::whole(*report)) };
            return Some(Part { name, source, format, shape: (!as_published).then_some(made) });
        }
        let source = version.report(of, *report, Form::Machine)?;
        Some(Part { name, source, format, shape: Some(shape.unwrap_or_else(|| Shape::whole(*report))) })
    }
}

/// The name of a zip: of what its reports are, if that is one thing.
fn zip_name(version: &Version, parts: &[(Wanted, Part)], format: Format) -> String {
    let month = version.month;
    let provisional = if version.is_provisional() { "provisional." } else { "" };
    let ending = match format {
        Format::Spreadsheet => format!("{provisional}zip"),
        other => format!("{provisional}{}.zip", other.ending()),
    };
    let mut of: Vec<&Of> = parts.iter().map(|(wanted, _)| &wanted.of).collect();
    of.dedup();
    let payer = |of: &Of| match of {
        Of::Payer { payer, .. } => Some(payer.clone()),
        _ => None,
    };
    match of.as_slice() {
        [only] => only.file_name(month, Report::CallCharges, &ending),
        [first, others @ ..] => {
            match payer(first).filter(|own| others.iter().all(|of| payer(of).as_ref() == Some(own))) {
                Some(payer) => format!("{}_call-charges_{}.{ending}", month.compact(), safe_name(&payer)),
                None => format!("{}_call-charges.{ending}", month.compact()),
            }
        }
        [] => format!("{}_call-charges.{ending}", month.compact()),
    }
}

/// A hash of everything that the bytes depend on.
fn etag(parts: &[Part], is_zip: bool) -> String {
    let mut hash = Sha256::new();
    let mut put = |text: &str| {
        hash.update(text.len().to_le_bytes());
        hash.update(text.as_bytes());
    };
    put(SOFTWARE_VERSION);
    put(&RENDITION.to_string());
    put(if is_zip { "zip" } else { "bare" });
    for part in parts {
        put(&part.name);
        put(part.format.name());
        put(&part.source.sha256);
        match &part.shape {
            None => put("as published"),
            Some(Shape { columns, masks, sites, payers, zone, last_day, .. }) => {
                put(&last_day.map_or_else(String::new, |day| day.to_string()));
                put(zone.as_ref().map_or("", Zone::name));
                put(if *masks { "masked" } else { "in full" });
                put(&columns.as_ref().map_or_else(|| "*".to_owned(), |columns| columns.join(",")));
                for site in sites.iter().flatten() {
                    put(site);
                }
                put(if payers.is_some() { "of payers" } else { "of all payers" });
                for payer in payers.iter().flatten() {
                    put(payer);
                }
            }
        }
    }
    let hash: String = hex(&hash.finalize()).chars().take(32).collect();
    format!("\"{hash}\"")
}

impl Prepared {
    /// Makes the download. What is small is made before this returns; what is large is made while it is read.
    ///
    /// # Errors
    ///
    /// If a published file cannot be read, or is not what it should be.
    pub async fn body(self) -> Result<Body> {
        let failed = |error: &io::Error| Refusal::disk("a published report cannot be read", error);
        if let ([Part { shape: None, source, .. }], false) = (self.parts.as_slice(), self.is_zip) {
            let (path, expected) = (source.path.clone(), source.bytes);
            let opened = tokio::task::spawn_blocking(move || -> io::Result<(File, u64)> {
                let file = File::open(path)?;
                let length = file.metadata()?.len();
                Ok((file, length))
            });
            let (file, length) = opened.await.map_err(Refusal::internal)?.map_err(|error| failed(&error))?;
            if length != expected {
                let detail = format!("`{}` is not as long as it was published", source.name);
                return Err(Refusal::new("publish.version_damaged", detail)
                    .help("bring the version's folder back from a copy, or run the month again"));
            }
            return Ok(Body::File { file, length });
        }
        let room = Arc::clone(&self.desk.room).acquire_owned().await.map_err(Refusal::internal)?;
        let started = pipe::run(move |out| {
            let _room = room;
            self.write(out)
        });
        match started.await {
            Some(pipe::Start::Whole(bytes)) => Ok(Body::Whole(bytes)),
            Some(pipe::Start::Stream(receiver)) => Ok(Body::Stream(receiver)),
            Some(pipe::Start::Failed(error)) => Err(failed(&error)),
            None => Err(Refusal::internal("a download ended before it began")),
        }
    }

    fn write(&self, out: &mut pipe::Pipe) -> io::Result<()> {
        if !self.is_zip {
            return self.parts.first().map_or(Ok(()), |part| part.write(&self.desk.aside, out));
        }
        let failed = |error: zip::result::ZipError| match error {
            zip::result::ZipError::Io(error) => error,
            error => io::Error::other(error),
        };
        let mut zip = ZipWriter::new_stream(out);
        for part in &self.parts {
            // A rendition is never more than a few times as large as its source.
            let large = part.source.bytes > u64::from(u32::MAX) / 8;
            let options = SimpleFileOptions::default().large_file(large);
            zip.start_file(part.name.as_str(), options).map_err(failed)?;
            part.write(&self.desk.aside, &mut zip)?;
        }
        zip.finish().map_err(failed)?;
        Ok(())
    }
}

impl Part {
    fn write(&self, aside: &Path, out: &mut (dyn Write + Send)) -> io::Result<()> {
        let path = &self.source.path;
        let Some(shape) = &self.shape else {
            io::copy(&mut File::open(path)?, out)?;
            return Ok(());
        };
        match self.format {
            Format::Spreadsheet => render::csv(path, shape, Profile::Spreadsheet, out),
            Format::Machine => render::csv(path, shape, Profile::Machine, out),
            Format::Xlsx => {
                std::fs::create_dir_all(aside)?;
                render::xlsx(path, shape, aside, out)
            }
            Format::Parquet => render::parquet(path, shape, out),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn desks_of_one_folder_share_their_room() {
        let data = tempfile::tempdir().unwrap();
        let desk = Desk::new(data.path()).unwrap();
        let (one, other) = (desk.of("harbour"), desk.of("harbour"));
        let _taken = Arc::clone(&one.room).try_acquire_owned().unwrap();
        assert_eq!(other.room.available_permits(), AT_ONCE - 1);
    }
}
