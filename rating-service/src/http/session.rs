//! Signing in and out, and the links of mails.

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rating_core::time::{Duration, Instant, Zone};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::conditions::{Expected, Tagged};
use super::extract::Body;
use super::users::{send_link, to_wire, zone};
use crate::app::App;
use crate::auth::guard::cookie;
use crate::auth::{COOKIE, Principal, password};
use crate::connections::Client;
use crate::error::{Faults, Problem, Result};
use crate::store::secrets::Purpose;
use crate::store::{Actor, Change, audit::Entry, operator, reach, secrets, users};
use crate::wire;

/// How long a session lasts: a working day.
const SESSION: Duration = Duration::from_seconds(12 * 3600);

/// The routes of this file.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(sign_in, who, sign_out))
        .routes(routes!(join))
        .routes(routes!(ask_for_reset))
        .routes(routes!(profile, settle))
}

/// A session that begins: its cookie's secret, and who it is.
pub(super) struct SignedIn {
    secret: String,
    /// Who is signed in.
    pub(super) session: wire::users::Session,
}

impl SignedIn {
    /// The header that sets its cookie.
    pub(super) fn headers(&self) -> Result<HeaderMap> {
        set_cookie(&self.secret, SESSION.as_millis() / 1000)
    }
}

fn set_cookie(value: &str, seconds: i64) -> Result<HeaderMap> {
    let cookie = format!("{COOKIE}={value}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age={seconds}");
    let mut headers = HeaderMap::new();
    headers.insert(header::SET_COOKIE, HeaderValue::from_str(&cookie).map_err(Problem::internal)?);
    Ok(headers)
}

/// Begins a session for a user, within a change.
pub(super) async fn begin(change: &mut Change, user: &str) -> Result<SignedIn> {
    let secret = secrets::fresh()?;
    let at = change.at();
    secrets::add_session(change.on(), &secret, user, at, at.plus(SESSION)).await?;
    let session = session_of(change.on(), user, at).await?;
    let mut entry = Entry::new("session.begun", format!("user:{user}"));
    entry.occupier.clone_from(&session.user.occupier);
    change.note(entry);
    Ok(SignedIn { secret, session })
}

async fn session_of(on: &mut sqlx::SqliteConnection, user: &str, at: Instant) -> Result<wire::users::Session> {
    let found = users::get(on, user).await?.ok_or_else(|| Problem::internal("a session without a user"))?;
    let operator = operator::get(on).await?;
    let zone = operator.as_ref().and_then(|operator| Zone::load(&operator.zone)).unwrap_or_else(Zone::utc);
    let (name, support_contact) =
        operator.map(|operator| (operator.name, operator.support_contact)).unwrap_or_default();
    Ok(wire::users::Session {
        user: to_wire(&zone, found),
        operator: name,
        support_contact,
        logo: super::logo::address(on).await?,
        today: Some(zone.to_local(at).date().to_string()),
    })
}

/// Signs in: sets a cookie that lasts twelve hours.
#[utoipa::path(post, path = "/api/v1/session", tag = "session", security(()), request_body = wire::users::SignIn, responses(
    (status = 201, description = "Signed in: a session's cookie is set", body = wire::users::Session),
    (status = 401, description = "E-mail address or password is wrong"),
    (status = 409, description = "They are good for several companies: say which"),
    (status = 429, description = "Too many attempts")
))]
async fn sign_in(
    State(app): State<App>,
    client: Option<Extension<Client>>,
    Body(given): Body<wire::users::SignIn>,
) -> Result<Response> {
    let now = app.clock.now();
    let email = given.email.trim().to_lowercase();
    let from_here = from(&email, client);
    let too_many = |seconds| {
        Problem::new("auth.too_many_attempts", "too many failed attempts for this address")
            .help("wait, or ask for a link to choose another password")
            .retry_after(seconds)
    };
    // Counted before it is known how it ends: many at once are as many. Strangers elsewhere do not lock anybody out, unless
    // they are from many networks.
    app.sign_ins.count(&from_here, now).map_err(too_many)?;
    app.sign_ins_from_anywhere.count(&email, now).map_err(too_many)?;
    let known = users::by_email(app.store.read().await?.on(), &email).await?;
    let accounts = with_password(known, given.password).await?;
    let wrong = || {
        Problem::new("auth.wrong_credentials", "no user has this e-mail address and password")
            .help("ask for a link to choose another password, if you forgot it")
    };
    let mut may = Vec::new();
    for account in accounts {
        let mut reader = app.store.read().await?;
        let is_active = users::get(reader.on(), &account.user).await?.is_some_and(|user| user.state == "active");
        let is_open = account.company.is_empty() || reach::portal_is_open(reader.on(), &account.company).await?;
        if is_active && is_open {
            may.push(account);
        }
    }
    if may.is_empty() {
        return Err(wrong());
    }
    let user = of_company(may, given.company.as_deref()).map_err(|problem| problem.unwrap_or_else(wrong))?.user;
    let mut change = app.store.change(&Actor::User(user.clone()), now).await?;
    app.sign_ins.forget(&from_here);
    app.sign_ins_from_anywhere.forget(&email);
    let signed_in = begin(&mut change, &user).await?;
    change.commit().await?;
    Ok((StatusCode::CREATED, signed_in.headers()?, axum::Json(signed_in.session)).into_response())
}

