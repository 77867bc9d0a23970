//! All tariffs of a project, with the names behind their ids.

use std::sync::Arc;

use super::deck::{Rows, empty_interval};
use super::inherit::{self, Found, Start};
use super::settings::{self, Draft};
use super::together::Together;
use super::version::TariffVersion;
use super::{Candidate, Match, Query};
use crate::finding::{Finding, Findings, SourceText};
use crate::ids::{BandId, DestinationId, Interner, SiteId, TariffId};
use crate::time::{Date, Instant, Zone};

/// A tariff: all versions of it, in the order in which they come into force.
#[derive(Debug)]
pub struct Tariff {
    id: Box<str>,
    versions: Vec<TariffVersion>,
}

impl Tariff {
    /// The id that files use.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Its versions, earliest first.
    #[must_use]
    pub fn versions(&self) -> &[TariffVersion] {
        &self.versions
    }

    pub(super) fn version_mut(&mut self, version: usize) -> Option<&mut TariffVersion> {
        self.versions.get_mut(version)
    }

    /// The version in force at an instant, for calls at a site, and its index.
    #[must_use]
    #[inline]
    pub fn version_at(&self, at: Instant, site: SiteId) -> Option<(u16, &TariffVersion)> {
        (0_u16..).zip(&self.versions).find(|(_, version)| version.in_force(site).contains(at))
    }
}

/// What tariffs must know of a site.
#[derive(Clone, Debug)]
pub struct SiteClock {
    /// The clock on its wall.
    pub zone: Zone,
    /// Its own holidays, for tariffs that name the calendar `site`; `None` if it has no calendar.
    pub holidays: Option<Arc<[Date]>>,
}

impl From<Zone> for SiteClock {
    /// A site without a calendar of its own.
    fn from(zone: Zone) -> Self {
        Self { zone, holidays: None }
    }
}

/// All tariffs of a project, compiled.
///
/// # Example: a deck of two rows
///
/// ```
/// use rating_core::finding::{Findings, SourceText};
/// use rating_core::ids::SiteId;
/// use rating_core::number::{E164, NumberClass};
/// use rating_core::tariff::{Called, Match, Query, TariffBook};
/// use rating_core::time::{Instant, Zone};
///
/// let settings = "id = \"retail\"\ncurrency = \"GBP\"\nfrom = \"2026-01-01\"\nprices = \"p/min\"\ndecks = [\"retail.csv\"]\n";
/// let deck = "prefix,destination,price\n44,United Kingdom,1.2\n447,UK mobile,2.5\n";
/// let mut findings = Findings::default();
/// let book = TariffBook::read(
///     &[SourceText::new("retail.toml", settings)],
///     &mut |name| (name == "retail.csv").then(|| SourceText::new(name, deck)),
///     &[Zone::load("Europe/London").unwrap().into()],
///     &Zone::utc(),
///     &mut findings,
/// );
/// assert!(findings.is_empty());
/// let tariff = book.tariff(book.tariff_id("retail").unwrap()).unwrap();
/// let at = Instant::parse_rfc3339("2026-07-01T10:00:00Z").unwrap();
/// let (_, version) = tariff.version_at(at, SiteId(0)).unwrap();
/// let called = E164::parse(b"+447700900123").unwrap();
/// let query = Query::new(Called::Number(called, NumberClass::Mobile, 3));
/// let Match::Row(row) = version.find(&query, at, SiteId(0)) else { panic!() };
/// assert_eq!(book.destination(version.destination(row)), "UK mobile");
/// assert_eq!(version.plan(row, 0).unwrap().price.to_string(), "0.025");
/// ```
#[derive(Debug)]
pub struct TariffBook {
    tariffs: Vec<Tariff>,
    destinations: Interner,
    bands: Interner,
    /// By site; the last is the operator's.
    zones: Arc<[Zone]>,
    prefixes: Together,
}

