//! The operator's pages about people and companies: what is set up there is what the interface has, and nothing more than
//! it allows.

use rating_service::portal::api::part;
use rating_service::portal::words;
use serde_json::json;

use crate::desk::{Desk, Who};

const HTML: (&str, &str) = ("accept", "text/html");

/// Fields as a browser sends them.
fn form(fields: &[(&str, &str)]) -> String {
    let pairs: Vec<String> = fields.iter().map(|(name, value)| format!("{}={}", part(name), part(value))).collect();
    pairs.join("&")
}

/// A page's text.
async fn page(desk: &Desk, who: &Who, address: &str) -> String {
    desk.ask(who, "GET", address, None, &[HTML]).await.expect(200).text()
}

/// Sends a form that is accepted; where it leads to.
#[track_caller]
fn sent(answer: crate::desk::Answer) -> String {
    answer.expect(303).header("location").to_owned()
}

/// The tag that a page's form carries.
fn tag(page: &str) -> String {
    let rest = page.split_once("name=\"tag\" value=\"").unwrap().1;
    rest.split_once("\">").unwrap().0.replace("&#34;", "\"")
}

const SITE: [(&str, &str); 11] = [
    ("/id", "ldn"),
    ("/name", "London, Harbour House"),
    ("/zone", "Europe/London"),
    ("/country", "GB"),
    ("/area_code|opt", "20"),
    ("/extensions|lines", "2000-2099\r\n2200-2299"),
    ("/outside_line|lines", "9"),
    ("/holidays|lines", "GB-ENG"),
    ("/cool_off_days|int", "30"),
    ("/confirms_changes|bool", ""),
    ("/main_number_with_first_service|bool", "true"),
];

#[tokio::test]
async fn a_site_is_added_and_changed_by_forms() {
    let (desk, ada) = Desk::set_up().await;
    assert!(page(&desk, &ada, "/sites").await.contains("No site yet"));
    page(&desk, &ada, "/sites/new").await;
    assert_eq!(sent(desk.form(&ada, "/sites/new", &form(&SITE)).await), "/sites/ldn/products?said=site-added");
    let settings = desk.get(&ada, "/api/v1/sites/ldn").await.json()["settings"].clone();
    let expected = json!({ "name": "London, Harbour House", "zone": "Europe/London", "country": "GB", "area_code": "20",
        "outside_line": ["9"], "extensions": ["2000-2099", "2200-2299"], "holidays": ["GB-ENG"], "cool_off_days": 30,
        "confirms_changes": false, "main_number_with_first_service": true });
    assert_eq!(settings, expected);
    assert!(page(&desk, &ada, "/sites").await.contains("London, Harbour House"));

    let shown = page(&desk, &ada, "/sites/ldn/settings").await;
    assert!(shown.contains("2000-2099\n2200-2299</textarea>"), "{shown}");
    let mut changed = SITE[1..].to_vec();
    changed[8] = ("/cool_off_days|int", "60");
    let tag = tag(&shown);
    changed.push(("tag", &tag));
    assert_eq!(sent(desk.form(&ada, "/sites/ldn/settings", &form(&changed)).await), "/sites/ldn/settings?said=saved");
    assert_eq!(desk.get(&ada, "/api/v1/sites/ldn").await.json()["settings"]["cool_off_days"], 60);
    // The same form again was made from a state that is gone.
    let late = desk.form(&ada, "/sites/ldn/settings", &form(&changed)).await.expect(412).text();
    assert!(late.contains("role=\"alert\"") && late.contains("value=\"60\""), "{late}");
}

#[tokio::test]
async fn a_refused_form_keeps_what_was_typed_with_the_fault_beside_the_field() {
    let (desk, ada) = Desk::set_up().await;
    let mut fields = SITE.to_vec();
    fields[2] = ("/zone", "Europe/Londinium");
    fields[5] = ("/extensions|lines", "2099-2000");
    let refused = desk.form(&ada, "/sites/new", &form(&fields)).await.expect(422).text();
    let zone = refused.split_once("id=\"zone\"").unwrap().1.split_once("</div>").unwrap().0;
    assert!(zone.contains("value=\"Europe/Londinium\"") && zone.contains("aria-invalid=\"true\""), "{zone}");
    assert!(zone.contains("id=\"zone-fault\">there is no time zone `Europe/Londinium`"), "{zone}");
    let ranges = refused.split_once("id=\"extensions\"").unwrap().1.split_once("</div>").unwrap().0;
    assert!(ranges.contains("2099-2000</textarea>") && ranges.contains("is no range of extensions"), "{ranges}");
    assert!(refused.contains("value=\"London, Harbour House\"") && refused.contains("value=\"ldn\""), "{refused}");
    desk.get(&ada, "/api/v1/sites/ldn").await.refused(404, "site.unknown");
    // `new` stands in addresses of pages.
    fields = SITE.to_vec();
    fields[0] = ("/id", "new");
    let refused = desk.form(&ada, "/sites/new", &form(&fields)).await.expect(422).text();
    assert!(refused.contains("id=\"id-fault\">`new` is part of an address"), "{refused}");
}

