//! A deck before it is kept: what it would change, row by row.

use askama::Template;
use axum::body::Body;
use axum::extract::Multipart;
use axum::extract::multipart::{MultipartError, MultipartRejection};
use axum::http::{Method, Request};
use axum::response::Response;
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use serde_json::json;

use super::tariffs::page_of;
use crate::error::{Problem, Result};
use crate::portal::api::part;
use crate::portal::page::{Frame, Page, done, show, show_refused};
use crate::portal::words;
use crate::wire::tariffs::{RowPrice, Tried};

/// Browsers change the ends of lines in what a form holds: they are written in a way that stays.
const KEPT: &AsciiSet = &CONTROLS.add(b'%');

/// The most bytes of a form with files of tariffs.
pub(super) const LARGEST: usize = 64 << 20;

#[derive(Template)]
#[template(path = "operator/work/draft.html")]
struct Draft {
    frame: Frame,
    files: Vec<(String, String)>,
    tried: Tried,
}

impl Draft {
    fn kept(text: &str) -> String {
        utf8_percent_encode(text, KEPT).to_string()
    }
}

/// What a row says, in words.
pub(super) fn priced(price: Option<&RowPrice>) -> String {
    let Some(price) = price else { return String::new() };
    if let Some(status) = &price.status {
        return status.clone();
    }
    let several = price.prices.len() > 1;
    let each = price.prices.iter();
    let mut said: Vec<String> =
        each.map(|(band, price)| if several { format!("{band}: {price}") } else { price.clone() }).collect();
    let is_some = |amount: &str| amount.bytes().any(|byte| matches!(byte, b'1'..=b'9'));
    if is_some(&price.connection) {
        said.push(format!("connection {}", price.connection));
    }
    if is_some(&price.minimum) {
        said.push(format!("at least {}", price.minimum));
    }
    said.join("; ")
}

/// What came with a form: files by name, and the month to be rated with them.
struct Received {
    files: Vec<(String, String)>,
    month: String,
}

async fn received(sent: std::result::Result<Multipart, MultipartRejection>) -> Result<Received> {
    let broken = |error: MultipartError| Problem::new("request.body_malformed", error.body_text());
    let mut sent = sent.map_err(|rejection| Problem::new("request.body_malformed", rejection.body_text()))?;
    let mut found = Received { files: Vec::new(), month: String::new() };
    while let Some(field) = sent.next_field().await.map_err(broken)? {
        let (name, file) = (field.name().unwrap_or_default().to_owned(), field.file_name().map(str::to_owned));
        let bytes = field.bytes().await.map_err(broken)?;
        let text = String::from_utf8(bytes.to_vec()).map_err(|error| {
            let at = error.utf8_error().valid_up_to() + 1;
            let what = format!("`{}` is not UTF-8: byte {at}", file.as_deref().unwrap_or(&name));
            Problem::new("request.body_malformed", what).help("save it as UTF-8")
        })?;
        match (name.as_str(), file) {
            ("file", Some(file)) if !file.is_empty() => found.files.push((file, text)),
            ("month", None) => found.month = text,
            (name, None) => {
                if let Some(file) = name.strip_prefix("draft:") {
                    let text = percent_decode_str(&text).decode_utf8().map_err(|_| {
                        Problem::new("request.body_malformed", format!("`{file}` did not come through"))
                    })?;
                    found.files.push((file.to_owned(), text.into_owned()));
                }
            }
            _ => {}
        }
    }
    if found.files.is_empty() {
        return Err(Problem::new("request.invalid", "no file was chosen"));
    }
    Ok(found)
}

async fn refused(page: &Page, problem: Problem) -> Result<Response> {
    let status = problem.status();
    let mut shown = page_of(page).await?;
    shown.problem = Some(problem);
    show_refused(&shown, status)
}

/// Tries files of tariffs, and shows what they would change.
pub(super) async fn try_files(
    page: Page,
    sent: std::result::Result<Multipart, MultipartRejection>,
) -> Result<Response> {
    let Received { files, month } = match received(sent).await {
        Ok(received) => received,
        Err(problem) => return refused(&page, problem).await,
    };
    let contents: serde_json::Map<_, _> =
        files.iter().map(|(name, text)| (name.clone(), serde_json::Value::from(text.as_str()))).collect();
    let mut body = json!({ "files": contents });
    if !month.is_empty() {
        body["month"] = serde_json::Value::from(month);
    }
    match page.send(Method::POST, "/api/v1/tariffs/dry-runs", Some(&body), None).await {
        Ok(answer) => {
            let mut tried: Tried = answer.read()?;
            // What keeps the files from being used comes first.
            tried.findings.sort_by_key(|found| found.severity != "error");
            show(&Draft { frame: page.frame(), files, tried })
        }
        Err(problem) => refused(&page, problem).await,
    }
}

/// Keeps files that were tried.
pub(super) async fn keep(page: Page, sent: std::result::Result<Multipart, MultipartRejection>) -> Result<Response> {
    let Received { files, .. } = match received(sent).await {
        Ok(received) => received,
        Err(problem) => return refused(&page, problem).await,
    };
    for (name, text) in files {
        let address = format!("/api/v1/files/tariffs/{}", part(&name));
        let request = Request::builder().method(Method::PUT).uri(address).body(Body::from(text));
        if let Err(problem) = page.pass(request.map_err(Problem::internal)?).await {
            return refused(&page, problem).await;
        }
    }
    done("/tariffs", "file-kept")
}
