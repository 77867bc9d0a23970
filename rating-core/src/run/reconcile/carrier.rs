//! The carrier's own files: plain CSV, or any format of switch whose records carry a price.

use std::path::PathBuf;

use super::super::inputs::{Piece, Spares, Stream};
use super::{ReconcileOptions, Their};
use crate::cdr::{self, Format, Stamp};
use crate::ids::{Interner, SiteId};
use crate::mediation::dial_plan::{DialPlan, Role};
use crate::money::{Charge, Currency};
use crate::number::{E164, Party};
use crate::run::RunError;
use crate::run::project::Project;
use crate::run::storage::Storage;
use crate::time::{Duration, Instant, LocalTime, Resolved, Zone};

/// The columns of plain CSV; the last may be left out.
const COLUMNS: [&str; 7] = ["calling", "called", "start", "duration_s", "price", "currency", "reference"];

/// How to read the carrier's files.
pub(super) struct Carrier<'p> {
    format: Option<(Format, cdr::Options)>,
    zone: Zone,
    plan: &'p DialPlan,
    currency: Currency,
}

/// What was read.
#[derive(Default)]
pub(super) struct Read {
    pub(super) calls: Vec<Their>,
    pub(super) unreadable: u64,
    pub(super) first_unreadable: Option<String>,
}

/// A record as written.
struct Written<'w> {
    file: u32,
    line: u64,
    calling: &'w [u8],
    called: &'w [u8],
    at: Instant,
    duration: Duration,
    price: &'w [u8],
    currency: &'w [u8],
    reference: &'w [u8],
}

impl<'p> Carrier<'p> {
    /// The site whose calls the carrier bills, and how to read its files.
    pub(super) fn of(project: &'p Project, options: &ReconcileOptions) -> Result<(SiteId, Self), RunError> {
        let settings = &project.settings;
        let source = match &options.source {
            None => None,
            Some(id) => Some(settings.sources.iter().position(|source| source.id == *id).ok_or_else(|| {
                let ids: Vec<&str> = settings.sources.iter().map(|source| source.id.as_str()).collect();
                RunError::Usage(format!("there is no source `{id}`; the sources are {}", ids.join(", ")))
            })?),
        };
        let at_source = source.and_then(|at| settings.sources.get(at));
        let site = match (&options.run.site, at_source) {
            (Some(id), _) => settings.sites.iter().position(|site| site.id == *id),
            (None, Some(source)) => Some(source.site),
            (None, None) if settings.sites.len() == 1 => Some(0),
            (None, None) => None,
        };
        let ids = || settings.sites.iter().map(|site| site.id.as_str()).collect::<Vec<_>>().join(", ");
        let site = site.ok_or_else(|| {
            RunError::Usage(format!("name the site whose calls the carrier bills with --site; the sites are {}", ids()))
        })?;
        let mediator = (settings.sources.iter().zip(&project.mediators)).find(|(source, _)| source.site == site);
        let plan = mediator.map(|(_, mediator)| mediator.plan());
        let plan = plan.ok_or_else(|| RunError::Usage("that site has no source, and so no calls".to_owned()))?;
        let format = match (&options.format, source) {
            (Some(name), _) => Some((
                Format::from_name(name).ok_or_else(|| RunError::Usage(format!("there is no format `{name}`")))?,
                cdr::Options::default(),
            )),
            (None, Some(source)) => project.formats.get(source).cloned(),
            (None, None) => None,
        };
        let site = SiteId(u32::try_from(site).unwrap_or(u32::MAX));
        let zone = options.zone.clone().or_else(|| at_source.map(|source| source.zone.clone()));
        let zone = zone.unwrap_or_else(|| project.zone(site).clone());
        let currency = settings.operator.currency;
        Ok((site, Self { format, zone, plan, currency }))
    }

    pub(super) fn read(
        &self,
        storage: &dyn Storage,
        files: &[PathBuf],
        texts: &mut Interner,
    ) -> Result<Read, RunError> {
        let mut read = Read::default();
        for (number, path) in (0_u32..).zip(files) {
            let refused = |read: &mut Read, line: u64, why: &str| {
                read.unreadable += 1;
                let place = || format!("{}:{line}: {why}", path.display());
                read.first_unreadable.get_or_insert_with(place);
            };
            match &self.format {
                None => self.plain(storage, path, number, &mut read, texts, &refused)?,
                Some((format, options)) => {
                    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
                    let options = cdr::Options { file_name: name, ..options.clone() };
                    self.records(storage, path, number, (*format, &options), &mut read, texts, &refused)?;
                }
            }
        }
        Ok(read)
    }

    /// A clock reading of the carrier's; the first time, where the clock shows it twice.
    fn instant(&self, local: LocalTime) -> Instant {
        match self.zone.resolve(local) {
            Resolved::Unique(at) | Resolved::Repeated(at, _) | Resolved::Missing(at, _) => at,
        }
    }

