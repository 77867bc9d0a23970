//! The audit log: who did what, when; and whether it is whole.

use askama::Template;
use axum::response::Response;
use serde::Deserialize;

use super::users;
use crate::error::Result;
use crate::http::extract::Asked;
use crate::portal::api::{asking, part};
use crate::portal::form::Form;
use crate::portal::page::{Frame, Page, show, show_refused};
use crate::portal::words;
use crate::wire::Page as Listed;
use crate::wire::operator::Operator;
use crate::wire::users::{AuditEntry, Chain, Token, User};

/// Which entries.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Which {
    #[serde(default)]
    subject: String,
    #[serde(default)]
    actor: String,
    #[serde(default)]
    occupier: String,
    #[serde(default)]
    from: String,
    #[serde(default)]
    until: String,
    #[serde(default)]
    after: String,
    /// Whether the chain is to be followed.
    #[serde(default)]
    check: String,
}

#[derive(Template)]
#[template(path = "operator/audit.html")]
struct Audit {
    frame: Frame,
    entries: Vec<AuditEntry>,
    team: Vec<User>,
    tokens: Vec<Token>,
    chain: Option<Chain>,
    zone: String,
    form: Form,
    is_narrowed: bool,
    first: String,
    next: Option<String>,
}

impl Audit {
    /// Who did it: somebody of the team, or a token, by name.
    fn actor<'a>(&'a self, actor: &'a str) -> &'a str {
        match actor.split_once(':') {
            Some(("user", id)) => self.team.iter().find(|user| user.id == id).map_or(actor, users::name),
            Some(("token", id)) => self.tokens.iter().find(|token| token.id == id).map_or(actor, |token| &token.name),
            _ => actor,
        }
    }

    /// More that an entry says, as `name: value`.
    fn details(entry: &AuditEntry) -> Vec<String> {
        let value = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let all = entry.details.as_object().into_iter().flatten();
        all.filter(|(_, what)| !what.is_null()).map(|(name, what)| format!("{name}: {}", value(what))).collect()
    }

    /// Where the page of a subject is, if it has one.
    fn address(entry: &AuditEntry) -> Option<String> {
        let (kind, id) = entry.subject.split_once(':')?;
        let id = part(id);
        let (occupier, site) = (entry.occupier.as_deref().map(part), entry.site.as_deref().map(part));
        match kind {
            "occupier" => Some(format!("/occupiers/{id}")),
            "site" => Some(format!("/sites/{id}/settings")),
            "contract" => Some(format!("/occupiers/{}/contracts/{id}", occupier?)),
            "service" => Some(format!("/occupiers/{}/services/{id}", occupier?)),
            "product" => Some(format!("/sites/{}/products/{id}", site?)),
            "number" => Some(format!("/sites/{}/numbers/{id}", site?)),
            "source" => Some(format!("/sources/{id}")),
            "month" => Some(format!("/months/{id}")),
            "operator" => Some("/settings".to_owned()),
            "token" => Some("/settings/tokens".to_owned()),
            "user" => Some(match occupier {
                Some(occupier) => format!("/occupiers/{occupier}/users/{id}"),
                None => format!("/settings/users/{id}"),
            }),
            _ => None,
        }
    }
}

/// Lists entries, newest first.
pub(super) async fn list(page: Page, Asked(which): Asked<Which>) -> Result<Response> {
    let Which { subject, actor, occupier, from, until, after, check } = &which;
    let narrowed = [
        ("subject", subject.trim()),
        ("actor", actor.trim()),
        ("occupier", occupier.trim()),
        ("from", from.trim()),
        ("until", until.trim()),
    ];
    let form = narrowed.iter().fold(Form::default(), |form, (name, value)| form.with(name, *value));
    let with = |more: &[(&'static str, &str)]| {
        let all: Vec<_> = narrowed.iter().chain(more).copied().collect();
        all.into_iter().map(|(name, value)| (name, value.to_owned())).collect::<Vec<_>>()
    };
    let address = |base: &str, more: &[(&'static str, &str)]| {
        let all = with(more);
        asking(base, &all.iter().map(|(name, value)| (*name, value.as_str())).collect::<Vec<_>>())
    };
    let (listed, form) =
        match page.get::<Listed<AuditEntry>>(&address("/api/v1/audit", &[("after", after), ("limit", "50")])).await {
            Ok(listed) => (listed, form),
            Err(problem) if matches!(problem.status(), 400 | 422) => {
                (Listed { items: Vec::new(), next: None }, form.wrong(problem))
            }
            Err(problem) => return Err(problem),
        };
    let operator: Operator = page.get("/api/v1/operator").await?;
    let team: Listed<User> = page.get("/api/v1/users?limit=500").await?;
    let tokens: Listed<Token> = page.get("/api/v1/tokens").await?;
    let chain = if check.is_empty() { None } else { Some(page.get("/api/v1/audit/chain").await?) };
    let status = form.problem.as_ref().map(crate::error::Problem::status);
    let shown = Audit {
        frame: page.frame(),
        entries: listed.items,
        team: team.items,
        tokens: tokens.items,
        chain,
        zone: operator.zone,
        form,
        is_narrowed: narrowed.iter().any(|(_, value)| !value.is_empty()),
        first: address("/audit", &[]),
        next: listed.next.map(|next| address("/audit", &[("after", &next)])),
    };
    match status {
        Some(status) => show_refused(&shown, status),
        None => show(&shown),
    }
}
