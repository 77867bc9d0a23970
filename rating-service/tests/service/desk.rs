//! A service in a folder of its own, at a time of its own, and who talks to it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode, header};
use http_body_util::BodyExt;
use rating_core::time::Instant;
use rating_service::app::App;
use rating_service::clock::Clock;
use rating_service::config::Config;
use serde_json::{Value, json};
use tower::ServiceExt;

/// When tests begin unless they say otherwise: Monday, 2 November 2026, 09:00 in London.
pub(crate) const NOW: &str = "2026-11-02T09:00:00Z";
/// The password of everybody.
pub(crate) const PASSWORD: &str = "correct horse battery staple";

/// Everything an occupier may see.
pub(crate) static LEVEL: std::sync::LazyLock<Value> = std::sync::LazyLock::new(|| {
    json!({ "summary_charges": true, "itemised_calls": true, "called_numbers": "full", "usage_to_date": true,
        "allowance_left": true })
});

/// A service for one test.
#[derive(Clone)]
pub(crate) struct Desk {
    pub(crate) app: App,
    pub(crate) clock: Clock,
    router: Router,
    folder: Arc<tempfile::TempDir>,
    made: Arc<AtomicUsize>,
}

/// Somebody who talks to it: a session's cookie, a token, or nobody.
#[derive(Clone, Debug)]
pub(crate) enum Who {
    Nobody,
    Session(String),
    Token(String),
}

/// What it answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&self.body)))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The body, if the status is the one expected.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        self
    }

    /// That it was refused with this status and code.
    #[track_caller]
    pub(crate) fn refused(self, status: u16, code: &str) -> Self {
        assert_eq!((self.status.as_u16(), self.code().as_str()), (status, code), "{}", self.text());
        assert_eq!(self.header("content-type"), "application/problem+json");
        self
    }
}

impl Desk {
    /// A service that nobody has set up yet.
    pub(crate) async fn new() -> Self {
        Self::at(NOW).await
    }

