//! What several of these pages need: names, and words.

use std::collections::BTreeMap;

use crate::error::{Fault, Problem, Result};
use crate::portal::api::part;
use crate::portal::page::Page;
use crate::wire::Page as Listed;
use crate::wire::occupiers::Occupier;
use crate::wire::operator::Operator;

/// Who can hold numbers at a site: ids and names, the operator last.
pub(super) struct Holders(pub(super) Vec<(String, String)>);

impl Holders {
    pub(super) async fn at(page: &Page, site: &str) -> Result<Self> {
        let held: Vec<Occupier> = page.all(&format!("/api/v1/occupiers?site={}", part(site))).await?;
        let mut all: Vec<(String, String)> = held.into_iter().map(|one| (one.id, one.settings.name)).collect();
        all.sort_by_key(|(_, name)| name.to_lowercase());
        let operator: Operator = page.get("/api/v1/operator").await?;
        all.push((operator.id, format!("{} (own)", operator.name)));
        Ok(Self(all))
    }

    /// The name of a holder; its id, if it holds nothing here any more.
    pub(super) fn name<'h>(&'h self, id: &'h str) -> &'h str {
        self.0.iter().find(|(known, _)| known == id).map_or(id, |(_, name)| name)
    }

    /// Where a holder has its page; none for the operator.
    pub(super) fn is_occupier(&self, id: &str) -> bool {
        self.0.last().is_none_or(|(operator, _)| operator != id)
    }
}

/// The names of those who did something, as far as who looks may know them.
pub(super) struct People(BTreeMap<String, String>);

impl People {
    pub(super) async fn of(page: &Page) -> Result<Self> {
        let mut names = BTreeMap::new();
        if page.is_operator_admin() {
            let users: Listed<crate::wire::users::User> = page.get("/api/v1/users").await?;
            names.extend(users.items.into_iter().filter_map(|user| Some((user.id, user.name.or(user.email)?))));
        }
        Ok(Self(names))
    }

    /// Who it was, in words.
    pub(super) fn name<'p>(&'p self, actor: &'p str) -> &'p str {
        match actor.split_once(':') {
            Some(("user", id)) => self.0.get(id).map_or("a user", String::as_str),
            Some(("token", _)) => "a program",
            _ if actor == "service" => "the service",
            _ => actor,
        }
    }
}

/// A refusal whose faults name fields as forms do: the directory writes `weekly[2].until` for `/weekly/2/until`.
pub(super) fn pointed(problem: &Problem) -> Problem {
    let errors = problem.faults().iter().map(|fault| {
        let field = match fault.field.starts_with(['/', '+']) {
            true => fault.field.clone(),
            false => format!("/{}", fault.field.replace(['.', '['], "/").replace(']', "")),
        };
        Fault { field, ..fault.clone() }
    });
    let errors = errors.collect();
    problem.clone().errors(errors)
}

/// A number of the interface, if it is one of the site; otherwise there is none.
pub(super) async fn number_at(page: &Page, site: &str, number: &str) -> Result<crate::wire::numbers::Number> {
    let found: crate::wire::numbers::Number = page.get(&format!("/api/v1/numbers/{}", part(number))).await?;
    if found.site == site {
        return Ok(found);
    }
    Err(Problem::new("number.unknown", format!("there is no number `{number}` at this site")))
}
