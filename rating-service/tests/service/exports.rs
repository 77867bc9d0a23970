//! Charges for a billing system (domain rules 67, 68).

use serde_json::{Value, json};

use crate::house::{House, rows};

/// A call of sixpence each of acme in London and Manchester, and of bolt.
async fn published() -> House {
    let house = House::new().await;
    house.out("ldn", "2001", "901614960123", "2026-10-05T09:00:00+01:00", 60);
    house.out("ldn", "2011", "901614960123", "2026-10-05T09:00:00+01:00", 120);
    house.out("ldn", "2091", "901614960123", "2026-10-05T09:00:00+01:00", 60);
    house.out("man", "3001", "901614960123", "2026-10-05T09:00:00+01:00", 180);
    house.publish().await;
    house
}

async fn called(house: &House, occupier: &str, identifiers: Value) {
    let path = format!("/api/v1/occupiers/{occupier}");
    let mut settings = house.desk.get(&house.ada, &path).await.expect(200).json()["settings"].clone();
    settings["external_identifiers"] = identifiers;
    house.desk.put(&house.ada, &path, settings).await.expect(200);
}

async fn export(house: &House) -> Value {
    house.desk.get(&house.ada, "/api/v1/exports/operate/charges?month=2026-10").await.expect(200).json()
}

#[tokio::test]
async fn rule_67_what_the_other_system_does_not_know_is_listed_apart_and_keeps_nothing_back() {
    let house = published().await;
    let codes = |export: &Value| -> Vec<String> {
        let errors = export["errors"].as_array().unwrap();
        errors
            .iter()
            .map(|error| format!("{} {}", error["occupier"].as_str().unwrap(), error["code"].as_str().unwrap()))
            .collect()
    };
    let all_unknown = export(&house).await;
    assert_eq!(all_unknown["rows"], json!([]));
    let expected = ["acme export.account_unknown", "bolt export.account_unknown", "acme export.account_unknown"];
    assert_eq!(codes(&all_unknown), expected);

    called(&house, "acme", json!([{ "system": "operate", "identifier": "AC01" }])).await;
    let target = "/api/v1/exports/operate";
    let known = json!({ "products": { "ldn": "Call charges" } });
    house
        .desk
        .ask(&house.ada, "PUT", target, Some(known.clone()), &[])
        .await
        .refused(428, "request.precondition_required");
    house.desk.put(&house.ada, target, known).await.expect(200);
    let some = export(&house).await;
    assert_eq!(codes(&some), ["bolt export.account_unknown", "acme export.product_unknown"]);
    let row = &some["rows"][0];
    assert_eq!(some["rows"].as_array().unwrap().len(), 1, "{some:#}");
    assert_eq!(
        (&row["account"], &row["product"], &row["amount"], &row["site"]),
        (&json!("AC01"), &json!("Call charges"), &json!("0.06"), &json!("ldn"))
    );
    let csv = house.download("/api/v1/exports/operate/charges.csv?month=2026-10").await.expect(200);
    assert!(csv.header("content-disposition").contains("\"202610_all-sites_export_operate.csv\""));
    assert_eq!(rows(&csv.text()).len(), 1, "the file has what can be taken in");

    // An identifier of the site comes before that of all sites.
    let site = json!([{ "system": "operate", "identifier": "AC01" }, { "system": "operate", "site": "man", "identifier": "AC02" }]);
    called(&house, "acme", site).await;
    house.desk.put(&house.ada, target, json!({ "products": { "*": "Calls" } })).await.expect(200);
    let all = export(&house).await;
    let accounts: Vec<&str> =
        all["rows"].as_array().unwrap().iter().map(|row| row["account"].as_str().unwrap()).collect();
    assert_eq!(accounts, ["AC01", "AC02"]);
    assert_eq!(codes(&all), ["bolt export.account_unknown"]);
    house.download("/api/v1/exports/operate/charges?month=2026-09").await.refused(409, "report.not_available");
    let nowhere = json!({ "products": { "atlantis": "Calls" } });
    house.desk.put(&house.ada, target, nowhere).await.refused(422, "request.invalid");
}

#[tokio::test]
async fn rule_68_a_charge_carries_where_it_arose_and_where_it_is_billed() {
    let house = published().await;
    called(&house, "acme", json!([{ "system": "operate", "identifier": "AC01" }])).await;
    house.desk.put(&house.ada, "/api/v1/exports/operate", json!({ "products": { "*": "Calls" } })).await.expect(200);
    let settings = json!({ "from": "2026-01-01", "billing_site": "ldn" });
    house.desk.put(&house.ada, "/api/v1/contracts/acme-man", settings).await.expect(200);
    let export = export(&house).await;
    let sites: Vec<(&str, &str)> = export["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["site"].as_str().unwrap(), row["billing_site"].as_str().unwrap()))
        .collect();
    assert_eq!(sites, [("ldn", "ldn"), ("man", "ldn")]);
    // Who is limited to a site exports its charges alone.
    let user = house.desk.operator_user(&house.ada, "operator_user", Some(&["man"])).await;
    let theirs = house.desk.get(&user, "/api/v1/exports/operate/charges?month=2026-10").await.expect(200).json();
    assert_eq!(theirs["rows"].as_array().unwrap().len() + theirs["errors"].as_array().unwrap().len(), 1);
    assert_eq!(theirs["rows"][0]["site"], "man");
}
