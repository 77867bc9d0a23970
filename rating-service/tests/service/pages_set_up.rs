//! Pages of the set-up and of the people of sites: what a first user stumbled over.

use rating_service::portal::api::part;
use serde_json::json;

use crate::desk::{Desk, LEVEL, Who};
use crate::months::{london, publish, until_done};
use crate::pages_months::{between, page, sent};

#[tokio::test]
async fn rule_76_without_a_sync_the_contact_is_typed_until_a_sync_brings_it() {
    let (desk, ada) = Desk::set_up().await;
    desk.sites(&ada).await;
    desk.lease("acme", "ldn", "2026-01-01", 2).await;
    let shown = page(&desk, &ada, "/occupiers/acme/portal").await;
    assert!(shown.contains("href=\"/occupiers/acme#contact\""), "{shown}");
    let typed = |email: &str| sent(&[("/contact/name", "Wile"), ("/contact/email", email), ("/contact/phone", "")]);
    let refused = desk.form(&ada, "/occupiers/acme/contact", &typed("nobody")).await.expect(422).text();
    assert!(refused.contains("id=\"contact-email-fault\"") && refused.contains("value=\"nobody\""), "{refused}");
    desk.form(&ada, "/occupiers/acme/contact", &typed("wile@acme.example")).await.expect(303);
    let shown = page(&desk, &ada, "/occupiers/acme").await;
    assert!(shown.contains("value=\"wile@acme.example\"") && shown.contains("Typed here"), "{shown}");
    // The first administrator is typed as well, and the mail goes out.
    let first = sent(&[
        ("/level/summary_charges|bool", "true"),
        ("/level/itemised_calls|bool", "true"),
        ("/level/usage_to_date|bool", "true"),
        ("/level/allowance_left|bool", ""),
        ("/level/called_numbers", "masked"),
        ("/administrator/name", "Ann"),
        ("/administrator/email", "ann@acme.example"),
    ]);
    desk.form(&ada, "/occupiers/acme/portal/activate", &first).await.expect(303);
    desk.follow_link_to("ann@acme.example").await;
    // Who is limited to sites does not say it.
    let limited = desk.operator_user(&ada, "operator_user", Some(&["ldn"])).await;
    let body = json!({ "name": "Eve", "email": "eve@example.com" });
    let put = async |who: &Who, body: &serde_json::Value| {
        desk.ask(who, "PUT", "/api/v1/occupiers/acme/contact", Some(body.clone()), &[]).await
    };
    put(&limited, &body).await.refused(403, "auth.not_allowed");
    // A sync takes it over, and then nobody types it.
    let account = desk.get(&ada, "/api/v1/occupiers/acme").await.json();
    let mut settings = account["settings"].clone();
    settings["external_identifiers"] = json!([{ "system": "crm", "identifier": "17" }]);
    desk.put(&ada, "/api/v1/occupiers/acme", settings).await.expect(200);
    let sync = desk.token(&ada, &["sync"], None).await;
    let brought = json!({ "name": "acme Ltd", "contact": { "name": "Rita", "email": "rita@acme.example" } });
    desk.ask(&sync, "PUT", "/api/v1/occupiers/by-external-id/crm/17", Some(brought), &[]).await.expect(200);
    put(&ada, &body).await.refused(409, "occupier.contact_synced");
    let contact = desk.get(&ada, "/api/v1/occupiers/acme").await.json()["contact"].clone();
    assert_eq!((&contact["email"], &contact["by_hand"]), (&json!("rita@acme.example"), &json!(false)));
    let shown = page(&desk, &ada, "/occupiers/acme").await;
    assert!(shown.contains("The customer system brings it") && !shown.contains("/occupiers/acme/contact"), "{shown}");
}

