//! Contracts (domain rules 59, 63, 64, 68).

use rating_service::due::due;
use serde_json::{Value, json};

use crate::desk::{Desk, Who};

/// acme in London and New York, without contracts.
async fn desk() -> (Desk, Who) {
    let (desk, ada) = Desk::set_up().await;
    desk.sites(&ada).await;
    desk.occupier(&ada, "acme").await;
    (desk, ada)
}

async fn make(desk: &Desk, who: &Who, body: Value) -> crate::desk::Answer {
    desk.post(who, "/api/v1/occupiers/acme/contracts", body).await
}

fn to(desk: &Desk, instant: &str) {
    desk.clock.set(rating_core::time::Instant::parse_rfc3339(instant).unwrap());
}

#[tokio::test]
async fn a_contract_is_called_as_its_site_until_changed_and_stands_by_its_days_there() {
    let (desk, ada) = desk().await;
    let settings = json!({ "from": "2026-11-03", "until": "2026-11-05" });
    let made = make(&desk, &ada, json!({ "site": "nyc", "settings": settings })).await.expect(201);
    assert_eq!(made.header("location"), "/api/v1/contracts/acme-nyc");
    let made = made.json();
    assert_eq!((&made["id"], &made["state"]), (&json!("acme-nyc"), &json!("UPCOMING")));
    assert_eq!(made["settings"]["name"], "New York, Pier 12");
    assert_eq!((&made["settings"]["from"], &made["settings"]["until"]), (&json!("2026-11-03"), &json!("2026-11-05")));
    // A day in New York begins at 05:00 UTC in winter.
    let state = async || {
        desk.get(&ada, "/api/v1/contracts/acme-nyc").await.expect(200).json()["state"].as_str().unwrap().to_owned()
    };
    for (at, expected) in [
        ("2026-11-03T04:59:59Z", "UPCOMING"),
        ("2026-11-03T05:00:00Z", "ACTIVE"),
        ("2026-11-05T04:59:59Z", "ACTIVE"),
        ("2026-11-05T05:00:00Z", "COMPLETED"),
    ] {
        to(&desk, at);
        let ada = desk.sign_in("ada@example.com").await;
        let shown = desk.get(&ada, "/api/v1/contracts/acme-nyc").await.expect(200).json();
        assert_eq!(shown["state"], expected, "{at}");
    }
    to(&desk, crate::desk::NOW);
    assert_eq!(state().await, "UPCOMING");
    let renamed = json!({ "name": "C-17", "from": "2026-11-03", "external_reference": "SO-4" });
    let changed = desk.put(&ada, "/api/v1/contracts/acme-nyc", renamed).await.expect(200).json();
    assert_eq!(
        (&changed["settings"]["name"], &changed["settings"]["external_reference"]),
        (&json!("C-17"), &json!("SO-4"))
    );
    assert_eq!(changed["settings"].get("until"), None, "no end");
}

#[tokio::test]
async fn rule_63_moving_out_is_the_contracts_end_and_moving_in_not_before_its_start() {
    let (desk, ada) = desk().await;
    let with = |move_in: &str| json!({ "site": "ldn", "settings": { "from": "2026-12-01", "until": "2027-12-01", "move_in": move_in } });
    make(&desk, &ada, with("2026-11-30")).await.refused(422, "contract.move_in_before_start");
    make(&desk, &ada, with("2027-12-01")).await.refused(422, "contract.move_in_after_end");
    let made = make(&desk, &ada, with("2026-12-01")).await.expect(201).json();
    assert_eq!(made["move_out"], "2027-12-01");
    let moved = json!({ "from": "2026-12-01", "until": "2028-01-01", "move_in": "2026-12-05" });
    let changed = desk.put(&ada, "/api/v1/contracts/acme-ldn", moved).await.expect(200).json();
    assert_eq!((&changed["move_out"], &changed["settings"]["move_in"]), (&json!("2028-01-01"), &json!("2026-12-05")));
    let own = json!({ "from": "2026-12-01", "until": "2028-01-01", "move_out": "2027-06-01" });
    desk.put(&ada, "/api/v1/contracts/acme-ldn", own).await.refused(400, "request.body_malformed");
}

