//! What reports say, and when there are any (domain rules 1 to 28): each rule by its number, with calls of its own.

use std::collections::{BTreeMap, BTreeSet};

use rating_core::time::Instant;
use serde_json::json;

use crate::desk::Desk;
use crate::house::{House, MAIN, Row, column, rows};
use crate::months::london;

const ACME: &str = "/api/v1/occupiers/acme/reports?month=2026-10&site=ldn";

/// Pence of an amount in pounds, to the tenth: `0.105` is 105.
fn tenths(amount: &str) -> i64 {
    let (pounds, rest) = amount.split_once('.').unwrap_or((amount, ""));
    let digits: String = rest.chars().chain("000".chars()).take(3).collect();
    assert!(rest.chars().skip(3).all(|digit| digit == '0'), "{amount} is finer than a tenth of a penny");
    pounds.parse::<i64>().unwrap() * 1000 + digits.parse::<i64>().unwrap()
}

fn sum(rows: &[Row], name: &str) -> i64 {
    column(rows, name).into_iter().filter(|amount| !amount.is_empty()).map(tenths).sum()
}

/// The rows of a report but its totals.
fn details(rows: Vec<Row>) -> Vec<Row> {
    rows.into_iter().filter(|row| row.get("row").is_none_or(|row| !row.contains("total"))).collect()
}

#[tokio::test]
async fn rule_01_without_managed_telephony_there_is_no_report_of_any_month() {
    let house = House::new().await;
    house.out("ldn", "2001", "901614960123", "2026-10-05T09:00:00+01:00", 60);
    house.publish().await;
    assert_eq!(house.reasons(ACME).await, ["available"]);
    let mut settings = house.desk.get(&house.ada, "/api/v1/occupiers/acme").await.json()["settings"].clone();
    settings["telephony_managed"] = json!(false);
    house.desk.put(&house.ada, "/api/v1/occupiers/acme", settings).await.expect(200);
    for month in ["2025-10", "2026-09", "2026-10", "2026-11"] {
        let address = format!("/api/v1/occupiers/acme/reports?month={month}&site=ldn");
        assert_eq!(house.reasons(&address).await, ["telephony-not-managed"], "{month}");
        let refused = house.download(&address.replace("reports?", "reports/download?")).await;
        let refused = refused.refused(409, "report.not_available").json();
        assert_eq!(refused["errors"][0]["code"], "telephony-not-managed", "{month}");
    }
    assert_eq!(house.reasons("/api/v1/occupiers/bolt/reports?month=2026-10").await, ["no-data"], "nobody else's");
}

#[tokio::test]
async fn rule_02_the_current_month_is_that_of_the_sites_clock() {
    // November has begun in London, and not in New York.
    let desk = Desk::at("2026-11-01T02:00:00Z").await;
    let ada = desk.first_administrator().await;
    desk.sites(&ada).await;
    for site in ["ldn", "nyc"] {
        desk.lease("acme", site, "2026-01-01", 1).await;
    }
    let reports = desk.get(&ada, "/api/v1/occupiers/acme/reports?month=2026-10").await.expect(200).json();
    let reasons: BTreeSet<(String, String)> = reports["reports"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|row| ["itemised", "extension-summary"].contains(&row["report"].as_str().unwrap()))
        .map(|row| (row["site"].as_str().unwrap().to_owned(), row["reason"].as_str().unwrap().to_owned()))
        .collect();
    let expected = [("ldn", "not-published"), ("nyc", "month-not-complete")];
    assert_eq!(reasons, expected.map(|(site, reason)| (site.to_owned(), reason.to_owned())).into());
}

#[tokio::test]
async fn rule_03_one_second_before_the_next_month_there_is_none_and_at_its_first_instant_there_may_be() {
    let desk = Desk::at("2026-10-31T23:59:59Z").await;
    let ada = desk.first_administrator().await;
    desk.sites(&ada).await;
    desk.lease("acme", "ldn", "2026-01-01", 1).await;
    let reason = async || desk.get(&ada, ACME).await.expect(200).json()["reports"][0]["reason"].clone();
    assert_eq!(reason().await, "month-not-complete");
    desk.clock.set(Instant::parse_rfc3339("2026-11-01T00:00:00Z").unwrap());
    assert_eq!(reason().await, "not-published", "nothing but its publication is missing");
}

