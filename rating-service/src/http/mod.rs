//! Routes and handlers, a file for each resource. One router makes the routes and their OpenAPI document.

pub mod active_services;
pub mod audit;
mod beside;
pub mod charges;
pub mod conditions;
pub mod contracts;
pub mod decommission;
pub mod exports;
pub mod extract;
pub mod files;
pub mod handling;
pub mod health;
pub mod idempotency;
pub mod known;
pub mod logo;
pub mod months;
pub mod numbers;
pub mod occupier_users;
pub mod occupiers;
pub mod operator;
pub mod portal;
pub mod products;
mod ranges;
pub mod rates;
pub mod reports;
pub mod services;
pub mod session;
pub mod settings;
pub mod setup;
pub mod sites;
pub mod sources;
pub mod tariffs;
pub(crate) mod telephony;
pub mod tokens;
pub mod users;

use std::any::Any;

use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer};
use tower_http::trace::TraceLayer;
use tracing::Instrument;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, ResponseBuilder};
use utoipa::{OpenApi, PartialSchema};
use utoipa_axum::router::OpenApiRouter;

use crate::app::App;
use crate::auth::guard::guard;
use crate::error::{Problem, Result};
use crate::portal as pages;
use crate::portal::api::Api;
use crate::wire;

/// The document that the router completes with its routes.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Rating service",
        description = "Occupiers, numbers, months and reports of a workspace operator.\n\nProblems are RFC 9457 documents with a stable `code`. Lists are paged by cursor (`after`, `limit`). Creating requests take an `Idempotency-Key`. Settings are changed with `If-Match`.",
    ),
    security(("session" = []), ("token" = [])),
)]
struct Document;

fn api() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(Document::openapi())
        .merge(health::routes())
        .merge(setup::routes())
        .merge(session::routes())
        .merge(operator::routes())
        .merge(known::routes())
        .merge(logo::routes())
        .merge(sites::routes())
        .merge(occupiers::routes())
        .merge(contracts::routes())
        .merge(products::routes())
        .merge(services::routes())
        .merge(active_services::routes())
        .merge(portal::routes())
        .merge(occupier_users::routes())
        .merge(decommission::routes())
        .merge(numbers::routes())
        .merge(handling::routes())
        .merge(sources::routes())
        .merge(files::routes())
        .merge(months::routes())
        .merge(settings::routes())
        .merge(rates::routes())
        .merge(reports::routes())
        .merge(charges::routes())
        .merge(tariffs::routes())
        .merge(exports::routes())
        .merge(users::routes())
        .merge(tokens::routes())
        .merge(audit::routes())
}

/// The OpenAPI document.
#[must_use]
pub fn document() -> utoipa::openapi::OpenApi {
    let mut document = api().to_openapi();
    let components = document.components.get_or_insert_default();
    components
        .add_security_scheme("session", SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(crate::auth::COOKIE))));
    components
        .add_security_scheme("token", SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build()));
    components.schemas.insert("Problem".to_owned(), wire::Problem::schema());
    let problem = ResponseBuilder::new()
        .description("A problem, as RFC 9457 has it: the same for every route")
        .content(
            "application/problem+json",
            ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build(),
        )
        .build();
    for item in document.paths.paths.values_mut() {
        for operation in [&mut item.get, &mut item.post, &mut item.put, &mut item.delete].into_iter().flatten() {
            let problem = RefOr::T(problem.clone());
            operation.responses.responses.entry("default".to_owned()).or_insert(problem);
        }
    }
    document
}

/// The service's routes behind their guard, ready to be served.
///
/// # Errors
///
/// A route is not in the policy, or the policy names one that there is not: faults of this program.
pub fn router(app: &App) -> Result<Router> {
    let document = document();
    agrees(app, &document)?;
    let guarded = |routes: Router<App>| {
        routes
            .route_layer(middleware::from_fn_with_state(app.clone(), idempotency::once))
            .route_layer(middleware::from_fn_with_state(app.clone(), guard))
    };
    let within = Api::new(guarded(api().split_for_parts().0).with_state(app.clone()));
    let (routes, _) = api().split_for_parts();
    let json = serde_json::to_value(&document).map_err(Problem::internal)?;
    let openapi = axum::routing::get(move || async move { Json(json) });
    let limits = &app.config.limits;
    let face = (app.clone(), within.clone());
    let routes = routes.merge(pages::routes(within)).route("/api/v1/openapi.json", openapi);
    let quick = guarded(routes)
        .layer(middleware::from_fn(to_its_end))
        .layer(middleware::from_fn_with_state(app.clone(), in_time))
        .layer(DefaultBodyLimit::max(limits.body))
        .method_not_allowed_fallback(method_not_allowed)
        .fallback(no_such_address)
        .layer(middleware::from_fn_with_state(face, pages::face::face))
        .with_state(app.clone());
    Ok(Router::from(
        utoipa_swagger_ui::SwaggerUi::new("/api/docs").config(utoipa_swagger_ui::Config::from("/api/v1/openapi.json")),
    )
    .merge(quick)
    .layer(CompressionLayer::new())
    .layer(middleware::from_fn(secure))
    .layer(CatchPanicLayer::custom(panicked))
    .layer(middleware::from_fn(measure))
    .layer(TraceLayer::new_for_http().make_span_with(span))
    .layer(PropagateRequestIdLayer::x_request_id())
    .layer(SetRequestIdLayer::x_request_id(MakeRequestUuid)))
}

