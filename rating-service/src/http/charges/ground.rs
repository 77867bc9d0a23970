//! Which version of a month an occupier's charges are read from at each site, or why there is none.

use std::collections::BTreeMap;

use rating_core::report::Report;
use rating_core::report::availability::{
    Asked as Question, Availability, Missing, Reader, Reason, availability, current_month,
};
use rating_core::time::{Interval, Month, Zone};

use crate::app::App;
use crate::auth::{Principal, unknown_occupier};
use crate::error::{Problem, Result};
use crate::http::months::problem;
use crate::http::reports::audience;
use crate::http::sites::places;
use crate::publish::Refusal;
use crate::publish::download::{Audience, CalledNumbers, Visibility};
use crate::publish::published::Version;
use crate::store::occupiers::{self, Occupier};
use crate::store::services;
use crate::store::sites::Site;
use crate::wire::charges as wire;

/// An occupier, as somebody may see its charges.
pub(super) struct Ground {
    pub(super) occupier: Occupier,
    pub(super) audience: Audience,
    pub(super) visibility: Visibility,
    /// The sites where it ever had a contract and that the caller may see, in the order of their ids.
    pub(super) places: Vec<Place>,
}

/// A site of an occupier.
pub(super) struct Place {
    pub(super) site: Site,
    pub(super) zone: Zone,
    /// When it had voice services.
    voice: Vec<Interval>,
}

/// The version that charges are read from, or why there is none.
pub(super) enum There {
    Version(Version),
    Missing(Missing),
}

/// The versions of a month that count.
pub(super) struct Books {
    pub(super) month: Month,
    in_force: Option<Version>,
    /// The month to date.
    preview: Option<Version>,
}

/// What somebody may see of an occupier, at one site or all.
pub(super) async fn ground(app: &App, principal: &Principal, id: &str, site: Option<&str>) -> Result<Ground> {
    let audience = audience(app, principal, id).await?;
    let visibility = match &audience {
        Audience::Occupier { visibility, .. } => *visibility,
        Audience::Operator { .. } => Visibility::NONE,
    };
    let mut reader = app.store.read().await?;
    let occupier = occupiers::get(reader.on(), id).await?.ok_or_else(|| unknown_occupier(id))?;
    let all = places(reader.on(), principal, site).await?;
    let filter = services::Filter { occupier: Some(id.to_owned()), ..services::Filter::default() };
    let mut voice: BTreeMap<String, Vec<Interval>> = BTreeMap::new();
    for service in services::list(reader.on(), &filter).await?.into_iter().filter(|service| service.lines > 0) {
        let time = service.time();
        voice.entry(service.site).or_default().push(time);
    }
    let mut places: Vec<Place> = all
        .into_iter()
        .filter(|(found, _)| occupier.contracts.iter().any(|(at, _)| *at == found.id))
        .map(|(site, zone)| {
            let voice = voice.remove(&site.id).unwrap_or_default();
            Place { site, zone, voice }
        })
        .collect();
    places.sort_by(|a, b| a.site.id.cmp(&b.site.id));
    Ok(Ground { occupier, audience, visibility, places })
}

impl Ground {
    /// The versions of months, looked up where it may block.
    pub(super) async fn books(&self, app: &App, months: Vec<Month>) -> Result<Vec<Books>> {
        let now = app.clock.now();
        let shows_previews = self.visibility.usage_to_date;
        let clocks: Vec<Zone> = self.places.iter().map(|place| place.zone.clone()).collect();
        let owner = app.clone();
        let found = tokio::task::spawn_blocking(move || {
            let of = |month: Month| {
                let runs_still = clocks.iter().any(|zone| current_month(now, zone) <= month);
                let preview = if runs_still && shows_previews { owner.shelf.preview(month)? } else { None };
                Ok(Books { month, in_force: owner.shelf.in_force(month)?, preview })
            };
            months.into_iter().map(of).collect::<std::result::Result<Vec<_>, Refusal>>()
        });
        found.await.map_err(Problem::internal)?.map_err(problem)
    }

    /// The versions of one month.
    pub(super) async fn book(&self, app: &App, month: Month) -> Result<Books> {
        let mut books = self.books(app, vec![month]).await?;
        books.pop().ok_or_else(|| Problem::internal("no month was looked up"))
    }

    /// Where the charges of a month at a site are, or why they are nowhere: for the same reasons as reports.
    pub(super) fn find(&self, app: &App, place: &Place, books: &Books) -> Result<There> {
        let (from, until) = books.month.bounds(&place.zone);
        let period = Interval { from, until };
        let version = books.in_force.as_ref();
        let question = Question {
            report: Report::Itemised,
            reader: Reader::Occupier { telephony_managed: self.occupier.telephony_managed },
            month: books.month,
            now: app.clock.now(),
            zone: &place.zone,
            had_voice_service: Some(place.voice.iter().any(|time| time.overlaps(period))),
            is_published: version.is_some(),
            has_data: version.is_some_and(|version| version.has_data(&place.site.id, &self.occupier.id)),
        };
        let answer = availability(&question).map_err(|future| {
            Problem::new("report.month_in_future", future.to_string()).help("choose a month that has begun")
        })?;
        Ok(match (answer, version, &books.preview) {
            (Availability::Missing(missing), _, Some(preview)) if missing.reason == Reason::MonthNotComplete => {
                There::Version(preview.clone())
            }
            (Availability::Missing(missing), ..) => There::Missing(missing),
            (_, Some(version), _) => There::Version(version.clone()),
            (_, None, _) => return Err(Problem::internal("a report is there of a month that is not")),
        })
    }

    /// What the caller is shown.
    pub(super) const fn level(&self) -> wire::Level {
        let Visibility { summary, itemised, called_numbers, usage_to_date, allowance_left } = self.visibility;
        let called_in_full = matches!(called_numbers, CalledNumbers::Full);
        wire::Level { summary, itemised, called_in_full, usage_to_date, allowance_left }
    }
}

impl Place {
    /// Whether charges are there, on the wire.
    pub(super) fn state(&self, there: &There) -> wire::State {
        let (version, missing) = match there {
            There::Version(version) => (Some(version), None),
            There::Missing(missing) => (None, Some(missing)),
        };
        wire::State {
            site: self.site.id.clone(),
            site_name: self.site.name.clone(),
            zone: self.zone.name().to_owned(),
            available: version.is_some(),
            provisional: version.is_some_and(Version::is_provisional),
            as_of: version.and_then(Version::to_date).map(|date| date.to_string()),
            run: version.map(|version| version.run.clone()),
            reason: missing.map(|missing| missing.reason.code().to_owned()),
            detail: missing.map(|missing| missing.text.clone()),
            not_before: missing.and_then(|missing| missing.not_before).map(|at| self.zone.format(at)),
        }
    }
}