#[tokio::test]
async fn rule_04_without_a_voice_service_in_the_month_the_reason_is_that() {
    let house = House::new().await;
    house.out("ldn", "2001", "901614960123", "2026-10-05T09:00:00+01:00", 60);
    house.publish().await;
    house.desk.lease("elder", "ldn", "2026-01-01", 0).await;
    assert_eq!(house.reasons("/api/v1/occupiers/elder/reports?month=2026-10").await, ["no-voice-service"]);
    assert_eq!(house.reasons("/api/v1/occupiers/acme/reports?month=2025-12&site=ldn").await, ["no-voice-service"]);
    house.desk.lease("fir", "ldn", "2026-10-31", 1).await;
    assert_eq!(
        house.reasons("/api/v1/occupiers/fir/reports?month=2026-10").await,
        ["no-data"],
        "a day of it is enough"
    );
}

#[tokio::test]
async fn rule_05_with_a_voice_service_and_no_call_the_reason_is_no_data() {
    let house = House::new().await;
    house.out("ldn", "2001", "901614960123", "2026-10-05T09:00:00+01:00", 60);
    house.publish().await;
    assert_eq!(house.reasons("/api/v1/occupiers/cedar/reports?month=2026-10").await, ["no-data"]);
    assert_eq!(
        house.reasons("/api/v1/occupiers/acme/reports?month=2026-10&site=man").await,
        ["no-data"],
        "site by site"
    );
}

#[tokio::test]
async fn rule_06_of_several_reasons_the_first_counts() {
    let house = House::new().await;
    house.desk.lease("elder", "ldn", "2026-01-01", 0).await;
    let reasons = async |month: &str| house.reasons(&format!("/api/v1/occupiers/elder/reports?month={month}")).await;
    // Nothing is published, there is no line, no call, and November runs: month before service, service before the rest.
    assert_eq!(reasons("2026-11").await, ["month-not-complete"]);
    assert_eq!(reasons("2026-10").await, ["no-voice-service"]);
    let mut settings = house.desk.get(&house.ada, "/api/v1/occupiers/elder").await.json()["settings"].clone();
    settings["telephony_managed"] = json!(false);
    house.desk.put(&house.ada, "/api/v1/occupiers/elder", settings).await.expect(200);
    assert_eq!(reasons("2026-11").await, ["telephony-not-managed"]);
    assert_eq!(house.reasons("/api/v1/occupiers/cedar/reports?month=2026-10").await, ["not-published"]);
}

#[tokio::test]
async fn rule_07_without_a_month_it_is_the_last_complete_one() {
    let house = House::new().await;
    for address in ["/api/v1/occupiers/acme/reports", "/api/v1/reports"] {
        assert_eq!(house.desk.get(&house.ada, address).await.expect(200).json()["month"], "2026-10", "{address}");
    }
}

#[tokio::test]
async fn rule_08_a_month_to_come_is_refused_and_has_no_reason() {
    let house = House::new().await;
    for address in ["/api/v1/occupiers/acme/reports?month=2026-12", "/api/v1/reports?month=2026-12"] {
        house.desk.get(&house.ada, address).await.refused(422, "report.month_in_future");
        let download = address.replace("reports?", "reports/download?");
        house.desk.get(&house.ada, &download).await.refused(422, "report.month_in_future");
    }
}

#[tokio::test]
async fn rule_09_the_operators_reports_are_missing_for_the_same_reasons() {
    let house = House::new().await;
    let reasons =
        async |month: &str, site: &str| house.reasons(&format!("/api/v1/reports?month={month}&site={site}")).await;
    assert_eq!(reasons("2026-11", "ldn").await, ["month-not-complete"]);
    assert_eq!(reasons("2026-10", "ldn").await, ["not-published"]);
    assert_eq!(reasons("2025-10", "ldn").await, ["no-voice-service"], "nobody had a line there");
    house.out("ldn", "2001", "901614960123", "2026-10-05T09:00:00+01:00", 60);
    house.publish().await;
    assert_eq!(reasons("2026-10", "ldn").await, ["available"]);
    assert_eq!(reasons("2026-10", "man").await, ["no-data"]);
}