#[tokio::test]
async fn what_settings_name_is_checked_when_they_are_saved_and_what_is_known_is_offered() {
    let (desk, ada) = Desk::set_up().await;
    let known = desk.get(&ada, "/api/v1/known").await.expect(200).json();
    let has = |list: &str, one: &str| known[list].as_array().unwrap().contains(&json!(one));
    assert!(has("countries", "GB") && has("zones", "Europe/London") && has("formats", "asterisk"), "{known:#}");
    assert!(has("calendars", "GB-ENG"), "{known:#}");
    let site = |country: &str, calendar: &str| {
        let settings = json!({ "name": "Paris", "zone": "Europe/Paris", "country": country, "holidays": [calendar] });
        json!({ "id": "par", "settings": settings })
    };
    for (country, calendar, field, code, named) in [
        ("XX", "FR", "/country", "field.country_unknown", "GB"),
        ("FR", "FRANCE", "/holidays/0", "field.calendar_unknown", "GB-ENG"),
    ] {
        let refused = desk.post(&ada, "/api/v1/sites", site(country, calendar)).await.expect(422).json();
        let fault = refused["errors"].as_array().unwrap().iter().find(|fault| fault["code"] == code);
        let fault = fault.unwrap_or_else(|| panic!("{refused:#}"));
        assert_eq!(fault["field"], field);
        assert!(fault["help"].as_str().unwrap().contains(named), "{fault:#}");
    }
    desk.sites(&ada).await;
    let shown = page(&desk, &ada, "/sites/new").await;
    assert!(between(&shown, "id=\"country\"", "</select>").contains("<option>GB</option>"), "{shown}");
    assert!(between(&shown, "<datalist id=\"known-zones\">", "</datalist>").contains("Europe/Paris"), "{shown}");
    let source =
        sent(&[("/id", "pbx"), ("/site", "ldn"), ("/settings/format", "asterix"), ("/settings/zone", "Europe/London")]);
    let refused = desk.form(&ada, "/sources", &source).await.expect(422).text();
    assert!(between(&refused, "id=\"settings-format-fault\">", "</span>").contains("asterisk, "), "{refused}");
    desk.form(&ada, "/sources", &source.replace("asterix", "asterisk")).await.expect(303);
    let shown = page(&desk, &ada, "/sources/pbx").await;
    assert!(
        between(&shown, "id=\"settings-format\"", "</select>").contains("<option selected>asterisk</option>"),
        "{shown}"
    );
}

#[tokio::test]
async fn a_service_that_would_begin_in_the_past_says_beside_its_day_how_to_go_on() {
    let (desk, ada) = Desk::set_up().await;
    desk.sites(&ada).await;
    desk.product(&ada, "ldn", 2).await;
    desk.lease("acme", "ldn", "2026-01-01", 0).await;
    let from = |day: &str| sent(&[("/product", "voice"), ("/quantity|int", "1"), ("/from|opt", day)]);
    let shown = desk.form(&ada, "/occupiers/acme/setup/ldn", &from("2026-01-01")).await.expect(422).text();
    let fault = between(&shown, "id=\"from-fault\">", "</span>");
    assert!(fault.contains("with no day at all it begins"), "{fault}");
    desk.form(&ada, "/occupiers/acme/setup/ldn", &from("")).await.expect(303);
    // Services are called what people call them.
    let shown = page(&desk, &ada, "/occupiers/acme/services").await;
    assert!(between(&shown, "aria-label=\"Services\"", "</table>").contains(">Voice</a>"), "{shown}");
}