/// What attempts for an e-mail address from one network are counted by.
fn from(email: &str, client: Option<Extension<Client>>) -> String {
    let network = client.map(|Extension(client)| client.network()).unwrap_or_default();
    format!("{network} {email}")
}

/// Those accounts that a password opens. It takes as long where there is none.
async fn with_password(known: Vec<users::Account>, given: String) -> Result<Vec<users::Account>> {
    if known.is_empty() {
        password::verify(given, None).await?;
        return Ok(known);
    }
    let mut opened = Vec::new();
    for account in known {
        if password::verify(given.clone(), account.password.clone()).await? {
            opened.push(account);
        }
    }
    Ok(opened)
}

/// The account of the company that was named; if none was, the only one there is. `None` stands for wrong credentials.
fn of_company(
    accounts: Vec<users::Account>,
    company: Option<&str>,
) -> std::result::Result<users::Account, Option<Problem>> {
    let of =
        |account: &users::Account| if account.company.is_empty() { "operator" } else { &account.company }.to_owned();
    let companies: Vec<String> = accounts.iter().map(of).collect();
    let mut left = accounts.into_iter().filter(|account| company.is_none_or(|company| company == of(account)));
    match (left.next(), left.next()) {
        (Some(account), None) => Ok(account),
        (None, _) => Err(None),
        (Some(_), Some(_)) => Err(Some(
            Problem::new("auth.company_needed", "this address and password are good for several companies")
                .help(format!("say which as `company`: {}", companies.join(", "))),
        )),
    }
}

/// Says who is signed in.
#[utoipa::path(get, path = "/api/v1/session", tag = "session", responses(
    (status = 200, description = "Who is signed in", body = wire::users::Session),
    (status = 401, description = "Nobody is")
))]
async fn who(State(app): State<App>, principal: Principal) -> Result<axum::Json<wire::users::Session>> {
    let Principal::User { id, .. } = principal else {
        return Err(Problem::new("auth.not_allowed", "a token has no session"));
    };
    Ok(axum::Json(session_of(app.store.read().await?.on(), &id, app.clock.now()).await?))
}

/// Signs out.
#[utoipa::path(delete, path = "/api/v1/session", tag = "session", responses((status = 204, description = "Signed out")))]
async fn sign_out(State(app): State<App>, principal: Principal, headers: HeaderMap) -> Result<Response> {
    let Some(secret) = cookie(&headers) else { return Ok(StatusCode::NO_CONTENT.into_response()) };
    let mut change = app.store.change(&principal.actor(), app.clock.now()).await?;
    secrets::end_session(change.on(), secret).await?;
    let mut entry = Entry::new("session.ended", principal.actor().to_string());
    entry.occupier = principal.occupier().map(str::to_owned);
    change.note(entry);
    change.commit().await?;
    Ok((StatusCode::NO_CONTENT, set_cookie("", 0)?).into_response())
}

/// Follows the link of a mail: chooses a password, and signs in.
#[utoipa::path(post, path = "/api/v1/invitation", tag = "session", security(()), request_body = wire::users::Joining, responses(
    (status = 201, description = "Signed in: a session's cookie is set", body = wire::users::Session),
    (status = 404, description = "The link is not valid, or not any more"),
    (status = 422, description = "The password is too weak")
))]
async fn join(
    State(app): State<App>,
    client: Option<Extension<Client>>,
    Body(given): Body<wire::users::Joining>,
) -> Result<Response> {
    let now = app.clock.now();
    let void = || {
        Problem::new("auth.invitation_invalid", "this link is not valid, or was used, or is too old")
            .help("ask for another one")
    };
    let user = {
        let mut reader = app.store.read().await?;
        let id = secrets::invited(reader.on(), &given.secret, now).await?.ok_or_else(void)?;
        users::get(reader.on(), &id).await?.filter(|user| user.state != "closed").ok_or_else(void)?
    };
    let email = user.person.as_ref().map(|person| person.email.clone()).unwrap_or_default();
    password::check(&given.password, &email)?;
    let hash = password::hash(given.password).await?;
    let mut change = app.store.change(&Actor::User(user.id.clone()), now).await?;
    if !secrets::use_invitation(change.on(), &given.secret, now).await? {
        return Err(void());
    }
    if let Some(occupier) = &user.occupier
        && !reach::portal_is_open(change.on(), occupier).await?
    {
        return Err(void());
    }
    users::set_password(change.on(), &user.id, &hash).await?;
    secrets::end_sessions_of(change.on(), &user.id).await?;
    let mut entry = Entry::new("user.password_chosen", format!("user:{}", user.id));
    entry.occupier.clone_from(&user.occupier);
    change.note(entry);
    let signed_in = begin(&mut change, &user.id).await?;
    change.commit().await?;
    let email = email.to_lowercase();
    app.sign_ins.forget(&from(&email, client));
    app.sign_ins_from_anywhere.forget(&email);
    Ok((StatusCode::CREATED, signed_in.headers()?, axum::Json(signed_in.session)).into_response())
}

