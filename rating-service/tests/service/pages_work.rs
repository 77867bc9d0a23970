//! Pages about telephony, months and tariffs.

use serde_json::json;

use crate::desk::{Answer, Desk, Who};

const HTML: (&str, &str) = ("accept", "text/html");

async fn page(desk: &Desk, who: &Who, address: &str) -> Answer {
    desk.ask(who, "GET", address, None, &[HTML]).await
}

/// A form's fields as a browser sends them.
fn sent(fields: &[(&str, &str)]) -> String {
    let encoded = fields.iter().map(|(name, value)| {
        let text = |text: &str| rating_service::portal::api::part(text);
        format!("{}={}", text(name), text(value))
    });
    encoded.collect::<Vec<_>>().join("&")
}

/// The text of a page between two marks.
fn between<'p>(page: &'p str, from: &str, until: &str) -> &'p str {
    let (_, rest) = page.split_once(from).unwrap_or_else(|| panic!("no {from} in {page}"));
    rest.split_once(until).map_or(rest, |(found, _)| found)
}

/// The tag that a form of a page carries.
fn tag(page: &str, action: &str) -> String {
    let form = between(page, &format!("method=\"post\" action=\"{action}\""), "</form>");
    between(form, "name=\"tag\" value=\"", "\">").replace("&#34;", "\"").replace("&quot;", "\"")
}

/// Acme in London with two lines and ten numbers in the pool.
async fn london() -> (Desk, Who) {
    let (desk, ada) = Desk::set_up().await;
    desk.sites(&ada).await;
    desk.lease("acme", "ldn", "2026-01-01", 2).await;
    desk.provision(&ada, "ldn", "+442079460001", "+442079460009").await;
    (desk, ada)
}

#[tokio::test]
async fn numbers_are_allocated_and_activated_in_bulk_and_a_refused_one_says_why_beside_it() {
    let (desk, ada) = london().await;
    let here = "/sites/ldn/numbers";
    let allocate = sent(&[
        ("do", "allocate"),
        ("/allocate/holder", "acme"),
        ("/allocate/extension|opt", "2001"),
        ("number", "+442079460001"),
        ("number", "+442079460002"),
        ("number", "+442079460003"),
    ]);
    let answer = desk.form(&ada, here, &allocate).await.expect(303);
    let shown = page(&desk, &ada, answer.header("location")).await.expect(200).text();
    let row = between(&shown, "value=\"+442079460003\"", "</tr>");
    assert!(row.contains("reserved") && row.contains("acme Ltd") && row.contains("<td>2003</td>"), "{row}");
    // Two lines for three numbers: two are activated, the third says why not.
    let activate = sent(&[
        ("do", "activate"),
        ("number", "+442079460001"),
        ("number", "+442079460002"),
        ("number", "+442079460003"),
    ]);
    let shown = desk.form(&ada, here, &activate).await.expect(200).text();
    assert!(shown.contains("1 number was refused; 2 others were changed"), "{shown}");
    let row = between(&shown, "value=\"+442079460003\"", "</tr>");
    assert!(row.contains("reserved") && row.contains("class=\"fault\"") && row.contains("line"), "{row}");
    assert!(between(&shown, "value=\"+442079460002\"", "</tr>").contains("active"));
    // All together or none: nothing changes, and the one in the way says so.
    let none = format!(
        "{}&together=true",
        sent(&[("do", "deactivate"), ("number", "+442079460001"), ("number", "+442079460003"),])
    );
    let shown = desk.form(&ada, here, &none).await.expect(409).text();
    assert!(between(&shown, "value=\"+442079460001\"", "</tr>").contains("active"), "{shown}");
    assert!(between(&shown, "value=\"+442079460003\"", "</tr>").contains("class=\"fault\""), "{shown}");
    let inventory = desk.get(&ada, "/api/v1/sites/ldn/inventory").await.json();
    assert_eq!((&inventory["active"], &inventory["reserved"]), (&json!(2), &json!(1)));
    // Nothing ticked, and a holder that there is not.
    let shown = desk.form(&ada, here, "do=activate").await.expect(422).text();
    assert!(shown.contains("No number is ticked"), "{shown}");
    let nobody = sent(&[("do", "allocate"), ("/allocate/holder", ""), ("number", "+442079460005")]);
    let shown = desk.form(&ada, here, &nobody).await.expect(404).text();
    assert!(shown.contains("role=\"alert\""), "{shown}");
}

