//! What a form asks to be done to numbers, and what became of each.

use std::collections::BTreeMap;

use axum::http::Method;
use serde_json::{Value, json};

use super::head::number_at;
use crate::error::{Problem, Result};
use crate::portal::api::part;
use crate::portal::form::Fields;
use crate::portal::page::Page;
use crate::wire::numbers::{Number, Outcomes};

/// What became of numbers.
#[derive(Default)]
pub(super) struct Became {
    /// How many were changed.
    pub(super) done: usize,
    /// Those that were not, and why.
    pub(super) refused: BTreeMap<String, String>,
    /// What is wrong with what was asked.
    pub(super) problem: Option<Problem>,
}

/// What is asked for, as a command of the interface: its name is what the form's button says, its fields are the form's.
fn command(what: &str, fields: &Fields) -> Value {
    let mut asked = fields.json();
    let of = asked.get_mut(what).map(Value::take).unwrap_or(Value::Null);
    json!({ what: if of.is_null() { json!({}) } else { of } })
}

/// Does what a form asks to numbers of a site.
pub(super) async fn act(page: &Page, site: &str, numbers: &[&str], fields: &Fields) -> Result<Became> {
    let what = fields.text("do");
    if numbers.is_empty() {
        let problem = Problem::new("request.invalid", "no number is ticked").help("tick the numbers that it is about");
        return Ok(Became { problem: Some(problem), ..Became::default() });
    }
    if matches!(what, "label" | "assign" | "unassign" | "log_out") {
        return of_holders(page, site, numbers, what, fields).await;
    }
    let which = json!({ "numbers": numbers });
    let (address, body) = match what {
        "release" => ("releases", json!({ "which": which, "reason": fields.text("/release/reason") })),
        what => {
            let each = fields.text("together").is_empty();
            ("commands", json!({ "which": which, "command": command(what, fields), "each_by_itself": each }))
        }
    };
    let address = format!("/api/v1/sites/{}/numbers/{address}", part(site));
    match page.send(Method::POST, &address, Some(&body), None).await {
        Ok(answer) => Ok(became(answer.read()?)),
        Err(problem) => Ok(refused(problem, numbers, what)),
    }
}

fn became(outcomes: Outcomes) -> Became {
    let refused = outcomes.outcomes.into_iter().filter_map(|outcome| {
        let refused = outcome.refused?;
        Some((outcome.number, said(&refused.detail, refused.help.as_deref())))
    });
    Became { done: outcomes.done, refused: refused.collect(), problem: None }
}

fn said(detail: &str, help: Option<&str>) -> String {
    help.map_or_else(|| detail.to_owned(), |help| format!("{detail}. {help}"))
}

/// A refusal of all: beside the numbers that it names, or the one that there is.
fn refused(problem: Problem, numbers: &[&str], what: &str) -> Became {
    let (of_numbers, others): (Vec<_>, Vec<_>) =
        problem.faults().iter().cloned().partition(|fault| numbers.contains(&fault.field.as_str()));
    let mut refused: BTreeMap<String, String> =
        of_numbers.into_iter().map(|fault| (fault.field.clone(), said(&fault.detail, fault.help.as_deref()))).collect();
    if let ([one], true) = (numbers, refused.is_empty() && problem.status() == 409) {
        refused.insert((*one).to_owned(), said(problem.detail(), problem.mend()));
    }
    // What is wrong with the fields of a command stands beside them.
    let others = others.into_iter().map(|mut fault| {
        if let Some(field) = fault.field.strip_prefix("/command/") {
            fault.field = format!("/{field}");
        } else if !fault.field.starts_with('/') {
            fault.field = format!("/{what}/{}", fault.field);
        }
        fault
    });
    let others = others.collect();
    Became { done: 0, refused, problem: Some(problem.errors(others)) }
}

/// What is done for the holders of numbers: one number after the other.
async fn of_holders(page: &Page, site: &str, numbers: &[&str], what: &str, fields: &Fields) -> Result<Became> {
    let mut all = Became::default();
    let asked = match what {
        "label" => {
            let label = Some(fields.text("/label/label")).filter(|label| !label.is_empty());
            json!({ "label": { "label": label } })
        }
        what => command(what, fields),
    };
    for number in numbers {
        let found: Number = number_at(page, site, number).await?;
        let Some(holder) = found.holder else {
            all.refused.insert((*number).to_owned(), "nobody holds it. Allocate it first".to_owned());
            continue;
        };
        let address = format!("/api/v1/occupiers/{}/numbers/commands", part(&holder));
        let body = json!({ "number": number, "command": asked });
        match page.send(Method::POST, &address, Some(&body), None).await {
            Ok(_) => all.done += 1,
            Err(problem) => {
                all.refused.insert((*number).to_owned(), said(problem.detail(), problem.mend()));
            }
        }
    }
    Ok(all)
}
