//! What the operator works with: spend, exceptions, comparisons, alerts.

use serde_json::{Value, json};

use crate::desk::{Desk, Who};
use crate::months::{london, october, publish};

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().unwrap_or_else(|| panic!("no list `{key}`: {value:#}"))
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

async fn codes(desk: &Desk, who: &Who) -> Vec<String> {
    let alerts = desk.get(who, "/api/v1/alerts").await.expect(200).json();
    list(&alerts, "items").iter().map(|alert| text(alert, "code").to_owned()).collect()
}

#[tokio::test]
async fn rule_13_spend_by_site_and_payer_equals_the_published_charges() {
    let (desk, ada) = london().await;
    let nothing = desk.get(&ada, "/api/v1/charges/2026-10").await.expect(200).json();
    assert_eq!((&nothing["available"], list(&nothing, "payers").len()), (&json!(false), 0));
    let run = publish(&desk, &ada).await;
    let month = desk.get(&ada, "/api/v1/charges/2026-10").await.expect(200).json();
    assert_eq!((text(&month, "run"), text(&month, "standing")), (run.as_str(), "in_force"));
    let csv =
        desk.get(&ada, "/api/v1/reports/download?month=2026-10&site=ldn&report=call-charges&format=machine-csv").await;
    let csv = csv.expect(200).body;
    let mut reader = csv::Reader::from_reader(csv.as_slice());
    let rows: Vec<std::collections::BTreeMap<String, String>> = reader.deserialize().map(Result::unwrap).collect();
    let payers = list(&month, "payers");
    assert_eq!(payers.len(), rows.len());
    for (payer, row) in payers.iter().zip(&rows) {
        assert_eq!(text(payer, "payer"), row["client_id"]);
        if row["currency"] == "GBP" {
            assert_eq!(text(&payer["client"], "GBP"), row["client_amount"]);
        }
        if row["operator_currency"] == "GBP" {
            assert_eq!(text(&payer["operator"], "GBP"), row["operator_amount"]);
        }
        assert_eq!(text(payer, "margin"), row["margin"]);
        for column in ["calls", "billable_calls", "suspended_calls"] {
            assert_eq!(payer[column].to_string(), row[column], "{column}");
        }
    }
    let [site] = list(&month, "sites") else { panic!("{month:#}") };
    let calls: u64 = payers.iter().map(|payer| payer["calls"].as_u64().unwrap()).sum();
    assert_eq!(site["calls"], calls);
    // What is at stake at the site is what the exceptions say of retail and wholesale.
    let exceptions = desk.get(&ada, "/api/v1/months/2026-10/exceptions").await.expect(200).json();
    let suspended: u64 = list(&exceptions, "groups")
        .iter()
        .filter(|group| group["side"] == "retail")
        .map(|group| group["count"].as_u64().unwrap())
        .sum();
    assert_eq!(site["suspended_calls"], suspended);
    assert!(suspended > 0);
}

#[tokio::test]
async fn exceptions_are_work_grouped_by_what_mends_them() {
    let (desk, ada) = london().await;
    let address = "/api/v1/months/2026-10/exceptions";
    desk.get(&ada, address).await.refused(404, "publish.no_such_version");
    let run = publish(&desk, &ada).await;
    let found = desk.get(&ada, address).await.expect(200).json();
    assert_eq!(text(&found, "run"), run);
    let groups = list(&found, "groups");
    for group in groups {
        assert!(!text(group, "fix").is_empty(), "{group:#}");
        assert!(group["count"].as_u64().unwrap() > 0);
        assert!(!text(group, "reason").is_empty());
        if group["kind"] == "suspended" {
            let call = text(&group["first"], "call");
            let told = desk.get(&ada, &format!("/api/v1/months/2026-10/calls/{call}/explanation")).await.expect(200);
            assert!(told.text().contains(text(group, "reason")), "{group:#}: {}", told.text());
            assert!(text(&group["first"], "at") <= text(&group["last"], "at"));
        }
        if group["needs_action"] == true && group["kind"] == "suspended" {
            assert!(group.get("route").is_some() || group.get("command").is_some(), "{group:#}");
        }
        assert!(!group["route"].to_string().contains("{source}"), "{group:#}");
    }
    // The same as the report has, reason by reason.
    let csv =
        desk.get(&ada, "/api/v1/reports/download?month=2026-10&report=exceptions&format=machine-csv").await.expect(200);
    let mut reader = csv::Reader::from_reader(csv.body.as_slice());
    let mut expected: std::collections::BTreeMap<(String, String, String), u64> = std::collections::BTreeMap::new();
    for row in reader.deserialize().map(Result::<std::collections::BTreeMap<String, String>, _>::unwrap) {
        let key = (row["kind"].clone(), row["side"].clone(), row["reason"].clone());
        *expected.entry(key).or_default() += row["count"].parse::<u64>().unwrap_or_default();
    }
    let mut counted: std::collections::BTreeMap<(String, String, String), u64> = std::collections::BTreeMap::new();
    for group in groups {
        let key = (text(group, "kind").to_owned(), text(group, "side").to_owned(), text(group, "reason").to_owned());
        *counted.entry(key).or_default() += group["count"].as_u64().unwrap();
    }
    assert_eq!(counted, expected);
    assert!(
        groups.iter().any(|group| group["key_kind"] == "prefix" && text(group, "key").starts_with('+')),
        "{groups:#?}"
    );
}

