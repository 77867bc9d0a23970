//! One number: what it is, what it does with its calls, its secrets, and who held it when.

use askama::Template;
use axum::http::Method;
use axum::response::Response;
use serde_json::json;

use super::commands::{Became, act};
use super::head::{Holders, People, number_at, pointed};
use crate::error::Result;
use crate::http::extract::Named;
use crate::portal::api::part;
use crate::portal::form::{Fields, Form};
use crate::portal::operator::head::SiteHead;
use crate::portal::page::{Frame, Page, done, show, show_refused};
use crate::portal::words;
use crate::wire::handling::ResetPin;
use crate::wire::numbers::{History, Number};

#[derive(Template)]
#[template(path = "operator/work/number.html")]
struct OneNumber {
    frame: Frame,
    head: SiteHead,
    number: Number,
    history: History,
    holders: Holders,
    people: People,
    features: Option<Form>,
    form: Form,
    why_not: Option<String>,
    pin: Option<String>,
    is_admin: bool,
}

impl OneNumber {
    fn here(&self) -> String {
        address(&self.head.site.id, &self.number.number)
    }

    fn is(&self, state: &str) -> bool {
        self.number.state == state
    }

    /// What happened, in words.
    fn event(what: &str) -> String {
        let mut text = what.replace('_', " ");
        if let Some(first) = text.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        text
    }

    /// What else is on record of an event.
    fn more(details: &serde_json::Value) -> String {
        let Some(details) = details.as_object() else { return String::new() };
        let said = details.iter().filter(|(_, value)| !value.is_null());
        let said = said.map(|(name, value)| match value.as_str() {
            Some(text) => format!("{}: {}", name.replace('_', " "), words::when(text)),
            None => format!("{}: {value}", name.replace('_', " ")),
        });
        said.collect::<Vec<_>>().join("; ")
    }
}

fn address(site: &str, number: &str) -> String {
    format!("/sites/{}/numbers/{}", part(site), part(number))
}

/// What is shown besides the number: refusals of a form, a PIN that was just made.
#[derive(Default)]
struct Beside {
    features: Option<Form>,
    form: Form,
    why_not: Option<String>,
    pin: Option<String>,
}

async fn page_of(page: &Page, site: &str, number: &str, beside: Beside) -> Result<OneNumber> {
    let head = SiteHead::of(page, site, "/numbers").await?;
    let found = number_at(page, site, number).await?;
    let base = format!("/api/v1/numbers/{}", part(number));
    let history = page.get(&format!("{base}/history")).await?;
    // What it does with its calls can be seen while it is in use.
    let features = match (beside.features, found.state == "ACTIVE") {
        (Some(form), _) => Some(form),
        (None, true) => {
            let answer = page.tagged(&format!("{base}/features")).await?;
            let tag = answer.tag();
            Some(Form::of(&answer.body).with("tag", tag))
        }
        (None, false) => None,
    };
    Ok(OneNumber {
        frame: page.frame(),
        holders: Holders::at(page, site).await?,
        people: People::of(page).await?,
        head,
        history,
        features,
        form: beside.form.or("/assign/kind", found.assigned.as_ref().map_or("", |to| to.kind.as_str())),
        number: found,
        why_not: beside.why_not,
        pin: beside.pin,
        is_admin: page.is_operator_admin(),
    })
}

/// Shows a number.
pub(super) async fn show_number(page: Page, Named((site, number)): Named<(String, String)>) -> Result<Response> {
    show(&page_of(&page, &site, &number, Beside::default()).await?)
}

/// Does something to a number.
pub(super) async fn change(
    page: Page,
    Named((site, number)): Named<(String, String)>,
    fields: Fields,
) -> Result<Response> {
    number_at(&page, &site, &number).await?;
    let Became { refused, problem, .. } = act(&page, &site, &[&number], &fields).await?;
    if refused.is_empty() && problem.is_none() {
        return done(&address(&site, &number), "numbers-changed");
    }
    let status = problem.as_ref().map_or(409, crate::error::Problem::status);
    let why_not = refused.into_values().next();
    let form = match problem {
        Some(problem) if why_not.is_none() => Form::refused(&fields, problem),
        _ => Form::sent(&fields),
    };
    show_refused(&page_of(&page, &site, &number, Beside { form, why_not, ..Beside::default() }).await?, status)
}

/// Changes what a number does with its calls.
pub(super) async fn features(
    page: Page,
    Named((site, number)): Named<(String, String)>,
    fields: Fields,
) -> Result<Response> {
    number_at(&page, &site, &number).await?;
    let at = format!("/api/v1/numbers/{}/features", part(&number));
    match page.send(Method::PUT, &at, Some(&fields.json()), Some(fields.text("tag"))).await {
        Ok(_) => done(&address(&site, &number), "saved"),
        Err(problem) => {
            let status = problem.status();
            let features = Some(Form::refused(&fields, pointed(&problem)));
            show_refused(&page_of(&page, &site, &number, Beside { features, ..Beside::default() }).await?, status)
        }
    }
}

/// Gives a number another PIN, which is shown once.
pub(super) async fn pin(page: Page, Named((site, number)): Named<(String, String)>) -> Result<Response> {
    number_at(&page, &site, &number).await?;
    let at = format!("/api/v1/numbers/{}/pin-resets", part(&number));
    match page.send(Method::POST, &at, None, None).await {
        Ok(answer) => {
            let ResetPin { pin } = answer.read()?;
            show(&page_of(&page, &site, &number, Beside { pin: Some(pin), ..Beside::default() }).await?)
        }
        Err(problem) => refused(&page, &site, &number, &problem).await,
    }
}

async fn refused(page: &Page, site: &str, number: &str, problem: &crate::error::Problem) -> Result<Response> {
    let why_not =
        problem.mend().map_or_else(|| problem.detail().to_owned(), |help| format!("{}. {help}", problem.detail()));
    let beside = Beside { why_not: Some(why_not), ..Beside::default() };
    show_refused(&page_of(page, site, number, beside).await?, problem.status())
}

/// Sets the code that calls from a number need, or takes it away.
pub(super) async fn code(
    page: Page,
    Named((site, number)): Named<(String, String)>,
    fields: Fields,
) -> Result<Response> {
    number_at(&page, &site, &number).await?;
    let at = format!("/api/v1/numbers/{}/authorization-code", part(&number));
    let sent = match fields.text("do") {
        "remove" => page.send(Method::DELETE, &at, None, None).await,
        _ => page.send(Method::PUT, &at, Some(&json!({ "code": fields.text("code") })), None).await,
    };
    match sent {
        Ok(_) => done(&address(&site, &number), "saved"),
        Err(problem) => refused(&page, &site, &number, &problem).await,
    }
}
