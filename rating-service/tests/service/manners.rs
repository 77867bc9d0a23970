//! HTTP manners: problems, conditions, keys, pages, headers.

use serde_json::json;

use crate::desk::{Desk, Who};

#[tokio::test]
async fn settings_are_changed_only_in_the_state_that_was_read() {
    let (desk, ada) = Desk::set_up().await;
    desk.sites(&ada).await;
    let path = "/api/v1/sites/ldn";
    let settings = json!({ "name": "London", "zone": "Europe/London", "country": "GB" });
    let put = async |tag: &[(&str, &str)]| desk.ask(&ada, "PUT", path, Some(settings.clone()), tag).await;
    put(&[]).await.refused(428, "request.precondition_required");
    let tag = desk.get(&ada, path).await.header("etag").to_owned();
    assert_eq!(put(&[("if-match", &tag)]).await.expect(200).header("etag"), "\"r2\"");
    put(&[("if-match", &tag)]).await.refused(412, "request.precondition_failed");
}

#[tokio::test]
async fn a_creating_request_sent_twice_under_one_key_is_done_once() {
    let (desk, ada) = Desk::set_up().await;
    let body =
        |name: &str| json!({ "id": "ldn", "settings": { "name": name, "zone": "Europe/London", "country": "GB" } });
    let post = async |key: &str, name: &str| {
        desk.ask(&ada, "POST", "/api/v1/sites", Some(body(name)), &[("idempotency-key", key)]).await
    };
    let first = post("one", "London").await.expect(201);
    let again = post("one", "London").await.expect(201);
    assert_eq!(first.body, again.body);
    assert_eq!((again.header("idempotent-replayed"), again.header("location")), ("true", "/api/v1/sites/ldn"));
    post("one", "Londinium").await.refused(422, "idempotency.key_reused");
    post("two", "London").await.refused(409, "site.exists");
    post("", "London").await.refused(400, "idempotency.key_malformed");
}

#[tokio::test]
async fn what_is_not_understood_is_a_problem_with_a_code() {
    let (desk, ada) = Desk::set_up().await;
    desk.get(&ada, "/api/v1/nothing").await.refused(404, "request.no_such_address");
    desk.ask(&ada, "PATCH", "/api/v1/sites", None, &[]).await.refused(405, "request.method_not_allowed");
    desk.get(&ada, "/api/v1/sites?limit=0").await.refused(400, "request.parameter_malformed");
    desk.get(&ada, "/api/v1/sites?limit=ten").await.refused(400, "request.parameter_malformed");
    desk.get(&ada, "/api/v1/sites?colour=red").await.refused(400, "request.parameter_malformed");
    desk.post(&ada, "/api/v1/sites", json!({ "id": 7 })).await.refused(400, "request.body_malformed");
    let typed = desk.ask(&ada, "POST", "/api/v1/sites", None, &[("content-type", "text/plain")]).await;
    typed.refused(415, "request.media_type");
    let large = json!({ "id": "x".repeat(2 << 20) });
    desk.post(&ada, "/api/v1/sites", large).await.refused(413, "request.body_too_large");
}

#[tokio::test]
async fn a_browser_on_another_site_cannot_use_the_cookie() {
    let (desk, ada) = Desk::set_up().await;
    let Who::Session(secret) = &ada else { panic!() };
    let cookie = format!("__Host-rating={secret}");
    for headers in [
        vec![("cookie", cookie.as_str()), ("origin", "https://evil.example")],
        vec![("cookie", cookie.as_str()), ("origin", "http://127.0.0.1:8080"), ("sec-fetch-site", "cross-site")],
        vec![("cookie", cookie.as_str())],
    ] {
        desk.ask(&Who::Nobody, "DELETE", "/api/v1/session", None, &headers).await.refused(403, "auth.cross_site");
    }
}

#[tokio::test]
async fn lists_come_in_pages_that_fit_together() {
    let (desk, ada) = Desk::set_up().await;
    desk.sites(&ada).await;
    let first = desk.get(&ada, "/api/v1/sites?limit=1").await.expect(200).json();
    assert_eq!((&first["items"][0]["id"], &first["next"]), (&json!("ldn"), &json!("ldn")));
    let second = desk.get(&ada, "/api/v1/sites?limit=1&after=ldn").await.expect(200).json();
    assert_eq!((&second["items"][0]["id"], second.get("next")), (&json!("nyc"), None));
}

