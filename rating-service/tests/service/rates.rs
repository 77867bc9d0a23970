//! Exchange rates and account codes: put as a whole, judged by the engine's reader, used by runs.

use serde_json::{Value, json};

use crate::desk::Answer;
use crate::house::{House, column};

const RATES: &str = "/api/v1/project/exchange-rates";
const CODES: &str = "/api/v1/project/account-codes";

fn faults(answer: &Answer) -> Vec<(String, String)> {
    let faults = answer.json()["errors"].as_array().unwrap().clone();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    faults.iter().map(|fault| (text(&fault["field"]), text(&fault["code"]))).collect()
}

#[tokio::test]
async fn an_exchange_rate_makes_the_margin_of_two_currencies() {
    let house = House::new().await;
    let wholesale = "id = \"wholesale\"\nname = \"Wholesale\"\ncurrency = \"USD\"\nfrom = \"2026-01-01\"\nzone = \"site\"\n\
        prices = \"c/min\"\nincrements = \"1/1\"\nrounding = { stage = \"call\", rule = \"up\", step = \"0.1c\" }\n\
        decks = [\"wholesale.csv\"]\n";
    house.put_file("wholesale.toml", wholesale).await;
    house.out("ldn", "2001", "901614960123", "2026-10-05T09:00:00+01:00", 60);
    house.hand_in().await;
    crate::months::publish(&house.desk, &house.ada).await;
    assert_eq!(
        column(&house.report("call-charges", Some("ldn")).await, "margin"),
        [""],
        "nobody knows what a dollar is worth"
    );

    let rate = |rate: &str| json!({ "items": [{ "from_currency": "USD", "to_currency": "GBP", "rate": rate, "from": "2026-01-01" }] });
    house
        .desk
        .ask(&house.ada, "PUT", RATES, Some(rate("0.5")), &[])
        .await
        .refused(428, "request.precondition_required");
    let tag = house.desk.get(&house.ada, RATES).await.expect(200).header("etag").to_owned();
    house.desk.put(&house.ada, RATES, rate("0.5")).await.expect(200);
    let stale = house.desk.ask(&house.ada, "PUT", RATES, Some(rate("0.6")), &[("if-match", &tag)]).await;
    stale.refused(412, "request.precondition_failed");
    let kept = house.desk.get(&house.ada, RATES).await.expect(200).json();
    assert_eq!(kept["items"][0]["rate"], "0.5");
    let later = rating_core::time::Instant::parse_rfc3339("2026-11-02T09:30:00Z").unwrap();
    house.desk.clock.set(later);
    crate::months::publish(&house.desk, &house.ada).await;
    let charges = house.report("call-charges", Some("ldn")).await;
    // 6p less 3 cents at half a penny each: 4.5p.
    assert_eq!((column(&charges, "margin"), column(&charges, "operator_currency")), (vec!["0.045"], vec!["USD"]));
}

#[tokio::test]
async fn every_mistake_of_a_table_is_named_with_its_row() {
    let house = House::new().await;
    let rates = json!({ "items": [
        { "from_currency": "USD", "to_currency": "GBP", "rate": "0.7" },
        { "from_currency": "Dollar", "to_currency": "GBP", "rate": "-1", "from": "yesterday" },
        { "from_currency": "USD", "to_currency": "GBP", "rate": "0.8", "from": "2026-06-01" },
    ] });
    let refused = house.desk.put(&house.ada, RATES, rates).await.refused(422, "request.invalid");
    let pair = |field: &str, code: &str| (field.to_owned(), code.to_owned());
    let found = faults(&refused);
    for expected in [
        pair("/items/1", "exchange.currency_malformed"),
        pair("/items/1", "exchange.rate_malformed"),
        pair("/items/1", "exchange.date_malformed"),
        pair("/items/2", "exchange.rates_overlap"),
    ] {
        assert!(found.contains(&expected), "{expected:?} is not in {found:?}");
    }
    assert_eq!(house.desk.get(&house.ada, RATES).await.json()["items"], json!([]), "none was kept");

    let codes = json!({ "items": [
        { "code": "77", "holder": "acme", "site": "ldn" },
        { "code": "77", "holder": "bolt", "from": "2026-06-01" },
        { "code": "78", "holder": "nobody" },
        { "code": "79", "holder": "acme", "site": "atlantis" },
        { "code": "", "holder": "acme" },
    ] });
    let found = faults(&house.desk.put(&house.ada, CODES, codes).await.refused(422, "request.invalid"));
    let rows: std::collections::BTreeSet<&str> = found.iter().map(|(field, _)| field.as_str()).collect();
    for row in ["/items/2", "/items/3", "/items/4"] {
        assert!(rows.contains(row), "{row} is not in {found:?}");
    }
    assert!(found.iter().all(|(_, code)| code.contains('.')), "{found:?}");
    // Two holders of one code at once.
    let twice = json!({ "items": [
        { "code": "77", "holder": "acme", "site": "ldn" }, { "code": "77", "holder": "bolt", "from": "2026-06-01" },
    ] });
    let found = faults(&house.desk.put(&house.ada, CODES, twice).await.refused(422, "request.invalid"));
    assert_eq!(found, [pair("/items/1", "directory.account_code_held_twice")]);
    let strange = json!({ "items": [{ "code": "77", "holder": "acme", "colour": "red" }] });
    house.desk.put(&house.ada, CODES, strange).await.refused(400, "request.body_malformed");
}

#[tokio::test]
async fn an_account_code_decides_who_pays() {
    let house = House::new().await;
    let codes = json!({ "items": [{ "code": "BOLT-77", "holder": "bolt", "site": "ldn", "from": "2026-01-01" }] });
    house.desk.put(&house.ada, CODES, codes).await.expect(200);
    house.out("ldn", "2001", "901614960123", "2026-10-05T09:00:00+01:00", 60);
    house.coded("ldn", "BOLT-77");
    house.out("ldn", "2001", "901614960124", "2026-10-05T10:00:00+01:00", 60);
    house.publish().await;
    assert_eq!(column(&house.occupiers("bolt", "ldn", "itemised").await, "called"), ["+441614960123"]);
    assert_eq!(column(&house.occupiers("acme", "ldn", "itemised").await, "called"), ["+441614960124"]);
    let log = house.desk.get(&house.ada, "/api/v1/audit?limit=500").await.expect(200).text();
    assert!(log.contains("settings:account_codes") && !log.contains("BOLT-77"), "that it was changed, not the codes");
}

#[tokio::test]
async fn who_is_limited_to_a_site_changes_nothing_that_is_of_all() {
    let house = House::new().await;
    let token = house.desk.token(&house.ada, &["months"], Some(&["ldn"])).await;
    let any = [("if-match", "*")];
    for path in [RATES, CODES] {
        house.desk.get(&token, path).await.expect(200);
        let refused = house.desk.ask(&token, "PUT", path, Some(json!({ "items": [] })), &any).await;
        refused.refused(403, "auth.not_allowed");
    }
    let file = "/api/v1/files/tariffs/retail.csv";
    house
        .desk
        .send(&token, "PUT", file, "application/octet-stream", b"x".to_vec())
        .await
        .refused(403, "auth.not_allowed");
    house.desk.ask(&token, "POST", "/api/v1/months/2026-10/checks", None, &[]).await.refused(403, "auth.not_allowed");
}
