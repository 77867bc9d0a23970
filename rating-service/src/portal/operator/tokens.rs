//! Tokens of machines. A secret is shown once, on the page that follows its making.

use askama::Template;
use axum::http::Method;
use axum::response::Response;

use super::{head, users};
use crate::error::Result;
use crate::http::extract::Named;
use crate::portal::api::part;
use crate::portal::form::{Fields, Form};
use crate::portal::page::{Frame, Page, done, show, show_refused};
use crate::portal::words;
use crate::wire::Page as Listed;
use crate::wire::operator::Operator;
use crate::wire::sites::Site;
use crate::wire::users::{MadeToken, Token};

const TOKENS: &str = "/api/v1/tokens";

/// What a token can be good for.
const SCOPES: [(&str, &str); 6] = [
    ("read", "read: occupiers, numbers, reports"),
    ("write", "write: occupiers, contracts, services, sites"),
    ("numbers", "numbers: allocate, activate, configure"),
    ("months", "months: upload, check and rate months"),
    ("sync", "sync: bring occupiers and their contacts"),
    ("metrics", "metrics: counters of the service"),
];

#[derive(Template)]
#[template(path = "operator/tokens.html")]
struct Tokens {
    frame: Frame,
    tokens: Vec<Token>,
    made: Option<MadeToken>,
    sites: Vec<Site>,
    choices: Vec<(String, String)>,
    zone: String,
    form: Form,
}

const NEW: [&str; 4] = ["/name", "/scopes", "/sites", "/expires_at"];

async fn tokens(page: &Page, made: Option<MadeToken>, form: Form) -> Result<Tokens> {
    let listed: Listed<Token> = page.get(TOKENS).await?;
    let operator: Operator = page.get("/api/v1/operator").await?;
    let sites = head::sites(page).await?;
    let choices = head::choices(&sites);
    Ok(Tokens { frame: page.frame(), tokens: listed.items, made, sites, choices, zone: operator.zone, form })
}

impl Tokens {
    fn places(&self, token: &Token) -> String {
        let names = |own: &Vec<String>| {
            own.iter().map(|site| head::site_name(&self.sites, site)).collect::<Vec<_>>().join("; ")
        };
        token.sites.as_ref().map_or_else(|| "every site".to_owned(), names)
    }
}

/// Lists tokens.
pub(super) async fn list(page: Page) -> Result<Response> {
    show(&tokens(&page, None, Form::default()).await?)
}

/// Makes a token, and shows its secret this once.
pub(super) async fn make(page: Page, fields: Fields) -> Result<Response> {
    match page.send(Method::POST, TOKENS, Some(&users::unlimited(fields.json())), None).await {
        Ok(made) => {
            let made: MadeToken = made.read()?;
            show(&tokens(&page, Some(made), Form::default()).await?)
        }
        Err(problem) => {
            let status = problem.status();
            show_refused(&tokens(&page, None, Form::refused(&fields, problem)).await?, status)
        }
    }
}

/// Revokes a token.
pub(super) async fn revoke(page: Page, Named(id): Named<String>) -> Result<Response> {
    page.send(Method::DELETE, &format!("{TOKENS}/{}", part(&id)), None, None).await?;
    done("/settings/tokens", "token-revoked")
}