#[tokio::test]
async fn rule_64_only_an_upcoming_contract_can_be_discarded_and_a_completed_one_runs_again() {
    let (desk, ada) = desk().await;
    let make = async |site: &str, from: &str| desk.contract(&ada, "acme", site, from).await;
    let (upcoming, active) = (make("ldn", "2026-12-01").await, make("nyc", "2026-01-01").await);
    let discard = async |id: &str| desk.ask(&ada, "POST", &format!("/api/v1/contracts/{id}/discard"), None, &[]).await;
    discard(&active).await.refused(409, "contract.not_upcoming");
    assert_eq!(discard(&upcoming).await.expect(200).json()["state"], "DISCARDED");
    discard(&upcoming).await.refused(409, "contract.discarded");
    let contracts = desk.get(&ada, "/api/v1/occupiers/acme/contracts").await.json();
    assert_eq!(contracts["items"].as_array().unwrap().len(), 1, "what was discarded is gone from lists");

    let reactivate =
        async |who: &Who, body: Value| desk.post(who, &format!("/api/v1/contracts/{active}/reactivate"), body).await;
    reactivate(&ada, json!({})).await.refused(409, "contract.not_completed");
    let address = format!("/api/v1/contracts/{active}");
    desk.put(&ada, &address, json!({ "from": "2026-01-01", "until": "2026-11-03" })).await.expect(200);
    to(&desk, "2026-11-03T05:00:00Z");
    let ada = desk.sign_in("ada@example.com").await;
    let change = json!({ "from": "2026-01-01", "until": "2027-01-01" });
    desk.put(&ada, &address, change).await.refused(409, "contract.completed");
    reactivate(&ada, json!({ "until": "2026-11-01" })).await.refused(422, "contract.end_in_past");
    let again = reactivate(&ada, json!({ "until": "2027-01-01" })).await.expect(200).json();
    assert_eq!((&again["state"], &again["settings"]["until"]), (&json!("ACTIVE"), &json!("2027-01-01")));
}

#[tokio::test]
async fn what_has_passed_of_a_contract_stays_and_mistakes_have_names() {
    let (desk, ada) = desk().await;
    let with = |from: &str, until: &str| json!({ "site": "ldn", "settings": { "from": from, "until": until } });
    make(&desk, &ada, with("2026-12-01", "2026-12-01")).await.refused(422, "contract.ends_before_start");
    make(&desk, &ada, with("2026-01-01", "2026-02-01")).await.refused(422, "contract.end_in_past");
    make(&desk, &ada, with("2026-02-30", "2027-02-01")).await.refused(422, "request.invalid");
    let nowhere = json!({ "site": "mars", "settings": { "from": "2026-12-01" } });
    make(&desk, &ada, nowhere).await.refused(422, "request.invalid");
    make(&desk, &ada, with("2026-01-01", "2027-01-01")).await.expect(201);
    let named = json!({ "id": "ACME-ldn", "site": "nyc", "settings": { "from": "2026-12-01" } });
    make(&desk, &ada, named).await.refused(409, "contract.exists");
    let later = json!({ "from": "2026-06-01", "until": "2027-01-01" });
    desk.put(&ada, "/api/v1/contracts/acme-ldn", later).await.refused(409, "contract.has_begun");
    // One contract at a time says what holds at a site; they may follow one another.
    make(&desk, &ada, with("2026-12-31", "2028-01-01")).await.refused(409, "contract.overlaps");
    let next = make(&desk, &ada, with("2027-01-01", "2028-01-01")).await.expect(201).json();
    assert_eq!(next["id"], "acme-ldn-2");
    let longer = json!({ "from": "2026-01-01", "until": "2027-01-02" });
    desk.put(&ada, "/api/v1/contracts/acme-ldn", longer).await.refused(409, "contract.overlaps");
}

#[tokio::test]
async fn rule_68_a_roaming_contract_names_the_site_where_it_is_billed() {
    let (desk, ada) = desk().await;
    let with = |billing: &str| json!({ "site": "ldn", "settings": { "from": "2026-12-01", "billing_site": billing } });
    make(&desk, &ada, with("mars")).await.refused(422, "request.invalid");
    let made = make(&desk, &ada, with("nyc")).await.expect(201).json();
    assert_eq!((&made["site"], &made["settings"]["billing_site"]), (&json!("ldn"), &json!("nyc")));
    let home = json!({ "from": "2026-12-01", "billing_site": "ldn" });
    let changed = desk.put(&ada, "/api/v1/contracts/acme-ldn", home).await.expect(200).json();
    assert_eq!(changed["settings"].get("billing_site"), None, "billed at its own site is no roaming");
}

