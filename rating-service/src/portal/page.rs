//! What every page has: who looks at it, its frame, and how it is written.

use askama::Template;
use axum::extract::{FromRequestParts, OriginalUri};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::api::{Answer, Api, part};
use super::said;
use crate::app::App;
use crate::auth::{Principal, Role};
use crate::error::{Problem, Result};
use crate::http::logo;
use crate::store::operator;
use crate::wire::Page as Listed;
use crate::wire::users::Session;

/// A page that somebody who signed in looks at.
pub struct Page {
    /// Who looks.
    pub who: Principal,
    /// Who that is, by name.
    pub session: Session,
    api: Api,
    path: String,
    said: Option<&'static str>,
}

impl<S: Send + Sync> FromRequestParts<S> for Page {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        let nobody = || Problem::new("auth.not_signed_in", "sign in first");
        let who = parts.extensions.get::<Principal>().cloned().ok_or_else(nobody)?;
        let api =
            parts.extensions.get::<Api>().cloned().ok_or_else(|| Problem::internal("a page without interface"))?;
        let uri = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |original| &original.0);
        let said = uri.query().and_then(said::asked);
        let session = api.get(&who, "/api/v1/session").await?;
        Ok(Self { who, session, api, path: uri.path().to_owned(), said })
    }
}

impl Page {
    /// Reads something of the interface.
    ///
    /// # Errors
    ///
    /// The interface refuses.
    pub async fn get<T: DeserializeOwned>(&self, address: &str) -> Result<T> {
        self.api.get(&self.who, address).await
    }

    /// Reads a list to its end, page after page.
    ///
    /// # Errors
    ///
    /// The interface refuses.
    pub async fn all<T: DeserializeOwned>(&self, address: &str) -> Result<Vec<T>> {
        let sign = if address.contains('?') { '&' } else { '?' };
        let mut all = Vec::new();
        let mut after = String::new();
        loop {
            let listed: Listed<T> = self.get(&format!("{address}{sign}limit=500{after}")).await?;
            all.extend(listed.items);
            match listed.next {
                Some(next) => after = format!("&after={}", part(&next)),
                None => return Ok(all),
            }
        }
    }

    /// Reads something that there may not be.
    ///
    /// # Errors
    ///
    /// The interface fails.
    pub async fn find<T: DeserializeOwned>(&self, address: &str) -> Result<Option<T>> {
        match self.get(address).await {
            Ok(found) => Ok(Some(found)),
            Err(problem) if matches!(problem.status(), 403 | 404) => Ok(None),
            Err(problem) => Err(problem),
        }
    }

    /// Reads a configuration with its tag, to be changed.
    ///
    /// # Errors
    ///
    /// The interface refuses.
    pub async fn tagged(&self, address: &str) -> Result<Answer> {
        self.api.ask(Some(&self.who), Method::GET, address, None, None).await
    }

    /// Changes something.
    ///
    /// # Errors
    ///
    /// The interface refuses.
    pub async fn send(&self, method: Method, address: &str, body: Option<&Value>, tag: Option<&str>) -> Result<Answer> {
        self.api.ask(Some(&self.who), method, address, body, tag).await
    }

    /// Asks for something that is no JSON: a file to be passed on.
    ///
    /// # Errors
    ///
    /// The interface refuses.
    pub async fn pass(&self, request: axum::http::Request<axum::body::Body>) -> Result<Response> {
        self.api.pass(Some(&self.who), request).await
    }

    /// The role of who looks.
    #[must_use]
    pub const fn role(&self) -> Option<Role> {
        self.who.role()
    }

    /// Whether an administrator of the operator looks.
    #[must_use]
    pub fn is_operator_admin(&self) -> bool {
        self.role() == Some(Role::OperatorAdmin)
    }

    /// What stands around the content.
    #[must_use]
    pub fn frame(&self) -> Frame {
        Frame { said: self.said, ..Frame::of(&self.session, &self.path) }
    }
}

const OPERATOR_ADMIN: [(&str, &str); 7] = [
    ("/", "Home"),
    ("/occupiers", "Occupiers"),
    ("/sites", "Sites"),
    ("/months", "Months"),
    ("/tariffs", "Tariffs"),
    ("/audit", "Audit"),
    ("/settings", "Settings"),
];
const OPERATOR_USER: [(&str, &str); 5] =
    [("/", "Home"), ("/occupiers", "Occupiers"), ("/sites", "Sites"), ("/reports", "Reports"), ("/tariffs", "Tariffs")];
