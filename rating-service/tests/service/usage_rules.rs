//! The usage report: contracted lines by day, what is free, what the rest costs; and the month so far (domain rules 10, 29 to
//! 38).

use serde_json::json;

use crate::desk::{Answer, LEVEL};
use crate::house::{House, Row, column, rows};

/// Lines of everybody in October: acme 20 in London and 10 in Manchester, bolt 10, cedar 1.
async fn house(allowance: u64, price: &str) -> House {
    let house = House::new().await;
    let settings = json!({ "allowance": allowance, "price_per_month": price });
    house.desk.put(&house.ada, "/api/v1/project/usage", settings).await.expect(200);
    house.out("ldn", "2001", "901614960123", "2026-10-05T09:00:00+01:00", 60);
    house.hand_in().await;
    house
}

async fn ask(house: &House, month: &str, more: &str) -> Answer {
    let base = format!("/api/v1/reports/download?month={month}&report=usage&format=machine-csv");
    house.download(&format!("{base}{more}")).await
}

async fn usage(house: &House, month: &str, more: &str) -> Vec<Row> {
    rows(&ask(house, month, more).await.expect(200).text())
}

/// The days of a row.
fn days(rows: &[Row], name: &str) -> Vec<String> {
    let row = rows.iter().find(|row| row["row"] == name).unwrap_or_else(|| panic!("no row {name}: {rows:?}"));
    let days = row.iter().filter(|(column, _)| column.starts_with("day_"));
    // Lines have decimals, as amounts do.
    let plain = |cell: &str| match cell.contains('.') {
        true => cell.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => cell.to_owned(),
    };
    days.map(|(_, cell)| plain(cell)).collect()
}

fn same(cell: &str, days: usize) -> Vec<String> {
    vec![cell.to_owned(); days]
}

#[tokio::test]
async fn rule_10_the_usage_report_of_the_current_month_is_there_month_to_date() {
    let house = house(28, "10.00 GBP").await;
    let of_november = async || {
        let listed = house.desk.get(&house.ada, "/api/v1/reports?month=2026-11&site=ldn").await.expect(200).json();
        let rows = listed["reports"].as_array().unwrap().clone();
        rows.into_iter().find(|row| row["report"] == "usage").unwrap()
    };
    let before = of_november().await;
    assert!(before["detail"].as_str().unwrap().contains("/previews"), "what makes it is said: {before}");
    house.preview("2026-11").await;
    let there = of_november().await;
    assert_eq!((&there["available"], &there["to_date"]), (&json!(true), &json!("2026-11-02")));
    let file = ask(&house, "2026-11", "").await.expect(200);
    assert!(file.header("content-disposition").contains("provisional"), "{}", file.header("content-disposition"));
    assert_eq!(days(&rows(&file.text()), "total allocation"), same("41", 2));
    // Of call charges there is none before the month is over.
    let calls = "/api/v1/reports/download?month=2026-11&site=ldn&report=call-charges";
    let refused = house.download(calls).await.refused(409, "report.not_available").json();
    assert_eq!(refused["errors"][0]["code"], "month-not-complete");
}

#[tokio::test]
async fn rule_29_the_usage_csv_has_what_its_filters_select() {
    let house = house(28, "10.00 GBP").await;
    house.publish_month("2026-10").await;
    let of = |rows: &[Row]| -> Vec<(String, String)> {
        rows.iter().map(|row| (row["client_id"].clone(), row["site"].clone())).collect()
    };
    let pair = |client: &str, site: &str| (client.to_owned(), site.to_owned());
    let all = usage(&house, "2026-10", "").await;
    assert!(of(&all).contains(&pair("bolt", "ldn")) && of(&all).contains(&pair("acme", "man")));
    let man = usage(&house, "2026-10", "&site=man").await;
    assert_eq!(of(&man)[0], pair("acme", "man"));
    assert!(!of(&man).iter().any(|(_, site)| site == "ldn"), "{man:?}");
    let acme = usage(&house, "2026-10", "&payer=acme").await;
    assert_eq!(of(&acme), [pair("acme", "ldn"), pair("acme", "man")], "and no sum over others");
    let both = usage(&house, "2026-10", "&payer=acme,bolt&site=ldn").await;
    assert_eq!(of(&both), [pair("acme", "ldn"), pair("bolt", "ldn")]);
    // Another content has another tag.
    let tags = [ask(&house, "2026-10", "").await, ask(&house, "2026-10", "&payer=acme").await];
    assert_ne!(tags[0].header("etag"), tags[1].header("etag"));
}