#[tokio::test]
async fn what_is_held_for_a_prospect_is_counted_listed_and_let_go() {
    let (desk, ada) = london().await;
    let hold = sent(&[
        ("do", "hold"),
        ("/hold/prospect", "birch"),
        ("/hold/until", "2026-12-01"),
        ("/hold/contracted_lines|int", "4"),
        ("number", "+442079460004"),
        ("number", "+442079460005"),
    ]);
    desk.form(&ada, "/sites/ldn/numbers?state=AVAILABLE", &hold).await.expect(303);
    let shown = page(&desk, &ada, "/sites/ldn/numbers?state=HELD").await.expect(200).text();
    assert!(shown.contains("+442079460005") && !shown.contains("value=\"+442079460006\""), "{shown}");
    let ranges = page(&desk, &ada, "/sites/ldn/ranges").await.expect(200).text();
    let held = between(&ranges, ">birch</th>", "</tr>");
    assert!(held.contains(">2</td>") && held.contains(">4</td>") && held.contains("1 December 2026, 00:00"), "{held}");
    let range = between(&ranges, ">+442079460001</a>", "</tr>");
    // Nine numbers, seven free, two held.
    assert!(range.contains("+442079460009") && range.contains(">9</td>") && range.contains(">7</td>"), "{range}");
    let more = sent(&[("/which/first", "+442079460020"), ("/which/last|opt", "+442079460010"), ("/kind", "ddi")]);
    let shown = desk.form(&ada, "/sites/ldn/ranges", &more).await.expect(422).text();
    assert!(shown.contains("id=\"which-last-fault\"") && shown.contains("does not come after"), "{shown}");
    let more = sent(&[("/which/first", "+442079460010"), ("/which/last|opt", "+442079460019"), ("/kind", "main")]);
    desk.form(&ada, "/sites/ldn/ranges", &more).await.expect(303);
    let ranges = desk.get(&ada, "/api/v1/sites/ldn/ranges").await.json();
    assert_eq!(ranges["items"][1]["total"], 10, "{ranges:#}");
    assert_eq!((&ranges["items"][1]["first"], &ranges["items"][1]["kind"]), (&json!("+442079460010"), &json!("main")));
}

#[tokio::test]
async fn a_file_of_numbers_is_looked_at_row_by_row_before_it_is_taken() {
    let (desk, ada) = london().await;
    let body = |asked: &str, rows: &str| {
        let part = |name: &str, file: &str, text: &str| {
            format!("--b\r\ncontent-disposition: form-data; name=\"{name}\"{file}\r\n\r\n{text}\r\n")
        };
        format!("{}{}--b--\r\n", part("file", "; filename=\"n.csv\"", rows), part(asked, "", "true")).into_bytes()
    };
    let media = "multipart/form-data; boundary=b";
    let rows = "number,last\r\n+442079460030,+442079460031\r\n020 7946,\r\n+442079460001,\r\n";
    let address = "/sites/ldn/ranges/import";
    let shown = desk.send(&ada, "POST", address, media, body("look", rows)).await.expect(200).text();
    assert!(shown.contains("2 rows or numbers are refused") && shown.contains("Nothing was changed"), "{shown}");
    assert!(between(&shown, ">+442079460031</th>", "</tr>").contains("would be added"), "{shown}");
    assert!(between(&shown, ">020 7946</th>", "</tr>").contains("class=\"fault\""), "{shown}");
    desk.get(&ada, "/api/v1/numbers/+442079460030").await.expect(404);
    let refused = desk.send(&ada, "POST", address, media, body("import", rows)).await.expect(409);
    assert!(refused.text().contains("number.some_refused") || refused.text().contains("row 3"), "{}", refused.text());
    let right = "number\r\n+442079460030\r\n";
    desk.send(&ada, "POST", address, media, body("import", right)).await.expect(303);
    desk.get(&ada, "/api/v1/numbers/+442079460030").await.expect(200);
}