const OCCUPIER_ADMIN: [(&str, &str); 4] =
    [("/", "Call charges"), ("/calls", "Calls"), ("/numbers", "Numbers"), ("/users", "Users")];
const OCCUPIER: [(&str, &str); 3] = [("/", "Call charges"), ("/calls", "Calls"), ("/numbers", "Numbers")];

/// What stands around the content of a page.
#[derive(Clone, Debug)]
pub struct Frame {
    /// Whose service it is.
    pub operator: String,
    /// Where its logo is, if it has one.
    pub logo: Option<String>,
    /// Whom to ask for help; empty for the operator's own people.
    pub help: String,
    /// Who is signed in.
    pub name: String,
    /// Where else to go.
    pub links: Vec<Link>,
    /// What was done just now.
    pub said: Option<&'static str>,
}

impl Frame {
    /// For whoever a session is of, at an address.
    #[must_use]
    pub fn of(session: &Session, path: &str) -> Self {
        let role = Role::parse(&session.user.role);
        let links: &[(&str, &str)] = match role {
            Some(Role::OperatorAdmin) => &OPERATOR_ADMIN,
            Some(Role::OperatorUser) => &OPERATOR_USER,
            Some(Role::OccupierAdmin) => &OCCUPIER_ADMIN,
            Some(Role::OccupierEdit | Role::OccupierView) => &OCCUPIER,
            None => &[],
        };
        let is_here = |address: &str| match address {
            "/" => path == "/",
            address => path == address || path.starts_with(&format!("{address}/")),
        };
        Self {
            operator: session.operator.clone(),
            logo: session.logo.clone(),
            help: if role.is_some_and(Role::is_operator) { String::new() } else { session.support_contact.clone() },
            name: session.user.name.clone().or_else(|| session.user.email.clone()).unwrap_or_default(),
            links: links
                .iter()
                .map(|(address, text)| Link { address: (*address).to_owned(), text, is_here: is_here(address) })
                .collect(),
            said: None,
        }
    }
}

/// Whose pages these are, for those who have not signed in.
#[derive(Clone, Debug, Default)]
pub struct Brand {
    /// The operator's name; empty, while there is none.
    pub name: String,
    /// Where its logo is, if it has one.
    pub logo: Option<String>,
}

impl Brand {
    /// The operator's, as it is now.
    ///
    /// # Errors
    ///
    /// The database fails.
    pub async fn of(app: &App) -> Result<Self> {
        let mut reader = app.store.read().await?;
        let name = operator::get(reader.on()).await?.map(|operator| operator.name).unwrap_or_default();
        Ok(Self { name, logo: logo::address(reader.on()).await? })
    }
}

/// A way to another page.
#[derive(Clone, Debug)]
pub struct Link {
    /// Its address.
    pub address: String,
    /// What it says.
    pub text: &'static str,
    /// Whether this is where one is.
    pub is_here: bool,
}

/// A page as an answer.
///
/// # Errors
///
/// It cannot be written: a fault of this program.
pub fn show(page: &impl Template) -> Result<Response> {
    Ok(Html(page.render().map_err(Problem::internal)?).into_response())
}

/// A page with a form that was refused, with the refusal's status.
///
/// # Errors
///
/// It cannot be written: a fault of this program.
pub fn show_refused(page: &impl Template, status: u16) -> Result<Response> {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::UNPROCESSABLE_ENTITY);
    Ok((status, show(page)?).into_response())
}

/// To another page after something was done, which says one of [`said::SAID`].
///
/// # Errors
///
/// The address cannot be sent.
pub fn done(address: &str, code: &str) -> Result<Response> {
    let sign = if address.contains('?') { '&' } else { '?' };
    go(&format!("{address}{sign}said={}", part(code)))
}

/// To another page.
///
/// # Errors
///
/// The address cannot be sent.
pub fn go(address: &str) -> Result<Response> {
    let location = HeaderValue::from_str(address).map_err(Problem::internal)?;
    Ok((StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response())
}
