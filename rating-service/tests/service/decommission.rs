//! The end of an occupier at every site (domain rules 11, 65, 66).

use rating_core::time::Instant;
use rating_service::due::due;
use serde_json::{Value, json};

use crate::desk::{Answer, Desk, PASSWORD, Who};

const END: &str = "/api/v1/occupiers/acme/decommission";
const NUMBER: &str = "+442079460001";

/// acme in London with a voice service, a number in use and an open portal; in New York with a contract that is upcoming.
async fn desk() -> (Desk, Who) {
    let (desk, ada) = Desk::set_up().await;
    desk.sites(&ada).await;
    desk.occupier(&ada, "acme").await;
    desk.product(&ada, "ldn", 1).await;
    desk.provision(&ada, "ldn", NUMBER, NUMBER).await;
    desk.contract(&ada, "acme", "ldn", "2026-01-01").await;
    desk.contract(&ada, "acme", "nyc", "2027-01-01").await;
    desk.voice(&ada, "acme", "ldn", 1).await.expect(201);
    (desk, ada)
}

async fn now(desk: &Desk, who: &Who) -> Answer {
    desk.post(who, END, json!({})).await
}

/// Logs a handset in to the number, or out.
async fn handset(desk: &Desk, who: &Who, command: Value) {
    let body = json!({ "number": NUMBER, "command": command });
    desk.post(who, "/api/v1/occupiers/acme/numbers/commands", body).await.expect(200);
}

fn items(page: &Value) -> &Vec<Value> {
    page["items"].as_array().unwrap()
}

