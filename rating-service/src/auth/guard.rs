//! The guard before every route: who asks, whether the policy lets them, and whether what they ask for is theirs.

use axum::extract::{MatchedPath, RawPathParams, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use rating_core::time::Instant;

use super::policy::Rule;
use super::{COOKIE, Principal, Role, Sites, unknown_occupier};
use crate::app::App;
use crate::error::{Problem, Result};
use crate::http::Route;
use crate::store::{reach, secrets, users};

/// Lets a request through to its handler, with its [`Principal`] if it has one, or answers it.
pub async fn guard(
    State(app): State<App>,
    matched: MatchedPath,
    params: RawPathParams,
    mut request: Request,
    next: Next,
) -> Response {
    let mut response = match admit(&app, matched.as_str(), &params, &mut request).await {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    };
    response.extensions_mut().insert(Route(matched.as_str().to_owned()));
    response
}

async fn admit(app: &App, route: &str, params: &RawPathParams, request: &mut Request) -> Result<()> {
    let rule = app.policy.rule(request.method().as_str(), route).ok_or_else(|| {
        Problem::new("request.method_not_allowed", format!("`{}` is not known here", request.method()))
    })?;
    if let Some(principal) = request.extensions().get::<Principal>().cloned() {
        // A page asks for somebody whom it was let through for: nothing from outside has extensions.
        if !rule.anyone && !rule.allows(&principal) {
            return Err(not_allowed(rule, &principal));
        }
        return within_reach(app, &principal, params).await;
    }
    let principal = principal(app, request.headers()).await?;
    let Some((principal, by_cookie)) = principal else {
        if rule.anyone {
            return Ok(());
        }
        return Err(Problem::new("auth.not_signed_in", "sign in first, or send a token")
            .help("POST /api/v1/session, or `Authorization: Bearer …`"));
    };
    if by_cookie && !request.method().is_safe() {
        same_site(app, request.headers())?;
    }
    app.requests
        .count(&principal.actor().to_string(), app.clock.now())
        .map_err(|seconds| Problem::new("request.too_many", "too many requests in a minute").retry_after(seconds))?;
    if !rule.anyone && !rule.allows(&principal) {
        return Err(not_allowed(rule, &principal));
    }
    within_reach(app, &principal, params).await?;
    request.extensions_mut().insert(principal);
    Ok(())
}

fn not_allowed(rule: &Rule, principal: &Principal) -> Problem {
    Problem::new("auth.not_allowed", "your role may not do this").help(match principal {
        Principal::Machine { .. } => match &rule.token {
            Some(scope) => format!("the token needs the scope `{scope}`"),
            None => "no token may do this: sign in".to_owned(),
        },
        Principal::User { .. } => "ask an administrator".to_owned(),
    })
}

/// Who asks, if anybody can be told, and whether a cookie says so.
async fn principal(app: &App, headers: &HeaderMap) -> Result<Option<(Principal, bool)>> {
    let now = app.clock.now();
    if let Some(token) = bearer(headers) {
        let mut reader = app.store.read().await?;
        let token = secrets::token_of(reader.on(), token, now)
            .await?
            .ok_or_else(|| Problem::new("auth.not_signed_in", "the token is not valid, or not any more"))?;
        let sites = token.sites.map_or(Sites::All, |sites| Sites::Only(sites.into_iter().collect()));
        let scopes = token.scopes.into_iter().collect();
        return Ok(Some((Principal::Machine { id: token.id, scopes, sites }, false)));
    }
    let Some(secret) = cookie(headers) else { return Ok(None) };
    Ok(session(app, secret, now).await?.map(|principal| (principal, true)))
}

/// Whose session it is, if the user may (still) sign in.
async fn session(app: &App, secret: &str, now: Instant) -> Result<Option<Principal>> {
    let mut reader = app.store.read().await?;
    let Some(id) = secrets::session_user(reader.on(), secret, now).await? else { return Ok(None) };
    let Some(user) = users::get(reader.on(), &id).await? else { return Ok(None) };
    if user.state != "active" {
        return Ok(None);
    }
    let Some(role) = Role::parse(&user.role) else { return Ok(None) };
    if let Some(occupier) = &user.occupier
        && !reach::portal_is_open(reader.on(), occupier).await?
    {
        return Ok(None);
    }
    let sites = user.sites.map_or(Sites::All, Sites::Only);
    Ok(Some(Principal::User { id: user.id, role, occupier: user.occupier, sites }))
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ").map(str::trim)
}

/// The session's secret, from the cookies.
#[must_use]
pub fn cookie(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|cookies| cookies.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == COOKIE).map(|(_, value)| value)
}

/// That a browser sends this for a page of ours: a request with a cookie that changes something must say where it comes
/// from (Fetch Metadata; RFC 6454 for `Origin`).
pub(crate) fn same_site(app: &App, headers: &HeaderMap) -> Result<()> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    // Pages that name no referrer have no origin to name.
    let Some(origin) = text("origin").filter(|origin| *origin != "null") else {
        return if text("sec-fetch-site") == Some("same-origin") { Ok(()) } else { Err(cross_site()) };
    };
    // Who was told how the outside reaches it answers under no other name.
    let host = text("host").filter(|host| !host.is_empty() && app.config.public_url.is_none());
    let is_ours = origin == app.config.url()
        || host.is_some_and(|host| origin.split_once("://").is_some_and(|(_, at)| at.eq_ignore_ascii_case(host)));
    if is_ours && text("sec-fetch-site").is_none_or(|site| site == "same-origin" || site == "none") {
        return Ok(());
    }
    Err(cross_site())
}

fn cross_site() -> Problem {
    Problem::new("auth.cross_site", "the request says that it comes from another site, or does not say")
        .help("send `Origin` with the service's own address; machines use a token instead of a cookie")
}

/// That every object the route names is at the caller's sites and of its occupier; otherwise it is unknown.
async fn within_reach(app: &App, principal: &Principal, params: &RawPathParams) -> Result<()> {
    let is_limited = principal.occupier().is_some() || *principal.sites() != Sites::All;
    if !is_limited {
        return Ok(());
    }
    let mut reader = app.store.read().await?;
    for (name, value) in params {
        match name {
            "site" => principal.at(value)?,
            "occupier" => {
                principal.of(value)?;
                if principal.is_operator()
                    && let Some(sites) = principal.sites().filter()
                    && !reach::occupier_is_at(reader.on(), value, &sites).await?
                {
                    return Err(unknown_occupier(value));
                }
            }
            name => {
                let Some(kind) = reach::Kind::of_parameter(name) else { continue };
                // Closed unless known: a text that only the handler can read must not pass by.
                let Some(owner) = reach::owner(reader.on(), kind, value).await? else {
                    return Err(kind.unknown(value));
                };
                let foreign_site = owner.site.as_ref().is_some_and(|site| !principal.sites().has(site));
                let own = principal.occupier();
                let foreign_occupier = own.is_some() && owner.occupier.as_deref() != own;
                if foreign_site || foreign_occupier {
                    return Err(kind.unknown(value));
                }
            }
        }
    }
    Ok(())
}

impl<S: Send + Sync> axum::extract::FromRequestParts<S> for Principal {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        let found = parts.extensions.get::<Self>().cloned();
        found.ok_or_else(|| Problem::new("auth.not_signed_in", "sign in first, or send a token"))
    }
}
