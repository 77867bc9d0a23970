//! The pages of an occupier's people: the figures of the reports, no more than is opened to who looks, and the same rights as over
//! the interface.

use std::collections::BTreeMap;

use rating_service::portal::api::part;
use rating_service::portal::chart;
use rating_service::publish::decimal::units;
use serde_json::{Value, json};

use crate::desk::{Answer, Desk, LEVEL, PASSWORD, Who};
use crate::months::{london, publish, until_done};

const HTML: (&str, &str) = ("accept", "text/html");
const NUMBER: &str = "+442079460101";

/// London with October published; the operator's administrator, and that of acme, who sees everything.
async fn published() -> (Desk, Who, Who) {
    let (desk, ada) = london().await;
    publish(&desk, &ada).await;
    let ann = desk.portal(&ada, "acme").await;
    (desk, ada, ann)
}

/// A page.
async fn page(desk: &Desk, who: &Who, address: &str) -> String {
    let answer = desk.ask(who, "GET", address, None, &[HTML]).await.expect(200);
    assert!(answer.header("content-type").starts_with("text/html"), "{address}");
    answer.text()
}

async fn refused(desk: &Desk, who: &Who, address: &str) -> u16 {
    desk.ask(who, "GET", address, None, &[HTML]).await.status.as_u16()
}

/// Fields as a browser sends them.
fn form(fields: &[(&str, &str)]) -> String {
    let pairs: Vec<String> = fields.iter().map(|(name, value)| format!("{}={}", part(name), part(value))).collect();
    pairs.join("&")
}

/// Where a form that was accepted leads to.
#[track_caller]
fn led(answer: Answer) -> String {
    answer.expect(303).header("location").to_owned()
}

/// The tag that the form of an address carries.
fn tag(page: &str, address: &str) -> String {
    let form = page.split_once(&format!("action=\"{address}\"")).unwrap_or_else(|| panic!("{address}: {page}")).1;
    let rest = form.split_once("name=\"tag\" value=\"").unwrap().1;
    rest.split_once('"').unwrap().0.replace("&#34;", "\"")
}

