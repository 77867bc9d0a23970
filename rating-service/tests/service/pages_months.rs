//! Pages about months and tariffs: what a first user stumbled over.

use rating_core::time::Duration;
use rating_service::portal::api::part;
use rating_service::portal::words;
use serde_json::{Value, json};

use crate::desk::{Desk, Who};
use crate::months::{demo, london, october, publish, upload};

const HTML: (&str, &str) = ("accept", "text/html");

pub(crate) async fn page(desk: &Desk, who: &Who, address: &str) -> String {
    desk.ask(who, "GET", address, None, &[HTML]).await.expect(200).text()
}

pub(crate) fn sent(fields: &[(&str, &str)]) -> String {
    fields.iter().map(|(name, value)| format!("{}={}", part(name), part(value))).collect::<Vec<_>>().join("&")
}

/// The text between two marks.
#[track_caller]
pub(crate) fn between<'p>(page: &'p str, from: &str, until: &str) -> &'p str {
    let (_, rest) = page.split_once(from).unwrap_or_else(|| panic!("no {from} in {page}"));
    rest.split_once(until).map_or(rest, |(found, _)| found)
}

/// The cells of a row of figures.
#[track_caller]
fn figures(page: &str, name: &str) -> Vec<String> {
    let row = between(page, &format!(">{name}</th>"), "</tr>");
    row.split("<td class=\"number\">").skip(1).map(|cell| cell.split("</td>").next().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_check_with_nothing_changed_says_so_until_somebody_goes_on() {
    let (desk, ada) = london().await;
    let check = async || {
        desk.form(&ada, "/months/2026-10", "do=check").await.expect(303);
        october(&desk, &ada).await
    };
    let first = check().await;
    assert_eq!(first.get("unchanged"), None, "{first:#}");
    assert!(!page(&desk, &ada, "/months/2026-10").await.contains("Nothing has changed"));
    desk.clock.advance(Duration::from_seconds(60));
    let run = first["runs"][0]["run"].as_str().unwrap();
    assert_eq!(check().await["unchanged"], json!(run));
    let shown = page(&desk, &ada, "/months/2026-10").await;
    assert!(between(&shown, "Nothing has changed since <code>", "</p>").contains("so are the figures"), "{shown}");
    desk.clock.advance(Duration::from_seconds(60));
    desk.form(&ada, "/months/2026-10", &sent(&[("do", "approve"), ("run", run)])).await.expect(303);
    assert_eq!(october(&desk, &ada).await.get("unchanged"), None, "somebody went on");
    // What is thrown away and made again is new.
    desk.delete(&ada, &format!("/api/v1/months/2026-10/runs/{run}")).await.expect(204);
    assert_eq!(check().await.get("unchanged"), None);
    upload(&desk, &ada, "Master-late.csv", demo("cdr/ldn/Master-2026-10.csv")).await.expect(201);
    assert_eq!(check().await.get("unchanged"), None);
}

#[tokio::test]
async fn what_is_merely_worth_a_look_is_not_counted_as_a_mistake() {
    let (desk, ada) = london().await;
    let unused = String::from_utf8(demo("tariffs/retail-gb.csv")).unwrap() + "44,twice,geographic,1,1,1,,,,\n";
    let put = async |content: String| {
        let path = "/api/v1/files/tariffs/retail-gb.csv";
        desk.send(&ada, "PUT", path, "application/octet-stream", content.into_bytes()).await.expect(200);
    };
    let look = async || desk.ask(&ada, "POST", "/api/v1/project/checks", None, &[]).await.expect(200).json();
    let count = |found: &Value, severity: &str| {
        found["items"].as_array().unwrap().iter().filter(|one| one["severity"] == json!(severity)).count()
    };
    put(unused).await;
    let found = look().await;
    let (mistakes, others) = (count(&found, "error"), count(&found, "warning"));
    assert!(mistakes > 0, "{found:#}");
    desk.form(&ada, "/months/2026-10", "do=check").await.expect(303);
    let month = october(&desk, &ada).await;
    let many = words::count(mistakes, "mistake", "mistakes");
    assert_eq!(month["last_refusal"]["detail"], json!(format!("the project has {many} that must be mended first")));
    let shown = desk.form(&ada, "/months/2026-10", "do=look").await.expect(200).text();
    assert!(shown.contains(&format!("{many} must be mended")), "{others} others: {shown}");
}

#[tokio::test]
async fn a_tariff_that_there_is_not_is_not_assigned_and_those_there_are_are_named() {
    let (desk, ada) = london().await;
    let form = |side: &str, tariff: &str| {
        sent(&[("/side", side), ("/payer", "*"), ("/site", "ldn"), ("/tariff", tariff), ("/from", "2026-11-01")])
    };
    let shown = desk.form(&ada, "/tariffs/assignments", &form("retail", "retail-bg")).await.expect(422).text();
    let fault = between(&shown, "id=\"tariff-fault\">", "</span>");
    assert!(fault.contains("retail-gb, wholesale-gb"), "{fault}");
    let body = json!({ "side": "allowance", "payer": "*", "site": "ldn", "tariff": "retail-gb" });
    let refused = desk.post(&ada, "/api/v1/assignments", body).await.expect(422).json();
    assert_eq!(refused["errors"][0]["code"], "field.allowance_unknown", "{refused:#}");
    desk.form(&ada, "/tariffs/assignments", &form("retail", "retail-gb")).await.expect(303);
}

#[tokio::test]
async fn a_file_that_something_uses_stays_until_nothing_does() {
    let (desk, ada) = london().await;
    let shown = desk.form(&ada, "/tariffs/files/tariffs/retail-gb.csv/remove", "").await.expect(409).text();
    let told = between(&shown, "class=\"bad\" role=\"alert\"", "</div>");
    assert!(told.contains("in use") && told.contains("tariffs/retail-gb.toml"), "{told}");
    desk.delete(&ada, "/api/v1/files/tariffs/retail-gb.toml").await.refused(409, "file.in_use");
    desk.get(&ada, "/api/v1/files/tariffs/retail-gb.toml").await.expect(200);
    let found = desk.get(&ada, "/api/v1/assignments").await.json();
    for one in found["items"].as_array().unwrap() {
        desk.delete(&ada, &format!("/api/v1/assignments/{}", one["id"].as_str().unwrap())).await.expect(204);
    }
    desk.delete(&ada, "/api/v1/files/tariffs/retail-gb.toml").await.expect(204);
    desk.form(&ada, "/tariffs/files/tariffs/retail-gb.csv/remove", "").await.expect(303);
    desk.delete(&ada, "/api/v1/files/tariffs/retail-gb.csv").await.refused(404, "file.unknown");
}

#[tokio::test]
async fn figures_stand_beside_those_of_the_version_before_with_the_difference() {
    let (desk, ada) = london().await;
    let first = publish(&desk, &ada).await;
    let price = String::from_utf8(demo("tariffs/retail-gb.toml")).unwrap();
    let dearer = price.replace("minimum_charge = \"5p\"", "minimum_charge = \"50p\"");
    assert_ne!(price, dearer);
    desk.send(&ada, "PUT", "/api/v1/files/tariffs/retail-gb.toml", "text/plain", dearer.into_bytes()).await.expect(200);
    desk.form(&ada, "/months/2026-10", "do=check").await.expect(303);
    let month = october(&desk, &ada).await;
    let of = |id: &str| month["runs"].as_array().unwrap().iter().find(|run| run["run"] == json!(id)).unwrap();
    let draft = month["runs"].as_array().unwrap().iter().find(|run| run["state"] == "checked").unwrap();
    let beside = &draft["beside"][0];
    assert_eq!((&beside["what"], &beside["run"]), (&json!("version_before"), &json!(first)), "{draft:#}");
    let pounds = |value: &Value| {
        let (whole, rest) = value["retail"]["GBP"].as_str().unwrap().split_once('.').unwrap();
        format!("{whole}{rest:0<6}").parse::<i64>().unwrap()
    };
    let (now, then) = (&draft["totals"], &of(&first)["totals"]);
    assert!(pounds(now) > pounds(then), "a higher minimum makes calls dearer");
    assert_eq!(pounds(&beside["difference"]), pounds(now) - pounds(then));
    assert_eq!(beside["difference"]["calls"], 0);
    let shown = page(&desk, &ada, "/months/2026-10").await;
    // As exact as the interface says them, padded to stand below one another.
    let plain = |cell: &str| {
        let number = cell.trim_end_matches(" GBP").replace([',', '+'], "");
        let (whole, rest) = number.split_once('.').unwrap();
        (format!("{whole}{rest:0<6}").parse::<i64>().unwrap(), rest.len())
    };
    let cells = figures(&shown, "Occupiers are charged, GBP");
    let (amounts, places): (Vec<i64>, Vec<usize>) = cells.iter().map(|cell| plain(cell)).unzip();
    assert_eq!(amounts, [pounds(now), pounds(then), pounds(&beside["difference"])]);
    assert!(cells[2].starts_with('+') && places.windows(2).all(|pair| pair[0] == pair[1]), "{cells:?}");
    assert_eq!(figures(&shown, "Calls").last().map(String::as_str), Some("0"));
}

#[tokio::test]
async fn an_exception_leads_to_its_call_with_both_sides_and_to_who_would_pay() {
    let (desk, ada) = london().await;
    let run = publish(&desk, &ada).await;
    let found = desk.get(&ada, &format!("/api/v1/months/2026-10/exceptions?run={run}")).await.expect(200).json();
    let groups = found["groups"].as_array().unwrap();
    let of = |reason: &str| groups.iter().find(|group| group["reason"] == reason).unwrap();
    // Paris is in the retail deck and not in the carrier's: Acme pays.
    let paris = of("rating.no_rate_for_destination");
    let payers: Vec<&Value> =
        groups.iter().flat_map(|group| group["payers"].as_array().into_iter().flatten()).collect();
    assert!(payers.iter().any(|payer| payer["id"] == "acme" && payer["occupier"] == true), "{found:#}");
    let shown = page(&desk, &ada, "/months/2026-10/exceptions").await;
    assert!(shown.contains("<a href=\"/occupiers/acme\">acme</a>"), "{shown}");
    let call = paris["first"]["call"].as_str().unwrap();
    let address = format!("/months/2026-10/calls/{call}?run={run}");
    assert!(shown.contains(&address.replace('&', "&#38;")), "{address}: {shown}");
    let shown = page(&desk, &ada, &address).await;
    for side in ["Occupiers are charged: ", "We are charged: "] {
        assert!(shown.contains(&format!("<h2>{side}")), "{side}: {shown}");
    }
    assert!(!shown.contains("You"), "{shown}");
    desk.get(&ada, &format!("/api/v1/months/2026-10/calls/{call}/explanation?run=nothing"))
        .await
        .refused(404, "publish.no_such_version");
    // A call of an occupier shows the operator both sides as well, the occupier its own alone.
    let rated = desk.get(&ada, "/api/v1/occupiers/acme/calls/2026-10?status=charged&limit=1").await.json();
    let rated = &rated["items"][0];
    let shown = page(&desk, &ada, &format!("/occupiers/acme/calls/2026-10/{}", rated["id"].as_str().unwrap())).await;
    let cost = words::money(rated["cost"].as_str().unwrap(), "GBP");
    assert!(shown.contains(&format!("<h2>Occupiers are charged: {cost}</h2>")), "{shown}");
    assert!(shown.contains("<h2>We are charged: ") && shown.contains("<a href=\"/occupiers/acme\">acme"), "{shown}");
    let ann = desk.portal(&ada, "acme").await;
    let own = page(&desk, &ann, &format!("/calls/2026-10/{}", rated["id"].as_str().unwrap())).await;
    assert!(own.contains("You: ") && !own.contains("We are charged"), "{own}");
    desk.ask(&ann, "GET", &address, None, &[HTML]).await.expect(403);
}
