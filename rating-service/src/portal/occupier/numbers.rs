//! An occupier's numbers: which there are, whom they are given to, and what they do with their calls.

use askama::Template;
use axum::extract::Query;
use axum::http::{HeaderValue, Method, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::auth::Role;
use crate::error::{Problem, Result};
use crate::http::extract::Named;
use crate::portal::api::{asking, part};
use crate::portal::charges;
use crate::portal::form::{Fields, Form};
use crate::portal::page::{Frame, Page, done, show, show_refused};
use crate::portal::words;
use crate::wire::Page as Listed;
use crate::wire::handling::{CallTarget, Handled, ResetPin};
use crate::wire::numbers::Number;
use crate::wire::users::Named as NamedUser;

/// Which numbers.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Which {
    site: String,
    state: String,
    search: String,
    after: String,
}

/// States of numbers that are held, with what they mean.
const STATES: [(&str, &str); 3] = [("ACTIVE", "active"), ("RESERVED", "reserved"), ("PENDING", "change under way")];

#[derive(Template)]
#[template(path = "occupier/numbers.html")]
struct Numbers {
    frame: Frame,
    which: Which,
    places: Vec<(String, String)>,
    rows: Vec<Row>,
    next: String,
    csv: String,
    is_viewer: bool,
}

/// A number as it is shown.
struct Row {
    number: Number,
    site: String,
    address: String,
    given_to: String,
}

impl Row {
    /// The look of its state's badge, and the word in it.
    fn state(&self) -> (&'static str, &'static str) {
        words::number_state(&self.number.state)
    }

    fn is_active(&self) -> bool {
        self.number.state == "ACTIVE"
    }
}

#[derive(Template)]
#[template(path = "occupier/number.html")]
struct One {
    frame: Frame,
    row: Row,
    may_edit: bool,
    people: Vec<(String, String)>,
    label: Form,
    assignee: Form,
    features: Option<Form>,
    handled: Option<Handled>,
    pin: Option<String>,
}

/// Whom or what a number is given to.
const KINDS: [(&str, &str); 5] = [
    ("", "nobody"),
    ("user", "a person"),
    ("place", "a place, such as a meeting room"),
    ("device", "a device"),
    ("softphone", "a softphone"),
];

impl One {
    fn address(&self, what: &str) -> String {
        format!("{}/{what}", self.row.address)
    }
}

/// Where a call goes, in words.
fn target(target: &CallTarget) -> String {
    match target {
        CallTarget::HuntGroup => "the hunt group".to_owned(),
        CallTarget::Reception => "reception".to_owned(),
        CallTarget::Voicemail => "voicemail".to_owned(),
        CallTarget::Forward(number) => number.clone(),
    }
}

fn api(page: &Page, rest: &str) -> Result<String> {
    let own = page.who.occupier().ok_or_else(|| Problem::internal("an occupier's page without an occupier"))?;
    Ok(format!("/api/v1/occupiers/{}/{rest}", part(own)))
}

/// The people that numbers can be given to, as far as who looks may know them: oneself always.
async fn people(page: &Page) -> Result<Vec<(String, String)>> {
    let all: Option<Listed<NamedUser>> = page.find(&asking(&api(page, "people")?, &[("limit", "500")])).await?;
    let me = &page.session.user;
    Ok(match all {
        Some(all) => all.items.into_iter().map(|user| (user.id, user.name)).collect(),
        None => vec![(me.id.clone(), me.name.clone().unwrap_or_default())],
    })
}

fn row(number: Number, places: &[(String, String)], people: &[(String, String)]) -> Row {
    let named =
        |list: &[(String, String)], id: &str| list.iter().find(|(known, _)| known == id).map(|(_, name)| name.clone());
    let given_to = number.assigned.as_ref().map(|to| match to.kind.as_str() {
        "user" => named(people, &to.id).unwrap_or_else(|| "somebody else".to_owned()),
        kind => format!("{kind} {}", to.id),
    });
    Row {
        site: named(places, &number.site).unwrap_or_else(|| number.site.clone()),
        address: format!("/numbers/{}", part(&number.number)),
        given_to: given_to.unwrap_or_default(),
        number,
    }
}

/// The numbers of who looks.
pub(super) async fn list(page: Page, Query(which): Query<Which>) -> Result<Response> {
    let asked = [("site", which.site.as_str()), ("state", &which.state), ("search", &which.search)];
    let paged: Vec<_> = asked.into_iter().chain([("after", which.after.as_str())]).collect();
    let found: Listed<Number> = page.get(&asking(&api(&page, "numbers")?, &paged)).await?;
    let (places, people) = (charges::sites(&page).await?, people(&page).await?);
    let next = found.next.map(|next| {
        let asked: Vec<_> = asked.into_iter().chain([("after", next.as_str())]).collect();
        asking("/numbers", &asked)
    });
    show(&Numbers {
        frame: page.frame(),
        csv: asking(&api(&page, "numbers.csv")?, &asked),
        rows: found.items.into_iter().map(|number| row(number, &places, &people)).collect(),
        next: next.unwrap_or_default(),
        is_viewer: page.role() == Some(Role::OccupierView),
        places,
        which,
    })
}

