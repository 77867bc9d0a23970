//! Signing in and out, invitations, tokens.

use rating_core::time::Duration;
use serde_json::json;

use crate::desk::{Desk, PASSWORD, Who};

#[tokio::test]
async fn who_signs_in_is_told_who_it_is_and_out_means_out() {
    let (desk, _) = Desk::set_up().await;
    let body = json!({ "email": "ADA@example.com", "password": PASSWORD });
    let answer = desk.post(&Who::Nobody, "/api/v1/session", body).await.expect(201);
    let cookie = answer.header("set-cookie").to_owned();
    for part in ["__Host-rating=", "Secure", "HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    let session = Desk::session(&answer);
    let me = desk.get(&session, "/api/v1/session").await.expect(200).json();
    assert_eq!(me["user"]["role"], "operator_admin");
    assert_eq!(me["operator"], "Harbour Workspaces");
    desk.delete(&session, "/api/v1/session").await.expect(204);
    desk.get(&session, "/api/v1/session").await.refused(401, "auth.not_signed_in");
}

#[tokio::test]
async fn wrong_passwords_and_unknown_users_get_the_same_answer_and_are_counted() {
    let (desk, _) = Desk::set_up().await;
    let try_in = async |email: &str, password: &str| {
        desk.post(&Who::Nobody, "/api/v1/session", json!({ "email": email, "password": password })).await
    };
    let wrong = try_in("ada@example.com", "wrong password here").await.refused(401, "auth.wrong_credentials");
    let unknown = try_in("eve@example.com", "wrong password here").await.refused(401, "auth.wrong_credentials");
    assert_eq!(wrong.text(), unknown.text());
    for _ in 0..9 {
        try_in("ada@example.com", "wrong password here").await.refused(401, "auth.wrong_credentials");
    }
    let refused = try_in("ada@example.com", PASSWORD).await.refused(429, "auth.too_many_attempts");
    assert_eq!(refused.header("retry-after"), "900");
    desk.clock.advance(Duration::from_seconds(901));
    try_in("ada@example.com", PASSWORD).await.expect(201);
}

#[tokio::test]
async fn a_session_ends_after_twelve_hours() {
    let (desk, ada) = Desk::set_up().await;
    desk.clock.advance(Duration::from_seconds(12 * 3600 - 1));
    desk.get(&ada, "/api/v1/session").await.expect(200);
    desk.clock.advance(Duration::from_seconds(1));
    desk.get(&ada, "/api/v1/session").await.refused(401, "auth.not_signed_in");
}

#[tokio::test]
async fn an_invitation_is_good_once_and_for_seven_days_and_holds_no_password() {
    let (desk, ada) = Desk::set_up().await;
    let body = json!({ "email": "mary@example.com", "settings": { "name": "Mary", "role": "operator_user" } });
    let user = desk.post(&ada, "/api/v1/users", body).await.expect(201).json();
    assert_eq!(user["state"], "invited");
    let mail = desk.mails_to("mary@example.com").pop().unwrap();
    assert!(mail.contains("Harbour Workspaces invites you") && !mail.contains(PASSWORD), "{mail}");
    let secret = desk.secret_mailed_to("mary@example.com");
    let weak = json!({ "secret": secret, "password": "short" });
    desk.post(&Who::Nobody, "/api/v1/invitation", weak).await.refused(422, "auth.password_weak");
    let mary = desk.follow_link_to("mary@example.com").await;
    desk.get(&mary, "/api/v1/session").await.expect(200);
    let again = json!({ "secret": secret, "password": PASSWORD });
    desk.post(&Who::Nobody, "/api/v1/invitation", again.clone()).await.refused(404, "auth.invitation_invalid");

    let path = format!("/api/v1/users/{}/invitation", user["id"].as_str().unwrap());
    desk.ask(&ada, "POST", &path, None, &[]).await.expect(202);
    let late = json!({ "secret": desk.secret_mailed_to("mary@example.com"), "password": PASSWORD });
    desk.clock.advance(Duration::from_seconds(7 * 24 * 3600));
    desk.post(&Who::Nobody, "/api/v1/invitation", late).await.refused(404, "auth.invitation_invalid");
}

#[tokio::test]
async fn rule_72_an_email_address_cannot_be_changed() {
    let (desk, ada) = Desk::set_up().await;
    let body = json!({ "email": "mary@example.com", "settings": { "name": "Mary", "role": "operator_user" } });
    let user = desk.post(&ada, "/api/v1/users", body).await.expect(201).json();
    let path = format!("/api/v1/users/{}", user["id"].as_str().unwrap());
    let changed = json!({ "name": "Mary", "role": "operator_user", "email": "other@example.com" });
    desk.put(&ada, &path, changed).await.refused(400, "request.body_malformed");
    assert_eq!(desk.get(&ada, &path).await.json()["email"], "mary@example.com");
}

#[tokio::test]
async fn a_closed_user_is_out_at_once_and_erased_and_the_last_administrator_stays() {
    let (desk, ada) = Desk::set_up().await;
    let mary = desk.operator_user(&ada, "operator_user", None).await;
    let id = desk.get(&mary, "/api/v1/session").await.json()["user"]["id"].as_str().unwrap().to_owned();
    desk.delete(&ada, &format!("/api/v1/users/{id}")).await.expect(204);
    desk.get(&mary, "/api/v1/session").await.refused(401, "auth.not_signed_in");
    let closed = desk.get(&ada, &format!("/api/v1/users/{id}")).await.expect(200).json();
    assert_eq!((&closed["state"], &closed["email"], &closed["name"]), (&json!("closed"), &json!(null), &json!(null)));
    let me = desk.get(&ada, "/api/v1/session").await.json()["user"]["id"].as_str().unwrap().to_owned();
    desk.delete(&ada, &format!("/api/v1/users/{me}")).await.refused(409, "user.last_administrator");
}

#[tokio::test]
async fn a_token_does_what_its_scopes_say_until_it_is_revoked() {
    let (desk, ada) = Desk::set_up().await;
    desk.sites(&ada).await;
    let reader = desk.token(&ada, &["read"], Some(&["ldn"])).await;
    let seen = desk.get(&reader, "/api/v1/sites").await.expect(200).json();
    assert_eq!(seen["items"].as_array().unwrap().len(), 1, "rule 80: no row of another site");
    desk.get(&reader, "/api/v1/sites/ldn").await.expect(200);
    desk.get(&reader, "/api/v1/sites/nyc").await.refused(404, "site.unknown");
    let settings = json!({ "name": "Rome", "zone": "Europe/Rome", "country": "IT" });
    let new = json!({ "id": "rom", "settings": settings });
    desk.post(&reader, "/api/v1/sites", new).await.refused(403, "auth.not_allowed");
    let tokens = desk.get(&ada, "/api/v1/tokens").await.expect(200).json();
    let id = tokens["items"][0]["id"].as_str().unwrap().to_owned();
    assert!(tokens["items"][0].get("secret").is_none());
    desk.delete(&ada, &format!("/api/v1/tokens/{id}")).await.expect(204);
    desk.get(&reader, "/api/v1/sites").await.refused(401, "auth.not_signed_in");
}