/// A text without its marks, as it is read.
fn read(html: &str) -> String {
    let mut text = String::new();
    let mut in_mark = false;
    for c in html.chars() {
        match c {
            '<' => in_mark = true,
            '>' => in_mark = false,
            c if !in_mark => text.push(c),
            _ => {}
        }
    }
    let text = text.replace("&#38;", "&").replace("&#39;", "'").replace("&#34;", "\"");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The cells of the table of that label, row by row, without its head.
fn table(page: &str, label: &str) -> Vec<Vec<String>> {
    let region = page
        .split_once(&format!("role=\"region\" aria-label=\"{label}\""))
        .unwrap_or_else(|| panic!("{label}: {page}"))
        .1;
    let body = region.split_once("<tbody>").unwrap().1.split_once("</table>").unwrap().0;
    let rows = body.split("<tr>").skip(1).map(|row| {
        let row = row.replace("<td", "\u{1}<td").replace("<th ", "\u{1}<th ");
        row.split('\u{1}').skip(1).map(|cell| read(cell.split("<span class=\"hint\">").next().unwrap())).collect()
    });
    rows.collect()
}

/// The figures that the chart of that name holds.
fn figures(page: &str, name: &str) -> Vec<String> {
    let chart =
        page.split_once(&format!("role=\"img\" aria-label=\"{name}")).unwrap_or_else(|| panic!("{name}: {page}")).1;
    let chart = chart.split_once("</svg>").unwrap().0;
    chart.split("<title>").skip(1).map(|rest| rest.split_once("</title>").unwrap().0.to_owned()).collect()
}

/// The addresses that links of a page lead to, as far as they begin like this.
fn links(page: &str, begin: &str) -> Vec<String> {
    let all = page.split("href=\"").skip(1).map(|rest| rest.split_once('"').unwrap().0.replace("&#38;", "&"));
    all.filter(|address| address.starts_with(begin)).collect()
}

/// The rows of a report of acme in October, cell by column.
async fn report(desk: &Desk, who: &Who, report: &str) -> Vec<BTreeMap<String, String>> {
    let address =
        format!("/api/v1/occupiers/acme/reports/download?month=2026-10&site=ldn&format=machine-csv&report={report}");
    let body = desk.get(who, &address).await.expect(200).body;
    csv::Reader::from_reader(body.as_slice()).deserialize().map(Result::unwrap).collect()
}

/// Another level of information for acme.
async fn level(desk: &Desk, ada: &Who, change: Value) {
    let mut level = LEVEL.clone();
    for (key, value) in change.as_object().unwrap() {
        level[key] = value.clone();
    }
    desk.put(ada, "/api/v1/occupiers/acme/portal", level).await.expect(200);
}

/// An amount in pounds as it is read, in units of 10⁻¹², with the zeros that it was filled up with.
#[track_caller]
fn pounds(text: &str) -> i128 {
    units(&text.strip_suffix(" GBP").unwrap_or_else(|| panic!("{text}")).replace(',', "")).expect("a number")
}

#[tokio::test]
async fn the_figures_of_the_page_are_those_of_the_downloads() {
    let (desk, ada, ann) = published().await;
    let home = page(&desk, &ann, "/").await;
    assert!(home.contains("Call charges, October 2026"), "the last complete month: {home}");
    let destinations = report(&desk, &ann, "destinations").await;
    let total = destinations.iter().find(|row| row["row"] == "total").unwrap();
    let total = ("Total".to_owned(), total["calls"].clone(), units(&total["cost"]).expect("a number"));
    let summary = report(&desk, &ann, "extension-summary").await;
    for (rows, key, calls, label) in [
        (&destinations, "destination", "calls", "Charges by destination"),
        (&summary, "extension", "billable_calls", "Charges by extension"),
    ] {
        let of_key = rows.iter().filter(|row| row["row"] == key);
        let mut expected: Vec<(String, String, i128)> =
            of_key.map(|row| (row[key].clone(), row[calls].clone(), units(&row["cost"]).expect("a number"))).collect();
        let mut found: Vec<(String, String, i128)> =
            table(&home, label).into_iter().map(|row| (row[0].clone(), row[1].clone(), pounds(&row[3]))).collect();
        assert_eq!(found.pop().unwrap(), total, "{label}");
        found.sort();
        expected.sort();
        assert_eq!(found, expected, "{label}");
        assert!(!found.is_empty());
    }
    let cards: Vec<&str> =
        home.split("<p class=\"big\">").skip(1).map(|rest| rest.split_once('<').unwrap().0).collect();
    assert_eq!((pounds(cards[0]), cards[1]), (total.2, total.1.as_str()), "{cards:?}");
    // The operator's people see the same page as a tab of the occupier.
    let tab = page(&desk, &ada, "/occupiers/acme/charges").await;
    for label in ["Charges by destination", "Charges by extension", "Spend by month"] {
        assert_eq!(table(&tab, label), table(&home, label), "{label}");
    }
}

#[tokio::test]
async fn each_charts_figures_are_those_of_its_table() {
    let (desk, _, ann) = published().await;
    let home = page(&desk, &ann, "/").await;
    let months = table(&home, "Spend by month");
    assert_eq!(months[0][0], "October 2026", "nothing was published before: {months:?}");
    let of_table: Vec<String> = months
        .iter()
        .map(|row| {
            let month = row[0].trim_end_matches(" so far");
            format!("{month}: {}", row.last().unwrap())
        })
        .collect();
    assert_eq!(figures(&home, "Spend by month in GBP"), of_table);
    assert!(
        of_table.iter().any(|figure| figure.starts_with("October 2026: ") && figure.ends_with(" GBP")),
        "{of_table:?}"
    );

    let days = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
    let mut of_table = Vec::new();
    for row in table(&home, "Charged calls by hour of the week") {
        for (day, calls) in days.iter().zip(&row[1..]).filter(|(_, calls)| *calls != "0") {
            of_table.push(format!(
                "{day} {}: {}",
                row[0],
                rating_service::portal::words::count(calls, "call", "calls")
            ));
        }
    }
    let mut drawn = figures(&home, "Charged calls by hour of the week");
    of_table.sort();
    drawn.sort();
    assert_eq!(drawn, of_table);
    assert!(!drawn.is_empty());

    // A bar is as long as its row's figure is of the largest.
    let rows = table(&home, "Charges by destination");
    let sizes: Vec<i128> = rows.iter().map(|row| pounds(&row[3])).collect();
    let region = home.split_once("aria-label=\"Charges by destination\"").unwrap().1.split_once("</table>").unwrap().0;
    let widths: Vec<&str> =
        region.split("<rect class=\"bar\" width=\"").skip(1).map(|rest| rest.split_once('"').unwrap().0).collect();
    let expected: Vec<String> = sizes[..sizes.len() - 1].iter().map(|size| chart::share(*size, sizes[0])).collect();
    assert_eq!(widths, expected);
}

#[tokio::test]
async fn signing_in_then_the_last_complete_month_then_each_download_are_three_clicks() {
    let (desk, _, _) = published().await;
    let fields = form(&[("to", "/"), ("/email", "admin@acme.example"), ("/password", PASSWORD)]);
    let answer = desk.form(&Who::Nobody, "/sign-in", &fields).await;
    let ann = Desk::session(&answer);
    let home = page(&desk, &ann, &led(answer)).await;
    let downloads = links(&home, "/api/v1/occupiers/acme/reports/download?");
    for format in ["csv", "xlsx", "machine-csv", "parquet"] {
        let of_format = downloads.iter().filter(|address| address.ends_with(&format!("format={format}")));
        assert!(of_format.count() >= 4, "three reports and all in one: {format}: {downloads:?}");
    }
    for address in &downloads {
        let answer = desk.get(&ann, address).await.expect(200);
        assert!(!answer.body.is_empty() && answer.header("content-disposition").contains("202610"), "{address}");
    }
}

#[tokio::test]
async fn another_occupiers_addresses_lead_nowhere() {
    let (desk, ada, ann) = published().await;
    let eve = desk.portal(&ada, "bolt").await;
    let home = page(&desk, &ann, "/").await;
    let call = links(&home, "/calls/2026-10/").remove(0);
    let me = desk.get(&ann, "/api/v1/session").await.json()["user"]["id"].as_str().unwrap().to_owned();
    let number = format!("/numbers/{}", part(NUMBER));
    let ends = ["/charges", "/calls", "/calls/2026-10/0"].map(|end| format!("/occupiers/acme{end}"));
    let theirs = [call, number, format!("/users/{me}")].into_iter().chain(ends);
    for address in theirs {
        assert_eq!(refused(&desk, &eve, &address).await, 404, "{address}");
        if !address.ends_with("/0") {
            assert_eq!(refused(&desk, &ann, &address).await, 200, "it is there: {address}");
        }
    }
    for address in links(&home, "/api/v1/occupiers/acme/reports/download?") {
        assert_eq!(desk.get(&eve, &address).await.status, 404, "{address}");
    }
    let bolts = page(&desk, &eve, "/calls").await;
    assert!(!bolts.contains("acme") && bolts.contains("bolt"), "{bolts}");
}

#[tokio::test]
async fn what_is_not_opened_is_not_on_the_page_which_says_so() {
    let (desk, ada, ann) = published().await;
    let home = page(&desk, &ann, "/").await;
    let words =
        ["By destination", "By extension", "By hour of the week", "Spend by month", "Dearest calls", "Longest calls"];
    for word in words {
        assert!(home.contains(word), "{word}");
    }
    assert!(!home.contains("has not opened"), "{home}");
    let called = report(&desk, &ann, "itemised").await.iter().find_map(|row| {
        Some(row["called"].clone()).filter(|called| called.len() > 8 && home.contains(called.as_str()))
    });
    let called = called.expect("a number that was called is on the page");

    level(&desk, &ada, json!({ "itemised_calls": false })).await;
    let home = page(&desk, &ann, "/").await;
    assert!(home.contains("Harbour Workspaces has not opened here: calls one by one."), "{home}");
    for gone in ["Dearest calls", "Longest calls", "/calls/2026-10", "/calls?", "not chargeable", &called] {
        assert!(!home.contains(gone), "{gone}");
    }
    let calls = page(&desk, &ann, "/calls").await;
    assert!(calls.contains("has not opened calls one by one") && !calls.contains("<tbody>"), "{calls}");

    level(&desk, &ada, json!({ "summary_charges": false, "called_numbers": "masked" })).await;
    let home = page(&desk, &ann, "/").await;
    for gone in &words[..4] {
        assert!(!home.contains(gone), "{gone}");
    }
    assert!(home.contains("sums of charges, the last digits of numbers that were called."), "{home}");
    assert!(home.contains("Dearest calls") && !home.contains(&called), "{home}");
    let call = page(&desk, &ann, &links(&home, "/calls/2026-10/")[0]).await;
    assert!(!call.contains(&called) && call.contains("How it is worked out"), "{call}");
}

#[tokio::test]
async fn who_is_limited_to_sites_sees_those_alone() {
    let (desk, ada, ann) = published().await;
    let settings =
        json!({ "name": "New York, Pier 12", "zone": "America/New_York", "country": "US", "area_code": "212" });
    desk.post(&ada, "/api/v1/sites", json!({ "id": "nyc", "settings": settings })).await.expect(201);
    desk.lease("acme", "nyc", "2026-01-01", 2).await;
    let both = page(&desk, &ann, "/").await;
    assert!(both.contains("London, Harbour House") && both.contains("New York, Pier 12"), "{both}");
    let (_, limited) = desk.occupier_user(&ann, "acme", "occupier_edit", Some(&["ldn"])).await;
    for address in ["/", "/calls", "/numbers"] {
        let shown = page(&desk, &limited, address).await;
        assert!(!shown.contains("New York"), "{address}: {shown}");
        assert_eq!(
            refused(&desk, &limited, &format!("{address}?site=nyc")).await,
            if address == "/numbers" { 200 } else { 404 }
        );
    }
    let (_, far) = desk.occupier_user(&ann, "acme", "occupier_view", Some(&["nyc"])).await;
    let home = page(&desk, &far, "/").await;
    assert!(!home.contains("London") && !home.contains("Harbour House"), "{home}");
    assert!(home.contains("There was no call at New York, Pier 12 in October 2026."), "{home}");
}

#[tokio::test]
async fn a_call_leads_to_why_it_costs_what_it_costs_and_shows_the_payers_side_alone() {
    let (desk, ada, ann) = published().await;
    let calls = page(&desk, &ann, "/calls").await;
    let rows = table(&calls, "Calls");
    assert_eq!(rows.len(), report(&desk, &ann, "itemised").await.len());
    let charged = page(&desk, &ann, "/calls?status=charged&extension=2001").await;
    let of_extension = table(&charged, "Calls");
    assert!(of_extension.iter().all(|row| row[1] == "2001" && row[6].ends_with(" GBP")), "{of_extension:?}");
    assert!(!of_extension.is_empty() && of_extension.len() < rows.len());
    let nothing = page(&desk, &ann, "/calls?search=no-such-thing").await;
    assert!(nothing.contains("No call of October 2026 is like that."), "{nothing}");
    let address = &links(&charged, "/calls/2026-10/")[0];
    let call = page(&desk, &ann, address).await;
    let title = call.split_once("<h1>Why this call costs ").unwrap().1.split_once("</h1>").unwrap().0;
    assert_eq!(pounds(title), pounds(&of_extension[0][6]));
    for secret in ["wholesale", "Wholesale", "margin", "operator", "cdr/", "Master-2026"] {
        assert!(!call.contains(secret), "{secret}: {call}");
    }
    // The operator's people get the same explanation there.
    page(&desk, &ada, &format!("/occupiers/acme{address}")).await;
}

#[tokio::test]
async fn before_anything_is_published_the_page_says_when_there_will_be_something() {
    let (desk, ada) = london().await;
    let ann = desk.portal(&ada, "acme").await;
    let home = page(&desk, &ann, "/").await;
    for said in [
        "Nothing has been published yet.",
        "October 2026 is over at London, Harbour House, but Harbour Workspaces has not published it yet.",
        "November 2026 closes on 1 December 2026, 00:00 at London, Harbour House (Europe/London).",
    ] {
        assert!(home.contains(said), "{said}: {home}");
    }
    assert!(links(&home, "/api/").is_empty(), "no download leads nowhere");
    let november = page(&desk, &ann, "/?month=2026-11").await;
    assert!(november.contains("November 2026 closes on 1 December 2026, 00:00"), "{november}");
    assert_eq!(refused(&desk, &ann, "/?month=soon").await, 400);
    assert_eq!(refused(&desk, &ann, "/?month=2027-01").await, 422);
}

#[tokio::test]
async fn the_running_month_is_marked_provisional_where_it_is_opened_and_nowhere_else() {
    let (desk, ada, ann) = published().await;
    desk.ask(&ada, "POST", "/api/v1/months/2026-11/previews", None, &[]).await.expect(202);
    until_done(&desk, &ada, "2026-11").await;
    let november = page(&desk, &ann, "/?month=2026-11").await;
    assert!(november.contains("<strong>Provisional.</strong> November 2026 is not over"), "{november}");
    assert!(november.contains("November 2026 (so far)") && november.contains("so far</span>"), "{november}");
    assert!(november.contains("Reports of November 2026 are made once it is over."), "{november}");
    assert!(links(&november, "/api/").is_empty(), "no download leads nowhere");
    let october = page(&desk, &ann, "/").await;
    assert!(!october.contains("Provisional"), "{october}");

    level(&desk, &ada, json!({ "usage_to_date": false })).await;
    let october = page(&desk, &ann, "/").await;
    assert!(!october.contains("so far") && october.contains("has not opened here: the running month."), "{october}");
    let november = page(&desk, &ann, "/?month=2026-11").await;
    assert!(
        november.contains("November 2026 closes on 1 December 2026") && !november.contains("Provisional"),
        "{november}"
    );
}

#[tokio::test]
async fn numbers_are_labelled_given_and_forwarded_by_editors_and_seen_by_viewers_if_theirs() {
    let (desk, ada, ann) = published().await;
    desk.command(&ada, "ldn", &[NUMBER], json!({ "activate": {} })).await.expect(200);
    let (_, editor) = desk.occupier_user(&ann, "acme", "occupier_edit", None).await;
    let (viewers_id, viewer) = desk.occupier_user(&ann, "acme", "occupier_view", None).await;
    let address = format!("/numbers/{}", part(NUMBER));

    let none = page(&desk, &viewer, "/numbers").await;
    assert!(none.contains("No number is given to you yet."), "{none}");
    assert_eq!(refused(&desk, &viewer, &address).await, 404);
    let labelled = desk.form(&editor, &format!("{address}/label"), &form(&[("label", "Front desk")])).await;
    assert_eq!(led(labelled), format!("{address}?said=saved"));
    let given = form(&[("kind", "user"), ("user", &viewers_id), ("id", "")]);
    led(desk.form(&editor, &format!("{address}/assignee"), &given).await);
    let found = desk.get(&ada, &format!("/api/v1/numbers/{NUMBER}")).await.json();
    assert_eq!((&found["label"], &found["assigned"]["id"]), (&json!("Front desk"), &json!(viewers_id)));

    // The label stands on the page of charges too.
    assert!(page(&desk, &ann, "/").await.contains("Front desk"));
    let own = table(&page(&desk, &viewer, "/numbers").await, "Numbers");
    assert_eq!(own, [[NUMBER, "2001", "active", "Front desk", "Somebody"]]);
    let shown = page(&desk, &viewer, &address).await;
    assert!(!shown.contains("Save the label") && !shown.contains("Give it"), "{shown}");
    desk.form(&viewer, &format!("{address}/label"), "label=Mine").await.expect(403);

    let tag = tag(&shown, &format!("{address}/features"));
    let wrong = form(&[("tag", &tag), ("/forward_always|opt", "020 7946"), ("/voicemail|bool", "")]);
    let refused = desk.form(&viewer, &format!("{address}/features"), &wrong).await.expect(422).text();
    assert!(refused.contains("value=\"020 7946\"") && refused.contains("`020 7946` is no number"), "{refused}");
    let right = form(&[("tag", &tag), ("/forward_always|opt", "+442079460102"), ("/call_waiting|bool", "true")]);
    led(desk.form(&viewer, &format!("{address}/features"), &right).await);
    let features = desk.get(&ada, &format!("/api/v1/numbers/{NUMBER}/features")).await.json();
    assert_eq!((&features["forward_always"], &features["call_waiting"]), (&json!("+442079460102"), &json!(true)));
    desk.form(&viewer, &format!("{address}/features"), &right).await.expect(412);

    let pin = desk.form(&viewer, &format!("{address}/pin"), "").await.expect(200);
    assert_eq!(pin.header("cache-control"), "no-store");
    assert!(pin.text().contains("The new PIN is <strong>"), "{}", pin.text());
    let reserved = page(&desk, &editor, &format!("/numbers/{}", part("+442079460102"))).await;
    assert!(reserved.contains("This number is not in use.") && !reserved.contains("Save the label"), "{reserved}");
}

#[tokio::test]
async fn administrators_invite_change_and_close_users_but_no_other_administrator() {
    let (desk, ada) = london().await;
    let ann = desk.portal(&ada, "acme").await;
    let wrong = form(&[("/email", "bob"), ("/settings/name", "Bob"), ("/settings/role", "occupier_view")]);
    let refused = desk.form(&ann, "/users/new", &wrong).await.expect(422).text();
    assert!(refused.contains("value=\"bob\"") && refused.contains("is no e-mail address"), "{refused}");
    let right = form(&[
        ("/email", "bob@acme.example"),
        ("/settings/name", "Bob"),
        ("/settings/role", "occupier_view"),
        ("/settings/sites|list", ""),
    ]);
    assert_eq!(led(desk.form(&ann, "/users/new", &right).await), "/users?said=user-invited");
    assert_eq!(desk.mails_to("bob@acme.example").len(), 1);
    let users = page(&desk, &ann, "/users").await;
    let rows = table(&users, "Users");
    assert!(rows.contains(&["Bob", "bob@acme.example", "viewer", "invited"].map(str::to_owned).to_vec()), "{rows:?}");
    let bob = links(&users, "/users/user")
        .into_iter()
        .find(|address| users.split_once(&format!("{address}\">")).is_some_and(|(_, rest)| rest.starts_with("Bob")));
    let bob = bob.unwrap();
    let shown = page(&desk, &ann, &bob).await;
    let tag = tag(&shown, &bob);
    let changed = form(&[("tag", &tag), ("/language", "en"), ("/name", "Bob B."), ("/role", "occupier_edit")]);
    assert_eq!(led(desk.form(&ann, &bob, &changed).await), "/users?said=saved");
    led(desk.form(&ann, &format!("{bob}/invitation"), "").await);
    assert_eq!(desk.mails_to("bob@acme.example").len(), 2);
    let editor = desk.follow_link_to("bob@acme.example").await;
    assert_eq!(crate::pages_occupier::refused(&desk, &editor, "/users").await, 403);
    assert_eq!(led(desk.form(&ann, &format!("{bob}/close"), "").await), "/users?said=user-closed");
    assert!(!page(&desk, &ann, "/users").await.contains("Bob"));

    let (other, _) = desk.occupier_user(&ann, "acme", "occupier_admin", None).await;
    let shown = page(&desk, &ann, &format!("/users/{other}")).await;
    assert!(
        shown.contains("changed and closed by Harbour Workspaces alone") && !shown.contains("<button class=\"danger\"")
    );
    desk.form(&ann, &format!("/users/{other}/close"), "").await.expect(403);
}

#[tokio::test]
async fn everybody_changes_the_own_name_and_asks_for_another_password() {
    let (desk, ada) = london().await;
    let ann = desk.portal(&ada, "acme").await;
    for (who, email) in [(&ada, "ada@example.com"), (&ann, "admin@acme.example")] {
        let shown = page(&desk, who, "/profile").await;
        assert!(shown.contains(email), "{shown}");
        let tag = tag(&shown, "/profile");
        let empty = form(&[("tag", &tag), ("/name", ""), ("/language", "en")]);
        let refused = desk.form(who, "/profile", &empty).await.expect(422).text();
        assert!(refused.contains("id=\"name-fault\""), "{refused}");
        let changed = form(&[("tag", &tag), ("/name", "A. Nother"), ("/language", "en")]);
        assert_eq!(led(desk.form(who, "/profile", &changed).await), "/profile?said=saved");
        assert!(page(&desk, who, "/profile").await.contains("A. Nother"));
        let before = desk.mails_to(email).len();
        assert_eq!(led(desk.form(who, "/profile/password", "").await), "/profile?said=link-mailed");
        assert_eq!(desk.awaits_mails_to(email, before + 1).await.len(), before + 1);
    }
}
