//! From nothing to an operator with an administrator.

use serde_json::json;

use crate::desk::{Desk, PASSWORD, Who};

fn setup(secret: &str) -> serde_json::Value {
    json!({
        "secret": secret,
        "operator_id": "harbour",
        "operator": { "name": "Harbour Workspaces", "currency": "GBP", "zone": "Europe/London" },
        "administrator": { "email": "ada@example.com", "name": "Ada", "password": PASSWORD },
    })
}

#[tokio::test]
async fn the_first_link_works_once_and_only_the_newest() {
    let desk = Desk::new().await;
    let older = desk.app.setup_link().await.unwrap().unwrap();
    let link = desk.app.setup_link().await.unwrap().unwrap();
    let secret = |link: &str| link.split_once("/setup#").unwrap().1.to_owned();
    desk.post(&Who::Nobody, "/api/v1/setup", setup(&secret(&older))).await.refused(404, "auth.invitation_invalid");
    desk.post(&Who::Nobody, "/api/v1/setup", setup(&secret(&link))).await.expect(201);
    desk.post(&Who::Nobody, "/api/v1/setup", setup(&secret(&link))).await.refused(409, "operator.already_set_up");
    assert_eq!(desk.app.setup_link().await.unwrap(), None, "no link once there is an operator");
}

#[tokio::test]
async fn every_mistake_of_the_setup_is_named_at_once_and_the_link_stays_good() {
    let desk = Desk::new().await;
    let link = desk.app.setup_link().await.unwrap().unwrap();
    let mut body = setup(link.split_once('#').unwrap().1);
    body["operator_id"] = json!("a/b");
    body["operator"]["zone"] = json!("Europe/Lundun");
    body["operator"]["currency"] = json!("pounds");
    body["administrator"]["email"] = json!("ada");
    body["administrator"]["password"] = json!("short");
    let answer = desk.post(&Who::Nobody, "/api/v1/setup", body).await.refused(422, "request.invalid");
    let fields: Vec<String> = answer.json()["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| fault["field"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        fields,
        ["/operator_id", "/operator/zone", "/operator/currency", "/administrator/email", "/administrator/password"]
    );
    desk.post(&Who::Nobody, "/api/v1/setup", setup(link.split_once('#').unwrap().1)).await.expect(201);
}

#[tokio::test]
async fn what_was_done_stands_in_the_audit_log_whose_chain_holds() {
    let (desk, ada) = Desk::set_up().await;
    desk.sites(&ada).await;
    let log = desk.get(&ada, "/api/v1/audit").await.expect(200).json();
    let actions: Vec<&str> =
        log["items"].as_array().unwrap().iter().map(|entry| entry["action"].as_str().unwrap()).collect();
    assert_eq!(
        actions,
        ["site.created", "site.created", "session.begun", "user.created", "operator.set_up", "setup.link_made"]
    );
    let chain = desk.get(&ada, "/api/v1/audit/chain").await.expect(200).json();
    assert_eq!(chain, json!({ "entries": 6 }));

    // The database itself refuses to edit history; with its triggers gone, the chain shows the edit.
    let file = desk.folder().join("rating.db");
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&file);
    let pool = sqlx::SqlitePool::connect_with(options).await.unwrap();
    let edit = "UPDATE audit SET subject = 'site:nowhere' WHERE seq = 5";
    let error = sqlx::query(edit).execute(&pool).await.unwrap_err();
    assert!(error.to_string().contains("history is not edited"), "{error}");
    sqlx::query("DROP TRIGGER audit_is_not_edited").execute(&pool).await.unwrap();
    sqlx::query(edit).execute(&pool).await.unwrap();
    let chain = desk.get(&ada, "/api/v1/audit/chain").await.expect(200).json();
    assert_eq!(chain, json!({ "entries": 4, "broken_at": 5 }));
}

#[tokio::test]
async fn the_links_lead_to_pages_that_need_nobody_else() {
    let desk = Desk::new().await;
    for page in ["/setup", "/join"] {
        let answer = desk.get(&Who::Nobody, page).await.expect(200);
        assert!(answer.header("content-type").starts_with("text/html"));
        let text = answer.text();
        assert!(text.contains("<form") && !text.contains("http://") && !text.contains("https://"), "{page}");
    }
    let script = desk.get(&Who::Nobody, "/assets/first.js").await.expect(200);
    assert!(script.header("content-type").starts_with("text/javascript"));
}