#[tokio::test]
async fn rule_80_an_operators_user_is_told_of_its_sites_alone() {
    let (desk, ada) = london().await;
    publish(&desk, &ada).await;
    let settings = json!({ "name": "Pier 12", "zone": "America/New_York", "country": "US", "area_code": "212" });
    desk.post(&ada, "/api/v1/sites", json!({ "id": "nyc", "settings": settings })).await.expect(201);
    let manager = desk.operator_user(&ada, "operator_user", Some(&["nyc"])).await;
    let month = desk.get(&manager, "/api/v1/charges/2026-10").await.expect(200).json();
    assert_eq!(list(&month, "payers"), [] as [Value; 0]);
    assert!(matches!(list(&month, "sites"), [site] if site["site"] == "nyc" && site["calls"] == 0), "{month:#}");
    desk.get(&manager, "/api/v1/charges/2026-10?site=ldn").await.refused(404, "site.unknown");
    let exceptions = desk.get(&manager, "/api/v1/months/2026-10/exceptions").await.expect(200).json();
    assert_eq!(list(&exceptions, "groups"), [] as [Value; 0]);
    desk.get(&manager, "/api/v1/months/2026-10/exceptions?site=ldn").await.refused(404, "site.unknown");
    desk.get(&manager, "/api/v1/months/2026-10/comparison").await.refused(403, "auth.not_allowed");
    assert_eq!(codes(&desk, &manager).await, [] as [String; 0]);
    let near = desk.operator_user(&ada, "operator_user", Some(&["ldn"])).await;
    assert!(codes(&desk, &near).await.contains(&"calls.suspended".to_owned()));
}

#[tokio::test]
async fn two_versions_of_a_month_are_compared_by_site_and_payer() {
    let (desk, ada) = london().await;
    let first = publish(&desk, &ada).await;
    desk.get(&ada, "/api/v1/months/2026-10/comparison").await.refused(404, "publish.no_such_version");
    let deck = String::from_utf8(crate::months::demo("tariffs/retail-gb.csv")).unwrap();
    let dearer = deck.replace("447,UK mobile,mobile,9,", "447,UK mobile,mobile,10,");
    assert_ne!(deck, dearer);
    let path = "/api/v1/files/tariffs/retail-gb.csv";
    desk.send(&ada, "PUT", path, "application/octet-stream", dearer.into_bytes()).await.expect(200);
    desk.clock.set(rating_core::time::Instant::parse_rfc3339("2026-11-02T10:00:00Z").unwrap());
    desk.ask(&ada, "POST", "/api/v1/months/2026-10/checks", None, &[]).await.expect(202);
    let month = october(&desk, &ada).await;
    let second = text(&month["runs"][0], "run").to_owned();
    let found = desk.get(&ada, "/api/v1/months/2026-10/comparison").await.expect(200).json();
    assert_eq!(
        (text(&found, "before"), text(&found, "after")),
        (first.as_str(), second.as_str()),
        "what waits with what is in force"
    );
    assert_eq!((&found["same"], &found["added"], &found["removed"]), (&json!(false), &json!(0), &json!(0)));
    let changed = found["changed"].as_u64().unwrap();
    let of_payers: u64 = list(&found, "payers").iter().map(|line| line["calls"].as_u64().unwrap()).sum();
    assert_eq!(of_payers, changed);
    assert!(changed > 0);
    let back = format!("/api/v1/months/2026-10/comparison?before={second}&after={first}");
    let back = desk.get(&ada, &back).await.expect(200).json();
    let difference = |found: &Value| text(&list(found, "totals")[0], "difference").to_owned();
    assert_eq!(difference(&back), format!("-{}", difference(&found)));
    let unknown = "/api/v1/months/2026-10/comparison?before=2026-10-0000000000000000";
    desk.get(&ada, unknown).await.refused(404, "publish.no_such_version");
}

