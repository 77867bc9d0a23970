//! Main numbers: what happens to their calls, and what would happen now or at another time.

use askama::Template;
use axum::extract::Query;
use axum::http::Method;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};

use super::head::{Holders, number_at, pointed};
use super::week::Week;
use crate::error::{Problem, Result};
use crate::http::extract::Named;
use crate::portal::api::part;
use crate::portal::form::{Fields, Form};
use crate::portal::operator::head::SiteHead;
use crate::portal::page::{Frame, Page, done, show, show_refused};
use crate::portal::words;
use crate::wire::Page as Listed;
use crate::wire::handling::{BusinessHours, CallAnswer, CallTarget, Handled, MainNumber, ScheduleEvent};
use crate::wire::numbers::Number;

/// Where calls can go, and what that is called.
const TARGETS: [(&str, &str); 4] = [
    ("hunt_group", "the hunt group"),
    ("reception", "reception"),
    ("voicemail", "voicemail"),
    ("forward", "another number"),
];

/// The same, for the second step.
const THEN: [(&str, &str); 5] = [
    ("", "nowhere: it rings on"),
    ("hunt_group", "the hunt group"),
    ("reception", "reception"),
    ("voicemail", "voicemail"),
    ("forward", "another number"),
];

/// The fields of the form.
const SHOWN: [&str; 6] = [
    "/in_hours",
    "/out_of_hours",
    "/hunt_group",
    "/voicemail_to_email",
    "/greeting_in_hours",
    "/greeting_out_of_hours",
];

#[derive(Template)]
#[template(path = "operator/work/main-numbers.html")]
struct MainNumbers {
    frame: Frame,
    head: SiteHead,
    numbers: Vec<Number>,
    holders: Holders,
}

#[derive(Template)]
#[template(path = "operator/work/main-number.html")]
struct Main {
    frame: Frame,
    head: SiteHead,
    number: Number,
    holder: String,
    form: Form,
    others: Vec<Number>,
    week: Week,
    events: Vec<ScheduleEvent>,
    handled: Option<Handled>,
    at: String,
    at_fault: Option<String>,
}

impl Main {
    fn here(&self) -> String {
        address(&self.head.site.id, &self.number.number)
    }
}

/// At which time.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct At {
    at: String,
}

fn address(site: &str, number: &str) -> String {
    format!("/sites/{}/numbers/{}/main", part(site), part(number))
}

/// Where a call goes, in words.
fn said(target: &CallTarget) -> String {
    match target {
        CallTarget::HuntGroup => "the hunt group rings".to_owned(),
        CallTarget::Reception => "reception is called".to_owned(),
        CallTarget::Voicemail => "voicemail takes it".to_owned(),
        CallTarget::Forward(number) => format!("it is forwarded to {number}"),
    }
}

/// What happens to a call, in words.
pub(super) fn in_words(answer: &CallAnswer) -> String {
    let first = said(&answer.target);
    match &answer.no_answer {
        Some(step) => format!("{first}; if nobody answers within {} seconds, {}", step.after_s, said(&step.then)),
        None => first,
    }
}

/// Lists the main numbers of a site.
pub(super) async fn list(page: Page, Named(site): Named<String>) -> Result<Response> {
    let head = SiteHead::of(&page, &site, "/main-numbers").await?;
    let address = format!("/api/v1/sites/{}/numbers?kind=main&limit=500", part(&site));
    let numbers: Listed<Number> = page.get(&address).await?;
    let holders = Holders::at(&page, &site).await?;
    show(&MainNumbers { frame: page.frame(), head, numbers: numbers.items, holders })
}

async fn page_of(page: &Page, site: &str, number: &str, at: &At, refused: Option<Form>) -> Result<Main> {
    let head = SiteHead::of(page, site, "/main-numbers").await?;
    let found = number_at(page, site, number).await?;
    let base = format!("/api/v1/sites/{}", part(site));
    let own = format!("/api/v1/numbers/{}/handling", part(number));
    // One that is not in use, or is no main number, is refused with its reason.
    let kept = page.tagged(&own).await?;
    let tag = kept.tag();
    let kept: MainNumber = kept.read()?;
    let holder = found.holder.clone().unwrap_or_default();
    let others = format!("{base}/numbers?state=ACTIVE&limit=500&holder={}", part(&holder));
    let others: Listed<Number> = page.get(&others).await?;
    let hours: BusinessHours = page.get(&format!("{base}/business-hours")).await?;
    let events: Listed<ScheduleEvent> = page.get(&format!("{base}/schedule")).await?;
    let asked = if at.at.is_empty() { String::new() } else { format!("?at={}", part(&at.at)) };
    let (handled, at_fault) = match page.get::<Handled>(&format!("{own}/at{asked}")).await {
        Ok(handled) => (Some(handled), None),
        Err(problem) if problem.code() == "request.parameter_malformed" => (None, Some(problem.detail().to_owned())),
        Err(problem) => return Err(problem),
    };
    Ok(Main {
        frame: page.frame(),
        holder: Holders::at(page, site).await?.name(&holder).to_owned(),
        form: refused.unwrap_or_else(|| form_of(&kept, tag)),
        others: others.items.into_iter().filter(|other| other.number != found.number).collect(),
        week: Week::of(&hours),
        events: coming(events.items, handled.as_ref()),
        at: if at.at.is_empty() { handled.as_ref().map_or("", |one| one.at.get(..16).unwrap_or("")) } else { &at.at }
            .to_owned(),
        head,
        number: found,
        handled,
        at_fault,
    })
}

