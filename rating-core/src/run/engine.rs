//! One record through every floor: the same for all threads, changed by none.

use super::history::{self, History, Status};
use super::project::Project;
use super::spill::{Prices, RowBuffer};
use crate::attribution::{AttributedCall, attribute};
use crate::cdr::{self, Cdr, FileError, Reader};
use crate::ids::{SiteId, SourceId, TariffId};
use crate::mediation::{Call, Lines, Mediated, Mediator};
use crate::money::Currency;
use crate::rating::{CallRow, Outcome, RatedCall, Rater, flags};
use crate::time::{Duration, Instant, Interval, Month};

/// What became of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// Its row was set aside; what the record index says of it.
    Row(u8),
    /// It belongs to a closed month, whose books settle it.
    Settled,
    /// It belongs to a closed month, is suspended in its books, and still cannot be rated.
    StillSuspended,
    /// It belongs to another month, or to a site that was not asked for.
    OtherPeriod,
}

/// A call on its way to its row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrived<'a> {
    /// The call.
    pub(super) call: Call<'a>,
    /// The code, if mediation gave up on it.
    pub(super) suspended: Option<&'static str>,
    /// The hash of its record's key.
    pub(super) hash: history::Hash,
}

/// What the books of closed months say of a call.
#[derive(Clone, Copy)]
struct Books {
    /// What became of it there, if they have it.
    known: Option<Status>,
    /// Whether it belongs to a closed month.
    late: bool,
}

/// To which month of the books a call belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Period {
    /// The month that is run; so near its beginning that the closed month before it may have the call already.
    Own(Option<Month>),
    /// A closed month.
    Closed(Month),
    /// Another.
    Other,
}

/// How far a zone that is mended can move a call: zones reach from -12 to +14 hours.
const BOUNDARY: Duration = Duration::from_seconds(26 * 3_600);

