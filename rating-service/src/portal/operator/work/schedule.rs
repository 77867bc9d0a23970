//! When a site is open: its weekly hours, and what closes it besides.

use askama::Template;
use axum::http::Method;
use axum::response::Response;
use serde_json::json;

use super::head::pointed;
use super::week::{DAYS, Week};
use crate::error::{Fault, Problem, Result};
use crate::http::extract::Named;
use crate::portal::api::part;
use crate::portal::form::{Fields, Form};
use crate::portal::operator::head::SiteHead;
use crate::portal::page::{Frame, Page, done, show, show_refused};
use crate::portal::words;
use crate::wire::Page as Listed;
use crate::wire::handling::{BusinessHours, ScheduleEvent};
use crate::wire::operator::Known;

/// The days as the form's fields begin.
const DAYNAMES: [&str; 7] = ["/monday", "/tuesday", "/wednesday", "/thursday", "/friday", "/saturday", "/sunday"];
/// Spans of a day that the form has room for.
const SPANS: usize = 2;

#[derive(Template)]
#[template(path = "operator/work/schedule.html")]
struct Schedule {
    frame: Frame,
    head: SiteHead,
    week: Week,
    events: Vec<ScheduleEvent>,
    hours: Form,
    event: Form,
    holidays: Form,
    known: Known,
}

impl Schedule {
    /// What a span's field is called.
    fn name(day: &str, span: impl std::fmt::Display, end: &str) -> String {
        format!("/{day}/{span}/{end}")
    }

    /// What is wrong with a day.
    fn fault(&self, day: &str) -> String {
        self.hours.fault(&format!("/{day}"))
    }

    /// The end of an event as people say it: of whole days, the last one.
    fn until(&self, event: &ScheduleEvent) -> String {
        match rating_core::time::Date::parse(&event.until) {
            Some(date) => words::when(&date.yesterday().to_string()),
            None => words::when(&event.until),
        }
    }
}

/// The forms of the page, those that were refused as they were sent.
#[derive(Default)]
struct Forms {
    hours: Option<Form>,
    event: Form,
    holidays: Form,
}

/// The form of the weekly hours.
fn hours_form(hours: &BusinessHours, tag: String) -> Form {
    let mut form = Form::default().with("tag", tag);
    for (day, _) in DAYS {
        let spans = hours.weekly.iter().filter(|span| span.day == day).take(SPANS);
        for (index, span) in spans.enumerate() {
            form = form.with(&Schedule::name(day, index, "from"), span.from.clone());
            form = form.with(&Schedule::name(day, index, "until"), span.until.clone());
        }
    }
    form
}

async fn page_of(page: &Page, site: &str, forms: Forms) -> Result<Schedule> {
    let head = SiteHead::of(page, site, "/schedule").await?;
    let base = format!("/api/v1/sites/{}", part(site));
    let answer = page.tagged(&format!("{base}/business-hours")).await?;
    let tag = answer.tag();
    let hours: BusinessHours = answer.read()?;
    let events: Listed<ScheduleEvent> = page.get(&format!("{base}/schedule")).await?;
    Ok(Schedule {
        frame: page.frame(),
        week: Week::of(&hours),
        hours: forms.hours.unwrap_or_else(|| hours_form(&hours, tag)),
        head,
        events: events.items,
        event: forms.event,
        holidays: forms.holidays,
        known: page.get("/api/v1/known").await?,
    })
}

fn here(site: &str) -> String {
    format!("/sites/{}/schedule", part(site))
}

/// Shows when a site is open.
pub(super) async fn schedule(page: Page, Named(site): Named<String>) -> Result<Response> {
    show(&page_of(&page, &site, Forms::default()).await?)
}

