//! The pricebook, and services (domain rules 42, 45 to 47, 57, 58, 60).

use rating_core::time::Instant;
use rating_service::due::due;
use rating_service::store::services::lines_at;
use serde_json::{Value, json};

use crate::desk::{Desk, Who};

/// acme without a contract; in London the product `voice` of one line, and three numbers in the pool.
async fn desk() -> (Desk, Who) {
    let (desk, ada) = Desk::set_up().await;
    desk.sites(&ada).await;
    desk.occupier(&ada, "acme").await;
    desk.product(&ada, "ldn", 1).await;
    desk.provision(&ada, "ldn", "+442079460001", "+442079460003").await;
    (desk, ada)
}

fn at(instant: &str) -> Instant {
    Instant::parse_rfc3339(instant).unwrap()
}

async fn lines(desk: &Desk, instant: &str) -> u32 {
    let mut reader = desk.app.store.read().await.unwrap();
    lines_at(reader.on(), "acme", "ldn", at(instant)).await.unwrap()
}

async fn assign(desk: &Desk, who: &Who, body: Value) -> crate::desk::Answer {
    desk.post(who, "/api/v1/occupiers/acme/services", body).await
}

#[tokio::test]
async fn rule_57_a_service_without_a_contract_is_refused_by_name() {
    let (desk, ada) = desk().await;
    desk.voice(&ada, "acme", "ldn", 1).await.refused(409, "service.no_contract");
    // A contract at another site, and one that was discarded, are none here.
    desk.contract(&ada, "acme", "nyc", "2026-01-01").await;
    let id = desk.contract(&ada, "acme", "ldn", "2026-12-01").await;
    desk.ask(&ada, "POST", &format!("/api/v1/contracts/{id}/discard"), None, &[]).await.expect(200);
    desk.voice(&ada, "acme", "ldn", 1).await.refused(409, "service.no_contract");
    let ended = json!({ "site": "ldn", "settings": { "from": "2026-01-01", "until": "2026-11-03" } });
    desk.post(&ada, "/api/v1/occupiers/acme/contracts", ended).await.expect(201);
    desk.clock.set(at("2026-11-03T00:00:00Z"));
    let ada = desk.sign_in("ada@example.com").await;
    desk.voice(&ada, "acme", "ldn", 1).await.refused(409, "service.contract_completed");
}