#[tokio::test]
async fn rule_30_the_total_allocation_is_the_sum_over_payers() {
    let house = house(28, "10.00 GBP").await;
    house.publish_month("2026-10").await;
    let report = usage(&house, "2026-10", "").await;
    let allocations: Vec<&str> =
        report.iter().filter(|row| row["row"] == "allocation").map(|row| row["day_01"].as_str()).collect();
    assert_eq!(allocations.len(), 4);
    // 20 + 10 + 1 in London, 10 in Manchester.
    assert_eq!(days(&report, "total allocation"), same("41", 31));
}

#[tokio::test]
async fn rule_31_what_is_below_the_allowance_is_no_credit() {
    let house = house(100, "10.00 GBP").await;
    house.publish_month("2026-10").await;
    let report = usage(&house, "2026-10", "").await;
    assert_eq!(days(&report, "total usage"), same("0", 31), "never 41 - 100");
    assert_eq!(days(&report, "monthly accrual"), same("0", 31));
}

#[tokio::test]
async fn rule_32_the_price_of_a_day_is_that_of_the_month_by_its_days_and_not_rounded() {
    let house = house(38, "10.00 GBP").await;
    for (month, price) in [("2026-02", "0.357142857143"), ("2026-04", "0.333333333333"), ("2026-10", "0.322580645161")]
    {
        house.publish_month(month).await;
        let report = usage(&house, month, "").await;
        // 10.00 by 28, 30 and 31 days, to the twelve decimals that are shown.
        assert_eq!(days(&report, "price per day")[0], price, "{month}");
    }
}

#[tokio::test]
async fn rule_33_the_charge_of_a_day_is_rounded_to_two_decimals() {
    let house = house(38, "10.00 GBP").await;
    house.publish_month("2026-10").await;
    let report = usage(&house, "2026-10", "").await;
    // 3 above the allowance: 10.00 / 31 x 3 = 0.9677…
    assert_eq!(days(&report, "total usage"), same("3", 31));
    assert_eq!(days(&report, "daily charge"), same("0.97", 31));
}

#[tokio::test]
async fn rule_34_the_months_charge_is_the_sum_of_the_rounded_days() {
    let house = house(38, "10.00 GBP").await;
    // 31 x 0.97; 28 x 1.07 (10.00 / 28 x 3 = 1.0714…); 30 x 1.00.
    for (month, charge) in [("2026-10", "30.07"), ("2026-02", "29.96"), ("2026-04", "30")] {
        house.publish_month(month).await;
        assert_eq!(days(&usage(&house, month, "").await, "monthly accrual").last().unwrap(), charge, "{month}");
    }
}

#[tokio::test]
async fn rule_35_the_allowance_is_of_all_payers_together() {
    // 20 + 10 + 10 + 1 against 41: the one with 20 has more than its share, and nothing is charged.
    let house = house(41, "10.00 GBP").await;
    house.publish_month("2026-10").await;
    let report = usage(&house, "2026-10", "").await;
    assert_eq!(days(&report, "total usage"), same("0", 31));
    assert_eq!(days(&report, "daily charge"), same("0", 31));
}