#[tokio::test]
async fn alerts_come_with_their_cause_and_go_with_it() {
    let (desk, ada) = london().await;
    assert!(codes(&desk, &ada).await.contains(&"month.not_checked".to_owned()));
    let run = crate::months::check(&desk, &ada).await;
    let waits = codes(&desk, &ada).await;
    assert!(waits.contains(&"month.waiting_for_approval".to_owned()), "{waits:?}");
    assert!(waits.contains(&"calls.suspended".to_owned()), "{waits:?}");
    assert!(!waits.contains(&"month.not_checked".to_owned()), "{waits:?}");
    desk.post(&ada, "/api/v1/months/2026-10/approvals", json!({ "run": run })).await.expect(200);
    assert!(codes(&desk, &ada).await.contains(&"month.waiting_for_publication".to_owned()));
    desk.post(&ada, "/api/v1/months/2026-10/publications", json!({ "run": run })).await.expect(202);
    october(&desk, &ada).await;
    let after = codes(&desk, &ada).await;
    assert!(!after.iter().any(|code| code.starts_with("month.")), "{after:?}");

    let body = json!({ "level": crate::desk::LEVEL.clone(), "administrator": { "email": "admin@acme.example", "name": "Ann" } });
    desk.post(&ada, "/api/v1/occupiers/acme/portal/activate", body).await.expect(200);
    assert!(codes(&desk, &ada).await.contains(&"portal.never_visited".to_owned()));
    desk.follow_link_to("admin@acme.example").await;
    assert!(!codes(&desk, &ada).await.contains(&"portal.never_visited".to_owned()));

    let contract = desk.get(&ada, "/api/v1/contracts/acme-ldn").await.expect(200).json();
    let mut settings = contract["settings"].clone();
    settings["until"] = json!("2026-11-20");
    desk.put(&ada, "/api/v1/contracts/acme-ldn", settings).await.expect(200);
    let hold = json!({ "hold": { "prospect": "dune", "until": "2026-11-06" } });
    desk.command(&ada, "ldn", &["+442079460150", "+442079460151"], hold).await.expect(200);
    let settings = json!({ "format": "asterisk", "zone": "Europe/London", "further": "" });
    desk.post(&ada, "/api/v1/sources", json!({ "id": "ldn-new", "site": "ldn", "settings": settings }))
        .await
        .expect(201);
    assert!(!codes(&desk, &ada).await.contains(&"source.no_files".to_owned()), "it is new this month");
    let alerts = desk.get(&ada, "/api/v1/alerts").await.expect(200).json();
    let of =
        |code: &str| list(&alerts, "items").iter().find(|alert| alert["code"] == code).cloned().unwrap_or_default();
    assert_eq!(
        (&of("contract.ending_with_numbers")["about"], &of("contract.ending_with_numbers")["count"]),
        (&json!("acme-ldn"), &json!(20))
    );
    assert_eq!((&of("hold.expiring")["about"], &of("hold.expiring")["count"]), (&json!("dune"), &json!(2)));
    desk.clock.set(rating_core::time::Instant::parse_rfc3339("2026-12-02T09:00:00Z").unwrap());
    let ada = desk.sign_in("ada@example.com").await;
    let alerts = desk.get(&ada, "/api/v1/alerts").await.expect(200).json();
    let silent = |source: &str| {
        list(&alerts, "items").iter().any(|alert| alert["code"] == "source.no_files" && alert["about"] == source)
    };
    assert!(silent("ldn-new"), "{alerts:#}");
}