/// The next events from the time asked about.
fn coming(events: Vec<ScheduleEvent>, handled: Option<&Handled>) -> Vec<ScheduleEvent> {
    let at = handled.and_then(|handled| handled.at.get(..10)).unwrap_or_default().to_owned();
    events.into_iter().filter(|event| event.until.as_str() > at.as_str()).take(4).collect()
}

/// Shows what a main number does with its calls.
pub(super) async fn configuration(
    page: Page,
    Named((site, number)): Named<(String, String)>,
    Query(at): Query<At>,
) -> Result<Response> {
    show(&page_of(&page, &site, &number, &at, None).await?)
}

/// Changes what a main number does with its calls.
pub(super) async fn configure(
    page: Page,
    Named((site, number)): Named<(String, String)>,
    fields: Fields,
) -> Result<Response> {
    number_at(&page, &site, &number).await?;
    let at = format!("/api/v1/numbers/{}/handling", part(&number));
    match page.send(Method::PUT, &at, Some(&body_of(&fields)), Some(fields.text("tag"))).await {
        Ok(_) => done(&address(&site, &number), "saved"),
        Err(problem) => {
            let status = problem.status();
            let form = Form::refused(&fields, beside(&pointed(&problem)));
            show_refused(&page_of(&page, &site, &number, &At::default(), Some(form)).await?, status)
        }
    }
}

/// A refusal whose faults of a period stand beside its target, if they name the period as a whole.
fn beside(problem: &Problem) -> Problem {
    let moved = problem.faults().iter().cloned().map(|mut fault| {
        match fault.field.as_str() {
            "/in_hours" | "/out_of_hours" => fault.field.push_str("/target"),
            "/in_hours/no_answer" | "/out_of_hours/no_answer" => fault.field.push_str("/then"),
            _ => {}
        }
        fault
    });
    let moved = moved.collect();
    problem.clone().errors(moved)
}

/// The form of a configuration: a target is a kind, and a number if it is forwarded.
fn form_of(kept: &MainNumber, tag: String) -> Form {
    let mut form = Form::default().with("tag", tag);
    let mut put = |name: String, value: String| form = std::mem::take(&mut form).with(&name, value);
    for (period, answer) in [("/in_hours", &kept.in_hours), ("/out_of_hours", &kept.out_of_hours)] {
        let steps = [("target", Some(&answer.target)), ("no_answer/then", answer.no_answer.as_ref().map(|s| &s.then))];
        for (place, target) in steps {
            let Some(target) = target else { continue };
            let (kind, number) = match target {
                CallTarget::HuntGroup => ("hunt_group", ""),
                CallTarget::Reception => ("reception", ""),
                CallTarget::Voicemail => ("voicemail", ""),
                CallTarget::Forward(number) => ("forward", number.as_str()),
            };
            put(format!("{period}/{place}/kind"), kind.to_owned());
            put(format!("{period}/{place}/number"), number.to_owned());
        }
        let after = answer.no_answer.as_ref().map_or(20, |step| step.after_s);
        put(format!("{period}/no_answer/after_s"), after.to_string());
    }
    let texts = [
        ("/voicemail_to_email", &kept.voicemail_to_email),
        ("/greeting_in_hours", &kept.greeting_in_hours),
        ("/greeting_out_of_hours", &kept.greeting_out_of_hours),
    ];
    for (name, text) in texts {
        put(name.to_owned(), text.clone().unwrap_or_default());
    }
    put("hunt".to_owned(), if kept.hunt_group.is_some() { "only" } else { "all" }.to_owned());
    for number in kept.hunt_group.iter().flatten() {
        form = form.and("/hunt_group", number);
    }
    form
}

/// What the form sent, as the interface takes it.
fn body_of(fields: &Fields) -> Value {
    let mut body = fields.json();
    for period in ["in_hours", "out_of_hours"] {
        let Some(period) = body.get_mut(period) else { continue };
        if let Some(target) = period.get_mut("target") {
            *target = target_of(target);
        }
        let then = period.pointer("/no_answer/then").cloned().unwrap_or(Value::Null);
        if let Some(period) = period.as_object_mut() {
            if then.get("kind").and_then(Value::as_str).unwrap_or_default().is_empty() {
                period.remove("no_answer");
            } else if let Some(step) = period.get_mut("no_answer") {
                step["then"] = target_of(&then);
            }
        }
    }
    if let (Some(body), "all") = (body.as_object_mut(), fields.text("hunt")) {
        body.remove("hunt_group");
    }
    body
}

fn target_of(sent: &Value) -> Value {
    let text = |name: &str| sent.get(name).and_then(Value::as_str).unwrap_or_default();
    match text("kind") {
        "forward" => json!({ "forward": text("number") }),
        kind => Value::from(kind),
    }
}