#[tokio::test]
async fn rule_58_a_service_begins_with_its_contract_and_follows_it() {
    let (desk, ada) = desk().await;
    desk.contract(&ada, "acme", "ldn", "2026-12-01").await;
    let assigned = desk.voice(&ada, "acme", "ldn", 2).await.expect(201).json();
    assert_eq!((&assigned["from"], &assigned["state"]), (&json!("2026-12-01"), &json!("UPCOMING")));
    assert_eq!(assigned.get("automatic"), None, "numbers come when it begins");
    assert_eq!(lines(&desk, "2026-11-30T23:59:59Z").await, 0);
    assert_eq!(lines(&desk, "2026-12-01T00:00:00Z").await, 2);
    desk.put(&ada, "/api/v1/contracts/acme-ldn", json!({ "from": "2026-11-20" })).await.expect(200);
    assert_eq!(lines(&desk, "2026-11-20T00:00:00Z").await, 2);
    let early = json!({ "site": "ldn", "product": "voice", "from": "2026-11-10" });
    assert_eq!(assign(&desk, &ada, early).await.expect(201).json()["from"], "2026-11-20");
    let late = json!({ "site": "ldn", "product": "voice", "from": "2026-11-25", "until": "2026-11-28" });
    let late = assign(&desk, &ada, late).await.expect(201).json();
    assert_eq!((&late["from"], &late["until"]), (&json!("2026-11-25"), &json!("2026-11-28")));
    assert_eq!((lines(&desk, "2026-11-24T23:59:59Z").await, lines(&desk, "2026-11-25T00:00:00Z").await), (3, 4));
    let past = json!({ "site": "ldn", "product": "voice", "from": "2026-11-01" });
    assign(&desk, &ada, past).await.refused(422, "service.start_in_past");
    // The beginning comes, and with it the numbers: nobody has to ask.
    desk.clock.set(at("2026-11-19T23:59:59Z"));
    assert_eq!(due(&desk.app).await.unwrap().services, 0);
    desk.clock.set(at("2026-11-20T00:00:00Z"));
    assert_eq!(due(&desk.app).await.unwrap().services, 1);
    let ada = desk.sign_in("ada@example.com").await;
    let numbers = desk.get(&ada, "/api/v1/occupiers/acme/numbers").await.expect(200).json();
    let states: Vec<&str> =
        numbers["items"].as_array().unwrap().iter().map(|number| number["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["ACTIVE", "ACTIVE"]);
    assert_eq!(due(&desk.app).await.unwrap(), Default::default(), "done once");
}

#[tokio::test]
async fn rule_60_an_inactive_product_is_not_assigned_anew_and_stays_where_it_is() {
    let (desk, ada) = desk().await;
    desk.contract(&ada, "acme", "ldn", "2026-01-01").await;
    let service = desk.voice(&ada, "acme", "ldn", 2).await.expect(201).json();
    let off = json!({ "name": "Voice", "is_active": false, "lines": 5, "tariff": "other" });
    desk.put(&ada, "/api/v1/sites/ldn/products/voice", off).await.expect(200);
    desk.voice(&ada, "acme", "ldn", 1).await.refused(409, "product.inactive");
    let address = format!("/api/v1/services/{}", service["id"].as_str().unwrap());
    let kept = desk.get(&ada, &address).await.expect(200).json();
    assert_eq!((&kept["lines"], &kept["tariff"], &kept["state"]), (&json!(2), &json!("standard"), &json!("ACTIVE")));
    // It may shrink, and does not grow.
    let change = format!("{address}/change");
    desk.post(&ada, &change, json!({ "quantity": 3 })).await.refused(409, "product.inactive");
    let less = desk.post(&ada, &change, json!({ "quantity": 1 })).await.expect(201).json();
    assert_eq!((&less["lines"], &less["tariff"]), (&json!(1), &json!("standard")));
}

#[tokio::test]
async fn rules_45_46_and_47_the_first_voice_service_brings_numbers_the_second_none_and_a_shortage_is_said() {
    let (desk, ada) = desk().await;
    desk.contract(&ada, "acme", "ldn", "2026-01-01").await;
    // Lines that nobody has yet do not forbid to reserve: the third number is kept for acme, and goes first.
    let reserve = json!({ "allocate": { "holder": "acme" } });
    desk.command(&ada, "ldn", &["+442079460003"], reserve).await.expect(200);
    let data = json!({ "id": "internet", "settings": { "name": "Internet", "lines": 0 } });
    desk.post(&ada, "/api/v1/sites/ldn/products", data).await.expect(201);
    let internet = json!({ "site": "ldn", "product": "internet" });
    assert_eq!(assign(&desk, &ada, internet).await.expect(201).json().get("automatic"), None, "no voice service");

    let first = desk.voice(&ada, "acme", "ldn", 4).await.expect(201).json();
    let numbers = json!(["+442079460003", "+442079460001", "+442079460002"]);
    assert_eq!(first["automatic"], json!({ "numbers": numbers, "shortage": 1 }));
    desk.provision(&ada, "ldn", "+442079460004", "+442079460009").await;
    let second = desk.voice(&ada, "acme", "ldn", 1).await.expect(201).json();
    assert_eq!(second.get("automatic"), None);
    assert_eq!(lines(&desk, crate::desk::NOW).await, 5);
    let held = desk.get(&ada, "/api/v1/occupiers/acme/numbers").await.json();
    assert_eq!(held["items"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn a_service_is_changed_by_ending_it_and_adding_another_from_the_same_moment() {
    let (desk, ada) = desk().await;
    desk.contract(&ada, "acme", "ldn", "2026-01-01").await;
    let first = desk.voice(&ada, "acme", "ldn", 2).await.expect(201).json();
    let address = format!("/api/v1/services/{}", first["id"].as_str().unwrap());
    let change = format!("{address}/change");
    desk.post(&ada, &change, json!({ "quantity": 3, "from": "2026-11-01" })).await.refused(422, "request.invalid");
    desk.post(&ada, &change, json!({ "quantity": 0 })).await.refused(422, "request.invalid");
    desk.post(&ada, &change, json!({ "product": "fax" })).await.refused(422, "request.invalid");
    let second = desk.post(&ada, &change, json!({ "quantity": 3, "from": "2026-11-10" })).await.expect(201).json();
    assert_eq!((&second["replaces"], &second["from"]), (&first["id"], &json!("2026-11-10")));
    let old = desk.get(&ada, &address).await.expect(200).json();
    assert_eq!((&old["until"], &old["state"]), (&json!("2026-11-10"), &json!("ACTIVE")));
    assert_eq!(lines(&desk, "2026-11-09T23:59:59Z").await, 2);
    assert_eq!(lines(&desk, "2026-11-10T00:00:00Z").await, 3);
    // The numbers stay: the one takes the other's place without a gap.
    desk.clock.set(at("2026-11-10T00:00:00Z"));
    due(&desk.app).await.unwrap();
    let ada = desk.sign_in("ada@example.com").await;
    let number = desk.get(&ada, "/api/v1/numbers/+442079460001").await.expect(200).json();
    assert_eq!(number["state"], "ACTIVE");
    desk.post(&ada, &change, json!({ "quantity": 1 })).await.refused(409, "service.ended");
}

#[tokio::test]
async fn with_the_last_voice_service_at_a_site_its_numbers_end() {
    let (desk, ada) = desk().await;
    desk.contract(&ada, "acme", "ldn", "2026-01-01").await;
    let ids: Vec<String> = {
        let mut ids = Vec::new();
        for _ in 0..2 {
            let made = desk.voice(&ada, "acme", "ldn", 1).await.expect(201).json();
            ids.push(made["id"].as_str().unwrap().to_owned());
        }
        ids
    };
    let state = async || {
        desk.get(&ada, "/api/v1/numbers/+442079460001").await.expect(200).json()["state"].as_str().unwrap().to_owned()
    };
    let end = async |id: &str, body: Value| desk.post(&ada, &format!("/api/v1/services/{id}/end"), body).await;
    end(&ids[0], json!({ "until": "2026-11-01" })).await.refused(422, "request.invalid");
    assert_eq!(end(&ids[0], json!({})).await.expect(200).json()["state"], "ENDED");
    assert_eq!(state().await, "ACTIVE", "one is left");
    end(&ids[0], json!({})).await.refused(409, "service.ended");
    end(&ids[1], json!({})).await.expect(200);
    assert_eq!(state().await, "COOLDOWN");
}

#[tokio::test]
async fn a_service_with_an_update_in_progress_is_not_changed() {
    let (desk, ada) = desk().await;
    desk.contract(&ada, "acme", "ldn", "2026-01-01").await;
    let service = desk.voice(&ada, "acme", "ldn", 1).await.expect(201).json();
    let address = format!("/api/v1/services/{}", service["id"].as_str().unwrap());
    let note = async |in_progress: bool| {
        let body = json!({ "in_progress": in_progress });
        desk.ask(&ada, "PUT", &format!("{address}/update"), Some(body), &[]).await.expect(200).json()
    };
    assert_eq!(note(true).await["updating"], true);
    desk.post(&ada, &format!("{address}/change"), json!({})).await.refused(409, "service.updating");
    desk.post(&ada, &format!("{address}/end"), json!({})).await.refused(409, "service.updating");
    assert_eq!(note(false).await["updating"], false);
    desk.post(&ada, &format!("{address}/end"), json!({})).await.expect(200);
}

#[tokio::test]
async fn the_pricebook_is_a_list_and_a_file_whose_texts_are_no_formulas() {
    let (desk, ada) = desk().await;
    let evil = json!({ "id": "addon", "settings": { "name": "=1+1", "is_active": false, "price_per_month": "-3" } });
    let refused = desk.post(&ada, "/api/v1/sites/ldn/products", evil).await.refused(422, "request.invalid");
    assert_eq!(refused.json()["errors"][0]["code"], "field.amount_malformed");
    let settings = json!({ "name": "=1+1", "is_active": false, "lines": 0, "features": ["voicemail", "forwarding"] });
    let body = json!({ "id": "addon", "settings": settings });
    desk.post(&ada, "/api/v1/sites/ldn/products", body.clone()).await.expect(201);
    desk.post(&ada, "/api/v1/sites/ldn/products", body).await.refused(409, "product.exists");
    let list = desk.get(&ada, "/api/v1/sites/ldn/products").await.expect(200).json();
    assert_eq!(list["items"].as_array().unwrap().len(), 2);
    let file = desk.get(&ada, "/api/v1/sites/ldn/products.csv").await.expect(200);
    assert_eq!(file.header("content-type"), "text/csv; charset=utf-8");
    assert_eq!(file.header("content-disposition"), "attachment; filename=\"ldn_products.csv\"");
    assert_eq!(
        file.text(),
        "site,product,name,state,lines,tariff,allowance,service_level,features,price_per_month,currency\r\n\
         ldn,addon,'=1+1,inactive,0,,,,voicemail forwarding,,GBP\r\n\
         ldn,voice,Voice,active,1,standard,,,,12.50,GBP\r\n"
    );
    let log = desk.get(&ada, "/api/v1/audit?subject=site:ldn&limit=1").await.json();
    assert_eq!(log["items"][0]["action"], "product.downloaded");
    desk.get(&ada, "/api/v1/sites/nyc/products/voice").await.refused(404, "product.unknown");
    desk.get(&ada, "/api/v1/sites/mars/products.csv").await.refused(404, "site.unknown");
}

#[tokio::test]
async fn rule_29_the_csv_of_active_services_follows_the_site_and_neither_search_nor_order() {
    let (desk, ada) = desk().await;
    desk.product(&ada, "nyc", 1).await;
    desk.occupier(&ada, "birch").await;
    for (occupier, site, quantity) in [("acme", "ldn", 2), ("acme", "nyc", 1), ("birch", "ldn", 3)] {
        if desk.get(&ada, &format!("/api/v1/contracts/{occupier}-{site}")).await.status == 404 {
            desk.contract(&ada, occupier, site, "2026-01-01").await;
        }
        desk.voice(&ada, occupier, site, quantity).await.expect(201);
    }
    let csv = async |query: &str| desk.get(&ada, &format!("/api/v1/services.csv{query}")).await.expect(200).text();
    let all = csv("").await;
    let expected = "site,product,name,occupier,quantity,lines,price_per_month,cost_per_month,currency\r\n\
         ldn,voice,Voice,acme,2,2,12.50,25.00,GBP\r\n\
         ldn,voice,Voice,birch,3,3,12.50,37.50,GBP\r\n\
         nyc,voice,Voice,acme,1,1,12.50,12.50,GBP\r\n";
    assert_eq!(all, expected);
    assert_eq!(csv("?search=birch&order=occupier").await, all, "neither search nor order");
    let london = csv("?site=ldn").await;
    assert_eq!(london.lines().count(), 3, "{london}");
    assert_eq!(csv("?site=ldn&search=acme&order=quantity").await, london);
    let summary = csv("?form=summary").await;
    assert!(summary.contains("ldn,voice,Voice,5,5,12.50,62.50,GBP\r\n"), "{summary}");
    desk.get(&ada, "/api/v1/services.csv?form=short").await.refused(400, "request.parameter_malformed");

    // On the screen both do something.
    let list = async |query: &str| -> Vec<String> {
        let page = desk.get(&ada, &format!("/api/v1/services{query}")).await.expect(200).json();
        let rows = page["items"].as_array().unwrap().clone();
        rows.iter().map(|row| format!("{} {}", row["occupier"].as_str().unwrap(), row["quantity"])).collect()
    };
    assert_eq!(list("?search=BIR").await, ["birch 3"]);
    assert_eq!(list("?order=quantity").await, ["birch 3", "acme 2", "acme 1"]);
    // Who is limited to a site sees its services alone, and cannot ask for another's.
    let user = desk.operator_user(&ada, "operator_user", Some(&["nyc"])).await;
    let theirs = desk.get(&user, "/api/v1/services.csv").await.expect(200).text();
    assert!(theirs.contains("nyc,voice") && !theirs.contains("ldn"), "{theirs}");
    desk.get(&user, "/api/v1/services.csv?site=ldn").await.refused(404, "site.unknown");
}