#[tokio::test]
async fn every_answer_keeps_browsers_in_check_and_has_an_id() {
    let desk = Desk::new().await;
    let answer = desk.get(&Who::Nobody, "/livez").await.expect(200);
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert_eq!(answer.header("x-frame-options"), "DENY");
    assert!(answer.header("content-security-policy").contains("default-src 'self'"));
    assert_eq!(answer.header("cache-control"), "no-store");
    assert!(!answer.header("x-request-id").is_empty());
    desk.get(&Who::Nobody, "/readyz").await.expect(200);
}

#[tokio::test]
async fn the_document_describes_every_route_and_its_page_needs_nobody_else() {
    let (desk, ada) = Desk::set_up().await;
    let document = desk.get(&Who::Nobody, "/api/v1/openapi.json").await.expect(200).json();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"), "{}", document["openapi"]);
    assert!(document["paths"]["/api/v1/sites"]["post"].is_object());
    let page = desk.get(&Who::Nobody, "/api/docs/").await.expect(200).text();
    assert!(!page.contains("https://"), "{page}");
    let metrics = desk.get(&ada, "/metrics").await.expect(200).text();
    assert!(metrics.contains("rating_http_requests_total"), "{metrics}");
}

#[tokio::test]
async fn a_key_whose_request_the_last_service_never_finished_is_free_again() {
    let (desk, ada) = Desk::set_up().await;
    let actor = format!("user:{}", desk.get(&ada, "/api/v1/session").await.json()["user"]["id"].as_str().unwrap());
    let mut change = desk.app.store.change(&rating_service::store::Actor::Service, desk.clock.now()).await.unwrap();
    let (now, long_ago) = (desk.clock.now(), rating_core::time::Instant::from_millis(0));
    let taken =
        rating_service::store::idempotency::take(change.on(), &actor, "one", b"x", now, long_ago).await.unwrap();
    assert!(taken);
    change.commit_unnoted().await.unwrap();
    let site = json!({ "id": "ldn", "settings": { "name": "London", "zone": "Europe/London", "country": "GB" } });
    let key = [("idempotency-key", "one")];
    desk.ask(&ada, "POST", "/api/v1/sites", Some(site.clone()), &key).await.refused(422, "idempotency.key_reused");
    let again = desk.started_again().await;
    again.ask(&ada, "POST", "/api/v1/sites", Some(site), &key).await.expect(201);
}

#[tokio::test]
async fn a_secret_is_not_kept_with_its_key_and_not_shown_again() {
    let (desk, ada) = Desk::set_up().await;
    let body = json!({ "name": "sync", "scopes": ["sync"] });
    let key = [("idempotency-key", "token-1")];
    let first = desk.ask(&ada, "POST", "/api/v1/tokens", Some(body.clone()), &key).await.expect(201).json();
    let secret = first["secret"].as_str().unwrap().to_owned();
    let again = desk.ask(&ada, "POST", "/api/v1/tokens", Some(body.clone()), &key).await;
    let again = again.refused(409, "idempotency.secret_not_repeated");
    assert!(!again.text().contains(&secret));
    assert_eq!(desk.get(&ada, "/api/v1/tokens").await.json()["items"].as_array().unwrap().len(), 1, "done once");
    // Nowhere in the database: neither in its file nor in what is to be written to it.
    let mut searched = 0;
    for file in ["rating.db", "rating.db-wal"] {
        let bytes = std::fs::read(desk.folder().join(file)).unwrap_or_default();
        assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()), "{file}");
        searched += bytes.len();
    }
    assert!(searched > 10_000, "{searched}");
    // What is searched for would be found: the token's name is there.
    let all: Vec<u8> = ["rating.db", "rating.db-wal"]
        .iter()
        .flat_map(|file| std::fs::read(desk.folder().join(file)).unwrap())
        .collect();
    assert!(all.windows(8).any(|window| window == b"[\"sync\"]"));
    let other = json!({ "name": "other", "scopes": ["sync"] });
    desk.ask(&ada, "POST", "/api/v1/tokens", Some(other), &key).await.refused(422, "idempotency.key_reused");
}

