//! Tariffs: what is in force, what a draft would change, what a call would cost.

use serde_json::{Value, json};

use crate::desk::Desk;
use crate::months::{demo, london, publish};

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().unwrap_or_else(|| panic!("no list `{key}`: {value:#}"))
}

#[tokio::test]
async fn tariffs_are_listed_with_their_versions_and_the_sides_that_use_them() {
    let (desk, ada) = london().await;
    let found = desk.get(&ada, "/api/v1/tariffs").await.expect(200).json();
    let seen: Vec<(&str, &str, &Value)> = list(&found, "items")
        .iter()
        .map(|tariff| (tariff["id"].as_str().unwrap(), tariff["sides"][0].as_str().unwrap(), &tariff["in_force"]))
        .collect();
    let yes = json!(true);
    assert_eq!(seen, [("retail-gb", "retail", &yes), ("wholesale-gb", "wholesale", &yes)]);
    for tariff in list(&found, "items") {
        assert_eq!(tariff["currency"], "GBP");
        assert!(list(tariff, "versions").iter().all(|version| version["rows"].as_u64().unwrap() > 5), "{tariff:#}");
    }
    let before = desk.get(&ada, "/api/v1/tariffs?at=1990-01-01").await.expect(200).json();
    assert!(list(&before, "items").iter().all(|tariff| tariff["in_force"] == false), "{before:#}");
    desk.get(&ada, "/api/v1/tariffs?at=soon").await.refused(400, "request.parameter_malformed");
}

#[tokio::test]
async fn a_quote_is_what_the_same_call_was_charged_and_says_why_others_lost() {
    let (desk, ada) = london().await;
    publish(&desk, &ada).await;
    let calls =
        desk.get(&ada, "/api/v1/occupiers/acme/calls/2026-10?limit=500&status=charged").await.expect(200).json();
    let mut asked = 0;
    for call in list(&calls, "items").iter().filter(|call| call["direction"] == "outbound") {
        let seconds: u32 = call["duration_s"].as_str().unwrap().parse().unwrap();
        let body = json!({
            "site": "ldn", "occupier": "acme", "number": call["called"], "answered_at": call["charged_at"],
            "duration_s": seconds,
        });
        let quoted = desk.post(&ada, "/api/v1/quotes", body).await.expect(200).json();
        assert_eq!((&quoted["status"], &quoted["charge"]), (&json!("rated"), &call["cost"]), "{call:#}: {quoted:#}");
        assert_eq!((&quoted["tariff"], &quoted["destination"]), (&call["tariff"], &call["destination"]));
        let candidates = list(&quoted["explanation"]["sides"][0], "candidates");
        assert_eq!(candidates.iter().filter(|row| row["decides"] == true).count(), 1);
        assert!(candidates.iter().all(|row| row["decides"] == true || row["because"].is_string()), "{candidates:#?}");
        asked += 1;
    }
    assert!(asked > 3, "{asked}");

    let quote = async |change: Value| {
        let mut body = json!({ "site": "ldn", "number": "+447700900123", "duration_s": 60 });
        for (key, value) in change.as_object().unwrap() {
            body[key] = value.clone();
        }
        desk.post(&ada, "/api/v1/quotes", body).await
    };
    // A minute at 9p by day and 3p for the connection, at noon of a Tuesday; by the carrier's tariff it is another price.
    let noon = json!({ "answered_at": "2026-10-06T12:00:00+01:00", "occupier": "acme" });
    assert_eq!(quote(noon.clone()).await.expect(200).json()["charge"], "0.12");
    let mut by_carrier = noon.clone();
    by_carrier["tariff"] = json!("wholesale-gb");
    let by_carrier = quote(by_carrier).await.expect(200).json();
    assert_eq!(by_carrier["tariff"], "wholesale-gb");
    assert_ne!(by_carrier["charge"], "0.12");
    assert_eq!(quote(json!({ "direction": "inbound" })).await.expect(200).json()["status"], "not chargeable");
    quote(json!({ "tariff": "nothing" })).await.refused(409, "publish.refused");
    quote(json!({ "occupier": "nobody" })).await.refused(404, "occupier.unknown");
    quote(json!({ "occupier": "cedar" })).await.refused(409, "publish.refused");
    quote(json!({ "site": "par" })).await.refused(404, "site.unknown");
    quote(json!({ "direction": "up" })).await.refused(422, "request.invalid");
    quote(json!({ "answered_at": "soon" })).await.refused(422, "request.invalid");
    let settings = json!({ "name": "Pier 12", "zone": "America/New_York", "country": "US", "area_code": "212" });
    desk.post(&ada, "/api/v1/sites", json!({ "id": "nyc", "settings": settings })).await.expect(201);
    let elsewhere = desk.operator_user(&ada, "operator_user", Some(&["nyc"])).await;
    let body = json!({ "site": "ldn", "number": "+447700900123", "duration_s": 60 });
    desk.post(&elsewhere, "/api/v1/quotes", body).await.refused(404, "site.unknown");
}

