//! Switches and their files.

use askama::Template;
use axum::body::{Body, Bytes};
use axum::extract::Multipart;
use axum::extract::multipart::{MultipartError, MultipartRejection};
use axum::http::{Method, Request};
use axum::response::Response;
use futures_util::stream::poll_fn;
use serde_json::{Value, json};

use crate::error::{Problem, Result};
use crate::http::extract::Named;
use crate::portal::api::part;
use crate::portal::form::{Fields, Form};
use crate::portal::operator::head;
use crate::portal::page::{Frame, Page, done, show, show_refused};
use crate::portal::words;
use crate::wire::Page as Listed;
use crate::wire::months::{CdrFile, Source};
use crate::wire::operator::Known;
use crate::wire::sites::Site;

/// The fields of the form.
const SHOWN: [&str; 5] = ["/id", "/site", "/settings/format", "/settings/zone", "/settings/further"];

#[derive(Template)]
#[template(path = "operator/work/sources.html")]
struct Sources {
    frame: Frame,
    sources: Vec<Source>,
    sites: Vec<Site>,
    known: Known,
    form: Form,
    is_admin: bool,
}

impl Sources {
    fn choices(&self) -> Vec<(String, String)> {
        head::choices(&self.sites)
    }

    fn site<'s>(&'s self, id: &'s str) -> &'s str {
        head::site_name(&self.sites, id)
    }
}

#[derive(Template)]
#[template(path = "operator/work/source.html")]
struct OneSource {
    frame: Frame,
    source: Source,
    site: String,
    known: Known,
    files: Vec<CdrFile>,
    form: Form,
    problem: Option<Problem>,
    is_admin: bool,
}

async fn all(page: &Page, form: Form) -> Result<Sources> {
    let sources: Listed<Source> = page.get("/api/v1/sources").await?;
    let (sites, known) = (head::sites(page).await?, page.get("/api/v1/known").await?);
    Ok(Sources { frame: page.frame(), sources: sources.items, sites, known, form, is_admin: page.is_operator_admin() })
}

/// Lists the switches.
pub(super) async fn list(page: Page) -> Result<Response> {
    show(&all(&page, Form::default()).await?)
}

/// Adds a switch.
pub(super) async fn add(page: Page, fields: Fields) -> Result<Response> {
    match page.send(Method::POST, "/api/v1/sources", Some(&fields.json()), None).await {
        Ok(answer) => {
            let made: Source = answer.read()?;
            done(&format!("/sources/{}", part(&made.id)), "saved")
        }
        Err(problem) => {
            let status = problem.status();
            show_refused(&all(&page, Form::refused(&fields, problem)).await?, status)
        }
    }
}

async fn one(page: &Page, id: &str, refused: Option<Form>, problem: Option<Problem>) -> Result<OneSource> {
    let address = format!("/api/v1/sources/{}", part(id));
    let answer = page.tagged(&address).await?;
    let tag = answer.tag();
    let settings = answer.body.get("settings").cloned().unwrap_or(Value::Null);
    let form = refused.unwrap_or_else(|| Form::of(&json!({ "settings": settings })).with("tag", tag));
    let files: Listed<CdrFile> = page.get(&format!("{address}/files")).await?;
    let is_admin = page.is_operator_admin();
    let (source, sites): (Source, _) = (answer.read()?, head::sites(page).await?);
    let site = head::site_name(&sites, &source.site).to_owned();
    let known = page.get("/api/v1/known").await?;
    Ok(OneSource { frame: page.frame(), source, site, known, files: files.items, form, problem, is_admin })
}

/// Shows a switch with its files.
pub(super) async fn show_source(page: Page, Named(source): Named<String>) -> Result<Response> {
    show(&one(&page, &source, None, None).await?)
}

/// Changes a switch's settings.
pub(super) async fn settle(page: Page, Named(source): Named<String>, fields: Fields) -> Result<Response> {
    let address = format!("/api/v1/sources/{}", part(&source));
    let settings = fields.json().get("settings").cloned().unwrap_or(Value::Null);
    match page.send(Method::PUT, &address, Some(&settings), Some(fields.text("tag"))).await {
        Ok(_) => done(&format!("/sources/{}", part(&source)), "saved"),
        Err(problem) => {
            let status = problem.status();
            let form = Form::refused(&fields, problem);
            show_refused(&one(&page, &source, Some(form), None).await?, status)
        }
    }
}

fn broken(error: &MultipartError) -> Problem {
    Problem::new("request.body_malformed", error.body_text())
}

/// Passes a file of a form on to the interface as it comes in, however large.
pub(super) async fn pass_on(
    page: &Page,
    address: &str,
    mut field: axum::extract::multipart::Field<'_>,
) -> Result<Response> {
    let (sender, mut receiver) = tokio::sync::mpsc::channel::<std::result::Result<Bytes, std::io::Error>>(4);
    let body = Body::from_stream(poll_fn(move |context| receiver.poll_recv(context)));
    let request = Request::builder().method(Method::PUT).uri(address).body(body).map_err(Problem::internal)?;
    let pump = async move {
        loop {
            let part = match field.chunk().await {
                Ok(Some(part)) => Ok(part),
                Ok(None) => break Ok(()),
                Err(error) => {
                    let why = broken(&error);
                    let _ = sender.send(Err(std::io::Error::other(error.body_text()))).await;
                    break Err(why);
                }
            };
            if sender.send(part).await.is_err() {
                break Ok(());
            }
        }
    };
    let (pumped, answer) = tokio::join!(pump, page.pass(request));
    answer.and_then(|answer| pumped.map(|()| answer))
}

/// Uploads files of a switch, for browsers that run no script.
pub(super) async fn upload(
    page: Page,
    Named(source): Named<String>,
    sent: std::result::Result<Multipart, MultipartRejection>,
) -> Result<Response> {
    let mut sent = sent.map_err(|rejection| Problem::new("request.body_malformed", rejection.body_text()))?;
    let mut back = format!("/sources/{}", part(&source));
    let mut kept = 0;
    while let Some(field) = sent.next_field().await.map_err(|error| broken(&error))? {
        match (field.name().unwrap_or_default(), field.file_name().map(str::to_owned)) {
            // The page that the form is on: a month's, or this one.
            ("month", _) => {
                let month = field.text().await.map_err(|error| broken(&error))?;
                back = format!("/months/{}", part(&month));
            }
            ("file", Some(name)) if !name.is_empty() => {
                let address = format!("/api/v1/sources/{}/files/{}", part(&source), part(&name));
                if let Err(problem) = pass_on(&page, &address, field).await {
                    let status = problem.status();
                    return show_refused(&one(&page, &source, None, Some(problem)).await?, status);
                }
                kept += 1;
            }
            _ => {}
        }
    }
    if kept == 0 {
        let problem = Problem::new("request.invalid", "no file was chosen").help("choose one or several");
        return show_refused(&one(&page, &source, None, Some(problem)).await?, 422);
    }
    done(&back, "file-kept")
}