#[tokio::test]
async fn rule_11_the_last_months_calls_of_an_occupier_that_is_gone_are_reported() {
    let mut house = House::at("2026-10-20T09:00:00Z").await;
    house.out("ldn", "2011", "901614960123", "2026-10-19T09:00:00+01:00", 60);
    house.hand_in().await;
    let now = json!({});
    house.desk.post(&house.ada, "/api/v1/occupiers/bolt/decommission", now).await.expect(200);
    assert_eq!(house.desk.get(&house.ada, "/api/v1/occupiers/bolt").await.json()["state"], "DECOMMISSIONED");
    house.desk.clock.set(Instant::parse_rfc3339(crate::desk::NOW).unwrap());
    house.ada = house.desk.sign_in("ada@example.com").await;
    house.publish().await;
    let calls = house.occupiers("bolt", "ldn", "itemised").await;
    assert_eq!((calls.len(), calls[0]["cost"].as_str()), (1, "0.06"));
}

#[tokio::test]
async fn rule_12_an_occupiers_report_holds_calls_of_one_occupier_one_site_and_one_month() {
    let house = House::new().await;
    for (site, extension, at) in [
        ("ldn", "2001", "2026-09-30T09:00:00+01:00"),
        ("ldn", "2001", "2026-10-05T09:00:00+01:00"),
        ("ldn", "2002", "2026-10-06T09:00:00+01:00"),
        ("ldn", "2011", "2026-10-05T10:00:00+01:00"),
        ("ldn", "2001", "2026-11-01T09:00:00+00:00"),
        ("man", "3001", "2026-10-05T09:00:00+01:00"),
    ] {
        house.out(site, extension, "901614960123", at, 60);
    }
    house.publish().await;
    let calls = house.occupiers("acme", "ldn", "itemised").await;
    assert_eq!(column(&calls, "charged_at"), ["2026-10-05T09:00:00+01:00", "2026-10-06T09:00:00+01:00"]);
    assert_eq!(column(&calls, "site"), ["ldn", "ldn"]);
    assert_eq!(column(&calls, "extension"), ["2001", "2002"]);
    assert_eq!(column(&house.occupiers("bolt", "ldn", "itemised").await, "extension"), ["2011"]);
    assert_eq!(column(&house.occupiers("acme", "man", "itemised").await, "extension"), ["3001"]);
}

/// A few calls of everybody at both sites.
async fn busy() -> House {
    let house = House::new().await;
    for (site, extension, day, seconds) in [
        ("ldn", "2001", 5, 60),
        ("ldn", "2001", 6, 95),
        ("ldn", "2002", 7, 31),
        ("ldn", "2011", 8, 200),
        ("ldn", "2091", 9, 120),
        ("man", "3001", 5, 10),
        ("man", "3002", 6, 601),
    ] {
        house.out(site, extension, "901614960123", &format!("2026-10-{day:02}T09:00:00+01:00"), seconds);
    }
    house.publish().await;
    house
}

#[tokio::test]
async fn rule_13_the_operators_summary_has_a_row_for_each_site_and_payer_itself_included() {
    let house = busy().await;
    let charges = details(house.report("call-charges", None).await);
    let payers: Vec<(&str, &str)> = column(&charges, "site").into_iter().zip(column(&charges, "client_id")).collect();
    assert_eq!(payers, [("ldn", "harbour"), ("ldn", "acme"), ("ldn", "bolt"), ("man", "acme")]);
}

#[tokio::test]
async fn rule_14_the_operators_summary_has_both_amounts() {
    let house = busy().await;
    let charges = details(house.report("call-charges", Some("ldn")).await);
    // acme: 186 s at 0.1p = 18.6p retail and 9.3p wholesale, each call rounded up to 0.1p: 3 + 4.8 + 1.6. Its own calls cost the
    // operator 6p, and nobody is charged for them.
    assert_eq!(column(&charges, "client_id"), ["harbour", "acme", "bolt"]);
    assert_eq!(column(&charges, "client_amount"), ["", "0.186", "0.20"]);
    assert_eq!(column(&charges, "operator_amount"), ["0.06", "0.094", "0.10"]);
}

