//! What a call would cost, and why.

use askama::Template;
use axum::extract::Query;
use axum::http::Method;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::assignments::Choices;
use super::head::pointed;
use crate::error::Result;
use crate::portal::form::Form;
use crate::portal::page::{Frame, Page, show, show_refused};
use crate::portal::words;
use crate::wire::tariffs::Quoted;

/// The fields of the form.
const SHOWN: [&str; 7] = ["/site", "/occupier", "/tariff", "/number", "/answered_at", "/duration_s", "/direction"];

/// The call that is asked about: kept in the address, so that it can be passed on.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    #[serde(alias = "/site")]
    site: String,
    #[serde(alias = "/occupier")]
    occupier: String,
    #[serde(alias = "/tariff")]
    tariff: String,
    #[serde(alias = "/number")]
    number: String,
    #[serde(alias = "/answered_at")]
    answered_at: String,
    #[serde(alias = "/duration_s")]
    duration_s: String,
    #[serde(alias = "/direction")]
    direction: String,
}

impl Asked {
    fn pairs(&self) -> [(&'static str, &str); 7] {
        [
            ("site", &self.site),
            ("occupier", &self.occupier),
            ("tariff", &self.tariff),
            ("number", self.number.trim()),
            ("answered_at", &self.answered_at),
            ("duration_s", self.duration_s.trim()),
            ("direction", &self.direction),
        ]
    }

    /// As the interface takes it. What is no number goes as it is, for the interface to say so.
    fn body(&self) -> Value {
        let given = self.pairs().into_iter().filter(|(_, value)| !value.is_empty());
        let body = given.map(|(name, value)| {
            let number = value.parse::<u32>().ok().filter(|_| name == "duration_s");
            (name.to_owned(), number.map_or_else(|| Value::from(value), Value::from))
        });
        Value::Object(body.collect::<Map<_, _>>())
    }

    fn form(&self) -> Form {
        self.pairs().into_iter().fold(Form::default(), |form, (name, value)| form.with(&format!("/{name}"), value))
    }
}

#[derive(Template)]
#[template(path = "operator/work/price.html")]
struct Price {
    frame: Frame,
    form: Form,
    choices: Choices,
    tariffs: Vec<(String, String)>,
    quoted: Option<Quoted>,
}

/// Says what a call would cost.
pub(super) async fn price(page: Page, Query(asked): Query<Asked>) -> Result<Response> {
    let (tariffs, unread) = super::tariffs::in_force(&page).await?;
    let mut named = vec![(String::new(), "the one that the payer is on".to_owned())];
    named.extend(tariffs.into_iter().map(|tariff| (tariff.id.clone(), format!("{} ({})", tariff.name, tariff.id))));
    let mut choices = Choices::of(&page).await?;
    // A call is made at one site, by one payer; or by the first that holds a number there.
    choices.sites.remove(0);
    if let Some(anybody) = choices.payers.first_mut() {
        *anybody = (String::new(), "the first who holds a number there".to_owned());
    }
    let operator = page.session.operator.clone();
    choices.payers.retain(|(_, name)| *name != format!("{operator} (own)"));
    let mut shown = Price { frame: page.frame(), form: asked.form(), choices, tariffs: named, quoted: None };
    if let Some(problem) = unread {
        shown.form = asked.form().wrong(problem);
        return show(&shown);
    }
    if asked.number.is_empty() {
        shown.form = asked.form().with("/duration_s", "180").with("/direction", "outbound");
        return show(&shown);
    }
    match page.send(Method::POST, "/api/v1/quotes", Some(&asked.body()), None).await {
        Ok(answer) => {
            shown.quoted = Some(answer.read()?);
            show(&shown)
        }
        Err(problem) => {
            let status = problem.status();
            shown.form = shown.form.wrong(pointed(&problem));
            show_refused(&shown, status)
        }
    }
}
