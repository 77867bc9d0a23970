//! What calls cost, over HTTP: equal to what is published, and never more than its reader may see.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::desk::{Answer, Desk, LEVEL, Who};
use crate::months::{london, publish};

const SPEND: &str = "/api/v1/occupiers/acme/charges";
const OCTOBER: &str = "/api/v1/occupiers/acme/charges/2026-10";
const CALLS: &str = "/api/v1/occupiers/acme/calls/2026-10";

/// London with October published; the operator's administrator, and that of an occupier that sees everything.
async fn published() -> (Desk, Who, Who) {
    let (desk, ada) = london().await;
    publish(&desk, &ada).await;
    let ann = desk.portal(&ada, "acme").await;
    (desk, ada, ann)
}

/// The rows of a report of an occupier, cell by column.
async fn report(desk: &Desk, who: &Who, occupier: &str, report: &str) -> Vec<BTreeMap<String, String>> {
    let address = format!(
        "/api/v1/occupiers/{occupier}/reports/download?month=2026-10&site=ldn&format=machine-csv&report={report}"
    );
    let body = desk.get(who, &address).await.expect(200).body;
    let mut reader = csv::Reader::from_reader(body.as_slice());
    reader.deserialize().map(Result::unwrap).collect()
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().unwrap_or_else(|| panic!("no list `{key}`: {value:#}"))
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

/// A decimal in units of 10⁻¹⁰.
fn units(text: &str) -> i128 {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    format!("{whole}{fraction:0<10}").parse().unwrap()
}

/// An occupier's view with another level of information.
async fn level(desk: &Desk, ada: &Who, change: Value) {
    let mut level = LEVEL.clone();
    for (key, value) in change.as_object().unwrap() {
        level[key] = value.clone();
    }
    desk.put(ada, "/api/v1/occupiers/acme/portal", level).await.expect(200);
}

async fn calls(desk: &Desk, who: &Who, address: &str) -> Vec<Value> {
    list(&desk.get(who, address).await.expect(200).json(), "items").to_vec()
}

#[tokio::test]
async fn rule_18_each_list_equals_the_published_report_to_the_last_digit() {
    let (desk, ada, _) = published().await;
    for occupier in ["acme", "bolt"] {
        let address = format!("/api/v1/occupiers/{occupier}/charges/2026-10?site=ldn");
        let month = desk.get(&ada, &address).await.expect(200).json();
        let [site] = list(&month, "sites") else { panic!("{month:#}") };
        assert_eq!(
            (text(site, "zone"), &site["available"], &site["provisional"]),
            ("Europe/London", &json!(true), &json!(false))
        );

        let row = |row: &BTreeMap<String, String>, keys: &[&str]| -> Vec<String> {
            keys.iter().map(|key| row[*key].clone()).collect()
        };
        let summary = report(&desk, &ada, occupier, "extension-summary").await;
        let mut expected: Vec<Vec<String>> = summary
            .iter()
            .filter(|line| line["row"] == "extension")
            .map(|line| {
                row(line, &["extension", "number", "billable_calls", "duration_s", "billed_duration_s", "cost"])
            })
            .collect();
        let mut found: Vec<Vec<String>> = list(site, "extensions")
            .iter()
            .map(|line| {
                let calls = line["calls"].to_string();
                let cost = text(&line["charge"], "GBP").to_owned();
                let texts =
                    ["extension", "number", "duration_s", "billed_duration_s"].map(|key| text(line, key).to_owned());
                let [extension, number, duration, billed] = texts;
                vec![extension, number, calls, duration, billed, cost]
            })
            .collect();
        expected.sort();
        found.sort();
        assert_eq!(found, expected, "{occupier}");
        assert!(!found.is_empty());

        let destinations = report(&desk, &ada, occupier, "destinations").await;
        let (expected, total): (Vec<_>, Vec<_>) = destinations.iter().partition(|line| line["row"] == "destination");
        let found: Vec<Vec<String>> = list(site, "destinations")
            .iter()
            .map(|line| {
                let [destination, duration] = ["destination", "duration_s"].map(|key| text(line, key).to_owned());
                vec![destination, line["calls"].to_string(), duration, text(&line["charge"], "GBP").to_owned()]
            })
            .collect();
        let mut expected: Vec<Vec<String>> =
            expected.into_iter().map(|line| row(line, &["destination", "calls", "duration_s", "cost"])).collect();
        expected.sort();
        assert_eq!(found, expected, "{occupier}");
        let [total] = total.as_slice() else { panic!("{destinations:?}") };
        assert_eq!(text(&site["total"]["charge"], "GBP"), total["cost"]);
        assert_eq!(site["total"]["calls"].to_string(), total["calls"]);

        // The hours of the week add up to the same, and so do the calls one by one.
        let hours: i128 = list(site, "hours").iter().map(|hour| units(text(&hour["charge"], "GBP"))).sum();
        assert_eq!(hours, units(&total["cost"]), "{occupier}");
        let itemised = calls(&desk, &ada, &format!("/api/v1/occupiers/{occupier}/calls/2026-10?limit=500")).await;
        let cost: i128 = itemised.iter().filter_map(|call| call["cost"].as_str()).map(units).sum();
        assert_eq!(cost, units(&total["cost"]), "{occupier}");
        let published = report(&desk, &ada, occupier, "itemised").await;
        assert_eq!(itemised.len(), published.len());
        assert_eq!(site["calls"]["calls"].to_string(), published.len().to_string());
    }
}

#[tokio::test]
async fn hours_are_those_of_the_sites_clock() {
    let (desk, ada, _) = published().await;
    let month = desk.get(&ada, OCTOBER).await.expect(200).json();
    let mut expected: BTreeMap<(u64, u64), (u64, i128)> = BTreeMap::new();
    for row in report(&desk, &ada, "acme", "itemised").await.iter().filter(|row| row["status"] == "charged") {
        // `2026-10-01T09:15:09+01:00`: what the clock on the wall showed.
        let at = &row["charged_at"];
        let weekday = rating_core::time::Date::parse(&at[..10]).unwrap().weekday().index() as u64 + 1;
        let of = expected.entry((weekday, at[11..13].parse().unwrap())).or_default();
        *of = (of.0 + 1, of.1 + units(&row["cost"]));
    }
    let found: BTreeMap<(u64, u64), (u64, i128)> = list(&month["sites"][0], "hours")
        .iter()
        .map(|of| {
            let number = |key: &str| of[key].as_u64().unwrap();
            ((number("weekday"), number("hour")), (number("calls"), units(text(&of["charge"], "GBP"))))
        })
        .collect();
    assert_eq!(found, expected);
    // 1 October 2026 is a Thursday, and 09:15 in London is 08:15 in the records.
    assert!(found.contains_key(&(4, 9)), "{found:?}");
}

#[tokio::test]
async fn the_largest_calls_are_the_first_of_all_calls_in_their_order() {
    let (desk, ada, _) = published().await;
    let month = desk.get(&ada, OCTOBER).await.expect(200).json();
    let all = calls(&desk, &ada, &format!("{CALLS}?limit=500")).await;
    let by = |key: &str| -> Vec<String> {
        let mut calls: Vec<&Value> = all.iter().filter(|call| units(text(call, key)) > 0).collect();
        calls.sort_by_key(|call| (std::cmp::Reverse(units(text(call, key))), text(call, "charged_at").to_owned()));
        calls.into_iter().take(10).map(|call| text(call, key).to_owned()).collect()
    };
    let shown = |key: &str, column: &str| -> Vec<String> {
        list(&month["sites"][0], key).iter().map(|call| text(call, column).to_owned()).collect()
    };
    let all_with_cost: Vec<&Value> = all.iter().filter(|call| call.get("cost").is_some()).collect();
    assert!(all_with_cost.len() > 3);
    let dearest: Vec<String> = {
        let mut costs: Vec<&str> =
            all_with_cost.iter().map(|call| text(call, "cost")).filter(|cost| units(cost) > 0).collect();
        costs.sort_by_key(|cost| std::cmp::Reverse(units(cost)));
        costs.into_iter().take(10).map(str::to_owned).collect()
    };
    assert_eq!(shown("dearest", "cost"), dearest);
    assert_eq!(shown("longest", "duration_s"), by("duration_s"));
}

#[tokio::test]
async fn months_without_charges_say_why_and_the_newest_is_last() {
    let (desk, ada, ann) = published().await;
    for who in [&ada, &ann] {
        let spend = desk.get(who, &format!("{SPEND}?months=3")).await.expect(200).json();
        let months = list(&spend, "months");
        let names: Vec<&str> = months.iter().map(|month| text(month, "month")).collect();
        assert_eq!(names, ["2026-08", "2026-09", "2026-10", "2026-11"]);
        let reasons: Vec<&str> = months.iter().map(|month| text(&month["sites"][0], "reason")).collect();
        assert_eq!(reasons, ["not-published", "not-published", "", "month-not-complete"]);
        let october = desk.get(who, OCTOBER).await.expect(200).json();
        assert_eq!(months[2]["total"], october["sites"][0]["total"]);
        assert_eq!(months[3].get("total"), None, "nothing was made of November");
    }
    let spend = desk.get(&ann, SPEND).await.expect(200).json();
    assert_eq!(list(&spend, "months").len(), 13);
    desk.get(&ann, &format!("{SPEND}?months=25")).await.refused(400, "request.parameter_malformed");
    desk.get(&ann, &format!("{SPEND}?site=par")).await.refused(404, "site.unknown");
    desk.get(&ann, "/api/v1/occupiers/acme/charges/2027-01").await.refused(422, "report.month_in_future");
    desk.get(&ann, "/api/v1/occupiers/acme/calls/2027-01").await.refused(422, "report.month_in_future");
    let refused = desk.get(&ann, "/api/v1/occupiers/acme/calls/2026-09").await.refused(409, "report.not_available");
    assert_eq!(refused.json()["errors"][0]["code"], "not-published");
}

#[tokio::test]
async fn rule_78_what_the_level_switches_off_is_absent_and_no_zero() {
    let (desk, ada, ann) = published().await;
    let sums = ["total", "destinations", "extensions", "hours"];
    let itemised = ["calls", "dearest", "longest"];
    let site = async |who: &Who| desk.get(who, OCTOBER).await.expect(200).json()["sites"][0].clone();
    for key in sums.iter().chain(&itemised).chain(&["allowances"]) {
        assert!(site(&ann).await.get(key).is_some(), "{key}");
    }
    level(&desk, &ada, json!({ "summary_charges": false })).await;
    for key in sums {
        assert_eq!(site(&ann).await.get(key), None, "{key}");
    }
    let spend = desk.get(&ann, SPEND).await.expect(200).json();
    for month in list(&spend, "months") {
        assert_eq!((month.get("total"), month["sites"][0].get("total")), (None, None), "{month:#}");
    }
    level(&desk, &ada, json!({ "itemised_calls": false, "usage_to_date": false, "allowance_left": false })).await;
    let id = calls(&desk, &ada, CALLS).await[0]["id"].as_str().unwrap().to_owned();
    for key in itemised.iter().chain(&["allowances"]) {
        assert_eq!(site(&ann).await.get(key), None, "{key}");
    }
    desk.get(&ann, CALLS).await.refused(409, "report.not_available");
    desk.get(&ann, &format!("{CALLS}/{id}/explanation")).await.refused(404, "call.unknown");
    let spend = desk.get(&ann, SPEND).await.expect(200).json();
    assert_eq!(list(&spend, "months").last().unwrap()["month"], "2026-10", "the running month is not shown");
    // The operator's people see what the occupier could see at most.
    assert!(site(&ada).await.get("longest").is_some());
}

#[tokio::test]
async fn masked_numbers_are_masked_everywhere_and_cannot_be_asked_for() {
    let (desk, ada, ann) = published().await;
    let all = calls(&desk, &ann, &format!("{CALLS}?limit=500")).await;
    let outside: Vec<&Value> =
        all.iter().filter(|call| text(call, "called").len() > 9 && text(call, "direction") == "outbound").collect();
    assert!(outside.len() > 3, "{all:#?}");
    let search = async |digits: &str| desk.get(&ann, &format!("{CALLS}?search={digits}")).await.expect(200).json();
    let target = text(outside[0], "called").to_owned();
    assert!(!list(&search(&target[1..]).await, "items").is_empty());

    level(&desk, &ada, json!({ "called_numbers": "masked" })).await;
    for call in &outside {
        let (called, id) = (text(call, "called"), text(call, "id"));
        let explained = desk.get(&ann, &format!("{CALLS}/{id}/explanation")).await.expect(200);
        let told = explained.text();
        assert!(!told.contains(&called[called.len() - 5..]), "{told}");
        assert_eq!(explained.json().get("text"), None);
        let hidden = &called[1..called.len() - 3];
        assert!(told.contains(&format!("{hidden}xxx")), "{told}");
    }
    for address in [format!("{CALLS}?limit=500"), OCTOBER.to_owned()] {
        let told = desk.get(&ann, &address).await.expect(200).text();
        for call in &outside {
            let called = text(call, "called");
            assert!(!told.contains(&called[1..]), "{called}: {told}");
        }
    }
    // What is shown can be searched, one digit more cannot.
    let shown = target.len() - 3;
    assert!(!list(&search(&target[1..shown]).await, "items").is_empty());
    for digit in '0'..='9' {
        assert_eq!(list(&search(&format!("{}{digit}", &target[1..shown])).await, "items"), &[] as &[Value], "{digit}");
    }
}

#[tokio::test]
async fn rules_12_and_20_nothing_of_another_and_no_amount_of_the_operator() {
    let (desk, ada, ann) = published().await;
    let ben = desk.portal(&ada, "bolt").await;
    let bolts = calls(&desk, &ben, "/api/v1/occupiers/bolt/calls/2026-10").await;
    let acmes = calls(&desk, &ann, &format!("{CALLS}?limit=500")).await;
    let unknown =
        desk.get(&ann, &format!("{CALLS}/0000000000000000/explanation")).await.refused(404, "call.unknown").text();
    for call in &bolts {
        assert!(!acmes.iter().any(|own| own["id"] == call["id"]));
        let id = text(call, "id");
        desk.get(&ben, &format!("/api/v1/occupiers/bolt/calls/2026-10/{id}/explanation")).await.expect(200);
        let hidden = desk.get(&ann, &format!("{CALLS}/{id}/explanation")).await.refused(404, "call.unknown").text();
        assert_eq!(hidden.replace(id, "0000000000000000"), unknown);
        // Nor for the operator, who asks in the other's name.
        desk.get(&ada, &format!("{CALLS}/{id}/explanation")).await.refused(404, "call.unknown");
        desk.get(&ann, &format!("/api/v1/months/2026-10/calls/{id}/explanation"))
            .await
            .refused(403, "auth.not_allowed");
    }
    for id in ["", "x", "-1", "..", "%00", "ffffffffffffffff", "+000000000000000"] {
        let answer = desk.get(&ann, &format!("{CALLS}/{id}/explanation")).await;
        assert_eq!(answer.status, 404, "{id}: {}", answer.text());
    }
    let mut addresses = vec![SPEND.to_owned(), OCTOBER.to_owned(), format!("{CALLS}?limit=500")];
    addresses.extend(acmes.iter().map(|call| format!("{CALLS}/{}/explanation", text(call, "id"))));
    for address in &addresses {
        for who in [&ann, &ada] {
            let answer = desk.get(who, address).await;
            // A call that nothing is charged for because nobody knows how is told so, and not explained.
            let told = answer.expect(200).text().to_lowercase();
            for canary in ["operator_amount", "wholesale", "margin", "bolt", "cedar", "mark_up"] {
                assert!(!told.contains(canary), "{canary} in {address}: {told}");
            }
        }
    }
    desk.get(&ann, "/api/v1/occupiers/bolt/charges").await.refused(404, "occupier.unknown");
    desk.get(&ben, &format!("{CALLS}?extension=2001")).await.refused(404, "occupier.unknown");
}

#[tokio::test]
async fn rule_80_people_limited_to_sites_get_nothing_of_another() {
    let (desk, ada, ann) = published().await;
    let settings = json!({ "name": "Pier 12", "zone": "America/New_York", "country": "US", "area_code": "212" });
    desk.post(&ada, "/api/v1/sites", json!({ "id": "nyc", "settings": settings })).await.expect(201);
    desk.lease("acme", "nyc", "2026-01-01", 1).await;
    let id = text(&calls(&desk, &ann, CALLS).await[0], "id").to_owned();
    let (_, here) = desk.occupier_user(&ann, "acme", "occupier_view", Some(&["ldn"])).await;
    let (_, there) = desk.occupier_user(&ann, "acme", "occupier_view", Some(&["nyc"])).await;
    let manager = desk.operator_user(&ada, "operator_user", Some(&["nyc"])).await;
    let sites = |answer: Answer| -> Vec<String> {
        list(&answer.json(), "sites").iter().map(|site| text(site, "site").to_owned()).collect()
    };
    assert_eq!(sites(desk.get(&ann, OCTOBER).await.expect(200)), ["ldn", "nyc"]);
    assert_eq!(sites(desk.get(&here, OCTOBER).await.expect(200)), ["ldn"]);
    desk.get(&here, &format!("{CALLS}/{id}/explanation")).await.expect(200);
    for who in [&there, &manager] {
        assert_eq!(sites(desk.get(who, OCTOBER).await.expect(200)), ["nyc"]);
        desk.get(who, &format!("{OCTOBER}?site=ldn")).await.refused(404, "site.unknown");
        desk.get(who, &format!("{CALLS}?site=ldn")).await.refused(404, "site.unknown");
        desk.get(who, CALLS).await.refused(409, "report.not_available");
        desk.get(who, &format!("{CALLS}/{id}/explanation")).await.refused(404, "call.unknown");
    }
    let explain = format!("/api/v1/months/2026-10/calls/{id}/explanation");
    desk.get(&manager, &explain).await.refused(404, "call.unknown");
    let told = desk.get(&ada, &explain).await.expect(200).json();
    assert_eq!(told["explanation"]["audience"], "operator");
    assert_eq!(list(&told["explanation"], "sides").len(), 2, "the operator is told both sides");
    assert!(text(&told, "text").contains("wholesale"), "{told:#}");
}

#[tokio::test]
async fn a_charge_is_explained_with_the_amount_that_is_listed() {
    let (desk, _, ann) = published().await;
    let mut explained = 0;
    for call in calls(&desk, &ann, &format!("{CALLS}?limit=500&status=charged")).await {
        let told = desk.get(&ann, &format!("{CALLS}/{}/explanation", text(&call, "id"))).await.expect(200).json();
        let [side] = list(&told["explanation"], "sides") else { panic!("{told:#}") };
        assert_eq!(units(text(side, "charge")), units(text(&call, "cost")), "{told:#}");
        assert_eq!(text(&told["explanation"]["call"], "id"), text(&call, "call_id"));
        explained += 1;
    }
    assert!(explained > 3, "{explained}");
}

#[tokio::test]
async fn filters_choose_and_pages_have_every_call_once() {
    let (desk, _, ann) = published().await;
    let all = calls(&desk, &ann, &format!("{CALLS}?limit=500")).await;
    let mut paged = Vec::new();
    let mut after = String::new();
    loop {
        let page = desk.get(&ann, &format!("{CALLS}?limit=2{after}")).await.expect(200).json();
        paged.extend(list(&page, "items").to_vec());
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
        assert!(paged.len() <= all.len());
    }
    assert_eq!(paged, all);
    for (filter, key, value) in [
        ("status=charged", "status", "charged"),
        ("status=not-chargeable", "status", "not chargeable"),
        ("extension=2001", "extension", "2001"),
        ("destination=UK%20mobile", "destination", "UK mobile"),
    ] {
        let found = calls(&desk, &ann, &format!("{CALLS}?limit=500&{filter}")).await;
        let expected: Vec<Value> = all.iter().filter(|call| text(call, key) == value).cloned().collect();
        assert!(!expected.is_empty(), "{filter}");
        assert_eq!(found, expected, "{filter}");
    }
    for (query, code) in [
        ("status=free", "request.parameter_malformed"),
        ("after=x", "request.parameter_malformed"),
        ("limit=0", "request.parameter_malformed"),
        ("payer=bolt", "request.parameter_malformed"),
    ] {
        desk.get(&ann, &format!("{CALLS}?{query}")).await.refused(400, code);
    }
    for hostile in ["%27%20OR%201=1%20--", "%25", "_"] {
        assert_eq!(calls(&desk, &ann, &format!("{CALLS}?search={hostile}")).await, [] as [Value; 0], "{hostile}");
    }
}

#[tokio::test]
async fn labels_stand_beside_extensions_for_those_who_see_the_numbers() {
    let (desk, ada, ann) = published().await;
    let command = json!({ "which": { "numbers": ["+442079460101"] }, "command": { "activate": {} } });
    desk.post(&ada, "/api/v1/sites/ldn/numbers/commands", command).await.expect(200);
    let label = json!({ "number": "+442079460101", "command": { "label": { "label": "Front desk" } } });
    desk.post(&ann, "/api/v1/occupiers/acme/numbers/commands", label).await.expect(200);
    let label = async |who: &Who| {
        let month = desk.get(who, OCTOBER).await.expect(200).json();
        let extensions = list(&month["sites"][0], "extensions").to_vec();
        let desk = extensions.iter().find(|line| line["extension"] == "2001").unwrap();
        desk.get("label").cloned()
    };
    assert_eq!(label(&ann).await, Some(json!("Front desk")));
    let (_, viewer) = desk.occupier_user(&ann, "acme", "occupier_view", None).await;
    assert_eq!(label(&viewer).await, None, "rule 69: a viewer sees the numbers given to it");
}

#[tokio::test]
async fn the_running_month_is_provisional_and_only_for_those_who_may_see_it() {
    let (desk, ada) = london().await;
    let ann = desk.portal(&ada, "acme").await;
    desk.clock.set(rating_core::time::Instant::parse_rfc3339("2026-10-20T09:00:00Z").unwrap());
    desk.ask(&ada, "POST", "/api/v1/months/2026-10/previews", None, &[]).await.expect(202);
    crate::months::october(&desk, &ada).await;
    let ann = {
        let _ = ann;
        desk.sign_in("admin@acme.example").await
    };
    let month = desk.get(&ann, OCTOBER).await.expect(200).json();
    let site = &month["sites"][0];
    assert_eq!(
        (&site["available"], &site["provisional"], text(site, "as_of")),
        (&json!(true), &json!(true), "2026-10-20")
    );
    let spend = desk.get(&ann, &format!("{SPEND}?months=1")).await.expect(200).json();
    let last = list(&spend, "months").last().unwrap();
    assert_eq!((text(last, "month"), &last["provisional"], &last["total"]), ("2026-10", &json!(true), &site["total"]));
    assert!(site["total"]["calls"].as_u64().unwrap() > 0);
    let page = desk.get(&ann, CALLS).await.expect(200).json();
    assert_eq!(page["provisional"], true);
    level(&desk, &ada, json!({ "usage_to_date": false })).await;
    let month = desk.get(&ann, OCTOBER).await.expect(200).json();
    assert_eq!(text(&month["sites"][0], "reason"), "month-not-complete");
    assert_eq!(month["sites"][0].get("total"), None);
    desk.get(&ann, CALLS).await.refused(409, "report.not_available");
}

/// Names of the indexes there are, when they are these many.
async fn indexes(desk: &Desk, count: usize) -> Vec<String> {
    let folder = desk.folder().join("index");
    let mut names = Vec::new();
    for _ in 0..200 {
        let entries = std::fs::read_dir(&folder).unwrap();
        names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        if names.len() == count {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    names
}

#[tokio::test]
async fn the_index_is_made_with_the_month_and_goes_when_the_month_is_superseded() {
    let (desk, ada) = london().await;
    let first = publish(&desk, &ada).await;
    let names = indexes(&desk, 1).await;
    assert!(matches!(names.as_slice(), [name] if name.starts_with(&first)), "{names:?}");
    desk.put(&ada, "/api/v1/project/limits", json!({ "suspended": "50%" })).await.expect(200);
    desk.clock.set(rating_core::time::Instant::parse_rfc3339("2026-11-02T10:00:00Z").unwrap());
    let second = publish(&desk, &ada).await;
    assert_ne!(first, second);
    let names = indexes(&desk, 1).await;
    assert!(matches!(names.as_slice(), [name] if name.starts_with(&second)), "{names:?}");
    // Whatever is gone is made again at the start, and what nothing needs goes.
    std::fs::remove_file(desk.folder().join("index").join(&names[0])).unwrap();
    std::fs::write(desk.folder().join("index/old.sqlite"), "old").unwrap();
    rating_service::tidy::begin(desk.app.clone()).await;
    assert_eq!(indexes(&desk, 1).await, names);
}