fn names(desk: &Desk) -> Vec<String> {
    let entries = std::fs::read_dir(desk.folder()).unwrap();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_draft_is_compared_row_by_row_rated_and_forgotten() {
    let (desk, ada) = london().await;
    publish(&desk, &ada).await;
    let deck = String::from_utf8(demo("tariffs/retail-gb.csv")).unwrap();
    let draft = deck
        .replace("447,UK mobile,mobile,9,", "447,UK mobile,mobile,10,")
        .replace("33,France,geographic,5,5,5,,,,\n", "34,Spain,geographic,5,5,5,,,,\n");
    let before = names(&desk);
    let files = desk.get(&ada, "/api/v1/files").await.expect(200).text();
    let address = "/api/v1/tariffs/dry-runs";
    let tried = desk.post(&ada, address, json!({ "files": { "retail-gb.csv": draft } })).await.expect(200).json();
    let [change] = list(&tried, "tariffs") else { panic!("{tried:#}") };
    assert_eq!(change["tariff"], "retail-gb");
    let rows: Vec<(&str, &str)> = list(change, "rows")
        .iter()
        .map(|row| (row["change"].as_str().unwrap(), row["key"].as_str().unwrap()))
        .collect();
    assert_eq!(rows, [("changed", "447"), ("added", "34"), ("removed", "33")], "{tried:#}");
    assert_eq!((&change["changed"], &change["added"], &change["removed"]), (&json!(1), &json!(1), &json!(1)));
    let mobile = &change["rows"][0];
    assert_ne!(mobile["before"]["prices"], mobile["after"]["prices"]);
    assert_eq!(mobile["before"]["line"], mobile["after"]["line"]);
    assert_eq!(tried.get("month"), None);

    let body = json!({ "files": { "retail-gb.csv": draft }, "month": "2026-10" });
    let tried = desk.post(&ada, address, body).await.expect(200).json();
    let payers = list(&tried["month"], "payers");
    assert!(payers.iter().any(|line| line["names"] == json!(["ldn", "acme"])), "{tried:#}");
    assert!(tried["month"]["changed"].as_u64().unwrap() > 0);

    let broken =
        json!({ "files": { "retail-gb.csv": deck.replace("447,UK mobile,mobile,9,", "447,UK mobile,mobile,nine,") } });
    let tried = desk.post(&ada, address, broken).await.expect(200).json();
    assert_eq!((&tried["usable"], &tried["tariffs"]), (&json!(false), &json!([])));
    let found = &tried["findings"][0];
    assert!(found["place"].as_str().unwrap().starts_with("retail-gb.csv:4"), "{tried:#}");
    assert!(!tried.to_string().contains(desk.folder().to_str().unwrap()), "{tried:#}");
    for name in ["../../rating.db", "/etc/passwd", ""] {
        desk.post(&ada, address, json!({ "files": { name: "x" } })).await.refused(422, "publish.file_path");
    }
    assert_eq!(names(&desk), before, "nothing is kept");
    assert_eq!(desk.get(&ada, "/api/v1/files").await.expect(200).text(), files);
}