#[tokio::test]
async fn rule_15_all_sites_is_the_union_of_the_sites_row_for_row() {
    let house = busy().await;
    let all = house.report("call-charges", None).await;
    let mut union = house.report("call-charges", Some("ldn")).await;
    union.extend(house.report("call-charges", Some("man")).await);
    assert_eq!(union.len(), 4, "acme's two rows are not added up");
    assert_eq!(all, union);
}

#[tokio::test]
async fn rule_16_an_occupier_at_two_sites_has_two_rows_and_two_sets_of_reports() {
    let house = busy().await;
    let charges = details(house.report("call-charges", None).await);
    assert_eq!(column(&charges, "client_id").into_iter().filter(|id| *id == "acme").count(), 2);
    let reports = house.desk.get(&house.ada, "/api/v1/occupiers/acme/reports?month=2026-10").await.expect(200).json();
    let mut sets: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for row in reports["reports"].as_array().unwrap() {
        assert_eq!(row["available"], true, "{row}");
        sets.entry(row["site"].as_str().unwrap()).or_default().insert(row["report"].as_str().unwrap());
    }
    assert_eq!(sets.keys().copied().collect::<Vec<_>>(), ["ldn", "man"]);
    assert_eq!(sets["ldn"], sets["man"]);
    assert!(sets["ldn"].contains("itemised") && sets["ldn"].contains("extension-summary"));
}

#[tokio::test]
async fn rule_17_the_summary_has_each_extension_with_a_billable_call() {
    let house = busy().await;
    let summary = details(house.occupiers("acme", "ldn", "extension-summary").await);
    assert_eq!(column(&summary, "extension"), ["2001", "2002"], "the other eight did not call");
    assert_eq!(column(&summary, "billable_calls"), ["2", "1"]);
    // 60 s and 95 s at 0.1p are 6p and 9.5p; 31 s are 3.1p.
    assert_eq!(column(&summary, "cost"), ["0.155", "0.031"]);
}

#[tokio::test]
async fn rule_18_itemised_summary_and_the_operators_summary_agree_to_the_cent() {
    let house = busy().await;
    let charges = details(house.report("call-charges", None).await);
    for (occupier, site) in [("acme", "ldn"), ("acme", "man"), ("bolt", "ldn")] {
        let itemised = house.occupiers(occupier, site, "itemised").await;
        let extensions = house.occupiers(occupier, site, "extension-summary").await;
        for row in &extensions {
            let of_it: Vec<Row> =
                itemised.iter().filter(|call| call["extension"] == row["extension"]).cloned().collect();
            assert_eq!(sum(&of_it, "cost"), tenths(&row["cost"]), "{occupier} {site} {}", row["extension"]);
        }
        let total = sum(&extensions, "cost");
        let theirs = charges.iter().find(|row| row["client_id"] == occupier && row["site"] == site).unwrap();
        assert_eq!((sum(&itemised, "cost"), tenths(&theirs["client_amount"])), (total, total), "{occupier} {site}");
        // The total row of the spreadsheet says the same.
        let base = format!("/api/v1/occupiers/{occupier}/reports/download?month=2026-10&site={site}");
        let sheet = house.download(&format!("{base}&report=extension-summary")).await.expect(200).text();
        let stated: Vec<Row> = rows(&sheet).into_iter().filter(|row| row["extension"].is_empty()).collect();
        assert_eq!((stated.len(), sum(&stated, "cost")), (1, total), "{sheet}");
    }
}

#[tokio::test]
async fn rule_19_inbound_and_internal_calls_are_not_billable_and_not_in_the_summary() {
    let house = House::new().await;
    house.out("ldn", "2001", "901614960123", "2026-10-05T09:00:00+01:00", 60);
    house.inside("ldn", "2001", "2002", "2026-10-05T10:00:00+01:00", 600);
    house.inside("ldn", "2002", "2003", "2026-10-05T10:30:00+01:00", 600);
    house.inbound("ldn", "02079460102", "2002", "2026-10-05T11:00:00+01:00", 600);
    house.publish().await;
    let summary = details(house.occupiers("acme", "ldn", "extension-summary").await);
    assert_eq!((column(&summary, "extension"), column(&summary, "billable_calls")), (vec!["2001"], vec!["1"]));
    let itemised = house.occupiers("acme", "ldn", "itemised").await;
    let cost_of = |direction: &str| -> Vec<&str> {
        itemised.iter().filter(|call| call["direction"] == direction).map(|call| call["cost"].as_str()).collect()
    };
    assert_eq!(cost_of("outbound"), ["0.06"]);
    for direction in ["inbound", "internal"] {
        let costs = cost_of(direction);
        assert!(
            !costs.is_empty() && costs.iter().all(|cost| cost.is_empty() || *cost == "0"),
            "{direction}: {costs:?}"
        );
    }
}