/// A contract that ends with 3 November, a service of one line and a number in use; with the switch or without.
async fn ends(deprovision: bool) -> (Desk, Who) {
    let (desk, ada) = desk().await;
    desk.provision(&ada, "ldn", "+442079460001", "+442079460001").await;
    desk.product(&ada, "ldn", 1).await;
    desk.contract(&ada, "acme", "ldn", "2026-01-01").await;
    let assigned = desk.voice(&ada, "acme", "ldn", 1).await.expect(201).json();
    assert_eq!(assigned["automatic"]["numbers"], json!(["+442079460001"]));
    let end = json!({ "from": "2026-01-01", "until": "2026-11-04", "deprovision_at_end": deprovision });
    desk.put(&ada, "/api/v1/contracts/acme-ldn", end).await.expect(200);
    (desk, ada)
}

async fn number_and_service(desk: &Desk, who: &Who) -> (String, String) {
    let number = desk.get(who, "/api/v1/numbers/+442079460001").await.expect(200).json();
    let services = desk.get(who, "/api/v1/occupiers/acme/services").await.expect(200).json();
    (number["state"].as_str().unwrap().to_owned(), services["items"][0]["state"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn rule_59_with_the_switch_services_and_numbers_end_with_the_contract() {
    let (desk, ada) = ends(true).await;
    to(&desk, "2026-11-03T23:59:59Z");
    assert_eq!(due(&desk.app).await.unwrap(), Default::default(), "nothing a second before");
    let _ = ada;
    let ada = desk.sign_in("ada@example.com").await;
    assert_eq!(number_and_service(&desk, &ada).await, ("ACTIVE".to_owned(), "ACTIVE".to_owned()));
    to(&desk, "2026-11-04T00:00:30Z");
    let done = due(&desk.app).await.unwrap();
    assert_eq!((done.deprovisioned, done.waiting), (1, 0));
    assert_eq!(number_and_service(&desk, &ada).await, ("COOLDOWN".to_owned(), "ENDED".to_owned()));
    // The number's time ends with the contract, not when somebody looked.
    let history = desk.get(&ada, "/api/v1/numbers/+442079460001/holder?at=2026-11-03T23:59:59Z").await;
    assert_eq!(history.expect(200).json()["holder"], "acme");
    let contract = desk.get(&ada, "/api/v1/contracts/acme-ldn").await.json();
    assert_eq!(contract["deprovisioned_at"], "2026-11-04T00:00:00+00:00");
    assert_eq!(due(&desk.app).await.unwrap(), Default::default(), "done once");
    // Ninety days later the number is free again.
    to(&desk, "2027-02-02T00:00:00Z");
    assert_eq!(due(&desk.app).await.unwrap().cooled_off, 1);
}

#[tokio::test]
async fn rule_59_without_the_switch_services_and_numbers_stay() {
    let (desk, _) = ends(false).await;
    to(&desk, "2026-11-05T00:00:00Z");
    assert_eq!(due(&desk.app).await.unwrap().deprovisioned, 0);
    let ada = desk.sign_in("ada@example.com").await;
    assert_eq!(desk.get(&ada, "/api/v1/contracts/acme-ldn").await.json()["state"], "COMPLETED");
    assert_eq!(number_and_service(&desk, &ada).await, ("ACTIVE".to_owned(), "ACTIVE".to_owned()));
}

#[tokio::test]
async fn a_contract_that_runs_again_has_its_services_but_not_the_numbers_that_left() {
    let (desk, _) = ends(true).await;
    to(&desk, "2026-11-04T00:01:00Z");
    due(&desk.app).await.unwrap();
    let ada = desk.sign_in("ada@example.com").await;
    desk.post(&ada, "/api/v1/contracts/acme-ldn/reactivate", json!({})).await.expect(200);
    due(&desk.app).await.unwrap();
    assert_eq!(number_and_service(&desk, &ada).await, ("COOLDOWN".to_owned(), "ACTIVE".to_owned()));
}