/// A picture of one point, and a form that brings it.
fn picture(bytes: &[u8]) -> (&'static str, Vec<u8>) {
    let mut body = b"--b\r\ncontent-disposition: form-data; name=\"file\"; filename=\"logo.png\"\r\n\r\n".to_vec();
    body.extend_from_slice(bytes);
    body.extend_from_slice(b"\r\n--b--\r\n");
    ("multipart/form-data; boundary=b", body)
}

#[tokio::test]
async fn the_operators_name_and_logo_are_on_every_page_also_before_signing_in() {
    let (desk, ada) = Desk::set_up().await;
    let shown = page(&desk, &ada, "/settings").await;
    assert!(shown.contains("value=\"Harbour Workspaces\"") && !shown.contains("<img"), "{shown}");
    let tag = tag(&shown);
    let fields = [
        ("tag", tag.as_str()),
        ("/name", "Harbour & Quay"),
        ("/currency", "GBP"),
        ("/zone", "Europe/London"),
        ("/support_contact", "help@example.com"),
    ];
    assert_eq!(sent(desk.form(&ada, "/settings", &form(&fields)).await), "/settings?said=saved");
    assert!(page(&desk, &Who::Nobody, "/sign-in").await.contains("Harbour &#38; Quay"));

    let logo = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
    let (media, body) = picture(logo);
    assert_eq!(sent(desk.send(&ada, "POST", "/settings/logo", media, body).await), "/settings?said=logo-kept");
    for (who, address) in [(&ada, "/sites"), (&Who::Nobody, "/sign-in"), (&ada, "/sites/nowhere/settings")] {
        let text = desk.ask(who, "GET", address, None, &[HTML]).await.text();
        let source = text.split_once("<img src=\"").unwrap_or_else(|| panic!("{text}")).1.split_once('"').unwrap().0;
        let answer = desk.get(&Who::Nobody, source).await.expect(200);
        assert_eq!((answer.header("content-type"), answer.body.as_slice()), ("image/png", &logo[..]));
        assert!(answer.header("cache-control").contains("immutable"));
    }
    assert_eq!(desk.get(&Who::Nobody, "/api/v1/operator/logo").await.expect(200).header("cache-control"), "no-cache");

    let (media, body) = picture(b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>");
    let refused = desk.send(&ada, "POST", "/settings/logo", media, body).await;
    refused.expect(422);
    let put = |bytes: Vec<u8>| desk.send(&ada, "PUT", "/api/v1/operator/logo", "application/octet-stream", bytes);
    put(b"GIF89a".to_vec()).await.refused(422, "operator.logo_malformed");
    let mut large = logo.to_vec();
    large.resize(200_000, 0);
    put(large.clone()).await.expect(204);
    large.push(0);
    put(large).await.refused(413, "request.body_too_large");
    let user = desk.operator_user(&ada, "operator_user", None).await;
    desk.send(&user, "PUT", "/api/v1/operator/logo", "image/png", logo.to_vec()).await.refused(403, "auth.not_allowed");

    assert_eq!(sent(desk.form(&ada, "/settings/logo/remove", "").await), "/settings?said=logo-removed");
    desk.get(&ada, "/api/v1/operator/logo").await.refused(404, "operator.logo_unknown");
    desk.delete(&ada, "/api/v1/operator/logo").await.refused(404, "operator.logo_unknown");
    assert!(!page(&desk, &ada, "/sites").await.contains("<img"));
}

/// A site that sells voice, with four numbers.
async fn house(desk: &Desk, ada: &Who) {
    sent(desk.form(ada, "/sites/new", &form(&SITE)).await);
    desk.provision(ada, "ldn", "+442079460001", "+442079460004").await;
    let product = [
        ("/id", "voice"),
        ("/settings/name", "Voice"),
        ("/settings/lines|int", "2"),
        ("/settings/price_per_month", "12.50"),
        ("/settings/tariff", "standard"),
        ("/settings/allowance", ""),
        ("/settings/service_level", ""),
        ("/settings/features|lines", "voicemail\r\nforwarding"),
        ("/settings/is_active|bool", ""),
        ("/settings/is_active|bool", "true"),
    ];
    let to = sent(desk.form(ada, "/sites/ldn/products", &form(&product)).await);
    assert_eq!(to, "/sites/ldn/products?said=product-added");
}

#[tokio::test]
async fn an_occupier_is_set_up_by_forms_alone() {
    let (desk, ada) = Desk::set_up().await;
    assert!(page(&desk, &ada, "/occupiers/new").await.contains("Add a site"), "a site comes first");
    house(&desk, &ada).await;
    let listed = page(&desk, &ada, "/sites/ldn/products").await;
    assert!(listed.contains("12.50 GBP") && listed.contains("products.csv"), "{listed}");

    page(&desk, &ada, "/occupiers/new").await;
    let new = [
        ("/settings/name", "Acme Robotics"),
        ("/id|opt", ""),
        ("/settings/billing_reference|opt", ""),
        ("/contract/site", "ldn"),
        ("/settings/kind", "virtual"),
        ("/contract/settings/from", "2026-11-01"),
        ("/contract/settings/until|opt", "2027-11-01"),
        ("/contract/settings/deprovision_at_end|bool", ""),
        ("/contract/settings/deprovision_at_end|bool", "true"),
        ("/settings/telephony_managed|bool", ""),
        ("/settings/telephony_managed|bool", "true"),
    ];
    let to = sent(desk.form(&ada, "/occupiers/new", &form(&new)).await);
    assert_eq!(to, "/occupiers/acme-robotics/setup/ldn?said=occupier-added");
    let step = page(&desk, &ada, &to).await;
    assert!(step.contains("Voice: 2 lines, 12.50 GBP a month") && step.contains("Done without a service"), "{step}");
    let service = [("/product", "voice"), ("/quantity|int", "1"), ("/from|opt", "")];
    let to = sent(desk.form(&ada, "/occupiers/acme-robotics/setup/ldn", &form(&service)).await);
    assert_eq!(to, "/occupiers/acme-robotics/setup/ldn?said=service-assigned-numbers");
    assert!(page(&desk, &ada, &to).await.contains("numbers came with it"));
    // It is at the one site that there is.
    assert!(page(&desk, &ada, "/occupiers/acme-robotics/setup").await.contains("at every site that you see"));

    let made = desk.get(&ada, "/api/v1/occupiers/acme-robotics").await.expect(200).json();
    assert_eq!((&made["state"], &made["settings"]["kind"]), (&json!("ACTIVE"), &json!("virtual")));
    assert_eq!(made["sites"], json!(["ldn"]));
    let contract = desk.get(&ada, "/api/v1/contracts/acme-robotics-ldn").await.expect(200).json();
    assert_eq!(contract["settings"]["until"], "2027-11-01");
    assert_eq!(contract["settings"]["deprovision_at_end"], true);
    let numbers = desk.get(&ada, "/api/v1/occupiers/acme-robotics/numbers").await.expect(200).json();
    let active = numbers["items"].as_array().unwrap().iter().filter(|number| number["state"] == "ACTIVE");
    assert_eq!(active.count(), 2, "{numbers}");
    for (search, is_found) in [("robot", true), ("nobody", false)] {
        let listed = page(&desk, &ada, &format!("/occupiers?search={search}&state=&site=ldn")).await;
        assert_eq!(listed.contains("href=\"/occupiers/acme-robotics\""), is_found, "{listed}");
    }
}

#[tokio::test]
async fn an_occupiers_account_is_changed_with_rows_of_identifiers() {
    let (desk, ada) = Desk::set_up().await;
    house(&desk, &ada).await;
    desk.occupier(&ada, "acme").await;
    let shown = page(&desk, &ada, "/occupiers/acme").await;
    assert!(
        shown.contains("Wile") && shown.contains("value=\"crm\"") && shown.contains("Set it up at a site"),
        "{shown}"
    );
    let tag = tag(&shown);
    let row = |index: usize, system: &str, identifier: &str, site: &str| {
        let at = format!("/external_identifiers/{index}");
        form(&[
            (&format!("{at}/system"), system),
            (&format!("{at}/identifier"), identifier),
            (&format!("{at}/site|opt"), site),
        ])
    };
    let settings = form(&[
        ("tag", &tag),
        ("/name", "Acme"),
        ("/kind", "residential"),
        ("/billing_reference", "A-1"),
        ("/telephony_managed|bool", ""),
    ]);
    let rows = [row(0, "", "", ""), row(1, "crm", "77", "ldn"), row(10, "", "", ""), row(2, "erp", "x", "")].join("&");
    assert_eq!(
        sent(desk.form(&ada, "/occupiers/acme", &format!("{settings}&{rows}")).await),
        "/occupiers/acme?said=saved"
    );
    let settings = desk.get(&ada, "/api/v1/occupiers/acme").await.json()["settings"].clone();
    let identifiers =
        json!([{ "system": "crm", "identifier": "77", "site": "ldn" }, { "system": "erp", "identifier": "x" }]);
    assert_eq!(settings["external_identifiers"], identifiers);
    assert_eq!((&settings["billing_reference"], &settings["telephony_managed"]), (&json!("A-1"), &json!(false)));
}

#[tokio::test]
async fn contracts_and_services_are_changed_ended_discarded_and_undone_by_forms() {
    let (desk, ada) = Desk::set_up().await;
    house(&desk, &ada).await;
    desk.occupier(&ada, "acme").await;
    let empty = page(&desk, &ada, "/occupiers/acme/contracts").await;
    assert!(empty.contains("No contract."), "{empty}");
    let add = [("/site", "ldn"), ("/settings/from", "2026-12-01"), ("/settings/deprovision_at_end|bool", "")];
    let contracts = "/occupiers/acme/contracts";
    assert_eq!(sent(desk.form(&ada, contracts, &form(&add)).await), format!("{contracts}?said=contract-added"));
    // Another one at the same time is refused; what was typed stays.
    let refused = desk.form(&ada, contracts, &form(&add)).await.expect(409).text();
    assert!(refused.contains("role=\"alert\"") && refused.contains("value=\"2026-12-01\""), "{refused}");

    let one = format!("{contracts}/acme-ldn");
    let shown = page(&desk, &ada, &one).await;
    assert!(shown.contains("upcoming") && shown.contains("Discard the contract"), "{shown}");
    let tag_of = tag(&shown);
    let change =
        [("tag", tag_of.as_str()), ("/from", "2026-11-02"), ("/until|opt", ""), ("/external_reference", "C-7")];
    assert_eq!(sent(desk.form(&ada, &one, &form(&change)).await), format!("{contracts}?said=contract-changed"));
    assert!(page(&desk, &ada, contracts).await.contains("C-7"));
    let refused = desk.form(&ada, &format!("{one}/discard"), "").await.expect(409).text();
    assert!(refused.contains("role=\"alert\""), "{refused}");
    // Another occupier's address does not lead there.
    desk.occupier(&ada, "birch").await;
    desk.ask(&ada, "GET", "/occupiers/birch/contracts/acme-ldn", None, &[HTML]).await.expect(404);

    let services = "/occupiers/acme/services";
    let assign = [("site", "ldn"), ("/product", "voice"), ("/quantity|int", "0"), ("/from|opt", "")];
    let refused = desk.form(&ada, services, &form(&assign)).await.expect(422).text();
    assert!(refused.contains("id=\"quantity-fault\""), "{refused}");
    let assign = [("site", "ldn"), ("/product", "voice"), ("/quantity|int", "3"), ("/from|opt", "")];
    let to = sent(desk.form(&ada, services, &form(&assign)).await);
    assert_eq!(to, format!("{services}?site=ldn&said=service-assigned-short"), "six lines, four numbers");
    let listed = desk.get(&ada, "/api/v1/occupiers/acme/services").await.json();
    let id = listed["items"][0]["id"].as_str().unwrap().to_owned();
    page(&desk, &ada, &format!("{services}/{id}")).await;
    let change = [("/product|opt", ""), ("/quantity|int", "1"), ("/from|opt", "2026-11-10")];
    let to = sent(desk.form(&ada, &format!("{services}/{id}/change"), &form(&change)).await);
    assert_eq!(to, format!("{services}?said=service-changed"));
    let listed = desk.get(&ada, "/api/v1/occupiers/acme/services").await.json();
    let next = listed["items"].as_array().unwrap().iter().find(|service| service["replaces"] == id.as_str()).unwrap();
    assert_eq!((&next["quantity"], &next["from"]), (&json!(1), &json!("2026-11-10")));
    let end = format!("{services}/{}/end", next["id"].as_str().unwrap());
    let refused = desk.form(&ada, &end, &form(&[("/until|opt", "2026-10-01")])).await;
    assert!((400..500).contains(&refused.status.as_u16()), "{}", refused.status);
    assert_eq!(
        sent(desk.form(&ada, &end, &form(&[("/until|opt", "2026-12-01")])).await),
        format!("{services}?said=service-ended")
    );
    assert!(page(&desk, &ada, services).await.contains("1 December 2026"));

    // The contract ends; once it has, that can be undone.
    let tag_of = tag(&page(&desk, &ada, &one).await);
    let change =
        [("tag", tag_of.as_str()), ("/from", "2026-11-02"), ("/until|opt", "2026-11-03"), ("/external_reference", "")];
    sent(desk.form(&ada, &one, &form(&change)).await);
    desk.clock.set(rating_core::time::Instant::parse_rfc3339("2026-11-03T09:00:00Z").unwrap());
    // A session lasts a day of work.
    let ada = desk.sign_in("ada@example.com").await;
    let shown = page(&desk, &ada, &one).await;
    assert!(shown.contains("Re-activate the contract") && !shown.contains("Discard"), "{shown}");
    let again = form(&[("/until|opt", ""), ("/deprovision_at_end|bool", "")]);
    let to = sent(desk.form(&ada, &format!("{one}/reactivate"), &again).await);
    assert_eq!(to, format!("{contracts}?said=contract-reactivated"));
    assert_eq!(desk.get(&ada, "/api/v1/contracts/acme-ldn").await.json()["state"], "ACTIVE");
}

#[tokio::test]
async fn who_is_limited_to_a_site_sees_and_sets_up_there_alone() {
    let (desk, ada) = Desk::set_up().await;
    desk.sites(&ada).await;
    for (occupier, site) in [("acme", "ldn"), ("birch", "nyc")] {
        desk.occupier(&ada, occupier).await;
        desk.contract(&ada, occupier, site, "2026-01-01").await;
    }
    let user = desk.operator_user(&ada, "operator_user", Some(&["ldn"])).await;
    for (address, sees, hides) in [
        ("/occupiers", "/occupiers/acme", "birch"),
        ("/sites", "London", "New York"),
        ("/occupiers/new", "London", "New York"),
        ("/occupiers/acme", "somebody who is at all sites", "name=\"/name\""),
        ("/sites/ldn/settings", "An administrator of the operator", "name=\"/name\""),
        ("/sites/ldn/products", "Nothing is sold here", "Add a product"),
    ] {
        let text = page(&desk, &user, address).await;
        assert!(text.contains(sees) && !text.contains(hides), "{address}: {text}");
    }
    for address in ["/occupiers/birch", "/occupiers/birch/services", "/sites/nyc/products", "/occupiers/acme/setup/nyc"]
    {
        desk.ask(&user, "GET", address, None, &[HTML]).await.expect(404);
    }
    for address in ["/settings", "/sites/new"] {
        desk.ask(&user, "GET", address, None, &[HTML]).await.expect(403);
    }
    let new = [
        ("/settings/name", "Cedar"),
        ("/settings/kind", "residential"),
        ("/contract/site", "nyc"),
        ("/contract/settings/from", "2026-11-05"),
    ];
    let refused = desk.form(&user, "/occupiers/new", &form(&new)).await.expect(422).text();
    assert!(refused.contains("id=\"contract-site-fault\">there is no site `nyc`"), "{refused}");
}

const LEVEL: [(&str, &str); 9] = [
    ("/level/summary_charges|bool", ""),
    ("/level/summary_charges|bool", "true"),
    ("/level/itemised_calls|bool", ""),
    ("/level/itemised_calls|bool", "true"),
    ("/level/usage_to_date|bool", ""),
    ("/level/allowance_left|bool", ""),
    ("/level/called_numbers", "masked"),
    ("/administrator/name", "Ann Archer"),
    ("/administrator/email", "ann@acme.example"),
];

/// What a page says within the first element of that name, as text.
fn within(page: &str, begin: &str, end: &str) -> String {
    let text = page.split_once(begin).unwrap_or_else(|| panic!("no {begin}: {page}")).1.split_once(end).unwrap().0;
    let text = text.split_once('>').unwrap().1;
    text.replace("&#38;", "&").replace("&#39;", "'").replace("&#34;", "\"").replace("&#60;", "<").replace("&#62;", ">")
}

#[tokio::test]
async fn a_portal_is_activated_with_the_mail_that_was_shown_and_closed_and_opened_again() {
    let (desk, ada) = Desk::set_up().await;
    desk.sites(&ada).await;
    let new =
        json!({ "settings": { "name": "Birch" }, "contract": { "site": "ldn", "settings": { "from": "2026-01-01" } } });
    desk.post(&ada, "/api/v1/occupiers", new).await.expect(201);
    assert!(page(&desk, &ada, "/occupiers/birch/portal").await.contains("nobody knows whom to write to"));

    desk.occupier(&ada, "acme").await;
    desk.contract(&ada, "acme", "ldn", "2026-01-01").await;
    let portal = "/occupiers/acme/portal";
    let shown = page(&desk, &ada, portal).await;
    // Whom the customer system names is the one to begin with.
    assert!(shown.contains("value=\"wile@acme.example\"") && shown.contains("not active"), "{shown}");

    let nobody = desk.form(&ada, &format!("{portal}/preview"), &form(&LEVEL[..7])).await.expect(422).text();
    assert!(nobody.contains("id=\"administrator-fault\""), "{nobody}");
    let preview = desk.form(&ada, &format!("{portal}/preview"), &form(&LEVEL)).await.expect(200).text();
    assert!(preview.contains("<dd>ann@acme.example</dd>"), "{preview}");
    assert!(desk.mails_to("ann@acme.example").is_empty(), "nothing is sent yet");
    let template = within(&preview, "<textarea", "</textarea>");
    let adjusted = template.replace("Dear {name}", "Hello {name}").replace('\n', "\r\n");
    let mut fields = LEVEL.to_vec();
    fields.push(("/text|opt", &adjusted));
    let preview = desk.form(&ada, &format!("{portal}/preview"), &form(&fields)).await.expect(200).text();
    let text = within(&preview, "<pre", "</pre>");
    assert!(text.starts_with("Hello Ann Archer,"), "{text}");

    let to = sent(desk.form(&ada, &format!("{portal}/activate"), &form(&fields)).await);
    assert_eq!(to, format!("{portal}?said=portal-activated"));
    let mails = desk.mails_to("ann@acme.example");
    assert_eq!(mails.len(), 1);
    let mail = mails[0].split_once("\r\n\r\n").unwrap().1.replace("\r\n", "\n");
    let link = mail.split_once("/join#").unwrap().1.split_whitespace().next().unwrap().to_owned();
    assert_eq!(mail.replace(&link, "…").trim(), text.trim(), "the mail is the one that was shown");
    let level = desk.get(&ada, "/api/v1/occupiers/acme/portal").await.json()["level"].clone();
    let expected = json!({ "summary_charges": true, "itemised_calls": true, "called_numbers": "masked",
        "usage_to_date": false, "allowance_left": false });
    assert_eq!(level, expected);
    assert!(page(&desk, &ada, "/occupiers").await.contains("<span class=\"badge good\">active</span></td></tr>"));

    let ann = desk.follow_link_to("ann@acme.example").await;
    desk.ask(&ann, "GET", "/", None, &[HTML]).await.expect(200);
    desk.ask(&ann, "GET", portal, None, &[HTML]).await.expect(403);
    let shown = page(&desk, &ada, portal).await;
    let tag = tag(&shown);
    let changed = [
        ("tag", tag.as_str()),
        ("/level/summary_charges|bool", "true"),
        ("/level/itemised_calls|bool", ""),
        ("/level/usage_to_date|bool", "true"),
        ("/level/allowance_left|bool", ""),
        ("/level/called_numbers", "full"),
    ];
    assert_eq!(sent(desk.form(&ada, portal, &form(&changed)).await), format!("{portal}?said=saved"));
    let to = sent(desk.form(&ada, &format!("{portal}/deactivate"), "").await);
    assert_eq!(to, format!("{portal}?said=portal-deactivated"));
    desk.get(&ann, "/api/v1/session").await.refused(401, "auth.not_signed_in");
    let shown = page(&desk, &ada, portal).await;
    assert!(shown.contains("the mail goes to Ann Archer") && shown.contains("Deactivated on"), "{shown}");
    // As agreed before, and without naming anybody: the administrator there is gets the mail.
    let again: Vec<_> =
        changed[1..].iter().copied().chain([("/administrator/name", ""), ("/administrator/email", "")]).collect();
    sent(desk.form(&ada, &format!("{portal}/activate"), &form(&again)).await);
    assert_eq!(desk.mails_to("ann@acme.example").len(), 2);
}

#[tokio::test]
async fn users_of_an_occupier_and_of_the_team_are_invited_changed_and_closed_by_forms() {
    let (desk, ada) = Desk::set_up().await;
    desk.sites(&ada).await;
    desk.occupier(&ada, "acme").await;
    desk.contract(&ada, "acme", "ldn", "2026-01-01").await;
    desk.contract(&ada, "acme", "nyc", "2026-01-01").await;
    assert!(page(&desk, &ada, "/occupiers/acme/users").await.contains("portal is activated"));
    desk.portal(&ada, "acme").await;
    for (users, role, api) in [
        ("/occupiers/acme/users", "occupier_edit", "/api/v1/occupiers/acme/users"),
        ("/settings/users", "operator_user", "/api/v1/users"),
    ] {
        let invite = |email, name, sites| {
            form(&[
                ("/email", email),
                ("/settings/name", name),
                ("/settings/role", role),
                ("/settings/sites|list", sites),
            ])
        };
        let refused = desk.form(&ada, users, &invite("nowhere", "Bo", "ldn")).await.expect(422).text();
        assert!(refused.contains("id=\"email-fault\"") && refused.contains("value=\"Bo\""), "{refused}");
        assert!(refused.contains("value=\"ldn\" checked"), "{refused}");
        assert_eq!(
            sent(desk.form(&ada, users, &invite("bo@example.org", "Bo", "ldn")).await),
            format!("{users}?said=user-invited")
        );
        let listed = desk.get(&ada, api).await.json();
        let bo = listed["items"].as_array().unwrap().iter().find(|user| user["name"] == "Bo").unwrap().clone();
        assert_eq!((&bo["sites"], &bo["role"]), (&json!(["ldn"]), &json!(role)));
        let one = format!("{users}/{}", bo["id"].as_str().unwrap());
        let shown = page(&desk, &ada, &one).await;
        let tag = tag(&shown);
        // No site ticked is no limit.
        let change = [("tag", tag.as_str()), ("/language", "en"), ("/name", "Bo Berg"), ("/role", role)];
        assert_eq!(sent(desk.form(&ada, &one, &form(&change)).await), format!("{users}?said=saved"));
        assert_eq!(desk.get(&ada, &format!("{api}/{}", bo["id"].as_str().unwrap())).await.json()["sites"], json!(null));
        assert_eq!(sent(desk.form(&ada, &format!("{one}/invitation"), "").await), format!("{users}?said=user-invited"));
        assert_eq!(desk.mails_to("bo@example.org").len(), 2);
        assert_eq!(sent(desk.form(&ada, &format!("{one}/close"), "").await), format!("{users}?said=user-closed"));
        assert!(!page(&desk, &ada, users).await.contains("Bo Berg"));
        for mail in std::fs::read_dir(desk.folder().join("mail")).unwrap() {
            std::fs::remove_file(mail.unwrap().path()).unwrap();
        }
    }
    // The last administrator stays, and the page says why.
    let me = desk.get(&ada, "/api/v1/session").await.json()["user"]["id"].as_str().unwrap().to_owned();
    let refused = desk.form(&ada, &format!("/settings/users/{me}/close"), "").await.expect(409).text();
    assert!(refused.contains("This is the last administrator of the operator"), "{refused}");
    // A user of the operator looks at users, and changes none.
    let user = desk.operator_user(&ada, "operator_user", None).await;
    let shown = page(&desk, &user, "/occupiers/acme/users").await;
    assert!(shown.contains("admin@acme.example") && !shown.contains("Invite a user"), "{shown}");
    desk.form(&user, "/occupiers/acme/users", "").await.expect(403);
}

#[tokio::test]
async fn a_tokens_secret_is_shown_once_and_the_audit_log_is_searched_and_checked() {
    let (desk, ada) = Desk::set_up().await;
    desk.sites(&ada).await;
    let make = [
        ("/name", "the CRM"),
        ("/scopes|list", "sync"),
        ("/scopes|list", "read"),
        ("/sites|list", ""),
        ("/expires_at|opt", "2027-01-01"),
    ];
    let made = desk.form(&ada, "/settings/tokens", &form(&make)).await.expect(200).text();
    let secret = within(&made, "<code id=\"secret\"", "</code>");
    desk.get(&Who::Token(secret.clone()), "/api/v1/sites").await.expect(200);
    let listed = page(&desk, &ada, "/settings/tokens").await;
    assert!(listed.contains("the CRM") && listed.contains("1 January 2027") && !listed.contains(&secret), "{listed}");
    let refused = desk
        .form(
            &ada,
            "/settings/tokens",
            &form(&[("/name", "x"), ("/scopes|list", "read"), ("/expires_at|opt", "2026-11-01")]),
        )
        .await;
    assert!(refused.expect(422).text().contains("id=\"expires_at-fault\">has passed"));
    let id = desk.get(&ada, "/api/v1/tokens").await.json()["items"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(
        sent(desk.form(&ada, &format!("/settings/tokens/{id}/revoke"), "").await),
        "/settings/tokens?said=token-revoked"
    );
    desk.get(&Who::Token(secret), "/api/v1/sites").await.refused(401, "auth.not_signed_in");

    let all = page(&desk, &ada, "/audit").await;
    assert!(all.contains("token.revoked") && all.contains("<td>Ada</td>") && all.contains("Europe/London"), "{all}");
    let me = desk.get(&ada, "/api/v1/session").await.json()["user"]["id"].as_str().unwrap().to_owned();
    for (query, sees, hides) in [
        ("subject=site%3Aldn", "site:ldn", "site:nyc"),
        ("actor=setup", "operator.set_up", "site.created"),
        (&format!("actor=user%3A{me}"), "site.created", "setup.link_made"),
        ("until=2026-11-02", "Nothing was done that is like this", "site:ldn"),
        ("from=2026-11-02&until=2026-11-03", "site:ldn", "Nothing was done"),
    ] {
        let found = page(&desk, &ada, &format!("/audit?{query}")).await;
        assert!(found.contains(sees) && !found.contains(&format!(">{hides}")), "{query}: {found}");
    }
    let refused = desk.ask(&ada, "GET", "/audit?from=yesterday", None, &[HTML]).await.expect(422).text();
    assert!(refused.contains("id=\"from-fault\"") && refused.contains("value=\"yesterday\""), "{refused}");
    let checked = page(&desk, &ada, "/audit?check=yes").await;
    assert!(checked.contains("The log is whole: "), "{checked}");
}

#[tokio::test]
async fn devices_are_logged_out_and_an_occupier_is_decommissioned_once_its_id_is_typed() {
    let (desk, ada) = Desk::set_up().await;
    house(&desk, &ada).await;
    desk.occupier(&ada, "acme").await;
    desk.contract(&ada, "acme", "ldn", "2026-01-01").await;
    desk.voice(&ada, "acme", "ldn", 1).await.expect(201);
    let commands = "/api/v1/occupiers/acme/numbers/commands";
    for command in
        [json!({ "assign": { "kind": "device", "id": "desk-1" } }), json!({ "log_in": { "device": "desk-1" } })]
    {
        let body = json!({ "number": "+442079460001", "command": command });
        desk.post(&ada, commands, body).await.expect(200);
    }
    let telephony = page(&desk, &ada, "/occupiers/acme/telephony").await;
    assert!(telephony.contains("2 active") && telephony.contains("/sites/ldn/numbers?holder=acme"), "{telephony}");

    let decommission = "/occupiers/acme/decommission";
    let shown = page(&desk, &ada, decommission).await;
    assert!(shown.contains("+442079460001") && shown.contains("Type acme to confirm"), "{shown}");
    let refused =
        desk.form(&ada, decommission, &form(&[("/at|opt", ""), ("confirm", "acmee")])).await.expect(422).text();
    assert!(refused.contains("id=\"confirm-fault\">is not the occupier&#39;s id: type acme"), "{refused}");
    let refused =
        desk.form(&ada, decommission, &form(&[("/at|opt", ""), ("confirm", "acme")])).await.expect(409).text();
    assert!(refused.contains("role=\"alert\""), "{refused}");

    assert!(page(&desk, &ada, "/occupiers/acme/devices").await.contains("desk-1"));
    let out = form(&[("number", "+442079460001")]);
    let to = sent(desk.form(&ada, "/occupiers/acme/devices/log-out", &out).await);
    assert_eq!(to, "/occupiers/acme/devices?said=device-logged-out");
    assert!(page(&desk, &ada, "/occupiers/acme/devices").await.contains("No phone is logged in"));

    let to = sent(desk.form(&ada, decommission, &form(&[("/at|opt", "2026-12-01"), ("confirm", "acme")])).await);
    assert_eq!(to, format!("{decommission}?said=decommission-scheduled"));
    let shown = page(&desk, &ada, decommission).await;
    assert!(
        shown.contains("Set for 1 December 2026, 00:00 (Europe/London)") && !shown.contains("Type acme"),
        "{shown}"
    );
    let to = sent(desk.form(&ada, &format!("{decommission}/cancel"), "").await);
    assert_eq!(to, format!("{decommission}?said=decommission-cancelled"));
    let user = desk.operator_user(&ada, "operator_user", None).await;
    let shown = page(&desk, &user, decommission).await;
    assert!(!shown.contains("<form method=\"post\" action=\"/occupiers/"), "{shown}");

    let to = sent(desk.form(&ada, decommission, &form(&[("/at|opt", ""), ("confirm", "acme")])).await);
    assert_eq!(to, format!("{decommission}?said=decommissioned"));
    for tab in ["", "/contracts", "/services", "/users", "/devices", "/telephony", "/portal", "/decommission"] {
        let text = page(&desk, &ada, &format!("/occupiers/acme{tab}")).await;
        assert!(text.contains("decommissioned"), "{tab}: {text}");
    }
    assert_eq!(desk.get(&ada, "/api/v1/occupiers/acme").await.json()["state"], "DECOMMISSIONED");
}

#[tokio::test]
async fn a_new_service_says_what_to_do_first_until_it_is_done() {
    let (desk, ada) = Desk::set_up().await;
    let new = page(&desk, &ada, "/").await;
    let places: Vec<usize> = [
        "/sites/new",
        "what is sold",
        "/occupiers/new",
        "Take numbers in",
        "/sources",
        "/tariffs",
        "#assignments",
        "/months/2026-11",
    ]
    .iter()
    .map(|step| new.split_once("What to do first").unwrap().1.find(step).unwrap())
    .collect();
    assert!(places.is_sorted(), "{places:?}");
    house(&desk, &ada).await;
    desk.occupier(&ada, "acme").await;
    let later = page(&desk, &ada, "/").await;
    assert_eq!(later.matches("<li class=\"done\">").count(), 4, "site, products, occupier, numbers: {later}");
    // Somebody who cannot do these is not told to.
    let user = desk.operator_user(&ada, "operator_user", Some(&["ldn"])).await;
    let home = page(&desk, &user, "/").await;
    assert!(!home.contains("What to do first") && home.contains("London, Harbour House"), "{home}");
}

#[tokio::test]
async fn the_first_page_says_what_a_month_came_to_and_what_needs_a_look() {
    let (desk, ada) = crate::months::london().await;
    let before = page(&desk, &ada, "/").await;
    assert!(
        before.contains("href=\"/months/2026-10\"") && before.contains("Nothing of October 2026 is rated yet"),
        "{before}"
    );
    crate::months::publish(&desk, &ada).await;
    let charges = desk.get(&ada, "/api/v1/charges/2026-10").await.expect(200).json();
    let site = &charges["sites"][0];
    let home = page(&desk, &ada, "/").await;
    for amount in [&site["client"]["GBP"], &site["operator"]["GBP"]] {
        let shown = words::money(&words::rounded(amount.as_str().unwrap()), "GBP");
        assert!(
            home.contains(&format!("<td class=\"number\"><span class=\"line\">{shown}</span></td>")),
            "{shown}: {home}"
        );
    }
    assert!(home.contains("October 2026 is published."), "{home}");
    let alerts = desk.get(&ada, "/api/v1/alerts").await.expect(200).json();
    for alert in alerts["items"].as_array().unwrap() {
        let text = alert["text"].as_str().unwrap().replace('\'', "&#39;").replace("2026-10", "October 2026");
        assert!(home.contains(&text), "{text}: {home}");
    }

    // Another site, and who is there alone, sees nothing of the first.
    let settings = json!({ "name": "Elsewhere", "zone": "Europe/Paris", "country": "FR" });
    desk.post(&ada, "/api/v1/sites", json!({ "id": "par", "settings": settings })).await.expect(201);
    let user = desk.operator_user(&ada, "operator_user", Some(&["par"])).await;
    let home = page(&desk, &user, "/").await;
    assert!(home.contains("Elsewhere") && !home.contains("Harbour House") && !home.contains("/months"), "{home}");
}

#[tokio::test]
async fn occupiers_are_told_whom_to_ask_and_contracts_lead_to_their_page() {
    let (desk, ada) = Desk::set_up().await;
    desk.sites(&ada).await;
    desk.occupier(&ada, "acme").await;
    desk.contract(&ada, "acme", "ldn", "2026-01-01").await;
    let body = json!({ "name": "Harbour Workspaces", "currency": "GBP", "zone": "Europe/London", "support_contact": "ask@example.com" });
    desk.put(&ada, "/api/v1/operator", body).await.expect(200);
    let ann = desk.portal(&ada, "acme").await;
    assert!(page(&desk, &ann, "/").await.contains("Help: ask@example.com"));
    assert!(!page(&desk, &ada, "/").await.contains("ask@example.com"));
    assert_eq!(
        sent(desk.ask(&ada, "GET", "/contracts/acme-ldn", None, &[HTML]).await),
        "/occupiers/acme/contracts/acme-ldn"
    );
}