#[tokio::test]
async fn rule_20_no_byte_of_the_operators_amount_is_in_an_occupiers_answer() {
    let house = House::new().await;
    // 60 s: 6p retail. Wholesale is 7.777p a minute, a figure that is in no other number here.
    house.put_file("wholesale.csv", "prefix,destination,class,price\n44,CARRIER ROUTE,geographic,7.777\n").await;
    house.out("ldn", "2001", "901614960123", "2026-10-05T09:00:00+01:00", 60);
    house.publish().await;
    let operators = house.download("/api/v1/reports/download?month=2026-10&site=ldn&report=itemised").await.expect(200);
    for canary in ["7777", "CARRIER ROUTE"] {
        assert!(operators.text().contains(canary) || operators.text().contains("0.0778"), "{}", operators.text());
    }
    for report in ["itemised", "extension-summary", "destinations"] {
        for format in ["csv", "machine-csv"] {
            let base = "/api/v1/occupiers/acme/reports/download?month=2026-10&site=ldn";
            let text = house.download(&format!("{base}&report={report}&format={format}")).await.expect(200).text();
            for canary in ["7777", "0778", "CARRIER", "wholesale", "operator", "margin"] {
                assert!(!text.to_lowercase().contains(&canary.to_lowercase()), "{report} {format}: {text}");
            }
        }
    }
}

#[tokio::test]
async fn rule_21_the_destination_analysis_has_destination_calls_duration_cost_and_a_total() {
    let house = House::new().await;
    house.out("ldn", "2001", "901614960123", "2026-10-05T09:00:00+01:00", 60);
    house.out("ldn", "2002", "901614960124", "2026-10-05T10:00:00+01:00", 30);
    house.out("ldn", "2001", "907700900123", "2026-10-05T11:00:00+01:00", 10);
    house.publish().await;
    let analysis = house.occupiers("acme", "ldn", "destinations").await;
    let (total, rows): (Vec<Row>, Vec<Row>) = analysis.into_iter().partition(|row| row["row"].contains("total"));
    assert_eq!(column(&rows, "destination"), ["UK landline", "UK mobile"]);
    assert_eq!(column(&rows, "calls"), ["2", "1"]);
    assert_eq!(column(&rows, "duration_s"), ["90", "10"]);
    assert_eq!(column(&rows, "cost"), ["0.09", "0.01"]);
    assert_eq!(
        (column(&total, "calls"), column(&total, "duration_s"), column(&total, "cost")),
        (vec!["3"], vec!["100"], vec!["0.10"])
    );
}

#[tokio::test]
async fn rule_22_a_call_over_midnight_belongs_to_the_month_in_which_it_was_answered() {
    // The answer decides, not the set-up (decision 0011): a call that rings into November is November's, one that talks into it
    // is October's.
    let house = House::new().await;
    house.slow("ldn", "2001", "901614960123", "2026-10-31T23:59:55+00:00", 5, 60);
    house.slow("ldn", "2002", "901614960123", "2026-11-01T00:00:05+00:00", 15, 60);
    house.slow("ldn", "2003", "901614960123", "2026-10-01T00:00:05+01:00", 15, 60);
    house.publish().await;
    let calls = house.occupiers("acme", "ldn", "itemised").await;
    assert_eq!(column(&calls, "extension"), ["2003", "2001"]);
    assert_eq!(column(&calls, "started_at")[0], "2026-09-30T23:59:50+01:00", "the set-up is shown as it was");
}