#[tokio::test]
async fn the_people_of_a_site_have_its_reports_and_its_tariffs_and_no_other() {
    let (desk, ada) = london().await;
    publish(&desk, &ada).await;
    let settings = json!({ "name": "New York", "zone": "America/New_York", "country": "US", "area_code": "212" });
    desk.post(&ada, "/api/v1/sites", json!({ "id": "nyc", "settings": settings })).await.expect(201);
    let london = desk.operator_user(&ada, "operator_user", Some(&["ldn"])).await;
    let york = desk.operator_user(&ada, "operator_user", Some(&["nyc"])).await;
    let shown = page(&desk, &london, "/reports").await;
    assert!(shown.contains("href=\"/reports\" aria-current=\"page\"") && shown.contains("October 2026"), "{shown}");
    let address = between(&shown, "<a class=\"format\" href=\"", "\"").replace("&#38;", "&");
    assert!(address.contains("site=ldn"), "{address}");
    desk.get(&london, &address).await.expect(200);
    desk.get(&york, &address).await.expect(404);
    assert!(!page(&desk, &york, "/reports").await.contains("site=ldn"));
    let tariffs = async |who: &Who| {
        let found = desk.get(who, "/api/v1/tariffs").await.expect(200).json();
        let all = found["items"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned());
        all.collect::<Vec<_>>()
    };
    assert_eq!(tariffs(&london).await, ["retail-gb", "wholesale-gb"]);
    assert_eq!(tariffs(&york).await, [] as [String; 0]);
    assert!(page(&desk, &york, "/tariffs").await.contains("No tariff is used at your sites yet"));
    let shown = page(&desk, &london, "/tariffs").await;
    assert!(between(&shown, ">retail-gb, GBP<", "</tr>").contains("London, Harbour House"), "{shown}");
}

#[tokio::test]
async fn the_running_month_says_once_that_it_is_not_over_and_offers_what_its_preview_has() {
    let (desk, ada) = london().await;
    let shown = page(&desk, &ada, "/months/2026-11").await;
    let reports = between(&shown, "id=\"reports\"", "</section>");
    assert_eq!(reports.matches("November").count() + reports.matches("2026-11").count(), 1, "{reports}");
    desk.form(&ada, "/months/2026-11", "do=preview").await.expect(303);
    until_done(&desk, &ada, "2026-11").await;
    let shown = page(&desk, &ada, "/months/2026-11").await;
    let reports = between(&shown, "id=\"reports\"", "</section>");
    assert!(reports.contains("Provisional."), "{reports}");
    let address = between(reports, "<a class=\"format\" href=\"", "\"").replace("&#38;", "&");
    assert!(address.contains("preview=true"), "{address}");
    desk.get(&ada, &address).await.expect(200);
}

#[tokio::test]
async fn calls_are_found_by_numbers_as_people_write_them() {
    let (desk, ada) = london().await;
    publish(&desk, &ada).await;
    let ann = desk.portal(&ada, "acme").await;
    let found = async |search: &str| {
        let address = format!("/api/v1/occupiers/acme/calls/2026-10?search={}", part(search));
        let found = desk.get(&ann, &address).await.expect(200).json();
        let ids = found["items"].as_array().unwrap().iter().map(|call| call["id"].as_str().unwrap().to_owned());
        ids.collect::<Vec<_>>()
    };
    let all = desk.get(&ann, "/api/v1/occupiers/acme/calls/2026-10").await.json();
    let is_national = |call: &&serde_json::Value| {
        call["direction"] == "outbound" && call["called"].as_str().is_some_and(|to| to.starts_with("+44"))
    };
    let call = all["items"].as_array().unwrap().iter().find(is_national).unwrap();
    let (number, id) = (call["called"].as_str().unwrap(), call["id"].as_str().unwrap().to_owned());
    let national = format!("0{} {}", &number[3..6], &number[6..]);
    let plain = found(number).await;
    assert!(plain.contains(&id) && plain.len() < all["items"].as_array().unwrap().len());
    assert_eq!(found(&national).await, plain, "{national}");
    // What the switch calls a call is found by its beginning, and is no haystack of digits.
    let name = call["call_id"].as_str().unwrap();
    assert!(found(name).await.contains(&id));
    assert!(!found(&name[1..]).await.contains(&id) || number.contains(&name[1..]), "{name}");
    let mut level = LEVEL.clone();
    level["called_numbers"] = json!("masked");
    desk.put(&ada, "/api/v1/occupiers/acme/portal", level).await.expect(200);
    let masked = desk.get(&ann, "/api/v1/occupiers/acme/calls/2026-10").await.json();
    let masked = masked["items"].as_array().unwrap().iter().find(|call| call["id"] == json!(id)).unwrap();
    let masked = masked["called"].as_str().unwrap();
    assert!(masked.ends_with("xxx") && found(masked).await.contains(&id), "as it is shown: {masked}");
}
