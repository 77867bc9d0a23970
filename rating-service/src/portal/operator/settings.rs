//! What the operator sets of itself: name, currency, zone, support contact, logo.

use askama::Template;
use axum::body::Body;
use axum::extract::Multipart;
use axum::extract::multipart::MultipartRejection;
use axum::http::{Method, Request};
use axum::response::Response;

use crate::error::{Problem, Result};
use crate::portal::form::{Fields, Form};
use crate::portal::page::{Frame, Page, done, show, show_refused};

/// The pages of settings.
pub(super) const PAGES: [(&str, &str); 3] =
    [("/settings", "Operator"), ("/settings/users", "Team"), ("/settings/tokens", "Tokens")];

const SHOWN: [&str; 4] = ["/name", "/currency", "/zone", "/support_contact"];
const OPERATOR: &str = "/api/v1/operator";
const LOGO: &str = "/api/v1/operator/logo";

#[derive(Template)]
#[template(path = "operator/settings.html")]
struct Settings {
    frame: Frame,
    form: Form,
    logo_problem: Option<Problem>,
}

async fn settings(page: &Page, logo_problem: Option<Problem>) -> Result<Settings> {
    let found = page.tagged(OPERATOR).await?;
    let tag = found.tag();
    Ok(Settings { frame: page.frame(), form: Form::of(&found.body).with("tag", tag), logo_problem })
}

/// What is set.
pub(super) async fn list(page: Page) -> Result<Response> {
    show(&settings(&page, None).await?)
}

/// Changes it.
pub(super) async fn settle(page: Page, fields: Fields) -> Result<Response> {
    match page.send(Method::PUT, OPERATOR, Some(&fields.json()), Some(fields.text("tag"))).await {
        Ok(_) => done("/settings", "saved"),
        Err(problem) => {
            let status = problem.status();
            let form = Form::refused(&fields, problem);
            show_refused(&Settings { frame: page.frame(), form, logo_problem: None }, status)
        }
    }
}

/// The file of a form.
async fn file(sent: std::result::Result<Multipart, MultipartRejection>) -> Result<Vec<u8>> {
    let malformed = |what: String| Problem::new("request.body_malformed", what);
    let mut sent = sent.map_err(|rejection| malformed(rejection.body_text()))?;
    while let Some(field) = sent.next_field().await.map_err(|error| malformed(error.body_text()))? {
        if field.name() == Some("file") {
            return Ok(field.bytes().await.map_err(|error| malformed(error.body_text()))?.to_vec());
        }
    }
    Err(malformed("no file was sent".to_owned()))
}

/// Puts a logo in the place of the one there is.
pub(super) async fn put_logo(page: Page, sent: std::result::Result<Multipart, MultipartRejection>) -> Result<Response> {
    let kept = match file(sent).await {
        Ok(bytes) => {
            let request = Request::builder().method(Method::PUT).uri(LOGO).body(Body::from(bytes));
            page.pass(request.map_err(Problem::internal)?).await
        }
        Err(problem) => Err(problem),
    };
    match kept {
        Ok(_) => done("/settings", "logo-kept"),
        Err(problem) => {
            let status = problem.status();
            show_refused(&settings(&page, Some(problem)).await?, status)
        }
    }
}

/// Takes the logo away.
pub(super) async fn remove_logo(page: Page) -> Result<Response> {
    page.send(Method::DELETE, LOGO, None, None).await?;
    done("/settings", "logo-removed")
}