/// A number's page, as it is.
async fn one(page: &Page, number: &str) -> Result<One> {
    let address = format!("/api/v1/numbers/{}", part(number));
    let number: Number = page.get(&address).await?;
    let (places, people) = (charges::sites(page).await?, people(page).await?);
    let may_edit = page.role() != Some(Role::OccupierView);
    let row = row(number, &places, &people);
    let features = if row.is_active() {
        let found = page.tagged(&format!("{address}/features")).await?;
        let tag = found.tag();
        Some(Form::of(&found.body).with("tag", tag))
    } else {
        None
    };
    let is_main = row.is_active() && row.number.kind == "main" && may_edit;
    let handled = if is_main { page.find(&format!("{address}/handling/at")).await? } else { None };
    let assigned = row.number.assigned.as_ref();
    let (kind, id) = assigned.map_or(("", ""), |to| (to.kind.as_str(), to.id.as_str()));
    let assignee = Form::default().with("kind", kind).with(if kind == "user" { "user" } else { "id" }, id);
    Ok(One {
        frame: page.frame(),
        label: Form::default().with("label", row.number.label.clone().unwrap_or_default()),
        assignee,
        features,
        handled,
        may_edit,
        people: Some((String::new(), "nobody chosen".to_owned())).into_iter().chain(people).collect(),
        pin: None,
        row,
    })
}

/// A number.
pub(super) async fn show_one(page: Page, Named(number): Named<String>) -> Result<Response> {
    show(&one(&page, &number).await?)
}

/// Sends a command about a number; where it leads, or what was refused.
async fn command(page: &Page, number: &str, command: Value) -> Result<std::result::Result<Response, Problem>> {
    let body = json!({ "number": number, "command": command });
    let sent = page.send(Method::POST, &api(page, "numbers/commands")?, Some(&body), None).await;
    Ok(match sent {
        Ok(_) => Ok(done(&format!("/numbers/{}", part(number)), "saved")?),
        Err(problem) => Err(problem),
    })
}

/// Calls a number something.
pub(super) async fn label(page: Page, Named(number): Named<String>, fields: Fields) -> Result<Response> {
    let label = Some(fields.text("label")).filter(|label| !label.is_empty());
    match command(&page, &number, json!({ "label": { "label": label } })).await? {
        Ok(response) => Ok(response),
        Err(problem) => {
            let status = problem.status();
            let label = Form::refused(&fields, problem);
            show_refused(&One { label, ..one(&page, &number).await? }, status)
        }
    }
}

/// Gives a number to somebody or something.
pub(super) async fn assign(page: Page, Named(number): Named<String>, fields: Fields) -> Result<Response> {
    let kind = fields.text("kind");
    let id = if kind == "user" { fields.text("user") } else { fields.text("id") };
    let asked = match kind {
        "" => json!({ "unassign": {} }),
        kind => json!({ "assign": { "kind": kind, "id": id } }),
    };
    match command(&page, &number, asked).await? {
        Ok(response) => Ok(response),
        Err(problem) => {
            let status = problem.status();
            let assignee = Form::refused(&fields, problem);
            show_refused(&One { assignee, ..one(&page, &number).await? }, status)
        }
    }
}

/// Changes what a number does with its calls.
pub(super) async fn settle(page: Page, Named(number): Named<String>, fields: Fields) -> Result<Response> {
    let address = format!("/api/v1/numbers/{}/features", part(&number));
    match page.send(Method::PUT, &address, Some(&fields.json()), Some(fields.text("tag"))).await {
        Ok(_) => done(&format!("/numbers/{}", part(&number)), "saved"),
        Err(problem) => {
            let status = problem.status();
            let features = Some(Form::refused(&fields, problem));
            show_refused(&One { features, ..one(&page, &number).await? }, status)
        }
    }
}

/// Gives a number another PIN, which the page shows once.
pub(super) async fn reset_pin(page: Page, Named(number): Named<String>) -> Result<Response> {
    let address = format!("/api/v1/numbers/{}/pin-resets", part(&number));
    let reset: ResetPin = page.send(Method::POST, &address, None, None).await?.read()?;
    let shown = One { pin: Some(reset.pin), ..one(&page, &number).await? };
    let mut response = show(&shown)?.into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}
