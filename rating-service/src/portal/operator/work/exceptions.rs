//! What of a month was not rated, as a list of work; and what lies between two of its versions.

use askama::Template;
use axum::extract::Query;
use axum::response::Response;
use serde::Deserialize;

use crate::error::Result;
use crate::http::extract::Named;
use crate::portal::api::{asking, part};
use crate::portal::operator::head::{choices, site_name, sites};
use crate::portal::page::{Frame, Page, show};
use crate::portal::words;
use crate::wire::months::{Month, Run};
use crate::wire::sites::Site;
use crate::wire::work::{Comparison, ExceptionGroup, Exceptions, Instance, Line};

/// Of which site, and which run.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    site: String,
    run: String,
}

#[derive(Template)]
#[template(path = "operator/work/exceptions.html")]
struct Work {
    frame: Frame,
    month: String,
    exceptions: Exceptions,
    sites: Vec<Site>,
    asked: Asked,
    is_admin: bool,
}

impl Work {
    /// The rows of the list: the same reason and key on both sides is one matter.
    fn of(&self, needs_action: bool) -> Vec<Vec<&ExceptionGroup>> {
        let mut rows: Vec<Vec<&ExceptionGroup>> = Vec::new();
        for group in self.exceptions.groups.iter().filter(|group| group.needs_action == needs_action) {
            let is_same = |row: &&mut Vec<&ExceptionGroup>| {
                row.iter().all(|one| matter(one) == matter(group) && one.side != group.side)
            };
            match rows.iter_mut().find(is_same) {
                Some(row) => row.push(group),
                None => rows.push(vec![group]),
            }
        }
        rows
    }

    /// The page of a call of the run that is shown.
    fn call(&self, instance: &Instance) -> String {
        let address = format!("/months/{}/calls/{}", part(&self.month), part(&instance.call));
        asking(&address, &[("run", &self.exceptions.run)])
    }

    fn choices(&self) -> Vec<(String, String)> {
        choices(&self.sites)
    }

    fn site<'s>(&'s self, group: &'s ExceptionGroup) -> &'s str {
        site_name(&self.sites, group.site.as_deref().unwrap_or_default())
    }

    fn standing(&self) -> &'static str {
        match self.exceptions.standing.as_str() {
            "in_force" => "the version in force",
            "checked" => "the draft that waits",
            "superseded" => "a version that was superseded",
            _ => "a preview",
        }
    }
}

/// What a group is about, whichever side it is of.
fn matter(group: &ExceptionGroup) -> impl PartialEq {
    (&group.kind, &group.reason, &group.key_kind, &group.key, &group.site, &group.source)
}

/// What a key is, in words.
pub(super) fn key(kind: &str) -> &str {
    match kind {
        "dialled" => "dialled number",
        "prefix" => "called numbers beginning with",
        other => other,
    }
}

/// The page where a group is mended: the interface names its own route, which is one of a few.
pub(super) fn mended_at(group: &ExceptionGroup, is_admin: bool) -> Option<(String, &'static str)> {
    let route = group.route.as_deref()?;
    let (_, address) = route.split_once(' ')?;
    let parts: Vec<&str> = address.trim_start_matches("/api/v1/").split('/').collect();
    let source = group.source.as_deref().unwrap_or_default();
    let of_source = if source.is_empty() { "/sources".to_owned() } else { format!("/sources/{}", part(source)) };
    match parts.as_slice() {
        ["sites", site, "numbers", "commands"] => {
            let address = format!("/sites/{}/numbers?search={}", part(site), part(group.key.trim_start_matches('+')));
            Some((address, "Allocate the number"))
        }
        ["sites", site, "numbers"] if is_admin => Some((format!("/sites/{}/ranges", part(site)), "Add the number")),
        ["sites", site] => Some((format!("/sites/{}/settings", part(site)), "Change the site's dial plan")),
        ["numbers", number] => {
            let site = group.site.as_deref().unwrap_or_default();
            Some((format!("/sites/{}/numbers/{}", part(site), part(number)), "Look at the number"))
        }
        ["assignments"] if is_admin => Some(("/tariffs#assignments".to_owned(), "Assign a tariff")),
        ["files", ..] if is_admin => Some(("/tariffs".to_owned(), "Mend the tariff")),
        ["sources", .., "files", _] => Some((of_source, "Upload what is missing")),
        ["sources", ..] if is_admin => Some((of_source, "Change the source's settings")),
        ["months", month, "reopen"] if is_admin => Some((format!("/months/{}", part(month)), "Open the month again")),
        _ => None,
    }
}

/// Shows what of a month was not rated.
pub(super) async fn exceptions(
    page: Page,
    Named(month): Named<String>,
    Query(asked): Query<Asked>,
) -> Result<Response> {
    let given = [("site", asked.site.as_str()), ("run", &asked.run)];
    let exceptions = page.get(&asking(&format!("/api/v1/months/{}/exceptions", part(&month)), &given)).await?;
    let sites = sites(&page).await?;
    show(&Work { frame: page.frame(), month, exceptions, sites, asked, is_admin: page.is_operator_admin() })
}

/// Which versions.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Between {
    before: String,
    after: String,
}

#[derive(Template)]
#[template(path = "operator/work/comparison.html")]
struct Compared {
    frame: Frame,
    month: String,
    runs: Vec<Run>,
    compared: Comparison,
}

impl Compared {
    /// Tables of what is not the same: what they are called, and their lines.
    fn tables(&self) -> Vec<(&'static str, &[Line])> {
        let compared = &self.compared;
        let all: [(&str, &[Line]); 6] = [
            ("By cause", &compared.causes),
            ("By site", &compared.sites),
            ("By payer", &compared.payers),
            ("By destination", &compared.destinations),
            ("By day", &compared.days),
            ("Suspended in one alone", &compared.suspended),
        ];
        all.into_iter().filter(|(_, lines)| !lines.is_empty()).collect()
    }
}

/// Compares two versions of a month.
pub(super) async fn comparison(
    page: Page,
    Named(month): Named<String>,
    Query(between): Query<Between>,
) -> Result<Response> {
    let given = [("before", between.before.as_str()), ("after", &between.after)];
    let compared = page.get(&asking(&format!("/api/v1/months/{}/comparison", part(&month)), &given)).await?;
    let found: Month = page.get(&format!("/api/v1/months/{}", part(&month))).await?;
    let runs = found.runs.into_iter().filter(|run| run.state != "provisional").collect();
    show(&Compared { frame: page.frame(), month, runs, compared })
}