#[tokio::test]
async fn a_main_number_is_configured_and_says_what_happens_at_a_time() {
    let (desk, ada) = london().await;
    let main = "+442079460001";
    desk.command(&ada, "ldn", &[main], json!({ "nominate": {} })).await.expect(200);
    let both = [main, "+442079460002"];
    desk.command(&ada, "ldn", &both, json!({ "allocate": { "holder": "acme" } })).await.expect(200);
    desk.command(&ada, "ldn", &both, json!({ "activate": {} })).await.expect(200);
    let here = "/sites/ldn/numbers/%2B442079460001/main";
    let shown = page(&desk, &ada, here).await.expect(200).text();
    let tag = tag(&shown, here);
    let fields = |mail: &str, number: &str| {
        sent(&[
            ("tag", &tag),
            ("/in_hours/target/kind", "hunt_group"),
            ("/in_hours/target/number|opt", ""),
            ("/in_hours/no_answer/after_s|int", "25"),
            ("/in_hours/no_answer/then/kind", "reception"),
            ("/greeting_in_hours|opt", "Acme, good morning"),
            ("/out_of_hours/target/kind", "forward"),
            ("/out_of_hours/target/number|opt", number),
            ("/out_of_hours/no_answer/after_s|int", "20"),
            ("/out_of_hours/no_answer/then/kind", "voicemail"),
            ("/voicemail_to_email|opt", mail),
            ("hunt", "only"),
            ("/hunt_group|list", ""),
            ("/hunt_group|list", "+442079460002"),
        ])
    };
    let shown = desk.form(&ada, here, &fields("nobody", "020 7946 0999")).await.expect(422).text();
    assert!(between(&shown, "id=\"out_of_hours-target-fault\"", "</span>").contains("is no number"), "{shown}");
    let shown = desk.form(&ada, here, &fields("nobody", "+442079460999")).await.expect(422).text();
    assert!(shown.contains("id=\"voicemail_to_email-fault\""), "{shown}");
    assert!(shown.contains("value=\"nobody\""), "what was typed stays: {shown}");
    desk.form(&ada, here, &fields("office@acme.example", "+442079460999")).await.expect(303);
    // Thursday noon on the site's clock, an hour ahead of UTC in October.
    let shown = page(&desk, &ada, &format!("{here}?at=2026-10-22T12:00")).await.expect(200).text();
    let said = between(&shown, "class=\"note\"", "</div>");
    assert!(said.contains("22 October 2026, 12:00, inside business hours: the hunt group rings"), "{said}");
    assert!(said.contains("if nobody answers within 25 seconds, reception is called"), "{said}");
    assert!(said.contains("Acme, good morning") && said.contains("until 22 October 2026, 18:00"), "{said}");
    let shown = page(&desk, &ada, &format!("{here}?at=2026-10-24T12:00")).await.expect(200).text();
    assert!(shown.contains("outside business hours: it is forwarded to +442079460999"), "{shown}");
    // A bank holiday closes the site; the hours drawn are those that hold.
    let holidays = sent(&[("/year|int", "2026"), ("/calendar|opt", "GB-ENG")]);
    desk.form(&ada, "/sites/ldn/schedule/holidays", &holidays).await.expect(303);
    let shown = page(&desk, &ada, &format!("{here}?at=2026-12-25T12:00")).await.expect(200).text();
    assert!(shown.contains("outside business hours"), "{shown}");
    assert!(shown.contains("Monday to Friday: 08:30 to 18:00; Saturday to Sunday: closed"), "{shown}");
    assert!(page(&desk, &ada, &format!("{here}?at=noon")).await.expect(200).text().contains("neither a day"));
    page(&desk, &ada, "/sites/nyc/numbers/%2B442079460001/main").await.expect(404);
}

