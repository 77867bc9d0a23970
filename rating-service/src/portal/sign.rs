//! Signing in and out, and the pages that links of mails lead to.

use askama::Template;
use axum::Extension;
use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::{Method, Request, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::api::Api;
use super::form::{Fields, Form};
use super::page::{Brand, Page, go, show, show_refused};
use super::said;
use crate::app::App;
use crate::connections::Client;
use crate::error::{Problem, Result};

#[derive(Template)]
#[template(path = "sign-in.html")]
struct SignInPage {
    brand: Brand,
    form: Form,
    to: String,
    said: Option<&'static str>,
    /// Address and password are good for several companies.
    needs_company: bool,
}

#[derive(Template)]
#[template(path = "reset.html")]
struct ResetPage {
    brand: Brand,
    form: Form,
    is_sent: bool,
}

#[derive(Template)]
#[template(path = "setup.html")]
struct SetupPage {
    brand: Brand,
}

#[derive(Template)]
#[template(path = "join.html")]
struct JoinPage {
    brand: Brand,
}

/// Where to go afterwards, and what to say.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    to: Option<String>,
    said: Option<String>,
}

/// An address of our own, or the first page.
fn own(to: &str) -> &str {
    let can_be_sent = to.len() <= 2_000 && to.bytes().all(|byte| byte.is_ascii_graphic());
    let is_own = can_be_sent && to.starts_with('/') && !to.starts_with("//") && !to.contains('\\');
    if is_own { to } else { "/" }
}

pub(super) async fn sign_in_page(State(app): State<App>, Query(asked): Query<Asked>) -> Result<Response> {
    let said = asked.said.and_then(|said| said::asked(&format!("said={said}")));
    let to = own(&asked.to.unwrap_or_default()).to_owned();
    show(&SignInPage { brand: Brand::of(&app).await?, form: Form::default(), to, said, needs_company: false })
}

pub(super) async fn sign_in(
    State(app): State<App>,
    Extension(api): Extension<Api>,
    client: Option<Extension<Client>>,
    fields: Fields,
) -> Result<Response> {
    let to = own(fields.text("to")).to_owned();
    let mut request = Request::post("/api/v1/session")
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(fields.json().to_string()))
        .map_err(Problem::internal)?;
    // Attempts are counted for where they come from.
    if let Some(Extension(client)) = client {
        request.extensions_mut().insert(client);
    }
    match api.send(None, request).await {
        Ok(answer) => {
            let mut response = go(&to)?;
            for cookie in answer.headers.get_all(header::SET_COOKIE) {
                response.headers_mut().append(header::SET_COOKIE, cookie.clone());
            }
            Ok(response)
        }
        Err(problem) => {
            let (status, needs_company) = (problem.status(), problem.code() == "auth.company_needed");
            let form = Form::refused(&fields, problem);
            show_refused(&SignInPage { brand: Brand::of(&app).await?, form, to, said: None, needs_company }, status)
        }
    }
}

pub(super) async fn sign_out(page: Page, headers: axum::http::HeaderMap) -> Result<Response> {
    let mut request = Request::builder().method(Method::DELETE).uri("/api/v1/session");
    for cookie in headers.get_all(header::COOKIE) {
        request = request.header(header::COOKIE, cookie);
    }
    let answer = page.pass(request.body(Body::empty()).map_err(Problem::internal)?).await?;
    let mut response = go("/sign-in?said=signed-out")?;
    for cookie in answer.headers().get_all(header::SET_COOKIE) {
        response.headers_mut().append(header::SET_COOKIE, cookie.clone());
    }
    Ok(response)
}

pub(super) async fn reset_page(State(app): State<App>) -> Result<Response> {
    show(&ResetPage { brand: Brand::of(&app).await?, form: Form::default(), is_sent: false })
}

pub(super) async fn reset(State(app): State<App>, Extension(api): Extension<Api>, fields: Fields) -> Result<Response> {
    let brand = Brand::of(&app).await?;
    match api.ask(None, Method::POST, "/api/v1/password-resets", Some(&fields.json()), None).await {
        Ok(_) => show(&ResetPage { brand, form: Form::default(), is_sent: true }),
        Err(problem) => {
            let status = problem.status();
            show_refused(&ResetPage { brand, form: Form::refused(&fields, problem), is_sent: false }, status)
        }
    }
}

pub(super) async fn setup(State(app): State<App>) -> Result<Response> {
    show(&SetupPage { brand: Brand::of(&app).await? }).map(IntoResponse::into_response)
}

pub(super) async fn join(State(app): State<App>) -> Result<Response> {
    show(&JoinPage { brand: Brand::of(&app).await? })
}

#[cfg(test)]
mod tests {
    use super::own;

    #[test]
    fn nobody_is_sent_elsewhere() {
        assert_eq!(own("/months?x=1"), "/months?x=1");
        for elsewhere in ["//evil.example", "https://evil.example", "/\\evil.example", "", "/a\r\nb", "/\u{1}", "/é"] {
            assert_eq!(own(elsewhere), "/", "{elsewhere:?}");
        }
    }
}