#[tokio::test]
async fn what_takes_too_long_is_told_an_upload_is_waited_for_and_a_change_is_done_nevertheless() {
    let (desk, ada) = Desk::set_up().await;
    desk.sites(&ada).await;
    let source = json!({ "id": "pbx", "site": "ldn", "settings": { "format": "asterisk", "zone": "Europe/London" } });
    desk.post(&ada, "/api/v1/sources", source).await.expect(201);
    let hasty = desk.started_with(|config| config.limits.answer = std::time::Duration::ZERO).await;
    let late = hasty.get(&ada, "/api/v1/sites").await.refused(408, "request.timeout");
    assert_eq!(late.json()["type"], "urn:rating:problem:request.timeout");
    assert!(!late.header("x-request-id").is_empty());

    let path = "/api/v1/sources/pbx/files/Master.csv";
    hasty.send(&ada, "PUT", path, "application/octet-stream", b"one\n".to_vec()).await.expect(201);
    let path = "/api/v1/files/tariffs/retail.toml";
    hasty.send(&ada, "PUT", path, "application/octet-stream", b"id = \"retail\"\n".to_vec()).await.expect(200);

    let site = json!({ "id": "man", "settings": { "name": "Manchester", "zone": "Europe/London", "country": "GB" } });
    hasty.post(&ada, "/api/v1/sites", site).await.refused(408, "request.timeout");
    for _ in 0..200 {
        if desk.get(&ada, "/api/v1/sites/man").await.status == 200 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    panic!("the change was not done");
}

#[tokio::test]
async fn a_sites_zone_stays_once_anything_is_dated_by_it() {
    let (desk, ada) = Desk::set_up().await;
    desk.sites(&ada).await;
    let settings = |zone: &str| json!({ "name": "New York", "zone": zone, "country": "US" });
    // Typed wrong at first: nothing is there yet.
    desk.put(&ada, "/api/v1/sites/nyc", settings("America/Chicago")).await.expect(200);
    desk.put(&ada, "/api/v1/sites/nyc", settings("America/New_York")).await.expect(200);
    desk.provision(&ada, "nyc", "+12125550100", "+12125550101").await;
    let refused = desk.put(&ada, "/api/v1/sites/nyc", settings("America/Chicago")).await;
    let refused = refused.refused(409, "site.zone_is_fixed").json();
    assert!(refused["help"].as_str().unwrap().contains("another site"), "{refused}");
    assert_eq!(desk.get(&ada, "/api/v1/sites/nyc").await.json()["settings"]["zone"], "America/New_York");
    // All else can be changed.
    desk.put(&ada, "/api/v1/sites/nyc", settings("America/New_York")).await.expect(200);
    let contract = json!({ "site": "ldn", "settings": { "from": "2026-01-01" } });
    desk.occupier(&ada, "acme").await;
    desk.post(&ada, "/api/v1/occupiers/acme/contracts", contract).await.expect(201);
    let paris = json!({ "name": "London", "zone": "Europe/Paris", "country": "GB" });
    desk.put(&ada, "/api/v1/sites/ldn", paris).await.refused(409, "site.zone_is_fixed");
}

#[tokio::test]
async fn nothing_is_changed_without_an_entry_in_the_audit_log() {
    let desk = Desk::new().await;
    let change = desk.app.store.change(&rating_service::store::Actor::Service, desk.clock.now()).await.unwrap();
    assert_eq!(change.commit().await.unwrap_err().code(), "internal.error");
}

#[tokio::test]
async fn who_asks_too_often_waits_for_a_minute_and_nobody_else_does() {
    let (desk, ada) = Desk::set_up().await;
    let token = desk.token(&ada, &["read"], None).await;
    let mut config = rating_service::config::Config::local(desk.folder());
    config.limits.requests_a_minute = 3;
    let narrow = desk.beside(rating_service::app::App::open(config, desk.clock.clone()).await.unwrap());
    for _ in 0..3 {
        narrow.get(&ada, "/api/v1/session").await.expect(200);
    }
    let refused = narrow.get(&ada, "/api/v1/session").await.refused(429, "request.too_many");
    assert_eq!(refused.header("retry-after"), "60");
    narrow.get(&token, "/api/v1/sites").await.expect(200);
    desk.clock.advance(rating_core::time::Duration::from_seconds(60));
    narrow.get(&ada, "/api/v1/session").await.expect(200);
}
