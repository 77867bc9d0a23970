//! Settings of runs: when a run is not good, what contracted lines cost, gaps in the input that somebody accepted.

use askama::Template;
use axum::http::Method;
use axum::response::Response;
use serde_json::{Value, json};

use super::head::People;
use crate::error::{Problem, Result};
use crate::portal::form::{Fields, Form};
use crate::portal::page::{Frame, Page, done, show, show_refused};
use crate::portal::words;
use crate::wire::Page as Listed;
use crate::wire::months::GapAccepted;

const LIMITS: &str = "/api/v1/project/limits";
const USAGE: &str = "/api/v1/project/usage";
const GAPS: &str = "/api/v1/project/accepted-gaps";

#[derive(Template)]
#[template(path = "operator/work/project.html")]
struct Project {
    frame: Frame,
    limits: Form,
    usage: Form,
    gap: Form,
    gaps: Vec<GapAccepted>,
    people: People,
}

/// The forms of the page that were refused.
#[derive(Default)]
struct Refused {
    limits: Option<Form>,
    usage: Option<Form>,
    gap: Form,
}

async fn form(page: &Page, address: &str) -> Result<Form> {
    let answer = page.tagged(address).await?;
    let tag = answer.tag();
    let mut form = Form::of(&answer.body).with("tag", tag);
    // Allowances of sites, one a line.
    for (site, lines) in answer.body.get("sites").and_then(Value::as_object).into_iter().flatten() {
        form = form.and("sites", format!("{site}: {lines}"));
    }
    Ok(form)
}

async fn page_of(page: &Page, refused: Refused) -> Result<Project> {
    let limits = match refused.limits {
        Some(form) => form,
        None => form(page, LIMITS).await?,
    };
    let usage = match refused.usage {
        Some(form) => form,
        None => form(page, USAGE).await?,
    };
    let gaps: Listed<GapAccepted> = page.get(GAPS).await?;
    let people = People::of(page).await?;
    Ok(Project { frame: page.frame(), limits, usage, gap: refused.gap, gaps: gaps.items, people })
}

/// Shows the settings of runs.
pub(super) async fn settings(page: Page) -> Result<Response> {
    show(&page_of(&page, Refused::default()).await?)
}

/// The allowances of sites, as the form has them: `ldn: 20`, one a line.
fn sites(text: &str) -> Result<Value> {
    let mut sites = serde_json::Map::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let read =
            line.split_once(':').and_then(|(site, lines)| Some((site.trim(), lines.trim().parse::<u64>().ok()?)));
        let Some((site, lines)) = read else {
            return Err(
                Problem::new("request.invalid", format!("`{line}` is no site with its lines")).help("`ldn: 20`")
            );
        };
        sites.insert(site.to_owned(), Value::from(lines));
    }
    Ok(Value::Object(sites))
}

/// Changes settings of runs: those that the form's button says.
pub(super) async fn settle(page: Page, fields: Fields) -> Result<Response> {
    let tag = Some(fields.text("tag"));
    let sent = match fields.text("do") {
        "limits" => page.send(Method::PUT, LIMITS, Some(&fields.json()), tag).await,
        "usage" => match sites(fields.text("sites")) {
            Ok(sites) => {
                let mut body = fields.json();
                body["sites"] = sites;
                page.send(Method::PUT, USAGE, Some(&body), tag).await
            }
            Err(problem) => Err(problem),
        },
        _ => {
            let body = json!({ "gap": fields.text("/gap"), "reason": fields.text("/reason") });
            page.send(Method::POST, GAPS, Some(&body), None).await
        }
    };
    let Err(problem) = sent else { return done("/months/settings", "saved") };
    let status = problem.status();
    let form = Form::refused(&fields, problem);
    let refused = match fields.text("do") {
        "limits" => Refused { limits: Some(form), ..Refused::default() },
        "usage" => Refused { usage: Some(form), ..Refused::default() },
        _ => Refused { gap: form, ..Refused::default() },
    };
    show_refused(&page_of(&page, refused).await?, status)
}