#[tokio::test]
async fn hours_are_changed_day_by_day_and_a_wrong_one_says_so_at_its_day() {
    let (desk, ada) = london().await;
    let here = "/sites/ldn/schedule/hours";
    let shown = page(&desk, &ada, "/sites/ldn/schedule").await.expect(200).text();
    let tag = tag(&shown, here);
    let fields = |until: &str| {
        sent(&[
            ("tag", &tag),
            ("/monday/0/from", "09:00"),
            ("/monday/0/until", "12:00"),
            ("/tuesday/0/from", "09:00"),
            ("/tuesday/0/until", "12:00"),
            ("/tuesday/1/from", "11:30"),
            ("/tuesday/1/until", until),
        ])
    };
    let shown = desk.form(&ada, here, &fields("17:00")).await.expect(422).text();
    assert!(between(&shown, ">Tuesday</th>", "</tr>").contains("overlaps"), "{shown}");
    assert!(!between(&shown, ">Monday</th>", "</tr>").contains("fault"), "{shown}");
    let right = fields("17:00").replace("11%3A30", "13%3A00");
    desk.form(&ada, here, &right).await.expect(303);
    let hours = desk.get(&ada, "/api/v1/sites/ldn/business-hours").await.json();
    assert_eq!(hours["weekly"].as_array().unwrap().len(), 3, "{hours:#}");
    let event = sent(&[
        ("/name", "Fire drill"),
        ("/from", "2026-11-05"),
        ("from-time", "11:30"),
        ("/until", "2026-11-05"),
        ("until-time", "12:30"),
    ]);
    desk.form(&ada, "/sites/ldn/schedule/events", &event).await.expect(303);
    let days = sent(&[("/name", "Refit"), ("/from", "2026-11-07"), ("/until", "2026-11-08")]);
    desk.form(&ada, "/sites/ldn/schedule/events", &days).await.expect(303);
    let events = desk.get(&ada, "/api/v1/sites/ldn/schedule").await.json();
    assert_eq!(events["items"][0]["until"], "2026-11-05T12:30", "{events:#}");
    assert_eq!(events["items"][1]["until"], "2026-11-09", "the last day is closed as well: {events:#}");
    let shown = page(&desk, &ada, "/sites/ldn/schedule").await.expect(200).text();
    assert!(between(&shown, ">Refit</th>", "</tr>").contains("8 November 2026"), "{shown}");
    let id = events["items"][0]["id"].as_str().unwrap();
    desk.form(&ada, &format!("/sites/ldn/schedule/events/{id}/remove"), "").await.expect(303);
    assert_eq!(desk.get(&ada, "/api/v1/sites/ldn/schedule").await.json()["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_numbers_page_shows_who_held_it_and_a_pin_once() {
    let (desk, ada) = london().await;
    let number = ["+442079460001"];
    desk.command(&ada, "ldn", &number, json!({ "allocate": { "holder": "acme" } })).await.expect(200);
    let here = "/sites/ldn/numbers/%2B442079460001";
    desk.form(&ada, here, "do=activate").await.expect(303);
    let shown = desk.form(&ada, here, "do=deallocate").await.expect(409).text();
    assert!(shown.contains("role=\"alert\"") && shown.contains("deactivate"), "{shown}");
    let shown = desk.form(&ada, &format!("{here}/pin"), "").await.expect(200).text();
    let pin = between(&shown, "The new PIN is <b>", "</b>").to_owned();
    assert!(pin.len() == 6 && pin.bytes().all(|byte| byte.is_ascii_digit()), "{pin}");
    let shown = page(&desk, &ada, here).await.expect(200).text();
    assert!(!shown.contains(&format!("<b>{pin}</b>")), "{shown}");
    assert!(between(&shown, "Who held it</h2>", "</table>").contains("acme Ltd"), "{shown}");
    let action = format!("{here}/features");
    let form = sent(&[("tag", &tag(&shown, &action)), ("/forward_busy|opt", "12"), ("/voicemail|bool", "")]);
    let shown = desk.form(&ada, &action, &form).await.expect(422).text();
    assert!(shown.contains("id=\"forward_busy-fault\""), "{shown}");
    let shown = desk.form(&ada, &format!("{here}/code"), "do=set&code=12").await.expect(422).text();
    assert!(shown.contains("four to ten digits"), "{shown}");
    desk.form(&ada, &format!("{here}/code"), "do=set&code=1234").await.expect(303);
    page(&desk, &ada, "/sites/nyc/numbers/%2B442079460001").await.expect(404);
}

/// Waits until nothing of October runs; gives the month's page.
async fn october(desk: &Desk, who: &Who) -> String {
    for _ in 0..600 {
        let shown = page(desk, who, "/months/2026-10").await.expect(200).text();
        if !shown.contains("data-progress") {
            return shown;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("the run does not end");
}

/// The text that a row of a page's table ends with, by what it begins with.
fn figure<'p>(page: &'p str, name: &str) -> &'p str {
    let row = between(page, &format!(">{name}</th>"), "</tr>");
    between(row, "<td class=\"number\">", "</td>")
}

#[tokio::test]
async fn a_month_goes_from_uploaded_files_to_the_books_through_pages_alone() {
    let (desk, ada) = crate::months::london_without_calls().await;
    let here = "/months/2026-10";
    let months = page(&desk, &ada, "/months").await.expect(200).text();
    assert!(between(&months, ">October 2026</a>", "</tr>").contains("Upload the switches"), "{months}");
    // The file comes by a form, as of browsers without a script.
    let mut body =
        b"--b\r\ncontent-disposition: form-data; name=\"month\"\r\n\r\n2026-10\r\n--b\r\ncontent-disposition: \
        form-data; name=\"file\"; filename=\"Master-2026-10.csv\"\r\n\r\n"
            .to_vec();
    body.extend(crate::months::demo("cdr/ldn/Master-2026-10.csv"));
    body.extend(b"\r\n--b--\r\n");
    let media = "multipart/form-data; boundary=b";
    let answer = desk.send(&ada, "POST", "/sources/ldn-pbx/files", media, body.clone()).await.expect(303);
    assert_eq!(answer.header("location"), "/months/2026-10?said=file-kept");
    let files = desk.get(&ada, "/api/v1/sources/ldn-pbx/files").await.json();
    let bytes = crate::months::demo("cdr/ldn/Master-2026-10.csv").len();
    assert_eq!(
        (&files["items"][0]["name"], &files["items"][0]["bytes"]),
        (&json!("Master-2026-10.csv"), &json!(bytes))
    );
    let other = String::from_utf8(body).unwrap().replacen("2026-10-", "2026-11-", 1).into_bytes();
    let shown = desk.send(&ada, "POST", "/sources/ldn-pbx/files", media, other).await.expect(409).text();
    assert!(shown.contains("publish.file_exists") || shown.contains("Master-2026-10.csv"), "{shown}");
    // Checked, looked at, approved, published.
    let found = desk.form(&ada, here, "do=look").await.expect(200).text();
    assert!(found.contains("in settings, directory and tariffs"), "{found}");
    desk.form(&ada, here, "do=check").await.expect(303);
    let draft = october(&desk, &ada).await;
    assert!(draft.contains("waits for approval") && draft.contains("Approve these figures"), "{draft}");
    let month = desk.get(&ada, "/api/v1/months/2026-10").await.json();
    let run = month["runs"][0]["run"].as_str().unwrap().to_owned();
    let retail = month["runs"][0]["totals"]["retail"]["GBP"].as_str().unwrap().to_owned();
    let retail = rating_service::portal::words::money(&retail, "GBP");
    assert_eq!(figure(&draft, "Occupiers are charged, GBP"), retail);
    desk.form(&ada, here, &sent(&[("do", "publish"), ("run", &run)])).await.expect(409);
    desk.form(&ada, here, &sent(&[("do", "approve"), ("run", &run)])).await.expect(303);
    assert!(october(&desk, &ada).await.contains("Publish October 2026"));
    desk.form(&ada, here, &sent(&[("do", "publish"), ("run", &run)])).await.expect(303);
    let shown = october(&desk, &ada).await;
    assert!(shown.contains("id=\"force\">In force") && shown.contains("by Ada"), "{shown}");
    // The figures are the published control totals, and those add up to the report.
    let month = desk.get(&ada, "/api/v1/months/2026-10").await.json();
    assert_eq!(month["in_force"], json!(run));
    let totals = &month["runs"][0]["totals"];
    for (name, of) in
        [("Records read", "records"), ("Calls", "calls"), ("charged", "rated"), ("suspended", "suspended")]
    {
        let figure = figure(&shown, name).replace(',', "");
        assert_eq!(figure, totals[of].as_u64().unwrap().to_string(), "{name}");
    }
    assert_eq!(figure(&shown, "Occupiers are charged, GBP"), retail);
    let address = "/api/v1/reports/download?month=2026-10&site=ldn&report=call-charges&format=machine-csv";
    assert!(shown.contains(&address.replace('&', "&#38;")), "{shown}");
    desk.get(&ada, address).await.expect(200);
    // Closed, and opened again with a reason only.
    desk.form(&ada, here, "do=close&note=all+there").await.expect(303);
    assert!(october(&desk, &ada).await.contains("Open it again"));
    let shown = desk.form(&ada, here, "do=reopen&note=").await;
    assert!(shown.status.is_client_error() && shown.text().contains("role=\"alert\""), "{}", shown.text());
    desk.form(&ada, here, "do=reopen&note=a+late+file").await.expect(303);
    assert!(october(&desk, &ada).await.contains("Close October 2026"));
}

#[tokio::test]
async fn a_mistake_is_shown_with_its_place_and_the_way_to_where_it_is_mended() {
    let (desk, ada) = crate::months::london_without_calls().await;
    let broken = b"id = \"retail-gb\"\ncurency = \"GBP\"\n".to_vec();
    let path = "/api/v1/files/tariffs/retail-gb.toml";
    desk.send(&ada, "PUT", path, "application/octet-stream", broken).await.expect(200);
    desk.form(&ada, "/months/2026-10", "do=check").await.expect(303);
    let shown = october(&desk, &ada).await;
    assert!(shown.contains("The last run was not made"), "{shown}");
    let found = between(&shown, "<code>tariffs/retail-gb.toml:2:1</code>", "</tr>");
    assert!(found.contains("href=\"/tariffs\""), "{found}");
    // November is not over: there is no check, and the page says what there is.
    let shown = page(&desk, &ada, "/months/2026-11").await.expect(200).text();
    assert!(shown.contains("Make a preview") && !shown.contains("value=\"check\""), "{shown}");
    let shown = desk.form(&ada, "/months/2026-11", "do=check").await.expect(409).text();
    assert!(shown.contains("is not over at every site"), "{shown}");
}

#[tokio::test]
async fn sources_limits_and_gaps_are_set_on_pages() {
    let (desk, ada) = london().await;
    let source = |format: &str, further: &str| {
        sent(&[
            ("/id", "ldn-pbx"),
            ("/site", "ldn"),
            ("/settings/format", format),
            ("/settings/zone", "Europe/London"),
            ("/settings/further", further),
        ])
    };
    let shown = desk.form(&ada, "/sources", &source("asterisk", "trunks = [")).await.expect(422).text();
    assert!(shown.contains("id=\"settings-further-fault\""), "{shown}");
    let answer = desk.form(&ada, "/sources", &source("asterisk", "trunks = [\"PJSIP/c*\"]")).await.expect(303);
    assert_eq!(answer.header("location"), "/sources/ldn-pbx?said=saved");
    let shown = page(&desk, &ada, "/sources/ldn-pbx").await.expect(200).text();
    let tag = tag(&shown, "/sources/ldn-pbx");
    let changed = format!("{}&{}", source("mitel-3300", ""), sent(&[("tag", &tag)]));
    desk.form(&ada, "/sources/ldn-pbx", &changed).await.expect(303);
    desk.form(&ada, "/sources/ldn-pbx", &changed).await.expect(412);
    assert_eq!(desk.get(&ada, "/api/v1/sources/ldn-pbx").await.json()["settings"]["format"], "mitel-3300");
    let here = "/months/settings";
    let gap = sent(&[("do", "gap"), ("/gap", "ldn-pbx:sequence:12-14"), ("/reason", "the switch was off")]);
    desk.form(&ada, here, &gap).await.expect(303);
    let shown = page(&desk, &ada, here).await.expect(200).text();
    let row = between(&shown, "ldn-pbx:sequence:12-14</code>", "</tr>");
    assert!(row.contains("the switch was off") && row.contains("Ada"), "{row}");
    let tag = between(&shown, "name=\"tag\" value=\"", "\">").replace("&#34;", "\"").replace("&quot;", "\"");
    let limits = |share: &str| sent(&[("do", "limits"), ("tag", &tag), ("/suspended", share), ("/rejected", "")]);
    let shown = desk.form(&ada, here, &limits("much")).await.expect(422).text();
    assert!(shown.contains("id=\"suspended-fault\""), "{shown}");
    desk.form(&ada, here, &limits("0.5%")).await.expect(303);
    assert_eq!(desk.get(&ada, "/api/v1/project/limits").await.json()["suspended"], "0.5%");
}

#[tokio::test]
async fn a_decks_dry_run_shows_the_rows_that_change_before_it_is_kept() {
    let (desk, ada) = crate::months::london().await;
    let deck = String::from_utf8(crate::months::demo("tariffs/retail-gb.csv")).unwrap();
    // Mobiles cost half a penny more by day.
    let changed = deck.replace("447,UK mobile,mobile,9,", "447,UK mobile,mobile,9.5,");
    assert_ne!(changed, deck);
    let media = "multipart/form-data; boundary=b";
    let sent = |name: &str, file: &str, text: &str| {
        format!("--b\r\ncontent-disposition: form-data; name=\"{name}\"{file}\r\n\r\n{text}\r\n--b--\r\n").into_bytes()
    };
    let body = sent("file", "; filename=\"retail-gb.csv\"", &changed);
    let shown = desk.send(&ada, "POST", "/tariffs/drafts", media, body).await.expect(200).text();
    assert!(shown.contains("1 row changes, 0 are new, 0 go"), "{shown}");
    let line = between(&shown, "<th scope=\"row\">447", "</tr>");
    assert!(line.contains("changed") && line.contains("0.09 per 60s") && line.contains("0.095 per 60s"), "{line}");
    let path = "/api/v1/files/tariffs/retail-gb.csv";
    assert_eq!(desk.get(&ada, path).await.expect(200).body, deck.as_bytes(), "nothing was kept");
    // What the page carries is what is kept, to the byte.
    let carried = between(&shown, "name=\"draft:retail-gb.csv\" value=\"", "\">");
    let carried = carried.replace("&#34;", "\"").replace("&#38;", "&").replace("&#39;", "'");
    assert!(!carried.contains('\n'), "browsers change ends of lines");
    let body = sent("draft:retail-gb.csv", "", &carried);
    desk.send(&ada, "POST", "/tariffs/drafts/keep", media, body).await.expect(303);
    assert_eq!(desk.get(&ada, path).await.expect(200).text(), changed);
    // One that cannot be used says where, and cannot be kept.
    let body = sent("file", "; filename=\"retail-gb.csv\"", "prefix,destination\n44,UK\n");
    let shown = desk.send(&ada, "POST", "/tariffs/drafts", media, body).await.expect(200).text();
    assert!(shown.contains("They cannot be used as they are") && !shown.contains("Keep 1 file"), "{shown}");
    assert!(shown.contains("<code>retail-gb.csv"), "{shown}");
}

#[tokio::test]
async fn a_call_is_priced_with_what_decides_and_what_lost() {
    let (desk, ada) = crate::months::london().await;
    let asked =
        "/tariffs/price?site=ldn&occupier=acme&number=%2B442079460958&duration_s=61&answered_at=2026-10-05T12:00";
    let shown = page(&desk, &ada, asked).await.expect(200).text();
    let body = json!({ "site": "ldn", "occupier": "acme", "number": "+442079460958", "duration_s": 61,
        "answered_at": "2026-10-05T12:00:00+01:00" });
    let quoted = desk.post(&ada, "/api/v1/quotes", body).await.expect(200).json();
    let charge = quoted["charge"].as_str().unwrap();
    assert!(between(&shown, "class=\"note\"", "</div>").contains(&format!("{charge} GBP")), "{shown}");
    assert!(between(&shown, "<pre", "</pre>").contains("decides"), "{shown}");
    assert!(shown.contains("value=\"+442079460958\""), "what was asked stays: {shown}");
    let shown = page(&desk, &ada, &asked.replace("acme", "nobody")).await.expect(404).text();
    assert!(shown.contains("role=\"alert\""), "{shown}");
}

#[tokio::test]
async fn what_was_not_rated_leads_to_where_it_is_mended() {
    let (desk, ada) = crate::months::london().await;
    desk.form(&ada, "/months/2026-10", "do=check").await.expect(303);
    october(&desk, &ada).await;
    let found = desk.get(&ada, "/api/v1/months/2026-10/exceptions").await.expect(200).json();
    let groups = found["groups"].as_array().unwrap();
    assert!(!groups.is_empty());
    let shown = page(&desk, &ada, "/months/2026-10/exceptions").await.expect(200).text();
    for group in groups {
        assert!(shown.contains(group["reason"].as_str().unwrap()), "{group:#}");
    }
    // The same matter on both sides is one row.
    let work = groups.iter().filter(|group| group["needs_action"] == json!(true));
    let matter = |group: &serde_json::Value| {
        ["kind", "reason", "site", "source", "key_kind", "key"].map(|name| group[name].to_string())
    };
    let work = work.map(matter).collect::<std::collections::BTreeSet<_>>().len();
    let rows = shown.split_once("<h2>To be done</h2>").unwrap().1.split("<h2>").next().unwrap().matches("<tr>").count();
    assert_eq!(rows.saturating_sub(1), work, "a row each, and the heading: {shown}");
    // A second check after a change: the versions are compared.
    let first = found["run"].as_str().unwrap();
    desk.form(&ada, "/months/2026-10", &sent(&[("do", "approve"), ("run", first)])).await.expect(303);
    desk.form(&ada, "/months/2026-10", &sent(&[("do", "publish"), ("run", first)])).await.expect(303);
    october(&desk, &ada).await;
    let settings =
        json!({ "side": "retail", "payer": "acme", "site": "ldn", "tariff": "wholesale-gb", "from": "2026-10-01" });
    desk.post(&ada, "/api/v1/assignments", settings).await.expect(201);
    desk.form(&ada, "/months/2026-10", "do=check").await.expect(303);
    let draft = october(&desk, &ada).await;
    assert!(draft.contains("Version before"), "{draft}");
    let shown = page(&desk, &ada, "/months/2026-10/comparison").await.expect(200).text();
    let compared = desk.get(&ada, "/api/v1/months/2026-10/comparison").await.expect(200).json();
    assert!(compared["changed"].as_u64().unwrap() > 0, "{compared:#}");
    let difference = compared["totals"][0]["difference"].as_str().unwrap();
    assert!(shown.contains(&rating_service::portal::words::grouped(difference)), "{shown}");
}