async fn number(desk: &Desk, who: &Who) -> String {
    desk.get(who, &format!("/api/v1/numbers/{NUMBER}")).await.expect(200).json()["state"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn rule_65_decommission_ends_everything_at_every_site_and_cannot_be_undone() {
    let (desk, ada) = desk().await;
    let ann = desk.portal(&ada, "acme").await;
    let done = now(&desk, &ada).await.expect(200).json();
    assert_eq!(done, json!({ "decommissioned_at": "2026-11-02T09:00:00+00:00", "in_the_way": [] }));

    let acme = desk.get(&ada, "/api/v1/occupiers/acme").await.expect(200).json();
    assert_eq!((&acme["state"], &acme["portal_active"]), (&json!("DECOMMISSIONED"), &json!(false)));
    assert_eq!(acme.get("contact"), None, "personal data is erased");
    let contract = |id: &str| format!("/api/v1/contracts/{id}");
    let london = desk.get(&ada, &contract("acme-ldn")).await.expect(200).json();
    assert_eq!(
        (&london["state"], &london["settings"]["until"]),
        (&json!("COMPLETED"), &json!("2026-11-02T09:00:00+00:00"))
    );
    assert_eq!(desk.get(&ada, &contract("acme-nyc")).await.expect(200).json()["state"], "DISCARDED");
    let services = desk.get(&ada, "/api/v1/occupiers/acme/services").await.expect(200).json();
    assert_eq!((items(&services).len(), &items(&services)[0]["state"]), (1, &json!("ENDED")));
    assert_eq!(number(&desk, &ada).await, "COOLDOWN");
    desk.get(&ann, "/api/v1/session").await.refused(401, "auth.not_signed_in");
    let users = desk.get(&ada, "/api/v1/occupiers/acme/users").await.expect(200).json();
    assert_eq!((&items(&users)[0]["state"], items(&users)[0].get("email")), (&json!("closed"), None));
    let sign_in = json!({ "email": "admin@acme.example", "password": PASSWORD });
    desk.post(&Who::Nobody, "/api/v1/session", sign_in).await.refused(401, "auth.wrong_credentials");

    // There is no way back.
    now(&desk, &ada).await.refused(409, "occupier.decommissioned");
    desk.delete(&ada, END).await.refused(409, "occupier.decommissioned");
    desk.put(&ada, "/api/v1/occupiers/acme", json!({ "name": "Acme" })).await.refused(409, "occupier.decommissioned");
    let anew = json!({ "site": "nyc", "settings": { "from": "2027-01-01" } });
    desk.post(&ada, "/api/v1/occupiers/acme/contracts", anew).await.refused(409, "occupier.decommissioned");
    desk.post(&ada, &format!("{}/reactivate", contract("acme-ldn")), json!({}))
        .await
        .refused(409, "contract.occupier_decommissioned");
    desk.voice(&ada, "acme", "ldn", 1).await.refused(409, "occupier.decommissioned");
    let sync = desk.token(&ada, &["sync"], None).await;
    let address = "/api/v1/occupiers/by-external-id/crm/acme";
    let contact = json!({ "name": "acme", "contact": { "name": "Wile", "email": "wile@acme.example" } });
    desk.ask(&sync, "PUT", address, Some(contact), &[]).await.refused(409, "occupier.decommissioned");
    assert_eq!(due(&desk.app).await.unwrap(), Default::default(), "nothing is left to be done");
}

#[tokio::test]
async fn rule_65_what_stands_in_the_way_is_named_and_nothing_happens() {
    let (desk, ada) = desk().await;
    let service = items(&desk.get(&ada, "/api/v1/occupiers/acme/services").await.json())[0]["id"].clone();
    let update = format!("/api/v1/services/{}/update", service.as_str().unwrap());
    let note = async |in_progress: bool| {
        desk.ask(&ada, "PUT", &update, Some(json!({ "in_progress": in_progress })), &[]).await.expect(200);
    };
    note(true).await;
    handset(&desk, &ada, json!({ "log_in": { "device": "polycom-7" } })).await;
    let refused = now(&desk, &ada).await.refused(409, "decommission.not_ready").json();
    let codes: Vec<&str> =
        refused["errors"].as_array().unwrap().iter().map(|fault| fault["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["decommission.service_updating", "decommission.handset_logged_in"]);
    let shown = desk.get(&ada, END).await.expect(200).json();
    assert_eq!((&shown["in_the_way"][0]["of"], &shown["in_the_way"][1]["of"]), (&service, &json!(NUMBER)));
    assert_eq!(number(&desk, &ada).await, "ACTIVE");
    assert_eq!(desk.get(&ada, "/api/v1/occupiers/acme").await.json()["state"], "ACTIVE");

    note(false).await;
    now(&desk, &ada).await.refused(409, "decommission.not_ready");
    handset(&desk, &ada, json!({ "log_out": {} })).await;
    now(&desk, &ada).await.expect(200);
}

#[tokio::test]
async fn rule_66_a_scheduled_decommission_does_nothing_before_its_time_and_can_be_cancelled_until_then() {
    let (desk, ada) = desk().await;
    let at = async |who: &Who, at: &str| desk.post(who, END, json!({ "at": at })).await;
    let to = |instant: &str| desk.clock.set(Instant::parse_rfc3339(instant).unwrap());
    at(&ada, "2026-11-02T08:59:59Z").await.refused(422, "decommission.in_past");
    at(&ada, "soon").await.refused(422, "request.invalid");
    desk.delete(&ada, END).await.refused(409, "decommission.not_scheduled");
    let scheduled = at(&ada, "2026-11-02T18:00:00Z").await.expect(200).json();
    assert_eq!(scheduled["scheduled_for"], "2026-11-02T18:00:00+00:00");
    assert_eq!(desk.get(&ada, "/api/v1/occupiers/acme").await.json()["decommission_at"], scheduled["scheduled_for"]);
    assert_eq!(desk.delete(&ada, END).await.expect(200).json(), json!({ "in_the_way": [] }));
    to("2026-11-02T18:00:00Z");
    assert_eq!(due(&desk.app).await.unwrap(), Default::default(), "it was cancelled");

    at(&ada, "2026-11-02T19:00:00Z").await.expect(200);
    at(&ada, "2026-11-02T20:00:00Z").await.expect(200);
    to("2026-11-02T19:59:59Z");
    assert_eq!(due(&desk.app).await.unwrap().decommissioned, 0);
    assert_eq!(number(&desk, &ada).await, "ACTIVE");
    to("2026-11-02T20:00:00Z");
    desk.delete(&ada, END).await.refused(409, "decommission.due");
    at(&ada, "2026-11-03T20:00:00Z").await.refused(409, "decommission.due");
    assert_eq!(due(&desk.app).await.unwrap().decommissioned, 1);
    assert_eq!(number(&desk, &ada).await, "COOLDOWN");
    assert_eq!(desk.get(&ada, "/api/v1/occupiers/acme").await.json()["state"], "DECOMMISSIONED");
}

#[tokio::test]
async fn a_decommission_that_is_due_waits_for_what_stands_in_its_way() {
    let (desk, ada) = desk().await;
    desk.post(&ada, END, json!({ "at": "2026-11-02T10:00:00Z" })).await.expect(200);
    handset(&desk, &ada, json!({ "log_in": { "device": "polycom-7" } })).await;
    desk.clock.set(Instant::parse_rfc3339("2026-11-02T10:00:00Z").unwrap());
    let done = due(&desk.app).await.unwrap();
    assert_eq!((done.decommissioned, done.waiting), (0, 1));
    assert_eq!(number(&desk, &ada).await, "ACTIVE");
    handset(&desk, &ada, json!({ "log_out": {} })).await;
    assert_eq!(due(&desk.app).await.unwrap().decommissioned, 1);
}

#[tokio::test]
async fn rule_11_history_stays_when_an_occupier_is_gone() {
    let (desk, ada) = desk().await;
    desk.clock.advance(rating_core::time::Duration::from_seconds(3600));
    now(&desk, &ada).await.expect(200);
    let held = async |at: &str| {
        let address = format!("/api/v1/numbers/{NUMBER}/holder?at={at}");
        desk.get(&ada, &address).await.expect(200).json()["holder"].clone()
    };
    assert_eq!(held("2026-11-02T09:59:59Z").await, "acme");
    assert_eq!(held("2026-11-02T10:00:00Z").await, json!(null));
    let log = desk.get(&ada, "/api/v1/audit?occupier=acme").await.expect(200).json();
    assert_eq!(items(&log)[0]["action"], "occupier.decommissioned");
    assert_eq!(desk.get(&ada, "/api/v1/audit/chain").await.json().get("broken_at"), None);
}
