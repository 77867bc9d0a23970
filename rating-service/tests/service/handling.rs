//! What happens to calls: hours, schedules, main numbers, features (domain rules 49 to 55).

use serde_json::{Value, json};

use crate::desk::{Desk, Who};

const MAIN: &str = "+442079460001";
const OTHER: &str = "+442079460002";

/// Acme in London with a main number and one other, both in use.
async fn desk() -> (Desk, Who) {
    let (desk, ada) = Desk::set_up().await;
    desk.sites(&ada).await;
    desk.lease("acme", "ldn", "2026-01-01", 5).await;
    desk.provision(&ada, "ldn", MAIN, "+442079460009").await;
    desk.command(&ada, "ldn", &[MAIN], json!({ "nominate": {} })).await.expect(200);
    desk.command(&ada, "ldn", &[MAIN, OTHER], json!({ "allocate": { "holder": "acme" } })).await.expect(200);
    desk.command(&ada, "ldn", &[MAIN, OTHER], json!({ "activate": {} })).await.expect(200);
    (desk, ada)
}

fn configuration() -> Value {
    json!({
        "in_hours": { "target": "hunt_group", "no_answer": { "after_s": 20, "then": "reception" } },
        "out_of_hours": { "target": "voicemail" },
        "voicemail_to_email": "office@acme.example",
        "greeting_in_hours": "Acme, good morning",
    })
}

async fn at(desk: &Desk, who: &Who, instant: &str) -> Value {
    desk.get(who, &format!("/api/v1/numbers/{MAIN}/handling/at?at={instant}")).await.expect(200).json()
}

#[tokio::test]
async fn rule_52_the_usual_hours_are_monday_to_friday_half_past_eight_to_six_on_the_sites_clock() {
    let (desk, ada) = desk().await;
    desk.put(&ada, &format!("/api/v1/numbers/{MAIN}/handling"), configuration()).await.expect(200);
    // Thursday, 22 October 2026: London is an hour ahead of UTC.
    for (instant, period) in [
        ("2026-10-22T08:29:59%2B01:00", "out_of_hours"),
        ("2026-10-22T08:30:00%2B01:00", "in_hours"),
        ("2026-10-22T17:59:59%2B01:00", "in_hours"),
        ("2026-10-22T18:00:00%2B01:00", "out_of_hours"),
        ("2026-10-24T12:00:00%2B01:00", "out_of_hours"),
        // After the clock went back on the 25th, half past eight is half past eight UTC.
        ("2026-10-26T08:29:59Z", "out_of_hours"),
        ("2026-10-26T08:30:00Z", "in_hours"),
    ] {
        assert_eq!(at(&desk, &ada, instant).await["period"], period, "{instant}");
    }
    let handled = at(&desk, &ada, "2026-10-23T18:00:00%2B01:00").await;
    assert_eq!(handled["answer"], json!({ "target": "voicemail" }));
    // The weekend, and the clock goes back: until Monday half past eight.
    assert_eq!(handled["until"], "2026-10-26T08:30:00+00:00");
    let handled = at(&desk, &ada, "2026-10-22T12:00:00%2B01:00").await;
    assert_eq!(handled["greeting"], "Acme, good morning");
    assert!(handled["why"][0].as_str().unwrap().contains("inside business hours"), "{handled}");
}

#[tokio::test]
async fn rule_53_an_event_of_the_schedule_closes_the_site_even_in_business_hours() {
    let (desk, ada) = desk().await;
    desk.put(&ada, &format!("/api/v1/numbers/{MAIN}/handling"), configuration()).await.expect(200);
    let noon = "2026-11-05T12:00:00Z";
    assert_eq!(at(&desk, &ada, noon).await["period"], "in_hours");
    let fire = json!({ "name": "Fire drill", "from": "2026-11-05T11:30:00Z", "until": "2026-11-05T12:30:00Z" });
    let event = desk.post(&ada, "/api/v1/sites/ldn/schedule", fire).await.expect(201).json();
    let handled = at(&desk, &ada, noon).await;
    assert_eq!(handled["period"], "out_of_hours");
    assert!(handled["why"][0].as_str().unwrap().starts_with("Fire drill"), "{handled}");
    assert_eq!(at(&desk, &ada, "2026-11-05T12:30:00Z").await["period"], "in_hours", "half-open");
    let path = format!("/api/v1/sites/ldn/schedule/{}", event["id"].as_str().unwrap());
    desk.delete(&ada, &path).await.expect(204);
    assert_eq!(at(&desk, &ada, noon).await["period"], "in_hours");
    desk.delete(&ada, &path).await.refused(404, "site.event_unknown");
    let empty = json!({ "name": "Nothing", "from": "2026-11-05", "until": "2026-11-05" });
    desk.post(&ada, "/api/v1/sites/ldn/schedule", empty).await.refused(422, "site_schedule.event_empty");
}

#[tokio::test]
async fn bank_holidays_come_onto_the_schedule_in_one_step_and_once() {
    let (desk, ada) = desk().await;
    let path = "/api/v1/sites/ldn/schedule/holidays";
    desk.post(&ada, path, json!({ "year": 2026 })).await.refused(422, "request.invalid");
    let asked = json!({ "year": 2026, "calendar": "GB-ENG" });
    let added = desk.post(&ada, path, asked.clone()).await.expect(200).json();
    // New Year, Good Friday, Easter Monday, Early May, Spring, Summer, Christmas, Boxing Day in lieu.
    assert_eq!(added["items"].as_array().unwrap().len(), 8, "{added:#}");
    assert_eq!(desk.post(&ada, path, asked).await.expect(200).json()["items"], json!([]));
    desk.put(&ada, &format!("/api/v1/numbers/{MAIN}/handling"), configuration()).await.expect(200);
    assert_eq!(at(&desk, &ada, "2026-12-25T12:00:00Z").await["period"], "out_of_hours");
    assert_eq!(at(&desk, &ada, "2026-12-24T12:00:00Z").await["period"], "in_hours");
}

