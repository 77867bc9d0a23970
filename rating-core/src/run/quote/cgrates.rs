//! Prices of single calls by a folder of CGRateS tariff-plan files.

use std::borrow::Cow;
use std::cell::RefCell;
use std::io::Write as _;
use std::path::PathBuf;

use super::super::RunError;
use super::super::storage::Storage;
use super::lines::{BadCall, CallLine, Quotes, write_charge, write_id, write_text};
use crate::finding::Findings;
use crate::money::Currency;
use crate::rating::cgrates::{CgratesCharge, price};
use crate::tariff::cgrates::{CgratesCall, CgratesPlan};
use crate::time::{LocalTime, Zone};

/// What to quote from.
#[derive(Clone, Debug)]
pub struct CgratesOptions {
    /// The folder.
    pub folder: PathBuf,
    /// The clock of midnight and timings; without one, that of the offset each answer is written with, as CGRateS has it.
    pub zone: Option<Zone>,
    /// The clocks of sites that calls name.
    pub sites: Vec<(String, Zone)>,
    /// What the amounts are in. The files do not say.
    pub currency: Currency,
}

impl CgratesOptions {
    /// Quotes from a folder, in a currency that is not known.
    #[must_use]
    pub const fn new(folder: PathBuf) -> Self {
        Self { folder, zone: None, sites: Vec::new(), currency: Currency::NONE }
    }
}

/// A folder, ready to be asked.
#[derive(Debug)]
pub struct CgratesQuoter {
    plan: CgratesPlan,
    options: CgratesOptions,
}

impl CgratesQuoter {
    /// Reads and compiles the folder. What is worth a look is in the findings; none of them is an error.
    ///
    /// # Errors
    ///
    /// [`RunError::Usage`] if there is no such folder; [`RunError::Invalid`] for mistakes in its files.
    pub fn open(storage: &dyn Storage, options: &CgratesOptions) -> Result<(Self, Findings), RunError> {
        let (plan, findings) = read_folder(storage, options)?;
        Ok((Self { plan, options: options.clone() }, findings))
    }

    /// The plan that was read.
    #[must_use]
    pub const fn plan(&self) -> &CgratesPlan {
        &self.plan
    }

    /// The clock for a call: its site's, the one that was given, or the one that its answer is written by.
    fn clock(&self, call: &CallLine<'_>, answered_at: i64) -> Result<Cow<'_, Zone>, BadCall> {
        if let Some(site) = call.site.filled().filter(|_| !self.options.sites.is_empty()) {
            let known = self.options.sites.iter().find(|(name, _)| name == site);
            let wanted = "a site whose clock is known (`--zone SITE=ZONE`)";
            return known.map(|(_, zone)| Cow::Borrowed(zone)).ok_or_else(|| BadCall::of_value("site", site, wanted));
        }
        if let Some(zone) = &self.options.zone {
            return Ok(Cow::Borrowed(zone));
        }
        let written = LocalTime::parse_prefix(call.answered_at.or_empty().as_bytes());
        let local = written.map_or(answered_at, |(local, _)| local.as_millis());
        Ok(Cow::Owned(Zone::fixed(local.saturating_sub(answered_at))))
    }

    fn write_rated(&self, charge: &CgratesCharge<'_>, out: &mut Vec<u8>) {
        out.extend_from_slice(b",\"status\":\"rated\",\"charge\":\"");
        write_charge(charge.charge, out);
        // Writing to memory does not fail.
        let _ = write!(out, "\",\"unrounded\":\"{}\"", charge.unrounded);
        let _ = write!(out, ",\"currency\":\"{}\",\"billed_duration_s\":\"", self.options.currency);
        write_nanoseconds(charge.billed, out);
        out.extend_from_slice(b"\",\"destination\":");
        write_text(self.plan.destination(charge.offer), out);
        out.extend_from_slice(b",\"class\":null,\"band\":");
        write_text(self.plan.timing(charge.offer), out);
        let _ = write!(out, ",\"row\":{{\"file\":\"DestinationRates.csv\",\"line\":{}}}", charge.offer.line());
    }
}

impl Quotes for CgratesQuoter {
    fn answer(&self, line: &CallLine<'_>, out: &mut Vec<u8>) -> Result<(), BadCall> {
        let (answered_at, duration) = line.when()?;
        let zone = self.clock(line, answered_at.as_millis())?;
        // What CGRateS puts where a call does not say.
        let call = CgratesCall {
            tenant: line.tenant.filled().unwrap_or("cgrates.org"),
            category: line.category.filled().unwrap_or("call"),
            subject: line.subject.filled().or(line.calling.filled()).unwrap_or_default(),
            called: line.called.or_empty(),
            answered_at,
            duration,
        };
        out.extend_from_slice(b"{\"id\":");
        write_id(&line.id, out);
        match price(&self.plan, &call, &zone) {
            Ok(charge) => self.write_rated(&charge, out),
            Err(reason) => {
                let _ = write!(
                    out,
                    ",\"status\":\"not_rated\",\"reason\":\"{}\",\"charge\":null,\"unrounded\":null,\"currency\":\"{}\",\
                     \"billed_duration_s\":null,\"destination\":null,\"class\":null,\"band\":null,\"row\":null",
                    reason.code(),
                    self.options.currency
                );
            }
        }
        for (key, text) in [("tenant", call.tenant), ("category", call.category), ("subject", call.subject)] {
            let _ = write!(out, ",\"{key}\":");
            write_text(text, out);
        }
        out.extend_from_slice(b"}\n");
        Ok(())
    }
}

/// Reads and compiles a folder.
///
/// # Errors
///
/// [`RunError::Usage`] if there is no such folder; [`RunError::Invalid`] for mistakes in its files.
pub fn read_folder(storage: &dyn Storage, options: &CgratesOptions) -> Result<(CgratesPlan, Findings), RunError> {
    let folder = &options.folder;
    let entries = storage.list(folder).map_err(|error| match error.error.kind() {
        std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => {
            RunError::Usage(format!("there is no folder `{}`", folder.display()))
        }
        _ => RunError::Storage(error),
    })?;
    let mut names: Vec<String> =
        entries.into_iter().filter(|entry| !entry.is_folder && entry.name.ends_with(".csv")).map(|e| e.name).collect();
    names.sort_unstable();
    let unread = RefCell::new(Findings::default());
    let mut failed = None;
    let mut read = |name: &str| {
        let path = folder.join(name);
        if !storage.exists(&path) {
            return None;
        }
        match storage.read(&path) {
            Ok(bytes) => super::text(name, bytes, &unread),
            Err(error) => {
                failed = Some(error);
                None
            }
        }
    };
    let mut findings = Findings::default();
    let zone = options.zone.clone().unwrap_or_else(Zone::utc);
    let plan = CgratesPlan::read(&names, &mut read, &zone, &mut findings);
    if let Some(error) = failed {
        return Err(RunError::Storage(error));
    }
    findings.extend(unread.into_inner());
    match plan.filter(|_| !findings.has_errors()) {
        Some(plan) => Ok((plan, findings)),
        None => Err(RunError::Invalid(findings)),
    }
}

/// Seconds with as many decimals as needed.
fn write_nanoseconds(count: i64, out: &mut Vec<u8>) {
    let (seconds, rest) = (count / 1_000_000_000, count % 1_000_000_000);
    let _ = write!(out, "{seconds}");
    if rest != 0 {
        let decimals = format!("{rest:09}");
        let _ = write!(out, ".{}", decimals.trim_end_matches('0'));
    }
}
