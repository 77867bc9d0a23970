//! Pages: signing in and out, refusals, and what keeps other people's pages from sending our forms.

use crate::desk::{Desk, PASSWORD, Who};

const FORM: &str = "application/x-www-form-urlencoded";
const HTML: (&str, &str) = ("accept", "text/html");

#[tokio::test]
async fn who_is_not_signed_in_is_led_to_where_it_can_and_back() {
    let (desk, _) = Desk::set_up().await;
    let answer = desk.ask(&Who::Nobody, "GET", "/", None, &[HTML]).await.expect(303);
    assert_eq!(answer.header("location"), "/sign-in");
    let page = desk.ask(&Who::Nobody, "GET", "/sign-in?to=%2Fmonths%3Fx%3D1", None, &[HTML]).await.expect(200).text();
    assert!(page.contains("name=\"to\" value=\"/months?x=1\"") && page.contains("Harbour Workspaces"), "{page}");
    let form = format!("to=%2F&%2Femail=ada%40example.com&%2Fpassword={}", PASSWORD.replace(' ', "+"));
    let answer = desk.form(&Who::Nobody, "/sign-in", &form).await.expect(303);
    assert_eq!(answer.header("location"), "/");
    let ada = Desk::session(&answer);
    let home = desk.ask(&ada, "GET", "/", None, &[HTML]).await.expect(200).text();
    assert!(home.contains("Ada") && home.contains("Sign out"), "{home}");
    let answer = desk.form(&ada, "/sign-out", "").await.expect(303);
    assert_eq!(answer.header("location"), "/sign-in?said=signed-out");
    desk.ask(&ada, "GET", "/", None, &[HTML]).await.expect(303);
}

#[tokio::test]
async fn a_wrong_password_is_said_on_the_page_which_keeps_the_address_and_not_the_password() {
    let (desk, _) = Desk::set_up().await;
    let form = "to=%2F&%2Femail=ada%40example.com&%2Fpassword=no+such+password";
    let page = desk.form(&Who::Nobody, "/sign-in", form).await.expect(401).text();
    assert!(page.contains("No user has this e-mail address and password"), "{page}");
    assert!(page.contains("value=\"ada@example.com\"") && !page.contains("no such password"), "{page}");
}

#[tokio::test]
async fn a_problem_is_a_page_for_who_looks_at_pages_and_a_document_for_programs() {
    let (desk, ada) = Desk::set_up().await;
    let page = desk.ask(&ada, "GET", "/no-such-page", None, &[HTML]).await.expect(404);
    assert!(page.header("content-type").starts_with("text/html") && page.text().contains("request.no_such_address"));
    // The ways to other pages stay: those of who looks, wherever it is that there is nothing.
    let ways = |page: &str| page.contains("<nav aria-label=\"Main\">") && page.contains("action=\"/sign-out\"");
    assert!(ways(&page.text()) && page.text().contains("href=\"/audit\""), "{}", page.text());
    let page = desk.ask(&ada, "GET", "/months/2026-99", None, &[HTML]).await.expect(400).text();
    assert!(ways(&page) && page.contains("href=\"/months\" aria-current=\"page\""), "{page}");
    desk.sites(&ada).await;
    let limited = desk.operator_user(&ada, "operator_user", Some(&["ldn"])).await;
    for (address, status) in [("/sites/nyc/numbers", 404), ("/audit", 403)] {
        let page = desk.ask(&limited, "GET", address, None, &[HTML]).await.expect(status).text();
        assert!(ways(&page) && !page.contains("href=\"/audit\""), "{page}");
    }
    let page = desk.ask(&Who::Nobody, "GET", "/no-such-page", None, &[HTML]).await.expect(404).text();
    assert!(!ways(&page) && page.contains("To the first page"), "{page}");
    desk.get(&ada, "/no-such-page").await.refused(404, "request.no_such_address");
    desk.ask(&ada, "GET", "/api/v1/no-such-thing", None, &[HTML]).await.refused(404, "request.no_such_address");
}

#[tokio::test]
async fn forms_of_other_peoples_pages_are_refused_also_for_signing_in() {
    let (desk, ada) = Desk::set_up().await;
    for (who, address) in [(&Who::Nobody, "/sign-in"), (&ada, "/sign-out")] {
        let elsewhere =
            [HTML, ("content-type", FORM), ("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")];
        let answer = desk.ask(who, "POST", address, None, &elsewhere).await.expect(403).text();
        assert!(answer.contains("auth.cross_site"), "{answer}");
    }
    desk.ask(&ada, "GET", "/", None, &[HTML]).await.expect(200);
}
