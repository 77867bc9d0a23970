//! Problems as pages, for those who look at pages.

use askama::Template;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::api::{Api, part};
use super::page::{Brand, Frame, go, show};
use crate::app::App;
use crate::auth::guard::same_site;
use crate::error::Problem;

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage<'p> {
    brand: Brand,
    problem: &'p Problem,
    id: String,
}

/// The same for somebody who is signed in: the ways to other pages stay.
#[derive(Template)]
#[template(path = "problem-within.html")]
struct ProblemWithin<'p> {
    frame: Frame,
    problem: &'p Problem,
    id: String,
}

/// Forms that are sent before there is a session.
const SIGNING: [&str; 2] = ["/sign-in", "/reset"];

/// Whether a browser asks for a page.
fn wants_page(path: &str, headers: &HeaderMap) -> bool {
    let accepted = headers.get(header::ACCEPT).and_then(|accepted| accepted.to_str().ok()).unwrap_or_default();
    !path.starts_with("/api/") && accepted.contains("text/html")
}

/// Shows a problem as a page where a page was asked for, and leads those who are not signed in to where they can.
///
/// Forms are sent by our own pages alone, also by those who have no session yet.
pub async fn face(State((app, api)): State<(App, Api)>, request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let wants_page = wants_page(&path, request.headers());
    // What signs somebody in is taken from our own page, whoever says that it wants none.
    let is_form = request.method() == Method::POST && (wants_page || SIGNING.contains(&path.as_str()));
    let is_read = request.method().is_safe();
    let wanted = request.uri().path_and_query().map(|wanted| wanted.as_str().to_owned()).unwrap_or_default();
    let cookies = request.headers().get(header::COOKIE).cloned();
    let id = request.headers().get("x-request-id").and_then(|id| id.to_str().ok()).unwrap_or_default().to_owned();
    let mut response = match is_form.then(|| same_site(&app, request.headers())) {
        Some(Err(problem)) => problem.into_response(),
        _ => next.run(request).await,
    };
    if !wants_page {
        return response;
    }
    let Some(problem) = response.extensions_mut().remove::<Problem>() else { return response };
    if problem.code() == "auth.not_signed_in" {
        let to = if is_read && path != "/" { format!("?to={}", part(&wanted)) } else { String::new() };
        return go(&format!("/sign-in{to}")).unwrap_or_else(IntoResponse::into_response);
    }
    let status = StatusCode::from_u16(problem.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    // Also where there is no page, and no guard that knows who asks.
    let session = match cookies {
        Some(cookies) => api.session(cookies).await,
        None => None,
    };
    let shown = match session {
        Some(session) => show(&ProblemWithin { frame: Frame::of(&session, &path), problem: &problem, id }),
        None => {
            let brand = Brand::of(&app).await.unwrap_or_default();
            show(&ProblemPage { brand, problem: &problem, id })
        }
    };
    shown.map_or_else(IntoResponse::into_response, |page| (status, page).into_response())
}