#[tokio::test]
async fn rule_36_a_change_counts_from_its_day_on_and_past_days_stay() {
    let house = house(28, "10.00 GBP").await;
    house.desk.lease("elder", "ldn", "2026-10-10", 3).await;
    house.publish_month("2026-10").await;
    let total = days(&usage(&house, "2026-10", "").await, "total allocation");
    assert_eq!((&total[..9], &total[9..]), (same("41", 9).as_slice(), same("44", 22).as_slice()));
    // Who asks for a day that has passed is refused.
    let service = house.desk.get(&house.ada, "/api/v1/occupiers/elder/services").await.expect(200).json();
    let address = format!("/api/v1/services/{}/end", service["items"][0]["id"].as_str().unwrap());
    let refused = house.desk.post(&house.ada, &address, json!({ "until": "2026-10-20" })).await;
    let refused = refused.refused(422, "request.invalid").json();
    assert_eq!(refused["errors"][0]["code"], "field.in_past");
}

#[tokio::test]
async fn rule_37_the_current_month_has_columns_to_today_and_a_closed_one_all_days() {
    let house = house(28, "10.00 GBP").await;
    house.preview("2026-11").await;
    let of = async |month: &str| -> usize {
        let report = usage(&house, month, "").await;
        report[0].keys().filter(|column| column.starts_with("day_")).count()
    };
    assert_eq!(of("2026-11").await, 2, "it is the second");
    house.publish_month("2026-10").await;
    house.desk.post(&house.ada, "/api/v1/months/2026-10/close", json!({})).await.expect(200);
    assert_eq!(of("2026-10").await, 31);
}

#[tokio::test]
async fn rule_38_what_varies_is_charged_in_arrears() {
    // Calls and lines above the allowance: no report, and so no charge, before their month is over (decision 0017 has the fixed
    // part).
    let house = house(28, "10.00 GBP").await;
    let checks = "/api/v1/months/2026-11/checks";
    house.desk.ask(&house.ada, "POST", checks, None, &[]).await.refused(409, "month.not_complete");
    house.preview("2026-11").await;
    let month = house.desk.get(&house.ada, "/api/v1/months/2026-11").await.expect(200).json();
    let run = json!({ "run": month["runs"][0]["run"] });
    house.desk.post(&house.ada, "/api/v1/months/2026-11/approvals", run).await.refused(404, "month.unknown_run");
    // A product's monthly price is on no report of the calls: that invoice is written elsewhere, and in advance.
    house.desk.product(&house.ada, "ldn", 1).await;
    house.publish_month("2026-10").await;
    for report in ["call-charges", "destinations"] {
        let text = house.download(&format!("/api/v1/reports/download?month=2026-10&site=ldn&report={report}")).await;
        assert!(!text.expect(200).text().contains("12.5"), "{report}");
    }
}

#[tokio::test]
async fn an_occupier_sees_the_month_so_far_if_its_level_says_so_and_it_is_asked_for() {
    let house = House::new().await;
    let (id, ann) = house.tenant().await;
    house.out("ldn", "2021", "901614960123", "2026-11-01T09:00:00+00:00", 60);
    house.hand_in().await;
    let base = format!("/api/v1/occupiers/{id}/reports");
    let itemised = format!("{base}/download?month=2026-11&report=itemised&format=machine-csv&preview=true");
    house.desk.get(&ann, &itemised).await.refused(409, "report.not_available");
    house.preview("2026-11").await;
    assert_eq!(column(&rows(&house.desk.get(&ann, &itemised).await.expect(200).text()), "cost"), ["0.06"]);
    let listed = house.desk.get(&ann, &format!("{base}?month=2026-11&preview=true")).await.expect(200).json();
    assert_eq!(listed["reports"][0]["to_date"], "2026-11-02");
    // Rule 2 holds for whoever does not ask for it …
    let plain = house.desk.get(&ann, &itemised.replace("&preview=true", "")).await;
    assert_eq!(plain.refused(409, "report.not_available").json()["errors"][0]["code"], "month-not-complete");
    // … and for whom it is switched off, though it asks.
    let mut level = LEVEL.clone();
    level["usage_to_date"] = json!(false);
    house.desk.put(&house.ada, &format!("/api/v1/occupiers/{id}/portal"), level).await.expect(200);
    let refused = house.desk.get(&ann, &itemised).await.refused(409, "report.not_available").json();
    assert_eq!(refused["errors"][0]["code"], "month-not-complete");
    house.desk.get(&house.ada, &itemised).await.expect(200);
}