#[tokio::test]
async fn rules_51_and_54_settings_need_a_number_in_use_and_mail_needs_voicemail_and_an_address() {
    let (desk, ada) = desk().await;
    let path = format!("/api/v1/numbers/{MAIN}/handling");
    let mut without = configuration();
    without["out_of_hours"] = json!({ "target": "reception" });
    let refused = desk.put(&ada, &path, without).await.refused(422, "main_number.not_valid").json();
    assert_eq!(refused["errors"][0]["code"], "main_number.email_without_voicemail", "{refused:#}");
    let mut stranger = configuration();
    stranger["hunt_group"] = json!(["+442079460009"]);
    let refused = desk.put(&ada, &path, stranger).await.refused(422, "main_number.not_valid").json();
    assert_eq!(refused["errors"][0]["code"], "main_number.hunt_group_stranger", "{refused:#}");
    desk.get(&ada, &format!("/api/v1/numbers/{OTHER}/handling")).await.refused(409, "main_number.not_main");
    let free = "/api/v1/numbers/+442079460009";
    desk.get(&ada, &format!("{free}/features")).await.refused(409, "number.not_active");
    desk.ask(&ada, "POST", &format!("{free}/pin-resets"), None, &[]).await.refused(409, "number.not_active");
}

#[tokio::test]
async fn features_go_with_their_holder_and_secrets_are_never_shown_again() {
    let (desk, ada) = desk().await;
    let path = format!("/api/v1/numbers/{OTHER}/features");
    let wrong = json!({ "forward_busy": "020 7946 0003", "voicemail_to_email": "x" });
    let refused = desk.put(&ada, &path, wrong).await.refused(422, "request.invalid").json();
    assert_eq!(refused["errors"].as_array().unwrap().len(), 3, "{refused:#}");
    let features = json!({ "voicemail": true, "voicemail_to_email": "a@acme.example", "forward_busy": MAIN });
    desk.put(&ada, &path, features).await.expect(200);
    let pin =
        desk.ask(&ada, "POST", &format!("/api/v1/numbers/{OTHER}/pin-resets"), None, &[]).await.expect(200).json();
    let pin = pin["pin"].as_str().unwrap().to_owned();
    assert!(pin.len() == 6 && pin.bytes().all(|byte| byte.is_ascii_digit()), "{pin}");
    let code = format!("/api/v1/numbers/{OTHER}/authorization-code");
    let tag = desk.get(&ada, &path).await.header("etag").to_owned();
    desk.ask(&ada, "PUT", &code, Some(json!({ "code": "12" })), &[("if-match", &tag)])
        .await
        .refused(422, "request.invalid");
    desk.ask(&ada, "PUT", &code, Some(json!({ "code": "482913" })), &[]).await.expect(204);
    let shown = desk.get(&ada, &path).await.expect(200).text();
    assert!(!shown.contains(&pin) && !shown.contains("482913") && !shown.contains("argon2"), "{shown}");
    let database = std::fs::read(desk.folder().join("rating.db-wal")).unwrap_or_default();
    assert!(!database.windows(6).any(|bytes| bytes == b"482913"), "kept as a hash");

    desk.command(&ada, "ldn", &[OTHER], json!({ "deactivate": {} })).await.expect(200);
    desk.command(&ada, "ldn", &[OTHER], json!({ "deallocate": {} })).await.expect(200);
    let release = json!({ "which": { "numbers": [OTHER] }, "reason": "test" });
    desk.post(&ada, "/api/v1/sites/ldn/numbers/releases", release).await.expect(200);
    desk.command(&ada, "ldn", &[OTHER], json!({ "allocate": { "holder": "harbour" } })).await.expect(200);
    desk.command(&ada, "ldn", &[OTHER], json!({ "activate": {} })).await.expect(200);
    let shown = desk.get(&ada, &path).await.expect(200).json();
    assert_eq!(shown.get("forward_busy"), None, "the next holder begins anew: {shown}");
}

#[tokio::test]
async fn business_hours_can_be_changed_and_say_what_is_wrong_with_them() {
    let (desk, ada) = desk().await;
    let path = "/api/v1/sites/ldn/business-hours";
    let usual = desk.get(&ada, path).await.expect(200).json();
    assert_eq!(usual["weekly"].as_array().unwrap().len(), 5);
    let wrong = json!({ "weekly": [{ "day": "fryday", "from": "8", "until": "18:00" }] });
    desk.put(&ada, path, wrong).await.refused(422, "request.invalid");
    let over_midnight = json!({ "weekly": [{ "day": "friday", "from": "18:00", "until": "02:00" }] });
    desk.put(&ada, path, over_midnight).await.refused(422, "business_hours.not_valid");
    let saturday = json!({ "weekly": [{ "day": "saturday", "from": "10:00", "until": "24:00" }] });
    desk.put(&ada, path, saturday.clone()).await.expect(200);
    assert_eq!(desk.get(&ada, path).await.json(), saturday);
    assert_eq!(at(&desk, &ada, "2026-11-07T23:59:59Z").await["period"], "in_hours");
    assert_eq!(at(&desk, &ada, "2026-11-08T00:00:00Z").await["period"], "out_of_hours");
}
