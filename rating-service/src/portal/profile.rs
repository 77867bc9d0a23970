//! What everybody may change of oneself.

use askama::Template;
use axum::http::Method;
use axum::response::Response;
use serde_json::json;

use super::form::{Fields, Form};
use super::page::{Frame, Page, done, show, show_refused};
use crate::error::Result;

const PROFILE: &str = "/api/v1/profile";

#[derive(Template)]
#[template(path = "profile.html")]
struct Profile {
    frame: Frame,
    form: Form,
    email: String,
    role: String,
}

impl Profile {
    fn of(page: &Page, form: Form) -> Self {
        let user = &page.session.user;
        Self {
            frame: page.frame(),
            form,
            email: user.email.clone().unwrap_or_default(),
            role: super::words::role(&user.role).to_owned(),
        }
    }

    /// Languages to choose from: what was chosen elsewhere stays.
    fn languages(&self) -> Vec<(String, String)> {
        let mut all = vec![("en".to_owned(), "English".to_owned())];
        let own = self.form.value("/language");
        if !own.is_empty() && own != "en" {
            all.push((own.to_owned(), own.to_owned()));
        }
        all
    }
}

/// Oneself.
pub(super) async fn profile(page: Page) -> Result<Response> {
    let found = page.tagged(PROFILE).await?;
    let tag = found.tag();
    show(&Profile::of(&page, Form::of(&found.body).with("tag", tag)))
}

/// Changes oneself.
pub(super) async fn settle(page: Page, fields: Fields) -> Result<Response> {
    match page.send(Method::PUT, PROFILE, Some(&fields.json()), Some(fields.text("tag"))).await {
        Ok(_) => done("/profile", "saved"),
        Err(problem) => {
            let status = problem.status();
            show_refused(&Profile::of(&page, Form::refused(&fields, problem)), status)
        }
    }
}

/// Mails oneself a link to choose another password.
pub(super) async fn password(page: Page) -> Result<Response> {
    let email = page.session.user.email.clone().unwrap_or_default();
    page.send(Method::POST, "/api/v1/password-resets", Some(&json!({ "email": email })), None).await?;
    done("/profile", "link-mailed")
}