/// Routes that take as long as the file that is sent.
const UPLOADS: [(Method, &str); 6] = [
    (Method::PUT, "/api/v1/sources/{source}/files/{name}"),
    (Method::PUT, "/api/v1/files/{folder}/{file}"),
    (Method::POST, "/sources/{source}/files"),
    (Method::POST, "/tariffs/drafts"),
    (Method::POST, "/tariffs/drafts/keep"),
    (Method::POST, "/tariffs/files"),
];

/// Answers in the time that a request may take, uploads apart. What is sent after the answer has begun may take longer.
async fn in_time(State(app): State<App>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    if UPLOADS.iter().any(|(method, upload)| request.method() == method && route == *upload) {
        return next.run(request).await;
    }
    let limit = app.config.limits.answer;
    tokio::time::timeout(limit, next.run(request)).await.unwrap_or_else(|_| {
        let what = format!("there is no answer after {} s", limit.as_secs());
        Problem::new("request.timeout", what)
            .help("a change that was begun goes on: look at what it was about before you ask again")
            .into_response()
    })
}

/// Does what changes something to its end, though its client goes or its time is up: what waits for the engine's turn, or
/// has an answer to keep, is not left half done.
async fn to_its_end(request: Request, next: Next) -> Response {
    if request.method().is_safe() {
        return next.run(request).await;
    }
    let done = tokio::spawn(next.run(request).in_current_span()).await;
    done.unwrap_or_else(|error| Problem::internal(error).into_response())
}

/// That routes and policy name each other, all of them.
fn agrees(app: &App, document: &utoipa::openapi::OpenApi) -> Result<()> {
    let mut routes = vec![("GET", "/api/v1/openapi.json".to_owned())];
    routes.extend(pages::all().map(|(method, route)| (method, route.to_owned())));
    for (path, item) in &document.paths.paths {
        let operations = [
            ("GET", &item.get),
            ("POST", &item.post),
            ("PUT", &item.put),
            ("DELETE", &item.delete),
            ("PATCH", &item.patch),
        ];
        let there = operations.into_iter().filter(|(_, operation)| operation.is_some());
        routes.extend(there.map(|(method, _)| (method, path.clone())));
    }
    if let Some((method, route)) = routes.iter().find(|(method, route)| app.policy.rule(method, route).is_none()) {
        return Err(Problem::internal(format!("{method} {route} has no line in the policy")));
    }
    let is_there = |method: &str, route: &str| routes.iter().any(|(have, path)| *have == method && path == route);
    match app.policy.rules().iter().find(|rule| !is_there(&rule.method, &rule.route)) {
        Some(rule) => {
            Err(Problem::internal(format!("the policy names {} {}, which there is not", rule.method, rule.route)))
        }
        None => Ok(()),
    }
}

async fn no_such_address() -> Problem {
    Problem::new("request.no_such_address", "there is nothing here").help("/api/docs shows what there is")
}

async fn method_not_allowed() -> Problem {
    Problem::new("request.method_not_allowed", "this address does not know the method")
        .help("/api/docs shows what there is")
}

fn panicked(what: Box<dyn Any + Send + 'static>) -> Response {
    let what =
        what.downcast_ref::<&str>().map(|text| (*text).to_owned()).or_else(|| what.downcast_ref::<String>().cloned());
    Problem::internal(what.unwrap_or_else(|| "a panic".to_owned())).into_response()
}

/// What the log says of a request: no address's parameters, no names, no numbers.
fn span(request: &Request) -> tracing::Span {
    let id = request.headers().get("x-request-id").and_then(|id| id.to_str().ok()).unwrap_or_default();
    let route = request.extensions().get::<MatchedPath>().map_or("-", |matched| matched.as_str());
    tracing::info_span!("request", id, method = %request.method(), route)
}

/// Counts requests by route and status, and how long they take.
async fn measure(request: Request, next: Next) -> Response {
    let begun = std::time::Instant::now();
    let method = request.method().to_string();
    let response = next.run(request).await;
    let route = response.extensions().get::<Route>().map_or("-", |route| route.0.as_str()).to_owned();
    let labels = [("method", method), ("route", route), ("status", response.status().as_u16().to_string())];
    metrics::counter!("rating_http_requests_total", &labels).increment(1);
    metrics::histogram!("rating_http_request_seconds", &labels).record(begun.elapsed().as_secs_f64());
    response
}

/// The pattern of the route that answered.
#[derive(Debug, Clone)]
pub struct Route(pub String);

/// Headers that keep browsers from doing what the pages do not need.
async fn secure(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let all: [(HeaderName, &str); 6] = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'; \
             base-uri 'none'; form-action 'self'; object-src 'none'",
        ),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    for (name, value) in all {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}