#[tokio::test]
async fn rule_23_a_call_is_charged_to_whoever_held_the_number_then() {
    let house = House::new().await;
    house.ten("ldn", 10, json!({ "deallocate": {} }), "2026-10-15").await;
    house.allocate("ldn", "acme", 10, "2026-10-15").await;
    house.out("ldn", "2011", "901614960123", "2026-10-14T23:59:59+01:00", 60);
    house.out("ldn", "2011", "901614960124", "2026-10-15T00:00:00+01:00", 60);
    house.publish().await;
    let called = async |who: &str| -> Vec<String> {
        let calls = house.occupiers(who, "ldn", "itemised").await;
        column(&calls, "called").into_iter().map(str::to_owned).collect()
    };
    assert_eq!(called("bolt").await, ["+441614960123"]);
    assert_eq!(called("acme").await, ["+441614960124"]);
}

#[tokio::test]
async fn rule_24_a_main_number_has_a_row_for_what_it_forwards_at_a_charge_alone() {
    let house = House::new().await;
    house.main_number().await;
    house.inbound("ldn", "02079460000", "2001", "2026-10-05T09:00:00+01:00", 60);
    house.out("ldn", "2001", "901614960123", "2026-10-05T10:00:00+01:00", 60);
    house.hand_in().await;
    crate::months::publish(&house.desk, &house.ada).await;
    let numbers = async || -> Vec<String> {
        let summary = details(house.occupiers("acme", "ldn", "extension-summary").await);
        column(&summary, "number").into_iter().map(str::to_owned).collect()
    };
    assert_eq!(numbers().await, ["+442079460101"], "what comes in is free");

    let house = House::new().await;
    house.main_number().await;
    house.forwarded("ldn", "02079460000", "07700900789", "2026-10-05T09:00:00+01:00", 60);
    house.publish().await;
    let summary = details(house.occupiers("acme", "ldn", "extension-summary").await);
    assert_eq!((column(&summary, "number"), column(&summary, "cost")), (vec![MAIN], vec!["0.06"]));
}

#[tokio::test]
async fn rule_26_what_is_not_there_is_left_out_of_the_zip() {
    let house = House::new().await;
    house.out("ldn", "2001", "901614960123", "2026-10-05T09:00:00+01:00", 60);
    house.publish().await;
    // At Manchester acme had no call: of two sites' reports, London's alone are in the zip.
    let zip = house.download("/api/v1/occupiers/acme/reports/download?month=2026-10").await.expect(200);
    let names = names_in(&zip.body);
    assert!(names.len() > 1 && names.iter().all(|name| name.starts_with("202610_ldn_")), "{names:?}");
    let none = house.download("/api/v1/occupiers/acme/reports/download?month=2026-10&site=man").await;
    let none = none.refused(409, "report.not_available").json();
    assert_eq!(none["errors"][0]["code"], "no-data");
}

/// The names of a zip's files.
fn names_in(zip: &[u8]) -> Vec<String> {
    let zip = zip::ZipArchive::new(std::io::Cursor::new(zip)).unwrap();
    zip.file_names().map(|name| name.unwrap().into_owned()).collect()
}

#[tokio::test]
async fn rule_27_names_of_files_begin_with_the_month_reported_not_that_of_the_download() {
    let house = busy().await;
    house.desk.clock.set(Instant::parse_rfc3339("2027-03-05T09:00:00Z").unwrap());
    let ada = house.desk.sign_in("ada@example.com").await;
    for address in [
        "/api/v1/occupiers/acme/reports/download?month=2026-10&site=ldn&report=itemised",
        "/api/v1/occupiers/acme/reports/download?month=2026-10",
        "/api/v1/reports/download?month=2026-10&site=ldn&report=call-charges&format=xlsx",
        "/api/v1/reports/download?month=2026-10",
    ] {
        let file = house.desk.get(&ada, address).await.expect(200);
        assert!(
            file.header("content-disposition").contains("filename=\"202610_"),
            "{}",
            file.header("content-disposition")
        );
    }
    let zip = house.desk.get(&ada, "/api/v1/reports/download?month=2026-10").await.expect(200);
    assert!(names_in(&zip.body).iter().all(|name| name.starts_with("202610_")));
}