    /// A service that nobody has set up yet, at a time.
    pub(crate) async fn at(now: &str) -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let clock = Clock::fixed(Instant::parse_rfc3339(now).unwrap());
        let app = App::open(Config::local(folder.path()), clock.clone()).await.unwrap();
        let router = rating_service::http::router(&app).unwrap();
        Self { app, clock, router, folder, made: Arc::default() }
    }

    /// The same folder, served by a new process, as it were.
    pub(crate) async fn started_again(&self) -> Self {
        self.started_with(|_| {}).await
    }

    /// The same folder, served with other settings.
    pub(crate) async fn started_with(&self, settle: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::local(self.folder.path());
        settle(&mut config);
        let app = App::open(config, self.clock.clone()).await.unwrap();
        let router = rating_service::http::router(&app).unwrap();
        Self { app, router, ..self.clone() }
    }

    /// A service with its operator, and the operator's administrator.
    pub(crate) async fn set_up() -> (Self, Who) {
        let desk = Self::new().await;
        let administrator = desk.first_administrator().await;
        (desk, administrator)
    }

    /// Sets the operator up.
    pub(crate) async fn first_administrator(&self) -> Who {
        let link = self.app.setup_link().await.unwrap().unwrap();
        let secret = link.split_once('#').unwrap().1;
        let body = json!({
            "secret": secret,
            "operator_id": "harbour",
            "operator": { "name": "Harbour Workspaces", "currency": "GBP", "zone": "Europe/London" },
            "administrator": { "email": "ada@example.com", "name": "Ada", "password": PASSWORD },
        });
        let answer = self.post(&Who::Nobody, "/api/v1/setup", body).await.expect(201);
        Self::session(&answer)
    }

    /// The session that an answer begins.
    pub(crate) fn session(answer: &Answer) -> Who {
        let cookie = answer.header("set-cookie");
        Who::Session(cookie.split(';').next().unwrap().split_once('=').unwrap().1.to_owned())
    }

    /// A token with these scopes, at all sites or some.
    pub(crate) async fn token(&self, administrator: &Who, scopes: &[&str], sites: Option<&[&str]>) -> Who {
        let body = json!({ "name": "test", "scopes": scopes, "sites": sites });
        let answer = self.post(administrator, "/api/v1/tokens", body).await.expect(201);
        Who::Token(answer.json()["secret"].as_str().unwrap().to_owned())
    }

    /// Two sites: `ldn` in London, `nyc` in New York.
    pub(crate) async fn sites(&self, administrator: &Who) {
        for (id, name, zone, country, area) in [
            ("ldn", "London, Harbour House", "Europe/London", "GB", "20"),
            ("nyc", "New York, Pier 12", "America/New_York", "US", "212"),
        ] {
            let settings = json!({ "name": name, "zone": zone, "country": country, "area_code": area });
            self.post(administrator, "/api/v1/sites", json!({ "id": id, "settings": settings })).await.expect(201);
        }
    }

    /// An occupier of that name and id, and its contact, as the customer system brings them.
    pub(crate) async fn occupier(&self, administrator: &Who, id: &str) {
        let sync = self.token(administrator, &["sync"], None).await;
        let contact = json!({ "name": "Wile", "email": format!("wile@{id}.example"), "phone": "+442079460999" });
        let address = format!("/api/v1/occupiers/by-external-id/crm/{id}");
        let body = json!({ "name": id, "contact": contact });
        let made = self.ask(&sync, "PUT", &address, Some(body), &[]).await.expect(201).json();
        assert_eq!(made["id"], id);
    }

    /// A contract `{occupier}-{site}` from a day on.
    pub(crate) async fn contract(&self, who: &Who, occupier: &str, site: &str, from: &str) -> String {
        let body = json!({ "site": site, "settings": { "from": from } });
        let address = format!("/api/v1/occupiers/{occupier}/contracts");
        self.post(who, &address, body).await.expect(201).json()["id"].as_str().unwrap().to_owned()
    }

    /// A product `voice` at a site that brings so many lines.
    pub(crate) async fn product(&self, who: &Who, site: &str, lines: u32) {
        let settings = json!({ "name": "Voice", "lines": lines, "tariff": "standard", "price_per_month": "12.50" });
        let body = json!({ "id": "voice", "settings": settings });
        self.post(who, &format!("/api/v1/sites/{site}/products"), body).await.expect(201);
    }

    /// The product `voice`, assigned to an occupier at a site; what was answered.
    pub(crate) async fn voice(&self, who: &Who, occupier: &str, site: &str, quantity: u32) -> Answer {
        let body = json!({ "site": site, "product": "voice", "quantity": quantity });
        self.post(who, &format!("/api/v1/occupiers/{occupier}/services"), body).await
    }

    /// Activates an occupier's portal with everything to be seen; its first administrator, `admin@{occupier}.example`.
    pub(crate) async fn portal(&self, administrator: &Who, occupier: &str) -> Who {
        let email = format!("admin@{occupier}.example");
        let body = json!({ "level": LEVEL.clone(), "administrator": { "email": email, "name": "Ann" } });
        self.post(administrator, &format!("/api/v1/occupiers/{occupier}/portal/activate"), body).await.expect(200);
        self.follow_link_to(&email).await
    }

    /// A user of an occupier whose portal is active, who follows its link: its id, and itself.
    pub(crate) async fn occupier_user(
        &self,
        who: &Who,
        occupier: &str,
        role: &str,
        sites: Option<&[&str]>,
    ) -> (String, Who) {
        let email = format!("user{}@{occupier}.example", self.made.fetch_add(1, Ordering::SeqCst));
        let body = json!({ "email": email, "settings": { "name": "Somebody", "role": role, "sites": sites } });
        let made = self.post(who, &format!("/api/v1/occupiers/{occupier}/users"), body).await.expect(201).json();
        (made["id"].as_str().unwrap().to_owned(), self.follow_link_to(&email).await)
    }

    /// An occupier with a contract at a site from a day on, and a service of so many voice lines (none: no service).
    pub(crate) async fn lease(&self, occupier: &str, site: &str, from: &str, lines: u32) {
        let actor = rating_service::store::Actor::Service;
        let from = rating_core::time::Zone::utc().bound(from).unwrap().as_millis();
        let mut change = self.app.store.change(&actor, self.clock.now()).await.unwrap();
        for sql in [
            format!(
                "INSERT INTO occupier (id, name, kind, billing_reference, created_at) \
                 VALUES ('{occupier}', '{occupier} Ltd', 'residential', 'B-{occupier}', 0) ON CONFLICT DO NOTHING"
            ),
            format!(
                "INSERT INTO contract (id, occupier, site, name, valid_from, created_at) \
                 VALUES ('{occupier}-{site}', '{occupier}', '{site}', '{site}', {from}, 0)"
            ),
            format!(
                "INSERT INTO service (id, contract, product, quantity, lines, tariff, allowance, service_level, features, \
                 created_at) SELECT 's-{occupier}-{site}', '{occupier}-{site}', 'voice', 1, {lines}, '', '', '', '[]', 0 \
                 WHERE {lines} > 0"
            ),
        ] {
            sqlx::query(sqlx::AssertSqlSafe(sql)).execute(change.on()).await.unwrap();
        }
        change.commit_unnoted().await.unwrap();
    }

    /// Does something to numbers of a site.
    pub(crate) async fn command(&self, who: &Who, site: &str, numbers: &[&str], command: Value) -> Answer {
        let body = json!({ "which": { "numbers": numbers }, "command": command });
        self.post(who, &format!("/api/v1/sites/{site}/numbers/commands"), body).await
    }

    /// Takes a range of numbers into a site's pool, since the beginning of the year.
    pub(crate) async fn provision(&self, who: &Who, site: &str, first: &str, last: &str) {
        let body = json!({ "which": { "first": first, "last": last }, "at": "2026-01-01" });
        self.post(who, &format!("/api/v1/sites/{site}/numbers"), body).await.expect(200);
    }

    /// An invited user of the operator who follows its link.
    pub(crate) async fn operator_user(&self, administrator: &Who, role: &str, sites: Option<&[&str]>) -> Who {
        let email = format!("user{}@example.com", self.made.fetch_add(1, Ordering::SeqCst));
        let body = json!({ "email": email, "settings": { "name": "Somebody", "role": role, "sites": sites } });
        self.post(administrator, "/api/v1/users", body).await.expect(201);
        self.follow_link_to(&email).await
    }

    /// Signs in with everybody's password.
    pub(crate) async fn sign_in(&self, email: &str) -> Who {
        let body = json!({ "email": email, "password": PASSWORD });
        Self::session(&self.post(&Who::Nobody, "/api/v1/session", body).await.expect(201))
    }

    /// Chooses a password by the newest link mailed to an address.
    pub(crate) async fn follow_link_to(&self, email: &str) -> Who {
        let body = json!({ "secret": self.secret_mailed_to(email), "password": PASSWORD });
        Self::session(&self.post(&Who::Nobody, "/api/v1/invitation", body).await.expect(201))
    }

    /// The mails sent to an address, newest last.
    pub(crate) fn mails_to(&self, email: &str) -> Vec<String> {
        let mut mails: Vec<(std::time::SystemTime, String)> = std::fs::read_dir(self.folder.path().join("mail"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "eml"))
            .map(|path| {
                let text = std::fs::read_to_string(&path).unwrap();
                // Lines that quoted-printable broke are joined again.
                (path.metadata().unwrap().modified().unwrap(), text.replace("=\r\n", "").replace("=3D", "="))
            })
            .filter(|(_, text)| text.contains(&format!("To: {email}")))
            .collect();
        mails.sort();
        mails.into_iter().map(|(_, text)| text).collect()
    }

    /// The same, once there are so many: links to choose another password are mailed after the answer.
    pub(crate) async fn awaits_mails_to(&self, email: &str, count: usize) -> Vec<String> {
        for _ in 0..500 {
            let mails = self.mails_to(email);
            if mails.len() >= count {
                return mails;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        panic!("{} mails to {email} in ten seconds, not {count}", self.mails_to(email).len())
    }

    /// The secret of the newest link mailed to an address.
    pub(crate) fn secret_mailed_to(&self, email: &str) -> String {
        let mails = self.mails_to(email);
        let newest = mails.last().unwrap_or_else(|| panic!("no mail to {email}"));
        newest.split_once("/join#").unwrap().1.split_whitespace().next().unwrap().to_owned()
    }

    /// Another service, at the same time.
    pub(crate) fn beside(&self, app: App) -> Self {
        let router = rating_service::http::router(&app).unwrap();
        Self { app, clock: self.clock.clone(), router, folder: Arc::clone(&self.folder), made: Arc::default() }
    }

    /// The data folder.
    pub(crate) fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    pub(crate) async fn get(&self, who: &Who, address: &str) -> Answer {
        self.ask(who, "GET", address, None, &[]).await
    }

    pub(crate) async fn post(&self, who: &Who, address: &str, body: Value) -> Answer {
        self.ask(who, "POST", address, Some(body), &[]).await
    }

    /// Changes a configuration as it is read just now.
    pub(crate) async fn put(&self, who: &Who, address: &str, body: Value) -> Answer {
        let tag = self.get(who, address).await.header("etag").to_owned();
        self.ask(who, "PUT", address, Some(body), &[("if-match", &tag)]).await
    }

    pub(crate) async fn delete(&self, who: &Who, address: &str) -> Answer {
        self.ask(who, "DELETE", address, None, &[]).await
    }

    /// Any request.
    pub(crate) async fn ask(
        &self,
        who: &Who,
        method: &str,
        address: &str,
        body: Option<Value>,
        headers: &[(&str, &str)],
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(address).header("host", "127.0.0.1:8080");
        match who {
            Who::Nobody => {}
            Who::Session(secret) => {
                request = request
                    .header(header::COOKIE, format!("__Host-rating={secret}"))
                    .header(header::ORIGIN, "http://127.0.0.1:8080");
            }
            Who::Token(secret) => request = request.header(header::AUTHORIZATION, format!("Bearer {secret}")),
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = match body {
            Some(body) => {
                request = request.header(header::CONTENT_TYPE, "application/json");
                Body::from(body.to_string())
            }
            None => Body::empty(),
        };
        self.answer(request.body(body).unwrap()).await
    }

    /// A request with a body that is no JSON.
    pub(crate) async fn send(&self, who: &Who, method: &str, address: &str, media: &str, body: Vec<u8>) -> Answer {
        let mut request = Request::builder().method(method).uri(address).header("host", "127.0.0.1:8080");
        match who {
            Who::Nobody => {}
            Who::Session(secret) => {
                request = request
                    .header(header::COOKIE, format!("__Host-rating={secret}"))
                    .header(header::ORIGIN, "http://127.0.0.1:8080");
            }
            Who::Token(secret) => request = request.header(header::AUTHORIZATION, format!("Bearer {secret}")),
        }
        self.answer(request.header(header::CONTENT_TYPE, media).body(Body::from(body)).unwrap()).await
    }

    /// A form of one of our pages, sent by a browser.
    pub(crate) async fn form(&self, who: &Who, address: &str, fields: &str) -> Answer {
        let mut request = Request::builder()
            .method("POST")
            .uri(address)
            .header("host", "127.0.0.1:8080")
            .header(header::ORIGIN, "http://127.0.0.1:8080")
            .header("sec-fetch-site", "same-origin")
            .header(header::ACCEPT, "text/html,application/xhtml+xml")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        if let Who::Session(secret) = who {
            request = request.header(header::COOKIE, format!("__Host-rating={secret}"));
        }
        self.answer(request.body(Body::from(fields.to_owned())).unwrap()).await
    }

    pub(crate) async fn answer(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes().to_vec();
        Answer { status: parts.status, headers: parts.headers, body }
    }
}