/// A project made ready for one month.
pub(super) struct Engine<'p> {
    /// The project.
    pub(super) project: &'p Project,
    rater: Rater<'p>,
    /// The month at each site.
    bounds: Vec<Interval>,
    history: Option<History<'p>>,
    any_month: bool,
    scopes: Vec<u64>,
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
            history: None,
            any_month: false,
            scopes: project.sources().map(|source| scope(project, source)).collect(),
            only,
            codes: super::codes::suspended_or_free(),
        }
    }

    /// With the books of the closed months that lead up to the month.
    #[must_use]
    pub(super) fn with_history(self, history: Option<History<'p>>) -> Self {
        Self { history, ..self }
    }

    /// The retail side only, if so.
    #[must_use]
    pub(super) fn retail_only(self, retail_only: bool) -> Self {
        Self { rater: self.rater.retail_only(retail_only), ..self }
    }

    /// For every month, each that is closed by its books: what is still suspended there has a row, too.
    #[must_use]
    pub(super) fn for_any_month(self) -> Self {
        Self { any_month: true, ..self }
    }

    /// The books of the closed months that lead up to the month, if it follows any.
    #[must_use]
    pub(super) const fn history(&self) -> Option<&History<'p>> {
        self.history.as_ref()
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
    pub(super) fn duplicate_scope(&self, source: SourceId) -> u64 {
        self.scopes.get(source.index()).copied().unwrap_or(0)
    }

    /// What a record is.
    #[must_use]
    #[inline]
    pub(super) fn mediate<'a>(&'a self, source: SourceId, cdr: &Cdr<'a>) -> Mediated<'a> {
        match self.mediator(source) {
            Some(mediator) => mediator.mediate(cdr),
            None => Mediated::NotACall(cdr::NotACall::Omitted),
        }
    }

    /// [`Engine::mediate`] for one of many records.
    #[must_use]
    #[inline]
    pub(super) fn mediate_one_of<'a>(&'a self, source: SourceId, cdr: &Cdr<'a>, lines: &mut Lines) -> Mediated<'a> {
        match self.mediator(source) {
            Some(mediator) => mediator.mediate_one_of(cdr, lines),
            None => Mediated::NotACall(cdr::NotACall::Omitted),
        }
    }

    /// A record as a call by itself, for those who look at parts of calls.
    #[must_use]
    pub(super) fn alone<'a>(&'a self, source: SourceId, cdr: &Cdr<'a>) -> Option<Call<'a>> {
        self.mediator(source).map(|mediator| mediator.alone(cdr))
    }

    /// Assembles records that share a group.
    #[must_use]
    pub(super) fn assemble<'a>(&'a self, source: SourceId, group: &[Cdr<'a>]) -> Vec<crate::mediation::Assembled<'a>> {
        self.mediator(source).map_or_else(Vec::new, |mediator| mediator.assemble(group))
    }

    /// To which month of the books a call belongs: the one that is run (and what the closed one before it says, where a
    /// zone that was mended since may have moved the call over the boundary), a closed one, or none that matters.
    fn period(&self, site: SiteId, at: Instant) -> Period {
        let other = if self.any_month { Period::Own(None) } else { Period::Other };
        let Some(bounds) = self.bounds.get(site.index()) else { return other };
        let Some(last) = self.history.as_ref().and_then(|history| history.closed().last()) else {
            return if bounds.contains(at) { Period::Own(None) } else { other };
        };
        if bounds.contains(at) {
            return Period::Own(Some(last.month).filter(|_| at.since(bounds.from) < BOUNDARY));
        }
        let month = Month::of(self.project.zone(site).to_local(at).date());
        let closed = self.history.as_ref().is_some_and(|history| history.closed().iter().any(|of| of.month == month));
        if closed { Period::Closed(month) } else { other }
    }

    /// Attributes and rates a call and sets its row aside.
    pub(super) fn finish(&self, arrived: Arrived<'_>, rows: &mut RowBuffer) -> Fate {
        let mut fate = Fate::OtherPeriod;
        self.finish_all(&[arrived], rows, |_, of_call| fate = of_call);
        fate
    }

    /// Attributes and rates calls and sets their rows aside; says of each, by its place, what became of it.
    ///
    /// Calls go from floor to floor together, because what they look up is waited for together: see [`Rater::rate_all`].
    pub(super) fn finish_all(
        &self,
        arrived: &[Arrived<'_>],
        rows: &mut RowBuffer,
        mut became: impl FnMut(usize, Fate),
    ) {
        let mut calls = Vec::with_capacity(arrived.len());
        let mut admitted = Vec::with_capacity(arrived.len());
        for (place, arrived) in arrived.iter().enumerate() {
            let attributed = attribute(&arrived.call, &self.project.directory);
            match self.admit(&attributed, arrived.hash) {
                Ok(books) => {
                    calls.push(attributed);
                    admitted.push((place, arrived.suspended, books));
                }
                Err(fate) => became(place, fate),
            }
        }
        self.rater.rate_all(&calls, |index, rated| {
            let Some((place, suspended, books)) = admitted.get(index) else { return };
            let mut row = in_full(&rated, *suspended);
            became(
                *place,
                match self.settle(&mut row, *books) {
                    Ok(()) => {
                        let late = row.flags & flags::LATE != 0;
                        // A late call of somebody with an allowance is not settled by it.
                        let may_take = |payer| !late && self.project.assignments.may_have_allowances(payer, row.site);
                        let asked = if row.payer.is_some_and(may_take) { self.rater.asked(&rated.call) } else { None };
                        rows.push(&row, asked.as_ref(), &self.codes);
                        Fate::Row(Status::of(&row).byte(late))
                    }
                    Err(fate) => fate,
                },
            );
        });
    }

    /// Attributes and rates a call.
    ///
    /// # Errors
    ///
    /// What became of it, if it has no row.
    pub(super) fn row<'a>(&self, arrived: Arrived<'a>) -> Result<CallRow<'a>, Fate> {
        let attributed = attribute(&arrived.call, &self.project.directory);
        let books = self.admit(&attributed, arrived.hash)?;
        let mut row = in_full(&self.rater.rate(attributed), arrived.suspended);
        self.settle(&mut row, books).map(|()| row)
    }

    /// What the books of closed months say of a call that belongs to the month that is run or to one of them.
    ///
    /// # Errors
    ///
    /// What became of any other.
    #[inline]
    fn admit(&self, attributed: &AttributedCall<'_, '_>, hash: history::Hash) -> Result<Books, Fate> {
        let call = attributed.call;
        let site = attributed.holder.map_or(call.site, |holder| holder.site);
        let period = self.period(site, call.charging_at);
        if self.only.is_some_and(|only| only != site) || period == Period::Other {
            return Err(Fate::OtherPeriod);
        }
        let (known, late) = match (&self.history, period) {
            (Some(history), Period::Own(Some(month))) => (history.find(month, hash), false),
            (Some(history), Period::Closed(month)) => (history.find(month, hash), true),
            _ => (None, false),
        };
        if known.is_some_and(|known| known.pending() == (false, false)) {
            return Err(Fate::Settled);
        }
        Ok(Books { known, late })
    }

    /// Leaves of a row what the books of closed months leave of it.
    ///
    /// # Errors
    ///
    /// What became of the call, if they leave no row.
    #[inline]
    fn settle(&self, row: &mut CallRow<'_>, books: Books) -> Result<(), Fate> {
        if books.late {
            row.flags |= flags::LATE;
            self.keep_from_allowances(row);
        }
        if let Some(known) = books.known {
            if keep_released(row, known) {
                row.flags |= flags::RELEASED;
            } else if !self.any_month {
                return Err(Fate::StillSuspended);
            }
        }
        Ok(())
    }

    /// Rates an attributed call by itself: what every run, check and embedder takes for its charges, before allowances.
    /// `suspended` is the code of a call that mediation gave up on.
    pub(super) fn charge<'a>(
        &self,
        attributed: AttributedCall<'_, 'a>,
        suspended: Option<&'static str>,
    ) -> CallRow<'a> {
        in_full(&self.rater.rate(attributed), suspended)
    }

    /// A late call of somebody who had an allowance in its month is not charged in full: what the allowance would have made
    /// of it is settled with that month.
    fn keep_from_allowances(&self, row: &mut CallRow<'_>) {
        let (Outcome::Rated(_), Some(payer)) = (&row.retail.outcome, row.payer) else { return };
        let zone = self.project.zone(row.site);
        let (from, until) = Month::of(zone.to_local(row.charging_at).date()).bounds(zone);
        if self.project.assignments.may_have_allowances(payer, row.site)
            && !self.project.assignments.allowances_in(payer, row.site, Interval { from, until }).is_empty()
        {
            row.retail.outcome = Outcome::Suspended(history::LATE_ALLOWANCE);
        }
    }
}