#[tokio::test]
async fn rule_28_no_two_files_of_a_month_have_one_name() {
    let house = busy().await;
    let mut names = Vec::new();
    for who in ["/api/v1/reports", "/api/v1/occupiers/acme/reports", "/api/v1/occupiers/bolt/reports"] {
        let listed = house.desk.get(&house.ada, &format!("{who}?month=2026-10")).await.expect(200).json();
        for row in listed["reports"].as_array().unwrap().iter().filter(|row| row["available"] == true) {
            let (site, report) = (row["site"].as_str().unwrap(), row["report"].as_str().unwrap());
            let site = if site == "all-sites" { String::new() } else { format!("&site={site}") };
            for format in ["csv", "machine-csv", "xlsx", "parquet"] {
                let address = format!("{who}/download?month=2026-10&report={report}&format={format}{site}");
                let file = house.download(&address).await.expect(200);
                let name = file.header("content-disposition").split_once("filename=").unwrap().1.to_owned();
                names.push(name);
            }
        }
    }
    let distinct: BTreeSet<String> = names.iter().map(|name| name.to_lowercase()).collect();
    assert!(names.len() > 60, "{}", names.len());
    assert_eq!(distinct.len(), names.len(), "{names:#?}");
}

#[tokio::test]
async fn rule_50_a_main_number_that_originates_a_call_is_set_aside() {
    let house = House::new().await;
    house.main_number().await;
    house.out("ldn", "02079460000", "901614960123", "2026-10-05T09:00:00+01:00", 60);
    house.out("ldn", "2001", "901614960123", "2026-10-05T10:00:00+01:00", 60);
    house.publish().await;
    let exceptions = house.report("exceptions", None).await;
    let reasons = column(&exceptions, "reason");
    assert!(reasons.contains(&"attribution.main_number_originated"), "{exceptions:?}");
    assert_eq!(column(&house.occupiers("acme", "ldn", "itemised").await, "extension"), ["2001"], "nobody pays for it");
}

#[tokio::test]
async fn rule_55_emergency_calls_are_never_charged() {
    let house = House::new().await;
    house
        .put_file(
            "retail.csv",
            "prefix,destination,class,price\n44,UK landline,geographic,6\nshort:999,Emergency,short_code,6\n",
        )
        .await;
    house.out("ldn", "2001", "999", "2026-10-05T09:00:00+01:00", 600);
    house.out("ldn", "2001", "9112", "2026-10-05T09:30:00+01:00", 600);
    house.out("ldn", "2001", "901614960123", "2026-10-05T10:00:00+01:00", 60);
    house.hand_in().await;
    crate::months::publish(&house.desk, &house.ada).await;
    let charges = details(house.report("call-charges", Some("ldn")).await);
    assert_eq!(column(&charges, "client_amount"), ["0.06"], "a row of the tariff or not");
}

#[tokio::test]
async fn rule_78_what_the_level_switches_off_is_absent_and_numbers_are_masked() {
    let house = House::new().await;
    let (id, who) = house.tenant().await;
    house.out("ldn", "2021", "901614960123", "2026-10-05T09:00:00+01:00", 60);
    house.publish().await;
    let base = format!("/api/v1/occupiers/{id}/reports");
    let shown = async |report: &str| {
        let address = format!("{base}/download?month=2026-10&format=machine-csv&report={report}");
        house.desk.get(&who, &address).await
    };
    let listed = async || -> Vec<String> {
        let reports = house.desk.get(&who, &format!("{base}?month=2026-10")).await.expect(200).json();
        let rows = reports["reports"].as_array().unwrap().iter();
        rows.map(|row| row["report"].as_str().unwrap().to_owned()).collect()
    };
    let level = async |of: &[(&str, serde_json::Value)]| {
        let mut level = crate::desk::LEVEL.clone();
        for (name, value) in of {
            level[*name] = value.clone();
        }
        house.desk.put(&house.ada, &format!("/api/v1/occupiers/{id}/portal"), level).await.expect(200);
    };
    let full = rows(&shown("itemised").await.expect(200).text());
    assert_eq!((column(&full, "called"), column(&full, "cost")), (vec!["+441614960123"], vec!["0.06"]));
    assert!(full[0].contains_key("allowance_taken_s"));

    level(&[("called_numbers", json!("masked")), ("allowance_left", json!(false))]).await;
    let masked = rows(&shown("itemised").await.expect(200).text());
    assert_eq!(column(&masked, "called"), ["+441614960xxx"]);
    assert!(!masked[0].contains_key("allowance_taken_s"), "absent, not zero: {masked:?}");
    for text in ["960123"] {
        for report in ["itemised", "extension-summary", "destinations"] {
            assert!(!shown(report).await.expect(200).text().contains(text), "{report}");
        }
    }

    level(&[("itemised_calls", json!(false))]).await;
    shown("itemised").await.refused(409, "report.not_available");
    assert_eq!(listed().await, ["extension-summary", "destinations"]);
    level(&[("summary_charges", json!(false))]).await;
    assert_eq!(listed().await, ["itemised"]);
    for report in ["extension-summary", "destinations"] {
        shown(report).await.refused(409, "report.not_available");
    }
    // The operator's people see for the occupier all that one can be shown.
    let all = house.download(&format!("{base}/download?month=2026-10&report=extension-summary")).await;
    all.expect(200);
}

