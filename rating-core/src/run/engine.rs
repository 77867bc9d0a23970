//! One record through every floor: the same for all threads, changed by none.

use super::project::Project;
use super::spill::{Prices, RowBuffer};
use crate::attribution::attribute;
use crate::cdr::{self, Cdr, FileError, Reader};
use crate::ids::{BandId, SiteId, SourceId, TariffId};
use crate::mediation::{Call, Mediated, Mediator};
use crate::money::{Currency, Price};
use crate::rating::{Outcome, Rater, flags};
use crate::time::{Duration, Interval, Month};

/// What became of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// Its row was set aside.
    Row,
    /// It belongs to another month, or to a site that was not asked for.
    OtherPeriod,
}

/// A project made ready for one month.
pub(super) struct Engine<'p> {
    /// The project.
    pub(super) project: &'p Project,
    rater: Rater<'p>,
    /// The month at each site.
    bounds: Vec<Interval>,
    only: Option<SiteId>,
    codes: Vec<&'static str>,
}

impl<'p> Engine<'p> {
    /// Makes a project ready for a month, at all sites or only one.
    #[must_use]
    pub(super) fn new(project: &'p Project, month: Month, only: Option<SiteId>) -> Self {
        let bounds = project
            .settings
            .sites
            .iter()
            .map(|site| {
                let (from, until) = month.bounds(&site.zone);
                Interval { from, until }
            })
            .collect();
        Self {
            project,
            rater: Rater::new(&project.book, &project.assignments),
            bounds,
            only,
            codes: super::codes::suspended_or_free(),
        }
    }

    /// What rates the calls.
    pub(super) const fn rater(&self) -> &Rater<'p> {
        &self.rater
    }

    /// The only site that is run, if it is not all.
    #[must_use]
    pub(super) fn only(&self) -> Option<SiteId> {
        self.only
    }

    /// Opens a file of a source; `path` is below the project.
    ///
    /// # Errors
    ///
    /// If it is no file of the source's format.
    pub(super) fn open(&self, source: SourceId, path: &str, head: &[u8], whole: bool) -> Result<Reader, FileError> {
        let (format, mut options) = match self.project.formats.get(source.index()) {
            Some((format, options)) => (*format, options.clone()),
            None => (cdr::Format::Asterisk, cdr::Options::default()),
        };
        options.file_name = path.rsplit('/').next().unwrap_or(path).to_owned();
        cdr::open(format, &options, head, whole)
    }

    /// By how many minutes the clock of a file differs from its source's zone, where the unique ids tell.
    #[must_use]
    pub(super) fn clock_difference(&self, source: SourceId, reader: &Reader) -> Option<i64> {
        let notes = reader.notes();
        let shown = i64::from(notes.epoch_offset_minutes?);
        let zone = &self.project.settings.sources.get(source.index())?.zone;
        // Both are of one record, so a clock change within the file, or in the month that is run, makes no difference.
        let difference = shown - zone.offset_at(notes.epoch_at?) / 60_000;
        (notes.epoch_evidence >= 3 && difference.abs() >= 15).then_some(difference)
    }

    fn mediator(&self, source: SourceId) -> Option<&'p Mediator> {
        self.project.mediators.get(source.index())
    }

    /// Within what records are compared to find duplicates: a site and a format. A switch's master file and its files for
    /// each account may be two sources; two sites' switches may give two calls one id.
    #[must_use]
    pub(super) fn duplicate_scope(&self, source: SourceId) -> u32 {
        let site = self.project.settings.sources.get(source.index()).map_or(0, |source| source.site);
        let format = self.project.formats.get(source.index()).map_or(0, |(format, _)| *format as usize);
        u32::try_from(site * cdr::Format::ALL.len() + format).unwrap_or(u32::MAX)
    }

    /// What a record is.
    #[must_use]
    pub(super) fn mediate<'a>(&'a self, source: SourceId, cdr: Cdr<'a>) -> Mediated<'a> {
        match self.mediator(source) {
            Some(mediator) => mediator.mediate(cdr),
            None => Mediated::NotACall(cdr::NotACall::Omitted),
        }
    }

    /// Assembles records that share a pair.
    #[must_use]
    pub(super) fn assemble<'a>(&'a self, source: SourceId, group: &[Cdr<'a>]) -> Vec<crate::mediation::Assembled<'a>> {
        self.mediator(source).map_or_else(Vec::new, |mediator| mediator.assemble(group))
    }

    /// Attributes and rates a call and sets its row aside; `suspended` is the code of a call that mediation gave up on.
    pub(super) fn finish(&self, call: Call<'_>, suspended: Option<&'static str>, rows: &mut RowBuffer) -> Fate {
        let attributed = attribute(call, &self.project.directory);
        let mut row = self.rater.rate(attributed).row();
        if self.only.is_some_and(|only| only != row.site)
            || !self.bounds.get(row.site.index()).is_some_and(|bounds| bounds.contains(row.charging_at))
        {
            return Fate::OtherPeriod;
        }
        if row.payer.is_some_and(|payer| self.project.assignments.may_have_allowances(payer, row.site)) {
            row.asked = self.rater.asked(&attributed);
        }
        if call.other_reading.is_some() {
            if !attributed.readings_agree {
                // It may be either's call: neither is shown it.
                (row.payer, row.number) = (None, None);
            }
            row.flags |= flags::LOCAL_TIME_AMBIGUOUS;
        }
        if let Some(code) = suspended
            && !matches!(row.retail.outcome, Outcome::NotChargeable(_))
        {
            row.retail.outcome = Outcome::Suspended(code);
        }
        rows.push(&row, &self.codes);
        Fate::Row
    }
}

impl Prices for Engine<'_> {
    fn code(&self, index: u8) -> &'static str {
        // Every code that a row can have is in the list, which a test holds; so this is never blank.
        self.codes.get(usize::from(index)).copied().unwrap_or_default()
    }

    fn currency(&self, tariff: TariffId, version: u16) -> Option<Currency> {
        let tariff = self.project.book.tariff(tariff)?;
        tariff.versions().get(usize::from(version)).map(crate::tariff::TariffVersion::currency)
    }

    fn price(&self, tariff: TariffId, version: u16, row: u32, band: BandId) -> (Price, Duration, Price) {
        self.project
            .book
            .tariff(tariff)
            .and_then(|tariff| tariff.versions().get(usize::from(version)))
            .and_then(|version| {
                let band = version.bands().iter().position(|id| *id == band)?;
                version.plan(row, u8::try_from(band).ok()?)
            })
            .map_or((Price::ZERO, Duration::ZERO, Price::ZERO), |plan| (plan.price, plan.per, plan.connection))
    }
}