/// Has a link mailed to choose another password. The answer is the same whether or not there is such a user.
#[utoipa::path(post, path = "/api/v1/password-resets", tag = "session", security(()), request_body = wire::users::ResetRequest, responses(
    (status = 202, description = "If there is such a user, a mail is on its way"),
    (status = 429, description = "Too many attempts")
))]
async fn ask_for_reset(State(app): State<App>, Body(given): Body<wire::users::ResetRequest>) -> Result<StatusCode> {
    let now = app.clock.now();
    let email = given.email.trim().to_lowercase();
    app.sign_ins.count(&format!("reset:{email}"), now).map_err(|seconds| {
        Problem::new("auth.too_many_attempts", "too many links were asked for").retry_after(seconds)
    })?;
    // Neither the answer nor how long it takes tells whether there is such a user: what goes wrong stands in the log.
    tokio::spawn(async move {
        if let Err(problem) = mail_links(&app, &email).await {
            tracing::warn!(%problem, "a link to choose another password was not sent");
        }
    });
    Ok(StatusCode::ACCEPTED)
}

/// Mails a link to choose another password to each user of an e-mail address.
async fn mail_links(app: &App, email: &str) -> Result<()> {
    let found = users::by_email(app.store.read().await?.on(), email).await?;
    for account in found.into_iter().filter(|account| account.password.is_some()) {
        let mut change = app.store.change(&Actor::User(account.user.clone()), app.clock.now()).await?;
        let letter = send_link(app, &mut change, &account.user, Purpose::Reset).await?;
        change.commit().await?;
        app.mailer.send(&letter).await?;
    }
    Ok(())
}

/// The user who is signed in.
async fn me(on: &mut sqlx::SqliteConnection, principal: &Principal) -> Result<users::User> {
    let Principal::User { id, .. } = principal else {
        return Err(Problem::new("auth.not_allowed", "a token has no profile"));
    };
    users::get(on, id).await?.ok_or_else(|| Problem::internal("a session without a user"))
}

/// Shows one's own profile.
#[utoipa::path(get, path = "/api/v1/profile", tag = "session", responses(
    (status = 200, description = "Oneself", body = wire::users::User)
))]
async fn profile(State(app): State<App>, principal: Principal) -> Result<Tagged<wire::users::User>> {
    let mut reader = app.store.read().await?;
    let user = me(reader.on(), &principal).await?;
    let zone = zone(reader.on()).await?;
    Ok(Tagged(user.revision, to_wire(&zone, user)))
}

/// Changes one's own name and language. Role, sites and address are not one's own to change.
#[utoipa::path(put, path = "/api/v1/profile", tag = "session", request_body = wire::users::Profile,
    params(("If-Match" = String, Header, description = "The `ETag` of the state that is changed")),
    responses((status = 200, description = "Changed", body = wire::users::User), (status = 412), (status = 422), (status = 428)))]
async fn settle(
    State(app): State<App>,
    principal: Principal,
    expected: Expected,
    Body(given): Body<wire::users::Profile>,
) -> Result<Tagged<wire::users::User>> {
    let mut faults = Faults::default();
    faults.text("/name", &given.name, 200);
    faults.text("/language", &given.language, 20);
    faults.finish()?;
    let mut change = app.store.change(&principal.actor(), app.clock.now()).await?;
    let mut user = me(change.on(), &principal).await?;
    expected.meets(user.revision)?;
    if let Some(person) = &mut user.person {
        person.name = given.name.trim().to_owned();
        person.language = given.language;
    }
    users::update(change.on(), &user).await?;
    let zone = zone(change.on()).await?;
    let mut entry = Entry::new("user.profile_changed", format!("user:{}", user.id));
    entry.occupier.clone_from(&user.occupier);
    change.note(entry);
    let changed = me(change.on(), &principal).await?;
    change.commit().await?;
    Ok(Tagged(changed.revision, to_wire(&zone, changed)))
}
