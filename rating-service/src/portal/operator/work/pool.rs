//! A site's pool of numbers: its ranges, what is kept for prospects, and how more come in.

use askama::Template;
use axum::body::Body;
use axum::extract::Multipart;
use axum::http::{Method, Request, header};
use axum::response::Response;
use serde_json::Value;

use crate::error::{Problem, Result};
use crate::http::extract::Named;
use crate::portal::api::part;
use crate::portal::form::{Fields, Form};
use crate::portal::operator::head::SiteHead;
use crate::portal::page::{Frame, Page, done, show, show_refused};
use crate::portal::words;
use crate::wire::Page as Listed;
use crate::wire::numbers::{Held, NumberRange, Outcome, Outcomes};

/// The fields of the form for a range.
const SHOWN: [&str; 5] = ["/which/first", "/which/last", "/kind", "/cool_off_days", "/at"];

/// What an import would do, or why it did nothing.
#[derive(Default)]
struct Import {
    rows: String,
    outcomes: Vec<Outcome>,
    refused: usize,
    is_looked_at: bool,
    problem: Option<Problem>,
}

#[derive(Template)]
#[template(path = "operator/work/ranges.html")]
struct Ranges {
    frame: Frame,
    head: SiteHead,
    ranges: Vec<NumberRange>,
    holds: Vec<Held>,
    form: Form,
    import: Import,
    is_admin: bool,
}

async fn page_of(page: &Page, site: &str, form: Form, import: Import) -> Result<Ranges> {
    let head = SiteHead::of(page, site, "/ranges").await?;
    let base = format!("/api/v1/sites/{}", part(site));
    let ranges: Listed<NumberRange> = page.get(&format!("{base}/ranges")).await?;
    let holds: Listed<Held> = page.get(&format!("{base}/holds")).await?;
    Ok(Ranges {
        frame: page.frame(),
        head,
        ranges: ranges.items,
        holds: holds.items,
        form,
        import,
        is_admin: page.is_operator_admin(),
    })
}

/// Shows the ranges of a site and what is kept for prospects.
pub(super) async fn ranges(page: Page, Named(site): Named<String>) -> Result<Response> {
    show(&page_of(&page, &site, Form::default(), Import::default()).await?)
}

/// Takes a range into the pool.
pub(super) async fn provision(page: Page, Named(site): Named<String>, fields: Fields) -> Result<Response> {
    let address = format!("/api/v1/sites/{}/numbers", part(&site));
    match page.send(Method::POST, &address, Some(&fields.json()), None).await {
        Ok(_) => done(&format!("/sites/{}/ranges", part(&site)), "numbers-added"),
        Err(problem) => {
            let status = problem.status();
            // The ends of a range are named as the interface names them, `/first`, wherever they stand.
            let errors = problem.faults().iter().cloned().map(|mut fault| {
                if matches!(fault.field.as_str(), "/first" | "/last") {
                    fault.field = format!("/which{}", fault.field);
                }
                fault
            });
            let errors = errors.collect();
            let form = Form::refused(&fields, problem.errors(errors));
            show_refused(&page_of(&page, &site, form, Import::default()).await?, status)
        }
    }
}

/// What came with an import: the rows, as a file or as text, and what is asked.
async fn received(mut sent: Multipart) -> Result<(String, Vec<String>)> {
    let broken =
        |error: axum::extract::multipart::MultipartError| Problem::new("request.body_malformed", error.body_text());
    let (mut rows, mut asked) = (String::new(), Vec::new());
    while let Some(field) = sent.next_field().await.map_err(broken)? {
        let name = field.name().unwrap_or_default().to_owned();
        let bytes = field.bytes().await.map_err(broken)?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        match name.as_str() {
            "file" | "rows" if !text.trim().is_empty() => rows = text,
            "file" | "rows" => {}
            _ if !text.is_empty() => asked.push(name),
            _ => {}
        }
    }
    Ok((rows, asked))
}

/// Takes numbers of a CSV file into the pool, or says what would become of each row.
pub(super) async fn import(page: Page, Named(site): Named<String>, sent: Multipart) -> Result<Response> {
    let (rows, asked) = received(sent).await?;
    let is = |name: &str| asked.iter().any(|one| one == name);
    let (look, each) = (is("look"), is("each_by_itself"));
    let address = format!("/api/v1/sites/{}/numbers/import?dry_run={look}&each_by_itself={each}", part(&site));
    let request = Request::builder().method(Method::POST).uri(address).header(header::CONTENT_TYPE, "text/csv");
    let request = request.body(Body::from(rows.clone())).map_err(Problem::internal)?;
    let answer = match page.pass(request).await {
        Ok(answer) => answer,
        Err(problem) => {
            let status = problem.status();
            let import = Import { rows, problem: Some(problem), ..Import::default() };
            return show_refused(&page_of(&page, &site, Form::default(), import).await?, status);
        }
    };
    let bytes = axum::body::to_bytes(answer.into_body(), usize::MAX).await.map_err(Problem::internal)?;
    let value: Value = serde_json::from_slice(&bytes).map_err(Problem::internal)?;
    let outcomes: Outcomes = serde_json::from_value(value).map_err(Problem::internal)?;
    if !look && outcomes.refused == 0 {
        return done(&format!("/sites/{}/ranges", part(&site)), "numbers-added");
    }
    let Outcomes { refused, outcomes, .. } = outcomes;
    let import = Import { rows, outcomes, refused, is_looked_at: look, problem: None };
    show(&page_of(&page, &site, Form::default(), import).await?)
}