/// Changes the weekly hours.
pub(super) async fn set_hours(page: Page, Named(site): Named<String>, fields: Fields) -> Result<Response> {
    let mut weekly = Vec::new();
    // Where each span that is sent stands in the form.
    let mut places = Vec::new();
    for (day, _) in DAYS {
        for span in 0..SPANS {
            let [from, until] = ["from", "until"].map(|end| fields.text(&Schedule::name(day, span, end)));
            if !from.is_empty() || !until.is_empty() {
                weekly.push(json!({ "day": day, "from": from, "until": until }));
                places.push(format!("/{day}/{span}"));
            }
        }
    }
    let address = format!("/api/v1/sites/{}/business-hours", part(&site));
    match page.send(Method::PUT, &address, Some(&json!({ "weekly": weekly })), Some(fields.text("tag"))).await {
        Ok(_) => done(&here(&site), "saved"),
        Err(problem) => {
            let status = problem.status();
            let hours = Some(Form::refused(&fields, at_days(&pointed(&problem), &places)));
            show_refused(&page_of(&page, &site, Forms { hours, ..Forms::default() }).await?, status)
        }
    }
}

/// A refusal whose faults stand at days instead of places of the list that was sent.
fn at_days(problem: &Problem, places: &[String]) -> Problem {
    let moved = problem.faults().iter().map(|fault| {
        let index = fault.field.strip_prefix("/weekly/").and_then(|rest| rest.split('/').next());
        let place = index.and_then(|index| index.parse::<usize>().ok()).and_then(|index| places.get(index));
        Fault { field: place.cloned().unwrap_or_else(|| fault.field.clone()), ..fault.clone() }
    });
    let moved = moved.collect();
    problem.clone().errors(moved)
}

/// Adds something that closes the site for a while.
pub(super) async fn add_event(page: Page, Named(site): Named<String>, fields: Fields) -> Result<Response> {
    // Of whole days the form names the last one; the interface, the day after it.
    let time = |name: &str| Some(fields.text(name)).filter(|time| !time.is_empty());
    let (from, until) = (fields.text("/from"), fields.text("/until"));
    let until = if until.is_empty() { from } else { until };
    let body = match (time("from-time"), time("until-time")) {
        (None, None) => {
            let after = rating_core::time::Date::parse(until).map(|date| date.tomorrow().to_string());
            json!({ "name": fields.text("/name"), "from": from, "until": after.unwrap_or_else(|| until.to_owned()) })
        }
        (begins, ends) => json!({
            "name": fields.text("/name"),
            "from": format!("{from}T{}", begins.unwrap_or("00:00")),
            "until": format!("{until}T{}", ends.unwrap_or("23:59")),
        }),
    };
    let address = format!("/api/v1/sites/{}/schedule", part(&site));
    match page.send(Method::POST, &address, Some(&body), None).await {
        Ok(_) => done(&here(&site), "saved"),
        Err(problem) => {
            let status = problem.status();
            let event = Form::refused(&fields, pointed(&problem));
            show_refused(&page_of(&page, &site, Forms { event, ..Forms::default() }).await?, status)
        }
    }
}

/// Adds the bank holidays of a year.
pub(super) async fn add_holidays(page: Page, Named(site): Named<String>, fields: Fields) -> Result<Response> {
    let address = format!("/api/v1/sites/{}/schedule/holidays", part(&site));
    match page.send(Method::POST, &address, Some(&fields.json()), None).await {
        Ok(_) => done(&here(&site), "holidays-added"),
        Err(problem) => {
            let status = problem.status();
            let holidays = Form::refused(&fields, problem);
            show_refused(&page_of(&page, &site, Forms { holidays, ..Forms::default() }).await?, status)
        }
    }
}

/// Takes something off the schedule.
pub(super) async fn remove_event(page: Page, Named((site, event)): Named<(String, String)>) -> Result<Response> {
    let address = format!("/api/v1/sites/{}/schedule/{}", part(&site), part(&event));
    page.send(Method::DELETE, &address, None, None).await?;
    done(&here(&site), "removed")
}