/// The row of a rated call, by itself. `suspended` is the code of a call that mediation gave up on.
#[inline]
fn in_full<'a>(rated: &RatedCall<'_, 'a>, suspended: Option<&'static str>) -> CallRow<'a> {
    let mut row = rated.row();
    if rated.call.call.other_reading.is_some() {
        if !rated.call.readings_agree {
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
    row
}

/// Leaves of a row what the books of a closed month do not settle; whether anything that was suspended there is no more.
fn keep_released(row: &mut CallRow<'_>, known: Status) -> bool {
    let (retail, wholesale) = known.pending();
    let mut released = false;
    for (pending, side) in [(retail, &mut row.retail), (wholesale, &mut row.wholesale)] {
        if pending {
            released |= !matches!(side.outcome, Outcome::Suspended(_));
        } else {
            side.outcome = Outcome::NotChargeable(history::SETTLED_BEFORE);
        }
    }
    released
}

/// See [`Engine::duplicate_scope`].
fn scope(project: &Project, source: SourceId) -> u64 {
    let sources = &project.settings.sources;
    let site = sources.get(source.index()).and_then(|source| project.settings.sites.get(source.site));
    let format = project.formats.get(source.index()).map_or("", |(format, _)| format.name());
    history::scope(site.map_or("", |site| &site.id), format)
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
}