    /// Takes a record in, or says why not.
    fn take(&self, written: &Written<'_>, texts: &mut Interner) -> Result<Their, &'static str> {
        let utf8 = |bytes| std::str::from_utf8(bytes).unwrap_or("").trim();
        let text = utf8(written.price);
        let charge = Charge::parse(text).map_err(|_| "its price is no amount")?;
        let decimals = text.rsplit_once('.').map_or(0, |(_, decimals)| decimals.len());
        let currency = match utf8(written.currency) {
            "" => self.currency,
            code => Currency::parse(code).ok_or("its currency is no ISO 4217 code")?,
        };
        let number = |party: Party<'_>| match party {
            Party::Number(number) => Some(number),
            _ => None,
        };
        let read = |text: &[u8], role: Role| -> Option<E164> { number(self.plan.normalise(text, role)) };
        let called = self.plan.normalise(written.called, Role::Sent);
        if matches!(called, Party::Missing) {
            return Err("it has no called number");
        }
        Ok(Their {
            file: written.file,
            line: written.line,
            reference: utf8(written.reference).to_owned(),
            called: texts.intern(&super::party(called)),
            caller: read(written.calling, Role::CallingOutside),
            at: written.at,
            duration: written.duration,
            charge,
            currency,
            decimals: u32::try_from(decimals).unwrap_or(10).min(10),
        })
    }

    fn plain(
        &self,
        storage: &dyn Storage,
        path: &std::path::Path,
        file: u32,
        read: &mut Read,
        texts: &mut Interner,
        refused: &dyn Fn(&mut Read, u64, &str),
    ) -> Result<(), RunError> {
        let bytes = storage.read(path)?;
        let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&bytes);
        let mut reader = csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(bytes);
        let head = reader.byte_headers().cloned().unwrap_or_default();
        let at = COLUMNS.map(|name| head.iter().position(|cell| cell == name.as_bytes()));
        if let Some(missing) = COLUMNS.iter().zip(&at).take(6).find(|(_, at)| at.is_none()) {
            return Err(RunError::Usage(format!(
                "`{}` has no column `{}`: its header must have {}, or name a --format",
                path.display(),
                missing.0,
                COLUMNS.join(", ")
            )));
        }
        for record in reader.byte_records() {
            let Ok(record) = record else {
                refused(read, 0, "it is no CSV");
                break;
            };
            let line = record.position().map_or(0, csv::Position::line);
            let cell = |column: usize| at[column].and_then(|at| record.get(at)).unwrap_or_default();
            let text = |column: usize| std::str::from_utf8(cell(column)).unwrap_or("");
            let start = text(2);
            let begun = Instant::parse_rfc3339(start)
                .or_else(|| LocalTime::parse(start.replacen('T', " ", 1).as_bytes()).map(|local| self.instant(local)));
            let duration = Duration::parse(&format!("{}s", text(3))).filter(|duration| *duration >= Duration::ZERO);
            let (Some(at), Some(duration)) = (begun, duration) else {
                refused(
                    read,
                    line,
                    if begun.is_none() { "its start is no time" } else { "its duration is no number of seconds" },
                );
                continue;
            };
            let written = Written {
                file,
                line,
                calling: cell(0),
                called: cell(1),
                at,
                duration,
                price: cell(4),
                currency: cell(5),
                reference: cell(6),
            };
            match self.take(&written, texts) {
                Ok(their) => read.calls.push(their),
                Err(why) => refused(read, line, why),
            }
        }
        Ok(())
    }

    #[allow(clippy::too_many_arguments, reason = "one caller, and all of them are the file's")]
    fn records(
        &self,
        storage: &dyn Storage,
        path: &std::path::Path,
        file: u32,
        (format, options): (Format, &cdr::Options),
        read: &mut Read,
        texts: &mut Interner,
        refused: &dyn Fn(&mut Read, u64, &str),
    ) -> Result<(), RunError> {
        let mut stream = Stream::open(storage, path)?;
        let opened = {
            let (head, whole) = stream.head()?;
            cdr::open(format, options, head, whole)
        };
        let reader = opened.map_err(|error| RunError::Usage(format!("`{}`: {error}", path.display())))?;
        stream.skip(reader.body_start());
        let mut number = 0;
        let mut spares = Spares::default();
        loop {
            let chunk = match stream.next_of(&reader, &mut spares)? {
                None => break,
                Some(Piece::TooLong(_)) => {
                    refused(read, number + 1, "it is too long");
                    continue;
                }
                Some(Piece::Records(chunk)) => chunk,
            };
            for record in reader.records(file, chunk.offset, &chunk.bytes, chunk.last) {
                number += 1;
                let Ok(cdr) = record else {
                    refused(read, number, "it cannot be read");
                    continue;
                };
                let begun = cdr.answer.or(cdr.setup).map(|stamp| match stamp {
                    Stamp::Instant(at) => at,
                    Stamp::Local(local) => self.instant(local),
                });
                if cdr.carrier_price.is_empty() {
                    // What costs nothing need not say so.
                    if cdr.answered {
                        refused(read, number, "it has no price");
                    }
                    continue;
                }
                let Some(at) = begun else {
                    refused(read, number, "it has no time");
                    continue;
                };
                let called = if cdr.reached.is_empty() { cdr.dialled } else { cdr.reached };
                let written = Written {
                    file,
                    line: number,
                    calling: cdr.calling,
                    called,
                    at,
                    duration: cdr.talk,
                    price: cdr.carrier_price,
                    currency: cdr.carrier_currency,
                    reference: cdr.call_id,
                };
                match self.take(&written, texts) {
                    Ok(their) => read.calls.push(their),
                    Err(why) => refused(read, number, why),
                }
            }
        }
        Ok(())
    }
}