impl TariffBook {
    /// Reads and compiles tariff settings files and the decks and calendars that they name.
    ///
    /// `load` is asked for a file by its path relative to the project; `sites` are the clocks and holidays of the sites in the
    /// order of their ids. The book is of use only if `findings` has no errors; what could be read is in it all the same.
    ///
    /// Ids: tariffs, destinations and bands in the order of their names.
    #[must_use]
    pub fn read(
        files: &[Arc<SourceText>],
        load: &mut dyn FnMut(&str) -> Option<Arc<SourceText>>,
        sites: &[SiteClock],
        operator_zone: &Zone,
        findings: &mut Findings,
    ) -> Self {
        let zones: Arc<[Zone]> = sites.iter().map(|site| &site.zone).chain([operator_zone]).cloned().collect();
        let holidays: Vec<_> = sites.iter().map(|site| site.holidays.clone()).chain([None]).collect();
        let (mut destinations, mut bands) = (Interner::default(), Interner::default());
        let mut versions: Vec<(Draft, TariffVersion)> = Vec::new();
        for file in files {
            let Some(draft) = settings::read(file, load, findings) else { continue };
            let rows = Rows::read(&draft, &mut destinations, findings);
            let band_ids = draft.bands.iter().map(|name| BandId(bands.intern(name))).collect();
            let version = TariffVersion::compile(&draft, rows, &zones, &holidays, band_ids, findings);
            versions.push((draft, version));
        }
        let (destinations, destination_ids) = sorted(&destinations);
        let (bands, band_ids) = sorted(&bands);
        for (_, version) in &mut versions {
            version.renumber(&destination_ids, &band_ids);
        }
        // The operator's zone stands last; two versions of one tariff are in the same order in every zone, or overlap.
        versions.sort_by_key(|(draft, _)| (draft.id.clone(), draft.from.0.in_zone(operator_zone)));
        check_versions(&mut versions, findings);
        inherit::resolve(&mut versions, findings);
        let mut tariffs: Vec<Tariff> = Vec::new();
        for (draft, version) in versions {
            match tariffs.last_mut().filter(|tariff| *tariff.id == *draft.id) {
                Some(tariff) => tariff.versions.push(version),
                None => tariffs.push(Tariff { id: draft.id.into(), versions: vec![version] }),
            }
        }
        let prefixes = Together::build(&mut tariffs);
        Self { tariffs, destinations, bands, zones, prefixes }
    }

    /// The id of the tariff that files call `id`.
    #[must_use]
    pub fn tariff_id(&self, id: &str) -> Option<TariffId> {
        let index = self.tariffs.binary_search_by(|tariff| (*tariff.id).cmp(id)).ok()?;
        u32::try_from(index).ok().map(TariffId)
    }

    /// The tariff of that id.
    #[must_use]
    #[inline]
    pub fn tariff(&self, id: TariffId) -> Option<&Tariff> {
        self.tariffs.get(id.index())
    }

    /// All tariffs in the order of their ids.
    #[must_use]
    pub fn tariffs(&self) -> &[Tariff] {
        &self.tariffs
    }

    /// The report name of a destination.
    #[must_use]
    pub fn destination(&self, id: DestinationId) -> &str {
        self.destinations.name(id.0)
    }

    /// Every destination of every tariff, by id.
    #[must_use]
    pub const fn destinations(&self) -> &Interner {
        &self.destinations
    }

    /// The name of a band.
    #[must_use]
    pub fn band(&self, id: BandId) -> &str {
        self.bands.name(id.0)
    }

    /// Every band of every tariff, by id.
    #[must_use]
    pub const fn bands(&self) -> &Interner {
        &self.bands
    }

    pub(super) const fn prefixes(&self) -> &Together {
        &self.prefixes
    }

    /// The zone of a site; the operator's for a site that is not known.
    #[must_use]
    pub fn zone(&self, site: SiteId) -> &Zone {
        &self.zones[site.index().min(self.zones.len() - 1)]
    }

    /// Deck and line of a row.
    #[must_use]
    pub fn row_source(&self, tariff: TariffId, version: u16, row: u32) -> Option<(&str, u32)> {
        let version = self.tariff(tariff)?.versions.get(usize::from(version))?;
        version.row(row, SiteId(u32::MAX)).map(|row| (row.file, row.line))
    }

    /// The row that prices a call by a tariff, its parents included: the most specific key of all of them decides, the
    /// tariff before its parent where keys are equally specific. What decides brings its own version: price, bands and
    /// rounding are those of the tariff that the row is of.
    ///
    /// `None` if the tariff has no version in force then. A parent that has none is passed over, and so are its parents.
    #[must_use]
    pub fn find(&self, tariff: TariffId, query: &Query<'_>, at: Instant, site: SiteId) -> Option<Found<'_>> {
        Some(self.find_from(self.start(tariff, at, site)?, query, at, site))
    }

    /// The version of a tariff that a call at a site is asked of at an instant; `None` if none is in force then.
    #[must_use]
    #[inline]
    pub fn start(&self, tariff: TariffId, at: Instant, site: SiteId) -> Option<Start<'_>> {
        inherit::start(self, tariff, at, site)
    }

