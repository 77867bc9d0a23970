//! The operator's pages about people and companies: what is set up there is what the interface has, and nothing more than
//! it allows.

use rating_service::portal::api::part;
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
