//! Calls one by one.

use askama::Template;
use axum::response::Response;
use serde::Deserialize;

use super::{Ground, asking, clock, decimals, padded, why};
use crate::error::Result;
use crate::portal::api::part;
use crate::portal::operator::head::OccupierHead;
use crate::portal::page::{Frame, Page, show};
use crate::portal::words;
use crate::wire::charges::{Call, Calls, MonthOfCharges};
use crate::wire::months::Reports;

/// Which calls.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Which {
    month: String,
    site: String,
    extension: String,
    destination: String,
    search: String,
    status: String,
    after: String,
}

/// What became of a call, to choose from.
const STATUSES: [(&str, &str); 3] =
    [("charged", "charged"), ("not-chargeable", "not chargeable"), ("suspended", "suspended")];

#[derive(Template)]
#[template(path = "occupier/calls.html")]
struct Listed {
    frame: Frame,
    head: Option<OccupierHead>,
    ground: Ground,
    name: String,
    which: Which,
    months: Vec<(String, String)>,
    places: Vec<(String, String)>,
    extensions: Vec<String>,
    destinations: Vec<String>,
    zones: String,
    is_open: bool,
    provisional: bool,
    rows: Vec<Row>,
    missing: Vec<String>,
    /// The clocks of the sites, where they are several: each row says its own.
    clocks: Vec<(String, String)>,
    first: String,
    next: String,
}

struct Row {
    call: Call,
    site: String,
    address: String,
    decimals: usize,
}

impl Row {
    fn at(&self) -> String {
        instant(&self.call.charged_at)
    }

    fn to(&self) -> String {
        other_end(&self.call)
    }

    /// Who called, if it came from outside.
    fn from(&self) -> &str {
        caller(&self.call)
    }

    fn time(&self) -> String {
        clock(&self.call.duration_s)
    }

    fn billed(&self) -> String {
        self.call.billed_duration_s.as_deref().map(clock).unwrap_or_default()
    }

    fn cost(&self) -> String {
        cost(&self.call, self.decimals)
    }
}

impl Listed {
    fn is_filtered(&self) -> bool {
        let Which { extension, destination, search, status, .. } = &self.which;
        [extension, destination, search, status].into_iter().any(|filter| !filter.is_empty())
    }

    /// The clock of a row, if there are several.
    fn clock_of(&self, row: &Row) -> &str {
        self.clocks.iter().find(|(site, _)| *site == row.call.site).map_or("", |(_, zone)| zone)
    }

    fn charges(&self) -> String {
        asking(&self.ground.charges(), &[("month", &self.which.month), ("site", &self.which.site)])
    }
}

/// An instant with its seconds, on its own wall clock: `1 October 2026, 09:15:09`.
pub(super) fn instant(text: &str) -> String {
    let seconds = text.get(16..19).unwrap_or_default();
    format!("{}{seconds}", words::when(text))
}

/// Who was called.
pub(super) fn other_end(call: &Call) -> String {
    call.called.as_ref().or(call.dialled.as_ref()).cloned().unwrap_or_default()
}

/// Who called, if it came from outside.
pub(super) fn caller(call: &Call) -> &str {
    let is_inbound = call.direction.as_deref() == Some("inbound");
    call.calling.as_deref().filter(|_| is_inbound).unwrap_or_default()
}

/// What a call costs, or why it costs nothing.
pub(super) fn cost(call: &Call, decimals: usize) -> String {
    match (&call.cost, &call.currency) {
        (Some(cost), Some(currency)) => words::money(&padded(cost, decimals), currency),
        _ => call.status.clone(),
    }
}

/// A page of calls.
pub(super) async fn list(page: &Page, ground: Ground, mut which: Which) -> Result<Response> {
    if which.month.is_empty() {
        let reports: Reports = page.get(&asking(&ground.api("reports"), &[("site", &which.site)])).await?;
        which.month = reports.month;
    }
    let month = part(&which.month);
    let charges = asking(&ground.api(&format!("charges/{month}")), &[("site", &which.site)]);
    let charges: MonthOfCharges = page.get(&charges).await?;
    let is_open = charges.level.itemised;
    let is_there = charges.sites.iter().any(|site| site.state.available);
    let asked = [
        ("site", which.site.as_str()),
        ("extension", &which.extension),
        ("destination", &which.destination),
        ("search", &which.search),
        ("status", &which.status),
    ];
    let calls: Option<Calls> = if is_open && is_there {
        let asked: Vec<_> = asked.into_iter().chain([("after", which.after.as_str())]).collect();
        Some(page.get(&asking(&ground.api(&format!("calls/{month}")), &asked)).await?)
    } else {
        None
    };
    let frame = page.frame();
    let (places, months) = super::month::choices(page, &ground, &which.month).await?;
    let site_name =
        |id: &str| places.iter().find(|(known, _)| known == id).map_or_else(|| id.to_owned(), |(_, name)| name.clone());
    let states = charges.sites.iter().map(|site| &site.state);
    let missing = states.clone().filter(|state| !state.available);
    let missing = missing.map(|state| why(state, &which.month, &frame.operator)).collect();
    let mut zones: Vec<&str> = states.clone().map(|state| state.zone.as_str()).collect();
    zones.sort_unstable();
    zones.dedup();
    let clocks = states.filter(|_| zones.len() > 1).map(|state| (state.site.clone(), state.zone.clone())).collect();
    let own = [("month", which.month.as_str())];
    let address = |more: &[(&str, &str)]| {
        let asked: Vec<_> = own.into_iter().chain(asked).chain(more.iter().copied()).collect();
        asking(&ground.calls(), &asked)
    };
    let next = calls.as_ref().and_then(|calls| calls.next.clone());
    let named = |names: Vec<&String>, chosen: &str| {
        let mut names: Vec<String> = names.into_iter().cloned().collect();
        names.extend(Some(chosen.to_owned()).filter(|chosen| !chosen.is_empty()));
        names.sort();
        names.dedup();
        names
    };
    let extensions = charges.sites.iter().flat_map(|site| site.extensions.iter().flatten());
    let destinations = charges.sites.iter().flat_map(|site| site.destinations.iter().flatten());
    let costs = calls.iter().flat_map(|calls| &calls.items).filter_map(|call| call.cost.as_ref());
    let decimals = decimals(costs);
    show(&Listed {
        head: ground.head(page).await?,
        extensions: named(extensions.filter_map(|row| row.extension.as_ref()).collect(), &which.extension),
        destinations: named(destinations.map(|row| &row.destination).collect(), &which.destination),
        zones: zones.join(", "),
        provisional: calls.as_ref().is_some_and(|calls| calls.provisional),
        rows: calls
            .into_iter()
            .flat_map(|calls| calls.items)
            .map(|call| Row {
                site: site_name(&call.site),
                address: ground.call(&which.month, &call.id),
                call,
                decimals,
            })
            .collect(),
        first: if which.after.is_empty() { String::new() } else { address(&[]) },
        next: next.map(|next| address(&[("after", &next)])).unwrap_or_default(),
        months,
        name: charges.name,
        places,
        frame,
        ground,
        which,
        is_open,
        missing,
        clocks,
    })
}