    /// [`TariffBook::find`] from the version that is in force at that instant and site.
    #[must_use]
    #[inline]
    pub fn find_from<'b>(&'b self, start: Start<'b>, query: &Query<'_>, at: Instant, site: SiteId) -> Found<'b> {
        inherit::find(self, start, query, at, site)
    }

    /// Every row of a tariff and its parents that matches a call by its key, and why it does not decide: the tariff's own
    /// first, most specific key first.
    #[must_use]
    pub fn candidates(
        &self,
        tariff: TariffId,
        query: &Query<'_>,
        at: Instant,
        site: SiteId,
    ) -> Vec<(TariffId, u16, Candidate)> {
        inherit::candidates(self, tariff, query, at, site)
    }

    /// Whether any tariff prices a call from the outside, blocks it or lists it without a price.
    #[must_use]
    pub fn prices_inbound(&self, query: &Query<'_>, at: Instant, site: SiteId) -> bool {
        (self.tariffs.iter().filter_map(|tariff| tariff.version_at(at, site)))
            .any(|(_, version)| version.prices_inbound_calls() && version.find(query, at, site) != Match::NotFound)
    }

    /// Whether any tariff prices calls from the outside.
    #[must_use]
    pub fn prices_inbound_calls(&self) -> bool {
        self.tariffs.iter().flat_map(|tariff| &tariff.versions).any(TariffVersion::prices_inbound_calls)
    }

    /// Whether any tariff prices calls inside a site.
    #[must_use]
    pub fn prices_internal_calls(&self) -> bool {
        self.tariffs.iter().flat_map(|tariff| &tariff.versions).any(TariffVersion::prices_internal_calls)
    }
}

/// The same names in their own order, and the new id of each old one.
fn sorted(names: &Interner) -> (Interner, Vec<u32>) {
    let mut order: Vec<(&str, u32)> = names.iter().zip(0..).collect();
    order.sort_unstable();
    let mut sorted = Interner::default();
    let mut ids = vec![0; order.len()];
    for (name, old) in order {
        let new = sorted.intern(name);
        if let Some(id) = ids.get_mut(old as usize) {
            *id = new;
        }
    }
    (sorted, ids)
}

/// Versions of one tariff follow each other: one without `until` ends where the next begins; others must not overlap, and
/// a gap between two is worth a warning.
fn check_versions(versions: &mut [(Draft, TariffVersion)], findings: &mut Findings) {
    for (draft, version) in versions.iter() {
        let crossed = version.bounds().iter().any(|interval| interval.is_empty());
        if let Some((_, label)) = draft.until.as_ref().filter(|_| crossed) {
            findings.push(empty_interval(label.clone()));
        }
    }
    for index in 1..versions.len() {
        let (before, after) = versions.split_at_mut(index);
        let (Some((earlier, ended)), Some((later, begun))) = (before.last_mut(), after.first()) else { continue };
        if earlier.id != later.id {
            continue;
        }
        let (mut overlap, mut gap) = (false, false);
        for slot in 0..begun.bounds().len() {
            let (end, begin) = (ended.bounds()[slot], begun.bounds()[slot].from);
            let open = earlier.until.is_none();
            overlap |= end.from >= begin || (!open && end.until > begin);
            gap |= !open && end.until < begin;
            if open {
                ended.end_at(slot, begin);
            }
        }
        let place = later.from.1.clone();
        let other = earlier.until.as_ref().map_or(&earlier.from.1, |(_, label)| label).clone();
        let id = &later.id;
        if overlap {
            findings.push(
                Finding::error(
                    "tariff.versions_overlap",
                    format!("two versions of tariff `{id}` are in force at once"),
                )
                .at(place)
                .at(other)
                .help(
                    "let the earlier one end (`until`) where the later one begins (`from`), or leave its `until` out",
                ),
            );
        } else if gap {
            findings.push(
                Finding::warning(
                    "tariff.versions_gap",
                    format!("tariff `{id}` is not in force before this version begins"),
                )
                .at(place)
                .at(other)
                .help("calls in between are suspended; leave `until` of the earlier version out to let it run on"),
            );
        }
    }
}
