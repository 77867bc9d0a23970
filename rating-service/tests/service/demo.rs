//! The demo: what a newcomer is told is so.

use crate::desk::{Answer, Desk, Who};
use serde_json::{Value, json};

/// Signs somebody in with what was printed.
async fn sign_in(desk: &Desk, printed: &str, who: &str) -> Who {
    let word_of = |line: &str, index: usize| line.split_whitespace().nth(index).unwrap().to_owned();
    let line = |what: &str| printed.lines().find(|line| line.contains(what)).unwrap_or_else(|| panic!("{printed}"));
    let (email, password) = (word_of(line(who), 0), word_of(line("password"), 1));
    let body = json!({ "email": email, "password": password });
    Desk::session(&desk.post(&Who::Nobody, "/api/v1/session", body).await.expect(201))
}

async fn list(desk: &Desk, who: &Who, path: &str) -> Vec<Value> {
    desk.get(who, path).await.expect(200).json()["items"].as_array().unwrap().clone()
}

fn lines(answer: &Answer) -> usize {
    answer.text().lines().count()
}

#[tokio::test]
async fn a_newcomer_sees_everything_that_is_printed() {
    let desk = Desk::new().await;
    let printed = rating_service::demo::fill(&desk.app.config, desk.clock.now()).await.unwrap().to_string();
    assert!(printed.contains("2026-10 is published, 2026-11 is a preview"), "{printed}");

    let ada = sign_in(&desk, &printed, "the operator's administrator").await;
    let (sites, occupiers) = (list(&desk, &ada, "/api/v1/sites").await, list(&desk, &ada, "/api/v1/occupiers").await);
    assert_eq!((sites.len(), occupiers.len()), (3, 12));
    let states: Vec<&str> = occupiers.iter().map(|occupier| occupier["state"].as_str().unwrap()).collect();
    assert_eq!(states.iter().filter(|state| **state == "UPCOMING").count(), 1, "{states:?}");
    assert_eq!(states.iter().filter(|state| **state == "ACTIVE").count(), 11, "{states:?}");
    let inventory = desk.get(&ada, "/api/v1/sites/ldn/inventory").await.expect(200).json();
    for state in ["available", "kept", "reserved", "active", "cooling_off", "operators_own"] {
        assert!(inventory[state].as_i64().unwrap() > 0, "{state}: {inventory}");
    }

    let month = desk.get(&ada, "/api/v1/months/2026-10").await.expect(200).json();
    assert_eq!(month["state"], "published", "{month:#}");
    let totals = &month["runs"][0]["totals"];
    assert_eq!((&totals["suspended"], &totals["rejected"]), (&json!(3), &json!(0)), "shown on purpose: {month:#}");
    assert_eq!(totals["above_limit"], false, "{totals:#}");
    let preview = desk.get(&ada, "/api/v1/months/2026-11").await.expect(200).json();
    assert_eq!(preview["runs"][0]["state"], "provisional", "{preview:#}");
    for site in ["ldn", "man", "nyc"] {
        let path = format!("/api/v1/reports/download?month=2026-10&site={site}&report=call-charges");
        let charges = desk.get(&ada, &path).await.expect(200);
        assert!(lines(&charges) > 1 && charges.text().to_lowercase().contains("operator_amount"), "{site}");
    }

    // A margin across two currencies, an allowance that is used, lines that are counted.
    let rows = async |report: &str, site: &str| {
        let path = format!("/api/v1/reports/download?month=2026-10{site}&report={report}&format=machine-csv");
        crate::house::rows(&desk.get(&ada, &path).await.expect(200).text())
    };
    for row in rows("call-charges", "&site=man").await.iter().filter(|row| !row["client_amount"].is_empty()) {
        assert_eq!(row["operator_currency"], "EUR", "{row:?}");
        assert!(!row["margin"].is_empty() && row["currency"] == "GBP", "{row:?}");
    }
    let allowances = rows("allowances", "&site=ldn").await;
    let acme = allowances.iter().find(|row| row["client_id"] == "acme").unwrap();
    // Twelve lines with twenty minutes each.
    assert_eq!(acme["granted_s"], "14400", "{acme:?}");
    assert!(acme["used_s"] != "0" && !acme["used_s"].is_empty(), "{acme:?}");
    assert!(rows("usage", "").await.iter().any(|row| row["row"] == "monthly accrual"));

    let ben = sign_in(&desk, &printed, "London and Manchester").await;
    assert_eq!(list(&desk, &ben, "/api/v1/sites").await.len(), 2);
}

#[tokio::test]
async fn rule_20_the_occupier_of_the_demo_sees_its_calls_and_never_the_operators_amount() {
    let desk = Desk::new().await;
    let printed = rating_service::demo::fill(&desk.app.config, desk.clock.now()).await.unwrap().to_string();
    let alice = sign_in(&desk, &printed, "Acme Robotics").await;
    for site in ["ldn", "nyc"] {
        for report in ["itemised", "extension-summary", "destinations"] {
            let path = format!(
                "/api/v1/occupiers/acme/reports/download?month=2026-10&site={site}&format=machine-csv&report={report}"
            );
            let answer = desk.get(&alice, &path).await.expect(200);
            assert!(lines(&answer) > 1, "{site} {report}: {}", answer.text());
            let header = answer.text().to_lowercase().lines().next().unwrap().to_owned();
            for word in ["operator", "wholesale", "margin"] {
                assert!(!header.contains(word), "{header}");
            }
        }
    }
    desk.get(&alice, "/api/v1/occupiers/bluefin/reports?month=2026-10").await.refused(404, "occupier.unknown");
}

#[tokio::test]
async fn a_folder_with_an_operator_becomes_no_demo() {
    let (desk, ada) = Desk::set_up().await;
    let problem = rating_service::demo::fill(&desk.app.config, desk.clock.now()).await.unwrap_err();
    assert_eq!(problem.code(), "operator.already_set_up");
    assert!(problem.to_string().contains("--data"), "{problem}");
    assert_eq!(list(&desk, &ada, "/api/v1/sites").await, [] as [Value; 0], "nothing was entered");
}