#[tokio::test]
async fn rule_80_who_is_limited_to_a_site_gets_no_row_of_another_also_under_all_sites() {
    let house = busy().await;
    let user = house.desk.operator_user(&house.ada, "operator_user", Some(&["man"])).await;
    let token = house.desk.token(&house.ada, &["read"], Some(&["man"])).await;
    for who in [&user, &token] {
        let all = "/api/v1/reports/download?month=2026-10&report=call-charges&format=machine-csv";
        let rows = rows(&house.desk.get(who, all).await.expect(200).text());
        assert_eq!((column(&rows, "site"), column(&rows, "client_id")), (vec!["man"], vec!["acme"]));
        let zip = house.desk.get(who, "/api/v1/occupiers/acme/reports/download?month=2026-10").await.expect(200);
        assert!(names_in(&zip.body).iter().all(|name| name.contains("_man_")), "{:?}", names_in(&zip.body));
        for there in ["/api/v1/reports/download?month=2026-10&site=ldn", "/api/v1/reports?month=2026-10&site=ldn"] {
            house.desk.get(who, there).await.refused(404, "site.unknown");
        }
        let bolt = "/api/v1/occupiers/bolt/reports/download?month=2026-10";
        house.desk.get(who, bolt).await.refused(404, "occupier.unknown");
        let listed = house.desk.get(who, "/api/v1/reports?month=2026-10").await.expect(200).json();
        for row in listed["reports"].as_array().unwrap() {
            assert!(["man", "all-sites"].contains(&row["site"].as_str().unwrap()), "{row}");
        }
    }
}

#[tokio::test]
async fn rule_79_what_is_kept_for_a_prospect_brings_nobody_a_charge() {
    let house = House::new().await;
    let hold = json!({ "hold": { "prospect": "crow", "until": "2026-12-31", "contracted_lines": 10 } });
    house.ten("ldn", 30, hold, "2026-11-02").await;
    house.out("ldn", "2031", "901614960123", "2026-10-05T09:00:00+01:00", 60);
    house.out("ldn", "2001", "901614960123", "2026-10-05T09:00:00+01:00", 60);
    house.publish().await;
    let charges = house.report("call-charges", Some("ldn")).await;
    assert_eq!(
        column(&charges, "client_amount").into_iter().filter(|amount| !amount.is_empty()).collect::<Vec<_>>(),
        ["0.06"]
    );
    let reasons = house.report("exceptions", None).await;
    assert!(column(&reasons, "kind").contains(&"suspended"), "{reasons:?}");
}

#[tokio::test]
async fn the_demos_month_adds_up_in_every_report() {
    let (desk, ada) = london().await;
    crate::months::publish(&desk, &ada).await;
    let base = "/api/v1/occupiers/acme/reports/download?month=2026-10&site=ldn&format=machine-csv&report=";
    let itemised = rows(&desk.get(&ada, &format!("{base}itemised")).await.expect(200).text());
    let summary = details(rows(&desk.get(&ada, &format!("{base}extension-summary")).await.expect(200).text()));
    let destinations = details(rows(&desk.get(&ada, &format!("{base}destinations")).await.expect(200).text()));
    assert!(itemised.len() > 10);
    assert_eq!(sum(&itemised, "cost"), sum(&summary, "cost"));
    assert_eq!(sum(&itemised, "cost"), sum(&destinations, "cost"));
}
