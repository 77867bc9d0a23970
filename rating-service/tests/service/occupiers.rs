//! Occupiers and what other systems know of them (domain rules 61, 62, 76, 80).

use serde_json::{Value, json};

use crate::desk::{Desk, Who};

async fn add(desk: &Desk, who: &Who, settings: Value) -> Value {
    desk.post(who, "/api/v1/occupiers", json!({ "settings": settings })).await.expect(201).json()
}

fn ids(page: &Value) -> Vec<&str> {
    page["items"].as_array().unwrap().iter().map(|occupier| occupier["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn an_id_is_made_from_the_name_and_stays_and_none_differs_in_case_alone() {
    let (desk, ada) = Desk::set_up().await;
    let first = desk.post(&ada, "/api/v1/occupiers", json!({ "settings": { "name": "Acme Ltd" } })).await.expect(201);
    assert_eq!(first.header("location"), "/api/v1/occupiers/acme-ltd");
    assert_eq!((&first.json()["id"], &first.json()["state"]), (&json!("acme-ltd"), &json!("NEW")));
    assert_eq!(add(&desk, &ada, json!({ "name": "ACME, Ltd." })).await["id"], "acme-ltd-2");
    let given = |id: &str| json!({ "id": id, "settings": { "name": "Birch" } });
    desk.post(&ada, "/api/v1/occupiers", given("birch")).await.expect(201);
    desk.post(&ada, "/api/v1/occupiers", given("Birch")).await.refused(409, "occupier.exists");
    // The operator pays for calls as occupiers do: its id is taken, too.
    desk.post(&ada, "/api/v1/occupiers", given("harbour")).await.refused(409, "occupier.exists");
    desk.post(&ada, "/api/v1/occupiers", given("by-external-id")).await.refused(422, "request.invalid");
    desk.post(&ada, "/api/v1/occupiers", given("a/b")).await.refused(422, "request.invalid");
    desk.get(&ada, "/api/v1/occupiers/BIRCH").await.refused(404, "occupier.unknown");
}

#[tokio::test]
async fn rule_61_clearing_the_billing_reference_makes_a_unique_one() {
    let (desk, ada) = Desk::set_up().await;
    let given = json!({ "name": "Acme", "billing_reference": "A-100", "kind": "virtual" });
    let acme = add(&desk, &ada, given).await;
    assert_eq!(
        (&acme["settings"]["billing_reference"], &acme["settings"]["kind"]),
        (&json!("A-100"), &json!("virtual"))
    );
    let taken = json!({ "settings": { "name": "Birch", "billing_reference": "A-100" } });
    desk.post(&ada, "/api/v1/occupiers", taken).await.refused(409, "occupier.billing_reference_taken");
    let mut made = Vec::new();
    for cleared in [json!({ "name": "Acme", "billing_reference": "" }), json!({ "name": "Acme" })] {
        let changed = desk.put(&ada, "/api/v1/occupiers/acme", cleared).await.expect(200).json();
        let reference = changed["settings"]["billing_reference"].as_str().unwrap().to_owned();
        assert!(reference.len() > 8 && reference.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{reference}");
        made.push(reference);
    }
    assert_ne!(made[0], made[1]);
    let kept = json!({ "name": "Acme Group", "billing_reference": made[1] });
    let changed = desk.put(&ada, "/api/v1/occupiers/acme", kept).await.expect(200).json();
    assert_eq!(changed["settings"]["billing_reference"], made[1].as_str());
}

#[tokio::test]
async fn rule_62_one_external_identifier_for_each_system_and_site() {
    let (desk, ada) = Desk::set_up().await;
    desk.sites(&ada).await;
    let name = |system: &str, identifier: &str, site: Option<&str>| match site {
        Some(site) => json!({ "system": system, "identifier": identifier, "site": site }),
        None => json!({ "system": system, "identifier": identifier }),
    };
    let settings = |names: &[Value]| json!({ "name": "Acme", "external_identifiers": names });
    add(&desk, &ada, settings(&[name("crm", "1", None), name("crm", "2", Some("ldn")), name("erp", "1", None)])).await;
    let twice = settings(&[name("crm", "1", Some("ldn")), name("crm", "2", Some("ldn"))]);
    let refused = desk.put(&ada, "/api/v1/occupiers/acme", twice).await.refused(422, "request.invalid");
    assert_eq!(refused.json()["errors"][0]["code"], "occupier.identifier_duplicate");
    let nowhere = settings(&[name("crm", "1", Some("mars"))]);
    let refused = desk.put(&ada, "/api/v1/occupiers/acme", nowhere).await.refused(422, "request.invalid");
    assert_eq!(refused.json()["errors"][0]["code"], "site.unknown");
    let taken = json!({ "settings": { "name": "Birch", "external_identifiers": [name("crm", "1", None)] } });
    desk.post(&ada, "/api/v1/occupiers", taken).await.refused(409, "occupier.identifier_taken");
    desk.get(&ada, "/api/v1/occupiers/birch").await.refused(404, "occupier.unknown");
    // What one gives up another can have.
    desk.put(&ada, "/api/v1/occupiers/acme", settings(&[name("crm", "1", None)])).await.expect(200);
    let free = json!({ "name": "Birch", "external_identifiers": [name("crm", "2", Some("ldn"))] });
    add(&desk, &ada, free).await;
}

#[tokio::test]
async fn an_occupier_is_brought_up_to_date_by_what_another_system_calls_it() {
    let (desk, ada) = Desk::set_up().await;
    let sync = desk.token(&ada, &["sync"], None).await;
    let put = async |address: &str, body: Value| {
        desk.ask(&sync, "PUT", &format!("/api/v1/occupiers/by-external-id/{address}"), Some(body), &[]).await
    };
    let contact = json!({ "name": "Wile", "email": "wile@acme.example" });
    let made = put("crm/0017", json!({ "name": "Acme", "kind": "virtual", "contact": contact })).await.expect(201);
    assert_eq!(made.header("location"), "/api/v1/occupiers/acme");
    let settings = made.json()["settings"].clone();
    assert_eq!(settings["external_identifiers"], json!([{ "system": "crm", "identifier": "0017" }]));

    // What is left out stays as it is.
    let again = put("crm/0017", json!({ "name": "Acme Group" })).await.expect(200).json();
    assert_eq!((&again["id"], &again["settings"]["name"]), (&json!("acme"), &json!("Acme Group")));
    for field in ["kind", "billing_reference", "external_identifiers", "telephony_managed"] {
        assert_eq!(again["settings"][field], settings[field], "{field}");
    }
    assert_eq!(again["contact"]["email"], "wile@acme.example");
    put("crm/0018", json!({ "name": "Acme" })).await.expect(201);
    put("crm/0019", json!({ "name": "Acme", "contact": { "name": "", "email": "x" } }))
        .await
        .refused(422, "request.invalid");
    let limited = desk.token(&ada, &["sync"], Some(&[])).await;
    let address = "/api/v1/occupiers/by-external-id/crm/0017";
    let body = json!({ "name": "Evil" });
    desk.ask(&limited, "PUT", address, Some(body), &[]).await.refused(403, "auth.not_allowed");
}

#[tokio::test]
async fn rule_76_the_contact_is_read_only_and_changes_through_the_sync_alone() {
    let (desk, ada) = Desk::set_up().await;
    desk.occupier(&ada, "acme").await;
    let mut shown = desk.get(&ada, "/api/v1/occupiers/acme").await.expect(200).json();
    assert_eq!(shown["contact"]["email"], "wile@acme.example");
    assert_eq!(shown["contact"]["synced_at"], "2026-11-02T09:00:00+00:00");
    let mut settings = shown["settings"].take();
    settings["contact"] = json!({ "name": "Eve", "email": "eve@example.com" });
    desk.put(&ada, "/api/v1/occupiers/acme", settings.clone()).await.refused(400, "request.body_malformed");
    let new = json!({ "settings": settings });
    desk.post(&ada, "/api/v1/occupiers", new).await.refused(400, "request.body_malformed");
    let write = desk.token(&ada, &["write", "read"], None).await;
    let body = json!({ "name": "acme", "contact": { "name": "Eve", "email": "eve@example.com" } });
    for who in [&ada, &write] {
        let address = "/api/v1/occupiers/by-external-id/crm/acme";
        desk.ask(who, "PUT", address, Some(body.clone()), &[]).await.refused(403, "auth.not_allowed");
    }
    assert_eq!(desk.get(&ada, "/api/v1/occupiers/acme").await.json()["contact"]["name"], "Wile");
}

#[tokio::test]
async fn occupiers_are_found_by_name_id_reference_and_identifier_site_and_state_in_pages() {
    let (desk, ada) = Desk::set_up().await;
    desk.sites(&ada).await;
    for name in ["acme", "birch", "cedar", "dogwood"] {
        desk.occupier(&ada, name).await;
    }
    let erp = json!([{ "system": "erp", "identifier": "XK-9" }]);
    let birch = json!({ "name": "Birch & Sons", "billing_reference": "B-77", "external_identifiers": erp });
    desk.put(&ada, "/api/v1/occupiers/birch", birch).await.expect(200);
    desk.contract(&ada, "acme", "ldn", "2026-01-01").await;
    desk.contract(&ada, "birch", "ldn", "2027-01-01").await;
    desk.contract(&ada, "acme", "nyc", "2027-01-01").await;
    desk.contract(&ada, "cedar", "nyc", "2026-01-01").await;
    for (query, expected) in [
        ("", vec!["acme", "birch", "cedar", "dogwood"]),
        ("?search=SONS", vec!["birch"]),
        ("?search=edAr", vec!["cedar"]),
        ("?search=xk-9", vec!["birch"]),
        ("?search=b-77", vec!["birch"]),
        ("?search=%25", vec![]),
        ("?site=ldn", vec!["acme", "birch"]),
        ("?site=nyc&state=ACTIVE", vec!["cedar"]),
        ("?site=nyc&state=UPCOMING", vec!["acme"]),
        ("?state=ACTIVE", vec!["acme", "cedar"]),
        ("?state=NEW", vec!["dogwood"]),
        ("?limit=1&state=ACTIVE", vec!["acme"]),
        ("?limit=1&state=ACTIVE&after=acme", vec!["cedar"]),
    ] {
        let page = desk.get(&ada, &format!("/api/v1/occupiers{query}")).await.expect(200).json();
        assert_eq!(ids(&page), expected, "{query}");
    }
    let page = desk.get(&ada, "/api/v1/occupiers?limit=1&state=ACTIVE").await.json();
    assert_eq!(page["next"], "acme");
    desk.get(&ada, "/api/v1/occupiers?state=sleepy").await.refused(400, "request.parameter_malformed");
    desk.get(&ada, "/api/v1/occupiers?site=mars").await.refused(404, "site.unknown");
}

#[tokio::test]
async fn rule_80_who_is_limited_to_a_site_sees_occupiers_with_a_contract_there_alone() {
    let (desk, ada) = Desk::set_up().await;
    desk.sites(&ada).await;
    for name in ["acme", "birch", "cedar"] {
        desk.occupier(&ada, name).await;
    }
    desk.contract(&ada, "acme", "ldn", "2026-01-01").await;
    let away = desk.contract(&ada, "acme", "nyc", "2026-01-01").await;
    desk.contract(&ada, "birch", "nyc", "2026-01-01").await;
    let user = desk.operator_user(&ada, "operator_user", Some(&["ldn"])).await;
    let machine = desk.token(&ada, &["read", "write"], Some(&["ldn"])).await;
    for who in [&user, &machine] {
        assert_eq!(ids(&desk.get(who, "/api/v1/occupiers").await.expect(200).json()), ["acme"]);
        desk.get(who, "/api/v1/occupiers?site=nyc").await.refused(404, "site.unknown");
        desk.get(who, "/api/v1/occupiers/acme").await.expect(200);
        for foreign in ["birch", "cedar", "nobody"] {
            desk.get(who, &format!("/api/v1/occupiers/{foreign}")).await.refused(404, "occupier.unknown");
        }
        let contracts = desk.get(who, "/api/v1/occupiers/acme/contracts").await.expect(200).json();
        assert_eq!(ids(&contracts), ["acme-ldn"]);
        desk.get(who, &format!("/api/v1/contracts/{away}")).await.refused(404, "contract.unknown");
        // What holds at every site is not theirs to change, nor is another site theirs to give.
        desk.put(who, "/api/v1/occupiers/acme", json!({ "name": "Mine" })).await.refused(403, "auth.not_allowed");
        let there = json!({ "site": "nyc", "settings": { "from": "2027-01-01" } });
        let refused = desk.post(who, "/api/v1/occupiers/acme/contracts", there).await.refused(422, "request.invalid");
        assert_eq!(refused.json()["errors"][0]["code"], "site.unknown");
        let roaming = json!({ "site": "ldn", "settings": { "from": "2030-01-01", "billing_site": "nyc" } });
        desk.put(&ada, "/api/v1/contracts/acme-ldn", json!({ "from": "2026-01-01", "until": "2029-01-01" }))
            .await
            .expect(200);
        desk.post(who, "/api/v1/occupiers/acme/contracts", roaming).await.refused(422, "request.invalid");
    }
    // Nor do they see what of an occupier is at another site.
    let names =
        json!([{ "system": "erp", "identifier": "E-9", "site": "nyc" }, { "system": "crm", "identifier": "acme" }]);
    let settings = json!({ "name": "acme", "external_identifiers": names });
    desk.put(&ada, "/api/v1/occupiers/acme", settings).await.expect(200);
    let seen = desk.get(&user, "/api/v1/occupiers/acme").await.expect(200).json();
    assert_eq!(seen["settings"]["external_identifiers"], json!([{ "system": "crm", "identifier": "acme" }]));
    desk.product(&ada, "nyc", 1).await;
    let service = desk.voice(&ada, "acme", "nyc", 1).await.expect(201).json()["id"].as_str().unwrap().to_owned();
    let update = format!("/api/v1/services/{service}/update");
    desk.ask(&ada, "PUT", &update, Some(json!({ "in_progress": true })), &[]).await.expect(200);
    let in_the_way = async |who: &Who| {
        let shown = desk.get(who, "/api/v1/occupiers/acme/decommission").await.expect(200).json();
        shown["in_the_way"].as_array().unwrap().len()
    };
    assert_eq!((in_the_way(&user).await, in_the_way(&ada).await), (0, 1));
    assert!(ids(&desk.get(&user, "/api/v1/occupiers/acme/services").await.expect(200).json()).is_empty());
    desk.get(&user, &format!("/api/v1/services/{service}")).await.refused(404, "service.unknown");
    let ann = desk.portal(&ada, "acme").await;
    desk.occupier_user(&ann, "acme", "occupier_view", Some(&["nyc"])).await;
    let (both, _) = desk.occupier_user(&ann, "acme", "occupier_view", Some(&["ldn", "nyc"])).await;
    let users = desk.get(&user, "/api/v1/occupiers/acme/users").await.expect(200).json();
    assert_eq!(users["items"].as_array().unwrap().len(), 2, "the administrator, and who is at both sites");
    let shown = desk.get(&user, &format!("/api/v1/occupiers/acme/users/{both}")).await.expect(200).json();
    assert_eq!(shown["sites"], json!(["ldn"]));
    // They add occupiers with a contract at their site, and no others.
    let bare = json!({ "settings": { "name": "Dogwood" } });
    desk.post(&user, "/api/v1/occupiers", bare).await.refused(403, "auth.not_allowed");
    let contract = |site: &str| json!({ "site": site, "settings": { "from": "2026-12-01" } });
    let there = json!({ "settings": { "name": "Dogwood" }, "contract": contract("nyc") });
    desk.post(&user, "/api/v1/occupiers", there).await.refused(422, "request.invalid");
    let here = json!({ "settings": { "name": "Dogwood" }, "contract": contract("ldn") });
    let made = desk.post(&user, "/api/v1/occupiers", here).await.expect(201).json();
    assert_eq!((&made["id"], &made["state"]), (&json!("dogwood"), &json!("UPCOMING")));
}

#[tokio::test]
async fn the_audit_log_says_what_became_of_an_occupier_and_names_no_contact() {
    let (desk, ada) = Desk::set_up().await;
    desk.occupier(&ada, "acme").await;
    desk.put(&ada, "/api/v1/occupiers/acme", json!({ "name": "Acme Group" })).await.expect(200);
    let log = desk.get(&ada, "/api/v1/audit?occupier=acme").await.expect(200);
    let actions: Vec<String> = log.json()["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["action"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(actions, ["occupier.changed", "occupier.synced", "occupier.created"]);
    assert!(!log.text().contains("wile@acme.example") && !log.text().contains("Wile"));
}

#[tokio::test]
async fn ids_that_stand_for_something_else_and_names_that_look_like_others_are_refused() {
    let (desk, ada) = Desk::set_up().await;
    let refused = async |address: &str, body: serde_json::Value| {
        let problem = desk.post(&ada, address, body).await.refused(422, "request.invalid").json();
        problem["errors"][0]["code"].as_str().unwrap().to_owned()
    };
    // Files and answers about all sites have this name.
    let site = json!({ "id": "All-Sites", "settings": { "name": "All", "zone": "Europe/London", "country": "GB" } });
    assert_eq!(refused("/api/v1/sites", site).await, "field.id_kept");
    // Who signs in says by this word that the operator is meant.
    assert_eq!(
        refused("/api/v1/occupiers", json!({ "id": "operator", "settings": { "name": "Acme" } })).await,
        "field.id_kept"
    );
    // Acme, and the mark that turns the direction of writing; a space without width; but a joiner, as Persian needs it.
    for (name, is_refused) in [("Acme\u{202E}", true), ("Ac\u{200B}me", true), ("می\u{200C}خواهم", false)] {
        let body = json!({ "id": "acme", "settings": { "name": name } });
        if is_refused {
            assert_eq!(refused("/api/v1/occupiers", body).await, "field.control_character", "{name:?}");
        } else {
            desk.post(&ada, "/api/v1/occupiers", body).await.expect(201);
        }
    }
}
